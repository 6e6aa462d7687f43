"""How Agilent packs numbers: differences, differences of differences, runs of zeros."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from zairyo.measurement.model import Array

_ABSOLUTE = -0x8000  # instead of a difference: the value itself follows, in two words
_ABSOLUTE_2 = 0x7FFF  # the same among differences of differences, in three words
_WIDTHS = {1: "<i1", 2: "<i2", 3: "<i4"}
#: So much is unpacked at once, which the processor keeps near.
_CHUNK = 1 << 15
#: 1 for each byte that, as a number of one byte, switches to another width.
_SWITCHING = bytes(number > 127 and number & 3 != 3 for number in range(256))
_SEAL = 8  # bytes
_NUMBERS = itertools.count(1)
#: Numbers as int32; where, from one of them on, one tells another width; bits of their size; where the first is.
_Wide = tuple[bytes, Callable[[int, int], int], int, int]


class DamagedStream(ValueError):
    """Packed numbers do not unpack; the message says what is wrong."""


def undo_deltas(words: Array, lengths: Array, points: int, *, big_endian: bool) -> Array:
    """Rows of differences → rows of values: whole numbers as float, shape (rows, points).

    Parameters
    ----------
    words
        Shape (sum of lengths,): int16, each the difference from the value before it in its row, or -32768 and the
        value itself in the two words after it. A row begins at zero.
    lengths
        Words of each row.
    """
    marks = _marks(words)
    if len(marks) and marks[-1] + 2 >= len(words):
        raise DamagedStream("the last value is not complete")
    high, low = (words[marks + i] for i in ((1, 2) if big_endian else (2, 1)))
    absolute = high * 65536.0 + low.view(np.uint16)
    ends = np.cumsum(lengths)
    inner = np.searchsorted(marks, ends - 1) + np.searchsorted(marks, ends - 2)  # words of values themselves
    counts = ends - inner
    if counts[0] != points or (counts[1:] - counts[:-1] != points).any():
        raise DamagedStream(f"a row has not the {points} values it should have")
    if not len(marks):
        return np.cumsum(words.reshape(-1, points), axis=1, dtype=float)
    kept = np.ones(len(words), bool)
    kept[marks + 1] = kept[marks + 2] = False
    values = words[kept].astype(float)  # the only large array: fresh memory costs more than the sums
    places = marks - 2 * np.arange(len(marks))
    values[places] = 0
    # The difference that leads to each value itself: from the last one, or from zero at the beginning of its row.
    is_value = np.zeros(len(values), bool)
    is_value[places] = True
    is_reset = is_value.copy()
    is_reset[::points] = True
    resets = np.flatnonzero(is_reset)
    before = np.add.reduceat(values, resets)[np.flatnonzero(is_value[resets]) - 1]
    rows = places // points
    before[1:] += np.where(rows[1:] == rows[:-1], absolute[:-1], 0)
    before[places == rows * points] = 0
    values[places] = absolute - before
    table = values.reshape(-1, points)
    return np.cumsum(table, axis=1, out=table)


def _marks(words: Array) -> Array:
    """Where a value itself is announced: -32768, but not within the two words of another."""
    found = np.flatnonzero(words == _ABSOLUTE)
    if len(found) < 2 or np.diff(found).min() > 2:
        return found
    kept, free = [], 0
    for at in found.tolist():
        if at >= free:
            kept.append(at)
            free = at + 3
    return np.array(kept, np.int64)


def channel_deltas(data: bytes, start: int) -> Array:
    """A trace in segments of at most 255 (or 4095) points: a word 0x1nnn, then n differences; shape (points,)."""
    words = np.frombuffer(data, ">i2", (len(data) - start) // 2, start).astype(np.int16)
    heads = words.view(np.uint16)
    marks = iter([*np.flatnonzero(words == _ABSOLUTE).tolist(), len(words)])
    mark = next(marks)
    segments: list[int] = []
    at, points = 0, 0
    while at < len(words) and heads[at] >> 12 == 1:
        segments.append(at)
        count = int(heads[at]) & 0xFFF
        at, points = at + 1, points + count
        while mark < at + count and mark < len(words):
            if mark >= at:  # otherwise within the value before
                count -= mark - at + 1
                at = mark + 3
            mark = next(marks)
        at += count
    if at > len(words):
        raise DamagedStream(
            f"the trace's last segment goes on {2 * (at - len(words))} bytes after the file's end"
        )
    if at < len(words) and heads[at] != 0:
        raise DamagedStream(f"there is no segment of a trace at byte {start + 2 * at}")
    if not points:
        return np.zeros(0)
    used = np.delete(words[:at], segments)
    return undo_deltas(used, np.array([len(used)]), points, big_endian=True)[0]  # type: ignore[no-any-return]


def double_deltas(data: bytes, start: int) -> Array:
    """A trace of differences of differences, with values themselves (48 bits) between them; shape (points,)."""
    if (len(data) - start) % 2:
        raise DamagedStream(f"the trace ends within a word, at byte {len(data)}")
    words = np.frombuffer(data, ">i2", -1, start).astype(np.int64)
    parts: list[Array] = []
    at, value = 0, 0
    marks = np.flatnonzero(words == _ABSOLUTE_2)
    while at < len(words):
        follows = np.searchsorted(marks, at)
        stop = int(marks[follows]) if follows < len(marks) else len(words)
        if stop > at:
            parts.append(value + np.cumsum(np.cumsum(words[at:stop])))
        if stop == len(words):
            break
        if stop + 4 > len(words):
            raise DamagedStream(f"the last value, at byte {start + 2 * stop}, is not complete")
        high, middle, low = words[stop + 1 : stop + 4].tolist()
        value = (high << 32) + ((middle & 0xFFFF) << 16) + (low & 0xFFFF)
        parts.append(np.array([value]))
        at = stop + 4
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def undo_runs(packed: bytes, points: int) -> Array:
    """MassHunter's intensities with runs of zeros: shape (points,), uint32.

    A word of 4 bytes is the number of zeros the profile begins with, negative. Then come numbers, at first of 4 bytes:
    one that is not negative is an intensity; -v is v // 4 zeros, and v % 4 says how wide the next numbers are.
    """
    if len(packed) < 4:
        raise DamagedStream("a profile's head is not complete")
    place = -int.from_bytes(packed[:4], "little", signed=True)
    if not 0 <= place <= points:
        raise DamagedStream(f"a profile begins with {place} zeros, but has {points} points")
    numbers = _numbers(packed)
    is_one = numbers >= 0
    ones = numbers[is_one]
    runs = np.flatnonzero(~is_one)  # there are few
    zeros = -numbers[runs].astype(np.int64) >> 2
    if place + len(ones) + int(zeros.sum()) > points:
        raise DamagedStream(f"a profile has more than its {points} points")
    out = np.zeros(points, np.uint32)
    if zeros.any():
        steps = np.ones(len(numbers), np.int64)
        steps[runs] = zeros
        out[(np.cumsum(steps) + (place - 1))[is_one]] = ones
    else:  # what is negative tells widths only
        out[place : place + len(ones)] = ones
    return out


def _numbers(packed: bytes) -> Array:
    """The numbers behind a profile's first word, those that tell the width of the next among them; int32."""
    parts: list[bytes] = []
    at, width = 4, 3
    while at < len(packed):
        more, taken, width = _numbers_of(packed[at : at + _CHUNK], width)
        if not taken:
            raise DamagedStream("a profile ends within a number")
        parts += more
        at += taken
    return np.frombuffer(b"".join(parts), "<i4")


