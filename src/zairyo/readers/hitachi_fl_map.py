"""Hitachi FL Solutions text of a 3-D scan: fluorescence over excitation and emission (F-2700, F-4500, F-7000 …).

Facts: keys and values between tabs under headings (``Instrument``, ``Instrument Parameters``), the line ``Data
Points``, a row that begins with a blank cell and has the excitations, then a row an emission. ``9999.9`` is a detector
that was overloaded. Spectra and time scans of the same program are ``hitachi_fl_txt``.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers import _day_or_month
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._text_export import (
    cells_of,
    columns_of,
    decimal_of,
    head_lines,
    number,
    quantity,
    read_lines,
)

_WITHIN = 200
_MODEL = re.compile(r"Model:\t.*\bF-\d{4}")
_POINTS = re.compile(r"Data [Pp]oints\s*\Z")
_MAP = re.compile(r"\t\s*[\d.,]+(\t|\Z)")
_OVERLOAD = 9999.9
#: Key → condition, unit of a bare number.
_CONDITIONS = {
    "Scan speed": ("scan_speed", "nm/min"),
    "Response": ("response_time", "s"),
    "Measurement type": ("scan_mode", None),
    "Serial Number": ("instrument_serial", None),
}


def _sniff(source: RawInput) -> float:
    if b"Model:\t" not in source.text_head:
        return NO
    lines = head_lines(source, _WITHIN)
    at = _first_row(list(lines))
    return CERTAIN if at and any(_MODEL.match(x) for x in lines) else NO


def _first_row(lines: list[str]) -> int | None:
    """The index of the row of excitations."""
    for at, line in enumerate(lines[:_WITHIN]):
        if _POINTS.match(line):
            return at + 1 if at + 1 < len(lines) and _MAP.match(lines[at + 1]) else None
    return None


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    at = _first_row(lines)
    if at is None:
        raise ReadError(f"{source.name} ends before its points; it is cut off. Copy it again.")
    header: dict[str, str] = {}
    loose: list[str] = []
    for line in lines[: at - 1]:
        key, colon, value = line.partition(":\t")
        if colon:
            header[" ".join(key.split())] = value.strip()
        elif line.strip():
            loose.append(line.strip())
    excitations = [number(c) for c in cells_of(lines[at].rstrip(), "\t")[1:]]
    rows = [line.rstrip() for line in lines[at + 1 :] if line.strip()]
    if not rows or None in excitations:
        raise ReadError(f"{source.name} holds no points; it is cut off, or nothing was measured.")
    if rows[-1].count("\t") < len(excitations):
        raise ReadError(f"{source.name} ends within its last row; it is cut off. Copy it again.")
    warnings: list[str] = []
    columns = columns_of(
        rows, "\t", len(excitations) + 1, warnings, line=at + 2, decimal=decimal_of(rows, "\t")
    )
    if any(c.dtype.kind != "f" for c in columns):
        raise ReadError(f"{source.name} has words among its points; it is damaged.")
    values = np.stack(columns[1:])
    _check_whole(source, header, columns[0])
    if over := int((values >= _OVERLOAD).sum()):
        warnings.append(f"{over} values are {_OVERLOAD}: there the detector was overloaded.")
    entry = Entry(
        "map",
        "fluorescence",
        axes=(
            Axis("excitation_wavelength", np.array(excitations, float), "nm"),
            Axis("emission_wavelength", columns[0], "nm"),
        ),
        signals=(Signal("intensity", values, None, ("excitation_wavelength", "emission_wavelength")),),
        conditions=_conditions(header),
        started=_day_or_month.moment(header.get("Run Date", ""), (), warnings),
    )
    sample = clean_text(header.get("Sample", "").strip("'"))
    return Measurement(
        (entry,),
        title=sample or source.path.stem,
        sample=sample,
        instrument=f"Hitachi {clean_text(header.get('Model', ''))}".strip(),
        operator=clean_text(header.get("Operator", "")),
        original_metadata=tidy_metadata({"header": header, "lines": loose}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _check_whole(source: RawInput, header: dict[str, str], emissions: np.ndarray) -> None:
    """Refuse a file whose rows stop before the end that its header states."""
    end, step = (quantity(header.get(f"EM {key}", "")) for key in ("End WL", "Sampling Interval"))
    if end and step and abs(end[0] - emissions[-1]) > 1.5 * step[0]:
        raise ReadError(
            f"{source.name} ends at {emissions[-1]:g} nm, and its header says {end[0]:g} nm; it is cut off."
        )


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, (name, unit) in _CONDITIONS.items():
        text = header.get(key, "")
        value = quantity(text) if unit else None
        if value is not None:
            found[name] = Quantity(value[0], value[1] or unit)
        elif text and unit is None:
            found[name] = Quantity(clean_text(text))
    return found


READER = Reader(
    name="hitachi_fl_map",
    version="1",
    techniques=("fluorescence",),
    vendor="Hitachi",
    format="FL Solutions text, 3-D scan",
    endings=(".txt",),
    sniff=_sniff,
    read=_read,
    notes="Fluorescence over excitation and emission. Values where the detector was overloaded are told.",
)
