"""An entry as an ``xarray.Dataset`` or a pandas DataFrame, units in ``attrs``. Both may be changed freely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.measurement.arrays import Array
from zairyo.measurement.model import Axis, Entry, Signal

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

_KNOWN_TIMES = ("s", "ms", "us", "ns")
#: Length of NumPy's units of time; of a year and a month on average.
_SECONDS = {
    "Y": 31556952.0, "M": 2629746.0, "W": 604800.0, "D": 86400.0, "h": 3600.0, "m": 60.0,
    "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15, "as": 1e-18,
}  # fmt: skip


def entry_to_xarray(entry: Entry) -> xr.Dataset:
    """Signals as variables over the axes as coordinates; uncertainties as ``<signal>_errors``.

    ``attrs`` of a variable hold ``units`` and ``long_name``, those of the dataset the entry's name, title,
    technique, start and, as text, its conditions. A table's ``x`` is a coordinate along ``row``.
    """
    import xarray as xr

    coordinates = {a.name: ((a.name,), _index(a), _attributes(a)) for a in entry.axes}
    variables: dict[str, Any] = {}
    for signal in entry.signals:
        variables[signal.name] = (signal.axes, _values(signal.values), _attributes(signal))
        if signal.uncertainty is not None:
            units = {"units": signal.unit} if signal.unit else {}
            variables[f"{signal.name}_errors"] = (signal.axes, _values(signal.uncertainty), units)
    dataset = xr.Dataset(variables, coordinates, _about(entry))
    return dataset.set_coords(entry.x) if entry.is_table else dataset


def entry_to_pandas(entry: Entry) -> pd.DataFrame:
    """A table's columns; else one row a point, indexed by the axes of the default signal.

    Signals over fewer of these axes are repeated; a signal over another axis has no place in the frame and
    is named in ``df.attrs["left_out"]``. ``df.attrs["units"]`` maps columns and index names to units.
    """
    import pandas as pd

    axes: tuple[Axis, ...] = tuple(a for n in entry.signal.axes for a in entry.axes if a.name == n)
    over = tuple(a.name for a in axes)
    shape = tuple(len(a.values) for a in axes)
    columns: dict[str, Array] = {}
    units: dict[str, str | None] = {a.name: a.unit for a in axes}
    left_out = []
    for signal in entry.signals:
        if not set(signal.axes) <= set(over):
            left_out.append(signal.name)
            continue
        columns[signal.name] = _spread(signal.values, signal.axes, over, shape)
        units[signal.name] = signal.unit
        if signal.uncertainty is not None:
            columns[f"{signal.name}_errors"] = _spread(signal.uncertainty, signal.axes, over, shape)
            units[f"{signal.name}_errors"] = signal.unit
    index: Any = None
    if len(axes) > 1:
        index = pd.MultiIndex.from_product([_index(a) for a in axes], names=over)
    elif axes and not entry.is_table:
        index = pd.Index(_index(axes[0]), name=over[0])
    frame = pd.DataFrame(columns, index=index)
    frame.attrs = {**_about(entry), "units": units, "left_out": left_out}
    return frame


def _spread(values: Array, axes: tuple[str, ...], over: tuple[str, ...], shape: tuple[int, ...]) -> Array:
    """Values over some of the axes, in any order, as a flat column over all of them."""
    ordered = values.transpose([axes.index(a) for a in over if a in axes])
    full = ordered.reshape([n if a in axes else 1 for a, n in zip(over, shape, strict=True)])
    return _values(np.broadcast_to(full, shape).reshape(-1))


def _index(axis: Axis) -> Array:
    values = _values(axis.values)
    return values.astype(np.float32) if values.dtype == np.float16 else values  # pandas indexes no float16


def _values(values: Array) -> Array:
    """A copy; times in a unit that pandas knows, or as text where none holds them exactly."""
    if values.dtype.kind != "M":
        return values.copy()
    unit, count = np.datetime_data(values.dtype)
    if count == 1 and unit in _KNOWN_TIMES:
        return values.copy()
    if unit == "generic":  # it holds nothing but NaT
        return np.full(values.shape, "NaT", "M8[s]")
    held = (_converted(values, known) for known in _KNOWN_TIMES)
    return next((times for times in held if times is not None), values.astype(np.str_))


def _converted(values: Array, unit: str) -> Array | None:
    """The same times in another unit, or None if it cannot hold them exactly."""
    there = ~np.isnat(values)
    old, count = np.datetime_data(values.dtype)
    about = values[there].view(np.int64).astype(float) * (count * _SECONDS[old] / _SECONDS[unit])
    if np.abs(about).max(initial=0.0) > 9e18:
        return None  # NumPy would wrap around without a word
    try:
        converted: Array = values.astype(f"M8[{unit}]")
        exact = np.array_equal(converted.astype(values.dtype)[there], values[there])
    except OverflowError:  # the two units are too far apart for any value
        return None
    return converted if exact else None


def _attributes(part: Axis | Signal) -> dict[str, str]:
    attributes = {"long_name": part.long_name or part.name.replace("_", " ")}
    return attributes if part.unit is None else {**attributes, "units": part.unit}


def _about(entry: Entry) -> dict[str, Any]:
    about = {"entry": entry.name, "title": entry.title, "technique": entry.technique}
    if entry.started is not None:
        about["started"] = entry.started.isoformat()
    return about | {f"condition_{name}": str(q) for name, q in entry.conditions.items()}
