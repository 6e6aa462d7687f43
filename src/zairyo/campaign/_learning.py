"""From the experiments of a campaign to the problem that a strategy answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from zairyo.campaign._asking import to_avoid
from zairyo.campaign._base import Candidates, Floats, Mask, Objective, Problem
from zairyo.campaign._belief import Belief
from zairyo.campaign._state import Experiment, State
from zairyo.campaign._views import Sourced, offsets


@dataclass(eq=False)
class Encoder:
    """Features of experiments, each made once."""

    candidates: Candidates
    known: dict[int, tuple[Any, Floats]] = field(default_factory=dict)

    def of(self, experiments: Sequence[Experiment]) -> Floats:
        """Shape (n, p)."""
        new = [e for e in experiments if self.known.get(e.number, (None,))[0] is not e.settings]
        if new:
            for e, x in zip(new, self.candidates.encode([e.settings for e in new]), strict=True):
                self.known[e.number] = (e.settings, x)
        if not experiments:
            return np.empty((0, self.candidates.space.width))
        return np.array([self.known[e.number][1] for e in experiments])


@dataclass(frozen=True, eq=False)
class Learned:
    """What a state of the campaign gives to learn from.

    Attributes
    ----------
    problem
        For strategies.
    experiments
        Of the rows of the problem.
    mine
        Shape (n,): the rows of this campaign at the highest fidelity.
    factor
        See :func:`calibration`.
    """

    problem: Problem
    experiments: tuple[Experiment, ...]
    mine: Mask
    factor: float = 1.0

    @cached_property
    def belief(self) -> Belief:
        """The models, made when they are first asked."""
        return Belief(self.problem, self.mine, max(1.0, self.factor))


def learned(
    state: State,
    encoder: Encoder,
    objectives: tuple[Objective, ...],
    descriptors: Sequence[str],
    *,
    replicates: bool,
    seed: int,
    fidelity: tuple[str, Any] | None = None,
) -> Learned:
    """The problem as it is now."""
    candidates = encoder.candidates
    tried = sorted(
        (e for e in state.experiments.values() if e.tried), key=lambda e: (not e.source, e.told, e.number)
    )
    sources = tuple(sorted({e.source for e in tried if e.source}))
    X, source = encoder.of(tried), np.array([e.source for e in tried], str)
    pending = state.where("pending")
    P = encoder.of(pending)
    objectives = tuple(with_classes(o, tried) for o in objectives)
    Y = np.array([[value(e, o) for o in objectives] for e in tried]).reshape(len(tried), len(objectives))
    noise = np.array([[e.noise.get(o.name, np.nan) for o in objectives] for e in tried]).reshape(Y.shape)
    D = np.array([[e.descriptors.get(d, np.nan) for d in descriptors] for e in tried])
    kept = [e for e in state.experiments.values() if _kept(e)]
    places = np.array([e.candidate for e in kept], np.int64)
    avoid = None if replicates else encoder.of(kept)[to_avoid(candidates, places)]
    taken = np.empty(0, np.int64) if replicates else np.unique(places[places >= 0])
    mine = source == ""
    if fidelity is not None and len(tried):
        name, top = fidelity
        mine = mine & np.array([_alike(e.settings.get(name), top) for e in tried], bool)
    if sources:
        wide = Sourced(candidates, sources)
        X = np.vstack([wide.widened(x[None, :], s) for x, s in zip(X, source, strict=True)])
        P, avoid = wide.widened(P), None if avoid is None else wide.widened(avoid)
        candidates = wide
    problem = Problem(
        candidates, X, Y, np.array([e.standing == "failed" for e in tried], bool),
        np.array([e.candidate if not e.source else -1 for e in tried], np.int64), P, objectives, taken, avoid,
        _variances(noise), D if len(descriptors) and len(tried) else None, seed,
    )  # fmt: skip
    if sources:
        problem = replace(problem, Y=problem.Y - offsets(problem, source))
    return Learned(problem, tuple(tried), mine, calibration(state)[0])


def calibration(state: State) -> tuple[float, int, int]:
    """How much larger deviations from predictions were than promised; how many there were; how many ranges held.

    The ratio is drawn towards 1 as by five predictions that were right.
    """
    squares, count, held = 0.0, 0, 0
    for e in state.of_here():
        for name, promised in e.promised.items():
            told = e.outcomes.get(name)
            if isinstance(told, (int, float)) and promised["sd"] > 0:
                squares += min(((told - promised["mean"]) / promised["sd"]) ** 2, 25.0)
                count += 1
                held += promised["lower"] <= told <= promised["upper"]
    return float(np.sqrt((squares + 5.0) / (count + 5.0))), count, held


def _alike(value: Any, other: Any) -> bool:
    """One setting, whether it is written 1, 1.0 or "1"."""
    return bool(value == other or str(value) == str(other))


def _kept(e: Experiment) -> bool:
    """Whether it may not be proposed again."""
    return not e.source and e.standing in ("told", "failed", "pending", "rejected")


def _variances(noise: Floats) -> Floats | None:
    """Known variances; where only some are known, the others are taken to be like them."""
    if not np.isfinite(noise).any():
        return None
    usual = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else 0.0 for c in noise.T])
    return np.where(np.isfinite(noise), noise, usual)


def with_classes(objective: Objective, tried: Sequence[Experiment]) -> Objective:
    """The objective with the classes that were told, where none were declared."""
    if objective.classes or objective.direction != "model":
        return objective
    texts = {e.outcomes[objective.name] for e in tried if isinstance(e.outcomes.get(objective.name), str)}
    return replace(objective, classes=tuple(sorted(texts))) if texts else objective


def value(e: Experiment, objective: Objective) -> float:
    """An outcome as a number, the class's place for a class; NaN where missing."""
    told = e.outcomes.get(objective.name)
    if told is None:
        return float("nan")
    if objective.classes:
        return float(objective.classes.index(str(told))) if str(told) in objective.classes else float("nan")
    return float(told)
