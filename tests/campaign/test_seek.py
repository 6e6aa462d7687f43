"""Looking for the best: closed forms, batches, failures, limits, and data as they really are."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from scipy import integrate
from scipy.special import ndtr
from scipy.stats import norm
from tests.campaign.seeking import Rows, Square, hill, problem

from zairyo.campaign import _base, _seek_model, _seek_search
from zairyo.campaign._acquisition import (
    Path,
    log_expected_improvement,
    log_h,
    log_nearing,
    log_probability_between,
)
from zairyo.campaign._base import CampaignError, Objective, Problem
from zairyo.campaign._belief import Belief as Told
from zairyo.campaign._seek import Forest
from zairyo.campaign._seek_auto import SEEK as ALL
from zairyo.campaign._seek_auto import level_of
from zairyo.campaign._seek_model import Tracked
from zairyo.campaign._seek_score import belief_of
from zairyo.learn import Space, fit_gp

#: With a forest of few trees: the tests are of what surrounds it.
SEEK = {**ALL, "forest": Forest(trees=15)}
SEEKING = ["auto", "expected improvement", "thompson", "ucb", "forest"]


@pytest.fixture
def pool() -> Rows:
    return Rows(np.random.default_rng(5).random((400, 2)))


# Closed forms: a wrong one chooses wrongly without a word.


def test_log_expected_improvement_is_the_integral() -> None:
    for mean, variance, best in [(0.0, 1.0, 0.5), (2.0, 0.25, 1.0), (-1.0, 4.0, 3.0)]:
        deviation = variance**0.5
        exact = integrate.quad(
            lambda f, m=mean, d=deviation, b=best: (f - b) * norm.pdf(f, m, d), best, best + 40
        )[0]
        found = log_expected_improvement(np.array([mean]), np.array([variance]), best)
        assert np.exp(found[0]) == pytest.approx(exact, rel=1e-7)


def test_promises_too_small_for_a_number_still_rank() -> None:
    z = np.array([-1e9, -1e5, -2e4, -1e3, -50.0, -10.0, -1.0 - 1e-9, -1.0 + 1e-9, 0.0, 5.0, 1e5])
    found = log_h(z)
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()
    assert found[6] == pytest.approx(found[7], abs=1e-7)
    # The first terms of the asymptotic series.
    assert found[4] == pytest.approx(norm.logpdf(-50.0) - 2 * np.log(50.0) + np.log1p(-3 / 2500), abs=1e-5)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (-0.5, 1.0), (0.3, None), (None, -0.2)])
@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (2.0, 0.5), (-3.0, 0.7), (0.4, 3.0)])
def test_nearing_a_range_is_the_integral(
    low: float | None, high: float | None, mean: float, deviation: float
) -> None:
    distance = 0.8

    def share(f: float) -> float:
        apart = max(0.0, (low - f) if low is not None else 0.0, (f - high) if high is not None else 0.0)
        return max(1.0 - apart / distance, 0.0) * float(norm.pdf(f, mean, deviation))

    knots = sorted(
        v for edge in (low, high) if edge is not None for v in (edge - distance, edge, edge + distance)
    )
    ends = [mean - 12 * deviation, *knots, mean + 12 * deviation]
    exact = sum(integrate.quad(share, a, b)[0] for a, b in itertools.pairwise(ends) if b > a)
    found = log_nearing(np.array([mean]), np.array([deviation**2]), low, high, distance)
    assert np.exp(found[0]) == pytest.approx(exact, rel=1e-5, abs=1e-12)


def test_a_far_target_still_ranks() -> None:
    found = log_nearing(np.array([-60.0, -30.0, -5.0, 0.0]), np.full(4, 1e-2), 0.0, 0.0, 0.05)
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()


def test_probability_of_a_range_in_both_tails() -> None:
    found = log_probability_between(np.array([0.0, 20.0, -20.0]), np.ones(3), -1.0, 1.0)
    assert np.exp(found[0]) == pytest.approx(norm.cdf(1) - norm.cdf(-1))
    assert found[1] == pytest.approx(found[2])
    assert found[1] == pytest.approx(norm.logsf(19.0), abs=1e-6)


def test_draws_of_a_function_have_its_mean_and_variance() -> None:
    rng = np.random.default_rng(0)
    X = rng.random((12, 2))
    gp = fit_gp(X, hill(X), Space.of(np.array([[0.0, 0.0], [1.0, 1.0]])))
    at = rng.random((40, 2))
    draws = np.array([Path(gp, np.random.default_rng(k), 256)(at) for k in range(300)])
    mean, variance = gp.latent(at)
    assert np.abs(draws.mean(axis=0) - mean).max() < 5 * np.sqrt(variance.max() / 300) + 0.02
    assert draws.var(axis=0).mean() == pytest.approx(variance.mean(), rel=0.25)


# Batches.


def test_what_is_given_out_lowers_variances_as_a_new_fit_would(pool: Rows) -> None:
    made = np.arange(12)
    gp = fit_gp(pool.X[made], hill(pool.X[made]), pool.space)
    tracked = Tracked(gp, pool.X, 3)
    for row in (50, 60, 70):
        tracked.add(row)
    mean, variance = gp.append(pool.X[[50, 60, 70]]).latent(pool.X)
    assert np.allclose(tracked.mean, mean, atol=1e-8)
    assert np.allclose(tracked.variance, variance, atol=1e-7)
    more = tracked.joined(Tracked(gp.append(pool.X[[50, 60, 70]]), pool.X[:5] + 0.01, 3))
    assert np.allclose(
        more.variance[-5:], gp.append(pool.X[[50, 60, 70]]).latent(pool.X[:5] + 0.01)[1], atol=1e-7
    )


def test_a_shortlist_loses_nothing(pool: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    made = np.arange(15)
    asked = problem(pool, made, hill(pool.X[made]), pending=[20, 21])
    exact = [one.index for one in SEEK["expected improvement"].pick(asked, 5)]
    monkeypatch.setattr(_seek_search, "SHORTLIST", 60)
    monkeypatch.setattr(_seek_search, "ROWS", 50)
    monkeypatch.setattr(_seek_search, "PART", 16)
    assert [one.index for one in SEEK["expected improvement"].pick(asked, 5)] == exact


def test_pending_experiments_are_not_chosen_around(pool: Rows) -> None:
    made = np.arange(8)
    first = SEEK["auto"].pick(problem(pool, made, hill(pool.X[made])), 1)[0]
    second = SEEK["auto"].pick(problem(pool, made, hill(pool.X[made]), pending=[first.index]), 1)[0]
    batch = SEEK["auto"].pick(problem(pool, made, hill(pool.X[made])), 2)
    assert second.index == batch[1].index != first.index


# What it is for.


@pytest.mark.parametrize("name", SEEKING)
def test_the_best_of_a_hill_is_found(pool: Rows, name: str) -> None:
    made = list(range(5))
    y = hill(pool.X)
    while y[made].max() < np.sort(y)[-2] and len(made) < 40:
        found = SEEK[name].pick(problem(pool, made, y[made]), 2)
        assert not set(made) & {one.index for one in found}
        assert found[0].index != found[1].index
        made += [one.index for one in found]
    assert len(made) < (40 if name == "forest" else 27)


def test_minimising_is_maximising_the_other_way(pool: Rows) -> None:
    made = np.arange(10)
    up = SEEK["auto"].pick(problem(pool, made, hill(pool.X[made])), 3)
    down = SEEK["auto"].pick(problem(pool, made, -hill(pool.X[made]), (Objective("y", "minimise"),)), 3)
    assert [one.index for one in up] == [one.index for one in down]


@pytest.mark.parametrize("name", SEEKING)
@pytest.mark.parametrize(
    "objective", [Objective("y", "target", 0.5, None), Objective("y", "within", 0.45, 0.55)]
)
def test_a_value_in_the_middle_is_met(pool: Rows, name: str, objective: Objective) -> None:
    made, y = list(range(6)), hill(pool.X)
    for _ in range(6):
        made += [one.index for one in SEEK[name].pick(problem(pool, made, y[made], (objective,)), 1)]
    near = np.abs(y[made[6:]] - 0.5)
    assert near.min() < (0.1 if name == "forest" else 0.05)
    assert np.median(near) < np.median(np.abs(y - 0.5))


def test_limits_of_another_outcome_are_kept(pool: Rows) -> None:
    limit = Objective("heat", "within", None, 0.5, constraint=True)
    y, heat, made = hill(pool.X), pool.X[:, 0], list(range(10))
    for _ in range(8):
        told = np.column_stack([y[made], heat[made]])
        made += [
            one.index for one in SEEK["auto"].pick(problem(pool, made, told, (Objective("y"), limit)), 1)
        ]
    allowed = np.flatnonzero(heat <= 0.5)
    assert np.mean(heat[made[10:]] <= 0.52) > 0.7
    assert y[made][heat[made] <= 0.5].max() >= np.sort(y[allowed])[-4]


def test_where_no_limit_held_what_may_hold_is_sought(pool: Rows) -> None:
    limit = Objective("heat", "within", None, 0.1, constraint=True)
    made = np.flatnonzero(pool.X[:, 0] > 0.4)[:10]
    told = np.column_stack([hill(pool.X[made]), pool.X[made, 0]])
    found = SEEK["auto"].pick(problem(pool, made, told, (Objective("y"), limit)), 1)[0]
    assert pool.X[found.index, 0] < 0.2
    assert "limits" in found.why


@pytest.mark.parametrize("name", SEEKING)
def test_failures_teach_where_not_to_go(pool: Rows, name: str) -> None:
    """The hill's top fails always: campaigns must not spend themselves on it."""
    y, bad = hill(pool.X), pool.X[:, 0] > 0.6
    made = list(range(12))
    for _ in range(10):
        told = np.where(bad[made], np.nan, y[made])
        asked = problem(pool, made, told, failed=bad[made])
        made += [one.index for one in SEEK[name].pick(asked, 1)]
    # The best that does not fail is beside those that do.
    assert np.mean(pool.X[made[12:], 0] > 0.65) < 0.5
    assert np.where(bad, 0.0, y)[made].max() > 0.8


