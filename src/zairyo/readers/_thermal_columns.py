"""What thermal analysers call their channels, and which technique their channels tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

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

#: One heading stands for several things, which its unit tells apart: name by the heading, unit → name.
_BY_UNIT = tuple(
    (name, re.compile(unit), meant)
    for name, unit, meant in (
        ("mass", r"percent|%", "relative_mass"),
        ("mass_change", r"percent|%", "relative_mass_change"),
        ("heat_flow", r"[mµu]?W/[mµuk]?g", "specific_heat_flow"),
        ("specific_heat_flow", r"[mµu]?W", "heat_flow"),
        ("heat_flow", r"[mµu]?V/[mµuk]?g", "dsc_signal_per_mass"),
        ("heat_flow", r"[mµu]?V", "dsc_signal"),
        ("heat_flow", r"[mk]?J/\(?[mk]?g\s*\*\s*K\)?|[mk]?J/[mk]?g/K", "specific_heat_capacity"),
        ("specific_heat_capacity", r"[mk]?J/(K|°C|degC)", "heat_capacity"),
        ("length_change", r"percent|%", "strain"),
    )
)

_HEAT = ("specific_heat_flow", "heat_flow", "unsubtracted_heat_flow")
_MASS = ("mass", "relative_mass")


def spelt(unit: str | None) -> str | None:
    """A unit whose degree sign was lost between code pages (``øC``, ``›C``, ``C``) as degrees Celsius."""
    return "degC" if unit is not None and re.fullmatch(r"[^A-Za-z0-9/%]?C", unit.strip()) else unit


def named_by_unit(signals: Sequence[Signal]) -> list[Signal]:
    """The signals by what their units say: a mass in percent is relative, a heat flow in W/g is per mass."""
    made: list[Signal] = []
    taken = {s.name for s in signals}
    for signal in signals:
        unit = signal.unit or ""
        meant = next((m for name, u, m in _BY_UNIT if name == signal.name and u.fullmatch(unit)), "")
        if meant and meant not in taken:
            taken.add(meant)
            signal = replace(signal, name=meant)
        made.append(signal)
    return made


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
    others = [n for n in names if n not in (x, "time")] or [n for n in names if n != x]
    return x, next((n for n in wanted if n in names), (others or [x])[0])
