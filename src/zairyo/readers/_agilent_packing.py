"""How Agilent packs numbers: differences, differences of differences, runs of zeros."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from zairyo.measurement.model import Array

_ABSOLUTE = -0x8000  # instead of a difference: the value itself follows, in two words
_ABSOLUTE_2 = 0x7FFF  # the same among differences of differences, in three words
_WIDTHS = {1: "<i1", 2: "<i2", 3: "<i4"}
_SIZES = {1: 1, 2: 2, 3: 4}


class DamagedStream(ValueError):
    """Packed numbers do not unpack; the message says what is wrong."""


def undo_deltas(words: Array, lengths: Array, points: int, *, big_endian: bool) -> Array:
    """Rows of differences → rows of values, shape (rows, points).

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
    pair = words[marks + 1].astype(np.int64), words[marks + 2].astype(np.int64)
    high, low = pair if big_endian else pair[::-1]
    absolute = high * 65536 + (low & 0xFFFF)
    kept = np.ones(len(words), bool)
    kept[marks + 1] = kept[marks + 2] = False
    ends = np.cumsum(lengths)
    rows = np.cumsum(kept)[ends - 1] if len(words) else np.zeros(0, np.int64)
    if (np.diff(rows, prepend=0) != points).any():
        raise DamagedStream(f"a row has not the {points} values it should have")
    places = marks - 2 * np.arange(len(marks))
    deltas = words[kept].astype(np.int64)
    deltas[places] = 0
    sums = np.cumsum(deltas)
    begins = np.arange(0, len(sums), points)
    resets = np.concatenate([begins, places])
    offsets = np.concatenate([deltas[begins] - sums[begins], absolute - sums[places]])
    order = np.argsort(
        resets, kind="stable"
    )  # where a row begins with a value itself, that comes last and wins
    values = sums + np.repeat(offsets[order], np.diff(np.append(resets[order], len(sums))))
    return values.reshape(-1, points)  # type: ignore[no-any-return]


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
    words = np.frombuffer(data, ">i2", (len(data) - start) // 2, start)
    marked = words == _ABSOLUTE
    body = np.ones(len(words), bool)
    at, points = 0, 0
    heads = words.view(">u2")
    while at < len(words) and heads[at] >> 12 == 1:
        count = int(heads[at]) & 0xFFF
        body[at] = False
        at, points = at + 1, points + count
        if not marked[at : at + count].any():
            at += count
        else:
            for _ in range(count):
                at += 3 if at < len(words) and marked[at] else 1
    if at > len(words):
        raise DamagedStream(
            f"the trace's last segment goes on {2 * (at - len(words))} bytes after the file's end"
        )
    if at < len(words) and heads[at] != 0:
        raise DamagedStream(f"there is no segment of a trace at byte {start + 2 * at}")
    if not points:
        return np.zeros(0, np.int64)
    used = words[:at][body[:at]].astype(np.int16)
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
    streams: dict[tuple[int, int], _Numbers] = {}
    at, width = 4, 3
    while at < len(packed):
        size = _SIZES[width]
        stream = streams.get((width, at % size))
        if stream is None:
            stream = streams[width, at % size] = _Numbers(packed, width, at % size)
        at, place, width = stream.take(at, place)
        if width == 0:
            raise DamagedStream("a profile's numbers have a width of 0")
    if place > points:
        raise DamagedStream(f"a profile has more than its {points} points")
    out = np.zeros(points, np.uint32)
    for stream in streams.values():
        stream.put(out)
    return out


class _Numbers:
    """The packed bytes seen as numbers of one width from one alignment on, and which stretches of them count."""

    def __init__(self, packed: bytes, width: int, start: int) -> None:
        self._size, self._start, self._end = _SIZES[width], start, len(packed)
        count = (len(packed) - start) // self._size
        wide = np.int64 if width == 3 else np.int32
        self._values = np.frombuffer(packed, _WIDTHS[width], count, start).astype(wide)
        self._negative = self._values < 0  # type: ignore[operator]
        steps = np.where(self._negative, -self._values >> 2, 1)  # type: ignore[misc, operator]
        self._places = np.concatenate([[0], np.cumsum(steps)])
        self._switches = np.flatnonzero(self._negative & (-self._values & 3 != width)).tolist()  # type: ignore[misc, operator]
        self._stretches: list[tuple[int, int, int]] = []

    def take(self, at: int, place: int) -> tuple[int, int, int]:
        """Numbers from byte ``at`` to the next that switches: where the next ones begin, what place, how wide."""
        first = (at - self._start) // self._size
        switch = bisect_left(self._switches, first)
        is_last = switch == len(self._switches)
        stop = len(self._values) if is_last else self._switches[switch] + 1
        if is_last and self._start + stop * self._size != self._end:
            raise DamagedStream("a profile ends within a number")
        offset = place - int(self._places[first])
        self._stretches.append((first, stop, offset))
        width = 3 if is_last else int(-self._values[stop - 1]) & 3
        return self._start + stop * self._size, offset + int(self._places[stop]), width

    def put(self, out: Array) -> None:
        """Write the intensities of all stretches to their places."""
        first, stop, offset = np.array(self._stretches).T
        lengths = stop - first
        begins = np.cumsum(lengths) - lengths
        indices = np.repeat(first - begins, lengths) + np.arange(int(lengths.sum()))
        indices, offsets = (part[~self._negative[indices]] for part in (indices, np.repeat(offset, lengths)))
        out[self._places[indices] + offsets] = self._values[indices]


def unpack_lzf(packed: bytes, size: int) -> bytes:
    """LZF, by the filter that h5py brings: the packed bytes become a chunk of a dataset that is never on disk."""
    import h5py

    with h5py.File("lzf", "w", driver="core", backing_store=False) as file:
        dataset = file.create_dataset("packed", (size,), "u1", chunks=(size,), compression="lzf")
        dataset.id.write_direct_chunk((0,), packed)
        try:
            return bytes(dataset[()])
        except OSError:
            raise DamagedStream(f"{len(packed)} packed bytes do not unpack to {size}") from None
