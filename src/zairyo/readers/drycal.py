"""MesaLabs DryCal Defender and Definer: flows of a piston prover, exported as CSV, text or RTF.

Facts: ``Product`` and ``Serial Number``, a row of headings with the unit behind each name, a row a reading. Times are
of day, without a date, in 12 or 24 hours; they pass midnight. In RTF the same stands in tables, product and serial
number below their headings.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._text_export import Array, cells_of, head_lines, head_text, number, read_lines, unit_of

_HEADINGS = re.compile(r"Sample\s*[,;\t|]\s*(DryCal|Flow)\b")
#: A spreadsheet that saved the log again may have put a date before the time, or left out the seconds.
_CLOCK = re.compile(r"(?:[\d./-]{6,10}\s+)?(\d{1,2}):(\d\d)(?::(\d\d))?\s*([AP]M)?\Z", re.IGNORECASE)
#: Amounts of gas, as volumes at the conditions there are, or (``s``) at standard conditions.
_VOLUMES = {
    "mL/min": "ml/min",
    "L/min": "l/min",
    "cc/min": "ml/min",
    "ccm": "ml/min",
    "LPM": "l/min",
    "CF/min": "foot**3/min",
    "CFM": "foot**3/min",
}
_STANDARD = {f"s{name}": unit for name, unit in _VOLUMES.items()}
_UNITS = _VOLUMES | _STANDARD
#: The beginning of a heading → name; what follows is the unit.
_COLUMNS = (
    (re.compile(r"Sample"), "index"),
    (re.compile(r"(DryCal|Flow)\s+Avg\.?"), "flow_average"),
    (re.compile(r"DryCal|Flow"), "flow"),
    (re.compile(r"Temp(erature|\.)?"), "temperature"),
    (re.compile(r"Pressure|Press\."), "pressure"),
)
_DAY = 86400


def _sniff(source: RawInput) -> float:
    if source.head.startswith(b"{\\rtf"):
        return CERTAIN if b"DryCal" in source.head and b"Sample" in source.head else NO
    if "Sample" not in head_text(source, 40):
        return NO
    return CERTAIN if any(_HEADINGS.match(x) for x in head_lines(source, 40)) else NO


def _read(source: RawInput) -> Measurement:
    rows = _rtf_rows(source) if source.head.startswith(b"{\\rtf") else _text_rows(source)
    at = next((i for i, r in enumerate(rows) if r[0] == "Sample"), None)
    begin = next((i for i, r in enumerate(rows) if at is not None and i > at and r[0].isdigit()), None)
    if at is None or begin is None:
        raise ReadError(f"{source.name} holds no readings; it is cut off, or nothing was measured.")
    headings = [" ".join(parts).strip() for parts in zip(*_even(rows[at:begin]), strict=True)]
    while headings and not headings[-1]:
        headings.pop()
    readings = [r for r in rows[begin:] if r[0].isdigit()]
    short = next((r for r in readings if len(r) < len(headings)), None)
    if short is not None:
        raise ReadError(
            f"Reading {short[0]} of {source.name} is not complete; the file is cut off. Copy it again."
        )
    warnings: list[str] = []
    header = _header(rows[:at])
    signals, first = _signals(headings, readings, warnings)
    names = {s.name for s in signals}
    default = next((n for n in ("flow", "flow_average") if n in names), "")
    if not default:
        raise ReadError(f"{source.name} holds no flow; its headings are {', '.join(headings)[:80]}.")
    conditions = {"readings": Quantity(len(readings), "")}
    if serial := header.get("Serial Number"):
        conditions["instrument_serial"] = Quantity(serial)
    if first:
        header["Time of the first reading"] = first
    entry = table(
        "data",
        "flow",
        signals,
        x="time" if "time" in names else "index",
        default=default,
        conditions=conditions,
    )
    return Measurement(
        (entry,),
        title=source.path.stem,
        instrument=f"DryCal {' '.join(header.get('Product', '').split())}".strip(),
        original_metadata=tidy_metadata(header),
        warnings=tuple(dict.fromkeys(warnings)),
    )


# --- rows ---------------------------------------------------------------------------------------------------------


def _text_rows(source: RawInput) -> list[list[str]]:
    lines = read_lines(source)
    line = next((x for x in lines[:200] if _HEADINGS.match(x)), None)
    if line is None:
        raise ReadError(f"{source.name} ends before its headings; it is cut off. Copy it again.")
    delimiter = next(d for d in "\t;,|" if d in line)
    return [cells for x in lines if x.strip(" ,;\t|") and (cells := cells_of(x, delimiter))]


_TOKEN = re.compile(
    r"\\([a-zA-Z]+)(-?\d+)? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.DOTALL
)
#: Groups of RTF that are no text of the document.
_ASIDE = frozenset({"fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "footer", "generator"})


def _rtf_rows(source: RawInput) -> list[list[str]]:
    """The cells of RTF's tables, and its paragraphs as rows of one cell."""
    text = source.read_bytes(64 * 1024**2).decode("latin-1")
    rows: list[list[str]] = []
    cells: list[str] = []
    words: list[str] = []
    depth, aside = 0, 0  # how deep the groups are, and from which depth on they are no text
    for m in _TOKEN.finditer(text):
        word, _, code, sign, brace, plain = m.groups()
        if brace:
            depth += 1 if brace == "{" else -1
            if depth < aside:
                aside = 0
        elif (word in _ASIDE or sign == "*") and not aside:
            aside = depth
        elif aside:
            continue
        elif word in ("cell", "tab"):
            cells.append("".join(words).strip())
            words = []
        elif word in ("row", "par", "line"):
            if word == "par" and cells and not words:
                continue
            if words and "".join(words).strip():
                cells.append("".join(words).strip())
            if cells and word != "line":
                rows.append([clean_text(c) for c in cells])
                cells = []
            words = []
        elif plain or code:
            words.append(plain or bytes.fromhex(code).decode("cp1252", "replace"))
    if cells:
        rows.append([clean_text(c) for c in cells])
    return [r for r in rows if any(r)]


