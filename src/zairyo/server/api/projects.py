"""Projects and their members."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import func, select, true
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from zairyo.server import admin
from zairyo.server.access import Principal, roles, visible
from zairyo.server.api.auth import Role
from zairyo.server.api.deps import Administrator, PlatformDep, Reader
from zairyo.server.api.problems import forbidden, not_found
from zairyo.server.models import Account, Membership, Project

router = APIRouter(tags=["projects"])


class ProjectInfo(BaseModel):
    """A project; ``role`` is one's own in it, null for an administrator who is no member."""

    uid: str
    slug: str
    name: str
    created_at: datetime
    role: Role | None
    members: int


class ProjectList(BaseModel):
    """The projects one may see, by name."""

    items: list[ProjectInfo]


class ProjectWish(BaseModel):
    """A project to make; its first steward is ``steward`` (an e-mail address), or who makes it."""

    name: Annotated[str, Field(max_length=200)]
    slug: Annotated[str, Field(max_length=64)] | None = None
    steward: Annotated[str, Field(max_length=254)] | None = None


class ProjectChange(BaseModel):
    """What a steward may change."""

    name: Annotated[str, Field(max_length=200)]


class Member(BaseModel):
    """A person in a project."""

    account_uid: str
    email: str
    name: str
    role: Role
    active: bool
    since: datetime


class MemberList(BaseModel):
    """A project's members, by name."""

    items: list[Member]


class MemberWish(BaseModel):
    """Somebody to be a member, or a member's new role."""

    email: Annotated[str, Field(max_length=254)]
    role: Role


@router.get("/projects")
def list_projects(principal: Reader, platform: PlatformDep) -> ProjectList:
    """One's projects; an administrator's list has all, with null as role where they are no member."""
    with platform.db.read() as session:
        condition = true() if principal.administers else visible(session, principal).of(Project.id)
        projects = session.scalars(select(Project).where(condition).order_by(Project.name, Project.id)).all()
        own = roles(session, principal)
        rows = session.execute(
            select(Membership.project_id, func.count())
            .where(Membership.project_id.in_([p.id for p in projects]))
            .group_by(Membership.project_id)
        )
        counts = {row[0]: row[1] for row in rows}
        return ProjectList(items=[_info(p, own.get(p.id), counts.get(p.id, 0)) for p in projects])


@router.post("/projects", status_code=201)
def create_project(body: ProjectWish, principal: Administrator, platform: PlatformDep) -> ProjectInfo:
    """Make a project (administrators)."""
    if not principal.administers:
        raise forbidden("Only administrators make projects.")
    with platform.db.write() as session:
        if body.steward is not None:
            steward = admin.account_by_email(session, body.steward)
        else:
            steward = session.get_one(Account, principal.account_id)
        project = admin.add_project(session, body.name, body.slug, steward=steward)
        return _info(project, "steward" if steward.id == principal.account_id else None, 1)


@router.patch("/projects/{slug}")
def change_project(
    slug: str, body: ProjectChange, principal: Administrator, platform: PlatformDep
) -> ProjectInfo:
    """Rename a project (its stewards and administrators)."""
    with platform.db.write() as session:
        project = managed(session, principal, slug)
        project.name = admin.checked_name(body.name)
        members = select(func.count()).select_from(Membership).where(Membership.project_id == project.id)
        role = roles(session, principal).get(project.id)
        return _info(project, role, session.scalar(members) or 0)


@router.get("/projects/{slug}/members")
def list_members(slug: str, principal: Reader, platform: PlatformDep) -> MemberList:
    """Who is in a project, for its members and administrators."""
    with platform.db.read() as session:
        project = seen(session, principal, slug)
        members = session.scalars(
            select(Membership)
            .join(Membership.account)
            .options(joinedload(Membership.account))
            .where(Membership.project_id == project.id)
            .order_by(Account.name, Account.id)
        )
        return MemberList(items=[_member(member) for member in members])


@router.put("/projects/{slug}/members")
def set_member(slug: str, body: MemberWish, principal: Administrator, platform: PlatformDep) -> Member:
    """Take somebody into a project, or change their role (its stewards and administrators)."""
    with platform.db.write() as session:
        project = managed(session, principal, slug)
        return _member(
            admin.set_role(session, project, admin.account_by_email(session, body.email), body.role)
        )


@router.delete("/projects/{slug}/members/{account_uid}", status_code=204)
def remove_member(slug: str, account_uid: str, principal: Administrator, platform: PlatformDep) -> None:
    """End a membership (its stewards and administrators)."""
    with platform.db.write() as session:
        project = managed(session, principal, slug)
        member = session.scalars(
            select(Membership)
            .join(Membership.account)
            .where(Membership.project_id == project.id, Account.uid == account_uid)
        ).one_or_none()
        if member is None:
            raise not_found("member")
        admin.remove_member(session, member)


def seen(session: DbSession, principal: Principal, slug: str) -> Project:
    """A project that who asks may know of; else 404."""
    condition = true() if principal.administers else visible(session, principal).of(Project.id)
    project = session.scalars(select(Project).where(Project.slug == slug, condition)).one_or_none()
    if project is None:
        raise not_found("project")
    return project


def managed(session: DbSession, principal: Principal, slug: str) -> Project:
    """A project that who asks may manage, as its steward or as an administrator; else 404 or 403."""
    project = seen(session, principal, slug)
    if not principal.administers and project.id not in visible(session, principal, "steward"):
        raise forbidden("Only the project's stewards may do this.")
    return project


def _info(project: Project, role: str | None, members: int) -> ProjectInfo:
    return ProjectInfo(
        uid=project.uid,
        slug=project.slug,
        name=project.name,
        created_at=project.created_at,
        role=cast(Role | None, role),
        members=members,
    )


def _member(member: Membership) -> Member:
    account = member.account
    return Member(
        account_uid=account.uid,
        email=account.email,
        name=account.name,
        role=cast(Role, member.role),
        active=account.active,
        since=member.created_at,
    )
