"""Igor Pro's binary wave (``.ibw``, and the wave records of ``.pxp``): versions 1, 2, 3 and 5, both byte orders.

Facts: WaveMetrics, Igor Technical Note 003 ("Igor Binary Format"). A file is a short header with the sizes of
its parts, a wave header (dimensions, scaling, units), the numbers in column-major order, then the parts: the
note, the formula, long units, labels of the dimensions, and where each text of a text wave ends.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import clean_text
from zairyo.readers._api import ReadError
from zairyo.readers._legacy_text import decode_legacy

Array = NDArray[Any]

#: Version → bytes of the file's header, of the wave header that the checksum covers, and where the numbers begin.
_SIZES = {1: (8, 126, 8 + 110), 2: (16, 126, 16 + 110), 3: (20, 126, 20 + 110), 5: (64, 320, 64 + 320)}
_OLD_PADDING = 16  # after the numbers, in versions before 5
_COMPLEX, _UNSIGNED = 0x01, 0x40
_NUMBERS = {0x02: "f4", 0x04: "f8", 0x08: "i1", 0x10: "i2", 0x20: "i4", 0x80: "i8"}
_LABEL_BYTES = 32
_EPOCH = datetime(1904, 1, 1)


@dataclass(frozen=True)
class Wave:
    """One Igor wave.

    Attributes
    ----------
    name
        As in Igor.
    data
        Shape: one length a dimension, in Igor's order (rows, columns, layers, chunks). Numbers in the file's
        precision, or text. A view of the bytes given, read-only, Fortran-ordered.
    step, start
        Scaling of each dimension: position i is at ``start + i * step``.
    unit
        Of the numbers, verbatim; empty if none is stated.
    axis_units
        Of each dimension's positions, verbatim; empty if none is stated.
    axis_labels
        The label of each dimension as a whole; mostly empty.
    labels
        For each dimension a label for each index, or ``()`` where there are none.
    note
        The wave's note, with ``\\n`` between lines.
    formula
        The dependency that Igor recomputes the wave by; mostly empty.
    created, modified
        By the computer's clock; None if not stated.
    version
        Of the file format.
    """

    name: str
    data: Array
    step: tuple[float, ...]
    start: tuple[float, ...]
    unit: str
    axis_units: tuple[str, ...]
    axis_labels: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    note: str
    formula: str
    created: datetime | None
    modified: datetime | None
    version: int

    def axis(self, dimension: int) -> NDArray[np.float64]:
        """Positions along a dimension, shape (length,), in ``axis_units[dimension]``."""
        index = np.arange(self.data.shape[dimension], dtype=float)
        return self.start[dimension] + index * self.step[dimension]


def is_wave(head: bytes) -> bool:
    """Whether bytes begin as a binary wave does: a known version, and headers whose checksum is right."""
    try:
        order, version = _version(head)
        _check_sum(head, order, version)
    except ReadError:
        return False
    return True


def read_wave(data: bytes) -> Wave:
    """Read one binary wave.

    Parameters
    ----------
    data
        The whole ``.ibw`` file, or a wave record of a packed experiment.

    Raises
    ------
    ReadError
        The bytes are no wave, are cut off or damaged, or hold what is no measurement (references).
    """
    order, version = _version(data)
    _check_sum(data, order, version)
    return _read_new(data, order) if version == 5 else _read_old(data, order, version)


# --- both kinds of header -----------------------------------------------------------------------------------


def _version(data: bytes) -> tuple[str, int]:
    """Byte order and version: a small number whose zero byte shows the order."""
    if len(data) < 2:
        raise ReadError(f"this is no Igor binary wave: it has {len(data)} bytes")
    order = ">" if data[0] == 0 else "<"
    (version,) = struct.unpack_from(order + "h", data)
    if version == 7:
        raise ReadError(
            "this Igor binary wave is of version 7 (names longer than 31 letters), which is not documented; give the "
            "wave and its dimension labels shorter names in Igor and save it again"
        )
    if version not in _SIZES:
        raise ReadError(f"this is no Igor binary wave: it begins with version {version}")
    return order, version


def _check_sum(data: bytes, order: str, version: int) -> None:
    header, wave, _ = _SIZES[version]
    if len(data) < header + wave:
        raise ReadError(
            f"the Igor wave is cut off: {len(data)} bytes, and its headers alone have {header + wave}"
        )
    if int(np.frombuffer(data, order + "i2", (header + wave) // 2).sum(dtype=np.int64)) & 0xFFFF:
        raise ReadError("the headers of the Igor wave do not agree with their checksum; the file is damaged")


def _read_old(data: bytes, order: str, version: int) -> Wave:
    """Versions 1 to 3: one dimension."""
    header, _, first = _SIZES[version]
    sizes = struct.unpack_from(order + "i" * ((header - 4) // 4), data, 2)
    note_bytes = sizes[1] if version > 1 else 0
    formula_bytes = sizes[2] if version > 2 else 0
    (kind,) = struct.unpack_from(order + "h", data, header)
    points, _, step, start = struct.unpack_from(order + "ihdd", data, header + 42)
    (created,) = struct.unpack_from(order + "I", data, header + 96)
    (modified,) = struct.unpack_from(order + "I", data, header + 102)
    if formula_bytes > 0 and sizes[0] <= _SIZES[version][1]:
        text = _Parts(data, len(data) - formula_bytes - max(note_bytes, 0), order).text(
            formula_bytes, "formula"
        )
        raise _depends(text)
    values, end = _numbers(data, order, kind, (points,), first)
    parts = _Parts(data, end + _OLD_PADDING, order)
    if version == 1:  # nothing follows, and the padding may have been left out
        parts.at = len(data)
    note, formula = parts.text(note_bytes, "note"), parts.text(formula_bytes, "formula")
    return Wave(
        name=_short(data, header + 6, 20, order),
        data=values,
        step=(step,),
        start=(start,),
        unit=_short(data, header + 34, 4, order),
        axis_units=(_short(data, header + 38, 4, order),),
        axis_labels=("",),
        labels=((),),
        note=note,
        formula=formula,
        created=_moment(created),
        modified=_moment(modified),
        version=version,
    )


def _depends(formula: str) -> ReadError:
    return ReadError(
        f"Igor computes this wave by its dependency {formula.strip()[:80]!r} and saved none of its numbers; save a "
        "copy of it without the dependency"
    )


def _read_new(data: bytes, order: str) -> Wave:
    """Version 5: up to four dimensions, texts."""
    wave_bytes, *sizes = struct.unpack_from(order + "14i", data, 4)
    head = 64
    created, modified, points, kind = struct.unpack_from(order + "IIih", data, head + 4)
    counts = struct.unpack_from(order + "4i", data, head + 68)
    steps = struct.unpack_from(order + "4d", data, head + 84)
    starts = struct.unpack_from(order + "4d", data, head + 116)
    shape = tuple(counts[: counts.index(0)]) if 0 in counts else counts
    shape = shape or (max(points, 0),)
    rank, first = len(shape), _SIZES[5][2]
    if kind == 0:
        values, end = np.empty(0), first + wave_bytes - (first - head)
        if not first <= end <= len(data):
            raise ReadError(
                f"the texts of the Igor wave should end at byte {end} of {len(data)}; it is cut off"
            )
    else:
        values, end = _numbers(data, order, kind, shape, first)
    parts = _Parts(data, end, order)
    formula, note = parts.text(sizes[0], "formula"), parts.text(sizes[1], "note")
    long_unit = parts.text(sizes[2], "unit")
    long_axis_units = [parts.text(size, "units of the dimensions") for size in sizes[3:7]]
    labels = [parts.labels(size) for size in sizes[7:11]]
    if kind == 0:
        values = _texts(data[first:end], parts.take(sizes[11], "ends of the texts"), order, shape)
    return Wave(
        name=_short(data, head + 28, 32, order),
        data=values,
        step=steps[:rank],
        start=starts[:rank],
        unit=long_unit or _short(data, head + 148, 4, order),
        axis_units=tuple(
            long_axis_units[i] or _short(data, head + 152 + 4 * i, 4, order) for i in range(rank)
        ),
        axis_labels=tuple(labels[i][0] if labels[i] else "" for i in range(rank)),
        labels=tuple(labels[i][1 : shape[i] + 1] for i in range(rank)),
        note=note,
        formula=formula,
        created=_moment(created),
        modified=_moment(modified),
        version=5,
    )


# --- the parts ----------------------------------------------------------------------------------------------


@dataclass
class _Parts:
    """What follows the numbers, one part after the other."""

    data: bytes
    at: int
    order: str

    def take(self, size: int, what: str) -> bytes:
        if size < 0:
            raise ReadError(f"the Igor wave gives its {what} {size} bytes; the file is damaged")
        if size and self.at + size > len(self.data):
            raise ReadError(
                f"the {what} of the Igor wave should end at byte {self.at + size}, but there are {len(self.data)}; "
                "it is cut off. Copy it again."
            )
        self.at += size
        return self.data[self.at - size : self.at]

    def text(self, size: int, what: str) -> str:
        return decode_text(self.take(size, what), self.order)

    def labels(self, size: int) -> tuple[str, ...]:
        """The label of the dimension as a whole, then one an index."""
        raw = self.take(size, "labels of the dimensions")
        pieces = (raw[i : i + _LABEL_BYTES] for i in range(0, size, _LABEL_BYTES))
        return tuple(decode_text(piece.split(b"\0")[0], self.order) for piece in pieces)


def _numbers(data: bytes, order: str, kind: int, shape: tuple[int, ...], first: int) -> tuple[Array, int]:
    """The wave's numbers and the byte after them."""
    name = _NUMBERS.get(kind & ~(_COMPLEX | _UNSIGNED))
    if name is None:
        what = (
            "references to other waves or folders" if kind & 0x4100 else f"an unknown kind of value ({kind})"
        )
        raise ReadError(f"the Igor wave holds {what}, no numbers")
    if kind & _UNSIGNED and name[0] == "i":
        name = "u" + name[1:]
    if min(shape) < 0:
        raise ReadError(f"the Igor wave's dimensions are {shape}; the file is damaged")
    count = math.prod(shape)
    twice = 2 if kind & _COMPLEX else 1
    dtype = np.dtype(order + name)
    end = first + count * twice * dtype.itemsize
    if end > len(data):
        raise ReadError(
            f"the Igor wave of {' × '.join(map(str, shape))} numbers should have {end} bytes, but it ends after "
            f"{len(data)}; it is cut off. Copy it again."
        )
    values: Array = np.frombuffer(data, dtype, count * twice, first)
    if twice == 2:
        values = _complex(values)
    return values.reshape(shape, order="F"), end


