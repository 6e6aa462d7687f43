"""Pages of measurements in an order, by a cursor that stays right while new ones arrive."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union_all
from sqlalchemy.orm import Session, joinedload

from zairyo.server.access import Visible
from zairyo.server.models import Instrument, Measurement, Translation
from zairyo.server.search import sql
from zairyo.server.search.language import Query, QueryError, checked
from zairyo.server.search.sql import Found

#: Counting goes this far; beyond it a list says "more than".
MOST_COUNTED = 2_000
MOST_LISTED = 200
#: So much of a text is compared; measurements alike so far are in the order they came.
_COMPARED = 100

#: Numbers go up in the order in which files came in, and no clock sets them back.
LATEST = "received_at"
_ORDERS: dict[str, Any] = {
    LATEST: None,
    "measured_at": sql.MEASURED,
    "title": func.substr(func.lower(Measurement.title), 1, _COMPARED),
    "sample": func.substr(func.lower(Measurement.sample), 1, _COMPARED),
    "technique": Measurement.technique,
    "instrument": func.coalesce(
        select(func.lower(Instrument.name))
        .where(Instrument.id == Measurement.instrument_id)
        .scalar_subquery(),
        "",
    ),
}


@dataclass(frozen=True)
class Listed:
    """A measurement for a list, with how many entries and warnings its translation has."""

    measurement: Measurement
    entries: int
    warnings: int


@dataclass(frozen=True)
class Page:
    """Rows in order; ``next_cursor`` is None on the last page; ``total`` is exact unless the flag says not."""

    rows: list[Listed]
    next_cursor: str | None
    total: int
    total_is_exact: bool


def list_page(
    session: Session,
    query: Query,
    visible: Visible,
    *,
    sort: str = f"-{LATEST}",
    cursor: str = "",
    limit: int = 50,
) -> Page:
    """One page. ``sort`` is a key of the orders, with ``-`` for descending."""
    descending, key = sort.startswith("-"), sort.removeprefix("-")
    if key not in _ORDERS:
        raise QueryError(f"There is no order {key!r}; choose of {', '.join(_ORDERS)}.", sort, field="sort")
    after = _read(cursor, sort) if cursor else None
    found = sql.found(session, query, visible)
    if found is None:
        return Page([], None, 0, True)
    limit = max(1, min(limit, MOST_LISTED))
    places = session.execute(_places(found, _ORDERS[key], descending, after, limit + 1)).all()
    more = len(places) > limit
    places = places[:limit]
    total = count(session, found, MOST_COUNTED)
    return Page(
        load(session, [row.id for row in places]),
        cursor_at(sort, places[-1].place, places[-1].id) if more else None,
        min(total, MOST_COUNTED),
        total <= MOST_COUNTED,
    )


def count(session: Session, found: Found, most: int) -> int:
    """How many there are, at most one more than ``most``."""
    some = found.select(found.latest.label("id")).limit(most + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def latest(found: Found, limit: int, *columns: Any) -> Select[Any]:
    """So many that came in last, as their ids and other columns; not in order."""
    each = [
        arm.select(found.latest.label("id"), *columns).order_by(found.latest.desc()).limit(limit)
        for arm in found.arms()
    ]
    if len(each) == 1:
        return each[0]
    together = union_all(*(select(*arm.subquery().c) for arm in each)).subquery()
    return select(*together.c).order_by(together.c.id.desc()).limit(limit)


def load(session: Session, ids: Sequence[int]) -> list[Listed]:
    """The measurements with these ids, in this order, with all that a list shows."""
    # A summary may be megabytes; the database counts what is in it.
    rows = session.execute(
        select(
            Measurement,
            func.json_array_length(Translation.entries),
            func.json_array_length(Translation.warnings),
        )
        .outerjoin(Translation, Translation.id == Measurement.translation_id)
        .where(Measurement.id.in_(ids))
        .options(
            joinedload(Measurement.instrument),
            joinedload(Measurement.project),
            joinedload(Measurement.account),
            joinedload(Measurement.translation).load_only(Translation.thumbnail, Translation.error_kind),
        )
    )
    found = {m.id: Listed(m, entries or 0, warnings or 0) for m, entries, warnings in rows}
    return [found[i] for i in ids if i in found]


def cursor_at(sort: str, place: Any, row_id: int) -> str:
    """Where a page ended: the order, the last row's place in it and its id."""
    value = place.isoformat() if isinstance(place, datetime) else place
    said = json.dumps([sort, value, row_id], ensure_ascii=False)
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _places(
    found: Found, order: Any, descending: bool, after: tuple[Any, int] | None, limit: int
) -> Select[Any]:
    if order is None:
        if after is not None:
            beyond = found.latest < after[1] if descending else found.latest > after[1]
            found = Found(found.source, (*found.where, beyond), found.latest, found.projects)
        if descending:
            rows = latest(found, limit).subquery()
            return select(rows.c.id, rows.c.id.label("place")).order_by(rows.c.id.desc())
        order = found.latest
        return found.select(order.label("id"), order.label("place")).order_by(order).limit(limit)
    statement = found.select(Measurement.id, order.label("place"))
    if after is not None:
        statement = statement.where(_beyond(order, *after, descending=descending))
    direction = (order.desc(), Measurement.id.desc()) if descending else (order.asc(), Measurement.id.asc())
    return statement.order_by(*direction).limit(limit)


def _beyond(order: Any, place: Any, row_id: int, *, descending: bool) -> ColumnElement[bool]:
    if descending:
        return or_(order < place, and_(order == place, Measurement.id < row_id))
    return or_(order > place, and_(order == place, Measurement.id > row_id))


def _read(cursor: str, sort: str) -> tuple[Any, int]:
    """The place and the id that a cursor says."""
    wrong = QueryError(
        "The cursor is not one that this list gave; begin again without it.", cursor[:20], field="cursor"
    )
    try:
        said = json.loads(base64.urlsafe_b64decode(checked(cursor) + "=" * (-len(cursor) % 4)))
        sort_then, value, row_id = said
        if sort_then != sort or type(row_id) is not int or not 0 <= row_id < 2**63:
            raise wrong
        if sort.removeprefix("-") == LATEST:
            return None, row_id
        place: Any = checked(value)
        if sort.removeprefix("-") == "measured_at":
            place = datetime.fromisoformat(value)
            if place.tzinfo is None or not 1 < place.year < 9999:
                raise wrong
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise wrong from None
    return place, row_id
