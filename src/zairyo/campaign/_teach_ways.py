"""The ways of choosing what teaches most, one candidate after the other.

Each scores the open candidates of a :class:`~zairyo.campaign._teach_scene.Scene`; higher is better. What is chosen is
added, and counts as made from then on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from zairyo.campaign._base import CampaignError, Floats, Mask
from zairyo.campaign._teach_scene import DRAWN, Scene, Singles, highest, over_blocks, usable
from zairyo.learn import GP
from zairyo.learn._kernels import squares

#: Candidates that are weighed by what each would teach; of more, so many are drawn.
SHORT = 4_096
#: Rows over which the variance is averaged.
AVERAGED = 500
#: Experiments with an outcome from which a committee of models is asked.
FEWEST_FOR_COMMITTEE = 5
#: Experiments from which the process's own lengths weigh the axes of distances.
FEWEST_FOR_METRIC = 12
#: An axis that seems to play no part still counts so much, beside the one that counts most.
LEAST_WEIGHT = 0.2


class Way(Protocol):
    """One way of choosing, at work on a scene."""

    def best(self, open_: Mask) -> tuple[int, float]:
        """The row of the scene's block to make next, and its score."""
        ...

    def add(self, row: int) -> None:
        """A row was chosen, by this way or another."""
        ...


class Scored:
    """A way that keeps a score of each candidate."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def scores(self) -> Floats:
        """Shape (m,)."""
        raise NotImplementedError

    def best(self, open_: Mask) -> tuple[int, float]:
        scores = self.scores()
        row = highest(scores, open_)
        return row, float(scores[row])

    def add(self, row: int) -> None:
        """Nothing to remember."""


class Random(Scored):
    """Any of them: what every other way must beat."""

    @cached_property
    def _order(self) -> Floats:
        scene = self.scene
        return np.random.default_rng([scene.seed, len(scene.made), 11]).random(len(scene.block))

    def scores(self) -> Floats:
        return self._order


class Centre(Scored):
    """k-centre: the candidate farthest from everything made.

    Gonzalez (1985); distances are those of the fitted process once there is enough to fit one.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._Z = _weighed(scene, scene.Z)
        self._made = len(scene.made)
        if self._made:
            made = _weighed(scene, scene.scaled(scene.made))
            self._near = over_blocks(self._Z, lambda rows: _least(rows, made))
        else:
            middle = _weighed(scene, scene.scaled(scene.reference)).mean(axis=0, keepdims=True)
            self._near = -over_blocks(self._Z, lambda rows: _least(rows, middle))

    def scores(self) -> Floats:
        return self._near * self.scene.chance if self._made else self._near

    def add(self, row: int) -> None:
        one = self._Z[row : row + 1]
        near = over_blocks(self._Z, lambda rows: _least(rows, one))
        self._near = np.minimum(self._near, near) if self._made else near
        self._made += 1


def _least(rows: Singles, centres: Singles) -> Floats:
    found = np.full(len(rows), np.inf)
    for start in range(0, len(centres), 256):
        np.minimum(found, squares(rows, centres[start : start + 256]).min(axis=1), out=found)
    return found


def _weighed(scene: Scene, Z: Singles) -> Singles:
    gps = [gp for gp in scene.gps if gp is not None]
    if not gps or scene.features is None or len(scene.X) < FEWEST_FOR_METRIC:
        return Z
    weight = np.mean([_weights(gp) for gp in gps], axis=0)
    return np.asarray(Z * weight[scene.features.group].astype(np.float32))


def _weights(gp: GP) -> Floats:
    """How much each axis counts, the one that counts most 1."""
    short = np.exp(-gp.theta[1:-1])
    return np.asarray(np.maximum(short / short.max(), LEAST_WEIGHT))


def drawn(scene: Scene, most: int, salt: int) -> NDArray[np.intp]:
    """Candidates to look at closely: the likely ones, of which so many are drawn where there are more."""
    rows = np.flatnonzero(scene.likely)
    if len(rows) <= most:
        return rows
    rng = np.random.default_rng([scene.seed, len(scene.made), salt])
    return np.sort(rng.choice(rows, most, replace=False))


