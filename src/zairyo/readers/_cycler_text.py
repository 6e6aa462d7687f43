"""Rows of text exports: split and checked fast, odd cells told, a file that is cut off refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers import _clocks
from zairyo.readers import delimited_text as text
from zairyo.readers._api import ReadError
from zairyo.readers._legacy_text import decode_legacy

Array = NDArray[Any]
_FLOAT_END = re.compile(r"[Ee][+-]\d+\s*\Z")


_HEAD = 64 * 1024


def lines_of(data: bytes) -> list[str]:
    """The lines of a text whose encoding nobody says. The header tells it; records are digits."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return decode_legacy(data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if b"\0" in data[:2]:  # UTF-16 without its mark
        wide = data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", "replace")
        return wide.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        cut = data.rfind(b"\n", 0, _HEAD) + 1 or len(data)
        return (decode_legacy(data[:cut]) + data[cut:].decode("latin-1")).split("\n")


def chinese_text(data: bytes) -> str:
    """The text of programs that write UTF-8, UTF-16 or, in China, GB 18030; lines end in a line feed."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return decode_legacy(data).replace("\r\n", "\n").replace("\r", "\n")
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def table_of(
    lines: list[str], start: int, delimiter: str, count: int, decimal: str = "."
) -> list[Array | list[str]]:
    """The columns of the rows from line ``start`` on: float64 where all cells are numbers, else their texts.

    A delimiter at the end of the rows is no column. Blank lines at the end are passed over.

    Raises
    ------
    ReadError
        There is no row, or a row has another number of cells; the message names its line.
    """
    rows = lines[start:]
    while rows and not rows[-1].strip():
        rows.pop()
    if not rows:
        raise ReadError(
            "There is no record after the headings: nothing was measured, or the file is cut off."
        )
    width = rows[0].count(delimiter) + 1
    if width not in (count, count + 1):
        raise ReadError(
            f"line {start + 1} has {width} cells where the headings are {count}; the file is damaged."
        )
    counts = list(map(str.count, rows, repeat(delimiter)))
    if counts.count(width - 1) < len(rows):
        at, cells = next((k, count + 1) for k, count in enumerate(counts) if count != width - 1)
        why = "The file is damaged there." if rows[at + 1 :] else "The file is cut off there; copy it again."
        raise ReadError(f"line {start + at + 1} has {cells} cells where {width} are expected. {why}")
    _check_last_number(rows, delimiter, lines)
    return text.columns_of(rows, delimiter, decimal, "")[:count]


def _check_last_number(rows: list[str], delimiter: str, lines: list[str]) -> None:
    """Refuse a file that ends within a number that has an exponent in every row before."""
    if len(rows) < 2 or lines[-1] != rows[-1]:
        return
    before, last = (_FLOAT_END.search(row.rstrip(delimiter).rsplit(delimiter, 1)[-1]) for row in rows[-2:])
    cell = rows[-1].rstrip(delimiter).rsplit(delimiter, 1)[-1].strip()
    short = last is None or len(last[0].strip()) < len(before[0].strip()) if before else False
    if short and cell not in ("", "0", "nan", "inf"):
        raise ReadError(
            f"the last line ends within the number {cell[:40]!r}; the file is cut off. Copy it again."
        )


def numbers_of(
    column: Array | list[str], decimal: str, heading: str, warnings: list[str], thousands: str = ""
) -> Array | None:
    """A column's numbers, NaN for blanks and for odd cells, which are told; None if most cells are no numbers."""
    if isinstance(column, np.ndarray):
        return column
    if decimal == "." and not thousands:
        try:
            return np.fromiter((float(c) if c else np.nan for c in column), np.float64, len(column))
        except ValueError:
            pass
    values, odd = text.numbers(column, decimal, thousands)
    if not np.isfinite(values).any() or len(odd) * 2 > len(column):
        return None
    if odd:
        warnings.append(
            f"{len(odd)} values of {heading!r} are no numbers (first {odd[0][:40]!r}) and are left blank."
        )
    return values


def seconds_of(cells: list[str]) -> Array:
    """Seconds out of ``h:mm:ss`` with or without days before (``2d 03:04:05.6``, ``2-03:04:05``), or plain seconds.

    NaN for what is none of these.
    """
    return _clocks.seconds_of(cells, _seconds, lambda days, whole, seconds: (whole + seconds) + days)


