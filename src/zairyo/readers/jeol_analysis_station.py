"""JEOL Analysis Station: ``.img`` and ``.map`` images, ``.eds`` spectra, ``.pts`` maps, projects of them (``.asw``).

A project names its files; they are read with it when it is given as a folder, or lies beside them. Facts about the
formats: the names in the files' own tags, and the descriptions of them by users (hyperspy's issues).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from zairyo.measurement import Entry, Measurement, tidy_metadata
from zairyo.readers import _jeol_events as events
from zairyo.readers import _jeol_images as images
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._jeol_spectrum import is_spectrum, read_spectrum
from zairyo.readers._jeol_tags import Buffer, decode, parse_tags, plain
from zairyo.readers._mapped import map_bytes
from zairyo.readers._microscope_values import free_name

_PROJECT, _PROJECT_TREE = b"Analysis Station", 12
_VIEW = re.compile(r"(?:.*/)?View\d+_\d+\.(?:img|map|eds|pts)\Z", re.IGNORECASE)


def _sets(names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """A project with the files of its views, beside it or in folders below."""
    projects = [name for name in names if name.casefold().endswith(".asw") and "/" not in name]
    views = [name for name in names if _VIEW.match(name)]
    if len(projects) == 1 and views:
        yield (projects[0], *views)


def _sniff(src: RawInput) -> float:
    if src.is_folder:
        found = next(iter(_sets(src.members)), None)
        return CERTAIN if found and _is_project(RawInput(src.member_path(found[0])).head) else NO
    head = src.head
    if len(head) < 64:
        return NO
    if _is_project(head):
        return CERTAIN
    (magic,) = struct.unpack_from("<I", head)
    if magic == images.MAGIC and images.FORM in head[:36]:
        return CERTAIN
    if magic == events.MAGIC and b"PTTD" in head:
        return CERTAIN
    return LIKELY if is_spectrum(head) else NO


def _is_project(head: bytes) -> bool:
    return head[:12] == bytes(12) and _PROJECT in head[:64]


def _read(src: RawInput) -> Measurement:
    if src.is_folder:
        return _read_project(src)
    data = map_bytes(src)
    if _is_project(bytes(data[:64])):
        named = [PurePosixPath(path).name for path in _named(parse_tags(data, _PROJECT_TREE, src.name))]
        raise ReadError(
            f"{src.name} is a project, which only names its files ({', '.join(named[:3]) or 'none'} …); give the "
            "folder with these files, or the files"
        )
    warnings: list[str] = []
    entries, tree, instrument, operator = _read_data(data, src.name, warnings)
    default = next((e.name for e in entries if e.name == "sum_spectrum"), entries[0].name)
    return Measurement(
        entries=tuple(entries),
        title=entries[0].title,
        instrument=instrument,
        operator=operator,
        default=default,
        original_metadata=tidy_metadata(tree),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _read_data(data: Buffer, name: str, warnings: list[str]) -> tuple[list[Entry], dict[str, Any], str, str]:
    """Entries, metadata, instrument and operator of one file that is no project."""
    magic = struct.unpack_from("<I", data)[0] if len(data) > 64 else None
    if magic == images.MAGIC:
        image, tree, instrument = images.read_image(data, name)
        return [image], tree, instrument, ""
    if magic == events.MAGIC:
        found, tree, instrument = events.read_events(data, name, warnings)
        tree |= {"Memo": decode(bytes(data[164:296]))}
        return found, tree, instrument, ""
    spectrum, tree = read_spectrum(data, name)
    told = tree["Footer"].get("Parameters", {})
    spectrum = replace(spectrum, title=spectrum.title or PurePosixPath(name).stem)
    return [spectrum], tree, told.get("SEM", ""), tree["Header"]["User"]


# --- projects -----------------------------------------------------------------------------------------------


def _read_project(src: RawInput) -> Measurement:
    found = next(iter(_sets(src.members)), None)
    if found is None:
        raise ReadError(f"{src.path.name} holds no project of Analysis Station (.asw) with its files")
    project = parse_tags(src.member(found[0]), _PROJECT_TREE, found[0])
    there = {PurePosixPath(name).name.casefold(): name for name in found[1:]}
    warnings: list[str] = []
    missing: list[str] = []
    entries: list[Entry] = []
    taken: set[str] = set()
    instruments: list[str] = []
    kept: dict[str, Any] = {}
    for path in [*_named(project), *found[1:]]:
        base = PurePosixPath(path).name
        name = there.pop(base.casefold(), "")
        if not name:
            if base.casefold() not in {n.casefold() for n in kept}:
                missing.append(base)
            continue
        try:
            parts, kept[base], instrument, _ = _read_data(
                map_bytes(RawInput(src.member_path(name))), base, warnings
            )
        except ReadError as e:
            warnings.append(f"{base} could not be read: {e}")
            kept[base] = {}
            continue
        entries += [replace(e, name=free_name(e.name, taken)) for e in parts]
        instruments.append(instrument)
    if missing:
        warnings.append(
            f"The project names {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not here."
        )
    if not entries:
        raise ReadError(f"none of the files that {found[0]} names can be read: {' '.join(warnings)}")
    default = next((e.name for e in entries if e.name == "sum_spectrum"), entries[0].name)
    return Measurement(
        entries=tuple(entries),
        title=_memo(project, "Project") or PurePosixPath(found[0]).stem,
        sample=_memo(next(_nodes(project.get("SampleInfo")), {}), "Sample"),
        instrument=next((i for i in instruments if i), ""),
        default=default,
        original_metadata=tidy_metadata({"project": plain(project), "files": kept}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _memo(tree: dict[str, Any], unchanged: str) -> str:
    """What the user called it; empty if it is still what the program calls every one."""
    told = tree.get("Memo")
    return told.strip() if isinstance(told, str) and told.strip() != unchanged else ""


def _named(project: dict[str, Any]) -> list[str]:
    """The files that a project names, with '/', in its order."""
    return [
        told.replace("\\", "/")
        for sample in _nodes(project.get("SampleInfo"))
        for view in _nodes(sample.get("ViewInfo"))
        for item in _nodes(view.get("ViewData"))
        if isinstance(told := item.get("Filename"), str)
    ]


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield from (node for node in tree.values() if isinstance(node, dict))


READER = Reader(
    name="jeol_analysis_station",
    version="1",
    techniques=("eds", "sem", "stem"),
    vendor="JEOL",
    format="Analysis Station",
    endings=(".asw", ".img", ".map", ".eds", ".pts"),
    sniff=_sniff,
    read=_read,
    notes="Images, maps of a line, spectra with detector and quantification, maps of single X-rays (.pts: whole frames "
    "summed, with the electron image), and projects (.asw) with the files they name. Project files alone hold no data.",
    sets=_sets,
)
