"""Experiments as tables: picks, all that is known, and what is expected of settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from zairyo.campaign._base import CampaignError, Floats
from zairyo.campaign._learning import Learned
from zairyo.campaign._objectives import wanted
from zairyo.campaign._state import Experiment
from zairyo.campaign._words import possible
from zairyo.learn._threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

    from zairyo.campaign.campaign import Campaign

#: Rows up to which one thread is quicker than several.
FEW = 2_000


def picks_frame(campaign: Campaign, experiments: Sequence[Experiment]) -> pd.DataFrame:
    """Experiments under way as ``ask`` gives them."""
    import pandas as pd

    names = campaign.candidates.names
    objectives = campaign.learned.problem.objectives
    numbers = [o for o in objectives if not o.classes]
    columns: dict[str, list[Any]] = {name: [e.settings.get(name) for e in experiments] for name in names}
    columns["candidate"] = [e.candidate for e in experiments]
    for o in numbers:
        for what in ("mean", "lower", "upper"):
            title = what if len(numbers) == 1 else f"{what} {o.name}"
            columns[title] = [
                possible(e.promised.get(o.name, {}).get(what, math.nan), o) for e in experiments
            ]
    for o in objectives:
        for word in o.classes:
            columns[f"probability {word}"] = [
                e.phases.get(o.name, {}).get(word, math.nan) for e in experiments
            ]
    columns["probability_best"] = [math.nan if e.chance is None else e.chance for e in experiments]
    columns["cost"] = [math.nan if e.cost is None else e.cost for e in experiments]
    columns["strategy"] = [f"{e.strategy} (control)" if e.control else e.strategy for e in experiments]
    columns["reason"] = [e.why for e in experiments]
    index = pd.Index([e.number for e in experiments], name="experiment", dtype="int64")
    return pd.DataFrame(columns, index=index)


def experiments_frame(campaign: Campaign, experiments: Sequence[Experiment]) -> pd.DataFrame:
    """All that is known of experiments."""
    import pandas as pd

    columns: dict[str, list[Any]] = {
        name: [e.settings.get(name) for e in experiments] for name in campaign.candidates.names
    }
    columns["candidate"] = [e.candidate for e in experiments]
    for o in campaign.objectives:
        columns[o.name] = [e.outcomes.get(o.name, math.nan) for e in experiments]
        if any(o.name in e.noise for e in experiments):
            columns[f"{o.name} uncertainty"] = [math.sqrt(e.noise.get(o.name, math.nan)) for e in experiments]
    for name in campaign.descriptors:
        columns[name] = [e.descriptors.get(name, math.nan) for e in experiments]
    words = {"told": "made"}
    columns["state"] = [words.get(e.standing, e.standing) for e in experiments]
    columns["reason"] = [e.reason for e in experiments]
    columns["strategy"] = [f"{e.strategy} (control)" if e.control else e.strategy for e in experiments]
    columns["who"] = [e.who for e in experiments]
    if any(e.source for e in experiments):
        columns["source"] = [e.source for e in experiments]
    index = pd.Index([e.number for e in experiments], name="experiment", dtype="int64")
    return pd.DataFrame(columns, index=index)


def predict(campaign: Campaign, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Outcomes expected of settings."""
    import pandas as pd

    known = campaign.learned
    settings = [{name: row.get(name) for name in campaign.candidates.names} for row in rows]
    for at, row in enumerate(settings):
        if missing := [name for name, v in row.items() if v is None]:
            raise CampaignError(f"row {at}: the settings {', '.join(missing)} are missing")
    X = known.problem.candidates.encode(settings)
    with one_thread() if len(X) <= FEW else nullcontext():
        return _predicted(known, X, pd.DataFrame(settings))


def _predicted(known: Learned, X: Floats, frame: pd.DataFrame) -> pd.DataFrame:
    """The settings' frame with what is expected of them."""
    numbers = [k for k, o in enumerate(known.problem.objectives) if not o.classes]
    for k in numbers:
        outlook = known.belief.outlook(k, X)
        for what in ("mean", "lower", "upper"):
            o = known.problem.objectives[k]
            frame[what if len(numbers) == 1 else f"{what} {o.name}"] = possible(getattr(outlook, what), o)
    for k in range(len(known.problem.objectives)):
        for word, chance in known.belief.phases(k, X).items():
            frame[f"probability {word}"] = chance
    if wanted(known.problem.objectives):
        frame["probability_best"] = known.belief.chance(X)
    if known.belief.success is not None:
        frame["probability_success"] = known.belief.chance_of_success(X)
    return frame
