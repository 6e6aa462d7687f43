"""What the files of all cyclers and potentiostats become: a table with one set of names, signs and plots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Quantity, Signal, make_name, table, units
from zairyo.measurement.text import clean_text
from zairyo.readers._api import ReadError

Array = NDArray[Any]

#: Technique → what a person of the field plots: along, and up; the first of each that the table has.
_PLOTS = {
    "eis": (("z_real", "frequency"), ("z_imaginary", "z_modulus")),
    "cyclic_voltammetry": (
        ("voltage", "voltage_average", "time"),
        ("current", "current_average", "current_density"),
    ),
    "linear_sweep_voltammetry": (
        ("voltage", "voltage_average", "time"),
        ("current", "current_average", "current_density"),
    ),
    "chronoamperometry": (
        ("time", "step_time"),
        ("current", "current_average", "current_density", "voltage"),
    ),
}
_USUAL_PLOT = (
    ("time", "step_time", "specific_capacity", "capacity", "index"),
    ("voltage", "voltage_average", "cell_voltage", "current"),
)
#: The same of a table with a row a cycle, or a row a step.
PLOT_OF_CYCLES = (("cycle", "step", "total_cycle"), ("discharge_capacity", "charge_capacity", "capacity"))
#: How vendors write units that the common table reads otherwise, or not at all.
_UNITS = {
    "mA.h": "mAh", "A.h": "Ah", "µA.h": "uAh", "nA.h": "nAh", "W.h": "Wh", "mW.h": "mWh", "µW.h": "uWh",
    "Amps": "A", "Amp": "A", "Volts": "V", "Volt": "V", "Ohms": "ohm", "Secs": "s", "Sec": "s", "sec": "s",
    "Seconds": "s", "Watt-hr": "Wh", "Amp-hr": "Ah", "AHr": "Ah", "WHr": "Wh", "hrs": "h", "Min": "min",
    "Mins": "min", "oC": "degC", "C/F": "degC", "Deg C": "degC", "°": "deg", "Degrees": "deg",
}  # fmt: skip


class Columns:
    """The columns of a table in their order, each with a name that no other has.

    Attributes
    ----------
    signals
        What was added, without axes: :func:`make_entry` sets them.
    warnings
        Sentences for people; a unit that is not known is told once.
    """

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.warnings: list[str] = []
        self._places: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def __getitem__(self, name: str) -> Array:
        return self.signals[self._places[name]].values

    def rename(self, name: str, other: str) -> None:
        """Give a column another name, which none has."""
        at = self._places[other] = self._places.pop(name)
        self.signals[at] = replace(self.signals[at], name=other)

    def add(self, name: str, values: Array, unit: str | None, label: str = "") -> None:
        """Add a column; a name already taken gets a number."""
        own, count = name, 1
        while own in self:
            count += 1
            own = f"{name[:59]}_{count}"
        values = np.ascontiguousarray(values)
        if not values.dtype.isnative:
            values = values.astype(values.dtype.newbyteorder("="))
        if values.base is None:
            values.flags.writeable = False  # so that the standard form need not copy it
        self._places[own] = len(self.signals)
        self.signals.append(Signal(own, values, unit, long_name=clean_text(label)))

    def started(self) -> datetime | None:
        """The first known moment in the column ``timestamp``; None if there is none, or its cells are no dates."""
        times = self["timestamp"] if "timestamp" in self else np.array([])
        known = times[~np.isnat(times)][:1] if times.dtype.kind == "M" else times[:0]
        first = known[0].astype("datetime64[us]").item() if len(known) else None
        return first if isinstance(first, datetime) else None  # NumPy's years go below 1

    def unit(self, written: str | None, of: str = "") -> str | None:
        """A unit as Pint spells it; as written, with a warning, if it is not known; None if there is none."""
        if written is None or not written.strip():
            return None
        written = clean_text(written.strip())[:100]
        known = _UNITS.get(written) or units.normalise(written)
        if known is None:
            sentence = f"The unit {written!r} of {of!r} is not known and is kept as it stands."
            if sentence not in self.warnings:
                self.warnings.append(sentence)
        return written if known is None else known


def name_of(quantity: str, known: Mapping[str, str]) -> str:
    """The vocabulary's name of a heading's quantity, or one made of its words."""
    return known.get(quantity) or make_name(quantity, "column")


def first_of(names: Iterable[str], columns: Columns) -> str:
    """The first of ``names`` that is a column of numbers with at least one in it, or nothing."""
    for name in names:
        if name in columns and columns[name].dtype.kind in "iuf" and np.isfinite(columns[name]).any():
            return name
    return ""


def time_from_moments(columns: Columns) -> None:
    """Seconds since the first record, where a table has dates but only the time within each step."""
    stamps = columns["timestamp"] if "timestamp" in columns and "time" not in columns else np.array([])
    if stamps.dtype.kind == "M" and len(stamps) and not np.isnat(stamps).any() and stamps[-1] > stamps[0]:
        columns.add("time", (stamps - stamps[0]) / np.timedelta64(1, "s"), "s", "Time, from the dates")


def split_by_direction(columns: Columns) -> None:
    """Capacity and energy of the step, in charge and in discharge: by the step's type, else by the current's sign."""
    if "step_type" in columns and columns["step_type"].dtype.kind == "U":
        kinds = columns["step_type"]
        discharging = np.char.endswith(kinds, "discharge")
        charging = np.char.endswith(kinds, "charge") & ~discharging
    elif "current" in columns and columns["current"].dtype.kind == "f":
        charging, discharging = columns["current"] > 0, columns["current"] < 0
    else:
        return
    for amount in ("capacity", "energy"):
        if amount not in columns or f"charge_{amount}" in columns:
            continue
        signal = next(s for s in columns.signals if s.name == amount)
        if signal.values.dtype.kind != "f":
            continue
        for way, rows in (("charge", charging), ("discharge", discharging)):
            values = np.where(rows, np.abs(signal.values), 0.0)
            columns.add(
                f"{way}_{amount}", values, signal.unit, f"{amount} of the step, in {way}".capitalize()
            )


def make_entry(
    name: str,
    technique: str,
    columns: Columns,
    *,
    title: str = "",
    started: datetime | None = None,
    conditions: Mapping[str, Quantity] | None = None,
    metadata: Mapping[str, Any] | None = None,
    plot: tuple[tuple[str, ...], tuple[str, ...]] | None = None,
) -> Entry:
    """The entry of a table, with the plot its technique has and the conditions its columns tell.

    ``plot`` names columns to plot along and up, the first that are there, instead of the technique's.

    Raises
    ------
    ReadError
        No column holds a number.
    """
    along, up = plot or _PLOTS.get(technique, _USUAL_PLOT)
    numbers = [s.name for s in columns.signals if s.values.dtype.kind in "iuf"]
    x = first_of((*along, *_USUAL_PLOT[0], *numbers), columns)
    default = first_of((*(n for n in (*up, *_USUAL_PLOT[1], *numbers) if n != x), x), columns)
    if not default:
        raise ReadError("The table holds no number; the file is cut off, or nothing was measured.")
    found = dict(conditions or {})
    for condition, quantity in _told(columns).items():
        found.setdefault(condition, quantity)
    return table(
        name,
        technique,
        columns.signals,
        x=x,
        default=default,
        title=title,
        started=started,
        conditions=found,
        original_metadata=dict(metadata or {}),
    )


def _told(columns: Columns) -> dict[str, Quantity]:
    """Duration, cycles and range of frequencies."""
    found = {}
    if first_of(("time",), columns):
        known = columns["time"][np.isfinite(columns["time"])]
        unit = next(s.unit for s in columns.signals if s.name == "time")
        found["duration"] = Quantity(float(known.max() - known.min()), unit)
    if first_of(("cycle",), columns):
        most = float(np.nanmax(columns["cycle"]))
        if 0 < most < 1e9 and most.is_integer():
            found["cycle_count"] = Quantity(int(most), "")
    if first_of(("frequency",), columns):
        known = columns["frequency"][columns["frequency"] > 0]
        if known.size and first_of(("z_real", "z_modulus"), columns):
            found["frequency_maximum"] = Quantity(float(known.max()), "Hz")
            found["frequency_minimum"] = Quantity(float(known.min()), "Hz")
    return found
