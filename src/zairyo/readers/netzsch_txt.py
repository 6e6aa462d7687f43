"""NETZSCH Proteus text and CSV exports (``#EXPORTTYPE``): DSC, TG, STA, dilatometers, TMA and DMA.

Facts: ``#KEY:value`` lines, blanks around the values and, in CSV, separators behind them; ``#SEPARATOR`` and
``#DECIMAL`` name the marks of the numbers (the header may use another decimal mark); a line such as
``##Temp./°C;Time/min;DSC/(mW/mg)`` names the columns, the unit behind the last stroke. ``DATA COMPARE`` puts several
measurements side by side, each with its own value in every header line.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, Signal, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers import _thermal_columns
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import (
    Array,
    cells_of,
    columns_of,
    head_lines,
    number,
    read_lines,
    rules,
    signals_of,
    unit_of,
)
from zairyo.readers.delimited_text import used

_KEY = re.compile(r'"?#(?!#)([^:]{1,60}?)\s*:(.*)\Z')
_SEPARATORS = {"SEMICOLON": ";", "COMMA": ",", "TAB": "\t", "TABULATOR": "\t", "SPACE": " ", "BLANK": " "}
_DATES = (
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M",
)
_ZONE = re.compile(r"\s*\((?:UTC|GMT)\s*(?:([+-]\d{1,2})(?::?(\d\d))?)?\)")
_RAMP = re.compile(
    r"(-?[\d.,]+)\s*[^\d\s.,/()]?\s*C\s*/\s*(-?[\d.,]+)\s*\(K/min\)\s*/\s*(-?[\d.,]+)\s*[^\d\s.,/()]?\s*C"
)
_COLUMNS = [
    *rules(
        (r"gas flow ?\(purge ?1?\)|purge ?1( flow)?", "purge_gas_flow"),
        (r"gas flow ?\(purge ?2\)|purge ?2( flow)?", "purge_gas_2_flow"),
        (r"gas flow ?\(protective\)|protective( gas)?( flow)?", "protective_gas_flow"),
        (r"massenänderung", "mass_change"),
        (r"dl/lo", "strain"),
        (r"dl", "length_change"),
        (r"segm(ent)?\.?", "segment"),
        (r"heiz ?rate", "heating_rate"),
    ),
    *_thermal_columns.COLUMNS,
]
_NUMBERS = {
    "SAMPLE MASS": "sample_mass",
    "REFERENCE MASS": "reference_mass",
    "SAMPLE CRUCIBLE MASS": "crucible_mass",
    "SAMPLE LENGTH": "sample_length",
}
_TEXTS = {
    "TYPE OF CRUCIBLE": "crucible",
    "ATMOSPHERE": "atmosphere",
    "PURGE GAS": "purge_gas",
    "PURGE GAS 1": "purge_gas",
    "PURGE GAS 2": "purge_gas_2",
    "PROTECTIVE GAS": "protective_gas",
    "CORR. FILE": "correction_file",
    "REMARK": "comment",
    "SEGMENT": "step",
}


def _sniff(source: RawInput) -> float:
    if b"##" not in source.text_head or b"#EXPORTTYPE" not in source.text_head[:2000]:
        return NO
    lines = head_lines(source, 400)
    return CERTAIN if any(line.lstrip('"').startswith("##") for line in lines) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    at = next((i for i, line in enumerate(lines) if line.lstrip('"').startswith("##")), None)
    if at is None:
        raise ReadError(f"{source.name} ends before its columns are named; it is cut off. Copy it again.")
    lines[: at + 1] = _recoded(lines[: at + 1])
    delimiter = _delimiter(lines[:at], lines[at])
    header = _header(lines[:at], delimiter)
    headings = [h.lstrip("#").strip() for h in cells_of(lines[at], delimiter)]
    while headings and not headings[-1]:
        headings.pop()
    rows = [line.strip() if delimiter != "\t" else line.strip(" ") for line in lines[at + 1 :]]
    rows = [row for row in rows if row.strip(delimiter + " ")]
    if not rows:
        raise ReadError(f"{source.name} holds no rows below its headings; it is cut off. Copy it again.")
    if lines[-1].strip() and len(cells_of(rows[-1], delimiter)) < len(headings):
        raise ReadError(f"{source.name} ends within a row; it is cut off. Copy it again.")
    warnings: list[str] = []
    if lines[-1].strip():
        warnings.append("The file does not end with a whole line; its last number may be cut off.")
    decimal = "," if _first(header, "DECIMAL").upper().startswith("COMMA") else "."
    columns = columns_of(rows, delimiter, len(headings), warnings, line=at + 2, decimal=decimal)
    groups = _groups(headings)
    entries = [_entry(header, i, headings, columns, g, warnings) for i, g in enumerate(groups)]
    names = used([e.name for e in entries])
    sample = _first(header, "SAMPLE") or _first(header, "IDENTITY")
    return Measurement(
        tuple(replace(e, name=n) for e, n in zip(entries, names, strict=True)),
        title=sample or source.path.stem,
        sample=sample if len(entries) == 1 else "",
        operator=_first(header, "OPERATOR"),
        instrument=_first(header, "INSTRUMENT"),
        original_metadata=tidy_metadata({k: v[0] if len(v) == 1 else v for k, v in header.items()}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _recoded(head: list[str]) -> list[str]:
    """The header; ``#FTYPE:ASCII`` is the code page of DOS, where the degree sign is what Windows shows as ø."""
    text = "\n".join(head)
    if not re.search(r"^#FTYPE:\W*ASCII", text, re.M) or "°" in text:
        return head
    try:
        again = text.encode("cp1252").decode("cp850")
    except UnicodeError:
        return head
    return again.split("\n") if "°" in again else head


