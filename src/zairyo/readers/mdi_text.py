"""MDI's powder patterns (``.mdi``: Jade, Datascan, Scintag's converters): two lines of header, then intensities.

Facts: date, program and title in the first line; in the second first 2θ and step, a rate or time that nothing
names, anode, wavelength (Å), last 2θ and how many points there are; intensities, eight a line; ``-1`` and ``.`` at
their end fill the line.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal, clean_text
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import head_lines, read_lines
from zairyo.readers.delimited_text import is_float

_RANGE = re.compile(
    r"\s*(-?\d+\.\d*)\s+(\d*\.\d+)\s+\d*\.?\d+\s+([A-Za-z]{1,2})\s+(\d*\.\d+)\s+(-?\d+\.\d*)\s+(\d+)\s*\Z"
)
_FIRST = re.compile(r"\s*(\d\d/\d\d/\d\d(?:\d\d)?)\s*(.*)")
_MOST_POINTS = 1_000_000


def _sniff(source: RawInput) -> float:
    if source.suffix != ".mdi" and not re.match(rb"\s*\d\d/\d\d/\d\d", source.text_head):
        return NO
    lines = head_lines(source, 3)
    fits = len(lines) > 2 and _RANGE.match(lines[1]) and all(map(is_float, lines[2].split()))
    return LIKELY if fits else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    stated = _RANGE.match(lines[1]) if len(lines) > 1 else None
    if stated is None:
        raise ReadError(
            f"{source.name} does not say in its second line from where to where it was scanned; it is damaged, or "
            "another format."
        )
    first, step, last, count = float(stated[1]), float(stated[2]), float(stated[5]), int(stated[6])
    if not (step > 0 and -180 <= first < last <= 180 and 1 < count < _MOST_POINTS):
        raise ReadError(f"{source.name}: the range {stated[0].strip()!r} cannot be; it is damaged.")
    if abs((last - first) / step + 1 - count) > 0.5:
        raise ReadError(
            f"{source.name}: {count} points do not fit steps of {step:g} from {first:g} to {last:g}; it is damaged."
        )
    cells = " ".join(line for line in lines[2:] if line.strip() != ".").split()
    try:
        values = np.array(cells[:count], dtype=np.float64)
    except ValueError:
        odd = next(cell for cell in cells[:count] if not is_float(cell))
        raise ReadError(f"{source.name}: {clean_text(odd)[:40]!r} is no intensity; it is damaged.") from None
    if len(values) < count or (values == -1).any():
        raise ReadError(
            f"{source.name}: {count} points are announced and {len(values[values != -1])} are there; it is cut off. "
            "Copy it again."
        )
    warnings = ["The file does not say whether intensities are counts or counts per second."]
    head = _FIRST.match(lines[0])
    title = clean_text(head[2] if head else lines[0]).strip()
    try:
        entry = Entry(
            name="scan",
            technique="xrd",
            axes=(Axis("two_theta", np.round(first + step * np.arange(count), 9), "deg", "2θ"),),
            signals=(Signal("intensity", values, None, ("two_theta",), "Intensity"),),
            title=title,
            conditions={
                "xray_source_element": Quantity(stated[3].capitalize()),
                "wavelength": Quantity(float(stated[4]), "angstrom"),
                "step_size": Quantity(step, "deg"),
            },
            original_metadata=tidy_metadata({"header": [line.strip() for line in lines[:2]]}),
            started=in_forms(head[1], ("%m/%d/%y", "%m/%d/%Y", "%d/%m/%y", "%d/%m/%Y"), warnings)
            if head
            else None,
        )
    except MeasurementError as e:
        raise ReadError(f"{source.name}: the parts do not fit together: {e}") from None
    return Measurement((entry,), title=title or source.path.stem, warnings=tuple(warnings))


READER = Reader(
    name="mdi_text",
    version="1",
    techniques=("xrd",),
    vendor="MDI",
    format="Powder pattern (.mdi)",
    endings=(".mdi",),
    sniff=_sniff,
    read=_read,
    notes="2θ from first and step; anode and wavelength. What the rate or time of the header is, is not known.",
)
