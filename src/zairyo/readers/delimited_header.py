"""What the lines around a table say: keys and values, conditions with units, sample, start."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from zairyo.measurement import Quantity
from zairyo.measurement.techniques import conditions
from zairyo.readers._api import ReadError
from zairyo.readers.delimited_description import ConditionFrom, Description, Moment, Text
from zairyo.readers.delimited_text import parse_moment

_WITH_UNIT = re.compile(r"(?P<number>[+-]?[\d.,]+(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\d\s].{0,20})?\Z")
#: What stands for a unit in text exports and is none that a measure is in.
_SPELLINGS = {"#": "", "scans": "", "%T": "percent", "%R": "percent", "oC": "degC", "Ang": "angstrom"}
#: A length of scattering, no current.
_SPELLINGS |= dict.fromkeys(("1/A", "A^-1", "A-1", "A^(-1)"), "1/angstrom")


def header_of(d: Description, lines: Sequence[str]) -> dict[str, Any]:
    """Every key and value outside the tables; a key that comes again has a list of values."""
    result: dict[str, Any] = {}
    for line in lines:
        for pattern in d.header:
            for m in pattern.finditer(line):
                key, value = m["key"].strip(), m["value"].strip()
                if "unit" in m.re.groupindex and m["unit"]:
                    key = f"{key} [{m['unit'].strip()}]"
                if key in result:
                    before = result[key]
                    result[key] = [*before, value] if isinstance(before, list) else [before, value]
                else:
                    result[key] = value
    return result


def look_up(header: Mapping[str, Any], key: str) -> str:
    """The value of a key, whatever the case and whether or not a unit in brackets follows the key."""
    wanted = key.casefold()
    for name, value in header.items():
        bare = re.sub(r"\s*\[[^\]]*\]\Z", "", name)
        if wanted in (name.casefold(), bare.casefold()):
            return str(value[0] if isinstance(value, list) else value)
    return ""


def _unit_of_key(header: Mapping[str, Any], key: str) -> str | None:
    for name in header:
        m = re.fullmatch(re.escape(key) + r"\s*\[([^\]]*)\]", name, re.IGNORECASE)
        if m:
            return m[1]
    return None


def _match(pattern: re.Pattern[str], lines: Sequence[str]) -> re.Match[str] | None:
    return next((m for line in lines if (m := pattern.search(line))), None)


def text_of(place: Text | Moment, header: Mapping[str, Any], lines: Sequence[str]) -> str:
    if place.key:
        return look_up(header, place.key)
    m = _match(place.line, lines) if place.line else None
    return m["value"].strip() if m else ""


def started_of(
    place: Moment, header: Mapping[str, Any], lines: Sequence[str], warnings: list[str]
) -> datetime | None:
    value = text_of(place, header, lines)
    if not value:
        return None
    clock = look_up(header, place.time) if place.time else ""
    if clock:
        value = f"{value} {clock}"
    try:
        return parse_moment(place.drop.sub("", value) if place.drop else value, place.formats)
    except ReadError as e:
        warnings.append(f"The start is not known: {e}.")
        return None


def conditions_of(
    d: Description, header: Mapping[str, Any], lines: Sequence[str], warnings: list[str]
) -> dict[str, Quantity]:
    known = conditions(d.technique)
    result: dict[str, Quantity] = {}
    for place in d.conditions:
        value, unit = _condition_text(place, header, lines)
        if not value:
            continue
        if known[place.name].unit is None:
            result[place.name] = Quantity(value)
            continue
        m = _WITH_UNIT.match(value)
        try:
            number = float(m["number"].replace(",", ".")) if m else float("x")
        except ValueError:
            result[place.name] = Quantity(value)
            warnings.append(
                f"{place.name} is not a number in the file and is kept as written: {value[:40]!r}."
            )
            continue
        stated = unit or (m["unit"] if m else None)
        result[place.name] = Quantity(number, unit_of(d, stated, warnings) if stated else place.unit)
    return result


def _condition_text(
    place: ConditionFrom, header: Mapping[str, Any], lines: Sequence[str]
) -> tuple[str, str | None]:
    if place.key:
        return look_up(header, place.key), _unit_of_key(header, place.key)
    m = _match(place.line, lines) if place.line else None
    if m is None:
        return "", None
    return m["value"].strip(), m["unit"] if "unit" in m.re.groupindex else None


def unit_of(d: Description, stated: str | None, warnings: list[str]) -> str | None:
    """A unit as Pint spells it; kept as written, with a warning, if it is unknown."""
    if stated is None:
        return None
    stated = stated.strip().strip("[]()").strip()
    for known in (d.units, _SPELLINGS):
        if stated in known:
            return known[stated]
    from zairyo.measurement import units

    unit = units.normalise(stated)
    if unit is None:
        warnings.append(f"The unit {stated[:40]!r} is not known and is kept as written.")
    return stated if unit is None else unit
