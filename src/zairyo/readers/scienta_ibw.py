"""Igor binary waves that Scienta SES or PEAK wrote: the numbers with scaled axes, the settings in the note.

SES writes ``[SES]`` and ``key=value`` lines, PEAK a JSON object.
"""

from __future__ import annotations

import struct

from zairyo.measurement import Measurement
from zairyo.readers import _scienta
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader
from zairyo.readers._igor import is_wave, read_wave
from zairyo.readers._photoemission import measurement
from zairyo.readers._scienta_waves import entry_of, speaks_scienta

_MOST_BYTES = 1024**3
#: How far into a compressed file a sniff unpacks.
_MOST_AHEAD = 64 << 20


def sniff(src: RawInput) -> float:
    return CERTAIN if is_wave(src.head) and speaks_scienta(_note(src)) else NO


def _note(src: RawInput) -> bytes:
    """The note's beginning, which stands behind the numbers: of a map that is beyond the head."""
    head = src.head
    order = ">" if head[0] == 0 else "<"
    if struct.unpack_from(order + "h", head)[0] != 5:
        return head[-4096:]  # SES always wrote version 5
    wave, formula = struct.unpack_from(order + "2i", head, 4)
    at = 64 + wave + max(formula, 0)
    if at + 64 <= len(head) or wave < 0:
        return head[max(at, 0) : max(at, 0) + 4096]
    if at > _MOST_AHEAD and src.name != src.path.name:
        return b""  # to seek there would unpack all that is before
    try:
        with src.open() as f:
            f.seek(at)
            return f.read(4096)
    except (OSError, EOFError, ValueError):
        return b""


def read(src: RawInput) -> Measurement:
    wave = read_wave(src.read_bytes(_MOST_BYTES))
    warnings: list[str] = []
    entry, info = entry_of(wave, set(), warnings)
    told = _scienta.about([info])
    return measurement([entry], warnings, **(told | {"title": told["title"] or entry.title}))


READER = Reader(
    name="scienta_ibw",
    version="1",
    techniques=("xps", "ups", "arpes"),
    vendor="Scienta Omicron",
    format="SES / PEAK Igor wave",
    endings=(".ibw",),
    sniff=sniff,
    read=read,
    notes="Spectra, angle-resolved maps and cubes. Other Igor waves have a reader of their own.",
)
