"""Tables written so that they can be read back: Parquet with everything, CSV with its schema beside it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.tables._base import TableError, listed, needs
from zairyo.tables._cells import STATES
from zairyo.tables._headings import split_heading
from zairyo.tables._raw import arrow
from zairyo.tables._store import Cells, Source, objects, same
from zairyo.tables.schema import Column, Schema

if TYPE_CHECKING:
    import pandas as pd

    from zairyo.tables.table import Table

#: Before the names of columns that are the table's own.
_OWN = "zairyo:"
_FORMAT = 1


def to_pandas(table: Table, whole: bool) -> pd.DataFrame:
    """See :meth:`Table.to_pandas`."""
    try:
        import pandas as pd
    except ImportError:
        raise needs("pandas", "learn", "a DataFrame") from None
    columns: dict[str, Any] = {}
    for column in table.schema.columns:
        cells = table.cells[column.name]
        if column.kind == "category":
            columns[column.name] = pd.Categorical.from_codes(
                cells.values, categories=list(column.levels), ordered=column.ordered
            )
        elif cells.distinct is not None:
            columns[column.name] = pd.array(cells.texts(), dtype="str")
        else:
            columns[column.name] = cells.values.copy()
        if whole and cells.uncertainty is not None:
            columns[f"{column.name} uncertainty"] = cells.uncertainty.copy()
    if whole:
        columns[table.schema.state] = pd.Categorical.from_codes(
            table.states, categories=list(STATES), ordered=True
        )
        columns[table.schema.reason] = pd.array(table.reason, dtype="str")
        repeats = np.where(table.replicate_of < 0, np.nan, table.replicate_of)
        columns[table.schema.replicate_of] = pd.array(repeats, dtype="Int64")
    frame = pd.DataFrame(columns, index=pd.Index(table.rows, name="row"))
    frame.attrs["units"] = {c.name: c.unit for c in table.schema.columns if c.unit}
    return frame


def _strings(cells: Cells) -> Any:
    pa = arrow()
    indices = pa.array(cells.values, pa.int32(), mask=cells.values < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(cells.distinct, pa.string())).cast(pa.string())


def _numbers(column: Column, values: Any) -> Any:
    pa = arrow()
    array = pa.array(values, pa.float64(), from_pandas=True)
    return (
        array.cast(pa.int64())
        if column.kind == "integer" and np.nanmax(np.abs(values), initial=0) < 2**53
        else array
    )


def to_parquet(table: Table, path: str | os.PathLike[str]) -> None:
    """See :meth:`Table.to_parquet`."""
    pa = arrow()
    from pyarrow import parquet

    if odd := [n for n in table.columns if n.startswith(_OWN)]:
        raise TableError(f"names that begin with {_OWN} are the table's own; rename {listed(odd)}")
    columns: dict[str, Any] = {}
    places: dict[str, dict[str, Any]] = {}
    lines: dict[int, str] = {}
    for i, column in enumerate(table.schema.columns):
        cells = table.cells[column.name]
        columns[column.name] = (
            _strings(cells) if cells.distinct is not None else _numbers(column, cells.values)
        )
        if cells.uncertainty is not None:
            columns[f"{_OWN}uncertainty:{column.name}"] = pa.array(cells.uncertainty, from_pandas=True)
        place = places.setdefault(column.name, {})
        for name, array in (("source", cells.source), ("line", cells.line)):
            if array.strides == (0,) and len(array):
                place[name] = int(array[0])
            elif id(array) in lines:
                place[name] = lines[id(array)]
            else:
                place[name] = lines[id(array)] = f"{_OWN}{name}:{i}"
                columns[place[name]] = pa.array(np.ascontiguousarray(array))
    columns[f"{_OWN}row"] = pa.array(table.rows)
    columns[f"{_OWN}state"] = pa.array(table.state, pa.string())
    columns[f"{_OWN}reason"] = pa.array(table.reason, pa.string())
    columns[f"{_OWN}replicate_of"] = pa.array(np.asarray(table.replicate_of), mask=table.replicate_of < 0)
    told = {
        "format": _FORMAT,
        "schema": table.schema.to_dict(),
        "places": places,
        "sources": [asdict(s) for s in table.sources],
        "notes": table.notes,
        "next_row": table.next_row,
    }
    stored = pa.table(columns).replace_schema_metadata({"zairyo": json.dumps(told, ensure_ascii=False)})
    parquet.write_table(stored, path, compression="zstd")


def from_arrow(stored: Any) -> Table:
    """The table out of what :func:`to_parquet` wrote.

    Raises
    ------
    TableError
        The file was changed, or is of a newer version.
    """
    from zairyo.tables.table import Table

    try:
        told = json.loads(stored.schema.metadata[b"zairyo"])
        if told["format"] > _FORMAT:
            raise TableError("it was written by a newer version of Zairyo; update this one")
        schema = Schema.from_dict(told["schema"])
        length = stored.num_rows
        cells: dict[str, Cells] = {}
        shared: dict[str, Any] = {}
        for column in schema.columns:
            cells[column.name] = _cells(stored, column, told["places"][column.name], shared)
        reasons = _codes(stored, f"{_OWN}reason")
        states = {name: i for i, name in enumerate(STATES)}
        codes, names = _codes(stored, f"{_OWN}state")
        translate = np.array([states[n] for n in names] or [0], np.int8)
        repeats = stored.column(f"{_OWN}replicate_of").fill_null(-1).to_numpy().astype(np.int64)
        return Table(
            schema=schema,
            rows=stored.column(f"{_OWN}row").to_numpy().astype(np.int64),
            cells=cells,
            states=translate[codes] if length else np.zeros(0, np.int8),
            reasons=(reasons[0], tuple(reasons[1])),
            replicate_of=repeats,
            sources=tuple(Source(**s) for s in told["sources"]),
            notes=tuple(told["notes"]),
            next_row=told["next_row"],
        )
    except (KeyError, TypeError, ValueError, IndexError) as e:
        if isinstance(e, TableError):
            raise
        raise TableError(
            f"what Zairyo wrote into this Parquet file was changed ({type(e).__name__}: {e})"
        ) from e


def _codes(stored: Any, name: str) -> tuple[Any, Any]:
    found = stored.column(name).combine_chunks().dictionary_encode()
    codes = found.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return codes, objects(found.dictionary.to_pylist())


def _cells(stored: Any, column: Column, place: dict[str, Any], shared: dict[str, Any]) -> Cells:
    distinct = None
    if column.numeric:
        values = _floats(stored, column.name)
    else:
        values, distinct = _codes(stored, column.name)
        if column.kind == "category":
            at = {level: i for i, level in enumerate(column.levels)}
            translate = np.array([*(at[t] for t in distinct), -1], np.int32)
            values, distinct = translate[values], objects(column.levels)
    name = f"{_OWN}uncertainty:{column.name}"
    uncertainty = _floats(stored, name) if name in stored.column_names else None

    def array(what: str, dtype: Any) -> Any:
        told = place[what]
        if isinstance(told, int):
            return same(told, stored.num_rows, dtype)
        if told not in shared:
            shared[told] = stored.column(told).to_numpy().astype(dtype)
        return shared[told]

    return Cells(values, distinct, uncertainty, array("source", np.int32), array("line", np.int64))


def _floats(stored: Any, name: str) -> Any:
    pa = arrow()
    return np.array(stored.column(name).cast(pa.float64()).to_numpy(), np.float64)


def heading_of(column: Column) -> str:
    """What a file calls a column: its heading, unless that states another unit than the column now has."""
    for heading in (column.heading or column.name, column.name):
        if split_heading(heading)[1] in (None, column.unit):
            return heading
    return f"{column.name} [{column.unit or '1'}]"


def to_csv(table: Table, path: str | os.PathLike[str]) -> None:
    """See :meth:`Table.to_csv`."""
    pa = arrow()
    from pyarrow import csv

    schema = table.schema
    columns: dict[str, Any] = {schema.row: pa.array(table.rows)}
    for column in schema.columns:
        cells, heading = table.cells[column.name], heading_of(column)
        if heading in columns:
            raise TableError(f"two columns are headed {heading!r}; give one of them another heading")
        columns[heading] = _strings(cells) if cells.distinct is not None else _numbers(column, cells.values)
        if cells.uncertainty is not None:
            columns[column.uncertainty or f"{heading} uncertainty"] = pa.array(
                cells.uncertainty, from_pandas=True
            )
    columns[schema.state] = pa.array(table.state, pa.string())
    if (table.reasons[0] >= 0).any():
        columns[schema.reason] = pa.array(table.reason, pa.string())
    if (table.replicate_of >= 0).any():
        columns[schema.replicate_of] = pa.array(np.asarray(table.replicate_of), mask=table.replicate_of < 0)
    path = Path(path)
    with path.open("wb") as f:
        f.write(b"\xef\xbb\xbf")  # so that Excel reads it as UTF-8
        csv.write_csv(pa.table(columns), f)
    schema.save(path.with_name(f"{path.name}.schema.yaml"))
