"""Open pages hear of every change they may see, once, in the order of commits, and of no other."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import delete, func, select, update

from zairyo.server import events as module
from zairyo.server.access import Visible
from zairyo.server.api import events as api
from zairyo.server.api.app import create_app
from zairyo.server.db import Database
from zairyo.server.events import Change, Events
from zairyo.server.models import Event, Membership, Project, Token, now
from zairyo.server.settings import Settings

T = TypeVar("T")
PATIENCE = 10.0  # s; never reached where events come


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", database=database_url, public_url="http://testserver", workers=0)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def steel(world) -> Project:
    return world.project("steel")


def tell(app: FastAPI, project: Project, uid: str, events: Events | None = None) -> None:
    """A change of a measurement, committed."""
    platform = app.state.platform
    with platform.db.write() as session:
        (events or platform.events).add(session, "measurement", uid, project.id, "waiting")


async def _hear(subscription: module.Subscription, count: int) -> list[str]:
    heard: list[Change] = []
    while len(heard) < count and not subscription.closed:
        more = await subscription.next(PATIENCE)
        assert more or subscription.closed, f"only {[c.uid for c in heard]} came"
        heard += more
    return [c.uid for c in heard]


def in_loop(do: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        return await do()

    return asyncio.run(run())


def test_a_change_is_told_with_its_commit_and_not_without(app: FastAPI, steel: Project) -> None:
    events: Events = app.state.platform.events

    async def page() -> list[str]:
        subscription = events.subscribe(asyncio.get_running_loop(), Visible((steel.id,)))
        with app.state.platform.db.write() as session:
            events.add(session, "measurement", "never", steel.id)
            session.rollback()
        tell(app, steel, "a")
        tell(app, steel, "b")
        return await _hear(subscription, 2)

    assert in_loop(page) == ["a", "b"]
    with app.state.platform.db.read() as session:
        assert session.scalars(select(Event.uid).order_by(Event.id)).all() == ["a", "b"]


def test_a_page_that_comes_back_gets_what_it_missed_once(app: FastAPI, steel: Project) -> None:
    events: Events = app.state.platform.events
    tell(app, steel, "before")

    async def page() -> tuple[list[str], list[str]]:
        loop = asyncio.get_running_loop()
        first = events.subscribe(loop, Visible((steel.id,)))
        tell(app, steel, "a")
        heard = await _hear(first, 1)
        events.unsubscribe(first)
        tell(app, steel, "b")
        second = events.subscribe(loop, Visible((steel.id,)), after=first.seen)
        tell(app, steel, "c")
        return heard, await _hear(second, 2)

    assert in_loop(page) == (["a"], ["b", "c"])


def test_events_of_another_process_come_too(app: FastAPI, steel: Project, settings: Settings) -> None:
    other = Database(settings.database_url)

    async def page() -> list[str]:
        subscription = app.state.platform.events.subscribe(asyncio.get_running_loop(), Visible((steel.id,)))
        elsewhere = Events(other)
        with other.write() as session:
            elsewhere.add(session, "measurement", "far", steel.id)
        return await _hear(subscription, 1)

    assert in_loop(page) == ["far"]
    other.close()


def test_a_slow_transaction_loses_no_event(app: FastAPI, steel: Project) -> None:
    """Its event is numbered when it commits: not before one that pages have already seen."""
    db, events = app.state.platform.db, app.state.platform.events
    if db.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    added, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with db.write() as session:
            events.add(session, "measurement", "slow", steel.id)
            session.flush()
            added.set()
            assert go_on.wait(PATIENCE)

    thread = threading.Thread(target=slow)
    thread.start()
    assert added.wait(PATIENCE)

    async def page() -> tuple[list[str], list[str]]:
        loop = asyncio.get_running_loop()
        subscription = events.subscribe(loop, Visible((steel.id,)))
        tell(app, steel, "quick")
        first = await _hear(subscription, 1)
        events.unsubscribe(subscription)
        go_on.set()
        await asyncio.to_thread(thread.join)
        back = events.subscribe(loop, Visible((steel.id,)), after=subscription.seen)
        return first, await _hear(back, 1)

    assert in_loop(page) == (["quick"], ["slow"])


def test_many_writers_at_once_lose_no_event(app: FastAPI, steel: Project) -> None:
    events: Events = app.state.platform.events
    expected = {f"{i}-{j}" for i in range(6) for j in range(15)}

    def write(i: int) -> None:
        for j in range(15):
            tell(app, steel, f"{i}-{j}")

    async def page() -> list[str]:
        subscription = events.subscribe(asyncio.get_running_loop(), Visible((steel.id,)))
        threads = [threading.Thread(target=write, args=(i,)) for i in range(6)]
        for thread in threads:
            thread.start()
        heard = await _hear(subscription, len(expected))
        for thread in threads:  # the application ends after this: no connection may be in use then
            await asyncio.to_thread(thread.join)
        return heard

    heard = in_loop(page)
    assert len(heard) == len(expected)
    assert set(heard) == expected


def test_a_page_that_missed_too_much_is_told_to_read_anew(app: FastAPI, steel: Project) -> None:
    events: Events = app.state.platform.events
    for uid in "abcd":
        tell(app, steel, uid)
    with app.state.platform.db.write() as session:
        session.execute(delete(Event).where(Event.uid.in_(["a", "b"])))

    async def page(after: int) -> bool:
        return events.subscribe(asyncio.get_running_loop(), Visible((steel.id,)), after).lost

    newest = app.state.platform.events._newest()
    assert in_loop(lambda: page(newest - 4))  # what it missed was dropped
    assert in_loop(lambda: page(newest + 1000))  # of before a restore from a backup
    assert not in_loop(lambda: page(newest - 2))


def test_old_events_are_dropped_but_the_numbers_go_on(app: FastAPI, steel: Project) -> None:
    events: Events = app.state.platform.events
    tell(app, steel, "a")
    tell(app, steel, "b")
    with app.state.platform.db.write() as session:
        session.execute(update(Event).values(at=now() - timedelta(days=3)))
    newest = events._newest()
    events._clean()
    with app.state.platform.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == 1
    tell(app, steel, "c")
    assert events._newest() == newest + 1


class Served:
    """The application behind a real server, as streams need one."""

    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=10)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
        self.url = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    app = create_app(settings)
    served = Served(app)
    yield served
    app.state.platform.events.close_streams()
    served.stop()


def frames(answer: httpx.Response) -> Iterator[dict[str, str]]:
    frame: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            frame[name or "comment"] = value
        elif frame:
            yield frame
            frame = {}


@pytest.fixture
def served_world(served: Served, make_world) -> Any:
    return make_world(served.server.config.app)


def stream(served: Served, token: str, **headers: str) -> Any:
    return httpx.stream(
        "GET",
        f"{served.url}/api/v1/events",
        headers={"Authorization": f"Bearer {token}", **headers},
        timeout=PATIENCE,
    )


def test_a_page_hears_what_its_person_may_see(served: Served, served_world) -> None:
    world, app = served_world, served.server.config.app
    ann = world.account("ann@nims.jp")
    steel, glass = world.project("steel", viewer=ann), world.project("glass")
    token = world.token(ann)
    with stream(served, token) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        heard = frames(answer)
        hello = next(heard)
        assert "id" in hello
        tell(app, glass, "hidden")
        tell(app, steel, "seen")
        frame = next(heard)
        assert frame["event"] == "measurement"
        assert json.loads(frame["data"]) == {"uid": "seen", "state": "waiting", "project": "steel"}
    tell(app, steel, "missed")
    with stream(served, token, **{"Last-Event-ID": frame["id"]}) as answer:
        heard = frames(answer)
        next(heard)
        assert json.loads(next(heard)["data"])["uid"] == "missed"


def test_who_leaves_a_project_hears_no_more_of_it(
    served: Served, served_world, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PING_SECONDS", 0.05)
    world, app = served_world, served.server.config.app
    ann = world.account("ann@nims.jp")
    steel, glass = world.project("steel", viewer=ann), world.project("glass", viewer=ann)
    with stream(served, world.token(ann)) as answer:
        heard = frames(answer)
        next(heard)
        with world.db.write() as session:
            session.execute(delete(Membership).where(Membership.project_id == steel.id))
        assert "comment" in next(heard)  # the first ping may have been on its way
        assert "comment" in next(heard)
        tell(app, steel, "hidden")
        tell(app, glass, "seen")
        assert json.loads(next(f for f in heard if "data" in f)["data"])["uid"] == "seen"


def test_a_revoked_token_ends_its_streams(
    served: Served, served_world, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PING_SECONDS", 0.05)
    with stream(served, served_world.token(served_world.account("ann@nims.jp"))) as answer:
        heard = frames(answer)
        next(heard)
        with served_world.db.write() as session:
            session.execute(update(Token).values(revoked_at=now()))
        assert all("comment" in frame for frame in heard)  # and it comes to an end


def test_nobody_listens_without_signing_in(served: Served, served_world) -> None:
    assert httpx.get(f"{served.url}/api/v1/events").status_code == 401
    instrument = served_world.instrument("xrd-1", served_world.project("steel"))
    token = served_world.token(instrument)
    answer = httpx.get(f"{served.url}/api/v1/events", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


def test_a_stopping_server_ends_its_streams(served: Served, served_world) -> None:
    with stream(served, served_world.token(served_world.account("ann@nims.jp"))) as answer:
        heard = frames(answer)
        next(heard)
        served.server.config.app.state.platform.events.close_streams()
        assert list(heard) == []
        served.stop()
