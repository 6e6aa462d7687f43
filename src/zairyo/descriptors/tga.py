"""Thermogravimetry: steps of the mass, and what remains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.descriptors._api import CannotDescribe, Found, Method, Parameter, Region, Term
from zairyo.descriptors._numeric import Numbers, column, condition, first, line, need, noise
from zairyo.descriptors._thermal import Segment, segments, smoothed
from zairyo.measurement import Entry

#: The run ends within a step if it still goes at this share of the step's highest rate there.
_STILL_GOING = 0.1
#: Two maxima of the rate are two steps if it falls by this share of the lower one between them.
_OWN = 0.15
#: A step reaches to where its rate has fallen to this share of its highest.
_FADED = 0.02


def relative_mass(entry: Entry, initial_mg: float | None) -> tuple[Numbers, float | None]:
    """Mass in percent of the initial one, and that one in mg if it is known."""
    stated = initial_mg or condition(entry, "sample_mass", "mg")
    if first(entry, "relative_mass"):
        return column(entry, "relative_mass", "percent", unstated=True), stated
    if first(entry, "mass"):
        mass = column(entry, "mass", "mg")
        finite = mass[np.isfinite(mass)]
        initial = initial_mg or (float(np.median(finite[:5])) if len(finite) else 0.0)
        if not initial > 0:
            raise CannotDescribe("the mass at the beginning is not above zero; give initial_mass")
        return 100 * mass / initial, initial
    if first(entry, "mass_change"):
        if not stated:
            raise CannotDescribe("only the change of the mass is recorded, not the mass; give initial_mass")
        return 100 + 100 * column(entry, "mass_change", "mg") / stated, stated
    have = ", ".join(s.name for s in entry.signals)
    raise CannotDescribe(f"entry {entry.name} has no mass; it has {have}")


@dataclass(frozen=True)
class _Step:
    onset: float
    end: float
    change: float
    peak: float
    rate: float  # percent/min
    low: float
    high: float


def _steps(entry: Entry, **told: Any) -> Iterator[Found]:
    """Steps of mass after ISO 11358-1: between where the rate (DTG) rises from and falls back to rest.

    The rate is the derivative of the mass smoothed over ``smoothing`` (Savitzky–Golay). A step reaches to where its
    rate has fallen to 2 % of its highest, or to the least rate before the next step. Onset and end are where the
    tangent at the highest rate meets the masses before and after. Uncertainties: root mean square change when the
    smoothing is 1.5 times less and more, and the 2 % are 1 and 4 %.
    """
    mass, initial = relative_mass(entry, told["initial_mass"])
    heating = [s for s in segments(entry, mass) if s.kind == "heating"]
    if not heating:
        raise CannotDescribe("the sample is not heated in this run; mass steps need a heating part")
    axis = entry.x if entry.is_table else "temperature"
    settled = {"initial_mass": initial}
    reasons: list[str] = []
    found: list[tuple[Segment, _Step, dict[str, float | None]]] = []
    for segment in heating:
        for step in _sought(segment, told["smoothing"], told["minimum_step"], _FADED, reasons):
            found.append((segment, step, _spread(segment, step, told)))
    found.sort(key=lambda one: (heating.index(one[0]), one[1].low))
    warnings = tuple(f"Not given: {r}." for r in reasons)
    for number, (segment, step, errors) in enumerate(found, start=1):
        region = _region(axis, segment, step)
        for name in ("onset", "end", "change", "peak", "rate"):
            yield Found(
                _NAMES[name],
                getattr(step, name),
                errors[name],
                item=f"step_{number}",
                region=region,
                settled=settled,
                warnings=warnings,
            )
    if not found and reasons:
        raise CannotDescribe("; ".join(reasons))
    yield from _residue(heating[-1], axis, settled)


_NAMES = {
    "onset": "mass_step_onset",
    "end": "mass_step_end",
    "change": "mass_change_step",
    "peak": "dtg_peak",
    "rate": "dtg_peak_rate",
}


def _region(axis: str, segment: Segment, step: _Step) -> Region | None:
    if axis == "temperature":
        return Region(axis, step.low, step.high, "degC")
    if axis == "time":
        low, high = np.interp([step.low, step.high], segment.temperature, segment.time)
        return Region(axis, float(low), float(high), "s")
    return None


def _sought(
    segment: Segment, smoothing: float, minimum: float, faded: float, reasons: list[str]
) -> Iterator[_Step]:
    T, mass = segment.temperature, segment.signal
    per_point = abs(float(T[-1] - T[0])) / (len(T) - 1)
    window = max(5, round(smoothing / per_point)) if per_point else 5
    if window * 2 > len(T):
        raise CannotDescribe(f"{segment.name} is too short for a smoothing of {smoothing:g} K")
    smooth = smoothed(mass, window)
    rate = smoothed(mass, window, 1) / np.gradient(segment.time) * 60
    least = max(0.02 * float(np.abs(rate).max()), 6 * noise(rate))
    for sign in (-1.0, 1.0):
        up = sign * rate
        peaks, about = need("scipy.signal").find_peaks(up, height=least, prominence=least)
        peaks = peaks[about["prominences"] >= _OWN * about["peak_heights"]]
        limits = [0, *map(int, peaks), len(T) - 1]
        for before, top, after in zip(limits, limits[1:], limits[2:], strict=False):
            a, b = _edge(up, top, before, faded), _edge(up, top, after, faded)
            if abs(smooth[b] - smooth[a]) < minimum:
                continue
            if any(j in (0, len(T) - 1) and up[j] > _STILL_GOING * up[top] for j in (a, b)):
                reasons.append(_cut(float(T[top]), segment.name))
            else:
                yield _measured(segment, smooth, rate, top, a, b)
        # A rate that is still rising at an end of the part has no peak.
        for end, inner in ((0, limits[1]), (len(T) - 1, limits[-2])):
            edge = _edge(up, end, inner, faded)
            going = up[end] > max(least, _STILL_GOING * float(np.abs(rate).max()))
            alone = edge not in limits[1:-1] or not len(peaks)
            if going and alone and abs(smooth[edge] - smooth[end]) >= minimum:
                reasons.append(_cut(float(T[end]), segment.name))


def _cut(temperature: float, part: str) -> str:
    return f"the step at {temperature:.4g} °C is cut off by an end of {part}, where the mass still changes"


def _edge(rate: Numbers, top: int, limit: int, faded: float) -> int:
    """Where the rate has faded, going from the top to the limit; the least rate on the way if it never does."""
    step = 1 if limit > top else -1
    way = np.arange(top, limit + step, step)
    low = np.flatnonzero(rate[way] <= faded * rate[top])
    return int(way[low[0]] if len(low) else way[np.argmin(rate[way])])


def _measured(segment: Segment, smooth: Numbers, rate: Numbers, top: int, a: int, b: int) -> _Step:
    T = segment.temperature
    near = np.flatnonzero(np.abs(rate[a : b + 1]) >= 0.95 * abs(rate[top])) + a
    near = near[np.abs(near - top) <= max(2, (b - a) // 8)]
    if len(near) < 3:
        near = np.arange(max(top - 1, 0), min(top + 2, len(T)))
    tangent = line(T[near], smooth[near])

    def at(level: float) -> float:
        return tangent.middle + (level - tangent.intercept) / tangent.slope

    return _Step(
        onset=at(float(smooth[a])),
        end=at(float(smooth[b])),
        change=float(smooth[b] - smooth[a]),
        peak=float(T[top]),
        rate=float(rate[top]),
        low=float(T[a]),
        high=float(T[b]),
    )


def _spread(segment: Segment, step: _Step, told: dict[str, Any]) -> dict[str, float | None]:
    varied = []
    smoothing, least = told["smoothing"], told["minimum_step"]
    for width, faded in ((1 / 1.5, _FADED), (1.5, _FADED), (1, _FADED / 2), (1, _FADED * 2)):
        try:
            others = list(_sought(segment, smoothing * width, least * 0.5, faded, []))
        except CannotDescribe:
            continue
        same = [o for o in others if step.low < o.peak < step.high and o.change * step.change > 0]
        varied += sorted(same, key=lambda o: -abs(o.change))[:1]
    if not varied:
        return dict.fromkeys(_NAMES)
    return {
        n: float(np.sqrt(np.mean([(getattr(v, n) - getattr(step, n)) ** 2 for v in varied]))) for n in _NAMES
    }


def _residue(segment: Segment, axis: str, settled: dict[str, Any]) -> Iterator[Found]:
    """Mass at the end of the last heating: mean and scatter of its last 1 %."""
    k = max(5, len(segment.signal) // 100)
    last = segment.signal[-k:]
    drift = line(segment.time[-k:], last)
    place = {"temperature": segment.temperature, "time": segment.time}.get(axis)
    region = None
    if place is not None:
        unit = "s" if axis == "time" else "degC"
        region = Region(axis, float(place[-k:].min()), float(place[-k:].max()), unit)
    warnings: tuple[str, ...] = ()
    moved = abs(drift.slope) * 600
    if moved > max(0.5, 10 * drift.slope_error * 600):
        warnings = (
            f"At the end of {segment.name} the mass still changes by {drift.slope * 60:.2g} %/min: the residue "
            "depends on where the run was stopped.",
        )
    yield Found(
        "residue",
        float(last.mean()),
        float(last.std(ddof=1)),
        region=region,
        settled=settled,
        warnings=warnings,
    )


METHODS = (
    Method(
        "tga_steps",
        "1",
        ("tga", "sta"),
        (
            Term("mass_step_onset", "degC", "Mass step, extrapolated onset", "質量変化の補外開始温度"),
            Term("mass_step_end", "degC", "Mass step, extrapolated end", "質量変化の補外終了温度"),
            Term("mass_change_step", "percent", "Mass change of the step", "質量変化率"),
            Term("dtg_peak", "degC", "Temperature of the highest rate (DTG)", "DTGピーク温度"),
            Term(
                "dtg_peak_rate", "percent/min", "Highest rate of mass change (DTG)", "最大質量変化速度 (DTG)"
            ),
            Term("residue", "percent", "Residue at the end of heating", "残分"),
        ),
        (
            Parameter(
                "initial_mass",
                "Mass that is 100 %; the recorded one if none",
                "初期質量（なければ記録値）",
                unit="mg",
            ),
            Parameter("smoothing", "Length the mass is smoothed over", "平滑化の温度幅", 10.0, "K"),
            Parameter("minimum_step", "Least change that counts", "最小の質量変化", 1.0, "percent"),
        ),
        _steps,
        "Mass steps",
        "質量変化",
        "ISO 11358-1",
    ),
)
