"""NETZSCH text exports: a user would take the time for the heat flow, µV for mW, or one sample for another.

No export may be shipped; the files here are written as public code and documentation show them.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.netzsch_txt import READER

STA = """#EXPORTTYPE:DATA ALL
#FILE:sample.ngb-ss3
#FORMAT:NETZSCH5
#IDENTITY:1-90
#DECIMAL:POINT
#SEPARATOR:SEMICOLON
#MTYPE:DSC-TG
#INSTRUMENT:NETZSCH STA 449F3
#DATE/TIME:27.05.2019 10:27:05 (UTC+2)
#CORR. FILE:base.ngb-bs3
#OPERATOR:Müller
#SAMPLE:CaOx, dry
#SAMPLE MASS /mg:22.160
#TYPE OF CRUCIBLE:Al2O3
#SAMPLE CRUCIBLE MASS /mg:271.5
#PURGE GAS 1:NITROGEN
#EXO:-1
#RANGE:25,0°C/10,0(K/min)/600,0°C
##Temp./°C;Time/min;DSC/(mW/mg);Mass/%;Gas Flow(purge1)/(ml/min);Gas Flow(protective)/(ml/min);Sensit./(uV/mW)

   29.958; 0.00000;7.67E-02; 99.99772;40.0;20.0;1.012
   30.958; 0.10000;-8.719357e-02; 99.9;40.0;20.0;1.013
"""


def reads(text: str, folder: Path, name: str = "made.txt", encoding: str = "cp1252") -> Measurement:
    path = folder / name
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    src = RawInput(path)
    assert READER.sniff(src) == CERTAIN
    assert registry.find(src) is READER  # and no table of plain text
    return check(READER.read(src), READER)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
def test_columns_units_and_conditions(tmp_path: Path, encoding: str) -> None:
    m = reads(STA, tmp_path, encoding=encoding)
    (e,) = m
    assert e.technique == "sta"
    assert (e.x, e.default) == ("temperature", "relative_mass")
    assert [(s.name, s.unit) for s in e.signals] == [
        ("temperature", "degC"),
        ("time", "min"),
        ("specific_heat_flow", "mW/mg"),
        ("relative_mass", "percent"),
        ("purge_gas_flow", "ml/min"),
        ("protective_gas_flow", "ml/min"),
        ("sensit", "uV/mW"),
    ]
    assert e["specific_heat_flow"].values.tolist() == [7.67e-2, -8.719357e-2]
    assert e["specific_heat_flow"].long_name == "DSC (exothermic down)"
    assert e["time"].values.tolist() == [0, 0.1]
    told = e.conditions
    assert told["sample_mass"] == Quantity(22.16, "mg")
    assert told["crucible_mass"] == Quantity(271.5, "mg")
    assert told["temperature_start"] == Quantity(25.0, "degC")
    assert told["heating_rate"] == Quantity(10.0, "K/min")
    assert told["temperature_end"] == Quantity(600.0, "degC")
    assert told["purge_gas"] == Quantity("NITROGEN")
    assert (m.sample, m.operator, m.instrument) == ("CaOx, dry", "Müller", "NETZSCH STA 449F3")
    assert m.started == datetime(2019, 5, 27, 10, 27, 5, tzinfo=timezone(timedelta(hours=2)))
    assert m.warnings == ()


def test_decimal_commas(tmp_path: Path) -> None:
    head, table = STA.split("##")
    commas = head.replace("POINT", "COMMA").replace("22.160", "22,160") + "##" + table.replace("0.1", "0,1")
    commas = (
        commas.replace("29.958", "29,958").replace("7.67E-02", "7,67E-02").replace("99.99772", "99,99772")
    )
    commas = commas.replace("30.958", "30,958").replace("-8.7", "-8,7").replace("99.9;", "99,9;")
    e = reads(commas.replace(".0;", ",0;").replace("1.01", "1,01").replace("0.00", "0,00"), tmp_path)[0]
    assert e["specific_heat_flow"].values.tolist() == [7.67e-2, -8.719357e-2]
    assert e["relative_mass"].values.tolist() == [99.99772, 99.9]
    assert e.conditions["sample_mass"] == Quantity(22.16, "mg")


@pytest.mark.parametrize(
    ("sign", "encoding"), [("›", "cp1252"), ("°", "cp850"), ("°", "cp437"), ("", "ascii")]
)
def test_degrees_of_other_code_pages(tmp_path: Path, sign: str, encoding: str) -> None:
    """``#FTYPE:ASCII`` is the code page of DOS; a temperature in "øC" would be in no unit at all."""
    text = STA.replace("#IDENTITY", "#FTYPE:ASCII\n#IDENTITY").replace("ü", "u").replace("°", sign)
    text = text.replace(f"600,0{sign}C", f"600,0{sign}C/00:10/600,0{sign}C/").replace(
        "27.05.2019 10:27:05 (UTC+2)", "08.10.2024 15:04"
    )
    m = reads(text, tmp_path, encoding=encoding)
    e = m[0]
    assert e["temperature"].unit == "degC"
    assert e.conditions["heating_rate"] == Quantity(10.0, "K/min")
    assert e.conditions["temperature_end"] == Quantity(600.0, "degC")
    assert m.started == datetime(2024, 10, 8, 15, 4)
    assert m.warnings == ()


