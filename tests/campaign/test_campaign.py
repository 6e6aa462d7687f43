"""The campaign itself: what is asked, told, corrected and recorded, and what it must never do."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zairyo.campaign import (
    Campaign,
    CampaignError,
    CampaignWarning,
    Continuous,
    Levels,
    SearchSpace,
    _seek_model,
    maximise,
    minimise,
    model,
    target,
    within,
)


def pool(levels: int = 6) -> pd.DataFrame:
    """A grid of two settings and a gas."""
    a, b = np.meshgrid(np.linspace(0, 1, levels), np.linspace(0, 10, levels))
    table = pd.DataFrame({"temperature": a.ravel(), "time": b.ravel()})
    table["gas"] = np.where(np.arange(len(table)) % 2, "Ar", "N2")
    return table


def outcome(settings: Any) -> np.ndarray:
    """A smooth hill, higher in argon."""
    x, y = np.asarray(settings["temperature"]), np.asarray(settings["time"]) / 10
    return np.exp(-3 * ((x - 0.7) ** 2 + (y - 0.3) ** 2)) + 0.1 * (np.asarray(settings["gas"]) == "Ar")


def begun(rows: int = 6, **options: Any) -> Campaign:
    table = pool()
    campaign = Campaign(
        table, options.pop("objectives", [maximise("strength", unit="MPa")]), seed=1, **options
    )
    made = table.iloc[:: len(table) // rows][:rows].copy()
    made["strength"] = outcome(made)
    campaign.tell(made)
    return campaign


def test_ask_and_tell_find_the_best() -> None:
    """The loop of every user: without it nothing else matters."""
    campaign, table = begun(), pool()
    for _ in range(8):
        picks = campaign.ask(2)
        assert list(picks.columns) == [
            "temperature", "time", "gas", "candidate", "mean", "lower", "upper", "probability_best", "cost",
            "strategy", "reason",
        ]  # fmt: skip
        assert (picks["lower"] <= picks["mean"]).all()
        assert (picks["mean"] <= picks["upper"]).all()
        for _, pick in picks.iterrows():
            row = table.iloc[int(pick["candidate"])]
            assert (row["temperature"], row["time"], row["gas"]) == (
                pick["temperature"],
                pick["time"],
                pick["gas"],
            )
        picks["strength"] = outcome(picks)
        campaign.tell(picks)
    assert campaign.best is not None
    assert campaign.best.outcomes["strength"] == outcome(table).max()


@pytest.mark.parametrize("objective", [maximise("y"), minimise("y"), target("y", 0.5)])
def test_what_chose_is_what_people_are_told(objective: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outcome is fitted once a pick, not again for the sentences; and the range says what a fit of its own would."""
    fits = 0
    real = _seek_model.believe

    def counted(*args: Any, **options: Any) -> Any:
        nonlocal fits
        fits += 1
        return real(*args, **options)

    monkeypatch.setattr(_seek_model, "believe", counted)
    X = np.random.default_rng(1).random((60, 2)).round(4)
    pool = pd.DataFrame(X, columns=["a", "b"])
    made = pool.iloc[:8].assign(y=np.sin(3 * X[:8, 0]) + X[:8, 1])
    campaign = Campaign(pool, [objective], seed=3)
    campaign.tell(made)
    row = campaign.ask(1).iloc[0]
    campaign.explain()
    assert fits == 1
    y = made["y"].to_numpy()
    alone = real(X[:8], y, campaign.candidates.space, seed=3)
    x = row[["a", "b"]].to_numpy(float)[None, :]
    mean = float(alone.weights @ [one.latent(x)[0][0] for one in alone.members])
    assert row["mean"] == pytest.approx(float(alone.output.backward(np.array(mean))), rel=1e-6)


def test_nothing_is_proposed_twice_until_nothing_is_left() -> None:
    """An experiment made twice by mistake is a day lost; an endless loop at the end of a pool is worse."""
    table = pd.DataFrame({"x": [0.0, 1.0, 1.0, 2.0, 3.0]})  # rows 1 and 2 are the same experiment
    campaign = Campaign(table, [maximise("y")])
    seen: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(4):
            picks = campaign.ask(1)
            seen += picks["x"].tolist()
            if k % 2:
                campaign.tell(picks.assign(y=picks["x"]))
    assert sorted(seen) == [0.0, 1.0, 2.0, 3.0]
    with pytest.warns(CampaignWarning, match="no more experiments"):
        assert len(campaign.ask(3)) == 0


