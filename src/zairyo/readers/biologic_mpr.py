"""BioLogic EC-Lab and BT-Lab `.mpr`: potentiostats and battery cyclers, the binary file of one technique.

Facts: a magic of 52 bytes, then modules (``VMP Set`` settings, ``VMP data``, ``VMP LOG``, ``VMP loop``,
``VMP ExtDev``). A module's header says name, length, version and date; from EC-Lab 11.50 on it has two more
fields, marked by a length of 0xFFFFFFFF. The data module says how many records and which columns by number; the
records follow at a place that goes with the version.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Measurement, Quantity
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._biologic_columns import FLAGS, add_column, kind_of
from zairyo.readers._biologic_settings import (
    TECHNIQUES,
    cell_of,
    conditions_of,
    parameters_of,
    value_at,
)
from zairyo.readers._biologic_tables import add_derived, add_loops, entries_of
from zairyo.readers._electrochemistry import Columns

Array = NDArray[Any]
_MAGIC = b"BIO-LOGIC MODULAR FILE\x1a"
_HEADER = 52
_OLD, _NEW = struct.Struct("<10s25sII8s"), struct.Struct("<10s25sIIII8s")
_MARK = b"\xff\xff\xff\xff"
_EPOCH = datetime(1899, 12, 30)
#: Widths that a column may have, tried for numbers that are not known.
_WIDTHS = {1: "u1", 2: "<u2", 4: "<f4", 8: "<f8"}
_MOST_UNKNOWN = 6
#: Where the log says what: place, type and name.
_LOG = (
    (0x009, "B", "channel_number"),
    (0x0AB, "H", "channel_sn"),
    (0x1F8, "f", "Ewe_ctrl_min_V"),
    (0x1FC, "f", "Ewe_ctrl_max_V"),
    (0x249, "d", "ole_timestamp"),
    (0x251, "p", "filename"),
    (0x351, "p", "host"),
    (0x384, "p", "address"),
    (0x3B7, "p", "ec_lab_version"),
    (0x3BE, "p", "server_version"),
    (0x3C5, "p", "interpreter_version"),
    (0x3CF, "p", "device_sn"),
    (0x922, "B", "averaging_points"),
)
_ANALOG = ((0x36, "Analog IN 1"), (0x63, "Analog IN 2"))


@dataclass(frozen=True)
class _Module:
    name: str
    version: int
    date: str
    content: memoryview
    at: int
    wide: bool  # of EC-Lab 11.50 or later

    @property
    def data(self) -> bytes:
        """A copy of the content, for modules that are small."""
        return self.content.tobytes()


def _sniff(source: RawInput) -> float:
    return CERTAIN if source.head.startswith(_MAGIC) else NO


def _modules(data: bytes) -> list[_Module]:
    found, at, whole = [], _HEADER, memoryview(data)
    while at < len(data):
        if data[at : at + 6] != b"MODULE":
            raise ReadError(
                f"At byte {at} a module should begin and does not; the file is damaged. Copy it again."
            )
        wide = data[at + 41 : at + 45] == _MARK
        header = _NEW if wide else _OLD
        start = at + 6 + header.size
        if start > len(data):
            raise ReadError(f"The file ends in the head of the module at byte {at}; it is cut off.")
        fields = header.unpack_from(data, at + 6)
        length, version, date = (fields[3], fields[4] + fields[5], fields[6]) if wide else fields[2:]
        name = clean_text(fields[0].decode("latin-1")).strip()
        if start + length > len(data):
            raise ReadError(
                f"Module {name!r} should end at byte {start + length}, but the file has {len(data)}; it is cut off. "
                "Copy it again, or export it anew from EC-Lab."
            )
        found.append(
            _Module(name, version, date.decode("latin-1"), whole[start : start + length], start, wide)
        )
        at = start + length
    return found


# -- the records ---------------------------------------------------------------------------------------


def _layout(module: _Module) -> tuple[int, list[int], int]:
    """How many records, the columns' numbers, and where the first record begins."""
    data = module.content
    if len(data) < 6:
        raise ReadError(f"The data module at byte {module.at} is cut off.")
    rows, count = struct.unpack_from("<IB", data)
    if module.version >= 10:
        kind, at, start = "<u2", 6, 1007
    elif module.version in (2, 3):
        kind, at, start = "<u2", 5, 403 + module.version
    elif module.version == 0:
        kind, at, start = "u1", 5, 100
    else:
        raise ReadError(
            f"The data module is of version {module.version}; 0, 2, 3, 10 and 11 are known. Export the file as text "
            "(.mpt) from EC-Lab, and report it."
        )
    if len(data) < start:
        raise ReadError(f"The data module at byte {module.at} is cut off before its first record.")
    return rows, np.frombuffer(data, kind, count, at).tolist(), start


@dataclass(frozen=True)
class _Field:
    """A column that takes room in a record: heading, number, type (None if not known), and whether it is guessed."""

    heading: str
    number: int
    dtype: str | None
    seen: bool = True
    guessed: bool = False