def test_csv_has_separators_in_its_header_too(tmp_path: Path) -> None:
    lines = []
    for line in STA.replace("SEMICOLON", "COMMA").splitlines():
        key, _, value = line.partition(":")
        if line.startswith("#") and not line.startswith("##"):
            quoted = f'"{value}"' if "," in value else value
            lines.append(f"{key + ':':<29},{quoted:<29},,,,,")
        else:
            lines.append(line.replace(";", ","))
    m = reads("\n".join(lines) + "\n", tmp_path, "made.csv")
    assert m[0]["specific_heat_flow"].values.tolist() == [7.67e-2, -8.719357e-2]
    assert m.sample == "CaOx, dry"
    assert m[0].conditions["heating_rate"] == Quantity(10.0, "K/min")


@pytest.mark.parametrize(
    ("heading", "name", "unit", "technique"),
    [
        ("DSC/(uV/mg)", "dsc_signal_per_mass", "uV/mg", "dsc"),
        ("DSC/(µV/mg)", "dsc_signal_per_mass", "uV/mg", "dsc"),
        ("DSC/uV", "dsc_signal", "uV", "dsc"),
        ("DSC/mW", "heat_flow", "mW", "dsc"),
        ("Mass loss/mg", "mass_loss", "mg", "tga"),
        ("Mass Change/mg", "mass_change", "mg", "tga"),
        ("Mass/mg", "mass", "mg", "tga"),
        ("TG/%", "relative_mass", "percent", "tga"),
        ("dL/Lo", "strain", None, "dilatometry"),
        ("dL/µm", "length_change", "um", "dilatometry"),
    ],
)
def test_what_a_column_is_called_by_its_unit(
    tmp_path: Path, heading: str, name: str, unit: str | None, technique: str
) -> None:
    """Counts of µV are not mW: a sum under the peak would be an enthalpy that is none."""
    text = STA.split("##")[0].replace("DSC-TG", "-").replace("STA 449F3", "X")
    text += f"##Temp./°C;Time/min;{heading}\n20;0;1.5\n21;1;2.5\n"
    e = reads(text, tmp_path)[0]
    assert e.technique == technique
    assert (e.default, e[name].unit) == (name, unit)
    assert e[name].values.tolist() == [1.5, 2.5]


def test_measurements_side_by_side_are_entries_of_their_own(tmp_path: Path) -> None:
    text = """#EXPORTTYPE:  \tDATA COMPARE  \tDATA COMPARE
#DECIMAL:     \tPOINT         \tPOINT
#SEPARATOR:   \tTAB           \tTAB
#SAMPLE:      \tfirst         \tsecond
#SAMPLE MASS /mg:\t10.5\t7
##Temp./°C\tDSC/(mW/mg)\t##Temp./°C\tDSC/(mW/mg)
20\t1\t20\t3
30\t2\t30\t4
\t\t40\t5
"""
    m = reads(text, tmp_path)
    assert [e.title for e in m] == ["first", "second"]
    assert m[0]["temperature"].values.tolist() == [20, 30]
    assert m[1]["specific_heat_flow"].values.tolist() == [3, 4, 5]
    assert [e.conditions["sample_mass"].value for e in m] == [10.5, 7]
    assert m.sample == ""


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="holds no rows"):
        reads(STA[: STA.index("   29")], tmp_path)
    with pytest.raises(ReadError, match="within a row"):
        reads(STA[: STA.index("99.9;")], tmp_path)
    assert "last number may be cut off" in reads(STA[:-2], tmp_path).warnings[0]
    path = tmp_path / "made.txt"
    path.write_text(STA[: STA.index("##")])
    assert READER.sniff(RawInput(path)) == 0
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(path))


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    data = STA.encode("cp1252")
    cut(READER, data, tmp_path / "cut", parts=60)
    damage(READER, data, tmp_path / "damaged", turns=200, within=len(data))


def test_blank_cells_at_the_end_are_no_points(tmp_path: Path) -> None:
    e = reads(STA + ";;;;;;\n", tmp_path)[0]
    assert np.isfinite(e["temperature"].values).all()
    assert len(e["time"].values) == 2
