"""Rows of the catalogue as the api says them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from zairyo.measurement import units
from zairyo.measurement.techniques import TECHNIQUES, conditions
from zairyo.server.access import Visible
from zairyo.server.api.schemas import (
    ConditionSummary,
    EntrySummary,
    MeasurementBody,
    Named,
    RawFileBody,
    Row,
    StandardBody,
    Step,
    TranslationBody,
    VersionBody,
)
from zairyo.server.models import Account, Measurement, Membership, Object, Part, Translation
from zairyo.server.search import index
from zairyo.server.search.listing import Listed, load
from zairyo.server.translation.advice import advice

_MOST_RELATED = 8


def names(measurement: Measurement) -> list[str]:
    """What else a measurement is found by."""
    return index.names(measurement.instrument, (raw.name for raw in measurement.raw_files))


def row(listed: Listed) -> Row:
    """A measurement in a list."""
    return Row(**_row(listed.measurement, listed.entries, listed.warnings))


def _row(measurement: Measurement, entries: int, warnings: int) -> dict[str, Any]:
    translation = measurement.translation
    technique = TECHNIQUES.get(measurement.technique)
    instrument = measurement.instrument
    return {
        "uid": measurement.uid,
        "title": measurement.title or measurement.path.rpartition("/")[2],
        "technique": measurement.technique,
        "technique_short": technique.short if technique else measurement.technique,
        "sample": measurement.sample,
        "operator": measurement.operator,
        "instrument": Named(slug=instrument.slug, name=instrument.name) if instrument else None,
        "project": Named(slug=measurement.project.slug, name=measurement.project.name),
        "state": measurement.state,
        "measured_at": measurement.measured_at,
        "received_at": measurement.received_at,
        "by": measurement.account.name if measurement.account else None,
        "thumbnail": translation.thumbnail if translation else "",
        "entries": entries,
        "warnings": warnings,
        "version": measurement.version,
        "error_kind": translation.error_kind if translation else None,
    }


def body(session: Session, measurement: Measurement, role: str, visible: Visible) -> MeasurementBody:
    """Everything of a measurement but its arrays and its original metadata."""
    whole = aliased(Measurement)
    translation = measurement.translation
    entries = [entry(e) for e in translation.entries] if translation else []
    warnings = list(translation.warnings) if translation else []
    return MeasurementBody(
        **_row(measurement, len(entries), len(warnings)),
        model=measurement.model,
        path=measurement.path,
        default_entry=translation.default_entry if translation else "",
        entry_list=entries,
        warning_list=warnings,
        raw_files=[RawFileBody.model_validate(raw) for raw in measurement.raw_files],
        standard=_standard(session, translation),
        translation=_translation(translation) if translation else None,
        provenance=_provenance(measurement),
        part_of=session.scalar(
            select(whole.uid)
            .join(Part, Part.whole_id == whole.id)
            .where(Part.measurement_id == measurement.id, whole.project_id == measurement.project_id)
        ),
        versions=_versions(session, measurement),
        related=_related(session, measurement, visible),
        role=role,
        members=session.scalar(
            select(func.count())
            .select_from(Membership)
            .join(Account, Account.id == Membership.account_id)
            .where(Membership.project_id == measurement.project_id, Account.active)
        )
        or 0,
    )


def entry(summary: dict[str, Any]) -> EntrySummary:
    """An entry's summary with the vocabulary's words for its conditions, and their values in SI."""
    vocabulary = conditions(summary["technique"])
    said = []
    for c in summary["conditions"]:
        known = vocabulary.get(c["name"])
        value = c["value"]
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        si = units.to_si(float(value), c["unit"] or "") if is_number else None
        said.append(
            ConditionSummary(
                **c,
                title=known.title if known else c["name"].replace("_", " "),
                title_ja=known.title_ja if known else c["name"].replace("_", " "),
                main=known.main if known else False,
                si=si[0] if si else None,
                si_unit=si[1] if si else None,
            )
        )
    order = {name: place for place, name in enumerate(vocabulary)}
    said.sort(key=lambda c: (not c.main, order.get(c.name, len(order))))
    return EntrySummary(**{**summary, "conditions": said})


def _standard(session: Session, translation: Translation | None) -> StandardBody | None:
    if translation is None or translation.output_sha256 is None:
        return None
    size = session.scalar(select(Object.size).where(Object.sha256 == translation.output_sha256))
    return StandardBody(sha256=translation.output_sha256, size=size or 0)


def _translation(translation: Translation) -> TranslationBody:
    english, japanese = advice(translation.error_kind) if translation.error_kind else (None, None)
    return TranslationBody(
        reader=translation.reader,
        reader_version=translation.reader_version,
        started_at=translation.started_at,
        seconds=translation.seconds,
        error_kind=translation.error_kind,
        error_message=translation.error_message,
        advice=english,
        advice_ja=japanese,
    )


def _provenance(measurement: Measurement) -> list[Step]:
    """Instrument → agent (or a person's upload) → server → reader, with times, hashes and versions."""
    raw = measurement.raw_files
    modified: list[datetime] = [r.modified_at for r in raw if r.modified_at is not None]
    name = measurement.instrument.name if measurement.instrument else measurement.model
    at = measurement.measured_at or max(modified, default=None)
    origin: dict[str, str | int | float] = {"path": measurement.path, "files": len(raw)}
    if measurement.model:
        origin["model"] = measurement.model
    steps = [Step(step="instrument", at=at, who=name, detail=origin)]
    if measurement.account is not None:
        steps.append(Step(step="upload", at=measurement.received_at, who=measurement.account.name, detail={}))
    elif measurement.instrument is not None:
        steps.append(
            Step(step="agent", at=measurement.received_at, who=measurement.instrument.name, detail={})
        )
    received: dict[str, str | int | float] = {"bytes": sum(r.size for r in raw)}
    if len(raw) == 1:
        received["sha256"] = raw[0].sha256
    steps.append(Step(step="server", at=measurement.received_at, who="", detail=received))
    if (t := measurement.translation) is not None:
        detail: dict[str, str | int | float] = {"seconds": round(t.seconds, 3)}
        if t.reader:
            detail |= {"reader": t.reader, "version": t.reader_version}
        if t.output_sha256:
            detail["sha256"] = t.output_sha256
        steps.append(Step(step="reader", at=t.started_at, who=t.reader, detail=detail))
    return steps


def _versions(session: Session, measurement: Measurement) -> list[VersionBody]:
    """All versions of the file at this path, latest first."""
    if measurement.version == 1 and not measurement.superseded:
        return [VersionBody.model_validate(measurement)]
    sender = (
        Measurement.instrument_id == measurement.instrument_id
        if measurement.account_id is None
        else Measurement.account_id == measurement.account_id
    )
    same = session.scalars(
        select(Measurement)
        .where(Measurement.project_id == measurement.project_id, Measurement.path == measurement.path, sender)
        .order_by(Measurement.version.desc())
        .limit(100)
    )
    return [VersionBody.model_validate(m) for m in same]


def _related(session: Session, measurement: Measurement, visible: Visible) -> list[Row]:
    if not measurement.sample or not visible:
        return []
    same = session.scalars(
        select(Measurement.id)
        .where(
            visible.of(Measurement.project_id), Measurement.sample == measurement.sample,
            Measurement.superseded.is_(False), Measurement.id != measurement.id,
        )
        .order_by(Measurement.id.desc())
        .limit(_MOST_RELATED)
    )  # fmt: skip
    return [row(listed) for listed in load(session, same.all())]
