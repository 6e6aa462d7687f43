"""The log: nothing recorded is lost or changed without notice, whoever writes at the same time."""

from __future__ import annotations

import json
import shutil
import threading
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zairyo.campaign import Campaign, CampaignError, CampaignWarning, FileLog, MemoryLog, Rule, maximise
from zairyo.campaign._log import NOTHING, LogMoved, event_of, hash_of, line_of

POOL = pd.DataFrame({"x": np.linspace(0, 1, 30), "y": np.tile([1.0, 2.0], 15)})


def line(number: int, before: str) -> str:
    return line_of(
        "note",
        {"text": f"{number}"},
        who="Sato",
        sequence=number,
        before=before,
        time="2026-01-01T00:00:00+00:00",
    )


def written(path: Path, rounds: int = 2) -> list[str]:
    campaign = Campaign(POOL, [maximise("z")], file=path, who="Sato")
    for _ in range(rounds):
        picks = campaign.ask(2)
        campaign.tell(picks.assign(z=picks["x"] * picks["y"]))
    return path.read_text(encoding="utf-8").splitlines()


def test_lines_are_plain_json_that_anybody_can_read(tmp_path: Path) -> None:
    """In ten years a log must be readable without Zairyo."""
    lines = [json.loads(text) for text in written(tmp_path / "c.jsonl")]
    assert [told["event"] for told in lines] == ["created", "asked", "told", "asked", "told"]
    assert [told["sequence"] for told in lines] == [1, 2, 3, 4, 5]
    assert all(told["format"] == 1 and told["who"] == "Sato" and told["time"] for told in lines)
    assert lines[0]["pool"]["columns"]["x"] == POOL["x"].tolist()
    assert lines[1]["picks"][0]["settings"].keys() == {"x", "y"}


def test_every_change_of_a_line_is_noticed(tmp_path: Path) -> None:
    """A value that was changed afterwards would be evidence of nothing."""
    lines = written(tmp_path / "c.jsonl")
    for number, text in enumerate(lines, 1):
        for change in (
            [*lines[: number - 1], text.replace('"who": "Sato"', '"who": "Mori"'), *lines[number:]],
            [*lines[: number - 1], *lines[number:]] if number < len(lines) else [],
            [*lines[:number], text, *lines[number:]],
            [*lines[: number - 1], "not json", *lines[number:]],
            [*lines[: number - 1], text.replace('"format": 1', '"format": 2'), *lines[number:]],
        ):
            if not change:
                continue
            path = tmp_path / "changed.jsonl"
            path.write_text("\n".join(change) + "\n", encoding="utf-8")
            with pytest.raises(CampaignError, match=r"line \d"):
                Campaign.open(path)


