"""What the api and ``zairyo admin`` do alike: accounts, projects, members, instruments, tokens, pairing codes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session as DbSession

from zairyo.agent.rules import Rules, rules_from
from zairyo.server import secrets
from zairyo.server.access import AGENT, ROLES, SCOPES
from zairyo.server.models import Account, Institution, Instrument, Membership, Project, Session, Token, now

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LOCALES = ("en", "ja")


class Refused(ValueError):
    """What was asked for cannot be done; ``field`` says of what, ``code`` is ``invalid`` or ``conflict``."""

    def __init__(self, field: str, message: str, code: str = "invalid") -> None:
        super().__init__(message)
        self.field, self.code = field, code


# --- names -----------------------------------------------------------------------------------------------------


def checked_name(name: str, field: str = "name") -> str:
    """A name without blanks around it and without what no font shows."""
    name = " ".join(name.split())
    if not name.isprintable():
        raise Refused(field, f"the {field} has characters in it that cannot be shown")
    if not 1 <= len(name) <= 200:
        raise Refused(field, f"the {field} has {len(name)} characters; it may have 1 to 200")
    return name


def checked_email(email: str) -> str:
    """An e-mail address as it is kept: in lower case."""
    email = unicodedata.normalize("NFKC", email).strip().lower()
    if not EMAIL.fullmatch(email) or not email.isprintable():
        raise Refused("email", f"{email[:254]!r} is not an e-mail address")
    return email


def checked_place(place: str) -> str:
    """Where an instrument stands; may be empty."""
    return checked_name(place, "place") if place.strip() else ""


def checked_locale(locale: str) -> str:
    if locale not in LOCALES:
        raise Refused("locale", f"the locale {locale[:20]!r} is not known; it may be {' or '.join(LOCALES)}")
    return locale


def checked_timezone(name: str) -> str:
    """An IANA name, or nothing for the server's zone."""
    if name:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise Refused(
                "timezone", f"the time zone {name[:64]!r} is not known; write one like Asia/Tokyo"
            ) from None
    return name


def checked_rules(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Rules for an instrument's files, as given; refused where the agent could not follow them."""
    known = [f.name for f in fields(Rules)]
    if unknown := sorted(set(settings) - set(known)):
        raise Refused(
            "settings", f"the rule {unknown[0][:64]!r} is not known; the rules are {', '.join(known)}"
        )
    try:
        rules_from(dict(settings))
    except ValueError as e:
        raise Refused("settings", str(e)) from None
    return dict(settings)


def choose_slug(
    session: DbSession, kind: type[Project] | type[Instrument], name: str, slug: str | None
) -> str:
    """The slug that was wished for, if it is free, else one made of the name."""
    taken = select(kind.slug)
    if slug is not None:
        if not SLUG.fullmatch(slug) or len(slug) > 64:
            raise Refused(
                "slug", "a slug has up to 64 lower-case letters, digits and single dashes, as in xrd-2"
            )
        if session.scalar(taken.where(kind.slug == slug)):
            raise Refused("slug", f"the slug {slug} is taken; choose another", "conflict")
        return slug
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:56].strip("-") or kind.__tablename__
    used = set(session.scalars(taken.where(kind.slug.startswith(base))))
    return next(s for s in (base, *(f"{base}-{n}" for n in range(2, len(used) + 3))) if s not in used)


# --- accounts --------------------------------------------------------------------------------------------------


def the_institution(session: DbSession) -> Institution:
    """The institution that runs this server, made if there is none yet."""
    found = session.scalars(select(Institution).order_by(Institution.id).limit(1)).one_or_none()
    if found is None:
        found = Institution(slug="laboratory", name="Laboratory")
        session.add(found)
        session.flush()
    return found


