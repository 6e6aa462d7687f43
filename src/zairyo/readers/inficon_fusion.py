"""Inficon Micro GC Fusion ``.fusion-data``: JSON of one run, or a zip archive of several."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from zairyo.measurement import (
    Entry,
    Measurement,
    Quantity,
    Signal,
    clean_text,
    make_name,
    table,
    tidy_metadata,
)
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._separation import moment, number_condition, text_condition, trace, unique

_LARGEST = 256 << 20
_MOST_RUNS = 200
_COLUMNS = (
    ("top", "retention_time", "s"),
    ("start", "peak_start", "s"),
    ("end", "peak_end", "s"),
    ("area", "peak_area", None),
    ("height", "peak_height", None),
    ("concentration", "concentration", "percent"),
    ("normalizedConcentration", "normalised_concentration", "percent"),
    ("snr", "signal_to_noise", ""),
)


def sniff(src: RawInput) -> float:
    if src.is_folder:
        return NO
    if src.members:
        return CERTAIN if any(name.lower().endswith(".fusion-data") for name in src.members) else NO
    head = src.head.lstrip(b"\xef\xbb\xbf \r\n\t")
    # What is in a run comes in any order, and the traces may fill the head.
    words = (
        b'"detectors"',
        b'"nValuesPerSecond"',
        b'"methodLocation"',
        b'"runTimeStamp"',
        b'"runDataFormatLevel"',
    )
    return CERTAIN if head[:1] == b"{" and sum(word in head for word in words) >= 2 else NO


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    entries: list[Entry] = []
    taken: set[str] = set()
    metadata: dict[str, Any] = {}
    first: dict[str, Any] = {}
    runs = list(_runs(src))
    for name, run in runs:
        prefix = f"{make_name(PurePosixPath(name).stem, 'run')}_" if len(runs) > 1 else ""
        entries += _entries(run, prefix, taken, warnings)
        metadata[name] = _without_values(run)
        first = first or run
    told = metadata if len(runs) > 1 else metadata[runs[0][0]]
    note = _inside(first, "annotations")
    system = _inside(_inside(first, "systemConfiguration"), "systemInfo")
    return Measurement(
        entries=tuple(entries),
        title=_text(note.get("name")) or _text(first.get("methodName")) or src.name,
        sample=_text(note.get("name")),
        instrument=f"Inficon Micro GC Fusion {_text(system.get('systemPartNumber'))}".strip(),
        original_metadata=tidy_metadata(told),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _runs(src: RawInput) -> Iterator[tuple[str, dict[str, Any]]]:
    names = [m for m in src.members if m.lower().endswith((".fusion-data", ".json"))][:_MOST_RUNS]
    for name in names or [src.name]:
        data = src.member(name, _LARGEST) if src.members else src.read_bytes(_LARGEST)
        try:
            run = json.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError) as e:
            raise ReadError(
                f"{name} is not complete JSON ({e}); it is cut off or damaged. Copy it again."
            ) from None
        if not isinstance(run, dict) or not isinstance(run.get("detectors"), dict):
            raise ReadError(f"{name} is JSON, but holds no run with detectors")
        yield name, run


def _text(value: Any) -> str:
    return clean_text(value).strip() if isinstance(value, str) else ""


def _inside(tree: Any, name: str) -> dict[str, Any]:
    value = tree.get(name) if isinstance(tree, dict) else None
    return value if isinstance(value, dict) else {}


def _without_values(run: dict[str, Any]) -> dict[str, Any]:
    """The run as it is, but for the traces and peaks, which are entries."""
    detectors = {
        name: {k: v for k, v in one.items() if k not in ("values", "analysis")}
        if isinstance(one, dict)
        else one
        for name, one in run["detectors"].items()
    }
    return {**run, "detectors": detectors}


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
    return float(value) if is_number else None


def _entries(run: dict[str, Any], prefix: str, taken: set[str], warnings: list[str]) -> list[Entry]:
    conditions = _conditions(run)
    started = moment(_text(run.get("runTimeStamp")))
    entries: list[Entry] = []
    for name, one in sorted(run["detectors"].items()):
        if not isinstance(one, dict):
            raise ReadError(f"detector {name[:40]!r} holds no trace; the file is damaged")
        rate = _number(one.get("nValuesPerSecond"))
        values = one.get("values")
        if rate is None or rate <= 0 or not isinstance(values, list) or not values:
            # A module that is off, or whose run was stopped, costs the other modules nothing.
            warnings.append(
                f"Detector {clean_text(name)[:40]} has no values, or none a second; it was left out."
            )
            continue
        try:
            numbers = np.array(values, float)
        except (ValueError, TypeError, OverflowError):
            raise ReadError(
                f"the values of detector {name[:40]!r} are not all numbers; the file is damaged"
            ) from None
        if numbers.ndim != 1:
            raise ReadError(f"the values of detector {name[:40]!r} are not all numbers; the file is damaged")
        expected = _number(one.get("nValuesExpected"))
        if expected is not None and len(numbers) < expected:
            warnings.append(
                f"Detector {name} has {len(numbers)} of {expected:g} values: the run was stopped."
            )
        entries.append(
            trace(
                unique(taken, f"{prefix}{make_name(name, 'detector')}"[:60]),
                "gc",
                np.arange(len(numbers)) / rate,
                numbers,
                unit=None,
                signal="detector_signal",
                time_unit="s",
                title=clean_text(name),
                conditions={**conditions, **_of_detector(run, name, one, rate)},
                started=started,
            )
        )
    if not entries:
        raise ReadError("no detector has values, or none a second; the run was not finished")
    peaks = _peaks(run)
    if peaks:
        shared: dict[str, Any] = {"title": "Peaks", "conditions": conditions, "started": started}
        name = unique(taken, f"{prefix}peaks"[:60])
        entries.append(table(name, "gc", peaks, x="retention_time", default="peak_area", **shared))
    return entries


def _conditions(run: dict[str, Any]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    text_condition(found, "method", _text(run.get("methodName")))
    text_condition(found, "software_version", _text(_inside(run, "softwareVersion").get("version")))
    system = _inside(_inside(run, "systemConfiguration"), "systemInfo")
    text_condition(found, "instrument_serial", _text(system.get("systemSerialNumber")))
    valve = _inside(run, "annotations").get("valcoPosition")
    if isinstance(valve, (int, str)) and not isinstance(valve, bool):
        text_condition(found, "valve_position", str(valve))
    return found


def _of_detector(run: dict[str, Any], name: str, one: dict[str, Any], rate: float) -> dict[str, Quantity]:
    module = _inside(_inside(_inside(run, "method"), "modules"), name.partition(":")[0])
    found: dict[str, Quantity] = {"sampling_rate": Quantity(rate, "Hz")}
    text_condition(found, "detector", name.rpartition(":")[2].upper())
    text_condition(found, "carrier_gas", _text(one.get("carrierGas")))
    text_condition(found, "column", _text(module.get("modulePartNumber")))
    profile = _inside(_inside(module, "devices"), "columnHeater").get("profile")
    steps = profile if isinstance(profile, list) else [{"value": profile}]
    start = steps[0].get("value") if steps and isinstance(steps[0], dict) else None
    number_condition(found, "column_temperature", _number(start), "degC")
    return found


def _peaks(run: dict[str, Any]) -> list[Signal]:
    """The instrument's own results: a row a peak of any detector; NaN where it found no value."""
    rows: list[tuple[str, dict[str, Any]]] = []
    for name, one in sorted(run["detectors"].items()):
        peaks = _inside(one, "analysis").get("peaks")
        rows += [(name, peak) for peak in peaks if isinstance(peak, dict)] if isinstance(peaks, list) else []
    if not rows:
        return []
    columns = [
        Signal("detector", np.array([clean_text(name) for name, _ in rows])),
        Signal("compound", np.array([_text(peak.get("label")) for _, peak in rows])),
    ]
    for key, name, unit in _COLUMNS:
        numbers = [_number(peak.get(key)) for _, peak in rows]
        if name in ("retention_time", "peak_area") or any(n is not None for n in numbers):
            columns.append(Signal(name, np.array([np.nan if n is None else n for n in numbers]), unit))
    return columns if np.isfinite(columns[5].values if len(columns) > 5 else columns[-1].values).any() else []


READER = Reader(
    name="inficon_fusion",
    version="1",
    techniques=("gc",),
    vendor="Inficon",
    format="Micro GC Fusion",
    endings=(".fusion-data", ".zip"),
    sniff=sniff,
    read=read,
    notes="Every detector's trace and the instrument's table of peaks, of one run or a zip archive of several.",
)
