"""JCAMP-DX' words for techniques, units and conditions → the vocabulary's."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from zairyo.measurement import Quantity, clean_text, make_name, units
from zairyo.readers._jcamp_records import JcampBlock, leading_number

_TECHNIQUES = (
    (r"RAMAN", "raman"),
    (r"INFRARED|\bF?T?-?IR\b|\bIR\b", "ir"),
    (r"FLUORESCENCE|LUMINESCENCE", "fluorescence"),
    (r"UV|ULTRAVIOLET|VISIBLE", "uv_vis"),
    (r"NMR", "nmr"),
    (r"ION MOBILITY|\bIMS\b", "ion_mobility"),
    (r"MASS|\bMS\b", "mass_spectrometry"),
    (r"\bEPR\b|\bESR\b|\bENDOR\b", "epr"),
    (r"CHROMATOGR|\bHPLC\b|\bGC\b", "chromatography"),
    (r"NEUTRON SCATTERING", "neutron_scattering"),
    (r"DIFFRACTION|\bXRD\b", "xrd"),
)
#: Unit (upper case, one blank) → Pint's spelling; the dimensionless quantities name the signal.
_UNITS: dict[str, str | None] = {
    "1/CM": "1/cm",
    "CM-1": "1/cm",
    "CM^-1": "1/cm",
    "CM^{-1}": "1/cm",
    "WAVENUMBER": "1/cm",
    "WAVENUMBERS": "1/cm",
    "RAMAN SHIFT (1/CM)": "1/cm",
    "NANOMETERS": "nm",
    "NANOMETER": "nm",
    "NANOMETRES": "nm",
    "MICROMETERS": "um",
    "MICROMETER": "um",
    "MICRONS": "um",
    "ANGSTROMS": "angstrom",
    "CENTIMETERS": "cm",
    "SECONDS": "s",
    "SECOND": "s",
    "SEC": "s",
    "MILLISECONDS": "ms",
    "MICROSECONDS": "us",
    "MINUTES": "min",
    "HERTZ": "Hz",
    "HZ": "Hz",
    "PPM": "ppm",
    "M/Z": "",
    "MASS UNITS": "u",
    "MASS": "u",
    "S(Q,W)": None,
    "GAUSS": "gauss",
    "TESLA": "T",
    "EV": "eV",
    "ELECTRONVOLTS": "eV",
    "DEGREES": "deg",
    **dict.fromkeys(
        ("2-THETA DEGREES", "DEGREES 2-THETA", "2-THETA", "2THETA", "2 THETA", "2-THETA (DEGREES)"), "deg"
    ),
    "KELVIN": "K",
    "COUNTS": "counts",
    "COUNTS PER SECOND": "count/s",
    "CPS": "count/s",
    "VOLTS": "V",
    "MILLIVOLTS": "mV",
    "AMPERES": "A",
    "NANOAMPERES": "nA",
    "PICOAMPERES": "pA",
    "ARBITRARY UNITS": "arb",
    "ARBITRARY UNIT": "arb",
    "ARBITRARY": "arb",
    "ARB. UNITS": "arb",
    "A.U.": "arb",
    "INTENSITY": "arb",
    "RELATIVE INTENSITY": "arb",
    "RELATIVE ABUNDANCE": "arb",
    "ABUNDANCE": "arb",
    "RAMAN INTENSITY": "arb",
    "ABSORBANCE": "",
    "ABSORBANCE UNITS": "",
    "TRANSMITTANCE": "",
    "REFLECTANCE": "",
    "TRANSMISSION": "",
    "% TRANSMITTANCE": "percent",
    "%TRANSMITTANCE": "percent",
    "PERCENT TRANSMITTANCE": "percent",
    "TRANSMITTANCE (%)": "percent",
    "%T": "percent",
    "% REFLECTANCE": "percent",
    "PERCENT REFLECTANCE": "percent",
    "KUBELKA-MUNK": "",
    "KUBELKA-MUNK UNITS": "",
    "LOG(1/R)": "",
    "LOGARITHM EPSILON": "",
    "PH": "",
    "INDEX": "",
    "POINTS": "",
    "(MICROMOL/MOL)-1M-1 (BASE 10)": "mol/umol/m",
    "VOLUME": None,
    "": None,
}
_IN_BRACKETS = re.compile(r".*[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*\Z")
_SHORT = {
    "nm": "nm",
    "um": "um",
    "µm": "um",
    "eV": "eV",
    "s": "s",
    "ms": "ms",
    "min": "min",
    "Hz": "Hz",
    "K": "K",
}
_ABSCISSAE = {
    "nm": "wavelength",
    "um": "wavelength",
    "angstrom": "wavelength",
    "Hz": "frequency",
    "ppm": "chemical_shift",
    "eV": "photon_energy",
    "gauss": "magnetic_field",
    "T": "magnetic_field",
    "s": "time",
    "ms": "time",
    "us": "time",
    "min": "time",
    "V": "voltage",
    "degC": "temperature",
    "K": "temperature",
}
_ORDINATES = (
    ("ABSORB", "absorbance"),
    ("TRANSMI", "transmittance"),
    ("%T", "transmittance"),
    ("REFLECT", "reflectance"),
    ("KUBELKA", "kubelka_munk"),
    ("LOG(1/R)", "log_inverse_reflectance"),
    ("LOGARITHM EPSILON", "log_molar_absorptivity"),
    ("(MICROMOL/MOL)", "absorption_coefficient"),
    ("ABUNDANCE", "abundance"),
    ("AMPERES", "ion_current"),
    ("PH", "ph"),
)


def technique_of(block: JcampBlock) -> str:
    stated = " ".join(block.text("DATATYPE", "NTUPLES").upper().split())
    if not stated and block.text(".OBSERVEFREQUENCY", ".OBSERVENUCLEUS"):
        return "nmr"
    return next((key for pattern, key in _TECHNIQUES if re.search(pattern, stated)), "unspecified")


def unit_of(stated: str, technique: str, warnings: list[str]) -> str | None:
    """Pint's spelling of a unit; an unknown one is kept as it is."""
    text = " ".join(stated[:80].split())  # what is longer is no unit
    key = text.upper()
    if key == "A":  # UV spectrometers' absorbance; elsewhere it would be the ampere
        return "" if technique in ("uv_vis", "ir") else "A"
    if key in _UNITS:
        return _UNITS[key]
    if text in _SHORT:
        return _SHORT[text]
    inner = _IN_BRACKETS.match(text)
    if inner and (inner.group(1).upper() in _UNITS or inner.group(1) in _SHORT):
        return _SHORT.get(inner.group(1)) or _UNITS[inner.group(1).upper()]
    if text.casefold() in _SHORT:
        return _SHORT[text.casefold()]
    known = units.normalise(inner.group(1) if inner else text)
    if known is not None:
        return known
    warnings.append(f"The unit {text!r} is not known; it was kept as it is.")
    return clean_text(text)