def test_fewer_are_given_where_fewer_are_left() -> None:
    campaign = Campaign(pd.DataFrame({"x": [1.0, 2.0]}), [maximise("y")])
    with pytest.warns(CampaignWarning, match="only 2 more"):
        assert len(campaign.ask(5)) == 2


def test_replicates_may_be_proposed_when_wanted() -> None:
    campaign = Campaign(pd.DataFrame({"x": [1.0, 2.0]}), [maximise("y")], replicates=True)
    for _ in range(3):
        picks = campaign.ask(2)
        assert len(picks) == 2
        campaign.tell(picks.assign(y=picks["x"]))
    assert len(campaign.experiments()) == 6


def test_the_same_history_gives_the_same_picks(tmp_path: Path) -> None:
    """Otherwise nobody can check afterwards why an experiment was made."""
    one, two = begun(file=tmp_path / "one.jsonl"), begun()
    first = one.ask(3)
    pd.testing.assert_frame_equal(first, two.ask(3))
    again = Campaign.open(tmp_path / "one.jsonl")
    pd.testing.assert_frame_equal(again.pending, first)
    pd.testing.assert_frame_equal(again.ask(2), two.ask(2))
    assert not set(again.pending["candidate"]) & set(begun().experiments()["candidate"])


def test_failures_and_missing_outcomes_are_told() -> None:
    """One failed synthesis must neither stop the campaign nor count as a value."""
    campaign = Campaign(pool(), [maximise("strength")], seed=0)
    told = campaign.tell(
        pool()
        .iloc[[0, 5, 10, 15, 20, 25]]
        .assign(
            strength=[0.1, np.nan, "failed: cracked", np.inf, 0.3, 0.4], state=["", "", "", "", "failed", ""]
        )
    )
    assert told["state"].tolist() == ["made", "made", "failed", "failed", "failed", "made"]
    assert told["reason"].tolist() == ["", "", "cracked", "strength is inf", "", ""]
    picks = campaign.ask(3)
    assert not set(picks["candidate"]) & set(told["candidate"])
    assert "succeeds" in repr(campaign.explain(picks))


def test_all_failed_still_gives_picks() -> None:
    campaign = Campaign(pool(), [maximise("strength")], seed=0)
    campaign.tell(pool().iloc[:6].assign(state="failed"))
    picks = campaign.ask(2)
    assert len(set(picks["candidate"])) == 2
    assert picks["mean"].isna().all()
    assert campaign.best is None
    assert "nothing can be said" in repr(campaign.status())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"temperature": 0.2, "time": 2.0, "gas": "Ar", "strenght": 1.0}, "did you mean 'strength'"),
        ({"temperature": 0.2, "time": 2.0, "gas": "Ar"}, "none of the outcomes"),
        ({"temperature": 0.2, "time": 2.0, "strength": 1.0}, "the settings gas are missing"),
        ({"temperature": 0.2, "time": 2.0, "gas": "He", "strength": 1.0}, "row 0.*He"),
        ({"temperature": "hot", "time": 2.0, "gas": "Ar", "strength": 1.0}, "row 0.*temperature"),
        ({"temperature": 0.2, "time": 2.0, "gas": "Ar", "strength": "1,2 GPa"}, "not a number"),
        ({"temperature": 0.2, "time": 2.0, "gas": "Ar", "strength": 1.0, "state": "odd"}, "no state 'odd'"),
        ({"candidate": 77, "strength": 1.0}, "no candidate 77"),
        ({"experiment": 99, "strength": 1.0}, "no experiment 99"),
    ],
)
def test_what_cannot_be_used_is_refused_as_a_whole(row: dict[str, Any], message: str) -> None:
    """A typing error that is taken silently is a wrong recommendation."""
    campaign = begun()
    before = len(campaign.experiments())
    with pytest.raises(CampaignError, match=message):
        campaign.tell([row])
    assert len(campaign.experiments()) == before


