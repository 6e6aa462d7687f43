"""A query as SQL: where the rows it means come from and what must hold of them, access included."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    cast,
    column,
    exists,
    false,
    func,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from zairyo.measurement.techniques import TECHNIQUES
from zairyo.server.access import Visible
from zairyo.server.models import STATES, ConditionValue, Instrument, Measurement, Project
from zairyo.server.search.index import project_token
from zairyo.server.search.language import Query, QueryError, Range
from zairyo.server.search.tokens import is_cjk, is_pair, query_tokens

#: So many projects stand by their tokens in the full-text query, and are asked one by one for their latest
#: measurements, which an index gives at once; with more it would be slow rather than fast.
FEW_PROJECTS = 32
#: A condition that so few measurements meet is asked for first, and the rest only of those.
_FEW_ROWS = 1000

#: When it was measured, as far as is known.
MEASURED = func.coalesce(Measurement.measured_at, Measurement.received_at)


@dataclass(frozen=True)
class Found:
    """The measurements that a query means.

    Attributes
    ----------
    source
        ``measurement``, joined with the full-text index if words are asked for.
    where
        What must hold of its rows; always that they are of a visible project and of the latest version.
    latest
        The measurement's id, as the column that the engine can walk down from the latest.
    projects
        The projects among which they are.
    """

    source: FromClause
    where: tuple[ColumnElement[bool], ...]
    latest: ColumnElement[int]
    projects: Visible

    def arms(self) -> list[Found]:
        """The same, project by project, where each project's latest come at once; itself where that is no help."""
        projects = self.projects.projects
        if self.source is not Measurement.__table__ or not 1 < len(projects) <= FEW_PROJECTS:
            return [self]
        return [replace(self, where=(*self.where, Measurement.project_id == p)) for p in projects]

    def select(self, *columns: Any) -> Select[Any]:
        """A statement for some columns of all of them."""
        return select(*columns).select_from(self.source).where(*self.where)


def found(session: Session, query: Query, visible: Visible) -> Found | None:
    """Where and what to ask; None if nothing can be found, whatever is in the tables."""
    if "project" in query.filters:
        visible = _chosen(session, query.filters["project"], visible)
    if not visible:
        return None
    dialect = session.get_bind().dialect.name
    where = [visible.of(Measurement.project_id), Measurement.superseded.is_(False)]
    where += [_filter(session, key, values) for key, values in query.filters.items() if key != "project"]
    where += [_within(session, r, visible) for r in query.ranges]
    if query.after is not None:
        where.append(query.after <= MEASURED)
    if query.before is not None:
        where.append(query.before > MEASURED)
    plain = Found(Measurement.__table__, tuple(where), Measurement.id, visible)  # type: ignore[arg-type]
    wanted = full_text(query, visible, dialect)
    return _with_text(plain, wanted, dialect) if wanted else plain


def full_text(query: Query, visible: Visible, dialect: str) -> str:
    """The query's words and phrases in the engine's own full-text language, or ``""`` if there are none.

    Tokens are letters and digits only (see ``tokens``), so that nothing in them can end the quotes around them.
    """
    parts = [p for w in query.words if (p := _sequence(query_tokens(w), dialect, open_end=True))]
    parts += [p for w in query.phrases if (p := _sequence(query_tokens(w), dialect, open_end=False))]
    if not parts:
        return ""
    quote, either, both = ('"', " OR ", " AND ") if dialect == "sqlite" else ("'", " | ", " & ")
    if len(visible.projects) <= FEW_PROJECTS:
        tokens = (f"{quote}{project_token(p)}{quote}" for p in visible.projects)
        parts.insert(0, f"({either.join(tokens)})")
    return both.join(parts)


def _sequence(tokens: list[str], dialect: str, *, open_end: bool) -> str:
    """Tokens that follow each other; the last may go on if the end is open, as a Japanese character always may."""
    if not tokens:
        return ""
    open_end = (open_end or is_cjk(tokens[-1])) and not is_pair(tokens[-1])
    if dialect == "sqlite":
        return f'"{" ".join(tokens)}"' + (" *" if open_end else "")
    quoted = [f"'{t}'" for t in tokens]
    quoted[-1] += ":*" if open_end else ""
    return f"({' <-> '.join(quoted)})"


