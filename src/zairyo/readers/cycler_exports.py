"""Text exports of battery cyclers that are one table under some lines of header: Novonix, BaSyTec, Arbin.

Facts. Novonix UHPC: ``[Summary]`` … ``[End Summary]``, ``[Data]``, headings with units in brackets. BaSyTec: lines that
begin ``~``, the last of them the headings, ``~Time[h]``; cells between tabs or blanks, a date and its time with a
blank between. Arbin: headings in the first line, ``Test_Time(s)`` or ``Test Time (s)``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity, make_name
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import lines_of, moment_of, moments_of, numbers_of, seconds_of, table_of
from zairyo.readers._electrochemistry import Columns, make_entry, split_by_direction
from zairyo.readers._text_export import texts

_MOST_BYTES = 1024**3
_MOST_HEADER = 2000
_DATES = (
    "%d.%m.%Y %H:%M:%S",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
)
_COUNTS = frozenset({"index", "cycle", "step_index"})
_TIMES = frozenset({"time", "step_time"})
_STEPS = {"pause": "rest", "rest": "rest", "charge": "charge", "discharge": "discharge"}
_USUAL = {
    "voltage": "voltage", "current": "current", "capacity": "capacity", "energy": "energy", "power": "power",
    "temperature": "temperature",
}  # fmt: skip


@dataclass(frozen=True)
class _Dialect:
    """One program's export: what its beginning holds, its line of headings, its names (lower case, no blanks)."""

    vendor: str
    marks: tuple[bytes, ...]
    headings: re.Pattern[str]
    sure: float
    names: Mapping[str, str]
    header: re.Pattern[str] = re.compile(r"~?\s*(?P<key>[^:,~\[]{1,60}?)\s*:\s*(?P<value>.*)")
    started: tuple[str, ...] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)


_NOVONIX = _Dialect(
    "Novonix",
    (b"Novonix", b"Potential (V)"),
    re.compile(r"Date and Time.*,Run Time"),
    CERTAIN,
    {
        "dateandtime": "timestamp", "cyclenumber": "cycle", "steptype": "step_type", "runtime": "time",
        "steptime": "step_time", "potential": "voltage", "stepnumber": "step_index",
        "circuittemperature": "circuit_temperature",
    },
    started=("Started",),
    conditions={"Protocol": "test_protocol", "Cell": "cell", "Serial": "instrument_serial"},
)  # fmt: skip
_BASYTEC = _Dialect(
    "BaSyTec",
    (b"asytec", b"Time["),
    re.compile(r"~?Time\[", re.IGNORECASE),
    CERTAIN,
    {
        "time": "time", "dataset": "index", "datetime": "timestamp", "t-step": "step_time", "t-set": "step_time",
        "line": "step_index", "command": "step_type", "u": "voltage", "i": "current", "ah": "charge_passed",
        "ah-step": "capacity", "ah-set": "capacity", "wh-step": "energy", "wh-set": "energy",
        "cyc-count": "cycle", "count": "count", "state": "state", "r": "resistance", "t1": "temperature", "p": "power",
    },
    started=("Start of Test",),
    conditions={"Name of Test": "test_protocol", "Battery": "cell", "Testchannel": "channel"},
)  # fmt: skip
_ARBIN = _Dialect(
    "Arbin",
    (b"Voltage",),
    re.compile(r"\ufeff?\"?(?=.*Test[_ ]Time)(?=.*Cycle[_ ]Index)(?=.*Voltage)[^\n]*,"),
    LIKELY,
    {
        "datapoint": "index", "datetime": "timestamp", "testtime": "time", "steptime": "step_time",
        "cycleindex": "cycle", "stepindex": "step_index", "chargecapacity": "charge_capacity",
        "dischargecapacity": "discharge_capacity", "chargeenergy": "charge_energy",
        "dischargeenergy": "discharge_energy", "internalresistance": "internal_resistance", "dv/dt": "voltage_rate",
        "acr": "ac_resistance",
    },
)  # fmt: skip
_UNITS = {"V": "auxiliary_voltage", "C": "temperature", "°C": "temperature"}


def _sniff(dialect: _Dialect, source: RawInput) -> float:
    head = source.text_head
    if not all(mark in head for mark in dialect.marks):
        return NO
    lines = head.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = lines[:1] if dialect is _ARBIN else lines
    first = [line.removeprefix("ï»¿") for line in first]
    return dialect.sure if any(dialect.headings.match(line) for line in first) else NO


def _split(heading: str) -> tuple[str, str, str | None]:
    match = re.fullmatch(r"\s*~?(.*?)\s*[(\[]([^()\[\]]*)[)\]]\s*", heading)
    quantity, unit = (match[1], match[2]) if match else (heading.strip(" ~"), None)
    return re.sub(r"[\s_]+", "", quantity).casefold(), quantity, unit


