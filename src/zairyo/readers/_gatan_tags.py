"""The tag tree of Gatan's DigitalMicrograph files, versions 3 and 4.

A file is one group. A group has tags; a tag is a group or data, with a name or without. What describes a tag is
big-endian in every file; numbers of data are in the byte order that the head states. Version 4 differs in that lengths
and counts have eight bytes and every tag states its own size. Arrays are not read here, only found:
:class:`Stored` says where one lies.
"""

from __future__ import annotations

import mmap
import struct
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import clean_text
from zairyo.readers._api import ReadError

_GROUP, _DATA, _END = 20, 21, 0
_STRUCT, _STRING, _ARRAY = 15, 18, 20
#: Number of a data type → format of ``struct`` and NumPy. 8 is a truth value, 9 and 10 are characters.
_NUMBERS = {
    2: "i2",
    3: "i4",
    4: "u2",
    5: "u4",
    6: "f4",
    7: "f8",
    8: "u1",
    9: "i1",
    10: "u1",
    11: "i8",
    12: "u8",
}
_CODES = {
    "i2": "h",
    "i4": "i",
    "u2": "H",
    "u4": "I",
    "f4": "f",
    "f8": "d",
    "i1": "b",
    "u1": "B",
    "i8": "q",
    "u8": "Q",
}
_BOOL = 8
_DEEPEST = 64
_MOST_TAGS = 2_000_000
_MOST_FIELDS = 1000
_MOST_INFO = 3 * _MOST_FIELDS  # numbers that say what type a tag's data are
_LONGEST_TEXT = 100_000
#: Longer arrays of plain numbers are named in the metadata, not copied there.
_LONGEST_LIST = 1024


@dataclass(frozen=True)
class Stored:
    """An array in the file: ``count`` numbers or records of ``dtype`` from byte ``offset``."""

    offset: int
    count: int
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """In bytes."""
        return self.count * self.dtype.itemsize


