"""JPK's HDF5: a video of a fast scan would be mirrored, or its heights off by a scaling."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.jpk_h5 import READER

ROWS, COLUMNS, FRAMES = 2, 3, 4
RAW = np.arange(ROWS * COLUMNS * FRAMES, dtype=np.int32).reshape(ROWS * COLUMNS, FRAMES)


def made(path: Path, frames: int = FRAMES, text: bool = True) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("Measurement_000")
        grid = {"ilength": COLUMNS, "jlength": ROWS, "ulength": 3e-7, "vlength": 4e-7, "theta": 0.0}
        for key, value in grid.items():
            group.attrs["position-pattern.grid." + key] = value
        group.attrs["timing-settings.scanRate"] = 40.0
        channels = (
            ("height", "false", 1e-9, 5e-9, "m"),
            ("height", "true", 2e-9, 0.0, "m"),
            ("error", "false", 1.0, 0.0, "V"),
        )
        for n, (name, back, factor, offset, unit) in enumerate(channels):
            channel = group.create_group(f"Channel_{n:03}")
            channel.attrs["channel.name"] = name if text else name.encode()
            channel.attrs["retrace"] = back if text else back.encode()
            channel.attrs["net-encoder.scaling.multiplier"] = factor
            channel.attrs["net-encoder.scaling.offset"] = offset
            channel.attrs["net-encoder.scaling.unit.unit"] = unit
            channel.create_dataset(name.capitalize(), data=RAW[:, :frames])
    return path


def read(path: Path) -> Measurement:
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "jpk_h5"
    return check(m, READER)


@pytest.mark.parametrize("text", [True, False])
def test_a_video(tmp_path: Path, text: bool) -> None:
    (entry,) = read(made(tmp_path / "a.h5-jpk", text=text))
    assert [a.name for a in entry.axes] == ["frame", "y", "x"]
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("height", "m"),
        ("height_retrace", "m"),
        ("error", "V"),
    ]
    second = RAW[:, 1].reshape(ROWS, COLUMNS)
    np.testing.assert_allclose(entry["height"].values[1], second * 1e-9 + 5e-9)
    np.testing.assert_allclose(entry["height_retrace"].values[1], second * 2e-9)
    np.testing.assert_allclose(entry["y"].values, [1e-7, 3e-7])  # the first row is the lowest
    assert str(entry.conditions["scan_rate"]) == "40 Hz"
    assert entry.default == "height"


def test_newer_software_keeps_pictures_times_and_the_cantilever(tmp_path: Path) -> None:
    path = made(tmp_path / "a.h5-jpk")
    with h5py.File(path, "a") as file:
        group = file["Measurement_000"]
        group["Channel_000"].create_dataset("thumbnail", data=np.zeros((4, 1), np.int32))
        group.create_dataset("meta-data/start-times", data=[[1000], [1500], [2000], [2600]])
        group.attrs["start-time"] = b"2025-05-28 14:41:58.548 +0100"
        group.attrs["description.user-name"] = b"Yamada"
        group.attrs["environment.cantilever-calibration-info.spring-constant"] = "197.984 mN/m"
    m = read(path)
    assert m.operator == "Yamada"
    assert m[0].axes[0].name == "time"
    np.testing.assert_allclose(m[0]["time"].values, [0, 0.5, 1.0, 1.6])
    np.testing.assert_allclose(m[0]["height"].values[1], RAW[:, 1].reshape(ROWS, COLUMNS) * 1e-9 + 5e-9)
    assert m[0].started is not None
    assert m[0].started.isoformat() == "2025-05-28T14:41:58.548000+01:00"
    assert str(m[0].conditions["spring_constant"]) == "0.197984 N/m"


@pytest.mark.parametrize("times", [[[1], [2], [3]], [[1.0], [3.0], [2.0], [4.0]], [[b"a"]] * 4])
def test_times_that_cannot_be_are_not_taken(tmp_path: Path, times: list[list[object]]) -> None:
    path = made(tmp_path / "a.h5-jpk")
    with h5py.File(path, "a") as file:
        file.create_dataset("Measurement_000/meta-data/start-times", data=times)
    assert read(path)[0].axes[0].name == "frame"


def test_one_frame_is_an_image(tmp_path: Path) -> None:
    (entry,) = read(made(tmp_path / "a.h5-jpk", frames=1))
    assert entry["height"].values.shape == (ROWS, COLUMNS)


def test_without_scaling_numbers_are_kept_and_told(tmp_path: Path) -> None:
    path = made(tmp_path / "a.h5-jpk")
    with h5py.File(path, "a") as file:
        del file["Measurement_000/Channel_002"].attrs["net-encoder.scaling.multiplier"]
    m = read(path)
    assert m[0]["error"].unit is None
    assert "error" in m.warnings[0]


@pytest.mark.parametrize(
    ("key", "value", "said"), [("ilength", 5, "not 5 × 2"), ("jlength", 0, "how many pixels")]
)
def test_grids_that_do_not_fit_are_refused(tmp_path: Path, key: str, value: int, said: str) -> None:
    path = made(tmp_path / "a.h5-jpk")
    with h5py.File(path, "a") as file:
        file["Measurement_000"].attrs["position-pattern.grid." + key] = value
    assert READER.sniff(RawInput(path)) == CERTAIN
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(path))


def test_other_hdf5_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_group("Measurement_000").create_group("Channel_000")
    assert READER.sniff(RawInput(path)) == NO


def test_cut_off_and_damaged(tmp_path: Path) -> None:
    data = made(tmp_path / "a.h5-jpk", frames=1).read_bytes()
    cut(READER, data, tmp_path / "cut.h5-jpk")
    damage(READER, data, tmp_path / "broken.h5-jpk", turns=60)
