"""What happened in a campaign, as lines that are only ever added to.

A line is one JSON object: ``format``, ``sequence``, ``time``, ``who``, ``event``, what belongs to the event, ``before``
(SHA-256 of the line before) and last ``hash`` (SHA-256 of the line without it). So a changed, lost or swapped line is
noticed. Several may write: who adds lines that do not follow the last one there is told so, reads on, and tries again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from zairyo.campaign._base import CampaignError

FORMAT = 1
#: ``before`` of the first line.
NOTHING = "0" * 64


class CampaignWarning(UserWarning):
    """Something that the owner of a campaign should know."""


class LogMoved(Exception):
    """Others have added lines meanwhile: read them, and make the new ones anew."""


class Log(Protocol):
    """Where a campaign's lines are kept: a file, memory, or a table of the platform."""

    def read(self, after: int) -> list[str]:
        """The lines after the first ``after``, in order, without line ends."""
        ...

    def append(self, lines: Sequence[str]) -> None:
        """Add lines for good, all or none.

        Raises
        ------
        LogMoved
            The first does not follow the last line there.
        """
        ...


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes
    ----------
    sequence
        Its number, from 1.
    time
        UTC, ISO 8601.
    who
        Who did it.
    kind
        ``created``, ``asked``, ``told`` …
    data
        What belongs to it.
    """

    sequence: int
    time: str
    who: str
    kind: str
    data: Mapping[str, Any]


def plain(value: Any) -> Any:
    """A value as JSON has it: NumPy's numbers as Python's, NaN and infinity as None."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return [plain(v) for v in value.tolist()]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise CampaignError(f"{value!r} ({type(value).__name__}) cannot be recorded; give a number or a text")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def line_of(event: str, data: Mapping[str, Any], *, who: str, sequence: int, before: str, time: str) -> str:
    """The line of an event."""
    head = {"format": FORMAT, "sequence": sequence, "time": time, "who": who, "event": event}
    body = json.dumps({**head, **plain(data), "before": before}, ensure_ascii=False, allow_nan=False)
    return f'{body[:-1]}, "hash": "{_digest(body)}"}}'


def hash_of(line: str) -> str:
    """By which the next line names this one."""
    return _digest(line)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def event_of(line: str, number: int, before: str, where: str = "the log") -> Event:
    """A line, checked.

    Raises
    ------
    CampaignError
        It is not a line of a campaign, was changed, or does not follow the line with hash ``before``.
    """

    def refuse(why: str) -> CampaignError:
        return CampaignError(
            f"{where}, line {number}: {why}. Nothing was read; go back to a copy that was not changed."
        )

    try:
        told = json.loads(line)
    except ValueError as e:
        raise refuse(f"this is not JSON ({e})") from None
    if not isinstance(told, dict) or not {"format", "sequence", "event", "before", "hash"} <= set(told):
        raise refuse("this is not an event of a campaign")
    if told["format"] != FORMAT:
        raise refuse(f"format {told['format']!r} is not known here; a newer Zairyo may read it")
    body, mark, _ = line.rpartition(', "hash": "')
    if not mark or _digest(body + "}") != told["hash"]:
        raise refuse("the line was changed after it was written")
    if told["before"] != before or told["sequence"] != number:
        raise refuse("it does not follow the line before it: lines were changed, lost or moved")
    frame = ("format", "sequence", "time", "who", "event", "before", "hash")
    data = {k: v for k, v in told.items() if k not in frame}
    return Event(number, str(told.get("time", "")), str(told.get("who", "")), str(told["event"]), data)


def _follows(lines: Sequence[str], last: str | None) -> bool:
    before = NOTHING if last is None else hash_of(last)
    return not lines or json.loads(lines[0])["before"] == before


class MemoryLog:
    """Lines in memory."""

    def __init__(self, lines: Sequence[str] = ()) -> None:
        self.lines = list(lines)

    def read(self, after: int) -> list[str]:
        return self.lines[after:]

    def append(self, lines: Sequence[str]) -> None:
        if not _follows(lines, self.lines[-1] if self.lines else None):
            raise LogMoved
        self.lines.extend(lines)


class FileLog:
    """Lines in a file that several people and programs may share.

    Lines are added under a lock and are on the disk when ``append`` returns. A last line without its end was torn by
    a crash while it was written: nobody was told that it is kept, so it is dropped.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._seen = 0  # lines
        self._place = 0  # bytes, where the lines not yet seen begin
        self._torn = False  # whether that has been said

    def read(self, after: int) -> list[str]:
        if not self.path.exists():
            if after:
                raise CampaignError(f"{self.path} was there and is not any more; put it back")
            return []
        if self.path.is_dir():
            raise CampaignError(f"{self.path} is a folder; name the campaign's file in it")
        with self.path.open("rb") as f, _locked(f, shared=True):
            start = self._place if after == self._seen else 0
            if f.seek(0, os.SEEK_END) < start:
                raise CampaignError(f"{self.path} became shorter: lines were lost; go back to a whole copy")
            f.seek(start)
            whole = self._whole(f.read())
        text = _decoded(whole, self.path, after if start else 0)
        lines = text.split("\n")[:-1]
        if not start:
            if len(lines) < after:
                raise CampaignError(f"{self.path} became shorter: lines were lost; go back to a whole copy")
            lines = lines[after:]
        self._place, self._seen = start + len(whole), after + len(lines)
        return lines

    def _whole(self, data: bytes) -> bytes:
        """Without a torn last line, which the next that is added replaces."""
        end = data.rfind(b"\n") + 1
        if end < len(data) and not self._torn:
            self._torn = True
            warnings.warn(
                f"{self.path}: the last line has no end, as when a computer stops while it writes; it is dropped",
                CampaignWarning,
                stacklevel=5,
            )
        return data[:end]

    def append(self, lines: Sequence[str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        with self.path.open("a+b") as f, _locked(f):
            size = f.seek(0, os.SEEK_END)
            end, last = _last_line(f, size)
            if not _follows(lines, last):
                raise LogMoved
            if end < size:
                f.truncate(end)
            f.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
            f.flush()
            os.fsync(f.fileno())
        if new and os.name == "posix":
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _decoded(data: bytes, path: Path, after: int) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as e:
        line = after + data[: e.start].count(b"\n") + 1
        raise CampaignError(
            f"{path}, line {line}: this is not UTF-8. Nothing was read; go back to a copy that was not changed."
        ) from None


def _last_line(f: BinaryIO, size: int) -> tuple[int, str | None]:
    """Where the last whole line ends, and the line; looked for from the end."""
    tail, step = b"", 1 << 16
    start = size
    while start > 0:
        start = max(0, start - step)
        f.seek(start)
        tail = f.read(size - start)
        end = tail.rfind(b"\n")
        if end >= 0:
            begin = tail.rfind(b"\n", 0, end)
            if begin >= 0 or start == 0:
                return start + end + 1, tail[begin + 1 : end].decode("utf-8")
        step *= 4
    return 0, None


@contextlib.contextmanager
def _locked(f: BinaryIO, shared: bool = False) -> Iterator[None]:
    """Alone with the file, or together with other readers only, among all processes that ask."""
    if os.name == "nt":  # pragma: no cover
        import msvcrt

        f.seek(0)
        msvcrt.locking(f.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
        try:
            yield
        finally:
            f.seek(0)
            msvcrt.locking(f.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(f.fileno(), fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(f.fileno(), fcntl.LOCK_UN)
