"""3-D scans of Hitachi's fluorescence spectrophotometers: which axis is which, and what was overloaded."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import ReadError

TEXT = (
    "Sample:\t'1\nFile name:\tGF1.FD3\nRun Date:\t10:22:54, 06/21/2016\nOperator:\tsato\nComment:\t'\n\nInstrument\n"
    "Model:\tF-7000 FL Spectrophotometer\nSerial Number:\t1910-003\n\nInstrument Parameters\n"
    "Measurement type:\t3-D Scan\n"
    "EX  Start WL:\t200.0 nm\nEM  Start WL:\t250.0 nm\nEM  End WL:\t{end} nm\nEM Sampling Interval:\t2.0 nm\n"
    "Scan speed:\t12000 nm/min\nResponse:\t0.01 s\nPMT Voltage:\t700 V\n\nInstrumental Response\n"
    "EX (200 to 600nm)  Slit:5.0/20.0nm\n\nData Points\n"
    "\t200.000\t205.000\t210.000\n250.0\t140.4\t77.27\t98.41\n252.0\t189.4\t 5327\t9999.9\n"
)


def read(folder: Path, text: str) -> Measurement:
    path = folder / "made.TXT"
    path.write_bytes(text.replace("\n", "\r\n").encode("latin-1"))
    return registry.read(path)


def test_a_map_over_excitation_and_emission(tmp_path: Path) -> None:
    m = read(tmp_path, TEXT.format(end="252.0"))
    (entry,) = m
    assert [(a.name, a.unit, a.values.tolist()) for a in entry.axes] == [
        ("excitation_wavelength", "nm", [200, 205, 210]),
        ("emission_wavelength", "nm", [250, 252]),
    ]
    assert entry.signal.values.tolist() == [[140.4, 189.4], [77.27, 5327], [98.41, 9999.9]]
    assert (m.sample, m.operator, m.instrument) == ("1", "sato", "Hitachi F-7000 FL Spectrophotometer")
    assert entry.started == datetime(2016, 6, 21, 10, 22, 54)
    assert {k: str(v) for k, v in entry.conditions.items()} == {
        "scan_speed": "12000 nm/min",
        "response_time": "0.01 s",
        "scan_mode": "3-D Scan",
        "instrument_serial": "1910-003",
    }
    assert any("overloaded" in w for w in m.warnings)


@pytest.mark.parametrize("text", [TEXT.format(end="600.0"), TEXT.format(end="252.0")[:-8]])
def test_cut_off(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReadError, match="cut off"):
        read(tmp_path, text)
