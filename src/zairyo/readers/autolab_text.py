"""Metrohm Autolab as text: what NOVA exports, and the impedance files (``.P00``) of the older FRA program.

Facts: NOVA writes one line of headings (``Potential applied (V);Time (s);WE(1).Current (A);Scan;Index;Q+``, or
``Frequency (Hz)``, ``Z' (Ω)``, ``-Z'' (Ω)``, ``Z (Ω)``, ``-Phase (°)``) and rows, between tabs, semicolons or commas,
with the computer's decimal mark. FRA writes ``Procedure : title``, when it began and ended, a description, the headings
``f/Hz``, ``Z'/Ohm``, ``-Z''/Ohm`` …, the number of rows, and rows between tabs. Both write ``-Z''``: Im(Z) is its
negative.
"""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, make_name
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import lines_of, numbers_of, table_of
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._electrochemistry import Columns, make_entry
from zairyo.readers._text_export import decimal_of, head_lines, split_name

_MOST_BYTES = 1024**3
_DELIMITERS = ("\t", ";", ",")
#: Heading without its unit → name, and whether its sign is turned.
_NAMES = {
    "potential applied": ("control_voltage", 1), "current applied": ("control_current", 1), "time": ("time", 1),
    "corrected time": ("step_time", 1), "we(1).current": ("current", 1), "we(1).potential": ("voltage", 1),
    "we(2).current": ("current_2", 1), "we(1).charge": ("charge_passed", 1), "we(1).power": ("power", 1),
    "we(1).resistance": ("resistance", 1), "scan": ("cycle", 1), "index": ("index", 1), "frequency": ("frequency", 1),
    "z'": ("z_real", 1), "-z''": ("z_imaginary", -1), "z": ("z_modulus", 1), "-phase": ("z_phase", -1),
    "f": ("frequency", 1), "edc": ("voltage", 1), "idc": ("current", 1), "temperature": ("temperature", 1),
    "q+": ("charge_positive", 1), "q-": ("charge_negative", 1),
}  # fmt: skip
_FRA_DATES = re.compile(r"(\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d\d:\d\d)\s*-")
_FRA_HEADING = re.compile(r"\s*f/Hz\s*\t.*-Z''/Ohm")


def _headings(line: str) -> tuple[list[str], str]:
    delimiter = max(_DELIMITERS, key=line.count)
    return [cell.strip().strip('"') for cell in line.strip("\ufeff\r\n").split(delimiter)], delimiter


def _sniff_nova(source: RawInput) -> float:
    first = head_lines(source, 1)
    if not first:
        return NO
    cells = {split_name(cell)[0].casefold() for cell in _headings(first[0])[0]}
    spectrum = {"frequency", "z'", "-z''", "-phase"} <= cells
    return CERTAIN if spectrum or any(cell.startswith("we(1).") for cell in cells) else NO


def _read_nova(source: RawInput) -> Measurement:
    lines = lines_of(source.read_bytes(_MOST_BYTES))
    headings, delimiter = _headings(lines[0])
    while headings and not headings[-1]:
        headings.pop()
    decimal = decimal_of([line for line in lines[1:50] if line.strip()], delimiter)
    warnings: list[str] = []
    columns = _columns(headings, lines, 1, delimiter, decimal, warnings)
    technique = _technique(columns)
    entry = make_entry(
        technique if technique != "electrochemistry" else "data",
        technique,
        columns,
        title=source.path.stem,
    )
    return _measurement(source, entry, {"headings": headings}, [*warnings, *columns.warnings])


def _columns(
    headings: list[str], lines: list[str], start: int, delimiter: str, decimal: str, warnings: list[str]
) -> Columns:
    columns = Columns()
    cells = table_of(lines, start, delimiter, len(headings), decimal)
    for heading, column in zip(headings, cells, strict=True):
        stem, unit = split_name(heading)
        if unit is None and "/" in heading:
            stem, _, unit = heading.partition("/")
        values = numbers_of(column, decimal, heading, warnings)
        if values is None:
            raise ReadError(f"the column {heading!r} holds no numbers; the file is damaged.")
        name, sign = _NAMES.get(stem.strip().casefold(), (make_name(stem, "column"), 1))
        known = "" if name in ("cycle", "index") else columns.unit(unit, heading) if unit else None
        columns.add(name, -values if sign < 0 else values, known, stem.strip().lstrip("-"))
    return columns


