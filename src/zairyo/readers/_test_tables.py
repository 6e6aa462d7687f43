"""Exports of testing machines: a header of keys and values, then tables: a row of headings, one of units, and numbers.

Makers differ in language, delimiter and decimal mark, and in how they put several specimens into one file: one table
below the other, or side by side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np

from zairyo.measurement import Entry, Measurement, Signal, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers._mechanical_columns import COLUMNS, by_unit, kind_of, plot_of, technique_of
from zairyo.readers._test_header import (
    DELIMITERS,
    OPERATOR,
    SAMPLE,
    SPELLINGS,
    conditions_of,
    header_of,
    started_of,
    value_of,
)
from zairyo.readers._text_export import (
    Array,
    cells_of,
    columns_of,
    decimal_of,
    number,
    read_lines,
    signals_of,
    split_name,
)

#: What stands for a unit in the row below the headings, in brackets of any kind or none.
_UNIT = re.compile(
    r"[\[(]?\s*(m?s|[Ss]ecs?|min|h|d|[mµun]?m|cm|inch|in|[mk]?N|MN|lbf|kip|kgf|gf|%|‰|[kMG]?Pa|N/mm(²|2|\^2|\*\*2)|kgf/mm2|psi|ksi"
    r"|mm/mm|m/m|in/in|µε|um/m|N/tex|cN/tex|[mk]?J|[°º]C|℃|C|K|°F|deg|°|N[.·*]?m|mm/min|mm/s|1/s|s-1|Hz|m?V|V/V|m?A|cycles?|segments?|-|秒|分)?\s*[\])]?\Z"
)
_CURVES = frozenset(
    {
        "time",
        "force",
        "stress",
        "displacement",
        "extension",
        "strain",
        "position",
        "deflection",
        "torque",
        "angle",
    }
)


@dataclass
class Found:
    """One table: where its headings are (index of the line), its headings, units and columns."""

    line: int
    headings: list[str]
    units: list[str | None]
    columns: list[Array]
    above: list[str] = field(default_factory=list)


def heading_at(lines: Sequence[str], start: int = 0) -> tuple[int, str] | None:
    """The first line of headings with their units, in the line below or in brackets, and the delimiter."""
    for at in range(start, len(lines) - 1):
        line, below = lines[at], lines[at + 1]
        for delimiter in DELIMITERS:
            if delimiter not in line or delimiter not in below:
                continue
            if _are_units(line, below, delimiter):
                return at, delimiter
            if (")" in line or "]" in line) and _have_units(line, below, delimiter):
                return at, delimiter
    return None


def headings_of(lines: Sequence[str], place: tuple[int, str]) -> tuple[list[str], list[str], int]:
    """Names and units of the headings at a place, and the line of the first row."""
    at, delimiter = place
    names = cells_of(lines[at], delimiter)
    while names and not names[-1]:
        names.pop()
    if _are_units(lines[at], lines[at + 1], delimiter):
        units = (cells_of(lines[at + 1], delimiter) + [""] * len(names))[: len(names)]
        return names, units, at + 2
    split = [_split(n) for n in names]
    return [name for name, _ in split], [unit or "" for _, unit in split], at + 1


def _split(heading: str) -> tuple[str, str | None]:
    """Name and unit of a heading; what is in brackets and no unit belongs to the name."""
    name, unit = split_name(heading)
    return (name, unit) if unit is not None and _UNIT.match(unit) else (heading.strip(), None)


@lru_cache(maxsize=4)
def first_heading(lines: tuple[str, ...]) -> tuple[int, str] | None:
    """:func:`heading_at` of a file's beginning, looked for once for all readers that ask."""
    return heading_at(lines[:400])


def _are_units(headings: str, units: str, delimiter: str) -> bool:
    if units.lstrip('" ')[:1] in "0123456789+-.":
        return False  # most lines are rows of numbers
    names, below = cells_of(headings, delimiter), cells_of(units, delimiter)
    while names and not names[-1]:
        names.pop()
    filled = [u for u in below if u]
    if len(names) < 2 or len(below) < len(names) - 1 or len(filled) * 2 < len(names) or len(filled) < 2:
        return False
    return all(_UNIT.match(u) for u in below) and any(COLUMNS_TIME.fullmatch(n) or _known(n) for n in names)


COLUMNS_TIME = re.compile(r"time.*|zeit|prüfzeit|testzeit|temps|時間.*|経過時間", re.IGNORECASE)


def _have_units(headings: str, below: str, delimiter: str) -> bool:
    """Whether most headings name their units themselves, ``"Force (kN)"``, and a row of numbers follows."""
    split = [_split(n) for n in cells_of(headings, delimiter) if n]
    with_unit = sum(unit is not None for _, unit in split)
    if with_unit < 2 or with_unit * 2 < len(split) or any(number(name) is not None for name, _ in split):
        return False
    cells = cells_of(below, delimiter)
    return len(cells) >= len(split) and all(number(c) is not None for c in cells if c) and any(cells)


def _known(name: str) -> bool:
    return bool(kind_of(name))


