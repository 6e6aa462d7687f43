"""`zairyo formats new`: a description drafted from one file reads that file with right numbers, units and names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from zairyo.cli.formats import command
from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers._draft import draft
from zairyo.readers._draft_look import look
from zairyo.readers._draft_words import condition_of, signal_of, techniques_of
from zairyo.readers.delimited import load_reader

JAPANESE = """\
試料名,LCO-12
測定者,佐藤
測定日時,2026/03/04 14:05:09
昇温速度,10 ℃/min
試料質量[mg],8.31

時間[s],試料温度[℃],DSC[mW]
0.0,30.12,0.401
0.5,30.20,0.398
1.0,30.29,0.402
1.5,30.37,0.397
"""
GERMAN = """\
Probe:\tZug 7\r
Bediener:\tM. Müller\r
Datum:\t04.03.2026 14:05\r
\r
Weg\tStandardkraft\tDehnung\r
mm\tN\t%\r
0,001\t1.204,5\t0,01\r
0,002\t2.417,0\t0,02\r
0,003\t11.630,25\t0,03\r
0,004\t12.001,5\t0,04\r
"""


def drafted(tmp_path: Path, name: str, data: bytes, answers: dict[str, str] | None = None) -> Measurement:
    """What the draft of a file's description makes of it; questions that ``answers`` does not know get the default."""
    path = tmp_path / name
    path.write_bytes(data)

    def ask(question: str, choices: Sequence[str], default: str) -> str:
        found = next((a for q, a in (answers or {}).items() if q in question), default)
        assert not choices or found in choices
        return found

    raw = RawInput(path)
    description = tmp_path / "draft.yaml"
    description.write_text(draft(look(raw), name, ask).to_yaml(), encoding="utf-8")
    reader = load_reader(description)
    assert reader.sniff(raw) > 0
    return reader.read(raw)


def test_japanese_calorimeter_in_cp932(tmp_path: Path) -> None:
    m = drafted(tmp_path, "a.csv", JAPANESE.encode("cp932"), {"instrument": "日立"})
    entry = m[0]
    assert entry.technique == "dsc"
    assert {s.name: s.unit for s in entry.signals} == {"time": "s", "temperature": "degC", "heat_flow": "mW"}
    np.testing.assert_array_equal(entry["heat_flow"].values, [0.401, 0.398, 0.402, 0.397])
    assert (entry.x, entry.default, m.sample, m.operator) == ("temperature", "heat_flow", "LCO-12", "佐藤")
    assert entry.started is not None
    assert entry.started.isoformat() == "2026-03-04T14:05:09"
    said = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert said == {"heating_rate": (10.0, "K/min"), "sample_mass": (8.31, "mg")}


def test_german_testing_machine_with_commas_and_thousands(tmp_path: Path) -> None:
    m = drafted(tmp_path, "a.txt", GERMAN.encode("cp1252"))
    assert m[0].technique in ("tensile", "mechanical_test", "compression", "bending")
    assert m[0]["force"].unit == "N"
    np.testing.assert_array_equal(m[0]["force"].values, [1204.5, 2417.0, 11630.25, 12001.5])
    np.testing.assert_array_equal(m[0]["displacement"].values, [0.001, 0.002, 0.003, 0.004])
    assert (m.sample, m.operator) == ("Zug 7", "M. Müller")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_numbers_alone_are_asked_for(tmp_path: Path, encoding: str) -> None:
    data = "\n".join(f"{x / 10};{x * x}" for x in range(20, 30)).encode(encoding)
    m = drafted(tmp_path, "a.xy", data, {"measured": "xrd", "column 1": "two_theta", "column 2": "counts"})
    assert m[0].axes[0].name == "two_theta"
    assert m[0].signal.values[0] == 400


def test_day_and_month_that_cannot_be_told_apart_are_asked_for(tmp_path: Path) -> None:
    text = "Date: 03/04/2026 10:00:00\ntime [s]\tvoltage [V]\n0\t3.1\n1\t3.2\n2\t3.3\n"
    first = drafted(tmp_path, "a.txt", text.encode(), {"comes first": "day"})[0].started
    second = drafted(tmp_path, "a.txt", text.encode(), {"comes first": "month"})[0].started
    assert first is not None
    assert second is not None
    assert (first.month, first.day, second.month, second.day) == (4, 3, 3, 4)


def test_what_no_table_is_in_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("dear diary\nnothing to tell\n")
    (tmp_path / "b.bin").write_bytes(bytes(range(256)) * 9)
    with pytest.raises(ReadError, match="no table is found"):
        look(RawInput(tmp_path / "a.txt"))
    with pytest.raises(ReadError, match="is not text"):
        look(RawInput(tmp_path / "b.bin"))


def test_units_tell_one_meaning_from_another() -> None:
    assert signal_of("battery_cycling", "Spannung", "V") == "voltage"
    assert signal_of("tensile", "Spannung", "MPa") == "stress"
    assert condition_of("dsc", "試料質量", "mg") == "sample_mass"
    assert techniques_of([("2θ", "deg"), ("強度", "counts")], [], "")[0] == "xrd"


def test_command_writes_tries_and_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "run 1.csv"
    path.write_bytes(JAPANESE.encode("cp932"))
    target = tmp_path / "formats" / "mine.yaml"
    answers = "dsc\nHoshino\nTA-5\n" + "\n" * 10
    result = CliRunner().invoke(command, ["new", str(path), "-o", str(target), "-y"])
    assert result.exit_code == 0, result.output
    assert "Differential scanning calorimetry" in result.output
    assert load_reader(target).vendor == ""
    again = CliRunner().invoke(command, ["new", str(path), "-o", str(target), "-y"], input=answers)
    assert again.exit_code == 1
    assert "is there already" in again.output
    shown = CliRunner().invoke(command, ["new", str(path), "-o", "-", "-y"])
    assert "technique: dsc" in shown.output


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("avantes-uvvis-txt/1908047U1_0000.Raw8.TXT", ("wavelength", "dark", "reference")),
        ("dsc-txt/poly1.txt", ("time", "temperature", "heat_flow")),
        ("tga-txt/poly1.txt", ("time", "temperature", "mass")),
        ("neware-csv/neware_uio.csv", ("voltage", "current", "cycle")),
        ("maccor-txt/maccor_001.txt", ("voltage",)),
    ],
)
def test_real_exports_are_drafted_without_a_question(
    name: str, columns: tuple[str, ...], instruments: Path, tmp_path: Path
) -> None:
    """The draft reads the file; its numbers are those of the reader that is there for it."""
    path = instruments / name
    drawn = drafted(tmp_path, path.name, path.read_bytes())[0]
    mine = {s.name: s for s in (*drawn.axes, *drawn.signals)}
    known = {s.name: s for e in registry.read(path) for s in (*e.axes, *e.signals)}
    for column in columns:
        assert mine[column].unit == known[column].unit or mine[column].unit is None
        np.testing.assert_allclose(mine[column].values, known[column].values)