def test_cells_as_laboratories_write_them() -> None:
    """Words for nothing, an uncertainty beside the value, the outcome's own unit and full-width figures are read."""
    campaign = Campaign(pool(), [maximise("strength", unit="MPa")])
    cells = ["n/a", "欠測", "12.5 ± 0.5", "3.1 MPa", "４.５", "failed: cracked", "失敗", " 7 "]
    told = campaign.tell(pool().head(8).assign(strength=cells))
    assert told["strength"].fillna(-1).tolist() == [-1, -1, 12.5, 3.1, 4.5, -1, -1, 7]
    assert told["state"].tolist() == ["made"] * 5 + ["failed", "failed", "made"]
    assert campaign.learned.problem.noise[told["strength"].tolist().index(12.5), 0] == pytest.approx(0.25)
    for cell, words in (
        ("0.3 GPa", "in 'GPa', and the outcome in 'MPa'"),
        ("0,5", "with a decimal point 0.5"),
    ):
        with pytest.raises(CampaignError, match=words):
            campaign.tell(pool().iloc[[9]].assign(strength=cell))


def test_settings_with_their_units_are_not_taken_silently() -> None:
    """A column of "10 mg" would be kinds without an order: people are told, in the pool and when they tell."""
    given = pool().assign(mass=[f"{1 + k % 5} mg" for k in range(len(pool()))])
    with pytest.warns(CampaignWarning, match=r"mass is taken as kinds .* 'mass \(mg\)'"):
        Campaign(given, [maximise("y")])
    with pytest.raises(CampaignError, match=r"'0\.2 K' is no number that can be set; leave out its unit"):
        Campaign(pool(), [maximise("y")]).tell(pool().iloc[[1]].assign(temperature="0.2 K", y=1))


def test_headings_with_spaces_and_headings_twice() -> None:
    spaced = Campaign(pool().rename(columns={"time": " time "}), [maximise("y")])
    assert (
        spaced.tell(pool().head(3).rename(columns={"gas": "gas "}).assign(y=[1, 2, 3]))["time"].notna().all()
    )
    with pytest.raises(CampaignError, match="column time twice"):
        Campaign(pd.concat([pool(), pool()[["time"]]], axis=1), [maximise("y")])


def test_telling_the_same_table_again_adds_nothing() -> None:
    """People keep one table and tell it each day."""
    campaign, table = begun(), pool()
    made = table.iloc[::6][:6].assign(strength=outcome(table.iloc[::6][:6]))
    with pytest.warns(CampaignWarning, match="told before"):
        campaign.tell(made)
    assert len(campaign.experiments()) == 6
    campaign.tell(made.assign(strength=made["strength"] + 0.01))  # truly made again
    assert len(campaign.experiments()) == 12


def test_columns_nobody_knows_are_mentioned() -> None:
    campaign = begun()
    with pytest.warns(CampaignWarning, match="operator mood"):
        campaign.tell(pool().iloc[[1]].assign(strength=0.2, **{"operator mood": "good"}))


def test_by_number_by_place_and_by_settings() -> None:
    campaign = begun()
    picks = campaign.ask(3)
    one, two, three = picks.index
    campaign.tell({"experiment": one, "strength": 0.1})
    campaign.tell({"candidate": int(picks.loc[two, "candidate"]), "strength": 0.2})
    campaign.tell([{**picks.loc[three, ["temperature", "time", "gas"]].to_dict(), "strength": 0.3}])
    assert campaign.experiments([one, two, three])["strength"].tolist() == [0.1, 0.2, 0.3]
    assert len(campaign.pending) == 0


def test_what_was_really_made_may_differ_from_what_was_proposed() -> None:
    campaign = Campaign([Continuous("T", 0, 100)], [maximise("y")], seed=0)
    picks = campaign.ask(1)
    campaign.tell({"experiment": picks.index[0], "T": 41.5, "y": 2.0})
    assert campaign.experiments()["T"].tolist() == [41.5]


def test_told_twice_with_another_value_is_refused_and_correct_puts_it_right() -> None:
    campaign = begun()
    picks = campaign.ask(1)
    number = int(picks.index[0])
    campaign.tell({"experiment": number, "strength": 9.0})
    with pytest.raises(CampaignError, match="correct"):
        campaign.tell({"experiment": number, "strength": 0.9})
    campaign.correct(number, {"strength": 0.9}, reason="a digit too many")
    assert campaign.experiments([number])["strength"].tolist() == [0.9]
    campaign.withdraw(number, "the other sample")
    assert number in campaign.pending.index
    with pytest.raises(CampaignError, match="nothing was told"):
        campaign.withdraw(number)


