"""Gamry Framework `.DTA`: the text file of one experiment, in any locale.

Facts: lines of ``KEY<tab>TYPE<tab>value…<tab>label`` (a unit stands in brackets in the label), notes as a count
and as many indented lines, and tables: ``NAME<tab>TABLE<tab>rows``, a line of headings, a line of units, and rows,
all of them indented. ``CURVE1``, ``CURVE2`` … are the cycles of one experiment. The number of rows is what was
planned, not what was measured. ``Zimag`` is Im(Z) with its own sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Measurement, Quantity, make_name
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import lines_of, numbers_of, table_of
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._electrochemistry import Columns, make_entry

Array = NDArray[Any]
_MOST_BYTES = 1024**3
_TABLE = re.compile(rb"^\w*CURVE\w*\tD?TABLE\b", re.MULTILINE | re.IGNORECASE)
_TABLES = ("TABLE", "DTABLE")  # the other is of a device beside the potentiostat, as a quartz microbalance
#: Beginning of the experiment's tag → technique.
_TAGS = (
    ("CV", "cyclic_voltammetry"),
    ("RCV", "cyclic_voltammetry"),
    ("LSV", "linear_sweep_voltammetry"),
    ("POTENTIODYNAMIC", "linear_sweep_voltammetry"),
    ("POTDYN", "linear_sweep_voltammetry"),
    ("TAFEL", "linear_sweep_voltammetry"),
    ("POLRES", "linear_sweep_voltammetry"),
    ("GALVANODYNAMIC", "linear_sweep_voltammetry"),
    ("CYCPOL", "cyclic_voltammetry"),
    ("CHRONOA", "chronoamperometry"),
    ("CHRONOC", "chronoamperometry"),
    ("RCHRONOA", "chronoamperometry"),
    ("RCHRONOP", "chronopotentiometry"),
    ("POTENTIOSTATIC", "chronoamperometry"),
    ("GALVANOSTATIC", "chronopotentiometry"),
    ("CHRONOP", "chronopotentiometry"),
    ("CORPOT", "open_circuit_potential"),
    ("PWR800_READVOLTAGE", "open_circuit_potential"),
    ("PWR", "battery_cycling"),
)
_NAMES = {
    "Pt": "index", "T": "time", "Time": "time", "Vf": "voltage", "Im": "current", "Vu": "uncompensated_voltage",
    "Vm": "measured_voltage", "Sig": "control_signal", "Ach": "auxiliary_voltage", "IERange": "current_range_code",
    "Over": "overload", "Temp": "temperature", "Freq": "frequency", "Zreal": "z_real", "Zimag": "z_imaginary",
    "Zmod": "z_modulus", "Zphz": "z_phase", "Zsig": "z_signal", "Idc": "current", "Vdc": "voltage",
    "ZrealDrCor": "z_real_drift_corrected", "ZimagDrCor": "z_imaginary_drift_corrected",
    "ZmodDrCor": "z_modulus_drift_corrected", "ZphzDrCor": "z_phase_drift_corrected",
    "Voltage": "voltage", "Current": "current", "Pwr": "power", "R": "resistance", "Q": "charge_passed",
    "Cycle": "cycle", "Step": "step_index", "Capacity": "capacity", "Energy": "energy",
    "Charge": "capacity", "Type": "step_kind_code", "Duration": "step_duration",
    "Vstart": "start_voltage", "Vend": "end_voltage", "Tstart": "start_temperature", "Tend": "end_temperature",
    "Vstep": "voltage", "Vfwd": "forward_voltage", "Vrev": "reverse_voltage",
    "Ifwd": "forward_current", "Irev": "reverse_current", "Idif": "current_difference",
    "Imod": "current_modulus", "Vmod": "voltage_modulus", "ACH": "auxiliary_voltage",
    "fs": "series_resonance_frequency", "fp": "parallel_resonance_frequency", "chisq": "chi_squared",
    "As": "series_resonance_magnitude", "Ap": "parallel_resonance_magnitude",
}  # fmt: skip
_COUNTS = frozenset({"index", "current_range_code", "cycle", "step_index", "step_kind_code"})
#: Columns that only one kind of experiment has (or its tag) → what is plotted along and up.
_PLOTS = (
    ("current_difference", "", (("voltage",), ("current_difference",))),
    ("start_voltage", "", (("cycle", "index"), ("capacity",))),
    ("z_imaginary", "MOTT", (("voltage",), ("z_imaginary",))),
    ("series_resonance_frequency", "", (("time",), ("series_resonance_frequency",))),
)
#: Key → condition, and the unit where its label states none.
_CONDITIONS = {
    "SCANRATE": ("scan_rate", "mV/s"),
    "VINIT": ("initial_voltage", "V"),
    "VFINAL": ("final_voltage", "V"),
    "VLIMIT1": ("vertex_voltage_1", "V"),
    "VLIMIT2": ("vertex_voltage_2", "V"),
    "STEPSIZE": ("step_voltage", "mV"),
    "AREA": ("electrode_area", "cm**2"),
    "EOC": ("open_circuit_voltage", "V"),
    "SAMPLETIME": ("sampling_interval", "s"),
    "VDC": ("applied_voltage", "V"),
    "VSTEP1": ("applied_voltage", "V"),
    "IDC": ("applied_current", "A"),
    "ISTEP1": ("applied_current", "A"),
    "VAC": ("voltage_amplitude_rms", "mV"),
    "IAC": ("current_amplitude_rms", "A"),
    "PTSPERDEC": ("points_per_decade", "1/decade"),
}
#: Potentiostats without a thermometer write a temperature below absolute zero or above what a thermocouple knows.
_NO_SENSOR, _NO_SENSOR_ABOVE = -273.1, 1400.0
#: Beginning of a table's name → entry, of what is measured before or beside the experiment.
_BESIDE = (("OCV", "open_circuit"), ("QCM", "quartz_microbalance"))
_COMMA, _POINT = re.compile(r"\d,\d"), re.compile(r"\d\.\d")
_DATES = ("%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d", "%Y/%m/%d", "%m/%d/%y", "%d/%m/%y")


@dataclass
class _Table:
    name: str
    told: str
    headings: list[str]
    units: list[str]
    columns: list[Any]


@dataclass
class _File:
    """The file's keys (type, values, label), notes, tables and other lines."""

    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tables: list[_Table] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)

    def text(self, key: str) -> str:
        return str(self.keys.get(key, {}).get("value", "")).strip()


