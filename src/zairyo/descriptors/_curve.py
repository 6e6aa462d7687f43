"""A curve y(x) out of an entry, ready for peaks: finite, ascending, within limits, with its noise."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from zairyo.descriptors._api import CannotDescribe
from zairyo.descriptors._numeric import Numbers, column, line, need
from zairyo.measurement import Entry, units

_FEWEST = 16


@dataclass(frozen=True)
class Curve:
    """Positions (ascending, no two equal), values, their standard deviations, and what was left out."""

    x: Numbers
    y: Numbers
    sigma: Numbers
    unit: str | None
    warnings: tuple[str, ...] = ()

    @property
    def step(self) -> float:
        return float(np.median(np.diff(self.x)))


def curve(
    entry: Entry, axis: str, unit: str, low: float | None, high: float | None, row: int | None = None
) -> Curve:
    """The default signal over an axis, between limits; ``row`` of a signal over two axes.

    Raises
    ------
    CannotDescribe
        It is over other axes, or fewer than 16 finite points are within the limits.
    """
    signal = entry.signal
    values = signal.values
    if row is not None:
        values = values[row]
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        shape = " × ".join(map(str, values.shape))
        raise CannotDescribe(
            f"{signal.name} of entry {entry.name} is {shape}; one curve of numbers is needed"
        )
    x, y = column(entry, axis, unit), values.astype(np.float64)
    if x.shape != y.shape:
        raise CannotDescribe(f"{signal.name} of entry {entry.name} is not over {axis}")
    errors = signal.uncertainty if row is None else None
    stated = None if errors is None else errors.astype(np.float64)
    if low is not None and high is not None and low >= high:
        raise CannotDescribe(f"the lower limit {low:g} {unit} is not below the upper one, {high:g} {unit}")
    finite = np.isfinite(x) & np.isfinite(y)
    within = finite & (x >= (-np.inf if low is None else low)) & (x <= (np.inf if high is None else high))
    told = []
    if missing := int((~finite).sum()):
        told.append(f"{missing} of {len(x)} points are no numbers and were left out.")
    order = np.argsort(x[within], kind="stable")
    x, y = x[within][order], y[within][order]
    stated = None if stated is None else stated[within][order]
    if len(x) > 1 and (np.diff(x) == 0).any():
        x, y, stated = _merged(x, y, stated)
        told.append("Points at the same position were averaged.")
    if len(x) < _FEWEST:
        raise CannotDescribe(f"{len(x)} points are within the limits; at least {_FEWEST} are needed")
    sigma = stated if stated is not None and (stated > 0).all() else scatter(y, signal.unit)
    return Curve(x, y, sigma, signal.unit, tuple(told))


def _merged(x: Numbers, y: Numbers, stated: Numbers | None) -> tuple[Numbers, Numbers, Numbers | None]:
    places, which, count = np.unique(x, return_inverse=True, return_counts=True)
    mean = np.bincount(which, y) / count
    if stated is not None:
        stated = np.sqrt(np.bincount(which, stated**2)) / count
    return places, mean, stated


def scatter(y: Numbers, unit: str | None) -> Numbers:
    """Standard deviation of each value, as counting gives it: it grows with the root of the value.

    The factor is measured from second differences, so that rates, sums of detector channels and scaled data get
    theirs; data that are not above zero get one standard deviation for all.
    """
    smooth = need("scipy.ndimage").uniform_filter1d(y, 5, mode="nearest")
    bend = np.abs(np.diff(y, 2)) / (0.6744897501960817 * 6**0.5)
    if smooth.min() >= 0 and smooth.max() > 0:
        floor = max(float(smooth[smooth > 0].min()), float(smooth.max()) * 1e-6)
        root = np.sqrt(np.maximum(smooth, floor))
        factor = float(np.median(bend / root[1:-1]))
        if factor == 0.0 and unit is not None and units.same_dimension(unit, "counts"):
            factor = 1.0
        if factor > 0:
            return np.asarray(factor * root)
    same = float(np.median(bend)) or float(np.abs(np.diff(y)).mean()) or 1.0
    return np.full(len(y), same)


def smooth_background(c: Curve, window: float) -> Numbers:
    """The background that sharp peaks stand on: asymmetrically reweighted penalised least squares.

    arPLS of Baek et al., Analyst 140 (2015) 250, from pybaselines. ``window`` is the length along x below which
    it does not follow: the half-power wavelength of the smoother, from which λ = (window / 2π step)⁴.
    """
    baselines = need("pybaselines")
    span = float(c.x[-1] - c.x[0])
    if window >= span:
        return np.asarray(line(c.x, c.y).at(c.x))
    if window < 4 * span / len(c.x):
        raise CannotDescribe(
            f"the points are {span / len(c.x):.3g} apart, too far for a background_window of {window:g}"
        )
    grid = np.linspace(c.x[0], c.x[-1], len(c.x))
    on_grid = np.interp(grid, c.x, c.y)
    lam = (window / (2 * np.pi * (grid[1] - grid[0]))) ** 4
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", baselines.utils.ParameterWarning
        )  # it stopped early: nothing is below
        try:
            found, _ = baselines.Baseline(grid).arpls(on_grid, lam=lam, max_iter=100, tol=1e-4)
        except (ValueError, np.linalg.LinAlgError):
            found = np.full(len(grid), np.nan)
    if not np.isfinite(found).all():
        raise CannotDescribe("no smooth background can be drawn; give narrower limits")
    return np.asarray(np.interp(c.x, grid, found))


def lower_hull(x: Numbers, y: Numbers) -> Numbers:
    """The lower convex hull of a curve: the tightest line from below that bends only upwards."""
    kept: list[int] = []
    for i in range(len(x)):
        while len(kept) > 1:
            a, b = kept[-2], kept[-1]
            if (y[b] - y[a]) * (x[i] - x[a]) >= (y[i] - y[a]) * (x[b] - x[a]):
                kept.pop()
            else:
                break
        kept.append(i)
    return np.asarray(np.interp(x, x[kept], y[kept]))
