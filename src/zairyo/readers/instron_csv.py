"""Instron Bluehill raw data (`is_tens_RawData`, `*.csv`, older `*.raw`) and WaveMatrix's tracking and trends.

Facts: perhaps parameters (``"key","value"`` or ``key : value``), perhaps ``Results Table n``, then headings (``Time``,
``Extension``, ``Load`` …, in the program's language), units in brackets below or behind them, and rows, often between
quotes. In Bluehill Universal's table of all specimens each one's number stands before its headings, and nothing below.
"""

from __future__ import annotations

import re

from zairyo.measurement import Measurement
from zairyo.readers._api import LIKELY, NO, POSSIBLE, RawInput, Reader
from zairyo.readers._test_tables import (
    counted,
    first_heading,
    heading_at,
    headings_of,
    kinds_of,
    read_tests,
)
from zairyo.readers._text_export import cells_of, head_lines

_WORDS = re.compile(
    r"Results Table|Bluehill|Specimen label|Specimen properties|is_tens|is_comp|is_flex|Raw Data"
    r"|Total Cycle Count ?\((Linear|Rotary) Waveform\)|PC:Cycle Start Time",
    re.I,
)
_BRACKETS = re.compile(r"\([^()]{0,12}\)\Z")


def _sniff(source: RawInput) -> float:
    lines = head_lines(source, 400)
    place = first_heading(lines) if lines else None
    while place is not None:
        at, delimiter = place
        names, _, first = headings_of(lines, place)
        names = names[1:] if counted(names) else names
        loads = kinds_of(names) & {"force", "stress", "torque"}
        if kinds_of(names[:1]) & {"time", "cycle"} and loads and all(c < "\u3000" for n in names for c in n):
            units = [u for u in cells_of(lines[first - 1], delimiter) if u]
            if any(_WORDS.search(x) for x in lines[: at + 1]) or _WORDS.search(source.name):
                return LIKELY
            return POSSIBLE if first == at + 2 and all(_BRACKETS.match(u) for u in units) else NO
        place = heading_at(lines[:400], at + 1)
    return NO


def _read(source: RawInput) -> Measurement:
    return read_tests(source, "Instron", "Bluehill")


READER = Reader(
    name="instron_csv",
    version="3",
    techniques=("tensile", "compression", "bending", "fatigue", "creep", "mechanical_test"),
    vendor="Instron",
    format="Bluehill raw data, WaveMatrix",
    endings=(".csv", ".raw", ".txt"),
    sniff=_sniff,
    read=_read,
    surest=LIKELY,
    notes="Raw data with or without parameters and results; results are kept as metadata. Files of results only are"
    " refused.",
)
