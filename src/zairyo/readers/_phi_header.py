"""The text half of a PHI file: its lines, the regions they define, the layers of a depth profile."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from zairyo.measurement import Quantity
from zairyo.readers._photoemission import Floats, unit_of
from zairyo.readers._tokens import amount, number, word

_NUMBER = r"([-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)"
#: index, switched on, name, atomic number, points, step, start, end, two limits of the peak, seconds a point,
#: pass energy, what the profile is made of. A name may have blanks.
_REGION = re.compile(
    r"(\d+)\s+\S+\s+(.+?)\s+(\d+)\s+(\d+)" + rf"\s+{_NUMBER}" * 7 + r"(?:\s+(\S+))?\s*\Z", re.ASCII
)
#: index, name, first cycle, two numbers, ion, minutes in all, minutes a cycle, cycles, the gun's setting and its
#: voltage in kV ... the gun.
_LAYER = re.compile(
    rf"\d+\s+(.+?)\s+(\d+)\s+{_NUMBER}\s+{_NUMBER}\s+(\S+)\s+{_NUMBER}\s+{_NUMBER}\s+(\d+)"
    rf"(?:\s+'([^']*)'\s+{_NUMBER}(?:\s.*?(\S+))?)?\s*\Z",
    re.ASCII,
)
_VALUE_WITH_UNIT = re.compile(rf"{_NUMBER}\s*\(?([^\W\d][^\s()]*)?\)?\s*\Z")


@dataclass(frozen=True)
class Region:
    """An energy region: ``start`` … ``end`` in eV, ``seconds`` a point over all sweeps."""

    number: int
    name: str
    points: int
    step: float
    start: float
    end: float
    seconds: float
    pass_energy: float
    sweeps: int | None
    metadata: dict[str, Any]


class Lines:
    """The header: ``all`` its keys with their texts, lists where a key comes several times."""

    def __init__(self, text: str) -> None:
        self.all: dict[str, Any] = {}
        for line in text.splitlines()[1:]:
            key, colon, value = line.partition(":")
            key, value = key.strip(), value.strip()
            if not key or not (colon or value):
                continue
            if key in self.all:
                old = self.all[key]
                self.all[key] = [*old, value] if isinstance(old, list) else [old, value]
            else:
                self.all[key] = value

    def text(self, key: str) -> str:
        value = self.all.get(key, "")
        return str(value[0] if isinstance(value, list) else value).strip()

    def each(self, key: str) -> list[str]:
        value = self.all.get(key, [])
        return list(value) if isinstance(value, list) else [value]

    def quantity(self, key: str, unit: str | None, warnings: list[str]) -> Quantity | None:
        """A number with the unit that stands behind it, or ``unit`` where none does."""
        stated = self.text(key)
        found = _VALUE_WITH_UNIT.match(stated)
        if not found:
            if stated and stated.casefold() not in ("none", "n/a"):
                warnings.append(
                    f"{key} should be a number, but is {stated[:40]!r}; it is kept as metadata only."
                )
            return None
        return amount(found[1], unit_of(found[2], key, warnings) or unit)


def regions(lines: Lines, warnings: list[str]) -> dict[int, Region]:
    """The regions that were measured, by the number that the records name them with."""
    sweeps = {}
    for line in lines.each("SpectralRegDef2"):
        tokens = line.split()
        if len(tokens) > 2 and tokens[0].isdigit() and tokens[2].isdigit():
            sweeps[int(tokens[0])] = int(tokens[2])
    found: dict[int, Region] = {}
    for line in lines.each("SpectralRegDef"):
        match = _REGION.match(line)
        if match is None:
            warnings.append(f"The region {line[:60]!r} is not written as usual; its energies are not known.")
            continue
        index, name = int(match[1]), match[2]
        step, start, end, _, _, seconds, pass_energy = (float(t) for t in match.groups()[4:11])
        metadata = {
            key: own[0] if len(own) == 1 else own
            for key in lines.all
            if key.startswith("SpectralReg") and not key.endswith("Full")
            if (own := [text for text in lines.each(key) if text.split()[:1] == [str(index)]])
        }
        found[index] = Region(
            index, name, int(match[4]), step, start, end, seconds, pass_energy, sweeps.get(index), metadata
        )
    return found


def sputter_minutes(lines: Lines, cycles: int) -> Floats | None:
    """Sputter time before each cycle from the layers' definitions, min; None if they do not add up to it."""
    times = [0.0] * max(int(number(lines.text("NoPreSputterCyc")) or 0), 1)
    for line in lines.each("DepthCalDef"):
        match = _LAYER.match(line)
        if match is None or int(match[8]) > cycles:
            return None
        times += [times[-1] + float(match[7]) * (i + 1) for i in range(int(match[8]))]
    return np.array(times) if len(times) == cycles else None


def conditions(lines: Lines, warnings: list[str]) -> dict[str, Quantity | None]:
    """What holds for the whole file."""
    source = lines.text("XraySource") or lines.text("UVSource")
    element, energy, *rest = [*source.split(), "", ""]
    told: dict[str, Quantity | None] = {
        "excitation_energy": amount(energy, "eV"),
        "excitation_source": word(" ".join([element, *rest])) if number(energy) else word(source),
        "source_power": lines.quantity("XrayPower", "W", warnings),
        "source_voltage": lines.quantity("XRayBeamVoltage", "V", warnings),
        "beam_width_x": (diameter := lines.quantity("XrayBeamDiameter", "um", warnings)),
        "beam_width_y": diameter,
        "work_function": lines.quantity("AnalyserWorkFcn", "eV", warnings),
        "analyser_mode": word(lines.text("AnalyserMode")),
        "scan_mode": word(lines.text("XpsScanMode")),
        "charge_neutraliser": word(lines.text("EgunNeutMode")),
        "tilt_angle": lines.quantity("DefectPosTilt", "deg", warnings),
        "software_version": word(lines.text("SoftwareVersion")),
    }
    layers = [m for m in map(_LAYER.match, lines.each("DepthCalDef")) if m]
    if layers:
        told["sputter_mode"] = word(lines.text("SputterMode"))
        for name, part, unit in (
            ("sputter_ion", 5, None),
            ("sputter_energy", 10, "keV"),
            ("sputter_gun", 11, None),
        ):
            stated = {m[part] for m in layers}
            if len(stated) == 1:  # layers may be sputtered differently
                token = stated.pop()
                told[name] = amount(token, unit) if unit else word(token)
    return told


def started(lines: Lines) -> datetime | None:
    """The day of the acquisition; the format has no time of day."""
    try:
        year, month, day = (int(t) for t in lines.text("AcqFileDate").split()[:3])
        return datetime(year, month, day)
    except ValueError:
        return None
