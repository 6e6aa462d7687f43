"""What a bench scientist reads of a proposed experiment, in English or Japanese."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.campaign._asking import Chosen
from zairyo.campaign._base import Block, CampaignError, Candidates, Floats, Objective
from zairyo.campaign._belief import Belief
from zairyo.campaign._japanese import japanese
from zairyo.campaign._learning import Learned
from zairyo.campaign._objectives import wanted
from zairyo.campaign._pools import Pool
from zairyo.campaign._state import Experiment
from zairyo.campaign._views import inner
from zairyo.campaign._words import STYLE, number, percent, possible, said, shares, span, with_unit
from zairyo.learn._threads import one_thread

if TYPE_CHECKING:
    from zairyo.campaign.campaign import Campaign

#: Distances below this share of the settings' ranges are called the same settings.
SAME = 1e-6

_EN = {
    "title": "Experiment {number}",
    "expected": "{name}: {mean} expected, {lower} to {upper} with 90 % probability",
    "nothing": "{name}: nothing is known yet",
    "phases": "{name}: {each}",
    "best": "{chance} probability of {what}",
    "beat": "being better than the best so far ({best})",
    "first": "being the best so far",
    "front": "being on the Pareto front",
    "inside": "lying in the range",
    "near": "Nearest made: experiment {number} at a distance of {distance} ({settings}): {came}",
    "no near": "Nothing was made yet.",
    "same": "the same settings",
    "share": "{share} of the settings' ranges",
    "failed": "failed{reason}",
    "missing": "no outcome",
    "teaches": "It would remove {share} of what is not known of all candidates (mean variance).",
    "cost": "Cost: {cost}",
    "success": "{chance} probability that it succeeds at all",
    "chosen": "Chosen by {strategy}{why}",
    "control": "Drawn at random on purpose, to compare the strategy with.",
    "own": "Chosen by a person{why}",
}
_JA = {
    "title": "実験 {number}",
    "expected": "{name}：予測値 {mean}、90 % の確率で {lower}〜{upper}",
    "nothing": "{name}：まだ何も分かっていません",
    "phases": "{name}：{each}",
    "best": "{what}確率 {chance}",
    "beat": "これまでの最良値（{best}）を上回る",
    "first": "最良となる",
    "front": "パレートフロントに載る",
    "inside": "目標範囲に入る",
    "near": "最も近い既存の実験：{number}（距離 {distance}、{settings}）→ {came}",
    "no near": "まだ実験はありません。",
    "same": "同じ条件",
    "share": "設定範囲の {share}",
    "failed": "失敗{reason}",
    "missing": "結果なし",
    "teaches": "この実験で、全候補の不確かさ（平均分散）の {share} が減る見込みです。",
    "cost": "費用：{cost}",
    "success": "実験が成功する確率 {chance}",
    "chosen": "選んだ方法：{strategy}{why}",
    "control": "比較のため、意図して無作為に選びました。",
    "own": "人が選びました{why}",
}
LANGUAGES = {"en": _EN, "ja": _JA}


# Picks as they are recorded -----------------------------------------------------------------------------------------


def told_of_picks(known: Learned, chosen: Sequence[Chosen]) -> list[dict[str, Any]]:
    """What the log keeps of picks, without their numbers."""
    candidates, belief = known.problem.candidates, known.belief
    X = np.array([one.pick.x for one in chosen])
    places = np.array([one.pick.index for one in chosen], np.int64)
    settings = candidates.decode(Block(places, X))
    promised, phases = promises(belief, X), phases_of(belief, X)
    chances, success = belief.chance(X), belief.chance_of_success(X)
    costs = costs_of(candidates, places, settings)
    rows = []
    for k, one in enumerate(chosen):
        rows.append(
            {
                "settings": settings[k],
                "candidate": int(places[k]),
                "strategy": one.pick.method,
                "why": _reason(one, known.problem.objectives, promised[k], chances[k], success[k]),
                "control": one.control,
                "promised": promised[k],
                "phases": phases[k],
                "chance": None if math.isnan(chances[k]) else float(chances[k]),
                "cost": costs[k],
            }
        )
    return rows


def promises(belief: Belief, X: Floats) -> list[dict[str, dict[str, float]]]:
    """Outcome → mean, lower, upper, sd for each row; outcomes of which nothing is known are not there."""
    found: list[dict[str, dict[str, float]]] = [{} for _ in X]
    for k, objective in enumerate(belief.problem.objectives):
        outlook = belief.outlook(k, X)
        for row, mean, lower, upper, sd in zip(
            found, outlook.mean, outlook.lower, outlook.upper, outlook.sd, strict=True
        ):
            values = {"mean": float(mean), "lower": float(lower), "upper": float(upper), "sd": float(sd)}
            if all(math.isfinite(v) for v in values.values()):
                row[objective.name] = values
    return found


def phases_of(belief: Belief, X: Floats) -> list[dict[str, dict[str, float]]]:
    """Outcome → class → its probability for each row; only outcomes that are classes."""
    found: list[dict[str, dict[str, float]]] = [{} for _ in X]
    for k, objective in enumerate(belief.problem.objectives):
        each = belief.phases(k, X)
        for at, row in enumerate(found):
            if each:
                row[objective.name] = {name: float(p[at]) for name, p in each.items()}
    return found


def costs_of(
    candidates: Candidates, places: Any, settings: Sequence[Mapping[str, Any]]
) -> list[float | None]:
    """What each experiment costs; None where that is not known."""
    pool = inner(candidates)
    if not isinstance(pool, Pool) or not pool.has_cost:
        return [None] * len(settings)
    columns = (
        pool._at(np.asarray(places)) if (np.asarray(places) >= 0).all() else pool.coding.read(list(settings))
    )
    costs = pool.cost(columns)
    assert costs is not None
    return [float(c) for c in costs]


def _reason(
    one: Chosen,
    objectives: Sequence[Objective],
    promised: Mapping[str, Mapping[str, float]],
    chance: float,
    success: float,
) -> str:
    parts = [one.pick.why] if one.pick.why else []
    parts += [f"{o.name} {span(promised[o.name], o)} expected" for o in objectives if o.name in promised]
    if not math.isnan(chance) and not one.control:
        parts.append(f"{percent(chance)} probability of being the best")
    if success < 0.995:
        parts.append(f"{percent(success)} of success")
    return "; ".join(parts) or one.pick.method


# Explanations -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Explanation:
    """Of one experiment.

    Attributes
    ----------
    number
        The experiment's.
    settings
        Setting → value.
    lines
        Sentences, the most important first.
    language
        ``en`` or ``ja``.
    """

    number: int
    settings: Mapping[str, Any]
    lines: tuple[str, ...]
    language: str = "en"

    @property
    def title(self) -> str:
        return LANGUAGES[self.language]["title"].format(number=self.number)

    def text(self) -> str:
        """For the terminal."""
        return "\n".join([f"{self.title}: {said(self.settings)}", *(f"  {line}" for line in self.lines)])

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in self.lines)
        head = f"<b>{html.escape(self.title)}</b>: {html.escape(said(self.settings))}"
        return f'<div style="{STYLE}"><p>{head}</p><ul>{lines}</ul></div>'

    __repr__ = text


class Explanations(Sequence[Explanation]):
    """Of several experiments."""

    def __init__(self, each: Sequence[Explanation]) -> None:
        self._each = tuple(each)

    def __len__(self) -> int:
        return len(self._each)

    def __iter__(self) -> Iterator[Explanation]:
        return iter(self._each)

    def __getitem__(self, at: Any) -> Any:
        return self._each[at]

    def text(self) -> str:
        return "\n\n".join(one.text() for one in self._each)

    def _repr_html_(self) -> str:
        return "".join(one._repr_html_() for one in self._each)

    __repr__ = text


def explain(campaign: Campaign, experiments: Sequence[Experiment], language: str) -> Explanations:
    """Explanations of experiments under way, from what is known now."""
    if language not in LANGUAGES:
        raise CampaignError(f"there is no language {language!r}; there are {', '.join(LANGUAGES)}")
    if not experiments:
        return Explanations(())
    known = campaign.learned
    X = known.problem.candidates.encode([e.settings for e in experiments])
    belief = known.belief
    with one_thread():
        promised, chances, phases = promises(belief, X), belief.chance(X), phases_of(belief, X)
        teaches, success = belief.teaches(X), belief.chance_of_success(X)
    words = LANGUAGES[language]
    found = []
    for k, e in enumerate(experiments):
        lines = [
            words["expected"].format(name=o.name, **_numbers(promised[k][o.name], o))
            if o.name in promised[k]
            else words["phases"].format(name=o.name, each=shares(phases[k][o.name]))
            if o.name in phases[k]
            else words["nothing"].format(name=o.name)
            for o in campaign.objectives
        ]
        if not math.isnan(chances[k]):
            what = _what(known, words)
            lines.append(words["best"].format(chance=percent(float(chances[k])), what=what))
        if belief.success is not None:
            lines.append(words["success"].format(chance=percent(float(success[k]))))
        lines += _nearest(known, X[k], words)
        if not math.isnan(teaches[k]):
            lines.append(words["teaches"].format(share=percent(float(teaches[k]))))
        if e.cost is not None:
            lines.append(words["cost"].format(cost=f"{e.cost:g}"))
        lines.append(_chosen(e, words))
        found.append(Explanation(e.number, e.settings, tuple(lines), language))
    return Explanations(found)


def _what(known: Learned, words: Mapping[str, str]) -> str:
    problem, belief = known.problem, known.belief
    columns = wanted(problem.objectives)
    if len(columns) > 1:
        return words["front"]
    objective = problem.objectives[columns[0]]
    if objective.direction == "within":
        return words["inside"]
    losses = belief.losses[:, 0]
    if not np.isfinite(losses).any():
        return words["first"]
    best = problem.Y[int(np.nanargmin(losses)), columns[0]]
    return words["beat"].format(best=with_unit(float(best), objective))


def _nearest(known: Learned, x: Floats, words: Mapping[str, str], most: int = 2) -> list[str]:
    if not known.experiments:
        return [words["no near"]]
    apart = known.belief.distances(x)
    lines = []
    for row in np.argsort(apart, kind="stable")[:most]:
        e = known.experiments[int(row)]
        if e.standing == "failed":
            came = words["failed"].format(reason=f" ({e.reason})" if e.reason else "")
        else:
            each = [
                f"{o.name} {with_unit(e.outcomes[o.name], o)}"
                for o in known.problem.objectives
                if o.name in e.outcomes
            ]
            came = ", ".join(each) or words["missing"]
        same = apart[row] < SAME
        distance = words["same"] if same else words["share"].format(share=percent(float(apart[row])))
        number = f"{e.number}, {e.source}" if e.source else e.number
        lines.append(
            words["near"].format(number=number, distance=distance, settings=said(e.settings), came=came)
        )
    return lines


def _chosen(e: Experiment, words: Mapping[str, str]) -> str:
    if e.control:
        return words["control"]
    why = e.why.split("; ")[0] if e.asked else e.why
    if e.strategy == "own":
        return words["own"].format(why=f": {why}" if why else "")
    if why.endswith(" expected"):  # only the numbers, which are said above
        why = ""
    if why:
        why = f"。{japanese(why)}" if words is _JA else f": {why}"
    return words["chosen"].format(strategy=e.strategy, why=why)


def _numbers(promised: Mapping[str, float], objective: Objective) -> dict[str, str]:
    mean, lower, upper = (possible(promised[k], objective) for k in ("mean", "lower", "upper"))
    return {"mean": number(mean), "lower": number(lower), "upper": with_unit(upper, objective)}
