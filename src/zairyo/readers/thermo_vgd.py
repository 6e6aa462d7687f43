"""Thermo Avantage ``.vgd``: a data space in a Microsoft compound file.

Facts: stream ``VGData`` has the values (float64, energy fastest); ``VGDataAxes`` from byte 8 sixteen bytes a data axis:
its first and last index and how many space axes it has; ``VGSpaceAxes`` from byte 8 for each space axis 18 bytes (texts
may make them more), points (int32), start and width (float64), whether it is linear (a byte), else its positions, and
its type. Properties are numbered in property sets, streams whose names begin with byte 5.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from zairyo.measurement import Measurement
from zairyo.measurement.text import clean_text
from zairyo.readers._api import RawInput, Reader, ReadError
from zairyo.readers._avantage import MOST_VALUES, DataSpace, SpaceAxis, spectrum
from zairyo.readers._compound import Compound
from zairyo.readers._optical_ole import sniff_names

_KINDS = {0: "", 1: "ENERGY", 2: "ANGLE", 3: "X", 4: "Y", 5: "LEVEL", 6: "ETCHLEVEL", 10: "POSITION"}
_UNITS = {"ENERGY": "eV", "ANGLE": "deg", "X": "um", "Y": "um"}
_PROPERTIES = {
    0x04: "DS_GEPROPID_TECHNIQUE",
    0x06: "DS_GEPROPID_INSTRUMENT",
    0x0D: "DS_GEPROPID_VALUE_LABEL",
    0x0F: "DS_GEPROPID_VALUE_UNIT",
    0x69: "DS_SOPROPID_ENERGY",
    0x6A: "DS_SOPROPID_VOLTAGE",
    0x6B: "DS_SOPROPID_CURRENT",
    0xCB: "DS_STPROPID_POS_X",
    0xCC: "DS_STPROPID_POS_Y",
    0xCD: "DS_STPROPID_POS_Z",
    0x12F: "DS_ACPROPID_START_TIME",
    0x131: "DS_ACPROPID_ACQ_TIME",
    0x148: "DS_ACPROPID_PERIODS",
    0x194: "DS_ANPROPID_PASS",
    0x196: "DS_ANPROPID_WORK_FTN",
    0x19B: "DS_ANPROPID_LENS_MODE_NAME",
}
_SUMMARY = {
    2: "DS_EXT_SUPROPID_TITLE",
    3: "DS_EXT_SUPROPID_SUBJECT",
    4: "DS_EXT_SUPROPID_AUTHOR",
    12: "CREATED",
}
_SCALARS = {2: "<h", 3: "<i", 11: "<h", 19: "<I", 22: "<i", 23: "<I", 4: "<f", 5: "<d", 7: "<d"}
_FILETIME, _FILETIME_EPOCH = 64, datetime(1601, 1, 1, tzinfo=UTC)
_MOST_PROPERTIES = 10_000


def sniff(src: RawInput) -> float:
    return sniff_names(src, ("VGData", "VGSpaceAxes"), (".vgd",))


def read(src: RawInput) -> Measurement:
    file = Compound(src)
    about = _properties(file)
    data_axes = file.read("VGDataAxes")
    try:
        (count,) = struct.unpack_from("<i", data_axes, 4)
        if not 0 < count <= 8:
            raise ReadError(f"{src.name} announces {count} data axes: it was saved empty or is damaged")
        spans = [struct.unpack_from("<3i", data_axes, 8 + 16 * i) for i in range(count)]
    except struct.error:
        raise ReadError(f"{src.name}: the stream VGDataAxes is cut off. Copy it again.") from None
    shape = [last - first + 1 for first, last, _ in spans]
    shares = [share for *_, share in spans]
    if (
        min(shape) < 1
        or int(np.prod(shape, dtype=object)) > MOST_VALUES
        or not all(0 < s <= 16 for s in shares)
    ):
        raise ReadError(f"{src.name} announces data of {shape} points; it is damaged")
    lengths = [n for n, share in zip(shape, shares, strict=True) for _ in range(share)]
    space = _space_axes(file.read("VGSpaceAxes"), lengths, src.name)
    data = file.read("VGData")
    if len(data) != 8 * int(np.prod(shape)):
        raise ReadError(
            f"{src.name}: {int(np.prod(shape))} values are announced and {len(data) // 8} are there; it is cut off or "
            "damaged. Copy it again."
        )
    groups, left = list[list[SpaceAxis]](), list(space)
    for share in shares:
        groups.append(left[:share])
        left = left[share:]
    values = np.frombuffer(data, "<f8").reshape(shape[::-1])
    begun = about.get("DS_ACPROPID_START_TIME")
    started = begun if isinstance(begun, datetime) else about.pop("CREATED", None)
    return spectrum(
        DataSpace(groups, values, about, started if isinstance(started, datetime) else None), src.name, []
    )


def _space_axes(data: bytes, lengths: list[int], name: str) -> list[SpaceAxis]:
    made: list[SpaceAxis] = []
    at = 8
    for length in lengths:
        place = next((p for p in range(at + 4, len(data) - 20) if _is_axis(data, p, length)), None)
        if place is None:
            raise ReadError(
                f"{name}: {len(made)} of {len(lengths)} axes can be understood in VGSpaceAxes; it is damaged"
            )
        start, width = struct.unpack_from("<2d", data, place + 4)
        at = place + 21
        if data[place + 20]:
            values = start + width * np.arange(length)
        else:
            values = np.frombuffer(data, "<f8", length, at).astype(np.float64)
            at += 8 * length
        code = struct.unpack_from("<i", data, at)[0] if at + 4 <= len(data) else 0
        at += 4
        kind = _KINDS.get(code, f"AXIS{code}") or ("ENERGY" if not made else "INDEX")
        made.append(SpaceAxis(kind, values, _UNITS.get(kind, ""), kind.capitalize()))
    return made


def _is_axis(data: bytes, at: int, length: int) -> bool:
    """Whether an axis of that many points is defined there, with sensible numbers."""
    points, start, width = struct.unpack_from("<i2d", data, at)
    if points != length or data[at + 20] > 1 or not (np.isfinite(start) and np.isfinite(width)):
        return False
    sensible = all(v == 0 or 1e-12 < abs(v) < 1e15 for v in (start, width))
    return sensible and (data[at + 20] == 1 or at + 21 + 8 * length <= len(data))


def _properties(file: Compound) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in file.names:
        if len(path) != 1 or not path[0].startswith("\x05"):
            continue
        names = _SUMMARY if path[0] == "\x05SummaryInformation" else _PROPERTIES
        for number, value in _property_set(file.read(*path)):
            if number in names:
                found.setdefault(names[number], value)
            elif names is _PROPERTIES and number < 0x01000000 and not isinstance(value, datetime):
                found.setdefault(f"property_{number}", value)
    return found


def _property_set(data: bytes) -> list[tuple[int, Any]]:
    """Numbers and values of a property set's first section; what is not understood is left out."""
    found: list[tuple[int, Any]] = []
    try:
        (section,) = struct.unpack_from("<I", data, 44)
        (count,) = struct.unpack_from("<I", data, section + 4)
        for i in range(min(count, _MOST_PROPERTIES)):
            number, offset = struct.unpack_from("<II", data, section + 8 + 8 * i)
            value = _property(data, section + offset)
            if value is not None:
                found.append((number, value))
    except struct.error:
        pass
    return found


