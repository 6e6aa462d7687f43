"""SPEC data files: what somebody loses if scans run into each other, or a motor's place is another's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.spec_scans import READER

HEAD = """#F lno.spec
#E 1058427452
#D Thu Jul 17 02:37:32 2003
#C fourc  User = epix
#O0 Two Theta     Theta       Chi       Phi
#O1  Sample X

"""
SCAN = """#S 1  ascan  th 19.0 19.2  2 0.5
#D Thu Jul 17 02:38:24 2003
#T 0.5  (Seconds)
#P0 38.084 19.1 90.087 0
#P1 -2.5
#N 5
#L Theta  H  Epoch  Monitor  Detector
19.0 0.001 54 20000 11
19.1 0.001 55 20001 250
19.2 0.001 56 20000 12

"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def read(path: Path, sure: float = CERTAIN) -> Measurement:
    assert READER.sniff(RawInput(path)) == sure
    return check(READER.read(RawInput(path)), READER)


def test_a_rocking_curve(tmp_path: Path) -> None:
    m = read(written(tmp_path / "lno.spec", HEAD + SCAN))
    entry = m["scan_1"]
    assert (entry.technique, entry.x, entry.default) == ("xrd", "omega", "detector")
    assert entry.title == "1 ascan  th 19.0 19.2  2 0.5"
    assert (entry["omega"].unit, entry["omega"].values.tolist()) == ("deg", [19.0, 19.1, 19.2])
    assert entry["detector"].values.tolist() == [11, 250, 12]
    assert entry["detector"].values.dtype.kind == "i"
    conditions = {name: str(value) for name, value in entry.conditions.items()}
    assert (conditions["two_theta"], conditions["chi"]) == ("38.084 deg", "90.087 deg")
    assert conditions["time_per_step"] == "0.5 s"
    assert conditions["scan_axis"] == "omega"  # as of other vendors, so that they can be found together
    assert "omega" not in conditions  # it was scanned
    assert entry.original_metadata["motors"] == {
        "Two Theta": "38.084", "Theta": "19.1", "Chi": "90.087", "Phi": "0.0", "Sample X": "-2.5",
    }  # fmt: skip
    assert str(entry.started) == "2003-07-17 02:38:24"
    assert m.operator == "epix"
    assert not m.warnings


def test_scans_that_stopped_early_and_numbers_used_twice(tmp_path: Path) -> None:
    empty = "#S 2  ascan  chi 89 91  60 1\n#N 2\n#L Chi  Detector\n#C Scan aborted after 0 points.\n\n"
    again = "#F lno.spec\n#E 1058430000\n#O0 Gamma\n\n" + SCAN.replace("#P0 38.084 19.1 90.087 0", "#P0 5")
    m = read(written(tmp_path / "lno.spec", HEAD + SCAN + empty + again))
    assert [e.name for e in m.entries] == ["scan_1", "scan_1_2"]
    assert m.warnings == ("Scans without points were left out: 2.",)
    # SPEC was started again: the motors are those of the second head.
    assert m["scan_1_2"].original_metadata["motors"] == {"Gamma": "5.0"}


def test_channels_of_an_analyser(tmp_path: Path) -> None:
    rows = "".join(f"{e} {e + 1}\n@A 1 2 3\\\n 4 {e}\n" for e in (690, 691))
    text = "#S 7  escan\n#@CHANN 5 0 4 1\n#N 2\n#L Energy  Ion chamber\n" + rows
    m = read(written(tmp_path / "mca.dat", text), LIKELY)
    assert [e.name for e in m.entries] == ["scan_7", "scan_7_analyser_a"]
    assert m["scan_7"]["ion_chamber"].values.tolist() == [691, 692]
    assert m["scan_7"].technique == "unspecified"
    assert m["scan_7_analyser_a"]["counts"].values.tolist() == [[1, 2, 3, 4, 690], [1, 2, 3, 4, 691]]


def test_an_acquisition_stopped_within_a_spectrum_does_not_swallow_the_next_scan(tmp_path: Path) -> None:
    text = "#S 1  escan\n#N 2\n#L Energy  Ion\n690 5\n@A 1 2\\\n#S 2  escan\n#N 2\n#L Energy  Ion\n691 6\n"
    m = read(written(tmp_path / "mca.dat", text), LIKELY)
    assert [e.name for e in m.entries] == ["scan_1", "scan_1_analyser_a", "scan_2"]


def test_what_was_scanned_is_plotted_not_the_number_of_the_point(tmp_path: Path) -> None:
    """As Sardana and Bluesky write: points and times come before the motor, and the last columns never change."""
    text = "#S 1 dscan\n#N 4\n#L Pt_No  Epoch  del  counter  limit\n"
    rows = "0 1.5 10.0 5 45\n1 2.5 10.1 7 45\n"
    m = read(written(tmp_path / "a.spec", text.replace("#N 4", "#N 5") + rows), LIKELY)
    assert (m["scan_1"].x, m["scan_1"].default) == ("del", "counter")


def test_points_that_are_not_whole_are_told_of(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.spec", HEAD + SCAN.rstrip() + "\n19.3 0.001 5"))
    assert len(m["scan_1"]["omega"].values) == 3
    assert "1 of 4 points do not have 5 numbers" in m.warnings[0]


def test_nothing_acquired_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no scan with points"):
        READER.read(RawInput(written(tmp_path / "a.spec", HEAD)))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    cut(READER, (HEAD + SCAN).encode(), tmp_path / "a.spec")
    damage(READER, (HEAD + SCAN * 2).encode(), tmp_path / "a.spec", turns=100)


def test_others_are_not_claimed(tmp_path: Path) -> None:
    assert registry.find(RawInput(written(tmp_path / "lno.dat", HEAD + SCAN))).name == "spec_scans"
    gr = "##### start data\n#S 1    G(r)\n#L r(A)    G(r)    d_r    d_Gr\n0.01 1 2 3\n"
    assert READER.sniff(RawInput(written(tmp_path / "a.gr", gr))) == NO
