"""JPK force data: what someone who presses tips into things would lose if the reader were wrong."""

from __future__ import annotations

import contextlib
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.jpk import READER

FOLDER = "jpk"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


# --- real files; forces and heights are equal to those of afmformats 0.18.7 --------------------------------

GOLDEN: dict[str, tuple[Any, ...]] = {
    # name: signal, unit, points of a curve, its first, last, sum, largest; sum of height_measured; spring constant
    "fmt-jpk-cc_pr14-brain-2021.06.30.jpk-force": (
        ("force", "N", 9000),
        (1.1230465359122524e-08, 1.1192792018708865e-08, 0.0001298562641304454, 2.1166672051019794e-08),
        (0.23847997076353994, 0.22909692086284678),
        (0.061, 6.086e-08),
    ),
    "fmt-jpk-cl_calibration_force-save-2015.02.04-11.25.21.294.jpk-force": (
        ("deflection", "V", 4096),
        (0.022752153833235454, 0.005944335137632952, 60.85684475694577, 0.26544793552669255),
        (0.1978887361755805, 0.1440827167494066),
        None,
    ),
    "fmt-jpk-fd_2020.02.07-16.29.05.036.jpk-qi-data": (
        ("force", "N", 600),
        (-1.269014596090597e-10, -2.673061005740294e-10, -1.0908441042438392e-07, 2.805811395058935e-12),
        (0.002405879524031425, 0.001560075325852566),
        (0.03011408349962541, 2.4459525780419943e-08),
    ),
    "fmt-jpk-fd_flipsign_2015.05.22-15.31.49.352.jpk-force": (
        ("force", "N", 14000),
        (-3.428532276099945e-10, -4.2241960208120896e-10, -4.6069930714893615e-06, 3.8380889251387835e-09),
        (0.6063685469738307, 0.37796145329129693),
        (0.01868898956509838, 6.467548816068359e-08),
    ),
    "fmt-jpk-fd_map-data-reference-points.jpk-force-map": (
        ("force", "N", 14000),
        (4.2786974419423095e-10, 3.654994260636304e-10, 7.499265800042273e-06, 4.439304202362919e-09),
        (0.4770517157671495, 0.1617247264021357),
        (0.010950848060582613, 8.467083788380108e-08),
    ),
    "fmt-jpk-fd_map2x2_extracted.jpk-force-map": (
        ("force", "N", 24060),
        (-4.742686262385487e-10, -5.138063562153474e-10, -1.1558450700873109e-05, 1.642602413472855e-09),
        (1.3362442715344431, 1.0683441515963774),
        (0.015481694150356324, 6.425794778156255e-08),
    ),
    "fmt-jpk-fd_qi-data-2021.04.13.jpk-qi-series": (
        ("force", "N", 2000),
        (-1.713718698269193e-07, -1.714403586284827e-07, -0.00021898987626004532, 8.255116753310272e-07),
        (0.004294358838926358, 0.004357105481212969),
        (35.028, 9.760000000000001e-09),
    ),
    "fmt-jpk-fd_spot3-0192.jpk-force": (
        ("force", "N", 4000),
        (-5.145579192349918e-10, -6.039935163237882e-10, -1.7721516789636901e-06, 3.6813837252362216e-09),
        (0.08122651225843769, 0.11151601578282853),
        (0.043493666407368466, 7.000143623002982e-08),
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    (signal, unit, points), numbers, heights, calibration = GOLDEN[name]
    entry = read(instruments / FOLDER / name)[0]
    assert (entry.technique, entry.default, entry.signal.unit) == ("afm_force", signal, unit)
    curve = entry.signal.values if entry.is_table else entry.signal.values[0]
    assert curve.size == points
    assert np.isfinite(curve).all()
    assert (curve[0], curve[-1], curve.sum(), curve.max()) == pytest.approx(numbers, rel=1e-9)
    for height, total in zip(("height_measured", "height"), heights, strict=True):
        values = entry[height].values if entry.is_table else entry[height].values[0]
        assert entry[height].unit == "m"
        assert values.sum() == pytest.approx(total, rel=1e-9)
    if calibration is None:
        assert "spring_constant" not in entry.conditions
    else:
        told = (entry.conditions["spring_constant"].value, entry.conditions["deflection_sensitivity"].value)
        assert told == pytest.approx(calibration, rel=1e-12)
    assert entry.started is not None


def test_segments_are_told_apart_and_timed(instruments: Path) -> None:
    entry = read(instruments / FOLDER / "fmt-jpk-cc_pr14-brain-2021.06.30.jpk-force")[0]
    segment = entry["segment"].values
    assert segment[[0, 2999, 3000, 5999, 6000, -1]].tolist() == [
        "approach",
        "approach",
        "pause",
        "pause",
        "retract",
        "retract",
    ]
    assert entry["time"].values[[0, -1]] == pytest.approx([0.0005, 8.9995])
    # The sensor was not recorded while pausing: gaps there, not a shifted column.
    sensor = entry["capacitive_sensor_height"].values
    assert np.isnan(sensor[3000:6000]).all()
    assert np.isfinite(sensor[:3000]).all()
    assert entry.x == "height_measured"


def test_who_when_and_where(instruments: Path) -> None:
    m = read(instruments / FOLDER / "fmt-jpk-fd_spot3-0192.jpk-force")
    assert (m.operator, m.instrument, m.sample) == ("katrin", "JPK A0042-CellHesion", "")
    (entry,) = m
    assert str(entry.started) == "2016-03-31 17:51:14.543000+02:00"
    assert entry.conditions["position_x"].value == -1.6666666666666667e-05
    assert entry.conditions["setpoint"].value == 1.3137932359860578
    assert (entry.conditions["setpoint"].unit, entry.conditions["curve_length"].value) == (
        "V",
        pytest.approx(5e-6),
    )
    header: Any = m.original_metadata["header.properties"]
    assert header["force-scan-series.description.user-name"] == "katrin"


def test_part_of_a_map_says_where_each_curve_was_taken(instruments: Path) -> None:
    m = read(instruments / FOLDER / "fmt-jpk-fd_map-data-reference-points.jpk-force-map")
    (entry,) = m
    assert entry.signal.axes == ("curve", "point")
    assert entry["curve"].values.tolist() == [109, 129, 416]
    assert entry["x"].values[0] == -0.0012197656250000001
    assert entry["y"].values[0] == -0.0017740625000000002
    assert "3 of 25 × 25" in m.warnings[0]


@pytest.mark.parametrize(
    "name", ["fmt-jpk-fd_spot3-0192.jpk-force", "fmt-jpk-fd_2020.02.07-16.29.05.036.jpk-qi-data"]
)
def test_cut_off_and_damaged(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / FOLDER / name).read_bytes()
    assert not cut(READER, data, tmp_path / "cut.jpk-force")
    damage(READER, data, tmp_path / "broken.jpk-force")


# --- what no real file shows, from the format's own words ---------------------------------------------------

CHANNEL = """
channels.list=height vDeflection
channel.height.data.file.name=channels/height.dat
channel.height.data.type=short
channel.height.data.encoder.type=signedshort
channel.height.data.encoder.scaling.type=linear
channel.height.data.encoder.scaling.style=offsetmultiplier
channel.height.data.encoder.scaling.offset=0.0
channel.height.data.encoder.scaling.multiplier=1.0E-9
channel.height.data.encoder.scaling.unit.unit=m
channel.vDeflection.data.file.name=channels/vDeflection.dat
channel.vDeflection.data.type=short
channel.vDeflection.data.encoder.type=unsignedshort
channel.vDeflection.data.encoder.scaling.type=linear
channel.vDeflection.data.encoder.scaling.style=offsetmultiplier
channel.vDeflection.data.encoder.scaling.offset=1.0
channel.vDeflection.data.encoder.scaling.multiplier=0.5
channel.vDeflection.data.encoder.scaling.unit.unit=V
channel.vDeflection.conversion-set.conversions.default=volts
channel.vDeflection.conversion-set.conversions.base=volts
channel.vDeflection.conversion-set.conversion.volts.defined=false
channel.vDeflection.conversion-set.conversion.distance.defined=true
channel.vDeflection.conversion-set.conversion.distance.base-calibration-slot=volts
channel.vDeflection.conversion-set.conversion.distance.scaling.type=linear
channel.vDeflection.conversion-set.conversion.distance.scaling.style=offsetmultiplier
channel.vDeflection.conversion-set.conversion.distance.scaling.offset=0.0
channel.vDeflection.conversion-set.conversion.distance.scaling.multiplier=1.0E-8
channel.vDeflection.conversion-set.conversion.distance.scaling.unit.unit=m
channel.vDeflection.conversion-set.conversion.force.defined=true
channel.vDeflection.conversion-set.conversion.force.base-calibration-slot=distance
channel.vDeflection.conversion-set.conversion.force.scaling.type=linear
channel.vDeflection.conversion-set.conversion.force.scaling.style=offsetmultiplier
channel.vDeflection.conversion-set.conversion.force.scaling.offset=0.0
channel.vDeflection.conversion-set.conversion.force.scaling.multiplier=0.25
channel.vDeflection.conversion-set.conversion.force.scaling.unit.unit=N
"""
SEGMENT = "force-segment-header.settings.style={}\nforce-segment-header.duration=1.0\n" + CHANNEL
MAP = """force-scan-map.position-pattern.back-and-forth=true
force-scan-map.position-pattern.grid.xcenter=1.0E-6
force-scan-map.position-pattern.grid.ycenter=0.0
force-scan-map.position-pattern.grid.ulength=3.0E-6
force-scan-map.position-pattern.grid.vlength=2.0E-6
force-scan-map.position-pattern.grid.theta=0.0
force-scan-map.position-pattern.grid.ilength=3
force-scan-map.position-pattern.grid.jlength=2
"""


def segment_parts(folder: str, style: str, values: list[int], text: str = SEGMENT) -> dict[str, bytes]:
    at = f"{folder}segments/{0 if style == 'extend' else 1}/"
    return {
        at + "segment-header.properties": text.replace("{}", style).encode(),
        at + "channels/height.dat": np.arange(len(values)).astype(">i2").tobytes(),
        at + "channels/vDeflection.dat": np.array(values, ">u2").tobytes(),
    }


def save(path: Path, parts: dict[str, bytes], header: str = "") -> Path:
    with zipfile.ZipFile(
        path, "w"
    ) as z:  # stored, so that damage reaches the headers and not only the packing
        z.writestr("header.properties", header)
        for name, data in parts.items():
            z.writestr(name, data)
    return path


def test_force_is_taken_where_it_is_calibrated_even_if_volts_were_shown(tmp_path: Path) -> None:
    path = save(tmp_path / "a", segment_parts("", "extend", [0, 2, 65534]))
    (entry,) = read(path)
    assert entry.default == "force"
    # (raw * 0.5 + 1) V * 1e-8 m/V * 0.25 N/m
    assert entry.signal.values == pytest.approx([2.5e-9, 5e-9, 32768 * 2.5e-9])


@pytest.mark.parametrize(
    ("lost", "name", "unit", "values"),
    [
        ("force.defined=true", "deflection", "m", [1e-8, 2e-8]),
        ("distance.defined=true", "deflection", "V", [1.0, 2.0]),
        ("force.scaling.multiplier=0.25", "deflection", "m", [1e-8, 2e-8]),
    ],
)
def test_missing_calibration_costs_only_the_newtons(
    tmp_path: Path, lost: str, name: str, unit: str, values: list[float]
) -> None:
    text = SEGMENT.replace(lost, lost.partition("=")[0] + "=unset")
    (entry,) = read(save(tmp_path / "a", segment_parts("", "extend", [0, 2], text)))
    assert (entry.default, entry.signal.unit) == (name, unit)
    assert entry.signal.values == pytest.approx(values)


def test_complete_map_stands_where_it_was_taken(tmp_path: Path) -> None:
    parts: dict[str, bytes] = {}
    for i in range(6):
        parts |= segment_parts(f"index/{i}/", "extend", [2 * i, 2 * i])
        parts |= segment_parts(f"index/{i}/", "retract", [2 * i] * (2 if i else 1))
    m = read(save(tmp_path / "a", parts, MAP))
    (entry,) = m
    assert entry.signal.axes == ("y", "x", "point")
    # There and back: the second line was taken from right to left.
    assert (entry.signal.values[..., 0] / 2.5e-9 - 1).tolist() == pytest.approx(
        np.array([[0, 1, 2], [5, 4, 3]])
    )
    assert entry["x"].values == pytest.approx([0, 1e-6, 2e-6])
    assert entry["y"].values == pytest.approx([-0.5e-6, 0.5e-6])
    assert entry["segment"].values.tolist() == ["approach", "approach", "retract", "retract"]
    assert np.isnan(entry.signal.values[0, 0]).tolist() == [False, False, False, True]
    assert any("differ in length" in w for w in m.warnings)


def test_repeated_segments_keep_their_own_names(tmp_path: Path) -> None:
    parts = segment_parts("", "extend", [1, 1]) | {
        name.replace("segments/0", f"segments/{i}"): data.replace(b"style=extend", b"style=pause")
        for i in (1, 2)
        for name, data in segment_parts("", "extend", [1, 1]).items()
    }
    (entry,) = read(save(tmp_path / "a", parts))
    assert list(dict.fromkeys(entry["segment"].values.tolist())) == ["approach", "pause", "pause_2"]


def test_unknown_kind_of_channel_costs_the_channel(tmp_path: Path) -> None:
    text = SEGMENT.replace("height.data.type=short", "height.data.type=spline")
    m = read(save(tmp_path / "a", segment_parts("", "extend", [0, 2], text)))
    assert [s.name for s in m[0].signals] == ["segment", "time", "force"]
    assert "spline" in m.warnings[0]


def test_nothing_measured_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no force curve"):
        READER.read(RawInput(save(tmp_path / "a", {})))
    with pytest.raises(ReadError, match="none of the curve's segments"):
        READER.read(RawInput(save(tmp_path / "b", segment_parts("", "extend", []))))


def test_other_archives_are_not_taken(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a", "w") as z:
        z.writestr("segments/readme.txt", "x")
    assert READER.sniff(RawInput(tmp_path / "a")) == NO
    (tmp_path / "b").write_bytes(b"PK\x03\x04" + random.Random(1).randbytes(500))
    assert READER.sniff(RawInput(tmp_path / "b")) == NO


def test_damaged_headers(tmp_path: Path) -> None:
    parts = segment_parts("index/0/", "extend", [1, 2]) | segment_parts("index/1/", "extend", [1, 2])
    rng = random.Random(3)
    for turn in range(150):  # written anew, so that the archive itself is whole
        broken = {name: bytearray(data) for name, data in parts.items()}
        header = bytearray(MAP.encode())
        for _ in range(1 + turn % 4):
            one = rng.choice([header, *broken.values()])
            one[rng.randrange(len(one))] = rng.randrange(256)
        path = save(tmp_path / "a", {n: bytes(b) for n, b in broken.items()}, header.decode("latin-1"))
        with contextlib.suppress(ReadError):
            check(READER.read(RawInput(path)), READER)


def test_an_archive_of_several_files_is_one_measurement(instruments: Path, tmp_path: Path) -> None:
    """A folder of curves is often zipped to be sent; it was recognised by no reader."""
    files = sorted((instruments / FOLDER).glob("*.jpk-force"))[:3]
    path = tmp_path / "curves.zip"
    with zipfile.ZipFile(path, "w") as z:
        for n, file in enumerate(files):
            z.write(file, f"cell 1/curve.{n}.jpk-force")
        z.writestr("__MACOSX/cell 1/._curve.jpk-force", b"")
    m = read(path)
    assert [e.title for e in m] == ["curve.0", "curve.1", "curve.2"]
    for entry, file in zip(m, files, strict=True):
        alone = read(file)[0]
        np.testing.assert_array_equal(entry.signal.values, alone.signal.values)
        assert entry.started == alone.started


def test_archives_of_other_files_too_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("a.jpk-force", b"x")
        z.writestr("readme.txt", b"x")
    assert READER.sniff(RawInput(path)) == NO
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("a.jpk-force", b"x")
    assert READER.sniff(RawInput(path)) == CERTAIN
    with pytest.raises(ReadError, match=r"a\.jpk-force is no complete zip"):
        READER.read(RawInput(path))
