"""Instruments: what is known of each and of its agent, and pairing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import case, func, select, true
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from zairyo.server import admin
from zairyo.server.access import Principal, roles, visible
from zairyo.server.api.auth import Named, Role
from zairyo.server.api.deps import Administrator, PlatformDep, Reader
from zairyo.server.api.problems import forbidden, not_found
from zairyo.server.api.projects import managed
from zairyo.server.models import NOT_TRANSLATED, Instrument, Measurement, Token, now

router = APIRouter(tags=["instruments"])

HEARTBEAT = timedelta(seconds=10)
HOURS = 24


class AgentInfo(BaseModel):
    """What an instrument's agent last said of itself; empty before the first time."""

    version: str = ""
    host: str = ""
    platform: str = ""
    folder: str = ""
    waiting: int = 0
    failed: int = 0
    problems: list[str] = []


class InstrumentInfo(BaseModel):
    """An instrument. Counts are of measurements one may see."""

    uid: str
    slug: str
    name: str
    place: str
    timezone: str
    project: Named
    settings: dict[str, Any]
    settings_version: int
    paired: bool
    seen_at: datetime | None
    file_at: datetime | None
    agent: AgentInfo
    status: Literal["unpaired", "online", "silent"]
    waiting: int
    """Files at the agent still to be sent."""
    failed: int
    """Files the agent could not send."""
    not_translated: int
    measurements: int
    hours: list[int]
    """Measurements received in each of the last 24 hours, oldest first."""
    role: Role | None
    """One's own role in its project; null for an administrator who is no member."""


class InstrumentList(BaseModel):
    """The instruments one may see, by name."""

    items: list[InstrumentInfo]


class InstrumentWish(BaseModel):
    """An instrument to make; its files go to ``project`` (a slug)."""

    name: Annotated[str, Field(max_length=200)]
    project: Annotated[str, Field(max_length=64)]
    place: Annotated[str, Field(max_length=200)] = ""
    slug: Annotated[str, Field(max_length=64)] | None = None
    timezone: Annotated[str, Field(max_length=64)] = ""
    """IANA name, e.g. ``Asia/Tokyo``; empty: the server's."""
    settings: dict[str, Any] = {}


class InstrumentChange(BaseModel):
    """What may be changed; ``settings`` replaces all of them and reaches the agent with its next heartbeat."""

    name: Annotated[str, Field(max_length=200)] | None = None
    project: Annotated[str, Field(max_length=64)] | None = None
    """Where its files go from now on; measurements that are there stay where they are."""
    place: Annotated[str, Field(max_length=200)] | None = None
    timezone: Annotated[str, Field(max_length=64)] | None = None
    settings: dict[str, Any] | None = None


class PairingInfo(BaseModel):
    """A code to type at the instrument."""

    code: str
    expires_at: datetime
    command: str


@router.get("/instruments")
def list_instruments(principal: Reader, platform: PlatformDep) -> InstrumentList:
    """The instruments of one's projects; administrators see all, without what they measured."""
    with platform.db.read() as session:
        return InstrumentList(items=_described(session, principal, _visible(session, principal)))


@router.post("/instruments", status_code=201)
def create_instrument(
    body: InstrumentWish, principal: Administrator, platform: PlatformDep
) -> InstrumentInfo:
    """Make an instrument (stewards of its project and administrators)."""
    with platform.db.write() as session:
        made = admin.add_instrument(
            session,
            managed(session, principal, body.project),
            body.name,
            slug=body.slug,
            place=body.place,
            timezone=body.timezone,
            settings=body.settings,
        )
        platform.events.add(session, "instrument", made.uid, made.project_id)
        return _described(session, principal, [made])[0]


@router.get("/instruments/{slug}")
def get_instrument(slug: str, principal: Reader, platform: PlatformDep) -> InstrumentInfo:
    """One instrument."""
    with platform.db.read() as session:
        return _described(session, principal, [_one(session, principal, slug)])[0]


@router.patch("/instruments/{slug}")
def change_instrument(
    slug: str, body: InstrumentChange, principal: Administrator, platform: PlatformDep
) -> InstrumentInfo:
    """Change an instrument (stewards of its project and administrators)."""
    with platform.db.write() as session:
        instrument = _managed(session, principal, slug)
        if body.project is not None:
            instrument.project = managed(session, principal, body.project)
            session.flush()
        if body.name is not None:
            instrument.name = admin.checked_name(body.name)
        if body.place is not None:
            instrument.place = admin.checked_place(body.place)
        if body.timezone is not None:
            instrument.timezone = admin.checked_timezone(body.timezone)
        if body.settings is not None and body.settings != instrument.settings:
            instrument.settings = admin.checked_rules(body.settings)
            instrument.settings_version += 1
        platform.events.add(session, "instrument", instrument.uid, instrument.project_id)
        session.flush()
        return _described(session, principal, [instrument])[0]


