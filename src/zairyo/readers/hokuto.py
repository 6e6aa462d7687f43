"""Hokuto Denko (北斗電工) cyclers and HZ systems: the CSV that their programs write on Japanese computers.

Facts from public readers. SD8: lines of keys and values (測定開始日時), a line of headings that begins
時間,電圧,電流,電力, a line of units, a row a record; Ah(Step) and Ah/g(Step) grow within a step, モード says what it
does. HZ-7000 (converted from ``.SDP``): 《測定フェイズヘッダ》 begins a phase, whose next lines say what it is
(自然電位測定, 本測定) and when it began (開始時間), 《測定データ》 its records: a number, seconds, volts, amperes, …
the charges passed in coulombs, what the cycler did; 《解析データヘッダ》 ends the last one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Measurement
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import table_of
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._electrochemistry import Columns, make_entry
from zairyo.readers._text_export import cells_of, number, split_name, texts
from zairyo.readers._toyo_tables import Heading, decode, fill, headings_of, rows_of

_MOST_BYTES = 1024**3
_MOST_HEADER = 200
_HEADINGS = re.compile(r'\ufeff?"?時間"?,"?電圧"?,"?電流"?,"?電力"?')
_PHASE, _DATA, _ANALYSIS = "《測定フェイズヘッダ》", "《測定データ》", "《解析データヘッダ》"
_DATES = ("%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M")
#: Headings of SD8 that TOYO calls otherwise → the words that :mod:`_toyo_tables` knows.
_WORDS = {
    "時間": "総経過時間",
    "モード": "状態",
    "ah(step)": "電気量",
    "ah/g(step)": "電気量",
    "wh(step)": "電力量",
}
_MODES = {"充電": "charge", "放電": "discharge", "休止": "rest"}
#: What stands in the columns of a phase: name, usual unit.
_COLUMNS: tuple[tuple[str, str], ...] = (
    ("index", ""), ("step_time", "s"), ("voltage", "V"), ("current", "A"), ("", ""), ("charge_capacity", "C"),
    ("discharge_capacity", "C"), ("charge_passed", "C"),
)  # fmt: skip
_MODE_COLUMN = 8


def _head(source: RawInput) -> str:
    head = source.head[:16384]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head[: len(head) // 2 * 2].decode("utf-16", "ignore")
    for encoding in ("utf-8-sig", "cp932"):
        try:
            # A character may be cut at the end of what was read.
            return head[: head.rfind(b"\n") + 1 or len(head)].decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""


# -- SD8 -----------------------------------------------------------------------------------------------


def _sniff_sd8(source: RawInput) -> float:
    if not source.text_head or not (
        b"\x8e\x9e\x8a\xd4" in source.head or "時間".encode() in source.head or source.head[:1] in b"\xff\xfe"
    ):
        return NO
    return CERTAIN if any(map(_HEADINGS.match, _head(source).splitlines())) else NO


def _read_sd8(source: RawInput) -> Measurement:
    lines = decode(source.read_bytes(_MOST_BYTES), source.name)
    at = next((k for k, line in enumerate(lines[:_MOST_HEADER]) if _HEADINGS.match(line)), None)
    if at is None:
        raise ReadError(f"{source.name} has no line of headings (時間,電圧,電流,電力 …); it is cut off.")
    pairs = [cells_of(line, ",") for line in lines[:at]]
    header = {c[0].rstrip(":："): clean_text(" ".join(c[1:]).strip()) for c in pairs if len(c) > 1 and c[0]}
    names = [name.strip("\ufeff") for name in cells_of(lines[at], ",")]
    start = at + 1
    units: list[str] = []
    while start < len(lines) and start < at + 4 and not re.match(r'\s*"?[-+]?\d', lines[start]):
        units = cells_of(lines[start], ",") if lines[start].strip(" ,") else units
        start += 1
    warnings: list[str] = []
    if not any(units):
        warnings.append("The file has no line of units; its numbers are kept without them.")
    lines[start:] = [line.replace('"', "") for line in lines[start:]]
    headings = [_heading(h) for h in headings_of(names, units)]
    columns = fill(rows_of(lines, start, headings), warnings)
    entry = make_entry(
        "cycling",
        "battery_cycling",
        columns,
        title=source.path.stem,
        started=in_forms(header.get("測定開始日時", ""), _DATES),
    )
    return Measurement(
        (entry,),
        title=source.path.stem,
        instrument="Hokuto Denko SD8",
        original_metadata=tidy_metadata({"header": header, "headings": names, "units": units}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _heading(found: Heading) -> Heading:
    known = _WORDS.get(found.quantity)
    return found if known is None else replace(found, quantity=known)


# -- HZ-7000 -------------------------------------------------------------------------------------------


def _sniff_hz(source: RawInput) -> float:
    if not source.text_head:
        return NO
    head = _head(source)
    return CERTAIN if _PHASE in head and "充放電測定" in head else NO


def _read_hz(source: RawInput) -> Measurement:
    text = "\n".join(decode(source.read_bytes(_MOST_BYTES), source.name))
    first, *phases = text.split(_PHASE)
    if not phases:
        raise ReadError(f"{source.name} has no phase ({_PHASE}); it is cut off. Copy it again.")
    whole = _ANALYSIS in phases[-1]
    phases[-1] = phases[-1].split(_ANALYSIS)[0]
    warnings: list[str] = []
    entries: list[Entry] = []
    told: list[str] = []
    for count, phase in enumerate(phases, 1):
        head, mark, body = phase.partition(_DATA)
        told.append(clean_text(" | ".join(x.strip(" ,") for x in head.splitlines() if x.strip(" ,"))))
        if not mark:
            raise ReadError(f"phase {count} of {source.name} has no records ({_DATA}); it is cut off.")
        entry = _phase(count, head, body.split("\n"), warnings)
        if entry is not None:
            entries.append(entry)
    if not entries:
        raise ReadError(f"{source.name} holds no record; nothing was measured, or it is cut off.")
    if not whole:
        warnings.append(f"The file has no end ({_ANALYSIS}); records may be missing.")
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        instrument="Hokuto Denko HZ-7000",
        original_metadata=tidy_metadata({"header": clean_text(first.strip())[:4000], "phases": told}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _phase(count: int, head: str, lines: list[str], warnings: list[str]) -> Entry | None:
    """A phase's records as a table; None if it has none."""
    start = next((k for k, line in enumerate(lines) if _is_record(line)), None)
    if start is None:
        return None
    end = start
    while end < len(lines) and _is_record(lines[end]):
        end += 1
    width = len(cells_of(lines[start], ","))
    headings = next(
        (c for line in reversed(lines[:start]) if len(c := cells_of(line, ",")) > 1 and any(c)), []
    )
    rows = [line.replace('"', "") for line in lines[start:end]]
    cells = table_of(rows, 0, ",", width)
    rest = "自然電位" in head
    columns = Columns()
    for k, column in enumerate(cells):
        heading = headings[k] if k < len(headings) else ""
        _add(columns, k, heading, column, _COLUMNS[:3] if rest else _COLUMNS, warnings)
    began = next(
        (c[2] for line in head.splitlines() if len(c := cells_of(line, ",")) > 2 and "開始時間" in c), ""
    )
    title = "Open circuit (自然電位測定)" if rest else f"Cycle (本測定), phase {count}"
    technique = "open_circuit_potential" if rest else "battery_cycling"
    return make_entry(f"phase_{count}", technique, columns, title=title, started=in_forms(began, _DATES))


