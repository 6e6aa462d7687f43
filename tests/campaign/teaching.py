"""A pool of rows, and problems over it, for the tests of strategies that seek knowledge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from zairyo.campaign._base import BLOCK, Block, Objective, Pick, Problem
from zairyo.learn import Space


class Rows:
    """Rows of a matrix as candidates."""

    def __init__(self, X: np.ndarray, space: Space | None = None) -> None:
        self.X = np.asarray(X, dtype=float)
        self.space = space or Space.of(self.X)
        self.names, self.size = self.space.names, len(self.X)

    def blocks(self, rows: int = BLOCK) -> Iterator[Block]:
        for start in range(0, len(self.X), rows):
            part = self.X[start : start + rows]
            yield Block(np.arange(start, start + len(part)), part)

    def draw(
        self, count: int, rng: np.random.Generator, around: np.ndarray | None = None, width: float = 1.0
    ) -> Block:
        index = rng.integers(len(self.X), size=count)
        return Block(index, self.X[index])

    def encode(self, settings: Sequence[Any]) -> np.ndarray:
        return np.array([[one[name] for name in self.names] for one in settings], dtype=float)

    def decode(self, block: Block) -> list[dict[str, Any]]:
        return [dict(zip(self.names, row, strict=True)) for row in block.X]

    def locate(self, settings: Sequence[Any]) -> np.ndarray:
        raise NotImplementedError


def problem(
    pool: Rows,
    made: Sequence[int] = (),
    Y: Any = None,
    *,
    failed: Any = None,
    pending: Sequence[int] = (),
    D: Any = None,
    objectives: tuple[Objective, ...] | None = None,
    seed: int = 0,
) -> Problem:
    """Rows ``made`` of the pool with outcomes ``Y``; those and ``pending`` ones may not be proposed."""
    rows = np.array(made, dtype=np.int64)
    outcomes = np.zeros((len(rows), 1))
    if len(rows) and Y is not None:
        outcomes = np.asarray(Y, dtype=float).reshape(len(rows), -1)
    taken = np.unique(np.append(rows, np.array(pending, dtype=np.int64)))
    return Problem(
        pool,
        pool.X[rows],
        outcomes,
        np.zeros(len(rows), bool) if failed is None else np.asarray(failed, bool),
        rows,
        pool.X[list(pending)].reshape(-1, pool.X.shape[1]),
        objectives or tuple(Objective(f"y{k}", "model") for k in range(outcomes.shape[1])),
        taken=taken,
        avoid=pool.X[taken],
        D=None if D is None else np.asarray(D, dtype=float),
        seed=seed,
    )


def sound(given: Problem, picks: list[Pick], count: int) -> None:
    """No pick twice, none that is taken or the same as one, as many as are left up to ``count``."""
    rows = [pick.index for pick in picks]
    settings = {tuple(pick.x) for pick in picks}
    assert len(set(rows)) == len(rows)
    assert len(settings) == len(rows)
    free = {tuple(x) for block in given.blocks() for x in block.X}
    assert settings <= free
    assert len(picks) == min(count, len(free))
    assert all(np.isfinite(pick.score) and pick.method and pick.why for pick in picks)
