"""Cary CSV: a user would lose all samples but the first three, or get a map as hundreds of columns."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import ReadError

SETTINGS = (
    "Collection Time: {when}\nOperator Name  : sato\nParameter List :\nInstrument                        {instrument}\n"
    "Scan mode                         Emission\nEx. Wavelength (nm)               220.00\n"
    "Ex.  Stop (nm)                   450.00\nScan rate (nm/min)                1200.00\n"
    "Averaging Time (s)                0.1000\nMethod Name    : D:\\a.FBSW\n"
)


def read(folder: Path, text: str) -> Measurement:
    path = folder / "made.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode("latin-1"))
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "agilent_cary_csv"
    return m


def eclipse(names: list[str], when: str = "25/05/2004 4:56:46 PM") -> str:
    rows = "".join("".join(f"{x},{x * k}," for k in range(1, len(names) + 1)) + "\n" for x in (230, 232))
    said = SETTINGS.format(when=when, instrument="Cary Eclipse")
    blocks = "".join(
        f"{n},\n{n}\n{said}[Excitation (nm)] , {200 + 10 * k}.0000\n\n" for k, n in enumerate(names)
    )
    return (
        ",,".join(names) + ",,\n" + "Wavelength (nm),Intensity (a.u.)," * len(names) + f"\n{rows}\n{blocks}"
    )


def test_five_samples_each_with_its_own_wavelengths(tmp_path: Path) -> None:
    text = "A,,B,,C,,D,,E,,\nWavelength (nm),Abs,Wavelength (nm),%T," + "Wavelength (nm),Abs," * 3 + "\n"
    text += "400.0,0.1,500.0,20,400.0,0.3,400.0,0.4,400.0,0.5,\n390.0,0.2,490.0,30,390.0,0.6,390.0,0.7,390.0,0.8,\n"
    text += ",,480.0,40,,,,,,,\n\nA\nScan rate (nm/min)    600.000\n\nE\nScan rate (nm/min)    300.000\n"
    m = read(tmp_path, text)
    assert [e.title for e in m] == ["A", "B", "C", "D", "E"]
    assert [(e.signal.name, e.signal.unit) for e in m][:2] == [
        ("absorbance", ""),
        ("transmittance", "percent"),
    ]
    assert m.entries[1]["wavelength"].values.tolist() == [500, 490, 480]
    assert m.entries[4].signal.values.tolist() == [0.5, 0.8]
    assert [str(e.conditions.get("scan_speed")) for e in m] == [
        "600 nm/min",
        "None",
        "None",
        "None",
        "300 nm/min",
    ]
    assert m.entries[0].technique == "uv_vis"


def test_a_map_is_one_signal(tmp_path: Path) -> None:
    m = read(tmp_path, eclipse(["st_EX_230.00", "st_EX_220.00"]))
    (entry,) = m
    assert (entry.technique, entry.title, m.instrument) == ("fluorescence", "st", "Cary Eclipse")
    assert entry["excitation_wavelength"].values.tolist() == [220, 230]
    assert entry["emission_wavelength"].values.tolist() == [230, 232]
    np.testing.assert_allclose(entry.signal.values, [[460, 464], [230, 232]])
    assert "excitation_wavelength" not in entry.conditions
    assert entry.started == datetime(2004, 5, 25, 16, 56, 46)
    assert m.operator == "sato"


def test_emission_spectra_that_are_no_map(tmp_path: Path) -> None:
    m = read(tmp_path, eclipse(["a", "a"]))
    assert [str(e.conditions["excitation_wavelength"]) for e in m] == ["200 nm", "210 nm"]
    assert len({e.name for e in m}) == 2
    assert str(m.entries[0].conditions["exposure_time"]) == "0.1 s"


@pytest.mark.parametrize(
    ("when", "started"),
    [
        ("5/25/2004 4:56:46 PM", datetime(2004, 5, 25, 16, 56, 46)),
        ("05.06.2004 16:56:46", datetime(2004, 6, 5, 16, 56, 46)),
        ("6/6/04 12:00:01 AM", datetime(2004, 6, 6, 0, 0, 1)),
        ("5/6/2004 4:56:46 PM", None),
    ],
)
def test_day_or_month(tmp_path: Path, when: str, started: datetime | None) -> None:
    """Which of the two stands first depends on the computer: it is not guessed."""
    m = read(tmp_path, eclipse(["a"], when))
    assert m.entries[0].started == started
    assert (started is None) == any("day or the month" in w for w in m.warnings)


def test_cut_off(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cut off"):
        read(tmp_path, "A,,B,,\nWavelength (nm),Abs,Wavelength (nm),Abs,\n400,1,400,1,\n390,1,")
