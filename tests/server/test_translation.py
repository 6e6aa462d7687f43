"""What waits is translated or explained, by whoever is there, however often somebody dies."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from tests.server.tus_client import receipt, send_whole, sha256

from zairyo.readers.sandbox import Failure, Kind
from zairyo.server.access import Visible
from zairyo.server.api.app import create_app
from zairyo.server.db import Database
from zairyo.server.events import Events
from zairyo.server.intake.tus import set_sha256
from zairyo.server.models import (
    NOT_TRANSLATED,
    TRANSLATED,
    WAITING,
    ConditionValue,
    Event,
    Instrument,
    Measurement,
    Translation,
    now,
)
from zairyo.server.objects import LocalObjects
from zairyo.server.settings import Settings
from zairyo.server.translation import Dispatcher, leases, outdated
from zairyo.server.translation.advice import ADVICE, advice
from zairyo.server.translation.dispatcher import _Result
from zairyo.server.translation.inputs import lay_out
from zairyo.server.translation.record import aware

PATIENCE = 60.0  # s; only reached where something is broken


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", database=database_url, public_url="http://testserver", workers=0)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def instrument(world) -> Instrument:
    return world.instrument("xrd-1", world.project("steel"))


@pytest.fixture
def agent(world, instrument: Instrument) -> TestClient:
    return world.as_(instrument)


@pytest.fixture
def make_dispatcher(app: FastAPI, settings: Settings) -> Iterator[Callable[[], Dispatcher]]:
    made: list[Dispatcher] = []
    platform = app.state.platform

    def make() -> Dispatcher:
        one = Settings(data=settings.data, database=settings.database, workers=1)
        made.append(Dispatcher(platform.db, platform.objects, one, platform.events))
        return made[-1]

    yield make
    for dispatcher in made:
        dispatcher.stop()


class Done:
    """Waits until so many measurements were reported, without asking again and again."""

    def __init__(self, events: Events) -> None:
        self.states: dict[str, str] = {}
        self._changed = threading.Condition()
        events.listen(self._hear)

    def _hear(self, changes: list[Any]) -> None:
        with self._changed:
            self.states |= {c.uid: c.state for c in changes if c.state in (TRANSLATED, NOT_TRANSLATED)}
            self._changed.notify_all()

    def wait(self, count: int) -> dict[str, str]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.states) >= count, PATIENCE), self.states
        return self.states


@pytest.fixture
def done(app: FastAPI, client: TestClient) -> Done:
    return Done(app.state.platform.events)


def one(app: FastAPI, model: type[Any] = Measurement) -> Any:
    with app.state.platform.db.read() as session:
        return session.scalars(select(model)).one()


def waiting(app: FastAPI, agent: TestClient, count: int) -> list[str]:
    """Measurements that wait; their uids."""
    return [receipt(send_whole(agent, b"%d" % i, f"{i}.dat"))["measurement"] for i in range(count)]


def test_a_real_file_becomes_a_searchable_measurement(
    app: FastAPI, agent: TestClient, done: Done, make_dispatcher: Callable[[], Dispatcher], instruments: Path
) -> None:
    make_dispatcher().start()
    path = instruments / "xrdml" / "Scan_C2.xrdml"
    uid = receipt(send_whole(agent, path.read_bytes(), path.name))["measurement"]
    assert done.wait(1) == {uid: TRANSLATED}
    measurement, translation = one(app), one(app, Translation)
    assert (measurement.technique, measurement.state) == ("xrd", TRANSLATED)
    assert measurement.translation_id == translation.id
    assert measurement.lease_owner is measurement.lease_until is None
    assert measurement.attempts == 0
    assert measurement.measured_at == datetime(2020, 11, 6, 18, 24, 36, tzinfo=UTC)
    assert (translation.reader, translation.error_kind) == ("panalytical_xrdml", None)
    assert translation.entries
    assert translation.thumbnail
    objects: LocalObjects = app.state.platform.objects
    with objects.open(translation.output_sha256) as f:
        assert f.read(8) == b"\x89HDF\r\n\x1a\n"
    with app.state.platform.db.read() as session:
        voltage = session.scalars(select(ConditionValue).where(ConditionValue.name == "xray_tube_voltage"))
        assert [v.si for v in voltage]
        told = session.scalars(select(Event.state).where(Event.uid == uid).order_by(Event.id)).all()
    assert told == [WAITING, TRANSLATED]
    with objects.open(sha256(path.read_bytes())) as f:
        assert f.read() == path.read_bytes()


def test_a_file_nobody_knows_is_kept_and_explained(
    app: FastAPI, agent: TestClient, done: Done, make_dispatcher: Callable[[], Dispatcher]
) -> None:
    make_dispatcher().start()
    uids = [receipt(send_whole(agent, data, "x.bin"))["measurement"] for data in (b"\x07\x01" * 500, b"")]
    assert done.wait(2) == dict.fromkeys(uids, NOT_TRANSLATED)
    with app.state.platform.db.read() as session:
        kinds = session.scalars(select(Translation.error_kind).order_by(Translation.id)).all()
        assert set(kinds) == {"unknown_format", "damaged"}
        assert all(session.scalars(select(Translation.error_message)))
        assert [m.title for m in session.scalars(select(Measurement))] == ["x.bin", "x.bin"]


def test_a_folder_is_given_to_its_reader_as_a_folder(app: FastAPI, agent: TestClient, tmp_path: Path) -> None:
    files = {"AcqData/a:b.xml": b"<a/>", "data.ms": b"12"}
    whole = set_sha256((n, sha256(d)) for n, d in files.items())
    for name, data in files.items():
        more = {"set": "s", "set_size": 2, "set_sha256": whole, "name": name}
        receipt(send_whole(agent, data, name.rpartition("/")[2], path="2026/run.D", **more))
    with app.state.platform.db.write() as session:
        (work,) = leases.claim(session, "me", 5)
    root = lay_out(work, app.state.platform.objects, tmp_path)
    assert root == tmp_path / "run.D"
    assert {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()} == {
        "AcqData/a_b.xml": b"<a/>",
        "data.ms": b"12",
    }


def test_what_one_worker_holds_no_other_takes(app: FastAPI, agent: TestClient, settings: Settings) -> None:
    waiting(app, agent, 6)
    other = Database(settings.database_url)
    with app.state.platform.db.write() as session:
        mine = leases.claim(session, "me", 4)
    with other.write() as session:
        theirs = leases.claim(session, "them", 4)
    assert len(mine) == 4
    assert len(theirs) == 2
    assert not {w.id for w in mine} & {w.id for w in theirs}
    assert [w.id for w in mine] == sorted(w.id for w in mine)
    other.close()


def test_two_workers_at_once_share_without_waiting_for_each_other(
    app: FastAPI, agent: TestClient, settings: Settings
) -> None:
    db: Database = app.state.platform.db
    if db.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    waiting(app, agent, 6)
    other = Database(settings.database_url)
    with db.write() as first, other.write() as second:
        mine, theirs = leases.claim(first, "me", 3), leases.claim(second, "them", 10)
    assert (len(mine), len(theirs)) == (3, 3)
    other.close()


def test_a_lease_that_ran_out_is_taken_again_and_given_up_at_last(
    app: FastAPI, agent: TestClient, done: Done, make_dispatcher: Callable[[], Dispatcher]
) -> None:
    db = app.state.platform.db
    (uid,) = waiting(app, agent, 1)
    for attempt in (0, 1, 2):
        with db.write() as session:
            (work,) = leases.claim(session, f"elsewhere-{attempt}", 5)
            assert work.attempts == attempt
            assert not leases.any_free(session)
        with db.write() as session:
            session.execute(update(Measurement).values(lease_until=now() - timedelta(seconds=1)))
    make_dispatcher().start()
    assert done.wait(1) == {uid: NOT_TRANSLATED}
    translation = one(app, Translation)
    assert translation.error_kind == "crashed"
    assert "3 times" in translation.error_message
    assert one(app).attempts == 0  # so that a person may try again


def test_what_a_killed_process_held_is_free_at_once(app: FastAPI, agent: TestClient) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    me = leases.new_owner()
    here = me.split("-")[0]
    waiting(app, agent, 3)
    db = app.state.platform.db
    for owner in (f"{here}-{ended.pid}-00", me, f"othermachine-{ended.pid}-00"):
        with db.write() as session:
            assert len(leases.claim(session, owner, 1)) == 1
    with db.write() as session:
        uids = set(session.scalars(select(Measurement.uid)))
        assert leases.free_dead(session, me, lambda owner: uids) == 1
        # One it was in the middle of is suspect; what others hold is not theirs to judge.
        assert sorted(session.scalars(select(Measurement.attempts))) == [0, 0, 1]
        assert leases.any_free(session)
        assert len(leases.claim(session, me, 5)) == 1
    assert leases.is_dead(f"{here}-{os.getpid()}-00", me)  # of before a restart with the same number
    assert not leases.is_dead(f"{here}-1-00", me)


def test_a_result_of_a_lease_that_was_lost_is_dropped(
    app: FastAPI, agent: TestClient, make_dispatcher: Callable[[], Dispatcher]
) -> None:
    waiting(app, agent, 1)
    dispatcher = make_dispatcher()
    with app.state.platform.db.write() as session:
        (work,) = leases.claim(session, "somebody else", 1)
    finished = dispatcher._failed(work, now(), Failure("damaged", "late"))
    dispatcher._record([finished])
    assert one(app).state == WAITING
    with app.state.platform.db.read() as session:
        assert session.scalars(select(Translation)).all() == []


def test_a_stopped_dispatcher_gives_back_what_it_held(
    app: FastAPI, agent: TestClient, done: Done, make_dispatcher: Callable[[], Dispatcher], settings: Settings
) -> None:
    waiting(app, agent, 30)
    dispatcher = make_dispatcher()
    dispatcher.start()
    done.wait(1)
    dispatcher.stop()
    with app.state.platform.db.read() as session:
        rows = session.execute(select(Measurement.state, Measurement.lease_owner, Measurement.attempts)).all()
    assert {owner for _, owner, _ in rows} == {None}
    assert {attempts for _, _, attempts in rows} == {0}
    assert not list((settings.data / "translating").iterdir())
    make_dispatcher().start()
    assert len(done.wait(30)) == 30


def test_a_result_that_cannot_be_stored_is_tried_again_later(
    app: FastAPI, agent: TestClient, make_dispatcher: Callable[[], Dispatcher]
) -> None:
    waiting(app, agent, 1)
    dispatcher = make_dispatcher()
    db = app.state.platform.db
    with db.write() as session:
        (work,) = leases.claim(session, dispatcher.owner, 1)
    dispatcher._store([_result(work, Failure("output", "the disk is full"))])
    measurement = one(app)
    assert measurement.state == WAITING
    assert measurement.lease_owner is None
    assert measurement.lease_until > now()
    with db.write() as session:
        assert not leases.any_free(session)  # not at once
        session.execute(update(Measurement).values(lease_until=now() - timedelta(seconds=1), attempts=2))
        (work,) = leases.claim(session, dispatcher.owner, 1)
    dispatcher._store([_result(work, Failure("output", "the disk is full"))])
    assert one(app).state == NOT_TRANSLATED
    assert one(app, Translation).error_kind == "output"


def _result(work: Any, failure: Failure) -> Any:
    return _Result(work, now(), failure)


def test_a_newer_reader_translates_again_and_an_older_worker_does_not_undo_it(
    app: FastAPI, agent: TestClient, make_dispatcher: Callable[[], Dispatcher]
) -> None:
    db, events = app.state.platform.db, app.state.platform.events
    dispatcher = make_dispatcher()
    waiting(app, agent, 4)
    with db.write() as session:
        works = leases.claim(session, dispatcher.owner, 4)
    had = [("a", "1.9", None), ("a", "1.10", None), ("b", "1", "damaged"), ("", "0" * 12, "unknown_format")]
    for work, (reader, version, kind) in zip(works, had, strict=True):
        with db.write() as session:
            translation = Translation(
                measurement_id=work.id,
                reader=reader,
                reader_version=version,
                started_at=now(),
                seconds=0.1,
                error_kind=kind,
            )
            session.add(translation)
            session.flush()
            state = NOT_TRANSLATED if kind else TRANSLATED
            session.execute(
                update(Measurement)
                .where(Measurement.id == work.id)
                .values(translation_id=translation.id, state=state, lease_owner=None, lease_until=None)
            )

    def mark(versions: dict[str, str], most: int = 10) -> int:
        with db.write() as session:
            return outdated.mark(session, events, versions, most)

    assert mark({"a": "1.8", "b": "1"}) == 1  # only the unknown one: readers have changed since
    assert mark({"a": "1.10", "b": "1"}) == 1
    assert mark({"a": "1.11", "b": "2"}, most=1) == 1
    assert mark({"a": "1.11", "b": "2"}, most=10) == 1
    assert mark({"a": "1.11", "b": "2"}) == 0
    with db.read() as session:
        assert set(session.scalars(select(Measurement.state))) == {WAITING}


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-01-02T03:04:05+09:00", "Europe/Berlin", datetime(2026, 1, 1, 18, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05", "Asia/Tokyo", datetime(2026, 1, 1, 18, 4, 5, tzinfo=UTC)),
        ("2026-07-02T03:04:05", "Europe/Berlin", datetime(2026, 7, 2, 1, 4, 5, tzinfo=UTC)),
        (None, "Asia/Tokyo", None),
        ("0001-01-01T00:00:00", "Asia/Tokyo", None),
    ],
)
def test_a_time_without_zone_is_of_the_instruments_clock(
    text: str | None, zone: str, expected: datetime | None
) -> None:
    assert aware(text, zone) == expected


def test_a_time_of_an_instrument_without_zone_is_of_the_servers_clock() -> None:
    expected = datetime(2026, 1, 2, 3, 4, 5).astimezone(UTC)
    assert aware("2026-01-02T03:04:05", "") == aware("2026-01-02T03:04:05", "No/Where") == expected


def test_every_error_kind_has_advice_in_both_languages() -> None:
    assert set(ADVICE) == set(get_args(Kind))
    for kind in ADVICE:
        assert all(advice(kind))


def test_zairyo_work_translates_beside_a_server(
    app: FastAPI, agent: TestClient, settings: Settings, tmp_path: Path
) -> None:
    uids = waiting(app, agent, 3)
    command = [Path(sys.executable).parent / "zairyo", "work", "--data", settings.data, "--workers", "1"]
    with subprocess.Popen([*command, "--database", settings.database_url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"Ctrl-C" in process.stdout.readline()
        events: Events = app.state.platform.events

        async def heard() -> set[str]:
            with app.state.platform.db.read() as session:
                projects = tuple(session.scalars(select(Measurement.project_id).distinct()))
            subscription = events.subscribe(asyncio.get_running_loop(), Visible(projects), after=1)
            found: set[str] = set()
            while len(found) < 3:
                changes = await subscription.next(PATIENCE)
                assert changes
                found |= {c.uid for c in changes if c.state == NOT_TRANSLATED}
            return found

        assert asyncio.run(heard()) == set(uids)
        process.terminate()
        assert process.wait(PATIENCE) == 0
