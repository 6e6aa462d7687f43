"""A server that is killed again and again in the middle of an upload of many files loses and doubles none.

The server is a real process, killed with SIGKILL at moments a seed chooses: between two requests, in the middle
of a body, when the body is sent and not yet answered, when a file is an object but not yet in the catalogue,
and after an answer. It is forked from a process that has everything imported, so that it is back in no time.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import func, select
from tests.server.tus_client import BODY, TUS, creation, sha256

from zairyo.server import models, secrets
from zairyo.server.db import Database
from zairyo.server.intake.tus import set_sha256
from zairyo.server.models import NOT_TRANSLATED, TRANSLATED, Measurement, Object, RawFile, Translation
from zairyo.server.objects import LocalObjects

PATIENCE = 60.0  # s; only reached where something is broken
KILLS = 12
CHILD_KILLS = 3
CHUNK = 300_000

FORKER = """
import os, signal, sys
import alembic.command, uvicorn.protocols.http.httptools_impl, uvloop
import zairyo.server.api.app, zairyo.server.search.index, zairyo.readers.registry
from zairyo.cli import main

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(0)
        main(sys.argv[1:])
    print(pid, flush=True)
"""


@dataclass
class Server:
    """The server, and the one way it ever ends here."""

    arguments: list[str]
    port: int
    pid: int = 0
    killed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._forker = subprocess.Popen(
            [sys.executable, "-c", FORKER, *self.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.set_blocking(self._forker.stdout.fileno(), True)
        self.start()

    def start(self) -> None:
        self._forker.stdin.write("start\n")
        self._forker.stdin.flush()
        # The servers print to the same pipe; the line that is a number alone is the forker's.
        while not (line := self._forker.stdout.readline().strip()).isdigit():
            assert line or self._forker.poll() is None
        self.pid = int(line)

    def kill(self) -> None:
        with self._lock:
            os.kill(self.pid, signal.SIGKILL)
            while psutil.pid_exists(self.pid):
                pass
            self.killed += 1
            self.start()

    def kill_children(self) -> int:
        """Kill what translates just now; how many processes."""
        children = psutil.Process(self.pid).children(recursive=True)
        for child in children:
            child.kill()
        return len(children)

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        while psutil.pid_exists(self.pid):
            time.sleep(0.01)
        self._forker.stdin.close()
        self._forker.wait()
        self._forker.stdout.close()


class Moments:
    """Counts the moments at which a kill may fall, and says at which it does."""

    def __init__(self, seed: int, count: int, kills: int) -> None:
        self._at = set(random.Random(seed).sample(range(1, count), kills))
        self._count = 0
        self._lock = threading.Lock()

    def now(self) -> bool:
        with self._lock:
            self._count += 1
            return self._count in self._at


@dataclass
class Sender:
    """Sends files as a patient client does: asks where the server is, and goes on from there."""

    server: Server
    token: str
    moments: Moments
    objects: Path

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str], sha: str) -> Any:
        """One request; whatever connection is lost, a new one is made once the server is back."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        try:
            if self.moments.now():
                self.server.kill()
            connection.putrequest(method, path)
            for name, value in {**headers, "Authorization": f"Bearer {self.token}"}.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            half = len(body) // 2
            connection.send(body[:half])
            if half and self.moments.now():
                self.server.kill()
            connection.send(body[half:])
            if self.moments.now():
                self.server.kill()
            if body and self.moments.now():
                self._kill_when_stored(connection, sha)
            answer = connection.getresponse()
            answer.read()
            if self.moments.now():
                self.server.kill()
            return answer
        finally:
            connection.close()

    def _kill_when_stored(self, connection: http.client.HTTPConnection, sha: str) -> None:
        """Kill when the file is an object, and most likely not yet in the catalogue."""
        place = self.objects / sha[:2] / sha
        connection.sock.setblocking(False)
        while not place.exists():
            try:
                if connection.sock.recv(1, socket.MSG_PEEK) is not None:
                    break  # it has answered: this was not the last part of the file
            except BlockingIOError:
                continue
            except OSError:
                break  # another connection's kill was faster
        self.server.kill()
        connection.sock.setblocking(True)

    def send(self, filename: str, data: bytes, /, **more: object) -> dict[str, Any]:
        """Send until there is a receipt."""
        url, offset = "", 0
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if not url:
                    whole = len(data) <= CHUNK
                    headers = creation(data, filename, **more) | (BODY if whole else {})
                    body = data if whole else b""
                    answer = self.request("POST", "/api/v1/uploads", body, headers, sha256(data))
                    url, offset = answer.headers.get("Location", ""), 0
                elif offset < 0:
                    answer = self.request("HEAD", url, b"", TUS, "")
                    url = url if answer.status == 200 else ""
                    offset = int(answer.headers.get("Upload-Offset", 0))
                else:
                    part = data[offset : offset + CHUNK]
                    headers = {**TUS, **BODY, "Upload-Offset": str(offset)}
                    answer = self.request("PATCH", url, part, headers, sha256(data))
                    offset = int(answer.headers["Upload-Offset"]) if answer.status == 204 else -1
                if "Zairyo-Receipt" in answer.headers:
                    return json.loads(answer.headers["Zairyo-Receipt"])
                assert answer.status < 500 or answer.status == 503, answer.status
            except (OSError, http.client.HTTPException):
                offset = -1
                time.sleep(0.02)  # the server is coming back
        raise AssertionError(f"{filename} got no receipt")