@router.post("/instruments/{slug}/pairing", status_code=201)
def create_pairing(slug: str, principal: Administrator, platform: PlatformDep) -> PairingInfo:
    """A code with which an agent pairs, once, within 15 minutes; agents paired before are then revoked."""
    with platform.db.write() as session:
        pairing = admin.new_pairing(_managed(session, principal, slug))
    command = admin.pairing_command(platform.settings.url, pairing.code)
    return PairingInfo(code=pairing.code, expires_at=pairing.expires_at, command=command)


@router.delete("/instruments/{slug}/agent", status_code=204)
def remove_agent(slug: str, principal: Administrator, platform: PlatformDep) -> None:
    """Revoke the agent's token; what it has not sent stays in its folder."""
    with platform.db.write() as session:
        instrument = _managed(session, principal, slug)
        admin.unpair(session, instrument)
        instrument.pairing_sha256 = instrument.pairing_expires_at = None
        platform.events.add(session, "instrument", instrument.uid, instrument.project_id)


# --- who sees which ----------------------------------------------------------------------------------------------


def _visible(session: DbSession, principal: Principal, slug: str | None = None) -> Sequence[Instrument]:
    condition = true() if principal.administers else visible(session, principal).of(Instrument.project_id)
    found = select(Instrument).options(joinedload(Instrument.project)).where(condition)
    if slug is not None:
        found = found.where(Instrument.slug == slug)
    return session.scalars(found.order_by(Instrument.name, Instrument.id)).all()


def _one(session: DbSession, principal: Principal, slug: str) -> Instrument:
    found = _visible(session, principal, slug)
    if not found:
        raise not_found("instrument")
    return found[0]


def _managed(session: DbSession, principal: Principal, slug: str) -> Instrument:
    instrument = _one(session, principal, slug)
    if not principal.administers and instrument.project_id not in visible(session, principal, "steward"):
        raise forbidden("Only the stewards of its project may do this.")
    return instrument


# --- description ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Counts:
    """Of an instrument's visible measurements."""

    measurements: int = 0
    not_translated: int = 0
    last: datetime | None = None
    hours: tuple[int, ...] = (0,) * HOURS


def _described(
    session: DbSession, principal: Principal, instruments: Sequence[Instrument]
) -> list[InstrumentInfo]:
    """Four queries, however many instruments."""
    ids = [i.id for i in instruments]
    own = roles(session, principal)
    counts = _count(session, principal, ids)
    paired = set(
        session.scalars(
            select(Token.instrument_id).where(Token.instrument_id.in_(ids), Token.revoked_at.is_(None))
        )
    )
    return [_info(i, own.get(i.project_id), i.id in paired, counts.get(i.id, _Counts())) for i in instruments]


def _count(session: DbSession, principal: Principal, ids: Sequence[int]) -> dict[int, _Counts]:
    seen = visible(session, principal)
    if not seen or not ids:
        return {}
    m = Measurement
    of_these = (m.instrument_id.in_(ids), seen.of(m.project_id), ~m.superseded)
    totals = session.execute(
        select(
            m.instrument_id,
            func.count(),
            func.sum(case((m.state == NOT_TRANSLATED, 1), else_=0)),
            func.max(m.received_at),
        )
        .where(*of_these)
        .group_by(m.instrument_id)
    ).all()
    start = now() - timedelta(hours=HOURS)
    edges = [start + timedelta(hours=n) for n in range(HOURS + 1)]
    in_hours = [
        func.count().filter(m.received_at >= a, m.received_at < b)
        for a, b in zip(edges, [*edges[1:-1], edges[-1] + timedelta(hours=1)], strict=False)
    ]
    recent = {
        row[0]: tuple(row[1:])
        for row in session.execute(
            select(m.instrument_id, *in_hours)
            .where(*of_these, m.received_at >= start)
            .group_by(m.instrument_id)
        )
    }
    none = (0,) * HOURS
    return {
        cast(int, id_): _Counts(count, failed, last, recent.get(id_, none))
        for id_, count, failed, last in totals
    }


def _info(instrument: Instrument, role: str | None, paired: bool, counts: _Counts) -> InstrumentInfo:
    agent = AgentInfo.model_validate(instrument.agent)
    seen_at = instrument.seen_at
    online = paired and seen_at is not None and now() - seen_at < 3 * HEARTBEAT
    return InstrumentInfo(
        uid=instrument.uid,
        slug=instrument.slug,
        name=instrument.name,
        place=instrument.place,
        timezone=instrument.timezone,
        project=Named(slug=instrument.project.slug, name=instrument.project.name),
        settings=instrument.settings,
        settings_version=instrument.settings_version,
        paired=paired,
        seen_at=seen_at,
        # Of its visible measurements, so that an administrator who is no member learns nothing of them.
        file_at=counts.last,
        agent=agent,
        status="online" if online else "silent" if paired else "unpaired",
        waiting=agent.waiting,
        failed=agent.failed,
        not_translated=counts.not_translated,
        measurements=counts.measurements,
        hours=list(counts.hours),
        role=cast(Role | None, role),
    )
