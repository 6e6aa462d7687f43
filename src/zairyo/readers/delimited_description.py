"""What a YAML description of a delimited text format may say, and the check that it says it right.

Every class here is one mapping of the YAML; its fields are the keys. A key that is not a field, a value of the
wrong kind, a regular expression that does not compile or a name that the vocabulary lacks is told with the
file, the key and what is allowed.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from zairyo.measurement.techniques import TECHNIQUES, conditions
from zairyo.measurement.text import NAME
from zairyo.readers import _api
from zairyo.readers.delimited_text import DELIMITERS, ENCODINGS

Pattern = re.Pattern[str]
#: How sure a description is of a file that it recognises.
SURE = {"certain": _api.CERTAIN, "likely": _api.LIKELY, "possible": _api.POSSIBLE, "last": 0.05}


_PLAIN = frozenset(" !\"#%&',-/:;<=>@_`~")


@cache
def literal_of(pattern: Pattern) -> str:
    """The longest text that whatever matches must hold, as far as is easily seen; perhaps none.

    To look for a text costs a tenth of what a pattern costs.
    """
    written = pattern.pattern
    # No text is sure in either of two, whatever the case, or as what another flag makes of it.
    if "|" in _outside_groups(written) or pattern.flags & ~re.UNICODE:
        return ""
    runs = [""]
    for piece in _PIECE.findall(_outside_groups(written)):
        if piece[0] in "?*{":  # what is before may be missing
            runs[-1] = runs[-1][:-1]
            runs.append("")
        elif len(piece) == 1 and (piece.isalnum() or piece in _PLAIN):
            runs[-1] += piece
        elif len(piece) == 2 and piece[0] == "\\" and not piece[1].isalnum():
            runs[-1] += piece[1]
        else:
            runs.append("")
    return max(runs, key=len)


_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{[^}]*\}|.", re.DOTALL)


def _outside_groups(pattern: str) -> str:
    """A pattern's own text: for each group and set of characters a ``.``."""
    depth, own = 0, ""
    for piece in _PIECE.findall(pattern):
        depth += (piece == "(") - (piece == ")")
        if depth == 0:
            own += "." if piece == ")" or piece[0] == "[" else piece
    return own


class DescriptionError(ValueError):
    """A YAML description is wrong: which file, which key, what is allowed."""


@dataclass(frozen=True)
class Recognise:
    """How to know the format.

    Attributes
    ----------
    lines
        Each must match somewhere in the first ``within`` lines.
    without
        None may match there.
    columns
        The table of numbers in the file has this many columns.
    ending
        The file's name must have one of the description's ``endings``: for text that does not say what it is.
    sure
        ``certain`` (no other format can have these lines), ``likely``, ``possible``, or ``last``.
    """

    lines: tuple[Pattern, ...] = ()
    without: tuple[Pattern, ...] = ()
    within: int = 60
    columns: int | None = None
    ending: bool = False
    sure: Literal["certain", "likely", "possible", "last"] = "likely"


@dataclass(frozen=True)
class Table:
    """Where the numbers are and how they are written.

    Attributes
    ----------
    names
        Matches the line of column names; each such line begins a table.
    after
        Matches the line that the numbers follow, where no line names the columns.
        With neither, the table is the first place where numbers follow each other, and the line before it
        names the columns if it has as many cells.
    units
        The line after the names holds the units.
    delimiter
        ``tab``, ``semicolon``, ``comma``, ``space``, ``bar``, or ``auto``.
    decimal
        ``point``, ``comma`` or ``auto``.
    thousands
        The mark between thousands; none if empty.
    comments
        Lines that begin so are no rows.
    bare
        Nothing but comments and two lines (names, units) may be before the table, and nothing in it or after it.
    rows
        Header key whose value is the number of rows, to notice a file that was cut off.
    gaps
        Blank lines may be between rows, where one part of a run ends; only with ``names`` or ``after``.
    """

    names: Pattern | None = None
    after: Pattern | None = None
    units: bool = False
    delimiter: Literal["auto", "tab", "semicolon", "comma", "space", "bar"] = "auto"
    decimal: Literal["auto", "point", "comma"] = "auto"
    thousands: str = ""
    comments: tuple[str, ...] = ()
    bare: bool = False
    rows: str = ""
    gaps: bool = False


@dataclass(frozen=True)
class Text:
    """Where a text is: the value of a header ``key``, or the group ``value`` of the first ``line`` that matches."""

    key: str = ""
    line: Pattern | None = None


