"""The signal of a DSC run, as much per mass as is known, and the parts of the run it is looked at in."""

from __future__ import annotations

from dataclasses import dataclass

from zairyo.descriptors._api import CannotDescribe, Parameter
from zairyo.descriptors._numeric import Numbers, column, condition, first
from zairyo.descriptors._thermal import Segment, segments
from zairyo.measurement import Entry

TECHNIQUES = ("dsc", "sta", "dta")
SEGMENT = Parameter(
    "segment", "Part of the run (heating_1, cooling_1 …); all if none", "区間（heating_1など）", kind="text"
)
MASS = Parameter(
    "sample_mass", "Sample mass; the stated one if none", "試料質量（なければ記載値）", unit="mg"
)


@dataclass(frozen=True)
class Heat:
    """A DSC signal: values, what its integral over time is called, and in which unit."""

    values: Numbers
    name: str
    unit: str | None
    warnings: tuple[str, ...] = ()


def heat_of(entry: Entry, mass_mg: float | None) -> Heat:
    """Heat flow per mass if it can be had; else of the whole sample; else the sensor's voltage."""
    mass = mass_mg or condition(entry, "sample_mass", "mg")
    if first(entry, "specific_heat_flow"):
        return Heat(column(entry, "specific_heat_flow", "W/g"), "transition_enthalpy", None)
    if first(entry, "heat_flow"):
        values = column(entry, "heat_flow", "mW")
        if mass:
            return Heat(values / mass, "transition_enthalpy", None)
        warning = "The sample's mass is not stated: heat is given, not enthalpy per mass; give sample_mass."
        return Heat(values, "transition_heat", None, (warning,))
    name = first(entry, "dsc_signal_per_mass", "dsc_signal", "thermocouple_voltage")
    if not name:
        have = ", ".join(s.name for s in entry.signals)
        raise CannotDescribe(f"entry {entry.name} has no heat flow and no DSC signal; it has {have}")
    warning = "The signal is a voltage without a sensitivity: areas are given, not enthalpies."
    if name == "dsc_signal_per_mass":
        return Heat(column(entry, name, "uV/mg"), "transition_area", "uV*s/mg", (warning,))
    values = column(entry, name, "uV")
    if mass:
        return Heat(values / mass, "transition_area", "uV*s/mg", (warning,))
    return Heat(values, "transition_area", "uV*s", (warning,))


def scans(entry: Entry, heat: Heat, chosen: str | None) -> list[Segment]:
    """The heating and cooling parts, or the chosen one."""
    parts = segments(entry, heat.values)
    scans = [s for s in parts if s.kind != "isothermal"]
    if chosen:
        scans = [s for s in scans if s.name == chosen]
        if not scans:
            raise CannotDescribe(f"the run has no part {chosen!r}; it has {', '.join(s.name for s in parts)}")
    if not scans:
        raise CannotDescribe("the temperature does not change in this run; there is nothing to find over it")
    return scans