class Density:
    """Similarity to the pool and to what is made, of some candidates; of the others it is 0.

    Squared exponentials of two lengths, the typical distance in the pool and half of it: neither the outline
    of the pool nor its clusters are overlooked.
    """

    def __init__(self, scene: Scene, rows: NDArray[np.intp]) -> None:
        self._rows, self._count = rows, len(scene.block)
        self._Z = scene.Z if len(rows) == self._count else scene.Z[rows]
        self._rate = np.float32(1.0 / scene.typical)
        share = scene.share.astype(np.float32)
        reference = scene.scaled(scene.reference)
        mean = over_blocks(self._Z, lambda part: (self._like(part, reference) @ share).astype(float))
        #: Shape (m,): mean similarity to the pool.
        self.pool = self._spread(mean)

    def _spread(self, values: Floats) -> Floats:
        found = np.zeros(self._count)
        found[self._rows] = values
        return found

    def _like(self, rows: Singles, others: Singles) -> Singles:
        found = squares(rows, others)
        found *= -self._rate
        np.exp(found, out=found)
        narrow = found * found
        narrow *= narrow
        found += narrow
        found *= np.float32(0.5)
        return found

    def _total(self, others: Singles, rows: Singles) -> Floats:
        return np.asarray(self._like(rows, others).sum(axis=1, dtype=float))

    def to(self, others: Singles) -> Floats:
        """Sum of similarities of each candidate to some rows, shape (m,)."""
        found = np.zeros(len(self._rows))
        for start in range(0, len(others), 256):
            few = others[start : start + 256]
            found += over_blocks(self._Z, functools.partial(self._total, few))
        return self._spread(found)


class Herding(Scored):
    """Density-aware herding: what is made comes to stand for the pool.

    Greedy matching of kernel means: Chen, Welling, Smola (2010), "Super-samples from kernel herding".
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        rows = drawn(scene, DRAWN, 12)
        self._seen = np.zeros(len(scene.block), bool)
        self._seen[rows] = True
        self._density = Density(scene, rows)
        self._sum = self._density.to(scene.scaled(scene.made))
        self._made = len(scene.made)

    def scores(self) -> Floats:
        gain = self._density.pool - self._sum / (self._made + 1)
        # A gain may be negative, so what may fail is marked down on the scale of the gains.
        wide = float(np.ptp(gain[self._seen])) if self._seen.any() else 0.0
        return np.where(self._seen, gain - wide * (1.0 - self.scene.chance), -np.inf)

    def add(self, row: int) -> None:
        self._sum = self._sum + self._density.to(self.scene.Z[row : row + 1])
        self._made += 1


class Integrated:
    """Integrated variance (ALC): what lowers the mean variance over the pool most.

    Cohn (1996); of several outcomes the sum of the shares of their variances. ``weights`` are those of the
    processes.
    """

    def __init__(self, scene: Scene, gps: tuple[GP | None, ...], weights: Floats | None = None) -> None:
        self._scene = scene
        rng = np.random.default_rng([scene.seed, len(scene.made), 13])
        self._rows = rows = drawn(scene, SHORT, 14)
        kept = np.sort(rng.choice(len(scene.reference), min(AVERAGED, len(scene.reference)), replace=False))
        self._reference = scene.reference[kept]
        self._parts = [
            _Part(gp, scene.block.X[rows], self._reference, 1.0 if weights is None else float(weights[k]))
            for k, gp in enumerate(gps)
            if gp is not None
        ]

    def best(self, open_: Mask) -> tuple[int, float]:
        inside = open_[self._rows]
        if not inside.any():  # all that were drawn are chosen
            return int(np.argmax(open_)), 0.0
        scores = np.sum([part.gain() for part in self._parts], axis=0) * self._scene.chance[self._rows]
        if self._scene.block.cost is not None:
            scores = scores / _costs(self._scene.block.cost[self._rows])
        place = highest(scores, inside)
        return int(self._rows[place]), float(scores[place])

    def add(self, row: int) -> None:
        for part in self._parts:
            part.add(self._scene.block.X[row : row + 1])


def _costs(cost: Floats) -> Floats:
    """What each costs beside the others; free or unknown ones count as the cheapest that is known."""
    known = np.isfinite(cost) & (cost > 0)
    if not known.any():
        return np.ones(len(cost))
    return np.where(known, cost, cost[known].min()) / float(np.median(cost[known]))


class _Part:
    """Covariances between candidates and reference of one process, updated as candidates are chosen.

    Columns of ``_solved`` are L⁻¹K of candidates and reference, with L the factor of what is made; each choice adds a
    row.
    """

    def __init__(self, gp: GP, candidates: Floats, reference: Floats, weight: float) -> None:
        self._gp, self._weight, self._count = gp, weight, len(candidates)
        self._noise = float(np.exp(gp.theta[-1]))
        self._lower = gp.lower
        self._X = np.vstack([candidates, reference, gp.X])
        both = self._X[: len(candidates) + len(reference)]
        self._solved = _solved(self._lower, gp.covariance(gp.X, both))
        mine, theirs = self._solved[:, : self._count], self._solved[:, self._count :]
        self._shared = gp.covariance(candidates, reference) - mine.T @ theirs
        self._variance = gp.prior_variance - np.einsum("ij,ij->j", mine, mine)
        left = gp.prior_variance - np.einsum("ij,ij->j", theirs, theirs)
        self._whole = max(float(left.mean()), 1e-12) if len(reference) else 1.0

    def gain(self) -> Floats:
        """The share of the mean variance that each candidate would take away, shape (m,)."""
        mean = np.einsum("ij,ij->i", self._shared, self._shared) / max(self._shared.shape[1], 1)
        return np.asarray(self._weight * mean / (np.maximum(self._variance, 0.0) + self._noise) / self._whole)

    def add(self, x: Floats) -> None:
        prior = self._gp.covariance(self._X, x)[:, 0]
        seen = self._solved.shape[1]
        solved = _solved(self._lower, prior[seen:])
        total = max(self._gp.prior_variance - float(solved @ solved), 0.0) + self._noise
        row = (prior[:seen] - solved @ self._solved) / np.sqrt(total)
        self._shared -= np.outer(row[: self._count], row[self._count :])
        self._variance -= row[: self._count] ** 2
        self._solved = np.vstack([self._solved, row])
        self._X = np.vstack([self._X, x])
        n = len(self._lower)
        grown = np.zeros((n + 1, n + 1))
        grown[:n, :n], grown[n, :n], grown[n, n] = self._lower, solved, np.sqrt(total)
        self._lower = grown


def _solved(lower: Floats, K: Floats) -> Floats:
    return np.asarray(solve_triangular(lower, K, lower=True, check_finite=False))


class Committee(Scored):
    """Query by committee: where a process, a forest and a linear model disagree, and others are like it.

    Seung, Opper, Sompolinsky (1992); weighed by density after Settles and Craven (2008).
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        rows = drawn(scene, SHORT, 17)
        self._density = Density(scene, rows)
        self._apart = np.zeros(len(scene.block))
        for gp, y in zip(scene.gps, scene.Y.T, strict=True):
            known = usable(y)
            if gp is not None and known.sum() >= FEWEST_FOR_COMMITTEE:
                self._apart[rows] += _disagreement(scene, gp, known, y, rows)
        self._novel = np.ones(len(scene.block))
        for one in scene.scaled(scene.pending):
            self._novel *= 1.0 - self._density.to(one[None, :])

    def scores(self) -> Floats:
        return self._apart * self._density.pool * np.maximum(self._novel, 0.0) * self.scene.chance

    def add(self, row: int) -> None:
        self._novel = self._novel * (1.0 - self._density.to(self.scene.Z[row : row + 1]))


