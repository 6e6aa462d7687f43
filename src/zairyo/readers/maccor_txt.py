"""Maccor text exports (MIMS Client, Maccor Export), separated by tabs, commas or semicolons, in their generations.

Facts: some lines of header, a line of headings that begins with ``Rec``, then a row a record. Headings come with a
unit in their name (``Amp-hr``, ``mAmps``), in brackets (``Current (A)``) or without. Current and capacity are
unsigned; the state of a record says whether the cell is charged (C), discharged (D) or rests (R). Capacity and
energy begin anew with each step. Times are numbers in a unit that the heading says, or ``2d 03:04:05``. A column
``Aux #1`` is followed by one that says its unit in each row. An input without its sensor is written all the same, as
any temperature (−2501.7 C): what is below absolute zero is not taken for one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Measurement, Quantity, make_name, units
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import lines_of, moments_of, numbers_of, seconds_of, table_of
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._electrochemistry import Columns, make_entry
from zairyo.readers._text_export import texts

Array = NDArray[Any]
_MOST_BYTES = 1024**3
_HEADING = re.compile(
    rb"^\s*\"?(Rec(?:#|Num|ord)?|Cyc#|Cyc(?:le)? ?[PC]?)\"?[\t,;].*(?:Amp|Cur|Volt)", re.MULTILINE
)
_MINE = (b"Today's Date", b"Today''s Date", b"Date of Test", b"DPt Time", b"DPT Time", b"DPtTime", b"Rec#")
_KEYS = re.compile(
    r"(Today'{1,2}s Date|Date of Test|File ?name|Tester Channel|Channel|Procedure|Description|Comment/Barcode"
    r"|Barcode|Comments?|Serial Number|Test Name|S(?:pec)?Cap|Mass)\s*(?::|(?=\s\d))\s*",
    re.IGNORECASE,
)
_DATES = (
    "%d %B %Y, %I:%M:%S %p",
    "%d %B %Y",
    "%A, %B %d, %Y, %I:%M:%S %p",
    "%B %d, %Y, %I:%M:%S %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%d-%b-%y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
)
#: Heading without its unit, in lower case without blanks → name and, where the heading says none, the unit.
_NAMES = {
    "rec#": ("index", ""), "rec": ("index", ""), "recnum": ("index", ""), "record": ("index", ""),
    "cyc#": ("cycle", ""), "cyclep": ("cycle", ""), "cycle": ("cycle", ""), "cyclec": ("cycle_counter", ""),
    "step": ("step_index", ""), "step#": ("step_index", ""), "stepnum": ("step_index", ""),
    "fullstep": ("full_step", ""), "fullstep#": ("full_step", ""),
    "testtime": ("time", "s"), "test": ("time", None), "steptime": ("step_time", "s"),
    "amp-hr": ("capacity", "Ah"), "mamp-hr": ("capacity", "mAh"), "capacity": ("capacity", None),
    "cap.": ("capacity", None), "ener.": ("energy", None),
    "watt-hr": ("energy", "Wh"), "mwatt-hr": ("energy", "mWh"), "energy": ("energy", None),
    "amps": ("current", "A"), "mamps": ("current", "mA"), "current": ("current", None),
    "volts": ("voltage", "V"), "mvolts": ("voltage", "mV"), "voltage": ("voltage", None),
    "power": ("power", None), "acimp": ("ac_resistance", None), "acr": ("ac_resistance", None),
    "acz": ("ac_resistance", None), "dcir": ("internal_resistance", None), "es": ("end_status", ""),
}  # fmt: skip
#: Units as only Maccor writes them.
_SPELLED = {"mAHr": "mAh", "mWHr": "mWh", "mAmps": "mA", "mVolts": "mV", "uAHr": "uAh", "mAmp-hr": "mAh"}
_MEASURED = ("capacity", "energy", "current", "voltage", "power", "temperature")
_STATES = {
    "C": "charge",
    "D": "discharge",
    "R": "rest",
    "P": "pause",
    "S": "suspended",
    "A": "advance",
    "O": "end",
}
_SENSORS = {"C": ("temperature", "degC"), "F": ("temperature", "degF"), "V": ("auxiliary_voltage", "V")}
_ZERO = {unit: units.convert(0.0, "K", unit) for unit in ("degC", "degF")}


def _sniff(source: RawInput) -> float:
    head = source.head[:16384]
    if head.count(0) > 64 and not source.text_head:  # more than a stray NUL
        return NO
    head = head.replace(b"\x00", b"")
    match = _HEADING.search(head) if any(mark in head for mark in _MINE) else None
    if match is None:
        return NO
    return CERTAIN if match[1].startswith(b"Rec") and b"Date of Test" in head[: match.start()] else LIKELY


# -- header and headings -------------------------------------------------------------------------------


def _header(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Keys and values, several of which a line may hold; other lines."""
    found: dict[str, str] = {}
    loose = []
    for line in lines:
        matches = list(_KEYS.finditer(line))
        if not matches:
            loose += [line.strip()] if line.strip() else []
            continue
        for this, following in zip(matches, [*matches[1:], None], strict=True):
            end = following.start() if following else len(line)
            found[this[1].replace("''", "'")] = line[this.end() : end].strip(" \t,")
    return found, loose


