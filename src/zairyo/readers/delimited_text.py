"""Text tables: characters out of bytes, rows out of lines, numbers out of cells."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise, repeat

import numpy as np

from zairyo.measurement.model import Array
from zairyo.readers import _clocks
from zairyo.readers._api import ReadError
from zairyo.readers._legacy_text import is_japanese
from zairyo.readers._text_words import words_of

#: Tried in this order; UTF-16 and UTF-8 with a mark are known by their marks.
ENCODINGS = ("utf-8", "utf-16", "cp932", "latin-1")
DELIMITERS = {"tab": "\t", "semicolon": ";", "comma": ",", "space": " ", "bar": "|"}
_ORDER = ("\t", ";", ",", " ")
#: The first lines, among which a plain table must begin.
MOST_TOP = 503
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")


def decode(data: bytes, encodings: Sequence[str] = ENCODINGS, *, cut: bool = False) -> tuple[str, str] | None:
    """The text and its encoding, or None for what is not text in any of ``encodings``.

    ``cut`` says that ``data`` is only the beginning, so that its last character may be half.
    """
    for encoding in candidates(data, encodings):
        text = decode_as(data, encoding, cut)
        if text is not None:
            return text, encoding
    return None


def candidates(data: bytes, encodings: Sequence[str]) -> Iterator[str]:
    """The encodings to try: the one that a mark or the NULs of UTF-16 tell, else those given."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            yield encoding
            return
    if b"\x00" in data[:65536]:
        even, odd = data[:4096:2].count(0), data[1:4096:2].count(0)
        many = (even + odd) * 4 > len(data[:4096]) and min(even, odd) * 20 <= max(even, odd)
        if many and "utf-16" in encodings:
            yield "utf-16-be" if even > odd else "utf-16-le"
        return
    for encoding in encodings:
        # Every byte of Latin text may pass as half-width katakana: "°C" is not "ｰC".
        if not encoding.startswith("utf-16") and (
            encoding not in ("cp932", "shift_jis") or is_japanese(data)
        ):
            yield encoding


def decode_as(data: bytes, encoding: str, cut: bool) -> str | None:
    """The text if it decodes without error into what people write; else None."""
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(data, final=not cut)
    except UnicodeDecodeError:
        return None
    # More than a stray control character: bytes that happen to decode.
    start = np.frombuffer(text[:65536].encode("utf-8", "surrogatepass"), np.uint8)
    controls = np.count_nonzero((start < 32) & ((start < 9) | (start > 13)))
    if controls * 200 > len(text[:65536]):
        return None
    return text


def lines_of(text: str) -> list[str]:
    """Lines by any of the three line ends, and by nothing else that Unicode calls a line end."""
    return one_line_end(text).split("\n")


def one_line_end(text: str) -> str:
    """The text with ``\\n`` for each of the three line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def split(line: str, delimiter: str) -> list[str]:
    return line.split() if delimiter == " " else [cell.strip() for cell in line.split(delimiter)]


def split_names(line: str, delimiter: str) -> list[str]:
    """A row of column names, without quotes; where blanks separate cells, a single one may be inside a name."""
    if delimiter == " ":
        wide = re.split(r"\s{2,}|\t", line.strip())
        return wide if len(wide) > 1 else line.split()
    return [cell.strip().strip('"').strip() for cell in line.split(delimiter)]


def width(line: str, delimiter: str) -> int:
    """How many cells a line has."""
    return len(line.split()) if delimiter == " " else line.count(delimiter) + 1


def is_number(cell: str, decimal: str = ".") -> bool:
    return bool(_NUMBER.match(cell.strip().replace(",", ".") if decimal == "," else cell.strip()))


def numeric_share(line: str, delimiter: str, decimal: str) -> float:
    """Which share of a line's cells that are not blank are numbers."""
    cells = [c for c in split(line, delimiter) if c]
    return sum(is_number(c, decimal) for c in cells) / len(cells) if cells else 0.0


