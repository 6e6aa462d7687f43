"""What the strategies that seek knowledge look at: open candidates, what is made, the pool they stand for.

Distances are taken between *features* (:mod:`zairyo.learn._kernels`): columns scaled to their ranges, amounts of a
mixture with their square roots, categories by whether they differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from zairyo.campaign._base import Block, Floats, Mask, Problem, joined
from zairyo.learn import GP, LearnError, Space, fit_gp, fit_success
from zairyo.learn._gp import Problem as Data
from zairyo.learn._kernels import Factor, Features, Kernel, features_of, squares
from zairyo.learn._output import Output

Singles: TypeAlias = NDArray[np.float32]
#: Numbers of a pool that are held at once; of larger pools a sample is.
MOST_VALUES = 16_000_000
#: Rows that are drawn where the pool is larger, or endless.
DRAWN = 65_536
#: Rows that stand for the pool where its density or a mean over it is asked for.
REFERENCE = 1_000
#: Rows of a block of distances.
STEP = 32_768
#: Columns from which numbers share one length scale: so few experiments do not teach one for each.
WIDE = 12
#: A candidate less than this share as likely to succeed as the likeliest is left out.
LEAST_CHANCE = 0.5


def gather(problem: Problem, rng: np.random.Generator) -> Block:
    """The candidates that may be proposed: all of a pool that fits into memory, else a sample; none twice."""
    candidates = problem.candidates
    width = max(problem.space.width, 1)
    if candidates.size is not None and candidates.size * width <= MOST_VALUES:
        return joined(list(problem.blocks()), width)
    drawn = candidates.draw(min(DRAWN, max(1, MOST_VALUES // width)), rng)
    drawn = drawn.take(problem.free(drawn))
    if candidates.size is None:
        _, first = np.unique(drawn.X, axis=0, return_index=True)
    else:
        _, first = np.unique(drawn.index, return_index=True)
    if len(first) or candidates.size is None:
        return drawn.take(np.sort(first))
    return next(iter(problem.blocks()), drawn)


def plain_kernel(space: Space) -> Kernel | None:
    """The kernel with as few lengths as the space allows; None where nothing varies."""
    features = features_of(space, space.variables, "tied", tied=space.width > WIDE)
    return None if features is None else Kernel("Matérn 5/2", ((Factor("matern52", features),),))


def over_blocks(Z: Singles, what: Callable[[Singles], Floats]) -> Floats:
    """``what`` of the rows of a long matrix, shape (m,), a block at a time."""
    if len(Z) == 0:
        return np.empty(0)
    return np.concatenate([what(Z[start : start + STEP]) for start in range(0, len(Z), STEP)])


def highest(score: Floats, open_: Mask) -> int:
    """The first of the rows whose score is the highest, up to rounding: the same on any machine."""
    inside = np.where(open_ & np.isfinite(score), score, -np.inf)
    top = float(inside.max())
    if not math.isfinite(top):
        return int(np.argmax(open_))
    finite = inside[np.isfinite(inside)]
    slack = 1e-6 * max(top - float(finite.min()), 0.0)
    return int(np.argmax(inside >= top - slack))


@dataclass(frozen=True, eq=False)
class Scene:
    """One choice: among which candidates, after which experiments.

    Attributes
    ----------
    space
        What the columns are.
    block
        Shape m: the candidates that may be chosen.
    made
        Shape (a, p): features of every experiment made, failed, or given out.
    X, Y
        Shapes (n, p) and (n, k): experiments made, with their outcomes on the user's scale, NaN where missing.
    D
        Shape (n, d): their measured descriptors; None where there are none.
    pending
        Shape (q, p): experiments whose outcomes are still to come.
    chance
        Shape (m,): how likely each candidate succeeds.
    reference
        Shape (r, p): rows that stand for the pool.
    share
        Shape (r,): how much each counts; of sum 1.
    seed
        Of every random choice.
    """

    space: Space
    block: Block
    made: Floats
    X: Floats
    Y: Floats
    D: Floats | None
    pending: Floats
    chance: Floats
    reference: Floats
    share: Floats
    noise: Floats | None
    seed: int

    @classmethod
    def of(cls, problem: Problem, columns: Sequence[int] | None = None) -> Scene:
        """The scene of a problem; ``columns`` are those of the outcomes to learn, by default :func:`outcomes`."""
        rng = np.random.default_rng([abs(problem.seed), len(problem.X), len(problem.pending), 7])
        block = gather(problem, rng)
        space = problem.space
        wanted = outcomes(problem) if columns is None else list(columns)
        success = fit_success(*recent(problem), space)
        chance = success.probability(block.X) if problem.failed.any() else np.ones(len(block))
        good = ~problem.failed
        pending = np.asarray(problem.pending, dtype=float).reshape(-1, space.width)
        pool = np.vstack(
            [block.X[chance >= LEAST_CHANCE * chance.max(initial=0.0)], problem.X[good], pending]
        )
        rows = np.sort(rng.permutation(len(pool))[:REFERENCE])
        return cls(
            space,
            block,
            np.vstack([problem.X, pending]),
            problem.X[good],
            np.where(problem.known, problem.Y, np.nan)[good][:, wanted],
            None if problem.D is None else problem.D[good],
            pending,
            chance,
            pool[rows],
            np.full(len(rows), 1.0 / max(len(rows), 1)),
            None if problem.noise is None else problem.noise[good][:, wanted],
            abs(problem.seed),
        )

    @cached_property
    def likely(self) -> Mask:
        """Shape (m,): candidates that are not much likelier to fail than others."""
        return np.asarray(self.chance >= LEAST_CHANCE * self.chance.max(initial=0.0))

    @cached_property
    def kernel(self) -> Kernel | None:
        """See :func:`plain_kernel`."""
        return plain_kernel(self.space)

    @cached_property
    def features(self) -> Features | None:
        """In which distances are taken; None where nothing varies."""
        return None if self.kernel is None else self.kernel.terms[0][0].features

    def scaled(self, X: Floats) -> Singles:
        """Features of rows, in which a distance of 1 is a whole range; one column of zeros where nothing varies."""
        if self.features is None:
            return np.zeros((len(X), 1), np.float32)
        found = np.empty((len(X), len(self.features.columns)), np.float32)
        for start in range(0, len(X), STEP):
            found[start : start + STEP] = self.features.of(X[start : start + STEP])
        return found

    @cached_property
    def Z(self) -> Singles:
        """Shape (m, q): features of the candidates."""
        return self.scaled(self.block.X)

    @cached_property
    def typical(self) -> float:
        """The typical squared distance between features of two candidates."""
        apart = squares(*(self.scaled(self.reference[:500]),) * 2)
        apart = apart[apart > 1e-9]
        return float(np.median(apart)) if len(apart) else 1.0

    def same(self, row: int) -> Mask:
        """Shape (m,): candidates of just the same settings as one of them."""
        X = self.block.X
        found = np.zeros(len(X), bool)
        found[row] = True
        near = np.flatnonzero(X[:, 0] == X[row, 0]) if X.shape[1] else np.arange(len(X))
        found[near[(X[near] == X[row]).all(axis=1)]] = True
        return found

    @cached_property
    def gps(self) -> tuple[GP | None, ...]:
        """A Gaussian process for each outcome, None where too little is known; pending experiments included."""
        found = []
        for k, column in enumerate(self.Y.T):
            noise = None if self.noise is None else self.noise[:, k]
            found.append(self._awaiting(learned(self.space, self.kernel, self.X, column, noise, self.seed)))
        return tuple(found)

    @cached_property
    def descriptor_gps(self) -> tuple[GP | None, ...]:
        """The same for each descriptor."""
        columns = () if self.D is None else self.D.T
        each = (
            learned(self.space, self.kernel, self.X, one, None, self.seed, shaped=False) for one in columns
        )
        return tuple(self._awaiting(gp) for gp in each)

    def _awaiting(self, gp: GP | None) -> GP | None:
        return gp.append(self.pending) if gp is not None and len(self.pending) else gp

    def with_reference(self, rows: NDArray[np.intp]) -> Scene:
        """The same with fewer rows that stand for the pool; nothing is learned anew."""
        fewer = replace(
            self, reference=self.reference[rows], share=np.full(len(rows), 1.0 / max(len(rows), 1))
        )
        for name in ("kernel", "typical", "gps", "descriptor_gps"):
            fewer.__dict__[name] = getattr(self, name)
        return fewer

    def within(self, train: NDArray[np.intp], candidates: NDArray[np.intp]) -> Scene:
        """The same choice as it was among made experiments: some known, others to be chosen from.

        The reference and the hyperparameters of the processes stay.
        """
        past = replace(
            self,
            block=Block(np.full(len(candidates), -1), self.X[candidates]),
            made=self.X[train],
            X=self.X[train],
            Y=self.Y[train],
            D=None if self.D is None else self.D[train],
            pending=np.empty((0, self.space.width)),
            chance=np.ones(len(candidates)),
            noise=None if self.noise is None else self.noise[train],
        )
        # Fills what is cached, so that nothing is fitted anew.
        past.__dict__["typical"] = self.typical
        past.__dict__["kernel"] = self.kernel
        past.__dict__["gps"] = _conditioned(self.gps, past.X, past.Y)
        if past.D is not None:
            past.__dict__["descriptor_gps"] = _conditioned(self.descriptor_gps, past.X, past.D)
        return past


def outcomes(problem: Problem) -> list[int]:
    """Columns of the outcomes to learn: those that are only to be learned, else all numbers, else all."""
    numbers = [k for k, one in enumerate(problem.objectives) if not one.classes and not one.constraint]
    only = [k for k in numbers if problem.objectives[k].direction == "model"]
    return only or numbers or list(range(problem.Y.shape[1]))


def recent(problem: Problem, most: int = 400) -> tuple[Floats, Floats]:
    """Experiments from which to learn where others fail: the last ones, where there are very many."""
    return problem.X[-most:], (~problem.failed)[-most:].astype(float)


def usable(y: Floats) -> Mask:
    """Values that can be learned from."""
    return np.asarray(np.abs(y) < 1e100)


def learned(
    space: Space,
    kernel: Kernel | None,
    X: Floats,
    y: Floats,
    noise: Floats | None,
    seed: int,
    *,
    shaped: bool = True,
) -> GP | None:
    """A process with few lengths; None where nothing varies or less than two values are known.

    ``shaped`` looks for a transform of the values, which costs three fits in place of one.
    """
    rows = usable(y)
    if kernel is None or rows.sum() < 2:
        return None
    given = None
    if noise is not None and (np.isfinite(noise[rows]) & (noise[rows] >= 0)).all():
        given = noise[rows]
    plain = Output.of(y[rows], "plain")
    outputs = None if shaped or plain is None else [plain]
    try:
        return fit_gp(
            X[rows], y[rows], space, noise=given, seed=seed, kernels=[kernel], outputs=outputs, starts=1
        )
    except LearnError:
        return None


def _conditioned(gps: Sequence[GP | None], X: Floats, Y: Floats) -> tuple[GP | None, ...]:
    return tuple(None if gp is None else conditioned(gp, X, y) for gp, y in zip(gps, Y.T, strict=True))


def conditioned(gp: GP, X: Floats, y: Floats) -> GP | None:
    """The process of the same hyperparameters after other data; None where none is known."""
    rows = usable(y)
    if not rows.any():
        return None
    known = Data(X[rows], gp.output.forward(y[rows]))
    return GP.of(gp.kernel, gp.theta, known, gp.output)
