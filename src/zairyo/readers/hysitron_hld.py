"""Bruker Hysitron TriboScan / TriboIndenter `.hld`: one indent with its approach and its drift.

Facts: lines ``Key: value``, then sections, each a line ``… Data Points: n``, a line of headings with the unit behind
the last ``_`` (``Disp_nm``), and n lines of numbers between tabs.
"""

from __future__ import annotations

import re
from typing import Any

from zairyo.measurement import Entry, Measurement, Quantity, Signal, make_name, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._indentation import COLUMNS
from zairyo.readers._text_export import (
    columns_of,
    head_lines,
    head_text,
    quantity,
    read_lines,
    signals_of,
    unit_of,
)

_SECTION = re.compile(r"(?P<label>.+?)\s+Data Points:\s*(?P<count>\d{1,9})\s*\Z")
_NAMES = {"sample approach": "approach", "drift measurement": "drift", "test": "test"}
#: Headings whose last part is no unit, or whose unit tells another channel.
_OWN = {
    "Disp_V": ("displacement_voltage", "V"),
    "Force_V": ("force_voltage", "V"),
    "Piezo_LowV": ("piezo_voltage", "V"),
    "MotorDisp_mm": ("motor_displacement", "mm"),
}
_CONDITIONS = {
    "Tip ID": "tip",
    "Test Temp": "temperature",
    "Test Humidity": "humidity",
    "Drift Rate": "drift_rate",
    "Machine Comp": "frame_compliance",
}


def _sniff(source: RawInput) -> float:
    if not re.match(r"(File Version: Hysitron|Test Type:)", head_text(source, 1)):
        return NO
    lines = head_lines(source)
    marks = (any(_SECTION.match(x) for x in lines), any(x.startswith("Time_s\tDisp_") for x in lines))
    return CERTAIN if all(marks) or (marks[0] and "Hysitron" in lines[0]) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    header: dict[str, Any] = {}
    warnings: list[str] = []
    entries: list[Entry] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        found = _SECTION.match(line)
        if found:
            entry, at = _section(lines, at, found, source, warnings)
            if entry is not None:
                entries.append(entry)
            continue
        key, mark, value = line.partition(":")
        if mark:
            _add(header, clean_text(key.strip()), clean_text(value.strip()))
        elif line.strip():
            if entries:
                raise ReadError(
                    f"line {at + 1} of {source.name} belongs to no section; the file is damaged there."
                )
            warnings.append(f"Line {at + 1} is no key and value and was left out: {clean_text(line)[:40]!r}.")
        at += 1
    if not any(e.name == "test" for e in entries):
        raise ReadError(f"{source.name} has no data of the test itself; it is cut off. Copy it again.")
    started = in_forms(str(header.get("Time Stamp", "")), ("%a %b %d %H:%M:%S %Y",))
    conditions = _conditions(header, warnings)
    entries = [
        Entry(e.name, e.technique, e.axes, e.signals, e.default, e.x, e.title, conditions, {}, started)
        for e in entries
    ]
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        instrument="Bruker Hysitron",
        default="test",
        original_metadata=tidy_metadata(header),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _add(header: dict[str, Any], key: str, value: str) -> None:
    before = header.get(key)
    header[key] = (
        value if before is None else [*before, value] if isinstance(before, list) else [before, value]
    )


def _section(
    lines: list[str], at: int, found: re.Match[str], source: RawInput, warnings: list[str]
) -> tuple[Entry | None, int]:
    """The table of one section, and the line after it."""
    label, count = found["label"].strip(), int(found["count"])
    if not count:
        return None, at + (2 if at + 1 < len(lines) and "_" in lines[at + 1] else 1)
    headings = [h.strip() for h in lines[at + 1].split("\t")] if at + 1 < len(lines) else []
    rows = lines[at + 2 : at + 2 + count]
    # The last row without its end of line may be half a row.
    whole = len(rows) == count and at + 2 + count < len(lines)
    if not whole or not headings or not all(row.strip() for row in rows):
        raise ReadError(
            f"{source.name} has fewer than the {count} points that it says for {label!r} (line {at + 1}); it is cut "
            "off. Copy it again."
        )
    decimal = "," if "," in rows[0] else "."
    columns = columns_of(rows, "\t", len(headings), warnings, line=at + 3, decimal=decimal)
    names, units = zip(*(_split(h) for h in headings), strict=True)
    signals = signals_of(names, units, columns, COLUMNS, warnings)
    own = {n: _OWN[h][0] for n, h in zip(names, headings, strict=True) if h in _OWN}
    signals = [Signal(own.get(s.long_name, s.name), s.values, s.unit, long_name=s.long_name) for s in signals]
    by_name = [s.name for s in signals if s.values.dtype.kind == "f"]
    name = _NAMES.get(label.lower()) or make_name(label, "section")
    if len(by_name) < 2:
        raise ReadError(
            f"the section {label!r} at line {at + 1} holds no two columns of numbers; it is damaged."
        )
    x, default = ("depth", "force") if {"depth", "force"} <= set(by_name) else (by_name[0], by_name[1])
    title = f"{label} data"
    return table(name, "nanoindentation", signals, x=x, default=default, title=title), at + 2 + count


def _split(heading: str) -> tuple[str, str | None]:
    if heading in _OWN:
        return heading, _OWN[heading][1]
    name, mark, unit = heading.rpartition("_")
    return (name, unit) if mark and name else (heading, None)


def _conditions(header: dict[str, Any], warnings: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, name in _CONDITIONS.items():
        value = header.get(key)
        if not isinstance(value, str) or not value:
            continue
        if name == "tip":
            found[name] = Quantity(value)
        elif (number := quantity(value)) is not None:
            found[name] = Quantity(number[0], unit_of(number[1], warnings, {"C": "degC"}) or None)
    return found


READER = Reader(
    name="hysitron_hld",
    version="2",
    techniques=("nanoindentation",),
    vendor="Bruker Hysitron",
    format="TriboScan HLD",
    endings=(".hld",),
    sniff=_sniff,
    read=_read,
    notes="The test, its approach and its drift measurement. The .tdm/.tdx files beside hold the same data.",
)