def _seconds(cell: str) -> float:
    days, _, clock = cell.replace("-", "d").rpartition("d")
    parts = clock.split(":")
    try:
        if len(parts) == 3:
            total = int(parts[0]) * 3600 + int(parts[1]) * 60 + float(parts[2].replace(",", "."))
        elif len(parts) == 2:
            total = int(parts[0]) * 60 + float(parts[1].replace(",", "."))
        else:
            total = float(clock)
        return total + float(days) * 86400 if days else total
    except ValueError:
        return np.nan


_CLOCK = re.compile(r"\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*([AaPp])?\.?[Mm]?\.?\s*\Z")


def moments_of(cells: list[str], span: float | None = None) -> tuple[Array, str] | None:
    """``datetime64[ms]`` out of dates with times, and their order: ``"mdy"``, ``"dmy"`` or ``"ymd"``.

    The order of day and month is told by a day above 12, else by which of the two fits ``span``, the seconds from
    the first record to the last; the answer's order has a ``?`` where nothing tells it (month first is taken).
    None if most cells are no dates.
    """
    if not cells:
        return None
    bare = map(str.strip, cells)
    if "T" in "".join(cells):
        bare = map(str.replace, bare, repeat("T"), repeat(" "), repeat(1))
    written, _, clocks = zip(*map(str.partition, bare, repeat(" ")), strict=True)
    counts = Counter(written)  # few: records of a day have the same
    parts = {date: _split_date(date) for date in counts}
    dates = {date for date in parts.values() if date}
    if sum(count for date, count in counts.items() if parts[date]) * 2 <= len(cells) or not dates:
        return None
    orders = [order for order in ("ymd", "mdy", "dmy") if all(_day(d, order) is not None for d in dates)]
    if not orders:
        return None
    of_day = _clocks.milliseconds_of_day(clocks, _clock)
    best = [(np.asarray(_days(written, parts, order) + of_day), order) for order in orders]
    if len(best) > 1 and span is not None:
        best.sort(key=lambda item: abs(_span(item[0]) - span))
        if abs(_span(best[0][0]) - span) < abs(_span(best[1][0]) - span):
            return best[0]
    times, order = best[0] if len(best) == 1 else next(b for b in best if b[1] == "mdy")
    same = len({d[0] for d in dates} | {d[1] for d in dates}) == 1  # 3/3/2020 is the same in both
    return times, order if len(best) == 1 or same else order + "?"


def _split_date(date: str) -> tuple[str, ...] | None:
    parts = tuple(re.split(r"[/.\-]", date))
    return parts if len(parts) == 3 else None


def _day(parts: tuple[str, ...], order: str) -> np.datetime64 | None:
    if (len(parts[0]) == 4) != (order == "ymd"):
        return None
    year, month, day = (parts[order.index(letter)] for letter in "ymd")
    month = f"{_MONTHS.index(month[:3].casefold()) + 1}" if month[:3].casefold() in _MONTHS else month
    try:
        years = int(year) + (2000 if len(year) == 2 else 0)
        return np.datetime64(f"{years:04d}-{int(month):02d}-{int(day):02d}")
    except ValueError:
        return None


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _days(written: Sequence[str], parts: dict[str, tuple[str, ...] | None], order: str) -> Array:
    """The day of each date, whose parts are given; NaT for what is none."""
    place = {date: k for k, date in enumerate(parts)}
    days = np.array([_day(part, order) if part else None for part in parts.values()], dtype="datetime64[ms]")
    return days[np.fromiter(map(place.__getitem__, written), np.intp, len(written))]


def _clock(text: str) -> int:
    """Milliseconds since midnight; 0 for no time."""
    if len(text) == 8 and text[2] == text[5] == ":" and (text[:2] + text[3:5] + text[6:]).isdecimal():
        return ((int(text[:2]) * 60 + int(text[3:5])) * 60 + int(text[6:])) * 1000
    match = _CLOCK.match(text)
    if match is None:
        return 0
    hours, minutes, seconds, fraction, half = match.groups()
    hour = int(hours) % 12 + 12 * (half in "Pp") if half else int(hours)
    milli = int(f"{fraction or 0}"[:3].ljust(3, "0")) if fraction else 0
    return ((hour * 60 + int(minutes)) * 60 + int(seconds or 0)) * 1000 + milli


def _span(times: Array) -> float:
    known = times[~np.isnat(times)]
    return float((known[-1] - known[0]) / np.timedelta64(1, "s")) if len(known) else np.inf
