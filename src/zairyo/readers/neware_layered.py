"""Neware BTSDA layered exports: cycles, steps and records in one text file, comma or tab separated.

Facts: three lines of headings, for cycles, for steps (one blank cell before) and for records (two blank cells
before); then a row of any of the three kinds, told by the blank cells before it. A cycle's row may go on with the
row of its first step. Times are ``h:mm:ss``; capacity and energy begin anew with each step. Older versions put every
cell in quotes, with a tab before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Measurement, make_name
from zairyo.measurement.text import tidy_metadata
from zairyo.readers import delimited_text as text
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import chinese_text, moments_of, numbers_of, seconds_of
from zairyo.readers._day_or_month import either
from zairyo.readers._electrochemistry import (
    PLOT_OF_CYCLES,
    Columns,
    make_entry,
    split_by_direction,
    time_from_moments,
)
from zairyo.readers._text_export import texts

Array = NDArray[Any]
_MOST_BYTES = 1024**3
_LEVELS = re.compile(
    r"\ufeff?\"?(?:Cycle|循环)[^\n]*\n(?P<mark>[,\t])\"?(?:Step|工步)[^\n]*\n(?P=mark){2}\"?(?:DataPoint|Record|数据|记录)"
)
_FIRST = tuple(word.encode(code) for word in ("Cycle", "循环") for code in ("utf-8", "gb18030"))
#: Headings of BTSDA without their units, in lower case → names.
NAMES = {
    "cycle index": "cycle", "cycle id": "cycle", "循环序号": "cycle", "循环号": "cycle",
    # The index comes again in each loop of the schedule; the number counts on.
    "step index": "step_index", "工步序号": "step_index", "step number": "step", "step id": "step", "工步号": "step",
    "step type": "step_type", "step name": "step_type", "工步类型": "step_type", "工步名称": "step_type",
    "datapoint": "index", "record index": "index", "record id": "index", "数据序号": "index", "记录序号": "index",
    "time": "step_time", "step time": "step_time", "时间": "step_time", "工步时间": "step_time",
    "total time": "time", "总时间": "time", "chg. time": "charge_time", "dchg. time": "discharge_time",
    "date": "timestamp", "realtime": "timestamp", "绝对时间": "timestamp",
    "current": "current", "电流": "current", "voltage": "voltage", "电压": "voltage",
    "capacity": "capacity", "容量": "capacity", "energy": "energy", "能量": "energy",
    "power": "power", "功率": "power", "spec. cap.": "specific_capacity", "比容量": "specific_capacity",
    "chg. cap.": "charge_capacity", "充电容量": "charge_capacity", "dchg. cap.": "discharge_capacity",
    "放电容量": "discharge_capacity", "chg. energy": "charge_energy", "充电能量": "charge_energy",
    "dchg. energy": "discharge_energy", "放电能量": "discharge_energy",
    "chg.-dchg. eff": "coulombic_efficiency", "充放电效率": "coulombic_efficiency",
    "dq/dv": "differential_capacity", "dqm/dv": "specific_differential_capacity",
    "chg. spec. cap.": "specific_charge_capacity", "dchg. spec. cap.": "specific_discharge_capacity",
    "充电比容量": "specific_charge_capacity", "放电比容量": "specific_discharge_capacity",
    "spec. energy": "specific_energy", "chg. spec. energy": "specific_charge_energy",
    "dchg. spec. energy": "specific_discharge_energy", "cumulative time": "time",
    "record number": "index", "data point": "index", "工步状态": "step_type", "状态": "step_type",
    "接触电阻": "contact_resistance",
    "cap_chg": "charge_capacity", "cap_dchg": "discharge_capacity", "engy_chg": "charge_energy",
    "engy_dchg": "discharge_energy", "chg/dchg efficiency": "coulombic_efficiency", "charge time": "charge_time",
    "discharge time": "discharge_time", "specific capacity-chg": "specific_charge_capacity",
    "specific capacity-dchg": "specific_discharge_capacity", "capacity density": "specific_capacity",
    "cmpeng": "specific_energy", "cmpengergy": "specific_energy", "raw step id": "step_index",
    "start voltage": "start_voltage", "end voltage": "end_voltage",
    "module start-stop switch": "module_switch", "contact resistance": "contact_resistance",
}  # fmt: skip
_STEPS = {"chg": "charge", "dchg": "discharge", "恒流充电": "cc_charge", "恒流放电": "cc_discharge",
          "恒流恒压充电": "cccv_charge", "恒压充电": "cv_charge", "搁置": "rest", "静置": "rest",
          "恒功率充电": "cp_charge", "恒功率放电": "cp_discharge", "恒阻放电": "cr_discharge",
          "恒流恒压放电": "cccv_discharge", "恒压放电": "cv_discharge", "暂停": "pause", "结束": "end"}  # fmt: skip
_COUNTS = frozenset({"cycle", "step", "step_index", "index"})
_TIMES = frozenset({"step_time", "time", "charge_time", "discharge_time"})


@dataclass
class _Level:
    """One kind of row: its headings, its rows' cells, and the line of each row (from 1)."""

    what: str
    headings: list[str]
    rows: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def _sniff(source: RawInput) -> float:
    head = source.head[:8192]
    if not head.lstrip(b'\xef\xbb\xbf"').startswith(_FIRST):
        return NO
    return CERTAIN if _LEVELS.match(_text(head)) else NO


