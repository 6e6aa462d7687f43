"""FullProf's free format: what somebody loses if ten intensities a line are taken for ten columns."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import registry
from zairyo.readers._api import LIKELY, NO, RawInput, ReadError
from zairyo.readers.fullprof_dat import READER
from zairyo.readers.invariants import check

#: 10 to 10.6 in steps of 0.05: thirteen points.
TEXT = """10.000   0.050  10.600  LiF XrayDif
     179     147     165     172     150     165     150     158     134     146
     167     159     139
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == LIKELY
    return check(READER.read(RawInput(path)), READER)


def test_a_pattern(tmp_path: Path) -> None:
    m = read(written(tmp_path / "lif.dat", TEXT))
    entry = m["scan"]
    assert (entry.technique, m.title) == ("xrd", "LiF XrayDif")
    assert entry.axes[0].unit == "deg"
    assert entry.axes[0].values.tolist() == [10.0, 10.05, 10.1, 10.15, 10.2, 10.25, 10.3, 10.35, 10.4, 10.45, 10.5,
                                             10.55, 10.6]  # fmt: skip
    assert entry["intensity"].values.tolist()[-4:] == [146, 167, 159, 139]
    assert entry["intensity"].uncertainty is None
    assert "X-rays or neutrons" in m.warnings[0]


def test_comments_before_and_numbers_behind(tmp_path: Path) -> None:
    path = written(tmp_path / "lif.dat", "! a comment\n" + TEXT + "1 2 3\n")
    m = check(READER.read(RawInput(path)), READER)
    assert len(m["scan"]["intensity"].values) == 13
    assert "3 numbers behind the 13 points were left out." in m.warnings


@pytest.mark.parametrize("title", ["", "LiF", "seven words are as many cells again", "LiF 2"])
def test_whatever_the_title(tmp_path: Path, title: str) -> None:
    assert read(written(tmp_path / "lif.dat", TEXT.replace("LiF XrayDif", title))).title == title or not title


def test_a_background_is_no_measured_intensity(tmp_path: Path) -> None:
    m = read(written(tmp_path / "lif.bac", TEXT.replace("LiF XrayDif", "Background of: lif")))
    assert [s.name for s in m["scan"].signals] == ["background"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT.replace("10.600", "12.600"), "53 points are announced and 13 are there"),
        (TEXT + "end of file\n", "no line of intensities"),
        ("", "does not begin"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(written(tmp_path / "a.dat", text)))


@pytest.mark.parametrize(
    "text",
    [
        "1.0 0.5 9.0\n" + "2.0 0.6 9.5\n" * 20,  # a table of three columns
        "1.0 0.5 9.0 4 5\n" + "2.0 0.6 9.5 4 5\n" * 20,  # of five
        "10 0.05 9 backwards\n" + "1 2 3 4 5 6 7 8 9 10\n" * 5,
        "10 0.05 20 words\n" + "a b c d e f\n" * 5,
    ],
)
def test_tables_are_not_claimed(tmp_path: Path, text: str) -> None:
    assert READER.sniff(RawInput(written(tmp_path / "a.dat", text))) == NO


def test_the_registry_takes_it_before_a_plain_table(tmp_path: Path) -> None:
    assert registry.find(RawInput(written(tmp_path / "a.dat", TEXT))).name == "fullprof_dat"


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    cut(READER, TEXT.encode(), tmp_path / "a.dat")
    damage(READER, TEXT.encode(), tmp_path / "a.dat", turns=100)


ILL = """D1A5 Title: 1.9114 A  LaNi2Mn3Dx 13.9.01
     Ident:           14113 to  14122
1.9114 A  LaNi2Mn3Dx 13.9.01                                            2theta
    13     -1.000   100.018    1  100000.0       0.0
  -10.0000    0.1000   -8.8000
     0.8     0.3     0.3     0.7     0.3     0.7     0.6     1.0     0.9     0.7
     1.0     1.5     1.7
    0.58    0.30    0.22    0.53    0.30    0.38    0.37    0.17    0.57    0.44
    0.25    0.73    0.82
"""
LHPM = """SampleIdent ____ DataFileName ______
DiffrType ______   GeneratorVoltage __   TubeCurrent __
Anode __    Alpha1  1.54060    Alpha2  1.54443    Ratio  0.50000
MonochromatorUsed __   DivergenceSlit _      ReceivingSlit ___
  10.023   0.026  10.335    MeasureDateTime 24/11/2024   10:43
    2129    2238    2125    2256    2249    2162    2176    2200    2185    2143
    2129    2231    2187
"""


def test_the_institut_laue_langevins_header_and_errors(tmp_path: Path) -> None:
    """Without its header's range, ten intensities a line are ten columns."""
    m = read(written(tmp_path / "d1a.dat", ILL))
    (entry,) = m.entries
    assert (entry.technique, m.title) == ("neutron_diffraction", "D1A5 Title: 1.9114 A  LaNi2Mn3Dx 13.9.01")
    assert entry["two_theta"].values[[0, -1]].tolist() == [-10, -8.8]
    assert entry["intensity"].values.tolist()[-3:] == [1, 1.5, 1.7]
    assert entry["intensity"].uncertainty is not None
    assert entry["intensity"].uncertainty[[0, -1]].tolist() == [0.58, 0.82]
    assert not m.warnings


def test_as_many_numbers_again_without_a_header_are_told(tmp_path: Path) -> None:
    bare = "\n".join(ILL.split("\n")[4:])
    m = read(written(tmp_path / "a.dat", bare))
    assert m[0]["intensity"].uncertainty is not None
    assert any("13 numbers" in w and "standard deviations" in w for w in m.warnings)
    m = read(written(tmp_path / "b.dat", bare.replace("0.58", "-0.58")))
    assert m[0]["intensity"].uncertainty is None
    assert any("13 numbers behind the 13 points were left out" in w for w in m.warnings)


def test_lhpms_header(tmp_path: Path) -> None:
    m = read(written(tmp_path / "lhpm.dat", LHPM))
    (entry,) = m.entries
    assert entry.technique == "xrd"
    assert entry.conditions["wavelength"] == Quantity(1.5406, "angstrom")
    assert entry.started == datetime(2024, 11, 24, 10, 43)
    assert entry["two_theta"].values[[0, -1]].tolist() == [10.023, 10.335]
    assert not m.warnings
    m = read(written(tmp_path / "lhpm.dat", LHPM.replace("24/11", "04/11")))
    assert m["scan"].started is None
    assert any("04/11/2024" in w for w in m.warnings)
