"""Workbooks: right columns from cells of any kind, and no memory for cells that are not there."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.readers.small_workbook import workbook

from zairyo.readers._api import RawInput, ReadError
from zairyo.readers._workbook import Workbook, column, mentions


def _with_cell(path: Path, cell: str) -> Path:
    """A workbook whose first row has one more cell, written so."""
    plain = workbook(path.with_suffix(".plain"), {"a": [[1.0, 2.0], [3.0, 4.0]]})
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.startswith("xl/worksheets/"):
                data = data.replace(b"</row>", cell.encode() + b"</row>", 1)
            new.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="XFD1048576"><v>1</v></c>',
        "<c r='XFD1048576'><v>1</v></c>",
        '<c s="1" r = "ZZ99999"><v>1</v></c>',
    ],
)
def test_two_cells_far_apart_take_no_memory(tmp_path: Path, cell: str) -> None:
    with pytest.raises(ReadError, match="more than is read"):
        Workbook(RawInput(_with_cell(tmp_path / "a.xlsx", cell)))


@pytest.mark.parametrize("cell", ['<c r="XFD1"><v>1</v></c>', '<c r="C900000"><v>1</v></c>', ""])
def test_long_and_wide_sheets_are_read(tmp_path: Path, cell: str) -> None:
    rows = Workbook(RawInput(_with_cell(tmp_path / "a.xlsx", cell))).rows("a")
    assert rows[0][:2] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ((1.0, 2, 3.5), [1.0, 2.0, 3.5]),
        ((1.0, "", 3.5), [1.0, np.nan, 3.5]),
        ((1.0, True, 3.5), [1.0, np.nan, 3.5]),
        (("a", "", "b"), ["a", "", "b"]),
        (("a", 1.0, "b"), ["a", "1.0", "b"]),
        (("", None, ""), None),
        (("", ""), None),
        ((), None),
    ],
)
def test_columns(cells: tuple[object, ...], expected: list[object] | None) -> None:
    found = column(cells)
    if expected is None:
        assert found is None
    else:
        np.testing.assert_array_equal(found, np.array(expected))


def test_words_of_any_script_are_sought_in_older_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "電圧".encode("utf-16-le") + b"Voltage" + "µA".encode("latin-1")
    )
    raw = RawInput(path)
    assert mentions(raw, "電圧", "Voltage", "µA")
    assert not mentions(raw, "電流")