class TagFile:
    """The bytes of a file, its head and its tree.

    Attributes
    ----------
    version
        3 or 4.
    tree
        Groups whose tags have names are dictionaries, groups of unnamed tags lists; of several tags of one name the
        later ones are called ``name_2`` …. Arrays are :class:`Stored`.
    """

    def __init__(self, data: bytes | mmap.mmap, name: str) -> None:
        self.data, self.name = data, name
        self._tags = 0
        if len(data) < 16:
            raise ReadError(f"{name} has {len(data)} bytes, less than the head of a DigitalMicrograph file")
        (self.version,) = struct.unpack_from(">I", data, 0)
        if self.version not in (3, 4):
            raise ReadError(f"{name} is no DigitalMicrograph 3 or 4 file: it says version {self.version}")
        self._wide = self.version == 4
        self._long = struct.Struct(">Q" if self._wide else ">I")
        head = 8 + self._long.size
        (order,) = struct.unpack_from(">I", data, head - 4)
        if order not in (0, 1):
            raise ReadError(f"{name} states the byte order {order}, which is neither 0 nor 1; it is damaged")
        self.order = "<" if order else ">"
        self._scalars = {
            number: struct.Struct(self.order + _CODES[code]) for number, code in _NUMBERS.items()
        }
        self._characters = "utf-16-le" if order else "utf-16-be"
        self._plain = {(number,): number for number in _NUMBERS}
        self.tree: Any = {}
        try:
            self.tree, _ = self._group(head, 0)
        except (struct.error, IndexError):
            raise self._cut(len(data)) from None

    # --- walking the tree ---------------------------------------------------------------------------------

    def _group(self, at: int, depth: int) -> tuple[Any, int]:
        """The group whose two flags and count of tags begin at byte ``at``, and where it ends."""
        data = self.data
        (count,) = self._long.unpack_from(data, at + 2)
        at += 2 + self._long.size
        self._tags += count
        if depth > _DEEPEST or self._tags > _MOST_TAGS or count * 3 > len(data) - at:
            raise self._bad(f"a group of {count} tags, {depth} groups deep", at)
        names: list[str] = []
        values: list[Any] = []
        for _ in range(count):
            kind, length = data[at], data[at + 1] << 8 | data[at + 2]
            at += 3
            if kind == _END:
                break
            name = _decode(data[at : at + length]) if length else ""
            at += length
            if self._wide:
                (size,) = self._long.unpack_from(data, at)
                at += 8
                if size > len(data) - at:
                    raise self._cut(at + size, f"tag {name!r}")
            if kind == _DATA:
                value, at = self._value(at, name)
            elif kind == _GROUP:
                value, at = self._group(at, depth + 1)
            else:
                raise self._bad(f"a tag of kind {kind}", at - length - 3)
            names.append(name)
            values.append(value)
        return (_named(names, values) if any(names) or not names else values), at

    def _value(self, at: int, name: str) -> tuple[Any, int]:
        """The data whose mark ``%%%%`` is at byte ``at``, and where they end."""
        data, long = self.data, self._long
        if data[at : at + 4] != b"%%%%":
            raise self._bad(f"tag {name!r} without the mark of its data", at)
        (count,) = long.unpack_from(data, at + 4)
        at += 4 + long.size
        if not 0 < count <= _MOST_INFO:
            raise self._bad(f"tag {name!r} whose type has {count} numbers", at)
        if count == 1:
            (kind,) = long.unpack_from(data, at)
            at += long.size
            scalar = self._scalars.get(kind)
            if scalar is None:
                raise self._bad(f"tag {name!r} of the unknown type {kind}", at)
            (value,) = scalar.unpack_from(data, at)
            return bool(value) if kind == _BOOL else value, at + scalar.size
        info = struct.unpack_from(f">{count}{'Q' if self._wide else 'I'}", data, at)
        at += count * long.size
        return self._compound(info, at, name)

    def _compound(self, info: tuple[int, ...], at: int, name: str) -> tuple[Any, int]:
        """A string, a record or an array whose type ``info`` says."""
        if info[0] == _STRING and len(info) == 2:
            return self._text(at, info[1], name)
        if info[0] == _STRUCT:
            dtype = self._record(info, name, at)
            self._need(at, dtype.itemsize, name)
            return list(np.frombuffer(self.data, dtype, 1, at)[0].item()), at + dtype.itemsize
        if info[0] != _ARRAY:
            raise self._bad(f"tag {name!r} of the unknown type {info[0]}", at)
        *element, count = info[1:]
        if len(element) == 1 and element[0] in _NUMBERS:
            dtype = np.dtype(self.order + _NUMBERS[element[0]])
        elif element and element[0] == _STRUCT:
            dtype = self._record(tuple(element), name, at)
        else:
            raise self._bad(f"array {name!r} of elements of the unknown type {element}", at)
        self._need(at, count * dtype.itemsize, name)
        if dtype.kind == "u" and dtype.itemsize == 2 and count <= _LONGEST_TEXT and name != "Data":
            text = self._readable(at, count)
            if text is not None:
                return text, at + 2 * count
        return Stored(at, count, dtype), at + count * dtype.itemsize

    def _record(self, info: tuple[int, ...], name: str, at: int) -> np.dtype[Any]:
        """``(15, 0, n, 0, type, 0, type …)`` as a dtype."""
        fields = info[4::2]
        if len(info) < 5 or info[2] != len(fields) or len(fields) > _MOST_FIELDS:
            raise self._bad(f"record {name!r} whose fields do not fit their count", at)
        if any(number not in _NUMBERS for number in fields):
            raise self._bad(f"record {name!r} with a field of an unknown type", at)
        return np.dtype([(f"f{i}", self.order + _NUMBERS[number]) for i, number in enumerate(fields)])

    def _text(self, at: int, size: int, name: str) -> tuple[str, int]:
        """A string: its length is counted in bytes."""
        self._need(at, size, name)
        return clean_text(self.data[at : at + size].decode(self._characters, "replace")).rstrip(
            "\ufffd"
        ), at + size

    def _readable(self, at: int, count: int) -> str | None:
        """An array of 16-bit numbers as the text that DigitalMicrograph keeps so; None if it is none."""
        text = self.data[at : at + 2 * count].decode(self._characters, "replace").rstrip("\0")
        if "\0" in text or "\ufffd" in text or any(c < " " and c not in "\t\r\n" for c in text):
            return None
        return text

    # --- errors -------------------------------------------------------------------------------------------

    def _need(self, at: int, size: int, name: str) -> None:
        if size > len(self.data) - at:
            raise self._cut(at + size, f"tag {name!r}")

    def _cut(self, needed: int, what: str = "its tags") -> ReadError:
        return ReadError(
            f"{self.name} ends at byte {len(self.data)}, before the end of {what} (byte {needed} or beyond); it is "
            "cut off or damaged. Copy it again."
        )

    def _bad(self, what: str, at: int) -> ReadError:
        return ReadError(f"{self.name} has {what} at byte {at}; it is damaged. Copy it again.")

    # --- using it -----------------------------------------------------------------------------------------

    def array(self, stored: Stored) -> NDArray[Any]:
        """The numbers or records, shape (count,), in the file's byte order; no copy."""
        return np.frombuffer(self.data, stored.dtype, stored.count, stored.offset)

    def plain(self, value: Any) -> Any:
        """The tree with short arrays as lists, for keeping; of long ones only what they are."""
        if isinstance(value, Stored):
            if value.count > _LONGEST_LIST:
                kind = "records" if value.dtype.names else value.dtype.name
                return f"array of {value.count} {kind}, not repeated here"
            items = self.array(value).tolist()
            return [list(i) for i in items] if value.dtype.names else items
        if isinstance(value, dict):
            return {name: self.plain(v) for name, v in value.items()}
        return [self.plain(v) for v in value] if isinstance(value, list) else value


def _named(names: list[str], values: list[Any]) -> dict[str, Any]:
    if len(set(names)) == len(names) and "" not in names:
        return dict(zip(names, values, strict=True))
    seen: Counter[str] = Counter()
    out: dict[str, Any] = {}
    for name, value in zip(names, values, strict=True):
        name = name or "unnamed"
        seen[name] += 1
        while (key := name if seen[name] == 1 else f"{name}_{seen[name]}") in out:
            seen[name] += 1
        out[key] = value
    return out


def _decode(raw: bytes) -> str:
    """A tag's name, in the code page of the computer that wrote it."""
    if raw.isascii():
        return clean_text(raw.decode("ascii"))
    try:
        return clean_text(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return clean_text(raw.decode("cp1252", "replace"))
