"""Tensile tests: modulus, yield and tensile strength, elongations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np

from zairyo.descriptors._api import CannotDescribe, Found, Method, Parameter, Region, Term
from zairyo.descriptors._numeric import Line, Numbers, column, condition, crossing, first, has, line
from zairyo.measurement import Entry

#: A specimen is broken where the stress falls by this share of its maximum within a hundredth of the test.
_BREAK = 0.3
_CROSSHEAD = (
    "Strain is from the crosshead: it includes the machine's and the grips' compliance, so that modulus and "
    "elongations are not the specimen's alone."
)


@dataclass(frozen=True)
class _Test:
    """Strain (plain number) and stress (MPa), in the order of the test."""

    strain: Numbers
    stress: Numbers
    warnings: tuple[str, ...]
    settled: dict[str, float | None]
    axis: str  # what the default plot is along, if it is the strain
    per_strain: float  # strain × this is the axis' value


def _test(entry: Entry, told: dict[str, Any]) -> _Test:
    stress, area = _stress(entry, told["cross_section"])
    strain, gauge, warnings, name = _strain(entry, told["gauge_length"])
    good = np.isfinite(stress) & np.isfinite(strain)
    stress, strain = stress[good], strain[good]
    if len(stress) < 20:
        raise CannotDescribe(f"the test has {len(stress)} usable points; at least 20 are needed")
    if stress.max() <= 0 or stress.max() < -stress.min():
        raise CannotDescribe("the force is not tensile (positive): this is no tensile test")
    axis, per = "", 1.0
    if entry.x == name:
        unit = entry[name].unit
        axis, per = name, {"percent": 100.0, "": 1.0}.get(unit or "", 1.0)
        if name != "strain" and gauge:
            per = gauge * {"mm": 1.0, "um": 1e3, "m": 1e-3}.get(unit or "", float("nan"))
    settled = {"cross_section": area, "gauge_length": gauge}
    return _Test(strain, stress, warnings, settled, axis if np.isfinite(per) else "", per)


def _stress(entry: Entry, area_mm2: float | None) -> tuple[Numbers, float | None]:
    if has(entry, "stress") and area_mm2 is None:
        return column(entry, "stress", "MPa"), None
    if not has(entry, "force"):
        raise CannotDescribe(f"entry {entry.name} has neither stress nor force")
    area = area_mm2 or condition(entry, "cross_section", "mm**2")
    if not area:
        sides = [condition(entry, n, "mm") for n in ("sample_width", "sample_thickness")]
        diameter = condition(entry, "sample_diameter", "mm")
        if sides[0] and sides[1]:
            area = sides[0] * sides[1]
        elif diameter:
            area = pi * diameter**2 / 4
    if not area or area <= 0:
        known = [n for n in ("sample_width", "sample_thickness") if condition(entry, n, "mm")]
        only = f" (only {known[0]} is stated)" if known else ""
        raise CannotDescribe(f"the force needs the specimen's cross-section{only}; give cross_section")
    return column(entry, "force", "N") / area, area


def _strain(entry: Entry, gauge_mm: float | None) -> tuple[Numbers, float | None, tuple[str, ...], str]:
    gauge = gauge_mm or condition(entry, "gauge_length", "mm")
    if has(entry, "strain") and gauge_mm is None:
        if entry["strain"].unit is None:
            raise CannotDescribe(
                "the strain has no unit: percent or plain number is not known; give gauge_length"
            )
        return column(entry, "strain", ""), gauge, (), "strain"
    name = first(entry, "extension", "displacement", "position")
    if not name:
        raise CannotDescribe(f"entry {entry.name} has neither strain nor extension nor displacement")
    warnings = () if name == "extension" else (_CROSSHEAD,)
    if not gauge and name != "extension":
        gauge = condition(entry, "span", "mm") or condition(entry, "sample_length", "mm")
    if not gauge or gauge <= 0:
        span = condition(entry, "span", "mm")
        stated = f" (stated is the span of {span:g} mm)" if span else ""
        raise CannotDescribe(f"the {name} needs the gauge length{stated}; give gauge_length")
    length = column(entry, name, "mm")
    return (length - length[np.isfinite(length)][:1]) / gauge, gauge, warnings, name


def _describe(entry: Entry, **told: Any) -> Iterator[Found]:
    """Properties after ISO 6892-1, from engineering stress and strain.

    E is the slope of the straight line fitted between ``strain_low`` and ``strain_high`` (ISO 527-1 takes 0.05 and
    0.25 %); its uncertainty joins the fit's and the spread when the limits are moved inwards by a fifth of their
    distance. Rp is where the curve meets the line moved by ``offset`` (0.2 %) from where it crosses zero stress.
    ReH is the stress before the first fall by ``yield_drop`` of it, ReL the lowest after that before the curve
    comes back to ReH. Ag and A are plastic: the elastic strain stress/E is taken off.
    """
    test = _test(entry, told)
    top = int(np.argmax(test.stress))
    low, high, offset = (told[name] / 100 for name in ("strain_low", "strain_high", "offset"))
    if low >= high:
        raise CannotDescribe("strain_low is not below strain_high")
    elastic = _elastic(test, top, low, high)
    error = _modulus_error(test, top, low, high, elastic)
    broken = _break(test, top)
    warnings = test.warnings + _straightness(test, top, low, high, elastic)
    if broken is None:
        warnings += ("The record ends without a fall of the stress: no elongation after fracture is given.",)

    def found(name: str, value: float, uncertainty: float | None, *ends: float) -> Found:
        region = None
        if test.axis and ends:
            places = [e * test.per_strain for e in ends]
            region = Region(test.axis, min(places), max(places), entry[test.axis].unit)
        return Found(name, value, uncertainty, region=region, settled=test.settled, warnings=warnings)

    start, slope = elastic.zero(), elastic.slope
    highest, at_top = float(test.stress[top]), float(test.strain[top])
    yield found("youngs_modulus", slope / 1000, error / 1000, low, high)
    proof = _proof(test, top, elastic.slope, start, offset)
    if proof is not None:
        others = [_proof(test, top, slope + d, start, offset) for d in (error, -error)]
        far = [abs(o[1] - proof[1]) for o in others if o is not None]
        yield found("proof_strength", proof[1], max(far) if far else None, start, proof[0])
    if drop := _yield_points(test, top, told["yield_drop"] / 100, told["yield_range"] / 100):
        yield found("upper_yield_strength", drop[0], None)
        yield found("lower_yield_strength", drop[1], None)
    yield found("tensile_strength", highest, None, at_top, at_top)
    yield found("elongation_at_maximum_force_total", 100 * (at_top - start), None, start, at_top)
    elastic_error = 100 * error / slope**2  # of stress/E, in percent a MPa
    plastic = at_top - start - highest / slope
    yield found("elongation_at_maximum_force", 100 * plastic, highest * elastic_error, start, at_top)
    if broken is not None:
        stress, strain = float(test.stress[broken]), float(test.strain[broken])
        after = strain - start - stress / slope
        yield found("elongation_after_fracture", 100 * after, stress * elastic_error, start, strain)


def _modulus_error(test: _Test, top: int, low: float, high: float, elastic: Line) -> float:
    """Of the fit, and of the limits when either is moved inwards by a fifth of their distance."""
    fifth = 0.2 * (high - low)
    moved = [_elastic_or_none(test, top, *ends) for ends in ((low + fifth, high), (low, high - fifth))]
    far = [(m.slope - elastic.slope) ** 2 for m in moved if m is not None]
    return float(np.sqrt(elastic.slope_error**2 + (np.mean(far) if far else 0.0)))


def _elastic(test: _Test, top: int, low: float, high: float) -> Line:
    rising = slice(0, top + 1)
    strain, stress = test.strain[rising], test.stress[rising]
    past = np.flatnonzero(strain >= high)
    if not len(past):
        raise CannotDescribe(
            f"the specimen is not strained to {100 * high:g} % before its maximum stress; take a lower strain_high"
        )
    rows = np.flatnonzero(strain[: past[0] + 1] >= low)
    rows = np.arange(rows[0], past[0] + 1) if len(rows) else rows
    rows = rows[(strain[rows] >= low) & (strain[rows] <= high)]
    if len(rows) < 4:
        raise CannotDescribe(
            f"{len(rows)} points are between {100 * low:g} and {100 * high:g} % strain; 4 are needed for a modulus"
        )
    fitted = line(strain[rows], stress[rows])
    if fitted.slope <= 0:
        raise CannotDescribe(f"the stress does not rise between {100 * low:g} and {100 * high:g} % strain")
    return fitted


def _elastic_or_none(test: _Test, top: int, low: float, high: float) -> Line | None:
    try:
        return _elastic(test, top, low, high)
    except CannotDescribe:
        return None


def _straightness(test: _Test, top: int, low: float, high: float, elastic: Line) -> tuple[str, ...]:
    """A word where the limits are not on a straight line: slopes of their halves that differ by a tenth."""
    middle = (low + high) / 2
    halves = [_elastic_or_none(test, top, *ends) for ends in ((low, middle), (middle, high))]
    slopes = [h for h in halves if h is not None]
    if len(slopes) < 2:
        return ()
    apart = abs(slopes[0].slope - slopes[1].slope)
    noise = 3 * (slopes[0].slope_error ** 2 + slopes[1].slope_error ** 2) ** 0.5
    if apart > max(0.1 * elastic.slope, noise if np.isfinite(noise) else 0.0):
        return ("The curve is not straight between strain_low and strain_high: the modulus depends on them.",)
    return ()


def _proof(test: _Test, top: int, slope: float, start: float, offset: float) -> tuple[float, float] | None:
    """Strain and stress where the curve first meets the line moved by the offset; None if it breaks before."""
    distance = test.stress - slope * (test.strain - start - offset)
    begin = np.flatnonzero((test.strain > start + offset) & (distance > 0))
    if not len(begin) or begin[0] > top:
        return None
    end = _break(test, top)
    last = len(distance) if end is None else end + 1
    strain = crossing(test.strain[:last], distance[:last], 0.0, int(begin[0]), 1)
    return None if strain is None else (strain, slope * (strain - start - offset))


def _yield_points(test: _Test, top: int, drop: float, within: float) -> tuple[float, float] | None:
    """ReH and ReL, where the stress falls by ``drop`` of itself before it rises again; the maximum may be ReH."""
    early = np.flatnonzero(test.strain <= test.strain[0] + within)
    stress = test.stress[early]
    highest = np.maximum.accumulate(stress)
    fallen = np.flatnonzero(stress < (1 - drop) * highest)
    fallen = fallen[highest[fallen] > 0.2 * test.stress[top]] if len(fallen) else fallen
    if not len(fallen):
        return None
    upper = float(highest[fallen[0]])
    after = test.stress[fallen[0] :]
    back = np.flatnonzero(after >= upper)
    if not len(back) or len(back) == len(after):
        return None  # it breaks or necks rather than yields
    valley = after[: back[0]]
    # The first undershoot after the fall is the machine's, not the material's.
    first_low = int(np.argmax(np.diff(valley) > 0)) if (np.diff(valley) > 0).any() else 0
    settled = valley[first_low + 1 :]
    return upper, float(settled.min() if len(settled) else valley.min())


def _break(test: _Test, top: int) -> int | None:
    """The last point before the stress falls off; None if the specimen was not seen to break."""
    span = max(1, len(test.stress) // 100)
    after = test.stress[top:]
    later = np.concatenate([after[span:], np.full(span, after[-1])])
    falls = np.flatnonzero(after[: len(later)] - later[: len(after)] > _BREAK * test.stress[top])
    if not len(falls):
        return None
    start = top + int(falls[0])
    steps = np.diff(test.stress[start : start + span + 1])
    return start + int(np.argmin(steps))


METHODS = (
    Method(
        "tensile",
        "1",
        ("tensile", "mechanical_test"),
        (
            Term("youngs_modulus", "GPa", "Young's modulus E", "ヤング率 E"),
            Term("proof_strength", "MPa", "Proof strength Rp (offset)", "耐力 Rp"),
            Term("upper_yield_strength", "MPa", "Upper yield strength ReH", "上降伏点 ReH"),
            Term("lower_yield_strength", "MPa", "Lower yield strength ReL", "下降伏点 ReL"),
            Term("tensile_strength", "MPa", "Tensile strength Rm", "引張強さ Rm"),
            Term(
                "elongation_at_maximum_force",
                "percent",
                "Plastic elongation at maximum force Ag",
                "最大力塑性伸び Ag",
            ),
            Term(
                "elongation_at_maximum_force_total",
                "percent",
                "Total elongation at Rm, Agt",
                "最大力全伸び Agt",
            ),
            Term("elongation_after_fracture", "percent", "Elongation after fracture A", "破断伸び A"),
        ),
        (
            Parameter(
                "strain_low", "Strain the modulus is fitted from", "弾性率の下限ひずみ", 0.05, "percent"
            ),
            Parameter(
                "strain_high", "Strain the modulus is fitted to", "弾性率の上限ひずみ", 0.25, "percent"
            ),
            Parameter("offset", "Plastic strain of the proof strength", "耐力のオフセット", 0.2, "percent"),
            Parameter(
                "yield_drop",
                "Fall of stress that makes a yield point",
                "降伏とみなす応力低下",
                1.0,
                "percent",
            ),
            Parameter(
                "yield_range",
                "Strain a yield point is sought within",
                "降伏点を探すひずみ範囲",
                5.0,
                "percent",
            ),
            Parameter("cross_section", "Cross-section; the stated one if none", "断面積", unit="mm**2"),
            Parameter("gauge_length", "Gauge length; the stated one if none", "標点距離", unit="mm"),
        ),
        _describe,
        "Tensile properties",
        "引張特性",
        "ISO 6892-1, ISO 527-1",
    ),
)
