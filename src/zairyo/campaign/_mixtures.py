"""Amounts of ingredients that sum to a total: numbered where they come in steps, drawn evenly where they do not."""

from __future__ import annotations

from functools import cached_property
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from zairyo.campaign._base import CampaignError, Floats, Integers, Mask
from zairyo.campaign.parameters import Mixture

#: Amounts are rounded to this share of the total: finer than any balance.
FINEST = 1e-6
_MOST_SUBSETS = 5_000
_MOST_CELLS = 8_000_000
_MOST_LISTED = 1_000_000


class Lattice:
    """All mixtures whose amounts are whole steps, within bounds and with at most so many ingredients, numbered.

    The number of a mixture is its place in the order in which the first ingredient changes slowest. A table holds how
    many ways there are to share out what is left, so that neither direction needs a list of the mixtures.

    Parameters
    ----------
    mixture
        With a step.

    Raises
    ------
    CampaignError
        No mixture of whole steps is within the bounds, or there are too many to number.
    """

    def __init__(self, mixture: Mixture) -> None:
        assert mixture.step is not None
        self.step, self.total = mixture.step, mixture.total
        self.units = round(mixture.total / mixture.step)
        self.low = np.array([int(np.ceil(v / self.step - 1e-9)) for v in mixture.lows])
        self.high = np.array([int(np.floor(v / self.step + 1e-9)) for v in mixture.highs])
        k = len(self.low)
        self.most = mixture.at_most if mixture.at_most is not None and mixture.at_most < k else None
        used = 1 if self.most is None else self.most + 1
        if k * (self.units + 1) ** 2 * used > _MOST_CELLS:
            raise CampaignError(
                f"mixture {mixture.name!r}: {self.units + 1} amounts of {k} ingredients are too many to number; take a "
                "larger step, or step=None for any amount"
            )
        # ways[j, r, u]: ways to share r units among ingredients j and later, with u ingredients already in.
        ways = np.zeros((k + 1, self.units + 1, used), object)
        ways[k, 0, :] = 1
        before = np.zeros((k, self.units + 2, self.units + 1, used), object)
        for j in range(k - 1, -1, -1):
            before[j, 0] = 0
            running = np.zeros((self.units + 1, used), object)
            for a in range(self.units + 1):
                if self.low[j] <= a <= self.high[j]:
                    rest = np.zeros((self.units + 1, used), object)
                    there = ways[j + 1, : self.units + 1 - a]
                    if a == 0 or self.most is None:
                        rest[a:] = there
                    else:
                        rest[a:, :-1] = there[:, 1:]
                    running = running + rest
                before[j, a + 1] = running
            ways[j] = running
        self.count = int(ways[0, self.units, 0])
        if self.count == 0:
            raise CampaignError(
                f"mixture {mixture.name!r}: no amounts in steps of {self.step:g} are within "
                "the bounds; take a smaller step"
            )
        if int(before.max()) >= 2**62:
            raise CampaignError(f"mixture {mixture.name!r}: {self.count:,} mixtures are too many to number")
        #: before[j, r, u, a]: mixtures that come before the amount a of ingredient j.
        self._before = np.ascontiguousarray(np.moveaxis(before, 1, 3).astype(np.int64))

    def amounts(self, ranks: Integers) -> Floats:
        """The mixtures of some numbers, shape (m, k)."""
        if self._table is not None:
            known: Floats = self._table[ranks]
            return known
        return np.round(self.at(ranks) * self.step, 12)

    @cached_property
    def _table(self) -> Floats | None:
        """All mixtures, where they are so few that looking up is quicker than counting."""
        if self.count * len(self.low) > _MOST_LISTED:
            return None
        every: Floats = np.round(self.at(np.arange(self.count)) * self.step, 12)
        return every

    def at(self, ranks: Integers) -> Integers:
        """The same in steps."""
        rank = np.asarray(ranks, np.int64).copy()
        result = np.empty((len(rank), len(self.low)), np.int64)
        left = np.full(len(rank), self.units)
        used = np.zeros(len(rank), np.int64)
        for j in range(len(self.low)):
            before = self._before[j, left, used]
            amount = (before[:, 1:] <= rank[:, None]).sum(axis=1)
            rank -= np.take_along_axis(before, amount[:, None], axis=1)[:, 0]
            result[:, j] = amount
            left -= amount
            if self.most is not None:
                used += amount > 0
        return result

    def ranks(self, amounts: Floats) -> Integers:
        """The numbers of mixtures (m, k); −1 where they are none of these."""
        exact = np.asarray(amounts, float) / self.step
        units = np.rint(np.nan_to_num(exact, nan=-1.0)).astype(np.int64)
        near = np.abs(exact - units).max(axis=1, initial=0) <= 1e-6 * self.units
        good = (
            near
            & (units.sum(axis=1) == self.units)
            & (units >= self.low).all(1)
            & (units <= self.high).all(1)
        )
        if self.most is not None:
            good &= (units > 0).sum(axis=1) <= self.most
        result = np.full(len(units), -1, np.int64)
        units = units[good]
        left, used = np.full(len(units), self.units), np.zeros(len(units), np.int64)
        rank = np.zeros(len(units), np.int64)
        for j in range(len(self.low)):
            rank += self._before[j, left, used, units[:, j]]
            left -= units[:, j]
            if self.most is not None:
                used += units[:, j] > 0
        result[good] = rank
        return result


