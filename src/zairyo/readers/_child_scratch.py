"""Scratch folders: the only place where a worker of the sandbox may write, besides its result.

What is in one was put there by code that works on a file from outside: it is counted and removed, never read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from zairyo.readers.limits import Limits


@dataclass(frozen=True)
class Room:
    """A worker's folder: ``files``, where its input is put, and ``scratch``, where it may write."""

    files: Path
    scratch: Path

    @classmethod
    def make(cls, inbox: Path) -> Room:
        """A new one in the folder ``inbox``."""
        folder = Path(tempfile.mkdtemp(dir=inbox))
        room = cls(folder / "files", folder / "scratch")
        room.files.mkdir()
        room.scratch.mkdir()
        return room

    def put(self, source: Path) -> Path:
        """Copy a file in, under its own name, until :meth:`withdraw`.

        The copies of one room are one file, renamed and written anew: file systems that do not use a deleted
        file's number again for minutes (ext4) search the longer for a free one the more were deleted.
        """
        copy = self.files / source.name
        with contextlib.suppress(FileNotFoundError):
            self._kept.rename(copy)
        with source.open("rb") as f, open(copy, "wb", opener=_open_own) as out:
            shutil.copyfileobj(f, out, 1 << 20)
        return copy

    def withdraw(self) -> None:
        """Take the copy out of sight, and what was in it."""
        for copy in list(self.files.iterdir()):
            try:
                open(copy, "wb", opener=_open_own).close()
                copy.replace(self._kept)
            except OSError:  # where nothing keeps a worker from it, it may have made it something else
                _remove(copy)

    @property
    def _kept(self) -> Path:
        return self.files.parent / "kept"

    def remove(self) -> None:
        empty(self.scratch)
        shutil.rmtree(self.files.parent, ignore_errors=True)


def use(folder: Path) -> None:
    """Have this process, and the libraries in it, put temporary files into the folder."""
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)


def empty(folder: Path) -> None:
    """Remove everything in the folder, if it is there, also what its owner took the rights of from itself."""
    if not folder.is_dir():
        return
    folder.chmod(0o700)
    for place, folders, _ in os.walk(folder):
        for name in folders:
            inner = Path(place, name)
            if not inner.is_symlink():
                with contextlib.suppress(OSError):
                    inner.chmod(0o700)
    for path in folder.iterdir():
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _open_own(path: str, flags: int) -> int:
    """Open a file itself: not what a link points to, nor a pipe on which one would wait."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)


def is_overfull(folder: Path, limits: Limits) -> bool:
    """Whether there is more in the folder than ``limits`` allow, or something that cannot be looked at."""
    size = count = 0
    left = [str(folder)]
    while left:
        try:
            with os.scandir(left.pop()) as found:
                for item in found:
                    count += 1
                    if item.is_dir(follow_symlinks=False):
                        left.append(item.path)
                    size += item.stat(follow_symlinks=False).st_blocks * 512
                    if count > limits.scratch_files or size > limits.scratch_bytes:
                        return True
        except FileNotFoundError:  # it went while we looked
            continue
        except OSError:
            return True
    return False
