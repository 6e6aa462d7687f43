"""Cells of the tables that people tell: numbers as laboratories write them, words in their place, and nothing."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, time
from typing import Any

import numpy as np

from zairyo.campaign._base import CampaignError

_WITH_UNIT = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*((?:[^\W\d_]|[%°‰]).*?)\s*")


@dataclass(frozen=True)
class Measured:
    """What a cell of an outcome says: a value, its uncertainty where it is written beside it, or a failure."""

    value: float | None = None
    uncertainty: float | None = None
    failure: str = ""


def present(value: Any) -> Any:
    """A cell as Python's own value, a date as tables write it; None where it is empty, NaN or not a value."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value.isoformat() if isinstance(value, (date, time)) else value


def is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def number(value: Any, where: str) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        return float(getattr(value, "value", value))
    except (TypeError, ValueError):
        raise CampaignError(
            f"{where}: {value!r} is not a number; correct it, leave it empty, or write 'failed: why'"
        ) from None


def whole(value: Any, where: str) -> int:
    found = number(value, where)
    if found != int(found):
        raise CampaignError(f"{where} must be a whole number, not {value!r}")
    return int(found)


def measured(value: Any, where: str, unit: str = "") -> Measured:
    """What a cell of an outcome in ``unit`` says, read as :mod:`zairyo.tables` reads cells.

    Raises
    ------
    CampaignError
        It is neither a number nor a word that is known; or its unit is another.
    """
    if not isinstance(value, str):
        return Measured(number(value, where))
    from zairyo.tables._cells import meaning

    said = meaning(value)
    if said in ("", "error"):
        return Measured()
    if isinstance(said, float):
        return Measured(said)
    if isinstance(said, tuple):
        first, second = said
        if isinstance(first, float):
            return Measured(first, float(second))
        return Measured(failure=str(second) or first) if first in ("failed", "lost") else Measured()
    if (match := with_unit(value)) is None:
        point = value.strip().replace(",", ".")
        comma = f" (with a decimal point {point} is one)" if is_number(point) else ""
        raise CampaignError(
            f"{where}: {value!r} is not a number{comma}; correct it, leave it empty, or write 'failed: why'"
        )
    found, given = match
    if _plain(given) == _plain(unit):
        return Measured(found)
    raise CampaignError(
        f"{where}: {value!r} is in {given!r}, and the outcome "
        + (f"in {unit!r}; convert it, or" if unit else "has no unit; give it one (unit=…), or")
        + " write the number alone"
    )


def with_unit(text: str) -> tuple[float, str] | None:
    """A number and what is written after it; None where a text is anything else."""
    match = _WITH_UNIT.fullmatch(unicodedata.normalize("NFKC", text))
    return None if match is None else (float(match[1]), match[2])


def _plain(unit: str) -> str:
    return "".join(unicodedata.normalize("NFKC", unit).split())
