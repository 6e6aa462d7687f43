"""Runs that an instrument writes as several files: they travel by themselves and open as one measurement."""

from __future__ import annotations

import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.agent.test_run import Bench
from tests.live import LiveServer

from zairyo.client import Client
from zairyo.server import models

PATIENCE = 60.0  # s; only reached where something is broken


@pytest.fixture
def set_up(live: LiveServer, tmp_path: Path) -> Iterator[tuple[Bench, Client]]:
    """An agent on its folder, and a person who sees what comes of it, on each database in turn."""
    bench = Bench(live, "several", tmp_path / "laboratory")
    with live.client() as client:
        yield bench, client
    bench.agent.close()


def shown(client: Client, expected: Callable[[dict[str, dict[str, Any]]], bool]) -> dict[str, dict[str, Any]]:
    """What the list of measurements shows, by path, once it is as ``expected``; fails if it never is."""
    deadline = time.monotonic() + PATIENCE
    while True:
        rows = [r.detail() for r in client.search()]
        found = {r["path"]: r for r in rows}
        if len(found) == len(rows) and expected(found):
            return found
        assert time.monotonic() < deadline, {p: (r["state"], r["translation"]) for p, r in found.items()}
        time.sleep(0.1)


def all_done(count: int) -> Callable[[dict[str, dict[str, Any]]], bool]:
    return lambda found: (
        len(found) == count
        and all(r["state"] in (models.TRANSLATED, models.NOT_TRANSLATED) for r in found.values())
    )


def names(row: dict[str, Any]) -> list[str]:
    return [f["name"] for f in row["raw_files"]]


def test_folders_of_a_gas_chromatograph_and_an_nmr(
    set_up: tuple[Bench, Client], instruments: Path, tmp_path: Path
) -> None:
    """Without it, a user of these sees hundreds of unreadable files and no spectrum."""
    bench, client = set_up
    shutil.copytree(instruments / "agilent-d" / "brown.D", bench.folder / "2026" / "brown.D")
    with zipfile.ZipFile(instruments / "bruker-nmr-zip" / "72.zip") as z:
        for name in z.namelist():
            if not name.startswith("__MACOSX"):
                z.extract(name, bench.folder / "sample A")
    bench.work()
    found = shown(client, all_done(2))
    assert {p: r["state"] for p, r in found.items()} == {
        "2026/brown.D": models.TRANSLATED,
        "sample A/72": models.TRANSLATED,
    }
    assert found["sample A/72"]["technique"] == "nmr"
    assert "ser" in names(found["sample A/72"])


def test_a_map_and_its_series(set_up: tuple[Bench, Client], instruments: Path) -> None:
    """Without it, a map of FEI's TIA comes apart: settings without data, data without settings."""
    bench, client = set_up
    stem = "16x16-diffraction_imagel_5x5x256x256_EDS"
    for name in (f"{stem}.emi", f"{stem}_1.ser"):
        bench.write(name, (instruments / "fei-tia" / name).read_bytes())
    bench.work()
    found = shown(client, all_done(1))
    assert names(found[f"{stem}.emi"]) == [f"{stem}.emi", f"{stem}_1.ser"]


def test_a_run_is_put_together_however_often_the_server_is_killed(
    set_up: tuple[Bench, Client], instruments: Path
) -> None:
    """Without it, a power cut while the last file of a run comes leaves the run in pieces for ever."""
    bench, client = set_up
    run = {p.name: p.read_bytes() for p in (instruments / "dens-impulse-csv").iterdir()}
    for name in ("StubExperiment_Synchronized_data.csv", "StubExperiment_Metadata.log"):
        bench.write(name, run[name])
        bench.work()  # it has its receipt, and nobody knows how far the server came with it
        bench.server.kill()
        bench.server.start()
    found = shown(client, all_done(1))
    assert names(found["StubExperiment_Synchronized_data.csv"]) == [
        "StubExperiment_Metadata.log",
        "StubExperiment_Synchronized_data.csv",
    ]
