"""Shimadzu LabSolutions' ASCII export (LC, GC, PDA): sections in square brackets, with keys and then rows of numbers.

Sections are known by their form, not by their names, so that an export in another language is read too: two columns of
numbers are a trace, columns below wavelengths are a diode array's spectra.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    Quantity,
    Signal,
    clean_text,
    make_name,
    table,
    tidy_metadata,
)
from zairyo.measurement.model import Array
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._separation import (
    local_moment,
    number_condition,
    quantity_of,
    text_condition,
    trace,
    unique,
    unit_of,
)

_MOST_SECTIONS = 10_000
_SECTION = re.compile(r"^\[(.+)\][\t,;]*\s*$")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?\Z")
#: Keys by what they mean, in English and Japanese.
_KEYS = {
    "points": r"# of Points|データ(?:ポイント)?点?数|ポイント数",
    "unit": r"Intensity Units?|強度(?:の)?単位",
    "factor": r"Intensity Multiplier|強度(?:の)?(?:係数|倍率|乗数)",
    "wavelength": r"(?:Wavelength|波長)\(nm\)",
    "first_wavelength": r"Start Wavelength|開始波長",
    "sample": r"Sample Name|試料名|サンプル名",
    "operator": r"Operator Name|オペレータ名?|分析者",
    "volume": r"Injection Volume|注入量",
    "vial": r"Vial#|Vial #|バイアル(?:番号|#)?",
    "dilution": r"Dilution Factor|希釈(?:率|倍率)",
    "method": r"Method File(?: Name)?|メソッドファイル(?:名)?",
    "acquired": r"Acquired|分析日時|Date Acquired",
    "instrument": r"Instrument Name|装置名",
    "written": r"Output Date|出力日付?",
    "generated": r"Generated|作成日時?",
    "changed": r"Modified|更新日時?|変更日時?",
}
_PEAK_COLUMNS = (
    (r"R\.?\s*Time|Ret\.?\s*Time|保持時間", "retention_time", "min"),
    (r"I\.?\s*Time|開始時間", "peak_start", "min"),
    (r"F\.?\s*Time|終了時間", "peak_end", "min"),
    (r"Area\Z|面積\Z", "peak_area", None),
    (r"Height\Z|高さ\Z", "peak_height", None),
    (r"Area%|面積%", "area_fraction", "percent"),
    (r"Conc\.?|濃度", "concentration", None),
    (r"Name|化合物名|名前", "compound", None),
)


@dataclass
class _Section:
    """One section: its keys with their cells, and its rows behind them."""

    name: str
    line: int
    keys: dict[str, str] = field(default_factory=dict)
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def get(self, meaning: str) -> str:
        pattern = re.compile(_KEYS[meaning])
        return next((value for key, value in self.keys.items() if pattern.match(key)), "")


def sniff(src: RawInput) -> float:
    if not src.text_head[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \r\n").startswith(b"["):
        return NO
    head = decode_legacy(src.head[:6000]).lstrip("﻿ \r\n")
    first = _SECTION.match(head.split("\n", 1)[0].strip("\r"))
    named = re.search(r"LabSolutions|GCsolution|LCsolution|GC Solution|Shimadzu|島津", head)
    return (
        CERTAIN if first and named and re.search(r"Application Name|アプリケーション|\.[lg]cd", head) else NO
    )


def read(src: RawInput) -> Measurement:
    sections = _sections(decode_legacy(src.read_bytes()), src.name)
    told = {meaning: next((s.get(meaning) for s in sections if s.get(meaning)), "") for meaning in _KEYS}
    is_gas = any(re.search(r"GC|\.gcd", v) for s in sections[:3] for v in s.keys.values())
    warnings: list[str] = []
    dates = [s.get(key) for s in sections for key in ("written", "generated", "changed")]
    shared: dict[str, Any] = {
        "conditions": _conditions(told),
        "started": local_moment(told["acquired"], dates, warnings),
    }
    taken: set[str] = set()
    entries: list[Entry] = []
    for section in sections:
        if entry := _entry(section, "gc" if is_gas else "lc", taken, warnings, shared):
            entries.append(entry)
    if not entries:
        raise ReadError(f"{src.name} holds no chromatogram; export it again with its data points")
    metadata = {s.name if i == 0 or s.name else str(i): s.keys for i, s in enumerate(sections) if s.keys}
    return Measurement(
        entries=tuple(sorted(entries, key=lambda e: e.is_table)),
        title=told["sample"] or src.name,
        sample=told["sample"],
        operator=told["operator"],
        instrument=f"Shimadzu {told['instrument']}".strip(),
        original_metadata=tidy_metadata(metadata),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _conditions(told: dict[str, str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    text_condition(found, "method", re.split(r"[\\/]", told["method"])[-1])
    text_condition(found, "vial", told["vial"])
    for meaning, name, unit in (("volume", "injection_volume", "ul"), ("dilution", "dilution", "")):
        if _NUMBER.match(told[meaning]):
            number_condition(found, name, float(told[meaning].replace(",", ".")), unit)
    return found


# --- the text -----------------------------------------------------------------------------------------------


def _sections(text: str, name: str) -> list[_Section]:
    lines = text.splitlines()
    separator = next((mark for mark in "\t;" if any(mark in line for line in lines[:50])), ",")
    starts = [i for i, line in enumerate(lines) if _SECTION.match(line.strip("\ufeff"))]
    if len(starts) > _MOST_SECTIONS:
        raise ReadError(f"{name} has more than {_MOST_SECTIONS} sections; it is damaged")
    found = []
    for start, end in pairwise([*starts, len(lines)]):
        match = _SECTION.match(lines[start].strip("\ufeff"))
        title = clean_text(match[1]) if match else ""
        found.append(
            _section(
                title, start + 1, [line.split(separator) for line in lines[start + 1 : end] if line.strip()]
            )
        )
    return found


def _section(title: str, line: int, rows: list[list[str]]) -> _Section:
    """Numbers at a section's end are its rows; the line before them names the columns; the others are keys."""
    first = len(rows)
    while first and len(rows[first - 1]) > 1 and _NUMBER.match(rows[first - 1][0].strip()):
        first -= 1
    has_rows = 0 < first < len(rows) and len(rows[first - 1]) > 1
    section = _Section(title, line, rows=rows[first:] if has_rows else [])
    if has_rows:
        section.header = [clean_text(cell.strip()) for cell in rows[first - 1]]
    for cells in rows[: first - 1 if has_rows else len(rows)]:
        section.keys[clean_text(cells[0].strip())] = clean_text(
            " ".join(c.strip() for c in cells[1:]).strip()
        )
    return section


