"""FullProf's free format of powder patterns (``INSTRM = 0``): first, step and last 2θ, then intensities, ten a line.

Facts: J. Rodríguez-Carvajal, FullProf manual, "Data files". Lines before that begin with ``!`` are comments; what
stands behind the three numbers is a title. Backgrounds (``.bac``) are written the same way. Others write up to five
lines of header before: ILL's D1A and D2B, which have the standard deviations behind the intensities, and LHPM and
RIET7, whose header may tell ``Alpha1`` and ``MeasureDateTime``.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal, clean_text
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import head_lines, read_lines
from zairyo.readers.delimited_text import is_float

_RANGE = re.compile(r"\s*(-?\d+\.?\d*)[ \t,]+(\d*\.?\d+)[ \t,]+(-?\d+\.?\d*)(?:[ \t,]+(.*))?\Z")
_BEGINS = re.compile(rb"(?:[ \t]*!.*\n)*(?:.*\n){0,5}?[ \t]*-?\d+\.?\d*[ \t,]+\d*\.?\d+[ \t,]+-?\d")
#: Lines of header before the range, and what they may tell.
_MOST_HEADER = 5
_WAVELENGTH = re.compile(r"\bAlpha1\s+(\d\.\d+)")
_DATE = re.compile(r"\bMeasureDateTime\s+(\d+/\d+/\d{4}\s+\d+:\d+)")
_NEUTRONS = re.compile(r"\bneutrons?\b|\AD(1A|2B)", re.IGNORECASE)
_MOST_POINTS = 1_000_000
#: Numbers in the first line of intensities, from which it is no row of a table.
_FEWEST = 5


def _sniff(source: RawInput) -> float:
    if not _BEGINS.match(source.text_head):
        return NO
    lines = [line for line in head_lines(source, 60) if line.strip() and not line.lstrip().startswith("!")]
    at = _start(lines)
    if at is None or len(lines) < at + 3:
        return NO
    rows = [line.split() for line in lines[at + 1 :]]
    if len(rows[0]) < _FEWEST or all(map(is_float, lines[at].split()[3:] or ["title"])):
        return NO
    shorter = [len(row) for row in rows[:-1] if len(row) != len(rows[0])]  # the last before the deviations
    is_block = len(shorter) < 2 and max(shorter, default=0) < len(rows[0])
    return LIKELY if is_block and all(is_float(cell) for row in rows[:-1] for cell in row) else NO


def _start(lines: list[str]) -> int | None:
    """Which of the first lines is the range; None if none is."""
    return next((i for i, line in enumerate(lines[: _MOST_HEADER + 1]) if _range(line) is not None), None)


def _range(line: str) -> tuple[float, float, int, str] | None:
    """First 2θ and step in degrees, how many points, and the title; None if the line is no such range."""
    found = _RANGE.match(line)
    if found is None:
        return None
    first, step, last = float(found[1]), float(found[2]), float(found[3])
    count = (last - first) / step if step > 0 else 0.0
    if not (-180 <= first < last <= 180 and 2 <= count < _MOST_POINTS):
        return None
    return first, step, round(count) + 1, clean_text(found[4] or "").strip()


def _read(source: RawInput) -> Measurement:
    lines = [line for line in read_lines(source) if line.strip() and not line.lstrip().startswith("!")]
    at = _start(lines)
    stated = None if at is None else _range(lines[at])
    if at is None or stated is None:
        raise ReadError(
            f"{source.name} does not begin with the first, step and last 2θ; it is another format."
        )
    first, step, count, title = stated
    header = [clean_text(line).strip() for line in lines[:at]]
    title = header[0] if header else title
    about = "\n".join([*header, lines[at]])
    values = _numbers(lines[at + 1 :], source.name)
    wavelength, date, neutrons = _WAVELENGTH.search(about), _DATE.search(about), _NEUTRONS.search(about)
    warnings = []
    if not neutrons and not wavelength:
        warnings.append(
            "The file does not say whether X-rays or neutrons were diffracted; X-rays were taken."
        )
    if len(values) < count:
        raise ReadError(
            f"{source.name}: {count} points are announced and {len(values)} are there; it is cut off. Copy it again."
        )
    behind = values[count:]
    errors = behind if len(behind) == count and (behind >= 0).all() else None
    if errors is not None and not header:
        warnings.append(
            f"The {count} numbers behind the intensities were taken as their standard deviations."
        )
    elif errors is None and len(behind):
        warnings.append(f"{len(behind)} numbers behind the {count} points were left out.")
    name = "background" if title.casefold().startswith("background") else "intensity"
    positions = np.round(first + step * np.arange(count), 9)
    try:
        entry = Entry(
            name="scan",
            technique="neutron_diffraction" if neutrons else "xrd",
            axes=(Axis("two_theta", positions, "deg", "2θ"),),
            signals=(Signal(name, values[:count], None, ("two_theta",), name.capitalize(), errors),),
            title=title,
            conditions={"wavelength": Quantity(float(wavelength[1]), "angstrom")} if wavelength else {},
            original_metadata=tidy_metadata({"header": about.split("\n")} if header else {}),
            started=in_forms(date[1], ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"), warnings) if date else None,
        )
    except MeasurementError as e:
        raise ReadError(f"{source.name}: the parts do not fit together: {e}") from None
    return Measurement((entry,), title=title or source.path.stem, warnings=tuple(warnings))


def _numbers(lines: list[str], name: str) -> Any:
    try:
        return np.array(" ".join(lines).split(), dtype=float)
    except ValueError:
        at = next((line for line in lines if not all(map(is_float, line.split()))), "")
        raise ReadError(
            f"{name}: {clean_text(at.strip())[:60]!r} is no line of intensities; it is damaged."
        ) from None


READER = Reader(
    name="fullprof_dat",
    version="2",
    techniques=("xrd", "neutron_diffraction"),
    vendor="FullProf",
    format="Powder pattern in free format (INSTRM 0), D1A, LHPM",
    endings=(".dat", ".bac"),
    sniff=_sniff,
    read=_read,
    notes="2θ from first, step and last, perhaps after a header; standard deviations behind the intensities.",
)
