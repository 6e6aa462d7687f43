"""AFM Workshop: what someone who presses on gels would lose if the reader were wrong."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.afm_workshop import READER
from zairyo.readers.invariants import check

FOLDER = "afm-workshop"
# Signal, unit, points, first, last, sum, largest, sum of heights: equal to afmformats 0.18.7, which turns the
# sign of the heights and, told a sensitivity and spring constant of 1, calls volts newtons.
GOLDEN: dict[str, tuple[Any, ...]] = {
    "fmt-afm-workshop-fd_single_2020-02-14_13.41.25.csv": (
        ("force", "nN", 2030), (1276.4373, 1282.1253, 2819814.3873, 4240.6828), 34027787.8454,
    ),
    "fmt-afm-workshop-fd_single_2021-01-15.csv": (
        ("deflection", "V", 6738), (0.8262, 0.8257, 5830.6085, 0.8987), 36221139.1332,
    ),
    "fmt-afm-workshop-fd_mapping_16_2018-08-01_13.07.zip": (
        ("deflection", "V", 782), (0.6875, 0.6871, 595.3265, 1.2146), 10926814.3216,
    ),
}  # fmt: skip


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    (signal, unit, points), numbers, heights = GOLDEN[name]
    (entry,) = read(instruments / FOLDER / name)
    assert (entry.technique, entry.default, entry.signal.unit) == ("afm_force", signal, unit)
    v, h = (entry[n].values if entry.is_table else entry[n].values[0, 0] for n in (signal, "height_measured"))
    assert v.size == points
    assert (v[0], v[-1], v.sum(), v.max()) == pytest.approx(numbers, rel=1e-9)
    assert h.sum() == pytest.approx(heights, rel=1e-9)
    assert entry["height_measured"].unit == "nm"
    assert entry["segment"].values[[0, -1]].tolist() == ["approach", "retract"]


def test_how_and_when(instruments: Path) -> None:
    (entry,) = read(instruments / FOLDER / "fmt-afm-workshop-fd_single_2021-01-15.csv")
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["spring_constant"] == (1.0, "N/m")
    assert told["deflection_sensitivity"] == (1.0, "nm/mV")
    assert told["position_x"] == (25.0, "um")
    assert "pause_duration" not in told  # "Hold at Surface: No"
    assert str(entry.started) == "2021-01-15 13:11:45"
    (older,) = read(instruments / FOLDER / "fmt-afm-workshop-fd_single_2020-02-14_13.41.25.csv")
    assert str(older.started) == "2020-02-14 13:41:26"


def test_map_stands_where_it_was_taken(instruments: Path) -> None:
    (entry,) = read(instruments / FOLDER / "fmt-afm-workshop-fd_mapping_16_2018-08-01_13.07.zip")
    assert entry.signal.axes == ("y", "x", "point")
    assert entry.signal.values.shape == (4, 4, 782)
    assert entry["x"].values == pytest.approx([1, 7 + 1 / 3, 13 + 2 / 3, 20])
    assert entry["y"].values == pytest.approx([2, 8 + 1 / 3, 14 + 2 / 3, 21])


@pytest.mark.parametrize("name", GOLDEN)
def test_cut_off_and_damaged(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / FOLDER / name).read_bytes()
    cut(READER, data, tmp_path / "cut")
    damage(READER, data, tmp_path / "broken", within=800)


HEADER = "Force-Distance Curve\nFile Format:\t3\n\nDate:\tMonday, May 3, 2021\nTime:\t1:00:00 PM\n"
HEADER += "X, um:\t{x}\nY, um:\t{y}\n\n"
TITLES = "Extend Z-Sense(nm),Extend Force(nN),Retract Z-Sense(nm),Retract Force(nN)\n"


def curve(rows: str, x: float = 0, y: float = 0) -> str:
    return HEADER.format(x=x, y=y) + TITLES + rows


def test_segments_of_different_lengths(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(curve("1,10,3,30\n2,20,2,\n,,1,5\n"))
    (entry,) = read(tmp_path / "a")
    assert entry["height_measured"].values.tolist() == [1, 2, 3, 2, 1]
    assert str(entry["force"].values.tolist()) == "[10.0, 20.0, 30.0, nan, 5.0]"
    assert entry["segment"].values.tolist() == ["approach"] * 2 + ["retract"] * 3


def test_row_that_is_cut_off_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(curve("1,10,3,30\n2,20\n"))
    with pytest.raises(ReadError, match="line 11 of a has 2 values for 4 columns"):
        read(tmp_path / "a")


def test_map_with_a_curve_missing_is_numbered(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as z:
        for i, (x, y) in enumerate([(0, 0), (1, 0), (0, 1)]):
            z.writestr(f"{i}.csv", curve(f"1,{i},1,{i}\n" + ("2,9,2,9\n" if i == 2 else ""), x, y))
    m = read(tmp_path / "a.zip")
    (entry,) = m
    assert entry.signal.axes == ("curve", "point")
    assert entry["x"].values.tolist() == [0, 1, 0]
    assert str(entry["force"].values[1].tolist()) == "[1.0, nan, 1.0, nan]"
    assert len(m.warnings) == 2


def test_other_archives_are_not_taken(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a.csv", "time,voltage\n1,2\n")
    assert READER.sniff(RawInput(tmp_path / "a.zip")) == NO
