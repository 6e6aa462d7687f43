"""Choose the next experiments: ask, tell, record, explain.

    from zairyo.campaign import Campaign, maximise

    campaign = Campaign(pool=candidates, objectives=[maximise("toughness")], seed=0, file="barrels.jsonl")
    campaign.tell(made)
    picks = campaign.ask(4)
    campaign.explain(picks)

Needs the extra ``learn``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zairyo.campaign._base import CampaignError, Candidates, Objective, Pick, Problem, Strategy
    from zairyo.campaign._log import CampaignWarning, FileLog, Log, MemoryLog
    from zairyo.campaign._objectives import maximise, minimise, model, target, within
    from zairyo.campaign._worth import Gain, Worth, worth
    from zairyo.campaign.campaign import Campaign
    from zairyo.campaign.parameters import (
        Categorical,
        Composition,
        Continuous,
        Integer,
        Levels,
        Linear,
        Mixture,
        Rule,
        SearchSpace,
    )

#: Name → module of this package.
_WHERE = {
    **dict.fromkeys(("CampaignError", "Candidates", "Objective", "Pick", "Problem", "Strategy"), "_base"),
    **dict.fromkeys(("CampaignWarning", "FileLog", "Log", "MemoryLog"), "_log"),
    **dict.fromkeys(("maximise", "minimise", "model", "target", "within"), "_objectives"),
    **dict.fromkeys(("Gain", "Worth", "worth"), "_worth"),
    "Campaign": "campaign",
    **dict.fromkeys(
        (
            "Categorical", "Composition", "Continuous", "Integer", "Levels", "Linear", "Mixture", "Rule", "SearchSpace",
        ),
        "parameters",
    ),
}  # fmt: skip

__all__ = [
    "Campaign",
    "CampaignError",
    "CampaignWarning",
    "Candidates",
    "Categorical",
    "Composition",
    "Continuous",
    "FileLog",
    "Gain",
    "Integer",
    "Levels",
    "Linear",
    "Log",
    "MemoryLog",
    "Mixture",
    "Objective",
    "Pick",
    "Problem",
    "Rule",
    "SearchSpace",
    "Strategy",
    "Worth",
    "maximise",
    "minimise",
    "model",
    "target",
    "within",
    "worth",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(f"zairyo.campaign.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
