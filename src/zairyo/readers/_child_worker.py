"""Workers: forks of the sandbox's child, each locked in before it sees a file. Linux only.

A worker serves one file, or several small ones of one group (of people who share their files anyway): a fork
that is used once costs about 2,000 page faults. It is ended after any failure. It can open Python's libraries
and its input and nothing else; the file for its result comes to it open, over the socket it answers on. It can
write in a scratch folder of its own, which is bounded, emptied after each file and removed with the worker.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from zairyo.readers import _child_frames as frames
from zairyo.readers import _child_linux as linux
from zairyo.readers import _child_scratch as scratch
from zairyo.readers._child import translate
from zairyo.readers.limits import Limits

#: A larger file, and a folder, has a worker of its own: only small files are copied where a lasting worker sees them.
_SMALL = 16 * 1024**2
_FILES = 100
_GRACE = 0.5  # s, for a worker that closed its socket to end by itself
_LOOK = 0.2  # s between two looks at how full a worker's scratch folder is
_LENGTH = struct.Struct(">I")

#: How the work ended (``done``, ``timeout``, ``overfull`` or ``crashed``), with what, and the worker's answer.
Outcome = tuple[str, str, bytes]


class Workers:
    """The workers of one child process: at most one at a time.

    Parameters
    ----------
    registry
        The readers.
    requests
        The pipe from the parent: when it is closed, the work ends.
    inbox
        An empty folder, where each worker gets one of its own.
    """

    def __init__(self, registry: Any, requests: BinaryIO, inbox: Path) -> None:
        self._registry = registry
        self._requests = requests
        self._inbox = inbox
        self._kept: _Worker | None = None
        self._kept_for: object = None
        self._needs = [str(folder) for reader in registry.readers.values() for folder in reader.needs]
        alone = ["network namespace"] if linux.leave_network() else []
        linux.prepare()
        self.protections = [*alone, *self._try_locks()]

    def translate(self, request: dict[str, Any]) -> Outcome:
        limits = Limits(**request["limits"])
        if request["fresh"]:
            self._drop()
        source = Path(request["input"])
        group = request["group"]
        if group is None or request["parts"] or not source.is_file() or source.stat().st_size > _SMALL:
            worker = self._start(limits, request["parts"] or [str(source)])
            try:
                return worker.translate(request)
            finally:
                worker.end()
        worker = self._worker_for(group, limits)
        try:
            copy = worker.room.put(source)
            outcome = worker.translate({**request, "input": str(copy)})
        except OSError as e:
            message = f"{source.name} cannot be read: {e.strerror or e}"
            return "done", "", json.dumps({"kind": "unreadable", "message": message}).encode()
        finally:
            worker.room.withdraw()
            scratch.empty(worker.room.scratch)
        if outcome[0] != "done" or b'"summary"' not in outcome[2]:
            self._drop()
        return outcome

    def close(self) -> None:
        self._drop()
        shutil.rmtree(self._inbox, ignore_errors=True)  # the parent does it too, unless it was killed

    def _worker_for(self, group: str, limits: Limits) -> _Worker:
        if self._kept is None or self._kept_for != (group, limits) or not self._kept.is_fresh():
            self._drop()
            self._kept = self._start(limits, [])
            self._kept_for = (group, limits)
        return self._kept

    def _start(self, limits: Limits, readable: list[str]) -> _Worker:
        room = scratch.Room.make(self._inbox)
        return _Worker(self._registry, self._requests, limits, [*self._needs, *readable], room)

    def _drop(self) -> None:
        if self._kept is not None:
            self._kept.end()
            self._kept = None

    def _try_locks(self) -> list[str]:
        """Learn from a trial fork which of the locks hold here."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(Exception):
                os.write(writing, ",".join(_lock(Limits(), [], str(self._inbox))).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as f:
            names = f.read(1000).decode()
        os.waitpid(pid, 0)
        return [name for name in names.split(",") if name]


def _lock(limits: Limits, readable: list[str], writable: str) -> list[str]:
    """Lock this process in; the names of the locks that hold."""
    locks = {
        "resource limits": lambda: linux.limit_resources(limits),
        "file system": lambda: linux.restrict_files(readable, writable),
        "system calls": linux.restrict_calls,
    }
    held = []
    for name, lock in locks.items():
        with contextlib.suppress(OSError, ValueError):
            if lock():
                held.append(name)
    return held


class _Worker:
    """One worker, seen from the process that forked it. What it says is not trusted."""

    def __init__(
        self, registry: Any, requests: BinaryIO, limits: Limits, readable: list[str], room: scratch.Room
    ) -> None:
        self.room = room
        self._requests = requests
        self._limits = limits
        self._served = 0
        self._socket, other = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            _be_worker(registry, limits, [*readable, str(room.files)], room.scratch, other)
        other.close()
        with contextlib.suppress(OSError):  # the worker does the same; whoever is first
            os.setpgid(self._pid, self._pid)

    def is_fresh(self) -> bool:
        """Whether it may have another file: not too many yet, alive, and silent since its last answer."""
        return self._served < _FILES and not select.select([self._socket], [], [], 0)[0]

    def translate(self, request: dict[str, Any]) -> Outcome:
        self._served += 1
        data = json.dumps(request).encode()
        try:
            with open(request["output"], "r+b") as result:
                socket.send_fds(self._socket, [_LENGTH.pack(len(data))], [result.fileno()])
            self._socket.sendall(data)
        except OSError:
            return self._crash()
        end, reply = self._collect(time.monotonic() + self._limits.seconds)
        if end == "crashed":
            return self._crash()
        return end, "", reply

    def _collect(self, deadline: float) -> tuple[str, bytes]:
        """How the work ended and the worker's answer; :class:`FrameError` if our own parent is gone."""
        data = bytearray()
        length = _LENGTH.size
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._requests.fileno(), 0)  # only its hanging up
        look = time.monotonic() + _LOOK
        while (left := deadline - time.monotonic()) > 0:
            if time.monotonic() > look:
                if scratch.is_overfull(self.room.scratch, self._limits):
                    return "overfull", b""
                look = time.monotonic() + _LOOK
            for descriptor, _ in poll.poll(min(left, _LOOK) * 1000):
                if descriptor != self._socket.fileno():
                    self.end()
                    raise frames.FrameError("the parent is gone")
                part = self._socket.recv(1 << 16)
                if not part:
                    return "crashed", b""
                data += part
            if len(data) >= _LENGTH.size:
                (said,) = _LENGTH.unpack(data[: _LENGTH.size])
                length = _LENGTH.size + said
                if said > frames.MOST_REPLY_BYTES or len(data) > length:
                    return "crashed", b""
                if len(data) == length:
                    return "done", bytes(data[_LENGTH.size :])
        return "timeout", b""

    def _crash(self) -> Outcome:
        status = self.end(_GRACE)
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number == signal.SIGXCPU:
                return "timeout", "", b""
            return "crashed", signal.Signals(number).name, b""
        return (
            "crashed",
            f"it ended with status {os.waitstatus_to_exitcode(status)} and said nothing sensible",
            b"",
        )

    def end(self, grace: float = 0.0) -> int:
        """The worker's exit status; it and its process group are killed if they have not ended within ``grace`` s."""
        if self._pid == 0:
            return 0
        deadline = time.monotonic() + grace
        pause = 0.0001
        status = None
        while status is None and time.monotonic() < deadline:
            ended, found = os.waitpid(self._pid, os.WNOHANG)
            status = found if ended else None
            time.sleep(pause)
            pause = min(pause * 2, 0.01)
        if status is None:
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(OSError):
                    kill(self._pid, signal.SIGKILL)
            status = os.waitpid(self._pid, 0)[1]
        self._pid = 0
        self._socket.close()
        self.room.remove()
        return status


