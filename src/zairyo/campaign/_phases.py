"""The aim *map of phases*: which experiment to make next so that the borders between phases are known best.

Uncertainty sampling after Terayama et al. (2019), "Efficient construction method for phase diagrams using uncertainty
sampling", with classes learned by Gaussian processes, one against the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from zairyo.campaign._base import CampaignError, Floats, Pick, Problem
from zairyo.campaign._teach import choose
from zairyo.campaign._teach_scene import Scene, Singles
from zairyo.campaign._teach_ways import WAYS, Centre, Density, Scored, Way, drawn
from zairyo.learn import Space, Success, fit_success
from zairyo.learn._threads import one_thread

#: One pick in so many fills the largest gap, whatever is known: an island of a phase shows no border beforehand.
GAP_EVERY = 4
#: Experiments from which the classes are learned; of more, the last ones.
MOST = 500
#: Candidates for which probabilities are computed; of more, so many are drawn.
SHORT = 16_384


@dataclass(frozen=True, eq=False)
class PhaseMap:
    """Which phase is where, and how sure.

    Attributes
    ----------
    classes
        Names of the phases.
    seen
        Codes of those that were seen.
    models
        Of each that was seen, against all others.
    """

    classes: tuple[str, ...]
    seen: tuple[int, ...]
    models: tuple[Success, ...]

    def probabilities(self, X: ArrayLike) -> Floats:
        """Of each phase at each row of features, shape (m, classes), of sum 1; a phase never seen has none."""
        rows = np.asarray(X, dtype=float)
        found = np.zeros((len(rows), len(self.classes)))
        if not self.seen:
            return np.full_like(found, 1.0 / max(len(self.classes), 1))
        if len(self.seen) == 1:
            found[:, self.seen[0]] = 1.0
            return found
        if len(self.seen) == 2:  # one model answers for both
            first = self.models[0].probability(rows)
            found[:, self.seen[0]], found[:, self.seen[1]] = first, 1.0 - first
            return found
        for code, model in zip(self.seen, self.models, strict=True):
            found[:, code] = np.maximum(model.probability(rows), 1e-9)
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def likeliest(self, X: ArrayLike) -> tuple[list[str], Floats]:
        """The most probable phase of each row, and its probability."""
        chance = self.probabilities(X)
        best = chance.argmax(axis=1)
        return [self.classes[int(k)] for k in best], chance[np.arange(len(best)), best]


def phase_map(X: ArrayLike, codes: ArrayLike, space: Space, classes: tuple[str, ...] = ()) -> PhaseMap:
    """Learn which phase is where.

    Parameters
    ----------
    X
        Shape (n, p): features of experiments.
    codes
        Shape (n,): the phase of each, 0, 1, …; rows with a NaN are left out.
    space
        What the columns are.
    classes
        Names of the phases; by default their numbers.

    Raises
    ------
    CampaignError
        Where a code is not a whole number that names a class.
    """
    rows, values = np.asarray(X, dtype=float).reshape(-1, space.width), np.asarray(codes, dtype=float)
    known = np.isfinite(values)
    rows, values = rows[known][-MOST:], values[known][-MOST:]
    names = classes or tuple(str(k) for k in range(int(values.max(initial=0)) + 1))
    wrong = values[(values != np.round(values)) | (values < 0) | (values >= len(names))]
    if len(wrong):
        raise CampaignError(
            f"{wrong[0]:g} is no code of a phase; they run from 0 to {len(names) - 1} ({', '.join(names)})"
        )
    seen = tuple(int(code) for code in np.unique(values))
    modelled = seen[:1] if len(seen) == 2 else seen if len(seen) > 2 else ()
    return PhaseMap(names, seen, tuple(fit_success(rows, values == code, space) for code in modelled))


def _entropy(chance: Floats) -> Floats:
    return np.asarray(-(chance * np.log(np.maximum(chance, 1e-12))).sum(axis=1))


def _margin(chance: Floats) -> Floats:
    two = np.sort(chance, axis=1)[:, -2:]
    return np.asarray(1.0 - (two[:, 1] - two[:, 0]))


def _least_confident(chance: Floats) -> Floats:
    return np.asarray(1.0 - chance.max(axis=1))


UNSURE: dict[str, Callable[[Floats], Floats]] = {
    "margin": _margin,
    "entropy": _entropy,
    "least confident": _least_confident,
}
WHY = {
    "margin": "two phases are about as probable here",
    "entropy": "it is least known which phase this is",
    "least confident": "the phase that is most probable here is not very probable",
    "k-centre": "farthest from everything made: a phase not seen yet may be there",
    "random": "drawn at random",
}


class Unsure(Scored):
    """Where the phase is least sure, candidates are many, and nothing near was just chosen."""

    def __init__(self, scene: Scene, phases: PhaseMap, unsure: Callable[[Floats], Floats]) -> None:
        super().__init__(scene)
        rows = drawn(scene, SHORT, 31)
        self._score = np.zeros(len(scene.block))
        self._score[rows] = unsure(phases.probabilities(scene.block.X[rows])) * scene.chance[rows]
        # Only the crowd counts, not its exact size: the root keeps borders at the rim of the pool in play.
        self._score *= np.sqrt(np.maximum(Density(scene, rows).pool, 0.0))
        self._reach = self._near_enough(scene)
        self._novel = np.ones(len(scene.block))
        for one in scene.scaled(scene.pending):
            self._mark(one[None, :])

    @staticmethod
    def _near_enough(scene: Scene) -> float:
        """A squared distance within which experiments tell the same: of typical neighbours among those made."""
        if len(scene.X) < 2:
            return scene.typical
        Z = scene.scaled(scene.X[-MOST:]).astype(float)
        apart = ((Z[:, None, :] - Z[None, :, :]) ** 2).sum(axis=-1) + np.diag(np.full(len(Z), np.inf))
        return max(float(np.median(apart.min(axis=1))), 1e-6 * scene.typical)

    def _mark(self, z: Singles) -> None:
        apart = ((self.scene.Z - z) ** 2).sum(axis=1)
        self._novel = self._novel * (1.0 - np.exp(-apart / self._reach))

    def scores(self) -> Floats:
        return self._score * self._novel

    def add(self, row: int) -> None:
        self._mark(self.scene.Z[row : row + 1])


@dataclass(frozen=True)
class Phases:
    """Choose for a map of phases.

    Attributes
    ----------
    name
        ``auto`` (the margin between the two likeliest phases), ``margin``, ``entropy``, ``least confident``,
        ``k-centre`` or ``random``. Until a second phase is seen, the first four fill the space.
    """

    name: str = "auto"

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        """Up to ``count`` different picks, the best first."""
        column = next((k for k, one in enumerate(problem.objectives) if one.classes), 0)
        with one_thread():
            scene = Scene.of(problem, [])
            name = "margin" if self.name == "auto" else self.name
            if name in WAYS:
                return choose(scene, count, lambda _: name, WAYS, WHY)
            known = problem.known[:, column]
            names = problem.objectives[column].classes
            phases = phase_map(problem.X[known], problem.Y[known, column], problem.space, names)
            sure = len(phases.seen) < 2
            ways: dict[str, Callable[[Scene], Way]] = {
                name: lambda scene: Unsure(scene, phases, UNSURE[name]),
                "k-centre": Centre,
            }
            made = len(scene.made)

            def whose(at: int) -> str:
                return "k-centre" if sure or (made + at) % GAP_EVERY == GAP_EVERY - 1 else name

            return choose(scene, count, whose, ways, WHY)


#: name → strategy, for the aim in words.
STRATEGIES = {name: Phases(name) for name in ("auto", *UNSURE, "k-centre", "random")}
