"""Text that instruments' programs export: lines, cells, numbers with either decimal mark, names with units.

For readers in code; formats that a YAML description can say use ``delimited``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Signal, make_name
from zairyo.measurement.text import clean_text
from zairyo.readers import delimited_text
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers._beginning import beginning_of

Array = NDArray[Any]
Rules = Sequence[tuple[re.Pattern[str], str]]
MOST_BYTES = 512 * 1024**2
_MOST_LETTERS = 64 * 1024**2  # of a column of texts, each as long as the longest
_ENCODINGS = ("utf-8", "utf-16", "cp932", "cp1252", "latin-1")
_NUMBER = re.compile(r"\s*([+-]?(?:\d[\d ' ]*)?(?:[.,]\d+)?(?:[eE][+-]?\d+)?)\s*(.*?)\s*\Z", re.DOTALL)
_IN_NAME = re.compile(r"(?P<name>.*?)\s*(?:[\[(](?P<unit>[^\[\]()]*)[\])]|\s/\s(?P<per>[^\s/].*))\s*\Z")
_NO_UNIT = frozenset({"", "-", "--", "1", "none", "[]", "()"})


def head_lines(source: RawInput, count: int = -1) -> tuple[str, ...]:
    """The lines of a file's beginning, all or ``count`` of them; none if it is not text, or a folder."""
    found = beginning_of(source, _ENCODINGS)
    return () if found is None else found.lines(count)


def head_text(source: RawInput, count: int) -> str:
    """The first ``count`` of :func:`head_lines` as one text: to look for a word there costs next to nothing."""
    found = beginning_of(source, _ENCODINGS)
    return "" if found is None else found.first(count)


def read_lines(source: RawInput) -> list[str]:
    """All lines of the file, whatever the encoding.

    Raises
    ------
    ReadError
        It is not text.
    """
    found = delimited_text.decode(source.read_bytes(MOST_BYTES), _ENCODINGS)
    if found is None:
        raise ReadError(f"{source.name} is not text all along; it is damaged, or another format.")
    return delimited_text.lines_of(found[0])


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of one line, without the quotes around them."""
    if delimiter == " ":
        return line.split()
    if '"' in line:
        try:
            row = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            row = line.replace('"', "").split(delimiter)
        return [cell.strip() for cell in row]
    return [cell.strip() for cell in line.split(delimiter)]


def number(text: str) -> float | None:
    """The number that a text is, with a point or a comma; None if it is none."""
    text = text.strip().replace("\xa0", "").replace("\u202f", "")
    if "," in text:
        # With both marks, the last is the decimal one.
        point = text.rfind(".") > text.rfind(",")
        text = text.replace(",", "") if point else text.replace(".", "").replace(",", ".")
    try:
        return float(text) if text and "_" not in text else None
    except ValueError:
        return None


def quantity(text: str) -> tuple[float, str] | None:
    """A number and the unit behind it (as written, perhaps empty); None if it does not begin with a number."""
    m = _NUMBER.match(text)
    value = number(m[1].replace(" ", "").replace("'", "")) if m and m[1] else None
    return None if m is None or value is None else (value, m[2])


def split_name(heading: str) -> tuple[str, str | None]:
    """Name and unit of a heading such as ``Force (N)``, ``Dehnung [%]``, ``Time / s``; None without a unit."""
    m = _IN_NAME.match(heading.strip())
    if m is None or not m["name"]:
        return heading.strip(), None
    return m["name"].strip(), (m["unit"] if m["unit"] is not None else m["per"]).strip()


def unit_of(
    stated: str | None, warnings: list[str], spellings: Mapping[str, str] | None = None
) -> str | None:
    """A unit as Pint spells it; kept as written, with a warning, if it is unknown; ``""`` for a stated one."""
    if stated is None:
        return None
    stated = stated.strip().strip("[]()").strip()
    if spellings and stated in spellings:
        return spellings[stated]
    if stated.casefold() in _NO_UNIT:
        return ""
    from zairyo.measurement import units

    unit = units.normalise(stated)
    if unit is None:
        warnings.append(f"The unit {stated[:40]!r} is not known and is kept as written.")
        return clean_text(stated)[:80]
    return unit


# --- rows → columns -----------------------------------------------------------------------------------------------


def decimal_of(rows: Sequence[str], delimiter: str) -> str:
    """The decimal mark that more of the first rows' numbers have; quotes around cells do not matter."""
    cells = [cell for row in rows[:50] for cell in cells_of(row, delimiter)]
    commas = sum("," in c and delimited_text.is_number(c, ",") for c in cells)
    points = sum("." in c and delimited_text.is_number(c) for c in cells)
    return "," if commas > points else "."


