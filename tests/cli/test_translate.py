"""`zairyo translate`: one result an input, an exit status to rely on, and nobody's file overwritten."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from zairyo.cli import cli
from zairyo.measurement import nexus

SCAN = "1 10 3\n2 20 4\n3 30 5\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "scan.xye").write_text(SCAN)
    (tmp_path / "bad.bin").write_bytes(b"\x01\x02nobody knows this")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["translate", *arguments], catch_exceptions=False)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_says_what_a_program_needs(folder: Path) -> None:
    result = run("scan.xye", "--json", "-o", "out")
    assert result.exit_code == 0, result.output
    (line,) = lines(result)
    assert list(line) == [
        "path",
        "reader",
        "reader_version",
        "technique",
        "entries",
        "signals",
        "warnings",
        "output",
        "seconds",
    ]
    assert (line["path"], line["reader"], line["technique"]) == ("scan.xye", "xrd_xye", "xrd")
    assert line["entries"] == ["data"]
    assert line["signals"] == [{"entry": "data", "name": "intensity", "unit": None, "shape": [3]}]
    assert Path(line["output"]) == Path("out/scan.xye.nxs")
    assert nexus.read(line["output"]).technique == "xrd"


def test_one_bad_file_does_not_stop_the_rest_but_shows_in_the_status(folder: Path) -> None:
    result = run("bad.bin", "missing.txt", "scan.xye", "--json")
    assert result.exit_code == 1
    bad, missing, good = lines(result)
    assert set(bad) == {"path", "error"}
    assert (bad["error"]["kind"], missing["error"]["kind"]) == ("unknown_format", "unreadable")
    assert "binary data" in bad["error"]["message"]
    assert good["output"] == "scan.xye.nxs"


def test_people_are_told_in_words(folder: Path) -> None:
    result = run("bad.bin", "scan.xye")
    assert result.exit_code == 1
    assert "✓ scan.xye → scan.xye.nxs" in result.stdout
    assert "✗ bad.bin: no reader recognises" in result.stderr
    assert "1 of 2 translated" in result.stderr


def test_folder_is_walked_and_equal_names_are_numbered(folder: Path) -> None:
    for name in ("a/scan.xye", "b/scan.xye", "b/.hidden.xye"):
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SCAN if "a/" in name else SCAN.replace("10", "11"))
    result = run("data", "--json", "-o", "out")
    assert result.exit_code == 0
    outputs = [Path(line["output"]).name for line in lines(result)]
    assert outputs == ["scan.xye.nxs", "scan.xye-2.nxs"]
    assert nexus.read("out/scan.xye-2.nxs")[0].signal.values[0] == 11


def test_running_again_changes_nothing_and_does_not_read_its_own_results(folder: Path) -> None:
    (folder / "bad.bin").unlink()
    assert run(".", "--json").exit_code == 0
    before = (folder / "scan.xye.nxs").read_bytes()
    result = run(".", "--json")
    assert result.exit_code == 0
    assert [line["path"] for line in lines(result)] == ["scan.xye"]
    assert (folder / "scan.xye.nxs").read_bytes() == before


def test_another_file_in_the_way_is_kept_unless_forced(folder: Path) -> None:
    (folder / "scan.xye.nxs").write_text("mine")
    result = run("scan.xye", "--json")
    assert result.exit_code == 1
    assert lines(result)[0]["error"]["kind"] == "exists"
    assert (folder / "scan.xye.nxs").read_text() == "mine"
    assert run("scan.xye", "--force").exit_code == 0
    assert nexus.read("scan.xye.nxs").technique == "xrd"
    assert sorted(p.name for p in folder.iterdir()) == ["bad.bin", "scan.xye", "scan.xye.nxs"]


def test_reader_can_be_named(folder: Path) -> None:
    (line,) = lines(run("scan.xye", "--json", "--reader", "plain_table"))
    assert (line["reader"], line["technique"]) == ("plain_table", "unspecified")
    (line,) = lines(run("scan.xye", "--json", "--reader", "nonsense", "-o", "x"))
    assert "nonsense" in line["error"]["message"]


def test_nothing_to_translate_is_an_error(folder: Path) -> None:
    (folder / "empty").mkdir()
    result = run("empty")
    assert result.exit_code == 1
    assert "no file" in result.stderr


def test_output_that_is_a_file_is_told(folder: Path) -> None:
    result = run("scan.xye", "-o", "bad.bin/x")
    assert result.exit_code == 1
    assert "bad.bin" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for k in range(2000):
        (tmp_path / f"{k}.xye").write_text(SCAN)
    process = subprocess.Popen(
        [sys.executable, "-m", "zairyo", "translate", str(tmp_path), "-o", str(out), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that put the tests into the background has told them, and so their children, to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert json.loads(first)["output"]
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in said
    assert not [p.name for p in out.iterdir() if p.name.startswith(".")]
