"""How likely an experiment is to succeed, from those that did and those that failed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from zairyo.learn._gp import factor
from zairyo.learn._kernels import PROFILES, Features, features_of, squares
from zairyo.learn._space import Floats, LearnError, Space

#: Choices of the length (in ranges of the columns, per √number of lengths) and of the latent variance.
LENGTHS = (0.1, 0.2, 0.4, 0.8, 1.6)
VARIANCES = (0.5, 2.0, 8.0)
STEPS = 50


@dataclass(frozen=True, eq=False)
class Success:
    """Gaussian-process classification with a logistic likelihood by Laplace's approximation.

    Rasmussen and Williams (2006), algorithms 3.1 and 3.2; length and variance are averaged over a grid by their
    evidence. The mean is the log odds of the share that succeeded, with one success and one failure added.
    """

    features: Features | None
    made: Floats
    offset: float
    parts: tuple[_Part, ...]
    weights: Floats

    def probability(self, X: Floats) -> Floats:
        """That an experiment at each row of ``X`` (m, p) succeeds, shape (m,)."""
        X = np.asarray(X, dtype=float)
        if self.features is None or not self.parts:
            return np.full(len(X), 1.0 / (1.0 + math.exp(-self.offset)))
        found = np.empty(len(X))
        for start in range(0, len(X), 8192):
            Z = self.features.of(X[start : start + 8192])
            u = squares(Z, self.made)
            each = np.array([part.probability(u, self.offset) for part in self.parts])
            found[start : start + 8192] = self.weights @ each
        return found


@dataclass(frozen=True, eq=False)
class _Part:
    length: float
    variance: float
    evidence: float
    slope: Floats
    root: Floats
    lower: Floats

    def probability(self, u: Floats, offset: float) -> Floats:
        cross = self.variance * PROFILES["matern52"](u / self.length**2)[0]
        mean = offset + cross @ self.slope
        solved = solve_triangular(self.lower, (cross * self.root).T, lower=True)
        variance = np.maximum(self.variance - np.einsum("ij,ij->j", solved, solved), 0.0)
        # MacKay's approximation of the logistic averaged over a normal.
        return np.asarray(_logistic(mean / np.sqrt(1.0 + math.pi * variance / 8.0)))


def fit_success(X: Floats, succeeded: Floats, space: Space) -> Success:
    """Learn where experiments fail.

    Parameters
    ----------
    X
        Shape (n, p): settings of all experiments tried, finite; n may be 0.
    succeeded
        Shape (n,), truth values.
    space
        What the columns are.
    """
    X = np.asarray(X, dtype=float).reshape(-1, space.width)
    labels = np.asarray(succeeded, dtype=bool)
    if labels.shape != (len(X),):
        raise LearnError(f"{len(labels)} outcomes are given for {len(X)} experiments; give one for each")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise LearnError(f"row {row}, column {space.names[column]!r} is {X[row, column]}: give a number")
    share = (labels.sum() + 1.0) / (len(labels) + 2.0)
    offset = math.log(share / (1.0 - share))
    features = features_of(space, space.variables, "tied")
    if features is None or labels.all() or not labels.any():
        return Success(features, np.empty((0, 0)), offset, (), np.empty(0))
    Z = features.of(X)
    u, signs = squares(Z, Z), np.where(labels, 1.0, -1.0)
    scale = math.sqrt(features.groups)
    parts = [
        _laplace(u, signs, offset, length * scale, variance) for length in LENGTHS for variance in VARIANCES
    ]
    evidence = np.array([part.evidence for part in parts])
    weights = np.exp(evidence - evidence.max())
    weights = np.where(weights < 0.01 * weights.max(), 0.0, weights)
    kept = np.flatnonzero(weights > 0)
    return Success(features, Z, offset, tuple(parts[int(k)] for k in kept), weights[kept] / weights.sum())


def _laplace(u: Floats, signs: Floats, offset: float, length: float, variance: float) -> _Part:
    K = variance * PROFILES["matern52"](u / length**2)[0]
    a = np.zeros(len(signs))
    n = len(signs)

    def objective(a: Floats) -> float:
        f = K @ a
        return float(-0.5 * a @ f - np.logaddexp(0.0, -signs * (f + offset)).sum())

    best = objective(a)
    for _ in range(STEPS):
        chance = _logistic(K @ a + offset)
        weight = np.maximum(chance * (1.0 - chance), 1e-12)
        root = np.sqrt(weight)
        lower = factor(np.eye(n) + root[:, None] * K * root)
        b = weight * (K @ a) + (signs + 1.0) / 2.0 - chance
        inner = solve_triangular(lower, root * (K @ b), lower=True)
        step = b - root * solve_triangular(lower, inner, lower=True, trans=1) - a
        size = 1.0
        while (value := objective(a + size * step)) < best and size > 1e-4:
            size /= 2.0
        if value <= best + 1e-10:
            break
        a, best = a + size * step, value
    chance = _logistic(K @ a + offset)
    root = np.sqrt(np.maximum(chance * (1.0 - chance), 1e-12))
    lower = factor(np.eye(n) + root[:, None] * K * root)
    evidence = best - float(np.log(np.diag(lower)).sum())
    return _Part(length, variance, evidence, (signs + 1.0) / 2.0 - chance, root, lower)


def _logistic(x: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
