"""tools/fuzz.py: a reader that it passes over, or a run that cannot be repeated, would let faults through unseen."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.conftest import ROOT, SHARED

from zairyo.readers import registry
from zairyo.readers._api import RawInput

TOOL = ROOT / "tools" / "fuzz.py"


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_reader_has_a_file_to_begin_with(fuzz: ModuleType) -> None:
    if not (SHARED / "instruments").is_dir():
        pytest.skip("the real files of most readers are not here (shared/data/instruments)")
    readers = registry.default_registry().readers
    without = set(readers) - set(fuzz.inputs_by_reader(registry, [], list(readers.values())))
    assert not without, (
        f"put a small file that it reads, as its tests make them, into tests/readers/seeds/NAME/1/: {sorted(without)}"
    )


def test_seeds_are_read_by_the_reader_they_are_named_after() -> None:
    wrong = []
    for folder in sorted((ROOT / "tests" / "readers" / "seeds").iterdir()):
        found = {registry.find(raw).name for raw in registry.inputs([folder])}
        if folder.name not in found:
            wrong.append(f"{folder.name}: {found or 'no reader'}")
    assert not wrong


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(TOOL), *arguments],
        env=os.environ | {"ZAIRYO_SHARED": "none: the seeds are enough"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return re.findall(r"0 gave a bad answer; tried (\w{16})$", done.stdout, re.MULTILINE)[0]


@pytest.mark.slow  # each run makes all readers ready for atheris
def test_two_runs_of_one_seed_try_the_same_bytes() -> None:
    pytest.importorskip("atheris", reason="atheris is for Linux only")
    readers = ("toyo_records", "avantes_raw", "--runs", "40")
    first = run(*readers)
    assert run(*readers) == first
    assert run(*readers, "--seed", "2") != first


def test_files_of_a_folder_are_changed_together(fuzz: ModuleType, tmp_path: Path) -> None:
    """Else a folder's format would be tried with one of its files, or none, damaged."""
    folder = tmp_path / "run.D"
    (folder / "AcqData").mkdir(parents=True)
    (folder / "AcqData" / "a.bin").write_bytes(b"one")
    (folder / "b.txt").write_bytes(b"two")
    (whole,) = fuzz.beginnings([RawInput(folder)], 1000)
    target = fuzz.Target(RawInput(folder), tmp_path / "copy")
    raw = target.write(whole.replace(b"one", b"changed"))
    assert {name: raw.member(name) for name in raw.members} == {"AcqData/a.bin": b"changed", "b.txt": b"two"}
    assert target.write(whole[:3]).members == ("AcqData/a.bin",)


def test_files_of_a_set_stay_a_set_with_the_main_one_first(fuzz: ModuleType, tmp_path: Path) -> None:
    parts = (tmp_path / "z.emi", tmp_path / "z_1.ser", tmp_path / "a.txt")
    for path in parts:
        path.write_bytes(path.name.encode())
    like = RawInput(parts[0], parts)
    (whole,) = fuzz.beginnings([like], 1000)
    assert whole.startswith(b"z.emi")
    target = fuzz.Target(like, tmp_path / "copy")
    raw = target.write(whole)
    assert (raw.path.name, raw.members) == ("z.emi", ("a.txt", "z.emi", "z_1.ser"))
    assert raw.member("z_1.ser") == b"z_1.ser"
    alone = target.write(b"only this")
    assert (alone.is_folder, alone.read_bytes()) == (False, b"only this")