def test_a_missing_outcome_is_no_failure(pool: Rows) -> None:
    made = np.arange(12)
    y = hill(pool.X[made])
    y[[2, 5]] = np.nan
    whole = np.setdiff1d(made, [2, 5])
    asked = problem(pool, made, y)
    fewer = problem(pool, whole, hill(pool.X[whole]))
    assert np.allclose(belief_of(asked, 0).members[0].theta, belief_of(fewer, 0).members[0].theta)  # type: ignore[union-attr]


def test_what_costs_less_is_taken_first() -> None:
    X = np.repeat(np.random.default_rng(0).random((60, 2)), 2, axis=0)
    X[1::2] += 1e-6
    cost = np.where(np.arange(120) % 2, 1.0, 50.0)
    pool = Rows(X, cost=cost)
    found = SEEK["auto"].pick(problem(pool, range(10), hill(X[:10])), 5)
    assert all(one.index % 2 for one in found)


@pytest.mark.parametrize("name", ["auto", "thompson", "ucb"])
def test_a_space_without_end(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_seek_search, "SHORTLIST", 1500)
    square = Square()
    X = np.random.default_rng(1).random((6, 2))
    for _ in range(7):
        asked = Problem(
            square, X, hill(X)[:, None], np.zeros(len(X), bool), np.full(len(X), -1), np.empty((0, 2)),
            (Objective("y"),), avoid=X, seed=3,
        )  # fmt: skip
        found = SEEK[name].pick(asked, 2)
        assert all(one.index == -1 for one in found)
        assert len({tuple(one.x) for one in found}) == 2
        X = np.vstack([X, [one.x for one in found]])
    assert hill(X).max() > 0.97


