"""WSxM: what someone who measures roughness would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.wsxm import READER


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_real_numbers_of_doubles(instruments: Path) -> None:
    """Equal to AFMReader 0.0.7."""
    (entry,) = read(instruments / "wsxm-stp/sample_0.stp")
    v: Any = entry["height"].values
    assert (entry.technique, v.shape, entry["height"].unit) == ("afm", (512, 512), "nm")
    assert v[0, :3] == pytest.approx([-21.80201179, -21.75220708, -21.64844727], rel=1e-9)
    assert v[-1, -1] == pytest.approx(-80.38480188954499, rel=1e-9)
    assert v.sum() == pytest.approx(-15070620.44075769, rel=1e-9)
    assert (v.max(), v.min()) == pytest.approx((-21.054941139284477, -80.79984113928448), rel=1e-9)


def test_real_numbers_of_shorts(instruments: Path) -> None:
    """The same scan as the doubles, in steps of its converter: 4.15 pm.

    AFMReader 0.0.7 moves the lowest point to 0 and cuts the range 59.7449 nm to 59 nm; the rest is the same.
    """
    (entry,) = read(instruments / "wsxm-top/sample_0.top")
    (doubles,) = read(instruments / "wsxm-stp/sample_0.stp")
    v: Any = entry["height"].values
    assert np.abs(v - doubles["height"].values).max() < 0.0042
    assert ((v - v.min()) * 59 / 59.7449).sum() == pytest.approx(6034386.429246266, rel=1e-9)
    assert entry["height"].unit == "nm"


def test_where_and_how(instruments: Path) -> None:
    m = read(instruments / "wsxm-top/sample_0.top")
    (entry,) = m
    assert entry["x"].values[[0, -1]] == pytest.approx([500 / 1024, 500 - 500 / 1024])
    assert entry["y"].values[0] > entry["y"].values[-1]  # the first row is the uppermost
    assert (entry["x"].unit, entry["y"].unit) == ("nm", "nm")
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["spring_constant"] == (21.0, "N/m")
    assert told["resonance_frequency"] == (291799.0, "Hz")
    assert told["setpoint"] == (-2.44, "V")
    assert str(entry.started) == "2021-06-18 14:12:26.398000"
    assert m.original_metadata["Head Settings"]["X Calibration"] == "290.4 Å/V"  # type: ignore[call-overload, index]


@pytest.mark.parametrize("name", ["wsxm-stp/sample_0.stp", "wsxm-top/sample_0.top"])
def test_cut_off_and_damaged(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / name).read_bytes()
    assert not cut(READER, data, tmp_path / "cut")
    damage(READER, data, tmp_path / "broken", within=3000, turns=30)


def image(values: Any, kind: str, **general: str) -> bytes:
    lines = {"Number of rows": "2", "Number of columns": "3", "Image Data Type": kind} | general
    told = "".join(f"    {k}: {v}\r\n" for k, v in lines.items())
    head = "WSxM file copyright Nanotec Electronica\r\nSxM Image file\r\nImage header size: {}\r\n\r\n[Control]\r\n\r\n"
    head += (
        "    X Amplitude: 3 µm\r\n    Y Amplitude: 20000 Å\r\n\r\n[General Info]\r\n\r\n"
        + told
        + "\r\n[Header end]\r\n"
    )
    size = len(head.format("0000").encode("latin-1"))
    return head.format(f"{size:04d}").encode("latin-1") + np.asarray(values).tobytes()


def test_current_of_a_tunnelling_microscope_there_and_back(tmp_path: Path) -> None:
    values = np.array([0, 10, 20, 30, 40, 100], "<i2")
    more = {
        "Acquisition channel": "Current",
        "Z Amplitude": "5 nA",
        "Head type": "STM",
        "X scanning direction": "Backward",
    }
    path = tmp_path / "a"
    path.write_bytes(image(values, "short", **more))
    (entry,) = read(path)
    assert (entry.technique, entry.default, entry.signal.unit) == ("stm", "current_retrace", "nA")
    assert entry.signal.values == pytest.approx(np.array([[0, 0.5, 1], [1.5, 2, 5]]))
    assert (entry["x"].unit, entry["y"].unit) == ("um", "angstrom")
    assert entry["y"].values.tolist() == [15000, 5000]


@pytest.mark.parametrize(("kind", "dtype"), [("float", "<f4"), ("double", "<f8"), ("integer", "<i4")])
def test_number_types(tmp_path: Path, kind: str, dtype: str) -> None:
    (tmp_path / "a").write_bytes(image(np.arange(6).astype(dtype), kind, **{"Z Amplitude": "10 nm"}))
    (entry,) = read(tmp_path / "a")
    assert entry.signal.values == pytest.approx(np.arange(0, 12, 2).reshape(2, 3))


def test_missing_height_range_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(image(np.arange(6).astype("<i2"), "short"))
    m = read(tmp_path / "a")
    assert "Z Amplitude" in m.warnings[0]
    assert (m[0].signal.unit, m[0].signal.values.max()) == (None, 5)


def test_matrix_as_text(tmp_path: Path) -> None:
    text = "WSxM file copyright Nanotec Electronica\nWSxM ASCII Matrix file\nX Amplitude: 3 nm\nY Amplitude: 2 nm\n"
    (tmp_path / "a").write_text(text + "Z Amplitude: 5 nm\n\n0\t1\t2\n3\t4\t5\n")
    (entry,) = read(tmp_path / "a")
    assert (entry.default, entry.signal.unit) == ("height", "nm")
    assert entry.signal.values.tolist() == [[0, 1, 2], [3, 4, 5]]
    (tmp_path / "a").write_text(text + "Z Amplitude: 5 nm\n\n0\t1\t2\n3\t4\n")
    with pytest.raises(ReadError, match="different lengths"):
        read(tmp_path / "a")


XYZ = "WSxM file copyright UAM\nWSxM ASCII XYZ file\nX[nm]\tY[nm]\tZ[{z}]\n\n"


def test_points_as_text_make_an_image_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "a.xyz"
    path.write_text(XYZ.format(z="nm") + "1\t0\t2\n0\t0\t1\n0\t3\t3\n1\t3\t4\n")
    (entry,) = read(path)
    assert entry.signal.values.tolist() == [[1, 2], [3, 4]]
    assert (entry["x"].values.tolist(), entry["y"].values.tolist()) == ([0, 1], [0, 3])
    assert (entry.signal.name, entry.signal.unit, entry["y"].unit) == ("height", "nm", "nm")
    path.write_text(XYZ.format(z="nA") + "1\t0\t2\n0\t0\t1\n0\t3\t3\n")
    (entry,) = read(path)
    assert entry["value"].values.tolist() == [2, 1, 3]  # no grid: the points as they are


@pytest.mark.parametrize("body", ["", "1\t2\n", "1\t2\t3\n1\t2\n"])
def test_points_cut_off(tmp_path: Path, body: str) -> None:
    path = tmp_path / "a.xyz"
    path.write_text(XYZ.format(z="nm") + body)
    with pytest.raises(ReadError, match="three columns"):
        read(path)


def test_curve(tmp_path: Path) -> None:
    head = "WSxM file copyright UAM\nIV curve file\nImage header size: 300\n\n[General Info]\n\n"
    head += "    Number of lines: 2\n    Number of points: 2\n"
    head += "    X axis text: V[#x]\n    X axis unit: V\n    Y axis text: Current[#y]\n"
    path = tmp_path / "a"
    path.write_text(head + "    Y axis unit: nA\n\n[Header end]\n-1 2 -1 3\n1 4 1 5\n")
    (entry,) = read(path)
    assert (entry.technique, entry.x, entry.default) == ("sts", "v", "current")
    assert [s.values.tolist() for s in entry.signals] == [[-1, 1], [2, 4], [3, 5]]
    assert [s.unit for s in entry.signals] == ["V", "nA", "nA"]
    path.write_text(head + "    Y axis unit: nA\n\n[Header end]\n-1 2 -1 3\n")
    with pytest.raises(ReadError, match="announces 2 points"):
        read(path)


def test_movies_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"WSxM file copyright UAM\r\nSxM Movie file\r\n")
    assert READER.sniff(RawInput(tmp_path / "a")) == NO
