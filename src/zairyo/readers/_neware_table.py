"""What every Neware file becomes: one table of records, whatever version of the format it came from.

The modules that know the layouts fill :class:`Records`; here the records are sorted, counted and named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement.model import Entry, Quantity, Signal, table
from zairyo.readers._api import ReadError

Array = NDArray[Any]

#: Code of a step → its name in the vocabulary. Codes 21 and 22 of BTS 9 mean 27 and 26 here.
STEP_TYPES = {
    0: "undefined",
    1: "cc_charge",
    2: "cc_discharge",
    3: "cv_charge",
    4: "rest",
    5: "loop",
    6: "end",
    7: "cccv_charge",
    8: "cp_discharge",
    9: "cp_charge",
    10: "cr_discharge",
    11: "cr_charge",
    12: "resistance",
    13: "pause",
    16: "pulse",
    17: "simulation",
    18: "pcccv_charge",
    19: "cv_discharge",
    20: "cccv_discharge",
    21: "control",
    22: "open_circuit",
    23: "sub_step",
    24: "follow",
    25: "ramp",
    26: "cpcv_discharge",
    27: "cpcv_charge",
    28: "crcv_discharge",
    29: "crcv_charge",
    30: "cyclic_voltammetry",
}
CHARGING = tuple(code for code, name in STEP_TYPES.items() if name.endswith("_charge"))
DISCHARGING = tuple(code for code, name in STEP_TYPES.items() if name.endswith("_discharge"))

#: Column → unit and label. The order is that of the table.
_COLUMNS = {
    "index": ("", "Record"),
    "cycle": ("", "Cycle, as the tester counted"),
    "cycle_charge_first": ("", "Cycle, counted from each charge after a discharge"),
    "step": ("", "Step, counted"),
    "step_index": ("", "Step of the protocol"),
    "step_type": (None, "Step type"),
    "time": ("s", "Time"),
    "step_time": ("s", "Time in step"),
    "timestamp": (None, "Date and time"),
    "voltage": ("V", "Voltage"),
    "current": ("mA", "Current"),
    "charge_capacity": ("mAh", "Charge capacity"),
    "discharge_capacity": ("mAh", "Discharge capacity"),
    "charge_energy": ("mWh", "Charge energy"),
    "discharge_energy": ("mWh", "Discharge energy"),
}


@dataclass
class Records:
    """Columns of one length, named as in the table, before they are sorted and counted.

    ``step_type`` holds codes. ``changes`` are columns that change when a new step begins; ``step`` is counted
    from them. ``utc`` says whether ``timestamp`` is universal time or the tester's own clock. ``extra`` are
    columns beyond the usual ones: name → (values, unit, label).
    """

    columns: dict[str, Array]
    changes: tuple[Array, ...] = ()
    utc: bool = False
    extra: dict[str, tuple[Array, str | None, str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.columns["index"])


def current_scale(ranges: Array) -> NDArray[np.float64]:
    """Milliamperes (mA s, mW s) that one count means in a current range.

    A positive code is the range in mA; a negative one marks a tester with finer counts.
    """
    size = np.abs(ranges.astype(np.int64))
    coarse = np.select([size < 10, size < 100, size < 1000], [1e-4, 1e-3, 1e-2], 1e-1)
    fine = np.select(
        [size < 10, size < 100, size < 1000, size < 10**6, size < 10**7, size < 10**8],
        [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0],
        10.0,
    )
    return np.where(ranges == 0, 1e-1, np.where(ranges < 0, fine, coarse))


def count_changes(*columns: Array) -> NDArray[np.uint32]:
    """1 at the first row, one more at each row where any of the columns changes; shape as theirs."""
    changed = np.zeros(len(columns[0]), bool)
    changed[:1] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return np.cumsum(changed).astype(np.uint32)


def split_by_direction(amount: Array, step_type: Array, current: Array) -> tuple[Array, Array]:
    """An unsigned capacity or energy → its charge and its discharge part, by step type, else by current."""
    charging = np.isin(step_type, CHARGING)
    undecided = ~charging & ~np.isin(step_type, DISCHARGING)
    charging |= undecided & (current > 0)
    discharging = ~charging & (~undecided | (current < 0))
    amount = np.abs(amount)
    return np.where(charging, amount, 0.0), np.where(discharging, amount, 0.0)


def civil_time(records: Array) -> Array:
    """Fields year, month, day, hour, minute, second → ``datetime64[s]``; NaT where they are no date."""
    valid = (
        (records["month"] >= 1) & (records["month"] <= 12) & (records["day"] >= 1) & (records["day"] <= 31)
    )
    valid &= (records["hour"] < 24) & (records["minute"] < 60) & (records["second"] < 61)
    months = (records["year"].astype(np.int64) - 1970) * 12 + np.where(valid, records["month"], 1) - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]") + (records["day"].astype(np.int64) - 1)
    seconds = (
        records["hour"].astype(np.int64) * 3600
        + records["minute"].astype(np.int64) * 60
        + records["second"].astype(np.int64)
    )
    times: Array = days.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    times[~valid] = np.datetime64("NaT")
    return times


def unix_time(seconds: Array) -> Array:
    """Seconds since 1970 → ``datetime64[ms]``; NaT where zero, not finite or beyond the year 9999."""
    seconds = np.asarray(seconds, np.float64)
    valid = (seconds > 0) & (seconds < 253402300800)
    times: Array = np.rint(np.where(valid, seconds, 0) * 1000).astype(np.int64).astype("datetime64[ms]")
    times[~valid] = np.datetime64("NaT")
    return times


def _sort(records: Records) -> Records:
    """Order by record number, first of each number only."""
    index = records.columns["index"]
    if len(index) < 2 or bool(np.all(index[1:] > index[:-1])):
        return records
    _, rows = np.unique(index, return_index=True)
    doubles = len(index) - len(rows)
    if doubles:
        records.warnings.append(
            f"{doubles} records have a number that another has; the first of each is kept."
        )
    return Records(
        {name: values[rows] for name, values in records.columns.items()},
        tuple(values[rows] for values in records.changes),
        records.utc,
        {name: (values[rows], unit, label) for name, (values, unit, label) in records.extra.items()},
        records.warnings,
    )


def _time_from_steps(step: Array, step_time: Array) -> NDArray[np.float64]:
    """Time since the start: the longest time of each step so far, added up, plus the time in the step."""
    starts = np.flatnonzero(np.diff(step, prepend=step[0] - 1))
    known = np.nan_to_num(step_time)
    longest = np.maximum.reduceat(known, starts)
    before = np.concatenate(([0.0], np.cumsum(longest)[:-1]))
    return np.asarray(step_time + np.repeat(before, np.diff(starts, append=len(step))))


def _time_in_step(step: Array, time: Array) -> NDArray[np.float64]:
    """Time since the last record of the step before."""
    starts = np.flatnonzero(np.diff(step, prepend=step[0] - 1))
    before = np.concatenate(([0.0], np.maximum.reduceat(time, starts)[:-1]))
    return np.asarray(time - np.repeat(before, np.diff(starts, append=len(step))))


def _cycles_charge_first(step_type: Array) -> NDArray[np.uint32]:
    """1, and one more at each charge that follows a discharge: how the vendor's software counts by default."""
    direction = np.zeros(len(step_type), np.int8)
    direction[np.isin(step_type, CHARGING)] = 1
    direction[np.isin(step_type, DISCHARGING)] = -1
    rows = np.flatnonzero(direction)
    turns = rows[1:][(direction[rows][1:] == 1) & (direction[rows][:-1] == -1)]
    starts = np.zeros(len(step_type), np.uint32)
    starts[turns] = 1
    return (np.cumsum(starts) + 1).astype(np.uint32)


