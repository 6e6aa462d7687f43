"""Athena projects: what somebody loses if records, energies, their shift or what y is are misread."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.athena_prj import READER
from zairyo.readers.invariants import check

SETTINGS = {"bkg_e0": "8980.63", "bkg_z": "Cu", "fft_edge": "k", "label": "Cu foil", "bkg_eshift": 0}


def perl(
    settings: dict[str, object], arrays: str = "@x = ('8679.01','8682');\n@y = ('0.0011','-8.5e-04');\n"
) -> str:
    told = ",".join(f"'{key}','{value}'" for key, value in settings.items())
    record = "[record]   # create object and set arrays in ifeffit\n\n"
    return f"$old_group = 'ddvj';\n@args = ({told},'detectors',[],'titles',['it\\'s','one\nline']);\n{arrays}{record}"


def project(*records: str) -> str:
    return (
        "# Athena project file -- Demeter version 0.9.26\n# This file created at 2018-04-29T14:56:25\n\n"
        + "".join(records)
        + "@journal = ('Measured by us','at night');\n\n%plot = ('a' => undef);\n\n1;\n\n# Local Variables:\n# End:\n"
    )


def written(path: Path, text: str, packed: bool = True) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


@pytest.mark.parametrize("packed", [True, False])
def test_a_record_is_an_absorption_over_energy(tmp_path: Path, packed: bool) -> None:
    m = read(written(tmp_path / "cu.prj", project(perl(SETTINGS)), packed))
    (entry,) = m.entries
    assert (entry.name, entry.title, entry.x, entry.default) == (
        "cu_foil",
        "Cu foil",
        "photon_energy",
        "absorption",
    )
    assert entry["photon_energy"].values.tolist() == [8679.01, 8682]
    assert entry["absorption"].values.tolist() == [0.0011, -8.5e-4]
    assert (entry["photon_energy"].unit, entry["absorption"].unit) == ("eV", "")
    assert {name: str(value) for name, value in entry.conditions.items()} == {
        "element": "Cu", "absorption_edge": "K", "edge_energy": "8980.63 eV",
        "software_version": "Demeter version 0.9.26",
    }  # fmt: skip
    assert entry.original_metadata["titles"] == "it's\none\nline"
    assert m.original_metadata["journal"] == "Measured by us\nat night"
    assert (m.title, m.warnings) == ("cu", ())


def test_a_shift_of_the_energies_is_added_and_told(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.prj", project(perl(SETTINGS | {"bkg_eshift": "-1.5"}))))
    assert m.entries[0]["photon_energy"].values.tolist() == [8677.51, 8680.5]
    assert m.entries[0]["photon_energy_measured"].values.tolist() == [8679.01, 8682]
    assert "-1.5 eV" in m.warnings[0]


@pytest.mark.parametrize(
    ("setting", "x", "y"),
    [
        ("is_chi", "photoelectron_wavenumber", "exafs"),
        ("is_pixel", "pixel", "absorption"),
        ("is_nor", "photon_energy", "normalised_absorption"),
    ],
)
def test_what_x_and_y_are_is_told_by_the_settings(tmp_path: Path, setting: str, x: str, y: str) -> None:
    m = read(written(tmp_path / "a.prj", project(perl(SETTINGS), perl(SETTINGS | {setting: 1}))))
    assert [e.name for e in m.entries] == ["cu_foil", "cu_foil_2"]
    assert (m.entries[1].x, m.entries[1].default) == (x, y)


def test_what_y_was_made_of_stands_beside_it(tmp_path: Path) -> None:
    arrays = "@x = ('1','2');\n@y = ('3','4');\n@i0 = ('5','6');\n@signal = ('7','8');\n@stddev = ('9');\n"
    m = read(written(tmp_path / "a.prj", project(perl(SETTINGS, arrays))))
    assert m.entries[0]["incident_intensity"].values.tolist() == [5, 6]
    assert m.entries[0]["signal"].values.tolist() == [7, 8]
    assert any("stddev" in w for w in m.warnings)


def test_hydrogen_is_what_stands_where_nobody_chose_an_element(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.prj", project(perl(SETTINGS | {"bkg_z": "H"}))))
    assert "element" not in m.entries[0].conditions


def test_projects_in_json(tmp_path: Path) -> None:
    head = {"_____header1": "# Athena project file -- Demeter version 0.9.26"}
    record = {"args": SETTINGS | {"is_nor": "0"}, "x": ["7011.9", 7016.5], "y": ["0.1", "0.2"], "signal": []}
    text = json.dumps(head | {"qs": record, "_____journal": ["a", "b"], "_____order": ["qs"]})
    m = read(written(tmp_path / "a.prj", text))
    assert m.entries[0]["photon_energy"].values.tolist() == [7011.9, 7016.5]
    assert m.original_metadata["journal"] == "a\nb"
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(written(tmp_path / "b.prj", text[:-30])))


def test_the_registry_finds_it(tmp_path: Path) -> None:
    assert registry.find(RawInput(written(tmp_path / "a.dat", project(perl(SETTINGS))))) is READER
    assert READER.sniff(RawInput(written(tmp_path / "b.prj", "# another project file\n1 2\n"))) == NO


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ("@x = ('1','2');\n@y = ('3');\n", "2 values of x and 1 of y"),
        ("@x = ('1','two');\n@y = ('3','4');\n", "not all numbers"),
        ("@x = ('1','nan');\n@y = ('3','4');\n", "no numbers"),
        ("", "no record"),
    ],
)
def test_records_that_are_not_whole_are_refused(tmp_path: Path, arrays: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(written(tmp_path / "a.prj", project(perl(SETTINGS, arrays)))))


def test_a_file_that_was_cut_off_or_damaged_gives_an_error_not_a_crash(tmp_path: Path) -> None:
    text = project(perl(SETTINGS), perl(SETTINGS | {"label": "b"}))
    whole = text.encode()
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(written(tmp_path / "a.prj", text[: text.rindex("[record]")], packed=False)))
    assert (
        "is missing"
        in READER.read(RawInput(written(tmp_path / "a.prj", text[: text.index("@journal")]))).warnings[-1]
    )
    cut(READER, whole, tmp_path / "cut.prj")
    damage(READER, whole, tmp_path / "damaged.prj")