def add_account(
    session: DbSession,
    email: str,
    name: str,
    *,
    password_hash: str | None = None,
    is_admin: bool = False,
    locale: str = "en",
) -> Account:
    """A new account; its password has to be hashed before, outside of the transaction."""
    email = checked_email(email)
    if session.scalar(select(Account.id).where(Account.email == email)):
        raise Refused("email", f"there is an account for {email} already", "conflict")
    account = Account(
        institution=the_institution(session),
        email=email,
        name=checked_name(name),
        password_hash=password_hash,
        is_admin=is_admin,
        locale=checked_locale(locale),
    )
    session.add(account)
    session.flush()
    return account


def account_by_email(session: DbSession, email: str) -> Account:
    """An account, locked against other changes until the transaction ends."""
    found = session.scalars(
        select(Account).where(Account.email == checked_email(email)).with_for_update()
    ).one_or_none()
    if found is None:
        raise Refused("email", f"there is no account for {email[:254]}; an administrator can add it")
    return found


def set_password(
    session: DbSession, account: Account, password_hash: str, *, keep: int | None = None
) -> None:
    """Change a password and sign the account's browsers out, but the one whose session's id is ``keep``."""
    account.password_hash = password_hash
    session.execute(delete(Session).where(Session.account_id == account.id, Session.id != (keep or 0)))


def disable(session: DbSession, account: Account) -> None:
    """Sign an account out everywhere and let it in nowhere; what it uploaded stays."""
    keep_an_admin(session, account)
    account.active = False
    session.execute(delete(Session).where(Session.account_id == account.id))


def keep_an_admin(session: DbSession, account: Account) -> None:
    """Refuse to lose the last administrator."""
    if not (account.is_admin and account.active):
        return
    admins = session.scalars(
        select(Account.id).where(Account.is_admin, Account.active).with_for_update()
    ).all()
    if len(admins) == 1:
        raise Refused("is_admin", "this is the last administrator; make another one first", "conflict")


# --- projects --------------------------------------------------------------------------------------------------


def add_project(
    session: DbSession, name: str, slug: str | None = None, *, steward: Account | None = None
) -> Project:
    """A new project, and its first steward."""
    name = checked_name(name)
    project = Project(
        institution=the_institution(session), name=name, slug=choose_slug(session, Project, name, slug)
    )
    session.add(project)
    session.flush()
    if steward is not None:
        set_role(session, project, steward, "steward")
    return project


def project_by_slug(session: DbSession, slug: str) -> Project:
    found = session.scalars(select(Project).where(Project.slug == slug)).one_or_none()
    if found is None:
        raise Refused("project", f"there is no project {slug[:64]}")
    return found


def set_role(session: DbSession, project: Project, account: Account, role: str) -> Membership:
    """Make somebody a member, or change their role."""
    if role not in ROLES:
        raise Refused("role", f"the role {role[:16]!r} is not known; it may be {', '.join(ROLES)}")
    if not account.active:
        raise Refused("email", f"the account of {account.email} is disabled")
    member = session.get(Membership, (project.id, account.id))
    if member is None:
        member = Membership(project=project, account=account, role=role)
        session.add(member)
    elif member.role != role:
        _keep_a_steward(session, member)
        member.role = role
    session.flush()
    return member


def remove_member(session: DbSession, member: Membership) -> None:
    """End a membership; it holds from the next request on."""
    _keep_a_steward(session, member)
    session.delete(member)


def _keep_a_steward(session: DbSession, member: Membership) -> None:
    if member.role != "steward":
        return
    stewards = session.scalars(
        select(Membership.account_id)
        .where(Membership.project_id == member.project_id, Membership.role == "steward")
        .with_for_update()
    ).all()
    if len(stewards) == 1:
        raise Refused("role", "this is the project's last steward; make another one first", "conflict")


# --- instruments -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pairing:
    """A code for an agent, shown once."""

    code: str
    expires_at: datetime


