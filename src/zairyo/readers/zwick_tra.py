"""ZwickRoell testXpert text exports (`.TRA`, `.txt`, `.csv`), in German, English, French or Italian.

Facts: perhaps a header (``"Probendicke";1,55;"mm"``), a row of channels (``Prüfzeit``, ``Standardkraft``, …), a row of
units, rows; between ``;``, tabs or commas, with decimal commas or points.
"""

from __future__ import annotations

import re

from zairyo.measurement import Measurement
from zairyo.readers._api import LIKELY, NO, RawInput, Reader
from zairyo.readers._test_tables import first_heading, headings_of, kinds_of, read_tests
from zairyo.readers._text_export import head_lines

_CHANNELS = re.compile(
    r"(Prüfzeit|Testzeit|Standardkraft|Standardweg|Traversenweg.*|Traverse abs.*|Dehnung|Kraft|Standard force"
    r"|Standard travel|Test time|Crosshead absolute|Nominal strain|Absolute crosshead travel|Breitenänderung"
    r"|Werkzeugabstand|Tool separation|Grip to grip separation.*|Force standard|Forza standard|Course standard"
    r"|Traverse absolue)\Z"
)
#: Channels that no other maker calls so: one of them tells.
_OWN = re.compile(
    r"(Prüfzeit|Standardkraft|Standardweg|Traverse abs.*|Werkzeugabstand|Standard (force|travel)|Crosshead absolute"
    r"|Absolute crosshead travel|Tool separation|Course standard|Force standard|Forza standard|Traverse absolue)\Z"
)


def _sniff(source: RawInput) -> float:
    lines = head_lines(source, 400)
    place = first_heading(lines) if lines else None
    if place is None:
        return NO
    names, _, _ = headings_of(lines, place)
    if any(_OWN.match(n) for n in names) and len(kinds_of(names)) >= 2:
        return LIKELY
    return LIKELY if sum(bool(_CHANNELS.match(n)) for n in names) >= 2 else NO


def _read(source: RawInput) -> Measurement:
    return read_tests(source, "ZwickRoell", "testXpert")


READER = Reader(
    name="zwick_tra",
    version="3",
    techniques=("tensile", "compression", "bending", "fatigue", "creep", "mechanical_test"),
    vendor="ZwickRoell",
    format="testXpert text",
    endings=(".tra", ".txt", ".csv"),
    sniff=_sniff,
    read=_read,
    surest=LIKELY,
    notes="Text exports in German, English, French and Italian, with and without header. testXpert's own"
    " .zs2, .zse files are not read.",
)
