"""JCAMP-DX' labelled data records (``##LABEL= value``) and the blocks they make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from zairyo.readers._api import ReadError

_RECORD = re.compile(r"##([^=\n]*)=")
_COMMENT = re.compile(r"\$\$[^\n]*")
_NOT_IN_LABEL = re.compile(r"[\s\-/_]+")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_NUMERIC = frozenset(
    f"{what}{letter}" for what in ("FIRST", "LAST", "DELTA", "MAX", "MIN") for letter in "XYRA"
) | {"XFACTOR", "YFACTOR", "RFACTOR", "AFACTOR", "RESOLUTION"}
_MOST_BLOCKS = 100_000
_DEEPEST = 8
#: Labels whose value is a table: its form on the label's line, its numbers on the lines after.
TABLES = frozenset({"XYDATA", "XYPOINTS", "RADATA", "PEAKTABLE", "PEAKASSIGNMENTS", "DATATABLE"})


class Record(NamedTuple):
    """One labelled record: the label as compared (upper case, no blanks), as written, its value, its line."""

    label: str
    written: str
    value: str
    line: int

    @property
    def text(self) -> str:
        """The value without comments."""
        return (_COMMENT.sub("", self.value) if "$$" in self.value else self.value).strip()

    @property
    def form(self) -> str:
        """A table's form, e.g. ``(X++(Y..Y))``, upper case without blanks."""
        return "".join(_COMMENT.sub("", self.value.split("\n", 1)[0]).upper().split())

    @property
    def body(self) -> str:
        """A table's numbers: what follows the line of the form."""
        return self.value.partition("\n")[2]


@dataclass
class JcampBlock:
    """The records between ``##TITLE`` and ``##END``, and the blocks inside (of a LINK block)."""

    records: list[Record] = field(default_factory=list)
    inner: list[JcampBlock] = field(default_factory=list)
    is_closed: bool = False  # the file goes on after it, so it is not cut off
    _said: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    def add(self, record: Record) -> None:
        self.records.append(record)
        if not self._said.get(record.label):
            self._said[record.label] = record.text

    def text(self, *labels: str) -> str:
        """The first of these labels that says something."""
        for label in labels:
            if said := self._said.get(label):
                return said
        return ""

    def number(self, *labels: str) -> float | None:
        """The first of these labels that begins with a number."""
        for label in labels:
            said = self._said.get(label)
            number = leading_number(said) if said else None
            if number is not None:
                return number
        return None

    @property
    def has_decimal_commas(self) -> bool:
        """Whether numbers of the header are written ``400,0``, which the standard forbids and programs do."""
        return any(r.label in _NUMERIC and _COMMA.fullmatch(r.text) for r in self.records)

    @property
    def is_link(self) -> bool:
        return self.text("DATATYPE").upper().startswith("LINK") or bool(self.text("BLOCKS"))

    def leaves(self) -> Iterator[JcampBlock]:
        """This block and all inside it, in file order."""
        yield self
        for block in self.inner:
            yield from block.leaves()


_WITH_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d+)?)")


def leading_number(text: str) -> float | None:
    """The number a text begins with, or None; ``1,5`` is taken as ``1.5`` if nothing else follows."""
    if "," in text and _WITH_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    match = _NUMBER.match(text)
    return float(match.group(1)) if match else None


@lru_cache(maxsize=1024)
def compared(label: str) -> str:
    """A label as the standard compares it: without blanks, dashes, slashes, underscores; upper case."""
    return _NOT_IN_LABEL.sub("", label).upper()


def read_records(text: str) -> list[Record]:
    if text[-200:].rstrip().endswith("##END"):  # some programs leave out the last mark
        text = f"{text.rstrip()}=\n"
    matches, starts = list[re.Match[str]](), list[int]()
    for match in _RECORD.finditer(text):
        start = text.rfind("\n", 0, match.start()) + 1
        # A label begins its line; "^" in the pattern would be looked for at every byte.
        if not text[start : match.start()].strip(" \t"):
            matches.append(match)
            starts.append(start)
    records, line, counted = [], 1, 0
    for match, start, stop in zip(matches, starts, [*starts[1:], len(text)], strict=False):
        line += text.count("\n", counted, start)
        counted = start
        written = match[1]
        label = compared(written)
        value = text[match.end() : stop]
        records.append(Record(label, written.strip(), value if label in TABLES else value.rstrip(), line))
    return records


def read_blocks(text: str) -> list[JcampBlock]:
    """The outermost blocks of a file; text that is in none is an error."""
    records = [record for record in read_records(text) if record.label or record.value.strip()]
    if not records or records[0].label != "TITLE":
        raise ReadError("this is not a JCAMP-DX file: it does not begin with '##TITLE='")
    outermost: list[JcampBlock] = []
    stack: list[JcampBlock] = []
    count = 0
    for record in records:
        if record.label == "END":
            if stack:
                stack.pop().is_closed = True
            continue
        if record.label == "TITLE":
            # A block that is no LINK holds no other: its ##END was forgotten.
            while stack and not stack[-1].is_link:
                stack.pop().is_closed = True
            block = JcampBlock()
            count += 1
            if count > _MOST_BLOCKS or len(stack) >= _DEEPEST:
                raise ReadError(
                    f"line {record.line}: more blocks, or deeper nested, than any instrument writes"
                )
            (stack[-1].inner if stack else outermost).append(block)
            stack.append(block)
        if stack:
            stack[-1].add(record)
        elif outermost:  # after the last ##END: belongs to nothing, but is not lost
            outermost[-1].add(record)
    return outermost


def metadata(block: JcampBlock) -> dict[str, object]:
    """All records as written, tables by their form only; a label given again makes a list."""
    result: dict[str, object] = {}
    for record in block.records:
        value: object = record.form if record.label in TABLES else record.value.strip()
        name = record.written or "(comment)"
        if name in result:
            known = result[name]
            value = [*known, value] if isinstance(known, list) else [known, value]
        result[name] = value
    return result
