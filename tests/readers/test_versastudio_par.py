"""VersaStudio: rows of one experiment must not be taken for another's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.versastudio_par import READER

SEED = Path(__file__).parent / "seeds" / "versastudio_par" / "1" / "eis.par"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    assert registry.find(RawInput(path)) is READER
    return check(READER.read(RawInput(path)), READER)


def par(folder: Path, *changes: tuple[str, str]) -> Path:
    text = SEED.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "a.par"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_action_has_its_own_rows() -> None:
    m = read(SEED)
    eis, cv = m
    assert [e.technique for e in m] == ["eis", "cyclic_voltammetry"]
    assert eis["frequency"].values.tolist() == [100000, 77426.37]
    assert eis["z_imaginary"].values.tolist() == [4.575431, 1.668054]
    assert (eis["z_real"].unit, eis["voltage_amplitude_rms"].unit) == ("ohm", "V")
    assert cv["voltage"].values.tolist() == [0.1, 0.2, 0.1]
    assert cv["segment"].values.tolist() == [1, 1, 2]
    assert "z_real" not in [s.name for s in cv.signals]  # zeros of what was not measured
    assert not any(s.name.startswith(("e2", "z2")) for s in eis.signals)
    told = {name: (q.value, q.unit) for name, q in cv.conditions.items()}
    assert told["scan_rate"] == (0.005, "V/s")
    assert "initial_voltage" not in told  # it is against the open circuit
    assert told["vertex_voltage_1"] == (0.5, "V")
    assert told["open_circuit_voltage"] == (6.404, "mV")
    assert told["comment"][0] == "エクスペリメントのコメント"
    assert str(eis.started) == "2018-07-19 09:40:30"
    assert m.instrument == "VersaSTAT4-400"
    assert not m.warnings


def test_rows_that_no_action_claims_are_kept_together_and_told(tmp_path: Path) -> None:
    m = read(par(tmp_path, ("Segments=2", "Segments=1")))
    assert len(m) == 1
    assert "not told" in m.warnings[0]


@pytest.mark.parametrize(
    ("date", "time", "meant"),
    [
        ("2018年7月19日", "21:40:30", "2018-07-19 21:40:30"),
        ("Thursday, July 19, 2018", "12:05:00 AM", "2018-07-19 00:05:00"),
        ("Donnerstag, 19. Juli 2018", "9:40:30", "None"),
    ],
)
def test_dates_of_other_languages(tmp_path: Path, date: str, time: str, meant: str) -> None:
    m = read(par(tmp_path, ("Thursday, July 19, 2018", date), ("9:40:30 AM", time)))
    assert str(m.entries[0].started) == meant
    assert any("not understood" in w for w in m.warnings) == (meant == "None")


def test_errors_and_damage(tmp_path: Path) -> None:
    data = SEED.read_bytes()
    cut(READER, data, tmp_path / "cut.par")
    damage(READER, data, tmp_path / "damaged.par")
    m = read(par(tmp_path, ("</Segment1>\n", "")))
    assert "no end" in m.warnings[0]
    with pytest.raises(ReadError, match="Definition"):
        READER.read(RawInput(par(tmp_path, ("Definition=", "Definitio="))))
    with pytest.raises(ReadError, match="no segment"):
        READER.read(RawInput(par(tmp_path, ("<Segment1>", "<Other>"))))
    other = tmp_path / "other.par"
    other.write_text("<Application>\nName=Else\n")
    assert READER.sniff(RawInput(other)) == NO
