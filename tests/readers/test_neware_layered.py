"""Layered Neware exports: a user would lose which cycle and step a record belongs to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.neware_layered import READER

NAME = "nw_regular_export_ife_example.csv"


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def test_a_real_export(instruments: Path) -> None:
    """The tester's own sums of each cycle, in the same file, must be those of its records."""
    source = instruments / "neware-csv" / NAME
    assert READER.sniff(RawInput(source)) == CERTAIN
    measurement = read(source)
    entry, cycles, steps = measurement["cycling"], measurement["cycles"], measurement["steps"]
    assert len(entry["index"].values) == 9295
    assert entry["index"].values.tolist() == list(range(1, 9296))
    assert entry.started == datetime(2026, 3, 6, 12, 37, 25)
    assert entry["time"].values[-1] == 27 * 3600 + 55 * 60 + 43
    assert entry["timestamp"].values[-1] == np.datetime64("2026-03-07T16:33:03")
    assert (len(cycles["cycle"].values), len(steps["step"].values)) == (20, 81)
    assert np.unique(entry["step_index"].values).tolist() == [1, 2, 3, 4, 5]  # the schedule's, in a loop
    assert steps["step"].values.tolist() == list(range(1, 82))
    assert (cycles.x, cycles.default) == ("cycle", "discharge_capacity")
    for way in ("charge", "discharge"):
        amount, number = entry[f"{way}_capacity"].values, entry["cycle"].values
        step = entry["step"].values
        sums = [
            sum(amount[step == s].max() for s in np.unique(step[number == c])) for c in cycles["cycle"].values
        ]
        np.testing.assert_allclose(sums, cycles[f"{way}_capacity"].values, atol=2e-5)
    assert entry["step_type"].values[[0, 11]].tolist() == ["rest", "cc_charge"]
    assert steps["step_type"].values[:2].tolist() == ["rest", "cc_charge"]
    assert entry["current"].unit == "A"
    assert entry["temperature"].unit is None
    assert any("lost the units" in w for w in measurement.warnings)


HEAD = (
    "循环序号,充电容量(mAh)\n,工步序号,工步类型,工步时间\n"
    ",,记录序号,时间,总时间,电流(mA),电压(V),容量(mAh),温度(℃)\n"
)


@pytest.mark.parametrize("mark", [",", "\t"])
def test_a_chinese_export_with_cycles_on_lines_of_their_own(tmp_path: Path, mark: str) -> None:
    rows = (
        "1,0.5\n,1,恒流充电,0:00:10\n,,1,0:00:00,0:00:00,5,3.5,0,25\n,,2,0:00:10,0:00:10,5,3.6,0.5,25\n"
        "2,0\n,2,恒流放电,0:00:05\n,,3,0:00:05,1d 00:00:15,-5,3.4,0.2,25\n"
    )
    path = tmp_path / "a.csv"
    path.write_bytes((HEAD + rows).replace(",", mark).encode("gb18030"))
    assert READER.sniff(RawInput(path)) == CERTAIN
    entry = read(path)["cycling"]
    assert entry["cycle"].values.tolist() == [1, 1, 2]
    assert entry["step_type"].values.tolist() == ["cc_charge", "cc_charge", "cc_discharge"]
    assert entry["charge_capacity"].values.tolist() == [0, 0.5, 0]
    assert entry["discharge_capacity"].values.tolist() == [0, 0, 0.2]
    assert entry["time"].values.tolist() == [0, 10, 86415]


def test_records_before_any_cycle_are_kept_without_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + ",,1,0:00:00,0:00:00,5,3.5,0,25\n", encoding="utf-8")
    entry = read(path)["cycling"]
    assert entry["voltage"].values.tolist() == [3.5]
    assert "cycle" not in {s.name for s in entry.signals}