def abscissa_name(stated: str, unit: str | None, technique: str) -> str:
    text = " ".join(stated.upper().split())
    if unit == "1/cm":
        return "raman_shift" if technique == "raman" else "wavenumber"
    if technique == "ion_mobility" and unit in ("s", "ms", "us"):
        return "drift_time"
    if text == "M/Z" or (technique == "mass_spectrometry" and unit in ("", None, "arb", "u")):
        return "mass_to_charge"
    if technique == "xrd" and unit == "deg":
        return "two_theta"
    return _ABSCISSAE.get(unit or "") or make_name(text, "x")


def ordinate_name(stated: str, technique: str) -> str:
    text = " ".join(stated.upper().split())
    if text == "A" and technique in ("uv_vis", "ir"):
        return "absorbance"
    if technique == "mass_spectrometry":
        return "abundance"
    return next((name for word, name in _ORDINATES if text.startswith(word) or (len(word) > 2 and word in text)),
                "intensity")  # fmt: skip


# --- conditions ---------------------------------------------------------------------------------------------

_NUMBERS = (
    ("observe_frequency", (".OBSERVEFREQUENCY",), "MHz"),
    ("magnetic_field", (".FIELD",), "T"),
    ("ionisation_energy", (".IONIZATIONENERGY", ".IONISATIONENERGY"), "eV"),
    ("temperature", ("TEMPERATURE", ".IMSTEMPERATURE"), "degC"),
    ("path_length", ("PATHLENGTH",), "cm"),
    ("pressure", (".IMSPRESSURE",), "kPa"),
)
_TEXTS = (
    ("solvent", (".SOLVENTNAME", "$SOLVENT")),
    ("pulse_sequence", (".PULSESEQUENCE",)),
    ("acquisition_mode", (".ACQUISITIONMODE",)),
    ("ionisation", (".IONIZATIONMODE", ".IONISATIONMODE")),
    ("ion_polarity", (".IONPOLARITY",)),
    ("inlet", (".INLET",)),
    ("carrier_gas", (".CARRIERGAS",)),
    ("drift_gas", (".DRIFTGAS",)),
    ("sampling_method", ("SAMPLINGPROCEDURE",)),
)


