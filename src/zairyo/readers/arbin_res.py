"""Arbin MITS Pro `.res`: the test of a battery cycler as an Access database.

Facts: ``Channel_Normal_Table`` has a row a record, ``Global_Table`` a row a test, ``Channel_Statistic_Table`` a row
a cycle; ``Auxiliary_Table`` has the sensors' readings by record, ``Aux_Global_Data_Table`` the sensors. Times are
days since 1899-12-30 by the tester's clock, amounts A, V, Ah, Wh, ohm, s; the mass is in grams.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Measurement, Quantity, make_name
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import LIKELY, NO, POSSIBLE, RawInput, Reader, ReadError
from zairyo.readers._electrochemistry import PLOT_OF_CYCLES, Columns, make_entry
from zairyo.readers._jet import MAGICS, Database

Array = NDArray[Any]
_MOST_BYTES = 1024**3
_RECORDS = "Channel_Normal_Table"
_EPOCH = datetime(1899, 12, 30)
#: Column → name, unit and label.
_COLUMNS = {
    "Data_Point": ("index", "", "Data point"),
    "Cycle_Index": ("cycle", "", "Cycle, as the tester counted"),
    "Step_Index": ("step_index", "", "Step of the schedule"),
    "Test_Time": ("time", "s", "Test time"),
    "Step_Time": ("step_time", "s", "Time in step"),
    "DateTime": ("timestamp", None, "Date and time"),
    "Voltage": ("voltage", "V", "Voltage"),
    "Current": ("current", "A", "Current"),
    "Charge_Capacity": ("charge_capacity", "Ah", "Charge capacity"),
    "Discharge_Capacity": ("discharge_capacity", "Ah", "Discharge capacity"),
    "Charge_Energy": ("charge_energy", "Wh", "Charge energy"),
    "Discharge_Energy": ("discharge_energy", "Wh", "Discharge energy"),
    "Internal_Resistance": ("internal_resistance", "ohm", "Internal resistance"),
    "dV/dt": ("voltage_rate", "V/s", "dV/dt"),
    "AC_Impedance": ("ac_resistance", "ohm", "AC impedance"),
    "ACI_Phase_Angle": ("z_phase", "deg", "Phase of the AC impedance"),
    "Vmax_On_Cycle": ("voltage_maximum", "V", "Highest voltage of the cycle"),
    "Charge_Time": ("charge_time", "s", "Time in charge"),
    "Discharge_Time": ("discharge_time", "s", "Time in discharge"),
}
#: Sensors by their type: name and usual unit.
_SENSORS = {0: ("auxiliary_voltage", "V"), 1: ("temperature", "degC")}
#: How sensors of temperature write their unit, which alone would be a coulomb or a farad.
_DEGREES = {"C": "degC", "°C": "degC", "Celsius": "degC", "F": "degF", "°F": "degF", "Fahrenheit": "degF"}


def _sniff(source: RawInput) -> float:
    if source.head[4:20] not in MAGICS:
        return NO
    return LIKELY if source.suffix == ".res" else POSSIBLE


def moments(days: Array) -> Array:
    """Days since 1899-12-30 → ``datetime64[ms]``; NaT where they are no date."""
    days = np.asarray(days, np.float64)
    valid = (days > 1) & (days < 2_958_466)
    times: Array = np.rint((np.where(valid, days, 25569.0) - 25569.0) * 86_400_000).astype(np.int64)
    times = times.astype("datetime64[ms]")
    times[~valid] = np.datetime64("NaT")
    return times


def _moment(days: Any) -> datetime | None:
    if days is None or not 1 < float(days) < 2_958_466:
        return None
    return _EPOCH + timedelta(milliseconds=round(float(days) * 86_400_000))


def _numbers(table: dict[str, Any]) -> set[str]:
    """Names of the columns of numbers; none where there is no row, or the column is damaged."""
    return {name for name, values in table.items() if isinstance(values, np.ndarray)}


def _row(table: dict[str, Any], at: int) -> dict[str, Any]:
    return {name: values[at] for name, values in table.items() if at < len(values)}


def _rows(database: Database, table: str, most: int = 1000) -> list[dict[str, Any]]:
    """The rows of a table for the metadata; none if there is no such table or it is damaged."""
    if table not in database.tables:
        return []
    try:
        found = database.read(table)
    except ReadError:
        return []
    return [_row(found, at) for at in range(min(most, max(map(len, found.values()), default=0)))]


# -- tables → columns ----------------------------------------------------------------------------------


def _ordered(table: dict[str, Any], test: int) -> dict[str, Array]:
    """One test's rows, by record number."""
    mine = np.flatnonzero(np.asarray(table["Test_ID"]) == test)
    mine = mine[np.argsort(np.asarray(table["Data_Point"])[mine], kind="stable")]
    return {name: values[mine] for name, values in table.items() if isinstance(values, np.ndarray)}


