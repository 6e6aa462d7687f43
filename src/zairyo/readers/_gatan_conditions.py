"""DigitalMicrograph's image tags → conditions and the moment of acquisition."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from zairyo.measurement import Quantity, clean_text

#: Path of a tag, the condition, its unit, and what the tag's number is multiplied with. Earlier lines come first.
_NUMBERS: tuple[tuple[str, str, str, float], ...] = (
    ("Microscope Info:Voltage", "accelerating_voltage", "kV", 1e-3),
    ("Microscope Info:Indicated Magnification", "magnification", "", 1.0),
    ("Microscope Info:Probe Current (nA)", "beam_current", "nA", 1.0),
    ("Microscope Info:Probe Size (nm)", "beam_diameter", "nm", 1.0),
    ("Microscope Info:Emission Current (µA)", "emission_current", "uA", 1.0),
    ("Microscope Info:STEM Camera Length", "camera_length", "mm", 1.0),
    ("Microscope Info:Cs(mm)", "spherical_aberration", "mm", 1.0),
    ("Microscope Info:Field of View (µm)", "field_of_view", "um", 1.0),
    ("EELS:Acquisition:Exposure (s)", "exposure_time", "s", 1.0),
    ("CL:Acquisition:Exposure (s)", "exposure_time", "s", 1.0),
    ("DataBar:Exposure Time (s)", "exposure_time", "s", 1.0),
    ("Acquisition:Parameters:High Level:Exposure (s)", "exposure_time", "s", 1.0),
    ("EELS:Acquisition:Number of frames", "frames", "", 1.0),
    ("EELS:Acquisition:Number of Frames", "frames", "", 1.0),
    ("CL:Acquisition:Number of frames", "frames", "", 1.0),
    ("EELS:Acquisition:Integration time (s)", "duration", "s", 1.0),
    ("CL:Acquisition:Integration time (s)", "duration", "s", 1.0),
    ("EELS:Experimental Conditions:Convergence semi-angle (mrad)", "convergence_angle", "mrad", 1.0),
    ("EELS:Experimental Conditions:Collection semi-angle (mrad)", "collection_angle", "mrad", 1.0),
    ("EELS:Convergence semi-angle (mrad)", "convergence_angle", "mrad", 1.0),
    ("EELS:Collection semi-angle (mrad)", "collection_angle", "mrad", 1.0),
    ("EELS Spectrometer:Dispersion (eV/ch)", "energy_dispersion", "eV", 1.0),
    ("EELS Spectrometer:Energy loss (eV)", "energy_shift", "eV", 1.0),
    ("EDS:Live time", "live_time", "s", 1.0),
    ("EDS:Real time", "real_time", "s", 1.0),
    ("EDS:Detector Info:Elevation angle", "elevation_angle", "deg", 1.0),
    ("EDS:Detector Info:Incidence angle", "incidence_angle", "deg", 1.0),
    ("EDS:Detector Info:Solid angle", "solid_angle", "steradian", 1.0),
    ("CL:Acquisition:Central wavelength (nm)", "central_wavelength", "nm", 1.0),
    ("SI:Acquisition:Pixel time (s)", "dwell_time", "us", 1e6),
    ("DigiScan:Sample Time", "dwell_time", "us", 1.0),
)
#: As above, of numbers that may be zero or negative.
_SIGNED: tuple[tuple[str, str, str, float], ...] = (
    ("Microscope Info:Stage Position:Stage X", "stage_x", "mm", 1e-3),
    ("Microscope Info:Stage Position:Stage Y", "stage_y", "mm", 1e-3),
    ("Microscope Info:Stage Position:Stage Z", "stage_z", "mm", 1e-3),
    ("Microscope Info:Stage Position:Stage Alpha", "tilt_alpha", "deg", 1.0),
    ("Microscope Info:Stage Position:Stage Beta", "tilt_beta", "deg", 1.0),
    ("EDS:Detector Info:Azimuthal angle", "azimuth_angle", "deg", 1.0),
    ("DigiScan:Rotation", "scan_rotation", "deg", 1.0),
)
_TEXTS: tuple[tuple[str, str], ...] = (
    ("Microscope Info:Illumination Mode", "illumination_mode"),
    ("Microscope Info:Imaging Mode", "imaging_mode"),
    ("Microscope Info:Operation Mode", "operating_mode"),
    ("EELS Spectrometer:Instrument name", "spectrometer"),
    ("EDS:Detector Info:Detector type", "detector_type"),
    ("Acquisition:Device:Name", "detector"),
    ("DataBar:Device Name", "detector"),
    ("Session Info:Detector", "detector"),
    ("GMS Version:Created", "software_version"),
    ("GMS Version:Saved", "software_version"),
)
_ACQUISITIONS = ("EELS", "EDS", "CL", "SI")
_FILETIME_ZERO = datetime(1601, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\s*(\d{1,4})\s*([./-])\s*(\d{1,2})\s*[./-]\s*(\d{1,4})")
_TIME = re.compile(r"\s*(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?\s*(AM|PM|午前|午後)?", re.IGNORECASE)


def _at(tags: Any, path: str) -> Any:
    for name in path.split(":"):
        if not isinstance(tags, dict):
            return None
        tags = tags.get(name)
    return tags


def conditions_of(tags: dict[str, Any], warnings: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for table, least in ((_NUMBERS, 0.0), (_SIGNED, -math.inf)):
        for path, name, unit, factor in table:
            value = _at(tags, path)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and least < value < math.inf:
                found.setdefault(name, Quantity(_shortest(float(value) * factor), unit))
    for path, name in _TEXTS:
        value = _at(tags, path)
        if isinstance(value, str) and value.strip():
            found.setdefault(name, Quantity(clean_text(value).strip()))
    _add_compounds(tags, found)
    return found


def _shortest(value: float) -> float:
    """The number that was meant, where a single-precision one was stored in double: 0.05, not 0.0500000007."""
    import numpy as np

    with np.errstate(over="ignore"):
        single = np.float32(value)
    return float(str(single)) if float(single) == value else value


def _add_compounds(tags: dict[str, Any], found: dict[str, Quantity]) -> None:
    """What is more than one number, or is so only under a condition."""
    for path in ("DataBar:Binning", "Acquisition:Parameters:High Level:Binning"):
        binning = _at(tags, path)
        sides = binning if isinstance(binning, list) else [binning]
        if all(isinstance(n, int) and n > 0 for n in sides) and len(sides) in (1, 2):
            found.setdefault("binning", Quantity(f"{sides[0]}x{sides[-1]}"))
    if _at(tags, "EELS Spectrometer:Slit inserted") is True:
        width = _at(tags, "EELS Spectrometer:Slit width (eV)")
        if isinstance(width, float) and 0 < width < math.inf:
            found["slit_width"] = Quantity(width, "eV")
    aperture = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*mm\s*", str(_at(tags, "EELS Spectrometer:Aperture label")))
    if aperture:
        found["spectrometer_aperture"] = Quantity(float(aperture[1]), "mm")
    grating = _at(tags, "CL:Acquisition:Dispersion grating (lines/mm)")
    if isinstance(grating, float) and 0 < grating < math.inf:
        found["grating"] = Quantity(f"{grating:g} lines/mm")


# --- when ---------------------------------------------------------------------------------------------------


def started_of(tags: dict[str, Any], warnings: list[str]) -> datetime | None:
    """When the image was taken, as the clock said; with its zone where the system's time was kept too."""
    data_bar = tags.get("DataBar")
    if isinstance(data_bar, dict):
        return _from_data_bar(data_bar, warnings)
    for group in _ACQUISITIONS:
        told = _at(tags, f"{group}:Acquisition")
        if isinstance(told, dict) and isinstance(told.get("Date"), str):
            return _only(told["Date"], str(told.get("Start time", "")), warnings)
    return None


