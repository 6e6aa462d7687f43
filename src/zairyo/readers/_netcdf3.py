"""NetCDF's classic format (versions 1, 2 and 5): dimensions, attributes and variables, each checked before it is read.

Big-endian. The specification is Unidata's ("The NetCDF Classic Format Specification").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.measurement import clean_text
from zairyo.measurement.model import Array
from zairyo.readers._api import ReadError
from zairyo.readers._legacy_text import decode_legacy

_TYPES = {
    1: "i1",
    2: "S1",
    3: ">i2",
    4: ">i4",
    5: ">f4",
    6: ">f8",
    7: "u1",
    8: ">u2",
    9: ">u4",
    10: ">i8",
    11: ">u8",
}
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
_MOST = 100_000


@dataclass(frozen=True)
class Variable:
    """Where a variable's values are; ``shape`` has the records first if it has any."""

    name: str
    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    kind: str
    begin: int
    is_record: bool
    attributes: dict[str, Any]


class NetCdf:
    """A classic NetCDF file in memory."""

    def __init__(self, data: bytes, name: str) -> None:
        if data[:3] != b"CDF" or len(data) < 8 or data[3] not in (1, 2, 5):
            raise ReadError(f"{name} is no NetCDF file of the classic format")
        self._data, self._name, self._at = data, name, 4
        self._size = 8 if data[3] == 5 else 4  # of a count
        self._offset = 4 if data[3] == 1 else 8
        records = self._count()
        self.dimensions = self._dimensions(records)
        self.attributes = self._attributes()
        self.variables = {v.name: v for v in self._variables(records)}
        self._stride = self._record_size()

    def _cut(self) -> ReadError:
        return ReadError(
            f"{self._name} is cut off at byte {len(self._data)}, within its head. Copy it again."
        )

    def _number(self, size: int) -> int:
        if self._at + size > len(self._data):
            raise self._cut()
        value = int.from_bytes(self._data[self._at : self._at + size], "big")
        self._at += size
        return value

    def _count(self) -> int:
        value = self._number(self._size)
        return 0 if value == (1 << 8 * self._size) - 1 else value  # a stream of unknown length

    def _list(self, tag: int, what: str) -> range:
        found, count = self._number(4), self._count()
        if found not in (0, tag) or (found == 0 and count) or count > _MOST:
            raise ReadError(f"{self._name}: there is no list of {what} at byte {self._at}; it is damaged")
        return range(count)

    def _text(self) -> str:
        length = self._count()
        if self._at + length > len(self._data):
            raise self._cut()
        text = clean_text(self._data[self._at : self._at + length].decode("utf-8", "replace"))
        self._at += -(-length // 4) * 4
        return text

    def _dimensions(self, records: int) -> list[tuple[str, int, bool]]:
        found = []
        for _ in self._list(_DIMENSIONS, "dimensions"):
            name, length = self._text(), self._count()
            found.append((name, length or records, length == 0))
        return found

    def _attributes(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in self._list(_ATTRIBUTES, "attributes"):
            name, kind, count = self._text(), self._kind(), self._count()
            size = count * np.dtype(kind).itemsize
            if self._at + size > len(self._data):
                raise self._cut()
            raw = self._data[self._at : self._at + size]
            self._at += -(-size // 4) * 4
            if kind == "S1":
                found[name] = clean_text(decode_legacy(raw.rstrip(b"\0"))).strip()
            else:
                numbers = np.frombuffer(raw, kind).tolist()
                found[name] = numbers[0] if len(numbers) == 1 else numbers
        return found

    def _kind(self) -> str:
        number = self._number(4)
        if number not in _TYPES:
            raise ReadError(f"{self._name} names a type {number} before byte {self._at}; it is damaged")
        return _TYPES[number]

    def _variables(self, records: int) -> list[Variable]:
        found = []
        for _ in self._list(_VARIABLES, "variables"):
            name, count = self._text(), self._count()
            if count > 1024:
                raise ReadError(f"{self._name}: variable {name[:40]!r} has {count} dimensions; it is damaged")
            numbers = [self._count() for _ in range(count)]
            if any(n >= len(self.dimensions) for n in numbers):
                raise ReadError(f"{self._name}: variable {name[:40]!r} is over a dimension that is not there")
            over = [self.dimensions[n] for n in numbers]
            attributes, kind = self._attributes(), self._kind()
            self._count()  # its size, which the shape tells
            begin = self._number(self._offset)
            is_record = bool(over) and over[0][2]
            shape = tuple(length for _, length, _ in over)
            found.append(
                Variable(name, tuple(n for n, _, _ in over), shape, kind, begin, is_record, attributes)
            )
        return found

    def _record_size(self) -> int:
        """Bytes of one record of all variables that have records; each filled up to 4, unless there is but one."""
        sizes = [self._bytes(v.shape[1:], v.kind) for v in self.variables.values() if v.is_record]
        return sizes[0] if len(sizes) == 1 else sum(-(-size // 4) * 4 for size in sizes)

    def _bytes(self, shape: tuple[int, ...], kind: str) -> int:
        size = np.dtype(kind).itemsize
        for length in shape:
            size *= length
        return size

    def read(self, name: str) -> Array:
        """A variable's values in their shape, as they are stored.

        Raises
        ------
        ReadError
            It is not there, or the file ends before it does.
        """
        variable = self.variables.get(name)
        if variable is None:
            raise ReadError(f"{self._name} has no variable {name!r}; it is another kind of NetCDF file")
        inner = self._bytes(variable.shape[1:], variable.kind) if variable.is_record else 0
        size = self._bytes(variable.shape, variable.kind)
        if variable.is_record:
            count = variable.shape[0]
            end = variable.begin + (self._stride * (count - 1) + inner if count else 0)
        else:
            end = variable.begin + size
        if end > len(self._data):
            raise ReadError(
                f"{self._name} is cut off: variable {name!r} should go on to byte {end}, but it has {len(self._data)}. "
                "Copy it again."
            )
        if not variable.is_record or not inner:
            count = size // np.dtype(variable.kind).itemsize
            flat: Array = np.frombuffer(self._data, variable.kind, count, variable.begin)
            return flat.reshape(variable.shape)
        record = np.dtype([("values", variable.kind, variable.shape[1:])])
        places = np.ndarray((variable.shape[0],), record, self._data, variable.begin, (self._stride,))
        values: Array = places["values"]
        return values

    def text(self, name: str) -> list[str]:
        """A variable of characters as texts, one a row."""
        values = self.read(name)
        rows = values.reshape(-1, values.shape[-1]) if values.ndim else values.reshape(1, 1)
        return [clean_text(decode_legacy(row.tobytes().split(b"\0")[0])).strip() for row in rows]