def _records(table: dict[str, Array]) -> Columns:
    columns = Columns()
    for name, (own, unit, label) in _COLUMNS.items():
        if name in table:
            values = moments(table[name]) if name == "DateTime" else table[name]
            columns.add(own, values, unit, label)
    for name, values in table.items():
        if name not in _COLUMNS and name != "Test_ID" and values.any():
            columns.add(make_name(name, "column"), values, None, name)
    return columns


def _add_sensors(database: Database, columns: Columns, test: int, channel: Any, warnings: list[str]) -> None:
    """The sensors' readings at their records; NaN where a sensor was not read."""
    if "Auxiliary_Table" not in database.tables or not database.rows("Auxiliary_Table"):
        return
    try:
        readings = database.read(
            "Auxiliary_Table", {"Test_ID", "Data_Point", "Auxiliary_Index", "Data_Type", "X"}
        )
    except ReadError as e:
        warnings.append(f"The sensors are left out: {e}")
        return
    if len(_numbers(readings)) < 5:
        return  # none was read
    # Every channel counts its sensors from the same number on.
    described = _rows(database, "Aux_Global_Data_Table")
    described.sort(key=lambda row: row.get("Channel_Index") == channel)
    told = {(row.get("Auxiliary_Index"), row.get("Data_Type")): row for row in described}
    mine = _ordered(readings, test)
    index = columns["index"]
    kinds = np.unique(np.stack([mine["Data_Type"], mine["Auxiliary_Index"]]).astype(np.int64), axis=1).T[:256]
    for kind, sensor in kinds.tolist():
        rows = (mine["Data_Type"] == kind) & (mine["Auxiliary_Index"] == sensor)
        points = mine["Data_Point"][rows]
        at = np.searchsorted(index, points)
        known = (at < len(index)) & (index[np.minimum(at, len(index) - 1)] == points)
        values = np.full(len(index), np.nan)
        values[at[known]] = mine["X"][rows][known]
        name, unit = _SENSORS.get(kind, ("auxiliary", None))
        row = told.get((sensor, kind), {})
        stated = str(row.get("Unit") or "").strip()
        written = _DEGREES.get(stated) if name == "temperature" else None
        written = written or columns.unit(stated, str(row.get("Nickname")))
        columns.add(name, values, written or unit, str(row.get("Nickname") or f"Sensor {sensor}"))


def _cycles(database: Database, records: dict[str, Array], test: int) -> Columns | None:
    """The table of cycles: what the tester noted at the last record of each."""
    if "Channel_Statistic_Table" not in database.tables:
        return None
    try:
        table = database.read("Channel_Statistic_Table")
    except ReadError:
        return None
    if not {"Test_ID", "Data_Point"} <= _numbers(table):
        return None
    mine = _ordered(table, test)
    points = records["Data_Point"]
    at = np.searchsorted(points, mine["Data_Point"])
    known = (at < len(points)) & (points[np.minimum(at, len(points) - 1)] == mine["Data_Point"])
    if not known.any():
        return None
    shared = ("Cycle_Index", "Test_Time", "DateTime", "Charge_Capacity", "Discharge_Capacity", "Charge_Energy",
              "Discharge_Energy")  # fmt: skip
    joined = {name: values[known] for name, values in mine.items()}
    joined |= {name: records[name][at[known]] for name in shared if name in records and name not in joined}
    return _records(joined)


# -- tests → entries -----------------------------------------------------------------------------------


