"""Princeton Measurements (Lake Shore) MicroMag 2900 AGM and 3900 VSM: loops, remanence and reversal curves as text.

Facts (seen in files of four laboratories): the first line names the format and its series, the second what was
measured. Series 0016: sections in capitals, key and value from column 32 on; columns of 14 characters, their names and
units in the lines above the first number (``(Oe)`` and ``(emu)``, ``(T)`` and ``(Am²)``). Series 0015: ``Key : value``
and ``Key = value``, no headings: field, moment and, where it was measured, temperature, in the units of measure
(cgs, else tesla and A m²). Blank lines part segments; of reversal curves, every other segment is the one measurement
at the calibration field. The date has the month first in every country.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal, clean_text, make_name, table, tidy_metadata
from zairyo.measurement.model import Array
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import columns_of, number, unit_of
from zairyo.readers.delimited_text import lines_of, used

_MAGIC = b"MicroMag 2900/3900 Data File"
_END = "MicroMag 2900/3900 Data File ends"
_ROW = re.compile(r"\s*[-+ ]?[\d.]+(?:E[-+]\d+)?\s*,")
_WIDTH = 14  # of a column, its comma included
_VALUE_AT = 31
_OLD = re.compile(r"(?P<key>[^:=]{1,40}?)\s*[:=]\s(?P<value>.*)")
_WHEN = ("%m/%d/%Y %H:%M",)
_NAMES = {
    "field": "magnetic_field", "moment": "magnetic_moment", "remanence": "remanent_moment",
    "adjusted_field": "magnetic_field_adjusted", "adjusted_moment": "magnetic_moment_adjusted",
    "temperature": "temperature",
}  # fmt: skip
_UNITS = {"Am²": "A*m**2", "Am2": "A*m**2", "C": "degC", "°C": "degC"}
#: Name of a condition → the keys it is found under, and its unit (of SI and of cgs).
_CONDITIONS = {
    "averaging_time": (("Averaging time",), ("s", "s")),
    "temperature": (("Temperature (measured)", "Temperature"), ("K", "K")),
    "sample_mass": (("Mass",), ("kg", "g")),
    "frequency": (("Operating frequency",), ("Hz", "Hz")),
}


def _sniff(source: RawInput) -> float:
    return CERTAIN if source.head.lstrip(b"\xef\xbb\xbf \r\n").startswith(_MAGIC) else NO


def _header(lines: list[str]) -> dict[str, Any]:
    """Keys and values, those of a section of Series 0016 under its name; what comes again is kept by the first."""
    found: dict[str, Any] = {}
    section = found
    for before, line in pairwise(["", *lines]):
        text = line.strip()
        if not before.strip() and text.isupper() and " " not in text:
            section = found.setdefault(text, {})
        elif (old := _OLD.match(text)) and not line[_VALUE_AT:].strip().startswith('"'):
            found.setdefault(old["key"].strip(), old["value"].strip(' "'))
        elif section is not found and line[:_VALUE_AT].strip() and line[_VALUE_AT:].strip():
            section.setdefault(line[:_VALUE_AT].strip(), line[_VALUE_AT:].strip(' "'))
    return found


def _flat(header: Mapping[str, Any]) -> dict[str, str]:
    """The values by their keys alone; of what two sections have, what was measured goes before what was set."""
    order = ("MEASUREMENT", "INSTRUMENT", "SAMPLE", "SETTINGS", "PROCESSING")
    flat = {k: v for name in order[::-1] for k, v in header.get(name, {}).items() if v != "N/A"}
    return {k: v for k, v in header.items() if isinstance(v, str)} | flat


def _headings(lines: list[str], width: int) -> list[tuple[str, str | None]]:
    """Name and unit of each column out of the lines above the first number; none in Series 0015."""
    above: list[str] = []
    for line in reversed(lines):
        if not line.strip() or set(line) <= set(" "):
            if above:
                break
            continue
        above.insert(0, line)
    if not above or "(" not in above[-1] or "=" in above[-1]:
        return []
    cut = [[line[k * _WIDTH : (k + 1) * _WIDTH].strip() for line in above] for k in range(width)]
    return [(" ".join(part for part in parts[:-1] if part), parts[-1].strip("()")) for parts in cut]


def _rows(lines: list[str], start: int, warnings: list[str]) -> tuple[list[str], Array]:
    """The rows of numbers and the number of the segment of each, from 1."""
    rows, segments, segment, gap = list[str](), list[int](), 0, True
    ended = False
    for line in lines[start:]:
        if line.strip() == _END:
            ended = True
            break
        if not line.strip():
            gap = True
            continue
        segment += gap
        gap = False
        rows.append(line.strip())
        segments.append(segment)
    if not ended:
        if len(rows) > 1 and (len(rows[-1]) < len(rows[-2]) or rows[-1].count(",") != rows[0].count(",")):
            raise ReadError(
                "the last line is cut off, and the line that ends the file is missing. Copy it again."
            )
        warnings.append("The line that ends the file is missing; data may be missing, too.")
    return rows, np.array(segments)


def _signals(
    rows: list[str], start: int, lines: list[str], known: Mapping[str, str], warnings: list[str]
) -> list[Signal]:
    width = max(row.count(",") for row in rows) + 1
    cgs = known.get("Units of measure", "").casefold() == "cgs"
    plain = [("Field", "Oe" if cgs else "T"), ("Moment", "emu" if cgs else "A*m**2"), ("Temperature", "K")]
    headings = _headings(lines[:start], width) or plain[:width]
    if len(headings) < width:
        raise ReadError(f"line {start + 1} has {width} cells where the headings are {len(headings)}.")
    columns = columns_of(rows, ",", width, warnings, line=start + 1, decimal=".")
    names = used([_NAMES.get(name := make_name(text), name) for text, _ in headings])
    signals = []
    for name, (text, unit), values in zip(names, headings, columns, strict=True):
        if values.dtype.kind != "f":
            raise ReadError(f"the column {text!r} holds no numbers; the file is damaged.")
        if unit == "*":  # Normalized Moment
            name, unit = _normalised(known, cgs)
        signals.append(Signal(name, values, unit_of(unit, warnings, _UNITS), long_name=clean_text(text)))
    return signals


def _normalised(known: Mapping[str, str], cgs: bool) -> tuple[str, str | None]:
    if known.get("Normalization") == "by mass":
        return "magnetisation", "emu/g" if cgs else "A*m**2/kg"
    return "magnetic_moment_normalised", None


def _conditions(known: Mapping[str, str]) -> dict[str, Quantity]:
    cgs = known.get("Units of measure", "").casefold() == "cgs"
    found = dict[str, Quantity]()
    for name, (keys, (si, other)) in _CONDITIONS.items():
        value = next((v for k in keys if (v := number(known.get(k, ""))) is not None), None)
        unit = other if cgs else si
        if name == "temperature" and known.get("Temperature in", "").casefold() == "celsius":
            unit = "degC"
        if value is not None and (unit != "K" or value > 0):
            found[name] = Quantity(value, unit)
    if software := known.get("Software version"):
        found["software_version"] = Quantity(clean_text(software))
    return found


def _started(known: Mapping[str, str], lines: list[str]) -> datetime | None:
    dates = [known.get("Measured on", ""), *(line.strip() for line in lines[2:12])]
    return next((moment for text in dates if (moment := in_forms(text, _WHEN))), None)


def _read(source: RawInput) -> Measurement:
    lines = lines_of(source.read_bytes().lstrip(b"\xef\xbb\xbf").decode("latin-1"))
    start = next((k for k, line in enumerate(lines) if _ROW.match(line) and not line.startswith("00")), None)
    if start is None:
        raise ReadError(f"{source.name} holds no measured field and moment; it is cut off. Copy it again.")
    warnings: list[str] = []
    header = _header(lines[1:start])
    known = _flat(header)
    rows, segments = _rows(lines, start, warnings)
    signals = _signals(rows, start, lines, known, warnings)
    told = header.get("SCRIPT", {}).get("Number of data", known.get("NData", ""))
    if told.isdigit() and int(told) != len(rows):
        warnings.append(f"The header announces {int(told)} data; the file holds {len(rows)}.")
    if segments[-1] > 1:
        signals.append(Signal("segment", segments, "", long_name="Segment"))
    moments = ("magnetic_moment", "remanent_moment")
    default = next((s.name for s in signals if s.name in moments), signals[-1].name)
    what = clean_text(lines[1].strip())
    sample = clean_text(known.get("Description", "").strip() or _described(lines))
    entry = table(
        "magnetometry",
        "magnetometry",
        signals,
        x=signals[0].name,
        default=default,
        title=what,
        started=_started(known, lines),
        conditions=_conditions(known),
    )
    kind = known.get("Configuration", "")
    return Measurement(
        (entry,),
        title=sample or source.path.stem,
        sample=sample,
        instrument=f"Princeton Measurements MicroMag {clean_text(kind)}".strip(),
        original_metadata=tidy_metadata(
            {"measurement": what, "header": header, "lines": [line for line in lines[:start] if line.strip()]}
        ),
        warnings=tuple(warnings),
    )


def _described(lines: list[str]) -> str:
    """In Series 0015, the line below the date."""
    at = next((k for k, line in enumerate(lines[:12]) if in_forms(line.strip(), _WHEN)), None)
    return lines[at + 1].strip(' "') if at is not None and at + 1 < len(lines) else ""


READER = Reader(
    name="micromag",
    version="1",
    techniques=("magnetometry",),
    vendor="Princeton Measurements, Lake Shore",
    format="MicroMag 2900/3900 data file",
    endings=(".001", ".txt", ".agm", ".vsm", ".frc"),
    sniff=_sniff,
    read=_read,
    notes="Hysteresis loops, remanence curves and first-order reversal curves (FORC); a number tells segments apart.",
)
