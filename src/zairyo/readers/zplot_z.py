"""Scribner ZPlot and ZView impedance (``.z``), which Solartron and many other programs write too.

Facts: ``ZPLOT2 ASCII``, indented lines of ``key: value`` (the experiment's settings, the user's comments), a line of
headings, ``End Comments``, and rows parted by tabs; or, older, ``"Z60W Data File``: quoted comments, a line of
settings, the number of rows, a line of headings, rows parted by commas. Columns: frequency, amplitude and bias (V, or
A where the current is controlled), time, Re(Z), Im(Z) with its own sign, and codes.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import lines_of, numbers_of, table_of
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._electrochemistry import Columns, make_entry

_MOST_BYTES = 1024**3
_BEGINS = (b"ZPLOT2 ASCII", b'"Z60W Data File', b"Z60W Data File")
_END = "End Comments"
_HEADINGS = re.compile(r'\s*"?\s*Freq\s*\(Hz\)', re.IGNORECASE)
#: Of each column's place, what it is: name, and unit where the voltage is controlled.
_COLUMNS = (
    ("frequency", "Hz"), ("voltage_amplitude", "V"), ("bias", "V"), ("time", "s"), ("z_real", "ohm"),
    ("z_imaginary", "ohm"), ("group_delay", None), ("error", ""), ("current_range_code", ""),
)  # fmt: skip
_LABELS = ("Freq(Hz)", "Ampl", "Bias", "Time(Sec)", "Z'(a)", "Z''(b)", "GD", "Err", "Range")
_DATES = ("%m-%d-%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")


def _sniff(source: RawInput) -> float:
    head = source.text_head.lstrip(b"\xef\xbb\xbf\xff\xfe \r\n").replace(b"\0", b"")
    return CERTAIN if head.startswith(_BEGINS) else NO


def _read(source: RawInput) -> Measurement:
    lines = lines_of(source.read_bytes(_MOST_BYTES))
    at = next((k for k, line in enumerate(lines) if _HEADINGS.match(line)), None)
    if at is None:
        raise ReadError(f"{source.name} has no line of headings (Freq(Hz) …); it is cut off. Copy it again.")
    told = [line.strip().strip('"').strip() for line in lines[:at]]
    start = at + 1
    while start < len(lines) and (not lines[start].strip() or lines[start].strip() == _END):
        start += 1
    warnings: list[str] = []
    pairs = _pairs(told)
    galvanostatic = "control current" in pairs.get("Experiment Type", "").casefold()
    columns = _table(lines, start, galvanostatic, warnings)
    announced = pairs.get("Data Points", next((t for t in reversed(told) if t), ""))
    rows = len(columns["frequency"])
    if announced.isdecimal() and len(announced) < 9 and int(announced) != rows:
        warnings.append(
            f"{int(announced)} points were planned, and {rows} are there: it ended early, or was cut."
        )
    entry = make_entry(
        "eis",
        "eis",
        columns,
        title=clean_text(pairs.get("Experiment Type", "")),
        started=_started(pairs, warnings),
        conditions=_conditions(pairs, told),
    )
    return Measurement(
        (entry,),
        title=clean_text(source.path.stem),
        original_metadata=tidy_metadata({"header": [t for t in told if t]}),
        warnings=tuple(dict.fromkeys([*warnings, *columns.warnings])),
    )


def _pairs(told: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in told:
        key, colon, value = line.partition(":")
        if colon and key.strip() not in found:
            found[key.strip()] = value.strip()
    return found


def _table(lines: list[str], start: int, galvanostatic: bool, warnings: list[str]) -> Columns:
    first = lines[start] if start < len(lines) else ""
    delimiter = "\t" if "\t" in first else ","
    count = min(len(first.rstrip(delimiter).split(delimiter)), len(_COLUMNS))
    if first and count < 6:
        raise ReadError(
            f"line {start + 1} has {count} cells, and an impedance needs six; the file is damaged."
        )
    columns = Columns()
    cells = table_of(lines, start, delimiter, count)
    # Programs that write only the impedance have zeros for amplitude, bias and time.
    is_bare = all(isinstance(column, np.ndarray) and not column.any() for column in cells[1:4])
    for (name, unit), label, column in zip(_COLUMNS, _LABELS, cells, strict=False):
        values = numbers_of(column, ".", label, warnings)
        if values is None:
            raise ReadError(f"the column {label!r} holds no numbers; the file is damaged.")
        if galvanostatic and name in ("voltage_amplitude", "bias"):
            name, unit = {"voltage_amplitude": "current_amplitude", "bias": "bias_current"}[name], "A"
        if not values.any() and (is_bare or name in ("group_delay", "error")):
            continue
        columns.add(name, values, unit, label)
    return columns


def _conditions(pairs: dict[str, str], told: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, name, unit in (
        ("Open Circuit Potential (V)", "open_circuit_voltage", "V"),
        ("Surface Area", "electrode_area", "cm**2"),
    ):
        try:
            value = float(pairs.get(key, ""))
        except ValueError:
            continue
        # 1 is what the program writes where nobody gave an area.
        if name != "electrode_area" or value not in (0.0, 1.0):
            found[name] = Quantity(value, unit)
    texts: dict[str, Any] = {"method": pairs.get("Experiment Type", "")}
    begin = next((k for k, line in enumerate(told) if line.startswith("Begin User Comments")), None)
    if begin is not None:
        end = next((k for k, line in enumerate(told) if line.startswith("End User Comments")), begin)
        texts["comment"] = " ".join(filter(None, told[begin + 1 : end]))
    return found | {name: Quantity(clean_text(text)) for name, text in texts.items() if text}


def _started(pairs: dict[str, str], warnings: list[str]) -> Any:
    date, time = pairs.get("Date", ""), pairs.get("Time", "")
    moment = in_forms(f"{date} {time}", _DATES)
    if (
        moment is not None
        and not re.match(r"\d{4}", date)
        and moment.day <= 12
        and moment.day != moment.month
    ):
        warnings.append(f"The date {clean_text(date)[:20]!r} is read month first; the file does not tell.")
    return moment


READER = Reader(
    name="zplot_z",
    version="1",
    techniques=("eis",),
    vendor="Scribner",
    format="ZPlot, ZView .z",
    endings=(".z", ".txt"),
    sniff=_sniff,
    read=_read,
    notes="Both forms, voltage and current controlled. Not: CorrWare's .cor.",
)
