"""What Scienta's programs (SES, PEAK) say in every of their formats: ``key=value`` lines, axes, conditions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, MeasurementError, Quantity, Signal, tidy_metadata
from zairyo.readers._api import ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._photoemission import Floats, energy_axis, known, unit_of
from zairyo.readers._tokens import amount, number, unique, word

_TITLE_AND_UNIT = re.compile(r"(.*?)\s*\[([^\]]*)\]\s*\Z", re.S)
_SECTION = re.compile(r"\[([^\]]+)\]\s*\Z")
_TIMES = (
    "%Y-%m-%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%y %H:%M:%S",
    "%d/%m/%y %H:%M:%S",
    "%m/%d/%y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%a, %b %d, %Y %I:%M:%S %p",
)
_ULTRAVIOLET_EV = 100.0
_ENERGIES = ("binding_energy", "kinetic_energy")
_AXES = {
    "binding energy": "binding_energy",
    "kinetic energy": "kinetic_energy",
    "energy": "kinetic_energy",
    "photon energy": "photon_energy",
    "excitation energy": "photon_energy",
    "y-scale": "angle",
    "angle": "angle",
    "thetax": "angle",
    "theta x": "angle",
    "x angle": "angle",
    "thetay": "deflection_angle",
    "theta y": "deflection_angle",
    "y angle": "deflection_angle",
    "iteration": "scan",
    "point": "point",
    "position": "position",
}
_DATA_UNITS = {"a.u.": "arb", "counts": "counts", "counts/s": "count/s", "cps": "count/s"}


def sections(text: str) -> dict[str, dict[str, Any]]:
    """``[Section]`` headings with ``key=value`` lines; a line without '=' is kept under its number."""
    found: dict[str, dict[str, Any]] = {}
    own = found.setdefault("", {})
    for raw in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = raw.strip()
        if heading := _SECTION.match(line):
            own = found.setdefault(heading[1].strip(), {})
        elif line:
            key, equals, value = line.partition("=")
            own[key.strip() if equals else f"line {len(own) + 1}"] = value.strip() if equals else line
    return {name: lines for name, lines in found.items() if lines or name}


def axis(title: str, values: Floats, taken: set[str], warnings: list[str]) -> Axis:
    """An axis from its title, ``Kinetic Energy [eV]``; its name is taken from now on."""
    match = _TITLE_AND_UNIT.match(title.strip())
    label, token = (match[1], match[2]) if match else (title.strip(), "")
    unit = unit_of(token, f"the axis {label!r}", warnings)
    name = _AXES.get(label.casefold())
    if label.casefold() == "y-scale" and unit in ("mm", "um", "m"):
        name = "position"
    return Axis(unique(name or label, taken, "axis"), values, unit, label)


def is_energy(title: str) -> bool:
    """Whether an axis of this title, ``Kinetic Energy [eV]``, is the energy of the electrons."""
    match = _TITLE_AND_UNIT.match(title.strip())
    return match is not None and _AXES.get(match[1].casefold()) in _ENERGIES


def intensity_unit(stated: str, warnings: list[str]) -> str | None:
    """The unit of the intensity from what a wave calls it: ``Counts [a.u.]``."""
    match = _TITLE_AND_UNIT.match(stated.strip())
    token = (match[2] if match else stated).strip()
    return _DATA_UNITS.get(token.casefold()) or unit_of(token, "the intensity", warnings)


def entry(
    name: str,
    axes: Sequence[Axis],
    values: NDArray[Any],
    unit: str | None,
    info: Mapping[str, str],
    metadata: Mapping[str, Any],
    taken: set[str],
    warnings: list[str],
    others: Iterable[str] = (),
) -> Entry:
    """One region: ``values`` over ``axes``; the energy is made the last of them.

    A spectrum over kinetic energies gets the binding energy for its axis where the excitation energy is stated;
    an angle-resolved map keeps the energies that its user chose. ``others`` are dates of other regions, which may
    tell whether the day or the month stands first.
    """
    excitation = number(info.get("Excitation Energy"))
    place = next((i for i, a in enumerate(axes) if a.name in _ENERGIES), len(axes) - 1)
    values = np.moveaxis(values, place, -1)
    axes = [*axes[:place], *axes[place + 1 :], axes[place]]
    energy = axes[-1]
    beside: tuple[Signal, ...] = ()
    resolved = any(a.name in ("angle", "deflection_angle") for a in axes)
    if resolved:
        technique = "arpes"
    else:
        technique = "ups" if excitation is not None and 0 < excitation < _ULTRAVIOLET_EV else "xps"
        if energy.name == "kinetic_energy" and energy.unit == "eV":
            energy, beside = energy_axis(energy.values, excitation, technique)
    axes = (*axes[:-1], energy)
    try:
        return Entry(
            name=unique(name, taken, "region"),
            technique=technique,
            axes=axes,
            signals=(Signal("intensity", values, unit, tuple(a.name for a in axes), "Intensity"), *beside),
            title=name,
            conditions=known(_conditions(info, energy)),
            original_metadata=tidy_metadata(metadata),
            started=started(info, warnings, others),
        )
    except MeasurementError as e:
        raise ReadError(f"region {name}: the parts do not fit together: {e}") from None


def _conditions(info: Mapping[str, str], energy: Axis) -> dict[str, Quantity | None]:
    steps = np.abs(np.diff(energy.values))
    milliseconds = number(info.get("Step Time"))
    seconds = number(info.get("Dwell Time [s]"))
    sweeps = number(info.get("Number of Sweeps"))
    excitation = number(info.get("Excitation Energy"))
    return {
        "excitation_energy": amount(excitation, "eV")
        if excitation
        else None,  # 0: the beam line did not tell
        "excitation_source": word(info.get("Excitation Source")),
        "pass_energy": amount(info.get("Pass Energy"), "eV"),
        "energy_step": Quantity(float(f"{np.median(steps):.9g}"), "eV") if len(steps) else None,
        "dwell_time": Quantity(milliseconds / 1000, "s") if milliseconds else amount(seconds, "s"),
        "repetitions": Quantity(int(sweeps), "") if sweeps and sweeps >= 1 else None,
        "analysed_region": word(info.get("Region Name")),
        "lens_mode": word(info.get("Lens Mode")),
        "acquisition_mode": word(info.get("Acquisition Mode")),
        "detector_mode": word(info.get("DetectorMode") or info.get("Detector Mode")),
        "work_function": amount(info.get("Work Function"), "eV"),
        "analyser": word(info.get("Instrument")),
        "comment": word((info.get("Comments") or "").strip(";").strip()),
    }


def started(
    info: Mapping[str, str], warnings: list[str] | None = None, others: Iterable[str] = ()
) -> datetime | None:
    """The moment that ``Date`` and ``Time`` say, by the instrument's clock."""
    return in_forms(f"{info.get('Date', '')} {info.get('Time', '')}", _TIMES, warnings, others)


def about(infos: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Title, sample, instrument and operator, where all regions agree."""

    def one(*keys: str) -> str:
        values = {next((info[k] for k in keys if info.get(k)), "") for info in infos}
        return values.pop() if len(values) == 1 else ""

    return {
        "title": one("Spectrum Name"),
        "sample": one("Sample"),
        "instrument": one("Instrument"),
        "operator": one("User"),
    }
