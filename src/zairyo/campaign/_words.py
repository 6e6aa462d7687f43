"""Numbers, units, probabilities and settings as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zairyo.campaign._base import Objective

#: Of what a notebook shows.
STYLE = "font-family:system-ui,sans-serif;max-width:48rem;line-height:1.45"


def number(value: Any, digits: int = 4) -> str:
    """A value as people write it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return (
        f"{value:.{digits}g}"
        if abs(value) < 1e5 or (isinstance(value, float) and abs(value) >= 1e15)
        else f"{value:,.0f}"
    )


def with_unit(value: Any, objective: Objective) -> str:
    return f"{number(value)} {objective.unit}".rstrip() if not isinstance(value, str) else value


def possible(value: Any, objective: Objective) -> Any:
    """What is expected, one number or many, as far as the outcome can be so at all; NaN stays."""
    low, high = objective.possible
    return np.clip(value, -np.inf if low is None else low, np.inf if high is None else high)


def span(promised: Mapping[str, float], objective: Objective) -> str:
    """``5.2 (3.9 to 6.6 kJ)``."""
    mean, low, high = (number(possible(promised[k], objective), 3) for k in ("mean", "lower", "upper"))
    return f"{mean} ({low} to {high}{' ' + objective.unit if objective.unit else ''})"


def percent(share: float) -> str:
    """A probability as people read it: never 0 or 100 % of what is not certain."""
    if share < 0.001:
        return "< 0.1 %"
    if share > 0.999:
        return "> 99.9 %"
    return f"{share:.0%}".replace("%", " %") if 0.1 <= share < 0.99 else f"{share:.1%}".replace("%", " %")


def shares(chances: Mapping[str, float]) -> str:
    """Classes with their probabilities, the likeliest first."""
    order = sorted(chances, key=lambda name: -chances[name])
    return ", ".join(f"{name} {percent(chances[name])}" for name in order)


def said(settings: Mapping[str, Any]) -> str:
    """Settings in one line."""
    return ", ".join(f"{name} {number(value)}" for name, value in settings.items())
