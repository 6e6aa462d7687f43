"""What an instrument's agent says and asks: pairing and heartbeats. Its files come through uploads."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from zairyo.server import admin
from zairyo.server.api.deps import Agent, PlatformDep, caller
from zairyo.server.api.instruments import HEARTBEAT, AgentInfo
from zairyo.server.api.problems import Problem, rate_limited
from zairyo.server.models import Instrument, now

router = APIRouter(tags=["agent"])

Text = Annotated[str, Field(max_length=1000)]


class PairingRequest(BaseModel):
    """A code, and who uses it."""

    code: Annotated[str, Field(max_length=40)]
    host: Text = ""
    platform: Text = ""
    version: Text = ""
    folder: Text = ""


class InstrumentName(BaseModel):
    """The instrument an agent sends for."""

    slug: str
    name: str


class AgentOrders(BaseModel):
    """The rules the agent follows; ``settings_version`` counts up when they change."""

    settings: dict[str, Any]
    settings_version: int
    server_time: datetime
    """So that the agent can tell when its clock is wrong."""


class Paired(AgentOrders):
    """The agent's token, which is shown this once, and its rules."""

    token: str
    instrument: InstrumentName


class Heartbeat(BaseModel):
    """How the agent is."""

    version: Text = ""
    host: Text = ""
    platform: Text = ""
    folder: Text = ""
    waiting: Annotated[int, Field(ge=0, le=2**53)] = 0
    failed: Annotated[int, Field(ge=0, le=2**53)] = 0
    problems: Annotated[list[Text], Field(max_length=50)] = []


@router.post("/agent/pair")
def pair_agent(body: PairingRequest, request: Request, platform: PlatformDep) -> Paired:
    """Become an instrument's agent, by the code that its page shows; agents paired before are revoked."""
    if wait := platform.callers.wait(caller(request)):
        raise rate_limited(wait)
    with platform.db.write() as session:
        found = admin.pair(session, body.code)
        if found is None:
            raise Problem(
                404,
                "not_found",
                "This code is not known, was used or has run out. Make a new one on the web page.",
            )
        platform.callers.forgive(caller(request))
        instrument, token = found
        about = body.model_dump(exclude={"code"})
        instrument.agent = AgentInfo(**about).model_dump()
        instrument.seen_at = now()
        platform.events.add(session, "instrument", instrument.uid, instrument.project_id)
        return Paired(
            token=token,
            instrument=InstrumentName(slug=instrument.slug, name=instrument.name),
            settings=instrument.settings,
            settings_version=instrument.settings_version,
            server_time=now(),
        )


@router.post("/agent/heartbeat")
def agent_heartbeat(body: Heartbeat, principal: Agent, platform: PlatformDep) -> AgentOrders:
    """Say every 10 s how the agent is, and hear the rules it is to follow."""
    with platform.db.write() as session:
        instrument = session.get_one(Instrument, principal.instrument_id)
        said = body.model_dump()
        was_silent = instrument.seen_at is None or now() - instrument.seen_at >= 3 * HEARTBEAT
        if was_silent or said != instrument.agent:
            instrument.agent = said
            platform.events.add(session, "instrument", instrument.uid, instrument.project_id)
        instrument.seen_at = now()
        return AgentOrders(
            settings=instrument.settings,
            settings_version=instrument.settings_version,
            server_time=now(),
        )
