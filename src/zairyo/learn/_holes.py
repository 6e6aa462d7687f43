"""Holes in the rows that are learned from, or predicted: filled by what the other columns tell, with how sure that is.

Columns are taken to be jointly normal, so that a hole has the mean and the deviation that the known columns of its row
leave it; mean and covariance are those of most likelihood, found by expectation and maximisation (Little and Rubin
2019, "Statistical Analysis with Missing Data", 11.2). Correlations are drawn towards none, as far as tells numbers of
rows left out best.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import norm, qmc

from zairyo.learn._space import Floats, Space
from zairyo.learn._threads import one_thread

Mask: TypeAlias = NDArray[np.bool_]
Integers: TypeAlias = NDArray[np.intp]
#: Rounds of expectation and maximisation; fewer where it is only compared.
ROUNDS, FIRST_ROUNDS = 10, 4
#: Rows that the covariance is learned from; of more columns, a hole has their mean.
MOST_ROWS, MOST_COLUMNS = 300, 64
#: Rows without any correlation that are as if seen beside the real ones, for each column; and parts of the rows that
#: are left out to choose among them.
DOUBTS, FOLDS = (0.003, 0.03, 0.3), 2
#: The largest share of a row's variables that may be missing.
MOST_MISSING = 0.5
#: Draws of what is missing; quasi-random, so few serve.
DRAWS = 16


def fillable(X: Floats, space: Space) -> Mask:
    """Rows (n,) of which not more than half of the variables are missing, and one at least is known."""
    lost = np.column_stack([np.isnan(X[:, list(one.columns)]).any(axis=1) for one in space.variables])
    return np.asarray((lost.mean(axis=1) <= MOST_MISSING) & ~lost.all(axis=1))


@dataclass(frozen=True, eq=False)
class Filler:
    """What columns tell of each other.

    Attributes
    ----------
    space
        What the columns are.
    centre, scale
        Shape (p,).
    covariance
        Shape (p, p), of the scaled columns.
    lower, upper
        Shape (p,): what was seen; nothing beyond is expected.
    """

    space: Space
    centre: Floats
    scale: Floats
    covariance: Floats
    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, X: Floats, space: Space, seed: int = 0) -> Filler:
        """From rows with holes, shape (n, p); every column has a number somewhere."""
        if len(X) > MOST_ROWS:
            drawn = np.sort(np.random.default_rng(seed).choice(len(X), MOST_ROWS, replace=False))
            X = X[drawn] if not np.isnan(X[drawn]).all(axis=0).any() else X
        centre, spread = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        Z, width = (X - centre) / scale, X.shape[1]
        doubt = DOUBTS[-1]
        if width > MOST_COLUMNS:
            return cls(space, centre, scale, np.eye(width), np.nanmin(X, axis=0), np.nanmax(X, axis=0))
        fold = np.random.default_rng(seed).permutation(len(Z)) % FOLDS
        with one_thread():
            if len(Z) >= 4 * FOLDS:
                told = [
                    sum(_told(Z[fold == k], *_normal(Z[fold != k], one, FIRST_ROUNDS)) for k in range(FOLDS))
                    for one in DOUBTS
                ]
                doubt = DOUBTS[int(np.argmax(told))]
            mean, covariance = _normal(Z, doubt, ROUNDS)
        low, high = np.nanmin(X, axis=0), np.nanmax(X, axis=0)
        return cls(space, centre + scale * mean, scale, covariance, low, high)

    def fill(self, X: Floats) -> Floats:
        """Rows (m, p) with what is expected in their holes: within what was seen."""
        filled = self._filled(X, np.zeros((1, X.shape[1])))[0]
        return np.where(np.isnan(X), np.clip(filled, self.lower, self.upper), X)

    def draws(self, X: Floats, seed: int = 0) -> Floats:
        """Rows with what may be in their holes, shape (``DRAWS``, m, p); a category is one of its levels.

        Cut at what was seen, it would vary too little.
        """
        sampled = qmc.Sobol(X.shape[1], rng=np.random.default_rng(seed)).random(DRAWS)
        found = self._filled(X, norm.ppf(np.clip(sampled, 1e-6, 1 - 1e-6)))
        for one in self.space.variables:
            columns = np.array(one.columns)
            rows = np.flatnonzero(np.isnan(X[:, columns]).any(axis=1))
            if one.kind == "category" and len(rows):
                place = np.ix_(np.arange(DRAWS), rows, columns)
                found[place] = np.eye(len(columns))[found[place].argmax(axis=2)]
        return found

    def _filled(self, X: Floats, z: Floats) -> Floats:
        """Shape (k, m, p), for k standard normal deviates of each column, (k, p)."""
        Z = (X - self.centre) / self.scale
        found = np.repeat(X[None], len(z), axis=0)
        for lost, rows, slope, rest in _conditionals(Z, self.covariance):
            widths, vectors = np.linalg.eigh(rest)
            away = z[:, lost] @ (vectors * np.sqrt(np.maximum(widths, 0.0))).T
            values = Z[np.ix_(rows, ~lost)] @ slope + away[:, None, :]
            found[np.ix_(np.arange(len(z)), rows, np.flatnonzero(lost))] = (
                self.centre[lost] + self.scale[lost] * values
            )
        return found


def _normal(Z: Floats, doubt: float, rounds: int) -> tuple[Floats, Floats]:
    """Mean (p,) and covariance (p, p) of scaled rows with holes."""
    width = Z.shape[1]
    mean, covariance = np.zeros(width), np.eye(width)
    for _ in range(rounds if np.isnan(Z).any() else 1):
        filled, spare = Z.copy(), np.zeros((width, width))
        for lost, rows, slope, rest in _conditionals(Z, covariance):
            filled[np.ix_(rows, lost)] = mean[lost] + (Z[np.ix_(rows, ~lost)] - mean[~lost]) @ slope
            spare[np.ix_(lost, lost)] += len(rows) * rest
        mean = filled.mean(axis=0)
        away = filled - mean
        covariance = (away.T @ away + spare + doubt * width * np.eye(width)) / (len(Z) + doubt * width)
    return mean, covariance


def _told(Z: Floats, mean: Floats, covariance: Floats) -> float:
    """Log density of each known number of rows, given the other known ones of its row; summed."""
    total = 0.0
    patterns, owner = np.unique(np.isnan(Z), axis=0, return_inverse=True)
    for k, lost in enumerate(patterns):
        precision = np.linalg.inv(covariance[np.ix_(~lost, ~lost)])
        strength = np.diag(precision)
        away = (Z[np.ix_(owner.ravel() == k, ~lost)] - mean[~lost]) @ precision
        total += float((0.5 * np.log(strength) - 0.5 * away**2 / strength).sum())
    return total


def _conditionals(Z: Floats, covariance: Floats) -> Iterator[tuple[Mask, Integers, Floats, Floats]]:
    """For rows with the same holes: columns (p,) and rows of them, slopes (known, lost), covariance (lost, lost)."""
    patterns, owner = np.unique(np.isnan(Z), axis=0, return_inverse=True)
    for k, lost in enumerate(patterns):
        if lost.any():
            between = covariance[np.ix_(~lost, lost)]
            slope = cho_solve(cho_factor(covariance[np.ix_(~lost, ~lost)]), between)
            rest = covariance[np.ix_(lost, lost)] - between.T @ slope
            yield lost, np.flatnonzero(owner.ravel() == k), slope, rest
