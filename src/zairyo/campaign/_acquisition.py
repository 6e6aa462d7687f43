"""How much a candidate promises: closed forms for a normal prediction, as logarithms so that small promises still rank.

All take mean and variance of the function on the scale of the model, of any one shape.
Sources: Jones, Schonlau, Welch (1998) for expected improvement; Ament, Daulton, Eriksson, Balandat, Bakshy (2023),
"Unexpected improvements to expected improvement for Bayesian optimization", for its logarithm; Rahimi and Recht (2007)
with Wilson, Borovitskiy, Terenin, Mostowsky, Deisenroth (2020) for draws of whole functions.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import cho_solve
from scipy.special import erfcx, log_ndtr

from zairyo.campaign._base import Floats
from zairyo.learn import GP
from zairyo.learn._kernels import amplitudes, lengths

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
#: Degrees of freedom of the spectral density of each profile; infinite for the squared exponential.
FREEDOM = {"matern52": 5.0, "matern32": 3.0, "rbf": math.inf}
#: The least distance told apart from none, in deviations.
NARROWEST = 1e-3


def log_h(z: Floats) -> Floats:
    """log(φ(z) + z Φ(z)): log expected improvement of a standard normal, without loss for any z."""
    z = np.asarray(z, dtype=float)
    # Far below, the bracket is a difference of two near numbers; 1/z² is then exact to the last digits.
    low = np.minimum(z, -1.0)
    ratio = np.sqrt(0.5 * np.pi) * erfcx(-low / math.sqrt(2.0)) * -low
    tail = np.where(low < -1e4, -2.0 * np.log(-low), np.log(np.maximum(1.0 - ratio, 1e-300)))
    high = np.maximum(z, -1.0)
    middle = np.log(np.exp(-0.5 * high * high - HALF_LOG_2PI) + high * np.exp(log_ndtr(high)))
    return np.where(z < -1.0, -0.5 * low * low - HALF_LOG_2PI + tail, middle)


def log_expected_improvement(mean: Floats, variance: Floats, best: Floats | float) -> Floats:
    """log E[max(f - best, 0)]."""
    deviation = np.sqrt(variance)
    return np.asarray(np.log(deviation) + log_h((mean - best) / deviation))


def log_probability_between(mean: Floats, variance: Floats, low: float | None, high: float | None) -> Floats:
    """log P(low ≤ f ≤ high); an end that is None is open."""
    deviation = np.sqrt(variance)
    a = np.full(np.shape(mean), -np.inf) if low is None else (low - mean) / deviation
    b = np.full(np.shape(mean), np.inf) if high is None else (high - mean) / deviation
    # The tail in which both ends are small numbers; the difference of their logarithms then loses nothing.
    turn = a > 0
    a, b = np.where(turn, -b, a), np.where(turn, -a, b)
    upper, lower = log_ndtr(b), log_ndtr(a)
    return np.asarray(upper + np.log(np.maximum(-np.expm1(np.minimum(lower - upper, -1e-300)), 1e-300)))


def log_nearing(
    mean: Floats, variance: Floats, low: float | None, high: float | None, distance: float
) -> Floats:
    """log E[max(1 - d / distance, 0)] for the distance d of f from the range; at distance 0, log P(inside).

    The expected improvement of the distance to a target (``low == high``) or to a range, as a share of the least
    distance so far.
    """
    mean = np.asarray(mean, dtype=float)
    if low is None and high is None:
        return np.zeros(mean.shape)
    if distance <= 0 and low != high:
        return log_probability_between(mean, variance, low, high)
    deviation = np.sqrt(variance)
    reach = np.maximum(distance, NARROWEST * deviation)
    if low is None or high is None:
        edge, side = (low, 1.0) if high is None else (high, -1.0)
        assert edge is not None
        return _log_ramp(side * (mean - edge), deviation, reach)
    # Seen from the nearer side, what is subtracted is the smaller part.
    mean = 0.5 * (low + high) - np.abs(mean - 0.5 * (low + high))
    rising = _log_ramp(mean - low, deviation, reach)
    falling = _log_ramp(mean - high - reach, deviation, reach)
    return log_difference(rising, falling)


def _log_ramp(above: Floats, deviation: Floats, reach: Floats) -> Floats:
    """log E of a ramp from 0 at ``-reach`` to 1 at 0, of a normal with mean ``above``."""
    upper, lower = log_h((above + reach) / deviation), log_h(above / deviation)
    return np.asarray(np.minimum(log_difference(upper, lower) + np.log(deviation / reach), 0.0))


def log_difference(large: Floats, small: Floats) -> Floats:
    """log(exp(large) - exp(small))."""
    return np.asarray(large + np.log(np.maximum(-np.expm1(np.minimum(small - large, 0.0)), 1e-300)))


def weighted(logs: Floats, weights: Floats) -> Floats:
    """log Σ w exp(l) over the first axis, of shape (members, m)."""
    if len(logs) == 1:
        return np.asarray(logs[0])
    return np.asarray(np.logaddexp.reduce(logs + np.log(weights)[:, None], axis=0))


class Path:
    """One draw of the whole function from a Gaussian process, for rows of any number.

    Random Fourier features for what is not known, corrected by the data exactly (Matheron's rule).

    Parameters
    ----------
    gp
        After the data.
    rng
        Of the draw.
    features
        How many waves each term of the kernel is drawn with.
    """

    def __init__(self, gp: GP, rng: np.random.Generator, features: int = 512) -> None:
        self._gp = gp
        self._constant = float(rng.standard_normal())
        theta = gp.theta[:-1]
        self._waves = []
        for amplitude, scales, term in zip(
            amplitudes(gp.kernel, theta), lengths(gp.kernel, theta), gp.kernel.terms, strict=True
        ):
            frequencies = []
            for scale, factor in zip(scales, term, strict=True):
                normal = rng.standard_normal((len(factor.features.group), features))
                freedom = FREEDOM[factor.profile]
                if math.isfinite(freedom):
                    normal *= np.sqrt(freedom / rng.chisquare(freedom, features))
                frequencies.append((factor.features, normal / scale[factor.features.group][:, None]))
            phase = rng.uniform(0.0, 2.0 * math.pi, features)
            height = math.sqrt(2.0 * amplitude / features) * rng.standard_normal(features)
            self._waves.append((frequencies, phase, height))
        prior = self._prior(gp.X) + np.sqrt(gp.noise) * rng.standard_normal(len(gp.X))
        self._alpha = cho_solve((gp.lower, True), gp.t - prior, check_finite=False)

    def _prior(self, X: Floats) -> Floats:
        total = np.full(len(X), self._constant)
        for frequencies, phase, height in self._waves:
            angle = phase + sum(features.of(X) @ omega for features, omega in frequencies)
            total += np.cos(angle) @ height
        return total

    def __call__(self, X: Floats) -> Floats:
        """Values at rows of ``X`` (m, p), shape (m,), on the scale of the model."""
        X = np.asarray(X, dtype=float)
        found = np.empty(len(X))
        for start in range(0, len(X), 4096):
            rows = slice(start, start + 4096)
            found[rows] = self._prior(X[rows]) + self._gp.covariance(X[rows], self._gp.X) @ self._alpha
        return found