def files(instruments: Path, seed: int) -> dict[str, tuple[bytes, dict[str, object]]]:
    """Path → content and further metadata: scans, what nobody knows, large ones, empty ones, a folder."""
    noise = random.Random(seed)
    scan = (instruments / "xrdml" / "Scan_C2.xrdml").read_bytes().rstrip()
    made: dict[str, tuple[bytes, dict[str, object]]] = {}
    for i in range(24):
        made[f"a/scan{i}.xrdml"] = (scan + b"\n<!-- %d -->\n" % i, {})
        made[f"b/{i}.bin"] = (b"\x01\x02" + noise.randbytes(noise.randrange(20_000)), {})
    for i in range(4):
        made[f"large{i}.bin"] = (b"\x01\x02" + noise.randbytes(1_000_000), {})
    made["empty.dat"] = (b"", {})
    members = {f"part{i}.bin": noise.randbytes(1000) for i in range(4)}
    whole = set_sha256((name, sha256(data)) for name, data in members.items())
    for name, data in members.items():
        more = {"set": "s", "set_size": 4, "set_sha256": whole, "name": name}
        made[f"run.D/{name}"] = (data, more)
    return made


@pytest.fixture
def token(database_url: str) -> str:
    """An agent's token, in a catalogue no server has opened yet."""
    db, secret = Database(database_url), secrets.new_token()
    with db.write() as session:
        institution = models.Institution(slug="nims", name="Institute")
        session.add(institution)
        session.flush()
        project = models.Project(institution_id=institution.id, slug="steel", name="Steel")
        session.add(project)
        session.flush()
        instrument = models.Instrument(
            institution_id=institution.id, project_id=project.id, slug="xrd", name="XRD"
        )
        session.add(instrument)
        session.flush()
        digest = secrets.sha256(secret)
        session.add(
            models.Token(name="a", secret_sha256=digest, scopes=["agent"], instrument_id=instrument.id)
        )
    db.close()
    return secret


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ["serve", "--data", str(tmp_path / "data"), "--database", database_url]
    server = Server([*arguments, "--port", str(port), "--workers", "1", "--log-level", "warning"], port)
    yield server
    server.stop()


@pytest.mark.slow
def test_nothing_is_lost_or_doubled(
    server: Server, token: str, database_url: str, tmp_path: Path, instruments: Path
) -> None:
    sent = files(instruments, seed=7)
    objects = tmp_path / "data" / "objects"
    sender = Sender(server, token, Moments(11, count=4 * len(sent), kills=KILLS), objects)
    receipts = send_all(sender, sent)
    assert server.killed == KILLS

    db = Database(database_url)
    wait_until(lambda: not unfinished(db), lambda: str(unfinished(db)), meanwhile=child_killer(server))
    check_catalogue(db, sent, receipts)
    check_objects(db, LocalObjects(objects))
    assert not list((tmp_path / "data" / "uploads").iterdir())
    db.close()


def send_all(sender: Sender, sent: dict[str, tuple[bytes, dict[str, object]]]) -> dict[str, dict[str, Any]]:
    """Send everything over three connections; receipts by path."""

    def send(path: str) -> tuple[str, dict[str, Any]]:
        data, more = sent[path]
        folder = path.partition("/")[0] if more else path
        return path, sender.send(path.rpartition("/")[2], data, path=folder, **more)

    with ThreadPoolExecutor(3) as pool:
        return dict(pool.map(send, sent))


def child_killer(server: Server) -> Callable[[], None]:
    """Kills what translates, a few times."""
    left = CHILD_KILLS

    def kill() -> None:
        nonlocal left
        if left and server.kill_children():
            left -= 1

    return kill


def unfinished(db: Database) -> dict[str, int]:
    m = Measurement
    with db.read() as session:
        rows = session.execute(
            select(m.state, func.count())
            .where(m.state.not_in((TRANSLATED, NOT_TRANSLATED)))
            .group_by(m.state)
        )
        return {str(state): int(count) for state, count in rows}


def wait_until(true: Callable[[], bool], what: Callable[[], str], meanwhile: Callable[[], None]) -> None:
    deadline = time.monotonic() + 2 * PATIENCE
    while not true():
        assert time.monotonic() < deadline, what()
        meanwhile()
        time.sleep(0.2)


def check_catalogue(
    db: Database, sent: dict[str, tuple[bytes, dict[str, object]]], receipts: dict[str, dict[str, Any]]
) -> None:
    m = Measurement
    with db.read() as session:
        files: Any = session.execute(
            select(m.path, m.uid, m.superseded, RawFile.name, RawFile.sha256, RawFile.size)
            .join(RawFile, RawFile.measurement_id == m.id)
            .order_by(m.id)
        ).all()
        states: Any = session.execute(
            select(m.path, m.state, m.lease_owner, Translation.error_kind, Translation.output_sha256).join(
                Translation, Translation.id == m.translation_id
            )
        ).all()
        assert session.scalar(select(func.count()).select_from(m)) == len(states)
    found = {path if path != "run.D" else f"run.D/{name}": rest for path, *rest, name, _, _ in files}
    assert len(files) == len(sent)
    assert found.keys() == sent.keys()
    for path, uid, superseded, name, sha, size in files:
        key = f"{path}/{name}" if path == "run.D" else path
        data = sent[key][0]
        assert (sha, size, superseded) == (sha256(data), len(data), False), key
        assert (receipts[key]["measurement"], receipts[key]["sha256"]) == (uid, sha), key
    for path, state, owner, kind, output in states:
        assert owner is None, path
        if path.endswith(".xrdml"):
            assert (state, kind) == (TRANSLATED, None), path
            assert output, path
        else:
            assert (state, kind) in {(NOT_TRANSLATED, "unknown_format"), (NOT_TRANSLATED, "damaged")}, path


def check_objects(db: Database, objects: LocalObjects) -> None:
    """Every object is what its name says, and every row has its object."""
    there = set(objects)
    assert all(objects.verify(sha) for sha in there)
    with db.read() as session:
        assert set(session.scalars(select(Object.sha256))) <= there
