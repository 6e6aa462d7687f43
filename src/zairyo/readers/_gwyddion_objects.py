"""Gwyddion's serialised objects: a tree of named components, little-endian.

Facts: the Gwyddion user guide, "Gwyddion native format". An object is its type's name, a NUL, the bytes of its
components; a component is its name, a NUL, a letter for its type and the value; a capital letter is an array.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.readers._api import ReadError
from zairyo.readers._spm import decode

MAGIC = b"GWYP"
_DEEPEST = 24
_MOST_OBJECTS = 200_000
_NUMBERS = {"b": "u1", "c": "u1", "i": "<i4", "q": "<i8", "d": "<f8"}


@dataclass
class GwyObject:
    """An object's type, and its components by name: numbers, text, arrays, objects, lists of them."""

    kind: str
    parts: dict[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        return self.parts.get(name, default)

    def text(self, name: str) -> str:
        value = self.parts.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str, default: float = 0.0) -> float:
        value = self.parts.get(name)
        return float(value) if isinstance(value, (int, float)) and np.isfinite(value) else default

    def unit(self, name: str) -> str:
        """The text of a GwySIUnit component; empty if there is none."""
        value = self.parts.get(name)
        return value.text("unitstr") if isinstance(value, GwyObject) else ""


def read_objects(data: bytes) -> GwyObject:
    """The tree of a ``.gwy`` file; ReadError with the byte where it is broken."""
    if data[:4] == b"GWYO":
        raise ReadError("this file is of Gwyddion 1.x (before 2005); open and save it with Gwyddion 2")
    if data[:4] != MAGIC:
        raise ReadError("this is no Gwyddion file: it does not begin with 'GWYP'")
    reader = _Reader(data)
    tree, end = reader.item(4, len(data), 0)
    if end != len(data):
        raise ReadError(f"the Gwyddion file goes on after its end at byte {end}; it is damaged")
    return tree


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.objects = 0

    def item(self, at: int, stop: int, depth: int) -> tuple[GwyObject, int]:
        self.objects += 1
        if depth > _DEEPEST or self.objects > _MOST_OBJECTS:
            raise ReadError(
                f"the objects at byte {at} are nested or repeated beyond reason; the file is damaged"
            )
        kind, at = self.word(at, stop)
        size, at = self.number("<I", at, stop)
        end = self.room(at, size, stop)
        parts: dict[str, Any] = {}
        while at < end:
            name, at = self.word(at, end)
            self.room(at, 1, end)
            parts[name], at = self.value(chr(self.data[at]), at + 1, end, depth)
        return GwyObject(kind, parts), end

    def value(self, letter: str, at: int, stop: int, depth: int) -> tuple[Any, int]:
        if letter in _NUMBERS:
            dtype = np.dtype(_NUMBERS[letter])
            end = self.room(at, dtype.itemsize, stop)
            value = np.frombuffer(self.data, dtype, 1, at)[0].item()
            return (bool(value) if letter == "b" else value), end
        if letter == "s":
            return self.word(at, stop)
        if letter == "o":
            return self.item(at, stop, depth + 1)
        if letter.lower() not in (*_NUMBERS, "s", "o"):
            raise ReadError(f"a component at byte {at - 1} has the type {letter!r}, which Gwyddion has not")
        count, at = self.number("<I", at, stop)
        if letter.lower() in _NUMBERS:
            dtype = np.dtype(_NUMBERS[letter.lower()])
            end = self.room(at, count * dtype.itemsize, stop)
            return np.frombuffer(self.data, dtype, count, at), end
        values = []
        for _ in range(
            count
        ):  # each takes a byte at least, so that a false count ends at the end of the file
            one, at = self.word(at, stop) if letter == "S" else self.item(at, stop, depth + 1)
            values.append(one)
        return values, at

    def word(self, at: int, stop: int) -> tuple[str, int]:
        end = self.data.find(b"\0", at, stop)
        if end < 0:
            raise ReadError(
                f"the text at byte {at} of the Gwyddion file has no end; it is cut off or damaged"
            )
        return decode(self.data[at:end]), end + 1

    def number(self, form: str, at: int, stop: int) -> tuple[int, int]:
        end = self.room(at, struct.calcsize(form), stop)
        return struct.unpack_from(form, self.data, at)[0], end

    def room(self, at: int, size: int, stop: int) -> int:
        if at + size > stop:
            raise ReadError(
                f"what begins at byte {at} of the Gwyddion file should have {size} bytes, but there are {stop - at}; "
                "it is cut off or damaged. Copy it again."
            )
        return at + size
