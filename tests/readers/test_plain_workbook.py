"""Workbooks of no known program: if these fail, a column of a laboratory's Excel file loses its name or its unit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers.small_workbook import workbook

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import ReadError
from zairyo.readers.invariants import check
from zairyo.readers.plain_workbook import READER

SHEETS: dict[str, list[list[object]]] = {
    "Run 1": [
        ["Sample", "PI 634k"],
        ["Temperature", -35, ""],
        [],
        ["w", "G'", "G''", "remark"],
        ["[rad/s]", "[Pa]", "[Pa]", ""],
        [0.1, 144.0, 3702.0, "first"],
        [1.0, 4.3e4, 2.2e4, ""],
        [10.0, 1.0e5, "", "bad"],
        [100.0, 2.0e5, 9.0e4, ""],
        [],
        [1.0, 2.0],
    ],
    "Notes": [["made by", "Tanaka"]],
    "温度": [["時間 (s)", "温度 (oC)"], [0, 25.0], [60, 30.5], [120, 36.0]],
    "No headings": [[1, 2], [3, 4], [5, 6]],
}


def read(path: Path) -> Measurement:
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "plain_workbook"
    return check(m, READER)


def test_each_sheets_table(tmp_path: Path) -> None:
    m = read(workbook(tmp_path / "a.xlsx", SHEETS))
    first, second, third = m.entries
    assert [(s.name, s.unit, s.long_name) for s in first.signals[:3]] == [
        ("w", "rad/s", "w"),
        ("g", "Pa", "G'"),
        ("g_2", "Pa", "G''"),
    ]
    np.testing.assert_array_equal(first["g_2"].values, [3702, 2.2e4, np.nan, 9e4])
    assert list(first["remark"].values) == ["first", "", "bad", ""]
    assert (first.x, first.default, first.title) == ("w", "g", "Run 1")
    assert first.original_metadata["head"] == "Sample\tPI 634k\nTemperature\t-35"
    assert [(s.long_name, s.unit) for s in second.signals] == [("時間", "s"), ("温度", "degC")]
    assert [s.long_name for s in third.signals] == ["column 1", "column 2"]
    assert m.original_metadata["Notes"] == "made by\tTanaka"
    assert any("1 rows with numbers below row 9" in w for w in m.warnings)


def test_a_workbook_without_a_table_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no sheet with a table of numbers"):
        registry.read(workbook(tmp_path / "a.xlsx", {"Notes": [["a", 1], ["b", 2]]}))
