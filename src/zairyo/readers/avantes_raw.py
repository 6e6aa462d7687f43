"""Avantes AvaSoft's binary spectra: AvaSoft 8 (``.raw8``, ``.rfl8``, ``.irr8``) and 6/7 (``.roh``, ``.trm``, ``.abs``).

All hold what the spectrometer counted; absorbance or transmittance follow from signal, dark and reference. Facts:
the file structure that Avantes gave to the authors of the R package lightr.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._optical_bytes import Fields

_MARKS = (b"AVS82", b"AVS84")
_MODES = (
    "scope",
    "absorbance",
    "scope, dark-corrected",
    "transmittance",
    "reflectance",
    "irradiance",
    "relative irradiance",
    "temperature",
)
#: Behind the length of a spectrum of AvaSoft 8, up to its arrays.
_HEAD = struct.Struct("<4B10s64sBHHfIIBBHB B BBB HIIfH I I fffff 5d 130s".replace(" ", ""))
_HEAD_FIELDS = (
    *("sequence_number", "mode", "bitness", "marker", "serial_number", "name", "status", "start_pixel"),
    *(
        "stop_pixel",
        "integration_time_ms",
        "integration_delay",
        "averages",
        "dark_correction",
        "forget_percentage",
    ),
    *("smoothing_pixels", "smoothing_model", "saturation_detection", "trigger_mode", "trigger_source"),
    *(
        "trigger_source_type",
        "strobe_control",
        "laser_delay",
        "laser_width",
        "laser_wavelength_nm",
        "store_to_ram",
    ),
    *(
        "timestamp",
        "file_date",
        "detector_temperature",
        "board_temperature",
        "ntc2_voltage",
        "colour_temperature",
    ),
    *("calibration_integration_time_ms", *(f"wavelength_fit_{i}" for i in range(5)), "comment"),
)
_MERGE_BYTES = 10
_OLD = (60.0, 70.0)
_OLD_TAIL = 3


def sniff(src: RawInput) -> float:
    head = src.head
    if head[:5] in _MARKS:
        return CERTAIN if len(head) > 6 + _HEAD.size and head[5] > 0 else NO
    if len(head) < 84 or struct.unpack_from("<f", head)[0] not in _OLD:
        return NO
    first, last = _old_pixels(head)
    return LIKELY if 0 <= first < last < 2**16 and first == int(first) and last == int(last) else NO


def read(src: RawInput) -> Measurement:
    fields = Fields(src.read_bytes(), src.name)
    with np.errstate(all="ignore"):  # a damaged file's numbers may be none, or overflow
        spectra = list(_spectra_8(fields) if fields.data[:5] in _MARKS else _spectrum_6(fields))
    entries, told = [], []
    for number, (head, arrays) in enumerate(spectra, 1):
        told.append(head)
        entries.append(_entry(f"spectrum_{number}" if len(spectra) > 1 else "spectrum", head, arrays))
    return Measurement(
        entries=tuple(entries),
        title=told[0].get("comment", ""),
        instrument=f"Avantes {told[0].get('name', '')}".strip(),
        original_metadata=tidy_metadata({"spectra": told}),
    )


def _entry(name: str, head: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Entry:
    found: dict[str, Quantity] = {}
    for condition, key, unit, scale in (
        ("exposure_time", "integration_time_ms", "s", 1e-3),
        ("repetitions", "averages", "", 1),
        ("detector_temperature", "detector_temperature", "degC", 1),
    ):
        value = head.get(key, math.nan)
        if math.isfinite(value) and (value > 0 or unit == "degC"):
            found[condition] = Quantity(int(value) if condition == "repetitions" else value * scale, unit)
    for condition, key in (("instrument_serial", "serial_number"), ("comment", "comment")):
        if head.get(key):
            found[condition] = Quantity(head[key])
    mode = head.get("mode")
    if isinstance(mode, int) and mode < len(_MODES):
        found["scan_mode"] = Quantity(_MODES[mode])
    found["software"] = Quantity("AvaSoft")
    signals = tuple(
        Signal(signal, values, "counts", ("wavelength",))
        for signal, values in arrays.items()
        if signal != "wavelength" and (signal == "intensity" or values.any())
    )
    return Entry(
        name=name,
        technique="uv_vis",
        axes=(Axis("wavelength", arrays["wavelength"], "nm"),),
        signals=signals,
        title=head.get("comment", ""),
        conditions=found,
    )


def _spectra_8(fields: Fields) -> Iterator[tuple[dict[str, Any], dict[str, NDArray[Any]]]]:
    """One spectrum behind the other: its length, its head, four arrays, a word on how it was merged."""
    (count,) = fields.unpack("<B", 5, "the number of spectra")
    if not count:
        raise ReadError(f"{fields.name} announces no spectrum")
    at = 6
    for number in range(1, count + 1):
        what = f"spectrum {number}"
        (length,) = fields.unpack("<I", at, what)
        values = fields.unpack(_HEAD.format, at + 4, f"the head of {what}")
        head = dict(zip(_HEAD_FIELDS, values, strict=True))
        start = at + 4 + _HEAD.size
        for key in ("serial_number", "name", "comment"):
            place = at + 4 + {"serial_number": 4, "name": 14, "comment": _HEAD.size - 130}[key]
            head[key] = fields.text(place, {"serial_number": 10, "name": 64, "comment": 130}[key])
        points = head["stop_pixel"] - head["start_pixel"] + 1
        if points < 2:
            raise ReadError(f"{fields.name}: {what} has {points} pixels; the file is damaged")
        names = ("wavelength", "intensity", "dark", "reference")
        arrays = {
            name: fields.array("<f4", start + 4 * points * i, points, f"{name} of {what}")
            for i, name in enumerate(names)
        }
        yield head, arrays
        end = start + 16 * points + _MERGE_BYTES
        at = max(end, at + length)


def _old_pixels(data: bytes) -> tuple[float, float]:
    """First and last pixel: where they are depends on the version."""
    version = struct.unpack_from("<f", data)[0] if len(data) >= 4 else math.nan
    at = 4 + 20 + 36 if version == _OLD[0] else 4 + 4 * (9 + 64) + 20
    first, last = struct.unpack_from("<2f", data, at) if at + 8 <= len(data) else (math.nan, math.nan)
    return first, last


def _spectrum_6(fields: Fields) -> Iterator[tuple[dict[str, Any], dict[str, NDArray[Any]]]]:
    """Everything is float32, letters too; signal alone, or signal, reference and dark pixel by pixel."""
    numbers = fields.array("<f4", 0, len(fields) // 4, "the file").astype(float)
    version = float(numbers[0]) if len(numbers) else math.nan
    first, last = _old_pixels(fields.data)
    if version not in _OLD or not (0 <= first < last < 2**16 and first == int(first) and last == int(last)):
        raise ReadError(f"{fields.name} is no spectrum of AvaSoft, or is cut off")
    is_new = version == _OLD[1]
    fit_at, serial_at = (74, 1) if is_new else (1, 6)
    data_at = fit_at + 5 + 4 + 17 if is_new else serial_at + 9 + 4
    points = int(last) - int(first) + 1
    columns = (len(numbers) - data_at - _OLD_TAIL) // points
    if columns not in (1, 3) or len(numbers) != data_at + columns * points + _OLD_TAIL:
        raise ReadError(
            f"{fields.name} has {len(numbers)} numbers, which are not one or three for each of {points} pixels; it is "
            "cut off or damaged"
        )
    data = numbers[data_at : data_at + columns * points].reshape(points, columns)
    fit = numbers[fit_at : fit_at + 5]
    tail = numbers[-_OLD_TAIL:]
    letters = [int(n) for n in numbers[serial_at : serial_at + 9] if math.isfinite(n) and 32 <= n < 127]
    head = {
        "version": version,
        "serial_number": "".join(map(chr, letters)).strip(),
        "wavelength_fit": fit.tolist(),
        "integration_time_ms": float(tail[0]),
        "averages": float(tail[1]),
    }
    wavelength = np.polynomial.polynomial.polyval(np.arange(first, last + 1), fit)
    arrays = {"wavelength": wavelength, "intensity": data[:, 0]}
    if columns == 3:
        arrays |= {"reference": data[:, 1], "dark": data[:, 2]}
    yield head, arrays


READER = Reader(
    name="avantes_raw",
    version="1",
    techniques=("uv_vis",),
    vendor="Avantes",
    format="AvaSoft binary",
    endings=(".raw8", ".rfl8", ".irr8", ".roh", ".trm", ".abs", ".ref", ".drk"),
    sniff=sniff,
    read=read,
    notes="Signal, dark and reference in counts, all spectra of a file. Not read: the date, and what is computed from "
    "these three.",
)
