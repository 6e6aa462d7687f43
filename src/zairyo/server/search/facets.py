"""What a search could be narrowed by, with counts: each facet counts as if it alone were not chosen.

Counts are over the latest fifty thousand measurements that match, histograms over the latest five thousand,
so that the answer comes at once however large the catalogue is; ``sampled`` says when that mattered.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from zairyo.measurement import units
from zairyo.measurement.techniques import TECHNIQUES
from zairyo.server.access import Visible
from zairyo.server.models import ConditionValue, Instrument, Measurement, Project
from zairyo.server.search import sql
from zairyo.server.search.language import Query
from zairyo.server.search.listing import latest
from zairyo.server.search.vocabulary import CONDITION_NAMES, NAMES, usual_unit

MOST_COUNTED = 50_000
MOST_SAMPLED = 5_000
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
    matching = _rows(session, query, visible, *_COLUMNS.values())
    every = list(zip(*matching, strict=True)) or [()] * (len(_COLUMNS) + 1)
    columns = dict(zip(_COLUMNS, every[1:], strict=True))
    sampled = len(matching) == MOST_COUNTED
    values: dict[str, list[Value]] = {}
    for key, facet_column in _COLUMNS.items():
        column = columns[key]
        if key in query.filters:
            rest = _rows(session, query.without(key), visible, facet_column)
            sampled = sampled or len(rest) == MOST_COUNTED
            column = tuple(row[1] for row in rest)
        values[key] = _named(session, key, _most(column))
    ids = sorted(every[0], reverse=True)
    return Facets(values, _numeric(session, ids[:MOST_SAMPLED]), sampled or len(ids) > MOST_SAMPLED)


def _rows(session: Session, query: Query, visible: Visible, *columns: Any) -> Sequence[Any]:
    """The latest that match, as rows of their id and these columns."""
    found = sql.found(session, query, visible)
    return [] if found is None else session.execute(latest(found, MOST_COUNTED, *columns)).all()


def _most(column: tuple[Any, ...]) -> list[tuple[Any, int]]:
    """The values that are there most, with their counts; those alike in alphabetical order."""
    counts = Counter(column)
    counts.pop(None, None)
    counts.pop("", None)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]


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


def _numeric(session: Session, ids: list[int]) -> list[Numeric]:
    """The conditions that most of these measurements have."""
    intervals: dict[tuple[str, str], list[tuple[int, float, float]]] = defaultdict(list)
    value = ConditionValue
    for start in range(0, len(ids), 1000):
        rows = session.execute(
            select(value.name, value.dimension, value.measurement_id, value.si, value.si_max).where(
                value.measurement_id.in_(ids[start : start + 1000])
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
