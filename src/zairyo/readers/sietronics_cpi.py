"""Sietronics Sieray ``.cpi``: a powder pattern as text, which several programs of the field write.

Facts: ``SIETRONICS XRD SCAN``, then a line each of first, last and step 2θ, anode, wavelength (Å), date (day first,
1-1-1900 for none), a number that some programs mean as scan speed and others as time, and a comment; ``SCANDATA``, and
an intensity a line.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import number, read_lines

_MAGIC, _DATA = "SIETRONICS XRD SCAN", "SCANDATA"
_KEYS = ("start", "end", "step", "anode", "wavelength", "date", "speed_or_time", "comment")
_DATES = ("%d-%m-%Y", "%d/%m/%Y", "%d/%m/%y %H:%M:%S", "%d-%m-%Y %H:%M:%S")
_MOST_POINTS = 1_000_000


def _sniff(source: RawInput) -> float:
    return CERTAIN if source.text_head.lstrip(b"\xef\xbb\xbf").startswith(_MAGIC.encode()) else NO


def _read(source: RawInput) -> Measurement:
    lines = [line.strip() for line in read_lines(source)]
    if _DATA not in lines:
        raise ReadError(f"{source.name} ends before its intensities ({_DATA}); it is cut off. Copy it again.")
    at = lines.index(_DATA)
    told = dict(zip(_KEYS, lines[1:at], strict=False))
    start, end, step = (number(told.get(key, "")) for key in ("start", "end", "step"))
    if start is None or end is None or step is None or not (step > 0 and -180 <= start < end <= 180):
        raise ReadError(
            f"{source.name} does not say from where to where it was scanned ({told}); it is damaged."
        )
    count = round((end - start) / step) + 1
    if count > _MOST_POINTS:
        raise ReadError(f"{source.name}: {count} points are announced; its head is damaged.")
    try:
        intensity = np.array([line for line in lines[at + 1 :] if line], dtype=np.float64)
    except ValueError as e:
        raise ReadError(f"{source.name} holds what is no intensity: {e}; it is damaged.") from None
    if len(intensity) < count:
        raise ReadError(
            f"{source.name}: {count} points are announced and {len(intensity)} are there; it is cut off. Copy it again."
        )
    warnings = []
    if len(intensity) > count:
        warnings.append(f"{len(intensity) - count} numbers behind the {count} points were left out.")
    positions = np.round(start + step * np.arange(count), 9)
    comment = clean_text(told.get("comment", ""))
    entry = Entry(
        name="scan",
        technique="xrd",
        axes=(Axis("two_theta", positions, "deg", "2θ"),),
        signals=(Signal("intensity", intensity[:count], None, ("two_theta",), "Intensity"),),
        title=comment,
        conditions=_conditions(told, step),
        started=_started(told.get("date", "")),
    )
    return Measurement(
        (entry,),
        title=comment or source.path.stem,
        original_metadata=tidy_metadata({"header": told}),
        warnings=tuple(warnings),
    )


def _conditions(told: dict[str, str], step: float) -> dict[str, Quantity]:
    found = {"step_size": Quantity(step, "deg")}
    wavelength = number(told.get("wavelength", ""))
    if wavelength and 0 < wavelength < 100:
        found["wavelength"] = Quantity(wavelength, "angstrom")
    if anode := clean_text(told.get("anode", "")):
        found["xray_source_element"] = Quantity(anode)
    return found


def _started(text: str) -> datetime | None:
    found = in_forms(text, _DATES)
    return found if found is not None and found.year > 1900 else None


READER = Reader(
    name="sietronics_cpi",
    version="1",
    techniques=("xrd",),
    vendor="Sietronics",
    format="Sieray .cpi",
    endings=(".cpi",),
    sniff=_sniff,
    read=_read,
    notes="The number before the comment is kept as it stands: programs differ in what it means.",
)
