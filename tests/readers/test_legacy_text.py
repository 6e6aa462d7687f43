"""Text without a stated encoding: what was Japanese must not become Western, nor the other way round."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from zairyo.readers._legacy_text import decode_legacy, is_japanese

_SECOND = rb"[\x40-\x7e\x80-\xfc]"
#: The rules, as regular expressions say them (correct, and far too slow for megabytes).
_SURE = re.compile(rb"\x81" + _SECOND + rb"|(?:[\x82-\x9f]" + _SECOND + rb"){2}")
_LIKELY = re.compile(rb"(?:[\x81-\x9f\xe0-\xef]" + _SECOND + rb"){2}")

#: Bytes at every border of the rules.
_BYTES = st.lists(
    st.sampled_from(b"\x00A\x3f\x40\x7e\x7f\x80\x81\x82\x9e\x9f\xa0\xa1\xdf\xe0\xe1\xef\xf0\xfc\xfd\xff"),
    max_size=12,
).map(bytes)


@given(_BYTES)
@example(b"")
@example(b"\x81")
@example(b"\x82\xa0\x82\xa0")
def test_fast_rules_are_the_rules(data: bytes) -> None:
    assert is_japanese(data) == bool(_SURE.search(data))


@given(_BYTES)
def test_shift_jis_is_taken_exactly_where_two_pairs_follow_each_other(data: bytes) -> None:
    text = decode_legacy(data)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return
    for encoding in ("utf-8-sig", *(["cp932"] if _LIKELY.search(data) else []), "cp1252", "latin-1"):
        try:
            expected = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        assert text == expected
        return


def test_a_japanese_and_a_german_header_read_as_written() -> None:
    assert decode_legacy("試料名: 鉄".encode("cp932")) == "試料名: 鉄"
    assert decode_legacy("Prüfgeschwindigkeit 5 °C/min".encode("latin-1")) == "Prüfgeschwindigkeit 5 °C/min"
