"""The catalogue's database: SQLite or PostgreSQL behind one small class.

``Database.read`` and ``Database.write`` give a session that ends with its ``with`` block. A writer begins
with the database's write lock in hand (``BEGIN IMMEDIATE`` on SQLite), so that it never finds out half way
that somebody else was faster; a reader sees one state of the database and never waits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

BUSY_SECONDS = 30
#: Key of PostgreSQL's advisory lock under which migrations run ("zairyo" in ASCII).
MIGRATION_LOCK = 0x7A616972796F


class DatabaseError(RuntimeError):
    """The database cannot be used; the message says why and what to do."""


class Database:
    """An engine and its sessions.

    Parameters
    ----------
    url
        ``sqlite:///path`` or ``postgresql+psycopg://…``.
    connections
        Connections that are kept open; four times as many may be at work at once.
    """

    def __init__(self, url: str, *, connections: int = 10) -> None:
        self.url = _checked(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = create_engine(
            self.url,
            pool_size=connections,
            max_overflow=3 * connections,
            pool_pre_ping=not self.is_sqlite,
            connect_args={"check_same_thread": False} if self.is_sqlite else {},
        )
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        self._writers = self.engine.execution_options(begin="BEGIN IMMEDIATE")
        # SQLite has one writer at a time and lets the others poll; within this process they queue here instead.
        self._turn = threading.Lock() if self.is_sqlite else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; whatever is changed in it is forgotten."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session for one transaction, committed (durably) at the end of the block, rolled back on an error.

        Blocks must be short, and one must not be opened within another.
        """
        with self._in_turn(), Session(self._writers, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise DatabaseError(f"the database was busy for {BUSY_SECONDS} s; try again")
        try:
            yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def disk_is_full(error: DBAPIError) -> bool:
    """Whether a statement failed because there is no room left for the database."""
    codes = (getattr(error.orig, "sqlite_errorname", None), getattr(error.orig, "sqlstate", None))
    return "SQLITE_FULL" in codes or "53100" in codes


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseError(
            "the database's URL cannot be read; write it like sqlite:////folder/zairyo.sqlite or "
            "postgresql://user:secret@host/zairyo"
        ) from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise DatabaseError(
            f"the database is {parsed.get_backend_name()}; Zairyo knows sqlite and postgresql"
        )
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise DatabaseError("a SQLite database needs a file, e.g. sqlite:////folder/zairyo.sqlite")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    return parsed


def _prepare_sqlite(engine: Engine, *, foreign_keys: bool = True) -> None:
    """Durable commits, readers beside a writer, and transactions that begin where SQLAlchemy says so."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own, late BEGIN off
        for pragma in (
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "journal_mode=WAL",
            "synchronous=FULL",
            f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
            "cache_size=-8000",  # KiB, of each connection
            "journal_size_limit=67108864",  # a long backup makes the log grow; this gives the room back
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


@contextmanager
def migrating(database: Database) -> Iterator[Connection]:
    """A connection in a transaction that no other process migrates beside; foreign keys do not cascade in it."""
    engine = create_engine(database.url, poolclass=NullPool)
    if database.is_sqlite:
        # Changing a table on SQLite means copying it and dropping the old one, which must not delete others' rows.
        _prepare_sqlite(engine, foreign_keys=False)
        engine = engine.execution_options(begin="BEGIN IMMEDIATE")
    try:
        with engine.begin() as connection:
            if not database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            yield connection
            if database.is_sqlite and (
                broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            ):
                raise DatabaseError(
                    f"{len(broken)} rows point at rows that are not there, first in {broken[0][0]}"
                )
    finally:
        engine.dispose()


def migrate(database: Database) -> None:
    """Bring the database's tables up to this version of the code; several processes may call it at once.

    Raises
    ------
    DatabaseError
        If it cannot be reached, or was made by a newer version of Zairyo.
    """
    from alembic import command  # 0.2 s; not needed by who only uses the catalogue
    from alembic.script import ScriptDirectory

    config = alembic_config()
    try:
        with migrating(database) as connection:
            _refuse_newer(connection, ScriptDirectory.from_config(config))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except OperationalError as e:
        raise DatabaseError(
            f"the database {database.url.render_as_string(hide_password=True)} cannot be used: {e.orig}"
        ) from e


def alembic_config() -> Any:
    """Alembic's configuration for the migrations in this package (an ``alembic.config.Config``)."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "zairyo.server:migrations")
    config.set_main_option("path_separator", "os")
    return config


def revisions(connection: Connection) -> set[str]:
    """The migrations at which the database's tables are: one, or none where there are no tables yet."""
    from alembic.runtime.migration import MigrationContext

    return set(MigrationContext.configure(connection).get_current_heads())


def _refuse_newer(connection: Connection, scripts: Any) -> None:
    unknown = revisions(connection) - {script.revision for script in scripts.walk_revisions()}
    if unknown:
        raise DatabaseError(
            f"the database was made by a newer version of Zairyo (its tables are at {', '.join(sorted(unknown))}, "
            f"this version knows up to {scripts.get_current_head()}). Install the newer version; nothing was changed."
        )
