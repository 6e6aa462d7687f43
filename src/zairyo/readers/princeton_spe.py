"""Princeton Instruments ``.spe``: spectra and images of a camera, WinSpec's (2.x) and LightField's (3).

Both begin with a head of 4100 bytes; of version 3 only the place of the XML in it is used.
"""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._optical_bytes import Fields
from zairyo.readers._spe3 import FIRST_FRAME, Region, Spe3, read_spe3
from zairyo.readers._xml import attribute, find, text, tree

_WINVIEW, _LAST = 0x01234567, 0x5555
_NUMBERS = {0: "<f4", 1: "<i4", 2: "<i2", 3: "<u2", 5: "<f8", 6: "u1", 8: "<u4"}
#: WinSpec's numbers for the unit of a calibrated axis.
_X = {3: ("wavelength", "nm"), 4: ("wavenumber", "1/cm"), 5: ("raman_shift", "1/cm")}
_REGION = ("x", "x_end", "x_binning", "y", "y_end", "y_binning")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def sniff(src: RawInput) -> float:
    head = src.head
    if len(head) < FIRST_FRAME:
        return NO
    version, kind = struct.unpack_from("<f", head, 1992)[0], struct.unpack_from("<H", head, 108)[0]
    marks = (
        struct.unpack_from("<I", head, 2996)[0] == _WINVIEW,
        struct.unpack_from("<H", head, 4098)[0] == _LAST,
    )
    if all(marks):
        return CERTAIN
    return LIKELY if 1.4 <= version < 4 and kind in _NUMBERS and (any(marks) or version >= 3) else NO


def read(src: RawInput) -> Measurement:
    fields = Fields(src.read_bytes(), src.name)
    (version,) = fields.unpack("<f", 1992, "the head")
    fields.need(0, FIRST_FRAME, "the head")
    warnings: list[str] = []
    with np.errstate(all="ignore"):  # a damaged calibration may overflow
        return _version_3(fields, warnings) if version >= 3 else _version_2(fields, warnings)


def _entry(
    name: str,
    values: NDArray[Any],
    axes: tuple[Axis, Axis, Axis],
    conditions: dict[str, Quantity],
    started: datetime | None,
) -> Entry:
    """The axes of more than one place; the last, along the spectrum, always."""
    kept = (*(axis for axis in axes[:2] if len(axis.values) > 1), axes[2])
    shaped = values.reshape(tuple(len(axis.values) for axis in kept))
    return Entry(
        name=name,
        technique="raman" if axes[2].name == "raman_shift" else "optical_spectroscopy",
        axes=kept,
        signals=(Signal("intensity", shaped, "counts", tuple(axis.name for axis in kept)),),
        conditions=conditions,
        started=started,
    )


# --- version 2 ----------------------------------------------------------------------------------------------


def _version_2(fields: Fields, warnings: list[str]) -> Measurement:
    (width,), (height,) = fields.unpack("<H", 42, "the head"), fields.unpack("<H", 656, "the head")
    (kind,) = fields.unpack("<H", 108, "the head")
    (frames,) = fields.unpack("<i", 1446, "the head")
    if kind not in _NUMBERS or not width * height or frames < 1:
        raise ReadError(
            f"{fields.name} announces {frames} frames of {width} × {height} numbers of the kind {kind}; it is damaged"
        )
    count = frames * width * height
    values = fields.array(_NUMBERS[kind], FIRST_FRAME, count, "the frames").reshape(frames, height, width)
    told = _told_2(fields)
    axis = _calibrated(fields, width, warnings)
    entry = _entry(
        "spectra" if frames * height > 1 else "spectrum",
        values,
        (
            Axis("frame", np.arange(1, frames + 1), ""),
            Axis("y", np.arange(height, dtype=float), "pixel"),
            axis,
        ),
        _conditions_2(told),
        _started_2(told),
    )
    comments = [c for c in told["comments"] if c]
    return Measurement(
        entries=(entry,),
        title=comments[0] if comments else "",
        instrument="Princeton Instruments",
        original_metadata=tidy_metadata(told),
        warnings=tuple(warnings),
    )


