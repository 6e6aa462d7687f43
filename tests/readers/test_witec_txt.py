"""WITec's text exports: a map turned round, or its spectra taken for columns of a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.witec_txt import READER

HEAD = """//Exported ASCII-File
[Header]
FileName = C:\\Data\\graphene.wip
GraphName = Spectrum--000--Spec.Data 1
SizeX = {x}
SizeY = {y}
SizeGraph = 3
ScanUnit = µm
ScanWidth = 6.0
ScanHeight = 4.0
ExcitationWavelength = 532.1
XAxisUnit = rel. 1/cm
DataUnit = CCD cts

[Data]
"""
SINGLE = HEAD.format(x=1, y=1) + "X-Axis\tSpec.Data 1\n100.5\t602\n101.5\t611\n102.5\t598\n"
ROWS = "".join(f"{100.5 + k}\t" + "\t".join(str(10 * k + n) for n in range(6)) + "\n" for k in range(3))
BARE = "X-Axis\tA--Spec.Data 1\tB--Spec.Data 1\nrel. 1/cm\tCCD cts\tCCD cts\n100.5\t1\t2\n101.5\t3\t4\n"
IMAGE = """//Exported ASCII-File
[Header]
ImageName = "Sum G band"
PointsPerLine = 3
LinesPerImage = 2
ScanUnit = µm
ScanWidth = 6
ScanHeight = 4
DataUnit = CCD cts
[Data]
1 2 3
4 5 6
"""


def save(folder: Path, text: str, encoding: str = "cp1252") -> Path:
    path = folder / "made.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return path


def read(path: Path) -> Measurement:
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "witec_txt"
    return check(m, READER)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
def test_one_spectrum(tmp_path: Path, encoding: str) -> None:
    m = read(save(tmp_path, SINGLE, encoding))
    (entry,) = m
    assert (entry.technique, m.title) == ("raman", "graphene.wip")
    assert (entry.axes[0].name, entry.axes[0].unit) == ("raman_shift", "1/cm")
    assert entry.axes[0].values.tolist() == [100.5, 101.5, 102.5]
    assert entry["intensity"].values.tolist() == [602, 611, 598]
    assert entry["intensity"].unit == "counts"
    assert str(entry.conditions["laser_wavelength"]) == "532.1 nm"
    assert m.warnings == ()


def test_decimal_commas_and_no_line_of_headings(tmp_path: Path) -> None:
    head, _, rows = SINGLE.partition("X-Axis\tSpec.Data 1\n")
    m = read(save(tmp_path, head + rows.replace(".", ",")))
    assert m[0].axes[0].values.tolist() == [100.5, 101.5, 102.5]


def test_a_map_is_over_its_places(tmp_path: Path) -> None:
    (entry,) = read(save(tmp_path, HEAD.format(x=3, y=2) + ROWS))
    assert [a.name for a in entry.axes] == ["y", "x", "raman_shift"]
    assert entry["intensity"].values[:, :, 0].tolist() == [[0, 1, 2], [3, 4, 5]]
    np.testing.assert_allclose(entry.axes[1].values, [1, 3, 5])
    np.testing.assert_allclose(entry.axes[0].values, [3, 1])  # the first line is the uppermost
    assert entry.axes[0].unit == "um"


def test_spectra_that_are_no_map_are_numbered(tmp_path: Path) -> None:
    m = read(save(tmp_path, HEAD.format(x=5, y=2) + ROWS))
    assert m[0]["intensity"].values.shape == (6, 3)
    assert "5 × 2" in m.warnings[0]
    assert not read(save(tmp_path, HEAD.format(x=6, y=1) + ROWS)).warnings


def test_a_table_without_header(tmp_path: Path) -> None:
    (entry,) = read(save(tmp_path, BARE))
    assert entry["intensity"].values.tolist() == [[1, 3], [2, 4]]
    assert entry["title"].values.tolist() == ["A--Spec.Data 1", "B--Spec.Data 1"]
    assert (entry.axes[1].name, entry["intensity"].unit) == ("raman_shift", "counts")


@pytest.mark.parametrize(
    ("unit", "technique", "axis"),
    [("nm", "optical_spectroscopy", "wavelength"), ("eV", "optical_spectroscopy", "photon_energy"),
     ("1/cm", "optical_spectroscopy", "wavenumber")],
)  # fmt: skip
def test_other_axes(tmp_path: Path, unit: str, technique: str, axis: str) -> None:
    (entry,) = read(save(tmp_path, SINGLE.replace("rel. 1/cm", unit)))
    assert (entry.technique, entry.axes[0].name, entry.axes[0].unit) == (technique, axis, unit)


def test_an_image(tmp_path: Path) -> None:
    (entry,) = read(save(tmp_path, IMAGE))
    assert entry["map_value"].values.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert (entry.title, entry["map_value"].unit) == ("Sum G band", "counts")
    np.testing.assert_allclose(entry.axes[0].values, [3, 1])


def test_cut_off_and_damaged(tmp_path: Path) -> None:
    for text in (SINGLE, IMAGE, BARE):
        cut(READER, text.encode(), tmp_path / "cut.txt")
        damage(READER, text.encode(), tmp_path / "broken.txt", turns=100)
    for text, said in (
        (SINGLE[: SINGLE.index("102.5")], "tells of 3"),
        (IMAGE[: IMAGE.index("4 5")], "tells of 3 × 2"),
        (SINGLE[:60], "only the header"),
    ):
        path = save(tmp_path, text)
        assert READER.sniff(RawInput(path)) == CERTAIN
        with pytest.raises(ReadError, match=said):
            READER.read(RawInput(path))
