"""Malvern (NETZSCH) Kinexus rheometers: the table that rSpace exports, in any locale of numbers.

Facts: one line of headings, ``Action Name``, ``Time (sequence)(s)``, ``Shear modulus (elastic component)(Pa)`` …, the
unit in the last brackets, between semicolons, commas or tabs; then a row a point, whose first cell names the action.
What an action does not measure is blank.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, Signal, make_name, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._rheology import COLUMNS, plot_of
from zairyo.readers._text_export import (
    Array,
    cells_of,
    columns_of,
    decimal_of,
    head_lines,
    read_lines,
    rules,
    signals_of,
)
from zairyo.readers.delimited_text import used

_HEADINGS = re.compile(
    r'"?Action Name"?(?P<delimiter>[;,\t])(?=.*Time \((?:sequence|action)\))', re.IGNORECASE
)
_HEADING = re.compile(r"(?P<name>.*?)\s*(?:\((?P<unit>[^()]*)\))?\s*\Z")
_FIRST_LINES = 20
_MOST_ACTIONS = 5000
_NAMES = rules(
    (r"time \(sequence\)", "time"),
    (r"time \(action( step)?\)", "interval_time"),
    (r"shear modulus \(elastic component\)", "storage_modulus"),
    (r"shear modulus \(viscous component\)", "loss_modulus"),
    (r"shear modulus \(complex component\)", "complex_modulus"),
    (r"(shear )?viscosity \(complex component\)", "complex_viscosity"),
    (r"angular (velocity|frequency)", "angular_frequency"),
    (r"shear compliance", "creep_compliance"),
)
#: Of an oscillation, the amplitude: the column for other actions is blank then.
_AMPLITUDES = {"complex shear strain": "shear strain", "complex shear stress": "shear stress"}
_SPELLINGS = {
    "s-¹": "1/s", "s-1": "1/s", "s⁻¹": "1/s", "rad s-¹": "rad/s", "rad s-1": "rad/s", "rads-¹": "rad/s",
    "N m": "N*m", "Nm": "N*m", "Pa s": "Pa*s", "Pas": "Pa*s", "Pa-¹": "1/Pa", "°": "deg", "°C": "degC",
}  # fmt: skip


def _sniff(source: RawInput) -> float:
    return CERTAIN if any(map(_HEADINGS.match, head_lines(source, _FIRST_LINES))) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    at = next((k for k, line in enumerate(lines[:_FIRST_LINES]) if _HEADINGS.match(line)), None)
    match = _HEADINGS.match(lines[at]) if at is not None else None
    if at is None or match is None:
        raise ReadError(f"{source.name} has no line of headings (Action Name …); it is cut off.")
    delimiter = match["delimiter"]
    headings = cells_of(lines[at], delimiter)
    while headings and not headings[-1]:
        headings.pop()
    rows = lines[at + 1 :]
    while rows and not rows[-1].strip(f' "{delimiter}'):
        rows.pop()
    if not rows:
        raise ReadError(f"{source.name} holds no point; nothing was measured, or it is cut off.")
    if lines[-1].strip() and len(cells_of(lines[-1], delimiter)) < len(headings):
        raise ReadError(f"{source.name} ends within line {len(lines)}; it is cut off. Copy it again.")
    warnings: list[str] = []
    decimal = decimal_of([row.split(delimiter, 1)[-1] for row in rows[:50]], delimiter)
    columns = columns_of(rows, delimiter, len(headings), warnings, line=at + 2, decimal=decimal, unread=(0,))
    actions = [clean_text(cells_of(row, delimiter)[0]) for row in rows]
    entries = _entries(actions, headings, columns, warnings)
    if not entries:
        raise ReadError(f"{source.name} holds no numbers; it is damaged.")
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        instrument="Malvern Kinexus rheometer",
        original_metadata=tidy_metadata(
            {"headings": headings, "above": [x for x in lines[:at] if x.strip()]}
        ),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _entries(
    actions: list[str], headings: list[str], columns: list[Array], warnings: list[str]
) -> list[Entry]:
    """An entry for each action, one after the other."""
    begins = [k for k in range(len(actions)) if not k or actions[k] != actions[k - 1]]
    if len(begins) > _MOST_ACTIONS:
        raise ReadError(f"The file has {len(begins)} actions; at most {_MOST_ACTIONS} are read.")
    ends = [*begins[1:], len(actions)]
    names = used([make_name(actions[k] or "action", "action")[:50] for k in begins])
    found = []
    for name, begin, end in zip(names, begins, ends, strict=True):
        signals = _signals(headings[1:], [c[begin:end] for c in columns[1:]], warnings)
        if len([s for s in signals if s.values.dtype.kind == "f"]) < 2:
            continue
        x, default = plot_of(signals)
        title = actions[begin]
        conditions = {"step": Quantity(title)} if title else {}
        found.append(
            table(name, "rheology", signals, x=x, default=default, title=title, conditions=conditions)
        )
    return found


def _signals(headings: list[str], columns: list[Array], warnings: list[str]) -> list[Signal]:
    """The columns that the action has, the amplitudes of an oscillation as what they are amplitudes of."""
    split = [m for h in headings if (m := _HEADING.match(h))]
    there = [k for k, c in enumerate(columns) if _is_filled(c) and split[k]["name"]]
    words = {split[k]["name"].casefold() for k in there}
    names = []
    for k in there:
        plain = _AMPLITUDES.get(split[k]["name"].casefold(), "")
        names.append(plain if plain and plain not in words else split[k]["name"])
    units = [split[k]["unit"] for k in there]
    chosen = [columns[k] for k in there]
    return signals_of(names, units, chosen, [*_NAMES, *COLUMNS], warnings, _SPELLINGS)


def _is_filled(column: Array) -> bool:
    if column.dtype.kind == "f":
        return bool(np.isfinite(column).any())
    return any(cell.strip() for cell in column.tolist())


READER = Reader(
    name="malvern_rspace",
    version="1",
    techniques=("rheology",),
    vendor="Malvern (NETZSCH)",
    format="Kinexus rSpace export",
    endings=(".csv", ".txt"),
    sniff=_sniff,
    read=_read,
    notes="Every action is an entry. rSpace's own .rdf files are not read; export them as a table.",
)
