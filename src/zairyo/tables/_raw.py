"""Tables as files and DataFrames hold them: columns of text or numbers under headings, each row with its place."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.tables import _text
from zairyo.tables._base import Floats, Integers, TableError, needs

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_LONGEST_CELL = 1 << 20
#: Headings in line with each other.
_SPACED = re.compile(r"\S {2,}\S")
#: How a remark below a table begins.
_FOOTNOTE = re.compile(r"[*†‡§※注]|(?:notes?|remarks?|備考)\b|\(?\d\)\s", re.I)


@dataclass
class RawColumn:
    """A column as it was found: ``numbers`` with NaN where there is none, or ``text`` with ``""`` there.

    ``unit`` is what a row of units says; ``levels`` what a categorical dtype says.
    """

    heading: str
    numbers: Floats | None = None
    text: pa.StringArray | None = None
    unit: str = ""
    levels: tuple[str, ...] = ()
    ordered: bool = False

    def __len__(self) -> int:
        return len(self.numbers if self.numbers is not None else self.text)  # type: ignore[arg-type]


@dataclass
class RawTable:
    """Columns of one length.

    ``lines`` says where each row is, in words of ``place`` (line, row); ``rows`` are ids that it brings along.
    """

    columns: list[RawColumn]
    lines: Integers
    source: str
    kind: str = "file"
    place: str = "line"
    decimal: str = "."
    notes: list[str] = field(default_factory=list)
    rows: Integers | None = None

    def at(self, row: int, heading: str) -> str:
        """Where a cell is, for a message."""
        return f"{self.source}, {self.place} {self.lines[row]}, column {heading!r}"

    def take(self, keep: Any) -> RawTable:
        """The rows of a mask."""
        import pyarrow as pa

        for column in self.columns:
            if column.numbers is not None:
                column.numbers = column.numbers[keep]
            else:
                column.text = column.text.filter(pa.array(keep))  # type: ignore[union-attr]
        self.lines = self.lines[keep]
        self.rows = None if self.rows is None else self.rows[keep]
        return self


def arrow() -> Any:
    """pyarrow, or the error that says how to install it."""
    try:
        import pyarrow
    except ImportError:
        raise needs("pyarrow", "learn", "reading tables") from None
    return pyarrow


def read_csv(path: Path, encoding: str | None, delimiter: str | None, decimal: str | None) -> RawTable:
    """A text table.

    Raises
    ------
    TableError
        A row has more or fewer cells than the heading, or it is no text; the message names the line.
    """
    arrow()
    data = path.read_bytes()
    text, found = _text.decode(data, encoding)
    if "\r" in text:
        text, found = text.replace("\r\n", "\n").replace("\r", "\n"), f"{found}, line ends changed"
    try:
        layout = _text.find_layout(text.removeprefix("\ufeff"), delimiter, decimal)
    except csv.Error as e:
        raise TableError(f"it is not a table of separated cells: {e}") from None
    if found != "utf-8":
        data = text.encode("utf-8", "replace")
    del text
    start = 0
    for _ in range(layout.first):
        start = data.find(b"\n", start) + 1 or len(data)
    names = _without_blank_end(layout.names)
    if len(names) == 1 and _SPACED.search(names[0]):
        raise TableError("its cells seem to be separated by spaces; save it with commas or tabs between them")
    notes = list(layout.notes)
    columns, lines = _parse(memoryview(data)[start:], layout, len(layout.names), notes)
    stated = (*layout.units, *[""] * len(layout.names))
    raw = [
        RawColumn(name, text=cells, unit=unit)
        for name, cells, unit in zip(layout.names, columns, stated, strict=False)
    ]
    found = found.partition(",")[0]
    if found not in ("utf-8", "utf-8-sig") and encoding is None:
        notes.append(f"its text was read as {found}")
    table = RawTable(raw, lines, path.name, decimal=layout.decimal, notes=notes)
    return _tidy(table, len(names))


def _parse(
    body: memoryview, layout: _text.Layout, width: int, notes: list[str]
) -> tuple[list[Any], Integers]:
    """The columns as text, and the line of each row."""
    import pyarrow as pa
    from pyarrow import csv as pacsv

    raw = bytes(body) if len(body) < 1 << 16 else body
    quoted = b'"' in raw.tobytes() if isinstance(raw, memoryview) else b'"' in raw
    fields = [f"f{i}" for i in range(width)]
    try:
        table = pacsv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=pacsv.ReadOptions(column_names=fields, block_size=1 << 24),
            parse_options=pacsv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=quoted),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(fields, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:  # another number of cells somewhere, or nothing below the heading
        return _parse_slowly(body, layout, width, notes)
    lines = _lines(body, layout, table.num_rows, quoted)
    if lines is None:
        return _parse_slowly(body, layout, width, notes)
    columns = []
    for i in range(width):
        chunks = table.column(i).chunks
        columns.append(pa.concat_arrays(chunks) if chunks else pa.array([], pa.string()))
    return columns, lines


def _lines(body: memoryview, layout: _text.Layout, rows: int, quoted: bool) -> Integers | None:
    """The line of each row where lines are rows, blank ones aside; None where cells hold line ends."""
    array = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(array == 10)
    if len(array) and array[-1] != 10:
        ends = np.append(ends, len(array))
    lengths = np.diff(ends, prepend=-1) - 1
    carriage = (lengths == 1) & (array[np.minimum(ends - 1, len(array) - 1)] == 13)
    lines = np.flatnonzero((lengths > 0) & ~carriage) + layout.first + 1
    return lines if len(lines) == rows else None


def _parse_slowly(
    body: memoryview, layout: _text.Layout, width: int, notes: list[str]
) -> tuple[list[Any], Integers]:
    """Row by row, for tables with quoted line ends, and to say where one is wrong. Footnotes are noted."""
    import pyarrow as pa

    csv.field_size_limit(_LONGEST_CELL)
    text = bytes(body).decode("utf-8", "replace")
    reader = csv.reader(StringIO(text, newline=""), delimiter=layout.delimiter)
    rows: list[list[str]] = []
    lines, problems, end = [], [], 0
    footnotes: list[int] = []
    try:
        for row in reader:
            line, end = layout.first + end + 1, reader.line_num
            if (
                not row
                or (len(row) == 1 and not row[0].strip() and width > 1)
                or (len(row) < width and row[0].startswith("#"))
            ):
                continue
            if width > 2 and len(row) < width and _FOOTNOTE.match(row[0].strip()) and not any(row[1:]):
                footnotes.append(line)
                continue
            if len(row) < width or any(cell.strip() for cell in row[width:]):
                cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
                problems.append(
                    f"line {line} has {cells} where the heading has {width}: "
                    + (
                        "take that line out if it is a remark, or fill it up"
                        if len(row) == 1
                        else f"correct that line, or quote cells that hold {layout.delimiter!r}"
                    )
                )
                continue
            rows.append(row[:width])
            lines.append(line)
    except csv.Error as e:
        raise TableError(f"line {layout.first + reader.line_num}: {e}") from None
    if footnotes and lines and footnotes[0] < lines[-1]:
        problems.append(f"line {footnotes[0]} is a remark between the rows: take it out")
    if problems:
        raise TableError(*problems)
    if footnotes:
        at = ", ".join(map(str, footnotes))
        notes.append(
            f"line {at} is a remark below the table and is not read"
            if len(footnotes) == 1
            else f"lines {at} are remarks below the table and are not read"
        )
    columns = zip(*rows, strict=True) if rows else [()] * width
    return [pa.array(c, pa.string()) for c in columns], np.array(lines, np.int64)


def read_excel(path: Path, sheet: str | int | None) -> RawTable:
    """A sheet of a workbook (xls, xlsx, ods): the first, or the one named.

    Raises
    ------
    TableError
        It is damaged, or there is no such sheet.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    arrow()
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if isinstance(sheet, str) and sheet not in names:
            raise TableError(f"there is no sheet {sheet!r}; there are {', '.join(names)}")
        filled = [n for n in names if sheet is not None or book.get_sheet_by_name(n).height] or names
        name = sheet if isinstance(sheet, str) else filled[sheet or 0]
        rows: list[list[Any]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (CalamineError, IndexError, ValueError) as e:
        if isinstance(e, TableError):
            raise
        raise TableError(f"the workbook cannot be read: {e}") from None
    notes = [f"sheet {name!r} was read, of {len(names)}"] if len(names) > 1 and sheet is None else []
    source = path.name if len(names) == 1 else f"{path.name}[{name}]"
    return _from_rows(rows, source, notes)


def _from_rows(rows: list[list[Any]], source: str, notes: list[str]) -> RawTable:
    text = [[spell(cell) for cell in row] for row in islice(rows, 200)]
    widths = [_text.width(row) for row in text]
    if not any(widths):
        raise TableError("the sheet is empty")
    usual = max(set(filter(None, widths)), key=[w for w in widths if w].count)
    start = next(i for i, w in enumerate(widths) if w >= usual)
    start += _text.is_above_heading(text[start : start + 4])
    names = [cell.strip() for cell in text[start]]
    first = start + 1
    stated = [""] * len(names)
    if first < len(text) and _text.is_units(text[first]):
        stated, first = text[first], first + 1
    if any(widths[:start]):
        are = "row above the heading is" if start == 1 else "rows above the heading are"
        notes.append(f"{start} {are} not read")
    columns = [
        from_values([row[i] if i < len(row) else "" for row in rows[first:]], name, unit.strip())
        for i, (name, unit) in enumerate(zip(names, stated, strict=True))
    ]
    lines = np.arange(first + 1, len(rows) + 1)
    return _tidy(
        RawTable(columns, lines, source, place="row", notes=notes), len(_without_blank_end(tuple(names)))
    )


def from_values(values: Sequence[Any], heading: str, unit: str = "") -> RawColumn:
    """A column of Python values: numbers if every one that is there is a number."""
    pa = arrow()
    blank = [v is None or v is pa.NA or (isinstance(v, str) and not v.strip()) for v in values]
    if all(b or _is_number(v) for b, v in zip(blank, values, strict=True)) and not all(blank):
        numbers = np.array(
            [np.nan if b else float(v) for b, v in zip(blank, values, strict=True)], np.float64
        )
        return RawColumn(heading, numbers=numbers, unit=unit)
    cells = ["" if b else spell(v) for b, v in zip(blank, values, strict=True)]
    return RawColumn(heading, text=pa.array(cells, pa.string()), unit=unit)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, (bool, np.bool_)
    )