def _step_names(codes: Array) -> Array:
    names = [STEP_TYPES.get(code, f"type_{code}") for code in range(int(codes.max(initial=0)) + 1)]
    return np.array(names)[codes]


def make_entry(
    records: Records,
    *,
    title: str = "",
    started: datetime | None = None,
    conditions: dict[str, Quantity] | None = None,
) -> tuple[Entry, list[str]]:
    """The table of a test, and what had to be decided.

    Parameters
    ----------
    records
        At least ``index``, ``voltage`` and ``current``.
    started
        When the file names it; else the first record's time stamp.

    Raises
    ------
    ReadError
        There is no record.
    """
    if not len(records):
        raise ReadError(
            "The file holds no record: the test was stopped before the first one, or it is cut off."
        )
    records = _sort(records)
    columns, warnings = dict(records.columns), records.warnings
    missing = int(columns["index"][-1]) - int(columns["index"][0]) + 1 - len(records)
    if missing:
        warnings.append(f"{missing} record numbers between the first and the last are missing from the file.")
    if records.changes:
        columns["step"] = count_changes(*records.changes)
    if "step" in columns:
        if "step_time" in columns and "time" not in columns:
            columns["time"] = _time_from_steps(columns["step"], columns["step_time"])
        elif "time" in columns and "step_time" not in columns:
            columns["step_time"] = _time_in_step(columns["step"], columns["time"])
    if "step_type" in columns:
        codes = columns["step_type"]
        unknown = sorted({int(c) for c in np.unique(codes)} - STEP_TYPES.keys())
        if unknown:
            warnings.append(
                f"Step types {unknown} are not known; they are named type_{unknown[0]} and so on."
            )
        columns["cycle_charge_first"] = _cycles_charge_first(codes)
        columns["step_type"] = _step_names(codes)
    if "cycle" not in columns and "cycle_charge_first" in columns:
        columns["cycle"] = columns["cycle_charge_first"]
        warnings.append(
            "The file holds no cycle numbers; a new cycle is counted at each charge after a discharge."
        )
    if "time" not in columns or not np.isfinite(columns["time"]).any():
        raise ReadError("The records hold no time; the file is cut off or of a version not known here.")
    conditions = dict(conditions or {})
    if "cycle" in columns:
        conditions.setdefault("cycle_count", Quantity(int(columns["cycle"].max()), ""))
    known = columns["time"][np.isfinite(columns["time"])]
    conditions.setdefault("duration", Quantity(float(known.max() - known.min()), "s"))
    entry = table(
        "cycling",
        "battery_cycling",
        _signals(columns, records),
        x="time",
        default="voltage",
        title=title,
        started=started or _first_time(columns.get("timestamp"), records.utc),
        conditions=conditions,
    )
    return entry, warnings


def _signals(columns: dict[str, Array], records: Records) -> list[Signal]:
    signals = []
    for name, (unit, label) in _COLUMNS.items():
        if name in columns:
            if name == "timestamp" and records.utc:
                label = "Date and time (UTC)"
            signals.append(Signal(name, _frozen(columns[name]), unit, long_name=label))
    for name, (values, unit, label) in records.extra.items():
        signals.append(Signal(name, _frozen(values), unit, long_name=label))
    return signals


def _frozen(values: Array) -> Array:
    """Contiguous, native and read-only, so that the standard form need not copy it."""
    values = np.ascontiguousarray(values)
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    if values.base is None:
        values.flags.writeable = False
    return values


def _first_time(times: Array | None, utc: bool) -> datetime | None:
    if times is None:
        return None
    known = times[~np.isnat(times)][:1]
    if not len(known):
        return None
    first: datetime = known.astype("datetime64[us]")[0].item()
    return first.replace(tzinfo=UTC) if utc else first
