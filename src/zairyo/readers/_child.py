"""The child process of the sandbox: ``python -I -m zairyo.readers._child``.

It loads every reader and the libraries once, then serves requests from its standard input. On Linux it never
touches a file itself: it forks for each, locks the fork in (see ``_child_linux``), collects what the fork says
over a pipe of its own, and kills it at the time limit. So one file can neither harm the next nor speak for it,
and the libraries stay loaded. Elsewhere it translates in this very process, and the parent replaces it after
any failure.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import select
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from zairyo.readers import _child_frames as frames
from zairyo.readers.limits import Limits

FORKS = sys.platform == "linux"
_GRACE = 0.5  # s, between the end of a fork's message and its own end


@dataclass(frozen=True)
class Outcome:
    """How the work on one file ended: ``done`` (with what it said), ``timeout``, ``crashed`` or ``flooded``."""

    end: str
    detail: str = ""
    reply: bytes = b""


def main() -> None:
    requests, answers = _take_streams()
    settings = frames.receive_json(requests)
    registry, problems = _load(settings)
    _warm_up()
    protections = ["process", "environment"]
    if FORKS:
        protections += _lock_self()
    hello = {"protections": protections, "problems": problems}
    frames.send_json(answers, hello)
    while True:
        try:
            request = frames.receive_json(requests)
        except frames.FrameError:
            return
        limits = Limits(**request["limits"])
        if FORKS:
            outcome = _fork(request, limits, registry, requests)
        else:
            with open(request["output"], "r+b") as result:
                outcome = Outcome("done", reply=json.dumps(translate(request, registry, result)).encode())
        frames.send_json(answers, {"id": request["id"], "end": outcome.end, "detail": outcome.detail})
        frames.send(answers, outcome.reply)


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent, under numbers of their own; what readers print goes nowhere."""
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    os.close(null)
    return requests, answers


def _load(settings: dict[str, Any]) -> tuple[Any, list[dict[str, str]]]:
    from zairyo.readers import registry

    loaded = registry.load([Path(f) for f in settings["folders"]], [Path(f) for f in settings["files"]])
    return loaded, [{"where": p.where, "message": p.message} for p in loaded.problems]


def _warm_up() -> None:
    """Write a small measurement once, so that every library is loaded and initialised before a fork."""
    import numpy as np

    from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal
    from zairyo.readers import invariants

    entry = Entry(
        "scan",
        "xrd",
        axes=(Axis("two_theta", np.arange(4.0), "deg"),),
        signals=(Signal("intensity", np.arange(4.0), "counts", ("two_theta",)),),
        conditions={"temperature": Quantity(300.0, "K"), "xray_tube_voltage": Quantity(4e4, "V")},
    )
    with open(os.devnull, "wb") as nowhere:
        _store(invariants.check(Measurement((entry,))), nowhere)
    gc.collect()
    gc.freeze()


def _store(measurement: Any, result: BinaryIO) -> dict[str, Any]:
    """Write the standard form to the open file, and give its summary."""
    from zairyo.measurement import nexus
    from zairyo.measurement.summary import summarise
    from zairyo.readers import _child_summary

    result.write(nexus.dumps(measurement))
    result.flush()
    summary: dict[str, Any] = _child_summary.cut(summarise(measurement))
    if len(summary["thumbnail"]) > _child_summary.MOST_THUMBNAIL:
        summary["thumbnail"] = ""
    return summary


def translate(request: dict[str, Any], registry: Any, result: BinaryIO) -> dict[str, Any]:
    """Translate one file: ``{"reader": …, "reader_version": …, "summary": …}`` or ``{"kind": …, "message": …}``."""
    from zairyo.measurement import RawFile
    from zairyo.readers import invariants
    from zairyo.readers import registry as find
    from zairyo.readers._api import ReadError

    path = Path(request["input"])
    known = request["raw_files"]
    try:
        measurement = find.read(
            path,
            request["reader"],
            registry=registry,
            raw_files=None if known is None else tuple(RawFile(*f) for f in known),
        )
    except find.UnknownFormat as e:
        return {"kind": "unknown_format", "message": str(e)}
    except find.Ambiguous as e:
        return {"kind": "ambiguous", "message": str(e)}
    except invariants.InvalidResult as e:
        return {"kind": "invalid", "message": str(e)}
    except ReadError as e:
        return {"kind": "damaged", "message": str(e)}
    except MemoryError:
        return {"kind": "memory", "message": ""}
    except OSError as e:
        return {"kind": "unreadable", "message": f"{path.name} cannot be read: {e.strerror or e}"}
    except Exception as e:
        # A reader lets nothing but ReadError out; one that does has met a file its author had not thought of.
        return {
            "kind": "damaged",
            "message": f"the reader stopped at {path.name}: {type(e).__name__}: {e}"[:500],
        }
    try:
        summary = _store(measurement, result)
    except MemoryError:
        return {"kind": "memory", "message": ""}
    except OSError as e:
        return {"kind": "too_large" if e.errno == errno.EFBIG else "output", "message": str(e)[:500]}
    except Exception as e:
        return {"kind": "invalid", "message": f"{type(e).__name__}: {e}"[:500]}
    source = measurement.source
    assert source is not None
    return {"reader": source.reader, "reader_version": source.reader_version, "summary": summary}


