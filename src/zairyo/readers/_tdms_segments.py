"""TDMS: segments, their objects and properties, and where the raw data of each object are.

Facts (NI, "TDMS File Format Internal Structure"): a file is a row of segments, each a lead-in of 28 bytes, perhaps
metadata, perhaps raw data. Metadata is incremental: a segment says only what differs from the one before.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement.text import clean_text
from zairyo.readers._api import ReadError

Bytes = NDArray[np.uint8]

LEAD_IN = 28
METADATA, NEW_LIST, RAW, INTERLEAVED, BIG_ENDIAN, DAQMX = 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 6, 1 << 7
_UNFINISHED = 0xFFFF_FFFF_FFFF_FFFF
_NO_DATA, _AS_BEFORE = 0xFFFF_FFFF, 0
_FORMAT_CHANGING = (0x1269,)
_DIGITAL_LINE = (0x126A, 0x1369)  # as LabVIEW writes it, and as NI's page says
STRING, TIMESTAMP, DAQMX_RAW = 0x20, 0x44, 0xFFFF_FFFF
_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)

#: Type code → NumPy's type without its byte order. Timestamps are two words.
NUMBERS = {
    1: "i1", 2: "i2", 3: "i4", 4: "i8", 5: "u1", 6: "u2", 7: "u4", 8: "u8", 9: "f4", 10: "f8",
    0x19: "f4", 0x1A: "f8", 0x21: "?", TIMESTAMP: "V16", 0x08000C: "c8", 0x10000D: "c16",
}  # fmt: skip
#: The same of single numbers, as ``struct`` spells it.
_SIMPLE = {
    1: "b", 2: "h", 3: "i", 4: "q", 5: "B", 6: "H", 7: "I", 8: "Q", 9: "f", 10: "d", 0x19: "f", 0x1A: "d",
}  # fmt: skip
#: The codes that DAQmx scalers use differ from those of channels.
SCALER_NUMBERS = {0: "u1", 1: "i1", 2: "u2", 3: "i2", 4: "u4", 5: "i4", 6: "u8", 7: "i8", 8: "f4", 9: "f8"}


@dataclass(frozen=True)
class Scaler:
    """Where a DAQmx channel's raw numbers are: which buffer, how many bytes into its rows, which bit (or -1)."""

    kind: str
    buffer: int
    offset: int
    bit: int
    scale: int


@dataclass(frozen=True)
class Index:
    """What one chunk of a segment holds of an object: ``count`` values in ``size`` bytes (strings: in all)."""

    code: int
    count: int
    size: int
    scalers: tuple[Scaler, ...] = ()
    widths: tuple[int, ...] = ()


@dataclass
class Object:
    """The file (path of no parts), a group (one) or a channel (two)."""

    parts: tuple[str, ...]
    properties: dict[str, Any] = field(default_factory=dict)
    index: Index | None = None


@dataclass(frozen=True)
class Segment:
    """The raw data between two bytes, and which objects have how much in each chunk of it."""

    start: int
    end: int
    order: str
    interleaved: bool
    layout: tuple[tuple[str, Index], ...]
    unfinished: bool


class _Cursor:
    """Reads a segment's metadata, which begin at byte ``begin`` of the file."""

    def __init__(self, data: bytes, begin: int, order: str) -> None:
        self._data, self._begin, self._at, self.order = data, begin, 0, order
        self._word = struct.Struct(order + "I").unpack_from

    @property
    def place(self) -> int:
        """Which byte of the file is next."""
        return self._begin + self._at

    def take(self, count: int) -> bytes:
        at, end = self._at, self._at + count
        if end > len(self._data):
            raise ReadError(
                f"The metadata of the segment are cut off or damaged at byte {self.place}: {count} bytes are expected, "
                f"{len(self._data) - at} are there. Copy the file again."
            )
        self._at = end
        return self._data[at:end]

    def unpack(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(self.order + form, self.take(struct.calcsize("=" + form)))

    def u32(self) -> int:
        at = self._at
        if at + 4 > len(self._data):
            self.take(4)  # tells that the file is cut off
        self._at = at + 4
        return self._word(self._data, at)[0]  # type: ignore[no-any-return]

    def text(self) -> str:
        text = self.take(self.u32()).decode("utf-8", "replace")
        return text if text.isprintable() else clean_text(text)

    def value(self) -> Any:
        code = self.u32()
        if code == STRING:
            return self.text()
        if code in _SIMPLE:
            return self.unpack(_SIMPLE[code])[0]
        if code == TIMESTAMP:
            return moment(self.take(16), self.order)
        if code == 0:
            self.take(1)
            return None
        if code == 0x21:
            return self.take(1) != b"\x00"
        form = NUMBERS.get(code)
        if form is None:
            raise ReadError(
                f"A property at byte {self.place} has the type {code:#x}, which is not known. The file is damaged, or "
                "newer than this reader."
            )
        kind = np.dtype(self.order + form)
        value = np.frombuffer(self.take(kind.itemsize), kind)[0].item()
        return str(value) if isinstance(value, complex) else value


def moment(data: bytes, order: str) -> datetime | None:
    """A point in time: seconds since 1904 (UTC) and 2⁻⁶⁴ of them. None for the epoch itself, which means none."""
    if order == "<":
        fraction, seconds = struct.unpack("<Qq", data)
    else:
        seconds, fraction = struct.unpack(">qQ", data)
    if seconds == 0 and fraction == 0:
        return None
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=round(fraction / 2**64 * 1e6))
    except OverflowError:
        return None


