"""Candidates: the experiments among which is chosen, wherever they are kept. ``candidates_from`` is the one door.

A pool gives columns of settings, a block at a time; what is common to all pools is here: constraints, costs, features,
and where given settings stand. Tables are in ``_pool_table``, files in ``_pool_file``, declared parameters in
``_pool_space``.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zairyo.campaign._base import (
    BLOCK,
    Block,
    CampaignError,
    Candidates,
    Floats,
    Integers,
    Mask,
    Settings,
    joined,
)
from zairyo.campaign._checks import known
from zairyo.campaign._coding import SAME, Coding
from zairyo.campaign._columns import Coded, Column, Columns, listed, rows_of, take
from zairyo.campaign._constraints import Constraint, Rule, as_constraint
from zairyo.campaign.parameters import SearchSpace

#: Rows among which candidates near others are looked for.
_SAMPLE = 40_000
#: Files above this size (bytes), and Parquet files above so many rows, are read in blocks each time they are needed.
_LARGE_FILE = 64 << 20
_LARGE_ROWS = 1_000_000


class Pool:
    """What all pools have in common; see :class:`zairyo.campaign._base.Candidates` for the public methods.

    Parameters
    ----------
    coding
        How settings become features.
    size
        How many candidates there are before constraints; None if endless.
    constraints, shared, cost
        As :class:`SearchSpace` has them; they may also name columns that are no settings.
    others
        Columns that are no settings and that constraints or the cost may name.
    """

    def __init__(
        self,
        coding: Coding,
        *,
        size: int | None,
        constraints: Sequence[Any] = (),
        shared: Sequence[str] = (),
        cost: str | float | None = None,
        others: Sequence[str] = (),
    ) -> None:
        self.coding = coding
        self.names = coding.settings
        self.space = coding.space()
        self.size = size
        given: Any = constraints
        if isinstance(given, (str, Mapping)) or not isinstance(given, Sequence):
            given = [given]
        self.constraints: tuple[Constraint, ...] = tuple(as_constraint(c) for c in given)
        self.shared = (shared,) if isinstance(shared, str) else tuple(shared)
        self.fixed: dict[str, Any] = {}
        #: What was decided or left out, for people.
        self.notes: tuple[str, ...] = ()
        words = (*self.names, *others)
        self._cost = self._cost_rule(cost, words)
        for name in self.shared:
            known(name, self.names, "shared")
        for constraint in self.constraints:
            for name in constraint.names:
                known(name, words, f"constraint {constraint}")
        used = {n for c in self.constraints for n in c.names} | set(self._cost.names if self._cost else ())
        #: Columns that are needed beside the settings.
        self.others = tuple(n for n in others if n in used and n not in self.names)
        span = self.space.upper - self.space.lower
        self._span = np.where(span > 0, span, np.maximum(np.abs(self.space.upper), 1.0))
        self._weights = np.random.default_rng(7).uniform(0.5, 1.5, len(span)) / self._span

    @staticmethod
    def _cost_rule(cost: str | float | None, words: Sequence[str]) -> Rule | None:
        if cost is None:
            return None
        rule = Rule(f"`{cost}`" if isinstance(cost, str) and cost in words else str(cost))
        for name in rule.names:
            known(name, words, "cost")
        return rule

    # What a pool gives ------------------------------------------------------------------------------------------------

    def _stream(self, rows: int) -> Iterator[tuple[Integers, Columns]]:
        """All candidates in order, a block at a time, before constraints."""
        raise NotImplementedError

    def _at(self, index: Integers) -> Columns:
        """The candidates at some places."""
        raise NotImplementedError

    def _sample(self, count: int, rng: np.random.Generator) -> Integers:
        """About so many different places, ascending."""
        assert self.size is not None
        if count >= self.size:
            return np.arange(self.size)
        return np.sort(rng.choice(self.size, count, replace=False))

    # What is the same for all -----------------------------------------------------------------------------------------

    def blocks(self, rows: int = BLOCK) -> Iterator[Block]:
        """All candidates that constraints allow, in order, a block at a time."""
        if self.size is None:
            raise CampaignError("some parameter is continuous: candidates cannot be gone through, only drawn")
        waiting: list[Block] = []
        for index, columns in self._stream(rows):
            block = self._block(index, columns)
            if len(block) == 0:
                continue
            waiting.append(block)
            if sum(map(len, waiting)) >= rows // 2:
                yield joined(waiting, self.space.width)
                waiting = []
        if waiting:
            yield joined(waiting, self.space.width)

    def _block(self, index: Integers, columns: Columns) -> Block:
        """The allowed of some candidates."""
        allowed = self.allows(columns)
        if not allowed.all():
            columns, index = take(columns, allowed), index[allowed]
        return Block(index, self.coding.features(columns), self.cost(columns))

    def allows(self, columns: Columns) -> Mask:
        """Which rows of columns the constraints allow."""
        allowed = np.ones(rows_of(columns), bool)
        for name, value in self.fixed.items():
            allowed &= _equal(columns[name], value)
        for constraint in self.constraints:
            if allowed.all():
                allowed &= constraint.allows(columns)
            elif allowed.any():
                allowed[allowed] = constraint.allows(take(columns, allowed))
        return allowed

    @property
    def has_cost(self) -> bool:
        """Whether it is known what candidates cost."""
        return self._cost is not None

    def cost(self, columns: Columns) -> Floats | None:
        """What each row of columns would cost."""
        if self._cost is None:
            return None
        cost = np.asarray(self._cost.value(columns), float)
        if len(cost) and not (np.isfinite(cost) & (cost > 0)).all():
            bad = int(np.flatnonzero(~(np.isfinite(cost) & (cost > 0)))[0])
            one = self.coding.show(take(columns, [bad]))[0]
            raise CampaignError(
                f"the cost {self._cost.text} of {one} is {cost[bad]:g}; a cost must be above 0"
            )
        return cost.copy()

    def draw(
        self, count: int, rng: np.random.Generator, around: Floats | None = None, width: float = 1.0
    ) -> Block:
        """About ``count`` allowed candidates: random ones, or those of a sample that are nearest to others."""
        rows = count if around is None or not len(around) else max(_SAMPLE, 4 * count)
        for share in (2, 8, 32) if self.constraints or self.fixed else (1,):
            index = self._sample(share * rows, rng)
            block = self._block(index, self._at(index))
            if len(block) >= rows or (self.size is not None and len(index) >= self.size):
                break
        if around is None or not len(around):
            if len(block) > count:
                return block.take(np.sort(rng.choice(len(block), count, replace=False)))
            return block
        return block.take(self._nearest(block.X, np.asarray(around, float), count))

    def _nearest(self, X: Floats, around: Floats, count: int) -> Integers:
        """The rows nearest to any of some others, as many of each, ascending."""
        a, each = around / self._span, -(-count // len(around))
        scaled = X / self._span
        chosen: set[int] = set()
        for row in a:
            far = ((scaled - row) ** 2).sum(axis=1)
            most = min(each, len(far))
            chosen.update(np.argsort(far, kind="stable")[:most].tolist())
        return np.array(sorted(chosen), np.int64)

    def encode(self, settings: Sequence[Settings]) -> Floats:
        """Features of settings, shape (n, p), forbidden ones too."""
        rows = _rows(settings)
        if not rows:
            return np.empty((0, self.space.width))
        return self.coding.features(self.coding.read(rows))

    def decode(self, block: Block) -> list[dict[str, Any]]:
        """Settings of candidates, in the user's own values."""
        index = np.asarray(block.index, np.int64)
        if not len(index):
            return []
        shown: list[dict[str, Any]] = [{} for _ in index]
        for inside in (True, False):
            rows = np.flatnonzero((index >= 0) == inside)
            if not len(rows):
                continue
            columns = self._at(index[rows]) if inside else self.coding.columns(np.asarray(block.X)[rows])
            for row, one in zip(rows, self.coding.show(columns), strict=True):
                shown[row] = one
        return shown

    def locate(self, settings: Sequence[Settings]) -> Integers:
        """Places in the pool, shape (n,): the first, where rows are the same; −1 where it is not there."""
        X = self.encode(settings)
        return self._places(X) if self.size is not None and len(X) else np.full(len(X), -1, np.int64)

    def _places(self, X: Floats) -> Integers:
        """The first place of each row of features: by one pass, comparing one weighted sum a row."""
        wanted = X @ self._weights
        order = np.argsort(wanted, kind="stable")
        found = np.full(len(X), -1, np.int64)
        slack = SAME * 1.5 * len(self._weights)
        for index, columns in self._stream(BLOCK):
            features = self.coding.features(columns)
            sums = features @ self._weights
            first = np.searchsorted(wanted[order], sums - slack)
            last = np.searchsorted(wanted[order], sums + slack, side="right")
            for row in np.flatnonzero(last > first):
                for j in order[first[row] : last[row]]:
                    if found[j] < 0 and (np.abs(features[row] - X[j]) <= SAME * self._span).all():
                        found[j] = index[row]
            if (found >= 0).all():
                break
        return found

    def sharing(self, settings: Mapping[str, Any]) -> Pool:
        """The same pool, places and all, but only candidates that have these settings.

        Raises
        ------
        CampaignError
            There is no such setting, or no such kind.
        """
        for name in settings:
            known(name, self.names, "shared settings")
        fixed: dict[str, Any] = {}
        for code in self.coding.codes:
            for name in code.settings:
                if name in settings:
                    one = {name: settings[name]}
                    if len(code.settings) == 1 and code.settings == (name,):
                        column = code.read([one])[name]
                    else:
                        from zairyo.campaign._setting_values import as_number

                        column = np.array([as_number(settings[name], 0, name)])
                    fixed[name] = (
                        column.values[column.codes[0]] if isinstance(column, Coded) else float(column[0])
                    )
        other = copy.copy(self)
        other.fixed = {**self.fixed, **fixed}
        other._narrowed()
        return other

    def _narrowed(self) -> None:
        """Called on the copy when settings have been fixed."""

    def __repr__(self) -> str:
        size = "endless" if self.size is None else f"{self.size:,}"
        return f"{type(self).__name__}: {size} candidates, {len(self.names)} settings: {listed(self.names)}"


