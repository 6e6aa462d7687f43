"""Chromeleon's text exports: what a chromatographer would lose if numbers or units were misread."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.chromeleon_txt import READER
from zairyo.readers.invariants import check

TEXT = """URL\tchrom://lab/vault
Injection Information:
Injection\tstandard 3
Position\tRA1
Volume (µl)\t5.00
Instrument Method\tgradient 7
Injection Time\t12.03.2021 10:11:12
Channel\tUV_VIS_1
Raw Data Information:
Data Points\t4
Chromatogram Data:
Time (min)\tStep (s)\tValue (mAU)
0.000000\t0.20\t-0.002496
0.003333\t0.20\t1,234.5
0.006667\t0.20\t7
0.010000\t0.20\t8.5
"""


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_chromatogram(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEXT, encoding=encoding)
    m = read(path)
    (entry,) = m.entries
    assert entry.signal.values.tolist() == [-0.002496, 1234.5, 7, 8.5]
    assert entry["time"].values.tolist() == [0, 0.003333, 0.006667, 0.01]
    assert (entry.default, entry.signal.unit, entry.technique, entry.title) == (
        "absorbance",
        "mAU",
        "lc",
        "UV_VIS_1",
    )
    told = {k: str(q) for k, q in entry.conditions.items()}
    assert told == {"detector": "UV_VIS_1", "method": "gradient 7", "vial": "RA1", "injection_volume": "5 ul"}
    assert str(entry.started) == "2021-03-12 10:11:12"
    assert m.sample == "standard 3"


def test_the_day_on_a_line_of_its_own(tmp_path: Path) -> None:
    """Chromeleon 7.2: the day and the volume were lost."""
    path = tmp_path / "a.txt"
    text = TEXT.replace(
        "Injection Time\t12.03.2021 10:11:12", "Injection Date\t26.05.2017\nInjection Time\t16:52:02"
    )
    path.write_text(text.replace("Volume (µl)\t5.00", "Injection Volume (µl)\t25,0"), encoding="utf-8")
    (entry,) = read(path).entries
    assert str(entry.started) == "2017-05-26 16:52:02"
    assert str(entry.conditions["injection_volume"]) == "25 ul"


def test_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = TEXT.replace("1,234.5", "1.234,5").replace("8.5", "8,5")
    path.write_text(text.replace("0.00", "0,00").replace("0.01", "0,01"))
    (entry,) = read(path).entries
    assert entry.signal.values.tolist() == [-0.002496, 1234.5, 7, 8.5]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Data Points\t4", "Data Points\t1,000", "announces 1000"),
        ("0.20\t7", "0.20\tx", "line 15"),
        ("Value (mAU)\n", "Value (mAU)\n\nend\n", "no row"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(path))


def test_damage(tmp_path: Path) -> None:
    cut(READER, TEXT.encode(), tmp_path / "a.txt")
    damage(READER, TEXT.encode(), tmp_path / "a.txt", turns=200)


def test_others_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Time (min)\tValue (mAU)\n0\t1\n")
    assert READER.sniff(RawInput(tmp_path / "a.txt")) == NO
