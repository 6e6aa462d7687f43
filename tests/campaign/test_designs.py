"""Start designs: what the textbook says where the space allows it, and always distinct candidates that are free."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from zairyo.campaign._base import Block, CampaignError, Candidates, Objective, Problem
from zairyo.campaign._designs import DESIGNS, DOptimal, design_named, own_design, terms
from zairyo.campaign._mixtures import vertices
from zairyo.campaign._pools import candidates_from
from zairyo.campaign.parameters import Categorical, Continuous, Integer, Levels, Linear, Mixture

MIXED = [
    Continuous("a", 0, 10),
    Integer("i", 0, 3),
    Categorical("k", ("x", "y", "z")),
    Continuous("c", 1e-4, 1, log=True),
]
BLEND = [Mixture("m", ("p", "q", "r"), bounds={"p": (0.1, 1), "q": (0, 0.4)}), Continuous("T", 0, 1)]
GRID = [Mixture("m", ("p", "q", "r"), step=0.1), Levels("T", (1, 2, 3))]


def table() -> pd.DataFrame:
    r = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"u": r.normal(size=80), "v": r.exponential(size=80), "w": r.choice(list("ab"), 80), "one": 5.5}
    )
    return pd.concat([frame, frame.iloc[:20]], ignore_index=True)


POOLS: dict[str, Any] = {"mixed": MIXED, "blend": BLEND, "grid": GRID, "table": table()}


def problem(
    candidates: Candidates, told: np.ndarray[Any, Any] | None = None, taken: Any = (), seed: int = 0
) -> Problem:
    width = candidates.space.width
    X = np.empty((0, width)) if told is None else told
    return Problem(
        candidates=candidates,
        X=X,
        Y=np.full((len(X), 1), np.nan),
        failed=np.zeros(len(X), bool),
        index=np.full(len(X), -1),
        pending=np.empty((0, width)),
        objectives=(Objective("y"),),
        taken=np.array(sorted(taken), np.int64),
        avoid=X,
        seed=seed,
    )


def settings_of(candidates: Candidates, picks: Any) -> list[dict[str, Any]]:
    return candidates.decode(Block(np.array([p.index for p in picks]), np.array([p.x for p in picks])))


@pytest.mark.parametrize("name", list(DESIGNS))
@pytest.mark.parametrize("pool", list(POOLS))
def test_picks_are_distinct_allowed_and_go_on_where_the_last_stopped(pool: str, name: str) -> None:
    candidates = candidates_from(POOLS[pool])
    design = design_named(name)
    mixed = any(v.kind == "mixture" for v in candidates.space.variables)
    if not mixed and ("simplex" in name or "vertices" in name):
        with pytest.raises(CampaignError, match="is for mixtures"):
            design.pick(problem(candidates), 3)
        return
    first = design.pick(problem(candidates), 6)
    assert [p.x.tolist() for p in design.pick(problem(candidates), 6)] == [p.x.tolist() for p in first]
    X = np.array([p.x for p in first])
    more = design.pick(problem(candidates, X, [p.index for p in first if p.index >= 0]), 6)
    every = np.vstack([X, [p.x for p in more]])
    assert len(np.unique(every, axis=0)) == 12
    assert (candidates.encode(settings_of(candidates, [*first, *more])) == every).all()
    assert all(p.why for p in first)


@pytest.mark.parametrize("name", ["sobol", "latin hypercube", "d-optimal", "factorial"])
def test_small_and_used_up_pools_give_what_is_left(name: str) -> None:
    candidates = candidates_from(pd.DataFrame({"a": [1.0, 1.0, 2.0, 3.0], "c": 7.0}))
    picks = design_named(name).pick(problem(candidates), 10)
    assert sorted(p.x[0] for p in picks) == [1.0, 2.0, 3.0]
    told = candidates.encode([{"a": 1.0, "c": 7.0}])
    left = design_named(name).pick(problem(candidates, told, [0]), 10)
    assert sorted(p.index for p in left) == [2, 3]
    assert design_named(name).pick(problem(candidates, told, [0, 1, 2, 3]), 10) == []


def test_a_latin_hypercube_has_each_part_of_every_range_once() -> None:
    candidates = candidates_from([Continuous("a", 0, 8), Continuous("b", -1, 1), Integer("i", 1, 8)])
    X = np.array([p.x for p in DESIGNS["latin hypercube"].pick(problem(candidates), 8)])
    for column, low, span in ((0, 0, 8), (1, -1, 2), (2, 1, 7.999)):
        assert sorted(np.minimum((X[:, column] - low) / span * 8, 7).astype(int)) == list(range(8))


def test_a_sobol_sequence_is_the_same_asked_for_at_once_or_one_by_one() -> None:
    candidates = candidates_from(MIXED)
    at_once = [p.x for p in DESIGNS["sobol"].pick(problem(candidates), 4)]
    X = np.empty((0, candidates.space.width))
    for _ in range(4):
        X = np.vstack([X, DESIGNS["sobol"].pick(problem(candidates, X), 1)[0].x])
    assert np.allclose(X, at_once)


def test_a_full_factorial_is_full_and_a_fraction_is_orthogonal() -> None:
    three = candidates_from([Continuous(n, -1, 1) for n in "abc"])
    X = np.array([p.x for p in DESIGNS["factorial"].pick(problem(three), 8)])
    assert {tuple(x) for x in X.tolist()} == {(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)}
    seven = candidates_from([Continuous(n, -1, 1) for n in "abcdefg"])
    X = np.array([p.x for p in DESIGNS["factorial"].pick(problem(seven), 8)])
    assert np.array_equal(X.T @ X, 8 * np.eye(7))


def test_mixture_designs_make_what_the_textbook_says() -> None:
    free = candidates_from(Mixture("m", ("p", "q", "r")))
    thirds = pytest.approx(1 / 3)
    X = [p.x.tolist() for p in DESIGNS["simplex centroid"].pick(problem(free), 7)]
    assert sorted(X[:3]) == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert sorted(X[3:6]) == [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    assert X[6] == [thirds] * 3
    lattice = np.array([p.x for p in DESIGNS["simplex lattice"].pick(problem(free), 6)])
    assert {tuple(x) for x in (2 * lattice).astype(int).tolist()} == {
        (2, 0, 0), (0, 2, 0), (0, 0, 2), (1, 1, 0), (1, 0, 1), (0, 1, 1)
    }  # fmt: skip
    pairs = candidates_from(Mixture("m", ("p", "q", "r"), at_most=2))
    X = np.array([p.x for p in DESIGNS["simplex centroid"].pick(problem(pairs), 9)])
    assert ((X > 0).sum(axis=1) <= 2).all()


def test_extreme_vertices_are_the_corners_that_bounds_leave() -> None:
    corners = vertices(np.array([0.1, 0.0, 0.0]), np.array([1.0, 0.4, 1.0]))
    assert sorted(corners.round(9).tolist()) == [
        [0.1, 0.0, 0.9],
        [0.1, 0.4, 0.5],
        [0.6, 0.4, 0.0],
        [1.0, 0.0, 0.0],
    ]
    many = vertices(np.zeros(15), np.full(15, 0.3))
    assert np.allclose(many.sum(axis=1), 1)
    assert many.max() <= 0.3 + 1e-9
    candidates = candidates_from(BLEND)
    X = np.array([p.x for p in DESIGNS["extreme vertices"].pick(problem(candidates), 4)])
    assert sorted(X[:, :3].round(9).tolist()) == sorted(corners.round(9).tolist())


def test_a_d_optimal_design_knows_the_model_better_than_random_rows() -> None:
    candidates = candidates_from(
        [Continuous("a", 0, 10), Continuous("b", -5, 5)], constraints=[Linear({"a": 1, "b": 1}, "<=", 12)]
    )
    X = np.array([p.x for p in DOptimal("quadratic").pick(problem(candidates), 8)])
    r = np.random.default_rng(0)

    def information(rows: Any) -> float:
        F = terms(candidates.space, rows, "quadratic")
        return float(np.linalg.slogdet(F.T @ F)[1])

    random = max(information(candidates.draw(8, r).X) for _ in range(50))
    assert information(X) > random + 2
    assert (X[:, 0] + X[:, 1] <= 12.0001).all()
    square = candidates_from([Continuous("a", 0, 10), Continuous("b", -5, 5)])
    corners = sorted(p.x.tolist() for p in DOptimal("linear").pick(problem(square), 4))
    assert corners == [[0, -5], [0, 5], [10, -5], [10, 5]]
    first = np.array(corners[:2])  # a is not varied yet, so the next must vary it
    assert all(p.x[0] == 10 for p in DOptimal("linear").pick(problem(square, first), 2))
    with pytest.raises(CampaignError, match="no model 'cubic'"):
        DOptimal("cubic")


def test_ones_own_design_is_made_in_its_order_and_not_twice() -> None:
    candidates = candidates_from(MIXED)
    own = [{"a": 5.0, "i": 2, "k": "z", "c": 0.01}, {"a": 1.0, "i": 0, "k": "x", "c": 1.0}]
    design = own_design(pd.DataFrame(own))
    picks = design.pick(problem(candidates), 2)
    assert settings_of(candidates, picks) == own
    then = design.pick(problem(candidates, picks[0].x[None]), 2)
    assert settings_of(candidates, then[:1]) == own[1:]
    assert then[1].method == "k-centre"
    off = own_design([{"a": 5.0, "i": 2, "k": "z", "c": 100.0}]).pick(problem(candidates), 1)
    assert "nearest candidate that is free" in off[0].why
    with pytest.raises(CampaignError, match="list of settings"):
        own_design([])
    with pytest.raises(CampaignError, match="no start design 'sobel'"):
        design_named("sobel")
