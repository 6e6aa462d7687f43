"""What the parts of a campaign tell each other: candidates, what has been told, what is wanted, what is chosen.

Data flows one way: parameters make :class:`Candidates`; a campaign's log and the candidates make a :class:`Problem`;
a :class:`Strategy` answers a problem with :class:`Pick` after :class:`Pick`; the campaign shows them to people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zairyo.learn import Space

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
#: Settings of one experiment: parameter → value.
Settings: TypeAlias = Mapping[str, Any]

#: Rows of a pool that are looked at together.
BLOCK = 65_536
#: Of more rows to avoid than these, the near ones are looked up in a tree.
MANY_AVOIDED = 500


class CampaignError(ValueError):
    """What was given cannot be used; the message says what, where, and what to do."""


@dataclass(frozen=True, eq=False)
class Block:
    """Some candidates.

    Attributes
    ----------
    index
        Shape (m,): their places in the pool, −1 for points of an endless space.
    X
        Shape (m, p): their features, finite.
    cost
        Shape (m,): what each would cost; None where costs are not given.
    """

    index: Integers
    X: Floats
    cost: Floats | None = None

    def __len__(self) -> int:
        return len(self.index)

    def take(self, rows: Any) -> Block:
        """Some of its rows."""
        return Block(self.index[rows], self.X[rows], None if self.cost is None else self.cost[rows])


def joined(blocks: Sequence[Block], width: int) -> Block:
    """Blocks as one; with none, an empty one of ``width`` features."""
    if len(blocks) == 1:
        return blocks[0]
    if not blocks:
        return Block(np.empty(0, np.int64), np.empty((0, width)))
    costs = [block.cost for block in blocks if block.cost is not None]
    return Block(
        np.concatenate([block.index for block in blocks]),
        np.concatenate([block.X for block in blocks]),
        np.concatenate(costs) if len(costs) == len(blocks) else None,
    )


class Candidates(Protocol):
    """All experiments that could be made: a table, a file, a grid that is never written down, an endless space."""

    names: tuple[str, ...]
    """Of the parameters, as settings name them."""
    space: Space
    """What the feature columns are."""
    size: int | None
    """How many there are before constraints; None where some parameter is continuous."""

    def blocks(self, rows: int = BLOCK) -> Iterator[Block]:
        """All candidates that constraints allow, in order, a block at a time; only where ``size`` is a number."""
        ...

    def draw(
        self, count: int, rng: np.random.Generator, around: Floats | None = None, width: float = 1.0
    ) -> Block:
        """About ``count`` allowed candidates, spread evenly (quasi-random).

        Parameters
        ----------
        around
            Shape (k, p): near these instead.
        width
            How near, as a share of each parameter's range.
        """
        ...

    def encode(self, settings: Sequence[Settings]) -> Floats:
        """Features of settings, shape (n, p), forbidden ones too. Raises CampaignError naming row and parameter."""
        ...

    def decode(self, block: Block) -> list[dict[str, Any]]:
        """Settings of candidates, in the user's own values."""
        ...

    def locate(self, settings: Sequence[Settings]) -> Integers:
        """Places in the pool, shape (n,); −1 where it is not there, or the space is endless."""
        ...


#: Of a range; None where it is open.
Ends: TypeAlias = "tuple[float | None, float | None]"
Direction: TypeAlias = Literal["maximise", "minimise", "target", "within", "model"]


@dataclass(frozen=True)
class Objective:
    """What is wanted of one outcome.

    Attributes
    ----------
    name
        Of the outcome's column.
    direction
        ``maximise``; ``minimise``; ``target`` (come near ``low``); ``within`` (between ``low`` and ``high``); ``model``
        (only learn it).
    low, high
        The target, or the range; None for an open end.
    unit
        Of the outcome, for people.
    weight
        Its share when one point of a Pareto front is chosen.
    constraint
        ``low`` and ``high`` must hold, nothing more is wanted of it.
    classes
        The outcome is a class (a phase), coded 0, 1, … in this order; empty for numbers.
    possible
        Between what the outcome can be at all; None for an open end. Ranges that are shown end there.
    """

    name: str
    direction: Direction = "maximise"
    low: float | None = None
    high: float | None = None
    unit: str = ""
    weight: float = 1.0
    constraint: bool = False
    classes: tuple[str, ...] = ()
    possible: Ends = (None, None)


