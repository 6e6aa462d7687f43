"""Maccor exports: a user would take a discharge for a charge, or milliamperes for amperes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.maccor_txt import READER


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path


def test_a_real_export(instruments: Path) -> None:
    """pandas.read_csv (tab, header in line 4) gives the same columns; the sign is the state's."""
    source = instruments / "maccor-txt" / "maccor_001.txt"
    assert READER.sniff(RawInput(source)) == CERTAIN
    measurement = read(source)
    entry = measurement[0]
    assert entry.started == datetime(2020, 12, 11, 12, 22, 12)
    assert len(entry["index"].values) == 6704
    assert entry["voltage"].values.sum() == pytest.approx(24942.867120000003)
    assert np.abs(entry["current"].values).sum() == pytest.approx(6286.86024)
    assert entry["time"].values[-1] == pytest.approx(2 * 86400 + 2 * 3600 + 52 * 60 + 51.57)
    assert entry["step_type"].values[[0, -1]].tolist() == ["rest", "end"]
    discharging = entry["step_type"].values == "discharge"
    assert (entry["current"].values[discharging] <= 0).all()
    assert entry["current"].values[discharging].min() < -9
    assert entry["discharge_capacity"].values.max() == pytest.approx(4.54403)
    assert entry["charge_capacity"].values.max() == pytest.approx(3.36871)
    # No sensor is connected to any of the 16 inputs.
    assert not any(signal.name.startswith("temperature") for signal in entry.signals)
    assert entry["auxiliary_16"].values[0] == pytest.approx(-2541.54663)
    assert entry["auxiliary_16"].unit == "degC"
    (warning,) = measurement.warnings
    assert "Aux #1 … Aux #16 (16 columns)" in warning
    assert entry["timestamp"].values[-1] == np.datetime64("2020-12-13T15:15:13")
    assert "VAR15" in measurement.original_metadata["columns of zeros"]


def test_a_real_export_in_minutes(instruments: Path) -> None:
    measurement = read(instruments / "maccor-txt" / "maccor_example.txt")
    entry = measurement[0]
    assert (entry["time"].unit, entry["step_time"].unit) == ("min", "min")
    assert entry["step_time"].values[13] == 0.5
    assert entry["current"].values[[5, 13]].tolist() == [0.00061, -0.00061]
    assert entry.started == datetime(2025, 1, 15, 11, 49, 32)
    assert measurement.title == "EX-1-1-a1-b2.001"


def test_a_sensor_that_falls_off_leaves_gaps_in_the_temperature(tmp_path: Path) -> None:
    """A mean over the column would be thousands of degrees off."""
    rows = "\t".join(["Rec#", "Cyc#", "Step", "TestTime", "Amps", "Volts", "State", "Aux #1", " Units"])
    start = "\t0\t1\t  0d 00:00:00.00\t0.0\t3.5\tR\t"
    path = written(
        tmp_path / "a.txt",
        "Today's Date\t03/28/2022 12:50:27 PM",
        rows,
        f"1{start}24.5\t C  ",
        f"2{start}-2501.7\t C  ",
        f"3{start}-273.0\t C  ",
    )
    measurement = read(path)
    entry = measurement[0]
    np.testing.assert_array_equal(entry["temperature"].values, [24.5, np.nan, -273.0])
    assert entry["auxiliary"].values.tolist() == [24.5, -2501.7, -273.0]
    assert "Aux #1: temperatures below absolute zero" in measurement.warnings[0]


def test_milliamperes_and_millivolts_headed_volts(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.txt",
        "Today''s Date\t03/28/2022 12:50:27 PM",
        "",
        "Date of Test:\t08/23/2021 6:04:18 PM",
        "",
        "Rec#\tCyc#\tStep\tTestTime\tStepTime\tmAmp-hr\tmWatt-hr\tmAmps\tVolts\tState\tES\tDPt Time\t",
        "1\t0\t1\t  0d 00:00:00.00\t  0d 00:00:00.00\t0.0\t0.0\t0.0\t1853.8\tR\t0\t08/23/2021 6:04:18 PM",
        "2\t0\t2\t  1d 00:01:00.50\t  0d 00:01:00.50\t0.5\t0.9\t12.5\t1850.1\tD\t1\t08/24/2021 6:05:18 PM",
    )
    measurement = read(path)
    entry = measurement[0]
    assert {n: entry[n].unit for n in ("current", "capacity", "energy", "voltage")} == {
        "current": "mA",
        "capacity": "mAh",
        "energy": "mWh",
        "voltage": "mV",
    }
    assert "mV" in measurement.warnings[0]
    assert entry["time"].values.tolist() == [0, 86460.5]
    assert entry["current"].values.tolist() == [0, -12.5]
    assert entry["discharge_capacity"].values.tolist() == [0, 0.5]
    assert entry.started == datetime(2021, 8, 23, 18, 4, 18)


