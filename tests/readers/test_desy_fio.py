"""DESY's scans: an absorption spectrum is wrong if the counters before and behind the sample change places."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.desy_fio import READER
from zairyo.readers.invariants import check

#: Head and first points as those of a copper foil measured in 2004, with fewer columns.
DORIS = """!
! Comments
%c
 EXAFS-Scan started at 24-Nov-2004 16:43:58
 Name: cu_rt_00001r1 from 8800 to 10198.76
 8mum
 The present ring current I_doris=132.73 mA.
!
! The EXAFS Scan Regions
!
! Energy       Delta        Sample_Time  Edge         Power
! 8800         2            0.2          0            0
!
! Data
%d
 Col 1 CU_RT_00001R1  FLOAT
 Col 2 CU_RT_00001R1  FLOAT
 Col 3 CU_RT_00001R1_HHTHETA  FLOAT
 Col 4 CU_RT_00001R1_REF  FLOAT
 Col 5 CU_RT_00001R1_C1  FLOAT
 Col 6 CU_RT_00001R1_C2  FLOAT
 Col 7 CU_RT_00001R1_C3  FLOAT
 Col 8 CU_RT_00001R1_SAMPLE_TIME  FLOAT
       8800.008    -0.5827292      12.98201      1.493006        347914        623086        140005   0.2
       8802.007     -0.583491      12.97952      1.492439        349189        625846        140705   0.2
       8804.007    -0.5841331      12.97654      1.491391        347819        623791        140390   0.2
"""
SARDANA = """!
! Comments
!
%c
ascan om 0.0 1.0 2 0.1
user p08user Acquisition started at Wed Feb  3 10:32:01 2021
!
! Parameter
!
%p
om = 0
sdd = 1.25
om@unit = deg
!
! Data
!
%d
 Col 1 om DOUBLE
 Col 2 petra DOUBLE
 Col 3 eh_c01 DOUBLE
 Col 4 path STRING
 Col 5 timestamp DOUBLE
 0.0 100.0 12.0 /a/1.tif 0.5
 0.5 100.0 15.0 /a/2.tif 1.5
 1.0 100.0 11.0 /a/3.tif 2.5
! Acquisition ended at Wed Feb  3 10:32:05 2021
"""
CHANNELS = """!
! Comments
!
%c
 Position 0.5, Index 1
!
! Parameter
%p
 Sample_time = 0.1
!
! Data
%d
 Col 1 eh_mca01 FLOAT
 0
 7
 3
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_an_absorption_scan_of_doris(tmp_path: Path) -> None:
    path = written(tmp_path / "cu.fio", DORIS)
    assert registry.find(RawInput(path)) is READER
    (entry,) = read(path)
    assert (entry.technique, entry.default, str(entry.started)) == (
        "xafs",
        "absorption",
        "2004-11-24 16:43:58",
    )
    assert (entry["photon_energy"].values[0], entry["photon_energy"].unit) == (8800.008, "eV")
    assert entry["incident_intensity"].values[0] == 347914
    assert entry["transmitted_intensity"].values[0] == 623086
    assert entry["reference_intensity"].values[0] == 140005
    assert entry["absorption_reference"].values[0] == 1.493006
    assert entry["monochromator_angle"].unit == "deg"
    assert entry["time_per_point"].unit == "s"
    assert entry.conditions["ring_current"].value == 132.73
    assert "8mum" in str(entry.conditions["comment"].value)


def test_counters_are_named_only_where_the_numbers_show_what_they_are(tmp_path: Path) -> None:
    (entry,) = read(written(tmp_path / "cu.fio", DORIS.replace("-0.583491 ", "-0.683491 ")))
    assert entry.default == "value"
    assert {"c1", "c2", "c3", "ref"} <= {s.name for s in entry.signals}
    (entry,) = read(written(tmp_path / "cu.fio", DORIS.replace("1.492439", "1.592439")))
    assert entry.default == "absorption"
    assert {"incident_intensity", "transmitted_intensity", "c3", "ref"} <= {s.name for s in entry.signals}


def test_a_scan_of_petra_three(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a_00001.fio", SARDANA))
    (entry,) = m
    assert (entry.technique, entry.title) == ("unspecified", "ascan om 0.0 1.0 2 0.1")
    assert (m.operator, str(entry.started)) == ("p08user", "2021-02-03 10:32:01")
    assert (entry.x, entry.default) == ("om", "eh_c01")  # neither what was scanned nor what stood still
    assert entry["om"].unit == "deg"
    assert entry["eh_c01"].values.tolist() == [12, 15, 11]
    assert list(entry["path"].values) == ["/a/1.tif", "/a/2.tif", "/a/3.tif"]
    assert m.original_metadata["parameters"]["sdd"] == "1.25"  # type: ignore[index,call-overload]
    assert not m.warnings


def test_channels_of_an_analyser_are_numbered(tmp_path: Path) -> None:
    (entry,) = read(written(tmp_path / "a_mca_s1.fio", CHANNELS))
    assert entry.x == "channel"
    assert entry["eh_mca01"].values.tolist() == [0, 7, 3]
    assert entry["channel"].values.tolist() == [0, 1, 2]


def test_a_point_that_is_not_whole_is_told(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.fio", SARDANA.partition("11.0 /a/3")[0]))
    assert m[0]["eh_c01"].values.tolist() == [12, 15]
    assert "last point" in m.warnings[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SARDANA.partition(" 0.0 100")[0], "no points"),
        (SARDANA.partition(" Col 1")[0], "no columns"),
        (SARDANA.replace("15.0", "fifteen").replace("12.0", "x").replace("11.0", "y"), "no numbers"),
        (SARDANA.replace(" 0.5 100.0", " 0.5"), "line 24 has 4 numbers where 5"),
        (CHANNELS.replace("Position 0.5, Index 1", "x"), "nothing is over it"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(written(tmp_path / "a.fio", text))


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(written(tmp_path / "a.fio", "! remark\n1 2\n3 4\n"))) == NO
    assert READER.sniff(RawInput(written(tmp_path / "b.fio", "%c\ntext\n"))) == NO


@pytest.mark.parametrize("text", [DORIS, SARDANA, CHANNELS])
def test_damage_is_an_error_or_a_measurement(tmp_path: Path, text: str) -> None:
    cut(READER, text.encode(), tmp_path / "a.fio")
    damage(READER, text.encode(), tmp_path / "a.fio", turns=100)
