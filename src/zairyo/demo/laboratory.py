"""The demo's laboratory: its account, its project, its instruments, and the files they are going to write.

Nothing here is a short cut: accounts and pairing codes are made by the same functions as anybody's, the agents
are ``zairyo agent run`` and find the files as they find any.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import httpx

#: What shows that a folder is a demo's.
MARK = "zairyo-demo.txt"


@dataclass(frozen=True)
class Station:
    """An instrument of the demo; ``examples`` is the folder of the files it writes."""

    slug: str
    name: str
    place: str
    examples: str


STATIONS = (
    Station("diffractometer", "X-ray diffractometer", "Room 101", "diffraction"),
    Station("thermal-analyser", "Thermal analyser", "Room 102", "thermal"),
    Station("battery-cycler", "Battery cycler", "Room 203", "battery"),
)
PROJECT = ("demo", "Demonstration")
EMAIL = "demo@example.org"


class DemoError(RuntimeError):
    """The demo cannot run; the message says what to do."""


def examples_folder() -> Path:
    """The real files that come with Zairyo: in the wheel, or in the repository it is installed from."""
    here = Path(__file__).resolve()
    for folder in (here.parents[1] / "examples", here.parents[3] / "examples"):
        if (folder / "NOTICE").is_file():
            return folder
    raise DemoError("The example files are not here; install Zairyo from its wheel or its repository.")


class Laboratory:
    """The demo's folder: the server's data, each instrument's folder and agent, and how to sign in.

    Parameters
    ----------
    folder
        Everything is kept here, and found again at the next start.
    url
        Where the server will be.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder.absolute()
        self.url = url
        self.data = self.folder / "server"

    def instrument_folder(self, station: Station) -> Path:
        return self.folder / "instruments" / station.slug

    def agent_folder(self, station: Station) -> Path:
        return self.folder / "agents" / station.slug

    @property
    def password_file(self) -> Path:
        return self.folder / "password.txt"

    def claim(self, *, fresh: bool = False) -> None:
        """Make the folder the demo's, after removing what an earlier demo kept there if ``fresh``.

        Raises
        ------
        DemoError
            If the folder holds something else.
        """
        try:
            if self.folder.is_dir() and not (self.folder / MARK).is_file() and any(self.folder.iterdir()):
                raise DemoError(
                    f"{self.folder} holds other files, so no demo goes there. Choose another folder with --data."
                )
            if fresh and self.folder.is_dir():
                for name in ("server", "instruments", "agents", "logs"):
                    if (self.folder / name).exists():
                        shutil.rmtree(self.folder / name)
                self.password_file.unlink(missing_ok=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / MARK).write_text(
                "zairyo demo keeps its data here; zairyo demo --fresh removes it.\n"
            )
        except OSError as e:
            raise DemoError(
                f"{self.folder} cannot be used: {e.strerror}. Choose another with --data."
            ) from None

    def password(self) -> str:
        """How to sign in."""
        try:
            return self.password_file.read_text().strip()
        except OSError:
            raise DemoError(
                f"{self.password_file} is gone. Begin anew with zairyo demo --fresh, or set a password with "
                f"zairyo admin --data {self.data} account password {EMAIL}"
            ) from None

    def set_up(self) -> None:
        """Make account, project and instruments in the catalogue; what is there already stays as it is."""
        from zairyo.server import admin
        from zairyo.server.db import Database, migrate
        from zairyo.server.passwords import hash_password
        from zairyo.server.settings import Settings

        self.data.mkdir(parents=True, exist_ok=True)
        database = Database(Settings(data=self.data).database_url)
        try:
            migrate(database)
            with database.read() as session:
                if admin.has_accounts(session):
                    return
            password = secrets.token_urlsafe(9)
            hashed = hash_password(password)
            _write_private(self.password_file, password)
            with database.write() as session:
                account = admin.add_account(session, EMAIL, "Demo", password_hash=hashed, is_admin=True)
                project = admin.add_project(session, PROJECT[1], PROJECT[0], steward=account)
                for station in STATIONS:
                    admin.add_instrument(
                        session, project, station.name, slug=station.slug, place=station.place,
                        settings={"stable_seconds": 1.0},
                    )  # fmt: skip
        finally:
            database.close()

    def pair(self, station: Station) -> None:
        """Pair an instrument's agent, as a person does by the code on the instrument's page."""
        from zairyo.agent.pairing import pair
        from zairyo.agent.state import load, save
        from zairyo.server import admin
        from zairyo.server.db import Database
        from zairyo.server.settings import Settings

        self.instrument_folder(station).mkdir(parents=True, exist_ok=True)
        agent = self.agent_folder(station)
        if (agent / "agent.json").exists():
            state = load(agent)
            if state.url != self.url:  # another --port than before
                save(agent, replace(state, url=self.url))
            return
        database = Database(Settings(data=self.data).database_url)
        try:
            with database.write() as session:
                code = admin.new_pairing(admin.instrument_by_slug(session, station.slug)).code
        finally:
            database.close()
        pair(self.url, code, self.instrument_folder(station), self.agent_folder(station))

    def arrivals(self) -> list[tuple[Path, Path]]:
        """Files still to be written (from, to), the instruments taking turns."""
        examples = examples_folder()
        lanes = []
        for station in STATIONS:
            files = sorted(p for p in (examples / station.examples).rglob("*") if p.is_file())
            if not files:
                raise DemoError(f"There are no example files in {examples / station.examples}.")
            target = self.instrument_folder(station)
            lanes.append([(p, target / p.name) for p in files if not (target / p.name).exists()])
        return [lane[i] for i in range(max(map(len, lanes))) for lane in lanes if i < len(lane)]


