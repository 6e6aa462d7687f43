"""What is to be sent and what was: a small SQLite database, and copies of files while the server is away.

A row is written (and fsynced) when a file is found finished and stays for ever with its receipt, so that a
restart, a power cut or a copied-back folder never sends a file as something new. As long as the server cannot
be reached, waiting files are copied here, so that an instrument that reuses its file names loses nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zairyo.agent.files import Changed, members, open_shared
from zairyo.agent.scan import Found
from zairyo.agent.state import AgentError

WAITING, SENT, FAILED = "waiting", "sent", "failed"
_COPY_BYTES = 1024 * 1024
#: Copies stop when so much of the disk is left, bytes: the instrument needs it more.
LEAVE_FREE_BYTES = 2 * 1024**3
_MOST_NOTES = 1000

# AUTOINCREMENT: an id is never given again, so a copy is of the row whose id is its name, whenever it was made.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    is_folder INTEGER NOT NULL,
    state TEXT NOT NULL,
    found_at REAL NOT NULL,
    upload TEXT,
    error TEXT,
    receipts TEXT,
    sent_at REAL,
    UNIQUE (path, size, mtime_ns, is_folder)
);
CREATE INDEX IF NOT EXISTS file_state ON file (state, id);
CREATE INDEX IF NOT EXISTS file_sent ON file (sent_at);
CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, at REAL NOT NULL, text TEXT NOT NULL);
"""


class NoRoom(Exception):
    """The disk is too full for a copy."""


@dataclass(frozen=True)
class Item:
    """A row: a file (or folder format) that waits, was sent, or could not be."""

    id: int
    path: str
    size: int
    mtime_ns: int
    is_folder: bool
    state: str
    found_at: float
    """Seconds since 1970, as ``sent_at``."""
    upload: str | None
    """Address of its unfinished upload on the server."""
    error: str | None
    """Why it was not sent when that was last tried."""
    receipts: list[dict[str, Any]]
    sent_at: float | None

    @property
    def found(self) -> Found:
        return Found(self.path, self.size, self.mtime_ns, self.is_folder)


