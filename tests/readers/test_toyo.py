"""TOYO's files, which no public archive holds: made here from public descriptions of the format.

A Japanese laboratory would lose its whole archive of battery tests, or take discharges for charges.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants, registry
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.toyo import READERS

EXPORT, RECORDS = READERS
HEAD = [
    r",試験名,D:\TOYO\DAT\NMC-12,,,,開始日時,2026-01-02 03:04:05",
    ",測定備考,半電池",
    ",重量[mg],1.250",
]
TABLE = [
    "サイクル,モード,状態,電圧,電気量",
    "72ch,72ch,72ch,72ch,72ch",
    "-,-,-,-,-",
    "[],[],[],[V],[mAh/g]",
    "1,1,充電,3.5000,0.000000",
    "1,1,充電,3.6000,100.500000",
    "1,1,充電休止,3.5500,0.000000",
    "1,1,放電,3.4000,0.000000",
    "1,1,放電,3.0000,98.250000",
]
JAPANESE = "日付,時刻,経過時間[Sec],電圧[V],電流[mA],,,,,,,状態,ﾓｰﾄﾞ,ｻｲｸﾙ,総ｻｲｸﾙ"
ENGLISH = (
    "Date,Time,PassTime[Sec],Voltage[V],Current[mA],,,Temp1[Deg],,,,Condition,Mode,Cycle,TotlCycle,Temp1[Deg]"
)


def read(path: Path, reader: int = 0) -> Measurement:
    return invariants.check(READERS[reader].read(RawInput(path)), READERS[reader])


def written(path: Path, lines: list[str], encoding: str = "cp932") -> Path:
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path


def record_file(path: Path, rows: list[str], headings: str = JAPANESE, encoding: str = "cp932") -> Path:
    return written(path, ["0,0,1,0,0,0,0", "", "", headings, *rows], encoding)


FIRST = [
    "2025/01/31,23:00:00,00000000,+3.5000,2.000000,,,,,,,1, 1,  1,     1",
    "2025/01/31,23:30:00,00001800,+3.5500,2.000000,,,,,,,1, 1,  1,     1",
    "2025/02/01,00:00:00,00003600,+3.6000,1.000000,,,,,,,1, 1,  1,     1",
]
SECOND = [
    "2025/02/01,00:10:00,00000000,+3.5000,2.000000,,,,,,,2, 1,  2,     2",
    "2025/02/01,00:40:00,00001800,+3.3000,2.000000,,,,,,,2, 1,  2,     2",
    "2025/02/01,00:50:00,00000600,+3.3500,0.000000,,,,,,,0, 1,  2,     2",
    "2025/02/01,00:50:00,00000000,+3.3500,0.000000,,,,,,,9, 1,  2,     2",
]


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
def test_the_continuous_export(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "連続データ.csv", [*HEAD, *TABLE], encoding)
    assert EXPORT.sniff(RawInput(path)) == CERTAIN
    measurement = read(path)
    entry = measurement[0]
    assert (entry.x, entry.default) == ("specific_capacity", "voltage")
    assert entry["voltage"].values.tolist() == [3.5, 3.6, 3.55, 3.4, 3.0]
    assert entry["specific_capacity"].unit == "mAh/g"
    assert entry["specific_charge_capacity"].values.tolist() == [0, 100.5, 0, 0, 0]
    assert entry["specific_discharge_capacity"].values.tolist() == [0, 0, 0, 0, 98.25]
    assert entry["step_type"].values.tolist() == [
        "charge",
        "charge",
        "rest_after_charge",
        "discharge",
        "discharge",
    ]
    assert entry["cycle"].values.dtype.kind == "i"
    assert str(entry.conditions["active_mass"]) == "1.25 mg"
    assert entry.conditions["channel"].value == "72ch"
    assert entry.conditions["comment"].value == "半電池"
    assert entry.started == datetime(2026, 1, 2, 3, 4, 5)
    assert measurement.title == "NMC-12"
    assert measurement.warnings == ()


def test_a_line_of_header_more_or_less_and_more_columns(tmp_path: Path) -> None:
    names = "サイクル,モード,状態,経過時間[Sec],電圧[V],電流[mA],電気量[mAh],温度[℃]"
    rows = ["1,1,充電,0,3.5,1.5,0,25.5", "1,1,放電,10,3.4,1.5,0.004,25.6"]
    for head in ([], HEAD[:2], [*HEAD, ",備考2,-"]):
        entry = read(written(tmp_path / "a.csv", [*head, names, *rows]))[0]
        assert entry["current"].values.tolist() == [1.5, -1.5]
        assert entry["step_time"].values.tolist() == [0, 10]
        assert (entry["temperature"].unit, entry["capacity"].unit) == ("degC", "mAh")
        assert entry["discharge_capacity"].values.tolist() == [0, 0.004]


def test_channels_side_by_side_are_entries(tmp_path: Path) -> None:
    lines = [
        *HEAD,
        ",".join([TABLE[0]] * 2),
        "1ch,1ch,1ch,1ch,1ch,2ch,2ch,2ch,2ch,2ch",
        ",".join([TABLE[2]] * 2),
        ",".join([TABLE[3]] * 2),
        "1,1,充電,3.5,0,1,1,放電,2.5,7",
        "1,1,充電,3.6,1,1,1,放電,2.4,8",
    ]
    measurement = read(written(tmp_path / "a.csv", lines))
    assert [e.name for e in measurement] == ["cycling_1", "cycling_2"]
    assert measurement["cycling_2"]["voltage"].values.tolist() == [2.5, 2.4]
    assert measurement["cycling_2"]["specific_discharge_capacity"].values.tolist() == [7, 8]


@pytest.mark.parametrize(
    ("delimiter", "decimal", "encoding", "quote"),
    [("\t", ".", "cp932", ""), ("\t", ".", "utf-16", ""), (";", ",", "utf-8", ""), ("\t", ",", "cp932", ""),
     (",", ".", "cp932", '"')],
)  # fmt: skip
def test_the_export_as_other_programs_save_it(
    tmp_path: Path, delimiter: str, decimal: str, encoding: str, quote: str
) -> None:
    """Excel saves it again as text between tabs or as "Unicode text"; the whole test would be passed over."""
    lines = [
        delimiter.join(f"{quote}{c.replace('.', decimal)}{quote}" if c else "" for c in line.split(","))
        for line in (*HEAD[:2], ",重量[mg],1", *TABLE)
    ]
    path = written(tmp_path / "連続データ.txt", lines, encoding)
    measurement = registry.read(path)
    assert measurement.source is not None
    assert measurement.source.reader == "toyo_csv"
    assert measurement[0]["voltage"].values.tolist() == [3.5, 3.6, 3.55, 3.4, 3.0]
    assert measurement[0]["specific_discharge_capacity"].values.tolist() == [0, 0, 0, 0, 98.25]
    assert str(measurement[0].conditions["active_mass"]) == "1 mg"
    assert measurement.warnings == ()


def test_the_mass_is_in_the_pattern_beside_it(tmp_path: Path) -> None:
    written(tmp_path / "連続データ.csv", [*HEAD[:2], *TABLE])
    written(tmp_path / "a.PTN", [f"{' 1田中'.ljust(42)}2 00.000358       00.000358Cell"])
    together = ("連続データ.csv", "a.PTN")
    assert EXPORT.sets is not None
    assert list(EXPORT.sets(("a.PTN", "b.csv", "連続データ.csv"))) == [together]
    assert not list(EXPORT.sets(("000001", "a.PTN", "連続データ.csv")))
    parts = tuple(tmp_path / name for name in together)
    assert EXPORT.sniff(RawInput(parts[0], parts)) == CERTAIN
    assert (
        str(registry.read(parts[0])[0].conditions["active_mass"]) == "0.000358 g"
    )  # found from the main file, too
    measurement = registry.read(tmp_path)
    assert str(measurement[0].conditions["active_mass"]) == "0.000358 g"
    assert measurement[0]["voltage"].values.tolist() == [3.5, 3.6, 3.55, 3.4, 3.0]
    written(tmp_path / "連続データ.csv", [*HEAD, *TABLE])
    assert (
        str(registry.read(tmp_path)[0].conditions["active_mass"]) == "1.25 mg"
    )  # what the export says itself


def test_an_unknown_state_keeps_its_word(tmp_path: Path) -> None:
    lines = [line.replace("充電休止", "謎") for line in (*HEAD, *TABLE)]
    measurement = read(written(tmp_path / "a.csv", lines))
    assert measurement[0]["step_type"].values[2] == "謎"
    assert "謎" in measurement.warnings[0]


def test_one_numbered_file(tmp_path: Path) -> None:
    path = record_file(tmp_path / "000001", FIRST)
    assert RECORDS.sniff(RawInput(path)) == CERTAIN
    measurement = read(path, 1)
    entry = measurement[0]
    assert entry["time"].values.tolist() == [0, 1800, 3600]
    assert entry["voltage"].values.tolist() == [3.5, 3.55, 3.6]
    assert entry["current"].values.tolist() == [2, 2, 1]
    # 2 mA for half an hour, then falling to 1 mA in another: 1 + 0.75 mAh.
    assert entry["charge_capacity"].values.tolist() == pytest.approx([0, 1, 1.75])
    assert {s.name for s in entry.signals} >= {"cycle", "total_cycle", "step_index", "timestamp"}
    assert entry.started == datetime(2025, 1, 31, 23)
    assert "folder" in measurement.warnings[0]


def folder(path: Path) -> Path:
    path.mkdir()
    record_file(path / "000001", FIRST)
    record_file(path / "000002", SECOND)
    operator = " 1田中".ljust(42)
    written(path / "pattern.PTN", [f"{operator}2 00.000358       00.000358Cell"])
    written(path / "pattern_OPTION.PTN", ["[BaseCellCapacity]"])
    written(
        path / "CAPACITY.LOG",
        [
            "Date,Time,Condition,Mode,Cycle,TotlCycle,Cap[mAh],PassTime,TotlPassTime,Pow[mWh],AveVolt[V],Finish",
            "2025/02/01,00:00:00,1,1,1,1,1.75,001:00:00,001:00:00,6.2,3.55,Cur",
            "2025/02/01,00:40:00,2,1,2,2,1.00,000:30:00,001:40:00,3.4,3.40,Vol",
        ],
    )
    return path


def test_a_folder_of_numbered_files_is_one_test(tmp_path: Path) -> None:
    path = folder(tmp_path / "NMC-12")
    assert RECORDS.sniff(RawInput(path)) == LIKELY
    measurement = registry.read(path)
    assert measurement.source is not None
    assert measurement.source.reader == "toyo_records"
    entry = measurement["cycling"]
    assert entry["cycle"].values.tolist() == [1, 1, 1, 2, 2, 2, 2]
    assert entry["time"].values.tolist() == [0, 1800, 3600, 4200, 6000, 6600, 6600]
    assert entry["current"].values.tolist() == [2, 2, 1, -2, -2, 0, 0]
    assert entry["step_type"].values[[0, 3, 5, 6]].tolist() == ["charge", "discharge", "rest", "abort"]
    assert entry["discharge_capacity"].values.tolist() == pytest.approx([0, 0, 0, 0, 1, 0, 0])
    assert str(entry.conditions["active_mass"]) == "0.000358 g"
    steps = measurement["steps"]
    assert steps["capacity"].values.tolist() == [1.75, 1]
    assert steps["step_time"].values.tolist() == [3600, 1800]
    assert steps["finish"].values.tolist() == ["Cur", "Vol"]
    assert measurement.warnings == ()


def test_numbered_files_beside_other_data_are_one_input(tmp_path: Path) -> None:
    path = folder(tmp_path / "cell")
    written(path / "連続データ.csv", [*HEAD, *TABLE])
    found = [(raw.path.name, len(raw.parts)) for raw in registry.inputs([path])]
    assert ("000001", 5) in found
    assert ("連続データ.csv", 0) in found


def test_korean_machines_write_english(tmp_path: Path) -> None:
    rows = [
        "2025/02/06,22:39:00,0,4.4995,33.6,,,23.65,,,,1,1,1,1,23.65",
        "2025/02/06,22:49:06,606,4.4895,33.6,,,23.25,,,,2,1,1,1,23.25",
        "2025/02/06,22:59:06,600,4.4895,0,,,23.25,,,,3,1,1,1,23.25",
    ]
    path = record_file(tmp_path / "000001", rows, ENGLISH, "cp949")
    entry = read(path, 1)[0]
    assert entry["current"].values.tolist() == [33.6, -33.6, 0]
    assert entry["temperature"].values.tolist() == [23.65, 23.25, 23.25]
    assert entry["step_type"].values[2] == "rest"


def test_a_column_of_damaged_cells_is_kept_as_words(tmp_path: Path) -> None:
    rows = [row.replace(",2.000000,", ",x,").replace(",1.000000,", ",y,") for row in FIRST]
    entry = read(record_file(tmp_path / "000001", rows), 1)[0]
    assert entry["current"].values.tolist() == ["x", "x", "y"]
    assert "charge_capacity" not in {s.name for s in entry.signals}


def test_files_of_two_tests_are_not_joined(tmp_path: Path) -> None:
    record_file(tmp_path / "000001", FIRST)
    record_file(tmp_path / "000003", ["2025/02/06,22:39:00,0,4.4995,33.6,,,23.65,,,,1,1,1,1,23.65"], ENGLISH)
    with pytest.raises(ReadError, match="other columns"):
        read(tmp_path, 1)
    record_file(tmp_path / "000003", SECOND)
    assert "1 numbered files" in read(tmp_path, 1).warnings[0]


def test_files_cut_off_or_damaged_are_refused_or_read(tmp_path: Path) -> None:
    export = written(tmp_path / "a.csv", [*HEAD, *TABLE, *TABLE[4:] * 20]).read_bytes()
    record = record_file(tmp_path / "000001", FIRST * 20).read_bytes()
    for reader, whole in ((EXPORT, export), (RECORDS, record)):
        broken_files.cut(reader, whole, tmp_path / "000009")
        broken_files.damage(reader, whole, tmp_path / "000009", turns=150)
    with pytest.raises(ReadError, match="cut off"):
        read(written(tmp_path / "b.csv", [*HEAD, *TABLE, "1,1,充"]))
    with pytest.raises(ReadError, match="headings"):
        read(written(tmp_path / "c.csv", HEAD))


def test_other_tables_are_not_taken(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ["時間[Sec],電圧[V]", "0,1"])
    assert EXPORT.sniff(RawInput(path)) == NO
    assert RECORDS.sniff(RawInput(path)) == NO
    assert np.all([reader.sniff(RawInput(tmp_path)) == NO for reader in READERS])
