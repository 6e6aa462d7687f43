"""Candidates that are rows of a table in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zairyo.campaign._base import CampaignError, Floats, Integers
from zairyo.campaign._coding import SAME, Code, Coding, MixtureCode
from zairyo.campaign._columns import Coded, Column, Columns, listed, take
from zairyo.campaign._pool_plan import Plan, codes_of, plan_of, understood, with_categories
from zairyo.campaign._pools import Pool
from zairyo.campaign._telling import named

#: Frames above so many rows are understood from a sample of them, and their numbers taken as they are.
_LARGE = 100_000
_SAMPLED = 20_000


class TablePool(Pool):
    """Candidates that are rows of a table. Duplicated rows are different places, and known as the same.

    Parameters
    ----------
    coding
        How settings become features.
    columns
        The settings, and whatever else constraints and the cost need.
    options
        See :class:`zairyo.campaign._pools.Pool`.
    """

    def __init__(self, coding: Coding, columns: Mapping[str, Column], rows: int, **options: Any) -> None:
        super().__init__(coding, size=rows, others=tuple(columns), **options)
        self._columns = {n: c for n, c in columns.items() if n in self.names or n in self.others}
        self._order: Integers | None = None
        self._sums: Floats | None = None
        self.allows(take(self._columns, slice(0, 1)))  # a rule that cannot be computed says so now

    def _stream(self, rows: int) -> Iterator[tuple[Integers, Columns]]:
        assert self.size is not None
        for start in range(0, self.size, rows):
            stop = min(start + rows, self.size)
            yield np.arange(start, stop), take(self._columns, slice(start, stop))

    def _at(self, index: Integers) -> Columns:
        assert self.size is not None
        if len(index) and int(np.max(index)) >= self.size:
            raise CampaignError(f"there is no candidate {int(np.max(index))}; the pool has {self.size:,}")
        return take(self._columns, index)

    def _places(self, X: Floats) -> Integers:
        return np.array([places[0] if len(places) else -1 for places in self._all_places(X)], np.int64)

    def twins(self, index: Sequence[int] | Integers) -> Integers:
        """All places that hold the same settings as some others, these included; ascending."""
        at = np.asarray(index, np.int64)
        if not len(at):
            return at
        found = self._all_places(self.coding.features(self._at(at)))
        return np.unique(np.concatenate([at, *found]))

    def _all_places(self, X: Floats) -> list[Integers]:
        """Every place of each row of features, ascending."""
        if self._order is None or self._sums is None:
            sums = np.concatenate([self.coding.features(c) @ self._weights for _, c in self._stream(1 << 16)])
            self._order = np.argsort(sums, kind="stable")
            self._sums = sums[self._order]
        slack = SAME * 1.5 * len(self._weights)
        result = []
        for x in X:
            total = float(x @ self._weights)
            first, last = np.searchsorted(self._sums, [total - slack, total + slack])
            near = np.sort(self._order[first:last])
            same = np.abs(self.coding.features(self._at(near)) - x) <= SAME * self._span
            result.append(near[same.all(axis=1)])
        return result


def table_pool(
    source: Any,
    *,
    settings: Sequence[str] | None,
    leave: Sequence[str],
    cost: str | float | None,
    **options: Any,
) -> TablePool:
    """Candidates from a table of any sort; see :func:`zairyo.campaign._pools.candidates_from`."""
    from zairyo.tables import Table, TableError

    own = isinstance(source, Table)
    frame: Any = None
    try:
        if own:
            table = source
        elif isinstance(source, (str, os.PathLike)):
            table = Table.read(source)
        else:
            frame = _frame(source)
            table = None
            if len(frame) > _LARGE:
                rows = np.unique(np.linspace(0, len(frame) - 1, _SAMPLED).astype(np.int64))
                sample = understood(frame.iloc[rows].reset_index(drop=True), leave)
                sample = with_categories(sample, settings, leave)
                pool = _from_frame(frame, plan_of(sample, settings, leave, False), cost, options)
                if pool is not None:
                    return pool
            table = understood(frame, leave)
    except TableError as e:
        raise CampaignError(f"the candidates' table cannot be used: {e}") from None
    if not len(table):
        raise CampaignError("the candidates' table has no rows")
    if not own:
        table = with_categories(table, settings, leave)
    return _from_table(table, plan_of(table, settings, leave, own), frame, cost, options)


def _frame(source: Any) -> Any:
    """A DataFrame of whatever holds rows."""
    import pandas as pd

    try:
        frame = source if isinstance(source, pd.DataFrame) else pd.DataFrame(source)
    except (ValueError, TypeError) as e:
        raise CampaignError(
            f"{type(source).__name__} cannot be used as candidates: {e}; "
            "give a DataFrame, a file, a Table or parameters"
        ) from None
    if not len(frame) or not len(frame.columns):
        raise CampaignError(
            "the candidates' table has no rows" if len(frame.columns) else "no candidates are given"
        )
    if frame.columns.nlevels > 1:
        frame = frame.set_axis([" ".join(map(str, c)) for c in frame.columns], axis=1)
    frame = frame.rename(columns=named)
    twice = sorted(set(frame.columns[frame.columns.duplicated()]))
    if twice:
        raise CampaignError(f"the candidates' table has column {listed(twice)} twice; rename one")
    return frame.reset_index(drop=True)


def _from_table(table: Any, plan: Plan, frame: Any, cost: str | float | None, options: Any) -> TablePool:
    """Every cell as ``zairyo.tables`` understood it."""
    columns: dict[str, Column] = {}
    ranges: dict[str, tuple[float, float]] = {}
    levels: dict[str, tuple[Any, ...]] = {}
    whole: set[str] = set()
    amounts = {name for m in plan.mixtures for name in m.columns}
    for column in plan.schema.columns:
        name, key = column.name, plan.keys[column.name]
        missing = table.missing(name)
        if name in plan.settings and name not in amounts and missing.any():
            row = int(np.flatnonzero(missing)[0])
            raise CampaignError(
                f"{table.where(int(table.rows[row]), name)}: the setting {key!r} has no value that can be set; "
                "fill it in or leave the row out; if it is known of made samples only, name it in descriptors=[…]"
            )
        if column.numeric:
            values = np.array(table[name], float)
            if name in amounts:
                stated = ~np.all(
                    [table.missing(c) for m in plan.mixtures if name in m.columns for c in m.columns], 0
                )
                values[missing & stated] = 0.0
            columns[key] = values
            if name in plan.settings:
                ranges[name] = (float(np.min(values)), float(np.max(values)))
                if (frame is None or _are_integers(frame[key])) and not (values % 1).any():
                    whole.add(name)
        elif column.kind != "text":
            codes, texts = table.codes(name)
            kept, codes = (
                (np.arange(len(texts)), codes)
                if column.kind == "category"
                else np.unique(codes, return_inverse=True)
            )
            levels[name] = tuple(
                _own_value(frame, key, texts[k], codes, i) for i, k in enumerate(kept) if k >= 0
            )
            if not missing.any():
                columns[key] = Coded(_small(codes, len(levels[name])), levels[name])
    codes_ = codes_of(plan, ranges, levels, whole)
    _check_mixtures(codes_, columns)
    return _made(codes_, columns, len(table), plan, cost, options)


def _are_integers(series: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_integer_dtype(series.dtype))


def _own_value(frame: Any, key: str, text: str, codes: Any, level: int) -> Any:
    """The value of a level as the user's frame has it: true, 3, or the text itself."""
    if frame is None or key not in frame.columns:
        return text
    rows = np.flatnonzero(codes == level)
    value = frame[key].iloc[int(rows[0])] if len(rows) else text
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, (bool, int, float)) else text