def _is_row(line: str, delimiter: str, decimal: str) -> bool:
    """Whether all cells of a line that are not blank are numbers, and there are some."""
    filled = (c for c in split(line, delimiter) if c)
    return next((is_number(c, decimal) for c in filled), False) and all(is_number(c, decimal) for c in filled)


@dataclass(frozen=True)
class Layout:
    """Where a plain table begins (index of its line) and how its cells are written."""

    start: int
    delimiter: str
    decimal: str
    columns: int


def find_table(lines: Sequence[str], comments: tuple[str, ...] = ()) -> Layout | None:
    """The first place where two rows of two or more numbers follow each other, or None."""
    numbered = [
        (i, line)
        for i, line in enumerate(lines[:MOST_TOP])
        if line.strip() and not (comments and line.lstrip().startswith(comments))
    ]
    for (i, line), (_, following) in pairwise(numbered):
        if not any(c.isdigit() for c in line):
            continue
        for delimiter in _ORDER:
            if delimiter != " " and delimiter not in line:
                continue
            for decimal in (".",) if delimiter == "," else (".", ","):
                count = width(line.rstrip(delimiter), delimiter)
                if (
                    count >= 2
                    and count == width(following.rstrip(delimiter), delimiter)
                    and _is_row(line, delimiter, decimal)
                    and _is_row(following, delimiter, decimal)
                ):
                    return Layout(i, delimiter, decimal, width(line, delimiter))
    return None


def find_decimal(rows: Sequence[str], delimiter: str) -> str:
    """The decimal mark of rows whose delimiter is known: a comma if numbers have one and none has a point."""
    if delimiter == ",":
        return "."
    cells = [cell for row in rows[:50] for cell in split(row, delimiter)]
    commas = any(is_number(c, ",") and "," in c for c in cells)
    points = any(is_number(c) and "." in c for c in cells)
    return "," if commas and not points else "."


def rows_from(
    lines: list[str], start: int, delimiter: str, decimal: str, comments: tuple[str, ...], gaps: bool = False
) -> tuple[list[str], list[str], int]:
    """The rows of the table that begins at ``start``; with ``gaps``, blank lines may be between them.

    Returns
    -------
    rows, comments, end
        Comment lines among the rows; and the index of the first line that is no row.

    Raises
    ------
    ReadError
        A line looks like a row of numbers but has another number of cells.
    """
    expected = width(lines[start], delimiter)
    rows: list[str] = []
    aside: list[str] = []
    begin = start
    for stop in _stops(lines, start, delimiter, expected, comments):
        rows += lines[begin:stop]
        begin = stop + 1
        line = lines[stop]
        if comments and line.lstrip().startswith(comments):
            aside.append(line)
            continue
        if gaps and not line.strip():
            continue
        if line.strip() and numeric_share(line, delimiter, decimal) > 0.5:
            last = not any(rest.strip() for rest in lines[stop + 1 :])
            why = "The file is cut off there; copy it again." if last else "The file is damaged there."
            raise ReadError(
                f"line {stop + 1} has {width(line, delimiter)} cells where {expected} are expected. {why}"
            )
        return rows, aside, stop
    return rows + lines[begin:], aside, len(lines)


def _stops(
    lines: list[str], start: int, delimiter: str, expected: int, comments: tuple[str, ...]
) -> list[int]:
    """Indices of the lines from ``start`` on that are no rows: of another width, blank, or comments."""
    region = lines[start:]
    if delimiter == " ":
        stops = {i for i, line in enumerate(region, start) if len(line.split()) != expected}
    else:
        gaps = expected - 1
        counts = list(map(str.count, region, repeat(delimiter)))
        stops = set()
        if counts.count(gaps) < len(counts):
            stops = {i for i, count in enumerate(counts, start) if count != gaps}
        if gaps == 0 or delimiter.isspace():  # else a line with that many delimiters is not blank
            stops |= {i for i, line in enumerate(region, start) if not line.strip()}
    whole = "\n".join(region)
    if any(mark in whole for mark in comments):
        stops |= {i for i, line in enumerate(region, start) if line.lstrip().startswith(comments)}
    return sorted(stops)


