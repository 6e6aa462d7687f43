"""MicroMag: a Greek unit, columns that are told apart by their width alone, curves that run into each other."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Entry
from zairyo.readers import registry
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.micromag import READER

SEED = Path(__file__).parent / "seeds" / "micromag" / "1" / "loop.001"
END = "\nMicroMag 2900/3900 Data File ends\n"
OLD = """MicroMag 2900/3900 Data File (Series 0015)
First-order reversal curves
Configuration   :  VSM
Software version:  09/27/2005 D
Units of measure:  cgs
02/03/2015  17:35
"wires"

Averaging time = +2.000000E+00
HCal           = +6.804196E+03
Temperature    = N/A
NData          = 3

+6.808018E+03,+1.282651E-03

+1.140678E+03,+1.220527E-03
+1.174292E+03,+1.220665E-03
"""


def read(path: Path, *warnings: str) -> Entry:
    assert registry.find(RawInput(path)) is READER
    measurement = check(READER.read(RawInput(path)), READER)
    assert len(measurement.warnings) == len(warnings)
    assert all(part in told for part, told in zip(warnings, measurement.warnings, strict=True))
    return measurement.entries[0]


def written(folder: Path, text: str) -> Path:
    path = folder / "a.001"
    path.write_bytes(text.replace("\n", "\r\n").encode("latin-1"))
    return path


def test_a_loop_of_two_segments() -> None:
    entry = read(SEED)
    assert entry.title == "Direct moment vs. field; Hysteresis loop"
    assert entry["magnetic_field"].values.tolist() == [1.001037, -1.000787, -1.000752, 1.001089]
    assert entry["magnetic_moment"].values.tolist() == [299.4e-9, -299.3e-9, -299.5e-9, 299.4e-9]
    assert entry["magnetic_moment_adjusted"].values[0] == 377.9e-9
    assert (entry["magnetic_field"].unit, entry["magnetic_moment"].unit) == ("T", "A*m**2")
    assert entry["segment"].values.tolist() == [1, 1, 2, 2]
    assert (entry.x, entry.default) == ("magnetic_field", "magnetic_moment")
    assert entry.started == datetime(2019, 6, 8, 15, 47)
    assert str(entry.conditions["temperature"]) == "38.0661 K"
    assert str(entry.conditions["sample_mass"]) == "6.7e-06 kg"


def test_a_moment_divided_by_the_mass(tmp_path: Path) -> None:
    text = SEED.read_bytes().decode("latin-1").replace("\r\n", "\n")
    key = "Normalization".ljust(32)
    head = text[: text.index("Segment   ")].replace(f"{key}No", f"{key}by mass")
    rows = """                              Normalized 
    Field         Moment        Moment   
     (T)          (Am²)          (*)     
+182.7680E-03,+970.0948E-06,+144.7905E+00

+57.14075E-03,+497.4504E-06,+74.24646E+00
"""
    entry = read(written(tmp_path, head + rows + END), "announces 4 data; the file holds 2")
    assert entry["magnetisation"].values.tolist() == [144.7905, 74.24646]
    assert entry["magnetisation"].unit == "A*m**2/kg"
    assert entry["segment"].values.tolist() == [1, 2]


def test_what_remains_without_a_field(tmp_path: Path) -> None:
    text = SEED.read_bytes().decode("latin-1").replace("\r\n", "\n")
    rows = "    Field       Remanence  \n     (T)          (Am²)    \n+293.3557E-09,+4.737287E-06\n"
    entry = read(
        written(tmp_path, text[: text.index("Segment   ")] + rows + END), "announces 4 data; the file holds 1"
    )
    assert (entry["remanent_moment"].unit, entry.default) == ("A*m**2", "remanent_moment")
    assert "segment" not in {s.name for s in entry.signals}


def test_the_older_series_has_no_headings(tmp_path: Path) -> None:
    entry = read(written(tmp_path, OLD + END))
    assert entry["magnetic_field"].values.tolist() == [6808.018, 1140.678, 1174.292]
    assert (entry["magnetic_field"].unit, entry["magnetic_moment"].unit) == ("Oe", "emu")
    assert entry["segment"].values.tolist() == [1, 2, 2]
    assert entry.started == datetime(2015, 2, 3, 17, 35)
    assert READER.read(RawInput(tmp_path / "a.001")).sample == "wires"


def test_a_file_without_its_end(tmp_path: Path) -> None:
    read(written(tmp_path, OLD), "line that ends the file is missing")
    with pytest.raises(ReadError, match="last line is cut off"):
        READER.read(RawInput(written(tmp_path, OLD[:-4])))
    with pytest.raises(ReadError, match="no measured field"):
        READER.read(RawInput(written(tmp_path, OLD[:200])))


def test_broken_files(tmp_path: Path) -> None:
    data = SEED.read_bytes()
    assert cut(READER, data, tmp_path / "a.001", 100)[0] > 80
    damage(READER, data, tmp_path / "a.001")
