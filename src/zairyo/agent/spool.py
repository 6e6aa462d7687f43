"""What is to be sent and what was: a small SQLite database, and copies of files while the server is away.

A row is written (and fsynced) when a file is found finished and stays for ever with its receipt, so that a
restart, a power cut or a copied-back folder never sends a file as something new. As long as the server cannot
be reached, waiting files are copied here, so that an instrument that reuses its file names loses nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zairyo.agent.scan import Found

WAITING, SENT, FAILED = "waiting", "sent", "failed"
_COPY_BYTES = 1024 * 1024
#: Copies stop when so much of the disk is left, bytes: the instrument needs it more.
_LEAVE_FREE_BYTES = 2 * 1024**3

_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    is_folder INTEGER NOT NULL,
    state TEXT NOT NULL,
    found_at REAL NOT NULL,
    copy TEXT,
    upload TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    receipts TEXT,
    sent_at REAL,
    UNIQUE (path, size, mtime_ns)
);
CREATE INDEX IF NOT EXISTS file_state ON file (state, id);
CREATE INDEX IF NOT EXISTS file_sent ON file (sent_at);
CREATE TABLE IF NOT EXISTS note (at REAL NOT NULL, text TEXT NOT NULL);
"""


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
    copy: str | None
    upload: str | None
    """Address of its unfinished upload on the server."""
    attempts: int
    error: str | None
    receipts: list[dict[str, Any]]
    sent_at: float | None


class Spool:
    """The database and the copies in ``folder``. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copies = folder / "copies"
        self.copies.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            folder / "spool.sqlite", isolation_level=None, check_same_thread=False, timeout=30
        )
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)

    def clean(self) -> None:
        """Remove copies that a crash left half made; for the agent that holds the folder's lock."""
        for left in self.copies.glob("*.part"):
            left.unlink(missing_ok=True)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def known(self) -> set[tuple[str, int, int]]:
        """(path, size, mtime_ns) of everything that was ever found."""
        with self._lock:
            return {tuple(row) for row in self._db.execute("SELECT path, size, mtime_ns FROM file")}

    def add(self, found: Iterable[Found]) -> None:
        """Remember finished files as waiting, all durably or none.

        A version of the same file that still waits and has no copy cannot be sent any more: its row goes.
        """
        rows = [(f.path, f.size, f.mtime_ns, int(f.is_folder), WAITING, time.time()) for f in found]
        with self._lock, self._transaction():
            self._db.executemany(
                "DELETE FROM file WHERE path = ? AND state = 'waiting' AND copy IS NULL",
                [(r[0],) for r in rows],
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO file (path, size, mtime_ns, is_folder, state, found_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )

    def waiting(self, most: int, after: int = 0) -> list[Item]:
        """The first that wait, oldest first, with an id beyond ``after``."""
        return self._items("WHERE state = 'waiting' AND id > ? ORDER BY id LIMIT ?", (after, most))

    def recent(self, most: int) -> list[Item]:
        """The last that were sent or failed, latest first."""
        return self._items(
            "WHERE state != 'waiting' ORDER BY COALESCE(sent_at, found_at) DESC LIMIT ?", (most,)
        )

    def failed(self, most: int) -> list[Item]:
        return self._items("WHERE state = 'failed' ORDER BY id DESC LIMIT ?", (most,))

    def counts(self) -> dict[str, int]:
        """How many are in each state."""
        with self._lock:
            rows = self._db.execute("SELECT state, COUNT(*) FROM file GROUP BY state").fetchall()
        return {WAITING: 0, SENT: 0, FAILED: 0} | {str(state): int(n) for state, n in rows}

    def sent(self, done: Sequence[tuple[Item, list[dict[str, Any]]]]) -> None:
        """Keep receipts, then drop the copies they make unnecessary."""
        with self._lock:
            with self._transaction():
                self._db.executemany(
                    "UPDATE file SET state = 'sent', receipts = ?, sent_at = ?, error = NULL, copy = NULL, "
                    "upload = NULL WHERE id = ?",
                    [(json.dumps(receipts), time.time(), item.id) for item, receipts in done],
                )
            for item, _ in done:
                self._drop_copy(item.copy)

    def fail(self, item: Item, error: str) -> None:
        """It cannot be sent; a person has to look."""
        with self._lock, self._transaction():
            self._db.execute(
                "UPDATE file SET state = 'failed', error = ?, attempts = attempts + 1, upload = NULL WHERE id = ?",
                (error[:1000], item.id),
            )

    def gone(self, item: Item) -> None:
        """It changed or vanished before it was sent; the next look finds what is there now."""
        with self._lock, self._transaction():
            self._db.execute("DELETE FROM file WHERE id = ?", (item.id,))

    def retry(self) -> int:
        """Let what failed wait again; how many that are."""
        with self._lock, self._transaction():
            return self._db.execute(
                "UPDATE file SET state = 'waiting', attempts = 0 WHERE state = 'failed'"
            ).rowcount

    def set_upload(self, item: Item, upload: str | None) -> None:
        with self._lock, self._transaction():
            self._db.execute(
                "UPDATE file SET upload = ?, attempts = attempts + 1 WHERE id = ?", (upload, item.id)
            )

    def note(self, text: str) -> None:
        """A line of the log in words; the last thousand stay."""
        with self._lock, self._transaction():
            self._db.execute("INSERT INTO note VALUES (?, ?)", (time.time(), text[:1000]))
            self._db.execute("DELETE FROM note WHERE rowid <= (SELECT MAX(rowid) FROM note) - 1000")

    def notes(self, most: int) -> list[tuple[float, str]]:
        with self._lock:
            rows = self._db.execute(
                "SELECT at, text FROM note ORDER BY rowid DESC LIMIT ?", (most,)
            ).fetchall()
        return [(float(at), str(text)) for at, text in reversed(rows)]

    def keep_copy(self, item: Item, source: Path) -> bool:
        """Copy a waiting file here, durably, unless it has a copy, changed, or the disk is nearly full."""
        if item.copy is not None or item.is_folder:
            return False
        disk = os.statvfs(self.folder) if hasattr(os, "statvfs") else None
        if disk is not None and disk.f_bavail * disk.f_frsize - item.size < _LEAVE_FREE_BYTES:
            return False
        partial = self.copies / f"{item.id}.part"
        digest = hashlib.sha256()
        try:
            with source.open("rb") as reading, partial.open("wb") as writing:
                while piece := reading.read(_COPY_BYTES):
                    digest.update(piece)
                    writing.write(piece)
                writing.flush()
                os.fsync(writing.fileno())
                now = os.fstat(reading.fileno())
            if (now.st_size, now.st_mtime_ns) != (item.size, item.mtime_ns):
                raise OSError("it changed")
            name = f"{item.id}-{digest.hexdigest()[:16]}"
            partial.replace(self.copies / name)
            _sync_folder(self.copies)
        except OSError:
            partial.unlink(missing_ok=True)
            return False
        with self._lock, self._transaction():
            self._db.execute("UPDATE file SET copy = ? WHERE id = ?", (name, item.id))
        return True

    def _drop_copy(self, name: str | None) -> None:
        if name is not None:
            (self.copies / name).unlink(missing_ok=True)

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

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no way to, and keeps renames in order
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
