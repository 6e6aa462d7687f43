"""NI TDMS: what LabVIEW, SignalExpress, FlexLogger and many instruments built on them record.

Channels of a group that share their waveform timing become one entry over time; others a table along the channel
that holds the time, or entries over the sample number. See ``_tdms_segments`` for the facts about the file.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, table
from zairyo.measurement.text import clean_text, make_name, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._tdms_scale import scaled
from zairyo.readers._tdms_segments import Object, read_segments
from zairyo.readers._tdms_values import read_values
from zairyo.readers.delimited_text import used

Array = NDArray[Any]
_MOST_ENTRIES = 1000
#: To map a file of fewer bytes takes longer than to read it.
_MOST_READ = 1 << 20
_TIME = re.compile(r"(time|zeit|elapsed|時間|時刻|temps|t)\b|(time ?stamp|date ?time)", re.IGNORECASE)
#: What programs write where a unit is missing.
_NO_UNIT = frozenset({"", "none", "unspecified", "unitless", "no unit", "n/a", "-"})
#: Property of the file → what it says of the measurement.
_SAMPLE = ("Sample", "sample", "Sample Name", "sample_name", "Specimen", "UUT", "DUT")


@dataclass(frozen=True)
class _Channel:
    name: str
    values: Array
    unit: str | None
    properties: dict[str, Any]


def _sniff(source: RawInput) -> float:
    if source.is_folder:
        return CERTAIN if any(n.lower().endswith(".tdms") for n in source.members) and source.parts else NO
    return CERTAIN if source.head[:4] in (b"TDSm", b"TDSh") else NO


def _sets(names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """A file and the index that LabVIEW writes beside it."""
    for name in names:
        if name.lower().endswith(".tdms") and f"{name}_index" in names:
            yield name, f"{name}_index"


def _read(source: RawInput) -> Measurement:
    raw = _bytes(source)
    if raw[:4].tobytes() == b"TDSh":
        raise ReadError(
            f"{source.name} is the index that LabVIEW writes beside a TDMS file; the data are in the file of the "
            "same name that ends with .tdms."
        )
    segments, objects, warnings = read_segments(raw)
    values = read_values(raw, segments, warnings)
    root = next((o for o in objects.values() if not o.parts), Object(()))
    groups: dict[str, list[_Channel]] = {}
    empty: list[str] = []
    for path, thing in objects.items():
        if len(thing.parts) < 2:
            continue
        group, name = thing.parts[0], thing.parts[1]
        if path not in values:
            empty.append("/".join(thing.parts))
            continue
        groups.setdefault(group, []).append(_channel(name, values[path], thing, warnings))
    if not groups:
        raise ReadError(f"{source.name} holds no values: nothing was recorded, or the file is cut off.")
    properties = {o.parts[0]: o.properties for o in objects.values() if len(o.parts) == 1}
    entries = _entries(groups, properties, root.properties)
    metadata: dict[str, Any] = {"file": root.properties, "channels without data": empty}
    return Measurement(
        tuple(entries),
        title=_text(root.properties, "Title", "name") or source.path.stem,
        sample=_text(root.properties, *_SAMPLE),
        operator=_text(root.properties, "Operator", "operator", "Author", "author"),
        instrument=_text(root.properties, "Instrument", "instrument", "Device"),
        original_metadata=tidy_metadata({k: v for k, v in metadata.items() if v}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _bytes(source: RawInput) -> Array:
    """The file's bytes; those of a large file are mapped, not read, unless they are packed."""
    path = source.path
    if source.is_folder:
        path = source.member_path(next(n for n in source.members if n.lower().endswith(".tdms")))
    with path.open("rb") as f:
        if not source.is_folder and f.read(4) not in (b"TDSm", b"TDSh"):
            return np.frombuffer(source.read_bytes(), np.uint8)
        if os.fstat(f.fileno()).st_size <= _MOST_READ:
            f.seek(0)
            return np.frombuffer(f.read(), np.uint8)
    return np.asarray(np.memmap(path, np.uint8, "r"))


def _text(properties: dict[str, Any], *keys: str) -> str:
    return next((clean_text(v) for k in keys if isinstance(v := properties.get(k), str) and v.strip()), "")


# --- channels -----------------------------------------------------------------------------------------------------


def _channel(name: str, raw: dict[int, Array], thing: Object, warnings: list[str]) -> _Channel:
    values, undone = scaled(raw, thing.properties)
    unit = _unit(thing.properties, warnings)
    if undone:
        warnings.append(f"{name}: {undone}.")
        unit = None
    return _Channel(name, values, None if values.dtype.kind in "UM" else unit, thing.properties)


def _unit(properties: dict[str, Any], warnings: list[str]) -> str | None:
    stated = _text(properties, "unit_string", "NI_UnitDescription", "Unit", "unit").strip()
    return _known(stated, warnings)