def write_slowly(files: list[tuple[Path, Path]], seconds: float) -> Iterator[float]:
    """Write the files over so many seconds, yielding how long to wait before each; time-stamped as just measured."""
    for place, (source, target) in enumerate(files):
        yield 1.0 if place == 0 else seconds / len(files)
        partial = target.with_name(f"{target.name}.part")  # agents leave these alone
        shutil.copyfile(source, partial)
        partial.replace(target)


class Processes:
    """The demo's child processes; they end when the block does, however it ends."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._logs.mkdir(parents=True, exist_ok=True)
        self._running: list[tuple[str, subprocess.Popen[bytes], IO[bytes]]] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for _name, process, _log in reversed(self._running):
            if process.poll() is None:
                process.terminate()
        for _name, process, log in reversed(self._running):
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()

    def start(self, name: str, *words: str) -> None:
        """Start ``zairyo WORDS…``; what it says goes to its log."""
        log = (self._logs / f"{name}.log").open("ab")
        # The demo is by itself: a real server's settings in the environment are not for it.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ZAIRYO_")}
        options: dict[str, Any] = {"creationflags": 0x200} if os.name == "nt" else {"start_new_session": True}
        # A session of its own: Ctrl-C reaches this process only, which then ends the others in order.
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "zairyo", *words], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=environment, **options,
        )  # fmt: skip
        self._running.append((name, process, log))

    def check(self) -> None:
        """Raise :class:`DemoError` if one of them ended."""
        for name, process, _log in self._running:
            if process.poll() is not None:
                tail = (self._logs / f"{name}.log").read_text(errors="replace")[-2000:]
                raise DemoError(f"{name} ended with status {process.returncode}:\n{tail}")

    def wait_for(self, url: str, stopping: Callable[[], bool], seconds: float = 60.0) -> None:
        """Until the server at ``url`` answers, or ``stopping`` is true."""
        end = time.monotonic() + seconds
        while not stopping():
            self.check()
            try:
                if (
                    httpx.get(f"{url}/api/v1/health", timeout=2, trust_env=False).json().get("name")
                    == "zairyo"
                ):
                    return
            except (httpx.HTTPError, ValueError):
                pass
            if time.monotonic() > end:
                raise DemoError(f"The server did not answer at {url} within {seconds:g} s.")
            time.sleep(0.1)


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as f:
        f.write(f"{text}\n")