def _told_2(fields: Fields) -> dict[str, Any]:
    def number(form: str, at: int) -> Any:
        return fields.unpack("<" + form, at, "the head")[0]

    return {
        "exposure_s": number("f", 10),
        "date": fields.text(20, 10),
        "detector_temperature": number("f", 36),
        "centre_wavelength_nm": number("f", 72),
        "time_local": fields.text(172, 7),
        "gain": number("H", 198),
        "comments": [fields.text(200 + 80 * i, 80) for i in range(5)],
        "grooves_per_mm": number("f", 650),
        "accumulations": number("i", 668),
        "readout_time_ms": number("f", 672),
        "software_version": fields.text(688, 16),
        "version": number("f", 1992),
        "regions": number("h", 1510),
        "region": dict(zip(_REGION, fields.unpack("<6H", 1512, "the head"), strict=True)),
        "x_calibration_unit": number("B", 3016),
        "x_calibration_polynomial": list(fields.unpack("<6d", 3263, "the head")),
        "laser_position": number("d", 3311),
    }


def _calibrated(fields: Fields, width: int, warnings: list[str]) -> Axis:
    """The axis along the spectrum: a polynomial of the sensor's pixels, counted from 1; pixels where none is valid."""
    (is_valid,), (unit,) = fields.unpack("<b", 3098, "the head"), fields.unpack("<B", 3100, "the head")
    (order,) = fields.unpack("<b", 3101, "the head")
    coefficients = np.array(fields.unpack("<6d", 3263, "the head"))
    pixels = np.arange(width, dtype=float)
    if not is_valid or unit not in _X or not 0 < order <= 5 or not np.isfinite(coefficients).all():
        return Axis("x", pixels, "pixel")
    start, end, binning = fields.unpack("<3H", 1512, "the head")
    fits = binning > 0 and start > 0 and (end - start + 1) // binning == width
    at = start + binning * pixels + (binning - 1) / 2 if fits else pixels + 1
    values = np.polynomial.polynomial.polyval(at, coefficients[: order + 1])
    steps = np.diff(values)
    if not ((steps > 0).all() or (steps < 0).all()):
        warnings.append(
            "The calibration of the x axis does not rise or fall all along; the axis is in pixels."
        )
        return Axis("x", pixels, "pixel")
    name, of = _X[unit]
    return Axis(name, values, of)