def spell(value: Any) -> str:
    """A value as a cell of text: a whole number without its ``.0``, a date in ISO form, nothing for none."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (float, np.floating)):
        return repr(float(value)).removesuffix(".0") if abs(float(value)) < 1e15 else repr(float(value))
    if isinstance(value, (datetime, date, time)):
        text = value.isoformat()
        return "" if text == "NaT" else text
    text = str(value)
    return "" if text in ("<NA>", "NaT") else text


def read_parquet(path: Path) -> tuple[RawTable | None, Any]:
    """A Parquet file's columns; None and the Arrow table if :mod:`zairyo.tables` wrote it."""
    pa = arrow()
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except pa.ArrowException as e:
        raise TableError(f"it is not a Parquet file that can be read: {e}") from None
    if b"zairyo" in (table.schema.metadata or {}):
        return None, table
    columns = [from_arrow(table.column(i), str(name)) for i, name in enumerate(table.column_names)]
    lines = np.arange(1, table.num_rows + 1)
    return _tidy(RawTable(columns, lines, path.name, place="row"), len(columns)), table


def from_arrow(array: Any, heading: str) -> RawColumn:
    """A column out of an Arrow array of plain type.

    Raises
    ------
    TableError
        Its cells are lists, structures or bytes.
    """
    pa = arrow()
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    kind, ordered = array.type, False
    levels: tuple[str, ...] = ()
    if pa.types.is_dictionary(kind):
        levels = tuple(spell(v) for v in array.dictionary.to_pylist())
        ordered, array = kind.ordered, array.cast(kind.value_type)
        kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return RawColumn(heading, numbers=np.array(numbers, np.float64))
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise TableError(f"column {heading!r} holds {kind}, not numbers or text; leave it out")
    if pa.types.is_temporal(kind):
        text = pa.array([spell(v) for v in array.to_pylist()], pa.string())
    else:
        text = array.cast(pa.string())
    return RawColumn(heading, text=text.fill_null(""), levels=levels, ordered=ordered)


