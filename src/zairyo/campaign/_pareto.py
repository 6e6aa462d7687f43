"""Several outcomes of which the best compromises are wanted: expected improvement of the volume they dominate.

Where outcomes are believed independently of each other, the expectation is exact: over the boxes that are not dominated
yet it is a sum of products of one-dimensional improvements (Yang, Emmerich, Deutz, Bäck 2019). It is worked out in
logarithms, so that the least promise still ranks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zairyo.campaign._acquisition import log_difference, log_expected_improvement, log_nearing, weighted
from zairyo.campaign._base import Block, CampaignError, Floats, Mask, Pick, Problem, Strategy
from zairyo.campaign._hypervolume import boxes, undominated
from zairyo.campaign._objectives import feasible, loss, wanted
from zairyo.campaign._seek import ExpectedImprovement, Random, first_picks, given_out, picks
from zairyo.campaign._seek_model import Belief, Tracked, believe
from zairyo.campaign._seek_score import Chances, Likely, Rated, belief_of, limits, outside
from zairyo.campaign._seek_search import Found, Working, greedy
from zairyo.learn import GP

#: Outcomes up to which boxes are worth their number.
MOST = 4
#: Deviations above the mean by which very many candidates are first looked at.
HOPEFUL = 1.5
#: Of the usual shortlist, as each candidate costs many boxes.
SHARE = 0.25
#: The logarithm of a promise of nothing.
NOTHING = -1e4
#: How much the sum of shortfalls counts beside the largest.
SUM = 0.05


@dataclass(frozen=True, eq=False)
class Goal:
    """One outcome, as something of which more is better, on the scale of its model.

    Attributes
    ----------
    belief
        About the outcome.
    ends
        The range to come near to; None where more is better without end.
    """

    belief: Belief
    ends: tuple[float | None, float | None] | None

    def of(self, values: Floats) -> Floats:
        """How good values of the outcome are."""
        return values if self.ends is None else -outside(values, *self.ends)

    def log_above(self, mean: Floats, variance: Floats, level: float) -> Floats:
        """log E[max(goal - level, 0)], shape (m,)."""
        if self.ends is None:
            return log_expected_improvement(mean, variance, level)
        if level >= 0:
            return np.full(len(mean), NOTHING)
        return np.asarray(np.log(-level) + log_nearing(mean, variance, *self.ends, -level))


@dataclass(eq=False)
class Volume:
    """A scorer by the expected improvement of the dominated volume.

    Attributes
    ----------
    goals
        k.
    front
        Shape (n, k): goals of what was told, as they are believed to be.
    reference
        Shape (k,).
    """

    goals: list[Goal]
    front: Floats
    reference: Floats
    chances: Chances

    def coarse(self, block: Block) -> Floats:
        hopes = []
        for goal in self.goals:
            mean, variance = goal.belief.coarse().latent(block.X, single=True)
            deviation = HOPEFUL * np.sqrt(variance)
            if goal.ends is None:
                hopes.append(mean + deviation)
            else:
                hopes.append(np.minimum(goal.of(mean) + deviation, 0.0))
        hope = np.column_stack(hopes)
        lower, upper = boxes(self.front, self.reference)
        gain = np.zeros(len(hope))
        for low, high in zip(lower, upper, strict=True):
            gain += np.prod(np.clip(np.minimum(hope, high) - low, 0.0, None), axis=1)
        # Where even hope gains nothing, the nearest to gaining are first.
        short = np.minimum(hope - self.reference, 0.0).sum(axis=1) + 1e-3 * hope.mean(axis=1)
        promise = np.where(gain > 0, np.log(np.maximum(gain, 1e-300)), -1e3 + short)
        return promise + self.chances(block, coarse=True)

    def working(self, block: Block, room: int) -> Working:
        return _Volume(self, block, room)


class _Volume:
    def __init__(self, volume: Volume, block: Block, room: int) -> None:
        self._volume, self._room = volume, room
        self._members: list[tuple[GP, ...]] = [goal.belief.members for goal in volume.goals]
        self._tracked = [[Tracked(one, block.X, room) for one in members] for members in self._members]
        self._chances = volume.chances(block)
        self._front = volume.front

    def scores(self) -> Floats:
        lower, upper = boxes(self._front, self._volume.reference)
        total = np.zeros((len(lower), len(self._chances)))
        for k, (goal, tracked) in enumerate(zip(self._volume.goals, self._tracked, strict=True)):
            levels = np.unique(np.append(lower[:, k], upper[:, k]))
            logs = np.full((len(levels), total.shape[1]), -np.inf)
            for i, level in enumerate(levels[np.isfinite(levels)]):
                each = [goal.log_above(one.mean, one.variance, float(level)) for one in tracked]
                logs[i] = weighted(np.array(each), goal.belief.weights)
            low, high = np.searchsorted(levels, lower[:, k]), np.searchsorted(levels, upper[:, k])
            for b in range(len(lower)):
                total[b] += (
                    logs[low[b]] if np.isinf(upper[b, k]) else log_difference(logs[low[b]], logs[high[b]])
                )
        return np.asarray(np.logaddexp.reduce(total, axis=0)) + self._chances

    def add(self, row: int) -> None:
        expected = []
        for k, (goal, tracked) in enumerate(zip(self._volume.goals, self._tracked, strict=True)):
            mean = np.array([[one.mean[row]] for one in tracked])
            expected.append(float(goal.belief.weights @ goal.of(mean)[:, 0]))
            for one in tracked:
                one.add(row)
            x = tracked[0].X[row : row + 1]
            self._members[k] = tuple(one.append(x) for one in self._members[k])
        self._front = np.vstack([self._front, expected])

    def extend(self, block: Block) -> None:
        if not len(block):
            return
        for k, tracked in enumerate(self._tracked):
            more = [Tracked(one, block.X, self._room) for one in self._members[k]]
            self._tracked[k] = [one.joined(other) for one, other in zip(tracked, more, strict=True)]
        self._chances = np.append(self._chances, self._volume.chances(block))


def reference_of(told: Floats) -> Floats:
    """The point from which volume is measured: the worst of each goal (m, k) that was told.

    Nearer to the front the ends of it, best in one goal and poor in another, would count for nothing.
    """
    worst, best = told.min(axis=0), told.max(axis=0)
    return np.asarray(worst - np.where(best > worst, 1e-3 * (best - worst), 1e-3))


def preferred(losses: Floats, weights: Floats) -> int:
    """The row of losses (n, k) that serves preferences best: the least of its weighted largest shortfalls.

    A shortfall is the distance from the best of each objective, as a share of what the front spans; ``weights`` (k,)
    say how much each matters (achievement scalarising, Wierzbicki 1980).
    """
    losses, weights = np.asarray(losses, dtype=float), np.asarray(weights, dtype=float)
    rows = np.flatnonzero(np.isfinite(losses).all(axis=1))
    if not len(rows):
        raise CampaignError("no experiment has all outcomes yet, so no compromise can be chosen")
    known = losses[rows]
    front = known[undominated(-known)]
    span = np.ptp(front, axis=0)
    short = (known - front.min(axis=0)) / np.where(span > 0, span, 1.0) * (weights / weights.sum())
    return int(rows[np.argmin(short.max(axis=1) + 1e-3 * short.sum(axis=1))])


@dataclass(frozen=True)
class Pareto:
    """By how much a candidate is expected to enlarge what the compromises found so far dominate."""

    name: str = "pareto"

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        columns = wanted(problem.objectives)
        if not columns:
            raise CampaignError(f"{self.name!r} needs outcomes to maximise, minimise or bring near a value")
        if len(columns) == 1:
            return ExpectedImprovement(self.name).pick(problem, count)
        if len(columns) > MOST:
            return Compromise(self.name).pick(problem, count)
        goals = []
        for k in columns:
            belief = belief_of(problem, k)
            if belief is None:
                return first_picks(problem, count)
            objective = problem.objectives[k]
            aimed = objective.direction in ("target", "within")
            goals.append(Goal(belief, limits(objective, belief) if aimed else None))
        chances, rows = Chances(problem), told(problem, columns)
        if chances.constraints and not rows.any():
            why = "most likely to keep within the limits, which nothing made so far does"
            found = greedy(problem, Likely(chances), count)
            return picks(problem, found, "probability of feasibility", why, chances)
        if not rows.any():
            # No experiment has all outcomes: what is believed of those that have one stands in.
            rows = np.asarray(problem.known[:, columns].any(axis=1))
        values = believed(goals, np.vstack([problem.X[rows], problem.pending]))
        front = values[undominated(values)]
        scorer = Volume(goals, front, reference_of(values), chances)
        why = "expected to widen the front of best compromises by most"
        return picks(
            problem, greedy(problem, scorer, count, SHARE), "expected hypervolume improvement", why, chances
        )


def told(problem: Problem, columns: list[int]) -> Mask:
    """Shape (n,): experiments with all wanted outcomes, within all limits."""
    return np.asarray(problem.known[:, columns].all(axis=1) & feasible(problem.objectives, problem.Y))


def believed(goals: list[Goal], X: Floats) -> Floats:
    """What is believed of each goal, shape (m, k)."""
    return np.column_stack([goal.belief.weights @ goal.of(goal.belief.at(X)) for goal in goals])


@dataclass(frozen=True)
class Compromise:
    """Expected improvement of the largest weighted shortfall, with other weights for each pick (ParEGO, Knowles 2006).

    For more outcomes than boxes can be made for.
    """

    name: str = "chebyshev"

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        columns = wanted(problem.objectives)
        chances, rows = Chances(problem), told(problem, columns)
        losses = np.column_stack([loss(problem.objectives[k], problem.Y[rows, k]) for k in columns])
        rng = np.random.default_rng([abs(problem.seed), len(problem.X), len(problem.pending), 4])
        found: list[Found] = []
        for _ in range(count):
            short = losses - losses.min(axis=0) if len(losses) else losses
            short = short / np.maximum(short.max(axis=0, initial=0.0), 1e-300)
            short *= rng.dirichlet(np.ones(len(columns))) * len(columns)
            value = -(short.max(axis=1, initial=0.0) + SUM * short.sum(axis=1))
            belief = believe(problem.X[rows], value, problem.space, seed=abs(problem.seed))
            if belief is None:
                return picks(problem, found, self.name, "") + first_picks(problem, count - len(found))
            belief = belief.discouraged(problem.X[problem.failed]).append(problem.pending)
            best = belief.at(problem.X[rows]).max(axis=1)
            one = greedy(problem, Rated(belief, log_expected_improvement, best, chances), 1)
            if not one:
                break
            found += one
            problem = given_out(problem, one[0])
        return picks(problem, found, self.name, "expected to be the best compromise of another kind", chances)


#: The strategies for several outcomes.
STRATEGIES: dict[str, Strategy] = {
    "auto": Pareto("auto"),
    "pareto": Pareto(),
    "chebyshev": Compromise(),
    "random": Random(),
}
