"""The one shape of all models, and the smooth ones: Gaussian process and ridge regression."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zairyo.learn._gp import GP
from zairyo.learn._gp_fit import choose
from zairyo.learn._kernels import features_of
from zairyo.learn._space import Floats, LearnError, Space


class Fitted(Protocol):
    """A model that has seen data."""

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        """Mean and deviation of a new measurement at each row of ``X`` (m, p), each of shape (m,)."""
        ...

    def loo(self) -> tuple[Floats, Floats]:
        """The same for each row of the data, from a model that has not seen it."""
        ...


class Model(Protocol):
    """A way of learning; immutable, so that it can be fitted to many parts of the data."""

    @property
    def name(self) -> str:
        """For the report."""
        ...

    def fit(self, X: Floats, y: Floats, noise: Floats | None = None) -> Fitted:
        """Learn from finite ``X`` (n, p) and ``y`` (n,); ``noise`` (n,) is the known variance of each output."""
        ...


@dataclass(frozen=True)
class GaussianProcess:
    """Gaussian process with the kernel and the transform of most evidence; beyond 4,000 rows on a part."""

    space: Space
    seed: int = 0
    starts: int = 1
    name: str = "Gaussian process"

    def fit(self, X: Floats, y: Floats, noise: Floats | None = None) -> Fitted:
        try:
            found = choose(X, y, self.space, noise=noise, seed=self.seed, starts=self.starts)[0]
        except LearnError:
            if features_of(self.space, self.space.variables, "amounts") is not None:
                raise
            return Mean().fit(X, y, noise)
        return found if found.output.shape == "plain" else _Held(found, float(y.min()), float(y.max()))


@dataclass(frozen=True)
class _Held:
    """A Gaussian process of a transformed output, whose mean no tail takes beyond what was seen.

    Far from all samples the mean of a log-normal is decided by its tail: ``exp(s²/2)`` times the median, of which
    nothing measured speaks. The median may lie beyond what was seen, the mean only as far as the median does.
    """

    fitted: GP
    low: float
    high: float

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        return self._within(self.fitted.latent(X)[0], *self.fitted.predict(X))

    def loo(self) -> tuple[Floats, Floats]:
        return self._within(self.fitted.loo_latent()[0], *self.fitted.loo())

    def _within(self, latent: Floats, mean: Floats, deviation: Floats) -> tuple[Floats, Floats]:
        median = self.fitted.output.backward(latent)
        held = np.clip(mean, np.minimum(median, self.low), np.maximum(median, self.high))
        widest = np.maximum(self.high - self.low, np.abs(held))
        return held, np.where(held == mean, deviation, np.minimum(deviation, widest))


@dataclass(frozen=True)
class Mean:
    """The mean of what was seen: what every other model must beat."""

    name: str = "mean"

    def fit(self, X: Floats, y: Floats, noise: Floats | None = None) -> Fitted:
        return _FittedMean(np.asarray(y, dtype=float))


@dataclass(frozen=True, eq=False)
class _FittedMean:
    y: Floats

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        n = len(self.y)
        spread = float(np.std(self.y, ddof=1)) if n > 1 else abs(float(self.y[0])) or 1.0
        return np.full(len(X), float(self.y.mean())), np.full(len(X), spread * math.sqrt(1 + 1 / n))

    def loo(self) -> tuple[Floats, Floats]:
        n = len(self.y)
        others = (self.y.sum() - self.y) / max(n - 1, 1) if n > 1 else self.y
        return others, self.predict(np.empty((n, 0)))[1]


@dataclass(frozen=True)
class Ridge:
    """Ridge regression, of squares and products too where ``degree`` is 2; the penalty by leave-one-out.

    Attributes
    ----------
    degree
        1 or 2.
    """

    space: Space
    degree: int = 1

    @property
    def name(self) -> str:
        """For the report."""
        return "linear (ridge)" if self.degree == 1 else "quadratic (ridge)"

    def _terms(self, X: Floats) -> Floats:
        span = self.space.upper - self.space.lower
        Z = (np.asarray(X, dtype=float) - self.space.lower) / np.where(span > 0, span, 1.0) - 0.5
        # A step outside the known range is followed a little, not for ever.
        Z = np.clip(Z, -1.5, 1.5)
        if self.degree == 1:
            return Z
        first, second = np.triu_indices(Z.shape[1])
        return np.hstack([Z, Z[:, first] * Z[:, second]])

    def fit(self, X: Floats, y: Floats, noise: Floats | None = None) -> Fitted:
        terms = self._terms(X)
        weight = np.ones(len(y)) if noise is None else 1.0 / (noise + max(float(np.median(noise)), 1e-300))
        weight = weight / weight.mean()
        centre, middle = np.average(terms, axis=0, weights=weight), float(np.average(y, weights=weight))
        root = np.sqrt(weight)[:, None]
        U, s, Vt = np.linalg.svd((terms - centre) * root, full_matrices=False)
        target = (y - middle) * root[:, 0]
        projected = U.T @ target
        best: tuple[float, float, Floats, Floats] | None = None
        scale = float((s**2).mean()) or 1.0
        for penalty in scale * np.logspace(-6, 3, 28):
            shrink = s**2 / (s**2 + penalty)
            leverage = np.clip((U**2) @ shrink + weight / weight.sum(), 0.0, 1 - 1e-6)
            left = (target - U @ (shrink * projected)) / (1.0 - leverage)
            error = float(np.mean(left**2))
            if best is None or error < best[0]:
                best = (error, float(penalty), left, leverage)
        assert best is not None
        error, penalty, left, leverage = best
        coefficients = Vt.T @ (projected * s / (s**2 + penalty))
        # Where nothing was seen (a level of a category), coefficients are believed to be as large as those seen; the
        # penalty alone, which may be next to none, would let them be anything.
        seen = int((s > 1e-9 * s.max(initial=0.0)).sum())
        size = float(coefficients @ coefficients) / max(seen, 1)
        prior = max(penalty, error / size) if size > 0 else scale * 1e3
        inverse = (np.eye(len(centre)) - (Vt.T * (s**2 / (s**2 + prior))) @ Vt) / prior
        left_out = y - left / root[:, 0]
        return _FittedRidge(self, centre, middle, coefficients, inverse, error, left_out, leverage, penalty)


@dataclass(frozen=True, eq=False)
class _FittedRidge:
    model: Ridge
    centre: Floats
    middle: float
    coefficients: Floats
    inverse: Floats
    error: float
    left_out: Floats
    leverage: Floats
    penalty: float

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        Z = self.model._terms(X) - self.centre
        spread = np.einsum("ij,jk,ik->i", Z, self.inverse, Z)
        return self.middle + Z @ self.coefficients, np.sqrt(self.error * (1.0 + np.maximum(spread, 0.0)))

    def loo(self) -> tuple[Floats, Floats]:
        return self.left_out, np.sqrt(self.error * (1.0 + self.leverage))


def models_for(space: Space, rows: int, seed: int) -> list[Model]:
    """The models worth trying for so many rows, each of another kind."""
    from zairyo.learn._forest import Boosting, ElasticNet, Forest

    found: list[Model] = [Mean(), GaussianProcess(space, seed), Ridge(space)]
    if rows >= 8:
        found.append(Forest(seed=seed))
    if rows >= 12 and space.width * (space.width + 3) // 2 <= 300:
        found.append(Ridge(space, degree=2))
    if rows >= 20:
        found.append(Forest(seed=seed, extra=True))
        if space.width > 8:
            found.append(ElasticNet(space, seed))
    if rows >= 60:
        # Below, it takes most of the time and hardly ever any weight.
        found.append(Boosting(seed=seed))
    return found