def _fields(numbers: list[int], *, otherwise: bool = False) -> list[_Field]:
    fields: list[_Field] = []
    for number in numbers:
        if number in FLAGS:
            if not any(f.heading == "flags" for f in fields):
                fields.append(_Field("flags", number, "u1"))
        elif kind := kind_of(number, otherwise=otherwise):
            fields.append(_Field(kind.heading, number, kind.dtype.str, kind.seen))
        else:
            fields.append(_Field(f"column {number}", number, None, False))
    return fields


def _size(fields: list[_Field]) -> int:
    return sum(np.dtype(f.dtype).itemsize for f in fields if f.dtype is not None)


def _fitting(numbers: list[int], size: int) -> list[_Field]:
    """The fields of a record of ``size`` bytes; those whose size cannot be told keep no type.

    What the numbers usually mean is tried first, then what some programs mean by them, then other types for the
    columns that no file has shown.
    """
    usual = _fields(numbers)
    bare = [f if f.seen else replace(f, dtype=None) for f in usual]
    for fields in (usual, _fields(numbers, otherwise=True), bare):
        ways = _solve(sum(f.dtype is None for f in fields), size - _size(fields))
        if len(ways) == 1:
            solved = iter(ways[0])
            return [f if f.dtype else replace(f, dtype=next(solved), guessed=True) for f in fields]
    return bare


def _solve(count: int, left: int) -> list[list[str]]:
    """Ways in which ``count`` columns of unknown width can fill ``left`` bytes of a record."""
    if left == 0:
        return [["V0"] * count]
    if left < 0 or count > _MOST_UNKNOWN:
        return []
    return [
        [_WIDTHS[w] for w in ways] for ways in itertools.product(_WIDTHS, repeat=count) if sum(ways) == left
    ]


def _records(module: _Module, warnings: list[str]) -> list[tuple[str, Array]]:
    """Headings and values of the columns; ``flags`` is the shared byte.

    Columns of unknown numbers are kept where the record's length tells their width. Where it does not, what lies
    between the first and the last of them is left out: the rest is at known places from the record's two ends.
    """
    rows, numbers, start = _layout(module)
    if rows == 0:
        raise ReadError(
            "The file holds no record: the technique was stopped before its first, or is not done yet."
        )
    body = module.content[start:]
    size, odd = divmod(len(body), rows)
    fields = _fitting(numbers, size)
    unknown = [f.number for f in fields if f.dtype is None]
    left = size - _size(fields)
    if odd or left < 0 or (left and not any(f.guessed or f.dtype is None for f in fields)):
        named = ", ".join(map(str, numbers))
        raise ReadError(
            f"{rows} records of {_size(fields)} bytes (columns {named}) do not fit the {len(body)} bytes at byte "
            f"{module.at + start}; the file is damaged, or a column's size is not what is known here."
        )
    if unknown:
        return _from_both_ends(body, fields, size, unknown, warnings)
    if guessed := [f.number for f in fields if f.guessed]:
        warnings.append(
            f"The types of columns {guessed} are not known here and are guessed from their size; what has no name is "
            "kept without a unit."
        )
    dtype = np.dtype([(str(k), f.dtype) for k, f in enumerate(fields)])
    table = np.frombuffer(body, dtype, rows)
    return [(f.heading, table[str(k)]) for k, f in enumerate(fields) if f.dtype != "V0"]


def _from_both_ends(
    body: memoryview, fields: list[_Field], size: int, unknown: list[int], warnings: list[str]
) -> list[tuple[str, Array]]:
    first = next(k for k, f in enumerate(fields) if f.dtype is None)
    last = max(k for k, f in enumerate(fields) if f.dtype is None)
    before, after = fields[:first], fields[last + 1 :]
    places, at = [], 0
    for start, part in ((0, before), (size - _size(after), after)):
        at = start
        for f in part:
            places.append(at)
            at += np.dtype(f.dtype).itemsize
    kept = before + after
    if not any(f.heading != "flags" for f in kept):
        raise ReadError(
            f"Columns {unknown} are not known here and the record's length does not tell their sizes; nothing can be "
            "read. Export the file as text (.mpt) from EC-Lab, and report the numbers."
        )
    lost = [f.heading for f in fields[first : last + 1] if f.dtype is not None]
    warnings.append(
        f"Columns {unknown} are not known here and the record's length does not tell their sizes; they are left out"
        + (f", with {', '.join(lost)} between them." if lost else ".")
    )
    dtype = np.dtype(
        {
            "names": [str(k) for k in range(len(kept))],
            "formats": [f.dtype for f in kept],
            "offsets": places,
            "itemsize": size,
        }
    )
    table = np.frombuffer(body, dtype)
    return [(f.heading, table[str(k)]) for k, f in enumerate(kept)]


