"""Received files → rows of the catalogue: a whole group in one transaction, each file exactly once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from zairyo.server.events import Events
from zairyo.server.intake.refused import Refused
from zairyo.server.intake.sender import Sender
from zairyo.server.intake.tus import Announced, set_sha256
from zairyo.server.models import RECEIVING, WAITING, Instrument, Measurement, Object, RawFile, Upload, new_uid
from zairyo.server.parts import again, hide, portions

# Tables and statements made once: rows that nobody looks at again need no objects of Python's, which take
# several times the time.
_OBJECTS, _MEASUREMENTS, _RAW_FILES, _UPLOADS, _INSTRUMENTS = (
    cast("Table", model.__table__) for model in (Object, Measurement, RawFile, Upload, Instrument)
)
_INSERT_OBJECTS = {
    "sqlite": sqlite.insert(_OBJECTS).on_conflict_do_nothing(index_elements=["sha256"]),
    "postgresql": postgresql.insert(_OBJECTS).on_conflict_do_nothing(index_elements=["sha256"]),
}
_INSERT_MEASUREMENTS = insert(_MEASUREMENTS).returning(_MEASUREMENTS.c.intake_key, _MEASUREMENTS.c.id)
_INSERT_RAW_FILES, _INSERT_UPLOADS = insert(_RAW_FILES), insert(_UPLOADS)
_FIND = (
    select(
        *(_MEASUREMENTS.c.intake_key, _MEASUREMENTS.c.id, _MEASUREMENTS.c.uid, _MEASUREMENTS.c.state),
        *(_MEASUREMENTS.c.files_expected, _MEASUREMENTS.c.project_id, _MEASUREMENTS.c.previous_id),
    )
    .where(_MEASUREMENTS.c.intake_key.in_(bindparam("keys", expanding=True)))
    .order_by(_MEASUREMENTS.c.id)
)
_FIND_AND_LOCK = _FIND.with_for_update()
_EARLIER = (
    select(_MEASUREMENTS.c.path, _MEASUREMENTS.c.id, _MEASUREMENTS.c.version)
    .where(
        _MEASUREMENTS.c.instrument_id == bindparam("instrument"),
        # What the instrument sent to a project that it was in before stays what that project sees.
        _MEASUREMENTS.c.project_id == bindparam("project"),
        _MEASUREMENTS.c.path.in_(bindparam("paths", expanding=True)),
        _MEASUREMENTS.c.account_id.is_(None),
    )
    .order_by(_MEASUREMENTS.c.version)
)
_FILE_CAME = (
    update(_INSTRUMENTS).where(_INSTRUMENTS.c.id == bindparam("instrument")).values(file_at=bindparam("at"))
)
#: How long an upload may take, and its receipt can be asked for again.
UPLOAD_LIFETIME = timedelta(days=7)


@dataclass(frozen=True)
class Received:
    """A file whose bytes are a durable object, to be catalogued.

    Attributes
    ----------
    upload
        Uid of its upload.
    known
        The upload's row is there already.
    """

    upload: str
    sender: Sender
    file: Announced
    received_at: datetime
    known: bool = False

    @property
    def key(self) -> str:
        return self.sender.intake_key(self.file)


@dataclass
class _Found:
    """A measurement as the transaction knows it."""

    id: int
    uid: str
    state: str
    expected: int
    project_id: int
    previous_id: int | None
    files: dict[str, str] = field(default_factory=dict)
    """Names and hashes of its files so far; filled for sets that are being received."""
    folder: tuple[int | None, str] | None = None
    """Of a set that an agent sends: its instrument and path."""


def record(session: Session, events: Events, batch: Sequence[Received]) -> list[dict[str, Any] | Refused]:
    """Catalogue a group of files; answers the receipt of each, or why it was refused.

    No two of ``batch`` may be different versions of one path (see :func:`versions_collide`).
    """
    found = _find(session, batch, lock=True)
    fresh = {r.key: r for r in batch if r.key not in found}
    new_keys = set(fresh)
    insert_objects(session, {r.file.sha256: (r.file.size, r.received_at) for r in batch})
    found |= _insert_measurements(session, list(fresh.values()))
    _load_files(session, [f for f in found.values() if f.state == RECEIVING])
    answers: list[dict[str, Any] | Refused] = []
    rows: list[dict[str, Any]] = []
    complete: list[_Found] = []
    batches: dict[str, str] = {}
    for received in batch:
        measurement = found[received.key]
        try:
            duplicate = not _take(received, measurement, received.key in new_keys, rows, complete)
        except Refused as e:
            answers.append(e)
            continue
        new_keys.discard(received.key)
        answers.append(_receipt(received, measurement, duplicate))
        if duplicate and received.file.batch and not received.sender.is_agent:
            batches[measurement.uid] = received.file.batch
    if rows:
        session.execute(_INSERT_RAW_FILES, rows)
    _complete(session, complete)
    _hide_singles(session, events, complete)
    sent_again(session, events, batches)
    _keep_receipts(session, batch, answers)
    _tell(session, events, batch, answers, [found[k] for k in fresh], complete)
    return answers


def versions_collide(received: Received, taken: dict[tuple[int | None, str], str]) -> bool:
    """Whether an instrument's file is another version of a path in ``taken``, which it is noted in otherwise."""
    if not received.sender.is_agent:
        return False
    return taken.setdefault((received.sender.instrument_id, received.file.path), received.key) != received.key


