"""Candidates that are rows of a file too large for memory: read in blocks each time they are gone through.

What the columns are is understood from the first rows, as ``zairyo.tables`` does. One pass over the file then finds
ranges, kinds, and where blocks begin, so that any row can be read again without the others.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from zairyo.campaign._base import CampaignError, Integers
from zairyo.campaign._coding import Coding, MixtureCode
from zairyo.campaign._columns import Coded, Column, Columns, listed, take
from zairyo.campaign._constraints import as_constraint
from zairyo.campaign._pool_table import Plan, codes_of, plan_of, understood, with_categories
from zairyo.campaign._pools import Pool

#: Bytes of a text file, and rows of a Parquet file, that are read together.
_CHUNK = 4 << 20
_ROWS = 1 << 17
_HEAD = 5_000
#: Random rows are taken from so many places of the file.
_PLACES = 48
_MOST_KINDS = 10_000


class Source(Protocol):
    """A file of rows that can be read a part at a time."""

    headings: list[str]

    def parts(self) -> int | None:
        """How many parts there are; None before they have been gone through once."""
        ...

    def whole(self, name: str) -> bool:
        """Whether a column of whole numbers was written without a decimal point, as far as can be told."""
        ...

    def read(self, part: int, columns: Sequence[str], numbers: Sequence[str]) -> Any:
        """Some columns of one part, as Arrow has them; ``numbers`` as float64, the others as text."""
        ...


class ParquetSource:
    """A Parquet file; its parts are row groups."""

    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        self.file = parquet.ParquetFile(path)
        self.headings = list(self.file.schema_arrow.names)

    def parts(self) -> int | None:
        return int(self.file.num_row_groups)

    def whole(self, name: str) -> bool:
        import pyarrow as pa

        return bool(pa.types.is_integer(self.file.schema_arrow.field(name).type))

    def head(self) -> Any:
        """The first rows, as a DataFrame."""
        for batch in self.file.iter_batches(batch_size=_HEAD):
            return batch.to_pandas()
        raise CampaignError("the candidates' file has no rows")

    def read(self, part: int, columns: Sequence[str], numbers: Sequence[str]) -> Any:
        import pyarrow as pa
        from pyarrow import compute as pc

        table = self.file.read_row_group(part, columns=list(columns))
        fields = []
        for name in columns:
            column = table[name]
            if pa.types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            fields.append(pc.cast(column, pa.float64() if name in numbers else pa.string()))
        return pa.table(fields, names=list(columns))


class TextSource:
    """A file of separated text; its parts are some megabytes that end with a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            head = file.read(1 << 16)
        self.encoding = _encoding(head)
        self._start = 3 if head.startswith(b"\xef\xbb\xbf") else 0
        line = head[self._start :].split(b"\n", 1)[0] + b"\n"
        self.delimiter = _delimiter(line.decode(self.encoding))
        told = line.decode(self.encoding).rstrip("\r\n")
        self.headings = [h.strip() for h in next(csv.reader([told], delimiter=self.delimiter), [])]
        twice = sorted({h for h in self.headings if self.headings.count(h) > 1})
        if twice:
            raise CampaignError(f"{path.name} has column {listed(twice)} twice; rename one")
        self._start += len(line)
        second = head[self._start :].split(b"\n", 2)[0].decode(self.encoding)
        self.decimal = "," if self.delimiter == ";" and "," in second and "." not in second else "."
        self._offsets: list[int] | None = None
        self._pointed: set[str] = set()

    def parts(self) -> int | None:
        return None if self._offsets is None else len(self._offsets) - 1

    def head(self) -> Any:
        """The first rows, as a DataFrame of text."""
        import pandas as pd

        told: dict[str, Any] = {"sep": self.delimiter, "encoding": self.encoding, "nrows": _HEAD}
        try:
            frame = pd.read_csv(self.path, dtype=str, keep_default_na=False, **told)
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as e:
            raise CampaignError(f"{self.path.name} cannot be read: {str(e).strip()}") from None
        if self.decimal == ",":
            frame = frame.replace(r"^([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)$", r"\1.\2", regex=True)
        self._pointed = {str(c).strip() for c in frame if frame[c].str.contains(".", regex=False).any()}
        return frame

    def whole(self, name: str) -> bool:
        return name not in self._pointed

    def find_parts(self) -> Iterator[int]:
        """Go through the file once and find where parts begin; gives each part's number as it becomes known."""
        offsets = [self._start]
        with self.path.open("rb") as file:
            file.seek(self._start)
            left = 0  # bytes after the last line that ended
            quotes = 0
            while chunk := file.read(_CHUNK):
                end = _line_end(chunk, quotes)
                quotes += chunk.count(b'"')
                left += len(chunk)
                if end < 0:
                    if left > 64 * _CHUNK:
                        raise CampaignError(
                            f"{self.path.name}: no line ends in {left:,} bytes; is it a table?"
                        )
                    continue
                offsets.append(offsets[-1] + left - len(chunk) + end + 1)
                left = len(chunk) - end - 1
                self._offsets = offsets
                yield len(offsets) - 2
            if left:
                offsets.append(offsets[-1] + left)
                self._offsets = offsets
                yield len(offsets) - 2
        self._offsets = offsets

    def read(self, part: int, columns: Sequence[str], numbers: Sequence[str]) -> Any:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        assert self._offsets is not None
        with self.path.open("rb") as file:
            file.seek(self._offsets[part])
            data = file.read(self._offsets[part + 1] - self._offsets[part])
        if not data.strip():
            return pa.table({n: pa.array([], pa.float64() if n in numbers else pa.string()) for n in columns})
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                column_names=self.headings, block_size=max(len(data), 1 << 16), encoding=self.encoding
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=b'"' in data),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(columns),
                column_types={n: pa.float64() if n in numbers else pa.string() for n in columns},
                decimal_point=self.decimal,
                strings_can_be_null=True,
            ),
        )