def _delimiter(head: list[str], headings: str) -> str:
    """The separator that the header names; where it is none of the headings', theirs."""
    for line in head:
        match = _KEY.match(line)
        if match and match[1].upper() == "SEPARATOR":
            words = re.findall(r"[A-Z]+", match[2].upper())
            named = _SEPARATORS.get(words[0], "") if words else ""
            if named.strip() and named in headings:
                return named
            if named == " " and not any(d in headings for d in ";\t"):
                return " "
    return next((d for d in ";\t," if d in headings), " ")


def _header(lines: list[str], delimiter: str) -> dict[str, list[str]]:
    """Keys with their values: one, or one a measurement."""
    found: dict[str, list[str]] = {}
    for line in lines:
        match = _KEY.match(clean_text(line))
        if match is None:
            continue
        rest = match[2].strip('"')
        # A value may hold a comma; only where the export is a table is there a mark right behind the key.
        if delimiter in ";\t," and rest.lstrip(" ").startswith((delimiter, '"' + delimiter)):
            cells = cells_of(rest.lstrip(' "'), delimiter)[1:]
        else:
            cells = rest.split("\t") if delimiter == "\t" else [rest.strip().rstrip(delimiter)]
        cells = [c.strip() for c in cells]
        while len(cells) > 1 and not cells[-1]:
            cells.pop()
        found.setdefault(match[1].strip(), cells or [""])
    return found


def _first(header: dict[str, list[str]], key: str) -> str:
    return _of(header, key, 0)


def _of(header: dict[str, list[str]], key: str, index: int) -> str:
    values = header.get(key, [""])
    return values[index] if index < len(values) else values[0]


def _groups(headings: list[str]) -> list[list[int]]:
    """The columns of each measurement: another begins where the first heading comes again."""
    starts = [i for i, h in enumerate(headings) if h == headings[0]]
    ends = [*starts[1:], len(headings)]
    return [list(range(a, b)) for a, b in zip(starts, ends, strict=True)]


def _split(heading: str) -> tuple[str, str | None]:
    """Name and unit: what is behind the last stroke that is in no brackets."""
    depth, at = 0, -1
    for i, sign in enumerate(heading):
        depth += (sign == "(") - (sign == ")")
        if sign == "/" and depth == 0:
            at = i
    if at <= 0 or heading[at:].casefold() in ("/lo", "/l0"):
        return heading.strip().replace("/L0", "/Lo"), None
    unit = heading[at + 1 :].strip()
    return heading[:at].strip(), unit[1:-1] if unit.startswith("(") and unit.endswith(")") else unit


