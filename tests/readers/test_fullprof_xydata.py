"""FullProf's XYDATA: what somebody loses if a pattern of a neutron source stays an unknown table."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.fullprof_xydata import READER
from zairyo.readers.invariants import check

LAMP = """XYDATA  Co2SiO4 8mmV 1.87A HiRes
INTER        1       1       0     0.100000
TEMP       60.4590      60.0050      60.0020
! d20 23-Apr-08 09:22:09 User Somebody   Contact  Run 594842*d20
! Monitor/counts, Counting time/sec:       100000.      62.5111
   0.0953          4111.663      28.082
   0.1953          4314.775      29.237
   0.2953          4320.664      29.522
"""
PLAIN = """XYDATA
INTER 1.0 2.0 2 0.02
TITLE  Y2O3
#
10.0 100 10 90
10.1 110 11 100
10.2 120 12 110
0.0 0 0 0
"""


def read(text: str, folder: Path) -> Measurement:
    path = folder / "made.dat"
    path.write_text(text)
    assert READER.sniff(RawInput(path)) == CERTAIN
    assert registry.find(RawInput(path)).name == "fullprof_xydata"
    return check(READER.read(RawInput(path)), READER)


def test_a_pattern_that_lamp_wrote(tmp_path: Path) -> None:
    m = read(LAMP, tmp_path)
    (entry,) = m.entries
    assert (entry.technique, m.instrument, m.title) == (
        "neutron_diffraction",
        "D20",
        "Co2SiO4 8mmV 1.87A HiRes",
    )
    assert entry.started == datetime(2008, 4, 23, 9, 22, 9)
    assert (entry["two_theta"].unit, entry["two_theta"].values.tolist()) == ("deg", [0.0953, 0.1953, 0.2953])
    assert entry.signal.values.tolist() == [4111.663, 4314.775, 4320.664]
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.tolist() == [28.082, 29.237, 29.522]
    assert entry.conditions["temperature"] == Quantity(60.459, "K")
    assert entry.conditions["duration"] == Quantity(62.5111, "s")
    assert not m.warnings


def test_factors_a_calculated_pattern_and_an_end_of_zeros(tmp_path: Path) -> None:
    m = read(PLAIN, tmp_path)
    (entry,) = m.entries
    assert m.title == "Y2O3"
    assert entry["two_theta"].values.tolist() == [10.0, 10.1, 10.2]
    assert entry.signal.values.tolist() == [200, 220, 240]
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.tolist() == [20, 22, 24]
    assert entry["calculated_intensity"].values.tolist() == [180, 200, 220]
    assert "temperature" not in entry.conditions
    assert any("intensities by 2" in w for w in m.warnings)
    assert any("X-rays or neutrons" in w for w in m.warnings)


def test_times_of_flight_are_no_angles(tmp_path: Path) -> None:
    m = read("XYDATA\nINTER 1 1 0\nTEMP 0\n!\n!\n!\n1000.5 10 0\n1001.5 11 0\n", tmp_path)
    (entry,) = m.entries
    assert (entry.technique, entry["time_of_flight"].unit) == ("neutron_diffraction", "us")
    assert entry.signal.uncertainty is None
    assert "temperature" not in entry.conditions
    assert any("times of flight" in w for w in m.warnings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("XYDATA\nINTER 1 1 0\n", "no rows"),
        (PLAIN.replace("10.1 110 11 100", "10.1 110"), "does not have 4 numbers"),
        ("XYDATA\n1 2 3 4 5\n2 3 4 5 6\n", "two to four"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(text, tmp_path)


def test_cut_off_and_damaged_files(tmp_path: Path) -> None:
    cut(READER, LAMP.encode(), tmp_path / "a.dat")
    damage(READER, LAMP.encode(), tmp_path / "a.dat")
