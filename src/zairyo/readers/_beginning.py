"""A text file's beginning, decoded and split once for all the sniffs that look at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from zairyo.readers import delimited_text as text_of
from zairyo.readers._api import HEAD_BYTES, RawInput


@dataclass(frozen=True)
class Beginning:
    """The whole lines of a text file's beginning. Sniffs share it, and what they look for in it."""

    text: str
    _lines: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _first: dict[int, str] = field(default_factory=dict)
    _tables: dict[tuple[str, ...], text_of.Layout | None] = field(default_factory=dict)

    def first(self, count: int) -> str:
        """The first lines as one text: to look for a word there costs next to nothing."""
        if count not in self._first:
            self._first[count] = "\n".join(self.lines(count))
        return self._first[count]

    def lines(self, count: int = -1) -> tuple[str, ...]:
        """The first lines; all if ``count`` is -1."""
        if count not in self._lines:
            if not 0 <= count <= text_of.MOST_TOP:
                return tuple(self.text.split("\n"))
            self._lines[count] = tuple(self._top[:count])
        return self._lines[count]

    @cached_property
    def _top(self) -> list[str]:
        return self.text.split("\n", text_of.MOST_TOP)[: text_of.MOST_TOP]

    def table(self, comments: tuple[str, ...]) -> text_of.Layout | None:
        """:func:`~delimited_text.find_table` of the lines."""
        if comments not in self._tables:
            self._tables[comments] = text_of.find_table(self.lines(text_of.MOST_TOP), comments)
        return self._tables[comments]


def beginning_of(raw: RawInput, encodings: tuple[str, ...]) -> Beginning | None:
    """A file's beginning as text; None if it is not text in any of the encodings, or there is none."""
    if encodings not in raw.known:
        candidates = text_of.candidates(raw.head, encodings) if raw.head else ()
        found = (_beginning(raw, encoding) for encoding in candidates)
        raw.known[encodings] = next((b for b in found if b is not None), None)
    return cast("Beginning | None", raw.known[encodings])


def _beginning(raw: RawInput, encoding: str) -> Beginning | None:
    key = (Beginning, encoding)
    if key not in raw.known:
        cut = len(raw.head) >= HEAD_BYTES
        text = text_of.decode_as(raw.head, encoding, cut)
        if text is not None:
            text = text_of.one_line_end(text)
            text = text[: text.rfind("\n")] if cut and "\n" in text else text
        raw.known[key] = None if text is None else Beginning(text)
    return cast("Beginning | None", raw.known[key])
