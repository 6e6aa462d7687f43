"""Touchstone: a user would read the wrong parameter, or magnitudes of another scale."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants, registry
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.touchstone import READER


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, text: str, encoding: str = "latin-1") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("name", "total", "minute"),
    [("Device_r_40um.s1p", 93.7403836 - 4.51530248j, 3), ("Device_r_60um.s1p", 93.6090772 - 4.73888485j, 5)],
)
def test_real_agilent_files(instruments: Path, name: str, total: complex, minute: int) -> None:
    # scikit-rf 2.2.0 agrees.
    source = RawInput(instruments / "touchstone" / name)
    assert READER.sniff(source) == CERTAIN
    m = read(source.path)
    entry = m[0]
    assert entry["s11"].values.sum() == pytest.approx(total, rel=1e-9)
    assert entry["frequency"].values[[0, -1]].tolist() == [300000, 763605]
    assert entry.default == "s11_magnitude"
    assert entry.conditions["reference_impedance"].value == 50
    assert m.instrument == "Agilent Technologies N5230A"
    assert m.started is not None
    assert m.started.replace(second=0) == datetime(2020, 9, 7, 12, minute)


def test_real_picovna_file_with_decimal_commas(instruments: Path) -> None:
    m = read(instruments / "touchstone" / "2024-06-20-01-empty.s1p")
    entry = m[0]
    assert len(entry["frequency"].values) == 10001
    assert entry["frequency"].values[[0, -1]].tolist() == [2.5e9, 7.5e9]
    assert abs(entry["s11"].values[0]) == pytest.approx(0.98082)
    assert np.angle(entry["s11"].values[0], deg=True) == pytest.approx(153.40)
    assert abs(entry["s21"].values[0]) == pytest.approx(9.881e-5)
    assert "s21" in m.warnings[0]
    assert m.started == datetime(2024, 6, 20, 9, 59, 35)


def test_two_ports_are_written_column_by_column(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.s2p", "# GHz S RI R 75\n1 .1 0 .21 .01 .12 0 .22 0\n2 .1 0 .21 0 .12 0 .22 0\n"
    )
    entry = read(path)[0]
    assert entry["s21"].values[0] == 0.21 + 0.01j
    assert entry["s12"].values[0] == 0.12
    assert entry.default == "s21_magnitude"
    assert entry["s21_magnitude"].values[1] == pytest.approx(20 * np.log10(0.21))
    assert entry.conditions["reference_impedance"].value == 75


def test_three_ports_are_written_row_by_row_over_lines(tmp_path: Path) -> None:
    rows = "1.0 11 0 12 0 13 0\n  21 0 22 0 23 0 ! a comment\n  31 0 32 0 33 90\n"
    entry = read(
        written(tmp_path / "a.s3p", f"! made\n# MHz S MA R 50\n{rows}{rows.replace('1.0', '2.0', 1)}")
    )[0]
    assert entry["s23"].values.tolist() == [23, 23]
    assert entry["s31"].values.tolist() == [31, 31]
    assert entry["s33"].values[0] == pytest.approx(33j)
    assert entry["frequency"].values.tolist() == [1e6, 2e6]


def test_the_ports_are_found_without_the_ending(tmp_path: Path) -> None:
    rows = "1.0 11 0 12 0 13 0\n  21 0 22 0 23 0\n  31 0 32 0 33 90\n"
    entry = read(written(tmp_path / "a.txt", f"# MHz S MA R 50\n{rows}{rows.replace('1.0', '2.0', 1)}"))[0]
    assert entry.conditions["ports"].value == 3


def test_decibels(tmp_path: Path) -> None:
    entry = read(written(tmp_path / "a.s1p", "# kHz S dB R 50\n1 -20 180\n2 -6.0206 0\n"))[0]
    assert entry["s11"].values == pytest.approx([-0.1, 0.5], rel=1e-5)
    assert entry["s11_magnitude"].values == pytest.approx([-20, -6.0206])


def test_options_left_out_are_the_specifications(tmp_path: Path) -> None:
    path = written(tmp_path / "a.s1p", "#\n1 0.5 90\n2 0.5 90\n")
    assert READER.sniff(RawInput(path)) == LIKELY
    entry = read(path)[0]
    assert entry["frequency"].values.tolist() == [1e9, 2e9]
    assert entry["s11"].values[0] == pytest.approx(0.5j)


def test_impedances_of_version_1_are_normalised(tmp_path: Path) -> None:
    entry = read(written(tmp_path / "a.s1p", "# Hz Z RI R 50\n1 2 0\n2 2 1\n"))[0]
    assert entry["z11"].values.tolist() == [100, 100 + 50j]
    assert entry["z11"].unit == "ohm"


def test_noise_is_an_entry_of_its_own(tmp_path: Path) -> None:
    text = (
        "# GHz S RI R 50\n1 1 0 2 0 3 0 4 0\n2 1 0 2 0 3 0 4 0\n! noise\n1 0.5 0.6 90 0.4\n2 0.7 0.6 0 0.2\n"
    )
    m = read(written(tmp_path / "a.s2p", text))
    assert [e.name for e in m.entries] == ["network", "noise"]
    assert m["noise"]["noise_figure_minimum"].values.tolist() == [0.5, 0.7]
    assert m["noise"]["noise_reflection"].values[0] == pytest.approx(0.6j)
    assert m["noise"]["noise_resistance"].values.tolist() == [20, 10]


def test_noise_resistance_of_version_2_is_in_ohm(tmp_path: Path) -> None:
    text = (
        "[Version] 2.0\n# GHz S RI R 50\n[Number of Ports] 2\n[Two-Port Data Order] 21_12\n[Number of Frequencies] 2\n"
        "[Number of Noise Frequencies] 1\n[Network Data]\n1 1 0 2 0 3 0 4 0\n2 1 0 2 0 3 0 4 0\n[Noise Data]\n"
        "1 0.5 0.6 90 20\n[End]\n"
    )
    assert read(written(tmp_path / "a.ts", text))["noise"]["noise_resistance"].values.tolist() == [20]


def test_a_sweep_downwards_is_not_taken_for_noise(tmp_path: Path) -> None:
    """Six frequencies from high to low: the last five are 45 numbers, which five noise numbers divide."""
    rows = "".join(f"{f} 1 0 2 0 3 0 4 0\n" for f in (6, 5, 4, 3, 2, 1))
    m = read(written(tmp_path / "a.s2p", "# GHz S RI R 50\n" + rows))
    assert [e.name for e in m.entries] == ["network"]
    assert m[0]["s21"].values.tolist() == [2] * 6


def test_hybrid_parameters_have_their_units(tmp_path: Path) -> None:
    """Of H, one is an impedance and one an admittance; taken alike, one of them is wrong by 2500 times."""
    for kind, first, last in (("H", ("ohm", 100.0), ("S", 0.1)), ("G", ("S", 0.04), ("ohm", 250.0))):
        entry = read(written(tmp_path / "a.s2p", f"# GHz {kind} RI R 50\n1 2 0 3 0 4 0 5 0\n"))[0]
        letter = kind.lower()
        assert (entry[f"{letter}11"].unit, entry[f"{letter}11"].values[0].real) == first
        assert (entry[f"{letter}22"].unit, entry[f"{letter}22"].values[0].real) == last
        assert [entry[f"{letter}{k}"].values[0].real for k in ("21", "12")] == [3, 4]
        assert entry[f"{letter}21"].unit == ""


@pytest.mark.parametrize(
    "options", ["# S GHz RI R50", "# GHz S RI R 50 75", "#GHZ S RI R 50", "#\tGHz\tS\tRI\tR\t50"]
)
def test_option_lines_of_other_programs(tmp_path: Path, options: str) -> None:
    path = written(tmp_path / "a.s2p", options + "\n1 1 0 2 0 3 0 4 0\n")
    assert READER.sniff(RawInput(path)) >= LIKELY
    entry = read(path)[0]
    assert entry["s21"].values.tolist() == [2]
    assert str(entry.conditions["reference_impedance"]) == "50 ohm"


def test_mixed_modes_are_told(tmp_path: Path) -> None:
    text = (
        "[Version] 2.0\n# GHz S RI R 50\n[Number of Ports] 2\n[Two-Port Data Order] 12_21\n"
        "[Mixed-Mode Order] D1,2 C1,2\n[Number of Frequencies] 1\n[Network Data]\n1 1 0 2 0 3 0 4 0\n[End]\n"
    )
    assert any("D1,2 C1,2" in w for w in read(written(tmp_path / "a.ts", text)).warnings)


def test_the_ports_of_one_frequency_over_lines_are_found(tmp_path: Path) -> None:
    text = "# GHz S RI R 50\n1 1 0 2 0 3 0\n4 0 5 0 6 0\n7 0 8 0 9 0\n"
    assert str(read(written(tmp_path / "a.txt", text))[0].conditions["ports"]) == "3"


def test_version_2(tmp_path: Path) -> None:
    text = (
        "[Version] 2.0\n# GHz Z RI\n[Number of Ports] 2\n[Two-Port Data Order] 12_21\n"
        "[Number of Frequencies] 2\n[Reference] 50\n 25.0\n[Matrix Format] Lower\n[Network Data]\n"
        "1 11 0 21 0 22 0\n2 11 0 21 1 22 0\n[End]\n"
    )
    path = written(tmp_path / "a.ts", text)
    assert READER.sniff(RawInput(path)) == CERTAIN
    entry = read(path)[0]
    assert entry["z21"].values.tolist() == entry["z12"].values.tolist() == [21, 21 + 1j]
    assert entry["z11"].values.tolist() == [11, 11], "version 2 is not normalised"
    with pytest.raises(ReadError, match="frequencies"):
        read(written(path, text.replace("[Number of Frequencies] 2", "[Number of Frequencies] 3")))


@pytest.mark.parametrize(
    "text",
    [
        "# GHz S MA R 50\n",
        "# GHz S MA R 50\n1 2 3\n2 3\n",
        "# GHz S MA R x\n1 2 3\n2 3 4\n",
        "# GHz S MA R 50\n1 2 q\n",
        "# GHz S MA R 50\n1 2 1_0\n",
        "# GHz S MA R 50\n1 2 nan\n",
        "# GHz S DB R 50\n1 90000 0\n",
        "# GHz S MA FOO\n1 2 3\n",
        "[Version] 2.0\n# GHz S MA\n[Number of Ports] 99999999\n[Network Data]\n1 2 3\n",
    ],
)
def test_what_is_no_network_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReadError):
        read(written(tmp_path / "a.s1p", text))


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    target = tmp_path / "damaged.s1p"
    for name in ("Device_r_40um.s1p", "2024-06-20-01-empty.s1p"):
        whole = (instruments / "touchstone" / name).read_bytes()[:40_000]
        for end in np.linspace(0, len(whole) - 1, 20).astype(int):
            target.write_bytes(whole[:end])
            with suppress(ReadError):
                assert isinstance(read(target), Measurement)
        for turn in range(50):
            bad = bytearray(whole)
            for at in random.integers(0, len(bad), 6):
                bad[at] = random.integers(256)
            if turn % 10 == 9:
                bad[300:] = random.bytes(len(bad) - 300)
            target.write_bytes(bytes(bad))
            with suppress(ReadError):
                assert isinstance(read(target), Measurement)


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    for text in ("# x y\n1 2\n", "#FORMAT : EMSA\n", "1 2 3\n", "# a comment about Hz and S and more\n1 2\n"):
        assert READER.sniff(RawInput(written(tmp_path / "a.txt", text))) == NO


def test_without_a_line_of_options_the_defaults_are_told(tmp_path: Path) -> None:
    rows = "! comment\n1.0 0.5 10\n2.0 0.6 20\n3.0 0.7 30\n"
    m = registry.read(written(tmp_path / "a.s1p", rows))
    assert m.source is not None
    assert m.source.reader == "touchstone"
    assert m[0]["frequency"].values.tolist() == [1e9, 2e9, 3e9]
    assert abs(m[0]["s11"].values).tolist() == pytest.approx([0.5, 0.6, 0.7])
    assert "no line of options" in m.warnings[0]
    with pytest.raises(
        ReadError, match="line of options"
    ):  # no magnitude is negative: they are real parts or dB
        read(written(tmp_path / "b.s1p", rows.replace("0.6", "-0.6")))
    assert READER.sniff(RawInput(written(tmp_path / "b.txt", rows))) == NO


def test_t_parameters_are_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path / "a.s2p", "# GHz T MA R 50\n1 1 0 0 0 0 0 1 0\n")
    assert READER.sniff(RawInput(path)) == CERTAIN
    with pytest.raises(ReadError, match="T parameters"):
        read(path)


def test_version_2_1_with_information_and_references_over_lines(tmp_path: Path) -> None:
    text = (
        "! made\n[version] 2.1\n# MHz S RI\n[Number of Ports] 2\n[Two-Port Data Order] 12_21\n"
        "[Number of Frequencies] 2\n[Number of Noise Frequencies] 1\n[Reference]\n50\n75\n"
        "[Begin Information]\n[Manufacturer] Somebody 5\n[End Information]\n[Matrix Format] Full\n[Network Data]\n"
        "1 .1 0 .2 0 .3 0 .4 0\n2 .5 0 .6 0 .7 0 .8 0\n[Noise Data]\n1.5 0.7 0.64 69 19\n[End]\n"
    )
    m = read(written(tmp_path / "a.ts", text))
    assert m[0]["s12"].values.real.tolist() == [0.2, 0.6]
    assert m[0]["s21"].values.real.tolist() == [0.3, 0.7]
    assert m[0].conditions["reference_impedance"].value == 50
    assert any("50, 75 ohm" in w for w in m.warnings)
    assert m[1]["noise_resistance"].values.tolist() == [19]


@pytest.mark.parametrize(("port", "stated"), [("49.69 -0.11", False), ("50.0 0.0", True)])
def test_a_simulation_relative_to_its_ports(tmp_path: Path, port: str, stated: bool) -> None:
    """HFSS without renormalisation: the parameters are not those of a system of 50 ohm."""
    text = f"! Exported from HFSS 14.0.0\n# GHZ S MA\n75 0.5 -86\n! Gamma ! 10.3 3736.3\n! Port Impedance {port}\n"
    m = read(written(tmp_path / "a.s1p", text))
    assert ("reference_impedance" in m[0].conditions) == stated
    assert any("port impedances" in w for w in m.warnings) != stated