def _from_frame(frame: Any, plan: Plan, cost: str | float | None, options: Any) -> TablePool | None:
    """A large frame's columns as they are; None where they need to be understood cell by cell."""
    import pandas as pd

    columns: dict[str, Column] = {}
    ranges: dict[str, tuple[float, float]] = {}
    levels: dict[str, tuple[Any, ...]] = {}
    wanted = {*plan.settings, *(c.name for c in plan.schema.columns if c.role == "cost")}
    for name in sorted(wanted, key=list(plan.keys).index):
        column, key = plan.schema[name], plan.keys[name]
        series = frame[key]
        if column.numeric:
            if not pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
                return None
            values = series.to_numpy(dtype=float, na_value=np.nan, copy=True)
            bad = np.flatnonzero(~np.isfinite(values))
            if name in plan.settings and bad.size:
                raise CampaignError(
                    f"row {bad[0]}, column {key!r}: {values[bad[0]]} is no setting; fill it in or leave the row out"
                )
            columns[key] = values
            ranges[name] = (float(values.min()), float(values.max()))
            if column.kind == "integer" and (values % 1 != 0).any():
                return None
        else:
            codes, found = pd.factorize(series, sort=True)
            if (codes < 0).any():
                raise CampaignError(f"row {int(np.argmin(codes))}, column {key!r} has no value; fill it in")
            values_ = tuple(v.item() if hasattr(v, "item") else v for v in found)
            if column.kind == "category" and (column.ordered or column.level_values):
                return None
            levels[name] = values_
            columns[key] = Coded(_small(codes, len(values_)), values_)
    others = {
        n: frame[n] for c in options.get("constraints", ()) for n in getattr(c, "names", ()) if n in frame
    }
    for key, series in others.items():
        if key not in columns and pd.api.types.is_numeric_dtype(series.dtype):
            columns[key] = series.to_numpy(dtype=float, na_value=np.nan, copy=True)
    whole = {n for n in ranges if _are_integers(frame[plan.keys[n]])}
    codes_ = codes_of(plan, ranges, levels, whole)
    if any(isinstance(c, MixtureCode) and c.wrong(columns).size for c in codes_):
        return None  # the sample's rows summed to the total by chance: look at all of them
    return _made(codes_, columns, len(frame), plan, cost, options)


def _check_mixtures(codes: Sequence[Code], columns: Mapping[str, Column]) -> None:
    for code in codes:
        if isinstance(code, MixtureCode) and (bad := code.wrong(columns)).size:
            raise CampaignError(f"row {bad[0]}, mixture {code.name!r}: {code.why(columns, int(bad[0]))}")


def _made(
    codes: tuple[Code, ...],
    columns: dict[str, Column],
    rows: int,
    plan: Plan,
    cost: str | float | None,
    options: Any,
) -> TablePool:
    for code in codes:
        if isinstance(code, MixtureCode):  # the range that the candidates span, not the whole simplex
            low, high = np.ones(len(code.names)), np.zeros(len(code.names))
            for start in range(0, rows, 1 << 16):
                part = code.features(
                    take({n: columns[n] for n in code.settings}, slice(start, start + (1 << 16)))
                )
                low, high = np.minimum(low, part.min(axis=0)), np.maximum(high, part.max(axis=0))
            code.lower, code.upper = low, high
    pool = TablePool(Coding(codes), columns, rows, cost=plan.cost if cost is None else cost, **options)
    pool.notes = plan.notes
    return pool


def _small(codes: Any, count: int) -> Any:
    return np.asarray(codes).astype(np.int16 if count < 2**15 else np.int32)
