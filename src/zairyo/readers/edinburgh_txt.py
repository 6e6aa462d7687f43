"""Edinburgh Instruments F980 and Fluoracle text: spectra and decays of FLS, FS5 and LifeSpec.

Facts: lines of a key and a value for each curve between tabs, commas or semicolons (``Labels``, ``Type``, ``Start``,
``Stop``, ``Step``, ``Fixed/Offset``, ``Xaxis``, ``Yaxis`` …), a blank line, then rows: place, a value for each curve.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._text_export import (
    cells_of,
    columns_of,
    decimal_of,
    head_lines,
    number,
    read_lines,
    split_name,
    unit_of,
)

_MOST_HEADER = 400
_START = re.compile(r'"?(?:Labels|Type)"?(?P<delimiter>[\t,;])')
#: ``Type`` says which monochromator moved; the other one stands at ``Fixed/Offset``.
_TYPES = re.compile(
    r"(?P<kind>Emission|Excitation|Synchronous|Time|Kinetic|Reflectance|Transmittance) Scan", re.I
)
_FIXED = {"emission": "excitation_wavelength", "excitation": "emission_wavelength"}
_Y = (
    (re.compile(r"counts?\s*/\s*s(ec)?|cps", re.I), "intensity", "count/s"),
    (re.compile(r"counts?", re.I), "intensity", "counts"),
    (re.compile(r"absorbance", re.I), "absorbance", ""),
    (re.compile(r"transmittance|transmission", re.I), "transmittance", None),
    (re.compile(r"reflectance", re.I), "reflectance", None),
)
_SPELLINGS = {"%": "percent", "us": "us", "µs": "us", "sec": "s", "cm-1": "1/cm"}


class _Curve(NamedTuple):
    """What the header says of one curve."""

    said: dict[str, str]

    def value(self, *keys: str) -> str:
        return next((v for k, v in self.said.items() if k.casefold() in keys and v), "")


def _sniff(source: RawInput) -> float:
    lines = head_lines(source, 60)
    at = next((k for k, line in enumerate(lines) if _START.match(line)), None)
    if at is None:
        return NO
    words = {re.split(r"[\t,;]", line, maxsplit=1)[0].strip(' "').casefold() for line in lines[at:]}
    if "type" not in words or not any(_TYPES.search(line) for line in lines[at : at + 3]):
        return NO
    if words >= {"labels", "xaxis", "yaxis"} or "fixed/offset" in words:
        return CERTAIN
    return LIKELY if words >= {"start", "stop", "step"} else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    at = next((k for k, line in enumerate(lines[:_MOST_HEADER]) if _START.match(line)), None)
    first = _START.match(lines[at]) if at is not None else None
    if at is None or first is None:
        raise ReadError(f"{source.name} has no line of labels; it is cut off. Copy it again.")
    delimiter = first["delimiter"]
    start = _first_row(lines, at, delimiter)
    if start is None:
        raise ReadError(f"{source.name} ends before its first point; it is cut off, or nothing was measured.")
    end = start
    while end < len(lines) and lines[end].strip(f' "{delimiter}'):
        end += 1
    rows = lines[start:end]
    header = [cells_of(line, delimiter) for line in lines[at:start] if line.strip(f" {delimiter}")]
    curves = _curves(header, delimiter, rows)
    _check_whole(source, lines, end, delimiter, len(curves))
    warnings: list[str] = []
    columns = columns_of(
        rows, delimiter, len(curves) + 1, warnings, line=start + 1, decimal=decimal_of(rows, delimiter)
    )
    if any(column.dtype.kind != "f" for column in columns):
        raise ReadError(f"{source.name} has words among its numbers; it is damaged.")
    entries = []
    for k, (curve, values) in enumerate(zip(curves, columns[1:], strict=True), 1):
        there = np.isfinite(columns[0]) & np.isfinite(values)
        if there.any():
            name = "curve" if len(curves) == 1 else f"curve_{k}"
            entries.append(_entry(name, curve, columns[0][there], values[there], warnings))
    if not entries:
        raise ReadError(f"{source.name} holds no point; nothing was measured, or it is cut off.")
    title = curves[0].value("labels")
    return Measurement(
        tuple(entries),
        title=clean_text(title) or source.path.stem,
        instrument="Edinburgh Instruments spectrometer",
        original_metadata=tidy_metadata({"lines before": [x for x in lines[:at] if x.strip()]} if at else {}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _first_row(lines: list[str], at: int, delimiter: str) -> int | None:
    """The first of rows of numbers only: the header's rows begin with a word."""
    for k in range(at, min(len(lines), at + _MOST_HEADER)):
        cells = [c for c in cells_of(lines[k], delimiter) if c]
        if len(cells) > 1 and all(number(c) is not None for c in cells):
            return k
    return None


