"""Rows of text exports: split and checked fast, odd cells told, a file that is cut off refused."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        cut = data.rfind(b"\n", 0, _HEAD) + 1 or len(data)
        return (decode_legacy(data[:cut]) + data[cut:].decode("latin-1")).split("\n")


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
    for at, row in enumerate(rows):
        if row.count(delimiter) != width - 1:
            last = at == len(rows) - 1
            why = "The file is cut off there; copy it again." if last else "The file is damaged there."
            raise ReadError(
                f"line {start + at + 1} has {row.count(delimiter) + 1} cells where {width} are expected. {why}"
            )
    _check_last_number(rows, delimiter, lines)
    return _split(rows, delimiter, decimal, width)[:count]


def _split(rows: list[str], delimiter: str, decimal: str, width: int) -> list[Array | list[str]]:
    """Columns of the cells. ``map(float, …)`` is some five times as fast as NumPy's reading of texts."""
    whole = delimiter.join(rows)
    cells = (whole.replace(",", ".") if decimal == "," else whole).split(delimiter)
    plain = "_" not in whole  # which Python's float would pass over
    found: list[Array | list[str]] = []
    for at in range(width):
        column = cells[at::width]
        try:
            if not plain and any("_" in cell for cell in column):
                raise ValueError
            found.append(np.fromiter(map(float, column), np.float64, len(column)))
        except ValueError:
            raw = whole.split(delimiter)[at::width] if decimal == "," else column
            found.append([cell.strip() for cell in raw])
    return found


def _check_last_number(rows: list[str], delimiter: str, lines: list[str]) -> None:
    """Refuse a file that ends within a number that has an exponent in every row before."""
    if len(rows) < 2 or lines[-1] != rows[-1]:
        return
    before, last = (row.rstrip(delimiter).rsplit(delimiter, 1)[-1] for row in rows[-2:])
    if (
        _FLOAT_END.search(before)
        and not _FLOAT_END.search(last)
        and last.strip() not in ("", "0", "nan", "inf")
    ):
        raise ReadError(
            f"the last line ends within the number {last[:40]!r}; the file is cut off. Copy it again."
        )
    if _FLOAT_END.search(before) and len(last) < len(before.lstrip("-")):
        raise ReadError(
            f"the last line ends within the number {last[:40]!r}; the file is cut off. Copy it again."
        )


def numbers_of(
    column: Array | list[str], decimal: str, heading: str, warnings: list[str], thousands: str = ""
) -> Array | None:
    """A column's numbers, NaN for blanks and for odd cells, which are told; None if most cells are no numbers."""
    if isinstance(column, np.ndarray):
        return column
    values, odd = text.numbers(column, decimal, thousands)
    if not np.isfinite(values).any() or len(odd) * 2 > len(column):
        return None
    if odd:
        warnings.append(
            f"{len(odd)} values of {heading!r} are no numbers (first {odd[0][:40]!r}) and are left blank."
        )
    return values


def moment_of(written: str, formats: tuple[str, ...]) -> datetime | None:
    """A date and time in the first of ``formats`` that fits, or None."""
    for form in formats:
        try:
            return datetime.strptime(written.strip(), form)
        except ValueError:
            continue
    return None
