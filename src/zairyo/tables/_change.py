"""New tables out of old ones: rows chosen, added and updated, schemas changed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.measurement import Quantity, units
from zairyo.tables import _raw
from zairyo.tables._base import TableError, listed
from zairyo.tables._cells import STATES
from zairyo.tables._store import Cells, Source, coded, empty, joined, objects
from zairyo.tables.composition import parse
from zairyo.tables.schema import OUTCOMES, Column, Schema

if TYPE_CHECKING:
    from zairyo.tables.table import Table


def at_positions(table: Table, at: Any) -> Table:
    """The rows at some positions; columns that share an array of lines share it again."""
    codes, texts = table.reasons
    cells: dict[str, Cells] = {}
    lines: dict[int, Any] = {}
    for name, column in table.cells.items():
        taken = column.take(at)
        cells[name] = replace(taken, line=lines.setdefault(id(column.line), taken.line))
    return replace(
        table,
        rows=table.rows[at],
        cells=cells,
        states=table.states[at],
        reasons=(codes[at], texts),
        replicate_of=table.replicate_of[at],
    )


def with_schema(table: Table, schema: Schema) -> Table:
    """See :meth:`Table.with_schema`."""
    if schema.names != table.schema.names and set(schema.names) != set(table.schema.names):
        odd = sorted(set(schema.names) ^ set(table.schema.names))
        raise TableError(f"the schema and the table differ in the columns {listed(odd)}")
    cells = {c.name: _as(table, table.schema[c.name], c) for c in schema.columns}
    old, new = (implied_states(s, c, len(table)) for s, c in ((table.schema, table.cells), (schema, cells)))
    states = np.where(table.states == old, new, table.states)
    changed = replace(table, schema=schema, cells=cells, states=states)
    from zairyo.tables._mixtures import check_mixtures

    check_mixtures(changed)
    return changed


def implied_states(schema: Schema, cells: Mapping[str, Cells], length: int) -> Any:
    """What the cells tell: with a property measured, with only a descriptor made, else planned."""
    states = np.zeros(length, np.int8)
    for role, state in (("measured_descriptor", "made"), ("property", "measured")):
        for name in schema.of_role(role):
            states[~cells[name].missing] = STATES.index(state)
    return states


def _as(table: Table, old: Column, new: Column) -> Cells:
    """A column's cells under another declaration."""
    cells = table.cells[old.name]
    if new.numeric and old.numeric:
        cells = _in_unit(cells, old, new)
        whole = np.isnan(cells.values) | (cells.values % 1 == 0)
        if new.kind == "integer" and not whole.all():
            row = int(table.rows[np.flatnonzero(~whole)[0]])
            raise TableError(
                f"{table.where(row, old.name)}: not a whole number{f' in {new.unit}' if new.unit else ''}; "
                "give the column kind: number"
            )
        return cells
    if new.numeric:
        return _to_numbers(table, old, cells)
    if old.numeric:
        codes, distinct = coded([_raw.spell(v) for v in cells.values.tolist()])
        cells = replace(cells, values=codes, distinct=distinct, uncertainty=None)
    assert cells.distinct is not None
    if new.kind == "category":
        return _to_levels(cells, new)
    if new.kind == "composition" and (old.kind, old.basis) != (new.kind, new.basis):
        for code, text in enumerate(cells.distinct):
            try:
                parse(text, new.basis)
            except TableError as e:
                row = int(table.rows[np.flatnonzero(cells.values == code)[0]])
                raise TableError(f"{table.where(row, old.name)}: {e}") from None
    return cells


def _in_unit(cells: Cells, old: Column, new: Column) -> Cells:
    if old.unit == new.unit or not old.unit or not new.unit:
        return cells
    try:
        values = units.convert(cells.values, old.unit, new.unit)
        zero, one = (units.convert(v, old.unit, new.unit) for v in (0.0, 1.0))
    except units.UnitError as e:
        raise TableError(f"column {new.name!r}: {e}") from None
    uncertainty = None if cells.uncertainty is None else cells.uncertainty * abs(one - zero)
    return replace(cells, values=values, uncertainty=uncertainty)


def _to_numbers(table: Table, old: Column, cells: Cells) -> Cells:
    from zairyo.tables._cells import numbers_of

    raw = _raw.from_values(list(cells.texts()), old.name)
    numbers = numbers_of(raw)
    for at, text in [*numbers.odd.items(), *((i, w[0]) for i, w in numbers.words.items())]:
        raise TableError(f"{table.where(int(table.rows[at]), old.name)}: {text!r} is not a number")
    return replace(cells, values=numbers.values, distinct=None, uncertainty=numbers.uncertainty)


def _to_levels(cells: Cells, new: Column) -> Cells:
    assert cells.distinct is not None
    at = {level: i for i, level in enumerate(new.levels)}
    used = np.unique(cells.values[cells.values >= 0])
    if absent := [cells.distinct[i] for i in used if cells.distinct[i] not in at]:
        raise TableError(
            f"column {new.name!r} has {listed(absent)}, none of the levels {listed(new.levels)}; name all levels"
        )
    translate = np.array([*(at.get(t, -1) for t in cells.distinct), -1], np.int32)
    return replace(cells, values=translate[cells.values], distinct=objects(new.levels))


