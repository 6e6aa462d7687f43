"""Text exports of testing machines that no reader of a maker knows: MTS, Tinius Olsen, Lloyd, walter+bai, WinTest ….

Facts: perhaps keys and values, then headings of a load and of a way (or stress and strain), their units in the line
below or in brackets behind them, and rows of numbers.
"""

from __future__ import annotations

import re

from zairyo.measurement import Measurement
from zairyo.readers._api import NO, POSSIBLE, RawInput, Reader
from zairyo.readers._test_tables import first_heading, heading_at, headings_of, kinds_of, read_tests
from zairyo.readers._text_export import head_lines

_LOADS = frozenset({"force", "stress", "torque"})
_WAYS = frozenset({"displacement", "extension", "strain", "position", "deflection", "angle"})
#: Words in the lines above the first table → who made the machine.
_MAKERS = (
    (r"TestWorks|MTS TestSuite|\bMTS\b", "MTS"),
    (r"Tinius Olsen", "Tinius Olsen"),
    (r"NEXYGEN|Lloyd", "Lloyd"),
    (r"Galdabini", "Galdabini"),
    (r"Hegewald|inspect", "Hegewald & Peschke"),
    (r"WinTest|ElectroForce", "TA Instruments"),
    (r"(?m)^S/No[;,\t]C_\d+_", "walter+bai"),
    (r"Bluehill|Instron", "Instron"),
    (r"testXpert|Zwick", "ZwickRoell"),
)


def _maker(lines: tuple[str, ...] | list[str]) -> str:
    text = "\n".join(lines)
    return next((maker for pattern, maker in _MAKERS if re.search(pattern, text)), "")


def _sniff(source: RawInput) -> float:
    lines = head_lines(source, 400)
    place = first_heading(lines) if lines else None
    while place is not None:
        kinds = kinds_of(headings_of(lines, place)[0])
        if kinds & _LOADS and kinds & _WAYS:
            return POSSIBLE / 2
        place = heading_at(lines[:400], place[0] + 1)
    return NO


def _read(source: RawInput) -> Measurement:
    lines = head_lines(source, 400)
    return read_tests(source, _maker(lines) or "testing machine", "")


READER = Reader(
    name="testing_machine_txt",
    version="2",
    techniques=("tensile", "compression", "bending", "fatigue", "creep", "mechanical_test"),
    vendor="",
    format="testing machine text",
    endings=(".txt", ".csv", ".dat"),
    sniff=_sniff,
    read=_read,
    surest=POSSIBLE / 2,
    notes="Any table of a load and a way with units, of MTS and other makers; English, German, French or Japanese.",
)
