"""What a person should know of a table before anything is learned from it: nothing is dropped, it is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zairyo.tables._base import Integers
from zairyo.tables._cells import STATES
from zairyo.tables.schema import Column

if TYPE_CHECKING:
    from zairyo.tables.table import Table

_SETTINGS = ("composition", "process")
#: Replicates contradict each other if they differ by more standard deviations than this, where those are known, …
_MOST_DEVIATIONS = 4.0
#: … else by more than this share of the spread of the whole column.
_MOST_SPREAD = 0.5
_MOST_TOLD = 20


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes
    ----------
    replicates
        Ids of rows with the same composition and process, a group each.
    duplicates
        Ids of rows that also have the same outcomes, a group each: probably one sample entered twice.
    contradictions
        Sentences on replicates whose outcomes differ more than they should.
    constant
        Columns whose cells are all the same.
    empty
        Columns without any cell.
    notes
        The table's own.
    """

    replicates: tuple[tuple[int, ...], ...]
    duplicates: tuple[tuple[int, ...], ...]
    contradictions: tuple[str, ...]
    constant: tuple[str, ...]
    empty: tuple[str, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        def groups(found: tuple[tuple[int, ...], ...], what: str) -> list[str]:
            if not found:
                return []
            some = "; ".join(", ".join(map(str, g[:6])) + (" …" if len(g) > 6 else "") for g in found[:4])
            return [f"{len(found)} groups of {what}: rows {some}{' …' if len(found) > 4 else ''}"]

        lines = groups(self.replicates, "replicates (same composition and process)")
        lines += groups(self.duplicates, "duplicates (same outcomes too)")
        lines += [*self.contradictions[:_MOST_TOLD]]
        lines += [f"constant: {', '.join(self.constant)}"] if self.constant else []
        lines += [f"empty: {', '.join(self.empty)}"] if self.empty else []
        return "\n".join([*lines, *self.notes]) or "nothing to report"


def find(table: Table) -> Findings:
    """See :meth:`zairyo.tables.Table.findings`."""
    settings = [c for c in table.schema.columns if c.role in _SETTINGS and c.kind != "text"]
    outcomes = [c for c in table.schema.columns if c.role == "property" and c.numeric]
    alike = _groups(table, settings) if settings else []
    constant, empty = [], []
    for column in table.schema.columns:
        cells = table.cells[column.name]
        values = cells.values[~cells.missing]
        if not len(values):
            empty.append(column.name)
        elif len(table) > 1 and not cells.missing.any() and (values == values[0]).all():
            constant.append(column.name)
    return Findings(
        replicates=tuple(tuple(table.rows[g].tolist()) for g in alike),
        duplicates=tuple(tuple(table.rows[g].tolist()) for g in _same_outcomes(table, alike, outcomes)),
        contradictions=tuple(said for c in outcomes for said in _contradictions(table, alike, c)),
        constant=tuple(constant),
        empty=tuple(empty),
        notes=table.notes,
    )


def _groups(table: Table, columns: list[Column]) -> list[Integers]:
    """Positions of rows that are the same in some columns and not empty in all of them; only groups of two or more."""
    # A hash of each row: of 10⁶ different rows, two share one of 64 bits with a chance of 3 in 10⁸.
    keys = np.zeros(len(table), np.uint64)
    stated = np.zeros(len(table), bool)
    for column in columns:
        cells = table.cells[column.name]
        values = np.where(cells.missing, -1.0e300, cells.values) + 0.0  # one NaN, one zero
        keys = _mixed(keys ^ _mixed(values.view(np.uint64)))
        stated |= ~cells.missing
    order = np.flatnonzero(stated)
    order = order[np.argsort(keys[order], kind="stable")]
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    long = np.flatnonzero(np.diff(np.concatenate([[0], edges, [len(order)]])) > 1)
    starts, stops = np.append(0, edges)[long], np.append(edges, len(order))[long]
    return [order[a:b] for a, b in zip(starts, stops, strict=True)]


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014); arithmetic modulo 2⁶⁴."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _same_outcomes(table: Table, alike: list[Integers], outcomes: list[Column]) -> list[Integers]:
    found: list[Integers] = []
    if not outcomes or not alike:
        return found
    values = np.stack([table.cells[c.name].values for c in outcomes], axis=1)
    for group in alike:
        measured = group[~np.isnan(values[group]).all(axis=1)]
        if len(measured) < 2:
            continue
        _, inverse = np.unique(values[measured], axis=0, return_inverse=True)
        found += [measured[inverse == i] for i in np.flatnonzero(np.bincount(inverse.ravel()) > 1)]
    return found


def _contradictions(table: Table, alike: list[Integers], column: Column) -> list[str]:
    """Sentences on groups whose outcomes differ more than their uncertainty, or than half of the column's spread."""
    values, errors = table.cells[column.name].values, table.uncertainty(column.name)
    bad = np.isin(table.states, [STATES.index("failed"), STATES.index("lost")])
    known = values[~np.isnan(values)]
    spread = float(np.percentile(known, 95) - np.percentile(known, 5)) if len(known) else 0.0
    said = []
    for group in alike:
        use = group[~np.isnan(values[group]) & ~bad[group]]
        if len(use) < 2:
            continue
        low, high = use[np.argmin(values[use])], use[np.argmax(values[use])]
        difference = values[high] - values[low]
        error = float(np.hypot(errors[low], errors[high]))
        limit = _MOST_DEVIATIONS * error if np.isfinite(error) and error > 0 else _MOST_SPREAD * spread
        if difference > limit > 0:
            unit = f" {column.unit}" if column.unit else ""
            said.append(
                f"rows {table.rows[low]} and {table.rows[high]} are replicates but contradict each other: "
                f"{column.name} {values[low]:.5g} and {values[high]:.5g}{unit}; check them, or mark one as failed"
            )
    return said
