"""A raw table and a schema become a table; every cell that does not fit is told with its place."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.measurement import units
from zairyo.tables import _raw
from zairyo.tables._base import Codes, Integers, Objects, TableError, listed
from zairyo.tables._cells import STATES, Numbers, numbers_of, state_of
from zairyo.tables._change import implied_states
from zairyo.tables._given_units import put_units, take_units, with_units
from zairyo.tables._guess import Look, guess, look
from zairyo.tables._headings import split_heading
from zairyo.tables._mixtures import check_mixtures
from zairyo.tables._raw import RawColumn, RawTable
from zairyo.tables._store import NOWHERE, Cells, Source, empty, objects, same
from zairyo.tables.composition import parse
from zairyo.tables.schema import OUTCOMES, Column, Schema, by_column

if TYPE_CHECKING:
    from zairyo.tables.table import Table

_TEXT = (".csv", ".tsv", ".txt", ".dat")
_LIMIT = re.compile(r"\s*[<>≤≥＜＞≦≧]\s*\d")
_EXCEL = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")


def read(
    source: Any,
    *,
    schema: Schema | Mapping[str, Any] | str | os.PathLike[str] | None,
    roles: Mapping[str, Any] | None,
    units: Mapping[str, str] | None,
    sheet: str | int | None,
    encoding: str | None,
    delimiter: str | None,
    decimal: str | None,
) -> Table:
    """See :meth:`zairyo.tables.Table.read`."""
    name = os.fspath(source) if isinstance(source, (str, os.PathLike)) else ""
    try:
        if name:
            raw = _read_file(Path(name), sheet, encoding, delimiter, decimal)
            beside = Path(name).with_name(f"{Path(name).name}.schema.yaml")
            schema = beside if schema is None and beside.is_file() else schema
        else:
            raw = _read_object(source)
        if not isinstance(raw, RawTable):
            made = raw.with_schema(_settled(schema)) if schema is not None else _with_roles(raw, roles)
            return with_units(made, units or {})
        put_units(raw, units or {})
        if name:
            take_units(raw)
        looks = {i: look(column, raw.decimal) for i, column in enumerate(raw.columns)}
        if schema is None:
            settled, notes = guess(
                raw, looks, {n for n, r in by_column(roles or {}).items() if r == "property"}
            )
        else:
            settled, notes = _completed(_settled(schema), raw, looks)
        settled = settled.with_roles(roles or {})
        return build(raw, looks, settled, notes)
    except TableError as e:
        known = not name or all(p.startswith(Path(name).name) for p in e.problems)
        raise (
            e if known else TableError(*(p if p.startswith(name) else f"{name}: {p}" for p in e.problems))
        ) from None


def _settled(schema: Any) -> Schema:
    if isinstance(schema, Schema):
        return schema
    return Schema.from_dict(schema) if isinstance(schema, Mapping) else Schema.load(schema)


def _with_roles(table: Table, roles: Mapping[str, Any] | None) -> Table:
    return table.with_roles(roles) if roles else table


def _read_file(path: Path, sheet: Any, encoding: Any, delimiter: Any, decimal: Any) -> Any:
    """A raw table, or the table itself if it was written by one."""
    suffix = path.suffix.casefold()
    if suffix in _EXCEL:
        return _raw.read_excel(path, sheet)
    if suffix in (".parquet", ".pq"):
        raw, stored = _raw.read_parquet(path)
        if raw is None:
            from zairyo.tables._files import from_arrow

            return from_arrow(stored)
        return raw
    with path.open("rb") as f:
        head = f.read(4)
    if head == b"PAR1" or head.startswith(b"PK\x03\x04"):
        kind = "Parquet (.parquet)" if head == b"PAR1" else "a workbook (.xlsx)"
        raise TableError(f"it is {kind}; give its name that ending")
    return _raw.read_csv(path, encoding, delimiter, decimal)


def _read_object(source: Any) -> RawTable:
    if hasattr(source, "columns") and hasattr(source, "iloc"):
        return _raw.read_frame(source)
    if isinstance(source, Mapping):
        columns = [_raw.from_values(list(values), str(name)) for name, values in source.items()]
        if len({len(c) for c in columns}) > 1:
            raise TableError(
                f"the columns have different lengths: {listed([f'{c.heading} {len(c)}' for c in columns])}"
            )
        length = len(columns[0]) if columns else 0
    elif isinstance(source, (list, tuple)) and all(isinstance(row, Mapping) for row in source):
        names = list(dict.fromkeys(str(name) for row in source for name in row))
        columns = [_raw.from_values([row.get(name) for row in source], name) for name in names]
        length = len(source)
    else:
        raise TableError(
            f"a table is read from a file's path, a DataFrame, a list of dicts or a dict of columns, not from "
            f"{type(source).__name__}"
        )
    return RawTable(columns, np.arange(length), "the rows given", kind="frame", place="row")


def _completed(schema: Schema, raw: RawTable, looks: Mapping[int, Look]) -> tuple[Schema, list[str]]:
    """The schema with what it leaves open, the levels of categories; columns it does not name are kept as notes."""
    for part, heading in zip(raw.columns, _raw.unique(c.heading.strip() for c in raw.columns), strict=True):
        part.heading = heading
    headings = {c.heading: i for i, c in enumerate(raw.columns)}
    ours = {schema.row, schema.state, schema.reason, schema.replicate_of}
    ours |= {c.uncertainty for c in schema.columns} | {f"{heading} uncertainty" for heading in headings}
    notes, extra, columns = [], [], []
    for heading in headings:
        names = (heading, split_heading(heading)[0])
        if heading not in ours and not any(n in schema for n in names):
            extra.append(Column(heading, "note", "text"))
    if extra:
        notes.append(
            f"columns that the schema does not name were kept as notes: {listed([c.name for c in extra])}"
        )
    for column in schema.columns:
        i = _place(column, headings)
        if column.kind == "category" and not column.levels and i is not None:
            cells = _texts(raw.columns[i])
            column = replace(column, levels=tuple(sorted(cells[1])))
        columns.append(column)
    return replace(schema, columns=(*columns, *extra)), notes


def _place(column: Column, headings: Mapping[str, int]) -> int | None:
    for name in (column.heading, column.name):
        if name in headings:
            return headings[name]
    stripped = {split_heading(h)[0]: i for h, i in headings.items()}
    return stripped.get(column.name)


def build(raw: RawTable, looks: Mapping[int, Look], schema: Schema, notes: list[str]) -> Table:
    """The table; raises :class:`TableError` with every cell that does not fit the schema."""
    from zairyo.tables.table import Table

    length = len(raw.lines)
    headings = {c.heading: i for i, c in enumerate(raw.columns)}
    problems: list[str] = []
    states = np.full(length, -1, np.int8)
    reasons: dict[int, str] = {}
    cells: dict[str, Cells] = {}
    lines = np.asarray(raw.lines, np.int64)
    named = {c.heading or c.name for c in schema.columns}
    notes = [*raw.notes, *notes]
    for column in schema.columns:
        i = _place(column, headings)
        if i is None:
            cells[column.name] = empty(column.numeric, length, column.levels)
            notes.append(f"column {column.name!r} is not in {raw.source}; its cells are empty")
            continue
        part = raw.columns[i]
        try:
            made = (
                _numeric(column, _numbers(looks[i], part, raw), raw, part.heading, states, reasons, notes)
                if column.numeric
                else _textual(column, part, raw, notes)
            )
        except TableError as e:
            problems += e.problems
            continue
        values, distinct, uncertainty = made
        beside = column.uncertainty or f"{part.heading} uncertainty"
        if column.numeric and beside in headings and beside not in named:
            uncertainty = _uncertainty(raw, raw.columns[headings[beside]])
        if column.numeric:
            values, uncertainty = _in_unit(column, part, values, uncertainty)
        cells[column.name] = Cells(values, distinct, uncertainty, same(1, length, np.int32), lines)
    if problems:
        raise TableError(*problems)
    rows = _row_ids(schema, raw, headings)
    stated, said = _states(schema, raw, headings)
    reasons = {**reasons, **said}
    ended = STATES.index("failed")  # which an outcome's cell knows better than the row's state
    states = np.where((stated >= 0) & ~((states >= ended) & (stated < ended)), stated, states)
    states = np.where(states >= 0, states, implied_states(schema, cells, length))
    sources = (NOWHERE, Source(raw.kind, raw.source))  # type: ignore[arg-type]
    table = Table(
        schema=schema,
        rows=rows,
        cells=cells,
        states=states.astype(np.int8),
        reasons=_coded_reasons(reasons, length),
        replicate_of=_replicates(schema, raw, headings, rows),
        sources=sources,
        notes=tuple(notes),
    )
    check_mixtures(table)
    return table


def _numbers(seen: Look, part: RawColumn, raw: RawTable) -> Numbers:
    return seen.numbers if seen.is_numeric else numbers_of(part, raw.decimal)


def _numeric(
    column: Column,
    numbers: Numbers,
    raw: RawTable,
    heading: str,
    states: Any,
    reasons: dict[int, str],
    notes: list[str],
) -> tuple[Any, None, Any]:
    """Numbers of a column; words in an outcome tell the state of the sample."""
    problems = [
        f"{raw.at(row, heading)}: {text!r} "
        + (
            "is a limit, not a number; write the number that is to stand for it, or leave the cell empty"
            if _LIMIT.match(text)
            else "is not a number; correct it, leave the cell empty, write 'failed: why', or give the column "
            "another kind"
        )
        for row, text in numbers.odd.items()
    ]
    outcome = column.role in OUTCOMES
    values = numbers.values
    infinite = np.flatnonzero(np.isinf(values)).tolist()
    if not outcome:
        problems += [
            f"{raw.at(row, heading)}: {why[0]!r} says nothing of a {column.role}; leave the cell empty"
            for row, why in numbers.words.items()
        ]
        problems += [
            f"{raw.at(r, heading)}: the value is infinite; correct it or leave it empty" for r in infinite
        ]
    if column.kind == "integer":
        fractions = np.flatnonzero(np.isfinite(values) & (np.floor(values) != values))
        problems += [
            f"{raw.at(r, heading)}: {values[r]:g} is not a whole number; correct it, or give the column kind: number"
            for r in fractions[:100]
        ]
    if (more := numbers.odd_count - len(numbers.odd)) > 0:
        problems.append(f"{raw.source}: column {heading!r} has {more} more cells that are not numbers")
    if problems:
        raise TableError(*problems)
    if outcome:
        for row, (state, why) in [
            *numbers.words.items(),
            *((r, ("failed", "infinite")) for r in infinite),
        ]:
            code = STATES.index(state)
            if code > states[row]:
                states[row] = code
            if state in ("failed", "lost"):
                said = f"{column.name}: {why}" if why else column.name
                reasons[row] = f"{reasons[row]}; {said}" if row in reasons else said
        if len(infinite):
            notes.append(
                f"{len(infinite)} infinite values of {column.name} were taken as failed measurements"
            )
            values = np.where(np.isinf(values), np.nan, values)
    if numbers.excel_errors:
        notes.append(
            f"{numbers.excel_errors} cells of {column.name} hold a spreadsheet's error and are empty here"
        )
    return values, None, numbers.uncertainty


def _uncertainty(raw: RawTable, part: RawColumn) -> Any:
    """Standard deviations, NaN where none is told; None if there is none at all."""
    values = numbers_of(part, raw.decimal).values
    wrong = np.flatnonzero((values < 0) | np.isinf(values))
    if len(wrong):
        raise TableError(
            *(
                f"{raw.at(r, part.heading)}: an uncertainty is a number not below 0, not {values[r]:g}"
                for r in wrong[:20]
            )
        )
    return None if np.isnan(values).all() else values


def _texts(part: RawColumn) -> tuple[Codes, Objects]:
    """Codes and the distinct texts of a column, in the order in which they first come."""
    import pyarrow as pa
    from pyarrow import compute as pc

    if part.numbers is not None:
        array = pa.array([_raw.spell(v) for v in part.numbers.tolist()], pa.string())
    else:
        array = pc.utf8_trim_whitespace(part.text)
        if pc.any(pc.match_substring(array, "\r")).as_py():
            array = pc.replace_substring(pc.replace_substring(array, "\r\n", "\n"), "\r", "\n")
    array = pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)
    found = array.dictionary_encode()
    codes = found.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return codes, objects(found.dictionary.to_pylist())


def _textual(column: Column, part: RawColumn, raw: RawTable, notes: list[str]) -> tuple[Codes, Objects, None]:
    codes, distinct = _texts(part)

    def problem(code: int, why: str) -> str:
        where = np.flatnonzero(codes == code)
        more = f" (and in {len(where) - 1} more rows)" if len(where) > 1 else ""
        return f"{raw.at(int(where[0]), part.heading)}: {why}{more}"

    if column.kind == "category":
        at = {level: i for i, level in enumerate(column.levels)}
        if wrong := [i for i, t in enumerate(distinct) if t not in at]:
            levels = listed(column.levels)
            raise TableError(
                *(
                    problem(i, f"{distinct[i]!r} is none of the levels {levels}; correct it or add the level")
                    for i in wrong
                )
            )
        translate = np.array([*(at[t] for t in distinct), -1], np.int32)
        return translate[codes], objects(column.levels), None
    if column.kind == "composition":
        check_formulas(distinct, column, problem, notes)
    return codes, distinct, None


def check_formulas(distinct: Objects, column: Column, problem: Any, notes: list[str]) -> None:
    """Every distinct formula can be read; ``problem(code, why)`` says where it is."""
    problems: list[str] = []
    warnings: list[str] = []
    for i, text in enumerate(distinct):
        try:
            warnings += parse(text, column.basis).warnings
        except TableError as e:
            problems.append(problem(i, str(e)))
    if problems:
        raise TableError(*problems)
    if warnings:
        more = f" and {len(warnings) - 1} more" if len(warnings) > 1 else ""
        notes.append(f"column {column.name!r}: {warnings[0]}{more}")


def _in_unit(column: Column, part: RawColumn, values: Any, uncertainty: Any) -> tuple[Any, Any]:
    """In the schema's unit, where the heading states another one of the same dimension."""
    stated = split_heading(part.heading)[1] or (part.unit and units.normalise(part.unit))
    if (
        not stated
        or not column.unit
        or stated == column.unit
        or not units.same_dimension(stated, column.unit)
    ):
        return values, uncertainty
    if uncertainty is not None:
        scale = units.convert(1.0, stated, column.unit) - units.convert(0.0, stated, column.unit)
        uncertainty = uncertainty * scale
    return units.convert(values, stated, column.unit), uncertainty


