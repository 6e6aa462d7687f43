"""Look through the instrument's folder: which files (or folders that are one measurement) are finished.

A full look is the truth; nothing depends on the operating system telling of changes, which network shares
do not and Windows forgets to.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zairyo.agent.rules import TAIL_BYTES, Rules

#: A file whose own time is at least so many seconds ago is finished at first sight, if nothing else is asked.
LONG_AGO_SECONDS = 120.0
_DEEPEST = 24


@dataclass(frozen=True)
class Found:
    """A file, or a folder that is one measurement, as it lies there now.

    Attributes
    ----------
    path
        Below the instrument's folder, with '/'.
    size
        Bytes; of a folder, of all in it.
    mtime_ns
        Last change in ns since 1970; of a folder, the latest in it.
    is_folder
        Whether it is a folder format.
    """

    path: str
    size: int
    mtime_ns: int
    is_folder: bool = False


class Scanner:
    """Finds what is finished. Remembers since when each unfinished file has not changed.

    Parameters
    ----------
    folder
        The instrument's.
    clock
        Seconds that never jump.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self._clock = clock
        self._still: dict[str, tuple[int, int, float]] = {}
        self.problems: list[str] = []

    def scan(self, rules: Rules, known: Callable[[Found], bool]) -> tuple[list[Found], int]:
        """What is finished and not ``known``, and how many files are there but not finished yet.

        Raises
        ------
        OSError
            If the folder itself cannot be read.
        """
        self.problems = []
        finished: list[Found] = []
        still: dict[str, tuple[int, int, float]] = {}
        for found in self._walk(rules):
            if known(found):
                continue
            at = self._clock()
            size, mtime_ns, since = self._still.get(found.path, (-1, -1, at))
            if (size, mtime_ns) != (found.size, found.mtime_ns):
                since = at
            if self._is_finished(found, rules, at - since):
                finished.append(found)
            else:
                still[found.path] = (found.size, found.mtime_ns, since)
        self._still = still
        return finished, len(still)

    def _walk(self, rules: Rules) -> Iterator[Found]:
        oldest = rules.oldest
        for found in self._below(self.folder, PurePosixPath(), rules, 0):
            if oldest is None or found.mtime_ns >= oldest * 1e9:
                yield found

    def _below(self, folder: Path, path: PurePosixPath, rules: Rules, depth: int) -> Iterator[Found]:
        for entry in self._entries(folder, depth):
            here = path / entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name.startswith("."):
                        continue
                    if rules.is_folder_format(entry.name):
                        if rules.wants(here):
                            yield from self._whole(folder / entry.name, here)
                    elif rules.subfolders and depth < _DEEPEST:
                        yield from self._below(folder / entry.name, here, rules, depth + 1)
                elif entry.is_file() and rules.wants(here):
                    stat = entry.stat()
                    yield Found(str(here), stat.st_size, stat.st_mtime_ns)
            except OSError as e:
                self.problems.append(f"{here} cannot be looked at: {e.strerror}")

    def _entries(self, folder: Path, depth: int) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted((e for e in entries if _is_storable(e.name)), key=lambda e: e.name)
        except OSError as e:
            if depth == 0:
                raise
            self.problems.append(f"{folder} cannot be looked into: {e.strerror}")
            return []

    def _whole(self, folder: Path, path: PurePosixPath) -> Iterator[Found]:
        """A folder format; nothing while it is empty."""
        stats = [f.stat() for f in members(folder)]
        if stats:
            yield Found(
                str(path), sum(s.st_size for s in stats), max(s.st_mtime_ns for s in stats), is_folder=True
            )

    def _is_finished(self, found: Found, rules: Rules, unchanged_seconds: float) -> bool:
        path = self.folder / found.path
        if rules.sentinel is not None and not found.is_folder:
            if not (path.parent / rules.sentinel.format(name=path.name, stem=path.stem)).exists():
                return False
        elif rules.end_marker is not None and not found.is_folder:
            if not _ends_with(path, rules.end_marker):
                return False
        elif unchanged_seconds < rules.stable_seconds:
            age_seconds = time.time() - found.mtime_ns / 1e9
            if age_seconds < max(LONG_AGO_SECONDS, 10 * rules.stable_seconds):
                return False
        return all(_can_open(p) for p in (members(path) if found.is_folder else [path]))


def members(folder: Path) -> list[Path]:
    """The files of a folder format, in the order of their names with '/'."""
    files = [
        p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".") and _is_storable(p.name)
    ]
    return sorted(files, key=lambda p: p.relative_to(folder).as_posix())


def _is_storable(name: str) -> bool:
    """Names that are not Unicode on disk (lone surrogates here) cannot be told to a server."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _ends_with(path: Path, marker: str) -> bool:
    try:
        with path.open("rb") as f:
            f.seek(max(f.seek(0, os.SEEK_END) - TAIL_BYTES, 0))
            return re.search(marker.encode(), f.read(TAIL_BYTES)) is not None
    except OSError:
        return False


def _can_open(path: Path) -> bool:
    """Whether nobody holds it exclusively, as instruments' programs on Windows do while they write."""
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False
