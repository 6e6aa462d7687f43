"""The aim *composition spread*: a film whose composition changes evenly from one end to the other, made in one go.

Combinatorial deposition makes n compositions on a line between two end points at once, at the same other settings. The
line is proposed whose compositions together promise, or are to teach, the most; the n of them are the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from zairyo.campaign._acquisition import log_expected_improvement, log_nearing
from zairyo.campaign._base import Block, CampaignError, Floats, Objective, Pick, Problem
from zairyo.campaign._teach_scene import Scene, recent
from zairyo.learn import GP, fit_success
from zairyo.learn._kernels import squares
from zairyo.learn._threads import one_thread

#: End points that are tried against each other.
ENDS = 48
#: Other settings at which lines are tried, the most promising first.
FILMS = 12
#: Points of an endless space that show what there is, and lines that are tried there until one is allowed.
DRAWN, TRIED = 4_096, 60
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
            lines = _Lines(scene, problem, columns, _promise(scene, problem, self.name))
            for steps in range(count, 0, -1):
                line = lines.best(steps)
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


def _promise(scene: Scene, problem: Problem, name: str) -> Callable[[Floats], Floats]:
    """What rows of features promise: a function to numbers that are not negative."""
    if name == "random":
        rng = np.random.default_rng([scene.seed, len(scene.made), 43])
        direction = rng.standard_normal((scene.Z.shape[1],)).astype(np.float32)
        return lambda X: np.asarray(1.0 + np.sin(7.0 * (scene.scaled(X) @ direction)), dtype=float)
    parts = []
    for gp, objective, y in zip(scene.gps, problem.objectives, scene.Y.T, strict=True):
        if gp is None or objective.classes or (objective.constraint and name == "auto"):
            continue
        wanted = objective if name == "auto" else None
        top = float(_of_objective(gp, wanted, y, scene.block.X).max(initial=0.0))
        if top > 0:
            parts.append((gp, wanted, y, objective.weight / top))
    success = fit_success(*recent(problem), scene.space) if problem.failed.any() else None
    made = scene.scaled(scene.made)

    def promise(X: Floats) -> Floats:
        total = sum(
            (share * _of_objective(gp, wanted, y, X) for gp, wanted, y, share in parts), np.zeros(len(X))
        )
        if not parts:  # nothing is known yet: far from what is made
            total += squares(scene.scaled(X), made).min(axis=1) if len(made) else 1.0
        return np.asarray(total if success is None else total * success.probability(X))

    return promise


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


class _Lines:
    """Lines between candidates, at the settings of one film each."""

    def __init__(
        self,
        scene: Scene,
        problem: Problem,
        columns: NDArray[np.intp],
        promise: Callable[[Floats], Floats],
    ) -> None:
        self._problem, self._columns, self._promise = problem, columns, promise
        block = scene.block
        self._endless = bool(block.index[0] < 0)
        if self._endless:  # lines are made, not found: a part of what was drawn shows what there is
            block = block.take(slice(0, DRAWN))
        self._block, self._value = block, promise(block.X)
        self._others = np.setdiff1d(np.arange(scene.space.width), columns)

    def best(self, steps: int) -> Line | None:
        """The line of most value over its compositions; of equal ones the longest, then the first."""
        best: Line | None = None
        for film in self._films:
            found = self._made(film, steps) if self._endless else self._found(film, steps)
            if found and (
                best is None or (found.value, found.length) > (best.value * (1 + 1e-9), best.length)
            ):
                best = found
        return best

    @cached_property
    def _films(self) -> list[NDArray[np.intp]]:
        """Candidates that agree in all settings but composition, the most promising first.

        In an endless space no two agree: each promising one lends its settings to all compositions.
        """
        X, value = self._block.X, self._value
        every = np.arange(len(X))
        if len(self._others) == 0:
            return [every]
        if self._endless:
            return [every[row : row + 1] for row in np.argsort(-value, kind="stable")[:FILMS]]
        owner = np.unique(X[:, self._others], axis=0, return_inverse=True)[1].ravel()
        order = np.argsort(owner, kind="stable")
        films = np.split(order, np.flatnonzero(np.diff(owner[order])) + 1)
        films.sort(key=lambda rows: (-float(np.sort(value[rows])[-20:].sum()), int(rows[0])))
        return films[:FILMS]

    def _between(self, rows: NDArray[np.intp], steps: int) -> tuple[Floats, Floats]:
        """Lines between pairs of end points, shape (lines, steps, columns), and their lengths."""
        points = self._block.X[np.ix_(rows, self._columns)]
        ends = _ends(points, self._value[rows])
        first, last = np.triu_indices(len(ends), 1) if steps > 1 else (np.arange(len(ends)),) * 2
        along = np.linspace(0.0, 1.0, steps)[None, :, None]
        A, B = points[ends[first]][:, None, :], points[ends[last]][:, None, :]
        return A + along * (B - A), np.sqrt(((B - A) ** 2).sum(axis=(1, 2)))

    def _found(self, rows: NDArray[np.intp], steps: int) -> Line | None:
        """The best line among the rows of a pool: each of its points stands for the row nearest to it."""
        lines, length = self._between(rows, steps)
        tree = cKDTree(self._block.X[np.ix_(rows, self._columns)])
        apart, nearest = tree.query(lines.reshape(-1, len(self._columns)))
        apart, nearest = apart.reshape(lines.shape[:2]), nearest.reshape(lines.shape[:2])
        ordered = np.sort(nearest, axis=1)
        good = (ordered[:, 1:] != ordered[:, :-1]).all(axis=1)
        good &= apart.max(axis=1) <= np.maximum(NEAR * length / max(steps - 1, 1), 1e-9)
        if not good.any():
            return None
        worth = np.where(good, self._value[rows][nearest].sum(axis=1), -np.inf)
        at = _order(worth, length)[0]
        on = rows[nearest[at]]
        return Line(self._block.X[on], self._block.index[on], float(worth[at]), float(length[at]))

    def _made(self, film: NDArray[np.intp], steps: int) -> Line | None:
        """The best line in an endless space at the settings of one film, of those that may be made."""
        lines, length = self._between(np.arange(len(self._block)), steps)
        X = np.tile(self._block.X[film[0]], (len(lines), steps, 1))
        X[:, :, self._columns] = lines
        worth = self._promise(X.reshape(-1, X.shape[2])).reshape(X.shape[:2]).sum(axis=1)
        points = self._block.X[:, self._columns]
        for at in _order(worth, length)[:TRIED]:
            if _allowed(self._problem, points, self._columns, X[at]):
                return Line(X[at], np.full(steps, -1), float(worth[at]), float(length[at]))
        return None


def _order(worth: Floats, length: Floats) -> NDArray[np.intp]:
    """Most worth first, then longest, then first."""
    return np.lexsort((np.arange(len(worth)), -length, -worth))


def _ends(points: Floats, value: Floats) -> NDArray[np.intp]:
    """End points worth trying: the outline of the compositions (k-centre), and the most promising of them."""
    chosen = [int(np.argmax(((points - points.mean(axis=0)) ** 2).sum(axis=1)))]
    near = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < min(ENDS // 2, len(points)) and near.max() > 0:
        chosen.append(int(np.argmax(near)))
        near = np.minimum(near, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    promising = np.argsort(-value, kind="stable")[: ENDS - len(chosen)]
    return np.unique(np.append(chosen, promising))


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
