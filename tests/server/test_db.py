"""If these fail, a server may start on tables that are not its own, or lose what it said it kept."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import IntegrityError

from zairyo.server import db as database_module
from zairyo.server.db import Database, DatabaseError, migrate
from zairyo.server.models import Institution, Project


def test_models_and_migrations_agree(empty_database_url: str) -> None:
    """Else a column that the code uses is missing on a server that was updated."""
    database = Database(empty_database_url)
    migrate(database)
    config = database_module.alembic_config()
    with database_module.migrating(database) as connection:
        config.attributes["connection"] = connection
        command.check(config)
    database.close()


def test_migrating_again_changes_nothing(db: Database) -> None:
    with db.write() as session:
        session.add(Institution(slug="a", name="A"))
    migrate(db)
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(Institution)) == 1


MIGRATE = """
import sys
from zairyo.server.db import Database, migrate
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate(database)
database.close()
"""


def test_processes_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    """``zairyo serve`` and ``zairyo work`` start together on a new database."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, empty_database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=120)
    assert [process.returncode for process in processes] == [0, 0, 0]
    database = Database(empty_database_url)
    assert "measurement" in inspect(database.engine).get_table_names()
    database.close()


def test_a_newer_database_is_refused_unchanged(db: Database) -> None:
    with db.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match=r"newer version of Zairyo .*9999"):
        migrate(db)
    with db.read() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "cannot be read"),
        ("mysql://host/x", "knows sqlite and postgresql"),
        ("sqlite://", "needs a file"),
    ],
)
def test_a_wrong_url_is_explained(url: str, says: str) -> None:
    with pytest.raises(DatabaseError, match=says):
        Database(url)


def test_an_unreachable_server_is_explained_without_its_password() -> None:
    database = Database("postgresql+psycopg://me:hidden@127.0.0.1:1/x")
    with pytest.raises(DatabaseError, match="cannot be used") as e:
        migrate(database)
    assert "hidden" not in str(e.value)


def test_a_write_that_fails_leaves_nothing(db: Database) -> None:
    def fail_half_way() -> None:
        with db.write() as session:
            session.add(Institution(slug="a", name="A"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with db.read() as session:
        assert session.scalars(select(Institution)).all() == []


def test_rows_cannot_point_at_nothing(db: Database) -> None:
    with pytest.raises(IntegrityError), db.write() as session:
        session.add(Project(institution_id=12345, slug="p", name="P"))


def test_readers_do_not_wait_for_a_writer_and_see_one_state(db: Database) -> None:
    with db.read() as reader:
        assert reader.scalar(select(func.count()).select_from(Institution)) == 0
        with db.write() as writer:
            writer.add(Institution(slug="a", name="A"))
            writer.flush()
            with db.read() as other:
                assert other.scalar(select(func.count()).select_from(Institution)) == 0
    with db.read() as reader:
        assert reader.scalar(select(func.count()).select_from(Institution)) == 1


def test_writers_from_many_threads_all_get_their_turn(db: Database) -> None:
    """A read followed by a write in one transaction: the case in which SQLite's late locks fail."""
    with db.write() as session:
        session.add(Institution(slug="a", name="0"))
    errors: list[Exception] = []

    def count_up() -> None:
        try:
            for _ in range(20):
                with db.write() as session:
                    row = session.scalars(select(Institution).with_for_update()).one()
                    row.name = str(int(row.name) + 1)
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with db.read() as session:
        assert session.scalars(select(Institution)).one().name == "80"


def test_sqlite_keeps_what_it_committed_through_a_power_cut(tmp_path: Path) -> None:
    """NORMAL would lose the last commits; a receipt was given for them."""
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with database.read() as session:
        assert session.scalar(text("PRAGMA synchronous")) == 2
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    database.close()
