"""LabVIEW measurement file (``.lvm``): what "Write To Measurement File" records as text.

Facts (NI's specification of the format, 2.0, and files): a header of keys and values (``Separator``,
``Decimal_Separator``, ``X_Columns``, ``Operator``, ``Date``, ``Time`` …) up to ``***End_of_Header***``; then segments,
each a header with a cell for each channel (``Samples``, ``Date``, ``Time``, ``Y_Unit_Label``, ``X_Dimension``, ``X0``,
``Delta_X``), the line of names that begins with ``X_Value`` and ends with ``Comment``, and rows. ``X_Columns``: one
column of places, one before each channel (``Multi``), or none (``No``), where X0 and Delta_X give them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Measurement, Quantity, Signal, make_name, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._text_export import (
    Array,
    columns_of,
    decimal_of,
    head_lines,
    number,
    read_lines,
    signals_of,
    split_name,
)

_MAGIC = "LabVIEW Measurement"
_END = "***End_of_Header***"
_SPECIAL = ("***Start_Special***", "***End_Special***")
_MOST_KEPT = 200  # segments' headers in the original metadata
_CLOCK = re.compile(r"(\d{1,2}:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?\s*([AP]M)?\Z", re.IGNORECASE)
_DAYS = ("%Y/%m/%d", "%Y-%m-%d", "%d.%m.%Y")
#: LabVIEW counts from 1904: before this year is the zero of a clock that was not set.
_FIRST_YEAR = 1970
_SPELLINGS = {
    "Newtons": "N", "Volts": "V", "Amps": "A", "Deg C": "degC", "deg C": "degC", "Deg F": "degF", "deg F": "degF",
    "NA": "", "N/A": "", "PSI": "psi", "Pascals": "Pa", "Seconds": "s", "Hertz": "Hz", "Ohms": "ohm",
}  # fmt: skip
#: Names of the columns that stand beside the channels.
_TAKEN = frozenset({"time", "frequency", "segment", "comment"})
_COUNTED_FROM_1904 = 1e9
_X = {"time": ("time", "s"), "frequency": ("frequency", "Hz")}


@dataclass
class _Segment:
    """A header and its rows: ``said`` has the cells behind each key, ``line`` is the number of the first row."""

    said: dict[str, list[str]]
    names: list[str]
    line: int
    rows: list[str] = field(default_factory=list)

    def cell(self, key: str, column: int) -> str:
        """What the header says of a column: the key itself stands above the first."""
        cells = self.said.get(key, [])
        return cells[column - 1] if column <= len(cells) else ""

    @property
    def dimension(self) -> str:
        """What the channels are over."""
        return next((c for c in self.said.get("X_Dimension", []) if c), "Time")


def _sniff(source: RawInput) -> float:
    first = head_lines(source, 1)
    return CERTAIN if first and re.match(rf"{_MAGIC}\s*([,;]|\Z)", first[0]) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    delimiter = lines[0][len(_MAGIC) : len(_MAGIC) + 1].strip(" ") or "\t"
    header, begin = _header(lines, delimiter, source.name)
    warnings: list[str] = []
    segments = [s for s in list(_segments(lines, begin, delimiter, source.name)) if s.rows]
    if not segments:
        raise ReadError(f"{source.name} holds no samples: nothing was recorded yet, or it is cut off.")
    groups = _alike(segments)
    entries = []
    for k, group in enumerate(groups, 1):
        name = f"segment_{k}" if len(groups) > 1 else "data"
        entries += _entries(group, header, delimiter, name, warnings)
    if not entries:
        raise ReadError(f"{source.name} holds no samples: all channels are empty.")
    kept = [{key: v[0] if len(v) == 1 else v for key, v in s.said.items()} for s in segments[:_MOST_KEPT]]
    return Measurement(
        tuple(entries),
        title=clean_text(header.get("Description", "")) or source.path.stem,
        operator=clean_text(header.get("Operator", "")),
        original_metadata=tidy_metadata({"header": header, "segments": kept}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


# --- lines --------------------------------------------------------------------------------------------------------


def _header(lines: list[str], delimiter: str, name: str) -> tuple[dict[str, str], int]:
    """Keys and values of the file, and the index of the line behind them."""
    found: dict[str, str] = {}
    for at, line in enumerate(lines[1:], 1):
        key, _, value = line.partition(delimiter)
        if key.strip() == _END:
            return found, at + 1
        if key.strip():
            found[key.strip()] = value.strip(f" {delimiter}")
    raise ReadError(f"{name} ends within its header; it is cut off. Copy it again.")


def _segments(lines: list[str], begin: int, delimiter: str, name: str) -> Iterator[_Segment]:
    said: dict[str, list[str]] = {}
    now: _Segment | None = None
    special = False
    for at in range(begin, len(lines)):
        line = lines[at]
        first = line.partition(delimiter)[0].strip()
        if first in _SPECIAL:
            special = first == _SPECIAL[0]
        elif special or not line.strip(f" {delimiter}"):
            pass
        elif first == "X_Value":
            now = _Segment(said, [c.strip() for c in line.rstrip().split(delimiter)], at + 2)
            said = {}
            yield now
        elif first == _END:
            now = None
        elif now is not None and not re.match(r"[A-Za-z_]", first):
            now.rows.append(line)
        else:
            now = None
            cells = [c.strip() for c in line.split(delimiter)]
            while len(cells) > 1 and not cells[-1]:
                cells.pop()
            said[first] = cells[1:]
    if now is None and said:
        raise ReadError(f"{name} ends within the header of a segment; it is cut off. Copy it again.")


def _alike(segments: Sequence[_Segment]) -> list[list[_Segment]]:
    """Segments one after the other of the same channels and units, together."""
    groups: list[list[_Segment]] = []
    for segment in segments:
        last = groups[-1][-1] if groups else None
        same = last is not None and last.names == segment.names
        keys = ("Y_Unit_Label", "X_Dimension", "Delta_X")
        if last is not None and same and all(last.said.get(k) == segment.said.get(k) for k in keys):
            groups[-1].append(segment)
        else:
            groups.append([segment])
    return groups


# --- entries ------------------------------------------------------------------------------------------------------


def _entries(
    group: list[_Segment], header: dict[str, str], delimiter: str, name: str, warnings: list[str]
) -> list[Entry]:
    """A table of the channels; one for each channel where they are over different places."""
    first = group[0]
    kind = header.get("X_Columns", "One").casefold()
    commented = first.names[-1].casefold() == "comment"
    count = len(first.names) - commented
    channels = [k for k in range(1, count) if first.names[k] != "X_Value" or kind != "multi"]
    place_of = {k: k - 1 if kind == "multi" else 0 for k in channels}
    columns = [_columns(s, header, delimiter, warnings) for s in group]
    starts = [_started(s) for s in group]
    started = starts[0] or _moment(header.get("Date", ""), header.get("Time", ""))
    shifts = _shifts(group, starts, warnings)
    places = {
        at: np.concatenate(
            [shift + _places(s, c[at], kind) for s, c, shift in zip(group, columns, shifts, strict=True)]
        )
        for at in dict.fromkeys(place_of.values())
    }
    alike = all(np.array_equal(x, places[0], equal_nan=True) for x in places.values())
    runs = [(name, channels)] if alike else [(f"{name}_{i}", [k]) for i, k in enumerate(channels, 1)]
    if len({first.cell("Delta_X", k) for k in channels if first.cell("Samples", k) != "0"}) > 1 and alike:
        warnings.append(
            "The channels' intervals (Delta_X) differ; the places are those of the first channel."
        )
    beside = []
    if len(group) > 1:
        numbers = np.repeat(np.arange(1, len(group) + 1), [len(s.rows) for s in group])
        beside.append(Signal("segment", numbers, "", long_name="Segment"))
    if commented and any((texts := np.concatenate([c[-1].astype(str) for c in columns])) != "nan"):
        beside.append(Signal("comment", np.where(texts == "nan", "", texts), long_name="Comment"))
    entries = []
    for run, members in runs:
        values = [np.concatenate([c[k] for c in columns]) for k in members]
        made = _signals(first, members, values, warnings)
        if made:
            x = _x(first, places[place_of[members[0]]], warnings)
            entries.append(
                table(
                    run,
                    "data_log",
                    [x, *made, *beside],
                    x=x.name,
                    default=made[0].name,
                    conditions=_conditions(first, header, members, len(made)),
                    started=started,
                )
            )
    return entries


def _columns(segment: _Segment, header: dict[str, str], delimiter: str, warnings: list[str]) -> list[Array]:
    decimal = header.get("Decimal_Separator", "") or decimal_of(segment.rows, delimiter)
    unread = {0} if header.get("X_Columns", "").casefold() == "no" else ()
    return columns_of(
        segment.rows,
        delimiter,
        len(segment.names),
        warnings,
        line=segment.line,
        decimal=decimal,
        unread=unread,
    )


def _places(segment: _Segment, column: Array, kind: str) -> NDArray[np.float64]:
    """Where the samples lie, shape (rows,): as written, or from the first one and the step."""
    if kind != "no":
        if column.dtype.kind != "f":
            raise ReadError("The column X_Value holds texts; the file is damaged.")
        return column
    start, step = (number(segment.cell(key, 1)) for key in ("X0", "Delta_X"))
    if step is None:
        raise ReadError("The file has no column X_Value and no Delta_X: where its samples lie is not known.")
    return (start or 0.0) + step * np.arange(len(segment.rows), dtype=np.float64)


def _shifts(group: list[_Segment], starts: list[datetime | None], warnings: list[str]) -> list[float]:
    """Seconds from the first segment's beginning to that of each."""
    known = [s for s in starts if s is not None]
    if len(group) == 1 or group[0].dimension.casefold() != "time":
        return [0.0] * len(group)
    if len(known) < len(group):
        warnings.append("Segments do not say when they began: the time of each is from its own beginning.")
        return [0.0] * len(group)
    return [(s - known[0]).total_seconds() for s in known]