def _be_worker(
    registry: Any, limits: Limits, readable: list[str], writable: Path, channel: socket.socket
) -> NoReturn:
    """Serve requests until the socket closes. In the fork; never returns."""
    try:
        os.setpgid(0, 0)
        linux.die_with_parent()
        # Standard input to error lead nowhere; the pipes of the process that forked are not for this one.
        os.dup2(0, 2)
        _close_all_but({0, 1, 2, channel.fileno(), *linux.library_descriptors()})
        # Processor time adds up over a worker's files; each has its wall-clock limit from outside.
        _lock(replace(limits, seconds=limits.seconds * _FILES), readable, str(writable))
        scratch.use(writable)
        answers = os.fdopen(os.dup(channel.fileno()), "wb")
        while request := _receive(channel):
            descriptor, message = request
            with os.fdopen(descriptor, "wb") as result:
                reply = json.dumps(translate(message, registry, result)).encode()
            frames.send(answers, reply)
    finally:
        os._exit(1)


def _receive(channel: socket.socket) -> tuple[int, dict[str, Any]] | None:
    """A request and the open file for its result; None when the socket is closed."""
    head, descriptors, _, _ = socket.recv_fds(channel, _LENGTH.size, 1)
    if len(head) < _LENGTH.size or len(descriptors) != 1:
        return None
    (length,) = _LENGTH.unpack(head)
    data = b""
    while len(data) < length:
        part = channel.recv(length - len(data))
        if not part:
            return None
        data += part
    return descriptors[0], frames.parse(data)


def _close_all_but(keep: set[int]) -> None:
    for number in map(int, os.listdir("/proc/self/fd")):
        if number not in keep:
            with contextlib.suppress(OSError):
                os.close(number)
