"""The tag tree in JEOL Analysis Station's files, and what else they share.

A tag is the mark 1, its name, a type, the length of its value, the value, tags inside it, and the mark 255. Type 0 has
no value: it only groups. Dates count days since 30 December 1899, as the computer's clock said.
"""

from __future__ import annotations

import math
import mmap
import struct
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from zairyo.measurement import Quantity, clean_text
from zairyo.readers._api import ReadError

_OPEN, _CLOSE = 1, 255
_TEXTS = (12, 13, 20)
_NUMBERS = {
    1: "u1",
    2: "<u2",
    3: "<i4",
    4: "<f4",
    5: "<f8",
    7: "<u2",
    8: "<i4",
    9: "<f4",
    10: "<f8",
    11: "?",
    14: "<u2",
}
_BYTES = 6
_DEEPEST = 24
_LONGEST_LIST = 1024
_LONGEST_NAME = 1000
_DAY_ZERO = datetime(1899, 12, 30)

Buffer = bytes | mmap.mmap


def parse_tags(data: Buffer, at: int, name: str) -> dict[str, Any]:
    """The tree whose first tag begins at byte ``at``, up to the first byte that is no mark or the end.

    Values are numbers, lists of them, and text; bytes and long arrays are ``memoryview`` of bytes. A tag with a value
    and tags inside is a dictionary with the value under ``""``.

    Raises
    ------
    ReadError
        If a tag is not all there.
    """
    tree, _ = _children(data, at, name, 0)
    return tree


def _children(data: Buffer, at: int, name: str, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    if depth > _DEEPEST:
        raise ReadError(f"{name} has tags nested deeper than {_DEEPEST} at byte {at}; it is damaged")
    try:
        while at < len(data) and data[at] == _OPEN:
            key, value, at = _value(data, at + 1, name)
            inside, at = _children(data, at, name, depth + 1)
            if at >= len(data) or data[at] != _CLOSE:
                raise ReadError(
                    f"{name} has a tag {key!r} without an end at byte {at}; it is cut off or damaged"
                )
            at += 1
            if inside:
                value = inside if value is None else {"": value} | inside
            elif value is None:
                value = {}
            number, base = 1, key
            while key in found:
                number += 1
                key = f"{base}_{number}"
            found[key] = value
    except struct.error:
        raise ReadError(
            f"{name} ends within a tag, at byte {len(data)}; it is cut off. Copy it again."
        ) from None
    return found, at


def _value(data: Buffer, at: int, name: str) -> tuple[str, Any, int]:
    """A tag's name and value, and where they end."""
    (length,) = struct.unpack_from("<I", data, at)
    at += 4
    if length > _LONGEST_NAME:
        raise ReadError(f"{name} has a tag with a name of {length} letters at byte {at}; it is damaged")
    key = decode(data[at : at + length]).rstrip("ﾞ")  # left over in the name of one tag
    at += length
    kind, size = struct.unpack_from("<II", data, at)
    at += 8
    if size > len(data) - at:
        raise ReadError(
            f"{name} ends at byte {len(data)}, before the end of its tag {key!r} ({size} bytes from {at}); it is cut "
            "off. Copy it again."
        )
    return key, _read_value(data, kind, at, size), at + size


def _read_value(data: Buffer, kind: int, at: int, size: int) -> Any:
    if kind == 0 and not size:
        return None
    if kind in _TEXTS:
        return decode(data[at : at + size])
    dtype = _NUMBERS.get(kind)
    if dtype is None or size % np.dtype(dtype).itemsize or size > _LONGEST_LIST * 8:
        return memoryview(data)[at : at + size]
    values = np.frombuffer(data, dtype, size // np.dtype(dtype).itemsize, at).tolist()
    return values[0] if len(values) == 1 else values


def decode(raw: bytes) -> str:
    """Text up to its NULs at the end, in UTF-8 or the computer's Japanese code."""
    raw = raw.rstrip(b"\0")
    for coding in ("utf-8", "cp932"):
        try:
            return clean_text(raw.decode(coding)).replace("\ufffd", " ")
        except UnicodeDecodeError:
            continue
    return clean_text(raw.decode("latin-1")).replace("\ufffd", " ")


def at_path(tree: Any, path: str) -> Any:
    """The value at ``path`` (names with '/'); None if there is none. Of a value with tags inside, the value."""
    for key in path.split("/"):
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree.get("") if isinstance(tree, dict) and "" in tree else tree


def number_at(tree: Any, path: str) -> float | None:
    """A finite number at ``path``."""
    value = at_path(tree, path)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def quantity(value: float | None, unit: str, factor: float = 1.0) -> Quantity | None:
    """A positive number as a quantity, with the digits it had before it was stored in single precision."""
    if value is None or not 0 < value < 1e30:
        return None
    single = np.float32(value)
    exact = float(str(single)) if float(single) == value else value
    return Quantity(float(f"{exact * factor:.12g}"), unit)


def moment(days: Any) -> datetime | None:
    """Days since 30 December 1899 as a moment, to the second."""
    if not isinstance(days, float) or not 1000 < days < 200_000:
        return None
    return _DAY_ZERO + timedelta(seconds=round(days * 86_400))


def plain(tree: Any) -> Any:
    """The tree for keeping: of bytes only how many there are."""
    if isinstance(tree, memoryview):
        return f"{len(tree)} bytes, not repeated here"
    if isinstance(tree, dict):
        return {key or "value": plain(value) for key, value in tree.items()}
    return tree
