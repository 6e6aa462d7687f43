"""Fields of spectrometers' binary files, every one checked against the file's size before it is taken."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, clean_text
from zairyo.readers._api import ReadError
from zairyo.readers._legacy_text import decode_legacy


@dataclass(frozen=True)
class Fields:
    """The file's bytes and its name for errors."""

    data: bytes
    name: str

    def __len__(self) -> int:
        return len(self.data)

    def need(self, offset: int, size: int, what: str) -> None:
        """Raise :class:`ReadError` unless ``size`` bytes from ``offset`` are there."""
        if offset < 0 or size < 0 or offset + size > len(self.data):
            raise ReadError(
                f"{self.name}: {what} needs bytes {offset} to {offset + size}, but the file ends at {len(self.data)}; "
                "it is cut off or damaged. Copy it again from the instrument."
            )

    def unpack(self, form: str, offset: int, what: str) -> tuple[Any, ...]:
        try:
            if offset >= 0:
                return struct.unpack_from(form, self.data, offset)
        except struct.error:
            pass
        self.need(offset, struct.calcsize(form), what)
        raise ReadError(f"{self.name}: {what} at byte {offset} cannot be read; the file is damaged.")

    def array(self, dtype: str | np.dtype[Any], offset: int, count: int, what: str) -> NDArray[Any]:
        """``count`` numbers at ``offset``, as a view of the file's bytes."""
        self.need(offset, count * np.dtype(dtype).itemsize, what)
        return np.frombuffer(self.data, dtype, count, offset)

    def part(self, offset: int, size: int, what: str) -> bytes:
        self.need(offset, size, what)
        return self.data[offset : offset + size]

    def text(self, offset: int, size: int) -> str:
        """Text up to its first NUL; what is there where the file is shorter."""
        return legacy_text(self.data[max(offset, 0) : max(offset, 0) + max(size, 0)])


def legacy_text(field: bytes) -> str:
    """One field of text of unknown encoding, up to its first NUL, as can be stored."""
    letters = field.split(b"\0", 1)[0]
    text = letters.decode("ascii") if letters.isascii() else decode_legacy(letters)  # most: without a call
    return (text if text.isprintable() else clean_text(text)).strip()


def unique_entries(entries: Iterable[Entry]) -> list[Entry]:
    """The entries with a number appended to names, and their titles, that were there before."""
    taken: set[str] = set()
    found = []
    for entry in entries:
        name, number = entry.name, 1
        while name in taken:
            number += 1
            name = f"{entry.name[:55]}_{number}"
        taken.add(name)
        title = f"{entry.title} ({number})" if entry.title else ""
        found.append(entry if name == entry.name else replace(entry, name=name, title=title))
    return found


def unique_key(key: str, taken: dict[str, Any]) -> str:
    """The key, with a number appended if it is taken."""
    name, number = key, 1
    while name in taken:
        number += 1
        name = f"{key} ({number})"
    return name
