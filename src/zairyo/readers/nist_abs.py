"""NIST's reduced SANS and USANS text (``.ABS``, ``.AVE``, ``.cor``, ``.DAT``), as the NCNR Igor macros write it.

Lines of words, of which some announce the numbers of the next line (``MON CNT LAMBDA …``), then four or six
columns: q, I(q), its standard deviation, the resolution σ(q), the mean q, the beam stop's shadow factor. A
negative resolution is the slit's length of a smeared USANS measurement. Two-dimensional files have the columns
that they name in a line ``Data columns are Qx - Qy - I(Qx,Qy) …``, or are a detector's counts, pixel by pixel, of
which a line says how many there are (``PIXELS(X) PIXELS(Y) …``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    MeasurementError,
    Quantity,
    Signal,
    table,
    tidy_metadata,
)
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._scattering import Column, Floats, curve, measurement
from zairyo.readers._tokens import amount, word

_MOST_BYTES = 512 * 1024**2
_COLUMNS = re.compile(rb"^The \d columns are\s*\|", re.M)
_PLANE = re.compile(rb"^Data columns\s+(?:are\s+)?Qx - Qy - I\(Qx,Qy\)", re.M)
_MACROS = re.compile(rb"^LABEL:.*\r?\n(?:.*\r?\n)?MON CNT\s+LAMBDA", re.M)
_MARKS = ((b" columns are", _COLUMNS), (b"Data columns", _PLANE), (b"MON CNT", _MACROS))
_KEYED = re.compile(r"(FILE|CREATED|LABEL|SAM|BGD|EMP|DIV|MASK|ABS Parameters \(3-6\)|Average Choices):")
_TIMES = ("%a, %d %b %Y %I:%M:%S %p", "%d-%b-%Y %H:%M:%S", "%a, %b %d, %Y %I:%M:%S %p")
#: Names in a line of names → condition and unit.
_ANNOUNCED = {
    "MON CNT": ("monitor_count", "counts"),
    "LAMBDA": ("wavelength", "angstrom"),
    "DET ANG": ("detector_angle", "deg"),
    "DET_OFF": ("detector_offset", "cm"),
    "DET DIST": ("sample_detector_distance", "m"),
    "DET_DIST": ("sample_detector_distance", "m"),
    "TRANS": ("transmission", ""),
    "THICK": ("sample_thickness", "cm"),
    "A1(mm)": ("source_aperture", "mm"),
    "A2(mm)": ("sample_aperture", "mm"),
    "A1A2DIST(m)": ("aperture_distance", "m"),
    "DL/L": ("wavelength_spread", ""),
    "BSTOP(mm)": ("beam_stop", "mm"),
    "DET_TYP": ("detector", None),
}
_PLANE_NAMES = {
    "Qx": "qx",
    "Qy": "qy",
    "I(Qx,Qy)": "intensity",
    "err(I)": "intensity_error",
    "Qz": "qz",
    "SigmaQx": "qx_resolution",
    "SigmaQy": "qy_resolution",
    "fSubS(beam stop shadow)": "shadow_factor",
}


def sniff(src: RawInput) -> float:
    head = src.text_head[:8192]
    return CERTAIN if any(word in head and p.search(head) for word, p in _MARKS) else NO


def read(src: RawInput) -> Measurement:
    text = decode_legacy(src.read_bytes(_MOST_BYTES))
    warnings: list[str] = []
    lines = text.splitlines()
    counted = next((i for i, line in enumerate(lines) if line.startswith("Data is written by row")), None)
    if counted is not None:
        return _counts(lines, counted, warnings)
    header, rows = _split(lines, warnings)
    told, metadata = _header(header)
    plane = next((line for line in header if line.startswith("Data columns")), "")
    label = str(metadata.get("LABEL") or (header[0] if header and not metadata else "")).strip()
    made = _pattern(plane, rows, told, metadata, label, warnings) if plane else None
    entry = made or _curve(rows, told, metadata, label, warnings)
    entry = replace(entry, started=_created(str(metadata.get("CREATED", ""))))
    return measurement([entry], warnings, title=label, sample=label if "LABEL" in metadata else "")


def _counts(lines: list[str], marked: int, warnings: list[str]) -> Measurement:
    """A detector's picture: counts by row, from the first pixel."""
    numeric = [_numbers(line) for line in lines[marked:]]
    first = marked + next((i for i, row in enumerate(numeric) if row), len(numeric))
    numeric, behind = numeric[first - marked :], lines[first:]
    told, metadata = _header(lines[:first])
    size = next((lines[i + 1].split() for i in range(first - 1) if lines[i].startswith("PIXELS(X)")), [])
    if len(size) < 2 or not all(word.isdecimal() and 0 < int(word[:6]) <= 65536 for word in size[:2]):
        raise ReadError("the header does not say how many pixels the detector has; the file is damaged")
    columns, rows = int(size[0]), int(size[1])
    values = [value for row in numeric for value in row]
    if len(values) < columns * rows:
        raise ReadError(
            f"{columns} × {rows} counts are announced, and {len(values)} are there; the file is cut off. Copy it again."
        )
    odd = any(line.strip() and not row for line, row in zip(behind, numeric, strict=True))
    if odd or len(values) > columns * rows:
        raise ReadError(f"there is more than {columns} × {rows} counts after the header; the file is damaged")
    label = str(metadata.get("LABEL", "")).strip()
    sides = (Axis("y", np.arange(1, rows + 1), "pixel"), Axis("x", np.arange(1, columns + 1), "pixel"))
    counts = Signal("intensity", np.array(values).reshape(rows, columns), "counts", ("y", "x"), "Intensity")
    try:
        entry = Entry(
            "data", "sans", sides, (counts,), title=label,
            conditions={k: q for k, q in told.items() if q is not None} | {"radiation": Quantity("neutron")},
            original_metadata=tidy_metadata(metadata), started=_created(str(metadata.get("CREATED", ""))),
        )  # fmt: skip
    except MeasurementError as e:
        raise ReadError(f"the parts do not fit together: {e}") from None
    return measurement([entry], warnings, title=label, sample=label)


