"""One event of a DSC curve between limits, over a baseline: onset, peak, end, area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zairyo.descriptors._api import CannotDescribe
from zairyo.descriptors._numeric import Numbers, line, noise
from zairyo.descriptors._thermal import Segment, between, smoothed

_FEWEST = 12
#: The signal still changes at a limit if its slope there, against the baseline's, would take it over this
#: share of the event's height before the peak: a Gaussian that is cut where it has 4 % of its height does.
_STILL_CHANGING = 0.25
#: One side of an event is straight if it is nowhere further from a line than this share of the height, on average.
_STRAIGHT = 0.06


@dataclass(frozen=True)
class Event:
    """Temperatures in degC; area in signal · s, positive where the signal is above the baseline."""

    onset: float
    peak: float
    end: float
    area: float
    height: float


def evaluate(segment: Segment, low: float, high: float, baseline: str) -> Event:
    """Measure the event between two temperatures.

    The baseline goes from the mean of the first to that of the last 3 % of the points (at most a quarter of the
    event's width): straight, or (``integral``)
    in proportion to the area passed. Onset and end are where the tangents at the steepest points of the two
    flanks meet the baseline (ISO 11357-1, 3.7), the onset being the one that comes first in time.

    Raises
    ------
    CannotDescribe
        Too few points, no event, one that is cut off by the limits, or a step rather than a peak.
    """
    part = between(segment.temperature, low, high)
    t, T, y = segment.time[part], segment.temperature[part], segment.signal[part]
    if len(t) < _FEWEST:
        raise CannotDescribe(f"{len(t)} points are between {low:g} and {high:g} °C; {_FEWEST} are needed")
    # Twice: at first its width is not known, and what is taken as "the ends" must be short beside it.
    across = len(t)
    for _ in range(2):
        above = y - _baseline(t, y, baseline, across)
        window = max(5, across // 8 if across < len(t) else len(t) // 25)
        smooth = smoothed(above, window)
        top = int(np.argmax(np.abs(smooth)))
        across = int((np.abs(smooth) > 0.5 * abs(smooth[top])).sum())
    sign = float(np.sign(smooth[top])) or 1.0
    height = abs(float(smooth[top]))
    if height <= 5 * noise(y) or top < 3 or top > len(t) - 4:
        raise CannotDescribe(f"no event stands out between {low:g} and {high:g} °C")
    _check_ends(t, T, y - _baseline(t, y, "linear", across), top, height, across)
    area = float(np.trapezoid(above, t))
    up = sign * above
    slope = sign * smoothed(above, window, 1)
    onset = _tangent(T, up, slope, slice(0, top + 1), 1.0)
    end = _tangent(T, up, slope, slice(top, len(T)), -1.0)
    if any(
        _straight(t[side], smooth[side]) < _STRAIGHT * height for side in (slice(0, top), slice(top, None))
    ):
        raise CannotDescribe(
            "one side goes straight to its limit, as at a step or a bend: there is no peak, or its limits are too near"
        )
    return Event(onset, _summit(T, sign * smooth, top), end, area, sign * height)


def _straight(t: Numbers, y: Numbers) -> float:
    """Root mean square distance from a straight line."""
    return float(np.sqrt(np.mean((y - line(t, y).at(t)) ** 2)))


def _baseline(t: Numbers, y: Numbers, kind: str, across: int) -> Numbers:
    k = max(2, min(round(0.03 * len(t)), across // 4))
    ends = np.array([t[:k].mean(), t[-k:].mean()]), np.array([y[:k].mean(), y[-k:].mean()])
    straight = line(*ends).at(t)
    if kind == "linear":
        return np.asarray(straight)
    base = straight
    for _ in range(30):
        steps = np.concatenate([[0.0], np.cumsum((y - base)[1:] * np.diff(t))])
        if steps[-1] == 0:
            break
        share = np.clip(steps / steps[-1], 0.0, 1.0)
        new = ends[1][0] + (ends[1][1] - ends[1][0]) * share
        if np.abs(new - base).max() <= 1e-9 * max(np.ptp(y), 1e-300):
            break
        base = new
    return np.asarray(base)


def _check_ends(t: Numbers, T: Numbers, above: Numbers, top: int, height: float, across: int) -> None:
    """Refuse an event whose signal has not come to rest on the baseline at both limits."""
    k = max(5, min(len(t) // 20, across // 3))
    for part, which, place in ((slice(0, k), "lower", 0), (slice(-k, None), "upper", -1)):
        if T[-1] < T[0]:
            which = "upper" if which == "lower" else "lower"
        fitted = line(t[part], above[part])
        drift = abs(fitted.slope) - 2 * fitted.slope_error
        if max(drift * abs(t[top] - t[place]), abs(fitted.at(t[place]))) > _STILL_CHANGING * height:
            raise CannotDescribe(
                f"the event is cut off at its {which} limit, {T[place]:.4g} °C: the signal still changes there. Take "
                "limits further out; if the run ends there, measure further"
            )


def _tangent(T: Numbers, up: Numbers, slope: Numbers, flank: slice, sign: float) -> float:
    """Where the tangent at the steepest point of a flank meets the baseline."""
    steep = sign * slope[flank]
    at = int(np.argmax(steep))
    near = steep >= 0.9 * steep[at]
    a = b = at
    while a > 0 and near[a - 1]:
        a -= 1
    while b < len(steep) - 1 and near[b + 1]:
        b += 1
    a, b = max(0, min(a, at - 1)), min(len(steep), max(b, at + 1) + 1)
    T, up = T[flank][a:b], up[flank][a:b]
    tangent = line(T, up)
    if tangent.slope == 0:
        raise CannotDescribe("a flank of the event has no slope")
    return tangent.zero()


def _summit(T: Numbers, up: Numbers, top: int) -> float:
    """The peak between the points: of the parabola through the three around the highest."""
    a, b, c = up[top - 1 : top + 2]
    bend = a - 2 * b + c
    shift = 0.5 * (a - c) / bend if bend < 0 else 0.0
    return float(np.interp(top + shift, np.arange(len(T)), T))


def spread(
    segment: Segment, low: float, high: float, baseline: str, nominal: Event
) -> dict[str, float | None]:
    """How far the numbers go when the limits move by 5 % of their distance and the baseline is the other kind.

    Root mean square of the differences from the nominal numbers; None if no variation can be evaluated.
    """
    by = 0.05 * (high - low)
    other = "integral" if baseline == "linear" else "linear"
    varied = []
    for variation in (
        (low + by, high, baseline),
        (low - by, high, baseline),
        (low, high - by, baseline),
        (low, high + by, baseline),
        (low, high, other),
    ):
        try:
            varied.append(evaluate(segment, *variation))
        except CannotDescribe:
            continue
    names = ("onset", "peak", "end", "area")
    if not varied:
        return dict.fromkeys(names)
    return {
        n: float(np.sqrt(np.mean([(getattr(v, n) - getattr(nominal, n)) ** 2 for v in varied])))
        for n in names
    }