def conditions_of(block: JcampBlock, technique: str) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, labels, unit in _NUMBERS:
        number = block.number(*labels)
        if number is not None:
            found[name] = Quantity(number, unit)
    for name, labels in _TEXTS:
        text = block.text(*labels).strip("<> ")
        if text and text.casefold() not in ("undefined", "unknown", "off"):
            found[name] = Quantity(clean_text(" ".join(text.split())))
    nucleus = block.text(".OBSERVENUCLEUS").replace("^", "").replace("<", "").replace(">", "").strip()
    if nucleus:
        found["nucleus"] = Quantity(clean_text(nucleus))
    averages = block.number(".AVERAGES")
    if averages is not None and averages >= 1 and averages == int(averages) and averages < 2**53:
        found["repetitions"] = Quantity(int(averages), "")
    resolution = leading_number(block.text("RESOLUTION"))
    if resolution is not None and technique in ("ir", "raman", "uv_vis"):
        of_axis = unit_of(block.text("XUNITS"), technique, [])
        if of_axis in ("1/cm", "nm"):
            found["resolution"] = Quantity(resolution, of_axis)
    return found


_DATE = re.compile(r"(?P<year>\d{4}|\d{2})\s*[/-]\s*(?P<month>\d{1,2})\s*[/-]\s*(?P<day>\d{1,2})(?!\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
#: ``Mon Feb 01 15:24:11 2021``, ``Wed, Sep 22, 2010``; ``14-Nov-2019``, ``14 November 2019``.
_NAMED = (
    re.compile(
        r"(?<![A-Za-z])(?P<month>[A-Za-z]{3})[a-z]*\.? +(?P<day>\d{1,2})[, ][^A-Za-z]*?(?P<year>\d{4})\b"
    ),
    re.compile(r"(?<!\d)(?P<day>\d{1,2})[ -](?P<month>[A-Za-z]{3})[a-z]*\.?[, -]+(?P<year>\d{4})\b"),
)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?:\s*([AP])M\b)?", re.IGNORECASE)
_ZONE = re.compile(r"([+-])(\d{2}):?(\d{2})\s*\Z")


def started_at(block: JcampBlock) -> datetime | None:
    """``##LONG DATE`` or ``##DATE`` (year first, as the standard says) and ``##TIME``; None where unclear."""
    stated = block.text("LONGDATE", "DATE")
    date = _DATE.match(stated) or next((m for p in _NAMED if (m := p.search(stated))), None)
    if not date:
        return None
    named = date["month"].lower()
    if not named.isdigit() and named not in _MONTHS:
        return None
    year, day = int(date["year"]), int(date["day"])
    month = int(named) if named.isdigit() else _MONTHS.index(named) + 1
    if len(date["year"]) == 2:
        year += 1900 if year >= 70 else 2000
    rest = stated[date.end() :] if named.isdigit() else stated
    time = _TIME.search(rest) or _TIME.search(block.text("TIME"))
    zone = _ZONE.search(stated, date.end()) if time else None
    try:
        offset = timedelta(hours=int(zone[2]), minutes=int(zone[3])) if zone else None
        tz = None if offset is None or zone is None else timezone(-offset if zone[1] == "-" else offset)
        if time is None:
            return datetime(year, month, day)
        hour, minute, second = (int(part or 0) for part in time.groups()[:3])
        if time[5]:
            hour = hour % 12 + (12 if time[5].upper() == "P" else 0)
        fraction = int((time[4] or "").ljust(6, "0") or 0)
        return datetime(year, month, day, hour, minute, second, fraction, tz)
    except ValueError:
        return None
