"""Who may see what: the one place that turns who asks into the projects they may see.

Everything is denied until :func:`visible` says otherwise, and every query of every endpoint is narrowed by
its answer. What is not visible is answered like what does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, false, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from zairyo.server.models import Account, Membership

#: What a token may be for. A session has all; each also needs the role of its person.
SCOPES = ("read", "upload", "write", "admin")
#: The one scope of an instrument's token: send files to the instrument's project, and nothing else.
AGENT = "agent"
#: Each may do what those before it may.
ROLES = ("viewer", "contributor", "steward")


@dataclass(frozen=True)
class Principal:
    """Who asks: a person by session or token (``account_id``), or an instrument's agent (``instrument_id``)."""

    scopes: frozenset[str]
    account_id: int | None = None
    instrument_id: int | None = None
    institution_id: int | None = None
    is_admin: bool = False
    """May manage accounts, projects and instruments, with the scope ``admin``; sees no measurement by it."""
    session_id: int | None = None
    token_id: int | None = None

    @property
    def administers(self) -> bool:
        return self.is_admin and "admin" in self.scopes


@dataclass(frozen=True)
class Visible:
    """Projects that somebody may see; false if there are none."""

    projects: tuple[int, ...]
    """Sorted ids."""

    def __bool__(self) -> bool:
        return bool(self.projects)

    def __contains__(self, project_id: object) -> bool:
        return project_id in self.projects

    def of(self, column: InstrumentedAttribute[int] | ColumnElement[int]) -> ColumnElement[bool]:
        """The SQL condition that ``column``, a project's id, is one of these.

        The ids stand in the statement as they are, so that the planner knows how many and which.
        """
        if not self.projects:
            return false()
        return column.in_(
            bindparam("visible", self.projects, expanding=True, literal_execute=True, unique=True)
        )


def rank(role: str) -> int:
    """A role's place in :data:`ROLES`."""
    return ROLES.index(role)


def at_least(role: str) -> Sequence[str]:
    """The roles that may do what ``role`` may."""
    return ROLES[rank(role) :]


def visible(session: Session, principal: Principal, role: str = "viewer") -> Visible:
    """The projects in which who asks has at least ``role``.

    An instrument's agent and an account that was disabled see none.
    """
    if principal.account_id is None:
        return Visible(())
    ids = session.scalars(
        select(Membership.project_id)
        .join(Account, Account.id == Membership.account_id)
        .where(
            Membership.account_id == principal.account_id, Membership.role.in_(at_least(role)), Account.active
        )
        .order_by(Membership.project_id)
    )
    return Visible(tuple(ids))


def roles(session: Session, principal: Principal) -> dict[int, str]:
    """The role of who asks in each project they may see."""
    if principal.account_id is None:
        return {}
    rows: Any = session.execute(
        select(Membership.project_id, Membership.role).where(
            Membership.account_id == principal.account_id,
            visible(session, principal).of(Membership.project_id),
        )
    )
    return dict(rows.all())
