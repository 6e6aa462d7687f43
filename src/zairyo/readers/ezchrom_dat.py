"""EZChrom Elite's ``.dat``: a compound file with a stream of whole numbers for each detector's trace.

Facts: ``Chrom Header`` has the date (days since 1899-12-30) and, as counted texts, method, sample, version and user;
``Detector Trace Handler`` says how the numbers of ``Detector Data/Detector n Trace`` are scaled.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, clean_text, make_name, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._compound import MAGIC, Compound
from zairyo.readers._separation import quantity_of, text_condition, trace, unique, unit_of

_TRACE_TAG = re.compile(rb"(?:CDetTraceInfo|\x01\x80)\x01\x00\x00\x00.{8}", re.DOTALL)
_EMPTY_SPECTRA = 200  # bytes of the stream of a diode array that there is not; it has 56
_EPOCH = datetime(1899, 12, 30)
_NAMES = "Chrom Header".encode("utf-16-le"), "Detector".encode("utf-16-le")


@dataclass(frozen=True)
class _Trace:
    number: str
    label: str
    interval: float
    unit: str
    factor: float


def sniff(src: RawInput) -> float:
    if src.head[:8] != MAGIC or src.is_folder:
        return NO
    # The directory may be anywhere; with the header's stream name in the file's beginning or end, it is one.
    if any(name in src.head for name in _NAMES[:1]):
        return CERTAIN
    try:
        with src.open() as file:
            return CERTAIN if _NAMES[0] in file.read(64 << 20) else NO
    except (OSError, EOFError):
        return NO


def read(src: RawInput) -> Measurement:
    file = Compound(src)
    head = _head(file.read("Chrom Header"))
    is_gas = any("GC" in part for path in file.names for part in path[-1:])
    warnings: list[str] = []
    entries: list[Entry] = []
    taken: set[str] = set()
    for one in _traces(file.read("Detector Trace Handler")):
        path = ("Detector Data", f"Detector {one.number} Trace")
        data = file.read(*path)
        if data[4:8] == bytes(4):  # a run that was stopped before this detector gave anything
            warnings.append(f"Detector {one.number} ({one.label}) has no point and was left out.")
            continue
        entries.append(_entry(one, data, is_gas, head, taken, warnings))
    has_spectra = ("3D Data",) in file.names and len(file.read("3D Data")) > _EMPTY_SPECTRA
    if has_spectra:
        warnings.append("The diode array's spectra (3D Data) are not read; the traces are.")
    if not entries:
        raise ReadError(
            f"{src.name} holds no point of a detector's trace; "
            + (
                "the diode array's spectra are not read"
                if has_spectra
                else "nothing was acquired or it is damaged"
            )
        )
    return Measurement(
        entries=tuple(entries),
        title=head["sample"] or src.name,
        sample=head["sample"],
        operator=head["user"],
        instrument=head["instrument"],
        original_metadata=tidy_metadata(
            {"header": head, "streams": ["/".join(p) for p in file.names if "".join(p).isprintable()]}
        ),
        warnings=tuple(warnings),
    )


def _counted(data: bytes, at: int) -> tuple[str, int]:
    """A text with its length before it, and where it ends."""
    if at >= len(data):
        raise ReadError(
            f"the file's description of its traces ends at byte {at}, within a text; it is damaged"
        )
    length, at = data[at], at + 1
    if length == 255:
        length, at = int.from_bytes(data[at : at + 2], "little"), at + 2
    if at + length > len(data):
        raise ReadError(f"the file's description has a text of {length} bytes at byte {at}; it is damaged")
    text = clean_text(data[at : at + length].decode("cp1252", "replace")).strip()
    return (text if text.isprintable() else ""), at + length


def _head(data: bytes) -> dict[str, Any]:
    if len(data) < 20:
        raise ReadError(f"stream 'Chrom Header' has {len(data)} bytes; the file is damaged")
    (days,) = struct.unpack_from("<d", data, 8)
    started = _EPOCH + timedelta(days=days) if 1 < days < 100_000 else None
    told: dict[str, Any] = {"started": started.replace(microsecond=0) if started else None}
    at = 16
    for name in ("method", "sample", "version", "user"):
        told[name], at = _counted(data, at)
    mark = data.find(b"\xff\xff\xff\xff", at)
    told["instrument"] = _counted(data, mark + 4)[0] if 0 <= mark < len(data) - 4 else ""
    return told


def _traces(data: bytes) -> list[_Trace]:
    found = []
    for tag in _TRACE_TAG.finditer(data):
        number, at = _counted(data, tag.end())
        label, at = _counted(data, at + 4)
        if at + 4 > len(data):
            raise ReadError("the description of a detector's trace is cut off; the file is damaged")
        (interval,) = struct.unpack_from("<f", data, at)
        unit, at = _counted(data, at + 4)
        if at + 4 > len(data):
            raise ReadError("the description of a detector's trace is cut off; the file is damaged")
        (factor,) = struct.unpack_from("<f", data, at)
        if not (np.isfinite([interval, factor]).all() and interval > 0 and factor != 0):
            raise ReadError(
                f"trace {number!r} has points every {interval!r} s, times {factor!r}; the file is damaged"
            )
        found.append(_Trace(number, label, float(str(np.float32(interval))), unit, factor))
    return found


def _entry(
    one: _Trace, data: bytes, is_gas: bool, head: dict[str, Any], taken: set[str], warnings: list[str]
) -> Entry:
    if len(data) < 20:
        raise ReadError(f"the trace of detector {one.number} has {len(data)} bytes; the file is damaged")
    (count,) = struct.unpack_from("<I", data, 4)
    if 20 + 4 * count > len(data):
        raise ReadError(
            f"the trace of detector {one.number} announces {count} points in {len(data)} bytes; it "
            "is cut off. Copy it again."
        )
    unit = unit_of(one.unit, warnings)
    conditions: dict[str, Quantity] = {"sampling_rate": Quantity(round(1 / one.interval, 6), "Hz")}
    text_condition(conditions, "detector", one.label)
    text_condition(conditions, "method", head["method"].replace("/", "\\").rpartition("\\")[2])
    text_condition(conditions, "software_version", head["version"].removeprefix("Version "))
    return trace(
        unique(taken, make_name(one.label, f"detector_{one.number}")),
        "gc" if is_gas else "lc" if unit == "mAU" else "chromatography",
        np.arange(count) * one.interval / 60,
        np.frombuffer(data, "<i4", count, 20) * one.factor,
        unit=unit,
        signal=quantity_of(unit, one.unit, one.label),
        title=one.label,
        conditions=conditions,
        started=head["started"],
    )


READER = Reader(
    name="ezchrom_dat",
    version="1",
    techniques=("gc", "lc", "chromatography"),
    vendor="Agilent",
    format="EZChrom Elite DAT",
    endings=(".dat",),
    sniff=sniff,
    read=read,
    notes="The traces of every detector. Not read: diode arrays (3D Data), results of integration, methods.",
)
