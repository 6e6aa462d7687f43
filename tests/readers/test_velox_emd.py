"""Velox and NCEM .emd: what a microscopist would lose if the readers were wrong."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import _velox_stream, berkeley_emd, velox_emd
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.velox_emd import READER

FOLDER = "velox-emd"


def read(path: Path) -> Measurement:
    src = RawInput(path)
    assert READER.sniff(src) >= LIKELY
    return READER.read(src)


# --- real files; the numbers are those of rosettasciio 0.15.0 unless it is said otherwise -----------------------


def test_half_of_a_fourier_transform(instruments: Path) -> None:
    (e,) = read(instruments / FOLDER / "fei_example_complex_fft.emd").entries
    assert (e.technique, e.title) == ("tem", "FFT#1(Ceta)")
    assert e.signal.values.dtype == np.complex64
    assert e.signal.values.shape == (3, 4)
    assert e.signal.values.sum() == pytest.approx(1074452091.3125 + e.signal.values.sum().imag * 1j, rel=1e-6)
    assert e["k_x"].values == pytest.approx(-0.049007914531515674 + 0.09801582906303135 * np.arange(4))
    assert (e["k_x"].unit, e["k_y"].unit) == ("1/nm", "1/nm")


def test_series_of_camera_images(instruments: Path) -> None:
    (e,) = (m := read(instruments / FOLDER / "fei_example_tem_stack.emd")).entries
    assert e.signal.axes == ("frame", "y", "x")
    assert e.signal.values.shape == (2, 3, 3)
    assert (e.signal.values.sum(), e.signal.values.max(), e.signal.values.dtype) == (153, 17, np.int16)
    assert e["x"].values == pytest.approx(1e-3 * (-16738.064777826 + 8.172883192297851 * np.arange(3)))
    assert e["x"].unit == "nm"
    c = e.conditions
    assert c["accelerating_voltage"] == Quantity(300.0, "kV")
    assert c["exposure_time"] == Quantity(0.8, "s")
    assert c["binning"] == Quantity("1x1")
    assert c["tilt_alpha"].value == pytest.approx(-12.5864, rel=1e-5)
    assert c["software"] == Quantity("Velox 2.10.0.716-62027053d1")
    assert str(m.started) == "2019-12-05 10:03:44+00:00"
    assert m.instrument == "FEI Company Titan"
    assert e.original_metadata["Optics"]["SpotIndex"] == "3"


def test_xray_and_loss_maps_of_one_scan(instruments: Path) -> None:
    """rosettasciio 0.15.0 gives this X-ray map 128 × 128 places; the scan had 16 × 20, as the loss maps have."""
    m = read(instruments / FOLDER / "velox_EELS_EDS.zip")
    xray = m["eds_map"]
    assert m.default == "eds_map"
    assert xray.signal.axes == ("y", "x", "energy")
    assert xray.signal.values.shape == (16, 20, 4096)
    assert (xray.signal.values.sum(), xray.signal.unit) == (11093, "counts")
    segments = [e for e in m.entries if e.title.startswith("EDS UltraX")]
    np.testing.assert_array_equal(xray.signal.values.sum(axis=(0, 1)), sum(e.signal.values for e in segments))
    assert [s.signal.values.sum() for s in segments] == [2330, 1913, 2099, 1921, 1156, 1674]
    assert xray["energy"].values[[0, -1]] == pytest.approx([-0.2, 40.75])
    assert xray["x"].values[[0, 1]] == pytest.approx([-5553.031328589189, -5394.373290629498])
    losses = [m[n] for n in ("eels_map", "eels_map_2", "eels_map_3")]
    assert [e.signal.values.sum() for e in losses] == [65521751, 65523224, 65540456]
    assert [e["energy_loss"].values[0] for e in losses] == pytest.approx([800, 480, -21.5026])
    assert losses[0]["energy_loss"].values[1] - losses[0]["energy_loss"].values[0] == pytest.approx(0.1692)
    assert losses[0]["y"].values == pytest.approx(xray["y"].values)
    assert losses[0].conditions["exposure_time"] == Quantity(0.004, "s")
    assert "0.0822874" in m.warnings[0]
    assert m["fe_eels"].technique == "eels"
    assert m["fe_eels"].signal.values.sum(dtype=float) == pytest.approx(2944.191047139466)
    assert (m["co"].technique, m["df_s"].technique) == ("eds", "stem")
    assert (m["df_s"].signal.values.sum(), m["ref_df_s"].signal.values.sum()) == (2006526, 102153922)
    assert (m.sample, m.operator) == ("4979A", "ortega")


def test_xray_map_with_few_counts(instruments: Path) -> None:
    m = read(instruments / FOLDER / "velox_emd_v11_elementSelection.zip")
    e = m["eds_map"]
    assert (e.signal.values.shape, e.signal.values.sum(), e.signal.values.max()) == ((16, 20, 4096), 72, 1)
    assert e["x"].values[0] == pytest.approx(-21.96533632865891)
    assert e["energy"].values[0] == -0.25
    assert m["haadf"].signal.values.sum() == 20971200
    assert e.conditions["elevation_angle"].value == pytest.approx(18)
    assert e.conditions["dwell_time"] == Quantity(2.0, "us")


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / FOLDER / "fei_example_tem_stack.emd").read_bytes()
    assert 10 not in broken_files.cut(READER, data, tmp_path / "a.emd")
    broken_files.damage(READER, data, tmp_path / "a.emd", within=2000)


# --- what no real file here shows ----------------------------------------------------------------------------


def put(group: Any, name: str, metadata: dict[str, Any], data: np.ndarray, **texts: Any) -> None:
    made = group.create_group(name)
    made["Data"] = data
    made["Metadata"] = np.frombuffer(json.dumps(metadata).encode().ljust(3000, b"\0"), "u1").reshape(-1, 1)
    for key, value in texts.items():
        made.create_dataset(key, data=[json.dumps(value)], dtype=h5py.string_dtype())


@pytest.fixture
def velox(tmp_path: Path) -> Callable[..., Path]:
    def make(fill: Callable[[Any], None]) -> Path:
        with h5py.File(tmp_path / "v.emd", "w") as f:
            for name in ("Version", "Experiment"):
                f.create_dataset(name, data=["{}"], dtype=h5py.string_dtype())
            fill(f.create_group("Data"))
        return tmp_path / "v.emd"

    return make


DETECTOR = {
    "DetectorName": "D1",
    "DetectorType": "AnalyticalDetector",
    "Dispersion": "10",
    "OffsetEnergy": "-20",
}
STREAM = {
    "BinaryResult": {"Detector": "D1", "DetectorIndex": "0"},
    "Detectors": {"Detector-0": DETECTOR},
}
SETTINGS = {"bincount": "256", "RasterScanDefinition": {"Width": "3", "Height": "2"}}


def stream(*frames: list[list[int]]) -> np.ndarray:
    return np.array([n for f in frames for place in f for n in (*place, 65535)], "u2").reshape(-1, 1)


def test_frames_of_a_stream_are_added_place_by_place(velox) -> None:
    """Two detector segments, two frames, the second cut short when the operator pressed stop."""
    one = stream([[5], [], [7, 7], [], [], [255]], [[5], [1], []])
    two = stream([[], [], [7], [], [], []])

    def fill(data: Any) -> None:
        streams = data.create_group("SpectrumStream")
        put(streams, "a", STREAM, one, AcquisitionSettings=SETTINGS)
        put(streams, "b", STREAM, two, AcquisitionSettings=SETTINGS)

    (e,) = read(velox(fill)).entries
    expected = np.zeros((2, 3, 256))
    expected[0, 0, 5], expected[0, 1, 1], expected[0, 2, 7], expected[1, 2, 255] = 2, 1, 3, 1
    np.testing.assert_array_equal(e.signal.values, expected)
    assert e["energy"].values[5] == pytest.approx(0.03)
    assert e.conditions["frames"] == Quantity(2, "")
    assert e["x"].unit == "pixel"


def test_a_map_too_large_for_memory_is_binned_in_energy(velox, monkeypatch: pytest.MonkeyPatch) -> None:
    source = stream([[5, 4, 6], [], [], [], [], [254, 255]])

    def fill(data: Any) -> None:
        put(data.create_group("SpectrumStream"), "a", STREAM, source, AcquisitionSettings=SETTINGS)

    monkeypatch.setattr(
        velox_emd, "spectrum_image", lambda *a: _velox_stream.spectrum_image(*a, most=6 * 128 * 2)
    )
    m = read(velox(fill))
    e = m[0]
    assert e.signal.values.shape == (2, 3, 128)
    assert (e.signal.values[0, 0, 2], e.signal.values[0, 0, 3], e.signal.values[1, 2, 127]) == (2, 1, 2)
    assert e["energy"].values[2] == pytest.approx((-20 + 4.5 * 10) / 1000)
    assert "2 channels were added up" in m.warnings[0]
    monkeypatch.setattr(
        velox_emd, "spectrum_image", lambda *a: _velox_stream.spectrum_image(*a, most=6 * 100 * 2)
    )
    with pytest.raises(ReadError, match="too many to read at once"):
        read(velox(fill))


def test_unreadable_metadata_cost_the_calibration_only(velox) -> None:
    def fill(data: Any) -> None:
        put(data.create_group("Image"), "i", {}, np.ones((2, 3, 1), "u2"))
        data["Image/i/Metadata"][:5, 0] = np.frombuffer(b'{"a":', "u1")

    m = read(velox(fill))
    assert m[0]["x"].unit == "pixel"
    assert "not readable JSON" in m.warnings[0]


def test_data_in_other_files_are_refused(velox, tmp_path: Path) -> None:
    """A file may not make the reader fetch another one of the computer's."""
    (tmp_path / "secret").write_bytes(bytes(6))

    def fill(data: Any) -> None:
        image = data.create_group("Image/i")
        image.create_dataset("Data", (2, 3, 1), "u1", external=[(str(tmp_path / "secret"), 0, 6)])
        data["Image/far"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")
        data["Image/soft"] = h5py.SoftLink("/nowhere")

    with pytest.raises(ReadError, match="in another file"):
        read(velox(fill))


def test_a_huge_array_is_refused_before_memory_is_taken(velox) -> None:
    def fill(data: Any) -> None:
        data.create_group("Image/i").create_dataset("Data", (10**6, 10**6, 1), "u2", chunks=(64, 64, 1))

    with pytest.raises(ReadError, match="GiB"):
        read(velox(fill))


def test_archives(tmp_path: Path, instruments: Path) -> None:
    """Two files in one archive are the entries of one measurement; an archive of something else is not claimed."""
    name = "fei_example_tem_stack.emd"
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as z:
        z.write(instruments / FOLDER / name, "1.emd")
        z.write(instruments / FOLDER / name, "2.emd")
    assert [e.name for e in read(tmp_path / "two.zip").entries] == ["ceta", "ceta_2"]
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as z:
        z.writestr("a.txt", "1")
    assert READER.sniff(RawInput(tmp_path / "other.zip")) == NO


# --- NCEM's layout ------------------------------------------------------------------------------------------


def test_ncem_arrays_with_their_axes(tmp_path: Path) -> None:
    values = np.arange(2 * 3 * 4, dtype="f4").reshape(2, 3, 4)
    with h5py.File(tmp_path / "n.emd", "w") as f:
        f.attrs["version_major"], f.attrs["version_minor"] = 0, 2
        f.create_group("user").attrs["name"] = "A. Nobody"
        group = f.create_group("data/si")
        group.attrs["emd_group_type"] = 1
        group["data"] = values
        for i, (name, unit, positions) in enumerate(
            [("y", "[n_m]", [0, 0.5]), ("x", "[n_m]", [1, 1.5, 2]), ("energy loss", "[e_V]", [-1, 0, 1, 2])],
            1,
        ):
            group[f"dim{i}"] = positions
            group[f"dim{i}"].attrs["name"], group[f"dim{i}"].attrs["units"] = name, unit
    src = RawInput(tmp_path / "n.emd")
    assert berkeley_emd.READER.sniff(src) == CERTAIN
    assert READER.sniff(src) == NO
    m = berkeley_emd.READER.read(src)
    (e,) = m.entries
    assert (e.technique, e.title, m.operator) == ("eels", "si", "A. Nobody")
    assert e.signal.axes == ("y", "x", "energy_loss")
    np.testing.assert_array_equal(e.signal.values, values)
    assert (e["x"].unit, e["energy_loss"].unit) == ("nm", "eV")
    assert e["energy_loss"].values.tolist() == [-1, 0, 1, 2]


def test_prismatic_names_its_array_by_what_it_is(tmp_path: Path) -> None:
    """Its texts have a set length, end with a NUL and hold anything behind it."""
    values = np.arange(6, dtype="f4").reshape(2, 3)
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(32)
    kind.set_strpad(h5py.h5t.STR_NULLTERM)
    with h5py.File(tmp_path / "p.emd", "w") as f:
        top = f.create_group("4DSTEM_simulation")
        top.attrs["emd_group_type"], top.attrs["version_major"] = 2, 0
        group = top.create_group("data/realslices/annular_detector_depth0000")
        group.attrs["emd_group_type"] = 1
        group["realslice"] = values
        for i, (name, positions) in enumerate([("R_x", [0, 0.25]), ("R_y", [1, 1.25, 1.5])], 1):
            group[f"dim{i}"] = positions
            for key, text in (("name", name), ("units", "[n_m]")):
                space = h5py.h5s.create(h5py.h5s.SCALAR)
                made = h5py.h5a.create(group[f"dim{i}"].id, key.encode(), kind, space)
                made.write(np.array(text.encode() + b"\0junk\xff", "S32"), mtype=kind)
    src = RawInput(tmp_path / "p.emd")
    assert berkeley_emd.READER.sniff(src) > NO
    (e,) = berkeley_emd.READER.read(src).entries
    assert e.title == "annular_detector_depth0000"
    assert [(a.name, a.unit) for a in e.axes] == [("x", "nm"), ("y", "nm")]
    np.testing.assert_array_equal(e.signal.values, values)


def test_py4dstem_arrays(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "p.h5", "w") as f:
        f.attrs["emd_group_type"] = "file"
        f.attrs["version_major"], f.attrs["version_minor"] = 1, 0
        group = f.create_group("root/datacube")
        group.attrs["emd_group_type"] = "array"
        group["data"] = np.zeros((2, 3, 4, 5), "u2")
        for i, (name, unit) in enumerate([("Rx", "A"), ("Ry", "A"), ("Qx", "A^-1"), ("Qy", "A^-1")]):
            group[f"dim{i}"] = [0.0, 0.25]
            group[f"dim{i}"].attrs["name"], group[f"dim{i}"].attrs["units"] = name, unit
        group["again"] = f["root"]  # a circle of links
    src = RawInput(tmp_path / "p.h5")
    assert berkeley_emd.READER.sniff(src) == CERTAIN
    (e,) = berkeley_emd.READER.read(src).entries
    assert (e.technique, e.signal.axes) == ("stem_4d", ("x", "y", "k_x", "k_y"))
    assert e["k_y"].values.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert (e["x"].unit, e["k_x"].unit) == ("angstrom", "1/angstrom")


def test_other_hdf5_files_are_not_claimed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "o.h5", "w") as f:
        f["entry/data"] = [1, 2, 3]
    for reader in (READER, berkeley_emd.READER):
        assert reader.sniff(RawInput(tmp_path / "o.h5")) == NO
