"""Numbers to learn from: one matrix, whose columns say what they are and which column of the table they come from.

A plan is made from one table and applied to that and any other, so that what was learned from samples already made
can be asked of candidates: the same features, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from zairyo.measurement import units
from zairyo.tables._base import Floats, Integers, Mask, TableError, listed
from zairyo.tables._change import at_positions
from zairyo.tables._features_composition import DEFAULT_COMPOSITIONS, composition_makers
from zairyo.tables._features_smiles import DEFAULT_SMILES, smiles_maker
from zairyo.tables._mixtures import fractions
from zairyo.tables.schema import Column, Mixture

if TYPE_CHECKING:
    import pandas as pd

    from zairyo.tables.table import Table

#: What a block of features is. ``mixture``: fractions that sum to 1; ``levels``: one of them is 1, the others 0.
BlockKind: TypeAlias = Literal[
    "number", "integer", "ordinal", "levels", "level_values", "mixture", "elements", "molecule"
]


_ROWS = 65536


@dataclass(frozen=True)
class Block:
    """Features that belong together, for kernels that treat them as one.

    Attributes
    ----------
    kind
        ``number`` or ``integer``: one setting. ``ordinal``: the rank of a level. ``levels``: one feature a level.
        ``level_values``: what is known of the level. ``mixture``: fractions that sum to 1 (amounts in columns, or the
        elements of formulas). ``elements``: numbers made from the properties of the elements. ``molecule``: the same
        of a SMILES.
    source
        The table's column, or its mixture.
    start, stop
        Columns of the matrix.
    """

    kind: BlockKind
    source: str
    start: int
    stop: int


@dataclass(frozen=True)
class Part:
    """How to make one block from a table: its features' names and units, and the function that gives the numbers.

    ``make`` returns shape (n, number of names), NaN where missing.
    """

    kind: BlockKind
    source: str
    names: tuple[str, ...]
    units: tuple[str | None, ...]
    make: Callable[[Table], Floats]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """How features are made; ``apply`` makes them from a table with the columns that it needs."""

    parts: tuple[Part, ...]

    def apply(self, table: Table) -> Features:
        """The features of a table: the same columns whichever table it is.

        Raises
        ------
        TableError
            A column is not there, or has a level or element that the plan does not know.
        """
        edges = np.cumsum([0, *(len(part.names) for part in self.parts)])
        matrix = np.empty((len(table), int(edges[-1])))
        # A piece of the rows at a time, so that little is needed beside the matrix itself.
        for first in range(0, len(table), _ROWS):
            rows = slice(first, first + _ROWS)
            piece = table if len(table) <= _ROWS else at_positions(table, rows)
            for part, start, stop in zip(self.parts, edges[:-1], edges[1:], strict=True):
                matrix[rows, start:stop] = part.make(piece)
        return Features(matrix, self, table.rows)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for part in self.parts for name in part.names)


@dataclass(frozen=True, eq=False)
class Features:
    """Numbers to learn from.

    Attributes
    ----------
    matrix
        Shape (n, p), float64, NaN where missing.
    plan
        How they were made; ``plan.apply(other_table)`` makes the same of another table.
    rows
        Ids of the table's rows, shape (n,).
    """

    matrix: Floats
    plan: Plan = field(repr=False)
    rows: Integers = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """One a column, unique: ``T``, ``gas=Ar``, ``alloy: Fe``, ``alloy: mean electronegativity``."""
        return self.plan.names

    @property
    def units(self) -> tuple[str | None, ...]:
        return tuple(unit for part in self.plan.parts for unit in part.units)

    @property
    def sources(self) -> tuple[str, ...]:
        """The table's column or mixture that each feature comes from."""
        return tuple(part.source for part in self.plan.parts for _ in part.names)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The features that belong together, in order; every column of the matrix is in one."""
        blocks, start = [], 0
        for part in self.plan.parts:
            blocks.append(Block(part.kind, part.source, start, start + len(part.names)))
            start += len(part.names)
        return tuple(blocks)

    @property
    def missing(self) -> Mask:
        """Where the matrix has no number, shape (n, p)."""
        result: Mask = np.isnan(self.matrix)
        return result

    @property
    def constant(self) -> tuple[str, ...]:
        """Features that are the same in every row, from which nothing can be learned here."""
        if not len(self.matrix):
            return ()
        low, high = (f.reduce(self.matrix, axis=0) for f in (np.fmin, np.fmax))
        return tuple(n for n, same in zip(self.names, low == high, strict=True) if same)

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be known, e.g. a property of an element, for people."""
        return tuple(dict.fromkeys(note for part in self.plan.parts for note in part.notes))

    @property
    def shape(self) -> tuple[int, int]:
        return self.matrix.shape[0], self.matrix.shape[1]

    def __len__(self) -> int:
        return len(self.matrix)

    def to_pandas(self) -> pd.DataFrame:
        """A DataFrame with the features' names, indexed by the rows' ids."""
        import pandas as pd

        return pd.DataFrame(self.matrix, columns=list(self.names), index=pd.Index(self.rows, name="row"))

    def __repr__(self) -> str:
        lines = [f"Features: {self.shape[0]:,} samples × {self.shape[1]} features"]
        for block in self.blocks[:40]:
            names = listed(
                [n.removeprefix(f"{block.source}: ") for n in self.names[block.start : block.stop]], 6
            )
            lines.append(f"  {block.kind:<12}  {block.source}: {names}")
        if missing := int(self.missing.sum()):
            lines.append(f"  {missing:,} numbers are missing")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def plan_features(
    table: Table,
    *,
    roles: Sequence[str] = ("composition", "process"),
    descriptors: bool = False,
    columns: Sequence[str] | None = None,
    compositions: Sequence[str] = DEFAULT_COMPOSITIONS,
    properties: Sequence[str] | None = None,
    smiles: Sequence[str] = DEFAULT_SMILES,
    besides: Sequence[Table] = (),
) -> Plan:
    """Decide which features to make from a table's columns.

    Parameters
    ----------
    roles
        Of the columns to use. Text, which nothing is learned from, is never used.
    descriptors
        Whether measured descriptors are used too; they are missing for samples that are not made.
    columns
        Exactly these columns, in place of ``roles``.
    compositions
        What is made of formulas, and of mixtures of formulas: ``amounts`` (the atomic fraction of each element),
        ``properties`` (mean, deviation, range, minimum and maximum of the elements' properties), ``norms``
        (stoichiometric norms), ``alloy`` (mixing entropy, atomic-size mismatch). Mixtures in columns always
        give their fractions.
    properties
        Names in ``zairyo.tables.elements.PROPERTIES``; those known of nearly every element if None.
    smiles
        What is made of SMILES: ``descriptors`` (mass, polarity …), ``fingerprint`` (counts of Morgan fragments),
        ``levels`` (one feature a molecule; needs no RDKit).
    besides
        Other samples that features are to be made of: an element that only they have gets a feature too.

    Raises
    ------
    TableError
        A name is not known; or a library that a feature needs is not installed.
    """
    if columns is not None:
        chosen = [table.schema[name] for name in columns]
        if text := [c.name for c in chosen if c.kind == "text"]:
            raise TableError(
                f"columns of text give no features: {listed(text)}; make them categories if they are few words"
            )
    else:
        wanted = (*roles, *(("measured_descriptor",) if descriptors else ()))
        names = set(table.schema.of_role(*wanted))
        chosen = [c for c in table.schema.columns if c.name in names and c.kind != "text"]
    parts: list[Part] = []
    mixtures = {name: m for m in table.schema.mixtures for name in m.columns}
    for column in chosen:
        mixture = mixtures.get(column.name)
        if mixture is None:
            parts += _parts(table, column, compositions, properties, smiles, besides)
        elif not any(p.source == mixture.name for p in parts):
            parts.append(_mixture_part(mixture))
            parts += composition_makers(
                table, mixture, [c for c in compositions if c != "amounts"], properties
            )
    return Plan(_named_apart(parts))


