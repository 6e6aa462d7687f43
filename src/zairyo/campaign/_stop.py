"""How far a campaign is, and what further experiments are expected to bring, said honestly."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from zairyo.campaign._base import Floats
from zairyo.campaign._learning import Learned
from zairyo.campaign._objectives import feasible, loss, wanted
from zairyo.campaign._said import share_in, words_of
from zairyo.campaign._state import Experiment
from zairyo.campaign._words import STYLE, number, percent, possible
from zairyo.learn._threads import one_thread

if TYPE_CHECKING:
    from zairyo.campaign.campaign import Campaign

#: Candidates among which the next best are looked for, and of them how many are drawn jointly; the draws.
LOOKED_AT, JOINT, DRAWS = 4_000, 300, 512
#: Fewer experiments say nothing of what the next will bring.
LEAST = 5
#: A gain below this share of the range measured so far is not worth the work.
LITTLE = 0.01
#: From this probability on, a phase is called known.
SURE = 0.9


@dataclass(frozen=True)
class Stop:
    """What more experiments are expected to bring.

    Attributes
    ----------
    more
        How many.
    gain
        Of the best value, in the outcome's unit; for several objectives in shares of their ranges; for a model the
        share of the mean variance that they remove. NaN where nothing can be said.
    share
        The gain as a share of the range measured so far.
    chance
        Probability that at least one is better than the best so far.
    kept
        The share of what was promised of earlier picks that they brought, which the gain takes into account.
    sentence
        For people.
    """

    more: int
    gain: float
    share: float
    chance: float
    kept: float
    sentence: str

    @property
    def enough(self) -> bool:
        """Whether stopping is the better choice."""
        return self.share < LITTLE

    def text(self) -> str:
        return self.sentence

    __repr__ = text

    def _repr_html_(self) -> str:
        return f'<p style="{STYLE}">{html.escape(self.sentence)}</p>'


def scalar(known: Learned, values: Sequence[Floats], Y: Floats) -> Floats:
    """Losses of outcomes as one number each, lower is better: shares of the ranges measured, by weight.

    ``values`` has an array of any one shape for each objective. Where a constraint does not hold, 1 is added.
    """
    objectives = known.problem.objectives
    columns = wanted(objectives)
    weights = np.array([objectives[k].weight for k in columns])
    total = np.zeros(np.shape(values[0]))
    for weight, k in zip(weights / weights.sum(), columns, strict=True):
        told = loss(objectives[k], Y[known.mine & known.problem.known[:, k], k])
        low, high = (float(told.min()), float(told.max())) if len(told) else (0.0, 1.0)
        total = total + weight * (loss(objectives[k], values[k]) - low) / (high - low if high > low else 1.0)
    for k, objective in enumerate(objectives):
        if objective.constraint:
            total = total + (loss(objective, values[k]) != 0)
    return total


def scores(known: Learned) -> Floats:
    """Shape (n,): of the experiments told in this campaign, lower is better; NaN where an outcome is missing."""
    problem = known.problem
    if not wanted(problem.objectives):
        return np.full(len(problem.Y), np.nan)
    found = scalar(known, list(problem.Y.T), problem.Y)
    found[problem.failed | ~known.mine] = np.nan
    found[~feasible(problem.objectives, problem.Y)] = np.nan
    return found


def best(campaign: Campaign) -> Experiment | None:
    known = campaign.learned
    found = scores(known)
    return known.experiments[int(np.nanargmin(found))] if np.isfinite(found).any() else None


def promises_kept(campaign: Campaign) -> float:
    """The share of the improvements expected of earlier picks that came, between 0.1 and 1.

    A batch promises what its most promising pick did. Drawn towards 1 as by one batch that kept its promise; 1 where
    the best of one outcome is not sought.
    """
    columns = wanted(campaign.objectives)
    if len(columns) != 1 or campaign.objectives[columns[0]].direction not in ("maximise", "minimise"):
        return 1.0
    objective = campaign.objectives[columns[0]]
    came: dict[int, float] = {}
    top: dict[int, float] = {}
    before = math.inf
    for e in campaign.state.of_here():
        told = e.outcomes.get(objective.name)
        value = float(loss(objective, told)) if isinstance(told, (int, float)) else math.inf
        said = e.promised.get(objective.name)
        if said is not None and math.isfinite(before) and not e.control and said["sd"] > 0:
            z = (before - float(loss(objective, said["mean"]))) / said["sd"]
            gain = said["sd"] * (z * float(ndtr(z)) + math.exp(-z * z / 2) / math.sqrt(2 * math.pi))
            top[e.asked] = max(top.get(e.asked, 0.0), gain)
            came[e.asked] = came.get(e.asked, 0.0) + max(0.0, before - value)
        before = min(before, value)
    promised = list(top.values())
    if not promised:
        return 1.0
    one = sum(promised) / len(promised)
    return min(1.0, max(0.1, (sum(came.values()) + one) / (sum(promised) + one)))


def stop(campaign: Campaign, more: int, language: str = "en") -> Stop:
    """What ``more`` experiments are expected to bring, by joint draws of the outcomes of the most promising ones."""
    words = words_of(language)
    known = campaign.learned
    kept = promises_kept(campaign)
    nothing = Stop(more, math.nan, math.nan, math.nan, kept, "")
    if not campaign.objectives:
        return _with(nothing, words["no outcome"])
    told = int((known.mine & known.problem.known.any(axis=1)).sum())
    if told < LEAST:
        return _with(nothing, words["too few one" if told == 1 else "too few"].format(told=told))
    X, rng = _open(known)
    if not len(X):
        return _with(nothing, words["nothing left"], 0.0)
    if campaign.candidates.size is not None and not campaign._created["replicates"]:
        more = min(more, len(X))
    if all(o.classes for o in campaign.objectives):
        return _of_phases(known, X, more, words)
    if not wanted(campaign.objectives):
        with one_thread():
            return _of_model(known, X, more, words)
    found = scores(known)
    models = known.belief.models
    needed = [k for k, o in enumerate(known.problem.objectives) if o.direction != "model" or o.constraint]
    if not np.isfinite(found).any() or any(models[k] is None for k in needed):
        return _with(nothing, words["incomplete"])
    with one_thread():
        return _of_best(known, X, int(np.nanargmin(found)), more, kept, rng, words)


def _with(one: Stop, sentence: str, gain: float = math.nan) -> Stop:
    return Stop(one.more, gain, gain, gain, one.kept, sentence)


def _open(known: Learned) -> tuple[Floats, np.random.Generator]:
    """Candidates that may be proposed, at most ``LOOKED_AT``."""
    problem = known.problem
    rng = np.random.default_rng([problem.seed, len(problem.X), 13])
    size = problem.candidates.size
    if size is not None and size <= 5 * LOOKED_AT:
        blocks = [block.X for block in problem.blocks()]
        return (np.vstack(blocks) if blocks else np.empty((0, problem.space.width))), rng
    block = problem.candidates.draw(LOOKED_AT, rng)
    return block.take(problem.free(block)).X, rng


def _of_best(
    known: Learned,
    X: Floats,
    row: int,
    more: int,
    kept: float,
    rng: np.random.Generator,
    words: Mapping[str, str],
) -> Stop:
    belief, problem = known.belief, known.problem
    promising = np.argsort(-np.nan_to_num(belief.chance(X)), kind="stable")[:JOINT]
    rows = np.vstack([X[promising], problem.X[row]])
    values: list[Floats] = []
    for model, objective in zip(belief.models, problem.objectives, strict=True):
        if model is None:
            values.append(np.full((DRAWS, len(rows)), np.nan))
            continue
        values.append(possible(model.output.backward(model.samples(rows, DRAWS, rng)), objective))
    drawn = scalar(known, values, problem.Y)
    now, next_ones = drawn[:, -1], drawn[:, :-1]
    failing = rng.random(next_ones.shape) > belief.chance_of_success(rows[:-1])
    next_ones = np.where(failing, np.inf, next_ones)
    reached = now.copy()
    for _ in range(min(more, next_ones.shape[1])):
        lower = np.minimum(reached[:, None], next_ones)
        reached = lower[:, int(np.argmin(lower.mean(axis=0)))]
    # A draw far beyond all that was ever measured says that the model knows little, not that there is so much to gain.
    share = kept * float(np.mean(np.minimum(now - reached, 1.0)))
    chance = float(np.mean(reached < now))
    columns = wanted(problem.objectives)
    gain, unit = share, ""
    if len(columns) == 1:
        objective = problem.objectives[columns[0]]
        told = problem.Y[known.mine & problem.known[:, columns[0]], columns[0]]
        told = loss(objective, told)
        if objective.direction in ("maximise", "minimise") and not np.ptp(told) > 0:
            return Stop(more, math.nan, math.nan, math.nan, kept, words["all alike"])
        gain, unit = share * float(np.ptp(told)), f" {objective.unit}" if objective.unit else ""
        by = words["by one"].format(gain=f"{number(gain, 2)}{unit}", share=share_in(words, share))
    else:
        by = words["by several"].format(share=share_in(words, share))
    sentence = words["more"].format(
        another=words["another one" if more == 1 else "another"].format(more=more),
        by=by,
        chance=percent(chance),
        kept=words["kept"].format(kept=percent(kept)) if kept < 0.9 else "",
        advice=_advice(share, words),
    )
    return Stop(more, gain, share, chance, kept, sentence)


def _advice(share: float, words: Mapping[str, str]) -> str:
    return words["stop" if share < LITTLE else "go on"]


def _of_model(known: Learned, X: Floats, more: int, words: Mapping[str, str]) -> Stop:
    """Greedily, the experiments that lower the mean variance most."""
    belief = known.belief
    left, count = [], 0
    for gp in (m.members[0] for m in belief.models if m is not None):
        reference = belief.reference
        before = float(gp.latent(reference)[1].mean())
        rows = X[:: max(1, len(X) // JOINT)]
        for _ in range(min(more, len(rows))):
            gp = gp.append(rows[int(np.argmax(gp.variance_reduction(rows, reference)))])
        left.append(float(gp.latent(reference)[1].mean()) / before)
        count += 1
    if not count:
        return Stop(more, math.nan, math.nan, math.nan, 1.0, words["unknown"])
    share = 1.0 - float(np.mean(left))
    another = words["another one can" if more == 1 else "another can"].format(more=more)
    sentence = words["model"].format(
        another=another, share=share_in(words, share), advice=_advice(share, words)
    )
    return Stop(more, share, share, math.nan, 1.0, sentence)


def _of_phases(known: Learned, X: Floats, more: int, words: Mapping[str, str]) -> Stop:
    """How sure it is which phase the candidates are; what measuring them changes is not foretold."""
    surest = []
    for k in range(len(known.problem.objectives)):
        with one_thread():
            each = known.belief.phases(k, X)
        if each:
            surest.append(np.max(list(each.values()), axis=0))
    nothing = Stop(more, math.nan, math.nan, math.nan, 1.0, "")
    if not surest:
        return _with(nothing, words["phases unknown"])
    open_ = float(np.mean(np.min(surest, axis=0) < SURE))
    return _with(nothing, words["phases"].format(share=share_in(words, open_), sure=percent(SURE)))


# The random control arm ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Control:
    """The strategy's picks beside the random ones.

    Attributes
    ----------
    chosen, random
        Numbers of experiments with all outcomes.
    difference
        Mean score of the random less that of the chosen, in shares of the range: above 0 the strategy is better.
    lower, upper
        95 % interval (Welch); NaN where there are too few.
    sentence
        For people.
    """

    chosen: int
    random: int
    difference: float
    lower: float
    upper: float
    sentence: str

    def text(self) -> str:
        return self.sentence

    __repr__ = text

    def _repr_html_(self) -> str:
        return f'<p style="{STYLE}">{html.escape(self.sentence)}</p>'


def control_report(campaign: Campaign, language: str = "en") -> Control:
    """Compare them, by outcomes as measured; failures count as the worst outcome measured."""
    from scipy import stats

    words = words_of(language)
    known = campaign.learned
    found = scores(known)
    asked = [i for i, e in enumerate(known.experiments) if e.asked and not e.source]
    worst = float(np.nanmax(found)) if np.isfinite(found).any() else 1.0
    arms: dict[bool, list[float]] = {True: [], False: []}
    for i in asked:
        e = known.experiments[i]
        score = worst if e.standing == "failed" else found[i]
        if np.isfinite(score):
            arms[e.control].append(float(score))
    random, chosen = np.array(arms[True]), np.array(arms[False])
    counts = words["arms"].format(chosen=len(chosen), random=len(random))
    if min(len(random), len(chosen)) < 2:
        few = words["arms few"].format(arms=counts)
        return Control(len(chosen), len(random), math.nan, math.nan, math.nan, few)
    difference = float(random.mean() - chosen.mean())
    variances = np.array([random.var(ddof=1) / len(random), chosen.var(ddof=1) / len(chosen)])
    error = float(np.sqrt(variances.sum()))
    freedom = float(
        variances.sum() ** 2 / max((variances**2 / (np.array([len(random), len(chosen)]) - 1)).sum(), 1e-300)
    )
    half = float(stats.t.ppf(0.975, max(freedom, 1.0))) * error
    lower, upper = difference - half, difference + half
    verdict = words["better" if lower > 0 else "worse" if upper < 0 else "neither"]
    shares = {
        k: f"{100 * v:.0f}" for k, v in (("difference", difference), ("lower", lower), ("upper", upper))
    }
    sentence = words["arms compared"].format(arms=counts, verdict=verdict, **shares)
    return Control(len(chosen), len(random), difference, lower, upper, sentence)