def _split_heading(heading: str) -> tuple[str, str | None]:
    """``"Test (Min)"`` → ``"test"``, ``"Min"``; ``"DCIR/Ohms"`` → ``"dcir"``, ``"Ohms"``."""
    match = re.fullmatch(r"\s*(.*?)\s*(?:[(\[]([^()\[\]]*)[)\]]|/(\w+))?\s*", heading)
    quantity, unit = (match[1], match[2] or match[3]) if match else (heading, None)
    return re.sub(r"\s+", "", quantity).casefold(), unit


def _find_headings(lines: list[str], name: str) -> tuple[int, str]:
    for at, line in enumerate(lines[:200]):
        delimiter = "\t" if "\t" in line else ";" if line.count(";") > 3 else ","
        cells = [_split_heading(cell.strip(' "'))[0] for cell in line.split(delimiter)]
        if sum(cell in _NAMES or cell in ("state", "md", "dpttime") for cell in cells) >= 5:
            return at, delimiter
    raise ReadError(
        f"{name} has no line of headings (Rec#, Cyc#, …, Volts); it is cut off or no Maccor export."
    )


# -- columns -------------------------------------------------------------------------------------------


def _bare(cells: list[str]) -> list[str]:
    """Cells, which have no blanks around them, without quotes around them; most have none."""
    return [cell.strip(' "') for cell in cells] if '"' in "".join(cells) else cells


def _numbers(cells: Any, heading: str, delimiter: str, warnings: list[str]) -> Array | None:
    if isinstance(cells, np.ndarray):
        return cells
    cells = _bare(cells)
    whole = "\n".join(cells)
    points = "." in whole
    commas = delimiter != "," and "," in whole
    if commas and not points and all(re.fullmatch(r"-?\d{1,3}(,\d{3})*", cell) for cell in cells if cell):
        return numbers_of(cells, ".", heading, warnings, thousands=",")  # 1,234 records
    decimal = "," if commas and not points else "."
    return numbers_of(cells, decimal, heading, warnings, thousands="," if commas and points else "")


def _time(cells: Any, heading: str, delimiter: str, warnings: list[str]) -> Array | None:
    if not isinstance(cells, np.ndarray) and any(":" in cell for cell in cells):
        values = seconds_of(_bare(cells))
        return values if np.isfinite(values).any() else None
    return _numbers(cells, heading, delimiter, warnings)


