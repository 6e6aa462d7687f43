"""Finding the candidates that promise most: one look at all of them, then a closer one at the few that may win.

Experiments given out only lower what the others promise, never raise it. So the best of a batch are among those that
scored best before it: all candidates are looked at once a batch, and a shortlist is followed exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zairyo.campaign._base import Block, Floats, Mask, Problem, joined
from zairyo.learn._kernels import features_of, squares
from zairyo.learn._threads import on_all_cores

#: Candidates that are followed exactly.
SHORTLIST = 8192
#: Rows of a pool looked at together, and by one core.
ROWS, PART = 262_144, 16_384
#: Points drawn at first from a space without end, and near the best in each later round.
DRAWN, NEAR = 4096, 512
#: How near, as shares of each range.
WIDTHS = (0.2, 0.05, 0.0125, 0.003)
#: Candidates among which points are spread, or draws of functions compared.
SPREAD = 20_000
#: Rows of a pool that are gone through to draw one at random.
LISTED = 1_000_000


class Working(Protocol):
    """Scores of fixed candidates while more and more of them are given out."""

    def scores(self) -> Floats:
        """Shape (m,); higher is better."""
        ...

    def add(self, row: int) -> None:
        """Row ``row`` is given out."""
        ...

    def extend(self, block: Block) -> None:
        """Further candidates."""
        ...


class Scorer(Protocol):
    """A way to say how much candidates promise."""

    def coarse(self, block: Block) -> Floats:
        """Shape (m,): a first look, quick and from any thread; its order is that of the scores or near it."""
        ...

    def working(self, block: Block, room: int) -> Working:
        """Exact scores, of which up to ``room`` will be given out."""
        ...


@dataclass(frozen=True)
class Found:
    """One candidate found: its place, features and score."""

    index: int
    x: Floats
    score: float


def greedy(problem: Problem, scorer: Scorer, count: int, share: float = 1.0) -> list[Found]:
    """Up to ``count`` different candidates, each the best after those before it were given out.

    ``share`` of the usual shortlist is followed where exact scores are dear.
    """
    rng = np.random.default_rng([abs(problem.seed), len(problem.X), len(problem.pending)])
    endless, most = problem.candidates.size is None, round(share * SHORTLIST) + count
    block = drawn(problem, scorer, rng, most) if endless else shortlist(problem, scorer, most)
    if not len(block):
        return []
    working = scorer.working(block, count)
    gone = np.zeros(len(block), bool)
    found: list[Found] = []
    while len(found) < count:
        scores = np.where(
            gone, -np.inf, np.nan_to_num(working.scores(), nan=-1e300, posinf=1e300, neginf=-1e300)
        )
        if gone.all():
            break
        row = int(np.argmax(scores))
        found.append(Found(int(block.index[row]), block.X[row], float(scores[row])))
        if len(found) == count:
            break
        working.add(row)
        if endless:
            near = _near(problem, block.X[np.argsort(-scores, kind="stable")[:4]], rng, (0.1, 0.01))
            working.extend(near)
            block = joined([block, near], problem.space.width)
            gone = np.append(gone, np.zeros(len(near), bool))
        gone |= same(problem, block.X, found[-1].x)
    return found


def same(problem: Problem, X: Floats, x: Floats) -> Mask:
    """Which rows are the experiment ``x``."""
    span = np.where(problem.space.upper > problem.space.lower, problem.space.upper - problem.space.lower, 1.0)
    return np.asarray((np.abs(X - x) <= 1e-9 * span).all(axis=1))


def shortlist(problem: Problem, scorer: Scorer, most: int) -> Block:
    """The candidates of a pool with the best coarse scores; all where there are no more than ``most``."""
    kept: list[Block] = []
    scores: Floats | None = None
    for block in problem.blocks(ROWS):
        if scores is None:
            kept.append(block)
            if sum(map(len, kept)) <= most:
                continue
            block, kept = joined(kept, problem.space.width), []
            scores = np.empty(0)
        mine = _coarse(scorer, block)
        # Among equals the first stay: once the list is full, only what is better gets in.
        rows = np.arange(len(block)) if len(scores) < most else np.flatnonzero(mine > scores.min())
        both = np.concatenate([scores, mine[rows]])
        best = np.sort(np.argsort(-both, kind="stable")[:most])
        kept = [joined([*kept, block.take(rows)], problem.space.width).take(best)]
        scores = both[best]
    return joined(kept, problem.space.width)


def _coarse(scorer: Scorer, block: Block) -> Floats:
    found = np.empty(len(block))

    def part(start: int) -> None:
        rows = slice(start, start + PART)
        found[rows] = scorer.coarse(block.take(rows))

    starts = range(0, len(block), PART)
    if len(starts) > 1:
        on_all_cores(part, starts)
    else:
        part(0)
    return np.nan_to_num(found, nan=-1e300, posinf=1e300, neginf=-1e300)


def drawn(problem: Problem, scorer: Scorer, rng: np.random.Generator, most: int = SHORTLIST) -> Block:
    """Candidates of a space without end: spread over it, then nearer and nearer to those that promise most."""
    block = distinct(problem, problem.candidates.draw(DRAWN, rng))
    if not len(block):
        return block
    scores = _coarse(scorer, block)
    for width in WIDTHS:
        top = np.argsort(-scores, kind="stable")[:8]
        near = _near(problem, block.X[top], rng, (width,))
        if not len(near):
            continue
        block, scores = joined([block, near], problem.space.width), np.append(scores, _coarse(scorer, near))
    best = np.sort(np.argsort(-scores, kind="stable")[:most])
    return distinct(problem, block.take(best))


def _near(problem: Problem, X: Floats, rng: np.random.Generator, widths: tuple[float, ...]) -> Block:
    parts = [problem.candidates.draw(NEAR // len(widths), rng, around=X, width=width) for width in widths]
    return distinct(problem, joined(parts, problem.space.width))


def distinct(problem: Problem, block: Block) -> Block:
    """Those that may be proposed, each once."""
    block = block.take(problem.free(block)) if len(block) else block
    _, first = np.unique(block.X, axis=0, return_index=True)
    return block.take(np.sort(first))


def sample(problem: Problem, most: int, rng: np.random.Generator) -> Block:
    """Up to ``most`` candidates that may be proposed: all of a small pool, else some drawn evenly."""
    size = problem.candidates.size
    if size is not None and size <= most:
        return joined(list(problem.blocks()), problem.space.width)
    block = distinct(problem, problem.candidates.draw(most, rng))
    if not len(block) and size is not None:
        # Nearly everything is taken: what is left is found in order.
        return joined(list(_first(problem.blocks(), most)), problem.space.width)
    return block


def _first(blocks: Iterator[Block], most: int) -> Iterator[Block]:
    count = 0
    for block in blocks:
        yield block.take(slice(0, most - count))
        count += len(block)
        if count >= most:
            return


def promising(problem: Problem, scorer: Scorer, rng: np.random.Generator) -> Block:
    """All of a small pool; else those with the best scores, and others spread evenly."""
    size = problem.candidates.size
    if size is not None and size <= SPREAD:
        return sample(problem, SPREAD, rng)
    best = drawn(problem, scorer, rng) if size is None else shortlist(problem, scorer, SHORTLIST)
    return distinct(problem, joined([best, sample(problem, SHORTLIST, rng)], problem.space.width))


def at_random(problem: Problem, count: int, rng: np.random.Generator) -> list[Found]:
    """Different candidates, each as likely as the others."""
    size = problem.candidates.size
    if size is None or size > LISTED:
        block = sample(problem, 16 * count + 64, rng)
        keys = rng.random(len(block))
    else:
        parts, drawn_keys = [], []
        most = 16 * count + 64
        for part in problem.blocks():
            mine = rng.random(len(part))
            rows = np.sort(np.argsort(mine, kind="stable")[:most])
            parts.append(part.take(rows))
            drawn_keys.append(mine[rows])
        if not parts:
            return []
        block, keys = joined(parts, problem.space.width), np.concatenate(drawn_keys)
    found: list[Found] = []
    gone = np.zeros(len(block), bool)
    for row in np.argsort(keys, kind="stable"):
        if not gone[row]:
            found.append(Found(int(block.index[row]), block.X[row], 0.0))
            gone |= same(problem, block.X, block.X[row])
        if len(found) == count:
            break
    return found


def spread(problem: Problem, count: int) -> list[Found]:
    """Candidates far from all made, pending and chosen ones (greedy k-centre); the first of all is in the middle."""
    rng = np.random.default_rng([abs(problem.seed), len(problem.X), len(problem.pending), 7])
    block = sample(problem, SPREAD, rng)
    features = features_of(problem.space, problem.space.variables, "tied")
    if not len(block):
        return []
    Z = np.zeros((len(block), 1)) if features is None else features.of(block.X)
    centres = np.vstack([problem.X, problem.pending]) if len(problem.pending) else problem.X
    apart = np.full(len(Z), np.inf)
    if features is not None:
        for start in range(0, len(centres), 64):
            some = features.of(centres[start : start + 64])
            apart = np.minimum(apart, squares(Z, some).min(axis=1))
    found: list[Found] = []
    gone = np.zeros(len(Z), bool)
    while len(found) < count and not gone.all():
        if np.isinf(apart).any():
            middle = squares(Z, Z.mean(axis=0)[None, :])[:, 0]
            row = int(np.argmin(np.where(gone, np.inf, middle)))
        else:
            row = int(np.argmax(np.where(gone, -np.inf, apart)))
        far = 0.0 if np.isinf(apart[row]) else float(np.sqrt(apart[row]))
        found.append(Found(int(block.index[row]), block.X[row], far))
        apart = np.minimum(apart, squares(Z, Z[row : row + 1])[:, 0])
        gone |= same(problem, block.X, block.X[row])
    return found
