"""Bruker OPUS: infrared and Raman spectra, single beams, interferograms, series in time, maps and images."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._optical_bytes import Fields, unique_entries
from zairyo.readers._opus_blocks import MAGIC, SERIES, Block, Opus, points_of, read_opus, series, spectrum

#: Kind of data → signal, unit, title; those of a reference measurement are named so.
_KINDS: dict[int, tuple[str, str, str]] = {
    1: ("single_beam", "arb", "Single beam"),
    2: ("interferogram", "arb", "Interferogram"),
    3: ("phase", "rad", "Phase"),
    4: ("absorbance", "", "Absorbance"),
    5: ("transmittance", "", "Transmittance"),
    6: ("kubelka_munk", "", "Kubelka-Munk"),
    7: ("intensity", "arb", "Trace"),
    10: ("intensity", "arb", "Raman"),
    11: ("emission", "arb", "Emission"),
    12: ("reflectance", "", "Reflectance"),
    14: ("power_spectrum", "arb", "Power spectrum"),
    15: ("log_inverse_reflectance", "", "-log Reflectance"),
    16: ("attenuated_reflectance", "", "ATR"),
    17: ("photoacoustic", "arb", "Photoacoustic"),
    18: ("intensity", "arb", "Result of arithmetics (like transmittance)"),
    19: ("intensity", "arb", "Result of arithmetics (like absorbance)"),
}
_RAMAN, _TRACE = 10, 7
_REFERENCE, _RATIO = 2, 3
_RESULTS = frozenset(_KINDS) - {1, 2, 3, 7, 14}
_DERIVATIVES = ("", "first_derivative", "second_derivative", "nth_derivative")
_COMPLEX = ("", "real", "imaginary", "")
#: OPUS' name of the x unit → axis, unit.
_AXES = {
    "WN": ("wavenumber", "1/cm"),
    "LGW": ("wavenumber", "1/cm"),
    "RSH": ("raman_shift", "1/cm"),
    "MI": ("wavelength", "um"),
    "NM": ("wavelength", "nm"),
    "EV": ("photon_energy", "eV"),
    "PNT": ("point", ""),
    "MIN": ("time", "min"),
    "SEC": ("time", "s"),
}
_APODISATIONS = {
    "B3": "Blackman-Harris 3-term",
    "B4": "Blackman-Harris 4-term",
    "BX": "boxcar",
    "TR": "triangular",
    "4P": "four-point",
    "HG": "Happ-Genzel",
    "NBW": "Norton-Beer, weak",
    "NBM": "Norton-Beer, medium",
    "NBS": "Norton-Beer, strong",
}
_PHASES = {
    "ML": "Mertz",
    "SM": "Mertz, signed",
    "MS": "Mertz, stored phase",
    "PW": "power spectrum",
    "NO": "none",
}
_NUMBERS = (
    ("resolution", "RES", "1/cm"),
    ("repetitions", "NSS", ""),
    ("background_repetitions", "NSR", ""),
    ("zero_filling", "ZFF", ""),
    ("duration", "DUR", "s"),
    ("laser_power", "RLP", "mW"),
    ("reference_laser_wavenumber", "LWN", "1/cm"),
)
_TEXTS = (
    ("light_source", "SRC"),
    ("beamsplitter", "BMS"),
    ("detector", "DTC"),
    ("aperture", "APT"),
    ("optical_filter", "OPF"),
    ("objective", "OBJ"),
    ("sampling_method", "ACC"),
    ("instrument_serial", "SRN"),
)
_VERSION = re.compile(r"Version\s+([\d.]+)")
_DATE = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})")
_TIME = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?(?:.*GMT([+-]\d{1,2})(?::?(\d{2}))?)?")


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head[:4] == MAGIC else NO


def read(src: RawInput) -> Measurement:
    fields = Fields(src.read_bytes(), src.name)
    if fields.data[:4] != MAGIC:
        raise ReadError(f"{src.name} is not an OPUS file: it does not begin with OPUS' mark")
    warnings: list[str] = []
    opus = read_opus(fields, warnings)
    conditions = _conditions(opus)
    made: list[tuple[int, Entry]] = []
    with np.errstate(all="ignore"):  # a damaged file's numbers may overflow; they stay what they are
        for block, status in opus.spectra:
            entry = _entry(fields, block, status, conditions, warnings)
            if entry is not None:
                made.append((_worth(block), entry))
    if not made:
        raise ReadError(f"{src.name} holds no spectrum that is read; it has {len(opus.blocks)} blocks")
    entries = unique_entries(entry for _, entry in made)
    best = max(range(len(made)), key=lambda i: (made[i][0], i))  # of equal ones OPUS shows the latest
    metadata = {"version": opus.version, **opus.parameters}
    if opus.log:
        metadata["History"] = re.sub(r"[\x01-\x08\x0b-\x1f\x7f-\x9f]", " ", opus.log)
    return Measurement(
        entries=tuple(entries),
        title=_text(opus, "SNM"),
        sample=_text(opus, "SNM"),
        instrument=f"Bruker {name}" if (name := _text(opus, "INS")) else "",
        operator=_text(opus, "CNM"),
        default=entries[best].name,
        original_metadata=tidy_metadata(metadata),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _worth(block: Block) -> int:
    """What of several spectra is shown first: results, then single beams; maps and series before one spectrum."""
    of_kind = 4 if block.kind in _RESULTS else 3 if block.kind == 1 else 1
    return 2 * (of_kind - (block.origin == _REFERENCE)) + (block.extension == SERIES)


def _text(opus: Opus, name: str) -> str:
    value = opus.first(name)
    return clean_text(value) if isinstance(value, str) else ""


# --- one entry ----------------------------------------------------------------------------------------------


def _entry(
    fields: Fields,
    block: Block,
    status: dict[str, Any],
    conditions: dict[str, Quantity],
    warnings: list[str],
) -> Entry | None:
    if block.kind not in _KINDS or (block.kind == _TRACE and block.extension == SERIES):
        warnings.append(f"The data block at byte {block.start} (kind {block.kind}) is not read.")
        return None
    name, unit, title = _signal_name(block)
    places: tuple[Axis, ...] = ()
    extras: tuple[Signal, ...] = ()
    if points_of(status) <= 0:
        raise ReadError(f"the spectrum at byte {block.start} has no number of points (NPT)")
    if block.extension == SERIES:
        values, info = series(fields, block, status, warnings)
        places, extras = _places(status, len(values), info, warnings)
        values = values.reshape(*(len(a.values) for a in places), values.shape[1])
    else:
        values = spectrum(fields, block, status)
    axis = _axis(status, points_of(status), block, warnings)
    axes = (*places, axis)
    signal = Signal(name, values, unit, tuple(a.name for a in axes), title)
    kind = "" if len(axes) == 1 else "_map" if axes[-2].name in ("x", "y") else "_series"
    return Entry(
        name=name + kind,
        technique="raman" if block.kind == _RAMAN or axis.name == "raman_shift" else "ir",
        axes=axes,
        signals=(signal, *extras),
        title=title,
        conditions=conditions,
        original_metadata=tidy_metadata(status),
        started=_started(status),
    )


def _signal_name(block: Block) -> tuple[str, str | None, str]:
    name, unit, title = _KINDS[block.kind]
    said: str | None = unit
    if block.kind == 1 and block.origin == _RATIO:
        name, title = "intensity", "Spectrum"
    if block.origin == _REFERENCE:
        name, title = f"reference_{name}", f"Reference {title.lower()}"
    if (part := _COMPLEX[block.complex_part]) and block.kind != _TRACE:
        name, title = f"{name}_{part}", f"{title} ({part} part)"
    if derivative := _DERIVATIVES[block.derivative]:
        name, title, said = f"{name}_{derivative}", f"{title}, {derivative.replace('_', ' ')}", None
    if block.channel:
        name, title = f"{name}_detector_{block.channel + 1}", f"{title}, detector {block.channel + 1}"
    return name, said, title


def _axis(status: dict[str, Any], points: int, block: Block, warnings: list[str]) -> Axis:
    first, last = status.get("FXV"), status.get("LXV")
    if not (isinstance(first, (int, float)) and isinstance(last, (int, float))):
        raise ReadError(f"the spectrum at byte {block.start} has no valid axis (FXV, LXV)")
    stated = str(status.get("DXU", "WN")).strip()
    values: NDArray[Any] = np.linspace(first, last, points)
    if stated == "LGW":
        values = np.exp(values)
    if stated not in _AXES:
        warnings.append(f"OPUS' unit {stated!r} of the x axis is not known; it was kept as it is.")
        return Axis("spectral_position", values, clean_text(stated) or None)
    name, unit = _AXES[stated]
    return Axis("raman_shift" if name == "wavenumber" and block.kind == _RAMAN else name, values, unit)


def _places(
    status: dict[str, Any], count: int, info: NDArray[Any] | None, warnings: list[str]
) -> tuple[tuple[Axis, ...], tuple[Signal, ...]]:
    """The axes of a map (NPX by NPY places) or of a series in time, and what else is known of each spectrum."""
    nx, ny = status.get("NPX"), status.get("NPY")
    if isinstance(nx, int) and isinstance(ny, int) and nx > 0 and ny > 0 and nx * ny > 1:
        x, y = (_positions(status, "X", nx), _positions(status, "Y", ny))
        if nx * ny == count:
            return tuple(a for a in (Axis("y", y, "um"), Axis("x", x, "um")) if len(a.values) > 1), ()
        warnings.append(
            f"The map should have {nx} × {ny} places, but {count} spectra were stored; they are in a row."
        )
        if count < nx * ny:
            at = np.arange(count)
            here = (
                Signal("x", x[at % nx], "um", ("spectrum",)),
                Signal("y", y[at // nx], "um", ("spectrum",)),
            )
            return (Axis("spectrum", at, ""),), here
    if info is not None:
        start: NDArray[Any] = info["SRT"]
        if count == 1 or (np.isfinite(start).all() and (np.diff(start) > 0).all()):
            is_clock = abs(start[0]) > 1e6  # seconds since a date, not since the series began
            return (Axis("time", start - start[0] if is_clock else start, "s"),), ()
    return (Axis("spectrum", np.arange(count), ""),), ()


def _positions(status: dict[str, Any], letter: str, count: int) -> NDArray[Any]:
    origin, step = status.get(f"AO{letter}"), status.get(f"DD{letter}")
    numbers = np.arange(count, dtype=float)
    if isinstance(origin, (int, float)) and isinstance(step, (int, float)) and step:
        numbers = origin + step * numbers
    return numbers


# --- conditions ---------------------------------------------------------------------------------------------


def _conditions(opus: Opus) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, key, unit in _NUMBERS:
        value = _number(opus.first(key))
        if value is not None and np.isfinite(value) and value > 0:
            found[name] = Quantity(value, unit)
    for name, key in _TEXTS:
        if text := _text(opus, key):
            found[name] = Quantity(text)
    laser = opus.first("RLW")
    if isinstance(laser, float) and 1e3 < laser < 1e6:
        found["laser_wavelength"] = Quantity(1e7 / laser, "nm")
    for name, key, words in (("apodisation", "APF", _APODISATIONS), ("phase_correction", "PHZ", _PHASES)):
        if code := _text(opus, key):
            found[name] = Quantity(words.get(code, code))
    found["software"] = Quantity("OPUS")
    if version := _VERSION.search(opus.log):
        found["software_version"] = Quantity(version[1])
    return found


def _number(value: Any) -> float | int | None:
    """A parameter's number; settings that OPUS offers in a list are text there."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value):
        return int(value)
    return value if isinstance(value, (int, float)) else None


