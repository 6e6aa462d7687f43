"""From a folder of small real files to searchable measurements: Zairyo beside Tiled and rdetoolkit, in one run.

    python benchmarks/folder.py [--files 1000] [--peers DIR]

``--peers`` is a virtual environment with ``benchmarks/peers/requirements.txt``; without it one is made in
``build/peers``. Every system gets the same files on the same disk, one system after the other.

Zairyo's time is from starting the agent, with the files already in the folder, until a search finds all of
them translated; every receipt is durable by then. Tiled's is that of ``tiled register`` against its own server
(catalogue in SQLite). rdetoolkit has neither server nor search: its time is that of structuring the files.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
ZAIRYO = [sys.executable, "-m", "zairyo"]
PASSWORD = "benchmark-password"


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--files", type=int, default=1000)
    options.add_argument("--peers", type=Path)
    options.add_argument("--no-peers", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="zairyo-bench-", dir=ROOT.parent) as folder:
        base = Path(folder)
        csv, xrdml = base / "csv", base / "xrdml"
        make_csv(csv, given.files)
        make_xrdml(xrdml, given.files)
        fsyncs = fsync_rate(base)
        print(
            f"this disk: {fsyncs:.0f} fsyncs/s one after the other; {os.cpu_count()} cores; {given.files} files\n"
        )
        figures = {
            "zairyo, infrared .csv": zairyo(base / "z-csv", csv, given.files),
            "zairyo, XRD .xrdml": zairyo(base / "z-xrdml", xrdml, given.files),
        }
        if not given.no_peers:
            python = peers(given.peers and given.peers.resolve())
            figures["tiled register, infrared .csv"] = tiled(base / "tiled", csv, given.files, python)
            figures["rdetoolkit, infrared .csv"] = rdetoolkit(base / "rde", csv, given.files, python)
        mine = figures["zairyo, infrared .csv"]
        print(f"\n{'':34}{'files/s':>9}   times slower than Zairyo on the same files")
        for name, rate in figures.items():
            ratio = "" if name.startswith("zairyo") else f"{mine / rate:6.1f}"
            print(f"{name:34}{rate:9.1f}   {ratio}")


def make_csv(folder: Path, count: int) -> None:
    """Copies of a real infrared spectrum, each with another first transmittance."""
    folder.mkdir()
    text = (EXAMPLES / "infrared" / "poly2.csv").read_text()
    for i in range(count):
        (folder / f"spectrum-{i:05}.csv").write_text(
            text.replace("4000.00,99.87", f"4000.00,{90 + i / 1000:.3f}", 1)
        )
    _age(folder)


def make_xrdml(folder: Path, count: int) -> None:
    """Copies of a real diffractogram, each with a comment of its own."""
    folder.mkdir()
    data = (EXAMPLES / "diffraction" / "Scan_C2.xrdml").read_bytes()
    for i in range(count):
        (folder / f"scan-{i:05}.xrdml").write_bytes(data.rstrip() + b"\n<!-- %d -->\n" % i)
    _age(folder)


def _age(folder: Path) -> None:
    """An instrument's finished files are not from this second; the agent would wait for those to be stable."""
    past = time.time() - 3600
    for path in folder.iterdir():
        os.utime(path, (past, past))


def fsync_rate(folder: Path) -> float:
    path = folder / "fsync"
    with path.open("wb") as f:
        began = time.perf_counter()
        for _ in range(100):
            f.write(b"x" * 4096)
            f.flush()
            os.fsync(f.fileno())
    return 100 / (time.perf_counter() - began)


@contextmanager
def running(
    *command: object, log: Path, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)


