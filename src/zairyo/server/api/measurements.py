"""Measurements: find them, look at one, correct what a person may correct, have it translated anew."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Query as Param
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from zairyo.server import access
from zairyo.server.access import Principal
from zairyo.server.api import describe
from zairyo.server.api.deps import PlatformDep, Reader, Writer
from zairyo.server.api.problems import Problem, forbidden, invalid, not_found
from zairyo.server.api.schemas import (
    FacetsBody,
    FacetValue,
    FilterSaid,
    Format,
    Formats,
    MeasurementBody,
    MeasurementChange,
    MeasurementPage,
    NumericFacet,
    QuerySaid,
    Suggestion,
    Suggestions,
    TranslateCount,
    TranslateMany,
    TranslateOne,
)
from zairyo.server.models import NOT_TRANSLATED, RECEIVING, WAITING, Measurement, Translation, now
from zairyo.server.platform import Platform
from zairyo.server.search import language, listing
from zairyo.server.search.facets import facets
from zairyo.server.search.index import index_text
from zairyo.server.search.language import Query, QueryError
from zairyo.server.search.suggest import suggest

router = APIRouter(tags=["measurements"])

Values = Annotated[list[str] | None, Param(max_length=100)]


@contextmanager
def _problems(field: str = "q") -> Iterator[None]:
    try:
        yield
    except QueryError as e:
        field = e.field or field
        raise Problem(422, e.code, str(e), field=field, errors=[(field, e.token)]) from None


def _asked(
    q: Annotated[
        str, Param(description="Words, `key:value` filters, comparisons: `xrd temperature>300 degC`")
    ] = "",
    technique: Values = None,
    instrument: Values = None,
    project: Values = None,
    sample: Values = None,
    operator: Values = None,
    state: Values = None,
    where: Annotated[list[str] | None, Param(description="`temperature=10..20 degC`", max_length=20)] = None,
    after: str = "",
    before: str = "",
) -> Query:
    """The query: what ``q`` says and what the other parameters say, all of it."""
    with _problems():
        query = language.parse(q)
    chosen = {
        "technique": technique, "instrument": instrument, "project": project,
        "sample": sample, "operator": operator, "state": state,
    }  # fmt: skip
    filters = dict(query.filters)
    for key, values in chosen.items():
        with _problems(key):
            if values:
                given = map(language.checked, values)
                filters[key] = tuple(dict.fromkeys((*filters.get(key, ()), *given)))
    with _problems("where"):
        ranges = (*query.ranges, *language.parse_where(where or ()))
    with _problems("after"):
        start = language.moment("after", after) if after else query.after
    with _problems("before"):
        end = language.moment("before", before) if before else query.before
    return replace(query, filters=filters, ranges=ranges, after=start, before=end)


Asked = Annotated[Query, Depends(_asked)]


@router.get("/measurements")
def list_measurements(
    platform: PlatformDep,
    principal: Reader,
    query: Asked,
    sort: str = "-received_at",
    cursor: str = "",
    limit: Annotated[int, Param(ge=1, le=listing.MOST_LISTED)] = 50,
) -> MeasurementPage:
    """Measurements that match, latest first unless ``sort`` says otherwise, a page at a time."""
    with platform.db.read() as session, _problems():
        visible = access.visible(session, principal)
        page = listing.list_page(session, query, visible, sort=sort, cursor=cursor, limit=limit)
        rows = [describe.row(listed) for listed in page.rows]
    return MeasurementPage(
        items=rows,
        next_cursor=page.next_cursor,
        total=page.total,
        total_is_exact=page.total_is_exact,
        query=QuerySaid(filters=[FilterSaid(key=r.name, label=r.label) for r in query.ranges]),
    )


@router.get("/facets")
def get_facets(platform: PlatformDep, principal: Reader, query: Asked) -> FacetsBody:
    """What the same query could be narrowed by, with counts."""
    with platform.db.read() as session, _problems():
        found = facets(session, query, access.visible(session, principal))
    values = {key: [FacetValue.model_validate(v) for v in values] for key, values in found.values.items()}
    numeric = [NumericFacet.model_validate(n) for n in found.numeric]
    return FacetsBody(**values, numeric=numeric, sampled=found.sampled)


@router.get("/suggest")
def get_suggestions(
    platform: PlatformDep, principal: Reader, q: Annotated[str, Param(max_length=200)] = ""
) -> Suggestions:
    """What the last word of a query that is being typed could become."""
    with platform.db.read() as session, _problems():
        found = suggest(session, language.checked(q), access.visible(session, principal))
    return Suggestions(items=[Suggestion.model_validate(s) for s in found])


@router.get("/measurements/{uid}")
def get_measurement(platform: PlatformDep, principal: Reader, uid: str) -> MeasurementBody:
    """Everything of a measurement but its arrays and its original metadata."""
    with platform.db.read() as session:
        measurement, role = find(session, principal, uid)
        return describe.body(session, measurement, role, access.visible(session, principal))


@router.patch("/measurements/{uid}")
def change_measurement(
    platform: PlatformDep, principal: Writer, uid: str, change: MeasurementChange
) -> MeasurementBody:
    """Correct title, sample or operator; for contributors of its project."""
    with platform.db.write() as session:
        measurement, role = find(session, principal, uid, "contributor")
        changed = change.model_dump(exclude_none=True)
        for name, value in changed.items():
            if not is_line(value):
                raise invalid(name, "Write one line; it has a line break or a character that is none.")
            setattr(measurement, name, value)
        measurement.corrected = sorted({*measurement.corrected, *changed})
        measurement.changed_at = now()
        index_text(session, measurement, measurement.translation, describe.names(measurement))
        platform.events.add(
            session, "measurement", measurement.uid, measurement.project_id, measurement.state
        )
        return describe.body(session, measurement, role, access.visible(session, principal))


@router.post("/measurements/{uid}/translate", status_code=202)
def translate_measurement(
    platform: PlatformDep, principal: Writer, uid: str, order: TranslateOne
) -> TranslateCount:
    """Translate again, by the reader named or by the surest one."""
    if order.reader is not None and order.reader not in {f.reader for f in list_formats(principal).items}:
        raise invalid("reader", f"There is no reader {order.reader!r}; GET /formats lists them.")
    with platform.db.write() as session:
        measurement, _ = find(session, principal, uid, "contributor")
        if measurement.state == RECEIVING:
            raise Problem(409, "conflict", "Some of its files have not arrived yet.")
        measurement.reader = order.reader
        _wait(platform, session, [measurement])
    platform.translation.wake()
    return TranslateCount(waiting=1)


@router.post("/measurements/translate", status_code=202)
def translate_measurements(platform: PlatformDep, principal: Writer, order: TranslateMany) -> TranslateCount:
    """Translate many again: those named, or all not translated for one kind of reason."""
    if not order.uids and order.error_kind is None:
        raise invalid("uids", "Name the measurements, or the kind of error of those to try again.")
    with platform.db.write() as session:
        visible = access.visible(session, principal, "contributor")
        if not visible:
            raise forbidden("You have to be a contributor of a project to have its files translated.")
        chosen = select(Measurement).where(
            visible.of(Measurement.project_id),
            Measurement.superseded.is_(False),
            Measurement.state != RECEIVING,
        )
        if order.uids:
            chosen = chosen.where(Measurement.uid.in_(filter(is_uid, order.uids)))
        if order.error_kind is not None:
            chosen = chosen.join(Translation, Translation.id == Measurement.translation_id).where(
                Measurement.state == NOT_TRANSLATED, Translation.error_kind == order.error_kind
            )
        measurements = list(session.scalars(chosen.limit(10_000)))
        _wait(platform, session, measurements)
    platform.translation.wake()
    return TranslateCount(waiting=len(measurements))


@router.get("/formats")
def list_formats(_principal: Reader) -> Formats:
    """What files can be translated."""
    from zairyo.readers.registry import default_registry

    return Formats(
        items=[
            Format(
                reader=r.name, version=r.version, vendor=r.vendor, format=r.format,
                techniques=list(r.techniques), endings=list(r.endings), notes=r.notes,
            )
            for r in default_registry().readers.values()
        ]
    )  # fmt: skip


def find(session: Session, principal: Principal, uid: str, role: str = "viewer") -> tuple[Measurement, str]:
    """The measurement and the role of who asks; 404 if it may not be seen, 403 if only the role is missing."""
    roles = access.roles(session, principal)
    visible = access.visible(session, principal)
    measurement: Any = (
        session.scalar(select(Measurement).where(Measurement.uid == uid, visible.of(Measurement.project_id)))
        if visible and is_uid(uid)
        else None
    )
    if measurement is None:
        raise not_found("measurement")
    mine = roles[measurement.project_id]
    if access.rank(mine) < access.rank(role):
        raise forbidden(f"This needs the role {role} in the project; yours is {mine}.")
    return measurement, mine


def is_uid(text: str) -> bool:
    """Whether a measurement could have this uid; a database need not be asked for what none has."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


def is_line(text: str) -> bool:
    """Whether a text can be kept and shown in one line."""
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)


def _wait(platform: Platform, session: Session, measurements: list[Measurement]) -> None:
    """Make them work to be done, whatever was tried before."""
    ids = [m.id for m in measurements]
    for start in range(0, len(ids), 500):
        session.execute(
            update(Measurement)
            .where(Measurement.id.in_(ids[start : start + 500]))
            .values(state=WAITING, attempts=0, lease_owner=None, lease_until=None, changed_at=now())
        )
    for measurement in measurements:
        platform.events.add(session, "measurement", measurement.uid, measurement.project_id, WAITING)
