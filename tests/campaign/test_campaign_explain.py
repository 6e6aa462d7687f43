"""What people read: numbers must be those of the models, and promises be held against what came."""

from __future__ import annotations

from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zairyo.campaign import (
    Campaign,
    CampaignError,
    CampaignWarning,
    Continuous,
    Mixture,
    Pick,
    SearchSpace,
    maximise,
    minimise,
    model,
)
from zairyo.campaign._japanese import japanese
from zairyo.campaign._said import LANGUAGES, aim_in
from zairyo.campaign._strategies import AIMS
from zairyo.campaign._words import percent
from zairyo.campaign.simulate import simulate

X = np.linspace(0, 1, 41)
POOL = pd.DataFrame({"x": X})


def hill(x: object) -> np.ndarray:
    return np.exp(-8 * (np.asarray(x, float) - 0.6) ** 2)


def told(rows: list[int], **options: object) -> Campaign:
    campaign = Campaign(POOL, [maximise("y", unit="MPa")], seed=0, **options)  # type: ignore[arg-type]
    campaign.tell(POOL.iloc[rows].assign(y=hill(X[rows])))
    return campaign


def test_an_explanation_says_what_the_models_say() -> None:
    campaign = told([0, 8, 16, 32, 40])
    picks = campaign.ask(1)
    text = campaign.explain(picks).text()
    pick = picks.iloc[0]
    assert f"{pick['mean']:.4g} expected, {pick['lower']:.4g} to {pick['upper']:.4g} MPa" in text
    assert "being better than the best so far" in text
    nearest = POOL.iloc[[0, 8, 16, 32, 40]].sub(pick["x"]).abs()["x"].argmin() + 1
    assert f"Nearest made: experiment {nearest} " in text
    assert "mean variance" in text


def test_an_explanation_in_japanese_and_in_html() -> None:
    campaign = Campaign(pd.DataFrame({"<b>x": X}), [maximise("y")], seed=0)
    picks = campaign.ask(1)
    shown = campaign.explain(picks, "ja")
    assert "まだ何も分かっていません" in shown.text()
    assert "まだ実験はありません" in shown.text()
    assert "既存の実験から最も離れています" in shown.text(), "the strategy's sentence too"
    assert "<b>x" not in shown._repr_html_().replace("<b>実験", "")
    assert "&lt;b&gt;x" in shown._repr_html_()
    with pytest.raises(CampaignError, match="no language"):
        campaign.explain(picks, "fr")


def test_status_and_stop_in_japanese() -> None:
    campaign = told([0, 8, 16, 32, 40])
    shown = campaign.status("ja")
    assert shown.lines[:2] == (
        "目標：yを最大に（目的：最良値）。",
        "実施 5 件、失敗 0 件、進行中 0 件、却下 0 件。",
    )
    assert shown.lines[2].startswith("これまでの最良：実験 3、y 0.7261 MPa（x 0.4）。")
    english, japanese_ = campaign.stop(3), campaign.stop(3, "ja")
    assert (english.gain, english.share) == (japanese_.gain, japanese_.share)
    assert japanese_.sentence.startswith("あと 3 件の実験で")
    assert campaign.status("ja").stop.sentence == shown.lines[-1]
    assert "比較するには少なすぎます" in campaign.control_report("ja").sentence
    with pytest.raises(CampaignError, match="no language"):
        campaign.status("fr")


def test_both_languages_say_the_same() -> None:
    english, other = LANGUAGES["en"], LANGUAGES["ja"]
    assert english.keys() == other.keys()
    for key, sentence in english.items():
        fields = {name for _, name, _, _ in Formatter().parse(sentence) if name}
        assert fields == {name for _, name, _, _ in Formatter().parse(other[key]) if name}, key
    assert all(aim_in("ja", aim) != aim for aim in AIMS)