def _numbers_of(packed: bytes, width: int) -> tuple[list[bytes], int, int]:
    """The numbers in a chunk whose first is of ``width``; how many bytes they take; how wide the next one is.

    From one number that tells a width to the next is a stretch of one width. All bytes are widened as if they were of
    that width, though most are not: so a stretch is found and cut out without a step for each of its numbers.
    """
    wide: dict[int, _Wide] = {}
    parts: list[bytes] = []
    at = 0
    while True:
        key = width << 2 | at & (1 << width - 1) - 1
        try:
            numbers, find_switch, shift, start = wide[key]
        except KeyError:
            numbers, find_switch, shift, start = wide[key] = _widened(packed, width, key & 3)
        first = at >> shift
        stop = find_switch(1, first) + 1
        if not stop:
            parts.append(numbers[4 * first :])
            return parts, start + (len(numbers) // 4 << shift), width
        parts.append(numbers[4 * first : 4 * stop])
        at = start + (stop << shift)
        width = -packed[at - (1 << shift)] & 3
        if width == 0:
            raise DamagedStream("a profile's numbers have a width of 0")


def _widened(packed: bytes, width: int, start: int) -> _Wide:
    """All numbers of a width from ``start`` on, if that were theirs."""
    size = 1 << width - 1
    count = max(len(packed) - start, 0) // size
    values = np.frombuffer(packed[start:], _WIDTHS[width], count)
    switches = (values < 0) & (values & 3 != -width & 3)
    switching = packed.translate(_SWITCHING) if width == 1 else switches.tobytes()
    return values.astype("<i4").tobytes(), switching.find, width - 1, start


class Lzf:
    """Unpacks LZF by the filter that h5py brings: packed bytes become a dataset's chunk, in a file never on disk."""

    def __init__(self) -> None:
        self._size = 0
        self._dataset: Any = None

    def unpack(self, packed: bytes, size: int) -> Array:
        """Shape (size,), uint8; :class:`DamagedStream` where that is not what is packed."""
        from h5py import h5s

        if size != self._size:  # a run's scans are of one size
            self._dataset, self._size = _lzf_dataset(size + _SEAL), size
        # The filter does not say how much it unpacked: something new behind it is where it belongs, or it is not.
        seal = next(_NUMBERS).to_bytes(_SEAL, "little")
        self._dataset.write_direct_chunk((0,), packed + bytes([_SEAL - 1]) + seal)
        unpacked = np.empty(size + _SEAL, np.uint8)
        try:
            self._dataset.read(h5s.ALL, h5s.ALL, unpacked)
        except OSError:
            unpacked[size:] = 0
        if unpacked[size:].tobytes() != seal:
            raise DamagedStream(f"{len(packed)} packed bytes do not unpack to {size}")
        return unpacked[:size]


def _lzf_dataset(size: int) -> Any:
    """A dataset of one chunk; the file goes with it."""
    from h5py import h5d, h5f, h5p, h5s, h5t, h5z

    access, creation = h5p.create(h5p.FILE_ACCESS), h5p.create(h5p.DATASET_CREATE)
    access.set_fapl_core(1 << 16, False)
    creation.set_chunk((size,))
    creation.set_filter(h5z.FILTER_LZF, h5z.FLAG_MANDATORY)
    file = h5f.create(b"lzf %d" % next(_NUMBERS), fapl=access)  # two open files cannot have one name
    return h5d.create(file, None, h5t.NATIVE_UINT8, h5s.create_simple((size,)), creation)
