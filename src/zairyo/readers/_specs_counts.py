"""The numbers of a SPECS Prodigy database: pieces of a scan put together, traces taken apart."""

from __future__ import annotations

import re
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError
from zairyo.readers._sqlite import Database
from zairyo.readers._tokens import number

_MOST_VALUES = 100_000_000
_TRACE = re.compile(r"\s*([^=;]+?)\s*=\s*([^;]*)")


def of_scan(
    tables: Database, raw: dict[str, Any], channels: int, curves: int, name: str
) -> NDArray[np.float64]:
    """The samples of one scan, shape (samples, curves, detector channels); those written, if it was stopped."""
    pieces = tables.rows("CountRateData", "WHERE RawID = ? ORDER BY Offset", raw.get("rawid"))
    parts, total = [], 0
    for piece in pieces:
        blob, size = piece.get("data"), int(number(piece.get("chunksize")) or 0)
        if not isinstance(blob, bytes):
            raise ReadError(f"spectrum {name}: a piece of scan {raw.get('rawid')} is no binary data")
        total += size
        if not 0 <= size <= total <= _MOST_VALUES:
            raise ReadError(
                f"spectrum {name}: scan {raw.get('rawid')} announces {total} counts, too many to be true"
            )
        values = floats(blob, size)
        if len(values) != size:
            raise ReadError(
                f"spectrum {name}: scan {raw.get('rawid')} announces {size} counts in {len(blob)} bytes; "
                "the file is damaged or cut off"
            )
        parts.append(values)
    counts = np.concatenate(parts) if parts else np.empty(0)
    width = channels * curves
    if width > _MOST_VALUES or len(counts) % width:
        raise ReadError(
            f"spectrum {name}: scan {raw.get('rawid')} has {len(counts)} counts, which are no whole samples of "
            f"{channels} × {curves} channels"
        )
    samples = counts.reshape(-1, curves, channels)
    written = number(raw.get("writeindex"))
    return samples[: int(written)] if written is not None and 0 <= written < len(samples) else samples


def floats(blob: bytes, count: int) -> NDArray[np.float64]:
    """``count`` numbers of a blob, 32- or 64-bit by its length, deflated or not; none if it is neither."""
    inflate = zlib.decompressobj()
    try:
        inflated = inflate.decompress(blob, 8 * count + 1) if count else b""
    except zlib.error:
        inflated = b""
    for data in (inflated, blob):
        if len(data) == 8 * count:
            return np.frombuffer(data, "<f8")
        if len(data) == 4 * count:
            return np.frombuffer(data, "<f4").astype(np.float64)
    return np.empty(0)


def trace(text: str) -> tuple[tuple[float, ...], int, dict[str, str]]:
    """``Loop=2u;Scan [Idx]=1u`` → the cycle's place (all counters but the scan), the scan, all but the scan."""
    told = {key: re.sub(r"(?<=\d)u\Z", "", value.strip()) for key, value in _TRACE.findall(text)}
    scan = next((number(told.pop(key)) for key in list(told) if key.split("[")[0].strip() == "Scan"), None)
    return tuple(number(v) or 0.0 for v in told.values()), int(scan or 0), told
