"""Philips' and PANalytical's other formats: CSV exports and .rd, made by their public descriptions."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import panalytical_csv, philips_rd, registry
from zairyo.readers._api import CERTAIN, RawInput, Reader, ReadError
from zairyo.readers.invariants import check

CSV = """[Measurement conditions]
Sample identification,"Si, NIST"
Comment 1,"Configuration=Reflection, Owner=User-1"
Diffractometer system,EMPYREAN
File date and time,05/April/2013 10:24
Anode material,Cu
K-Alpha1 wavelength,1.540598
Ratio K-Alpha2/K-Alpha1,0.5
Generator voltage,45
Tube current,40
Scan axis,Gonio
Scan range,5.008356,5.058490
No. of points,4
Scan type,CONTINUOUS
Time per step,20.32
[Scan points]
Angle,Intensity
5.008356,2171
5.025067,2154
5.041779,2103
5.058490,2100
"""


def reads(reader: Reader, data: bytes, folder: Path) -> Measurement:
    path = folder / f"made{reader.endings[0]}"
    path.write_bytes(data)
    src = RawInput(path)
    assert reader.sniff(src) == CERTAIN
    assert registry.find(src) is reader
    return check(reader.read(src), reader)


def csv(text: str, folder: Path) -> Measurement:
    return reads(panalytical_csv.READER, text.replace("\n", "\r\n").encode(), folder)


def test_csv_export(tmp_path: Path) -> None:
    m = csv(CSV, tmp_path)
    (e,) = m
    assert (m.sample, m.instrument, m.started) == ("Si, NIST", "EMPYREAN", datetime(2013, 4, 5, 10, 24))
    assert e["two_theta"].values.tolist() == [5.008356, 5.025067, 5.041779, 5.058490]
    assert (e.signal.unit, e.signal.values.tolist()) == ("counts", [2171, 2154, 2103, 2100])
    assert e.conditions["wavelength"] == Quantity(1.540598, "angstrom")
    assert e.conditions["xray_tube_voltage"] == Quantity(45.0, "kV")
    assert e.conditions["time_per_step"] == Quantity(20.32, "s")
    assert e.conditions["scan_axis"] == Quantity("two_theta/theta")


def test_a_date_in_an_unknown_form_is_told(tmp_path: Path) -> None:
    m = csv(CSV.replace("05/April/2013", "05/04/2013"), tmp_path)
    assert m[0].started is None
    assert any("05/04/2013" in warning for warning in m.warnings)
    assert csv(CSV.replace("05/April/2013", "05-Apr-2013"), tmp_path)[0].started == datetime(
        2013, 4, 5, 10, 24
    )


def test_csv_with_times_and_deviations_takes_the_intensity_and_not_the_second_column(tmp_path: Path) -> None:
    head, points = CSV.split("Angle,Intensity\n")
    rows = [f"{p.split(',')[0]},20.32,{p.split(',')[1]},46.5\n" for p in points.splitlines()]
    e = csv(head + "Angle,TimePerStep,Intensity,ESD\n" + "".join(rows), tmp_path)[0]
    assert e.signal.values.tolist() == [2171, 2154, 2103, 2100]
    assert e["intensity_esd"].values.tolist() == [46.5] * 4


def test_csv_of_a_computer_with_decimal_commas(tmp_path: Path) -> None:
    text = CSV.replace("Si, NIST", "Si").replace("Reflection, ", "").replace("No.", "No#")
    text = text.replace(",", ";").replace(".", ",").replace("No#", "No.")
    e = csv(text, tmp_path)[0]
    assert e["two_theta"].values.tolist() == [5.008356, 5.025067, 5.041779, 5.058490]
    assert e.conditions["wavelength"] == Quantity(1.540598, "angstrom")


def test_csv_without_its_first_line(tmp_path: Path) -> None:
    assert csv(CSV.partition("\n")[2], tmp_path)[0].signal.values.tolist() == [2171, 2154, 2103, 2100]


def test_csv_of_a_rocking_curve_runs_along_omega(tmp_path: Path) -> None:
    e = csv(CSV.replace("Gonio", "Omega"), tmp_path)[0]
    assert e.signal.axes == ("omega",)


def test_csv_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="announces 4 points and has 3"):
        csv(CSV.removesuffix("5.058490,2100\n"), tmp_path)
    with pytest.raises(ReadError, match="no scan points"):
        csv(CSV[: CSV.index("5.008356,2171")], tmp_path)


def rd(version: bytes, counts: np.ndarray, start: float = 5.0, step: float = 0.02) -> bytes:
    head = bytearray(250 if version == b"V3RD" else 810)
    head[:4] = version
    head[84:87] = bytes([0, 2, 3])
    struct.pack_into("<3d", head, 94, 1.936042, 1.93998, 0.5)
    head[138:146], head[146:166] = b"QUARTZ01", b"alpha quartz".ljust(20)
    end = start + step * (len(counts) - 1)
    struct.pack_into("<3d", head, 214, step, start, end)
    return bytes(head) + np.rint(10 * np.sqrt(counts)).astype("<u2").tobytes()


@pytest.mark.parametrize("version", [b"V3RD", b"V5RD"])
def test_rd(tmp_path: Path, version: bytes) -> None:
    counts = np.array([100, 400, 40_000, 1_000_000, 0.0])
    m = reads(philips_rd.READER, rd(version, counts), tmp_path)
    (e,) = m
    assert (m.sample, m.instrument) == ("alpha quartz", "Philips PW1800")
    np.testing.assert_allclose(e["two_theta"].values, [5, 5.02, 5.04, 5.06, 5.08])
    assert (e.signal.unit, e.signal.values.tolist()) == ("counts", counts.tolist())
    assert e.conditions["xray_source_element"] == Quantity("Fe")
    assert e.conditions["xray_focus"] == Quantity("long fine focus")
    assert e.conditions["wavelength"] == Quantity(1.936042, "angstrom")
    assert e.conditions["k_alpha_ratio"] == Quantity(0.5, "")
    assert e.conditions["scan_mode"] == Quantity("step")
    with pytest.raises(ReadError, match="cut off"):
        reads(philips_rd.READER, rd(version, counts)[:-2], tmp_path)


def test_rd_of_a_continuous_scan_has_its_points_in_the_middles(tmp_path: Path) -> None:
    """As Philips' own UDF has them; by the ends, the file is one count short and all is half a step off."""
    data = bytearray(rd(b"V3RD", np.array([100, 400, 900.0])))
    data[126] = 1
    struct.pack_into("<d", data, 230, 5.06)
    (e,) = reads(philips_rd.READER, bytes(data), tmp_path)
    np.testing.assert_allclose(e["two_theta"].values, [5.01, 5.03, 5.05])
    assert e.conditions["scan_mode"] == Quantity("continuous")


