"""DENSsolutions Impulse: ``.csv`` logs of in-situ experiments, and the ``_Metadata.log`` beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Measurement, Quantity, Signal, clean_text, table, tidy_metadata
from zairyo.measurement.units import normalise
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._log_columns import columns, values
from zairyo.readers._microscope_values import free_name

_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?TimeStamp,Experiment time,")
_METADATA = "_metadata.log"
_LOG = re.compile(r"_(?:synchronized_data|[^_]+_raw)\.csv\Z", re.IGNORECASE)
_MOST_BYTES = 512 * 1024**2
_KEY = re.compile(r"([A-Za-z][^,]{0,80}),\s?(.*)\Z")
#: ``% Gas1 Measured``.
_GAS = re.compile(r"% Gas(\d+) (\w+)")
_WITH_UNIT = re.compile(r"(.*?)\s*\(([^()]+)\)\Z")
_CLOCK = re.compile(r"\d{1,2}:\d{2}:\d{2}(?:\.\d+)?\Z")


def _sets(names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """The logs of one experiment with its metadata; the synchronized one is the main file."""
    for name in names:
        if name.casefold().endswith(_METADATA):
            stem = name[: -len(_METADATA)].casefold()
            logs = [n for n in names if (m := _LOG.search(n)) and n[: m.start()].casefold() == stem]
            if logs:
                yield (*sorted(logs, key=lambda n: ("synchronized" not in n.casefold(), n)), name)


def _sniff(src: RawInput) -> float:
    if not src.is_folder:
        return CERTAIN if _BEGINNING.match(src.head) else NO
    if not any(set(found) == set(src.members) for found in _sets(src.members)):
        return NO
    logs = [RawInput(src.member_path(n)).head for n in src.members if not n.casefold().endswith(_METADATA)]
    return CERTAIN if all(_BEGINNING.match(head) for head in logs) else NO


def _read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    told: dict[str, str] = {}
    if src.is_folder:
        found = next(iter(_sets(src.members)), None)
        if found is None:
            raise ReadError(f"{src.path.name} holds no log of Impulse with its metadata")
        *logs, last = (RawInput(src.member_path(name)) for name in found)
        told = metadata(decode_legacy(last.read_bytes(_MOST_BYTES)))
    else:
        logs = [src]
        warnings.append(
            "The _Metadata.log of the experiment was not given with its log: date, sample and gases are missing. Put "
            "the files side by side."
        )
    taken: set[str] = set()
    entries = [_entry(log, told, taken, warnings) for log in logs]
    sample = told.get("Sample", "").strip('"')
    description = told.get("Description", "").strip('"')
    version = told.get("System version", "")
    return Measurement(
        tuple(entries),
        title=description or PurePosixPath(logs[0].name).stem,
        sample=sample,
        instrument=f"DENSsolutions {version}".strip(),
        original_metadata=tidy_metadata(told),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def metadata(text: str) -> dict[str, str]:
    """``key, value`` lines; a line that is none goes on with the value above (notes)."""
    found: dict[str, str] = {}
    key = ""
    for line in clean_text(text).splitlines():
        pair = _KEY.match(line)
        if pair:
            key = pair[1].strip()
            found[key] = pair[2].strip()
        elif key and line.strip():
            found[key] = f"{found[key]}\n{line.strip()}"
    return found


def _entry(src: RawInput, told: dict[str, str], taken: set[str], warnings: list[str]) -> Entry:
    lines = decode_legacy(src.read_bytes(_MOST_BYTES)).splitlines()
    names = [name.strip() for name in lines[0].split(",")] if lines else []
    if names[:2] != ["TimeStamp", "Experiment time"] or len(names) < 3:
        raise ReadError(
            f"{src.name} is not a log of Impulse: its first line does not name 'TimeStamp,Experiment time'"
        )
    cells = columns(lines[1:], len(names), 2, warnings)
    used: set[str] = set()
    started = _moment(told, cells[0][0])
    signals = [Signal("timestamp", _times(cells[0], started), None, long_name="Date and time")]
    used.add("timestamp")
    signals.append(
        Signal(free_name("time", used), values(cells[1], names[1], warnings), "s", long_name=names[1])
    )
    for name, column in zip(names[2:], cells[2:], strict=True):
        plain, unit = _named(name, warnings)
        words = _GAS.sub(r"gas fraction \2 \1", plain).replace("#", " ")
        key = free_name(words, used, "column")
        signals.append(Signal(key, values(column, name, warnings), unit, long_name=_label(plain, told)))
    numeric = [s for s in signals[1:] if s.values.dtype.kind == "f" and np.isfinite(s.values).any()]
    if len(numeric) < 2 or numeric[0].name != "time":
        raise ReadError(f"{src.name} has no column of numbers over time")
    default = next((s for s in numeric[1:] if s.name.startswith("temperature")), numeric[1])
    stem = _LOG.search(src.name)
    seconds = numeric[0].values
    return table(
        free_name(src.name[stem.start() + 1 : -4] if stem else "log", taken),
        "data_log",
        signals,
        x="time",
        default=default.name,
        title=PurePosixPath(src.name).stem,
        conditions={"duration": Quantity(float(np.nanmax(seconds) - np.nanmin(seconds)), "s")},
        started=started,
    )


def _named(name: str, warnings: list[str]) -> tuple[str, str | None]:
    """A column's name and its unit: in brackets behind it, or what Impulse always writes."""
    found = _WITH_UNIT.match(name)
    if found:
        unit = normalise(found[2])
        if unit is None:
            warnings.append(f"The unit {found[2]!r} is not known; it is kept as it is.")
        return found[1], unit or found[2]
    if name.startswith("%"):
        return name, "percent"
    return name, "degC" if name.casefold().startswith("temperature") else None


def _label(name: str, told: dict[str, str]) -> str:
    """The column's name, with the gas or the mass that the metadata say it is."""
    for pattern, key in ((r"Channel#(\d+)", "MassSpec channel {}"), (r"% Gas(\d+) Measured", "Gas{}")):
        found = re.match(pattern, name)
        if found and (what := told.get(key.format(found[1]))):
            return f"{name}: {what}"
    return name


def _moment(told: dict[str, str], first: str) -> datetime | None:
    """The log's first clock time on the day that the experiment began (day-month-year)."""
    if not _CLOCK.match(first.strip()):
        return None
    clock = first.strip() if "." in first else f"{first.strip()}.0"
    try:
        return datetime.strptime(f"{told.get('Experiment date', '')} {clock}", "%d-%m-%Y %H:%M:%S.%f")
    except ValueError:
        return None


def _times(cells: list[str], started: datetime | None) -> NDArray[Any]:
    """Moments, counted on over midnight, if the day is known; else the clock times as text."""
    texts = np.array([clean_text(c).strip() for c in cells])
    if started is None or not all(_CLOCK.match(t) for t in texts.tolist()):
        return texts
    parts = np.array([t.split(":") for t in texts.tolist()], dtype=float)
    seconds = parts @ np.array([3600.0, 60.0, 1.0])
    seconds += 86400.0 * np.concatenate(([0], np.cumsum(np.diff(seconds) < -43200)))
    day = np.datetime64(started.date(), "ms")
    moments: NDArray[Any] = day + np.rint(seconds * 1e3).astype("timedelta64[ms]")
    return moments


READER = Reader(
    name="dens",
    version="2",
    techniques=("data_log",),
    vendor="DENSsolutions",
    format="Impulse log",
    endings=(".csv",),
    sniff=_sniff,
    read=_read,
    sets=_sets,
    notes="Every log of an experiment with its metadata, or one log alone. Units are those the column names state.",
)
