"""Excel workbooks of no known program: the table of numbers of each sheet. The last resort, as ``plain_table`` is.

A sheet's table are its longest unbroken rows of two or more numbers; the texts above them are the headings, with a row
of units between where most of it are units. What stands above is kept as metadata. A sheet without numbers is notes.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from zairyo.measurement import Entry, Measurement, table, units
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import NO, RawInput, Reader, ReadError
from zairyo.readers._text_export import signals_of, split_name
from zairyo.readers._tokens import unique
from zairyo.readers._workbook import Row, Workbook, column, mentions

#: As sure as ``plain_table``: any reader that knows the workbook goes first.
_LAST = 0.05
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_SHEETS, _MOST_COLUMNS = 200, 2000
_LEAST_ROWS = 3
_SPELLINGS = {"oC": "degC", "ºC": "degC", "/s": "1/s", "Pa-s": "Pa*s", "Pa-sec": "Pa*s"}
_WIDE = (datetime, date, time, timedelta)
_NOT_SAID = "The file does not say how it was measured; its columns are as written."


def sniff(src: RawInput) -> float:
    if src.head.startswith(_OLE):
        return _LAST if src.suffix == ".xls" or mentions(src, "Workbook") else NO
    return _LAST if mentions(src) else NO


def read(src: RawInput) -> Measurement:
    book = Workbook(src)
    warnings: list[str] = [_NOT_SAID]
    taken: set[str] = set()
    entries: list[Entry] = []
    notes: dict[str, str] = {}
    for sheet in book.names[:_MOST_SHEETS]:
        rows = book.rows(sheet)
        made = _entry(sheet, rows, taken, warnings)
        if made is not None:
            entries.append(made)
        elif text := _as_text(rows[:200]):
            notes[clean_text(sheet)] = text
    if len(book.names) > _MOST_SHEETS:
        warnings.append(f"Sheets beyond the first {_MOST_SHEETS} were left out.")
    if not entries:
        raise ReadError(
            f"{src.name} has no sheet with a table of numbers: {_LEAST_ROWS} or more rows with two "
            "or more numbers each."
        )
    return Measurement(
        tuple(entries),
        title=src.path.stem,
        original_metadata=tidy_metadata(notes),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


def _block(rows: list[Row]) -> tuple[int, int]:
    """The longest unbroken rows of two or more numbers, from and to before; (0, 0) if there are none."""
    full = [sum(map(_is_number, row)) >= 2 for row in rows]
    best, at = (0, 0), 0
    for is_full, run in groupby(full):
        length = len(list(run))
        if is_full and length > best[1] - best[0]:
            best = at, at + length
        at += length
    return best


def _entry(sheet: str, rows: list[Row], taken: set[str], warnings: list[str]) -> Entry | None:
    begin, end = _block(rows)
    if end - begin < _LEAST_ROWS:
        return None
    width = min(max(map(len, rows[begin:end])), _MOST_COLUMNS)
    cells = [[row[k] if k < len(row) else "" for row in rows[begin:end]] for k in range(width)]
    columns = {
        k: values for k in range(width) if (values := column([_plain(c) for c in cells[k]])) is not None
    }
    numeric = [k for k, values in columns.items() if values.dtype.kind == "f"]
    if len(numeric) < 2:
        return None
    names, stated, head = _headings(rows, begin, numeric)
    pairs = {k: split_name(names.get(k, "") or f"column {k + 1}") for k in columns}
    signals = signals_of(
        [pairs[k][0] for k in columns],
        [stated.get(k, pairs[k][1]) for k in columns],
        list(columns.values()),
        [],
        warnings,
        _SPELLINGS,
    )
    plotted = [s.name for s in signals if s.values.dtype.kind == "f"]
    if len(plotted) < 2:
        return None
    left = sum(any(map(_is_number, row)) for row in rows[end:])
    if left:
        warnings.append(
            f"{left} rows with numbers below row {end} of sheet {clean_text(sheet)[:40]!r} are apart from the table; "
            "they were left out."
        )
    title = clean_text(sheet)
    return table(
        unique(title, taken, "sheet"), "unspecified", signals, x=plotted[0], default=plotted[1], title=title,
        original_metadata=tidy_metadata({"head": _as_text(rows[:head])}),
    )  # fmt: skip


def _plain(cell: Any) -> Any:
    """Moments as ISO texts; everything else as it is."""
    return (
        cell.isoformat()
        if isinstance(cell, (datetime, date, time))
        else str(cell)
        if isinstance(cell, _WIDE)
        else cell
    )


def _headings(rows: list[Row], begin: int, numeric: list[int]) -> tuple[dict[int, str], dict[int, str], int]:
    """The columns' names and units by place, and where they begin: the rows of texts right above the numbers."""

    def texts(at: int) -> dict[int, str]:
        return {k: clean_text(c).strip() for k, c in enumerate(rows[at]) if isinstance(c, str) and c.strip()}

    def names(at: int) -> bool:
        return at >= 0 and 2 * sum(k in texts(at) for k in numeric) >= len(numeric)

    at = begin - 1
    stated: dict[int, str] = {}
    if names(at) and names(at - 1):
        below = {k: t.strip("[]()") for k, t in texts(at).items() if k in numeric}
        known = [k for k, t in below.items() if units.normalise(t) is not None or t in ("-", "–", "a.u.")]
        if 2 * len(known) > len(below):
            stated, at = below, at - 1
    if not names(at):
        return {}, stated, begin
    return texts(at), stated, at


def _written(cell: Any) -> str:
    return f"{cell:.15g}" if isinstance(cell, float) else str(_plain(cell)).strip()


def _as_text(rows: list[Row]) -> str:
    """Rows of cells as lines, blank cells left out."""
    lines = ("\t".join(_written(c) for c in row if c not in ("", None)) for row in rows)
    return "\n".join(re.sub(r"[\r\n]+", " ", line) for line in lines if line)


def _prepare() -> None:
    import python_calamine  # noqa: F401


READER = Reader(
    name="plain_workbook",
    version="1",
    techniques=("unspecified",),
    vendor="",
    format="plain tables of numbers (Excel)",
    endings=(".xlsx", ".xls", ".xlsm"),
    sniff=sniff,
    read=read,
    surest=_LAST,
    prepare=_prepare,
    notes="The last resort - of each sheet the longest table of numbers, with its row of names and of units.",
)
