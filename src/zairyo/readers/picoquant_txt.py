"""PicoQuant's histograms as text: decays of TimeHarp, PicoHarp, HydraHarp and MultiHarp.

Facts: ``#TimeHarp 260  Histogram Data`` with the date, then a line that begins with ``#`` names what the next tells:
``#channels per curve``, ``#display curve no.``, ``#memory block no.``, ``#ns/channel`` or ``#ns/bin`` (a number a
curve) and ``#counts``, under which each line is a channel, with a number for each curve between tabs.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Signal
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import columns_of, head_text, number, read_lines

_FIRST = re.compile(r"#(?P<device>\w*Harp[ \w]*?)\s+Histogram Data\s*(?P<when>.*)")
_WIDTH = re.compile(r"#(?P<unit>[pn]s)/(channel|bin)\s*\Z")
_FORMS = ("%m/%d/%y %H:%M:%S", "%d/%m/%y %H:%M:%S", "%d.%m.%y %H:%M:%S")
_MOST_HEAD = 100


def _sniff(source: RawInput) -> float:
    head = head_text(source, 2)
    return CERTAIN if _FIRST.match(head) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    first = _FIRST.match(lines[0]) if lines else None
    counts = next((i for i, line in enumerate(lines[:_MOST_HEAD]) if line.strip() == "#counts"), None)
    if first is None or counts is None:
        raise ReadError(f"{source.name} ends before its line '#counts'; it is cut off. Copy it again.")
    told = {
        line.strip()[1:]: lines[i + 1].split()
        for i, line in enumerate(lines[1:counts], 1)
        if line.startswith("#") and not lines[i + 1].startswith("#")
    }
    unit, widths = _widths(told, source.name)
    rows = [line for line in lines[counts + 1 :] if line.strip()]
    planned = number((told.get("channels per curve") or ["0"])[0]) or 0
    if not rows or planned > len(rows):
        raise ReadError(
            f"{source.name} should hold {planned:g} channels and holds {len(rows)}; it is cut off. Copy it again."
        )
    warnings: list[str] = []
    columns = columns_of(
        [row.rstrip() for row in rows], "\t", len(widths), warnings, line=counts + 2, decimal="."
    )
    device = clean_text(first["device"].strip())
    started = in_forms(first["when"].strip(), _FORMS, warnings)
    numbers = told.get("display curve no.", [])
    entries = []
    for k, (values, width) in enumerate(zip(columns, widths, strict=True)):
        if values.dtype.kind != "f" or not np.isfinite(values).all() or not (0 < width < 1e9):
            raise ReadError(
                f"{source.name} has words among its counts, or no width of a channel; it is damaged."
            )
        label = f"Curve {numbers[k]}" if len(numbers) == len(widths) else f"Curve {k + 1}"
        entries.append(
            Entry(
                f"curve_{k + 1}" if len(widths) > 1 else "curve",
                "fluorescence",
                (Axis("time", width * np.arange(len(values)), unit, "Time"),),
                (Signal("intensity", values, "counts", ("time",), "Counts"),),
                "intensity",
                title=clean_text(label),
                started=started,
            )
        )
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        instrument=f"PicoQuant {device}",
        original_metadata=tidy_metadata({key: " ".join(words) for key, words in told.items()}),
        warnings=tuple(warnings),
    )


def _widths(told: dict[str, list[str]], name: str) -> tuple[str, list[float]]:
    """The unit of the time and the width of a channel of each curve."""
    for key, words in told.items():
        if m := _WIDTH.match(f"#{key}"):
            widths = [number(word) for word in words]
            if widths and None not in widths:
                return m["unit"], [float(w or 0) for w in widths]
    raise ReadError(f"{name} does not state the width of a channel (#ns/channel); it is cut off or damaged.")


READER = Reader(
    name="picoquant_txt",
    version="1",
    techniques=("fluorescence",),
    vendor="PicoQuant",
    format="Histogram text",
    endings=(".dat", ".txt", ".asc"),
    sniff=_sniff,
    read=_read,
    notes="Every curve over the time since its first channel.",
)