@dataclass(frozen=True)
class Moment:
    """Where the start is, in which of the ``formats`` (``strptime``); what matches ``drop`` is taken out first.

    ``time`` is the header key of the time of day where it stands apart: it is put behind the day, with a space.
    """

    key: str = ""
    line: Pattern | None = None
    formats: tuple[str, ...] = ()
    drop: Pattern | None = None
    time: str = ""


@dataclass(frozen=True)
class ConditionFrom:
    """A condition of the technique's vocabulary and where its value is; ``unit`` is that of a bare number.

    The group ``unit`` of ``line`` or of the header's pattern, or a unit behind the number, wins over ``unit``.
    """

    name: str
    key: str = ""
    line: Pattern | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Column:
    """One column of the table.

    Attributes
    ----------
    column
        Its number from 1, or a pattern for its whole name, or for name and unit: ``Heat Flow \\[W/g\\]``.
    name
        Its name in the standard form.
    unit
        Its unit if the file states none.
    kind
        ``number``, ``integer``, ``text``, ``duration`` (h:mm:ss, kept in s) or ``moment``.
    formats
        Of a moment; ISO if none.
    label
        What a plot says; the file's name for the column if empty.
    when
        Header keys and patterns for their values: the declaration holds only where they match.
    error_of
        The column is one standard deviation of that signal.
    """

    column: int | Pattern
    name: str
    unit: str | None = None
    kind: Literal["number", "integer", "text", "duration", "moment"] = "number"
    formats: tuple[str, ...] = ()
    label: str = ""
    when: Mapping[str, Pattern] = field(default_factory=dict)
    error_of: str = ""


@dataclass(frozen=True)
class Description:
    """A delimited text format.

    Attributes
    ----------
    name, version, vendor, format, technique, endings, notes
        As in :class:`zairyo.readers._api.Reader`.
    units
        Pint's spelling for units that the format spells in a way of its own: ``{mO: mohm}``.
    header
        Patterns with groups ``key``, ``value`` and perhaps ``unit``, sought everywhere in lines outside tables.
    axis
        The column (or columns, slowest first) that the others are over. Without, the entry is a table.
    x, default
        Names of the columns that the default plot draws: ``x`` for a table only.
    warn
        A sentence added to the warnings of every measurement.
    """

    name: str
    version: str
    format: str
    technique: str
    recognise: Recognise
    vendor: str = ""
    endings: tuple[str, ...] = (".txt",)
    notes: str = ""
    encodings: tuple[str, ...] = ENCODINGS
    table: Table = Table()
    units: Mapping[str, str] = field(default_factory=dict)
    header: tuple[Pattern, ...] = ()
    columns: tuple[Column, ...] = ()
    axis: tuple[str, ...] = ()
    x: str = ""
    default: str = ""
    title: Text = Text()
    sample: Text = Text()
    operator: Text = Text()
    instrument: Text = Text()
    started: Moment = Moment()
    conditions: tuple[ConditionFrom, ...] = ()
    warn: str = ""


Described = TypeVar("Described", bound=Description)


def load(path: Path) -> Description:
    """Read and check one YAML description; :class:`DescriptionError` as in :func:`load_as`."""
    return load_as(path, Description)


