"""The command's front door: help at once, and a word on what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import zairyo
from zairyo import cli as front


def test_help_lists_every_command_without_importing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front.importlib, "import_module", None)
    result = CliRunner().invoke(front.cli, ["--help"])
    assert result.exit_code == 0
    for name in ("translate", "formats", "serve", "work", "agent", "admin", "demo"):
        assert f"\n  {name} " in result.output


def test_version() -> None:
    result = CliRunner().invoke(front.cli, ["--version"])
    assert result.output == f"zairyo, version {zairyo.__version__}\n"


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("zairyo.cli.nowhere:command", "this installation has no `zairyo serve`"),
        ("no_such_lib:x", "needs no_such_lib"),
    ],
)
def test_missing_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, module: str, said: str
) -> None:
    monkeypatch.setitem(front.COMMANDS, "serve", (module, "…"))
    result = CliRunner().invoke(front.cli, ["serve"])
    assert result.exit_code == 1
    assert said in result.output


def test_mistyped_command_is_an_error() -> None:
    assert CliRunner().invoke(front.cli, ["transalte"]).exit_code == 2


def test_formats_as_json_lists_every_reader() -> None:
    result = CliRunner().invoke(front.cli, ["formats", "--json"])
    assert result.exit_code == 0
    listed = {r["name"]: r for r in json.loads(result.stdout)}
    assert listed["panalytical_xrdml"]["vendor"] == "Malvern PANalytical"
    assert listed["panalytical_xrdml"]["techniques"] == ["xrd"]
    assert ".xrdml" in listed["panalytical_xrdml"]["endings"]


def test_formats_for_people_are_by_technique() -> None:
    result = CliRunner().invoke(front.cli, ["formats"])
    titles = [line for line in result.output.splitlines() if not line.startswith(" ")]
    assert titles[0] == "X-ray diffraction"
    assert "Raman spectroscopy" in titles


def test_public_names_are_there() -> None:
    for name in set(zairyo.__all__) - {"connect"}:
        assert getattr(zairyo, name) is not None
    assert set(zairyo.__all__) <= set(dir(zairyo))
    with pytest.raises(AttributeError, match="nothing"):
        zairyo.nothing  # noqa: B018


def test_read_and_write_round_trip(tmp_path: Path) -> None:
    (tmp_path / "scan.xye").write_text("1 10 3\n2 20 4\n")
    m = zairyo.read(tmp_path / "scan.xye")
    zairyo.write(m, tmp_path / "scan.nxs")
    assert zairyo.read(tmp_path / "scan.nxs") == m
    with pytest.raises(zairyo.ReadError):
        zairyo.read(tmp_path / "scan.xye", reader="nonsense")
