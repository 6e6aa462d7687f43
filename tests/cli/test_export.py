"""``zairyo export``: what a person has becomes what another system takes, or they are told why not."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from zairyo.cli import cli
from zairyo.measurement import nexus

ROWS = "1 10 3\n2 20 4\n3 30 5\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["export", *map(str, arguments)])


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.xye"
    path.write_text(ROWS)
    return path


def standard(scan: Path) -> Path:
    done = CliRunner().invoke(cli, ["translate", str(scan), "-o", str(scan.parent)])
    assert done.exit_code == 0, done.output
    return scan.with_name("scan.xye.nxs")


def test_instrument_file_becomes_a_crate_with_it(scan: Path, tmp_path: Path) -> None:
    done = run(scan, "--to", "ro-crate", "-o", tmp_path / "out", "--license", "https://example.org/licence")
    assert done.exit_code == 0, done.output
    crate = tmp_path / "out" / "scan.xye-ro-crate"
    assert done.output == f"✓ {scan} → {crate}\n"
    assert (crate / "raw/scan.xye").read_text() == ROWS
    assert nexus.read(crate / "scan.xye.nxs")[0].signal.values.tolist() == [10, 20, 30]
    found = {e["@id"]: e for e in json.loads((crate / "ro-crate-metadata.json").read_text())["@graph"]}
    assert found["./"]["license"] == {"@id": "https://example.org/licence"}
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["scan.xye-ro-crate"]


def test_standard_form_goes_as_it_is_and_with_its_raw_file_if_told_where(scan: Path, tmp_path: Path) -> None:
    made = standard(scan)
    for number, more in enumerate(([], ["--raw", scan], ["--raw", scan.parent])):
        done = run(made, "--to", "ro-crate", "--zip", "-o", tmp_path / str(number), *more)
        assert done.exit_code == 0, done.output
        with zipfile.ZipFile(tmp_path / str(number) / "scan.xye.ro-crate.zip") as z:
            assert z.read("scan.xye.nxs") == made.read_bytes()
            assert ("raw/scan.xye" in z.namelist()) is bool(more)


def test_another_raw_file_is_refused(scan: Path, tmp_path: Path) -> None:
    made = standard(scan)
    scan.write_text(ROWS + "4 40 6\n")
    done = run(made, "--to", "ro-crate", "-o", tmp_path / "out", "--raw", scan)
    assert done.exit_code == 1
    assert "was read from scan.xye" in done.output
    assert run(scan, "--to", "ro-crate", "--raw", scan).exit_code == 2
    assert list((tmp_path / "out").iterdir()) == []


def test_one_that_cannot_be_read_does_not_keep_the_others(scan: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.xyz"
    other.write_bytes(b"\x01\x02\x03")
    done = run(other, scan, "--to", "ro-crate", "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "✗" in done.output
    assert (tmp_path / "out/scan.xye-ro-crate").is_dir()


def test_what_is_there_is_not_replaced(scan: Path, tmp_path: Path) -> None:
    there = tmp_path / "scan.xye-ro-crate"
    there.mkdir()
    done = run(scan, "--to", "ro-crate", "-o", tmp_path)
    assert done.exit_code == 1
    assert "is there already" in done.output
    assert list(there.iterdir()) == []


@pytest.mark.parametrize(("form", "library"), [("rde", "matplotlib"), ("maiml", "pymaiml")])
def test_other_forms_are_written(scan: Path, tmp_path: Path, form: str, library: str) -> None:
    pytest.importorskip(library)
    done = run(scan, "--to", form, "-o", tmp_path)
    assert done.exit_code == 0, done.output
    expected = {"rde": "meta/metadata.json", "maiml": "scan.xye.maiml"}[form]
    assert (tmp_path / f"scan.xye-{form}" / expected).stat().st_size > 0
