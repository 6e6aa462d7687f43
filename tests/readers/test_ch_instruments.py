"""CHI workstations: a peak at the wrong potential, a capacitor taken for a coil, a second electrode lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.ch_instruments import READER
from zairyo.readers.invariants import check

HEAD = """June 21, 2023   16:01:40
{method}
File: c:\\chi\\a.bin
Data Source:  Experiment
Instrument Model:  CHI760E
Header: Pt disk
Note: 1 mM ferrocene

{settings}

{headings}

"""
SWEEP = """Init E (V) = 0
High E (V) = 0.4
Low E (V) = -0.2
Init P/N = N
Scan Rate (V/s) = 0.05
Segment = 2
Sample Interval (V) = 0.001
Quiet Time (sec) = 2

Results:

Channel 1:
Segment 1:
Ep = 0.273V
ip = 4.046e-6A
Ah = 5.570e-5C

Segment 2:"""


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    assert registry.find(RawInput(path)) is READER
    return check(READER.read(RawInput(path)), READER)


def chi(folder: Path, method: str, settings: str, headings: str, rows: str, end: str = "\r\n") -> Path:
    path = folder / "a.txt"
    text = HEAD.format(method=method, settings=settings, headings=headings) + rows
    path.write_bytes(text.replace("\n", end).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_sweep(tmp_path: Path, end: str) -> None:
    rows = "-0.200, -3.964e-6\n-0.199, -3.815e-6\n-0.198, 3.7e-6\n"
    m = read(chi(tmp_path, "Cyclic Voltammetry", SWEEP, "Potential/V, Current/A", rows, end))
    (entry,) = m
    assert entry.technique == "cyclic_voltammetry"
    assert entry["voltage"].values.tolist() == [-0.2, -0.199, -0.198]
    assert entry["current"].values.tolist() == [-3.964e-6, -3.815e-6, 3.7e-6]
    assert (entry["voltage"].unit, entry["current"].unit) == ("V", "A")
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["scan_rate"] == (0.05, "V/s")
    assert (told["vertex_voltage_1"], told["vertex_voltage_2"]) == (
        (-0.2, "V"),
        (0.4, "V"),
    )  # downwards first
    assert told["comment"] == ("Pt disk 1 mM ferrocene", None)
    assert str(entry.started) == "2023-06-21 16:01:40"
    assert m.instrument == "CHI760E"
    assert "cathodic" in m.warnings[0]
    assert "Ep = 0.273V" in m.original_metadata["header"]


def test_impedance_and_other_tables(tmp_path: Path) -> None:
    settings = "Init E (V) = 0.1\nHigh Frequency (Hz) = 2e+6\nAmplitude (V) = 0.025"
    rows = "9.961e+4, 9.891e+1, -2.748e+0, 9.894e+1, -1.6\n8.252e+4, 9.912e+1, 1.603e+0, 9.913e+1, 0.9\n"
    m = read(chi(tmp_path, "A.C. Impedance", settings, "Freq/Hz, Z'/ohm, Z\"/ohm, Z/ohm, Phase/deg", rows))
    (entry,) = m
    assert entry.technique == "eis"
    assert entry["z_imaginary"].values.tolist() == [-2.748, 1.603]
    assert entry["z_phase"].unit == "deg"
    assert entry.conditions["voltage_amplitude"].value == 0.025
    assert entry.conditions["applied_voltage"].value == 0.1
    assert not m.warnings
    (entry,) = read(
        chi(
            tmp_path, "Square Wave Voltammetry", "Init E (V) = 0",
            "Potential/V, Diff(i/A), For(i/A), Rev(i/A)", "0.1, 3e-6, 2e-6, -1e-6\n0.2, 4e-6, 2e-6, -2e-6\n",
        )
    )  # fmt: skip
    assert entry["current_difference"].values.tolist() == [3e-6, 4e-6]
    assert (entry["reverse_current"].unit, entry.technique) == ("A", "electrochemistry")
    (entry,) = read(
        chi(tmp_path, "Linear Sweep Voltammetry", "Scan Rate (V/s) = 0.1", "Potential/V, i1/A, i2/A",
            "0.1\t3e-6\t2e-6\n0.2\t4e-6\t2e-6\n")
    )  # fmt: skip
    assert entry["current_2"].values.tolist() == [2e-6, 2e-6]


def test_a_controlled_current_and_times(tmp_path: Path) -> None:
    settings = "Cathodic Current (A) = -0.025\nData Storage Interval (s) = 2.0"
    (entry,) = read(
        chi(tmp_path, "Chronopotentiometry", settings, "Time/sec, Potential/V", "0.0, 0.7\n2.0, 0.75\n")
    )
    assert entry.technique == "chronopotentiometry"
    assert (entry["time"].unit, entry.conditions["sampling_interval"].value) == ("s", 2.0)


def test_blanks_between_columns(tmp_path: Path) -> None:
    """Newer versions let the user choose blanks; such a file was refused as one without values."""
    (entry,) = read(
        chi(tmp_path, "Chronopotentiometry", "", "Time/sec Potential/V", "\n2.000e-1 3.532e-1\n4.0e-1 0.4\n")
    )
    assert entry["time"].values.tolist() == [0.2, 0.4]
    assert (entry["voltage"].values.tolist(), entry["voltage"].unit) == ([0.3532, 0.4], "V")


def test_errors_and_damage(tmp_path: Path) -> None:
    good = chi(
        tmp_path, "Cyclic Voltammetry", SWEEP, "Potential/V, Current/A", "-0.2, -3.9e-6\n-0.1, -3.8e-6\n" * 20
    )
    data = good.read_bytes()
    cut(READER, data, tmp_path / "cut.txt")
    damage(READER, data, tmp_path / "damaged.txt")
    with pytest.raises(ReadError, match="no table"):
        READER.read(RawInput(chi(tmp_path, "Cyclic Voltammetry", SWEEP, "", "")))
    with pytest.raises(ReadError, match=r"line 3[01] has 1 cells"):
        READER.read(
            RawInput(
                chi(tmp_path, "Cyclic Voltammetry", SWEEP, "Potential/V, Current/A", "-0.2, -3e-6\n-0.1\n")
            )
        )
    other = tmp_path / "other.txt"
    other.write_text("Cyclic Voltammetry\nPotential/V, Current/A\n1, 2\n")
    assert READER.sniff(RawInput(other)) == NO
