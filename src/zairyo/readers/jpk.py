"""JPK NanoWizard and CellHesion force data: ``.jpk-force``, ``.jpk-force-map``, ``.jpk-qi-data`` and their like.

A zip archive of Java properties and big-endian numbers. Each channel of a segment says how its numbers become
volts, and by which chain of conversions volts become metres and newtons; newer software puts what all segments
share into one header. Facts: the headers themselves, and JPK's "NanoWizard file format" notes.
"""

from __future__ import annotations

from typing import Any

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._jpk_archive import Archive
from zairyo.readers._jpk_entries import curve_entry, map_entry, written

_MOST_HEADERS_KEPT = 64


def sniff(src: RawInput) -> float:
    members = src.members
    if src.is_folder or "header.properties" not in members:
        return NO
    return CERTAIN if any(m.startswith(("segments/", "index/")) for m in members) else NO


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    with src.open() as file:
        archive = Archive(file, src.path.name, warnings)
        curves = archive.curves()
        if not curves:
            raise ReadError(
                f"{src.path.name} holds no force curve (no 'segments/…/segment-header.properties'); it was saved "
                "before anything was measured, or is cut off"
            )
        mapped = {i: folders for i, folders in curves.items() if i is not None}
        entry = map_entry(archive, mapped) if mapped else curve_entry(archive, curves[None])
        metadata = _metadata(archive, [folder for folders in curves.values() for folder in folders])
    return Measurement(
        entries=(entry,),
        title=src.name,
        sample=written(archive.header, "name"),
        instrument=_instrument(written(archive.header, "instrument")),
        operator=written(archive.header, "user-name"),
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
    version="1",
    techniques=("afm_force",),
    vendor="JPK (Bruker)",
    format="force data (zip)",
    endings=(".jpk-force", ".jpk-force-map", ".jpk-qi-data", ".jpk-qi-series"),
    sniff=sniff,
    read=read,
    notes="Force curves with all their segments, force maps and quantitative imaging, in newtons where the "
    "cantilever was calibrated, else in metres or volts. Of a map, the images computed from it are not read.",
)
