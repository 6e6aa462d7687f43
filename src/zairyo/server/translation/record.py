"""Results of translation → rows of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from zairyo.server.events import Events
from zairyo.server.models import NOT_TRANSLATED, TRANSLATED, Measurement, Object, Translation, now
from zairyo.server.translation.leases import Work

_SHORT = 200


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


def record(session: Session, events: Events, owner: str, group: Sequence[Finished]) -> int:
    """Write a group of results, those whose leases ``owner`` still holds; how many those are."""
    from zairyo.server.search import index

    held = {
        m.id: m
        for m in session.scalars(
            select(Measurement)
            .where(Measurement.id.in_([f.work.id for f in group]), Measurement.lease_owner == owner)
            .options(joinedload(Measurement.instrument))
            .order_by(Measurement.id)
            .with_for_update(of=Measurement)
        )
    }
    mine = [f for f in group if f.work.id in held]
    _insert_objects(session, mine)
    translations = [_translation(f) for f in mine]
    session.add_all(translations)
    session.flush()
    found = []
    for finished, translation in zip(mine, translations, strict=True):
        measurement = held[finished.work.id]
        _update(measurement, translation, finished)
        names = index.names(measurement.instrument, (f.name for f in finished.work.files))
        found.append((measurement, translation, names))
        events.add(session, "measurement", measurement.uid, measurement.project_id, measurement.state)
    index.index_group(session, found)
    return len(mine)


def _insert_objects(session: Session, group: Sequence[Finished]) -> None:
    outputs = dict(sorted(f.output for f in group if f.output is not None))
    known = (
        set(session.scalars(select(Object.sha256).where(Object.sha256.in_(outputs)))) if outputs else set()
    )
    session.add_all(Object(sha256=sha, size=size) for sha, size in outputs.items() if sha not in known)


def _translation(finished: Finished) -> Translation:
    summary = finished.summary or {}
    return Translation(
        measurement_id=finished.work.id,
        reader=finished.reader[:64],
        reader_version=finished.reader_version[:32],
        started_at=finished.started_at,
        seconds=finished.seconds,
        output_sha256=finished.output[0] if finished.output else None,
        error_kind=finished.error_kind,
        error_message=finished.error_message,
        warnings=list(summary.get("warnings", ())),
        entries=list(summary.get("entries", ())),
        default_entry=summary.get("default", ""),
        thumbnail=summary.get("thumbnail", ""),
    )


def _update(measurement: Measurement, translation: Translation, finished: Finished) -> None:
    measurement.translation_id = translation.id
    measurement.state = NOT_TRANSLATED if finished.summary is None else TRANSLATED
    measurement.lease_owner = measurement.lease_until = None
    measurement.attempts = 0
    measurement.changed_at = now()
    if (summary := finished.summary) is None:
        return
    found = {
        "title": summary["title"] or measurement.title,
        "sample": summary["sample"][:_SHORT],
        "operator": summary["operator"][:_SHORT],
    }
    for name in found.keys() - set(measurement.corrected):  # what a person wrote stays
        setattr(measurement, name, found[name])
    measurement.technique = summary["technique"][:64]
    measurement.model = summary["instrument"][:_SHORT]
    zone = measurement.instrument.timezone if measurement.instrument else ""
    measurement.measured_at = aware(summary["started"], zone)


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


def elapsed(started_at: datetime) -> float:
    """Seconds since then."""
    return (now() - started_at) / timedelta(seconds=1)
