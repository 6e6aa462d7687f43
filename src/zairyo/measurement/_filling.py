"""Which fields of NeXus' application definitions an entry fills, and which are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from zairyo.measurement import definitions as d
from zairyo.measurement import units
from zairyo.measurement.model import Axis, Entry, Measurement, Signal
from zairyo.measurement.techniques import conditions as vocabulary


@dataclass(frozen=True)
class Link:
    """A further name for what is at ``target`` below the entry, which gets the attribute ``type`` if one is given."""

    target: str
    type: str = ""


@dataclass(frozen=True)
class Value:
    """A small dataset."""

    value: Any


class GroupOnly:
    """A group that need not hold anything."""


Step = Link | Value | GroupOnly


@dataclass
class Filling:
    """What is written for the definitions of an entry.

    Attributes
    ----------
    steps
        What to make, by path below the entry.
    claimed
        The definition that is complete, or None.
    data
        Attributes of the NXdata, of the definition claimed.
    missing
        For each definition, the required fields that the measurement does not say.
    """

    steps: dict[str, Step] = field(default_factory=dict)
    claimed: d.Definition | None = None
    data: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)


#: Of measurements with more entries none is filled: what it adds would be a large part of the file.
_MOST_ENTRIES = 1000


def fill(entry: Entry, measurement: Measurement) -> Filling:
    """What the entry fills of its technique's definitions."""
    filling = Filling()
    if len(measurement) > _MOST_ENTRIES:
        return filling
    for definition in d.definitions(entry.technique):
        steps: dict[str, Step] = {}
        missing = []
        for wanted in definition.fields:
            if isinstance(wanted.source, d.There):
                found: Step | bool | None = _is_there(wanted.path, entry, measurement)
            else:
                found = _step(wanted, entry, measurement)
            if found is None or found is False:
                if not wanted.optional and _is_needed(wanted, entry, measurement):
                    missing.append(wanted.path)
            elif found is not True:
                steps[wanted.path] = found
        filling.missing[definition.name] = missing
        filling.steps = steps | filling.steps
        if not missing and filling.claimed is None:
            filling.claimed = definition
            filling.data = _data_attributes(definition, entry, steps)
    return filling


def _is_there(path: str, entry: Entry, measurement: Measurement) -> bool:
    """Whether the file has in this place what any standard-form file has there."""
    said = {
        "title": True,  # the entry's name, if it has no title
        "start_time": entry.started is not None,
        "sample/name": bool(measurement.sample),
        "user/name": bool(measurement.operator),
    }
    return said[path]


def _is_needed(wanted: d.Field, entry: Entry, measurement: Measurement) -> bool:
    if not wanted.beside:
        return True
    if wanted.beside == "sample" and measurement.sample:
        return True
    places = vocabulary(entry.technique)
    return any(places[c].nexus.startswith(f"{wanted.beside}/") for c in entry.conditions if c in places)


def _step(wanted: d.Field, entry: Entry, measurement: Measurement) -> Step | None:
    """What is to be made for a field; None if the measurement does not say it."""
    source = wanted.source
    match source:
        case d.Of(condition):
            return Link(f"conditions/{condition}") if _is_usable(entry, condition) else None
        case d.Word(of, words):
            patterns = tuple(words.items())
            texts = (_text(name, entry, measurement) for name in of)
            return next((Value(word) for t in texts if t and (word := _word(t, patterns))), None)
        case d.True_(value, given):
            return Value(value) if not given or given in entry.conditions else None
        case d.Group():
            return GroupOnly()
        case d.Count(axis):
            part = None if entry.is_table else _named(entry, axis)
            return Value(len(part.values)) if isinstance(part, Axis) else None
        case d.Array() | d.Uncertainty() | d.Unmasked():
            return None if entry.is_table else _array(wanted.path, source, entry)
    return None


def _array(path: str, source: d.Array | d.Uncertainty | d.Unmasked, entry: Entry) -> Step | None:
    folder, _, name = path.rpartition("/")
    found: Step | None = None
    called = ""
    if isinstance(source, d.Unmasked):
        found = Value(np.zeros(entry.signal.values.shape, np.uint8))
        if isinstance(mask := _named(entry, "mask"), Signal) and mask.axes == entry.signal.axes:
            return Link("data/mask") if mask.values.dtype.kind in "biu" else None
    elif isinstance(source, d.Uncertainty):
        if entry.signal.uncertainty is not None:
            called = f"{entry.default}_errors"
    else:
        names = source.names or (entry.default,)
        part = next((p for n in names if (p := _named(entry, n)) is not None), None)
        if part is not None and part.values.dtype.kind in source.kinds:
            called = part.name
            found = Link(f"data/{called}", source.types.get(called, ""))
    if called and found is None:
        found = Link(f"data/{called}")
    # A name of the entry's own is not taken from it.
    if folder == "data" and name != called and _is_used(entry, name):
        return None
    return found


def _is_used(entry: Entry, name: str) -> bool:
    """Whether an array of the entry has this name in the file, or this is the name of its uncertainty."""
    return any(_named(entry, own) is not None for own in (name, name.removesuffix("_errors")))


def _named(entry: Entry, name: str) -> Signal | Axis | None:
    parts: tuple[Signal | Axis, ...] = (*entry.signals, *entry.axes)
    return next((part for part in parts if part.name == name), None)


def _is_usable(entry: Entry, condition: str) -> bool:
    """Whether a condition is there, as a number in a unit of the usual dimension where it is a number."""
    quantity = entry.conditions.get(condition)
    usual = vocabulary(entry.technique).get(condition)
    if quantity is None or usual is None:
        return False
    if usual.unit is None:
        return isinstance(quantity.value, str) and bool(quantity.value)
    is_number = isinstance(quantity.value, (int, float)) and not isinstance(quantity.value, bool)
    return is_number and (quantity.unit == usual.unit or _is_alike(quantity.unit, usual.unit))


def _is_alike(unit: str | None, usual: str) -> bool:
    return unit is not None and units.same_dimension(unit, usual)


def _text(of: str, entry: Entry, measurement: Measurement) -> str:
    if of == "instrument":
        return measurement.instrument
    if of == "signal":
        return entry.default
    quantity = entry.conditions.get(of)
    return quantity.value if quantity is not None and isinstance(quantity.value, str) else ""


@lru_cache(maxsize=4096)
def _word(text: str, words: tuple[tuple[str, str], ...]) -> str:
    return next((word for pattern, word in words if re.search(pattern, text, re.IGNORECASE)), "")


def _data_attributes(definition: d.Definition, entry: Entry, steps: Mapping[str, Step]) -> dict[str, Any]:
    """The NXdata's attributes that the definition asks for, besides those that any NXdata has."""
    found: dict[str, Any] = dict(definition.data)
    if definition.signal:
        found["signal"] = definition.signal
    called = dict(_axis_names(steps))
    axes = entry.signal.axes
    found |= {f"{called[name]}_indices": i for i, name in enumerate(axes) if name in called}
    if definition.axes:
        found[definition.axes] = np.array([called.get(name, name) for name in axes])
    return found


def _axis_names(steps: Mapping[str, Step]) -> Iterator[tuple[str, str]]:
    """What the definition calls an array, by our name."""
    for path, step in steps.items():
        folder, _, name = path.rpartition("/")
        if folder == "data" and isinstance(step, Link):
            yield step.target.removeprefix("data/"), name
