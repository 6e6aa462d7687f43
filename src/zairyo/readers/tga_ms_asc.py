"""Pfeiffer QUADERA / QUADSTAR `.asc`: intensities of masses over time, as recorded beside a thermobalance (TG-MS).

Facts: ``Key<tab>value`` lines, a row that names each mass over its three columns, a row of headings (``Time``, ``Time
Relative [s]``, ``Partial Pressure [mbar]`` or ``Ion Current [A]``), then cycles. Each mass is measured at its own time
within the cycle; the last cycle may be short of its last masses.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal, make_name, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import (
    Array,
    columns_of,
    head_lines,
    head_text,
    read_lines,
    split_name,
    unit_of,
)
from zairyo.readers.delimited_text import used

_HEADINGS = re.compile(
    r"(Time\tTime Relative|Zeit\tZeit relativ) \[\w+\]\t[^\t]+\[[^\]]+\](\t|\s*\Z)", re.IGNORECASE
)
_DATES = (
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
)
_KINDS = {
    "partial pressure": "partial_pressure",
    "ion current": "ion_current",
    "concentration": "concentration",
    "partialdruck": "partial_pressure",
    "ionenstrom": "ion_current",
    "konzentration": "concentration",
}


def _sniff(source: RawInput) -> float:
    if not any(words in head_text(source, 60).casefold() for words in ("time relative [", "zeit relativ [")):
        return NO
    lines = head_lines(source, 60)
    return CERTAIN if any(_HEADINGS.match(line) for line in lines) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    at = next((i for i, line in enumerate(lines[:200]) if _HEADINGS.match(line)), None)
    if at is None or at == 0:
        raise ReadError(f"{source.name} ends before its headings; it is cut off. Copy it again.")
    headings = lines[at].rstrip().split("\t")
    masses = _masses(lines[at - 1], len(headings), source)
    rows = [line.rstrip("\r\n") for line in lines[at + 1 :] if line.strip()]
    if not rows:
        raise ReadError(f"{source.name} holds no cycles; nothing was recorded, or it is cut off.")
    header = _header(lines[: at - 1])
    warnings: list[str] = []
    rows = _whole(rows, lines, len(headings), header, source, warnings)
    clocks = range(0, len(headings), 3)  # the same moments stand beside them in seconds
    stripped = [r.rstrip("\t") for r in rows]
    columns = columns_of(stripped, "\t", len(headings), warnings, line=at + 2, unread=clocks)
    signals, names = _signals(headings, masses, columns, warnings)
    begun, ended = (_stated(header, *keys) for keys in (("Start Time", "Startzeit"), ("End Time", "Endzeit")))
    first, last = (row.split("\t")[0] for row in (rows[0], rows[-1]))
    if in_forms(begun, _DATES) is None:
        begun = first
    dates = (begun, ended, first, last)
    started = in_forms(begun, _DATES, warnings, dates)
    since, until = (in_forms(text, _DATES, [], dates) or in_forms(text, _DATES) for text in (begun, ended))
    conditions = {}
    if since and until and until > since:
        conditions["duration"] = Quantity((until - since).total_seconds(), "s")
    entry = table(
        "data",
        "evolved_gas_ms",
        signals,
        x="time",
        default=names[0],
        title=", ".join(masses),
        conditions=conditions,
        started=started,
    )
    return Measurement(
        (entry,),
        title=header.get("Sourcefile", "").rsplit(".", 1)[0] or source.path.stem,
        original_metadata=tidy_metadata(header),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _header(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        key, mark, value = line.partition("\t")
        if mark and key.strip():
            found[clean_text(key.strip())] = clean_text(value.strip())
    return found


def _stated(header: dict[str, str], *names: str) -> str:
    return next((header[name] for name in names if name in header), "")


def _masses(line: str, width: int, source: RawInput) -> list[str]:
    """The names over the columns, each somewhere above the three that are its own."""
    found = [clean_text(cell.strip()) for cell in line.split("\t") if cell.strip()]
    if len(found) * 3 != width:
        raise ReadError(
            f"{source.name} names {len(found)} masses over {width} columns, where each has three; it is damaged."
        )
    return found


def _whole(
    rows: list[str],
    lines: list[str],
    width: int,
    header: dict[str, str],
    source: RawInput,
    warnings: list[str],
) -> list[str]:
    """The rows; a last one that is short is a cycle that was stopped, if the file otherwise says where it ends."""
    cells = rows[-1].rstrip("\t").split("\t")
    if len(cells) == width:
        if (
            lines[-1].strip()
            and len(rows) > 1
            and len(cells[-1]) < len(rows[-2].rstrip("\t").split("\t")[-1]) - 1
        ):
            raise ReadError(f"{source.name} ends within a number; it is cut off. Copy it again.")
        return rows
    ended = in_forms(_stated(header, "End Time", "Endzeit"), _DATES)
    last = next((t for c in reversed(cells) if (t := in_forms(c, _DATES))), None)
    if not ended or not last or abs((ended - last).total_seconds()) > 60:
        raise ReadError(f"{source.name} ends before the time that it says; it is cut off. Copy it again.")
    if len(cells) % 3:
        cells = cells[: len(cells) // 3 * 3]
    warnings.append("The last cycle was stopped before all masses were measured; the missing ones are blank.")
    return [*rows[:-1], "\t".join(cells)] if cells else rows[:-1]


def _signals(
    headings: list[str], masses: list[str], columns: list[Array], warnings: list[str]
) -> tuple[list[Signal], list[str]]:
    """Time of the first mass, the masses' intensities, and the other masses' own times."""
    quantities, units = zip(*(split_name(h) for h in headings), strict=True)
    labels = list(used([make_name(m, "mass").lstrip("_") for m in masses]))
    signals: list[Signal] = []
    times: list[Signal] = []
    names: list[str] = []
    for k, (mass, label) in enumerate(zip(masses, labels, strict=True)):
        time, values = columns[3 * k + 1], columns[3 * k + 2]
        if time.dtype.kind != "f" or values.dtype.kind != "f":
            raise ReadError(f"The columns of {mass!r} do not hold numbers; the file is damaged.")
        if not np.isfinite(values).any():
            continue
        kind = _KINDS.get(quantities[3 * k + 2].lower(), make_name(quantities[3 * k + 2], "intensity"))
        name = f"{kind}_{label}"[:63]
        unit = unit_of(units[3 * k + 2], warnings)
        signals.append(Signal(name, values, unit, long_name=f"{quantities[3 * k + 2]} {mass}"[:200]))
        names.append(name)
        own = "time" if not times else f"time_{label}"[:63]
        times.append(Signal(own, time, unit_of(units[3 * k + 1], warnings), long_name=f"Time, {mass}"[:200]))
    if not signals:
        raise ReadError("No mass has a number; the file is damaged, or nothing was recorded.")
    return [times[0], *signals, *times[1:]], names


READER = Reader(
    name="tga_ms_asc",
    version="2",
    techniques=("evolved_gas_ms",),
    vendor="Pfeiffer Vacuum",
    format="QUADERA ASCII",
    endings=(".asc", ".txt"),
    sniff=_sniff,
    read=_read,
    notes="Masses over time (trend measurements), each with its own times. Scans over mass are not read.",
)
