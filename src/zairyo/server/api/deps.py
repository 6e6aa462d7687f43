"""What endpoints ask for: the platform, and who is asking."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession
from starlette.concurrency import run_in_threadpool

from zairyo.server import secrets
from zairyo.server.access import AGENT, SCOPES, Principal
from zairyo.server.api.problems import Problem, forbidden
from zairyo.server.models import Account, Session, Token, now
from zairyo.server.platform import Platform

COOKIE = "zairyo_session"
#: "Used last" is written at most so often, so that reading stays reading.
SEEN_EVERY = timedelta(minutes=5)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def get_platform(request: Request) -> Platform:
    """The app's platform."""
    platform: Platform = request.app.state.platform
    return platform


PlatformDep = Annotated[Platform, Depends(get_platform)]


def get_principal(request: Request, platform: PlatformDep) -> Principal:
    """Who asks, by bearer token or cookie; 401 if nobody is known by it.

    A revoked, expired or unknown token and a disabled account are answered alike.
    """
    header = request.headers.get("authorization", "")
    if header:
        scheme, _, secret = header.partition(" ")
        found = _by_token(platform, secret.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise _unauthenticated("The token is not valid: unknown, revoked or expired. Make a new one.")
        return found
    cookie = request.cookies.get(COOKIE)
    found = _by_session(platform, cookie) if cookie else None
    if found is None:
        raise _unauthenticated("Sign in first.")
    check_same_site(request)
    return found


def check_same_site(request: Request) -> None:
    """Refuse a request with a cookie that another site made the browser send.

    A form of another site cannot set ``X-Zairyo``, and a script of it may not without our consent.
    """
    if request.method in SAFE:
        return
    if request.headers.get("x-zairyo") != "web":
        raise forbidden("A change with a session's cookie needs the header 'X-Zairyo: web'.")
    check_origin(request)


def check_origin(request: Request) -> None:
    """Refuse a browser's request that comes from a page of another site."""
    origin = request.headers.get("origin")
    if origin is None:
        return
    public = request.app.state.platform.settings.public_url
    allowed = {request.headers.get("host", ""), urlsplit(public).netloc if public else ""} - {""}
    if urlsplit(origin).netloc not in allowed:
        raise forbidden("This request comes from a page of another site.")


def caller(request: Request) -> str:
    """The network address of who asks."""
    return request.client.host if request.client else ""


def require(*scopes: str) -> Callable[..., Coroutine[Any, Any, Principal]]:
    """A dependency: who asks, if they hold one of ``scopes``; else 401 or 403."""

    async def dependency(principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
        if principal.scopes.isdisjoint(scopes):
            raise forbidden(f"This token is not for this; it needs the scope {' or '.join(scopes)}.")
        return principal

    dependency.scopes = scopes  # type: ignore[attr-defined]  # the test of all routes reads it
    return dependency


Reader = Annotated[Principal, Depends(require("read"))]


async def get_uploader(request: Request, platform: PlatformDep) -> Principal:
    """Who sends files. An agent sends many: its token is looked up once a second (``AGENT_SECONDS``)."""
    secret = request.headers.get("authorization", "")
    principal = platform.agents.get(secret) if secret else None
    if principal is None:
        asked = time.monotonic()
        principal = await _may_upload(await run_in_threadpool(get_principal, request, platform))
        if principal.instrument_id is not None:
            platform.agents.keep(secret, principal, asked)
    return principal


_may_upload = require("upload", AGENT)
get_uploader.scopes = ("upload", AGENT)  # type: ignore[attr-defined]
Uploader = Annotated[Principal, Depends(get_uploader)]
Writer = Annotated[Principal, Depends(require("write"))]
Administrator = Annotated[Principal, Depends(require("admin"))]
Person = Annotated[Principal, Depends(require(*SCOPES))]
Agent = Annotated[Principal, Depends(require(AGENT))]


def get_signed_in(principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
    """Who is signed in in a browser; a token may not change passwords or make tokens."""
    if principal.session_id is None:
        raise forbidden("This needs a person who is signed in; a token may not do it.")
    return principal


SignedIn = Annotated[Principal, Depends(get_signed_in)]


def _unauthenticated(detail: str) -> Problem:
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"})


def _by_token(platform: Platform, secret: str) -> Principal | None:
    if not secret.startswith(secrets.TOKEN_PREFIX):
        return None
    t, a = Token, Account
    with platform.db.read() as session:
        row: Any = session.execute(
            select(
                t.id,
                t.scopes,
                t.instrument_id,
                t.expires_at,
                t.used_at,
                a.id,
                a.institution_id,
                a.is_admin,
                a.active,
            )
            .outerjoin(a, a.id == t.account_id)
            .where(t.secret_sha256 == secrets.sha256(secret), t.revoked_at.is_(None))
        ).one_or_none()
    if row is None:
        return None
    token_id, scopes, instrument_id, expires_at, used_at, account_id, institution_id, is_admin, active = row
    if (expires_at is not None and expires_at <= now()) or (instrument_id is None and not active):
        return None
    if used_at is None or used_at < now() - SEEN_EVERY:
        _touch(platform, update(t).where(t.id == token_id).values(used_at=now()))
    if instrument_id is not None:
        return Principal(frozenset({AGENT}), instrument_id=instrument_id, token_id=token_id)
    return Principal(
        frozenset(scopes) & frozenset(SCOPES),
        account_id=account_id,
        institution_id=institution_id,
        is_admin=is_admin,
        token_id=token_id,
    )


def _by_session(platform: Platform, secret: str) -> Principal | None:
    s, a = Session, Account
    with platform.db.read() as session:
        row: Any = session.execute(
            select(s.id, s.expires_at, s.seen_at, a.id, a.institution_id, a.is_admin, a.active)
            .join(a, a.id == s.account_id)
            .where(s.secret_sha256 == secrets.sha256(secret))
        ).one_or_none()
    if row is None:
        return None
    session_id, expires_at, seen_at, account_id, institution_id, is_admin, active = row
    if expires_at <= now() or not active:
        return None
    if seen_at < now() - SEEN_EVERY:
        until = now() + timedelta(days=platform.settings.session_days)
        _touch(platform, update(s).where(s.id == session_id).values(seen_at=now(), expires_at=until))
    return Principal(
        frozenset(SCOPES),
        account_id=account_id,
        institution_id=institution_id,
        is_admin=is_admin,
        session_id=session_id,
    )


def _touch(platform: Platform, statement: Any) -> None:
    with platform.db.write() as session:
        session.execute(statement)


def drop_expired_sessions(session: DbSession) -> None:
    """Forget browsers that did not come back; called when somebody signs in."""
    session.query(Session).filter(Session.expires_at <= now()).delete()
