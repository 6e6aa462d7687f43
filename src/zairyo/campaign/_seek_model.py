"""What is believed of an outcome while one looks for its best: several Gaussian processes, weighted by evidence.

One kernel chosen for good from a dozen data is often the wrong one, and a wrong one stays sure of itself. So every
kernel of the space keeps its share of the say, by its evidence (Bayesian model averaging).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from zairyo.campaign._base import Floats, Integers
from zairyo.learn import GP, Space
from zairyo.learn._gp import factor
from zairyo.learn._gp_fit import MOST_ROWS, Fit, choose, problem_of
from zairyo.learn._kernels import kernels_of
from zairyo.learn._output import Output

#: Outcomes from which a model is of use.
FEWEST = 3
#: Kernels with less than this share of the evidence have no say.
LEAST_SHARE = 0.03
#: How many times the least the largest of outcomes of one sign is, from which their logarithm may be what is modelled.
DECADES = 100.0
#: Squares of outcomes beyond this are no numbers any more.
LARGEST = 1e140
#: Rows from which hyperparameters are learned, so that a pick stays quick; the posterior takes all.
LENGTH_ROWS = 150
#: Rows that a model for a first look at very many candidates rests on.
COARSE_ROWS = 96


@dataclass(frozen=True, eq=False)
class Belief:
    """Of one outcome.

    Attributes
    ----------
    members
        Gaussian processes of the same data, most trusted first.
    weights
        Shape (members,): summing to 1.
    """

    members: tuple[GP, ...]
    weights: Floats

    @property
    def output(self) -> Output:
        """How outcomes were brought to the scale of the model; one for all members."""
        return self.members[0].output

    def append(self, X: Floats) -> Belief:
        """With experiments given out that have no outcome yet, shape (q, p)."""
        if not len(X):
            return self
        return replace(self, members=tuple(one.append(X) for one in self.members))

    def discouraged(self, X: Floats) -> Belief:
        """With experiments that failed, shape (q, p): as good as is expected of each, but no better than the best."""
        if not len(X):
            return self
        best = max(float(one.t.max()) for one in self.members)
        return replace(
            self,
            members=tuple(
                one.append(X, np.minimum(one.latent(X, single=False)[0], best)) for one in self.members
            ),
        )

    def coarse(self) -> GP:
        """The most trusted member, on so few of the data that a million candidates are a matter of a second."""
        gp = self.members[0]
        if len(gp.t) <= COARSE_ROWS:
            return gp
        # The best decide where to look, the others are spread over the rest.
        order = np.argsort(-gp.t, kind="stable")
        half = COARSE_ROWS // 2
        rest = np.sort(order[half:])
        rows = np.sort(np.append(order[:half], rest[stratified(gp.t[rest], COARSE_ROWS - half)]))
        K = gp.covariance(gp.X[rows], gp.X[rows])
        K[np.diag_indices(len(K))] += gp.noise[rows]
        return replace(gp, X=gp.X[rows], t=gp.t[rows], noise=gp.noise[rows], lower=factor(K))

    def at(self, X: Floats) -> Floats:
        """What each member believes of the function, shape (members, m)."""
        return np.array([one.latent(X, single=False)[0] for one in self.members])


def stratified(y: Floats, most: int) -> Integers:
    """Up to ``most`` rows, evenly through the order of their outcomes; ascending."""
    if len(y) <= most:
        return np.arange(len(y))
    order = np.argsort(y, kind="stable")
    return np.sort(order[np.linspace(0, len(y) - 1, most).round().astype(np.int64)])


def believe(
    X: Floats,
    y: Floats,
    space: Space,
    *,
    noise: Floats | None = None,
    seed: int = 0,
    decades: bool = False,
) -> Belief | None:
    """The belief about an outcome; None where there is too little to tell anything from.

    Parameters
    ----------
    X, y
        Shapes (n, p) and (n,), finite.
    noise
        Shape (n,): known variance of each; NaN where not known.
    decades
        Whether the logarithm may be modelled, of outcomes over decades and where it has more evidence.
    """
    if len(y) < FEWEST:
        return None
    y = np.clip(y, -LARGEST, LARGEST)
    if noise is not None:
        noise = np.maximum(noise, 0.0) if np.isfinite(noise).all() else None
    if len(y) > MOST_ROWS:
        rows = _some(y, seed)
        X, y, noise = X[rows], y[rows], None if noise is None else noise[rows]
    kernels, outputs = kernels_of(space), _outputs(y, decades)
    if not kernels or not outputs:
        return None
    some = stratified(y, LENGTH_ROWS)
    tried: list[tuple[Fit, Output]] = []
    for output in outputs:
        other = choose(
            X[some],
            y[some],
            space,
            noise=None if noise is None else noise[some],
            seed=seed,
            kernels=kernels,
            outputs=[output],
            starts=1,
        )[1]
        if not tried or _evidence(other) > _evidence(tried):
            tried = other
    output = tried[0][1]
    evidence = np.array([fit.evidence for fit, _ in tried])
    weights = np.exp(np.where(np.isfinite(evidence), evidence - np.nanmax(evidence), -np.inf))
    kept = np.flatnonzero(weights >= LEAST_SHARE * weights.sum())
    data = problem_of(X, y, output, noise)
    members = tuple(GP.of(tried[k][0].kernel, tried[k][0].theta, data, output) for k in kept)
    return Belief(members, weights[kept] / weights[kept].sum())


def _some(y: Floats, seed: int) -> Integers:
    """``MOST_ROWS`` rows, ascending: those of the lowest and the highest outcomes, and others drawn at random."""
    order, ends = np.argsort(y, kind="stable"), MOST_ROWS // 8
    drawn = np.random.default_rng(seed).choice(order[ends:-ends], MOST_ROWS - 2 * ends, replace=False)
    return np.sort(np.concatenate([order[:ends], order[-ends:], drawn]))


def _outputs(y: Floats, decades: bool) -> list[Output]:
    size = np.abs(y)
    wide = decades and size.min() > 0 and size.max() >= DECADES * size.min()
    found = [Output.of(y, "plain"), Output.of(y, "log") if wide else None]
    return [one for one in found if one is not None]


def _evidence(tried: list[tuple[Fit, Output]]) -> float:
    """Of a scale, whichever its kernel."""
    each = np.array([fit.evidence for fit, _ in tried])
    each = each[np.isfinite(each)]
    return float(logsumexp(each)) if len(each) else -np.inf


class Tracked:
    """Mean and variance of one Gaussian process at fixed rows, while more and more of them are given out.

    A row given out takes the value expected of it: means stay, and variances fall by one product a row.

    Parameters
    ----------
    gp
        With what is known before.
    X
        Shape (m, p).
    room
        How many rows will be given out at most.
    """

    def __init__(self, gp: GP, X: Floats, room: int) -> None:
        self._gp = gp
        self._used = len(gp.t)
        self.X = X
        self._solved = np.empty((self._used + room, len(X)))
        self.mean = np.empty(len(X))
        self.variance = np.empty(len(X))
        for start in range(0, len(X), 4096):
            part = slice(start, start + 4096)
            cross = gp.covariance(X[part], gp.X)
            side = solve_triangular(gp.lower, cross.T, lower=True, check_finite=False)
            self._solved[: self._used, part] = side
            self.mean[part] = cross @ gp.alpha
            self.variance[part] = gp.prior_variance - np.einsum("ij,ij->j", side, side)
        self._floor = 1e-12 * gp.prior_variance
        np.maximum(self.variance, self._floor, out=self.variance)

    def add(self, row: int) -> None:
        """Row ``row`` is given out."""
        used = self._used
        shared = self._gp.covariance(self.X, self.X[row : row + 1])[:, 0]
        shared -= self._solved[:used, row] @ self._solved[:used]
        shared /= math.sqrt(self.variance[row] + math.exp(self._gp.theta[-1]))
        self._solved[used] = shared
        self._used = used + 1
        self.variance -= shared * shared
        np.maximum(self.variance, self._floor, out=self.variance)

    def joined(self, other: Tracked) -> Tracked:
        """With the rows of another that has seen the same rows given out."""
        both = object.__new__(Tracked)
        both._gp, both._used, both._floor = self._gp, self._used, self._floor
        room = max(len(self._solved), len(other._solved))
        both._solved = np.empty((room, len(self.X) + len(other.X)))
        both._solved[: self._used, : len(self.X)] = self._solved[: self._used]
        both._solved[: self._used, len(self.X) :] = other._solved[: self._used]
        both.X = np.vstack([self.X, other.X])
        both.mean = np.append(self.mean, other.mean)
        both.variance = np.append(self.variance, other.variance)
        return both
