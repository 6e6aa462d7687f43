"""Sietronics: a peak at the wrong angle, a date of 1900."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.sietronics_cpi import READER

SEED = Path(__file__).parent / "seeds" / "sietronics_cpi" / "1" / "a.cpi"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    assert registry.find(RawInput(path)) is READER
    return check(READER.read(RawInput(path)), READER)


def changed(folder: Path, old: str, new: str) -> Path:
    path = folder / "b.cpi"
    text = SEED.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_a_pattern(tmp_path: Path) -> None:
    m = read(SEED)
    (entry,) = m
    assert entry["two_theta"].values.tolist() == [10, 10.01, 10.02, 10.03, 10.04]
    assert entry["intensity"].values.tolist() == [8992, 9077, 9017, 9018, 9129]
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["wavelength"] == (1.54056, "angstrom")
    assert (told["xray_source_element"][0], told["step_size"]) == ("Cu", (0.01, "deg"))
    assert (m.title, str(entry.started)) == ("SMRR-1", "2002-04-29 00:00:00")
    assert read(changed(tmp_path, "29-4-2002", "1-1-1900")).entries[0].started is None


def test_errors_and_damage(tmp_path: Path) -> None:
    data = SEED.read_bytes()
    cut(READER, data, tmp_path / "cut.cpi")
    damage(READER, data, tmp_path / "damaged.cpi")
    for old, new, said in (
        ("SCANDATA", "SCAN", "cut off"),
        ("10.04\n", "10.40\n", "41 points are announced and 5 are there"),
        ("\n0.010\n", "\n0\n", "from where to where"),
        ("\n9017\n", "\nx\n", "no intensity"),
    ):
        with pytest.raises(ReadError, match=said):
            READER.read(RawInput(changed(tmp_path, old, new)))
    assert "1 numbers behind" in read(changed(tmp_path, "9129\n", "9129\n1\n")).warnings[0]
    other = tmp_path / "other.cpi"
    other.write_text("XRD SCAN\n")
    assert READER.sniff(RawInput(other)) == NO
