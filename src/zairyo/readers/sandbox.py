"""Translate files that come from outside in a child process that can do no harm.

    with Sandbox(Limits(seconds=60)) as sandbox:
        result = sandbox.translate(Path("scan.xrdml"), Path("out"))

The child has no environment, no open files of this process and, where the system offers it, no network, no
other processes and no files but the input, Python's libraries, the one for its result and those it makes in a
scratch folder of its own, which is removed (:attr:`Sandbox.protections` says what holds). Whatever it says is
checked, and its result is accepted only after ``nexus.check``, by a process that did not make it; nothing is
left behind by one that failed.
"""

from __future__ import annotations

import os
import queue
import secrets
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeAlias, cast

from zairyo.measurement import RawFile
from zairyo.readers import _child_frames as frames
from zairyo.readers._child_process import Child, SandboxError
from zairyo.readers.limits import Limits

_PATIENCE = 5.0  # s that the child has beyond the file's own limit to tell that it was exceeded

#: Why a file was not translated:
#: ``unknown_format`` and ``ambiguous`` (no one reader for it), ``damaged`` (cut off, corrupt, empty, or a variant
#: the reader does not know), ``invalid`` (the result cannot be right or did not pass the check), ``too_large``,
#: ``timeout``, ``memory`` (a limit was reached), ``crashed`` (the reader took its process down), ``unreadable``
#: (the input cannot be opened), ``output`` (the result cannot be stored; the only one that is worth repeating).
Kind: TypeAlias = Literal[
    "unknown_format",
    "ambiguous",
    "damaged",
    "invalid",
    "too_large",
    "timeout",
    "memory",
    "crashed",
    "unreadable",
    "output",
]
__all__ = ["Failure", "Kind", "Result", "Sandbox", "SandboxError", "Translated", "protections"]

_FROM_CHILD = (
    "unknown_format",
    "ambiguous",
    "damaged",
    "invalid",
    "too_large",
    "memory",
    "unreadable",
    "output",
)


@dataclass(frozen=True)
class Translated:
    """A file was translated.

    Attributes
    ----------
    path
        The standard-form file.
    reader, reader_version
        Which reader did it.
    summary
        What ``zairyo.measurement.summary.summarise`` gives; checked, but made by the child.
    seconds
        Wall-clock time, s.
    """

    path: Path
    reader: str
    reader_version: str
    summary: dict[str, Any]
    seconds: float


@dataclass(frozen=True)
class Failure:
    """A file was not translated: ``kind`` for programs, ``message`` for people."""

    kind: Kind
    message: str
    seconds: float = 0.0


Result: TypeAlias = Translated | Failure


