"""Tables of Microsoft Jet 3 / Jet 4 / ACE databases (`.mdb`, `.accdb`, Arbin's `.res`), read only.

Facts: a file is pages of 2048 (Jet 3) or 4096 bytes. A page begins with its kind: 1 data, 2 table definition. A
definition says a table's columns; data pages name the definition they belong to. Rows lie at a page's end, the
first one last; a row is a count of columns, values of fixed place, values of varying length, a table of their ends
written backwards, and a bit a column that says whether it has a value (or, for a truth value, what it is). The
table of tables is defined on page 2.

Values of fixed place are read by NumPy, all rows of a length at once; texts one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement.text import clean_text
from zairyo.readers._api import ReadError

Array = NDArray[Any]
MAGICS = (b"Standard Jet DB\x00", b"Standard ACE DB\x00")
_BOOL, _MONEY, _DATE, _BINARY, _TEXT, _OLE, _MEMO, _GUID, _NUMERIC = 1, 5, 8, 9, 10, 11, 12, 15, 16
_FIXED = {2: "u1", 3: "<i2", 4: "<i4", _MONEY: "<i8", 6: "<f4", 7: "<f8", _DATE: "<f8", 18: "<i4"}
_MOST_PAGES_OF_DEFINITION = 256
_MOST_TEXTS = 200_000
_MOST_TEXT = 1 << 20
_PAGES_AT_ONCE = 1024
_DELETED, _ELSEWHERE, _PLACE = 0x8000, 0x4000, 0x1FFF


@dataclass(frozen=True)
class _Layout:
    """Where Jet 3 and Jet 4 keep the same things."""

    page: int
    rows: int  # in a table's definition: how many rows it has
    columns: int
    indexes: int
    definition: int  # where the list of indexes begins
    index: int  # bytes an index
    column: struct.Struct  # type, number, number among those of varying length, flags, place
    names: str  # type of a name's length
    data_rows: int  # in a data page: how many rows
    count: str  # type of a row's count of columns, and of the table of ends
    width: int


_JET3 = _Layout(2048, 12, 25, 31, 43, 8, struct.Struct("<BHH8xBH2x"), "<B", 8, "<u1", 1)
_JET4 = _Layout(4096, 16, 45, 51, 63, 12, struct.Struct("<B4xHH6xB5xH2x"), "<H", 12, "<u2", 2)


@dataclass(frozen=True)
class Column:
    """A column as its table defines it."""

    name: str
    kind: int
    number: int
    varying: int
    fixed: bool
    place: int


class Database:
    """A database in memory.

    Parameters
    ----------
    data
        The whole file.

    Raises
    ------
    ReadError
        It is no Jet database, is encrypted, or is cut off before its table of tables.
    """

    def __init__(self, data: bytes) -> None:
        if data[4:20] not in MAGICS or len(data) < 20 + 1:
            raise ReadError("The file is no Access database.")
        self.layout = _JET3 if data[0x14] == 0 else _JET4
        size = self.layout.page
        if len(data) < 3 * size:
            raise ReadError(
                f"The database ends at byte {len(data)}, before its table of tables; it is cut off."
            )
        if len(data) % size:
            raise ReadError(
                f"The database ends within a page (byte {len(data)}); it is cut off. Copy it again."
            )
        self.bytes = np.frombuffer(data, np.uint8)
        self.data = data
        self.pages = self.bytes.reshape(-1, size)
        if self.pages[2, 0] != 2:
            raise ReadError(
                "The database has no table of tables where it should be; it is encrypted or damaged."
            )

    @cached_property
    def tables(self) -> dict[str, int]:
        """Names of the user's tables → page of their definition."""
        found = self._read(2, {"Id", "Name", "Type"})
        if not {"Id", "Name", "Type"} <= found.keys():
            raise ReadError("The database's table of tables lacks its columns; it is damaged.")
        pages = {}
        for name, kind, page in zip(found["Name"], found["Type"], found["Id"], strict=True):
            whole = isinstance(page, np.integer) and isinstance(name, str)  # else the definition is damaged
            if whole and kind == 1 and name and not name.startswith("MSys"):
                pages[name] = int(page) & 0xFFFFFF
        return pages

    def read(self, table: str, wanted: Iterable[str] | None = None) -> dict[str, Array | list[Any]]:
        """The columns of a table: arrays of numbers (NaN or 0 where a number is missing), lists of texts.

        Raises
        ------
        ReadError
            There is no such table, or it is damaged or cut off.
        """
        if table not in self.tables:
            raise ReadError(
                f"The database has no table {table!r}; it has {', '.join(self.tables) or 'none'}."
            )
        return self._read(self.tables[table], None if wanted is None else set(wanted))

    def rows(self, table: str) -> int:
        """How many rows the table's definition says it has."""
        body = self._definition(self.tables[table])
        return int(struct.unpack_from("<I", body, self.layout.rows)[0])

    # -- definitions -----------------------------------------------------------------------------------

    def _definition(self, page: int) -> bytes:
        """A table's definition, put together from its pages."""
        body, seen = b"", set[int]()
        while page and len(seen) < _MOST_PAGES_OF_DEFINITION:
            if page in seen or page >= len(self.pages) or self.pages[page, 0] != 2:
                raise ReadError(
                    f"A table's definition on page {page} is not there; the database is cut off or damaged."
                )
            seen.add(page)
            raw = self.pages[page].tobytes()
            body += raw if not body else raw[8:]
            page = struct.unpack_from("<I", raw, 4)[0]
        if not body:
            raise ReadError("A table of the database has no definition; the file is damaged.")
        return body

    def _columns(self, page: int) -> list[Column]:
        layout, body = self.layout, self._definition(page)
        count = struct.unpack_from("<H", body, layout.columns)[0]
        indexes = struct.unpack_from("<I", body, layout.indexes)[0]
        at = layout.definition + indexes * layout.index
        if indexes > 1000 or at + count * (layout.column.size + layout.width) > len(body):
            raise ReadError(f"The table's definition on page {page} is damaged: {count} columns do not fit.")
        parts = [layout.column.unpack_from(body, at + k * layout.column.size) for k in range(count)]
        at += count * layout.column.size
        names = []
        for _ in range(count):
            length = (
                struct.unpack_from(layout.names, body, at)[0] if at + layout.width <= len(body) else 1 << 16
            )
            start = at + layout.width
            if start + length > len(body):
                raise ReadError(
                    f"The table's definition on page {page} is damaged: a column's name is cut off."
                )
            names.append(self._text(body[start : start + length]))
            at = start + length
        return [
            Column(name, kind, number, varying, bool(flags & 1), place)
            for name, (kind, number, varying, flags, place) in zip(names, parts, strict=True)
        ]

    # -- rows ------------------------------------------------------------------------------------------

    def _places(self, table: int) -> Iterator[tuple[Array, Array]]:
        """First byte and end of the table's rows, some thousand pages at a time."""
        size, layout = self.layout.page, self.layout
        owner = self.pages[:, 4:8].copy().view("<u4")[:, 0]
        pages = np.flatnonzero((self.pages[:, 0] == 1) & (owner == table))
        for some in np.split(pages, range(_PAGES_AT_ONCE, len(pages), _PAGES_AT_ONCE)):
            if not len(some):
                continue
            held = self.pages[some]
            counts = np.ndarray(len(some), "<u2", held, layout.data_rows, (size,)).astype(np.int64)
            heads = layout.data_rows + 2 + 2 * counts
            if np.any(heads > size):
                page = int(some[np.argmax(heads > size)])
                raise ReadError(f"Page {page} of the database says it has more rows than fit; it is damaged.")
            most = int(counts.max())
            if not most:
                continue
            words = np.ndarray((len(some), most), "<u2", held, layout.data_rows + 2, (size, 2)).astype(
                np.int64
            )
            first = words & _PLACE
            last = np.concatenate((np.full((len(some), 1), size), first[:, :-1]), axis=1)[:, :most]
            good = (np.arange(most) < counts[:, None]) & ((words & _DELETED) == 0)
            moved = good & ((words & _ELSEWHERE) != 0)
            good &= ~moved & (first < last)
            if np.any(good & ((first < heads[:, None]) | (last > size))):
                raise ReadError("A page of the database has rows outside of it; it is damaged.")
            base = (some * size)[:, None]
            starts, ends = (first + base)[good], (last + base)[good]
            for at in (first + base)[moved].tolist():
                pointer = struct.unpack_from("<I", self.data, at)[0] if at + 4 <= len(self.data) else 0
                if place := self._pointed(pointer):
                    starts, ends = np.append(starts, place[0]), np.append(ends, place[1])
            yield starts, ends

    def _pointed(self, pointer: int) -> tuple[int, int] | None:
        """Where a pointer (a row's number in a byte, a page in three) leads: first byte and end."""
        row, page, size = pointer & 0xFF, pointer >> 8, self.layout.page
        base, first = page * size, self.layout.data_rows + 2
        if not 0 < page < len(self.pages) or self.pages[page, 0] != 1 or first + 2 * row + 2 > size:
            return None
        start = struct.unpack_from("<H", self.data, base + first + 2 * row)[0] & _PLACE
        end = size
        if row:
            end = struct.unpack_from("<H", self.data, base + first + 2 * row - 2)[0] & _PLACE
        return (base + start, base + end) if start < end <= size else None

    def _read(self, page: int, wanted: set[str] | None) -> dict[str, Array | list[Any]]:
        columns = [c for c in self._columns(page) if wanted is None or c.name in wanted]
        parts: dict[str, list[Any]] = {c.name: [] for c in columns}
        for starts, ends in self._places(page):
            lengths = ends - starts
            order = np.zeros(0, np.int64)
            chunk: dict[str, list[Any]] = {c.name: [] for c in columns}
            for length in np.unique(lengths).tolist():
                rows = np.flatnonzero(lengths == length)
                order = np.concatenate((order, rows))
                table = np.lib.stride_tricks.sliding_window_view(self.bytes, length)[starts[rows]]
                for column in columns:
                    chunk[column.name].append(self._values(column, table))
            back = np.argsort(order, kind="stable")
            for name, values in chunk.items():
                if values and isinstance(values[0], np.ndarray):
                    parts[name].append(np.concatenate(values)[back])
                else:
                    flat = [v for part in values for v in part]
                    parts[name] += [flat[k] for k in back.tolist()]
        found: dict[str, Array | list[Any]] = {}
        for name, values in parts.items():
            arrays = bool(values) and isinstance(values[0], np.ndarray)
            found[name] = np.concatenate(values) if arrays else values
        return found

    def _values(self, column: Column, table: Array) -> Array | list[Any]:
        """A column's values in rows of one length, shape (rows, bytes)."""
        width, length = self.layout.width, table.shape[1]
        if length < width + 1:
            raise ReadError("A row of the database is shorter than its head; it is damaged.")
        counts = np.ndarray(len(table), self.layout.count, table, 0, (length,)).astype(np.int64)
        bits = (counts + 7) // 8
        place = length - bits + column.number // 8
        if (place == place[0]).all():  # rows of a table nearly always have as many columns
            byte = table[:, min(max(int(place[0]), 0), length - 1)]
        else:
            byte = table[np.arange(len(table)), np.clip(place, 0, length - 1)]
        there = (byte >> (column.number % 8)) & 1 == 1
        there &= (column.number < counts) & (bits + width <= length)
        if column.kind == _BOOL:
            return there  # type: ignore[no-any-return]
        if column.kind in _FIXED and column.fixed:
            return self._numbers(column, table, there)
        if len(table) > _MOST_TEXTS:
            raise ReadError(
                f"Column {column.name!r} has more than {_MOST_TEXTS} texts, more than is read here."
            )
        return [
            self._one(column, row.tobytes(), int(n)) if ok else None
            for row, n, ok in zip(table, bits, there, strict=True)
        ]

    def _numbers(self, column: Column, table: Array, there: Array) -> Array:
        dtype = np.dtype(_FIXED[column.kind])
        start = self.layout.width + column.place
        end = start + dtype.itemsize
        if end > table.shape[1]:
            if there.any():
                raise ReadError(
                    f"A row of the database ends before its column {column.name!r}; it is damaged."
                )
            return np.full(len(table), np.nan if dtype.kind == "f" else 0, dtype)
        values = np.ndarray(len(table), dtype, table, start, (table.shape[1],)).copy()
        if column.kind == _MONEY:
            values = values / 1e4
        values[~there] = np.nan if values.dtype.kind == "f" else 0
        return values

    # -- values of varying length ----------------------------------------------------------------------

    def _one(self, column: Column, row: bytes, bits: int) -> Any:
        """A text of one row, or the bytes of what is no text; None where it is damaged."""
        if column.fixed:
            start = self.layout.width + column.place
            raw = row[start : start + (17 if column.kind == _NUMERIC else 16)]
        else:
            raw = self._varying(column.varying, row, bits)
        if column.kind == _TEXT:
            return self._text(raw)
        if column.kind in (_MEMO, _OLE):
            long = self._long(raw)
            return self._text(long) if column.kind == _MEMO else long
        return raw

    def _varying(self, number: int, row: bytes, bits: int) -> bytes:
        """The bytes of a value of varying length, by the table of ends that is written backwards."""
        if self.layout.width == 2:
            at = len(row) - bits - 2
            if at < 0 or number >= struct.unpack_from("<H", row, at)[0]:
                return b""
            ends = [at - 2 * (number + 1), at - 2 * (number + 2)]
            if ends[1] < 0:
                return b""
            start, end = (struct.unpack_from("<H", row, e)[0] for e in ends)
            return row[start:end]
        at = len(row) - bits - 1
        count = row[at] if at >= 0 else 0
        jumps = (len(row) - 1) // 256
        at -= jumps  # in Jet 3 an end is one byte; the jumps say which of them begin another 256 bytes
        if number >= count or at - count - 1 < 0:
            return b""
        jump = row[at : at + jumps]
        start, end = (
            row[at - 1 - k] + 256 * sum(j <= k for j in jump if j != 0xFF) for k in (number, number + 1)
        )
        return row[start:end]

    def _long(self, raw: bytes) -> bytes:
        """A long value: in the row itself, in another row, or in a chain of them."""
        if len(raw) < 12:
            return b""
        word, pointer = struct.unpack_from("<II", raw)
        length, kind = min(word & 0x3FFFFFFF, _MOST_TEXT), word >> 30
        if kind == 2:
            return raw[12 : 12 + length]
        found, seen = b"", set[int]()
        while pointer and pointer not in seen and len(found) < length:
            seen.add(pointer)
            place = self._pointed(pointer)
            if place is None:
                break
            piece = self.data[place[0] : place[1]]
            if kind == 1:
                return piece[:length]
            pointer = struct.unpack_from("<I", piece)[0] if len(piece) >= 4 else 0
            found += piece[4:]
        return found[:length]

    def _text(self, raw: bytes) -> str:
        """Jet 4 writes UTF-16, or after FF FE one byte a letter with zeros that switch between the two."""
        if self.layout.width == 1:
            return clean_text(raw.decode("cp1252", "replace")).strip("\ufffd")
        if raw[:2] != b"\xff\xfe":
            return clean_text(raw.decode("utf-16-le", "replace"))
        pieces = raw[2:].split(b"\x00")
        return clean_text(
            "".join(p.decode("utf-16-le" if k % 2 else "latin-1", "replace") for k, p in enumerate(pieces))
        )
