"""Files of rows that are read a piece at a time: CSV and the like, and Parquet.

A piece is what is read together; it becomes a table only once it is known which columns are numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np

from zairyo.campaign._base import CampaignError, Integers
from zairyo.campaign._columns import listed

#: Bytes of a text file, and rows of a Parquet file, that are read together.
_CHUNK = 4 << 20
_ROWS = 1 << 17
#: Bytes of a column of a Parquet file that are read ahead: not all of it, which may be gigabytes.
_BUFFER = 1 << 20
#: Rows from which is told what the columns are.
_HEAD = 5_000

#: What :meth:`Source.table` makes a table of.
Piece: TypeAlias = Any


class Source(Protocol):
    """A file of rows that can be read a piece at a time."""

    headings: list[str]

    def head(self) -> Any:
        """The first rows, as a DataFrame."""
        ...

    def whole(self, name: str) -> bool:
        """Whether a column of whole numbers was written without a decimal point, as far as can be told."""
        ...

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """All pieces in order, with at least these columns."""
        ...

    def gone_through(self, rows: Sequence[int]) -> None:
        """Says how many rows each piece had, before the first :meth:`holding`."""
        ...

    def holding(self, rows: Integers, columns: Sequence[str]) -> Iterator[tuple[int, Piece]]:
        """The pieces that hold some rows (ascending), each with the number of its first row."""
        ...

    def table(self, piece: Piece, columns: Sequence[str], numbers: Sequence[str]) -> Any:
        """Columns of a piece, as Arrow has them: ``numbers`` as float64, the others as text."""
        ...


class ParquetSource:
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        schema = parquet.read_schema(path)
        texts = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
        # Texts that repeat stay the numbers that they are in the file.
        self.file = parquet.ParquetFile(path, read_dictionary=texts, pre_buffer=False, buffer_size=_BUFFER)
        self.headings = list(schema.names)
        self._schema = schema
        groups = [self.file.metadata.row_group(g).num_rows for g in range(self.file.num_row_groups)]
        self._edges = np.cumsum([0, *groups])

    def whole(self, name: str) -> bool:
        import pyarrow as pa

        return bool(pa.types.is_integer(self._schema.field(name).type))

    def head(self) -> Any:
        """The first rows, as a DataFrame."""
        import pyarrow as pa

        for batch in self.file.iter_batches(batch_size=_HEAD):
            return pa.Table.from_batches([batch]).cast(self._schema).to_pandas()
        raise CampaignError("the candidates' file has no rows")

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        yield from self.file.iter_batches(batch_size=_ROWS, columns=list(columns))

    def gone_through(self, rows: Sequence[int]) -> None:
        """The file itself says where its groups of rows begin."""

    def holding(self, rows: Integers, columns: Sequence[str]) -> Iterator[tuple[int, Piece]]:
        group_of = np.searchsorted(self._edges, rows, side="right") - 1
        for group in np.unique(group_of).tolist():
            mine, first = rows[group_of == group], int(self._edges[group])
            for batch in self.file.iter_batches(_ROWS, row_groups=[group], columns=list(columns)):
                low, high = np.searchsorted(mine, [first, first + batch.num_rows])
                if high > low:
                    yield first, batch
                first += batch.num_rows
                if high == len(mine):
                    break

    def table(self, piece: Piece, columns: Sequence[str], numbers: Sequence[str]) -> Any:
        import pyarrow as pa
        from pyarrow import compute as pc

        fields = []
        for name in columns:
            column = piece.column(name)
            if pa.types.is_dictionary(column.type) and (
                name in numbers or not pa.types.is_string(column.type.value_type)
            ):
                column = column.cast(column.type.value_type)
            if not pa.types.is_dictionary(column.type):
                column = pc.cast(column, pa.float64() if name in numbers else pa.string())
            fields.append(column)
        return pa.table(fields, names=list(columns))


class TextSource:
    """A file of separated text; its pieces are some megabytes that end with a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            head = file.read(1 << 16)
        self.encoding = _encoding(head)
        self._start = 3 if head.startswith(b"\xef\xbb\xbf") else 0
        line = head[self._start :].split(b"\n", 1)[0] + b"\n"
        self.delimiter = _delimiter(line.decode(self.encoding))
        told = line.decode(self.encoding).rstrip("\r\n")
        self.headings = [h.strip() for h in next(csv.reader([told], delimiter=self.delimiter), [])]
        twice = sorted({h for h in self.headings if self.headings.count(h) > 1})
        if twice:
            raise CampaignError(f"{path.name} has column {listed(twice)} twice; rename one")
        self._start += len(line)
        second = head[self._start :].split(b"\n", 2)[0].decode(self.encoding)
        self.decimal = "," if self.delimiter == ";" and "," in second and "." not in second else "."
        self._offsets = [self._start]
        self._edges = np.zeros(1, np.int64)
        self._pointed: set[str] = set()

    def head(self) -> Any:
        """The first rows, as a DataFrame of text."""
        import pandas as pd

        told: dict[str, Any] = {"sep": self.delimiter, "encoding": self.encoding, "nrows": _HEAD}
        try:
            frame = pd.read_csv(self.path, dtype=str, keep_default_na=False, **told)
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as e:
            raise CampaignError(f"{self.path.name} cannot be read: {str(e).strip()}") from None
        if self.decimal == ",":
            frame = frame.replace(r"^([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)$", r"\1.\2", regex=True)
        self._pointed = {str(c).strip() for c in frame if frame[c].str.contains(".", regex=False).any()}
        return frame

    def whole(self, name: str) -> bool:
        return name not in self._pointed

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """All pieces; where they begin is found the first time."""
        offsets = [self._start]
        with self.path.open("rb") as file:
            file.seek(self._start)
            rest, quotes = b"", 0  # what is left after the last line that ended
            while chunk := file.read(_CHUNK):
                end = _line_end(chunk, quotes)
                quotes += chunk.count(b'"')
                if end < 0:
                    rest += chunk
                    if len(rest) > 64 * _CHUNK:
                        raise CampaignError(
                            f"{self.path.name}: no line ends in {len(rest):,} bytes; is it a table?"
                        )
                    continue
                piece, rest = rest + chunk[: end + 1], chunk[end + 1 :]
                offsets.append(offsets[-1] + len(piece))
                yield piece
            if rest:
                offsets.append(offsets[-1] + len(rest))
                yield rest
        self._offsets = offsets

    def gone_through(self, rows: Sequence[int]) -> None:
        self._edges = np.cumsum([0, *rows])

    def holding(self, rows: Integers, columns: Sequence[str]) -> Iterator[tuple[int, Piece]]:
        with self.path.open("rb") as file:
            for part in np.unique(np.searchsorted(self._edges, rows, side="right") - 1).tolist():
                file.seek(self._offsets[part])
                yield int(self._edges[part]), file.read(self._offsets[part + 1] - self._offsets[part])

    def table(self, piece: Piece, columns: Sequence[str], numbers: Sequence[str]) -> Any:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        if not piece.strip():
            return pa.table({n: pa.array([], pa.float64() if n in numbers else pa.string()) for n in columns})
        return arrow_csv.read_csv(
            pa.BufferReader(piece),
            read_options=arrow_csv.ReadOptions(
                column_names=self.headings, block_size=max(len(piece), 1 << 16), encoding=self.encoding
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=b'"' in piece),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(columns),
                column_types={n: pa.float64() if n in numbers else pa.string() for n in columns},
                decimal_point=self.decimal,
                strings_can_be_null=True,
            ),
        )


def _encoding(head: bytes) -> str:
    for encoding in ("utf-8", "cp932", "cp1252"):
        try:
            io.BytesIO(head).read().rsplit(b"\n", 1)[0].decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise CampaignError(
        "the candidates' file is no text (neither UTF-8 nor Shift-JIS); save it as CSV in UTF-8 or Parquet"
    )


def _delimiter(line: str) -> str:
    counts = {sign: line.count(sign) for sign in ("\t", ";", ",", "|")}
    return max(counts, key=lambda sign: counts[sign]) if any(counts.values()) else ","


def _line_end(chunk: bytes, quotes: int) -> int:
    """The last place in a chunk where a line ends outside quotes; −1 if there is none."""
    inside = (quotes + chunk.count(b'"')) % 2
    end = last = len(chunk)
    behind = 0
    while (end := chunk.rfind(b"\n", 0, last)) >= 0:
        behind += chunk.count(b'"', end, last)
        if behind % 2 == inside:
            return end
        last = end
    return -1
