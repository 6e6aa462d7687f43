"""Hamamatsu streak images: what a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.readers import broken_files

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.hamamatsu_img import READERS, sections

READER, TIFF = READERS

FOLDER = "hamamatsu-img"


def read(path: Path) -> Measurement:
    src = RawInput(path)
    assert READER.sniff(src) == CERTAIN
    return READER.read(src)


# --- real files; rosettasciio 0.15.0 gives the same pixels and positions, with the wavelengths the other way round ---


def test_a_streak_image_over_time_and_wavelength(instruments: Path) -> None:
    m = read(instruments / FOLDER / "operate_mode.img")
    e = m[0]
    assert (e.technique, e.signal.axes, e.signal.unit) == (
        "photoluminescence",
        ("time", "wavelength"),
        "counts",
    )
    assert e.signal.values.shape == (512, 672)
    assert (int(e.signal.values.sum(dtype=np.int64)), e.signal.values.max()) == (7061710453, 2876657)
    assert e["time"].unit == "us"
    assert e["time"].values[[0, 1, -1]] == pytest.approx([0, 0.03108082, 16.009396], rel=1e-6)
    assert e["wavelength"].values[[-1, -2, 0]] == pytest.approx([472.252, 472.33337, 526.8445], rel=1e-6)
    c = e.conditions
    assert c["exposure_time"] == Quantity(5.0, "s")
    assert c["repetitions"] == Quantity(60.0, "")
    assert c["grating"] == Quantity("300 g/mm")
    assert c["time_range"] == Quantity(20.0, "us")
    assert c["gain"] == Quantity(50.0, "")
    assert e.original_metadata["DisplayLUT"]["EntrySize"] == "9"
    assert e.original_metadata["Acquisition"]["areSource"] == "0,0,672,512"
    assert (m.instrument, str(m.started)) == ("Hamamatsu C5680", "2023-01-20 11:34:55")
    assert m.warnings == ()


def test_an_image_in_focus_mode_has_no_time(instruments: Path) -> None:
    e = read(instruments / FOLDER / "focus_mode.img")[0]
    assert e.signal.axes == ("detector_row", "wavelength")
    assert (e.signal.values.sum(), e.signal.values.max()) == (59743889, 39173)


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / FOLDER / "operate_mode.img").read_bytes()
    read_anyway = broken_files.cut(READER, data, tmp_path / "a.img")
    assert all(part == 19 for part in read_anyway)  # only the tables of positions were cut off
    broken_files.damage(READER, data, tmp_path / "a.img", turns=20, within=3400)


# --- what no real file here shows ----------------------------------------------------------------------------


def image(comment: str, pixels: np.ndarray, kind: int, tail: bytes = b"") -> bytes:
    text = f'[Application],Date="31.12.2020",Time="1:02:03"{comment}'.encode("cp1252")
    head = struct.pack("<2s6Hi", b"IM", len(text), pixels.shape[1], pixels.shape[0], 0, 0, kind, 0)
    return head.ljust(64, b"\0") + text + pixels.tobytes() + tail


def test_even_steps_and_other_depths(tmp_path: Path) -> None:
    pixels = np.arange(6, dtype="<u2").reshape(2, 3)
    scaling = '[Scaling],ScalingXType=1,ScalingXScale=0.5,ScalingXUnit="nm",'
    scaling += 'ScalingYType=1,ScalingYScale=2,ScalingYUnit="ns"'
    (tmp_path / "a.img").write_bytes(image(scaling, pixels, 2))
    m = read(tmp_path / "a.img")
    np.testing.assert_array_equal(m[0].signal.values, pixels)
    assert m[0]["wavelength"].values.tolist() == [0, 0.5, 1]
    assert (m[0]["time"].values.tolist(), m[0]["time"].unit) == ([0, 2], "ns")
    assert str(m.started) == "2020-12-31 01:02:03"
    (tmp_path / "b.img").write_bytes(image("", pixels.astype("u1"), 0))
    assert read(tmp_path / "b.img")[0].signal.axes == ("detector_row", "detector_column")


def test_a_table_that_is_not_there_costs_the_positions(tmp_path: Path) -> None:
    scaling = '[Scaling],ScalingXType=2,ScalingXUnit="nm",ScalingXScalingFile="#999999,0003"'
    (tmp_path / "a.img").write_bytes(image(scaling, np.zeros((2, 3), "u1"), 0))
    m = read(tmp_path / "a.img")
    assert m[0]["detector_column"].unit == "pixel"
    assert "not in the file" in m.warnings[0]


def tiff(path: Path, pixels: np.ndarray, scaling: str, *tables: np.ndarray) -> None:
    """As HPD-TA saves data: the comment as the description, and tables of positions behind all."""
    text = f'[Application],Date="31/12/2020",Time="1:02:03",Software="HPD-TA"\r\n{scaling}'
    tifffile.imwrite(
        path, pixels, description=text.replace("#x", "#0000000").replace("#y", "#0000000"), metadata=None
    )
    size = path.stat().st_size
    places = [size, size + tables[0].nbytes if tables else size]
    text = text.replace("#x", f"#{places[0]:07d}").replace("#y", f"#{places[1]:07d}")
    tifffile.imwrite(path, pixels, description=text, metadata=None)
    with path.open("ab") as file:
        file.writelines(table.tobytes() for table in tables)


def test_a_tiff_over_its_own_times_and_wavelengths(tmp_path: Path) -> None:
    """Any other reader of TIFF would number the pixels."""
    pixels = np.arange(6, dtype="u2").reshape(2, 3)
    scaling = '[Scaling],ScalingXType=2,ScalingXScale=1,ScalingXUnit="nm",ScalingXScalingFile="#x,0003",'
    scaling += 'ScalingYType=2,ScalingYScale=2,ScalingYUnit="ps",ScalingYScalingFile="#y,0002"'
    tiff(tmp_path / "a.tif", pixels, scaling, np.array([500, 510, 521], "<f4"), np.array([0, 2.5], "<f4"))
    assert TIFF.sniff(RawInput(tmp_path / "a.tif")) == CERTAIN
    m = registry.read(tmp_path / "a.tif")
    (entry,) = m
    np.testing.assert_array_equal(entry.signal.values, pixels)
    assert (entry["wavelength"].values.tolist(), entry["wavelength"].unit) == ([500, 510, 521], "nm")
    assert (entry["time"].values.tolist(), entry["time"].unit) == ([0, 2.5], "ps")
    assert str(m.started) == "2020-12-31 01:02:03"


def test_pictures_in_colours_are_refused_with_advice(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", np.zeros((2, 3, 3), "u1"), "[Scaling],ScalingXType=1")
    with pytest.raises(ReadError, match="save the data"):
        TIFF.read(RawInput(tmp_path / "a.tif"))


def test_packed_images_are_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "a.img").write_bytes(image("", np.zeros((2, 3), "u1"), 1))
    with pytest.raises(ReadError, match="save it in HPD-TA"):
        read(tmp_path / "a.img")


def test_sections_with_commas_brackets_and_without_line_ends() -> None:
    made = sections('[A],x=1,y="2, [3]",z=[B],q=a b\r\n[C],w="",v=5')
    assert made == {"A": {"x": "1", "y": "2, [3]", "z": ""}, "B": {"q": "a b"}, "C": {"w": "", "v": "5"}}


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.img").write_bytes(b"IM" + bytes(100))
    assert READER.sniff(RawInput(tmp_path / "a.img")) == NO
