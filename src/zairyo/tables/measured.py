"""A table from measurements: a row a sample, a column a descriptor, each cell with the measurement it is from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.measurement import Measurement, units
from zairyo.tables._base import TableError, listed
from zairyo.tables._change import put_column
from zairyo.tables._store import NOWHERE, Cells, Source, coded, same
from zairyo.tables.schema import Column, Role, Schema

if TYPE_CHECKING:
    from zairyo.tables.table import Table

_MOST_NOTES = 20


@dataclass(frozen=True)
class _Found:
    """One number of one sample: in ``column``, from ``source``."""

    sample: str
    column: str
    value: float
    unit: str | None
    uncertainty: float | None
    title: str
    source: Source


def gather(
    measurements: Iterable[Any],
    descriptors: Sequence[str] = (),
    *,
    into: Table | None = None,
    compute: Callable[[Measurement], Iterable[Any]] | None = None,
    role: Role = "measured_descriptor",
) -> Table:
    """Descriptors of measurements, a row a sample.

    Parameters
    ----------
    measurements
        Measurements in the standard form, or what a search of the client finds.
    descriptors
        Names of those wanted; all that are found if empty.
    into
        A table of samples that gets the descriptors as columns; its identifier column names the samples. Without it
        a table is made with a row for each sample.
    compute
        What computes the descriptors of a measurement: anything that gives objects with ``name`` and ``value`` (a
        ``Quantity``); :func:`zairyo.descriptors.compute` if None.
    role
        Of the new columns.

    Returns
    -------
    Table
        Where a sample was measured several times, its cell holds the mean, and its uncertainty is the standard
        deviation of that mean. What could not be computed is said in ``notes``.

    Raises
    ------
    TableError
        Nothing was found; or a descriptor is in units that cannot be compared.
    """
    compute = compute or _computed
    found: list[_Found] = []
    notes: list[str] = []
    for given in measurements:
        found += _of_one(given, descriptors, compute, notes)
    if not found:
        wanted = f"none of {listed(list(descriptors))}" if descriptors else "no descriptor"
        raise TableError(f"{wanted} was found in the measurements" + (f": {notes[0]}" if notes else ""))
    if len(notes) > _MOST_NOTES:
        notes[_MOST_NOTES:] = [
            f"… and {len(notes) - _MOST_NOTES} more measurements of which something is not known"
        ]
    table = _samples(found) if into is None else into
    return _joined(table, found, notes, role)


def _computed(measurement: Measurement) -> Iterable[Any]:
    from zairyo.descriptors import compute

    return compute(measurement)


def _of_one(
    given: Any, wanted: Sequence[str], compute: Callable[..., Iterable[Any]], notes: list[str]
) -> list[_Found]:
    measurement, uid = (given, "") if isinstance(given, Measurement) else (given.read(), str(given.uid))
    if not uid:
        raw = measurement.source.raw_files if measurement.source else ()
        uid = raw[0].name if raw else measurement.title or measurement.sample or "a measurement"
    sample = measurement.sample.strip()
    if not sample:
        sample = uid
        notes.append(f"{uid} names no sample; its row is named after it")
    try:
        all_found = [d for d in compute(measurement) if not wanted or d.name in wanted]
    except ValueError as e:
        notes.append(f"{uid}: {e}")
        return []
    if lacking := [w for w in wanted if w not in {d.name for d in all_found}]:
        notes.append(f"{uid} gives no {listed(lacking)}")
    keys = [(d.name, getattr(d, "item", "")) for d in all_found]
    result = []
    for d, (name, item) in zip(all_found, keys, strict=True):
        entry = getattr(d, "entry", "")
        column = f"{name} {item}".strip()
        if keys.count((name, item)) > 1 and entry:
            column += f" [{entry}]"
        method = f"{getattr(d, 'method', '')} {getattr(d, 'method_version', '')}".strip()
        detail = ", ".join(t for t in (column, entry and f"entry {entry}", method) if t)
        quantity = d.value
        error = None if quantity.uncertainty is None else float(quantity.uncertainty)
        title = f"{getattr(d, 'title', '')} {item}".strip() if getattr(d, "title", "") else ""
        source = Source("measurement", uid, detail)
        result.append(_Found(sample, column, float(quantity.value), quantity.unit, error, title, source))
    return result


def _samples(found: list[_Found]) -> Table:
    """A table of nothing but the samples' names."""
    from zairyo.tables.table import Table

    names = list(dict.fromkeys(f.sample for f in found))
    codes, distinct = coded(names)
    n = len(names)
    cells = Cells(codes, distinct, None, same(1, n, np.int32), same(-1, n, np.int64))
    return Table(
        schema=Schema((Column("sample", "identifier", "text", title="Sample"),)),
        rows=np.arange(n),
        cells={"sample": cells},
        states=np.ones(n, np.int8),  # made
        reasons=(np.full(n, -1, np.int32), ()),
        replicate_of=np.full(n, -1),
        sources=(NOWHERE, Source("computed", "the measurements' samples")),
    )