def duplicate_receipt(session: Session, received: Received) -> dict[str, Any] | None:
    """The receipt of a file that is already here in full, before any byte of it is sent again; else None."""
    measurement = _find(session, [received]).get(received.key)
    if measurement is None:
        return None
    name, sha256 = received.file.name, received.file.sha256
    known = select(RawFile.id).where(
        RawFile.measurement_id == measurement.id, RawFile.name == name, RawFile.sha256 == sha256
    )
    return None if session.scalar(known) is None else _receipt(received, measurement, True)


def _find(session: Session, batch: Sequence[Received], *, lock: bool = False) -> dict[str, _Found]:
    keys = {"keys": list({r.key for r in batch})}
    rows: Any = session.execute(_FIND_AND_LOCK if lock else _FIND, keys)
    return {key: _Found(*values) for key, *values in rows}


def insert_objects(session: Session, objects: Mapping[str, tuple[int, datetime]]) -> None:
    """Catalogue objects, by their hash: size and since when; those that are known stay as they are."""
    if not objects:
        return
    # Sorted, so that two servers that insert the same ones wait for each other in one order.
    rows = [{"sha256": sha, "size": size, "created_at": at} for sha, (size, at) in sorted(objects.items())]
    session.execute(_INSERT_OBJECTS[session.get_bind().dialect.name], rows)


def _insert_measurements(session: Session, fresh: Sequence[Received]) -> dict[str, _Found]:
    if not fresh:
        return {}
    earlier = _earlier_versions(session, fresh)
    rows: list[dict[str, Any]] = []
    for r in fresh:
        previous = earlier.get((_place(r), r.file.path)) if r.sender.is_agent else None
        rows.append(
            {
                "uid": new_uid(),
                "project_id": r.sender.project_id,
                "instrument_id": r.sender.instrument_id,
                "account_id": r.sender.account_id,
                "intake_key": r.key,
                "path": r.file.path,
                "version": previous[1] + 1 if previous else 1,
                "previous_id": previous[0] if previous else None,
                "batch": None if r.sender.is_agent else r.file.batch,
                "files_expected": r.file.set.size if r.file.set else 1,
                # A set of one file becomes complete like every other, when its file is taken.
                "state": RECEIVING if r.file.set else WAITING,
                "title": r.file.path.rpartition("/")[2],
                "received_at": r.received_at,
                "changed_at": r.received_at,
            }
        )
    made = session.execute(_INSERT_MEASUREMENTS, rows)
    ids = {row.intake_key: row.id for row in made}
    return {
        row["intake_key"]: _Found(
            ids[row["intake_key"]],
            row["uid"],
            row["state"],
            row["files_expected"],
            row["project_id"],
            row["previous_id"],
        )
        for row in rows
    }


