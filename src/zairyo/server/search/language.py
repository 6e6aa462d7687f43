"""The search language: ``quartz technique:xrd temperature>300 degC after:2026-01``.

A query is words, ``key:value`` filters and comparisons of conditions with numbers. Parsing knows no
database; what cannot be understood is a :class:`QueryError` that names the token and what to write instead.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from zairyo.measurement import units
from zairyo.server.search.vocabulary import NAMES, known_names, usual_unit

#: Filters by the value of a column; several values of one key are alternatives.
KEYS = ("technique", "instrument", "project", "sample", "operator", "state")
_TIMES = ("after", "before")
_EXAMPLES = {
    "technique": "xrd", "instrument": "smartlab", "project": "cathodes", "sample": "LCO-12",
    "operator": '"M. Curie"', "state": "not_translated", "after": "2026-01", "before": "2026-02-15",
}  # fmt: skip

_NAME = r"(?P<name>[A-Za-z]\w*)\s*(?P<op>>=|<=|≥|≤|>|<|=)\s*"
_NUMBER = r"[-+]?(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][-+]?\d{1,4})?"
# After a number, a word that is not itself a filter or the name of the next comparison is its unit.
_UNIT = r'(?P<unit>(?:[A-Za-zµμΩÅ°%‰℃℉]|1/)[^\s":<>=≥≤]*)(?=\s|"|\Z)(?!\s*[<>=≥≤])'
_COMPARISON = re.compile(rf"{_NAME}(?P<low>{_NUMBER})(?:\s*\.\.\s*(?P<high>{_NUMBER}))?(?:\s*{_UNIT})?")
_HALF_COMPARISON = re.compile(rf'{_NAME}(?P<rest>[^\s"]*)')
_FILTER = re.compile(r'(?P<key>[A-Za-z]\w*):(?P<value>"[^"]*"?|[^\s"]*)')
_PHRASE = re.compile(r'"(?P<text>[^"]*)"?')
_WORD = re.compile(r'[^\s"]+')
_LONGEST = 2000
_MOST_PARTS = 50
#: A Japanese keyboard's full-width letters and signs, and signs of typography; one character each.
_PLAIN = {i + 0xFEE0: i for i in range(0x21, 0x7F)} | str.maketrans("−“”„", '-"""')
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: Two numbers closer than this (relatively) are one number: conversion of units rounds.
_SAME = 1e-12


class QueryError(ValueError):
    """The query cannot be understood.

    Attributes
    ----------
    token
        The part that is not.
    code
        ``invalid`` or ``unknown_unit``.
    field
        What it is about where that is not the query's text, e.g. ``cursor``; else empty.
    """

    def __init__(self, message: str, token: str, code: str = "invalid", field: str = "") -> None:
        super().__init__(message)
        self.token, self.code, self.field = token, code, field


@dataclass(frozen=True)
class Range:
    """A condition within a closed interval in SI; ``dimension`` is its base unit. ``label`` is for people."""

    name: str
    dimension: str
    low: float = -math.inf
    high: float = math.inf
    label: str = ""


@dataclass(frozen=True)
class Query:
    """What was asked for: all of ``words`` (the last part of each may go on), all ``phrases``, for each key of
    ``filters`` one of its values, all ``ranges``, measured from ``after`` until before ``before``."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: tuple[Range, ...] = ()
    after: datetime | None = None
    before: datetime | None = None

    def without(self, key: str) -> Query:
        """The same query without the filters on one key: what a facet's own counts are over."""
        return replace(self, filters={k: v for k, v in self.filters.items() if k != key})


def parse(text: str) -> Query:
    """Understand a query; raises :class:`QueryError`."""
    written = checked(text)
    text = written.translate(_PLAIN)
    words: list[str] = []
    phrases: list[str] = []
    filters: dict[str, list[str]] = {}
    ranges: list[Range] = []
    times: dict[str, datetime] = {}
    at = parts = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        parts += 1
        if parts > _MOST_PARTS:
            raise QueryError(
                f"The query has more than {_MOST_PARTS} parts; leave some out.", text[at : at + 20]
            )
        if match := _PHRASE.match(text, at):
            phrases.append(match["text"])
        elif match := _COMPARISON.match(text, at):
            ranges.append(_comparison(match))
        elif match := _HALF_COMPARISON.match(text, at):
            raise QueryError(_half(match), match[0])
        elif (match := _FILTER.match(text, at)) and not match["value"].startswith(("/", "\\")):
            key, value = _key(match), written[slice(*match.span("value"))].strip('"“”„＂')
            if key in _TIMES:
                times[key] = moment(key, value)
            else:
                filters.setdefault(key, []).append(value)
        elif match := _WORD.match(text, at):
            words.append(match[0])
        else:
            raise QueryError(f"{text[at : at + 20]!r} cannot be understood.", text[at : at + 20])
        at = match.end()
    return Query(
        tuple(words), tuple(phrases), {k: tuple(dict.fromkeys(v)) for k, v in filters.items()}, tuple(ranges),
        times.get("after"), times.get("before"),
    )  # fmt: skip


def checked(text: str) -> str:
    """The text, if a database can be asked for it; raises :class:`QueryError`."""
    if len(text) > _LONGEST:
        raise QueryError(f"This is longer than {_LONGEST} characters; shorten it.", text[:20])
    if found := _UNSTORABLE.search(text):
        raise QueryError("There is a character in it that no text has (NUL or half of one).", repr(found[0]))
    return text


