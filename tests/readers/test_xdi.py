"""XDI: what somebody loses of an absorption spectrum if energies, units or the edge are misread."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.xdi import READER

HEAD = """# XDI/1.0 GSE/1.0
# Column.1: energy eV
# Column.2: i0
# Column.3: itrans
# Column.4: mutrans
# Element.edge: K
# Element.symbol: Cu
# Scan.edge_energy: 8980.0
# Mono.name: Si 111
# Mono.d_spacing: 3.13553
# Beamline.name: 13ID
# Facility.name: APS
# Facility.energy: 7.00 GeV
# Scan.start_time: 2001-06-26T22:27:31
# Sample.name: Cu foil
# Sample.temperature: 25 C
# ///
# measured twice
#----
# energy i0 itrans mutrans
"""
ROWS = "  8779.0  149013.7  550643.0  -1.307\n  8789.0  144864.7  531876.1  -1.301\n  8799.5  132978.7  489591.1  1.2\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_a_scan_of_a_foil(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.xdi", HEAD + ROWS))
    entry = m["spectrum"]
    assert (entry.technique, entry.x, entry.default) == ("xafs", "photon_energy", "absorption")
    assert entry["photon_energy"].values.tolist() == [8779.0, 8789.0, 8799.5]
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("photon_energy", "eV"), ("incident_intensity", None), ("transmitted_intensity", None), ("absorption", ""),
    ]  # fmt: skip
    conditions = {name: str(value) for name, value in entry.conditions.items()}
    assert conditions["element"] == "Cu"
    assert conditions["edge_energy"] == "8980 eV"
    assert conditions["monochromator_d_spacing"] == "3.13553 angstrom"
    assert conditions["ring_energy"] == "7 GeV"
    assert conditions["temperature"] == "25 degC"
    assert (m.sample, m.instrument, str(entry.started)) == ("Cu foil", "APS 13ID", "2001-06-26 22:27:31")
    assert m.original_metadata["comments"] == "measured twice"
    assert not m.warnings


def test_the_registry_finds_it_whatever_its_ending(tmp_path: Path) -> None:
    path = written(tmp_path / "cu.dat", HEAD + ROWS)
    assert registry.find(RawInput(path)).name == "xdi"


@pytest.mark.parametrize(
    ("stated", "name", "unit"),
    [("energy keV", "photon_energy", "keV"), ("angle degrees", "monochromator_angle", "deg"),
     ("angle arc seconds", "monochromator_angle", "arcsec"), ("k 1/Angstrom", "photoelectron_wavenumber", "1/angstrom"),
     ("energy eV || 13ID:mono", "photon_energy", "eV")],
)  # fmt: skip
def test_what_may_be_scanned(tmp_path: Path, stated: str, name: str, unit: str) -> None:
    entry = read(written(tmp_path / "a.xdi", HEAD.replace("energy eV", stated) + ROWS))["spectrum"]
    assert (entry.x, entry[name].unit) == (name, unit)


def test_columns_that_only_the_labels_name(tmp_path: Path) -> None:
    """Athena's older exports say no Column fields, and may have a blank line before the rows."""
    text = "; XDI/1.0 Athena/0.9\n; Element.symbol: Fe\n; ---\n; energy chi norm\n\n1 2 3\n2 3 4\n"
    entry = read(written(tmp_path / "a.xdi", text))["spectrum"]
    assert [s.name for s in entry.signals] == ["photon_energy", "exafs", "normalised_absorption"]
    assert entry["photon_energy"].unit is None  # the file does not say


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "no point"),
        (HEAD + ROWS + "8801.0 5\n", "a row of 2 numbers"),
        (HEAD + ROWS + "8801.0 5 six 7\n", "not all numbers"),
        ("# XDI/1.0\n# ---\n1\n2\n", "one column"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(written(tmp_path / "a.xdi", text)))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    cut(READER, (HEAD + ROWS).encode(), tmp_path / "a.xdi")
    damage(READER, (HEAD + ROWS * 3).encode(), tmp_path / "a.xdi", turns=100)


def test_others_are_not_claimed(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(written(tmp_path / "a.xdi", "# energy mu\n1 2\n"))) == NO


def test_columns_as_bluesky_names_and_describes_them(tmp_path: Path) -> None:
    head = """# XDI/1.0 BlueSky/1.5.0
# Column.1: energy eV
# Column.2: requested_energy eV
# Column.3: xmu
# Column.4: It nA
# Column.5: DTC1 dead-time corrected count rate
# Facility.current: 0.0 mA
# Mono.d_spacing: 3.1356369 \u00c5
# Scan.element: V
# Scan.edge: K
#----
"""
    m = read(
        written(tmp_path / "a.xdi", head + " 5264.9 5265 53.1 25.6 244.9\n 5275.0 5275 50.8 25.9 261.8\n")
    )
    entry = m["spectrum"]
    assert entry.default == "absorption"
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("photon_energy", "eV"), ("requested_energy", "eV"), ("absorption", ""), ("transmitted_intensity", "nA"),
        ("dtc1", None),
    ]  # fmt: skip
    assert entry["dtc1"].long_name == "DTC1: dead-time corrected count rate"
    conditions = {name: str(value) for name, value in entry.conditions.items()}
    assert conditions["monochromator_d_spacing"] == "3.13564 angstrom"
    assert (conditions["element"], conditions["absorption_edge"]) == ("V", "K")
    assert "ring_current" not in conditions
    assert not m.warnings
