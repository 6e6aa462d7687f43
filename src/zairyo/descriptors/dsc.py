"""Differential scanning calorimetry: transitions over a baseline, and the glass transition."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from zairyo.descriptors._api import CannotDescribe, Found, Method, Parameter, Region, Term
from zairyo.descriptors._dsc_event import evaluate, spread
from zairyo.descriptors._numeric import Line, Numbers, column, condition, crossing, first, line, need, noise
from zairyo.descriptors._thermal import Segment, between, segments, smoothed
from zairyo.measurement import Entry

_TECHNIQUES = ("dsc", "sta", "dta")


@dataclass(frozen=True)
class _Heat:
    """A DSC signal: values, what its integral over time is called, in which unit and by which factor."""

    values: Numbers
    name: str
    unit: str | None
    factor: float
    warnings: tuple[str, ...] = ()


def _heat(entry: Entry, mass_mg: float | None) -> _Heat:
    """Heat flow per mass if it can be had; else of the whole sample; else the sensor's voltage."""
    mass = mass_mg or condition(entry, "sample_mass", "mg")
    if first(entry, "specific_heat_flow"):
        return _Heat(column(entry, "specific_heat_flow", "W/g"), "transition_enthalpy", None, 1.0)
    if first(entry, "heat_flow"):
        values = column(entry, "heat_flow", "mW")
        if mass:
            return _Heat(values / mass, "transition_enthalpy", None, 1.0)
        warning = "The sample's mass is not stated: heat is given, not enthalpy per mass; give sample_mass."
        return _Heat(values, "transition_heat", None, 1.0, (warning,))
    name = first(entry, "dsc_signal_per_mass", "dsc_signal", "thermocouple_voltage")
    if not name:
        have = ", ".join(s.name for s in entry.signals)
        raise CannotDescribe(f"entry {entry.name} has no heat flow and no DSC signal; it has {have}")
    warning = "The signal is a voltage without a sensitivity: areas are given, not enthalpies."
    if name == "dsc_signal_per_mass":
        return _Heat(column(entry, name, "uV/mg"), "transition_area", "uV*s/mg", 1.0, (warning,))
    values = column(entry, name, "uV")
    if mass:
        return _Heat(values / mass, "transition_area", "uV*s/mg", 1.0, (warning,))
    return _Heat(values, "transition_area", "uV*s", 1.0, (warning,))


def _scans(entry: Entry, heat: _Heat, chosen: str | None) -> list[Segment]:
    """The heating and cooling parts, or the chosen one."""
    parts = segments(entry, heat.values)
    scans = [s for s in parts if s.kind != "isothermal"]
    if chosen:
        scans = [s for s in scans if s.name == chosen]
        if not scans:
            raise CannotDescribe(f"the run has no part {chosen!r}; it has {', '.join(s.name for s in parts)}")
    if not scans:
        raise CannotDescribe("the temperature does not change in this run; there is nothing to find over it")
    return scans


# --- transitions -----------------------------------------------------------------------------------------------


def _transitions(entry: Entry, **told: Any) -> Iterator[Found]:
    """Peaks of a DSC curve after ISO 11357-1 and -3, between given limits or those found.

    Without limits, peaks are sought that stand ``minimum_height`` of the curve's range (and eight times the noise)
    out of a running median line; each is measured between where it leaves that line and where it comes back.
    """
    heat = _heat(entry, told["sample_mass"])
    low, high = told["low"], told["high"]
    if (low is None) != (high is None):
        raise CannotDescribe("give both limits, low and high, or neither")
    if low is not None and low >= high:
        raise CannotDescribe(f"the lower limit {low:g} °C is not below the upper one, {high:g} °C")
    reasons: list[str] = []
    numbers: list[list[Found]] = []
    for segment in _scans(entry, heat, told["segment"]):
        if low is None:
            tries = list(_sought(segment, told, reasons))
        elif _covers(segment, low, high):
            tries = [[(low, high)]]
        else:
            reasons.append(f"{segment.name} does not reach over {low:g} … {high:g} °C")
            continue
        for limits in tries:
            try:
                numbers.append(_first_that_holds(segment, limits, heat, told, entry))
            except CannotDescribe as e:
                reasons.append(f"{segment.name}, {limits[0][0]:.4g} … {limits[0][1]:.4g} °C: {e}")
    if not numbers:
        shown = "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")
        raise CannotDescribe(shown or "no event stands out of the curve")
    left_out = tuple(f"Not given: {reason}." for reason in reasons) if low is None else ()
    count: dict[str, int] = {}
    for group in numbers:
        part = str(group[0].settled["segment"])
        count[part] = count.get(part, 0) + 1
        for f in group:
            told_of = heat.warnings + f.warnings + left_out
            yield Found(
                f.name,
                f.value,
                f.uncertainty,
                f.unit,
                f"{part}/transition_{count[part]}",
                f.region,
                f.settled,
                told_of,
            )


