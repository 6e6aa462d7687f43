"""Outputs brought to a scale on which a Gaussian is a fair description, and back.

Each transform is monotone, so an order of samples survives it. Which one serves is decided by the leave-one-out
density in the units of the data (the Jacobian makes the densities comparable).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from zairyo.learn._space import Floats

Shape: TypeAlias = Literal["plain", "log", "yeo-johnson"]
#: Gauss–Hermite nodes for means and deviations on the original scale.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True)
class Output:
    """``t = (warp(y) - centre) / scale``.

    Attributes
    ----------
    shape
        ``plain`` (nothing), ``log`` (of the size, of outputs that are all of one sign), or ``yeo-johnson`` with the
        exponent ``power`` (Yeo and Johnson 2000), of outputs first brought to ``(y - middle) / spread``.
    """

    shape: Shape
    middle: float
    spread: float
    power: float
    centre: float
    scale: float
    sign: float = 1.0

    @classmethod
    def of(cls, y: Floats, shape: Shape) -> Output | None:
        """The transform for outputs of shape (n,); None where it does not apply."""
        y = np.asarray(y, dtype=float)
        if shape != "plain" and len(np.unique(y)) < 4:
            return None
        sign = -1.0 if y.max() < 0 else 1.0
        if shape == "log" and (sign * y).min() <= 0:
            return None
        middle, spread, power = float(np.mean(y)), _deviation(y), 1.0
        if shape == "yeo-johnson":
            power = _best_power((y - middle) / spread)
        plain = cls(shape, middle, spread, power, 0.0, 1.0, sign)
        warped = plain.forward(y)
        return cls(shape, middle, spread, power, float(np.mean(warped)), _deviation(warped), sign)

    def forward(self, y: Floats) -> Floats:
        """Outputs → the scale of the model."""
        if self.shape == "log":
            warped = self.sign * np.log(np.maximum(self.sign * np.asarray(y), np.finfo(float).tiny))
        else:
            warped = (np.asarray(y, dtype=float) - self.middle) / self.spread
            if self.shape == "yeo-johnson":
                warped = _yeo_johnson(warped, self.power)
        return np.asarray((warped - self.centre) / self.scale)

    def backward(self, t: Floats) -> Floats:
        """The scale of the model → outputs."""
        warped = np.asarray(t, dtype=float) * self.scale + self.centre
        if self.shape == "log":
            return np.asarray(self.sign * np.exp(np.minimum(self.sign * warped, 700.0)))
        if self.shape == "yeo-johnson":
            warped = _undo_yeo_johnson(warped, self.power)
        return np.asarray(warped * self.spread + self.middle)

    def log_jacobian(self, y: Floats) -> Floats:
        """log dt/dy, shape (n,)."""
        y = np.asarray(y, dtype=float)
        if self.shape == "log":
            return np.asarray(-np.log(np.maximum(self.sign * y, np.finfo(float).tiny)) - np.log(self.scale))
        slope = np.full(y.shape, -np.log(self.spread * self.scale))
        if self.shape == "yeo-johnson":
            z = (y - self.middle) / self.spread
            slope = slope + (self.power - 1.0) * np.sign(z) * np.log1p(np.abs(z))
        return slope

    def moments(self, mean: Floats, deviation: Floats) -> tuple[Floats, Floats]:
        """Mean and deviation of the output, of a normal on the scale of the model (any one shape)."""
        if self.shape == "plain":
            factor = self.scale * self.spread
            return self.backward(mean), np.asarray(deviation) * factor
        values = self.backward(np.asarray(mean)[..., None] + np.asarray(deviation)[..., None] * NODES)
        middle = values @ WEIGHTS
        return middle, np.sqrt(np.maximum(((values - middle[..., None]) ** 2) @ WEIGHTS, 0.0))


def _deviation(y: Floats) -> float:
    found = float(np.std(y, ddof=1)) if len(y) > 1 else 0.0
    size = float(np.max(np.abs(y))) if len(y) else 0.0
    return (
        found if found > 1e-12 * size and np.isfinite(found) else (size if size > 0 and len(y) == 1 else 1.0)
    )


def _yeo_johnson(z: Floats, power: float) -> Floats:
    positive, size = z >= 0, np.log1p(np.abs(z))
    up = size if abs(power) < 1e-9 else np.expm1(power * size) / power
    other = 2.0 - power
    down = size if abs(other) < 1e-9 else np.expm1(other * size) / other
    return np.where(positive, up, -down)


def _undo_yeo_johnson(w: Floats, power: float) -> Floats:
    def undo(size: Floats, exponent: float) -> Floats:
        if abs(exponent) < 1e-9:
            return np.expm1(np.minimum(size, 50.0))
        # Beyond the image of the transform there is nothing: held at its edge.
        inner = np.maximum(exponent * size, -1.0 + 1e-9)
        return np.expm1(np.minimum(np.log1p(inner) / exponent, 50.0))

    return np.where(w >= 0, undo(np.maximum(w, 0.0), power), -undo(np.maximum(-w, 0.0), 2.0 - power))


def _best_power(z: Floats) -> float:
    """Most likely exponent on a grid, with a normal prior about 1 (no change) for the few samples there are."""
    size = np.sign(z) * np.log1p(np.abs(z))

    def score(power: float) -> float:
        warped = _yeo_johnson(z, power)
        likelihood = -0.5 * len(z) * np.log(max(float(np.var(warped)), 1e-12))
        return float(likelihood + (power - 1.0) * size.sum() - 0.5 * (power - 1.0) ** 2)

    grid = np.linspace(0.0, 2.0, 41)
    return float(grid[int(np.argmax([score(float(power)) for power in grid]))])
