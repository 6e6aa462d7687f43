"""Text of unknown age and country: formats that never said how their letters are coded."""

from __future__ import annotations

import re

# Pairs that Japanese Windows writes for kanji and kana; in Western text such a run is hardly ever met,
# because 0x81 … 0x9F are control codes or rare punctuation there.
_SHIFT_JIS_PAIRS = re.compile(rb"(?:[\x81-\x9f\xe0-\xef][\x40-\x7e\x80-\xfc]){2}")


def decode_legacy(data: bytes) -> str:
    """Decode UTF-8 or UTF-16 (with mark), else Japanese Shift-JIS if it looks so, else Western Windows; never fails."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    if _SHIFT_JIS_PAIRS.search(data):
        try:
            return data.decode("cp932")
        except UnicodeDecodeError:
            pass
    # cp1252 leaves five bytes undefined; Latin-1 defines all of them.
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")
