"""What a prediction rests on, and what more samples would bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zairyo.learn._models import Model
from zairyo.learn._said import LANGUAGES, name_in
from zairyo.learn._space import Floats, Space
from zairyo.learn._validate import Validation


@dataclass(frozen=True)
class Importance:
    """How much the error grows when a variable is shuffled among samples that the models have not seen.

    Attributes
    ----------
    name
        Of the variable: a category or a mixture counts as one.
    value, error
        Growth of the root mean square error, in units of the output, and its standard error.
    """

    name: str
    value: float
    error: float


def importances(
    validation: Validation, X: Floats, y: Floats, space: Space, seed: int, repeats: int = 5
) -> tuple[Importance, ...]:
    """Permutation importances on rows left out, the largest first."""
    rng = np.random.default_rng(seed)
    plain = _unseen(validation, X)
    base = float(np.sqrt(np.mean((y - plain) ** 2)))
    found = []
    for variable in space.variables:
        grown = []
        for _ in range(repeats):
            shuffled = X.copy()
            columns = list(variable.columns)
            shuffled[:, columns] = X[rng.permutation(len(X))][:, columns]
            grown.append(float(np.sqrt(np.mean((y - _unseen(validation, shuffled)) ** 2))) - base)
        error = float(np.std(grown, ddof=1)) / repeats**0.5
        found.append(Importance(variable.name, float(np.mean(grown)), error))
    return tuple(sorted(found, key=lambda one: (-one.value, one.name)))


def _unseen(validation: Validation, X: Floats) -> Floats:
    mean = np.empty(len(X))
    for one, blend in enumerate(validation.blends):
        rows = validation.fold == one
        mean[rows] = blend.predict(X[rows])[0]
    return mean


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Error against the number of samples, and the power law ``error = a · n^(-b)`` through it.

    Attributes
    ----------
    sizes, errors, spreads
        Samples learned from; mean root mean square error on the rest, and its standard deviation over draws.
    draws
        Shape (draws, 2): log a and b of bootstrapped fits.
    now
        Samples there are.
    """

    sizes: Floats
    errors: Floats
    spreads: Floats
    draws: Floats
    now: int

    def at(self, samples: int) -> tuple[float, float, float]:
        """Error expected from so many samples: median, and bounds of 80 %."""
        values = np.exp(self.draws[:, 0] - self.draws[:, 1] * np.log(samples))
        low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
        return float(middle), float(low), float(high)

    def gain(self, more: int) -> tuple[float, float, float]:
        """Share by which the error falls with so many more samples: median, and bounds of 80 %."""
        kept = ((self.now + more) / self.now) ** -self.draws[:, 1]
        low, middle, high = np.quantile(1.0 - kept, [0.1, 0.5, 0.9])
        return float(middle), float(low), float(high)

    def sentence(self, more: int = 10, words: Mapping[str, str] = LANGUAGES["en"]) -> str:
        """What so many more samples of the same kind would bring."""
        middle, low, high = (f"{100 * share:.0f}" for share in self.gain(more))
        return words["gain"].format(more=more, middle=middle, low=low, high=high)


def learning_curve(
    model: Model, X: Floats, y: Floats, noise: Floats | None, group: np.ndarray, seed: int, repeats: int = 4
) -> LearningCurve | None:
    """Learn from parts of the data, whole groups at a time; None below 12 groups, too few to tell."""
    count = int(group.max()) + 1
    if count < 12:
        return None
    rng = np.random.default_rng(seed)
    top = int(0.85 * count)
    sizes = np.unique(np.geomspace(max(5, top // 6), top, 5).astype(int))
    errors = np.empty((repeats, len(sizes)))
    rows = np.empty((repeats, len(sizes)))
    for repeat in range(repeats):
        order = rng.permutation(count)
        test = np.isin(group, order[top:])
        for place, size in enumerate(sizes):
            train = np.isin(group, order[:size])
            fitted = model.fit(X[train], y[train], None if noise is None else noise[train])
            errors[repeat, place] = np.sqrt(np.mean((fitted.predict(X[test])[0] - y[test]) ** 2))
            rows[repeat, place] = train.sum()
    floor = 1e-12 * max(float(np.ptp(y)), 1e-300)
    logs = np.log(np.maximum(errors, floor))
    # No curve is a power law for ever: some fits see only its later part, where more samples help less or more.
    draws = np.array(
        [
            _power_law(rows[picked, first:], logs[picked, first:], rng)
            for picked in rng.integers(0, repeats, (200, repeats))
            for first in (int(rng.integers(0, max(1, len(sizes) - 2))),)
        ]
    )
    return LearningCurve(rows.mean(axis=0), errors.mean(axis=0), errors.std(axis=0, ddof=1), draws, len(y))


def _power_law(rows: Floats, logs: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """log a and b ≥ 0, drawn from what the points leave open; b has a weak prior about 0.3 (deviation 0.5).

    Larger samples weigh more. What the points stray from the line is their error.
    """
    x, y, weight = np.log(rows).ravel(), logs.ravel(), rows.ravel() / rows.mean()
    centre, middle = np.average(x, weights=weight), np.average(y, weights=weight)
    spread, shared = (weight * (x - centre) ** 2).sum(), (weight * (x - centre) * (y - middle)).sum()
    stray = y - middle - (shared / max(spread, 1e-12)) * (x - centre)
    residual = max(float(np.average(stray**2, weights=weight)), 1e-6)
    precision = spread / residual + 1 / 0.25
    slope = (-shared / residual + 0.3 / 0.25) / precision + rng.standard_normal() / precision**0.5
    b = max(float(slope), 0.0)
    return float(middle + b * centre), b


def parts_of(names: Sequence[str], weights: Floats, words: Mapping[str, str]) -> str:
    """Which models the blend is of."""
    order = np.argsort(-weights, kind="stable")
    parts = [
        f"{name_in(words, names[int(k)])} {100 * weights[int(k)]:.0f} %" for k in order if weights[int(k)] > 0
    ]
    return words["between"].join(parts)
