"""Is a measurement worth making: if these fail, a laboratory buys an instrument, or gives one up, on a false word."""

from __future__ import annotations

import numpy as np
import pytest

from zairyo.campaign import CampaignError, Gain, Worth, worth


def samples(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Settings; a descriptor that the settings tell only in part, and an idle one; what follows both."""
    rng = np.random.default_rng(seed)
    X = rng.random((n, 2))
    D = np.column_stack([np.sin(6 * X[:, 0]) + 0.7 * rng.standard_normal(n), rng.standard_normal(n)])
    return X, D, 2 * D[:, 0] + X[:, 1] + 0.3 * rng.standard_normal(n)


@pytest.fixture(scope="module")
def answer() -> Worth:
    X, D, y = samples(40, 0)
    D[3, 1] = np.nan
    return worth(X, D, y, descriptor_names=["phase share", "room <light>"], target="strength", repeats=1)


def test_a_useful_descriptor_is_found(answer: Worth) -> None:
    gain = answer.of("phase share")
    assert gain.verdict == "worth making"
    assert gain.lower > 0.2
    assert gain.with_ < 0.5 * gain.without
    assert answer.of("phase share", "room <light>").verdict == "worth making"


def test_of_samples_not_made_it_is_not_promised(answer: Worth) -> None:
    # What the settings do not tell of the descriptor cannot be predicted: its share of the gain must not appear.
    made = answer.of("phase share", sense="made only")
    assert made.gain < 0.3
    assert made.with_ > 2 * answer.of("phase share").with_


def test_an_idle_descriptor_is_not_recommended(answer: Worth) -> None:
    for sense in ("known", "made only"):
        assert answer.of("room <light>", sense=sense).verdict != "worth making"  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(2))
def test_noise_is_not_taken_for_a_gain(seed: int) -> None:
    rng = np.random.default_rng(seed + 20)
    X = rng.random((20, 2))
    found = worth(X, rng.standard_normal(20), X[:, 0] + 0.2 * rng.standard_normal(20), repeats=1, seed=seed)
    assert all(one.verdict != "worth making" and one.lower < 0 for one in found.gains)


def test_it_reads_as_an_answer(answer: Worth) -> None:
    text = str(answer)
    assert text.startswith("Is it worth measuring, to predict strength?")
    assert "39 samples (1 left out" in text
    assert "phase share: worth measuring" in answer.verdict
    assert "% lower (" in answer.sentence(answer.of("phase share"))
    assert "room &lt;light&gt;" in answer._repr_html_()
    assert "<light>" not in answer._repr_html_()


@pytest.mark.parametrize(
    ("middle", "low", "high", "said"),
    [
        (0.30, 0.10, 0.50, "worth making"),
        (0.30, -0.10, 0.60, "not settled"),
        (0.02, 0.001, 0.04, "not worth making"),
        (-0.10, -0.30, 0.02, "not worth making"),
        (-0.10, -0.40, 0.20, "not settled"),
        (0.00, -0.20, 0.20, "not settled"),
    ],
)
def test_verdicts_follow_the_interval(middle: float, low: float, high: float, said: str) -> None:
    assert Gain(("d",), "known", 1.0, 1.0 - middle, middle, low, high).verdict == said


def test_how_many_samples_would_settle_it() -> None:
    gain = Gain(("d",), "known", 1.0, 0.9, 0.1, -0.1, 0.3)
    assert Worth("y", "MPa", 30, 0, 0.9, 10, 2, (gain,)).samples_needed(gain) == 120


def test_the_same_samples_and_seed_give_the_same_answer() -> None:
    X, D, y = samples(12, 3)
    first, again = (worth(X, D[:, :1], y, repeats=1, seed=4) for _ in range(2))
    assert first == again


def test_repeats_of_one_recipe_are_left_out_together() -> None:
    # A descriptor that only names the recipe predicts repeats well, and new recipes not at all.
    rng = np.random.default_rng(5)
    recipe = np.repeat(np.arange(6), 3)
    level = rng.standard_normal(6)[recipe]
    X, D = rng.random((18, 1)), recipe + 0.01 * rng.standard_normal(18)
    loose = worth(X, D, level, repeats=1)
    honest = worth(X, D, level, groups=list(recipe), repeats=1)
    assert loose.of("descriptor 0").gain > honest.of("descriptor 0").gain + 0.2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda X, D, y: (X, D[:-1], y), "are needed, not"),
        (lambda X, D, y: (X, np.full_like(D, np.nan), y), "0 of 16 samples"),
        (lambda X, D, y: (np.ones_like(X), D, y), "fewer than four groups"),
        (lambda X, D, y: (X[:6], D[:6], y[:6]), "at least 10"),
    ],
)
def test_what_cannot_be_answered_is_said(change, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CampaignError, match=said):
        worth(*change(*samples(16, 6)))


def test_constant_columns_and_ties_do_no_harm() -> None:
    X, D, _ = samples(12, 7)
    found = worth(
        np.column_stack([X, np.ones(12)]), np.column_stack([D[:, 0], np.zeros(12)]), np.ones(12), repeats=1
    )
    assert all(one.verdict != "worth making" for one in found.gains)
