"""The aims of a campaign in words, and the strategies that serve each: one table, imported where one is used."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

from zairyo.campaign._base import CampaignError, Objective, Strategy
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

_SEEK = {
    name: f"_seek:SEEK/{name}"
    for name in ("auto", "expected improvement", "thompson", "ucb", "forest", "random")
}
_TEACH = {
    name: f"_teach:STRATEGIES/{name}"
    for name in ("auto", "random", "k-centre", "herding", "integrated variance", "committee", "descriptors")
}
#: Aim → name → where the strategy is: module of this package, attribute, and key where that is a table.
STRATEGIES: dict[str, dict[str, str]] = {
    "best value": _SEEK,
    "several": {"auto": "_pareto:STRATEGIES/auto", "random": "_seek:SEEK/random"},
    "within a range": _SEEK,
    "accurate model": _TEACH,
}
#: Why strategies that look for the best are refused where a model is wanted.
REFUSED = {
    "accurate model": "it goes back again and again to where the outcome seems best and leaves the rest unknown: on measured "
    "tables the model then errs more than with samples drawn at random",
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
    if aim == "best value" and all(objectives[k].direction == "model" for k in range(len(objectives))):
        raise CampaignError("the aim 'best value' needs an objective that is maximised or minimised")
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
