"""Bruker's text of RAW4 files: a user would take the hour for seconds a step, or -9999 for a count."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.bruker_raw_txt import READER
from zairyo.readers.invariants import check

TEXT = """;RAW4.00
[RawHeader]
Date=06/17/2026
Time=12:11:21
[VarInfo]
Type=USER
Value=Lab Manager
[VarInfo]
Type=SAMPLEID
Value=TiO2 №1
[HardwareConfiguration]
Anode=Cu
Alpha1=1.5406
[RangeHeader]
ScanType=Locked Coupled
Start=3
Increment=0.0204724
Steps=3
Time=192
GeneratorVoltage=40
GeneratorCurrent=30
[Data]
     Angle,       PSD,
         3,      2875,
   3.02047,      2791,
   3.04094,      2790,
"""


def reads(text: str, folder: Path) -> Measurement:
    path = folder / "made.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    src = RawInput(path)
    assert READER.sniff(src) == CERTAIN
    assert registry.find(src) is READER
    return check(READER.read(src), READER)


def test_a_date_in_an_unknown_form_is_told(tmp_path: Path) -> None:
    m = reads(TEXT.replace("06/17/2026", "17/06/2026"), tmp_path)
    assert m[0].started is None
    assert any("17/06/2026" in warning for warning in m.warnings)


def test_points_and_conditions(tmp_path: Path) -> None:
    m = reads(TEXT, tmp_path)
    (e,) = m
    assert (m.sample, m.operator, m.started) == ("TiO2 №1", "Lab Manager", datetime(2026, 6, 17, 12, 11, 21))
    assert e["two_theta"].values.tolist() == [3, 3.02047, 3.04094]
    assert (e.signal.unit, e.signal.values.tolist()) == ("counts", [2875, 2791, 2790])
    assert e.conditions["time_per_step"] == Quantity(192.0, "s")
    assert e.conditions["wavelength"] == Quantity(1.5406, "angstrom")
    assert e.conditions["xray_tube_voltage"] == Quantity(40.0, "kV")
    assert e.conditions["scan_axis"] == Quantity("two_theta/theta")
    assert m.warnings == ()


def test_several_ranges(tmp_path: Path) -> None:
    second = TEXT[TEXT.index("[RangeHeader]") :].replace("Locked Coupled", "Rocking Curve")
    m = reads(TEXT + second, tmp_path)
    assert [e.signal.axes for e in m] == [("two_theta",), ("omega",)]


def test_what_was_not_measured_is_empty(tmp_path: Path) -> None:
    m = reads(TEXT.replace("2791", "-9999"), tmp_path)
    assert np.isnan(m[0].signal.values[1])
    assert "1 points were not measured" in m.warnings[0]


def test_what_is_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="2 are there"):
        reads(TEXT[: TEXT.index("   3.04094")], tmp_path)
    with pytest.raises(ReadError, match="ends before"):
        reads(TEXT[: TEXT.index("[Data]")], tmp_path)
    assert "last point may be cut off" in reads(TEXT[:-4], tmp_path).warnings[0]


def test_a_measurement_that_was_stopped_keeps_its_points(tmp_path: Path) -> None:
    """``.dql`` is what DIFFRAC leaves of one: its points are right, only fewer than planned."""
    stopped = TEXT.replace("[RawHeader]", "[RawHeader]\nFurtherDQLReading=0", 1)
    m = reads(stopped[: stopped.index("   3.04094")], tmp_path)
    assert m[0].signal.values.shape == (2,)
    assert "2 are there; it was stopped" in m.warnings[0]


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    data = TEXT.encode()
    cut(READER, data, tmp_path / "cut", parts=60)
    damage(READER, data, tmp_path / "damaged", turns=200, within=len(data))