def candidates_from(
    pool: Any,
    *,
    constraints: Sequence[Any] = (),
    shared: Sequence[str] = (),
    cost: str | float | None = None,
    settings: Sequence[str] | None = None,
    leave: Sequence[str] = (),
) -> Candidates:
    """Candidates from whatever people have.

    Parameters
    ----------
    pool
        A DataFrame, a :class:`zairyo.tables.Table`, a list of dicts, a dict of columns, a structured array;
        the path of a CSV, Excel or Parquet file, which is read in blocks if it is large; a :class:`SearchSpace`, a
        parameter or a list of parameters; or candidates already made, which are returned.
    constraints, shared, cost
        As :class:`SearchSpace` has them, besides those that a search space brings. In tables they may name any column.
    settings
        The columns that are set; all but ``leave`` if None, without those that a table itself says are something else
        (names of samples, notes, and, where ``leave`` are among the columns, other outcomes).
    leave
        Columns that are outcomes, and so no settings.

    Raises
    ------
    CampaignError
        It cannot be used: what, in which row and column, and what to do.
    """
    from zairyo.campaign import parameters
    from zairyo.campaign._pool_space import pool_of_space
    from zairyo.campaign._pool_table import table_pool

    options: dict[str, Any] = {"constraints": constraints, "shared": shared, "cost": cost}
    kinds = (
        parameters.Continuous,
        parameters.Integer,
        parameters.Levels,
        parameters.Categorical,
        parameters.Composition,
        parameters.Mixture,
    )
    if isinstance(pool, kinds):
        pool = [pool]
    if (
        isinstance(pool, Sequence)
        and not isinstance(pool, (str, bytes))
        and any(isinstance(p, kinds) for p in pool)
    ):
        pool = SearchSpace(tuple(pool))
    if isinstance(pool, SearchSpace):
        return pool_of_space(pool, **options)
    if isinstance(pool, (str, os.PathLike)):
        path = Path(pool)
        if _is_large(path):
            from zairyo.campaign._pool_file import FilePool

            return FilePool(path, settings=settings, leave=leave, **options)
        return table_pool(path, settings=settings, leave=leave, **options)
    if all(hasattr(pool, name) for name in ("blocks", "draw", "encode", "decode", "locate", "space")):
        if constraints or shared or cost is not None:
            raise CampaignError(
                "these candidates are already made; give constraints, shared and cost where they are"
            )
        made: Candidates = pool
        return made
    return table_pool(pool, settings=settings, leave=leave, **options)


