"""NT-MDT's bare text: what someone who exported force curves with Nova would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import LIKELY, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.ntmdt_txt import READER

REAL = "ntmdt-txt/fmt-ntmdt-txt-fd_2015_01_17_gel4-0,1_mQ_adh_6B_Curve_DFL_Height_51.txt"
NAME = "Curve_DFL_Height_1.txt"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == LIKELY
    return check(READER.read(RawInput(path)), READER)


def test_real_numbers(instruments: Path) -> None:
    """First and last values as in afmformats 0.18.7, which leaves out the flat beginning and end of the ramp."""
    m = read(instruments / REAL)
    (entry,) = m
    v, h = entry["deflection"].values, entry["height"].values
    assert (entry.technique, entry.default, v.size) == ("afm_force", "deflection", 2000)
    assert (v[0], v[-1], v.max(), h[0], h[-1]) == (-1.1033, -1.0926, 1.4726, -0.0006, -0.0006)
    assert (h[999], v[999], v[1000]) == (-7999.9482, 1.4726, 1.4711)  # nearest to the sample
    assert [entry[n].unit for n in ("height", "deflection")] == ["nm", "nA"]
    assert "names no units" in m.warnings[0]


def test_cut_off_and_damaged(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / REAL).read_bytes()
    # A table that ends with a whole line is a table; one that ends within a line is not.
    assert all(data[: len(data) * p // 20].endswith(b"\n") for p in cut(READER, data, tmp_path / NAME))
    damage(READER, data, tmp_path / NAME)


def test_table_that_falls_instead_of_rising(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("0.5\t1.0\t4.0\n-1.5\t2.0\t5.0\n-2.5\t3.0\t6.0\n")
    (entry,) = read(tmp_path / NAME)
    assert entry["height"].values.tolist() == [0.5, -1.5, -2.5, -2.5, -1.5, 0.5]
    assert entry["deflection"].values.tolist() == [1, 2, 3, 6, 5, 4]


def test_bad_line_is_named(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("0,5\t1\t4\n" * 30 + "x\t1\t2\n")
    with pytest.raises(ReadError, match="line 31"):
        read(tmp_path / NAME)


def test_three_columns_of_another_kind_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "xrd.txt").write_text("0.5\t1.0\t4.0\n1.5\t2.0\t5.0\n2.5\t3.0\t6.0\n")
    (tmp_path / NAME).write_text("2theta\tcounts\terror\n1.5\t2.0\t5.0\n2.5\t3.0\t6.0\n")
    assert READER.sniff(RawInput(tmp_path / "xrd.txt")) == NO
    assert READER.sniff(RawInput(tmp_path / NAME)) == NO
