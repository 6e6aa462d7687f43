"""Descriptors that are known only of made samples, predicted for the others with their uncertainty.

A property may depend on what X-ray diffraction or calorimetry shows, and that exists only once a sample is made.
For a candidate the descriptors are predicted from composition and process; the property is then predicted for
draws from those predictions, so that what is not known of the descriptors widens what is said of the property.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.learn._models import Fitted, GaussianProcess, Model, Ridge
from zairyo.learn._space import Floats, LearnError, Space
from zairyo.learn._validate import mixed
from zairyo.learn.fit import Predictor, fit

#: Draws of the descriptors; quasi-random, so few serve.
DRAWS = 16


@dataclass(frozen=True, eq=False)
class DescriptorPredictor:
    """Predicts a property from settings and descriptors, whether these are measured or not.

    Attributes
    ----------
    settings
        How many of the predictor's columns are known of every candidate; they come first.
    descriptors
        A model for each descriptor, from the settings.
    property
        The predictor, from settings and descriptors.
    """

    settings: int
    descriptors: tuple[Fitted, ...]
    property: Predictor
    draws: Floats

    def describe(self, X: Floats) -> tuple[Floats, Floats]:
        """Mean and deviation of the descriptors at each row of settings, each of shape (m, d)."""
        each = [one.predict(np.asarray(X, dtype=float)) for one in self.descriptors]
        return np.column_stack([one[0] for one in each]), np.column_stack([one[1] for one in each])

    def predict(self, X: Floats, D: Floats | None = None) -> tuple[Floats, Floats]:
        """Mean and deviation of the property.

        Parameters
        ----------
        X
            Shape (m, p): settings.
        D
            Shape (m, d): descriptors, NaN where not measured; None where none is.

        Returns
        -------
        mean, deviation
            Each of shape (m,): the deviation carries that of the descriptors.
        """
        X = np.atleast_2d(np.asarray(X, dtype=float))
        width = len(self.descriptors)
        known = np.full((len(X), width), np.nan) if D is None else np.asarray(D, dtype=float)
        if X.shape[1] != self.settings or known.shape != (len(X), width):
            raise LearnError(
                f"settings of shape (m, {self.settings}) and descriptors of shape (m, {width}) are needed, "
                f"not {X.shape} and {known.shape}"
            )
        missing = ~np.isfinite(known)
        if not missing.any():
            return self.property.blend.predict(np.hstack([X, known]))
        mean, deviation = self.describe(X)
        each = []
        for draw in self.draws:
            drawn = np.where(missing, mean + draw * deviation, known)
            each.append(self.property.blend.predict(np.hstack([X, drawn])))
        return mixed(each, np.full(len(each), 1.0 / len(each)))


def fit_descriptors(
    X: Floats,
    D: Floats,
    y: Floats,
    *,
    space: Space | None = None,
    descriptor_names: list[str] | None = None,
    seed: int = 0,
    **options: Any,
) -> DescriptorPredictor:
    """Learn descriptors from settings, and the property from both.

    Parameters
    ----------
    X
        Shape (n, p): settings.
    D
        Shape (n, d): descriptors, NaN where not measured; what is missing teaches nothing of that descriptor, and is
        filled for the property (:func:`fit`).
    y
        Shape (n,): the property.
    space
        Of the settings; by default numbers.
    descriptor_names
        Of the d descriptors.
    seed
        Of every random choice.
    **options
        Of :func:`fit` (``groups``, ``noise``, ``target``, ``models``).
    """
    from scipy.stats import norm, qmc

    X, D = np.asarray(X, dtype=float), np.asarray(D, dtype=float)
    if D.ndim != 2 or len(D) != len(X) or D.shape[1] == 0:
        raise LearnError(f"descriptors of shape ({len(X)}, d) are needed, not {D.shape}")
    space = space or Space.of(X)
    titles = descriptor_names or [f"descriptor {j}" for j in range(D.shape[1])]
    learned = []
    for j, title in enumerate(titles):
        rows = np.isfinite(D[:, j]) & np.isfinite(X).all(axis=1)
        if not rows.any():
            raise LearnError(f"{title!r} is measured of no sample; leave it out")
        models: list[Model] = [GaussianProcess(space, seed), Ridge(space)]
        fitted = [model.fit(X[rows], D[rows, j]) for model in models]
        errors = [float(np.mean((one.loo()[0] - D[rows, j]) ** 2)) for one in fitted]
        learned.append(fitted[int(np.argmin(errors))])
    both = np.hstack([X, D])
    wider = Space.of(D, names=titles)
    shifted = tuple(
        type(one)(one.name, one.kind, tuple(j + space.width for j in one.columns)) for one in wider.variables
    )
    joint = Space(
        space.variables + shifted,
        space.names + wider.names,
        np.append(space.lower, wider.lower),
        np.append(space.upper, wider.upper),
    )
    sampled = qmc.Sobol(D.shape[1], rng=np.random.default_rng(seed)).random(DRAWS)
    draws = norm.ppf(np.clip(sampled, 1e-6, 1 - 1e-6))
    return DescriptorPredictor(
        X.shape[1], tuple(learned), fit(both, y, space=joint, seed=seed, **options), draws
    )
