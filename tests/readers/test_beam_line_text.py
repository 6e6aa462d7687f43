"""Described texts of absorption beam lines and ellipsometers: what somebody loses if a column is taken for another."""

from __future__ import annotations

from pathlib import Path

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import RawInput
from zairyo.readers.invariants import check

SEEDS = Path(__file__).parent / "seeds"


def read(name: str) -> Measurement:
    source = RawInput(next((SEEDS / name / "1").iterdir()))
    reader = registry.find(source)
    assert reader.name == name
    return check(reader.read(source), reader)


def test_a_scan_of_xdac() -> None:
    m = read("nsls_xdac")
    (entry,) = m
    assert (entry.technique, entry.x, entry.default) == ("xafs", "photon_energy", "transmitted_intensity")
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("photon_energy", "eV"), ("incident_intensity", None), ("transmitted_intensity", None),
        ("reference_intensity", None), ("time_per_point", "s"),
    ]  # fmt: skip
    assert entry["photon_energy"].values.tolist() == [6912, 6922, 6932]
    assert entry["transmitted_intensity"].values.tolist() == [3516, 3513, 3510]
    assert {name: str(value) for name, value in entry.conditions.items()} == {
        "edge_energy": "7112 eV", "monochromator": "Si (311)", "ring_energy": "2.8 GeV", "beamline": "X-99",
    }  # fmt: skip
    assert (m.title, m.instrument, str(entry.started)) == ("foil.002", "X-99", "2011-06-27 14:22:40")
    assert not m.warnings


def test_the_absorption_that_rex_writes() -> None:
    m = read("rigaku_ex3")
    (entry,) = m
    assert entry["photon_energy"].values.tolist() == [15531.41, 15537.03, 15543.17]
    assert (entry["photon_energy"].unit, entry["absorption"].unit) == ("eV", "")
    assert entry["absorption"].values.tolist() == [0.121, 0.119, 0.117]
    assert {name: value.value for name, value in entry.conditions.items()} == {
        "element": "Pb", "absorption_edge": "L1", "monochromator": "SI(111)", "comment": "at night",
    }  # fmt: skip
    assert not m.warnings


def test_an_imaging_ellipsometer() -> None:
    m = read("park_accurion_txt")
    (entry,) = m
    assert (entry.technique, entry.x, entry.default) == ("ellipsometry", "wavelength", "psi")
    assert entry["wavelength"].values.tolist() == [365, 370, 365]
    assert entry["incidence_angle"].values.tolist() == [40, 40, 50]
    assert (entry["psi"].values.tolist(), entry["psi"].unit) == ([32.5, 32.6, 24.8], "deg")
    assert entry["delta"].values.tolist() == [179.7, 179.8, 178.8]
    assert entry["region"].unit == ""
    assert not m.warnings


def test_a_scan_of_petra_p65() -> None:
    """The columns as in a real file of zirconium: the encoder's energy, not the one of the steps, is the axis."""
    m = read("petra_p65")
    (entry,) = m
    assert (entry.technique, entry.x, entry.default) == ("xafs", "photon_energy", "transmitted_intensity")
    assert entry["photon_energy"].values.tolist() == [17855.69, 17998.05, 19002.21]
    assert entry["mono_energy"].values.tolist() == [17848.68, 17991.02, 18998.03]
    assert [entry[n].unit for n in ("photon_energy", "mono_energy", "monochromator_angle")] == [
        "eV",
        "eV",
        "deg",
    ]
    assert entry["incident_intensity"].values[0] == 0.5583
    assert entry["transmitted_intensity"].values[0] == 2.8303
    assert entry["reference_intensity"].values[0] == 5.9642
    assert entry["fluorescence_intensity"].values[0] == 0.1285
    assert entry.conditions["monochromator"].value == "Si111"
    assert str(entry.started) == "2020-06-30 19:07:11"
    assert not m.warnings


def test_what_athena_saved_over_the_energy() -> None:
    m = read("athena_energy")
    (entry,) = m
    assert (entry.technique, entry.x, entry.default) == ("xafs", "photon_energy", "normalised_absorption")
    assert entry["photon_energy"].values.tolist() == [11766.697, 11771.697, 11776.697]
    assert entry["normalised_absorption"].values.tolist() == [-0.0080039166, -0.0049320333, 0.0040723503]
    assert (entry["photon_energy"].unit, entry["normalised_absorption"].unit) == ("eV", "")
    assert {name: str(value) for name, value in entry.conditions.items()} == {
        "element": "As", "absorption_edge": "K", "edge_energy": "11866 eV",
    }  # fmt: skip
    assert m.title == "OTT3_55_spot0"
    assert not m.warnings


def test_what_athena_saved_over_the_wavenumber() -> None:
    m = read("athena_chi")
    (entry,) = m
    assert (entry.x, entry.default) == ("photoelectron_wavenumber", "exafs")
    assert (entry["photoelectron_wavenumber"].values.tolist(), entry["photoelectron_wavenumber"].unit) == (
        [0, 2, 4], "1/angstrom",
    )  # fmt: skip
    assert entry["exafs"].values.tolist() == [0.01, 0.02, -0.01]  # not weighted by k
    assert entry.conditions["edge_energy"].value == 8333
    assert not m.warnings
