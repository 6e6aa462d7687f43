"""Units that a person gives where headings have none, and that may stand in the cells: ``640 MPa``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from zairyo.measurement import units
from zairyo.tables._base import TableError, listed
from zairyo.tables._headings import UNKNOWN_TO_PINT, split_heading
from zairyo.tables._raw import RawColumn, RawTable
from zairyo.tables.elements import elements

if TYPE_CHECKING:
    from zairyo.tables.table import Table

#: What a cell of a number may have before its unit, so that the reason of ``failed: 3 MPa`` keeps its own.
_NUMBER = r"^([\d\s.,'’()±+/eE−–-]*[\d.)])"

_WITH_UNIT = re.compile(r"[+-]?[\d.,]*\d(?:[eE][+-]?\d+)?(\s*)((?:[^\W\d_]|[%°℃‰]).*)")
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
        _put(column, name, unit)


def take_units(raw: RawTable) -> None:
    """Columns whose cells are numbers with one known unit are in that unit: ``640 MPa``, ``12 %``."""
    for column in raw.columns:
        heading = column.heading.strip()
        if column.text is None or column.levels or column.unit or split_heading(heading)[1] is not None:
            continue
        if unit := _unit_of(column.text):
            _put(column, heading, unit)
            raw.notes.append(f"the unit {unit} of {heading!r} was taken from its cells")


def _unit_of(text: object) -> str:
    """The unit that stands in at least half of a column's cells, while no other does; empty if there is none."""
    from pyarrow import compute as pc

    said = [cell for cell in pc.utf8_trim_whitespace(text).slice(0, _LOOKED_AT).to_pylist() if cell]
    found = [match for cell in said if (match := _WITH_UNIT.fullmatch(cell))]
    if len(found) < 2 or len(found) * 2 < len(said):
        return ""
    unit = str(found[0][2])
    apart = all(match[1] for match in found) or unit in "%°℃‰" or unit not in elements().index
    is_unit = units.normalise(unit) is not None or unit in UNKNOWN_TO_PINT
    is_clear = len(unit) > 1 or unit in _CLEAR_LETTERS  # 316 L and 5 N are grades, 2A is a name
    return unit if {match[2] for match in found} == {unit} and is_unit and is_clear and apart else ""


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
