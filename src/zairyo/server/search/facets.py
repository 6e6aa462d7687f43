"""What a search could be narrowed by, with counts: each facet counts as if it alone were not chosen.

Counts are over the latest hundred thousand measurements that match, histograms over the latest twenty
thousand, so that the answer comes at once however large the catalogue is; ``sampled`` says when that mattered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, Subquery, cast, func, select
from sqlalchemy.orm import Session

from zairyo.measurement import units
from zairyo.measurement.techniques import TECHNIQUES
from zairyo.server.access import Visible
from zairyo.server.models import ConditionValue, Instrument, Measurement, Project
from zairyo.server.search import sql
from zairyo.server.search.language import CONDITIONS, Query, display_unit

MOST_COUNTED = 100_000
MOST_SAMPLED = 20_000
MOST_VALUES = 50
MOST_NUMERIC = 12
BINS = 24


@dataclass(frozen=True)
class Value:
    value: str
    label: str
    label_ja: str
    count: int


@dataclass(frozen=True)
class Bin:
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Numeric:
    """A condition's values in its display unit."""

    name: str
    title: str
    title_ja: str
    unit: str
    low: float
    high: float
    count: int
    histogram: list[Bin]


@dataclass(frozen=True)
class Facets:
    values: dict[str, list[Value]]
    numeric: list[Numeric]
    sampled: bool


_COLUMNS: dict[str, Any] = {
    "technique": Measurement.technique,
    "instrument": Measurement.instrument_id,
    "project": Measurement.project_id,
    "sample": Measurement.sample,
    "state": Measurement.state,
    "operator": Measurement.operator,
}


def facets(session: Session, query: Query, visible: Visible) -> Facets:
    """Facets of what the query finds among the visible projects."""
    if not visible:
        return Facets({key: [] for key in _COLUMNS}, [], False)
    # Facets that are not chosen are over the same measurements: those are found once.
    found: dict[frozenset[str], Subquery] = {}
    values: dict[str, list[Value]] = {}
    sampled = False
    for key, facet_column in _COLUMNS.items():
        own = key in query.filters
        columns = list(_COLUMNS.values())
        rest = found.setdefault(
            frozenset({key} if own else ()),
            select(Measurement.id, *columns)
            .where(*sql.conditions(session, query.without(key) if own else query, visible))
            .order_by(Measurement.received_at.desc())
            .limit(MOST_COUNTED)
            .subquery(),
        )
        counted = rest.c[facet_column.key]
        rows = session.execute(
            select(counted, func.count().label("n"))
            .group_by(counted)
            .order_by(func.count().desc(), counted)
            .limit(MOST_VALUES)
        ).all()
        sampled = sampled or sum(row.n for row in rows) >= MOST_COUNTED
        values[key] = _named(session, key, [(row[0], row.n) for row in rows if row[0] not in (None, "")])
    return Facets(values, _numeric(session, query, visible), sampled)


def _named(session: Session, key: str, counts: list[tuple[Any, int]]) -> list[Value]:
    if key == "technique":
        known = {k: (t.short, t.title_ja) for k, t in TECHNIQUES.items()}
        return [Value(v, *known.get(v, (v, v)), n) for v, n in counts]
    if key in ("instrument", "project"):
        table = Instrument if key == "instrument" else Project
        ids = [v for v, _ in counts]
        rows: Any = session.execute(select(table.id, table.slug, table.name).where(table.id.in_(ids)))
        names = {row.id: (row.slug, row.name, row.name) for row in rows}
        return [Value(*names[v], n) for v, n in counts]
    return [Value(v, v, v, n) for v, n in counts]


def _numeric(session: Session, query: Query, visible: Visible) -> list[Numeric]:
    latest = (
        select(Measurement.id)
        .where(*sql.conditions(session, query, visible))
        .order_by(Measurement.received_at.desc())
        .limit(MOST_SAMPLED)
        .subquery()
    )
    value = ConditionValue
    rows = session.execute(
        select(
            value.name, value.dimension, func.min(value.si), func.max(value.si_max),
            func.count(value.measurement_id.distinct()).label("n"),
        )
        .where(value.measurement_id.in_(select(latest.c.id)), value.si.is_not(None), value.name.in_(CONDITIONS))
        .group_by(value.name, value.dimension)
        .order_by(func.count(value.measurement_id.distinct()).desc(), value.name)
        .limit(MOST_NUMERIC * 2)
    ).all()  # fmt: skip
    numeric = []
    for name, dimension, low, high, n in rows:
        unit = display_unit(name)
        if unit is None or len(numeric) == MOST_NUMERIC or not math.isfinite(high - low):
            continue
        if (usual := units.to_si(1.0, unit)) is None or usual[1] != dimension:
            continue  # measured in something else than the vocabulary says: not comparable
        numeric.append(_histogram(session, latest, name, dimension, unit, low, high, n))
    return numeric


def _histogram(
    session: Session,
    latest: Subquery,
    name: str,
    dimension: str,
    unit: str,
    low: float,
    high: float,
    count: int,
) -> Numeric:
    value = ConditionValue
    width = (high - low) / BINS
    bins: list[Bin] = []
    if width > 0:
        # floor() is not in every SQLite; a cast truncates, which is the same for these non-negative numbers.
        place = cast((value.si - low) / width, Integer)
        rows = session.execute(
            select(place, func.count())
            .where(
                value.measurement_id.in_(select(latest.c.id)), value.name == name, value.dimension == dimension,
                value.si.is_not(None),
            )
            .group_by(place)
        ).all()  # fmt: skip
        counts = [0] * BINS
        for at, n in rows:
            counts[min(max(int(at), 0), BINS - 1)] += n
        edges = [_shown(low + i * width, dimension, unit) for i in range(BINS + 1)]
        bins = [Bin(edges[i], edges[i + 1], n) for i, n in enumerate(counts)]
    known = CONDITIONS[name]
    return Numeric(
        name,
        known.title,
        known.title_ja,
        unit,
        _shown(low, dimension, unit),
        _shown(high, dimension, unit),
        count,
        bins,
    )


def _shown(si: float, dimension: str, unit: str) -> float:
    shown = units.convert(si, dimension, unit)
    return float(f"{shown:.9g}")  # 300.00000000000006 K is nobody's temperature