class Spool:
    """The database and the copies in ``folder``. Safe to use from several threads and processes.

    Raises
    ------
    AgentError
        If the database cannot be opened; the message says what to do.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copies = folder / "copies"
        self._lock = threading.RLock()
        path = folder / "spool.sqlite"
        try:
            self.copies.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except sqlite3.OperationalError as e:
            raise AgentError(
                f"{path} cannot be opened: {e}. Free some room, or see who may write there."
            ) from e
        except sqlite3.DatabaseError as e:
            raise AgentError(
                f"{path} is damaged ({e}). Move it elsewhere and start again: everything in the instrument's folder is "
                "offered anew, and the server recognises what it has already."
            ) from e
        except OSError as e:
            raise AgentError(f"{self.copies} cannot be made: {e.strerror}.") from e

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def clean(self) -> None:
        """Remove what a crash left among the copies; for the agent that holds the folder's lock."""
        with self._lock:
            ids = self._db.execute("SELECT id FROM file WHERE state != 'sent'").fetchall()
        needed = {str(number) for (number,) in ids}
        for name in os.listdir(self.copies):
            if name not in needed:
                self._remove(self.copies / name)

    def known(self) -> set[Found]:
        """Everything that was ever found."""
        with self._lock:
            rows = self._db.execute("SELECT path, size, mtime_ns, is_folder FROM file")
            return {Found(path, size, mtime_ns, bool(is_folder)) for path, size, mtime_ns, is_folder in rows}

    def add(self, found: Iterable[Found]) -> None:
        """Remember finished files as waiting, all durably or none."""
        at = time.time()
        with self._transaction():
            self._db.executemany(
                "INSERT OR IGNORE INTO file (path, size, mtime_ns, is_folder, state, found_at) "
                "VALUES (?, ?, ?, ?, 'waiting', ?)",
                [(*f, at) for f in found],
            )

    def waiting(self, most: int, after: int = 0) -> list[Item]:
        """The first that wait, oldest first, with an id beyond ``after``."""
        return self._items("WHERE state = 'waiting' AND id > ? ORDER BY id LIMIT ?", (after, most))

    def recent(self, most: int) -> list[Item]:
        """The last that were sent, latest first."""
        return self._items("WHERE sent_at IS NOT NULL ORDER BY sent_at DESC, id DESC LIMIT ?", (most,))

    def failed(self, most: int) -> list[Item]:
        """The last that the server did not take, latest first."""
        return self._items("WHERE state = 'failed' ORDER BY id DESC LIMIT ?", (most,))

    def stuck(self, most: int) -> list[Item]:
        """What waits although the rest goes on, with the reason in ``error``."""
        return self._items("WHERE state = 'waiting' AND error IS NOT NULL ORDER BY id LIMIT ?", (most,))

    def counts(self) -> dict[str, int]:
        """How many are in each state."""
        with self._lock:
            rows = self._db.execute("SELECT state, COUNT(*) FROM file GROUP BY state").fetchall()
        return {WAITING: 0, SENT: 0, FAILED: 0} | {str(state): int(n) for state, n in rows}

    def sent(self, done: Sequence[tuple[Item, list[dict[str, Any]]]]) -> None:
        """Keep receipts, all with one fsync; then drop the copies they make unnecessary."""
        at = time.time()
        with self._transaction():
            self._db.executemany(
                "UPDATE file SET state = 'sent', receipts = ?, sent_at = ?, error = NULL, upload = NULL WHERE id = ?",
                [(json.dumps(receipts), at, item.id) for item, receipts in done],
            )
        for item, _ in done:
            self._remove(self.copies / str(item.id))

    def fail(self, item: Item, error: str) -> None:
        """The server does not take it; a person has to look. A copy of it stays."""
        self._set(item, "state = 'failed', upload = NULL, error = ?", error[:1000])

    def put_off(self, item: Item, error: str) -> None:
        """It could not be sent now, for a reason of its own."""
        if item.error != error[:1000]:
            self._set(item, "error = ?", error[:1000])

    def set_upload(self, item: Item, upload: str | None) -> None:
        """Note where to go on with it."""
        self._set(item, "upload = ?", upload)

    def gone(self, item: Item) -> None:
        """It changed or vanished before it was sent; the next look finds what is there now."""
        with self._transaction():
            self._db.execute("DELETE FROM file WHERE id = ?", (item.id,))
        self._remove(self.copies / str(item.id))

    def retry(self) -> int:
        """Let what failed wait again; how many that are."""
        with self._transaction():
            return self._db.execute(
                "UPDATE file SET state = 'waiting', error = NULL WHERE state = 'failed'"
            ).rowcount

    def note(self, text: str) -> None:
        """A line of the log in words; the last thousand stay."""
        with self._transaction():
            self._db.execute("INSERT INTO note (at, text) VALUES (?, ?)", (time.time(), text[:1000]))
            self._db.execute("DELETE FROM note WHERE id <= (SELECT MAX(id) FROM note) - ?", (_MOST_NOTES,))

    def notes(self, most: int) -> list[tuple[float, str]]:
        """The last lines of the log: seconds since 1970, text."""
        with self._lock:
            rows = self._db.execute("SELECT at, text FROM note ORDER BY id DESC LIMIT ?", (most,)).fetchall()
        return [(float(at), str(text)) for at, text in reversed(rows)]

    def copy_of(self, item: Item) -> Path | None:
        """Where its copy is, if it has one."""
        path = self.copies / str(item.id)
        return path if path.exists() else None

    def keep_copy(self, item: Item, source: Path) -> None:
        """Copy a waiting file (or folder format) here, durably, unless there is a copy.

        Raises
        ------
        Changed
            It is not what was found any more.
        NoRoom
            The disk is nearly full.
        OSError
            It cannot be read now.
        """
        target = self.copies / str(item.id)
        if target.exists():
            return
        if shutil.disk_usage(self.folder).free - item.size < LEAVE_FREE_BYTES:
            raise NoRoom
        partial = self.copies / f"{item.id}.part"
        self._remove(partial)
        try:
            if item.is_folder:
                _copy_folder(source, partial, item)
            else:
                size, mtime_ns = _copy_file(source, partial)
                if (size, mtime_ns) != (item.size, item.mtime_ns):
                    raise Changed
            os.replace(partial, target)
        except (FileNotFoundError, NotADirectoryError):
            raise Changed from None
        finally:
            self._remove(partial)
        _sync_folder(self.copies)

    def _remove(self, path: Path) -> None:
        """What cannot be removed now, because a virus scanner looks at it, goes when the agent starts again."""
        with suppress(OSError):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _set(self, item: Item, assignment: str, value: str | None) -> None:
        with self._transaction():
            self._db.execute(f"UPDATE file SET {assignment} WHERE id = ?", (value, item.id))  # noqa: S608

    def _items(self, where: str, values: tuple[Any, ...]) -> list[Item]:
        with self._lock:
            rows = self._db.execute(f"SELECT * FROM file {where}", values).fetchall()  # noqa: S608
        return [
            Item(
                **{
                    **dict(row),
                    "is_folder": bool(row["is_folder"]),
                    "receipts": json.loads(row["receipts"] or "[]"),
                }
            )
            for row in rows
        ]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _copy_file(source: Path, target: Path) -> tuple[int, int]:
    """Copy durably; size (bytes) and time (ns since 1970) of what was copied."""
    with open_shared(source) as reading, target.open("xb") as writing:
        before = os.fstat(reading.fileno())
        shutil.copyfileobj(reading, writing, _COPY_BYTES)
        size = writing.tell()
        writing.flush()
        os.fsync(writing.fileno())
        after = os.fstat(reading.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Changed
    os.utime(target, ns=(after.st_mtime_ns, after.st_mtime_ns))
    return size, after.st_mtime_ns


def _copy_folder(source: Path, target: Path, item: Item) -> None:
    """Copy every file of a folder format durably."""
    target.mkdir()
    done = []
    for name, _ in members(source):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        done.append(_copy_file(source / name, target / name))
        _sync_folder((target / name).parent)
    if (sum(size for size, _ in done), max((at for _, at in done), default=0)) != (item.size, item.mtime_ns):
        raise Changed
    _sync_folder(target)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no way to, and keeps renames in order
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
