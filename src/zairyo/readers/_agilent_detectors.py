"""Detectors in MassHunter's ``AcqData``: traces (``DAD1.cd`` says where, ``DAD1.cg`` holds them) and spectra
(``DAD1.sd``, ``DAD1.sp``). Everything is little-endian doubles, unpacked; times are in min, wavelengths in nm.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Quantity, Signal, clean_text, make_name
from zairyo.readers._api import ReadError
from zairyo.readers._folder import Folder
from zairyo.readers._separation import optics, quantity_of, trace, unique, unit_of

_TAGS = {".cd": 0x200, ".cg": 0x201, ".sd": 0x202, ".sp": 0x203}
_HEAD = 68
_AXIS = 16  # two doubles before the values: where the axis begins, and its step
_MOST_TRACES = 1000
_SPECTRUM = np.dtype(
    {
        "names": ["time", "offset", "size", "points", "first", "last"],
        "formats": ["<f8", "<u4", "<u4", "<u4", "<f8", "<f8"],
        "offsets": [4, 32, 40, 44, 48, 56],
        "itemsize": 80,
    }
)


@dataclass(frozen=True)
class _Trace:
    letter: str
    description: str
    unit: str
    offset: int
    points: int


def detector_entries(
    folder: Folder, technique: str, taken: set[str], warnings: list[str], **shared: Any
) -> list[Entry]:
    """Every trace and every diode array's spectra in ``AcqData``."""
    entries: list[Entry] = []
    conditions = shared.pop("conditions", {})
    for name in folder.files(".cd", folder="AcqData"):
        stem = name[:-3]
        device = stem.rpartition("/")[2]
        if folder.has(f"{stem}.cg"):
            data = _checked(folder, f"{stem}.cg")
            for one in _descriptions(_checked(folder, name), len(data), name, warnings):
                settings = {**conditions, "detector": Quantity(device), **optics(one.description)}
                entries.append(
                    _trace(data, one, device, technique, taken, warnings, {**shared, "conditions": settings})
                )
        if folder.has(f"{stem}.sd") and folder.has(f"{stem}.sp"):
            settings = {**conditions, "detector": Quantity(device)}
            found = _spectra(folder, stem, technique, taken, {**shared, "conditions": settings})
            entries += [found] if found else []
    return entries


def _checked(folder: Folder, name: str) -> bytes:
    data = folder.read(name)
    if len(data) < _HEAD or struct.unpack_from("<H", data)[0] != _TAGS[name[-3:].lower()]:
        raise ReadError(f"{name} does not begin as such a file does; it is damaged. Copy the folder again.")
    return data


def _trace(
    data: bytes,
    one: _Trace,
    device: str,
    technique: str,
    taken: set[str],
    warnings: list[str],
    shared: dict[str, Any],
) -> Entry:
    first, step = struct.unpack_from("<dd", data, one.offset)
    if not np.isfinite([first, step]).all() or step <= 0:
        raise ReadError(
            f"trace {one.letter} of {device} begins at {first!r} min in steps of {step!r}; it is damaged"
        )
    values = np.frombuffer(data, "<f8", one.points, one.offset + _AXIS)
    unit = unit_of(one.unit, warnings)
    name = unique(taken, make_name(f"{device}{one.letter}", "trace"))
    title = f"{device}{one.letter}, {one.description}".strip(", ")
    signal = quantity_of(unit, one.unit, f"{device} {one.description}")
    return trace(
        name,
        technique,
        first + step * np.arange(one.points),
        values,
        unit=unit,
        signal=signal,
        title=title,
        **shared,
    )