def _first_that_holds(
    segment: Segment,
    limits: list[tuple[float, float]],
    heat: _Heat,
    told: dict[str, Any],
    entry: Entry,
) -> list[Found]:
    """The numbers within the first of some limits that the event is not cut off by."""
    for number, (low, high) in enumerate(limits, start=1):
        try:
            return _numbers(segment, low, high, heat, told, entry)
        except CannotDescribe:
            if number == len(limits):
                raise
    raise CannotDescribe("no limits were given")


def _covers(segment: Segment, low: float, high: float) -> bool:
    """Whether the part reaches over the limits, up to the distance of its points."""
    T = segment.temperature
    slack = 2 * float(np.median(np.abs(np.diff(T))))
    return float(T.min()) <= low + slack and float(T.max()) >= high - slack


def _numbers(
    segment: Segment, low: float, high: float, heat: _Heat, told: dict[str, Any], entry: Entry
) -> list[Found]:
    event = evaluate(segment, low, high, told["baseline"])
    errors = spread(segment, low, high, told["baseline"], event)
    axis = entry.x if entry.is_table else "temperature"
    limits = (low, high)
    if axis == "time":
        part = between(segment.temperature, low, high)
        limits = (float(segment.time[part][0]), float(segment.time[part][-1]))
    region = Region(axis, *limits, "s" if axis == "time" else "degC")
    settled = {"low": low, "high": high, "segment": segment.name}
    unsigned: tuple[str, ...] = ()
    sign = {"up": 1.0, "down": -1.0, "unstated": 1.0}[told["endothermic"]]
    if told["endothermic"] == "unstated":
        side = "above" if event.area > 0 else "below"
        unsigned = (
            f"Which way is endothermic is not stated: the {heat.name.replace('_', ' ')} has the sign of the signal, "
            f"here {side} the baseline; give endothermic.",
        )
    rest: dict[str, Any] = {"region": region, "settled": settled}
    area_error = errors["area"]
    return [
        Found("transition_onset", event.onset, errors["onset"], **rest),
        Found("transition_peak", event.peak, errors["peak"], **rest),
        Found("transition_end", event.end, errors["end"], **rest),
        Found(
            heat.name,
            sign * event.area * heat.factor,
            None if area_error is None else area_error * heat.factor,
            unit=heat.unit,
            warnings=unsigned,
            **rest,
        ),
    ]


