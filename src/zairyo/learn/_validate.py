"""Honest errors: every row is predicted by models, and by a blend of them, that have not seen its group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zairyo.learn._models import Fitted, Model
from zairyo.learn._space import Floats

#: Up to so many groups each is left out by itself.
FEW = 20
#: Weight of the belief that all models deserve the same, as the deviation of a weight from it.
WEIGHT_SD = 0.5
#: No deviation is less than this share of the error on rows left out. Where a model is surer than that of the one
#: row it then misses, the interval of every other would be many times too wide. On 24 real tables with 15 and 40
#: samples the share costs nothing, and the worst intervals score 0.7 of before (Winkler); half costs some 4 %.
LEAST = 0.3


@dataclass(frozen=True, eq=False)
class Blend:
    """Models fitted to the same rows, averaged with weights.

    Attributes
    ----------
    members
        Those with a weight above zero.
    weights
        Shape (members,), of sum 1.
    least
        The least deviation, in units of the output.
    """

    members: tuple[Fitted, ...]
    weights: Floats
    least: float = 0.0

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        """Mean and deviation of the mixture of the members' predictions."""
        mean, deviation = mixed([one.predict(X) for one in self.members], self.weights)
        return mean, np.maximum(deviation, self.least)


def mixed(each: Sequence[tuple[Floats, Floats]], weights: Floats) -> tuple[Floats, Floats]:
    """Mean and deviation of a mixture: members' own variances, and how far they disagree."""
    means = np.array([one[0] for one in each])
    variances = np.array([one[1] for one in each]) ** 2
    middle = weights @ means
    return middle, np.sqrt(weights @ (variances + (means - middle) ** 2))


@dataclass(frozen=True, eq=False)
class Validation:
    """What came of leaving groups out.

    Attributes
    ----------
    names
        Of the models.
    fold
        Shape (n,): with which rows each was left out.
    scheme
        In words.
    means, deviations
        Shape (models, n): predictions of rows left out.
    errors
        Shape (models,): their root mean square errors.
    weights
        Shape (models,): of the blend, learned from all of them.
    mean, deviation
        Shape (n,): the blend's prediction, its weights learned without the row's fold.
    least
        The least deviation, in units of the output.
    blends
        For each fold, the blend that has not seen it.
    """

    names: tuple[str, ...]
    fold: NDArray[np.intp]
    scheme: str
    means: Floats
    deviations: Floats
    errors: Floats
    weights: Floats
    mean: Floats
    deviation: Floats
    least: float
    blends: tuple[Blend, ...]


def groups_of(X: Floats, groups: Sequence[object] | None) -> NDArray[np.intp]:
    """The group of each row, from 0: as given, or the same for rows that are the same."""
    if groups is None:
        found = np.unique(X, axis=0, return_inverse=True)[1]
    else:
        found = np.unique(np.array([str(one) for one in groups]), return_inverse=True)[1]
    return np.asarray(found).ravel().astype(np.intp)


def folds_of(group: NDArray[np.intp], seed: int) -> tuple[NDArray[np.intp], str]:
    """The fold of each row, none splitting a group: one group each when few, else 10 (or 5) of even size."""
    count = int(group.max()) + 1
    if count <= FEW:
        return group, "each sample left out in turn" if count == len(group) else "each group left out in turn"
    folds = 10 if count <= 500 else 5
    order = np.random.default_rng(seed).permutation(count)
    sizes = np.bincount(group, minlength=count)[order]
    load = np.zeros(folds)
    place = np.empty(count, dtype=np.intp)
    for one, size in zip(order, sizes, strict=True):
        place[one] = int(np.argmin(load))
        load[place[one]] += size
    return place[group], f"{folds} folds" + ("" if count == len(group) else ", groups kept together")


def validate(
    models: Sequence[Model], X: Floats, y: Floats, noise: Floats | None, group: NDArray[np.intp], seed: int
) -> Validation:
    """Leave each fold out of every model, and learn how to weigh them. At least two groups."""
    fold, scheme = folds_of(group, seed)
    count = int(fold.max()) + 1
    means, deviations = np.empty((len(models), len(y))), np.empty((len(models), len(y)))
    fitted: list[list[Fitted]] = []
    for one in range(count):
        train, test = fold != one, fold == one
        part = None if noise is None else noise[train]
        fitted.append([model.fit(X[train], y[train], part) for model in models])
        for place, member in enumerate(fitted[-1]):
            means[place, test], deviations[place, test] = member.predict(X[test])
    errors = np.sqrt(np.mean((means - y) ** 2, axis=1))
    mean, deviation = np.empty(len(y)), np.empty(len(y))
    shares = []
    for one in range(count):
        train, test = fold != one, fold == one
        shares.append(weights_of(means[:, train], y[train]))
        mean[test], deviation[test] = mixed(
            list(zip(means[:, test], deviations[:, test], strict=True)), shares[-1]
        )
    least = LEAST * float(np.sqrt(np.mean((mean - y) ** 2)))
    blends = tuple(blend_of(*each, least) for each in zip(fitted, shares, strict=True))
    names = tuple(model.name for model in models)
    weights = weights_of(means, y)
    deviation = np.maximum(deviation, least)
    return Validation(names, fold, scheme, means, deviations, errors, weights, mean, deviation, least, blends)