class Amounts:
    """Mixtures whose amounts are any numbers.

    Parameters
    ----------
    mixture
        Of these ingredients.
    """

    def __init__(self, mixture: Mixture) -> None:
        self.mixture = mixture
        self.low, self.high = np.array(mixture.lows), np.array(mixture.highs)
        self.most = mixture.at_most or len(self.low)

    @cached_property
    def _subsets(self) -> Mask:
        """Which ingredients may be in together, shape (s, k): as many as are allowed."""
        k = len(self.low)
        free = [j for j in range(k) if self.low[j] == 0 and self.high[j] > 0]
        always = self.low > 0
        size = min(self.most - int(always.sum()), len(free))
        rng = np.random.default_rng(0)
        sets = (
            list(combinations(free, size))
            if comb(len(free), size) <= _MOST_SUBSETS
            else [tuple(rng.choice(free, size, replace=False)) for _ in range(_MOST_SUBSETS)]
        )
        result = np.tile(always, (len(sets), 1))
        for row, one in zip(result, sets, strict=True):
            row[list(one)] = True
        enough = (result * self.high).sum(axis=1) >= self.mixture.total * (1 - 1e-12)
        possible: Mask = result[enough]
        return possible

    def draw(self, U: Floats, rng: np.random.Generator) -> Floats:
        """Mixtures spread evenly, shape (m, k).

        Parameters
        ----------
        U
            Shape (m, k), in [0, 1).
        rng
            Of what U does not decide.
        """
        rows, k = U.shape
        low, high = np.tile(self.low, (rows, 1)), np.tile(self.high, (rows, 1))
        if self.most < k:
            inside = self._subsets[rng.integers(len(self._subsets), size=rows)]
            high = np.where(inside, high, 0.0)
        amounts = self._simplex(U, low, high)
        over = (amounts > high * (1 + 1e-12)).any(axis=1)
        for _ in range(12):
            if not over.any():
                break
            amounts[over] = self._simplex(rng.random((int(over.sum()), k)), low[over], high[over])
            over = (amounts > high * (1 + 1e-12)).any(axis=1)
        if over.any():
            amounts[over] = self._mixed(low[over], high[over], rng)
        return self._rounded(amounts, low, high)

    def _simplex(self, U: Floats, low: Floats, high: Floats) -> Floats:
        """Uniform where largest amounts do not matter: exponential spacings."""
        share = -np.log1p(-np.clip(U, 0.0, 1 - 1e-12)) + 1e-300
        share = np.where(high > low, share, 0.0)
        rest = np.maximum(self.mixture.total - low.sum(axis=1, keepdims=True), 0.0)
        result: Floats = low + rest * share / np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
        return result

    def _mixed(self, low: Floats, high: Floats, rng: np.random.Generator) -> Floats:
        """Uniform within narrow bounds: from some allowed mixture by many exchanges between two ingredients."""
        amounts = low.copy()
        order = np.argsort(rng.random(low.shape), axis=1, kind="stable")
        left = self.mixture.total - low.sum(axis=1)
        rows = np.arange(len(low))
        for j in order.T:
            more = np.minimum(high[rows, j] - low[rows, j], left)
            amounts[rows, j] += more
            left -= more
        for _ in range(8 * low.shape[1]):
            amounts = exchanged(amounts, low, high, rng, np.inf)
        return amounts

    def near(self, anchors: Floats, width: float, rng: np.random.Generator) -> Floats:
        """Mixtures that differ from some by about a share of the total, shape (m, k)."""
        rows, k = anchors.shape
        low, high = np.tile(self.low, (rows, 1)), np.tile(self.high, (rows, 1))
        amounts = np.clip(anchors, low, high)
        if self.most < k:
            many = (amounts > 0).sum(axis=1) > self.most
            if many.any():  # what was told need not be allowed: the largest amounts are kept
                kept = self._subsets[(amounts[many] @ self._subsets.T).argmax(axis=1)]
                amounts[many] = np.where(kept, amounts[many], 0.0)
                high[many] = np.where(kept, high[many], 0.0)
            amounts = self._filled(amounts, low, high)
            amounts, high = _swapped(amounts, low, high, self.most, width, rng)
        else:
            amounts = self._filled(amounts, low, high)
        for _ in range(k):
            amounts = exchanged(amounts, low, high, rng, width * self.mixture.total)
        return self._rounded(amounts, low, high)

    def _rounded(self, amounts: Floats, low: Floats, high: Floats) -> Floats:
        """To what can be weighed; the ingredient with most room takes what is left."""
        finest = FINEST * self.mixture.total
        digits = max(0, int(np.ceil(-np.log10(finest) - 1e-9)))
        result: Any = np.round(np.clip(np.round(amounts, digits), low, high), digits + 4)
        result = np.clip(np.round(self._filled(result, low, high), digits + 4), low, high)
        return np.asarray(result, float)

    def _filled(self, amounts: Floats, low: Floats, high: Floats) -> Floats:
        """With the sum made up to the total: the ingredient with most room takes what is left, then the next."""
        result = amounts.copy()
        rows = np.arange(len(result))
        for _ in range(result.shape[1]):
            rest = self.mixture.total - result.sum(axis=1)
            if (np.abs(rest) <= 1e-15 * self.mixture.total).all():
                break
            room = np.where(rest[:, None] > 0, high - result, result - low)
            j = room.argmax(axis=1)
            result[rows, j] += np.sign(rest) * np.minimum(np.abs(rest), room[rows, j])
        return result


