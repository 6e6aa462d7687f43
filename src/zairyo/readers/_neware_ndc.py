"""The tables inside Neware `.ndax` archives (`.ndc`): pages of fixed size, rows of a declared layout.

Facts: the first page is a header whose byte 0 is the kind of table and byte 2 the version. Versions up to 5
keep 512- or 4096-byte pages with whole records; later ones split the test over three tables: voltage and
current of every record (kind 1), time and charge at some of the records (kind 18), and the steps (kind 7).
A page of 4096 bytes begins with a bit for each row that is in use; its rows start at byte 132.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError
from zairyo.readers._neware_records import CIVIL_TIME, DATA, fields_of, layout
from zairyo.readers._neware_table import (
    Records,
    civil_time,
    count_changes,
    current_scale,
    split_by_direction,
    unix_time,
)

Array = NDArray[Any]
MAIN, SENSOR, STEPS, CHECKPOINTS = 1, 5, 7, 18

_WHOLE = (
    "id:u1 {gap}index:u4 cycle:u4 step_index:u1 step_type:u1 5x step_time:u8 voltage:i4 current:i4 4x"
    " charge_capacity:i8 discharge_capacity:i8 charge_energy:i8 discharge_energy:i8"
    f" {CIVIL_TIME} range:i4 8x"
)
_SENSOR_WHOLE = "id:u1 {gap}index:u4 19x voltage:i4 6x temperature:i2 setpoint:i2 49x"
_PAIR = "voltage:f4 current:f4"
_POINT = (
    "step_time:u4 1x charge_capacity:f4 discharge_capacity:f4 charge_energy:f4 discharge_energy:f4 {gap}x"
    " interval:i4 unix:u4 step:u4 index:u4{tail}"
)
_CHARGES = ("charge_capacity", "discharge_capacity", "charge_energy", "discharge_energy")


@dataclass(frozen=True)
class _Version:
    """One version's layouts; empty where the version has no such table.

    ``milli`` says that current is in A and charge in A h, W h; else in mA and mA s, mW s with the voltage in
    0.1 mV. ``verified``: compared with the vendor's export by someone.
    """

    main: str
    point: str = ""
    step: str = ""
    milli: bool = False
    page: int = 4096
    verified: bool = False


_STEP_EARLY = "cycle:u4 step_index:u4 16x step_type:u1 12x"
_STEP_LATE = "cycle:u4 step_index:u4 16x step_type:u1 8x index:u4 63x"
_MS = " ms:u2"
VERSIONS = {
    2: _Version(_WHOLE.format(gap="7x "), page=512, verified=True),
    5: _Version(_WHOLE.format(gap=""), verified=True),
    8: _Version(_PAIR, _POINT.format(gap=5, tail=""), _STEP_EARLY, milli=True),
    9: _Version(_PAIR, _POINT.format(gap=8, tail=""), _STEP_EARLY),
    11: _Version(_PAIR, _POINT.format(gap=8, tail=_MS), _STEP_EARLY, verified=True),
    12: _Version(_PAIR, _POINT.format(gap=8, tail=_MS), _STEP_EARLY, milli=True),
    13: _Version(_PAIR, _POINT.format(gap=8, tail=_MS + " 8x"), _STEP_EARLY),
    14: _Version(_PAIR, _POINT.format(gap=8, tail=_MS + " 8x"), _STEP_EARLY, milli=True, verified=True),
    16: _Version(_PAIR, _POINT.format(gap=8, tail=_MS + " 53x"), _STEP_LATE, verified=True),
    17: _Version(_PAIR, _POINT.format(gap=8, tail=_MS + " 53x"), _STEP_LATE, milli=True, verified=True),
}


@dataclass(frozen=True)
class Table:
    """An ``.ndc`` member that has been recognised: its kind, its version and its bytes."""

    name: str
    kind: int
    version: int
    data: bytes

    @classmethod
    def of(cls, name: str, data: bytes, kind: int) -> Table:
        """Check the header. Raises ReadError if it is another table than the name promises."""
        if len(data) < 512:
            raise ReadError(f"Part {name} has only {len(data)} bytes; it is cut off. Copy the file again.")
        if data[0] != kind:
            raise ReadError(f"Part {name} holds a table of kind {data[0]}, not {kind}; the file is damaged.")
        return cls(name, data[0], data[2], data)

    def rows(self, record: np.dtype[Any], page: int = 4096) -> tuple[Array, NDArray[np.int64]]:
        """The rows in use and their numbers, counted from 1 over all rows; both of shape (n,)."""
        if len(self.data) % page:
            raise ReadError(
                f"Part {self.name} has {len(self.data)} bytes, not a whole number of {page}-byte pages; it is cut off."
            )
        pages = np.frombuffer(self.data, np.uint8).reshape(-1, page)[1:]
        start = 132 if page == 4096 else 5
        count = (page - start - 1) // record.itemsize
        rows = (
            np.ascontiguousarray(pages[:, start : start + count * record.itemsize]).view(record).reshape(-1)
        )
        if page == 4096:
            bits = np.unpackbits(pages[:, 4 : 4 + -(-count // 8)], axis=1, bitorder="little")[:, :count]
            used = np.flatnonzero(bits)
        else:
            used = np.flatnonzero(rows["index"] != 0)
        return rows[used], used + 1


def version_of(main: Table) -> _Version:
    """Layouts of a file's version; ReadError, naming what can be read, if they are not known."""
    known = VERSIONS.get(main.version)
    if known is None:
        raise ReadError(
            f"Part {main.name} is of version {main.version}; versions {', '.join(map(str, sorted(VERSIONS)))} and 15"
            " can be read. Export the test as text with the vendor's software."
        )
    return known


