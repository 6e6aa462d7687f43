"""Pseudo-Voigt lines fitted in groups that overlap, with the Kα2 line of each where there is one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zairyo.descriptors._curve import Curve
from zairyo.descriptors._numeric import Fit, Numbers, fit

_LN2 = np.log(2.0)
#: A group's window reaches so many widths beyond its outermost peaks.
_REACH = 3.5
_MOST_IN_GROUP = 14


@dataclass(frozen=True)
class Doublet:
    """The second line: λ(Kα2)/λ(Kα1) and its intensity relative to Kα1; ``weight`` 0 means a single line."""

    ratio: float = 1.0
    weight: float = 0.0

    def second(self, centre: Numbers) -> tuple[Numbers, Numbers]:
        """2θ of Kα2 for 2θ of Kα1 (deg), and its derivative."""
        half = np.radians(centre) / 2
        sine = np.clip(self.ratio * np.sin(half), -1.0, 1.0)
        other = np.arcsin(sine)
        slope = self.ratio * np.cos(half) / np.maximum(np.cos(other), 1e-9)
        return np.degrees(2 * other), slope


@dataclass(frozen=True)
class Peak:
    """A fitted line: values and standard errors (None where the data do not give one); ``area`` with Kα2."""

    centre: float
    width: float
    area: float
    height: float
    lorentzian: float
    centre_error: float | None
    width_error: float | None
    area_error: float | None


def shape(u: Numbers, width: float, mix: float) -> tuple[Numbers, Numbers, Numbers]:
    """The pseudo-Voigt of unit area at ``u`` = (x − centre)/FWHM: itself, its derivative in u, in the mixing."""
    gauss = 2 / width * np.sqrt(_LN2 / np.pi) * np.exp(-4 * _LN2 * u**2)
    lorentz = 2 / (np.pi * width) / (1 + 4 * u**2)
    slope = (1 - mix) * gauss * (-8 * _LN2 * u) + mix * lorentz * (-8 * u / (1 + 4 * u**2))
    return (1 - mix) * gauss + mix * lorentz, slope, lorentz - gauss


class _Model:
    """Peaks on a straight line, in the order area, centre, width, mixing of each, then offset and slope."""

    def __init__(self, x: Numbers, y: Numbers, sigma: Numbers, doublet: Doublet) -> None:
        self.x, self.y, self.sigma, self.doublet = x, y, sigma, doublet
        self.middle = float(x.mean())

    def _lines(self, centre: float) -> list[tuple[float, float, float]]:
        lines = [(centre, 1.0, 1.0)]
        if self.doublet.weight:
            other, slope = self.doublet.second(np.asarray(centre))
            lines.append((float(other), float(slope), self.doublet.weight))
        return lines

    def residual(self, p: Numbers) -> Numbers:
        total = p[-2] + p[-1] * (self.x - self.middle)
        for area, centre, width, mix in p[:-2].reshape(-1, 4):
            for place, _, weight in self._lines(centre):
                total = total + area * weight * shape((self.x - place) / width, width, mix)[0]
        return np.asarray((total - self.y) / self.sigma)

    def jacobian(self, p: Numbers) -> Numbers:
        j = np.zeros((len(self.x), len(p)))
        for i, (area, centre, width, mix) in enumerate(p[:-2].reshape(-1, 4)):
            for place, moves, weight in self._lines(centre):
                u = (self.x - place) / width
                value, slope, by_mix = shape(u, width, mix)
                j[:, 4 * i] += weight * value
                j[:, 4 * i + 1] -= area * weight * moves * slope / width
                j[:, 4 * i + 2] -= area * weight * (value + u * slope) / width
                j[:, 4 * i + 3] += area * weight * by_mix
        j[:, -2] = 1.0
        j[:, -1] = self.x - self.middle
        return np.asarray(j / self.sigma[:, None])


def groups(centres: Numbers, widths: Numbers, doublet: Doublet) -> list[list[int]]:
    """Indices of peaks (in ascending order of position) that must be fitted together."""
    seconds = doublet.second(centres)[0] if doublet.weight else centres
    found: list[list[int]] = []
    end = -np.inf
    for i in range(len(centres)):
        if centres[i] - _REACH * widths[i] > end or len(found[-1]) >= _MOST_IN_GROUP:
            found.append([])
        found[-1].append(i)
        end = max(end if len(found[-1]) > 1 else -np.inf, seconds[i] + _REACH * widths[i])
    return found


def fit_group(
    c: Curve,
    above: Numbers,
    centres: Numbers,
    widths: Numbers,
    heights: Numbers,
    doublet: Doublet,
    within: Doublet | None = None,
) -> tuple[list[Peak], float]:
    """Fit the peaks of one group; also the χ² of the fit. Lines that do not stand out are fitted without.

    ``within`` sets the window: that of another hypothesis, so that the two can be compared over the same points.
    """
    within = within or doublet
    seconds = within.second(centres)[0] if within.weight else centres
    low, high = (centres - _REACH * widths).min(), (seconds + _REACH * widths).max()
    inside = (c.x >= low) & (c.x <= high)
    x, y = c.x[inside], above[inside]
    if len(x) < 4 * len(centres) + 3:
        return [], 0.0
    model = _Model(x, y, c.sigma[inside], doublet)
    half = np.full(len(centres), 0.5)
    start = np.column_stack([heights * widths / 0.79, centres, widths, half])  # 0.79: of a half-and-half line
    lower = np.column_stack([0 * heights, centres - widths, 0 * widths + c.step, 0 * heights])
    upper = np.column_stack([heights * widths * 50, centres + widths, widths * 5, 0 * heights + 1])
    ends = np.array([np.inf, np.inf])
    result = fit(
        model.residual,
        np.append(start.ravel(), [0.0, 0.0]),
        np.append(lower.ravel(), -ends),
        np.append(upper.ravel(), ends),
        model.jacobian,
        most=60,
    )
    peaks = [_peak(result, i, doublet) for i in range(len(centres))]
    stands = [p.area_error is not None and p.area > 3 * p.area_error for p in peaks]
    if not all(stands) and any(stands):
        kept = np.array(stands)
        return fit_group(c, above, centres[kept], widths[kept], heights[kept], doublet, within)
    return [p for p, stand in zip(peaks, stands, strict=True) if stand], result.chi_square


def _peak(result: Fit, i: int, doublet: Doublet) -> Peak:
    area, centre, width, mix = result.values[4 * i : 4 * i + 4]
    both = 1 + doublet.weight
    error = result.error(4 * i)
    return Peak(
        centre=float(centre),
        width=float(width),
        area=float(area) * both,
        height=float(area * shape(np.zeros(1), width, mix)[0][0]),
        lorentzian=float(mix),
        centre_error=result.error(4 * i + 1),
        width_error=result.error(4 * i + 2),
        area_error=None if error is None else error * both,
    )