def find_tables(lines: list[str], source: RawInput, warnings: list[str]) -> tuple[list[Found], list[str]]:
    """All tables of curves, and the lines that are in none."""
    tables: list[Found] = []
    outside: list[str] = []
    at = 0
    while (place := heading_at(lines, at)) is not None:
        line, delimiter = place
        outside += lines[at:line]
        names, units, first = headings_of(lines, place)
        end = _end(lines, first, delimiter, names)
        at = max(end, first)
        rows = lines[first:end]
        if not names[0] or not _is_curve(names):  # a table of results: its first column counts specimens
            outside += lines[line:end]
            continue
        if not rows:
            continue
        last = end == len(lines) and lines[-1].strip()
        if last and len(cells_of(lines[-1], delimiter)) < len(names) and len(rows) > 1:
            raise ReadError(
                f"line {len(lines)} of {source.name} is half a row; the file is cut off there. Copy it again."
            )
        decimal = decimal_of(rows[:200], delimiter)
        columns = columns_of(rows, delimiter, len(names), warnings, line=first + 1, decimal=decimal)
        above = cells_of(lines[line - 1], delimiter) if line and lines[line - 1].strip() else []
        if counted(names) and not units[0] and not np.isfinite(columns[0]).any():
            above = [f"Specimen {names[0]}"]
            names, units, columns = names[1:], units[1:], columns[1:]
        tables.append(Found(line, names, [u.strip("[]() ") or None for u in units], columns, above))
    outside += lines[at:]
    if not tables:
        raise ReadError(
            f"{source.name} holds no table of a curve; it is cut off, or has results only. Export raw data."
        )
    return tables, outside


def counted(names: Sequence[str]) -> bool:
    """Whether the number of a specimen may stand before the headings."""
    return len(names) > 1 and names[0].isdecimal()


def _is_curve(names: list[str]) -> bool:
    return len(kinds_of(names) & _CURVES) >= 2


def kinds_of(names: Sequence[str]) -> set[str]:
    """The vocabulary's names for the headings that are known."""
    return {kind_of(name) for name in names if name} - {""}


def _end(lines: list[str], begin: int, delimiter: str, names: list[str]) -> int:
    """The line after the last row: what is blank, begins with a word, or has the headings again ends a table."""
    for at in range(begin, len(lines)):
        cells = lines[at].strip()
        if not cells.strip(delimiter + '" '):
            return at
        row = cells_of(lines[at], delimiter)
        first = next((c for c in row if c), "")
        if number(first) is None and first.lower() not in ("nan", "---", "--"):
            return at
        if row[1:2] == names[1:2] and row[1 : len(names)] == names[1:]:  # behind the number of a specimen
            return at
    return len(lines)


# --- tables → measurement -----------------------------------------------------------------------------------------


def read_tests(source: RawInput, vendor: str, software: str, lines: list[str] | None = None) -> Measurement:
    """Every curve of the file (of its ``lines``) as an entry, with what its header says of specimen and test."""
    lines = read_lines(source) if lines is None else lines
    warnings: list[str] = []
    tables, outside = find_tables(lines, source, warnings)
    header = header_of(outside)
    words = [k for k in (source.name, *header.values()) if isinstance(k, str)]
    runs = [run for found in tables for run in _side_by_side(found)]
    technique = technique_of([*(h for r in runs for h in r.headings), *words])
    conditions = conditions_of(header, warnings)
    started = started_of(header, warnings)
    entries: list[Entry] = []
    for n, run in enumerate(runs, 1):
        signals = signals_of(run.headings, run.units, run.columns, COLUMNS, warnings, SPELLINGS)
        signals = by_unit(_trimmed(signals))
        x, default = plot_of(signals, technique)
        entries.append(
            table(
                f"test_{n}" if len(runs) > 1 else "test",
                technique,
                signals,
                x=x,
                default=default,
                title=_title(run.above),
                conditions=conditions,
                started=started,
            )
        )
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        sample=value_of(header, SAMPLE),
        operator=value_of(header, OPERATOR),
        instrument=value_of(header, r"maschinendaten|prüfmaschine|machine|frame|試験機") or vendor,
        original_metadata=tidy_metadata({"header": header} if header else {}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _side_by_side(found: Found) -> list[Found]:
    """Tables of several specimens beside each other: where the first heading comes again, the next begins."""
    first = found.headings[0]
    starts = [k for k, h in enumerate(found.headings) if h == first]
    bounds = [*starts, len(found.headings)]
    width = bounds[1] - bounds[0]
    if len(starts) == 1 or any(b - a != width for a, b in pairwise(bounds)):
        return [found]
    above = (found.above + [""] * len(found.headings))[: len(found.headings)]
    return [
        Found(
            found.line,
            found.headings[a:b],
            found.units[a:b],
            found.columns[a:b],
            [c for c in above[a:b] if c],
        )
        for a, b in pairwise(bounds)
    ]


def _title(above: Sequence[str]) -> str:
    """The text that stands alone above a table; a key with its value (and unit) is none."""
    filled = [c for c in above if c]
    return clean_text(filled[0])[:200] if len(filled) == 1 and number(filled[0]) is None else ""


def _trimmed(signals: list[Signal]) -> list[Signal]:
    """Without the blank rows at the end that a longer curve beside it leaves."""
    filled = [np.flatnonzero(np.isfinite(s.values)) for s in signals if s.values.dtype.kind == "f"]
    last = max((int(f[-1]) for f in filled if len(f)), default=-1)
    if last < 0:
        raise ReadError("A table holds no numbers; the file is damaged.")
    return [Signal(s.name, s.values[: last + 1], s.unit, long_name=s.long_name) for s in signals]
