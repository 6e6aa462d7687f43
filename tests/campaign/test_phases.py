"""Maps of phases, and the search for something new: if these fail, borders and novelties are missed."""

from __future__ import annotations

import numpy as np
import pytest
from tests.campaign.teaching import Rows, problem

from zairyo.campaign import _explore, _phases
from zairyo.campaign._base import CampaignError, Objective
from zairyo.campaign._phases import phase_map
from zairyo.learn import Space

CLASSES = ("fcc", "bcc", "liquid")
PHASE = (Objective("phase", "model", classes=CLASSES),)


def phase(X: np.ndarray) -> np.ndarray:
    return np.where(X[:, 1] > 0.75 - 0.3 * X[:, 0], 2, (X[:, 0] > 0.55).astype(int)).astype(float)


def grid(n: int = 21) -> np.ndarray:
    side = np.linspace(0, 1, n)
    return np.array([[a, b] for a in side for b in side])


def mapped(name: str, seed: int, rounds: int = 6) -> float:
    """The share of the map that is right after 4 + 4·rounds experiments."""
    pool = Rows(grid())
    made = [int(k) for k in np.random.default_rng(seed).permutation(len(pool.X))[:4]]
    for _ in range(rounds):
        given = problem(pool, made, phase(pool.X[made]), objectives=PHASE, seed=seed)
        made += [pick.index for pick in _phases.STRATEGIES[name].pick(given, 4)]
    chance = phase_map(pool.X[made], phase(pool.X[made]), pool.space, CLASSES).probabilities(pool.X)
    return float(np.mean(chance.argmax(axis=1) == phase(pool.X)))


def test_borders_become_known_sooner_than_by_random_picks() -> None:
    seeds = range(2)
    chosen, random = (np.mean([mapped(name, seed) for seed in seeds]) for name in ("auto", "random"))
    assert chosen > 0.9
    assert chosen > random + 0.02


@pytest.mark.parametrize("name", ["margin", "entropy", "least confident"])
def test_picks_lie_at_borders(name: str) -> None:
    pool = Rows(grid())
    made = list(range(0, 441, 11))
    given = problem(pool, made, phase(pool.X[made]), objectives=PHASE)
    picks = [pick for pick in _phases.STRATEGIES[name].pick(given, 8) if pick.method == name]
    step = 0.11
    around = [
        pick.x + shift for pick in picks for shift in ((step, 0), (-step, 0), (0, step), (0, -step), (0, 0))
    ]
    there = phase(np.array(around)).reshape(len(picks), 5)
    assert np.mean([len(set(row)) > 1 for row in there]) >= 0.8


def test_with_one_phase_seen_the_space_is_filled() -> None:
    pool = Rows(grid())
    given = problem(pool, range(4), np.zeros(4), objectives=PHASE)
    picks = _phases.STRATEGIES["auto"].pick(given, 6)
    assert {pick.method for pick in picks} == {"k-centre"}
    x = np.array([pick.x for pick in picks])
    assert np.ptp(x, axis=0).min() >= 0.9


def test_probabilities_are_a_map_to_be_drawn() -> None:
    X = grid(9)
    known = phase_map(X, phase(X), Space.of(X), CLASSES)
    chance = known.probabilities(X)
    assert chance.shape == (81, 3)
    assert np.allclose(chance.sum(axis=1), 1)
    names, sure = known.likeliest(np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.95]]))
    assert names == ["fcc", "bcc", "liquid"]
    assert (sure > 0.6).all()
    two = phase_map(X, np.where(X[:, 0] > 0.5, 2.0, 0.0), Space.of(X), CLASSES).probabilities(X)
    assert np.allclose(two.sum(axis=1), 1)
    assert (two[:, 1] == 0).all()
    assert two[0].argmax() == 0
    assert two[-1].argmax() == 2


def test_a_code_that_is_no_phase_is_told() -> None:
    X = grid(3)
    with pytest.raises(CampaignError, match=r"7 is no code of a phase.*fcc, bcc, liquid"):
        phase_map(X, np.full(9, 7.0), Space.of(X), CLASSES)


def outcomes(X: np.ndarray) -> np.ndarray:
    """Most settings give nearly the same; a corner gives something else."""
    corner = np.clip(X.sum(axis=1) - 1.3, 0, None)
    return np.column_stack([np.tanh(3 * X[:, 0]) + 3 * corner**2, 0.3 * X[:, 1] - 4 * corner**2])


def covered(rows: list[int], Y: np.ndarray) -> int:
    low, span = Y.min(axis=0), np.ptp(Y, axis=0)
    return len({tuple(cell) for cell in np.floor((Y[rows] - low) / span * 7.999).astype(int)})


def test_novelty_finds_more_kinds_of_outcomes_than_random() -> None:
    pool = Rows(np.random.default_rng(0).random((400, 2)))
    Y = outcomes(pool.X)
    both = (Objective("a", "model"), Objective("b", "model"))
    cells = {}
    for name in ("novelty", "random"):
        cells[name] = 0
        for seed in range(2):
            made = list(range(10 * seed, 10 * seed + 6))
            while len(made) < 26:
                given = problem(pool, made, Y[made], objectives=both, seed=seed)
                made += [pick.index for pick in _explore.STRATEGIES[name].pick(given, 5)]
            cells[name] += covered(made, Y)
    assert cells["novelty"] > 1.15 * cells["random"]


def test_the_start_is_random_and_some_picks_stay_so() -> None:
    pool = Rows(np.random.default_rng(1).random((200, 2)))
    first = _explore.STRATEGIES["auto"].pick(problem(pool, [0, 1], outcomes(pool.X[:2])), 3)
    assert {pick.method for pick in first} == {"random"}
    later = _explore.STRATEGIES["auto"].pick(problem(pool, range(12), outcomes(pool.X[:12])), 20)
    assert [pick.method for pick in later].count("random") == 2
