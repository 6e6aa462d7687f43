"""A real server in a process of its own, people and instruments on it, and a wire to it that can be cut."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import zairyo.client
from zairyo.agent.pairing import pair
from zairyo.agent.state import State
from zairyo.server import admin, models
from zairyo.server.access import SCOPES
from zairyo.server.db import Database
from zairyo.server.platform import AGENT_SECONDS
from zairyo.server.settings import Settings

ENGINES = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """Of children: without the settings of a server that somebody really runs."""
    return {k: v for k, v in os.environ.items() if not k.startswith("ZAIRYO_")}


@dataclass
class LiveServer:
    """``zairyo serve`` on a folder (and a database); :meth:`start` it, :meth:`kill` it, start it again."""

    folder: Path
    database: str = ""
    max_file_bytes: int = 64 * 1024**2
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = ["serve", "--data", str(self.folder), "--port", str(self.port), "--workers", "1"]
        if self.database:
            words += ["--database", self.database]
        environment = {**clean_environment(), "ZAIRYO_MAX_FILE_BYTES": str(self.max_file_bytes)}
        process = subprocess.Popen(
            [sys.executable, "-m", "zairyo", *words], env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "is ready" in line:
                break
        else:
            process.wait()
            process.stdout.close()
            raise AssertionError("the server did not start:\n" + "".join(said))
        threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
        self._process = process

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Like a power cut, for this process."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait(timeout=30)
        with suppress(ProcessLookupError):  # translators that outlived it
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None

    @contextmanager
    def catalogue(self, *, write: bool = False) -> Iterator[Any]:
        """A session on its database, beside the running server."""
        database = Database(Settings(data=self.folder, database=self.database).database_url)
        try:
            with (database.write if write else database.read)() as session:
                yield session
        finally:
            database.close()

    def project(self, slug: str = "cells") -> str:
        with self.catalogue(write=True) as session:
            if session.scalar(select(models.Project.id).where(models.Project.slug == slug)) is None:
                admin.add_project(session, slug.title(), slug)
        return slug

    def token(self, *scopes: str, role: str = "contributor", project: str = "cells") -> str:
        """A token of a new person who is a member of the project."""
        self.project(project)
        with self.catalogue(write=True) as session:
            account = admin.add_account(session, f"{os.urandom(6).hex()}@example.org", "Somebody")
            admin.set_role(session, admin.project_by_slug(session, project), account, role)
            return admin.add_token(session, account.id, "test", scopes or SCOPES, None)[1]

    def client(self, *scopes: str, **more: str) -> zairyo.client.Client:
        return zairyo.client.connect(self.url, self.token(*scopes, **more))

    def instrument(self, slug: str, **rules: Any) -> str:
        self.project()
        with self.catalogue(write=True) as session:
            project = admin.project_by_slug(session, "cells")
            admin.add_instrument(session, project, slug.title(), slug=slug, settings=rules)
        return slug

    def code(self, slug: str) -> str:
        with self.catalogue(write=True) as session:
            return admin.new_pairing(admin.instrument_by_slug(session, slug)).code

    def pair(self, slug: str, watched: Path, state: Path, *, url: str | None = None) -> State:
        watched.mkdir(parents=True, exist_ok=True)
        return pair(url or self.url, self.code(slug), watched, state)

    def unpair(self, slug: str) -> None:
        with self.catalogue(write=True) as session:
            admin.unpair(session, admin.instrument_by_slug(session, slug))
        time.sleep(AGENT_SECONDS)  # so long may a server go on that does not revoke by itself

    def received(self, slug: str) -> list[tuple[str, int, list[tuple[str, str]]]]:
        """What came of an instrument: path, version, [(name, SHA-256 of the bytes on the server's disk)]."""
        found = []
        with self.catalogue() as session:
            instrument = admin.instrument_by_slug(session, slug)
            rows = session.scalars(
                select(models.Measurement)
                .where(models.Measurement.instrument_id == instrument.id)
                .order_by(models.Measurement.path, models.Measurement.version)
            )
            for m in rows:
                raw = sorted((r.name, r.sha256) for r in m.raw_files)
                found.append((m.path, m.version, raw))
        return found


def _drain(pipe: Any) -> None:
    with suppress(ValueError, OSError):
        for _ in pipe:
            pass


@contextmanager
def running(server: LiveServer) -> Iterator[LiveServer]:
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Wire:
    """A TCP connection's way to a server, on a port of its own, that a test can damage.

    Attributes
    ----------
    cut_after
        Once so many bytes went to the server, its connection is cut, once.
    flip
        Bytes that are replaced on the way, by which others, once, in either direction.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.cut_after: int | None = None
        self.flip: tuple[bytes, bytes] | None = None
        self.cuts = self.flips = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            for a, b, up in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._carry, args=(a, b, up), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, up: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.flip and self.flip[0] in data:
                    data, self.flip = data.replace(*self.flip), None
                    self.flips += 1
                if up and self.cut_after is not None:
                    self.cut_after -= len(data)
                    if self.cut_after <= 0:
                        self.cut_after = None
                        self.cuts += 1
                        break
                target.sendall(data)
        for s in (source, target):
            with suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()


@pytest.fixture(scope="session")
def live_postgres() -> Iterator[Any]:
    from tests.server.conftest import Postgres

    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(params=ENGINES)
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveServer]:
    """A running server of this test's own, on each database in turn."""
    database = ""
    if request.param == "postgres":
        database = request.getfixturevalue("live_postgres").empty()
    with running(LiveServer(tmp_path / "server", database)) as server:
        yield server


@pytest.fixture(scope="session")
def shared_live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A running server that several tests share, on SQLite."""
    with running(LiveServer(tmp_path_factory.mktemp("server"))) as server:
        yield server