def _text(data: bytes) -> str:
    text = chinese_text(data)
    return text.replace('"', "").replace("\t", "") if ',"\t' in text[:1000] else text


# -- lines → levels ------------------------------------------------------------------------------------


def _levels(lines: list[str], mark: str) -> tuple[_Level, _Level, _Level, Array, Array]:
    """Cycles, steps and records; for each record the number of its step, for each step that of its cycle."""
    named = [[c.strip(' "\ufeff') for c in line.rstrip(mark).split(mark)] for line in lines[:3]]
    cycles = _Level("cycle", named[0])
    steps = _Level("step", named[1][1:])
    records = _Level("record", named[2][2:])
    wide, of_step, of_cycle = len(cycles.headings), list[int](), list[int]()
    two = mark * 2
    for number, line in enumerate(lines[3:], 4):
        if line.startswith(two):
            records.rows.append(line[2:])
            records.lines.append(number)
            of_step.append(len(steps.rows) - 1)
        elif line.startswith(mark):
            steps.rows.append(line[1:])
            steps.lines.append(number)
            of_cycle.append(len(cycles.rows) - 1)
        elif line.strip():
            cells = line.split(mark)
            cycles.rows.append(mark.join(cells[:wide]))
            cycles.lines.append(number)
            rest = cells[wide:]
            if any(cell.strip() for cell in rest):  # the row of the cycle's first step follows at once
                steps.rows.append(mark.join(rest if rest[0].strip() else rest[1:]))
                steps.lines.append(number)
                of_cycle.append(len(cycles.rows) - 1)
    return cycles, steps, records, np.array(of_step, np.int64), np.array(of_cycle, np.int64)


def _cells(level: _Level, mark: str) -> list[Any]:
    """The level's columns; :class:`ReadError` where a row has another number of cells."""
    if not level.rows:
        return []
    width = level.rows[0].count(mark) + 1
    for row, line in zip(level.rows, level.lines, strict=True):
        if row.count(mark) + 1 != width:
            raise ReadError(
                f"line {line} has {row.count(mark) + 1} cells of a {level.what} where {width} are expected; the file "
                "is cut off or damaged there. Copy it again."
            )
    if width < len(level.headings):
        raise ReadError(
            f"line {level.lines[0]} has {width} cells of a {level.what} where the headings are {len(level.headings)}."
        )
    return text.columns_of(level.rows, mark, ".", "")[: len(level.headings)]


