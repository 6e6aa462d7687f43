"""NETZSCH Proteus `.ngb-*`: thermobalances, calorimeters, simultaneous thermal analysers, dilatometers.

Facts: stream 2 of the archive holds the measured channels, stream 3 the furnace's, stream 1 the description.
A channel is a table of type 2b22 whose category's low byte is the channel, followed by its values in tables of
type 2b23, one a step of the programme. A file with "sample + correction" holds two runs one after the other.
Time is stored in minutes; the calorimeter's signal is the thermocouple's voltage, before any calibration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Measurement
from zairyo.measurement.model import Entry, Quantity, Signal, table
from zairyo.measurement.text import clean_text, make_name, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._netzsch_metadata import KINDS, Description
from zairyo.readers._netzsch_tables import Table, read_tables

Array = NDArray[Any]
_CHANNEL, _VALUES = 0x2B22, 0x2B23
_DATA_FIELDS = (0x0F40, 0x0F3D)
_MOST = 512 * 1024**2
_SECONDS_PER_MINUTE = 60.0
#: Channel of stream 2 → name, unit, label.
_CHANNELS = {
    0x8C: ("time", "s", "Time"),
    0x8D: ("temperature", "degC", "Sample temperature"),
    0x8E: ("dsc_signal", "uV", "DSC signal"),
    0x8F: ("length_change", "um", "Length change"),
    0x90: ("mass_change", "mg", "Mass change"),
    0x9C: ("purge_gas_flow", "ml/min", "Purge gas 1 flow"),
    0x9D: ("purge_gas_2_flow", "ml/min", "Purge gas 2 flow"),
    0x9E: ("protective_gas_flow", "ml/min", "Protective gas flow"),
    0x4E: ("force", "N", "Force"),
    0x4F: ("force_setpoint", "N", "Force set point"),
    0x82: ("length_change_2", "um", "Length change, second sensor"),
}
#: Channel of stream 3, by its name in the file and its class → name, unit. No unit is stored: those of the
#: furnace are certain, the other sensors' are left open.
_FURNACE_CHANNELS = {
    ("Furnace", 1): ("furnace_temperature", "degC"),
    ("Furnace", 6): ("furnace_power", "percent"),
    ("Cooling", 6): ("cooling_power", "percent"),
}
#: What a table must hold to be of a technique, the most telling first; with its default signal.
_TECHNIQUES = (
    ("dilatometry", {"length_change"}, "length_change"),
    ("sta", {"mass_change", "dsc_signal"}, "mass_change"),
    ("tga", {"mass_change"}, "mass_change"),
    ("dsc", {"dsc_signal"}, "dsc_signal"),
)


def _sniff(source: RawInput) -> float:
    return CERTAIN if "Streams/stream_1.table" in source.members else NO


@dataclass
class _Channel:
    category: int
    parts: list[Array] = field(default_factory=list)

    @property
    def values(self) -> Array:
        return np.concatenate(self.parts)


def _runs(tables: list[Table], stream: int) -> list[list[_Channel]]:
    """The channels of each run: a new run begins where a channel comes again."""
    runs: list[list[_Channel]] = []
    current: _Channel | None = None
    for table_ in tables:
        if table_.type == _CHANNEL:
            current = _Channel(table_.category)
            if not runs or any(c.category == current.category for c in runs[-1]):
                runs.append([])
            runs[-1].append(current)
        elif table_.type == _VALUES:
            arrays = [table_.arrays[key] for key in _DATA_FIELDS if key in table_.arrays]
            for values in arrays:
                if current is None or values.dtype.kind != "f":
                    raise ReadError(
                        f"Stream {stream} has values that belong to no channel; the file is damaged."
                    )
                current.parts.append(values)
    runs = [[channel for channel in run if channel.parts] for run in runs]
    return [run for run in runs if run]


def _signal(channel: _Channel, names: list[tuple[str, int]] | None, warnings: list[str]) -> Signal:
    """A channel's values under the vocabulary's name; ``names`` are those of stream 3, None for stream 2."""
    values = channel.values
    if names is None:
        number = channel.category & 0xFF
        if number not in _CHANNELS:
            warnings.append(f"Channel {number:02x} is not known; its numbers are kept without a unit.")
        name, unit, label = _CHANNELS.get(number, (f"channel_{number:02x}", None, f"Channel {number:02x}"))
        return Signal(name, values * _SECONDS_PER_MINUTE if name == "time" else values, unit, long_name=label)
    at = channel.category - 0x7530
    written, kind = names[at] if 0 <= at < len(names) else ("", 0)
    name, furnace_unit = _FURNACE_CHANNELS.get((written, kind), (make_name(written, f"channel_{at}"), None))
    label = clean_text(written) if name == make_name(written) else name.replace("_", " ").capitalize()
    return Signal(name, values, furnace_unit, long_name=label)


def _columns(
    run: int, streams: list[tuple[list[_Channel], list[tuple[str, int]] | None]], warnings: list[str]
) -> list[Signal]:
    """The columns of a run; one of another length than the time is an error."""
    columns: list[Signal] = []
    for channels, names in streams:
        for channel in channels:
            signal = _signal(channel, names, warnings)
            if columns and len(signal.values) != len(columns[0].values):
                raise ReadError(
                    f"Run {run + 1} has {len(columns[0].values)} values of {columns[0].name} but"
                    f" {len(signal.values)} of {signal.name}; the file is damaged. Copy it again."
                )
            taken = sum(c.name == signal.name or c.name.startswith(f"{signal.name}_again") for c in columns)
            if taken:
                signal = Signal(
                    f"{signal.name}_again_{taken}", signal.values, signal.unit, long_name=signal.long_name
                )
            columns.append(signal)
    return columns


def _entry(name: str, columns: list[Signal], title: str, **rest: Any) -> Entry:
    """The run's table: against temperature if that was swept, else against time."""
    present = {column.name: column for column in columns}
    technique, default = next(
        ((key, default) for key, needed, default in _TECHNIQUES if needed <= present.keys()),
        ("unspecified", ""),
    )
    if "time" not in present:
        raise ReadError("The file holds no time for its values; it is damaged or of a kind not known here.")
    if not default:
        default = next((c.name for c in columns if c.name != "time"), "time")
    x = "time"
    if "temperature" in present and default != "temperature":
        temperature = present["temperature"].values
        known = temperature[np.isfinite(temperature)]
        if len(known) and known.max() - known.min() > 5:
            x = "temperature"
    conditions: dict[str, Quantity] = rest.pop("conditions")
    time = present["time"].values
    if np.isfinite(time).any():
        known_time = time[np.isfinite(time)]
        conditions["duration"] = Quantity(float(known_time.max() - known_time.min()), "s")
    return table(name, technique, columns, x=x, default=default, title=title, conditions=conditions, **rest)


