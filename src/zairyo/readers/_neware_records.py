"""The records of Neware `.nda` files: one layout a family of versions, declared as text.

Facts: BTS 7/8 write versions 1–29, one block of fixed-size records whose place is in the header; BTS 9 writes
129 and 130, one or more blocks, whose record structure follows from a record version and the record's size.
Times without a unit here are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError
from zairyo.readers._neware_table import (
    Records,
    civil_time,
    count_changes,
    current_scale,
    split_by_direction,
    unix_time,
)

Array = NDArray[Any]
DATA, AUXILIARY = 0x55, 0x65
CIVIL_TIME = "year:u2 month:u1 day:u1 hour:u1 minute:u1 second:u1"
_CHARGES = ("charge_capacity", "discharge_capacity", "charge_energy", "discharge_energy")


@cache
def layout(text: str) -> np.dtype[Any]:
    """``"index:u4 8x voltage:i4"`` → a packed little-endian dtype; ``8x`` are eight bytes passed over."""
    names, formats, offsets, at = [], [], [], 0
    for part in text.split():
        if part.endswith("x"):
            at += int(part[:-1])
            continue
        name, kind = part.split(":")
        names.append(name)
        formats.append("<" + kind)
        offsets.append(at)
        at += np.dtype(kind).itemsize
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": at})


def fields_of(rows: Array) -> tuple[str, ...]:
    """Names of the columns a layout gave."""
    return rows.dtype.names or ()


@dataclass(frozen=True)
class _Family:
    """Versions that share a record.

    ``ticks`` are units of step time in a second; ``first_cycle`` is what to add to the cycle number;
    ``verified`` says whether real files of the family have been compared with the vendor's export.
    """

    versions: tuple[int, ...]
    record: str
    ticks: int = 1
    first_cycle: int = 1
    identifiers: tuple[int, ...] = (DATA,)
    auxiliary: str = ""
    verified: bool = False


_ENERGIES = "charge_capacity:i8 discharge_capacity:i8 charge_energy:i8 discharge_energy:i8"
_AUX_TAIL = "voltage:i4 8x temperature:i2"
FAMILIES = (
    _Family(
        (3, 4),
        "id:u1 index:u4 cycle:u4 step_index:u1 step_type:u1 step_time:u4 voltage:i4 current:i4 8x capacity:i8 4x",
        identifiers=(0, DATA),
    ),
    _Family(
        (5, 7),
        "id:u1 index:u4 cycle:u4 step_index:u1 step_type:u1 step_time:u4 voltage:i4 current:i4 8x"
        " capacity:i8 energy:i8 unix:u8 4x",
        identifiers=(0, DATA),
        verified=True,
    ),
    _Family(
        (6, 8),
        "id:u1 index:u4 cycle:u4 step_index:u1 step_type:u1 step_time:u4 voltage:i4 current:i4 8x"
        " capacity:i8 energy:i8 unix:u8 4x",
        first_cycle=0,
        identifiers=(0, DATA),
        verified=True,
    ),
    _Family(
        (9,),
        "id:u1 aux:u1 index:u4 cycle:u4 step_index:u1 step_type:u1 step_time:u4 voltage:i4 current:i4 8x"
        " capacity:i8 energy:i8 unix:u8 4x",
    ),
    _Family(
        (11, 12, 13, 15, 18),
        "id:u1 aux:u1 index:u4 cycle:u4 step_index:u2 step_type:u1 step_time:u8 voltage:i4 current:i4 8x"
        " capacity:i8 energy:i8 unix:u8 range:i4 4x",
        ticks=1000,
        auxiliary=f"id:u1 aux:u1 index:u4 15x {_AUX_TAIL} 34x",
    ),
    _Family(
        (14, 16, 17, 20, 22, 23, 24),
        "id:u1 aux:u1 index:u4 cycle:u4 step_index:u2 step_type:u1 jump:u1 step_time:u8 voltage:i4 current:i4 8x"
        f" {_ENERGIES} unix:u8 range:i4 4x",
        ticks=1000,
        auxiliary=f"id:u1 aux:u1 index:u4 16x {_AUX_TAIL} 50x",
        verified=True,
    ),
    _Family(
        (19,),
        "id:u1 7x index:u4 cycle:u4 step_index:u2 step_type:u1 1x jump:u1 3x step_time:u4 voltage:i4 current:i4 8x"
        " charge_capacity:i4 discharge_capacity:i4 charge_energy:i4 discharge_energy:i4 unix:u4 4x",
    ),
    _Family(
        (25, 27),
        "id:u1 aux:u1 index:u4 cycle:u4 step_index:u2 step_type:u1 step_time:u8 voltage:i4 current:i4 8x"
        " capacity:i8 energy:i8 unix:u8 range:i4 jump:u1 4x",
        ticks=1000,
    ),
    _Family(
        (26, 28, 29),
        "id:u1 aux:u1 index:u4 cycle:u4 step_index:u2 step_type:u1 jump:u1 step_time:u8 voltage:i4 current:i4 8x"
        f" {_ENERGIES} {CIVIL_TIME} 1x range:i4 4x",
        ticks=1000,
        auxiliary=f"id:u1 aux:u1 index:u4 16x {_AUX_TAIL} 50x",
        verified=True,
    ),
)
_FAMILY = {version: family for family in FAMILIES for version in family.versions}
VERSIONS = tuple(sorted(_FAMILY))


def number(data: bytes, at: int, size: int = 4, signed: bool = False) -> int:
    """A little-endian integer of the header."""
    if at < 0 or at + size > len(data):
        raise ReadError(f"The header is cut off: byte {at} is missing. Copy the file again.")
    return int.from_bytes(data[at : at + size], "little", signed=signed)


def _rows(data: bytes, begin: int, length: int, record: np.dtype[Any]) -> Array:
    """The records of a block, checked against the file's size; shape (n,)."""
    if begin + length > len(data):
        raise ReadError(
            f"The file ends at byte {len(data)}, but its records go on to byte {begin + length}; it is cut off."
            " Copy it again."
        )
    return np.frombuffer(data, record, length // record.itemsize, begin)


def _main_block(data: bytes, record: np.dtype[Any]) -> tuple[int, int]:
    """Begin and length of the block of records, as the header says, else as the first record shows.

    Some testers leave the header's pointer empty or stale until the test ends.
    """
    begin, length = number(data, 64), number(data, 68)
    if begin and length and length % record.itemsize == 0:
        return begin, length
    begin = data.find(bytes((DATA, 0, 1, 0, 0, 0)), 512)
    if begin < 0 or len(data) - begin < record.itemsize:
        raise ReadError(
            "The file holds no record: the test was stopped before the first one, or it is damaged."
        )
    return begin, (len(data) - begin) // record.itemsize * record.itemsize


def fixed_range(data: bytes) -> int:
    """The tester's current range, where a record does not name its own."""
    return number(data, number(data, 16) + 26, signed=True)


def read_bts8(data: bytes, version: int) -> Records:
    """Records of versions 3 … 29.

    Raises
    ------
    ReadError
        The version is not known, the block lies outside the file or has another record size.
    """
    family = _FAMILY.get(version)
    if family is None:
        raise ReadError(
            f"This is version {version} of the format; versions {', '.join(map(str, VERSIONS))}, 129 and 130 can be"
            " read. Export the test as text with the vendor's software."
        )
    record = layout(family.record)
    rows = _rows(data, *_main_block(data, record), record)
    rows = rows[np.isin(rows["id"], family.identifiers) & (rows["index"] != 0)]
    if "jump" in fields_of(rows):
        rows = rows[rows["step_type"] != 0]
    ranges = rows["range"] if "range" in fields_of(rows) else np.zeros(len(rows), np.int32)
    if np.any(ranges == 0):
        ranges = np.where(ranges == 0, np.int32(fixed_range(data)), ranges)
    scale = current_scale(ranges)
    columns: dict[str, Array] = {
        "index": rows["index"],
        "cycle": rows["cycle"] + np.uint32(family.first_cycle),
        "step_index": rows["step_index"],
        "step_type": rows["step_type"],
        "step_time": rows["step_time"] / family.ticks,
        "voltage": rows["voltage"] / 1e4,
        "current": rows["current"] * scale,
    }
    columns |= _amounts(rows, scale / 3600, columns)
    utc = "unix" in fields_of(rows)
    if utc:
        columns["timestamp"] = unix_time(rows["unix"])
    elif "year" in fields_of(rows):
        columns["timestamp"] = civil_time(rows)
    changes = [rows[name] for name in ("step_index", "jump") if name in fields_of(rows)]
    if version in (26, 28, 29):
        changes = changes[1:]  # there the jump counter alone tells one pass of a loop from the next
    records = Records(columns, tuple(changes), utc)
    if not family.verified:
        records.warnings.append(
            f"Version {version} of the format is known only from descriptions; compare a few values with the"
            " vendor's software before you rely on them."
        )
    if np.any(ranges <= -(10**6)):
        records.warnings.append(
            f"The scale of current range {int(ranges.min())} is inferred; compare the current with the vendor's"
            " software."
        )
    if family.auxiliary:
        _add_auxiliary(data, layout(family.auxiliary), records)
    return records


def _amounts(rows: Array, scale: Array, columns: dict[str, Array]) -> dict[str, Array]:
    if "charge_capacity" in fields_of(rows):
        return {name: rows[name] * scale for name in _CHARGES}
    found: dict[str, Array] = {}
    for name in ("capacity", "energy"):
        if name in fields_of(rows):
            charge, discharge = split_by_direction(
                rows[name] * scale, columns["step_type"], columns["current"]
            )
            found |= {f"charge_{name}": charge, f"discharge_{name}": discharge}
    return {name: found[name] for name in _CHARGES if name in found}


def _add_auxiliary(data: bytes, record: np.dtype[Any], records: Records) -> None:
    """Voltage and temperature of further sensors: in a block of their own or between the records."""
    begin, length = number(data, 72), number(data, 76)
    blocks = [_main_block(data, record)] if record.itemsize == 86 else []
    if length and begin:
        blocks.append((begin, length))
    for place in blocks:
        rows = _rows(data, *place, record)
        rows = rows[rows["id"] == AUXILIARY]
        for sensor in np.unique(rows["aux"]):
            add_sensor(records, int(sensor), rows[rows["aux"] == sensor])


def add_sensor(records: Records, sensor: int, rows: Array) -> None:
    """One sensor's readings in 0.1 mV and 0.1 °C, at the records they belong to; all-zero ones are not wired."""
    if np.any(rows["temperature"]):
        values = place(records.columns["index"], rows["index"], rows["temperature"] / 10)
        add_extra(records, "temperature", values, "degC", f"Temperature of sensor {sensor}")
    if np.any(rows["voltage"]):
        values = place(records.columns["index"], rows["index"], rows["voltage"] / 1e4)
        add_extra(records, "auxiliary_voltage", values, "V", f"Voltage of sensor {sensor}")


def add_extra(records: Records, name: str, values: Array, unit: str | None, label: str) -> None:
    """Put a further column under the first free of ``name``, ``name_2``, ``name_3`` …"""
    free, count = name, 1
    while free in records.extra:
        count += 1
        free = f"{name}_{count}"
    records.extra[free] = (values, unit, label)


def place(index: Array, other: Array, values: Array) -> NDArray[np.float64]:
    """``values`` known at the record numbers ``other``, put at ``index``; NaN where there is none."""
    if len(index) == len(other) and np.array_equal(index, other):
        return np.asarray(values, np.float64)
    found = np.full(len(index), np.nan)
    if len(other):
        order = np.argsort(other, kind="stable")
        other = other[order]
        at = np.minimum(np.searchsorted(other, index), len(other) - 1)
        hit = other[at] == index
        found[hit] = np.asarray(values, np.float64)[order][at[hit]]
    return found


# -- BTS 9 ---------------------------------------------------------------------------------------------

_BTS9_EARLY = (
    "4x id:u1 4x step_index:u1 step_type:u1 5x index:u4 8x step_time:u8 voltage:f4 current:f4 8x"
    " charge_capacity:f4 charge_energy:f4 discharge_capacity:f4 discharge_energy:f4 unix:u8 12x"
)
_HEAD = "id:u2 step_index:u1 step_type:u1 4x index:u4 time:u4 time_ns:u4 current:f4 voltage:f4 capacity:f4 energy:f4"
_BTS9_LATE = {
    52: f"{_HEAD} cycle:u4 4x unix:u4 unix_ns:u4",
    56: f"{_HEAD} cycle:u4 4x unix:u4 unix_ns:u4 temperature:f4",
    60: f"{_HEAD} unix:u4 unix_ns:u4 4x temperature:f4 cycle:u4 4x",
}


def _blocks(data: bytes) -> list[tuple[int, int]]:
    """Begin and length of each block of a BTS 9 file, which may chain headers of 1024 bytes."""
    begin, length = number(data, 82, 8), number(data, 90, 8)
    if begin or data[1024:1030] != b"NEWARE":
        return [(begin, length or max(0, len(data) - begin))]
    blocks, head, seen = [], 1024, set[int]()
    while head not in seen and data[head : head + 6] == b"NEWARE" and head + 258 <= len(data):
        seen.add(head)
        if number(data, head + 90, 8):
            blocks.append((number(data, head + 82, 8), number(data, head + 90, 8)))
        head = number(data, head + 242, 8) + number(data, head + 250, 8)
    return blocks


def _record_size(data: bytes, blocks: list[tuple[int, int]], signature: bytes, sizes: tuple[int, ...]) -> int:
    """The size at which every record of the first block begins alike, and that divides every block."""
    begin, length = blocks[0]
    fits = [size for size in sizes if not any(each % size for _, each in blocks)]
    for size in fits:
        starts = range(begin, begin + min(length, 64 * size), size)
        if all(data[at : at + len(signature)] == signature for at in starts):
            return size
    raise ReadError(
        f"The records at byte {begin} are of a size not known here ({', '.join(map(str, sizes))} are); the file is"
        " damaged or newer. Export the test as text with the vendor's software."
    )


def read_bts9(data: bytes) -> Records:
    """Records of versions 129 and 130."""
    blocks = _blocks(data)
    if not blocks or not any(length for _, length in blocks):
        raise ReadError("The file holds no record: the test was stopped before the first one.")
    for begin, length in blocks:
        if begin + length > len(data):
            raise ReadError(
                f"The file ends at byte {len(data)}, but its records go on to byte {begin + length}; it is cut off."
                " Copy it again."
            )
    begin = blocks[0][0]
    early = data[begin + 4 : begin + 5] == bytes((DATA,)) and number(data, 16, 2) < 19
    if not early and data[begin : begin + 1] != bytes((DATA,)):
        raise ReadError(
            f"There is no record at byte {begin}, where the header says; the file is damaged or newer."
        )
    if early:
        size = _record_size(data, blocks, data[begin : begin + 5], (88,))
        record = layout(_BTS9_EARLY)
    else:
        size = _record_size(data, blocks, data[begin : begin + 2], tuple(_BTS9_LATE))
        record = layout(_BTS9_LATE[size])
    rows = np.concatenate([_rows(data, at, length, record) for at, length in blocks])
    rows = rows[(rows["id"] & 0xFF == DATA) & (rows["index"] != 0)]
    return _bts9_early(rows) if early else _bts9_late(rows)


def _bts9_early(rows: Array) -> Records:
    columns: dict[str, Array] = {
        "index": rows["index"],
        "step_index": rows["step_index"],
        "step_type": rows["step_type"],
        "step_time": rows["step_time"] / 1e6,
        "voltage": rows["voltage"].astype(np.float64),
        "current": rows["current"].astype(np.float64),
    }
    # Some testers write the discharge negative.
    columns |= {name: np.abs(rows[name].astype(np.float64)) / 3600 for name in _CHARGES}
    columns["timestamp"] = unix_time(rows["unix"] / 1e6)
    return Records(columns, (rows["step_index"],), utc=True)


def _bts9_late(rows: Array) -> Records:
    capacity, energy = rows["capacity"] / 3600.0, rows["energy"] / 3600.0
    step = count_changes(rows["step_index"])
    columns: dict[str, Array] = {
        "index": rows["index"],
        "cycle": rows["cycle"] + np.uint32(1),
        "step": step,
        "step_index": rows["step_index"],
        "step_type": rows["step_type"],
        "time": rows["time"] + rows["time_ns"] * 1e-9,
        "timestamp": unix_time(rows["unix"] + rows["unix_ns"] * 1e-9),
        "voltage": rows["voltage"].astype(np.float64),
        "current": rows["current"].astype(np.float64),
        "charge_capacity": np.maximum(capacity, 0).astype(np.float64),
        "discharge_capacity": np.maximum(-capacity, 0).astype(np.float64),
        "charge_energy": np.maximum(energy, 0).astype(np.float64),
        "discharge_energy": np.maximum(-energy, 0).astype(np.float64),
    }
    records = Records(columns, (rows["step_index"],), utc=True)
    if "temperature" in fields_of(rows):
        add_extra(
            records, "temperature", rows["temperature"].astype(np.float64), "degC", "Temperature of sensor 1"
        )
    return records
