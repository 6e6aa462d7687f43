"""What to make first, before anything is known: designs, as strategies.

A design gives targets, points of the feature space in the order in which they are to be made. Each becomes the nearest
candidate that is free; where candidates are declared parameters, that is the target itself if it is allowed. What a
design leaves open is filled by the candidates farthest from all made so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Protocol

import numpy as np

from zairyo.campaign._base import Block, CampaignError, Floats, Pick, Problem, Settings
from zairyo.campaign._columns import listed
from zairyo.campaign._design_targets import (
    corners,
    extreme_vertices,
    factorial,
    latin_hypercube,
    made,
    scaled,
    simplex_centroid,
    simplex_lattice,
    sobol,
)
from zairyo.campaign._pool_space import GridPool, SpacePool
from zairyo.learn import Space

#: Pools up to this size are looked at whole, of larger ones so many are drawn.
_WHOLE = 20_000
_EXCHANGED = 1_500
_MOST_TARGETS = 20_000


class Targets(Protocol):
    """The targets of one design."""

    def __call__(self, problem: Problem, count: int, rng: np.random.Generator) -> Floats:
        """Shape (t, p), those made before left out."""
        ...


@dataclass(frozen=True)
class Design:
    """A start design.

    Attributes
    ----------
    name
        As users name it.
    targets
        Where it wants experiments.
    why
        A sentence for people.
    """

    name: str
    targets: Targets
    why: str

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        """Up to ``count`` different picks, in the design's order."""
        rng = np.random.default_rng([problem.seed, made(problem), 11])
        targets = self.targets(problem, count, rng)[:_MOST_TARGETS]
        scene = free_candidates(problem, rng, targets)
        return _picked(problem, scene, targets, count, self.name, self.why)


