"""Units that a person gives where headings have none, and that may stand in the cells: ``640 MPa``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from zairyo.measurement import units
from zairyo.tables._base import TableError, listed
from zairyo.tables._headings import UNKNOWN_TO_PINT, split_heading
from zairyo.tables._raw import RawColumn, RawTable
from zairyo.tables.elements import elements

if TYPE_CHECKING:
    from zairyo.tables.table import Table

#: What a cell of a number may have before its unit, so that the reason of ``failed: 3 MPa`` keeps its own.
_NUMBER = r"^([\d\s.,'’()±+/eE−–-]*[\d.)])"

_WITH_UNIT = re.compile(
    r"[+-]?[\d.,]*\d(?:[eE][+-]?\d+)?(?:\s*(?:±|\+/-)\s*[\d.,]*\d)?(\s*)((?:[^\W\d_]|[%°℃‰]).*)"
)
#: A number with its unit, and perhaps an uncertainty in the same.
_CONVERTED = re.compile(
    r"(?P<value>[+-]?[\d.,]*\d(?:[eE][+-]?\d+)?)\s*(?:(?:±|\+/-)\s*(?P<spread>[\d.,]*\d(?:[eE][+-]?\d+)?))?\s*"
    r"(?P<unit>(?:[^\W\d_]|[%°℃‰]).*)"
)
_BARE = re.compile(r"[+-]?[\d.,]*\d(?:[eE][+-]?\d+)?(?:\s*(?:±|\+/-)\s*[\d.,]*\d)?")
_CLEAR_LETTERS = frozenset("%℃‰KVghs")
_LOOKED_AT = 1000


def put_units(raw: RawTable, given: Mapping[str, str]) -> None:
    """Columns, named by heading or name, are in these units; cells that end with theirs are numbers.

    Raises
    ------
    TableError
        There is no such column, or its heading has another unit.
    """
    for name, unit in given.items():
        headings = ((c, c.heading.strip()) for c in raw.columns)
        column = next((c for c, heading in headings if name in (heading, split_heading(heading)[0])), None)
        if column is None:
            there = listed([c.heading for c in raw.columns])
            raise TableError(f"there is no column {name!r} to be in {unit!r}; there are {there}")
        if column.text is not None:
            _convert(raw, column, unit, bare=False)
        _put(column, name, unit)


def take_units(raw: RawTable) -> None:
    """Columns whose cells are numbers with known units are in the unit of most: ``640 MPa``, ``0.7 GPa``, ``12 %``.

    Cells in another unit than the heading's, or than that of most, are converted, which a note says. Where cells have
    several units, a number without any could be in each of them, and the column stays as it is.
    """
    for column in raw.columns:
        heading = column.heading.strip()
        if column.text is None or column.levels:
            continue
        if unit := split_heading(heading)[1]:
            _convert(raw, column, unit)
        elif column.unit:
            continue
        elif unit := _unit_of(column.text):
            _put(column, heading, unit)
            _convert(raw, column, unit)
            raw.notes.append(f"the unit {unit} of {heading!r} was taken from its cells")


def _convert(raw: RawTable, column: RawColumn, unit: str, bare: bool = True) -> None:
    """Cells with another unit of the same dimension are in ``unit``, as numbers alone; others stay.

    None is, where no cell is in ``unit``, as numbers without any are if ``bare``: cells that all contradict it are the
    person's to correct.
    """
    import pyarrow as pa
    from pyarrow import compute as pc

    text = pc.utf8_trim_whitespace(column.text)
    ends = pc.match_substring_regex(text, r"^[+-]?[\d.,]*\d.*[^\d\s.,()]$").to_numpy(zero_copy_only=False)
    odd = np.flatnonzero(ends)
    cells = text.to_pylist() if len(odd) else []
    found = [(i, match) for i in odd if (match := _CONVERTED.fullmatch(cells[i]))]
    own = units.normalise(unit) or unit
    if not any(units.normalise(m["unit"]) == own for _, m in found) and not (
        bare and any(map(_BARE.fullmatch, cells))
    ):
        return
    told: Counter[str] = Counter()
    for i, match in found:
        if _is_unclear(match["unit"]) or not units.same_dimension(match["unit"], unit):
            continue
        try:
            value = units.convert(_value(match["value"], raw.decimal), match["unit"], unit)
            above = units.convert(_value(match["spread"] or "0", raw.decimal), match["unit"], unit)
        except ValueError:
            continue
        cells[i] = _text(value, raw.decimal)
        if match["spread"]:
            cells[i] += f" ± {_text(above - units.convert(0.0, match['unit'], unit), raw.decimal)}"
        told[match["unit"]] += units.normalise(match["unit"]) != own
    if told:
        column.text = pa.array(cells, pa.string())
    for other, count in told.items():
        if count:
            are = "1 cell" if count == 1 else f"{count} cells"
            raw.notes.append(f"{are} of {column.heading.strip()!r} in {other} converted to {unit}")


def _value(text: str, decimal: str) -> float:
    """A number; ValueError where a mark could be of thousands or of decimals."""
    return float(text if decimal == "." else text.replace(".", "?").replace(",", "."))


def _text(value: float, decimal: str) -> str:
    return f"{value:.12g}".replace(".", decimal)


def _is_unclear(unit: str) -> bool:
    """Whether it could be a grade or a name as well: 316 L and 5 N are no volumes and forces."""
    return len(unit) == 1 and unit not in _CLEAR_LETTERS


def _unit_of(text: object) -> str:
    """The known unit of most of a column's cells, if at least half have any, and all have if there are several."""
    from pyarrow import compute as pc

    said = [cell for cell in pc.utf8_trim_whitespace(text).slice(0, _LOOKED_AT).to_pylist() if cell]
    found = [match for cell in said if (match := _WITH_UNIT.fullmatch(cell))]
    if len(found) < 2 or len(found) * 2 < len(said):
        return ""
    counts = Counter(str(match[2]) for match in found)
    unit = counts.most_common(1)[0][0]
    apart = all(match[1] for match in found) or unit in "%°℃‰" or unit not in elements().index
    are_units = all(units.normalise(one) is not None or one in UNKNOWN_TO_PINT for one in counts)
    if not are_units or not apart or any(_is_unclear(one) for one in counts):
        return ""
    if len(counts) > 1:
        bare = any(_BARE.fullmatch(cell) for cell in said)
        if bare or not all(units.same_dimension(one, unit) for one in counts):
            return ""
    return unit


def with_units(table: Table, given: Mapping[str, str]) -> Table:
    """A table that was read before, with the units of its columns.

    Raises
    ------
    TableError
        There is no such column, or it has another unit.
    """
    columns = {c.name: c for c in table.schema.columns}
    for name, unit in given.items():
        column = table.schema[name]
        columns[column.name] = replace(column, unit=_agreed(name, column.unit, unit))
    return table.with_schema(replace(table.schema, columns=tuple(columns.values()))) if given else table


def _put(column: RawColumn, name: str, unit: str) -> None:
    _agreed(name, split_heading(column.heading.strip())[1] or column.unit, unit)
    column.unit = unit
    if column.text is not None:
        from pyarrow import compute as pc

        column.text = pc.replace_substring_regex(
            column.text, rf"{_NUMBER}\s*{re.escape(unit.strip())}\s*$", r"\1"
        )


def _agreed(name: str, has: str | None, unit: str) -> str:
    """The unit as it is kept; one that the column has may not be another."""
    meant = units.normalise(unit) or unit
    if has and (units.normalise(has) or has) != meant:
        raise TableError(f"column {name!r} is in {has}, not in {unit}; leave the unit out, or give {has}")
    return meant