def test_people_decide() -> None:
    """Accept, edit, replace and reject are what a recommendation is for."""
    campaign = begun()
    picks = campaign.ask(4)
    a, b, c, d = (int(n) for n in picks.index)
    campaign.accept(a)
    campaign.edit(b, time=4.0)
    new = campaign.replace(
        c, {"temperature": 1.0, "time": 10.0, "gas": "Ar"}, reason="the furnace is hot now"
    )
    campaign.reject(d, "no more argon")
    pending = campaign.pending
    assert sorted(pending.index) == sorted([a, b, new])
    assert pending.loc[b, "time"] == 4.0
    assert campaign.state.experiment(a).accepted
    states = campaign.experiments()["state"]
    assert (states[c], states[d]) == ("replaced", "rejected")
    gone = int(picks.loc[d, "candidate"])
    for _ in range(3):
        assert gone not in set(campaign.ask(3)["candidate"])
    with pytest.raises(CampaignError, match="not under way"):
        campaign.accept(d)
    with pytest.raises(CampaignError, match="say why"):
        campaign.reject(a, " ")
    with pytest.raises(CampaignError, match="no setting 'tim'"):
        campaign.edit(a, tim=3)


def test_what_never_came_may_be_proposed_again() -> None:
    campaign = Campaign(pd.DataFrame({"x": [1.0, 2.0]}), [maximise("y")])
    first = campaign.ask(2)
    assert campaign.expire(days=1) == []
    campaign.tell({"experiment": int(first.index[0]), "state": "lost", "reason": "dropped"})
    assert campaign.expire(days=0) == [int(first.index[1])]
    assert sorted(campaign.ask(2)["x"]) == [1.0, 2.0]


def test_ones_own_plan_is_under_way() -> None:
    campaign = begun()
    planned = campaign.plan([{"temperature": 1.0, "time": 10.0, "gas": "Ar"}], "a corner")
    assert planned["strategy"].tolist() == ["own"]
    assert int(planned["candidate"].iloc[0]) not in set(campaign.ask(5)["candidate"])
    with pytest.raises(CampaignError, match="missing"):
        campaign.plan([{"temperature": 1.0}])


def test_a_batch_shares_what_it_must() -> None:
    """Samples of one furnace run have one temperature."""
    campaign = begun(shared=["temperature"])
    picks = campaign.ask(4)
    assert picks["temperature"].nunique() == 1
    assert picks["candidate"].nunique() == 4


def test_every_fifth_pick_is_drawn_at_random() -> None:
    """Only so can anybody tell whether the strategy is worth anything."""
    campaign = begun(control=0.2)
    for _ in range(5):
        picks = campaign.ask(2)
        campaign.tell(picks.assign(strength=outcome(picks)))
    marks = [e.control for e in campaign.state.of_here() if e.asked]
    assert marks == [False, False, False, False, True] * 2
    report = campaign.control_report()
    assert (report.random, report.chosen) == (2, 8)
    assert "drawn at random" in report.sentence
    assert report.lower <= report.difference <= report.upper


def test_cheap_settings_serve_where_they_tell_enough() -> None:
    """A coarse simulation before the fine one."""
    x = np.linspace(0, 1, 21)
    table = pd.concat(
        [pd.DataFrame({"x": x, "mesh": mesh}) for mesh in ("coarse", "fine")], ignore_index=True
    )

    def run(rows: pd.DataFrame) -> np.ndarray:
        return np.asarray(np.sin(5 * rows["x"]) + np.where(rows["mesh"] == "coarse", 0.1, 0.0))

    campaign = Campaign(table, [maximise("y")], fidelity={"mesh": {"coarse": 1, "fine": 20}}, seed=0)
    start = table[table["x"].isin([x[0], x[10], x[20]])]
    campaign.tell(start.assign(y=run(start)))
    meshes = []
    for _ in range(6):
        picks = campaign.ask(1)
        meshes += picks["mesh"].tolist()
        campaign.tell(picks.assign(y=run(picks)))
    assert "coarse" in meshes
    assert campaign.best is not None
    assert campaign.best.settings["mesh"] == "fine"


