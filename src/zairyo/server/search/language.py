"""The search language: ``quartz technique:xrd temperature>300 degC after:2026-01``.

A query is words, ``key:value`` filters and comparisons of conditions with numbers. Parsing knows no
database; what cannot be understood is a :class:`QueryError` that names the token and what to write instead.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from zairyo.measurement import units
from zairyo.measurement.techniques import TECHNIQUES, conditions

#: Filters by the value of a column; several values of one key are alternatives.
KEYS = ("technique", "instrument", "project", "sample", "operator", "state")
_TIMES = ("after", "before")
#: Every condition of every technique by its name.
CONDITIONS = {c.name: c for t in TECHNIQUES for c in reversed(list(conditions(t).values()))}
_SIGNALS = {s.name: s for t in TECHNIQUES.values() for s in t.signals}

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_UNIT = r"[A-Za-zµμ°Ωℓ%Å][\w°µμΩ%/*^·.\-⁻¹²³Å]*|1/[A-Za-zµμ]\w*"
_COMPARISON = re.compile(
    rf"(?P<name>[A-Za-z_]\w*)\s*(?P<op>>=|<=|≥|≤|>|<|=)\s*(?P<low>{_NUMBER})"
    rf"(?:\s*\.\.\s*(?P<high>{_NUMBER}))?(?:(?P<glue>\s*)(?P<unit>{_UNIT})(?![:<>=≥≤\w]))?"
)
_HALF_COMPARISON = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*(?P<op>>=|<=|≥|≤|>|<|=)\s*(?P<rest>\S*)")
_FILTER = re.compile(r'(?P<key>[A-Za-z_]\w*):(?P<value>"[^"]*"|[^\s"]+)?')
_PHRASE = re.compile(r'"(?P<text>[^"]*)"?')
_WORD = re.compile(r"[^\s\"]+")
_LONGEST = 2000


class QueryError(ValueError):
    """The query cannot be understood. ``token`` is the part; ``code`` is ``invalid`` or ``unknown_unit``."""

    def __init__(self, message: str, token: str, code: str = "invalid") -> None:
        super().__init__(message)
        self.token = token
        self.code = code


@dataclass(frozen=True)
class Range:
    """A condition within an interval in SI; ``dimension`` is its base unit. ``label`` is for people."""

    name: str
    dimension: str
    low: float | None
    high: float | None
    low_open: bool = False
    high_open: bool = False
    label: str = ""


@dataclass(frozen=True)
class Query:
    """What was asked for: all of ``words`` (the last part of each may go on), all ``phrases``, for each key of
    ``filters`` one of its values, all ``ranges``, received or measured from ``after`` until before ``before``."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: tuple[Range, ...] = ()
    after: datetime | None = None
    before: datetime | None = None

    def without(self, key: str) -> Query:
        """The same query without the filters on one key: what a facet's own counts are over."""
        rest = {k: v for k, v in self.filters.items() if k != key}
        return Query(self.words, self.phrases, rest, self.ranges, self.after, self.before)


def parse(text: str) -> Query:
    """Understand a query; raises :class:`QueryError`."""
    if len(text) > _LONGEST:
        raise QueryError(f"The query is longer than {_LONGEST} characters.", text[:20])
    words: list[str] = []
    phrases: list[str] = []
    filters: dict[str, list[str]] = {}
    ranges: list[Range] = []
    times: dict[str, datetime] = {}
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif match := _PHRASE.match(text, at):
            phrases.append(match["text"])
        elif match := _COMPARISON.match(text, at):
            ranges.append(_comparison(match))
        elif (match := _FILTER.match(text, at)) and match["key"].casefold() in (*KEYS, *_TIMES):
            key = match["key"].casefold()
            value = (match["value"] or "").strip('"')
            if not value:
                raise QueryError(
                    f"Write a value after {key}: (for example {key}:{_EXAMPLES[key]}).", match[0]
                )
            if key in _TIMES:
                times[key] = _moment(key, value, match[0])
            else:
                filters.setdefault(key, []).append(value)
        elif match := _HALF_COMPARISON.match(text, at):
            raise QueryError(_half(match), match[0])
        elif (match := _FILTER.match(text, at)) and match["value"] and not match["value"].startswith("/"):
            raise QueryError(
                f"There is no filter {match['key']!r}.{_near(match['key'], (*KEYS, *_TIMES))} "
                f"To find the text itself, put it in quotes.",
                match[0],
            )
        else:
            match = _WORD.match(text, at)
            if match is None:  # a stray quote cannot happen (_PHRASE takes it); anything else is a word
                raise QueryError(f"{text[at : at + 20]!r} cannot be understood.", text[at : at + 20])
            words.append(match[0])
        at = match.end() if match is not None else at
    return Query(
        tuple(words), tuple(phrases), {k: tuple(dict.fromkeys(v)) for k, v in filters.items()}, tuple(ranges),
        times.get("after"), times.get("before"),
    )  # fmt: skip


