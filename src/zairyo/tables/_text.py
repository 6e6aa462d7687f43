"""Text tables before they are read: which encoding, delimiter and decimal mark a file has, and where it begins."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from zairyo.measurement import units
from zairyo.tables._base import TableError
from zairyo.tables._headings import UNKNOWN_TO_PINT, basis_of

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: In this order where widths do not decide: a semicolon separates cells where the comma is the decimal mark.
_DELIMITERS = ("\t", ";", ",", "|")
_SAMPLE_LINES = 200
_NO_UNITS = frozenset(("", "-", "–", "—", "unit", "units", "[unit]", "単位", "einheit"))
_JAPANESE = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff60℃]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")
#: Numbers whose mark can only be the one or the other: a group of thousands has three digits.
_DECIMAL_COMMA = re.compile(
    r"[+-]?\d+,(?:\d{1,2}|\d{4,})(?:[eE][+-]?\d+)?|[+-]?(?:0|\d{4,}),\d+|[+-]?\d{1,3}(?:\.\d{3})+,\d+"
)
_DECIMAL_POINT = re.compile(
    r"[+-]?\d+\.(?:\d{1,2}|\d{4,})(?:[eE][+-]?\d+)?|[+-]?(?:0|\d{4,})\.\d+|[+-]?\d{1,3}(?:,\d{3})+\.\d+"
)
_EITHER = re.compile(r"[+-]?\d{1,3},\d{3}")


@dataclass(frozen=True)
class Layout:
    """How a text table is written, and where.

    Attributes
    ----------
    names, units
        The cells of the heading, and of the row of units under it (empty if there is none).
    first
        Index of the first line after them.
    notes
        What had to be decided.
    """

    delimiter: str
    decimal: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    first: int
    notes: tuple[str, ...] = ()


def decode(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file, and its encoding: as given, else by its mark, UTF-8, Japanese or Western Windows.

    Raises
    ------
    TableError
        It is not text, or not in the encoding given.
    """
    text, found = _decode(data, encoding)
    head = text[:65536]
    if len(_CONTROL.findall(head)) * 200 > len(head):
        raise TableError("it is not text; save the table as CSV, Excel or Parquet")
    return text, found


def _decode(data: bytes, encoding: str | None) -> tuple[str, str]:
    if encoding is not None:
        try:
            return data.decode(encoding), encoding
        except (UnicodeDecodeError, LookupError) as e:
            raise TableError(f"it is not text in {encoding}: {e}") from None
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _strictly(data, name), name
    if b"\x00" in data[:4096]:
        even, odd = data[:4096:2].count(0), data[1:4096:2].count(0)
        if min(even, odd) * 20 > max(even, odd):
            raise TableError("it is not text; save the table as CSV, Excel or Parquet")
        name = "utf-16-be" if even > odd else "utf-16-le"
        return _strictly(data, name), name
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        text = ""
    # Every byte of Western text may pass as a half-width kana: "°C" is not "ｰC".
    if len(_JAPANESE.findall(text)) > len(_HALF_WIDTH.findall(text)):
        return text, "cp932"
    try:
        return data.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as e:
        raise TableError(
            f"it begins as {encoding}, but byte {e.start} is damaged; copy the file again"
        ) from None


