"""Bruker's EPR: if these fail, a spectrum lies at the wrong field, or in the wrong order of bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers.bruker_epr import READER
from zairyo.readers.invariants import check

DSC = """#DESC\t1.2 * DESCRIPTOR INFORMATION ***********************
*
DSRC\tEXP
BSEQ\t{order}
IKKF\t{kinds}
XTYP\tIDX
YTYP\t{second}
ZTYP\tNODATA
IRFMT\t{formats}
XPTS\t3
XMIN\t3500.0
XWID\t20.0
YPTS\t2
TITL\t'DPPH'
IRNAM\t'Absorption','Second'
XNAM\t'Field'
YNAM\t'Microwave Power'
IRUNI\t'',''
XUNI\t'G'
YUNI\t'mW'
#SPL\t1.2 * STANDARD PARAMETER LAYER
OPER    sato
DATE    12/07/20
TIME    14:34:36
CMNT    first
SAMP    'DPPH in KBr'
EXPT    CW
AVGS    4
MWFQ    9.85e+09
MWPW    0.002
B0MA    0.0001
SPTP    0.01
STMP    0
#DSL\t1.0 * DEVICE SPECIFIC LAYER
.DVC     mwBridge, 1.0
PowerAtten         20.0 dB
QValue             6900
"""
WRITTEN = """DOS  Format
ANZ 3
JSS 0
GST 3450.0
GSI 120.0
JUN G
JON weber
JDA 17.Jun.2016
JTM 11:52
JEX field-sweep
JSD 2
RCT 40.96
MF  9.775
MP  6.3e-001
RMA 1.5
TE 77"""
PAR = WRITTEN.splitlines()


def pair(
    folder: Path, order: str = "BIG", kinds: str = "REAL", formats: str = "D", second: str = "NODATA"
) -> Path:
    path = folder / "a.DSC"
    path.write_text(DSC.format(order=order, kinds=kinds, formats=formats, second=second))
    return path


def read(path: Path) -> Measurement:
    (raw,) = registry.inputs([path])
    assert registry.find(raw) is READER
    return check(READER.read(raw), READER)


def test_a_field_sweep(tmp_path: Path) -> None:
    path = pair(tmp_path)
    np.array([1.0, -2.0, 3.0], ">f8").tofile(tmp_path / "a.DTA")
    m = read(path)
    (entry,) = m.entries
    np.testing.assert_allclose(entry["magnetic_field"].values, [3500, 3510, 3520])
    assert entry["magnetic_field"].unit == "gauss"
    np.testing.assert_array_equal(entry["intensity"].values, [1, -2, 3])
    assert (m.title, m.sample, m.operator) == ("DPPH", "DPPH in KBr", "sato")
    assert entry.started is not None
    assert entry.started.isoformat() == "2020-12-07T14:34:36"
    assert {k: str(q) for k, q in entry.conditions.items()} == {
        "microwave_frequency": "9.85 GHz",
        "microwave_power": "2 mW",
        "modulation_amplitude": "1 gauss",
        "conversion_time": "0.01 s",
        "repetitions": "4",
        "measurement_type": "CW",
        "comment": "first",
        "q_value": "6900",
        "microwave_attenuation": "20 dB",
    }


def test_complex_beside_real_over_positions_of_their_own(tmp_path: Path) -> None:
    path = pair(tmp_path, "LIT", "CPLX,REAL", "F,I", "IGD")
    kind = np.dtype([("re", "<f4"), ("im", "<f4"), ("b", "<i4")])
    rows: Any = [(i, -i, 10 * i) for i in range(6)]
    np.array(rows, kind).tofile(tmp_path / "a.DTA")
    np.array([20.0, 0.5], "<f8").tofile(tmp_path / "a.YGF")
    (entry,) = read(path).entries
    assert [(a.name, a.unit) for a in entry.axes] == [("microwave_power", "mW"), ("magnetic_field", "gauss")]
    np.testing.assert_array_equal(entry["microwave_power"].values, [20, 0.5])
    assert [s.name for s in entry.signals] == ["intensity", "intensity_imaginary", "second"]
    np.testing.assert_array_equal(entry["intensity_imaginary"].values, [[0, -1, -2], [-3, -4, -5]])
    np.testing.assert_array_equal(entry["second"].values, [[0, 10, 20], [30, 40, 50]])
    assert "microwave_power" not in entry.conditions  # it was varied
    (tmp_path / "a.YGF").unlink()
    with pytest.raises(ReadError, match=r"\.YGF"):
        registry.read(path)


@pytest.mark.parametrize(("kind", "lines"), [("<f4", PAR), (">i4", PAR[1:])])
def test_esp_and_winepr(tmp_path: Path, kind: str, lines: list[str]) -> None:
    path = tmp_path / "b.par"
    path.write_bytes("\r".join(lines).encode())
    np.array([5, -6, 7], kind).tofile(tmp_path / "b.spc")
    (entry,) = read(path).entries
    np.testing.assert_allclose(entry["magnetic_field"].values, [3450, 3510, 3570])
    np.testing.assert_array_equal(entry["intensity"].values, [5, -6, 7])
    assert entry.started is not None
    assert entry.started.isoformat() == "2016-06-17T11:52:00"
    assert str(entry.conditions["microwave_power"]) == "0.63 mW"
    assert str(entry.conditions["conversion_time"]) == "0.04096 s"
    assert str(entry.conditions["temperature"]) == "77 K"


def test_rows_of_winepr(tmp_path: Path) -> None:
    path = tmp_path / "b.par"
    path.write_text("\n".join([*PAR, "SSX 3", "SSY 2", "XYLB 1", "XYWI 4", "XYUN s"]))
    np.arange(6, dtype="<f4").tofile(tmp_path / "b.spc")
    (entry,) = read(path).entries
    assert [a.name for a in entry.axes] == ["time", "magnetic_field"]
    np.testing.assert_array_equal(entry["intensity"].values, [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize("points", [2, 4])
def test_numbers_that_are_not_as_announced_are_refused(tmp_path: Path, points: int) -> None:
    path = pair(tmp_path)
    np.zeros(points, ">f8").tofile(tmp_path / "a.DTA")
    with pytest.raises(ReadError, match="announces 3 points"):
        registry.read(path)


@pytest.mark.parametrize("name", ["a.DSC", "a.par"])
def test_settings_without_their_numbers_are_refused(tmp_path: Path, name: str) -> None:
    pair(tmp_path)
    (tmp_path / "a.par").write_text(WRITTEN)
    with pytest.raises(ReadError, match="copy both"):
        registry.read(tmp_path / name)


def test_a_pair_of_another_kind_is_none(tmp_path: Path) -> None:
    (tmp_path / "c.par").write_text("temperature 300\n")
    (tmp_path / "c.spc").write_bytes(b"\0" * 12)
    assert all(not raw.parts for raw in registry.inputs([tmp_path]))
    assert READER.sniff(RawInput(tmp_path / "c.spc")) == 0
