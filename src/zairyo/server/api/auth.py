"""Signing in and out, oneself, and tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload
from starlette.concurrency import run_in_threadpool

from zairyo.server import admin, passwords, secrets
from zairyo.server.access import Principal, roles
from zairyo.server.api.deps import (
    COOKIE,
    Person,
    PlatformDep,
    SignedIn,
    caller,
    check_origin,
    drop_expired_sessions,
)
from zairyo.server.api.problems import Problem, invalid, not_found, rate_limited
from zairyo.server.models import Account, Project, Session, Token, now
from zairyo.server.platform import Platform

router = APIRouter(tags=["account"])

Scope = Literal["read", "upload", "write", "admin"]
Role = Literal["viewer", "contributor", "steward"]
Locale = Literal["en", "ja"]
Password = Annotated[str, Field(max_length=passwords.MOST_CHARACTERS)]


class Named(BaseModel):
    """What something is called, in addresses and for people."""

    slug: str
    name: str


class AccountSelf(BaseModel):
    """The person who is signed in."""

    uid: str
    email: str
    name: str
    locale: Locale
    is_admin: bool
    institution: Named


class MyProject(BaseModel):
    """A project the person is a member of, with their role."""

    uid: str
    slug: str
    name: str
    role: Role


class Me(BaseModel):
    """Who asks, and what they may do."""

    account: AccountSelf
    projects: list[MyProject]
    scopes: list[Scope]


class Credentials(BaseModel):
    """What a person signs in with."""

    email: Annotated[str, Field(max_length=254)]
    password: Password


class MeChange(BaseModel):
    """What a person may change of themselves."""

    name: Annotated[str, Field(max_length=200)] | None = None
    locale: Locale | None = None


class PasswordChange(BaseModel):
    """The password so far, and the one from now on."""

    old: Password
    new: Password


class TokenInfo(BaseModel):
    """A token, without its secret."""

    uid: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None


class TokenList(BaseModel):
    """The person's tokens that are not revoked, newest first."""

    items: list[TokenInfo]


class TokenWish(BaseModel):
    """A token to make."""

    name: Annotated[str, Field(max_length=200)]
    scopes: Annotated[list[Scope], Field(min_length=1)]
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class NewToken(TokenInfo):
    """A token with its secret, which is shown this once."""

    token: str


@router.post("/session")
async def sign_in(body: Credentials, request: Request, response: Response, platform: PlatformDep) -> Me:
    """Sign a browser in: the answer sets the session's cookie.

    An unknown e-mail, a wrong password and a disabled account are answered alike and take as long.
    """
    check_origin(request)
    email = body.email.strip().lower()
    address = caller(request)
    if wait := max(platform.callers.wait(address), platform.sign_ins.wait(email)):
        raise rate_limited(wait)
    kept = await run_in_threadpool(_password_hash, platform, email)
    right, better = await passwords.aside(passwords.check_password, kept, body.password)
    if not right:
        raise Problem(401, "bad_credentials", "The e-mail address or the password is wrong.")
    platform.sign_ins.forgive(email)
    platform.callers.forgive(address)
    me, secret = await run_in_threadpool(_open_session, platform, email, better)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=400
        * 86400,  # as long as browsers allow: the session's own end counts, which moves with its use
        httponly=True,
        samesite="lax",
        secure=platform.settings.secure,
        path="/",
    )
    return me


def _password_hash(platform: Platform, email: str) -> str | None:
    with platform.db.read() as session:
        return session.scalar(select(Account.password_hash).where(Account.email == email, Account.active))


def _open_session(platform: Platform, email: str, better_hash: str | None) -> tuple[Me, str]:
    secret = secrets.new_session_secret()
    with platform.db.write() as session:
        drop_expired_sessions(session)
        account = session.scalars(select(Account).where(Account.email == email)).one()
        if better_hash is not None:
            account.password_hash = better_hash
        opened = Session(
            account=account,
            secret_sha256=secrets.sha256(secret),
            expires_at=now() + timedelta(days=platform.settings.session_days),
        )
        session.add(opened)
        session.flush()
        principal = Principal(
            frozenset(("read", "upload", "write", "admin")), account_id=account.id, session_id=opened.id
        )
        return _me(session, principal), secret


