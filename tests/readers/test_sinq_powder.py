"""Powder patterns of SINQ: what somebody loses if ten numbers a line are taken for ten columns."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.sinq_powder import READER

HEAD = """DMC, LaFeO3, long scan
lambda=  2.45000, T=   1.530, dT=  0.010, Date='2022-09-01 12:30:00'
   5.000   0.125   6.500  760000., sample="LaFeO3"
"""
DATA = """    101.    102.    103.    104.    105.    106.    107.    108.    109.    110.
    111.    112.    113.
"""
ERRORS = """     1.1     1.2     1.3     1.4     1.5     1.6     1.7     1.8     1.9     2.0
     2.1     2.2     2.3     nan     nan
"""
TAIL = """ Filelist='dmc:2022:1234'
 a4=5.0. 6.5.; Counts=101 113; Numor=1234; Npkt=13; owner='Somebody'
"""


def read(text: str, folder: Path) -> Measurement:
    path = folder / "made.dat"
    path.write_text(text)
    assert READER.sniff(RawInput(path)) == CERTAIN
    assert registry.find(RawInput(path)).name == "sinq_powder"
    return check(READER.read(RawInput(path)), READER)


def test_a_pattern(tmp_path: Path) -> None:
    m = read(HEAD + DATA + ERRORS + TAIL, tmp_path)
    (entry,) = m.entries
    assert (m.instrument, m.sample, m.operator) == ("DMC", "LaFeO3", "Somebody")
    assert entry.started == datetime(2022, 9, 1, 12, 30)
    assert entry["two_theta"].values.tolist() == [5 + 0.125 * i for i in range(13)]
    assert entry.signal.values.tolist() == list(range(101, 114))
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty[[0, -1]].tolist() == [1.1, 2.3]
    assert entry.conditions["wavelength"] == Quantity(2.45, "angstrom")
    assert entry.conditions["temperature"] == Quantity(1.53, "K")
    assert "Npkt=13" in entry.original_metadata["footer"][1]
    assert not m.warnings


def test_fields_that_touch_and_no_errors(tmp_path: Path) -> None:
    full = "".join(f"{v:7d}." for v in range(1_000_000, 1_000_010)) + "\n" + "     11.     12.     13.\n"
    (entry,) = read(HEAD.replace("1.530", "  nan") + full + TAIL, tmp_path).entries
    assert entry.signal.values[[0, 9, 12]].tolist() == [1_000_000, 1_000_009, 13]
    assert entry.signal.uncertainty is None
    assert "temperature" not in entry.conditions


def test_a_date_without_quotes_and_a_range_that_is_no_decimal_step(tmp_path: Path) -> None:
    """As HRPT wrote them; a temperature of zero says nothing."""
    head = HEAD.replace("DMC", "HRPT").replace("'", "").replace("1.530", "0.000")
    head = head.replace("5.000   0.125   6.500", "2.948   0.050   3.548")
    (entry,) = read(head + DATA + ERRORS.replace("     nan", "") + TAIL, tmp_path).entries
    assert entry.started == datetime(2022, 9, 1, 12, 30)
    assert entry["two_theta"].values[[0, -1]].tolist() == [2.948, 3.548]
    assert "temperature" not in entry.conditions


def test_errors_cut_off_are_told(tmp_path: Path) -> None:
    m = read(HEAD + DATA + ERRORS.splitlines()[0] + "\n", tmp_path)
    assert m[0].signal.uncertainty is None
    assert any("not all there" in w for w in m.warnings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + DATA.splitlines()[0] + "\n", "13 points are announced and 10 are there"),
        (HEAD.replace("  6.500", "600.500") + DATA, "cannot be"),
        (HEAD.replace("0.125", "0.000") + DATA, "cannot be"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(text, tmp_path)


def test_cut_off_and_damaged_files(tmp_path: Path) -> None:
    text = (HEAD + DATA + ERRORS + TAIL).encode()
    cut(READER, text, tmp_path / "a.dat")
    damage(READER, text, tmp_path / "a.dat")


def test_columns_of_dmc(tmp_path: Path) -> None:
    """DMCpy's other form: by its ending alone it would be an X-ray pattern."""
    path = tmp_path / "DMC.xye"
    path.write_text(
        "# DMC at SINQ, PSI: Sample name = LaFeO3, title = long scan, wavelength = 2.45 AA, T = 1.53 K\n"
        "# Filelist='dmc:2022:1234'\n"
        '#   5.000   0.125   5.250  760000, sample="LaFeO3"\n'
        "5.0 101.5 1.1\n5.125 102.5 1.2\n5.25 103.5 1.3\n"
    )
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "sinq_dmc_xye"
    (entry,) = m.entries
    assert (entry.technique, m.sample, m.title) == ("neutron_diffraction", "LaFeO3", "long scan")
    assert entry.conditions["wavelength"] == Quantity(2.45, "angstrom")
    assert entry.conditions["temperature"] == Quantity(1.53, "K")
    assert entry["two_theta"].values.tolist() == [5.0, 5.125, 5.25]
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.tolist() == [1.1, 1.2, 1.3]
    assert not m.warnings
