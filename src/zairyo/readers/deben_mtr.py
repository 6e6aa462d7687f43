"""Deben Microtest `.mtr`: tension, compression and bending stages.

Facts: header lines between quotes (``"Key : value"``, numbers in the country's way), a quoted line of headings, then
rows between commas with decimal points. ``Point`` is the time in s; the codes 2 and 1 mark the first and the last row,
and the last one's elongation and force are no readings.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal, make_name, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._mechanical_columns import technique_of
from zairyo.readers._text_export import Array, cells_of, columns_of, head_lines, quantity, read_lines, unit_of

_HEADINGS = '"Point","Elongation","Force"'
_END = 1
#: Heading → name and unit; the file states no units, Microtest has these.
_COLUMNS = {
    "Point": ("time", "s"),
    "Elongation": ("extension", "mm"),
    "Force": ("force", "N"),
    "Position": ("position", "mm"),
    "Code": ("event", ""),
    "Samplerate": ("sampling_interval", "ms"),
    "Motorspeed": ("test_speed", "mm/min"),
}
#: Key → condition and the unit of a bare number.
_CONDITIONS = {
    "Span": ("span", "mm"),
    "Width": ("sample_width", "mm"),
    "Thickness": ("sample_thickness", "mm"),
    "Start Sampletime": ("sampling_interval", "ms"),
    "Start Speed": ("test_speed", "mm/min"),
    "Test duration": ("duration", "s"),
}


def _sniff(source: RawInput) -> float:
    lines = head_lines(source, 60)
    return (
        CERTAIN
        if lines and lines[0].startswith('"File : ') and any(x.startswith(_HEADINGS) for x in lines)
        else NO
    )


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    at = next((i for i, line in enumerate(lines) if line.startswith(_HEADINGS)), None)
    if at is None:
        raise ReadError(f"{source.name} ends before its headings; it is cut off. Copy it again.")
    header, loose = _header(lines[:at])
    headings = cells_of(lines[at], ",")
    rows = list(filter(str.strip, lines[at + 1 :]))
    stated = re.match(r"\d{1,9}\Z", header.get("Number of points", ""))
    if (
        rows
        and lines[-1].strip()
        and (len(cells_of(rows[-1], ",")) != len(headings) or not _is_end(rows[-1]))
    ):
        raise ReadError(
            f"line {len(lines)} of {source.name} has no end; the file is cut off there. Copy it again."
        )
    if not rows or (stated and len(rows) < int(stated[0])):
        raise ReadError(
            f"{source.name} has {len(rows)} rows where its header says {header.get('Number of points', 'more')}; it is "
            "cut off. Copy it again."
        )
    warnings: list[str] = []
    speeds: list[str] = []
    if headings[-1] == "Motorspeed":  # the only text; without it the rows are plain numbers
        rows, speeds = _without_last(rows)
        headings = headings[:-1]
    columns = columns_of(rows, ",", len(headings), warnings, line=at + 2, decimal=".")
    signals = _signals(headings, columns, speeds, warnings)
    by_name = {s.name: s for s in signals}
    if not {"extension", "force"} <= set(by_name):
        raise ReadError(f"{source.name} holds no numbers of elongation and force; it is damaged.")
    comment = header.get("Comment", "")
    name = header.get("File", "").replace("\\", "/").rpartition("/")[2].split(" saved ")[0]
    sample = header.get("Sample", "")
    entry = table(
        "data",
        technique_of([comment, name]),
        signals,
        x="extension",
        default="force",
        conditions=_conditions(header, comment, loose, warnings),
    )
    return Measurement(
        (entry,),
        title=source.path.stem,
        sample="" if sample == "Default" else sample,
        instrument="Deben Microtest",
        original_metadata=tidy_metadata({**header, "other lines": loose} if loose else header),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _without_last(rows: list[str]) -> tuple[list[str], list[str]]:
    """The rows without their last cells, and these; at once where each, and nothing else, is in quotes."""
    whole, count = "\n".join(rows), len(rows)
    ends = whole.count('"\n') + whole.endswith('"')
    if whole.count('"') == 2 * count and whole.count(',"') == ends == count:
        parts = whole.split('"')
        plain = "".join(parts[::2]).removesuffix(",").replace(",\n", "\n").split("\n")
        return plain, parts[1::2]
    split = [row.rpartition(",") for row in rows]
    return [s[0] for s in split], [s[2].strip('" ') for s in split]


def _is_end(row: str) -> bool:
    return cells_of(row, ",")[4:5] == [str(_END)]


def _header(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    header: dict[str, str] = {}
    loose: list[str] = []
    for line in lines:
        text = clean_text(line.strip().strip('"').strip())
        key, mark, value = text.partition(" :")
        if mark:
            header[key.strip()] = value.strip()
        elif text:
            loose.append(text)
    return header, loose


def _signals(
    headings: list[str], columns: list[Array], speeds: list[str], warnings: list[str]
) -> list[Signal]:
    """The columns without the row that marks the end, which is no reading."""
    by_heading = dict(zip(headings, columns, strict=True))
    keep = np.ones(len(columns[0]), bool)
    code = by_heading.get("Code")
    if code is not None and code.dtype.kind == "f" and code[-1] == _END:
        keep[-1] = False
    units = {heading: _COLUMNS.get(heading, ("", None))[1] for heading in by_heading}
    if speeds:
        by_heading["Motorspeed"], units["Motorspeed"] = _speeds(speeds, warnings)
    found = []
    for heading, values in by_heading.items():
        if values.dtype.kind != "f":
            continue
        name = _COLUMNS[heading][0] if heading in _COLUMNS else make_name(heading, "column")
        values = values[keep]
        if name == "event" and np.isfinite(values).all():
            values = values.astype(np.int64)
        found.append(Signal(name, values, units[heading], long_name=clean_text(heading)))
    return found


def _speeds(cells: list[str], warnings: list[str]) -> tuple[Array, str | None]:
    """Numbers out of ``0.5 mm/min``; there are few different ones."""
    parsed = {cell: quantity(cell) for cell in dict.fromkeys(cells)}
    units = {p[1] for p in parsed.values() if p and p[1]}
    if len(units) > 1:
        warnings.append("Motorspeed is given in several units and was left blank.")
        return np.full(len(cells), np.nan), None
    unit = unit_of(next(iter(units)), warnings) if units else _COLUMNS["Motorspeed"][1]
    numbers = {cell: p[0] if p else np.nan for cell, p in parsed.items()}
    return np.array([numbers[cell] for cell in cells]), unit


def _conditions(
    header: dict[str, str], comment: str, loose: list[str], warnings: list[str]
) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, (name, usual) in _CONDITIONS.items():
        if (number := quantity(header.get(key, ""))) is not None:
            found[name] = Quantity(number[0], unit_of(number[1], warnings) if number[1] else usual)
    if comment:
        found["comment"] = Quantity(comment)
        if m := re.search(r"Calibrated at (\d+(?:\.\d+)?)\s*N\b", comment):
            found["load_cell"] = Quantity(float(m[1]), "N")
    version: Any = next((m[1] for x in loose if (m := re.match(r"Ver([\d.]+)\Z", x))), "")
    if version:
        found["software"], found["software_version"] = Quantity("Microtest"), Quantity(version)
    return found


READER = Reader(
    name="deben_mtr",
    version="1",
    techniques=("tensile", "compression", "bending", "mechanical_test"),
    vendor="Deben",
    format="Microtest MTR",
    endings=(".mtr",),
    sniff=_sniff,
    read=_read,
    notes="Tension, compression and bending. When the file was saved is kept; when the test began it does not say.",
)
