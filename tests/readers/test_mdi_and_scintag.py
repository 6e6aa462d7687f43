"""Text of MDI's and Scintag's programs: what a person would lose if these patterns stayed numbers without angles."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import mdi_text, registry, scintag_txt
from zairyo.readers._api import RawInput, Reader, ReadError
from zairyo.readers.invariants import check

MDI = """       09/25/91 DIF Demo08: 10-173
 10.000 0.0400  4.0 CU  1.540598 10.560   15
     120     124     108     112     128     120     112     112
     112     120     120     120     116     120     108      -1
.
"""
HEAD = """Filename:
\tE:\\CSR\\montmorillonite.raw

File ID:
\tUni Aless

File Created:
\tFebruary 06, 2002 - 05:31 AM

Comment:
\t45 kV, 40 mA

Scan Type: Normal
Start Angle: 1.9 deg.
Stop Angle: 1.96 deg.
Num Points: 3
Step Size: 0.03 deg.
Datafile Res: 2000
Scan Rate: 0.200000
Scan Mode: Continuous
Wavelength: 1.540562

Axis[0]
\t Start Angle: 0.000000

"""
COUNTS = """    Deg.        Counts        Time           ESD

Range 0
   1.900         52908        9000       230.017
   1.930         51444        9000       226.813
   1.960         50374        9000       224.442
"""
CPS = """         CPS         ESD

Range 0
     5878.67        25.557
     5716.00        25.201
     5597.11        24.938
"""


def read(reader: Reader, text: str, folder: Path, name: str) -> Measurement:
    path = folder / name
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert registry.find(RawInput(path)).name == reader.name
    return check(reader.read(RawInput(path)), reader)


def test_mdi(tmp_path: Path) -> None:
    m = read(mdi_text.READER, MDI, tmp_path, "demo.mdi")
    (e,) = m.entries
    assert m.title == "DIF Demo08: 10-173"
    assert e.started == datetime(1991, 9, 25)
    np.testing.assert_allclose(e["two_theta"].values, 10 + 0.04 * np.arange(15))
    assert e.signal.values.tolist()[-3:] == [116, 120, 108]
    assert e.conditions["xray_source_element"] == Quantity("Cu")
    assert e.conditions["wavelength"] == Quantity(1.540598, "angstrom")
    assert any("counts or counts per second" in w for w in m.warnings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MDI.replace("108      -1\n.", ""), "15 points are announced and 14 are there"),
        (MDI.replace("10.560   15", "10.560   25"), "do not fit"),
        (MDI.replace("     116", "     1l6"), "no intensity"),
    ],
)
def test_mdi_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(mdi_text.READER, text, tmp_path, "demo.mdi")


def test_scintag_counts(tmp_path: Path) -> None:
    m = read(scintag_txt.READER, HEAD + COUNTS, tmp_path, "a.txt")
    (e,) = m.entries
    assert (m.sample, e.started) == ("Uni Aless", datetime(2002, 2, 6, 5, 31))
    assert e["two_theta"].values.tolist() == [1.9, 1.93, 1.96]
    assert (e.signal.unit, e.signal.values.tolist()) == ("counts", [52908, 51444, 50374])
    assert e["intensity_esd"].values.tolist() == [230.017, 226.813, 224.442]
    assert e.conditions["time_per_step"] == Quantity(9.0, "s")
    assert e.conditions["wavelength"] == Quantity(1.540562, "angstrom")
    assert m.original_metadata["Comment"] == "45 kV, 40 mA"
    assert not m.warnings


def test_scintag_counts_per_second_without_angles(tmp_path: Path) -> None:
    (e,) = read(scintag_txt.READER, HEAD + CPS, tmp_path, "a.txt").entries
    np.testing.assert_allclose(e["two_theta"].values, [1.9, 1.93, 1.96])
    assert (e.signal.unit, e.signal.values.tolist()) == ("count/s", [5878.67, 5716.0, 5597.11])


def test_scintag_scans_of_another_axis_are_told(tmp_path: Path) -> None:
    m = read(scintag_txt.READER, HEAD.replace("Normal", "Omega") + COUNTS, tmp_path, "a.txt")
    assert m[0].axes[0].name == "angle"
    assert any("'Omega'" in w for w in m.warnings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "ends before its rows"),
        (HEAD + COUNTS[: COUNTS.rindex("   1.960")], "3 points are announced and 2"),
        (HEAD.replace("Step Size", "Step") + CPS, "at which angles"),
    ],
)
def test_scintag_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(scintag_txt.READER, text, tmp_path, "a.txt")


@pytest.mark.parametrize(("reader", "text"), [(mdi_text.READER, MDI), (scintag_txt.READER, HEAD + COUNTS)])
def test_damage_never_breaks_out(tmp_path: Path, reader: Reader, text: str) -> None:
    cut(reader, text.encode(), tmp_path / "cut")
    damage(reader, text.encode(), tmp_path / "damaged")
