"""Parameters whose values are kinds: words, and formulas."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zairyo.campaign._base import CampaignError
from zairyo.campaign._checks import finite, named, once, plain_value, several


@dataclass(frozen=True)
class Categorical:
    """One of some kinds, with what is known of each or without.

    Attributes
    ----------
    name
        Unique in its space; the key in settings.
    values
        The kinds: text, numbers that are only names, true and false.
    descriptors
        What is known of the kinds, e.g. ``{"dielectric constant": [80.1, 36.7]}``: name → a number for each value.
        Kinds with similar numbers are then expected to behave alike.
    """

    name: str
    values: tuple[Any, ...]
    descriptors: Mapping[str, Sequence[float]] | None = None

    def __post_init__(self) -> None:
        named(self)
        values = tuple(plain_value(v, self.name) for v in several(self, "values"))
        object.__setattr__(self, "values", values)
        once(self, [str(v) for v in values])
        if not self.descriptors:
            object.__setattr__(self, "descriptors", None)
            return
        told: dict[str, tuple[float, ...]] = {}
        for name, numbers in self.descriptors.items():
            if isinstance(numbers, Mapping):
                numbers = [numbers.get(v, numbers.get(str(v), math.nan)) for v in values]
            if len(numbers) != len(values):
                raise CampaignError(
                    f"parameter {self.name!r}: descriptor {name!r} has {len(numbers)} numbers for {len(values)} values"
                )
            told[str(name)] = tuple(
                finite(n, f"parameter {self.name!r}: descriptor {name!r} of {v!r}")
                for n, v in zip(numbers, values, strict=True)
            )
        seen: dict[tuple[float, ...], Any] = {}
        for value, row in zip(values, zip(*told.values(), strict=True), strict=True):
            if row in seen:
                raise CampaignError(
                    f"parameter {self.name!r}: {seen[row]!r} and {value!r} have the same descriptors, so that nothing "
                    "can tell them apart; add a descriptor in which they differ"
                )
            seen[row] = value
        object.__setattr__(self, "descriptors", told)

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys that it has in settings."""
        return (self.name,)


@dataclass(frozen=True)
class Composition:
    """One of some formulas or alloys, compared by the amounts of their elements.

    Attributes
    ----------
    name
        Unique in its space; the key in settings.
    values
        Formulas as text: ``Nd2Fe14B``, ``Zr70Al8Cu19Ni3``. Others of the same elements can be told.
    properties
        Whether means, deviations and ranges of the elements' properties are learned from too.
    """

    name: str
    values: tuple[str, ...]
    properties: bool = False

    def __post_init__(self) -> None:
        from zairyo.tables import TableError, parse

        named(self)
        values = tuple(str(v) for v in several(self, "values"))
        object.__setattr__(self, "values", values)
        once(self, values)
        for value in values:
            try:
                parse(value)
            except TableError as e:
                raise CampaignError(f"parameter {self.name!r}: {value!r} is no formula: {e}") from None

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys that it has in settings."""
        return (self.name,)
