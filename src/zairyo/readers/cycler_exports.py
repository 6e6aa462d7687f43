"""Text exports of battery cyclers that are one table under some lines of header: Novonix, BaSyTec, Arbin, Neware;
and the Battery Data Format, which converters write.

Facts. Novonix UHPC: ``[Summary]`` … ``[End Summary]``, ``[Data]``, headings with units in brackets. BaSyTec: lines that
begin ``~``, the last of them the headings, ``~Time[h]``; cells between tabs or blanks, a date and its time with a
blank between. Arbin: headings in the first line, ``Test_Time(s)`` or ``Test Time (s)``. Neware BTSDA: headings in one
of the first lines, ``DataPoint`` and so on, English or Chinese; durations as ``h:mm:ss``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Measurement, Quantity, make_name
from zairyo.measurement.text import tidy_metadata
from zairyo.readers import neware_layered
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import chinese_text, lines_of, moments_of, numbers_of, seconds_of, table_of
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._electrochemistry import Columns, make_entry, split_by_direction, time_from_moments
from zairyo.readers._text_export import decimal_of, texts
from zairyo.readers.delimited_text import is_number

Array = NDArray[Any]
_MOST_BYTES = 1024**3
_MOST_HEADER = 2000
_DATES = (
    "%d.%m.%Y %H:%M:%S",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
)
_COUNTS = frozenset({"index", "cycle", "step", "step_index"})
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
    in_lines: int = _MOST_HEADER  # the line of headings is one of so many
    lines: Callable[[bytes], list[str]] = lines_of
    step: Callable[[str], str] = lambda word: _STEPS.get(word.casefold(), word)
    units: Mapping[str, str] = field(default_factory=dict)  # of columns whose headings have none
    beginnings: Mapping[str, str] = field(default_factory=dict)  # how such a heading begins → its unit
    notes: str = "From public descriptions of the format, not from files of an instrument."


_NOVONIX = _Dialect(
    "Novonix",
    (b"Novonix", b"Potential (V)"),
    re.compile(r"\"?Date and Time.*[,;\t]\"?Run Time"),
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
        "time": "time", "dataset": "index", "datetime": "timestamp", "t-step": "step_time", "t-set": "set_time",
        "line": "step_index", "command": "step_type", "u": "voltage", "i": "current", "ah": "charge_passed",
        "ah-step": "capacity", "ah-set": "capacity", "wh-step": "energy", "wh-set": "energy",
        "cyc-count": "cycle", "count": "count", "state": "state", "r": "resistance", "t1": "temperature", "p": "power",
        "t-cyc": "cycle_time", "wh": "energy_passed",
    },
    started=("Start of Test",),
    conditions={"Name of Test": "test_protocol", "Battery": "cell", "Testchannel": "channel"},
    beginnings={"ah-": "Ah", "wh-": "Wh"},  # ``Ah-Step``, ``Wh-Cyc-Charge``: the name is the unit
)  # fmt: skip
_ARBIN = _Dialect(
    "Arbin",
    (b"Voltage",),
    re.compile(r"\ufeff?\"?(?=.*Test[_ ]Time)(?=.*Cycle[_ ]Index)(?=.*Voltage)[^\n]*[,;\t]"),
    LIKELY,
    {
        "datapoint": "index", "datetime": "timestamp", "testtime": "time", "steptime": "step_time",
        "cycleindex": "cycle", "stepindex": "step_index", "chargecapacity": "charge_capacity",
        "dischargecapacity": "discharge_capacity", "chargeenergy": "charge_energy",
        "dischargeenergy": "discharge_energy", "internalresistance": "internal_resistance", "dv/dt": "voltage_rate",
        "acr": "ac_resistance", "acimpedance": "ac_resistance", "aciphaseangle": "z_phase",
        "dq/dv": "differential_capacity", "dv/dq": "differential_voltage",
    },
    in_lines=1,
    units={  # MITS writes them out or not; it has no others
        "time": "s", "step_time": "s", "voltage": "V", "current": "A", "power": "W", "charge_capacity": "Ah",
        "discharge_capacity": "Ah", "charge_energy": "Wh", "discharge_energy": "Wh", "internal_resistance": "ohm",
        "ac_resistance": "ohm", "voltage_rate": "V/s", "z_phase": "deg", "temperature": "degC",
    },
)  # fmt: skip
_BDF = _Dialect(
    "",
    (),
    re.compile(
        r"\ufeff?\"?(?=.*(?:Test Time / s|test_time_second))(?=.*(?:Voltage / V|voltage_volt))"
        r"(?=.*(?:Current / A|current_ampere))[^\n]*[,;\t]"
    ),
    CERTAIN,
    {
        "testtimesecond": "time", "voltagevolt": "voltage", "currentampere": "current",
        "unixtimesecond": "timestamp", "testtime": "time", "unixtime": "timestamp",
        "cyclecount": "cycle", "stepcount": "step", "stepid": "step_index",
        "stepindex": "step_index", "recordindex": "index", "steptype": "step_type", "ambienttemperature": "temperature",
        "chargingcapacity": "charge_capacity", "dischargingcapacity": "discharge_capacity",
        "stepcapacity": "capacity", "netcapacity": "charge_passed", "chargingenergy": "charge_energy",
        "dischargingenergy": "discharge_energy", "stepenergy": "energy", "internalresistance": "internal_resistance",
        "realimpedance": "z_real", "imaginaryimpedance": "z_imaginary",
    },
    in_lines=1,
    units={"time": "s", "voltage": "V", "current": "A"},
    notes="Columns as the Battery Data Format names them (``Voltage / V``), from public descriptions and examples.",
)  # fmt: skip
_NEWARE = _Dialect(
    "Neware",
    (),
    re.compile(
        r"(?!.*Test[_ ]Time)"  # Arbin's
        r"[\ufeffÿþï»¿\"]*(?:DataPoint|Data Point|Record (?:number|index|ID)|数据序号|记录序号)\b(?=.*(?:Current|电流))"
        r"(?=.*(?:Voltage|电压))(?=.*(?:Step|工步))",
        re.IGNORECASE,
    ),
    CERTAIN,
    {heading.replace(" ", ""): name for heading, name in neware_layered.NAMES.items()},
    in_lines=3,
    lines=lambda data: chinese_text(data).split("\n"),
    step=neware_layered.step_of,
    notes="One row a record, in English or Chinese. Layered exports have a reader of their own.",
)
_UNITS = {"V": "auxiliary_voltage", "C": "temperature", "°C": "temperature", "℃": "temperature"}
#: Units as only these programs write them.
_SPELLED = {
    "C/s": "K/s",
    "C/min": "K/min",
    "mO": "mohm",
    "O": "ohm",
    "℃": "degC",
    "mAh/V.g": "mAh/(V*g)",
    "Ah/V.g": "Ah/(V*g)",
    "1": "",
}


def _sniff(dialect: _Dialect, source: RawInput) -> float:
    head = source.text_head
    if not head or not all(mark in head for mark in dialect.marks):
        return NO
    if dialect.in_lines < 10:
        wide = source.head[:2] in (b"\xff\xfe", b"\xfe\xff")
        head = source.head[:8192] if wide else head[: head.rfind(b"\n", 0, 8192) + 1] or head[:8192]
        lines = dialect.lines(head)[: dialect.in_lines]
    else:
        lines = head.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return dialect.sure if any(dialect.headings.match(line) for line in lines) else NO


def _split(heading: str) -> tuple[str, str, str | None]:
    match = re.fullmatch(r"\s*~?(.*?)\s*[(\[（]([^()\[\]（）]*)[)\]）]\s*", heading)
    match = match or re.fullmatch(r"\s*(.+?) / (\S.*?)\s*", heading)
    quantity, unit = (match[1], match[2]) if match else (heading.strip(" ~"), None)
    return re.sub(r"[\s_]+", "", quantity).casefold(), quantity, unit


def _rows(lines: list[str], at: int) -> tuple[list[str], list[Any], str]:
    """Headings, columns and decimal mark of the table whose headings are in line ``at``."""
    heading = lines[at].lstrip("\ufeff").strip("\r\n")
    delimiter = next((d for d in "\t;," if d in heading), " ")
    sample = next((line for line in lines[at + 1 :] if line.strip()), "")
    if '"' in sample and sample.replace('"', "").count(delimiter) == heading.replace('"', "").count(
        delimiter
    ):
        lines = [*[""] * (at + 1), *(line.replace('"', "") for line in lines[at + 1 :])]
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
    rows = [line for line in lines[at + 1 : at + 101] if line.strip()]
    decimal = "." if delimiter == "," else decimal_of(rows, delimiter)
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
        if told and told[1].endswith("?"):
            warnings.append(
                f"The dates (first {cells[0][:40]!r}) are read month first; nothing in the file tells."
            )
        return
    if not isinstance(cells, np.ndarray) and name in _TIMES and any(":" in cell for cell in cells):
        columns.add(name, seconds_of(cells), "s", text)
        return
    few = set() if isinstance(cells, np.ndarray) else set(cells)  # words repeat: asked once each
    worded = 0 < len(few) < 1000 and not any(is_number(c, decimal) for c in few)
    values = None if worded else numbers_of(cells, decimal, heading, warnings)
    if values is None:
        if any(cells):
            words = {c: dialect.step(c) for c in few} if name == "step_type" else {}
            columns.add(name, texts([words.get(c, c) for c in cells]), None, text)
        return
    if name == "timestamp" and (moments := _moments(values)) is not None:
        columns.add(name, moments, None, text)
        return
    whole = name in _COUNTS and np.isfinite(values).all() and (np.abs(values) < 2**31).all()
    if whole and (values == np.rint(values)).all():
        columns.add(name, values.astype(np.int64), "", text)
        return
    if name == "step_type":
        name = "step_code"
    if name.endswith("temperature") and unit == "C":
        unit = "degC"
    if unit is not None and set(unit) == {"?"}:
        warnings.append(f"The export lost the unit of {text!r}; it is left without.")
        unit = None
    usual = next((u for start, u in dialect.beginnings.items() if quantity.startswith(start)), None)
    unit = _SPELLED.get(unit, unit) if unit else dialect.units.get(name, usual)
    columns.add(name, values, columns.unit(unit, heading), text)


def _moments(values: Array) -> Array | None:
    """Moments out of numbers: seconds since 1970, or days since 1899-12-30 as worksheets count them."""
    for low, high, days, epoch in ((9e8, 4e9, 1 / 86400, 0.0), (2e4, 8e4, 1.0, 25569.0)):
        if ((values > low) & (values < high)).all():
            return np.rint((values * days - epoch) * 86_400_000).astype(np.int64).astype("datetime64[ms]")
    return None


def _header(dialect: _Dialect, lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        if match := dialect.header.match(line):
            found.setdefault(match["key"].strip(), match["value"].strip(' ,"'))
    return found


def _read(dialect: _Dialect, source: RawInput) -> Measurement:
    lines = dialect.lines(source.read_bytes(_MOST_BYTES))
    at = next((k for k, line in enumerate(lines[: dialect.in_lines]) if dialect.headings.match(line)), None)
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
    time_from_moments(columns)
    split_by_direction(columns)
    started = next((m for key in dialect.started if (m := in_forms(header.get(key, ""), _DATES))), None)
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
        instrument=f"{dialect.vendor} battery tester" if dialect.vendor else "",
        original_metadata=tidy_metadata({"header": header, "lines": lines[:at], "headings": names}),
        warnings=tuple(dict.fromkeys(warnings + columns.warnings)),
    )


def _reader(name: str, dialect: _Dialect, format: str, endings: tuple[str, ...]) -> Reader:
    return Reader(
        name=name,
        version="4",
        techniques=("battery_cycling",),
        vendor=dialect.vendor or "Battery Data Alliance",
        format=format,
        endings=endings,
        sniff=lambda source: _sniff(dialect, source),
        read=lambda source: _read(dialect, source),
        notes=dialect.notes,
        surest=dialect.sure,
    )


READERS = (
    _reader("novonix_csv", _NOVONIX, "UHPC export", (".csv",)),
    _reader("basytec_txt", _BASYTEC, "result file", (".txt", ".dat")),
    _reader("arbin_csv", _ARBIN, "CSV export", (".csv",)),
    _reader("bdf_csv", _BDF, "Battery Data Format (CSV)", (".bdf", ".csv")),
    _reader("neware_csv", _NEWARE, "BTSDA record table", (".csv", ".txt")),
)
