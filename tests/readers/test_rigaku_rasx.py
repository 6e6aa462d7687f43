"""Rigaku .rasx: the shipped real file against two other readers' numbers, and archives of several ranges."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.rigaku_rasx import READER

REAL = "JO_KL_16_ZF_3_60deg_0.02step_12degpermin_001.rasx"


def test_the_real_file_gives_the_numbers_other_readers_give(examples: Path) -> None:
    """geddes 1.0.1 and fairmat-readers-xrd 0.0.10 gave the same points."""
    src = RawInput(examples / "diffraction" / REAL)
    assert READER.sniff(src) == CERTAIN
    m = READER.read(src)
    (e,) = m.entries
    x, y = e["two_theta"].values, e.signal
    assert (len(x), x[0], x[-1]) == (2851, 3.0, 60.0)
    assert (y.values[0], y.values[-1], y.values.sum(), y.values.max()) == (2589, 119, 1042277, 34423)
    assert y.unit == "counts"
    c = e.conditions
    assert c["xray_tube_voltage"] == Quantity(40.0, "kV")
    assert c["xray_tube_current"] == Quantity(50.0, "mA")
    assert c["xray_source_element"] == Quantity("Cu")
    assert c["wavelength"] == Quantity(1.540593, "angstrom")
    assert c["scan_axis"] == Quantity("two_theta/theta")
    assert c["scan_speed"] == Quantity(12.0, "deg/min")
    assert c["step_size"] == Quantity(0.02, "deg")
    assert c["goniometer_radius"] == Quantity(300.0, "mm")
    assert c["divergence_slit"].value == pytest.approx(1 / 6)
    assert c["incident_soller_slit"] == Quantity(2.5, "deg")
    assert c["filter"] == Quantity("Cu_K-beta_1D")
    assert c["detector"] == Quantity("DteX250(H)")
    assert c["duration"] == Quantity(326.0, "s")
    assert "omega" not in c
    assert (m.sample, m.operator, m.instrument) == ("JO_KL_16_ZF", "Martin Group", "SmartLab")
    assert m.started is not None
    assert m.started.isoformat() == "2025-03-07T13:28:15+00:00"
    assert e.original_metadata["ScanInformation"]["Mode"] == "CONTINUOUS"
    assert len(e.original_metadata["Axes"]["Axis"]) == 92
    assert m.warnings == ()


def conditions(axis: str = "TwoThetaTheta", unit: str = "counts", **axes: float) -> str:
    made = "".join(f'<Axis Name="{n}" Unit="deg" Position="{p}" State="Fixed"/>' for n, p in axes.items())
    return (
        "<MeasurementConditions><GeneralInformation><SampleName>S</SampleName></GeneralInformation>"
        f"<Axes>{made}</Axes><ScanInformation><AxisName>{axis}</AxisName><PositionUnit>deg</PositionUnit>"
        f"<IntensityUnit>{unit}</IntensityUnit></ScanInformation></MeasurementConditions>"
    )


@pytest.fixture
def read(tmp_path: Path):
    def read(members: dict[str, str]) -> Measurement:
        path = tmp_path / "a.rasx"
        with zipfile.ZipFile(path, "w") as z:
            for name, text in members.items():
                z.writestr(name, text)
        src = RawInput(path)
        assert READER.sniff(src) == CERTAIN
        return READER.read(src)

    return read


def test_ranges_come_in_the_order_of_their_numbers(read) -> None:
    """Data10 comes after Data2, and a pole figure's ring belongs to its own χ."""
    members = {}
    for i in (0, 1, 2, 10):
        members[f"Data{i}/Profile{i}.txt"] = f"\ufeff0\t{i}\t1\r\n1\t5\t1\r\n"
        members[f"Data{i}/MesurementConditions{i}.xml"] = conditions("Phi", Chi=5.0 * min(i, 3))
    (e,) = read(members).entries
    assert [a.name for a in e.axes] == ["chi", "phi"]
    np.testing.assert_array_equal(e["chi"].values, [0, 5, 10, 15])
    np.testing.assert_array_equal(e.signal.values[:, 0], [0, 1, 2, 10])


def test_attenuation_and_rates(read) -> None:
    members = {
        "Data0/Profile0.txt": "1\t2\t10\n2\t3\t1\n",
        "Data0/MesurementConditions0.xml": conditions(unit="cps"),
    }
    e = read(members)[0]
    np.testing.assert_array_equal(e.signal.values, [20, 3])
    assert e.signal.unit == "count/s"


def test_detector_images_are_said_to_stay_in_the_raw_file(read) -> None:
    members = {
        "Data0/Profile0.txt": "1\t2\t1\n2\t3\t1\n",
        "Data0/MesurementConditions0.xml": conditions(),
        "Data1/Image0.bin": "....",
        "Data1/MesurementConditions0.xml": conditions(),
    }
    assert "1 detector images" in read(members).warnings[0]
    with pytest.raises(ReadError, match="no Profile"):
        read({k: v for k, v in members.items() if not k.startswith("Data0")})


def test_what_is_wrong_is_said(read) -> None:
    good = {"Data0/Profile0.txt": "1\t2\t1\n2\t3\t1\n", "Data0/MesurementConditions0.xml": conditions()}
    with pytest.raises(ReadError, match="rows of 3"):
        read(good | {"Data0/Profile0.txt": "1\t2\t1\n2\t3\n"})
    with pytest.raises(ReadError, match="not numbers"):
        read(good | {"Data0/Profile0.txt": "a\tb\tc\n"})
    with pytest.raises(ReadError, match="XML"):
        read(good | {"Data0/MesurementConditions0.xml": "<MeasurementConditions>"})
    with pytest.raises(ReadError, match="not its conditions"):
        read(good | {"Data1/Profile1.txt": "1\t2\t1\n"})


def test_other_archives_are_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("Data0/Profile0.txt", "1 2")
    assert READER.sniff(RawInput(path)) == NO