def _numbers(rows: list[list[str]], columns: int, section: _Section) -> Array:
    """Rows of ``columns`` numbers, decimal marks of either kind."""
    flat = [cell.strip() for row in rows for cell in row[:columns]]
    if len(flat) != columns * len(rows):
        raise ReadError(
            f"section [{section.name}] (line {section.line}) has rows of fewer than {columns} cells; it is cut off"
        )
    try:
        values = np.array(flat, float)
    except ValueError:
        try:
            values = np.array([cell.replace(",", ".") for cell in flat], float)
        except ValueError as e:
            raise ReadError(
                f"section [{section.name}] (line {section.line}) has a cell that is no number: {e}"
            ) from None
    if not np.isfinite(values).all():
        raise ReadError(f"section [{section.name}] (line {section.line}) has a cell that is no number")
    return values.reshape(len(rows), columns)


# --- entries ------------------------------------------------------------------------------------------------


def _entry(
    section: _Section, technique: str, taken: set[str], warnings: list[str], shared: dict[str, Any]
) -> Entry | None:
    if not section.rows or not section.header:
        return None
    named = [cell for cell in section.header if cell]
    if all(_NUMBER.match(cell) for cell in named) and len(named) > 1:
        return _spectra(section, taken, warnings, shared)
    if len(named) in (2, 3) and section.get("points"):
        return _chromatogram(section, technique, taken, warnings, shared)
    if re.search(r"Peak Table|ピーク(?:テーブル|表)|Compound Results|定量結果", section.name):
        return _peaks(section, technique, taken, shared)
    return None


