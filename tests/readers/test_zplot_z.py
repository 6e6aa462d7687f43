"""ZPlot and ZView: a capacitor taken for a coil, amperes for volts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.zplot_z import READER

HEAD = """ZPLOT2 ASCII
  Measured Data, ZPlot:       3.2c
  Experiment Type:            Sweep Frequency, Control {control}
  Date:                       10-12-2018
  Time:                       11:04:34
  Open Circuit Potential (V): 0.0033
  Begin User Comments:        0
half cell, 25 C
  End User Comments:          0
  Begin Information:          Cell Information
    Surface Area:             {area}
  Data Points:                {points}
  Freq(Hz)\tAmpl\tBias\tTime(Sec)\tZ'(a)\tZ''(b)\tGD\tErr\tRange
End Comments
"""
ROWS = """3.000000E+05\t1.0000E-02\t0.0000E+00\t2.670000E+00\t1.4777E+02\t-1.1335E+01\t0.0000E+00\t0\t3
2.382985E+05\t1.0000E-02\t0.0000E+00\t3.370000E+00\t1.4893E+02\t-1.7302E+01\t0.0000E+00\t0\t3
"""


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    assert registry.find(RawInput(path)) is READER
    return check(READER.read(RawInput(path)), READER)


def z(folder: Path, control: str = "Voltage", area: float = 1, points: int = 2, rows: str = ROWS) -> Path:
    path = folder / "a.z"
    path.write_text(HEAD.format(control=control, area=area, points=points) + rows)
    return path


def test_a_sweep_of_frequencies(tmp_path: Path) -> None:
    m = read(z(tmp_path))
    (entry,) = m
    assert entry["frequency"].values.tolist() == [3e5, 2.382985e5]
    assert entry["z_real"].values.tolist() == [147.77, 148.93]
    assert entry["z_imaginary"].values.tolist() == [-11.335, -17.302]
    assert entry["time"].unit == "s"
    assert (entry["voltage_amplitude"].values[0], entry["voltage_amplitude"].unit) == (0.01, "V")
    assert str(entry.started) == "2018-10-12 11:04:34"
    assert entry.conditions["open_circuit_voltage"].value == 0.0033
    assert entry.conditions["comment"].value == "half cell, 25 C"
    assert "electrode_area" not in entry.conditions
    assert m.warnings == ("The date '10-12-2018' is read month first; the file does not tell.",)


def test_a_controlled_current_an_area_and_an_early_end(tmp_path: Path) -> None:
    m = read(z(tmp_path, "Current", 2.5, 56))
    (entry,) = m
    assert (entry["current_amplitude"].unit, entry["bias_current"].unit) == ("A", "A")
    assert entry.conditions["electrode_area"].value == 2.5
    assert "56 points were planned, and 2 are there" in m.warnings[0]


def test_the_older_form_as_other_programs_write_it(tmp_path: Path) -> None:
    path = tmp_path / "old.z"
    rows = "10000,0,0,0,0.0137,0.0071,0,0,0\n1000,0,0,0,0.0145,-0.0013,0,0,0\n"
    head = '"Z60W Data File: Version 1.1"\n' + '""\n' * 7 + "0,2,0,1,0.1,10000\n2\n"
    path.write_text(
        head + "\"  Freq (Hz)    Ampl     Bias   Time(Sec)   Z'(a)    Z''(b)    GD   Err   Range\"\n" + rows
    )
    (entry,) = read(path)
    assert entry["z_imaginary"].values.tolist() == [0.0071, -0.0013]
    assert [s.name for s in entry.signals] == ["frequency", "z_real", "z_imaginary"]


def test_errors_and_damage(tmp_path: Path) -> None:
    data = z(tmp_path, rows=ROWS * 20, points=40).read_bytes()
    cut(READER, data, tmp_path / "cut.z")
    damage(READER, data, tmp_path / "damaged.z")
    with pytest.raises(ReadError, match="headings"):
        READER.read(RawInput(_written(tmp_path, "ZPLOT2 ASCII\n  Date: 1\n")))
    with pytest.raises(ReadError, match="needs six"):
        READER.read(RawInput(z(tmp_path, rows="1\t2\t3\n")))
    assert READER.sniff(RawInput(_written(tmp_path, "Freq(Hz)\tAmpl\n"))) == NO


def _written(folder: Path, text: str) -> Path:
    path = folder / "b.z"
    path.write_text(text)
    return path
