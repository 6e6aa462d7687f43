"""Columns of settings: numbers, or kinds as places in a list of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zairyo.campaign._base import Floats


def listed(names: Sequence[Any], most: int = 12) -> str:
    """Names for a message, not too many."""
    text = ", ".join(str(n) for n in names[:most])
    return f"{text} and {len(names) - most} more" if len(names) > most else text or "none"


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of kinds: places, shape (m,), in the values that they can have."""

    codes: NDArray[np.integer[Any]]
    values: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Any) -> Coded:
        """Some of its rows."""
        return Coded(self.codes[rows], self.values)


#: A column of settings: numbers, or kinds.
Column: TypeAlias = Floats | Coded
Columns: TypeAlias = Mapping[str, Column]


def rows_of(columns: Columns) -> int:
    """How many rows columns have."""
    return len(next(iter(columns.values()))) if columns else 0


def take(columns: Columns, rows: Any) -> dict[str, Column]:
    """Some rows of columns."""
    return {k: c.take(rows) if isinstance(c, Coded) else c[rows] for k, c in columns.items()}