def admin(data: Path, *words: str, stdin: str = "") -> str:
    done = subprocess.run(
        [*ZAIRYO, "admin", "--data", str(data), *words],
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def zairyo(base: Path, files: Path, count: int) -> float:
    """Files a second from the agent's start until all are found translated."""
    data, state = base / "data", base / "agent"
    base.mkdir()
    admin(data, "account", "add", "bench@example.org", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    admin(data, "project", "add", "Bench", "--slug", "bench", "--steward", "bench@example.org")
    admin(data, "instrument", "add", "Instrument", "--slug", "instrument", "--project", "bench")
    code = next(
        w for w in admin(data, "instrument", "pair", "instrument").split() if len(w) == 9 and w[4] == "-"
    )
    url = "http://127.0.0.1:8197"
    with running(*ZAIRYO, "serve", "--data", data, "--port", 8197, log=base / "server.log") as server:
        began = time.perf_counter()
        wait_for(f"{url}/")
        print(f"zairyo: first page after {time.perf_counter() - began:.1f} s", end="", flush=True)
        time.sleep(3)
        print(f", {resident_mib(server.pid):.0f} MiB at rest", flush=True)
        subprocess.run(
            [*ZAIRYO, "agent", "pair", url, code, "--folder", str(files), "--state", str(state)],
            check=True, capture_output=True,
        )  # fmt: skip
        with httpx.Client(base_url=url, headers={"X-Zairyo": "web"}) as client:
            client.post(
                "/api/v1/session", json={"email": "bench@example.org", "password": PASSWORD}
            ).raise_for_status()
            began = time.perf_counter()
            received = 0.0
            with running(*ZAIRYO, "agent", "run", "--state", state, log=base / "agent.log"):
                for wanted in (
                    "",
                    "translated",
                ):  # one question at a time: the answers cost the same processors
                    while (total := _total(client, wanted)) < count:
                        if time.perf_counter() - began > 600:
                            raise SystemExit(f"only {total} arrived; see {base}")
                        time.sleep(0.2)
                    received = received or time.perf_counter() - began
                seconds = time.perf_counter() - began
    print(
        f"zairyo, {files.name}: all received after {received:.1f} s, all searchable after {seconds:.1f} s",
        flush=True,
    )
    return count / seconds


def _total(client: httpx.Client, state: str) -> int:
    answer = client.get("/api/v1/measurements", params={"limit": 1, **({"state": state} if state else {})})
    return int(answer.raise_for_status().json()["total"])


def tiled(base: Path, files: Path, count: int, python: Path) -> float:
    """Files a second of ``tiled register``."""
    base.mkdir()
    (base / "written").mkdir()
    command = python.with_name("tiled")
    url = "http://127.0.0.1:8198"
    with running(
        command, "serve", "catalog", base / "catalogue.db", "--init", "--read", files, "--write", base / "written",
        "--api-key", "secret",
        "--port", 8198, log=base / "server.log",
    ):  # fmt: skip
        wait_for(f"{url}/api/v1/")
        began = time.perf_counter()
        subprocess.run(
            [str(command), "register", f"{url}/api/v1/", str(files), "--api-key", "secret"],
            check=True, capture_output=True,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        found = httpx.get(f"{url}/api/v1/metadata/", headers={"Authorization": "Apikey secret"}).json()
        there = found["data"]["attributes"]["structure"]["count"]
        if there < min(count, 100):  # it counts no further than a hundred or so
            print(f"tiled: {there} of {count} registered")
    print(f"tiled: {seconds:.1f} s", flush=True)
    return count / seconds


def rdetoolkit(base: Path, files: Path, count: int, python: Path) -> float:
    """Files a second of rdetoolkit's MultiDataTile."""
    base.mkdir()
    subprocess.run([str(python), "-m", "rdetoolkit", "init"], cwd=base, check=True, capture_output=True)
    home = base / "container"
    target = home / "data" / "inputdata"
    shutil.copytree(files, target, dirs_exist_ok=True)
    script = ROOT / "benchmarks" / "peers" / "rdetoolkit_tiles.py"
    began = time.perf_counter()
    done = subprocess.run([str(python), str(script)], cwd=home, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"rdetoolkit failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    print(f"rdetoolkit: {seconds:.1f} s, {done.stdout.strip().splitlines()[-1]}", flush=True)
    return count / seconds


def peers(folder: Path | None) -> Path:
    """The Python of the peers' environment, made where it is not there."""
    folder = folder or ROOT / "build" / "peers"
    python = folder / "bin" / "python"
    if not python.exists():
        print("making the peers' environment …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        requirements = ROOT / "benchmarks" / "peers" / "requirements.txt"
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(requirements)], check=True)
    return python


def wait_for(url: str) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        try:
            if httpx.get(url, timeout=2).status_code < 500:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.02)
    raise SystemExit(f"{url} did not answer")


def resident_mib(pid: int) -> float:
    """Resident memory of a process and its children, MiB (Linux)."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:
            continue
        if int(fields["Pid"]) == pid or int(fields["PPid"]) == pid:
            total += int(fields.get("VmRSS", "0 kB").split()[0])
    return total / 1024


if __name__ == "__main__":
    main()
