"""Where bytes are kept, by their SHA-256: a port of a few methods and its adapter for a local folder.

An object is complete and durable when ``put`` returns, and never changes afterwards. What is on the way
lies in ``incoming`` of the same file system, so that it becomes an object by one rename.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

SHA256 = re.compile(r"[0-9a-f]{64}\Z")
CHUNK_BYTES = 1024 * 1024
#: Threads that fsync at once: a file system writes its journal once for all who wait.
SYNCING = 8

Source = bytes | Path | BinaryIO
"""What can be put: bytes; a file, which is moved in; an open file, which is copied."""

In = TypeVar("In")
Out = TypeVar("Out")


class ObjectError(OSError):
    """An object cannot be kept or read; the message says which and why."""


class NoSuchObject(ObjectError):
    """The store does not hold it."""


class DiskFull(ObjectError):
    """No room is left; nothing of what was put is kept."""


@dataclass(frozen=True)
class Stored:
    """What the store holds now."""

    sha256: str
    size: int
    """Bytes."""
    new: bool
    """False where it was there already."""


class Objects(Protocol):
    """The port."""

    def put(self, sources: Sequence[Source]) -> list[Stored]:
        """Keep a group, durably, one answer a source; of an error nothing new remains without its name."""

    def open(self, sha256: str) -> BinaryIO:
        """Open for reading; :class:`NoSuchObject` if it is not there."""

    def path(self, sha256: str) -> AbstractContextManager[Path]:
        """The object as a file on this machine, to be read only, while the block lasts."""

    def size(self, sha256: str) -> int:
        """Bytes; :class:`NoSuchObject` if it is not there."""

    def exists(self, sha256: str) -> bool:
        """Whether it is there."""

    def verify(self, sha256: str) -> bool:
        """Read all of it: whether it is what its name says."""

    def __iter__(self) -> Iterator[str]:
        """The names of all objects, in order."""


class LocalObjects:
    """Objects in a folder: ``ab/abcdef…``.

    Parameters
    ----------
    folder
        Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._pool = ThreadPoolExecutor(SYNCING, thread_name_prefix="fsync")

    def put(self, sources: Sequence[Source]) -> list[Stored]:
        """See :meth:`Objects.put`. Sources that are moved in are gone from where they were only on success."""
        temporary: list[Path] = []
        try:
            with _clear_errors():
                return self._put(sources, temporary)
        finally:
            for path in temporary:
                path.unlink(missing_ok=True)

    def _put(self, sources: Sequence[Source], temporary: list[Path]) -> list[Stored]:
        arrivals = [self._receive(source, temporary) for source in sources]
        stored: list[Stored] = []
        fresh: dict[str, Path] = {}
        for path, sha256, size in arrivals:
            new = sha256 not in fresh and not self._place(sha256).is_file()
            if new:
                fresh[sha256] = path
            stored.append(Stored(sha256, size, new))
        self._each(_sync, fresh.values())
        made = {self._make_folder(sha256) for sha256 in fresh}
        for sha256, path in fresh.items():
            path.replace(self._place(sha256))
        # Also where nothing was new: whoever put it first may not have reached its own fsync of the folder yet.
        touched = {self._place(s.sha256).parent for s in stored}
        self._each(_sync, touched | {self.folder} if True in made else touched)
        for source in sources:
            if isinstance(source, Path):
                source.unlink(missing_ok=True)
        return stored

    def _receive(self, source: Source, temporary: list[Path]) -> tuple[Path, str, int]:
        """Hash a source and have it in a file of this file system, not yet synced."""
        if isinstance(source, Path):
            with source.open("rb") as f:
                if os.fstat(f.fileno()).st_dev == self.folder.stat().st_dev:
                    sha256, size = _copy(f, None)
                    return source, sha256, size
                return self._receive(f, temporary)
        path = self._incoming / secrets.token_hex(16)
        temporary.append(path)
        with path.open("xb", buffering=0) as out:
            if isinstance(source, bytes):
                _write(out, source)
                return path, hashlib.sha256(source).hexdigest(), len(source)
            sha256, size = _copy(source, out)
            return path, sha256, size

    def _make_folder(self, sha256: str) -> bool:
        """Make an object's folder; whether it was not there."""
        try:
            self._place(sha256).parent.mkdir()
        except FileExistsError:
            return False
        return True

    def _each(self, do: Callable[[In], Out], things: Iterable[In]) -> list[Out]:
        things = list(things)
        return list(self._pool.map(do, things)) if len(things) > 1 else [do(t) for t in things]

    def _place(self, sha256: str) -> Path:
        if not SHA256.match(sha256):
            raise NoSuchObject(errno.ENOENT, f"{sha256[:80]!r} is not a SHA-256 in lower-case hex")
        return self.folder / sha256[:2] / sha256

    def open(self, sha256: str) -> BinaryIO:
        """See :meth:`Objects.open`."""
        try:
            return self._place(sha256).open("rb")
        except FileNotFoundError:
            raise NoSuchObject(errno.ENOENT, f"object {sha256} is not in {self.folder}") from None

    @contextmanager
    def path(self, sha256: str) -> Iterator[Path]:
        """See :meth:`Objects.path`."""
        self.size(sha256)
        yield self._place(sha256)

    def size(self, sha256: str) -> int:
        """See :meth:`Objects.size`."""
        try:
            return self._place(sha256).stat().st_size
        except FileNotFoundError:
            raise NoSuchObject(errno.ENOENT, f"object {sha256} is not in {self.folder}") from None

    def exists(self, sha256: str) -> bool:
        """See :meth:`Objects.exists`."""
        return bool(SHA256.match(sha256)) and self._place(sha256).is_file()

    def verify(self, sha256: str) -> bool:
        """See :meth:`Objects.verify`."""
        with self.open(sha256) as f:
            return _copy(f, None)[0] == sha256

    def __iter__(self) -> Iterator[str]:
        for folder in sorted(p for p in self.folder.iterdir() if p.is_dir() and len(p.name) == 2):
            yield from sorted(p.name for p in folder.iterdir() if SHA256.match(p.name))

    def sweep(self, older_than: float = 86_400) -> None:
        """Drop what a process that was killed left half-written, untouched for so many seconds."""
        for path in self._incoming.iterdir():
            with suppress(FileNotFoundError):  # another process finished it just now
                if path.stat().st_mtime <= time.time() - older_than:
                    path.unlink()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except ObjectError:
        raise
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(e.errno, "the disk that holds the objects is full; make room and try again") from e
        raise


def _copy(source: BinaryIO, out: BinaryIO | None) -> tuple[str, int]:
    """Read to the end, hashing, writing to ``out`` if given: the SHA-256 in hex and the number of bytes."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
        if out is not None:
            _write(out, chunk)
    return digest.hexdigest(), size


def _write(out: BinaryIO, data: bytes) -> None:
    """Write all: an unbuffered file may take less than it is given when the disk runs full."""
    view = memoryview(data)
    while view:
        view = view[out.write(view) :]


def _sync(path: Path) -> None:
    """fsync a file or a folder."""
    if os.name == "nt" and path.is_dir():
        return  # Windows has no fsync of a folder; NTFS journals its entries
    fd = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