def is_bare(lines: list[str], layout: Layout, comments: tuple[str, ...]) -> bool:
    """Whether the lines are one table and, before it, only comments and at most two more lines.

    A last line that is half a row is let pass: that file is a table, cut off.
    """

    def said(part: list[str]) -> list[str]:
        return [x for x in part if x.strip() and not (comments and x.lstrip().startswith(comments))]

    if len(said(lines[: layout.start])) > 2:
        return False
    stops = _stops(lines, layout.start, layout.delimiter, layout.columns, comments)
    rest = said(lines[stops[0] :]) if stops else []
    return not rest or (len(rest) == 1 and numeric_share(rest[0], layout.delimiter, layout.decimal) > 0.5)


def columns_of(rows: list[str], delimiter: str, decimal: str, thousands: str) -> list[Array | list[str]]:
    """The table's columns: numbers (float64) where every cell is one, else the cells as text.

    All rows have as many cells as the first.
    """
    count = width(rows[0], delimiter)
    if (delimiter == "," and decimal == ",") or not rows:
        raise ReadError("the same mark cannot separate cells and decimals")
    text = "\n".join(rows)
    plain = _plain(text, decimal, thousands)
    found = _columns_by_kind(text, rows, rows if plain is text else plain.split("\n"), delimiter, count)
    if found is not None:
        return found
    cells = _cells(text, delimiter)
    bare = cells if plain is text else _cells(plain, delimiter)
    if len(bare) != len(cells):  # the thousands' mark separates cells, too
        bare = [_plain(c, decimal, thousands) for c in cells]
    odd = "_" in text
    result: list[Array | list[str]] = []
    for k in range(count):
        column = bare[k::count]
        try:
            if odd and any("_" in c for c in column):  # Python's float would take 1_000
                raise ValueError
            result.append(
                np.fromiter(map(float, column), np.float64, len(column))
            )  # ends at the first odd cell
        except ValueError:
            result.append(list(map(str.strip, cells[k::count])))
    return result


def _cells(text: str, delimiter: str) -> list[str]:
    return text.split() if delimiter == " " else text.replace("\n", delimiter).split(delimiter)


def _plain(text: str, decimal: str, thousands: str) -> str:
    text = text.replace(thousands, "") if thousands and thousands in text else text
    return text.replace(",", ".") if decimal == "," else text