def add(table: Table, rows: Any, by: str, new_levels: bool) -> Table:
    """See :meth:`Table.add`."""
    from zairyo.tables._build import read
    from zairyo.tables.table import Table as TableType

    schema = _open_levels(table.schema) if new_levels else table.schema
    if not isinstance(rows, TableType):
        options = dict.fromkeys(("roles", "units", "sheet", "encoding", "delimiter", "decimal"))
        rows = read(rows, schema=schema, **options)
    if extra := [n for n in rows.columns if n not in table.schema.names]:
        raise TableError(f"the rows have columns that the table does not have: {listed(extra)}")
    if absent := [c for c in table.schema.columns if c.name not in rows.columns]:
        raise TableError(f"the rows do not have the columns {listed([c.name for c in absent])}")
    if new_levels:
        schema = _with_levels(table.schema, rows)
        table = with_schema(table, schema)
    rows = with_schema(rows, table.schema)
    sources = list(table.sources)
    given = tuple(Source("person", by) if by and s.kind == "frame" else s for s in rows.sources)
    codes = np.array([_code(sources, s) for s in given], np.int32)
    ids = np.arange(table.next_row, table.next_row + len(rows))
    of = dict(zip(rows.rows.tolist(), ids.tolist(), strict=True))
    repeats = np.array([of.get(int(r), -1) for r in rows.replicate_of], np.int64)
    shift = len(table.reasons[1])
    reasons = np.where(rows.reasons[0] < 0, -1, rows.reasons[0] + shift).astype(np.int32)
    return replace(
        table,
        rows=np.concatenate([table.rows, ids]),
        cells={n: joined(table.cells[n], rows.cells[n], codes) for n in table.columns},
        states=np.concatenate([table.states, rows.states]),
        reasons=(np.concatenate([table.reasons[0], reasons]), (*table.reasons[1], *rows.reasons[1])),
        replicate_of=np.concatenate([table.replicate_of, repeats]),
        sources=tuple(sources),
        next_row=table.next_row + len(rows),
    )


def with_column(table: Table, column: Column, values: Any, uncertainty: Any, source: Source) -> Table:
    """See :meth:`Table.with_column`."""
    length = len(table)
    sources = list(table.sources)
    if len(values) != length or (uncertainty is not None and len(uncertainty) != length):
        raise TableError(f"column {column.name!r} needs {length} values, one a row")
    if column.numeric:
        numbers = np.array(values, np.float64)
        if np.isinf(numbers).any() or (column.kind == "integer" and (numbers % 1 > 0).any()):
            raise TableError(
                f"column {column.name!r} holds an infinite or broken number, which does not fit its kind"
            )
        cells = empty(True, length)
        cells = replace(cells, values=numbers)
    else:
        codes, distinct = coded([_raw.spell(v).strip() for v in values])
        if column.kind == "category" and not column.levels:
            column = replace(column, levels=tuple(sorted(distinct)))
        cells = replace(empty(False, length), values=codes, distinct=distinct)
    errors = None if uncertainty is None else np.array(uncertainty, np.float64)
    said = np.where(cells.missing, 0, _code(sources, source)).astype(np.int32)
    cells = replace(cells, uncertainty=errors, source=said)
    return put_column(replace(table, sources=tuple(sources)), column, cells)


def put_column(table: Table, column: Column, cells: Cells) -> Table:
    """With a column's cells in place of those it has, or at the end; checked against the column."""
    columns = [column if c.name == column.name else c for c in table.schema.columns]
    if column.name not in table.columns:
        columns.append(column)
    schema = replace(table.schema, columns=tuple(columns))
    rough = (
        replace(column, kind="text", levels=(), ordered=False, level_values={})
        if not column.numeric
        else column
    )
    before = replace(schema, columns=tuple(rough if c is column else c for c in columns), mixtures=())
    order = {name: table.cells.get(name, cells) for name in schema.names} | {column.name: cells}
    return with_schema(replace(table, schema=before, cells={n: order[n] for n in schema.names}), schema)


def _code(sources: list[Source], source: Source) -> int:
    if source not in sources:
        sources.append(source)
    return sources.index(source)


def _open_levels(schema: Schema) -> Schema:
    """The schema whose categories take any level."""
    columns = (replace(c, levels=(), level_values={}) if c.kind == "category" else c for c in schema.columns)
    return replace(schema, columns=tuple(columns))


def _with_levels(schema: Schema, rows: Table) -> Schema:
    """The schema with the levels that other rows have besides."""
    for column in schema.columns:
        if column.kind == "category":
            more = [t for t in rows.codes(column.name)[1] if t not in column.levels]
            if more and column.level_values:
                raise TableError(
                    f"column {column.name!r}: give {listed(more)} level_values first, as the others have"
                )
            schema = schema.with_column(column.name, levels=(*column.levels, *more))
    return schema