def read_frame(frame: pd.DataFrame, source: str = "DataFrame") -> RawTable:
    """A DataFrame's columns. An index of distinct whole numbers becomes the rows' ids; another one a column."""
    pa = arrow()
    import pandas as pd

    columns = []
    rows = None
    for level in range(frame.index.nlevels):
        index = frame.index.get_level_values(level)
        if frame.index.nlevels == 1 and pd.api.types.is_integer_dtype(index) and index.name in (None, "row"):
            if index.is_unique and (not len(index) or index.min() >= 0):
                rows = index.to_numpy().astype(np.int64)
            continue
        columns.append(from_values(list(index), str(index.name or "index")))
    for i, name in enumerate(frame.columns):
        series, heading = frame.iloc[:, i], " ".join(map(str, name)) if isinstance(name, tuple) else str(name)
        if isinstance(series.dtype, pd.CategoricalDtype) and pd.api.types.is_numeric_dtype(
            series.cat.categories
        ):
            series = series.astype(series.cat.categories.dtype)
        try:
            columns.append(from_arrow(pa.array(series, from_pandas=True), heading))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            columns.append(from_values(list(series), heading))
    lines = np.arange(len(frame)) if rows is None else rows
    return RawTable(columns, np.asarray(lines, np.int64), source, kind="frame", place="row", rows=rows)