_EXAMPLES = {
    "technique": "xrd", "instrument": "smartlab", "project": "cathodes", "sample": "LCO-12",
    "operator": '"M. Curie"', "state": "not_translated", "after": "2026-01", "before": "2026-02-15",
}  # fmt: skip


def parse_where(parts: Iterable[str]) -> tuple[Range, ...]:
    """Comparisons that come one by one, e.g. from sliders: ``temperature=10..20 degC``."""
    ranges = []
    for part in parts:
        match = _COMPARISON.fullmatch(part.strip())
        if match is None:
            raise QueryError(f"{part!r} is not a comparison; write for example temperature>300 degC.", part)
        ranges.append(_comparison(match))
    return tuple(ranges)


def display_unit(name: str) -> str | None:
    """The unit a condition (or a signal's range) of this name is usually shown in."""
    known = CONDITIONS.get(name) or _SIGNALS.get(name)
    return known.unit if known else None


def known_names() -> tuple[str, ...]:
    """Every condition and signal name that can be compared with a number."""
    return tuple(sorted({n for n, c in (CONDITIONS | _SIGNALS).items() if c.unit is not None}))


def _comparison(match: re.Match[str]) -> Range:
    name, op, unit = match["name"], match["op"].replace("≥", ">=").replace("≤", "<="), match["unit"]
    known = CONDITIONS.get(name) or _SIGNALS.get(name)
    if known is None:
        raise QueryError(f"There is no condition {name!r}.{_near(name, known_names())}", match[0])
    if known.unit is None:
        raise QueryError(f"{name} is text, not a number; search for its words instead.", match[0])
    low = float(match["low"])
    high = float(match["high"]) if match["high"] else None
    if high is not None and op != "=":
        raise QueryError(f"A range is written with =, as in {name}={low:g}..{high:g}.", match[0])
    if high is not None and high < low:
        low, high = high, low
    spelled = _unit(unit, known.unit, match[0])
    low_si, dimension = _si(low, spelled, name, known.unit, match[0])
    label = f"{name} {op} {match['low']}{'..' + match['high'] if match['high'] else ''} {spelled}".strip()
    if high is not None:
        return Range(name, dimension, low_si, _si(high, spelled, name, known.unit, match[0])[0], label=label)
    if op == "=":
        # An equal sign between floats means "as far as a person wrote it": half of the last digit.
        slack = abs(_si(low + _half_digit(match["low"]), spelled, name, known.unit, match[0])[0] - low_si)
        return Range(name, dimension, low_si - slack, low_si + slack, label=label)
    if op in (">", ">="):
        return Range(name, dimension, low_si, None, low_open=op == ">", label=label)
    return Range(name, dimension, None, low_si, high_open=op == "<", label=label)


def _unit(written: str | None, usual: str, token: str) -> str:
    if written is None:
        return usual
    unit = units.normalise(written)
    if unit is None:
        near = units.near(written)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise QueryError(
            f"{written!r} is not a unit that is known here.{hint} "
            f"(A word to search for after a number goes in quotes.)",
            token,
            "unknown_unit",
        )
    return unit


def _si(value: float, unit: str, name: str, usual: str, token: str) -> tuple[float, str]:
    mine, theirs = units.to_si(value, unit), units.to_si(1.0, usual)
    if mine is None or theirs is None:
        raise QueryError(f"{unit!r} cannot be converted.", token, "unknown_unit")
    if mine[1] != theirs[1]:
        raise QueryError(
            f"{name} is measured in {usual or 'plain numbers'}; {unit} is something else.", token
        )
    return mine


def _half_digit(written: str) -> float:
    mantissa, _, exponent = written.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(0.5 * 10.0 ** (int(exponent or 0) - decimals))


def _moment(key: str, value: str, token: str) -> datetime:
    """The moment a date means: ``after:`` its beginning, ``before:`` its beginning too (UTC)."""
    if relative := re.fullmatch(r"(\d{1,4})d", value):
        return datetime.now(UTC) - timedelta(days=int(relative[1]))
    for pattern in ("%Y", "%Y-%m", "%Y-%m-%d"):
        try:
            return datetime.strptime(value, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise QueryError(
            f"{value!r} is not a date; write {key}:2026-01 or {key}:2026-01-31.", token
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _half(match: re.Match[str]) -> str:
    name, op = match["name"], match["op"]
    if name not in CONDITIONS and name not in _SIGNALS:
        return f"There is no condition {name!r}.{_near(name, known_names())}"
    unit = display_unit(name)
    if unit is None:
        return f"{name} is text, not a number; search for its words instead."
    what = f"{match['rest']!r} is not a number" if match["rest"] else "a number is missing"
    return f"After {name}{op} {what}; write for example {name}{op}300 {unit}."


def _near(name: str, among: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.casefold(), list(among), n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(near)}?" if near else ""
