"""Workbooks in which cyclers' programs export tests: Arbin (MITS Pro), Landt / Lanhe and Neware (BTSDA).

Facts. Arbin: a sheet of information, sheets ``Channel_1-008_1``, ``_2`` … that continue each other, ``Statistics_…``
with a row a cycle; headings with units in brackets, ``Test_Time(s)`` or ``Test Time (s)``. Landt: sheets Record, Mode
(steps) and Cycle; headings ``TestTime/h``. Neware: sheets unit, test, cycle, step, record; headings as in its text
exports.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Measurement, Quantity, make_name
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers import neware_layered
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import moments_of, seconds_of
from zairyo.readers._electrochemistry import (
    PLOT_OF_CYCLES,
    Columns,
    make_entry,
    split_by_direction,
    time_from_moments,
)
from zairyo.readers._workbook import Row, Workbook, column, mentions

Array = NDArray[Any]

#: Texts that a vendor's workbook holds, and the vendor.
_DIALECTS = (
    (("Test_Time(s)", "Cycle_Index"), "Arbin"),
    (("Test Time (s)", "Cycle Index"), "Arbin"),
    (("TestTime/", "Voltage/V", "Current/"), "Landt"),
    (("DataPoint", "Step Type", "Voltage("), "Neware"),
    (("数据序号", "工步类型"), "Neware"),
    (("Relative Time(", "Voltage(", "Cur"), "Neware"),
    (("相对时间", "电压", "电流"), "Neware"),
)
#: Heading without its unit, in lower case without blanks and underlines → name.
_NAMES = {
    "index": "index", "datapoint": "index", "recordindex": "index", "数据序号": "index",
    "testtime": "time", "totaltime": "time", "cumulativetime": "time", "总时间": "time",
    "steptime": "step_time", "time": "step_time", "period": "step_time", "时间": "step_time",
    "datetime": "timestamp", "date": "timestamp", "systime": "timestamp", "绝对时间": "timestamp",
    "cycleindex": "cycle", "cycle": "cycle", "循环序号": "cycle", "循环号": "cycle", "stepindex": "step_index",
    "工步序号": "step_index", "工步号": "step_index", "stepnumber": "step_index",
    "steptype": "step_type", "state": "step_type", "mode": "step_type", "工步类型": "step_type",
    "voltage": "voltage", "电压": "voltage", "current": "current", "电流": "current", "power": "power",
    "capacity": "capacity", "容量": "capacity", "energy": "energy", "能量": "energy", "spec.cap.": "specific_capacity",
    "chargecapacity": "charge_capacity", "charge-cap": "charge_capacity", "chg.cap.": "charge_capacity",
    "dischargecapacity": "discharge_capacity", "discharge-cap": "discharge_capacity",
    "dchg.cap.": "discharge_capacity", "充电容量": "charge_capacity", "放电容量": "discharge_capacity",
    "chargeenergy": "charge_energy", "charge-energy": "charge_energy", "chg.energy": "charge_energy",
    "dischargeenergy": "discharge_energy", "discharge-energy": "discharge_energy",
    "dchg.energy": "discharge_energy", "charge-scap": "specific_charge_capacity",
    "discharge-scap": "specific_discharge_capacity", "efficiency": "coulombic_efficiency",
    "internalresistance": "internal_resistance", "dv/dt": "voltage_rate", "dq/dv": "differential_capacity",
    "dv/dq": "differential_voltage", "acimpedance": "ac_resistance", "aciphaseangle": "z_phase",
    "cur": "current", "status": "step_type", "状态": "step_type", "jumpto": "jump", "跳转": "jump", "循环": "cycle",
    "relativetime": "step_time", "相对时间": "step_time", "absolutetime": "timestamp", "记录序号": "index",
    "step": "step_index", "步次": "step_index", "recordid": "index", "stepname": "step_type", "cycleid": "cycle",
    "stepid": "step_index", "chargetime": "charge_time",
    "dischargetime": "discharge_time", "vmaxoncycle": "voltage_maximum",
}  # fmt: skip
_NAMES = {heading.replace(" ", ""): name for heading, name in neware_layered.NAMES.items()} | _NAMES
_COUNTS = frozenset({"index", "cycle", "step_index"})
#: Labels of Arbin's sheet of information → condition.
_INFO = {
    "test name": "title", "start datetime": "started", "channel": "channel", "schedule file name": "test_protocol",
    "creator": "operator", "comments": "comment", "serial number": "instrument_serial", "item id": "barcode",
    "mass": "active_mass", "software version": "software_version",
}  # fmt: skip
_CHANNEL = re.compile(r"(?i)\bchannel\D{0,3}(\d+)")
_MOST_SHEETS = 500
_MOST_INFO = 200


def _vendor(source: RawInput) -> str:
    if source.head[:2] not in (b"PK", b"\xd0\xcf"):
        return ""
    old = source.head[:2] == b"\xd0\xcf"  # whose texts are sought as Latin letters
    dialects = [d for d in _DIALECTS if not old or "".join(d[0]).isascii()]
    return next((vendor for words, vendor in dialects if mentions(source, *words)), "")


def _sniff(source: RawInput) -> float:
    if not _vendor(source):
        return NO
    return CERTAIN if source.members else LIKELY  # an old workbook's texts are sought in its beginning only


# -- sheets → columns ----------------------------------------------------------------------------------


def _split(heading: str) -> tuple[str, str, str | None]:
    """``"Test Time (s)"`` → ``"testtime"``, ``"Test Time"``, ``"s"``; Landt writes ``Charge-SCap/mAh/g``."""
    plain = heading.strip()
    match = re.fullmatch(r"(.*?)\s*[(（]([^()（）]*)[)）]", plain)
    if match is None and not re.fullmatch(r"d\w/d\w", plain, re.IGNORECASE):
        match = re.fullmatch(r"([^/]+)/(\S+)", plain)
    quantity, unit = (match[1], match[2]) if match else (plain, None)
    return re.sub(r"[\s_]+", "", quantity).casefold(), quantity, unit


def _headings(rows: list[Row]) -> tuple[int, list[str]] | None:
    """The row of headings: the first with three or more that are known."""
    for at, row in enumerate(rows[:40]):
        names = [str(cell) if isinstance(cell, str) else "" for cell in row]
        if sum(_split(name)[0] in _NAMES for name in names if name) >= 3:
            return at, names
    return None


def _values(cells: Sequence[Any], name: str) -> Array | None:
    """A column's values; dates as moments, times of day and durations as seconds."""
    first = next((c for c in cells if c not in ("", None)), None)
    if isinstance(first, (datetime, date)) and not isinstance(first, time):
        if name in ("time", "step_time"):  # a duration that the sheet shows as a date since 1899-12-30
            base = datetime(1899, 12, 30)
            return np.array(
                [(c - base).total_seconds() if isinstance(c, datetime) else np.nan for c in cells]
            )
        whole = [c if isinstance(c, datetime) else None for c in cells]
        return np.array(whole, dtype="datetime64[ms]")
    if isinstance(first, (time, timedelta)):
        return np.array([_seconds(c) for c in cells])
    values = column(cells)
    if values is None or values.dtype.kind != "U":
        if name == "timestamp" and values is not None:  # days since 1899-12-30
            days = np.where(np.isfinite(values) & (np.abs(values) < 2_900_000), values, 25569.0)
            return np.rint((days - 25569.0) * 86_400_000).astype(np.int64).astype("datetime64[ms]")
        return values
    if name in ("time", "step_time"):
        return seconds_of(values.tolist())
    if name == "timestamp":
        told = moments_of(values.tolist())
        return told[0] if told else values
    return values


