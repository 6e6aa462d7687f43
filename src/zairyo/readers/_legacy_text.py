"""Text of unknown age and country: formats that never said how their letters are coded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Whether a byte may be the second of Shift-JIS' pairs.
_IS_SECOND = np.isin(np.arange(256), (*range(0x40, 0x7F), *range(0x80, 0xFD)))
#: First bytes of pairs, first and last: of kana and the common kanji; of all kanji.
_COMMON = ((0x82, 0x9F),)
_ALL = ((0x81, 0x9F), (0xE0, 0xEF))


def is_japanese(data: bytes) -> bool:
    """Whether it is Shift-JIS beyond doubt: a sign such as ℃ or （, or two kana or common kanji in a row."""
    if data.isascii():
        return False
    array = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(array[:-1] == 0x81)
    return bool(_IS_SECOND[array[at + 1]].any()) or _has_two_pairs(array, _COMMON)


def _has_two_pairs(array: NDArray[np.uint8], leads: tuple[tuple[int, int], ...]) -> bool:
    """Whether two double-byte characters follow each other somewhere."""
    is_lead = np.zeros(len(array), bool)
    for first, last in leads:  # the difference wraps around, so that one comparison does
        is_lead |= array - np.uint8(first) <= last - first
    at = np.flatnonzero(is_lead[:-3])
    at = at[_IS_SECOND[array[at + 1]] & is_lead[at + 2]]
    return bool(_IS_SECOND[array[at + 3]].any())


def decode_legacy(data: bytes) -> str:
    """Decode UTF-8 or UTF-16 (with mark), else Japanese Shift-JIS if it looks so, else Western Windows; never fails."""
    if data.isascii():
        return data.decode("ascii")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # Pairs that Japanese Windows writes for kanji and kana; in Western text such a run is hardly ever met,
    # because 0x81 … 0x9F are control codes or rare punctuation there.
    if _has_two_pairs(np.frombuffer(data, np.uint8), _ALL):
        try:
            return data.decode("cp932")
        except UnicodeDecodeError:
            pass
    # cp1252 leaves five bytes undefined; Latin-1 defines all of them.
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")
