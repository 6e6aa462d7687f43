"""Columns of a comma-separated log whose cells are not all numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import clean_text
from zairyo.readers._api import ReadError


def columns(
    lines: Sequence[str], count: int, first_line: int, warnings: list[str], words: int = -1
) -> list[list[str]]:
    """The cells of each column.

    Parameters
    ----------
    lines
        Rows of the table; empty ones are passed over.
    count
        Columns there are.
    first_line
        Number of the first row in the file, for errors.
    words
        A column of free text, which may hold commas of its own; -1 if there is none.

    Raises
    ------
    ReadError
        If a row is short of cells (the last one is left out with a warning), or has too many.
    """
    rows: list[list[str]] = []
    last = max((i for i, line in enumerate(lines) if line.strip()), default=-1)
    for i, line in enumerate(lines):
        cells = line.split(",")
        if len(cells) != count:
            if not line.strip():
                continue
            if len(cells) > count and words >= 0:
                more = len(cells) - count + 1
                cells = [*cells[:words], ",".join(cells[words : words + more]), *cells[words + more :]]
            elif i == last:
                warnings.append(f"Line {first_line + i}, the last one, is cut off; it was left out.")
                continue
            else:
                raise ReadError(f"line {first_line + i} has {len(cells)} cells, the line of names {count}")
        rows.append(cells)
    if not rows:
        raise ReadError("the file has a line of names but no row below it; nothing was logged")
    return [list(column) for column in zip(*rows, strict=True)]


def values(cells: list[str], name: str, warnings: list[str]) -> NDArray[Any]:
    """A column's numbers, NaN where a cell is none; its texts if none of them is a number."""
    try:
        return np.array(cells, dtype=float)
    except ValueError:
        pass
    numbers = np.array([_number(c) for c in cells])
    if np.isnan(numbers).all():
        return np.array([clean_text(c).strip() for c in cells])
    wrong = [
        c.strip()
        for c, n in zip(cells, numbers, strict=True)
        if math.isnan(n) and c.strip().casefold() not in ("", "nan")
    ]
    if wrong:
        warnings.append(
            f"{len(wrong)} cells of {name!r} are no numbers, the first {clean_text(wrong[0])[:40]!r}; they are empty."
        )
    return numbers


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
