"""Measurements that a newer reader may translate better: they wait again, a few at a time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from zairyo.server.events import Events
from zairyo.server.models import NOT_TRANSLATED, TRANSLATED, WAITING, Measurement, Translation, now


def fingerprint(versions: Mapping[str, str]) -> str:
    """All readers' names and versions in one word; it changes whenever there is a reader or a version more."""
    text = "\n".join(f"{name} {version}" for name, version in sorted(versions.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def mark(session: Session, events: Events, versions: Mapping[str, str], most: int) -> int:
    """Have up to ``most`` measurements translated anew whose reader is newer now; how many.

    Parameters
    ----------
    versions
        Names and versions of the readers there are. A translation by a later version than this is left: another
        worker is ahead of this one. What no reader recognised is tried again when the readers have changed.
    """
    m, t = Measurement, Translation
    old = _old_versions(session, versions)
    conditions = [and_(t.reader == name, t.reader_version == version) for name, version in old]
    unknown = and_(
        m.state == NOT_TRANSLATED, t.error_kind == "unknown_format", t.reader_version != fingerprint(versions)
    )
    found: Any = session.execute(
        select(m.id, m.uid, m.project_id)
        .join(t, t.id == m.translation_id)
        .where(m.state.in_((TRANSLATED, NOT_TRANSLATED)), m.superseded.is_(False), or_(unknown, *conditions))
        .order_by(m.id)
        .limit(most)
        .with_for_update(of=m, skip_locked=True)
    ).all()
    if found:
        session.execute(
            update(m)
            .where(m.id.in_([number for number, _, _ in found]))
            .values(state=WAITING, changed_at=now(), attempts=0)
            .execution_options(synchronize_session=False)
        )
        for _, uid, project_id in found:
            events.add(session, "measurement", uid, project_id, WAITING)
    return len(found)


def _old_versions(session: Session, versions: Mapping[str, str]) -> list[tuple[str, str]]:
    used: Any = session.execute(select(Translation.reader, Translation.reader_version).distinct())
    return [(name, had) for name, had in used if name in versions and _order(had) < _order(versions[name])]


def _order(version: str) -> list[tuple[int, str]]:
    """``"1.10"`` after ``"1.9"``, and ``"1.9b"`` after both ``"1.9"`` and before ``"1.10"``."""
    return [
        (int(number or 0), rest) for number, rest in re.findall(r"(\d*)([^\d.]*)", version) if number or rest
    ]
