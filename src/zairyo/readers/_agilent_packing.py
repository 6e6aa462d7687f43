"""How Agilent packs numbers: differences, differences of differences, runs of zeros."""

from __future__ import annotations

import numpy as np

from zairyo.measurement.model import Array

_ABSOLUTE = -0x8000  # instead of a difference: the value itself follows, in two words
_ABSOLUTE_2 = 0x7FFF  # the same among differences of differences, in three words
_WIDTHS = {1: "<i1", 2: "<i2", 3: "<i4"}
_SIZES = {1: 1, 2: 2, 3: 4}
#: 1 for each byte that, as a number of one byte, switches to another width.
_SWITCHING = bytes(number > 127 and number & 3 != 3 for number in range(256))


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
    ends = np.cumsum(lengths)
    inner = np.searchsorted(
        np.sort(np.concatenate([marks + 1, marks + 2])), ends
    )  # words of values themselves
    if (np.diff(ends - inner, prepend=0) != points).any():
        raise DamagedStream(f"a row has not the {points} values it should have")
    if not len(marks):
        return np.cumsum(words.reshape(-1, points), axis=1, dtype=np.int64)
    kept = np.ones(len(words), bool)
    kept[marks + 1] = kept[marks + 2] = False
    deltas = words[kept].astype(np.int64)
    places = marks - 2 * np.arange(len(marks))
    deltas[places] = 0
    # The difference that leads to each value itself: from the last one, or from zero at the beginning of its row.
    resets = np.sort(np.concatenate([np.arange(0, len(deltas), points), places]), kind="stable")
    resets = resets[np.diff(resets, prepend=-1) > 0]
    before = np.add.reduceat(deltas, resets)[np.searchsorted(resets, places) - 1]
    goes_on = np.diff(places // points, prepend=-1) == 0
    base = np.where(goes_on, np.concatenate([[0], absolute[:-1]]), 0)
    deltas[places] = absolute - np.where(places % points == 0, 0, base + before)
    return np.cumsum(deltas.reshape(-1, points), axis=1)


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
    numbers = _numbers(packed)
    is_one = numbers >= 0
    runs = np.flatnonzero(~is_one)  # there are few
    steps = np.ones(len(numbers), np.int64)
    steps[runs] = -numbers[runs] >> 2
    after = np.cumsum(steps, out=steps)
    after += place - 1
    if len(after) and int(after[-1]) >= points:
        raise DamagedStream(f"a profile has more than its {points} points")
    out = np.zeros(points, np.uint32)
    out[after[is_one]] = numbers[is_one]
    return out


def _numbers(packed: bytes) -> Array:
    """The numbers behind a profile's first word, those that tell the width of the next among them; int64.

    From one such number to the next is a stretch of one width. Where they are is worked out for all numbers of a
    width at once, though most bytes are none of that width, so that a stretch's end is found without a loop.
    """
    switches: dict[tuple[int, int], bytes] = {}
    begins, ends, widths = [], [], []
    at, width, end = 4, 3, len(packed)
    while at < end:
        size = _SIZES[width]
        start = at % size
        switching = switches.get((width, start))
        if switching is None:
            if width == 1:
                switching = packed.translate(_SWITCHING)
            else:
                values = np.frombuffer(packed, _WIDTHS[width], (end - start) // size, start)
                switching = ((values < 0) & (values & 3 != -width & 3)).tobytes()
            switches[width, start] = switching
        begins.append(at)
        widths.append(width)
        stop = switching.find(1, at // size)
        if stop < 0:
            if (end - at) % size:
                raise DamagedStream("a profile ends within a number")
            ends.append(end)
            break
        at = start + (stop + 1) * size
        ends.append(at)
        width = -packed[at - size] & 3
        if width == 0:
            raise DamagedStream("a profile's numbers have a width of 0")
    if not begins:
        return np.zeros(0, np.int64)
    each = np.array(widths)
    of = np.repeat(each, (np.array(ends) - begins) // np.array([0, *_SIZES.values()])[each])
    numbers = np.empty(len(of), np.int64)
    for one in np.unique(each).tolist():
        parts = [packed[a:b] for a, b, w in zip(begins, ends, widths, strict=True) if w == one]
        numbers[of == one] = np.frombuffer(b"".join(parts), _WIDTHS[one])
    return numbers


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
