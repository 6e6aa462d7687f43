"""FEI TIA ``.ser``: a series of spectra, profiles or images, and where and when each was taken.

Little-endian. A head with the number of elements; the dimensions of the series; the places of the elements and of
their tags in the file; the elements, each with its calibration. Facts: Chris Boothroyd's description of TIA's files.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import clean_text
from zairyo.readers._api import ReadError

MAGIC = b"II\x97\x01"
_NARROW, _WIDE = 0x0210, 0x0220  # places of 4 and of 8 bytes
PROFILES, IMAGES = 0x4120, 0x4122
_TIMED, _PLACED = 0x4152, 0x4142
#: TIA's numbers for what an array's values are; also in ``.emi``.
DTYPES = {1: "u1", 2: "<u2", 3: "<u4", 4: "i1", 5: "<i2", 6: "<i4", 7: "<f4", 8: "<f8", 9: "<c8", 10: "<c16"}
_MOST_TEXT = 10_000
_MOST_DIMENSIONS = 16
_I = struct.Struct("<i")
_HEAD = struct.Struct("<4sHiiii")
_CALIBRATION = struct.Struct("<ddi")
_TAGS = {
    _TIMED: np.dtype([("kind", "<i4"), ("time", "<i4")]),
    _PLACED: np.dtype([("kind", "<i4"), ("time", "<i4"), ("place", "<f8", (2,))]),
}


@dataclass(frozen=True)
class Calibration:
    """The value at ``element``, and how much further the next one is."""

    offset: float
    step: float
    element: int

    @property
    def first(self) -> float:
        return self.offset - self.element * self.step


@dataclass(frozen=True)
class Dimension:
    """One dimension of the series: fastest first in the file."""

    size: int
    calibration: Calibration
    description: str
    unit: str


@dataclass(frozen=True)
class Series:
    """What a ``.ser`` holds.

    Attributes
    ----------
    values
        Shape (elements, points) or (elements, rows, columns), as stored.
    total
        How many elements were to be taken.
    calibrations
        Of the elements' own axes, in the order of ``values``: rows, columns.
    seconds
        When each was taken, since 1970; shape (elements,); None without tags.
    places
        x and y of the beam, m; shape (elements, 2); None without them.
    """

    values: NDArray[Any]
    total: int
    dimensions: tuple[Dimension, ...]
    calibrations: tuple[Calibration, ...]
    seconds: NDArray[np.int32] | None
    places: NDArray[np.float64] | None
    version: int


class _Bytes:
    """The file, read from its beginning; ReadError where it ends too early."""

    def __init__(self, data: bytes | mmap.mmap, name: str) -> None:
        self.data, self.name, self.at = data, name, 0

    def take(self, layout: struct.Struct, at: int | None = None) -> tuple[Any, ...]:
        start = self.at if at is None else at
        if not 0 <= start <= len(self.data) - layout.size:
            raise ReadError(
                f"{self.name} is cut off or damaged: {layout.size} bytes are needed at byte {start}, and the file has "
                f"{len(self.data)}. Copy it again."
            )
        if at is None:
            self.at += layout.size
        return layout.unpack_from(self.data, start)

    def text(self) -> str:
        (length,) = self.take(_I)
        if not 0 <= length <= min(_MOST_TEXT, len(self.data) - self.at):
            raise ReadError(f"{self.name} is damaged: a text of {length} bytes at byte {self.at - 4}")
        found = bytes(self.data[self.at : self.at + length])
        self.at += length
        return clean_text(found.rstrip(b"\0").decode("latin-1")).strip()

    def array(self, at: int, dtype: str | np.dtype[Any], count: int) -> NDArray[Any]:
        size = np.dtype(dtype).itemsize * count
        if count < 0 or not 0 <= at <= len(self.data) - size:
            raise ReadError(
                f"{self.name} is cut off or damaged: {size} bytes are needed at byte {at}, and the file has "
                f"{len(self.data)}. Copy it again."
            )
        return np.frombuffer(self.data, dtype, count, at)


def read_series(data: bytes | mmap.mmap, name: str) -> Series:
    """Parse a ``.ser``; nothing is copied where the elements lie evenly.

    Raises
    ------
    ReadError
        If it is not such a file, is cut off, or its elements differ in size.
    """
    file = _Bytes(data, name)
    magic, version, kind, tag_kind, total, valid = file.take(_HEAD)
    if magic != MAGIC or kind not in (PROFILES, IMAGES):
        raise ReadError(f"{name} is not a TIA series: it does not begin as one")
    if version not in (_NARROW, _WIDE):
        raise ReadError(
            f"{name} is a TIA series of version {version:#06x}, which is not known; 0x210 and 0x220 are"
        )
    wide = version == _WIDE
    (table,) = file.take(struct.Struct("<q" if wide else "<i"))
    (count,) = file.take(_I)
    if not 0 <= count <= _MOST_DIMENSIONS:
        raise ReadError(f"{name} is damaged: it announces {count} dimensions")
    dimensions = tuple(_dimension(file) for _ in range(count))
    if valid <= 0 or total < valid:
        raise ReadError(f"{name} holds no data: {valid} of {total} elements were taken")
    places = file.array(table, "<i8" if wide else "<i4", 2 * total).astype(np.int64)
    values, calibrations = _elements(file, places[:valid], kind)
    seconds, where = _tags(file, places[total : total + valid], tag_kind)
    return Series(values, total, dimensions, calibrations, seconds, where, version)


def _dimension(file: _Bytes) -> Dimension:
    (size,) = file.take(_I)
    calibration = Calibration(*file.take(_CALIBRATION))
    return Dimension(size, calibration, file.text(), file.text())


def _elements(
    file: _Bytes, places: NDArray[np.int64], kind: int
) -> tuple[NDArray[Any], tuple[Calibration, ...]]:
    """The elements as one array, and the calibrations of the first (rows before columns)."""
    axes = 1 if kind == PROFILES else 2
    head = struct.Struct("<" + "ddi" * axes + "h" + "i" * axes)
    first = file.take(head, int(places[0]))
    code, sizes = first[3 * axes], first[3 * axes + 1 :]
    if code not in DTYPES or min(sizes) <= 0:
        raise ReadError(f"{file.name} is damaged: element 1 has type {code} and size {sizes}")
    dtype, shape = np.dtype(DTYPES[code]), tuple(reversed(sizes))
    length = dtype.itemsize * math.prod(sizes)
    starts = places + head.size
    if len(places) * length > len(file.data):
        raise ReadError(
            f"{file.name} is cut off or damaged: {len(places)} elements of {length} bytes are announced, and the file "
            f"has {len(file.data)} bytes. Copy it again."
        )
    for start in (int(starts.min()), int(starts.max())):
        file.array(start, "u1", length)
    tail = np.frombuffer(struct.pack("<h" + "i" * axes, code, *sizes), "u1")
    odd = (_at(file, starts - len(tail), len(tail)) != tail).any(axis=1)
    if odd.any():
        raise ReadError(
            f"element {int(odd.argmax()) + 1} of {file.name}, at byte {places[odd.argmax()]}, has another size or type "
            "than the first; the file is damaged"
        )
    calibrations = tuple(Calibration(*first[3 * i : 3 * i + 3]) for i in reversed(range(axes)))
    stride = int(places[1] - places[0]) if len(places) > 1 else length
    if stride >= length and bool((np.diff(places) == stride).all()):
        inner = np.empty(shape, dtype).strides
        start = int(starts[0])
        return np.ndarray((len(places), *shape), dtype, file.data, start, (stride, *inner)), calibrations
    return np.stack(
        [file.array(s, dtype, math.prod(sizes)).reshape(shape) for s in starts.tolist()]
    ), calibrations


def _at(file: _Bytes, places: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """``size`` bytes at each place, which must be in the file; shape (places, size)."""
    found: NDArray[np.uint8] = np.frombuffer(file.data, "u1")[places[:, None] + np.arange(size)]
    return found


def _tags(
    file: _Bytes, places: NDArray[np.int64], kind: int
) -> tuple[NDArray[np.int32] | None, NDArray[np.float64] | None]:
    """Times and places of the elements; None where the tags are missing: the data stand without them."""
    layout = _TAGS.get(kind)
    if layout is None or places.min() < 0 or places.max() > len(file.data) - layout.itemsize:
        return None, None
    tags = _at(file, places, layout.itemsize).view(layout)[:, 0]
    if (tags["kind"] & 0xFFFF != kind).any():
        return None, None
    placed = kind == _PLACED and bool(np.isfinite(tags["place"]).all())
    return tags["time"], tags["place"] if placed else None