def test_an_earlier_campaign_helps_though_its_values_lie_higher() -> None:
    """Another year's machine gave 5 more throughout; where the best lies is known all the same."""
    table = pool(8)
    earlier = table.iloc[::3].assign(strength=outcome(table.iloc[::3]) + 5.0)
    campaign = Campaign(table, [maximise("strength")], seed=0)
    campaign.learn_from(earlier, "2023")
    campaign.tell(table.iloc[[0, 20, 40]].assign(strength=outcome(table.iloc[[0, 20, 40]])))
    picks = campaign.ask(1)
    assert picks["mean"].iloc[0] < 2.0
    assert outcome(picks)[0] > np.quantile(outcome(table), 0.8)
    assert campaign.best is not None
    assert campaign.best.source == ""
    assert "2023" in repr(campaign.status())


def test_several_objectives_and_a_constraint() -> None:
    objectives = [maximise("strength", weight=2), minimise("price"), within("pH", 6, 8, constraint=True)]
    campaign = Campaign(pool(), objectives, seed=0)
    made = pool().iloc[::5]
    campaign.tell(
        made.assign(strength=outcome(made), price=made["temperature"], pH=np.linspace(5, 8, len(made)))
    )
    picks = campaign.ask(2)
    assert {"mean strength", "lower price", "probability_best"} <= set(picks.columns)
    status = campaign.status()
    assert len(status.front) >= 1
    assert campaign.best is not None
    assert 6 <= campaign.best.outcomes["pH"] <= 8


@pytest.mark.parametrize("objective", [target("strength", 0.5), within("strength", 0.4, 0.6)])
def test_a_range_is_come_near_to(objective: Any) -> None:
    campaign = begun(objectives=[objective])
    assert campaign.aim == "within a range"
    for _ in range(4):
        picks = campaign.ask(1)
        campaign.tell(picks.assign(strength=outcome(picks)))
    assert campaign.best is not None
    assert abs(campaign.best.outcomes["strength"] - 0.5) < 0.15


def test_an_accurate_model_is_not_sought_where_the_best_is() -> None:
    """Measured: a model taught by expected improvement errs more than one taught at random."""
    with pytest.raises(CampaignError, match=r"expected improvement.*random"):
        Campaign(pool(), [model("strength")], strategy="expected improvement")
    campaign = Campaign(pool(), [model("strength")], seed=0)
    assert campaign.aim == "accurate model"
    made = pool().iloc[::5]
    campaign.tell(made.assign(strength=outcome(made)))
    assert len(campaign.ask(2)) == 2
    assert "not known" in campaign.stop(5).sentence


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objectives": []}, "what is wanted"),
        ({"objectives": ["strength"]}, "maximise"),
        ({"objectives": [maximise("y"), minimise("y")]}, "twice"),
        ({"objectives": [maximise("time")]}, None),
        ({"aim": "fame"}, "no aim 'fame'"),
        ({"strategy": "luck"}, "no strategy 'luck'"),
        ({"control": 1.5}, "share"),
        ({"shared": ["furnace"]}, "furnace"),
        ({"fidelity": {"mesh": {"fine": 1}}}, "mesh"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], message: str | None) -> None:
    given = {"objectives": [maximise("strength")], **options}
    if message is None:  # a column of the pool that is the outcome is no setting
        assert Campaign(pool(), **given).candidates.names == ("temperature", "gas")
        return
    with pytest.raises(CampaignError, match=message):
        Campaign(pool(), **given)


def test_declared_parameters() -> None:
    space = SearchSpace(
        (Continuous("T", 500, 900, "degC"), Levels("p", (1, 2, 5))), constraints=("T < 800 or p < 3",)
    )
    campaign = Campaign(space, [maximise("y")], seed=3)
    picks = campaign.ask(6)
    assert ((picks["T"] < 800) | (picks["p"] < 3)).all()
    assert (picks["candidate"] == -1).all()
    campaign.tell(picks.assign(y=-((picks["T"] - 700) ** 2)))
    more = campaign.ask(2)
    assert more["mean"].notna().all()
    with pytest.raises(CampaignError, match="1 experiment or more"):
        campaign.ask(0)


