"""Ritsumeikan's absorption scans: of two energies, the one where the monochromator stood is right."""

from __future__ import annotations

from math import radians, sin
from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.rits_sr_csv import READER

#: As a scan at the K edge of silicon, with fewer blocks, columns and points.
TEXT = """         RITS-SR RBL13_2 RBL132SXDC_
FileName,20052209,2020/05/22 17:46:42,-,2020/05/22 18:05:16

Ring,575 MeV,,37.933,-,37.3605
Mono,InSb,D=,3.7405,Initial Angle =,68.6036,deg
Block,1,Points,3
-----,-----,-----,-----,-----,-----
Block,Init-Eng,Final-Eng,Step/eV,Time/s,Num
1,1780,1784,2,2,3,
-----,---<DataBlock>---,-----,-----,-----,-----
Energy(c),Angle(o),Energy(o),time/s,I0,TEY,FY1,FY(sum),TEY/I0
1780,68.6036,1780.00113492349,2,63139.2,27402.8,-722.4,-2113.9,0.434006132481881
1782,68.4416,1781.9824317466,2,63143.2,27774.8,-722.4,-2113.9,0.439870009755603
1784,68.2775,1784.00847086026,2,63073.2,28032.8,-722.4,-2113.9,0.44444867233627
"""


def written(path: Path, text: str = TEXT) -> Path:
    path.write_bytes(text.replace("\n", "\r\n").encode())
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_the_energy_is_the_one_of_the_angle(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv")
    assert registry.find(RawInput(path)) is READER
    m = read(path)
    (entry,) = m
    assert (entry.x, entry.default) == ("photon_energy", "absorption_electron_yield")
    assert entry["photon_energy_set"].values.tolist() == [1780, 1782, 1784]
    spacing = entry.conditions["monochromator_d_spacing"]
    assert spacing.unit == "angstrom"
    by_bragg = [
        12398.42 / (2 * float(str(spacing.value)) * sin(radians(a))) for a in (68.6036, 68.4416, 68.2775)
    ]
    assert entry["photon_energy"].values == pytest.approx(by_bragg, abs=0.1)
    assert entry["absorption_electron_yield"].values == pytest.approx(
        entry["electron_yield"].values / entry["incident_intensity"].values
    )
    assert (m.title, str(entry.started)) == ("20052209", "2020-05-22 17:46:42")
    assert entry.conditions["ring_energy"].value == 0.575
    assert entry.conditions["monochromator"].value == "InSb"
    assert not m.warnings


def test_missing_points_are_told(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.csv", TEXT.partition("1784,68")[0]))
    assert len(m[0]["photon_energy"].values) == 2
    assert "2 of 3 points" in m.warnings[0]
    m = read(written(tmp_path / "a.csv", TEXT.partition("28032")[0]))
    assert len(m[0]["photon_energy"].values) == 2
    assert "not whole" in m.warnings[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT.partition("-----,---<")[0], "before its data block"),
        (TEXT.partition("1780,68")[0], "no points"),
        (TEXT.replace("Energy(o)", "x").replace("Energy(c)", "y"), "no energy"),
        (TEXT.replace("63139.2", "a").replace("63143.2", "b").replace("63073.2", "c"), "no numbers"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(written(tmp_path / "a.csv", text))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    cut(READER, TEXT.encode(), tmp_path / "a.csv")
    damage(READER, TEXT.encode(), tmp_path / "a.csv", turns=100)
    assert READER.sniff(RawInput(written(tmp_path / "b.csv", "RITS-SR\n1,2\n"))) == NO