def add_instrument(
    session: DbSession,
    project: Project,
    name: str,
    *,
    slug: str | None = None,
    place: str = "",
    timezone: str = "",
    settings: Mapping[str, Any] | None = None,
) -> Instrument:
    """A new instrument whose files will go to ``project``; its agent is paired afterwards."""
    name = checked_name(name)
    instrument = Instrument(
        institution_id=project.institution_id,
        project=project,
        name=name,
        slug=choose_slug(session, Instrument, name, slug),
        place=checked_place(place),
        timezone=checked_timezone(timezone),
        settings=checked_rules(settings or {}),
        agent={},
    )
    session.add(instrument)
    session.flush()
    return instrument


def instrument_by_slug(session: DbSession, slug: str) -> Instrument:
    found = session.scalars(select(Instrument).where(Instrument.slug == slug)).one_or_none()
    if found is None:
        raise Refused("instrument", f"there is no instrument {slug[:64]}")
    return found


def new_pairing(instrument: Instrument) -> Pairing:
    """A new code for an instrument's agent; an older one ends."""
    pairing = Pairing(secrets.new_pairing_code(), now() + timedelta(minutes=secrets.PAIRING_MINUTES))
    instrument.pairing_sha256 = secrets.sha256(pairing.code)
    instrument.pairing_expires_at = pairing.expires_at
    return pairing


def pairing_command(url: str, code: str) -> str:
    """What to type beside the instrument."""
    return f"zairyo agent pair {url} {code} --folder <FOLDER>"


def pair(session: DbSession, code: str) -> tuple[Instrument, str] | None:
    """Use up a code: its instrument and the new agent's token, or None if the code is not (or no longer) good.

    The tokens of agents that were paired before are revoked: an instrument has one agent.
    """
    instrument = session.scalars(
        select(Instrument)
        .where(
            Instrument.pairing_sha256 == secrets.sha256(secrets.normal_pairing_code(code)),
            Instrument.pairing_expires_at > now(),
        )
        .with_for_update()
    ).one_or_none()
    if instrument is None:
        return None
    instrument.pairing_sha256 = instrument.pairing_expires_at = None
    unpair(session, instrument)
    secret = secrets.new_token()
    session.add(
        Token(instrument=instrument, name="agent", secret_sha256=secrets.sha256(secret), scopes=[AGENT])
    )
    return instrument, secret


def unpair(session: DbSession, instrument: Instrument) -> None:
    """Revoke the tokens of an instrument's agent."""
    session.execute(
        update(Token)
        .where(Token.instrument_id == instrument.id, Token.revoked_at.is_(None))
        .values(revoked_at=now())
    )


# --- tokens ----------------------------------------------------------------------------------------------------


def add_token(
    session: DbSession, account_id: int, name: str, scopes: Iterable[str], expires_in_days: int | None
) -> tuple[Token, str]:
    """A new token of an account and its text, which is not kept."""
    wanted = set(scopes)
    if not wanted or not wanted <= set(SCOPES):
        raise Refused("scopes", f"a token's scopes are one or more of {', '.join(SCOPES)}")
    if expires_in_days is not None and not 1 <= expires_in_days <= 3650:
        raise Refused("expires_in_days", "a token may last 1 to 3650 days")
    secret = secrets.new_token()
    token = Token(
        account_id=account_id,
        name=checked_name(name),
        secret_sha256=secrets.sha256(secret),
        scopes=[scope for scope in SCOPES if scope in wanted],
        expires_at=None if expires_in_days is None else now() + timedelta(days=expires_in_days),
    )
    session.add(token)
    session.flush()
    return token, secret


def revoke_token(session: DbSession, text_or_uid: str) -> str:
    """Revoke a token by its text or uid; its name."""
    found = session.scalars(
        select(Token).where(or_(Token.uid == text_or_uid, Token.secret_sha256 == secrets.sha256(text_or_uid)))
    ).one_or_none()
    if found is None:
        raise Refused("token", "there is no such token")
    found.revoked_at = found.revoked_at or now()
    return found.name


def has_accounts(session: DbSession) -> bool:
    """Whether anybody can sign in yet."""
    return bool(session.scalar(select(func.count()).select_from(Account)))
