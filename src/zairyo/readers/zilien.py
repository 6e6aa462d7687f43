"""Spectro Inlets Zilien ``.tsv``: electrochemistry, ion currents and sensors of one EC-MS run, and its mass scans.

Facts (seen in files of version 1, and in public programs that read them): tabs; lines of ``key, what it is, series,
type, value``, the first ``num_header_lines``; ``data_start`` is the line of the first record, from 0. Above it one line
names the series, each over its own columns, and one the columns with their units; each series has a time of its own,
seconds since the run began, and as many records as its ``count`` says. A series with a ``mass`` is an ion current. The
file's name begins with the date and time of the start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    Quantity,
    Signal,
    clean_text,
    make_name,
    table,
    tidy_metadata,
)
from zairyo.measurement.model import Array
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import columns_of, read_lines, split_name, unit_of
from zairyo.readers.delimited_text import used

_MAGIC = b"num_header_lines\tNumber of header lines"
_STARTED = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d)[_:](\d\d)[_:](\d\d)")
_SPELLED = {"n": "", "AMU": "", "amu": ""}


@dataclass(frozen=True)
class _Series:
    """One series: its name, the settings under it, and its columns, the first its time."""

    name: str
    settings: dict[str, str]
    headings: list[str]
    columns: list[Array]


def _sniff(source: RawInput) -> float:
    return CERTAIN if source.head.removeprefix(b"\xef\xbb\xbf").startswith(_MAGIC) else NO


def _settings(lines: list[str]) -> dict[str, dict[str, str]]:
    """Values by series (``""``: of the run) and key."""
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        cells = line.split("\t")
        if len(cells) >= 5 and cells[0]:
            found.setdefault(cells[2], {})[cells[0]] = "\t".join(cells[4:]).strip()
    return found


def _series(
    lines: list[str], start: int, settings: dict[str, dict[str, str]], told: list[str]
) -> list[_Series]:
    headings = lines[start - 1].rstrip("\t\r").split("\t")
    width = len(headings)
    above = (lines[start - 2].split("\t") + [""] * width)[:width]
    rows = [line for line in lines[start:] if line.strip()]
    if not rows:
        raise ReadError(
            "There is no record after the headings: nothing was measured, or the file is cut off."
        )
    if rows[-1].count("\t") < width - 1:
        raise ReadError(f"line {start + len(rows)} is cut off; the file ends there. Copy it again.")
    columns = columns_of(rows, "\t", width, told, line=start + 1, decimal=".")
    begins = [k for k, name in enumerate(above) if name.strip()] or [0]
    found = []
    for begin, end in zip(begins, [*begins[1:], width], strict=True):
        name = above[begin].strip()
        own = [c for c in columns[begin:end] if c.dtype.kind == "f"]
        if not 1 < len(own) == end - begin or not np.isfinite(own[0]).any():
            told.append(f"The series {clean_text(name)[:40]!r} holds no record; it is left out.")
            continue
        own = [c[: int(np.flatnonzero(np.isfinite(own[0]))[-1]) + 1] for c in own]
        series = _Series(name, settings.get(name, {}), headings[begin:end], own)
        count = series.settings.get(f"{name}_count", "")
        if count.isdigit() and int(count) != len(own[0]):
            told.append(f"{clean_text(name)!r} announces {int(count)} records; the file holds {len(own[0])}.")
        found.append(series)
    return found


def _signals(series: _Series, told: list[str]) -> list[Signal]:
    """The columns behind the time, by their names; a sensor's one column by the series'."""
    alone, is_ions = len(series.columns) == 2, "mass" in series.settings
    signals = []
    for heading, values in zip(series.headings[1:], series.columns[1:], strict=True):
        text, unit = split_name(heading)
        name = "ion_current" if is_ions else make_name(series.name if alone else text, "value")
        label = f"{series.name}: {text}" if alone and not is_ions else text
        signals.append(Signal(name, values, unit_of(unit, told, _SPELLED), long_name=clean_text(label)))
    return signals


def _entry(kind: str, group: list[_Series], name: str, started: datetime | None, told: list[str]) -> Entry:
    signals = [s for series in group for s in _signals(series, told)]
    time = Signal("time", group[0].columns[0], "s", long_name="Time")
    names = used(["time", *(s.name for s in signals)])
    columns = [
        Signal(n, s.values, s.unit, long_name=s.long_name)
        for n, s in zip(names, [time, *signals], strict=True)
    ]
    conditions = {}
    if mass := group[0].settings.get("mass"):
        conditions = {"mass_range": Quantity(clean_text(mass)), "mass_analyser": Quantity("quadrupole")}
    return table(
        name,
        kind,
        columns,
        x="time",
        default=columns[1].name,
        title=", ".join(dict.fromkeys(s.long_name or s.name for s in signals))[:200],
        started=started,
        conditions=conditions,
    )


def _entries(series: list[_Series], started: datetime | None, told: list[str]) -> list[Entry]:
    """The potentiostat's series, each ion current, and sensors together where they were read at the same times."""
    sensors: dict[bytes, list[_Series]] = {}
    entries = []
    for one in series:
        if "mass" in one.settings:
            entries.append(_entry("mass_spectrometry", [one], make_name(one.name), started, told))
        elif any(h.startswith(("Voltage", "Ewe")) for h in one.headings):
            entries.append(_entry("electrochemistry", [one], "electrochemistry", started, told))
        else:
            sensors.setdefault(one.columns[0].tobytes(), []).append(one)
    entries += [
        _entry("data_log", g, make_name(g[0].name, "sensors"), started, told) for g in sensors.values()
    ]
    return entries