def find_layout(text: str, delimiter: str | None = None, decimal: str | None = None) -> Layout:
    """How the table in ``text`` is written; ``delimiter`` and ``decimal`` are found if None.

    Raises
    ------
    TableError
        There is no table.
    """
    lines = _beginning(text)
    if delimiter is None:
        delimiter = max(_DELIMITERS, key=lambda d: _fit(lines, d))
    rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != "\t"))
    full = [width(row) for row in rows]
    if not any(full):
        raise TableError("it is empty")
    usual = Counter(w for w in full if w).most_common(1)[0][0]
    start = next(i for i, w in enumerate(full) if w >= usual)
    start += is_above_heading(rows[start : start + 4])
    names = tuple(cell.strip() for cell in rows[start])
    following = start + 1
    under = rows[following] if following < len(rows) else []
    stated: tuple[str, ...] = ()
    if is_units(under) and len(under) <= len(names):
        stated, following = tuple(cell.strip() for cell in under), following + 1
    cells = [cell.strip() for row in rows[following:] for cell in row]
    are = "line above the heading is" if start == 1 else "lines above the heading are"
    notes = [f"{start} {are} not read"] if any(full[:start]) else []
    if decimal is None:
        decimal, note = _find_decimal(cells, delimiter)
        notes += note
    physical = _physical_line(lines, following, delimiter)
    return Layout(delimiter, decimal, names, stated, physical, tuple(notes))


def _beginning(text: str) -> list[str]:
    lines = text[:1_000_000].split("\n", _SAMPLE_LINES)
    cut = len(lines) > _SAMPLE_LINES or len(text) > 1_000_000
    return [line + "\n" for line in (lines[:-1] if cut and len(lines) > 1 else lines)]


def width(row: Sequence[str]) -> int:
    """How many cells a row has up to its last that is not blank."""
    return next((i for i in range(len(row), 0, -1) if row[i - 1].strip()), 0)


def _fit(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """How well a delimiter cuts the lines: the share of lines of the most usual width above one, and that width."""
    widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if any(c.strip() for c in row)]
    usual, count = Counter(widths).most_common(1)[0] if widths else (0, 0)
    return (
        (round(count / len(widths), 1), usual if delimiter != "," else min(usual, 2))
        if usual > 1
        else (0.0, 0)
    )


def is_above_heading(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row only groups the columns ("process", "results"), and the second is the heading.

    The first has gaps or one text several times; the second names every column, each once, and in no cell has what
    stands in a table's rows; numbers come below it.
    """
    from zairyo.tables._cells import meaning

    if len(rows) < 3:
        return False
    top, second = ([cell.strip() for cell in row] for row in rows[:2])
    count = width(second)
    said = [cell for cell in top if cell]
    if count < 2 or width(top) > count or (len(said) == count and len(set(said)) == count):
        return False
    named = second[:count]
    if not all(named) or len(set(named)) < count or is_units(second):
        return False
    if any(meaning(cell) is not None for cell in (*named, *said)):
        return False
    return any(isinstance(meaning(cell.strip()), (float, tuple)) for row in rows[2:] for cell in row)


def is_units(row: Sequence[str]) -> bool:
    """Whether a row under the heading tells units: known ones, and nothing else but blanks, dashes and "units"."""
    said = [c.strip() for c in row if c.strip().casefold() not in _NO_UNITS]
    is_known = [units.normalise(c) is not None and not c[:1].isdigit() for c in said]
    return any(is_known) and all(
        known or c in UNKNOWN_TO_PINT or basis_of(c) is not None
        for c, known in zip(said, is_known, strict=True)
    )


def _find_decimal(cells: Sequence[str], delimiter: str) -> tuple[str, list[str]]:
    commas = sum(bool(_DECIMAL_COMMA.fullmatch(c)) for c in cells)
    points = sum(bool(_DECIMAL_POINT.fullmatch(c)) for c in cells)
    if commas and not points:
        return ",", []
    if not commas and not points and any(_EITHER.fullmatch(c) for c in cells):
        if delimiter == ";":
            return ",", [
                "numbers such as 1,234 were read as 1.234 (cells end in semicolons); else give decimal='.'"
            ]
        return ".", [
            "numbers such as 1,234 were read as 1234; if the comma is the decimal mark, give decimal=','"
        ]
    return ".", []


def _physical_line(lines: Sequence[str], row: int, delimiter: str) -> int:
    """The line at which a row of cells begins: a quoted cell may hold line ends."""
    reader = csv.reader(lines, delimiter=delimiter)
    for _ in islice(reader, row):
        pass
    return reader.line_num
