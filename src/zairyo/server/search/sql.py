"""A query as SQL: the conditions on ``measurement`` that it means, access included."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, column, exists, false, func, or_, select, text
from sqlalchemy.orm import Session

from zairyo.measurement.techniques import TECHNIQUES
from zairyo.server.access import Visible
from zairyo.server.models import STATES, ConditionValue, Instrument, Measurement, Project
from zairyo.server.search.index import project_token
from zairyo.server.search.language import Query, QueryError, Range
from zairyo.server.search.tokens import is_pair, query_tokens

_FEW_PROJECTS = 32

#: When it was measured, as far as is known.
MEASURED = func.coalesce(Measurement.measured_at, Measurement.received_at)


def conditions(session: Session, query: Query, visible: Visible) -> list[ColumnElement[bool]]:
    """What must hold of a row of ``measurement``. Always holds it within the visible projects."""
    found: list[ColumnElement[bool]] = [visible.of(Measurement.project_id), Measurement.superseded.is_(False)]
    dialect = session.get_bind().dialect.name
    if wanted := full_text(query, visible, dialect):
        found.append(_matches(wanted, dialect))
    found += [_filter(key, values, visible) for key, values in query.filters.items()]
    found += [_within(r) for r in query.ranges]
    if query.after is not None:
        found.append(query.after <= MEASURED)
    if query.before is not None:
        found.append(query.before > MEASURED)
    return found


def full_text(query: Query, visible: Visible, dialect: str) -> str:
    """The query's words and phrases in the engine's own full-text language, or ``""`` if there are none.

    Tokens are letters and digits only (see ``tokens``), so that nothing in them can end the quotes around them.
    """
    parts = [p for w in query.words if (p := _sequence(query_tokens(w), dialect, open_end=True))]
    parts += [p for w in query.phrases if (p := _sequence(query_tokens(w), dialect, open_end=False))]
    if not parts:
        return ""
    if len(visible.projects) <= _FEW_PROJECTS:
        either = (" OR " if dialect == "sqlite" else " | ").join(
            f'"{t}"' if dialect == "sqlite" else f"'{t}'" for t in map(project_token, visible.projects)
        )
        parts.insert(0, f"({either})")
    return (" AND " if dialect == "sqlite" else " & ").join(parts)


def _sequence(tokens: list[str], dialect: str, *, open_end: bool) -> str:
    if not tokens:
        return ""
    open_end = open_end and not is_pair(tokens[-1])
    if dialect == "sqlite":
        return f'"{" ".join(tokens)}"' + (" *" if open_end else "")
    quoted = [f"'{t}'" for t in tokens]
    quoted[-1] += ":*" if open_end else ""
    return f"({' <-> '.join(quoted)})"


def _matches(wanted: str, dialect: str) -> ColumnElement[bool]:
    if dialect == "sqlite":
        found = text("SELECT rowid AS id FROM search_text WHERE search_text MATCH :full_text")
    else:
        found = text(
            "SELECT measurement_id AS id FROM search_text WHERE tokens @@ CAST(:full_text AS tsquery)"
        )
    ids = found.bindparams(full_text=wanted).columns(column("id", BigInteger)).subquery()
    return Measurement.id.in_(select(ids.c.id))


def _filter(key: str, values: tuple[str, ...], visible: Visible) -> ColumnElement[bool]:
    if key == "technique":
        keys = {t.casefold(): k for k, t in ((k, n) for k, v in TECHNIQUES.items() for n in (k, v.short))}
        return Measurement.technique.in_({keys.get(v.casefold(), v) for v in values})
    if key == "state":
        for value in values:
            if value not in STATES:
                raise QueryError(
                    f"There is no state {value!r}; the states are {', '.join(STATES)}.", f"state:{value}"
                )
        return Measurement.state.in_(values)
    if key == "instrument":
        named = or_(Instrument.slug.in_(values), func.lower(Instrument.name).in_([v.lower() for v in values]))
        return Measurement.instrument_id.in_(
            select(Instrument.id).where(named, visible.of(Instrument.project_id)).scalar_subquery()
        )
    if key == "project":
        return Measurement.project_id.in_(
            select(Project.id).where(Project.slug.in_(values), visible.of(Project.id)).scalar_subquery()
        )
    named_column = {"sample": Measurement.sample, "operator": Measurement.operator}[key]
    return or_(false(), *(_like(named_column, value) for value in values))


def _like(text_column: Any, value: str) -> ColumnElement[bool]:
    """Exactly the value, whatever its case; ``*`` stands for anything."""
    if "*" not in value:
        return func.lower(text_column) == value.lower() if value.isascii() else text_column == value
    pattern = re.sub(r"([\\%_])", r"\\\1", value.lower()).replace("*", "%")
    matched: ColumnElement[bool] = func.lower(text_column).like(pattern, escape="\\")
    return matched


def _within(wanted: Range) -> ColumnElement[bool]:
    value = ConditionValue
    parts = [
        value.measurement_id == Measurement.id,
        value.name == wanted.name,
        value.dimension == wanted.dimension,
    ]
    if wanted.low is not None:
        parts.append(value.si_max > wanted.low if wanted.low_open else value.si_max >= wanted.low)
    if wanted.high is not None:
        parts.append(value.si < wanted.high if wanted.high_open else value.si <= wanted.high)
    return exists().where(and_(*parts))