def _scan(lines: list[str], start: int, told: list[str]) -> Entry:
    rows = [line for line in lines[start:] if line.strip()]
    if len(rows) < 2:
        raise ReadError("The mass scan holds no point; it is cut off. Copy it again.")
    masses, current = columns_of(rows, "\t", 2, told, line=start + 1, decimal=".")
    if masses.dtype.kind != "f" or current.dtype.kind != "f":
        raise ReadError("The mass scan holds words where numbers are; it is damaged.")
    unit = split_name(lines[start - 1].split("\t")[1])[1]
    return Entry(
        "mass_scan",
        "mass_spectrometry",
        (Axis("mass_to_charge", masses, ""),),
        (Signal("ion_current", current, unit_of(unit, told), ("mass_to_charge",), "Current"),),
        title="Mass scan",
        conditions={"mass_analyser": Quantity("quadrupole")},
    )


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    first = {line.split("\t")[0]: line.rstrip().split("\t")[-1] for line in lines[:3]}
    start = int(first["data_start"]) if first.get("data_start", "").isdigit() else 0
    if not 4 < start < len(lines):
        raise ReadError(
            f"{source.name} ends within its header, or does not tell where its data begin. Copy it again."
        )
    told: list[str] = []
    settings = _settings(lines[:start])
    run: dict[str, Any] = settings.get("", {})
    match = _STARTED.search(source.name)
    started = None
    if match:
        started = in_forms(" ".join(match.groups()), ("%Y-%m-%d %H %M %S",), told)
    if "start_mass" in run:
        entries = [_scan(lines, start, told)]
    else:
        entries = _entries(_series(lines, start, settings, told), started, told)
    if not entries:
        raise ReadError(f"{source.name} holds no record of any series.")
    return Measurement(
        tuple(entries),
        title=clean_text(run.get("measurement_name", "")) or source.path.stem,
        instrument="Spectro Inlets EC-MS",
        original_metadata=tidy_metadata({"settings": settings, "headings": lines[start - 2 : start]}),
        warnings=tuple(dict.fromkeys(told)),
    )


READER = Reader(
    name="zilien",
    version="1",
    techniques=("electrochemistry", "mass_spectrometry", "data_log"),
    vendor="Spectro Inlets",
    format="Zilien (TSV)",
    endings=(".tsv",),
    sniff=_sniff,
    read=_read,
    notes="Version 1. An entry for the potentiostat, for each ion current, and for the sensors read at the same times.",
)
