"""Data loggers: numbers with a blank behind their sign, values out of range, seconds that repeat."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Entry, Measurement
from zairyo.readers import registry
from zairyo.readers._api import RawInput, Reader, ReadError
from zairyo.readers.data_loggers import READERS
from zairyo.readers.invariants import check

GRAPHTEC, HIOKI, TOA5 = READERS
SEEDS = Path(__file__).parent / "seeds"
GL240 = SEEDS / "graphtec_csv/1/a.csv"
LR8400 = SEEDS / "hioki_csv/1/a.txt"
CR1000 = SEEDS / "campbell_toa5/1/a.dat"
GL980 = """Vendor;GRAPHTEC Corporation
Model;GL980
Sampling interval;100ms
Total data points;3
AMP settings
CH;Signal name;Amp;Input;Range;Filter;Span;;Unit
CH3;U_alim;M;DC;50V;Off;25;-25;V
CH4;I_s1;M;DC;50mV;Off;10;-10;A
Data
Number;Date;Time;us;CH3;CH4;Alarm
1;05/06/2026;17:01:39;0;+ 24,003;+ 5,0001;LLLL
2;05/06/2026;17:01:39;100000;+ 24,004;+++++++;LLLL
3;05/06/2026;17:01:39;200000;+ 24,005;- 5,0001;LLLL
"""


def read(path: Path, reader: Reader) -> Measurement:
    assert registry.find(RawInput(path)) is reader
    return check(reader.read(RawInput(path)), reader)


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "a.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return path


def test_a_japanese_graphtec() -> None:
    measurement = read(GL240, GRAPHTEC)
    (entry,) = measurement
    assert measurement.instrument == "Graphtec GL240"
    assert entry.started == datetime(2026, 9, 24, 9, 9, 54)
    assert entry["time"].values.tolist() == pytest.approx([0, 0.2, 0.4, 0.6])
    assert entry["ch1"].values.tolist() == [1.0, -1.01, 1.02, 1.03]
    assert entry["ch2"].long_name == "炉内温度"
    assert np.isnan(entry["ch2"].values).tolist() == [False, True, False, False]
    assert (entry["ch1"].unit, entry["ch2"].unit) == ("mV", "degC")
    assert entry.conditions["sampling_interval"].value == 0.2
    assert "'+++++++' (out of range)" in measurement.warnings[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("mark", [";", "\t", ","])
def test_a_graphtec_of_another_country(tmp_path: Path, mark: str, encoding: str) -> None:
    text = GL980.replace(",", "." if mark == "," else ",").replace(";", mark)
    measurement = read(written(tmp_path, text, encoding), GRAPHTEC)
    (entry,) = measurement
    assert entry["u_alim"].values.tolist() == [24.003, 24.004, 24.005]
    assert entry["i_s1"].values[2] == -5.0001
    assert (entry["u_alim"].unit, entry["i_s1"].unit) == ("V", "A")
    assert entry["time"].values.tolist() == pytest.approx([0, 0.1, 0.2])
    assert entry.started is None  # the fifth of June, or the sixth of May
    assert any("Whether the day or the month" in told for told in measurement.warnings)


def test_seconds_that_do_not_go_on(tmp_path: Path) -> None:
    text = GL980.replace(";100000;", ";0;").replace(";200000;", ";0;").replace("points;3", "points;4")
    measurement = read(written(tmp_path, text), GRAPHTEC)
    assert measurement.entries[0]["time"].values.tolist() == pytest.approx([0, 0.1, 0.2])
    assert any("by the sampling interval" in told for told in measurement.warnings)
    assert any("announces 4 records; the file holds 3" in told for told in measurement.warnings)


def test_a_hioki(tmp_path: Path) -> None:
    measurement = read(LR8400, HIOKI)
    (entry,) = measurement
    assert entry["ch_1_1"].values.tolist() == [1.0, 1.1]
    assert (entry["ch_1_1"].unit, entry["plate"].unit) == ("V", "degC")
    assert entry["time"].values.tolist() == [0, 0.1]
    assert entry.started is None
    assert "'24-05-13 10:11:12'" in measurement.warnings[0]
    text = LR8400.read_text().replace("'24-", "'2024-")
    assert read(written(tmp_path, text), HIOKI).started == datetime(2024, 5, 13, 10, 11, 12)


def test_a_campbell() -> None:
    measurement = read(CR1000, TOA5)
    entry: Entry = measurement.entries[0]
    assert entry.title == "83014 Table1"
    assert measurement.instrument == "Campbell Scientific CR1000"
    assert entry["time"].values.tolist() == [0, 900, 1800.25]
    assert [entry[n].long_name for n in ("airtc_avg", "rh")] == ["AirTC_Avg", "RH (Smp)"]
    assert [entry[n].unit for n in ("airtc_avg", "rh", "battv_min", "ptemp")] == [
        "degC",
        "percent",
        "V",
        None,
    ]
    assert np.isnan(entry["rh"].values).tolist() == [False, True, False]
    assert measurement.warnings == ()


def test_a_row_that_is_cut(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="line 13 has 4 cells where 7 are expected"):
        GRAPHTEC.read(RawInput(written(tmp_path, GL980[: GL980.rindex(";200000") + 7])))


@pytest.mark.parametrize(("reader", "seed"), [(GRAPHTEC, GL240), (HIOKI, LR8400), (TOA5, CR1000)])
def test_broken_files(tmp_path: Path, reader: Reader, seed: Path) -> None:
    data = seed.read_bytes()
    assert 0 not in cut(reader, data, tmp_path / "a.csv", 50)
    damage(reader, data, tmp_path / "a.csv")
