"""Agent and server are killed at random moments while files appear: at the end each version is there exactly once."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.live import LiveServer, clean_environment

from zairyo.agent.spool import Spool

ROUNDS = 8
DEADLINE_SECONDS = 120.0


class Process:
    """``zairyo agent run`` as it runs beside an instrument."""

    def __init__(self, state: Path) -> None:
        self._words = [sys.executable, "-m", "zairyo", "agent"]
        self._state = state
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [*self._words, "run", "--state", str(self._state)], env=clean_environment()
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def end(self) -> int:
        """Stop it as a service manager does; its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=30)

    def status(self) -> dict[str, object]:
        done = subprocess.run(
            [*self._words, "status", "--json", "-n", "1000", "--state", str(self._state)],
            env=clean_environment(), capture_output=True, check=True,
        )  # fmt: skip
        said: dict[str, object] = json.loads(done.stdout)
        return said


class Instrument:
    """Writes files, small and large, and writes again to names whose content is safe with the agent."""

    def __init__(self, folder: Path, state: Path, rng: random.Random) -> None:
        self.folder, self._state, self._rng = folder, state, rng
        self.versions: dict[str, list[str]] = {}

    def write(self, path: str, size: int) -> None:
        data = self._rng.randbytes(size)
        target = self.folder / path
        target.parent.mkdir(exist_ok=True)
        partial = target.with_name(f"{target.name}.part")
        partial.write_bytes(data)
        os.replace(partial, target)
        self.versions.setdefault(path, []).append(hashlib.sha256(data).hexdigest())

    def measure(self, number: int) -> None:
        for i in range(self._rng.randrange(3, 9)):
            size = self._rng.choice((0, 10, 1000, 100_000, 100_000, 5_000_000))
            self.write(f"day{number % 3}/scan{number}_{i}.dat", size)

    def use_names_again(self) -> None:
        spool = Spool(self._state)
        safe = {i.path for i in spool.recent(1000)}
        safe |= {i.path for i in spool.waiting(1000) if spool.copy_of(i)}
        safe -= {i.path for i in spool.waiting(1000) if not spool.copy_of(i)}
        current = [f for f in spool.known() if f.path in safe]
        spool.close()
        for path in sorted(safe):
            stat = (self.folder / path).stat()
            seen = any(
                (f.path, f.size, f.mtime_ns) == (path, stat.st_size, stat.st_mtime_ns) for f in current
            )
            if seen and self._rng.random() < 0.2:
                self.write(path, self._rng.randrange(1, 50_000))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_everything_arrives_once(live: LiveServer, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    state = tmp_path / "agent"
    live.instrument("diffractometer", stable_seconds=0.5, rescan_seconds=1)
    live.pair("diffractometer", tmp_path / "instrument", state)
    instrument, agent = Instrument(tmp_path / "instrument", state, rng), Process(state)
    agent.start()
    is_up = True
    try:
        for number in range(ROUNDS):
            instrument.measure(number)
            time.sleep(rng.uniform(0.3, 1.5))  # the moment of the blow, not a wait for anything
            blow = rng.choice(("agent", "server", "server", "both", "none"))
            if blow in ("agent", "both"):
                agent.kill()
                agent.start()
            if blow in ("server", "both"):
                live.kill()
                is_up = not is_up
                if is_up:
                    live.start()
            instrument.use_names_again()
        if not is_up:
            live.start()
        agent.kill()
        agent.start()
        expected = sum(map(len, instrument.versions.values()))
        status = _until_sent(agent, expected)
        assert agent.end() == 0
    finally:
        agent.kill()
    received: dict[str, list[str]] = {}
    for path, version, ((name, sha),) in live.received("diffractometer"):
        assert path.endswith(name)
        received.setdefault(path, []).append(sha)
        assert version == len(received[path])
    assert received == instrument.versions
    objects = (p for p in (live.folder / "objects").rglob("*") if p.is_file())
    on_disk = {hashlib.sha256(p.read_bytes()).hexdigest() for p in objects}
    assert {sha for shas in received.values() for sha in shas} <= on_disk
    recent = status["recent"]
    assert isinstance(recent, list)
    receipts = sorted((i["path"], i["receipts"][0]["sha256"]) for i in recent)
    assert receipts == sorted((path, sha) for path, shas in received.items() for sha in shas)


def _until_sent(agent: Process, expected: int) -> dict[str, object]:
    end = time.monotonic() + DEADLINE_SECONDS
    while True:
        status = agent.status()
        if status["sent"] == expected and status["waiting"] == 0:
            return status
        assert status["failed"] == 0, status
        assert time.monotonic() < end, f"{expected} were written; {status}"
        time.sleep(0.3)