def _signals(segment: _Segment, members: list[int], values: list[Array], warnings: list[str]) -> list[Signal]:
    headings, units = [], []
    for k in members:
        heading, unit = segment.names[k], segment.cell("Y_Unit_Label", k) or None
        bare, bracket = split_name(heading)
        if bracket is not None and unit in (None, bracket):
            heading, unit = bare, bracket
        if unit == "g":
            unit = _gravity(f"{segment.cell('Y_Dimension', k)} {heading}", warnings)
        headings.append(f"{heading} (channel)" if make_name(heading, "channel") in _TAKEN else heading)
        units.append(unit)
    return signals_of(headings, units, values, (), warnings, _SPELLINGS)


def _gravity(said: str, warnings: list[str]) -> str | None:
    """The unit of an accelerometer's g, which is no gram; None where it may be either."""
    if "accel" in said.casefold():
        return "standard_gravity"
    warnings.append(
        "The unit 'g' may be gram or the acceleration of free fall; the file does not say, so it was left out."
    )
    return None


def _x(segment: _Segment, values: Array, warnings: list[str]) -> Signal:
    name, unit = _X.get(segment.dimension.casefold(), (make_name(segment.dimension, "x"), None))
    if name == "time" and values[0] > _COUNTED_FROM_1904:
        warnings.append("Times are seconds since 1904-01-01 00:00 UTC, as LabVIEW counts them.")
    return Signal(name, values, unit, long_name=clean_text(segment.dimension))


