"""MTS 793 (Station Manager, MultiPurpose TestWare): `specimen.dat` between tabs, in the language of the station.

Facts: ``MTS793|MPT|DEU|1|2|,|.|:|…``: language, decimal mark, marks of dates and clocks; then blocks. The first line
of a block says what it is and when it *ended*, by the clock of the test and by that of the computer:
``Data Acquisition … Time: 345.6 Sec 9/11/2014 1:43:25 PM``; below are headings, units and rows, or what the operator
typed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import moment
from zairyo.readers._test_tables import read_tests
from zairyo.readers._text_export import number, read_lines

_MAGIC = b"MTS793|"
_STAMP = re.compile(r"\t(?P<clock>-?[\d.,]+)\t(?:s|[Ss]ecs?)\t(?P<moment>\d[^\t]*\d:\d\d[^\t]*)\Z")


def _sniff(source: RawInput) -> float:
    return CERTAIN if source.head.lstrip(b"\xef\xbb\xbf").startswith(_MAGIC) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    if not any("\t" in line for line in lines):
        raise ReadError(
            f"{source.name} has its columns between blanks, which are in its headings, too. Save it with tabs."
        )
    found = read_tests(source, "MTS", "MTS 793", ["", *lines[1:]])
    warnings: list[str] = []
    started = _zero(lines, warnings)
    return replace(
        found,
        entries=tuple(replace(e, started=started or e.started) for e in found.entries),
        original_metadata={"file": lines[0], **found.original_metadata},
        warnings=(*found.warnings, *dict.fromkeys(warnings)),
    )


def _zero(lines: Sequence[str], warnings: list[str]) -> datetime | None:
    """When the clock of the test stood at zero."""
    stamps = [m for line in lines if "\t" in line and (m := _STAMP.search(line.rstrip())) is not None]
    if not stamps:
        return None
    moments = [m["moment"] for m in stamps]
    ended, clock = moment(moments[0], moments, warnings), number(stamps[0]["clock"])
    return ended - timedelta(seconds=round(clock)) if ended is not None and clock is not None else None


READER = Reader(
    name="mts_793",
    version="1",
    techniques=("tensile", "compression", "bending", "fatigue", "creep", "mechanical_test"),
    vendor="MTS",
    format="MTS 793 text",
    endings=(".dat", ".txt"),
    sniff=_sniff,
    read=_read,
    notes="Blocks between tabs (MultiPurpose TestWare), each an entry. Basic TestWare's columns between blanks are"
    " not read.",
)
