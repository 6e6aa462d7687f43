"""Anton Paar (CSM) indentation testers (NHT, UNHT, MHT, Bioindenter): text of an indent, and of its curves alone.

Facts: lines ``key :`` or ``key=`` with value and unit, under headings that begin with ``+`` or with ``Analysis n #``;
then ``Measured values``, a row ``Time (s)``, ``Pd (nm)``, ``Fn (mN)`` …, and rows between tabs. Exported curves have
one row of headings, ``X_<indent>_Time_[s]``, ``Y_<indent>_Fn_[mN]`` …, a pair for each quantity of each indent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, Signal, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import moment
from zairyo.readers._indentation import COLUMNS
from zairyo.readers._text_export import (
    Array,
    cells_of,
    columns_of,
    head_lines,
    number,
    quantity,
    read_lines,
    rules,
    signals_of,
    split_name,
    unit_of,
)

_POINTS = "Measured values"
_HEADINGS = re.compile(r"Time \(\w+\)\t(.*\t)?(Pd|Fn) \(")
_CURVE = re.compile(r"[XY]_(?P<indent>.*)_(?P<name>[^_\[]+)_\[(?P<unit>[^\]]*)\]\Z")
_PAIR = re.compile(r"\s*(?P<key>[^:=]+?)\s*[:=]\s*(?P<value>.*)\Z")
_INSTRUMENT = re.compile(r"\+\s*(?P<name>.+?)\s*S/N\s*:.*settings")
_COLUMNS = [*rules((r"segment ?id", "segment")), *COLUMNS]
#: Keys → condition; of several analyses the last tells its result.
_CONDITIONS = {
    "Max load": "maximum_force",
    "Max depth": "maximum_depth",
    "Loading rate": "loading_rate",
    "Pause": "hold_time",
    "Approach speed": "surface_approach_velocity",
    "X Position": "position_x",
    "Y Position": "position_y",
    "HIT": "hardness",
    "EIT": "youngs_modulus",
    "Poisson's ratio(nu)": "poisson_ratio",
}


def _sniff(source: RawInput) -> float:
    lines = head_lines(source, 400)
    if not lines:
        return NO
    if any(x.strip() == _POINTS and _HEADINGS.match(y) for x, y in pairwise(lines)):
        return CERTAIN
    first = _curves(lines[0]) if lines[0].startswith("X_") else []
    return LIKELY if {name for _, name, _ in first} >= {"Fn", "Pd"} else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    warnings: list[str] = []
    if lines[0].startswith("X_"):
        curves = tuple(_of_curves(lines, source, warnings))
        return Measurement(curves, title=source.path.stem, warnings=tuple(dict.fromkeys(warnings)))
    entries: list[Entry] = []
    metadata: dict[str, object] = {}
    instrument, begin = "", 0
    starts = [k for k, line in enumerate(lines) if line.strip() == _POINTS]
    for n, at in enumerate(starts, 1):
        said = lines[begin:at]
        name = f"indent_{n}" if len(starts) > 1 else "indent"
        rows = [k for k in range(at + 2, len(lines)) if lines[k].strip()]
        rows = [k for k, due in zip(rows, _run(lines, rows), strict=True) if due]
        if not rows:
            raise ReadError(f"{source.name} has no points below line {at + 2}; it is cut off. Copy it again.")
        begin = rows[-1] + 1
        headings = [split_name(c) for c in cells_of(lines[at + 1], "\t") if c]
        if len(cells_of(lines[rows[-1]], "\t")) < len(headings):
            raise ReadError(
                f"line {rows[-1] + 1} of {source.name} is half a row; it is cut off. Copy it again."
            )
        columns = columns_of([lines[k] for k in rows], "\t", len(headings), warnings, line=rows[0] + 1)
        metadata[name] = sections = _sections(said)
        pairs = {k: v for part in sections.values() for k, v in part.items()}
        signals = signals_of([h for h, _ in headings], [u for _, u in headings], columns, _COLUMNS, warnings)
        warnings += [clean_text(x.strip(" !")) + "." for x in said if x.strip().startswith("!!!")]
        instrument = next((m["name"] for x in said if (m := _INSTRUMENT.match(x.strip()))), instrument)
        entries.append(
            _entry(name, signals, conditions=_conditions(pairs, warnings), started=_started(pairs, warnings))
        )
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        instrument=instrument or "Anton Paar indentation tester",
        original_metadata=tidy_metadata(metadata),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _run(lines: Sequence[str], rows: Sequence[int]) -> list[bool]:
    """Which of the lines are rows of numbers, up to the first that is none."""
    numbers = [number(lines[k].partition("\t")[0]) is not None for k in rows]
    end = numbers.index(False) if False in numbers else len(numbers)
    return [k < end for k in range(len(numbers))]


def _sections(lines: Sequence[str]) -> dict[str, dict[str, str]]:
    """Keys and values under the headings they stand below; under ``""`` what stands before the first."""
    found: dict[str, dict[str, str]] = {}
    analysis = heading = ""
    for line in lines:
        text = re.sub(r"\s+", " ", clean_text(line.strip()))
        if text.startswith("Analysis n"):
            analysis, heading = text, ""
        elif text.startswith("+"):
            heading = text.lstrip("+ ")
        elif text:
            pair = _PAIR.match(text)
            part = found.setdefault(": ".join(x for x in (analysis, heading) if x), {})
            part.update({pair["key"]: pair["value"]} if pair else {text: ""})
    return found


def _conditions(pairs: dict[str, str], warnings: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, name in _CONDITIONS.items():
        value = quantity(pairs.get(key, ""))
        if value is not None:
            found[name] = Quantity(value[0], unit_of(value[1], warnings) if value[1] else None)
    return found


def _started(pairs: dict[str, str], warnings: list[str]) -> datetime | None:
    text = f"{pairs.get('Date', '')} {pairs.get('Time', '')}".strip()
    return moment(text, (), warnings) if text else None


def _entry(
    name: str,
    signals: list[Signal],
    title: str = "",
    conditions: dict[str, Quantity] | None = None,
    started: datetime | None = None,
) -> Entry:
    names = [s.name for s in signals]
    x = "depth" if "depth" in names else names[0]
    return table(
        name,
        "nanoindentation",
        signals,
        x=x,
        default="force" if "force" in names else names[-1],
        title=title,
        conditions=conditions or {},
        started=started,
    )


# --- exported curves ----------------------------------------------------------------------------------------------


def _curves(line: str) -> list[tuple[str, str, str]]:
    """Indent, quantity and unit of each heading; none if one is of another form."""
    found = [_CURVE.match(c) for c in cells_of(line, "\t") if c]
    return [(m["indent"], m["name"], m["unit"]) for m in found if m] if all(found) else []


def _of_curves(lines: list[str], source: RawInput, warnings: list[str]) -> list[Entry]:
    headings = _curves(lines[0])
    rows = [x for x in lines[1:] if x.strip()]
    if not headings or not rows:
        raise ReadError(f"{source.name} has headings of curves and no points; it is cut off. Copy it again.")
    columns = columns_of(rows, "\t", len(headings), warnings, line=2)
    if any(values.dtype.kind not in "fiu" for values in columns):
        raise ReadError(f"{source.name} has words among its points; it is damaged, or another table.")
    entries: list[Entry] = []
    for indent in dict.fromkeys(i for i, _, _ in headings):
        own: list[tuple[str, str, Array]] = []
        for (of, name, unit), values in zip(headings, columns, strict=True):
            again = any(n == name and np.array_equal(v, values, equal_nan=True) for n, _, v in own)
            if of == indent and not again:
                own.append((name, unit, values))
        last = max(
            (int(np.flatnonzero(np.isfinite(v))[-1]) for _, _, v in own if np.isfinite(v).any()), default=-1
        )
        if last < 0:
            raise ReadError(f"The indent {indent} of {source.name} has no points; the file is damaged.")
        signals = signals_of(
            [n for n, _, _ in own],
            [u for _, u, _ in own],
            [v[: last + 1] for _, _, v in own],
            _COLUMNS,
            warnings,
        )
        entries.append(_entry(f"indent_{len(entries) + 1}", signals, title=clean_text(indent)[:200]))
    return entries


READER = Reader(
    name="antonpaar_indentation",
    version="1",
    techniques=("nanoindentation",),
    vendor="Anton Paar",
    format="indentation text",
    endings=(".txt",),
    sniff=_sniff,
    read=_read,
    notes="English text of an indent (settings, analyses, points), and curves of several.",
)
