"""The aim *composition spread*: a film whose composition changes evenly from one end to the other, made in one go.

Combinatorial deposition makes n compositions on a line between two end points at once, at the same other settings. The
line is proposed whose compositions together promise, or are to teach, the most; the n of them are the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from zairyo.campaign._acquisition import log_expected_improvement, log_nearing
from zairyo.campaign._base import Block, CampaignError, Floats, Objective, Pick, Problem
from zairyo.campaign._teach_scene import Scene, over_blocks, squares
from zairyo.learn import GP
from zairyo.learn._threads import one_thread

#: End points that are tried against each other.
ENDS = 48
#: Other settings at which lines are tried, the most promising first.
FILMS = 12
#: A row of a pool stands for a point of the line if it lies within this share of a step of it.
NEAR = 0.51


@dataclass(frozen=True, eq=False)
class Line:
    """A spread: its rows in order along the film, and what they promise together."""

    X: Floats
    index: NDArray[np.int64]
    value: float
    length: float


@dataclass(frozen=True)
class Spread:
    """Choose a composition spread; the number of picks asked for is the number of compositions on it.

    Attributes
    ----------
    name
        ``auto`` (expected improvement, or uncertainty where a model is wanted), ``uncertainty`` or ``random``.
    """

    name: str = "auto"

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        """The compositions along one line, in order. Fewer only where the pool has no line of so many.

        Raises
        ------
        CampaignError
            Where there is no composition: neither a mixture nor two numbers among the parameters.
        """
        if count < 1:
            return []
        with one_thread():
            scene = Scene.of(problem, list(range(problem.Y.shape[1])))
            columns = _composition(scene)
            if len(scene.block) == 0:
                return []
            value = _value(scene, problem.objectives, self.name)
            for steps in range(count, 0, -1):
                line = _best_line(scene, problem, columns, value, steps)
                if line is not None:
                    return _picks(line, problem, columns, self.name)
        return []


def _composition(scene: Scene) -> NDArray[np.intp]:
    """The columns that change along a film: the first mixture's, else all numbers."""
    for variable in scene.space.variables:
        if variable.kind == "mixture":
            return np.array(variable.columns, dtype=np.intp)
    numbers = [j for one in scene.space.variables if one.kind in ("number", "integer") for j in one.columns]
    if len(numbers) < 2:
        raise CampaignError(
            "a composition spread needs a mixture among the parameters, or two amounts that are numbers; there are "
            + ", ".join(f"{one.name} ({one.kind})" for one in scene.space.variables)
        )
    return np.array(numbers, dtype=np.intp)


def _value(scene: Scene, objectives: tuple[Objective, ...], name: str) -> Floats:
    """What each candidate promises, from 0; shape (m,)."""
    total = np.zeros(len(scene.block))
    if name == "random":
        rng = np.random.default_rng([scene.seed, len(scene.made), 43])
        return np.asarray(rng.random(len(scene.block)))
    for gp, objective, y in zip(scene.gps, objectives, scene.Y.T, strict=True):
        if gp is None or objective.classes or (objective.constraint and name == "auto"):
            continue
        one = _of_objective(gp, objective if name == "auto" else None, y, scene.block.X)
        top = float(one.max(initial=0.0))
        total += objective.weight * one / top if top > 0 else 0.0
    if not total.any():  # nothing is known yet: far from what is made
        made = scene.scaled(scene.made)
        total += (
            over_blocks(scene.Z, lambda rows: squares(rows, made).min(axis=1).astype(float))
            if len(made)
            else 1.0
        )
    return np.asarray(total * scene.chance)


def _of_objective(gp: GP, objective: Objective | None, y: Floats, X: Floats) -> Floats:
    mean, variance = gp.latent(X)
    if objective is None or objective.direction == "model":
        return np.asarray(np.sqrt(variance))
    known = gp.output.forward(y[np.isfinite(y)])
    if objective.direction in ("maximise", "minimise"):
        sign = 1.0 if objective.direction == "maximise" else -1.0
        return np.asarray(
            np.exp(log_expected_improvement(sign * mean, variance, float((sign * known).max())))
        )
    ends = [objective.low, objective.low if objective.direction == "target" else objective.high]
    low, high = (None if end is None else float(gp.output.forward(np.array([end]))[0]) for end in ends)
    below = np.zeros(len(known)) if low is None else low - known
    above = np.zeros(len(known)) if high is None else known - high
    nearest = float(np.maximum(np.maximum(below, above), 0.0).min())
    return np.asarray(np.exp(log_nearing(mean, variance, low, high, nearest)))


def _best_line(
    scene: Scene, problem: Problem, columns: NDArray[np.intp], value: Floats, steps: int
) -> Line | None:
    """The line of most value over its compositions; of equal ones the longest, then the first."""
    best: Line | None = None
    for rows in _films(scene, columns, value):
        found = _line_within(scene, problem, columns, value, rows, steps)
        if found is not None and (
            best is None or (found.value, found.length) > (best.value * (1 + 1e-9), best.length)
        ):
            best = found
    return best


