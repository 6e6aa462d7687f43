"""The aim *accurate model*: which sample to make next so that the property is predicted best everywhere.

Looking for the best value is another aim: expected improvement and the largest uncertainty choose extremes, and a
model taught by extremes predicts ordinary samples worse than one taught by random ones.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from zairyo.campaign._base import CampaignError, Pick, Problem
from zairyo.campaign._teach_auto import RANDOM_EVERY, beliefs
from zairyo.campaign._teach_scene import Scene
from zairyo.campaign._teach_ways import WAYS, Way
from zairyo.learn._threads import one_thread

#: Words by which people ask for what this aim refuses, to why.
REFUSED = {
    "expected improvement": "it looks for the best value",
    "log expected improvement": "it looks for the best value",
    "probability of improvement": "it looks for the best value",
    "ucb": "it looks for the best value",
    "upper confidence bound": "it looks for the best value",
    "thompson": "it looks for the best value",
    "uncertainty": "it looks for odd samples at the edges",
    "largest uncertainty": "it looks for odd samples at the edges",
}

WHY = {
    "random": "drawn at random, so that the errors of the model can be trusted",
    "k-centre": "farthest from everything made",
    "herding": "many candidates are like it, and no sample made is",
    "integrated variance": "lowers the uncertainty of all candidates together the most",
    "committee": "different models disagree about it and about many candidates like it",
    "descriptors": "lowers the uncertainty of the measured descriptors and of the property together the most",
}


def check(strategy: str) -> None:
    """Whether a strategy serves an accurate model.

    Raises
    ------
    CampaignError
        Where it is known to do worse than random (why, and what to take), or is not known.
    """
    name = strategy.strip().lower()
    if name in REFUSED:
        raise CampaignError(
            f"{strategy!r} is refused for the aim 'accurate model': {REFUSED[name]}, and a model taught by those "
            "predicts the others worse than one taught by random samples (on real alloys by 0.1 standard deviations "
            f"and more). Take 'auto' or one of {', '.join(WAYS)}; or, if the best value is wanted, the aim 'best value'"
        )
    if name != "auto" and name not in WAYS:
        raise CampaignError(
            f"{strategy!r} is no strategy for the aim 'accurate model'; known are auto, {', '.join(WAYS)}"
        )


@dataclass(frozen=True)
class Teach:
    """Choose for an accurate model.

    Attributes
    ----------
    name
        ``auto`` (a third at random, the rest by what has taught most so far), ``random``, ``k-centre``, ``herding``,
        ``integrated variance``, ``committee`` or ``descriptors``.
    """

    name: str = "auto"

    def __post_init__(self) -> None:
        check(self.name)

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        """Up to ``count`` different picks, the best first."""
        with one_thread():  # matrices are small, and other threads would only wait for each other
            return self._pick(Scene.of(problem), count)

    def _pick(self, scene: Scene, count: int) -> list[Pick]:
        if self.name != "auto":
            return choose(scene, count, lambda _: self.name)
        made = len(scene.made)
        known = functools.cache(lambda: beliefs(scene))  # not needed where all picks are random ones

        def whose(at: int) -> str:
            turn = made + at
            if (turn + scene.seed) % RANDOM_EVERY == RANDOM_EVERY - 1:
                return "random"
            return known().draw(np.random.default_rng([scene.seed, turn, 19]))

        return choose(scene, count, whose)


def choose(
    scene: Scene,
    count: int,
    whose: Callable[[int], str],
    known: Mapping[str, Callable[[Scene], Way]] = WAYS,
    why: Mapping[str, str] = WHY,
) -> list[Pick]:
    """Pick after pick, each by the way whose turn it is; every way knows what the others chose."""
    ways: dict[str, Way] = {}
    chosen: list[int] = []
    picks: list[Pick] = []
    open_ = np.ones(len(scene.block), bool)
    for at in range(count):
        likely = open_ & scene.likely
        allowed = likely if likely.any() else open_
        if not allowed.any():
            break
        name = whose(at)
        if name not in ways:
            ways[name] = known[name](scene)
            for row in chosen:
                ways[name].add(row)
        row, score = ways[name].best(allowed)
        for way in ways.values():
            way.add(row)
        chosen.append(row)
        x = scene.block.X[row]
        picks.append(Pick(int(scene.block.index[row]), x.copy(), score, name, why[name]))
        open_ &= ~scene.same(row)
    return picks


#: name → strategy, for the aim in words.
STRATEGIES = {name: Teach(name) for name in ("auto", *WAYS)}
