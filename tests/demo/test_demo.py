"""`zairyo demo` is what a newcomer runs first: it shows files arrive, stops cleanly, and goes on from there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from tests.live import clean_environment, free_port

from zairyo.cli.demo import demo
from zairyo.demo.laboratory import MARK, STATIONS, Laboratory, examples_folder

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 120.0


class Demo:
    """`zairyo demo` in a process of its own, as from a terminal."""

    def __init__(self, folder: Path, port: int, *words: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "zairyo", "demo", "--data", str(folder), "--port", str(port), *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            env={**clean_environment(), "PYTHONUNBUFFERED": "1", "ZAIRYO_DATABASE": "postgresql://somebody-elses/db"},
            start_new_session=True,
        )  # fmt: skip
        self.said = ""

    def read_until(self, words: str) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said += line
            if words in line:
                return
        raise AssertionError(f"it ended without saying {words!r}:\n{self.said}")

    def interrupt(self) -> int:
        """Ctrl-C; its exit status once it ended."""
        self._process.send_signal(signal.SIGINT)
        self.read_until("Stopped.")
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self._process.wait(timeout=60)

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()  # it ends its children
            self._process.wait(timeout=60)
        if self._process.stdout:
            self._process.stdout.close()

    @contextmanager
    def sign_in(self) -> Iterator[httpx.Client]:
        email, password = re.search(r"sign in +(\S+) +password +(\S+)", self.said).groups()  # type: ignore[union-attr]
        with httpx.Client(
            base_url=f"{self.url}/api/v1/", headers={"X-Zairyo": "web"}, trust_env=False
        ) as client:
            client.post("session", json={"email": email, "password": password}).raise_for_status()
            yield client


@pytest.fixture
def demos() -> Iterator[list[Demo]]:
    started: list[Demo] = []
    yield started
    for d in started:
        d.end()


def processes_about(folder: Path) -> list[str]:
    """Command lines of processes that have to do with a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


def until(check: Any, what: str) -> Any:
    end = time.monotonic() + DEADLINE_SECONDS
    while not (found := check()):
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.2)
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to see what runs")
def test_files_arrive_and_ctrl_c_leaves_nothing_running(tmp_path: Path, demos: list[Demo]) -> None:
    folder = tmp_path / "demo"
    expected = sum(1 for s in STATIONS for p in (examples_folder() / s.examples).rglob("*") if p.is_file())
    first = Demo(folder, free_port(), "--seconds", "1")
    demos.append(first)
    first.read_until("All files have arrived")
    with first.sign_in() as client:

        def translated() -> list[dict[str, Any]] | None:
            rows: list[dict[str, Any]] = client.get("measurements?limit=200").json()["items"]
            return rows if [r["state"] for r in rows].count("translated") == expected else None

        rows = until(translated, "a translation of every example")
        assert {r["instrument"]["slug"] for r in rows} == {s.slug for s in STATIONS}
    assert len(processes_about(folder)) >= 5  # itself, the server, three agents
    assert first.interrupt() == 0
    assert processes_about(folder) == []

    second = Demo(folder, free_port())  # on another port
    demos.append(second)
    second.read_until("kept in")
    extra = Laboratory(folder, second.url).instrument_folder(STATIONS[0]) / "again.xrdml"
    extra.write_bytes((examples_folder() / "diffraction" / "Scan_C2.xrdml").read_bytes())
    with second.sign_in() as client:
        paths = until(
            lambda: list(client.get("measurements?q=again").json()["items"]),
            "a file after the restart",
        )
        assert len(paths) == 1
        assert client.get("measurements").json()["total"] == expected + 1  # nothing was sent twice
    assert second.interrupt() == 0
    assert processes_about(folder) == []


def test_a_port_in_use_is_said_in_words(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        done = CliRunner().invoke(demo, ["--data", str(tmp_path / "demo"), "--port", str(port)])
    assert done.exit_code == 1
    assert f"Port {port} is in use" in done.output
    assert not (tmp_path / "demo").exists()


def test_a_folder_of_something_else_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "thesis.txt").write_text("years of work")
    for words in ([], ["--fresh"]):
        done = CliRunner().invoke(demo, ["--data", str(tmp_path), "--port", str(free_port()), *words])
        assert done.exit_code == 1
        assert "holds other files" in done.output
    assert (tmp_path / "server" / "thesis.txt").read_text() == "years of work"
    assert os.listdir(tmp_path) == ["server"]


def test_fresh_removes_only_what_the_demo_made(tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path / "demo", "http://127.0.0.1:1")
    laboratory.claim()
    laboratory.set_up()
    password = laboratory.password()
    (laboratory.folder / "notes.txt").write_text("mine")
    laboratory.claim()
    laboratory.set_up()
    assert laboratory.password() == password  # a second start keeps everything
    laboratory.claim(fresh=True)
    assert sorted(os.listdir(laboratory.folder)) == ["notes.txt", MARK]
    laboratory.set_up()
    assert laboratory.password() != password


def test_the_wheel_carries_the_examples(tmp_path: Path) -> None:
    """Who installs the wheel has no repository; the demo has to find its files all the same."""
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / done.stdout.splitlines()[-1]) as wheel:
        wheel.extractall(tmp_path / "installed")
    probe = "from zairyo.demo import laboratory; print(laboratory.examples_folder())"
    environment = {**clean_environment(), "PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(done.stdout.strip())
    assert folder == tmp_path / "installed" / "zairyo" / "examples"
    for name in ("NOTICE", *(s.examples for s in STATIONS)):
        assert (folder / name).exists()
