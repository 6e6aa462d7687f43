"""A pool of rows, and problems over it, for the tests of strategies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from zairyo.campaign._base import BLOCK, Block, Objective, Problem
from zairyo.learn import Space


class Rows:
    """A pool of rows."""

    def __init__(self, X: np.ndarray, space: Space | None = None, cost: np.ndarray | None = None) -> None:
        self.X = np.asarray(X, dtype=float)
        self.space = Space.of(self.X) if space is None else space
        self.names = self.space.names
        self.size: int | None = len(X)
        self.cost = cost

    def at(self, rows: np.ndarray) -> Block:
        return Block(rows, self.X[rows], None if self.cost is None else self.cost[rows])

    def blocks(self, rows: int = BLOCK) -> Iterator[Block]:
        for start in range(0, len(self.X), rows):
            yield self.at(np.arange(start, min(start + rows, len(self.X))))

    def draw(
        self, count: int, rng: np.random.Generator, around: np.ndarray | None = None, width: float = 1.0
    ) -> Block:
        return self.at(np.sort(rng.choice(len(self.X), min(count, len(self.X)), replace=False)))

    def encode(self, settings: Sequence[Any]) -> np.ndarray:
        return np.array([[one[name] for name in self.names] for one in settings], dtype=float)

    def decode(self, block: Block) -> list[dict[str, Any]]:
        return [dict(zip(self.names, row, strict=True)) for row in block.X]

    def locate(self, settings: Sequence[Any]) -> np.ndarray:
        raise NotImplementedError


class Square(Rows):
    """The unit square, without end."""

    def __init__(self) -> None:
        super().__init__(np.array([[0.0, 0.0], [1.0, 1.0]]))
        self.size = None

    def draw(
        self, count: int, rng: np.random.Generator, around: np.ndarray | None = None, width: float = 1.0
    ) -> Block:
        X = rng.random((count, 2))
        if around is not None:
            X = np.clip(around[np.arange(count) % len(around)] + width * (X - 0.5), 0.0, 1.0)
        return Block(np.full(count, -1), X)


def problem(
    pool: Rows,
    made: Sequence[int],
    Y: Any,
    objectives: tuple[Objective, ...] = (Objective("y"),),
    failed: Any = None,
    pending: Sequence[int] = (),
    seed: int = 0,
    **more: Any,
) -> Problem:
    rows, out = np.asarray(made, int), np.asarray(pending, int)
    return Problem(
        candidates=pool,
        X=pool.X[rows],
        Y=np.asarray(Y, float).reshape(len(rows), len(objectives)),
        failed=np.zeros(len(rows), bool) if failed is None else np.asarray(failed, bool),
        index=rows,
        pending=pool.X[out],
        objectives=objectives,
        taken=np.unique(np.append(rows, out)),
        avoid=np.vstack([pool.X[rows], pool.X[out]]),
        seed=seed,
        **more,
    )


def hill(X: np.ndarray) -> np.ndarray:
    """Highest at (0.7, 0.3)."""
    return np.asarray(np.exp(-8 * ((X[:, 0] - 0.7) ** 2 + (X[:, 1] - 0.3) ** 2)))
