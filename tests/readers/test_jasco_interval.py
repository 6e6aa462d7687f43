"""JASCO's series of spectra: a kinetic run was refused as cut off, or would be read as one spectrum."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.jasco_interval import READER

INTERVAL = """TITLE,Interval Scan Measurement
DATA TYPE,ULTRAVIOLET SPECTRUM
ORIGIN,JASCO
OWNER,
DATE,2026/08/27
TIME,00:50:45
SPECTROMETER/DATA SYSTEM,JASCO Corp., V-730, Rev. 1.00
DELTAX,-1
XUNITS,NANOMETERS
YUNITS,ABSORBANCE
FIRSTX,  800.0000
LASTX,  798.0000
NPOINTS,     3
XYDATA
,0,10.0167
800,0.01,0.02
799,0.011,0.021
798,0.012,0.022

Sample name,cobalamin
"""
CD = """TITLE\tmelting
DATA TYPE\t
ORIGIN\tJASCO
DATE\t22/02/17
TIME\t01:39:57
SPECTROMETER/DATA SYSTEM\tJASCO Corp., J-1500, Rev. 1.00
XUNITS\tNANOMETERS
YUNITS\tCD [mdeg]
Y2UNITS\tHT [V]
TUNITS\tTemperature [C]
NPOINTST\t3
NPOINTS\t2
XYDATA1\t20\t30\t40
260\t-1\t-2\t-3
259\t-4\t-5\t-6
XYDATA2\t20\t30\t40
260\t400\t401\t402
259\t403\t404\t405
"""


def save(folder: Path, text: str, encoding: str = "cp932") -> Path:
    path = folder / "made.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return path


def read(path: Path) -> Measurement:
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "jasco_interval"
    return check(m, READER)


@pytest.mark.parametrize("style", ["commas", "tabs", "decimal commas", "utf-16"])
def test_an_interval_scan(tmp_path: Path, style: str) -> None:
    text = INTERVAL
    if style == "tabs":
        text = text.replace(",", "\t")
    if style == "decimal commas":
        text = text.replace(",", ";").replace(".", ",")
    m = read(save(tmp_path, text, "utf-16" if style == "utf-16" else "cp932"))
    (entry,) = m
    assert (entry.technique, entry.title, m.sample) == ("uv_vis", "Interval Scan Measurement", "cobalamin")
    assert [(a.name, a.unit) for a in entry.axes] == [("time", None), ("wavelength", "nm")]
    assert entry.axes[0].values.tolist() == [0, 10.0167]
    assert entry.axes[1].values.tolist() == [800, 799, 798]
    assert entry["absorbance"].values.tolist() == [[0.01, 0.011, 0.012], [0.02, 0.021, 0.022]]
    assert entry.started == datetime(2026, 8, 27, 0, 50, 45)
    assert ["unit the times" in w for w in m.warnings] == [True]


def test_spectra_at_several_temperatures_with_their_second_channel(tmp_path: Path) -> None:
    m = read(save(tmp_path, CD))
    (entry,) = m
    assert (entry.technique, entry.default) == ("circular_dichroism", "circular_dichroism")
    assert [(a.name, a.unit) for a in entry.axes] == [("temperature", "degC"), ("wavelength", "nm")]
    assert entry["circular_dichroism"].values.tolist() == [[-1, -4], [-2, -5], [-3, -6]]
    assert (entry["high_tension_voltage"].unit, entry["high_tension_voltage"].values[2, 1]) == ("V", 405)
    assert m.warnings == ()
    unstated = read(save(tmp_path, CD.replace("TUNITS\tTemperature [C]\n", "")))
    assert unstated[0].axes[0].unit is None
    assert "what changes" in unstated.warnings[0]


def test_single_spectra_are_left_to_their_readers(tmp_path: Path) -> None:
    one = INTERVAL.replace(",0,10.0167\n", "").replace(",0.02", "").replace("0,021", "")
    assert READER.sniff(RawInput(save(tmp_path, one))) == NO
    assert registry.find(RawInput(save(tmp_path, one))).name == "jasco_uv_txt"


def test_cut_off_and_damaged(tmp_path: Path) -> None:
    for text in (INTERVAL, CD):
        cut(READER, text.encode(), tmp_path / "cut.csv")
        damage(READER, text.encode(), tmp_path / "broken.csv", turns=100)
    for text, said in (
        (INTERVAL[: INTERVAL.index("798,0.012")], "has 2 rows"),
        (INTERVAL.replace("800,0.01,0.02", "800,0.01"), "for 2 spectra"),
        (CD.replace("259\t403\t404\t405\n", "", 1), "has 1 rows"),
    ):
        path = save(tmp_path, text)
        assert READER.sniff(RawInput(path)) == CERTAIN
        with pytest.raises(ReadError, match=said):
            READER.read(RawInput(path))
