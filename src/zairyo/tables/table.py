"""The table: rows are samples, columns are what is known of them, and each cell knows where it came from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zairyo.tables import _change
from zairyo.tables._base import Codes, Floats, Integers, Mask, Objects, TableError, listed
from zairyo.tables._cells import STATES
from zairyo.tables._store import NOWHERE, Cells, Origin, Source
from zairyo.tables.composition import Basis
from zairyo.tables.schema import Column, Mixture, Schema

if TYPE_CHECKING:
    import pandas as pd

    from zairyo.tables.features import Features
    from zairyo.tables.findings import Findings


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Samples and what is known of them. It never changes: what changes it returns a new table.

    Made by :meth:`read` and :meth:`from_measurements`. ``table["hardness"]`` is a column's values,
    ``table.schema`` what the columns are, ``table.state`` what became of each sample.

    Attributes
    ----------
    schema
        Columns with role, kind and unit; mixtures.
    rows
        Ids, shape (n,). A row keeps its id through all changes, selections and files.
    cells
        Column → its cells, as they are kept.
    states
        Positions in ``STATES``, shape (n,).
    reasons
        Codes, shape (n,), into texts: why a sample failed; −1 where there is nothing to say.
    replicate_of
        Id of the row that a row repeats, −1 where it repeats none.
    sources
        Where cells come from; cells hold codes into it.
    notes
        What was decided or left out when the table was read, for people.
    next_row
        The id of the next row that is added; ids are never used twice.
    """

    schema: Schema
    rows: Integers
    cells: Mapping[str, Cells]
    states: NDArray[np.int8]
    reasons: tuple[Codes, tuple[str, ...]]
    replicate_of: Integers
    sources: tuple[Source, ...] = (NOWHERE,)
    notes: tuple[str, ...] = ()
    next_row: int = -1

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", dict(self.cells))
        if self.next_row < 0:
            object.__setattr__(self, "next_row", int(self.rows.max()) + 1 if len(self.rows) else 0)
        if list(self.cells) != self.schema.names:
            raise TableError(
                f"the schema has columns {listed(self.schema.names)}, the cells {listed(list(self.cells))}"
            )
        for name, cells in self.cells.items():
            if len(cells) != len(self.rows):
                raise TableError(f"column {name!r} has {len(cells)} cells for {len(self.rows)} rows")
            cells.values.flags.writeable = False

    # Making ---------------------------------------------------------------------------------------------------------

    @classmethod
    def read(
        cls,
        source: str
        | os.PathLike[str]
        | pd.DataFrame
        | Mapping[str, Sequence[Any]]
        | Sequence[Mapping[str, Any]],
        *,
        roles: Mapping[str, Any] | None = None,
        units: Mapping[str, str] | None = None,
        schema: Schema | Mapping[str, Any] | str | os.PathLike[str] | None = None,
        sheet: str | int | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        decimal: str | None = None,
    ) -> Table:
        """Read a table from a file or from memory.

        Parameters
        ----------
        source
            A path (CSV or other separated text, Excel, Parquet), a DataFrame, a list of dicts or a dict of columns.
        roles
            Column → role, or role → columns, in place of what is guessed: ``{"property": "hardness"}``.
        units
            Column → unit, where its heading has none: ``{"strength": "MPa"}``. Cells may hold it too (``640 MPa``).
        schema
            What the columns are: a :class:`Schema`, its dict, or a YAML or JSON file. Without it, a file
            ``NAME.schema.yaml`` beside the table is used, and without that it is guessed.
        sheet
            Name or number of a workbook's sheet; the first if None.
        encoding, delimiter, decimal
            Of a text file; found if None.

        Raises
        ------
        TableError
            It cannot be read, or cells do not fit; the message names line and column and says what to do.
        OSError
            The file cannot be opened.
        """
        from zairyo.tables._build import read

        return read(
            source,
            schema=schema,
            roles=roles,
            units=units,
            sheet=sheet,
            encoding=encoding,
            delimiter=delimiter,
            decimal=decimal,
        )

    @classmethod
    def from_measurements(
        cls, measurements: Iterable[Any], descriptors: Sequence[str] = (), **options: Any
    ) -> Table:
        """A row a sample, from measurements and their descriptors: see :func:`zairyo.tables.measured.gather`."""
        from zairyo.tables.measured import gather

        return gather(measurements, descriptors, **options)

    # Looking --------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return self.schema.names

    def __getitem__(self, name: str) -> Floats | Objects:
        """A column's values: float64 with NaN where missing, or text with None there.

        A column can be asked for by its name or by its heading in the file.
        """
        cells = self.cells[self.schema[name].name]
        return cells.values if cells.distinct is None else cells.texts()

    def codes(self, name: str) -> tuple[Codes, tuple[str, ...]]:
        """A column of text as codes (−1 where missing) into its distinct texts; a category's are its levels.

        Raises
        ------
        TableError
            It is a column of numbers.
        """
        cells = self.cells[self.schema[name].name]
        if cells.distinct is None:
            raise TableError(f"column {name!r} holds numbers, which have no codes")
        return cells.values, tuple(cells.distinct)

    def missing(self, name: str) -> Mask:
        """Where a column has no value."""
        return self.cells[self.schema[name].name].missing

    def uncertainty(self, name: str) -> Floats:
        """One standard deviation for each cell of a column, in its unit; NaN where unknown."""
        known = self.cells[self.schema[name].name].uncertainty
        return np.full(len(self), np.nan) if known is None else known

    @property
    def state(self) -> Objects:
        """What became of each sample: planned, made, measured, failed or lost."""
        return np.array(STATES, object)[self.states]

    @property
    def reason(self) -> Objects:
        """Why each sample failed or was lost; None where nothing is said."""
        return np.array([*self.reasons[1], None], object)[self.reasons[0]]

    def position(self, row: int) -> int:
        """Where the row with an id is among the rows.

        Raises
        ------
        TableError
            There is none.
        """
        found = np.flatnonzero(self.rows == row)
        if not len(found):
            raise TableError(
                f"there is no row {row!r}; ids run from {self.rows.min()} to {self.rows.max()}"
                if len(self)
                else f"there is no row {row!r}; the table is empty"
            )
        return int(found[0])

    def row(self, row: int) -> dict[str, Any]:
        """What is known of the sample with an id: column → value, None where missing."""
        at = self.position(row)
        result: dict[str, Any] = {}
        for name, cells in self.cells.items():
            value = cells.values[at]
            if cells.distinct is None:
                result[name] = None if np.isnan(value) else float(value)
            else:
                result[name] = None if value < 0 else str(cells.distinct[value])
        return result

    def where(self, row: int, column: str) -> Origin:
        """Where a cell came from: a file's line and column, a measurement and its descriptor, a person."""
        at, told = self.position(row), self.schema[column]
        cells = self.cells[told.name]
        line = int(cells.line[at])
        return Origin(self.sources[cells.source[at]], None if line < 0 else line, told.heading or told.name)

    def findings(self) -> Findings:
        """What a person should know of the data: replicates and whether they agree, duplicates, constant columns …"""
        from zairyo.tables.findings import find

        return find(self)

    # Choosing -------------------------------------------------------------------------------------------------------

    def take(self, rows: NDArray[Any] | Sequence[int]) -> Table:
        """Some rows: a mask of shape (n,), or ids in the order wanted.

        Raises
        ------
        TableError
            An id is not there, or the mask has another length.
        """
        wanted = np.asarray(rows)
        if wanted.dtype == bool:
            if wanted.shape != self.rows.shape:
                raise TableError(f"the mask has shape {wanted.shape}; there are {len(self)} rows")
            at = np.flatnonzero(wanted)
        else:
            order = np.argsort(self.rows, kind="stable")
            wanted = wanted.astype(np.int64)
            found = np.searchsorted(self.rows, wanted, sorter=order)
            at = order[np.minimum(found, len(self) - 1)] if len(self) else np.zeros(0, np.int64)
            if len(at) != len(wanted) or (self.rows[at] != wanted).any():
                absent = [int(w) for w in wanted if w not in self.rows]
                raise TableError(f"there are no rows {listed(absent)}")
        return _change.at_positions(self, at)

    def in_state(self, *states: str) -> Table:
        """The rows in some states, e.g. ``table.in_state("measured")``."""
        if unknown := [s for s in states if s not in STATES]:
            raise TableError(f"there is no state {listed(unknown)}; there are {listed(STATES)}")
        return self.take(np.isin(self.states, [STATES.index(s) for s in states]))

    # Changing -------------------------------------------------------------------------------------------------------

    def with_schema(self, schema: Schema) -> Table:
        """The same cells under another schema: roles, units (values are converted), kinds, levels, mixtures.

        Raises
        ------
        TableError
            The columns are not the same, or cells do not fit; the message says which.
        """
        return _change.with_schema(self, schema)

    def with_roles(self, roles: Mapping[str, Any]) -> Table:
        """With other roles: column → role, or role → columns."""
        return self.with_schema(self.schema.with_roles(roles))

    def with_column(
        self, column: Column, values: Any, *, uncertainty: Any = None, source: Source | None = None
    ) -> Table:
        """With one more column, or with new cells for one that it has.

        Parameters
        ----------
        column
            What it is.
        values, uncertainty
            One a row: numbers with NaN, or texts with None, where missing.
        source
            Where the values are from.

        Raises
        ------
        TableError
            There is not one value a row, or a value does not fit the column.
        """
        return _change.with_column(self, column, values, uncertainty, source or Source("computed"))

    def add(self, rows: Any, *, by: str = "", new_levels: bool = False) -> Table:
        """With more rows, which get ids of their own.

        Parameters
        ----------
        rows
            A table, a DataFrame, a list of dicts, a dict of columns or a path: read by this table's schema. Columns
            that it does not have are empty.
        by
            Who says so, if a person does.
        new_levels
            Whether categories may have levels that are not known yet; a typing error would be one.

        Raises
        ------
        TableError
            A cell does not fit, or there is a column that this table does not have.
        """
        return _change.add(self, rows, by, new_levels)

    def update(
        self,
        row: int,
        values: Mapping[str, Any] | None = None,
        *,
        state: str | None = None,
        reason: str | None = None,
        uncertainty: Mapping[str, float] | None = None,
        replicate_of: int | None = None,
        by: str = "",
        source: Source | None = None,
        new_levels: bool = False,
    ) -> Table:
        """With some cells of a row changed, or its state.

        Parameters
        ----------
        row
            The row's id.
        values
            Column → value: a number, a text, a ``Quantity`` (converted to the column's unit), None for missing.
        state, reason
            What became of the sample, and why. A property that is given makes it measured, a measured descriptor
            made, unless a state is given.
        uncertainty
            Column → one standard deviation of the value given.
        by, source
            Who says so, or where it is from.

        Raises
        ------
        TableError
            There is no such row or column, or a value does not fit.
        """
        return _change.update(
            self, row, dict(values or {}), state, reason, dict(uncertainty or {}), replicate_of,
            source or Source("person", by or "unknown"), new_levels,
        )  # fmt: skip

    # Using ----------------------------------------------------------------------------------------------------------

    def features(
        self, roles: Sequence[str] = ("composition", "process"), descriptors: bool = False, **options: Any
    ) -> Features:
        """Numbers to learn from: see :func:`zairyo.tables.features.plan_features` for the options.

        The same columns for another table come from ``features.plan.apply(other)``.
        """
        from zairyo.tables.features import plan_features

        return plan_features(self, roles=roles, descriptors=descriptors, **options).apply(self)

    def mixture(self, name: str) -> Mixture:
        """A mixture by its name."""
        for mixture in self.schema.mixtures:
            if mixture.name == name:
                return mixture
        raise TableError(
            f"there is no mixture {name!r}; there are {listed([m.name for m in self.schema.mixtures])}"
        )

    def fractions(self, mixture: str, basis: Basis | None = None) -> Floats:
        """Fractions, shape (n, parts), of a mixture by mole, mass or volume; they sum to 1."""
        from zairyo.tables._mixtures import fractions

        return fractions(self, self.mixture(mixture), basis)

    def element_fractions(self, name: str) -> tuple[Floats, tuple[str, ...]]:
        """Atomic fractions, shape (n, elements), of a column of formulas or a mixture of formulas; and the elements."""
        from zairyo.tables._mixtures import element_fractions

        return element_fractions(self, name)

    def to_pandas(self, whole: bool = False) -> pd.DataFrame:
        """A DataFrame of the columns, indexed by the rows' ids.

        Units are in ``frame.attrs["units"]``. If ``whole``, with states, reasons, replicates and uncertainties.
        """
        from zairyo.tables._files import to_pandas

        return to_pandas(self, whole)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one Parquet file; ``Table.read`` gives the same table again."""
        from zairyo.tables._files import to_parquet

        to_parquet(self, path)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write cells, uncertainties and states to a CSV file, and the schema to ``NAME.schema.yaml`` beside it.

        ``Table.read`` gives the same table again, whose cells come from that file.
        """
        from zairyo.tables._files import to_csv

        to_csv(self, path)

    def __eq__(self, other: object) -> bool:
        """Whether all is the same but notes: schema, ids, cells, uncertainties, states, and where cells came from."""
        return isinstance(other, Table) and _change.equal(self, other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        from zairyo.tables._show import describe

        return describe(self)

    def _repr_html_(self) -> str:
        from zairyo.tables._show import describe_html

        return describe_html(self)