def _parts(
    table: Table,
    column: Column,
    compositions: Sequence[str],
    properties: Sequence[str] | None,
    smiles: Sequence[str],
    besides: Sequence[Table],
) -> Iterable[Part]:
    name = column.name
    if column.numeric:
        kind: BlockKind = "integer" if column.kind == "integer" else "number"
        yield Part(kind, name, (name,), (column.unit,), partial(_numbers, name=name, unit=column.unit))
    elif column.kind == "composition":
        yield from composition_makers(table, column, compositions, properties, besides)
    elif column.kind == "smiles" and tuple(smiles) != ("levels",):
        yield smiles_maker(table, name, smiles)
    elif column.kind == "smiles":
        yield _by_level("levels", name, tuple(sorted(table.codes(name)[1])))
    elif column.level_values:
        known = tuple(column.level_values)
        numbers = np.array([column.level_values[k] for k in known]).T
        yield _by_level("level_values", name, column.levels, numbers, tuple(f"{name}: {k}" for k in known))
    elif column.ordered:
        ranks = np.arange(len(column.levels), dtype=np.float64)[:, None]
        yield _by_level("ordinal", name, column.levels, ranks, (name,))
    else:
        yield _by_level("levels", name, column.levels)


def _numbers(table: Table, name: str, unit: str | None = None) -> Floats:
    """Shape (n, 1), in the unit in which the features were planned."""
    column = table.schema[name]
    cells = table.cells[column.name]
    if cells.distinct is not None:
        raise TableError(f"column {name!r} holds text here, and held numbers when the features were planned")
    return in_unit(cells.values, column, unit)[:, None]


