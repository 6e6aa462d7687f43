"""Translation as state: whatever waits in the catalogue is translated, by as many workers as there are.

One thread keeps a small stock of work claimed ahead and prolongs its leases, each worker translates in a
child process of its own, and one thread writes results in groups, so that many share an fsync and a commit.
Work that is new in this process is seen at once, others' by polling.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy.exc import SQLAlchemyError

from zairyo.readers._api import Reader
from zairyo.readers.limits import Limits
from zairyo.readers.sandbox import Failure, Result
from zairyo.server.db import Database, DatabaseError
from zairyo.server.events import Change, Events
from zairyo.server.models import WAITING, now
from zairyo.server.objects import Objects
from zairyo.server.settings import Settings
from zairyo.server.translation import leases, outdated, sets
from zairyo.server.translation.leases import Companion, Work
from zairyo.server.translation.record import Finished, record
from zairyo.server.translation.worker import Worker

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
RENEW_SECONDS = leases.LEASE.total_seconds() / 3
LOOK_FOR_DEAD_SECONDS = 10.0
#: Work claimed ahead for each worker: at least, and at most where it is done within a second.
AHEAD, MOST_AHEAD = 8, 32
MOST_RESULTS = 64
GATHER_SECONDS = 0.5
#: How many outdated measurements wait at a time, so that new ones never queue behind many.
MOST_OUTDATED = 64
#: Before a measurement whose result could not be stored is tried again.
STORE_PAUSE = timedelta(seconds=30)
#: Failures that are tried again, and after what time: there was no room, or something killed the child (it may
#: have been the system, short of memory).
_PAUSES = {"output": STORE_PAUSE, "crashed": timedelta(0)}


@dataclass(frozen=True)
class _Result:
    work: Work
    started_at: datetime
    result: Result
    parts: tuple[Companion, ...] = ()


class Dispatcher:
    """Translates what waits; ``start`` returns at once, ``stop`` within about a second.

    Parameters
    ----------
    limits
        What one file may use; by default what the settings say.
    """

    def __init__(
        self, db: Database, objects: Objects, settings: Settings, events: Events, limits: Limits | None = None
    ) -> None:
        self._db = db
        self._objects = objects
        self._events = events
        self._workers_count = settings.workers
        self._limits = limits or Limits(
            seconds=settings.translation_seconds,
            memory=settings.translation_mib * 1024**2,
            input_bytes=settings.max_file_bytes,
            output_bytes=settings.translation_mib * 1024**2,
        )
        self._folders = settings.data / "translating"
        self.owner = leases.new_owner()
        # One lock, and a condition for each kind of thread, so that what concerns one does not wake all.
        self._lock = threading.Lock()
        self._work_came = threading.Condition(self._lock)
        self._results_came = threading.Condition(self._lock)
        self._claims_wanted = threading.Condition(self._lock)
        self._waiting: deque[Work] = deque()
        self._results: deque[_Result] = deque()
        self._held: dict[int, Work] = {}
        self._stock = self._workers_count * AHEAD
        self._done_since = 0
        self._claimed_at = time.monotonic()
        self._news = False
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._workers: list[Worker] = []
        events.listen(self._look)

    @cached_property
    def _readers(self) -> list[Reader]:
        from zairyo.readers.registry import default_registry  # loads every reader

        return list(default_registry().readers.values())

    @cached_property
    def _versions(self) -> dict[str, str]:
        return {reader.name: reader.version for reader in self._readers}

    @cached_property
    def _sets(self) -> list[sets.FindSets]:
        return [reader.sets for reader in self._readers if reader.sets]

    def start(self) -> None:
        if not self._workers_count:
            return
        self._stopping = False
        self._workers = [
            Worker(self._next, self._done, self._objects, self._folders / self.owner / str(i), self._limits)
            for i in range(self._workers_count)
        ]
        self._threads = [
            threading.Thread(target=self._claim_forever, name="translation-claims", daemon=True),
            threading.Thread(target=self._record_forever, name="translation-results", daemon=True),
        ]
        for thread in (*self._threads, *self._workers):
            thread.start()

    def stop(self) -> None:
        """Record what is done, give the rest back."""
        with self._lock:
            self._stopping = True
            for condition in (self._work_came, self._results_came, self._claims_wanted):
                condition.notify_all()
        for worker in self._workers:
            while worker.is_alive():
                worker.interrupt()
                worker.join(0.1)
        for thread in self._threads:
            thread.join()
        self._workers, self._threads = [], []
        if self._held:
            try:
                with self._db.write() as session:
                    leases.release(session, self.owner, self._held)
            except (SQLAlchemyError, DatabaseError) as e:
                log.warning("work could not be given back, others take it when its lease ends: %s", e)
            self._held.clear()
            self._waiting.clear()
        shutil.rmtree(self._folders / self.owner, ignore_errors=True)

    def wake(self) -> None:
        """Look for work now."""
        with self._lock:
            self._news = True
            self._claims_wanted.notify()

    def _look(self, changes: list[Change]) -> None:
        if any(c.state == WAITING for c in changes):
            self.wake()

    # --- workers' side ---------------------------------------------------------------------------------------

    def _next(self, seconds: float) -> Work | None:
        deadline = time.monotonic() + seconds
        with self._lock:
            while True:
                while not self._waiting and not self._stopping:
                    if not self._work_came.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                        raise TimeoutError
                if self._stopping:
                    return None
                work = self._waiting.popleft()
                if self._is_current(work):
                    break
            if len(self._waiting) == self._stock // 2:
                self._claims_wanted.notify()
            return work

    def _done(self, work: Work, result: Result, parts: tuple[Companion, ...] = ()) -> None:
        with self._lock:
            if self._stopping and isinstance(result, Failure):
                return  # most likely because its child was ended
            self._results.append(_Result(work, now() - timedelta(seconds=result.seconds), result, parts))
            self._done_since += 1
            if len(self._results) == 1 or self._enough():
                self._results_came.notify()

    # --- claiming --------------------------------------------------------------------------------------------

    def _claim_forever(self) -> None:
        renewed = time.monotonic()
        looked = 0.0
        more_outdated = True
        while not self._stopping:
            try:
                if time.monotonic() - renewed >= RENEW_SECONDS:
                    renewed = time.monotonic()
                    self._renew()
                if time.monotonic() - looked >= LOOK_FOR_DEAD_SECONDS:
                    looked = time.monotonic()
                    self._free_dead()
                claimed = self._claim()
                if not claimed and not self._held and more_outdated:
                    more_outdated = self._mark_outdated() > 0
                    claimed = more_outdated
            except (SQLAlchemyError, DatabaseError) as e:
                log.warning("translation waits for the database: %s", e)
                claimed = False
            if not claimed:
                self._rest()

    def _rest(self) -> None:
        with self._lock:
            self._claims_wanted.wait_for(
                lambda: self._stopping or (self._news and self._room() > 0), POLL_SECONDS
            )

    def _room(self) -> int:
        """How much to claim: nothing while half of the stock is there, so that claims come in groups."""
        return self._stock - len(self._waiting) if len(self._waiting) <= self._stock // 2 else 0

    def _set_stock(self) -> None:
        """As much as was done in a second of late, so that claims are few and others' workers find work, too."""
        at = time.monotonic()
        in_a_second = int(self._done_since / max(at - self._claimed_at, 0.1))
        self._done_since, self._claimed_at = 0, at
        self._stock = min(max(in_a_second, self._workers_count * AHEAD), self._workers_count * MOST_AHEAD)

    def _claim(self) -> bool:
        """Claim more; whether there was any."""
        with self._lock:
            told = self._news
            if self._room():
                self._set_stock()
            if room := self._room():
                self._news = False
        if not room:
            return False
        if not told:
            with self._db.read() as session:
                if not leases.any_free(session):
                    return False
        finders = self._sets  # loaded before the transaction begins
        earlier: dict[int, Work | None] = {}
        try:
            with self._db.write() as session:
                works = leases.claim(session, self.owner, room)
                works = sets.attach(session, self._events, works, finders)
                # Before others, and ``record``, can see the leases.
                earlier = self._hold({work.id: work for work in works})
        except BaseException:
            self._hold(earlier)
            raise
        with self._lock:
            self._news = self._news or len(works) == room  # then there is probably more
            for work in works:
                if work.attempts >= leases.MOST_ATTEMPTS:
                    self._results.append(_Result(work, now(), _given_up(work)))
                else:
                    self._waiting.append(work)
            self._work_came.notify_all()
            self._results_came.notify()
        return bool(works)

    def _hold(self, works: Mapping[int, Work | None]) -> dict[int, Work | None]:
        """Hold these works, or none, of their measurements; what was held of them before."""
        with self._lock:
            earlier = {number: self._held.pop(number, None) for number in works}
            self._held |= {number: work for number, work in works.items() if work is not None}
        return earlier

    def _is_current(self, work: Work) -> bool:
        """Whether it was not claimed again since, because a file of its set came: then it was read without that."""
        return self._held.get(work.id, work) is work

    def _renew(self) -> None:
        if self._held:
            with self._db.write() as session:
                leases.renew(session, self.owner)

    def _free_dead(self) -> None:
        with self._db.write() as session:
            count = leases.free_dead(session, self.owner, self._in_the_middle)
        if count:
            log.info("%d measurements are taken again: their worker died", count)
        if self._folders.is_dir():
            for folder in self._folders.iterdir():
                if leases.is_dead(folder.name, self.owner):
                    shutil.rmtree(folder, ignore_errors=True)

    def _in_the_middle(self, owner: str) -> list[str]:
        """What a worker that was killed was translating: the folders it laid the raw files out in."""
        return [folder.name for folder in (self._folders / owner).glob("*/*") if folder.is_dir()]

    def _mark_outdated(self) -> int:
        with self._db.write() as session:
            return outdated.mark(session, self._events, self._versions, MOST_OUTDATED)

    # --- results ---------------------------------------------------------------------------------------------

    def _record_forever(self) -> None:
        while True:
            with self._lock:
                while not self._results:
                    if self._stopping and not any(w.is_alive() for w in self._workers):
                        return
                    self._results_came.wait(0.1 if self._stopping else None)
                # While more work is in hand, wait a moment for its results: one commit costs as much as of many.
                self._results_came.wait_for(self._enough, GATHER_SECONDS)
                group = [self._results.popleft() for _ in range(min(MOST_RESULTS, len(self._results)))]
            try:
                self._store(group)
            except Exception:
                log.exception("the results of %d translations could not be stored", len(group))
                self._retry_later([r.work for r in group])
            with self._lock:
                for r in group:
                    if self._held.get(r.work.id) is r.work:
                        del self._held[r.work.id]

    def _enough(self) -> bool:
        return self._stopping or len(self._results) >= min(MOST_RESULTS, len(self._held))

    def _store(self, group: Sequence[_Result]) -> None:
        group = [r for r in group if self._is_current(r.work)]
        for r in group:
            if (pause := _pause(r)) is not None:
                self._retry_later([r.work], pause)
        taken = [r for r in group if _pause(r) is None]
        stored = iter(self._objects.put([r.result.path for r in taken if not isinstance(r.result, Failure)]))
        finished = []
        for r in taken:
            if isinstance(r.result, Failure):
                finished.append(self._failed(r.work, r.started_at, r.result))
            else:
                output, result = next(stored), r.result
                finished.append(
                    Finished(
                        r.work,
                        r.started_at,
                        result.seconds,
                        result.reader,
                        result.reader_version,
                        result.summary,
                        (output.sha256, output.size),
                        parts=r.parts,
                    )
                )
        if finished:
            self._record(finished)

    def _record(self, finished: Sequence[Finished]) -> None:
        try:
            with self._db.write() as session:
                record(session, self._events, self.owner, finished, self._is_current)
        except SQLAlchemyError:
            raise  # the database's trouble: all are tried again later
        except Exception as e:
            if len(finished) > 1:
                for one in finished:
                    self._record([one])
                return
            # Its own trouble, which would come again: say so instead.
            log.exception("the translation of %s could not be catalogued", finished[0].work.uid)
            (one,) = finished
            failure = Failure(
                "invalid", f"The result could not be catalogued: {type(e).__name__}: {e}"[:2000]
            )
            with self._db.write() as session:
                failed = [self._failed(one.work, one.started_at, failure)]
                record(session, self._events, self.owner, failed, self._is_current)

    def _failed(self, work: Work, started_at: datetime, failure: Failure) -> Finished:
        unknown = failure.kind == "unknown_format"
        return Finished(
            work,
            started_at,
            failure.seconds,
            reader=work.reader or "",
            reader_version=outdated.fingerprint(self._versions) if unknown else "",
            error_kind=failure.kind,
            error_message=failure.message,
        )

    def _retry_later(self, works: Sequence[Work], pause: timedelta = STORE_PAUSE) -> None:
        try:
            with self._db.write() as session:
                leases.release(session, self.owner, [w.id for w in works], pause=pause)
        except (SQLAlchemyError, DatabaseError) as e:
            log.warning("%d measurements are tried again when their leases end: %s", len(works), e)


def _pause(r: _Result) -> timedelta | None:
    """When to try again what may have failed for another reason than the file; None for a result that stays."""
    if not isinstance(r.result, Failure) or r.work.attempts + 1 >= leases.MOST_ATTEMPTS:
        return None
    return _PAUSES.get(r.result.kind)


def _given_up(work: Work) -> Failure:
    return Failure(
        "crashed",
        f"The process that translated it ended {work.attempts} times in the middle, so it was given up.",
    )
