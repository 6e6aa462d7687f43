"""What the methods share: columns in a unit, tidy curves, straight lines and fits with their uncertainties."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zairyo.descriptors._api import CannotDescribe
from zairyo.measurement import Axis, Entry, Signal, units

Numbers: TypeAlias = NDArray[np.float64]


def need(module: str) -> Any:
    """A library of the extra ``descriptors``, imported where it is used.

    Raises
    ------
    CannotDescribe
        It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as e:
        raise CannotDescribe(
            f"this needs {e.name}, which is not installed; `pip install 'zairyo[descriptors]'` adds it"
        ) from None


def has(entry: Entry, name: str) -> bool:
    """Whether the entry has a signal or axis of that name that holds real numbers."""
    return any(p.name == name and p.values.dtype.kind in "iufb" for p in _parts(entry))


def _parts(entry: Entry) -> list[Signal | Axis]:
    return [*entry.axes, *entry.signals]


def column(entry: Entry, name: str, unit: str, *, unstated: bool = False) -> Numbers:
    """A signal's or axis' numbers in a unit, as a flat array of floats.

    Parameters
    ----------
    unstated
        Whether a missing unit is taken to be ``unit``.

    Raises
    ------
    CannotDescribe
        There is none, it is not numbers over one axis, or its unit is not of this dimension.
    """
    if not has(entry, name):
        have = ", ".join(p.name for p in _parts(entry) if p.name != "row")
        raise CannotDescribe(f"entry {entry.name} has no {name} in numbers; it has {have}")
    part = entry[name]
    if part.values.ndim != 1:
        raise CannotDescribe(f"{name} has {part.values.ndim} dimensions; one curve is needed")
    values = part.values.astype(np.float64)
    if part.unit is None:
        if unstated or not unit:
            return values
        raise CannotDescribe(f"{name} has no unit; {unit} is needed")
    if not units.same_dimension(part.unit, unit):
        raise CannotDescribe(f"{name} is in {part.unit or 'plain numbers'}; a unit such as {unit} is needed")
    return np.asarray(units.convert(values, part.unit, unit), dtype=np.float64)


def first(entry: Entry, *names: str) -> str:
    """The first of these signals or axes that the entry has, or ``""``."""
    return next((n for n in names if has(entry, n)), "")


def condition(entry: Entry, name: str, unit: str) -> float | None:
    """A condition's number in a unit; None if the entry does not state it, or not in such a unit."""
    quantity = entry.conditions.get(name)
    if (
        quantity is None
        or isinstance(quantity.value, (str, bool))
        or not isinstance(quantity.value, (int, float))
    ):
        return None
    of = quantity.unit
    if of is None or not units.same_dimension(of, unit):
        return None
    value = float(units.convert(float(quantity.value), of, unit))
    return value if np.isfinite(value) else None


def times(unit: str | None, other: str) -> str | None:
    """The unit of a product, as Pint spells it; None if the first is not stated."""
    return None if unit is None else units.normalise(f"{unit}*{other}") or f"{unit}*{other}"


@dataclass(frozen=True)
class Line:
    """``intercept + slope · (x − middle)`` with the covariance that the scatter about it gives."""

    slope: float
    intercept: float
    middle: float
    scatter: float
    slope_error: float
    count: int

    def at(self, x: Any) -> Any:
        return self.intercept + self.slope * (x - self.middle)

    def zero(self) -> float:
        """Where it crosses zero."""
        return self.middle - self.intercept / self.slope


def line(x: Numbers, y: Numbers) -> Line:
    """The least-squares straight line through points; of two points its errors are not known (NaN)."""
    middle = float(x.mean())
    dx = x - middle
    spread = float(dx @ dx)
    if len(x) < 2 or spread == 0:
        raise CannotDescribe("a straight line needs two points at different positions")
    slope = float(dx @ y) / spread
    intercept = float(y.mean())
    rest = y - intercept - slope * dx
    free = len(x) - 2
    scatter = float(np.sqrt(rest @ rest / free)) if free > 0 else float("nan")
    return Line(slope, intercept, middle, scatter, scatter / spread**0.5, len(x))


def noise(y: Numbers) -> float:
    """Standard deviation of the point-to-point scatter of an equidistant curve, robust to what is smooth in it.

    From second differences, whose median absolute value is 0.6745·√6 times it for white noise.
    """
    if len(y) < 5:
        return 0.0
    return float(np.median(np.abs(np.diff(y, 2))) / (0.6744897501960817 * 6**0.5))


def crossing(x: Numbers, y: Numbers, level: float, start: int, step: int) -> float | None:
    """Where the curve first reaches ``level`` going from index ``start`` by ``step``; None if it never does."""
    i = start
    while 0 <= i + step < len(y):
        a, b = y[i] - level, y[i + step] - level
        if a == 0:
            return float(x[i])
        if a * b <= 0:
            return float(x[i] + (x[i + step] - x[i]) * a / (a - b))
        i += step
    return None


@dataclass(frozen=True)
class Fit:
    """A least-squares fit: values, covariance (scaled by the reduced χ²) and which values are at their bounds."""

    values: Numbers
    covariance: Numbers
    chi_square: float
    free: int
    at_bound: NDArray[np.bool_]

    def error(self, i: int) -> float | None:
        """Standard error of one value; None where the data do not give it."""
        variance = self.covariance[i, i]
        if self.at_bound[i] or not np.isfinite(variance) or variance < 0:
            return None
        return float(variance**0.5)


def fit(
    residual: Callable[[Numbers], Numbers],
    start: Numbers,
    low: Numbers,
    high: Numbers,
    jacobian: Callable[[Numbers], Numbers] | None = None,
    most: int = 400,
) -> Fit:
    """Bounded non-linear least squares (SciPy's trust-region reflective method), at most ``most`` steps.

    The covariance is (JᵀJ)⁻¹ χ²/(n − p) of the values that are not at a bound; those at a bound, and those that
    the data do not determine, have none.
    """
    optimize = need("scipy.optimize")
    start = np.clip(start, low, high)
    try:
        result = optimize.least_squares(
            residual, start, jac=jacobian or "2-point", bounds=(low, high), x_scale="jac", max_nfev=most
        )
    except ValueError:  # numbers that are none on the way
        raise CannotDescribe("the fit fails: the values are too large, too small or too far apart") from None
    at_bound: NDArray[np.bool_] = result.active_mask != 0
    chi_square = float(2 * result.cost)
    free = len(result.fun) - int((~at_bound).sum())
    covariance = np.full((len(start), len(start)), np.nan)
    inner = np.flatnonzero(~at_bound)
    if free > 0 and inner.size:
        j = result.jac[:, inner]
        # Column scaling first: parameters differ by many powers of ten.
        scale = np.linalg.norm(j, axis=0)
        scale[scale == 0] = 1.0
        if np.isfinite(j).all():
            _, s, vt = np.linalg.svd(j / scale, full_matrices=False)
            told = s > s[0] * 1e-8
            inverse = (vt[told].T / s[told] ** 2) @ vt[told] / np.outer(scale, scale)
            # What the data say nothing about has no error; the other values keep theirs.
            silent = (np.abs(vt[~told]) > 1e-4).any(0)
            inverse[silent, :] = inverse[:, silent] = np.nan
            covariance[np.ix_(inner, inner)] = inverse * chi_square / free
    return Fit(result.x, covariance, chi_square, free, at_bound)
