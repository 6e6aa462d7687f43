"""Who sends a file, and where it may go."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from zairyo.server.access import AGENT, Principal, visible
from zairyo.server.intake.refused import Refused
from zairyo.server.intake.tus import Announced
from zairyo.server.models import Instrument, Project


@dataclass(frozen=True)
class Sender:
    """Where a file comes from and goes to.

    Attributes
    ----------
    project_id
        The project it will belong to.
    instrument_id, instrument_uid
        The instrument that measured it, if one is named.
    account_id
        The person; None where the instrument's agent sends.
    """

    project_id: int
    instrument_id: int | None = None
    instrument_uid: str | None = None
    account_id: int | None = None

    @property
    def is_agent(self) -> bool:
        return self.account_id is None

    def intake_key(self, file: Announced) -> str:
        """The same for the same file sent again: SHA-256 over who sent it, its path there and its content.

        An agent's file is the same wherever its instrument's project has moved to meanwhile.
        """
        content = file.set.sha256 if file.set else file.sha256
        if self.is_agent:
            who = f"agent of {self.instrument_id}"
        else:
            who = f"account {self.account_id} to {self.project_id} by {self.instrument_id or '-'}"
        kind = "set" if file.set else "file"
        return hashlib.sha256("\0".join((who, kind, file.path, content)).encode()).hexdigest()


def find_sender(session: Session, principal: Principal, file: Announced) -> Sender:
    """Where ``principal`` may send ``file``.

    Raises
    ------
    Refused
        They may not upload there, or the project or the instrument is not known (to them).
    """
    if AGENT in principal.scopes and principal.instrument_id is not None:
        row = session.execute(
            select(Instrument.project_id, Instrument.uid).where(Instrument.id == principal.instrument_id)
        ).one_or_none()
        if row is None:
            raise Refused(404, "not_found", "This agent's instrument is not there any more; pair it again.")
        return Sender(row.project_id, principal.instrument_id, row.uid)
    if file.project is None:
        raise Refused(
            422, "invalid", "Upload-Metadata has no project; name the project the file is for.", "project"
        )
    project_id = _project(session, principal, file.project)
    if file.instrument is None:
        return Sender(project_id, account_id=principal.account_id)
    found = session.execute(
        select(Instrument.id, Instrument.uid).where(
            Instrument.slug == file.instrument, Instrument.project_id == project_id
        )
    ).one_or_none()
    if found is None:
        raise Refused(
            422,
            "invalid",
            f"The project {file.project!r} has no instrument {file.instrument[:64]!r}.",
            "instrument",
        )
    return Sender(project_id, found.id, found.uid, principal.account_id)


def _project(session: Session, principal: Principal, slug: str) -> int:
    seen = visible(session, principal)
    project_id = (
        session.scalar(select(Project.id).where(Project.slug == slug, seen.of(Project.id))) if seen else None
    )
    if project_id is None:
        raise Refused(
            404, "not_found", f"There is no project {slug[:64]!r}, or you are not in it.", "project"
        )
    if project_id not in visible(session, principal, "contributor"):
        raise Refused(
            403,
            "forbidden",
            f"You may only look into the project {slug!r}. Ask one of its stewards to make you a contributor.",
            "project",
        )
    return project_id
