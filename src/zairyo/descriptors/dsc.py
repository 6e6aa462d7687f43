"""Differential scanning calorimetry: transitions over a baseline."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from zairyo.descriptors._api import CannotDescribe, Found, Method, Parameter, Region, Term
from zairyo.descriptors._dsc_event import evaluate, spread
from zairyo.descriptors._dsc_signal import MASS, SEGMENT, TECHNIQUES, Heat, heat_of, scans
from zairyo.descriptors._numeric import Numbers, need, noise
from zairyo.descriptors._thermal import Segment, between, covers, smoothed
from zairyo.measurement import Entry

#: An event that is found is none if its area is less certain than this share of it.
_DOUBTFUL = 0.5


def _transitions(entry: Entry, **told: Any) -> Iterator[Found]:
    """Peaks of a DSC curve after ISO 11357-1 and -3, between given limits or those found.

    Without limits, peaks are sought that stand ``minimum_height`` of the curve's range (and eight times the noise)
    out of a running median line; each is measured between where it leaves that line and where it comes back.
    """
    heat = heat_of(entry, told["sample_mass"])
    low, high = told["low"], told["high"]
    if (low is None) != (high is None):
        raise CannotDescribe("give both limits, low and high, or neither")
    if low is not None and low >= high:
        raise CannotDescribe(f"the lower limit {low:g} °C is not below the upper one, {high:g} °C")
    reasons: list[str] = []
    numbers: list[_Numbers] = []
    for segment in scans(entry, heat, told["segment"]):
        if low is None:
            tries = list(_sought(segment, told, reasons))
        elif covers(segment, low, high):
            tries = [[(low, high)]]
        else:
            reasons.append(f"{segment.name} does not reach over {low:g} … {high:g} °C")
            continue
        here: list[_Numbers] = []
        for limits in tries:
            try:
                here.append(_first_that_holds(segment, limits, heat, told, entry))
            except CannotDescribe as e:
                reasons.append(f"{segment.name}, {limits[0][0]:.4g} … {limits[0][1]:.4g} °C: {e}")
        numbers += _once(here)
    if not numbers:
        shown = "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")
        raise CannotDescribe(shown or "no event stands out of the curve")
    left_out = tuple(f"Not given: {reason}." for reason in reasons) if low is None else ()
    count: dict[str, int] = {}
    for group in (n.found for n in numbers):
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


@dataclass(frozen=True)
class _Numbers:
    """One event's numbers, where its peak is, and its area's uncertainty as a share of the area."""

    found: list[Found]
    peak: float
    low: float
    high: float
    doubt: float


def _once(events: list[_Numbers]) -> list[_Numbers]:
    """Without an event that another one's limits hold as well; of the two the better determined stays."""
    kept: list[_Numbers] = []
    for event in sorted(events, key=lambda e: e.doubt):
        twice = any(abs(event.peak - k.peak) < 0.05 * (k.high - k.low) for k in kept)
        if not twice:
            kept.append(event)
    return [e for e in events if e in kept]


def _first_that_holds(
    segment: Segment,
    limits: list[tuple[float, float]],
    heat: Heat,
    told: dict[str, Any],
    entry: Entry,
) -> _Numbers:
    """The numbers within the first of some limits that the event is not cut off by, and that determine its area."""
    for number, (low, high) in enumerate(limits, start=1):
        try:
            event = _numbers(segment, low, high, heat, told, entry)
            if told["low"] is None and event.doubt > _DOUBTFUL:
                raise CannotDescribe(
                    "it is a step or a bend rather than a peak: its area depends on the limits"
                )
            return event
        except CannotDescribe:
            if number == len(limits):
                raise
    raise CannotDescribe("no limits were given")


def _numbers(
    segment: Segment, low: float, high: float, heat: Heat, told: dict[str, Any], entry: Entry
) -> _Numbers:
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
    found = [
        Found("transition_onset", event.onset, errors["onset"], **rest),
        Found("transition_peak", event.peak, errors["peak"], **rest),
        Found("transition_end", event.end, errors["end"], **rest),
        Found(heat.name, sign * event.area, area_error, unit=heat.unit, warnings=unsigned, **rest),
    ]
    known = area_error is not None and event.area
    doubt = (area_error or 0.0) / abs(event.area) if known else float("inf")
    return _Numbers(found, event.peak, low, high, doubt)


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
        try:
            fitted, _ = baselines.Baseline(grid).irsqr(
                coarse, lam=1e3, quantile=0.5, num_knots=20, max_iter=40
            )
        except (ValueError, np.linalg.LinAlgError):
            raise CannotDescribe(
                "no line can be drawn through this curve; give limits, low and high"
            ) from None
    return np.asarray(y - np.interp(np.arange(len(y)), grid, fitted))


_LOW = Parameter("low", "Lower limit", "下限温度", unit="degC")
_HIGH = Parameter("high", "Upper limit", "上限温度", unit="degC")

METHODS = (
    Method(
        "dsc_transitions",
        "1",
        TECHNIQUES,
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
            SEGMENT,
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
            MASS,
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
)
