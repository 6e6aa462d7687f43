"""Trees, and the sparse linear model, of scikit-learn behind the shape of :mod:`zairyo.learn._models`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.learn._models import Fitted
from zairyo.learn._space import Floats, Space

#: How often a model without a formula for rows left out is fitted to learn what it would say of them.
REFITS = 3


@dataclass(frozen=True)
class Forest:
    """Random forest, or extremely randomised trees, each tree on a bootstrap sample.

    The deviation is that of a new measurement: the variance of the forest's mean by the jackknife after bootstrap,
    corrected for the number of trees (Wager, Hastie, Efron 2014), and the spread of out-of-bag residuals.

    Attributes
    ----------
    trees
        How many.
    extra
        Split at random places instead of the best.
    """

    seed: int = 0
    trees: int = 100
    extra: bool = False

    @property
    def name(self) -> str:
        """For the report."""
        return "extra trees" if self.extra else "random forest"

    def fit(self, X: Floats, y: Floats, noise: Floats | None = None) -> Fitted:
        from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

        kind = ExtraTreesRegressor if self.extra else RandomForestRegressor
        forest = kind(
            n_estimators=self.trees,
            bootstrap=True,
            max_features=1.0 if self.extra else max(1, -(-X.shape[1] * 2 // 3)),
            min_samples_leaf=1 if len(y) < 200 else 2,
            random_state=self.seed,
        )
        weight = None if noise is None else 1.0 / (noise + max(float(np.median(noise)), 1e-300))
        forest.fit(X, y, sample_weight=weight)
        absent = np.ones((self.trees, len(y)), dtype=bool)
        for tree, rows in enumerate(forest.estimators_samples_):
            absent[tree, rows] = False
        return _FittedForest(forest, np.asarray(X, dtype=float), np.asarray(y, dtype=float), absent)


class _FittedForest:
    def __init__(self, forest: Any, X: Floats, y: Floats, absent: NDArray[np.bool_]) -> None:
        self._forest = forest
        self._absent = absent
        each = self._each(X)
        out = absent.sum(axis=0)
        left = np.where(absent, each, 0.0).sum(axis=0) / np.maximum(out, 1)
        self._left_out = np.where(out > 0, left, (y.sum() - y) / max(len(y) - 1, 1))
        self._residual = float(np.mean((y - self._left_out) ** 2))

    def _each(self, X: Floats) -> Floats:
        data = np.ascontiguousarray(X, dtype=np.float32)
        return np.array([tree.predict(data, check_input=False) for tree in self._forest.estimators_])

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        mean, deviation = np.empty(len(X)), np.empty(len(X))
        for start in range(0, len(X), 20_000):
            rows = slice(start, start + 20_000)
            each = self._each(X[rows])
            mean[rows] = each.mean(axis=0)
            deviation[rows] = np.sqrt(self._variance(each) + self._residual)
        return mean, deviation

    def _variance(self, each: Floats) -> Floats:
        trees, n = self._absent.shape
        out = self._absent.sum(axis=0)
        used = out > 0
        without = (self._absent[:, used].T.astype(float) / out[used, None]) @ each
        raw = (n - 1) / n * ((without - each.mean(axis=0)) ** 2).sum(axis=0)
        excess = (np.e - 1.0) * n / trees * each.var(axis=0)
        return np.asarray(np.maximum(raw - excess, 0.0))

    def loo(self) -> tuple[Floats, Floats]:
        return self._left_out, np.full(len(self._left_out), np.sqrt(self._residual))


@dataclass(frozen=True)
class Boosting:
    """Gradient boosting of shallow trees; its deviation is that of the residuals of rows left out."""

    seed: int = 0
    name: str = "gradient boosting"

    def fit(self, X: Floats, y: Floats, noise: Floats | None = None) -> Fitted:
        return _refitted(lambda: self._regressor(), X, y, noise, self.seed)

    def _regressor(self) -> Any:
        from sklearn.ensemble import GradientBoostingRegressor

        return GradientBoostingRegressor(
            n_estimators=100, learning_rate=0.08, max_depth=3, subsample=0.7, random_state=self.seed
        )


@dataclass(frozen=True)
class ElasticNet:
    """Linear with few coefficients, the penalty chosen by cross-validation."""

    space: Space
    seed: int = 0
    name: str = "linear (elastic net)"

    def fit(self, X: Floats, y: Floats, noise: Floats | None = None) -> Fitted:
        return _refitted(lambda: _Scaled(self.space), X, y, noise, self.seed)


class _Scaled:
    """Elastic net on columns brought to unit range; quiet where a path has not quite converged."""

    def __init__(self, space: Space) -> None:
        span = space.upper - space.lower
        self._low, self._span = space.lower, np.where(span > 0, span, 1.0)

    def fit(self, X: Floats, y: Floats, sample_weight: Floats | None = None) -> _Scaled:
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import ElasticNetCV

        self._net = ElasticNetCV(l1_ratio=[0.3, 0.8], cv=min(5, len(y)), alphas=20, max_iter=2000)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._net.fit((X - self._low) / self._span, y, sample_weight=sample_weight)
        return self

    def predict(self, X: Floats) -> Floats:
        inside = np.clip((X - self._low) / self._span, -1.0, 2.0)
        return np.asarray(self._net.predict(inside))


@dataclass(frozen=True, eq=False)
class _Refitted:
    regressor: Any
    left_out: Floats
    residual: float

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        return np.asarray(self.regressor.predict(X)), np.full(len(X), self.residual)

    def loo(self) -> tuple[Floats, Floats]:
        return self.left_out, np.full(len(self.left_out), self.residual)


def _refitted(make: Any, X: Floats, y: Floats, noise: Floats | None, seed: int) -> Fitted:
    """A regressor without a formula for what it would say of rows left out: three refits tell."""
    weight = None if noise is None else 1.0 / (noise + max(float(np.median(noise)), 1e-300))

    def fitted(rows: Any) -> Any:
        return make().fit(X[rows], y[rows], sample_weight=None if weight is None else weight[rows])

    n = len(y)
    fold = np.random.default_rng(seed).permutation(n) % min(REFITS, n)
    left = np.full(n, float(np.mean(y)))
    for one in range(min(REFITS, n)):
        if (fold != one).sum() >= 5:
            left[fold == one] = fitted(fold != one).predict(X[fold == one])
    return _Refitted(fitted(slice(None)), left, float(np.sqrt(np.mean((y - left) ** 2))))
