"""What all of Thermo's OMNIC files have: a table of sections, and the header of a spectrum.

At byte 288 the kind of file, its version, a level and the number of sections; at 296 the time in seconds since
1899-12-31 UTC; at 304 the sections: key (2 bytes), place and length. Files that begin with "Spectral Data File"
(spectra, groups) have entries of 16 bytes with places of 32 bits; "Spectral Exte File" (series, maps) 22 and 64.
Facts: the public format notes of SpectroChemPy, and readers of orange-spectroscopy and PyMca.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Quantity
from zairyo.readers._api import ReadError
from zairyo.readers._optical_bytes import Fields, legacy_text

DATA, EXTENDED = b"Spectral Data File", b"Spectral Exte File"
HEADER, VALUES, COMMENT, HISTORY, ACQUISITION, TITLE = 0x02, 0x03, 0x04, 0x1B, 0x6A, 0x6B
SAMPLE_INTERFEROGRAM, BACKGROUND_INTERFEROGRAM = 0x66, 0x67
SERIES_SETTINGS, SERIES_VALUES = 0x145, 0x12D
_EPOCH = datetime(1899, 12, 31, tzinfo=UTC)
_X_UNITS: dict[int, tuple[str, str]] = {
    1: ("wavenumber", "1/cm"),
    2: ("point", ""),
    3: ("wavelength", "nm"),
    4: ("wavelength", "um"),
    32: ("raman_shift", "1/cm"),
}
_Y_UNITS: dict[int, tuple[str, str | None, str]] = {
    11: ("reflectance", "percent", "%Reflectance"),
    12: ("log_inverse_reflectance", "", "log(1/R)"),
    15: ("single_beam", "arb", "Single beam"),
    16: ("transmittance", "percent", "%Transmittance"),
    17: ("absorbance", "", "Absorbance"),
    20: ("kubelka_munk", "", "Kubelka-Munk"),
    21: ("reflectance", "", "Reflectance"),
    22: ("interferogram", "V", "Volts"),
    23: ("transmittance", "", "Transmittance"),
    26: ("photoacoustic", "arb", "Photoacoustic"),
    31: ("intensity", "arb", "Raman intensity"),
}
_DATE = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{1,2}) (\d{2}:\d{2}:\d{2}) (\d{4}) \(GMT([+-]\d{2}):(\d{2})\)"
)


@dataclass(frozen=True)
class Section:
    key: int
    start: int
    size: int


@dataclass(frozen=True)
class SpectrumHeader:
    """The first 140 bytes of a header: points, units, the axis' ends, and what the acquisition was."""

    points: int
    x_unit: int
    y_unit: int
    first: float
    last: float
    told: dict[str, Any]

    @property
    def is_raman(self) -> bool:
        return self.x_unit == 32 or self.y_unit == 31

    @property
    def technique(self) -> str:
        return "raman" if self.is_raman else "ir"

    def axis(self, warnings: list[str], *, rising: bool = False) -> Axis:
        """The axis as stored: a spectrum's from the first value on, a series' always from the lowest."""
        first, last = sorted((self.first, self.last)) if rising else (self.first, self.last)
        values = np.linspace(first, last, self.points)
        if self.x_unit not in _X_UNITS:
            warnings.append(f"OMNIC's unit {self.x_unit} of the x axis is not known.")
            return Axis("spectral_position", values)
        name, unit = _X_UNITS[self.x_unit]
        return Axis("raman_shift" if name == "wavenumber" and self.is_raman else name, values, unit)

    def signal(self, warnings: list[str]) -> tuple[str, str | None, str]:
        """Name, unit, label."""
        if self.y_unit not in _Y_UNITS:
            warnings.append(f"OMNIC's unit {self.y_unit} of the spectrum is not known; it has no unit.")
            return "intensity", None, "Intensity"
        return _Y_UNITS[self.y_unit]


