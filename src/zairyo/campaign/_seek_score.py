"""How much candidates promise where the best value is looked for, or one within a range.

A promise is what the models of the outcome expect of a candidate, times the chances that it succeeds and keeps within
limits, by its price. Strategies (:mod:`zairyo.campaign._seek`) choose by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from zairyo.campaign._acquisition import (
    log_expected_improvement,
    log_nearing,
    log_probability_between,
    weighted,
)
from zairyo.campaign._base import Block, Floats, Mask, Objective, Problem
from zairyo.campaign._fits import believe
from zairyo.campaign._objectives import feasible, wanted
from zairyo.campaign._seek_model import LARGEST, Belief, Tracked
from zairyo.campaign._seek_search import Working
from zairyo.learn import GP, Success, fit_success

#: Experiments after which the price counts half: cheap ones teach as much at first, later only the best counts.
COOLING = 30.0
#: Below this share of the best chance of success a candidate must promise far more: no run of failures for one hope.
HOPELESS = 0.5
#: How fast the promise falls there, as a power of the chance.
STEEP = 8.0


def direction(objective: Objective) -> float:
    """−1 where less is wanted, else 1: outcomes times it are what is modelled."""
    return -1.0 if objective.direction == "minimise" else 1.0


def fitted(problem: Problem, k: int) -> Belief | None:
    """What the measurements say of outcome ``k``, times its direction; that more is better holds of all modelled."""
    rows, objective = problem.known[:, k], problem.objectives[k]
    # A distance to a target, or a volume of compromises, is one in the units of the outcome.
    free = wanted(problem.objectives) == [k] and objective.direction in ("maximise", "minimise")
    return believe(
        problem.X[rows],
        direction(objective) * problem.Y[rows, k],
        problem.space,
        noise=None if problem.noise is None else problem.noise[rows, k],
        seed=abs(problem.seed),
        decades=free,
    )


def belief_of(problem: Problem, k: int) -> Belief | None:
    """About outcome ``k``, as much as was told of it.

    What failed is believed to be no better than the best told: else it would promise as much as before, for ever.
    """
    belief = fitted(problem, k)
    if belief is None:
        return None
    if not problem.objectives[k].constraint:
        belief = belief.discouraged(problem.X[problem.failed])
    return belief.append(problem.pending)


class Chances:
    """What a candidate's promise is multiplied by: that it succeeds, that constraints hold, what it costs.

    As a logarithm, of rows that are looked at once.
    """

    def __init__(self, problem: Problem) -> None:
        self.success: Success | None = None
        if problem.failed.any():
            self.success = fit_success(problem.X, np.where(problem.failed, 0.0, 1.0), problem.space)
            surest = float(self.success.probability(problem.X).max())
            self.hopeless = np.log(max(HOPELESS * surest, 1e-12))
        self.constraints = [
            (objective, belief)
            for k, objective in enumerate(problem.objectives)
            if objective.constraint and (belief := belief_of(problem, k)) is not None
        ]
        self.cooled = COOLING / (COOLING + len(problem.X))

    def likely(self, block: Block, coarse: bool = False) -> Floats:
        """log P(succeeds and holds), shape (m,)."""
        found = np.zeros(len(block))
        if self.success is not None:
            success = self.success
            if coarse and len(success.parts) > 1:
                best = int(np.argmax(success.weights))
                success = replace(success, parts=(success.parts[best],), weights=np.ones(1))
            chance = np.log(np.clip(success.probability(block.X), 1e-12, 1.0))
            found += chance + STEEP * np.minimum(chance - self.hopeless, 0.0)
        for objective, belief in self.constraints:
            low, high = limits(objective, belief)
            members = (belief.coarse(),) if coarse else belief.members
            weights = np.ones(1) if coarse else belief.weights
            logs = [
                log_probability_between(*one.latent(block.X, single=coarse), low, high) for one in members
            ]
            found += weighted(np.array(logs), weights)
        return found

    def price(self, block: Block) -> Floats:
        """What is subtracted from the logarithm of the promise for the cost, shape (m,)."""
        if block.cost is None:
            return np.zeros(len(block))
        cost = np.where(np.isfinite(block.cost), block.cost, np.inf)
        some = cost[np.isfinite(cost) & (cost > 0)]
        least = float(some.min()) if len(some) else 1.0
        return np.asarray(self.cooled * np.log(np.clip(cost, 1e-6 * least, 1e300)))

    def __call__(self, block: Block, coarse: bool = False) -> Floats:
        return self.likely(block, coarse) - self.price(block)


def limits(objective: Objective, belief: Belief) -> tuple[float | None, float | None]:
    """The range of an objective on the scale of the model."""
    low, high = objective.low, objective.low if objective.direction == "target" else objective.high
    forward = belief.output.forward
    return (
        None if low is None else float(forward(np.array(low))),
        None if high is None else float(forward(np.array(high))),
    )


#: (mean, variance, aim of the member) → how much candidates promise, shape (m,).
Promise = Callable[[Floats, Floats, float], Floats]


@dataclass(eq=False)
class Rated:
    """A scorer: a promise of each member of a belief, averaged, times the chances.

    Attributes
    ----------
    aims
        Shape (members,): the best so far as each member sees it, or the least distance to the range.
    rising
        What is given out raises the best by its mean, where that is higher.
    """

    belief: Belief
    promise: Promise
    aims: Floats
    chances: Chances
    rising: bool = True

    def coarse(self, block: Block) -> Floats:
        mean, variance = self.belief.coarse().latent(block.X, single=True)
        return self.promise(mean, variance, float(self.aims[0])) + self.chances(block, coarse=True)

    def working(self, block: Block, room: int) -> Working:
        return RatedWork(self, block, room)


class RatedWork:
    def __init__(self, rated: Rated, block: Block, room: int) -> None:
        self._rated, self._room = rated, room
        self._members: tuple[GP, ...] = rated.belief.members
        self._tracked = [Tracked(one, block.X, room) for one in self._members]
        self._chances = rated.chances(block)
        self._aims = rated.aims.copy()

    def scores(self) -> Floats:
        return self.beyond(self._aims)

    def beyond(self, aims: Floats) -> Floats:
        """What each row promises beyond an aim of each member, shape (m,)."""
        logs = [
            self._rated.promise(one.mean, one.variance, float(aim))
            for one, aim in zip(self._tracked, aims, strict=True)
        ]
        return weighted(np.array(logs), self._rated.belief.weights) + self._chances

    def add(self, row: int) -> None:
        for k, one in enumerate(self._tracked):
            if self._rated.rising:
                self._aims[k] = max(self._aims[k], one.mean[row])
            one.add(row)
        x = self._tracked[0].X[row : row + 1]
        self._members = tuple(one.append(x) for one in self._members)

    def extend(self, block: Block) -> None:
        if not len(block):
            return
        more = [Tracked(one, block.X, self._room) for one in self._members]
        self._tracked = [one.joined(other) for one, other in zip(self._tracked, more, strict=True)]
        self._chances = np.append(self._chances, self._rated.chances(block))


@dataclass(eq=False)
class Likely:
    """A scorer by the chances alone: nothing told so far holds all constraints."""

    chances: Chances

    def coarse(self, block: Block) -> Floats:
        return self.chances(block, coarse=True)

    def working(self, block: Block, room: int) -> Working:
        return _Fixed(self.chances, block)


class _Fixed:
    def __init__(self, score: Callable[[Block], Floats], block: Block) -> None:
        self._score, self._scores = score, score(block)

    def scores(self) -> Floats:
        return self._scores

    def add(self, row: int) -> None:
        """Nothing changes."""

    def extend(self, block: Block) -> None:
        if len(block):
            self._scores = np.append(self._scores, self._score(block))


def rated(problem: Problem, k: int, belief: Belief) -> Rated | Likely:
    """The scorer by expected improvement of what the objective wants."""
    objective, chances = problem.objectives[k], Chances(problem)
    rows = problem.known[:, k]
    if chances.constraints:
        rows = rows & feasible(problem.objectives, problem.Y)
        if not rows.any():
            return Likely(chances)
    told = best_told(problem, k, belief, rows)
    if objective.direction in ("target", "within"):
        low, high = limits(objective, belief)
        apart = outside(told, low, high).min(axis=1)
        return Rated(
            belief, lambda mean, variance, d: log_nearing(mean, variance, low, high, d), apart, chances, False
        )
    return Rated(belief, log_expected_improvement, told.max(axis=1), chances)


def best_told(problem: Problem, k: int, belief: Belief, rows: Mask) -> Floats:
    """What each member takes for told at some rows, and at pending ones, shape (members, m).

    Where noise is known or seen in replicates, that is the mean believed, not the luckiest measurement. Else it is
    what was measured: a noise that was only guessed must not make the best look easy to beat.
    """
    X = problem.X[rows]
    noisy = problem.noise is not None and bool(np.isfinite(problem.noise[rows, k]).any())
    if noisy or len(np.unique(X, axis=0)) < len(X):
        return belief.at(np.vstack([X, problem.pending]))
    y = direction(problem.objectives[k]) * problem.Y[rows, k]
    measured = np.tile(belief.output.forward(np.clip(y, -LARGEST, LARGEST)), (len(belief.members), 1))
    return np.hstack([measured, belief.at(problem.pending)]) if len(problem.pending) else measured


def outside(values: Floats, low: float | None, high: float | None) -> Floats:
    """How far values are from a range, 0 inside."""
    below = np.zeros(values.shape) if low is None else low - values
    above = np.zeros(values.shape) if high is None else values - high
    return np.maximum(np.maximum(below, above), 0.0)


def optimistic(problem: Problem, k: int, belief: Belief, width: float) -> Rated:
    """The scorer by what is still believable: mean and ``width`` deviations."""
    objective = problem.objectives[k]
    low, high = limits(objective, belief)

    def promise(mean: Floats, variance: Floats, _: float) -> Floats:
        reach = width * np.sqrt(variance)
        if objective.direction in ("target", "within"):
            return np.asarray(reach - outside(mean, low, high))
        return np.asarray(mean + reach)

    return Rated(belief, promise, np.zeros(len(belief.members)), Chances(problem), False)