def _sniff(source: RawInput) -> float:
    head = source.text_head.lstrip(b"\xef\xbb\xbf\xff\xfe \r\n")
    begins = head.startswith(b"EXPLAIN") and b"TAG\t" in head[:200]
    if begins and _TABLE.search(head.replace(b"\r", b"\n")):
        return CERTAIN
    if begins or (b"\nTAG\t" in head[:500] and _TABLE.search(head.replace(b"\r", b"\n"))):
        return LIKELY
    return NO


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ".")) if "_" not in text else None
    except ValueError:
        return None


# -- lines ---------------------------------------------------------------------------------------------


def _parse(lines: list[str]) -> _File:
    found, at = _File(), 0
    while at < len(lines):
        cells = lines[at].split("\t")
        if len(cells) >= 2 and cells[1].strip() in _TABLES and cells[0]:
            at = _parse_table(found, lines, at, cells)
            continue
        if len(cells) >= 3 and cells[1].strip() == "NOTES":
            count = int(cells[2]) if cells[2].strip().isdecimal() else 0
            told = [line for line in lines[at + 1 : at + 1 + min(count, 10_000)] if line[:1] in ("\t", "")]
            found.notes += [line.strip() for line in told if line.strip()]
            at += 1 + len(told)
            continue
        if len(cells) >= 2 and cells[0].strip():
            values = (
                [cell.strip() for cell in cells[2:-1]] if len(cells) > 3 else [c.strip() for c in cells[2:3]]
            )
            key = {"type": cells[1].strip(), "value": values[0] if len(values) == 1 else values}
            if len(cells) == 2:
                key = {"value": cells[1].strip()}
            elif len(cells) > 3:
                key["label"] = cells[-1].strip()
            found.keys.setdefault(clean_text(cells[0].strip()), key)
        elif lines[at].strip():
            found.loose.append(lines[at].strip())
        at += 1
    return found


