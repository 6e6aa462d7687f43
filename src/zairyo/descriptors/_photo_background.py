"""Backgrounds of photoelectron lines. ``x`` ascends as binding energy does: losses are towards its end."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zairyo.descriptors._api import CannotDescribe
from zairyo.descriptors._numeric import Numbers, need

#: eV², of Tougaard's universal cross-section.
_C = 1643.0
#: The losses of every point at every other are held at once.
_MOST_POINTS = 4000


def linear(x: Numbers, y: Numbers, begin: float, end: float) -> Numbers:
    """The straight line between the ends."""
    return np.asarray(begin + (end - begin) * (x - x[0]) / (x[-1] - x[0]))


def shirley(x: Numbers, y: Numbers, begin: float, end: float) -> Numbers:
    """In proportion to the area of the line that has been passed (Shirley, Phys. Rev. B 5 (1972) 4709).

    B(x) = begin + k ∫ (y − B), k so that the end is met. The usual iteration (Proctor & Sherwood, Anal. Chem. 54
    (1982) 13) seeks the same and diverges for large steps; here B is integrated for a given k, by the trapezoidal
    rule, and the smallest k is found at which it meets the end.

    Raises
    ------
    CannotDescribe
        No k meets the end: the limits hold no line above a step.
    """
    if end == begin:
        return np.full(len(x), begin)
    points = [float(v) for v in y]
    steps = [float(v) for v in np.diff(x)]
    straight = float(np.trapezoid(y - linear(x, y, begin, end), x))

    def meets(k: float) -> float:
        return _passed(points, steps, begin, k)[-1] - end

    way = 1.0 if end > begin else -1.0
    # Of an area far from that over a straight line it would follow the signal itself, not pass below the line.
    tried = (end - begin) / max(straight, 1e-300) * np.geomspace(0.2, 4.0, 25)
    before = 0.0
    for k in tried:
        value = meets(float(k))
        if straight <= 0:
            break
        if value * way >= 0:
            root = need("scipy.optimize").brentq(meets, before, float(k), xtol=1e-15, rtol=1e-12)
            return np.array(_passed(points, steps, begin, root))
        if not np.isfinite(value):
            break
        before = float(k)
    raise CannotDescribe(
        "Shirley's background does not meet both limits, between which there is not one line above a step: take "
        "limits nearer to the line, or another background"
    )


def _passed(y: list[float], steps: list[float], begin: float, k: float) -> list[float]:
    """B with B′ = k (y − B) from ``begin``."""
    base = [begin]
    here = begin
    for i, step in enumerate(steps):
        half = k * step / 2
        if half <= -1:
            return [*base, float("nan")]
        here = (here * (1 - half) + half * (y[i] + y[i + 1])) / (1 + half)
        base.append(here)
    return base


def tougaard(x: Numbers, y: Numbers, begin: float, end: float) -> Numbers:
    """Losses by the universal cross-section K(T) = B T / (C + T²)², C = 1643 eV², B so that the end is met.

    Tougaard, Surf. Interface Anal. 11 (1988) 453: each energy's electrons lose T on their way out, those of the
    measured spectrum standing for those excited. What is before the line is taken as constant.
    """
    if len(x) > _MOST_POINTS:
        raise CannotDescribe(
            f"Tougaard's background is for at most {_MOST_POINTS} points; give narrower limits"
        )
    weight = np.gradient(x)
    loss = x[:, None] - x[None, :]
    kernel = np.where(loss > 0, loss / (_C + loss**2) ** 2, 0.0)
    lost = kernel @ ((y - begin) * weight)
    if lost[-1] <= 0:
        raise CannotDescribe("there is nothing above the background before the upper limit")
    return np.asarray(begin + (end - begin) / lost[-1] * lost)


BACKGROUNDS: dict[str, Callable[[Numbers, Numbers, float, float], Numbers]] = {
    "shirley": shirley,
    "linear": linear,
    "tougaard": tougaard,
}
