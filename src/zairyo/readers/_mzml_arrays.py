"""mzML's binary arrays: base64, then zlib or MS-Numpress (linear, positive integer, short logged float) or both.

MS-Numpress as published (Teleman et al., Mol. Cell. Proteomics 13 (2014) 1537).
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Collection

import numpy as np

from zairyo.measurement.model import Array
from zairyo.readers._api import ReadError

_TYPES = {"MS:1000521": "<f4", "MS:1000523": "<f8", "MS:1000519": "<i4", "MS:1000522": "<i8"}
#: zlib; and zlib of numbers whose last bits were cut before.
_ZLIB = frozenset({"MS:1000574", "MS:1003088"})
_LINEAR, _POSITIVE, _LOGGED = "linear", "positive", "logged"
_NUMPRESS = {
    "MS:1002312": (_LINEAR, False),
    "MS:1002313": (_POSITIVE, False),
    "MS:1002314": (_LOGGED, False),
    "MS:1002746": (_LINEAR, True),
    "MS:1002747": (_POSITIVE, True),
    "MS:1002748": (_LOGGED, True),
}
#: Packings that are not read: their names, for the person who meets them.
_UNKNOWN = {
    "MS:1003089": "delta prediction and zlib",
    "MS:1003090": "linear prediction and zlib",
    "MS:1003780": "zstd",
    "MS:1003781": "byte-shuffled zstd",
    "MS:1003782": "dictionary-encoded zstd",
    "MS:1003783": "Numpress and zstd",
    "MS:1003784": "Numpress and zstd",
    "MS:1003785": "Numpress and zstd",
}
_MOST_BYTES = 1 << 31


def decode(text: str, terms: Collection[str], length: int, what: str) -> Array:
    """The numbers of one array, shape (length,).

    Parameters
    ----------
    terms
        Accessions of the array's parameters: its type and packing.
    what
        Names the spectrum or chromatogram in errors.
    """
    for term in terms:
        if term in _UNKNOWN:
            raise ReadError(
                f"{what} is packed by {_UNKNOWN[term]}, which is not read; convert it with zlib compression"
            )
    try:
        data = base64.b64decode(text)
    except (binascii.Error, ValueError) as e:
        raise ReadError(f"{what} has an array that is no base64 ({e}); the file is damaged") from None
    method = next((_NUMPRESS[term] for term in terms if term in _NUMPRESS), None)
    if not _ZLIB.isdisjoint(terms) or (method is not None and method[1]):
        data = _inflate(data, length, what)
    if method is None:
        kind = next((_TYPES[term] for term in terms if term in _TYPES), None)
        if kind is None:
            raise ReadError(f"{what} does not say what its numbers are (32 or 64 bits); the file is damaged")
        values: Array = np.frombuffer(data, kind, len(data) // int(kind[-1]))
    else:
        unpack = {_LINEAR: _linear, _POSITIVE: _positive, _LOGGED: _logged}[method[0]]
        values = unpack(data, what)
    if len(values) != length:
        raise ReadError(
            f"{what} announces {length} points, but its array holds {len(values)}; the file is damaged"
        )
    return values


def _inflate(data: bytes, length: int, what: str) -> bytes:
    most = min(8 * length + 64, _MOST_BYTES)
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data, most)
    except zlib.error as e:
        raise ReadError(f"{what} has an array that cannot be unpacked ({e}); the file is damaged") from None
    if unpacker.unconsumed_tail:
        raise ReadError(
            f"{what} has an array of more than the {length} points it announces; the file is damaged"
        )
    return unpacked


def _fixed_point(data: bytes, what: str) -> float:
    factor = float(np.frombuffer(data, ">f8", 1)[0]) if len(data) >= 8 else 0.0
    if not np.isfinite(factor) or factor <= 0:
        raise ReadError(f"{what} has a Numpress array without its factor; the file is damaged")
    return factor


def _linear(data: bytes, what: str) -> Array:
    """Two whole numbers, then what each differs from where the line through the two before it goes."""
    if len(data) == 8:
        return np.zeros(0)
    factor = _fixed_point(data, what)
    if len(data) < 12:
        raise ReadError(f"{what} has a Numpress array that ends within a number; the file is damaged")
    first = np.frombuffer(data, "<u4", min(2, (len(data) - 8) // 4), 8).astype(np.int64)
    if len(data) < 16:
        return first[:1] / factor
    residuals = _half_bytes(data[16:], what)
    steps = int(first[1] - first[0]) + np.cumsum(residuals)
    rest = int(first[1]) + np.cumsum(steps)
    values: Array = np.concatenate([first, rest]) / factor
    return values


def _positive(data: bytes, what: str) -> Array:
    return _half_bytes(data, what).astype(float)


def _logged(data: bytes, what: str) -> Array:
    factor = _fixed_point(data, what)
    coded = np.frombuffer(data, "<u2", (len(data) - 8) // 2, 8)
    values: Array = np.expm1(coded / factor)
    return values


def _half_bytes(data: bytes, what: str) -> Array:
    """Whole numbers in half bytes: how many leading ones are 0 (0 … 8) or 15 (9 … 15), then the rest, lowest first."""
    raw = np.frombuffer(data, np.uint8)
    halves = np.empty(2 * len(raw) + 8, np.int64)
    halves[0 : 2 * len(raw) : 2], halves[1 : 2 * len(raw) : 2] = raw >> 4, raw & 15
    end = 2 * len(raw)
    halves[end:] = 0
    leading = np.where(halves <= 8, halves, halves - 8)
    following = (9 - leading).tolist()
    starts: list[int] = []
    at = 0
    while at < end:
        if at == end - 1 and halves[at] == 0:  # filled up to a whole byte
            break
        starts.append(at)
        at += following[at]
    if at > end:
        raise ReadError(f"{what} has a Numpress array that ends within a number; the file is damaged")
    places = np.array(starts, np.int64)
    values = np.zeros(len(places), np.int64)
    count = 8 - leading[places] if len(places) else places
    for k in range(8):
        there = k < count
        values[there] |= halves[places[there] + 1 + k] << (4 * k)
    negative = (halves[places] > 8) if len(places) else np.zeros(0, bool)
    values[negative] |= -1 << (4 * count[negative])
    signed: Array = values.astype(np.uint32).astype(np.int32).astype(np.int64)
    return signed
