"""Candidates that are rows of a file too large for memory: read in blocks each time they are gone through.

What the columns are is understood from the first rows, as ``zairyo.tables`` does. One pass over the file then finds
ranges and kinds, and keeps a random sample of its rows, which answers whatever needs no more than a sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from zairyo.campaign._base import CampaignError, Floats, Integers
from zairyo.campaign._coding import Coding, MixtureCode
from zairyo.campaign._columns import Coded, Column, Columns, rows_of, take
from zairyo.campaign._constraints import as_constraint
from zairyo.campaign._pool_plan import Plan, codes_of, plan_of, understood, with_categories
from zairyo.campaign._pool_source import ParquetSource, Piece, Source, TextSource
from zairyo.campaign._pools import Pool

#: Cells, and rows, of the sample that is kept in memory.
_CELLS, _KEPT = 4_000_000, 131_072
#: Larger samples are rows of so many places of the file, next to each other in each.
_PLACES = 48
_MOST_KINDS = 10_000
Thing = TypeVar("Thing")


@dataclass
class _Seen:
    """What the pass over the file finds."""

    low: dict[str, float]
    high: dict[str, float]
    kinds: dict[str, dict[str, int]]
    rows: int
    broken: set[str]


class FilePool(Pool):
    """Candidates in a large CSV or Parquet file.

    Parameters
    ----------
    path
        Of the file.
    settings, leave, constraints, shared, cost
        See :func:`zairyo.campaign._pools.candidates_from`.

    Raises
    ------
    CampaignError
        A cell of a setting is empty or no number; names row (the first is 0) and column.
    """

    def __init__(
        self,
        path: Path,
        *,
        settings: Sequence[str] | None = None,
        leave: Sequence[str] = (),
        constraints: Sequence[Any] = (),
        shared: Sequence[str] = (),
        cost: str | float | None = None,
    ) -> None:
        self.path = path
        self._stamp = _stamp(path)
        parquet = path.suffix.lower() in (".parquet", ".pq")
        self._source: Source = ParquetSource(path) if parquet else TextSource(path)
        plan = _plan(self._source.head(), settings, leave)
        cost = plan.cost if cost is None else cost
        self._numbers = [plan.keys[c.name] for c in plan.schema.columns if c.numeric]
        keys = [plan.keys[n] for n in plan.settings]
        given: Any = constraints
        given = [given] if isinstance(given, str) or not isinstance(given, Sequence) else given
        words = {n for c in map(as_constraint, given) for n in c.names}
        words |= set(self._cost_rule(cost, self._source.headings).names if cost is not None else ())  # type: ignore[union-attr]
        others = [h for h in self._source.headings if h in words and h not in keys]
        self._wanted = [*keys, *others]
        self._seen = _Seen({}, {}, {n: {} for n in self._wanted if n not in self._numbers}, 0, set())
        sample = _Sample(max(1, min(_KEPT, _CELLS // max(len(self._wanted), 1))))
        self._look(keys, sample)
        if not self._seen.rows:
            raise CampaignError(f"{path.name} has no rows")
        plan = _whole_only_where(plan, self._seen.broken)
        amounts = {c for m in plan.mixtures for c in m.columns}
        back = {plan.keys[n]: n for n in plan.settings}
        ranges = {back[k]: (self._seen.low[k], self._seen.high[k]) for k in keys if k in self._seen.low}
        self._kinds = {n: tuple(sorted(v)) for n, v in self._seen.kinds.items()}
        kinds = {back[k]: self._kinds[k] for k in keys if k in self._kinds}
        whole = {
            n for n in ranges if plan.keys[n] not in self._seen.broken and self._source.whole(plan.keys[n])
        }
        codes = codes_of(plan, ranges, kinds, whole)
        for code in codes:
            if isinstance(code, MixtureCode) and not code.any_total and not code.parameter.balance:
                code.lower = np.array([self._seen.low[n] for n in code.settings]) / code.total
                code.upper = np.array([self._seen.high[n] for n in code.settings]) / code.total
        super().__init__(
            Coding(codes),
            size=self._seen.rows,
            constraints=given,
            shared=shared,
            cost=cost,
            others=others,
        )
        self._mixtures = [c for c in codes if isinstance(c, MixtureCode)] if amounts else []
        self.notes = plan.notes
        self._found: dict[bytes, int] = {}
        self._kept_index = sample.index
        self._kept = self._columns(sample.table, sample.index)
        self.allows(take(self._kept, slice(0, 1)))

    def _look(self, keys: Sequence[str], sample: _Sample) -> None:
        """One pass over the file: ranges, kinds, how many rows each piece has, and the sample."""
        seen, counts = self._seen, []
        for piece in _ahead(self._source.pieces(self._wanted)):
            table = self._table(piece, seen.rows)
            for name in self._wanted:
                if name in self._numbers:
                    self._look_at_numbers(name, table[name].to_numpy(), name in keys)
                else:
                    self._look_at_texts(name, table[name], name in keys)
            sample.add(table, seen.rows)
            seen.rows += table.num_rows
            counts.append(table.num_rows)
        self._source.gone_through(counts)

    def _look_at_numbers(self, name: str, values: Floats, needed: bool) -> None:
        seen = self._seen
        if not len(values):
            return
        low, high = float(values.min()), float(values.max())  # NaN where there is one
        if needed and not np.isfinite([low, high]).all():
            bad = int(np.flatnonzero(~np.isfinite(values))[0])
            self._refuse(seen.rows + bad, name, f"{values[bad]} is no setting")
        if name not in seen.broken and (values % 1 != 0).any():
            seen.broken.add(name)
        seen.low[name] = min(seen.low.get(name, np.inf), low)
        seen.high[name] = max(seen.high.get(name, -np.inf), high)

    def _look_at_texts(self, name: str, column: Any, needed: bool) -> None:
        kinds = self._seen.kinds[name]
        for text in column.unique().to_pylist():
            if text is None or not text.strip():
                if needed:
                    row = next(i for i, v in enumerate(column.to_pylist()) if v is None or not v.strip())
                    self._refuse(self._seen.rows + row, name, "it has no value")
                text = ""
            kinds.setdefault(text, 0)
        if len(kinds) > _MOST_KINDS:
            raise CampaignError(
                f"{self.path.name}, column {name!r} has more than {_MOST_KINDS:,} different texts; leave it "
                "out by settings=[…], or split it into columns that say what the texts mean"
            )

    def _refuse(self, row: int, name: str, what: str) -> None:
        raise CampaignError(
            f"{self.path.name}, row {row:,} (the first is 0), column {name!r}: {what}; fill it in or leave the row out"
        )

    def _table(self, piece: Piece, first: int) -> Any:
        """A piece's columns, as Arrow has them; ``first`` is the number of its first row."""
        import pyarrow as pa

        numbers = [n for n in self._wanted if n in self._numbers]
        try:
            return self._source.table(piece, self._wanted, numbers)
        except (pa.ArrowException, OSError) as error:
            self._explain(piece, first, numbers, error)
            raise

    def _explain(self, piece: Piece, first: int, numbers: Sequence[str], error: Exception) -> None:
        """Which cell is no number, where Arrow only says that some is not."""
        import pyarrow as pa

        try:
            table = self._source.table(piece, self._wanted, [])
        except (pa.ArrowException, OSError):
            raise CampaignError(f"{self.path.name} cannot be read: {error}") from None
        for name in numbers:
            for row, text in enumerate(table[name].to_pylist()):
                try:
                    float((text or "nan").replace(getattr(self._source, "decimal", "."), "."))
                except ValueError:
                    self._refuse(first + row, name, f"{text!r} is no number")
        raise CampaignError(f"{self.path.name} cannot be read: {error}") from None

    def _columns(self, table: Any, index: Sequence[int] | Integers) -> dict[str, Column]:
        """Columns of a table of the rows of these numbers."""
        columns: dict[str, Column] = {
            name: np.asarray(table[name].to_numpy(), float)
            if name in self._numbers
            else Coded(_codes(table[name], self._kinds[name]), self._kinds[name])
            for name in self._wanted
        }
        for code in self._mixtures:
            bad = code.wrong(columns)
            if bad.size:
                raise CampaignError(
                    f"{self.path.name}, row {int(index[int(bad[0])]):,}, mixture {code.name!r}: "
                    f"{code.why(columns, int(bad[0]))}"
                )
        return columns

    def _unchanged(self) -> None:
        """Places in another file would be other experiments."""
        if _stamp(self.path) != self._stamp:
            raise CampaignError(
                f"the candidates' file {self.path} was changed or taken away while the campaign used it; put the old "
                "file back and open the campaign again, or begin a new one that learns from it (learn_from)"
            )

    def _all(self) -> Iterator[tuple[int, Columns]]:
        """All rows in order, some at a time, each with the number of the first."""
        self._unchanged()
        first = 0
        for piece in self._source.pieces(self._wanted):
            table = self._table(piece, first)
            yield first, self._columns(table, range(first, first + table.num_rows))
            first += table.num_rows

    def _stream(self, rows: int) -> Iterator[tuple[Integers, Columns]]:
        for first, columns in _ahead(self._all()):
            count = rows_of(columns)
            for start in range(0, count, rows):
                stop = min(start + rows, count)
                yield np.arange(first + start, first + stop), take(columns, slice(start, stop))

    def _at(self, index: Integers) -> Columns:
        index = np.asarray(index, np.int64)
        assert self.size is not None
        if len(index) and int(index.max()) >= self.size:
            raise CampaignError(f"there is no candidate {int(index.max())}; the file has {self.size:,}")
        at = np.minimum(np.searchsorted(self._kept_index, index), len(self._kept_index) - 1)
        found = take(self._kept, at)
        missing = np.flatnonzero(self._kept_index[at] != index)
        if not len(missing):
            return found
        self._unchanged()
        order = missing[np.argsort(index[missing], kind="stable")]
        wanted = index[order]
        for first, piece in self._source.holding(wanted, self._wanted):
            table = self._table(piece, first)
            low, high = np.searchsorted(wanted, [first, first + table.num_rows])
            here = self._columns(table.take(wanted[low:high] - first), wanted[low:high])
            for name, column in here.items():
                _raw(found[name])[order[low:high]] = _raw(column)
        return found

    def _sample(self, count: int, rng: np.random.Generator) -> Integers:
        """Of the rows in memory; where those are too few, rows of some places spread over the file."""
        assert self.size is not None
        kept = self._kept_index
        if count <= len(kept) or len(kept) == self.size:
            return kept[np.sort(rng.choice(len(kept), min(count, len(kept)), replace=False))]
        if count >= self.size:
            return np.arange(self.size)
        each = -(-count // _PLACES)
        edges = np.linspace(0, self.size, _PLACES + 1).astype(np.int64)
        starts = [rng.integers(low, max(low, high - each) + 1) for low, high in pairwise(edges)]
        rows = [np.arange(a, min(a + each, b)) for a, b in zip(starts, edges[1:], strict=True)]
        return np.concatenate(rows)

    def _places(self, X: Any) -> Integers:
        """Remembered, because each new search goes through the whole file."""
        keys = [x.tobytes() for x in np.asarray(X, float)]
        if new := [i for i, key in enumerate(keys) if key not in self._found]:
            for i, place in zip(new, super()._places(X[new]), strict=True):
                self._found[keys[i]] = int(place)
        return np.array([self._found[key] for key in keys], np.int64)


def _stamp(path: Path) -> tuple[int, int] | None:
    """By which a changed file is known at once; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _raw(column: Column) -> Any:
    """Its numbers: of a column of kinds, their places."""
    return column.codes if isinstance(column, Coded) else column


class _Sample:
    """Rows of a file of unknown length, each as likely as the others, as the file is gone through.

    Every row draws a number; those below a limit are kept, and the limit is halved whenever they are too many.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._limit = 1.0
        self._rng = np.random.default_rng(5)
        self._keys = np.empty(0)
        self.index = np.empty(0, np.int64)
        self.table: Any = None

    def add(self, table: Any, first: int) -> None:
        """The rows of the next piece, the first of which is number ``first``."""
        import pyarrow as pa

        keys = self._rng.random(table.num_rows)
        rows = np.flatnonzero(keys < self._limit)
        table = _plain(table.take(rows))
        self.table = table if self.table is None else pa.concat_tables([self.table, table])
        self.index = np.concatenate([self.index, first + rows])
        self._keys = np.concatenate([self._keys, keys[rows]])
        while len(self.index) > self.most:
            self._limit *= 0.5
            kept = np.flatnonzero(self._keys < self._limit)
            self.table, self.index, self._keys = self.table.take(kept), self.index[kept], self._keys[kept]


def _plain(table: Any) -> Any:
    """With texts as texts, so that tables with other dictionaries can be joined."""
    import pyarrow as pa

    return table.cast(
        pa.schema(
            [
                pa.field(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type)
                for f in table.schema
            ]
        )
    )


def _codes(column: Any, kinds: Sequence[str]) -> Any:
    """The places of texts in ``kinds``, shape (m,)."""
    import pyarrow as pa
    from pyarrow import compute as pc

    known, parts = pa.array(kinds, pa.string()), []
    for chunk in column.chunks:
        encoded = chunk.dictionary_encode()  # as it is, where it is encoded
        place = pc.index_in(encoded.dictionary.cast(pa.string()), known).to_numpy(zero_copy_only=False)
        # An empty cell is the empty text.
        place = np.append(place, kinds.index("") if "" in kinds else -1)
        parts.append(place[pc.fill_null(encoded.indices, len(place) - 1).to_numpy(zero_copy_only=False)])
    small = np.int16 if len(kinds) < 2**15 else np.int32
    return np.concatenate(parts).astype(small) if parts else np.empty(0, small)


def _ahead(things: Iterable[Thing]) -> Iterator[Thing]:
    """The same, the next one made by another thread while the last is worked on."""
    each = iter(things)
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, each, None)
        while (one := coming.result()) is not None:
            coming = thread.submit(next, each, None)
            yield one


def _plan(head: Any, settings: Sequence[str] | None, leave: Sequence[str]) -> Plan:
    from zairyo.tables import TableError

    head = head.rename(columns=lambda c: str(c).strip())
    try:
        table = understood(head, leave)
    except TableError as e:
        raise CampaignError(f"the first rows of the candidates' file cannot be used: {e}") from None
    table = with_categories(table, settings, leave)
    return plan_of(table, settings, leave, own_names=False)


def _whole_only_where(plan: Plan, broken: set[str]) -> Plan:
    """The same plan; what is whole in the first rows need not be so in all."""
    columns = tuple(
        replace(c, kind="number") if c.kind == "integer" and plan.keys[c.name] in broken else c
        for c in plan.schema.columns
    )
    return replace(plan, schema=replace(plan.schema, columns=columns))
