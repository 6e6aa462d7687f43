"""TDMS: the values of each channel out of the raw data of all segments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement.text import clean_text
from zairyo.readers._api import ReadError
from zairyo.readers._tdms_segments import NUMBERS, STRING, TIMESTAMP, Bytes, Index, Segment

Array = NDArray[Any]
#: Pieces of each channel's data by the scaler they are from; without DAQmx, by -1.
Pieces = dict[str, dict[int, list[Array]]]
RAW_SCALE = -1
#: Bytes of values; more is not held in memory at once.
MOST_VALUES = 2 * 1024**3
_SECONDS_TO_1970 = 2_082_844_800


def read_values(data: Bytes, segments: list[Segment], warnings: list[str]) -> dict[str, dict[int, Array]]:
    """Values by path and by scaler, as they are stored: unscaled.

    Raises
    ------
    ReadError
        A segment holds other than it says, or all values are more than 2 GiB.
    """
    budget = _Budget()
    pieces: Pieces = {}
    for segment in segments:
        raw = data[segment.start : segment.end]
        if not len(raw):
            continue
        if any(index.scalers for _, index in segment.layout):
            _daqmx(raw, segment, pieces, budget, warnings)
        elif segment.interleaved:
            _interleaved(raw, segment, pieces, budget, warnings)
        else:
            _contiguous(raw, segment, pieces, budget, warnings)
    return {
        path: {scale: _joined(path, parts) for scale, parts in by_scale.items()}
        for path, by_scale in pieces.items()
    }


class _Budget:
    def __init__(self) -> None:
        self.used = 0

    def spend(self, size: int) -> None:
        self.used += size
        if self.used > MOST_VALUES:
            raise ReadError(
                f"The file unpacks to more than {MOST_VALUES // 1024**3} GiB of values; split it, or convert a part."
            )


def _joined(path: str, parts: list[Array]) -> Array:
    if len({part.dtype.kind for part in parts}) > 1:
        raise ReadError(f"The channel {path[:80]} changes its type within the file, which is not read.")
    values = np.array(parts[0]) if len(parts) == 1 else np.concatenate(parts)  # never a view of the file
    values.flags.writeable = False  # nobody else has it: the standard form need not copy it
    return values


def _add(pieces: Pieces, path: str, values: Array, scale: int = RAW_SCALE) -> None:
    pieces.setdefault(path, {}).setdefault(scale, []).append(values)


def _values(raw: Bytes, index: Index, order: str) -> Array:
    """Numbers out of their bytes, in native order; timestamps as ``datetime64[us]``."""
    stored = np.dtype(order + NUMBERS[index.code]) if index.code != TIMESTAMP else _stamps(order)
    values: Array = np.ascontiguousarray(raw).reshape(-1).view(stored)
    if index.code == TIMESTAMP:
        fraction = (values["fraction"] / 2.0**64 * 1e6).round().astype(np.int64)
        seconds = np.clip(values["seconds"], -(2**42), 2**42) - _SECONDS_TO_1970
        moments: Array = (seconds * 1_000_000 + fraction).astype("datetime64[us]")
        return moments
    native: Array = values.astype(values.dtype.newbyteorder("="), copy=not values.dtype.isnative)
    return native


def _stamps(order: str) -> np.dtype[Any]:
    words = [("fraction", order + "u8"), ("seconds", order + "i8")]
    return np.dtype(words if order == "<" else words[::-1])


def _incomplete(warnings: list[str], segment: Segment, what: str) -> None:
    if not segment.unfinished:
        warnings.append(f"The segment whose data begin at byte {segment.start} ends within {what}.")


# --- one channel after the other ----------------------------------------------------------------------------------


def _contiguous(raw: Bytes, segment: Segment, pieces: Pieces, budget: _Budget, warnings: list[str]) -> None:
    chunk = sum(index.size for _, index in segment.layout)
    chunks, rest = divmod(len(raw), chunk) if chunk else (0, 0)
    budget.spend(chunks * chunk)
    if chunks:
        whole = raw[: chunks * chunk].reshape(chunks, chunk)
        at = 0
        for path, index in segment.layout:
            part = whole[:, at : at + index.size]
            at += index.size
            if index.code == STRING:
                for row in part:
                    _add(pieces, path, _strings(row, index, segment.order, budget))
            else:
                _add(pieces, path, _values(part, index, segment.order))
    if rest:
        _incomplete(warnings, segment, "a chunk; what is there of it is read")
        at = chunks * chunk
        for path, index in segment.layout:
            size = index.size // index.count
            have = min(len(raw) - at, index.size)
            if index.code == STRING:
                if have == index.size:
                    _add(pieces, path, _strings(raw[at : at + have], index, segment.order, budget))
            elif have >= size:
                _add(pieces, path, _values(raw[at : at + have // size * size], index, segment.order))
            at += have


def _strings(raw: Bytes, index: Index, order: str, budget: _Budget) -> Array:
    """Texts: where each ends, then all of them."""
    if index.count * 4 > len(raw):
        raise ReadError(f"{index.count} texts are said to be in {len(raw)} bytes; the file is damaged.")
    ends = np.frombuffer(raw[: index.count * 4].tobytes(), order + "u4").astype(np.int64)
    body = raw[index.count * 4 :].tobytes()
    if np.any(np.diff(ends, prepend=0) < 0) or ends[-1] > len(body):
        raise ReadError("The ends of the texts of a channel are not in order; the file is damaged.")
    starts = np.concatenate([[0], ends[:-1]])
    longest = int((ends - starts).max())
    budget.spend(longest * 4 * index.count)
    return np.array(
        [clean_text(body[a:b].decode("utf-8", "replace")) for a, b in zip(starts, ends, strict=True)]
    )


# --- all channels row by row --------------------------------------------------------------------------------------


def _interleaved(raw: Bytes, segment: Segment, pieces: Pieces, budget: _Budget, warnings: list[str]) -> None:
    sizes = [index.size // index.count for _, index in segment.layout]
    if any(index.code == STRING for _, index in segment.layout):
        raise ReadError(f"The segment at byte {segment.start} interleaves texts, which TDMS does not know.")
    rows, rest = divmod(len(raw), sum(sizes))
    budget.spend(len(raw))
    if rest:
        _incomplete(warnings, segment, "a row, which is left out")
    table = raw[: rows * sum(sizes)].reshape(rows, sum(sizes))
    at = 0
    for (path, index), size in zip(segment.layout, sizes, strict=True):
        _add(pieces, path, _values(table[:, at : at + size], index, segment.order))
        at += size


# --- as the hardware gave them ------------------------------------------------------------------------------------


def _daqmx(raw: Bytes, segment: Segment, pieces: Pieces, budget: _Budget, warnings: list[str]) -> None:
    """One buffer an acquisition card, each with rows of all its channels."""
    widths = next(index.widths for _, index in segment.layout if index.widths)
    if any(index.widths != widths for _, index in segment.layout):
        raise ReadError(
            f"The segment at byte {segment.start} mixes DAQmx data of other shapes, which is not read."
        )
    rows = [0] * len(widths)
    for _, index in segment.layout:
        for s in index.scalers:
            rows[s.buffer] = max(rows[s.buffer], index.count)
    sizes = [count * width for count, width in zip(rows, widths, strict=True)]
    chunks, rest = divmod(len(raw), sum(sizes))
    if chunks:
        whole = raw[: chunks * sum(sizes)].reshape(chunks, sum(sizes))
        _daqmx_rows(whole, rows, segment, widths, pieces, budget)
    if rest:
        _incomplete(warnings, segment, "a chunk; what is there of it is read")
        have = [0] * len(widths)
        for b, size in enumerate(sizes):
            have[b] = min(rest, size) // widths[b]
            rest -= min(rest, size)
        _daqmx_rows(raw[chunks * sum(sizes) :].reshape(1, -1), have, segment, widths, pieces, budget)


def _daqmx_rows(
    chunks: Bytes,
    rows: list[int],
    segment: Segment,
    widths: tuple[int, ...],
    pieces: Pieces,
    budget: _Budget,
) -> None:
    starts = np.concatenate([[0], np.cumsum([n * w for n, w in zip(rows, widths, strict=True)])])
    for path, index in segment.layout:
        for s in index.scalers:
            width, count = widths[s.buffer], min(index.count, rows[s.buffer])
            kind = np.dtype(segment.order + s.kind)
            budget.spend(len(chunks) * count * kind.itemsize)
            if not count:
                continue
            begin = int(starts[s.buffer])
            buffer = chunks[:, begin : begin + count * width].reshape(len(chunks), count, width)
            part = np.ascontiguousarray(buffer[:, :, s.offset : s.offset + kind.itemsize])
            values: Array = part.reshape(-1).view(kind)
            values = values.astype(kind.newbyteorder("="), copy=False)
            if s.bit >= 0:
                values = (values >> np.asarray(s.bit, values.dtype)) & np.asarray(1, values.dtype)
            _add(pieces, path, values, s.scale)