def _conditions(row: dict[str, Any]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, name, unit in (
        ("MASS", "active_mass", "g"),
        ("Capacity", "nominal_capacity", "Ah"),
        ("Specific_Capacity", "specific_capacity", "Ah/g"),
    ):
        value = row.get(key)
        if isinstance(value, (float, np.floating)) and np.isfinite(value) and value > 0:
            found[name] = Quantity(float(f"{float(value):.7g}"), unit)
    texts = {
        "test_protocol": PureWindowsPath(str(row.get("Schedule_File_Name") or "")).name,
        "schedule_version": row.get("Schedule_Version"),
        "software_version": row.get("Software_Version"),
        "instrument_serial": row.get("Serial_Number"),
        "barcode": row.get("Item_ID"),
        "comment": row.get("Comments"),
        "channel": row.get("Channel_Index"),
    }
    return found | {
        name: Quantity(str(value).strip()) for name, value in texts.items() if str(value or "").strip()
    }


def _entries(
    database: Database,
    table: dict[str, Any],
    test: int,
    row: dict[str, Any],
    suffix: str,
    warnings: list[str],
) -> list[Entry]:
    records = _ordered(table, test)
    columns = _records(records)
    _add_sensors(database, columns, test, row.get("Channel_Index"), warnings)
    title = clean_text(str(row.get("Test_Name") or f"Test {test}"))
    conditions, started = _conditions(row), _moment(row.get("Start_DateTime"))
    entries = [
        make_entry(
            f"cycling{suffix}",
            "battery_cycling",
            columns,
            title=title,
            started=started,
            conditions=conditions,
        )
    ]
    cycles = _cycles(database, records, test)
    if cycles is not None and "cycle" in cycles:
        entries.append(
            make_entry(
                f"cycles{suffix}",
                "battery_cycling",
                cycles,
                title=f"{title}, cycles",
                started=started,
                plot=PLOT_OF_CYCLES,
            )
        )
    warnings += columns.warnings
    return entries


@np.errstate(all="ignore")  # damaged bytes are odd numbers, not news for the console
def _read(source: RawInput) -> Measurement:
    database = Database(source.read_bytes(_MOST_BYTES))
    if _RECORDS not in database.tables:
        raise ReadError(
            f"{source.name} is a database without {_RECORDS}; it is no Arbin test, or is cut off. Its tables are "
            f"{', '.join(list(database.tables)[:10]) or 'none'}."
        )
    table, warnings = database.read(_RECORDS), list[str]()
    numbers = _numbers(table)
    lacking = {"Test_ID", "Data_Point", "Test_Time", "Voltage", "Current"} - (numbers or set(table))
    if lacking:
        raise ReadError(
            f"{_RECORDS} lacks {', '.join(sorted(lacking))}; the file is damaged or of a kind not known."
        )
    count, told = len(table["Data_Point"]), database.rows(_RECORDS)
    if not count:
        raise ReadError(
            "The file holds no record: the test was stopped before the first, or the file is cut off."
        )
    if count < told:
        raise ReadError(
            f"The file holds {count} records of the {told} it says it has; it is cut off. Copy it again."
        )
    if count > told:
        warnings.append(
            f"The file holds {count} records, {count - told} more than its table says; all are kept."
        )
    tests = np.unique(np.asarray(table["Test_ID"])).tolist()
    if len(tests) > 64 or tests[0] < 0:
        raise ReadError(
            f"The file says it holds {len(tests)} tests, the first number {tests[0]}; it is damaged."
        )
    rows = {row.get("Test_ID"): row for row in _rows(database, "Global_Table")}
    entries: list[Entry] = []
    for test in tests:
        suffix = f"_{test}" if len(tests) > 1 else ""
        entries += _entries(database, table, test, rows.get(test, {}), suffix, warnings)
    first = rows.get(tests[0], {})
    metadata = {
        name: _rows(database, name)
        for name in ("Global_Table", "Version_Table", "Event_Table", "Resume_Table", "Aux_Global_Data_Table")
        if name in database.tables
    }
    return Measurement(
        tuple(entries),
        title=clean_text(str(first.get("Test_Name") or source.path.stem)),
        sample=clean_text(str(first.get("Item_ID") or "")),
        instrument="Arbin battery tester",
        operator=clean_text(str(first.get("Creator") or "")),
        original_metadata=tidy_metadata(
            {k: v[0] if len(v) == 1 else v for k, v in metadata.items() if v}
            | {"tables": list(database.tables)}
        ),
        warnings=tuple(warnings),
    )


READER = Reader(
    name="arbin_res",
    version="1",
    techniques=("battery_cycling",),
    vendor="Arbin",
    format="MITS Pro test (res)",
    endings=(".res",),
    sniff=_sniff,
    read=_read,
    surest=LIKELY,
    notes=(
        "Records, cycles, sensors and the test's description of Jet 3, Jet 4 and ACE databases, several tests in a "
        "file as well. Smart-battery and CAN tables are not read."
    ),
)
