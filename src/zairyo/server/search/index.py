"""Make a measurement findable: its text into the full-text index, its numbers in SI into ``condition_value``.

The full-text index is ``search_text``, which migration 0002 makes: an FTS5 table on SQLite, a ``tsvector``
with a GIN index on PostgreSQL. Both hold the tokens of :mod:`zairyo.server.search.tokens` and, as the first
token, the project's, so that a search within a few projects never walks through the rest.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol, cast

from sqlalchemy import BindParameter, Table, bindparam, delete, insert, text
from sqlalchemy.orm import Session

from zairyo.measurement import units
from zairyo.measurement.techniques import TECHNIQUES
from zairyo.server.models import ConditionValue
from zairyo.server.search.tokens import tokenise

#: Positions in a tsvector end at 16383; the rest of such a text would be found as words but not as a phrase.
_MOST_TOKENS = 4000
#: PostgreSQL keeps no more places of one word.
_MOST_PLACES = 255
_MOST_VALUES = 16
_MOST_NAMES = 200
_LONGEST_DIMENSION = 64

_MOST_FILES = 100

INSERT = {
    "sqlite": text("INSERT INTO search_text (rowid, tokens) VALUES (:id, :tokens)"),
    "postgresql": text(
        "INSERT INTO search_text (measurement_id, tokens) VALUES (:id, CAST(:tokens AS tsvector))"
    ),
}
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_DELETE = {
    "sqlite": text("DELETE FROM search_text WHERE rowid IN :ids").bindparams(_IDS),
    "postgresql": text("DELETE FROM search_text WHERE measurement_id IN :ids").bindparams(_IDS),
}
_VALUES = cast("Table", ConditionValue.__table__)
_INSERT_VALUES = insert(_VALUES)
_DELETE_VALUES = delete(_VALUES).where(_VALUES.c.measurement_id.in_(_IDS))


class Findable(Protocol):
    """What of a measurement it is found by: one of ``models.Measurement``, or what is about to be written of it."""

    @property
    def id(self) -> int: ...
    @property
    def project_id(self) -> int: ...
    @property
    def path(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def technique(self) -> str: ...
    @property
    def sample(self) -> str: ...
    @property
    def operator(self) -> str: ...
    @property
    def model(self) -> str: ...


class Translated(Protocol):
    """What of a translation it is found by."""

    @property
    def entries(self) -> list[Any]: ...


class Named(Protocol):
    """What of an instrument its measurements are found by."""

    @property
    def name(self) -> str: ...
    @property
    def slug(self) -> str: ...


def names(instrument: Named | None, files: Iterable[str]) -> list[str]:
    """What else a measurement is found by: its raw files' names, and its instrument's."""
    found = list(islice(files, _MOST_FILES))
    return found if instrument is None else [*found, instrument.name, instrument.slug]


def index_measurement(
    session: Session, measurement: Findable, translation: Translated | None, names: list[str]
) -> None:
    """Index the measurement as it now stands, replacing what was indexed of it before.

    ``names`` as :func:`names` gives them.
    """
    index_group(session, [(measurement, translation, names)])


def index_group(session: Session, group: Sequence[tuple[Findable, Translated | None, list[str]]]) -> None:
    """Index several measurements as :func:`index_measurement` does, in as many statements as for one."""
    if not group:
        return
    dialect = session.get_bind().dialect.name
    ids = {"ids": [m.id for m, _, _ in group]}
    texts = [{"id": m.id, "tokens": stored(text_tokens(m, t, names), dialect)} for m, t, names in group]
    values = [row for m, t, _ in group if t is not None for row in condition_rows(m, t.entries)]
    session.execute(_DELETE[dialect], ids)
    session.execute(INSERT[dialect], texts)
    session.execute(_DELETE_VALUES, ids)
    if values:
        session.execute(_INSERT_VALUES, values)


def index_text(
    session: Session, measurement: Findable, translation: Translated | None, names: list[str]
) -> None:
    """Index the text alone: after a person corrected the title, say."""
    dialect = session.get_bind().dialect.name
    tokens = text_tokens(measurement, translation, names)
    session.execute(_DELETE[dialect], {"ids": [measurement.id]})
    session.execute(INSERT[dialect], {"id": measurement.id, "tokens": stored(tokens, dialect)})


def project_token(project_id: int) -> str:
    """The token that all text of a project has; of a character for private use, it begins like no other."""
    return f"\ue000{project_id}"


def text_tokens(measurement: Findable, translation: Translated | None, names: list[str]) -> list[str]:
    """The tokens by which it is found, the most telling first."""
    texts = dict.fromkeys(_texts(measurement, translation, names))
    return [project_token(measurement.project_id), *tokenise("\n".join(texts))][:_MOST_TOKENS]


def stored(tokens: list[str], dialect: str) -> str:
    """Tokens (letters and digits only) as the engine's index takes them."""
    if dialect == "sqlite":
        return " ".join(tokens)
    places: dict[str, list[str]] = defaultdict(list)
    for place, token in enumerate(tokens, start=1):
        if len(places[token]) < _MOST_PLACES:
            places[token].append(str(place))
    return " ".join(f"'{token}':{','.join(at)}" for token, at in places.items())


