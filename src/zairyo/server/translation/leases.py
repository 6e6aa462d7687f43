"""Which measurements are whose work: the row itself is the lease.

A measurement in ``waiting`` that nobody holds is work. A worker holds it by name and for a time, which it
prolongs while it works; what a worker that died held is free again, at once where its death can be seen (same
machine), else when the time has run out.
"""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, bindparam, case, or_, select, update
from sqlalchemy.orm import Session

from zairyo.measurement import RawFile as SourceFile
from zairyo.server.models import WAITING, Measurement, RawFile, now

LEASE = timedelta(seconds=60)
#: A measurement in whose middle so many workers died is given up.
MOST_ATTEMPTS = 3

# Tables and statements made once, for what is done many times a second.
_M, _FILES = (cast("Table", model.__table__) for model in (Measurement, RawFile))
#: One nobody ever held is found in the index without looking at those that are held.
_NEW, _RAN_OUT = (
    select(_M.c.id)
    .where(_M.c.state == WAITING, condition)
    .order_by(_M.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    for condition in (_M.c.lease_until.is_(None), _M.c.lease_until < bindparam("at"))
)
_TAKE = (
    update(_M)
    .where(_M.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        attempts=_M.c.attempts + case((_M.c.lease_owner.is_not(None), 1), else_=0),
    )
    .returning(
        *(_M.c[name] for name in ("id", "uid", "project_id", "reader", "path", "files_expected", "attempts"))
    )
)
_FILES_OF = (
    select(_FILES.c.measurement_id, _FILES.c.name, _FILES.c.sha256, _FILES.c.size)
    .where(_FILES.c.measurement_id.in_(bindparam("ids", expanding=True)))
    .order_by(_FILES.c.name)
)


@dataclass(frozen=True)
class Companion:
    """A file that may belong to another measurement than the one it came as.

    Attributes
    ----------
    measurement_id
        The one it came as.
    modified_at, received_at
        Of the file.
    """

    measurement_id: int
    file: SourceFile
    modified_at: datetime | None
    received_at: datetime


@dataclass(frozen=True)
class Work:
    """A measurement to translate.

    Attributes
    ----------
    folder
        Name of the folder of a folder format; empty for a single file.
    attempts
        How many times somebody died or failed in the middle of it.
    files
        Of a folder format, all; else the measurement's own, the main one first.
    sets
        What may belong to the main file, in the order to try; filled by ``sets.attach``.
    """

    id: int
    uid: str
    project_id: int
    reader: str | None
    folder: str
    attempts: int
    files: tuple[SourceFile, ...]
    sets: tuple[tuple[Companion, ...], ...] = ()


def new_owner() -> str:
    """A name for a worker of this process, which tells others on this machine when it has died."""
    return f"{_here()}-{os.getpid()}-{secrets.token_hex(4)}"


def is_dead(owner: str, me: str) -> bool:
    """Whether the process of a worker of this machine has ended; False where that cannot be known."""
    here, _, rest = owner.partition("-")
    pid = rest.partition("-")[0]
    if owner == me or here != _here() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return me.partition("-")[2].partition("-")[0] == pid  # of before a restart with the same number
    if os.name == "nt":
        return False  # there, asking for a process by signal 0 would end it
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _here() -> str:
    """This machine since it was started, and this container of it."""
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _free() -> tuple[ColumnElement[bool], ...]:
    m = Measurement
    return (m.state == WAITING, or_(m.lease_until.is_(None), m.lease_until < now()))


def any_free(session: Session) -> bool:
    """Whether there is work."""
    return session.scalar(select(Measurement.id).where(*_free()).limit(1)) is not None


def claim(session: Session, owner: str, most: int) -> list[Work]:
    """Take up to ``most`` measurements, oldest first; a lease that ran out counts as an attempt that failed."""
    at = now()
    ids = list(session.scalars(_NEW, {"most": most}))
    if len(ids) < most:
        ids += session.scalars(_RAN_OUT, {"most": most - len(ids), "at": at})
    if not ids:
        return []
    taken: Any = session.execute(_TAKE, {"ids": ids, "owner": owner, "until": at + LEASE}).all()
    files = _files(session, ids)
    works = []
    for number, uid, project_id, reader, path, expected, attempts in sorted(taken):
        name = path.rpartition("/")[2]
        found = sorted(files[number], key=lambda f: f.name != name)
        is_file = expected == 1 and found[0].name == name
        works.append(Work(number, uid, project_id, reader, "" if is_file else name, attempts, tuple(found)))
    return works


def _files(session: Session, ids: Sequence[int]) -> dict[int, list[SourceFile]]:
    files: dict[int, list[SourceFile]] = defaultdict(list)
    for number, name, sha256, size in session.execute(_FILES_OF, {"ids": ids}):
        files[number].append(SourceFile(name, sha256, size))
    return files


def renew(session: Session, owner: str) -> None:
    """Prolong all that ``owner`` holds."""
    _change(session, Measurement.lease_owner == owner, lease_until=now() + LEASE)


def release(session: Session, owner: str, ids: Iterable[int], *, pause: timedelta | None = None) -> None:
    """Give work back that was not done; with ``pause``, as one failed attempt, not to be taken before."""
    values: dict[str, Any] = {"lease_owner": None, "lease_until": None}
    if pause is not None:
        values |= {"lease_until": now() + pause, "attempts": Measurement.attempts + 1}
    for number in sorted(ids):
        _change(session, Measurement.id == number, Measurement.lease_owner == owner, **values)


def free_dead(session: Session, me: str, started: Callable[[str], Collection[str]]) -> int:
    """Free what workers held whose processes are seen to have died; how many measurements.

    Parameters
    ----------
    started
        Gives the uids of the measurements a dead worker was in the middle of: for these it is an attempt that
        failed, the others had only been claimed ahead.
    """
    m = Measurement
    owners = session.scalars(select(m.lease_owner).where(m.state == WAITING).distinct())
    count = 0
    for owner in sorted(o for o in owners if o is not None and is_dead(o, me)):
        _change(session, m.lease_owner == owner, m.uid.in_(started(owner)), attempts=m.attempts + 1)
        count += _change(session, m.lease_owner == owner, lease_owner=None, lease_until=None)
    return count


def _change(session: Session, *conditions: ColumnElement[bool], **values: Any) -> int:
    statement = update(Measurement).where(Measurement.state == WAITING, *conditions).values(**values)
    result: Any = session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)
