"""Autolab: a capacitor taken for a coil, decimal commas taken for columns."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers.autolab_text import READERS
from zairyo.readers.invariants import check

NOVA, FRA = READERS
SEEDS = Path(__file__).parent / "seeds"
CV, GOLD = SEEDS / "autolab_nova_txt/1/cv.txt", SEEDS / "autolab_fra/1/gold.P00"


def read(path: Path, reader: Reader) -> Measurement:
    assert reader.sniff(RawInput(path)) == CERTAIN
    assert registry.find(RawInput(path)) is reader
    return check(reader.read(RawInput(path)), reader)


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "a.txt"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("comma", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_voltammogram(tmp_path: Path, delimiter: str, comma: bool, encoding: str) -> None:
    text = CV.read_text().replace(";", delimiter)
    text = text if comma else text.replace(",", ".")
    (entry,) = read(written(tmp_path, text, encoding), NOVA)
    assert entry.technique == "cyclic_voltammetry"
    assert entry["voltage"].values.tolist() == [0.0025, 0.0049, 0.0026]
    assert entry["current"].values.tolist() == [-1.2e-6, -1.1e-6, 1e-6]
    assert (entry["current"].unit, entry["time"].unit, entry["cycle"].unit) == ("A", "s", "")
    assert entry["cycle"].values.tolist() == [1, 1, 2]
    assert (entry.x, entry.default) == ("voltage", "current")


def test_an_exported_spectrum(tmp_path: Path) -> None:
    head = "Frequency (Hz),Z' (Ω),-Z'' (Ω),Z (Ω),-Phase (°),Time (s)\n"
    (entry,) = read(
        written(tmp_path, head + "1e5,10.5,-0.2,10.5,-1.1,1.5\n1e4,11.5,2.2,11.7,10.8,2.5\n"), NOVA
    )
    assert entry.technique == "eis"
    assert entry["z_imaginary"].values.tolist() == [0.2, -2.2]
    assert entry["z_phase"].values.tolist() == [1.1, -10.8]
    assert entry["z_modulus"].values.tolist() == [10.5, 11.7]
    assert (entry["z_real"].unit, entry["z_phase"].unit) == ("ohm", "deg")


def test_a_spectrum_of_the_older_program(tmp_path: Path) -> None:
    m = read(GOLD, FRA)
    (entry,) = m
    assert entry["frequency"].values.tolist() == [10000, 7196.9, 5179.5]
    assert entry["z_imaginary"].values.tolist() == [-26.556, -35.166, -46.466]
    assert (entry["voltage"].unit, entry["current"].unit) == ("V", "A")
    assert str(entry.started) == "2004-03-12 10:11:12"
    assert (m.title, entry.conditions["comment"].value) == ("Gold in acid", "Second try")
    shorter = written(tmp_path, GOLD.read_text().replace("\n 3 \n", "\n 5 \n"))
    assert "5 points were planned, and 3 are there" in read(shorter, FRA).warnings[0]


def test_errors_and_damage(tmp_path: Path) -> None:
    for reader, seed in ((NOVA, CV), (FRA, GOLD)):
        data = seed.read_bytes()
        cut(reader, data, tmp_path / "cut.txt")
        damage(reader, data, tmp_path / "damaged.txt")
    with pytest.raises(ReadError, match="line 3 has 2 cells"):
        NOVA.read(RawInput(written(tmp_path, "Time (s);WE(1).Current (A);Index\n1;2;3\n1;2\n")))
    with pytest.raises(ReadError, match="headings"):
        FRA.read(RawInput(written(tmp_path, "Procedure : x\n")))
    other = written(tmp_path, "Frequency (Hz)\tZ' (Ω)\n1\t2\n")
    assert NOVA.sniff(RawInput(other)) == FRA.sniff(RawInput(other)) == NO
