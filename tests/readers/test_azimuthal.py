"""pyFAI and Fit2D: what somebody loses if q is taken for 2θ, or metres for ångström."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.azimuthal import READER
from zairyo.readers.invariants import check

PYFAI = """# == pyFAI calibration ==
# Detector Pilatus 300k\t PixelSize: 1.720e-04, 1.720e-04 m
# PONI: 6.103e-02, 2.967e-01 m
# Distance Sample to Detector: 0.3037 m
# Rotations: 0.007391 0.001688 0.000000 rad
#
# == Fit2d calibration ==
# Distance Sample-beamCenter: 303.713 mm
# Wavelength: 3.2e-11
# --> LaB6.xy
#       2th_deg             I         sigma
"""
ROWS = "  1.0e-02    2.7e+01 5.0\n  4.7e-02    1.0e+02 10.0\n  7.9e-02    2.0e+02 14.0\n"
FIT2D = """LaB6_p49_001.tif: 2-theta
2-Theta Angle (Degrees)
Intensity
           3
 1.0E-02  2.7E+01
 3.1E-02  2.8E+01
 5.2E-02  3.0E+01
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def read(path: Path, sure: float = CERTAIN) -> Measurement:
    assert READER.sniff(RawInput(path)) == sure
    return check(READER.read(RawInput(path)), READER)


def test_a_pattern_of_pyfai(tmp_path: Path) -> None:
    m = read(written(tmp_path / "LaB6.xy", PYFAI + ROWS))
    entry = m["pattern"]
    assert entry.technique == "xrd"
    assert [(a.name, a.unit, a.values.tolist()) for a in entry.axes] == [
        ("two_theta", "deg", [0.01, 0.047, 0.079])
    ]
    assert entry["intensity"].values.tolist() == [27.0, 100.0, 200.0]
    assert entry["intensity"].unit is None
    assert entry["intensity"].uncertainty is not None
    assert entry["intensity"].uncertainty.tolist() == [5.0, 10.0, 14.0]
    assert {name: str(value) for name, value in entry.conditions.items()} == {
        "wavelength": "0.32 angstrom", "sample_detector_distance": "0.3037 m", "detector": "Pilatus 300k",
    }  # fmt: skip
    assert not m.warnings


@pytest.mark.parametrize(
    ("stated", "name", "unit"),
    [("q_nm^-1", "q", "1/nm"), ("q_A^-1", "q", "1/angstrom"), ("2th_rad", "two_theta", "rad"),
     ("r_mm", "radius", "mm"), ("chi_deg", "azimuth", "deg")],
)  # fmt: skip
def test_over_what(tmp_path: Path, stated: str, name: str, unit: str) -> None:
    entry = read(written(tmp_path / "a.dat", PYFAI.replace("2th_deg", stated) + ROWS))["pattern"]
    assert [(a.name, a.unit) for a in entry.axes] == [(name, unit)]


def test_a_pattern_of_fit2d(tmp_path: Path) -> None:
    m = read(written(tmp_path / "LaB6.chi", FIT2D), LIKELY)
    assert m["pattern"]["intensity"].values.tolist() == [27.0, 28.0, 30.0]
    assert m["pattern"].axes[0].unit == "deg"
    m = read(
        written(tmp_path / "a.chi", FIT2D.replace("2-Theta Angle (Degrees)", "Q (Inverse Nanometres)")),
        LIKELY,
    )
    assert (m["pattern"].axes[0].name, m["pattern"].axes[0].unit) == ("q", "1/nm")


def test_how_many_data_sets_is_no_point(tmp_path: Path) -> None:
    m = read(written(tmp_path / "LaB6.chi", FIT2D.replace("  3\n", "  3         1\n")), LIKELY)
    assert m["pattern"]["intensity"].values.tolist() == [27.0, 28.0, 30.0]
    assert not m.warnings


def test_points_that_are_missing_are_told_of(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.chi", FIT2D.replace("           3", "        1455")), LIKELY)
    assert m.warnings == ("1455 points are announced, and 3 are there.",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PYFAI, "no rows"),
        (PYFAI + ROWS + "9.0e-02 3\n", "does not have 3 numbers"),
        (PYFAI + ROWS + "9.0e-02 3 x\n", "does not have 3 numbers"),
        (PYFAI + ROWS + "1.0e-02 3 4\n", "does not rise"),
        (PYFAI.replace("2th_deg", "hm") + ROWS, "does not name its columns"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(written(tmp_path / "a.xy", text)))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    for name, text in (("a.xy", PYFAI + ROWS), ("a.chi", FIT2D)):
        cut(READER, text.encode(), tmp_path / name)
        damage(READER, text.encode(), tmp_path / name, turns=60)


def test_two_bare_columns_stay_what_they_were(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xy", "# 2theta I\n1 2\n2 3\n3 4\n")
    assert READER.sniff(RawInput(path)) == NO
    assert registry.find(RawInput(written(tmp_path / "b.xy", PYFAI + ROWS))).name == "azimuthal"