def _disagreement(scene: Scene, gp: GP, known: Mask, y: Floats, rows: NDArray[np.intp]) -> Floats:
    from zairyo.learn._forest import Forest
    from zairyo.learn._models import Ridge

    X, t, candidates = scene.X[known], gp.output.forward(y[known]), scene.block.X[rows]
    said = [gp.latent(candidates, single=False)[0]]
    for model in (Forest(seed=scene.seed, trees=25), Ridge(scene.space)):
        said.append(model.fit(X, t).predict(candidates)[0])
    return np.asarray(np.std(said, axis=0))


def _herding_unless(enough: Callable[[Scene], bool], way: Callable[[Scene], Way]) -> Callable[[Scene], Way]:
    """A way that needs something learned; herding until there is."""
    return lambda scene: way(scene) if enough(scene) else Herding(scene)


def _learned(scene: Scene) -> bool:
    return any(gp is not None for gp in scene.gps)


def _many_known(scene: Scene) -> bool:
    return _learned(scene) and bool((usable(scene.Y).sum(axis=0) >= FEWEST_FOR_COMMITTEE).any())


def _described(scene: Scene) -> bool:
    if len(scene.X) >= 2 and (scene.D is None or not np.isfinite(scene.D).any()):
        raise CampaignError(
            "the strategy 'descriptors' needs descriptors that were measured of the samples made, and none has been "
            "told; tell them, or choose by 'herding' or 'integrated variance'"
        )
    return any(gp is not None for gp in scene.descriptor_gps)


def _of_descriptors(scene: Scene) -> Way:
    """Integrated variance of the descriptors, each as much as it has to do with the outcome, and of the outcome."""
    assert scene.D is not None
    relevance = np.array([_relevance(column, scene.Y) for column in scene.D.T])
    weights = np.append(relevance / relevance.sum(), np.ones(len(scene.gps)))
    return Integrated(scene, scene.descriptor_gps + scene.gps, weights)


def _relevance(column: Floats, Y: Floats) -> float:
    """Largest squared correlation of ranks with an outcome, drawn to a half: few samples say little."""
    from scipy.stats import rankdata

    best = 0.0
    for y in Y.T:
        both = usable(column) & usable(y)
        n = int(both.sum())
        if n < 4 or np.ptp(column[both]) == 0 or np.ptp(y[both]) == 0:
            continue
        squared = float(np.corrcoef(rankdata(column[both]), rankdata(y[both]))[0, 1] ** 2)
        best = max(best, (n * squared + 4.0 * 0.5) / (n + 4.0))
    return best or 0.5


#: name → the way.
WAYS: dict[str, Callable[[Scene], Way]] = {
    "random": Random,
    "k-centre": Centre,
    "herding": Herding,
    "integrated variance": _herding_unless(_learned, lambda scene: Integrated(scene, scene.gps)),
    "committee": _herding_unless(_many_known, Committee),
    "descriptors": _herding_unless(_described, _of_descriptors),
}