def in_unit(values: Floats, column: Column, unit: str | None) -> Floats:
    """A column's numbers in a unit; where one of the two is not told, they are taken to be in it.

    Raises
    ------
    TableError
        The two units measure different things, or one is not known.
    """
    if not column.unit or not unit or column.unit == unit:
        return values
    if not units.same_dimension(column.unit, unit):
        raise TableError(
            f"column {column.name!r} is in {column.unit} here, and in {unit} in what was learned from"
        )
    return np.asarray(units.convert(values, column.unit, unit), np.float64)


def _by_level(
    kind: BlockKind,
    name: str,
    levels: tuple[str, ...],
    numbers: Floats | None = None,
    names: tuple[str, ...] = (),
) -> Part:
    """Numbers a level; one feature a level if None."""
    numbers = np.eye(len(levels)) if numbers is None else numbers
    names = names or tuple(f"{name}={level}" for level in levels)

    return Part(
        kind, name, names, (None,) * len(names), partial(by_text, name=name, known=levels, numbers=numbers)
    )


def by_text(table: Table, name: str, known: tuple[str, ...], numbers: Floats) -> Floats:
    """The numbers (k, p) that belong to each cell's text, NaN where it is missing.

    Raises
    ------
    TableError
        A text that is used is not among those known.
    """
    codes, distinct = table.codes(name)
    at = {text: i for i, text in enumerate(known)}
    translate = np.array([*(at.get(text, -2) for text in distinct), -1], np.int64)
    found = translate[codes]
    if (found == -2).any():
        strange = sorted({distinct[c] for c in codes[found == -2]})
        raise TableError(f"column {name!r}: {listed(strange)} was not there when the features were planned")
    rows: Floats = np.vstack([numbers, np.full((1, numbers.shape[1]), np.nan)])
    return rows[found]


def _mixture_part(mixture: Mixture) -> Part:
    names = (*mixture.columns, mixture.balance) if mixture.balance else mixture.columns
    return Part("mixture", mixture.name, names, ("",) * len(names), partial(fractions, mixture=mixture))


def _named_apart(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The same parts, with the source before names that come twice."""
    parts = list(parts)
    names = [n for p in parts for n in p.names]
    twice = {n for n in names if names.count(n) > 1} if len(set(names)) < len(names) else set()
    result = []
    for part in parts:
        renamed = tuple(f"{part.source}: {n}" if n in twice else n for n in part.names)
        result.append(Part(part.kind, part.source, renamed, part.units, part.make, part.notes))
    return tuple(result)
