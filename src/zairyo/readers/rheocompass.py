"""Anton Paar RheoCompass and Rheoplus exports: CSV or text, between commas, semicolons or tabs, UTF-8 or UTF-16.

Facts: ``Project:``, ``Test:``, ``Result:`` lines; for each interval ``Interval and data points:`` with its number and
how many points it has, ``Interval data:`` with the headings, a line of sub-headings, a line of units in square
brackets, then rows whose first cell is blank. The text may be German or French. Rheoplus writes for each series
``Name:``, ``Sample:`` and others, headings that begin ``Meas. Pts.``, the units, and rows that begin with the point's
number.
"""

from __future__ import annotations

import re
from typing import Any

from zairyo.measurement import Entry, Measurement, Quantity, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._rheology import COLUMNS, plot_of
from zairyo.readers._text_export import cells_of, columns_of, head_lines, head_text, read_lines, signals_of

_POINTS = re.compile(
    r'"?(Interval and data points|Intervall und (Daten|Mess)punkte|Abschnitt und Messpunkte'
    r"|Intervalle et points de données)\s*:"
)
_DATA = re.compile(
    r'"?(Interval data|Data interval|Intervalldaten|Abschnittsdaten|Interval(le)? données|Données d.intervalle)\s*:'
)
_SERIES = re.compile(r'"?(Meas\. ?Pts\.|Messpkte?\.|Messpunkte?|Pts mes\.)"?[\t;,]')
_SPELLINGS = {"1": "", "°": "deg", "mNm": "mN*m", "µNm": "uN*m", "mN·m": "mN*m", "µN·m": "uN*m"}
_KEYS = {"project": "project", "projekt": "project", "test": "test", "versuch": "test", "result": "result"}
_KEYS |= {"ergebnis": "result", "projet": "project", "essai": "test", "résultat": "result"}
#: The same of Rheoplus.
_SERIES_KEYS = {
    "name": "result",
    "sample": "sample",
    "probe": "sample",
    "operator": "operator",
    "prüfer": "operator",
}


def _sniff(source: RawInput) -> float:
    start = head_text(source, 300)
    if "nterval" in start or "Abschnitt" in start:
        lines = head_lines(source, 300)
        return CERTAIN if any(map(_POINTS.match, lines)) and any(map(_DATA.match, lines)) else NO
    if "Meas. Pts." not in start and "Messpkt" not in start and "Messpunkt" not in start:
        return NO
    lines = head_lines(source, 300)
    below = next((lines[k + 1] for k, line in enumerate(lines[:-1]) if _SERIES.match(line)), "")
    return LIKELY if len(re.findall(r"\[[^\[\]]*\]", below)) >= 2 else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    first = next((x for x in lines if _DATA.match(x) or _SERIES.match(x)), None)
    if first is None:
        raise ReadError(f"{source.name} holds no interval; it is cut off. Copy it again.")
    delimiter = next((d for d in "\t;," if d in first), "\t")
    warnings: list[str] = []
    entries: list[Entry] = []
    said: dict[str, str] = {}
    loose: list[str] = []
    stated: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if _POINTS.match(line):
            stated = [c for c in cells_of(line, delimiter)[1:] if c]
        elif (compass := _DATA.match(line)) or _SERIES.match(line):
            number = len(entries) + 1
            aside = 1 if compass else 0
            entry, at = _interval(lines, at, delimiter, stated, said, number, source, warnings, aside)
            if entry is not None:
                entries.append(entry)
            stated = []
            continue
        elif cells := [c for c in cells_of(line, delimiter) if c]:
            word = cells[0].rstrip(": ").lower()
            key = _KEYS.get(word, "") or (_SERIES_KEYS.get(word, "") if cells[0].endswith(":") else "")
            if key:
                said[key] = clean_text(" ".join(cells[1:]))
            else:
                loose.append(clean_text(" ".join(cells)))
        at += 1
    if not entries:
        raise ReadError(f"{source.name} holds no points; nothing was measured, or it is cut off.")
    metadata: dict[str, Any] = {**said, "other lines": loose}
    return Measurement(
        tuple(entries),
        title=said.get("test") or source.path.stem,
        sample=said.get("sample") or said.get("test", ""),
        operator=said.get("operator", ""),
        instrument="Anton Paar rheometer",
        original_metadata=tidy_metadata({k: v for k, v in metadata.items() if v}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _interval(
    lines: list[str],
    at: int,
    delimiter: str,
    stated: list[str],
    said: dict[str, str],
    number: int,
    source: RawInput,
    warnings: list[str],
    aside: int,
) -> tuple[Entry | None, int]:
    """The table whose headings are at line ``at``, and the line after it; ``aside`` cells before it are none of it."""
    names = cells_of(lines[at], delimiter)[aside:]
    while names and not names[-1]:
        names.pop()
    begin = at + 1
    units: list[str | None] = [None] * len(names)
    while begin < len(lines) and begin <= at + 4:
        cells = cells_of(lines[begin], delimiter)[aside:]
        if any(c.startswith("[") and c.endswith("]") for c in cells):
            units = [c.strip("[]") or None for c in (cells + [""] * len(names))[: len(names)]]
            begin += 1
            break
        if any(c[:1].isdigit() for c in cells):
            break
        begin += 1
    end = begin
    while end < len(lines) and _is_row(lines[end], delimiter, aside):
        end += 1
    rows = [line.split(delimiter, 1)[1] if aside else line for line in lines[begin:end]]
    wanted = int(stated[1]) if len(stated) > 1 and stated[1].isdigit() else len(rows)
    if len(rows) < wanted:
        raise ReadError(
            f"{source.name} has {len(rows)} points where its interval at line {at + 1} has {wanted}; it is cut off. "
            "Copy it again."
        )
    if not rows or not names:
        return None, max(end, at + 1)
    columns = columns_of(rows, delimiter, len(names), warnings, line=begin + 1)
    signals = signals_of(names, units, columns, COLUMNS, warnings, _SPELLINGS)
    if len([s for s in signals if s.values.dtype.kind == "f"]) < 2:
        raise ReadError(
            f"the interval at line {at + 1} of {source.name} holds no numbers; the file is damaged."
        )
    x, default = plot_of(signals)
    title = ", ".join(filter(None, (said.get("result", ""), f"interval {stated[0]}" if stated else "")))
    conditions = {"step": Quantity(said["result"])} if said.get("result") else {}
    entry = table(
        f"interval_{number}",
        "rheology",
        signals,
        x=x,
        default=default,
        title=clean_text(title),
        conditions=conditions,
        original_metadata=dict(said),
    )
    return entry, end


def _is_row(line: str, delimiter: str, aside: int) -> bool:
    """A row of RheoCompass has a blank first cell and something behind it; one of Rheoplus begins with its number."""
    first, mark, rest = line.partition(delimiter)
    begins = not first.strip('" ') if aside else first.strip('" ').isdecimal()
    return bool(mark) and begins and bool(rest.strip(delimiter + '" '))


READER = Reader(
    name="rheocompass",
    version="2",
    techniques=("rheology",),
    vendor="Anton Paar",
    format="RheoCompass and Rheoplus export",
    endings=(".csv", ".txt"),
    sniff=_sniff,
    read=_read,
    notes="Every interval is an entry. Raw oscillation waveforms (LAOS) are read as the table that they are in.",
)
