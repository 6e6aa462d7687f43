"""Candidates of declared parameters: a grid that is never written down, or an endless space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from zairyo.campaign._base import Block, CampaignError, Floats, Integers
from zairyo.campaign._coding import Code, Coding, code_of
from zairyo.campaign._columns import Coded, Column, Columns, listed, rows_of, take
from zairyo.campaign._constraints import Linear
from zairyo.campaign._polytope import within_linear
from zairyo.campaign._pools import Pool
from zairyo.campaign.parameters import SearchSpace

#: So many candidates are tried for one that is wanted, before cleverer ways are taken.
_TRIES = 16
_MOST_TRIED = 1 << 17
#: Grids up to this size are gone through where trying finds too few.
_GO_THROUGH = 4_000_000
_MOST_COUNTED = 2**62


def pool_of_space(
    space: SearchSpace,
    *,
    constraints: Sequence[Any] = (),
    shared: Sequence[str] = (),
    cost: str | float | None = None,
) -> SpacePool:
    """The candidates of a declared space, with constraints, shared settings and a cost besides its own."""
    if isinstance(constraints, (str, Linear)) or callable(constraints):
        constraints = (constraints,)
    options: dict[str, Any] = {
        "constraints": (*space.constraints, *constraints),
        "shared": tuple(dict.fromkeys((*space.shared, *([shared] if isinstance(shared, str) else shared)))),
        "cost": space.cost if cost is None else cost,
    }
    codes = tuple(code_of(p) for p in space.parameters)
    counts = [c.count for c in codes]
    if any(c is None for c in counts) or prod(c for c in counts if c) >= _MOST_COUNTED:
        return EndlessSpace(Coding(codes), size=None, **options)
    return GridPool(Coding(codes), size=prod(c for c in counts if c), **options)


class SpacePool(Pool):
    """What grids and endless spaces have in common: candidates made from evenly spread random numbers."""

    def __init__(self, coding: Coding, **options: Any) -> None:
        super().__init__(coding, **options)
        few = coding.draw(np.full((1, coding.dimensions), 0.5), np.random.default_rng(0))
        self.allows(few)  # a rule that cannot be computed says so now
        self.cost(few)

    def _index(self, columns: Columns) -> Integers:
        """Places of candidates; −1 in an endless space."""
        return np.full(rows_of(columns), -1, np.int64)

    def features_of(self, U: Floats, rng: np.random.Generator) -> Floats:
        """Features of the candidates that points of the unit cube (m, dimensions) stand for, allowed or not."""
        return self.coding.features(self._fixed(self.coding.draw(np.asarray(U, float), rng)))

    def at_features(self, X: Floats) -> Block:
        """The candidates with some features; those that cannot be set or are not allowed are left out."""
        columns = self._fixed(self.coding.columns(np.asarray(X, float)))
        can = np.ones(rows_of(columns), bool)
        for code in self.coding.codes:
            can &= code.can(columns)
        return self._made(take(columns, can))

    def _made(self, columns: Columns) -> Block:
        return self._block(self._index(columns), columns)

    def _fixed(self, columns: dict[str, Column]) -> dict[str, Column]:
        """With the settings that are fixed; ingredients of mixtures are left to the constraint that fixes them."""
        rows = rows_of(columns)
        for code in self.coding.codes:
            if len(code.settings) == 1 and code.settings[0] in self.fixed:
                fixed = code.read([{code.settings[0]: self.fixed[code.settings[0]]}])
                columns |= take(fixed, np.zeros(rows, np.int64))
        return columns

    def draw(
        self, count: int, rng: np.random.Generator, around: Floats | None = None, width: float = 1.0
    ) -> Block:
        """About ``count`` allowed candidates, quasi-random, or near others."""
        if count < 1:
            return Block(np.empty(0, np.int64), np.empty((0, self.space.width)))
        anchors = (
            None if around is None or not len(around) else self.coding.columns(np.asarray(around, float))
        )
        found: dict[str, Column] | None = None
        tried = kept = 0
        linear = [c for c in self.constraints if isinstance(c, Linear)]
        # Of an equation between numbers nothing is met by trying: a few tries tell whether it is one.
        size = (
            64 if any(c.sense == "==" for c in linear) else max(64, 2 * count if self.constraints else count)
        )
        while kept < count and tried < max(_TRIES * count, 4096) and tried < _MOST_TRIED:
            columns = self._tried(size, anchors, width, rng)
            columns = take(columns, self.allows(columns))
            found = columns if found is None else _stacked(found, columns)
            found = self._distinct(found)
            kept, tried = rows_of(found), tried + size
            if not self.constraints and not self.fixed and tried >= 4 * count:
                break  # there are no more different ones
            if linear and 50 * kept < tried:
                break
            size = min(2 * size, _MOST_TRIED)
        assert found is not None
        if kept < count and (self.constraints or self.fixed):
            found = self._harder(found, count, rng, anchors, width)
        if not rows_of(found):
            raise CampaignError(self._none_allowed(tried, rng))
        return self._made(take(found, slice(0, count)))

    def _tried(
        self, size: int, anchors: Columns | None, width: float, rng: np.random.Generator
    ) -> dict[str, Column]:
        U = evenly(size, self.coding.dimensions, rng)
        if anchors is None:
            return self._fixed(self.coding.draw(U, rng))
        of = np.arange(size) % rows_of(anchors)
        return self._fixed(self.coding.near(take(anchors, of), U, width, rng))

    def _harder(
        self,
        found: dict[str, Column],
        count: int,
        rng: np.random.Generator,
        anchors: Columns | None,
        width: float,
    ) -> dict[str, Column]:
        """More candidates where few of those tried are allowed."""
        linear = [c for c in self.constraints if isinstance(c, Linear)]
        pinned = [Linear({n: 1.0}, "==", v) for n, v in self.fixed.items() if not isinstance(v, str)]
        if (linear or pinned) and anchors is not None:  # from allowed candidates some way to others
            there = self._fixed(take(anchors, np.arange(2 * count) % rows_of(anchors)))
            found = self._moved(found, there, [*linear, *pinned], rng, width)
        if (linear or pinned) and (anchors is None or not rows_of(found)):
            anywhere = self._tried(2 * count, None, 1.0, rng)
            found = self._moved(found, anywhere, [*linear, *pinned], rng, 1.0)
        most = 1.0 if anchors is None else width
        for near in (w * most for w in (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)):
            rows = rows_of(found)
            if rows == 0 or rows >= count:
                break
            some = take(found, rng.integers(rows, size=4 * count))
            U = rng.random((4 * count, self.coding.dimensions))
            columns = self._fixed(self.coding.near(some, U, near, rng))
            found = self._distinct(_stacked(found, take(columns, self.allows(columns))))
        return found

    def _moved(
        self,
        found: dict[str, Column],
        columns: dict[str, Column],
        linear: list[Linear],
        rng: np.random.Generator,
        share: float,
    ) -> dict[str, Column]:
        """What was found, and candidates moved so that linear constraints hold."""
        moved = within_linear(self.coding.codes, columns, linear, rng, share)
        return self._distinct(_stacked(found, take(moved, self.allows(moved))))

    def _distinct(self, columns: dict[str, Column]) -> dict[str, Column]:
        """Each candidate once, the order kept."""
        if rows_of(columns) < 2:
            return columns
        keys = np.column_stack(
            [c.codes if isinstance(c, Coded) else c for n, c in columns.items() if n in self.names]
        )
        first = np.unique(keys, axis=0, return_index=True)[1]
        return columns if len(first) == len(keys) else take(columns, np.sort(first))

    def _none_allowed(self, tried: int, rng: np.random.Generator) -> str:
        """Which constraint leaves nothing."""
        columns = self._fixed(self.coding.draw(evenly(4096, self.coding.dimensions, rng), rng))
        shares = [(float(c.allows(columns).mean()), str(c)) for c in self.constraints]
        told = "; ".join(f"{text} holds for {100 * share:.2f} %" for share, text in sorted(shares))
        fixed = f" with {listed([f'{k} = {v}' for k, v in self.fixed.items()])}" if self.fixed else ""
        return f"no allowed candidate was found among {tried:,} tried{fixed} ({told}); check that the constraints agree"


class EndlessSpace(SpacePool):
    """A space in which some parameter is continuous (or with too many candidates to count)."""


class GridPool(SpacePool):
    """All combinations of values that can be counted. A place is a number whose digits are the values' places."""

    def __init__(self, coding: Coding, **options: Any) -> None:
        radices = [c.count for c in coding.codes if c.count]
        self._strides = [prod(radices[i + 1 :]) for i in range(len(radices))]
        #: Of each parameter, the places that are gone through.
        self._axes: list[Integers | int] = list(radices)
        super().__init__(coding, **options)

    def _narrowed(self) -> None:
        self._axes = list(self._axes)
        for i, code in enumerate(self.coding.codes):
            if len(code.settings) == 1 and code.settings[0] in self.fixed:
                places = code.places(code.read([{code.settings[0]: self.fixed[code.settings[0]]}]))
                self._axes[i] = places[places >= 0]

    def _stream(self, rows: int) -> Iterator[tuple[Integers, Columns]]:
        lengths = [a if isinstance(a, int) else len(a) for a in self._axes]
        total = prod(lengths)
        steps = [prod(lengths[i + 1 :]) for i in range(len(lengths))]
        for start in range(0, total, rows):
            local = np.arange(start, min(start + rows, total))
            index = np.zeros(len(local), np.int64)
            columns: dict[str, Column] = {}
            parts = zip(self.coding.codes, self._axes, steps, lengths, self._strides, strict=True)
            for code, axis, step, length, stride in parts:
                digit = (local if step == 1 else local // step) % length
                place = digit if isinstance(axis, int) else axis[digit]
                columns |= code.at(place)
                index += place * stride
            yield index, columns

    def _at(self, index: Integers) -> Columns:
        assert self.size is not None
        if len(index) and int(np.max(index)) >= self.size:
            raise CampaignError(f"there is no candidate {int(np.max(index))}; the grid has {self.size:,}")
        columns: dict[str, Column] = {}
        for code, stride in zip(self.coding.codes, self._strides, strict=True):
            assert code.count is not None
            columns |= code.at(index // stride % code.count)
        return columns

    def _index(self, columns: Columns) -> Integers:
        index = np.zeros(rows_of(columns), np.int64)
        known = np.ones(len(index), bool)
        for code, stride in zip(self.coding.codes, self._strides, strict=True):
            places = code.places(columns)
            known &= places >= 0
            index += places * stride
        return np.where(known, index, -1)

    def _places(self, X: Floats) -> Integers:
        return self._index(self.coding.columns(X))

    def draw(
        self, count: int, rng: np.random.Generator, around: Floats | None = None, width: float = 1.0
    ) -> Block:
        """About ``count`` allowed candidates, quasi-random, or near others; all there are, if they are no more."""
        assert self.size is not None
        if self.size <= count:
            return self._some(count, rng)
        return super().draw(count, rng, around, width)

    def _harder(
        self,
        found: dict[str, Column],
        count: int,
        rng: np.random.Generator,
        anchors: Columns | None,
        width: float,
    ) -> dict[str, Column]:
        assert self.size is not None
        if anchors is None and self.size <= _GO_THROUGH:
            return dict(self._at(self._some(count, rng).index))
        return super()._harder(found, count, rng, anchors, width)

    def _some(self, count: int, rng: np.random.Generator) -> Block:
        """Of all that are allowed, so many at random."""
        places = []
        for index, columns in self._stream(1 << 16):
            places.append(index[self.allows(columns)])
        every = np.concatenate(places) if places else np.empty(0, np.int64)
        if not len(every):
            raise CampaignError(self._none_allowed(self.size or 0, rng))
        if len(every) > count:
            every = np.sort(rng.choice(every, count, replace=False))
        return self._block(every, self._at(every))


def evenly(count: int, dimensions: int, rng: np.random.Generator) -> Floats:
    """Sobol's sequence, scrambled at random, shape (count, dimensions), in [0, 1)."""
    from scipy.stats import qmc

    if dimensions > 1000:  # no sequence is better than random there
        return rng.random((count, dimensions))
    power = max(0, int(np.ceil(np.log2(max(1, count)))))
    seed = np.random.default_rng(int(rng.integers(2**63)))
    try:
        sequence = qmc.Sobol(dimensions, rng=seed)
    except TypeError:  # SciPy before 1.15
        sequence = qmc.Sobol(dimensions, seed=seed)
    points: Floats = sequence.random_base2(power)[:count]
    return np.minimum(points, 1.0 - 1e-12)


def _stacked(one: Columns, other: Columns) -> dict[str, Column]:
    result: dict[str, Column] = {}
    for name, column in one.items():
        more = other[name]
        if isinstance(column, Coded):
            assert isinstance(more, Coded)
            result[name] = Coded(np.concatenate([column.codes, more.codes]), column.values)
        else:
            assert not isinstance(more, Coded)
            result[name] = np.concatenate([column, more])
    return result


__all__ = ["Code", "EndlessSpace", "GridPool", "SpacePool", "evenly", "pool_of_space"]