def _parse_table(found: _File, lines: list[str], at: int, cells: list[str]) -> int:
    """Take the table whose first line is ``at``; the line after it."""
    end = at + 1
    while end < len(lines) and lines[end].startswith("\t"):
        end += 1
    if end - at < 3:
        found.loose.append(f"{cells[0]}: a table without headings and units")
        return end
    headings = [cell.strip() for cell in lines[at + 1].rstrip("\t ").split("\t")]
    units = [cell.strip() for cell in lines[at + 2].split("\t")]
    units = (units + [""] * len(headings))[: len(headings)]
    if end - at == 3:
        found.loose.append(f"{cells[0]}: a table without rows")
        return end
    # Lines keep their numbers for messages: what comes before is blank to the table.
    rows = [*[""] * (at + 3), *lines[at + 3 : end]]
    # Points alone tell nothing: the overload flags are a row of them.
    decimal = "," if _COMMA.search(lines[at + 3]) and not _POINT.search(lines[at + 3]) else "."
    columns = table_of(rows if end < len(lines) else [*rows], at + 3, "\t", len(headings), decimal)
    _check_last(columns[-1], end >= len(lines), end)
    told = cells[2].strip() if len(cells) > 2 else ""
    found.tables.append(_Table(clean_text(cells[0].strip()), told, headings[1:], units[1:], columns[1:]))
    return end


def _check_last(column: Any, at_end: bool, line: int) -> None:
    """Refuse a file whose last cell, a row of dots, is shorter than the one before."""
    if (
        at_end
        and not isinstance(column, np.ndarray)
        and len(column) > 1
        and len(column[-1]) < len(column[-2])
    ):
        raise ReadError(f"line {line} ends within its last cell; the file is cut off. Copy it again.")


# -- tables → entries ----------------------------------------------------------------------------------


def _columns(tables: list[_Table], warnings: list[str]) -> Columns:
    """The columns of tables that continue each other; their number becomes the cycle."""
    columns, first = Columns(), tables[0]
    if len(tables) > 1:
        counts = [len(t.columns[0]) for t in tables]
        numbers = [int(m[0]) if (m := re.search(r"\d+\Z", t.name)) else k for k, t in enumerate(tables, 1)]
        columns.add("cycle", np.repeat(np.array(numbers, np.int32), counts), "", "Cycle")
    for at, heading in enumerate(first.headings):
        parts: list[Any] = [t.columns[at] for t in tables]
        name = _NAMES.get(heading) or make_name(heading, "column")
        unit = first.units[at]
        if not all(isinstance(p, np.ndarray) for p in parts):
            cells = [c for p in parts for c in (map(repr, p.tolist()) if isinstance(p, np.ndarray) else p)]
            values = None if name == "overload" else numbers_of(cells, ",", heading, warnings)
            if values is None:
                columns.add(name, np.array([clean_text(c) for c in cells]), None, heading)
                continue
        else:
            values = np.concatenate(parts)
        if name in _COUNTS and (values == np.rint(values)).all() and (np.abs(values) < 2**31).all():
            values = values.astype(np.int32)
        if name == "temperature" and ((values <= _NO_SENSOR) | (values > _NO_SENSOR_ABOVE)).all():
            continue
        unit, against, reference = unit.partition(" vs")
        label = f"{heading} vs{reference}" if against else heading
        columns.add(name, values, _unit(columns, unit, heading, name), label)
    return columns


def _unit(columns: Columns, unit: str, heading: str, name: str) -> str | None:
    if unit == "#":
        return ""
    if unit in ("bits", "arb", "Mag") or not unit:
        return None
    return columns.unit({"deg C": "degC", "deg": "deg", "°": "deg"}.get(unit, unit), heading)


def _technique(table: str, tag: str) -> str:
    if table.startswith("OCV"):
        return "open_circuit_potential"
    if table.startswith("Z"):
        return "eis"
    if table.upper().startswith("QCM"):
        return "electrochemistry"
    for begin, key in _TAGS:
        if tag.upper().startswith(begin):
            return key
    return "electrochemistry"


