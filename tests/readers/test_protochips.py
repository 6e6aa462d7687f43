"""Protochips logs: what the user of an in-situ holder would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.protochips import READER

FOLDER = "protochips-csv"


def read(path: Path) -> Measurement:
    src = RawInput(path)
    assert READER.sniff(src) == CERTAIN
    return READER.read(src)


# --- real files; columns are those of rosettasciio 0.15.0, which evens out the times, and drops one row of the last ---


@pytest.mark.parametrize(
    ("name", "rows", "column", "unit", "total", "operator"),
    [
        ("electrothermal", 6397, "channel_a_temperature", "degC", 1018427.1355, "user"),
        ("gas_cell", 3293, "holder_pressure", "torr", 1362213.373326624, "eric"),
        ("gas_cell_no_user", 36, "tank2_pressure", "torr", 18944.335859904 + 541.015622784, ""),
    ],
)
def test_real_logs(
    instruments: Path, name: str, rows: int, column: str, unit: str, total: float, operator: str
) -> None:
    m = read(instruments / FOLDER / f"protochips_{name}.csv")
    (e,) = m.entries
    assert (e.technique, e.x, len(e["time"].values), e["time"].unit) == ("data_log", "time", rows, "ms")
    assert "temperature" in e.default
    assert (e[column].unit, e[column].values.sum()) == (unit, pytest.approx(total))
    assert (m.operator, m.warnings) == (operator, ())


def test_settings_notes_and_start(instruments: Path) -> None:
    m = read(instruments / FOLDER / "protochips_gas_cell_no_user.csv")
    assert str(m.started) == "2016-10-17 16:59:20.391000"
    assert m[0].original_metadata["Chip type"] == "EAT-33AA"
    assert m[0]["time"].values[:2].tolist() == [210, 470]
    m = read(instruments / FOLDER / "protochips_electrothermal.csv")
    assert np.isnan(m[0]["channel_b_resistance"].values).all()
    assert m[0]["channel_b_current"].unit == "A"


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / FOLDER / "protochips_gas_cell_no_user.csv").read_bytes()
    broken_files.cut(READER, data, tmp_path / "a.csv")
    broken_files.damage(READER, data, tmp_path / "a.csv")


# --- what no real file here shows ----------------------------------------------------------------------------


def test_odd_cells_and_unknown_units_cost_only_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "Time, Notes, T Temperature\n0,Temperature units = Gizmos,1\n1,,2\n2,a, note with, commas,3\n3,,oops\n4"
    )
    m = read(tmp_path / "a.csv")
    (e,) = m.entries
    assert e["time"].values.tolist() == [1, 2, 3]
    assert e["t_temperature"].values[:2].tolist() == [2, 3]
    assert np.isnan(e["t_temperature"].values[2])
    assert e["t_temperature"].unit == "Gizmos"
    assert e.original_metadata["Notes"] == ["2: a, note with, commas"]
    assert [w for w in m.warnings if "oops" in w]
    assert [w for w in m.warnings if "Line 6" in w]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    for made, words in (
        ("Time, Notes, A\n", "no row"),
        ("Time, Notes, A\n1,,2\n1\n1,,2\n", "line 3 has 1 cells"),
    ):
        (tmp_path / "a.csv").write_text(made)
        with pytest.raises(ReadError, match=words):
            read(tmp_path / "a.csv")


def test_other_tables_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Time,Voltage\n1,2\n")
    assert READER.sniff(RawInput(tmp_path / "a.csv")) == NO