def _entry(
    header: dict[str, list[str]],
    index: int,
    headings: list[str],
    columns: list[Array],
    group: list[int],
    warnings: list[str],
) -> Entry:
    names, units = zip(*(_split(headings[i]) for i in group), strict=True)
    own = [columns[i] for i in group]
    filled = np.any([np.isfinite(c) for c in own if c.dtype.kind == "f"], axis=0)
    if not np.any(filled):
        raise ReadError("The columns hold no numbers; the file is damaged.")
    own = [c[: int(np.flatnonzero(filled)[-1]) + 1] for c in own]  # shorter ones are filled up with blanks
    spelt = [_thermal_columns.spelt(u) for u in units]
    signals = _thermal_columns.named_by_unit(signals_of(names, spelt, own, _COLUMNS, warnings))
    signals = _signed(signals, _of(header, "EXO", index))
    numeric = [s.name for s in signals if s.values.dtype.kind == "f"]
    if len(numeric) < 2:
        raise ReadError("The columns hold no numbers to draw over each other; the file is damaged.")
    technique = _technique(numeric, _of(header, "MTYPE", index) + " " + _of(header, "INSTRUMENT", index))
    x, default = _thermal_columns.plot_of(signals, technique)
    if default in (x, "time") or technique in ("dilatometry", "dma"):
        others = [n for n in numeric if n not in ("time", "temperature", "segment")]
        default = next((n for n in others if n in ("length_change", "strain")), (others or [default])[0])
    sample = _of(header, "SAMPLE", index) or _of(header, "IDENTITY", index)
    return table(
        "measurement",
        technique,
        signals,
        x=x,
        default=default,
        title=clean_text(sample),
        conditions=_conditions(header, index, warnings),
        original_metadata=tidy_metadata({k: _of(header, k, index) for k in header}),
        started=_started(_of(header, "DATE/TIME", index), warnings),
    )


def _signed(signals: list[Signal], exothermic: str) -> list[Signal]:
    """DSC curves say which way is exothermic."""
    way = {"1": "exothermic up", "-1": "exothermic down"}.get(exothermic.strip().lstrip("+"), "")
    heat = ("heat_flow", "specific_heat_flow", "dsc_signal", "dsc_signal_per_mass")
    return [replace(s, long_name=f"{s.long_name} ({way})") if way and s.name in heat else s for s in signals]


def _technique(names: list[str], words: str) -> str:
    words = words.upper()
    if re.search(r"\bDMA\b", words):
        return "dma"
    if {"length_change", "strain"} & set(names):
        return "tma" if "TMA" in words else "dilatometry"
    heat = {"dsc_signal", "dsc_signal_per_mass", "specific_heat_capacity"} & set(names)
    mass = {"mass_change", "mass_loss"} & set(names)
    told = [*names, *(["heat_flow"] if heat else []), *(["mass"] if mass else [])]
    return _thermal_columns.technique_of(told, words)


def _conditions(header: dict[str, list[str]], index: int, warnings: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key in header:
        name, _, unit = key.partition("/")
        stated = _of(header, key, index)
        if (known := _NUMBERS.get(name.strip())) and (value := number(stated)):
            found[known] = Quantity(value, unit_of(unit.strip() or None, warnings))
        elif (text := _TEXTS.get(name.strip())) and stated.strip(" -"):
            found.setdefault(text, Quantity(stated[:200]))
    ramp = _RAMP.search(_of(header, "RANGE", index))
    if ramp:
        ends = (
            ("temperature_start", 1, "degC"),
            ("heating_rate", 2, "K/min"),
            ("temperature_end", 3, "degC"),
        )
        for name, group, unit in ends:
            if (limit := number(ramp[group])) is not None:
                found[name] = Quantity(limit, unit)
    return found


def _started(text: str, warnings: list[str]) -> datetime | None:
    zone = _ZONE.search(text)
    found = in_forms(_ZONE.sub("", text), _DATES, warnings)
    if found is None or zone is None or found.tzinfo is not None:
        return found
    hours, minutes = int(zone[1] or 0), int(zone[2] or 0)
    offset = timedelta(hours=hours, minutes=minutes if hours >= 0 else -minutes)
    return found.replace(tzinfo=timezone(offset)) if abs(offset) < timedelta(days=1) else found


READER = Reader(
    name="netzsch_txt",
    version="1",
    techniques=("dsc", "tga", "sta", "dilatometry", "tma", "dta", "dma"),
    vendor="NETZSCH",
    format="Proteus text export",
    endings=(".txt", ".csv"),
    sniff=_sniff,
    read=_read,
    notes=(
        "Text and CSV with either decimal mark; measurements side by side (DATA COMPARE) are entries of their own. The "
        "curves keep their sign; their labels say which way is exothermic."
    ),
)