def split_path(path: str) -> tuple[str, ...]:
    """The names in ``/'group'/'channel'``; a quote within a name is doubled."""
    if not path.startswith("/'"):
        return ()
    parts = path[2:].removesuffix("'").replace("''", "\x00").split("'/'")
    return tuple(part.replace("\x00", "'") for part in parts)


def read_segments(data: Bytes) -> tuple[list[Segment], dict[str, Object], list[str]]:
    """All segments with raw data, all objects by their path in the order they come, and warnings."""
    segments: list[Segment] = []
    objects: dict[str, Object] = {}
    layout: dict[str, Index | None] = {}
    warnings: list[str] = []
    settled: tuple[tuple[str, Index], ...] = ()
    at = 0
    while at < len(data):
        head = data[at : at + LEAD_IN].tobytes()
        if len(head) < LEAD_IN or head[:4] != b"TDSm":
            raise ReadError(
                f"There is no segment at byte {at}, where one must begin. The file is cut off or damaged; copy it "
                "again."
            )
        flags = struct.unpack("<I", head[4:8])[0]
        order = ">" if flags & BIG_ENDIAN else "<"
        following, raw_at = struct.unpack(order + "QQ", head[12:])
        unfinished = following == _UNFINISHED
        start = at + LEAD_IN
        end = len(data) if unfinished else start + following
        if end > len(data):
            raise ReadError(
                f"The segment at byte {at} ends at byte {end}, but the file has {len(data)}. It is cut off; copy it "
                "again."
            )
        if unfinished:
            warnings.append(
                "The recording was not ended properly (LabVIEW stopped or lost power); what it had written is read."
            )
        if raw_at > end - start:
            if not unfinished:
                raise ReadError(
                    f"The raw data of the segment at byte {at} begin beyond its end; it is damaged."
                )
            break  # stopped while it wrote the metadata
        if flags & METADATA:
            if flags & NEW_LIST:
                layout = {}
            _objects(_Cursor(data[start : start + raw_at].tobytes(), start, order), objects, layout)
            settled = tuple((path, index) for path, index in layout.items() if index and index.count)
        if flags & RAW and settled:
            segments.append(
                Segment(start + raw_at, end, order, bool(flags & INTERLEAVED), settled, unfinished)
            )
        at = end
    return segments, objects, warnings


def _objects(cursor: _Cursor, objects: dict[str, Object], layout: dict[str, Index | None]) -> None:
    for _ in range(cursor.u32()):
        path = cursor.text()
        there = objects.get(path)
        if there is None:
            there = objects[path] = Object(split_path(path))
        head = cursor.u32()
        if head == _NO_DATA:
            layout[path] = None
        else:
            if head != _AS_BEFORE:
                there.index = _index(cursor, head)
            elif there.index is None:
                raise ReadError(
                    f"The object {path[:60]} at byte {cursor.place} refers to an earlier description of its data, and "
                    "there is none. The file is damaged."
                )
            layout[path] = there.index
        for _ in range(cursor.u32()):
            name = cursor.text()
            there.properties[name] = cursor.value()


def _index(cursor: _Cursor, head: int) -> Index:
    if head in _FORMAT_CHANGING or head in _DIGITAL_LINE:
        return _daqmx_index(cursor, head in _DIGITAL_LINE)
    code, dimension, count = cursor.unpack("IIQ")
    if dimension != 1:
        raise ReadError(f"Data described at byte {cursor.place} have {dimension} dimensions; TDMS knows one.")
    if code == STRING:
        return Index(code, count, cursor.unpack("Q")[0])
    form = NUMBERS.get(code)
    if form is None:
        raise ReadError(
            f"The data described at byte {cursor.place} are of the type {code:#x}, which is not read"
            + (" (extended precision)" if code in (0xB, 0x1B) else " (fixed point)" if code == 0x4F else "")
            + ". Save them as doubles, or convert the file."
        )
    return Index(code, count, count * np.dtype(form).itemsize)


def _daqmx_index(cursor: _Cursor, lines: bool) -> Index:
    code, dimension, count = cursor.unpack("IIQ")
    if dimension != 1:
        raise ReadError(f"Data described at byte {cursor.place} have {dimension} dimensions; TDMS knows one.")
    scalers = []
    for _ in range(cursor.u32()):
        kind, buffer, offset, _, scale = cursor.unpack("IIIBI" if lines else "IIIII")
        if kind not in SCALER_NUMBERS or (lines and kind > 7):
            raise ReadError(f"A DAQmx scaler at byte {cursor.place} has the type {kind}, which is not known.")
        byte, bit = (offset // 8, offset % 8) if lines else (offset, -1)
        scalers.append(Scaler(SCALER_NUMBERS[kind], buffer, byte, bit, scale))
    widths = tuple(cursor.u32() for _ in range(cursor.u32()))
    for s in scalers:
        if s.buffer >= len(widths) or s.offset + np.dtype(s.kind).itemsize > widths[s.buffer]:
            raise ReadError(
                f"A DAQmx scaler before byte {cursor.place} points outside its buffer; it is damaged."
            )
    if not scalers or math.prod(widths) == 0:
        raise ReadError(f"The DAQmx data described before byte {cursor.place} have no scaler or no width.")
    return Index(code, count, 0, tuple(scalers), widths)
