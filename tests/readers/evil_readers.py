"""Readers that do what a hostile file might make a reader do. Loaded into the sandbox's child by its tests."""

from __future__ import annotations

import ctypes
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Signal
from zairyo.readers._api import RawInput, Reader


def _measurement(title: str = "good") -> Measurement:
    axis = Axis("two_theta", np.arange(3.0), "deg")
    return Measurement(
        (Entry("scan", "xrd", (axis,), (Signal("intensity", np.ones(3), "counts", ("two_theta",)),)),),
        title=title,
    )


def _good(raw: RawInput) -> Measurement:
    return _measurement()


def _loop(raw: RawInput) -> Measurement:
    while True:
        pass


def _sleep(raw: RawInput) -> Measurement:
    time.sleep(3600)
    return _measurement()


def _allocate(raw: RawInput) -> Measurement:
    kept = [bytearray(1 << 30) for _ in range(64)]
    return _measurement(str(len(kept)))


def _print(raw: RawInput) -> Measurement:
    for _ in range(1000):
        sys.stdout.write("\x00\x00\x00\x05{}garbage" * 100)
        sys.stderr.write("garbage" * 100)
    sys.stdout.flush()
    for number in range(3, 20):  # whatever else is open
        try:
            os.write(number, b"\x00\x00\x00\x02{}")
        except OSError:
            continue
    return _measurement()


def _exit(raw: RawInput) -> Measurement:
    os._exit(0)


def _segfault(raw: RawInput) -> Measurement:
    ctypes.string_at(0)
    return _measurement()


def _raise(raw: RawInput) -> Measurement:
    raise IndexError("list index out of range")


def _attempts(raw: RawInput) -> Measurement:
    """Try to get out in every way; the title lists those that worked."""
    secret, outside = Path(raw.path.parent, "secret.txt"), Path(raw.path.parent, "written.txt")

    def fork() -> None:
        if os.fork() == 0:
            os._exit(0)

    attempts = {
        "read": secret.read_bytes,
        "write": lambda: outside.write_text("x"),
        "link": lambda: os.symlink("/etc/passwd", raw.path.parent / "link"),
        "delete": raw.path.unlink,
        "tmp": lambda: Path("/tmp/zairyo-evil").write_text("x"),
        "beside": lambda: Path(tempfile.gettempdir()).with_name("other").write_text("x"),
        "out": lambda: Path(tempfile.gettempdir(), "f").rename(outside),
        "passwd": Path("/etc/shadow").read_bytes,
        "parent": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
        "fork": fork,
        "run": lambda: subprocess.run(["/bin/true"], check=False),
        "socket": lambda: socket.create_connection(("127.0.0.1", int(raw.head.split()[2])), timeout=1),
        "kill": lambda: os.kill(os.getppid(), 0),
    }
    Path(tempfile.gettempdir(), "f").touch()
    worked = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        worked.append(name)
    return _measurement(" ".join(worked) or "nothing")


def _threads(raw: RawInput) -> Measurement:
    """What some libraries do for speed."""
    with ThreadPoolExecutor(4) as pool:
        return _measurement(" ".join(pool.map(str, range(4))))


def _set(raw: RawInput) -> Measurement:
    """Tell what the files of the set hold, then what the one beside them does."""
    said = [raw.member(name).decode() for name in raw.members if not name.endswith(".evil")]
    try:
        said.append(Path(raw.path.parent, "secret.txt").read_text())
    except OSError:
        said.append("and no more")
    return _measurement(" ".join(said))


def _process(raw: RawInput) -> Measurement:
    """Tell the process, and the files that it can see beside its own."""
    beside = sorted(p.name for p in raw.path.parent.iterdir()) if "zairyo-" in str(raw.path) else []
    return _measurement(" ".join([str(os.getpid()), *beside]))


def _scratch(raw: RawInput) -> Measurement:
    """Tell what was in the scratch folder, then leave things there that are not easily removed."""
    folder = Path(tempfile.gettempdir())
    found = sorted(p.name for p in folder.iterdir())
    with tempfile.NamedTemporaryFile(delete=False) as f:
        f.write(b"for the next file")
    hidden = folder / "hidden" / "deeper"
    hidden.mkdir(parents=True)
    (hidden / "file").write_text("x")
    (hidden / "file").rename(folder / "moved")
    hidden.parent.chmod(0)
    return _measurement(" ".join([str(os.getpid()), *found]))