def _conditions(
    segment: _Segment, header: dict[str, str], members: list[int], count: int
) -> dict[str, Quantity]:
    found = {"channels": Quantity(count, "")}
    steps = {segment.cell("Delta_X", k) for k in members if segment.cell("Samples", k) not in ("0", "1")}
    step = number(steps.pop()) if len(steps) == 1 and segment.dimension.casefold() == "time" else None
    if step:
        found["sampling_interval"] = Quantity(step, "s")
    if project := clean_text(header.get("Project", "")):
        found["project"] = Quantity(project)
    return found


# --- moments ------------------------------------------------------------------------------------------------------


def _started(segment: _Segment) -> datetime | None:
    """When the first of a segment's channels that has a date began."""
    pairs = zip(segment.said.get("Date", []), segment.said.get("Time", []), strict=False)
    return next((m for day, clock in pairs if (m := _moment(day, clock)) is not None), None)


def _moment(day: str, clock: str) -> datetime | None:
    m = _CLOCK.match(clock.strip())
    if m is None:
        return None
    noon = f" {m[3].upper()}" if m[3] else ""
    text = f"{day.strip()} {m[1]}.{m[2] or '0'}{noon}"
    for form in _DAYS:
        try:
            found = datetime.strptime(
                text, f"{form} {'%I' if noon else '%H'}:%M:%S.%f{' %p' if noon else ''}"
            )
        except ValueError:
            continue
        return found if found.year >= _FIRST_YEAR else None
    return None


READER = Reader(
    name="labview_lvm",
    version="1",
    techniques=("data_log",),
    vendor="NI",
    format="LabVIEW measurement file",
    endings=(".lvm",),
    sniff=_sniff,
    read=_read,
    notes="Segments of the same channels are one table. Channels over places of their own are one table each.",
)
