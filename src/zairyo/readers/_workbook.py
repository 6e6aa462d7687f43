"""Excel workbooks (.xls, .xlsx) in which programs export measurements: sheets as rows of cells, within bounds."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import RawInput, ReadError
from zairyo.readers._biff import checked
from zairyo.readers._text_export import texts

Row = list[Any]
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOOK = "xl/workbook.xml"
_MOST_BYTES = 256 * 1024**2
_MOST_CELLS = 20_000_000
_MOST_STRINGS = 4 * 1024**2
_MOST_LOOKED = 12


def mentions(source: RawInput, *words: str) -> bool:
    """Whether the file is a workbook whose sheet names or texts, as far as its beginning shows, hold all words."""
    if source.is_folder:
        return False
    if source.head.startswith(_OLE):  # texts of a byte a letter where all letters are Latin, else of two
        return all(
            (_is_latin(w) and w.encode("latin-1") in source.head) or w.encode("utf-16-le") in source.head
            for w in words
        )
    if source.head[:2] != b"PK" or _BOOK not in source.members:
        return False
    if _BOOK not in source.known:
        source.known[_BOOK] = _texts(source)
    return all(w.encode() in source.known[_BOOK] for w in words)


def _is_latin(word: str) -> bool:
    return all(letter < "\u0100" for letter in word)


def _texts(source: RawInput) -> bytes:
    """The texts as far as their beginnings hold them; where they stand in the cells, those of the first sheets."""
    sheets = [n for n in source.members if n.startswith("xl/worksheets/")][:_MOST_LOOKED]
    strings = next((n for n in source.members if n.casefold() == "xl/sharedstrings.xml"), "")
    text = _beginning(source, _BOOK, _MOST_STRINGS)
    if strings:
        text += _beginning(source, strings, _MOST_STRINGS)
    for name in (
        sheets if len(text) < 64 * 1024 else ()
    ):  # few shared texts: some programs share none or only some
        text += _beginning(source, name, 64 * 1024)
    return text


def _beginning(source: RawInput, name: str, most: int) -> bytes:
    try:
        with zipfile.ZipFile(source.path) as archive, archive.open(name) as member:
            return member.read(most)
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        KeyError,
        zlib.error,
    ):
        return b""


class Workbook:
    """The sheets of a workbook.

    Raises
    ------
    ReadError
        On opening or in :meth:`rows`: the file is damaged, or larger than a measurement is.
    """

    def __init__(self, source: RawInput) -> None:
        from python_calamine import CalamineWorkbook

        self._name = source.name
        data = source.read_bytes(_MOST_BYTES)
        if data.startswith(b"PK"):
            _check_extent(source)
        else:
            data = checked(data, source.name)
        self._book = self._guarded(lambda: CalamineWorkbook.from_filelike(io.BytesIO(data)))
        self.names: list[str] = self._guarded(lambda: self._book.sheet_names)

    def rows(self, name: str) -> list[Row]:
        """All rows of a sheet, as wide as its widest; blank cells are empty texts."""
        rows: list[Row] = self._guarded(lambda: self._book.get_sheet_by_name(name).to_python())
        return rows

    def _guarded(self, work: Any) -> Any:
        try:
            return work()
        except MemoryError:
            raise
        except Exception as e:
            raise ReadError(
                f"{self._name} is no workbook that can be opened ({str(e)[:100]}); copy it again."
            ) from None
        except BaseException as e:  # a panic of calamine's Rust code is no Exception
            if type(e).__name__ != "PanicException":
                raise
            raise ReadError(f"{self._name} is a damaged workbook ({str(e)[:100]}); copy it again.") from None


# What a cell or a row says of its place, wherever it stands in the sheet's XML. Most sheets have nothing of the first,
# which is told in a third of the time that a list of all places takes.
_FAR = re.compile(rb"r\s*=\s*[\"'](?:[A-Z]{2,3}\d|[A-Z]?\d{6})")
_LETTERS = re.compile(rb"r\s*=\s*[\"']([A-Z]{1,3})\d")
_LARGE_ROWS = re.compile(rb"r\s*=\s*[\"'][A-Z]{0,3}(\d{6,9})")
_ROWS = re.compile(rb"r\s*=\s*[\"'][A-Z]{0,3}(\d{1,9})")


def _check_extent(source: RawInput) -> None:
    """Refuse sheets that unpack to more cells than a measurement has: two cells far apart are enough for that."""
    for name in source.members:
        if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
            continue
        data = source.member(name, _MOST_BYTES)
        if _FAR.search(data) is None:  # 26 columns and 99,999 rows at most
            continue
        columns = max((len(c), c) for c in {*_LETTERS.findall(data), b"A"})[1]
        width = 0
        for letter in columns:
            width = width * 26 + letter - 64
        rows = max(map(int, {*_LARGE_ROWS.findall(data), b"99999"}))
        if (
            rows * width > _MOST_CELLS
        ):  # as far as is known: a row of a cell, or of a row, whichever is farther
            rows = max(map(int, {*_ROWS.findall(data), b"1"}))
        if rows * width > _MOST_CELLS:
            raise ReadError(f"{source.name}: {name} spans {rows} rows by {width} columns, more than is read.")


_NUMBERS = frozenset({float, int})


def column(cells: Sequence[Any]) -> NDArray[Any] | None:
    """A column's numbers (blanks as NaN), or its texts if most cells are none; None if all are blank."""
    each = list(map(type, cells))
    kinds = set(each)
    if kinds <= _NUMBERS and kinds:
        return np.fromiter(cells, np.float64, len(cells))
    if kinds == {str}:
        return texts(list(cells)) if any(cells) else None
    filled = len(cells) - cells.count("") - cells.count(None)
    if not filled:
        return None
    if (each.count(float) + each.count(int)) * 2 < filled:
        return texts([str(c) for c in cells])
    numbers = (c if kind in _NUMBERS else np.nan for c, kind in zip(cells, each, strict=True))
    return np.fromiter(numbers, np.float64, len(cells))
