"""NXcanSAS: what a person who measured small-angle scattering would lose if the reader were wrong.

The files are made by the published definition. The nine of sasdata 0.11.0's wheel (Mantid, Nika, Irena, BAM) are read
with the same sums as sasdata gives, e.g. 347.26006827659 (33837rear 1D), 61309796.36304 (Lew_Sa3), 34831.25309856
(33837rear 2D), 2688146228.3067 (BAM_2D).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.nxcansas import READER

Q = np.array([0.01, 0.02, 0.03])


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def made(
    folder: Path,
    arrays: dict[str, tuple[Any, str]],
    *,
    axes: Any = "Q",
    name: str = "made.h5",
    draft: bool = False,
    **attributes: Any,
) -> Path:
    """A file with one ``SASdata``; ``arrays``: name → values and unit."""
    path = folder / name
    marker = "NX_class" if draft else "canSAS_class"
    with h5py.File(path, "w") as f:
        entry = f.create_group("sasentry01")
        entry.attrs["NX_class"] = "NXentry"
        entry.attrs[marker] = "SASentry"
        entry["definition"], entry["title"], entry["run"] = "NXcanSAS", "silica", "77"
        data = entry.create_group("sasdata01")
        data.attrs["NX_class"] = "NXdata"
        data.attrs[marker] = "SASdata"
        data.attrs["signal"], data.attrs["I_axes"] = "I", axes
        for key, value in attributes.items():
            data.attrs[key] = value
        for key, (values, unit) in arrays.items():
            data[key] = values
            data[key].attrs["units"] = unit
        instrument = entry.create_group("sasinstrument01")
        instrument.attrs[marker] = "SASinstrument"
        instrument["name"] = "SANS2D"
        source = instrument.create_group("sassource")
        source.attrs[marker] = "SASsource"
        source["radiation"], source["incident_wavelength"] = "neutron", 6.0
        source["incident_wavelength"].attrs["units"] = "A"
        detector = instrument.create_group("sasdetector01")
        detector.attrs[marker] = "SASdetector"
        detector["SDD"] = np.array([4.0])
        detector["SDD"].attrs["units"] = "m"
        sample = entry.create_group("sassample")
        sample.attrs[marker] = "SASsample"
        sample["name"], sample["transmission"] = "sphere", 0.8
    return path


CURVE = {"Q": (Q, "1/A"), "I": (np.array([3.0, 2, 1]), "1/cm"), "Idev": (np.array([0.3, 0.2, 0.1]), "1/cm")}


@pytest.mark.parametrize("draft", [False, True])
def test_a_curve(tmp_path: Path, draft: bool) -> None:
    arrays = CURVE | {"Qdev": (Q / 10, "1/A")}
    m = read(made(tmp_path, arrays, draft=draft, I_uncertainties="Idev", Q_indices=0))
    (entry,) = m
    assert (m.sample, m.instrument, m.title) == ("sphere", "SANS2D", "silica")
    assert entry.technique == "sans"
    assert (entry.signal.axes, entry.signal.unit, entry["q"].unit) == (("q",), "1/cm", "1/angstrom")
    assert entry.signal.values.tolist() == [3, 2, 1]
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.tolist() == [0.3, 0.2, 0.1]
    assert entry["q_resolution"].values[0] == pytest.approx(0.001)
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["wavelength"] == (6.0, "angstrom")
    assert told["sample_detector_distance"] == (4.0, "m")
    assert told["transmission"] == (0.8, "")
    assert told["run"] == ("77", None)
    assert entry.original_metadata["sasinstrument01"]["sassource"]["radiation"] == "neutron"  # type: ignore[index, call-overload]


def test_a_pattern_on_a_grid_and_one_that_is_curved(tmp_path: Path) -> None:
    qy, qx = np.meshgrid([-0.1, 0.1], Q, indexing="ij")
    image = {"I": (np.arange(6.0).reshape(2, 3), "1/cm"), "Qx": (qx, "1/A"), "Qy": (qy, "1/A")}
    entry = read(made(tmp_path, image, axes="Q,Q"))[0]
    assert entry.signal.axes == ("qy", "qx")
    assert entry["qx"].values.tolist() == Q.tolist()
    assert entry["qy"].values.tolist() == [-0.1, 0.1]
    assert entry.signal.values.tolist() == [[0, 1, 2], [3, 4, 5]]
    curved = read(made(tmp_path, image | {"Qx": (qx + 0.001 * qy, "1/A")}, axes=["Qx", "Qy"]))[0]
    assert curved.signal.axes == ("y", "x")
    assert curved["qx"].values.shape == (2, 3)
    parts = {"I": image["I"], "Q": (np.stack([qx, qy, 0 * qx]), "1/A"), "Imask": (np.zeros((2, 3), bool), "")}
    vector = read(made(tmp_path, parts, axes=["Q", "Q"], mask="Imask"))[0]
    assert vector.signal.axes == ("qy", "qx")
    assert vector["mask"].values.dtype == bool


def test_a_pattern_whose_rows_are_of_one_qx(tmp_path: Path) -> None:
    """Both positions were once lost without a word."""
    qy = np.array([-0.1, 0.1])
    image = {"I": (np.arange(6.0).reshape(3, 2), "1/cm"), "Qx": (Q, "1/A"), "Qy": (qy, "1/A")}
    entry = read(made(tmp_path, image, axes=["Qx", "Qy"]))[0]
    assert entry.signal.axes == ("qx", "qy")
    assert (entry["qx"].values.tolist(), entry["qy"].values.tolist()) == (Q.tolist(), qy.tolist())
    m = read(made(tmp_path, image | {"Qx": (Q[:2], "1/A")}, axes=["Qx", "Qy"]))
    assert m[0].signal.axes == ("y", "x")
    assert any("positions of q" in w for w in m.warnings)


def test_a_series_has_the_axis_it_names(tmp_path: Path) -> None:
    arrays = {
        "I": (np.arange(6.0).reshape(2, 3), "1/cm"),
        "Q": (Q, "1/nm"),
        "Temperature": (np.array([25.0, 50]), "C"),
    }
    entry = read(made(tmp_path, arrays, axes="Temperature,Q"))[0]
    assert entry.signal.axes == ("temperature", "q")
    assert (entry["temperature"].unit, entry["q"].unit) == ("degC", "1/nm")
    missing = read(made(tmp_path, {"I": arrays["I"], "Q": arrays["Q"]}, axes="Time,Q"))
    assert missing[0].signal.axes == ("frame", "q")
    assert any("dimension 1" in w for w in missing.warnings)
    cube = {"I": (np.arange(12.0).reshape(2, 2, 3), "1/cm"), "Temperature": arrays["Temperature"]}
    qy, qx = np.meshgrid([-0.1, 0.1], Q, indexing="ij")
    cube |= {"Qx": (qx, "1/A"), "Qy": (qy, "1/A")}
    assert read(made(tmp_path, cube, axes="Temperature,Q,Q"))[0].signal.axes == ("temperature", "qy", "qx")


def test_several_data_sets_and_a_transmission_spectrum(tmp_path: Path) -> None:
    path = made(tmp_path, CURVE)
    with h5py.File(path, "a") as f:
        f.copy("sasentry01/sasdata01", f["sasentry01"], "sasdata02")
        spectrum = f["sasentry01"].create_group("spectrum")
        spectrum.attrs.update({"canSAS_class": "SAStransmission_spectrum", "signal": "T", "name": "can"})
        spectrum["T"], spectrum["Tdev"] = np.array([0.5, 0.6]), np.array([0.01, 0.02])
        spectrum["lambda"] = np.array([1.0, 2, 3])
        spectrum["lambda"].attrs["units"] = "A"
    m = read(path)
    assert [e.name for e in m] == ["sasdata01", "sasdata02", "transmission_can"]
    assert m[2]["wavelength"].values.tolist() == [1.5, 2.5]
    assert m[2].signal.uncertainty is not None


def test_nothing_is_followed_out_of_the_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as f:
        f["I"] = np.ones(3)
    path = made(tmp_path, {"Q": (Q, "1/A")})
    with h5py.File(path, "a") as f:
        f["sasentry01/sasdata01/I"] = h5py.ExternalLink(str(secret), "/I")
        f["sasentry01/loop"] = f["sasentry01"]
    with pytest.raises(ReadError, match="no data set 'I'"):
        read(path)
    path = made(tmp_path, {"Q": (Q, "1/A")}, name="virtual.h5")
    layout = h5py.VirtualLayout(shape=(3,), dtype=float)
    layout[:] = h5py.VirtualSource(str(secret), "I", shape=(3,))
    with h5py.File(path, "a") as f:
        f["sasentry01/sasdata01"].create_virtual_dataset("I", layout)
    with pytest.raises(ReadError, match="no data set 'I'"):
        read(path)


def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    m = read(made(tmp_path, CURVE | {"odd": (np.ones((7, 2)), "1/A"), "Qmean": (Q, "wob")}))
    assert any("(7, 2)" in w for w in m.warnings)
    assert m[0]["q_mean"].unit == "wob"
    path = made(tmp_path, {}, name="empty.h5")
    with h5py.File(path, "a") as f:
        del f["sasentry01/sasdata01"]
    with pytest.raises(ReadError, match="no scattering data"):
        read(path)
    with pytest.raises(ReadError, match="no numbers"):
        read(made(tmp_path, CURVE | {"Q": (Q * np.nan, "1/A")}))
    path = made(tmp_path, {"Q": (Q, "1/A")})
    with h5py.File(path, "a") as f:  # a kilobyte on disk, a terabyte unpacked
        f["sasentry01/sasdata01"].create_dataset("I", (2**37,), "f8", chunks=(1024,))
    with pytest.raises(ReadError, match="more than"):
        read(path)


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    data = made(tmp_path, CURVE).read_bytes()
    cut(READER, data, tmp_path / "cut.h5")
    damage(READER, data, tmp_path / "damaged.h5", turns=100, within=len(data))


def test_other_files_are_not_taken(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as f:
        f["I"] = np.ones(3)
    assert READER.sniff(RawInput(tmp_path / "x.h5")) == NO


def test_the_first_writers_spelling_of_units(tmp_path: Path) -> None:
    """Mantid wrote ``unit`` where the definition has ``units``; such curves had none."""
    path = made(tmp_path, CURVE, I_uncertainties="Idev", Q_indices=0)
    with h5py.File(path, "r+") as f:
        for name in CURVE:
            attributes = f[f"sasentry01/sasdata01/{name}"].attrs
            attributes["unit"] = attributes["units"]
            del attributes["units"]
    (entry,) = read(path)
    assert (entry.signal.unit, entry["q"].unit) == ("1/cm", "1/angstrom")
