"""Restore of a backup, verified: all of it is put into an empty catalogue and object store, or nothing."""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.orm import Session, joinedload, selectinload

from zairyo.server.backup import (
    FORMAT,
    BackupError,
    Manifest,
    Report,
    copy_objects,
    groups,
    object_sizes,
    read_rows,
    silent,
)
from zairyo.server.db import Database, alembic_config, migrating, revisions
from zairyo.server.models import Base, Measurement
from zairyo.server.objects import LocalObjects

ROWS_AT_ONCE = 1000


def restore(folder: Path, database: Database, objects: LocalObjects, report: Report = silent) -> Manifest:
    """Put a backup into an empty catalogue and object store, of either engine, all of it or nothing.

    Raises
    ------
    BackupError
        If the backup is incomplete or damaged, was made by a newer version, or the target is not empty.
    """
    manifest = _checked_manifest(folder)
    if next(iter(objects), None) is not None:
        raise BackupError(f"there are objects in {objects.folder} already; restore into an empty data folder")
    source = LocalObjects(folder / "objects")
    try:
        with migrating(database) as connection:
            _make_tables(connection, manifest.revision)
            _load(connection, folder, manifest, report)
            copy_objects(source, objects, dict(object_sizes(folder / "tables" / "object.jsonl")), report)
            _upgrade(connection, "head")
            _check(connection, manifest)
            _index(connection, report)
    except BaseException:
        for sha256_folder in objects.folder.glob("??"):
            shutil.rmtree(sha256_folder)
        raise
    finally:
        source.close()
    return manifest


def _checked_manifest(folder: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    except FileNotFoundError:
        raise BackupError(
            f"{folder} has no manifest.json: it is not a backup, or the backup was not finished"
        ) from None
    except ValidationError as e:
        raise BackupError(f"{folder / 'manifest.json'} cannot be read: {e.errors()[0]['msg']}") from None
    if manifest.format > FORMAT:
        raise BackupError(
            f"the backup was made by Zairyo {manifest.zairyo}, which is newer; install that version"
        )
    for table in manifest.tables:
        path = folder / "tables" / f"{table.name}.jsonl"
        if not path.is_file():
            raise BackupError(f"the backup is incomplete: {path} is missing")
        with path.open("rb") as f:
            if hashlib.file_digest(f, "sha256").hexdigest() != table.sha256:
                raise BackupError(f"the backup is damaged: {path} is not what was written")
    return manifest


def _make_tables(connection: sa.Connection, revision: str) -> None:
    """Have tables as the backup's; those of a newer one are only changed after its rows are in."""
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        ScriptDirectory.from_config(alembic_config()).get_revision(revision)
    except CommandError:
        raise BackupError(
            f"the backup's tables are at {revision}, which this version does not know; install a newer Zairyo"
        ) from None
    there = revisions(connection)
    if not there:
        _upgrade(connection, revision)
    elif there != {revision}:
        raise BackupError("the database has tables of another version; restore into an empty one")
    for table in Base.metadata.tables.values():
        if sa.inspect(connection).has_table(table.name) and connection.scalar(
            sa.select(sa.literal(1)).select_from(table).limit(1)
        ):
            raise BackupError(
                f"there are rows in the table {table.name} already; restore into an empty database"
            )


def _upgrade(connection: sa.Connection, revision: str) -> None:
    from alembic import command

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _load(connection: sa.Connection, folder: Path, manifest: Manifest, report: Report) -> None:
    there: set[str] = set()
    later: list[tuple[sa.Table, set[str], Path]] = []
    total = sum(table.rows for table in manifest.tables)
    done = 0
    for said in manifest.tables:
        # As it is in the database now, which may be older than the models.
        table = sa.Table(said.name, sa.MetaData(), autoload_with=connection, resolve_fks=False)
        late = {c.name for c in table.columns if any(_target(fk) not in there for fk in c.foreign_keys)}
        path = folder / "tables" / f"{said.name}.jsonl"
        for group in groups(read_rows(path), ROWS_AT_ONCE):
            rows = [_decoded(table, row) for row in group]
            connection.execute(
                table.insert(), [{k: None if k in late else v for k, v in r.items()} for r in rows]
            )
            done += len(rows)
            report("rows", done, total)
        if late:
            later.append((table, late, path))
        there.add(said.name)
    for table, late, path in later:
        _fill(connection, table, late, path)
    if connection.dialect.name != "sqlite":
        _continue_numbers(connection, manifest)


def _target(key: sa.ForeignKey) -> str:
    return key.target_fullname.rsplit(".", 1)[0]


def _fill(connection: sa.Connection, table: sa.Table, late: set[str], path: Path) -> None:
    """Set the columns whose rows were not there yet when their own rows came."""
    keys = [c.name for c in table.primary_key.columns]
    statement = (
        table.update()
        .where(*(table.c[k] == sa.bindparam(f"key_{k}") for k in keys))
        .values({name: sa.bindparam(f"new_{name}") for name in late})
    )
    rows = (row for row in read_rows(path) if any(row[name] is not None for name in late))
    for group in groups(rows, ROWS_AT_ONCE):
        connection.execute(
            statement,
            [
                {f"key_{k}": row[k] for k in keys} | {f"new_{name}": row[name] for name in late}
                for row in group
            ],
        )


def _decoded(table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
    try:
        return {name: _value(table.c[name].type, value) for name, value in row.items()}
    except KeyError as e:
        raise BackupError(f"the backup has a column {e} that the table {table.name} does not") from None


def _value(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    if value is not None and isinstance(kind, sa.DateTime):
        moment = datetime.fromisoformat(value).astimezone(UTC)
        return moment if getattr(kind, "timezone", False) else moment.replace(tzinfo=None)
    return value


def _continue_numbers(connection: sa.Connection, manifest: Manifest) -> None:
    """Have PostgreSQL's sequences go on after the rows that were put in with their numbers."""
    for table in manifest.tables:
        model = Base.metadata.tables.get(table.name)
        if model is None or "id" not in model.c:
            continue
        connection.execute(
            sa.text(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) "  # noqa: S608
                f"FROM {table.name} HAVING max(id) IS NOT NULL"
            )
        )


def _check(connection: sa.Connection, manifest: Manifest) -> None:
    for table in manifest.tables:
        model = Base.metadata.tables.get(table.name)
        if model is None:
            continue  # a later version does without it
        count = connection.scalar(sa.select(sa.func.count()).select_from(model))
        if count != table.rows:
            raise BackupError(f"of the table {table.name} {count} rows arrived instead of {table.rows}")


def _index(connection: sa.Connection, report: Report) -> None:
    """Make the full-text index anew."""
    from zairyo.server.api.describe import names
    from zairyo.server.search.index import index_text

    with Session(connection, join_transaction_mode="create_savepoint") as session:
        total = session.scalar(sa.select(sa.func.count()).select_from(Measurement)) or 0
        last = done = 0
        wanted = sa.select(Measurement).options(
            joinedload(Measurement.translation),
            joinedload(Measurement.instrument),
            selectinload(Measurement.raw_files),
        )
        while group := session.scalars(
            wanted.where(Measurement.id > last).order_by(Measurement.id).limit(ROWS_AT_ONCE)
        ).all():
            for measurement in group:
                index_text(session, measurement, measurement.translation, names(measurement))
            last, done = group[-1].id, done + len(group)
            session.expunge_all()
            report("search", done, total)
        session.commit()
