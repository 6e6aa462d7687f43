"""What every module of this room speaks of: the error, and array types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.int32]
Mask: TypeAlias = NDArray[np.bool_]
Objects: TypeAlias = NDArray[np.object_]

_MOST_PROBLEMS = 8


class TableError(ValueError):
    """A table cannot be made or used as asked; the message says where, what is wrong, and what to do.

    Attributes
    ----------
    problems
        Every problem found, one sentence each; the message shows the first of them.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        more = len(problems) - _MOST_PROBLEMS
        shown = "\n".join(problems[:_MOST_PROBLEMS])
        super().__init__(f"{shown}\n… and {more} more" if more > 0 else shown)


def listed(names: Sequence[Any], most: int = 12) -> str:
    """Names for a message, not too many: ``a, b, c and 40 more``."""
    text = ", ".join(str(n) for n in names[:most])
    return f"{text} and {len(names) - most} more" if len(names) > most else text or "none"


def needs(module: str, extra: str, why: str) -> TableError:
    """The error for a library of an extra that is not installed."""
    return TableError(f"{why} needs {module}, which is not installed: pip install 'zairyo[{extra}]'")