def _scaled(section: _Section, values: Array, warnings: list[str]) -> tuple[Array, str | None, str]:
    stated = section.get("unit")
    factor = section.get("factor").replace(",", ".")
    if factor and not _NUMBER.match(factor):
        raise ReadError(f"section [{section.name}] has the factor {factor[:20]!r}, which is no number")
    return values * float(factor or 1.0), unit_of(stated, warnings), stated


def _announced(section: _Section, there: int) -> None:
    points = section.get("points")
    if points.isdecimal() and len(points) < 10 and int(points) > there:
        raise ReadError(
            f"section [{section.name}] (line {section.line}) announces {points} points, but holds {there}; the file is "
            "cut off. Export it again."
        )


def _chromatogram(
    section: _Section, technique: str, taken: set[str], warnings: list[str], shared: dict[str, Any]
) -> Entry:
    values = _numbers(section.rows, 2, section)
    _announced(section, len(values))
    scaled, unit, stated = _scaled(section, values[:, 1], warnings)
    conditions = dict(shared["conditions"])
    inner = re.search(r"\((.+)\)\s*\Z", section.name)
    title = inner[1] if inner else section.name
    text_condition(conditions, "detector", title)
    wavelength = section.get("wavelength").replace(",", ".")
    if _NUMBER.match(wavelength) and float(wavelength) > 0:
        conditions["detection_wavelength"] = Quantity(float(wavelength), "nm")
    name = unique(taken, make_name(title, "chromatogram"))
    signal = quantity_of(unit, stated)
    return trace(
        name, technique, values[:, 0], scaled, unit=unit, signal=signal, title=section.name,
        **{**shared, "conditions": conditions},
    )  # fmt: skip


def _spectra(section: _Section, taken: set[str], warnings: list[str], shared: dict[str, Any]) -> Entry:
    """A diode array: wavelengths (or hundred times them) above the columns, times before the rows."""
    wavelengths = np.array([float(cell.replace(",", ".")) for cell in section.header if cell])
    values = _numbers(section.rows, len(wavelengths) + 1, section)
    first = section.get("first_wavelength").replace(",", ".")
    stated = float(first) if _NUMBER.match(first) else 0.0
    if wavelengths[0] > 5000 or (stated > 0 and abs(wavelengths[0] / stated - 100) < 1):
        wavelengths = wavelengths / 100
    scaled, unit, _ = _scaled(section, values[:, 1:], warnings)
    axes = (Axis("time", values[:, 0], "min"), Axis("wavelength", wavelengths, "nm"))
    signal = Signal("absorbance", scaled, unit, ("time", "wavelength"))
    name = unique(taken, "spectra")
    return Entry(name, "lc", axes, (signal,), title=section.name, **shared)


def _peaks(section: _Section, technique: str, taken: set[str], shared: dict[str, Any]) -> Entry | None:
    columns: list[Signal] = []
    used: set[str] = set()
    for i, header in enumerate(section.header):
        for pattern, name, unit in _PEAK_COLUMNS:
            if name in used or not re.match(pattern, header):
                continue
            cells = [row[i].strip() if i < len(row) else "" for row in section.rows]
            used.add(name)
            if name == "compound":
                columns.append(Signal(name, np.array([clean_text(cell) for cell in cells])))
            else:
                numbers = [float(c.replace(",", ".")) if _NUMBER.match(c) else np.nan for c in cells]
                columns.append(Signal(name, np.array(numbers), unit))
            break
    if "retention_time" not in used or not {"peak_area", "peak_height"} & used:
        return None
    default = "peak_area" if "peak_area" in used else "peak_height"
    if not np.isfinite(next(c.values for c in columns if c.name == default)).any():
        return None
    name = unique(taken, "peaks")
    return table(name, technique, columns, x="retention_time", default=default, title=section.name, **shared)


READER = Reader(
    name="shimadzu_txt",
    version="2",
    techniques=("lc", "gc"),
    vendor="Shimadzu",
    format="LabSolutions ASCII",
    endings=(".txt", ".csv"),
    sniff=sniff,
    read=read,
    notes="Chromatograms of every detector, diode-array spectra and tables of peaks, in English and Japanese. Not "
    "read: sections of mass spectra.",
)