def _joined(table: Table, found: list[_Found], notes: list[str], role: Role) -> Table:
    identifiers = table.schema.of_role("identifier")
    if not identifiers:
        raise TableError(
            "the table has no identifier column that names its samples; give one the role identifier"
        )
    at = {str(name): i for i, name in enumerate(table[identifiers[0]])}
    if strange := sorted({f.sample for f in found if f.sample not in at}):
        notes.append(f"measurements of samples that are not in the table were left out: {listed(strange)}")
    by_column: dict[str, dict[int, list[_Found]]] = {}
    for f in found:
        if f.sample in at:
            by_column.setdefault(f.column, {}).setdefault(at[f.sample], []).append(f)
    sources = list(table.sources)
    index = {s: i for i, s in enumerate(sources)}
    measured: set[int] = set()
    made: list[tuple[Column, Cells]] = []
    for name, rows in by_column.items():
        first = next(iter(rows.values()))[0]
        values, errors = np.full(len(table), np.nan), np.full(len(table), np.nan)
        codes = np.zeros(len(table), np.int32)
        for row, several in rows.items():
            values[row], errors[row] = _mean(name, several, first.unit)
            source = _together([f.source for f in several])
            if source not in index:
                index[source] = len(sources)
                sources.append(source)
            codes[row] = index[source]
        measured |= set(rows)
        uncertainty = None if np.isnan(errors).all() else errors
        cells = Cells(values, None, uncertainty, codes, same(-1, len(table), np.int64))
        made.append((Column(name, role, "number", first.unit, first.title), cells))
    table = _with_states(table, measured, role, tuple(sources), notes)
    for column, cells in made:
        table = put_column(table, column, cells)
    return table


def _with_states(
    table: Table, measured: set[int], role: Role, sources: tuple[Source, ...], notes: list[str]
) -> Table:
    """A planned sample that was measured is made, or measured if the numbers are properties."""
    reached = 2 if role == "property" else 1
    states = table.states.copy()
    for row in measured:
        states[row] = max(int(states[row]), reached)
    return replace(table, states=states, sources=sources, notes=(*table.notes, *notes))


def _mean(name: str, several: list[_Found], unit: str | None) -> tuple[float, float]:
    """The mean in one unit, and its standard deviation: from the scatter or the single ones', whichever is larger."""
    values, errors = [], []
    for f in several:
        try:
            zero, one, value = (units.convert(v, f.unit or "", unit or "") for v in (0.0, 1.0, f.value))
        except units.UnitError as e:
            if f.unit != unit:
                raise TableError(f"{name} of sample {f.sample}: {e}") from None
            zero, one, value = 0.0, 1.0, f.value
        values.append(value)
        errors.append(np.nan if f.uncertainty is None else f.uncertainty * abs(one - zero))
    n = len(values)
    if n == 1:
        return values[0], errors[0]
    scatter = float(np.std(values, ddof=1)) / np.sqrt(n)
    told = float(np.sqrt(np.sum(np.square(errors)))) / n
    return float(np.mean(values)), scatter if np.isnan(told) else max(scatter, told)


def _together(sources: list[Source]) -> Source:
    distinct = list(dict.fromkeys(sources))
    if len(distinct) == 1:
        return distinct[0]
    return Source("measurement", ", ".join(s.name for s in distinct), f"mean of {distinct[0].detail}")
