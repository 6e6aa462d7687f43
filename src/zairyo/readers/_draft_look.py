"""Look at a text file as somebody would who is to describe it: where its table is, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

import numpy as np

from zairyo.measurement import units
from zairyo.readers import delimited_text as text
from zairyo.readers._api import RawInput, ReadError

_MOST_LINES = 2000
_LEAST_ROWS = 3
_SHOWN = 20
_DURATION = re.compile(r"(\d+(d\s*|-|\.))?\d{1,4}:\d\d:\d\d([.,]\d+)?\Z")
#: Forms of a date with a time, or without; those whose day and month cannot be told apart stand in pairs.
MOMENTS = (
    "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S.%f", "%Y/%m/%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%d-%b-%Y %H:%M:%S", "%Y-%m-%d", "%Y/%m/%d",
    "%Y年%m月%d日", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%b-%Y",
)  # fmt: skip
_IN_NAME = re.compile(r"(?P<name>.*?)\s*(?:[\[(（](?P<unit>[^\[\]()（）]*)[\])）]|/\s?(?P<per>\S+))\s*\Z")
_THOUSANDS = {
    ",": r"(?<=\d),(?=\d{3}(?!\d))",
    ".": r"(?<=\d)\.(?=\d{3}(?!\d))",
    "'": r"(?<=\d)'(?=\d{3}(?!\d))",
}


@dataclass(frozen=True)
class Column:
    """A column as the file has it.

    Attributes
    ----------
    written, name, unit
        What stands above it, and what of that is name and unit (from the name, or the line below).
    kind, formats
        As in a description.
    monotonic
        Its numbers only rise, or only fall.
    values
        The first cells.
    """

    written: str
    name: str
    unit: str | None
    kind: str
    formats: tuple[str, ...] = ()
    monotonic: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """What a text file is made of.

    Attributes
    ----------
    encoding, delimiter, decimal, thousands
        How it is written; ``delimiter`` is the character.
    header
        The lines before the table (without the lines of names and units).
    pairs, pattern
        Keys and values in the header, and the pattern that finds them; empty if there are none.
    names
        The line of column names; empty if there is none.
    has_units
        The line after the names holds units.
    columns
        What is in the table.
    rows
        How many rows were seen.
    """

    encoding: str
    delimiter: str
    decimal: str
    thousands: str
    header: tuple[str, ...]
    pairs: dict[str, str] = field(default_factory=dict)
    pattern: str = ""
    names: str = ""
    has_units: bool = False
    columns: tuple[Column, ...] = ()
    rows: int = 0


def look(raw: RawInput) -> Look:
    """Look at a file.

    Raises
    ------
    ReadError
        It is not text, or no table is found in it.
    """
    found = text.decode(raw.read_bytes(64 * 1024**2))
    if found is None:
        raise ReadError(f"{raw.name} is not text: a binary format needs a reader in Python.")
    every = text.lines_of(found[0])
    lines = every[:_MOST_LINES]
    best = max(_regions(lines), key=lambda r: r.weight, default=None)
    if best is None:
        raise ReadError(
            f"no table is found in {raw.name}: three lines one after the other with as many cells, numbers among them."
        )
    start, names, has_units = _heading(lines, best)
    header = tuple(line for line in lines[:start] if line.strip())
    pattern, pairs = _pairs(header)
    columns = _columns(every, best, names, lines[best.start - 1] if has_units else "")
    return Look(
        found[1], best.delimiter, best.decimal, best.thousands, header, pairs, pattern, names, has_units, columns,
        best.end - best.start,
    )  # fmt: skip


@dataclass(frozen=True)
class _Region:
    """Lines that may be the rows of a table."""

    start: int
    end: int
    delimiter: str
    decimal: str
    thousands: str
    width: int
    numbers: int

    @property
    def weight(self) -> tuple[int, int, int]:
        # Many numbers; and of two ways to see the same, the one with fewer marks in use.
        order = "\t;,| ".index(self.delimiter)
        return self.numbers, -len(self.thousands), -order


def _regions(lines: Sequence[str]) -> list[_Region]:
    found = []
    for delimiter in text.DELIMITERS.values():
        widths = [text.width(line.rstrip(" \r"), delimiter) if line.strip() else 0 for line in lines]
        for decimal in (".",) if delimiter == "," else (".", ","):
            marks = [m for m in ("", ",", ".", "'") if m not in (delimiter, decimal) or not m]
            for thousands in marks:
                for width, group in groupby(range(len(lines)), key=lambda i: widths[i]):
                    rows = list(group)
                    if width < 2 or len(rows) < _LEAST_ROWS:
                        continue
                    region = _region(lines, rows, delimiter, decimal, thousands, width)
                    if region:
                        found.append(region)
    return found


def _region(
    lines: Sequence[str], rows: list[int], delimiter: str, decimal: str, thousands: str, width: int
) -> _Region | None:
    counts = [_numbers(lines[i], delimiter, decimal, thousands) for i in rows]
    usual = sorted(counts[len(counts) // 2 :])[len(counts) // 4]  # of the lower half, where no heading is
    if not usual:
        return None
    first = next(k for k, count in enumerate(counts) if count >= max(1, usual // 2))
    if len(rows) - first < _LEAST_ROWS or (thousands and not _has_thousands(lines, rows, thousands)):
        return None
    return _Region(rows[first], rows[-1] + 1, delimiter, decimal, thousands, width, sum(counts[first:]))


def _numbers(line: str, delimiter: str, decimal: str, thousands: str) -> int:
    if thousands:
        line = re.sub(_THOUSANDS[thousands], "", line)
    return sum(text.is_number(cell.strip('"'), decimal) for cell in text.split(line, delimiter) if cell)


def _has_thousands(lines: Sequence[str], rows: list[int], mark: str) -> bool:
    return any(re.search(_THOUSANDS[mark], lines[i]) for i in rows)


def _heading(lines: Sequence[str], region: _Region) -> tuple[int, str, bool]:
    """Where the header ends, the line of names, and whether a line of units follows it."""
    above = [i for i in range(region.start) if lines[i].strip()][-2:]
    fits = [_is_heading(lines[i], region) for i in above]
    if len(above) == 2 and all(fits) and _are_units(text.split_names(lines[above[1]], region.delimiter)):
        return above[0], lines[above[0]], True
    if above and fits[-1]:
        return above[-1], lines[above[-1]], False
    return region.start, "", False


def _is_heading(line: str, region: _Region) -> bool:
    cells = text.split_names(line.rstrip(" \r").lstrip("#% "), region.delimiter)
    filled = [c for c in cells if c]
    named = [c for c in filled if any(ch.isalpha() or ch in "%°℃" for ch in c) and not _is_value(c)]
    return (
        abs(len(cells) - region.width) <= 1
        and len(filled) >= max(2, region.width // 2)
        and len(named) * 2 > len(filled)
    )


def _is_value(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _are_units(cells: Sequence[str]) -> bool:
    said = [c.strip("[]()（） ") for c in cells if c.strip("[]()（）- ")]
    known = sum(units.normalise(c) is not None for c in said)
    return known * 2 > len(said) or (bool(said) and all(c.strip()[:1] in "[(（" for c in cells if c.strip()))


#: Ways to write a header's keys and values; the one that most lines follow is taken.
_PAIRS = (
    r"^[#%;]*\s*(?P<key>[^:=\t;,]{1,60}?)\s*:\s*(?P<value>.+)$",
    r"^[#%;]*\s*(?P<key>[^=\t]{1,60}?)\s*=\s*(?P<value>.+)$",
    r"^(?P<key>[^\t]{1,60}?):?\t+(?P<value>.+)$",
    r'^"?(?P<key>[^",]{1,60}?):?"?,"?(?P<value>[^"]+?)"?,*$',
    r'^"?(?P<key>[^";]{1,60}?):?"?;"?(?P<value>[^"]+?)"?;*$',
)


def _pairs(header: Sequence[str]) -> tuple[str, dict[str, str]]:
    best: tuple[str, dict[str, str]] = ("", {})
    for pattern in _PAIRS:
        matches = [m for line in header if (m := re.search(pattern, line))]
        pairs = {m["key"].strip(): m["value"].strip(" ,;\t") for m in matches}
        if len(pairs) > len(best[1]):
            best = (pattern, pairs)
    return best


def _columns(lines: Sequence[str], region: _Region, names: str, unit_line: str) -> tuple[Column, ...]:
    rows = [text.split(line.rstrip(" \r"), region.delimiter) for line in lines[region.start :]]
    rows = [row for row in rows if len(row) * 2 > region.width]
    written = text.split_names(names.rstrip().lstrip("#% "), region.delimiter) if names else []
    stated = text.split_names(unit_line.rstrip(" \r"), region.delimiter) if unit_line else []
    columns = []
    for k in range(region.width):
        cells = tuple(row[k].strip('"') for row in rows if k < len(row))
        name = written[k].strip('"') if k < len(written) else ""
        match = _IN_NAME.match(name)
        bare, unit = (
            (match["name"], match["unit"] or match["per"]) if match and match["name"] else (name, None)
        )
        if k < len(stated) and stated[k].strip("[]()（）- "):
            unit = stated[k].strip("[]()（） ")
        kind, formats = _kind(cells, region)
        rises = kind == "number" and _is_monotonic(cells, region)
        columns.append(Column(name, bare, unit, kind, formats, rises, cells[:_SHOWN]))
    return tuple(columns)


def _kind(cells: Sequence[str], region: _Region) -> tuple[str, tuple[str, ...]]:
    filled = [c for c in cells if c]
    if region.thousands:
        filled = [re.sub(_THOUSANDS[region.thousands], "", c) for c in filled]
    if sum(text.is_number(c, region.decimal) for c in filled) * 2 > len(filled):
        return "number", ()
    if filled and all(_DURATION.match(c) for c in filled):
        return "duration", ()
    formats = moment_formats(filled)
    return ("moment", formats) if formats else ("text", ())


def _is_monotonic(cells: Sequence[str], region: _Region) -> bool:
    values, odd = text.numbers(list(cells), region.decimal, region.thousands)
    steps = np.diff(values)
    return not odd and len(values) > 1 and bool((steps > 0).all() or (steps < 0).all())


def moment_formats(cells: Sequence[str]) -> tuple[str, ...]:
    """The forms of date that all cells follow, several if day and month cannot be told apart; none if none."""
    return tuple(form for form in MOMENTS if cells and all(_follows(cell, form) for cell in cells))


def _follows(cell: str, form: str) -> bool:
    try:
        datetime.strptime(cell.strip(), form)
    except ValueError:
        return False
    return True
