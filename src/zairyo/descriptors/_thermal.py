"""Runs of thermal analysis: their heating, cooling and isothermal parts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from zairyo.descriptors._api import CannotDescribe
from zairyo.descriptors._numeric import Numbers, column, condition, first, has, need
from zairyo.measurement import Entry

_FEWEST = 20


@dataclass(frozen=True)
class Segment:
    """A part of one heating rate: ``heating_1`` …, in the order of the run."""

    name: str
    time: Numbers  # s, ascending
    temperature: Numbers  # degC, of the sample where measured
    signal: Numbers
    first: bool
    last: bool

    @property
    def kind(self) -> str:
        return self.name.partition("_")[0]

    @property
    def rate(self) -> float:
        """Mean heating rate, K/s; negative in cooling."""
        return float((self.temperature[-1] - self.temperature[0]) / (self.time[-1] - self.time[0]))


def segments(entry: Entry, signal: Numbers) -> list[Segment]:
    """Split a run where the programme turns from heating to holding to cooling.

    Parameters
    ----------
    signal
        Shape as the entry's columns; rows where it, time or temperature are no numbers are left out.

    Raises
    ------
    CannotDescribe
        There is no temperature, or nothing that tells the time.
    """
    name = first(entry, "temperature", "furnace_temperature", "reference_temperature", "program_temperature")
    if not name:
        raise CannotDescribe(f"entry {entry.name} has no temperature")
    temperature = column(entry, name, "degC")
    programme = first(entry, "program_temperature", "reference_temperature", name)
    steered = column(entry, programme, "degC")
    if not (np.nanmax(steered, initial=-np.inf) > np.nanmin(steered, initial=np.inf)):
        steered = temperature  # a programme that says nothing
    time = _time(entry, temperature)
    good = np.isfinite(time) & np.isfinite(temperature) & np.isfinite(signal) & np.isfinite(steered)
    time, temperature, steered, signal = time[good], temperature[good], steered[good], signal[good]
    later = np.concatenate([[True], np.diff(time) > 0]) if len(time) else np.zeros(0, bool)
    time, temperature, steered, signal = time[later], temperature[later], steered[later], signal[later]
    if len(time) < _FEWEST:
        raise CannotDescribe(f"the run has {len(time)} usable points; at least {_FEWEST} are needed")
    bounds, kinds = _parts(time, steered)
    count: dict[str, int] = {}
    found = []
    for (a, b), kind in zip(bounds, kinds, strict=True):
        count[kind] = count.get(kind, 0) + 1
        part = slice(a, b)
        found.append(
            Segment(
                f"{kind}_{count[kind]}",
                time[part],
                temperature[part],
                signal[part],
                first=a == 0,
                last=b == len(time),
            )
        )
    return found


def _time(entry: Entry, temperature: Numbers) -> Numbers:
    if has(entry, "time"):
        return column(entry, "time", "s", unstated=True)
    rate = condition(entry, "heating_rate", "K/s")
    if rate:
        return np.asarray((temperature - temperature[0]) / rate)
    raise CannotDescribe(f"entry {entry.name} has neither a time nor a heating rate")


def _parts(time: Numbers, temperature: Numbers) -> tuple[list[tuple[int, int]], list[str]]:
    """Bounds (from, to) and kinds of the parts; parts shorter than 2 % of the run go to the one before."""
    ndimage = need("scipy.ndimage")
    size = max(5, len(time) // 100) | 1
    rate = np.gradient(ndimage.uniform_filter1d(temperature, size, mode="nearest"), time)
    rate = np.nan_to_num(ndimage.median_filter(rate, size, mode="nearest"))
    fast = float(np.percentile(np.abs(rate), 95))
    kind = np.zeros(len(time), int) if fast == 0 else np.where(np.abs(rate) < 0.15 * fast, 0, np.sign(rate))
    edges = np.concatenate([[0], np.flatnonzero(np.diff(kind)) + 1, [len(kind)]])
    runs = [[int(a), int(b), int(kind[a])] for a, b in pairwise(edges)]
    merged: list[list[int]] = []
    for a, b, k in runs:
        if merged and (b - a < max(_FEWEST, len(time) // 50) or merged[-1][2] == k):
            merged[-1][1] = b
        elif merged and merged[-1][1] - merged[-1][0] < max(_FEWEST, len(time) // 50):
            merged[-1][1:] = [b, k]
        else:
            merged.append([a, b, k])
    names = {0: "isothermal", 1: "heating", -1: "cooling"}
    return [(a, b) for a, b, _ in merged], [names[k] for *_, k in merged]


def between(x: Numbers, low: float, high: float) -> slice:
    """The longest run of points whose ``x`` is within the limits."""
    inside = np.concatenate([[False], (x >= low) & (x <= high), [False]])
    edges = np.flatnonzero(np.diff(inside.astype(int)))
    if not len(edges):
        return slice(0, 0)
    runs = edges.reshape(-1, 2)
    a, b = runs[int(np.argmax(runs[:, 1] - runs[:, 0]))]
    return slice(int(a), int(b))


def covers(segment: Segment, low: float, high: float) -> bool:
    """Whether the part reaches over the limits, up to the distance of its points."""
    T = segment.temperature
    slack = 2 * float(np.median(np.abs(np.diff(T))))
    return float(T.min()) <= low + slack and float(T.max()) >= high - slack


def smoothed(y: Numbers, window: int, derivative: int = 0) -> Numbers:
    """Savitzky & Golay's local parabola over ``window`` points (odd, at least 5), per point."""
    window = min(max(5, window | 1), (len(y) - 1) | 1)
    if window > len(y):
        window -= 2
    return np.asarray(need("scipy.signal").savgol_filter(y, window, 2, deriv=derivative))