def columns_of(
    rows: list[str],
    delimiter: str,
    width: int,
    warnings: list[str],
    *,
    line: int,
    decimal: str = "",
    unread: Collection[int] = (),
) -> list[Array]:
    """The columns of rows of cells: numbers (blanks as NaN) or, where most cells are none, texts.

    Parameters
    ----------
    rows
        Lines without blank ones between.
    width
        How many columns there are. Missing cells at a row's end are blank.
    line
        Number of the first row's line, for messages.
    unread
        Columns that nobody needs; they are given back empty.

    Raises
    ------
    ReadError
        A row has more filled cells than there are columns.
    """
    decimal = decimal or decimal_of(rows, delimiter)
    if not unread and decimal == "." != delimiter and (plain := _plain(rows, delimiter, width)) is not None:
        return plain
    whole = "\n".join(rows)
    quoted = '"' in whole
    if quoted and (
        decimal == delimiter or any(delimiter in part for r in rows[:50] for part in r.split('"')[1::2])
    ):
        return _quoted(rows, delimiter, width, decimal, warnings, line)
    original = rows
    if quoted:
        rows = whole.replace('"', "").split("\n")
    gaps = width - 1
    if delimiter != " " and set(map(str.count, rows, repeat(delimiter))) != {gaps}:
        if quoted:  # a text further down may hold the delimiter
            return _quoted(original, delimiter, width, decimal, warnings, line)
        rows = [
            row if row.count(delimiter) == gaps else delimiter.join(_fitted(row.split(delimiter), width, at))
            for at, row in enumerate(rows, line)
        ]
    elif delimiter == " ":
        for at, row in enumerate(rows, line):
            if len(row.split()) != width:
                raise ReadError(
                    f"line {at} has {len(row.split())} numbers where {width} are expected. The file is cut off or "
                    "damaged there; copy it again."
                )
    return _columns(rows, delimiter, width, decimal, warnings, unread)


def _quoted(
    rows: list[str], delimiter: str, width: int, decimal: str, warnings: list[str], line: int
) -> list[Array]:
    cells = [c for at, row in enumerate(rows, line) for c in _fitted(cells_of(row, delimiter), width, at)]
    return [_column(cells[k::width], decimal, warnings) for k in range(width)]


def _columns(
    rows: list[str], delimiter: str, width: int, decimal: str, warnings: list[str], unread: Collection[int]
) -> list[Array]:
    """The columns of rows that have ``width`` cells each: at once where they are numbers, one by one where not."""
    plain = "\n".join(rows).replace(",", ".").split("\n") if decimal == "," else rows
    probe = [cells_of(row, delimiter) for row in (*plain[:20], *plain[-20:])]
    numeric = [
        k for k in range(width) if k not in unread and all(delimited_text.is_float(row[k]) for row in probe)
    ]
    found: list[Array] = [np.empty(0, "U1")] * width
    if numeric:
        try:
            table = np.loadtxt(
                plain, np.float64, comments=None, delimiter=None if delimiter == " " else delimiter,
                usecols=numeric, ndmin=2,
            )  # fmt: skip
        except ValueError:
            numeric = []
        else:
            for k, values in zip(numeric, np.ascontiguousarray(table.T), strict=True):
                found[k] = values
    rest = [k for k in range(width) if k not in unread and k not in numeric]
    if rest:
        text = delimiter.join(rows)
        cells = text.split() if delimiter == " " else text.split(delimiter)
        for k in rest:
            found[k] = _column(cells[k::width], decimal, warnings)
    return found


def _plain(rows: list[str], delimiter: str, width: int) -> list[Array] | None:
    """The columns where every row has ``width`` numbers, which is then told without a look at each row before."""
    probe = [row.split(None if delimiter == " " else delimiter) for row in (*rows[:20], *rows[-20:])]
    if not all(len(cells) == width and all(map(delimited_text.is_float, cells)) for cells in probe):
        return None
    try:  # refuses rows of other lengths, and what is no number
        table = np.loadtxt(rows, comments=None, delimiter=None if delimiter == " " else delimiter, ndmin=2)
    except ValueError:
        return None
    return list(np.ascontiguousarray(table.T)) if table.shape == (len(rows), width) else None


