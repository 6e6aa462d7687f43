"""EMSA/MAS spectra ``.msa`` (ISO 22029): EELS, EDS, WDS, CL … as text, written by nearly every microscope's software.

A line ``#KEYWORD-unit : value`` each for what is known, then the numbers: intensities only (``DATATYPE`` Y), or pairs
of position and intensity (XY), in any number a line. Keywords that begin with ``##`` are the program's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.measurement.techniques import TECHNIQUES, conditions
from zairyo.measurement.units import normalise
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy

_MOST_BYTES = 256 * 1024**2
_LINE = re.compile(r"(#+)\s*([^:]*?)\s*:\s?(.*)")
_WITH_UNIT = re.compile(r"([A-Z0-9]+)\s*-\s*([A-Za-z%]+)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:\s?[EeDd]\s?[+-]?\d+)?")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
#: The standard's spellings of units, as they are known here.
_UNITS = {
    "mr": "mrad",
    "dg": "deg",
    "sr": "steradian",
    "ua": "uA",
    "na": "nA",
    "pa": "pA",
    "kv": "kV",
    "ev": "eV",
    "kev": "keV",
    "cps": "count/s",
}
_TECHNIQUES = {
    "EDS": "eds", "EDX": "eds", "WDS": "wds", "ELS": "eels", "EELS": "eels", "XRF": "xrf", "CLS": "cathodoluminescence",
    "CL": "cathodoluminescence", "AES": "aes", "PES": "xps", "XPS": "xps",
}  # fmt: skip
_ENERGIES = {
    "eds": "energy", "wds": "energy", "xrf": "energy", "eels": "energy_loss", "cathodoluminescence": "photon_energy",
    "aes": "kinetic_energy", "xps": "binding_energy",
}  # fmt: skip
_UNSTATED = "?"
#: Keyword → condition and the unit it is in where the file names none; None is for text.
_CONDITIONS: dict[str, tuple[str, str | None]] = {
    "BEAMKV": ("accelerating_voltage", "kV"),
    "EMISSION": ("emission_current", "uA"),
    "PROBECUR": ("beam_current", "nA"),
    "BEAMDIAM": ("beam_diameter", "nm"),
    "MAGCAM": ("magnification", ""),
    "CONVANGLE": ("convergence_angle", "mrad"),
    "COLLANGLE": ("collection_angle", "mrad"),
    "OPERMODE": ("operating_mode", None),
    "THICKNESS": ("sample_thickness", "nm"),
    "XTILTSTGE": ("tilt_alpha", "deg"),
    "YTILTSTGE": ("tilt_beta", "deg"),
    "XPOSITION": ("stage_x", _UNSTATED),
    "YPOSITION": ("stage_y", _UNSTATED),
    "ZPOSITION": ("stage_z", _UNSTATED),
    "DWELLTIME": ("dwell_time", "ms"),
    "INTEGTIME": ("exposure_time", "ms"),
    "ELSDET": ("detector_type", None),
    "EDSDET": ("detector_type", None),
    "ELEVANGLE": ("elevation_angle", "deg"),
    "AZIMANGLE": ("azimuth_angle", "deg"),
    "SOLIDANGL": ("solid_angle", "steradian"),
    "LIVETIME": ("live_time", "s"),
    "REALTIME": ("real_time", "s"),
    "TDEADLYR": ("dead_layer_thickness", "cm"),
    "TACTLYR": ("detector_thickness", "cm"),
}


@dataclass
class _Header:
    """The keywords of the standard: value and unit of the last line of each, and every line verbatim."""

    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    lines: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def text(self, keyword: str) -> str:
        return self.values.get(keyword, ("", ""))[0]

    def number(self, keyword: str) -> float | None:
        """The number of a keyword; None, with a warning, if what is there is none."""
        told = self.text(keyword)
        if not told:
            return None
        found = _NUMBER.match(told.replace(",", "."))
        value = float(re.sub(r"\s", "", found[0]).replace("D", "E").replace("d", "e")) if found else np.nan
        if not np.isfinite(value):
            self.warnings.append(f"{told!r} of {keyword} is not a number; it is kept in the metadata only.")
            return None
        return value


def sniff(src: RawInput) -> float:
    if b"#" not in src.head[:100]:
        return NO
    head = src.head[:4000].replace(b"\0", b"").upper()  # UTF-16 too
    first = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")[:200]
    if not first.startswith(b"#FORMAT"):
        return NO
    return CERTAIN if b"EMSA" in first else LIKELY if b"#SPECTRUM" in head else NO


def read(src: RawInput) -> Measurement:
    lines = decode_legacy(src.read_bytes(_MOST_BYTES)).splitlines()
    header = _Header()
    start = _read_header(lines, header, src.name)
    numbers, is_ended = _numbers(lines, start, header)
    x, y = _points(numbers, is_ended, header, src.name)
    entry = _entry(x, y, header)
    return Measurement(
        entries=(entry,),
        title=header.text("TITLE"),
        sample=next((t for k in ("SPECIMEN", "SAMPLE") if (t := header.text(k))), ""),
        operator=header.text("OWNER"),
        original_metadata=tidy_metadata(header.lines),
        warnings=tuple(dict.fromkeys(header.warnings)),
    )


def _read_header(lines: list[str], header: _Header, name: str) -> int:
    """Take the header's lines; the number of the first line of data."""
    for number, line in enumerate(lines):
        found = _LINE.match(line.strip())
        if found is None:
            if line.strip() and number == 0:
                raise ReadError(f"{name} does not begin with '#FORMAT'; it is no EMSA/MAS spectrum")
            if line.strip():
                header.warnings.append(
                    f"Line {number + 1} of the header ({line.strip()[:40]!r}) was not understood."
                )
            continue
        marks, key, value = found[1], found[2].upper(), found[3].strip()
        if marks == "#" and key == "SPECTRUM":
            return number + 1
        _keep(header.lines, marks + found[2], found[3].strip())
        if marks == "#":
            split = _WITH_UNIT.fullmatch(found[2].strip())
            keyword, unit = (split[1].upper(), split[2]) if split else (key, "")
            if keyword == "COMMENT" and header.text("COMMENT"):
                value = f"{header.text('COMMENT')} {value}"
            header.values[keyword] = (value, unit)
    raise ReadError(f"{name} has no line '#SPECTRUM', behind which the numbers are; it is cut off")


