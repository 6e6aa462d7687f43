"""NIMO's files and BayBE's JSON: robots and people who come from there go on here."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from zairyo.campaign import Campaign, CampaignError, CampaignWarning, baybe, maximise, minimise, nimo

#: Written by BayBE 0.15, without what chooses.
BAYBE = json.loads((Path(__file__).parent / "data" / "baybe_campaigns.json").read_text(encoding="utf-8"))


def candidates(path: Path) -> Path:
    lines = ["x,y,conductivity,price"]
    lines += [
        f"{i / 10},{j},{'' if (i, j) != (1, 2) else '12.5'},{'' if (i, j) != (1, 2) else 3}"
        for i in range(5)
        for j in range(4)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def robot(proposals: Path, table: Path, outcomes: list[list[Any]]) -> None:
    """As NIMO's standard module puts results into the candidates: by the row of the first column."""
    rows = [line.split(",") for line in proposals.read_text(encoding="utf-8").splitlines()]
    lines = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()]
    for row, outcome in zip(rows[1:], outcomes, strict=True):
        line = lines[int(row[0]) + 1]
        assert [float(v) for v in line[:2]] == [float(v) for v in row[1:]]
        line[2:] = [str(v) for v in outcome]
    table.write_text("\n".join(",".join(line) for line in lines) + "\n", encoding="utf-8")


def test_a_cycle_with_nimos_robot(tmp_path: Path) -> None:
    """The loop of NIMO with the choice made here: rows must be the same experiments on both sides."""
    table = candidates(tmp_path / "candidates.csv")
    wanted = [maximise("conductivity"), minimise("price")]
    for cycle in range(3):
        campaign = nimo.open(table, wanted, file=tmp_path / "c.jsonl", strategy="random")
        assert len(campaign.experiments()) == 1 + 2 * cycle
        nimo.propose(campaign, tmp_path / "proposals.csv", 2)
        assert (tmp_path / "proposals.csv").read_text(encoding="utf-8").splitlines()[0] == "actions,x,y"
        robot(tmp_path / "proposals.csv", table, [[10 + cycle, 5], ["broken", ""]])
    campaign = nimo.open(table, wanted, file=tmp_path / "c.jsonl")
    made = campaign.experiments()
    assert made["candidate"].is_unique
    assert (made["state"] == "failed").sum() == 3
    nimo.write_candidates(campaign, tmp_path / "again.csv")
    again = nimo.read_candidates(tmp_path / "again.csv", 2)
    assert again["conductivity"].notna().sum() == 4
    assert list(again["x"]) == list(nimo.read_candidates(table, 2)["x"])


def test_proposals_of_nimos_own_methods_can_be_planned(tmp_path: Path) -> None:
    campaign = nimo.open(candidates(tmp_path / "c.csv"), [maximise("conductivity"), minimise("price")])
    (tmp_path / "p.csv").write_text("actions,x,y\n7,0.1,3.0\n19,0.4,3.0\n", encoding="utf-8")
    assert campaign.plan(nimo.read_proposals(tmp_path / "p.csv"), "PHYSBO")["candidate"].tolist() == [7, 19]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y,conductivity,price\n1,,,\n", "line 2, column 'y'"),
        ("x,y,conductivity,price\n1,2,3\n", "line 2: 3 cells"),
        ("x,price,conductivity\n1,2,\n", "last columns are"),
        ("x,y,conductivity,price\n", "a line a candidate"),
    ],
)
def test_what_nimo_could_not_have_written_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    with pytest.raises(CampaignError, match=message):
        nimo.open(tmp_path / "c.csv", [maximise("conductivity"), minimise("price")])


def test_a_product_with_descriptors_comes_from_baybe(tmp_path: Path) -> None:
    campaign = baybe.read(BAYBE["product"], file=tmp_path / "c.jsonl", strategy="random")
    assert campaign.candidates.size == 18
    assert [(o.name, o.direction) for o in campaign.objectives] == [
        ("yield", "maximise"),
        ("price", "minimise"),
    ]
    made = campaign.experiments()
    assert made["yield"].tolist() == [3.5, 4.25]
    assert made["solvent"].tolist() == ["water", "hexane"]
    assert "solvent: polarity" in campaign.candidates.space.names
    assert not set(campaign.ask(16)["candidate"]) & set(made["candidate"])
    assert len(Campaign.open(tmp_path / "c.jsonl").pending) == 16


def test_constraints_and_exclusions_come_from_baybe() -> None:
    """What BayBE would not propose is not proposed here."""
    with pytest.warns(CampaignWarning, match="1 experiments that were excluded"):
        campaign = baybe.read(BAYBE["constrained"])
    assert campaign.aim == "within a range"
    assert campaign.objectives[0].low == 3.0
    with pytest.warns(CampaignWarning, match="only 3"):
        picks = campaign.ask(9)
    allowed = {(300, "N2"), (350, "Ar"), (400, "N2")}
    assert {(row.temperature, row.gas) for row in picks.itertuples()} == allowed


