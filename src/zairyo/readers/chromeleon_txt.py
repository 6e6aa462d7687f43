"""Thermo Chromeleon's text export of a chromatogram: keys and values, then time, step and value."""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Measurement, Quantity, clean_text, make_name, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._separation import (
    local_moment,
    number_condition,
    optics,
    quantity_of,
    text_condition,
    trace,
    unit_of,
)

_COLUMNS = re.compile(
    r"^(?:Time|Zeit|Temps|Tiempo|時間) ?\((min|s|sec)\)\t[^\t\n]*\((?:s|sec)\)\t[^\t\n]*\(([^)\t]*)\)\s*$",
    re.MULTILINE,
)
_NUMBER = re.compile(r"[+-]?[\d.,]*\d")
_VOLUME = re.compile(r"(Injection Volume|Volume \()")


def sniff(src: RawInput) -> float:
    start = src.text_head[:16384]  # far below where the headings are
    if not any(unit in start for unit in (b"(min)\t", b"(s)\t", b"(sec)\t")):
        return NO
    head = decode_legacy(src.head)
    return CERTAIN if _COLUMNS.search(head) else NO


def read(src: RawInput) -> Measurement:
    text = decode_legacy(src.read_bytes())
    columns = _COLUMNS.search(text)
    if columns is None:
        raise ReadError(f"{src.name} has no line with the columns time, step and value; it is another export")
    told = _keys(text[: columns.start()])
    times, values = _rows(text[columns.end() :], text.count("\n", 0, columns.end()) + 1, src.name)
    points = re.sub(r"[.,\s]", "", told.get("Data Points", "") or told.get("No. of Data Points", ""))
    if points.isdecimal() and len(points) < 10 and int(points) > len(times):
        raise ReadError(f"{src.name} announces {points} points, but holds {len(times)}; it is cut off")
    warnings: list[str] = []
    unit = unit_of(columns[2], warnings)
    channel = told.get("Channel", "") or told.get("Signal Name", "") or "chromatogram"
    conditions: dict[str, Quantity] = optics(channel)
    text_condition(conditions, "detector", told.get("Detector", "") or channel)
    text_condition(conditions, "method", told.get("Instrument Method", ""))
    text_condition(conditions, "vial", told.get("Position", "") or told.get("Vial Number", ""))
    stated = next((v for k, v in told.items() if _VOLUME.match(k)), "")
    volume = _NUMBER.search(stated)
    number_condition(conditions, "injection_volume", _float(volume[0]) if volume else None, "ul")
    when = told.get("Injection Time", "") or told.get("Inject Time", "") or told.get("Recording Time", "")
    if "Injection Date" in told:  # 7.2 writes the day on a line of its own
        when = f"{told['Injection Date']} {when}"
    sample = told.get("Injection", "") or told.get("Injection Name", "") or told.get("Sample Name", "")
    entry = trace(
        make_name(channel, "chromatogram"),
        "lc" if unit in ("mAU", "uS/cm", "nRIU") else "chromatography",
        times,
        values,
        unit=unit,
        signal=quantity_of(unit, columns[2], channel),
        time_unit="min" if columns[1] == "min" else "s",
        title=channel,
        conditions=conditions,
        started=local_moment(when, (), warnings),
    )
    return Measurement(
        entries=(entry,),
        title=sample or src.name,
        sample=sample,
        operator=told.get("Operator", ""),
        instrument=told.get("Instrument", "") or told.get("Generating Data System", ""),
        original_metadata=tidy_metadata(told),
        warnings=tuple(warnings),
    )


def _keys(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, tab, value = line.partition("\t")
        key = clean_text(key.strip(" :\t\r"))
        if tab and key and key not in found:
            found[key] = clean_text(" ".join(value.split()))
    return found


def _float(word: str) -> float | None:
    """A number whose decimal mark is the last of its points and commas, if they are not all of one kind."""
    if "," in word and "." in word:
        thousands = "," if word.rfind(".") > word.rfind(",") else "."
        word = word.replace(thousands, "")
    try:
        return float(word.replace(",", "."))
    except ValueError:
        return None


def _rows(text: str, line: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    times: list[float] = []
    values: list[float] = []
    for number, row in enumerate(text.splitlines(), line):
        cells = row.split("\t")
        if len(cells) < 3:
            if row.strip():
                break  # another section follows the data
            continue
        time, value = _float(cells[0].strip()), _float(cells[2].strip())
        if time is None or value is None:
            raise ReadError(f"{name}, line {number}: {row[:40]!r} is no row of numbers; the file is damaged")
        times.append(time)
        values.append(value)
    if not times:
        raise ReadError(
            f"{name} has no row of numbers below its columns; nothing was exported or it is cut off"
        )
    if not np.isfinite(times).all():
        raise ReadError(f"{name} has times that are no numbers")
    return np.array(times), np.array(values)


READER = Reader(
    name="chromeleon_txt",
    version="2",
    techniques=("lc", "chromatography"),
    vendor="Thermo",
    format="Chromeleon text",
    endings=(".txt",),
    sniff=sniff,
    read=read,
    notes="One chromatogram with what the export tells of its injection; decimal commas and thousands marks.",
)
