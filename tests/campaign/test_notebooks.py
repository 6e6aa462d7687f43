"""The example notebooks run as they are, in an empty folder."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "examples" / "notebooks").glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What people copy from first must work."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runpy.run_path(str(path))
    said = capsys.readouterr().out
    assert "experiments made" in said
    assert list(tmp_path.glob("*.jsonl"))


def test_all_are_there() -> None:
    assert {path.stem for path in NOTEBOOKS} == {"electrolyte", "magnet", "polymer"}
