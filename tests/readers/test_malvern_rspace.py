"""Kinexus exports: a rheologist would lose steps, or read the decimal comma as a thousands mark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.malvern_rspace import READER

#: Headings and layout of a file of a Kinexus in France; the numbers are made.
TABLE = """Action Name;Time (sequence)(s);Time (action)(s);Shear stress(Pa);Shear rate(s-¹);Shear strain(%);\
Normal force(N);Complex shear strain(%);Frequency(Hz);Complex shear stress(Pa);Shear modulus (elastic component)(Pa);\
Shear modulus (viscous component)(Pa);Shear modulus (complex component)(Pa);Torque(N m);Angular displacement(rad);\
Temperature(°C);Gap(mm)
Pre Shear;10,5;1,000;20,50;45,00;4,50000E+003;0,1000;;;;;;;1,000E-003;4,500;25,01;1,0000
Pre Shear;11,5;2,000;22,50;50,00;9,50000E+003;0,1010;;;;;;;1,100E-003;9,500;25,02;1,0000
Amplitude sweep;20,5;1,000;;;;0,1020;0,0100;1,000;0,05;500,0;50,00;502,5;1,200E-003;0,001;25,03;1,0000
Amplitude sweep;21,5;2,000;;;;0,1030;0,1000;1,000;0,49;480,0;60,00;483,7;1,300E-003;0,002;25,04;1,0000
Pre Shear;30,5;1,000;23,50;50,00;1,45000E+004;0,1040;;;;;;;1,400E-003;14,50;25,05;1,0000
"""
POINTS = TABLE.replace(",", ".").replace(";", ",")


def save(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "carbopol.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return path


def read(path: Path) -> Measurement:
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "malvern_rspace"
    return check(m, READER)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(TABLE, "utf-8-sig"), (TABLE, "cp1252"), (TABLE, "utf-16"), (POINTS, "utf-8"),
     (POINTS.replace(",", "\t"), "utf-8")],
)  # fmt: skip
def test_every_action_is_an_entry(tmp_path: Path, text: str, encoding: str) -> None:
    m = read(save(tmp_path, text, encoding))
    assert [e.title for e in m] == ["Pre Shear", "Amplitude sweep", "Pre Shear"]
    first, sweep, _ = m
    assert first["time"].values.tolist() == [10.5, 11.5]
    assert first["shear_strain"].values.tolist() == [4500, 9500]
    assert (first["shear_rate"].unit, first["torque"].unit) == ("1/s", "N*m")
    assert "storage_modulus" not in {s.name for s in first.signals}
    assert (sweep.x, sweep.default) == ("shear_strain", "storage_modulus")
    assert sweep["shear_strain"].values.tolist() == [0.01, 0.1]
    assert sweep["shear_stress"].values.tolist() == [0.05, 0.49]
    assert sweep["loss_modulus"].values.tolist() == [50, 60]
    assert str(sweep.conditions["step"]) == "Amplitude sweep"
    assert m.warnings == ()


def test_columns_chosen_by_the_user(tmp_path: Path) -> None:
    text = "Action Name;Time (action)(s);Complex shear strain(%);Shear strain(%);Phase angle(°)\nA;1,5;2,5;3,5;45\n"
    (entry,) = read(save(tmp_path, text + "A;2,5;2,6;3,6;44\n"))
    assert entry["shear_strain"].values.tolist() == [3.5, 3.6]
    assert entry["complex_shear_strain"].values.tolist() == [2.5, 2.6]
    np.testing.assert_array_equal(entry["phase"].values, [45, 44])


def test_cut_off_and_damaged(tmp_path: Path) -> None:
    cut(READER, TABLE.encode(), tmp_path / "cut.csv")
    damage(READER, TABLE.encode(), tmp_path / "broken.csv", turns=100)
    for text, said in ((TABLE[:-60], "cut off"), (TABLE[: TABLE.index("\n") + 1], "no point")):
        path = save(tmp_path, text)
        assert READER.sniff(RawInput(path)) == CERTAIN
        with pytest.raises(ReadError, match=said):
            READER.read(RawInput(path))
    assert READER.sniff(RawInput(save(tmp_path, "Action Name;Temperature\nA;1\n"))) == NO