def sections_of(fields: Fields) -> list[Section]:
    kind, _, _, count = fields.unpack("<4H", 288, "the head of the file")
    is_extended = fields.data.startswith(EXTENDED)
    stride = 22 if is_extended else 16
    fields.need(304, stride * count, f"the table of {count} sections (file kind {kind})")
    found = []
    for at in range(304, 304 + stride * count, stride):
        key, start, size = fields.unpack("<Hqi" if is_extended else "<Hii", at, "a section")
        if start and size >= 0:
            fields.need(start, size, f"section {key:#x}")
            found.append(Section(key, start, size))
    return found


def header_of(fields: Fields, at: int) -> SpectrumHeader:
    _, points, x_unit, y_unit = fields.unpack("<4I", at, "the header of a spectrum")
    first, last, noise = fields.unpack("<3f", at + 16, "the header of a spectrum")
    if not 0 < points <= len(fields) // 4 or not np.isfinite([first, last]).all():
        raise ReadError(
            f"{fields.name}: the header at byte {at} announces {points} points from {first:g} to {last:g}; "
            "the file is damaged"
        )
    counts = fields.unpack("<3I", at + 28, "the header of a spectrum")
    transform, _, background = fields.unpack("<3I", at + 44, "the header of a spectrum")
    told: dict[str, Any] = {
        "noise": noise,
        "scan_points": counts[0],
        "interferogram_peak_position": counts[1],
        "sample_scans": counts[2],
        "fft_points": transform,
        "background_scans": background,
        "background_gain": fields.unpack("<f", at + 56, "the header")[0],
        "collection_length_s": fields.unpack("<I", at + 68, "the header")[0] / 100,
        "reference_frequency_per_cm": fields.unpack("<f", at + 80, "the header")[0],
        "sample_spacing": fields.unpack("<f", at + 84, "the header")[0],
        "aperture": fields.unpack("<f", at + 92, "the header")[0],
        "raman_laser_per_cm": fields.unpack("<f", at + 96, "the header")[0],
    }
    return SpectrumHeader(points, x_unit & 0xFF, y_unit & 0xFF, first, last, told)


def acquisition_of(fields: Fields, section: Section) -> dict[str, Any]:
    """What is known of the section of acquisition parameters."""
    if section.size < 52:
        return {}
    high_pass, low_pass = fields.unpack("<2f", section.start + 20, "the acquisition parameters")
    gain, velocity = fields.unpack("<2f", section.start + 44, "the acquisition parameters")
    return {"high_pass": high_pass, "low_pass": low_pass, "gain": gain, "optical_velocity": velocity}


def conditions_of(told: dict[str, Any]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, key, unit in (
        ("repetitions", "sample_scans", ""),
        ("background_repetitions", "background_scans", ""),
        ("duration", "collection_length_s", "s"),
        ("reference_laser_wavenumber", "reference_frequency_per_cm", "1/cm"),
        ("gain", "gain", ""),
        ("mirror_velocity", "optical_velocity", "cm/s"),
    ):
        value = told.get(key)
        if isinstance(value, (int, float)) and np.isfinite(value) and 0 < value < 1e9:
            found[name] = Quantity(value, unit)
    laser = told["raman_laser_per_cm"]
    if 1e3 < laser < 1e5:
        found["laser_wavelength"] = Quantity(1e7 / laser, "nm")
    found["software"] = Quantity("OMNIC")
    return found


def text_of(fields: Fields, section: Section) -> str:
    return legacy_text(fields.part(section.start, section.size, "a text")).replace("\r\n", "\n").strip()


def moment(seconds: int) -> datetime | None:
    """OMNIC's time; None where it is none (0, or before spectrometers had computers)."""
    found = _EPOCH + timedelta(seconds=seconds)
    return found if 1970 < found.year < 2036 else None


def written_moment(text: str) -> datetime | None:
    """A time as OMNIC writes it into texts: ``Fri Feb 22 11:18:44 2019 (GMT+01:00)``."""
    if not (match := _DATE.search(text)):
        return None
    try:
        return datetime.strptime(" ".join(match.groups()[:4]) + match[5] + match[6], "%b %d %H:%M:%S %Y%z")
    except ValueError:
        return None
