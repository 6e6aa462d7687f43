"""The container of NETZSCH Proteus `.ngb-*` files: streams of tables of numbered fields.

Facts: a zip archive with ``Streams/stream_N.table``. A stream begins with ``Netzsch TA file`` (byte 2) and a
directory of its sections (byte 80); sections follow one another to the end of the stream, and the one whose
number is the stream's holds its tables. A section is a row of records::

    18 fc ff ff 03 80 01 | field u16 | 00 00 01 00 00 00 0c 00 17 fc ff ff | type u8 |
    80 01 value  or  a0 01 count-u32 values | 01 00 00 00 02 00 01 00 00

A record of type 1a whose value ends ``02 00 00 80, table type u16, 00 00`` opens a table; its field number is
the table's category. Arrays say how many values they hold, so that nothing after them is mistaken for data.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError

Array = NDArray[Any]
Value = int | float | str | bytes | None
_MOST_TABLES = 200_000
_RECORD = re.compile(
    rb"\x18\xfc\xff\xff\x03\x80\x01(..)\x00\x00\x01\x00\x00\x00\x0c\x00\x17\xfc\xff\xff(.)([\x80\xa0]\x01)",
    re.DOTALL,
)
_ENDS = (
    b"\x01\x00\x00\x00\x02\x00\x01\x00\x00",
    b"\x01\x00\x00\x00\x04\x00\x01\x00\x00\x00\x03\x00",
    b"\x01\x00\x00\x00\x03\x00",
)
_STRING, _REFERENCE = 0x1F, 0x1A
#: Types of fixed size: code → struct format, None for bytes that are not understood.
_SCALARS: dict[int, tuple[int, str | None]] = {
    0x00: (0, None),
    0x02: (2, "<H"),
    0x03: (4, "<i"),
    0x04: (4, "<f"),
    0x05: (8, "<d"),
    0x10: (1, "<B"),
    0x14: (8, None),
    0x48: (16, None),
}
_ARRAYS = {0x02: "<u2", 0x03: "<i4", 0x04: "<f4", 0x05: "<f8", 0x10: "u1", 0x14: "V8", 0x48: "V16"}


@dataclass
class Table:
    """A table: what it is about, its type, its single values and its arrays, by field number."""

    category: int
    type: int
    values: dict[int, Value] = field(default_factory=dict)
    arrays: dict[int, Array] = field(default_factory=dict)

    def number(self, key: int) -> float | None:
        """A finite number, or None."""
        value = self.values.get(key)
        return float(value) if isinstance(value, (int, float)) and abs(value) < 1e300 else None

    def text(self, key: int) -> str:
        value = self.values.get(key)
        return value.strip() if isinstance(value, str) else ""


def _sections(data: bytes, name: str) -> list[tuple[int, int, int]]:
    """Number, begin and end of each section, checked to fill the stream to its end."""
    if data[2:17] != b"Netzsch TA file" or data[28:40] != b"_db_format_1":
        raise ReadError(
            f"Part {name} does not begin as a NETZSCH table does; the file is damaged. Copy it again."
        )
    sections, at, expected = [], 80, -1
    while data[at : at + 2] == b"\xff\xff" and at + 14 <= len(data):
        number, begin, size = struct.unpack_from("<HII", data, at + 2)
        if not (number or begin or size):
            break
        at += 14
        if begin < at or begin + size > len(data) or (expected >= 0 and begin != expected):
            raise ReadError(
                f"Part {name} puts a section at bytes {begin} to {begin + size} of {len(data)}; it is cut off or"
                " damaged. Copy the file again."
            )
        expected = begin + size
        sections.append((number, begin, expected))
    if expected != len(data):
        raise ReadError(
            f"Part {name} is {len(data)} bytes long, but its sections end at {expected}; it is damaged."
        )
    return sections


def read_tables(data: bytes, stream: int, *, strict: bool) -> list[Table]:
    """The tables of a stream, in their order.

    Parameters
    ----------
    strict
        For measured data: bytes between records that no known form explains are an error. Otherwise the
        walk goes on at the next record.

    Raises
    ------
    ReadError
        The stream is cut off, or, if ``strict``, anything in it is not understood.
    """
    name = f"Streams/stream_{stream}.table"
    found = [(begin, end) for number, begin, end in _sections(data, name) if number == stream]
    if not found:
        raise ReadError(f"Part {name} has no section {stream}; the file is damaged. Copy it again.")
    tables: list[Table] = []
    for key, kind, value, at in _records(data, *found[0], name, strict):
        if kind == _REFERENCE and isinstance(value, bytes) and value[-8:-4] == b"\x02\x00\x00\x80":
            tables.append(Table(key, int.from_bytes(value[-4:-2], "little")))
            if len(tables) > _MOST_TABLES:
                raise ReadError(
                    f"Part {name} has more than {_MOST_TABLES} tables by byte {at}; it is damaged."
                )
        elif tables:
            last = tables[-1]
            if isinstance(value, np.ndarray):
                last.arrays.setdefault(key, value)
            else:
                last.values.setdefault(key, value)
    return tables


def _records(
    data: bytes, begin: int, end: int, name: str, strict: bool
) -> Iterator[tuple[int, int, Value | Array, int]]:
    """Field number, type, value and place of each record between ``begin`` and ``end``."""
    at = begin
    while match := _RECORD.search(data, at, end):
        if strict:
            _check_gap(data[at : match.start()], at, name)
        key, kind = int.from_bytes(match.group(1), "little"), match.group(2)[0]
        parsed = _value(data, match.end(), end, kind, match.group(3)[0] == 0xA0)
        if parsed is None:
            if match.end() + _SCALARS.get(kind, (end, None))[0] == end:
                return  # the last record of a section has no end mark
            if strict:
                raise ReadError(
                    f"Part {name} is damaged at byte {match.start()}: its record does not end as it says. Copy the file"
                    " again."
                )
            at = match.end()
            continue
        value, at = parsed
        yield key, kind, value, match.start()
    if strict:
        _check_gap(data[at:end], at, name)


def _check_gap(gap: bytes, at: int, name: str) -> None:
    """Known between records: nothing, the end of a table, the head of a section or of a table."""
    if gap in (b"", b"\x00\x03\x00") or gap.startswith(
        (b"\x02\x00\x00\x80", b"\x18\xfc\xff\xff\x03\x00\x01")
    ):
        return
    if gap.startswith(
        (b"\x00\x18\xfc\xff\xff\x03\x00\x01", b"\x18\xfc\xff\xff\x03\x80\x01", b"\x00\x03\x00\x18")
    ):
        return
    raise ReadError(
        f"Part {name} has {len(gap)} bytes at {at} that belong to no record; it is damaged. Copy the file again."
    )


def _value(data: bytes, at: int, end: int, kind: int, array: bool) -> tuple[Value | Array, int] | None:
    """A record's value and where the next begins; None if it does not fit or does not end as a record does."""
    if array:
        form = _ARRAYS.get(kind)
        count = int.from_bytes(data[at : at + 4], "little")
        if form is None or at + 4 > end or count * np.dtype(form).itemsize > end - at - 4:
            return None
        values = np.frombuffer(data, form, count, at + 4)
        after = at + 4 + values.nbytes
        value: Value | Array = values
    elif kind == _STRING:
        string = _string(data, at, end)
        if string is None:
            return None
        value, after = string
    elif kind == _REFERENCE:
        after = data.find(_ENDS[0], at, min(end, at + 300))
        if after < 0:
            return None
        value = data[at:after]
    else:
        size, format_ = _SCALARS.get(kind, (-1, None))
        after = at + size
        if size < 0 or after > end:
            return None
        value = struct.unpack_from(format_, data, at)[0] if format_ else data[at:after] or None
    for mark in _ENDS:
        if data.startswith(mark, after) and after + len(mark) <= end:
            return value, after + len(mark)
    return None


def _string(data: bytes, at: int, end: int) -> tuple[str, int] | None:
    """UTF-16 after ``ff fe ff`` and a count that grows with the text; else a size and UTF-8."""
    if data.startswith(b"\xff\xfe\xff", at) and at + 4 <= end:
        count, start = data[at + 3], at + 4
        if count == 0xFF:
            count, start = int.from_bytes(data[at + 4 : at + 6], "little"), at + 6
        after = start + 2 * count
        return (data[start:after].decode("utf-16le", "replace").strip("\0"), after) if after <= end else None
    size = int.from_bytes(data[at : at + 4], "little")
    after = at + 4 + size
    if at + 4 > end or after > end:
        return None
    raw = data[at + 4 : after]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-16le", "replace") if raw[1:2] == b"\0" else raw.decode("cp1252", "replace")
    return text.replace("\0", ""), after
