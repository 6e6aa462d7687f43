"""TA Instruments Universal Analysis and Q-series text: DSC, TGA, SDT, TMA and DMA of the Q series and before.

Facts: lines of a key, a tab and values (``Size<tab>10.35<tab>mg``, ``Sig1<tab>Time (min)``, many ``OrgMethod``), then
``StartOfData`` and rows of the signals; often UTF-16. Rows whose time is below zero mark the ends of segments.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers import _rheology, _thermal_columns
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import (
    columns_of,
    head_lines,
    number,
    quantity,
    read_lines,
    signals_of,
    split_name,
    unit_of,
)

_SIGNAL = re.compile(r"Sig(\d{1,2})\s+(.*\S)")
_DATES = (
    "%d-%b-%y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%d-%b-%y %H:%M",
    "%m/%d/%Y %H:%M:%S",
)
_RAMP = re.compile(r"Ramp\s+(-?[\d.,]+)\s*°?\s*C/min\s+to\s+(-?[\d.,]+)", re.IGNORECASE)
_SPELLINGS = {
    "C": "degC",
    "°C": "degC",
    "Ã‚Â°C": "degC",
    "cm³/min": "ml/min",
    "mL/min": "ml/min",
    "%": "percent",
}


def _sniff(source: RawInput) -> float:
    lines = head_lines(source) if b"StartOfData" in source.text_head else ()
    if not any(x.strip() == "StartOfData" for x in lines):
        return NO
    return (
        CERTAIN if any(_SIGNAL.match(x) for x in lines) and any(x.startswith("Nsig") for x in lines) else NO
    )


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    at = next((i for i, x in enumerate(lines) if x.strip() == "StartOfData"), None)
    if at is None:
        raise ReadError(f"{source.name} ends before its data; it is cut off. Copy it again.")
    header, signals_said = _header(lines[:at])
    if len(signals_said) < 2:
        raise ReadError(f"{source.name} names no signals (Sig1, Sig2 …) before its data; it is damaged.")
    rows = [x.strip() for x in lines[at + 1 :] if x.strip()]
    if rows and lines[-1].strip() and len(rows[-1].split()) < len(signals_said):
        raise ReadError(
            f"line {len(lines)} of {source.name} is half a row; the file is cut off there. Copy it again."
        )
    rows = [x for x in rows if not re.match(r"[A-Za-z]", x)]
    if not rows:
        raise ReadError(f"{source.name} holds no rows; nothing was measured, or it is cut off.")
    warnings: list[str] = []
    delimiter = "\t" if "\t" in rows[0] else " "
    columns = columns_of(rows, delimiter, len(signals_said), warnings, line=at + 2)
    names, units = zip(*(split_name(s) for s in signals_said), strict=True)
    time = next(
        (c for n, c in zip(names, columns, strict=True) if n.lower() == "time" and c.dtype.kind == "f"), None
    )
    if time is not None and np.any(time < 0) and np.any(time >= 0):
        columns = [c[~(time < 0)] for c in columns]
    mechanical = any("modulus" in n.lower() for n in names)
    rules = [*_rheology.COLUMNS, *_thermal_columns.COLUMNS] if mechanical else _thermal_columns.COLUMNS
    signals = _thermal_columns.named_by_unit(signals_of(names, units, columns, rules, warnings, _SPELLINGS))
    numeric = [s.name for s in signals if s.values.dtype.kind == "f"]
    if len(numeric) < 2:
        raise ReadError(f"{source.name} holds no numbers in its signals; it is damaged.")
    instrument = str(header.get("Instrument", ""))
    technique = "dma" if mechanical else _thermal_columns.technique_of(numeric, instrument)
    x, default = _rheology.plot_of(signals) if mechanical else _thermal_columns.plot_of(signals, technique)
    entry = table(
        "data",
        technique,
        signals,
        x=x,
        default=default,
        conditions=_conditions(header, warnings),
        started=in_forms(f"{header.get('Date', '')} {header.get('Time', '')}", _DATES),
    )
    return Measurement(
        (entry,),
        title=str(header.get("Sample", "")) or source.path.stem,
        sample=str(header.get("Sample", "")),
        operator=str(header.get("Operator", "")),
        instrument=f"TA Instruments {instrument}".strip(),
        original_metadata=tidy_metadata(header),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _header(lines: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Keys with their values, those that come again as lists; and the signals in order."""
    header: dict[str, Any] = {}
    signals: dict[int, str] = {}
    for line in lines:
        if m := _SIGNAL.match(line):
            signals[int(m[1])] = clean_text(m[2])
            continue
        key, _, value = clean_text(line).strip().partition("\t" if "\t" in line else " ")
        value = " ".join(value.split("\t")).strip()
        if not key:
            continue
        before = header.get(key)
        header[key] = (
            value if before is None else [*before, value] if isinstance(before, list) else [before, value]
        )
    return header, [signals[k] for k in sorted(signals)]


def _conditions(header: dict[str, Any], warnings: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    size = quantity(str(header.get("Size", "")))
    if size is not None and size[1]:
        unit = unit_of(size[1], warnings, _SPELLINGS)
        found["sample_mass" if unit in ("mg", "g", "ug") else "sample_length"] = Quantity(size[0], unit)
    steps = header.get("OrgMethod", [])
    ramps = [m for s in (steps if isinstance(steps, list) else [steps]) if (m := _RAMP.search(s))]
    if ramps:
        rate, end = number(ramps[0][1]), number(ramps[0][2])
        found |= {} if rate is None else {"heating_rate": Quantity(rate, "K/min")}
        found |= {} if end is None else {"temperature_end": Quantity(end, "degC")}
    for key, name in (
        ("InstSerial", "instrument_serial"),
        ("Comment", "comment"),
        ("Method", "method"),
        ("Xcomment", ""),
    ):
        value = header.get(key)
        if name and isinstance(value, str) and value:
            found[name] = Quantity(value)
    return found


READER = Reader(
    name="ta_universal",
    version="2",
    techniques=("dsc", "tga", "sta", "tma", "dta", "dma"),
    vendor="TA Instruments",
    format="Universal Analysis text",
    endings=(".txt",),
    sniff=_sniff,
    read=_read,
    notes="Text of DSC, TGA, SDT, TMA and DMA with all signals. The marks between segments are left out.",
)
