"""Pfeiffer Quadstar ``.sac``: scans of a quadrupole mass spectrometer, cycle by cycle. Little-endian.

Facts about the file: M. Bubek's description of the format (sac2dat), as used by the readers there are.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    Quantity,
    Signal,
    clean_text,
    make_name,
    tidy_metadata,
)
from zairyo.measurement.model import Array
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._separation import unique, unit_of


def _record(size: int, fields: dict[str, tuple[int, str]]) -> np.dtype[Any]:
    """Fields of a record: their names → where they begin, and their types."""
    offsets, formats = zip(*fields.values(), strict=True)
    layout = {"names": list(fields), "formats": list(formats), "offsets": list(offsets), "itemsize": size}
    return np.dtype(layout)  # type: ignore[call-overload,no-any-return]


_HEAD = _record(
    0xC8,
    {
        "data_index": (0x00, "<i2"),
        "software": (0x02, "S4"),
        "version": (0x06, "2u1"),
        "clock": (0x08, "6u1"),
        "author": (0x0E, "S85"),
        "cycles": (0x64, "<i4"),
        "traces": (0x68, "<i2"),
        "cycle_length": (0x6A, "<i4"),
        "base": (0xC2, "<u4"),
        "fraction": (0xC6, "<u2"),
    },
)
_TRACE = np.dtype([("type", "u1"), ("info", "<i4"), ("data", "<i4")])
_INFO = _record(
    0x89,
    {
        "y_title": (0x02, "S13"),
        "y_unit": (0x0F, "S13"),
        "x_title": (0x1D, "S13"),
        "x_unit": (0x2A, "S13"),
        "comment": (0x37, "S59"),
        "first_mass": (0x7A, "<f4"),
        "width": (0x7E, "<u2"),
        "values_per_mass": (0x80, "u1"),
    },
)
_SCAN, _VALUE = 0x11, 0x10
_SIGNALS = {"A": "ion_current", "count/s": "ion_count_rate"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sniff(src: RawInput) -> float:
    head = src.head[: 0xC8 + _TRACE.itemsize]
    if len(head) < 0xC8 + _TRACE.itemsize or head[:2] != b"\xc6\x02":
        return NO
    record = np.frombuffer(head, _HEAD, 1)[0]
    month, hour = int(record["clock"][4]), int(record["clock"][2])
    return (
        CERTAIN if record["cycles"] >= 0 and 0 < record["traces"] < 1000 and month <= 12 and hour < 24 else NO
    )


def read(src: RawInput) -> Measurement:
    data = src.read_bytes()
    if len(data) < _HEAD.itemsize:
        raise ReadError(f"{src.name} has {len(data)} bytes, less than a head; it is cut off. Copy it again.")
    head = np.frombuffer(data, _HEAD, 1)[0]
    cycles, traces, length = int(head["cycles"]), int(head["traces"]), int(head["cycle_length"])
    if cycles < 1 or traces < 1 or length < 1:
        raise ReadError(f"{src.name} tells of {cycles} cycles of {traces} traces; nothing was acquired")
    _need(data, _HEAD.itemsize, traces * _TRACE.itemsize, "the list of traces", src.name)
    listed = np.frombuffer(data, _TRACE, traces, _HEAD.itemsize)
    scans = [t for t in listed if t["type"] == _SCAN]
    if not scans:
        raise ReadError(f"{src.name} holds no scan over masses; other modes of Quadstar are not read")
    clock = int(scans[0]["data"]) - 6
    _need(data, clock, (cycles - 1) * length + 6, "the cycles", src.name)
    times = _times(data, clock, cycles, length)
    warnings: list[str] = []
    taken: set[str] = set()
    infos = [_info(data, t, src.name) for t in scans]
    started = _started(head)
    conditions = _conditions(data, listed, cycles, length, src.name)
    entries = [
        _entry(
            data,
            t,
            info,
            times,
            length,
            src.name,
            warnings,
            taken,
            {"conditions": conditions, "started": started},
        )
        for t, info in zip(scans, infos, strict=True)
    ]
    others = sum(t["type"] not in (_SCAN, _VALUE, 0x0F) for t in listed)
    if others:
        warnings.append(f"{others} traces are of other kinds than scans over masses; they were left out.")
    return Measurement(
        entries=tuple(entries),
        title=src.name,
        operator=_text(head["author"]),
        original_metadata=tidy_metadata({"header": _told(head), "traces": infos}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _need(data: bytes, offset: int, size: int, what: str, name: str) -> None:
    if offset < 0 or size < 0 or offset + size > len(data):
        raise ReadError(
            f"{name}: {what} should be in bytes {offset} to {offset + size}, but it has {len(data)}; "
            "it is cut off or damaged"
        )


def _text(raw: bytes) -> str:
    text = clean_text(raw.split(b"\0")[0].decode("cp1252", "replace")).strip()
    return text if text.isprintable() else ""


def _told(head: Any) -> dict[str, Any]:
    return {
        "software": _text(head["software"]),
        "version": ".".join(str(int(n)) for n in head["version"]),
        "author": _text(head["author"]),
        "cycles": int(head["cycles"]),
        "traces": int(head["traces"]),
        "started": _started(head),
    }


def _started(head: Any) -> datetime | None:
    """Seconds since 1970 (universal time), or the computer's clock in its own zone where they are missing."""
    base = int(head["base"])
    if 0 < base < 2**32 - 1:
        return _EPOCH + timedelta(seconds=base, milliseconds=int(head["fraction"]) // 10)
    second, minute, hour, day, month, year = (int(n) for n in head["clock"])
    try:
        return datetime(1900 + year, month, day, hour, minute, second)
    except ValueError:
        return None


def _times(data: bytes, clock: int, cycles: int, length: int) -> Array:
    """When each cycle began after the first's base, s: whole seconds, and tenths of a millisecond."""
    stamp = np.dtype([("seconds", "<u4"), ("tenths", "<u2")])
    stamps = np.ndarray((cycles,), stamp, data, clock, (length,))
    times: Array = stamps["seconds"] + stamps["tenths"] * 1e-4
    return times


def _info(data: bytes, trace: Any, name: str) -> dict[str, Any]:
    _need(data, int(trace["info"]), _INFO.itemsize, "a trace's description", name)
    info = np.frombuffer(data, _INFO, 1, int(trace["info"]))[0]
    told = {key: _text(info[key]) for key in ("y_title", "y_unit", "x_title", "x_unit", "comment")}
    return told | {
        "first_mass": float(info["first_mass"]),
        "width": int(info["width"]),
        "values_per_mass": int(info["values_per_mass"]),
    }


def _conditions(data: bytes, listed: Array, cycles: int, length: int, name: str) -> dict[str, Quantity]:
    """A value set for the whole run beside the scans (the electrons' energy); one that varies is not a condition."""
    found: dict[str, Quantity] = {"mass_analyser": Quantity("quadrupole")}
    for one in listed[listed["type"] == _VALUE]:
        info = _info(data, one, name)
        _need(data, int(one["data"]), (cycles - 1) * length + 4, "a value beside the scans", name)
        values = np.ndarray((cycles,), "<f4", data, int(one["data"]), (length,))
        if (
            info["y_title"] == "Energy"
            and info["y_unit"] == "eV"
            and values[0] > 0
            and (values == values[0]).all()
        ):
            found["ionisation_energy"] = Quantity(float(str(values[0])), "eV")
    return found


def _entry(
    data: bytes,
    one: Any,
    info: dict[str, Any],
    times: Array,
    length: int,
    name: str,
    warnings: list[str],
    taken: set[str],
    shared: dict[str, Any],
) -> Entry:
    """A trace's scans over (time, mass_to_charge); what left the detector's range is NaN."""
    points = info["width"] * info["values_per_mass"]
    at = int(one["data"])
    if not points or not np.isfinite(info["first_mass"]):
        raise ReadError(f"{name}: a scan of {points} points from m/z {info['first_mass']} on cannot be")
    _need(data, at, (len(times) - 1) * length + 6 + 4 * points, f"scans of {points} points", name)
    ranges = np.ndarray((len(times),), "<i2", data, at + 4, (length,)).astype(float)
    raw = np.ndarray((len(times), points), "<f4", data, at + 6, (length, 4))
    full = 10.0 ** np.clip(ranges, -300, 300)
    with np.errstate(invalid="ignore"):
        outside = raw > full[:, None]
    values = np.where(outside, np.float32(np.nan), raw)
    if outside.any():
        warnings.append(f"{int(outside.sum())} values left the detector's range; they are not numbers here.")
    masses = info["first_mass"] + np.arange(points) / info["values_per_mass"]
    if info["y_unit"].lower() == "cps":
        unit: str | None = "count/s"
    else:
        unit = unit_of(info["y_unit"], warnings)
    axes = (Axis("time", times, "s"), Axis("mass_to_charge", masses, ""))
    signal = Signal(_SIGNALS.get(unit or "", "ion_current"), values, unit, ("time", "mass_to_charge"))
    ends = f"{masses[0]:g}–{info['first_mass'] + info['width']:g}"
    title = f"{info['y_title']}, m/z {ends}" + (f", {info['comment']}" if info["comment"] else "")
    entry_name = unique(taken, make_name(f"spectra_{masses[0]:g}" if taken else "spectra"))
    shared = {**shared, "title": title, "original_metadata": tidy_metadata(info)}
    return Entry(entry_name, "mass_spectrometry", axes, (signal,), **shared)


READER = Reader(
    name="quadstar_sac",
    version="1",
    techniques=("mass_spectrometry",),
    vendor="Pfeiffer",
    format="Quadstar SAC",
    endings=(".sac",),
    sniff=sniff,
    read=read,
    notes="Scans over masses of every cycle and trace. Not read: other kinds of traces (bar graphs, selected ions).",
)
