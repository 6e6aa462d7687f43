"""Text of UV-visible, CD and infrared spectrometers, also in Japanese: what a wrong description would lose."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import ReadError

JASCO = """TITLE\t{title}
DATA TYPE\tULTRAVIOLET SPECTRUM
ORIGIN\tJASCO
OWNER\t
DATE\t21/10/05
TIME\t14:03:09
SPECTROMETER/DATA SYSTEM\tV-730
LOCALE\t1041
DELTAX\t-100
XUNITS\t{x}
YUNITS\t{y}
{more}FIRSTX\t500
LASTX\t300
NPOINTS\t3
XYDATA
{rows}
##### Extended Information
[コメント情報]
試料名\t酸化チタン
[測定情報]
走査速度\t400 nm/min
UV/Visバンド幅\t1.0 nm
積算回数\t16
分解\t4 cm-1
"""


def read(folder: Path, text: str, encoding: str = "cp932") -> Measurement:
    path = folder / "made.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return registry.read(path)


@pytest.mark.parametrize("encoding", ["cp932", "utf-8-sig"])
@pytest.mark.parametrize(
    ("y", "signal"),
    [
        ("ABSORBANCE", ("absorbance", "")),
        ("TRANSMITTANCE", ("transmittance", "percent")),
        ("REFLECTANCE", ("reflectance", "percent")),
    ],
)
def test_jasco_uv_with_japanese_information(
    tmp_path: Path, encoding: str, y: str, signal: tuple[str, str]
) -> None:
    rows = "500.0000\t0.1\n400.0000\t0.2\n300.0000\t0.3\n"
    m = read(tmp_path, JASCO.format(title="膜 1", x="NANOMETERS", y=y, rows=rows, more=""), encoding)
    (entry,) = m
    assert entry.technique == "uv_vis"
    assert (entry.signal.name, entry.signal.unit) == signal
    assert entry.signal.values.tolist() == [0.1, 0.2, 0.3]
    assert entry["wavelength"].values.tolist() == [500, 400, 300]
    assert (m.title, m.sample, m.instrument) == ("膜 1", "酸化チタン", "V-730")
    assert m.started == datetime(2021, 10, 5, 14, 3, 9)  # the day and the time stand on two lines
    assert str(entry.conditions["scan_speed"]) == "400 nm/min"
    assert str(entry.conditions["spectral_bandwidth"]) == "1 nm"


def test_jasco_circular_dichroism(tmp_path: Path) -> None:
    rows = "500\t-0.1\t300\n400\t0.2\t310\n300\t0.3\t320\n"
    more = "Y2UNITS\tHT[V]\n"
    (entry,) = read(tmp_path, JASCO.format(title="A", x="NANOMETERS", y="CD[mdeg]", rows=rows, more=more))
    assert entry.technique == "circular_dichroism"
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("circular_dichroism", "mdeg"),
        ("high_tension_voltage", "V"),
    ]
    assert entry["high_tension_voltage"].values.tolist() == [300, 310, 320]


def test_jasco_infrared(tmp_path: Path) -> None:
    rows = "500\t90\n400\t80\n300\t70\n"
    (entry,) = read(tmp_path, JASCO.format(title="A", x="1/CM", y="%T", rows=rows, more=""))
    assert (entry.technique, entry.signal.name, entry.signal.unit) == ("ir", "transmittance", "percent")
    assert entry["wavenumber"].unit == "1/cm"
    assert str(entry.conditions["repetitions"]) == "16"


def test_jasco_cut_off(tmp_path: Path) -> None:
    text = JASCO.format(title="A", x="NANOMETERS", y="ABSORBANCE", rows="500\t1\n400\t2", more="")
    with pytest.raises(ReadError):
        read(tmp_path, text.split("#####")[0])


@pytest.mark.parametrize(
    ("names", "signal"),
    [
        ('"Wavelength nm.","Abs."', ("absorbance", "")),
        ('"Wavelength nm.","T%"', ("transmittance", "percent")),
        ('"波長 nm.","R%"', ("reflectance", "percent")),
    ],
)
def test_shimadzu_uvprobe(tmp_path: Path, names: str, signal: tuple[str, str]) -> None:
    m = read(tmp_path, f'"試料1 - RawData"\n{names}\n300.00,0.512\n301.00,0.498\n302.00,0.487\n')
    (entry,) = m
    assert (entry.signal.name, entry.signal.unit) == signal
    assert entry.signal.values.tolist() == [0.512, 0.498, 0.487]
    assert entry["wavelength"].unit == "nm"
    assert m.sample == "試料1"
