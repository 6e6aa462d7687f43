"""METTLER TOLEDO STARe text: curves of DSC, TGA, TMA as tables below ``Index  t  Ts  Tr  Value``.

Facts: the line below the names holds the units in square brackets, each under the end of its column; ``Index`` may have
none. The curve is called by what it is (``Heat Flow``, ``Weight``) or just ``Value``. The sample and the moment,
``name, 24.03.2020 14:55:29``, stand above the table or below it; results may follow.
"""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, Signal, make_name, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers import _thermal_columns
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import columns_of, head_lines, number, read_lines, rules, signals_of
from zairyo.readers.delimited_text import used

_HEADING = re.compile(r"\s*Index\s+\S")
_CELL = re.compile(r"\S+(?: \S+)*")
_UNIT = re.compile(r"\[([^\]]*)\]")
_NAMED = re.compile(
    r"\s*(?P<sample>\S.*?),\s+(?P<when>\d[\d./-]{5,9} \d{1,2}:\d\d(?::\d\d)?(?: [AP]M)?)\s*\Z", re.IGNORECASE
)
_MASS = re.compile(r",\s*(\d+(?:[.,]\d+)?)\s*mg\b")
_DATES = (
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
)
_SPELLINGS = {"#": "", "Wg^-1": "W/g", "mWmg^-1": "mW/mg", "°C": "degC", "C": "degC", "1/°C": "1/K"}
_COLUMNS = [
    *rules(
        (r"index", "index"),
        (r"t", "time"),
        (r"hf|wärmefluss|heat ?flow", "heat_flow"),
        (r"gewicht|weight", "mass"),
    ),
    *_thermal_columns.COLUMNS,
]
#: What a column ``Value`` holds, by its unit.
_VALUES = (
    (re.compile(r"[mµu]?g|%|percent"), "Weight"),
    (re.compile(r"[mµu]?W.*|[mµu]?V"), "Heat Flow"),
    (re.compile(r"[mµun]?m"), "Length change"),
)


