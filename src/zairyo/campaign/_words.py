"""Numbers, units, probabilities and settings as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zairyo.campaign._base import Objective

#: Of what a notebook shows.
STYLE = "font-family:system-ui,sans-serif;max-width:48rem;line-height:1.45"


def number(value: Any, digits: int = 4) -> str:
    """A value as people write it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    size = abs(value)
    if size < 1e5 or (isinstance(value, float) and not size < 1e15):
        return f"{value:.{digits}g}"
    text = f"{value:,.{max(0, digits - 1 - math.floor(math.log10(size)))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_unit(value: Any, objective: Objective) -> str:
    return f"{number(value)} {objective.unit}".rstrip() if not isinstance(value, str) else value


def possible(value: Any, objective: Objective) -> Any:
    """What is expected, one number or many, as far as the outcome can be so at all; NaN stays."""
    low, high = objective.possible
    return np.clip(value, -np.inf if low is None else low, np.inf if high is None else high)


def span(promised: Mapping[str, float], objective: Objective) -> str:
    """``5.2 (3.9 to 6.6 kJ)``."""
    values = [float(possible(promised[k], objective)) for k in ("mean", "lower", "upper")]
    mean, low, high = (number(value, digits_of(values)) for value in values)
    return f"{mean} ({low} to {high}{' ' + objective.unit if objective.unit else ''})"


def digits_of(values: Sequence[float], least: int = 3) -> int:
    """How many digits tell numbers of one kind apart, to two digits of what lies between the ends."""
    told = [v for v in values if math.isfinite(v)]
    between = max(told, default=0.0) - min(told, default=0.0)
    if not between > 0:
        return least
    return min(15, max(least, math.floor(math.log10(max(map(abs, told)) / between)) + 2))


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
    return ", ".join(
        f"{name} {number(value, 4 if isinstance(value, float) and abs(value) < 1000 else 9)}"
        for name, value in settings.items()
    )