def test_continuous_parameters_come_from_baybe() -> None:
    with pytest.warns(CampaignWarning, match="'z' is taken as it is measured"):
        campaign = baybe.read(json.dumps(BAYBE["hybrid"]))
    assert campaign.objectives[0].direction == "minimise"
    picks = campaign.ask(4)
    assert (picks["p"] + 2 * picks["q"] <= 1.5 + 1e-9).all()
    assert set(picks["T"]) <= {1, 2}


def test_older_targets_and_what_has_no_counterpart() -> None:
    old = {"type": "NumericalTarget", "name": "y", "mode": "MATCH", "bounds": {"lower": 2, "upper": 4}}
    single = {"type": "SingleTargetObjective", "target": old}
    told = {**BAYBE["hybrid"], "objective": single, "measurements_exp": None}
    assert baybe.take_apart(told).objectives[0].low == 3
    for change, message in (
        ({"objective": None}, "no objective"),
        (
            {"objective": {"type": "SingleTargetObjective", "target": {"type": "BinaryTarget", "name": "b"}}},
            "BinaryTarget",
        ),
        (
            {
                "objective": {
                    **single,
                    "target": {"name": "y", "transformation": {"type": "AbsoluteTransformation"}},
                }
            },
            "Absolute",
        ),
        ({"searchspace": {"discrete": {}, "continuous": {}}}, "no parameters"),
        ({"searchspace": {"discrete": {"parameters": [{"type": "Odd", "name": "o"}]}}}, "'o' is a Odd"),
        ({"measurements_exp": "%%%"}, "base64"),
    ):
        with pytest.raises(CampaignError, match=message):
            baybe.take_apart({**told, **change})
    with pytest.raises(CampaignError, match="no BayBE campaign"):
        baybe.take_apart('{"a": 1}')


def test_a_hostile_table_runs_nothing(tmp_path: Path) -> None:
    """A pickle can run any program when it is read: a campaign from a stranger must not."""

    class Hostile:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "owned",))

    for hostile in (Hostile(), [Hostile()], pd.DataFrame({"a": [Hostile()]}, dtype=object)):
        text = base64.b64encode(pickle.dumps(hostile)).decode()
        with pytest.raises(CampaignError, match="cannot be read"):
            baybe.take_apart({**BAYBE["product"], "measurements_exp": text})
    assert not (tmp_path / "owned").exists()


def test_what_nimos_table_gains_later_is_taken_in(tmp_path: Path) -> None:
    """The price comes a day after the conductivity; a value was mistyped; a sample turned out to have failed."""
    table = tmp_path / "candidates.csv"
    table.write_text("x,conductivity,price\n0,1,2\n1,2,\n2,3,5\n3,4,6\n4,,\n5,,\n", encoding="utf-8")
    campaign = nimo.open(table, [maximise("conductivity"), minimise("price")], file=tmp_path / "c.jsonl")
    assert nimo.take_in(campaign, table) == 0
    table.write_text("x,conductivity,price\n0,1,2\n1,2,9\n2,33,5\n3,broke,\n4,7,\n5,,\n", encoding="utf-8")
    assert nimo.take_in(campaign, table) == 4
    told = campaign.experiments().set_index("candidate")
    assert told.loc[1, "price"] == 9
    assert told.loc[2, "conductivity"] == 33
    assert told.loc[3, "state"] == "failed"
    assert told.loc[4, "conductivity"] == 7
    assert nimo.take_in(campaign, table) == 0
    assert nimo.take_in(nimo.open(table, campaign.objectives, file=tmp_path / "c.jsonl"), table) == 0


def test_nimos_table_may_be_saved_by_a_japanese_excel(tmp_path: Path) -> None:
    path = tmp_path / "candidates.csv"
    path.write_bytes("温度,時間,強度\n900,1,310\n950,2,n.d.\n990,2,割れ\n".encode("cp932"))
    read = nimo.read_candidates(path, ["強度"])
    assert list(read.columns) == ["温度", "時間", "強度"]
    assert read["強度"].tolist()[::2] == [310, "failed: 割れ"]
    assert pd.isna(read["強度"][1])
    (tmp_path / "p.csv").write_text("actions,x\n5.7,1\n", encoding="utf-8")
    with pytest.raises(CampaignError, match=r"line 2: '5\.7' is no row of NIMO's table"):
        nimo.read_proposals(tmp_path / "p.csv")


@pytest.mark.parametrize("text", ["", "  ", "[1, 2]"])
def test_what_is_no_campaign_of_baybe_is_said_to_be_none(text: str) -> None:
    with pytest.raises(CampaignError, match="no BayBE campaign"):
        baybe.read(text)
