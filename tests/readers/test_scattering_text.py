"""Scattering in plain columns that say what they are: SasView's text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import zairyo


def test_sasview_columns_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "curve.txt"
    path.write_text(
        "Simulated spheres\n\n<X>   <Y>  <dY>  <dX>\n0.1 5 0.5 0.01\n0.2 -1.#IND 0.4 0.02\n0.3 3 0.3 0.03\n"
    )
    m = zairyo.read(path)
    assert m.source is not None
    assert m.source.reader == "sasview_txt"
    entry = m[0]
    assert entry.technique == "sas"
    assert entry["q"].values.tolist() == [0.1, 0.2, 0.3]
    assert np.isnan(entry.signal.values[1])
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.tolist() == [0.5, 0.4, 0.3]
    assert entry["q_resolution"].values.tolist() == [0.01, 0.02, 0.03]
    assert entry["q"].unit is None
    assert any("no units" in w for w in m.warnings)


@pytest.mark.parametrize("unit", ["1/A", "A^-1"])
def test_an_angstrom_is_no_ampere(tmp_path: Path, unit: str) -> None:
    """In SI for the search, q would be in 1/A of current."""
    path = tmp_path / "a.csv"
    path.write_text(f"Q ({unit}),I (1/cm)\n0.01,100\n0.02,90\n0.03,80\n")
    m = zairyo.read(path)
    assert m[0]["q"].unit == "1/angstrom"
    assert not any("unit" in w for w in m.warnings)
