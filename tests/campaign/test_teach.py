"""Choosing for an accurate model: if these fail, experiments teach less than random ones, or are made twice."""

from __future__ import annotations

import numpy as np
import pytest
from tests.campaign.teaching import Rows, problem, sound

from zairyo.campaign import _explore, _phases, _references, _teach, _teach_scene
from zairyo.campaign._base import CampaignError, Objective, Problem, Strategy
from zairyo.campaign._teach import STRATEGIES, check
from zairyo.campaign._teach_auto import RANDOM_EVERY, beliefs
from zairyo.campaign._teach_scene import Scene
from zairyo.learn import Space, fit_gp

EVERY = [
    (aim, name)
    for aim, room in (
        ("accurate model", _teach),
        ("map of phases", _phases),
        ("something new", _explore),
        ("references", _references),
    )
    for name in room.STRATEGIES
]
ROOMS = {
    "accurate model": _teach,
    "map of phases": _phases,
    "something new": _explore,
    "references": _references,
}


def strategy(aim: str, name: str) -> Strategy:
    return ROOMS[aim].STRATEGIES[name]  # type: ignore[attr-defined,no-any-return]


def wave(X: np.ndarray) -> np.ndarray:
    return np.sin(5 * X[:, 0]) + X[:, 1] ** 2


def hostile() -> dict[str, Problem]:
    rng = np.random.default_rng(5)
    X = rng.random((60, 3))
    pool = Rows(X)
    few = Rows(X[:12])
    twins = Rows(np.vstack([X[:20], X[:20], X[:20]]))
    flat = Rows(np.column_stack([X[:, 0], np.full(60, 3.0), np.zeros(60)]))
    levels = np.eye(100)
    hundred = Rows(levels, Space.of(levels, kinds=["category:solvent"] * 100))
    y = wave(X)
    holes = y.copy()
    holes[[1, 4]] = np.nan, np.inf
    return {
        "nothing made": problem(pool),
        "one made": problem(pool, [7], [1.0]),
        "two made": problem(pool, [7, 8], [1.0, 2.0], D=[[1.0], [2.0]]),
        "ties": problem(pool, range(12), np.ones(12), D=np.ones((12, 2))),
        "missing": problem(
            pool, range(14), holes[:14], D=np.where(rng.random((14, 2)) < 0.4, np.nan, X[:14, :2])
        ),
        "none known": problem(pool, range(6), np.full(6, np.nan), D=np.full((6, 1), 2.0)),
        "all failed": problem(pool, range(9), np.full(9, np.nan), failed=np.ones(9, bool)),
        "some failed": problem(pool, range(14), y[:14], failed=X[:14, 0] > 0.6, D=X[:14, :1]),
        "twins": problem(twins, [0, 1, 2], [0.0, 1.0, 1.0], D=[[1.0], [2.0], [np.nan]]),
        "constant columns": problem(flat, range(12), y[:12], D=y[:12, None]),
        "nothing varies": problem(Rows(np.ones((5, 2)))),
        "one left": problem(few, range(11), y[:11], D=y[:11, None]),
        "none left": problem(few, range(12), y[:12], D=y[:12, None]),
        "hundred levels": problem(hundred, range(25), y[:25], D=y[:25, None], pending=[30, 31]),
        "several outcomes": problem(pool, range(10), np.column_stack([y, -y, y**2])[:10], D=X[:10]),
        "pending": problem(pool, range(20), y[:20], D=X[:20], pending=[25, 26, 27]),
    }


@pytest.mark.parametrize(("aim", "name"), EVERY)
def test_hostile_problems_have_distinct_free_and_repeatable_picks(aim: str, name: str) -> None:
    for case, given in hostile().items():
        if aim == "map of phases":
            classes = tuple("αβγ")
            codes = np.where(
                np.isfinite(given.Y), np.abs(np.nan_to_num(given.Y, posinf=0)).astype(int) % 3, np.nan
            )
            objectives = tuple(
                Objective(f"phase {k}", "model", classes=classes) for k in range(codes.shape[1])
            )
            given = Problem(**{**given.__dict__, "Y": codes, "objectives": objectives})
        if name == "descriptors" and case in ("one made", "none known") and given.D is None:
            continue
        try:
            picks = strategy(aim, name).pick(given, 4)
        except Exception as error:
            raise AssertionError(f"{case}: {error}") from error
        sound(given, picks, 4)
        if case in ("nothing made", "some failed", "pending"):
            again = strategy(aim, name).pick(given, 4)
            assert [p.index for p in again] == [p.index for p in picks], case


