"""Hokuto Denko's CSV: battery tests of many Japanese laboratories, whose headings are in Shift-JIS."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.hokuto import READERS
from zairyo.readers.invariants import check

SD8, HZ = READERS
TABLE = """ファイル名,LCO-12.sd8
測定開始日時,2024/05/06 07:08:09

"時間","電圧","電流","電力","Ah(Step)","Ah/g(Step)","Wh(Step)","Wh/g(Step)","Ah(Total)","温度","サイクル","ステップ","モード"
"sec","V","mA","mW","mAh","mAh/g","mWh","mWh/g","mAh","℃","","",""
0,3.5,1.5,5.25,0,0,0,0,0,25.1,1,1,"充電"
3600,3.6,1.5,5.4,1.5,150,5.3,530,1.5,25.2,1,1,"充電"
3660,3.55,0,0,0,0,0,0,1.5,25.2,1,2,"休止"
7260,3.0,1.5,4.5,1.25,125,4.1,410,1.5,25.3,1,3,"放電"
"""
PHASES = """《測定ファイルヘッダ》
,測定,CDC 充放電測定
《測定フェイズヘッダ》
,種別,自然電位測定
,開始時間,2024-05-06 07:08:09
《測定データ》
,時間,電位
1,0.0,3.05
2,1.0,3.06
《測定フェイズヘッダ》
,種別,本測定
,開始時間,2024-05-06 08:00:00
《測定データ》
番号,時間,電位,電流,温度,+Q,-Q,ΣQ,状態
1,0.0,3.1,0.001,25.0,0,0,0,充電
2,3600,3.6,0.001,25.0,3.6,0,3.6,充電
3,3700,3.5,-0.001,25.0,3.6,-0.1,3.5,放電
《解析データヘッダ》
,x,1
"""


def save(folder: Path, text: str, encoding: str = "cp932") -> Path:
    path = folder / "made.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return path


def read(path: Path, reader: int) -> Measurement:
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == READERS[reader].name
    return check(m, READERS[reader])


@pytest.mark.parametrize("encoding", ["cp932", "utf-8-sig", "utf-16"])
def test_sd8(tmp_path: Path, encoding: str) -> None:
    m = read(save(tmp_path, TABLE, encoding), 0)
    (entry,) = m
    assert entry.technique == "battery_cycling"
    assert entry["time"].values.tolist() == [0, 3600, 3660, 7260]
    assert (entry["voltage"].unit, entry["current"].unit) == ("V", "mA")
    assert entry["current"].values.tolist() == [1.5, 1.5, 0, -1.5]  # the discharge is told by its word
    assert entry["step_type"].values.tolist() == ["charge", "charge", "rest", "discharge"]
    assert entry["charge_capacity"].values.tolist() == [0, 1.5, 0, 0]
    assert entry["specific_discharge_capacity"].values.tolist() == [0, 0, 0, 125]
    assert (entry["specific_capacity"].unit, entry["temperature"].unit) == ("mAh/g", "degC")
    assert entry["cycle"].values.dtype.kind == "i"
    assert entry.started == datetime(2024, 5, 6, 7, 8, 9)
    assert m.warnings == ()


def test_units_that_are_not_told_are_not_guessed(tmp_path: Path) -> None:
    lines = TABLE.split("\n")
    m = read(save(tmp_path, "\n".join([*lines[:4], *lines[5:]])), 0)
    assert m[0]["voltage"].unit is None
    assert "no line of units" in m.warnings[0]


def test_hz7000_phases_are_entries(tmp_path: Path) -> None:
    m = read(save(tmp_path, PHASES), 1)
    rest, cycle = m
    assert (rest.technique, rest["voltage"].values.tolist()) == ("open_circuit_potential", [3.05, 3.06])
    assert rest.started == datetime(2024, 5, 6, 7, 8, 9)
    assert (cycle.technique, cycle["current"].unit) == ("battery_cycling", "A")
    assert cycle["charge_capacity"].values.tolist() == [0, 3.6, 3.6]
    assert cycle["discharge_capacity"].values.tolist() == [0, 0, 0.1]
    assert cycle["charge_capacity"].unit == "C"
    assert cycle["step_type"].values.tolist() == ["charge", "charge", "discharge"]
    assert m.warnings == ()


def test_an_interrupted_run_of_hz7000_is_told(tmp_path: Path) -> None:
    m = read(save(tmp_path, PHASES[: PHASES.index("《解析")]), 1)
    assert len(m.entries) == 2
    assert "may be missing" in m.warnings[0]


def test_cut_off_damaged_and_other_tables(tmp_path: Path) -> None:
    for reader, text in ((SD8, TABLE), (HZ, PHASES)):
        cut(reader, text.encode("cp932"), tmp_path / "cut.csv")
        damage(reader, text.encode("cp932"), tmp_path / "broken.csv", turns=100)
    for reader, text, said in (
        (SD8, TABLE[: TABLE.index("7260") + 9], "cut off"),
        (HZ, PHASES[: PHASES.index("《測定データ》")], "no records"),
    ):
        path = save(tmp_path, text)
        assert reader.sniff(RawInput(path)) == CERTAIN
        with pytest.raises(ReadError, match=said):
            reader.read(RawInput(path))
    for reader in READERS:
        assert reader.sniff(RawInput(save(tmp_path, "時間,電圧\n1,2\n"))) == NO
