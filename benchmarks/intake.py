"""How fast small real files become receipts, and translated and searchable measurements.

    .venv/bin/python benchmarks/intake.py [--files 1000] [--warm 0] [--connections 8] [--workers 2] [--database URL]

A real server process on an empty data folder, files that are real X-ray scans made unique by a comment, sent
by an instrument's token over keep-alive connections. Prints rates, where the processor time went, and what
the disk can do: the rate of fsync alone, for comparison. With ``--warm``, so many files go before those that
are counted, so that what the start of the server and of its translation processes takes is not in the figures.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from sqlalchemy import func, select

from zairyo.server import models, secrets
from zairyo.server.db import Database, migrate
from zairyo.server.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ZAIRYO_SHARED", ROOT.parent / "shared" / "data")) / "instruments" / "xrdml"


def real_files(count: int, source: Path) -> list[tuple[str, bytes]]:
    """``count`` different valid files made of those in ``source``."""
    originals = sorted(source.glob("*.xrdml"))
    if not originals:
        sys.exit(f"no .xrdml files in {source}; name a folder that has some with --source")
    contents = [p.read_bytes() for p in originals]
    return [
        (f"scan_{i:05d}.xrdml", contents[i % len(contents)].rstrip() + b"\n<!-- copy %d -->\n" % i)
        for i in range(count)
    ]


def agent_token(db: Database) -> str:
    """An institution with a project and an instrument; the instrument's token."""
    token = secrets.new_token()
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
        digest = secrets.sha256(token)
        session.add(
            models.Token(name="agent", secret_sha256=digest, scopes=["agent"], instrument_id=instrument.id)
        )
    return token


def fsync_rate(folder: Path, data: bytes, seconds: float = 1.0) -> float:
    """Files written and synced one by one, 1/s."""
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with (folder / "probe").open("wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        count += 1
    return count / seconds


def headers(name: str, data: bytes, token: str) -> dict[str, str]:
    meta = {"filename": name, "path": f"2026/{name}", "sha256": hashlib.sha256(data).hexdigest()}
    return {
        "Authorization": f"Bearer {token}",
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(data)),
        "Upload-Metadata": ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in meta.items()),
        "Content-Type": "application/offset+octet-stream",
    }


def send_all(port: int, token: str, files: list[tuple[str, bytes]], connections: int) -> list[float]:
    """Send the files; the seconds each took."""
    waiting: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    for file in files:
        waiting.put(file)
    took: list[float] = []

    def connection() -> None:
        http_connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            try:
                name, data = waiting.get_nowait()
            except queue.Empty:
                return
            began = time.perf_counter()
            http_connection.request("POST", "/api/v1/uploads", body=data, headers=headers(name, data, token))
            answer = http_connection.getresponse()
            body = answer.read()
            if answer.status != 201 or "Zairyo-Receipt" not in answer.headers:
                sys.exit(f"{name} was not received: {answer.status} {body!r}")
            took.append(time.perf_counter() - began)

    threads = [threading.Thread(target=connection) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def processor_times(server: psutil.Process) -> tuple[float, float]:
    """Seconds of processor the server and its children have used."""
    own = server.cpu_times()
    children = own.children_user + own.children_system
    for child in server.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        children += times.user + times.system + times.children_user + times.children_system
    return own.user + own.system, children


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--warm", type=int, default=0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", default="")
    parser.add_argument("--source", type=Path, default=SHARED)
    options = parser.parse_args()

    files = real_files(options.warm + options.files, options.source)
    with tempfile.TemporaryDirectory(prefix="zairyo-benchmark-") as folder:
        run(options, files, Path(folder))


def run(options: argparse.Namespace, files: list[tuple[str, bytes]], folder: Path) -> None:
    settings = Settings(data=folder / "data", database=options.database)
    settings.data.mkdir()
    db = Database(settings.database_url)
    migrate(db)
    token = agent_token(db)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "zairyo", "serve", "--data", str(settings.data), "--port", str(port)]
    command += ["--workers", str(options.workers)]
    if options.database:
        command += ["--database", options.database]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(process, port)
            print(f"first answer after      {time.perf_counter() - began:6.2f} s")
            server = psutil.Process(process.pid)
            print(f"memory at rest          {server.memory_info().rss / 1e6:6.0f} MB")
            warm, files = files[: options.warm], files[options.warm :]
            if warm:
                send_all(port, token, warm, options.connections)
                wait_until_translated(db, len(warm))
                time.sleep(2.0)  # what it does when it has nothing else to do
            before = processor_times(server)
            client_before = time.process_time()
            began = time.perf_counter()
            took = sorted(send_all(port, token, files, options.connections))
            received = time.perf_counter() - began
            middle = processor_times(server)
            client = time.process_time() - client_before
            wait_until_translated(db, len(warm) + len(files))
            ended = time.perf_counter() - began
            after = processor_times(server)
            report(
                options, took, received, ended, [a - b for a, b in zip(after, before, strict=True)], client
            )
            print(
                f"server while receiving  {1000 * (middle[0] - before[0]) / len(files):6.1f} ms of processor a file"
            )
            print(f"memory after            {server.memory_info().rss / 1e6:6.0f} MB")
            print(f"fsync alone             {fsync_rate(folder, files[0][1]):6.0f} files/s")
        finally:
            process.terminate()
    db.close()


def report(
    options: argparse.Namespace,
    took: list[float],
    received: float,
    ended: float,
    used: list[float],
    client: float,
) -> None:
    count = options.files
    print(f"receipts                {count / received:6.0f} files/s, each durable")
    print(
        f"  median and 99 %       {1000 * took[count // 2]:6.1f} and {1000 * took[count * 99 // 100]:.1f} ms"
    )
    print(f"translated, searchable  {count / ended:6.0f} files/s end to end")
    for what, seconds in (("server", used[0]), ("translation", used[1]), ("this client", client)):
        print(f"  {what:<20}  {1000 * seconds / count:6.1f} ms of processor a file")


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/api/v1/health")
            connection.getresponse().read()
            return
        except OSError:
            if process.poll() is not None:
                sys.exit("the server ended")
            time.sleep(0.02)
        finally:
            connection.close()


def wait_until_translated(db: Database, count: int) -> None:
    m = models.Measurement
    while True:
        with db.read() as session:
            rows = session.execute(select(m.state, func.count()).group_by(m.state)).all()
        states = {str(state): int(number) for state, number in rows}
        if states.get(models.TRANSLATED, 0) == count:
            return
        if states.get(models.NOT_TRANSLATED):
            sys.exit(f"some files were not translated: {states}")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
