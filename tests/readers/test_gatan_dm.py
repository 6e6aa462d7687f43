"""Gatan DigitalMicrograph: what a microscopist would lose if the reader were wrong."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage
from tests.readers.dm_files import dm_file, image

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers._gatan_conditions import _readings
from zairyo.readers.gatan_dm import READER
from zairyo.readers.invariants import check

FOLDER = "gatan-dm"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


def made(
    tmp_path: Path, images: list[dict[str, Any]], version: int = 3, order: str = "<", **root: Any
) -> Measurement:
    path = tmp_path / f"made.dm{version}"
    path.write_bytes(dm_file(images, version, order, **root))
    assert READER.sniff(RawInput(path)) == CERTAIN
    return read(path)


# --- real files; shapes, axes, sums and largest values are those that rosettasciio 0.15.0 gives -----------------

GOLDEN: dict[str, tuple[Any, ...]] = {
    # file: technique, shape, dtype, unit, {axis: (first, last, unit)}, sum, largest
    "Fei_HAADF-DE_location.dm3": (
        "stem", (4, 16), "uint16", None,
        {"y": (0, 3 * 0.005506073124706745, "um"), "x": (0, 15 * 0.005506073124706745, "um")}, 247752, 3954,
    ),
    "Fei_HAADF-FR_location.dm3": (
        "stem", (4, 16), "uint16", None,
        {"y": (0, 3 * 0.005506073124706745, "um"), "x": (0, 15 * 0.005506073124706745, "um")}, 247498, 3924,
    ),
    "Fei_HAADF-UK_location.dm3": (
        "stem", (4, 16), "uint16", None,
        {"y": (0, 3 * 0.005506073124706745, "um"), "x": (0, 15 * 0.005506073124706745, "um")}, 248176, 3969,
    ),
    "multi_signal.dm3": (
        "stem", (512, 512), "uint16", None,
        {"y": (0, 511 * 0.017751578241586685, "nm"), "x": (0, 511 * 0.017751578241586685, "nm")}, 949490255, 9739,
    ),
    "test-EDS_spectrum.dm3": (
        "eds", (4096,), "uint32", "counts",
        {"energy": (-0.47799998168647306, -0.47799998168647306 + 4095 * 0.004999999888241291, "keV")}, 17051, 3525,
    ),
    "test-EELS_spectrum.dm3": (
        "eels", (2048,), "float32", "counts", {"energy_loss": (-100.0, 923.5, "eV")}, -7678.557067871094, 305.02026,
    ),
    "test-MonoCL_spectrum-SI.dm4": (
        "cathodoluminescence", (67, 1336), "float32", "counts",
        {
            "x": (0, 66 * 0.020634513348340988, "um"),
            "wavelength": (811.0256562658906, 811.0256562658906 + 1335 * 0.0934361144900322, "nm"),
        }, 345947083, 36868,
    ),
    "test-MonoCL_spectrum-ccd.dm4": (
        "cathodoluminescence", (1336,), "float32", "counts",
        {"wavelength": (823.4076508028011, 823.4076508028011 + 1335 * 0.2005809098482132, "nm")}, 54745, 1208,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    technique, shape, dtype, unit, axes, total, largest = GOLDEN[name]
    path = instruments / FOLDER / name
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    entry = m[m.default]
    assert (entry.technique, entry.signal.values.shape, entry.signal.values.dtype) == (
        technique,
        shape,
        dtype,
    )
    assert entry.signal.unit == unit
    assert entry.signal.axes == tuple(axes)
    for axis, (first, last, axis_unit) in axes.items():
        found: Any = entry[axis]
        assert found.unit == axis_unit
        assert found.values[[0, -1]] == pytest.approx([first, last], rel=1e-9)
    assert entry.signal.values.sum(dtype=float) == pytest.approx(total, rel=1e-9)
    assert float(entry.signal.values.max()) == pytest.approx(largest, rel=1e-6)


def test_real_conditions(instruments: Path) -> None:
    """Without them nobody could repeat the measurement or quantify it."""
    eels = read(instruments / FOLDER / "test-EELS_spectrum.dm3")[0].conditions
    assert {
        n: (eels[n].value, eels[n].unit) for n in ("accelerating_voltage", "convergence_angle", "frames")
    } == {
        "accelerating_voltage": (200.0, "kV"),
        "convergence_angle": (21.0, "mrad"),
        "frames": (50.0, ""),
    }
    assert eels["exposure_time"].value == 7e-05
    assert eels["spectrometer"].value == "GIF Quantum ER"
    assert (eels["intensity_scale"].value, eels["intensity_unit"].value) == (0.1285347044467926, "e-")
    eds = read(instruments / FOLDER / "test-EDS_spectrum.dm3")[0].conditions
    assert (eds["live_time"].value, eds["real_time"].value, eds["elevation_angle"].value) == (
        3.806,
        4.233,
        18.0,
    )
    cl = read(instruments / FOLDER / "test-MonoCL_spectrum-SI.dm4")[0].conditions
    assert (cl["grating"].value, cl["accelerating_voltage"].value) == ("600 lines/mm", 5.0)
    assert cl["dwell_time"].value == pytest.approx(50_000)


def test_who_and_what(instruments: Path) -> None:
    m = read(instruments / FOLDER / "multi_signal.dm3")
    assert (m.title, m.sample, m.operator, m.instrument) == (
        "HAADF",
        "PrecipitateA",
        "JohnDoe",
        "Example Microscope",
    )


def test_every_image_but_the_thumbnail(instruments: Path) -> None:
    m = read(instruments / FOLDER / "multi_signal.dm3")
    assert [(e.name, e.title) for e in m.entries] == [("image", "HAADF"), ("profile", "Plot")]


@pytest.mark.parametrize(("country", "time"), [("DE", "20:54:33"), ("FR", "20:55:20"), ("UK", "20:52:30")])
def test_started_whatever_the_country(instruments: Path, country: str, time: str) -> None:
    started = read(instruments / FOLDER / f"Fei_HAADF-{country}_location.dm3").started
    assert started == datetime.fromisoformat(f"2016-08-27T{time}+01:00")


def test_ambiguous_date_is_left_open(instruments: Path) -> None:
    m = read(instruments / FOLDER / "test-MonoCL_spectrum-ccd.dm4")
    assert m.started is None
    assert "'09/11/2020' may be day or month first" in m.warnings[0]


def test_tags_are_kept(instruments: Path) -> None:
    tree: Any = read(instruments / FOLDER / "test-EELS_spectrum.dm3").original_metadata
    tags = tree["ImageList"][1]["ImageTags"]
    assert tags["EELS Spectrometer"]["Aperture label"] == "5 mm"
    assert tags["EELS"]["Acquisition"]["HQ Dark Correction"]["HQ dark correction"].startswith(
        "array of 2048 float32"
    )
    assert tree["ImageSourceList"][0]["ClassName"] == "ImageSource:Simple"
    assert tree["PageSetup"]["General"] == [1, 1000, 8500, 11000, 1000, 1000, -1000, -1000]


# --- variants -----------------------------------------------------------------------------------------------

TYPES = {
    1: "i2", 2: "f4", 3: "c8", 6: "u1", 7: "i4", 9: "i1", 10: "u2", 11: "u4", 12: "f8", 13: "c16", 39: "i8", 40: "u8",
}  # fmt: skip


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
def test_all_types_of_numbers(tmp_path: Path, version: int, order: str) -> None:
    rng = np.random.default_rng(3)
    for number, dtype in TYPES.items():
        values = (
            (rng.normal(size=(2, 3)) * 50)
            .astype(dtype.replace("u", "i") if dtype[0] == "u" else dtype)
            .astype(dtype)
        )
        m = made(
            tmp_path, [image(values, number, [(3, 1.0, 2.0, "nm"), (2, 0.0, 2.0, "nm")])], version, order
        )
        assert np.array_equal(m[0].signal.values, values)
        assert m[0].signal.values.dtype == dtype
        assert m[0]["x"].values.tolist() == [-2.0, 0.0, 2.0]


def test_binary_and_coloured(tmp_path: Path) -> None:
    mask = np.array([[0, 1], [1, 0]], "u1")
    pixels = np.array([[0x00102030, 0x00405060]], "i4")  # 0xAARRGGBB
    for order in "<>":
        dims = [(2, 0.0, 1.0, ""), (2, 0.0, 1.0, "")]
        m = made(tmp_path, [image(mask, 14, dims), image(pixels, 23, [dims[0], (1, 0.0, 1.0, "")])], 3, order)
        assert m[0].signal.values.tolist() == [[False, True], [True, False]]
        assert m[1].signal.axes == ("y", "x", "colour")
        assert m[1].signal.values.tolist() == [[[0x10, 0x20, 0x30], [0x40, 0x50, 0x60]]]


def test_packed_complex_is_a_whole_transform(tmp_path: Path) -> None:
    """The layout is the one that rosettasciio 0.15.0 unpacks (compared number by number on a random file)."""
    n = 4
    whole = np.fft.fftshift(np.fft.fft2(np.random.default_rng(5).normal(size=(2 * n, 2 * n)))).astype("c8")
    packed = whole[:, n:].copy()
    packed[:n, 0], packed[n:, 0] = whole[n:, 0], whole[n:, n]
    packed[0, 0] = whole[n, 0].real + 1j * whole[0, 0].real
    packed[n, 0] = whole[n, n].real + 1j * whole[0, n].real
    # rows of v = 1 … N−1 are behind the two real values
    m = made(tmp_path, [image(packed.view("f4"), 5, [(2 * n, 4.0, 0.1, "1/nm"), (2 * n, 4.0, 0.1, "1/nm")])])
    assert m[0].signal.values == pytest.approx(whole, rel=1e-5, abs=1e-5)


def test_spectrum_image_has_its_spectra_last(tmp_path: Path) -> None:
    values = np.arange(150 * 13 * 11, dtype="u2").reshape(
        150, 13, 11
    )  # energy, y, x as DigitalMicrograph keeps them
    dims = [(11, 0.0, 0.5, "nm"), (13, 0.0, 0.5, "nm"), (150, 10.0, 0.25, "eV")]
    told = {"Meta Data": {"Format": "Spectrum image", "Signal": "EELS"}}
    entry = made(tmp_path, [image(values, 10, dims, told)], 4)[0]
    assert (entry.name, entry.technique, entry.signal.axes) == (
        "spectrum_image",
        "eels",
        ("y", "x", "energy_loss"),
    )
    assert np.array_equal(entry.signal.values, np.moveaxis(values, 0, -1))
    assert entry["energy_loss"].values[:4].tolist() == [-2.5, -2.25, -2.0, -1.75]
    plain = made(tmp_path, [image(values, 10, [dims[0], dims[1], (150, 0.0, 1.0, "")], told)])[0]
    assert plain.signal.axes == ("y", "x", "channel")
    swapped = {"Meta Data": {"Format": "Spectrum image", "Signal": "X-ray", "Data Order Swapped": True}}
    plain_dims = [(11, 0.0, 1.0, "keV"), (13, 0.0, 1.0, ""), (150, 0.0, 1.0, "")]
    fast = made(tmp_path, [image(values, 10, plain_dims, swapped)])[0]
    assert (fast.technique, fast.signal.axes) == ("eds", ("y", "x", "energy"))
    assert np.array_equal(fast.signal.values, values)


@pytest.mark.parametrize("is_scan_fast", [True, False])
def test_a_pattern_at_every_place(tmp_path: Path, is_scan_fast: bool) -> None:
    scan, pattern = [(3, 0.0, 1.0, "nm"), (2, 0.0, 1.0, "nm")], [(5, 2.0, 0.1, "1/nm"), (4, 2.0, 0.1, "1/nm")]
    dims = scan + pattern if is_scan_fast else pattern + scan
    values = np.arange(120, dtype="u2").reshape([d[0] for d in dims][::-1])
    entry = made(tmp_path, [image(values, 10, dims)], 4)[0]
    assert (entry.technique, entry.signal.axes) == ("stem_4d", ("y", "x", "k_y", "k_x"))
    expected = values.transpose(2, 3, 0, 1) if is_scan_fast else values
    assert np.array_equal(entry.signal.values, expected)


def test_stacks_and_diffraction(tmp_path: Path) -> None:
    values = np.arange(24, dtype="f4").reshape(4, 3, 2)
    plane = [(2, 0.0, 0.1, "1/nm"), (3, 0.0, 0.1, "1/nm")]
    series = made(tmp_path, [image(values, 2, [*plane, (4, 0.0, 0.5, "s")])])[0]
    assert (series.technique, series.signal.axes) == ("electron_diffraction", ("time", "k_y", "k_x"))
    frames = made(
        tmp_path, [image(values, 2, [(2, 0.0, 1.0, "nm"), (3, 0.0, 1.0, "nm"), (4, 0.0, 1.0, "")])]
    )[0]
    assert (frames.technique, frames.signal.axes) == ("tem", ("frame", "y", "x"))


def test_calibration_that_is_none_costs_itself(tmp_path: Path) -> None:
    values = np.ones((2, 2), "f4")
    m = made(tmp_path, [image(values, 2, [(2, 0.0, 0.0, "nm"), (2, 0.0, 1.0, "zorks")], name="odd")])
    assert (m[0]["x"].unit, m[0]["x"].values.tolist()) == ("pixel", [0.0, 1.0])
    assert m[0]["y"].unit == "zorks"
    assert any("scale 0" in w for w in m.warnings)
    assert any("'zorks'" in w for w in m.warnings)


def test_calibrated_intensity(tmp_path: Path) -> None:
    """A detector's numbers and electrons must not be taken for each other."""
    dims = [(2, 0.0, 1.0, "nm"), (1, 0.0, 1.0, "nm")]
    values = np.array([[10.0, 20.0]], "f4")
    scaled = made(tmp_path, [image(values, 2, dims, brightness=(5.0, 0.5, "nA"))])[0]
    assert (scaled.signal.unit, scaled.signal.values.tolist()) == (None, [[10.0, 20.0]])
    told = {n: scaled.conditions[n].value for n in ("intensity_scale", "intensity_origin", "intensity_unit")}
    assert told == {"intensity_scale": 0.5, "intensity_origin": 5.0, "intensity_unit": "nA"}
    assert made(tmp_path, [image(values, 2, dims, brightness=(0.0, 1.0, "nA"))])[0].signal.unit == "nA"


