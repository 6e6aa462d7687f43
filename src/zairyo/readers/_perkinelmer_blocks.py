"""PerkinElmer's blocks: number (2 bytes), size (4 bytes), content; the content is one typed value, or blocks again.

A value begins with its type's number, from 29972 to 29999. Which block a number means depends on the block it is
in. Facts: the block and type numbers that PerkinElmer published with its MATLAB import functions, and the readers
in specio and orange-spectroscopy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from zairyo.readers._api import ReadError
from zairyo.readers._optical_bytes import Fields, legacy_text, unique_key

MAGIC = b"PEPE"
FIRST_BLOCK = 44
_TYPES = range(29960, 30000)
_TEXT, _ARRAY = 29987, 29974
#: Types of a number, or two → its form.
_FORMS = {
    29999: "<h",
    29998: "<H",
    29997: "<i",
    29996: "<H",
    29995: "<i",
    29988: "<h",
    29981: "<2d",
    29980: "<d",
    29979: "<d",
    29978: "<I",
    29973: "<h",
}
_DEEPEST = 24
_MOST_BLOCKS = 200_000

DATA_SET, HISTORY, INSTRUMENT_HISTORY, INSTRUMENT = 120, 121, 122, 123
INFRARED, UV_VISIBLE, FLUORESCENCE = 124, 125, 126
VALUES = 35708
_HISTORY_NAMES = {
    35698: "user",
    35699: "action",
    35700: "date",
    35701: "parameters",
    35702: "comment",
}
_INSTRUMENT_NAMES = {35837: "model", 35838: "serial_number", 35839: "software_version"}
_INFRARED_NAMES = {
    35840: "accumulations",
    35841: "detector",
    35842: "source",
    35843: "beamsplitter",
    35844: "resolution",
    35845: "apodisation",
    35846: "spectrum_type",
    35847: "beam",
    35849: "phase_correction",
    35854: "accessory",
    35856: "interferogram_sides",
    35857: "scan_direction",
    35882: "laser_wavenumber",
}
_DATA_SET_NAMES = {
    35698: "x_range",
    35699: "y_range",
    35700: "x_step",
    35701: "points",
    35703: "x_label",
    35704: "y_label",
    35705: "x_unit",
    35706: "y_unit",
    35707: "file_type",
    35709: "path",
    35713: "name",
    35714: "settings",
}
_GROUPS = {
    DATA_SET: ("data set", _DATA_SET_NAMES),
    HISTORY: ("history", _HISTORY_NAMES),
    INSTRUMENT_HISTORY: ("instrument history", _HISTORY_NAMES),
    INSTRUMENT: ("instrument", _INSTRUMENT_NAMES),
    INFRARED: ("infrared instrument", _INFRARED_NAMES),
    UV_VISIBLE: ("UV-visible instrument", {}),
    FLUORESCENCE: ("fluorescence instrument", {}),
}


@dataclass
class Block:
    """A block that holds blocks: its number, the values in it by name, the blocks in it."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    array: tuple[int, int] | None = None  # place and size of the numbers, bytes

    def all(self, number: int) -> Iterator[Block]:
        """Every block of that number in this one, outer before inner."""
        for block in self.blocks:
            if block.number == number:
                yield block
            yield from block.all(number)

    def told(self) -> dict[str, Any]:
        """The values, nested as the blocks are."""
        found = dict(self.values)
        for block in self.blocks:
            name = _GROUPS.get(block.number, (f"block {block.number}", {}))[0]
            inner = block.told()
            if inner:
                found[unique_key(name, found)] = inner
        return found


def blocks_of(fields: Fields) -> list[tuple[int, int, int]]:
    """Number, place and size of the outermost blocks."""
    found: list[tuple[int, int, int]] = []
    at = FIRST_BLOCK
    while at + 6 <= len(fields) and len(found) < _MOST_BLOCKS:
        number, size = fields.unpack("<Hi", at, "a block")
        fields.need(at + 6, size, f"block {number}")
        found.append((number, at + 6, size))
        at += 6 + size
    if not found:
        raise ReadError(f"{fields.name} holds no block; it is cut off")
    return found


def read_block(fields: Fields, number: int, start: int, size: int, depth: int = 0) -> Block:
    """Everything in a block; what does not divide into blocks to its end is left as it is."""
    if depth > _DEEPEST:
        raise ReadError(f"{fields.name}: blocks at byte {start} are nested deeper than {_DEEPEST}")
    found = Block(number)
    names = _GROUPS.get(number, ("", {}))[1]
    at, stop = start, start + size
    while at + 6 <= stop:
        inner, length = fields.unpack("<Hi", at, "a block")
        if length < 0 or at + 6 + length > stop:
            break
        at += 6
        kind = fields.unpack("<H", at, "a value")[0] if length >= 2 else 0
        if kind == _ARRAY and length >= 6:
            found.array = _array(fields, at, length)
        elif kind in _TYPES:
            value = _value(fields, kind, at + 2, length - 2)
            if value is not None:
                found.values[unique_key(names.get(inner, f"value {inner}"), found.values)] = value
        elif length > 6:
            found.blocks.append(read_block(fields, inner, at, length, depth + 1))
        at += length
    return found


def _array(fields: Fields, at: int, length: int) -> tuple[int, int]:
    (size,) = fields.unpack("<I", at + 2, "the numbers")
    if size > length - 6:
        raise ReadError(
            f"{fields.name}: the numbers at byte {at} need {size} bytes, but their block ends after {length - 6}"
        )
    return at + 6, size


def _value(fields: Fields, kind: int, at: int, size: int) -> Any:
    if kind == _TEXT and size >= 2:
        (length,) = fields.unpack("<H", at, "a text")
        return legacy_text(fields.part(at + 2, min(length, size - 2), "a text"))
    form = _FORMS.get(kind)
    if form is None or struct.calcsize(form) > size:
        return None
    values = fields.unpack(form, at, "a number")
    return list(values) if len(values) > 1 else values[0]
