"""How a batch comes about: controls at random, settings that a batch shares, the fidelity at which each is made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from zairyo.campaign._base import Block, Candidates, Floats, Integers, Mask, Pick, Problem, Strategy
from zairyo.campaign._belief import Belief
from zairyo.campaign._seek_search import at_random
from zairyo.campaign._views import sharing

#: Candidates up to which each is compared with all that was made.
MOST_TO_COMPARE = 2_000_000


@dataclass(frozen=True)
class Plan:
    """What is asked of a batch beside its strategy.

    Attributes
    ----------
    control
        Share of picks drawn at random to compare with.
    so_far
        Picks given out before, which says which of the next are controls.
    shared
        Settings that all of a batch have in common.
    fidelity
        Its parameter; empty for none.
    levels
        Value → what an experiment at it costs; the dearest tells the truth.
    """

    control: float = 0.0
    so_far: int = 0
    shared: tuple[str, ...] = ()
    fidelity: str = ""
    levels: Mapping[Any, float] = field(default_factory=dict)

    @property
    def top(self) -> Any:
        """The value of the highest fidelity."""
        return max(self.levels, key=lambda v: self.levels[v])


@dataclass(frozen=True)
class Chosen:
    """A pick, and whether it is a control."""

    pick: Pick
    control: bool


def is_control(number: int, share: float) -> bool:
    """Whether the pick of a number (from 1) is one: every fifth for a share of 0.2."""
    return math.floor(number * share + 1e-9) > math.floor((number - 1) * share + 1e-9)


def choose(problem: Problem, strategy: Strategy, count: int, plan: Plan, belief: Belief) -> list[Chosen]:
    """Up to ``count`` different picks; fewer only where no more candidates are free."""
    marks = [is_control(plan.so_far + k + 1, plan.control) for k in range(count)]
    if plan.fidelity:
        problem, everything = _narrowed(problem, {plan.fidelity: plan.top}), problem
    found: list[Chosen] = []
    if plan.shared and count > 1:
        first = _batch(problem, strategy, marks[:1])
        if not first:
            return []
        found, marks = first, marks[1:]
        settings = settings_of(problem, first[0].pick)
        problem = _narrowed(grown(problem, [first[0].pick]), {name: settings[name] for name in plan.shared})
    found = found + _batch(problem, strategy, marks)
    if plan.fidelity:
        made: list[Chosen] = []
        for one in found:
            taken = [c.pick for c in made]
            made.append(
                one if one.control else replace(one, pick=_cheaper(everything, one.pick, plan, belief, taken))
            )
        found = made
    return found


def _batch(problem: Problem, strategy: Strategy, marks: Sequence[bool]) -> list[Chosen]:
    controls = uniform(problem, sum(marks))
    rest = len(marks) - sum(marks)
    chosen = distinct(problem, strategy.pick(grown(problem, controls), rest), controls) if rest else []
    if len(chosen) < rest:  # the strategy gave one twice, or had no more; others may be free still
        more = grown(problem, [*controls, *chosen])
        chosen += [replace(one, why="drawn at random") for one in uniform(more, rest - len(chosen))]
    picks = {True: iter(controls), False: iter(chosen)}
    found = [(next(picks[mark], None), mark) for mark in marks]
    return [Chosen(pick, mark) for pick, mark in found if pick is not None]


def distinct(problem: Problem, picks: Sequence[Pick], before: Sequence[Pick] = ()) -> list[Pick]:
    """Only picks that are free and differ: no strategy, whoever wrote it, may propose a thing twice."""
    kept: list[Pick] = []
    problem = grown(problem, before)
    for pick in picks:
        block = Block(np.array([pick.index], np.int64), np.asarray(pick.x, float)[None, :])
        if np.isfinite(pick.x).all() and problem.free(block)[0]:
            kept.append(pick)
            problem = grown(problem, [pick])
    return kept


def grown(problem: Problem, picks: Sequence[Pick]) -> Problem:
    """The problem with more experiments under way."""
    if not picks:
        return problem
    X = np.array([pick.x for pick in picks])
    pending = np.vstack([problem.pending, X])
    if problem.avoid is None:  # replicates are wanted
        return replace(problem, pending=pending)
    places = np.array([pick.index for pick in picks], np.int64)
    return replace(
        problem,
        pending=pending,
        taken=np.union1d(problem.taken, places[places >= 0]),
        avoid=np.vstack([problem.avoid, X[to_avoid(problem.candidates, places)]]),
    )


def to_avoid(candidates: Candidates, places: Integers) -> Mask:
    """Which experiments are kept from being proposed again by their features, not only by their places.

    Duplicated rows of a pool are found so; to look for them among more than millions would take too long.
    """
    small = candidates.size is None or candidates.size <= MOST_TO_COMPARE
    return np.ones(len(places), bool) if small else places < 0


def uniform(problem: Problem, count: int) -> list[Pick]:
    """Candidates that are free, all as likely."""
    if not count:
        return []
    rng = np.random.default_rng([problem.seed, len(problem.X), len(problem.pending), 17])
    return [
        Pick(one.index, one.x, 0.0, "random", "drawn at random, to compare with")
        for one in at_random(problem, count, rng)
    ]


def _narrowed(problem: Problem, settings: Mapping[str, Any]) -> Problem:
    """The problem with only the candidates that have some settings."""
    return replace(problem, candidates=sharing(problem.candidates, settings))


def settings_of(problem: Problem, pick: Pick) -> dict[str, Any]:
    """A pick's settings."""
    return problem.candidates.decode(Block(np.array([pick.index], np.int64), np.asarray(pick.x)[None, :]))[0]


def _cheaper(problem: Problem, pick: Pick, plan: Plan, belief: Belief, taken: Sequence[Pick]) -> Pick:
    """The same settings at the fidelity that tells most of the truth for its cost.

    What a level tells is the squared correlation, after all that is known, of its outcome with the true one.
    """
    gps = [model.members[0] for model in belief.models if model is not None]
    if not gps or belief.mine.sum() < 2:
        return pick
    candidates, settings = problem.candidates, settings_of(problem, pick)
    wide = grown(problem, taken)
    best, most = pick, -1.0
    for level, cost in sorted(plan.levels.items(), key=lambda one: -one[1]):
        other = settings | {plan.fidelity: level}
        x, index = candidates.encode([other])[0], int(candidates.locate([other])[0])
        block = Block(np.array([index], np.int64), x[None, :])
        if (candidates.size is not None and index < 0) or not wide.free(block)[0]:
            continue
        told = np.mean([_told(gp, x, pick.x) for gp in gps]) / cost
        if told > most:
            why = (
                pick.why
                if level == plan.top
                else f"{pick.why}; first at {plan.fidelity} {level}, which costs less"
            )
            best, most = replace(pick, x=x, index=index, why=why.lstrip("; ")), float(told)
    return best


def _told(gp: Any, x: Floats, true: Floats) -> float:
    both = np.vstack([x, true])
    K = gp.posterior_covariance(both, both)
    return float(K[0, 1] ** 2 / max((K[0, 0] + math.exp(gp.theta[-1])) * K[1, 1], 1e-300))
