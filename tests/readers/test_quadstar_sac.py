"""Pfeiffer Quadstar: what a user of a residual-gas analyser would lose if cycles, masses or currents were misread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.quadstar_sac import READER


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


@pytest.mark.parametrize(
    ("name", "unit", "shapes", "sums"),
    [
        ("airdemo", "count/s", [(21, 3840)], [70720928.08571725]),
        ("24c0ff4f19d9-airdemo", "count/s", [(21, 3840)], [70720928.08571725]),
        (
            "849pftba_test",
            "A",
            [(33, 256)] * 6,
            [8.828842782645542e-07, 3.403803269215813e-07, 2.7530177219283955e-08, 2.289468028927183e-07,
             5.489437866247615e-08, 1.821529544484158e-08],
        ),
        ("test", "A", [(188, 1440), (188, 416)], [2.7637843566992982e-06, 0.0008343468124291692]),
    ],
)  # fmt: skip
def test_real_numbers(
    instruments: Path, name: str, unit: str, shapes: list[tuple[int, int]], sums: list[float]
) -> None:
    m = read(instruments / f"quadstar-sac/{name}.sac")  # sums are those of yadg 7.0.1
    assert [e.signal.values.shape for e in m.entries] == shapes
    assert {e.signal.unit for e in m.entries} == {unit}
    assert [float(np.nansum(e.signal.values, dtype=float)) for e in m.entries] == pytest.approx(
        sums, rel=1e-9
    )


def test_masses_times_and_names(instruments: Path) -> None:
    m = read(instruments / "quadstar-sac/849pftba_test.sac")
    masses = m["spectra"]["mass_to_charge"].values
    assert masses[:2].tolist() == [67, 67 + 1 / 64]
    assert masses[int(np.argmax(m["spectra"].signal.values.mean(axis=0)))] == pytest.approx(
        69, abs=0.5
    )  # CF3+ of PFTBA
    assert m["spectra"]["time"].values[[0, -1]].tolist() == pytest.approx([0, 542.091], abs=1e-3)
    assert str(m.started) == "2023-02-15 06:13:47.901000+00:00"
    assert read(instruments / "quadstar-sac/test.sac").operator == "Benjamin Kunz"
    air = read(instruments / "quadstar-sac/airdemo.sac")[0]
    assert air.default == "ion_count_rate"
    spectrum = air.signal.values.mean(axis=0)
    highest = air["mass_to_charge"].values[int(np.argmax(spectrum))]
    assert highest == pytest.approx(40, abs=0.5)  # argon of air; nitrogen is beyond the counter's range


def test_values_outside_the_range_are_not_numbers(instruments: Path) -> None:
    m = read(instruments / "quadstar-sac/test.sac")
    assert np.isnan(m["spectra"].signal.values).sum() == 4827
    assert "4827 values" in m.warnings[0]


def test_damage(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / "quadstar-sac/849pftba_test.sac").read_bytes()
    assert cut(READER, data, tmp_path / "a.sac") == []
    damage(READER, data, tmp_path / "a.sac", turns=80, within=1700)


@pytest.mark.parametrize(
    ("at", "value", "said"), [(0x64, 255, "cut off"), (0xD5, 127, "cut off"), (0x68, 0, "nothing")]
)
def test_errors_say_what_is_wrong(instruments: Path, tmp_path: Path, at: int, value: int, said: str) -> None:
    data = bytearray((instruments / "quadstar-sac/849pftba_test.sac").read_bytes())
    data[at] = value
    (tmp_path / "a.sac").write_bytes(data)
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(tmp_path / "a.sac"))


def test_others_are_not_claimed(instruments: Path) -> None:
    assert READER.sniff(RawInput(instruments / "nmrpipe/test-run01.fid")) == NO
