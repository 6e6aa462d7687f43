"""What the columns of a feature matrix are, so that distances between samples mean something.

A column of a category is not a number, and the amounts of a mixture are not independent: a kernel must know.
A :class:`Space` says which columns belong to which :class:`Variable`, and over what range each runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Kind: TypeAlias = Literal["number", "integer", "category", "descriptors", "mixture"]
KINDS = get_args(Kind)


class LearnError(ValueError):
    """What was given cannot be learned from; the message says why and what to do."""


@dataclass(frozen=True)
class Variable:
    """One thing that is set or measured, and the columns that hold it.

    Attributes
    ----------
    name
        For people.
    kind
        ``number``; ``integer``; ``category`` (its columns are the one-hot levels); ``descriptors`` (its columns
        describe the level of a category together); ``mixture`` (its columns are amounts that sum to a constant).
    columns
        Of the feature matrix.
    """

    name: str
    kind: Kind
    columns: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Space:
    """Variables with the range of each column.

    Attributes
    ----------
    variables
        In the order of their first columns; every column belongs to just one.
    names
        Of the columns, p.
    lower, upper
        Shape (p,): the range that a length scale of 1 spans.
    """

    variables: tuple[Variable, ...]
    names: tuple[str, ...]
    lower: Floats
    upper: Floats

    @property
    def width(self) -> int:
        """How many columns there are, p."""
        return len(self.names)

    @classmethod
    def of(
        cls,
        X: Floats,
        *,
        names: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        mixture: Sequence[int] | Sequence[Sequence[int]] | None = None,
    ) -> Space:
        """The space of a feature matrix.

        Parameters
        ----------
        X
            Shape (n, p): rows that span the space; better all candidates than only those already made.
        names
            Of the columns; ``x0``, ``x1`` … where none are given.
        kinds
            Of the columns: ``number`` or ``integer``, or ``category:NAME`` for a one-hot level of the variable
            NAME and ``descriptors:NAME`` for a number that describes it.
        mixture
            The columns (by index) of a mixture, or a list of such lists where there are several.

        Raises
        ------
        LearnError
            Where the description does not fit the matrix.
        """
        X = np.asarray(X, dtype=float)
        if X.ndim != 2 or X.shape[1] == 0:
            raise LearnError(
                f"features must be a matrix of rows and at least one column, not of shape {X.shape}"
            )
        width = X.shape[1]
        titles = tuple(f"x{j}" for j in range(width)) if names is None else tuple(map(str, names))
        labels = ("number",) * width if kinds is None else tuple(kinds)
        for what, given in (("names", titles), ("kinds", labels)):
            if len(given) != width:
                raise LearnError(f"{len(given)} {what} are given for {width} columns; give one for each")
        finite = np.where(np.isfinite(X), X, np.nan)
        empty = ~np.isfinite(finite).any(axis=0)
        finite = np.where(empty, 0.0, finite) if len(X) else np.zeros((1, width))
        return cls(
            _variables(titles, labels, _mixtures(mixture, width)),
            titles,
            np.nanmin(finite, axis=0),
            np.nanmax(finite, axis=0),
        )


def _mixtures(given: Sequence[int] | Sequence[Sequence[int]] | None, width: int) -> list[tuple[int, ...]]:
    if given is None or len(given) == 0:
        return []
    plain: Any = [given] if isinstance(given[0], (int, np.integer)) else given
    found = [tuple(int(j) for j in one) for one in plain]
    flat = [j for one in found for j in one]
    if len(set(flat)) != len(flat) or any(not 0 <= j < width for j in flat):
        raise LearnError(f"the columns of mixtures must be distinct and from 0 to {width - 1}, not {flat}")
    return found


def _variables(
    names: tuple[str, ...], labels: tuple[str, ...], mixtures: list[tuple[int, ...]]
) -> tuple[Variable, ...]:
    found = [
        Variable("mixture" if len(mixtures) == 1 else f"mixture {i}", "mixture", one)
        for i, one in enumerate(mixtures, 1)
    ]
    taken = {j for one in mixtures for j in one}
    together: dict[str, list[int]] = {}
    for j, label in enumerate(labels):
        kind, _, owner = label.partition(":")
        if kind not in KINDS or (kind == "mixture" and j not in taken) or (kind == "category" and not owner):
            raise LearnError(
                f"column {names[j]!r} is said to be {label!r}; known are number, integer, category:NAME and "
                "descriptors:NAME, and the columns of a mixture are given by mixture=[…]"
            )
        if j in taken:
            continue
        if owner:
            together.setdefault(label, []).append(j)
        else:
            found.append(Variable(names[j], "integer" if kind == "integer" else "number", (j,)))
    for label, columns in together.items():
        kind, _, owner = label.partition(":")
        found.append(Variable(owner, "category" if kind == "category" else "descriptors", tuple(columns)))
    return tuple(sorted(found, key=lambda one: one.columns))