def _sought(
    segment: Segment, told: dict[str, Any], reasons: list[str]
) -> Iterator[list[tuple[float, float]]]:
    """The events in a part without its first and last ``start_up`` kelvins: limits to try for each, narrowest first."""
    T = segment.temperature
    inner = between(T, float(T.min()) + told["start_up"], float(T.max()) - told["start_up"])
    y = segment.signal[inner]
    if len(y) < 50:
        return
    T = T[inner]
    smooth = smoothed(_from_running_line(y), max(5, len(y) // 100))
    threshold = max(told["minimum_height"] / 100 * float(np.ptp(y)), 8 * noise(y))
    peaks, _ = need("scipy.signal").find_peaks(np.abs(smooth), height=threshold, prominence=threshold)
    taken = -1
    for top in peaks:
        if top <= taken:
            continue
        rest = max(0.01 * abs(float(smooth[top])), noise(y))
        up = np.sign(smooth[top]) * smooth > rest
        before, after = np.flatnonzero(~up[:top]), np.flatnonzero(~up[top:])
        if not len(before) or not len(after):
            which = "beginning" if not len(before) else "end"
            reasons.append(f"a deviation near {T[top]:.4g} °C is cut off by the {which} of {segment.name}")
            taken = len(y) if not len(after) else taken
            continue
        a, b = int(before[-1]), int(top + after[0])
        taken = b
        yield [_widened(T, a, b, *shares) for shares in _WIDER]


#: By which shares of its width an event's limits are taken further out, below and above, until they hold it.
_SHARES = (0.25, 0.4, 0.6, 0.8)
_WIDER = [*sorted(product(_SHARES, repeat=2), key=sum), (0.1, 0.25), (0.25, 0.1), (0.1, 0.1)]


def _widened(T: Numbers, a: int, b: int, before: float, after: float) -> tuple[float, float]:
    lower = T[max(0, a - max(3, round(before * (b - a))))]
    upper = T[min(len(T) - 1, b + max(3, round(after * (b - a))))]
    return float(min(lower, upper)), float(max(lower, upper))


def _from_running_line(y: Numbers) -> Numbers:
    """The curve without its running median line: a spline that has as many points above as below it.

    Iteratively reweighted spline quantile regression (Han et al. 2018), from pybaselines, of at most 300 points.
    """
    grid = np.linspace(0, len(y) - 1, min(300, len(y)))
    coarse = np.interp(grid, np.arange(len(y)), smoothed(y, max(5, len(y) // 300)))
    baselines = need("pybaselines")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", baselines.utils.ParameterWarning)  # not to the last digit
        fitted, _ = baselines.Baseline(grid).irsqr(coarse, lam=1e3, quantile=0.5, num_knots=20, max_iter=40)
    return y - np.interp(np.arange(len(y)), grid, fitted)


# --- glass transition ------------------------------------------------------------------------------------------


def _glass(entry: Entry, **told: Any) -> Iterator[Found]:
    """Glass transition between limits that reach into the straight curve on both sides (ISO 11357-2, 3).

    Straight lines are fitted to the outer fifths of the limits. The midpoint is where the curve crosses half way
    between them; the inflection is the steepest point of the step; onset and end are where the tangent there meets the
    lines. ΔCp is the distance of the lines at the midpoint over the heating rate.
    """
    low, high = told["low"], told["high"]
    if low >= high:
        raise CannotDescribe(f"the lower limit {low:g} °C is not below the upper one, {high:g} °C")
    heat = _heat(entry, told["sample_mass"])
    scans = [s for s in _scans(entry, heat, told["segment"]) if _covers(s, low, high)]
    if not scans:
        raise CannotDescribe(f"no heating or cooling of this run reaches over {low:g} … {high:g} °C")
    reasons = []
    for segment in scans:
        try:
            numbers = list(_glass_numbers(segment, low, high, heat, entry))
        except CannotDescribe as e:
            reasons.append(f"{segment.name}: {e}")
            continue
        yield from numbers
    if len(reasons) == len(scans):
        raise CannotDescribe("; ".join(reasons))


@dataclass(frozen=True)
class _Glass:
    onset: float
    midpoint: float
    inflection: float
    end: float
    step: float


def _glass_step(segment: Segment, low: float, high: float, outer: float) -> _Glass:
    """The step, with lines through the outer share of the limits on either side."""
    part = between(segment.temperature, low, high)
    T, y = segment.temperature[part], segment.signal[part]
    if T[-1:] < T[:1]:
        T, y = T[::-1], y[::-1]
    k = int(outer * len(T))
    if k < 8:
        raise CannotDescribe(f"{len(T)} points are between {low:g} and {high:g} °C; 40 are needed")
    below, above = line(T[:k], y[:k]), line(T[-k:], y[-k:])
    smooth = smoothed(y, max(7, len(T) // 20))
    share = _share(T, smooth, below, above)
    inner = slice(k // 2, len(T) - k // 2)
    middle = crossing(T[inner], share[inner], 0.5, 0, 1)
    if middle is None:
        raise CannotDescribe(f"no step between {low:g} and {high:g} °C: the curve does not cross half way")
    step = float(above.at(middle) - below.at(middle))
    scatter = max(below.scatter, above.scatter, noise(y))
    if abs(step) < 5 * scatter:
        raise CannotDescribe(f"no step stands out between {low:g} and {high:g} °C")
    if max(abs(share[:k].mean()), abs(share[-k:].mean() - 1), 0.0) > 0.2 or share[inner].min() < -0.5:
        raise CannotDescribe("the curve between the limits is a peak rather than a step; take other limits")
    slope = np.gradient(smooth, T) - below.slope
    within = np.flatnonzero((share > 0.1) & (share < 0.9) & (np.abs(T - middle) < 0.4 * (high - low)))
    if len(within) < 3:
        raise CannotDescribe("the step is too steep for its points; measure slower or sample more often")
    steepest = within[int(np.argmax(np.sign(step) * slope[within]))]
    near = slice(max(0, steepest - 2), steepest + 3)
    tangent = line(T[near], smooth[near])
    return _Glass(_meet(tangent, below), middle, float(T[steepest]), _meet(tangent, above), step)


def _share(T: Numbers, y: Numbers, below: Line, above: Line) -> Numbers:
    """How far the curve is from the lower line to the upper one, 0 … 1."""
    distance = above.at(T) - below.at(T)
    middle = float(np.median(distance))
    if middle == 0 or (np.sign(distance) != np.sign(middle)).any():
        raise CannotDescribe("the lines before and after cross between the limits; no step")
    return np.asarray((y - below.at(T)) / distance)


def _meet(a: Line, b: Line) -> float:
    if a.slope == b.slope:
        raise CannotDescribe("the tangent is parallel to the curve before the step")
    return (b.intercept - b.slope * b.middle - a.intercept + a.slope * a.middle) / (a.slope - b.slope)


def _glass_numbers(segment: Segment, low: float, high: float, heat: _Heat, entry: Entry) -> Iterator[Found]:
    glass = _glass_step(segment, low, high, 0.2)
    by = 0.05 * (high - low)
    varied = []
    for limits in ((low + by, high, 0.2), (low, high - by, 0.2), (low, high, 0.15), (low, high, 0.25)):
        try:
            varied.append(_glass_step(segment, *limits))
        except CannotDescribe:
            continue

    def error(name: str) -> float | None:
        far = [(getattr(v, name) - getattr(glass, name)) ** 2 for v in varied]
        return float(np.sqrt(np.mean(far))) if far else None

    axis = entry.x if entry.is_table else "temperature"
    region = Region(axis, low, high, "degC") if axis != "time" else None
    rest: dict[str, Any] = {"item": segment.name, "region": region, "settled": {"segment": segment.name}}
    backwards = segment.rate < 0
    rest["warnings"] = heat.warnings
    yield Found(
        "glass_transition_onset",
        glass.end if backwards else glass.onset,
        error("end" if backwards else "onset"),
        **rest,
    )
    yield Found("glass_transition_midpoint", glass.midpoint, error("midpoint"), **rest)
    yield Found("glass_transition_inflection", glass.inflection, error("inflection"), **rest)
    yield Found(
        "glass_transition_end",
        glass.onset if backwards else glass.end,
        error("onset" if backwards else "end"),
        **rest,
    )
    if heat.name == "transition_enthalpy":
        rate = abs(segment.rate)
        step_error = error("step")
        spread_of = None if step_error is None else step_error / rate
        yield Found("heat_capacity_step", abs(glass.step) / rate, spread_of, **rest)


_LOW = Parameter("low", "Lower limit", "下限温度", unit="degC")
_HIGH = Parameter("high", "Upper limit", "上限温度", unit="degC")
_SEGMENT = Parameter(
    "segment", "Part of the run (heating_1, cooling_1 …); all if none", "区間（heating_1など）", kind="text"
)
_MASS = Parameter(
    "sample_mass", "Sample mass; the stated one if none", "試料質量（なければ記載値）", unit="mg"
)

METHODS = (
    Method(
        "dsc_transitions",
        "1",
        _TECHNIQUES,
        (
            Term("transition_onset", "degC", "Extrapolated onset", "補外開始温度"),
            Term("transition_peak", "degC", "Peak temperature", "ピーク温度"),
            Term("transition_end", "degC", "Extrapolated end", "補外終了温度"),
            Term("transition_enthalpy", "J/g", "Enthalpy", "転移エンタルピー"),
            Term("transition_heat", "mJ", "Heat", "転移熱"),
            Term("transition_area", None, "Peak area", "ピーク面積"),
        ),
        (
            _LOW,
            _HIGH,
            _SEGMENT,
            Parameter(
                "baseline",
                "Baseline: straight, or in proportion to the area passed",
                "ベースライン",
                "linear",
                kind="choice",
                choices=("linear", "integral"),
            ),
            Parameter(
                "endothermic",
                "Which way the signal goes when heat is taken up",
                "吸熱の向き",
                "unstated",
                kind="choice",
                choices=("up", "down", "unstated"),
            ),
            _MASS,
            Parameter("start_up", "Not searched at either end of a part", "両端の除外幅", 10.0, "K"),
            Parameter(
                "minimum_height",
                "Least height, of the curve's range, to be found",
                "検出する最小高さ（曲線の振幅比）",
                5.0,
                "percent",
            ),
        ),
        _transitions,
        "Transitions in DSC",
        "DSCの転移",
        "ISO 11357-1, ISO 11357-3",
    ),
    Method(
        "dsc_glass_transition",
        "1",
        _TECHNIQUES,
        (
            Term(
                "glass_transition_onset",
                "degC",
                "Glass transition, extrapolated onset",
                "ガラス転移補外開始温度",
            ),
            Term(
                "glass_transition_midpoint",
                "degC",
                "Glass transition, midpoint (half step)",
                "ガラス転移中間点温度",
            ),
            Term(
                "glass_transition_inflection", "degC", "Glass transition, inflection", "ガラス転移変曲点温度"
            ),
            Term(
                "glass_transition_end", "degC", "Glass transition, extrapolated end", "ガラス転移補外終了温度"
            ),
            Term("heat_capacity_step", "J/(g*K)", "Step in heat capacity ΔCp", "比熱容量変化 ΔCp"),
        ),
        (
            Parameter("low", "Lower limit", "下限温度", unit="degC", required=True),
            Parameter("high", "Upper limit", "上限温度", unit="degC", required=True),
            _SEGMENT,
            _MASS,
        ),
        _glass,
        "Glass transition",
        "ガラス転移",
        "ISO 11357-2",
    ),
)