#: An instrument and the project that it is in, by their ids.
_Place: TypeAlias = tuple[int | None, int]


def _place(received: Received) -> _Place:
    return received.sender.instrument_id, received.sender.project_id


def _earlier_versions(
    session: Session, fresh: Sequence[Received]
) -> dict[tuple[_Place, str], tuple[int, int]]:
    """The newest measurement (id, version) at each agent's path."""
    paths: dict[_Place, set[str]] = defaultdict(set)
    for r in fresh:
        if r.sender.is_agent and r.sender.instrument_id is not None:
            paths[_place(r)].add(r.file.path)
    newest: dict[tuple[_Place, str], tuple[int, int]] = {}
    for place, names in paths.items():
        rows: Any = session.execute(_EARLIER, _at(*place, names))
        newest |= {(place, path): (number, version) for path, number, version in rows}
    return newest


def _at(instrument: int | None, project: int, paths: Iterable[str]) -> dict[str, Any]:
    return {"instrument": instrument, "project": project, "paths": list(paths)}


def _load_files(session: Session, receiving: Sequence[_Found]) -> None:
    by_id = {f.id: f for f in receiving}
    if not by_id:
        return
    rows = session.execute(
        select(RawFile.measurement_id, RawFile.name, RawFile.sha256).where(RawFile.measurement_id.in_(by_id))
    )
    for number, name, sha256 in rows:
        by_id[number].files[name] = sha256


def _take(
    received: Received, measurement: _Found, new: bool, rows: list[dict[str, Any]], complete: list[_Found]
) -> bool:
    """Add the file's row unless the measurement has it; whether it was added."""
    file = received.file
    if file.set is None:
        if not new:
            return False
    elif measurement.state != RECEIVING or measurement.files.get(file.name) == file.sha256:
        return False
    else:
        _take_member(received, measurement)
        if len(measurement.files) == measurement.expected:
            measurement.state = WAITING
            complete.append(measurement)
    if new and file.set is None:
        complete.append(measurement)
    rows.append(
        {
            "measurement_id": measurement.id,
            "name": file.name,
            "sha256": file.sha256,
            "size": file.size,
            "modified_at": file.modified,
            "received_at": received.received_at,
        }
    )
    return True


def _take_member(received: Received, measurement: _Found) -> None:
    """Note a file of a set; refused if it cannot be one."""
    file = received.file
    assert file.set is not None
    if file.set.size != measurement.expected:
        raise _not_of_the_set(f"it was announced with {measurement.expected} files, now with {file.set.size}")
    if file.name in measurement.files:
        raise _not_of_the_set(f"it already has another {file.name!r}")
    files = {**measurement.files, file.name: file.sha256}
    if len(files) == measurement.expected and set_sha256(files.items()) != file.set.sha256:
        raise Refused(
            460,
            "wrong_hash",
            "The files do not make up the set that was announced (set_sha256). Send the whole set again.",
            "set_sha256",
        )
    measurement.files = files
    if received.sender.is_agent:
        measurement.folder = (received.sender.instrument_id, file.path)


def _not_of_the_set(why: str) -> Refused:
    return Refused(
        409, "conflict", f"The file does not fit into its set: {why}. Send the whole set again.", "set"
    )


def _complete(session: Session, complete: Sequence[_Found]) -> None:
    """Sets that are complete now wait for translation; what they are newer versions of is superseded."""
    if ready := [f.id for f in complete if f.files]:
        session.execute(update(Measurement).where(Measurement.id.in_(ready)).values(state=WAITING))
    if previous := [f.previous_id for f in complete if f.previous_id is not None]:
        session.execute(update(Measurement).where(Measurement.id.in_(previous)).values(superseded=True))


