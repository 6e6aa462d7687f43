"""The course of a campaign as a picture."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.campaign._base import CampaignError
from zairyo.campaign._objectives import wanted
from zairyo.campaign._status import curve
from zairyo.measurement._fonts import fonts

if TYPE_CHECKING:
    from zairyo.campaign.campaign import Campaign


def plot(campaign: Campaign, path: str | os.PathLike[str] | None) -> Any:
    """Outcomes in the order made, with what was predicted of them; of two objectives one against the other too."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise CampaignError("plots need matplotlib: pip install 'zairyo[notebook]'") from None
    with fonts():
        figure = _drawn(campaign, Figure)
        if path is not None:
            figure.savefig(path, dpi=150)
    return figure


def _drawn(campaign: Campaign, make: Any) -> Any:
    known = campaign.learned
    numbers = [k for k, o in enumerate(known.problem.objectives) if not o.classes]
    columns = wanted(known.problem.objectives)
    two = len(columns) == 2
    panels = max(1, len(numbers)) + two
    figure = make(figsize=(7.0, 2.6 * panels), layout="constrained")
    axes = np.atleast_1d(figure.subplots(panels, 1))
    for panel, k in zip(axes, numbers, strict=False):
        _course(campaign, panel, k, best=columns == [k])
    if two:
        _front(campaign, axes[-1], columns)
    return figure


def _course(campaign: Campaign, axes: Any, k: int, best: bool) -> None:
    known = campaign.learned
    objective = known.problem.objectives[k]
    rows = [i for i, e in enumerate(known.experiments) if not e.source]
    at = np.arange(1, len(rows) + 1)
    y = known.problem.Y[rows, k]
    control = np.array([known.experiments[i].control for i in rows], bool)
    promised = [known.experiments[i].promised.get(objective.name) for i in rows]
    told = [j for j, p in enumerate(promised) if p is not None]
    if told:
        low, mean, high = (np.array([promised[j][w] for j in told]) for w in ("lower", "mean", "upper"))  # type: ignore[index]
        axes.errorbar(
            at[told], mean, [mean - np.minimum(low, mean), np.maximum(high, mean) - mean],
            fmt="none", ecolor="0.75", elinewidth=3, label="predicted, 90 %", zorder=1,
        )  # fmt: skip
    axes.plot(at[~control], y[~control], "o", color="C0", ms=5, label="measured", zorder=3)
    if control.any():
        axes.plot(at[control], y[control], "o", mfc="white", color="C1", ms=5, label="at random", zorder=3)
    failed = known.problem.failed[rows]
    if failed.any():
        floor = np.nanmin(y) if np.isfinite(y).any() else 0.0
        axes.plot(at[failed], np.full(failed.sum(), floor), "x", color="C3", label="failed", zorder=3)
    if best:
        axes.step(at, curve(known), where="post", color="C2", label="best so far", zorder=2)
    for end in (objective.low, objective.high):
        if end is not None:
            axes.axhline(end, color="0.5", ls=":", lw=1)
    axes.set_xlabel("experiment, in the order told")
    axes.set_ylabel(f"{objective.name} ({objective.unit})" if objective.unit else objective.name)
    if len(rows):
        axes.legend(fontsize="small", loc="best")


def _front(campaign: Campaign, axes: Any, columns: list[int]) -> None:
    from zairyo.campaign._objectives import front

    known = campaign.learned
    Y = known.problem.Y[:, columns]
    on = front(known.belief.losses)
    axes.plot(Y[known.mine, 0], Y[known.mine, 1], "o", color="0.7", ms=4, label="made")
    order = np.argsort(Y[on, 0], kind="stable")
    axes.plot(Y[on, 0][order], Y[on, 1][order], "o-", color="C2", ms=5, lw=1, label="Pareto front")
    objectives = [known.problem.objectives[k] for k in columns]
    axes.set_xlabel(objectives[0].name)
    axes.set_ylabel(objectives[1].name)
    axes.legend(fontsize="small")
