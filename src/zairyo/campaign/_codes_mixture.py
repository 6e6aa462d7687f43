"""How mixtures become features, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from zairyo.campaign._base import CampaignError, Floats, Integers, Mask, Settings
from zairyo.campaign._codes import SAME
from zairyo.campaign._columns import Column, Columns, listed
from zairyo.campaign._mixtures import Amounts, Lattice
from zairyo.campaign._setting_values import as_number, floats, nothing
from zairyo.campaign.parameters import Mixture

#: By which share of the total a told mixture may be off, through rounding of what was weighed.
TOLERANCE = 0.02


class MixtureCode:
    """Of amounts that sum to a total; features are shares of it."""

    def __init__(self, parameter: Mixture, any_total: bool = False) -> None:
        self.parameter, self.name, self.total = parameter, parameter.name, parameter.total
        self.settings, self.names = parameter.settings, parameter.ingredients
        #: Whether only proportions matter, so that rows may sum to anything.
        self.any_total = any_total
        k = len(parameter.ingredients)
        self.variables: tuple[tuple[str, str, int], ...] = ((self.name, "mixture", k),)
        self.lower, self.upper = np.array(parameter.lows) / self.total, np.array(parameter.highs) / self.total
        self.lattice = Lattice(parameter) if parameter.step is not None else None
        self.amounts = Amounts(parameter)
        self.count = None if self.lattice is None else self.lattice.count
        self.dimensions = k if self.lattice is None else 1
        self.digits = max(0, 10 - int(np.floor(np.log10(self.total))))

    def read(self, rows: Sequence[Settings]) -> dict[str, Column]:
        amounts = np.empty((len(rows), len(self.settings)))
        for i, row in enumerate(rows):
            given = [row.get(name) for name in self.settings]
            if self.parameter.balance or all(nothing(v) for v in given):
                amounts[i] = [as_number(v, i, n) for n, v in zip(self.settings, given, strict=True)]
            else:  # an ingredient that nothing is said of is not in it; the sum tells
                amounts[i] = [
                    0.0 if nothing(v) else as_number(v, i, n)
                    for n, v in zip(self.settings, given, strict=True)
                ]
        columns: dict[str, Column] = dict(zip(self.settings, amounts.T.copy(), strict=True))
        if (bad := self.wrong(columns)).size:
            raise CampaignError(f"row {bad[0]}, mixture {self.name!r}: {self.why(columns, int(bad[0]))}")
        return columns

    def wrong(self, columns: Columns) -> Integers:
        """The rows whose amounts are not those of a mixture."""
        amounts = [floats(columns[n]) for n in self.settings]
        total = np.sum(amounts, axis=0)
        if self.any_total:
            off = ~(total > 0)
        elif self.parameter.balance:
            off = ~(total <= self.total * (1 + TOLERANCE))
        else:
            off = ~(np.abs(total - self.total) <= TOLERANCE * self.total * (1 + 1e-9))
        return np.flatnonzero(off | (np.min(amounts, axis=0) < 0))

    def why(self, columns: Columns, row: int) -> str:
        """What is wrong with the amounts of a row."""
        amounts = [float(floats(columns[n])[row]) for n in self.settings]
        if math.isnan(sum(amounts)):
            return f"no amounts of {listed(self.settings)} are given; fill them in or leave the row out"
        if min(amounts) < 0:
            return (
                f"{self.settings[int(np.argmin(amounts))]} is {min(amounts):g}; an amount cannot be below 0"
            )
        wanted = "more than 0" if self.any_total else f"{self.total:g}"
        most = "at most " if self.parameter.balance else ""
        return f"{listed(self.settings)} sum to {sum(amounts):g}; they must sum to {most}{wanted}"

    def _matrix(self, columns: Columns) -> Floats:
        """Amounts of all ingredients, shape (m, k), that sum to the total."""
        given = {n: floats(columns[n]) for n in self.settings}
        if self.parameter.balance:
            given[self.parameter.balance] = np.maximum(self.total - np.sum(list(given.values()), axis=0), 0.0)
        amounts = np.stack([given[n] for n in self.parameter.ingredients], axis=1)
        total = amounts.sum(axis=1, keepdims=True)
        off = (np.abs(total - self.total) > SAME * self.total)[:, 0]
        if off.any():
            amounts[off] *= self.total / total[off]
        return amounts

    def features(self, columns: Columns) -> Floats:
        return self._matrix(columns) / self.total

    def columns(self, X: Floats) -> dict[str, Column]:
        amounts = X if self.total == 1 else np.round(X * self.total, self.digits)
        return self._settings(amounts)

    def _settings(self, amounts: Floats) -> dict[str, Column]:
        return {n: amounts[:, j].copy() for j, n in enumerate(self.names) if n in self.settings}

    def show(self, columns: Columns) -> list[list[Any]]:
        return [floats(columns[n]).tolist() for n in self.settings]

    def draw(self, U: Floats, rng: np.random.Generator) -> dict[str, Column]:
        if self.lattice is not None:
            return self.at(
                np.minimum((U[:, 0] * self.lattice.count).astype(np.int64), self.lattice.count - 1)
            )
        return self._settings(self.amounts.draw(U, rng))

    def near(self, columns: Columns, U: Floats, width: float, rng: np.random.Generator) -> dict[str, Column]:
        anchors = self._matrix(columns)
        if self.lattice is None:
            return self._settings(self.amounts.near(anchors, width, rng))
        step = self.lattice.step / self.total
        moved = self.amounts.near(anchors, max(width, 1.5 * step), rng)
        ranks = self.lattice.ranks(_to_steps(moved, self.lattice))
        same = self.lattice.ranks(_to_steps(anchors, self.lattice))
        return self.at(np.where(ranks >= 0, ranks, np.maximum(same, 0)))

    def at(self, places: Integers) -> dict[str, Column]:
        assert self.lattice is not None
        return self._settings(self.lattice.amounts(places))

    def places(self, columns: Columns) -> Integers:
        assert self.lattice is not None
        return self.lattice.ranks(self._matrix(columns))

    def can(self, columns: Columns) -> Mask:
        if self.lattice is not None:
            return self.places(columns) >= 0
        amounts, slack = self._matrix(columns), SAME * self.total
        within = (amounts >= self.amounts.low - slack) & (amounts <= self.amounts.high + slack)
        return np.asarray(within.all(axis=1) & ((amounts > slack).sum(axis=1) <= self.amounts.most))


def _to_steps(amounts: Floats, lattice: Lattice) -> Floats:
    """The nearest whole steps with the same sum: the largest remainders are rounded up."""
    exact = amounts / lattice.step
    down = np.floor(exact + 1e-9)
    missing = lattice.units - down.sum(axis=1)
    rank = np.argsort(np.argsort(down - exact, axis=1, kind="stable"), axis=1)
    result: Floats = (down + (rank < missing[:, None])) * lattice.step
    return result
