"""Indentation workbooks: a user would lose tests, or take the greatest double for a hardness."""

from __future__ import annotations

import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from tests.readers.small_workbook import MAIN, workbook

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import LIKELY, NO, RawInput, ReadError
from zairyo.readers.nanoindent_xls import READER


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


NOTHING = 1.7976931348623157e308
POINTS: list[list[object]] = [
    ["Segment", "Displacement Into Surface", "Load On Sample", "Time On Sample", "Hardness"],
    ["", "nm", "mN", "s", "GPa"],
    ["Load Segment Type", 0.0, 0.0, 0.0, NOTHING],
    ["", 10.0, 0.5, 0.2, 9.5],
    ["Hold Segment Type", 11.0, 0.5, 0.4, NOTHING],
    ["END", "", "", "", ""],
]


def test_real_workbook(instruments: Path) -> None:
    # pandas 3 (xlrd 2) agrees.
    source = RawInput(instruments / "mts-nanoindent-xls" / "Example.xls")
    assert READER.sniff(source) == LIKELY
    m = read(source.path)
    assert [e.name for e in m.entries] == ["test_001", "test_002"]
    golden = {"test_001": (1211, 69319.35274306392, 608633.902843106, 339.88),
              "test_002": (1220, 69311.6157134901, 604832.5072522039, 341.88)}  # fmt: skip
    for name, (count, force, depth, end) in golden.items():
        entry = m[name]
        assert len(entry["time"].values) == count
        assert entry["force"].values.sum() == pytest.approx(force, rel=1e-12)
        assert entry["depth"].values.sum() == pytest.approx(depth, rel=1e-12)
        assert entry["time"].values[-1] == pytest.approx(end)
        assert (entry.x, entry.default) == ("depth", "force")
        assert [entry[n].unit for n in ("depth", "force", "time", "contact_stiffness", "hardness", "modulus")] == [
            "nm", "mN", "s", "N/m", "GPa", "GPa"]  # fmt: skip
    first = m["test_001"]
    assert np.nanmax(first["hardness"].values) < 100, "the greatest double means that there is no value"
    assert first["segment"].values[500] == "Load Segment Type"
    assert first.conditions["poisson_ratio"].value == 0.18
    assert str(first.conditions["strain_rate"]) == "0.05 1/s"
    assert str(first.conditions["hardness"]) == "9.784 GPa"
    assert m.original_metadata["Results"]["Mean"]["E Average Over Defined Range"] == 75.25


def test_an_xlsx_of_newer_software(tmp_path: Path) -> None:
    inputs: list[list[object]] = [["Test", "Depth Limit", "Tip Name"], ["", "nm", ""], [7, 300.0, "TB1"]]
    path = workbook(
        tmp_path / "a.xlsx", {"Required Inputs": inputs, "Test 7": POINTS, "Test 7 Tagged": POINTS[:1]}
    )
    assert READER.sniff(RawInput(path)) == LIKELY
    (entry,) = read(path).entries
    assert entry["depth"].values.tolist() == [0, 10, 11]
    assert entry["hardness"].values[1] == 9.5
    assert np.isnan(entry["hardness"].values[[0, 2]]).all()
    assert entry["segment"].values.tolist() == ["Load Segment Type", "Load Segment Type", "Hold Segment Type"]
    assert str(entry.conditions["depth_limit"]) == "300 nm"
    assert entry.conditions["tip"].value == "TB1"


def test_the_machines_own_force_and_clock_are_not_the_contacts(tmp_path: Path) -> None:
    """Keysight writes ``Force`` and ``Time`` before what was corrected for the surface."""
    points: list[list[object]] = [
        ["Segment", "Time", "Force", "Force On Surface", "Displacement Into Surface", "Time in Contact"],
        ["", "s", "mN", "mN", "nm", "s"],
        ["Load Segment Type", 100.0, 9.0, 0.0, 0.0, 0.0],
        ["", 101.0, 9.5, 0.5, 100.0, 1.0],
        ["END", "", "", "", "", ""],
    ]
    (entry,) = read(workbook(tmp_path / "a.xlsx", {"Test 1": points})).entries
    assert entry["force"].values.tolist() == [0, 0.5]
    assert entry["time"].values.tolist() == [0, 1]
    assert entry["raw_force"].values.tolist() == [9, 9.5]
    assert entry["test_time"].values.tolist() == [100, 101]


