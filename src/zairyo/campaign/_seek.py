"""Strategies that look for the best value, or for a value within a range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from zairyo.campaign._acquisition import (
    Path,
    log_expected_improvement,
    log_nearing,
    log_probability_between,
    weighted,
)
from zairyo.campaign._base import Block, CampaignError, Floats, Mask, Objective, Pick, Problem
from zairyo.campaign._fits import believe
from zairyo.campaign._objectives import feasible, loss, wanted
from zairyo.campaign._seek_model import FEWEST, LARGEST, Belief, Tracked
from zairyo.campaign._seek_search import (
    SPREAD,
    Found,
    Working,
    at_random,
    greedy,
    promising,
    same,
    sample,
    spread,
)
from zairyo.learn import GP, Success, fit_success

#: Experiments after which the price counts half: cheap ones teach as much at first, later only the best counts.
COOLING = 30.0
#: Below this share of the best chance of success a candidate must promise far more: no run of failures for one hope.
HOPELESS = 0.5
#: How fast the promise falls there, as a power of the chance.
STEEP = 8.0
#: A chance of success below which people are told.
DOUBTFUL = 0.7


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


def single(problem: Problem, name: str) -> int:
    """The one objective of which something is wanted."""
    found = wanted(problem.objectives)
    if len(found) != 1:
        raise CampaignError(
            f"{name!r} looks for the best of one outcome, and {len(found)} are wanted; "
            + (
                "take the strategy 'pareto'"
                if found
                else "give one to maximise, minimise or bring near a value"
            )
        )
    return found[0]


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


def picks(
    problem: Problem, found: list[Found], method: str, why: str, chances: Chances | None = None
) -> list[Pick]:
    """Candidates found, with a sentence."""
    if not found:
        return []
    said = [why] * len(found)
    if chances is not None and chances.success is not None:
        chance = chances.success.probability(np.array([one.x for one in found]))
        said = [f"{why}, although experiments near it failed" if one < DOUBTFUL else why for one in chance]
    return [Pick(one.index, one.x, one.score, method, text) for one, text in zip(found, said, strict=True)]


def first_picks(problem: Problem, count: int) -> list[Pick]:
    """While there is too little to learn from."""
    told = int(problem.known.any(axis=1).sum()) if problem.Y.size else 0
    why = (
        "far from everything tried so far: nothing is known yet"
        if not told
        else (
            "far from everything tried so far: with fewer than "
            f"{FEWEST} outcomes there is nothing to learn from"
        )
    )
    return picks(problem, spread(problem, count), "k-centre", why)


@dataclass(frozen=True)
class ExpectedImprovement:
    """By how much a candidate is expected to beat the best so far, or to come nearer to what is wanted."""

    name: str = "expected improvement"

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        k = single(problem, self.name)
        belief = belief_of(problem, k)
        if belief is None:
            return first_picks(problem, count)
        scorer = rated(problem, k, belief)
        if isinstance(scorer, Likely):
            why = "most likely to keep within the limits, which nothing made so far does"
            return picks(
                problem, greedy(problem, scorer, count), "probability of feasibility", why, scorer.chances
            )
        why = {
            "maximise": "expected to raise the best value by most",
            "minimise": "expected to lower the best value by most",
            "target": "expected to come nearest to the target",
            "within": "most likely within the range, or nearest to it",
        }[problem.objectives[k].direction]
        return picks(problem, greedy(problem, scorer, count), self.name, why, scorer.chances)


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


@dataclass(frozen=True)
class UpperConfidence:
    """The highest value that is still believable: mean and ``width`` deviations."""

    name: str = "ucb"
    width: float = 2.0

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        k = single(problem, self.name)
        belief = belief_of(problem, k)
        if belief is None:
            return first_picks(problem, count)
        scorer = optimistic(problem, k, belief, self.width)
        why = f"the best that is still believable (mean and {self.width:g} deviations)"
        return picks(problem, greedy(problem, scorer, count), self.name, why, scorer.chances)


@dataclass(frozen=True)
class Thompson:
    """The best of one draw of the function from what is believed: a draw for each pick."""

    name: str = "thompson"

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        k = single(problem, self.name)
        belief = belief_of(problem, k)
        if belief is None:
            return first_picks(problem, count)
        rng = np.random.default_rng([abs(problem.seed), len(problem.X), len(problem.pending), 3])
        scorer = optimistic(problem, k, belief, 3.0)
        block = promising(problem, scorer, rng)
        likely, objective = scorer.chances(block), problem.objectives[k]
        low, high = limits(objective, belief)
        gone = np.zeros(len(block), bool)
        found: list[Found] = []
        while len(found) < count and not gone.all():
            member = int(rng.choice(len(belief.members), p=belief.weights))
            value = Path(belief.members[member], rng)(block.X)
            if objective.direction in ("target", "within"):
                value = -outside(value, low, high)
            score = np.where(gone, -np.inf, value + likely)
            row = int(np.argmax(score))
            found.append(Found(int(block.index[row]), block.X[row], float(score[row])))
            gone |= same(problem, block.X, block.X[row])
        why = "the best in one draw from what is believed"
        return picks(problem, found, self.name, why, scorer.chances)


def given_out(problem: Problem, found: Found) -> Problem:
    """The problem after a candidate was given out."""
    x = found.x[None, :]
    return replace(
        problem,
        pending=np.vstack([problem.pending, x]),
        taken=np.union1d(problem.taken, found.index) if found.index >= 0 else problem.taken,
        avoid=x if problem.avoid is None else np.vstack([problem.avoid, x]),
    )


@dataclass(frozen=True)
class Forest:
    """Expected improvement by a random forest, the deviation that of its trees: for rough and jumping outcomes."""

    name: str = "forest"
    trees: int = 100

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        from sklearn.ensemble import RandomForestRegressor

        k = single(problem, self.name)
        rows = problem.known[:, k]
        if rows.sum() < FEWEST:
            return first_picks(problem, count)
        objective, chances = problem.objectives[k], Chances(problem)
        goal = -loss(objective, np.clip(problem.Y[rows, k], -LARGEST, LARGEST))
        X, seed = problem.X[rows], abs(problem.seed) % 2**31
        block = sample(problem, SPREAD, np.random.default_rng([abs(problem.seed), len(problem.X), 5]))
        if not len(block):
            return []
        chance, gone = chances(block), np.zeros(len(block), bool)
        found: list[Found] = []

        def fitted() -> RandomForestRegressor:
            return RandomForestRegressor(self.trees, random_state=seed + len(X)).fit(X, goal)

        if len(problem.pending):
            # Experiments given out take what is expected of them.
            goal = np.append(goal, fitted().predict(problem.pending))
            X = np.vstack([X, problem.pending])
        while len(found) < count and not gone.all():
            each = np.array([tree.predict(block.X) for tree in fitted().estimators_])
            mean = each.mean(axis=0)
            variance = np.maximum(each.var(axis=0), 1e-12 * max(float(goal.var()), 1e-300))
            score = log_expected_improvement(mean, variance, float(goal.max())) + chance
            score[gone] = -np.inf
            row = int(np.argmax(score))
            found.append(Found(int(block.index[row]), block.X[row], float(score[row])))
            gone |= same(problem, block.X, block.X[row])
            X, goal = np.vstack([X, block.X[row]]), np.append(goal, mean[row])
        return picks(problem, found, self.name, "expected by a random forest to improve most", chances)


@dataclass(frozen=True)
class Random:
    """Any candidate, each as likely as the others."""

    name: str = "random"

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        rng = np.random.default_rng([abs(problem.seed), len(problem.X), len(problem.pending), 1])
        return picks(problem, at_random(problem, count, rng), self.name, "drawn at random")