def test_a_strategy_of_ones_own_cannot_repeat(tmp_path: Path) -> None:
    """Whatever a user's code proposes, a made experiment does not come again."""
    from zairyo.campaign import Pick, Problem

    class First:
        name = "first"

        def pick(self, problem: Problem, count: int) -> list[Pick]:
            block = next(iter(problem.candidates.blocks()))
            return [Pick(int(block.index[0]), block.X[0], 0.0, "first")] * count

    campaign = Campaign(pool(), [maximise("strength")], strategy=First(), file=tmp_path / "own.jsonl")
    picks = campaign.ask(3)
    assert picks["candidate"].is_unique
    assert picks["strategy"].tolist() == ["first", "random", "random"]
    with pytest.raises(CampaignError, match="strategy=…"):
        Campaign.open(tmp_path / "own.jsonl")
    again = Campaign.open(tmp_path / "own.jsonl", strategy=First())
    assert again.ask(1)["candidate"].item() not in set(picks["candidate"])


def test_every_aim_has_its_strategies() -> None:
    """A name in the table that leads nowhere would be found by a user, in the middle of a campaign."""
    from zairyo.campaign import _strategies

    objectives = {
        "map of phases": (model("phase", classes=("fcc", "bcc")),),
        "several": (maximise("a"), minimise("b")),
        "within a range": (target("a", 1.0),),
        "accurate model": (model("a"),),
    }
    for aim, table in _strategies.STRATEGIES.items():
        assert "auto" in table
        for name in table:
            wanted = objectives.get(aim, (maximise("a"),))
            strategy = _strategies.strategy_for("best value" if aim == "several" else aim, name, wanted)
            assert callable(strategy.pick)
    assert set(_strategies.AIMS) == set(_strategies.STRATEGIES) - {"several"}


def test_phases_are_told_as_words() -> None:
    campaign = Campaign(pool(), [model("phase")], aim="map of phases", seed=0)
    made = pool().iloc[::4]
    told = campaign.tell(made.assign(phase=np.where(made["temperature"] > 0.5, "austenite", "ferrite")))
    assert set(told["phase"]) == {"austenite", "ferrite"}
    picks = campaign.ask(3)
    assert len(set(picks["candidate"])) == 3
    assert "mean" not in picks
    declared = Campaign(pool(), [model("phase", classes=["α", "γ"])])
    assert declared.aim == "map of phases"
    with pytest.raises(CampaignError, match="no class 'β'"):
        declared.tell(made.iloc[:1].assign(phase="β"))


def test_references_are_chosen_without_outcomes() -> None:
    campaign = Campaign(pool(), [], aim="references", seed=0)
    picks = campaign.ask(3)
    assert len(set(picks["candidate"])) == 3
    campaign.tell(picks.assign(state="made"))
    assert len(campaign.ask(1)) == 1


@pytest.mark.parametrize("start", ["latin hypercube", "sobol", "d-optimal", "own"])
def test_a_start_design_comes_first(start: str) -> None:
    """People have their own plan for the first week; the strategy goes on from there."""
    own = pool().iloc[[3, 8, 13, 22, 31]]
    campaign = Campaign(
        pool(), [maximise("strength")], start=own if start == "own" else start, start_size=5, seed=0
    )
    first = campaign.ask(3)
    campaign.tell(first.assign(strength=outcome(first)))
    second = campaign.ask(4)
    if start == "own":
        assert [*first["candidate"], *second["candidate"][:2]] == [3, 8, 13, 22, 31]
    named = "own design" if start == "own" else start
    assert set(first["strategy"]) == {named}
    assert second["strategy"].tolist()[:2] == [named] * 2
    assert named not in second["strategy"].tolist()[2:]
    assert not set(first["candidate"]) & set(second["candidate"])
    campaign.tell(second.assign(strength=outcome(second)))
    assert campaign.ask(1)["strategy"].iloc[0] != named
    with pytest.raises(CampaignError, match="no start design"):
        Campaign(pool(), [maximise("strength")], start="feeling")


def test_descriptors_are_kept(tmp_path: Path) -> None:
    campaign = Campaign(
        pool(), [model("strength")], descriptors=["peak width"], file=tmp_path / "c.jsonl", seed=0
    )
    made = pool().iloc[::4]
    campaign.tell(made.assign(strength=outcome(made), **{"peak width": made["time"] * 2}))
    assert (
        Campaign.open(tmp_path / "c.jsonl").experiments()["peak width"].tolist()
        == (made["time"] * 2).tolist()
    )
    assert campaign.learned.problem.D is not None
    assert len(campaign.ask(2)) == 2


