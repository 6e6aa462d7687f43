"""Strategies that look for the best value, or for a value within a range."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zairyo.campaign._acquisition import Path, log_expected_improvement
from zairyo.campaign._base import CampaignError, Pick, Problem
from zairyo.campaign._objectives import loss, wanted
from zairyo.campaign._seek_model import FEWEST, LARGEST
from zairyo.campaign._seek_score import Chances, Likely, belief_of, limits, optimistic, outside, rated
from zairyo.campaign._seek_search import (
    SPREAD,
    Found,
    at_random,
    greedy,
    promising,
    same,
    sample,
    spread,
)

#: A chance of success below which people are told.
DOUBTFUL = 0.7


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
