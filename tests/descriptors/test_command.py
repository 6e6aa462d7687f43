"""`zairyo describe`: one answer an input, in words, JSON or a table; raw files only through the sandbox."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from tests.descriptors.curves import doublets, pattern

import zairyo
from zairyo.cli import cli
from zairyo.measurement import Measurement


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    x = np.arange(20.0, 40.0, 0.02)
    y = np.random.default_rng(0).poisson(50 + doublets(x, [(28.4, 0.1, 500.0)]))
    zairyo.write(Measurement((pattern(x, y),)), tmp_path / "scan.nxs")
    rows = "\n".join(f"{a:.3f} {b} {max(b, 1) ** 0.5:.4f}" for a, b in zip(x, y, strict=True))
    (tmp_path / "scan.xye").write_text(rows + "\n")
    (tmp_path / "bad.bin").write_bytes(b"\x01\x02nobody knows this")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["describe", *arguments], catch_exceptions=False)


def test_standard_form_and_raw_file_say_the_same(folder: Path) -> None:
    result = run("scan.nxs", "scan.xye", "--method", "diffraction_peaks", "--json")
    assert result.exit_code == 0, result.output
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["path"], second["path"]) == ("scan.nxs", "scan.xye")
    for line in (first, second):
        position = next(d for d in line["descriptors"] if d["name"] == "peak_position")
        assert position["value"] == pytest.approx(28.4, abs=0.03)
        assert position["unit"] == "deg"
        assert position["parameters"]["significance"] == 6.0
    assert first["descriptors"][0]["item"] == "peak_1"
    assert list(folder.glob("*.nxs")) == [folder / "scan.nxs"], "nothing is left behind"


def test_parameters_are_set_with_units(folder: Path) -> None:
    result = run(
        "scan.nxs", "--method", "diffraction_peaks", "--set", "low=0.45 rad", "--set", "high=30", "--csv"
    )
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert {r["name"] for r in rows} >= {"peak_position", "d_spacing", "crystallite_size"}
    told = json.loads(rows[0]["parameters"])
    assert told["low"]["value"] == pytest.approx(np.degrees(0.45), abs=0.02)
    assert told["low"]["unit"] == "deg"


def test_people_are_told_in_words_and_the_status_says_what_failed(folder: Path) -> None:
    result = run("bad.bin", "scan.nxs", "missing.xye")
    assert result.exit_code == 1
    assert "scan.nxs: " in result.stdout
    assert "peak_1 peak_position 28.399" in result.stdout
    assert "✗ bad.bin: no reader recognises" in result.stderr
    assert "✗ missing.xye" in result.stderr
    cut = run("scan.nxs", "--method", "diffraction_peaks", "--set", "low=39")
    assert cut.exit_code == 1
    assert "no peak stands out of the noise" in cut.stderr


def test_json_tells_why_there_is_no_number(folder: Path) -> None:
    result = run("scan.nxs", "bad.bin", "--method", "tga_steps", "--json")
    kinds = [json.loads(line)["error"]["kind"] for line in result.stdout.splitlines()]
    assert kinds == ["cannot_describe", "unknown_format"]


@pytest.mark.parametrize("wrong", ["low", "=3", "entry=x"])
def test_a_wrong_setting_is_a_wrong_usage(folder: Path, wrong: str) -> None:
    result = run("scan.nxs", "--set", wrong)
    assert result.exit_code == 2
    assert wrong.partition("=")[0] in result.output


def test_a_damaged_standard_form_is_told(folder: Path) -> None:
    whole = (folder / "scan.nxs").read_bytes()
    (folder / "cut.nxs").write_bytes(whole[: len(whole) // 2])
    result = run("cut.nxs", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["kind"] in ("unreadable", "unknown_format", "damaged")