@dataclass(frozen=True, eq=False)
class Problem:
    """Everything a strategy may know when it chooses.

    Attributes
    ----------
    candidates
        Among which to choose.
    X
        Shape (n, p): features of the experiments told, finite.
    Y
        Shape (n, k): outcomes as measured, a column an objective; NaN where missing.
    failed
        Shape (n,): experiments that were tried and gave nothing.
    index
        Shape (n,): places of the told in the pool, −1 where not in it.
    pending
        Shape (q, p): features of experiments given out and not yet told.
    objectives
        k, of the columns of ``Y``.
    taken
        Places in the pool that may not be proposed (told, pending or rejected); ascending. Empty for those who
        want replicates.
    avoid
        Shape (a, p): features that may not be proposed: the same for endless spaces and pools with duplicated rows.
    noise
        Shape (n, k): known variance of each outcome; None where not known.
    D
        Shape (n, d): measured descriptors, NaN where not measured; None where there are none.
    seed
        Of every random choice: the same problem with the same seed has the same answer.
    """

    candidates: Candidates
    X: Floats
    Y: Floats
    failed: Mask
    index: Integers
    pending: Floats
    objectives: tuple[Objective, ...]
    taken: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    avoid: Floats | None = None
    noise: Floats | None = None
    D: Floats | None = None
    seed: int = 0

    @property
    def space(self) -> Space:
        """Of the features."""
        return self.candidates.space

    @cached_property
    def known(self) -> Mask:
        """Shape (n, k): where an outcome is a number."""
        return np.isfinite(self.Y) & ~self.failed[:, None]

    def blocks(self, rows: int = BLOCK) -> Iterator[Block]:
        """The candidates of a pool that may still be proposed, a block at a time."""
        for block in self.candidates.blocks(rows):
            free = self.free(block)
            if free.all():
                yield block
            elif free.any():
                yield block.take(free)

    @cached_property
    def _slack(self) -> Floats:
        """By how much features of the same settings may differ, shape (p,)."""
        width = self.space.upper - self.space.lower
        return np.where(width > 0, width, 1.0) * 1e-9

    @cached_property
    def _avoided(self) -> Any:
        """The rows to avoid as a tree, in units of the slack."""
        from scipy.spatial import cKDTree

        assert self.avoid is not None
        return cKDTree(self.avoid / self._slack, balanced_tree=False, compact_nodes=False)

    def free(self, block: Block) -> Mask:
        """Which of a block may be proposed, shape (m,)."""
        free = np.ones(len(block), bool)
        if len(self.taken) and len(block) > len(self.taken) and (block.index[1:] > block.index[:-1]).all():
            # In order, as pools give them: the few that are taken are looked for among the many that are not.
            at = np.searchsorted(block.index, self.taken)
            at = at[at < len(block)]
            free[at[np.isin(block.index[at], self.taken)]] = False
        elif len(self.taken):
            at = np.minimum(np.searchsorted(self.taken, block.index), len(self.taken) - 1)
            free &= self.taken[at] != block.index
        if self.avoid is None or not len(self.avoid):
            return free
        if len(self.avoid) > MANY_AVOIDED:
            apart, _ = self._avoided.query(block.X / self._slack, p=np.inf, distance_upper_bound=1.0 + 1e-6)
            free[np.isfinite(apart)] = False
            return free
        for row in self.avoid:
            # Column after column, so that after the first few rows are left to compare.
            near = np.arange(len(block))
            for j in range(block.X.shape[1]):
                near = near[np.abs(block.X[near, j] - row[j]) <= self._slack[j]]
                if not len(near):
                    break
            free[near] = False
        return free


@dataclass(frozen=True, eq=False)
class Pick:
    """One chosen candidate.

    Attributes
    ----------
    index
        Its place in the pool, −1 in an endless space.
    x
        Shape (p,): its features.
    score
        By which it was chosen; higher is better.
    method
        What chose it, a word of the field: ``expected improvement``, ``k-centre``, ``random`` …
    why
        A sentence for people, without the numbers that the campaign adds.
    """

    index: int
    x: Floats
    score: float
    method: str
    why: str = ""


class Strategy(Protocol):
    """A way of choosing. Immutable; what it learns of itself it learns anew from the problem."""

    @property
    def name(self) -> str:
        """As users name it."""
        ...

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        """Up to ``count`` different picks, the best first; fewer only where no more candidates are free."""
        ...
