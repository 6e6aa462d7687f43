"""CIF as a file of names and values: data blocks with items and loops (the grammar of CIF 1.1).

Source: S. R. Hall, F. H. Allen, I. D. Brown, Acta Cryst. A47 (1991) 655-685.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from zairyo.readers._api import ReadError

#: A text between semicolons at line beginnings, a comment, a quoted text (its quote ends it only before white
#: space), a plain word.
_TOKEN = re.compile(
    r"""^;(?P<block>[^\n]*(?:\n(?!;)[^\n]*)*)\n;(?=\s|\Z)"""
    r"""|(?P<comment>\#[^\n]*)"""
    r"""|'(?P<single>[^\n]*?)'(?=\s|\Z)"""
    r"""|"(?P<double>[^\n]*?)"(?=\s|\Z)"""
    r"""|(?P<word>\S+)""",
    re.M,
)
_KINDS = ("single", "double", "block")
_MOST_TOKENS = 20_000_000


@dataclass
class Block:
    """One ``data_`` block: items by their lower-case names, loops as columns."""

    name: str
    items: dict[str, str] = field(default_factory=dict)
    loops: list[dict[str, list[str]]] = field(default_factory=list)

    def text(self, *names: str) -> str:
        """The first of the names that is stated; '?' and '.' are not."""
        for name in names:
            value = self.items.get(name, "")
            if value not in ("", "?", "."):
                return value
        return ""


def read_cif(text: str) -> list[Block]:
    """All blocks.

    Raises
    ------
    ReadError
        A loop's last row is not whole, or a name has no value: the file is cut off or damaged.
    """
    blocks: list[Block] = []
    name = ""
    columns: list[list[str]] = []
    headed = False  # within the names of a loop
    cells = 0
    for token, quoted in _tokens(text.replace("\r\n", "\n").replace("\r", "\n")):
        lower = token[:5].casefold() if not quoted else ""
        if not quoted and lower == "data_":
            _close(columns, cells, name)
            blocks.append(Block(token[5:]))
            name, columns, cells, headed = "", [], 0, False
        elif not blocks:
            continue  # what stands before the first block
        elif not quoted and lower == "loop_":
            _close(columns, cells, name)
            blocks[-1].loops.append({})
            name, columns, cells, headed = "", [], 0, True
        elif not quoted and token.startswith("_"):
            if headed:
                columns.append(_new_column(blocks[-1].loops[-1], _name(token)))
            else:
                _close(columns, cells, name)
                columns, cells, name = [], 0, _name(token)
        elif name:
            blocks[-1].items[name] = token
            name = ""
        elif columns:
            headed = False
            columns[cells % len(columns)].append(token)
            cells += 1
    _close(columns, cells, name)
    return blocks


def _name(token: str) -> str:
    """A name as the first dictionaries write it: later ones put a point behind the category."""
    return token.casefold().replace(".", "_", 1)


def _new_column(loop: dict[str, list[str]], name: str) -> list[str]:
    """A column of its own even for a name that is there twice, which only damage does."""
    own, number = name, 1
    while own in loop:
        number += 1
        own = f"{name}_{number}"
    loop[own] = []
    return loop[own]


def _close(columns: list[list[str]], cells: int, name: str) -> None:
    if name:
        raise ReadError(f"the name {name} has no value; the file is damaged or cut off")
    if columns and cells % len(columns):
        raise ReadError(
            f"a loop of {len(columns)} columns has {cells} values, which are no whole rows; the file is cut off "
            "or damaged"
        )


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Words, and whether they stood in quotes."""
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count > _MOST_TOKENS:
            raise ReadError("the file has more words than this reader takes")
        kind = match.lastgroup
        if kind in _KINDS:
            yield match[kind].strip("\n") if kind == "block" else match[kind], True
        elif kind == "word":
            yield match["word"], False
