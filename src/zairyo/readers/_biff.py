"""Older Excel workbooks (.xls) made safe for the library that reads them.

The library trusts the counts and the places of cells that a file states, and takes memory for all between them: a
damaged byte can ask for terabytes. Here the records that state them are looked at first; the stream that was looked at
is handed on in a container of its own, so that the library can see no other.

Facts: [MS-XLS] (records), [MS-CFB] (container).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from zairyo.readers._api import ReadError

_EOF, _SHEET, _STRINGS, _SIZE, _RUN = 0x000A, 0x0085, 0x00FC, 0x0200, 0x00BD
#: Records of one cell, which begin with its row and column.
_CELLS = frozenset({0x0006, 0x00D6, 0x00FD, 0x0201, 0x0203, 0x0204, 0x0205, 0x027E, 0x00BD, 0x00BE})
_MOST_CELLS = 5_000_000
_MOST_RECORDS = 20_000_000
_MOST_SHEETS = 1000
_RECORD = struct.Struct("<HH")
_SECTOR = 4096
_FREE, _END, _TABLE = 0xFFFF_FFFF, 0xFFFF_FFFE, 0xFFFF_FFFD


def checked(data: bytes, name: str) -> bytes:
    """The workbook's stream in a new container, if what it states can be held.

    Raises
    ------
    ReadError
        It is no workbook, it is damaged, or its sheets span more cells than a measurement has.
    """
    stream = _stream(data, name)
    starts: list[int] = []
    for kind, at, size in _records(stream, 0, name):
        if kind == _SHEET and size >= 4:
            starts.append(struct.unpack_from("<I", stream, at)[0])
        elif kind == _STRINGS and size >= 8 and max(struct.unpack_from("<II", stream, at)) > len(stream):
            raise ReadError(f"{name} states more texts than it can hold; it is damaged. Copy it again.")
    if not 0 < len(starts) <= _MOST_SHEETS:
        raise ReadError(f"{name} is a workbook of {len(starts)} sheets, which is not read.")
    budget = _MOST_RECORDS
    for start in starts:
        budget -= _check_sheet(stream, start, name)
        if budget < 0:
            raise ReadError(f"{name} has sheets that lie over each other; it is damaged. Copy it again.")
    return _container(stream)


def _stream(data: bytes, name: str) -> bytes:
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            place = next((p for p in ("Workbook", "Book") if file.exists(p)), "")
            if place:
                return bytes(file.openstream(place).read())
    except Exception as e:  # olefile raises whatever the damage leads to
        raise ReadError(f"{name} is a damaged workbook ({str(e)[:80]}); copy it again.") from None
    raise ReadError(f"{name} holds no workbook; it is another kind of file.")


def _records(stream: bytes, at: int, name: str) -> Iterator[tuple[int, int, int]]:
    """Kind, place and length of the content of each record, up to the end of the part that begins at ``at``."""
    unpack, end = _RECORD.unpack_from, len(stream)
    while at + 4 <= end:
        kind, size = unpack(stream, at)
        at += 4
        if at + size > end:
            raise ReadError(f"{name} is cut off within a record of its workbook; copy it again.")
        if kind == _EOF:
            return
        yield kind, at, size
        at += size


def _check_sheet(stream: bytes, start: int, name: str) -> int:
    """How many records the sheet has; refused if its cells span too much."""
    unpack = _RECORD.unpack_from
    rows = columns = count = 0
    for kind, at, size in _records(stream, start, name):
        count += 1
        if kind in _CELLS and size >= 4:
            row, column = unpack(stream, at)
            if kind == _RUN:  # several cells beside each other; the last column is at the end
                column = max(column, struct.unpack_from("<H", stream, at + size - 2)[0])
            if row > rows:
                rows = row
            if column > columns:
                columns = column
        elif kind == _SIZE and size >= 14:
            _, last, _, right = struct.unpack_from("<IIHH", stream, at)
            rows, columns = max(rows, last), max(columns, right)
        elif kind == _SIZE and size >= 8:
            _, last, _, right = struct.unpack_from("<HHHH", stream, at)
            rows, columns = max(rows, last), max(columns, right)
    if (rows + 1) * (columns + 1) > _MOST_CELLS:
        raise ReadError(
            f"{name} has a sheet that spans {rows + 1} rows by {columns + 1} columns, more than is read; it is damaged."
        )
    return count


def _container(stream: bytes) -> bytes:
    """A compound file with this one stream, in sectors of 4096 bytes."""
    size = max(len(stream), _SECTOR)  # shorter streams would have to be elsewhere
    sectors = -(-size // _SECTOR)
    tables = 1
    while tables * (_SECTOR // 4) < tables + 2 + sectors:
        tables += 1
    # Sectors in order: the table of chains, the directory, the (blank) store of short streams, the stream.
    chain = [_TABLE] * tables + [_END, _END] + [tables + 3 + k for k in range(sectors - 1)] + [_END]
    chain += [_FREE] * (tables * (_SECTOR // 4) - len(chain))
    header = struct.pack("<8s16xHHHHH6x", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 4, 0xFFFE, 12, 6)
    header += struct.pack("<IIIIIIIII", 1, tables, tables, 0, _SECTOR, _END, 0, _END, 0)
    header += struct.pack("<109I", *range(tables), *[_FREE] * (109 - tables))
    root = _directory_entry("Root Entry", 5, 1, tables + 1, _SECTOR)
    book = _directory_entry("Workbook", 2, _FREE, tables + 2, size)
    blank = _directory_entry("", 0, _FREE, 0, 0)
    directory = root + book + blank * (_SECTOR // 128 - 2)
    body = stream + bytes(sectors * _SECTOR - len(stream))
    return b"".join(
        [
            header.ljust(_SECTOR, b"\0"),
            struct.pack(f"<{len(chain)}I", *chain),
            directory,
            bytes(_SECTOR),
            body,
        ]
    )


def _directory_entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    length = len(text) + 2 if name else 0
    return struct.pack("<64sHBBIII16xI16xIQ", text, length, kind, 1, _FREE, _FREE, child, 0, start, size)
