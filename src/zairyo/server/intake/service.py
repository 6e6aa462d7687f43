"""Intake: files come in whole or piece by piece, and become catalogued objects exactly once."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import shutil
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert, select

from zairyo.server.access import Principal
from zairyo.server.db import Database
from zairyo.server.events import Events
from zairyo.server.intake import tus
from zairyo.server.intake.committer import Committer
from zairyo.server.intake.partial import Partial
from zairyo.server.intake.record import UPLOAD_LIFETIME, Received, duplicate_receipt, sent_again, upload_row
from zairyo.server.intake.refused import Refused, disk_full
from zairyo.server.intake.sender import Sender
from zairyo.server.intake.shelf import Busy, Shelf
from zairyo.server.models import Instrument, Upload, new_uid, now
from zairyo.server.objects import DiskFull, LocalObjects
from zairyo.server.settings import Settings

log = logging.getLogger(__name__)

#: A file up to this size that comes with its creation is held in memory and never is a partial file.
SMALL_BYTES = 2 * 1024**2
#: So many small files are in memory at once.
SMALL_AT_ONCE = 128
#: Bytes that are written at once.
WRITE_BYTES = 1024**2
#: Room on the disk that uploads leave free for the catalogue and for translations.
RESERVE_BYTES = 256 * 1024**2
CLEAN_SECONDS = 600.0
#: How long a question for an upload's state waits for the receipt that is being made.
SETTLE_SECONDS = 20.0
Receipt = dict[str, Any]


@dataclass(frozen=True)
class State:
    """Where an upload stands.

    Attributes
    ----------
    offset
        Bytes that are durable.
    receipt
        Set once the file is catalogued.
    """

    uid: str
    size: int
    offset: int
    expires_at: datetime
    receipt: Receipt | None = None


@dataclass(frozen=True)
class _Row:
    """An upload as the database has it."""

    received: Received
    expires_at: datetime
    receipt: Receipt | None

    @property
    def uid(self) -> str:
        return self.received.upload

    @property
    def size(self) -> int:
        return self.received.file.size

    def at(self, offset: int, receipt: Receipt | None = None) -> State:
        return State(self.uid, self.size, offset, self.expires_at, receipt)


class Intake:
    """Takes uploads; ``start`` before use, ``stop`` commits what is in hand."""

    def __init__(self, db: Database, objects: LocalObjects, settings: Settings, events: Events) -> None:
        self._db = db
        self._objects = objects
        self._events = events
        self.max_file_bytes = settings.max_file_bytes
        self._shelf = Shelf(settings.uploads_folder)
        self._committer = Committer(db, objects, events)
        self._small = asyncio.Semaphore(SMALL_AT_ONCE)
        self._stopping = threading.Event()
        self._janitor: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._committer.start()
        self._janitor = threading.Thread(target=self._look_after, name="intake", daemon=True)
        self._janitor.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._janitor is not None:
            self._janitor.join()
            self._janitor = None
        self._committer.stop()
        self._shelf.close()

    # --- small files, in one request -------------------------------------------------------------------------

    async def receive(self, sender: Sender, file: tus.Announced, body: AsyncIterator[bytes]) -> Receipt:
        """Take a file that comes whole with its creation; returns its receipt.

        Raises
        ------
        Refused
            Wrong length or hash, no room, or it does not fit into its set; nothing of it is kept.
        """
        async with self._small:
            data = await _whole(body, file.size)
            if hashlib.sha256(data).hexdigest() != file.sha256:
                raise _wrong_hash()
            received = Received(new_uid(), sender, file, now())
            return await asyncio.wrap_future(self._committer.submit(received, data))

    # --- larger files, piece by piece ------------------------------------------------------------------------

    def create(self, sender: Sender, file: tus.Announced, meta: dict[str, str]) -> State:
        """Begin an upload; one whose file is already here is complete at once.

        Raises
        ------
        Refused
            There is no room for it.
        """
        received = Received(new_uid(), sender, file, now())
        with self._db.read() as session:
            receipt = duplicate_receipt(session, received)
        if receipt is None and shutil.disk_usage(self._shelf.folder).free < file.size + RESERVE_BYTES:
            raise disk_full()
        row = upload_row(received, offset=file.size if receipt else 0, receipt=receipt, meta=meta)
        with self._db.write() as session:
            session.execute(insert(Upload), [row])
            if receipt and file.batch and not sender.is_agent:
                sent_again(session, self._events, {receipt["measurement"]: file.batch})
        return State(received.upload, file.size, row["offset"], row["expires_at"], receipt)

    async def state(self, uid: str, principal: Principal) -> State:
        """Where an upload stands. One whose bytes are all here, but whose sender got no receipt, is completed."""
        return await asyncio.to_thread(self._state, uid, principal)

    def _state(self, uid: str, principal: Principal) -> State:
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            row = self._load(uid, principal)
            try:
                row, partial = self._take(row)
                break
            except Busy:
                # Another writes to it, or opens it: None while its bytes are hashed.
                offset = self._shelf.confirmed(uid)
                late = time.monotonic() > deadline
                if offset is None and late:
                    raise
                if offset is not None and (offset < row.size or late):
                    return row.at(offset)
            time.sleep(
                0.02
            )  # all bytes are there, or will soon be counted: it may be about to get its receipt
        if partial is None:
            return row.at(row.size, row.receipt)
        try:
            receipt = self._finish(row, partial) if partial.length == row.size else None
            return row.at(partial.length, receipt)
        finally:
            self._shelf.give_back(uid)

    async def append(
        self,
        uid: str,
        principal: Principal,
        offset: int,
        body: AsyncIterator[bytes],
        length: int | None = None,
        checksum: bytes | None = None,
    ) -> State:
        """Write ``body`` after the first ``offset`` bytes; what is confirmed is durable.

        Parameters
        ----------
        length
            Bytes in the body, None if not known before.
        checksum
            SHA-256 of the body; a body with another is forgotten.

        Raises
        ------
        Refused
            With the offset to go on from.
        """
        row, partial = await asyncio.to_thread(self._open, uid, principal)
        if partial is None:
            if offset != row.size:
                raise _offset_conflict(row.size)
            return row.at(row.size, row.receipt)
        settling = False
        try:
            if offset != partial.length:
                raise _offset_conflict(partial.length)
            if length is not None and offset + length > row.size:
                raise _too_long(offset)
            await _write(partial, body, row.size, checksum)
            settling = True
            return await asyncio.shield(asyncio.to_thread(self._settle, row, partial))
        finally:
            # Also when the connection is lost: what came is kept, and the upload is free again.
            if not settling:
                await asyncio.shield(asyncio.to_thread(self._shelf.give_back, uid))

    def _open(self, uid: str, principal: Principal) -> tuple[_Row, Partial | None]:
        return self._take(self._load(uid, principal))

    def _settle(self, row: _Row, partial: Partial) -> State:
        """After a write, in one thread that ends its work even if the request does not wait for it."""
        try:
            receipt = self._finish(row, partial) if partial.length == row.size else None
            return row.at(partial.length, receipt)
        finally:
            self._shelf.give_back(row.uid)

    def _take(self, row: _Row) -> tuple[_Row, Partial | None]:
        """The upload's file for its only writer, None if it is complete."""
        if row.receipt is not None:
            return row, None
        partial = self._shelf.take(row.uid)
        if partial.length == 0:
            # It may have been completed by another request since ``row`` was read.
            again = self._row(row.uid)
            if again is None or again.receipt is not None:
                partial.discard()
                self._shelf.give_back(row.uid)
                if again is None:
                    raise _gone()
                return again, None
        return row, partial

    def discard(self, uid: str, principal: Principal) -> None:
        """Forget an upload; a file that is catalogued stays."""
        self._load(uid, principal)
        with self._shelf.taken(uid) as partial:
            self._drop(uid, partial)

    def _drop(self, uid: str, partial: Partial) -> None:
        with self._db.write() as session:
            session.execute(delete(Upload).where(Upload.uid == uid))
        partial.discard()

    def _load(self, uid: str, principal: Principal) -> _Row:
        """The upload, if it is of who asks: what is another's is not there."""
        row = self._row(uid)
        sender = row.received.sender if row else None
        if row is None or sender is None or not _owns(principal, sender):
            if _made_at(uid) + UPLOAD_LIFETIME < now():
                raise _gone()
            raise Refused(
                404, "not_found", "There is no such upload, or it is not yours. Send the file again."
            )
        if row.expires_at <= now():
            raise _gone()
        return row

    def _row(self, uid: str) -> _Row | None:
        with self._db.read() as session:
            found: Any = session.execute(
                select(Upload, Instrument.uid)
                .outerjoin(Instrument, Instrument.id == Upload.instrument_id)
                .where(Upload.uid == uid)
            ).one_or_none()
        if found is None:
            return None
        upload, instrument_uid = found
        sender = Sender(upload.project_id, upload.instrument_id, instrument_uid, upload.account_id)
        meta = upload.meta or {"filename": "complete", "sha256": upload.sha256}
        file = tus.announced(meta, upload.size)
        return _Row(Received(uid, sender, file, now(), known=True), upload.expires_at, upload.receipt)

    def _finish(self, row: _Row, partial: Partial) -> Receipt:
        """All bytes are here: check them, make them an object, catalogue them."""
        file = row.received.file
        if partial.sha256 != file.sha256:
            self._drop(row.uid, partial)
            raise _wrong_hash()
        partial.close()
        try:
            (stored,) = self._objects.put([partial.path])
        except DiskFull as e:
            raise disk_full(partial.length) from e
        if stored.sha256 != file.sha256:
            raise OSError(
                errno.EIO, f"{partial.path} was read back with another hash than it was written with"
            )
        receipt: Future[Receipt] = self._committer.submit(row.received, None)
        return receipt.result()

    # --- looking after what is left behind -------------------------------------------------------------------

    def _look_after(self) -> None:
        try:
            self._complete_all()
        except Exception:
            log.exception("uploads of before the restart could not all be looked at")
        while True:
            try:
                self.clean()
            except Exception:
                log.exception("expired uploads could not be cleaned up; it is tried again")
            if self._stopping.wait(CLEAN_SECONDS):
                return

    def _complete_all(self) -> None:
        """Complete uploads whose bytes were all here when the server ended."""
        for uid in self._shelf.uids():
            if self._stopping.is_set():
                return
            row = self._row(uid)
            if row is None or self._shelf.path(uid).stat().st_size < row.size:
                continue
            try:
                row, partial = self._take(row)
                if partial is not None:
                    self._settle(row, partial)
            except (Refused, OSError) as e:
                log.info("upload %s was not completed: %s", uid, e)

    def clean(self) -> None:
        """Drop expired uploads, and partial files of uploads that are not known any more."""
        with self._db.write() as session:
            session.execute(delete(Upload).where(Upload.expires_at <= now()))
        on_disk = self._shelf.uids()
        with self._db.read() as session:
            known = set(session.scalars(select(Upload.uid)))
        for uid in on_disk:
            if uid not in known:
                try:
                    with self._shelf.taken(uid) as partial:
                        partial.discard()
                except (Refused, OSError) as e:
                    log.info("the left-over upload %s stays for now: %s", uid, e)