def test_every_strategy_gives_its_reason_in_japanese_too() -> None:
    from zairyo.campaign import _explore, _phases, _references, _teach

    tables = [value for module in (_teach, _phases, _explore, _references) for value in vars(module).values()]
    said = {
        sentence
        for table in tables
        if isinstance(table, dict) and table.keys() & {"random", "margin", "reconstruction"}
        for sentence in table.values()
        if isinstance(sentence, str)
    }
    assert len(said) >= 10
    assert not [sentence for sentence in said if japanese(sentence) == sentence]


def test_predictions_at_made_samples_are_what_was_measured() -> None:
    campaign = told(list(range(0, 41, 4)))
    found = campaign.predict(POOL.iloc[[0, 20, 24]])
    assert np.abs(found["mean"] - hill(X[[0, 20, 24]])).max() < 0.05
    assert (found["lower"] < found["upper"]).all()
    with pytest.raises(CampaignError, match=r"row 0.*x"):
        campaign.predict([{"z": 1}])


def test_few_data_make_wide_ranges() -> None:
    """Two samples that agree by chance do not make anything certain."""
    two, many = (told(rows).predict(POOL.iloc[[20]]) for rows in ([10, 30], list(range(0, 41, 4))))
    assert (two["upper"] - two["lower"]).iloc[0] > 4 * (many["upper"] - many["lower"]).iloc[0]


def test_stopping_is_reasonable_once_the_best_is_known() -> None:
    """Otherwise weeks go into the last hundredth."""
    early, late = told([0, 4, 8, 12, 40]), told([*range(0, 41, 3), 24])
    assert not early.stop(10).enough
    assert late.stop(10).enough
    assert "Stopping is reasonable" in late.stop(10).sentence
    assert "nothing can be said" in told([0, 4]).stop().sentence


def test_nothing_is_promised_of_experiments_that_were_all_alike() -> None:
    """It said: improve by 0, 94 % probability that one is better."""
    campaign = Campaign(POOL, [maximise("y")], seed=0)
    campaign.tell(POOL.iloc[[0, 8, 16, 24, 32, 40]].assign(y=5.0))
    assert "as good as each other" in campaign.stop().sentence
    assert not campaign.stop().enough


def test_experiments_that_are_no_candidates_are_told_of() -> None:
    """A setting mistyped would be learned from unseen."""
    campaign = told([0, 8, 16])
    assert "not among the candidates" not in str(campaign.status())
    campaign.tell([{"x": 0.333, "y": 2.0}])
    assert "Experiment 4 is not among the candidates" in str(campaign.status())


def test_nothing_is_left_to_stop_for() -> None:
    campaign = told(list(range(41)))
    assert campaign.stop().enough
    assert "nothing left" in campaign.stop().sentence


def test_promises_that_were_not_kept_are_counted() -> None:
    """A campaign whose picks disappoint must not go on promising as much."""
    from zairyo.campaign._stop import promises_kept

    kept, broken = told([0, 8, 16, 32, 40]), told([0, 8, 16, 32, 40])
    for campaign, better in ((kept, 1.0), (broken, 0.0)):
        for _ in range(4):
            picks = campaign.ask(1)
            best = max(float(e.outcomes["y"]) for e in campaign.state.of_here())
            campaign.tell(picks.assign(y=best + 0.2 if better else 0.0))
    assert promises_kept(kept) == 1.0
    assert promises_kept(broken) < 0.5
    assert "brought" in broken.stop().sentence
    assert broken.learned.factor > 1.5
    assert "lay in their 90 % range" not in repr(told([0, 8]).status())


def test_status_has_the_front_the_curve_and_html() -> None:
    campaign = Campaign(POOL, [maximise("y"), minimise("price")], seed=0)
    campaign.tell(POOL.iloc[::5].assign(y=hill(X[::5]), price=X[::5]))
    status = campaign.status()
    front = status.front
    assert (np.diff(front.sort_values("y")["price"]) > 0).all()
    assert set(front.columns) == {"x", "y", "price"}
    assert "<table" in status._repr_html_()
    one = told(list(range(0, 41, 4))).status()
    assert (np.diff(one.curve) >= 0).all()
    assert "<svg" in one._repr_html_()
    assert "experiments told" in repr(told([0]))


