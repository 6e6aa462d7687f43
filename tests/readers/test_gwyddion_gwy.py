"""Gwyddion's files: what someone who keeps microscope images in them would lose if the reader were wrong."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.gwyddion_gwy import READER
from zairyo.readers.invariants import check

REAL = "gwyddion-gwy/test.gwy"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_real_numbers(instruments: Path) -> None:
    """Equal to gwyfile 0.3.0."""
    (entry,) = read(instruments / REAL)
    v: Any = entry.signal.values
    assert (v.shape, entry.signal.axes, entry.title) == ((128, 128), ("y", "x"), "Test")
    assert (v[0, 0], v[-1, -1], v.max()) == (0.0008249385446819946, 0.0007988760073870181, 0.001)
    assert v.sum() == pytest.approx(8.442623529680475, rel=1e-12)
    assert entry["x"].values[[0, -1]].tolist() == [0.5, 127.5]
    assert (entry["x"].unit, entry.signal.unit) == (None, None)


def test_cut_off_and_damaged(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / REAL).read_bytes()
    assert not cut(READER, data, tmp_path / "cut.gwy")
    damage(READER, data, tmp_path / "broken.gwy", within=400, turns=100)


# --- files of the format's own words ------------------------------------------------------------------------


def item(kind: str, **parts: Any) -> bytes:
    return serial(kind, parts)


def serial(kind: str, parts: dict[str, Any]) -> bytes:
    body = b"".join(name.encode() + b"\0" + component(value) for name, value in parts.items())
    return kind.encode() + b"\0" + struct.pack("<I", len(body)) + body


def component(value: Any) -> bytes:
    match value:
        case bool():
            return b"b" + struct.pack("<B", value)
        case int():
            return b"i" + struct.pack("<i", value)
        case float():
            return b"d" + struct.pack("<d", value)
        case str():
            return b"s" + value.encode() + b"\0"
        case bytes():
            return b"o" + value
        case np.ndarray():
            return b"D" + struct.pack("<I", value.size) + value.astype("<f8").tobytes()
        case list():
            return b"O" + struct.pack("<I", len(value)) + b"".join(value)
    raise AssertionError(value)


def unit(text: str) -> bytes:
    return item("GwySIUnit", unitstr=text)


def field(values: Any, z: str, length: float = 2e-6) -> bytes:
    values = np.asarray(values, float)
    rows, columns = values.shape
    return item(
        "GwyDataField", xres=columns, yres=rows, xreal=length, yreal=1e-6,
        si_unit_xy=unit("m"), si_unit_z=unit(z), data=values.ravel(),
    )  # fmt: skip


def save(path: Path, parts: dict[str, Any]) -> Path:
    path.write_bytes(b"GWYP" + serial("GwyContainer", parts))
    return path


def test_channels_of_one_scan_stand_together(tmp_path: Path) -> None:
    path = save(
        tmp_path / "a",
        {
            "/0/data": field([[0, 1], [2, 3]], "V"),
            "/0/data/title": "Phase [Bwd]",
            "/1/data": field([[4, 5], [6, 7]], "m"),
            "/1/data/title": "Topography",
            "/1/meta": serial("GwyContainer", {"Scan rate": "1 Hz"}),
            "/2/data": field([[8, 9]], "m", length=5e-6),
            "/2/data/title": "Height (trace)",
        },
    )
    m = read(path)
    first, second = m
    assert [s.name for s in first.signals] == ["phase_retrace", "height"]
    assert (first.default, first["height"].unit, first["phase_retrace"].unit) == ("height", "m", "V")
    assert first["height"].values.tolist() == [[4, 5], [6, 7]]
    assert first["y"].values.tolist() == pytest.approx([0.75e-6, 0.25e-6])  # the first row is the uppermost
    assert first.original_metadata["Topography"] == {"Scan rate": "1 Hz"}
    assert (second.default, second["x"].values.tolist()) == ("height", pytest.approx([1.25e-6, 3.75e-6]))
    assert str(first.conditions["scan_size_x"]) == "2e-06 m"


def test_volume_points_spectra_and_graph(tmp_path: Path) -> None:
    brick = item(
        "GwyBrick", xres=2, yres=1, zres=3, xreal=2.0, yreal=1.0, zreal=3.0, zoff=10.0,
        si_unit_z=unit("V"), si_unit_w=unit("A"), data=np.arange(6.0),
    )  # fmt: skip
    line = item(
        "GwyDataLine",
        res=2,
        real=4.0,
        off=1.0,
        si_unit_x=unit("V"),
        si_unit_y=unit("A"),
        data=np.array([5.0, 6.0]),
    )
    spectra = item(
        "GwySpectra", title="I(V)", spec_xlabel="Bias", spec_ylabel="Current", si_unit_xy=unit("m"),
        coords=np.array([1e-6, 2e-6]), data=[line],
    )  # fmt: skip
    curve = item(
        "GwyGraphCurveModel", description="profile 1", xdata=np.array([0.0, 1.0]), ydata=np.array([2.0, 3.0])
    )
    graph = item(
        "GwyGraphModel", title="Profiles", bottom_label="x", left_label="z", x_unit=unit("m"), y_unit=unit("nm"),
        curves=[curve],
    )  # fmt: skip
    surface = item("GwySurface", si_unit_xy=unit("m"), si_unit_z=unit("m"), data=np.arange(6.0))
    m = read(
        save(
            tmp_path / "a",
            {"/brick/1": brick, "/sps/0": spectra, "/0/graph/graph/1": graph, "/surface/1": surface},
        )
    )
    volume, points, spectrum, profile = m
    assert volume.signal.axes == ("z", "y", "x")
    assert volume["z"].values.tolist() == [10, 11, 12]
    assert (volume["z"].unit, volume.signal.unit) == ("V", "A")
    assert volume.signal.values[2, 0].tolist() == [4, 5]
    assert points["height"].values.tolist() == [2, 5]
    assert (spectrum["bias"].values.tolist(), spectrum["current"].values.tolist()) == ([1, 3], [5, 6])
    assert str(spectrum.conditions["position_y"]) == "2e-06 m"
    assert (profile.x, profile.default, profile["z"].values.tolist()) == ("x", "z", [2, 3])


def test_false_sizes_are_told(tmp_path: Path) -> None:
    wrong = field([[0, 1]], "m").replace(struct.pack("<i", 2), struct.pack("<i", 3), 1)
    with pytest.raises(ReadError, match="instead of 3"):
        read(save(tmp_path / "a", {"/0/data": wrong}))
    with pytest.raises(ReadError, match="no image"):
        read(save(tmp_path / "b", {"/0/data/title": "x"}))
    nested = serial("GwyContainer", {"a": 1})
    for _ in range(100):
        nested = serial("GwyContainer", {"a": nested})
    (tmp_path / "c").write_bytes(b"GWYP" + nested)
    with pytest.raises(ReadError, match="nested"):
        read(tmp_path / "c")