def _known(stated: str, warnings: list[str]) -> str | None:
    if stated.casefold() in _NO_UNIT:
        return None
    from zairyo.measurement import units

    unit = units.normalise(stated)
    if unit is None:
        warnings.append(f"The unit {stated[:40]!r} is not known and is kept as written.")
        return stated[:80]
    return unit


# --- groups → entries ---------------------------------------------------------------------------------------------


def _entries(
    groups: dict[str, list[_Channel]], properties: dict[str, dict[str, Any]], root: dict[str, Any]
) -> list[Entry]:
    """One entry for the channels of a group that are over the same positions."""
    made: list[tuple[str, list[_Channel], tuple[Any, ...]]] = []
    for group, channels in groups.items():
        together: dict[tuple[Any, ...], list[_Channel]] = {}
        for channel in channels:
            together.setdefault(_timing(channel), []).append(channel)
        made += [(group, some, key) for key, some in together.items()]
    if len(made) > _MOST_ENTRIES:
        raise ReadError(
            f"The file holds {len(made)} groups of channels that share no timing; at most {_MOST_ENTRIES} are read. "
            "Split it."
        )
    names = used([make_name(group, "group") for group, _, _ in made])
    return [
        _entry(name, group, channels, key, properties.get(group, {}), root)
        for name, (group, channels, key) in zip(names, made, strict=True)
    ]


def _timing(channel: _Channel) -> tuple[Any, ...]:
    """What channels must have alike to be over one axis: how many values, and when they were taken."""
    p = channel.properties
    step = p.get("wf_increment")
    if isinstance(step, (int, float)) and math.isfinite(step) and step > 0:
        offset = p.get("wf_start_offset", 0.0)
        begun = p.get("wf_start_time")
        offset = float(offset) if isinstance(offset, (int, float)) and math.isfinite(offset) else 0.0
        unit, name = _text(p, "wf_xunit_string") or "s", _text(p, "wf_xname")
        return len(channel.values), float(step), offset, begun, unit, name
    return (len(channel.values),)


def _entry(
    name: str,
    group: str,
    channels: list[_Channel],
    key: tuple[Any, ...],
    properties: dict[str, Any],
    root: dict[str, Any],
) -> Entry:
    timed, opened = len(key) > 1, root.get("DateTime")
    names = [make_name(c.name, "channel") for c in channels]
    reserved = ["time", "index"] if timed else ["index"]
    names = list(used([*reserved, *names]))[len(reserved) :]
    signals = [
        Signal(n, c.values, c.unit, long_name=clean_text(c.name)[:200])
        for n, c in zip(names, channels, strict=True)
    ]
    metadata = {"group": properties, "channels": {c.name: c.properties for c in channels}}
    started = key[3] if timed and isinstance(key[3], datetime) else None
    rest: dict[str, Any] = {
        "title": clean_text(group),
        "started": started or (opened if isinstance(opened, datetime) else None),
        "original_metadata": tidy_metadata(metadata),
        "conditions": {"channels": Quantity(len(channels), "")},
    }
    if software := _text(root, "WriterName"):
        rest["conditions"]["software"] = Quantity(software)
    numeric = [s.name for s in signals if s.values.dtype.kind in "iufcb"]
    if timed:
        axis = _time_axis(key)
        if axis.name == "time" and axis.unit == "s":
            rest["conditions"]["sampling_interval"] = Quantity(key[1], "s")
        return _over(name, axis, signals, numeric, rest)
    along = next((s for s in signals if s.values.dtype.kind == "M"), None) or next(
        (s for s in signals if s.name in numeric and _TIME.match(s.long_name)), None
    )
    others = [n for n in numeric if along is None or n != along.name]
    if along is not None and others:
        return table(name, "data_log", signals, x=along.name, default=others[0], **rest)
    return _over(name, Axis("index", np.arange(key[0]), ""), signals, numeric, rest)


def _over(name: str, axis: Axis, signals: list[Signal], numeric: list[str], rest: dict[str, Any]) -> Entry:
    over = tuple(
        Signal(s.name, s.values, s.unit, (axis.name,), s.long_name) for s in signals if s.name != axis.name
    )
    return Entry(name, "data_log", (axis,), over, default=(numeric or [over[0].name])[0], **rest)


def _time_axis(key: tuple[Any, ...]) -> Axis:
    count, step, offset, _, unit, label = key
    from zairyo.measurement import units

    known = units.normalise(unit)
    time = known is None or units.same_dimension(known, "s")
    name = "time" if time else make_name(label, "position")
    return Axis(name, offset + step * np.arange(count), (known or unit)[:80], clean_text(label)[:200])


READER = Reader(
    name="ni_tdms",
    version="1",
    techniques=("data_log",),
    vendor="NI",
    format="TDMS",
    endings=(".tdms",),
    sniff=_sniff,
    read=_read,
    sets=_sets,
    notes="Versions 1.0 and 2.0, both byte orders, interleaved and DAQmx data with linear, polynomial and table scales,"
    " recordings that were not ended. Thermocouple, RTD, strain and thermistor scales are not applied (a warning says"
    " so); extended precision and fixed point are refused.",
)
