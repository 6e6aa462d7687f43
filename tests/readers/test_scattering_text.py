"""Scattering in plain columns that say what they are: SasView's text."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