@pytest.mark.parametrize("name", ["experiment", "mean", "lower", "strategy", "who"])
def test_a_setting_is_not_named_as_what_proposals_say(name: str) -> None:
    """The proposal's expected mean stood in the column of the setting, and was told as if it had been set."""
    with pytest.raises(
        CampaignError, match=f"'{name}' is the name of a column that proposals have themselves"
    ):
        Campaign(
            pool().rename(columns={"time": name}), [maximise("strength")], settings=["temperature", name]
        )
    with pytest.raises(CampaignError, match="rename the column"):
        Campaign(pool(), [maximise(name)])


def test_states_are_told_in_japanese_and_a_failure_is_one_whatever_the_state() -> None:
    campaign = begun()
    rows = (
        pool()
        .iloc[[1, 2, 3]]
        .assign(state=["失敗", "測定済", "made"], strength=[None, 0.5, "failed: cracked"])
    )
    told = campaign.tell(rows)
    assert told["state"].tolist() == ["failed", "made", "failed"]
    assert told["reason"].tolist()[2] == "cracked"


def test_no_more_is_promised_than_there_are_candidates() -> None:
    table = pool(3)
    campaign = Campaign(table, [maximise("strength")], seed=0)
    campaign.tell(table.iloc[:6].assign(strength=outcome(table.iloc[:6])))
    assert campaign.status().stop.more == 3
    assert "Another 3 experiments" in campaign.status().text()


def test_what_is_ruled_out_is_said_to_be() -> None:
    campaign = Campaign(pool(), [maximise("strength")], constraints=["time < 1", "time > 9"])
    with pytest.warns(CampaignWarning, match="or is ruled out by the constraints"):
        assert not len(campaign.ask())


def test_a_map_of_phases_needs_phases() -> None:
    with pytest.raises(CampaignError, match=r"needs outcomes that are phases, as model\('strength'\)"):
        Campaign(pool(), [maximise("strength")], aim="map of phases")


def test_a_folder_and_an_unknown_number_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="is a folder"):
        Campaign.open(tmp_path)
    with pytest.raises(
        CampaignError, match=r"none was asked for or told yet; .* without a column experiment"
    ):
        Campaign(pool(), [maximise("strength")]).tell([{"experiment": 1, "strength": 2.0}])


def test_columns_without_names_and_dates_are_told_as_they_were_given() -> None:
    """What NumPy made has numbers for names; a date is the same date when it comes back."""
    table = pd.DataFrame(np.random.default_rng(0).random((10, 2)))
    campaign = Campaign(table, [maximise("y")], seed=0)
    campaign.tell(table.iloc[:4].assign(y=[1.0, 2.0, 3.0, 4.0]))
    assert campaign.experiments()["candidate"].tolist() == [0, 1, 2, 3]
    table = pd.DataFrame({"delivered": pd.date_range("2024-01-01", periods=8), "T": range(8)})
    campaign = Campaign(table, [maximise("y")], seed=0)
    campaign.tell(table.iloc[:4].assign(y=[1.0, 2.0, 3.0, 4.0]))
    campaign.tell(campaign.ask(2).assign(y=5.0))
    assert len(campaign.experiments()) == 6
    assert not (campaign.experiments()["candidate"] < 0).any()


def test_one_more_experiment_is_said_as_one() -> None:
    assert begun().stop(1).sentence.startswith("One more experiment is expected")
    assert begun().stop(1, "ja").sentence.startswith("あと 1 件の実験で、最良値に")
    assert begun(objectives=[model("strength")]).stop(1).sentence.startswith("One more experiment can remove")


def test_settings_far_outside_are_kept_and_told() -> None:
    campaign = Campaign([Continuous("temperature", 700, 900)], objectives=[maximise("strength")])
    campaign.ask(2)
    with pytest.warns(CampaignWarning, match="temperature = 8500 is far outside .* \\(700 to 900\\)"):
        campaign.edit(1, temperature=8500)
    with pytest.warns(CampaignWarning, match="temperature = 70000 is far outside"):
        campaign.tell([{"temperature": 70_000.0, "strength": 3.0}])
    with warnings.catch_warnings():
        warnings.simplefilter("error", CampaignWarning)
        campaign.edit(2, temperature=905)  # a little beyond what was planned is somebody's decision
        campaign.tell([{"temperature": 650.0, "strength": 4.0}])
    assert set(campaign.experiments()["temperature"]) >= {8500.0, 70_000.0, 905.0, 650.0}
