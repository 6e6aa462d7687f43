"""Column headings of Quantum Design's MultiVu files → names and units of the vocabulary.

A heading is a quantity and, in parentheses, a unit. The same quantity is worded differently by each option
and generation of instrument: the table gathers them. What it lacks keeps a name made of its heading.
"""

from __future__ import annotations

import re

from zairyo.measurement.text import make_name
from zairyo.measurement.units import normalise

#: Heading, in lower case without its unit → name.
_NAMES = {
    "comment": "comment",
    "time stamp": "time",
    "timestamp": "time",
    "time": "time",
    "temperature": "temperature",
    "sample temp": "temperature",
    "sample temperature": "temperature",
    "average temp": "temperature",
    "system temp": "system_temperature",
    "system temp.": "system_temperature",
    "puck temp": "puck_temperature",
    "magnetic field": "magnetic_field",
    "field": "magnetic_field",
    "pressure": "pressure",
    "chamber pressure": "pressure",
    "sample position": "sample_position",
    "position": "sample_position",
    "status": "system_status",
    "system status": "system_status",
    # magnetometers
    "moment": "magnetic_moment",
    "m. std. err.": "magnetic_moment_error",
    "m. quad. signal": "magnetic_moment_quadrature",
    "m. raw'": "magnetic_moment_raw",
    'm. raw"': "magnetic_moment_raw_quadrature",
    "long moment": "magnetic_moment",
    "long scan std dev": "magnetic_moment_error",
    "dc moment fixed ctr": "magnetic_moment_fixed_centre",
    "dc moment err fixed ctr": "magnetic_moment_fixed_centre_error",
    "dc moment free ctr": "magnetic_moment_free_centre",
    "dc moment err free ctr": "magnetic_moment_free_centre_error",
    "m-dc": "magnetic_moment",
    "m-std.dev.": "magnetic_moment_error",
    "mass": "apparent_mass",
    "center position": "centre_position",
    "peak amplitude": "vibration_amplitude",
    "averaging time": "averaging_time",
    "frequency": "frequency",
    # alternating field
    "amplitude": "drive_field",
    "ac drive": "drive_field",
    "drive amplitude": "drive_field",
    "ac frequency": "ac_frequency",
    "wave frequency": "ac_frequency",
    "m'": "ac_moment_real",
    "m''": "ac_moment_imaginary",
    'm"': "ac_moment_imaginary",
    "ac moment": "ac_moment",
    "ac m. std. err.": "ac_moment_error",
    "ac m. std err.": "ac_moment_error",
    "ac phase": "ac_phase",
    "ac susceptibility": "ac_susceptibility",
    "ac suscept. std err.": "ac_susceptibility_error",
    "ac x'": "ac_susceptibility_real",
    "ac x' std err.": "ac_susceptibility_real_error",
    "ac x''": "ac_susceptibility_imaginary",
    'ac x"': "ac_susceptibility_imaginary",
    "ac x'' std err.": "ac_susceptibility_imaginary_error",
    # heat capacity
    "samp hc": "heat_capacity",
    "samp hc err": "heat_capacity_error",
    "samp hc/temp": "heat_capacity_per_temperature",
    "total hc": "heat_capacity_total",
    "total hc err": "heat_capacity_total_error",
    "addenda hc": "heat_capacity_addenda",
    "addenda hc err": "heat_capacity_addenda_error",
    "addenda offset hc": "heat_capacity_addenda_offset",
    "temp rise": "temperature_rise",
    "temp squared": "temperature_squared",
    "fit deviation": "fit_deviation",
    "time const tau1": "time_constant_1",
    "time const tau2": "time_constant_2",
    "sample coupling": "sample_coupling",
    "debye temp": "debye_temperature",
    "debye temp err": "debye_temperature_error",
    "meas time": "measuring_time",
    # transport and thermal transport
    "resistance": "resistance",
    "resistivity": "resistivity",
    "conductivity": "thermal_conductivity",
    "seebeck coef.": "seebeck_coefficient",
    "seebeck coefficient": "seebeck_coefficient",
    "figure of merit": "figure_of_merit",
    "hall coef.": "hall_coefficient",
    "conduct. std. dev.": "thermal_conductivity_error",
    "seebeck std. dev.": "seebeck_coefficient_error",
    "resist. std. dev.": "resistivity_error",
    "merit std. dev.": "figure_of_merit_error",
    # what a magnetometer's moment was fitted to
    "raw position": "sample_position",
    "raw voltage": "raw_voltage",
    "long voltage": "raw_voltage",
    "long average voltage": "average_voltage",
    "start temperature": "temperature",
}

