"""METTLER STARe text: a user would see every unit one column too far to the left, or lose files whose curve is "Value".

The real files are in ``test_delimited``; the layouts here are written as public code and documentation show them.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.mettler_txt import READER

STARE = """Curve Name:
!&FR[10.0]PET 25-300 10K
PET 25-300 10K, 24.03.2020 14:55:29
Curve Values:
         Index             t            Ts            Tr         Value
                         [s]          [°C]          [°C]          [mW]
             0             0       24.9713            25      -1.02345
             1             1       25.0102       25.1667      -1.03345
             2             2       25.1102       25.3333      -1.04345
Results:
  Sample:
      PET, 5.1230 mg
  Integral        -12.3 mJ
"""


def reads(text: str, folder: Path, encoding: str = "cp1252") -> Measurement:
    path = folder / "a.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    src = RawInput(path)
    assert registry.find(src) is READER
    return check(READER.read(src), READER)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
def test_units_belong_to_the_column_that_they_stand_under(tmp_path: Path, encoding: str) -> None:
    m = reads(STARE, tmp_path, encoding)
    (e,) = m
    assert [(s.name, s.unit) for s in e.signals] == [
        ("index", ""),
        ("time", "s"),
        ("temperature", "degC"),
        ("reference_temperature", "degC"),
        ("heat_flow", "mW"),
    ]
    assert (e.technique, e.x, e.default) == ("dsc", "temperature", "heat_flow")
    assert e["heat_flow"].values.tolist() == [-1.02345, -1.03345, -1.04345]
    assert e["index"].values.dtype.kind == "i"
    assert e.conditions["sample_mass"] == Quantity(5.123, "mg")
    assert (m.sample, m.started) == ("PET 25-300 10K", datetime(2020, 3, 24, 14, 55, 29))
    assert "Integral        -12.3 mJ" in e.original_metadata["lines"]


@pytest.mark.parametrize(
    ("heading", "unit", "name", "technique"),
    [
        ("Value", "[mg]", "mass", "tga"),
        ("Value", "[%]", "relative_mass", "tga"),
        ("Value", "[Wg^-1]", "specific_heat_flow", "dsc"),
        ("Value", "[µm]", "length_change", "tma"),
        ("Weight", "[%]", "relative_mass", "tga"),
        ("Gewicht", "[mg]", "mass", "tga"),
        ("Wärmestrom", "[mW]", "heat_flow", "dsc"),
        ("Heat Flow", "[W/g]", "specific_heat_flow", "dsc"),
    ],
)
def test_what_the_curve_is(tmp_path: Path, heading: str, unit: str, name: str, technique: str) -> None:
    e = reads(STARE.replace("     Value", f"{heading:>10}").replace("  [mW]", f"{unit:>6}"), tmp_path)[0]
    assert (e.technique, e.default) == (technique, name)
    assert e[name].values.tolist() == [-1.02345, -1.03345, -1.04345]
    assert e["temperature"].unit == "degC"


BALANCE = """Title                                    01.01.2024 18:00
________________________________________________________

FileName:
  TGA_PP, 01.01.2024 18:00:00
  Sample Weight
SampleID:
  TGA_PP, 4.9292 mg
Texts:

Method:
  PP_cracking
Customer:
  
User:
  thermo
Results:
Curve:
          Index              t             Ts             Tr          Value
                           [s]           [°C]           [°C]           [mg]
              0              0         45.647         50.000        4.92915
              1              1         45.699         50.083         4.9291
LastKeyWD:
"""


def test_the_report_of_a_balance(tmp_path: Path) -> None:
    m = reads(BALANCE, tmp_path)
    (e,) = m
    assert (m.sample, m.operator, m.started) == ("TGA_PP", "thermo", datetime(2024, 1, 1, 18))
    assert (e.technique, e["mass"].unit, e["mass"].values.tolist()) == ("tga", "mg", [4.92915, 4.9291])
    assert e.conditions["method"] == Quantity("PP_cracking")
    assert e.conditions["sample_mass"] == Quantity(4.9292, "mg")


def test_tabs_and_decimal_commas(tmp_path: Path) -> None:
    text = "Index\tt\tTs\tTr\tHeat Flow\n\t[s]\t[°C]\t[°C]\t[mW]\n0\t0\t24,97\t25\t-1,5\n1\t1\t25,01\t25,17\t-1,6\n"
    e = reads(text, tmp_path)[0]
    assert [(s.name, s.unit) for s in e.signals][1:3] == [("time", "s"), ("temperature", "degC")]
    assert e["heat_flow"].values.tolist() == [-1.5, -1.6]


def test_a_curve_without_points_does_not_cost_the_others(tmp_path: Path) -> None:
    empty = STARE[: STARE.index("             0")]
    m = reads(empty + STARE, tmp_path)
    assert len(m) == 1
    assert "has no points" in m.warnings[0]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="half a row"):
        reads(STARE[: STARE.index("       25.3333")], tmp_path)
    with pytest.raises(ReadError, match="holds no points"):
        reads(STARE[: STARE.index("             0")], tmp_path)


def test_other_tables_with_an_index_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Index  Mass  Charge\n[#]  [kg]  [C]\n0 1 2\n")
    assert READER.sniff(RawInput(path)) == NO
    path.write_text(STARE)
    assert READER.sniff(RawInput(path)) == CERTAIN


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    data = STARE.encode("cp1252")
    cut(READER, data, tmp_path / "cut", parts=60)
    damage(READER, data, tmp_path / "damaged", turns=200, within=len(data))


def test_a_date_that_may_be_either_costs_the_start_not_the_sample(tmp_path: Path) -> None:
    m = reads(STARE.replace("24.03.2020", "02/03/2020"), tmp_path, "utf-8")
    assert (m.sample, m.started) == ("PET 25-300 10K", None)
    assert any("day or the month stands first" in w for w in m.warnings)
