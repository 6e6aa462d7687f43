"""Candidates with a column that says which campaign a row is from, and what earlier campaigns differ by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zairyo.campaign._base import BLOCK, Block, Candidates, Floats, Integers, Problem, Settings
from zairyo.campaign._pools import candidates_sharing
from zairyo.learn import Space, Variable

Texts: TypeAlias = NDArray[np.str_]


def sharing(candidates: Candidates, settings: Settings) -> Candidates:
    """Only the candidates that have some settings."""
    if isinstance(candidates, Sourced):
        return Sourced(candidates_sharing(candidates.candidates, settings), candidates.sources)
    return candidates_sharing(candidates, settings)


def inner(candidates: Candidates) -> Candidates:
    """The candidates without the columns of sources."""
    return candidates.candidates if isinstance(candidates, Sourced) else candidates


class Sourced:
    """Candidates with a column more for each earlier campaign: 1 for its rows, 0 for all that can be made now.

    A model so learns how far what was true there is true here.

    Parameters
    ----------
    candidates
        Without these columns.
    sources
        Names of the earlier campaigns.
    """

    def __init__(self, candidates: Candidates, sources: tuple[str, ...]) -> None:
        self.candidates, self.sources = candidates, sources
        self.names, self.size = candidates.names, candidates.size
        old, more = candidates.space, len(sources)
        own = tuple(Variable(f"source {name}", "number", (old.width + k,)) for k, name in enumerate(sources))
        self.space = Space(
            (*old.variables, *own),
            (*old.names, *(v.name for v in own)),
            np.append(old.lower, np.zeros(more)),
            np.append(old.upper, np.ones(more)),
        )

    def widened(self, X: Floats, source: str = "") -> Floats:
        """Features with the columns of sources, all rows from one."""
        marks = np.array([float(name == source) for name in self.sources])
        return np.hstack([X, np.broadcast_to(marks, (len(X), len(marks)))])

    def _wide(self, block: Block) -> Block:
        return Block(block.index, self.widened(block.X), block.cost)

    def _narrow(self, X: Floats) -> Floats:
        return X[:, : X.shape[1] - len(self.sources)]

    def blocks(self, rows: int = BLOCK) -> Iterator[Block]:
        for block in self.candidates.blocks(rows):
            yield self._wide(block)

    def draw(
        self, count: int, rng: np.random.Generator, around: Floats | None = None, width: float = 1.0
    ) -> Block:
        near = None if around is None else self._narrow(around)
        return self._wide(self.candidates.draw(count, rng, near, width))

    def encode(self, settings: Sequence[Settings]) -> Floats:
        return self.widened(self.candidates.encode(settings))

    def decode(self, block: Block) -> list[dict[str, Any]]:
        return self.candidates.decode(Block(block.index, self._narrow(block.X), block.cost))

    def locate(self, settings: Sequence[Settings]) -> Integers:
        return self.candidates.locate(settings)


def offsets(problem: Problem, source: Texts) -> Floats:
    """By how much outcomes of earlier campaigns lie above those of this one, shape (n, k); 0 for its own rows.

    Generalised least squares under a Gaussian process of fixed length: rows of the same settings, or of near ones, tell
    the difference; where nothing does, the prior keeps it near 0.
    """
    found = np.zeros_like(problem.Y)
    names = [str(s) for s in np.unique(source) if s]
    space, width = problem.space, problem.space.width - len(names)
    span = np.where(space.upper > space.lower, space.upper - space.lower, 1.0)[:width]
    for k in range(problem.Y.shape[1]):
        known = problem.known[:, k]
        if problem.objectives[k].classes or not (known & (source == "")).any():
            continue
        Z = (problem.X[known, :width] - space.lower[:width]) / span
        marks = np.column_stack([(source[known] == name).astype(float) for name in names])
        y = problem.Y[known, k]
        middle, spread = float(y.mean()), float(y.std()) or 1.0
        t = (y - middle) / spread
        apart = np.maximum((Z**2).sum(1)[:, None] + (Z**2).sum(1) - 2 * Z @ Z.T, 0.0)
        K = np.exp(-apart / (0.5 * max(width, 1))) + 0.02 * np.eye(len(t)) + 1.0
        solved = np.linalg.solve(K, np.column_stack([marks, t]))
        normal = marks.T @ solved[:, :-1] + np.eye(len(names)) / 4.0
        shift = np.linalg.solve(normal, marks.T @ solved[:, -1]) * spread
        found[:, k] = np.column_stack([(source == name).astype(float) for name in names]) @ shift
    return found
