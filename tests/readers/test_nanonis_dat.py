"""Nanonis spectroscopy: what someone who looks at densities of states would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.nanonis_dat import READER

REAL = "nanonis-dat/Bias-Spectroscopy00015_20230420.dat"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


# Points, first, last, sum, largest: equal to nanonispy 1.1.0.
GOLDEN = {
    "bias": (-0.050000001, 0.050000001, 1.5098050027972931e-06, 0.050000001),
    "current": (-1.4288776e-10, 2.5498792e-10, 6.011247649664801e-08, 2.5498792e-10),
    "temperature_1": (1.6252118, 1.6251855, 3328.4037704, 1.6252164),
    "lock_in_1_x": (-2.9149552e-12, -4.6107783e-12, -8.376234693805002e-09, 3.2566728e-13),
    "lock_in_2_y_filtered": (-1.8262286e-13, -3.0822182e-13, 1.0224518454402702e-11, 1.1235211e-12),
}


def test_real_numbers(instruments: Path) -> None:
    (entry,) = read(instruments / REAL)
    assert (entry.technique, entry.x, len(entry.signals)) == ("sts", "bias", 15)
    assert entry.default == "lock_in_1_x"  # the lock-in ran: dI/dV is what one looks at
    for name, numbers in GOLDEN.items():
        v = entry[name].values
        assert v.size == 2048
        assert (v[0], v[-1], v.sum(), v.max()) == pytest.approx(numbers, rel=1e-9)
    assert [entry[n].unit for n in ("bias", "current", "temperature_1")] == ["V", "A", "K"]
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["modulation_frequency"] == (1000.0, "Hz")
    assert told["modulation_amplitude"] == (0.002, "V")
    assert told["repetitions"] == (10, None)
    assert told["position_x"] == (153.514e-9, "m")
    assert str(entry.started) == "2023-04-20 14:53:33"


def test_cut_off_and_damaged(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / REAL).read_bytes()[:60_000]
    data = data[: data.rindex(b"\n") + 1]
    cut(READER, data, tmp_path / "cut.dat")
    (tmp_path / "row.dat").write_bytes(data[:-20])
    with pytest.raises(ReadError, match=r"line \d+ has"):
        READER.read(RawInput(tmp_path / "row.dat"))
    damage(READER, data, tmp_path / "broken.dat", within=9000)


def save(path: Path, experiment: str, titles: str, *rows: str, header: str = "") -> Path:
    text = (
        f"Experiment\t{experiment}\t\nUser\tMiyazaki\t\n{header}\n[DATA]\n{titles}\n" + "\n".join(rows) + "\n"
    )
    path.write_text(text)
    return path


def test_z_spectroscopy_there_and_back(tmp_path: Path) -> None:
    titles = "Z rel (m)\tOC M1 Freq. Shift (Hz)\tOC M1 Freq. Shift [bwd] (Hz)\t[AVG] Current (A)"
    m = read(save(tmp_path / "a", "Z spectroscopy", titles, "0\t-1\t-2\t3E-12", "1E-9\t-3\tNaN\t4E-12"))
    (entry,) = m
    assert (entry.technique, entry.x, entry.default, m.operator) == (
        "afm_force",
        "z",
        "frequency_shift",
        "Miyazaki",
    )
    assert entry["frequency_shift"].values.tolist() == [-1, -3]
    assert entry["z"].unit == "m"
    assert entry["current_average"].unit == "A"
    assert any("bwd" in s.long_name for s in entry.signals)


def test_word_in_the_table_costs_one_cell(tmp_path: Path) -> None:
    (entry,) = read(
        save(tmp_path / "a", "bias spectroscopy", "Bias calc (V)\tCurrent (A)", "0\tN/A", "1\t2,5")
    )
    assert str(entry["current"].values.tolist()) == "[nan, 2.5]"


def test_nothing_measured_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no row of numbers"):
        read(save(tmp_path / "a", "bias spectroscopy", "Bias calc (V)\tCurrent (A)"))
