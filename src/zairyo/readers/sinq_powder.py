"""Powder patterns of DMC and HRPT at SINQ (Paul Scherrer Institute), FullProf's ``INSTRM = 8``.

Facts: FullProf manual, "Data files"; what DMCpy writes. A line of instrument, sample and title; ``lambda= .., T= ..,
dT= .., Date='..'``; first, step and last 2θ, monitor and ``sample=".."``; then ten numbers a line, in fields of eight
characters, all intensities and after them all standard deviations (perhaps none); at last, how it was measured.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal, clean_text
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._diffraction import Floats, number
from zairyo.readers._diffraction_text import moment
from zairyo.readers._text_export import head_lines, read_lines
from zairyo.readers.delimited_text import is_float

_ABOUT = re.compile(r"\s*lambda\s*=\s*(?P<lambda>[\d.]+)\s*,\s*T\s*=\s*(?P<t>[\d.naN-]+)", re.IGNORECASE)
_RANGE = re.compile(r"\s*(-?[\d.]+)\s+([\d.]+)\s+(-?[\d.]+)\b")
_DATE = re.compile(r"Date\s*=\s*'?(\d[^']*)", re.IGNORECASE)
_SAMPLE = re.compile(r"sample\s*=\s*[\"']([^\"']*)", re.IGNORECASE)
_OWNER = re.compile(r"owner\s*=\s*'([^']*)'", re.IGNORECASE)
_FIELD = 8
_MOST_POINTS = 1_000_000


def _sniff(source: RawInput) -> float:
    if b"lambda" not in source.text_head[:1000].lower():
        return NO
    lines = head_lines(source, 3)
    return CERTAIN if len(lines) == 3 and _ABOUT.match(lines[1]) and _RANGE.match(lines[2]) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    about = _ABOUT.match(lines[1]) if len(lines) > 2 else None
    stated = _RANGE.match(lines[2]) if about else None
    if about is None or stated is None:
        raise ReadError(
            f"{source.name} has no wavelength and range in its second and third line; it is another format."
        )
    first, step, last = (number(word) for word in stated.groups())
    if first is None or last is None or not step or not -180 <= first < last <= 180:
        raise ReadError(
            f"{source.name}: the range {clean_text(stated[0].strip())!r} cannot be; it is damaged."
        )
    if (last - first) / step >= _MOST_POINTS:
        raise ReadError(f"{source.name}: more points are announced than can be; its head is damaged.")
    count = round((last - first) / step) + 1
    intensity, at = _numbers(lines, 3, count)
    if len(intensity) < count:
        raise ReadError(
            f"{source.name}: {count} points are announced and {len(intensity)} are there; it is cut off. Copy it again."
        )
    errors, end = _numbers(lines, at, count)
    warnings: list[str] = []
    if 0 < len(errors) < count:
        warnings.append("The standard deviations are not all there; they are left out.")
    title = clean_text(lines[0]).strip()
    date, sample = _DATE.search(lines[1]), _SAMPLE.search(lines[2])
    kelvin = number(about["t"])
    conditions = {"wavelength": Quantity(float(about["lambda"]), "angstrom")}
    if kelvin is not None and kelvin > 0:
        conditions["temperature"] = Quantity(kelvin, "K")
    positions = np.round(first + step * np.arange(count), 9)
    uncertainty = errors if len(errors) == count else None
    try:
        entry = Entry(
            name="scan",
            technique="neutron_diffraction",
            axes=(Axis("two_theta", positions, "deg", "2θ"),),
            signals=(Signal("intensity", intensity, None, ("two_theta",), "Intensity", uncertainty),),
            title=title,
            conditions=conditions,
            original_metadata=tidy_metadata(
                {"header": lines[:3], "footer": [x for x in lines[end:] if x.strip()]}
            ),
            started=moment(date[1].strip(), warnings=warnings) if date else None,
        )
    except MeasurementError as e:
        raise ReadError(f"{source.name}: the parts do not fit together: {e}") from None
    owner = _OWNER.search("\n".join(lines[end:]))
    return Measurement(
        (entry,),
        title=title or source.path.stem,
        sample=clean_text(sample[1]).strip() if sample else "",
        operator=clean_text(owner[1]).strip() if owner else "",
        instrument=next((name for name in ("DMC", "HRPT") if name in title.upper()), ""),
        warnings=tuple(warnings),
    )


def _numbers(lines: list[str], at: int, count: int) -> tuple[Floats, int]:
    """Up to ``count`` numbers from line ``at`` on, and the line behind them; blank fields fill the last line."""
    found: list[float] = []
    while len(found) < count and at < len(lines):
        cells = lines[at].split()
        if not all(map(is_float, cells)):  # fields without a blank between
            line = lines[at].rstrip()
            cells = [line[i : i + _FIELD] for i in range(0, len(line), _FIELD)]
            if not all(map(is_float, cells)):
                break
        found += map(float, cells)
        at += 1
    return np.array(found[:count]), at


READER = Reader(
    name="sinq_powder",
    version="2",
    techniques=("neutron_diffraction",),
    vendor="PSI SINQ",
    format="Powder pattern of DMC or HRPT (FullProf INSTRM 8)",
    endings=(".dat",),
    sniff=_sniff,
    read=_read,
    notes="2θ from first, step and last; intensities and errors; wavelength, temperature, sample, owner.",
)
