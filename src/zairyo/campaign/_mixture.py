"""The parameter that is a mixture of ingredients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from zairyo.campaign._base import CampaignError
from zairyo.campaign._checks import finite, named, once, several
from zairyo.campaign._columns import listed


@dataclass(frozen=True)
class Mixture:
    """Amounts of ingredients that sum to a total.

    In settings each ingredient has its own key: ``{"Fe": 0.8, "Co": 0.1, "B": 0.1}``.

    Attributes
    ----------
    name
        Unique in its space.
    ingredients
        Two or more; unique in the whole space.
    total
        What the amounts sum to, 1 or 100.
    bounds
        Ingredient → its least and largest amount; 0 and the total where none are given.
    at_most
        How many ingredients may be more than nothing; None for all.
    step
        Between neighbouring amounts (0.05); None where any amount can be weighed.
    balance
        One of the ingredients whose amount is not written in settings, because it makes up the rest; empty for none.
    """

    name: str
    ingredients: tuple[str, ...]
    total: float = 1.0
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    at_most: int | None = None
    step: float | None = None
    balance: str = ""

    def __post_init__(self) -> None:
        named(self)
        where = f"mixture {self.name!r}"
        object.__setattr__(self, "ingredients", tuple(str(i) for i in several(self, "ingredients")))
        once(self, self.ingredients)
        total = finite(self.total, f"{where}: total")
        object.__setattr__(self, "total", total)
        if total <= 0 or len(self.ingredients) < 2:
            raise CampaignError(f"{where} needs two ingredients or more and a total above 0")
        if self.balance and self.balance not in self.ingredients:
            raise CampaignError(
                f"{where}: the balance {self.balance!r} is none of its ingredients {listed(self.ingredients)}"
            )
        bounds: dict[str, tuple[float, float]] = {}
        for name, pair in self.bounds.items():
            if name not in self.ingredients:
                raise CampaignError(
                    f"{where}: there are bounds for {name!r}, and only {listed(self.ingredients)} are in it"
                )
            if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
                raise CampaignError(
                    f"{where}: bounds of {name!r} are a least and a largest amount, not {pair!r}"
                )
            low, high = (finite(v, f"{where}: bounds of {name!r}") for v in pair)
            if not 0 <= low <= high:
                raise CampaignError(
                    f"{where}: bounds of {name!r} must be 0 ≤ least ≤ largest, not {low:g}, {high:g}"
                )
            bounds[name] = (low, min(high, total))
        object.__setattr__(self, "bounds", bounds)
        self._possible(where)

    def _possible(self, where: str) -> None:
        lows, highs = self.lows, self.highs
        most = len(self.ingredients)
        if self.at_most is not None:
            most = int(finite(self.at_most, f"{where}: at_most"))
            object.__setattr__(self, "at_most", most)
        always = sum(low > 0 for low in lows)
        if most < max(1, always):
            raise CampaignError(
                f"{where}: at most {most} ingredients, and {always} are always in it by their least amounts"
            )
        slack = 1e-9 * self.total
        if sum(lows) > self.total + slack:
            raise CampaignError(
                f"{where}: the least amounts sum to {sum(lows):g}, above the total {self.total:g}"
            )
        kept = sorted((h for low, h in zip(lows, highs, strict=True) if low == 0), reverse=True)
        largest = sum(h for low, h in zip(lows, highs, strict=True) if low > 0) + sum(kept[: most - always])
        if largest < self.total - slack:
            raise CampaignError(
                f"{where}: the largest amounts of at most {most} ingredients sum to {largest:g}, below the total "
                f"{self.total:g}; raise bounds or at_most"
            )
        if self.step is not None:
            step = finite(self.step, f"{where}: step")
            object.__setattr__(self, "step", step)
            if step <= 0 or abs(self.total / step - round(self.total / step)) > 1e-6:
                raise CampaignError(
                    f"{where}: the total {self.total:g} is no whole number of steps of {step:g}; take a step that "
                    "divides it"
                )

    @property
    def lows(self) -> tuple[float, ...]:
        """The least amount of each ingredient."""
        return tuple(self.bounds.get(i, (0.0, self.total))[0] for i in self.ingredients)

    @property
    def highs(self) -> tuple[float, ...]:
        """The largest amount of each ingredient."""
        return tuple(self.bounds.get(i, (0.0, self.total))[1] for i in self.ingredients)

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys that it has in settings."""
        return tuple(i for i in self.ingredients if i != self.balance)
