"""The aim *few references that span all*: which samples to keep as references, and how much they leave unexplained.

For reference odours, standards of a spectrum library, or end members of mixtures. Two ways:

- ``reconstruction``: every sample's response becomes a linear combination of those of the references. Greedy selection
  of columns: Farahat, Ghodsi, Kamel (2011).
- ``end points``: every sample becomes a mixture (shares from 0 to 1) of the references, which are then the corners of
  what there is. Successive projection: Araújo et al. (2001); Gillis and Vavasis (2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from zairyo.campaign._base import CampaignError, Floats, Integers, Mask, Pick, Problem
from zairyo.campaign._teach import choose
from zairyo.campaign._teach_scene import Scene, highest
from zairyo.campaign._teach_ways import WAYS, Scored

Method: TypeAlias = Literal["reconstruction", "end points"]
METHODS: tuple[Method, ...] = ("reconstruction", "end points")
#: Of the whole: what is left below it is rounding.
NOTHING = 1e-20
#: Samples whose mixtures are solved for to tell the residual of end points; of more, so many are drawn.
MOST_MIXED = 400


@dataclass(frozen=True, eq=False)
class References:
    """Chosen references.

    Attributes
    ----------
    method
        How they were chosen.
    order
        Shape (count,): rows of the samples, the most telling first.
    residual
        Shape (count,): what is left unexplained with the references up to each, as a share: the root of the sum of
        squares, over that of the responses themselves (``reconstruction``) or of their deviations from their mean
        (``end points``).
    """

    method: Method
    order: Integers
    residual: Floats

    def enough(self, residual: float) -> int | None:
        """How many references leave no more than this share; None where these do not."""
        few = np.flatnonzero(self.residual <= residual)
        return int(few[0]) + 1 if len(few) else None

    def __str__(self) -> str:
        lines = [f"References by {self.method}", "      sample   left unexplained"]
        lines += [
            f"{k:4}  {row:6}   {100 * left:7.2f} %"
            for k, (row, left) in enumerate(zip(self.order, self.residual, strict=True), 1)
        ]
        return "\n".join(lines)


class Remainder:
    """What of the rows of a matrix is not yet a combination of chosen ones."""

    def __init__(self, rows: Floats) -> None:
        self.rows = np.array(rows, dtype=float)
        self.whole = float((self.rows**2).sum())

    def take_away(self, direction: Floats) -> None:
        """Project a direction of shape (p,) out of every row."""
        size = float(direction @ direction)
        if size > NOTHING * max(self.whole, 1e-300):
            unit = direction / np.sqrt(size)
            # Twice: what rounding leaves of it would be taken for news.
            for _ in range(2):
                self.rows -= np.outer(self.rows @ unit, unit)

    def gains(self) -> Floats:
        """How much of the sum of squares of all rows each row would take away."""
        size = self.sizes()
        shared = np.einsum("ij,ij->i", self.rows @ (self.rows.T @ self.rows), self.rows)
        known = size > 0
        return np.where(known, shared / np.where(known, size, 1.0), 0.0)

    def sizes(self) -> Floats:
        """The square of what is left of each row; what is only rounding is nothing."""
        size = np.einsum("ij,ij->i", self.rows, self.rows)
        return np.where(size > NOTHING * max(self.whole, 1e-300), size, 0.0)


def _scores(left: Remainder, method: Method) -> Floats:
    return left.gains() if method == "reconstruction" else left.sizes()


def _as_points(responses: Floats) -> Floats:
    """Rows with a constant beside them, so that combinations are mixtures: weights that sum to one."""
    size = float(np.sqrt((responses**2).sum(axis=1).max(initial=0.0))) or 1.0
    return np.column_stack([responses, np.full(len(responses), size)])


def choose_references(
    responses: ArrayLike, count: int, method: Method = "reconstruction", *, seed: int = 0
) -> References:
    """Few samples whose responses span those of all.

    Parameters
    ----------
    responses
        Shape (n, p): a complete matrix, a row a sample. Columns are used as they are: bring them to one unit, or scale
        them, beforehand.
    count
        How many references are wanted; no more than n are given.
    method
        ``reconstruction`` or ``end points``.
    seed
        Of the samples drawn for the residual of end points, where there are very many.

    Raises
    ------
    CampaignError
        Where a response is missing, or the method is not known.
    """
    rows = np.asarray(responses, dtype=float)
    if rows.ndim != 2 or rows.size == 0:
        raise CampaignError(f"responses of shape (samples, channels) are needed, not {rows.shape}")
    bad = np.argwhere(~(np.abs(rows) < 1e100))
    if len(bad):
        at = tuple(int(k) for k in bad[0])
        raise CampaignError(
            f"the response of sample {at[0]} in channel {at[1]} is {rows[at]}: measure it, or leave the sample out"
        )
    if method not in METHODS:
        raise CampaignError(f"there is no method {method!r}; there are {' and '.join(METHODS)}")
    left = Remainder(rows if method == "reconstruction" else _as_points(rows))
    open_: Mask = np.ones(len(rows), bool)
    order: list[int] = []
    residual: list[float] = []
    for _ in range(min(max(int(count), 0), len(rows))):
        row = highest(_scores(left, method), open_)
        open_[row] = False
        order.append(row)
        left.take_away(left.rows[row].copy())
        residual.append(
            float(np.sqrt(left.sizes().sum() / left.whole))
            if method == "reconstruction" and left.whole > 0
            else _unmixed(rows, order, seed)
        )
    return References(method, np.array(order, dtype=np.int64), np.array(residual))


def _unmixed(rows: Floats, order: list[int], seed: int) -> float:
    """The share of the spread of rows that is no mixture of the chosen ones."""
    from scipy.optimize import nnls

    if len(rows) > MOST_MIXED:
        rng = np.random.default_rng([abs(seed), 41])
        drawn = np.sort(rng.choice(len(rows), MOST_MIXED, replace=False))
    else:
        drawn = np.arange(len(rows))
    spread = rows[drawn] - rows[drawn].mean(axis=0)
    whole = float((spread**2).sum())
    if whole <= 0:
        return 0.0
    firm = 1e3 * float(np.abs(rows).max())
    corners = np.vstack([rows[order].T, np.full((1, len(order)), firm)])
    missed = sum(
        float(((rows[order].T @ nnls(corners, np.append(row, firm))[0] - row) ** 2).sum())
        for row in rows[drawn]
    )
    return float(np.sqrt(missed / whole))


class Spanning(Scored):
    """References among candidates: features stand for responses; what is made or given out is a reference already."""

    def __init__(self, scene: Scene, method: Method) -> None:
        super().__init__(scene)
        self._method = method
        span = scene.space.upper - scene.space.lower
        span = np.where(span > 0, span, 1.0)

        def scaled(X: Floats) -> Floats:
            return np.asarray((X - scene.space.lower) / span)

        rows = np.vstack([scaled(scene.block.X), scaled(scene.made)])
        if method == "end points":
            rows = _as_points(rows)
        made = rows[len(scene.block) :]
        self._left = Remainder(rows[: len(scene.block)])
        for known in _independent(made):
            self._left.take_away(known)

    def scores(self) -> Floats:
        return _scores(self._left, self._method) * self.scene.chance

    @property
    def goes_on(self) -> bool:
        """Whether anything is left that the references do not explain."""
        return bool(self._left.sizes().any())

    def add(self, row: int) -> None:
        self._left.take_away(self._left.rows[row].copy())


def _independent(rows: Floats) -> Floats:
    """Orthogonal directions that span some rows, shape (rank, p)."""
    if len(rows) == 0:
        return rows
    _, size, directions = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(directions[size > 1e-9 * max(float(size.max(initial=0.0)), 1e-300)])


WHY = {
    "reconstruction": "what it responds to explains most of what is left of all others",
    "end points": "a corner of the pool: others are mixtures of such samples",
    "k-centre": "the references explain all others already; this one is farthest from them",
    "random": "drawn at random",
}


@dataclass(frozen=True)
class Reference:
    """Choose references among candidates whose features are their (complete) responses.

    Attributes
    ----------
    name
        ``auto`` (reconstruction), ``reconstruction``, ``end points`` or ``random``.
    """

    name: str = "auto"

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        """Up to ``count`` different picks, the best first; scores are sums of squares explained."""
        name = "reconstruction" if self.name == "auto" else self.name
        scene = Scene.of(problem, [])
        if name == "random":
            return choose(scene, count, lambda _: name, WAYS, WHY)
        method: Method = "end points" if name == "end points" else "reconstruction"
        spanning = Spanning(scene, method)
        ways = {**WAYS, method: lambda _: spanning}
        return choose(scene, count, lambda _: method if spanning.goes_on else "k-centre", ways, WHY)


#: name → strategy, for the aim in words.
STRATEGIES = {name: Reference(name) for name in ("auto", *METHODS, "random")}