def _from_data_bar(data_bar: dict[str, Any], warnings: list[str]) -> datetime | None:
    date, time = str(data_bar.get("Acquisition Date", "")), str(data_bar.get("Acquisition Time", ""))
    ticks = data_bar.get("Acquisition Time (OS)")  # of 100 ns since 1601, UTC
    if not isinstance(ticks, (int, float)) or not 0 < ticks < 2.6e18:
        return _only(date, time, warnings)
    utc = _FILETIME_ZERO + timedelta(microseconds=int(ticks) // 10)
    for local in _readings(date, time):
        ahead = (local - utc.replace(tzinfo=None)).total_seconds()
        quarters = round(ahead / 900)
        if abs(quarters) <= 56 and abs(ahead - quarters * 900) < 60:
            return local.replace(tzinfo=timezone(timedelta(minutes=15 * quarters)))
    return utc.replace(microsecond=0)


def _only(date: str, time: str, warnings: list[str]) -> datetime | None:
    """The date and time, unless the date can be read in two ways."""
    readings = _readings(date, time)
    if len(readings) > 1:
        warnings.append(
            f"The date {date!r} may be day or month first; the start of the acquisition was left open."
        )
    return readings[0] if len(readings) == 1 else None


def _readings(date: str, time: str) -> list[datetime]:
    """All the moments that a date and a time in the computer's own notation can mean."""
    day, clock = _DATE.match(date), _TIME.match(time)
    if day is None or clock is None:
        return []
    a, mark, b, c = int(day[1]), day[2], int(day[3]), int(day[4])
    if a > 31:
        orders = [(a, b, c)]
    elif mark == "/" and clock[4]:  # with a 12-hour clock the month is first
        orders = [(c, a, b)]
    else:
        orders = [(c, b, a)] if mark != "/" else [(c, b, a), (c, a, b)]
    hour = int(clock[1])
    if clock[4]:
        hour = hour % 12 + (12 if clock[4].upper() in ("PM", "午後") else 0)
    found: list[datetime] = []
    for year, month, of_month in orders:
        try:
            year += 2000 if year < 70 else 1900 if year < 100 else 0
            moment = datetime(year, month, of_month, hour, int(clock[2]), int(clock[3] or 0))
        except ValueError:
            continue
        if moment not in found:
            found.append(moment)
    return found
