"""neaSNOM: what someone who measures in the near field would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.neaspec import READER

REAL = "neaspec/spectra20_small.nea"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_real_numbers(instruments: Path) -> None:
    """Read off the file itself: 20 runs of 2 points in 13 channels."""
    (entry,) = read(instruments / REAL)
    assert (entry.technique, entry.signal.axes) == ("snom", ("run", "point"))
    assert len(entry.signals) == 13
    assert entry.default == "optical_amplitude_2"
    assert entry["optical_amplitude_2"].values[[0, 2]].tolist() == [
        [0.8251932, 0.8100295],
        [0.7872119, 0.8136603],
    ]
    assert entry["optical_phase_1"].values[19].tolist() == [-2.343434, -2.339516]
    assert entry["mirror_position"].values[19].tolist() == [0.0002951971, 0.000920451]
    assert entry["mirror_position"].unit == "m"


def test_cut_off_and_damaged(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / REAL).read_bytes()
    assert all(part > 0 for part in cut(READER, data, tmp_path / "cut.nea"))
    damage(READER, data, tmp_path / "broken.nea")
    (tmp_path / "a").write_bytes(data[:-12])  # within the last number, which still is one
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(tmp_path / "a"))


HEADER = """# www.neaspec.com
# Scan:\tFourier Scan
# Description:\tSiC
# Date:\t10/13/2020 14:02:21
# Scan Area (X, Y, Z):\t[µm]\t3.000\t2.000\t0.000
# Rotation:\t[°]\t30
# Averaging:\t\t4
# Demodulation Mode:\tFourier
# Tip Frequency:\t[Hz]\t254,000.0
# Tapping Amplitude:\t[nm]\t60.5
"""


def spectra(runs: bool = False) -> str:
    titles = "Row\tColumn\t" + ("Run\t" if runs else "") + "Omega\tWavenumber\tO2A\tO2P\n"
    lines = []
    for row in range(2):
        for column in range(3):
            for i, wavenumber in enumerate((900.5, 910.5)):
                place = f"{row}\t{column}\t" + ("0\t" if runs else "")
                lines.append(f"{place}{i}\t{wavenumber}\t{100 * row + 10 * column + i}\t0.5\t")
    return HEADER + titles + "\n".join(lines) + "\n"


def test_map_of_spectra_over_their_wavenumber(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(spectra(), encoding="utf-8")
    m = read(tmp_path / "a")
    (entry,) = m
    assert (entry.signal.axes, entry.default) == (("y", "x", "wavenumber"), "optical_amplitude_2")
    assert entry.signal.values[1, 2].tolist() == [120, 121]
    assert entry["wavenumber"].values.tolist() == [900.5, 910.5]
    assert (entry["wavenumber"].unit, entry["x"].unit) == ("1/cm", "um")
    assert entry["x"].values.tolist() == [0.5, 1.5, 2.5]
    assert (m.title, str(entry.started)) == ("SiC", "2020-10-13 14:02:21")
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["tapping_amplitude"] == (60.5, "nm")
    assert told["scan_angle"] == (30.0, "deg")
    assert told["repetitions"] == (4.0, None)


def test_order_of_lines_does_not_matter_but_a_missing_one_does(tmp_path: Path) -> None:
    lines = spectra(runs=True).splitlines(keepends=True)
    head, rows = lines[:11], lines[11:]
    (tmp_path / "a").write_text("".join(head + rows[::-1]), encoding="utf-8")
    assert read(tmp_path / "a")[0].signal.values[1, 2].tolist() == [120, 121]
    (tmp_path / "b").write_text("".join(head + rows[1:]), encoding="utf-8")
    with pytest.raises(ReadError, match="no full grid"):
        read(tmp_path / "b")


def test_word_in_the_table_costs_one_cell(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(spectra().replace("\t121\t", "\toverflow\t"), encoding="utf-8")
    m = read(tmp_path / "a")
    assert np.isnan(m[0]["optical_amplitude_2"].values).sum() == 1
    assert "gaps" in m.warnings[0]