def _sniff(source: RawInput) -> float:
    if b"Index" not in source.text_head:
        return NO
    lines = head_lines(source, 400)
    at = next((i for i, line in enumerate(lines) if _HEADING.match(line)), None)
    if at is None or at + 1 >= len(lines):
        return NO
    names = {cell.casefold() for cell in _CELL.findall(lines[at])}
    if len(_UNIT.findall(lines[at + 1])) < 2 or not names & {"ts", "tr"}:
        return NO
    return CERTAIN if any(line.startswith("Curve Values:") for line in lines[:at]) else LIKELY


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    starts = [i for i, line in enumerate(lines[:-1]) if _HEADING.match(line) and _UNIT.search(lines[i + 1])]
    if not starts:
        raise ReadError(
            f"{source.name} has no line of names (Index …) over its units; it is cut off or damaged."
        )
    warnings: list[str] = []
    ends = [_end(lines, start + 2) for start in starts]
    outside = (lines[a:b] for a, b in zip((0, *ends), (*starts, len(lines)), strict=True))
    dates = [named[1] for part in outside if (named := _named(part))]
    entries: list[Entry] = []
    samples: list[str] = []
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        above = lines[ends[k - 1] if k else 0 : start]
        below = lines[end : starts[k + 1] if k + 1 < len(starts) else len(lines)]
        if end == start + 2:
            warnings.append(f"The curve at line {start + 1} has no points; it was left out.")
            continue
        around = [clean_text(line.strip()) for line in (*above, *below) if line.strip()]
        sample, when = _named(above) or _named(below) or ("", "")
        started = in_forms(when, _DATES, warnings, dates)
        samples.append(sample)
        entries.append(_entry(lines, start, end, sample, started, around, warnings, source))
    if not entries:
        raise ReadError(f"{source.name} holds no points; nothing was measured, or it is cut off.")
    names = used([e.name for e in entries]) if len(entries) > 1 else ["data"]
    head = [clean_text(line.strip()) for line in lines[: starts[0]]]
    return Measurement(
        tuple(
            Entry(
                n,
                e.technique,
                e.axes,
                e.signals,
                e.default,
                e.x,
                e.title,
                e.conditions,
                e.original_metadata,
                e.started,
            )
            for n, e in zip(names, entries, strict=True)
        ),
        title=samples[0] or source.path.stem,
        sample=samples[0] if len(set(samples)) == 1 else "",
        operator=_told(head, "User:", "Benutzer:"),
        instrument="METTLER TOLEDO",
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _end(lines: list[str], begin: int) -> int:
    """The line behind the last row of numbers."""
    for at in range(begin, len(lines)):
        cells = lines[at].split(None, 1)
        if not cells or (not cells[0].isdecimal() and number(cells[0]) is None):
            return at
    return max(begin, len(lines))


def _named(lines: list[str]) -> tuple[str, str] | None:
    """The sample and when it was measured, as one line says them."""
    for line in lines:
        match = _NAMED.match(line)
        if match and in_forms(match["when"], _DATES) is not None:
            return clean_text(match["sample"]), match["when"]
    return None


def _told(lines: list[str], *keys: str) -> str:
    """The line below a key; none where another key follows."""
    at = next((i for i, line in enumerate(lines[:-1]) if line in keys), None)
    return "" if at is None or lines[at + 1].endswith(":") else lines[at + 1]


def _units(heading: str, below: str) -> list[str | None]:
    """Each column's unit: as many as columns in their order, else the one whose end is nearest to its own."""
    cells = list(_CELL.finditer(heading)) if "\t" not in heading else []
    units = list(_UNIT.finditer(below))
    if not cells:
        parts = [m[1] if (m := _UNIT.search(part)) else None for part in below.split("\t")]
        return parts + [None] * (len(heading.split("\t")) - len(parts))
    if len(units) == len(cells):
        return [u[1].strip() for u in units]
    found: list[str | None] = [None] * len(cells)
    for unit in units:
        nearest = min(range(len(cells)), key=lambda k: abs(cells[k].end() - unit.end()))
        found[nearest] = unit[1].strip()
    if sum(u is not None for u in found) < len(units):  # not aligned; the index alone goes without
        return [None] * (len(cells) - len(units)) + [u[1].strip() for u in units]
    return found


def _entry(
    lines: list[str],
    start: int,
    end: int,
    sample: str,
    started: datetime | None,
    around: list[str],
    warnings: list[str],
    source: RawInput,
) -> Entry:
    tabs = "\t" in lines[start]
    names = [c.strip() for c in lines[start].split("\t")] if tabs else _CELL.findall(lines[start])
    units = [_thermal_columns.spelt(u) for u in _units(lines[start], lines[start + 1])[: len(names)]]
    rows = [" ".join(line.split()) for line in lines[start + 2 : end]]
    if end == len(lines) and lines[-1].strip() and len(rows[-1].split()) < len(names):
        raise ReadError(
            f"line {end} of {source.name} is half a row; the file is cut off there. Copy it again."
        )
    columns = columns_of(rows, " ", len(names), warnings, line=start + 3)
    names = [_meant(name, unit) for name, unit in zip(names, units, strict=True)]
    signals = _thermal_columns.named_by_unit(
        signals_of(names, units, columns, _COLUMNS, warnings, _SPELLINGS)
    )
    signals = [_whole(s) if s.name == "index" else s for s in signals]
    numeric = [s.name for s in signals if s.values.dtype.kind == "f"]
    if len(numeric) < 2:
        raise ReadError(f"the table at line {start + 1} of {source.name} holds no two columns of numbers")
    heat = {"dsc_signal", "dsc_signal_per_mass"} & set(numeric)
    technique = _thermal_columns.technique_of([*numeric, *(["heat_flow"] if heat else [])])
    if technique == "sta":
        technique = "tga"  # STARe's balances measure the heat flow beside the weight
    curves = [s for s in signals if s.name != "index"]
    x, default = _thermal_columns.plot_of(curves, technique)
    if default in ("time", "reference_temperature", "temperature"):
        others = [n for n in numeric if n not in ("time", "reference_temperature", "temperature")]
        default = (others or [default])[0]
    conditions = {}
    if method := _told(around, "Method:", "Methode:"):
        conditions["method"] = Quantity(method)
    if mass := next((m for line in around if (m := _MASS.search(line))), None):
        conditions["sample_mass"] = Quantity(number(mass[1]) or 0.0, "mg")
    return table(
        make_name(default, "curve"),
        technique,
        signals,
        x=x,
        default=default,
        title=sample,
        conditions=conditions,
        original_metadata=tidy_metadata({"lines": around}) if around else {},
        started=started,
    )


def _meant(name: str, unit: str | None) -> str:
    if name.casefold() not in ("value", "wert", "値"):
        return name
    return next((meant for pattern, meant in _VALUES if pattern.fullmatch(unit or "")), name)


def _whole(signal: Signal) -> Signal:
    values = signal.values
    if values.dtype.kind == "f" and np.all(np.isfinite(values)) and np.all(values == np.rint(values)):
        values = values.astype(np.int64)
    return Signal("index", values, signal.unit or "", long_name=signal.long_name)


READER = Reader(
    name="mettler_txt",
    version="1",
    techniques=("dsc", "tga", "tma"),
    vendor="METTLER TOLEDO",
    format="STARe text",
    endings=(".txt",),
    sniff=_sniff,
    read=_read,
    notes="Curve values of DSC, TGA, TGA-DSC and TMA; several curves become several entries. Results stay as text.",
)
