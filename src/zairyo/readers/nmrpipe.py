"""NMRPipe: a head of 512 float32 and float32 data; ``.fid``, ``.ft1``, ``.ft2``, ``.ft3`` of one to four dimensions.

The head's parameters have fixed places (NMRPipe's published ``fdatap.h``). A row of complex data is all its real
numbers, then all its imaginary ones.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Measurement, clean_text
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._nmr import Conditions, Dimension, check_size, nmr_entry, nucleus_of

_HEAD = 512
_ORDER_MARK = struct.pack(">f", 2.345)
_IEEE = struct.pack(">f", 4008636160.0)  # the head's second word, read in the right byte order
#: Head places: of the whole file, and of each dimension (F1, F2, F3, F4).
_PLACES = {"dimensions": 9, "size": 99, "rows": 219, "planes": 15, "cubes": 32, "real": 106, "pipe": 57, "files": 442,
           "temperature": 157, "transposed": 221, "phase_2d": 256, "month": 294, "day": 295, "year": 296, "hour": 283,
           "minute": 284, "second": 285, "maximum": 247, "minimum": 248, "noise": 153, "plane": 14}  # fmt: skip
_OF_DIMENSION_NAMES = ("frequency", "width", "origin", "carrier", "transformed", "real", "time_points")
_OF_DIMENSION = {
    number: dict(zip(_OF_DIMENSION_NAMES, places, strict=True))
    for number, places in {
        1: (218, 229, 249, 67, 222, 55, 387),
        2: (119, 100, 101, 66, 220, 56, 386),
        3: (10, 11, 12, 68, 13, 51, 388),
        4: (28, 29, 30, 69, 31, 54, 389),
    }.items()
}
_LABELS = {1: 18, 2: 16, 3: 20, 4: 22}
_TEXTS = {"source": (286, 16), "user": (290, 16), "title": (297, 60), "comment": (312, 160)}


@dataclass(frozen=True)
class _Head:
    order: str
    raw: bytes
    values: list[float]

    def whole(self, name: str, default: int = 0) -> int:
        value = self.values[_PLACES[name]]
        return int(value) if math.isfinite(value) and abs(value) < 2**31 else default

    def of(self, dimension: int, name: str) -> float:
        return self.values[_OF_DIMENSION[dimension][name]]

    def text(self, at: int, size: int) -> str:
        field = self.raw[4 * at : 4 * at + size].split(b"\0", 1)[0]
        text = clean_text(field.decode("utf-8", "replace")).strip() if field else ""
        return text if text.isprintable() else ""

    def label(self, dimension: int) -> str:
        return self.text(_LABELS[dimension], 8)


def sniff(src: RawInput) -> float:
    return CERTAIN if _order(src.head) else NO


def _order(head: bytes) -> str:
    """Byte order by the head's third number, 2.345, and its first two: 0 and the mark of IEEE numbers."""
    if len(head) < 4 * _HEAD or head[:4] != bytes(4):
        return ""
    if head[8:12] == _ORDER_MARK:
        return ">" if head[4:8] == _IEEE else ""
    return "<" if head[8:12] == _ORDER_MARK[::-1] and head[4:8] == _IEEE[::-1] else ""


def read(src: RawInput) -> Measurement:
    data = src.read_bytes()
    order = _order(data)
    if not order:
        raise ReadError(
            f"{src.name} does not begin with NMRPipe's head of 2048 bytes; it is another format or cut off"
        )
    head = _Head(order, data[: 4 * _HEAD], np.frombuffer(data, f"{order}f4", _HEAD).tolist())
    warnings: list[str] = []
    entry = _entry(head, data, src.name, warnings)
    return Measurement(
        entries=(entry,),
        title=head.text(*_TEXTS["title"]) or src.name,
        operator=head.text(*_TEXTS["user"]),
        original_metadata=_metadata(head),
        warnings=tuple(warnings),
    )


def _order_of_dimensions(head: _Head, rank: int) -> list[int]:
    """Numbers of the file's dimensions, the fastest first."""
    stated = [int(v) if math.isfinite(v) and 1 <= v <= 4 else 0 for v in head.values[24 : 24 + rank]]
    return stated if len(set(stated)) == rank and 0 not in stated else [2, 1, 3, 4][:rank]