def _conditions_2(told: dict[str, Any]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, key, unit in (
        ("exposure_time", "exposure_s", "s"),
        ("repetitions", "accumulations", ""),
    ):
        if np.isfinite(told[key]) and 0 < told[key] < 1e7:
            found[name] = Quantity(told[key], unit)
    if np.isfinite(told["detector_temperature"]) and -250 < told["detector_temperature"] < 100:
        found["detector_temperature"] = Quantity(told["detector_temperature"], "degC")
    if np.isfinite(told["grooves_per_mm"]) and told["grooves_per_mm"] > 0:
        found["grating"] = Quantity(f"{told['grooves_per_mm']:g} grooves/mm")
    found["software"] = Quantity("WinSpec")
    if told["software_version"].isprintable() and told["software_version"]:
        found["software_version"] = Quantity(told["software_version"])
    comments = [c for c in told["comments"] if c]
    if comments:
        found["comment"] = Quantity("\n".join(comments))
    return found


def _started_2(told: dict[str, Any]) -> datetime | None:
    """``03Jun2004`` and ``143059``."""
    date, time = told["date"], told["time_local"].ljust(6, "0")
    try:
        month = _MONTHS.index(date[2:5].casefold()) + 1
        return datetime(int(date[5:9]), month, int(date[:2]), int(time[:2]), int(time[2:4]), int(time[4:6]))
    except ValueError:
        return None


# --- version 3 ----------------------------------------------------------------------------------------------


def _version_3(fields: Fields, warnings: list[str]) -> Measurement:
    (xml_at,) = fields.unpack("<Q", 678, "the place of the description")
    spe = read_spe3(fields, xml_at, warnings)
    history = find(spe.root, "DataHistories/DataHistory/Origin")
    camera = find(history, "Experiment/Devices/Cameras/Camera")
    conditions, started = _conditions_3(history, camera), _started_3(attribute(history, "created"))
    entries = []
    for number, region in enumerate(spe.regions, 1):
        frames, height, _ = region.values.shape
        axes = (
            _frame_axis(spe, frames),
            Axis("y", region.y + region.y_binning * np.arange(height, dtype=float), "pixel"),
            _wavelength_axis(spe, region, warnings),
        )
        name = "spectra" if len(spe.regions) == 1 else f"region_{number}"
        entries.append(_entry(name, region.values, axes, conditions, started))
    model = attribute(camera, "model")
    return Measurement(
        entries=tuple(entries),
        instrument=f"Princeton Instruments {model}".strip(),
        original_metadata=tidy_metadata(tree(spe.root, skip=("Wavelength", "WavelengthError"))),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _frame_axis(spe: Spe3, frames: int) -> Axis:
    if spe.times is not None and len(spe.times) == frames and (np.diff(spe.times) > 0).all():
        return Axis("time", spe.times, "s")
    return Axis("frame", np.arange(1, frames + 1), "")


def _wavelength_axis(spe: Spe3, region: Region, warnings: list[str]) -> Axis:
    """The region's part of the wavelengths; pixels of the sensor where there are none."""
    width, known = region.values.shape[2], spe.wavelengths
    if known is not None:
        if len(known) != width:
            known = known[region.x : region.x + width * region.x_binning]
            whole = len(known) // region.x_binning
            known = known[: whole * region.x_binning].reshape(whole, -1).mean(axis=1) if whole else known[:0]
        steps = np.diff(known)
        if len(known) == width and ((steps > 0).all() or (steps < 0).all()):
            return Axis("wavelength", known, "nm")
        warnings.append("The wavelengths do not fit the region of the sensor; the axis is in pixels.")
    return Axis("x", region.x + region.x_binning * np.arange(width, dtype=float), "pixel")


def _conditions_3(history: Any, camera: Any) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, path, unit, scale in (
        ("exposure_time", "ShutterTiming/ExposureTime", "s", 1e-3),
        ("detector_temperature", "Sensor/Temperature/Reading", "degC", 1.0),
    ):
        try:
            value = float(text(camera, path)) * scale
        except ValueError:
            continue
        if np.isfinite(value) and (value > 0 or unit == "degC"):
            found[name] = Quantity(value, unit)
    grating = text(history, "Experiment/Devices/Spectrometers/Spectrometer/Grating/Selected")
    if grating:
        found["grating"] = Quantity(grating)
    found["software"] = Quantity(attribute(history, "software") or "LightField")
    if version := attribute(history, "softwareVersion"):
        found["software_version"] = Quantity(version)
    if serial := attribute(camera, "serialNumber"):
        found["instrument_serial"] = Quantity(serial)
    return found


def _started_3(stated: str) -> datetime | None:
    head, dot, tail = stated.partition(".")
    digits = len(tail) - len(tail.lstrip("0123456789"))
    try:  # seven digits of a second are more than Python reads
        return datetime.fromisoformat(
            f"{head}{dot}{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}" if dot else head
        )
    except ValueError:
        return None


READER = Reader(
    name="princeton_spe",
    version="1",
    techniques=("optical_spectroscopy", "raman"),
    vendor="Princeton Instruments",
    format="WinSpec / LightField SPE",
    endings=(".spe",),
    sniff=sniff,
    read=read,
    notes="Versions 1.4 to 3: frames, images and several regions, calibrated axes, times of the frames. Not read: "
    "WinSpec's calibration of the y axis, more than its first region, what LightField processed.",
)
