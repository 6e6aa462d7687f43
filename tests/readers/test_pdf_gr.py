"""Pair distribution functions: what somebody loses if r and its error are taken for G."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.pdf_gr import READER

HEAD = """[DEFAULT]

version = diffpy.pdfgetx-2.4.0

# PDF calculation setup
stype = X
composition = Si
qmaxinst = 29
qmin = 0.01
qmax = 27
temperature = 300

# End of config ------------------------------------------------

##### start data
#F si325.gr
#D Mon Apr 21 21:17:23 2008
#S 1    G(r)
#L r(A)    G(r)    d_r    d_Gr
"""
ROWS = "  1.0e-002    1.1e-001   -7.5e-004    1.8e-003\n  2.0e-002    2.2e-001   -1.5e-003    3.6e-003\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_g_of_r(tmp_path: Path) -> None:
    m = read(written(tmp_path / "si.gr", HEAD + ROWS))
    entry = m["data"]
    assert (entry.technique, m.sample) == ("pdf", "Si")
    assert [(a.name, a.unit, a.values.tolist()) for a in entry.axes] == [("r", "angstrom", [0.01, 0.02])]
    signal = entry["pair_distribution"]
    assert (signal.unit, signal.values.tolist()) == ("1/angstrom**2", [0.11, 0.22])
    assert signal.uncertainty is not None
    assert signal.uncertainty.tolist() == [0.0018, 0.0036]
    assert {name: str(value) for name, value in entry.conditions.items()} == {
        "composition": "Si", "temperature": "300 K", "q_minimum": "0.01 1/angstrom", "q_maximum": "27 1/angstrom",
        "q_maximum_measured": "29 1/angstrom", "radiation": "X-ray",
    }  # fmt: skip
    assert not m.warnings


@pytest.mark.parametrize(
    ("labels", "axis", "signal", "unit"),
    [
        ("#L r($\\AA$)  G($\\AA^{-2}$)", ("r", "angstrom"), "pair_distribution", "1/angstrom**2"),
        ("#L Q($\\AA^{-1}$)  S(Q)", ("q", "1/angstrom"), "structure_factor", ""),
        ("#L Q(A^-1)  F(Q)", ("q", "1/angstrom"), "reduced_structure_factor", "1/angstrom"),
        ("#L Q (nm^-1)  S", ("q", "1/nm"), "structure_factor", ""),
        ("#L r G(r) dr dG(r)", ("r", "angstrom"), "pair_distribution", "1/angstrom**2"),
    ],
)
def test_what_the_columns_are(
    tmp_path: Path, labels: str, axis: tuple[str, str], signal: str, unit: str | None
) -> None:
    text = HEAD.replace("#L r(A)    G(r)    d_r    d_Gr", labels) + "0.1 1.5\n0.2 1.6\n"
    entry = read(written(tmp_path / "a.gr", text))["data"]
    assert (entry.axes[0].name, entry.axes[0].unit) == axis
    assert [(s.name, s.unit, s.uncertainty) for s in entry.signals] == [(signal, unit, None)]


PACKED = """History written: Tue Dec  3 10:36:58 2013
##### Run Information     runCorrection=T
prep=gsas     machine=npdf
run=npdf_1     background=npdf_2
temp=15     runTitle=MnO, T=15 K
##### Vanadium     runCorrection=T
run=npdf_3     background=npdf_2
## Damp     Qmin=0.85     Qmax=35     startDampQ=35
dampFuncType=0     modEqn=1.0000*S(Q) +0.0000
##### start data
#S 1 - PDF from PDFgetN
#L r G(r) dr dG(r)
"""


def test_several_settings_on_a_line_are_told_apart(tmp_path: Path) -> None:
    entry = read(written(tmp_path / "mno.gr", PACKED + "0.01 3.5 0.0 0.8\n0.02 6.5 0.0 1.5\n"))["data"]
    assert {name: str(value) for name, value in entry.conditions.items()} == {
        "temperature": "15 K", "q_minimum": "0.85 1/angstrom", "q_maximum": "35 1/angstrom", "radiation": "neutron",
    }  # fmt: skip
    told = entry.original_metadata
    assert [told[key] for key in ("run", "machine", "runtitle", "modeqn")] == [
        "npdf_1", "npdf", "MnO, T=15 K", "1.0000*S(Q) +0.0000"
    ]  # fmt: skip
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.tolist() == [0.8, 1.5]


@pytest.mark.parametrize(
    ("text", "said"),
    [(HEAD, "no rows"), (HEAD + ROWS + "3.0e-002 5\n", "does not have 4 numbers"),
     (HEAD + ROWS + "3.0e-002 5 x 7\n", "does not have 4 numbers")],
)  # fmt: skip
def test_errors_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(written(tmp_path / "a.gr", text)))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    cut(READER, (HEAD + ROWS).encode(), tmp_path / "a.gr")
    damage(READER, (HEAD + ROWS * 3).encode(), tmp_path / "a.gr", turns=100)


def test_a_file_without_its_head(tmp_path: Path) -> None:
    (entry,) = read(written(tmp_path / "a.txt", "#L r(A)    G(r)    d_r    d_Gr\n" + ROWS)).entries
    assert (entry.technique, [s.name for s in entry.signals]) == ("pdf", ["pair_distribution"])


def test_others_are_not_claimed(tmp_path: Path) -> None:
    assert registry.find(RawInput(written(tmp_path / "a.txt", HEAD + ROWS))).name == "pdf_gr"
    assert READER.sniff(RawInput(written(tmp_path / "b.gr", "# r G\n1 2\n"))) == NO
    assert READER.sniff(RawInput(written(tmp_path / "c.dat", "#S 1\n#N 2\n#L r  Monitor\n1 2\n"))) == NO


def test_pdfgetx2_s_wavelength_and_radiation(tmp_path: Path) -> None:
    """Its history names neither as PDFgetX3 does."""
    head = (
        "History written:         Mon May 10 09:51:01 2004\n####### Get_XPDF #######\n\n##### Experiment_Setup\n"
        "temperature=300.000    containermut=0.000500000    filtermut=0.0200000\n"
        "## X-Ray   radiationtype=3\nlambda=0.142479    energy=87.0198    polartype=2\n"
        "## S(q)  qmin=0.300000    qmax=9.000000    qgrid=0.000000\n##### start data\n#F a.gr\n#S 1    G(r)\n#D \n"
        "#L r(A)    G(r)    d_r    d_Gr\n"
    )
    told = read(written(tmp_path / "cdse.gr", head + ROWS))["data"].conditions
    assert {name: str(value) for name, value in told.items()} == {
        "wavelength": "0.142479 angstrom", "temperature": "300 K", "q_minimum": "0.3 1/angstrom",
        "q_maximum": "9 1/angstrom", "radiation": "X-ray",
    }  # fmt: skip


def test_what_the_scans_line_tells(tmp_path: Path) -> None:
    head = "##### start data\n#S 1 - PDF from PDFgetN lcmo x=0.200 T=10.0 qmax=35.0\n#L r G(r) dr dG(r)\n"
    told = read(written(tmp_path / "lcmo.gr", head + ROWS))["data"].conditions
    assert {name: str(value) for name, value in told.items()} == {
        "temperature": "10 K", "q_maximum": "35 1/angstrom", "radiation": "neutron",
    }  # fmt: skip
