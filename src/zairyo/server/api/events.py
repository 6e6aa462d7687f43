"""Live events: one stream of server-sent events a page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from zairyo.server.access import Principal, Visible, visible
from zairyo.server.api.deps import Reader, get_principal
from zairyo.server.api.problems import Problem
from zairyo.server.events import Change, Subscription
from zairyo.server.models import Project
from zairyo.server.platform import Platform

router = APIRouter(tags=["events"])

PING_SECONDS = 15.0


@router.get("/events", response_class=StreamingResponse)
async def stream_events(
    request: Request, _principal: Reader, last_event_id: Annotated[int | None, Header()] = None
) -> StreamingResponse:
    """Changes in the visible projects as server-sent events.

    ``measurement`` with ``{uid, state, project}``, ``instrument`` with ``{uid}``, and ``reset`` when so much
    was missed that the page has to read everything anew. ``Last-Event-ID`` resumes after a lost connection.
    """
    platform: Platform = request.app.state.platform
    slugs = await run_in_threadpool(_may_see, platform, request)
    subscription = await run_in_threadpool(
        platform.events.subscribe, asyncio.get_running_loop(), _visible(slugs), last_event_id
    )
    return StreamingResponse(
        _stream(platform, request, subscription, slugs),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(
    platform: Platform, request: Request, subscription: Subscription, slugs: dict[int, str]
) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    checked = loop.time()
    try:
        # The id alone tells a page that has seen no event yet from where to resume.
        yield f"retry: 2000\nid: {subscription.seen}\n\n"
        while not subscription.closed:
            changes = await subscription.next(max(0.0, checked + PING_SECONDS - loop.time()))
            if subscription.closed:
                return
            if subscription.lost:
                subscription.lost = False
                yield f"event: reset\nid: {subscription.seen}\ndata: {{}}\n\n"
            if changes:
                yield "".join(_frame(change, slugs) for change in changes)
            if loop.time() >= checked + PING_SECONDS:
                checked = loop.time()
                slugs = await run_in_threadpool(_may_see, platform, request)
                subscription.visible = _visible(slugs)
                yield ": ping\n\n"
    except Problem:
        return  # signed out, or the token was revoked
    finally:
        platform.events.unsubscribe(subscription)


def _may_see(platform: Platform, request: Request) -> dict[int, str]:
    """Slugs of the projects that who asks may see now; raises ``Problem`` if they are nobody any more."""
    principal: Principal = get_principal(request, platform)
    with platform.db.read() as session:
        seen = visible(session, principal)
        if not seen:
            return {}
        rows = session.execute(select(Project.id, Project.slug).where(seen.of(Project.id)))
        return {int(number): str(slug) for number, slug in rows}


def _visible(slugs: dict[int, str]) -> Visible:
    return Visible(tuple(sorted(slugs)))


def _frame(change: Change, slugs: dict[int, str]) -> str:
    data = {"uid": change.uid}
    if change.kind == "measurement":
        data |= {"state": change.state, "project": slugs.get(change.project_id, "")}
    return f"event: {change.kind}\nid: {change.id}\ndata: {json.dumps(data)}\n\n"
