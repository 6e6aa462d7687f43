"""Asylum Research: what someone with an MFP-3D or a Cypher would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage
from tests.readers.test_igor import new_wave

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput
from zairyo.readers.asylum_ibw import READER
from zairyo.readers.invariants import check

REAL = "afm-ibw/fmt-igor-fd_U3_3_p10004.ibw"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_real_numbers(instruments: Path) -> None:
    """Equal to afmformats 0.18.7, which turns the sign of the heights."""
    m = read(instruments / REAL)
    (entry,) = m
    assert (entry.technique, entry.x, entry.default) == ("afm_force", "height_measured", "force")
    force, measured, height = (entry[n].values for n in ("force", "height_measured", "height"))
    assert force.size == 10097
    assert (force[0], force[-1]) == pytest.approx((-2.8047433264788424e-09, -2.806346488526401e-09), rel=1e-6)
    assert force.sum(dtype=float) == pytest.approx(0.00016259661060757935, rel=1e-6)
    assert force.max() == pytest.approx(1.7784070394100127e-07, rel=1e-6)
    assert (measured[0], measured[-1]) == pytest.approx(
        (-6.4155087784456555e-06, -6.098768608353566e-06), rel=1e-6
    )
    assert measured.sum(dtype=float) == pytest.approx(-0.02537386864423752, rel=1e-6)
    assert (height[0], height[-1]) == pytest.approx((-6.41493124931003e-06, -6.098958237998886e-06), rel=1e-6)
    assert [entry[n].unit for n in ("force", "height", "time", "deflection")] == ["N", "m", "s", "m"]


def test_how_and_when(instruments: Path) -> None:
    m = read(instruments / REAL)
    (entry,) = m
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["spring_constant"] == (0.31451, "N/m")
    assert told["deflection_sensitivity"] == (2.0364e-07, "m/V")
    assert told["approach_speed"] == (1.9841e-06, "m/s")
    assert told["setpoint"] == (1.8e-07, "N")
    assert told["imaging_mode"] == ("Contact", None)
    segment = entry["segment"].values
    assert segment[[0, 5057, 5058, -1]].tolist() == ["approach", "approach", "retract", "retract"]
    assert entry["time"].values[-1] == pytest.approx(5.048)
    assert m.instrument == "Asylum Research MFP3D"
    assert str(entry.started) == "2018-05-01 18:18:49"
    assert m.original_metadata["note"]["HasClickRing"] == "1"  # type: ignore[call-overload, index]


def test_cut_off_and_damaged(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / REAL).read_bytes()
    assert not cut(READER, data, tmp_path / "cut.ibw")
    damage(READER, data, tmp_path / "broken.ibw", within=500)


NOTE = (
    "VerDate:1\rMicroscopeModel:Cypher\rImagingMode:AC Mode\rScanSize:2e-06\rScanRate:1\rSpringConstant:{k}\r"
)


def note(text: str = "", k: str = "2") -> bytes:
    return (NOTE.format(k=k) + text).encode()


def test_image_of_every_channel_there_and_back(tmp_path: Path) -> None:
    values: Any = (np.arange(12).reshape(3, 2, 2) * 1e-8).astype("<f4")  # x, y, channel
    labels = [b"", b"HeightRetrace", b"PhaseTrace"]
    axes = [(0.0, 1e-6, b"m"), (0.0, 5e-7, b"m"), (0.0, 1.0, b"")]
    more = "AmplitudeSetpointVolts:0.8\rDriveFrequency:75000\rScanDown:1\r"
    path = tmp_path / "a.ibw"
    path.write_bytes(new_wave(values, 2, axes=axes, labels=labels, note=note(more), unit=b"m"))
    (entry,) = read(path)
    assert (entry.technique, entry.default) == ("afm", "height_retrace")
    assert entry["height_retrace"].values.tolist() == values[:, :, 0].T.tolist()
    assert (entry["height_retrace"].unit, entry["phase"].unit) == ("m", "deg")
    assert entry["x"].values == pytest.approx([0, 1e-6, 2e-6])
    assert entry["y"].values == pytest.approx([0, 5e-7])  # the first line is the lowest
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["setpoint"] == (0.8, "V")
    assert told["drive_frequency"] == (75000.0, "Hz")
    assert told["scan_size_x"] == (2e-6, "m")
    assert told["scan_direction"] == ("down", None)


def test_image_of_software_before_2011(tmp_path: Path) -> None:
    """It names no microscope and no date, and its height sensor is in volts."""
    values: Any = np.array([[[1e-7, 1.2]] * 2] * 3, dtype="<f4")  # x, y, channel
    labels = [b"", b"HeightTrace", b"ZSensorTrace"]
    axes = [(0.0, 1e-9, b"m"), (0.0, 1e-9, b"m"), (0.0, 1.0, b"")]
    old = b"ScanSize: 8e-07\rFastScanSize: 8e-07\rScanRate: 1.1161\rInvOLS: 1e-07\rSpringConstant: 1e-06\r"
    path = tmp_path / "a.ibw"
    path.write_bytes(new_wave(values, 2, axes=axes, labels=labels, note=old, unit=b"m"))
    m = read(path)
    assert (m[0]["height"].unit, m[0]["height_measured"].unit) == ("m", None)
    assert "volts" in m.warnings[0]
    assert str(m[0].conditions["scan_size_x"]) == "8e-07 m"


@pytest.mark.parametrize("k", ["NaN", "0", ""])
def test_missing_spring_constant_costs_only_the_newtons(tmp_path: Path, k: str) -> None:
    values = np.arange(8).reshape(4, 2).astype("<f4")
    data = new_wave(
        values, 2, labels=[b"", b"Raw", b"Defl"], note=note("Indexes:0,1,3\rDirection:NaN,1,-1\r", k)
    )
    (tmp_path / "a.ibw").write_bytes(data)
    m = read(tmp_path / "a.ibw")
    assert (m[0].default, m[0].signal.unit) == ("deflection", "m")
    assert "spring constant" in m.warnings[0]
    assert m[0]["segment"].values.tolist() == ["approach", "approach", "retract", "retract"]


def test_dwell_and_curves_without_marks(tmp_path: Path) -> None:
    values = np.arange(12).reshape(6, 2).astype("<f4")
    data = new_wave(
        values, 2, labels=[b"", b"Raw", b"DeflV"], note=note("Indexes:0,1,3,5\rDirection:NaN,1,0,-1\r")
    )
    (tmp_path / "a.ibw").write_bytes(data)
    entry = read(tmp_path / "a.ibw")[0]
    assert entry["segment"].values.tolist() == ["approach"] * 2 + ["pause"] * 2 + ["retract"] * 2
    assert entry["deflection_voltage"].unit == "V"
    (tmp_path / "b.ibw").write_bytes(
        new_wave(values, 2, labels=[b"", b"Raw", b"Defl"], note=note("Indexes:9,x\r"))
    )
    m = read(tmp_path / "b.ibw")
    assert set(m[0]["segment"].values.tolist()) == {"curve"}
    assert "where the approach ends" in m.warnings[0]


def test_waves_of_others_are_not_taken(instruments: Path, tmp_path: Path) -> None:
    assert READER.sniff(RawInput(instruments / "igor/Norm_0057.ibw")) == NO
    (tmp_path / "a").write_bytes(new_wave(np.zeros(3, "<f4"), 2, note=b"[SES]\rLens Mode=Angular"))
    assert READER.sniff(RawInput(tmp_path / "a")) == NO
