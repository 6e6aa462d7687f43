"""Exact Gaussian-process regression: evidence with its gradient, and what follows once it is fitted.

Source of the formulas: Rasmussen and Williams (2006), "Gaussian Processes for Machine Learning", chapters 2 and 5
(5.4.2 for leave-one-out). Outputs are those of :mod:`zairyo.learn._output`: about zero mean and unit variance. The
unknown mean is integrated out: a constant of unit variance is part of the kernel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, cholesky, lapack, solve_triangular

from zairyo.learn._kernels import (
    ORDERS,
    PROFILES,
    AnyFloats,
    Distances,
    Kernel,
    amplitudes,
    lengths,
    profile_in_place,
)
from zairyo.learn._output import Output
from zairyo.learn._space import Floats, LearnError
from zairyo.learn._threads import on_all_cores

#: Variance of the unknown mean, in variances of the output.
MEAN_VARIANCE = 1.0
#: Candidates at a time: kernels of a block stay in the processor's cache.
BLOCK = 4096
#: Candidates from which single precision and all cores are used.
MANY = 50_000


@dataclass(frozen=True, eq=False)
class Problem:
    """Data that a kernel is fitted to.

    Attributes
    ----------
    X
        Shape (n, p).
    t
        Shape (n,): outputs on the scale of the model.
    noise
        Shape (n,): known variance of each, on that scale; None where it is one unknown number.
    noise_mean, noise_sd
        The normal prior of the logarithm of the unknown variance.
    """

    X: Floats
    t: Floats
    noise: Floats | None = None
    noise_mean: float = -4.0
    noise_sd: float = 1.5


def noise_prior(X: Floats, t: Floats) -> tuple[float, float]:
    """Prior of log noise variance from replicates: rows of ``X`` that are the same. Wide where there are none."""
    _, owner, counts = np.unique(X, axis=0, return_inverse=True, return_counts=True)
    owner = owner.ravel()
    freedom = len(t) - len(counts)
    if freedom == 0:
        return -4.0, 1.5
    means = np.bincount(owner, t) / counts
    pooled = float(((t - means[owner]) ** 2).sum() / freedom)
    # log of a χ²-distributed variance has deviation √(2/ν); tempered with the wide prior.
    weight = freedom / 2.0
    mean = (weight * math.log(max(pooled, 1e-6)) - 4.0 / 1.5**2) / (weight + 1.0 / 1.5**2)
    return mean, 1.0 / math.sqrt(weight + 1.0 / 1.5**2)


def factor(K: Floats) -> Floats:
    """Lower Cholesky factor, with as little added to the diagonal as makes one possible.

    Raises
    ------
    LearnError
        Where the matrix is not finite.
    """
    if not np.isfinite(K).all():
        raise LearnError("the kernel matrix is not finite: look for values beyond 1e150 among the features")
    lower, info = lapack.dpotrf(K, lower=1, clean=1)
    if info == 0:
        return np.asarray(lower)
    size = float(np.mean(np.diag(K)))
    for jitter in (1e-10, 1e-8, 1e-6, 1e-4, 1e-2):
        lower, info = lapack.dpotrf(K + jitter * size * np.eye(len(K)), lower=1, clean=1)
        if info == 0:
            return np.asarray(lower)
    return np.asarray(cholesky(np.diag(np.diag(K) + size), lower=True))


def _diagonal(square: Floats) -> Floats:
    """To be written to."""
    return np.asarray(np.einsum("ii->i", square))


def negative_log_posterior(theta: Floats, distances: Distances, problem: Problem) -> tuple[float, Floats]:
    """-log p(t, θ) and its gradient; the last of ``theta`` is the log noise variance."""
    K, slopes = distances.matrix_and_slopes(theta[:-1])
    n = len(K)
    K += MEAN_VARIANCE
    noise = math.exp(theta[-1])
    _diagonal(K)[:] += noise if problem.noise is None else problem.noise + noise
    lower = factor(K)
    half, _ = lapack.dpotri(lower, lower=1)  # above its diagonal it stays empty
    inverse = half + half.T
    _diagonal(inverse)[:] *= 0.5
    alpha = inverse @ problem.t
    value = 0.5 * float(problem.t @ alpha) + float(np.log(lower.diagonal()).sum())
    inverse -= alpha[:, None] * alpha
    inverse *= 0.5
    gradient = np.empty(len(theta))
    gradient[:-1] = slopes(inverse)
    gradient[-1] = noise * inverse.trace()
    mean, deviation = prior_of(distances.kernel, problem)
    offset = (theta - mean) / deviation
    value += 0.5 * float(offset @ offset) + float(np.log(deviation).sum())
    gradient += offset / deviation
    return value + 0.5 * (n + len(theta)) * math.log(2 * math.pi), gradient


def prior_of(kernel: Kernel, problem: Problem) -> tuple[Floats, Floats]:
    """Mean and deviation of the prior of all hyperparameters, noise last."""
    mean, deviation = kernel.prior
    known = problem.noise is not None
    # Where the noise is known, what is left over is small.
    return (
        np.append(mean, -9.0 if known else problem.noise_mean),
        np.append(deviation, 1.0 if known else problem.noise_sd),
    )


@dataclass(frozen=True, eq=False)
class GP:
    """A Gaussian process that has seen data.

    Attributes
    ----------
    kernel, theta
        The kernel, its hyperparameters, and last the log noise variance.
    X, t
        Shapes (n, p) and (n,): the data, outputs on the scale of the model.
    noise
        Shape (n,): the noise variance of each.
    lower
        Shape (n, n): Cholesky factor of the kernel matrix with noise.
    output
        How outputs were transformed.
    """

    kernel: Kernel
    theta: Floats
    X: Floats
    t: Floats
    noise: Floats
    lower: Floats
    output: Output

    @classmethod
    def of(cls, kernel: Kernel, theta: Floats, problem: Problem, output: Output) -> GP:
        """The posterior for given hyperparameters."""
        K = Distances(kernel, problem.X).matrix(theta[:-1]) + MEAN_VARIANCE
        noise = np.full(len(K), math.exp(theta[-1]))
        if problem.noise is not None:
            noise = noise + problem.noise
        K[np.diag_indices(len(K))] += noise
        return cls(kernel, theta, problem.X, problem.t, noise, factor(K), output)

    @cached_property
    def alpha(self) -> Floats:
        """Shape (n,): K⁻¹ t."""
        return np.asarray(cho_solve((self.lower, True), self.t, check_finite=False))

    @cached_property
    def prior_variance(self) -> float:
        """Of the function at one place."""
        return float(amplitudes(self.kernel, self.theta[:-1]).sum() + MEAN_VARIANCE)

    def append(self, X: Floats, t: Floats | None = None, noise: Floats | None = None) -> GP:
        """The posterior with m more rows, hyperparameters as they are: O(n² m).

        Parameters
        ----------
        X
            Shape (m, p).
        t
            Shape (m,), on the scale of the model. None for experiments that are pending: they take the value
            that is expected of them, so the mean stays and the variance falls.
        noise
            Shape (m,): their variances; that of the model where None.
        """
        X = np.atleast_2d(np.asarray(X, dtype=float))
        cross = self.covariance(X, self.X)
        if t is None:
            t = cross @ self.alpha
        extra = np.full(len(X), math.exp(self.theta[-1])) if noise is None else np.asarray(noise, dtype=float)
        side = solve_triangular(self.lower, cross.T, lower=True, check_finite=False)
        corner = self.covariance(X, X) - side.T @ side + np.diag(extra)
        n = len(self.X)
        grown = np.zeros((n + len(X), n + len(X)))
        grown[:n, :n] = self.lower
        grown[n:, :n] = side.T
        grown[n:, n:] = factor(corner)
        return replace(
            self,
            X=np.vstack([self.X, X]),
            t=np.append(self.t, t),
            noise=np.append(self.noise, extra),
            lower=grown,
        )

    def covariance(self, A: Floats, B: Floats) -> Floats:
        """Prior covariance between rows, shape (len(A), len(B)), the unknown mean's included."""
        return np.asarray(self._cross(B, np.float64)(np.asarray(A, dtype=float)))

    def _cross(self, B: Floats, dtype: type) -> _Cross:
        return _Cross(self, np.asarray(B, dtype=float), dtype)

    def latent(self, X: Floats, *, single: bool | None = None) -> tuple[Floats, Floats]:
        """Mean and variance of the function (without noise) on the scale of the model, each of shape (m,).

        Parameters
        ----------
        X
            Shape (m, p); worked through in blocks.
        single
            Single precision, where differences below 1e-5 do no harm; by default beyond 50,000 rows.
        """
        X = np.asarray(X, dtype=float)
        dtype = np.float32 if (len(X) > MANY if single is None else single) else np.float64
        inverse = solve_triangular(self.lower, np.eye(len(self.X)), lower=True, check_finite=False)
        right: AnyFloats = np.column_stack([inverse.T, self.alpha]).astype(dtype)
        cross = self._cross(self.X, dtype)
        mean, variance = np.empty(len(X)), np.empty(len(X))

        def block(start: int) -> None:
            rows = slice(start, start + BLOCK)
            both = np.asarray(cross(X[rows]) @ right)
            mean[rows] = both[:, -1]
            solved = both[:, :-1]
            variance[rows] = self.prior_variance - np.einsum("ij,ij->i", solved, solved)

        starts = range(0, len(X), BLOCK)
        if len(X) > MANY:
            on_all_cores(block, starts)
        else:
            for start in starts:
                block(start)
        return mean, np.maximum(variance, 1e-12 * self.prior_variance)

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        """Mean and deviation of a new measurement, in the units of the output, each of shape (m,)."""
        mean, variance = self.latent(X)
        return self.output.moments(mean, np.sqrt(variance + math.exp(self.theta[-1])))

    def loo_latent(self) -> tuple[Floats, Floats]:
        """Mean and variance of each output when it is left out, on the scale of the model."""
        inverse, _ = lapack.dpotri(self.lower, lower=1)
        variance = 1.0 / np.diag(inverse)
        return self.t - self.alpha * variance, variance

    def loo(self) -> tuple[Floats, Floats]:
        """Mean and deviation of each output when it is left out, hyperparameters as they are."""
        mean, variance = self.loo_latent()
        return self.output.moments(mean, np.sqrt(variance))

    def loo_density(self) -> float:
        """Log density of the outputs, each left out in turn, in the units of the data."""
        mean, variance = self.loo_latent()
        each = -0.5 * ((self.t - mean) ** 2 / variance + np.log(2 * math.pi * variance))
        return float(np.sum(each + self.output.log_jacobian(self.output.backward(self.t))))

    def samples(self, X: Floats, count: int, rng: np.random.Generator) -> Floats:
        """Joint draws of the function, shape (count, m), on the scale of the model."""
        X = np.asarray(X, dtype=float)
        cross = self.covariance(X, self.X)
        side = solve_triangular(self.lower, cross.T, lower=True, check_finite=False)
        root = factor(self.covariance(X, X) - side.T @ side)
        return np.asarray(cross @ self.alpha + rng.standard_normal((count, len(X))) @ root.T)

    def posterior_covariance(self, A: Floats, B: Floats) -> Floats:
        """Covariance of the function at rows of ``A`` and of ``B``, after the data."""
        left = solve_triangular(self.lower, self.covariance(self.X, A), lower=True, check_finite=False)
        right = solve_triangular(self.lower, self.covariance(self.X, B), lower=True, check_finite=False)
        return np.asarray(self.covariance(A, B) - left.T @ right)

    def variance_reduction(self, candidates: Floats, reference: Floats) -> Floats:
        """How much measuring each candidate lowers the mean variance over the reference rows, shape (m,).

        Active learning, Cohn (1996): ALC, also called integrated variance.
        """
        candidates = np.asarray(candidates, dtype=float)
        found = np.empty(len(candidates))
        step = max(1, 4_000_000 // max(len(reference), len(self.X), 1))
        for start in range(0, len(candidates), step):
            rows = slice(start, start + step)
            shared = self.posterior_covariance(candidates[rows], reference)
            variance = self.latent(candidates[rows], single=False)[1] + math.exp(self.theta[-1])
            found[rows] = (shared**2).mean(axis=1) / variance
        return found

    def gradient(self, x: Floats) -> tuple[float, float, Floats, Floats]:
        """Mean, variance and their gradients at one place of shape (p,), on the scale of the model."""
        x = np.asarray(x, dtype=float)
        slopes = self._cross(self.X, np.float64).slopes(x)
        cross = self.covariance(x[None, :], self.X)[0]
        solved = cho_solve((self.lower, True), cross, check_finite=False)
        variance = max(self.prior_variance - float(cross @ solved), 1e-12 * self.prior_variance)
        return float(cross @ self.alpha), variance, self.alpha @ slopes, -2.0 * (solved @ slopes)


class _Cross:
    """Kernels between given rows and blocks of others, by matrix products."""

    def __init__(self, gp: GP, B: Floats, dtype: type) -> None:
        self._gp = gp
        self._dtype = dtype
        self._rows = len(B)
        self._terms = []
        theta = gp.theta[:-1]
        for amplitude, scales, term in zip(
            amplitudes(gp.kernel, theta), lengths(gp.kernel, theta), gp.kernel.terms, strict=True
        ):
            pieces = []
            for scale, one in zip(scales, term, strict=True):
                weight = 1.0 / scale[one.features.group]
                Z = one.features.of(B) * weight
                centre = Z.mean(axis=0)
                pieces.append((one, weight, centre, Z - centre))
            self._terms.append((amplitude, pieces, [self._right(piece) for piece in pieces]))

    def _right(self, piece: tuple) -> AnyFloats:  # type: ignore[type-arg]
        """What rows [z, 1, |z|²] are multiplied by to give scaled squared distances at once."""
        one, _, _, Z = piece
        stacked = np.vstack([-2.0 * Z.T, (Z * Z).sum(axis=1), np.ones(len(Z))])
        return np.asarray(stacked * ORDERS[one.profile]).astype(self._dtype)

    def _distance(self, A: Floats, piece: tuple, right: AnyFloats) -> AnyFloats:  # type: ignore[type-arg]
        one, weight, centre, _ = piece
        left: AnyFloats = np.empty((len(A), len(right)), dtype=self._dtype)
        left[:, :-2] = one.features.of(A) * weight - centre
        left[:, -2] = 1.0
        left[:, -1] = np.einsum("ij,ij->i", left[:, :-2], left[:, :-2])
        u = left @ right
        return np.asarray(np.maximum(u, self._dtype(0.0), out=u))

    def __call__(self, A: Floats) -> AnyFloats:
        total: AnyFloats | None = None
        spare: AnyFloats = np.empty((len(A), self._rows), dtype=self._dtype)
        for amplitude, pieces, rights in self._terms:
            value: AnyFloats | None = None
            for piece, right in zip(pieces, rights, strict=True):
                profile = profile_in_place(piece[0].profile, self._distance(A, piece, right), spare)
                value = profile if value is None else np.multiply(value, profile, out=value)
            assert value is not None
            value *= self._dtype(amplitude)
            total = value if total is None else np.add(total, value, out=total)
        assert total is not None
        total += self._dtype(MEAN_VARIANCE)
        return total

    def slopes(self, x: Floats) -> Floats:
        """d kernel / d x, shape (rows, p)."""
        found = np.zeros((self._rows, len(x)))
        for amplitude, pieces, _ in self._terms:
            parts = []
            for piece in pieces:
                one, weight, centre, Z = piece
                apart = (one.features.of(x[None, :]) * weight - centre) - Z
                value, slope = PROFILES[one.profile]((apart**2).sum(axis=1))
                by_feature = slope[:, None] * (2.0 * apart * weight)
                parts.append((value, one.features.slopes(by_feature, x), one.features.columns))
            for mine, (_, slope, columns) in enumerate(parts):
                others = np.prod([value for k, (value, *_) in enumerate(parts) if k != mine], axis=0)
                np.add.at(found.T, columns, (amplitude * np.atleast_1d(others)[:, None] * slope).T)
        return found