def test_channels_in_capitals(tmp_path: Path) -> None:
    points: list[list[object]] = [["", "DEPTH", "LOAD", "TIME", "STIFFNESS"], ["", "nm", "mN", "s", "N/m"],
                                  ["", 0.0, 0.0, 0.0, 1.0], ["", 10.0, 0.5, 0.2, 2.0]]  # fmt: skip
    inputs: list[list[object]] = [["Test", "Depth Limit"], ["", "nm"], [1, 300.0]]
    path = workbook(tmp_path / "a.xlsx", {"Required Inputs": inputs, "Test 1": points})
    assert READER.sniff(RawInput(path)) == LIKELY
    (entry,) = read(path).entries
    assert (entry["depth"].values.tolist(), entry["force"].values.tolist()) == ([0, 10], [0, 0.5])
    assert entry["contact_stiffness"].unit == "N/m"


def test_a_sheet_without_points_costs_that_sheet(tmp_path: Path) -> None:
    m = read(workbook(tmp_path / "a.xlsx", {"Test 1": POINTS, "Test 2": POINTS[:2]}))
    assert [e.name for e in m.entries] == ["test_001"]
    assert "Test 2" in m.warnings[0]
    with pytest.raises(ReadError, match="no sheet"):
        read(workbook(tmp_path / "b.xlsx", {"Test 2": POINTS[:2], "Sheet1": POINTS}))


def test_two_cells_far_apart_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"Test 1": POINTS})
    with zipfile.ZipFile(path, "a") as z:
        cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        z.writestr(
            "xl/worksheets/sheet2.xml",
            f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>',
        )
    with pytest.raises(ReadError, match="more than is read"):
        read(path)


def test_an_older_workbook_that_asks_for_terabytes_is_refused(instruments: Path, tmp_path: Path) -> None:
    whole = bytearray((instruments / "mts-nanoindent-xls" / "Example.xls").read_bytes())
    at = whole.index(struct.pack("<HH", 0x0200, 14))  # what the first sheet says of its size
    whole[at + 8 : at + 12] = b"\xff\xff\xff\x7f"
    (tmp_path / "a.xls").write_bytes(bytes(whole))
    with pytest.raises(ReadError, match="more than is read"):
        read(tmp_path / "a.xls")
    number = struct.pack("<HHHH", 0x0203, 14, 2, 1)  # a cell moved to the farthest corner
    whole = bytearray((instruments / "mts-nanoindent-xls" / "Example.xls").read_bytes())
    at = whole.index(number)
    whole[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    (tmp_path / "a.xls").write_bytes(bytes(whole))
    with pytest.raises(ReadError, match="65536 rows by 65536 columns"):
        read(tmp_path / "a.xls")


def test_other_workbooks_are_not_taken(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"Sheet1": [["Time", "Voltage"], [1.0, 2.0]]})
    assert READER.sniff(RawInput(path)) == NO


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    whole = (instruments / "mts-nanoindent-xls" / "Example.xls").read_bytes()
    random = np.random.default_rng(2)
    target = tmp_path / "damaged.xls"
    for end in np.linspace(0, len(whole) - 1, 12).astype(int):
        target.write_bytes(whole[:end])
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)
    for turn in range(30):
        bad = bytearray(whole)
        for at in random.integers(0, len(bad) if turn % 2 else 20_000, 8):
            bad[at] = random.integers(256)
        if turn % 10 == 9:
            bad[600:] = random.bytes(len(bad) - 600)
        target.write_bytes(bytes(bad))
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)
