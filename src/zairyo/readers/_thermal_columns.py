"""What thermal analysers call their channels, and which technique their channels tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zairyo.measurement import Signal
from zairyo.readers._text_export import rules

#: Headings (whole, without their unit) → names of the vocabulary. The first that fits wins.
COLUMNS = rules(
    (r"(step |segment |total )?time|zeit|時間", "time"),
    (r"(sample )?temp(erature|\.)?( ts)?|ts|probentemperatur|試料温度|温度", "temperature"),
    (r"(program|programme|set) ?(temp(erature|\.)?)|program temperature|tp", "program_temperature"),
    (r"reference temp(erature|\.)?|tr|参照温度", "reference_temperature"),
    (r"normalized heat flow|heat flow \(?normalized\)?|heat flow normalized", "specific_heat_flow"),
    (r"rev(ersing)?\.? heat flow( \(?normalized\)?)?", "reversing_heat_flow"),
    (r"non-?rev(ersing)?\.? heat flow( \(?normalized\)?)?", "nonreversing_heat_flow"),
    (r"unsubtracted heat flow", "unsubtracted_heat_flow"),
    (r"baseline heat flow", "baseline_heat_flow"),
    (r"heat flow( \(?(t[1-4]p?|endo up|exo up)\)?)?|dsc|wärmestrom|熱流", "heat_flow"),
    (r"(rev(ersing)? )?(specific )?(cp|heat capacity)( \(?normalized\)?)?", "specific_heat_capacity"),
    (r"(unsubtracted )?weight|mass|sample (weight|mass)|tg|masse|質量|重量", "mass"),
    (r"weight change|mass change", "mass_change"),
    (r"weight \(?%\)?|weight percent|tg%", "relative_mass"),
    (r"deriv(ative)?\.? weight( change)?|dtg", "mass_loss_rate"),
    (r"temperature difference|dta|delta t|温度差", "temperature_difference"),
    (r"dimension change|displacement|length change|probe position|tma|寸法変化|変位", "length_change"),
    (r"(static )?force|load|荷重", "force"),
    (r"(sample |approx\.? )?(purge|gas)( gas)? flow( rate)?|purge flow", "purge_gas_flow"),
    (r"heat(ing)? rate", "heating_rate"),
)  # fmt: skip

_HEAT = ("specific_heat_flow", "heat_flow", "unsubtracted_heat_flow")
_MASS = ("mass", "relative_mass")


def technique_of(names: Iterable[str], words: str = "") -> str:
    """The technique that the channels tell, and where they tell none, what the instrument is called."""
    found = set(names)
    heat, mass = bool(found & {*_HEAT, "temperature_difference"}), bool(found & set(_MASS))
    if heat and mass:
        return "sta"
    if mass:
        return "tga"
    if "length_change" in found and not heat:
        return "tma"
    if "temperature_difference" in found and not found & set(_HEAT):
        return "dta"
    return "tga" if not heat and "TGA" in words.upper() else "dsc"


def plot_of(signals: Sequence[Signal], technique: str) -> tuple[str, str]:
    """Names to draw along and to draw: over temperature where there is one, else over time."""
    names = [s.name for s in signals if s.values.dtype.kind in "iuf"]
    wanted = {
        "tga": (*_MASS, "mass_change"),
        "sta": (*_MASS, *_HEAT),
        "tma": ("length_change",),
        "dta": ("temperature_difference",),
    }.get(technique, _HEAT)
    x = next((n for n in ("temperature", "program_temperature", "time") if n in names), names[0])
    return x, next((n for n in wanted if n in names), next((n for n in names if n != x), x))
