"""What the text formats of diffraction share: numbers in blocks, checked against what the header announces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Quantity
from zairyo.readers._api import ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._diffraction import Floats, number, numbers, quantity, text_or_none, when

_SEPARATORS = str.maketrans({",": " ", ";": " "})
_DATES = (
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y %H:%M",
    "%d-%b-%y %H:%M:%S",
    "%d-%b-%y %H:%M",
    "%d-%B-%Y %H:%M",
    "%d-%B-%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%Y.%m.%d %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y/%m/%d %H:%M",
)


def listed(text: str, what: str, warnings: list[str], announced: int | None = None) -> Floats:
    """Numbers between white space, commas or semicolons.

    Raises
    ------
    ReadError
        If there are none, or fewer than ``announced``.
    """
    values = numbers(text.translate(_SEPARATORS), what, warnings)
    if announced is not None and len(values) < announced:
        raise ReadError(
            f"{what}: {announced} values are announced and {len(values)} are there; the file is cut off. Copy it again."
        )
    if not len(values):
        raise ReadError(f"{what} holds no values; the file is cut off. Copy it again.")
    return values if announced is None else values[:announced]


def counted(values: Floats) -> NDArray[Any]:
    """Whole numbers as such."""
    whole = np.all(np.isfinite(values)) and np.all(values == np.rint(values)) and np.abs(values).max() < 2**53
    return values.astype(np.int64) if whole else values


def rows(values: Floats, width: int, what: str) -> Floats:
    """The numbers as rows of ``width``."""
    if len(values) % width:
        raise ReadError(
            f"{what}: {len(values)} numbers are no whole rows of {width}; the file is cut off or damaged"
        )
    return values.reshape(-1, width)


def moment(*texts: str, warnings: list[str] | None = None) -> datetime | None:
    """The moment that a vendor's date and time say; None if they say none, told in ``warnings``."""
    found = when(*texts)
    if found is not None:
        return found
    text = " ".join(t.strip() for t in texts if t.strip()).title()
    return in_forms(text, _DATES, warnings)


def mapped(
    lines: Mapping[str, str], names: Mapping[str, tuple[str, str | None]]
) -> dict[str, Quantity | None]:
    """Conditions by the file's keys: key → (name, unit), a text where the unit is None; of several, the first."""
    told: dict[str, Quantity | None] = {}
    for key, (name, unit) in names.items():
        stated = lines.get(key, "").strip()
        if stated and not told.get(name):
            told[name] = text_or_none(stated) if unit is None else quantity(_first_number(stated), unit)
            if unit == "":
                value = number(_first_number(stated))
                told[name] = None if value is None else Quantity(value, "")
    return told


def _first_number(text: str) -> str:
    found = re.match(r"\s*[-+]?[\d.,]+(?:[eE][-+]?\d+)?", text)
    return found[0].strip().rstrip(",") if found else text