def _entry(head: _Head, data: bytes, name: str, warnings: list[str]) -> Entry:
    rank = head.whole("dimensions", 1)
    if not 1 <= rank <= 4:
        raise ReadError(f"{name} tells of {rank} dimensions; it is damaged")
    order = _order_of_dimensions(head, rank)
    size, rows = head.whole("size"), max(head.whole("rows", 1), 1)
    is_complex = head.whole("real") == 0
    width = size * (2 if is_complex else 1)
    numbers = np.frombuffer(data, f"{head.order}f4", (len(data) - 4 * _HEAD) // 4, 4 * _HEAD)
    shape = _shape(head, rank, rows, width, len(numbers), name, warnings)
    check_size([*shape, width], len(numbers), name)
    announced = math.prod(shape) * width
    if (left := len(numbers) - announced) >= width:
        warnings.append(f"The file holds {left} numbers more than its head announces; they were not read.")
    values = numbers[:announced].reshape(*shape, width)
    # A vector of one dimension has rows of 1; an indirect dimension that is complex has them in turn.
    values = values.reshape([*(n for n in shape if rank > 1 or n > 1), width])
    if is_complex:
        both = np.empty((*values.shape[:-1], size), np.complex64)
        both.real, both.imag = values[..., :size], values[..., size:]
        both.flags.writeable = False  # nobody else has it: it need not be copied
        values = both
    numbers_of = order[1 : values.ndim]
    dimensions = [
        _dimension(head, n, points, False)
        for n, points in zip(reversed(numbers_of), values.shape[:-1], strict=True)
    ]
    dimensions.append(_dimension(head, order[0], size, True))
    is_time = dimensions[-1].kind == "time"
    shared: dict[str, Any] = {
        "title": head.text(*_TEXTS["title"]) or name,
        "conditions": _conditions(head, order, warnings),
        "started": _started(head),
    }
    if is_complex and not is_time:
        return nmr_entry("spectrum", dimensions, values.real, values.imag, **shared)
    return nmr_entry("fid" if is_time else "spectrum", dimensions, values, **shared)


def _shape(
    head: _Head, rank: int, rows: int, width: int, there: int, name: str, warnings: list[str]
) -> tuple[int, ...]:
    """All dimensions but the direct one, slowest first."""
    if width < 1:
        raise ReadError(f"{name} tells of rows of {head.whole('size')} points; it is damaged")
    if rank == 1:
        return (max(there // width, 1),) if rows > 1 and there >= rows * width else (1,)
    if rank == 2 and there == 2 * rows * width:
        return (2 * rows,)  # an indirect dimension that is complex, counted in pairs
    planes, cubes = (max(head.whole(place, 1), 1) for place in ("planes", "cubes"))
    if rank == 4 and head.whole("pipe") and there >= cubes * planes * rows * width:
        return (cubes, planes, rows)
    if rank >= 3 and head.whole("pipe") and there >= planes * rows * width:
        return (planes, rows)
    if rank >= 3:
        files = max(head.whole("files", 1), planes)
        warnings.append(
            f"This is one plane of a series of {files} files; the other planes are not in this file."
        )
    return (rows,)


def _dimension(head: _Head, number: int, points: int, direct: bool) -> Dimension:
    frequency, width, origin = (head.of(number, name) for name in ("frequency", "width", "origin"))
    known = all(math.isfinite(v) for v in (frequency, width, origin)) and width > 0
    if not head.of(number, "transformed"):
        return (
            Dimension(points, "time", 0.0, 1 / width) if direct and known else Dimension(points, "increment")
        )
    if not known:
        return Dimension(points, "increment")
    first = origin + width * (points - 1) / points  # the origin is the last point's frequency
    if frequency > 0:
        return Dimension(points, "shift", first / frequency, -width / points / frequency)
    return Dimension(points, "frequency", first, -width / points)


def _conditions(head: _Head, order: list[int], warnings: list[str]) -> Conditions:
    found = Conditions()
    found.text("nucleus", nucleus_of(head.label(order[0])))
    found.number("observe_frequency", head.of(order[0], "frequency"), "MHz")
    found.number("spectral_width", head.of(order[0], "width"), "Hz")
    found.number("temperature", head.values[_PLACES["temperature"]], "degC")
    if len(order) > 1:
        found.text("indirect_nucleus", nucleus_of(head.label(order[1])))
        found.number("indirect_frequency", head.of(order[1], "frequency"), "MHz")
        found.number("indirect_spectral_width", head.of(order[1], "width"), "Hz")
    found.text("comment", head.text(*_TEXTS["comment"]))
    return found


def _started(head: _Head) -> datetime | None:
    year = head.whole("year")
    try:
        return datetime(
            year + 1900 if 0 < year < 200 else year,
            head.whole("month"),
            head.whole("day"),
            head.whole("hour"),
            head.whole("minute"),
            head.whole("second"),
        )
    except ValueError:
        return None


def _metadata(head: _Head) -> dict[str, Any]:
    def numbers(places: dict[str, int]) -> dict[str, float | None]:
        return {n: value if math.isfinite(value := head.values[at]) else None for n, at in places.items()}

    told: dict[str, Any] = numbers(_PLACES) | {name: head.text(*place) for name, place in _TEXTS.items()}
    for number, places in _OF_DIMENSION.items():
        told[f"F{number}"] = {"label": head.label(number)} | numbers(places)
    return told


READER = Reader(
    name="nmrpipe",
    version="2",
    techniques=("nmr",),
    vendor="NMRPipe",
    format="NMRPipe",
    endings=(".fid", ".ft", ".ft1", ".ft2", ".ft3", ".dat"),
    sniff=sniff,
    read=read,
    notes="Time and frequency data of one to four dimensions in one file, either byte order; one plane of a series of "
    "files is read as such, with a warning.",
)
