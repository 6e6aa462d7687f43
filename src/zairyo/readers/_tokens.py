"""What programs write behind a key: numbers, amounts and words; and names that no other part has."""

from __future__ import annotations

import math
from typing import Any

from zairyo.measurement import Quantity
from zairyo.measurement.text import clean_text, make_name


def number(token: Any) -> float | None:
    """A finite number, decimal comma allowed; None for anything else."""
    try:
        value = float(str(token).strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def amount(token: Any, unit: str | None) -> Quantity | None:
    """A condition from a token; None if it is no finite number."""
    value = number(token)
    return None if value is None else Quantity(value, unit)


def word(token: Any) -> Quantity | None:
    """A condition that is a text; None if it is empty."""
    text = clean_text(str(token or "")).strip()
    return Quantity(text) if text else None


def unique(text: str, taken: set[str], fallback: str = "data") -> str:
    """A NeXus name out of any text that no other entry (or signal) has; it is taken from now on."""
    base = make_name(text, fallback)[:50].rstrip("_")
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name