def number_rows(rows: list[str], name: str) -> Any:
    """Rows of numbers with blanks between, as shape (rows, columns); ``name`` is the file's.

    Raises
    ------
    ReadError
        Where rows differ in length, or something is no number.
    """
    width = len(rows[0].split())
    try:
        return np.loadtxt(rows, comments=None, ndmin=2)
    except ValueError:
        bad = next(
            (r for r in rows if len(r.split()) != width or not all(map(delimited_text.is_float, r.split()))),
            rows[0],
        )
        raise ReadError(
            f"{name}: the row {clean_text(bad.strip())[:60]!r} does not have {width} numbers; the file is damaged "
            "or cut off. Copy it again."
        ) from None


def _fitted(cells: list[str], width: int, line: int) -> list[str]:
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) > width:
        raise ReadError(
            f"line {line} has {len(cells)} cells where {width} are expected; the file is damaged there."
        )
    return cells + [""] * (width - len(cells))


def _column(cells: list[str], decimal: str, warnings: list[str]) -> Array:
    """Numbers if most filled cells are, else texts. Cells are often alike, so each text is looked at once."""
    words = list(dict.fromkeys(cells))
    mark = "," if decimal == "." else "."
    grouped = re.compile(rf"\s*[+-]?\d{{1,3}}(\{mark}\d{{3}})+(\{decimal}\d*)?\s*\Z")
    plain = [w.replace(mark, "") if mark in w and grouped.match(w) else w for w in words]
    values, _ = delimited_text.numbers(plain, decimal, "")
    number_of = dict(zip(words, values.tolist(), strict=True))
    found = np.fromiter(map(number_of.__getitem__, cells), np.float64, len(cells))
    odd = {w for w in words if number_of[w] != number_of[w] and w.strip() and w.strip().lower() != "nan"}
    if not odd:
        return found
    wrong = [c for c in cells if c in odd]
    if len(wrong) * 2 > len(wrong) + int(np.isfinite(found).sum()):
        return texts(cells)
    more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    warnings.append(f"{clean_text(wrong[0].strip())[:40]!r}{more} is not a number and was left blank.")
    return found


def texts(cells: Sequence[object]) -> Array:
    """Cells as an array of text; where one is so long that the array would be huge, texts are cut."""
    most = max(20, _MOST_LETTERS // max(1, len(cells)))
    clean = {c: clean_text(str(c).strip())[:most] for c in dict.fromkeys(cells)}
    return np.array(list(map(clean.__getitem__, cells)))


# --- columns → signals --------------------------------------------------------------------------------------------


def signals_of(
    names: Sequence[str],
    units: Sequence[str | None],
    columns: Sequence[Array],
    rules: Rules,
    warnings: list[str],
    spellings: Mapping[str, str] | None = None,
    usual: Mapping[str, str] | None = None,
) -> list[Signal]:
    """Signals by the vocabulary's names; columns that ``rules`` do not know are named after their heading.

    ``usual`` are units by signal name, for columns whose unit the file does not state. Columns that are blank all
    along are left out.
    """
    found: list[Signal] = []
    taken: dict[str, int] = {}
    for heading, unit, values in zip(names, units, columns, strict=True):
        if values.dtype.kind == "f" and not np.isfinite(values).any():
            continue
        if values.dtype.kind == "U" and not any(values):
            continue
        known = next((name for pattern, name in rules if pattern.fullmatch(heading.strip())), "")
        name = known or make_name(heading, "column")
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name = f"{name[:58]}_{taken[name]}"
            taken[name] = 1
        stated = unit_of(unit, warnings, spellings) if values.dtype.kind != "U" else None
        if stated is None and usual and known and values.dtype.kind != "U":
            stated = usual.get(known)
        found.append(Signal(name, values, stated, long_name=clean_text(heading)[:200]))
    return found


def rules(*pairs: tuple[str, str]) -> Rules:
    """Patterns for whole headings, in any case of letters, with the names they stand for."""
    return [(re.compile(pattern, re.IGNORECASE), name) for pattern, name in pairs]
