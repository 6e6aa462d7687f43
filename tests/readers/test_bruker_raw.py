"""Bruker .raw: the shipped real RAW4 against another reader; versions 1 to 3 built from the manual's layout."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.bruker_raw import READER


def test_the_real_raw4_has_one_angle_for_every_intensity(examples: Path) -> None:
    """A good library once gave one angle for 1,210 intensities; geddes 1.0.1 gave these numbers."""
    src = RawInput(examples / "diffraction" / "TiO2.raw")
    assert READER.sniff(src) == CERTAIN
    m = READER.read(src)
    (e,) = m.entries
    x, y = e["two_theta"].values, e.signal
    assert len(x) == len(y.values) == 1647
    np.testing.assert_allclose([x[0], x[-1], x.sum()], [10.0, 70.041142, 65913.880437], rtol=0, atol=1e-6)
    assert (y.values[0], y.values[-1], y.values.sum(), y.values.max()) == (557, 328, 565823, 11493)
    assert y.unit == "counts"
    c = e.conditions
    assert c["xray_tube_voltage"] == Quantity(30.0, "kV")
    assert c["xray_tube_current"] == Quantity(10.0, "mA")
    assert c["xray_source_element"] == Quantity("Cu")
    assert c["wavelength"] == Quantity(1.5406, "angstrom")
    assert c["wavelength_k_alpha_2"] == Quantity(1.54439, "angstrom")
    assert c["time_per_step"] == Quantity(77.9, "s")
    assert c["scan_axis"] == Quantity("two_theta/theta")
    assert c["step_size"] == Quantity(0.036477, "deg")
    assert m.sample == "TiO2"
    assert m.started == datetime(2018, 7, 11, 15, 55, 31)
    assert e.original_metadata["DRIVES"] == {"2Theta": 10.0, "Theta": 5.0}
    assert m.original_metadata["CREATOR"] == "V5Converter"
    assert m.warnings == ()


@pytest.fixture
def read(tmp_path: Path):
    def read(data: bytes, sure: float = CERTAIN) -> Measurement:
        path = tmp_path / "a.raw"
        path.write_bytes(data)
        src = RawInput(path)
        assert READER.sniff(src) == sure
        return READER.read(src)

    return read


def put(size: int, *fields: tuple[int, str, object]) -> bytearray:
    made = bytearray(size)
    for offset, form, value in fields:
        struct.pack_into("<" + form, made, offset, value)
    return made


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


# ---- version 4 ----


def drive(name: bytes, position: float, flag: int = 0) -> bytes:
    return bytes(put(92, (0, "I", 50), (4, "I", 92), (8, "I", flag), (12, "24s", name), (56, "d", position)))


def range4(
    kind: bytes, start: float, step: float, points: bytes, *drives: bytes, size: int = 4, mark: int = 0
) -> bytes:
    extra = b"".join(drives)
    header = put(
        160,
        (0, "I", mark),
        (32, "24s", kind),
        (72, "d", start),
        (80, "d", step),
        (88, "I", len(points) // size),
        (92, "f", 2.0),
        (100, "f", 40.0),
        (104, "f", 25.0),
        (112, "d", 1.5406),
        (136, "I", size),
        (140, "I", len(extra)),
    )
    return bytes(header) + extra + points


def raw4(*ranges: bytes) -> bytes:
    head = bytes(put(61, (0, "8s", b"RAW4.00"), (12, "12s", b"09/21/2026"), (24, "10s", b"12:00:00")))
    name = put(36, (0, "I", 10), (4, "I", 40), (12, "24s", b"SAMPLEID"))
    return head + bytes(name) + b"GaN\0" + b"".join(ranges)


def test_raw4_intensities_are_taken_by_the_stated_size_of_a_point(read) -> None:
    points = b"".join(struct.pack("<fi", v, 1) for v in (5, 6, 7))
    m = read(raw4(range4(b"Locked Coupled", 20, 0.5, points, size=8)))
    np.testing.assert_array_equal(m[0].signal.values, [5, 6, 7])
    np.testing.assert_array_equal(m[0]["two_theta"].values, [20, 20.5, 21])
    assert m.sample == "GaN"


def test_raw4_ranges_of_a_rocking_map(read) -> None:
    ranges = [
        range4(
            b"Rocking Curve",
            15,
            0.1,
            floats(i, 2),
            drive(b"2Theta", 30 + i),
            drive(b"Theta", 15, 1),
            mark=160,
        )
        for i in range(3)
    ]
    (e,) = read(raw4(*ranges)).entries
    assert [a.name for a in e.axes] == ["two_theta", "omega"]
    np.testing.assert_array_equal(e["two_theta"].values, [30, 31, 32])
    np.testing.assert_array_equal(e.signal.values[:, 0], [0, 1, 2])


def test_raw4_frames_of_a_strip_detector(read) -> None:
    ranges = [
        range4(b"PSD Fix Scan", 29, 0.5, floats(1, 2, 3), drive(b"2Theta", 30), drive(b"Theta", 15 + 0.1 * i))
        for i in range(4)
    ]
    (e,) = read(raw4(*ranges)).entries
    assert e.signal.axes == ("omega", "two_theta")
    assert e.signal.values.shape == (4, 3)
    np.testing.assert_array_equal(e["two_theta"].values, [29, 29.5, 30])


@pytest.mark.parametrize(
    ("kind", "drives", "axis"),
    [
        (b"Phi Scan", (), "phi"),
        (b"Khi", (), "chi"),
        (b"Detector Scan", (), "two_theta"),
        (b"Strange", (drive(b"Chi", 20.0, 1), drive(b"Phi", 20.0)), "chi"),
        (b"Z-Drive", (), "z"),
    ],
)
def test_raw4_axis_of_a_scan(read, kind: bytes, drives: tuple[bytes, ...], axis: str) -> None:
    assert read(raw4(range4(kind, 20, 1, floats(1, 2), *drives)))[0].axes[0].name == axis


def test_raw4_scan_of_unknown_axis_is_not_given_an_angle(read) -> None:
    m = read(raw4(range4(b"Strange", 20, 1, floats(1, 2))))
    assert m[0].axes[0].name == "point"
    np.testing.assert_array_equal(m[0].axes[0].values, [0, 1])
    assert "Strange" in m.warnings[0]


def test_raw4_offset_of_an_unlocked_scan(read) -> None:
    m = read(
        raw4(range4(b"Unlocked Coupled", 30, 1, floats(1, 2), drive(b"2Theta", 30), drive(b"Theta", 16)))
    )
    assert m[0].conditions["omega_offset"] == Quantity(1.0, "deg")


# ---- version 3 ----


def range3(code: int, points: bytes, more: bytes = b"", varying: int = 0, **at: float) -> bytes:
    size = 4 + 8 * varying.bit_count()
    places = {"theta": 8, "two_theta": 16, "chi": 24, "phi": 32}
    return (
        bytes(
            put(
                304,
                (0, "I", 304),
                (4, "I", len(points) // size),
                *((places[n], "d", v) for n, v in at.items()),
                (176, "d", 0.1),
                (192, "f", 3.0),
                (196, "I", code),
                (224, "I", 40),
                (228, "I", 30),
                (248, "I", varying),
                (252, "I", size),
                (256, "I", len(more)),
            )
        )
        + more
        + points
    )


def raw3(*ranges: bytes, status: int = 1) -> bytes:
    return bytes(
        put(
            712,
            (0, "8s", b"RAW1.01"),
            (8, "I", status),
            (12, "I", len(ranges)),
            (16, "10s", b"09/21/26"),
            (26, "10s", b"12:00:00"),
            (36, "72s", b"operator"),
            (326, "60s", b"sample"),
            (564, "f", 217.5),
            (568, "f", 9999.0),
            (608, "4s", b"Cu"),
            (624, "d", 1.54056),
            (648, "d", 0.5),
        )
    ) + b"".join(ranges)


def test_raw3_ranges_supplementary_records_and_header(read) -> None:
    first = range3(0, floats(1, 2, 3), more=b"\x6e\0\0\0\x28\0\0\0" + bytes(32), theta=5, two_theta=10)
    m = read(raw3(first, range3(5, floats(7, 8), phi=-20, theta=11, two_theta=22)))
    assert [e.axes[0].name for e in m] == ["two_theta", "phi"]
    np.testing.assert_allclose(m[0]["two_theta"].values, [10, 10.1, 10.2])
    np.testing.assert_allclose(m[1]["phi"].values, [-20, -19.9])
    assert m[1].conditions["two_theta"] == Quantity(22.0, "deg")
    c = m[0].conditions
    assert c["xray_source_element"] == Quantity("Cu")
    assert c["wavelength"] == Quantity(1.54056, "angstrom")
    assert c["goniometer_radius"] == Quantity(217.5, "mm")
    assert "divergence_slit" not in c  # 9999 is Bruker's "unknown"
    assert c["time_per_step"] == Quantity(3.0, "s")
    assert c["xray_tube_voltage"] == Quantity(40.0, "kV")
    assert (m.sample, m.operator, m.started) == ("sample", "operator", datetime(2026, 9, 21, 12))


def test_raw3_measured_angles_beside_the_counts(read) -> None:
    points = struct.pack("<fdfd", 5, 10.01, 6, 10.13)
    e = read(raw3(range3(1, points, varying=1, two_theta=10, theta=5)))[0]
    np.testing.assert_array_equal(e.signal.values, [5, 6])
    np.testing.assert_array_equal(e["two_theta"].values, [10.01, 10.13])


def test_raw3_pole_figure(read) -> None:
    ranges = [range3(5, floats(i, 1), chi=10.0 * i, theta=11, two_theta=22) for i in range(3)]
    (e,) = read(raw3(*ranges)).entries
    assert [a.name for a in e.axes] == ["chi", "phi"]


def test_raw3_interrupted_and_unknown_scans_are_told(read) -> None:
    m = read(raw3(range3(99, floats(1, 2)), status=4))
    assert m[0].axes[0].name == "point"
    assert any("interrupted" in w for w in m.warnings)
    assert any("99" in w for w in m.warnings)


# ---- versions 2 and 1 ----


def raw2(*ranges: tuple[float, float, bytes]) -> bytes:
    head = put(
        256,
        (0, "4s", b"RAW2"),
        (4, "H", len(ranges)),
        (168, "20s", b"21-Sep-1994 12:00"),
        (188, "2s", b"Cu"),
        (190, "f", 1.5406),
        (194, "f", 1.5444),
    )
    body = b""
    for start, step, points in ranges:
        header = put(
            64, (0, "H", 64), (2, "H", len(points) // 4), (8, "f", 2.5), (12, "f", step), (16, "f", start)
        )
        struct.pack_into("<H", header, 46, 300)
        body += bytes(header) + points
    return bytes(head) + body


def test_raw2(read) -> None:
    m = read(raw2((10, 0.5, floats(1, 2, 3)), (50, 0.25, floats(4, 5))), LIKELY)
    np.testing.assert_array_equal(m[0]["two_theta"].values, [10, 10.5, 11])
    np.testing.assert_array_equal(m[1].signal.values, [4, 5])
    c = m[0].conditions
    assert c["time_per_step"] == Quantity(2.5, "s")
    assert c["temperature"] == Quantity(300.0, "K")
    assert c["wavelength"] == Quantity(1.5406, "angstrom")
    assert m.started == datetime(1994, 9, 21, 12)


def range1(magic: bytes, start: float, points: bytes, follows: int) -> bytes:
    head = put(
        152,
        (0, "I", len(points) // 4),
        (4, "f", 1.0),
        (8, "f", 0.5),
        (20, "f", start),
        (24, "f", start / 2),
        (28, "f", -1e6),
        (32, "f", -1e6),
        (36, "32s", b"quartz"),
        (68, "f", 1.5406),
        (148, "I", follows),
    )
    return magic + bytes(head) + points


@pytest.mark.parametrize("repeated", [b"RAW ", b""])
def test_raw1_ranges_with_and_without_the_repeated_word(read, repeated: bytes) -> None:
    m = read(range1(b"RAW ", 10, floats(1, 2, 3), 1) + range1(repeated, 40, floats(4, 5), 0), LIKELY)
    np.testing.assert_array_equal(m[0]["two_theta"].values, [10, 10.5, 11])
    np.testing.assert_array_equal(m[1]["two_theta"].values, [40, 40.5])
    assert m.sample == "quartz"
    assert "chi" not in m[0].conditions  # -1e6 is "unknown"


def test_a_series_of_still_points_is_given_over_its_points(read) -> None:
    m = read(raw4(range4(b"Still (Point)", 20, 0, floats(1, 2))))
    assert m[0].signal.axes == ("point",)
    assert m[0].signal.values.tolist() == [1, 2]
    assert "nothing moves" in m.warnings[0]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (raw4(), "no range"),
        (raw4(range4(b"Locked Coupled", 20, 1, floats(1, 2)))[:-1], "cut off"),
        (raw4(range4(b"Locked Coupled", float("nan"), 1, floats(1, 2))), "no scan"),
        (raw4(range4(b"Locked Coupled", 20, 0, floats(1, 2))), "no scan"),
        (raw4(struct.pack("<II", 10, 4)), "length of 4"),
        (raw4(struct.pack("<II", 10, 2**31)), "length of"),
        (raw3(range3(0, floats(1, 2)))[:-1], "cut off"),
        (raw3(), "no scan"),
        (put(712, (0, "8s", b"RAW1.01"), (12, "I", 2**32 - 1)), "ranges"),
        (put(1100, (0, "8s", b"RAW1.01"), (12, "I", 1), (712, "I", 304), (716, "I", 2**31)), "cut off"),
    ],
)
def test_what_is_wrong_is_said(read, data: bytes, told: str) -> None:
    with pytest.raises(ReadError, match=told):
        read(bytes(data))


@pytest.mark.parametrize(
    "head", [b"RAW " + b"text of another format" * 20, b"RAW2" + bytes(range(256)), b"RAWR", b""]
)
def test_other_files_that_begin_alike_are_not_claimed(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(head)
    assert READER.sniff(RawInput(path)) == NO