def test_a_plot_is_drawn_whatever_there_is(tmp_path: Path) -> None:
    told([0, 8, 16]).plot(tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes()[:4] == b"\x89PNG"
    both = Campaign(POOL, [maximise("y"), minimise("price")])
    assert len(both.plot().axes) == 3
    both.tell(POOL.iloc[::9].assign(y=hill(X[::9]), price=X[::9]))
    assert len(both.plot().axes) == 3


def test_simulate_measures_values_fronts_and_errors() -> None:
    table = POOL.assign(y=hill(X), price=X**2)
    one = simulate(table.drop(columns="price"), maximise("y"), seeds=2, picks=6)
    assert (one.needed["auto"] <= 12).all()
    assert one.against("random")[0] == 1.0
    again = simulate(table.drop(columns="price"), maximise("y"), seeds=2, picks=6)
    assert (one.curves["auto"] == again.curves["auto"]).all()
    two = simulate(table, [maximise("y"), minimise("price")], strategies=["random"], seeds=2, picks=6)
    assert ((two.curves["random"] >= 0) & (two.curves["random"] <= 1)).all()
    assert not two.needed
    error = simulate(
        table.drop(columns="price"), model("y"), strategies=["random", "k-centre"], seeds=2, picks=10
    )
    assert error.curves["k-centre"][:, -1].mean() < error.curves["k-centre"][:, 0].mean()
    assert "error" in error.text()
    with pytest.raises(CampaignError, match="no column 'z'"):
        simulate(table, maximise("z"))


def test_failures_in_a_replay_are_failures() -> None:
    y = hill(X).astype(object)
    y[::4] = "failed: cracked"
    found = simulate(POOL.assign(y=y), maximise("y"), seeds=2, picks=5)
    assert np.isfinite(found.curves["auto"]).all()


def test_an_endless_space_is_explained_too() -> None:
    campaign = Campaign([Continuous("x", 0, 1)], [maximise("y")], seed=0)
    x = np.linspace(0, 1, 6)
    campaign.tell(pd.DataFrame({"x": x, "y": hill(x)}))
    picks = campaign.ask(2)
    assert len(campaign.explain(picks)) == 2
    assert campaign.status().stop.gain >= 0


def test_reasons_with_numbers_are_japanese_too() -> None:
    """A sentence left in English among Japanese ones is what a technician cannot read."""
    candidates = pd.DataFrame({"T": range(40), "x": [k % 7 for k in range(40)]})
    told = candidates.iloc[[3, 20]].assign(y=[1.0, 2.0])
    few = Campaign(candidates, [maximise("y")], seed=0)
    few.tell(told)
    many = Campaign(candidates, [maximise("y")], seed=0)
    many.tell(candidates.iloc[:20].assign(y=-np.arange(20.0)))
    upper = Campaign(candidates, [maximise("y")], seed=0, strategy="ucb")
    upper.tell(candidates.iloc[::4].assign(y=np.arange(10.0)))
    design = Campaign(candidates, [maximise("y")], seed=0, start="d-optimal")
    film = Campaign(
        SearchSpace([Mixture("m", ["Fe", "Co", "Ni"], step=0.1)]),
        [maximise("y")],
        aim="composition spread",
        seed=0,
    )
    for campaign in (few, many, upper, design, film):
        picks = campaign.ask(4)
        reasons = [why.split("; ")[0] for why in picks["reason"]]
        assert len(reasons) == 4
        assert [japanese(why) for why in reasons if japanese(why).isascii()] == []


def test_a_probability_is_never_said_to_be_certain() -> None:
    assert [percent(p) for p in (0.0, 0.05, 0.5, 0.9849, 0.9984, 1.0)] == [
        "< 0.1 %", "5.0 %", "50 %", "98 %", "99.8 %", "> 99.9 %",
    ]  # fmt: skip


def test_the_status_of_a_map_of_phases_says_how_much_of_it_is_known() -> None:
    candidates = pd.DataFrame({"x": np.linspace(0, 1, 50)})
    campaign = Campaign(candidates, [model("phase", classes=["fcc", "bcc"])], seed=0)
    campaign.tell(candidates.iloc[1:7].assign(phase="fcc"))
    assert "Too little is known of the phases" in campaign.status().text()
    made = candidates.iloc[::4].drop(index=4)
    campaign.tell(made.assign(phase=np.where(made["x"] < 0.5, "fcc", "bcc")))
    sentence = campaign.stop().sentence
    assert "of the candidates is not yet known with 90 % probability" in sentence
    assert "The phase of 100 %" not in sentence


def test_references_have_a_status_without_outcomes() -> None:
    campaign = Campaign(pd.DataFrame({"a": range(9), "b": range(9, 0, -1)}), [], aim="references", seed=0)
    campaign.tell(campaign.ask(1).assign(state="made")[["a", "b", "state"]])
    assert campaign.status().lines[:2] == (
        "Wanted: references.",
        "1 experiment made, 0 failed, 0 under way, 0 rejected.",
    )
    assert "No outcome is sought" in campaign.stop().sentence


def test_a_batch_is_whole_while_candidates_are_free() -> None:
    """A strategy that names one candidate twice leaves no furnace place empty, and nothing is made twice."""

    class Stubborn:
        name = "stubborn"

        def pick(self, problem: Any, count: int) -> list[Pick]:
            block = next(iter(problem.blocks()))
            return [Pick(int(block.index[0]), block.X[0], 0.0, self.name, "the first")] * count

    campaign = Campaign(pd.DataFrame({"x": range(6)}), [maximise("y")], seed=0, strategy=Stubborn())
    picks = campaign.ask(4)
    assert picks["candidate"].is_unique
    assert picks["strategy"].tolist() == ["stubborn", "random", "random", "random"]
    with pytest.warns(CampaignWarning, match="only 2 more"):
        assert len(campaign.ask(4)) == 2


def test_ranges_end_at_what_is_possible(tmp_path: Path) -> None:
    """A yield of -14 to 118 % is read as a mistake; what is proposed and learned stays the same."""
    made = POOL.iloc[[0, 20, 40]].assign(y=[5.0, 90.0, 2.0])
    campaigns = []
    for ends in ((None, None), (0, 100)):
        file = tmp_path / f"{ends[1]}.jsonl"
        Campaign(POOL, [maximise("y", unit="%", possible=ends)], seed=0, file=file).tell(made)
        campaigns.append(Campaign.open(file))
    (free, picks), (bounded, same) = ((c, c.ask(3)) for c in campaigns)
    assert picks["candidate"].tolist() == same["candidate"].tolist()
    assert picks["upper"].max() > 100
    np.testing.assert_array_equal(same["upper"], picks["upper"].clip(0, 100))
    np.testing.assert_array_equal(bounded.predict(POOL)["lower"], free.predict(POOL)["lower"].clip(0, 100))
    assert "to 100 % with 90 % probability" in bounded.explain(same).text()
    assert "to 100 %) expected" in " ".join(same["reason"])
    for wrong in ((100, 0), 5, ("a", None)):
        with pytest.raises(CampaignError, match=r"possible|end of what"):
            maximise("y", possible=wrong)  # type: ignore[arg-type]


def test_more_is_not_promised_than_is_possible() -> None:
    """It said that a best yield of 90 % was expected to rise by 61 %."""
    stops = []
    for ends in ((None, None), (0, 100)):
        campaign = Campaign(POOL, [maximise("y", unit="%", possible=ends)], seed=0)
        campaign.tell(POOL.iloc[[0, 4, 8, 12, 16]].assign(y=[10.0, 30.0, 50.0, 70.0, 90.0]))
        stops.append(campaign.stop(10))
    assert stops[0].gain > 10
    assert 0 < stops[1].gain < 11  # the best may truly be a little less than it was measured
