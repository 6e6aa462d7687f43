"""RheoWin exports: a rheologist would lose the segments, or take the temperature for the time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import NO, RawInput, ReadError
from zairyo.readers.haake_rheowin import READER
from zairyo.readers.invariants import check

#: The headings of files of a HAAKE rheometer; the numbers are made.
SWEEP = (
    'SegIndex,t in s,t_seg in s,f in Hz,G\' in Pa,"G"" in Pa",|η*| in mPas,ɣ in %,T in °C,----\n'
    "1|1,240.5,60.0,0.1,9600,450,15290000,0.052,37.0, \n"
    "1|2,288.2,107.6,1,9670,390,12240000,0.051,37.1, \n"
    "2|1,623.3,30.0,1,720,1530,268900,100.2,37.0, \n"
    "2|2,633.3,40.0,1,717,1540,270100,100.3,37.1, \n"
)
FLOW = (
    "C:\\Daten\\Probe 7.rwd\nCompany / Operator: Institut / A. Nutzer\n"
    "Date / Time / Version: 26.03.2024 / 14:12:07 / HAAKE RheoWin 4.41.0001\nSubstance / Sample no: Probe 7 / \n\n"
    ";t in s;GP in 1/s;Tau in Pa;Eta in Pas;T in °C;\n"
    "1|1;5,5;10,0;2,5;0,25;20,01;\n1|2;10,5;100,0;12,5;0,125;20,02;\n"
)


def save(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "probe.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return path


def read(path: Path) -> Measurement:
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "haake_rheowin"
    return check(m, READER)


@pytest.mark.parametrize("first", ["SegIndex", ""])
def test_every_segment_is_an_entry(tmp_path: Path, first: str) -> None:
    m = read(save(tmp_path, SWEEP.replace("SegIndex", first)))
    assert [(e.name, len(e["time"].values)) for e in m] == [("segment_1", 2), ("segment_2", 2)]
    sweep, hold = m
    assert (sweep.x, sweep.default, hold.x) == ("frequency", "storage_modulus", "time")
    assert sweep["temperature"].values.tolist() == [37, 37.1]
    assert sweep["time"].values.tolist() == [240.5, 288.2]
    assert hold["loss_modulus"].values.tolist() == [1530, 1540]
    units = {s.name: s.unit for s in sweep.signals}
    assert units == {
        "time": "s", "interval_time": "s", "frequency": "Hz", "storage_modulus": "Pa", "loss_modulus": "Pa",
        "complex_viscosity": "mPa*s", "shear_strain": "percent", "temperature": "degC",
    }  # fmt: skip
    assert m.warnings == ()


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
@pytest.mark.parametrize("word", [" in ", " en "])
def test_a_flow_curve_with_its_lines_above(tmp_path: Path, encoding: str, word: str) -> None:
    m = read(save(tmp_path, FLOW.replace(" in ", word), encoding))
    (entry,) = m
    assert entry.started == datetime(2024, 3, 26, 14, 12, 7)
    assert (m.operator, m.sample) == ("A. Nutzer", "Probe 7")
    assert entry.conditions["software_version"].value == "4.41.0001"
    assert (entry.x, entry.default) == ("shear_rate", "viscosity")
    assert entry["shear_stress"].values.tolist() == [2.5, 12.5]
    assert (entry["viscosity"].unit, entry["shear_rate"].unit) == ("Pa*s", "1/s")


@pytest.mark.parametrize("symbol", ["ɣ\u0307", "γ", "GP"])
def test_a_gamma_per_second_is_the_shear_rate(tmp_path: Path, symbol: str) -> None:
    entry = read(save(tmp_path, FLOW.replace("GP", symbol)))[0]
    assert np.allclose(entry["shear_rate"].values, [10, 100])


def test_lines_that_are_no_points_are_told(tmp_path: Path) -> None:
    m = read(save(tmp_path, FLOW + "Ende der Messung;x\n"))
    assert len(m[0]["time"].values) == 2
    assert any("line 9" in w for w in m.warnings)


def test_others_are_not_taken(tmp_path: Path) -> None:
    for text in ("a in s;b in Pa\n1;2\n", ";t in s;T in °C\n1;2;3\n"):
        assert READER.sniff(RawInput(save(tmp_path, text))) == NO


def test_files_cut_off_or_damaged_are_refused_or_read(tmp_path: Path) -> None:
    whole = save(tmp_path, SWEEP).read_bytes()
    broken_files.cut(READER, whole, tmp_path / "cut.csv")
    broken_files.damage(READER, whole, tmp_path / "broken.csv", turns=150)
    with pytest.raises(ReadError):
        READER.read(RawInput(save(tmp_path, SWEEP.splitlines()[0])))


def test_an_older_program_in_french(tmp_path: Path) -> None:
    """``Om`` in 1/min is no angular frequency; AM and PM count."""
    text = (
        "Thermo RheoWin  3/27/2019 / 1:03 PM\n\nSociété: Labo Opérateur: admin\n"
        "Date: 27.03.2019 Temps: 10:17:48 PM Version: HAAKE RheoWin 3.61.0005\nEchantillon: Gel 2 N° Echant.: Lot 1\n\n"
        "Nr-Seg;t en s;Tau en Pa;Om en 1/min;M en µNm;f en Hz;T en °C;Da en °;G\" en Pa;G' en Pa;Ga en %;\n"
        "1|1;5.5;0.637;2.0;1.00;0.20; ;10.8;150;782;0.0800;\n1|2;24.0;0.697;2.5;1.09;0.30; ;10.5;146;783;0.0875;\n"
    )
    m = read(save(tmp_path, text, "cp1252"))
    (entry,) = m
    assert (m.sample, m.operator, entry.started) == ("Gel 2", "admin", datetime(2019, 3, 27, 22, 17, 48))
    assert {s.name: s.unit for s in entry.signals} == {
        "time": "s", "shear_stress": "Pa", "rotational_speed": "1/min", "torque": "uN*m", "frequency": "Hz",
        "phase": "deg", "loss_modulus": "Pa", "storage_modulus": "Pa", "shear_strain": "percent",
    }  # fmt: skip
    assert entry["loss_modulus"].values.tolist() == [150, 146]