def _is_record(line: str) -> bool:
    cells = cells_of(line, ",")
    return len(cells) > 2 and all(number(c) is not None for c in cells[1:3])


def _add(
    columns: Columns,
    place: int,
    heading: str,
    cells: Any,
    known: tuple[tuple[str, str], ...],
    warnings: list[str],
) -> None:
    if not isinstance(cells, np.ndarray):
        if any(cells) and place == _MODE_COLUMN:
            columns.add("step_type", texts([_MODES.get(c.strip(), c.strip()) for c in cells]), None, heading)
        elif any(cells):
            warnings.append(f"Column {place + 1} of the records holds words and is left out.")
        return
    if not np.isfinite(cells).any():
        return
    name, usual = known[place] if place < len(known) else ("", "")
    stated = split_name(heading)[1]
    if not name:
        columns.add(f"column_{place + 1}", cells, columns.unit(stated, heading) if stated else None, heading)
        return
    if name in ("charge_capacity", "discharge_capacity"):
        cells = np.abs(cells)
    if name == "index":
        cells = cells.astype(np.int64) if (cells == np.rint(cells)).all() else cells
    columns.add(name, cells, columns.unit(stated, heading) if stated else usual, heading)


READERS = (
    Reader(
        name="hokuto_sd8",
        version="1",
        techniques=("battery_cycling",),
        vendor="Hokuto Denko",
        format="SD8 (CSV)",
        endings=(".csv",),
        sniff=_sniff_sd8,
        read=_read_sd8,
        notes="From public descriptions of the format, not from files of an instrument.",
    ),
    Reader(
        name="hokuto_hz",
        version="1",
        techniques=("battery_cycling", "open_circuit_potential"),
        vendor="Hokuto Denko",
        format="HZ-7000, charge and discharge (CSV)",
        endings=(".csv",),
        sniff=_sniff_hz,
        read=_read_hz,
        notes=(
            "From public descriptions of the format, not from files of an instrument. Each phase is an entry; the "
            "program's own .SDP files are not read: convert them to CSV."
        ),
    ),
)