def _without_blank_end(names: tuple[str, ...]) -> tuple[str, ...]:
    return names[: _text.width(names)]


def _tidy(table: RawTable, named: int) -> RawTable:
    """Without blank rows, and without columns that have neither heading nor cells; both are noted if not at the end."""
    said = [_said(column) for column in table.columns]
    kept = [i for i, c in enumerate(table.columns) if c.heading or said[i].any()]
    for i in kept:
        table.columns[i].heading = table.columns[i].heading or f"column {i + 1}"
    table.columns = [table.columns[i] for i in kept]
    rows = np.logical_or.reduce([said[i] for i in kept]) if kept else np.zeros(0, bool)
    rows = _without_summaries(table, rows)
    if rows.all():
        return table
    if blank := int(np.count_nonzero(~rows[: np.flatnonzero(rows)[-1]])) if rows.any() else 0:
        table.notes.append(f"{blank} blank rows were left out")
    return table.take(rows)


#: What the first cell of a row says that sums up those above it.
_SUMMARY = re.compile(
    r"(?:grand |sub)?(?:totals?|sum|mean|average|ave|avg|median|s\.?d|std|stdev|std\. ?dev|standard deviation|rsd|cv|"
    r"minimum|maximum|min|max|合計|小計|総計|計|平均|平均値|標準偏差|最大|最小|最大値|最小値|中央値)[.:：]?\s*",
    re.I,
)


def _without_summaries(table: RawTable, rows: Any) -> Any:
    """The mask of rows without totals and means at the end, which are no samples; they are noted."""
    names = next((c for c in table.columns if c.text is not None), None)
    if names is None or not rows.any() or table.columns[0] is not names:
        return rows
    rows, left = rows.copy(), []
    for at in np.flatnonzero(rows)[::-1].tolist():
        text = str(names.text[at].as_py()).strip()  # type: ignore[index]
        if not _SUMMARY.fullmatch(text):
            break
        rows[at] = False
        left.append(f"{table.place} {table.lines[at]} ({text})")
    if left:
        table.notes.append(f"{', '.join(reversed(left))} sums up the rows above and is left out")
    return rows


def _said(column: RawColumn) -> Any:
    """Which cells are not blank."""
    if column.numbers is not None:
        return ~np.isnan(column.numbers)
    from pyarrow import compute

    return compute.not_equal(column.text, "").to_numpy(zero_copy_only=False)


def unique(headings: Iterable[str]) -> list[str]:
    """The same names, later ones of the same spelling numbered: ``a, b, a 2``."""
    seen: dict[str, int] = {}
    result = []
    for heading in headings:
        seen[heading] = seen.get(heading, 0) + 1
        result.append(heading if seen[heading] == 1 else f"{heading} {seen[heading]}")
    return result


def suffix_of(path: str | os.PathLike[str]) -> str:
    return Path(path).suffix.casefold()