def whole_records(main: Table) -> Records:
    """Records of versions 2 and 5, which hold everything in one table."""
    version = version_of(main)
    rows, _ = main.rows(layout(version.main), version.page)
    rows = rows[(rows["id"] == DATA) & (rows["index"] != 0)]
    scale = current_scale(rows["range"])
    columns: dict[str, Array] = {
        "index": rows["index"],
        "cycle": rows["cycle"] + np.uint32(1),
        "step_index": rows["step_index"],
        "step_type": rows["step_type"],
        "step_time": rows["step_time"] / 1000,
        "voltage": rows["voltage"] / 1e4,
        "current": rows["current"] * scale,
        "timestamp": civil_time(rows),
    }
    columns |= {name: rows[name] * (scale / 3600) for name in _CHARGES}
    return Records(columns, (rows["step_index"],))


def split_records(main: Table, points: Table, steps: Table | None) -> Records:
    """Records of versions 8 … 17: voltage and current of each, the rest known at some and carried on.

    Between two check points the interval between records is known and constant, so that time, charge and
    energy follow by adding up; a warning says at how many records the tester itself wrote them.
    """
    version = version_of(main)
    if points.version != main.version or (steps is not None and steps.version != main.version):
        raise ReadError("The parts of the file are of different versions; it is damaged. Copy it again.")
    pairs, index = main.rows(layout(version.main))
    columns: dict[str, Array] = {"index": index.astype(np.uint32)}
    voltage, current = pairs["voltage"].astype(np.float64), pairs["current"].astype(np.float64)
    columns["voltage"] = voltage if version.milli else voltage * 1e-4
    columns["current"] = current * 1000 if version.milli else current
    known, _ = points.rows(layout(version.point))
    known = known[np.isin(known["index"], columns["index"])]
    _, first = np.unique(known["index"], return_index=True)
    known = known[first]
    if not len(known):
        raise ReadError(f"Part {points.name} holds no time for any record; the file is cut off.")
    records = Records(columns, utc=True)
    _carry_on(records, known, version)
    if steps is not None:
        _add_steps(records, steps, version)
    else:
        records.warnings.append("The file has no list of steps: cycles and step types are not known.")
    if not version.verified:
        records.warnings.append(
            f"Version {main.version} of the format is known only from descriptions; compare a few values with the"
            " vendor's software before you rely on them."
        )
    return records


