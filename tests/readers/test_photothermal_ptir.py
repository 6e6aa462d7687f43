"""PTIR Studio: what a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.photothermal_ptir import READER

MAP, ARRAY = "photothermal-ptir/Hyper_Sample.ptir", "photothermal-ptir/Nodax_Spectral_Array.ptir"


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


# --- real files; tests/oracles compares the infrared spectra, their axis and places to orange-spectroscopy's; Raman
# and background spectra, conditions and the rest are as first read -------------------------------------------


def test_real_map(instruments: Path) -> None:
    path = instruments / MAP
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    infrared, raman = m.entries
    assert m.default == "photothermal_map"
    assert infrared.technique == "photothermal_ir"
    assert infrared.signal.axes == ("y", "x", "wavenumber")
    assert (infrared.signal.values.shape, infrared.signal.unit) == ((5, 7, 451), "mV")
    assert infrared.signal.values.sum(dtype=float) == pytest.approx(14964.2551909409, rel=1e-9)
    assert infrared["wavenumber"].values[[0, -1]].tolist() == [900, 1800]
    assert infrared["x"].values[[0, -1]] == pytest.approx([-4088.96337891, -3968.96337891])
    assert infrared["y"].values[[0, -1]] == pytest.approx([-886.19812012, -806.19812012])
    assert infrared["focus"].unit == "um"
    assert infrared["humidity"].values.shape == (5, 7)
    assert infrared.started == datetime(2020, 9, 4, 12, 16, 49)
    assert (raman.technique, raman.signal.axes) == ("raman", ("y", "x", "raman_shift"))
    assert raman.signal.values.sum(dtype=float) == pytest.approx(259422804.88134766, rel=1e-9)
    assert raman["raman_shift"].values[[0, -1]] == pytest.approx([212.29268921, 2069.68968221])
    told = {name: str(q) for name, q in raman.conditions.items()}
    assert (told["laser_wavelength"], told["exposure_time"], told["grating"]) == ("532 nm", "2 s", "1200")
    assert "stores positions from 180" in m.warnings[0]


def test_real_array_of_spectra(instruments: Path) -> None:
    m = read(instruments / ARRAY)
    assert [e.name for e in m.entries] == ["background_spectrum", "photothermal_spectra", "raman_spectra"]
    assert m.default == "photothermal_spectra"
    entry = m["photothermal_spectra"]
    assert entry.signal.axes == ("spectrum", "wavenumber")
    assert entry.signal.values.sum(dtype=float) == pytest.approx(5717.496510940371, rel=1e-9)
    assert entry["title"].values.tolist() == ["IR Spectrum 5", "IR Spectrum 6", "IR Spectrum 7"]
    assert entry["x"].values == pytest.approx([801.95001221, 802.45001221, 802.95001221])
    assert entry["wavenumber"].values[[0, -1]].tolist() == [801, 1797]
    assert entry.conditions["temperature"].value == 27.4
    assert m["background_spectrum"].signal.unit is None
    metadata: Any = entry.original_metadata
    assert metadata["Measurement_003/Channel_000"]["measurement"]["Label"] == "IR Spectrum 6"
    assert m.warnings == ()


# --- variants, written by hand -------------------------------------------------------------------------------


def measure(
    f: h5py.File, number: int, values: Any, places: Any = None, units: str = "mV", **told: Any
) -> h5py.Group:
    values = np.asarray(values, "f4")
    group = f.create_group(f"Measurement_{number:03d}")
    ends = {"RangeWavenumberStart": [1000.0], "RangeWavenumberEnd": [1002.0], "RangeWavenumberPoints": [3]}
    for name, value in (ends | told).items():
        if value is not None:
            group.attrs[name] = value
    channel = group.create_group("Channel_000")
    channel.attrs["Label"] = np.bytes_("OPTIR")
    raw = channel.create_dataset("Raw_Data", data=values)
    raw.attrs["units"] = np.bytes_(units)
    group["Spectroscopic_Values"] = np.array([[1000, 1001, 1002]], "f4")
    if places is not None:
        group["Position_Values"] = np.asarray(places, "f4")
    return group


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made.ptir"


def made(path: Path) -> h5py.File:
    f = h5py.File(path, "w")
    f.attrs["SoftwareVersion"] = np.bytes_("PTIR Studio 4.9")
    return f


def test_map_that_is_no_grid_keeps_the_places(path: Path) -> None:
    with made(path) as f:
        places = [[0, 0], [1, 0], [0, 1], [5, 5]]
        measure(f, 0, np.arange(12).reshape(4, 3), places, RangeXPoints=[2], RangeYPoints=[2])
    m = read(path)
    (entry,) = m
    assert entry.signal.axes == ("spectrum", "wavenumber")
    assert entry["x"].values.tolist() == [0, 1, 0, 5]
    assert "no grid" in m.warnings[0]


def test_axis_from_the_stored_positions(path: Path) -> None:
    with made(path) as f:
        measure(f, 0, [[1, 2, 3]], RangeWavenumberPoints=[7])
        group = measure(f, 1, [[1, 2, 3]], RangeWavenumberStart=None)
        del group["Spectroscopic_Values"]
    m = read(path)
    assert m.entries[0].axes[0].values.tolist() == [1000, 1001, 1002]
    assert m.entries[1].axes[0].name == "point"
    assert "does not tell its wavenumbers" in m.warnings[0]


def test_image_at_one_wavenumber(path: Path) -> None:
    with made(path) as f:
        image = f.create_dataset("Heightmaps/Heightmap_000", data=np.arange(6, dtype="f4").reshape(2, 3))
        told = {"PositionX": [10.0], "PositionY": [20.0], "SizeWidth": [6.0], "SizeHeight": [4.0]}
        for name, value in told.items():
            image.attrs[name] = value
        image.attrs["Label"], image.attrs["IRWavenumber"] = np.bytes_("Amide I"), np.bytes_("1656 cm-1")
        image.attrs["Units"] = np.bytes_("mV")
    (entry,) = read(path)
    assert entry.signal.axes == ("y", "x")
    assert entry["x"].values.tolist() == [8, 10, 12]
    assert entry["y"].values.tolist() == [19, 21]
    assert (entry.signal.unit, entry.title) == ("mV", "Amide I 1656 cm-1")


def test_unknown_unit_and_shape_cost_only_themselves(path: Path) -> None:
    with made(path) as f:
        measure(f, 0, [[1, 2, 3]], units="furlong")
        measure(f, 1, [1, 2, 3])
    m = read(path)
    assert m[0].signal.unit == "furlong"
    assert len(m.warnings) == 2


def test_values_in_other_files_are_not_fetched(path: Path, tmp_path: Path) -> None:
    """A file may point into another one on the server; what it points at must not be read."""
    with h5py.File(tmp_path / "secret.h5", "w") as other:
        measure(other, 0, [[7, 7, 7]])
    with made(path) as f:
        f["Measurement_000"] = h5py.ExternalLink("secret.h5", "/Measurement_000")
    with pytest.raises(ReadError, match="holds no spectrum"):
        read(path)
    layout = h5py.VirtualLayout((1, 3), "f4")
    layout[:] = h5py.VirtualSource(
        str(tmp_path / "secret.h5"), "Measurement_000/Channel_000/Raw_Data", (1, 3)
    )
    with made(path) as f:
        group = measure(f, 0, [[1, 2, 3]])
        del group["Channel_000/Raw_Data"]
        group["Channel_000"].create_virtual_dataset("Raw_Data", layout)
    with pytest.raises(ReadError, match="another file"):
        read(path)


def test_other_files_are_not_claimed(tmp_path: Path, path: Path) -> None:
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert READER.sniff(RawInput(path)) == NO
    with h5py.File(tmp_path / "other.h5", "w") as f:
        f.create_group("Measurement_000")
    assert READER.sniff(RawInput(tmp_path / "other.h5")) == NO


@pytest.mark.parametrize("name", [MAP, ARRAY])
def test_damaged_files(instruments: Path, tmp_path: Path, name: str) -> None:
    content = (instruments / name).read_bytes()
    assert not broken_files.cut(READER, content, tmp_path / "cut.ptir")
    broken_files.damage(READER, content, tmp_path / "broken.ptir", turns=40, within=8000)
