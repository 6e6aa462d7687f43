"""Make a measurement findable: its text into the full-text index, its numbers in SI into ``condition_value``.

The full-text index is ``search_text``, which migration 0002 makes: an FTS5 table on SQLite, a ``tsvector``
with a GIN index on PostgreSQL. Both hold the tokens of :mod:`zairyo.server.search.tokens` and, as the first
token, the project's, so that a search within a few projects never walks through the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import delete, insert, text
from sqlalchemy.orm import Session

from zairyo.measurement import units
from zairyo.measurement.techniques import TECHNIQUES, conditions
from zairyo.server.models import ConditionValue, Measurement, Translation
from zairyo.server.search.tokens import tokenise

#: Positions in a tsvector end at 16383; the rest of such a text would be found as words but not as a phrase.
_MOST_TOKENS = 4000
_MOST_VALUES = 16


def index_measurement(
    session: Session, measurement: Measurement, translation: Translation | None, names: list[str]
) -> None:
    """Index the measurement as it now stands, replacing what was indexed of it before.

    ``names`` are its raw files' names and whatever else it should be found by, e.g. the instrument's name.
    """
    index_text(session, measurement, translation, names)
    session.execute(delete(ConditionValue).where(ConditionValue.measurement_id == measurement.id))
    if translation is not None and (rows := _values(measurement, translation.entries)):
        session.execute(insert(ConditionValue), rows)


def project_token(project_id: int) -> str:
    return f"inproject{project_id}"


def index_text(
    session: Session, measurement: Measurement, translation: Translation | None, names: list[str]
) -> None:
    tokens = [
        project_token(measurement.project_id),
        *tokenise("\n".join(_texts(measurement, translation, names))),
    ]
    tokens = tokens[:_MOST_TOKENS]
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("DELETE FROM search_text WHERE rowid = :id"), {"id": measurement.id})
        session.execute(
            text("INSERT INTO search_text (rowid, tokens) VALUES (:id, :tokens)"),
            {"id": measurement.id, "tokens": " ".join(tokens)},
        )
        return
    positions: dict[str, list[str]] = defaultdict(list)
    for place, token in enumerate(tokens, start=1):
        if len(positions[token]) < 255:  # PostgreSQL keeps no more of one word
            positions[token].append(str(place))
    vector = " ".join(f"'{token}':{','.join(places)}" for token, places in positions.items())
    session.execute(
        text(
            "INSERT INTO search_text (measurement_id, tokens) VALUES (:id, CAST(:vector AS tsvector)) "
            "ON CONFLICT (measurement_id) DO UPDATE SET tokens = excluded.tokens"
        ),
        {"id": measurement.id, "vector": vector},
    )


def _texts(measurement: Measurement, translation: Translation | None, names: list[str]) -> Iterator[str]:
    yield from (
        measurement.title,
        measurement.sample,
        measurement.operator,
        measurement.model,
        measurement.path,
    )
    yield from names
    if technique := TECHNIQUES.get(measurement.technique):
        yield from (technique.short, technique.title, technique.title_ja)
    for entry in translation.entries if translation else ():
        yield str(entry["title"])
        yield from (str(c["value"]) for c in entry["conditions"] if isinstance(c["value"], str))


def _values(measurement: Measurement, entries: list[Any]) -> list[dict[str, Any]]:
    """Rows of ``condition_value``: each condition's distinct values, and the range each signal went through."""
    numbers: dict[tuple[str, str], set[tuple[float, float]]] = defaultdict(set)
    texts: set[tuple[str, str]] = set()
    for entry in entries:
        searched = conditions(entry["technique"])
        for condition in entry["conditions"]:
            value = condition["value"]
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                _add(numbers, condition["name"], condition["unit"], value, value)
            elif isinstance(value, str) and condition["name"] in searched:
                texts.add((condition["name"], value[:200]))
        for array in entry["signals"]:
            if array["min"] is not None:
                _add(numbers, array["name"], array["unit"], array["min"], array["max"])
        for axis in entry["axes"]:
            if isinstance(axis["first"], (int, float)) and isinstance(axis["last"], (int, float)):
                _add(numbers, axis["name"], axis["unit"], *sorted((axis["first"], axis["last"])))
    common = {"measurement_id": measurement.id, "project_id": measurement.project_id}
    rows: list[dict[str, Any]] = []
    for (name, dimension), intervals in numbers.items():
        if len(intervals) > _MOST_VALUES:  # a map's thousand stage positions are one interval
            intervals = {(min(low for low, _ in intervals), max(high for _, high in intervals))}
        rows += [
            {**common, "name": name, "dimension": dimension, "si": low, "si_max": high, "text": None}
            for low, high in sorted(intervals)
        ]
    rows += [
        {**common, "name": name, "dimension": "", "si": None, "si_max": None, "text": value}
        for name, value in sorted(texts)[: _MOST_VALUES * 4]
    ]
    return rows


def _add(
    numbers: dict[tuple[str, str], set[tuple[float, float]]],
    name: str,
    unit: str | None,
    low: float,
    high: float,
) -> None:
    first, last = units.to_si(float(low), unit or ""), units.to_si(float(high), unit or "")
    if first is not None and last is not None:
        numbers[name, first[1]].add((first[0], last[0]))
