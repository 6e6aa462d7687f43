"""Zilien: series side by side, each with a time and an end of its own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.zilien import READER

SEEDS = Path(__file__).parent / "seeds" / "zilien"
RUN = SEEDS / "1" / "2022-04-06 16_17_23 full set.tsv"
SCAN = SEEDS / "2" / "mass scan.tsv"


def read(path: Path) -> Measurement:
    assert registry.find(RawInput(path)) is READER
    return check(READER.read(RawInput(path)), READER)


def test_a_run() -> None:
    measurement = read(RUN)
    pot, hydrogen, helium, gauge, flow = measurement
    assert measurement.warnings == ()
    assert measurement.title == "full set"
    assert pot.technique == "electrochemistry"
    assert pot.started == datetime(2022, 4, 6, 16, 17, 23)
    assert pot["time"].values.tolist() == [95.84931, 95.99891, 96.15551, 96.34311]
    assert [pot[n].unit for n in ("time", "voltage", "current", "cycle")] == ["s", "V", "mA", ""]
    assert hydrogen.technique == helium.technique == "mass_spectrometry"
    assert hydrogen["time"].values.tolist() == [0.4798638, 1.479856]
    assert helium["ion_current"].values.tolist() == [3.650363e-08, 3.618091e-08]
    assert (helium["ion_current"].long_name, helium["ion_current"].unit) == ("M4-He", "A")
    assert (gauge["iongauge_value"].unit, flow["mfc1_value"].unit) == ("mbar", "ml/min")
    assert len(gauge["time"].values) == 3


def test_a_mass_scan() -> None:
    (entry,) = read(SCAN)
    assert entry["mass_to_charge"].values.tolist() == [0, 0.2, 0.4]
    assert entry["ion_current"].values[0] == 2.263577e-13
    assert entry["ion_current"].unit == "A"


def test_a_count_that_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(RUN.read_text().replace("pot\tint\t4", "pot\tint\t9"))
    assert "'pot' announces 9 records; the file holds 4" in read(path).warnings[0]


def test_broken_files(tmp_path: Path) -> None:
    for seed in (RUN, SCAN):
        data = seed.read_bytes()
        assert 0 not in cut(READER, data, tmp_path / "a.tsv", 50)
        damage(READER, data, tmp_path / "a.tsv")
    path = tmp_path / "b.tsv"
    path.write_bytes(RUN.read_bytes()[:1500])
    with pytest.raises(ReadError, match="ends within its header"):
        READER.read(RawInput(path))
