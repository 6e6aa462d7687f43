"""Aqualog maps: a user would get a hundred columns without names, and take excitation for emission."""

from __future__ import annotations

from pathlib import Path

import pytest

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import ReadError

TEXT = (
    "Sample - Blank\t800\t795\t790\nnm\t\t\t\nNormalized by 75.335\t\t\t\n"
    "245.719\t-0.94\t0.91\t8.40909479492853E-4\n247.959\t-0.65\t-1.21\t0.16\n"
)


def read(folder: Path, text: str) -> Measurement:
    path = folder / "made.dat"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    return registry.read(path)


def test_a_map(tmp_path: Path) -> None:
    m = read(tmp_path, TEXT)
    (entry,) = m
    assert [(a.name, a.unit, a.values.tolist()) for a in entry.axes] == [
        ("excitation_wavelength", "nm", [790, 795, 800]),
        ("emission_wavelength", "nm", [245.719, 247.959]),
    ]
    assert entry.signal.values.tolist() == [[8.40909479492853e-4, 0.16], [0.91, -1.21], [-0.94, -0.65]]
    assert (entry.technique, entry.signal.unit, entry.title) == ("fluorescence", None, "Sample - Blank")
    assert any("75.335" in w for w in m.warnings)


@pytest.mark.parametrize("text", [TEXT[:-7], "\n".join(TEXT.split("\n")[:3])])
def test_cut_off(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReadError, match="cut off"):
        read(tmp_path, text)