def parse_where(parts: Iterable[str]) -> tuple[Range, ...]:
    """Comparisons that come one by one, e.g. from sliders: ``temperature=10..20 degC``."""
    ranges = []
    for part in parts:
        match = _COMPARISON.fullmatch(checked(part).translate(_PLAIN).strip())
        if match is None:
            raise QueryError(f"{part!r} is not a comparison; write for example temperature>300 degC.", part)
        ranges.append(_comparison(match))
    return tuple(ranges)


def moment(key: str, value: str) -> datetime:
    """The beginning (UTC) of a year, month or day, an ISO 8601 time, or so many days ago (``7d``)."""
    wrong = QueryError(
        f"{value!r} is not a date; write {key}:2026-01, {key}:2026-01-31 or {key}:7d (days ago).",
        f"{key}:{value}",
    )
    try:
        if relative := re.fullmatch(r"(\d{1,4})d", value, re.ASCII):
            return datetime.now(UTC) - timedelta(days=int(relative[1]))
        if match := re.fullmatch(r"(\d{4})(?:-(\d{1,2}))?", value, re.ASCII):
            return datetime(int(match[1]), int(match[2] or 1), 1, tzinfo=UTC)
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong from None


def _key(match: re.Match[str]) -> str:
    key = match["key"].casefold()
    if key not in _EXAMPLES:
        hint = _near(key, _EXAMPLES)
        raise QueryError(
            f"There is no filter {match['key']!r}.{hint} To find the text itself, put it in quotes.", match[0]
        )
    if not match["value"].strip('"'):
        raise QueryError(f"Write a value after {key}: (for example {key}:{_EXAMPLES[key]}).", match[0])
    return key


def _comparison(match: re.Match[str]) -> Range:
    name, token = match["name"].casefold(), match[0].strip()
    op = {"≥": ">=", "≤": "<="}.get(match["op"], match["op"])
    usual = _usual(name, match["name"], token)
    unit = _unit(match["unit"], usual, token)
    low, dimension = _si(match["low"], unit, name, token)
    written, high = match["low"], low
    if match["high"]:
        if op != "=":
            raise QueryError(
                f"A range is written with =, as in {name}={match['low']}..{match['high']}.", token
            )
        written += f"..{match['high']}"
        low, high = sorted((low, _si(match["high"], unit, name, token)[0]))
    elif op == "=":
        # An equal sign between floats means "as far as a person wrote it": half of the last digit.
        slack = abs(_si("0", unit, name, token)[0] - _si(_half_digit(match["low"]), unit, name, token)[0])
        low, high = low - slack, low + slack
    low, high = low - _SAME * abs(low), high + _SAME * abs(high)
    if op == ">":
        low = math.nextafter(high, math.inf)
    if op == "<":
        high = math.nextafter(low, -math.inf)
    label = f"{name} {op} {written} {unit}".strip()
    return Range(
        name,
        dimension,
        -math.inf if op.startswith("<") else low,
        math.inf if op.startswith(">") else high,
        label,
    )


def _usual(name: str, written: str, token: str) -> str:
    """The unit that this condition usually has."""
    if name not in NAMES:
        raise QueryError(
            f"There is no condition {written!r}.{_near(name, known_names())} "
            "To find the text itself, put it in quotes.",
            token,
        )
    unit = usual_unit(name)
    if unit is None:
        raise QueryError(f"{name} is text, not a number; search for its words instead.", token)
    return unit


def _unit(written: str | None, usual: str, token: str) -> str:
    if written is None:
        return usual
    unit = units.normalise(written)
    if unit is None:
        near = units.near(written)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise QueryError(
            f"The unit {written!r} is not known.{hint} (A word to search for after a number goes in quotes.)",
            token,
            "unknown_unit",
        )
    return unit


def _si(written: str, unit: str, name: str, token: str) -> tuple[float, str]:
    found = units.to_si(float(written), unit)
    if found is None:
        raise QueryError(f"The unit {unit!r} cannot be converted.", token, "unknown_unit")
    if not math.isfinite(found[0]):
        raise QueryError(f"{written} {unit} is too large a number.", token)
    if usual_unit(name, found[1]) is None:
        usual = usual_unit(name) or "plain numbers"
        raise QueryError(
            f"{name} is measured in {usual}; {unit or 'a plain number'} is something else.", token
        )
    return found


def _half_digit(written: str) -> str:
    """Half of the last digit that was written: of ``1.54`` 0.005, of ``2e3`` 500."""
    mantissa, _, exponent = written.lower().partition("e")
    return f"0.5e{int(exponent or 0) - len(mantissa.partition('.')[2])}"


def _half(match: re.Match[str]) -> str:
    name = match["name"].casefold()
    unit = _usual(name, match["name"], match[0])
    what = f"{match['rest']!r} is not a number" if match["rest"] else "a number is missing"
    return f"After {name}{match['op']} {what}; write for example {name}{match['op']}300 {unit}.".replace(
        " .", "."
    )


def _near(name: str, among: Iterable[str]) -> str:
    among = list(among)
    near = sorted((n for n in among if name in n), key=len)[:3] or difflib.get_close_matches(
        name, among, n=3, cutoff=0.6
    )
    return f" Did you mean {' or '.join(near)}?" if near else ""
