"""Application definitions: a program that trusts a file's claim would find fields missing or wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, definitions, nexus, table
from zairyo.measurement.techniques import TECHNIQUES, conditions
from zairyo.readers import registry

ENERGY = Axis("binding_energy", np.linspace(290.0, 280.0, 11), "eV", "Binding energy")
COUNTS = Signal(
    "intensity", np.arange(11.0), "counts", ("binding_energy",), "Intensity", uncertainty=np.ones(11)
)
XPS = Entry(
    "c1s",
    "xps",
    (ENERGY,),
    (COUNTS,),
    title="C 1s",
    started=datetime(2024, 5, 1, 9, 30),
    conditions={
        "excitation_energy": Quantity(1486.6, "eV"),
        "work_function": Quantity(4.3, "eV"),
        "pass_energy": Quantity(20.0, "eV"),
        "lens_mode": Quantity("MediumMagnification:1.5kV"),
        "analyser": Quantity("PHOIBOS 150"),
        "scan_mode": Quantity("FixedAnalyzerTransmission"),
    },
)
Q = Axis("q", np.linspace(0.01, 0.2, 5), "1/angstrom")
SANS = Entry(
    "run_7",
    "sans",
    (Q,),
    (
        Signal("intensity", np.arange(5.0), "1/cm", ("q",), uncertainty=np.full(5, 0.1)),
        Signal("q_resolution", np.full(5, 1e-3), "1/angstrom", ("q",)),
    ),
    conditions={
        "run": Quantity("7"),
        "radiation": Quantity("neutron"),
        "wavelength": Quantity(6.0, "angstrom"),
    },
)


def written(entry: Entry, folder: Path, sample: str = "film") -> h5py.Group:
    """The entry in a file, which is read back the same."""
    measurement = Measurement((entry,), sample=sample)
    nexus.write(measurement, folder / "a.nxs")
    assert nexus.read(folder / "a.nxs") == measurement
    return h5py.File(folder / "a.nxs")[entry.name]


def claim(group: h5py.Group) -> str:
    return group["definition"][()].decode() if "definition" in group else ""


def without(entry: Entry, condition: str) -> Entry:
    return replace(entry, conditions={n: q for n, q in entry.conditions.items() if n != condition})


def test_complete_xps_is_claimed_and_has_every_field(tmp_path: Path) -> None:
    group = written(XPS, tmp_path)
    assert (claim(group), group["definition"].attrs["version"]) == ("NXxps", definitions.VERSION.encode())
    (definition, _) = definitions.definitions("xps")
    assert [f.path for f in definition.fields if not f.optional and f.path not in group] == []
    analyser = group["instrument/analyser"]
    assert analyser.attrs["NX_class"] == b"NXelectronanalyzer"
    assert analyser["collectioncolumn/scheme"][()].rstrip() == b"spatial dispersive"
    assert analyser["energydispersion/scheme"][()].rstrip() == b"hemispherical"
    assert analyser["energydispersion/energy_scan_mode"][()] == b"fixed_analyzer_transmission"
    assert analyser["work_function"].attrs["units"] == b"eV"
    data = group["data"]
    assert (data.attrs["signal"], data.attrs["energy_indices"]) == (b"data", 0)
    assert (data["energy"].attrs["type"], data["energy"].attrs["units"]) == (b"binding", b"eV")
    assert data["data"] == data["intensity"]
    assert data["data_errors"] == data["intensity_errors"]
    assert nexus.missing(Measurement((XPS,), sample="film")) == {"c1s": {"NXxps": [], "NXmpes": []}}


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ("excitation_energy", "instrument/beam_probe/incident_energy"),
        ("lens_mode", "instrument/analyser/collectioncolumn/scheme"),
        ("analyser", "instrument/analyser/energydispersion/scheme"),
    ],
)
def test_what_is_not_said_is_not_claimed(tmp_path: Path, condition: str, path: str) -> None:
    entry = without(XPS, condition)
    group = written(entry, tmp_path)
    assert claim(group) == ""
    assert path not in group
    assert group["data"].attrs["signal"] == b"intensity"
    assert nexus.missing(Measurement((entry,), sample="film"))["c1s"] == {"NXxps": [path], "NXmpes": [path]}


def test_the_more_general_definition_is_claimed_where_only_that_is_complete(tmp_path: Path) -> None:
    assert claim(written(without(XPS, "work_function"), tmp_path)) == "NXmpes"


@pytest.mark.parametrize("wrong", [Quantity(1486.6), Quantity(1486.6, "V"), Quantity("Al"), Quantity(True)])
def test_a_value_that_cannot_be_right_fills_nothing(wrong: Quantity) -> None:
    entry = replace(XPS, conditions={**XPS.conditions, "excitation_energy": wrong})
    (lacking,) = nexus.missing(Measurement((entry,), sample="film")).values()
    assert lacking["NXxps"] == ["instrument/beam_probe/incident_energy"]


def test_a_sample_without_name_and_a_start_unknown_are_missing() -> None:
    entry = replace(XPS, started=None)
    assert nexus.missing(Measurement((entry,)))["c1s"]["NXmpes"] == ["start_time", "sample/name"]


def test_an_array_of_the_file_keeps_its_name(tmp_path: Path) -> None:
    """A file's own ``data`` or ``energy`` is never hidden behind the definition's."""
    other = Signal("data", np.arange(11.0) * 2, "V", ("binding_energy",))
    group = written(replace(XPS, signals=(COUNTS, other)), tmp_path)
    assert claim(group) == ""
    assert group["data/data"][1] == 2.0


def test_a_table_of_peaks_is_no_spectrum() -> None:
    columns = [Signal("binding_energy", np.array([284.8]), "eV"), Signal("area", np.array([10.0]))]
    peaks = table("peaks", "xps", columns, x="binding_energy", default="area", conditions=XPS.conditions)
    (lacking,) = nexus.missing(Measurement((peaks,), sample="film")).values()
    assert {"data/data", "data/energy"} <= set(lacking["NXxps"])


def test_reduced_scattering_is_cansas(tmp_path: Path) -> None:
    """SasView and others look for Q and I by the canSAS classes."""
    group = written(SANS, tmp_path)
    assert claim(group) == "NXcanSAS"
    assert (group.attrs["canSAS_class"], group.attrs["version"]) == (b"SASentry", b"1.1")
    data = group["data"]
    assert [data.attrs[n] for n in ("canSAS_class", "signal", "mask")] == [b"SASdata", b"I", b"Mask"]
    assert data.attrs["I_axes"].tolist() == [b"Q"]
    assert data.attrs["Q_indices"] == 0
    assert data["Q"] == data["q"]
    assert data["I"] == data["intensity"]
    assert data["Idev"] == data["intensity_errors"]
    assert data["Qdev"] == data["q_resolution"]
    assert not data["Mask"][()].any()
    assert group["sample"].attrs["canSAS_class"] == b"SASsample"
    assert group["title"][()].rstrip() == b"run_7"  # what has no title is called by its name


def test_every_entry_of_a_file_is_claimed_by_itself(tmp_path: Path) -> None:
    other = replace(without(SANS, "run"), name="run_8")
    nexus.write(Measurement((SANS, other), sample="film"), tmp_path / "a.nxs")
    with h5py.File(tmp_path / "a.nxs") as f:
        assert (claim(f["run_7"]), claim(f["run_8"])) == ("NXcanSAS", "")
        assert f["run_8/process"].attrs["canSAS_class"] == b"SASprocess"


def test_a_word_that_the_definition_does_not_list_is_marked(tmp_path: Path) -> None:
    shift = Axis("raman_shift", np.arange(3.0), "1/cm")
    entry = Entry(
        "spectrum",
        "raman",
        (shift,),
        (Signal("intensity", np.arange(3.0), "counts", ("raman_shift",)),),
        conditions={"detector": Quantity("Andor CCD"), "laser_wavelength": Quantity(532.0, "nm")},
    )
    group = written(entry, tmp_path)
    assert claim(group) == "NXoptical_spectroscopy"
    assert group["experiment_type"].attrs["custom"]
    assert group["instrument/detector_light/detector_channel_type"][()].rstrip() == b"multichannel"
    (lacking,) = nexus.missing(Measurement((entry,), sample="film")).values()
    assert lacking["NXraman"] == ["raman_experiment_type", "instrument/scattering_configuration"]


def test_no_two_things_are_wanted_in_one_place() -> None:
    """A definition's place is the vocabulary's place of the same condition, or of none."""
    for key in TECHNIQUES:
        places = {c.nexus: c.name for c in conditions(key).values() if c.nexus}
        wanted: dict[str, definitions.Source] = {}
        for field in (f for d in definitions.definitions(key) for f in d.fields):
            assert wanted.setdefault(field.path, field.source) == field.source, (key, field.path)
            if field.path in places:
                here = (definitions.Of(places[field.path]), definitions.Unsaid())
                assert field.source in here, (key, field.path)
        names = {*places, *(p for p, s in wanted.items() if not isinstance(s, definitions.Group))}
        inside = [(a, b) for a in names for b in names if b.startswith(f"{a}/")]
        assert inside == [], key


def test_definitions_name_what_the_vocabulary_has() -> None:
    for definition in definitions.DEFINITIONS:
        known = {name for key in definition.techniques for name in conditions(key)}
        arrays = {s.name for key in definition.techniques for s in TECHNIQUES[key].signals}
        for field in definition.fields:
            match field.source:
                case definitions.Of(condition):
                    assert condition in known, (definition.name, condition)
                case definitions.Word(of, _):
                    assert set(of) <= {*known, "instrument", "signal"}, (definition.name, of)
                case definitions.Array(names, _, _):
                    assert set(names) <= arrays, (definition.name, names)


@pytest.mark.parametrize(
    ("folder", "name", "expected"),
    [
        ("specs-xml", "In-situ_PBTTT_XPS_SPECS.xml", "NXxps"),
        ("cansas-xml", "10000A_sphere_dsm.xml", "NXcanSAS"),
    ],
)
def test_real_files(instruments: Path, tmp_path: Path, folder: str, name: str, expected: str) -> None:
    measurement = registry.read(instruments / folder / name)
    nexus.write(measurement, tmp_path / "a.nxs")
    assert nexus.read(tmp_path / "a.nxs") == measurement
    with h5py.File(tmp_path / "a.nxs") as f:
        assert expected in {claim(group) for group in f.values()}


def test_a_measurement_of_very_many_entries_is_written_without() -> None:
    """Thousands of regions would otherwise make more objects than a file may have."""
    entries = tuple(replace(XPS, name=f"region_{n}") for n in range(1001))
    assert nexus.missing(Measurement(entries, sample="film")) == {}