def _even(rows: list[list[str]]) -> list[list[str]]:
    width = max(len(r) for r in rows)
    return [r + [""] * (width - len(r)) for r in rows]


def _header(rows: list[list[str]]) -> dict[str, str]:
    """``Key,value`` rows, or a row of keys above a row of values."""
    rows = [filled for r in rows if (filled := [clean_text(c) for c in r if c])]
    for keys, values in pairwise(rows):
        if keys[0] == "Product" and "Serial Number" in keys and len(keys) == len(values):
            return dict(zip(keys, values, strict=True))
    return {r[0]: ", ".join(r[1:]) for r in rows if len(r) > 1}


# --- columns ------------------------------------------------------------------------------------------------------


def _signals(headings: list[str], readings: list[list[str]], warnings: list[str]) -> tuple[list[Signal], str]:
    found: list[Signal] = []
    first = ""
    for k, heading in enumerate(headings):
        cells = [r[k].strip() for r in readings]
        if heading == "Time":
            first = clean_text(cells[0])
            found.insert(0, Signal("time", _seconds(cells), "s", long_name="Time since the first reading"))
            continue
        pattern, name = next(((p, n) for p, n in _COLUMNS if p.match(heading)), (None, ""))
        stated = heading[m.end() :].strip() if pattern and (m := pattern.match(heading)) else ""
        values = np.array([np.nan if (v := number(c)) is None else v for c in cells])
        if not np.isfinite(values).any() or any(s.name == name for s in found):
            continue
        missing = int((~np.isfinite(values)).sum())
        if missing:
            warnings.append(f"{missing} values of {heading!r} are no numbers and were left blank.")
        label = f"{heading} (at standard conditions)" if stated in _STANDARD else heading
        unit: Any = "" if name == "index" else unit_of(stated or None, warnings, _UNITS)
        if name == "index" and not missing:
            values = values.astype(np.int64)
        found.append(Signal(name or f"column_{k + 1}", values, unit, long_name=clean_text(label)))
    return found, first


def _seconds(cells: list[str]) -> Array:
    """Seconds since the first reading out of times of day; a time before the one above it is of the next day."""
    found: list[float] = []
    day, before = 0, -1
    for cell in cells:
        m = _CLOCK.match(cell)
        if m is None:
            raise ReadError(f"{clean_text(cell)[:20]!r} is no time of day; the file is damaged there.")
        hour, minute, second = int(m[1]), int(m[2]), int(m[3] or 0)
        if m[4]:
            hour = hour % 12 + (12 if m[4].upper() == "PM" else 0)
        now = hour * 3600 + minute * 60 + second
        day += now < before
        before = now
        found.append(day * _DAY + now)
    return np.array(found, float) - found[0]


READER = Reader(
    name="drycal",
    version="1",
    techniques=("flow",),
    vendor="MesaLabs",
    format="DryCal log",
    endings=(".csv", ".txt", ".rtf"),
    sniff=_sniff,
    read=_read,
    notes="CSV, text and RTF. The files state times of day without a date: time counts from the first reading.",
)
