"""If these fail, the laboratory's only copy of last year's measurements cannot be brought back."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from zairyo.server import access, models
from zairyo.server.backup import PASSING, BackupError, backup, verify
from zairyo.server.db import Database
from zairyo.server.objects import LocalObjects
from zairyo.server.restore import restore
from zairyo.server.search.language import parse
from zairyo.server.search.listing import list_page

MOMENT = datetime(2026, 3, 1, 23, 59, 59, 123456, tzinfo=UTC)
DIRECTIONS = [
    pytest.param("sqlite", "sqlite", id="sqlite"),
    pytest.param("sqlite", "postgres", id="sqlite-to-postgres", marks=pytest.mark.postgres),
    pytest.param("postgres", "sqlite", id="postgres-to-sqlite", marks=pytest.mark.postgres),
    pytest.param("postgres", "postgres", id="postgres", marks=pytest.mark.postgres),
]


def fill(db: Database, objects: LocalObjects, count: int = 3) -> list[str]:
    """People, an instrument and measurements, the later ones new versions of the first; the objects' names."""
    stored = objects.put([os.urandom(1000 + n) for n in range(count)] + [b"standard form"])
    with db.write() as session:
        institution = models.Institution(slug="nims", name="物質・材料研究機構")
        account = models.Account(institution=institution, email="a@example.org", name='Ä "quoted"\n')
        project = models.Project(institution=institution, slug="cells", name="Cells")
        session.add_all([institution, account, project])
        session.flush()
        instrument = models.Instrument(
            institution_id=institution.id,
            project=project,
            slug="xrd",
            name="XRD",
            settings={"include": ["*.xrdml"], "stable_seconds": 2.5},
        )
        session.add_all(models.Object(sha256=s.sha256, size=s.size) for s in stored)
        session.add_all([models.Membership(project=project, account=account, role="steward"), instrument])
        session.add(models.Session(account=account, secret_sha256="f" * 64, expires_at=MOMENT))
        session.flush()
        previous = None
        for n in range(count):
            measurement = models.Measurement(
                project_id=project.id,
                instrument=instrument,
                intake_key=f"{n:064x}",
                path=f"LiCoO2 {n}.xrdml",
                title=f"Powder pattern {n}",
                sample="LCO-12",
                previous_id=previous,
                measured_at=MOMENT,
                raw_files=[models.RawFile(name=f"{n}.xrdml", sha256=stored[n].sha256, size=stored[n].size)],
            )
            session.add(measurement)
            session.flush()
            translation = models.Translation(
                measurement_id=measurement.id,
                reader="panalytical",
                started_at=MOMENT,
                seconds=0.25,
                output_sha256=stored[-1].sha256,
                warnings=["odd: µ"],
                entries=[{"title": "scan", "conditions": [], "signals": [], "axes": []}],
            )
            session.add(translation)
            session.flush()
            measurement.translation_id = translation.id
            measurement.state = models.TRANSLATED
            previous = measurement.id
    return [s.sha256 for s in stored]


