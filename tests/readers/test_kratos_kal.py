"""Kratos Vision's text: what somebody loses of a spectrum if energies, flags or units are misread."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.kratos_kal import READER

POSITION = """Dataset filename          = 230107.dset
Object name               = Sample Position/1
   2 Scan type                                        = F_SNAPSHOT
3151 Stage Position Name                              = Pos A
"""
MO = """Dataset filename          = 230107.dset
Object name               = hy160/2
   1 Technique                                        = F_XPS
   2 Scan type                                        = F_SPECTRUM
   3 Spectrum scan start                              = 100 eV
   4 Spectrum scan step size                          = 2 eV
   5 Abscissa label                                   = Kinetic Energy
   6 Abscissa units                                   = eV
   7 Dwell time                                       = 0.25 seconds
   9 Ordinate units                                   = Counts
  10 # ordinate values                                = 4
  12 Ordinate values                                  = {10, 11,
12, 13}
  37 Acquisition name                                 = hy160
  42 Pass energy                                      = 160 eV
  99 # Sweeps completed                               = 3
 151 Date Acquired                                    = 98/07/07 19:11:35
3049 HSA Lens Mode                                    = F_HSA_LENS_HYBRID
3053 Xray Gun Anode                                   = F_MONO_ANODE
3080 Xray Reference Energy                            = F_REFER_TO_XRAY_AL
3113 Chemical symbol or formula                       = Mo
3114 Transition or charge state                       = 3d
3210 NICPU X-ray Gun Emission Current                 = 0.012 A
3211 NICPU X-ray Gun Anode HT Voltage                 = 12000 V
5587 Transmission Function Object (ke,t) = {
    5615 Transmission Function Kinetic Energy = {110, 90}
    5616 Transmission Function Value = {1.0, 0.5}
}
"""


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.replace("\n", "\r\n").encode("latin-1"))
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_a_spectrum_over_the_kinetic_energy(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.kal", POSITION + MO))
    (entry,) = m.entries
    assert (entry.name, entry.technique, str(entry.started)) == ("mo_3d", "xps", "1998-07-07 19:11:35")
    assert entry.axes[0].name == "kinetic_energy"
    assert entry.axes[0].values.tolist() == [100, 102, 104, 106]
    assert entry["intensity"].values.tolist() == [10, 11, 12, 13]
    assert entry["intensity"].unit == "counts"
    assert entry["transmission"].values == pytest.approx([0.75, 0.8, 0.85, 0.9])
    assert {name: str(value) for name, value in entry.conditions.items()} == {
        "pass_energy": "160 eV", "dwell_time": "0.25 s", "energy_step": "2 eV", "repetitions": "3",
        "lens_mode": "hybrid", "analysed_region": "Mo 3d", "excitation_source": "Al, monochromated",
        "source_power": "144 W", "source_voltage": "12 kV",
    }  # fmt: skip
    assert any("photon energy" in w for w in m.warnings)
    assert any("Sample Position/1" in w for w in m.warnings)


def test_ions_are_not_photoelectrons(tmp_path: Path) -> None:
    text = MO.replace("F_XPS", "F_ISS").replace("F_REFER_TO_XRAY_AL", "F_REFER_TO_NONE")
    m = read(written(tmp_path / "a.kal", text))
    assert m.entries[0].technique == "iss"
    assert "excitation_source" not in m.entries[0].conditions
    assert not m.warnings


def test_spectra_of_one_region_stand_side_by_side(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.kal", MO + MO.replace("hy160/2", "hy160/3")))
    assert [e.name for e in m.entries] == ["mo_3d", "mo_3d_2"]
    assert [e.title for e in m.entries] == ["hy160/2 Mo 3d", "hy160/3 Mo 3d"]


def test_a_transmission_that_ends_before_the_spectrum_is_not_carried_on(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.kal", MO.replace("{110, 90}", "{104, 90}")))
    assert [s.name for s in m.entries[0].signals] == ["intensity"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("12, 13}", "12, 13, 14}", "should have 4 values and has 5"),
        ("12, 13}", "12, x}", "not all numbers"),
        ("12, 13}", "12, 13", "ends within the list"),
        ("= 100 eV", "= 100 amu", "from which energy"),
        ("Kinetic Energy", "Mass", "from which energy"),
        ("F_SPECTRUM", "F_MAPPING", "no spectrum"),
    ],
)
def test_what_is_no_whole_spectrum_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = MO.replace(old, new).partition("5587")[0]
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(written(tmp_path / "a.kal", text)))


def test_a_date_in_another_form_is_told(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.kal", MO.replace("98/07/07", "7.7.98")))
    assert m.entries[0].started is None
    assert any("7.7.98" in w for w in m.warnings)


def test_the_registry_finds_it_and_broken_files_give_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", MO)
    assert registry.find(RawInput(path)) is READER
    cut(READER, path.read_bytes(), tmp_path / "cut.kal")
    damage(READER, path.read_bytes(), tmp_path / "damaged.kal")