def _curves(header: list[list[str]], delimiter: str, rows: list[str]) -> list[_Curve]:
    """As many as the rows have values, a delimiter at the end not counted."""
    count = max(len([c for c in cells_of(row, delimiter)[1:] if c]) for row in rows[:50])
    width = max((len(_trimmed(cells)) for cells in header), default=2) - 1
    count = max(count, min(width, len(cells_of(rows[0], delimiter)) - 1))
    curves = [_Curve({}) for _ in range(max(count, 1))]
    for cells in header:
        for k, curve in enumerate(curves, 1):
            if cells[0] and len(cells) > k and cells[k]:
                curve.said.setdefault(clean_text(cells[0])[:80], clean_text(cells[k]))
    return curves


def _trimmed(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def _check_whole(source: RawInput, lines: list[str], end: int, delimiter: str, curves: int) -> None:
    """Refuse a file whose last row, without the end of its line, has fewer cells than the others."""
    if end == len(lines) and lines[end - 1].count(delimiter) < curves:
        raise ReadError(f"{source.name} ends within line {end}; it is cut off. Copy it again.")


def _entry(
    name: str, curve: _Curve, x: NDArray[np.float64], y: NDArray[np.float64], warnings: list[str]
) -> Entry:
    found = _TYPES.search(curve.value("type"))
    kind = found["kind"].lower() if found else ""
    title, stated = split_name(curve.value("xaxis", "x axis"))
    is_time = kind in ("time", "kinetic") or title.casefold().startswith("time")
    if is_time:
        axis = Axis("time", x, unit_of(stated, warnings, _SPELLINGS), title or "Time")
    elif title.casefold().startswith("wavenumber"):
        axis = Axis("wavenumber", x, unit_of(stated or "1/cm", warnings, _SPELLINGS), title)
    elif title.casefold().startswith("temperature"):
        axis = Axis("temperature", x, unit_of(stated, warnings, _SPELLINGS), title)
    else:
        axis = Axis("wavelength", x, unit_of(stated or "nm", warnings, _SPELLINGS), title or "Wavelength")
    label = curve.value("yaxis", "y axis")
    signal, unit = next(((n, u) for p, n, u in _Y if p.search(label)), ("intensity", None))
    conditions = {}
    fixed = number(curve.value("fixed/offset"))
    if kind in _FIXED and fixed:
        conditions[_FIXED[kind]] = Quantity(fixed, "nm")
    return Entry(
        name,
        "fluorescence" if signal == "intensity" else "uv_vis",
        (axis,),
        (Signal(signal, y, unit, (axis.name,), label or "Intensity"),),
        signal,
        title=curve.value("labels") or curve.value("type"),
        conditions=conditions,
        original_metadata=tidy_metadata(curve.said),
    )


READER = Reader(
    name="edinburgh_txt",
    version="1",
    techniques=("fluorescence", "uv_vis"),
    vendor="Edinburgh Instruments",
    format="F980 and Fluoracle text",
    endings=(".txt", ".csv"),
    sniff=_sniff,
    read=_read,
    notes="From public descriptions of the format. Each curve is an entry; maps as the curves they are exported as.",
)
