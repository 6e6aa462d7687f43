"""SSRL's absorption scans: columns are named line by line, and the energy is the one reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.ssrl_xafs import READER

TEXT = """SSRL   EXAFS Data Collector 1.3
Sun May 21 00:13:57 2006
PTS:          3 COLS:          5
TRANS.DET
AG.RGN
2-3 unfocused  0.000 -2 Si(220) 1.920156   100000
4 2000 25 RST 0 0
A silver compound, mylar window
I0=Ar, I1=Kr


Weights:
 1.000  1.000  1.000  1.000  1.000
Offsets:
 0.000  0.000  0.000  144.200  133.500
Data:
Real time clock
Requested Energy
Achieved Energy
I0
I1

 1.000  25285.000  25284.998  147360.797  131905.500
 1.000  25295.000  25295.012  146739.797  131444.500
 1.000  25305.000  25304.998  144961.797  129999.500
"""


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.replace("\n", "\r\n").encode())
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_a_scan(tmp_path: Path) -> None:
    path = written(tmp_path / "ag.dat", TEXT)
    assert registry.find(RawInput(path)) is READER
    m = read(path)
    (entry,) = m
    assert (entry.x, entry.default) == ("photon_energy", "i1")
    assert entry["photon_energy"].values.tolist() == [25284.998, 25295.012, 25304.998]
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("real_time_clock", None), ("photon_energy_set", "eV"), ("photon_energy", "eV"), ("incident_intensity", None),
        ("i1", None),
    ]  # fmt: skip
    assert {name: str(value) for name, value in entry.conditions.items()} == {
        "facility": "SSRL", "monochromator": "Si(220)", "monochromator_d_spacing": "1.92016 angstrom",
        "software_version": "1.3", "comment": "A silver compound, mylar window I0=Ar, I1=Kr",
    }  # fmt: skip
    assert str(entry.started) == "2006-05-21 00:13:57"
    assert not m.warnings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT.partition("Data:")[0], "before its line"),
        (TEXT.partition(" 1.000  25305")[0], "3 points and holds 5 and 2"),
        (TEXT.replace("I1\n\n", "\n"), "should hold 5 columns"),
        (TEXT.replace("146739.797", "broken"), "not all numbers"),
    ],
)
def test_what_is_not_whole_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(written(tmp_path / "a.dat", text)))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    cut(READER, TEXT.encode(), tmp_path / "a.dat")
    damage(READER, TEXT.encode(), tmp_path / "a.dat", turns=100)
    assert READER.sniff(RawInput(written(tmp_path / "b.dat", "SSRL beam times\n1 2\n"))) == NO