def test_a_torn_last_line_is_dropped_wherever_it_was_torn(tmp_path: Path) -> None:
    """The power fails while a line is written: what was told before must still be there, and go on."""
    lines = written(tmp_path / "c.jsonl", rounds=1)
    whole = "\n".join(lines[:2]) + "\n"
    last = lines[2].encode()
    for cut in (1, 10, len(last) // 2, len(last) - 1, len(last)):
        path = tmp_path / "torn.jsonl"
        path.write_bytes(whole.encode() + last[:cut])
        with pytest.warns(CampaignWarning, match="dropped"):
            campaign = Campaign.open(path)
        pending = campaign.pending
        assert len(pending) == 2
        campaign.tell(pending.assign(z=1.0))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(Campaign.open(path).experiments()) == 2


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    written(tmp_path / "c.jsonl", rounds=1)
    with (tmp_path / "c.jsonl").open("ab") as f:
        f.write(b"\xff\xfe\n")
    with pytest.raises(CampaignError, match=r"line 4.*UTF-8"):
        Campaign.open(tmp_path / "c.jsonl")


def test_a_log_that_became_shorter_is_noticed(tmp_path: Path) -> None:
    lines = written(tmp_path / "c.jsonl")
    campaign = Campaign.open(tmp_path / "c.jsonl")
    (tmp_path / "c.jsonl").write_text("\n".join(lines[:3]) + "\n", encoding="utf-8")
    with pytest.raises(CampaignError, match="shorter"):
        campaign.ask()


def test_two_people_and_a_robot_share_one_file(tmp_path: Path) -> None:
    """Nobody is proposed what another makes already, and nobody's result is lost."""
    path = tmp_path / "c.jsonl"
    Campaign(POOL, [maximise("z")], file=path)
    errors: list[BaseException] = []

    def work(who: str) -> None:
        try:
            campaign = Campaign.open(path, who=who)
            for _ in range(3):
                picks = campaign.ask(2)
                campaign.tell(picks.assign(z=picks["x"] * picks["y"]))
        except BaseException as e:  # looked at below
            errors.append(e)

    threads = [threading.Thread(target=work, args=(who,)) for who in ("Sato", "Mori", "robot")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    made = Campaign.open(path).experiments()
    assert len(made) == 18
    assert made["candidate"].is_unique
    assert (made["state"] == "made").all()
    assert set(made["who"]) == {"Sato", "Mori", "robot"}


def test_who_comes_too_late_is_told(tmp_path: Path) -> None:
    for log in (MemoryLog(), FileLog(tmp_path / "log.jsonl")):
        first = line(1, NOTHING)
        log.append([first])
        with pytest.raises(LogMoved):
            log.append([line(1, NOTHING)])
        log.append([line(2, hash_of(first)), line(3, hash_of(line(2, hash_of(first))))])
        assert [event_of(text, n, b).sequence for text, n, b in [(log.read(0)[0], 1, NOTHING)]] == [1]
        assert len(log.read(1)) == 2
        assert log.read(3) == []


def test_last_lines_are_found_however_long_they_are(tmp_path: Path) -> None:
    log = FileLog(tmp_path / "log.jsonl")
    before = NOTHING
    for number in range(1, 4):
        text = line_of("note", {"text": "長" * 200_000}, who="", sequence=number, before=before, time="")
        log.append([text])
        before = hash_of(text)
    assert len(log.read(0)) == 3


def test_the_platform_keeps_the_same_lines() -> None:
    log = MemoryLog()
    one = Campaign(POOL, [maximise("z")], log=log)
    two = Campaign.open(log=log)
    picks = one.ask(2)
    assert two.pending.equals(picks)
    two.tell(picks.assign(z=1.0))
    assert len(one.experiments()) == 2


def test_a_changed_pool_is_refused(tmp_path: Path) -> None:
    """Row 17 of another file is another experiment."""
    path = tmp_path / "candidates.csv"
    POOL.to_csv(path, index=False)
    campaign = Campaign(path, [maximise("z")], file=tmp_path / "c.jsonl")
    picks = campaign.ask(1)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("candidates.csv", "c.jsonl"):
        shutil.copy(tmp_path / name, moved / name)
    assert Campaign.open(moved / "c.jsonl").pending.equals(picks)  # the folder may be moved
    POOL.iloc[::-1].to_csv(path, index=False)
    with pytest.raises(CampaignError, match=r"candidates\.csv was changed"):
        Campaign.open(tmp_path / "c.jsonl")
    path.unlink()
    with pytest.raises(CampaignError, match="not there any more"):
        Campaign.open(tmp_path / "c.jsonl")
    assert Campaign.open(tmp_path / "c.jsonl", pool=moved / "candidates.csv").pending.equals(picks)


def test_large_tables_in_memory_are_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zairyo.campaign._naming.MOST_CELLS", 10)
    Campaign(POOL, [maximise("z")], file=tmp_path / "c.jsonl")
    with pytest.raises(CampaignError, match="pool=…"):
        Campaign.open(tmp_path / "c.jsonl")
    assert len(Campaign.open(tmp_path / "c.jsonl", pool=POOL).ask(1)) == 1
    with pytest.raises(CampaignError, match="not those of the campaign"):
        Campaign.open(tmp_path / "c.jsonl", pool=POOL.iloc[::-1])


def test_constraints_are_kept_and_functions_are_asked_for(tmp_path: Path) -> None:
    Campaign(POOL, [maximise("z")], constraints=[Rule("x < 0.5")], file=tmp_path / "rule.jsonl")
    assert (Campaign.open(tmp_path / "rule.jsonl").ask(5)["x"] < 0.5).all()
    Campaign(POOL, [maximise("z")], constraints=[lambda s: s["x"] < 0.5], file=tmp_path / "function.jsonl")
    with pytest.raises(CampaignError, match="Python function"):
        Campaign.open(tmp_path / "function.jsonl")


def test_a_campaign_is_not_begun_over_another(tmp_path: Path) -> None:
    written(tmp_path / "c.jsonl", rounds=1)
    with pytest.raises(CampaignError, match=r"Campaign\.open"):
        Campaign(POOL, [maximise("z")], file=tmp_path / "c.jsonl")
    with pytest.raises(CampaignError, match="no campaign"):
        Campaign.open(tmp_path / "none.jsonl")


def test_values_that_json_does_not_know_are_recorded(tmp_path: Path) -> None:
    campaign = Campaign(POOL, [maximise("z")], file=tmp_path / "c.jsonl")
    campaign.tell([{"x": np.float32(0.0), "y": np.int64(1), "z": np.float64("nan"), "who": "Mori"}])
    told = Campaign.open(tmp_path / "c.jsonl").experiments()
    assert told["z"].isna().all()
    assert told["who"].tolist() == ["Mori"]
    campaign.note("新しい炉")
    assert Campaign.open(tmp_path / "c.jsonl").state.notes[0].data["text"] == "新しい炉"