def _carry_on(records: Records, known: Array, version: _Version) -> None:
    """Fill the columns that only check points have, adding up from each to the next."""
    columns = records.columns
    count = len(columns["index"])
    starts = np.searchsorted(columns["index"], known["index"])
    lengths = np.diff(starts, append=count)
    group = np.repeat(np.arange(len(known)), lengths)  # each record's check point, from the first one on
    lead = int(starts[0])

    def since(amount: Array) -> Array:
        """Sum of ``amount`` over the records after each one's check point up to itself."""
        total = np.cumsum(amount)
        return np.asarray(total - total[starts - lead][group])

    interval = (known["interval"] / 1000)[group]
    elapsed = since(interval)
    charge = interval * columns["current"][lead:] / 3600
    gained, energy = since(charge), since(charge * columns["voltage"][lead:])
    scale = 1000.0 if version.milli else 1 / 3600

    def whole(values: Array) -> Array:
        return np.concatenate([np.full(lead, np.nan), values]) if lead else values

    columns["step_time"] = whole((known["step_time"] / 1000)[group] + elapsed)
    for kind, added in (("capacity", gained), ("energy", energy)):
        for name, part in (("charge", np.maximum(added, 0)), ("discharge", np.maximum(-added, 0))):
            stored = np.abs(known[f"{name}_{kind}"].astype(np.float64)) * scale
            columns[f"{name}_{kind}"] = whole(stored[group] + part)
    stamps = known["unix"] + (known["ms"] / 1000 if "ms" in fields_of(known) else 0)
    columns["timestamp"] = unix_time(whole(stamps[group] + elapsed))
    step = count_changes(known["step"])[group]
    columns["step"] = np.concatenate([np.full(lead, step[0]), step]) if lead else step
    if lead:
        records.warnings.append(f"The first {lead} records have no time, capacity or energy in the file.")
    if count - lead > len(known):
        records.warnings.append(
            f"The tester wrote time, capacity and energy at {len(known)} of {count} records; between them they are"
            " added up from the interval, the current and the voltage."
        )


def _add_steps(records: Records, steps: Table, version: _Version) -> None:
    rows, _ = steps.rows(layout(version.step))
    step = records.columns["step"]
    if len(rows) < int(step.max()):
        raise ReadError(
            f"Part {steps.name} lists {len(rows)} steps, but the test has {step.max()}; it is cut off."
        )
    rows = rows[: int(step.max())]
    at = step.astype(np.int64) - 1
    records.columns["cycle"] = (rows["cycle"] + np.uint32(1))[at]
    records.columns["step_index"] = rows["step_index"][at]
    records.columns["step_type"] = rows["step_type"][at]


# -- version 15 (BTS 9): the header lists the columns --------------------------------------------------

_HEAD_15 = {
    "step_index": ("u1", 2),
    "step_type": ("u1", 3),
    "index": ("<u4", 8),
    "time": ("<u4", 12),
    "time_ns": ("<u4", 16),
    "current": ("<f4", 20),
    "voltage": ("<f4", 24),
    "capacity": ("<f4", 28),
    "energy": ("<f4", 32),
}
#: Code of a column in the header → what it adds: name and format, one after another.
_COLUMNS_15 = {
    5: (("charge_capacity", "<f4"),),
    6: (("discharge_capacity", "<f4"),),
    8: (("charge_energy", "<f4"),),
    9: (("discharge_energy", "<f4"),),
    15: (("unix", "<u4"), ("unix_ns", "<u4")),
    65: (("step_time", "<u4"), ("step_time_ns", "<u4")),
}
_STEP_TYPES_15 = {21: 27, 22: 26}


