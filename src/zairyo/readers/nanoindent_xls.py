"""Indentation workbooks of MTS, Agilent, Keysight and KLA (NanoSuite, TestWorks, InView): a sheet a test.

Facts: sheets ``Test 001`` … hold a row of names, a row of units, the points, and ``END``; the first cell of a segment's
first point names the segment; the greatest double stands for "no value". ``Results`` and ``… Inputs`` hold a row a
test.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, Signal, table, tidy_metadata
from zairyo.readers._api import LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._indentation import COLUMNS
from zairyo.readers._text_export import rules, signals_of, unit_of
from zairyo.readers._workbook import Row, Workbook, column, mentions

_MARKS = (
    "Displacement Into Surface",
    "Load On Sample",
    "Force On Surface",
    "Time On Sample",
    "Time in Contact",
)
#: What Nanomechanics' instruments (iNano, iMicro) call the same channels.
_CAPITALS = ("Required Inputs", "DEPTH", "LOAD", "TIME")
#: A plain ``Force`` is the machine's, ``Time`` the clock's, where a sheet has the contact's own beside it.
_OF_CONTACT = (
    ({"Load On Sample", "Force On Surface"}, rules(("force|load", "raw_force"))),
    ({"Time On Sample", "Time in Contact"}, rules(("time", "test_time"))),
)
_TEST = re.compile(r"Test\s*0*(\d{1,6})\b(?!.*(Tagged|Inputs))")
_NOTHING = 1e300
#: Heading in the sheets of inputs and results → condition.
_CONDITIONS = {
    "Poissons Ratio": "poisson_ratio",
    "Surface Approach Velocity": "surface_approach_velocity",
    "Depth Limit": "depth_limit",
    "Maximum Load": "maximum_force",
    "Strain Rate Target": "strain_rate",
    "Harmonic Displacement Target": "oscillation_amplitude",
    "Frequency Target": "oscillation_frequency",
    "Peak Hold Time": "hold_time",
    "Frame Stiffness Correction": "frame_stiffness",
    "X Test Position": "position_x",
    "Y Test Position": "position_y",
    "Tip Name": "tip",
    "Drift Correction": "drift_rate",
    "Temperature": "temperature",
    "E Average Over Defined Range": "youngs_modulus",
    "Modulus From Unload": "youngs_modulus",
    "H Average Over Defined Range": "hardness",
    "Hardness From Unload": "hardness",
}


def _sniff(source: RawInput) -> float:
    if not mentions(source, "Test "):
        return NO
    return LIKELY if any(mentions(source, mark) for mark in _MARKS) or mentions(source, *_CAPITALS) else NO


def _read(source: RawInput) -> Measurement:
    book = Workbook(source)
    warnings: list[str] = []
    sheets = [(int(m[1]), name) for name in book.names if (m := _TEST.match(name))]
    others = {n: book.rows(n) for n in book.names if n not in {name for _, name in sheets}}
    tables = {n: _by_test(rows) for n, rows in others.items() if rows and str(rows[0][0]).strip() == "Test"}
    entries, empty = [], []
    for number, name in sorted(sheets):
        entry = _entry(number, book.rows(name), tables, warnings)
        if entry is None:
            empty.append(name)
        else:
            entries.append(entry)
    if not entries:
        raise ReadError(f"{source.name} has no sheet with the points of a test; export it with its channels.")
    if empty:
        warnings.append(f"{len(empty)} sheets of tests hold no points ({empty[0]} …) and are left out.")
    summary = {n: {k: v for k, v in rows.items() if not k.isdigit()} for n, (rows, _) in tables.items()}
    loose = {n: rows for n, rows in others.items() if n not in tables and rows}
    metadata: dict[str, Any] = {**{k: v for k, v in summary.items() if v}, **loose}
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        original_metadata=tidy_metadata(metadata),
        warnings=tuple(dict.fromkeys(warnings)),
    )


_Table = tuple[dict[str, dict[str, Any]], dict[str, str]]


def _by_test(rows: list[Row]) -> _Table:
    """What a sheet says of each test (key: its number, or ``Mean`` …), and the units of its columns."""
    names = [str(c).strip() for c in rows[0]]
    units = dict(zip(names, (str(c).strip() for c in rows[1]), strict=False)) if len(rows) > 1 else {}
    found: dict[str, dict[str, Any]] = {}
    for row in rows[2:]:
        key = str(int(row[0]) if isinstance(row[0], float) else row[0]).strip()
        if key:
            found[key] = {n: c for n, c in zip(names[1:], row[1:], strict=True) if n and c != ""}
    return found, units


def _entry(number: int, rows: list[Row], tables: dict[str, _Table], warnings: list[str]) -> Entry | None:
    if len(rows) < 3:
        return None
    names = [str(c).strip() for c in rows[0]]
    units = [str(c).strip() for c in rows[1]]
    points = [row for row in rows[2:] if str(row[0]).strip() != "END" and any(c != "" for c in row[1:])]
    kept = [
        (n, u, column([row[k] for row in points]))
        for k, (n, u) in enumerate(zip(names, units, strict=True))
        if n
    ]
    numeric = [
        (n, u, np.where(np.abs(c) < _NOTHING, c, np.nan))
        for n, u, c in kept
        if c is not None and c.dtype.kind == "f"
    ]
    raw = [rule for own, found in _OF_CONTACT if own & set(names) for rule in found]
    signals = signals_of(
        [n for n, _, _ in numeric],
        [u for _, u, _ in numeric],
        [c for _, _, c in numeric],
        [*raw, *COLUMNS],
        warnings,
    )
    by_name = {s.name for s in signals}
    if not points or len(by_name) < 2:
        return None
    if "Segment" in names:
        signals.insert(0, Signal("segment", _segments([row[names.index("Segment")] for row in points])))
    x = "depth" if "depth" in by_name else next(s.name for s in signals if s.values.dtype.kind == "f")
    default = "force" if "force" in by_name else next(n for n in sorted(by_name) if n != x)
    own = {sheet: found[str(number)] for sheet, (found, _) in tables.items() if str(number) in found}
    return table(
        f"test_{number:03}",
        "nanoindentation",
        signals,
        x=x,
        default=default,
        title=f"Test {number}",
        conditions=_conditions(own, tables, warnings),
        original_metadata=tidy_metadata({**own, "units": {s: u for s, (_, u) in tables.items() if s in own}}),
    )


def _segments(cells: Row) -> Any:
    """The name of each point's segment, of which the file names the first point only."""
    found, name = [], ""
    for cell in cells:
        name = str(cell).strip() or name
        found.append(name)
    return np.array(found)


def _conditions(
    own: dict[str, dict[str, Any]], tables: dict[str, _Table], warnings: list[str]
) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for sheet, values in own.items():
        for heading, value in values.items():
            name = _CONDITIONS.get(heading, "")
            if not name or name in found:
                continue
            if isinstance(value, str):
                if name == "tip":
                    found[name] = Quantity(value)
            elif isinstance(value, (int, float)) and abs(value) < _NOTHING:
                unit = tables[sheet][1].get(heading, "")
                found[name] = Quantity(
                    float(value), unit_of(unit, warnings) or ("" if name == "poisson_ratio" else None)
                )
    return found


READER = Reader(
    name="nanoindent_xls",
    version="1",
    techniques=("nanoindentation",),
    vendor="MTS / Agilent / KLA",
    format="NanoSuite workbook",
    endings=(".xls", ".xlsx"),
    sniff=_sniff,
    read=_read,
    surest=LIKELY,
    notes="Every test sheet is an entry; its inputs and results become its conditions.",
)