# Data as they are.


@pytest.mark.parametrize("name", list(SEEK))
@pytest.mark.parametrize("told", [0, 1, 2, 3])
def test_little_or_nothing_known(pool: Rows, name: str, told: int) -> None:
    found = SEEK[name].pick(problem(pool, range(told), hill(pool.X[:told])), 4)
    places = {one.index for one in found}
    assert len(places) == 4
    assert not places & set(range(told))
    assert all(one.why for one in found)


@pytest.mark.parametrize("name", list(SEEK))
def test_hostile_outcomes(pool: Rows, name: str) -> None:
    made = np.arange(12)
    y = hill(pool.X[made])
    cases: list[tuple[Any, Any]] = [
        (np.full(12, np.nan), np.ones(12, bool)),
        (np.full(12, np.nan), None),
        (np.full(12, 3.0), None),
        (np.where(made < 6, 0.0, 1.0), None),
        (np.where(made == 3, np.inf, np.where(made == 4, -np.inf, y)), None),
        (np.where(made == 3, -1e300, y), None),
        (y * 1e-200, None),
        (1e9 + 1e-9 * y, None),
        (np.where(made % 5 == 0, np.nan, y), made % 5 == 0),
    ]
    for outcomes, failed in cases:
        found = SEEK[name].pick(problem(pool, made, outcomes, failed=failed), 3)
        places = {one.index for one in found}
        assert len(places) == 3
        assert not places & set(made.tolist())
        assert all(np.isfinite(one.score) for one in found)