#: Options differ in where they put full stops ("Sample Temp.").
_WITHOUT_STOPS = {heading.replace(".", ""): name for heading, name in _NAMES.items()}

#: The same for headings with the number of a bridge or channel: pattern → name that the number is put to.
_NUMBERED = (
    (re.compile(r"(?:bridge|channel|ch\.?) ?(\d) resistivity"), "resistivity"),
    (re.compile(r"(?:bridge|channel|ch\.?) ?(\d) resistance"), "resistance"),
    (re.compile(r"(?:bridge|channel|ch\.?) ?(\d) std\. ?dev\."), "resistivity_error"),
    (re.compile(r"(?:bridge|channel|ch\.?) ?(\d) excitation"), "excitation_current"),
    (re.compile(r"resistivity,? ch\.? ?(\d)"), "resistivity"),
    (re.compile(r"resistance,? ch\.? ?(\d)"), "resistance"),
    (re.compile(r"res\. ?std\. ?dev\. ch\.? ?(\d)"), "resistivity_error"),
    (re.compile(r"(?:resistance )?std\. ?dev\.,? ch\.? ?(\d)"), "resistance_error"),
    (re.compile(r"hall coef(?:\.|ficient)?,? ch\.? ?(\d)"), "hall_coefficient"),
    (re.compile(r"phase angle,? ch\.? ?(\d)"), "phase"),
    (re.compile(r"(?:ac )?current,? ch\.? ?(\d)"), "excitation_current"),
    (re.compile(r"i-v current,? ch\.? ?(\d)"), "current"),
    (re.compile(r"(?:i-v )?voltage,? ch\.? ?(\d)"), "voltage"),
    (re.compile(r"frequency,? ch\.? ?(\d)"), "ac_frequency"),
    (re.compile(r"critical current,? ch\.? ?(\d)"), "critical_current"),
    # AC transport (ACT) of the classic PPMS
    (re.compile(r"res\.,? ch\.? ?(\d)"), "resistivity"),
    (re.compile(r"volts,? ch\.? ?(\d)"), "voltage"),
    (re.compile(r"v std\. ?dev\.,? ch\.? ?(\d)"), "voltage_error"),
    (re.compile(r"hall,? ch\.? ?(\d)"), "hall_coefficient"),
    (re.compile(r"hall std\. ?dev\.,? ch\.? ?(\d)"), "hall_coefficient_error"),
    (re.compile(r"crit\. ?cur\.,? ch\.? ?(\d)"), "critical_current"),
    (re.compile(r"c\. ?cur\. std\. ?dev\.,? ch\.? ?(\d)"), "critical_current_error"),
)

#: Beside M' and M'' (AC susceptibility, ACMS) these are of the alternating moment, not of the static one.
_ALTERNATING = {"moment": "ac_moment", "phase": "ac_phase"}
#: Quantities whose headings lack the unit that they always have.
_UNWRITTEN = {"voltage": "V", "voltage_error": "V"}

