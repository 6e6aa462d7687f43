"""TA Instruments TRIOS exports: text, CSV and workbooks of rheometers, DMA, DSC, TGA, SDT and TMA.

Facts: lines of a key and a value (``Instrument name``, ``Sample name`` …), sections between square brackets; for each
step ``[step]``, its name, perhaps ``Number of points``, headings, units, rows. In workbooks ``Details`` holds the keys
and each further sheet a step: its name, headings, units, rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from zairyo.measurement import Entry, Measurement, Quantity, make_name, table
from zairyo.measurement.techniques import conditions as vocabulary
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers import _rheology, _thermal_columns
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import (
    Array,
    cells_of,
    columns_of,
    head_lines,
    number,
    quantity,
    read_lines,
    signals_of,
    unit_of,
)
from zairyo.readers._workbook import Workbook, column, mentions
from zairyo.readers.delimited_text import used

_STEP = re.compile(r"\"?\[step\]\"?", re.IGNORECASE)
_SECTION = re.compile(r"\"?\[(?P<name>[^\]]+)\]\"?\s*\Z")
_KEYS = re.compile(
    r'"?(Filename|Instrument (name|serial number|type)|Sample name|Geometry name|rundate|Run ?date)"?[\t,;]',
    re.I,
)
_MONTH_FIRST = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y")
_DAY_FIRST = (
    "%d/%m/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M",
    "%d.%m.%Y", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y",
)  # fmt: skip
_YEAR_FIRST = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/\d{4}\b(?:.*\b(?P<half>[AP]M)\b)?", re.I)
_SPELLINGS = {
    "°C": "degC",
    "mN.m": "mN*m",
    "µN.m": "uN*m",
    "uN.m": "uN*m",
    "N.m": "N*m",
    "Pa.s": "Pa*s",
    "mPa.s": "mPa*s",
}
_SPELLINGS |= {"mL/min": "ml/min", "J/(g·°C)": "J/(g*K)", "W/g": "W/g", "rad/s": "rad/s"}
_CONDITIONS = (
    ("sample_mass", r"sample mass|sample weight|initial weight|sample size"),
    ("geometry", r"geometry name|geometry class|geometry type"),
    ("geometry_diameter", r"diameter|geometry diameter"),
    ("gap", r"gap|loading gap|trim gap"),
    ("cone_angle", r"cone angle"),
    ("crucible", r"pan type"),
    ("crucible_mass", r"pan mass"),
    ("method", r"procedure name|method name"),
    ("purge_gas", r"gas 1|cell purge gas|sample gas"),
    ("instrument_serial", r"instrument serial number"),
    ("software_version", r"trios version|software version"),
    ("sample_length", r"sample length|length"),
    ("sample_width", r"sample width|width"),
    ("sample_thickness", r"sample thickness|thickness"),
)
_TEXTS = frozenset({"geometry", "crucible", "method", "purge_gas", "instrument_serial", "software_version"})


def _sniff(source: RawInput) -> float:
    if mentions(source, "Details", "Instrument name", "Filename"):
        return LIKELY
    said = sum(map(bool, map(_KEYS.match, head_lines(source, 200))))
    return CERTAIN if said >= 2 and any(_STEP.match(x) for x in head_lines(source)) else NO


def _read(source: RawInput) -> Measurement:
    warnings: list[str] = []
    if source.head.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        header, steps = _from_workbook(source)
    else:
        header, steps = _from_text(source, warnings)
    flat = _flat(header)
    instrument = _value(flat, r"instrument name|instrument type|instrument model")
    conditions = _conditions(flat, warnings)
    started = _started(flat, warnings)
    entries: list[Entry] = []
    names = used([make_name(name, "step") for name, *_ in steps])
    for name, (title, headings, units, columns, about) in zip(names, steps, strict=True):
        entry = _entry(name, title, headings, units, columns, instrument, flat, warnings)
        if entry is not None:
            own = {**conditions, "step": Quantity(clean_text(title))} if title else conditions
            known = {k: v for k, v in own.items() if k in vocabulary(entry.technique)}
            entries.append(
                Entry(
                    entry.name, entry.technique, entry.axes, entry.signals, entry.default, entry.x, clean_text(title),
                    known, tidy_metadata(about), started,
                )
            )  # fmt: skip
    if not entries:
        raise ReadError(f"{source.name} holds no step with points; nothing was measured, or it is cut off.")
    sample = _value(flat, r"sample name|name of sample")
    return Measurement(
        tuple(entries),
        title=sample or source.path.stem,
        sample=sample,
        operator=_value(flat, r"operator( name)?|user"),
        instrument=f"TA Instruments {instrument}".strip(),
        original_metadata=tidy_metadata(header),
        warnings=tuple(dict.fromkeys(warnings)),
    )


_Step = tuple[str, list[str], list[str | None], list[Array], dict[str, Any]]


# --- text ---------------------------------------------------------------------------------------------------------


def _from_text(source: RawInput, warnings: list[str]) -> tuple[dict[str, Any], list[_Step]]:
    lines = read_lines(source)
    starts = [i for i, x in enumerate(lines) if _STEP.match(x)]
    if not starts:
        raise ReadError(f"{source.name} ends before its first step; it is cut off. Copy it again.")
    steps: list[_Step] = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        step = _step(lines, start + 1, end, source, warnings)
        if step is not None:
            steps.append(step)
    return _header([_row(x) for x in lines[: starts[0]]]), steps


def _row(line: str) -> list[str]:
    return cells_of(line, next((d for d in "\t;," if d in line), "\t"))


def _step(lines: list[str], begin: int, end: int, source: RawInput, warnings: list[str]) -> _Step | None:
    first = next((i for i in range(begin, end) if _is_row(lines[i])), None)
    if first is None or first - begin < 2:
        return None
    delimiter = next((d for d in "\t;," if d in lines[first - 2]), "\t")
    headings, units = cells_of(lines[first - 2], delimiter), cells_of(lines[first - 1], delimiter)
    about = [clean_text(x.strip()) for x in lines[begin : first - 2] if x.strip()]
    last = first
    while last < end and _is_row(lines[last]):
        last += 1
    rows = lines[first:last]
    if headings[0].lower() in ("variables", "") and not units[0]:  # each row begins with a label
        headings, units = headings[1:], units[1:]
        rows = [x.split(delimiter, 1)[1] if delimiter in x else "" for x in rows]
    while headings and not headings[-1]:
        headings.pop()
    if not headings:
        return None
    said = dict(k.split(delimiter, 1) for k in about if delimiter in k)
    counted = number(next((v for k, v in said.items() if k.lower() == "number of points"), "")) or 0
    half = last == len(lines) and lines[-1].strip() and len(cells_of(lines[-1], delimiter)) < len(headings)
    if len(rows) < counted or half:
        raise ReadError(f"{source.name} is cut off within the step at line {begin}; copy it again.")
    columns = columns_of(rows, delimiter, len(headings), warnings, line=first + 1)
    padded = [u.strip("[]()") or None for u in (units + [""] * len(headings))[: len(headings)]]
    title = next((x.strip('"') for x in about if delimiter not in x), "")
    return title, headings, padded, columns, {k: v.strip() for k, v in said.items()}


def _is_row(line: str) -> bool:
    cells = _row(line)
    if cells and re.match(r"data point\b", cells[0], re.IGNORECASE):
        return True
    filled = [c for c in cells if c]
    return len(filled) > 1 and number(filled[0]) is not None


def _header(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Keys and values, those below a name in square brackets within it."""
    found: dict[str, Any] = {}
    here = found
    for row in rows:
        cells = [clean_text(str(c)).strip() for c in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        section = _SECTION.match(cells[0]) if len(cells) == 1 else None
        if section:
            here = found.setdefault(section["name"], {})
            if not isinstance(here, dict):
                here = found
        elif len(cells) > 1 and cells[0]:
            key, value = cells[0], " ".join(c for c in cells[1:] if c)
            before = here.get(key)
            here[key] = value if not isinstance(before, str) else f"{before}; {value}"
        else:
            here.setdefault("other lines", []).append(" ".join(c for c in cells if c))
    return found


# --- workbooks ----------------------------------------------------------------------------------------------------


def _from_workbook(source: RawInput) -> tuple[dict[str, Any], list[_Step]]:
    book = Workbook(source)
    header: dict[str, Any] = {}
    steps: list[_Step] = []
    for name in book.names:
        rows = book.rows(name)
        if name == "Details":
            header = _header(rows)
            continue
        first = next((i for i, r in enumerate(rows) if sum(isinstance(c, (int, float)) for c in r) > 1), None)
        if first is None or first < 2:
            continue
        headings = [clean_text(str(c)).strip() for c in rows[first - 2]]
        units = [clean_text(str(c)).strip() for c in rows[first - 1]]
        kept = [k for k, h in enumerate(headings) if h]
        columns = [(k, column([r[k] for r in rows[first:]])) for k in kept]
        title = next((str(c) for r in rows[: first - 2] for c in r if c), name)
        there = [(k, c) for k, c in columns if c is not None]
        steps.append(
            (
                title,
                [headings[k] for k, _ in there],
                [units[k] or None for k, _ in there],
                [c for _, c in there],
                {},
            )
        )
    return header, steps


# --- steps → entries ----------------------------------------------------------------------------------------------


def _entry(
    name: str,
    title: str,
    headings: list[str],
    units: list[str | None],
    columns: list[Array],
    instrument: str,
    flat: dict[str, str],
    warnings: list[str],
) -> Entry | None:
    lower = " ".join(headings).lower()
    words = f"{instrument} {' '.join(flat.values())[:2000]}".upper()
    mechanical = re.search(r"modulus|viscosity|shear|oscillation|torque|tan\(?δ", lower) is not None
    rules = [*_rheology.COLUMNS, *_thermal_columns.COLUMNS] if mechanical else _thermal_columns.COLUMNS
    signals = _thermal_columns.named_by_unit(
        signals_of(headings, units, columns, rules, warnings, _SPELLINGS)
    )
    numeric = [s for s in signals if s.values.dtype.kind == "f"]
    if len(numeric) < 2:
        return None
    if mechanical:
        technique = "dma" if re.search(r"\bDMA|RSA", words) and "shear" not in lower else "rheology"
        x, default = _rheology.plot_of(signals)
    else:
        technique = _thermal_columns.technique_of([s.name for s in numeric], words)
        x, default = _thermal_columns.plot_of(signals, technique)
    return table(name, technique, signals, x=x, default=default)


def _flat(header: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in header.items():
        if isinstance(value, dict):
            found.update({k: v for k, v in value.items() if isinstance(v, str) and k not in found})
        elif isinstance(value, str):
            found[key] = value
    return found


def _value(flat: dict[str, str], pattern: str) -> str:
    return next((v for k, v in flat.items() if v and re.fullmatch(pattern, k.strip(), re.IGNORECASE)), "")


def _started(flat: dict[str, str], warnings: list[str]) -> datetime | None:
    """When it began: the date that has a clock, in the order of day and month that the file's dates have."""
    pattern = re.compile(r"rundate|run ?date|date|start ?time|test date", re.IGNORECASE)
    found = [v for k, v in flat.items() if v and pattern.fullmatch(k.strip())]
    clock = _value(flat, r"runtime|run ?time")
    found = [*(f"{v} {clock}" for v in found[:1] if clock), *sorted(found, key=lambda v: ":" not in v)]
    if not found:
        return None
    dates = [m for v in flat.values() if (m := _SLASHED.match(v))]
    is_day = any(int(m[1]) > 12 for m in dates)
    # Where the month is first, numbers have no leading zeros, and hours are of half a day.
    is_month = any(int(m[2]) > 12 or m["half"] or len(m[1] + m[2]) < 4 for m in dates)
    order = _DAY_FIRST if is_day else (*_MONTH_FIRST, *_DAY_FIRST)
    for text in found:
        if (when := in_forms(text, (*order, *_YEAR_FIRST))) is not None:
            if _SLASHED.match(text) and not is_day and not is_month and when.day != when.month:
                warnings.append(f"The date {text[:40]!r} is read month first; nothing in the file tells.")
            return when
    return None


def _conditions(flat: dict[str, str], warnings: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, pattern in _CONDITIONS:
        text = _value(flat, pattern)
        if not text:
            continue
        if name in _TEXTS:
            found[name] = Quantity(text[:200])
        elif (value := quantity(text)) is not None and value[1]:
            found[name] = Quantity(value[0], unit_of(value[1], warnings, _SPELLINGS))
    return found


READER = Reader(
    name="ta_trios",
    version="3",
    techniques=("rheology", "dma", "dsc", "tga", "sta", "tma", "dta"),
    vendor="TA Instruments",
    format="TRIOS export",
    endings=(".txt", ".csv", ".xls", ".xlsx"),
    sniff=_sniff,
    read=_read,
    notes="Every step is an entry. TRIOS's own .tri files are not read; export them to text or Excel.",
)
