"""Settings as numbers: read from what people write, and written with as few digits as they have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from zairyo.campaign._base import CampaignError, Floats
from zairyo.campaign._cells import with_unit
from zairyo.campaign._columns import Coded, Column


def as_number(value: Any, row: int, name: str) -> float:
    """A setting as a finite number.

    Raises
    ------
    CampaignError
        It is none; names row and parameter.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        what = "has no value" if nothing(value) else f"{value!r} is no number that can be set"
        if isinstance(value, str) and with_unit(value):
            what += "; leave out its unit"
        raise CampaignError(f"row {row}, parameter {name!r}: {what}")
    return number


def significant(values: Floats, digits: int = 13) -> Floats:
    """Rounded to significant digits."""
    size = np.floor(np.log10(np.maximum(np.abs(values), 1e-300)))
    scale = 10.0 ** (digits - 1 - size)
    return np.round(values * scale) / scale


def powers(logarithms: Floats) -> Floats:
    """The numbers with some logarithms, exactly where there is one, and with few digits where one has."""
    raw = 10.0**logarithms
    result = raw
    for step in (-2, 2, -1, 1, 0):
        near = raw * (1 + step * 2.0**-52)
        result = np.where(np.log10(near) == logarithms, near, result)
    short = significant(raw)
    return np.where(np.log10(short) == logarithms, short, result)


def nothing(value: Any) -> bool:
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or str(value) in ("", "nan", "<NA>", "NaT")
    )


def hashable(value: Any) -> bool:
    return getattr(type(value), "__hash__", None) is not None and not nothing(value)


def floats(column: Column) -> Floats:
    assert not isinstance(column, Coded)
    return column
