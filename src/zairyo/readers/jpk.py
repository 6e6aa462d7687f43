"""JPK NanoWizard and CellHesion force data: ``.jpk-force``, ``.jpk-force-map``, ``.jpk-qi-data`` and their like.

A zip archive of Java properties and big-endian numbers. Each channel of a segment says how its numbers become
volts, and by which chain of conversions volts become metres and newtons; newer software puts what all segments
share into one header. Facts: the headers themselves, and JPK's "NanoWizard file format" notes.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from zairyo.measurement import Entry, Measurement, make_name
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._jpk_archive import Archive
from zairyo.readers._jpk_entries import curve_entry, map_entry, written
from zairyo.readers._jpk_properties import Properties
from zairyo.readers.delimited_text import used

_ENDINGS = (".jpk-force", ".jpk-force-map", ".jpk-qi-data", ".jpk-qi-series")
_MOST_HEADERS_KEPT, _MOST_FILES = 64, 2000
_MOST_BYTES = 1024**3


def sniff(src: RawInput) -> float:
    members = src.members
    if src.is_folder or not members:
        return NO
    if "header.properties" in members:
        return CERTAIN if any(m.startswith(("segments/", "index/")) for m in members) else NO
    return CERTAIN if _packed(src) else NO


def _packed(src: RawInput) -> list[str]:
    """The force files in a zip archive of nothing else but what computers leave in folders."""
    files = [m for m in src.members if not m.endswith(("/", ".DS_Store")) and not m.startswith("__MACOSX")]
    return files if files and all(m.lower().endswith(_ENDINGS) for m in files) else []


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    packed = [] if "header.properties" in src.members else _packed(src)
    if not packed:
        with src.open() as file:
            entry, header, metadata = _one(file, src.path.name, warnings)
        return _measurement(src, (entry,), header, metadata, warnings)
    if len(packed) > _MOST_FILES:
        raise ReadError(f"{src.path.name} holds {len(packed)} force files; at most {_MOST_FILES} are read")
    names = used([make_name(PurePosixPath(m).stem, "curve")[:50] for m in packed])
    entries, told, room = [], dict[str, Any](), _MOST_BYTES
    first: Properties = {}
    for name, member in zip(names, packed, strict=True):
        data = src.member(member, room)
        room -= len(data)
        entry, header, metadata = _one(io.BytesIO(data), member, warnings)
        first = first or header
        entries.append(replace(entry, name=name, title=PurePosixPath(member).stem))
        if len(told) < _MOST_HEADERS_KEPT:
            told[member] = metadata
    return _measurement(src, tuple(entries), first, told, warnings)


def _one(file: BinaryIO, name: str, warnings: list[str]) -> tuple[Entry, Properties, dict[str, Any]]:
    """One force file: its curve or map, its header, and the headers that are kept."""
    archive = Archive(file, name, warnings)
    curves = archive.curves()
    if not curves:
        raise ReadError(
            f"{name} holds no force curve (no 'segments/…/segment-header.properties'); it was saved "
            "before anything was measured, or is cut off"
        )
    mapped = {i: folders for i, folders in curves.items() if i is not None}
    entry = map_entry(archive, mapped) if mapped else curve_entry(archive, curves[None])
    return entry, archive.header, _metadata(archive, [f for folders in curves.values() for f in folders])


def _measurement(
    src: RawInput,
    entries: tuple[Entry, ...],
    header: Properties,
    metadata: dict[str, Any],
    warnings: list[str],
) -> Measurement:
    return Measurement(
        entries=entries,
        title=src.name,
        sample=written(header, "name") if len(entries) == 1 else "",
        instrument=_instrument(written(header, "instrument")),
        operator=written(header, "user-name"),
        original_metadata=metadata,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _instrument(text: str) -> str:
    return text if text.upper().startswith("JPK") or not text else f"JPK {text}"


def _metadata(archive: Archive, folders: list[str]) -> dict[str, Any]:
    """The headers as they are; of a map of many curves those of the first ones."""
    names = ["header.properties", "shared-data/header.properties"]
    names += [f"{folder}segment-header.properties" for folder in folders[:_MOST_HEADERS_KEPT]]
    return {n: dict(archive.properties(n)) for n in names if n in archive.names}


READER = Reader(
    name="jpk",
    version="2",
    techniques=("afm_force",),
    vendor="JPK (Bruker)",
    format="force data (zip)",
    endings=(*_ENDINGS, ".zip"),
    sniff=sniff,
    read=read,
    notes="Force curves with all their segments, force maps and quantitative imaging, in newtons where the "
    "cantilever was calibrated, else in metres or volts; also zip archives of several such files. Of a map, the images "
    "computed from it are not read.",
)