def _keep(kept: dict[str, Any], key: str, value: str) -> None:
    if key not in kept:
        kept[key] = value
    elif isinstance(kept[key], list):
        kept[key].append(value)
    else:
        kept[key] = [kept[key], value]


# --- numbers ------------------------------------------------------------------------------------------------


def _numbers(lines: list[str], start: int, header: _Header) -> tuple[NDArray[Any], bool]:
    """All numbers behind ``#SPECTRUM``, and whether the end of the data is marked."""
    ends = [n for n in range(start, len(lines)) if lines[n].lstrip().startswith("#")]
    stop = ends[0] if ends else len(lines)
    body = "\n".join(lines[start:stop])
    if ";" in body:
        body = body.replace(",", ".").replace(";", " ")
    elif "." not in body and "," in body and _is_comma_decimal(body, header):
        body = body.replace(",", ".")
    tokens = body.replace(",", " ").split()
    try:
        return np.array(tokens, float), bool(ends)
    except ValueError:
        pass
    values = np.full(len(tokens), np.nan)
    odd: list[str] = []
    for i, token in enumerate(tokens):
        try:
            values[i] = float(token.replace("D", "E"))
        except ValueError:
            odd.append(token)
    if 10 * len(odd) > len(tokens):
        raise ReadError(
            f"{len(odd)} of {len(tokens)} values behind line {start} are no numbers, the first {odd[0][:40]!r}"
        )
    if odd:
        header.warnings.append(
            f"{len(odd)} values are no numbers (the first is {odd[0][:40]!r}); they were left empty."
        )
    return values, bool(ends)


def _is_comma_decimal(body: str, header: _Header) -> bool:
    """Whether commas stand within numbers: then there are twice as many groups of digits as were announced."""
    points, pairs = header.number("NPOINTS"), 2 if header.text("DATATYPE").upper() == "XY" else 1
    return points is not None and len(re.findall(r"\d+,\d+", body)) == points * pairs


def _points(
    numbers: NDArray[Any], is_ended: bool, header: _Header, name: str
) -> tuple[NDArray[Any] | None, NDArray[Any]]:
    """Positions (None if they are to be computed) and intensities."""
    announced = header.number("NPOINTS")
    is_xy = header.text("DATATYPE").upper() == "XY"
    if is_xy and len(numbers) % 2:
        raise ReadError(f"{name} has {len(numbers)} numbers, which are no pairs; it is cut off or damaged")
    points = len(numbers) // 2 if is_xy else len(numbers)
    if not points:
        raise ReadError(f"{name} has no numbers behind '#SPECTRUM'; it is cut off or was saved empty")
    if announced is not None and points < announced and not is_ended:
        raise ReadError(
            f"{name} announces {announced:g} points, but has {points}; it is cut off. Copy it again."
        )
    if announced is not None and points != announced:
        header.warnings.append(
            f"The header announces {announced:g} points; the file has {points}, and all were read."
        )
    return (numbers[0::2], numbers[1::2]) if is_xy else (None, numbers)


