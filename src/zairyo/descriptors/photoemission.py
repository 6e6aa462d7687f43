"""Photoelectron lines: areas over a background, and the composition they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zairyo.descriptors._api import CannotDescribe, Found, Method, Parameter, Region, Term
from zairyo.descriptors._curve import Curve, curve
from zairyo.descriptors._numeric import Numbers, condition, first, need, times
from zairyo.descriptors._photo_background import BACKGROUNDS
from zairyo.measurement import Entry, units

_TECHNIQUES = ("xps", "ups")
#: Longer regions are surveys with several lines.
_SURVEY_EV = 80.0
#: Tougaard's background needs the losses that follow a line.
_TOUGAARD_EV = 30.0


@dataclass(frozen=True)
class _Line:
    """A line over its background; energies on the region's own axis."""

    item: str
    area: float
    error: float
    energy: float
    width: float | None
    low: float
    high: float
    unit: str | None
    axis: str
    warnings: tuple[str, ...]


def _lines(entry: Entry, told: dict[str, Any]) -> list[_Line]:
    """One line of each spectrum of an entry: of a region, or of every row of a depth profile or line scan."""
    axis = first(entry, "binding_energy", "kinetic_energy")
    if not axis or axis not in entry.signal.axes:
        raise CannotDescribe(f"the default signal of entry {entry.name} is not over an energy")
    over = entry.signal.axes
    if len(over) > 2 or over[-1] != axis:
        raise CannotDescribe(
            f"{entry.signal.name} is over {', '.join(over)}; a spectrum, or rows of spectra, is needed"
        )
    if len(over) == 1:
        return [_line(curve(entry, axis, "eV", told["low"], told["high"]), axis, "", told)]
    found, reasons = [], []
    for row in range(entry.signal.values.shape[0]):
        item = f"{over[0]}_{row + 1}"
        try:
            found.append(_line(curve(entry, axis, "eV", told["low"], told["high"], row), axis, item, told))
        except CannotDescribe as e:
            reasons.append(f"{item}: {e}")
    if not found:
        raise CannotDescribe("; ".join(reasons[:3]))
    left_out = tuple(f"Not given: {r}." for r in reasons[:5])
    return [replace(one, warnings=one.warnings + left_out) for one in found]


def _line(c: Curve, axis: str, item: str, told: dict[str, Any]) -> _Line:
    span = float(c.x[-1] - c.x[0])
    if span > _SURVEY_EV and (told["low"] is None or told["high"] is None):
        raise CannotDescribe(f"the region is {span:.4g} eV long, a survey; give low and high around one line")
    # Losses go to higher binding energy, lower kinetic energy.
    if axis == "kinetic_energy":
        c = Curve(-c.x[::-1], c.y[::-1], c.sigma[::-1], c.unit, c.warnings)
    area, above = _area(c, told["background"], told["end_points"])
    error = _error(c, told, area)
    if area <= 5 * float(np.sqrt((c.sigma**2).sum())) * c.step:
        raise CannotDescribe("no line stands out of the background between the limits")
    energy, width = _summit(c.x, above)
    warnings = c.warnings
    if told["background"] == "tougaard" and span < _TOUGAARD_EV:
        warnings += (
            f"The region is {span:.3g} eV long; Tougaard's background needs {_TOUGAARD_EV:g} eV and more.",
        )
    sign = -1.0 if axis == "kinetic_energy" else 1.0
    low, high = sorted((sign * float(c.x[0]), sign * float(c.x[-1])))
    return _Line(item, area, error, sign * energy, width, low, high, c.unit, axis, warnings)


