"""The aim *something new*: experiments whose outcomes are unlike all seen, with no outcome better than another.

After BLOX: Terayama, Sumita, Tamura, Payne, Chahal, Ishida, Tsuda (2020), "Pushing property limits in materials
discovery via boundless objective-free exploration". Outcomes of candidates are predicted; the one is made that brings
the outcomes seen nearest to a uniform spread, by the Stein discrepancy (Gorham and Mackey 2015), which needs no limits
of the outcomes to be known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zairyo.campaign._base import Floats, Pick, Problem
from zairyo.campaign._teach import choose
from zairyo.campaign._teach_scene import Scene, usable
from zairyo.campaign._teach_ways import Random, Scored, drawn
from zairyo.learn import GP
from zairyo.learn._threads import one_thread

#: Experiments with outcomes before predictions are trusted; drawn at random.
FEWEST = 5
#: One pick in so many is random: models fitted to what was sought see only what they expect.
RANDOM_EVERY = 10
#: Candidates whose outcomes are predicted; of more, so many are drawn.
SHORT = 65_536
WHY = {
    "novelty": "its outcomes are expected to be unlike all seen",
    "random": "drawn at random, so that nothing is left out for good",
}


class Novelty(Scored):
    """Stein novelty of predicted outcomes."""

    def __init__(self, scene: Scene, models: list[tuple[int, GP]]) -> None:
        super().__init__(scene)
        rows = drawn(scene, SHORT, 37)
        columns = [k for k, _ in models]
        known = scene.Y[:, columns]
        known = known[usable(known).all(axis=1)]
        self._middle, self._spread = known.mean(axis=0), known.std(axis=0)
        self._spread = np.where(self._spread > 0, self._spread, 1.0)
        self._outcome = np.full((len(scene.block), len(models)), np.nan)
        self._outcome[rows] = self._scaled(_expected(models, scene.block.X[rows]))
        self._sum = np.where(np.isfinite(self._outcome[:, 0]), 0.0, -np.inf)
        for one in self._scaled(known):
            self._see(one)
        if len(scene.pending):
            for one in self._scaled(_expected(models, scene.pending)):
                self._see(one)

    def _scaled(self, Y: Floats) -> Floats:
        return np.asarray((Y - self._middle) / self._spread)

    def _see(self, outcome: Floats) -> None:
        """One more outcome is known, or expected: candidates that would repeat it lose.

        The Stein kernel of a uniform density and k = exp(-r²/2) is ∂²k/∂y∂y' = (d - r²) k; the less of it, the newer.
        """
        squared = ((self._outcome - outcome) ** 2).sum(axis=1)
        squared = np.where(np.isfinite(squared), np.minimum(squared, 1e3), 0.0)
        self._sum = self._sum - (len(outcome) - squared) * np.exp(-0.5 * squared)

    def scores(self) -> Floats:
        # A novelty may be negative, so what may fail is marked down on the scale of all.
        finite = self._sum[np.isfinite(self._sum)]
        width = float(np.ptp(finite)) if len(finite) else 0.0
        return self._sum - width * (1.0 - self.scene.chance)

    def add(self, row: int) -> None:
        if np.isfinite(self._outcome[row, 0]):
            self._see(self._outcome[row])


def _expected(models: list[tuple[int, GP]], X: Floats) -> Floats:
    return np.column_stack([gp.output.backward(gp.latent(X)[0]) for _, gp in models])


@dataclass(frozen=True)
class Explore:
    """Choose what is new.

    Attributes
    ----------
    name
        ``auto`` and ``novelty`` (random at the start and one in ten), or ``random``.
    """

    name: str = "auto"

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        """Up to ``count`` different picks, the best first."""
        with one_thread():
            numbers = [k for k, one in enumerate(problem.objectives) if not one.classes]
            scene = Scene.of(problem, numbers)
            models = []
            if self.name != "random" and int(usable(scene.Y).any(axis=1).sum()) >= FEWEST:
                models = [(k, gp) for k, gp in enumerate(scene.gps) if gp is not None]
                together = usable(scene.Y[:, [k for k, _ in models]]).all(axis=1)
                models = models if together.sum() >= 2 else models[:1]
            made = len(scene.made)

            def whose(at: int) -> str:
                turn = (made + at) % RANDOM_EVERY == RANDOM_EVERY - 1
                return "random" if not models or turn else "novelty"

            ways = {"novelty": lambda scene: Novelty(scene, models), "random": Random}
            return choose(scene, count, whose, ways, WHY)


#: name → strategy, for the aim in words.
STRATEGIES = {name: Explore(name) for name in ("auto", "novelty", "random")}
