"""Headers of Bruker's NanoScope files: sections of keys, values with their scales, numbers' units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from zairyo.readers import _spm

#: ``[soft scale] (hard scale) hard value`` of a value; ``[internal name] "external name"`` of a choice.
_VALUE = re.compile(r"V\s*(?:\[([^\]]*)\])?\s*(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\))?\s*([-+.\deE]+)\s*(.*)")
CHOICE = re.compile(r'S\s*(?:\[([^\]]*)\])?\s*(?:"([^"]*)")?')
_PER = re.compile(r"(.+?)/(log\([^()]*\)|[^/()*]+)")
_PREFIXES = {"m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "k": 1e3}
_SPELLINGS = {"~m": "um", "º": "deg", "°": "deg", "": ""}
Section = dict[str, str]


@dataclass(frozen=True)
class Value:
    """A number with its unit, the name of what turns it into another unit, and what a whole number stands for."""

    number: float
    unit: str
    sensitivity: str
    step: str = ""

    def of_one_step(self) -> Value | None:
        """The value of one step, from ``0.000375 V/LSB``; None where the file does not give it."""
        number, _, unit = self.step.strip().partition(" ")
        size = _spm.number(number)
        told = bool(size) and unit.strip().endswith("/LSB")
        return Value(size or 0.0, unit.strip().removesuffix("/LSB"), self.sensitivity) if told else None


def parse_sections(text: str) -> list[tuple[str, Section]]:
    """The sections in order, names and keys in lower case, without ``@`` and the number of a group."""
    found: list[tuple[str, Section]] = []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("\\*"):
            found.append((line[2:].strip().casefold(), {}))
        elif line.startswith("\\") and found:
            key, _, value = line[1:].partition(": ")
            group, colon, rest = line[2:].partition(":") if line.startswith("\\@") else ("", "", "")
            if colon and group.isdecimal():
                key, _, value = rest.partition(": ")
            found[-1][1].setdefault(key.lstrip("@").rstrip(":").strip().casefold(), value.strip())
    return found


def metadata_of(sections: list[tuple[str, Section]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, section in sections:
        key, number = name, 1
        while key in told:
            number += 1
            key = f"{name} {number}"
        told[key] = section
    return told


def count_of(image: Section, key: str, default: int, most: int) -> int:
    text = image.get(key, "")
    return int(text) if text.isdecimal() and 0 < int(text) <= most else default


def value_of(text: str) -> Value | None:
    match = _VALUE.match(text)
    number = _spm.number(match[3]) if match else None
    return (
        None
        if match is None or number is None
        else Value(number, match[4].strip(), (match[1] or "").strip(), match[2] or "")
    )


def calibrated(scale: Value, settings: Section, label: str, warnings: list[str]) -> tuple[float, str | None]:
    """The range in the unit that the sensitivity gives; in volts where there is none."""
    sensitivity = value_of(settings.get(scale.sensitivity.casefold(), "")) if scale.sensitivity else None
    if sensitivity is None or not sensitivity.unit:
        factor = sensitivity.number if sensitivity is not None else 1.0
        return scale.number * factor, unit_of(scale.unit, label, warnings)
    per = _PER.fullmatch(sensitivity.unit) or re.fullmatch(r"(.+)\*(Arb)", sensitivity.unit)
    if per is not None:
        prefix = scale.unit.removesuffix(per[2])
        if scale.unit.endswith(per[2]) and (not prefix or prefix in _PREFIXES):
            factor = scale.number * sensitivity.number * _PREFIXES.get(prefix, 1.0)
            return factor, unit_of(per[1], label, warnings)
    warnings.append(
        f"{label!r} is scaled from {scale.unit!r} by {sensitivity.unit!r}, which do not fit; it is kept in "
        f"{scale.unit!r}."
    )
    return scale.number, unit_of(scale.unit, label, warnings)


def unit_of(text: str, label: str, warnings: list[str]) -> str | None:
    text = _SPELLINGS.get(text.strip(), text.strip())
    if text.casefold() == "arb":
        return "arb"
    return _spm.known_unit(text, f"channel {label!r}", warnings)


def lengths_of(text: str) -> tuple[list[float], str]:
    """``505.859 505.859 nm``: the numbers, and their unit."""
    words = text.split()
    numbers = [n for n in map(_spm.number, words) if n is not None]
    unit = words[-1] if words and _spm.number(words[-1]) is None else "nm"
    return numbers, _SPELLINGS.get(unit, unit)
