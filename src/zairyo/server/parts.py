"""Measurements that turned out to be files of another one: it is shown instead of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, delete, exists, insert, update
from sqlalchemy.orm import Session, aliased

from zairyo.server.events import Events
from zairyo.server.models import WAITING, Measurement, Part, now

_MOST_IDS = 500
_Id = TypeVar("_Id", int, str)


def again(session: Session, events: Events, number: int, uid: str, project_id: int) -> None:
    """Have a measurement translated anew; whoever has it in hand now has done it in vain."""
    session.execute(
        update(Measurement)
        .where(Measurement.id == number)
        .values(state=WAITING, attempts=0, lease_owner=None, lease_until=None, changed_at=now())
        .execution_options(synchronize_session=False)
    )
    events.add(session, "measurement", uid, project_id, WAITING)


def hide(session: Session, events: Events, whole_id: int, ids: Iterable[int]) -> None:
    """Show ``whole_id`` instead of these measurements, which are parts of it."""
    for some in portions(ids):
        session.execute(delete(Part).where(Part.measurement_id.in_(some)))
        session.execute(insert(Part), [{"measurement_id": i, "whole_id": whole_id} for i in some])
        _supersede(session, events, some, True)


def show(session: Session, events: Events, ids: Iterable[int]) -> None:
    """Show measurements again that are parts of none, unless a later version of them is there."""
    later = aliased(Measurement)
    for some in portions(ids):
        session.execute(delete(Part).where(Part.measurement_id.in_(some)))
        _supersede(session, events, some, False, ~exists().where(later.previous_id == Measurement.id))


def _supersede(
    session: Session, events: Events, ids: Sequence[int], value: bool, *conditions: ColumnElement[bool]
) -> None:
    m = Measurement
    changed: Any = session.execute(
        update(m)
        .where(m.id.in_(ids), m.superseded.is_(not value), *conditions)
        .values(superseded=value)
        .returning(m.uid, m.project_id, m.state)
        .execution_options(synchronize_session=False)
    )
    for uid, project_id, state in changed.all():
        events.add(session, "measurement", uid, project_id, state)


def portions(ids: Iterable[_Id]) -> Iterable[list[_Id]]:
    """In order, as many at a time as a statement may well hold."""
    ordered = sorted(ids)
    return (ordered[k : k + _MOST_IDS] for k in range(0, len(ordered), _MOST_IDS))
