"""PANalytical .xrdml: real files against numbers that two other readers gave, and the schema's variants."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.panalytical_xrdml import READER

# points, first and last 2θ, sum and maximum of counts: geddes 1.0.1 agrees on all of them
GOLDEN = {
    "HL1-2_5-90_60min.xrdml": (6474, 5.00116514, 89.99348491, 7388773, 10841, 133.62),
    "Scan_C2.xrdml": (7181, 5.00475563, 124.99166689, 2631694, 24034, 15.24),
    "Scan_C3.xrdml": (7181, 5.00475563, 124.99166689, 2628204, 24157, 15.24),
    "Scan_C4.xrdml": (7181, 5.00475563, 124.99166689, 2630434, 24270, 15.24),
    "Scan_C5.xrdml": (7181, 5.00475563, 124.99166689, 2629964, 24492, 15.24),
    "Scan_C6.xrdml": (7181, 5.00475563, 124.99166689, 2633405, 24211, 15.24),
    "Scan_C8.xrdml": (7181, 5.00475563, 124.99166689, 2631913, 24304, 15.24),
    "Scan_C9.xrdml": (7181, 5.00475563, 124.99166689, 2633389, 24267, 15.24),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_real_files_give_the_numbers_other_readers_give(instruments: Path, name: str) -> None:
    src = RawInput(instruments / "xrdml" / name)
    assert READER.sniff(src) == CERTAIN
    m = READER.read(src)
    points, first, last, total, most, time = GOLDEN[name]
    (e,) = m.entries
    assert e.technique == "xrd"
    x, y = e["two_theta"], e.signal
    assert (x.unit, y.name, y.unit, y.axes) == ("deg", "intensity", "counts", ("two_theta",))
    assert len(x.values) == points
    np.testing.assert_allclose([x.values[0], x.values[-1]], [first, last], rtol=0, atol=1e-9)
    assert (y.values.sum(), y.values.max()) == (total, most)
    assert e.conditions["time_per_step"] == Quantity(time, "s")
    assert m.warnings == ()


def test_conditions_and_names(instruments: Path) -> None:
    m = READER.read(RawInput(instruments / "xrdml" / "HL1-2_5-90_60min.xrdml"))
    c = m[0].conditions
    assert c["xray_tube_voltage"] == Quantity(45.0, "kV")
    assert c["xray_tube_current"] == Quantity(40.0, "mA")
    assert c["xray_source_element"] == Quantity("Cu")
    assert c["wavelength"] == Quantity(1.540598, "angstrom")
    assert c["wavelength_k_alpha_2"] == Quantity(1.544426, "angstrom")
    assert c["k_alpha_ratio"] == Quantity(0.5, "")
    assert c["goniometer_radius"] == Quantity(240.0, "mm")
    assert c["divergence_slit"] == Quantity(0.125, "deg")  # only its name says 1/8°
    assert c["scan_axis"] == Quantity("two_theta/theta")
    assert c["duration"] == Quantity(3590.0, "s")
    assert c["step_size"].unit == "deg"
    assert c["step_size"].value == pytest.approx(84.99231977 / 6473, abs=1e-8)
    assert (m.operator, m.instrument) == ("Joshua Bocarsly", "EMPYREAN")
    assert m.started == datetime(2024, 3, 8, 11, 13, 20, tzinfo=timezone(timedelta(hours=-6)))
    assert m.original_metadata["comment"]["entry"][0].startswith("Configuration=Stage for flat samples")
    assert m[0].original_metadata["dataPoints"]["positions"][0]["startPosition"] == "5.00116514"
    assert "counts" not in m[0].original_metadata["dataPoints"]


def xrdml(*scans: str, version: str = "1.5", measurement: str = "") -> str:
    ns = f' xmlns="http://www.xrdml.com/XRDMeasurement/{version}"' if version else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><xrdMeasurements{ns} status="Completed">'
        f'<sample><id>42</id><name>GaN</name></sample><xrdMeasurement measurementType="Scan">{measurement}'
        f"{''.join(scans)}</xrdMeasurement></xrdMeasurements>"
    )


def one(points: str, axis: str = "Gonio", status: str = "Completed", more: str = "") -> str:
    return (
        f'<scan appendNumber="0" mode="Continuous" scanAxis="{axis}" status="{status}">'
        f"<dataPoints>{points}</dataPoints>{more}</scan>"
    )


def span(axis: str, start: float, end: float) -> str:
    return (
        f'<positions axis="{axis}" unit="deg"><startPosition>{start}</startPosition>'
        f"<endPosition>{end}</endPosition></positions>"
    )


def still(axis: str, at: float, unit: str = "deg") -> str:
    return f'<positions axis="{axis}" unit="{unit}"><commonPosition>{at}</commonPosition></positions>'


COUNTS = '<intensities unit="counts">1 2 3</intensities>'


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str | bytes) -> Measurement:
        path = tmp_path / "a.xrdml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return READER.read(RawInput(path))

    return read


@pytest.mark.parametrize("version", ["1.0", "1.7", "2.0", "2.3", ""])
def test_every_schema_version_is_read(read, version: str) -> None:
    m = read(xrdml(one(span("2Theta", 10, 12) + span("Omega", 5, 6) + COUNTS), version=version))
    np.testing.assert_array_equal(m[0]["two_theta"].values, [10, 11, 12])
    assert m.sample == "GaN"


def test_attenuated_counts_are_multiplied_and_intensities_are_not(read) -> None:
    """Up to schema 1.x <intensities> are corrected already; <counts> of 2.x are what the detector gave."""
    factors = "<beamAttenuationFactors>100 1 1</beamAttenuationFactors>"
    raw = read(xrdml(one(span("2Theta", 1, 3) + factors + '<counts unit="counts">1 2 3</counts>')))
    np.testing.assert_array_equal(raw[0].signal.values, [100, 2, 3])
    np.testing.assert_array_equal(raw[0]["attenuation"].values, [100, 1, 1])
    done = read(xrdml(one(span("2Theta", 1, 3) + factors + COUNTS)))
    np.testing.assert_array_equal(done[0].signal.values, [1, 2, 3])
    common = "<commonBeamAttenuationFactor>10</commonBeamAttenuationFactor>"
    every = read(xrdml(one(span("2Theta", 1, 3) + common + '<counts unit="counts">1 2 3</counts>')))
    np.testing.assert_array_equal(every[0].signal.values, [10, 20, 30])


def test_divergence_corrections_are_kept_and_said_not_to_be_applied(read) -> None:
    points = "<divergenceCorrections>1 2 3</divergenceCorrections><counts>5 5 5</counts>"
    m = read(xrdml(one(span("2Theta", 1, 3) + points)))
    np.testing.assert_array_equal(m[0].signal.values, [5, 5, 5])
    np.testing.assert_array_equal(m[0]["divergence_correction"].values, [1, 2, 3])
    assert "divergence" in m.warnings[0]


def test_listed_positions_and_counting_times(read) -> None:
    listed = '<positions axis="2Theta" unit="deg"><listPositions>10 11 13.5</listPositions></positions>'
    times = '<countingTimes unit="seconds">1 2 4</countingTimes>'
    e = read(xrdml(one(listed + times + COUNTS)))[0]
    np.testing.assert_array_equal(e["two_theta"].values, [10, 11, 13.5])
    np.testing.assert_array_equal(e["time_per_step"].values, [1, 2, 4])
    assert e["time_per_step"].unit == "s"
    assert "step_size" not in e.conditions
    assert "time_per_step" not in e.conditions


def test_rocking_curve_phi_scan_and_height_scan_run_along_their_own_axis(read) -> None:
    omega = read(xrdml(one(still("2Theta", 34.5) + span("Omega", 16, 18) + COUNTS, axis="Omega")))[0]
    assert omega.axes[0].name == "omega"
    assert omega.conditions["two_theta"] == Quantity(34.5, "deg")
    phi = read(xrdml(one(still("2Theta", 34.5) + span("Phi", -180, 180) + COUNTS, axis="Phi")))[0]
    np.testing.assert_array_equal(phi["phi"].values, [-180, 0, 180])
    z = '<positions axis="Z" unit="mm"><startPosition>0</startPosition><endPosition>1</endPosition></positions>'
    height = read(xrdml(one(z + COUNTS, axis="Z")))[0]
    assert (height.axes[0].name, height.axes[0].unit) == ("z", "mm")


def test_omega_offset_of_a_coupled_scan_is_a_condition(read) -> None:
    e = read(xrdml(one(span("2Theta", 30, 32) + span("Omega", 20, 21) + COUNTS, axis="2Theta-Omega")))[0]
    assert e.conditions["omega_offset"] == Quantity(5.0, "deg")
    assert e.conditions["scan_axis"] == Quantity("two_theta/omega")


def test_a_reciprocal_space_map_is_one_entry_with_two_axes(read) -> None:
    scans = [
        one(
            still("Omega", 15 + 0.1 * i) + span("2Theta", 30, 32) + f"<counts>{i} 2 3</counts>", axis="2Theta"
        )
        for i in range(4)
    ]
    (e,) = read(xrdml(*scans, version="2.0")).entries
    assert [a.name for a in e.axes] == ["omega", "two_theta"]
    np.testing.assert_allclose(e["omega"].values, [15, 15.1, 15.2, 15.3])
    assert e.signal.axes == ("omega", "two_theta")
    np.testing.assert_array_equal(e.signal.values[:, 0], [0, 1, 2, 3])
    assert len(e.original_metadata["scans"]) == 4
    assert "omega" not in e.conditions


def test_a_coupled_map_is_drawn_over_its_offset(read) -> None:
    scans = [
        one(span("Omega", 15 + i, 16 + i) + span("2Theta", 30, 32) + COUNTS, axis="2Theta-Omega")
        for i in range(3)
    ]
    (e,) = read(xrdml(*scans)).entries
    np.testing.assert_allclose(e["omega_offset"].values, [0, 1, 2])


def test_a_map_of_omega_two_theta_scans_is_one_map(read) -> None:
    """The usual map of an epitaxial layer; as single scans nobody could see it, or integrate a peak in it."""
    scans = [
        one(
            span("Omega", 15 + i, 16 + i) + span("2Theta", 30, 32) + f"<counts>{i} 2 3</counts>",
            axis="Omega-2Theta",
        )
        for i in range(3)
    ]
    (e,) = read(xrdml(*scans)).entries
    assert e.signal.axes == ("omega_offset", "two_theta")
    np.testing.assert_allclose(e["omega_offset"].values, [0, 1, 2])
    np.testing.assert_allclose(e["two_theta"].values, [30, 31, 32])
    np.testing.assert_array_equal(e.signal.values[:, 0], [0, 1, 2])
    assert e.conditions["scan_axis"] == Quantity("omega/two_theta")
    assert e.conditions["step_size"] == Quantity(1.0, "deg")
    alone = read(xrdml(scans[1]))[0]
    assert alone.signal.axes == ("omega",)


def test_omega_two_theta_scans_one_behind_the_other_are_no_map(read) -> None:
    scans = [
        one(span("Omega", 15 + i, 16 + i) + span("2Theta", 30 + 2 * i, 32 + 2 * i) + COUNTS, "Omega-2Theta")
        for i in range(3)
    ]
    assert [e.signal.axes for e in read(xrdml(*scans)).entries] == [("omega",)] * 3


def test_frames_of_a_moving_strip_detector_keep_each_frame_s_angles(read) -> None:
    scans = [
        one(still("Omega", 15 + i) + span("2Theta", 30 + 2 * i, 32 + 2 * i) + COUNTS, axis="2Theta")
        for i in range(3)
    ]
    (e,) = read(xrdml(*scans)).entries
    assert [a.name for a in e.axes] == ["omega", "point"]
    np.testing.assert_array_equal(e["two_theta"].values, [[30, 31, 32], [32, 33, 34], [34, 35, 36]])


def test_a_map_stopped_in_its_last_scan_keeps_what_is_there(read) -> None:
    scans = [one(still("Omega", 15 + i) + span("2Theta", 30, 32) + COUNTS, axis="2Theta") for i in range(4)]
    cut = one(still("Omega", 19) + span("2Theta", 30, 31) + "<counts>7 8</counts>", "2Theta", "Aborted")
    m = read(xrdml(*scans, cut))
    assert [e.name for e in m] == ["map", "scan_5"]
    np.testing.assert_array_equal(m[1].signal.values, [7, 8])
    assert any("Aborted" in w for w in m.warnings)


def test_a_scan_stopped_before_its_first_point_does_not_cost_the_others(read) -> None:
    m = read(xrdml(one(span("2Theta", 30, 32) + COUNTS), one(span("2Theta", 30, 32), status="Aborted")))
    assert len(m) == 1
    np.testing.assert_array_equal(m[0].signal.values, [1, 2, 3])
    assert "has no data points (Aborted)" in m.warnings[0]


def test_repeated_and_appended_scans_are_entries_of_their_own(read) -> None:
    again = one(span("2Theta", 30, 32) + COUNTS)
    assert [e.name for e in read(xrdml(again, again))] == ["scan_1", "scan_2"]
    other = one(span("2Theta", 32, 40) + COUNTS)
    assert [e["two_theta"].values[0] for e in read(xrdml(again, other))] == [30, 32]


def test_temperature_of_a_non_ambient_series_is_its_axis(read) -> None:
    def at(kelvin: float) -> str:
        values = f"<nonAmbientValues>{kelvin - 1} {kelvin + 1}</nonAmbientValues>"
        return one(
            span("2Theta", 30, 32) + COUNTS,
            more=f'<nonAmbientPoints type="Temperature">{values}</nonAmbientPoints>',
        )

    assert read(xrdml(at(300)))[0].conditions["temperature"] == Quantity(300.0, "K", 1.0)
    (series,) = read(xrdml(at(300), at(400), at(500))).entries
    np.testing.assert_array_equal(series["temperature"].values, [300, 400, 500])
    assert series["temperature"].unit == "K"
    celsius = at(25).replace('type="Temperature"', 'type="Temperature" unit="Celsius"')
    assert read(xrdml(celsius))[0].conditions["temperature"] == Quantity(25.0, "degC", 1.0)


def test_an_odd_token_costs_that_token(read) -> None:
    counts = "<counts>" + " ".join(["7"] * 19 + ["#ERR"]) + "</counts>"
    m = read(xrdml(one(span("2Theta", 30, 32) + counts)))
    assert np.isnan(m[0].signal.values[19])
    assert m[0].signal.values[18] == 7
    assert "#ERR" in m.warnings[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (xrdml(), "no scan"),
        (xrdml(one(span("2Theta", 30, 32))), "neither"),
        (xrdml(one(span("2Theta", 30, 32) + "<counts> </counts>")), "empty"),
        (xrdml(one(span("2Theta", 30, 32) + "<counts>a b c</counts>")), "not numbers"),
        (
            xrdml(one('<positions axis="2Theta"><listPositions>1 2</listPositions></positions>' + COUNTS)),
            "3 counts",
        ),
        (xrdml(one(COUNTS))[:-20], "XML"),
        ("<html/>", "PANalytical"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><xrdMeasurements>&b;</xrdMeasurements>', "XML"),
    ],
)
def test_what_is_wrong_is_said(read, text: str, told: str) -> None:
    with pytest.raises(ReadError, match=told):
        read(text)


def test_utf_16_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "a.xrdml"
    path.write_bytes(xrdml(one(span("2Theta", 1, 3) + COUNTS)).replace("UTF-8", "UTF-16").encode("utf-16"))
    assert READER.sniff(RawInput(path)) == CERTAIN
    assert READER.read(RawInput(path)).sample == "GaN"
