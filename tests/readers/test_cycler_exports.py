"""Exports of further cyclers, made here from public descriptions: a user would lose signs, hours or decimal commas."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants, registry
from zairyo.readers._api import NO, RawInput, ReadError
from zairyo.readers.cycler_exports import READERS

NOVONIX = """[Summary]
Novonix UHPC
Started: 2023-06-14 5:22:45 PM
Protocol: C20 formation
[End Summary]
[Data]
Date and Time,Cycle Number,Step Type,Run Time (h),Step Time (h),Current (A),Potential (V),Capacity (Ah),\
Temperature (°C),Step Number
2023-06-14 5:22:45 PM,1,7,0.0,0.0,0.2,3.0,0.0,25.0,1
2023-06-14 5:22:55 PM,1,8,0.0027778,0.0,-0.3,2.5,0.1,25.1,2
"""
BASYTEC = """~Resultfile from Basytec Battery Test System
~Start of Test: 14.11.2022 10:40:01
~Name of Test: C5 cycles
~
~Time[h] DataSet DateTime t-Step[h] Line Command U[V] I[A] Ah-Step[Ah] T1[°C] Cyc-Count State
0.0 1 14.11.2022 10:40:01 0.0 1 Pause 3.4 0.0 0.0 25.5 1 1
0.5 2 14.11.2022 11:10:01 0.5 2 Discharge 3.5 -0.2 -0.1 26.5 1 1
"""
ARBIN = """Data_Point,Date_Time,Test_Time(s),Step_Time(s),Cycle_Index,Step_Index,Current(A),Voltage(V),\
Charge_Capacity(Ah),Aux_Temperature_1(C)
1,01/31/2023 10:00:00,0.5,0.5,1,2,1.5,3.5,0.0,25.0
2,01/31/2023 10:00:10,10.5,10.5,1,2,1.5,3.6,0.1,25.5
"""


def read(path: Path) -> Measurement:
    return registry.read(path)


def test_novonix(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(NOVONIX, encoding="utf-8")
    measurement = read(path)
    entry = measurement[0]
    assert (entry["time"].unit, entry["voltage"].values.tolist()) == ("h", [3.0, 2.5])
    assert entry["discharge_capacity"].values.tolist() == [0, 0.1]
    assert entry["step_code"].values.tolist() == [7, 8]
    assert entry["temperature"].unit == "degC"
    assert entry.started == datetime(2023, 6, 14, 17, 22, 45)
    assert entry["timestamp"].values[1] == np.datetime64("2023-06-14T17:22:55")
    assert entry.conditions["test_protocol"].value == "C20 formation"
    assert measurement.warnings == ()


@pytest.mark.parametrize("style", ["blanks", "tabs", "decimal commas"])
def test_basytec(tmp_path: Path, style: str) -> None:
    head, _, body = BASYTEC.partition("~Time")
    body = "~Time" + body
    if style != "blanks":
        body = body.replace("2022 1", "2022@1").replace(" ", "\t").replace("@", " ")
    if style == "decimal commas":
        names, _, rows = body.partition("\n")
        rows = rows.replace("14.11.2022", "14@11@2022").replace(".", ",").replace("@", ".")
        body = f"{names}\n{rows}"
    path = tmp_path / "a.txt"
    path.write_bytes((head + body).encode("latin-1"))
    measurement = read(path)
    entry = measurement[0]
    assert entry["time"].values.tolist() == [0, 0.5]
    assert entry["voltage"].values.tolist() == [3.4, 3.5]
    assert entry["step_type"].values.tolist() == ["rest", "discharge"]
    assert entry["discharge_capacity"].values.tolist() == [0, 0.1]
    assert entry["timestamp"].values[1] == np.datetime64("2022-11-14T11:10:01")
    assert entry.started == datetime(2022, 11, 14, 10, 40, 1)
    assert entry["temperature"].values.tolist() == [25.5, 26.5]


def test_arbin(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ARBIN)
    entry = read(path)[0]
    assert entry["time"].values.tolist() == [0.5, 10.5]
    assert entry["charge_capacity"].unit == "Ah"
    assert entry["temperature"].unit == "degC"
    assert entry.started == datetime(2023, 1, 31, 10)


def test_files_cut_off_or_damaged_are_refused_or_read(tmp_path: Path) -> None:
    for reader, text in zip(READERS, (NOVONIX, BASYTEC, ARBIN), strict=True):
        whole = text.encode()
        broken_files.cut(reader, whole, tmp_path / "cut.csv")
        broken_files.damage(reader, whole, tmp_path / "broken.csv", turns=150)
        (tmp_path / "a.csv").write_bytes(whole.rsplit(b"\n", 2)[0] + b"\n1")
        with pytest.raises(ReadError, match="cut off"):
            invariants.check(reader.read(RawInput(tmp_path / "a.csv")), reader)


def test_real_files_of_others_are_not_taken(instruments: Path) -> None:
    for raw in registry.inputs([instruments]):
        assert all(reader.sniff(raw) == NO for reader in READERS), raw.path