def test_the_later_headings_with_units_in_brackets(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.txt",
        "Date of Test:\t13.05.2023 10:00:00\tFilename:\tx",
        "Rec\tCycle P\tCycle C\tStep\tTest Time (sec)\tStep Time (sec)\tCapacity (Ah)\tEnergy (Wh)\tCurrent (A)\t"
        "Voltage (V)\tMD\tES\tDPT Time\tTemp 1",
        "1\t1\t1\t1\t0.0\t0.0\t0.0\t0.0\t1.5\t3.6\tC\t0\t13/05/2023 10:00:00\t24.5",
        "2\t1\t1\t2\t10.0\t0.0\t0.1\t0.2\t1.5\t3.7\tD\t0\t13/05/2023 10:00:10\t24.6",
    )
    entry = read(path)[0]
    assert entry["current"].values.tolist() == [1.5, -1.5]
    assert entry["temperature"].values.tolist() == [24.5, 24.6]
    assert entry["temperature"].unit is None  # the file does not say
    assert entry["timestamp"].values[0] == np.datetime64("2023-05-13T10:00:00")
    assert entry.started == datetime(2023, 5, 13, 10)


@pytest.mark.parametrize(("mark", "decimal"), [("\t", "."), (",", "."), (";", ",")])
def test_the_newest_headings_and_their_units(tmp_path: Path, mark: str, decimal: str) -> None:
    """An unknown unit of capacity would leave a cell without capacity in the catalogue."""
    for units in (
        ("Cap. [Ah]", "Ener. [Wh]", "Ah", "Wh"),
        ("Capacity (mAHr)", "Energy (mWHr)", "mAh", "mWh"),
    ):
        rows = [
            f"Rec|Cycle P|Cycle C|Step|TestTime|StepTime|{units[0]}|{units[1]}|Current [A]|Voltage [V]|Md|ES|DPT Time",
            "1|0|0|1|0d 00:00:00|0d 00:00:00|0.0|0.0|0.5|3.5|C|0|2020-01-13 10:00:00",
            "2|1|0|2|1d 00:00:10|0d 00:00:10|0.25|0.5|0.5|3.75|D|0|2020-01-14 10:00:10",
        ]
        rows = [rows[0].replace("|", mark), *(r.replace(".", decimal).replace("|", mark) for r in rows[1:])]
        entry = read(written(tmp_path / "a.txt", "Date of Test:" + mark + "01/13/2020", *rows))[0]
        assert entry["time"].values.tolist() == [0, 86410]
        assert (entry["discharge_capacity"].unit, entry["discharge_capacity"].values.tolist()) == (
            units[2],
            [0, 0.25],
        )
        assert (entry["energy"].unit, entry["energy"].values.tolist()) == (units[3], [0, 0.5])
        assert entry["current"].values.tolist() == [0.5, -0.5]


def test_day_and_month_are_told_by_the_time_that_passed(tmp_path: Path) -> None:
    head = "Rec#,Cyc#,Step,TestTime(s),StepTime(s),Capacity(Ah),Watt-hr,Current(A),Voltage(V),State,DPt Time"
    for days, month in ((1, "dmy"), (31, "mdy")):
        path = written(
            tmp_path / f"{month}.csv",
            head,
            "1,0,1,0,0,0,0,0.5,3.6,C,01/02/2021 00:00:00",
            f"2,0,1,{days * 86400},5,0,0,0.5,3.7,C,02/02/2021 00:00:00",
        )
        measurement = read(path)
        expected = "2021-02-01" if month == "dmy" else "2021-01-02"
        assert measurement[0]["timestamp"].values[0] == np.datetime64(expected)
        assert measurement.warnings == ()