def _seconds(cell: Any) -> float:
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if isinstance(cell, time):
        return cell.hour * 3600 + cell.minute * 60 + cell.second + cell.microsecond / 1e6
    return float("nan")


def _step(text: str) -> str:
    """``"CC Chg"`` and ``"C_CC"`` → ``cc_charge``; ``"R"`` → ``rest``."""
    if match := re.fullmatch(r"([CDR])(?:_(\w+))?", text):
        way = {"C": "charge", "D": "discharge", "R": "rest"}[match[1]]
        return f"{match[2].casefold()}_{way}" if match[2] else way
    words = neware_layered.step_of(text).split("_")
    if len(words) == 2 and words[0] in ("charge", "discharge"):
        words = words[::-1]  # Landt's "Charge CC"
    return "_".join(words)


def _columns(names: list[str], rows: list[Row], warnings: list[str], of_cycles: bool = False) -> Columns:
    columns = Columns()
    for heading, cells in zip(names, zip(*rows, strict=False), strict=False):
        quantity, text, unit = _split(heading)
        if not quantity:
            continue
        name = _NAMES.get(quantity) or make_name(text, "column")
        name = "cycle" if of_cycles and name == "index" else name
        if name.startswith(("aux_temperature", "temperature")) or quantity.startswith("temperature"):
            name = "temperature"
        values = _values(cells, name)
        if values is None:
            continue
        if name == "step_type":
            words = {t: _step(t) for t in set(map(str, values.tolist()))}
            columns.add(name, np.array([words[t] for t in map(str, values.tolist())]), None, text)
            continue
        if values.dtype.kind != "f":
            columns.add(name, values, None, text)
            continue
        whole = name in _COUNTS and np.isfinite(values).all() and (np.abs(values) < 2**31).all()
        if whole and (values == np.rint(values)).all():
            columns.add(name, values.astype(np.int64), "", text)
            continue
        if name in ("time", "step_time") and (unit is None or ":" in unit):
            unit = "s"
        if name == "temperature" and unit == "C":
            unit = "degC"  # no coulombs
        columns.add(name, values, columns.unit(unit, heading), text)
    warnings += columns.warnings
    return columns


