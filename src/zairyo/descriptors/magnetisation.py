"""Hysteresis loops: saturation, coercivity, remanence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import pi
from typing import Any

import numpy as np

from zairyo.descriptors._api import CannotDescribe, Found, Method, Parameter, Region, Term
from zairyo.descriptors._numeric import Numbers, column, condition, first, has, line
from zairyo.measurement import Entry, units

_FEWEST = 12
#: Rows belong to one loop while the temperature stays within so much of where it began.
_SAME_TEMPERATURE_K = 1.0
_SAME_TEMPERATURE_SHARE = 0.02
_MOMENTS = (
    "magnetic_moment",
    "magnetic_moment_free_centre",
    "magnetic_moment_fixed_centre",
)
#: What of the moment is divided by what: the unit of the result, and of the size.
_PER = {"mass": ("emu/g", "sample_mass", "g"), "volume": ("emu/cm**3", "sample_volume", "cm**3")}
_OERSTED_PER_TESLA = 1e4


@dataclass(frozen=True)
class _Loop:
    """Field in Oe and magnetisation in ``unit``, in the order of measuring."""

    item: str
    field: Numbers
    moment: Numbers


def _field(entry: Entry) -> Numbers:
    if not has(entry, "magnetic_field"):
        raise CannotDescribe(f"entry {entry.name} has no magnetic field column")
    unit = entry["magnetic_field"].unit
    if unit and units.same_dimension(unit, "T"):
        return column(entry, "magnetic_field", "T") * _OERSTED_PER_TESLA
    return column(entry, "magnetic_field", "Oe")


def _moment(entry: Entry, told: dict[str, Any]) -> tuple[Numbers, str, dict[str, float | None]]:
    """Magnetisation with its unit: as recorded, else the moment per mass where that is known, else the moment."""
    sizes = {
        "mass": told["sample_mass"] or condition(entry, "sample_mass", "g"),
        "volume": told["sample_volume"] or condition(entry, "sample_volume", "cm**3"),
    }
    settled = {"sample_mass": sizes["mass"], "sample_volume": sizes["volume"]}
    if has(entry, "magnetisation") and told["per"] == "auto":
        for unit in ("emu/g", "emu/cm**3"):
            if units.same_dimension(entry["magnetisation"].unit or "", unit):
                return column(entry, "magnetisation", unit), unit, settled
        raise CannotDescribe(
            f"magnetisation is in {entry['magnetisation'].unit or 'no unit'}; emu/g or A/m is needed"
        )
    name = first(entry, *_MOMENTS)
    if not name:
        raise CannotDescribe(f"entry {entry.name} has neither a magnetisation nor a magnetic moment")
    moment = column(entry, name, "emu")
    per = ("mass" if sizes["mass"] else "moment") if told["per"] == "auto" else told["per"]
    if per == "moment":
        return moment, "emu", settled
    unit, what, _ = _PER[per]
    size = sizes[per]
    if not size:
        raise CannotDescribe(f"the {what.replace('_', ' ')} is not stated; give {what}")
    return moment / size, unit, settled


def _loops(entry: Entry, field: Numbers, moment: Numbers) -> list[_Loop]:
    """The parts of a run at one temperature in which the field is swept."""
    good = np.isfinite(field) & np.isfinite(moment)
    temperature = (
        column(entry, "temperature", "K") if has(entry, "temperature") else np.full(len(field), 300.0)
    )
    good &= np.isfinite(temperature)
    field, moment, temperature = field[good], moment[good], temperature[good]
    starts = [0]
    for i, t in enumerate(temperature):
        begun = temperature[starts[-1]]
        if abs(t - begun) > max(_SAME_TEMPERATURE_K, _SAME_TEMPERATURE_SHARE * begun):
            starts.append(i)
    parts = [slice(a, b) for a, b in pairwise([*starts, len(field)])]
    swept = [
        p for p in parts
        if p.stop - p.start >= _FEWEST and np.ptp(field[p]) > 0.5 * np.abs(field[p]).max()
    ]  # fmt: skip
    if not swept:
        raise CannotDescribe(
            "the field is not swept at a constant temperature; saturation and coercivity need a loop over the field"
        )
    many = len(swept) > 1
    return [
        _Loop(f"loop_{i}_{np.median(temperature[p]):.4g}K" if many else "", field[p], moment[p])
        for i, p in enumerate(swept, start=1)
    ]


def _branches(field: Numbers) -> list[tuple[int, slice]]:
    """Parts in which the field goes one way (+1, −1), turning where it comes back by 5 % of its range."""
    back = 0.05 * float(np.ptp(field))
    found: list[tuple[int, slice]] = []
    begin, extreme, way = 0, 0, 0
    for i in range(1, len(field)):
        if way == 0:
            way = int(np.sign(field[i] - field[0])) if abs(field[i] - field[0]) > back else 0
            extreme = i
        elif way * (field[i] - field[extreme]) >= 0:
            extreme = i
        elif way * (field[extreme] - field[i]) > back:
            found.append((way, slice(begin, extreme + 1)))
            begin, extreme, way = extreme, i, -way
    if way:
        found.append((way, slice(begin, len(field))))
    return found


def _describe(entry: Entry, **told: Any) -> Iterator[Found]:
    """Ms by the law of approach to saturation, M = Ms (1 − b/H²) + χ H (Akulov 1931; Néel 1948), or a straight line.

    Fitted to the part of either end of the loop above ``field_share`` of the highest field; Ms is half the distance
    between both ends, so that an offset of the moment does not count. Hc is half the distance of the fields at which
    the falling and the rising branch cross zero, Mr that of their magnetisations at zero field; both from the line
    through the four nearest points, whose scatter gives the uncertainty. Fields are as applied unless
    ``demagnetising_factor`` is given: then H − 4π N M (cgs) takes their place.
    """
    field = _field(entry)
    moment, unit, sizes = _moment(entry, told)
    if told["demagnetising_factor"] is not None:
        field = field - 4 * pi * told["demagnetising_factor"] * _per_volume(moment, unit, sizes)
    refused = []
    loops = _loops(entry, field, moment)
    for loop in loops:
        try:
            yield from _loop(loop, unit, sizes, told, entry)
        except CannotDescribe as e:
            refused.append(f"{loop.item}: {e}" if loop.item else str(e))
    if len(refused) == len(loops):
        raise CannotDescribe("; ".join(refused[:3]))


def _per_volume(moment: Numbers, unit: str, sizes: dict[str, float | None]) -> Numbers:
    if unit == "emu/cm**3":
        return moment
    volume, mass = sizes["sample_volume"], sizes["sample_mass"]
    if not volume or (unit == "emu/g" and not mass):
        raise CannotDescribe(
            "correcting for the demagnetising field needs the sample's volume; give sample_volume"
        )
    return moment * (mass or 1.0 if unit == "emu/g" else 1.0) / volume


@dataclass(frozen=True)
class _End:
    """One end of the loop, as if at positive field: Ms and χ with their errors, and how far the data got."""

    saturation: float
    saturation_error: float
    susceptibility: float
    susceptibility_error: float
    reached: float


def _end(field: Numbers, moment: Numbers, sign: int, told: dict[str, Any]) -> _End | None:
    h, m = sign * field, sign * moment
    highest = float(np.abs(field).max())
    rows = h >= told["field_share"] * highest
    if rows.sum() < 5 or not h[rows].max() > 0:
        return None
    x, y = h[rows] / highest, m[rows]
    columns = [np.ones_like(x), x]
    if told["saturation"] == "approach":
        columns.append(1 / x**2)
    a = np.column_stack(columns)
    solved, _, rank, _ = np.linalg.lstsq(a, y, rcond=None)
    free = len(y) - a.shape[1]
    if rank < a.shape[1] or free < 1:
        return None
    rest = y - a @ solved
    covariance = np.linalg.inv(a.T @ a) * float(rest @ rest) / free
    errors = np.sqrt(np.diag(covariance))
    return _End(
        float(solved[0]),
        float(errors[0]),
        float(solved[1]) / highest,
        float(errors[1]) / highest,
        float(y[np.argsort(x)[-3:]].mean()),
    )


def _loop(
    loop: _Loop, unit: str, sizes: dict[str, float | None], told: dict[str, Any], entry: Entry
) -> Iterator[Found]:
    ends = [e for e in (_end(loop.field, loop.moment, s, told) for s in (1, -1)) if e is not None]
    if not ends:
        raise CannotDescribe(
            f"fewer than 5 points are above {told['field_share']:g} of the highest field; take a lower field_share"
        )
    saturation = float(np.mean([e.saturation for e in ends]))
    error = float(np.sqrt(np.sum([e.saturation_error**2 for e in ends]))) / len(ends)
    chi = float(np.mean([e.susceptibility for e in ends]))
    chi_error = float(np.sqrt(np.sum([e.susceptibility_error**2 for e in ends]))) / len(ends)
    highest = float(np.abs(loop.field).max())
    if saturation <= max(3 * error, 1e-3 * abs(chi) * highest):
        raise CannotDescribe(
            "the magnetisation does not saturate: it is proportional to the field within its scatter, as of a "
            "paramagnet or diamagnet"
        )
    warnings: tuple[str, ...] = ()
    without_slope = float(np.mean([e.reached - e.susceptibility * highest for e in ends]))
    if without_slope < 0.9 * saturation:
        warnings += (
            f"At the highest field the sample has {100 * without_slope / saturation:.2g} % of the extrapolated "
            "saturation: it is far from it.",
        )
    if abs(chi) * highest > 0.2 * saturation:
        warnings += (
            f"The high-field slope adds {100 * chi * highest / saturation:.2g} % of the saturation at the highest "
            "field: either the sample is not saturated there, or a paramagnetic or diamagnetic part is with it.",
        )
    if len(ends) == 1:
        warnings += ("Only one end of the loop was measured: an offset of the moment is in the saturation.",)
    per_field = f"{unit}/Oe"

    def found(name: str, value: float, uncertainty: float | None, of: str | None = None) -> Found:
        region = Region("magnetic_field", -highest, highest, "Oe") if entry.x == "magnetic_field" else None
        return Found(name, value, uncertainty, of, loop.item, region, sizes, warnings)

    yield found("saturation_magnetisation", saturation, error, unit)
    yield found("high_field_susceptibility", chi, chi_error, per_field)
    moment = loop.moment - chi * loop.field if told["subtract_slope"] else loop.moment
    pair = _full_pair(loop.field)
    if pair is None:
        return
    zeros = [_crossing(loop.field[p], moment[p]) for p in pair]
    rests = [_at_zero(loop.field[p], moment[p]) for p in pair]
    fall, rise = zeros
    if fall is not None and rise is not None:
        (down, down_error), (up, up_error) = fall, rise
        both = float(np.hypot(down_error, up_error)) / 2
        yield found("coercivity", (up - down) / 2, both)
        yield found("loop_shift", (up + down) / 2, both)
    fall, rise = rests
    if fall is not None and rise is not None:
        (down, down_error), (up, up_error) = fall, rise
        remanence, both = (down - up) / 2, float(np.hypot(down_error, up_error)) / 2
        yield found("remanent_magnetisation", remanence, both, unit)
        share = remanence / saturation
        relative = np.hypot(both / saturation, share * error / saturation)
        yield found("squareness", share, float(relative))


def _full_pair(field: Numbers) -> tuple[slice, slice] | None:
    """The first falling and the first rising branch that go from half the highest field to half the lowest."""
    half = 0.5 * float(np.abs(field).max())
    full = [(w, p) for w, p in _branches(field) if field[p].max() >= half and field[p].min() <= -half]
    down, up = (next((p for w, p in full if w == way), None) for way in (-1, 1))
    return None if down is None or up is None else (down, up)


def _nearest(x: Numbers, y: Numbers, after: int) -> tuple[Numbers, Numbers]:
    rows = slice(max(0, after - 1), after + 3)
    return x[rows], y[rows]


def _crossing(field: Numbers, moment: Numbers) -> tuple[float, float] | None:
    """The field at which the magnetisation changes its sign for good, and its error."""
    changes = np.flatnonzero(np.sign(moment[:-1]) * np.sign(moment[1:]) <= 0)
    if not len(changes):
        return None
    at = int(changes[len(changes) // 2])
    return _zero_of(*_nearest(field, moment, at), (field[at], field[at + 1]), (moment[at], moment[at + 1]))


def _zero_of(
    h: Numbers, m: Numbers, field: tuple[float, float], moment: tuple[float, float]
) -> tuple[float, float]:
    """Between the two points about it; the error is the scatter about the line through the nearest ones."""
    (a, b), (y, z) = field, moment
    place = a if y == z else a - y * (b - a) / (z - y)
    try:
        fitted = line(h, m)
    except CannotDescribe:
        return float(place), float("nan")
    error = fitted.scatter / abs(fitted.slope) / fitted.count**0.5 if fitted.slope else float("nan")
    return float(place), float(error)


def _at_zero(field: Numbers, moment: Numbers) -> tuple[float, float] | None:
    """The magnetisation at zero field, and its error."""
    changes = np.flatnonzero(np.sign(field[:-1]) * np.sign(field[1:]) <= 0)
    if not len(changes):
        return None
    at = int(changes[0])
    h, m = field[at : at + 2], moment[at : at + 2]
    value = float(m[0] if h[0] == h[1] else m[0] - h[0] * (m[1] - m[0]) / (h[1] - h[0]))
    try:
        fitted = line(*_nearest(field, moment, at))
    except CannotDescribe:
        return value, float("nan")
    return value, fitted.scatter / fitted.count**0.5


METHODS = (
    Method(
        "hysteresis",
        "1",
        ("magnetometry",),
        (
            Term("saturation_magnetisation", None, "Saturation magnetisation Ms", "飽和磁化 Ms"),
            Term("remanent_magnetisation", None, "Remanent magnetisation Mr", "残留磁化 Mr"),
            Term("coercivity", "Oe", "Coercivity Hc", "保磁力 Hc"),
            Term("loop_shift", "Oe", "Shift of the loop along the field", "ループの磁場方向シフト"),
            Term("squareness", "", "Squareness Mr/Ms", "角形比 Mr/Ms"),
            Term("high_field_susceptibility", None, "High-field susceptibility", "高磁場磁化率"),
        ),
        (
            Parameter(
                "saturation",
                "How Ms is extrapolated: law of approach, or a straight line",
                "飽和磁化の外挿法",
                "approach",
                kind="choice",
                choices=("approach", "linear"),
            ),
            Parameter(
                "field_share",
                "From which share of the highest field",
                "外挿の下限磁場（最大比）",
                0.6,
                "",
            ),
            Parameter(
                "subtract_slope",
                "Whether the high-field slope is taken off for Hc and Mr",
                "高磁場の傾きを除く",
                False,
                kind="truth",
            ),
            Parameter(
                "per",
                "Moment per what; auto: as recorded, else per mass if it is known",
                "規格化",
                "auto",
                kind="choice",
                choices=("auto", "moment", "mass", "volume"),
            ),
            Parameter("sample_mass", "Sample mass; the stated one if none", "試料質量", unit="g"),
            Parameter("sample_volume", "Sample volume; the stated one if none", "試料体積", unit="cm**3"),
            Parameter(
                "demagnetising_factor",
                "Demagnetising factor N; not corrected if none",
                "反磁場係数",
                unit="",
            ),
        ),
        _describe,
        "Hysteresis loop",
        "磁気ヒステリシス",
        "Akulov 1931; Néel 1948; Cullity & Graham, Introduction to Magnetic Materials",
    ),
)
