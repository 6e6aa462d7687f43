"""What EC-Lab computes when it shows a file, and the entries that a table of records becomes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Quantity
from zairyo.readers._electrochemistry import Columns, first_of, make_entry

Array = NDArray[Any]


def add_loops(columns: Columns, starts: list[int]) -> None:
    """A column that counts the loops, from the records at which they begin."""
    if len(starts) > 1 and "loop" not in columns:
        rows = np.arange(len(columns.signals[0].values))
        loops = np.searchsorted(starts, rows, side="right") - 1
        columns.add("loop", np.maximum(loops, 0).astype(np.uint32), "", "Loop")


def add_derived(columns: Columns, warnings: list[str]) -> None:
    """Columns that EC-Lab shows and does not store: averages' plain names, current, capacities and cycles.

    The current of galvanostatic cycling is stored as charge since the record before; over the time since the
    record before it is the average current that EC-Lab shows. Charge and discharge capacity are the positive and
    the negative half of the half cycle's charge; a cycle is two half cycles.
    """
    for signal in columns.signals:
        plain = signal.name.removesuffix("_average")
        if (
            plain != signal.name
            and plain in ("voltage", "current", "current_density", "counter_voltage")
            and plain not in columns
        ):
            columns.rename(signal.name, plain)
    if "current" not in columns and "charge_increment" in columns and "time" in columns:
        steps = np.diff(columns["time"], prepend=np.nan)
        current = np.full(len(steps), np.nan)
        moved = columns["charge_increment"] * 3600
        np.divide(moved, steps, out=current, where=steps > 0)
        current[(columns["charge_increment"] == 0) & np.isnan(current)] = 0.0
        columns.add("current", current, "mA", "<I>, from dq and time")
        warnings.append(
            "The file stores no current; it is the charge of each record over the time since the record before."
        )
    if "half_cycle_capacity" in columns:
        amount = columns["half_cycle_capacity"]
        unit = next(s.unit for s in columns.signals if s.name == "half_cycle_capacity")
        if "charge_capacity" not in columns and "discharge_capacity" not in columns:
            columns.add("charge_capacity", np.maximum(amount, 0.0), unit, "Q charge, in the half cycle")
            columns.add(
                "discharge_capacity", np.maximum(-amount, 0.0), unit, "Q discharge, in the half cycle"
            )
    if "cycle" not in columns and "half_cycle" in columns:
        columns.add("cycle", columns["half_cycle"] // 2, "", "Cycle number, from half cycles")


def _impedance_of(columns: Columns) -> Columns | None:
    """The records of impedance spectra among others, with real and imaginary part; None if there are none."""
    if not first_of(("frequency",), columns) or not first_of(("z_real", "z_modulus"), columns):
        return None
    rows = columns["frequency"] > 0
    if not rows.any():
        return None
    found = Columns()
    for s in columns.signals:
        found.add(s.name, s.values[rows], s.unit, s.long_name)
    _complete(found)
    return found


def _complete(columns: Columns) -> None:
    """Real and imaginary part out of modulus and phase, where a file holds only these."""
    if "z_real" in columns or "z_modulus" not in columns or "z_phase" not in columns:
        return
    modulus, phase = columns["z_modulus"].astype(float), np.deg2rad(columns["z_phase"].astype(float))
    columns.add("z_real", modulus * np.cos(phase), "ohm", "Re(Z), from |Z| and phase")
    columns.add("z_imaginary", modulus * np.sin(phase), "ohm", "Im(Z), from |Z| and phase")


def entries_of(
    technique: str,
    columns: Columns,
    title: str,
    started: datetime | None,
    conditions: Mapping[str, Quantity],
) -> tuple[Entry, ...]:
    """The table of all records and, where it holds impedance spectra among others, a second one of these."""
    if technique == "eis":
        _complete(columns)
    main = make_entry("data", technique, columns, title=title, started=started, conditions=conditions)
    spectra = None if technique == "eis" else _impedance_of(columns)
    if spectra is None:
        return (main,)
    return main, make_entry("impedance", "eis", spectra, title="Impedance spectra", started=started)