class Sandbox:
    """A child process that translates one file at a time; kept and reused, replaced when it must be.

    Parameters
    ----------
    limits
        What one file may use.
    reader_files
        Python files of readers that are not installed.

    Notes
    -----
    Safe to use from several threads; they take turns.
    """

    def __init__(self, limits: Limits | None = None, *, reader_files: Sequence[Path] = ()) -> None:
        self.limits = limits or Limits()
        self._reader_files = [str(Path(f).resolve()) for f in reader_files]
        self._child: Child | None = None
        self._turn = threading.Lock()
        self._distrust = False  # the process that gave a result that did not pass must not give another

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child. The sandbox may be used again: a new one is started then."""
        with self._turn:
            self._drop()

    def interrupt(self) -> None:
        """End the work in hand at once, from another thread: its ``translate`` returns ``crashed``."""
        child = self._child
        if child is not None:
            child.kill()

    def start(self) -> None:
        """Start the child now rather than at the first file (takes about a second)."""
        with self._turn:
            self._ready()

    @property
    def protections(self) -> tuple[str, ...]:
        """What holds here: ``process``, ``environment`` and, on Linux, ``network namespace``, ``resource limits``,
        ``file system`` (Landlock) and ``system calls`` (seccomp), each where the kernel allows it."""
        with self._turn:
            return self._ready().protections

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """Readers that could not be loaded: where they are from, and what is wrong."""
        with self._turn:
            return self._ready().problems

    def translate(
        self,
        input_path: Path,
        output_dir: Path,
        *,
        parts: Sequence[Path] = (),
        reader: str | None = None,
        raw_files: Iterable[RawFile] | None = None,
        name: str | None = None,
        group: str | None = None,
    ) -> Result:
        """Translate one raw file, or one folder of a folder format.

        Parameters
        ----------
        input_path
            The raw file. Its name helps to recognise it, so give it the instrument's name for it.
        output_dir
            Existing folder for the result.
        parts
            The files of the set whose main file is ``input_path`` (``Reader.sets``); empty if it stands alone.
        reader
            Name of the reader to use; found by content if None.
        raw_files
            Names, hashes and sizes of the raw files, if known already; else they are hashed.
        name
            File name of the result; the input's with ``.nxs`` appended if None. A file of that name is replaced.
        group
            Files of one group (of one person, one project) may be read one after another by one process, which
            is faster for small files. A hostile file that takes a reader over could then see and falsify the
            files of its group that follow. If None, the file has a process of its own.

        Raises
        ------
        SandboxError
            The child cannot be started: nothing is known about the file.
        OSError
            ``output_dir`` cannot be written.
        """
        began = time.perf_counter()
        input_path, output_dir = Path(input_path).absolute(), Path(output_dir).absolute()
        size = _size(list(parts) or [input_path], self.limits.input_bytes)
        if isinstance(size, Failure):
            return size
        known = None if raw_files is None else [[f.name, f.sha256, f.size] for f in raw_files]
        part = output_dir.resolve() / f".{secrets.token_hex(8)}.part"
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            request = {
                "input": str(input_path),
                "parts": [str(Path(part).absolute()) for part in parts],
                "output": str(part),
                "reader": reader,
                "group": group,
                "raw_files": known,
                "limits": asdict(self.limits),
            }
            with self._turn:
                answer, fault = self._ask(request)
            if isinstance(answer, Failure):
                return Failure(answer.kind, answer.message, time.perf_counter() - began)
            target = output_dir / (name or f"{input_path.name}.nxs")
            taken = _accept(answer, fault, part, target, self.limits)
            seconds = time.perf_counter() - began
            if isinstance(taken, Failure):
                self._distrust = True
                return Failure(taken.kind, taken.message, seconds)
            return Translated(target, *taken, seconds)
        finally:
            part.unlink(missing_ok=True)

    def _ready(self) -> Child:
        if self._child is not None and (self._child.served >= self.limits.files or not self._child.alive):
            self._drop()
        if self._child is None:
            self._child = Child(self._reader_files)
        return self._child

    def _drop(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any] | Failure, str | None]:
        """The answer, and what is wrong with the result: empty for nothing, None if nobody has checked it yet."""
        if self._distrust and self._child is not None and not self._child.forks:
            self._drop()
        child = self._ready()
        request["fresh"], self._distrust = self._distrust, False
        try:
            header, reply = child.ask(request, self.limits.seconds + _PATIENCE)
            end, detail, fault = (header.get(name) for name in ("end", "detail", "fault"))
            if end == "done":
                answer = frames.parse(reply)
                if not child.forks and "kind" in answer:
                    self._drop()
                return answer, fault
        except queue.Empty:
            self._drop()
            end, detail = "timeout", ""
        except (frames.FrameError, OSError) as e:
            self._drop()
            end, detail = "crashed", str(e)
        except BaseException:
            self._drop()  # Ctrl-C in the middle: the child's answer must not be taken for the next file's
            raise
        if end == "overfull":
            message = (
                f"The reader's temporary files are more than {self.limits.scratch_files:,} or larger than "
                f"{self.limits.scratch_bytes // 1024**2:,} MiB, the limit."
            )
            return Failure("too_large", message), None
        if end == "timeout":
            message = (
                f"Translating took longer than {self.limits.seconds:g} s and was stopped. If the file is very "
                "large, raise the limit; else it is probably damaged."
            )
            return Failure("timeout", message), None
        message = (
            f"The reader took its process down ({str(detail)[:200]}). The file is probably damaged; if the "
            "instrument's software opens it, please report it."
        )
        return Failure("crashed", message), None


def protections() -> tuple[str, ...]:
    """What protects this machine from a hostile file; see :attr:`Sandbox.protections`. Starts a child to ask."""
    with Sandbox() as sandbox:
        return sandbox.protections


def _size(paths: Sequence[Path], most: int) -> int | Failure:
    size = 0
    for path in paths:
        try:
            if path.is_dir():
                size += sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
            elif path.exists() and not path.is_file():
                return Failure("unreadable", f"{path.name} is neither a file nor a folder.")
            else:
                size += path.stat().st_size
        except OSError as e:
            return Failure("unreadable", f"{path.name} cannot be read: {e.strerror or e}")
    if size > most:
        return Failure("too_large", f"{paths[0].name} has {size:,} bytes; the limit is {most:,}.")
    return size


def _accept(
    answer: dict[str, Any], fault: str | None, result: Path, target: Path, limits: Limits
) -> tuple[str, str, dict[str, Any]] | Failure:
    """Take the child's result into place, if it passed or passes the check, or say why not."""
    from zairyo.measurement import MeasurementError, nexus
    from zairyo.readers import _child_summary

    kind = answer.get("kind")
    if kind is not None:
        return _failure(kind, str(answer.get("message", "")), limits)
    try:
        reader, version = answer["reader"], answer["reader_version"]
        if type(reader) is not str or type(version) is not str or len(reader) + len(version) > 200:
            raise _child_summary.SummaryError("no reader's name and version")
        summary = _child_summary.check(answer.get("summary"))
        if result.stat().st_size > limits.output_bytes:
            return _failure("too_large", "", limits)
        if fault is None:
            nexus.check(result)
        elif fault:
            raise MeasurementError(fault)
    except (KeyError, _child_summary.SummaryError, MeasurementError, OSError) as e:
        said = str(e).replace(result.name, target.name)  # people know the result by its own name
        return Failure("invalid", f"The reader's result did not pass the check: {said}"[:2000])
    os.replace(result, target)
    return reader, version, summary


def _failure(kind: object, message: str, limits: Limits) -> Failure:
    if kind not in _FROM_CHILD:
        return Failure("invalid", "The reader's process gave no understandable answer.")
    if kind == "memory":
        message = f"Translating needs more than {limits.memory // 1024**2:,} MiB of memory, the limit."
    if kind == "too_large":
        message = f"The translated file is larger than {limits.output_bytes:,} bytes, the limit."
    return Failure(cast("Kind", kind), message[:4000])
