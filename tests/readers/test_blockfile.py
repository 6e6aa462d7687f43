"""NanoMegas block files: what a microscopist would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.blockfile import READER

FOLDER = "blockfile"


# --- real files; patterns and steps of the scan are those of rosettasciio 0.15.0 --------------------------------


@pytest.mark.parametrize(
    ("name", "shape", "total", "largest", "first", "step"),
    [
        ("test1.blo", (3, 2, 144, 144), 5164570, 255, 17, 12.8),
        ("test2.blo", (2, 3, 5, 5), 2952, 30, 20, 64.0),
    ],
)
def test_every_pattern_at_its_place(
    instruments: Path, name: str, shape: tuple[int, ...], total: int, largest: int, first: int, step: float
) -> None:
    src = RawInput(instruments / FOLDER / name)
    assert READER.sniff(src) == CERTAIN
    m = READER.read(src)
    e = m["patterns"]
    assert (e.technique, e.signal.axes) == ("stem_4d", ("y", "x", "angle_y", "angle_x"))
    assert e.signal.values.shape == shape
    assert (e.signal.values.sum(), e.signal.values.max(), e.signal.values.flat[0]) == (total, largest, first)
    assert (e["x"].values[1], e["x"].unit) == (step, "nm")
    # 0.016061676839 cm a pixel on the screen, 200 mm away
    assert e["angle_x"].values[1] == pytest.approx(0.16061676839061997 / 200 * 1000)
    assert e.conditions["accelerating_voltage"] == Quantity(200.0, "kV")
    assert e.conditions["camera_length"] == Quantity(200.0, "mm")
    assert e.conditions["scan_rotation"] == Quantity(25.0, "deg")
    assert str(e.started).startswith("2015-12-01 15:4")
    assert "Camera gamma : on" in e.original_metadata["Note"]
    assert m["virtual_bright_field"].signal.values.shape == shape[:2]


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / FOLDER / "test2.blo").read_bytes()
    assert not broken_files.cut(READER, data, tmp_path / "a.blo")
    broken_files.damage(READER, data, tmp_path / "a.blo", within=250)
    (tmp_path / "a.blo").write_bytes(data[:-1])
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(tmp_path / "a.blo"))


def test_without_calibration_there_are_pixels(instruments: Path, tmp_path: Path) -> None:
    data = bytearray((instruments / FOLDER / "test2.blo").read_bytes())
    data[30:46] = np.array([np.nan, 0.0]).tobytes()
    data[46:64] = bytes(18)
    (tmp_path / "a.blo").write_bytes(data)
    e = READER.read(RawInput(tmp_path / "a.blo"))[0]
    assert {a.unit for a in e.axes} == {"pixel"}
    assert e.started is None
    assert "accelerating_voltage" not in e.conditions


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.blo").write_bytes(b"IMGBLOB")
    assert READER.sniff(RawInput(tmp_path / "a.blo")) == NO