def test_only_a_thumbnail_is_better_than_nothing(tmp_path: Path) -> None:
    pixels = image(np.zeros((2, 2), "i4"), 23, [(2, 0.0, 1.0, ""), (2, 0.0, 1.0, "")])
    assert len(made(tmp_path, [pixels], Thumbnails=[{"ImageIndex": 0}]).entries) == 1
    real = image(np.ones((2, 2), "f4"), 2, [(2, 0.0, 1.0, ""), (2, 0.0, 1.0, "")], name="real")
    m = made(tmp_path, [pixels, real], Thumbnails=[{"ImageIndex": 0}])
    assert [e.title for e in m.entries] == ["real"]


def test_dates_of_many_countries() -> None:
    assert _readings("2019/3/4", "15:00:01") == [datetime(2019, 3, 4, 15, 0, 1)]
    assert _readings("3/4/2019", "12:05:01 AM") == [datetime(2019, 3, 4, 0, 5, 1)]
    assert _readings("04.03.2019", "15:00") == [datetime(2019, 3, 4, 15)]
    assert _readings("31/1/2019", "15:00:01") == [datetime(2019, 1, 31, 15, 0, 1)]
    assert len(_readings("3/4/2019", "15:00:01")) == 2
    assert _readings("yesterday", "noon") == []


