"""The commands on tables: what a scientist without Python does with a spreadsheet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from zairyo.cli import cli


def run(*words: Any) -> Result:
    return CliRunner().invoke(cli, [str(w) for w in words])


def spreadsheet(path: Path, made: int = 8) -> pd.DataFrame:
    """Candidates of an alloy's treatment, some of them made, one failed."""
    T, t = np.meshgrid(np.linspace(900, 1200, 7), [0.5, 1.0, 2.0, 4.0])
    table = pd.DataFrame({"T [°C]": T.ravel(), "time (h)": t.ravel()})
    strength = 300 + 0.001 * (table["T [°C]"] - 900) * (1250 - table["T [°C]"]) + 5 * table["time (h)"]
    table["strength"] = ""
    rows = np.linspace(0, len(table) - 1, made).astype(int)
    table.loc[rows, "strength"] = strength[rows].round(2).astype(str)
    table.loc[rows[1], "strength"] = "failed: cracked"
    table.to_csv(path, index=False)
    return table.assign(truth=strength.round(2))


def test_recommend_reads_what_was_made_and_proposes_the_rest(tmp_path: Path) -> None:
    table = spreadsheet(tmp_path / "c.csv")
    found = run(
        "recommend", tmp_path / "c.csv", "--maximise", "strength", "-n", 3, "--json", "-o", tmp_path / "p.csv"
    )
    assert found.exit_code == 0, found.output
    picks = json.loads(found.stdout)["picks"]
    assert len(picks) == 3
    assert all(table["strength"].iloc[p["candidate"]] == "" for p in picks)
    assert pd.read_csv(tmp_path / "p.csv")["candidate"].tolist() == [p["candidate"] for p in picks]
    again = run("recommend", tmp_path / "c.csv", "--maximise", "strength", "-n", 3, "--json")
    assert json.loads(again.stdout)["picks"] == picks


def test_recommend_says_why_in_the_readers_language(tmp_path: Path) -> None:
    spreadsheet(tmp_path / "c.csv")
    plain = run("recommend", tmp_path / "c.csv", "--maximise", "strength")
    assert "7 experiments made, 1 failed, 1 under way" in plain.output
    for language, word in (("en", "Nearest made"), ("ja", "最も近い既存の実験")):
        assert (
            word
            in run("recommend", tmp_path / "c.csv", "--maximise", "strength", "--explain", language).output
        )


def test_a_recorded_campaign_goes_on_as_the_table_is_filled_in(tmp_path: Path) -> None:
    """Each day the results are written into the same file; a value that was put right is no new experiment."""
    table = spreadsheet(tmp_path / "c.csv")
    log = tmp_path / "log.jsonl"
    first = json.loads(
        run(
            "recommend", tmp_path / "c.csv", "--maximise", "strength", "-n", 2, "--file", log, "--json"
        ).stdout
    )
    waiting = json.loads(run("recommend", tmp_path / "c.csv", "--file", log, "--pending", "--json").stdout)
    assert [p["experiment"] for p in waiting["picks"]] == [p["experiment"] for p in first["picks"]]
    for pick in first["picks"]:
        table.loc[pick["candidate"], "strength"] = str(table["truth"][pick["candidate"]])
    table.loc[0, "strength"] = "301.5"
    table.drop(columns="truth").to_csv(tmp_path / "c.csv", index=False)
    second = run("recommend", tmp_path / "c.csv", "--file", log, "--json")
    assert second.exit_code == 0, second.output
    assert "9 experiments made, 1 failed, 1 under way" in second.stdout
    events = [json.loads(line)["event"] for line in log.read_text(encoding="utf-8").splitlines()]
    assert events == ["created", "told", "asked", "corrected", "told", "asked"]
    refused = run("recommend", tmp_path / "c.csv", "--minimise", "strength2", "--file", log)
    assert refused.exit_code != 0
    assert "wants strength" in refused.output


