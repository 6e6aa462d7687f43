"""Woollam ellipsometry: what an optician would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.woollam_dat import READER

FILE = "woollam-dat/test-data.dat"


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def test_real_numbers(instruments: Path) -> None:
    """Ψ, Δ and their axes are as pandas reads and arranges the rows (``tests/oracles``), which is the table itself:
    what a column means no other library told. Uncertainties, depolarisation and the rest are as first read."""
    path = instruments / FILE
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    (entry,) = m
    assert entry.technique == "ellipsometry"
    assert entry.signal.axes == ("incidence_angle", "wavelength")
    assert entry["incidence_angle"].values.tolist() == [50, 60, 70]
    assert entry["wavelength"].values[[0, -1]].tolist() == [1930, 17000]
    assert entry["wavelength"].unit == "angstrom"
    assert entry["psi"].values.shape == (3, 1088)
    assert entry["psi"].values[0, :2].tolist() == [40.014217, 40.026409]
    assert entry["delta"].values[0, :2].tolist() == [142.127655, 142.307449]
    psi: Any = entry["psi"]
    assert psi.uncertainty[0, :2].tolist() == [0.008585, 0.007827]
    assert entry["psi"].values.sum() == pytest.approx(77916.777165, rel=1e-12)
    assert entry["delta"].values.sum() == pytest.approx(560281.119132, rel=1e-12)
    assert entry["depolarisation"].values[0, 0] == 1.800296
    assert entry["depolarisation"].values[2, -1] == 0.152324
    assert entry["depolarisation"].unit == "percent"
    assert str(entry.conditions["exposure_time"]) == "15 s"
    assert entry.conditions["software_version"].value == "6.37"
    assert m.title == "2nm SiO2 on Si on RC2"
    assert "'uR' hold not one number" in m.warnings[0]


def save(folder: Path, *lines: str, unit: str = "nm", mark: str = "VASEmethod[AcqTime=1.0]") -> Path:
    path = folder / "made.dat"
    path.write_text("\n".join(["a title", mark, unit, *lines, ""]), encoding="cp932")
    return path


def test_one_angle_without_kinds(tmp_path: Path) -> None:
    """Older files (WVASE) have no kind in a row."""
    mark = "VASEmethod[Isotropic]\nOriginal[Σ]".replace("Σ", "x.dat")
    (entry,) = read(save(tmp_path, "1.5 70 30 170 0.1 0.2", "2.0 70 31 171 0.1 0.2", unit="eV", mark=mark))
    assert entry.signal.axes == ("incidence_angle", "photon_energy")
    assert entry["delta"].values.tolist() == [[170, 171]]
    delta: Any = entry["delta"]
    assert delta.uncertainty.tolist() == [[0.2, 0.2]]
    assert entry["photon_energy"].unit == "eV"


def test_mueller_elements_and_generalised_ellipsometry(tmp_path: Path) -> None:
    rows = [f"{kind} {w} 65 {i}.5 0.01" for i, kind in enumerate(("mm12", "mm34")) for w in (500, 510)]
    rows += [f"AnE {w} 65 20 100 0.1 0.1" for w in (500, 510)] + [
        f"Aps {w} 65 2 10 0.1 0.1" for w in (500, 510)
    ]
    (entry,) = read(save(tmp_path, *rows))
    names = [s.name for s in entry.signals]
    assert names == ["mueller_12", "mueller_34", "psi_pp", "delta_pp", "psi_ps", "delta_ps"]
    assert entry["mueller_34"].values.tolist() == [[1.5, 1.5]]
    assert entry["mueller_34"].unit == ""


def test_kinds_on_other_positions_are_entries_of_their_own(tmp_path: Path) -> None:
    m = read(save(tmp_path, "E 500 65 20 100", "E 510 65 20 100", "uT 400 0 0.9 0.001", "uT 420 0 0.8 0.001"))
    assert [e.name for e in m.entries] == ["psi_delta", "transmittance"]
    assert m["transmittance"]["incidence_angle"].values.tolist() == [0]
    assert m["transmittance"].signal.unit == ""


def test_depolarisation_as_wvase_spells_it(tmp_path: Path) -> None:
    """It was two signals without a name and unit, the uncertainty one of them."""
    m = read(
        save(tmp_path, "E 500 65 20 100", "E 510 65 20 100", "dpolE 500 65 1.5 0.9", "dpolE 510 65 2.5 0.8")
    )
    (entry,) = m
    depolarisation: Any = entry["depolarisation"]
    assert (depolarisation.unit, depolarisation.values.tolist()) == ("percent", [[1.5, 2.5]])
    assert depolarisation.uncertainty.tolist() == [[0.9, 0.8]]
    assert not m.warnings


def test_positions_that_are_no_grid_become_a_table(tmp_path: Path) -> None:
    m = read(save(tmp_path, "E 500 65 20 100", "E 510 65 21 101", "E 500 75 22 102"))
    (entry,) = m
    assert entry.is_table
    assert entry["incidence_angle"].values.tolist() == [65, 65, 75]
    assert "they are a table" in m.warnings[0]


def test_unknown_kind_unit_and_line_cost_only_themselves(tmp_path: Path) -> None:
    lines = ("E 500 65 20 100", "Zz 500 65 3 4", "Note no data here at all")
    m = read(save(tmp_path, *lines, unit="furlong"))
    (entry,) = m
    assert [s.name for s in entry.signals] == ["psi", "delta", "zz_1", "zz_2"]
    assert (entry.axes[1].name, entry.axes[1].unit) == ("spectral_position", "furlong")
    assert len(m.warnings) == 3


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("E 500 65 20 100", "E 510 65 2"), "line 5 is no row of 4 numbers"),
        (("E 500 65 20 100", "E 510 65 x 100"), "line 5 is no row"),
        ((), "no row of data"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(save(tmp_path, *lines))


def test_file_without_its_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "made.dat"
    path.write_text("title\nVASEmethod[A=1]\n")
    with pytest.raises(ReadError, match="no line that tells the unit"):
        read(path)


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "made.dat"
    for content in (b"", b"title\nnm\n500 65 1 2\n", b"VASEmethod[\0"):
        path.write_bytes(content)
        assert READER.sniff(RawInput(path)) == NO


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    content = (instruments / FILE).read_bytes()
    for part in broken_files.cut(READER, content, tmp_path / "cut.dat", 10):
        path = tmp_path / "cut.dat"
        path.write_bytes(content[: len(content) * part // 10])
        m = read(path)  # cut between lines or digits: what is there is right, and said not to be a grid
        assert any("table" in w for w in m.warnings)
        assert np.isfinite(m[0].signal.values).all()
    broken_files.damage(READER, content[:20000], tmp_path / "broken.dat", turns=30, within=400)