def _technique(columns: Columns) -> str:
    """What was measured, as far as the columns tell: only a cyclic voltammogram counts its scans."""
    if "frequency" in columns and "z_imaginary" in columns:
        return "eis"
    if "cycle" in columns and "current" in columns:
        return "cyclic_voltammetry"
    if "control_voltage" in columns and "current" in columns:
        steps = np.diff(columns["control_voltage"])
        if len(steps) and (np.all(steps > 0) or np.all(steps < 0)):
            return "linear_sweep_voltammetry"
    return "electrochemistry"


def _sniff_fra(source: RawInput) -> float:
    lines = head_lines(source, 60)
    return (
        CERTAIN
        if lines and lines[0].startswith("Procedure :") and any(map(_FRA_HEADING.match, lines))
        else NO
    )


def _read_fra(source: RawInput) -> Measurement:
    lines = [line.strip(" \r") for line in lines_of(source.read_bytes(_MOST_BYTES))]
    at = next((k for k, line in enumerate(lines) if _FRA_HEADING.match(line)), None)
    if at is None:
        raise ReadError(f"{source.name} has no line of headings (f/Hz …); it is cut off. Copy it again.")
    headings = [cell.strip() for cell in lines[at].split("\t") if cell.strip()]
    start = next((k for k in range(at + 1, len(lines)) if "\t" in lines[k]), len(lines))
    warnings: list[str] = []
    columns = _columns(headings, lines, start, "\t", ".", warnings)
    told = next((line for line in lines[at + 1 : start] if line.isdecimal()), "")
    rows = len(columns["frequency"]) if "frequency" in columns else 0
    if told and len(told) < 9 and int(told) != rows:
        warnings.append(f"{int(told)} points were planned, and {rows} are there: it ended early, or was cut.")
    head = [line for line in lines[:at] if line.strip()]
    title = clean_text(head[0].partition(":")[2].strip())
    comment = " ".join(line for line in head[2:] if not re.match(r"t\s*=", line))
    entry = make_entry(
        "eis",
        "eis",
        columns,
        title=title,
        started=_started(head),
        conditions={"comment": Quantity(clean_text(comment))} if comment else {},
    )
    return _measurement(source, entry, {"header": head}, [*warnings, *columns.warnings])


def _started(head: list[str]) -> datetime | None:
    found = next((m for line in head[:3] if (m := _FRA_DATES.match(line))), None)
    return in_forms(found[1], ("%d.%m.%Y %H:%M:%S",)) if found else None


def _measurement(
    source: RawInput, entry: Entry, told: dict[str, list[str]], warnings: list[str]
) -> Measurement:
    return Measurement(
        (entry,),
        title=clean_text(entry.title or source.path.stem),
        instrument="Metrohm Autolab",
        original_metadata=tidy_metadata(told),
        warnings=tuple(dict.fromkeys(warnings)),
    )


READERS = (
    Reader(
        name="autolab_nova_txt",
        version="1",
        techniques=("cyclic_voltammetry", "eis", "electrochemistry", "linear_sweep_voltammetry"),
        vendor="Metrohm Autolab",
        format="NOVA text export",
        endings=(".txt", ".csv"),
        sniff=_sniff_nova,
        read=_read_nova,
        notes="NOVA exports no settings: the technique is what the columns tell, and nobody says when it was measured.",
    ),
    Reader(
        name="autolab_fra",
        version="1",
        techniques=("eis",),
        vendor="Metrohm Autolab",
        format="FRA impedance .P00",
        endings=(".P00", ".txt"),
        sniff=_sniff_fra,
        read=_read_fra,
        notes="One spectrum. Not: FRA's binary files.",
    ),
)