def test_dates_that_are_none_are_kept_as_written(tmp_path: Path) -> None:
    head = HEAD.replace("温度(℃)", "绝对时间")
    for date, started in (("2024-03-05 10:00:00", True), ("day one", False), ("0000-03-05 10:00:00", False)):
        path = tmp_path / "a.csv"
        path.write_text(
            f"{head}1,0.5\n,1,恒流充电,0:00:10\n,,1,0:00:00,0:00:00,5,3.5,0,{date}\n", encoding="utf-8"
        )
        entry = read(path)["cycling"]
        assert (entry.started is not None) == started
        assert entry["voltage"].values.tolist() == [3.5]
        assert "timestamp" in {s.name for s in entry.signals}


def test_files_cut_off_or_damaged_are_refused_or_read(instruments: Path, tmp_path: Path) -> None:
    whole = (instruments / "neware-csv" / NAME).read_bytes()
    (tmp_path / "a.csv").write_bytes(whole[:700_030])
    with pytest.raises(ReadError, match=r"line \d+ has"):
        read(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_bytes(whole[:300])
    with pytest.raises(ReadError):
        read(tmp_path / "b.csv")
    broken_files.cut(READER, whole[:20_000], tmp_path / "cut.csv")
    broken_files.damage(READER, whole[:20_000], tmp_path / "broken.csv", turns=100)


def test_the_flat_export_is_not_taken(instruments: Path) -> None:
    assert READER.sniff(RawInput(instruments / "neware-csv" / "neware_uio.csv")) == NO


def test_one_long_text_does_not_fill_the_memory(tmp_path: Path) -> None:
    # As an array of text, each cell would be as long as the longest.
    rows = "".join(f",,{k},0:00:0{k % 10},0:00:10,5,3.5,0,word\n" for k in range(3000))
    path = tmp_path / "a.csv"
    path.write_text(
        f"{HEAD}1,0.5\n,1,恒流充电,0:00:10\n{rows},,9,0:00:00,0:00:10,5,3.5,0,{'x' * 5_000_000}\n", "utf-8"
    )
    entry = read(path)["cycling"]
    assert sum(s.values.nbytes for s in entry.signals) < 400_000_000
    assert entry["column"].values[0] == "word"


QUOTED = """Cycle ID,"\tCap_Chg(mAh)","\tCharge Time(h:min:s.ms)","\t"
,"\tStep ID","\tStep Name","\tStep Time(h:min:s.ms)","\tRaw Step ID","\t",,,
,,"\tRecord ID","\tTime(h:min:s.ms)","\tVoltage(V)","\tCurrent(mA)","\tCapacity Density(mAh/g)","\tRealtime","\t",,
1,"\t1941.2","\t1:33:21.000","\t"
,"\t1","\tRest","\t0:00:10.000","\t1","\t",,,
,,"\t1","\t0:00:00.000","\t3.5047","\t0.0","\t0.0","\t02/21/2020 10:32:49","\t",,
,"\t2","\tCC_Chg","\t1:33:21.000","\t2","\t",,,
,,"\t2","\t0:00:00.000","\t3.5283","\t1247.7","\t0.0","\t02/21/2020 10:32:59","\t",,
,,"\t3","\t0:00:10.000","\t3.5388","\t1247.7","\t3465.8","\t02/21/2020 10:33:09","\t",,
"""


def test_an_older_export_has_tabs_within_quotes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(QUOTED)
    assert READER.sniff(RawInput(path)) == CERTAIN
    entry, cycles, steps = read(path)
    assert entry["voltage"].values.tolist() == [3.5047, 3.5283, 3.5388]
    assert entry["current"].unit == "mA"
    assert entry["time"].values.tolist() == [0, 10, 20]  # out of the dates
    assert entry["step_type"].values.tolist() == ["rest", "cc_charge", "cc_charge"]
    assert entry["cycle"].values.tolist() == [1, 1, 1]
    assert cycles["charge_capacity"].values.tolist() == [1941.2]
    assert steps["step_index"].values.tolist() == [1, 2]


def test_dates_that_may_be_either_are_left_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(QUOTED.replace("02/21/2020", "02/03/2020"))
    measurement = read(path)
    assert measurement[0].started is None
    assert measurement[0]["timestamp"].values[0] == "02/03/2020 10:32:49"
    assert "'02/03/2020 10:32:49' is not known" in measurement.warnings[0]