def _count_cycles(columns: Columns, cycles: Columns | None) -> None:
    """Cycles of Landt's records, in pairs of half cycles, where that gives as many as its sheet of cycles has."""
    if "cycle" in columns or "step_type" not in columns or cycles is None or "cycle" not in cycles:
        return
    kinds = columns["step_type"]
    discharging = np.char.endswith(kinds, "discharge")
    way = np.where(discharging, -1, np.where(np.char.endswith(kinds, "charge"), 1, 0))
    rows = np.flatnonzero(way)
    if not len(rows):
        return
    turns = np.zeros(len(way), np.int64)
    turns[rows[1:]] = way[rows[1:]] != way[rows[:-1]]
    counted = np.cumsum(turns) // 2 + 1
    if counted[-1] == int(cycles["cycle"].max()):
        columns.add("cycle", counted, "", "Cycle, counted in pairs of half cycles")


# -- the workbook --------------------------------------------------------------------------------------


def _label(cell: Any) -> str:
    """The condition that a cell is the label of, or nothing."""
    return _INFO.get(re.sub(r"[\s_]+", " ", cell).strip(" :").casefold(), "") if isinstance(cell, str) else ""


def _info(rows: list[Row], channel: str = "") -> dict[str, Any]:
    """What a sheet of information says under its labels, or beside a label that stands alone.

    Several labels in a row head a table with a row a channel: of it the row of ``channel`` counts, else the first.
    """
    found: dict[str, Any] = {}
    for at, row in enumerate(rows[:_MOST_INFO]):
        labels = {k: label for k, cell in enumerate(row) if (label := _label(cell))}
        below = rows[at + 1] if at + 1 < len(rows) else []
        place = next((k for k, label in labels.items() if label == "channel"), None)
        if len(labels) > 2 and place is not None:
            told = (r for r in rows[at + 1 : _MOST_INFO] if _plain(r[place : place + 1]) == channel)
            below = next(told, below) if channel else below
        for k, label in labels.items():
            value = below[k] if k < len(below) else ""
            if not _plain([value]) and len(labels) < 3 and k + 1 < len(row):
                value = row[k + 1]
            if _plain([value]) and not _label(value):
                found.setdefault(label, value)
    return found


def _plain(cells: Sequence[Any]) -> str:
    """A cell's text; a whole number without the point that workbooks give it."""
    cell = cells[0] if cells else ""
    whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53
    return clean_text(str(int(cell) if whole else cell if cell is not None else "")).strip()


