"""What microscopes' metadata are made of: texts with numbers in them, evenly spaced positions, lengths in metres."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Quantity, clean_text, make_name
from zairyo.measurement.units import normalise

_NUMBER = re.compile(r"\s*([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*\Z", re.DOTALL)

#: A field of the vendor's → our condition, the unit it is in, and what to multiply by (to reach that unit).
Table = Mapping[str, tuple[str, str | None, float]]


def number(text: Any) -> float | None:
    """A finite number out of a value or text, the decimal mark a point or a comma; None if it is none."""
    value = split_number(text)
    return value[0] if value and not value[1] else None


def split_number(text: Any) -> tuple[float, str] | None:
    """``"5.00 kV"`` as 5.0 and ``"kV"``; None if it does not begin with a finite number."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return (float(text), "") if abs(text) < math.inf else None
    found = _NUMBER.match(text) if isinstance(text, str) else None
    if not found:
        return None
    value = float(found[1].replace(",", "."))
    return (value, found[2]) if math.isfinite(value) else None


def quantity(text: Any, unit: str | None = None, factor: float = 1.0) -> Quantity | None:
    """A value of the vendor's as a quantity: a number where ``unit`` is given, else text; None if it is empty.

    A unit that the text itself names goes before ``unit``, which is then what the vendor usually writes.
    """
    if unit is None:
        words = clean_text(str(text)).strip() if text is not None else ""
        return Quantity(words) if words else None
    found = split_number(text)
    if found is None:
        return None
    value, said = found
    if said and (known := normalise(said)) is not None:
        return Quantity(value, known)
    return None if said and said.casefold() not in ("x",) else Quantity(value * factor, unit)


def conditions(table: Table, value_of: Callable[[str], Any]) -> dict[str, Quantity]:
    """The conditions of ``table`` that ``value_of`` its fields has; the first field that says one counts."""
    found: dict[str, Quantity] = {}
    for field, (name, unit, factor) in table.items():
        value = quantity(value_of(field), unit, factor)
        if value is not None:
            found.setdefault(name, value)
    return found


def positions(first: float, step: float, size: int) -> NDArray[np.float64]:
    """``size`` evenly spaced positions from ``first``; shape (size,)."""
    return np.asarray(first + step * np.arange(size), np.float64)


def even_axis(name: str, first: float, step: float, size: int, unit: str | None, long_name: str = "") -> Axis:
    """An axis of evenly spaced positions; pixel numbers if the calibration is none (zero or not a number)."""
    if not (math.isfinite(first) and math.isfinite(step) and step and math.isfinite(first + step * size)):
        return Axis(name, np.arange(size), "pixel", long_name)
    return Axis(name, positions(first, step, size), unit, long_name)


def length_scale(steps: Iterable[float]) -> tuple[float, str]:
    """How to write lengths given in metres: a factor and the unit, by the smallest step."""
    smallest = min((abs(s) for s in steps if s and math.isfinite(s)), default=1e-9)
    for limit, factor, unit in ((2e-7, 1e9, "nm"), (2e-4, 1e6, "um"), (0.2, 1e3, "mm")):
        if smallest < limit:
            return factor, unit
    return 1.0, "m"


def free_name(text: str, taken: set[str], fallback: str = "image") -> str:
    """A NeXus name out of ``text`` that is not in ``taken``, which then holds it."""
    name = base = make_name(text, fallback)[:55]
    count = 1
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name
