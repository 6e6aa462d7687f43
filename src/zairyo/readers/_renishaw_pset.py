"""Renishaw's property sets (``PSET``): typed values numbered by a key, and names for the keys.

An item is: type (1 byte), flag (1 byte), key (2 bytes), value; ``k`` items name the keys from 0x8000 up, for
the set and the sets nested in it. All little-endian.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

MAGIC = b"PSET"
_ARRAY, _COMPRESSED = 0x80, 0x40
_DEEPEST = 16
_MOST_TEXT = 4 * 1024**2
_NUMBERS: dict[str, np.dtype[Any]] = {
    "?": np.dtype("u1"),
    "c": np.dtype("i1"),
    "s": np.dtype("<i2"),
    "i": np.dtype("<i4"),
    "w": np.dtype("<i8"),
    "r": np.dtype("<f4"),
    "q": np.dtype("<f8"),
    "t": np.dtype("<u8"),
}
#: Keys below 0x8000 have no name in the file; WiRE writes these names beside them elsewhere.
_KNOWN = {
    3: "CreationTime",
    6: "ETA",
    7: "wizardclsid",
    8: "ExpectedDatasetCount",
    9: "AcquisitionCount",
    13: "MeasurementType",
    14: "responseCalibration",
    15: "restoreInstrumentState",
    16: "closeLaserShutter",
    17: "FocusTrackEnabled",
    18: "FocusTrackInterval",
    19: "LineFocusMode",
    201: "DepthSeriesInterval",
    202: "DepthSeriesStartPos",
    203: "DepthSeriesFinalPos",
    301: "CompletionStatus",
    403: "Properties",
    411: "Label",
    412: "MapType",
    430: "Operator",
    431: "Time",
    432: "Version",
    1001: "Title",
    1002: "Description",
    1003: "ScriptLanguage",
    1004: "Script",
    1009: "FileName",
    1014: "InstrumentState",
    1015: "LaserKey",
    1018: "GratingKey",
    1022: "Magnification",
    1023: "Objective",
}


def filetime(ticks: int) -> datetime | None:
    """Windows' FILETIME (100 ns since 1601, UTC), or None where it is none."""
    try:
        return datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10) if ticks > 0 else None
    except OverflowError:
        return None


@dataclass
class _Set:
    values: list[tuple[int, Any]] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)


class _Broken(ValueError):
    """The property set is not as it should be."""


def read_pset(data: bytes) -> tuple[dict[str, Any], int, str]:
    """Parse the property set at the beginning of ``data``.

    Returns
    -------
    values, length, problem
        The set, nested as in the file; how many bytes it took; what was wrong, empty if nothing. What was read
        before a problem is kept.
    """
    if data[:4] != MAGIC or len(data) < 8:
        return {}, 0, "it is no property set"
    (length,) = struct.unpack_from("<I", data, 4)
    problem = ""
    if 8 + length > len(data):
        problem, length = "it is longer than its block", len(data) - 8
    top = _Set()
    try:
        _read_items(data, 8, 8 + length, top, 0)
    except _Broken as e:
        problem = str(e)
    return _named(top, {}), 8 + length, problem


def _take(data: bytes, at: int, end: int, size: int) -> int:
    if size < 0 or at + size > end:
        raise _Broken(f"an item at byte {at} of the set is cut off")
    return at + size


def _read_items(data: bytes, at: int, end: int, into: _Set, depth: int) -> None:
    if depth > _DEEPEST:
        raise _Broken(f"sets are nested deeper than {_DEEPEST}")
    while at < end:
        start, at = at, _take(data, at, end, 4)
        kind, flag = chr(data[start]), data[start + 1]
        (key,) = struct.unpack_from("<H", data, start + 2)
        count = 1
        if flag or kind not in _NUMBERS:
            after = _take(data, at, end, 4)
            (count,) = struct.unpack_from("<I", data, at)
            at = after
        if kind in _NUMBERS and flag in (0, _ARRAY):
            stop = _take(data, at, end, count * _NUMBERS[kind].itemsize)
            into.values.append((key, _numbers(data, at, count, kind, is_array=flag == _ARRAY)))
        elif kind in "ukbp" and flag in (0, _COMPRESSED):
            stop = _take(data, at, end, count)
            if kind == "p":
                nested = _Set()
                into.values.append((key, nested))
                _read_items(data, at, stop, nested, depth + 1)
            elif kind == "b":
                into.values.append((key, f"({count} bytes)"))
            else:
                text = _text(data[at:stop], is_compressed=flag == _COMPRESSED)
                if kind == "k":
                    into.names[key] = text
                else:
                    into.values.append((key, text))
        else:
            raise _Broken(f"an item at byte {start} is of unknown type {kind!r}, flag {flag}")
        at = stop


def _numbers(data: bytes, at: int, count: int, kind: str, *, is_array: bool) -> Any:
    values = np.frombuffer(data, _NUMBERS[kind], count, at).tolist()
    if kind == "t":
        values = [moment.isoformat() if (moment := filetime(v)) else v for v in values]
    return values if is_array else values[0]


def _text(raw: bytes, *, is_compressed: bool) -> str:
    if is_compressed:  # four bytes of length, then zlib
        try:
            raw = zlib.decompressobj().decompress(raw[4:], _MOST_TEXT)
        except zlib.error:
            return f"({len(raw)} compressed bytes)"
    return raw.decode("utf-8", "replace").rstrip("\x00")


def _named(items: _Set, outer: dict[int, str]) -> dict[str, Any]:
    names = {**outer, **items.names}
    result: dict[str, Any] = {}
    for key, value in items.values:
        name = base = names.get(key) or _KNOWN.get(key) or f"key_{key}"
        number = 1
        while name in result:
            number += 1
            name = f"{base} ({number})"
        result[name] = _named(value, names) if isinstance(value, _Set) else value
    return result


def find(values: Any, name: str) -> Any:
    """The first value of that name, depth first, or None."""
    if not isinstance(values, dict):
        return None
    if name in values:
        return values[name]
    return next((found for v in values.values() if (found := find(v, name)) is not None), None)