def _conditions(info: dict[str, Any]) -> dict[str, Quantity]:
    found = {
        name: Quantity(_plain([value]))
        for name, value in info.items()
        if name in ("channel", "test_protocol", "comment", "instrument_serial", "barcode", "software_version")
    }
    mass = info.get("active_mass")
    if isinstance(mass, float) and mass > 0:
        found["active_mass"] = Quantity(mass, "g")
    return found


def _is_records(names: list[str]) -> bool:
    known = {_NAMES.get(_split(name)[0]) for name in names}
    return {"voltage", "current"} <= known and bool({"time", "step_time", "index"} & known)


def _read(source: RawInput) -> Measurement:
    vendor = _vendor(source) or "battery"
    book = Workbook(source)
    if len(book.names) > _MOST_SHEETS:
        raise ReadError(f"{source.name} has {len(book.names)} sheets, more than a test has.")
    records: dict[tuple[str, ...], tuple[str, list[str], list[Row]]] = {}
    tables: list[tuple[str, list[str], list[Row]]] = []
    described: list[list[Row]] = []
    texts: dict[str, Any] = {}
    for sheet in book.names:
        rows = book.rows(sheet)
        found = _headings(rows)
        if found is None:
            described.append(rows)
            texts[sheet] = [
                [str(c) for c in row if c != ""] for row in rows[:_MOST_INFO] if any(c != "" for c in row)
            ]
            continue
        at, names = found
        if not _is_records(names) or sheet.casefold().startswith(("stat", "cycle", "step")):
            tables.append((sheet, names, rows[at + 1 :]))
            continue
        stem = re.sub(r"_\d+\Z", "", sheet)
        records.setdefault((stem, *names), (stem, names, []))[2].extend(rows[at + 1 :])
    if not any(rows for _, _, rows in records.values()):
        raise ReadError(f"{source.name} has no sheet with records of time, voltage and current.")
    warnings: list[str] = []
    shown = [
        (sheet, _columns(names, rows, warnings, sheet.casefold().startswith("cycle")))
        for sheet, names, rows in tables
        if rows
    ]
    channels = {stem: named[1] for stem, _, _ in records.values() if (named := _CHANNEL.search(stem))}

    def told(stem: str) -> dict[str, Any]:
        return {k: v for rows in described[::-1] for k, v in _info(rows, channels.get(stem, "")).items()}

    info = told(next(iter(records.values()))[0])
    cycles = next((c for sheet, c in shown if sheet.casefold().startswith("cycle")), None)
    title = clean_text(str(info.get("title") or source.path.stem))
    entries: list[Entry] = []
    for stem, names, rows in records.values():
        columns = _columns(names, rows, warnings)
        _count_cycles(columns, cycles)
        time_from_moments(columns)
        split_by_direction(columns)
        name = "cycling" if len(records) == 1 else make_name(stem, "cycling")
        own = told(stem)
        begun = own.get("started")
        started = begun if isinstance(begun, datetime) else columns.started()
        entries.append(_unique(entries, name, columns, title, started, _conditions(own)))
    for sheet, columns in shown:
        if columns.signals:
            entries.append(
                _unique(entries, make_name(sheet, "table"), columns, f"{title}, {sheet}", None, {}, True)
            )
    return Measurement(
        tuple(entries),
        title=title,
        instrument=f"{vendor} battery tester",
        operator=clean_text(str(info.get("operator") or "")),
        original_metadata=tidy_metadata({"sheets": book.names, "texts": texts}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _unique(
    entries: list[Entry],
    name: str,
    columns: Columns,
    title: str,
    started: datetime | None,
    conditions: dict[str, Quantity],
    of_cycles: bool = False,
) -> Entry:
    own, count = name, 1
    while any(e.name == own for e in entries):
        count += 1
        own = f"{name[:55]}_{count}"
    return make_entry(
        own,
        "battery_cycling",
        columns,
        title=title,
        started=started,
        conditions=conditions,
        plot=PLOT_OF_CYCLES if of_cycles else None,
    )


READER = Reader(
    name="cycler_xlsx",
    version="3",
    techniques=("battery_cycling",),
    vendor="Arbin, Landt, Neware",
    format="workbook of a battery test",
    endings=(".xlsx", ".xls"),
    sniff=_sniff,
    read=_read,
    notes="Records of one or several sheets, with the sheets of cycles and steps beside them.",
)
