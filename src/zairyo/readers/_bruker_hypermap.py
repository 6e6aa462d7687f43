"""Bruker's X-ray maps: pixels, each packed in the way that was shortest for it, unpacked many pixels at a time.

Behind a head of 0x1A0 bytes (rows, columns …) come the lines: the number of their pixels, then the pixels, each a
head of 22 bytes and its counts in one of these forms:

- a channel number a pulse, of 16 bits;
- the same of 12 bits, packed in words of 16;
- instructions: so many channels without counts, or so many with a common offset and 4, 8, 16 or 32 bits each; then
  pulses as channel numbers of 16 bits that are to be added.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError

_HEAD, _PIXEL_HEAD = 0x1A0, 22
_PIXEL = np.dtype(
    {
        "names": ["x", "form", "pulses", "size"],
        "formats": ["<u4", "<u2", "<u2", "<u4"],
        "offsets": [0, 12, 16, 18],
        "itemsize": _PIXEL_HEAD,
    }
)
_PACKING, _INTEGER = struct.Struct("<12xH4xI"), struct.Struct("<I")
_PULSES_16, _PULSES_12 = 0, 1
_MOST_BYTES = 2**30
_MOST_SIDE = 65_536
_MOST_EMPTY = 2000  # pixels without a head for one with: a map may be interrupted, or have spots only
#: Pulses, and bytes of instructions, that are unpacked at once.
_PULSES_AT_ONCE, _BYTES_AT_ONCE = 1_000_000, 2_000_000
#: Width of an instruction's values in half bytes → in bytes, at least one; its common offset has as many whole bytes.
_WIDTHS = {1: 1, 2: 1, 4: 2, 8: 4}


def _bytes_of_instructions() -> NDArray[np.int64]:
    """Length of an instruction by its two first bytes, width + 256 × channels; too large for an unknown width."""
    channels = np.arange(256)
    lengths = np.full((256, 256), 2**20)
    lengths[:, 0] = 2
    for width in _WIDTHS:
        lengths[:, width] = 2 + width + (channels * width + 1) // 2
    return lengths.reshape(-1)


_LENGTHS = _bytes_of_instructions()


@dataclass(frozen=True)
class Hypermap:
    """A map's counts, shape (rows, columns, channels); each is the sum over ``binning`` × ``binning`` pixels.

    ``is_clipped``: there was something in channels that the map's spectra do not have.
    """

    counts: NDArray[Any]
    binning: int
    is_clipped: bool


@dataclass(frozen=True)
class _Pixels:
    """Where each pixel's content begins, its place in the map, how it is packed, its pulses and bytes."""

    start: NDArray[np.int64]
    cell: NDArray[np.int64]
    form: NDArray[np.uint16]
    pulses: NDArray[np.int64]
    size: NDArray[np.int64]

    def of(self, which: NDArray[Any]) -> _Pixels:
        return _Pixels(
            self.start[which], self.cell[which], self.form[which], self.pulses[which], self.size[which]
        )


