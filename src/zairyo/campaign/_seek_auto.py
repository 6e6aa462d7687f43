"""What looks for the best where nobody says how: first for one of the best, then for something better still.

Expected improvement asks by how much a candidate may beat the best so far, and before anything good is known nearly
everything may. Where all candidates can be looked at, a better aim is known: the level that the best of them are
expected to lie above follows from what is believed of all, and improvement is counted from there where that is higher
than the best so far.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr

from zairyo.campaign._base import Block, Floats, Pick, Problem, Strategy
from zairyo.campaign._objectives import feasible, loss
from zairyo.campaign._seek import (
    ExpectedImprovement,
    Forest,
    Random,
    Thompson,
    UpperConfidence,
    first_picks,
    given_out,
    picks,
    single,
)
from zairyo.campaign._seek_score import Rated, RatedWork, belief_of, optimistic, rated
from zairyo.campaign._seek_search import SHORTLIST, Found, Working, greedy

#: The share of candidates that are the best ones; sentences name it.
BEST = 0.01
#: Halvings of the range in which a level is looked for.
HALVINGS = 32
#: Experiments without anything better after which one pick in so many explores, by so many deviations.
STAGNANT, EXPLORED, BOLD = 12, 4, 4.0


def level_of(mean: Floats, variance: Floats, share: float = BEST) -> float:
    """The level that a share of the candidates, one at least, is expected to lie above; m normal beliefs (m,)."""
    deviation = np.sqrt(variance)
    share = max(share, 1.0 / len(mean))
    low, high = float((mean - 9.0 * deviation).min()), float((mean + 9.0 * deviation).max())
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if ndtr((mean - middle) / deviation).mean() > share:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@dataclass(eq=False)
class Among(Rated):
    """A scorer whose aim is never lower than what the best of the candidates are expected to reach.

    Attributes
    ----------
    sought
        For each candidate chosen, whether nothing made so far seemed to be one of the best.
    """

    sought: list[bool] = field(default_factory=list)

    def working(self, block: Block, room: int) -> Working:
        return _Among(self, block, room)


class _Among(RatedWork):
    def __init__(self, among: Among, block: Block, room: int) -> None:
        super().__init__(among, block, room)
        self._sought, self._weights = among.sought, among.belief.weights

    def scores(self) -> Floats:
        levels = np.array([level_of(one.mean, one.variance) for one in self._tracked])
        self._sought.append(bool(self._weights @ (levels > self._aims) > 0.5))
        return self.beyond(np.maximum(self._aims, levels))


def seek(problem: Problem, count: int) -> list[Pick]:
    """Picks by improvement over the best of the candidates, or over the best made where not all are looked at."""
    improving = ExpectedImprovement()
    k, size = single(problem, improving.name), problem.candidates.size
    belief = belief_of(problem, k)
    if belief is None or size is None or size > SHORTLIST:
        return improving.pick(problem, count)
    scorer = rated(problem, k, belief)
    if not isinstance(scorer, Rated) or not scorer.rising:
        return improving.pick(problem, count)
    among = Among(scorer.belief, scorer.promise, scorer.aims, scorer.chances)
    found = greedy(problem, among, count)
    better = "raise" if problem.objectives[k].direction == "maximise" else "lower"
    why = {
        False: f"expected to {better} the best value by most",
        True: "expected to exceed by most what the best 1 % of the candidates reach, as nothing made so far seems to",
    }
    return [
        picks(problem, [one], improving.name, why[sought], among.chances)[0]
        for one, sought in zip(found, among.sought, strict=False)
    ]


@dataclass(frozen=True)
class Auto:
    """One of the best, then better ones; where that has brought nothing for long, one pick in four explores.

    A model that is wrong about where the best is stays wrong as long as it is only asked where it believes it.
    """

    name: str = "auto"

    def pick(self, problem: Problem, count: int) -> list[Pick]:
        since = stagnant(problem, single(problem, self.name))
        made = len(problem.X) + len(problem.pending)
        odd = [i for i in range(count) if since >= STAGNANT and (made + i) % EXPLORED == EXPLORED - 1]
        found = seek(problem, count - len(odd)) if count > len(odd) else []
        if not odd:
            return found
        for one in found:
            problem = given_out(problem, Found(one.index, one.x, one.score))
        k = single(problem, self.name)
        belief = belief_of(problem, k)
        if belief is None:
            return found + first_picks(problem, len(odd))
        scorer = optimistic(problem, k, belief, BOLD)
        why = f"where least is known among what may be good: the last {since} experiments brought nothing better"
        bold = picks(problem, greedy(problem, scorer, len(odd)), "exploration", why, scorer.chances)
        for place, one in zip(odd, bold, strict=False):
            found.insert(place, one)
        return found


def stagnant(problem: Problem, k: int) -> int:
    """How many of the last experiments brought nothing better than was known before."""
    rows = np.flatnonzero(problem.known[:, k] & feasible(problem.objectives, problem.Y))
    if not len(rows):
        return 0
    losses = loss(problem.objectives[k], problem.Y[rows, k])
    return int(len(problem.X) - 1 - rows[int(np.argmin(losses))])


#: The strategies for one outcome of which the best is wanted, or a range.
SEEK: dict[str, Strategy] = {
    one.name: one
    for one in (Auto(), ExpectedImprovement(), Thompson(), UpperConfidence(), Forest(), Random())
}