def load_as(path: Path, kind: type[Described]) -> Described:
    """Read and check one YAML description, of a class that may add keys to :class:`Description`.

    Raises
    ------
    DescriptionError
        With the file, the key and what is allowed.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise DescriptionError(f"{path}: not YAML: {e}") from None
    try:
        description: Described = _make(kind, raw, "")
        _check(description)
    except DescriptionError as e:
        raise DescriptionError(f"{path}: {e}") from None
    return description


def _make(cls: Any, raw: Any, where: str) -> Any:
    if not isinstance(raw, dict):
        raise DescriptionError(f"{where or 'the file'} must be a mapping of keys and values")
    types_of = typing.get_type_hints(cls)
    known = {f.name: f for f in fields(cls)}
    for key in raw:
        if key not in known:
            raise DescriptionError(f"{where}{key}: not a key; the keys are {', '.join(known)}")
    missing = [
        n for n, f in known.items() if n not in raw and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise DescriptionError(f"{where}{missing[0]}: is missing")
    return cls(**{key: _value(types_of[key], value, f"{where}{key}") for key, value in raw.items()})


def _value(kind: Any, raw: Any, where: str) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if is_dataclass(kind):
        return _make(kind, raw, f"{where}.")
    if origin is tuple:
        many = raw if isinstance(raw, list) else [raw]
        return tuple(_value(inner[0], item, f"{where}[{i + 1}]") for i, item in enumerate(many))
    if origin is Literal:
        if raw not in inner:
            raise DescriptionError(f"{where}: {raw!r} is not one of {', '.join(map(str, inner))}")
        return raw
    if origin in (typing.Union, types.UnionType):
        if raw is None and type(None) in inner:
            return None
        # A number is a column's place, a text its pattern.
        chosen = [k for k in inner if k is not type(None)]
        return _value(int if int in chosen and isinstance(raw, int) else chosen[-1], raw, where)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(raw, dict):
            raise DescriptionError(f"{where} must be a mapping")
        return {str(key): _value(inner[1], value, f"{where}.{key}") for key, value in raw.items()}
    if kind is Any:
        return raw
    if origin is re.Pattern:
        return _pattern(raw, where)
    if kind is str and isinstance(raw, (int, float)) and not isinstance(raw, bool):
        raw = str(raw)  # version: 1
    if type(raw) is not kind:
        raise DescriptionError(f"{where}: {raw!r} must be {_SAID.get(kind, kind.__name__)}")
    return raw


_SAID = {str: "text", int: "a whole number", bool: "true or false"}


def _pattern(raw: Any, where: str) -> Pattern:
    if not isinstance(raw, str):
        raise DescriptionError(f"{where}: {raw!r} must be a regular expression as text")
    try:
        return re.compile(raw)
    except re.error as e:
        raise DescriptionError(f"{where}: {raw!r} is not a regular expression: {e}") from None


def _check(d: Description) -> None:
    if not NAME.match(d.name):
        raise DescriptionError(f"name: {d.name!r} must be letters, digits and _")
    if d.technique not in TECHNIQUES:
        raise DescriptionError(f"technique: {d.technique!r} is not one of {', '.join(TECHNIQUES)}")
    if bool(d.axis) == bool(d.x) and (d.axis or type(d) is Description):
        raise DescriptionError("axis, x: give the one or the other: the axis of a scan, or the x of a table")
    known = conditions(d.technique)
    for i, c in enumerate(d.conditions, 1):
        where = f"conditions[{i}]"
        if c.name not in known:
            raise DescriptionError(f"{where}.name: {c.name!r} is not one of {', '.join(sorted(known))}")
        _check_place(c, where)
    for name in ("title", "sample", "operator", "instrument", "started"):
        if getattr(d, name) not in (Text(), Moment()):
            _check_place(getattr(d, name), name)
    for i, pattern in enumerate(d.header, 1):
        if not {"key", "value"} <= set(pattern.groupindex):
            raise DescriptionError(f"header[{i}]: needs the groups (?P<key>…) and (?P<value>…)")
    names = {c.name for c in d.columns}
    for i, column in enumerate(d.columns, 1):
        if not NAME.match(column.name):
            raise DescriptionError(f"columns[{i}].name: {column.name!r} must be letters, digits and _")
        if column.error_of and column.error_of not in names:
            raise DescriptionError(f"columns[{i}].error_of: no column {column.error_of!r}")
    if d.columns:
        for key, wanted in (("axis", d.axis), ("x", (d.x,)), ("default", (d.default,))):
            for name in filter(None, wanted):
                if name not in names:
                    raise DescriptionError(f"{key}: no column has the name {name!r}")
    for encoding in d.encodings:
        try:
            "".encode(encoding)
        except LookupError:
            raise DescriptionError(f"encodings: Python knows no encoding {encoding!r}") from None
    if d.table.names and d.table.after:
        raise DescriptionError("table: give names or after, not both")
    if d.table.delimiter not in ("auto", *DELIMITERS):
        raise DescriptionError(f"table.delimiter: one of auto, {', '.join(DELIMITERS)}")
    if d.table.delimiter == "comma" and d.table.decimal == "comma":
        raise DescriptionError("table: the same mark cannot separate cells and decimals")


def _check_place(place: Any, where: str) -> None:
    if bool(place.key) == bool(place.line):
        raise DescriptionError(f"{where}: give key (of the header) or line (a pattern)")
    if place.line and "value" not in place.line.groupindex:
        raise DescriptionError(f"{where}.line: needs the group (?P<value>…)")