@dataclass
class _Seen:
    """What the pass over the file finds."""

    low: dict[str, float]
    high: dict[str, float]
    kinds: dict[str, dict[str, int]]
    rows: list[int]
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
        parquet = path.suffix.lower() in (".parquet", ".pq")
        self._source: Any = ParquetSource(path) if parquet else TextSource(path)
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
        self._seen = _Seen({}, {}, {n: {} for n in self._wanted if n not in self._numbers}, [], set())
        self._look(keys)
        self._edges = np.cumsum([0, *self._seen.rows])
        if not self._edges[-1]:
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
            size=int(self._edges[-1]),
            constraints=given,
            shared=shared,
            cost=cost,
            others=others,
        )
        self._mixtures = [c for c in codes if isinstance(c, MixtureCode)] if amounts else []
        self.notes = plan.notes
        self._found: dict[bytes, int] = {}
        self.allows(take(self._part(0), slice(0, 1)))

    def _look(self, keys: Sequence[str]) -> None:
        """One pass over the file: ranges, kinds, how many rows each part has."""
        source, seen = self._source, self._seen
        parts = source.find_parts() if source.parts() is None else range(source.parts())
        for part in parts:
            table = self._read(part)
            for name in self._wanted:
                column = table[name]
                if name in self._numbers:
                    values = column.to_numpy()
                    bad = np.flatnonzero(~np.isfinite(values)) if len(values) else values
                    if len(bad) and name in keys:
                        self._refuse(int(bad[0]), name, f"{values[bad[0]]} is no setting")
                    if len(values):
                        if name not in seen.broken and (values % 1 != 0).any():
                            seen.broken.add(name)
                        seen.low[name] = min(seen.low.get(name, np.inf), float(values.min()))
                        seen.high[name] = max(seen.high.get(name, -np.inf), float(values.max()))
                    continue
                for text in column.unique().to_pylist():
                    if text is None or not text.strip():
                        if name in keys:
                            row = next(
                                i for i, v in enumerate(column.to_pylist()) if v is None or not v.strip()
                            )
                            self._refuse(row, name, "it has no value")
                        text = ""
                    seen.kinds[name].setdefault(text, 0)
                if len(seen.kinds[name]) > _MOST_KINDS:
                    raise CampaignError(
                        f"{self.path.name}, column {name!r} has more than {_MOST_KINDS:,} different texts; leave it "
                        "out by settings=[…], or split it into columns that say what the texts mean"
                    )
            seen.rows.append(table.num_rows)

    def _refuse(self, row: int, name: str, what: str) -> None:
        at = sum(self._seen.rows) + row
        raise CampaignError(
            f"{self.path.name}, row {at:,} (the first is 0), column {name!r}: {what}; fill it in or leave the row out"
        )

    def _read(self, part: int) -> Any:
        import pyarrow as pa

        numbers = [n for n in self._wanted if n in self._numbers]
        try:
            return self._source.read(part, self._wanted, numbers)
        except (pa.ArrowException, OSError) as error:
            self._explain(part, numbers, error)
            raise

    def _explain(self, part: int, numbers: Sequence[str], error: Exception) -> None:
        """Which cell is no number, where Arrow only says that some is not."""
        import pyarrow as pa

        try:
            table = self._source.read(part, self._wanted, [])
        except (pa.ArrowException, OSError):
            raise CampaignError(f"{self.path.name} cannot be read: {error}") from None
        for name in numbers:
            for row, text in enumerate(table[name].to_pylist()):
                try:
                    float((text or "nan").replace(getattr(self._source, "decimal", "."), "."))
                except ValueError:
                    self._refuse(row, name, f"{text!r} is no number")
        raise CampaignError(f"{self.path.name} cannot be read: {error}") from None

    def _part(self, part: int) -> Columns:
        """The columns of a part."""
        import pyarrow as pa
        from pyarrow import compute as pc

        table = self._read(part)
        columns: dict[str, Column] = {}
        for name in self._wanted:
            if name in self._numbers:
                columns[name] = np.asarray(table[name].to_numpy(), float)
                continue
            texts = pc.fill_null(table[name], "")
            codes = pc.index_in(texts, pa.array(self._kinds[name])).to_numpy()
            small = np.int16 if len(self._kinds[name]) < 2**15 else np.int32
            columns[name] = Coded(codes.astype(small), self._kinds[name])
        for code in getattr(self, "_mixtures", ()):
            bad = code.wrong(columns)
            if bad.size:
                at = int(self._edges[part]) + int(bad[0])
                raise CampaignError(
                    f"{self.path.name}, row {at:,}, mixture {code.name!r}: {code.why(columns, int(bad[0]))}"
                )
        return columns

    def _stream(self, rows: int) -> Iterator[tuple[Integers, Columns]]:
        for part, first in enumerate(self._edges[:-1].tolist()):
            columns = self._part(part)
            count = int(self._edges[part + 1]) - first
            for start in range(0, count, rows):
                stop = min(start + rows, count)
                yield np.arange(first + start, first + stop), take(columns, slice(start, stop))

    def _at(self, index: Integers) -> Columns:
        index = np.asarray(index, np.int64)
        if len(index) and int(index.max()) >= self._edges[-1]:
            raise CampaignError(f"there is no candidate {int(index.max())}; the file has {self._edges[-1]:,}")
        part_of = np.searchsorted(self._edges, index, side="right") - 1
        gathered: dict[str, Any] = {}
        for part in np.unique(part_of):
            rows = np.flatnonzero(part_of == part)
            columns = take(self._part(int(part)), index[rows] - self._edges[part])
            for name, column in columns.items():
                values = column.codes if isinstance(column, Coded) else column
                gathered.setdefault(name, np.empty(len(index), values.dtype))[rows] = values
        if not gathered:
            return take(self._part(0), slice(0, 0))
        return {n: Coded(v, self._kinds[n]) if n in self._kinds else v for n, v in gathered.items()}

    def _sample(self, count: int, rng: np.random.Generator) -> Integers:
        """Random rows of some parts spread over the file, so that few of them need to be read."""
        parts = len(self._edges) - 1
        if parts <= _PLACES:
            return super()._sample(count, rng)
        bounds = np.linspace(0, parts, _PLACES + 1).astype(np.int64)
        chosen = rng.integers(bounds[:-1], bounds[1:])
        lengths = np.diff(self._edges)[chosen]
        each = np.minimum(lengths, -(-count // _PLACES))
        rows = [
            self._edges[p] + np.sort(rng.choice(int(n), int(k), replace=False))
            for p, n, k in zip(chosen, lengths, each, strict=True)
        ]
        return np.concatenate(rows)

    def _places(self, X: Any) -> Integers:
        """Remembered, because each new search goes through the whole file."""
        keys = [x.tobytes() for x in np.asarray(X, float)]
        if new := [i for i, key in enumerate(keys) if key not in self._found]:
            for i, place in zip(new, super()._places(X[new]), strict=True):
                self._found[keys[i]] = int(place)
        return np.array([self._found[key] for key in keys], np.int64)


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


def _encoding(head: bytes) -> str:
    for encoding in ("utf-8", "cp932", "cp1252"):
        try:
            io.BytesIO(head).read().rsplit(b"\n", 1)[0].decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise CampaignError(
        "the candidates' file is no text (neither UTF-8 nor Shift-JIS); save it as CSV in UTF-8 or Parquet"
    )


def _delimiter(line: str) -> str:
    counts = {sign: line.count(sign) for sign in ("\t", ";", ",", "|")}
    return max(counts, key=lambda sign: counts[sign]) if any(counts.values()) else ","


def _line_end(chunk: bytes, quotes: int) -> int:
    """The last place in a chunk where a line ends outside quotes; −1 if there is none."""
    inside = (quotes + chunk.count(b'"')) % 2
    end = last = len(chunk)
    behind = 0
    while (end := chunk.rfind(b"\n", 0, last)) >= 0:
        behind += chunk.count(b'"', end, last)
        if behind % 2 == inside:
            return end
        last = end
    return -1
