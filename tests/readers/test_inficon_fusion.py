"""Inficon Micro GC Fusion: what a chromatographer would lose if traces or peaks were misread."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.inficon_fusion import READER
from zairyo.readers.invariants import check


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


@pytest.mark.parametrize(
    ("name", "points", "sums", "peaks"),
    [
        ("198", 6500, (-11160683.0, 97583967.0), 22),
        ("213", 6500, (-6346347.0, 115683.0), 9),
        ("249", 500, (-824262.0, -84653.0), 0),
    ],
)
def test_real_numbers(
    instruments: Path, name: str, points: int, sums: tuple[float, float], peaks: int
) -> None:
    m = read(instruments / f"inficon-fusion/issue_{name}.fusion-data")  # sums are those of yadg 7.0.1
    assert m["modulea_tcd"].signal.values.sum() == sums[0]
    assert m["moduleb_tcd"].signal.values.sum() == sums[1]
    assert m[0]["time"].values[[1, -1]].tolist() == pytest.approx([0.02, (points - 1) / 50])
    assert m[0]["time"].unit == "s"
    assert len(m.entries) == (3 if peaks else 2)
    if peaks:
        assert m["peaks"]["retention_time"].values.size == peaks


def test_peaks_are_where_their_trace_is_high(instruments: Path) -> None:
    m = read(instruments / "inficon-fusion/issue_213.fusion-data")
    table = m["peaks"]
    hydrogen = table["compound"].values.tolist().index("H2")
    assert table["detector"].values[hydrogen] == "moduleA:tcd"
    at = int(table["retention_time"].values[hydrogen] * 50)
    trace = m["modulea_tcd"].signal.values
    assert trace[at] == pytest.approx(trace[at - 100 : at + 100].max(), rel=0.02)
    told = {k: str(q) for k, q in m[0].conditions.items()}
    assert told == {
        "method": "ArAr_NH3_v01", "software_version": "1.8.4", "instrument_serial": "70264220", "valve_position": "9",
        "sampling_rate": "50 Hz", "detector": "TCD", "carrier_gas": "argon", "column": "W02",
        "column_temperature": "70 degC",
    }  # fmt: skip
    assert str(m.started) == "2025-06-13 01:48:17.281000+00:00"
    assert m.sample == "tomato test blank 02"


def test_archive_of_several_runs(instruments: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "runs.zip", "w") as z:
        for name in ("213", "249"):
            z.write(instruments / f"inficon-fusion/issue_{name}.fusion-data", f"runs/{name}.fusion-data")
    m = read(tmp_path / "runs.zip")
    assert [e.name for e in m.entries] == [
        "_213_modulea_tcd", "_213_moduleb_tcd", "_213_peaks", "_249_modulea_tcd", "_249_moduleb_tcd",
    ]  # fmt: skip


RUN: dict[str, Any] = {
    "runTimeStamp": "2024-01-02T03:04:05Z",
    "methodLocation": "/m",
    "detectors": {"a:tcd": {"nValuesPerSecond": 2, "nValuesExpected": 3, "values": [1, 2, 3]}},
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"values": []}, "no detector has values"),
        ({"values": [1, "x"]}, "not all numbers"),
        ({"values": [[1], [2]]}, "not all numbers"),
        ({"nValuesPerSecond": 0}, "has values, or none a second"),
        ({"nValuesPerSecond": None}, "has values, or none a second"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    path = tmp_path / "a.fusion-data"
    path.write_text(json.dumps({**RUN, "detectors": {"a:tcd": {**RUN["detectors"]["a:tcd"], **changed}}}))
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(path))


def test_stopped_runs_and_nothing_beside_the_trace(tmp_path: Path) -> None:
    path = tmp_path / "a.fusion-data"
    path.write_text(
        json.dumps({**RUN, "detectors": {"a:tcd": {**RUN["detectors"]["a:tcd"], "nValuesExpected": 9}}})
    )
    m = read(path)
    assert m[0].signal.values.tolist() == [1, 2, 3]
    assert "3 of 9" in m.warnings[0]


def test_a_module_that_is_off_costs_the_others_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.fusion-data"
    detectors = {**RUN["detectors"], "b:tcd": {"nValuesPerSecond": 2, "values": []}}
    path.write_text(json.dumps({**RUN, "detectors": detectors}))
    m = read(path)
    assert [e.name for e in m.entries] == ["a_tcd"]
    assert "b:tcd has no values" in m.warnings[0]


def test_damage(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / "inficon-fusion/issue_249.fusion-data").read_bytes()
    assert cut(READER, data, tmp_path / "a.fusion-data") == []
    damage(READER, data, tmp_path / "a.fusion-data", turns=100)


def test_others_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"detectors": {}}')
    assert READER.sniff(RawInput(tmp_path / "a.json")) == NO