def _plot(columns: Columns, tag: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """What to plot of an experiment whose columns or tag are of a kind of their own."""
    fits = (plot for column, kind, plot in _PLOTS if column in columns and tag.upper().startswith(kind))
    return next(fits, None)


def _groups(tables: list[_Table]) -> list[list[_Table]]:
    """Numbered tables with the same headings belong together."""
    groups: dict[tuple[str, ...], list[_Table]] = {}
    for table in tables:
        stem = re.sub(r"\d+\Z", "", table.name)
        groups.setdefault((stem, *table.headings), []).append(table)
    return list(groups.values())


def _conditions(file: _File, technique: str) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    columns = Columns()
    for key, (name, usual) in _CONDITIONS.items():
        told = file.keys.get(key, {})
        value = told.get("value", "")
        number = _number(value[0] if isinstance(value, list) and value else str(value))
        against_rest = told.get("type") == "POTEN" and isinstance(value, list) and value[-1:] == ["T"]
        if number is None or name in found or against_rest:
            continue
        match = re.search(r"\(([^()]*)\)\s*\Z", str(told.get("label", "")))
        unit = columns.unit(match[1].replace("rms", "").strip(), key) if match else usual
        found[name] = Quantity(number, usual if columns.warnings or unit is None else unit)
    sweeps = ("cyclic_voltammetry", "linear_sweep_voltammetry")
    if technique not in sweeps:
        for name in ("scan_rate", "initial_voltage", "final_voltage", "vertex_voltage_1", "vertex_voltage_2"):
            found.pop(name, None)
        found.pop("step_voltage", None)
    texts = {
        "method": file.text("TITLE"),
        "instrument_serial": file.text("PSTATSERIALNO") if file.text("PSTATSERIALNO").strip("0") else "",
        "software_version": file.text("FRAMEWORKVERSION"),
        "comment": " ".join(file.notes),
    }
    return found | {name: Quantity(clean_text(text)) for name, text in texts.items() if text}


def _started(file: _File, warnings: list[str]) -> datetime | None:
    """The start; the date is in the computer's own form, those of calibrations never: they tell nothing of it."""
    date, clock = file.text("DATE"), file.text("TIME")
    day = in_forms(date, _DATES, warnings)
    if day is None:
        return None
    time = in_forms(clock.replace(",", "."), ("%H:%M:%S", "%H:%M:%S.%f", "%I:%M:%S %p"))
    return datetime.combine(day.date(), time.time()) if time else day


def _read(source: RawInput) -> Measurement:
    lines = lines_of(source.read_bytes(_MOST_BYTES))
    file = _parse(lines)
    if not file.tables:
        raise ReadError(
            f"{source.name} has no table of measured values; it is cut off, or the experiment was stopped before it."
        )
    warnings: list[str] = []
    tag, started = file.text("TAG"), _started(file, warnings)
    entries: list[Entry] = []
    for tables in _groups(file.tables):
        technique = _technique(tables[0].name, tag)
        columns = _columns(tables, warnings)
        told = sum(int(t.told) for t in tables if t.told.isdecimal() and len(t.told) < 10)
        rows = len(columns.signals[0].values)
        if told not in (0, 99999, rows):
            warnings.append(
                f"{tables[0].name} was planned with {told} rows and has {rows}; it ended early, or was cut."
            )
        beside = next((n for begin, n in _BESIDE if tables[0].name.upper().startswith(begin)), "")
        name = beside or make_name(tag or "data", "data")
        while any(e.name == name for e in entries):
            name = make_name(f"{tables[0].name}_{len(entries)}", "data")
        entries.append(
            make_entry(
                name,
                technique,
                columns,
                title=file.text("TITLE") if name != "open_circuit" else "Open circuit before the experiment",
                started=started,
                conditions=_conditions(file, technique),
                plot=_plot(columns, tag),
            )
        )
        warnings += columns.warnings
    if file.text("EXPERIMENTABORTED") == "T":
        warnings.append("The experiment was aborted before its end.")
    main = next((e.name for e in entries if e.name not in dict(_BESIDE).values()), entries[0].name)
    metadata: dict[str, Any] = {"header": file.keys, "notes": file.notes, "lines": file.loose}
    metadata["tables"] = [{"name": t.name, "rows": t.told, "units": t.units} for t in file.tables][:1000]
    pstat = file.text("PSTAT")
    return Measurement(
        tuple(entries),
        title=clean_text(source.path.stem),
        instrument=clean_text(f"Gamry {pstat}" if pstat else "Gamry potentiostat"),
        default=main,
        original_metadata=tidy_metadata({k: v for k, v in metadata.items() if v}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


READER = Reader(
    name="gamry_dta",
    version="5",
    techniques=(
        "cyclic_voltammetry",
        "eis",
        "chronoamperometry",
        "chronopotentiometry",
        "linear_sweep_voltammetry",
        "open_circuit_potential",
        "battery_cycling",
        "electrochemistry",
    ),
    vendor="Gamry",
    format="Framework data (DTA)",
    endings=(".dta",),
    sniff=_sniff,
    read=_read,
    notes="Every experiment's tables, in any locale; numbered curves are the cycles of one table.",
)