def _rows(lines: list[str], at: int) -> tuple[list[str], list[Any], str]:
    """Headings, columns and decimal mark of the table whose headings are in line ``at``."""
    heading = lines[at].lstrip("\ufeff").strip("\r\n")
    delimiter = next((d for d in "\t;," if d in heading), " ")
    sample = next((line for line in lines[at + 1 :] if line.strip()), "")
    if delimiter == " ":
        names = heading.split()
        body = [re.sub(r"\s+", "\t", line.strip()) for line in lines[at + 1 :]]
        if "DateTime" in names:  # a date and its time have a blank between them
            place = names.index("DateTime")
            pattern = re.compile(rf"((?:[^\t]*\t){{{place}}}[^\t]*)\t")
            body = [pattern.sub(r"\1 ", line, count=1) for line in body]
        lines, delimiter = [*[""] * (at + 1), *body], "\t"
    else:
        names = [name.strip(' "') for name in heading.rstrip(delimiter + " ").split(delimiter)]
    decimal = (
        ","
        if delimiter != "," and re.search(r"\d,\d", sample) and not re.search(r"\d\.\d\D", sample)
        else "."
    )
    return names, table_of(lines, at + 1, delimiter, len(names), decimal), decimal


def _add(
    columns: Columns, dialect: _Dialect, heading: str, cells: Any, decimal: str, warnings: list[str]
) -> None:
    quantity, text, unit = _split(heading)
    name = (
        dialect.names.get(quantity)
        or _USUAL.get(quantity)
        or _UNITS.get(unit or "")
        or make_name(text, "column")
    )
    if not isinstance(cells, np.ndarray) and name == "timestamp":
        told = moments_of([cell.strip('"') for cell in cells])
        columns.add(name, told[0] if told else texts(cells), None, text)
        return
    if not isinstance(cells, np.ndarray) and name in _TIMES and any(":" in cell for cell in cells):
        columns.add(name, seconds_of(cells), "s", text)
        return
    values = numbers_of(cells, decimal, heading, warnings)
    if values is None:
        if any(cells):
            words = [_STEPS.get(c.casefold(), c) for c in cells] if name == "step_type" else cells
            columns.add(name, texts(words), None, text)
        return
    whole = name in _COUNTS and np.isfinite(values).all() and (np.abs(values) < 2**31).all()
    if whole and (values == np.rint(values)).all():
        columns.add(name, values.astype(np.int64), "", text)
        return
    if name == "step_type":
        name = "step_code"
    if name.endswith("temperature") and unit == "C":
        unit = "degC"
    columns.add(name, values, columns.unit(unit, heading), text)


def _header(dialect: _Dialect, lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        if match := dialect.header.match(line):
            found.setdefault(match["key"].strip(), match["value"].strip(' ,"'))
    return found


def _read(dialect: _Dialect, source: RawInput) -> Measurement:
    lines = lines_of(source.read_bytes(_MOST_BYTES))
    at = next((k for k, line in enumerate(lines[:_MOST_HEADER]) if dialect.headings.match(line)), None)
    if at is None:
        raise ReadError(
            f"{source.name} has no line of headings; it is cut off or no {dialect.vendor} export."
        )
    header = _header(dialect, lines[:at])
    names, cells, decimal = _rows(lines, at)
    columns, warnings = Columns(), list[str]()
    for heading, column in zip(names, cells, strict=True):
        if heading.strip(" ~"):
            _add(columns, dialect, heading, column, decimal, warnings)
    split_by_direction(columns)
    started = next((m for key in dialect.started if (m := moment_of(header.get(key, ""), _DATES))), None)
    started = started or columns.started()
    conditions = {name: Quantity(header[key]) for key, name in dialect.conditions.items() if header.get(key)}
    entry = make_entry(
        "cycling",
        "battery_cycling",
        columns,
        title=source.path.stem,
        started=started,
        conditions=conditions,
    )
    return Measurement(
        (entry,),
        title=source.path.stem,
        instrument=f"{dialect.vendor} battery tester",
        original_metadata=tidy_metadata({"header": header, "lines": lines[:at], "headings": names}),
        warnings=tuple(dict.fromkeys(warnings + columns.warnings)),
    )


def _reader(name: str, dialect: _Dialect, format: str, endings: tuple[str, ...]) -> Reader:
    return Reader(
        name=name,
        version="1",
        techniques=("battery_cycling",),
        vendor=dialect.vendor,
        format=format,
        endings=endings,
        sniff=lambda source: _sniff(dialect, source),
        read=lambda source: _read(dialect, source),
        notes="From public descriptions of the format, not from files of an instrument.",
        surest=dialect.sure,
    )


READERS = (
    _reader("novonix_csv", _NOVONIX, "UHPC export", (".csv",)),
    _reader("basytec_txt", _BASYTEC, "result file", (".txt", ".dat")),
    _reader("arbin_csv", _ARBIN, "CSV export", (".csv",)),
)
