"""Deben Microtest `.mtr`: tension, compression and bending stages.

Facts: header lines between quotes (``"Key : value"``, numbers in the country's way), a quoted line of headings, then
rows between commas with decimal points. ``Point`` is the time in s; the codes 2 and 1 mark the first and the last row,
and the last one's elongation and force are no readings.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal, make_name, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._mechanical_columns import technique_of
from zairyo.readers._text_export import Array, cells_of, columns_of, head_lines, quantity, read_lines, unit_of

_HEADINGS = '"Point","Elongation","Force"'
_END = 1
_LONGEST = 100  # letters of a text in the quick way, which takes a step for each of them
#: Texts, and in how many rows, one after another, each stands.
Runs = list[tuple[str, int]]
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
    rows = lines[at + 1 :]
    if lines[-1].strip() and (len(cells_of(lines[-1], ",")) != len(headings) or not _is_end(lines[-1])):
        raise ReadError(
            f"line {len(lines)} of {source.name} has no end; the file is cut off there. Copy it again."
        )
    warnings: list[str] = []
    columns, speeds = _columns(rows, headings, warnings, at + 2)
    stated = re.match(r"\d{1,9}\Z", header.get("Number of points", ""))
    count = len(columns[0]) if columns else 0
    if not count or (stated and count < int(stated[0])):
        raise ReadError(
            f"{source.name} has {count} rows where its header says {header.get('Number of points', 'more')}; it is "
            "cut off. Copy it again."
        )
    if speeds:
        headings = headings[:-1]
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


def _columns(
    rows: list[str], headings: list[str], warnings: list[str], line: int
) -> tuple[list[Array], Runs]:
    """The columns of numbers; and the last column, the motor's speeds, the only text."""
    if headings[-1] != "Motorspeed":
        filled = list(filter(str.strip, rows))
        return (
            columns_of(filled, ",", len(headings), warnings, line=line, decimal=".") if filled else []
        ), []
    width = len(headings) - 1
    if (found := _at_once(rows, width)) is not None:
        return found
    split = [row.rpartition(",") for row in filter(str.strip, rows)]
    numbers = [s[0] for s in split]
    if not numbers:
        return [], []
    speeds = [(cell, len(list(run))) for cell, run in groupby(s[2].strip('" ') for s in split)]
    return columns_of(numbers, ",", width, warnings, line=line, decimal="."), speeds


def _at_once(rows: list[str], width: int) -> tuple[list[Array], Runs] | None:
    """As :func:`_columns` where every row is ``width`` plain numbers and a text in quotes; None where one is not."""
    while rows and not rows[-1]:
        rows = rows[:-1]
    if not rows:
        return None
    letters = np.frombuffer("\n".join(rows).encode(), np.uint8)
    quotes = np.flatnonzero(letters == ord('"'))
    begin, end = quotes[::2], quotes[1::2]
    if (
        len(quotes) != 2 * len(rows)
        or end[-1] + 1 != len(letters)
        or not (letters[end[:-1] + 1] == ord("\n")).all()
        or (end - begin).max() > _LONGEST
        # A row whose first cells are numbers has as many commas or more; so all together tell that none has more.
        or np.count_nonzero(letters == ord(",")) != width * len(rows)
    ):
        return None
    try:
        table = np.loadtxt(rows, comments=None, delimiter=",", usecols=range(width), ndmin=2)
    except ValueError:
        return None
    return (
        (list(np.ascontiguousarray(table.T)), _runs(letters, begin, end)) if len(table) == len(rows) else None
    )


def _runs(letters: Array, begin: Array, end: Array) -> Runs:
    """The texts between quotes at ``begin`` and ``end``, shape (rows,) each; they seldom change."""
    lengths = end - begin
    changes = lengths[1:] != lengths[:-1]
    for i in range(1, int(lengths.max())):
        inside = letters.take(begin + i, mode="clip")
        changes |= (inside[1:] != inside[:-1]) & (i < lengths[1:])
    starts = [0, *(np.flatnonzero(changes) + 1).tolist()]
    counts = np.diff([*starts, len(begin)]).tolist()
    texts = (letters[begin[i] + 1 : end[i]].tobytes().decode().strip() for i in starts)
    return list(zip(texts, counts, strict=True))


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


def _signals(headings: list[str], columns: list[Array], speeds: Runs, warnings: list[str]) -> list[Signal]:
    """The columns without the row that marks the end, which is no reading."""
    by_heading = dict(zip(headings, columns, strict=True))
    code = by_heading.get("Code")
    has_end = code is not None and code.dtype.kind == "f" and code[-1] == _END
    kept = slice(0, len(columns[0]) - has_end)
    units = {heading: _COLUMNS.get(heading, ("", None))[1] for heading in by_heading}
    if speeds:
        by_heading["Motorspeed"], units["Motorspeed"] = _speeds(speeds, warnings)
    found = []
    for heading, values in by_heading.items():
        if values.dtype.kind != "f":
            continue
        name = _COLUMNS[heading][0] if heading in _COLUMNS else make_name(heading, "column")
        values = values[kept]
        values.flags.writeable = False  # nobody else has it: it need not be copied
        if name == "event" and np.isfinite(values).all():
            values = values.astype(np.int64)
        found.append(Signal(name, values, units[heading], long_name=clean_text(heading)))
    return found


def _speeds(runs: Runs, warnings: list[str]) -> tuple[Array, str | None]:
    """Numbers out of ``0.5 mm/min``; there are few different ones."""
    parsed = {cell: quantity(cell) for cell, _ in runs}
    counts = [count for _, count in runs]
    units = {p[1] for p in parsed.values() if p and p[1]}
    if len(units) > 1:
        warnings.append("Motorspeed is given in several units and was left blank.")
        return np.full(sum(counts), np.nan), None
    unit = unit_of(next(iter(units)), warnings) if units else _COLUMNS["Motorspeed"][1]
    numbers = {cell: p[0] if p else np.nan for cell, p in parsed.items()}
    return np.repeat([numbers[cell] for cell, _ in runs], counts), unit


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