def _columns_by_kind(
    text: str, rows: list[str], plain: list[str], delimiter: str, count: int
) -> list[Array | list[str]] | None:
    """The columns, if some rows tell rightly which are numbers: those are parsed in C, in a third of the time."""
    mark = None if delimiter == " " else delimiter
    some = [row.split(mark) for row in plain[:: len(plain) // 8 + 1]]
    if any(len(cells) != count for cells in some):
        return None
    numeric = [k for k in range(count) if all(is_float(cells[k]) for cells in some)]
    if not numeric:
        return None
    try:
        table = np.loadtxt(plain, delimiter=mark, comments=None, ndmin=2, usecols=numeric)
    except ValueError:  # a blank, or a word further down
        return None
    if table.shape != (len(rows), len(numeric)):
        return None
    columns: dict[int, Array | list[str]] = dict(zip(numeric, np.ascontiguousarray(table.T), strict=True))
    words = [k for k in range(count) if k not in columns]
    if words:
        columns |= words_of(text, rows, delimiter, count, words)
    return [columns[k] for k in range(count)]


def is_float(cell: str) -> bool:
    """Whether Python and NumPy take a cell for the same number."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def numbers(cells: list[str], decimal: str, thousands: str) -> tuple[Array, list[str]]:
    """Numbers out of cells of which some are not: those become NaN. Also the odd cells that are not blank."""
    joined = "".join(cells)
    if "_" not in joined and not (thousands and thousands in joined):
        try:
            found = ((c.replace(",", ".") if decimal == "," else c) or "nan" for c in cells)
            return np.fromiter(map(float, found), np.float64, len(cells)), []
        except ValueError:
            pass
    odd: list[str] = []

    def number(cell: str) -> float:
        text = _plain(cell, decimal, thousands)
        try:
            return float(text) if "_" not in text else float("x")
        except ValueError:
            if cell.strip():
                odd.append(cell.strip())
            return np.nan

    return np.array([number(c) for c in cells]), odd


def durations(cells: list[str]) -> Array:
    """Seconds out of ``h:mm:ss`` (with fractions, and days before a ``-``, ``.`` or ``d``).

    Raises
    ------
    ReadError
        A cell is not a duration.
    """
    return _clocks.seconds_of(cells, _duration, lambda days, whole, seconds: days + whole + seconds, b"d-.")


def _duration(cell: str) -> float:
    try:
        *days, clock = re.split(r"d\s*|-|\.(?=\d+:)", cell.strip())
        hours, minutes, seconds = clock.split(":")
        return (
            (float(days[0]) if days else 0.0) * 86400
            + int(hours) * 3600
            + int(minutes) * 60
            + float(seconds.replace(",", "."))
        )
    except (ValueError, IndexError):
        if not cell.strip():
            return np.nan
        raise ReadError(f"{cell[:40]!r} is not a duration (h:mm:ss)") from None


def moments(cells: list[str], formats: Sequence[str]) -> Array:
    """``datetime64[us]`` out of dates in ISO form or in one of ``formats``; blanks become NaT.

    Raises
    ------
    ReadError
        A cell is in none of the formats.
    """
    if not formats:
        try:
            return np.array([c.strip().replace("/", "-") or "NaT" for c in cells], dtype="datetime64[us]")
        except ValueError as e:
            raise ReadError(f"a date and time is not in ISO form: {str(e)[:100]}") from None
    found, done = _clocks.moments_of(cells, formats)
    for at in np.flatnonzero(~done).tolist():
        if cells[at].strip():
            found[at] = parse_moment(cells[at], formats)
    return found


def parse_moment(text: str, formats: Sequence[str]) -> datetime:
    """A moment in one of ``formats`` (ISO if there are none); :class:`ReadError` otherwise."""
    for form in formats:
        try:
            return datetime.strptime(text.strip(), form)
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        raise ReadError(
            f"{text[:40]!r} is not a date in the form {' or '.join(formats) or 'ISO 8601'}"
        ) from None


def describe_text(head: bytes) -> str:
    """What a text file looks like, for people, or nothing if it is not text."""
    found = decode(head, cut=len(head) >= 65536)
    if found is None:
        return ""
    text, encoding = found
    lines = lines_of(text)
    start = text.lstrip()[:200]
    if start.startswith("<"):
        tag = re.search(r"<(?![?!])([^\s>/]+)", start)
        return f"XML with the root element <{tag[1][:60]}>" if tag else "XML"
    if start.startswith(("{", "[")):
        return "JSON"
    layout = find_table(lines)
    first = next((line.strip()[:60] for line in lines if line.strip()), "")
    kind = f"text in {encoding.upper().replace('-SIG', '')}"
    if layout is None:
        return f"{kind} without a table of numbers, beginning {first!r}"
    by = {v: k for k, v in DELIMITERS.items()}[layout.delimiter]
    return f"{kind} with {layout.columns} columns separated by {by}, beginning {first!r}"


def used(names: Sequence[str]) -> Iterator[str]:
    """The same names, later ones of the same spelling numbered: ``a, b, a_2``."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name[:59]}_{seen[name]}"