def contents(db: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that a backup holds, as a program sees it."""
    with db.read() as session:
        return {
            table.name: [
                dict(row)
                for row in session.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            ]
            for table in models.Base.metadata.sorted_tables
            if table.name not in PASSING
        }


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[LocalObjects]:
    made = LocalObjects(tmp_path / "objects")
    yield made
    made.close()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[LocalObjects]:
    made = LocalObjects(tmp_path / "restored")
    yield made
    made.close()


@pytest.mark.parametrize(("engine", "to"), DIRECTIONS)
@pytest.mark.parametrize("migrated", [False, True], ids=["new", "tables"])
def test_all_comes_back(
    databases: Any,
    objects: LocalObjects,
    target: LocalObjects,
    tmp_path: Path,
    engine: str,
    to: str,
    migrated: bool,
) -> None:
    source = Database(databases.url(engine))
    names = fill(source, objects)
    made = backup(source, objects, tmp_path / "backup")
    assert made.objects == len(names)
    restored = Database(databases.url(to, migrated=migrated))
    assert restore(tmp_path / "backup", restored, target) == made
    assert contents(restored) == contents(source)
    assert list(target) == sorted(names)
    assert verify(restored, target).good
    with restored.read() as session:
        assert session.scalar(select(func.count()).select_from(models.Session)) == 0
        assert session.scalar(text("SELECT count(*) FROM search_text")) == 3
    for database in (source, restored):
        database.close()


@pytest.mark.parametrize("to", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_life_goes_on_after_a_restore(
    databases: Any, objects: LocalObjects, target: LocalObjects, tmp_path: Path, to: str
) -> None:
    """New rows get new numbers, and what is searched is found."""
    source = Database(databases.url("sqlite"))
    fill(source, objects)
    backup(source, objects, tmp_path / "backup")
    restored = Database(databases.url(to, migrated=False))
    restore(tmp_path / "backup", restored, target)
    with restored.write() as session:
        institution = models.Institution(slug="second", name="Second")
        session.add(institution)
        session.flush()
        assert institution.id == 2
    with restored.read() as session:
        account = session.scalars(select(models.Account)).one()
        seen = access.visible(session, access.Principal(frozenset({"read"}), account_id=account.id))
        assert list_page(session, parse("LCO-12"), seen).total == 3
    for database in (source, restored):
        database.close()


def test_a_backup_while_measurements_arrive_is_of_one_state(
    db: Database, objects: LocalObjects, target: LocalObjects, tmp_path: Path, databases: Any
) -> None:
    """No row without its object, no file without its measurement."""
    fill(db, objects)
    stop = threading.Event()
    added = threading.Event()

    def arrive() -> None:
        n = 100
        while not stop.is_set():
            [stored] = objects.put([b"%d" % n])
            with db.write() as session:
                session.add(models.Object(sha256=stored.sha256, size=stored.size))
                session.flush()
                session.add(
                    models.Measurement(
                        project_id=1,
                        intake_key=f"{n:064x}",
                        path=f"{n}",
                        raw_files=[models.RawFile(name="x", sha256=stored.sha256, size=stored.size)],
                    )
                )
            added.set()
            n += 1

    thread = threading.Thread(target=arrive)
    thread.start()
    try:
        added.wait(30)
        made = backup(db, objects, tmp_path / "backup")
    finally:
        stop.set()
        thread.join()
    rows = {table.name: table.rows for table in made.tables}
    assert rows["measurement"] == rows["raw_file"] == made.objects - 1
    restored = Database(databases.url("sqlite", migrated=False))
    restore(tmp_path / "backup", restored, target)
    assert verify(restored, target).good
    restored.close()


def nothing_is_there(db: Database, objects: LocalObjects) -> bool:
    return list(objects) == [] and not any(contents(db).values())


@pytest.fixture
def made(objects: LocalObjects, tmp_path: Path, databases: Any) -> Path:
    """A good backup's folder."""
    source = Database(databases.url("sqlite"))
    fill(source, objects)
    backup(source, objects, tmp_path / "backup")
    source.close()
    return tmp_path / "backup"


def change_manifest(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def break_object(folder: Path) -> None:
    path = next(p for p in (folder / "objects").rglob("*") if p.is_file())
    path.write_bytes(b"other bytes")


def lose_object(folder: Path) -> None:
    next(p for p in (folder / "objects").rglob("*") if p.is_file()).unlink()


def break_table(folder: Path) -> None:
    path = folder / "tables" / "measurement.jsonl"
    path.write_text(path.read_text().replace("LCO-12", "LCO-13"))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (break_object, "is damaged"),
        (lose_object, "cannot be read"),
        (break_table, r"measurement\.jsonl is not what was written"),
        (lambda folder: (folder / "tables" / "raw_file.jsonl").unlink(), "is missing"),
        (lambda folder: (folder / "manifest.json").unlink(), "not a backup, or the backup was not finished"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "cannot be read"),
        (lambda folder: change_manifest(folder, format=99, zairyo="9.9"), "9.9, which is newer"),
        (lambda folder: change_manifest(folder, revision="9999"), "install a newer Zairyo"),
    ],
)
def test_a_damaged_backup_is_refused_and_nothing_is_left(
    db: Database, made: Path, target: LocalObjects, damage: Any, says: str
) -> None:
    damage(made)
    with pytest.raises(BackupError, match=says):
        restore(made, db, target)
    assert nothing_is_there(db, target)


def test_a_restore_never_mixes_with_what_is_there(
    db: Database, made: Path, target: LocalObjects, objects: LocalObjects
) -> None:
    with pytest.raises(BackupError, match="there are objects"):
        restore(made, db, objects)
    assert len(list(objects)) == 4
    with db.write() as session:
        session.add(models.Institution(slug="mine", name="Mine"))
    with pytest.raises(BackupError, match="rows in the table institution"):
        restore(made, db, target)
    assert [row["slug"] for row in contents(db)["institution"]] == ["mine"]
    assert list(target) == []


def test_a_backup_does_not_overwrite_one(db: Database, objects: LocalObjects, made: Path) -> None:
    before = (made / "manifest.json").read_bytes()
    with pytest.raises(BackupError, match="not empty"):
        backup(db, objects, made)
    assert (made / "manifest.json").read_bytes() == before


def test_a_backup_of_damaged_objects_says_so_and_is_not_finished(
    db: Database, objects: LocalObjects, tmp_path: Path
) -> None:
    names = fill(db, objects)
    with objects.path(names[0]) as path:
        path.write_bytes(b"rotten")
    with pytest.raises(BackupError, match=f"object {names[0]} is damaged"):
        backup(db, objects, tmp_path / "backup")
    assert not (tmp_path / "backup" / "manifest.json").exists()


def test_verify_tells_what_is_missing_damaged_and_unnamed(db: Database, objects: LocalObjects) -> None:
    names = fill(db, objects)
    assert verify(db, objects).good
    with objects.path(names[0]) as path:
        path.write_bytes(path.read_bytes()[::-1])
    with objects.path(names[1]) as path:
        path.unlink()
    objects.put([b"of a server that was killed before it wrote the row"])
    found = verify(db, objects)
    assert (found.damaged, found.missing, found.unnamed, found.good) == ([names[0]], [names[1]], 1, False)