def _started(status: dict[str, Any]) -> datetime | None:
    """``DAT`` (year or day first) and ``TIM`` with its zone; None where they are no moment."""
    date = _DATE.match(str(status.get("DAT", "")))
    time = _TIME.match(str(status.get("TIM", "")).strip())
    if not date or not time:
        return None
    year, month, day = (int(part) for part in date.groups())
    if len(date[3]) == 4:
        year, day = day, year
    try:
        offset = timedelta(hours=int(time[5] or 0), minutes=int(time[6] or 0)) if time[5] else None
        zone = timezone(offset) if offset is not None else None
        micro = int((time[4] or "").ljust(6, "0") or 0)
        return datetime(year, month, day, int(time[1]), int(time[2]), int(time[3]), micro, zone)
    except ValueError:
        return None


READER = Reader(
    name="bruker_opus",
    version="1",
    techniques=("ir", "raman"),
    vendor="Bruker",
    format="OPUS",
    endings=tuple(f".{i}" for i in range(10)),
    sniff=sniff,
    read=read,
    notes="All spectra of a file (results, single beams, interferograms, phases, of the sample and the reference), "
    "series in time, maps and detector-array images with their positions. Not read: visible images, traces "
    "computed from maps, maps of several regions as regions (their spectra are read as a series).",
)