def _descriptions(data: bytes, size: int, name: str, warnings: list[str]) -> list[_Trace]:
    """The traces told in a ``.cd``: a letter, a description, four numbers, and some way behind them the unit."""
    if len(data) < 80:
        raise ReadError(f"{name} has {len(data)} bytes; it is cut off. Copy the folder again.")
    (announced,) = struct.unpack_from("<I", data, 76)
    starts: list[tuple[int, tuple[_Trace, int]]] = []
    at = 80
    while at < len(data) and len(starts) < min(announced, _MOST_TRACES):
        found = _description(data, at, size)
        if found is None:
            at += 1
            continue
        starts.append((at, found))
        at = found[1]
    if len(starts) < announced:
        warnings.append(f"{name} tells of {announced} traces; {len(starts)} of them could be found.")
    ends = [start for start, _ in starts[1:]] + [len(data)] * bool(starts)
    return [
        _Trace(t.letter, t.description, _last_text(data, stop, end), t.offset, t.points)
        for (_, (t, stop)), end in zip(starts, ends, strict=True)
    ]


def _counted(data: bytes, at: int) -> tuple[str, int] | None:
    """A text with its length before it, of readable characters; and where it ends."""
    if at >= len(data) or not data[at] or at + 1 + data[at] > len(data):
        return None
    try:
        text = data[at + 1 : at + 1 + data[at]].decode("utf-8")
    except UnicodeDecodeError:
        return None
    return (text, at + 1 + data[at]) if text.isprintable() else None


def _description(data: bytes, at: int, size: int) -> tuple[_Trace, int] | None:
    letter = _counted(data, at)
    if letter is None or len(letter[0]) != 1 or not letter[0].isalnum():
        return None
    description = _counted(data, letter[1])
    if description is None or description[1] + 16 > len(data):
        return None
    _, offset, _, points = struct.unpack_from("<IIII", data, description[1])
    if offset < _HEAD or not points or offset + _AXIS + 8 * points > size:
        return None
    return _Trace(letter[0], clean_text(description[0]).strip(), "", offset, points), description[1] + 16


def _last_text(data: bytes, start: int, end: int) -> str:
    """The unit: the last short text before the next trace."""
    found = ""
    for at in range(start, end):
        text = _counted(data, at)
        if text and text[1] <= end and len(text[0]) <= 8 and text[0].strip():
            found = text[0].strip()
    return found


def _spectra(
    folder: Folder, stem: str, technique: str, taken: set[str], shared: dict[str, Any]
) -> Entry | None:
    index, data = _checked(folder, f"{stem}.sd"), _checked(folder, f"{stem}.sp")
    if len(index) < 84:
        raise ReadError(f"{stem}.sd has {len(index)} bytes; it is cut off. Copy the folder again.")
    start, count = struct.unpack_from("<II", index, 76)
    if not count:
        return None
    if start < _HEAD or start + count * _SPECTRUM.itemsize > len(index):
        raise ReadError(
            f"{stem}.sd announces {count} spectra, but has only {len(index)} bytes; it is cut off. Copy it again."
        )
    records = np.frombuffer(index, _SPECTRUM, count, start)
    points = int(records["points"][0])
    if not points or any((records[name] != records[name][0]).any() for name in ("points", "first", "last")):
        raise ReadError(
            f"the spectra in {stem}.sp do not all go over the same wavelengths, which is not read"
        )
    length = _AXIS + 8 * points
    offsets = records["offset"].astype(np.int64)
    if offsets.min() < _HEAD or offsets.max() + length > len(data) or (records["size"] < length).any():
        raise ReadError(
            f"{stem}.sp has {len(data)} bytes, fewer than its {count} spectra need; it is cut off. Copy it again."
        )
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), length)
    rows = windows[offsets].view("<f8")
    first, step = rows[0, :2]
    if (rows[:, :2] != rows[0, :2]).any() or not np.isfinite([first, step]).all() or step <= 0:
        raise ReadError(
            f"the spectra in {stem}.sp do not all go over the same wavelengths, which is not read"
        )
    device = stem.rpartition("/")[2]
    axes = (Axis("time", records["time"], "min"), Axis("wavelength", first + step * np.arange(points), "nm"))
    signal = Signal("absorbance", rows[:, 2:], "mAU", ("time", "wavelength"))
    name = unique(taken, make_name(f"{device}_spectra"))
    return Entry(name, technique, axes, (signal,), title=f"{device}, spectra", **shared)