def _texts(measurement: Findable, translation: Translated | None, names: list[str]) -> Iterator[str]:
    m = measurement
    yield from (m.title, m.sample, m.operator, m.model, m.path)
    yield from names
    if technique := TECHNIQUES.get(measurement.technique):
        yield from (technique.short, technique.title, technique.title_ja)
    for entry in translation.entries if translation else ():
        yield entry["title"]
        yield from (c["value"] for c in entry["conditions"] if isinstance(c["value"], str))


def condition_rows(measurement: Findable, entries: list[Any]) -> list[dict[str, Any]]:
    """Rows of ``condition_value``: each condition's distinct values, and the range each array goes through."""
    numbers: dict[tuple[str, str], set[tuple[float, float]]] = defaultdict(set)
    for entry in entries:
        for name, unit, low, high in _intervals(entry):
            if (interval := _in_si(unit, low, high)) is not None:
                numbers[name, interval[0]].add(interval[1:])
    common = {"measurement_id": measurement.id, "project_id": measurement.project_id}
    rows: list[dict[str, Any]] = []
    for (name, dimension), intervals in list(numbers.items())[:_MOST_NAMES]:
        if len(intervals) > _MOST_VALUES:  # a map's thousand stage positions are one interval
            intervals = {(min(low for low, _ in intervals), max(high for _, high in intervals))}
        rows += [
            {**common, "name": name, "dimension": dimension, "si": low, "si_max": high}
            for low, high in sorted(intervals)
        ]
    return rows


def _intervals(entry: dict[str, Any]) -> Iterator[tuple[str, str | None, Any, Any]]:
    for condition in entry["conditions"]:
        yield condition["name"], condition["unit"], condition["value"], condition["value"]
    for signal in entry["signals"]:
        yield signal["name"], signal["unit"], signal["min"], signal["max"]
    for axis in entry["axes"]:
        yield axis["name"], axis["unit"], axis["first"], axis["last"]


def _in_si(unit: str | None, first: Any, last: Any) -> tuple[str, float, float] | None:
    """Dimension, smallest and largest value of an interval; None if it is not of numbers or its unit unknown."""
    if not _is_number(first) or not _is_number(last):
        return None
    a, b = units.to_si(float(first), unit or ""), units.to_si(float(last), unit or "")
    if a is None or b is None or len(a[1]) > _LONGEST_DIMENSION:
        return None
    if not (math.isfinite(a[0]) and math.isfinite(b[0])):
        return None
    return a[1], min(a[0], b[0]), max(a[0], b[0])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