def test_rd_of_the_first_version_has_packed_angles(tmp_path: Path) -> None:
    data = bytearray(rd(b"V3RD", np.array([100, 400, 900.0])))
    data[:4] = b"D3RD"
    data[94:118] = bytes(24)
    struct.pack_into("<3h", data, 128, 4, 1000, 1008)
    data[214:238] = bytes(24)
    m = reads(philips_rd.READER, bytes(data), tmp_path)
    np.testing.assert_allclose(m[0]["two_theta"].values, [5, 5.02, 5.04])
    assert "xray_source_element" not in m[0].conditions
    assert any("code 2 of the anode" in w for w in m.warnings)


def test_rd_of_steps_that_are_none_is_refused(tmp_path: Path) -> None:
    for step in (0.0, -0.02, float("nan"), 1e-12):
        data = bytearray(rd(b"V3RD", np.ones(4)))
        struct.pack_into("<d", data, 214, step)
        with pytest.raises(ReadError, match="damaged"):
            reads(philips_rd.READER, bytes(data), tmp_path)


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    for reader, data in (
        (panalytical_csv.READER, CSV.encode()),
        (philips_rd.READER, rd(b"V3RD", np.arange(50.0))),
    ):
        cut(reader, data, tmp_path / f"cut_{reader.name}", parts=60)
        damage(reader, data, tmp_path / f"damaged_{reader.name}", turns=200, within=len(data))
