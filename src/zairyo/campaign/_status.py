"""How far a campaign is, for people."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zairyo.campaign._base import Floats
from zairyo.campaign._learning import Learned, calibration
from zairyo.campaign._objectives import front, wanted
from zairyo.campaign._objectives import words as named
from zairyo.campaign._said import aim_in, share_in, words_of
from zairyo.campaign._state import Experiment
from zairyo.campaign._stop import Stop, best, scores, stop
from zairyo.campaign._words import STYLE, said, with_unit

if TYPE_CHECKING:
    import pandas as pd

    from zairyo.campaign.campaign import Campaign


@dataclass(frozen=True, eq=False)
class Status:
    """How far a campaign is.

    Attributes
    ----------
    told, failed, pending, rejected
        Numbers of experiments.
    best
        The best so far; None before there is one.
    front
        The experiments of the Pareto front, where there are several objectives, the best balance first.
    curve
        The best value after each experiment told (one objective), or the best balance; NaN before the first.
    stop
        What ten more are expected to bring.
    lines
        Sentences for people.
    """

    told: int
    failed: int
    pending: int
    rejected: int
    best: Experiment | None
    front: pd.DataFrame
    curve: Floats
    stop: Stop
    lines: tuple[str, ...]

    def text(self) -> str:
        parts = ["\n".join(self.lines)]
        if len(self.front):
            parts.append("Pareto front:\n" + self.front.to_string())
        return "\n".join(parts)

    __repr__ = text

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in self.lines)
        table = self.front.to_html() if len(self.front) else ""
        return f'<div style="{STYLE}"><ul>{lines}</ul>{_spark(self.curve)}{table}</div>'


def status(campaign: Campaign, language: str = "en") -> Status:
    from zairyo.campaign._frames import experiments_frame

    words = words_of(language)
    known, state = campaign.learned, campaign.state
    told, failed, pending, rejected = (
        [e for e in state.where(s) if not e.source] for s in ("told", "failed", "pending", "rejected")
    )
    found, top = scores(known), best(campaign)
    sought = words["between"].join(named(o, language) for o in campaign.objectives)
    lines = [words["wanted" if sought else "aim"].format(sought=sought, aim=aim_in(language, campaign.aim))]
    count = words["count one" if len(told) == 1 else "count"]
    lines.append(
        count.format(told=len(told), failed=len(failed), pending=len(pending), rejected=len(rejected))
    )
    strange = [e.number for e in (*told, *failed) if e.candidate < 0] if campaign.candidates.size else []
    if strange:
        one = words["strange one" if len(strange) == 1 else "strange"]
        lines.append(one.format(number=strange[0], count=len(strange)))
    if earlier := [e for e in state.experiments.values() if e.source]:
        names = ", ".join(sorted({e.source for e in earlier}))
        lines.append(words["earlier"].format(count=len(earlier), names=names))
    many = len(wanted(campaign.objectives)) > 1
    if top is not None:
        came = ", ".join(
            f"{o.name} {with_unit(top.outcomes[o.name], o)}"
            for o in campaign.objectives
            if o.name in top.outcomes
        )
        best_of = words["balance" if many else "best"]
        lines.append(best_of.format(number=top.number, came=came, settings=said(top.settings)))
    frame = experiments_frame(campaign, [])
    if many:
        problem = known.problem
        losses = known.belief.losses
        on = [int(i) for i in np.flatnonzero(front(losses))]
        on.sort(key=lambda i: (found[i], i))
        shown = [
            *campaign.candidates.names,
            *(problem.objectives[k].name for k in wanted(problem.objectives)),
        ]
        frame = experiments_frame(campaign, [known.experiments[i] for i in on])[shown]
    _, predicted, held = calibration(state)
    if predicted >= 5:
        share = share_in(words, held / predicted)
        lines.append(words["held"].format(count=predicted, held=held, share=share))
    told_stop = stop(campaign, 10, language)
    lines.append(told_stop.sentence)
    return Status(
        len(told), len(failed), len(pending), len(rejected), top, frame, curve(known), told_stop, tuple(lines)
    )


def curve(known: Learned) -> Floats:
    """The best so far after each experiment of this campaign, in the outcome's unit where there is one objective."""
    found = scores(known)
    columns = wanted(known.problem.objectives)
    rows = [i for i, e in enumerate(known.experiments) if not e.source]
    values = np.full(len(rows), np.nan)
    top: int | None = None
    for at, i in enumerate(rows):
        if np.isfinite(found[i]) and (top is None or found[i] < found[top]):
            top = i
        if top is not None:
            values[at] = known.problem.Y[top, columns[0]] if len(columns) == 1 else found[top]
    return values


def _spark(values: Floats) -> str:
    """The curve as a small picture."""
    y = values[np.isfinite(values)]
    if len(y) < 2 or np.ptp(y) == 0:
        return ""
    x = np.linspace(4, 296, len(y))
    h = 56 - 52 * (y - y.min()) / np.ptp(y)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, h, strict=True))
    return (
        '<svg width="300" height="60" role="img" aria-label="best so far">'
        f'<polyline points="{points}" fill="none" stroke="#3f51b5" stroke-width="2"/></svg>'
    )