def _columns(module: _Module, warnings: list[str]) -> Columns:
    _, numbers, _ = _layout(module)
    columns, mode = Columns(), None
    for heading, values in _records(module, warnings):
        if heading != "flags":
            add_column(columns, heading, values, mode)
            continue
        for number in numbers:
            if number in FLAGS:
                name, bits = FLAGS[number]
                flag = (values & bits) >> ((bits & -bits).bit_length() - 1)
                if name == "mode":
                    mode = flag
                add_column(columns, name, flag if name == "mode" else flag.astype(bool), None)
    return columns


# -- what is around them -------------------------------------------------------------------------------


def _log(module: _Module | None) -> dict[str, Any]:
    if module is None:
        return {}
    data = module.data
    found = {name: value_at(data, at, kind) for at, kind, name in _LOG}
    return {name: value for name, value in found.items() if value not in (None, "")}


def _external(module: _Module | None) -> dict[str, Any]:
    if module is None:
        return {}
    data = module.data
    return {
        name: {
            "name": value_at(data, at, "p"),
            **{
                key: value_at(data, at + 28 + 4 * k, "f")
                for k, key in enumerate(("max V", "min V", "max x", "min x"))
            },
        }
        for at, name in _ANALOG
    }


def _loops(module: _Module | None, rows: int) -> list[int]:
    """The record at which each loop begins."""
    if module is None or len(module.content) < 4:
        return []
    count = min(struct.unpack_from("<I", module.content)[0], (len(module.content) - 4) // 4)
    starts: list[int] = np.frombuffer(module.content, "<u4", count, 4).tolist()
    good = bool(starts) and all(a < b for a, b in itertools.pairwise(starts)) and starts[-1] <= rows
    return starts if good else []


def _started(log: dict[str, Any], modules: list[_Module], warnings: list[str]) -> datetime | None:
    days = log.get("ole_timestamp")
    if isinstance(days, float) and 30000 < days < 80000:
        return _EPOCH + timedelta(milliseconds=round(days * 86_400_000))
    for module in modules:
        text = module.date.replace(".", "/").replace("-", "/")
        try:
            day = datetime.strptime(text, "%m/%d/%y")
        except ValueError:
            continue
        warnings.append("The file names the day of the start, not the hour; midnight is given.")
        return day
    return None


def _technique(code: int, columns: Columns) -> tuple[str, str]:
    """Key of the vocabulary and the vendor's name; by the columns where the number is not known."""
    if code in TECHNIQUES:
        return TECHNIQUES[code].key, f"{TECHNIQUES[code].title} ({TECHNIQUES[code].short})"
    if "z_real" in columns:
        return "eis", f"technique {code}"
    if "half_cycle" in columns and "half_cycle_capacity" in columns:
        return "battery_cycling", f"technique {code}"
    return "electrochemistry", f"technique {code}"


@np.errstate(all="ignore")  # damaged bytes are odd numbers, not news for the console
def _read(source: RawInput) -> Measurement:
    data = source.read_bytes()
    modules = _modules(data)
    by_name = {m.name: m for m in reversed(modules)}
    main, settings = by_name.get("VMP data"), by_name.get("VMP Set")
    if main is None:
        raise ReadError(f"{source.name} has no data module; it is cut off, or nothing was measured.")
    warnings: list[str] = []
    columns = _columns(main, warnings)
    add_loops(columns, _loops(by_name.get("VMP loop"), len(columns.signals[0].values)))
    head = settings.data if settings else b""
    technique, method = _technique(head[0] if head else 0, columns)
    cell = cell_of(head)
    parameters = parameters_of(head, TECHNIQUES.get(head[0]) if head else None, main.wide)
    log, conditions = _log(by_name.get("VMP LOG")), conditions_of(cell, parameters)
    conditions["method"] = Quantity(method)
    if log.get("ec_lab_version"):
        conditions["software_version"] = Quantity(log["ec_lab_version"])
    if "channel_number" in log:
        conditions["channel"] = Quantity(str(log["channel_number"] + 1))
    if log.get("device_sn"):
        conditions["instrument_serial"] = Quantity(log["device_sn"])
    add_derived(columns, warnings)
    started = _started(log, modules, warnings)
    metadata: dict[str, Any] = {
        "settings": {"technique": method, **cell},
        "parameters": parameters,
        "log": log,
        "external device": _external(by_name.get("VMP ExtDev")),
        "modules": [{"name": m.name, "version": m.version, "date": m.date} for m in modules],
    }
    return Measurement(
        entries_of(technique, columns, method, started, conditions),
        title=source.path.name.split(".mp")[0],
        instrument="BioLogic potentiostat",
        original_metadata=tidy_metadata({k: v for k, v in metadata.items() if v}),
        warnings=tuple(warnings + columns.warnings),
    )


READER = Reader(
    name="biologic_mpr",
    version="3",
    techniques=tuple(dict.fromkeys(t.key for t in TECHNIQUES.values())),
    vendor="BioLogic",
    format="EC-Lab binary (mpr)",
    endings=(".mpr",),
    sniff=_sniff,
    read=_read,
    notes=(
        "Data versions 0, 2, 3, 10 and 11 with settings, log, loops and external inputs. A column of unknown number "
        "costs itself where the record's length allows it."
    ),
)
