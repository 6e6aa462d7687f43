"""CasaXPS exports: a user would take counts for counts a second, or a component for the spectrum."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.casaxps_txt import READER
from zairyo.readers.invariants import check

FITTED = """Cycle 0:Sample A:C 1s
\tCharacteristic Energy eV\t1.486690e+003\tAcquisition Time s\t5.0e-001
Name\t\tC-C\tC=O
Position\t\t284.8\t288.5
FWHM\t\t1.2\t1.3
Area\t\t1000\t200
Lineshape\t\tGL(30)\tGL(30)
K.E.\tCounts\tC-C\tC=O\tBackground\tEnvelope\t\tB.E.\tCPS\tC-C\tC=O\tBackground CPS\tEnvelope CPS
1200\t50\t45\t41\t40\t46\t\t286.5\t100\t90\t82\t80\t92
1200.1\t52\t46\t41\t40\t47\t\t286.4\t104\t92\t82\t80\t94

"""
PLAIN = """"Cycle 0:Sample A:O 1s"
,Characteristic Energy eV,1486.69,Acquisition Time s,1.0
Name,,
Position,,
FWHM,,
Area,,
Lineshape,,
K.E.,Counts,,B.E.,CPS
950.0,10.0,,536.69,20.0
950.1,20.0,,536.59,40.0
"""


def reads(text: str, folder: Path, encoding: str = "utf-8") -> Measurement:
    path = folder / "a.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    src = RawInput(path)
    assert READER.sniff(src) == CERTAIN
    assert registry.find(src) is READER
    return check(READER.read(src), READER)


def test_a_fitted_spectrum(tmp_path: Path) -> None:
    spectrum, components = reads(FITTED, tmp_path)
    assert (spectrum.name, spectrum.title) == ("c_1s", "Cycle 0:Sample A:C 1s")
    assert spectrum["binding_energy"].values.tolist() == [286.5, 286.4]
    assert (spectrum.default, spectrum.signal.unit, spectrum.signal.values.tolist()) == (
        "intensity",
        "count/s",
        [100, 104],
    )
    assert spectrum["total_counts"].values.tolist() == [50, 52]
    assert (spectrum["background"].unit, spectrum["background_counts"].unit) == ("count/s", "counts")
    assert spectrum["component_c_o"].values.tolist() == [82, 82]
    assert spectrum["kinetic_energy"].values.tolist() == [1200, 1200.1]
    assert spectrum.conditions["excitation_energy"] == Quantity(1486.69, "eV")
    assert components["component"].values.tolist() == ["C-C", "C=O"]
    assert components["binding_energy"].values.tolist() == [284.8, 288.5]
    assert components["area"].values.tolist() == [1000, 200]


def test_csv_without_a_fit_and_several_blocks(tmp_path: Path) -> None:
    m = reads(PLAIN + "\n" + PLAIN.replace("O 1s", "Survey"), tmp_path)
    assert [e.name for e in m] == ["o_1s", "survey"]
    assert m[1].signal.values.tolist() == [20, 40]
    assert m[1]["binding_energy"].values.tolist() == [536.69, 536.59]


def test_decimal_commas(tmp_path: Path) -> None:
    e = reads(FITTED.replace(".", ",").replace("K,E,", "K.E.").replace("B,E,", "B.E."), tmp_path)[0]
    assert e["binding_energy"].values.tolist() == [286.5, 286.4]
    assert e.conditions["excitation_energy"] == Quantity(1486.69, "eV")


def test_what_is_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="half a row"):
        reads(FITTED[: FITTED.index("\t286.4")], tmp_path)
    path = tmp_path / "a.txt"
    path.write_text(FITTED[: FITTED.index("K.E.")])
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(path))


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    data = (FITTED + PLAIN).encode()
    cut(READER, data, tmp_path / "cut", parts=60)
    damage(READER, data, tmp_path / "damaged", turns=200, within=len(data))