def _row_ids(schema: Schema, raw: RawTable, headings: Mapping[str, int]) -> Integers:
    length = len(raw.lines)
    if schema.row in headings and schema.row not in {c.heading or c.name for c in schema.columns}:
        values = numbers_of(raw.columns[headings[schema.row]], raw.decimal).values
        if not (
            np.all(values >= 0) and np.all(np.floor(values) == values) and len(np.unique(values)) == length
        ):
            raise TableError(
                f"{raw.source}: the ids in column {schema.row!r} must be whole numbers, each once"
            )
        return values.astype(np.int64)
    return np.arange(length) if raw.rows is None else raw.rows


def _states(schema: Schema, raw: RawTable, headings: Mapping[str, int]) -> tuple[Any, dict[int, str]]:
    """The states and reasons that a file's own columns tell; −1 where they tell none."""
    names = {c.heading or c.name for c in schema.columns}
    stated = np.full(len(raw.lines), -1, np.int8)
    said: dict[int, str] = {}
    if schema.state in headings and schema.state not in names:
        codes, distinct = _texts(raw.columns[headings[schema.state]])
        for code, text in enumerate(distinct):
            found = state_of(text)
            where = np.flatnonzero(codes == code)
            if found is None:
                raise TableError(
                    f"{raw.at(int(where[0]), schema.state)}: {text!r} is no state; there are {listed(STATES)}"
                )
            stated[where] = STATES.index(found[0])
            if found[1] and found[1].casefold() not in STATES:
                said |= dict.fromkeys(where.tolist(), found[1])
    if schema.reason in headings and schema.reason not in names:
        codes, distinct = _texts(raw.columns[headings[schema.reason]])
        said |= {int(r): distinct[codes[r]] for r in np.flatnonzero(codes >= 0)}
    return stated, said


def _coded_reasons(reasons: Mapping[int, str], length: int) -> tuple[Codes, tuple[str, ...]]:
    distinct = tuple(dict.fromkeys(reasons.values()))
    codes = np.full(length, -1, np.int32)
    for row, why in reasons.items():
        codes[row] = distinct.index(why)
    return codes, distinct


def _replicates(schema: Schema, raw: RawTable, headings: Mapping[str, int], rows: Integers) -> Integers:
    names = {c.heading or c.name for c in schema.columns}
    if schema.replicate_of not in headings or schema.replicate_of in names:
        return np.asarray(same(-1, len(rows), np.int64))
    values = numbers_of(raw.columns[headings[schema.replicate_of]], raw.decimal).values
    wrong = np.flatnonzero(~np.isnan(values) & ~np.isin(values, rows))
    if len(wrong):
        raise TableError(
            *(
                f"{raw.at(r, schema.replicate_of)}: there is no row with the id {values[r]:g}"
                for r in wrong[:20]
            )
        )
    return np.where(np.isnan(values), -1, values).astype(np.int64)
