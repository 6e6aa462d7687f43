"""EDAX spectra and maps: made here by EDAX's descriptions (SPECTRUM-V70 and those of .spd and .ipr).

rosettasciio 0.15.0 reads the files that are made here alike.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.edax import READER


def read(*paths: Path) -> Measurement:
    src = RawInput(paths[0], paths if len(paths) > 1 else ())
    assert READER.sniff(src) == CERTAIN
    return READER.read(src)


def spectrum(counts: list[int]) -> bytes:
    data = bytearray(3840 + 4 * 4096)
    for at, kind, value in (
        (0, "f", 0.7),
        (28, "i", 3840),
        (32, "h", len(counts)),
        (384, "i", 10),
        (448, "f", 0.5),
        (456, "f", 12.5),
        (464, "f", 35.0),
        (472, "f", 129.0),
        (532, "f", 20.0),
        (638, "h", 2),
    ):
        struct.pack_into("<" + kind, data, at, value)
    struct.pack_into("<h6b", data, 16, 2020, 3, 2, 5, 4, 0, 6)  # 2020-02-03 04:05:06
    struct.pack_into("<2H", data, 640, 26, 8)
    data[64:70] = b"steel\0"
    data[3840 : 3840 + 4 * len(counts)] = np.array(counts, "<i4").tobytes()
    return bytes(data)


def image() -> bytes:
    data = bytearray(300)
    struct.pack_into("<H", data, 0, 334)
    struct.pack_into("<IHff", data, 58, 500, 10, 0.5, 0.25)
    return bytes(data)


def spectra(values: np.ndarray) -> bytes:
    lines, points, channels = values.shape
    head = b"MAPSPECTRA_DATA\0" + struct.pack(
        "<3i5I", 1, lines * points, points, lines, channels, values.dtype.itemsize, 1100, 3
    )
    return head.ljust(1100, b"\0") + values.tobytes()


MAP = np.arange(2 * 3 * 4, dtype="<u2").reshape(2, 3, 4)


def test_a_spectrum(tmp_path: Path) -> None:
    (tmp_path / "a.spc").write_bytes(spectrum([1, 2, 3, 70000]))
    m = read(tmp_path / "a.spc")
    (e,) = m.entries
    assert (e.signal.values.tolist(), e.signal.unit) == ([1, 2, 3, 70000], "counts")
    assert e["energy"].values == pytest.approx([0.5, 0.51, 0.52, 0.53])
    assert e["energy"].unit == "keV"
    c = e.conditions
    assert c["accelerating_voltage"] == Quantity(20.0, "kV")
    assert c["live_time"] == Quantity(12.5, "s")
    assert c["take_off_angle"] == Quantity(35.0, "deg")
    assert c["energy_resolution"] == Quantity(129.0, "eV")
    assert c["elements"] == Quantity("Fe, O")
    assert (m.title, str(m.started)) == ("steel", "2020-02-03 04:05:06")


def test_a_map_with_what_calibrates_it(tmp_path: Path) -> None:
    for name, data in (("m.spd", spectra(MAP)), ("m.spc", spectrum([9] * 4)), ("m.ipr", image())):
        (tmp_path / name).write_bytes(data)
    names = ("m.ipr", "m.spc", "m.spd", "n.spc")
    assert list(READER.sets(names)) == [("m.spd", "m.spc", "m.ipr")]  # type: ignore[misc]
    m = read(*(tmp_path / n for n in ("m.spd", "m.spc", "m.ipr")))
    e = m["map"]
    assert e.signal.axes == ("y", "x", "energy")
    np.testing.assert_array_equal(e.signal.values, MAP)
    assert e.signal.values.dtype == np.uint16
    assert (e["x"].values.tolist(), e["y"].values.tolist(), e["x"].unit) == ([0, 0.5, 1], [0, 0.25], "um")
    assert e["energy"].values[1] == pytest.approx(0.51)
    assert e.conditions["magnification"] == Quantity(500, "")
    assert m["sum_spectrum"].signal.values.tolist() == [9] * 4
    assert m.warnings == ()


def test_a_map_alone_is_in_channels_and_pixels(tmp_path: Path) -> None:
    (tmp_path / "m.spd").write_bytes(spectra(MAP))
    m = read(tmp_path / "m.spd")
    assert m[0].signal.axes == ("y", "x", "channel")
    assert m[0]["x"].unit == "pixel"
    assert ".spc and .ipr" in m.warnings[0]


def test_damaged_files(tmp_path: Path) -> None:
    for name, data in (("a.spc", spectrum([1] * 4096)), ("a.spd", spectra(MAP))):
        assert not broken_files.cut(READER, data, tmp_path / name)
        broken_files.damage(READER, data, tmp_path / name, within=700)
    data = bytearray(spectra(MAP))
    struct.pack_into("<3I", data, 24, 2**31 - 1, 2**31, 4096)
    (tmp_path / "a.spd").write_bytes(data)
    with pytest.raises(ReadError, match="GiB"):
        READER.read(RawInput(tmp_path / "a.spd"))


def test_galactic_spectra_of_the_same_ending_are_not_claimed(instruments: Path) -> None:
    for path in sorted((instruments / "spc").iterdir()):
        assert READER.sniff(RawInput(path)) == NO
