"""What changed, for pages that are open and for services that wait for work.

An event is a row written in the same transaction as the change it tells of (:meth:`Events.add`), so none is
told of what did not happen and none is missing of what did. Its id is the place in the order of commits: on
PostgreSQL, whose sequences number rows before their transactions commit, the rows are inserted last and under
a lock that is held until the commit. So whoever has seen the event *n* has seen all before it.

One thread reads new rows for all subscribers: at once for changes of this process, by polling for others'.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Table, delete, event, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from zairyo.server.access import Visible
from zairyo.server.db import Database
from zairyo.server.models import Event, now

log = logging.getLogger(__name__)

#: Key of PostgreSQL's advisory lock under which events get their numbers.
NUMBER_LOCK = 0x7A6169657674
POLL_SECONDS = 0.5
KEEP = timedelta(days=1)
CLEAN_EVERY = timedelta(minutes=10)
#: A subscriber that has so many events to fetch is told to read everything anew instead.
MOST_BACKLOG = 2000
_PENDING = "zairyo.events"
_INSERT = insert(cast("Table", Event.__table__))


@dataclass(frozen=True, slots=True)
class Change:
    """One event: ``kind`` is ``measurement`` or ``instrument``, ``state`` a measurement's.

    Of an instrument, the state ``receiving`` says that nothing but files of it came.
    """

    project_id: int
    kind: str
    uid: str
    state: str = ""
    id: int = 0


class Subscription:
    """One open page's events, in order, for one asyncio loop. Made by :meth:`Events.subscribe`.

    Attributes
    ----------
    visible
        The projects whose events come; may be replaced while it is open.
    seen
        Id of the last event that was given out, or is known to the page.
    lost
        Events are missing between what the page has seen and what comes: it has to read everything anew.
    closed
        No more will come.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, visible: Visible) -> None:
        self.visible = visible
        self.seen = 0
        self.lost = False
        self._loop = loop
        self._waiting: deque[Change] = deque()
        self._ready = asyncio.Event()
        self.closed = False

    async def next(self, timeout: float) -> list[Change]:
        """The visible events that came since the last call; none after ``timeout`` s, or when some were ``lost``."""
        deadline = self._loop.time() + timeout
        while not self.closed:
            self._ready.clear()
            if (changes := self._take()) or self.lost:
                return changes
            try:
                async with asyncio.timeout_at(deadline):
                    await self._ready.wait()
            except TimeoutError:
                break
        return []

    def _take(self) -> list[Change]:
        changes = []
        while self._waiting:
            change = self._waiting.popleft()
            self.seen = change.id
            if change.project_id in self.visible:
                changes.append(change)
        return changes

    def give(self, changes: Iterable[Change]) -> None:
        """Called from the polling thread."""
        self._waiting.extend(changes)
        if len(self._waiting) > MOST_BACKLOG:
            self.lost = True
            self.seen = self._waiting[-1].id
            self._waiting.clear()
        self._wake()

    def close(self) -> None:
        """End the stream soon; from any thread."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:  # the loop has ended, and with it the page's connection
            self.closed = True


class Events:
    """Writing events, and handing them on."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._subscriptions: set[Subscription] = set()
        self._listeners: list[Callable[[list[Change]], None]] = []
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._news = False
        self._stopping = False
        self._last = 0
        self._thread: threading.Thread | None = None

    # --- writing ---------------------------------------------------------------------------------------------

    def add(self, session: Session, kind: str, uid: str, project_id: int, state: str = "") -> None:
        """Tell of a change with the session's transaction, if that commits."""
        _, pending = session.info.setdefault(_PENDING, (self, []))
        pending.append(Change(project_id, kind, uid, state))

    def listen(self, listener: Callable[[list[Change]], None]) -> None:
        """Call ``listener`` after each commit of this process, in its thread; it must be quick and not raise."""
        self._listeners.append(listener)

    def committed(self, changes: list[Change]) -> None:
        """Wake who waits; called after the commit."""
        for listener in self._listeners:
            listener(changes)
        with self._wake:
            self._news = True
            self._wake.notify_all()

    # --- reading ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all streams and the thread."""
        self.close_streams()
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def close_streams(self) -> None:
        """End all open streams, and those that are opened later, at once: the server is about to stop.

        Takes no lock: a signal's handler may call it, in the midst of anything.
        """
        self._stopping = True
        for subscription in list(self._subscriptions):
            subscription.close()

    def subscribe(
        self, loop: asyncio.AbstractEventLoop, visible: Visible, after: int | None = None
    ) -> Subscription:
        """Open a subscription, which begins with the events that were missed.

        Parameters
        ----------
        after
            Id of the last event the page has seen; None for a page that has just read everything.
        """
        subscription = Subscription(loop, visible)
        with self._lock:
            if not self._subscriptions:
                self._last = self._newest()
            start = subscription.seen = self._last
            if after is not None and after != start:
                missed = self._read(after, start, MOST_BACKLOG + 1) if after < start else []
                if after > start or len(missed) > MOST_BACKLOG or self._oldest() > after + 1:
                    subscription.lost = True
                else:
                    subscription.give(missed)
            self._subscriptions.add(subscription)
            self._wake.notify_all()  # from now on there is somebody to poll for
            if self._stopping:
                subscription.close()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions.discard(subscription)

    def _run(self) -> None:
        cleaned = now() - CLEAN_EVERY
        while True:
            with self._wake:
                if not self._news and not self._stopping:
                    self._wake.wait(POLL_SECONDS if self._subscriptions else 60.0)
                if self._stopping:
                    return
                self._news = False
                listening = bool(self._subscriptions)
            try:
                if listening:
                    self._hand_on()
                if now() - cleaned >= CLEAN_EVERY:
                    cleaned = now()
                    self._clean()
            except SQLAlchemyError as e:
                # The database may be restarting; what was missed is read when it is back.
                log.warning("events wait for the database: %s", e)
                with self._wake:
                    self._wake.wait(1.0)

    def _hand_on(self) -> None:
        # Under the lock, so that a page that subscribes meanwhile gets each event once.
        with self._lock:
            while changes := self._read(self._last, None, MOST_BACKLOG):
                self._last = changes[-1].id
                for subscription in self._subscriptions:
                    subscription.give(changes)

    def _read(self, after: int, until: int | None, most: int) -> list[Change]:
        rows = select(Event.id, Event.project_id, Event.kind, Event.uid, Event.state).where(Event.id > after)
        if until is not None:
            rows = rows.where(Event.id <= until)
        with self.db.read() as session:
            found: Any = session.execute(rows.order_by(Event.id).limit(most)).all()
        return [Change(project, kind, uid, state, number) for number, project, kind, uid, state in found]

    def _newest(self) -> int:
        with self.db.read() as session:
            return session.scalar(select(func.max(Event.id))) or 0

    def _oldest(self) -> int:
        with self.db.read() as session:
            return session.scalar(select(func.min(Event.id))) or 0

    def _clean(self) -> None:
        """Drop old events, but the newest one: SQLite would give its number again."""
        newest = select(func.max(Event.id)).scalar_subquery()
        with self.db.write() as session:
            session.execute(delete(Event).where(Event.at < now() - KEEP, Event.id < newest))


@event.listens_for(Session, "before_commit")
def _insert_pending(session: Session) -> None:
    if _PENDING not in session.info or session.in_nested_transaction():
        return
    _, pending = session.info[_PENDING]
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": NUMBER_LOCK})
    at = now()
    session.execute(
        _INSERT,
        [
            {"at": at, "project_id": c.project_id, "kind": c.kind, "uid": c.uid, "state": c.state}
            for c in pending
        ],
    )


@event.listens_for(Session, "after_commit")
def _tell_committed(session: Session) -> None:
    if _PENDING in session.info:
        events, pending = session.info.pop(_PENDING)
        events.committed(pending)


@event.listens_for(Session, "after_rollback")
def _forget_pending(session: Session) -> None:
    session.info.pop(_PENDING, None)