@pytest.mark.parametrize("name", ["expected improvement", "UCB", "thompson", "largest uncertainty"])
def test_seeking_the_best_is_refused_and_told_why(name: str) -> None:
    with pytest.raises(CampaignError, match=r"refused.*accurate model.*random.*herding"):
        check(name)


def test_an_unknown_strategy_is_told_which_there_are() -> None:
    with pytest.raises(CampaignError, match="known are auto, random, k-centre"):
        check("magic")


def test_k_centre_leaves_no_hole() -> None:
    pool = Rows(np.random.default_rng(0).random((400, 2)))
    holes = {}
    for name in ("k-centre", "random"):
        rows = [pick.index for pick in STRATEGIES[name].pick(problem(pool), 16)]
        holes[name] = np.linalg.norm(pool.X[:, None] - pool.X[rows], axis=2).min(axis=1).max()
    assert holes["k-centre"] < 0.26 < holes["random"]


def test_herding_stands_for_the_crowd_and_leaves_odd_ones_alone() -> None:
    rng = np.random.default_rng(1)
    crowds = [rng.normal(centre, 0.05, (100, 2)) for centre in ((0, 0), (1, 0), (0, 1), (1, 1))]
    odd = rng.random((8, 2)) * 6 - 3
    pool = Rows(np.vstack([*crowds, odd]))
    rows = [pick.index for pick in STRATEGIES["herding"].pick(problem(pool), 8)]
    assert sorted(np.bincount(np.array(rows) // 100, minlength=5)[:4])[0] >= 1
    assert sum(row >= 400 for row in rows) <= 1
    k_centre = [pick.index for pick in STRATEGIES["k-centre"].pick(problem(pool), 8)]
    assert sum(row >= 400 for row in k_centre) >= 5


def test_integrated_variance_leaves_the_model_surer_than_random_picks() -> None:
    pool = Rows(np.random.default_rng(2).random((300, 2)))
    made = list(range(10))
    left = {}
    for name in ("integrated variance", "random"):
        picks = STRATEGIES[name].pick(problem(pool, made, wave(pool.X[made])), 12)
        rows = made + [pick.index for pick in picks]
        gp = fit_gp(pool.X[made], wave(pool.X[made]), pool.space, starts=1).append(pool.X[rows[10:]])
        left[name] = gp.latent(pool.X)[1].mean()
    assert left["integrated variance"] < 0.8 * left["random"]


def test_a_cheap_experiment_is_preferred_to_a_dear_one_that_teaches_the_same() -> None:
    class Priced(Rows):
        def blocks(self, rows: int = 10**6):  # type: ignore[no-untyped-def]
            for block in super().blocks(rows):
                yield type(block)(block.index, block.X, np.where(block.X[:, 0] < 0.5, 1.0, 50.0))

    X = np.random.default_rng(3).random((200, 2))
    picks = STRATEGIES["integrated variance"].pick(problem(Priced(X), range(8), wave(X[:8])), 5)
    assert all(pick.x[0] < 0.5 for pick in picks)


@pytest.mark.parametrize("name", [one for one in STRATEGIES if one != "descriptors"])
def test_where_experiments_fail_none_are_proposed(name: str) -> None:
    pool = Rows(np.random.default_rng(4).random((300, 2)))
    made = list(range(40))
    failed = pool.X[made, 0] > 0.5
    given = problem(pool, made, np.where(failed, np.nan, wave(pool.X[made])), failed=failed)
    picks = STRATEGIES[name].pick(given, 8)
    assert sum(pick.x[0] > 0.6 for pick in picks) == 0


@pytest.mark.parametrize("name", ["k-centre", "herding", "integrated variance", "committee", "descriptors"])
def test_what_is_pending_counts_as_made(name: str) -> None:
    pool = Rows(np.random.default_rng(6).random((200, 2)))
    made, y = list(range(15)), wave(pool.X[:15])
    D = pool.X[:15, :1] ** 2
    first = STRATEGIES[name].pick(problem(pool, made, y, D=D), 1)[0]
    later = STRATEGIES[name].pick(problem(pool, made, y, D=D, pending=[first.index]), 1)[0]
    assert np.linalg.norm(first.x - later.x) > 0.05


def test_auto_keeps_a_random_third_and_uses_what_works() -> None:
    pool = Rows(np.random.default_rng(7).random((200, 2)))
    picks = STRATEGIES["auto"].pick(problem(pool, range(20), wave(pool.X[:20])), 30)
    methods = [pick.method for pick in picks]
    assert methods.count("random") >= 30 // RANDOM_EVERY
    assert len(set(methods)) >= 3
    singly = [
        STRATEGIES["auto"].pick(problem(pool, range(k), wave(pool.X[:k])), 1)[0].method for k in range(5, 14)
    ]
    assert singly.count("random") >= 3


def test_auto_learns_from_the_experiments_made_what_works_here() -> None:
    # Twelve crowds, each with a value of its own: k-centre misses none of them, random picks do.
    rng = np.random.default_rng(8)
    owner = np.repeat(np.arange(12), 20)
    X = np.column_stack([owner % 4, owner // 4]) + rng.normal(0, 0.05, (240, 2))
    made = np.sort(rng.permutation(240)[:60])

    def believed(y: np.ndarray) -> dict[str, float]:
        found = beliefs(Scene.of(problem(Rows(X), made, y[made])))
        return dict(zip(found.names, found.mean, strict=True))

    clear, noise = believed(rng.normal(0, 1, 12)[owner]), believed(rng.normal(0, 1, 240))
    assert clear["random"] == noise["random"] == 0.0
    assert clear["k-centre"] < -0.06
    assert abs(noise["k-centre"]) < 0.03


def test_auto_is_better_than_random_on_a_smooth_function() -> None:
    errors: dict[str, list[float]] = {"auto": [], "random": []}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        pool, test = Rows(rng.random((200, 2))), rng.random((300, 2))
        for name, found in errors.items():
            made = list(range(4))
            while len(made) < 22:
                picks = STRATEGIES[name].pick(problem(pool, made, wave(pool.X[made]), seed=seed), 6)
                made += [pick.index for pick in picks]
            gp = fit_gp(pool.X[made], wave(pool.X[made]), pool.space, starts=1)
            found.append(float(np.sqrt(np.mean((gp.predict(test)[0] - wave(test)) ** 2))))
    assert np.mean(np.log(errors["auto"])) < np.mean(np.log(errors["random"]))


def test_descriptors_must_have_been_measured() -> None:
    pool = Rows(np.random.default_rng(9).random((50, 2)))
    with pytest.raises(CampaignError, match=r"'descriptors' needs descriptors.*tell them"):
        STRATEGIES["descriptors"].pick(problem(pool, range(5), wave(pool.X[:5])), 1)


def test_descriptors_that_matter_become_better_known_than_by_random_picks() -> None:
    rng = np.random.default_rng(10)
    pool = Rows(rng.random((300, 2)))
    made = list(range(12))
    follows, idle = wave(pool.X[made]), np.sin(40 * pool.X[made, 1])
    left = {}
    for name in ("descriptors", "random"):
        given = problem(pool, made, follows + 0.1, D=np.column_stack([follows, idle]))
        rows = [pick.index for pick in STRATEGIES[name].pick(given, 10)]
        gp = fit_gp(pool.X[made], follows, pool.space, starts=1).append(pool.X[rows])
        left[name] = gp.latent(pool.X)[1].mean()
    assert left["descriptors"] < 0.85 * left["random"]


def test_a_pool_too_large_for_memory_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_teach_scene, "MOST_VALUES", 400)
    pool = Rows(np.random.default_rng(11).random((3000, 2)))
    given = problem(pool, range(20), wave(pool.X[:20]))
    for name in STRATEGIES:
        if name != "descriptors":
            sound(given, STRATEGIES[name].pick(given, 5), 5)
    nearly = problem(pool, range(2998), wave(pool.X[:2998]))
    sound(nearly, STRATEGIES["random"].pick(nearly, 5), 5)