def _hide_singles(session: Session, events: Events, complete: Sequence[_Found]) -> None:
    """What came file by file before its folder was known to be one measurement is part of it now."""
    for whole in complete:
        if whole.folder is None:
            continue
        instrument, folder = whole.folder
        found: set[int] = set()
        for some in portions(f"{folder}/{name}" for name in whole.files):
            rows = session.execute(_EARLIER, _at(instrument, whole.project_id, some))
            found |= {number for _, number, _ in rows}
        hide(session, events, whole.id, found)


def sent_again(session: Session, events: Events, batches: Mapping[str, str]) -> None:
    """A person's files that are here already came again, with others that may belong to them.

    Parameters
    ----------
    batches
        What they came with now, by the uids of their measurements.
    """
    if not batches:
        return
    m = Measurement
    rows: Any = session.execute(
        select(m.id, m.uid, m.project_id, m.batch)
        .where(m.uid.in_(batches), m.files_expected == 1, m.state != RECEIVING)
        .order_by(m.id)
        .with_for_update()
    )
    for number, uid, project_id, batch in rows.all():
        if batch != batches[uid]:
            session.execute(update(m).where(m.id == number).values(batch=batches[uid]))
            again(session, events, number, uid, project_id)


def _receipt(received: Received, measurement: _Found, duplicate: bool) -> dict[str, Any]:
    return {
        "upload": received.upload,
        "name": received.file.name,
        "sha256": received.file.sha256,
        "size": received.file.size,
        "measurement": measurement.uid,
        "duplicate": duplicate,
        "received_at": received.received_at.isoformat().replace("+00:00", "Z"),
    }


def _keep_receipts(
    session: Session, batch: Sequence[Received], answers: Sequence[dict[str, Any] | Refused]
) -> None:
    """Note on each upload that it is complete, so that a sender that lost the answer can ask again."""
    rows = []
    for received, answer in zip(batch, answers, strict=True):
        if isinstance(answer, Refused):
            continue
        if received.known:
            session.execute(
                update(Upload)
                .where(Upload.uid == received.upload)
                .values(receipt=answer, offset=received.file.size)
            )
        else:
            rows.append(upload_row(received, offset=received.file.size, receipt=answer))
    if rows:
        session.execute(_INSERT_UPLOADS, rows)


def upload_row(
    received: Received,
    *,
    offset: int = 0,
    receipt: dict[str, Any] | None = None,
    meta: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The columns of an upload's row; ``meta`` is what the file can be announced from again."""
    row = {
        "uid": received.upload,
        "account_id": received.sender.account_id,
        "instrument_id": received.sender.instrument_id,
        "project_id": received.sender.project_id,
        "size": received.file.size,
        "offset": offset,
        "sha256": received.file.sha256,
        "meta": meta or {},
        "created_at": received.received_at,
        "expires_at": received.received_at + UPLOAD_LIFETIME,
    }
    return row if receipt is None else row | {"receipt": receipt}  # None would be kept as JSON's null


def _tell(
    session: Session,
    events: Events,
    batch: Sequence[Received],
    answers: Sequence[dict[str, Any] | Refused],
    fresh: Sequence[_Found],
    complete: Sequence[_Found],
) -> None:
    changed = {f.id: f for f in (*fresh, *complete)}
    for f in changed.values():
        events.add(session, "measurement", f.uid, f.project_id, f.state)
    seen: dict[int, Received] = {}
    for received, answer in zip(batch, answers, strict=True):
        if not isinstance(answer, Refused) and received.sender.instrument_id is not None:
            seen[received.sender.instrument_id] = received
    for number, received in sorted(seen.items()):
        session.execute(_FILE_CAME, {"instrument": number, "at": received.received_at})
        uid = received.sender.instrument_uid or ""
        events.add(session, "instrument", uid, received.sender.project_id, RECEIVING)
