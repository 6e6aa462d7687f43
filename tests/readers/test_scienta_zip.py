"""Scienta DA30 maps: what a surface physicist would lose if the reader were wrong."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.scienta_zip import READER

SCALE = """[spectrum]
width=4
height=3
depth=2
widthoffset=15.5
widthdelta=0.5
widthlabel=Kinetic Energy [eV]
heightoffset=-10
heightdelta=10
heightlabel=Thetax [deg]
depthoffset=-1
depthdelta=2
depthlabel=Thetay [deg]
name=Gamma
"""
SETTINGS = (
    "[SES]\nRegion Name=Gamma\nPass Energy=20\nExcitation Energy=40.8\nSample=Bi2Se3\nLens Mode=DA30_01\n"
)
CUBE = np.arange(24, dtype="<f4").reshape(2, 3, 4)


def archive(folder: Path, cube: bytes = CUBE.tobytes(), scale: str = SCALE, settings: bool = True) -> Path:
    path = folder / "map.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("viewer.ini", "[viewer]\nregion_count=1\n")
        z.writestr("Spectrum_Gamma.ini", scale)
        z.writestr("Spectrum_Gamma.bin", cube)
        if settings:
            z.writestr("Gamma.ini", SETTINGS)
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_the_cube_and_its_axes(tmp_path: Path) -> None:
    m = read(archive(tmp_path))
    entry = m["gamma"]
    assert m.sample == "Bi2Se3"
    assert (entry.technique, entry.signal.axes) == ("arpes", ("deflection_angle", "angle", "kinetic_energy"))
    assert np.array_equal(entry.signal.values, CUBE)
    assert entry["kinetic_energy"].values.tolist() == [15.5, 16, 16.5, 17]
    assert entry["angle"].values.tolist() == [-10, 0, 10]
    assert entry["deflection_angle"].values.tolist() == [-1, 1]
    assert entry.conditions["pass_energy"].value == 20
    assert entry.original_metadata["SES"]["Lens Mode"] == "DA30_01"  # type: ignore[index, call-overload]
    assert m.original_metadata["viewer"] == {"region_count": "1"}


def test_a_single_cut_is_a_plane_and_missing_settings_are_told(tmp_path: Path) -> None:
    m = read(archive(tmp_path, CUBE[:1].tobytes(), SCALE.replace("depth=2", "depth=1"), settings=False))
    assert m[0].signal.axes == ("angle", "kinetic_energy")
    assert any("Gamma.ini" in w for w in m.warnings)


def test_sizes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="96"):
        read(archive(tmp_path, CUBE.tobytes()[:-4]))
    for wrong in ("width=999999999999", "width=-4", "width=many", "width=9999999"):
        with pytest.raises(ReadError, match=r"width|bytes"):
            read(archive(tmp_path, scale=SCALE.replace("width=4", wrong)))


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    data = archive(tmp_path).read_bytes()
    cut(READER, data, tmp_path / "cut.zip")
    damage(READER, data, tmp_path / "damaged.zip", turns=80)


def test_other_archives_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("Spectrum_Gamma.bin", b"")
    assert READER.sniff(RawInput(path)) == NO
