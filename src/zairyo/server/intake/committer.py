"""One thread that makes received files durable in groups, so that many share an fsync and a commit."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from zairyo.server.db import Database, DatabaseError
from zairyo.server.events import Events
from zairyo.server.intake.record import Received, record, versions_collide
from zairyo.server.intake.refused import Refused, disk_full
from zairyo.server.objects import DiskFull, Objects

log = logging.getLogger(__name__)

MOST_FILES = 256
MOST_BYTES = 64 * 1024**2
#: After a group of several files, how long the next one waits for company: many senders are at work.
GATHER_SECONDS = 0.003
#: Pauses before a transaction is tried again that met another server's or a database that is restarting, s.
PAUSES = (0.05, 0.5, 2.0)


@dataclass
class Job:
    """A file to commit: its bytes, or None where they are an object already."""

    received: Received
    body: bytes | None
    receipt: Future[dict[str, Any]] = field(default_factory=Future)

    def refuse(self, why: BaseException) -> None:
        if not self.receipt.done():
            self.receipt.set_exception(why)


class Committer:
    """Takes whatever waits as one group; the receipts are given out when all of it is durable."""

    def __init__(self, db: Database, objects: Objects, events: Events) -> None:
        self._db = db
        self._objects = objects
        self._events = events
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running = False
        self._crowded = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        with self._lock:
            self._running = True
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Commit what was handed over, refuse what comes later."""
        with self._lock:
            self._running = False
            self._jobs.put(None)
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def submit(self, received: Received, body: bytes | None) -> Future[dict[str, Any]]:
        """Hand a file over; the future gives its receipt, or raises :class:`Refused`."""
        job = Job(received, body)
        with self._lock:
            if not self._running:
                raise Refused(
                    503, "stopping", "The server is about to stop. Send the file again in a moment."
                )
            self._jobs.put(job)
        return job.receipt

    def _run(self) -> None:
        put_off: list[Job] = []
        while True:
            group, put_off, ended = self._take(put_off)
            if group:
                try:
                    self._commit(group)
                except BaseException as e:
                    log.exception("a group of received files could not be committed")
                    for job in group:
                        job.refuse(e)
            if ended and not put_off:
                return
            if ended:
                self._jobs.put(None)

    def _take(self, put_off: list[Job]) -> tuple[list[Job], list[Job], bool]:
        """The next group, those that have to wait for the one after it, and whether that was all."""
        group: list[Job] = []
        later: list[Job] = []
        paths: dict[tuple[int | None, str], str] = {}
        size, ended = 0, False
        waiting = list(put_off)
        while len(group) < MOST_FILES and size < MOST_BYTES:
            if waiting:
                job: Job | None = waiting.pop(0)
            elif group or later:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            else:
                job = self._jobs.get()
                if self._crowded:
                    time.sleep(GATHER_SECONDS)
            if job is None:
                ended = True
                break
            if versions_collide(job.received, paths):
                later.append(job)
            else:
                group.append(job)
                size += len(job.body or b"")
        self._crowded = len(group) > 1
        return group, [*later, *waiting], ended

    def _commit(self, group: list[Job]) -> None:
        try:
            self._objects.put([job.body for job in group if job.body is not None])
        except DiskFull:
            for job in group:
                job.refuse(disk_full(0))
            return
        try:
            self._record(group)
        except (SQLAlchemyError, DatabaseError) as e:
            if len(group) == 1:
                group[0].refuse(_not_recorded(e))
                return
            # Something is wrong with one of them; the others must not suffer for it.
            for job in group:
                self._commit_alone(job)

    def _commit_alone(self, job: Job) -> None:
        try:
            self._record([job])
        except (SQLAlchemyError, DatabaseError) as e:
            job.refuse(_not_recorded(e))

    def _record(self, group: Sequence[Job]) -> None:
        for pause in (*PAUSES, None):
            try:
                with self._db.write() as session:
                    answers = record(session, self._events, [job.received for job in group])
            except (IntegrityError, OperationalError) as e:
                if pause is None:
                    raise
                log.info("recording %d files is tried again: %s", len(group), e.orig)
                time.sleep(pause)
            else:
                break
        for job, answer in zip(group, answers, strict=True):
            if isinstance(answer, Refused):
                job.refuse(answer)
            else:
                job.receipt.set_result(answer)


def _not_recorded(e: Exception) -> Refused:
    log.error("a received file could not be catalogued: %s", e)
    return Refused(
        503,
        "unavailable",
        "The server's catalogue could not take the file. Nothing is lost; send it again later.",
    )
