"""``fit``: from a matrix of features to a predictor whose errors are known.

predictor = fit(X, y, names=names, groups=batch)
print(predictor.report())
mean, sd, lower, upper = predictor.predict(candidates)[:4]
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from zairyo.learn._domain import Domain
from zairyo.learn._explain import Importance, LearningCurve, importances, learning_curve
from zairyo.learn._holes import Filler, fillable
from zairyo.learn._models import Model, models_for
from zairyo.learn._space import Floats, LearnError, Space
from zairyo.learn._validate import (
    Blend,
    Validation,
    blend_of,
    conformal,
    groups_of,
    measured_coverage,
    score_bound,
    validate,
)

#: Rows up to which intervals come from every fold's own blend (CV+); beyond, from the one blend's deviations.
MOST_FOR_FOLDS = 5000
Mask: TypeAlias = NDArray[np.bool_]
#: Rows with holes at a time.
ROWS = 1000
#: A value beyond this is not a measurement, and its square is not a number.
LARGEST = 1e100


class LearnWarning(UserWarning):
    """Something about the data that the reader of a prediction should know."""


class Prediction(NamedTuple):
    """Predictions for m rows, each of shape (m,).

    Attributes
    ----------
    mean, sd
        Expected value and standard deviation of a new measurement, in units of the output.
    lower, upper
        The calibrated interval.
    outside
        Whether the row lies outside the domain of the made samples.
    """

    mean: Floats
    sd: Floats
    lower: Floats
    upper: Floats
    outside: Mask


@dataclass(frozen=True, eq=False)
class Predictor:
    """Models fitted to a table, blended, with errors measured on samples they had not seen.

    Attributes
    ----------
    space
        What the columns are.
    X, y, noise, group
        The rows that were learned from (n, p), (n,), their known noise variances or None, and their groups; what was
        missing in X is filled.
    holes
        Where numbers of X were missing, shape (n, p).
    validation
        What came of leaving groups out; None with fewer than three groups.
    blend
        The models that predict, fitted to all rows.
    weights
        Their weights, of all models tried.
    left_out
        Rows of the given table that could not be learned from, with the reason.
    target, unit
        The property's name and unit, for the report.
    seed
        Of every random choice.
    """

    space: Space
    X: Floats
    y: Floats
    noise: Floats | None
    group: NDArray[np.intp]
    models: tuple[Model, ...]
    validation: Validation | None
    blend: Blend
    left_out: tuple[tuple[int, str], ...]
    target: str
    unit: str
    seed: int
    domain: Domain = field(repr=False)
    holes: Mask = field(repr=False)

    def predict(self, X: Floats, *, level: float = 0.9) -> Prediction:
        """Predict a new measurement at each row.

        Parameters
        ----------
        X
            Shape (m, p), NaN where a number is missing: up to half of a row's variables may be. They are filled by
            what the others tell, and what is not known of them widens the prediction.
        level
            Of the interval.

        Raises
        ------
        LearnError
            Where more is missing or a value is infinite (row and column named), or the number of columns is another.
        """
        X = np.atleast_2d(np.asarray(X, dtype=float))
        if X.shape[1] != self.space.width:
            raise LearnError(f"the predictor learned {self.space.width} columns, but {X.shape[1]} are given")
        if not 0.0 < level < 1.0:
            raise LearnError(f"the level of an interval lies between 0 and 1, not {level}")
        holes = np.isnan(X)
        odd = ~self.can_predict(X)[:, None] & ~np.isfinite(X)
        if odd.any():
            row, column = np.argwhere(odd)[0]
            too = ", and more than half of the row is missing" if holes[row, column] else ""
            raise LearnError(
                f"row {row}, column {self.space.names[column]!r} is {X[row, column]}{too}: give a number"
            )
        given, X = X, self.filler.fill(X) if holes.any() else X
        mean, sd = self.blend.predict(X)
        if self.validation is None:
            from scipy.stats import t

            half = sd * t.ppf(0.5 + level / 2, max(len(self.y) - 1, 1))
            lower, upper = mean - half, mean + half
        elif len(X) <= MOST_FOR_FOLDS and int(np.ceil(level * (len(self.y) + 1) - 1e-9)) <= len(self.y):
            lower, upper = conformal(self.validation, self.y, X, level)
            lower, upper = np.minimum(lower, mean), np.maximum(upper, mean)
        else:
            half = sd * score_bound(self.validation, self.y, level)
            lower, upper = mean - half, mean + half
        outside = self.domain.outside(X)
        if not holes.any():
            return Prediction(mean, sd, lower, upper, outside)
        moved, variance = self._by_holes(given)
        # Errors on samples not seen have in them already what samples learned from lack.
        more = np.maximum(variance - self._lacking, 0.0)
        wider = norm.ppf(0.5 + level / 2) * np.sqrt(more)
        below, above = np.hypot(mean - lower, wider), np.hypot(upper - mean, wider)
        mean = mean + moved
        return Prediction(mean, np.sqrt(sd**2 + more), mean - below, mean + above, outside)

    def can_predict(self, X: Floats) -> Mask:
        """Rows of X (m, p) that are finite but for holes in up to half of their variables, shape (m,)."""
        return fillable(X, self.space) & ~np.isinf(X).any(axis=1)

    @cached_property
    def filler(self) -> Filler:
        """What columns tell of each other."""
        return Filler.of(np.where(self.holes, np.nan, self.X), self.space, self.seed)

    def _by_holes(self, X: Floats) -> tuple[Floats, Floats]:
        """How far the prediction moves by what may be in a row's holes, and the variance of it, each (m,)."""
        moved, variance = np.zeros(len(X)), np.zeros(len(X))
        lacking = np.flatnonzero(np.isnan(X).any(axis=1))
        for start in range(0, len(lacking), ROWS):
            rows = lacking[start : start + ROWS]
            plain = self.blend.predict(self.filler.fill(X[rows]))[0]
            each = np.array([self.blend.predict(one)[0] for one in self.filler.draws(X[rows], self.seed)])
            moved[rows], variance[rows] = each.mean(axis=0) - plain, each.var(axis=0)
        return moved, variance

    @cached_property
    def _lacking(self) -> float:
        """Variance of the prediction of a usual sample learned from, by what it lacks."""
        return float(np.median(self._by_holes(np.where(self.holes, np.nan, self.X))[1]))

    @property
    def error(self) -> float:
        """Root mean square error on samples not seen, in units of the output; NaN with fewer than three groups."""
        if self.validation is None:
            return float("nan")
        return float(np.sqrt(np.mean((self.y - self.validation.mean) ** 2)))

    def coverage(self, level: float = 0.9) -> float:
        """Share of samples inside intervals of this level that were made without them; NaN where unknown."""
        return float("nan") if self.validation is None else measured_coverage(self.validation, self.y, level)

    @cached_property
    def importances(self) -> tuple[Importance, ...]:
        """What the predictions rest on, the largest first; empty with fewer than three groups."""
        if self.validation is None:
            return ()
        return importances(self.validation, self.X, self.y, self.space, self.seed)

    @cached_property
    def learning_curve(self) -> LearningCurve | None:
        """Error against number of samples of the best single model; None with fewer than 12 groups."""
        if self.validation is None:
            return None
        best = self.models[int(np.argmin(self.validation.errors))]
        return learning_curve(best, self.X, self.y, self.noise, self.group, self.seed)

    def report(self, language: str = "en") -> str:
        """All that a reader should know, as text for the terminal, in English or Japanese (``ja``)."""
        from zairyo.learn._report import text

        return text(self, language)

    def to_html(self, path: str | Path, language: str = "en") -> Path:
        """The report with its plots (matplotlib, extra ``notebook``) as one HTML file, in English or Japanese."""
        from zairyo.learn._report import page

        path = Path(path)
        path.write_text(page(self, language), encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        from zairyo.learn._report import fragment

        return fragment(self, plots=False)

    def __repr__(self) -> str:
        return f"<Predictor of {self.target} from {self.space.width} columns, {len(self.y)} samples>"


def fit(
    X: Floats,
    y: Floats,
    *,
    groups: Sequence[object] | None = None,
    names: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    mixture: Sequence[int] | Sequence[Sequence[int]] | None = None,
    space: Space | None = None,
    noise: Floats | None = None,
    target: str = "y",
    unit: str = "",
    rows: Sequence[object] | None = None,
    seed: int = 0,
    models: Literal["auto"] | Iterable[Model] = "auto",
) -> Predictor:
    """Choose among models and blend them by honest validation.

    Parameters
    ----------
    X
        Shape (n, p): a row a sample. NaN is a hole and is filled by what the other columns tell, in up to half of a
        row's variables; rows with more of them, or with infinity, are left out, with a warning that names them.
    y
        Shape (n,): the property. Rows without it are left out.
    groups
        Of each row; samples of a group are never on both sides of a validation. Rows that are the same are
        always one group where none are given.
    names, kinds, mixture
        What the columns are: see :meth:`Space.of`; or ``space``, which also knows the range of the candidates.
    noise
        Shape (n,): known variance of each output.
    target, unit
        The property's name and unit, for the report.
    rows
        Shape (n,): what messages call each row, as ``line 7``; ``row 6`` if not given.
    seed
        The same data and seed give the same predictor.
    models
        To choose among.

    Returns
    -------
    Predictor

    Raises
    ------
    LearnError
        Where shapes do not match, or no row can be learned from.
    """
    X = np.asarray(X, dtype=float)
    y = np.asarray(y, dtype=float)
    if X.ndim != 2 or y.shape != (len(X),):
        raise LearnError(
            f"features of shape (n, p) and outputs of shape (n,) are needed, not {X.shape} and {y.shape}"
        )
    for what, given in (("groups", groups), ("noise", noise), ("rows", rows)):
        if given is not None and len(given) != len(X):
            raise LearnError(f"{len(given)} {what} are given for {len(X)} rows; give one for each")
    space = space or Space.of(
        np.where(np.abs(X) < LARGEST, X, np.nan), names=names, kinds=kinds, mixture=mixture
    )
    if space.width != X.shape[1]:
        raise LearnError(f"the space has {space.width} columns, the features {X.shape[1]}")
    told = list(space.names)
    for variable in space.variables:
        for column in variable.columns if variable.kind == "category" else ():
            told[column] = variable.name  # one thing is missing, not each of its levels
    left_out = unusable(X, y, space, told, target)
    kept = np.ones(len(X), dtype=bool)
    kept[[row for row, _ in left_out]] = False
    if left_out:
        are = "1 row is" if len(left_out) == 1 else f"{len(left_out)} rows are"
        said = "; ".join(f"{f'row {row}' if rows is None else rows[row]}: {why}" for row, why in left_out[:5])
        more = f"; and {len(left_out) - 5} more" if len(left_out) > 5 else ""
        warnings.warn(f"{are} left out ({said}{more})", LearnWarning, stacklevel=2)
    if not kept.any():
        raise LearnError("nothing to learn from: no row has all features and an output")
    X, y = X[kept], y[kept]
    holes = np.isnan(X)
    if unknown := [told[j] for j in np.flatnonzero(holes.all(axis=0))]:
        raise LearnError(f"{unknown[0]} is missing in every row that can be learned from; leave it out")
    if holes.any():
        X = Filler.of(X, space, seed).fill(X)
    noise = None if noise is None else np.asarray(noise, dtype=float)[kept]
    if noise is not None and not (np.isfinite(noise) & (noise >= 0)).all():
        raise LearnError("noise variances must be finite and not negative")
    group = groups_of(X, None if groups is None else [one for one, k in zip(groups, kept, strict=True) if k])
    tried = tuple(models_for(space, len(y), seed) if models == "auto" else models)
    if not tried:
        raise LearnError("no models are given to choose among")
    validation = validate(tried, X, y, noise, group, seed) if int(group.max()) >= 2 else None
    weights = np.eye(len(tried))[min(1, len(tried) - 1)] if validation is None else validation.weights
    used = [k for k in range(len(tried)) if weights[k] > 0]
    least = 0.0 if validation is None else validation.least
    blend = blend_of([tried[k].fit(X, y, noise) for k in used], weights[used], least)
    domain = Domain.of(X, space)
    return Predictor(
        space, X, y, noise, group, tried, validation, blend, left_out, target, unit, seed, domain, holes
    )


def unusable(
    X: Floats, y: Floats, space: Space, names: Sequence[str], target: str
) -> tuple[tuple[int, str], ...]:
    """Rows that cannot be learned from (too much missing, or too large to be squared), each with the reason."""
    good = (np.abs(X) < LARGEST) | (np.isnan(X) & fillable(X, space)[:, None])
    known = np.abs(y) < LARGEST
    found = []
    for row in np.flatnonzero(~(good.all(axis=1) & known)):
        said = (f"{names[int(j)]} is {_seen(X[row, j])}" for j in np.flatnonzero(~good[row]))
        columns = list(dict.fromkeys(said))
        if not known[row]:
            columns.append(f"{target} is {_seen(y[row])}")
        found.append((int(row), ", ".join(columns)))
    return tuple(found)


def _seen(value: float) -> str:
    return "missing" if np.isnan(value) else f"{value:g}"
