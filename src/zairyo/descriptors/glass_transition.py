"""The glass transition in a DSC curve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.descriptors._api import CannotDescribe, Found, Method, Parameter, Region, Term
from zairyo.descriptors._dsc_signal import MASS, SEGMENT, TECHNIQUES, Heat, heat_of, scans
from zairyo.descriptors._numeric import Line, Numbers, crossing, line, noise
from zairyo.descriptors._thermal import Segment, between, covers, smoothed
from zairyo.measurement import Entry


def _glass(entry: Entry, **told: Any) -> Iterator[Found]:
    """Glass transition between limits that reach into the straight curve on both sides (ISO 11357-2, 3).

    Straight lines are fitted to the outer fifths of the limits. The midpoint is where the curve crosses half way
    between them; the inflection is the steepest point of the step; onset and end are where the tangent there meets the
    lines. ΔCp is the distance of the lines at the midpoint over the heating rate.
    """
    low, high = told["low"], told["high"]
    if low >= high:
        raise CannotDescribe(f"the lower limit {low:g} °C is not below the upper one, {high:g} °C")
    heat = heat_of(entry, told["sample_mass"])
    parts = [s for s in scans(entry, heat, told["segment"]) if covers(s, low, high)]
    if not parts:
        raise CannotDescribe(f"no heating or cooling of this run reaches over {low:g} … {high:g} °C")
    reasons = []
    for segment in parts:
        try:
            numbers = list(_glass_numbers(segment, low, high, heat, entry))
        except CannotDescribe as e:
            reasons.append(f"{segment.name}: {e}")
            continue
        yield from numbers
    if len(reasons) == len(parts):
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
    if len(T) and T[-1] < T[0]:
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


def _glass_numbers(segment: Segment, low: float, high: float, heat: Heat, entry: Entry) -> Iterator[Found]:
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


METHODS = (
    Method(
        "dsc_glass_transition",
        "1",
        TECHNIQUES,
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
            SEGMENT,
            MASS,
        ),
        _glass,
        "Glass transition",
        "ガラス転移",
        "ISO 11357-2",
    ),
)
