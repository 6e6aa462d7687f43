"""FEI (Thermo Fisher) TIA: a document ``x.emi`` and its series ``x_1.ser``, ``x_2.ser`` …, or one of them alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from zairyo.measurement import Entry, Measurement, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._mapped import map_bytes
from zairyo.readers._microscope_values import free_name
from zairyo.readers._tia_emi import MAGIC as DOCUMENT
from zairyo.readers._tia_emi import Document, DocumentObject, read_document
from zairyo.readers._tia_entries import object_entry, series_entry
from zairyo.readers._tia_ser import MAGIC as SERIES
from zairyo.readers._tia_ser import read_series

_SERIES_NAME = re.compile(r"(.+)_(\d+)\.ser\Z", re.IGNORECASE)


def _sets(names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """Each ``x.emi`` with its ``x_<n>.ser``, in the order of their numbers."""
    series: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        if found := _SERIES_NAME.match(name):
            series.setdefault(found[1].casefold(), []).append((int(found[2]), name))
    for name in names:
        if name.casefold().endswith(".emi") and (parts := series.get(name[:-4].casefold())):
            yield (name, *(part for _, part in sorted(parts)))


def _sniff(src: RawInput) -> float:
    if src.is_folder:
        return CERTAIN if any(set(found) == set(src.members) for found in _sets(src.members)) else NO
    if src.head[:4] == SERIES:
        return CERTAIN
    return CERTAIN if src.head[:4] == DOCUMENT and src.head[9:10] == b"\x4d" else NO


def _read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    if src.is_folder:
        found = next(iter(_sets(src.members)), None)
        if found is None:
            raise ReadError(f"{src.path.name} holds no TIA document (.emi) with its series (.ser)")
        main, *parts = (RawInput(src.member_path(name)) for name in found)
    elif src.head[:4] == DOCUMENT:
        main, parts = src, []
    else:
        warnings.append(
            "The .emi that belongs to this .ser was not given with it: the microscope's settings are missing, and what "
            "kind of data these are was told from their axes. Put the files side by side."
        )
        entry = series_entry(read_series(map_bytes(src), src.name), None, "series", src.name, warnings)
        return Measurement((entry,), title=PurePosixPath(src.name).stem, warnings=tuple(warnings))
    document = read_document(map_bytes(main), main.name, warnings)
    entries = _entries(document, main, parts, warnings)
    labels = [o.labels for o in document.objects]
    microscope = next((found["Microscope"][0] for found in labels if "Microscope" in found), "")
    return Measurement(
        entries=tuple(entries),
        title=document.name,
        instrument=microscope.removeprefix("Microscope ").strip(),
        operator=next((found["User"][0] for found in labels if "User" in found), ""),
        original_metadata=tidy_metadata({"Document": document.name, "Version": document.version}),
        warnings=tuple(warnings),
    )


def _entries(document: Document, main: RawInput, parts: list[RawInput], warnings: list[str]) -> list[Entry]:
    """The series first, then what only the document holds."""
    objects = [o for o in document.objects if o.series]
    taken: set[str] = set()
    read: list[DocumentObject] = []
    entries: list[Entry] = []
    for part in parts:
        told = _told_of(part.name, objects)
        if told is not None:
            read.append(told)
        series = read_series(map_bytes(part), part.name)
        name = free_name(told.name if told else "", taken, "series")
        entries.append(series_entry(series, told, name, part.name, warnings))
    missing = [o.series for o in objects if o not in read]
    if missing:
        warnings.append(
            f"{', '.join(missing)} belongs to {main.name} and was not given with it: only what was on the screen last "
            "is here. Put the files side by side."
        )
    for shown in document.objects:
        if shown.values is not None and shown not in read:
            entries.append(object_entry(shown, free_name(shown.name, taken, "object"), shown.values))
    if not entries:
        raise ReadError(f"{main.name} holds no spectrum and no image, and no series (.ser) was given with it")
    return entries


def _told_of(name: str, objects: list[DocumentObject]) -> DocumentObject | None:
    """What the document says of a series: by its file's name, else by its number (a set that was renamed)."""
    for wanted in (name.casefold(), "_" + name.casefold().rpartition("_")[2]):
        for told in objects:
            if told.series.casefold().endswith(wanted):
                return told
    return None


READER = Reader(
    name="fei_tia",
    version="1",
    techniques=("tem", "stem", "electron_diffraction", "stem_4d", "eds", "eels"),
    vendor="FEI (Thermo Fisher)",
    format="TIA (.emi, .ser)",
    endings=(".emi", ".ser"),
    sniff=_sniff,
    read=_read,
    sets=_sets,
    notes="Images, diffraction patterns, profiles, EDS and EELS spectra, line scans, maps and 4D-STEM: a document with "
    "its series, a series alone, and a document alone (what was on its screen). Annotations and analyses that TIA "
    "drew in a document are not read.",
)
