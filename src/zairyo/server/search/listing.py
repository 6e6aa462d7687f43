"""Pages of measurements in an order, by a cursor that stays right while new ones arrive."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from zairyo.server.access import Visible
from zairyo.server.models import Instrument, Measurement, UtcDateTime
from zairyo.server.search import sql
from zairyo.server.search.language import Query, QueryError

#: Counting goes this far; beyond it a list says "more than".
MOST_COUNTED = 10_000
MOST_LISTED = 200

_ORDERS: dict[str, Any] = {
    "received_at": Measurement.received_at,
    "measured_at": sql.MEASURED,
    "title": func.lower(Measurement.title),
    "sample": func.lower(Measurement.sample),
    "technique": Measurement.technique,
    "instrument": func.coalesce(
        select(func.lower(Instrument.name))
        .where(Instrument.id == Measurement.instrument_id)
        .scalar_subquery(),
        "",
    ),
}
_TIMES = ("received_at", "measured_at")


@dataclass(frozen=True)
class Page:
    """Rows in order; ``next_cursor`` is None on the last page; ``total`` is exact unless the flag says not."""

    rows: list[Measurement]
    next_cursor: str | None
    total: int
    total_is_exact: bool


def list_page(
    session: Session,
    query: Query,
    visible: Visible,
    *,
    sort: str = "-received_at",
    cursor: str = "",
    limit: int = 50,
) -> Page:
    """One page. ``sort`` is a key of the orders, with ``-`` for descending."""
    descending, key = sort.startswith("-"), sort.removeprefix("-")
    if key not in _ORDERS:
        raise QueryError(f"There is no order {key!r}; choose of {', '.join(_ORDERS)}.", sort)
    if not visible:
        return Page([], None, 0, True)
    found = sql.conditions(session, query, visible)
    order = _ORDERS[key]
    if key in _TIMES:
        order = func.coalesce(order, order, type_=UtcDateTime())
    statement = select(Measurement, order.label("place")).where(*found)
    if cursor:
        statement = statement.where(_beyond(cursor, sort, order, key, descending))
    direction = (order.desc(), Measurement.id.desc()) if descending else (order.asc(), Measurement.id.asc())
    limit = max(1, min(limit, MOST_LISTED))
    rows = session.execute(
        statement.order_by(*direction)
        .limit(limit + 1)
        .options(
            joinedload(Measurement.instrument),
            joinedload(Measurement.project),
            joinedload(Measurement.account),
            joinedload(Measurement.translation),
        )
    ).all()
    total = count(session, found)
    more = len(rows) > limit
    rows = rows[:limit]
    following = _cursor(sort, rows[-1].place, rows[-1].Measurement.id) if more else None
    return Page([row.Measurement for row in rows], following, min(total, MOST_COUNTED), total <= MOST_COUNTED)


def count(session: Session, found: list[ColumnElement[bool]]) -> int:
    """How many there are, at most one more than ``MOST_COUNTED``."""
    some = select(Measurement.id).where(*found).limit(MOST_COUNTED + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _cursor(sort: str, place: Any, row_id: int) -> str:
    value = place.isoformat() if isinstance(place, datetime) else place
    return base64.urlsafe_b64encode(json.dumps([sort, value, row_id]).encode()).decode().rstrip("=")


def _beyond(cursor: str, sort: str, order: Any, key: str, descending: bool) -> ColumnElement[bool]:
    wrong = QueryError("The cursor is not one that this list gave; begin again without it.", "cursor")
    try:
        said = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        sort_then, value, row_id = said
        if sort_then != sort or not isinstance(row_id, int) or not isinstance(value, str):
            raise wrong
        place: Any = datetime.fromisoformat(value) if key in _TIMES else value
        if isinstance(place, datetime) and place.tzinfo is None:
            raise wrong
    except (ValueError, TypeError, binascii.Error):
        raise wrong from None
    if descending:
        return or_(order < place, and_(order == place, Measurement.id < row_id))
    return or_(order > place, and_(order == place, Measurement.id > row_id))
