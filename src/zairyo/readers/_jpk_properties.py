"""JPK's headers: Java properties, with references into a header that all segments share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from zairyo.measurement import clean_text
from zairyo.readers._api import ReadError
from zairyo.readers._day_or_month import in_forms

Properties = dict[str, str]

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
_MOST_LINES = 200_000


def parse_properties(data: bytes, what: str) -> Properties:
    """``key=value`` lines; ``\\:`` and the like unescaped, comments left out."""
    # Cleaned once as a whole: what is left of the work here is most of the time that reading a curve takes.
    lines = clean_text(data.decode("latin-1")).splitlines()
    if len(lines) > _MOST_LINES:
        raise ReadError(f"{what} has {len(lines)} lines, more than a header has; the file is damaged")
    properties: Properties = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if equals and line[0] not in "#!":
            properties[key] = _unescape(value) if "\\" in value else value
    return properties


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        what = match[1]
        return chr(int(what[1:], 16)) if len(what) == 5 else _CONTROL.get(what, what)

    return clean_text(_ESCAPE.sub(one, text))


class Shared:
    """The shared header, in the groups that segments refer to: ``lcd-info.3.unit.unit`` is in group ``lcd-info.3``."""

    def __init__(self, properties: Mapping[str, str]) -> None:
        self._groups: dict[str, Properties] = {}
        for key, value in properties.items():
            group, _, rest = key.partition(".")
            number, _, inner = rest.partition(".")
            if inner:
                self._groups.setdefault(f"{group}.{number}", {})[inner] = value

    def group(self, name: str, number: str) -> Properties:
        return self._groups.get(f"{name}.{number}", {})

    def resolve(self, properties: Mapping[str, str], prefix: str) -> Properties:
        """What stands below ``prefix.``, the groups referred to by ``prefix.GROUP.*=NUMBER`` filled in."""
        own: Properties = {}
        start = len(prefix) + 1
        for key, value in properties.items():
            if key.startswith(prefix + "."):
                inner = key[start:]
                if inner.endswith(".*"):
                    before, _, group = inner[:-2].rpartition(".")
                    at = before + "." if before else ""
                    for name, given in self.group(group, value).items():
                        own.setdefault(at + name, given)
                own[inner] = value
        return own


def number(properties: Mapping[str, str], key: str) -> float | None:
    """A finite number, or None where there is none."""
    try:
        value = float(properties[key])
    except (KeyError, ValueError):
        return None
    return value if abs(value) < float("inf") else None


def moment(text: str | None) -> datetime | None:
    """``2020-02-07 16:29:05.036 +0100``, with the zone or without."""
    return in_forms(
        text or "",
        (
            "%Y-%m-%d %H:%M:%S.%f %z",
            "%Y-%m-%d %H:%M:%S %z",
            "%Y-%m-%d %H:%M:%S.%f",
            "%Y-%m-%d %H:%M:%S",
        ),
    )
