"""Bruker .brml: the shipped real file against other readers' numbers, and layouts of other detectors."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.bruker_brml import READER


def test_the_real_file_gives_the_numbers_other_readers_give(examples: Path) -> None:
    """geddes 1.0.1 and fairmat-readers-xrd 0.0.10 gave the same counts."""
    src = RawInput(examples / "diffraction" / "TiOF.brml")
    assert READER.sniff(src) == CERTAIN
    m = READER.read(src)
    (e,) = m.entries
    x, y = e["two_theta"].values, e.signal
    assert (len(x), x[0], x[-1]) == (2469, 9.998839261, 60.012776015)
    assert (y.values[0], y.values[-1], y.values.sum(), y.values.max()) == (4471, 692, 5856036, 8170)
    assert y.unit == "counts"
    c = e.conditions
    assert c["xray_tube_voltage"] == Quantity(30.0, "kV")
    assert c["xray_tube_current"] == Quantity(10.0, "mA")
    assert c["xray_source_element"] == Quantity("Cu")
    assert c["wavelength"] == Quantity(1.5406, "angstrom")
    assert c["k_alpha_ratio"] == Quantity(0.5, "")
    assert c["goniometer_radius"] == Quantity(141.0, "mm")
    assert c["time_per_step"] == Quantity(124.8, "s")  # 192 channels, each 0.65 s
    assert c["dwell_time"] == Quantity(0.65, "s")
    assert c["scan_axis"] == Quantity("two_theta/theta")
    assert c["sample_rotation_speed"] == Quantity(5.0, "rpm")
    assert c["phi"] == Quantity(7.70625, "deg")
    assert c["detector"] == Quantity("Lynxeye (1D mode)")
    assert c["duration"].value == pytest.approx(1794.306, abs=1e-3)
    assert (m.sample, m.operator) == ("TiOF 18F.2", "Lab Manager")
    assert m.instrument == "Bruker AXS D2 PHASER Table Top Diffractometer"
    assert m.started is not None
    assert m.started.isoformat() == "2025-02-26T10:47:52.870879+00:00"
    assert e.original_metadata["DataRoutes"]["DataRoute"]["ScanInformation"]["MeasurementPoints"] == "2469"
    assert "Datum" not in e.original_metadata["DataRoutes"]["DataRoute"]
    assert m.warnings == ()


AXIS = (
    '<ScanAxisInfo AxisId="{0}" Unit="°"><Reference>0</Reference>'
    "<Start>{1}</Start><Increment>{2}</Increment></ScanAxisInfo>"
)
TIME = '<RawDataView xsi:type="FixedRawDataView" Start="0" Length="1" LogicName="MeasuredTime" Unit="s"/>'
ABSORBER = (
    '<RawDataView xsi:type="FixedRawDataView" Start="1" Length="1" LogicName="AbsorptionFactor" Unit=""/>'
)


def varying(start: int, *axes: str) -> str:
    fields = "".join(f'<FieldDefinitions FieldName="{a}" AxisId="{a}"/>' for a in axes)
    return (
        f'<RawDataView xsi:type="VaryingRawDataView" Start="{start}" Length="{len(axes)}">'
        f'<Varying LogicName="ScanAxes">{fields}</Varying></RawDataView>'
    )


def recorded(
    start: int, length: int = 1, name: str = "Counter0D", base: str = "Counts", rows: int = 1
) -> str:
    return (
        f'<RawDataView xsi:type="RecordedRawDataView" Start="{start}" Length="{length}"><Recording LogicName="{name}" '
        f'VisibleName="{name}"><Unit Base="{base}"/><Size><X>{length}</X><Y>{rows}</Y></Size>'
        "<BlankingValue>-9999</BlankingValue></Recording></RawDataView>"
    )


def route(
    datums: list[str], views: str, axes: str = "", scales: str = "", name: str = "x", flag: str = "Measured"
) -> str:
    points = "".join(f"<Datum>{d}</Datum>" for d in datums)
    return (
        f'<DataRoute RouteFlag="{flag}"><ScanInformation ScanName="{name}" VisibleName="{name}">'
        f"<MeasurementPoints>{len(datums)}</MeasurementPoints><TimePerStep>0.5</TimePerStep>"
        f"<ScanAxes>{axes}</ScanAxes><ScaleAxes>{scales}</ScaleAxes></ScanInformation>{points}"
        f"<DataViews>{views}</DataViews></DataRoute>"
    )


def raw(*routes: str, **drives: float) -> str:
    fixed = "".join(
        f'<InfoData LogicName="{n}"><Position Unit="°" Value="{v}"/></InfoData>' for n, v in drives.items()
    )
    return (
        '<?xml version="1.0"?><RawData xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        "<MeasurementStatus>Measured</MeasurementStatus>"
        f"<DataRoutes>{''.join(routes)}</DataRoutes><FixedInformation><Drives>{fixed}</Drives></FixedInformation></RawData>"
    )


@pytest.fixture
def read(tmp_path: Path):
    def read(*parts: str, more: dict[str, bytes] | None = None, listed: int | None = None) -> Measurement:
        path = tmp_path / "a.brml"
        names = [f"Experiment0/RawData{i}.xml" for i in range(len(parts) if listed is None else listed)]
        references = "".join(f"<string>{n}</string>" for n in names)
        with zipfile.ZipFile(path, "w") as z:
            z.writestr(
                "Experiment0/DataContainer.xml",
                f"<DataContainer><RawDataReferenceList>{references}</RawDataReferenceList>"
                '<MeasurementInfo SampleName="S"/></DataContainer>',
            )
            for i, part in enumerate(parts):
                z.writestr(f"Experiment0/RawData{i}.xml", part)
            for name, data in (more or {}).items():
                z.writestr(name, data)
        return READER.read(RawInput(path))

    return read


def test_columns_are_where_the_data_views_say(read) -> None:
    """Counts in column 7 and 2θ in column 2, as D8 files with a temperature stage have them."""
    views = TIME + ABSORBER + varying(2, "TwoTheta", "Theta")
    views += recorded(4, name="modeActualTemp", base="Celsius") + recorded(5, name="Counter0D")
    rows = ["2,1,10,5,25.5,100", "3,1,11,5.5,26,110"]
    axes = AXIS.format("TwoTheta", 10, 1) + AXIS.format("Theta", 5, 0.5)
    e = read(raw(route(rows, views, axes, name="LockedCoupled")))[0]
    np.testing.assert_array_equal(e["two_theta"].values, [10, 11])
    np.testing.assert_array_equal(e.signal.values, [100, 110])
    np.testing.assert_array_equal(e["modeactualtemp"].values, [25.5, 26])
    np.testing.assert_array_equal(e["time_per_step"].values, [2, 3])


def test_the_absorber_s_factor_is_kept_and_not_applied_twice(read) -> None:
    views = TIME + ABSORBER + varying(2, "TwoTheta") + recorded(3)
    e = read(raw(route(["1,90,0.1,9000", "1,1,0.2,500"], views, AXIS.format("TwoTheta", 0.1, 0.1))))[0]
    np.testing.assert_array_equal(e.signal.values, [9000, 500])
    np.testing.assert_array_equal(e["attenuation"].values, [90, 1])


def test_a_rocking_curve_runs_along_omega(read) -> None:
    views = TIME + varying(1, "Theta") + recorded(2)
    e = read(raw(route(["1,17,5", "1,17.1,6"], views, AXIS.format("Theta", 17, 0.1)), TwoTheta=34.5))[0]
    assert e.axes[0].name == "omega"
    assert e.conditions["two_theta"] == Quantity(34.5, "deg")
    assert e.conditions["scan_axis"] == Quantity("omega")


def test_what_was_measured_is_taken_and_not_what_was_processed(read) -> None:
    views = TIME + varying(1, "TwoTheta") + recorded(2)
    axes = AXIS.format("TwoTheta", 1, 1)
    final = route(["1,1,99", "1,2,99"], views, axes, flag="Processed")
    m = read(raw(final, route(["1,1,5", "1,2,6"], views, axes)))
    assert len(m) == 1
    np.testing.assert_array_equal(m[0].signal.values, [5, 6])


SCALE = (
    '<ScaleAxisInfo AxisId="TwoTheta_Relative">'
    "<Start>-1</Start><Stop>1</Stop><Increment>1</Increment></ScaleAxisInfo>"
)


def test_frames_of_a_strip_detector_that_stands_still_make_a_map(read) -> None:
    views = TIME + varying(1, "TwoTheta") + recorded(2, 3)
    parts = [
        raw(route([f"1,30,{i},7,8"], views, AXIS.format("TwoTheta", 30, 0), SCALE), Theta=15 + 0.1 * i)
        for i in range(3)
    ]
    (e,) = read(*parts).entries
    assert [a.name for a in e.axes] == ["omega", "two_theta"]
    np.testing.assert_array_equal(e["two_theta"].values, [29, 30, 31])
    np.testing.assert_allclose(e["omega"].values, [15, 15.1, 15.2])
    np.testing.assert_array_equal(e.signal.values, [[0, 7, 8], [1, 7, 8], [2, 7, 8]])


def test_a_strip_detector_s_channels_along_a_scan(read) -> None:
    views = TIME + varying(1, "Theta") + recorded(2, 3)
    rows = ["1,10,1,2,3", "1,11,4,5,6"]
    (e,) = read(raw(route(rows, views, AXIS.format("Theta", 10, 1), SCALE), TwoTheta=30)).entries
    assert [a.name for a in e.axes] == ["omega", "two_theta_relative"]
    np.testing.assert_array_equal(e.signal.values, [[1, 2, 3], [4, 5, 6]])


SPAN = (
    '<ScanAxisInfo AxisId="TwoTheta" Unit="°"><Reference>64</Reference>'
    "<Start>-0</Start><Stop>1.5</Stop><Increment>0.5</Increment></ScanAxisInfo>"
)


def test_a_reciprocal_space_map_of_fixed_frames_has_each_channel_s_angle(read) -> None:
    """``PSD fixed`` of a D8: the scan axis is what the channels span, not where the aligned drive says it stands."""
    space = varying(2, "H", "K", "L").replace('Length="3"', 'Length="9"').replace("ScanAxes", "RecSpace")
    views = TIME + varying(1, "TwoTheta") + space + recorded(5, 3)
    parts = [
        raw(route([f"9,69.129,0,0,4,{i},7,8"], views, SPAN, name="PsdFixed"), Theta=32 + 0.1 * i)
        for i in range(4)
    ]
    m = read(*parts)
    (e,) = m.entries
    assert e.signal.axes == ("omega", "two_theta")
    np.testing.assert_array_equal(e["two_theta"].values, [64, 64.5, 65])
    np.testing.assert_allclose(e["omega"].values, [32, 32.1, 32.2, 32.3])
    np.testing.assert_array_equal(e.signal.values[:, 0], [0, 1, 2, 3])
    assert e.signal.unit == "counts"
    assert len(m.warnings) == 1  # one sentence for all frames
    assert "'RecSpace'" in m.warnings[0]


def test_first_versions_have_their_points_at_the_root(read) -> None:
    views = TIME + varying(1, "TwoTheta") + recorded(2)
    made = raw(route(["1,1,5", "1,2,6"], views, AXIS.format("TwoTheta", 1, 1)))
    for part in ("<DataRoutes>", "</DataRoutes>", '<DataRoute RouteFlag="Measured">', "</DataRoute>"):
        made = made.replace(part, "")
    e = read(made)[0]
    np.testing.assert_array_equal(e["two_theta"].values, [1, 2])
    np.testing.assert_array_equal(e.signal.values, [5, 6])


def test_counts_in_a_binary_part(read) -> None:
    view = recorded(0, 2).replace("RecordedRawDataView", "ExtMemoryRecordedRawDataView")
    link = '<ScanDataExternalLink LinkType="MemoryMapped" Location="@\\MemoryMappedFiles" Name="a.bin"/>'
    made = route(["1,10", "1,11"], TIME + varying(1, "Theta") + view, AXIS.format("Theta", 10, 1))
    part = raw(made.replace("<DataViews>", link + "<DataViews>"))
    counts = np.arange(4, dtype="<f8")
    e = read(part, more={"MemoryMappedFiles/a.bin": counts.tobytes()})[0]
    np.testing.assert_array_equal(e.signal.values, counts.reshape(2, 2))
    with pytest.raises(ReadError, match="no scan"):
        read(part, more={"MemoryMappedFiles/a.bin": counts.tobytes()[:-3]})


def test_detector_images_and_blanked_values_are_told(read) -> None:
    views = TIME + varying(1, "TwoTheta") + recorded(2) + recorded(3, 2, rows=2)
    m = read(raw(route(["1,1,5,0,0", "1,2,-9999,0,0"], views, AXIS.format("TwoTheta", 1, 1))))
    assert np.isnan(m[0].signal.values[1])
    assert any("frames" in w for w in m.warnings)
    assert any("not recorded" in w for w in m.warnings)


def test_positions_from_the_scan_s_plan_where_no_column_has_them(read) -> None:
    e = read(raw(route(["1,5", "1,6"], TIME + recorded(1), AXIS.format("TwoTheta", 20, 0.5))))[0]
    np.testing.assert_array_equal(e["two_theta"].values, [20, 20.5])


def test_what_is_wrong_is_said(read) -> None:
    views = TIME + varying(1, "TwoTheta") + recorded(2)
    axes = AXIS.format("TwoTheta", 1, 1)
    with pytest.raises(ReadError, match="point 2 has 2 numbers"):
        read(raw(route(["1,1,5", "1,2"], views, axes)))
    with pytest.raises(ReadError, match="empty fields"):
        read(raw(route(["1,1,5", "1,,6"], views, axes)))
    with pytest.raises(ReadError, match="lacks"):
        read(raw(route(["1,1,5"], views, axes)), listed=2)
    with pytest.raises(ReadError, match="no scan"):
        read(raw(route([], views, axes)))
    with pytest.raises(ReadError, match="DataRoute"):
        read(raw())
    with pytest.raises(ReadError, match="cut off"):
        read(raw(route(["1,1,5"], views, axes))[:-30])