def _property(data: bytes, at: int) -> Any:
    kind = struct.unpack_from("<I", data, at)[0] & 0xFFFF
    if kind in _SCALARS:
        value = struct.unpack_from(_SCALARS[kind], data, at + 4)[0]
        return None if isinstance(value, float) and not np.isfinite(value) else value
    if kind == _FILETIME:
        (ticks,) = struct.unpack_from("<Q", data, at + 4)
        try:
            return _FILETIME_EPOCH + timedelta(microseconds=ticks // 10) if ticks else None
        except OverflowError:
            return None
    if kind in (8, 30, 31):
        (size,) = struct.unpack_from("<I", data, at + 4)
        field = data[at + 8 : at + 8 + min(size * (2 if kind == 31 else 1), 65536)]
        wide = kind == 31 or (kind == 8 and field[1:2] == b"\0")
        return clean_text(field.decode("utf-16-le" if wide else "cp1252", "replace").split("\0")[0]).strip()
    return None


READER = Reader(
    name="thermo_vgd",
    version="1",
    techniques=("xps", "ups", "iss"),
    vendor="Thermo Scientific",
    format="Avantage (.vgd)",
    endings=(".vgd",),
    sniff=sniff,
    read=read,
    notes="Spectra, depth profiles, line scans and maps. Images and tables of values are refused.",
)