def _area(c: Curve, background: str, end_points: int) -> tuple[float, Numbers]:
    k = min(max(1, end_points), len(c.x) // 4)
    base = BACKGROUNDS[background](c.x, c.y, float(c.y[:k].mean()), float(c.y[-k:].mean()))
    above = c.y - base
    return float(np.trapezoid(above, c.x)), above


def _error(c: Curve, told: dict[str, Any], area: float) -> float:
    """Counting, and the choice of limits: each moved inwards by a twentieth, and twice the end points."""
    counted = float(np.sqrt((c.sigma**2).sum())) * c.step
    cut = max(1, len(c.x) // 20)
    whole = slice(0, len(c.x))
    choices = (
        (slice(cut, None), told["end_points"]),
        (slice(0, -cut), told["end_points"]),
        (whole, 2 * told["end_points"]),
    )
    far = []
    for part, points in choices:
        inner = Curve(c.x[part], c.y[part], c.sigma[part], c.unit)
        try:
            far.append((_area(inner, told["background"], points)[0] - area) ** 2)
        except CannotDescribe:
            continue
    return float(np.hypot(counted, np.sqrt(np.mean(far)) if far else 0.0))


def _summit(x: Numbers, above: Numbers) -> tuple[float, float | None]:
    """Energy of the maximum and full width at its half, of the curve smoothed over five points."""
    smooth = need("scipy.signal").savgol_filter(above, 5, 2)
    top = int(np.argmax(smooth[1:-1])) + 1
    a, b, c = smooth[top - 1 : top + 2]
    bend = a - 2 * b + c
    shift = 0.5 * (a - c) / bend if bend < 0 else 0.0
    place = float(np.interp(top + shift, np.arange(len(x)), x))
    half = smooth[top] / 2
    below = smooth < half
    left, right = np.flatnonzero(below[:top]), np.flatnonzero(below[top:])
    if not len(left) or not len(right):
        return place, None
    i, j = int(left[-1]), top + int(right[0])
    start = np.interp(half, [smooth[i], smooth[i + 1]], [x[i], x[i + 1]])
    stop = np.interp(half, [smooth[j], smooth[j - 1]], [x[j], x[j - 1]])
    return place, float(stop - start)


def _areas(entry: Entry, **told: Any) -> Iterator[Found]:
    """Area of the line between two limits over Shirley's, a straight or Tougaard's background.

    The background meets the mean of ``end_points`` points at either limit. The uncertainty joins that of counting
    and the change when the limits move inwards by a twentieth or twice the end points are taken.
    """
    for one in _lines(entry, told):
        region = Region(one.axis, one.low, one.high, "eV")
        settled = {"low": one.low, "high": one.high}
        rest: dict[str, Any] = {
            "item": one.item, "region": region, "settled": settled, "warnings": one.warnings,
        }  # fmt: skip
        unit = times(one.unit, "eV")
        yield Found("line_area", one.area, one.error, unit=unit, **rest)
        yield Found("line_energy", one.energy, **rest)
        if one.width is not None:
            yield Found("line_width", one.width, **rest)


# --- composition -----------------------------------------------------------------------------------------------


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _composition(entries: tuple[Entry, ...], **told: Any) -> Iterator[Found]:
    """Relative atomic fractions of homogeneous matter: A/S of each region over the sum (ISO 18118).

    ``sensitivity_factors`` gives S of each region by the entry's name or the region's (``O1s=2.93``); regions without
    one are not counted. S must be of the same areas: of the whole region, with the analyser's transmission in it.
    Counts are divided by the time they were counted for.
    """
    factors = {_plain(name): factor for name, factor in told["sensitivity_factors"].items()}
    if wrong := [name for name, factor in told["sensitivity_factors"].items() if not factor > 0]:
        raise CannotDescribe(f"the sensitivity factor of {wrong[0]} is not above zero")
    lines: dict[str, list[_Line]] = {}
    used = set()
    for entry in entries:
        region = entry.conditions.get("analysed_region")
        names = [_plain(entry.name), _plain(str(region.value)) if region else ""]
        match = next((n for n in names if n in factors), None)
        if match is None:
            continue
        used.add(match)
        per = factors[match] * _seconds(entry)
        lines[entry.name] = [replace(x, area=x.area / per, error=x.error / per) for x in _lines(entry, told)]
    if missing := set(factors) - used:
        have = ", ".join(e.name for e in entries)
        raise CannotDescribe(f"no region is called {', '.join(sorted(missing))}; there are {have}")
    kinds = {units.to_si(1.0, x.unit or "") for many in lines.values() for x in many}
    if len(kinds) > 1 and not all(x.unit for many in lines.values() for x in many):
        raise CannotDescribe("the regions' intensities have different units")
    by_row: dict[str, list[tuple[str, _Line]]] = {}
    for name, many in lines.items():
        for x in many:
            by_row.setdefault(x.item, []).append((name, x))
    for row, parts in by_row.items():
        if len(parts) < len(lines):
            continue
        yield from _fractions(row, parts)


def _fractions(row: str, parts: list[tuple[str, _Line]]) -> Iterator[Found]:
    areas = np.array([x.area for _, x in parts])
    share = areas / areas.sum()
    relative = np.array([x.error for _, x in parts]) / areas
    for i, (name, x) in enumerate(parts):
        # d ln f_i = (1 − f_i) d ln A_i − Σ_{j≠i} f_j d ln A_j
        slopes = -share
        slopes = np.where(np.arange(len(parts)) == i, 1 - share[i], slopes)
        error = float(share[i] * np.sqrt(np.sum((slopes * relative) ** 2)))
        item = f"{row}/{name}" if row else name
        yield Found("atomic_fraction", 100 * float(share[i]), 100 * error, item=item, warnings=x.warnings)


def _seconds(entry: Entry) -> float:
    """The time behind each count; 1 for rates."""
    unit = entry.signal.unit
    if unit is None or not units.same_dimension(unit, "counts"):
        return 1.0
    dwell = condition(entry, "dwell_time", "s")
    if not dwell:
        raise CannotDescribe(
            f"region {entry.name} is in counts and states no dwell time; areas cannot be compared"
        )
    return dwell * (condition(entry, "repetitions", "") or 1.0)


_TOLD = (
    Parameter(
        "background",
        "Background",
        "バックグラウンド",
        "shirley",
        kind="choice",
        choices=tuple(BACKGROUNDS),
    ),
    Parameter("low", "Lower limit of the energy; the region's if none", "下限エネルギー", unit="eV"),
    Parameter("high", "Upper limit of the energy; the region's if none", "上限エネルギー", unit="eV"),
    Parameter("end_points", "Points averaged at each limit", "端点の平均点数", 5, kind="whole"),
)

METHODS = (
    Method(
        "xps_areas",
        "1",
        _TECHNIQUES,
        (
            Term("line_area", None, "Area of the line", "ピーク面積"),
            Term("line_energy", "eV", "Energy of the maximum", "ピークエネルギー"),
            Term("line_width", "eV", "Full width at half maximum of the line", "ピーク半値全幅"),
        ),
        _TOLD,
        _areas,
        "Areas of photoelectron lines",
        "光電子ピーク面積",
        "Shirley 1972; Proctor & Sherwood 1982; Tougaard 1988; ISO 20903",
    ),
    Method(
        "xps_composition",
        "1",
        ("xps",),
        (Term("atomic_fraction", "percent", "Relative atomic fraction", "相対原子濃度"),),
        (
            Parameter(
                "sensitivity_factors",
                "Relative sensitivity factors of the regions, as C1s=1,O1s=2.93",
                "相対感度係数",
                kind="numbers",
                required=True,
            ),
            *_TOLD,
        ),
        _composition,
        "Composition",
        "組成",
        "ISO 18118",
        together=True,
    ),
)