def update(
    table: Table,
    row: int,
    values: dict[str, Any],
    state: str | None,
    reason: str | None,
    uncertainty: dict[str, float],
    replicate_of: int | None,
    source: Source,
    new_levels: bool,
) -> Table:
    """See :meth:`Table.update`."""
    at = table.position(row)
    if state is not None and state not in STATES:
        raise TableError(f"there is no state {state!r}; there are {listed(STATES)}")
    if replicate_of is not None:
        table.position(replicate_of)
    if stray := [n for n in uncertainty if n not in values]:
        raise TableError(f"give the values of {listed(stray)} with their uncertainties")
    sources = list(table.sources)
    code = _code(sources, source)
    cells, schema = dict(table.cells), table.schema
    for name, given in values.items():
        column = schema[name]
        value, sd = _value(column, given, uncertainty.get(name))
        if column.kind == "category" and value is not None and value not in column.levels:
            if not new_levels or column.level_values:
                near = difflib.get_close_matches(str(value), column.levels, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "new_levels=True adds it"
                raise TableError(f"column {column.name!r}: {value!r} is none of its levels; {hint}")
            schema = schema.with_column(column.name, levels=(*column.levels, str(value)))
        cells[column.name] = cells[column.name].put(at, value, sd, code)
    states = table.states.copy()
    states[at] = _next_state(schema, table.states[at], values) if state is None else STATES.index(state)
    codes, texts = table.reasons[0].copy(), table.reasons[1]
    if reason is not None or STATES[states[at]] not in ("failed", "lost"):
        codes[at] = -1
        if reason:
            texts = texts if reason in texts else (*texts, reason)
            codes[at] = texts.index(reason)
    repeats = table.replicate_of
    if replicate_of is not None:
        repeats = repeats.copy()
        repeats[at] = replicate_of
    changed = replace(
        table, schema=schema, cells=cells, states=states, reasons=(codes, texts), replicate_of=repeats,
        sources=tuple(sources),
    )  # fmt: skip
    if any(n in m.columns for m in schema.mixtures for n in (schema[v].name for v in values)):
        from zairyo.tables._mixtures import check_mixtures

        check_mixtures(at_positions(changed, np.array([at])))
    return changed


def _next_state(schema: Schema, old: int, values: Mapping[str, Any]) -> int:
    given = {schema[n].role for n, v in values.items() if v is not None}
    if "property" in given:
        return STATES.index("measured")
    return max(int(old), STATES.index("made")) if given & set(OUTCOMES) else int(old)


def _value(column: Column, given: Any, sd: float | None) -> tuple[float | str | None, float | None]:
    """A value as the column keeps it, and its standard deviation."""
    if isinstance(given, Quantity):
        unit, sd = given.unit, given.uncertainty if sd is None else sd
        given = given.value
        if column.unit and unit and unit != column.unit:
            try:
                zero, one, given = (units.convert(float(v), unit, column.unit) for v in (0.0, 1.0, given))
            except units.UnitError as e:
                raise TableError(f"column {column.name!r}: {e}") from None
            sd = None if sd is None else sd * abs(one - zero)
    text = _raw.spell(given).strip()
    if not text:
        return None, None
    if not column.numeric:
        if column.kind == "composition":
            parse(text, column.basis)
        return text, None
    try:
        number = float(given)
    except (TypeError, ValueError):
        raise TableError(f"column {column.name!r} holds numbers, not {given!r}") from None
    if not np.isfinite(number) or (column.kind == "integer" and number % 1):
        what = "a whole number" if column.kind == "integer" else "a finite number"
        raise TableError(f"column {column.name!r} needs {what}, not {given!r}")
    if sd is not None and not (np.isfinite(sd) and sd >= 0):
        raise TableError(f"the uncertainty of {column.name!r} is a number not below 0, not {sd!r}")
    return number, None if sd is None else float(sd)


def equal(a: Table, b: Table) -> bool:
    """Whether two tables say the same, in whatever order they keep texts and sources."""
    plain = (
        (a.rows, b.rows),
        (a.states, b.states),
        (a.reason, b.reason),
        (a.replicate_of, b.replicate_of),
    )
    if a.schema != b.schema or a.next_row != b.next_row or not all(np.array_equal(x, y) for x, y in plain):
        return False
    return all(_equal_cells(a, b, name) for name in a.columns)


def _equal_cells(a: Table, b: Table, name: str) -> bool:
    one, two = a.cells[name], b.cells[name]
    if (one.distinct is None) != (two.distinct is None):
        return False
    if one.distinct is None:
        if not np.array_equal(one.values, two.values, equal_nan=True):
            return False
    elif not np.array_equal(one.texts(), two.texts()):
        return False
    if not np.array_equal(a.uncertainty(name), b.uncertainty(name), equal_nan=True):
        return False
    sources = [objects(t.sources)[t.cells[name].source] for t in (a, b)]
    return np.array_equal(one.line, two.line) and all(x == y for x, y in zip(*sources, strict=True))
