"""HyperSpy's files: what a microscopist loses if axes are exchanged or an energy is a plain number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.hyperspy_hspy import READER
from zairyo.readers.invariants import check


def axis(group: Any, number: int, size: int, **told: Any) -> None:
    one = group.create_group(f"axis-{number}")
    told = {"_type": "UniformDataAxis", "offset": 0.0, "scale": 1.0, "size": size, "navigate": False} | told
    for key, value in told.items():
        one.attrs[key] = value


def written(path: Path, data: Any, axes: list[dict[str, Any]], kind: str = "", title: str = "a scan") -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["file_format"] = "HyperSpy"
        file.attrs["file_format_version"] = "3.3"
        group = file.create_group(f"Experiments/{title or '__unnamed__'}")
        group["data"] = data
        for i, told in enumerate(axes):
            axis(group, i, np.shape(data)[i], **told)
        group.create_group("metadata/General").attrs["title"] = title
        group.create_group("metadata/Signal").attrs["signal_type"] = kind
        group.create_group("metadata/Sample").attrs["description"] = "FePt"
        microscope = group.create_group("metadata/Acquisition_instrument/TEM")
        microscope.attrs["beam_energy"] = 200.0
        microscope.attrs["microscope"] = "Osiris"
        group.create_group("metadata/Acquisition_instrument/TEM/Detector/EELS").attrs["collection_angle"] = (
            50.0
        )
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def spectrum_map(path: Path) -> Path:
    axes: list[dict[str, Any]] = [
        {"name": "y", "units": "nm", "scale": 2.0, "navigate": True},
        {"name": "x", "units": "nm", "scale": 2.0, "offset": -1.0, "navigate": True},
        {"name": "Energy loss", "units": "eV", "scale": 0.5, "offset": 500.0},
    ]
    return written(path, np.arange(24, dtype=np.uint16).reshape(2, 3, 4), axes, "EELS")


def test_a_map_of_spectra(tmp_path: Path) -> None:
    m = read(spectrum_map(tmp_path / "map.hspy"))
    (entry,) = m.entries
    assert entry.technique == "eels"
    assert [(a.name, a.unit, a.values.tolist()) for a in entry.axes] == [
        ("y", "nm", [0.0, 2.0]), ("x", "nm", [-1.0, 1.0, 3.0]), ("energy_loss", "eV", [500.0, 500.5, 501.0, 501.5]),
    ]  # fmt: skip
    assert entry["intensity"].values.dtype == np.uint16
    assert entry["intensity"].values[1, 2].tolist() == [20, 21, 22, 23]
    assert {name: str(value) for name, value in entry.conditions.items()} == {
        "accelerating_voltage": "200 kV", "collection_angle": "50 mrad",
    }  # fmt: skip
    assert (m.title, m.sample, m.instrument) == ("a scan", "FePt", "Osiris")
    assert not m.warnings


@pytest.mark.parametrize(
    ("kind", "shape", "units", "technique", "names"),
    [
        ("EDS_TEM", (5,), ["keV"], "eds", ["energy"]),
        ("", (4, 5), ["nm", "nm"], "tem", ["y", "x"]),
        ("electron_diffraction", (2, 3, 4, 5), ["nm", "nm", "1/nm", "1/nm"], "stem_4d", ["y", "x", "k_y", "k_x"]),
        ("", (5,), [""], "tem", ["channel"]),
    ],
)  # fmt: skip
def test_dimensions_without_names(
    tmp_path: Path, kind: str, shape: tuple[int, ...], units: list[str], technique: str, names: list[str]
) -> None:
    axes = [
        {"name": "_None_", "units": u or "_None_", "navigate": len(shape) == 4 and i < 2}
        for i, u in enumerate(units)
    ]
    (entry,) = read(written(tmp_path / "a.hspy", np.ones(shape), axes, kind)).entries
    assert (entry.technique, [a.name for a in entry.axes]) == (technique, names)
    assert all(a.unit != "_None_" for a in entry.axes)


def test_a_picture_that_was_scanned(tmp_path: Path) -> None:
    path = written(tmp_path / "a.hspy", np.ones((2, 3)), [{"units": "nm"}, {"units": "nm"}])
    with h5py.File(path, "a") as file:
        file["Experiments/a scan/metadata/Acquisition_instrument/TEM"].attrs["acquisition_mode"] = "STEM"
    assert read(path).entries[0].technique == "stem"


def test_positions_that_are_stored_and_such_that_are_not(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.hspy", np.ones((2, 3)), [{"name": "t", "units": "s"}, {"name": "x", "units": "nm"}]
    )
    with h5py.File(path, "a") as file:
        group = file["Experiments/a scan"]
        del group["axis-0"].attrs["scale"], group["axis-1"].attrs["scale"]
        group["axis-0"]["axis"] = [1.0, 4.0]
    m = read(path)
    assert [a.values.tolist() for a in m.entries[0].axes] == [[1.0, 4.0], [0, 1, 2]]
    assert m.warnings == ("The positions along x are not stored as numbers; they are numbered.",)


def test_a_file_without_numbers_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "a.hspy", np.zeros((2, 0)), [{}, {}])
    with pytest.raises(ReadError, match="holds no array of numbers"):
        READER.read(RawInput(path))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    whole = spectrum_map(tmp_path / "map.hspy").read_bytes()
    cut(READER, whole, tmp_path / "a.hspy", 10)
    damage(READER, whole, tmp_path / "a.hspy", turns=60)


def test_others_are_not_claimed(tmp_path: Path) -> None:
    assert registry.find(RawInput(spectrum_map(tmp_path / "map.hdf5"))).name == "hyperspy_hspy"
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_group("Experiments")
    assert READER.sniff(RawInput(tmp_path / "b.h5")) == NO