@dataclass(frozen=True)
class DOptimal:
    """The candidates from which a polynomial's coefficients become known best, by Fedorov's exchange.

    Attributes
    ----------
    model
        ``linear``; ``quadratic`` (with interactions); ``auto``: quadratic where so many experiments are asked
        for that all its coefficients can be found, else linear. Mixtures have Scheffé's form, without
        constant and squares.
    name
        As users name it.
    """

    model: str = "auto"
    name: str = "d-optimal"

    def __post_init__(self) -> None:
        if self.model not in ("auto", "linear", "quadratic"):
            raise CampaignError(f"there is no model {self.model!r}; there are auto, linear, quadratic")

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        """Up to ``count`` different picks."""
        rng = np.random.default_rng([problem.seed, made(problem), 12])
        scene = free_candidates(problem, rng, corners(problem, rng))
        if len(scene) > _EXCHANGED:
            # Where a polynomial is known best is at the edge: those farthest out, and some others.
            out = np.abs(
                scaled(problem.space, scene.X - (problem.space.lower + problem.space.upper) / 2)
            ).sum(axis=1)
            far = np.argsort(-out, kind="stable")[: _EXCHANGED // 2]
            rest = np.setdiff1d(np.arange(len(scene)), far)
            some = rng.choice(rest, min(len(rest), _EXCHANGED // 2), replace=False)
            scene = scene.take(np.sort(np.concatenate([far, some])))
        count = min(count, len(scene))
        before = np.concatenate([problem.X, problem.pending]) if len(problem.pending) else problem.X
        model = self.model
        if model == "auto":
            enough = terms(problem.space, scene.X[:1], "quadratic").shape[1]
            model = "quadratic" if len(before) + count >= enough else "linear"
        F, old = (terms(problem.space, X, model) for X in (scene.X, before))
        rows = d_optimal(F, count, old, rng)
        why = f"makes the coefficients of a {model} model known best, with those made before"
        return [Pick(int(scene.index[r]), scene.X[r], 0.0, self.name, why) for r in rows]


DESIGNS: dict[str, Design | DOptimal] = {
    "sobol": Design("sobol", sobol, "spreads the first experiments evenly over the space"),
    "latin hypercube": Design(
        "latin hypercube", latin_hypercube, "gives each parameter evenly spread values, far from one another"
    ),
    "d-optimal": DOptimal(),
    "simplex lattice": Design(
        "simplex lattice", simplex_lattice, "makes mixtures in equal steps, pure ones first"
    ),
    "simplex centroid": Design(
        "simplex centroid", simplex_centroid, "makes equal parts of one, two, three … ingredients"
    ),
    "extreme vertices": Design(
        "extreme vertices", extreme_vertices, "makes the corners that the bounds leave"
    ),
    "factorial": Design("factorial", factorial, "combines low and high values of the parameters"),
}


def own_design(settings: Sequence[Settings] | Any) -> Design:
    """The user's own list of experiments, made in its order."""
    rows = settings.to_dict("records") if hasattr(settings, "to_dict") else list(settings)
    if not rows or not all(isinstance(r, Mapping) for r in rows):
        raise CampaignError("a design of one's own is a list of settings, parameter → value, or a DataFrame")

    def targets(problem: Problem, count: int, rng: np.random.Generator) -> Floats:
        X = problem.candidates.encode(rows)
        done = np.concatenate([problem.X, problem.pending.reshape(-1, X.shape[1])])
        unit, known = scaled(problem.space, X), scaled(problem.space, done)
        open_ = [i for i, x in enumerate(unit) if not (np.abs(known - x) <= 1e-9).all(axis=1).any()]
        return X[open_]

    return Design("own design", targets, "is the next of the given design")


def design_named(name: str) -> Design | DOptimal:
    """A design by its name.

    Raises
    ------
    CampaignError
        There is none.
    """
    if name not in DESIGNS:
        raise CampaignError(f"there is no start design {name!r}; there are {listed(list(DESIGNS))}")
    return DESIGNS[name]


# From targets to candidates -----------------------------------------------------------------------------------------


def free_candidates(problem: Problem, rng: np.random.Generator, targets: Floats | None) -> Block:
    """Candidates that may be proposed, each once: all of a small pool, else many of it and near the targets."""
    pool = problem.candidates
    blocks: list[Block] = []
    if targets is not None and len(targets) and isinstance(pool, SpacePool):
        exact = pool.at_features(targets)
        blocks.append(exact.take(exact.index >= 0) if isinstance(pool, GridPool) else exact)
    if pool.size is not None and pool.size <= _WHOLE:
        blocks += list(problem.blocks())
    else:
        blocks.append(pool.draw(4096, rng))
        if targets is not None and len(targets):
            blocks.append(pool.draw(2048, rng, around=targets[:256], width=0.05))
    blocks = [b.take(problem.free(b)) for b in blocks if len(b)]
    blocks = [b for b in blocks if len(b)]
    if not blocks:
        return Block(np.empty(0, np.int64), np.empty((0, problem.space.width)))
    X = np.concatenate([b.X for b in blocks])
    index = np.concatenate([b.index for b in blocks])
    first = np.sort(np.unique(np.round(scaled(problem.space, X), 9), axis=0, return_index=True)[1])
    return Block(index[first], X[first])


def _picked(problem: Problem, scene: Block, targets: Floats, count: int, name: str, why: str) -> list[Pick]:
    """The nearest free candidate to each target in turn; then those farthest from all."""
    unit = scaled(problem.space, scene.X)
    wanted = scaled(problem.space, targets)
    open_ = np.ones(len(scene), bool)
    picks: list[Pick] = []

    def choose(row: int, score: float, how: str, reason: str) -> None:
        open_[row] = False
        picks.append(Pick(int(scene.index[row]), scene.X[row], score, how, reason))

    for target in wanted:
        if len(picks) == count or not open_.any():
            return picks
        far = np.where(open_, ((unit - target) ** 2).sum(axis=1), np.inf)
        row = int(np.argmin(far))
        exact = far[row] <= 1e-12
        choose(row, -float(far[row]), name, why if exact else f"{why} (the nearest candidate that is free)")
    known = np.concatenate([problem.X, problem.pending.reshape(-1, problem.space.width)])
    known = np.concatenate([scaled(problem.space, known), *([unit[~open_]] if (~open_).any() else [])])
    gap = np.full(len(scene), np.inf)
    for x in known:
        gap = np.minimum(gap, ((unit - x) ** 2).sum(axis=1))
    while len(picks) < count and open_.any():
        row = int(np.argmax(np.where(open_, gap, -1.0)))
        choose(row, float(min(gap[row], 1e9)), "k-centre", "is farthest from all experiments so far")
        gap = np.minimum(gap, ((unit - unit[row]) ** 2).sum(axis=1))
    return picks


# D-optimality -------------------------------------------------------------------------------------------------------


def terms(space: Space, X: Floats, model: str) -> Floats:
    """The terms of a polynomial, shape (n, t): scaled to −1 … 1, mixtures in Scheffé's form.

    Source: H. Scheffé, J. R. Stat. Soc. B 20 (1958) 344. A category is the contrasts with its last level.
    """
    plain: list[Floats] = []
    blends: list[Floats] = []
    squares: list[Floats] = []
    mixture_first = any(v.kind == "mixture" for v in space.variables)
    constant = not mixture_first
    for n, variable in enumerate(space.variables):
        columns = list(variable.columns)
        low, span = space.lower[columns], np.maximum((space.upper - space.lower)[columns], 1e-12)
        part = X[:, columns]
        if variable.kind == "mixture":
            first = not any(v.kind == "mixture" for v in space.variables[:n])
            blends += [part[:, j] for j in range(len(columns) if first else len(columns) - 1)]
        elif variable.kind == "category":
            plain += [2 * part[:, j] - 1 for j in range(len(columns) - 1)]
        else:
            centred = 2 * (part - low) / span - 1
            plain += list(centred.T)
            squares += [c**2 for c in centred.T]
    columns_ = [np.ones(len(X))] * constant + blends + plain
    if model == "quadratic":
        every = blends + plain
        columns_ += [a * b for a, b in combinations(every, 2)] + squares
    return np.column_stack(columns_) if columns_ else np.ones((len(X), 1))


def d_optimal(F: Floats, count: int, before: Floats, rng: np.random.Generator) -> list[int]:
    """Rows of F (n, t) that make det(F'F) of them and of rows made before largest (Fedorov 1972).

    A little is added to the diagonal, so that fewer rows than terms, or terms that depend on one another, do no harm.
    """
    if count >= len(F):
        return list(range(len(F)))
    scale = np.maximum(np.abs(F).max(axis=0), 1e-12)
    F, before = F / scale, before / scale
    start: Floats = np.eye(F.shape[1]) * 1e-4 + before.T @ before
    inverse: Floats = np.asarray(np.linalg.inv(start), float)
    chosen: list[int] = []
    open_ = np.ones(len(F), bool)
    nudge = 1e-9 * rng.random(len(F))  # ties are broken by the seed, not by the order of rows
    for _ in range(count):  # greedily first
        gain = np.einsum("ij,jk,ik->i", F, inverse, F) * (1 + nudge)
        row = int(np.argmax(np.where(open_, gain, -1.0)))
        chosen.append(row)
        open_[row] = False
        inverse = _updated(inverse, F[row], 1.0)
    for _ in range(10):
        better = False
        for place, old in enumerate(chosen):
            V = F @ inverse
            d = (V * F).sum(axis=1)
            cross = V @ F[old]
            # Fedorov's delta: how the determinant grows when the old row gives way to each other row.
            delta = d - (d * d[old] - cross**2) - d[old]
            row = int(np.argmax(np.where(open_, delta, -np.inf)))
            if delta[row] > 1e-6:
                inverse = _updated(_updated(inverse, F[row], 1.0), F[old], -1.0)
                open_[old], open_[row] = True, False
                chosen[place] = row
                better = True
        if not better:
            break
    return chosen


def _updated(inverse: Floats, row: Floats, sign: float) -> Floats:
    """The inverse of M ± row'row (Sherman and Morrison)."""
    v = inverse @ row
    result: Floats = inverse - sign * np.outer(v, v) / (1.0 + sign * float(row @ v))
    return result
