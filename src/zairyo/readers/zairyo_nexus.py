"""Zairyo's own standard form: a measurement that another Zairyo, or ``zairyo translate``, wrote.

It is read as it was written. Which raw files it had been read from, and by which reader, stays in the metadata: the
raw file is now the standard form itself.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from zairyo.measurement import Measurement, MeasurementError, nexus
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._hdf5_file import is_standard_form


def sniff(src: RawInput) -> float:
    return CERTAIN if is_standard_form(src.head) else NO


def read(src: RawInput) -> Measurement:
    if src.is_folder or src.path.name != src.name:
        raise ReadError(f"{src.path.name} is packed; unpack it first, and give {src.name}.")
    try:
        found = nexus.read(src.path)
    except MeasurementError as e:
        raise ReadError(f"{src.name} {e}") from None
    if found.source is None:
        return found
    before = tidy_metadata({"source_before": asdict(found.source)})
    return replace(found, source=None, original_metadata={**found.original_metadata, **before})


READER = Reader(
    name="zairyo_nexus",
    version="1",
    techniques=("unspecified",),
    vendor="Zairyo",
    format="standard form (NeXus)",
    endings=(".nxs",),
    sniff=sniff,
    read=read,
    notes="A measurement of any technique as it was written; where it came from stays in its metadata.",
)
