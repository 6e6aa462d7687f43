"""TA Instruments TAM Air and TAM: isothermal calorimetry exported as CSV or as a workbook, of all generations.

Facts: TAM Assistant writes perhaps a summary (``Summary``, ``Name,"…"`` …), a row of headings, and rows; units are in
none (s, °C, W, J, W/g, J/g), or, in workbooks, in the row below. Marks stand in ``Time markers``. The older software
writes tabs, a column ``Channel n`` in mW, and the units in the second row. The time may count from the reaction's
start, so that it begins below zero.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import (
    Array,
    cells_of,
    columns_of,
    head_lines,
    head_text,
    quantity,
    read_lines,
    rules,
    signals_of,
    unit_of,
)
from zairyo.readers._workbook import Workbook, column, mentions

_HEADINGS = re.compile(r'"?Time"?[,;\t].*"?(Normalized heat|Heat flow)\b.*"?Time markers"?')
_OLDER = re.compile(r'"?(Time|Zeit)"?[\t,;]"?(Channel|Kanal) \d+"?([\t,;]|\Z)')
_WATTS = re.compile(r"[\t,;]\s*\"?\[?[munµμ]?W\]?\"?\s*([\t,;]|\Z)")
_COLUMNS = rules(
    (r"time|zeit", "time"),
    (r"temperature( \[temperature\])?", "temperature"),
    (r"temperature \[.*\]", "ambient_temperature"),
    (r"heat flow( \[.*\])?|(channel|kanal) \d+", "heat_flow"),
    (r"heat( \[.*\])?", "heat"),
    (r"normalized heat flow( \[.*\])?", "specific_heat_flow"),
    (r"normalized heat( \[.*\])?", "specific_heat"),
    (r"time markers?", "time_marker"),
    (r"comments?", "comment"),
)
_USUAL = {
    "time": "s",
    "temperature": "degC",
    "ambient_temperature": "degC",
    "heat_flow": "W",
    "heat": "J",
    "specific_heat_flow": "W/g",
    "specific_heat": "J/g",
}
_SPELLINGS = {"Sekunden": "s", "Minuten": "min", "Stunden": "h"}
_STARTS = ("%Y %b %d - %H:%M", "%Y-%m-%d %H:%M:%S", "%Y %b %d - %I:%M %p")


def _sniff(source: RawInput) -> float:
    if mentions(source, "Normalized heat", "Time markers") or mentions(source, "Heat flow", "Time markers"):
        return LIKELY
    start = head_text(source, 200)
    if not any(word in start for word in ("Time markers", "Channel ", "Kanal ")):
        return NO
    lines = head_lines(source, 200)
    # "Time, Channel 1" heads any logger's table: what a calorimeter's channels hold are watts.
    older = any(_OLDER.match(x) and _WATTS.search(y) for x, y in pairwise(lines))
    return CERTAIN if older or any(map(_HEADINGS.match, lines)) else NO


def _read(source: RawInput) -> Measurement:
    warnings: list[str] = []
    if source.head.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        names, units, columns, summary, started = _from_workbook(source)
    else:
        names, units, columns, summary, started = _from_text(source, warnings)
    mass = _column_of_mass(names, columns)
    kept = [k for k, name in enumerate(names) if name and name != "sample_weight"]
    signals = signals_of(
        [names[k] for k in kept],
        [units[k] for k in kept],
        [columns[k] for k in kept],
        _COLUMNS,
        warnings,
        _SPELLINGS,
        _USUAL,
    )
    conditions = _conditions(summary, mass, warnings)
    if "sample_mass" not in conditions:
        signals = _without_untrue_masses(signals, warnings)
    by_name = {s.name for s in signals if s.values.dtype.kind == "f"}
    flow = next((n for n in ("specific_heat_flow", "heat_flow") if n in by_name), "")
    if "time" not in by_name or not flow:
        raise ReadError(f"{source.name} holds no numbers of time and heat flow; it is cut off or damaged.")
    channels = [m[1] for n in names if (m := re.match(r"(?:Channel|Kanal) (\d+)\Z", n))]
    if len(channels) == 1:
        conditions["channel"] = Quantity(int(channels[0]), "")
    entry = table(
        "data",
        "isothermal_calorimetry",
        signals,
        x="time",
        default=flow,
        conditions=conditions,
        started=started,
    )
    flat = [pair for section in summary.values() for pair in section]
    title = next((v for k, v in flat if k == "Name" and v), "")
    sample = next(
        (v for s, pairs in summary.items() if "Sample" in s for k, v in pairs if k == "Name" and v), ""
    )
    return Measurement(
        (entry,),
        title=sample or title or source.path.stem,
        sample=sample,
        operator=next((v for k, v in flat if k == "Operator" and v), ""),
        instrument="TA Instruments TAM Air",
        original_metadata=tidy_metadata({s: _nested(pairs) for s, pairs in summary.items() if pairs}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _without_untrue_masses(signals: list[Signal], warnings: list[str]) -> list[Signal]:
    """Without what is "per gram" of no mass: the program divides by one where nobody entered any."""
    values = {s.name: s.values for s in signals}
    left = set()
    for name in ("heat_flow", "heat"):
        own, per_mass = values.get(name), values.get(f"specific_{name}")
        if own is not None and per_mass is not None and np.array_equal(own, per_mass, equal_nan=True):
            left.add(f"specific_{name}")
    if left:
        warnings.append("No mass was entered: what the file calls normalized is not, and is left out.")
    return [s for s in signals if s.name not in left]


_Parts = tuple[list[str], list[str | None], list[Array], dict[str, list[tuple[str, str]]], datetime | None]


def _nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        before = found.get(key)
        found[key] = (
            value if before is None else [*before, value] if isinstance(before, list) else [before, value]
        )
    return found


# --- text ---------------------------------------------------------------------------------------------------------


def _from_text(source: RawInput, warnings: list[str]) -> _Parts:
    lines = read_lines(source)
    at = next((i for i, x in enumerate(lines[:1000]) if _HEADINGS.match(x) or _OLDER.match(x)), None)
    if at is None:
        raise ReadError(f"{source.name} ends before its headings; it is cut off. Copy it again.")
    delimiter = next(d for d in "\t;," if d in lines[at])
    names = cells_of(lines[at], delimiter)
    end = next(
        (i for i, x in enumerate(lines[at + 1 :], at + 1) if x[:1] in '"D' and "data series" in x.lower()),
        len(lines),
    )
    begin = at + 1
    units: list[str | None] = [None] * len(names)
    first = cells_of(lines[begin], delimiter) if begin < len(lines) else []
    if first and re.fullmatch(
        r"\[?(s|sec|seconds|sekunden|min|minutes|minuten|h|hours|stunden)\]?", first[0], re.IGNORECASE
    ):
        units = [u or None for u in (first + [""] * len(names))[: len(names)]]
        begin += 1
    rows = [x for x in lines[begin:end] if x[:1].isdigit() or x.strip(" \t,;")]
    if not rows:
        raise ReadError(f"{source.name} holds no rows; it is cut off, or nothing was measured.")
    if end == len(lines) and lines[-1].strip() and len(cells_of(lines[-1], delimiter)) < len(names):
        raise ReadError(
            f"line {len(lines)} of {source.name} is half a row; the file is cut off there. Copy it again."
        )
    columns = columns_of(rows, delimiter, len(names), warnings, line=begin + 1)
    summary = _summary([cells_of(x, delimiter) for x in [*lines[:at], *lines[end:]] if x.strip()])
    started = next((in_forms(v, _STARTS) for k, v in summary.get("Summary", []) if k == "Start time"), None)
    return names, units, columns, summary, started


def _summary(rows: Sequence[Sequence[Any]]) -> dict[str, list[tuple[str, str]]]:
    """Keys and values by the heading they stand under."""
    found: dict[str, list[tuple[str, str]]] = {}
    section = "Summary"
    for row in rows:
        cells = [clean_text(str(c).strip().strip('"')) for c in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if len(cells) == 1 or not cells[0]:
            section = " ".join(c for c in cells if c)
            found.setdefault(section, [])
        else:
            found.setdefault(section, []).append((cells[0], ", ".join(cells[1:])))
    return {k: v for k, v in found.items() if k or v}


# --- workbooks ----------------------------------------------------------------------------------------------------


def _from_workbook(source: RawInput) -> _Parts:
    book = Workbook(source)
    name = next((n for n in book.names if n.lower() == "raw data"), book.names[-1] if book.names else "")
    rows = book.rows(name) if name else []
    if len(rows) < 3:
        raise ReadError(f"{source.name} has no sheet of raw data with rows in it; export it again.")
    started = rows[0][0] if isinstance(rows[0][0], datetime) else None
    names = ["Time", *(str(c).strip() for c in rows[0][1:])]
    units = [str(c).strip() or None for c in rows[1]]
    columns = [column([row[k] for row in rows[2:]]) for k in range(len(names))]
    kept = [k for k, c in enumerate(columns) if c is not None and names[k]]
    summary = _summary([row for n in book.names if n != name for row in book.rows(n)])
    arrays = [c for c in columns if c is not None]
    values = [arrays[i] for i, k in enumerate(k for k, c in enumerate(columns) if c is not None) if k in kept]
    return [names[k] for k in kept], [units[k] for k in kept], values, summary, started


# --- conditions ---------------------------------------------------------------------------------------------------


def _column_of_mass(names: list[str], columns: list[Array]) -> float | None:
    """The mass that users put in a column of its own, of which they fill one cell."""
    if "sample_weight" not in names:
        return None
    values = columns[names.index("sample_weight")]
    there = values[np.isfinite(values)] if values.dtype.kind == "f" else values[:0]
    return float(there[0]) if len(there) else None


def _conditions(
    summary: dict[str, list[tuple[str, str]]], mass: float | None, warnings: list[str]
) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    flat = [pair for section in summary.values() for pair in section]
    # Heat per mass is per mass of the component; the total has water and container.
    for name, keys in (
        ("sample_mass", ("Mass", "Sample mass", "Total mass")),
        ("temperature", ("Bath temperature",)),
    ):
        for key in keys:
            text = next((v for k, v in flat if k == key and v), "")
            value = quantity(text)
            if value is not None and name not in found:
                found[name] = Quantity(value[0], unit_of(value[1], warnings) or None)
    if mass is not None and "sample_mass" not in found:
        found["sample_mass"] = Quantity(mass, None)
    return found


READER = Reader(
    name="ta_tam_air",
    version="2",
    techniques=("isothermal_calorimetry",),
    vendor="TA Instruments",
    format="TAM Air export",
    endings=(".csv", ".xls", ".xlsx"),
    sniff=_sniff,
    read=_read,
    notes="CSV with or without its summary, workbooks, and tab-separated files of the older software; markers and"
    " comments are columns.",
)