def test_day_or_month_that_nothing_tells_is_told(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "Rec#,Cyc#,Step,TestTime(s),StepTime(s),Capacity(Ah),Watt-hr,Current(A),Voltage(V),State,DPt Time",
        "1,0,1,0,0,0,0,0.5,3.6,C,01/02/2021 00:00:00",
        "2,0,1,5,5,0,0,0.5,3.7,C,01/02/2021 00:00:05",
    )
    assert READER.sniff(RawInput(path)) == LIKELY
    measurement = read(path)
    assert measurement[0]["timestamp"].values[0] == np.datetime64("2021-01-02")
    assert "month" in measurement.warnings[0]


def test_thousands_marks_and_decimal_commas(tmp_path: Path) -> None:
    head = "Rec#\tCyc#\tStep\tTestTime\tStepTime\tAmp-hr\tWatt-hr\tAmps\tVolts\tState\tDPt Time"
    marks = written(
        tmp_path / "a.txt",
        head,
        "999\t0\t1\t0d 00:00:01\t0d 00:00:01\t0.5\t0.5\t1,250.5\t3.5\tC\t1/14/2021 01:00:00",
        "1,000\t0\t1\t0d 00:00:02\t0d 00:00:02\t0.5\t0.5\t1.5\t3.5\tC\t1/14/2021 01:00:01",
    )
    entry = read(marks)[0]
    assert entry["index"].values.tolist() == [999, 1000]
    assert entry["current"].values.tolist() == [1250.5, 1.5]
    commas = written(
        tmp_path / "b.txt",
        head,
        "1\t0\t1\t0d 00:00:01\t0d 00:00:01\t0,5\t0,5\t1,25\t3,5\tC\t14.1.2021 01:00:00",
        "2\t0\t1\t0d 00:00:02\t0d 00:00:02\t0,5\t0,5\t1,5\t3,6\tC\t14.1.2021 01:00:01",
    )
    assert read(commas)[0]["voltage"].values.tolist() == [3.5, 3.6]


def test_a_row_cut_off_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.txt",
        "Rec#\tCyc#\tStep\tTestTime\tStepTime\tAmp-hr\tWatt-hr\tAmps\tVolts\tState\tDPt Time",
        "1\t0\t1\t0d 00:00:01\t0d 00:00:01\t0.5\t0.5\t1.25\t3.5\tC\t1/14/2021 01:00:00",
    )
    path.write_bytes(path.read_bytes() + b"2\t0\t1\t0d 00:00")
    with pytest.raises(ReadError, match="line 3 has 4 cells"):
        read(path)


def test_files_cut_off_or_damaged_are_refused_or_read(instruments: Path, tmp_path: Path) -> None:
    whole = (instruments / "maccor-txt" / "maccor_001.txt").read_bytes()[:60_000]
    broken_files.cut(READER, whole, tmp_path / "cut.txt")
    broken_files.damage(READER, whole, tmp_path / "broken.txt", within=2500)
    whole = (instruments / "maccor-txt" / "maccor_example.txt").read_bytes()
    broken_files.damage(READER, whole, tmp_path / "broken.txt", turns=100)


def test_other_tables_are_not_taken(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(written(tmp_path / "a.csv", "Record,Current,Voltage", "1,2,3"))) == NO


def test_units_that_no_heading_says_are_told(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "Today's Date ,28-Nov-23",
        "Date of Test:,23-Nov-23 3:56:08 PM",
        "Rec,Cycle C,Step,Test Time (sec),Step Time (sec),Capacity,Energy,Current,Voltage,DPT Time,Temp 1",
        "1,1,1,0.0,0.0,0,0,0,3.668,23-Nov-23 3:56:11 PM,22.25",
        "2,1,2,1.0,0.1,0.008,0.031,28.8,3.713,23-Nov-23 3:56:12 PM,22.25",
    )
    measurement = read(path)
    assert measurement[0]["current"].unit is None
    assert measurement.warnings == (
        "The headings do not say the units of Capacity, Energy, Current, Voltage, Temp 1; none are given.",
    )