class _Table:
    """The columns as they are read, and what is told of them by others."""

    def __init__(self, names: list[str], cells: list[Any], delimiter: str) -> None:
        self.names, self.cells, self.delimiter = names, cells, delimiter
        self.columns, self.empty, self.impossible = Columns(), list[str](), list[str]()
        self.warnings: list[str] = []
        self.times: list[str] | None = None
        self.states: list[str] | None = None
        at = 0
        while at < len(names):
            unit = at + 1 if at + 1 < len(names) and names[at + 1].strip().casefold() == "units" else None
            self._add(names[at], cells[at], None if unit is None else cells[unit])
            at += 1 if unit is None else 2

    def _add(self, heading: str, cells: Any, units: Any) -> None:
        quantity, unit = _split_heading(heading)
        if quantity in ("state", "md", "mainmode") and not isinstance(cells, np.ndarray):
            self.states = _bare(cells)
            return
        if quantity == "dpttime" and not isinstance(cells, np.ndarray):
            self.times = _bare(cells)
            return
        name, usual = _NAMES.get(quantity, (make_name(heading, "column"), None))
        if quantity == "step" and unit:
            name, usual = "step_time", None  # "Step (Min)" beside "Step"
        if name in ("time", "step_time"):
            values = _time(cells, heading, self.delimiter, self.warnings)
            clock = not isinstance(cells, np.ndarray) and ":" in cells[0]
            usual = "s" if clock else unit or usual
            unit = usual
        else:
            values = _numbers(cells, heading, self.delimiter, self.warnings)
        if values is None:
            words = [] if isinstance(cells, np.ndarray) else _bare(cells)
            if any(words):
                self.columns.add(name, texts(words), None, heading.strip())
            return
        if quantity not in _NAMES and not np.any(np.nan_to_num(values)):
            self.empty.append(heading.strip())
            return
        if units is not None:
            told = set(units) if not isinstance(units, np.ndarray) else set()
            own = told.pop() if len(told) == 1 else ""
            name, unit = _SENSORS.get(own, ("auxiliary", own or None))
        elif re.match(r"(?:ev)?temp", quantity):
            name = "temperature"
        below = (
            values < _ZERO[unit] if name == "temperature" and unit in _ZERO else np.zeros(len(values), bool)
        )
        if below.any():
            self.impossible.append(heading.strip())
            self.columns.add("auxiliary", values, unit, f"{heading.strip()}, as written")
            if below.all():
                return
            values = np.where(below, np.nan, values)
        whole = usual == "" and np.isfinite(values).all() and (np.abs(values) < 2**31).all()
        unit = _SPELLED.get(unit, unit) if unit else unit
        values = values.astype(np.int64) if whole and (values == np.rint(values)).all() else values
        self.columns.add(
            name, values, usual if unit is None else self.columns.unit(unit, heading), heading.strip()
        )


def _add_state(table: _Table) -> None:
    """Signs, by the state of each record; capacity and energy in charge and in discharge."""
    columns = table.columns
    if table.states is None:
        return
    letters = np.array([cell[:1].upper() for cell in table.states])
    known = {
        letter: _STATES.get(letter, letter.casefold() or "unknown") for letter in np.unique(letters).tolist()
    }
    columns.add("step_type", np.array([known[letter] for letter in letters.tolist()]), None, "State")
    charging, discharging = letters == "C", letters == "D"
    for at, signal in enumerate(columns.signals):
        if signal.name == "current" and not np.any(signal.values < 0):
            signed = np.where(discharging, -signal.values, signal.values)
            columns.signals[at] = replace(signal, values=signed)
    for amount in ("capacity", "energy"):
        if amount in columns:
            signal = next(s for s in columns.signals if s.name == amount)
            label = "Capacity" if amount == "capacity" else "Energy"
            for name, rows in (("charge", charging), ("discharge", discharging)):
                columns.add(
                    f"{name}_{amount}",
                    np.where(rows, signal.values, 0.0),
                    signal.unit,
                    f"{label} of the step, in {name}",
                )


