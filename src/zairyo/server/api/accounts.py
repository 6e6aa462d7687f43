"""Accounts, for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload
from starlette.concurrency import run_in_threadpool

from zairyo.server import admin, passwords
from zairyo.server.access import Principal
from zairyo.server.api.auth import Locale, Named, Password
from zairyo.server.api.deps import Administrator, PlatformDep
from zairyo.server.api.problems import forbidden, not_found
from zairyo.server.models import Account
from zairyo.server.platform import Platform

router = APIRouter(tags=["accounts"])


class AccountInfo(BaseModel):
    """An account as an administrator sees it."""

    uid: str
    email: str
    name: str
    locale: Locale
    is_admin: bool
    active: bool
    created_at: datetime
    institution: Named


class AccountList(BaseModel):
    """All accounts, by name."""

    items: list[AccountInfo]


class AccountWish(BaseModel):
    """An account to make; without a password it cannot sign in until it is given one."""

    email: Annotated[str, Field(max_length=254)]
    name: Annotated[str, Field(max_length=200)]
    password: Password | None = None
    locale: Locale = "en"
    is_admin: bool = False


class AccountChange(BaseModel):
    """What an administrator may change; ``active: false`` signs the account out everywhere."""

    name: Annotated[str, Field(max_length=200)] | None = None
    password: Password | None = None
    is_admin: bool | None = None
    active: bool | None = None


@router.get("/accounts")
def list_accounts(principal: Administrator, platform: PlatformDep) -> AccountList:
    """All accounts."""
    _need_admin(principal)
    with platform.db.read() as session:
        accounts = session.scalars(
            select(Account).options(joinedload(Account.institution)).order_by(Account.name, Account.id)
        )
        return AccountList(items=[_info(account) for account in accounts])


@router.post("/accounts", status_code=201)
async def create_account(body: AccountWish, principal: Administrator, platform: PlatformDep) -> AccountInfo:
    """Make an account."""
    _need_admin(principal)
    password_hash = await passwords.aside(passwords.hash_password, body.password) if body.password else None
    return await run_in_threadpool(_create, platform, body, password_hash)


def _create(platform: Platform, body: AccountWish, password_hash: str | None) -> AccountInfo:
    with platform.db.write() as session:
        account = admin.add_account(
            session,
            body.email,
            body.name,
            password_hash=password_hash,
            is_admin=body.is_admin,
            locale=body.locale,
        )
        return _info(account)


@router.patch("/accounts/{uid}")
async def change_account(
    uid: str, body: AccountChange, principal: Administrator, platform: PlatformDep
) -> AccountInfo:
    """Change, disable or enable an account; a new password signs it out everywhere."""
    _need_admin(principal)
    password_hash = await passwords.aside(passwords.hash_password, body.password) if body.password else None
    return await run_in_threadpool(_change, platform, uid, body, password_hash)


def _change(platform: Platform, uid: str, body: AccountChange, password_hash: str | None) -> AccountInfo:
    with platform.db.write() as session:
        account = session.scalars(
            select(Account).options(joinedload(Account.institution)).where(Account.uid == uid)
        ).one_or_none()
        if account is None:
            raise not_found("account")
        if body.name is not None:
            account.name = admin.checked_name(body.name)
        if password_hash is not None:
            admin.set_password(session, account, password_hash)
        _set_rights(session, account, body)
        session.flush()
        return _info(account)


def _set_rights(session: DbSession, account: Account, body: AccountChange) -> None:
    if body.active is False:
        admin.disable(session, account)
    elif body.active:
        account.active = True
    if body.is_admin is False:
        admin.keep_an_admin(session, account)
        account.is_admin = False
    elif body.is_admin:
        account.is_admin = True


def _need_admin(principal: Principal) -> None:
    if not principal.administers:
        raise forbidden("Only administrators manage accounts.")


def _info(account: Account) -> AccountInfo:
    values = {name: getattr(account, name) for name in AccountInfo.model_fields if name != "institution"}
    return AccountInfo(
        institution=Named(slug=account.institution.slug, name=account.institution.name), **values
    )