def _films(scene: Scene, columns: NDArray[np.intp], value: Floats) -> list[NDArray[np.intp]]:
    """Candidates that agree in all settings but composition, the most promising first."""
    others = np.setdiff1d(np.arange(scene.space.width), columns)
    X = scene.block.X
    if len(others) == 0:
        return [np.arange(len(X))]
    if _endless(scene):
        # No two drawn points agree: each promising one gives its own settings to all compositions.
        top = np.argsort(-value, kind="stable")[:FILMS]
        return [np.append(row, np.delete(np.arange(len(X)), row)) for row in top]
    owner = np.unique(X[:, others], axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(owner, kind="stable")
    films = [np.array(list(rows)) for _, rows in groupby(order, key=lambda row: owner[row])]
    films.sort(key=lambda rows: (-float(np.sort(value[rows])[-20:].sum()), int(rows[0])))
    return films[:FILMS]


def _endless(scene: Scene) -> bool:
    """Whether candidates are points of an endless space, which lines need not snap to."""
    return bool(len(scene.block) and scene.block.index[0] < 0)


def _ends(points: Floats, value: Floats) -> NDArray[np.intp]:
    """End points worth trying: the outline of the compositions (k-centre), and the most promising of them."""
    first = int(np.argmax(((points - points.mean(axis=0)) ** 2).sum(axis=1)))
    chosen = [first]
    near = ((points - points[first]) ** 2).sum(axis=1)
    while len(chosen) < min(ENDS // 2, len(points)) and near.max() > 0:
        chosen.append(int(np.argmax(near)))
        near = np.minimum(near, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    promising = np.argsort(-value, kind="stable")[: ENDS - len(chosen)]
    return np.unique(np.append(chosen, promising))


def _line_within(
    scene: Scene,
    problem: Problem,
    columns: NDArray[np.intp],
    value: Floats,
    rows: NDArray[np.intp],
    steps: int,
) -> Line | None:
    X = scene.block.X[rows]
    points = X[:, columns]
    ends = _ends(points, value[rows])
    first, last = np.triu_indices(len(ends), 1) if steps > 1 else (np.arange(len(ends)),) * 2
    along = np.linspace(0.0, 1.0, steps)[None, :, None]
    A, B = points[ends[first]][:, None, :], points[ends[last]][:, None, :]
    lines = A + along * (B - A)
    length = np.sqrt(((B - A) ** 2).sum(axis=(1, 2)))
    tree = cKDTree(points)
    apart, nearest = tree.query(lines.reshape(-1, len(columns)))
    apart, nearest = apart.reshape(lines.shape[:2]), nearest.reshape(lines.shape[:2])
    worth = value[rows][nearest].sum(axis=1)
    endless = _endless(scene)
    if not endless:
        step = length / max(steps - 1, 1)
        ordered = np.sort(nearest, axis=1)
        distinct = (ordered[:, 1:] != ordered[:, :-1]).all(axis=1)
        worth = np.where(distinct & (apart.max(axis=1) <= np.maximum(NEAR * step, 1e-9)), worth, -np.inf)
    for at in np.lexsort((np.arange(len(worth)), -length, -worth))[: 50 if endless else 1]:
        if not np.isfinite(worth[at]):
            return None
        if not endless:
            on = rows[nearest[at]]
            return Line(scene.block.X[on], scene.block.index[on], float(worth[at]), float(length[at]))
        made = np.tile(X[0], (steps, 1))
        made[:, columns] = lines[at]
        if _allowed(problem, points, columns, made):
            return Line(made, np.full(steps, -1), float(worth[at]), float(length[at]))
    return None


def _allowed(problem: Problem, points: Floats, columns: NDArray[np.intp], X: Floats) -> bool:
    """Whether a line in an endless space can be made: settings that exist, all constraints, nothing made already."""
    block = Block(np.full(len(X), -1), X)
    if not problem.free(block).all():
        return False
    most = int((points > 1e-9).sum(axis=1).max())
    if int((X[:, columns] > 1e-9).sum(axis=1).max()) > most:  # more ingredients than any candidate has
        return False
    again = problem.candidates.encode(problem.candidates.decode(block))
    span = np.where(problem.space.upper > problem.space.lower, problem.space.upper - problem.space.lower, 1.0)
    if not (np.abs(again - X) <= 1e-6 * span).all():
        return False
    coding = getattr(problem.candidates, "coding", None)
    allows = getattr(problem.candidates, "allows", None)
    return coding is None or allows is None or bool(allows(coding.columns(X)).all())


def _picks(line: Line, problem: Problem, columns: NDArray[np.intp], name: str) -> list[Pick]:
    names = [problem.space.names[int(j)] for j in columns]
    ends = [
        ", ".join(
            f"{title} {amount:.4g}" for title, amount in zip(names, x[columns], strict=True) if amount != 0
        )
        for x in (line.X[0], line.X[-1])
    ]
    method = "uncertainty" if name == "uncertainty" else "random" if name == "random" else "spread"
    return [
        Pick(
            int(index),
            x.copy(),
            line.value,
            method,
            f"{k} of {len(line.X)} on the film from {ends[0]} to {ends[1]}",
        )
        for k, (index, x) in enumerate(zip(line.index, line.X, strict=True), 1)
    ]


#: name → strategy, for the aim in words.
STRATEGIES = {name: Spread(name) for name in ("auto", "uncertainty", "random")}
