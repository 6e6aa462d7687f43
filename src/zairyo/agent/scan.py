"""Look through the instrument's folder: which files (or folders that are one measurement) are finished.

A full look is the truth; nothing depends on the operating system telling of changes, which network shares
do not and Windows forgets to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from zairyo.agent.files import in_words, is_link, is_passing, is_unicode, members, open_shared
from zairyo.agent.rules import TAIL_BYTES, Rules

#: At the agent's first look, a file whose own time is at least so many seconds ago is finished.
LONG_AGO_SECONDS = 120.0
#: A file that has not changed for so many seconds but still cannot be opened is told of.
_CLOSED_SECONDS = 300.0
_MOST_PROBLEMS = 50


class Found(NamedTuple):
    """A version of a file, or of a folder that is one measurement, as it lies there now.

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
    wall_clock
        Seconds since 1970, which may.

    Attributes
    ----------
    problems
        Of the last look, for people.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self._clock = clock
        self._wall_clock = wall_clock
        self._still: dict[Found, float] | None = None

    def scan(self, rules: Rules, known: Container[Found]) -> tuple[list[Found], int]:
        """What is finished and not ``known``, oldest first, and how many files are there but not finished yet.

        Raises
        ------
        OSError
            If the folder itself cannot be read.
        """
        problems: list[str] = []
        finished: list[Found] = []
        still: dict[Found, float] = {}
        at = self._clock()
        # What was there when the agent began is not waited for; a file that appears later is, however old it
        # says it is: copying programs give it the original's time before they are done.
        long_ago_ns = (self._wall_clock() - LONG_AGO_SECONDS) * 1e9 if self._still is None else float("-inf")
        for found in self._walk(rules, problems):
            if found in known:
                continue
            since = (self._still or {}).get(found, at)
            is_settled = at - since >= rules.stable_seconds or found.mtime_ns < long_ago_ns
            try:
                if self._is_finished(found, rules, is_settled):
                    finished.append(found)
                    continue
            except OSError as e:
                if at - since >= _CLOSED_SECONDS:
                    problems.append(f"{found.path} cannot be opened: {e.strerror}")
            still[found] = since
        self._still = still
        self.problems = problems[:_MOST_PROBLEMS]
        finished.sort(key=lambda f: f.mtime_ns)
        return finished, len(still)

    def _walk(self, rules: Rules, problems: list[str]) -> Iterator[Found]:
        """Every file that the rules want; never into a link, so never round in a circle."""
        folders = [""]
        while folders:
            below = folders.pop()
            try:
                with os.scandir(self.folder / below) as entries:
                    for entry in entries:
                        path = f"{below}/{entry.name}" if below else entry.name
                        if not is_unicode(entry.name):
                            problems.append(f"{in_words(path)} has a name that is not Unicode; rename it")
                            continue
                        try:
                            found = self._look_at(entry, path, rules, folders, problems)
                        except OSError as e:
                            if not isinstance(e, FileNotFoundError):  # gone since the folder was read
                                problems.append(f"{in_words(path)} cannot be looked at: {e.strerror}")
                            continue
                        if found is not None and (
                            rules.oldest_ns is None or found.mtime_ns >= rules.oldest_ns
                        ):
                            yield found
            except FileNotFoundError:
                if not below:
                    raise
            except OSError as e:
                if not below:
                    raise
                problems.append(f"the folder {below} cannot be looked into: {e.strerror}")

    def _look_at(
        self, entry: os.DirEntry[str], path: str, rules: Rules, folders: list[str], problems: list[str]
    ) -> Found | None:
        """What one entry of a folder is; folders to go on with are added to ``folders``."""
        if entry.is_file(follow_symlinks=False):
            if not rules.wants(path):
                return None
            stat = entry.stat(follow_symlinks=False)
            return Found(path, stat.st_size, stat.st_mtime_ns)
        if entry.name.startswith("."):
            return None
        if is_link(entry):
            if rules.subfolders and entry.is_dir():
                problems.append(f"{path} is a link to a folder; links are not followed")
            return None
        if not entry.is_dir(follow_symlinks=False) or is_passing(entry.name.lower()):
            return None
        if rules.is_folder_format(entry.name) or self._is_marked(path, rules):
            return self._whole(path) if rules.wants(path) else None
        if rules.subfolders:
            folders.append(path)
        return None

    def _is_marked(self, path: str, rules: Rules) -> bool:
        return any(os.path.isfile(self.folder / path / name) for name in rules.folder_marks)

    def _whole(self, path: str) -> Found | None:
        """A folder format; nothing while it is empty."""
        stats = [stat for _, stat in members(self.folder / path)]
        if not stats:
            return None
        return Found(path, sum(s.st_size for s in stats), max(s.st_mtime_ns for s in stats), is_folder=True)

    def _is_finished(self, found: Found, rules: Rules, is_settled: bool) -> bool:
        """Whether the rules say so and it can be opened; :class:`OSError` if it cannot."""
        path = self.folder / found.path
        if found.is_folder:
            if is_settled:
                for name, _ in members(path):
                    open_shared(path / name).close()
            return is_settled
        sentinel = rules.sentinel_of(path.name)
        if sentinel is not None and not (path.parent / sentinel).exists():
            return False
        if sentinel is None and rules.marker is None and not is_settled:
            return False
        with open_shared(path) as file:
            stat = os.fstat(file.fileno())
            # A folder's list may lag behind: Windows writes a size into it when the file is closed.
            if (stat.st_size, stat.st_mtime_ns) != (found.size, found.mtime_ns):
                return False
            return rules.marker is None or rules.marker.search(_tail(file)) is not None


def _tail(file: BinaryIO) -> bytes:
    file.seek(max(file.seek(0, os.SEEK_END) - TAIL_BYTES, 0))
    return file.read(TAIL_BYTES)