def blend_of(fitted: Sequence[Fitted], weights: Floats, least: float = 0.0) -> Blend:
    """The blend of those with a weight."""
    kept = np.flatnonzero(weights > 0)
    return Blend(tuple(fitted[int(k)] for k in kept), weights[kept], least)


def weights_of(means: Floats, y: Floats) -> Floats:
    """Weights, not negative and of sum 1, by least squares drawn to equality among the good models.

    Stacking after Breiman (1996). Models more than a tenth behind the best take part only if least squares asks
    for them; weights below 0.05 are dropped, so that a prediction costs no more models than it needs.
    """
    from scipy.optimize import nnls

    errors = np.mean((means - y) ** 2, axis=1)
    best = float(errors.min())
    good = errors <= 1.21 * best
    share = good / good.sum()
    scale = math.sqrt(best) if best > 0 else 1.0
    firm = 1e3 * math.sqrt(len(y))
    rows = np.vstack([means.T / scale, np.eye(len(means)) / WEIGHT_SD, np.full((1, len(means)), firm)])
    target = np.concatenate([y / scale, share / WEIGHT_SD, [firm]])
    found = nnls(rows - 0.0, target)[0]
    found = np.where(found < 0.05, 0.0, found)
    return np.asarray(found / found.sum()) if found.sum() > 0 else share


def rank(count: int, level: float) -> int:
    """Which of so many ordered scores bounds a new one with probability ``level``; beyond them where too few."""
    return math.ceil(level * (count + 1) - 1e-9)


def conformal(validation: Validation, y: Floats, X: Floats, level: float) -> tuple[Floats, Floats]:
    """CV+ intervals, lower and upper, each of shape (m,): Barber, Candès, Ramdas, Tibshirani (2021).

    Residuals are in units of the deviation that was predicted, so that intervals are wide where the models are
    unsure. Each row of the data votes with the blend that has not seen it; with probability at least 2·level - 1
    (in practice ``level``) a new measurement from the same population lies inside.
    """
    m = len(X)
    n = len(y)
    low, high = np.empty((n, m)), np.empty((n, m))
    score = _scores(validation, y)
    for one, blend in enumerate(validation.blends):
        mean, deviation = blend.predict(X)
        rows = validation.fold == one
        low[rows] = mean - score[rows, None] * deviation
        high[rows] = mean + score[rows, None] * deviation
    k = min(rank(n, level), n)
    return np.partition(low, n - k, axis=0)[n - k], np.partition(high, k - 1, axis=0)[k - 1]


def _scores(validation: Validation, y: Floats) -> Floats:
    """Residuals in units of the deviation that was predicted, which is nothing where all outputs are the same."""
    least = max(1e-12 * float(np.abs(y).max()), np.finfo(float).tiny)
    return np.asarray(np.abs(y - validation.mean) / np.maximum(validation.deviation, least))


def score_bound(validation: Validation, y: Floats, level: float, *, skip: int | None = None) -> float:
    """How many predicted deviations hold ``level`` of the rows left out (those of fold ``skip`` aside)."""
    kept = np.ones(len(y), dtype=bool) if skip is None else validation.fold != skip
    score = np.sort(_scores(validation, y)[kept])
    place = rank(len(score), level)
    if place <= len(score):
        return float(score[place - 1])
    # Too few for a bound without assumptions: as far beyond the largest as a normal deviate is.
    from scipy.stats import norm

    return float(
        score[-1] * max(1.0, norm.ppf(0.5 + level / 2) / norm.ppf(0.5 + 0.5 * len(score) / (len(score) + 1)))
    )


def measured_coverage(validation: Validation, y: Floats, level: float) -> float:
    """Share of rows inside intervals whose width was learned without their fold."""
    inside = np.zeros(len(y), dtype=bool)
    for one in range(len(validation.blends)):
        rows = validation.fold == one
        bound = score_bound(validation, y, level, skip=one)
        inside[rows] = np.abs(y - validation.mean)[rows] <= bound * validation.deviation[rows]
    return float(inside.mean())
