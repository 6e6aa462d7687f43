"""Backup of catalogue and objects while the server runs, and a look at whether every object is whole.

A backup is a folder::

    manifest.json            written last: without it the backup is not complete
    tables/<table>.jsonl     a row a line, of one state of the catalogue
    objects/ab/abcdef…       every object that state names

Objects are never changed and are durable before a row names them; so those that a state of the catalogue names
can be copied after it was read. What only matters for a moment (sessions, uploads on their way, events) is left
out; ``restore`` makes the full-text index anew, on either engine.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel

import zairyo
from zairyo.server.db import Database, revisions
from zairyo.server.models import Base, Object, now
from zairyo.server.objects import LocalObjects, Objects

FORMAT = 1
#: A browser signs in again, a sender sends again, a page reads anew.
PASSING = frozenset({"session", "upload", "event"})
ROWS_AT_ONCE = 1000
OBJECTS_AT_ONCE = 32

Report = Callable[[str, int, int], None]
"""Told of progress: what, how many are done, of how many."""


class BackupError(RuntimeError):
    """A backup cannot be made or restored; the message says why. Nothing was changed, or it was undone."""


class TableManifest(BaseModel):
    """One table's file."""

    name: str
    rows: int
    sha256: str


class Manifest(BaseModel):
    """What a backup holds."""

    format: int
    zairyo: str
    revision: str
    """Of the database's tables."""
    made_at: datetime
    tables: list[TableManifest]
    """In an order in which rows can be put back."""
    objects: int
    bytes: int


def silent(_what: str, _done: int, _of: int) -> None:
    """Report to nobody."""


# --- backup ----------------------------------------------------------------------------------------------------


def backup(database: Database, objects: Objects, folder: Path, report: Report = silent) -> Manifest:
    """Write a backup into an empty (or new) folder.

    Raises
    ------
    BackupError
        If the folder is not empty, or an object is missing or damaged (see :func:`verify`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # it holds what passwords and tokens are checked against
    if any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty; name a new folder")
    (folder / "tables").mkdir()
    with _snapshot(database) as connection:
        [revision] = revisions(connection)
        exported = [t for t in Base.metadata.sorted_tables if t.name not in PASSING]
        tables = []
        for n, table in enumerate(exported):
            report("tables", n, len(exported))
            tables.append(_write_table(connection, table, folder / "tables" / f"{table.name}.jsonl"))
        report("tables", len(exported), len(exported))
    sizes = dict(object_sizes(folder / "tables" / "object.jsonl"))
    target = LocalObjects(folder / "objects")
    try:
        copy_objects(objects, target, sizes, report)
    finally:
        target.close()
    manifest = Manifest(
        format=FORMAT,
        zairyo=zairyo.__version__,
        revision=revision,
        made_at=now(),
        tables=tables,
        objects=len(sizes),
        bytes=sum(sizes.values()),
    )
    _write_durably(folder / "manifest.json", manifest.model_dump_json(indent=2).encode())
    return manifest


@contextmanager
def _snapshot(database: Database) -> Iterator[sa.Connection]:
    """A connection that sees one state of the catalogue, whatever the server does meanwhile."""
    with database.engine.connect() as connection:
        if not database.is_sqlite:  # a transaction of SQLite sees one state anyway
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        yield connection


def _write_table(connection: sa.Connection, table: sa.Table, path: Path) -> TableManifest:
    digest, rows = hashlib.sha256(), 0
    found = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(
        sa.select(table).order_by(*table.primary_key.columns)
    )
    with path.open("wb") as f:
        for row in found.mappings():
            line = json.dumps(dict(row), default=_as_text, ensure_ascii=False).encode() + b"\n"
            digest.update(line)
            f.write(line)
            rows += 1
    return TableManifest(name=table.name, rows=rows, sha256=digest.hexdigest())


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} has no place in a backup")


def object_sizes(path: Path) -> Iterator[tuple[str, int]]:
    """SHA-256 and size of the objects that a backup's catalogue names."""
    for row in read_rows(path):
        yield row["sha256"], row["size"]


def copy_objects(source: Objects, target: Objects, sizes: dict[str, int], report: Report) -> None:
    """Copy objects, each hashed on the way."""
    done = 0
    for group in groups(sorted(sizes), OBJECTS_AT_ONCE):
        report("objects", done, len(sizes))
        with ExitStack() as stack:
            try:
                streams = [stack.enter_context(source.open(sha256)) for sha256 in group]
            except OSError as e:
                raise BackupError(
                    f"an object that the catalogue names cannot be read: {e.strerror or e}"
                ) from e
            stored = target.put(streams)
        for sha256, copied in zip(group, stored, strict=True):
            if copied.sha256 != sha256 or copied.size != sizes[sha256]:
                raise BackupError(f"object {sha256} is damaged: its bytes hash to {copied.sha256}")
        done += len(group)
    report("objects", done, len(sizes))


# --- verify ----------------------------------------------------------------------------------------------------


class Verified(BaseModel):
    """What a look at every object found."""

    objects: int
    bytes: int
    missing: list[str]
    damaged: list[str]
    unnamed: int
    """Objects that no row names: of a server that was killed between the two. They do no harm."""

    @property
    def good(self) -> bool:
        """Whether every object that the catalogue names is there and whole."""
        return not self.missing and not self.damaged


def verify(database: Database, objects: Objects, report: Report = silent) -> Verified:
    """Read every object that the catalogue names and compare it with its name and size."""
    with database.read() as session:
        named = {row.sha256: row.size for row in session.execute(sa.select(Object.sha256, Object.size))}
    missing, damaged = [], []
    for n, (sha256, size) in enumerate(sorted(named.items())):
        report("objects", n, len(named))
        if not objects.exists(sha256):
            missing.append(sha256)
        elif objects.size(sha256) != size or not objects.verify(sha256):
            damaged.append(sha256)
    report("objects", len(named), len(named))
    return Verified(
        objects=len(named),
        bytes=sum(named.values()),
        missing=missing,
        damaged=damaged,
        unnamed=sum(sha256 not in named for sha256 in objects),
    )


# --- small things ----------------------------------------------------------------------------------------------


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as f:
        for line in f:
            yield json.loads(line)


def groups(things: Iterable[Any], size: int) -> Iterator[list[Any]]:
    remaining = iter(things)
    while group := list(islice(remaining, size)):
        yield group


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