@router.delete("/session", status_code=204)
def sign_out(principal: SignedIn, platform: PlatformDep, response: Response) -> None:
    """End this browser's session."""
    with platform.db.write() as session:
        session.execute(delete(Session).where(Session.id == principal.session_id))
    response.delete_cookie(COOKIE, path="/")


@router.get("/me")
def get_me(principal: Person, platform: PlatformDep) -> Me:
    """Who is signed in, or whose token this is, with their projects and roles."""
    with platform.db.read() as session:
        return _me(session, principal)


@router.patch("/me")
def change_me(body: MeChange, principal: SignedIn, platform: PlatformDep) -> Me:
    """Change one's name or language."""
    with platform.db.write() as session:
        account = session.get_one(Account, principal.account_id)
        if body.name is not None:
            account.name = admin.checked_name(body.name)
        if body.locale is not None:
            account.locale = body.locale
        session.flush()
        return _me(session, principal)


@router.post("/me/password", status_code=204)
async def change_password(body: PasswordChange, principal: SignedIn, platform: PlatformDep) -> None:
    """Change one's password; all other browsers are signed out."""
    passwords.check_choice(body.new)
    if wait := platform.sign_ins.wait(principal.account_id):
        raise rate_limited(wait)
    kept = await run_in_threadpool(_own_hash, platform, principal)
    right, _ = await passwords.aside(passwords.check_password, kept, body.old)
    if not right:
        raise invalid("old", "The password so far is not this one.")
    new_hash = await passwords.aside(passwords.hash_password, body.new)
    await run_in_threadpool(_keep_password, platform, principal, new_hash)


def _own_hash(platform: Platform, principal: Principal) -> str | None:
    with platform.db.read() as session:
        return session.scalar(select(Account.password_hash).where(Account.id == principal.account_id))


def _keep_password(platform: Platform, principal: Principal, new_hash: str) -> None:
    with platform.db.write() as session:
        account = session.get_one(Account, principal.account_id)
        admin.set_password(session, account, new_hash, keep=principal.session_id)


@router.get("/tokens")
def list_tokens(principal: SignedIn, platform: PlatformDep) -> TokenList:
    """One's own tokens."""
    with platform.db.read() as session:
        tokens = session.scalars(
            select(Token)
            .where(Token.account_id == principal.account_id, Token.revoked_at.is_(None))
            .order_by(Token.id.desc())
        )
        return TokenList(items=[TokenInfo(**_token(token)) for token in tokens])


@router.post("/tokens", status_code=201)
def create_token(body: TokenWish, principal: SignedIn, platform: PlatformDep) -> NewToken:
    """Make a token for a program. Its text is in this answer only."""
    assert principal.account_id is not None  # a session's always has one
    with platform.db.write() as session:
        token, secret = admin.add_token(
            session, principal.account_id, body.name, body.scopes, body.expires_in_days
        )
        return NewToken(token=secret, **_token(token))


@router.delete("/tokens/{uid}", status_code=204)
def revoke_token(uid: str, principal: SignedIn, platform: PlatformDep) -> None:
    """Revoke one of one's tokens; it is refused from now on."""
    with platform.db.write() as session:
        token = session.scalars(
            select(Token).where(
                Token.uid == uid, Token.account_id == principal.account_id, Token.revoked_at.is_(None)
            )
        ).one_or_none()
        if token is None:
            raise not_found("token")
        token.revoked_at = now()


def _token(token: Token) -> dict[str, Any]:
    return {name: getattr(token, name) for name in TokenInfo.model_fields}


def _me(session: Any, principal: Principal) -> Me:
    account = session.scalars(
        select(Account).options(joinedload(Account.institution)).where(Account.id == principal.account_id)
    ).one()
    own = roles(session, principal)
    projects = session.scalars(select(Project).where(Project.id.in_(own)).order_by(Project.name, Project.id))
    return Me(
        account=AccountSelf(
            uid=account.uid,
            email=account.email,
            name=account.name,
            locale=account.locale,
            is_admin=account.is_admin,
            institution=Named(slug=account.institution.slug, name=account.institution.name),
        ),
        projects=[MyProject(uid=p.uid, slug=p.slug, name=p.name, role=own[p.id]) for p in projects],  # type: ignore[arg-type]
        scopes=[s for s in ("read", "upload", "write", "admin") if s in principal.scopes],
    )
