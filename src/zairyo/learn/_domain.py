"""Where predictions are interpolation, and where they are hope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zairyo.learn._kernels import Features, features_of
from zairyo.learn._space import Floats, Space

#: Beyond this share of a column's range outside it, the column is extrapolated.
BEYOND = 0.05


@dataclass(frozen=True, eq=False)
class Domain:
    """The made samples, as a place to be near to.

    Attributes
    ----------
    limit
        The distance (in ranges of the columns) below which 95 % of made samples have another.
    """

    names: tuple[str, ...]
    low: Floats
    high: Floats
    features: Features | None
    made: Floats
    limit: float

    @classmethod
    def of(cls, X: Floats, space: Space) -> Domain:
        """The domain of made rows, shape (n, p)."""
        spread = Space(space.variables, space.names, X.min(axis=0), X.max(axis=0))
        features = features_of(spread, space.variables, "amounts")
        made = np.zeros((len(X), 0)) if features is None else np.unique(features.of(X), axis=0)
        limit = 0.0
        if features is not None and len(made) > 2:
            limit = float(np.quantile(_nearest(made, made, 2)[:, 1], 0.95))
        return cls(space.names, spread.lower, spread.upper, features, made, limit)

    def distance(self, X: Floats) -> Floats:
        """To the nearest made sample, in units of ``limit``, shape (m,); above 1 is farther than they are apart."""
        if self.features is None or self.limit == 0.0:
            return np.zeros(len(X))
        return _nearest(self.features.of(X), self.made, 1)[:, 0] / self.limit

    def extrapolated(self, X: Floats) -> NDArray[np.bool_]:
        """Which columns of which rows lie outside what was made, shape (m, p)."""
        span = self.high - self.low
        slack = np.where(span > 0, BEYOND * span, 1e-9 * np.maximum(np.abs(self.low), 1e-12))
        return np.asarray((self.low - slack > X) | (self.high + slack < X))

    def outside(self, X: Floats) -> NDArray[np.bool_]:
        """Rows with an extrapolated column, or farther than 1.5 limits from every made sample, shape (m,)."""
        return np.asarray(self.extrapolated(X).any(axis=1) | (self.distance(X) > 1.5))

    def why(self, row: Floats) -> str:
        """In words, for one row of shape (p,); empty inside the domain."""
        parts = [
            f"{self.names[j]} = {row[j]:.4g} is outside the made range {self.low[j]:.4g} to {self.high[j]:.4g}"
            for j in np.flatnonzero(self.extrapolated(row[None, :])[0])
        ]
        distance = float(self.distance(row[None, :])[0])
        if distance > 1.5:
            parts.append(f"{distance:.1f} times as far from any made sample as they are from each other")
        return "; ".join(parts)


def _nearest(A: Floats, B: Floats, count: int) -> Floats:
    """Distances to the nearest rows of B, shape (len(A), count)."""
    from scipy.spatial import cKDTree

    found = np.asarray(cKDTree(B).query(A, k=min(count, len(B)))[0])
    return found.reshape(len(A), -1)