@pytest.mark.parametrize("name", list(SEEK))
def test_duplicated_rows_constant_columns_and_many_levels(name: str) -> None:
    rng = np.random.default_rng(2)
    level = rng.integers(0, 100, 300)
    level[:100] = np.arange(100)
    X = np.column_stack([np.eye(100)[level], np.full(300, 7.0), rng.integers(0, 3, 300)]).astype(float)
    space = Space.of(X, kinds=[*["category:solvent"] * 100, "number", "integer"])
    pool = Rows(np.vstack([X, X]), space)
    y = np.sin(level) + X[:, -1]
    made = list(range(8))
    for _ in range(3):
        found = SEEK[name].pick(problem(pool, made, np.append(y, y)[made]), 4)
        rows = {tuple(pool.X[one.index]) for one in found}
        assert len(rows) == 4
        assert not rows & {tuple(row) for row in pool.X[made]}
        made += [one.index for one in found]


@pytest.mark.parametrize("name", list(SEEK))
def test_a_pool_that_runs_out(name: str) -> None:
    pool = Rows(np.random.default_rng(0).random((12, 3)))
    y = pool.X[:, 0]
    assert len(SEEK[name].pick(problem(pool, range(10), y[:10]), 5)) == 2
    assert SEEK[name].pick(problem(pool, range(12), y), 5) == []


@pytest.mark.parametrize("name", list(SEEK))
def test_nothing_varies(name: str) -> None:
    pool = Rows(np.ones((6, 2)))
    asked = Problem(
        pool, np.ones((4, 2)), np.arange(4.0)[:, None], np.zeros(4, bool), np.arange(4), np.empty((0, 2)),
        (Objective("y"),), taken=np.arange(4),
    )  # fmt: skip
    assert len(SEEK[name].pick(asked, 3)) == 1


@pytest.mark.parametrize("name", list(SEEK))
def test_the_same_again(pool: Rows, name: str) -> None:
    made = np.arange(10)
    asked = problem(pool, made, hill(pool.X[made]), seed=11)
    again = problem(pool, made, hill(pool.X[made]), seed=11)
    first, second = SEEK[name].pick(asked, 4), SEEK[name].pick(again, 4)
    assert [(one.index, one.score) for one in first] == [(one.index, one.score) for one in second]


def test_where_nothing_gets_better_some_picks_explore(pool: Rows) -> None:
    """Told the best first and only its like after it, a search must not stay there for ever."""
    order = np.argsort(np.abs(pool.X - [0.7, 0.3]).sum(axis=1))[:24]
    asked = problem(pool, order, hill(pool.X[order]))
    found = SEEK["auto"].pick(asked, 8)
    bold = [one for one in found if one.method == "exploration"]
    assert len(bold) == 2
    assert "brought nothing better" in bold[0].why
    assert len({one.index for one in found} - set(order.tolist())) == 8
    better = problem(pool, order[::-1], hill(pool.X[order[::-1]]))
    assert all(one.method != "exploration" for one in SEEK["auto"].pick(better, 8))