def _add_moments(table: _Table, told: str, warnings: list[str]) -> datetime | None:
    """Date and time of each record; the start."""
    columns = table.columns
    if table.times is None:
        return None
    span = None
    if "time" in columns:
        unit = next(s.unit for s in columns.signals if s.name == "time")
        factor = {"s": 1.0, "min": 60.0, "h": 3600.0}.get(unit or "", np.nan)
        span = float(columns["time"][-1] - columns["time"][0]) * factor
    found = moments_of(table.times, span if span is not None and np.isfinite(span) else None)
    if found is None:
        columns.add("clock", texts(table.times), None, "DPt Time")
        return in_forms(f"{told} {table.times[0]}", ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"))
    times, order = found
    if order.endswith("?"):
        warnings.append(
            f"Whether {table.times[0]!r} begins with the month or the day is not told; the month is taken."
        )
    columns.add("timestamp", times, None, "DPt Time")
    known = times[~np.isnat(times)][:1]
    first: datetime | None = known.astype("datetime64[us]")[0].item() if len(known) else None
    return first


def _impossible(headings: list[str]) -> list[str]:
    if not headings:
        return []
    named = headings[0] if len(headings) == 1 else f"{headings[0]} … {headings[-1]} ({len(headings)} columns)"
    return [
        f"{named}: temperatures below absolute zero, as of inputs without a sensor. They are no temperatures and are "
        "kept as auxiliary readings, as written."
    ]


def _check_voltage(columns: Columns, names: list[str], warnings: list[str]) -> None:
    """Exports in mA and mAh head millivolts as ``Volts`` too: no cell has 1853 V."""
    for at, signal in enumerate(columns.signals):
        if signal.name == "voltage" and signal.unit == "V" and "mamps" in names:
            known = signal.values[np.isfinite(signal.values)]
            if known.size and np.median(np.abs(known)) > 100:
                columns.signals[at] = replace(signal, unit="mV")
                warnings.append(
                    "The voltages, headed Volts beside mAmps, are hundreds and more: they are taken as mV."
                )


def _tell_open_units(columns: Columns, warnings: list[str]) -> None:
    """Say whose unit the file leaves open: charge, energy and times fit together in A and Ah as in mA and mAh."""
    of = [
        s.long_name
        for s in columns.signals
        if s.name in _MEASURED and s.unit is None and s.values.dtype == float
    ]
    if of:
        warnings.append(f"The headings do not say the units of {', '.join(of)}; none are given.")


@np.errstate(all="ignore")
def _read(source: RawInput) -> Measurement:
    lines = lines_of(source.read_bytes(_MOST_BYTES))
    at, delimiter = _find_headings(lines, source.name)
    header, loose = _header(lines[:at])
    names = [name.strip('"') for name in lines[at].rstrip(delimiter + " \t").split(delimiter)]
    table = _Table(names, table_of(lines, at + 1, delimiter, len(names)), delimiter)
    columns, warnings = table.columns, table.warnings
    _check_voltage(columns, [_split_heading(name)[0] for name in names], warnings)
    _add_state(table)
    told = header.get("Date of Test", "")
    _tell_open_units(columns, warnings)
    first = _add_moments(table, told, warnings)
    started = in_forms(told, _DATES) or first
    texts = {
        "test_protocol": header.get("Procedure", ""),
        "channel": header.get("Tester Channel") or header.get("Channel") or "",
        "barcode": header.get("Comment/Barcode") or header.get("Barcode") or "",
        "comment": header.get("Description") or header.get("Comment") or header.get("Comments") or "",
    }
    conditions = {name: Quantity(text) for name, text in texts.items() if text}
    file = PureWindowsPath(header.get("Filename") or header.get("File name") or "").name
    metadata = {"header": header, "lines": loose, "headings": names, "columns of zeros": table.empty}
    return Measurement(
        (
            make_entry(
                "cycling",
                "battery_cycling",
                columns,
                title=file or source.path.stem,
                started=started,
                conditions=conditions,
            ),
        ),
        title=file or source.path.stem,
        sample=texts["barcode"],
        instrument="Maccor battery tester",
        original_metadata=tidy_metadata({k: v for k, v in metadata.items() if v}),
        warnings=tuple(warnings + _impossible(table.impossible) + columns.warnings),
    )


READER = Reader(
    name="maccor_txt",
    version="4",
    techniques=("battery_cycling",),
    vendor="Maccor",
    format="text export",
    endings=(".txt", ".csv"),
    sniff=_sniff,
    read=_read,
    notes="Exports with headings from Rec# to Volts in A or mA, min, s or h, with sensors. Binary files are not read.",
)