def test_made_ones_may_be_in_another_file_and_files_of_other_kinds(tmp_path: Path) -> None:
    table = spreadsheet(tmp_path / "c.csv")
    settings = table[["T [°C]", "time (h)"]]
    settings.to_parquet(tmp_path / "c.parquet")
    settings.iloc[::5].assign(strength=table["truth"].iloc[::5]).to_csv(tmp_path / "made.csv", index=False)
    found = run(
        "recommend",
        tmp_path / "c.parquet",
        "--maximise",
        "strength",
        "--made",
        tmp_path / "made.csv",
        "-n",
        2,
    )
    assert found.exit_code == 0, found.output
    assert "6 experiments made" in found.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "say what is wanted"),
        (["--maximise", "strenght"], "did you mean strength"),
        (["--maximise", "strength", "--strategy", "luck"], "no strategy 'luck'"),
        (["--model", "strength", "--strategy", "expected improvement"], "does not serve"),
        (["--within", "strength=5"], "5..10"),
        (["--near", "strength=high"], "not a number"),
        (["--maximise", "strength", "--rule", "T << 3"], "T << 3"),
        (["--maximise", "strength", "-o", "p.docx"], ".csv"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, words: list[str], message: str) -> None:
    spreadsheet(tmp_path / "c.csv")
    found = run("recommend", tmp_path / "c.csv", *words)
    assert found.exit_code != 0
    assert message in found.output
    assert "Traceback" not in found.output


def test_predict_fills_in_what_is_missing_and_says_how_well(tmp_path: Path) -> None:
    table = spreadsheet(tmp_path / "c.csv", made=16)
    found = run(
        "predict",
        tmp_path / "c.csv",
        "--target",
        "strength",
        "-o",
        tmp_path / "p.csv",
        "--html",
        tmp_path / "r.html",
    )
    assert found.exit_code == 0, found.output
    assert "Error on samples not seen" in found.output
    assert "<svg" in (tmp_path / "r.html").read_text(encoding="utf-8")
    predicted = pd.read_csv(tmp_path / "p.csv")
    assert len(predicted) == 28 - 15
    rows = predicted.iloc[:, 0].to_numpy()
    assert np.abs(predicted["strength predicted"] - table["truth"].to_numpy()[rows]).max() < 15
    told = json.loads(run("predict", tmp_path / "c.csv", "--target", "strength", "--json").stdout)
    assert told["samples"] == 15
    assert told["rmse"] > 0
    refused = run("predict", tmp_path / "c.csv", "--target", "hardness")
    assert refused.exit_code != 0
    assert "no column 'hardness'" in refused.output