def test_zone_from_the_systems_time(tmp_path: Path) -> None:
    ticks = 1.3220483561436376e17  # 2019-12-10 20:32:41 UTC
    bar = {"Acquisition Date": "10/12/2019", "Acquisition Time": "05:32:42", "Acquisition Time (OS)": ticks}
    dims = [(2, 0.0, 1.0, ""), (2, 0.0, 1.0, "")]
    m = made(
        tmp_path,
        [image(np.ones((2, 2), "f4"), 2, dims, {"DataBar": bar | {"Acquisition Date": "11/12/2019"}})],
    )
    assert m.started == datetime(2019, 12, 11, 5, 32, 42, tzinfo=timezone(timedelta(hours=9)))


# --- broken files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOLDEN)
def test_broken(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / FOLDER / name).read_bytes()
    assert cut(READER, data, tmp_path / "cut.dm3") == []  # what is cut off is refused
    damage(READER, data, tmp_path / "bad.dm3", turns=40, within=6000)


def test_a_count_is_not_believed(tmp_path: Path) -> None:
    dims = [(2, 0.0, 1.0, ""), (2, 0.0, 1.0, "")]
    data = dm_file([image(np.ones((2, 2), "f4"), 2, [(2**30, 0.0, 1.0, ""), dims[1]])])
    (tmp_path / "a.dm3").write_bytes(data)
    with pytest.raises(ReadError, match="needs 2147483648 numbers"):
        read(tmp_path / "a.dm3")
    (tmp_path / "b.dm3").write_bytes(data[:14] + b"\xff\xff\xff\xff" + data[18:])
    with pytest.raises(ReadError, match="group of 4294967295 tags"):
        read(tmp_path / "b.dm3")


def test_others_are_not_taken(tmp_path: Path) -> None:
    for i, head in enumerate(
        (b"", b"\0\0\0\3", b"\0\0\0\3" + bytes(60), b"PK\3\4" + bytes(60), b"\0\0\0\4" * 20)
    ):
        path = tmp_path / f"other{i}"
        path.write_bytes(head)
        assert READER.sniff(RawInput(path)) == NO
