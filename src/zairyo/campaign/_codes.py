"""How each kind of parameter becomes features, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from zairyo.campaign._base import CampaignError, Floats, Integers, Mask, Settings
from zairyo.campaign._columns import Coded, Column, Columns, listed
from zairyo.campaign._setting_values import as_number, floats, hashable, nothing, powers, significant
from zairyo.campaign.parameters import (
    Continuous,
    Integer,
    Levels,
)

#: By which share of its range a number may be off and still be the same.
SAME = 1e-9


class Code(Protocol):
    """How one parameter becomes features, and back."""

    settings: tuple[str, ...]
    names: tuple[str, ...]
    """Of its features."""
    variables: tuple[tuple[str, str, int], ...]
    """Name, kind and number of features of what belongs together, in order."""
    lower: Floats
    upper: Floats
    count: int | None
    """How many values there are; None where any number is possible."""
    dimensions: int
    """How many random numbers make one value."""

    def read(self, rows: Sequence[Settings]) -> dict[str, Column]:
        """Columns of settings."""
        ...

    def features(self, columns: Columns) -> Floats:
        """Shape (m, features)."""
        ...

    def columns(self, X: Floats) -> dict[str, Column]:
        """The inverse of ``features``."""
        ...

    def show(self, columns: Columns) -> list[list[Any]]:
        """Values for people, a list for each of ``settings``."""
        ...

    def draw(self, U: Floats, rng: np.random.Generator) -> dict[str, Column]:
        """Values spread evenly, from random numbers (m, dimensions)."""
        ...

    def near(self, columns: Columns, U: Floats, width: float, rng: np.random.Generator) -> dict[str, Column]:
        """Values near others, from as many random numbers."""
        ...

    def at(self, places: Integers) -> dict[str, Column]:
        """The values of some places, where they can be counted."""
        ...

    def can(self, columns: Columns) -> Mask:
        """Which values can be set: within the range, and one of those that can be counted."""
        ...

    def places(self, columns: Columns) -> Integers:
        """The inverse of ``at``; −1 where a value is none of those that can be counted."""
        ...


class NumberCode:
    """Of one number: anywhere in a range, in whole steps, or one of some."""

    dimensions = 1

    def __init__(self, parameter: Continuous | Integer | Levels, whole: bool | None = None) -> None:
        self.parameter, self.name = parameter, parameter.name
        #: Whether people are shown 3, not 3.0.
        self.shown_whole = isinstance(parameter, Integer) if whole is None else whole
        self.settings: tuple[str, ...] = (parameter.name,)
        self.names: tuple[str, ...] = self.settings
        self.log = isinstance(parameter, Continuous) and parameter.log
        kind = "integer" if isinstance(parameter, Integer) else "number"
        self.variables: tuple[tuple[str, str, int], ...] = ((self.name, kind, 1),)
        self.values: Floats | None = None
        if isinstance(parameter, Levels):
            self.values = np.array(parameter.values, float)
            self.low, self.high = float(self.values[0]), float(self.values[-1])
            self.count: int | None = len(self.values)
        elif isinstance(parameter, Integer):
            self.low, self.high = (
                float(parameter.low),
                float(parameter.low + (parameter.count - 1) * parameter.step),
            )
            self.count = parameter.count
        else:
            self.low, self.high, self.count = parameter.low, parameter.high, None
        self.lower, self.upper = (self._feature(np.array([v])) for v in (self.low, self.high))
        span = self.high - self.low
        self.digits = 15 if span <= 0 else 6 - int(np.floor(np.log10(span)))

    def _feature(self, values: Floats) -> Floats:
        return np.log10(values) if self.log else np.asarray(values, float)

    def read(self, rows: Sequence[Settings]) -> dict[str, Column]:
        values = np.array([as_number(row.get(self.name), i, self.name) for i, row in enumerate(rows)], float)
        if self.log and (bad := np.flatnonzero(values <= 0)).size:
            raise CampaignError(
                f"row {bad[0]}, parameter {self.name!r}: {values[bad[0]]:g} has no logarithm; it must be above 0"
            )
        return {self.name: values}

    def features(self, columns: Columns) -> Floats:
        return self._feature(floats(columns[self.name]))[:, None]

    def columns(self, X: Floats) -> dict[str, Column]:
        return {self.name: powers(X[:, 0]) if self.log else X[:, 0].copy()}

    def show(self, columns: Columns) -> list[list[Any]]:
        values = floats(columns[self.name])
        if isinstance(self.parameter, Levels):
            assert self.values is not None
            near = np.abs(values[:, None] - self.values).argmin(axis=1)
            exact = np.abs(values - self.values[near]) <= SAME * max(self.high - self.low, 1e-300)
            known = self.parameter.values
            return [[known[j] if e else float(v) for v, j, e in zip(values, near, exact, strict=True)]]
        if self.shown_whole:
            return [[int(v) if v == int(v) else float(v) for v in values.tolist()]]
        return [values.tolist()]

    def draw(self, U: Floats, rng: np.random.Generator) -> dict[str, Column]:
        if self.count is not None:
            return self.at(np.minimum((U[:, 0] * self.count).astype(np.int64), self.count - 1))
        return {self.name: self._within(self.lower + U[:, 0] * (self.upper - self.lower))}

    def near(self, columns: Columns, U: Floats, width: float, rng: np.random.Generator) -> dict[str, Column]:
        if self.count is not None:
            reach = max(1.0, width * self.count)
            step = np.rint((2 * U[:, 0] - 1) * reach).astype(np.int64)
            return self.at(np.clip(self._nearest(columns) + step, 0, self.count - 1))
        x = self.features(columns)[:, 0] + (2 * U[:, 0] - 1) * width * (self.upper - self.lower)
        return {self.name: self._within(np.clip(x, self.lower, self.upper))}

    def _within(self, features: Floats) -> Floats:
        """Numbers that a person would set: no more digits than matter."""
        values = significant(10.0**features, 7) if self.log else np.round(features, self.digits)
        return np.clip(values, self.low, self.high)

    def _nearest(self, columns: Columns) -> Integers:
        values = floats(columns[self.name])
        if self.values is not None:
            right = np.clip(np.searchsorted(self.values, values), 1, max(1, len(self.values) - 1))
            if len(self.values) == 1:
                return np.zeros(len(values), np.int64)
            left = values - self.values[right - 1] <= self.values[right] - values
            return np.where(left, right - 1, right).astype(np.int64)
        assert isinstance(self.parameter, Integer)
        assert self.count is not None
        place = np.rint((values - self.low) / self.parameter.step)
        return np.clip(place, 0, self.count - 1).astype(np.int64)

    def at(self, places: Integers) -> dict[str, Column]:
        if self.values is not None:
            return {self.name: self.values[places]}
        assert isinstance(self.parameter, Integer)
        return {self.name: self.low + self.parameter.step * places.astype(float)}

    def places(self, columns: Columns) -> Integers:
        places = self._nearest(columns)
        exact = floats(self.at(places)[self.name])
        off = np.abs(exact - floats(columns[self.name])) > SAME * max(self.high - self.low, abs(self.low))
        return np.where(off, -1, places)

    def can(self, columns: Columns) -> Mask:
        if self.count is not None:
            return self.places(columns) >= 0
        values, slack = floats(columns[self.name]), SAME * max(self.high - self.low, abs(self.low))
        return np.asarray((values >= self.low - slack) & (values <= self.high + slack))


class KindCode:
    """Of one of some kinds: a feature for each, what is known of each, or the elements that each is made of.

    Parameters
    ----------
    name, values
        Of the parameter.
    matrix
        Shape (values, features); None for one feature a kind.
    names
        Of the features.
    variables
        See :class:`Code`.
    read_more
        The features of a kind that is not among the values; None where there can be none.
    """

    dimensions = 1

    def __init__(
        self,
        name: str,
        values: Sequence[Any],
        matrix: Floats | None = None,
        names: Sequence[str] = (),
        variables: Sequence[tuple[str, str, int]] = (),
        read_more: Callable[[Any], Floats] | None = None,
    ) -> None:
        self.name, self.values, self.matrix = name, tuple(values), matrix
        self.settings: tuple[str, ...] = (name,)
        self.names = tuple(names) if matrix is not None else tuple(f"{name}={v}" for v in self.values)
        self.variables = tuple(variables) if matrix is not None else ((name, "category", len(self.values)),)
        self.count: int | None = len(self.values)
        width = len(self.names)
        self.lower = np.zeros(width) if matrix is None else matrix.min(axis=0)
        self.upper = np.ones(width) if matrix is None else matrix.max(axis=0)
        self._known: dict[Any, int] = {str(v): i for i, v in enumerate(self.values)}
        self._known |= {v: i for i, v in enumerate(self.values)}
        self._read_more = read_more
        self._more: list[Any] = []

    @property
    def code_type(self) -> np.dtype[Any]:
        """Of codes: no larger than they need."""
        return np.dtype(np.int16 if len(self.values) < 2**15 else np.int32)

    def read(self, rows: Sequence[Settings]) -> dict[str, Column]:
        values = self.values
        codes = np.empty(len(rows), np.int32)
        for i, row in enumerate(rows):
            value: Any = row.get(self.name)
            value = value.item() if hasattr(value, "item") and getattr(value, "size", 2) == 1 else value
            code = self._known.get(value, self._known.get(str(value))) if hashable(value) else None
            if code is None:
                if self._read_more is None or not isinstance(value, str):
                    what = "has no value" if nothing(value) else f"{value!r} is none of {listed(self.values)}"
                    raise CampaignError(f"row {i}, parameter {self.name!r}: {what}")
                values = (*values, value)
                code = len(values) - 1
            codes[i] = code
        return {self.name: Coded(codes, values)}

    def features(self, columns: Columns) -> Floats:
        column = columns[self.name]
        assert isinstance(column, Coded)
        if self.matrix is None:
            result = np.zeros((len(column), len(self.values)))
            result[np.arange(len(column)), column.codes] = 1.0
            return result
        matrix = self.matrix
        if len(column.values) > len(self.values):  # told, and not among the candidates
            assert self._read_more is not None
            matrix = np.vstack([matrix, *(self._read_more(v) for v in column.values[len(self.values) :])])
        found: Floats = matrix[column.codes]
        return found

    def columns(self, X: Floats) -> dict[str, Column]:
        if self.matrix is None:
            codes = X.argmax(axis=1)
        else:
            span = np.where(self.upper > self.lower, self.upper - self.lower, 1.0)
            known = self.matrix / span
            codes = np.array([((known - x) ** 2).sum(axis=1).argmin() for x in X / span], np.int64)
        return {self.name: Coded(codes.astype(self.code_type), self.values)}

    def show(self, columns: Columns) -> list[list[Any]]:
        column = columns[self.name]
        assert isinstance(column, Coded)
        return [[column.values[c] for c in column.codes.tolist()]]

    def draw(self, U: Floats, rng: np.random.Generator) -> dict[str, Column]:
        count = len(self.values)
        return self.at(np.minimum((U[:, 0] * count).astype(np.int64), count - 1))

    def near(self, columns: Columns, U: Floats, width: float, rng: np.random.Generator) -> dict[str, Column]:
        """Mostly the same kind; another more often the wider."""
        column = columns[self.name]
        assert isinstance(column, Coded)
        other = U[:, 0] < min(1.0, width)
        count = len(self.values)
        fresh = np.minimum((U[:, 0] / min(1.0, max(width, 1e-9)) * count).astype(np.int64), count - 1)
        return self.at(np.where(other | (column.codes >= count), fresh, column.codes))

    def at(self, places: Integers) -> dict[str, Column]:
        return {self.name: Coded(places.astype(self.code_type), self.values)}

    def places(self, columns: Columns) -> Integers:
        column = columns[self.name]
        assert isinstance(column, Coded)
        return np.where(column.codes < len(self.values), column.codes, -1).astype(np.int64)

    def can(self, columns: Columns) -> Mask:
        return self.places(columns) >= 0