@np.errstate(all="ignore")  # damaged bytes are odd numbers, not news for the console
def _read(source: RawInput) -> Measurement:
    description = Description(read_tables(source.member("Streams/stream_1.table", _MOST), 1, strict=False))
    warnings: list[str] = []
    measured = _runs(read_tables(source.member("Streams/stream_2.table", _MOST), 2, strict=True), 2)
    furnace: list[list[_Channel]] = []
    if "Streams/stream_3.table" in source.members:
        furnace = _runs(read_tables(source.member("Streams/stream_3.table", _MOST), 3, strict=True), 3)
    if not measured:
        raise ReadError(f"{source.name} holds a description but no measured values: the run was not started.")
    if furnace and len(furnace) != len(measured):
        raise ReadError(
            f"{source.name} holds {len(measured)} runs of the sample but {len(furnace)} of the furnace; it is damaged."
        )
    serial = description.text("instrument", "serial")
    kind = KINDS.get(int(description.get("measurement", "kind") or 0), "")
    names = description.sample_names
    title = clean_text(description.text("sample", "name") or source.path.name.split(".")[0])
    entries = []
    for at, channels in enumerate(measured):
        more = furnace[at] if furnace else []
        columns = _columns(at, [(channels, None), (more, description.channel_names())], warnings)
        if at == 0:
            entry = _entry(
                "correction" if kind == "correction" else "measurement",
                columns,
                title,
                started=description.started,
                conditions=description.conditions(),
            )
        else:  # the correction that the sample's run refers to; the file describes the sample's run only
            name = f"correction_{at}" if at > 1 else "correction"
            own = clean_text(names[at]) if at < len(names) and names[at] else ""
            entry = _entry(name, columns, f"Correction ({own})" if own else "Correction", conditions={})
        entries.append(entry)
    return Measurement(
        tuple(entries),
        title=title,
        sample=clean_text(description.text("sample", "identity") or description.text("sample", "name")),
        instrument=clean_text(description.text("instrument", "model") or f"NETZSCH {serial}".strip()),
        operator=clean_text(description.text("measurement", "operator")),
        original_metadata=tidy_metadata(description.metadata()),
        warnings=tuple(dict.fromkeys(warnings)),
    )


READER = Reader(
    name="netzsch_ngb",
    version="1",
    techniques=("tga", "dsc", "sta", "dilatometry", "unspecified"),
    vendor="NETZSCH",
    format="Proteus measurement (ngb)",
    endings=tuple(f".ngb-{kind}" for kind in ("ss3", "bs3", "ds3", "sd7", "bd7", "dd7", "dla", "cla", "sla")),
    sniff=_sniff,
    read=_read,
    notes="Channels as measured: the correction is an entry of its own where the file holds it, not subtracted.",
)