# --- Linux: a locked fork for each file ------------------------------------------------------------------------


def _lock_self() -> list[str]:
    """Leave the network, and learn from a trial fork which of the locks hold."""
    from zairyo.readers import _child_linux as linux

    held = ["network namespace"] if linux.leave_network() else []
    linux.prepare()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(Exception):
            os.write(writing, ",".join(_lock(Limits(), [])).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as f:
        names = f.read(1000).decode()
    os.waitpid(pid, 0)
    return [*held, *(n for n in names.split(",") if n)]


def _lock(limits: Limits, read: list[str]) -> list[str]:
    from zairyo.readers import _child_linux as linux

    locks = {
        "resource limits": lambda: linux.limit_resources(limits),
        "file system": lambda: linux.restrict_files(read),
        "system calls": linux.restrict_calls,
    }
    held = []
    for name, lock in locks.items():
        with contextlib.suppress(OSError, ValueError):
            if lock():
                held.append(name)
    return held


def _fork(request: dict[str, Any], limits: Limits, registry: Any, requests: BinaryIO) -> Outcome:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _be_worker(request, limits, registry, writing)
    os.close(writing)
    with contextlib.suppress(OSError):  # the fork does the same; whoever is first
        os.setpgid(pid, pid)
    end, reply = _collect(reading, requests, time.monotonic() + limits.seconds)
    os.close(reading)
    status = _reap(pid, grace=_GRACE if end == "done" else 0.0)
    if end == "closed":  # the parent is gone
        os._exit(0)
    if end == "done" and os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return Outcome("timeout")
        return Outcome("crashed", signal.Signals(number).name)
    if end == "done" and not reply:
        return Outcome(
            "crashed", f"it ended with status {os.waitstatus_to_exitcode(status)} and said nothing"
        )
    return Outcome(end, "it said more than a reader says about a file" if end == "flooded" else "", reply)


def _be_worker(request: dict[str, Any], limits: Limits, registry: Any, writing: int) -> NoReturn:
    """Translate one file, in the fork. Never returns."""
    status = 1
    try:
        from zairyo.readers import _child_linux as linux

        os.setpgid(0, 0)
        linux.die_with_parent()
        # Standard input to error lead nowhere; the pipes of the process that forked are not for this one.
        os.dup2(0, 2)
        _close_others({0, 1, 2, writing, *linux.library_descriptors()})
        # The one file that may be written is open before the lock; nothing can be opened for writing after. The
        # parent made it: it must not be made again after the parent has given up and removed it.
        result = open(request["output"], "r+b")  # noqa: SIM115 (open until the process ends)
        _lock(limits, [request["input"]])
        reply = json.dumps(translate(request, registry, result)).encode()
        with os.fdopen(writing, "wb") as stream:
            stream.write(reply)
        status = 0
    finally:
        os._exit(status)


def _close_others(keep: set[int]) -> None:
    numbers = [int(n) for n in os.listdir("/proc/self/fd")]
    for number in numbers:
        if number not in keep:
            with contextlib.suppress(OSError):
                os.close(number)


def _collect(reading: int, requests: BinaryIO, deadline: float) -> tuple[str, bytes]:
    """What the fork says until it closes its pipe: ``done``, ``timeout``, ``flooded``, or ``closed`` by our parent."""
    parts: list[bytes] = []
    size = 0
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    poll.register(requests.fileno(), 0)  # only its hanging up
    while (left := deadline - time.monotonic()) > 0:
        for descriptor, _event in poll.poll(left * 1000):
            if descriptor != reading:
                return "closed", b""
            part = os.read(reading, 1 << 16)
            if not part:
                return "done", b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > frames.MOST_BYTES:
                return "flooded", b""
    return "timeout", b""


def _reap(pid: int, grace: float) -> int:
    """The fork's exit status; it and its process group are killed if they have not ended within ``grace`` s."""
    deadline = time.monotonic() + grace
    pause = 0.0001
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        time.sleep(pause)
        pause = min(pause * 2, 0.01)
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


if __name__ == "__main__":
    main()
