"""Fields of Bruker's binary files, every one checked against the file's size before it is taken."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Quantity
from zairyo.measurement.text import clean_text
from zairyo.readers._api import ReadError

_MOST_RANGES = 100_000
_UNKNOWN = 9999.0  # what Bruker writes where a number was not known


@dataclass(frozen=True)
class Bytes:
    """The file's bytes and its name for errors."""

    data: bytes
    name: str

    def need(self, offset: int, size: int, what: str) -> None:
        """Raise :class:`ReadError` unless ``size`` bytes from ``offset`` are there."""
        if offset < 0 or size < 0 or offset + size > len(self.data):
            raise ReadError(
                f"{self.name}: {what} needs bytes {offset} to {offset + size}, the file ends at {len(self.data)}; "
                "it is cut off or damaged. Copy it again from the instrument."
            )

    def unpack(self, form: str, offset: int, what: str) -> tuple[Any, ...]:
        self.need(offset, struct.calcsize(form), what)
        return struct.unpack_from(form, self.data, offset)

    def array(self, dtype: str | np.dtype[Any], offset: int, count: int, what: str) -> NDArray[Any]:
        self.need(offset, count * np.dtype(dtype).itemsize, what)
        return np.frombuffer(self.data, dtype, count, offset)

    def points(self, offset: int, count: int, size: int, axes: Sequence[str], what: str) -> NDArray[Any]:
        """Points of ``size`` bytes: field ``intensity`` (float32), then a field an axis (float64), shape (count,)."""
        layout = {
            "names": ["intensity", *axes],
            "formats": ["<f4", *["<f8"] * len(axes)],
            "offsets": [0, *(4 + 8 * i for i in range(len(axes)))],
            "itemsize": size,
        }
        if size < 4 + 8 * len(axes) or size > 2**20:
            raise ReadError(f"{self.name}: {what} states points of {size} bytes; it is damaged")
        return self.array(np.dtype(layout), offset, count, what)  # type: ignore[call-overload]

    def text(self, offset: int, size: int) -> str:
        """Text up to its first NUL; empty where the file is shorter."""
        field = self.data[offset : offset + size].split(b"\0", 1)[0]
        try:
            decoded = field.decode("utf-8")
        except UnicodeDecodeError:
            decoded = field.decode("cp1252", "replace")
        return clean_text(decoded).strip()


def check_ranges(count: int, name: str) -> None:
    """Refuse numbers of ranges that only a damaged file has."""
    if count > _MOST_RANGES:
        raise ReadError(
            f"{name} states {count} ranges; more than {_MOST_RANGES} are not read. It may be damaged."
        )


def positive(value: float, unit: str | None) -> Quantity | None:
    """A condition that can only be positive; None where the file has no such number."""
    if not (np.isfinite(value) and 0 < value < 1e15):
        return None
    single = np.float32(value)  # what was stored as float32 has that many digits: 1.5406, not 1.54059994
    return Quantity(float(str(single)) if single == value else float(value), unit)


def known(value: float, unit: str | None) -> Quantity | None:
    """As :func:`positive`, and None for Bruker's number for "unknown"."""
    return None if value == _UNKNOWN else positive(value, unit)
