"""Shimadzu TRAPEZIUM (2, X, X-V) CSV: curves of testing machines, in Japanese (cp932), English or French.

Facts: perhaps lines of keys and values, a row that names the specimens (``"1 _ 1"``), a row of channels for each (時間,
試験力, ストローク …), a row of units, rows; specimens stand beside each other.
"""

from __future__ import annotations

import re

from zairyo.measurement import Measurement
from zairyo.readers._api import LIKELY, NO, RawInput, Reader
from zairyo.readers._test_tables import first_heading, headings_of, read_tests
from zairyo.readers._text_export import cells_of, head_lines

_JAPANESE = re.compile(
    r"(時間|経過時間|試験力|荷重|ストローク|変位|伸び|伸び計.*|応力|ひずみ|クロスヘッド変位|たわみ)( ?\d+)?\Z"
)
_SPECIMEN = re.compile(r"\d+\s*[_-]\s*\d+\Z")
_ENGLISH = re.compile(
    r"(Time|Temps|Zeit|Force|Stroke|Stress|Strain|Displacement|Extensometer.*|Ext[.].*)( ?\d+)?\Z"
)


def _sniff(source: RawInput) -> float:
    lines = head_lines(source, 400)
    place = first_heading(lines) if lines else None
    if place is None:
        return NO
    at, delimiter = place
    headings, units, _ = headings_of(lines, place)
    names = [n for n in headings if n]
    if sum(bool(_JAPANESE.match(n)) for n in names) >= 2:
        return LIKELY
    above = [c for c in cells_of(lines[at - 1], delimiter) if c] if at else []
    # An extensometer and a specimen have the names that the user gave them.
    english = "Stroke" in names and sum(bool(_ENGLISH.match(n)) for n in names) >= max(2, len(names) // 2)
    if english and (any(_SPECIMEN.match(c) for c in above) or (at == 1 and above and "sec" in units)):
        return LIKELY
    return LIKELY if english and any("TRAPEZIUM" in x.upper() for x in lines[:at]) else NO


def _read(source: RawInput) -> Measurement:
    return read_tests(source, "Shimadzu", "TRAPEZIUM")


READER = Reader(
    name="shimadzu_trapezium",
    version="3",
    techniques=("tensile", "compression", "bending", "fatigue", "creep", "mechanical_test"),
    vendor="Shimadzu",
    format="TRAPEZIUM CSV",
    endings=(".csv", ".txt"),
    sniff=_sniff,
    read=_read,
    surest=LIKELY,
    notes="Curves in Japanese (cp932), English or French, specimens below or beside each other. TRAPEZIUM's own .xtas,"
    " .xmas files are not read.",
)
