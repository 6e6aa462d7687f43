"""What a declared parameter must be; every error says what, where, and what to do."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from zairyo.campaign._base import CampaignError, Candidates, Floats
from zairyo.campaign._columns import listed
from zairyo.campaign._log import CampaignWarning

_MOST_LEVELS = 1_000_000


def known(word: str, names: Sequence[str], where: str) -> None:
    from difflib import get_close_matches

    if word not in names:
        near = get_close_matches(str(word), list(names), n=2, cutoff=0.6)
        hint = (
            f"did you mean {' or '.join(near)}?"
            if near
            else f"there are {listed(list(dict.fromkeys(names)))}"
        )
        raise CampaignError(f"{where}: there is no parameter {word!r}; {hint}")


def named(parameter: Any) -> None:
    if not isinstance(parameter.name, str) or not parameter.name.strip():
        raise CampaignError(f"a parameter needs a name, not {parameter.name!r}")


def finite(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise CampaignError(f"{where} must be a number, not {value!r}") from None
    if not math.isfinite(number) or isinstance(value, (str, bytes)):
        raise CampaignError(f"{where} must be a finite number, not {value!r}")
    return number


def plain_number(value: Any, where: str) -> float:
    """The number, still an int if it was one, so that settings show it as it was given."""
    number = finite(value, where)
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, int) and not isinstance(value, bool) else number


def plain_value(value: Any, name: str) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, (str, int, float, bool)) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        raise CampaignError(
            f"parameter {name!r}: {value!r} is no name; values are text, numbers, true or false"
        )
    return value


def several(parameter: Any, what: str) -> tuple[Any, ...]:
    given = getattr(parameter, what)
    if isinstance(given, (str, bytes)) or not hasattr(given, "__iter__"):
        raise CampaignError(f"parameter {parameter.name!r}: {what} must be a list, not {given!r}")
    values = tuple(given)
    if not 0 < len(values) <= _MOST_LEVELS:
        raise CampaignError(
            f"parameter {parameter.name!r}: {what} must be 1 to {_MOST_LEVELS:,}, not {len(values):,}"
        )
    return values


def once(parameter: Any, values: Sequence[Any]) -> None:
    if len(set(values)) < len(values):
        seen: set[Any] = set()
        twice = [v for v in values if v in seen or seen.add(v)]  # type: ignore[func-returns-value]
        raise CampaignError(f"parameter {parameter.name!r} names {listed(twice)} twice; name each once")


def warn_far_outside(candidates: Candidates, X: Floats, stacklevel: int) -> None:
    """Tell of numbers that are farther outside their range than it is wide: of slips, and of other units.

    ``X`` holds the features of settings, shape (n, p). They are kept: people may know better.
    """
    space = candidates.space
    for one in space.variables:
        if one.kind not in ("number", "integer"):
            continue
        (at,) = one.columns
        low, high = float(space.lower[at]), float(space.upper[at])
        values = X[:, at]
        far = values[(values < low - (high - low)) | (values > high + (high - low))]
        if high > low and len(far):
            more = f" (and {len(far) - 1} more)" if len(far) > 1 else ""
            warnings.warn(
                f"{one.name} = {far[0]:g}{more} is far outside what this campaign looks at ({low:g} to {high:g}): a "
                "slip, or another unit? It is kept as it was told; edit or correct the experiment if it is wrong",
                CampaignWarning,
                stacklevel=stacklevel + 1,
            )
