"""The parent's end of the sandbox's child process: start it, ask it, end it."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from typing import IO, Any, cast

from zairyo.readers import _child_frames as frames

_START_SECONDS = 60.0


class SandboxError(RuntimeError):
    """The child process cannot be started; the message holds the end of what it said."""


class Child:
    """The process, and a thread that takes its messages off the pipe."""

    def __init__(self, reader_files: list[str]) -> None:
        from zairyo.readers.registry import format_folders

        self.forks = sys.platform == "linux"
        self.served = 0
        self._ids = itertools.count()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed in end())
        self._inbox = tempfile.mkdtemp(prefix="zairyo-")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "zairyo.readers._child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(),
            cwd=tempfile.gettempdir(),
            close_fds=True,
            start_new_session=True,
        )
        self._messages: queue.Queue[bytes | None] = queue.Queue(maxsize=8)
        self._reader = threading.Thread(target=self._take, name="zairyo-sandbox", daemon=True)
        self._reader.start()
        folders = [str(f.resolve()) for f in format_folders()]
        try:
            self._send({"folders": folders, "files": reader_files, "inbox": self._inbox})
            hello = frames.parse(self._next(_START_SECONDS))
        except (queue.Empty, frames.FrameError, OSError) as e:
            said = self._said()
            self.end()
            raise SandboxError(
                f"the translation process does not start ({e or 'no answer'}): {said}"
            ) from None
        except BaseException:
            self.end()
            raise
        self.protections = tuple(hello["protections"])
        self.problems = tuple((p["where"], p["message"]) for p in hello["problems"])

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], seconds: float) -> tuple[dict[str, Any], bytes]:
        """How the work ended (``end``, ``detail``, and the result's ``fault`` if it was checked there), and what
        the reader's process said.

        Raises
        ------
        queue.Empty
            No answer in time.
        FrameError, OSError
            The child is gone or talks nonsense.
        """
        number = next(self._ids)
        self.served += 1
        self._send({"id": number, **request})
        header, reply = frames.split_answer(self._next(seconds))
        if header.get("id") != number:
            raise frames.FrameError("it answered another request")
        return header, reply

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        frames.send_json(cast("Any", self._process.stdin), message)

    def _next(self, seconds: float) -> bytes:
        message = self._messages.get(timeout=max(0.001, seconds))
        if message is None:
            raise frames.FrameError("it ended")
        return message

    def _take(self) -> None:
        with contextlib.suppress(frames.FrameError, OSError, ValueError):
            while True:
                self._messages.put(frames.receive(cast("Any", self._process.stdout)))
        self._messages.put(None)

    def _said(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            size = self._errors.seek(0, os.SEEK_END)
            self._errors.seek(max(0, size - 2000))
            return self._errors.read(2000).decode("utf-8", "replace").strip()
        return ""

    def kill(self) -> None:
        """Kill the process, whose forks die with it; ``end`` is still to be called."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def end(self) -> None:
        """Kill the process and whatever is in its group, at once."""
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        while self._reader.is_alive():  # it may wait to put a message nobody takes
            with contextlib.suppress(queue.Empty):
                self._messages.get(timeout=0.05)
        shutil.rmtree(self._inbox, ignore_errors=True)
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _environment() -> dict[str, str]:
    """Nothing of this process' environment but what the system and numerical libraries need."""
    kept = {k: os.environ[k] for k in ("SYSTEMROOT", "TZ", "TEMP", "TMP", "TMPDIR") if k in os.environ}
    one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM")}
    return {**kept, **one_thread, "LC_ALL": "C.UTF-8", "HDF5_USE_FILE_LOCKING": "FALSE"}
