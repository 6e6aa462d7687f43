"""Rigaku .ras: the real file against xrayutilities' numbers, and variants of ranges, units and encodings."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.rigaku_ras import READER


def test_the_real_file_gives_the_numbers_xrayutilities_gives(instruments: Path) -> None:
    """Two ranges of a packed file; xrayutilities 1.8.0 gave the sums, maxima and positions."""
    src = RawInput(instruments / "rigaku-ras" / "inas_layer_radial_002_004.ras.bz2")
    assert READER.sniff(src) == CERTAIN
    m = READER.read(src)
    assert [e.name for e in m] == ["scan_1", "scan_2"]
    for e, (points, first, last, total, most) in zip(
        m,
        [
            (1501, 26.5, 32.5, 828530065.0941001, 255407232.0),
            (2501, 56.0, 66.0, 1889010129.5881999, 532695488.0),
        ],
        strict=True,
    ):
        assert len(e["two_theta"].values) == points
        assert (e["two_theta"].values[0], e["two_theta"].values[-1]) == (first, last)
        assert e.signal.values.sum() == pytest.approx(total, rel=1e-12)
        assert e.signal.values.max() == most
        assert e.signal.unit == "counts"
        assert e.conditions["omega_offset"] == Quantity(0.03965, "deg")
    c = m[0].conditions
    assert c["xray_tube_voltage"] == Quantity(45.0, "kV")
    assert c["xray_tube_current"] == Quantity(200.0, "mA")
    assert c["wavelength"] == Quantity(1.540593, "angstrom")
    assert c["scan_speed"] == Quantity(0.040111, "deg/min")
    assert c["scan_axis"] == Quantity("two_theta/omega")
    assert c["monochromator"] == Quantity("Ge(220)x2")
    assert c["chi"] == Quantity(0.268, "deg")
    assert c["z"] == Quantity(-0.23378, "mm")
    assert (m.instrument, m.operator) == ("SmartLab", "rigaku")
    assert m.started == datetime(2015, 12, 5, 22, 1, 1)
    assert m[0].original_metadata["HW_ATTACHMENT_NAME"] == "χφ試料台|Chi phi"  # cp932
    assert len(m[0].original_metadata) == 346  # lines 3 to 348
    assert m.warnings == ()


def block(rows: str, **keys: str) -> str:
    usual = {
        "FILE_SAMPLE": "S",
        "MEAS_SCAN_AXIS_X_INTERNAL": "TwoThetaTheta",
        "MEAS_SCAN_UNIT_X": "deg",
        "MEAS_SCAN_UNIT_Y": "counts",
    } | keys
    header = "\r\n".join(f'*{k} "{v}"' for k, v in usual.items())
    return f"*RAS_HEADER_START\r\n{header}\r\n*RAS_HEADER_END\r\n*RAS_INT_START\r\n{rows}\r\n*RAS_INT_END\r\n".replace(
        ";", "\r\n"
    )


def file(*blocks: str) -> str:
    return f"*RAS_DATA_START\r\n{''.join(blocks)}*RAS_DATA_END\r\n"


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str, encoding: str = "utf-8") -> Measurement:
        path = tmp_path / "a.ras"
        path.write_bytes(text.encode(encoding))
        return READER.read(RawInput(path))

    return read


def axes(**positions: str) -> dict[str, str]:
    made = {}
    for i, (name, position) in enumerate(positions.items()):
        made |= {
            f"MEAS_COND_AXIS_NAME-{i}": name,
            f"MEAS_COND_AXIS_NAME_INTERNAL-{i}": name,
            f"MEAS_COND_AXIS_POSITION-{i}": position,
            f"MEAS_COND_AXIS_UNIT-{i}": "deg",
        }
    return made


def test_attenuated_points_are_multiplied_once(read) -> None:
    m = read(file(block("1.0 10.0 1.0;1.5 20.0 100.0;2.0 30.0 1.0")))
    np.testing.assert_array_equal(m[0].signal.values, [10, 2000, 30])
    np.testing.assert_array_equal(m[0]["attenuation"].values, [1, 100, 1])
    assert "attenuation" in m.warnings[0]


@pytest.mark.parametrize(
    ("stated", "unit"), [("counts", "counts"), ("cps", "count/s"), ("", None), ("mV", "mV")]
)
def test_counts_and_counts_per_second_are_told_apart(read, stated: str, unit: str | None) -> None:
    assert read(file(block("1 2 1;2 3 1", MEAS_SCAN_UNIT_Y=stated)))[0].signal.unit == unit


@pytest.mark.parametrize("encoding", ["cp932", "utf-8"])
def test_japanese_headers_are_legible_in_either_encoding(read, encoding: str) -> None:
    m = read(file(block("1 2 1;2 3 1", FILE_SAMPLE="酸化チタン", FILE_OPERATOR="山田")), encoding)
    assert (m.sample, m.operator) == ("酸化チタン", "山田")


def test_western_accents_are_not_taken_for_katakana(read) -> None:
    m = read(file(block("1 2 1;2 3 1", FILE_OPERATOR="Jürgen Müller", FILE_SAMPLE="5 Å")), "latin-1")
    assert (m.operator, m.sample) == ("Jürgen Müller", "5 Å")


def test_decimal_commas(read) -> None:
    m = read(file(block("1,5 10,25 1,0;2,5 20,5 1,0", MEAS_COND_XG_VOLTAGE="40,5")))
    np.testing.assert_array_equal(m[0]["two_theta"].values, [1.5, 2.5])
    np.testing.assert_array_equal(m[0].signal.values, [10.25, 20.5])
    assert m[0].conditions["xray_tube_voltage"] == Quantity(40.5, "kV")


def test_rows_without_an_attenuation_column_and_a_header_without_keys(read) -> None:
    m = read("*RAS_HEADER_START\n*RAS_HEADER_END\n*RAS_INT_START\n1 10\n2 20\n*RAS_INT_END\n")
    np.testing.assert_array_equal(m[0].signal.values, [10, 20])
    assert m[0].signal.unit is None


def test_a_step_scan_s_speed_is_a_time(read) -> None:
    c = read(file(block("1 2 1;2 3 1", MEAS_SCAN_SPEED="2.5", MEAS_SCAN_SPEED_UNIT="sec")))[0].conditions
    assert c["time_per_step"] == Quantity(2.5, "s")
    assert "scan_speed" not in c


def test_ranges_that_step_omega_are_one_map(read) -> None:
    ranges = [
        block(
            f"30 {i} 1;31 2 1;32 3 1",
            MEAS_SCAN_AXIS_X_INTERNAL="TwoThetaOmega",
            **axes(TwoTheta="30.0", Omega=str(15 + 0.5 * i), Chi="0.1"),
        )
        for i in range(3)
    ]
    (e,) = read(file(*ranges)).entries
    assert [a.name for a in e.axes] == ["omega_offset", "two_theta"]
    np.testing.assert_allclose(e["omega_offset"].values, [0, 0.5, 1])
    np.testing.assert_array_equal(e.signal.values[:, 0], [0, 1, 2])
    assert e.conditions["chi"] == Quantity(0.1, "deg")


def test_an_omega_scan_names_its_axis_and_keeps_where_the_detector_stood(read) -> None:
    keys = axes(TwoTheta="34.5", Omega="17.0", Phi="-")
    e = read(file(block("17 2 1;17.1 3 1", MEAS_SCAN_AXIS_X_INTERNAL="Omega", **keys)))[0]
    assert e.axes[0].name == "omega"
    assert e.conditions["two_theta"] == Quantity(34.5, "deg")
    assert "phi" not in e.conditions


STEPS = {"MEAS_SCAN_START": "10.0", "MEAS_SCAN_STEP": "0.5", "MEAS_SCAN_STOP": "11.0"}


def test_intensities_alone_are_from_the_start_in_equal_steps(read) -> None:
    m = read(file(block("5;6;7", **STEPS)))
    assert m[0]["two_theta"].values.tolist() == [10, 10.5, 11]
    assert m[0].signal.values.tolist() == [5, 6, 7]


def test_a_start_in_no_known_form_is_told(read) -> None:
    m = read(file(block("1 2 1;2 3 1", MEAS_SCAN_START_TIME="25/12/2021 14:42:50")))
    assert m[0].started is None
    assert any("25/12/2021" in warning for warning in m.warnings)


def test_fewer_points_than_stated_are_told(read) -> None:
    m = read(file(block("1 2 1;2 3 1", MEAS_DATA_COUNT="2.0")))
    assert m.warnings == ()
    m = read(file(block("1 2 1;2 3 1", MEAS_DATA_COUNT="5.0")))
    assert "5 points; 2" in m.warnings[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("*RAS_DATA_START\n*RAS_HEADER_START\n", "cut off"),
        (file(block("1 2 1;2 3 1"))[:-40], "RAS_INT_END"),
        (file(block("1 2 1;2 3 1"))[:-6], "RAS_DATA_END"),
        (file(block("1 2 1;2 3")), "rows of 3"),
        (file(block("5;6;7")), "no start and step"),
        (file(block("5;6;7", **STEPS, MEAS_SCAN_UNEQUALY_SPACED="True")), "no start and step"),
        (file(block("5;6;7;8;9", **STEPS)), "go beyond 11"),
        (file(block("a b c;d e f")), "not numbers"),
        (file(block("")), "no \\*RAS_INT_START with data"),
    ],
)
def test_what_is_wrong_is_said(read, text: str, told: str) -> None:
    with pytest.raises(ReadError, match=told):
        read(text)


def test_packed_files_are_read_and_other_text_is_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "a.ras.gz"
    path.write_bytes(gzip.compress(file(block("1 2 1;2 3 1")).encode()))
    assert READER.sniff(RawInput(path)) == CERTAIN
    assert READER.read(RawInput(path)).sample == "S"
    other = tmp_path / "b.ras"
    other.write_text("Sun raster? no: text")
    assert READER.sniff(RawInput(other)) == NO


SMALL = """*RAS_DATA_START
*RAS_HEADER_START
*FILE_SAMPLE "Si"
*MEAS_SCAN_AXIS_X "2θ/θ"
*MEAS_SCAN_UNIT_Y "counts"
*RAS_HEADER_END
*RAS_INT_START
10.00 5 1
10.01 6 1
*RAS_INT_END
*RAS_DATA_END
"""


@pytest.mark.parametrize(
    "text",
    [
        SMALL,
        "*DSC_DATA_START\n*DSC_HEADER_START\n*DSC_HEADER_END\n" + SMALL + "*DSC_DATA_END\n",
        SMALL.replace("10.00 5 1\n10.01 6 1", "\n10.00\t5\t1\n10.01\t6\t1"),
        SMALL.replace("2θ/θ", "TwoThetaTheta"),
    ],
    ids=["greek", "with a DSC", "tabs and a blank line", "internal name"],
)
def test_variants_of_the_layout(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.ras"
    path.write_text(text, encoding="utf-8")
    assert READER.sniff(RawInput(path)) == CERTAIN
    e = READER.read(RawInput(path))[0]
    assert e["two_theta"].values.tolist() == [10, 10.01]
    assert e.signal.values.tolist() == [5, 6]
    assert e.conditions["scan_axis"] == Quantity("two_theta/theta")


def test_a_range_that_was_stopped_before_its_first_point_does_not_cost_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.ras"
    stopped = SMALL[SMALL.index("*RAS_HEADER") :].replace("10.00 5 1\n10.01 6 1\n", "")
    path.write_text(SMALL.replace("*RAS_DATA_END\n", "") + stopped, encoding="utf-8")
    m = READER.read(RawInput(path))
    assert len(m) == 1
    assert "has no points" in m.warnings[0]
