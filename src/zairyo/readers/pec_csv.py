"""PEC LifeTest CSV exports: a test of one or several cells, a row a record.

Facts: lines of ``key:,value``; blocks between ``#NAME`` and ``#END NAME``; a line of headings with units in
brackets that begins ``Test,Cell,Rack,Shelf,Position``; the records. A heading ``Charge Capacity (mWh)`` is an
energy. Sensors that were not read at a record are blank. Currents of a discharge are negative.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, make_name
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import lines_of, moments_of, numbers_of, table_of
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._electrochemistry import Columns, make_entry
from zairyo.readers._text_export import decimal_of, texts

_MOST_BYTES = 1024**3
_HEADINGS = ("Test,Cell,Rack,Shelf,Position,", "Test;Cell;Rack;Shelf;Position;")
_MOST_HEADER = 500
_DATES = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M")
_UNITS = {"Seconds": "s", "mOhm": "mohm", "Hours": "h", "Minutes": "min"}
_NAMES = {
    "Step": "step_index",
    "Cycle": "cycle",
    "Total Time": "time",
    "Step Time": "step_time",
    "Load On Time": "load_time",
    "Real Time": "timestamp",
    "Voltage": "voltage",
    "Current": "current",
    "Charge Capacity": "charge_capacity",
    "Discharge Capacity": "discharge_capacity",
    "ReasonCode": "end_status",
    "DC Internal Resistance": "dc_resistance",
    "AC Internal Resistance": "ac_resistance",
    "Cell surface temperature": "temperature",
    "50% DoD": "voltage_half_discharged",
}
_COUNTS = frozenset({"Test", "Cell", "Step", "Cycle", "ReasonCode", "Shelf", "Position"})
_MOST_CELLS = 256


def _sniff(source: RawInput) -> float:
    head = source.text_head
    mine = any(headings.encode() in head for headings in _HEADINGS)
    return CERTAIN if mine and b"TestRegime Name:" in head else NO


def _header(lines: list[str], mark: str) -> tuple[dict[str, str], list[str]]:
    found, loose = dict[str, str](), list[str]()
    for line in lines:
        key, colon, value = line.partition(":" + mark)
        if colon and mark not in key:
            found[key.strip()] = value.strip(" " + mark)
        elif line.strip(" " + mark):
            loose.append(line.strip())
    return found, loose


def _columns(
    names: list[str], cells: list[Any], rows: Any, decimal: str, warnings: list[str]
) -> tuple[Columns, dict[str, str]]:
    """The columns of one cell's rows, and what is the same in all of them and no number."""
    columns, steady = Columns(), dict[str, str]()
    for heading, column in zip(names, cells, strict=True):
        match = re.fullmatch(r"(.*?)\s*(?:\((.*)\))?", heading)
        quantity, unit = (match[1], match[2]) if match else (heading, None)
        name = _NAMES.get(quantity) or make_name(quantity, "column")
        if unit in ("mWh", "Wh", "kWh"):
            name = name.replace("capacity", "energy")
        if not isinstance(column, np.ndarray):
            mine = column if len(rows) == len(column) else [column[k] for k in rows.tolist()]
            if len(set(mine)) == 1:
                if mine[0]:
                    steady[heading] = mine[0]
                continue
            moments = moments_of(mine) if name == "timestamp" else None
            values = numbers_of(mine, decimal, heading, warnings) if moments is None else None
            if values is None:
                moments = moments or (moments_of(mine) if "Time" in heading else None)
                columns.add(name, moments[0] if moments else texts(mine), None, heading)
                continue
        else:
            values = column[rows]
        if quantity in _COUNTS and (values == np.rint(values)).all() and (np.abs(values) < 2**31).all():
            columns.add(name, values.astype(np.int64), "", quantity)
            continue
        written = _UNITS.get(unit or "", unit)
        columns.add(name, values, columns.unit(written, heading), quantity)
    return columns, steady


def _read(source: RawInput) -> Measurement:
    lines = lines_of(source.read_bytes(_MOST_BYTES))
    at = next((k for k, line in enumerate(lines[:_MOST_HEADER]) if line.startswith(_HEADINGS)), None)
    if at is None:
        raise ReadError(
            f"{source.name} has no line of headings ({_HEADINGS[0]}…); it is cut off. Copy it again."
        )
    mark = lines[at][4]
    decimal = "." if mark == "," else decimal_of(lines[at + 1 : at + 51], mark)
    header, loose = _header(lines[:at], mark)
    names = [name.strip() for name in lines[at].rstrip(mark + " ").split(mark)]
    cells = table_of(lines, at + 1, mark, len(names), decimal)
    numbers = cells[names.index("Cell")]
    who = numbers if isinstance(numbers, np.ndarray) else np.array(numbers)
    each = np.unique(who)
    if len(each) > _MOST_CELLS:
        raise ReadError(f"{source.name} says it holds {len(each)} cells; it is damaged.")
    conditions = {
        name: Quantity(text)
        for name, key in (
            ("test_protocol", "TestRegime Name"),
            ("schedule_version", "TestRegime Version"),
            ("barcode", "LotID"),
            ("comment", "Operator Instructions"),
        )
        if (text := header.get(key, ""))
    }
    warnings: list[str] = []
    started = in_forms(header.get("Start Time", ""), _DATES, warnings, header.values())
    title = header.get("TestRegime Name") or source.path.stem
    entries: list[Entry] = []
    for cell in each:
        columns, steady = _columns(names, cells, np.flatnonzero(who == cell), decimal, warnings)
        number = f"{cell:g}" if isinstance(cell, np.floating) else str(cell)
        place = "-".join(steady[k] for k in ("Rack", "Shelf", "Position") if k in steady)
        own = dict(conditions) | ({"channel": Quantity(place)} if place else {})
        entries.append(
            make_entry(
                "cycling" if len(each) == 1 else make_name(f"cell_{number}"),
                "battery_cycling",
                columns,
                title=title if len(each) == 1 else f"{title}, cell {number}",
                started=started,
                conditions=own,
                metadata=tidy_metadata({"in all records": steady} if steady else {}),
            )
        )
        warnings += columns.warnings
    product = header.get("Product ID", "")
    return Measurement(
        tuple(entries),
        title=title,
        sample="" if product.startswith("Default") else product,
        instrument="PEC battery tester",
        operator=header.get("Requestor", ""),
        original_metadata=tidy_metadata({"header": header, "lines": loose, "headings": names}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


READER = Reader(
    name="pec_csv",
    version="2",
    techniques=("battery_cycling",),
    vendor="PEC",
    format="LifeTest CSV export",
    endings=(".csv",),
    sniff=_sniff,
    read=_read,
    notes="A test's records with its header; each cell of a test is an entry of its own.",
)
