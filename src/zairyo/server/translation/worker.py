"""One thread with one sandbox: work in, results out."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from zairyo.readers.limits import Limits
from zairyo.readers.sandbox import Failure, Result, Sandbox, SandboxError
from zairyo.server.intake.names import portable
from zairyo.server.objects import Objects
from zairyo.server.translation.inputs import lay_out
from zairyo.server.translation.leases import Companion, Work

log = logging.getLogger(__name__)

#: An idle child process is ended after so long, so that a server at rest is small.
IDLE_SECONDS = 120.0
#: A child that cannot be started is tried again after so long.
PAUSE_SECONDS = 5.0
Companions: TypeAlias = tuple[Companion, ...]
#: How a translation ends where names deceived and what is in the files is no set: a reader that a person chose
#: (True) is not asked first whether it knows it.
_NO_SET = {False: ("unknown_format",), True: ("unknown_format", "damaged")}


class Worker(threading.Thread):
    """Translates until ``take`` gives None for the end.

    Parameters
    ----------
    take
        Gives the next work; after so many seconds without any, raises ``TimeoutError``; None to end.
    done
        Is given each work with its result, the result's path lying in ``folder``, and which of ``work.sets`` it was
        read with.
    folder
        For this worker alone, on the file system of the objects.
    """

    def __init__(
        self,
        take: Callable[[float], Work | None],
        done: Callable[[Work, Result, Companions], None],
        objects: Objects,
        folder: Path,
        limits: Limits,
    ) -> None:
        super().__init__(name=f"translation-{folder.name}", daemon=True)
        self._take = take
        self._done = done
        self._objects = objects
        self._folder = folder
        # Where raw files are laid out, under the measurement's name while it is translated. One folder, renamed:
        # file systems that do not use a deleted file's number again for minutes (ext4) search the longer for a
        # free one the more were deleted.
        self._idle = folder / "idle"
        self._sandbox = Sandbox(limits)
        self._interrupted = threading.Event()

    def run(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._idle.mkdir(exist_ok=True)
        try:
            while True:
                try:
                    work = self._take(IDLE_SECONDS)
                except TimeoutError:
                    self._sandbox.close()
                    continue
                if work is None:
                    return
                self._done(work, *self._translate(work))
        finally:
            self._sandbox.close()  # results that are not stored yet stay in the folder

    def interrupt(self) -> None:
        """End at once, whatever is in hand; from another thread."""
        self._interrupted.set()
        self._sandbox.interrupt()

    def _translate(self, work: Work) -> tuple[Result, Companions]:
        while True:
            try:
                # First, so that what lies in the folder when this process is killed was really being read.
                self._sandbox.start()
                return self._read(work)
            except SandboxError as e:
                # Nothing is wrong with the file: it is this machine that cannot start a process now.
                log.error("translation waits %.0f s: %s", PAUSE_SECONDS, e)
                if self._interrupted.wait(PAUSE_SECONDS):
                    return Failure("output", str(e)[:2000]), ()

    def _read(self, work: Work) -> tuple[Result, Companions]:
        began = time.perf_counter()
        inputs = self._folder / work.uid
        try:
            self._idle.rename(inputs)
            for number, companions in enumerate(work.sets):
                result = self._read_with(work, companions, inputs / str(number))
                if not (isinstance(result, Failure) and result.kind in _NO_SET[work.reader is not None]):
                    return result, companions
            return self._read_with(work, (), inputs), ()
        except FileNotFoundError as e:
            message = f"A raw file is not among the objects: {e}"
            return Failure("unreadable", message, time.perf_counter() - began), ()
        except OSError as e:
            message = f"There is no room to translate it: {e}"
            return Failure("output", message, time.perf_counter() - began), ()
        finally:
            self._clear(inputs)

    def _read_with(self, work: Work, companions: Companions, inputs: Path) -> Result:
        path = lay_out(work, self._objects, inputs, companions)
        files = (*work.files, *(c.file for c in companions))
        is_set = len(files) > 1 and not work.folder
        return self._sandbox.translate(
            path,
            self._folder,
            parts=[path.with_name(portable(f.name)) for f in files] if is_set else (),
            reader=work.reader,
            raw_files=files,
            name=f"{work.uid}.nxs",
            group=f"project {work.project_id}",  # who is in it may see all of it anyway
        )

    def _clear(self, inputs: Path) -> None:
        """Have the folder empty, under its own name; whatever stands in the way, a new one is made."""
        try:
            for path in inputs.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            inputs.rename(self._idle)
        except OSError:
            shutil.rmtree(inputs, ignore_errors=True)
            with suppress(OSError):
                self._idle.mkdir(exist_ok=True)