def _entry(x: NDArray[Any] | None, y: NDArray[Any], header: _Header) -> Entry:
    technique = _TECHNIQUES.get(header.text("SIGNALTYPE").upper(), "")
    label = header.text("XLABEL")
    if not technique:
        technique = "eels" if "LOSS" in label.upper() else "unspecified"
    told = header.text("XUNITS") or header.values.get("XPERCHAN", ("", ""))[1]
    unit = _unit(told, header, "axis")
    if x is None:
        step = header.number("XPERCHAN")
        if not step:
            header.warnings.append(
                "The file does not state the width of a channel; channels are counted instead."
            )
            x, unit = np.arange(len(y)), ""
        else:
            x = (header.number("OFFSET") or 0.0) + step * np.arange(len(y))
    axis_name = _axis_name(technique, unit)
    intensity = header.text("YUNITS")
    is_word = intensity.casefold() in ("", "intensity", "x-ray intensity")
    y_unit = normalise(header.text("YLABEL")) if is_word else _unit(intensity, header, "intensity")
    return Entry(
        name="spectrum",
        technique=technique,
        axes=(Axis(axis_name, x, unit, label if axis_name == "x" else ""),),
        signals=(Signal("intensity", y, y_unit or None, (axis_name,)),),
        title=header.text("TITLE"),
        conditions=_found_conditions(technique, header),
        started=_started(header),
    )


def _unit(told: str, header: _Header, what: str) -> str | None:
    """A unit as it is known here; one that is not is kept, with a warning."""
    if not told:
        return None
    unit = _UNITS.get(told.casefold()) or normalise(told)
    if unit is None:
        header.warnings.append(f"The unit {told!r} of the {what} is not known; it was kept as it is.")
    return unit or told[:60]


def _axis_name(technique: str, unit: str | None) -> str:
    if unit in ("eV", "keV", "meV"):
        return _ENERGIES.get(technique, "energy")
    if unit in ("nm", "um", "angstrom"):
        return "wavelength"
    return "channel" if unit == "" and technique in _ENERGIES else "x"


def _found_conditions(technique: str, header: _Header) -> dict[str, Quantity]:
    known = conditions(technique) if technique in TECHNIQUES else {}
    found: dict[str, Quantity] = {}
    for keyword, (name, usual) in _CONDITIONS.items():
        told, unit = header.values.get(keyword, ("", ""))
        if keyword == "MAGCAM" and "DI" in header.text("OPERMODE").upper():  # DIFFR, SCDIF
            name, usual = "camera_length", "mm"
        if not told or name not in known:
            continue
        if usual is None:
            found[name] = Quantity(told)
        elif (value := header.number(keyword)) is not None:
            known_unit = None if usual == _UNSTATED else usual
            found[name] = Quantity(value, _unit(unit, header, keyword) if unit else known_unit)
    if comment := header.text("COMMENT"):
        found["comment"] = Quantity(comment)
    return found


def _started(header: _Header) -> datetime | None:
    """The moment of DATE (DD-MMM-YYYY) and TIME (HH:MM, HH:MM:SS)."""
    date, time = header.text("DATE"), header.text("TIME")
    if not date:
        return None
    day = re.fullmatch(r"(\d{1,2})[-. /]+([A-Za-z]{3})[a-z.]*[-. /]+(\d{4})", date)
    iso = re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", date)
    clock = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d*)?)?", time or "0:00")
    try:
        if clock is None:
            raise ValueError
        parts = [int(g or 0) for g in clock.groups()]
        if day and day[2].upper() in _MONTHS:
            return datetime(int(day[3]), _MONTHS.index(day[2].upper()) + 1, int(day[1]), *parts)  # type: ignore[arg-type]
        if iso:
            return datetime(int(iso[1]), int(iso[2]), int(iso[3]), *parts)  # type: ignore[arg-type]
        raise ValueError
    except ValueError:
        header.warnings.append(
            f"The date {date!r} with the time {time!r} was not understood; the start was left open."
        )
        return None


READER = Reader(
    name="emsa",
    version="2",
    techniques=(*dict.fromkeys(_TECHNIQUES.values()), "unspecified"),
    vendor="EMSA/MAS",
    format="ISO 22029 spectrum",
    endings=(".msa", ".emsa", ".ems", ".eds"),
    sniff=sniff,
    read=read,
    notes="Y and XY data in any number of columns, versions 1.0 and 2.0, with decimal commas too; all keywords of the "
    "standard, those of programs (##) in the metadata.",
)