def _fill(level: _Level, cells: list[Any], warnings: list[str], lost: list[str]) -> Columns:
    columns = Columns()
    for heading, column in zip(level.headings, cells, strict=True):
        match = re.fullmatch(r"(.*?)\s*(?:[(（](.*)[)）])?", heading)
        quantity, unit = (match[1], match[2]) if match else (heading, None)
        name = NAMES.get(quantity.casefold()) or name_of(quantity)
        if name in _TIMES and not isinstance(column, np.ndarray):
            columns.add(name, seconds_of(column), "s", quantity)
            continue
        if name == "timestamp" and not isinstance(column, np.ndarray):
            told = moments_of(column)
            if told:
                known = not told[1].endswith("?")
                columns.add(name, told[0] if known else texts(column), None, quantity)
                if not known:
                    warnings.append(either(column[0]))
                continue
        values = numbers_of(column, ".", heading, warnings)
        if values is None:
            if any(column):
                words = [step_of(c) for c in column] if name == "step_type" else column
                columns.add(name, texts(words), None, quantity)
            continue
        if unit is not None and set(unit) <= {"?"}:
            lost.append(heading)
            unit = None
        if name in _COUNTS and np.isfinite(values).all() and (values == np.rint(values)).all():
            columns.add(name, values.astype(np.int64), "", quantity)
            continue
        columns.add(name, values, columns.unit(unit, heading), quantity)
    warnings += columns.warnings
    return columns


def name_of(quantity: str) -> str:
    if re.fullmatch(r"T\d+", quantity):
        return "temperature"
    return "auxiliary_voltage" if re.fullmatch(r"V\d+", quantity) else make_name(quantity, "column")


def step_of(text: str) -> str:
    """``"CC Chg"`` → ``cc_charge``, as the binary files' step types are named."""
    words = [_STEPS.get(word, word) for word in text.strip().casefold().replace("_", " ").split()]
    return "_".join(words)


# -- levels → entries ----------------------------------------------------------------------------------


def _records(level: _Level, mark: str, steps: Columns, cycles: Columns, of: tuple[Array, Array], lost: list[str],
             warnings: list[str]) -> Columns:  # fmt: skip
    """The records with the cycle and the step each belongs to, and what is told by the step's type."""
    columns = _fill(level, _cells(level, mark), warnings, lost)
    of_step, of_cycle = of
    if len(of_step) and of_step.min() >= 0:
        for name in ("step_index", "step_type"):
            if name in steps:
                columns.add(
                    name, steps[name][of_step], "" if name == "step_index" else None, name.replace("_", " ")
                )
        columns.add("step", of_step.astype(np.int64) + 1, "", "Step, counted")
        if of_cycle.min() >= 0 and "cycle" in cycles:
            columns.add("cycle", cycles["cycle"][of_cycle[of_step]], "", "Cycle")
    time_from_moments(columns)
    split_by_direction(columns)
    return columns


def _read(source: RawInput) -> Measurement:
    text = _text(source.read_bytes(_MOST_BYTES))
    match = _LEVELS.match(text)
    if match is None:
        raise ReadError(
            f"{source.name} does not begin with headings of cycles, steps and records; it is damaged."
        )
    mark = match["mark"]
    cycles, steps, records, of_step, of_cycle = _levels(text.split("\n"), mark)
    if not records.rows:
        raise ReadError(f"{source.name} holds no record; it is cut off, or nothing was measured.")
    warnings: list[str] = []
    lost: list[str] = []
    cycle_columns = _fill(cycles, _cells(cycles, mark), warnings, lost) if cycles.rows else Columns()
    step_columns = _fill(steps, _cells(steps, mark), warnings, lost) if steps.rows else Columns()
    columns = _records(records, mark, step_columns, cycle_columns, (of_step, of_cycle), lost, warnings)
    entries: list[Entry] = [
        make_entry("cycling", "battery_cycling", columns, title=source.path.stem, started=columns.started())
    ]
    for name, found in (("cycles", cycle_columns), ("steps", step_columns)):
        if found.signals:
            title = f"{source.path.stem}, {name}"
            entries.append(make_entry(name, "battery_cycling", found, title=title, plot=PLOT_OF_CYCLES))
    if lost:
        warnings.append(
            f"The export lost the units of {len(lost)} columns (first {lost[0]!r}); they are left without."
        )
    headings = {"cycles": cycles.headings, "steps": steps.headings, "records": records.headings}
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        instrument="Neware battery tester",
        original_metadata=tidy_metadata({"headings": headings}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


READER = Reader(
    name="neware_layered",
    version="3",
    techniques=("battery_cycling",),
    vendor="Neware",
    format="BTSDA layered export",
    endings=(".csv", ".txt"),
    sniff=_sniff,
    read=_read,
    notes="Cycles, steps and records in one file, in English or Chinese.",
)