def _split(lines: list[str], warnings: list[str]) -> tuple[list[str], Floats]:
    """The header's lines, and the numbers as rows of one width."""
    numeric = [_numbers(line) for line in lines]
    last = next((i for i in range(len(numeric) - 1, -1, -1) if numeric[i]), None)
    if last is None:
        raise ReadError("no columns of numbers follow the header; the file is cut off. Copy it again.")
    first = last
    while first and (numeric[first - 1] or not lines[first - 1].strip()):
        first -= 1
    table_rows = [(i, row) for i, row in enumerate(numeric[first:], first) if row]
    width = len(table_rows[0][1])
    odd = next((i for i, row in table_rows if len(row) != width), None)
    if width < 3 or odd is not None:
        at = first if odd is None else odd
        raise ReadError(
            f"line {at + 1} should have {max(width, 3)} numbers: {lines[at][:60]!r}; the file is damaged or cut off"
        )
    if any(line.strip() for line in lines[last + 1 :]):
        warnings.append("The lines behind the numbers are not numbers and were left out.")
    return lines[:first], np.array([row for _, row in table_rows])


def _numbers(line: str) -> list[float]:
    try:
        return [float(token) for token in line.split()]
    except ValueError:
        return []


def _header(lines: list[str]) -> tuple[dict[str, Quantity | None], dict[str, Any]]:
    """Conditions that the header announces, and all of it verbatim."""
    told: dict[str, Quantity | None] = {}
    metadata: dict[str, Any] = {}
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        places = [(m.start(), m.end(), m[1]) for m in _KEYED.finditer(line)]
        ends = [*(start for start, _, _ in places[1:]), len(line)]
        for (_, begin, key), end in zip(places, ends, strict=False):
            metadata[key] = line[begin:end].strip()
        names = re.split(r"\s{2,}|\t", line.strip())
        if line.lstrip().startswith(("MON CNT", "BCENT")):
            told |= _announced(names, following)
            metadata[" ".join(line.split())] = " ".join(following.split())
        elif not places and line.strip():
            metadata.setdefault("remarks", []).append(line.strip())
    return told, metadata


def _announced(names: Sequence[str], line: str) -> dict[str, Quantity | None]:
    tokens = line.split()
    told: dict[str, Quantity | None] = {}
    if names and names[0] == "BCENT(X,Y)" and len(tokens) > 2:
        told["beam_center_x"], told["beam_center_y"] = amount(tokens[0], "pixel"), amount(tokens[1], "pixel")
        tokens = tokens[1:]
    for name, token in zip(names, tokens, strict=False):
        known = _ANNOUNCED.get(name) or _ANNOUNCED.get(name.split("(")[0].strip())
        if known:
            condition, unit = known
            # the thickness has the word for "centred" written against it
            told[condition] = amount(re.sub(r"[A-Z]\Z", "", token), unit) if unit is not None else word(token)
    return told