def described_records(main: Table) -> Records:
    """Records of version 15, whose columns the header describes."""
    if len(main.data) < 4096:
        raise ReadError(
            f"Part {main.name} has only {len(main.data)} bytes; it is cut off. Copy the file again."
        )
    size = int.from_bytes(main.data[516:520], "little")
    if not 36 <= size <= 3900:
        raise ReadError(f"Part {main.name} says its rows are {size} bytes long; it is damaged.")
    fields = dict(_HEAD_15)
    items = np.frombuffer(main.data, np.dtype([("code", "<i4"), ("kind", "u1"), ("at", "<i4")]), 300, 520)
    for item in items:
        if not item["code"] and not item["kind"]:
            break
        at = int(item["at"])
        for name, form in _COLUMNS_15.get(int(item["code"]), ()):
            if not 0 <= at <= size - 4:
                raise ReadError(
                    f"Part {main.name} puts its column {name} at byte {at} of {size}; it is damaged."
                )
            fields[name] = (form, at)
            at += 4
    record = np.dtype(
        {
            "names": list(fields),
            "formats": [form for form, _ in fields.values()],
            "offsets": [at for _, at in fields.values()],
            "itemsize": size,
        }
    )
    rows, _ = main.rows(record)
    rows = rows[rows["index"] != 0]
    codes = np.arange(256, dtype=np.uint8)
    for here, there in _STEP_TYPES_15.items():
        codes[here] = there
    step_type, current = codes[rows["step_type"]], rows["current"].astype(np.float64)
    columns: dict[str, Array] = {
        "index": rows["index"],
        "step_index": rows["step_index"],
        "step_type": step_type,
        "time": rows["time"] + rows["time_ns"] * 1e-9,
        "voltage": rows["voltage"].astype(np.float64),
        "current": current,
    }
    if "step_time" in fields:
        columns["step_time"] = rows["step_time"] + rows["step_time_ns"] * 1e-9
    if "unix" in fields:
        columns["timestamp"] = unix_time(rows["unix"] + rows["unix_ns"] * 1e-9)
    for kind in ("capacity", "energy"):
        parts = (f"charge_{kind}", f"discharge_{kind}")
        if fields.keys() >= set(parts):
            columns |= {part: np.abs(rows[part].astype(np.float64)) / 3600 for part in parts}
        else:
            split = split_by_direction(rows[kind].astype(np.float64) / 3600, step_type, current)
            columns |= dict(zip(parts, split, strict=True))
    warning = (
        "Version 15 of the format is known only from descriptions; compare a few values with the vendor's software"
        " before you rely on them."
    )
    return Records(columns, (rows["step_index"],), utc=True, warnings=[warning])


# -- sensors -------------------------------------------------------------------------------------------

_SENSOR_SHORT = "id:u1 voltage:f4 temperature:i2"
_SENSOR_LONG = "1x index:u4 sensor:u1 29x temperature:i2 51x"


def sensor_values(part: Table) -> tuple[Array, dict[str, Array]]:
    """Record numbers and readings of one sensor.

    Readings are ``voltage`` (V), ``temperature``, ``setpoint`` (°C), or, where the format holds one number
    without saying what it is, ``value``.
    """
    if part.version in (2, 5):
        page, gap = (512, "7x ") if part.version == 2 else (4096, "")
        rows, _ = part.rows(layout(_SENSOR_WHOLE.format(gap=gap)), page)
        rows = rows[rows["index"] != 0]
        return rows["index"], {
            "voltage": rows["voltage"] / 1e4,
            "temperature": rows["temperature"] / 10,
            "setpoint": rows["setpoint"] / 10,
        }
    if part.version in (8, 12, 14, 17):
        rows, index = part.rows(layout("value:f4"))
        return index, {"value": rows["value"].astype(np.float64)}
    mark = part.data[4228:4229]
    if part.version in (9, 11, 13, 16) and mark == b"\x65":
        rows, index = part.rows(layout(_SENSOR_SHORT))
        return index, {"voltage": rows["voltage"] / 1e4, "temperature": rows["temperature"] / 10}
    if part.version in (9, 11, 13) and mark == b"\x74":
        rows, _ = part.rows(layout(_SENSOR_LONG))
        return rows["index"], {"temperature": rows["temperature"] / 10}
    raise ReadError(f"Part {part.name} is of version {part.version} in a form not known here.")