def unpack(data: bytes, channels: int, name: str) -> Hypermap:
    """Unpack a map of ``channels`` channels; of one too large for memory, the sums over squares of pixels.

    Raises
    ------
    ReadError
        If the map is cut off or damaged.
    """
    if len(data) < _HEAD + 4:
        raise _cut(data, _HEAD + 4, name)
    rows, columns = struct.unpack_from("<II", data)
    if not (0 < rows <= _MOST_SIDE and 0 < columns <= _MOST_SIDE and rows * 4 <= len(data)):
        raise ReadError(f"{name} states {rows} × {columns} pixels, which its {len(data)} bytes cannot hold")
    binning = 1
    while -(-rows // binning) * -(-columns // binning) * channels > _MOST_BYTES:
        binning += 1
    starts, lengths = _walk(data, rows, columns, name)
    pixels = _pixels(data, starts, lengths, columns, binning, name)
    if rows * columns > _MOST_EMPTY * len(starts):
        raise ReadError(f"{name} has {len(starts)} pixels of {rows} × {columns}; it is damaged")
    cube = _Cube(-(-rows // binning), -(-columns // binning), channels, binning, name)
    buffer = np.frombuffer(data + bytes(8), np.uint8)
    for form in (_PULSES_16, _PULSES_12):
        chosen = pixels.of(np.flatnonzero(pixels.form == form))
        cube.reserve(int(chosen.pulses.max(initial=0)))
        for part in _parts(chosen, chosen.pulses, _PULSES_AT_ONCE):
            cube.add_pulses(part.cell, part.pulses, _pulses(data, buffer, part, form, name))
    chosen = pixels.of(np.flatnonzero(pixels.form > _PULSES_12))
    for part in _parts(chosen, chosen.size, _BYTES_AT_ONCE):
        _add_instructed(data, part, cube, name)
    return Hypermap(cube.done(), binning, cube.is_clipped)


# --- where the pixels are -----------------------------------------------------------------------------------


def _walk(data: bytes, rows: int, columns: int, name: str) -> tuple[list[int], list[int]]:
    """The byte at which each pixel begins, and the number of pixels in each line.

    A pixel says where the next one is, so this is a loop; it looks at as little as it can.
    """
    starts: list[int] = []
    lengths: list[int] = []
    append, packing, integer, at = starts.append, _PACKING.unpack_from, _INTEGER.unpack_from, _HEAD
    try:
        for _ in range(rows):
            (count,) = integer(data, at)
            if count > columns:
                raise ReadError(
                    f"{name} has a line of {count} pixels at byte {at}, in a map of {columns} columns"
                )
            at += 4
            lengths.append(count)
            for _ in range(count):
                append(at)
                form, size = packing(data, at)
                at += _PIXEL_HEAD + size
                if form > _PULSES_12:  # the last four bytes say how many bytes of single pulses follow
                    at += integer(data, at - 4)[0]
    except struct.error:
        raise _cut(data, at, name) from None
    if at > len(data):
        raise _cut(data, at, name)
    return starts, lengths


def _pixels(
    data: bytes, starts: list[int], lengths: list[int], columns: int, binning: int, name: str
) -> _Pixels:
    start = np.array(starts, np.int64)
    heads = np.frombuffer(data, np.uint8)[start[:, None] + np.arange(_PIXEL_HEAD)].view(_PIXEL)[:, 0]
    x, y = heads["x"].astype(np.int64), np.repeat(np.arange(len(lengths)), lengths)
    if len(x) and int(x.max()) >= columns:
        raise ReadError(f"{name} has a pixel in column {int(x.max())} of {columns}; it is damaged")
    pulses, size = heads["pulses"].astype(np.int64), heads["size"].astype(np.int64)
    return _Pixels(
        start + _PIXEL_HEAD, y // binning * -(-columns // binning) + x // binning, heads["form"], pulses, size
    )


def _parts(pixels: _Pixels, weights: NDArray[np.int64], most: int) -> list[_Pixels]:
    """The pixels in runs of about ``most`` weight together."""
    if not len(weights):
        return []
    number = np.cumsum(weights) // most
    edges = np.flatnonzero(np.diff(number)) + 1
    return [pixels.of(run) for run in np.split(np.arange(len(weights)), edges)]


# --- the counts ---------------------------------------------------------------------------------------------


class _Cube:
    """Counts of the whole map, in the smallest type that holds them."""

    def __init__(self, rows: int, columns: int, channels: int, binning: int, name: str) -> None:
        self.shape, self.channels, self.binning, self.name = (
            (rows, columns, channels),
            channels,
            binning,
            name,
        )
        self.flat: NDArray[Any] = np.zeros(rows * columns * channels, np.uint8)
        self.is_clipped = False

    def reserve(self, largest: int) -> None:
        """Make room for counts of up to ``largest`` a pixel."""
        needed = np.min_scalar_type(max(1, largest * self.binning**2))
        if needed.itemsize > self.flat.itemsize:
            if largest >= 2**32 or self.flat.size * needed.itemsize > 2 * _MOST_BYTES:
                raise ReadError(
                    f"{self.name} has {largest} counts in a channel of a pixel, in a map of "
                    f"{' × '.join(map(str, self.shape))} numbers; it is damaged, or too large to be read"
                )
            self.flat = self.flat.astype(needed)

    def add_pulses(self, cells: NDArray[Any], counts: NDArray[Any], channels: NDArray[np.uint16]) -> None:
        """One more count in each of ``channels``, of which ``counts`` are each of ``cells``'s."""
        at = np.repeat(cells * self.channels, counts)
        at += channels
        if len(channels) and int(channels.max()) >= self.channels:
            at = at[channels < self.channels]
            self.is_clipped = True
        np.add.at(self.flat, at, self.flat.dtype.type(1))

    def add_rows(self, at: NDArray[Any], rows: NDArray[Any]) -> None:
        """``rows`` of values, shape (runs, values), from the places ``at`` of the flat cube on."""
        rows = np.ascontiguousarray(rows, self.flat.dtype)
        if self.binning == 1:
            size = rows.shape[1] * rows.itemsize
            _windows(self.flat, size)[at] = rows.view(f"V{size}")[:, 0]
        else:
            np.add.at(self.flat, at[:, None] + np.arange(rows.shape[1]), rows)

    def done(self) -> NDArray[Any]:
        if self.flat.itemsize > 1:
            smallest = np.min_scalar_type(int(self.flat.max()))
            self.flat = self.flat.astype(smallest, copy=False)
        self.flat.flags.writeable = False
        return self.flat.reshape(self.shape)


def _pulses(
    data: bytes, buffer: NDArray[np.uint8], pixels: _Pixels, form: int, name: str
) -> NDArray[np.uint16]:
    """The channel of every pulse of these pixels, one pixel behind the other.

    ``buffer`` is the data and some bytes more, as pulses of 12 bits are taken four at a time.
    """
    needed = pixels.pulses * 2 if form == _PULSES_16 else (pixels.pulses * 3 + 1) // 2
    if bool((needed > pixels.size).any()):
        at = int(pixels.start[np.argmax(needed > pixels.size)])
        raise ReadError(f"the pixel at byte {at} of {name} has not the bytes of its pulses; it is damaged")
    if form == _PULSES_16:
        return _joined(data, pixels.start, pixels.start + needed).view("<u2")
    units = -(-pixels.pulses // 4)
    within = np.arange(int(units.sum())) - np.repeat(np.cumsum(units) - units, units)
    words = _windows(buffer, 6)[np.repeat(pixels.start, units) + within * 6].view("<u2")
    a, b, c = words[0::3], words[1::3], words[2::3]
    four = np.empty((len(a), 4), np.uint16)
    four[:, 0] = a >> 4
    four[:, 1] = (a & 0xF) << 8 | b >> 8
    four[:, 2] = (b & 0xFF) << 4 | c >> 12
    four[:, 3] = c & 0xFFF
    return four.reshape(-1)[_is_used(pixels.pulses, 4 * units)]


def _is_used(used: NDArray[np.int64], there: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For runs of ``there`` values: True for the first ``used`` of each."""
    is_used = np.ones(int(there.sum()), bool)
    ends = np.cumsum(there)
    for missing in range(1, 4):
        is_used[ends[there - used >= missing] - missing] = False
    return is_used


def _add_instructed(data: bytes, pixels: _Pixels, cube: _Cube, name: str) -> None:
    """Counts of pixels packed as instructions, and the single pulses behind them."""
    if bool((pixels.size < 4).any()):
        raise ReadError(f"the pixel at byte {int(pixels.start.min())} of {name} has no counts; it is damaged")
    ends = pixels.start + pixels.size
    region = _joined(data, pixels.start, ends)
    first = np.cumsum(pixels.size) - pixels.size
    extra = _integers(region, first + pixels.size - 4, 4) // 2
    more = int(extra.max(initial=0))
    at, width, count, place = _instructions(region, first, pixels, cube, name)
    for number, size in _WIDTHS.items():
        chosen = np.flatnonzero(width == number)
        if not len(chosen):
            continue
        # Instructions of as many values are one array; there are few such numbers and many instructions.
        order = chosen[np.argsort(count[chosen], kind="stable")]
        groups = np.bincount(count[chosen], minlength=256)
        edges = np.cumsum(groups)
        for run in np.flatnonzero(groups).tolist():
            same = order[edges[run] - groups[run] : edges[run]]
            rows = _rows(region, at[same] + 2, number, size, run)
            cube.reserve(int(rows.max()) + more)
            cube.add_rows(place[same], rows)
    cube.reserve(more)
    channels = _joined(data, ends, ends + 2 * extra).view("<u2")
    cube.add_pulses(pixels.cell, extra, channels)


def _rows(region: NDArray[np.uint8], at: NDArray[Any], width: int, size: int, run: int) -> NDArray[Any]:
    """The values of instructions that have ``run`` of them each, shape (instructions, run)."""
    offsets = _integers(region, at, width)
    packed = _windows(region, (width * run + 1) // 2)[at + width].view(f"<u{size}").reshape(len(at), -1)
    if width == 1:
        rows = np.empty((len(at), run), np.uint8)
        rows[:, 0::2] = packed & 0xF
        rows[:, 1::2] = packed[:, : run // 2] >> 4
    else:
        rows = packed
    if not offsets.any():
        return rows
    return rows + np.clip(offsets, 0, 2**33)[:, None]  # more than 2^32 is refused as a count


def _instructions(
    region: NDArray[np.uint8], first: NDArray[np.int64], pixels: _Pixels, cube: _Cube, name: str
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
    """All instructions that have counts: their byte, width, number of channels, and place in the flat cube.

    ``region`` is the pixels' bytes, ``first`` where each begins in it. All pixels go from instruction to instruction
    together; where they have been, in the order of bytes, are the instructions.
    """
    keys = np.ndarray(
        (len(region) - 1,), "<u2", region, strides=(1,)
    )  # width + 256 × channels, from any byte
    is_one = np.zeros(len(region), bool)
    at, end = first, first + pixels.size - 4
    while True:
        going = at < end
        if not going.all():
            if bool((at > end).any()):
                raise ReadError(
                    f"a pixel of {name} has an instruction that is not known or goes on; it is damaged"
                )
            at, end = at[going], end[going]
        if not len(at):
            break
        is_one[at] = True
        at = at + _LENGTHS[keys[at]]
    at = np.flatnonzero(is_one)
    count = region[at + 1]
    before = np.append(0, np.cumsum(count, dtype=np.int64))  # channels of all pixels up to each instruction
    ordinal = np.append(np.searchsorted(at, first), len(at))
    origin = pixels.cell * cube.channels - before[ordinal[:-1]]
    place = before[:-1] + np.repeat(origin, np.diff(ordinal))
    width = region[at]
    chosen = np.flatnonzero((width > 0) & (count > 0))
    at, width, count, place = at[chosen], width[chosen], count[chosen], place[chosen]
    if bool((np.diff(before[ordinal]) > cube.channels).any()):
        last = (pixels.cell[np.searchsorted(first, at, "right") - 1] + 1) * cube.channels
        kept = np.clip(last - place, 0, count)
        cube.is_clipped = cube.is_clipped or bool((kept < count).any())
        there = np.flatnonzero(kept)
        at, width, count, place = at[there], width[there], kept[there].astype(np.uint8), place[there]
    return at, width, count, place


def _joined(data: bytes, start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The bytes from each start to its stop, one behind the other."""
    parts = [data[a:b] for a, b in zip(start.tolist(), stop.tolist(), strict=True)]
    return np.frombuffer(b"".join(parts), np.uint8)


def _windows(values: NDArray[Any], size: int) -> NDArray[Any]:
    """What lies in the ``size`` bytes from each value on: one opaque number that is copied as a whole."""
    count = max(0, values.size - -(-size // values.itemsize) + 1)
    return np.ndarray((count,), f"V{size}", values, strides=(values.itemsize,))


def _integers(region: NDArray[np.uint8], at: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Little-endian integers of ``size`` bytes at bytes ``at``."""
    values = region[at].astype(np.int64)
    for byte in range(1, size):
        values |= region[at + byte].astype(np.int64) << 8 * byte
    return values


def _cut(data: bytes, needed: int, name: str) -> ReadError:
    return ReadError(
        f"{name} ends at byte {len(data)}, before the end of its pixels (byte {needed} or beyond); it is cut off or "
        "damaged. Copy it again."
    )
