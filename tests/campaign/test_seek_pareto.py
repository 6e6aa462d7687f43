"""Several outcomes: volumes and their expectations are exact, and a front is found sooner than at random."""

from __future__ import annotations

import numpy as np
import pytest
from tests.campaign.seeking import Rows, problem

from zairyo.campaign._base import Block, Objective
from zairyo.campaign._hypervolume import boxes, hypervolume, undominated
from zairyo.campaign._pareto import STRATEGIES, Goal, Pareto, Volume, preferred
from zairyo.campaign._seek import Chances, belief_of

TWO = (Objective("a"), Objective("b", "minimise"))


@pytest.fixture
def pool() -> Rows:
    return Rows(np.random.default_rng(3).random((250, 2)))


def outcomes(X: np.ndarray) -> np.ndarray:
    """Two outcomes that want different ends of a diagonal."""
    a = np.exp(-3 * ((X - 0.2) ** 2).sum(axis=1))
    b = -np.exp(-3 * ((X - 0.8) ** 2).sum(axis=1))
    return np.column_stack([a, b])


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_volume_is_that_of_counted_points(width: int) -> None:
    rng = np.random.default_rng(width)
    Y = rng.random((12, width))
    points = rng.random((40_000, width))
    inside = (points[:, None, :] <= Y[None]).all(axis=2).any(axis=1).mean()
    assert hypervolume(Y, np.zeros(width)) == pytest.approx(inside, abs=0.012)
    assert hypervolume(np.vstack([Y, Y[:3], Y[:3] - 0.1]), np.zeros(width)) == pytest.approx(
        hypervolume(Y, np.zeros(width))
    )


def test_volume_by_hand() -> None:
    Y = np.array([[3.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 1.0, 3.0], [2.0, 2.0, 2.0], [-5.0, 9.0, 9.0]])
    # 8 of the cube, and the three arms beyond it: each 1 × 1 × 1.
    assert hypervolume(Y, np.zeros(3)) == pytest.approx(11.0)
    assert hypervolume(np.empty((0, 2)), np.zeros(2)) == 0.0


@pytest.mark.parametrize("width", [2, 3, 4])
def test_boxes_fill_what_is_not_dominated(width: int) -> None:
    rng = np.random.default_rng(width)
    Y = np.round(rng.random((9, width)), 1)
    lower, upper = boxes(Y, np.zeros(width))
    points = rng.random((5_000, width)) * 1.2
    inside = ((points[:, None] > lower) & (points[:, None] <= upper)).all(axis=2).sum(axis=1)
    dominated = (points[:, None] <= Y[None]).all(axis=2).any(axis=1)
    assert (inside == np.where(dominated, 0, 1)).all()


def test_undominated_keeps_one_of_equals() -> None:
    Y = np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0], [0.0, 0.0], [1.0, 1.9]])
    assert undominated(Y).tolist() == [True, False, True, False, False]


@pytest.mark.parametrize("ranged", [False, True])
def test_expected_volume_is_the_mean_over_draws(pool: Rows, ranged: bool) -> None:
    made = np.arange(9)
    told = outcomes(pool.X[made])
    asked = problem(pool, made, told, (Objective("a"), Objective("b")))
    beliefs = [belief_of(asked, k) for k in (0, 1)]
    assert beliefs[0] is not None
    assert beliefs[1] is not None
    goals = [Goal(beliefs[0], None), Goal(beliefs[1], (-0.2, 0.3) if ranged else None)]
    front = np.column_stack([goal.of(goal.belief.members[0].t) for goal in goals])
    reference = front.min(axis=0) - 0.3
    rows = np.arange(100, 106)
    scorer = Volume(goals, front[undominated(front)], reference, Chances(asked))
    found = np.exp(scorer.working(Block(rows, pool.X[rows]), 1).scores())
    rng = np.random.default_rng(0)
    for i, row in enumerate(rows):
        draws = []
        for goal in goals:
            member = rng.choice(len(goal.belief.members), 1500, p=goal.belief.weights)
            moments = [one.latent(pool.X[[row]]) for one in goal.belief.members]
            mean = np.array([float(m[0]) for m, _ in moments])[member]
            sd = np.array([float(v[0]) ** 0.5 for _, v in moments])[member]
            draws.append(goal.of(mean + sd * rng.standard_normal(1500)))
        before = hypervolume(front, reference)
        gains = [hypervolume(np.vstack([front, pair]), reference) - before for pair in np.column_stack(draws)]
        assert found[i] == pytest.approx(np.mean(gains), abs=5 * np.std(gains) / 1500**0.5 + 1e-3)


def test_the_front_is_found_sooner_than_at_random(pool: Rows) -> None:
    Y = outcomes(pool.X)
    goals = Y * [1.0, -1.0]
    reference = goals.min(axis=0)
    found = {}
    for strategy in ("auto", "random"):
        made = list(range(6))
        for _ in range(4):
            made += [one.index for one in STRATEGIES[strategy].pick(problem(pool, made, Y[made], TWO), 3)]
        assert len(set(made)) == 18
        found[strategy] = hypervolume(goals[made], reference) / hypervolume(goals, reference)
    assert found["auto"] > max(0.93, found["random"] + 0.03)


def test_limits_hold_on_the_front(pool: Rows) -> None:
    three = (*TWO, Objective("heat", "within", None, 0.5, constraint=True))
    Y = np.column_stack([outcomes(pool.X), pool.X[:, 0]])
    made = list(range(8))
    for _ in range(3):
        made += [one.index for one in STRATEGIES["auto"].pick(problem(pool, made, Y[made], three), 2)]
    assert np.mean(pool.X[made[8:], 0] < 0.55) > 0.6


@pytest.mark.parametrize("name", list(STRATEGIES))
@pytest.mark.parametrize("told", [0, 1, 2, 12])
def test_hostile_outcomes(pool: Rows, name: str, told: int) -> None:
    made = np.arange(told)
    Y = outcomes(pool.X[made])
    spoiled = Y.copy()
    spoiled[::3, 0] = np.nan
    spoiled[1::3, 1] = np.inf
    for case, failed in (
        (Y, None),
        (spoiled, None),
        (np.ones_like(Y), None),
        (Y * np.nan, np.ones(told, bool)),
    ):
        found = STRATEGIES[name].pick(problem(pool, made, case, TWO, failed=failed), 3)
        places = {one.index for one in found}
        assert len(places) == 3
        assert not places & set(made.tolist())


def test_one_outcome_and_many(pool: Rows) -> None:
    made = np.arange(10)
    one = Pareto().pick(problem(pool, made, outcomes(pool.X[made])[:, :1], TWO[:1]), 2)
    assert len(one) == 2
    five = tuple(Objective(f"y{k}", "target" if k else "maximise", 0.3 if k else None) for k in range(5))
    Y = np.column_stack([pool.X[:, 0], *[np.sin(k * pool.X[:, 1]) for k in range(1, 5)]])
    found = Pareto().pick(problem(pool, made, Y[made], five), 2)
    assert len({one.index for one in found} - set(made.tolist())) == 2


def test_preferences_choose_one_of_the_front() -> None:
    losses = np.array([[0.0, 10.0], [1.0, 1.0], [10.0, 0.0], [5.0, 5.0], [np.nan, -3.0]])
    assert preferred(losses, np.array([1.0, 1.0])) == 1
    assert preferred(losses, np.array([100.0, 1.0])) == 0
    assert preferred(losses, np.array([1.0, 100.0])) == 2