def _with_text(plain: Found, wanted: str, dialect: str) -> Found:
    condition: ColumnElement[bool]
    if dialect == "sqlite":
        index = table("search_text", column("rowid"))
        latest, condition = index.c.rowid, column("search_text").op("MATCH", is_comparison=True)(wanted)
    else:
        index = table("search_text", column("measurement_id"), column("tokens"))
        latest = index.c.measurement_id
        condition = index.c.tokens.op("@@", is_comparison=True)(cast(wanted, TSQUERY))
    source = index.join(Measurement.__table__, Measurement.id == latest)
    return replace(plain, source=source, where=(condition, *plain.where), latest=latest)


def _chosen(session: Session, slugs: tuple[str, ...], visible: Visible) -> Visible:
    if not visible:
        return visible
    ids = session.scalars(select(Project.id).where(Project.slug.in_(slugs), visible.of(Project.id)))
    return Visible(tuple(sorted(ids)))


def _filter(session: Session, key: str, values: tuple[str, ...]) -> ColumnElement[bool]:
    if key == "technique":
        return Measurement.technique.in_([k for v in values for k in _TECHNIQUES.get(v.casefold(), [v])])
    if key == "state":
        for value in values:
            if value not in STATES:
                raise QueryError(
                    f"There is no state {value!r}; the states are {', '.join(STATES)}.",
                    f"state:{value}",
                    field="state",
                )
        return Measurement.state.in_(values)
    if key == "instrument":
        # Of whatever project: a measurement that may be seen may be found by the instrument it shows.
        names = [func.lower(Instrument.name) == func.lower(v) for v in values]
        ids = session.scalars(select(Instrument.id).where(or_(Instrument.slug.in_(values), *names)))
        return Measurement.instrument_id.in_(ids.all())
    named_column = {"sample": Measurement.sample, "operator": Measurement.operator}[key]
    return or_(false(), *(_like(named_column, value) for value in values))


def _techniques() -> dict[str, list[str]]:
    """Techniques by key and by short name, in lower case."""
    keys: dict[str, list[str]] = {}
    for key, technique in TECHNIQUES.items():
        for name in {key.casefold(), technique.short.casefold()}:
            keys.setdefault(name, []).append(key)
    return keys


_TECHNIQUES = _techniques()


def _like(text_column: Any, value: str) -> ColumnElement[bool]:
    """Exactly the value, whatever its case (SQLite knows only that of a–z); ``*`` stands for anything."""
    if "*" not in value:
        same: ColumnElement[bool] = func.lower(text_column) == func.lower(value)
        return same
    pattern = re.sub(r"([\\%_])", r"\\\1", value).replace("*", "%")
    matched: ColumnElement[bool] = text_column.ilike(pattern, escape="\\")
    return matched


def _within(session: Session, wanted: Range, visible: Visible) -> ColumnElement[bool]:
    """That one of the measurement's intervals of this name meets the one that is wanted."""
    value = ConditionValue
    named = (value.name == wanted.name, value.dimension == wanted.dimension)
    ids = (
        select(value.measurement_id)
        .where(*named, *_meets(value.si, value.si_max, wanted), visible.of(value.project_id))
        .limit(_FEW_ROWS + 1)
    )
    few = session.scalars(ids).all()
    if len(few) <= _FEW_ROWS:
        return Measurement.id.in_(set(few))
    meets = _meets(value.si, value.si_max, wanted)
    if session.get_bind().dialect.name == "sqlite":
        # The sums keep it from walking through all values of this name for each measurement.
        meets = _meets(value.si + 0.0, value.si_max + 0.0, wanted)
    return exists().where(value.measurement_id == Measurement.id, *named, *meets)


def _meets(low: Any, high: Any, wanted: Range) -> list[ColumnElement[bool]]:
    parts = []
    if wanted.low != -math.inf:
        parts.append(high >= wanted.low)
    if wanted.high != math.inf:
        parts.append(low <= wanted.high)
    return parts
