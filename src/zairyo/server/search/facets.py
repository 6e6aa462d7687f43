"""What a search could be narrowed by, with counts: each facet counts as if it alone were not chosen.

Counts are over the latest twenty thousand measurements that match, histograms over the latest two thousand,
so that the answer comes at once however large the catalogue is; ``sampled`` says when that mattered.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import CTE, Select, Text, cast, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from zairyo.measurement import units
from zairyo.measurement.techniques import TECHNIQUES
from zairyo.server.access import Visible
from zairyo.server.models import ConditionValue, Instrument, Measurement, Project
from zairyo.server.search import sql
from zairyo.server.search.language import Query
from zairyo.server.search.listing import count, latest
from zairyo.server.search.sql import Found
from zairyo.server.search.vocabulary import CONDITION_NAMES, NAMES, usual_unit

MOST_COUNTED = 20_000
MOST_SAMPLED = 2_000
MOST_VALUES = 50
MOST_NUMERIC = 12
BINS = 24


@dataclass(frozen=True)
class Value:
    """A value of a facet and how many measurements have it."""

    value: str
    label: str
    label_ja: str
    count: int


@dataclass(frozen=True)
class Bin:
    """How many measurements' values or ranges meet this interval."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Numeric:
    """A condition's values in its display unit; ``count`` measurements have it."""

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
    """Values by facet, conditions with their histograms, and whether not all were looked at."""

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
    found = sql.found(session, query, visible)
    total, counts = _counts(session, found, [key for key in _COLUMNS if key not in query.filters])
    sampled = total >= min(MOST_COUNTED, MOST_SAMPLED + 1)
    for key in query.filters:
        rest, own = _counts(session, sql.found(session, query.without(key), visible), [key])
        sampled = sampled or rest >= MOST_COUNTED
        counts |= own
    values = {key: _named(session, key, counts.get(key, [])) for key in _COLUMNS}
    return Facets(values, _numeric(session, found), sampled)


def _counts(
    session: Session, found: Found | None, keys: list[str]
) -> tuple[int, dict[str, list[tuple[Any, int]]]]:
    """How many were looked at, and for each facet its most frequent values with their counts."""
    if found is None:
        return 0, {}
    matching = _sample(session, found, *(_COLUMNS[key] for key in keys)).cte("matching")
    matching = matching.prefix_with("MATERIALIZED")
    size = select(literal(""), cast(null(), Text), func.count().label("n")).select_from(matching)
    statement: Any = union_all(size, *(_most(matching, key) for key in keys))
    counts: dict[str, list[tuple[Any, int]]] = {key: [] for key in keys}
    total = 0
    for key, value, n in session.execute(statement):
        if not key:
            total = n
        elif value not in (None, ""):
            counts[key].append((int(value) if key in ("instrument", "project") else value, n))
    return total, {key: sorted(found, key=lambda v: (-v[1], v[0])) for key, found in counts.items()}


def _most(matching: CTE, key: str) -> Select[Any]:
    """A facet's most frequent values: its name, the value as text, the count."""
    column = matching.c[_COLUMNS[key].key]
    n = func.count().label("n")
    every = (
        select(column.label("value"), n).group_by(column).order_by(n.desc(), column).limit(MOST_VALUES + 2)
    )
    most = every.subquery()
    return select(literal(key), cast(most.c.value, Text), most.c.n)


def _sample(session: Session, found: Found, *columns: Any) -> Select[Any]:
    """All that match, or the latest if there are very many: then so many of each project as make it up together."""
    arms = found.arms()
    if len(arms) < 2:
        return latest(found, MOST_COUNTED, *columns)
    each = MOST_COUNTED
    if count(session, found, MOST_COUNTED) > MOST_COUNTED:
        each = -(-MOST_COUNTED // len(arms))
    limited = (latest(arm, each, *columns).subquery() for arm in arms)
    return select(union_all(*(select(*arm.c) for arm in limited)).subquery())


def _named(session: Session, key: str, counts: list[tuple[Any, int]]) -> list[Value]:
    if key == "technique":
        known = ((v, TECHNIQUES.get(v), n) for v, n in counts)
        return [Value(v, t.short if t else v, t.title_ja if t else v, n) for v, t, n in known]
    if key in ("instrument", "project"):
        table = Instrument if key == "instrument" else Project
        ids = [v for v, _ in counts]
        rows: Any = session.execute(select(table.id, table.slug, table.name).where(table.id.in_(ids)))
        names = {row.id: (row.slug, row.name) for row in rows}
        return [Value(names[v][0], names[v][1], names[v][1], n) for v, n in counts]
    return [Value(v, v, v, n) for v, n in counts]


def _numeric(session: Session, found: Found | None) -> list[Numeric]:
    """The conditions that most of the latest measurements have."""
    if found is None:
        return []
    intervals: dict[tuple[str, str], list[tuple[int, float, float]]] = defaultdict(list)
    ids = latest(found, MOST_SAMPLED).subquery()
    value = ConditionValue.__table__.c
    rows = session.connection().execute(
        select(value.name, value.dimension, value.measurement_id, value.si, value.si_max).where(
            value.measurement_id.in_(select(ids.c.id))
        )
    )
    for name, dimension, measurement_id, low, high in rows:
        intervals[name, dimension].append((measurement_id, low, high))
    counts = {
        # What is measured in something else than the vocabulary says cannot be compared.
        key: len({measurement for measurement, _, _ in found})
        for key, found in intervals.items()
        if key[0] in CONDITION_NAMES and usual_unit(*key) is not None
    }
    chosen = sorted(counts, key=lambda key: (-counts[key], key))[:MOST_NUMERIC]
    return [_histogram(*key, counts[key], intervals[key]) for key in chosen]


def _histogram(name: str, dimension: str, count: int, found: list[tuple[int, float, float]]) -> Numeric:
    unit = usual_unit(name, dimension) or ""
    first, last = (
        units.convert(np.array(ends), dimension, unit) for ends in list(zip(*found, strict=True))[1:]
    )
    low, high = float(first.min()), float(last.max())
    bins: list[Bin] = []
    if high > low and np.isfinite(high - low):
        edges = np.linspace(low, high, BINS + 1)
        # A range counts in each bin it goes through: one more from its first bin on, one less after its last.
        starts, ends = (
            np.clip(np.searchsorted(edges, x, side="right") - 1, 0, BINS - 1) for x in (first, last)
        )
        change = np.bincount(starts, minlength=BINS + 1) - np.bincount(ends + 1, minlength=BINS + 1)
        bins = [
            Bin(_round(edges[i]), _round(edges[i + 1]), int(n)) for i, n in enumerate(change.cumsum()[:BINS])
        ]
    known = NAMES[name][0]
    return Numeric(name, known.title, known.title_ja, unit, _round(low), _round(high), count, bins)


def _round(value: float) -> float:
    return float(f"{value:.9g}")  # 300.00000000000006 K is nobody's temperature
