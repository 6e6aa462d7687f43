"""XML from outside: what names other files or grows without end is refused, whatever its encoding hides."""

from __future__ import annotations

import pytest

from zairyo.readers._api import ReadError
from zairyo.readers._xml import find, parse_xml, text

BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    "document",
    [
        BOMB.encode(),
        b'<?xml version="1.0" encoding="UTF-8"?>' + BOMB.encode(),
        ('<?xml version="1.0" encoding="utf-16"?>' + BOMB).encode("utf-16"),
        # After a declaration of an encoding unlike ASCII, the rest is written so that no byte looks like markup.
        b'<?xml version="1.0" encoding="cp037"?>' + BOMB.encode("cp037"),
        b"<?xml version='1.0' encoding='cp500' ?>" + BOMB.encode("cp500"),
        b"<?xml version='1.0'" + 2000 * b" " + b"encoding='cp037'?>" + BOMB.encode("cp037"),
        b"\xef\xbb\xbf" + BOMB.encode(),
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    ],
)
def test_a_document_that_declares_entities_is_refused(document: bytes) -> None:
    with pytest.raises(ReadError):
        parse_xml(document, "a.xml")


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252", "utf-16", "us-ascii"])
def test_plain_documents_are_read_in_the_encoding_they_state(encoding: str) -> None:
    said = "Å" if encoding != "us-ascii" else "A"
    document = f'<?xml version="1.0" encoding="{encoding}"?><x:a xmlns:x="u"><x:b>{said}</x:b></x:a>'
    root = parse_xml(document.encode(encoding), "a.xml")
    assert text(root, "b") == said
    assert find(root, "b/c") is None


def test_a_cut_document_says_where_it_ends() -> None:
    with pytest.raises(ReadError, match="line 2, column"):
        parse_xml(b"<a>\n<b>", "a.xml")