#: Word in a unit → as Pint spells it. "" is a number without a dimension.
_WORDS = {
    "sec": "s",
    "secs": "s",
    "seconds": "s",
    "kelvin": "K",
    "k": "K",
    "c": "degC",
    "oersted": "Oe",
    "oe": "Oe",
    "t": "T",
    "tesla": "T",
    "ohms": "ohm",
    "ohm": "ohm",
    "amps": "A",
    "amp": "A",
    "torr": "torr",
    "torrs": "torr",
    "grams": "g",
    "gram": "g",
    "mole": "mol",
    "moles": "mol",
    "degrees": "deg",
    "degree": "deg",
    "percent": "percent",
    "%": "percent",
    "hz": "Hz",
    "volts": "V",
    "coul": "coulomb",
}
#: Units whose parts mean something else alone: a C below a volume is a coulomb, Hall's.
_WHOLE = {"Nm": "N*m", "N m": "N*m", "Am^2": "A*m**2", "Am2": "A*m**2"}
_WHOLE |= {f"{m}^3/C": f"{m}**3/coulomb" for m in ("m", "cm")}
_DIMENSIONLESS = frozenset({"code", "chisquare", "factor", "", "index", "count", "counts", "none"})
_PLAIN = re.compile(
    "s|min|h|K|Oe|T|emu|ohm|m?torr|[munk]?(?:A|V|W|J|Hz|g)|[mcu]?m|mol|deg|Pa|"
    + "|".join(sorted(set(_WORDS.values())))
)
_PART = re.compile(r"([A-Za-z%µμ]+)(?:\^?(\d))?\Z")


def split_heading(heading: str) -> tuple[str, str | None]:
    """``"Samp HC (µJ/K)"`` → ``("Samp HC", "µJ/K")``; None if no unit stands there."""
    found = re.fullmatch(r"(.*?)\s*\(([^()]*)\)\s*", heading)
    if not found:
        return heading.strip(), None
    # A micro sign that another program has mangled: no other sign stands in these headings.
    unit = found.group(2).strip().replace("Âµ", "µ").replace("\ufffd", "µ")
    return found.group(1).strip(), unit


def unit_of(text: str) -> tuple[str, bool]:
    """A unit as Pint spells it, and whether it is known; an unknown one comes back verbatim.

    ``mJ/mole-K`` is per mole and per kelvin; ``Ohm-cm`` is a product.
    """
    if text.casefold() in _DIMENSIONLESS:
        return "", True
    if text in _WHOLE:
        return _WHOLE[text], True
    below = False
    above: list[str] = []
    under: list[str] = []
    for piece in re.split(r"(/)", text):
        if piece == "/":
            below = True
            continue
        for word in re.split(r"[-*·]", piece):
            unit = _word(word.strip())
            if unit is None:
                known = normalise(text)
                return (text, False) if known is None else (known, True)
            (under if below else above).append(unit)
    unit = "*".join(above) or "1"
    if not under:
        return unit, True
    return f"{unit}/{under[0]}" if len(under) == 1 else f"{unit}/({'*'.join(under)})", True


def _word(word: str) -> str | None:
    found = _PART.match(word)
    if found is None:
        return None
    name, power = found.group(1).replace("µ", "u").replace("μ", "u"), found.group(2)
    # Mangled micro signs have been replaced before; upper and lower case matter only where both are units.
    name = (
        _WORDS.get(name.casefold(), name)
        if name not in ("T", "K", "C", "m", "V")
        else {"C": "degC"}.get(name, name)
    )
    if name.casefold().endswith(("amps", "ohms")) and len(name) > 4:
        name = name[:-4] + ("A" if name.casefold().endswith("amps") else "ohm")
    if not _PLAIN.fullmatch(name):
        return None
    return f"{name}**{power}" if power and power != "1" else name


def unwritten_unit(name: str) -> str | None:
    """The unit of a column whose heading has none, where it can only be one."""
    return _UNWRITTEN.get(re.sub(r"_\d\Z", "", name))


def is_alternating(headings: list[str]) -> bool:
    """Whether the columns are those of an alternating moment: M' and M'' stand among them."""
    return {"M'", "M''"} <= {split_heading(heading)[0] for heading in headings}


def name_of(quantity: str, taken: set[str], alternating: bool = False) -> str:
    """The vocabulary's name for a heading, or one made of it; a number is put to one that is taken."""
    plain = " ".join(quantity.casefold().split())
    name = _ALTERNATING.get(plain, "") if alternating else ""
    name = name or _NAMES.get(plain, "") or _WITHOUT_STOPS.get(plain.replace(".", ""), "")
    if not name:
        for pattern, base in _NUMBERED:
            if found := pattern.fullmatch(plain):
                name = f"{base}_{found.group(1)}"
                break
    name = name or make_name(re.sub("''|\"", " imaginary", plain).replace("'", " real "))
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name[:58]}_{count}"
    return free
