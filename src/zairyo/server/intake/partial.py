"""A file on its way in: its bytes on disk, their hash so far, and how many are certain to survive."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Mark:
    """A length to go back to, with the hash of the bytes up to there."""

    length: int
    digest: hashlib._Hash


class Partial:
    """An open partial file; one writer at a time.

    Its methods may be called from several threads (a request that was cancelled leaves its last write behind).
    Opening one that is there makes what is on disk durable and hashes it again, so that ``length`` is what
    the sender may be told after a crash, never more.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        self._digest = hashlib.sha256()
        self._length = 0
        try:
            os.fsync(self._file)
            while chunk := os.pread(self._file, _CHUNK, self._length):
                self._digest.update(chunk)
                self._length += len(chunk)
        except OSError:
            os.close(self._file)
            raise
        self._durable = self.mark()

    @property
    def length(self) -> int:
        """Bytes that are durable."""
        return self._durable.length

    @property
    def sha256(self) -> str:
        """Of the bytes written so far, as hex."""
        return self._digest.hexdigest()

    @property
    def closed(self) -> bool:
        return self._file < 0

    def mark(self) -> Mark:
        return Mark(self._length, self._digest.copy())

    def append(self, data: bytes) -> None:
        """Write after what is there; after an error, ``sync`` keeps what could be written."""
        view = memoryview(data)
        with self._lock:
            while view:
                count = os.pwrite(self._file, view, self._length)
                self._digest.update(view[:count])
                self._length += count
                view = view[count:]

    def sync(self) -> int:
        """Make all that was written durable; returns its length.

        Raises
        ------
        OSError
            The disk would not take it; the file is back at what was durable before.
        """
        with self._lock:
            if self._length != self._durable.length:
                try:
                    os.fsync(self._file)
                except OSError:
                    self.back_to(self._durable)
                    raise
                self._durable = self.mark()
            return self._length

    def back_to(self, mark: Mark) -> None:
        """Forget what was written after ``mark``."""
        with self._lock:
            os.ftruncate(self._file, mark.length)
            self._length, self._digest = mark.length, mark.digest.copy()
            if self._durable.length > mark.length:
                self._durable = mark

    def close(self) -> None:
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def discard(self) -> None:
        """Close and delete the file."""
        self.close()
        self.path.unlink(missing_ok=True)
