"""References that span all, and composition spreads: if these fail, samples and films are made for nothing."""

from __future__ import annotations

import numpy as np
import pytest
from tests.campaign.teaching import Rows, problem

from zairyo.campaign import _references, _spread
from zairyo.campaign._base import CampaignError, Objective
from zairyo.campaign._pools import candidates_from
from zairyo.campaign._references import choose_references
from zairyo.campaign.parameters import Continuous, Mixture, SearchSpace
from zairyo.learn import Space


def odours(seed: int = 0) -> tuple[np.ndarray, list[int]]:
    """Sixty samples, mixtures of four corners on twelve channels; and where the corners are."""
    rng = np.random.default_rng(seed)
    corners = rng.random((4, 12)) ** 3
    shares = rng.dirichlet(np.ones(4), 60)
    at = [5, 17, 31, 59]
    shares[at] = np.eye(4)
    return shares @ corners, at


def test_end_points_are_found_and_nothing_is_left() -> None:
    responses, at = odours()
    found = choose_references(responses, 6, "end points")
    assert sorted(found.order[:4]) == at
    assert found.residual[3] < 1e-6 < found.residual[2]
    assert len(set(found.order)) == 6


def test_reconstruction_needs_no_more_than_the_rank_and_its_residual_is_true() -> None:
    responses, _ = odours(1)
    found = choose_references(responses, 5)
    assert found.enough(1e-6) == 4
    for count in (1, 2, 3):
        chosen = responses[found.order[:count]]
        rest = responses - responses @ np.linalg.pinv(chosen) @ chosen
        assert np.isclose(found.residual[count - 1], np.linalg.norm(rest) / np.linalg.norm(responses))
    assert (np.diff(found.residual) <= 1e-9).all()


def test_reconstruction_leaves_less_than_most_random_choices() -> None:
    responses = odours(2)[0] + 0.02 * np.random.default_rng(2).standard_normal((60, 12))
    left = choose_references(responses, 3).residual[-1]
    rng = np.random.default_rng(3)
    others = []
    for _ in range(100):
        chosen = responses[rng.permutation(60)[:3]]
        others.append(np.linalg.norm(responses - responses @ np.linalg.pinv(chosen) @ chosen))
    assert left * np.linalg.norm(responses) <= np.percentile(others, 5)


@pytest.mark.parametrize("method", _references.METHODS)
def test_odd_responses_do_no_harm(method: _references.Method) -> None:
    for responses in (
        np.zeros((4, 3)),
        np.ones((5, 2)),
        np.eye(3)[[0, 0, 1]],
        np.ones((1, 1)),
        1e80 * np.eye(3),
    ):
        found = choose_references(responses, 10, method)
        assert sorted(found.order) == list(range(len(responses)))
        assert np.isfinite(found.residual).all()
        assert found.residual[-1] < 1e-6
    assert len(choose_references(np.eye(3), 0, method).order) == 0


def test_a_missing_response_is_named() -> None:
    responses = np.ones((4, 3))
    responses[2, 1] = np.nan
    with pytest.raises(CampaignError, match="sample 2 in channel 1"):
        choose_references(responses, 2)
    with pytest.raises(CampaignError, match="no method 'best'"):
        choose_references(np.eye(2), 1, "best")  # type: ignore[arg-type]


def test_the_residual_is_shown() -> None:
    text = str(choose_references(np.eye(4), 4))
    assert "left unexplained" in text
    assert "86.60 %" in text
    assert "0.00 %" in text


@pytest.mark.parametrize("name", ["reconstruction", "end points"])
def test_references_among_candidates_count_those_there_are(name: str) -> None:
    pool = Rows(odours(3)[0])
    picks = _references.STRATEGIES[name].pick(problem(pool, []), 5)
    rest = _references.STRATEGIES[name].pick(problem(pool, [pick.index for pick in picks[:2]]), 3)
    assert [pick.index for pick in rest] == [pick.index for pick in picks[2:]]


def test_where_nothing_is_left_to_explain_it_is_said() -> None:
    pool = Rows(np.random.default_rng(4).random((40, 2)))
    picks = _references.STRATEGIES["auto"].pick(problem(pool, [0, 1]), 4)
    assert [pick.method for pick in picks] == ["k-centre"] * 4  # two references span two settings
    assert "explain all others already" in picks[-1].why
    assert len({pick.index for pick in picks}) == 4


# Composition spreads.


def simplex(steps: int) -> np.ndarray:
    found = [(a, b, steps - a - b) for a in range(steps + 1) for b in range(steps + 1 - a)]
    return np.array(found) / steps