def test_simulate_compares_strategies_on_a_complete_table(tmp_path: Path) -> None:
    table = spreadsheet(tmp_path / "c.csv")
    table.drop(columns="strength").to_csv(tmp_path / "all.csv", index=False)
    found = run(
        "simulate", tmp_path / "all.csv", "--maximise", "truth", "--seeds", 3, "--picks", 8, "--start", 4,
        "--plot", tmp_path / "p.png", "--json",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert [row["strategy"] for row in told["strategies"]] == ["auto", "random"]
    assert np.array(told["curves"]["auto"]).shape == (3, 9)
    assert (np.diff(told["curves"]["auto"], axis=1) >= 0).all()
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"
    text = run("simulate", tmp_path / "all.csv", "--maximise", "truth", "--seeds", 2, "--picks", 3).output
    assert "ratio to random" in text
    refused = run("simulate", tmp_path / "all.csv", "--maximise", "truth", "--picks", 99)
    assert refused.exit_code != 0
    assert "28 rows" in refused.output


def test_outcomes_may_be_named_by_their_headings(tmp_path: Path) -> None:
    """A heading with a unit, in Shift-JIS: what was made is learned from whichever way the outcome is named."""
    rows = [f"{600 + 7 * k},{k % 5},{300 - 7 * k if k < 9 else ''}" for k in range(20)]
    path = tmp_path / "試料.csv"
    path.write_bytes("\n".join(["温度 (℃),時間,強度 (MPa)", *rows]).encode("cp932"))
    for name in ("強度 (MPa)", "強度"):
        answer = run("recommend", path, "--maximise", name, "-n", 1, "--json")
        assert answer.exit_code == 0, answer.output
        found = json.loads(answer.stdout)
        assert found["picks"][0]["mean"] is not None, name
        assert "9 experiments made" in " ".join(found["status"])


def test_what_only_made_samples_have_is_no_setting_of_a_replay(tmp_path: Path) -> None:
    """The error about an empty setting says to give --descriptor."""
    rows = "".join(f"{900 + i},{'bcc' if i % 3 else ''},{i % 7}.5\n" for i in range(12))
    (tmp_path / "a.csv").write_text("T (degC),structure,y\n" + rows)
    asked = ("simulate", tmp_path / "a.csv", "--maximise", "y", "--seeds", 1, "--picks", 2)
    assert "give --descriptor COLUMN" in run(*asked).output
    found = run(*asked, "--descriptor", "structure")
    assert found.exit_code == 0, found.output


def test_an_element_that_no_made_sample_has_is_predicted_and_told(tmp_path: Path) -> None:
    made = "".join(f"Fe{80 - i}B{20 + i},50{i},{i}.5\n" for i in range(8))
    path = tmp_path / "a.csv"
    path.write_text("alloy (at.%),T (degC),y\n" + made + "Fe79W1B20,503,\n")
    found = run("predict", path, "--target", "y", "--json")
    assert found.exit_code == 0, found.output
    (one,) = json.loads(found.stdout)["predictions"]
    assert one["outside the made samples"]
    others = tmp_path / "b.csv"
    others.write_text("alloy (at.%),T (degC)\nFe79W1B20,503\n")
    path.write_text("alloy (at.%),T (degC),y\n" + made)
    again = run("predict", path, "--target", "y", "--json", "--on", others)
    assert json.loads(again.stdout)["predictions"][0]["y predicted"] == pytest.approx(one["y predicted"])


def test_a_setting_that_most_samples_lack_does_not_cost_them(tmp_path: Path) -> None:
    rows = "".join(f"{900 + i},{'air' if i % 4 == 0 else ''},L{i // 3},{i}.5\n" for i in range(24))
    (tmp_path / "a.csv").write_text("T (degC),gas,batch,y\n" + rows)
    found = run("predict", tmp_path / "a.csv", "--target", "y")
    assert "gas is missing in 18 of 24 samples and was left out" in found.output
    assert "y: 24 samples" in found.output
    assert (
        "several samples have the same batch; if they are alike for it, give --group 'batch'" in found.output
    )
    assert "--group" not in run("predict", tmp_path / "a.csv", "--target", "y", "--group", "batch").output


def test_samples_with_a_hole_are_learned_from_and_predicted_with_wider_intervals(tmp_path: Path) -> None:
    """Of planned samples nobody has the X-ray peak; it is told by how they are made, as well as that goes."""
    made = [f"{900 + i},{i % 4},{'' if i in (3, 8) else 0.2 * i},{i + 2 * (i % 4)}.5" for i in range(24)]
    (tmp_path / "a.csv").write_text(
        "\n".join(["T (degC),t (h),peak,y", *made, "910,,2,", "911,3,,", "912,,,"])
    )
    found = run("predict", tmp_path / "a.csv", "--target", "y", "--descriptor", "peak", "--json")
    assert found.exit_code == 0, found.output
    first, second, third = json.loads(found.stdout)["predictions"]
    assert json.loads(found.stdout)["samples"] == 24
    assert first["lower"] < first["upper"]
    assert second["y predicted"] == pytest.approx(17.5, abs=3)
    assert third["y predicted"] is None
    assert "1 rows cannot be predicted, because more than half of their settings are missing" in found.stderr
    assert (
        "settings are missing in 2 of the rows predicted; their intervals are wider for that" in found.stderr
    )


def test_nothing_is_predicted_beyond_what_is_possible(tmp_path: Path) -> None:
    """A yield of 104 % would make people doubt the rest; errors are measured as before."""
    rows = [f"{x},{100 - 0.2 * x}" for x in range(20)] + ["30,", "-30,"]
    path = tmp_path / "c.csv"
    path.write_text("\n".join(["x,yield", *rows]))
    asked = ("predict", path, "--target", "yield", "--json")
    free, ended = (json.loads(run(*asked, *more).stdout) for more in ((), ("--possible", "yield=95..100")))
    high, most = free["predictions"][1], ended["predictions"][1]
    assert high["yield predicted"] > 100
    assert most["yield predicted"] == most["upper"] == 100
    assert ended["predictions"][0]["lower"] == 95 > free["predictions"][0]["lower"]
    assert ended["rmse"] == free["rmse"]
    refused = run(*asked, "--possible", "yeild=0..")
    assert refused.exit_code == 2
    assert "only of an outcome that is wanted" in refused.output


def test_text_is_not_predicted(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_text("a,y\n" + "".join(f"{k},{k} blorb\n" for k in range(9)) + "9,\n")
    found = run("predict", path, "--target", "y")
    assert found.exit_code == 1
    assert "only a number can be predicted" in found.output
    assert "'0 blorb'" in found.output
    assert "--unit y=UNIT" in found.output


def test_units_may_stand_in_the_cells(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    rows = "".join(f"S{k},{800 + 10 * k} °C,{k % 7},{k} MPa\n" for k in range(12))
    path.write_text(
        "sample,T,time,strength\n" + rows + "S12,950 °C,5,\nS13,960 °C,4,n.d.\n", encoding="utf-8"
    )
    told = json.loads(run("recommend", path, "--maximise", "strength", "--json").stdout)
    assert told["picks"][0]["T"] in (950, 960)
    assert any("strength 11 MPa (T 910" in line for line in told["status"])


def test_what_is_wanted_is_no_setting_and_the_rest_is(tmp_path: Path) -> None:
    """The last column is taken as the property only where nobody says which one is."""
    path = tmp_path / "order.csv"
    path.write_text(
        "quality,T,time\n" + "".join(f"{k},{k % 5},{k % 3}\n" for k in range(12)) + ",1,0\n,4,4\n"
    )
    told = json.loads(run("recommend", path, "--maximise", "quality", "--json").stdout)
    assert {"T", "time"} <= set(told["picks"][0])
    path.write_text("T,quality\n" + "".join(f"{k},{k}\n" for k in range(9)) + "9,<0.1\n10,>5\n11,?!\n12,!!\n")
    found = run("recommend", path, "--maximise", "quality")
    assert "line 11, column 'quality': '<0.1' is a limit" in found.output
    assert "line 13, column 'quality': '?!' is not a number" in found.output


def test_a_table_without_candidates_says_what_to_add(tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    path.write_text("T,quality\n1,2\n2,3\n3,4\n")
    assert "add rows without" in run("recommend", path, "--maximise", "quality").stderr


def test_worth_says_whether_to_measure(tmp_path: Path) -> None:
    """The informatics expert's question at the bench: is this diffraction pattern worth its hour?"""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"T (K)": rng.integers(600, 900, 24), "grain (nm)": rng.random(24), "colour": rng.random(24)}
    )
    table["strength (MPa)"] = 300 + 0.1 * table["T (K)"] + 200 * table["grain (nm)"] + rng.normal(0, 3, 24)
    table.loc[3, "grain (nm)"] = np.nan
    table.to_csv(tmp_path / "s.csv", index=False)
    asked = ("worth", tmp_path / "s.csv", "--target", "strength", "--descriptor", "grain", "--repeats", 1)
    told = json.loads(run(*asked, "--json").stdout)
    assert (told["target"], told["samples"]) == ("strength", 23)
    assert "errors in MPa" in run(*asked).stdout
    assert "誤差の単位 MPa" in run(*asked, "--language", "ja").stdout
    assert [told["gains"][0][key] for key in ("sense", "verdict")] == ["known", "worth making"]
    said = run(*asked, "--language", "ja")
    assert "strength を予測するために測定する価値はありますか？" in said.output
    assert "価値あり：誤差は" in said.output
    assert "23 試料（値が欠けている 1 試料を除く）" in said.output
    refused = run("worth", tmp_path / "s.csv", "--target", "strength", "--descriptor", "hardness")
    assert refused.exit_code == 1
    assert "hardness" in refused.output


def in_cells(path: Path, unit: str = "MPa") -> Path:
    """A table as it is often kept: the heading has no unit, every cell has."""
    lines = [f"{600 + 10 * k},{k % 5},{f'{300 - 7 * k} {unit}' if k < 12 else ''}" for k in range(20)]
    lines[3] = "630,3,failed: cracked at 3 MPa"
    lines[4] = f"640,4,272 ± 2{unit}"
    path.write_text("\n".join(["T,time,strength", *lines]), encoding="utf-8")
    return path


def test_a_unit_is_given_where_the_heading_has_none(tmp_path: Path) -> None:
    """Without it a laboratory would have to edit every cell before the first question."""
    path = in_cells(tmp_path / "c.csv")
    unit = ("--unit", "strength=MPa")
    log = tmp_path / "c.jsonl"
    found = run("recommend", path, "--maximise", "strength", *unit, "--file", log)
    assert found.exit_code == 0, found.output
    assert "11 experiments made, 1 failed" in found.output
    assert "strength 300 MPa" in found.output
    told = json.loads(run("predict", path, "--target", "strength", *unit, "--json").stdout)
    assert (told["samples"], told["unit"], len(told["predictions"])) == (11, "MPa", 9)
    assert "Predicted in MPa" in run("predict", path, "--target", "strength", *unit).output
    asked = run(
        "worth", path, "--target", "strength", *unit, "--descriptor", "time", "--repeats", 1, "--json"
    )
    assert json.loads(asked.stdout)["samples"] == 11
    again = run("recommend", path, "--file", log)
    assert "11 experiments made, 1 failed, 2 under way" in again.output
    refused = run("recommend", path, "--file", log, "--unit", "strength=GPa")
    assert "strength is in MPa in the campaign" in refused.output


def test_a_unit_is_not_taken_for_another(tmp_path: Path) -> None:
    """What is in GPa must not be learned as MPa."""
    other = run(
        "recommend", in_cells(tmp_path / "c.csv", "GPa"), "--maximise", "strength", "--unit", "strength=MPa"
    )
    assert other.exit_code == 1
    assert "'300 GPa' is in 'GPa'" in other.output
    spreadsheet(tmp_path / "s.csv")
    heading = run("recommend", tmp_path / "s.csv", "--maximise", "strength", "--unit", "time=min")
    assert "column 'time' is in h, not in min" in heading.output
    absent = run("predict", tmp_path / "s.csv", "--target", "strength", "--unit", "stength=MPa")
    assert "no column 'stength'" in absent.output
    formless = run("predict", tmp_path / "s.csv", "--target", "strength", "--unit", "MPa")
    assert "--unit COLUMN=UNIT" in formless.output


def test_a_heading_gives_the_unit_that_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    rows = "".join(f"{k},{k % 5},{9 - k if k < 8 else ''}\n" for k in range(20))
    path.write_text("a,b,strength (MPa)\n" + rows, encoding="utf-8")
    found = run("recommend", path, "--maximise", "strength")
    assert "strength 9 MPa" in found.output


def test_a_reader_that_stops_reading_is_no_error(tmp_path: Path) -> None:
    """``zairyo predict table.csv … | head`` ends without a word."""
    import subprocess
    import sys

    spreadsheet(tmp_path / "c.csv")
    command = [sys.executable, "-m", "zairyo", "predict", str(tmp_path / "c.csv"), "--target", "strength"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert b"Broken pipe" not in process.stderr.read()
    process.stderr.close()
    process.wait()


def test_a_limit_of_what_every_row_has_is_a_condition_on_candidates(tmp_path: Path) -> None:
    """A price known beforehand must not make every candidate an experiment that was made."""
    table = spreadsheet(tmp_path / "c.csv").drop(columns="truth")
    table.insert(2, "price (EUR)", 5.0 + np.arange(len(table)))
    table.to_csv(tmp_path / "c.csv", index=False)
    for wish in (("--limit", "price=..20"), ("--limit", "T=..1000.5")):
        found = run("recommend", tmp_path / "c.csv", "--maximise", "strength", *wish, "-n", 3, "--json")
        assert found.exit_code == 0, found.output
        assert "is a condition on the candidates" in found.stderr
        told = json.loads(found.stdout)
        assert "7 experiments made, 1 failed, 3 under way" in " ".join(told["status"])
        at = [pick["candidate"] for pick in told["picks"]]
        name, most = ("price (EUR)", 20) if "price" in wish[1] else ("T [°C]", 1000.5)
        assert len(at) == 3
        assert (table[name].iloc[at] <= most).all()
    two = run("recommend", tmp_path / "c.csv", "--maximise", "strength", "--minimise", "price", "-n", 2)
    assert "7 experiments made, 1 failed, 2 under way" in two.output


def test_references_count_what_was_made(tmp_path: Path) -> None:
    """Without an outcome that is sought, whatever was measured was made, not only what failed."""
    spreadsheet(tmp_path / "c.csv")
    found = run("recommend", tmp_path / "c.csv", "--aim", "references", "-n", 2)
    assert found.exit_code == 0, found.output
    assert "Wanted: references." in found.output
    assert "7 experiments made, 1 failed, 2 under way" in found.output


def test_what_an_outcome_can_be_is_said(tmp_path: Path) -> None:
    spreadsheet(tmp_path / "c.csv")
    asked = ("recommend", tmp_path / "c.csv", "--maximise", "strength", "-n", 2, "--json")
    free = json.loads(run(*asked).stdout)["picks"][0]
    most = (free["mean"] + free["upper"]) / 2
    ended = json.loads(run(*asked, "--possible", f"strength=0..{most}").stdout)["picks"][0]
    assert (ended["upper"], ended["mean"]) == (most, free["mean"])
    refused = run(*asked, "--possible", "strenth=0..")
    assert "strenth" in refused.output
    assert refused.exit_code == 2
    refused = run(*asked, "--possible", "strength=100..0")
    assert "below" in refused.output
    assert refused.exit_code == 2


def as_file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def treated(heading: str, cells: dict[int, str], name: str = "T (degC)", start: int = 900) -> str:
    """Ten samples, the outcome of those in ``cells`` known."""
    lines = [f"S{i},{start + 10 * i},{i * i % 7},{cells.get(i, '')}" for i in range(10)]
    return "\n".join([heading.format(name), *lines]) + "\n"


KNOWN = {i: f"{300 + 7 * i}" for i in range(6)}


def test_failures_are_counted_and_not_proposed_again(tmp_path: Path) -> None:
    """All failed so far; the state in the row and the word in the cell may differ; the state may be Japanese."""
    failed = as_file(tmp_path / "a.csv", treated("sample,{},b,y", dict.fromkeys(range(4), "failed: cracked")))
    assert "0 experiments made, 4 failed, 1 under way" in run("recommend", failed, "--maximise", "y").output
    assert "no row of" in run("predict", failed, "--target", "y").output
    rows = "".join(
        f"{900 + 10 * i},{'測定済' if i < 5 else '失敗' if i < 7 else '予定'},{'' if i > 4 else 5 + i}\n"
        for i in range(9)
    )
    found = run(
        "recommend",
        as_file(tmp_path / "b.csv", "温度,状態,強度\n" + rows),
        "--maximise",
        "強度",
        "-n",
        2,
        "--json",
    )
    assert found.exit_code == 0, found.output
    assert {p["candidate"] for p in json.loads(found.stdout)["picks"]} == {7, 8}
    assert json.loads(found.stdout)["status"][1].startswith("5 experiments made, 2 failed")


def test_a_wrong_cell_is_named_by_its_line(tmp_path: Path) -> None:
    path = as_file(tmp_path / "a.csv", treated("sample,{},b,y", {2: "=1*3", 4: "=2*3", 5: "=5*3"}))
    assert (
        "a.csv, line 4, column 'y': '=1*3' is not a number"
        in run("recommend", path, "--maximise", "y").output
    )


def test_what_was_decided_of_a_table_is_told(tmp_path: Path) -> None:
    text = treated("sample,{},b,y", KNOWN) + "Mean,945,3,320\n"
    for words in (
        ("recommend", tmp_path / "a.csv", "--maximise", "y"),
        ("predict", tmp_path / "a.csv", "--target", "y"),
    ):
        as_file(tmp_path / "a.csv", text)
        assert "note: a.csv: line 12 (Mean) sums up the rows above and is left out" in run(*words).output
    ranges = "".join(f"S{i},{900 + i}-{910 + i},{i},{i}.5\n" for i in range(20))
    found = run("predict", as_file(tmp_path / "r.csv", "sample,T,b,y\n" + ranges), "--target", "y")
    assert "column 'T' has cells such as '900-910'" in found.output
    assert "not learned from: T" in found.output


def test_other_files_may_have_other_units(tmp_path: Path) -> None:
    """A furnace in kelvin is no furnace in degrees Celsius: what is predicted for it was wrong without a word."""
    known = as_file(tmp_path / "a.csv", treated("sample,{},b,y", {i: f"{300 + 7 * i}" for i in range(10)}))
    same = as_file(tmp_path / "c.csv", treated("sample,{},b,z", {}, "T (degC)", 905))
    kelvin = as_file(tmp_path / "k.csv", same.read_text().replace("T (degC)", "T (K)"))
    frame = pd.read_csv(kelvin)
    frame["T (K)"] += 273.15
    frame.to_csv(kelvin, index=False)
    a, b = (run("predict", known, "--target", "y", "--on", other, "--json") for other in (same, kelvin))
    assert "T is in K in the samples to be predicted; it was converted to degC" in b.stderr
    told = [[p["y predicted"] for p in json.loads(r.stdout)["predictions"]] for r in (a, b)]
    np.testing.assert_allclose(*told, rtol=1e-6)
    candidates = as_file(tmp_path / "p.csv", treated("sample,{},b,y", {}))
    made = pd.read_csv(as_file(tmp_path / "m.csv", treated("sample,{},b,y", KNOWN))).iloc[:6]
    made["T (degC)"] += 273.15
    made.rename(columns={"T (degC)": "T (K)"}).to_csv(tmp_path / "m.csv", index=False)
    found = run("recommend", candidates, "--made", tmp_path / "m.csv", "--maximise", "y", "-n", 2)
    assert found.exit_code == 0, found.output
    assert "not among the candidates" not in found.output
    assert "T of --made was converted from K to degC" in found.output


def test_columns_of_the_report_do_not_hide_settings(tmp_path: Path) -> None:
    text = treated("sample,{},lower,y", KNOWN)
    found = run(
        "predict", as_file(tmp_path / "a.csv", text), "--target", "y", "--possible", "y=0..", "--json"
    )
    rows = json.loads(found.stdout)["predictions"]
    assert [r["lower"] for r in rows] == [i * i % 7 for i in range(6, 10)]
    assert all(r["y lower"] <= r["y predicted"] <= r["upper"] for r in rows)
    found = run("recommend", tmp_path / "a.csv", "--maximise", "y")
    assert "'lower' is the name of a column that proposals have themselves; rename the column" in found.output


def test_settings_and_ranges_are_shown_with_the_digits_they_need(tmp_path: Path) -> None:
    rows = "".join(
        f"{i * 7 % 5}.5,{101325 + 0.5 * i},{5.43102 + i * 1e-5 if i < 9 else ''}\n" for i in range(14)
    )
    found = run(
        "recommend", as_file(tmp_path / "a.csv", "x,pressure (Pa),a (angstrom)\n" + rows), "--maximise", "a"
    )
    assert "101331.5" in found.output
    assert "5.431 (5.431 to" not in found.output
    assert "5.43 (5.43" not in found.output


def test_nothing_is_asked_for_that_cannot_be_written(tmp_path: Path) -> None:
    """Proposals recorded as under way, and shown to nobody."""
    path, log = as_file(tmp_path / "a.csv", treated("sample,{},b,y", KNOWN)), tmp_path / "log.jsonl"
    for name in ("p.xlsx", "absent/p.csv"):
        found = run("recommend", path, "--maximise", "y", "--file", log, "-o", tmp_path / name)
        assert found.exit_code == 2
        assert "-o" in found.output
        assert not log.exists()
    assert "is the property itself" in run("worth", path, "--target", "y", "--descriptor", "y").output
    assert "name it .png" in run("simulate", path, "--maximise", "y", "--plot", tmp_path / "a.odd").output


def test_what_is_possible_is_not_less_than_what_was_measured(tmp_path: Path) -> None:
    path = as_file(tmp_path / "a.csv", treated("sample,{},b,y", KNOWN))
    found = run("predict", path, "--target", "y", "--possible", "y=0..320")
    assert "line 5, column y: 321 was measured, and --possible says that it cannot be" in found.output


def test_an_empty_column_does_not_leave_out_every_row(tmp_path: Path) -> None:
    path = as_file(
        tmp_path / "a.csv", treated("sample,{},b,y", KNOWN).replace(",b,", ",b,c,").replace("\nS", "\nS")
    )
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join([lines[0], *(",".join([*x.split(",")[:3], "", x.split(",")[3]]) for x in lines[1:])]) + "\n"
    )
    found = run("predict", path, "--target", "y")
    assert "y: 6 samples, 2 columns" in found.output
    assert "not learned from: c" in found.output
    found = run("recommend", path, "--maximise", "y")
    assert found.exit_code == 0
    assert "sample, c were not taken as settings" in found.output


def test_an_outcome_taken_out_of_the_table_is_not_forgotten_silently(tmp_path: Path) -> None:
    path, log = as_file(tmp_path / "a.csv", treated("sample,{},b,y", KNOWN)), tmp_path / "c.jsonl"
    assert run("recommend", path, "--maximise", "y", "--file", log).exit_code == 0
    as_file(path, treated("sample,{},b,y", KNOWN | {2: ""}))
    found = run("recommend", path, "--file", log)
    assert "note: the table has no outcome of experiment 3 told before; what was told is kept" in found.output


def test_what_only_made_samples_have_is_asked_for_as_that(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i * i % 7},{f'{i}.5,{i * 3}' if i < 6 else ','}\n" for i in range(9))
    path = as_file(tmp_path / "a.csv", "T,waist,y,z\n".replace("waist,y,z", "b,waist,y") + rows)
    found = run("recommend", path, "--maximise", "y", "--setting", "T", "--setting", "waist")
    assert "line 8, column waist: the setting 'waist' has no value" in found.output
    assert "known of made samples only, give --descriptor COLUMN" in found.output
    assert run("recommend", path, "--maximise", "y", "--descriptor", "waist").exit_code == 0


def test_a_phase_is_not_replayed(tmp_path: Path) -> None:
    path = as_file(
        tmp_path / "a.csv", "a,b,phase\n" + "".join(f"{i},{i % 3},{'xy'[i % 2]}\n" for i in range(12))
    )
    found = run("simulate", path, "--model", "phase", "--seeds", 1, "--picks", 2)
    assert found.exit_code == 1
    assert "'x' is not a number; what is replayed are numbers, no phases" in found.output
