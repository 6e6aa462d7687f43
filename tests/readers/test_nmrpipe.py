"""NMRPipe: what a spectroscopist would lose if rows, dimensions or shifts were misread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.nmrpipe import READER


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


@pytest.mark.parametrize(
    ("name", "total", "largest"),
    [("01", -107041.51 - 128261.305j, 163703.83), ("02", -147504.45 - 77391.83j, 164684.33),
     ("03", -133273.64 - 80489.25j, 165111.86)],
)  # fmt: skip
def test_real_numbers(instruments: Path, name: str, total: complex, largest: float) -> None:
    (entry,) = read(instruments / f"nmrpipe/test-run{name}.fid").entries  # equal to nmrglue 0.12
    assert entry.signal.values.shape == (1500,)
    assert complex(entry.signal.values.sum()) == pytest.approx(total, rel=1e-6)
    assert float(abs(entry.signal.values).max()) == pytest.approx(largest, rel=1e-6)
    assert entry["time"].values[1] == pytest.approx(2e-5)
    assert entry.conditions["nucleus"].value == "13C"
    assert entry.conditions["observe_frequency"].value == pytest.approx(125.681, abs=1e-3)
    assert str(entry.started) == "2010-02-18 10:48:46"


# --- made from the format's facts ---------------------------------------------------------------------------------


def pipe(rows: np.ndarray[Any, Any], order: str = "<", **places: float) -> bytes:
    head = np.zeros(512, f"{order}f4")
    head[1], head[2] = 4008636160.0, 2.345
    head[[24, 25, 26, 27]] = [2, 1, 3, 4]
    head[[119, 100, 101, 220]] = [100, 1000, -100, 1]  # F2: MHz, Hz, Hz at the last point, transformed
    head[[218, 229, 249, 222]] = [50, 500, 50, 1]  # F1
    head[[10, 11, 12, 13]] = [25, 250, 0, 1]  # F3
    for place, value in places.items():
        head[int(place[1:])] = value
    return head.tobytes() + np.ascontiguousarray(rows, f"{order}f4").tobytes()


@pytest.mark.parametrize("order", ["<", ">"])
def test_spectrum_over_shifts(tmp_path: Path, order: str) -> None:
    path = tmp_path / "a.ft"
    path.write_bytes(pipe(np.arange(4), order, _9=1, _99=4, _219=1, _106=1))
    (entry,) = read(path).entries
    assert (entry.name, entry.signal.values.tolist()) == ("spectrum", [0, 1, 2, 3])
    assert entry["chemical_shift"].values.tolist() == [6.5, 4.0, 1.5, -1.0]  # the last point is at the origin
    path.write_bytes(pipe(np.arange(8), order, _9=1, _99=4, _219=1, _106=0))
    (entry,) = read(path).entries
    assert entry["imaginary"].values.tolist() == [4, 5, 6, 7]


def test_two_dimensions(tmp_path: Path) -> None:
    path = tmp_path / "a.ft2"
    path.write_bytes(pipe(np.arange(12), _9=2, _99=4, _219=3, _106=1))
    (entry,) = read(path).entries
    assert entry.signal.values.tolist() == np.arange(12).reshape(3, 4).tolist()
    assert entry["indirect_chemical_shift"].values.tolist() == pytest.approx(
        [(50 + 500 * 2 / 3) / 50, (50 + 500 / 3) / 50, 1]
    )
    path.write_bytes(pipe(np.arange(48), _9=2, _99=4, _219=3, _106=0, _220=0, _222=0))  # both complex
    (entry,) = read(path).entries
    assert entry.signal.axes == ("increment", "time")
    assert entry.signal.values.shape == (6, 4)
    assert entry.signal.values[1].tolist() == [8 + 12j, 9 + 13j, 10 + 14j, 11 + 15j]


def test_three_dimensions_in_one_stream_and_one_plane_of_a_series(tmp_path: Path) -> None:
    path = tmp_path / "a.ft3"
    path.write_bytes(pipe(np.arange(24), _9=3, _99=4, _219=3, _15=2, _57=1, _106=1))
    (entry,) = read(path).entries
    assert entry.signal.values.shape == (2, 3, 4)
    assert entry.signal.axes == ("indirect_2_chemical_shift", "indirect_chemical_shift", "chemical_shift")
    path.write_bytes(pipe(np.arange(12), _9=3, _99=4, _219=3, _15=2, _442=2, _106=1))
    m = read(path)
    assert m[0].signal.values.shape == (3, 4)
    assert "one plane" in m.warnings[0]


def test_four_dimensions_in_one_stream(tmp_path: Path) -> None:
    """Once only the first of the cubes was read, without a word."""
    path = tmp_path / "a.ft4"
    path.write_bytes(pipe(np.arange(48), _9=4, _99=4, _219=3, _15=2, _32=2, _57=1, _106=1))
    (entry,) = read(path).entries
    assert entry.signal.values.tolist() == np.arange(48).reshape(2, 2, 3, 4).tolist()
    assert entry.signal.axes[0].startswith("indirect_3")


def test_numbers_beyond_what_is_announced_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.ft2"
    path.write_bytes(pipe(np.arange(20), _9=2, _99=4, _219=3, _106=1))
    m = read(path)
    assert m[0].signal.values.shape == (3, 4)
    assert "8 numbers more" in m.warnings[0]


@pytest.mark.parametrize(
    ("place", "value", "said"), [("_99", 5, "cut off"), ("_99", -1, "rows"), ("_9", 7, "dimensions")]
)
def test_errors_say_what_is_wrong(tmp_path: Path, place: str, value: float, said: str) -> None:
    path = tmp_path / "a.ft"
    path.write_bytes(pipe(np.arange(4), **{"_9": 1, "_99": 4, "_219": 1, "_106": 1, place: value}))
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(path))


def test_damage(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / "nmrpipe/test-run01.fid").read_bytes()
    assert cut(READER, data, tmp_path / "a.fid") == []
    damage(READER, data, tmp_path / "a.fid", within=2048)


def test_others_are_not_claimed(instruments: Path) -> None:
    assert READER.sniff(RawInput(instruments / "agilent-ftir-image/4_noimage_agg256.bsp")) == NO
