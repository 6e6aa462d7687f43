"""Mixtures in columns of amounts: sums checked, fractions by mole, mass or volume, and the elements they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.tables._base import Floats, Mask, TableError, listed
from zairyo.tables.composition import Basis, Composition, parse
from zairyo.tables.elements import elements
from zairyo.tables.schema import Mixture

if TYPE_CHECKING:
    from zairyo.tables.table import Table

_MOST_TOLD = 100


def check_mixtures(table: Table) -> None:
    """Every row of every mixture sums to its total.

    Raises
    ------
    TableError
        Rows that do not, each with where it came from.
    """
    problems: list[str] = []
    for mixture in table.schema.mixtures:
        amounts, wrong = _amounts(table, mixture)
        columns = listed(mixture.columns)
        negative = np.flatnonzero((amounts < 0).any(axis=1))
        problems += [
            f"{_where(table, r, mixture)}: an amount of {columns} is below 0" for r in negative[:_MOST_TOLD]
        ]
        total = np.nansum(amounts, axis=1)
        problems += [
            f"{_where(table, r, mixture)}: {columns} sum to {total[r]:g} where the mixture's total is "
            f"{mixture.total:g}; correct the row, or set the mixture's total to null if only proportions matter"
            for r in np.flatnonzero(wrong)[:_MOST_TOLD]
        ]
    if problems:
        raise TableError(*problems)


def _where(table: Table, row: int, mixture: Mixture) -> str:
    place = next((c for c in mixture.columns if not table.cells[c].missing[row]), mixture.columns[0])
    return str(table.where(int(table.rows[row]), place))


def _amounts(table: Table, mixture: Mixture) -> tuple[Floats, Mask]:
    """The amounts, shape (n, k), NaN only in rows that state none; and which rows do not sum to the total.

    An empty cell beside others is an ingredient that is not there, unless a balance makes that unknowable.
    """
    amounts = np.stack([table.cells[c].values for c in mixture.columns], axis=1)
    absent = np.isnan(amounts)
    stated = ~absent.all(axis=1)
    amounts[absent & stated[:, None]] = 0.0
    total = amounts.sum(axis=1)
    slack = mixture.tolerance + 1e-9
    if mixture.total is None:
        wrong = total <= 0
    elif mixture.balance:
        wrong = total > mixture.total * (1 + slack)
    else:
        wrong = np.abs(total - mixture.total) > slack * mixture.total
    return amounts, wrong & stated


def fractions(table: Table, mixture: Mixture, basis: Basis | None = None) -> Floats:
    """Fractions of the mixture's parts that sum to 1 in every row; rows that state none are NaN.

    Parameters
    ----------
    basis
        By ``mole``, ``mass`` or ``volume``; as they are given if None.

    Returns
    -------
    array
        Shape (n, number of ``mixture.parts``); the balance last.

    Raises
    ------
    TableError
        The basis of the amounts is not stated, or a molar mass or density that the conversion needs is not known.
    """
    amounts, _ = _amounts(table, mixture)
    if mixture.balance and mixture.total is not None:
        rest = np.maximum(mixture.total - amounts.sum(axis=1), 0.0)
        amounts = np.column_stack([amounts, rest])
    with np.errstate(invalid="ignore"):
        parts: Floats = amounts / amounts.sum(axis=1, keepdims=True)
    if basis in (None, mixture.basis):
        return parts
    if mixture.basis is None:
        raise TableError(
            f"mixture {mixture.name!r} does not state what its amounts count; set its basis to mole, mass or volume"
        )
    assert basis is not None
    return convert(parts, mixture.basis, basis, mixture)


def convert(parts: Floats, source: Basis, target: Basis, mixture: Mixture) -> Floats:
    """Fractions (…, k) of the mixture's parts in another basis; they sum to 1 again.

    Raises
    ------
    TableError
        A molar mass or density is not known.
    """
    factor = np.ones(len(mixture.parts))
    for basis, power in ((source, 1), (target, -1)):
        if basis == "mole":
            factor *= np.array([_molar_mass(mixture, p) for p in mixture.parts]) ** power
        elif basis == "volume":
            factor *= np.array([_density(mixture, p) for p in mixture.parts]) ** power
    result = parts * factor
    total: Floats = result / result.sum(axis=-1, keepdims=True)
    return total


def _molar_mass(mixture: Mixture, part: str) -> float:
    if part in mixture.molar_masses:
        return mixture.molar_masses[part]
    try:
        return parse(part).molar_mass
    except TableError:
        raise TableError(
            f"mixture {mixture.name!r}: the molar mass of {part!r} is not known; give its formula in ingredients, or "
            "its molar mass (g/mol) in molar_masses"
        ) from None


def _density(mixture: Mixture, part: str) -> float:
    if part in mixture.densities:
        return mixture.densities[part]
    table = elements()
    if part in table.index and np.isfinite(density := table.property("density")[table.index[part]]):
        return float(density)
    raise TableError(
        f"mixture {mixture.name!r}: the density of {part!r} is not known; give it (g/cm³) in the mixture's densities"
    )


def formulas(mixture: Mixture) -> tuple[Composition, ...] | None:
    """The parts' compositions, or None if one of them is no formula."""
    try:
        return tuple(parse(part) for part in mixture.parts)
    except TableError:
        return None


def element_fractions(table: Table, name: str) -> tuple[Floats, tuple[str, ...]]:
    """Atomic fractions of the elements in a column of formulas, or in a mixture of formulas.

    Returns
    -------
    fractions
        Shape (n, number of elements), rows sum to 1; NaN where the composition is missing.
    symbols
        The elements that occur, in the order of their atomic numbers.

    Raises
    ------
    TableError
        There is no such column or mixture, an ingredient is no formula, or amounts cannot be converted to moles.
    """
    matrix, rows, symbols = distinct_fractions(table, name)
    return matrix[rows], symbols


def distinct_fractions(table: Table, name: str) -> tuple[Floats, Any, tuple[str, ...]]:
    """As :func:`element_fractions`, but of formulas only the different ones: ``fractions[rows]`` are all."""
    order = elements().index
    mixture = next((m for m in table.schema.mixtures if m.name == name), None)
    if mixture is None:
        column = table.schema[name]
        cells = table.cells[column.name]
        if column.kind != "composition" or cells.distinct is None:
            raise TableError(f"{name!r} is neither a column of formulas nor a mixture")
        used, rows = np.unique(cells.values, return_inverse=True)
        parsed = [parse(cells.distinct[i], column.basis).mole_fractions if i >= 0 else {} for i in used]
        symbols = tuple(sorted({s for p in parsed for s in p}, key=order.__getitem__))
        matrix = _matrix(parsed, symbols)
        matrix[used < 0] = np.nan
        return matrix, rows, symbols
    compositions = formulas(mixture)
    if compositions is None:
        raise TableError(f"the ingredients of mixture {name!r} are not all formulas: {listed(mixture.parts)}")
    known = mixture if mixture.basis else replace(mixture, basis="mole")
    moles = fractions(table, known, "mole")
    symbols = tuple(sorted({s for c in compositions for s in c.amounts}, key=order.__getitem__))
    atoms = moles @ _matrix([dict(c.amounts) for c in compositions], symbols)
    return atoms / atoms.sum(axis=1, keepdims=True), slice(None), symbols


def _matrix(rows: list[dict[str, float]], symbols: tuple[str, ...]) -> Floats:
    matrix = np.zeros((len(rows), len(symbols)))
    at = {s: i for i, s in enumerate(symbols)}
    for i, row in enumerate(rows):
        for symbol, amount in row.items():
            matrix[i, at[symbol]] = amount
    return matrix
