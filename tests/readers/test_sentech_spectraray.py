"""SENTECH's Ψ and Δ: which column is which is known from the order alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.sentech_spectraray import READER

TEXT = """; WAVELENGTH 50.20000 50.20000 60.20000 60.20000
190.13558 45.74309 168.36886 55.11351 170.81765
190.59492 47.53618 187.30627 51.39424 188.23138
"""


def written(path: Path, text: str = TEXT) -> Path:
    path.write_bytes(text.replace("\n", " \r\n").encode())
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_every_angle_has_its_own_psi_and_delta(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt")
    assert registry.find(RawInput(path)) is READER
    m = read(path)
    (entry,) = m
    assert entry["incidence_angle"].values.tolist() == [50.2, 60.2]
    assert entry["wavelength"].values.tolist() == [190.13558, 190.59492]
    assert entry["psi"].values.tolist() == [[45.74309, 47.53618], [55.11351, 51.39424]]
    assert entry["delta"].values.tolist() == [[168.36886, 187.30627], [170.81765, 188.23138]]
    assert [entry[n].unit for n in ("incidence_angle", "wavelength", "psi", "delta")] == [
        "deg",
        "nm",
        "deg",
        "deg",
    ]
    assert not m.warnings


def test_angles_that_fall_are_put_in_order(tmp_path: Path) -> None:
    text = "; WAVELENGTH 70.00 70.00 50.00 50.00\n400 30 100 20 150\n401 31 101 21 151\n"
    (entry,) = read(written(tmp_path / "a.txt", text))
    assert entry["incidence_angle"].values.tolist() == [50, 70]
    assert entry["psi"].values.tolist() == [[20, 21], [30, 31]]


def test_a_row_that_is_not_whole_is_told(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.txt", TEXT.partition("51.39")[0]))
    assert m[0]["psi"].values.tolist() == [[45.74309], [55.11351]]
    assert "not whole" in m.warnings[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT.partition("190.1")[0], "no points"),
        (TEXT.replace("47.53618", "147.53618"), "by turns"),
        (TEXT.replace("55.11351", "many"), "does not have 5 numbers"),
        (TEXT.replace(" 170.81765", "").replace(" 188.23138", " "), "does not have|columns"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(written(tmp_path / "a.txt", text))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    cut(READER, TEXT.encode(), tmp_path / "a.txt")
    damage(READER, TEXT.encode(), tmp_path / "a.txt", turns=100)
    assert READER.sniff(RawInput(written(tmp_path / "b.txt", "; WAVELENGTH 50.2 50.2 60.2 61.2\n"))) == NO
