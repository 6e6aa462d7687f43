"""PicoQuant's histograms: a lifetime is wrong by as much as the width of a channel."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.picoquant_txt import READER

ONE = """#TimeHarp 260  Histogram Data\t\t\t08/13/25 15:09:45
#channels per curve
4
#display curve no.
0\t
#memory block no.
0\t
#ns/bin
0.5000\t
#counts
0\t
6\t
216\t
501\t
"""
TWO = """#PicoHarp 300  Histogram Data\t13.08.25 15:09:45
#channels per curve
3
#display curve no.
0\t2\t
#memory block no.
0\t1\t
#ns/channel
0.0040\t0.0080\t
#counts
1\t2\t
3\t4\t
5\t6\t
"""


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.replace("\n", "\r\n").encode())
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_a_decay_over_the_time(tmp_path: Path) -> None:
    path = written(tmp_path / "a.dat", ONE)
    assert registry.find(RawInput(path)) is READER
    m = read(path)
    (entry,) = m
    assert entry["time"].values.tolist() == [0, 0.5, 1, 1.5]
    assert (entry["time"].unit, entry["intensity"].unit) == ("ns", "counts")
    assert entry["intensity"].values.tolist() == [0, 6, 216, 501]
    assert (m.instrument, str(entry.started)) == ("PicoQuant TimeHarp 260", "2025-08-13 15:09:45")
    assert not m.warnings


def test_each_curve_has_its_own_width_of_a_channel(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.dat", TWO))
    assert [(e.name, e.title) for e in m] == [("curve_1", "Curve 0"), ("curve_2", "Curve 2")]
    assert m["curve_1"]["time"].values.tolist() == [0, 0.004, 0.008]
    assert m["curve_2"]["time"].values.tolist() == [0, 0.008, 0.016]
    assert m["curve_2"]["intensity"].values.tolist() == [2, 4, 6]


def test_a_day_that_may_be_a_month_is_told(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.dat", ONE.replace("08/13/25", "08/10/25")))
    assert m[0].started is None
    assert "08/10/25" in m.warnings[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE.partition("#counts")[0], "before its line"),
        (ONE.removesuffix("501\t\n"), "should hold 4 channels and holds 3"),
        (ONE.replace("#ns/bin", "#bins"), "width of a channel"),
        (ONE.replace("216", "many"), "words among its counts"),
        (ONE.replace("0.5000", "0"), "no width"),
    ],
)
def test_what_is_not_whole_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(written(tmp_path / "a.dat", text)))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    cut(READER, TWO.encode(), tmp_path / "a.dat")
    damage(READER, TWO.encode(), tmp_path / "a.dat", turns=100)
    assert READER.sniff(RawInput(written(tmp_path / "b.dat", "#Histogram Data\n1\n"))) == NO
