"""Scintag's text exports (DMSNT): ``Key: value`` lines, then ranges of rows.

Facts: some keys stand alone and their value, behind a tab, in the next line; ``Scan Type: Normal`` is along 2θ. A line
names the columns (``Deg.``, ``Counts`` and ``Time`` or ``CPS``, ``ESD``; any may be missing), then comes ``Range 0``
and its rows. Times are milliseconds; without ``Deg.``, positions are those of ``Start Angle`` and ``Step Size``.
"""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._diffraction import number, quantity, text_or_none
from zairyo.readers._diffraction_scans import Scan, measurement
from zairyo.readers._text_export import number_rows, read_lines
from zairyo.readers.delimited_text import is_float

_KEY = re.compile(r"([A-Z][A-Za-z .]+?)\s*:\s*(.*)")
_RANGE = re.compile(r"Range\s+\d+\s*\Z")
_COLUMNS = {"Deg.", "Counts", "CPS", "Time", "ESD"}
_FORMS = ("%B %d, %Y - %I:%M %p", "%B %d, %Y - %H:%M")


def _sniff(source: RawInput) -> float:
    head = source.text_head
    told = (b"Filename:", b"File ID:", b"Scan Type:", b"Num Points:", b"Datafile Res")
    return CERTAIN if head.lstrip().startswith(told[0]) and all(word in head for word in told) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    begins = [i for i, line in enumerate(lines) if _RANGE.match(line.strip())]
    at = next((i for i, line in enumerate(lines) if _is_heading(line)), None)
    if at is None or not begins:
        raise ReadError(f"{source.name} ends before its rows; it is cut off. Copy it again.")
    told = _header(lines[:at])
    warnings: list[str] = []
    columns = lines[at].split()
    scans = []
    for index, begin in enumerate(begins):
        end = begins[index + 1] if index + 1 < len(begins) else len(lines)
        rows = [line for line in lines[begin + 1 : end] if line.strip() and all(map(is_float, line.split()))]
        if not rows:
            raise ReadError(f"{source.name}: range {index} has no rows; it is cut off. Copy it again.")
        scans.append(_scan(told, columns, rows, len(begins) == 1, source.name, warnings))
    name = told.get("Filename", "")
    return measurement(
        scans,
        warnings,
        title=told.get("File ID") or name.replace("\\", "/").rpartition("/")[2],
        sample=told.get("File ID"),
        instrument="Scintag",
        original_metadata=told,
    )


def _is_heading(line: str) -> bool:
    words = line.split()
    return len(words) > 1 and _COLUMNS.issuperset(words) and bool({"Counts", "CPS"} & set(words))


def _header(lines: list[str]) -> dict[str, str]:
    """The values of keys, those of a key that stands alone in the next line; of axes' own keys nothing."""
    told: dict[str, str] = {}
    waiting = ""
    for line in lines:
        if line.startswith("Axis["):
            break
        found = _KEY.fullmatch(line.strip())
        if waiting and line.strip() and line[:1] in "\t ":
            told.setdefault(waiting, line.strip())
            waiting = ""
        elif found:
            waiting = "" if found[2] else found[1]
            if found[2]:
                told.setdefault(found[1], found[2].strip())
    return told


def _scan(
    told: dict[str, str], columns: list[str], rows: list[str], alone: bool, name: str, warnings: list[str]
) -> Scan:
    values = number_rows(rows, name)
    if values.shape[1] != len(columns):
        raise ReadError(
            f"{name}: rows have {values.shape[1]} numbers for the columns {' '.join(columns)}; damaged."
        )
    of = dict(zip(columns, values.T, strict=True))
    count = number(told.get("Num Points", ""))
    if alone and count is not None and len(values) < count:
        raise ReadError(
            f"{name}: {count:g} points are announced and {len(values)} are there; it is cut off. Copy it again."
        )
    if (positions := of.get("Deg.")) is None:
        start, step = _angle(told, "Start Angle"), _angle(told, "Step Size")
        if start is None or not step or not alone:
            raise ReadError(f"{name} does not say at which angles it was measured.")
        positions = start + step * np.arange(len(values))
    counts = of.get("Counts")
    extra = []
    if "ESD" in of:
        unit = "count/s" if counts is None else "counts"
        extra.append(Signal("intensity_esd", of["ESD"], unit, (), "Standard deviation of the intensity"))
    time = None
    if "Time" in of:
        same = bool((of["Time"] == of["Time"][0]).all())
        time = Quantity(float(of["Time"][0]) / 1000, "s") if same else None
        if not same:
            extra.append(Signal("time_per_step", of["Time"] / 1000, "s"))
    kind = told.get("Scan Type", "")
    normal = kind.casefold() == "normal"
    if not normal:
        warnings.append(
            f"Along which axis a scan of the type {kind[:40]!r} goes is not known; the angle is unnamed."
        )
    return Scan(
        "two_theta" if normal else "angle",
        np.asarray(positions, np.float64),
        of["CPS"] if counts is None else counts,
        "count/s" if counts is None else "counts",
        units={} if normal else {"angle": "deg"},
        extra=extra,
        conditions={
            "scan_axis": Quantity("two_theta/theta") if normal else text_or_none(kind),
            "scan_mode": text_or_none(told.get("Scan Mode", "")),
            "wavelength": quantity(told.get("Wavelength", ""), "angstrom"),
            "time_per_step": time,
        },
        title=told.get("File ID", ""),
        started=_started(told.get("File Created", ""), warnings),
    )


def _angle(told: dict[str, str], key: str) -> float | None:
    return number(told.get(key, "").removesuffix("deg.").strip())


def _started(text: str, warnings: list[str]) -> datetime | None:
    return in_forms(text, _FORMS, warnings) if text else None


READER = Reader(
    name="scintag_txt",
    version="1",
    techniques=("xrd",),
    vendor="Scintag",
    format="DMSNT text export (.txt)",
    endings=(".txt",),
    sniff=_sniff,
    read=_read,
    notes="Counts with their times, or counts per second, and their standard deviations; each range an entry.",
)