def exchanged(amounts: Floats, low: Floats, high: Floats, rng: np.random.Generator, most: float) -> Floats:
    """One ingredient gives to another, any possible amount up to ``most`` equally likely; the total stays."""
    rows, k = amounts.shape
    at = np.arange(rows)
    i = rng.integers(k, size=rows)
    j = (i + rng.integers(1, k, size=rows)) % k
    least = np.maximum.reduce(
        [low[at, i] - amounts[at, i], amounts[at, j] - high[at, j], np.full(rows, -most)]
    )
    largest = np.minimum.reduce(
        [high[at, i] - amounts[at, i], amounts[at, j] - low[at, j], np.full(rows, most)]
    )
    move = np.where(largest > least, least + (largest - least) * rng.random(rows), 0.0)
    result = amounts.copy()
    result[at, i] += move
    result[at, j] -= move
    return np.clip(result, low, high)


def _swapped(
    amounts: Floats, low: Floats, high: Floats, most: int, width: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Sometimes one ingredient takes the place of another; the rest may not come in. Also the new largest amounts."""
    rows, k = amounts.shape
    at = np.arange(rows)
    amounts = amounts.copy()
    i, j = rng.integers(k, size=(2, rows))
    fits = (low[at, i] == 0) & (low[at, j] == 0) & (amounts[at, j] == 0) & (amounts[at, i] <= high[at, j])
    swap = fits & (i != j) & (rng.random(rows) < min(1.0, 2 * width))
    amounts[at[swap], j[swap]] = amounts[at[swap], i[swap]]
    amounts[at[swap], i[swap]] = 0.0
    # As many of the absent as there is room for may come in.
    inside = amounts > 0
    spare = most - inside.sum(axis=1)
    rank = np.argsort(np.argsort(np.where(inside, 2.0, rng.random((rows, k))), axis=1), axis=1)
    return amounts, np.where(inside | (rank < spare[:, None]), high, 0.0)


def vertices(low: Floats, high: Floats) -> Floats:
    """The corners of the mixtures within bounds, shape (v, k), shares that sum to 1; the purest first.

    At a corner all ingredients but one are at a bound (McLean and Anderson 1966). Of more than 12 ingredients, corners
    in many directions are found as linear programs would, by filling up ingredients in some order.
    """
    k = len(low)
    rows: dict[tuple[float, ...], None] = {}
    if k <= 12:
        ends: Any = np.array(np.meshgrid(*[[0, 1]] * (k - 1), indexing="ij")).reshape(k - 1, -1).T
        for j in range(k):
            rest = [i for i in range(k) if i != j]
            amounts: Any = np.where(ends == 1, high[rest], low[rest])
            last = 1.0 - amounts.sum(axis=1)
            good = (last >= low[j] - 1e-9) & (last <= high[j] + 1e-9)
            full = np.insert(amounts[good], j, np.clip(last[good], low[j], high[j]), axis=1)
            rows |= dict.fromkeys(map(tuple, np.round(full, 9).tolist()))
    else:
        rng = np.random.default_rng(0)
        orders = [np.roll(np.arange(k), -i) for i in range(k)] + [rng.permutation(k) for _ in range(20 * k)]
        for order in orders:
            amounts = low.copy()
            left = 1.0 - float(low.sum())
            for place in order.tolist():
                more = min(float(high[place] - low[place]), max(left, 0.0))
                amounts[place] += more
                left -= more
            rows |= dict.fromkeys([tuple(np.round(amounts, 9).tolist())])
    found = np.array(sorted(rows, key=lambda r: (-max(r), [-v for v in r])), float).reshape(-1, k)
    return found if len(found) else ((low + high) / max(float((low + high).sum()), 1e-12))[None]
