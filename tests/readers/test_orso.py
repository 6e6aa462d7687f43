"""ORSO reflectivity: what somebody loses if widths are taken for deviations, or one spin state for the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.orso import READER

HEAD = """# # ORSO reflectivity data file | 1.1 standard | YAML encoding | https://www.reflectometry.org/
# data_source:
#   owner:
#     name: Joe Bloggs
#   experiment:
#     title: Metal films
#     instrument: Platypus
#     start_date: 2025-04-08
#     probe: neutron
#     facility: ANSTO
#   sample:
#     name: Ni on Si
#     sample_parameters: {temperature: {magnitude: 298.0, unit: K}}
#   measurement:
#     instrument_settings:
#       incident_angle: {magnitude: 0.5, unit: deg}
#       wavelength: {min: 2.8, max: 19.0, unit: angstrom}
#       polarization: pp
# data_set: up
# columns:
# - {name: Qz, unit: 1/angstrom, physical_quantity: wavevector transfer}
# - {name: R, physical_quantity: reflectivity}
# - {error_of: R, error_type: uncertainty, value_is: sigma}
# - {error_of: Qz, error_type: resolution, value_is: FWHM}
# # Qz (1/angstrom)    R     sR     sQz
"""
ROWS = "1.0e-02 9.0e-01 1.0e-02 2.3548200450309493e-04\n2.0e-02 4.0e-01 2.0e-02 4.7096400900618986e-04\n"
SECOND = """# data_set: down
# data_source:
#   measurement:
#     instrument_settings:
#       polarization: mm
1.0e-02 8.0e-01 1.0e-02 2.3548200450309493e-04
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_one_set(tmp_path: Path) -> None:
    m = read(written(tmp_path / "ni.ort", HEAD + ROWS))
    entry = m["up"]
    assert entry.technique == "reflectometry"
    assert [(a.name, a.unit, a.values.tolist()) for a in entry.axes] == [("qz", "1/angstrom", [0.01, 0.02])]
    signal = entry["reflectivity"]
    assert (signal.unit, signal.values.tolist()) == ("", [0.9, 0.4])
    assert signal.uncertainty is not None
    assert signal.uncertainty.tolist() == [0.01, 0.02]
    # The file gives full widths; the unit is that of what they belong to.
    assert entry["q_resolution"].unit == "1/angstrom"
    assert entry["q_resolution"].values.tolist() == pytest.approx([1e-4, 2e-4], rel=1e-12)
    assert {name: str(value) for name, value in entry.conditions.items()} == {
        "wavelength_minimum": "2.8 angstrom", "wavelength_maximum": "19 angstrom", "incident_angle": "0.5 deg",
        "polarisation": "pp", "radiation": "neutron", "facility": "ANSTO", "temperature": "298 K",
    }  # fmt: skip
    assert (m.title, m.sample, m.instrument, m.operator) == (
        "Metal films",
        "Ni on Si",
        "ANSTO Platypus",
        "Joe Bloggs",
    )
    assert str(entry.started) == "2025-04-08 00:00:00"
    assert not m.warnings


def test_a_second_set_says_only_what_differs(tmp_path: Path) -> None:
    m = read(written(tmp_path / "ni.ort", HEAD + ROWS + SECOND))
    assert [e.name for e in m.entries] == ["up", "down"]
    assert [str(e.conditions["polarisation"]) for e in m.entries] == ["pp", "mm"]
    assert str(m["down"].conditions["incident_angle"]) == "0.5 deg"  # of the first
    assert m["down"]["reflectivity"].values.tolist() == [0.8]


def test_sets_of_several_samples_are_not_filed_under_one(tmp_path: Path) -> None:
    second = SECOND.replace("#   measurement:", "#   sample: {name: bare Si}\n#   measurement:")
    m = read(written(tmp_path / "ni.ort", HEAD + ROWS + second))
    assert (m.sample, m.title) == ("", "Metal films")
    assert [e.original_metadata["data_source"]["sample"]["name"] for e in m.entries] == [
        "Ni on Si",
        "bare Si",
    ]


def test_a_unit_that_nobody_knows_is_told_of(tmp_path: Path) -> None:
    m = read(
        written(
            tmp_path / "ni.ort",
            HEAD.replace("magnitude: 0.5, unit: deg", "magnitude: 0.5, unit: furlongs") + ROWS,
        )
    )
    assert any("furlongs" in w for w in m.warnings)


def test_sets_that_are_numbered(tmp_path: Path) -> None:
    text = (
        (HEAD + ROWS + SECOND).replace("data_set: up", "data_set: 0").replace("data_set: down", "data_set: 1")
    )
    assert [e.name for e in read(written(tmp_path / "ni.ort", text)).entries] == ["data_set_0", "data_set_1"]


def test_columns_without_names_are_in_the_formats_order(tmp_path: Path) -> None:
    head = "\n".join(line for line in HEAD.splitlines() if "{name" not in line and "error_of" not in line)
    entry = read(written(tmp_path / "a.ort", head.replace("# columns:\n", "") + "\n" + ROWS))["up"]
    assert [s.name for s in entry.signals] == ["reflectivity", "q_resolution"]
    assert entry["reflectivity"].uncertainty is not None
    assert entry.axes[0].unit is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "no point"),
        (HEAD + ROWS + "3.0e-02 5\n", "does not have 4 numbers"),
        (HEAD + ROWS + "3.0e-02 5 x 7\n", "does not have 4 numbers"),
        (HEAD.replace("owner:", "owner: : ["), "not YAML"),
        (HEAD.replace("name: Joe Bloggs", "name: &a [x, *a]") + ROWS, "not YAML"),
        (HEAD.replace("name: R,", "name: Qz,") + ROWS, "does not name its columns"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(written(tmp_path / "a.ort", text)))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    cut(READER, (HEAD + ROWS + SECOND).encode(), tmp_path / "a.ort")
    damage(READER, (HEAD + ROWS + SECOND).encode(), tmp_path / "a.ort", turns=100)


def test_others_are_not_claimed(tmp_path: Path) -> None:
    assert registry.find(RawInput(written(tmp_path / "a.dat", HEAD + ROWS))).name == "orso"
    assert READER.sniff(RawInput(written(tmp_path / "b.ort", "# Qz R\n1 2\n"))) == NO
