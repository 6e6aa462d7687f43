"""Databases that instruments write as files (SQLite), opened so that a hostile one does no harm."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from zairyo.readers._api import RawInput, ReadError

MAGIC = b"SQLite format 3\0"
_BLOB_MOST = 1024**3
_PACKED_MOST = 512 * 1024**2
#: What a damaged file makes the library raise; its own messages may quote bytes that are no text.
_FAULTS = (sqlite3.Error, ValueError, OverflowError, MemoryError)
#: Virtual machine instructions between two looks, and looks after which a query is given up: no honest file
#: of a gigabyte needs more, views that never end do.
_STEPS, _MOST_LOOKS = 100_000, 3_000


class Database:
    """The tables of a file; names of tables and columns whatever their case."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        found = self._run("SELECT name FROM sqlite_master WHERE type = 'table'")
        self._names = {str(name).casefold(): str(name) for (name,) in found}

    def __contains__(self, table: str) -> bool:
        return table.casefold() in self._names

    def rows(self, table: str, where: str = "", *values: Any) -> list[dict[str, Any]]:
        """Rows of a table by their columns' lower-case names; none if there is no such table.

        ``where`` is SQL that follows the table's name, with ``?`` for ``values``.
        """
        if table not in self:
            return []
        name = self._names[table.casefold()].replace('"', '""')
        try:
            cursor = self._connection.execute(f'SELECT * FROM "{name}" {where}', values)  # noqa: S608 a name of its own
            columns = [str(c[0]).casefold() for c in cursor.description]
            return [dict(zip(columns, row, strict=True)) for row in cursor]
        except _FAULTS as e:
            raise ReadError(
                f"the table {table} cannot be read: {e}. The file may be damaged or cut off."
            ) from None

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement).fetchall()
        except _FAULTS as e:
            raise ReadError(
                f"the database cannot be read: {e}. The file may be damaged or cut off; copy it again."
            ) from None


@contextmanager
def database(src: RawInput) -> Iterator[Database]:
    """Open for reading only; no locks, no journal, no code of the file's."""
    packed = src.path.name != src.name
    try:
        if packed:
            connection = sqlite3.connect(":memory:")
            connection.deserialize(src.read_bytes(_PACKED_MOST))
        else:
            address = src.path.absolute().as_uri() + "?mode=ro&immutable=1"
            connection = sqlite3.connect(address, uri=True)
    except _FAULTS as e:
        raise ReadError(f"the database cannot be opened: {e}") from None
    try:
        connection.text_factory = lambda b: b.decode("utf-8", "replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _BLOB_MOST)
        looks = iter(range(_MOST_LOOKS))
        connection.set_progress_handler(lambda: next(looks, None) is None, _STEPS)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
        except _FAULTS as e:
            raise ReadError(
                f"the database cannot be read: {e}. The file may be cut off; copy it again."
            ) from None
        yield Database(connection)
    finally:
        connection.close()
