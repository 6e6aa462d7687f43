"""The models behind :func:`zairyo.campaign.worth`: a blend chosen from rows left out, quick enough to be made often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zairyo.campaign._base import Floats
from zairyo.campaign._teach_scene import WIDE
from zairyo.learn import Space, Variable, fit_gp
from zairyo.learn._forest import Forest
from zairyo.learn._kernels import Factor, Kernel, features_of
from zairyo.learn._models import Fitted, Mean, Model, Ridge
from zairyo.learn._output import Output
from zairyo.learn._validate import weights_of

#: Draws of descriptors that are not known; quasi-random, so few serve.
DRAWS = 16
TREES = 20


@dataclass(frozen=True, eq=False)
class Blended:
    """Models with weights learned from rows left out.

    Attributes
    ----------
    members, weights
        The models that count, and how much.
    output
        The transform that the process chose; None where there is none.
    """

    members: tuple[Fitted, ...]
    weights: Floats
    output: Output | None

    def predict(self, X: Floats) -> Floats:
        """Mean, shape (m,)."""
        return np.asarray(
            sum(w * one.predict(X)[0] for w, one in zip(self.weights, self.members, strict=True))
        )


@dataclass(frozen=True, eq=False)
class Described:
    """A descriptor predicted from settings."""

    model: Fitted

    def predict(self, X: Floats) -> tuple[Floats, Floats]:
        """Mean and deviation, each of shape (m,)."""
        return self.model.predict(X)


def joint_space(space: Space, D: Floats) -> tuple[Space, tuple[Variable, ...]]:
    """The space of settings followed by descriptors, and the variables of these."""
    each = tuple(Variable(f"descriptor {j}", "number", (space.width + j,)) for j in range(D.shape[1]))
    joint = Space(
        space.variables + each,
        space.names + tuple(one.name for one in each),
        np.append(space.lower, D.min(axis=0)),
        np.append(space.upper, D.max(axis=0)),
    )
    return joint, each


def _kernel(space: Space, descriptors: tuple[Variable, ...] | None) -> Kernel | None:
    """Few lengths for settings, times those of the descriptors; None where nothing varies."""
    apart = descriptors or ()
    settings = [one for one in space.variables if one not in apart]
    sides = [features_of(space, settings, "tied", tied=space.width - len(apart) > WIDE)]
    sides.append(features_of(space, apart, "tied", tied=len(apart) > WIDE))
    factors = tuple(Factor("matern52", one) for one in sides if one is not None)
    return Kernel("Matérn 5/2", (factors,)) if factors else None


def blended(
    space: Space,
    descriptors: tuple[Variable, ...] | None,
    X: Floats,
    y: Floats,
    seed: int,
    output: Output | None = None,
) -> Blended:
    """A process, trees, a line and the mean, weighed by their errors on rows of the data left out.

    ``output`` is the transform for the process; by default the one of most evidence.
    """
    kernel = _kernel(space, descriptors)
    members: list[Fitted] = [Mean().fit(X, y)]
    if kernel is not None:
        outputs = None if output is None else [output]
        gp = fit_gp(X, y, space, seed=seed, kernels=[kernel], outputs=outputs, starts=1)
        output = gp.output
        members.append(gp)
        models: list[Model] = [Ridge(space), Forest(seed=seed, trees=TREES)]
        members += [one.fit(X, y) for one in models]
    weights = weights_of(np.array([one.loo()[0] for one in members]), y)
    return Blended(
        tuple(one for one, w in zip(members, weights, strict=True) if w > 0), weights[weights > 0], output
    )


def described(space: Space, X: Floats, d: Floats, seed: int) -> Described:
    """The better of a process and a line, by rows left out."""
    kernel = _kernel(space, None)
    plain = Output.of(d, "plain")
    assert plain is not None
    members: list[Fitted] = [Mean().fit(X, d)]
    if kernel is not None and np.ptp(d) > 0:
        members += [
            fit_gp(X, d, space, seed=seed, kernels=[kernel], outputs=[plain], starts=1),
            Ridge(space).fit(X, d),
        ]
    errors = [float(np.mean((one.loo()[0] - d) ** 2)) for one in members]
    return Described(members[int(np.argmin(errors))])