def on_a_line(X: np.ndarray) -> bool:
    size = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    return bool(size[1] < 0.12 * size[0])


def test_a_spread_is_a_line_of_distinct_rows_in_order() -> None:
    X = simplex(20)
    pool = Rows(X, Space.of(X, mixture=[0, 1, 2]))
    made = [0, 40, 90, 130, 200]
    y = np.exp(-20 * ((X - [0.2, 0.6, 0.2]) ** 2).sum(axis=1))
    best = (Objective("strength", "maximise"),)
    given = problem(pool, made, y[made], objectives=best)
    picks = _spread.STRATEGIES["auto"].pick(given, 8)
    x = np.array([pick.x for pick in picks])
    assert len(picks) == 8
    assert len({pick.index for pick in picks}) == 8
    assert not {pick.index for pick in picks} & set(made)
    assert on_a_line(x)
    along = (x - x[0]) @ (x[-1] - x[0])
    assert (np.diff(along) > 0).all()
    assert "film from" in picks[0].why
    assert [p.index for p in _spread.STRATEGIES["auto"].pick(given, 8)] == [p.index for p in picks]


def test_a_spread_goes_through_what_promises_most() -> None:
    X = simplex(20)
    pool = Rows(X, Space.of(X, mixture=[0, 1, 2]))
    y = np.exp(-20 * ((X - [0.2, 0.6, 0.2]) ** 2).sum(axis=1))
    made = [int(k) for k in np.random.default_rng(0).permutation(len(X))[:25]]
    lines = {}
    for name in ("auto", "random"):
        given = problem(pool, made, y[made], objectives=(Objective("strength", "maximise"),))
        lines[name] = max(y[pick.index] for pick in _spread.STRATEGIES[name].pick(given, 7))
    assert lines["auto"] > 0.9
    assert lines["auto"] >= lines["random"]


def test_the_other_settings_are_one_film() -> None:
    X = simplex(8)
    rows = np.vstack([np.column_stack([X, np.full(len(X), t)]) for t in (300.0, 400.0, 500.0)])
    pool = Rows(rows, Space.of(rows, mixture=[0, 1, 2]))
    y = np.where(rows[:, 3] == 400, 1.0, 0.0) * rows[:, 1]
    made = list(range(0, len(rows), 9))
    given = problem(pool, made, y[made], objectives=(Objective("strength", "maximise"),))
    picks = _spread.STRATEGIES["auto"].pick(given, 5)
    assert len(picks) == 5
    assert {pick.x[3] for pick in picks} == {400.0}


def test_in_an_endless_space_the_steps_are_even_and_allowed() -> None:
    space = SearchSpace([Mixture("film", ("Fe", "Co", "Ni"), at_most=2), Continuous("temperature", 300, 900)])
    pool = candidates_from(space)
    given = problem_of(pool)
    picks = _spread.STRATEGIES["auto"].pick(given, 6)
    x = np.array([pick.x for pick in picks])
    assert len(picks) == 6
    assert np.allclose(np.diff(x, axis=0), (x[-1] - x[0]) / 5, atol=1e-9)
    assert np.ptp(x[:, 3]) == 0
    assert ((x[:, :3] > 1e-9).sum(axis=1) <= 2).all()
    assert np.allclose(x[:, :3].sum(axis=1), 1)


def problem_of(pool):  # type: ignore[no-untyped-def]
    drawn = pool.draw(12, np.random.default_rng(0)).X
    from zairyo.campaign._base import Problem

    return Problem(
        pool,
        drawn,
        drawn[:, :1],
        np.zeros(len(drawn), bool),
        np.full(len(drawn), -1),
        np.empty((0, drawn.shape[1])),
        (Objective("y", "model"),),
        avoid=drawn,
    )


@pytest.mark.parametrize("made", [[], [0], list(range(14)), list(range(15))])
def test_a_pool_that_has_no_such_line_gives_what_it_has(made: list[int]) -> None:
    X = simplex(4)
    pool = Rows(X, Space.of(X, mixture=[0, 1, 2]))
    for name in _spread.STRATEGIES:
        picks = _spread.STRATEGIES[name].pick(problem(pool, made, np.ones(len(made))), 9)
        rows = [pick.index for pick in picks]
        assert len(set(rows)) == len(rows)
        assert not set(rows) & set(made)
        assert bool(rows) == (len(made) < 15)


def test_without_a_composition_there_is_no_spread() -> None:
    pool = Rows(np.eye(4), Space.of(np.eye(4), kinds=["category:oven"] * 4))
    with pytest.raises(CampaignError, match=r"needs a mixture.*oven"):
        _spread.STRATEGIES["auto"].pick(problem(pool), 3)
