"""What lists, search and pages need to know of a measurement without opening its file: plain JSON."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np

from zairyo.measurement.model import Array, Axis, Entry, Measurement, Quantity, Signal
from zairyo.measurement.techniques import TECHNIQUES


def summarise(measurement: Measurement) -> dict[str, Any]:
    """Everything but the arrays and the original metadata, as JSON.

    ``entries`` are as :func:`summarise_entry` gives them; ``thumbnail`` is SVG path data or a PNG.
    """
    from zairyo.measurement.thumbnail import thumbnail

    return {
        "title": measurement.title,
        "technique": measurement.technique,
        "sample": measurement.sample,
        "operator": measurement.operator,
        "instrument": measurement.instrument,
        "started": _text(measurement.started),
        "default": measurement.default,
        "entries": [summarise_entry(entry) for entry in measurement.entries],
        "warnings": list(measurement.warnings),
        "thumbnail": thumbnail(measurement[measurement.default]),
    }


def summarise_entry(entry: Entry) -> dict[str, Any]:
    """One entry: its arrays' names, units, shapes and ranges, and its conditions."""
    technique = TECHNIQUES.get(entry.technique)
    reversed_axes = technique.reversed_axes if technique else ()
    return {
        "name": entry.name,
        "title": entry.title,
        "technique": entry.technique,
        "is_table": entry.is_table,
        "x": entry.x,
        "default": entry.default,
        "started": _text(entry.started),
        "axes": [] if entry.is_table else [_axis(a, a.name in reversed_axes) for a in entry.axes],
        "signals": [_signal(s, s.name in reversed_axes) for s in entry.signals],
        "conditions": [_condition(name, q) for name, q in entry.conditions.items()],
    }


def _axis(axis: Axis, is_reversed: bool) -> dict[str, Any]:
    ends = [_plain(v) for v in axis.values[[0, -1]]] if len(axis.values) else [None, None]
    return {
        "name": axis.name,
        "unit": axis.unit,
        "label": axis.label,
        "size": len(axis.values),
        "reversed": is_reversed,
        "first": ends[0],
        "last": ends[1],
    }


def _signal(signal: Signal, is_reversed: bool) -> dict[str, Any]:
    low, high = value_range(signal.values)
    return {
        "name": signal.name,
        "unit": signal.unit,
        "label": signal.label,
        "dtype": signal.values.dtype.kind,
        "shape": list(signal.values.shape),
        "axes": list(signal.axes),
        "reversed": is_reversed,
        "min": low,
        "max": high,
    }


def value_range(values: Array) -> tuple[float | None, float | None]:
    """Smallest and largest finite value of numbers (of the magnitude, if complex), or None where there is none."""
    if values.size == 0 or values.dtype.kind not in "iufc":
        return None, None
    real = np.abs(values) if values.dtype.kind == "c" else values
    low, high = float(real.min()), float(real.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = real[np.isfinite(real)]
        if finite.size == 0:
            return None, None
        low, high = float(finite.min()), float(finite.max())
    return low, high


def _condition(name: str, quantity: Quantity) -> dict[str, Any]:
    value = quantity.value
    return {
        "name": name,
        "value": _plain(value),
        "unit": quantity.unit,
        "uncertainty": _plain(quantity.uncertainty),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item() if value.dtype.kind != "M" else str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, complex):
        return str(value)
    if type(value) is int and value.bit_length() > 63:  # more than databases and browsers count with
        value = float(value) if value.bit_length() < 1024 else math.inf
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
