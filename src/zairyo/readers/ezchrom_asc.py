"""EZChrom's (and OpenLab EZChrom's) ASCII export: a head, then the numbers of each channel, one a line."""

from __future__ import annotations

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, make_name, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._separation import local_moment, quantity_of, text_condition, trace, unique, unit_of
from zairyo.readers._whole_numbers import whole_numbers

_MOST_CHANNELS = 1000
_GAS = ("pA", "25 µV", "25 uV")


def sniff(src: RawInput) -> float:
    head = (
        decode_legacy(src.head[:4000])
        if b"Maxchannels" in src.head[:4000] or src.head[:2] == b"\xff\xfe"
        else ""
    )
    return CERTAIN if "Maxchannels:" in head and "Sampling Rate:" in head else NO


def read(src: RawInput) -> Measurement:
    text = decode_legacy(src.read_bytes())
    head, numbers = _parts(text, src.name)
    told = {key: cells[0] if cells else "" for key, cells in head.items()}
    counts = [_count(cell, src.name) for cell in head.get("Total Data Points", []) if cell != "Pts."]
    if not 1 <= len(counts) <= _MOST_CHANNELS:
        raise ReadError(f"{src.name} tells of {len(counts)} channels in 'Total Data Points'; it is damaged")
    if sum(counts) > len(numbers):
        raise ReadError(
            f"{src.name} announces {sum(counts)} points, but holds {len(numbers)}; it is cut off. Copy it again."
        )
    warnings: list[str] = []
    entries: list[Entry] = []
    taken: set[str] = set()
    at = 0
    for i, count in enumerate(counts):
        entries += _channel(head, i, numbers[at : at + count], taken, warnings)
        at += count
    if at < len(numbers):
        warnings.append(
            f"{len(numbers) - at} numbers follow those of the announced channels; they were left out."
        )
    return Measurement(
        entries=tuple(entries),
        title=told.get("Sample ID", "") or src.name,
        sample=told.get("Sample ID", ""),
        operator=told.get("User Name", ""),
        original_metadata=tidy_metadata({k: v[0] if len(v) == 1 else v for k, v in head.items()}),
        warnings=tuple(warnings),
    )


def _parts(text: str, name: str) -> tuple[dict[str, list[str]], np.ndarray]:
    """The head's cells by key, and every number after it."""
    head: dict[str, list[str]] = {}
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end].strip("\r")
        key, colon, rest = line.partition(":")
        if not colon and line.strip():
            break
        if colon:
            mark = "\t" if "\t" in rest else ","
            limit = -1 if mark == "\t" or "Points" in key or "Axis" in key or "Rate" in key else 1
            head[key.strip()] = [cell.strip() for cell in rest.strip().strip(mark).split(mark, limit)]
        at = end + 1
    if (counts := whole_numbers(text[at:])) is not None:
        return head, counts
    words = text[at:].split()
    try:
        return head, np.array(words, float)
    except ValueError:
        pass
    for i, word in enumerate(words):
        try:
            words[i] = str(float(word.replace(",", ".")))
        except ValueError:
            raise ReadError(
                f"{name}: value {i + 1} of the data is {word[:20]!r}, which is no number"
            ) from None
    return head, np.array(words, float)


def _count(cell: str, name: str) -> int:
    if not cell.isdecimal() or len(cell) > 10:
        raise ReadError(f"{name}: {cell[:20]!r} in 'Total Data Points' is no number of points")
    return int(cell)


def _cell(head: dict[str, list[str]], key: str, channel: int) -> str:
    cells = head.get(key, [])
    return cells[channel] if channel < len(cells) else ""


def _number(head: dict[str, list[str]], key: str, channel: int) -> float:
    cell = _cell(head, key, channel).replace(",", ".")
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if not (np.isfinite(value) and value > 0):
        raise ReadError(
            f"channel {channel + 1} has {cell[:20]!r} as its {key!r}, which is no number above zero"
        )
    return value


def _channel(
    head: dict[str, list[str]],
    i: int,
    numbers: np.ndarray,
    taken: set[str],
    warnings: list[str],
) -> list[Entry]:
    if not len(numbers):
        warnings.append(f"Channel {i + 1} has no points.")
        return []
    rate = _number(head, "Sampling Rate", i)
    stated = _cell(head, "Y Axis Title", i)
    unit = unit_of(stated, warnings)
    conditions: dict[str, Quantity] = {"sampling_rate": Quantity(rate, "Hz")}
    text_condition(conditions, "method", _cell(head, "Method", 0).replace("/", "\\").rpartition("\\")[2])
    technique = "gc" if stated in _GAS else "lc" if unit == "mAU" else "chromatography"
    name = unique(taken, f"channel_{i + 1}")
    values = numbers * _number(head, "Y Axis Multiplier", i)
    # The multiplier of the times is 1/60, rounded: points are a sampling interval apart.
    times = np.arange(len(numbers)) / rate / 60
    return [
        trace(
            make_name(name),
            technique,
            times,
            values,
            unit=unit,
            signal=quantity_of(unit, stated),
            title=f"Channel {i + 1}",
            conditions=conditions,
            started=local_moment(_cell(head, "Acquisition Date and Time", 0), (), warnings),
        )
    ]


READER = Reader(
    name="ezchrom_asc",
    version="2",
    techniques=("gc", "lc", "chromatography"),
    vendor="Agilent",
    format="EZChrom ASCII",
    endings=(".asc",),
    sniff=sniff,
    read=read,
    notes="Every channel, whether commas or tabs separate the head's cells. Points are a sampling interval apart.",
)