async def _whole(body: AsyncIterator[bytes], size: int) -> bytes:
    parts, length = [], 0
    async for part in body:
        parts.append(part)
        length += len(part)
        if length > size:
            raise _too_long(0)
    if length < size:
        raise Refused(
            400, "invalid", f"The body has {length} bytes, not the {size} of Upload-Length.", offset=0
        )
    return b"".join(parts)


async def _write(partial: Partial, body: AsyncIterator[bytes], size: int, checksum: bytes | None) -> None:
    """Append a body durably; what came before an error of the connection is kept."""
    begin = partial.mark()
    digest = hashlib.sha256()
    length = begin.length
    waiting: list[bytes] = []
    held = 0
    try:
        try:
            async for part in body:
                length += len(part)
                if length > size:
                    partial.back_to(begin)
                    raise _too_long(begin.length)
                if checksum is not None:
                    digest.update(part)
                waiting.append(part)
                held += len(part)
                if held >= WRITE_BYTES:
                    data, waiting, held = b"".join(waiting), [], 0
                    await asyncio.to_thread(partial.append, data)
        except Refused:
            waiting = []
            raise
        finally:
            if waiting:
                await asyncio.to_thread(partial.append, b"".join(waiting))
        if checksum is not None and digest.digest() != checksum:
            partial.back_to(begin)
            raise Refused(
                460,
                "wrong_hash",
                "The bytes that came do not have the hash in Upload-Checksum. Send them again.",
                "Upload-Checksum",
                begin.length,
            )
        await asyncio.to_thread(partial.sync)
    except OSError as e:
        if e.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        try:
            await asyncio.to_thread(partial.sync)
        finally:
            raise disk_full(partial.length) from e


def _owns(principal: Principal, sender: Sender) -> bool:
    if sender.is_agent:
        return principal.instrument_id is not None and principal.instrument_id == sender.instrument_id
    return principal.account_id is not None and principal.account_id == sender.account_id


def _made_at(uid: str) -> datetime:
    """When a uid was made; long ago for what is none, now for one from the future."""
    try:
        seconds = (int(uid, 16) >> 80) / 1000 if len(uid) == 32 else time.time()
    except ValueError:
        seconds = time.time()
    return datetime.fromtimestamp(min(seconds, time.time()), UTC)


def _gone() -> Refused:
    return Refused(410, "gone", "This upload has expired or was ended. Send the file again.")


def _offset_conflict(offset: int) -> Refused:
    return Refused(
        409, "offset_conflict", f"The upload is at {offset} bytes; go on from there.", "Upload-Offset", offset
    )


def _too_long(offset: int) -> Refused:
    return Refused(413, "too_large", "More bytes came than Upload-Length says.", "Upload-Length", offset)


def _wrong_hash() -> Refused:
    return Refused(
        460,
        "wrong_hash",
        "The file that came does not have the SHA-256 that was announced; nothing of it was kept. Send it again.",
        "sha256",
        0,
    )
