"""DENSsolutions Impulse logs: what the user of an in-situ holder would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.dens import READER, metadata

FOLDER = "dens-impulse-csv"
NAMES = ("StubExperiment_Synchronized_data.csv", "StubExperiment_Heat_raw.csv", "StubExperiment_Metadata.log")


def test_an_experiment_with_all_its_logs(instruments: Path) -> None:
    folder = instruments / FOLDER
    assert list(READER.sets(tuple(sorted(NAMES)))) == [NAMES]  # type: ignore[misc]
    src = RawInput(folder / NAMES[0], tuple(folder / n for n in NAMES))
    assert READER.sniff(src) == CERTAIN
    m = READER.read(src)
    both, heat = m.entries
    assert (both.name, heat.name, m.sample, m.title) == (
        "synchronized_data",
        "heat_raw",
        "Gold",
        "Experiment with stub data",
    )
    assert len(both["time"].values) == 775
    assert both["time"].values[[0, -1]].tolist() == [7.787, 403.662]
    assert both["temperature_measured"].unit == "degC"
    assert both["temperature_measured"].values.sum() == pytest.approx(229095.552737)
    assert both["timestamp"].values[0] == np.datetime64("2021-08-06T13:40:26.849")
    assert both["channel_1"].long_name == "Channel#1: 28 (Nitrogen)"
    assert both["gas_fraction_measured_1"].long_name == "% Gas1 Measured: H2"
    assert both["mixvalve"].values[0] == "0; 0; 0"
    assert both["pin_measured"].unit is None
    assert heat["temperature_measured"].values.max() == pytest.approx(799.998708)
    assert both.conditions["duration"].value == pytest.approx(395.875)
    assert str(m.started) == "2021-08-06 13:40:25.811000"
    assert m.original_metadata["Live notes"].endswith("13:46:56: Live note three")
    assert m.warnings == ()


def test_one_log_alone(instruments: Path) -> None:
    src = RawInput(instruments / FOLDER / "StubExperiment_Heat_raw.csv")
    assert READER.sniff(src) == CERTAIN
    m = READER.read(src)
    assert m[0]["timestamp"].values[0] == "13:40:25.811"
    assert "Metadata.log" in m.warnings[0]
    assert READER.sniff(RawInput(instruments / FOLDER / "StubExperiment_Metadata.log")) == NO


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / FOLDER / "StubExperiment_Heat_raw.csv").read_bytes()[:4000]
    broken_files.cut(READER, data, tmp_path / "a_Heat_raw.csv")
    broken_files.damage(READER, data, tmp_path / "a_Heat_raw.csv")


def test_a_night_does_not_turn_the_clock_back(tmp_path: Path) -> None:
    (tmp_path / "n_Heat_raw.csv").write_text(
        "TimeStamp,Experiment time,Temperature Measured,Power (gizmo)\n"
        "23:59:59.500,1,20,5\n00:00:00.500,2,21,6\n12:00:01,3,22,7\n"
    )
    (tmp_path / "n_Metadata.log").write_text("Experiment date, 31-12-2022\n")
    parts = (tmp_path / "n_Heat_raw.csv", tmp_path / "n_Metadata.log")
    m = READER.read(RawInput(parts[0], parts))
    assert m[0]["timestamp"].values.astype(str).tolist() == [
        "2022-12-31T23:59:59.500",
        "2023-01-01T00:00:00.500",
        "2023-01-01T12:00:01.000",
    ]
    assert m[0]["power"].unit == "gizmo"
    assert "gizmo" in m.warnings[0]


def test_notes_over_several_lines() -> None:
    assert metadata("A, 1\nNotes, 12:00: first, with comma\n12:01: second\n") == {
        "A": "1",
        "Notes": "12:00: first, with comma\n12:01: second",
    }


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    (tmp_path / "a_Heat_raw.csv").write_text("TimeStamp,Experiment time,T\n")
    with pytest.raises(ReadError, match="no row"):
        READER.read(RawInput(tmp_path / "a_Heat_raw.csv"))