def test_many_outcomes_take_no_longer_than_some(pool: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many rows lengths are learned from a share of them, and means still follow all."""
    monkeypatch.setattr(_seek_model, "LENGTH_ROWS", 20)
    monkeypatch.setattr(_seek_model, "COARSE_ROWS", 24)
    made = np.arange(60)
    belief = belief_of(problem(pool, made, hill(pool.X[made])), 0)
    assert belief is not None
    assert len(belief.members[0].t) == 60
    assert len(belief.coarse().t) == 24
    best = int(np.argmax(hill(pool.X[made])))
    assert any((row == pool.X[best]).all() for row in belief.coarse().X)


def test_of_more_than_are_modelled_the_best_and_the_worst_are_kept(
    pool: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_seek_model, "MOST_ROWS", 32)
    made = np.arange(300)
    y = hill(pool.X[made])
    belief = belief_of(problem(pool, made, y), 0)
    assert belief is not None
    known = belief.members[0].X
    assert len(known) == 32
    for ends in (np.argsort(y)[:4], np.argsort(y)[-4:]):
        assert all(any((row == x).all() for row in known) for x in pool.X[ends])


def test_many_rows_to_avoid_are_found_as_few_are(pool: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    near = pool.X[rng.choice(len(pool.X), 60, replace=False)]
    near[:30] += 1e-11  # the same settings but for rounding
    near[30:40] += 1e-3
    asked = replace(problem(pool, [], np.empty(0)), avoid=near)
    (block,) = pool.blocks()
    few = asked.free(block)
    assert (~few).sum() == 50
    monkeypatch.setattr(_base, "MANY_AVOIDED", 10)
    np.testing.assert_array_equal(asked.free(block), few)


def test_several_objectives_are_not_one(pool: Rows) -> None:
    two = (Objective("a"), Objective("b"))
    with pytest.raises(CampaignError, match="pareto"):
        SEEK["expected improvement"].pick(problem(pool, range(5), np.ones((5, 2)), two), 1)


def test_first_one_of_the_best_is_sought_then_a_better_one(pool: Rows) -> None:
    """Among poor experiments what exceeds the best of the pool by most is made; then what may beat the best made."""
    y = 1.0 + hill(pool.X)
    worst, best = np.argsort(y)[:12], int(np.argmax(y))
    sought = SEEK["auto"].pick(problem(pool, worst, y[worst]), 1)[0]
    assert "what the best 1 % of the candidates reach" in sought.why
    made = np.append(np.argsort(y)[::40], best)
    assert (
        SEEK["auto"].pick(problem(pool, made, y[made]), 1)[0].why
        == "expected to raise the best value by most"
    )
    endless = Square()
    asked = problem(pool, worst, y[worst])
    drawn = SEEK["auto"].pick(replace(asked, candidates=endless, taken=np.empty(0, np.int64)), 1)[0]
    assert drawn.why == "expected to raise the best value by most", "there is no share of points without end"


def test_the_level_that_a_share_lies_above() -> None:
    mean = np.random.default_rng(0).normal(size=400)
    exact = level_of(mean, np.full(400, 1e-18), 0.05)
    assert 19 <= (mean > exact).sum() <= 20
    wide = level_of(mean, np.ones(400), 0.05)
    assert ndtr(mean - wide).mean() == pytest.approx(0.05, abs=1e-9)
    assert np.sort(mean[:3])[1] <= level_of(mean[:3], np.full(3, 1e-18)) <= mean[:3].max(), "one at least"


@pytest.mark.parametrize("direction", ["maximise", "minimise"])
def test_outcomes_over_decades_are_believed_as_logarithms(
    pool: Rows, direction: Literal["maximise", "minimise"]
) -> None:
    """Else a conductivity is expected below zero, and all but the largest ones measured look alike."""
    y = 10.0 ** (4.0 * hill(pool.X) / hill(pool.X).max())
    made = np.random.default_rng(3).choice(400, 14, replace=False)
    asked = problem(pool, made, y[made], (Objective("conductivity", direction),))
    told = Told(asked, np.ones(14, bool)).outlook(0, pool.X)
    assert (told.lower > 0).all()
    assert np.mean((told.lower <= y) & (y <= told.upper)) > 0.8
    several = replace(asked, objectives=(*asked.objectives, Objective("b")), Y=np.c_[asked.Y, asked.Y])
    belief = belief_of(several, 0)
    assert belief is not None
    assert belief.output.shape == "plain", "volumes of compromises are those of the outcomes as they are"
    near = belief_of(replace(asked, objectives=(Objective("conductivity", "target", 100.0),)), 0)
    assert near is not None
    assert near.output.shape == "plain", "50 is nearer to 100 than 190 is"


def test_outcomes_of_one_size_are_believed_as_they_are(pool: Rows) -> None:
    made = np.arange(14)
    belief = belief_of(problem(pool, made, 1.0 + hill(pool.X[made])), 0)
    assert belief is not None
    assert belief.output.shape == "plain"
