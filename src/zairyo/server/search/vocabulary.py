"""What can be compared with a number: conditions and signals of all techniques, by their one name."""

from __future__ import annotations

from functools import cache

from zairyo.measurement import units
from zairyo.measurement.techniques import COMMON, TECHNIQUES, Condition, Named, conditions


def _names() -> dict[str, list[Condition | Named]]:
    found: dict[str, list[Condition | Named]] = {}
    for condition in COMMON:
        found.setdefault(condition.name, []).append(condition)
    for key in TECHNIQUES:
        for condition in conditions(key).values():
            found.setdefault(condition.name, []).append(condition)
    for technique in TECHNIQUES.values():
        for signal in technique.signals:
            found.setdefault(signal.name, []).append(signal)
    return found


#: Each name with how the techniques declare it: conditions first, those common to all before the others.
NAMES = _names()
#: Names of conditions, as opposed to signals and axes.
CONDITION_NAMES = frozenset(n for n, declared in NAMES.items() if isinstance(declared[0], Condition))


@cache
def usual_unit(name: str, dimension: str | None = None) -> str | None:
    """The unit it is usually shown in, among those of a dimension if one is given; None if there is none."""
    for declared in NAMES.get(name, ()):
        if declared.unit is not None and dimension in (None, _dimension(declared.unit)):
            return declared.unit
    return None


@cache
def known_names() -> tuple[str, ...]:
    """Every name that can be compared with a number."""
    return tuple(sorted(name for name in NAMES if usual_unit(name) is not None))


def _dimension(unit: str) -> str | None:
    found = units.to_si(1.0, unit)
    return None if found is None else found[1]
