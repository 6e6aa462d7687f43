"""Units that a person gives where headings have none, and that may stand in the cells: ``640 MPa``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from zairyo.measurement import units
from zairyo.tables._base import TableError, listed
from zairyo.tables._headings import split_heading
from zairyo.tables._raw import RawColumn, RawTable

if TYPE_CHECKING:
    from zairyo.tables.table import Table

#: What a cell of a number may have before its unit, so that the reason of ``failed: 3 MPa`` keeps its own.
_NUMBER = r"^([\d\s.,'’()±+/eE−–-]*[\d.)])"


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
