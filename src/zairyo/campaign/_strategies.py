"""The aims of a campaign in words, and the strategies that serve each: one table, imported where one is used."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from zairyo.campaign._asking import distinct, grown
from zairyo.campaign._base import CampaignError, Objective, Pick, Problem, Strategy
from zairyo.campaign._objectives import wanted

Aim: TypeAlias = Literal[
    "best value",
    "accurate model",
    "within a range",
    "map of phases",
    "something new",
    "references",
    "composition spread",
]
AIMS: tuple[str, ...] = get_args(Aim)


def _in(module: str, *names: str) -> dict[str, str]:
    return {name: f"{module}/{name}" for name in ("auto", *names)}


_SEEK = _in("_seek_auto:SEEK", "expected improvement", "thompson", "ucb", "forest", "random")
#: Aim → name → where the strategy is: module of this package, its table, and the key there.
STRATEGIES: dict[str, dict[str, str]] = {
    "best value": _SEEK,
    "within a range": _SEEK,
    "several": _in("_pareto:STRATEGIES", "pareto", "chebyshev", "random"),
    "accurate model": _in(
        "_teach:STRATEGIES",
        "random", "k-centre", "herding", "integrated variance", "committee", "descriptors",
    ),
    "map of phases": _in("_phases:STRATEGIES", "entropy", "margin", "least confident", "k-centre", "random"),
    "something new": _in("_explore:STRATEGIES", "novelty", "random"),
    "references": _in("_references:STRATEGIES", "reconstruction", "end points", "random"),
    "composition spread": _in("_spread:STRATEGIES", "uncertainty", "random"),
}  # fmt: skip
#: Why strategies that look for the best are refused where a model is wanted.
REFUSED = {
    "accurate model": "it goes back again and again to where the outcome seems best and leaves the rest unknown: "
    "on measured tables the model then errs more than with samples drawn at random",
    "map of phases": "there is no better or worse among phases",
}
_SEEKING = (
    "expected improvement",
    "ucb",
    "thompson",
    "forest",
    "pareto",
    "uncertainty",
    "largest uncertainty",
)


def aim_of(objectives: Sequence[Objective]) -> str:
    """The aim that follows from the objectives."""
    sought = [objectives[k] for k in wanted(objectives)]
    if not sought:
        return "map of phases" if any(o.classes for o in objectives) else "accurate model"
    if all(o.direction in ("within", "target") for o in sought):
        return "within a range"
    return "best value"


def table_of(aim: str, objectives: Sequence[Objective]) -> dict[str, str]:
    """Names of the strategies for an aim, each with where it is."""
    if aim in ("best value", "within a range") and len(wanted(objectives)) > 1:
        return STRATEGIES["several"]
    return STRATEGIES[aim]


def check(aim: str, name: str, objectives: Sequence[Objective]) -> None:
    """Raises CampaignError where an aim or a strategy is not known, or one does not serve the other."""
    if aim not in AIMS or aim not in STRATEGIES:
        raise CampaignError(
            f"there is no aim {aim!r}; there are {', '.join(a for a in AIMS if a in STRATEGIES)}"
        )
    sought = wanted(objectives)
    if aim in ("best value", "within a range") and not sought:
        raise CampaignError(
            f"the aim {aim!r} needs an objective that is maximised, minimised, near a target or within a range"
        )
    if aim == "map of phases" and sought:
        raise CampaignError(
            f"the aim {aim!r} needs outcomes that are phases, as model({objectives[sought[0]].name!r}), and nothing "
            "that is maximised, minimised, near a target or within a range"
        )
    known = table_of(aim, objectives)
    if name in known:
        return
    if aim in REFUSED and name in _SEEKING:
        raise CampaignError(
            f"{name!r} does not serve the aim {aim!r}: {REFUSED[aim]}. There are {', '.join(known)}"
        )
    raise CampaignError(f"there is no strategy {name!r} for the aim {aim!r}; there are {', '.join(known)}")


def strategy_for(aim: str, name: str, objectives: Sequence[Objective]) -> Strategy:
    """The strategy of a name for an aim."""
    check(aim, name, objectives)
    module, _, rest = table_of(aim, objectives)[name].partition(":")
    attribute, _, key = rest.partition("/")
    found: Any = getattr(importlib.import_module(f"zairyo.campaign.{module}"), attribute)
    strategy: Strategy = found[key] if key else found()
    return strategy


@dataclass(frozen=True)
class Started:
    """A start design, and after its last experiment a strategy.

    Attributes
    ----------
    design
        What is made first.
    left
        How many experiments of it are still to come.
    then
        What chooses after them.
    """

    design: Strategy
    left: int
    then: Strategy

    @property
    def name(self) -> str:
        return self.design.name

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        """The design's next, all that are left being planned together; then the strategy's."""
        first = distinct(problem, self.design.pick(problem, self.left))[:count]
        if len(first) == count:
            return first
        return first + self.then.pick(grown(problem, first), count - len(first))