def _curve(
    rows: Floats, told: dict[str, Quantity | None], metadata: dict[str, Any], label: str, warnings: list[str]
) -> Entry:
    q, intensity, deviation, *rest = rows.T
    columns = [Column("intensity", intensity, "1/cm")]
    if rest:
        smeared = rest[0] < 0
        if smeared.all():
            columns.append(Column("slit_length", -rest[0], "1/angstrom"))
            told = told | {"slit_length": Quantity(float(-rest[0][0]), "1/angstrom")}
        else:
            columns.append(Column("q_resolution", rest[0], "1/angstrom"))
    for name, unit, column in zip(("q_mean", "shadow_factor"), ("1/angstrom", ""), rest[1:], strict=False):
        columns.append(Column(name, column, unit))
    columns += [Column(f"column_{i}", column) for i, column in enumerate(rest[3:], 7)]
    return curve(
        "data",
        "sans",
        Column("q", q, "1/angstrom"),
        columns,
        deviation,
        conditions=told | {"radiation": Quantity("neutron")},
        metadata=metadata,
        warnings=warnings,
        title=label,
    )


def _pattern(
    line: str,
    rows: Floats,
    told: dict[str, Quantity | None],
    metadata: dict[str, Any],
    label: str,
    warnings: list[str],
) -> Entry:
    """Columns over qx and qy: a grid if they are one, else a table."""
    stated = [n.strip() for n in re.sub(r"^Data columns\s+(are\s+)?", "", line).split(" - ")]
    names = [_PLANE_NAMES.get(n, "") or f"column_{i}" for i, n in enumerate(stated, 1)]
    names += [f"column_{i + 1}" for i in range(len(names), rows.shape[1])]
    units = {"intensity": "1/cm", "intensity_error": "1/cm", "shadow_factor": ""}
    values = dict(zip(names, rows.T, strict=False))
    errors = values.pop("intensity_error", None)
    about: dict[str, Any] = {
        "title": label,
        "conditions": {k: q for k, q in told.items() if q is not None} | {"radiation": Quantity("neutron")},
        "original_metadata": tidy_metadata(metadata),
    }
    return _plane_entry(values, errors, units, about, warnings)


def _plane_entry(
    values: dict[str, Floats],
    errors: Floats | None,
    units: dict[str, str],
    about: dict[str, Any],
    warnings: list[str],
) -> Entry:
    """Over a grid of qy and qx; over the detector's pixels where its qx and qy are curved; else a table."""

    def signals(names: list[str], order: Any, over: tuple[str, ...]) -> list[Signal]:
        made = []
        for name in names:
            uncertainty = errors[order] if name == "intensity" and errors is not None else None
            unit = units.get(name, "1/angstrom")
            made.append(Signal(name, values[name][order], unit, over, "", uncertainty))
        return made

    qx, qy = values["qx"], values["qy"]
    ordered = sorted(values, key=lambda n: n != "intensity")
    inner = [n for n in ordered if n not in ("qx", "qy")]
    columns, lines = np.unique(qx), np.unique(qy)
    try:
        if len(columns) * len(lines) == len(qx) and len(lines) > 1:
            order = np.lexsort((qx, qy)).reshape(len(lines), len(columns))
            if np.array_equal(qx[order], np.broadcast_to(columns, order.shape)):
                axes = (Axis("qy", lines, "1/angstrom", "qy"), Axis("qx", columns, "1/angstrom", "qx"))
                return Entry("data", "sans", axes, tuple(signals(inner, order, ("qy", "qx"))), **about)
        pixels = _pixels(qx, qy)
        if pixels is not None:
            side = len(pixels)
            axes = (Axis("y", np.arange(side), "pixel"), Axis("x", np.arange(side), "pixel"))
            return Entry("data", "sans", axes, tuple(signals(ordered, pixels, ("y", "x"))), **about)
        warnings.append("The points fill no grid of qx and qy; they are kept as a table.")
        cells = signals(ordered, slice(None), ("row",))
        return table("data", "sans", cells, x="qx", default="intensity", **about)
    except MeasurementError as e:
        raise ReadError(f"the columns do not fit together: {e}") from None


def _pixels(qx: Floats, qy: Floats) -> Any:
    """Indices of a square detector's pixels (rows along y), if the points are all of them in one order."""
    side = math.isqrt(len(qx))
    if side < 2 or side * side != len(qx):
        return None
    order = np.arange(len(qx)).reshape(side, side)
    for indices in (order, order.T):
        if np.all(np.diff(qx[indices], axis=1) > 0) and np.all(np.diff(qy[indices], axis=0) > 0):
            return indices
    return None


def _created(text: str) -> datetime | None:
    return in_forms(" ".join(text.split()), _TIMES)


READER = Reader(
    name="nist_abs",
    version="1",
    techniques=("sans",),
    vendor="NIST NCNR",
    format="SANS/USANS reduced text",
    endings=(".abs", ".ave", ".cor", ".dat", ".asc"),
    sniff=sniff,
    read=read,
    notes="One-dimensional files with four or six columns, two-dimensional ones, and counts of a detector. "
    "Units are those of the NCNR macros: 1/Å and 1/cm.",
)
