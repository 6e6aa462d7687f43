"""Agilent Resolutions' spectra inside ``.bsp`` and ``.dmt``: a tree of named nodes.

A node is: its name (length, letters), its kind, how many parts it has; a node of kind 0 holds nodes, others hold
parts of bytes (length, content). All counts are unsigned 32-bit, little-endian. A stream begins with how many
nodes it has. Read off real files, and checked against agilent-format's results.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Any

from zairyo.readers._api import ReadError
from zairyo.readers._optical_bytes import Fields, legacy_text

_DEEPEST = 16
_MOST_PARTS = 1_000_000
_LENGTH = struct.Struct("<I")
#: Before a parameter's value: three numbers that are always these.
_MARKS = [n.to_bytes(4, "little") for n in (1, 2, 4)]
_WORD = re.compile("[A-Za-z]{2}")
_NUMBERED_STEP = re.compile(r"STEP\d+")


@dataclass
class Node:
    name: str
    nodes: list[Node] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    def find(self, *names: str) -> Node | None:
        """The node at a path of names below this one."""
        node: Node | None = self
        for name in names:
            if node is None:
                return None
            node = next((n for n in node.nodes if n.name == name), None)
        return node


@dataclass(frozen=True)
class AxisOf:
    """Where points are, ``step * (first + i)``, what x and y are called, and where the values are stored."""

    step: float
    first: int
    points: int
    x: str
    y: str
    values: bytes


def read_nodes(stream: bytes, name: str) -> Node:
    fields = Fields(stream, name)
    root = Node("")
    (count,) = fields.unpack("<I", 0, "the number of nodes")
    at = 4
    for _ in range(min(count, _MOST_PARTS)):
        node, at = _node(fields, at, 0)
        root.nodes.append(node)
    return root


def _node(fields: Fields, at: int, depth: int) -> tuple[Node, int]:
    if depth > _DEEPEST:
        raise ReadError(f"{fields.name}: nodes at byte {at} are nested deeper than {_DEEPEST}")
    (length,) = fields.unpack("<I", at, "a node")
    node = Node(legacy_text(fields.part(at + 4, length, "the name of a node")))
    at += 4 + length
    kind, count = fields.unpack("<II", at, f"node {node.name!r}")
    at += 8
    if count > len(fields):
        raise ReadError(f"{fields.name}: node {node.name!r} announces {count} parts; the file is damaged")
    if kind == 0:
        for _ in range(count):
            inner, at = _node(fields, at, depth + 1)
            node.nodes.append(inner)
        return node, at
    data, length_at, length = fields.data, _LENGTH.unpack_from, 0
    try:
        for _ in range(count):  # thousands; whether the last one ends within the file is asked once
            (length,) = length_at(data, at)
            at += 4 + length
            node.parts.append(data[at - length : at])
    except struct.error:
        if at <= len(data):
            at, length = at + 4, 4
    fields.need(at - length, length, f"a part of {node.name!r}")
    return node, at


def axis_of(node: Node, name: str) -> AxisOf | None:
    """The axis of a node with ``Data`` and ``Parms``; None if it has no data."""
    data, words = node.find("Data", "1.00"), node.find("Parms", "1.00")
    if data is None or [len(part) for part in data.parts[:3]] != [8, 4, 4]:
        return None
    (step,), (first,), (points,) = (
        struct.unpack(form, part) for form, part in zip(("<d", "<i", "<i"), data.parts, strict=False)
    )
    if not 0 < points < 2**28 or not step == step or abs(step) > 1e300 or not step:
        raise ReadError(
            f"{name}: an axis of {points} points in steps of {step} cannot be; the file is damaged"
        )
    labels = [legacy_text(part) for part in (words.parts if words else []) if len(part) > 4]
    x, y = (*labels, "", "")[:2]
    return AxisOf(step, first, points, x, y, data.parts[3] if len(data.parts) > 3 else b"")


def property_of(node: Node, name: str) -> Any:
    """A property's value: a number, a text, whole numbers, or None."""
    found = node.find("Properties", name, "1.00")
    if found is None or not found.parts:
        return None
    if (
        len(found.parts) == 2
        and found.parts[1]
        and found.parts[0] == len(found.parts[1]).to_bytes(4, "little")
    ):
        return legacy_text(found.parts[1])
    if all(len(part) == 4 for part in found.parts):
        return [_number(part) for part in found.parts]
    raw = found.parts[0]
    return struct.unpack("<d", raw)[0] if len(raw) == 8 else None


def method_of(node: Node) -> dict[str, dict[str, str]]:
    """How the spectrum was created, and what was done to it since, by step.

    Texts are two parts (length, letters). A parameter is its name, the numbers 1, 2 and 4, the value's length
    twice, the value; a step's title is a text that is none of these.
    """
    steps: dict[str, dict[str, str]] = {}
    for origin in ("Created", "History"):
        found = node.find("Properties", origin, "Method", "2.00")
        parts = found.parts if found else []
        current: dict[str, str] = {}
        at, last = 0, len(parts) - 1
        while at < last:
            length = len(parts[at + 1])
            if not length or parts[at] != length.to_bytes(4, "little"):
                at += 1
                continue
            text = legacy_text(parts[at + 1])
            if _is_parameter(parts, at):
                current[text] = legacy_text(parts[at + 7])
                at += 8
                continue
            if text.isprintable() and _WORD.search(text) and not _NUMBERED_STEP.fullmatch(text):
                current = steps.setdefault(text, {})
            at += 2
    return steps


def _number(part: bytes) -> int | None:
    return int.from_bytes(part, "little") if len(part) == 4 else None


def _is_parameter(parts: list[bytes], at: int) -> bool:
    if parts[at + 2 : at + 5] != _MARKS or at + 7 >= len(parts):
        return False
    size = len(parts[at + 7]).to_bytes(4, "little")
    return parts[at + 5] == parts[at + 6] == size
