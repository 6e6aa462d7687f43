"""A table for people: as text and as HTML in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from zairyo.tables._cells import STATES
from zairyo.tables.schema import ROLES, Column

if TYPE_CHECKING:
    from zairyo.tables.table import Table

_MOST_COLUMNS = 40
_MOST_LEVELS = 4


def _headline(table: Table) -> str:
    counts = np.bincount(table.states, minlength=len(STATES))
    states = ", ".join(f"{n:,} {state}" for state, n in zip(STATES, counts, strict=True) if n)
    return f"Table: {len(table):,} samples × {len(table.columns)} columns" + (
        f" ({states})" if states else ""
    )


def _rows(table: Table) -> list[tuple[str, str, str]]:
    """Role, name with unit, and what the cells are, a line a column; the columns of a mixture on one line."""
    lines: list[tuple[str, str, str]] = []
    mixtures = {name: m for m in table.schema.mixtures for name in m.columns}
    for role in ROLES:
        for column in table.schema.columns:
            if column.role != role:
                continue
            mixture = mixtures.get(column.name)
            if mixture is None:
                lines.append((role, column.label, _content(table, column)))
            elif mixture.columns[0] == column.name:
                total = f"sums to {mixture.total:g}" if mixture.total is not None else "proportions"
                rest = f", rest {mixture.balance}" if mixture.balance else ""
                lines.append(
                    (
                        role,
                        ", ".join(mixture.columns),
                        f"mixture by {mixture.basis or 'parts'}, {total}{rest}",
                    )
                )
    return lines


def _content(table: Table, column: Column) -> str:
    cells = table.cells[column.name]
    missing = int(np.count_nonzero(cells.missing))
    gaps = f", {missing:,} missing" if missing else ""
    if missing == len(table):
        return f"{column.kind}, empty"
    if cells.distinct is None:
        values = cells.values[~cells.missing]
        low, high = values.min(), values.max()
        spread = f"{low:.6g}" if low == high else f"{low:.6g} … {high:.6g}"
        errors = " with uncertainties" if cells.uncertainty is not None else ""
        return f"{column.kind}, {spread}{errors}{gaps}"
    used = cells.distinct[np.bincount(cells.values[cells.values >= 0], minlength=len(cells.distinct)) > 0]
    some = ", ".join(t if len(t) <= 24 else t[:23] + "…" for t in map(str, used[:_MOST_LEVELS]))
    kind = f"ordered {column.kind}" if column.ordered else column.kind
    return f"{kind}, {len(used):,} different: {some}{' …' if len(used) > _MOST_LEVELS else ''}{gaps}"


def describe(table: Table) -> str:
    """What it is, in some lines: how many samples in which states, and each column with role, kind and range."""
    lines = [_headline(table)]
    rows = _rows(table)
    widths = [max((len(r[i]) for r in rows[:_MOST_COLUMNS]), default=0) for i in range(2)]
    lines += [f"  {a:<{widths[0]}}  {b:<{min(widths[1], 40)}}  {c}" for a, b, c in rows[:_MOST_COLUMNS]]
    if (more := len(rows) - _MOST_COLUMNS) > 0:
        lines.append(f"  … and {more} more columns")
    return "\n".join([*lines, *(f"  note: {note}" for note in table.notes)])


def describe_html(table: Table) -> str:
    """The same for a notebook."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in _rows(table)[:_MOST_COLUMNS]
    )
    head = "".join(f"<th>{h}</th>" for h in ("Role", "Column", "Cells"))
    notes = "".join(f"<div>Note: {escape(note)}</div>" for note in table.notes)
    return (
        f"<div><strong>{escape(_headline(table))}</strong>"
        f'<table style="text-align:left"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{notes}</div>'
    )
