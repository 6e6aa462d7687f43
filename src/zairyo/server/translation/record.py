"""Results of translation → rows of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from zairyo.server.events import Events
from zairyo.server.intake.record import insert_objects
from zairyo.server.models import NOT_TRANSLATED, TRANSLATED, Instrument, Measurement, Translation, now
from zairyo.server.translation.leases import Companion, Work
from zairyo.server.translation.sets import keep_parts

_SHORT = 200
# Tables and statements made once: as objects of the ORM the rows would take several times the time.
_M, _I, _TRANSLATIONS = (cast("Table", model.__table__) for model in (Measurement, Instrument, Translation))
_HELD = (
    select(
        *(_M.c.id, _M.c.uid, _M.c.project_id, _M.c.path, _M.c.corrected),
        *(_M.c.title, _M.c.technique, _M.c.sample, _M.c.operator, _M.c.model, _M.c.measured_at),
        *(_I.c.name, _I.c.slug, _I.c.timezone),
    )
    .outerjoin_from(_M, _I, _I.c.id == _M.c.instrument_id)
    .where(_M.c.id.in_(bindparam("ids", expanding=True)), _M.c.lease_owner == bindparam("owner"))
    .order_by(_M.c.id)
    .with_for_update(of=_M)
)
_INSERT_TRANSLATIONS = insert(_TRANSLATIONS).returning(_TRANSLATIONS.c.measurement_id, _TRANSLATIONS.c.id)
_FOUND = ("title", "technique", "sample", "operator", "model", "measured_at")
_UPDATE = (
    update(_M)
    .where(_M.c.id == bindparam("measurement"))
    .values(
        lease_owner=None,
        lease_until=None,
        attempts=0,
        **{name: bindparam(f"new_{name}") for name in ("translation_id", "state", "changed_at", *_FOUND)},
    )
)


@dataclass(frozen=True)
class Finished:
    """How the work on a measurement ended.

    Attributes
    ----------
    seconds
        Wall-clock time it took, s.
    reader, reader_version
        Who translated it; for a format nobody knows, the version is that of all readers together.
    summary
        As ``zairyo.measurement.summary.summarise`` gives it; None if it was not translated.
    output
        Hash and size of the standard-form file among the objects; None likewise.
    error_kind, error_message
        Why it was not.
    parts
        Files that came as measurements of their own and were found to belong to it.
    """

    work: Work
    started_at: datetime
    seconds: float
    reader: str = ""
    reader_version: str = ""
    summary: Mapping[str, Any] | None = None
    output: tuple[str, int] | None = None
    error_kind: str | None = None
    error_message: str | None = None
    parts: tuple[Companion, ...] = ()

    @property
    def entries(self) -> list[Any]:
        """The summaries of what was found in it."""
        return list((self.summary or {}).get("entries", ()))


@dataclass
class _Held:
    """A measurement's row and its instrument's, as far as a result changes it or it is found by it."""

    id: int
    uid: str
    project_id: int
    path: str
    corrected: list[str]
    title: str
    technique: str
    sample: str
    operator: str
    model: str
    measured_at: datetime | None
    name: str | None
    """The instrument's; None where there is none, and so the next two."""
    slug: str | None
    timezone: str | None

    def take(self, summary: Mapping[str, Any]) -> None:
        """Note what was found in the file; what a person wrote stays."""
        found = {
            "title": summary["title"] or self.title,
            "sample": summary["sample"][:_SHORT],
            "operator": summary["operator"][:_SHORT],
        }
        for name in found.keys() - set(self.corrected):
            setattr(self, name, found[name])
        self.technique = summary["technique"][:64]
        self.model = summary["instrument"][:_SHORT]
        self.measured_at = aware(summary["started"], self.timezone or "")


def record(
    session: Session,
    events: Events,
    owner: str,
    group: Sequence[Finished],
    is_current: Callable[[Work], bool] = lambda _: True,
) -> int:
    """Write a group of results, those whose leases ``owner`` still holds; how many those are.

    Parameters
    ----------
    is_current
        Whether ``owner`` did not take a later lease on the same measurement.
    """
    from zairyo.server.search import index

    results = {finished.work.id: finished for finished in group}
    held = [
        (_Held(*row), results[row[0]])
        for row in cast("Any", session.execute(_HELD, {"ids": list(results), "owner": owner}).all())
        if is_current(results[row[0]].work)
    ]
    if not held:
        return 0
    at = now()
    outputs = [finished.output for _, finished in held if finished.output is not None]
    insert_objects(session, {sha256: (size, at) for sha256, size in outputs})
    made: Any = session.execute(_INSERT_TRANSLATIONS, [_translation(finished) for _, finished in held])
    translations: dict[int, int] = {row.measurement_id: row.id for row in made}
    changes = []
    found: list[tuple[index.Findable, index.Translated, list[str]]] = []
    for measurement, finished in held:
        if finished.summary is not None:
            measurement.take(finished.summary)
        state = NOT_TRANSLATED if finished.summary is None else TRANSLATED
        change = {"translation_id": translations[measurement.id], "state": state, "changed_at": at}
        change |= {name: getattr(measurement, name) for name in _FOUND}
        changes.append({"measurement": measurement.id} | {f"new_{k}": v for k, v in change.items()})
        files = [f.name for f in (*finished.work.files, *(c.file for c in finished.parts))]
        found.append((measurement, finished, index.names(_instrument(measurement), files)))
        events.add(session, "measurement", measurement.uid, measurement.project_id, state)
    session.connection().execute(_UPDATE, changes)
    index.index_group(session, found)
    keep_parts(session, events, [(f.work, f.parts) for _, f in held if f.summary is not None])
    return len(held)


def _instrument(measurement: _Held) -> Any:
    """What names the instrument, None where there is none."""
    return measurement if measurement.name is not None else None


def _translation(finished: Finished) -> dict[str, Any]:
    summary = finished.summary or {}
    return {
        "measurement_id": finished.work.id,
        "reader": finished.reader[:64],
        "reader_version": finished.reader_version[:32],
        "started_at": finished.started_at,
        "seconds": finished.seconds,
        "output_sha256": finished.output[0] if finished.output else None,
        "error_kind": finished.error_kind,
        "error_message": finished.error_message,
        "warnings": list(summary.get("warnings", ())),
        "entries": finished.entries,
        "default_entry": summary.get("default", ""),
        "thumbnail": summary.get("thumbnail", ""),
    }


def aware(text: str | None, zone: str) -> datetime | None:
    """A moment in UTC from ISO 8601 text; one without zone is of the instrument's, else of this server's.

    None for none, and for one that no calendar has.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None and zone:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError):
        return aware(text, "") if zone else None
