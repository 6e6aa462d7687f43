"""Battery cycling: capacities, energies, efficiencies, mean voltages of each complete cycle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.descriptors._api import CannotDescribe, Found, Method, Parameter, Region, Term
from zairyo.descriptors._numeric import Numbers, column, condition, has
from zairyo.measurement import Entry

#: A half of a cycle that has less than this share of the other is no full half: a formation step, a short test.
_ONE_SIDED = 0.2
#: A half that ends this share of the voltage window away from where the others end was stopped before.
_STOPPED = 0.03
_MOST_TOLD = 10
#: The vendor's capacity and the integral of the current are told apart from here.
_DISAGREE = 0.02


@dataclass(frozen=True)
class _Records:
    """Columns of the records that are whole, and the increments since the record before."""

    cycle: Numbers
    voltage: Numbers
    current: Numbers
    time: Numbers | None
    charge: Numbers  # mAh
    discharge: Numbers
    charge_energy: Numbers  # mWh
    discharge_energy: Numbers
    integrated: tuple[Numbers, Numbers] | None
    energy_counted: bool


def _increments(total: Numbers) -> Numbers:
    """What was added since the record before, of a counter that may be set back to zero at any record."""
    step = np.diff(total, prepend=total[:1])
    reset = (step < 0) & (total < 0.5 * np.concatenate([total[:1], total[:-1]]))
    return np.where(reset, total, step)


def _records(entry: Entry, cycle_column: str) -> _Records:
    cycle = column(entry, cycle_column, "")
    voltage, current = column(entry, "voltage", "V"), column(entry, "current", "mA")
    time = column(entry, "time", "s", unstated=True) if has(entry, "time") else None
    counted = {
        name: column(entry, name, unit)
        for name, unit in (
            ("charge_capacity", "mAh"),
            ("discharge_capacity", "mAh"),
            ("charge_energy", "mWh"),
            ("discharge_energy", "mWh"),
        )
        if has(entry, name)
    }
    whole = np.isfinite(cycle) & np.isfinite(voltage) & np.isfinite(current)
    for values in (*counted.values(), *([] if time is None else [time])):
        whole &= np.isfinite(values)
    if whole.sum() < 4:
        raise CannotDescribe(f"entry {entry.name} has {int(whole.sum())} whole records; a cycle needs more")
    cycle, voltage, current = cycle[whole], voltage[whole], current[whole]
    time = None if time is None else time[whole]
    increments = {name: _increments(values[whole]) for name, values in counted.items()}
    parts = {} if time is None else _integrals(time, voltage, current)
    names = ("charge_capacity", "discharge_capacity", "charge_energy", "discharge_energy")
    if not parts and any(name not in increments for name in names):
        raise CannotDescribe(f"entry {entry.name} has neither all capacities and energies nor a time")
    into, out, energy_in, energy_out = (increments[n] if n in increments else parts[n] for n in names)
    integrated = None
    if parts and {"charge_capacity", "discharge_capacity"} <= set(increments):
        integrated = (parts["charge_capacity"], parts["discharge_capacity"])
    energy_counted = {"charge_energy", "discharge_energy"} <= set(increments)
    return _Records(
        cycle, voltage, current, time, into, out, energy_in, energy_out, integrated, energy_counted
    )


def _integrals(time: Numbers, voltage: Numbers, current: Numbers) -> dict[str, Numbers]:
    """Increments of charge and energy by the trapezoidal rule; time that runs backwards counts as none."""
    hours = np.maximum(np.diff(time, prepend=time[:1]), 0.0) / 3600

    def mean(y: Numbers) -> Numbers:
        return np.asarray((y + np.concatenate([y[:1], y[:-1]])) / 2)

    into, out = np.maximum(current, 0.0), np.maximum(-current, 0.0)
    return {
        "charge_capacity": mean(into) * hours,
        "discharge_capacity": mean(out) * hours,
        "charge_energy": mean(into * voltage) * hours,
        "discharge_energy": mean(out * voltage) * hours,
    }


@dataclass(frozen=True)
class _Cycle:
    number: int
    charge: float
    discharge: float
    charge_energy: float
    discharge_energy: float
    charge_end: float  # V
    discharge_end: float
    charges_first: bool
    under_current: bool  # the last record still has current
    last_is_charge: bool
    span: tuple[float, float] | None  # s


def _cycles(r: _Records) -> list[_Cycle]:
    numbers, which = np.unique(r.cycle, return_inverse=True)
    sums = [
        np.bincount(which, values, len(numbers))
        for values in (r.charge, r.discharge, r.charge_energy, r.discharge_energy)
    ]
    if r.integrated is not None and not r.energy_counted:
        # The mean voltage is the integrals'; the energy is that of the charge that the tester counted.
        for energy, counted, increments in ((2, 0, r.integrated[0]), (3, 1, r.integrated[1])):
            integral = np.bincount(which, increments, len(numbers))
            sums[energy] *= np.divide(
                sums[counted], integral, out=np.zeros_like(integral), where=integral > 0
            )
    flowing = 0.01 * float(np.abs(r.current).max())
    order = np.argsort(which, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(which, minlength=len(numbers)))[:-1])
    found = []
    for i, (number, rows) in enumerate(zip(numbers, parts, strict=True)):
        into, out = rows[r.current[rows] > flowing], rows[r.current[rows] < -flowing]
        last = float(r.current[rows[-1]])
        moving = rows[np.abs(r.current[rows]) > flowing]
        found.append(
            _Cycle(
                int(number),
                float(sums[0][i]),
                float(sums[1][i]),
                float(sums[2][i]),
                float(sums[3][i]),
                charge_end=float(r.voltage[into[-1]]) if len(into) else float("nan"),
                discharge_end=float(r.voltage[out[-1]]) if len(out) else float("nan"),
                charges_first=bool(len(moving) and r.current[moving[0]] > 0),
                under_current=abs(last) > flowing,
                last_is_charge=bool(len(moving) and r.current[moving[-1]] > 0),
                span=None if r.time is None else (float(r.time[rows[0]]), float(r.time[rows[-1]])),
            )
        )
    return found


def _why_incomplete(
    cycle: _Cycle, last: bool, others: list[_Cycle], limits: tuple[float | None, float | None]
) -> str:
    """Why a cycle is left out; empty if it is complete."""
    charge, discharge = cycle.charge, cycle.discharge
    if not charge > 0 or not discharge > 0:
        return "it has no charge" if not charge > 0 else "it has no discharge"
    if min(charge, discharge) < _ONE_SIDED * max(charge, discharge):
        less = "charge" if charge < discharge else "discharge"
        return (
            f"its {less} is {100 * min(charge, discharge) / max(charge, discharge):.2g} % of the other half"
        )
    if not (last and cycle.under_current):
        return ""
    name = "charge_end" if cycle.last_is_charge else "discharge_end"
    reached = [getattr(o, name) for o in others if np.isfinite(getattr(o, name))]
    limit = limits[0] if cycle.last_is_charge else limits[1]
    goal = float(np.median(reached)) if reached else limit
    window = abs(cycle.charge_end - cycle.discharge_end)
    if goal is not None and abs(getattr(cycle, name) - goal) > _STOPPED * window:
        return f"the record ends at {getattr(cycle, name):.4g} V under current, before {goal:.4g} V"
    return ""


def _describe(entry: Entry, **told: Any) -> Iterator[Found]:
    """Capacities and energies of each complete cycle, from the tester's own counters.

    Where it has no counters, by the trapezoidal rule from current, voltage and time; where it has both, cycles
    whose two capacities differ by more than 2 % are told. Coulombic efficiency is discharge over charge capacity
    of one cycle, or the other way round for half cells of anodes; mean voltages are energy over capacity;
    retention refers to the discharge capacity of ``reference_cycle``. Incomplete cycles are left out: halves that
    are missing or have less than a fifth of the other (formation, state of charge set before the test), and a last
    one that was stopped.
    """
    records = _records(entry, told["cycle_column"])
    cycles = _cycles(records)
    limits = (condition(entry, "voltage_upper_limit", "V"), condition(entry, "voltage_lower_limit", "V"))
    warnings: list[str] = []
    complete: list[_Cycle] = []
    for cycle in cycles:
        last = cycle is cycles[-1]
        reason = _why_incomplete(cycle, last, complete, limits)
        if reason:
            warnings.append(f"Cycle {cycle.number} is left out as incomplete: {reason}.")
        else:
            complete.append(cycle)
    if len(warnings) > _MOST_TOLD:
        warnings[_MOST_TOLD:] = [f"{len(warnings) - _MOST_TOLD} more cycles are left out as incomplete."]
    if not complete:
        raise CannotDescribe(f"no cycle is complete. {' '.join(warnings[:3])}".strip())
    if not complete[0].charges_first:
        warnings.append("The cycles begin with a discharge; the charge after it belongs to the same cycle.")
    warnings += _disagreement(records, complete)
    reference = told["reference_cycle"]
    base = next((c for c in complete if c.number == (reference or complete[0].number)), None)
    if base is None:
        raise CannotDescribe(
            f"cycle {reference} is not among the complete ones; take another reference_cycle"
        )
    mass = told["active_mass"] or condition(entry, "active_mass", "mg")
    axis = entry.x if entry.x == "time" else ""
    settled = {"reference_cycle": base.number, "active_mass": mass}
    told_of = tuple(warnings)
    for cycle in complete:
        region = Region(axis, *cycle.span, "s") if axis and cycle.span else None
        for name, value in _numbers(cycle, base, mass, told["efficiency"]):
            yield Found(
                name,
                value,
                item=f"cycle_{cycle.number}",
                region=region,
                settled=settled,
                warnings=told_of,
            )


def _numbers(c: _Cycle, base: _Cycle, mass_mg: float | None, efficiency: str) -> Iterator[tuple[str, float]]:
    yield "charge_capacity", c.charge
    yield "discharge_capacity", c.discharge
    if mass_mg:
        yield "specific_charge_capacity", 1000 * c.charge / mass_mg
        yield "specific_discharge_capacity", 1000 * c.discharge / mass_mg
    yield "charge_energy", c.charge_energy
    yield "discharge_energy", c.discharge_energy
    up = efficiency == "discharge/charge"
    yield "coulombic_efficiency", 100 * (c.discharge / c.charge if up else c.charge / c.discharge)
    if c.charge_energy > 0 and c.discharge_energy > 0:
        ratio = c.discharge_energy / c.charge_energy
        yield "energy_efficiency", 100 * (ratio if up else 1 / ratio)
    yield "mean_charge_voltage", c.charge_energy / c.charge
    yield "mean_discharge_voltage", c.discharge_energy / c.discharge
    yield "capacity_retention", 100 * c.discharge / base.discharge


def _disagreement(r: _Records, complete: list[_Cycle]) -> list[str]:
    if r.integrated is None:
        return []
    numbers, which = np.unique(r.cycle, return_inverse=True)
    charge, discharge = (np.bincount(which, part, len(numbers)) for part in r.integrated)
    place = {int(n): i for i, n in enumerate(numbers)}
    far = []
    for c in complete:
        i = place[c.number]
        far += [(abs(charge[i] / c.charge - 1), c.number), (abs(discharge[i] / c.discharge - 1), c.number)]
    worst, number = max(far)
    if worst <= _DISAGREE:
        return []
    return [
        f"In cycle {number} the tester's capacity and the integral of the recorded current differ by "
        f"{100 * worst:.2g} %; the tester's is given."
    ]


METHODS = (
    Method(
        "cycling",
        "1",
        ("battery_cycling",),
        (
            Term("charge_capacity", "mAh", "Charge capacity", "充電容量"),
            Term("discharge_capacity", "mAh", "Discharge capacity", "放電容量"),
            Term("specific_charge_capacity", "mAh/g", "Specific charge capacity", "充電比容量"),
            Term("specific_discharge_capacity", "mAh/g", "Specific discharge capacity", "放電比容量"),
            Term("charge_energy", "mWh", "Charge energy", "充電エネルギー"),
            Term("discharge_energy", "mWh", "Discharge energy", "放電エネルギー"),
            Term("coulombic_efficiency", "percent", "Coulombic efficiency", "クーロン効率"),
            Term("energy_efficiency", "percent", "Energy efficiency", "エネルギー効率"),
            Term("mean_charge_voltage", "V", "Mean charge voltage", "平均充電電圧"),
            Term("mean_discharge_voltage", "V", "Mean discharge voltage", "平均放電電圧"),
            Term("capacity_retention", "percent", "Capacity retention", "容量維持率"),
        ),
        (
            Parameter(
                "cycle_column", "Column that counts the cycles", "サイクル数の列", "cycle", kind="text"
            ),
            Parameter(
                "efficiency",
                "Which half is divided by which; charge/discharge for half cells of anodes",
                "効率の定義",
                "discharge/charge",
                kind="choice",
                choices=("discharge/charge", "charge/discharge"),
            ),
            Parameter(
                "reference_cycle",
                "Cycle that is 100 % retention; the first complete one if none",
                "基準サイクル",
                kind="whole",
            ),
            Parameter("active_mass", "Active mass; the stated one if none", "活物質質量", unit="mg"),
        ),
        _describe,
        "Charge and discharge",
        "充放電",
        "IEC 61960-3, IEC 62660-1",
    ),
)
