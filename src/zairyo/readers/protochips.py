"""Protochips in-situ holders (Fusion, Poseidon, Atmosphere): ``.csv`` logs of temperature, pressure, current …

The first line names the columns; the settings, units among them, stand in the column of notes of the first rows.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePosixPath

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal, table, tidy_metadata
from zairyo.measurement.units import normalise
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._log_columns import columns, values
from zairyo.readers._microscope_values import free_name

_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?\s*Time\s*,\s*Notes\s*,")
_SETTING = re.compile(r"([^=]+?)\s*=\s*(.*)\Z", re.DOTALL)
_MOST_BYTES = 512 * 1024**2
#: Protochips' words for units that are not abbreviations.
_UNITS = {
    "milliseconds": "ms",
    "seconds": "s",
    "degrees c": "degC",
    "torr": "torr",
    "amps": "A",
    "volts": "V",
    "ohms": "ohm",
    "atm": "atm",
}
#: Words in a column's name → whose units it has.
_KINDS = ("Temperature", "Pressure", "Current", "Voltage", "Resistance")


def _sniff(src: RawInput) -> float:
    return CERTAIN if _BEGINNING.match(src.head) else NO


def _read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    lines = decode_legacy(src.read_bytes(_MOST_BYTES)).splitlines()
    names = [name.strip() for name in lines[0].split(",")] if lines else []
    if names[:2] != ["Time", "Notes"] or len(names) < 3:
        raise ReadError(f"{src.name} is not a Protochips log: its first line does not name 'Time, Notes, …'")
    cells = columns(lines[1:], len(names), 2, warnings, words=1)
    notes = [
        (time.strip(), note.strip()) for time, note in zip(cells[0], cells[1], strict=True) if note.strip()
    ]
    settings = {m[1].strip(): m[2].strip() for _, note in notes if (m := _SETTING.match(note))}
    head = next((i for i, note in enumerate(cells[1]) if not _SETTING.match(note.strip())), len(cells[1]))
    if head < len(cells[1]):  # rows that were only written to hold the settings
        cells = [column[head:] for column in cells]
    taken: set[str] = set()
    signals = []
    for name, column in zip(names, cells, strict=True):
        if name != "Notes":
            made = values(column, name, warnings)
            signals.append(
                Signal(
                    free_name(name, taken, "column"), made, _unit(name, settings, warnings), long_name=name
                )
            )
    numeric = [s for s in signals if s.values.dtype.kind == "f" and np.isfinite(s.values).any()]
    time = signals[0]
    if time not in numeric or len(numeric) < 2:
        raise ReadError(f"{src.name} has no column of numbers over time")
    default = next((s for s in numeric[1:] if "temperature" in s.name), numeric[1])
    told = {**settings, "Notes": [f"{at}: {note}" for at, note in notes if not _SETTING.match(note)]}
    conditions = {"duration": Quantity(float(np.nanmax(time.values) - np.nanmin(time.values)), time.unit)}
    entry = table(
        "log",
        "data_log",
        signals,
        x=time.name,
        default=default.name,
        conditions=conditions,
        original_metadata=tidy_metadata(told),
        started=_moment(settings),
    )
    return Measurement(
        (entry,),
        title=PurePosixPath(src.name).stem,
        instrument="Protochips",
        operator=settings.get("User agreeing to terms", ""),
        warnings=tuple(warnings),
    )


def _unit(name: str, settings: dict[str, str], warnings: list[str]) -> str | None:
    kind = "Time" if name == "Time" else next((k for k in _KINDS if k.casefold() in name.casefold()), "")
    stated = settings.get(f"{kind} units", "")
    if not stated:
        return None
    unit = _UNITS.get(stated.casefold()) or normalise(stated)
    if unit is None:
        warnings.append(f"The unit {stated!r} is not known; it is kept as it is.")
    return unit or stated


def _moment(settings: dict[str, str]) -> datetime | None:
    date = settings.get("Date (yyyy.mm.dd)", "")
    time = settings.get("Time (hh:mm:ss.ms)", "")
    try:
        return datetime.strptime(f"{date} {time}", "%Y.%m.%d %H:%M:%S.%f")
    except ValueError:
        return None


READER = Reader(
    name="protochips",
    version="1",
    techniques=("data_log",),
    vendor="Protochips",
    format="log CSV",
    endings=(".csv",),
    sniff=_sniff,
    read=_read,
    notes="All columns over their own times, with the units that the notes state; notes and settings are kept. The "
    "first rows, which hold the settings, are no data.",
)
