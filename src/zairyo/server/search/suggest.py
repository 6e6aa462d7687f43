"""What the last word of a query that is being typed could become."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from zairyo.measurement.techniques import TECHNIQUES
from zairyo.server.access import Visible
from zairyo.server.models import STATES, Instrument, Measurement, Project
from zairyo.server.search import sql
from zairyo.server.search.language import KEYS, Query
from zairyo.server.search.listing import latest
from zairyo.server.search.vocabulary import CONDITION_NAMES, NAMES, known_names, usual_unit

_MOST = 10
#: Samples and operators are those of so many measurements that came in last.
_MOST_LOOKED_AT = 20_000
#: What is being typed; a value that began with a quote goes on over blanks.
_LAST_WORD = re.compile(r'(?:[A-Za-z]+:"[^"]*|\S*)\Z')
_KEY_LABELS = {
    "technique": ("technique", "測定手法"), "instrument": ("instrument", "装置"),
    "project": ("project", "プロジェクト"),
    "sample": ("sample", "試料"), "operator": ("operator", "測定者"), "state": ("state", "状態"),
    "after": ("measured after", "この日以降"), "before": ("measured before", "この日より前"),
}  # fmt: skip


@dataclass(frozen=True)
class Suggestion:
    """``text`` goes into the box in place of the last word; the labels are for people."""

    text: str
    label: str
    label_ja: str


def suggest(session: Session, q: str, visible: Visible) -> list[Suggestion]:
    """At most ten, of keys, condition names and (after a key) values that this person may see."""
    word = _LAST_WORD.search(q)[0]  # type: ignore[index]  # at the end there is always something, if only nothing
    key, colon, begun = word.partition(":")
    if colon and key.casefold() in KEYS:
        return [
            Suggestion(f"{key}:{_quoted(value)}", label, label_ja)
            for value, label, label_ja in _values(session, key.casefold(), begun.strip('"'), visible)
            if '"' not in value  # no query can say it; the facets can
        ]
    if not word:
        return []
    low = word.casefold()
    keys = [
        Suggestion(text=f"{k}:", label=label, label_ja=label_ja)
        for k, (label, label_ja) in _KEY_LABELS.items()
        if k.startswith(low)
    ]
    names = [
        Suggestion(
            text=f"{n}>",
            label=f"{_title(n, 'title')} ({_unit(n)})".replace(" ()", ""),
            label_ja=_title(n, "title_ja"),
        )
        for n in known_names()
        if n in CONDITION_NAMES
        and (low in n or low in _title(n, "title").casefold() or low in _title(n, "title_ja"))
    ]
    names.sort(key=lambda s: (not s.text.startswith(low), s.text))
    return (keys + names)[:_MOST]


def _quoted(value: str) -> str:
    return value if re.fullmatch(r"[\w.-]+", value) else f'"{value}"'


def _title(name: str, which: str) -> str:
    return str(getattr(NAMES[name][0], which))


def _unit(name: str) -> str:
    return usual_unit(name) or ""


def _values(session: Session, key: str, begun: str, visible: Visible) -> list[tuple[str, str, str]]:
    low = begun.casefold()
    if key == "technique":
        return [
            (k, t.title, t.title_ja)
            for k, t in TECHNIQUES.items()
            if low in k or low in t.title.casefold() or low in t.short.casefold() or begun in t.title_ja
        ][:_MOST]
    if key == "state":
        return [(s, s.replace("_", " "), s) for s in STATES if s.startswith(low)]
    if not visible:
        return []
    if key in ("instrument", "project"):
        table: Any = Instrument if key == "instrument" else Project
        project = Instrument.project_id if key == "instrument" else Project.id
        rows: Any = session.execute(
            select(table.slug, table.name)
            .where(visible.of(project), (table.slug + " " + table.name).icontains(begun, autoescape=True))
            .order_by(table.name)
            .limit(_MOST)
        )
        return [(slug, name, name) for slug, name in rows]
    found = sql.found(session, Query(), visible)
    if found is None:
        return []
    column: Any = {"sample": Measurement.sample, "operator": Measurement.operator}[key]
    matching = latest(found, _MOST_LOOKED_AT, column.label("value")).subquery()
    value: Any = matching.c.value
    values = session.scalars(
        select(value)
        .where(value != "", value.icontains(begun, autoescape=True))
        .group_by(value)
        .order_by(value)
        .limit(_MOST)
    )
    return [(v, v, v) for v in values]
