"""What is believed of each way of choosing, on this problem: learned from the experiments made, nothing remembered.

The choice is replayed among experiments already made: some are taken as known, each way picks from the others, and
what it picked is judged by the error on samples that nobody saw, weighed as the pool has them. Few experiments say
little, so what they say is drawn to what is known of the ways in general.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zairyo.campaign._base import Floats
from zairyo.campaign._teach_scene import Scene, conditioned, usable
from zairyo.campaign._teach_ways import WAYS
from zairyo.learn._kernels import squares

#: One pick in so many is random whatever is believed.
RANDOM_EVERY = 3
#: What is believed beforehand, from tables of many kinds: the logarithm of a way's error over that of random picks,
#: and its deviation.
BEFORE = {
    "random": 0.0,
    "herding": -0.05,
    "integrated variance": -0.05,
    "k-centre": 0.0,
    "descriptors": -0.03,
}
BEFORE_SD = 0.05
#: On some problems, this share of them, the ways differ far more.
FAR, FAR_SD = 0.2, 0.5
#: Experiments from which the past is replayed; of more, so many are.
FEWEST, MOST = 18, 60
REPLAYS = 6
#: Rows that stand for the pool in a replay.
REFERENCE = 150
#: Random choices that the ways are compared with, in each replay.
CONTROLS = 4


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Of each way, the logarithm of its error over that of random picks: a mean and a deviation."""

    names: tuple[str, ...]
    mean: Floats
    deviation: Floats

    def draw(self, rng: np.random.Generator) -> str:
        """The way that is best in one draw of what is believed (Thompson 1933)."""
        return self.names[int(np.argmin(self.mean + self.deviation * rng.standard_normal(len(self.names))))]


def beliefs(scene: Scene) -> Beliefs:
    """What is believed of each way that the scene allows."""
    names = tuple(name for name in BEFORE if name != "descriptors" or any(scene.descriptor_gps))
    mean = np.array([BEFORE[name] for name in names])
    deviation = np.array([0.0 if name == "random" else BEFORE_SD for name in names])
    rows = np.flatnonzero(usable(scene.Y).any(axis=1))
    if len(rows) < FEWEST or not any(scene.gps) or scene.features is None:
        return Beliefs(names, mean, deviation)
    ratios = _replayed(scene, rows, names[1:])
    spread = ratios.std(axis=0, ddof=1)
    # Replays share their samples: Nadeau and Bengio (2003), with a third of the rows for the test.
    error = np.maximum(spread * math.sqrt(1.0 / REPLAYS + 0.5), 0.02)
    mean[1:], deviation[1:] = _posterior(mean[1:], ratios.mean(axis=0), error)
    return Beliefs(names, mean, deviation)


def _posterior(before: Floats, seen: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Mean and deviation after effects were seen with errors; beforehand a mixture of a narrow and a wide normal."""
    widths = np.array([BEFORE_SD, FAR_SD])[:, None]
    total = widths**2 + error**2
    weight = (
        np.array([1.0 - FAR, FAR])[:, None] * np.exp(-0.5 * (seen - before) ** 2 / total) / np.sqrt(total)
    )
    weight /= weight.sum(axis=0)
    means = before + widths**2 / total * (seen - before)
    variances = widths**2 * error**2 / total
    mean = (weight * means).sum(axis=0)
    return mean, np.sqrt((weight * (variances + (means - mean) ** 2)).sum(axis=0))


def _replayed(scene: Scene, rows: NDArray[np.intp], names: tuple[str, ...]) -> Floats:
    """Log ratios of errors, shape (replays, ways)."""
    rng = np.random.default_rng([scene.seed, len(rows), 23])
    if len(rows) > MOST:
        rows = np.sort(rng.choice(rows, MOST, replace=False))
    weight = _weight_in_pool(scene, rows)
    scene = scene.with_reference(rng.permutation(len(scene.reference))[:REFERENCE])
    sixth = len(rows) // 6
    found = np.empty((REPLAYS, len(names)))
    for replay in range(REPLAYS):
        order = rng.permutation(len(rows))
        test, start, others = np.split(order, [2 * sixth, 3 * sixth])
        past = scene.within(rows[start], rows[others])

        def error(picked: NDArray[np.intp]) -> float:
            return _error(scene, rows[np.append(start, others[picked])], rows[test], weight[test])  # noqa: B023

        control = [error(rng.permutation(len(others))[:sixth]) for _ in range(CONTROLS)]
        for k, name in enumerate(names):
            found[replay, k] = math.log(error(_picked(past, name, sixth)) / float(np.mean(control)))
    return found


def _picked(past: Scene, name: str, count: int) -> NDArray[np.intp]:
    way = WAYS[name](past)
    open_ = np.ones(len(past.block), bool)
    for _ in range(count):
        row, _ = way.best(open_)
        open_[row] = False
        way.add(row)
    return np.flatnonzero(~open_)


def _weight_in_pool(scene: Scene, rows: NDArray[np.intp]) -> Floats:
    """How much of the pool each experiment is the nearest of, and a little for each."""
    nearest = squares(scene.scaled(scene.reference), scene.scaled(scene.X[rows])).argmin(axis=1)
    share = np.bincount(nearest, weights=scene.share, minlength=len(rows))
    return np.asarray(share + 0.5 / len(rows))


def _error(scene: Scene, known: NDArray[np.intp], test: NDArray[np.intp], weight: Floats) -> float:
    """Root mean square error on the models' scales over all outcomes, not quite zero."""
    total, mass = 1e-6, 1e-6
    for gp, y in zip(scene.gps, scene.Y.T, strict=True):
        past = None if gp is None else conditioned(gp, scene.X[known], y[known])
        rows = usable(y[test])
        if past is None or not rows.any():
            continue
        miss = past.latent(scene.X[test][rows])[0] - past.output.forward(y[test][rows])
        total += float(weight[rows] @ miss**2)
        mass += float(weight[rows].sum())
    return math.sqrt(total / mass)