def _complex(values: Array) -> Array:
    if values.dtype.kind == "f":
        return values.view(np.dtype(f"{values.dtype.byteorder}c{2 * values.dtype.itemsize}"))
    whole: Array = values[::2] + 1j * values[1::2]
    return whole


def _texts(content: bytes, ends: bytes, order: str, shape: tuple[int, ...]) -> Array:
    """A text wave: all texts in one run, and where each of them ends."""
    count = math.prod(shape)
    if min(shape) <= 0:
        raise ReadError("the Igor text wave holds no text")
    if len(ends) != 4 * count:
        raise ReadError(
            f"the Igor text wave has {count} texts, but {len(ends) // 4} places where they end; it is damaged"
        )
    stops = np.frombuffer(ends, order + "u4").astype(np.int64)
    starts = np.concatenate(([0], stops[:-1]))
    if (stops < starts).any() or (count and stops[-1] > len(content)):
        raise ReadError("the texts of the Igor wave end outside of it; the file is damaged")
    texts = np.array(list(_each(content, starts, stops, order)), dtype=object)
    return texts.reshape(shape, order="F")


def _each(content: bytes, starts: Array, stops: Array, order: str) -> Iterator[str]:
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        yield decode_text(content[start:stop], order)


def _short(data: bytes, at: int, size: int, order: str) -> str:
    return decode_text(data[at : at + size].split(b"\0")[0], order)


def decode_text(raw: bytes, order: str) -> str:
    """UTF-8 from Igor 7 on; before that the system's letters, which were a Macintosh's if the bytes are swapped."""
    raw = raw.rstrip(b"\0")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("mac_roman") if order == ">" else decode_legacy(raw)
    return clean_text(text.replace("\r\n", "\n").replace("\r", "\n"))


def _moment(seconds: int) -> datetime | None:
    return _EPOCH + timedelta(seconds=seconds) if seconds else None
