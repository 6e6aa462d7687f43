"""The summary that the child sends: cut to a bound by the child, checked field by field by the parent.

The child has worked on a file from outside, so what it says is as untrusted as the file. The shape is that of
``zairyo.measurement.summary``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

from zairyo.measurement import clean_text
from zairyo.measurement.text import NAME

MOST_TEXT = 4_000
MOST_ITEMS = 2_000
MOST_THUMBNAIL = 64 * 1024
_PATH_DATA = re.compile(r"[MmLlHhVvZz0-9eE .,+-]*\Z")
_PNG = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]*={0,2}\Z")


class SummaryError(ValueError):
    """What the child sent is not a summary."""


def cut(value: Any) -> Any:
    """The summary with long texts shortened and long lists ended, so that it fits a message."""
    if isinstance(value, str):
        return value if len(value) <= MOST_TEXT else value[: MOST_TEXT - 1] + "…"
    if isinstance(value, list):
        return [cut(item) for item in value[:MOST_ITEMS]]
    if isinstance(value, dict):
        return {key: item if key == "thumbnail" else cut(item) for key, item in value.items()}
    return value


Take: TypeAlias = Callable[[Any], Any]


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > MOST_TEXT:
        raise SummaryError("a text is missing or too long")
    return clean_text(value)


def _name(value: Any) -> str:
    if type(value) is not str or not NAME.match(value):
        raise SummaryError("a name is not a NeXus name")
    return value


def _name_or_empty(value: Any) -> str:
    return "" if value == "" else _name(value)


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise SummaryError("a truth value is not one")
    return value


def _length(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise SummaryError("a length is not one")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise SummaryError("a number is not one")
    return float(value)


def _time(value: Any) -> str:
    return datetime.fromisoformat(_text(value)).isoformat()


def _plain(value: Any) -> Any:
    if value is None or type(value) is bool:
        return value
    if type(value) is int and -(2**63) <= value < 2**63:
        return value
    return _number(value) if type(value) is float else _text(value)


def _thumbnail(value: Any) -> str:
    # It ends up in a page: nothing but path data for SVG, or a PNG, may pass.
    if type(value) is not str or len(value) > MOST_THUMBNAIL:
        raise SummaryError("the thumbnail is too large")
    if not _PATH_DATA.match(value) and not _PNG.match(value):
        raise SummaryError("the thumbnail is neither path data nor a PNG")
    return value


def _optional(take: Take) -> Take:
    return lambda value: None if value is None else take(value)


def _list(take: Take) -> Take:
    def taken(value: Any) -> list[Any]:
        if type(value) is not list or len(value) > MOST_ITEMS:
            raise SummaryError("a list is missing or too long")
        return [take(item) for item in value]

    return taken


def _record(fields: dict[str, Take]) -> Take:
    def taken(value: Any) -> dict[str, Any]:
        if type(value) is not dict or value.keys() != fields.keys():
            raise SummaryError("a record has other fields than it must have")
        return {name: take(value[name]) for name, take in fields.items()}

    return taken


_AXIS = {"name": _name, "unit": _optional(_text), "label": _text, "size": _length, "reversed": _truth}
_SIGNAL = {"name": _name, "unit": _optional(_text), "label": _text, "dtype": _text, "reversed": _truth}
_RANGE = {"min": _optional(_number), "max": _optional(_number)}
_CONDITION = {"name": _name, "value": _plain, "unit": _optional(_text), "uncertainty": _optional(_number)}
_ENTRY = {
    "name": _name,
    "title": _text,
    "technique": _name,
    "is_table": _truth,
    "x": _name_or_empty,
    "default": _name,
    "started": _optional(_time),
    "axes": _list(_record({**_AXIS, "first": _plain, "last": _plain})),
    "signals": _list(_record({**_SIGNAL, "shape": _list(_length), "axes": _list(_name), **_RANGE})),
    "conditions": _list(_record(_CONDITION)),
}
_SUMMARY = _record(
    {
        "title": _text,
        "technique": _name,
        "sample": _text,
        "operator": _text,
        "instrument": _text,
        "started": _optional(_time),
        "default": _name,
        "entries": _list(_record(_ENTRY)),
        "warnings": _list(_text),
        "thumbnail": _thumbnail,
    }
)


def check(value: Any) -> dict[str, Any]:
    """The summary, if it is one: every field there, of its type, within its bound, and nothing else.

    Raises
    ------
    SummaryError
        It is not; the message names no content.
    """
    try:
        summary: dict[str, Any] = _SUMMARY(value)
    except (TypeError, ValueError, OverflowError) as e:
        raise SummaryError(str(e)) from None
    return summary