def _links(raw: RawInput) -> Measurement:
    """Try to have things in the scratch folder that are not files; the title lists those that worked."""
    folder = Path(tempfile.gettempdir())
    attempts = {
        "symlink": lambda: os.symlink("/etc/passwd", folder / "symlink"),
        "hardlink": lambda: os.link(raw.path, folder / "hardlink"),
        "fifo": lambda: os.mkfifo(folder / "fifo"),
        "device": lambda: os.mknod(folder / "device", stat.S_IFCHR | 0o600, os.makedev(1, 3)),
    }
    worked = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        worked.append(name)
    return _measurement(" ".join(worked) or "nothing")


def _fill(raw: RawInput) -> Measurement:
    """Write more than the scratch folder may hold, in files of which none is too large."""
    for number in range(10_000):
        Path(tempfile.gettempdir(), str(number)).write_bytes(bytes(256 * 1024))
        time.sleep(0.001)
    return _measurement()


def _litter(raw: RawInput) -> Measurement:
    """Make more files than the scratch folder may hold."""
    for number in range(10_000_000):
        Path(tempfile.gettempdir(), str(number)).touch()
    return _measurement()


def _environment(raw: RawInput) -> Measurement:
    return _measurement(" ".join(sorted(os.environ)))


def _large(raw: RawInput) -> Measurement:
    rng = np.random.default_rng(0)
    axis = Axis("two_theta", np.arange(400_000.0), "deg")
    values = rng.random(400_000)
    return Measurement(
        (Entry("scan", "xrd", (axis,), (Signal("intensity", values, "counts", ("two_theta",)),)),)
    )


def _patch(raw: RawInput, dumps: Any, summarise: Any = None) -> Measurement:
    """Replace what the child stores and tells, as code running in it could."""
    from zairyo.measurement import nexus, summary

    if dumps is not None:
        nexus.dumps = dumps
    if summarise is not None:
        summary.summarise = summarise
    return _measurement()


def _hdf5(build: Any) -> bytes:
    import io

    import h5py

    from zairyo.measurement import nexus

    buffer = io.BytesIO(nexus.dumps(_measurement()))
    with h5py.File(buffer, "r+") as file:
        build(h5py, file)
    return buffer.getvalue()


def _external_link(raw: RawInput) -> Measurement:
    def build(h5py: Any, file: Any) -> None:
        file["scan/data/leak"] = h5py.ExternalLink("/etc/passwd.h5", "/")

    data = _hdf5(build)
    return _patch(raw, lambda m: data)


def _not_hdf5(raw: RawInput) -> Measurement:
    return _patch(raw, lambda m: b"this is no HDF5 file")


def _script(raw: RawInput) -> Measurement:
    from zairyo.measurement import summary

    true = summary.summarise
    return _patch(raw, None, lambda m: {**true(m), "thumbnail": '"/><script>alert(1)</script>'})


def _wrong_types(raw: RawInput) -> Measurement:
    from zairyo.measurement import summary

    true = summary.summarise
    return _patch(raw, None, lambda m: {**true(m), "entries": [{"name": "../../etc"}]})


def _everywhere(data: bytes) -> None:
    for number in range(3, 64):
        try:
            os.write(number, data)
        except OSError:
            continue


def _flood(raw: RawInput) -> Measurement:
    _everywhere(b"[" * (20 << 20))
    return _measurement()


def _deep(raw: RawInput) -> Measurement:
    """An answer that is JSON, nested deeper than a parser can follow."""
    _everywhere(b"[" * 1_000_000)
    os._exit(0)


def _make(name: str, read: Any) -> Reader:
    magic = f"EVIL {name} ".encode()
    return Reader(name, "1", ("xrd",), "Evil", name, (), lambda raw: float(raw.head.startswith(magic)), read)


READERS = tuple(
    _make(name.removeprefix("_"), function)
    for name, function in list(globals().items())
    if name.startswith("_")
    and getattr(function, "__annotations__", {}) == {"raw": "RawInput", "return": "Measurement"}
)
