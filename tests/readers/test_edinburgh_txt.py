"""Edinburgh Instruments' text: a decay taken for a spectrum, or one curve's wavelength given to another."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.edinburgh_txt import READER
from zairyo.readers.invariants import check

EMISSION = """Labels,YAG em,
Type,Emission Scan,
Start,600.00,
Stop,602.00,
Step,1.00,
Fixed/Offset,455.00,
Xaxis,Wavelength(nm),
Yaxis,Counts,
Dwell Time,0.2,

600.00,1200,
601.00,1210.5,
602.00,1190,
"""
TWO = (
    "F980 export\n\nLabels\tat 300\tat 310\nType\tExcitation Scan\tExcitation Scan\nFixed/Offset\t610\t620\n"
    "Xaxis\tWavelength(nm)\tWavelength(nm)\nYaxis\tCounts\tCounts\n\n300\t10\t20\n301\t11\t\n302\t12\t22\n"
)
DECAY = (
    "Labels\tIRF\tsample\nType\tTime Scan\tTime Scan\nXAxis\tTime(ns)\tTime(ns)\nYAxis\tCounts\tCounts\n"
    "Channels\t3\t3\n\n0.0000E+0\t1\t0\n0.0488\t100\t7\n0.0977\t20\t90\n"
)


def read(folder: Path, text: str, encoding: str = "utf-8") -> Measurement:
    path = folder / "made.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "edinburgh_txt"
    return check(m, READER)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_emission_spectrum(tmp_path: Path, encoding: str) -> None:
    m = read(tmp_path, EMISSION, encoding)
    (entry,) = m
    assert (entry.technique, m.title) == ("fluorescence", "YAG em")
    assert (entry.axes[0].name, entry.axes[0].unit) == ("wavelength", "nm")
    assert entry.axes[0].values.tolist() == [600, 601, 602]
    assert entry["intensity"].values.tolist() == [1200, 1210.5, 1190]
    assert entry["intensity"].unit == "counts"
    assert str(entry.conditions["excitation_wavelength"]) == "455 nm"
    assert entry.original_metadata["Dwell Time"] == "0.2"
    assert m.warnings == ()


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    m = read(tmp_path, EMISSION.replace(",", ";").replace(".", ","))
    assert m[0]["intensity"].values.tolist() == [1200, 1210.5, 1190]
    assert str(m[0].conditions["excitation_wavelength"]) == "455 nm"


def test_each_curve_has_its_own_header_and_points(tmp_path: Path) -> None:
    m = read(tmp_path, TWO)
    assert [e.title for e in m] == ["at 300", "at 310"]
    assert [str(e.conditions["emission_wavelength"]) for e in m] == ["610 nm", "620 nm"]
    assert m[1].axes[0].values.tolist() == [300, 302]
    assert m[1]["intensity"].values.tolist() == [20, 22]


def test_a_decay_is_over_time(tmp_path: Path) -> None:
    m = read(tmp_path, DECAY)
    assert [(e.axes[0].name, e.axes[0].unit) for e in m] == [("time", "ns")] * 2
    assert m[1]["intensity"].values.tolist() == [0, 7, 90]
    unstated = read(tmp_path, DECAY.replace("Time(ns)", "Time"))
    assert unstated[0].axes[0].unit is None  # nanoseconds are likely, but not said


def test_absorbance(tmp_path: Path) -> None:
    m = read(tmp_path, EMISSION.replace("Counts", "Absorbance").replace("Emission", "Synchronous"))
    assert (m[0].technique, m[0]["absorbance"].unit, dict(m[0].conditions)) == ("uv_vis", "", {})


def test_cut_off_and_damaged(tmp_path: Path) -> None:
    for text in (EMISSION, TWO):
        data = text.encode()
        cut(READER, data, tmp_path / "cut.txt")
        damage(READER, data, tmp_path / "broken.txt", turns=100)
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(_saved(tmp_path, EMISSION[:150])))
    with pytest.raises(ReadError, match="within line"):
        READER.read(RawInput(_saved(tmp_path, TWO[:-5])))


def _saved(folder: Path, text: str) -> Path:
    path = folder / "a.txt"
    path.write_text(text)
    assert READER.sniff(RawInput(path)) == CERTAIN
    return path