def candidates_sharing(candidates: Candidates, settings: Settings) -> Candidates:
    """Only those candidates that have some settings (the furnace's temperature of this batch); places stay the same.

    Raises
    ------
    CampaignError
        There is no such setting or kind, or the candidates cannot be narrowed.
    """
    if not settings:
        return candidates
    if not isinstance(candidates, Pool):
        raise CampaignError(
            f"{type(candidates).__name__} cannot be narrowed to shared settings; use candidates_from"
        )
    return candidates.sharing(settings)


def _is_large(path: Path) -> bool:
    try:
        size = path.stat().st_size
    except OSError as e:
        raise CampaignError(f"the candidates' file {path} cannot be opened: {e.strerror}") from None
    if path.suffix.lower() in (".parquet", ".pq"):
        import pyarrow
        from pyarrow import parquet

        try:
            return int(parquet.read_metadata(path).num_rows) > _LARGE_ROWS
        except (pyarrow.ArrowException, OSError) as e:
            raise CampaignError(f"{path.name} is no Parquet file that can be read: {e}") from None
    return size > _LARGE_FILE and path.suffix.lower() not in (".xlsx", ".xls", ".xlsb", ".ods", ".xlsm")


def _rows(settings: Any) -> list[Settings]:
    """Settings as dicts, whatever they came as."""
    if hasattr(settings, "to_dict") and hasattr(settings, "columns"):
        rows: list[Settings] = settings.to_dict("records")
        return rows
    return [settings] if isinstance(settings, Mapping) else list(settings)


def _equal(column: Column, value: Any) -> Mask:
    if isinstance(column, Coded):
        same: Mask = np.array([v == value or str(v) == str(value) for v in column.values], bool)
        return np.asarray(same[column.codes])
    return np.asarray(np.abs(column - value) <= SAME * max(1.0, abs(value)))
