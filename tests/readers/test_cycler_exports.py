"""Exports of further cyclers, made here from public descriptions: a user would lose signs, hours or decimal commas."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants, registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
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

NEWARE = """DataPoint,Cycle Index,Step Index,Step Type,Time,Total Time,Current(mA),Voltage(V),Chg. Cap.(mAh),\
DChg. Spec. Cap.(mAh/g),Date,Contact resistance(mO),T1(℃)
1,1,1,Rest,00:00:00,23:59:58,0.0,3.5,0.0,0.0,2023-01-02 23:59:58,0.5,25.5
2,1,2,CC Chg,00:00:01.5,1d 00:00:00,1.5,3.75,0.25,0.5,2023-01-03 00:00:00,0.5,26.5
"""
CHINESE = (
    NEWARE.replace(
        "DataPoint,Cycle Index,Step Index,Step Type,Time,Total Time",
        "数据序号,循环号,工步号,工步类型,时间,总时间",
    )
    .replace("Current(mA),Voltage(V),Chg. Cap.(mAh)", "电流(mA),电压(V),充电容量(mAh)")
    .replace("DChg. Spec. Cap.(mAh/g),Date,Contact resistance", "放电比容量(mAh/g),绝对时间,接触电阻")
    .replace("Rest", "搁置")
    .replace("CC Chg", "恒流充电")
)
DECIMAL_COMMAS = "\n".join(
    line if k == 0 else line.replace(".", ",") for k, line in enumerate(NEWARE.replace(",", ";").split("\n"))
)

BDF = (
    "Test Time / s,Voltage / V,Current / A,Unix Time / s,Cycle Count / 1,Step Index / 1,Ambient Temperature / degC,"
    "Charging Capacity / Ah,Surface Temperature T1 / degC\n"
    "0,3,0.25,1700000000,1,2,25,0,26\n1,3.5,0.25,1700000001,1,2,25,0.5,26\n"
)


def read(path: Path) -> Measurement:
    return registry.read(path)


@pytest.mark.parametrize(
    ("delimiter", "decimal", "encoding"),
    [
        (",", ".", "utf-8"),
        (";", ".", "utf-8"),
        (";", ",", "cp1252"),
        ("\t", ",", "utf-16"),
        ("\t", ".", "utf-8-sig"),
    ],
)
def test_novonix(tmp_path: Path, delimiter: str, decimal: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(NOVONIX.replace(",", delimiter).replace(".", decimal), encoding=encoding)
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


@pytest.mark.parametrize("first", ["43861.4166666667", "1580464800", "01/31/2020 10:00:00"])
def test_arbin_dates_that_other_programs_made_numbers(tmp_path: Path, first: str) -> None:
    rows = f"0,{first},1,1,0.5,3.5,0.25\n"
    headings = "Test_Time(s),Date_Time,Cycle_Index,Step_Index,Current(A),Voltage(V),Aux_dT/dt_1(C/s)\n"
    path = tmp_path / "a.csv"
    path.write_text(headings + rows)
    entry = read(path)[0]
    assert entry.started is not None
    assert abs(entry.started - datetime(2020, 1, 31, 10)).total_seconds() < 0.01
    assert entry["aux_dt_dt_1"].unit == "K/s", "no coulombs, no counts"


def test_arbin_with_semicolons(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Test_Time(s);Cycle_Index;Current(A);Voltage(V)\n0,5;1;0,25;3,5\n1,5;1;0,25;3,75\n")
    assert read(path)[0]["voltage"].values.tolist() == [3.5, 3.75]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (NEWARE, "utf-8"),
        (NEWARE, "utf-8-sig"),
        (NEWARE, "utf-16"),
        (NEWARE.replace(",", "\t"), "utf-8"),
        (DECIMAL_COMMAS, "utf-8"),
        (
            "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in NEWARE.strip().split("\n")),
            "utf-8",
        ),
        (NEWARE.replace("DataPoint,Cycle Index,Step Index", "Record number,Cycle ID,Step ID"), "utf-8"),
        (NEWARE.replace("2023-01-02", "1/2/2023").replace("2023-01-03", "1/3/2023"), "utf-8"),
        (CHINESE, "gb18030"),
        (CHINESE.replace("(", "（").replace(")", "）"), "utf-8-sig"),
    ],
)
def test_neware_records_in_every_guise(tmp_path: Path, text: str, encoding: str) -> None:
    """Other versions and languages of BTSDA, or a table that went through a spreadsheet."""
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    measurement = read(path)
    assert measurement.source is not None
    assert measurement.source.reader == "neware_csv"
    entry = measurement[0]
    assert entry["time"].values.tolist() == [86398, 86400]
    assert entry["step_time"].values.tolist() == [0, 1.5]
    assert entry["step_type"].values.tolist() == ["rest", "cc_charge"]
    assert (entry["current"].unit, entry["current"].values.tolist()) == ("mA", [0, 1.5])
    assert entry["voltage"].values.tolist() == [3.5, 3.75]
    assert (entry["cycle"].values.dtype.kind, entry["cycle"].values.tolist()) == ("i", [1, 1])
    assert entry.started == datetime(2023, 1, 2, 23, 59, 58)
    if "Spec. Cap" in text or "比容量" in text:
        assert entry["specific_discharge_capacity"].unit == "mAh/g"
        assert entry["charge_capacity"].values.tolist() == [0, 0.25]
    assert (entry["temperature"].unit, entry["contact_resistance"].unit) == ("degC", "mohm")


def test_files_cut_off_or_damaged_are_refused_or_read(tmp_path: Path) -> None:
    for reader, text in zip(READERS, (NOVONIX, BASYTEC, ARBIN, BDF, NEWARE), strict=True):
        whole = text.encode()
        broken_files.cut(reader, whole, tmp_path / "cut.csv")
        broken_files.damage(reader, whole, tmp_path / "broken.csv", turns=150)
        (tmp_path / "a.csv").write_bytes(whole.rsplit(b"\n", 2)[0] + b"\n1")
        with pytest.raises(ReadError, match="cut off"):
            invariants.check(reader.read(RawInput(tmp_path / "a.csv")), reader)


def test_real_files_of_others_are_not_taken(instruments: Path) -> None:
    for raw in registry.inputs([instruments]):
        taken = [reader.name for reader in READERS if reader.sniff(raw) != NO]
        assert taken == (["neware_csv"] if raw.path.name == "neware_uio.csv" else []), raw.path


def test_arbin_without_units_in_its_headings(tmp_path: Path) -> None:
    """The published MIT–Stanford cells are such files; their voltages had no unit."""
    (tmp_path / "a.csv").write_text(
        "Data_Point,Test_Time,Step_Time,DateTime,Step_Index,Cycle_Index,Current,Voltage,Charge_Capacity,"
        "Discharge_Capacity,Internal_Resistance,Temperature\n"
        "1,0.5,0.5,1505000000.25,1,0,0,3.25,0,0,0.0625,29\n2,1.5,1.5,1505000001.25,1,0,1,3.5,0.25,0,0.0625,29\n"
    )
    entry = read(tmp_path / "a.csv")[0]
    units = {s.name: s.unit for s in entry.signals}
    assert (units["time"], units["voltage"], units["current"]) == ("s", "V", "A")
    assert (units["charge_capacity"], units["internal_resistance"], units["temperature"]) == (
        "Ah",
        "ohm",
        "degC",
    )


def test_the_battery_data_format(tmp_path: Path) -> None:
    (tmp_path / "a.bdf").write_text(BDF)
    assert max((r.sniff(RawInput(tmp_path / "a.bdf")), r.name) for r in READERS) == (CERTAIN, "bdf_csv")
    entry = read(tmp_path / "a.bdf")[0]
    assert (entry.technique, entry.x, entry.default) == ("battery_cycling", "time", "voltage")
    assert entry["charge_capacity"].values.tolist() == [0, 0.5]
    assert entry["cycle"].values.tolist() == [1, 1]
    assert entry["surface_temperature_t1"].unit == "degC"
    assert entry.started == datetime(2023, 11, 14, 22, 13, 20)


def test_the_battery_data_format_for_machines(tmp_path: Path) -> None:
    (tmp_path / "a.bdf").write_text("test_time_second,voltage_volt,current_ampere\n0,3,0.25\n1,3.5,0.25\n")
    entry = registry.read(tmp_path / "a.bdf")[0]
    assert [(s.name, s.unit) for s in entry.signals] == [("time", "s"), ("voltage", "V"), ("current", "A")]


def test_arbin_with_data_point_first_is_not_taken_for_neware(tmp_path: Path) -> None:
    """MITS 8 heads its first column ``Data Point``, as Neware does: the time and the dates were lost."""
    path = tmp_path / "a.csv"
    path.write_text(
        "Data Point,Date Time,Test Time (s),Step Time (s),Cycle Index,Step Index,Current (A),Voltage (V),dV/dt (V/s)\n"
        '1,"\t09/20/2024 08:32:34.558",30.0,30.0,1,1,0,3.5,1.9E-05\n'
        '2,"\t09/20/2024 08:33:04.559",60.0,0.1,1,2,0.5,3.6,2.7E-05\n'
    )
    measurement = registry.read(path)
    assert measurement.source is not None
    assert measurement.source.reader == "arbin_csv"
    entry = measurement[0]
    assert entry["time"].values.tolist() == [30, 60]
    assert entry["voltage_rate"].unit == "V/s"
    assert entry.started == datetime(2024, 9, 20, 8, 32, 34, 558000)


def test_basytec_columns_whose_name_is_their_unit(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(
        "~Resultfile from Basytec Battery Test System\n~Start of Test: 19.06.2023 17:56:53\n~\n"
        "~Time[s]\tt-Set[s]\tCommand\tU[V]\tI[A]\tAh[Ah]\tAh-Cyc-Charge\tAh-Step\tWh[Wh]\tWh-Step\tR-AC\n"
        "60.2\t60.2\tCharge\t3.5\t0.4\t0.1\t0.1\t0.2\t0.4\t0.5\t0\n"
        "61.2\t61.2\tCharge\t3.6\t0.4\t0.2\t0.2\t0.3\t0.5\t0.6\t0\n",
        encoding="latin-1",
    )
    entry = read(path)[0]
    units = {
        name: entry[name].unit for name in ("ah_cyc_charge", "capacity", "charge_capacity", "energy", "r_ac")
    }
    assert units == {
        "ah_cyc_charge": "Ah", "capacity": "Ah", "charge_capacity": "Ah", "energy": "Wh", "r_ac": None
    }  # fmt: skip
    assert entry["set_time"].values[0] == 60.2
