"""What is wanted of outcomes, as people say it, and how good an outcome is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from zairyo.campaign._base import CampaignError, Ends, Floats, Mask, Objective


def maximise(name: str, *, unit: str = "", weight: float = 1.0, possible: Ends = (None, None)) -> Objective:
    """As high as possible; ``weight`` is its share when one point of a Pareto front is chosen.

    ``possible`` says between what the outcome can be at all, ``(0, None)`` for a strength and ``(0, 100)`` for a yield:
    ranges that are shown end there, and no more is promised of going on. What is learned and proposed stays the same.
    """
    return Objective(
        _named(name), "maximise", unit=unit, weight=_share(name, weight), possible=_ends(name, possible)
    )


def minimise(name: str, *, unit: str = "", weight: float = 1.0, possible: Ends = (None, None)) -> Objective:
    """As low as possible."""
    return Objective(
        _named(name), "minimise", unit=unit, weight=_share(name, weight), possible=_ends(name, possible)
    )


def target(
    name: str, value: float, *, unit: str = "", weight: float = 1.0, possible: Ends = (None, None)
) -> Objective:
    """As near to a value as possible."""
    return Objective(
        _named(name),
        "target",
        low=_number(name, "value", value),
        unit=unit,
        weight=_share(name, weight),
        possible=_ends(name, possible),
    )


def within(
    name: str,
    low: float | None = None,
    high: float | None = None,
    *,
    unit: str = "",
    weight: float = 1.0,
    constraint: bool = False,
    possible: Ends = (None, None),
) -> Objective:
    """Between two values; an end may be left open. ``constraint``: it has to hold, and nothing more is wanted of it."""
    ends = [None if v is None else _number(name, "end", v) for v in (low, high)]
    if ends == [None, None]:
        raise CampaignError(f"within({name!r}) needs low, high or both")
    if ends[0] is not None and ends[1] is not None and ends[0] >= ends[1]:
        raise CampaignError(f"within({name!r}): low ({low:g}) must be below high ({high:g})")
    return Objective(
        _named(name),
        "within",
        low=ends[0],
        high=ends[1],
        unit=unit,
        weight=_share(name, weight),
        constraint=constraint,
        possible=_ends(name, possible),
    )


def model(
    name: str, *, unit: str = "", classes: Sequence[str] = (), possible: Ends = (None, None)
) -> Objective:
    """Only to be known; with ``classes`` it is one of these words (a phase), not a number."""
    words = tuple(str(c) for c in classes)
    if len(set(words)) < len(words):
        raise CampaignError(f"model({name!r}): a class is named twice among {', '.join(words)}")
    return Objective(_named(name), "model", unit=unit, classes=words, possible=_ends(name, possible))


def _named(name: str) -> str:
    if not isinstance(name, str) or not name.strip():
        raise CampaignError(f"an objective needs the name of the outcome's column, not {name!r}")
    return name


def _number(name: str, what: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise CampaignError(f"objective {name!r}: its {what} must be a number, not {value!r}")
    return number


def _ends(name: str, possible: Any) -> Ends:
    try:
        low, high = (None if v is None else _number(name, "end of what is possible", v) for v in possible)
    except (TypeError, ValueError):
        raise CampaignError(
            f"objective {name!r}: possible is a pair such as (0, None) or (0, 100), not {possible!r}"
        ) from None
    if low is not None and high is not None and low >= high:
        raise CampaignError(
            f"objective {name!r}: of what is possible low ({low:g}) must be below high ({high:g})"
        )
    return low, high


def _share(name: str, weight: Any) -> float:
    number = _number(name, "weight", weight)
    if number <= 0:
        raise CampaignError(f"objective {name!r}: its weight must be above 0, not {number:g}")
    return number


def to_dict(objective: Objective) -> dict[str, Any]:
    """As the log keeps it."""
    plain = Objective(objective.name)
    told = {k: v for k, v in vars(objective).items() if v != getattr(plain, k)}
    return {"name": objective.name, "direction": objective.direction, **told}


def from_dict(told: Mapping[str, Any]) -> Objective:
    pairs = {"classes": tuple(told.get("classes", ())), "possible": tuple(told.get("possible", (None, None)))}
    return Objective(**{**told, **pairs})


def loss(objective: Objective, y: ArrayLike) -> Floats:
    """How bad outcomes are: lower is better, in the outcome's unit; 0 within a range; NaN stays."""
    y = np.asarray(y, dtype=float)
    if objective.direction == "maximise":
        return -y
    if objective.direction == "minimise":
        return y + 0.0
    if objective.direction == "target":
        return np.abs(y - (objective.low or 0.0))
    if objective.direction == "within":
        low = -np.inf if objective.low is None else objective.low
        high = np.inf if objective.high is None else objective.high
        return np.where(np.isnan(y), np.nan, np.maximum(np.maximum(low - y, y - high), 0.0))
    return np.where(np.isnan(y), np.nan, 0.0)


def wanted(objectives: Sequence[Objective]) -> list[int]:
    """Columns of the objectives of which more is wanted than to hold or to be known."""
    return [k for k, o in enumerate(objectives) if not o.constraint and o.direction != "model"]


def feasible(objectives: Sequence[Objective], Y: Floats) -> Mask:
    """Shape (n,): where all constraints hold; an unknown outcome of a constraint does not hold."""
    fine = np.ones(len(Y), bool)
    for k, objective in enumerate(objectives):
        if objective.constraint:
            fine &= loss(objective, Y[:, k]) == 0
    return fine


def front(losses: Floats) -> Mask:
    """Shape (n,): rows (n, k) that no other row beats in one objective and equals in the others; NaN never is."""
    known: Mask = np.asarray(np.isfinite(losses).all(axis=1))
    on: Mask = known.copy()
    for i in np.flatnonzero(known):
        better = (losses[known] <= losses[i]).all(axis=1) & (losses[known] < losses[i]).any(axis=1)
        on[i] = not better.any()
    return on


def words(objective: Objective, language: str = "en") -> str:
    """What is wanted, for people."""
    unit = f" {objective.unit}" if objective.unit else ""
    low, high = (None if v is None else f"{v:g}{unit}" for v in (objective.low, objective.high))
    if language == "ja":
        kinds = {
            "maximise": f"{objective.name}を最大に",
            "minimise": f"{objective.name}を最小に",
            "target": f"{objective.name}を{low}に近く",
            "within": f"{objective.name}を{low or ''}〜{high or ''}に",
            "model": f"{objective.name}を予測",
        }
        return kinds[objective.direction]
    between = f"between {low} and {high}" if low and high else f"at least {low}" if low else f"at most {high}"
    kinds = {
        "maximise": f"maximise {objective.name}",
        "minimise": f"minimise {objective.name}",
        "target": f"{objective.name} near {low}",
        "within": f"{objective.name} {between}",
        "model": f"know {objective.name}",
    }
    return kinds[objective.direction]
