"""How a table keeps its cells: an array a column, and beside it where each cell came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zairyo.tables._base import Codes, Floats, Integers, Mask, Objects


@dataclass(frozen=True)
class Source:
    """Where cells came from.

    Attributes
    ----------
    kind
        ``file``, ``frame`` (a DataFrame), ``measurement``, ``person`` or ``computed``; ``none`` for an empty cell.
    name
        The file's name, the measurement's uid, who said it, what computed it.
    detail
        A measurement's descriptor with its method; empty otherwise.
    """

    kind: Literal["none", "file", "frame", "measurement", "person", "computed"]
    name: str = ""
    detail: str = ""


NOWHERE = Source("none")


@dataclass(frozen=True)
class Origin:
    """Where one cell came from: its source, and in a file the line (in a workbook or DataFrame the row) and column."""

    source: Source
    line: int | None = None
    column: str = ""

    def __str__(self) -> str:
        kind, name = self.source.kind, self.source.name
        if kind in ("file", "frame"):
            return f"{name}, {'line' if kind == 'file' else 'row'} {self.line}, column {self.column}"
        if kind == "none":
            return "nowhere: the cell is empty"
        return f"{kind} {name}" + (f", {self.source.detail}" if self.source.detail else "")


@dataclass(frozen=True, eq=False)
class Cells:
    """One column's cells.

    Attributes
    ----------
    values
        Numbers (float64, NaN where missing), or codes (int32, −1 where missing) into ``distinct``.
    distinct
        The different texts, None for numbers.
    uncertainty
        One standard deviation a cell, in the column's unit, NaN where unknown; None if none is known.
    source, line
        A code into the table's sources, and the line in that source (−1 where it has none). Both may be
        broadcast, that is one number for all rows.
    """

    values: NDArray[Any]
    distinct: Objects | None
    uncertainty: Floats | None
    source: Codes
    line: Integers

    def __len__(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> Mask:
        result: Mask = np.isnan(self.values) if self.distinct is None else self.values < 0
        return result

    def texts(self) -> Objects:
        """Every cell as text, None where missing."""
        assert self.distinct is not None
        result: Objects = np.append(self.distinct, np.array([None], object))[self.values]
        return result

    def take(self, rows: Any) -> Cells:
        uncertainty = None if self.uncertainty is None else self.uncertainty[rows]
        return replace(
            self,
            values=self.values[rows],
            uncertainty=None if uncertainty is None or np.isnan(uncertainty).all() else uncertainty,
            source=_took(self.source, rows, len(self)),
            line=_took(self.line, rows, len(self)),
        )

    def put(self, row: int, value: float | str | None, uncertainty: float | None, source: int) -> Cells:
        """With one cell set; a copy of this column."""
        values, distinct = self.values.copy(), self.distinct
        if distinct is None:
            values[row] = np.nan if value is None else value
        elif value is None:
            values[row] = -1
        else:
            found = np.flatnonzero(distinct == value)
            if not len(found):
                distinct, found = np.append(distinct, np.array([value], object)), np.array([len(distinct)])
            values[row] = found[0]
        errors = self.uncertainty
        if uncertainty is not None or errors is not None:
            errors = np.full(len(self), np.nan) if errors is None else errors.copy()
            errors[row] = np.nan if uncertainty is None else uncertainty
        sources, lines = np.array(self.source), np.array(self.line)
        sources[row], lines[row] = source, -1
        return Cells(values, distinct, errors, sources, lines)


def _took(array: NDArray[Any], rows: Any, length: int) -> NDArray[Any]:
    if array.strides == (0,) and length:
        return np.broadcast_to(array[0], len(np.empty(length, np.bool_)[rows]))
    result: NDArray[Any] = array[rows]
    return result


def coded(texts: Sequence[str | None] | Objects) -> tuple[Codes, Objects]:
    """Codes into the distinct texts, in the order in which they first come; ``None`` and ``""`` are missing."""
    seen: dict[str, int] = {}
    codes = np.fromiter((seen.setdefault(t, len(seen)) if t else -1 for t in texts), np.int32, len(texts))
    return codes, objects(list(seen))


def objects(texts: Sequence[Any]) -> Objects:
    result = np.empty(len(texts), object)
    result[:] = texts
    return result


def same(value: Any, length: int, dtype: Any) -> NDArray[Any]:
    """One number for all rows, in no memory."""
    return np.broadcast_to(np.asarray(value, dtype), length)


def empty(numeric: bool, length: int, levels: Sequence[str] = ()) -> Cells:
    """Cells that are all missing."""
    values: NDArray[Any] = np.full(length, np.nan) if numeric else np.full(length, -1, np.int32)
    distinct = None if numeric else objects(levels)
    return Cells(values, distinct, None, same(0, length, np.int32), same(-1, length, np.int64))


def joined(first: Cells, second: Cells, sources: Codes) -> Cells:
    """The rows of two columns, of one kind; ``sources`` are the second table's sources as codes of the first's."""
    distinct, codes = first.distinct, second.values
    if distinct is not None:
        assert second.distinct is not None
        at = {t: i for i, t in enumerate(distinct)}
        new = [t for t in second.distinct if t not in at]
        at |= {t: i for i, t in enumerate(new, len(at))}
        translate = np.array([*(at[t] for t in second.distinct), -1], np.int32)
        codes, distinct = translate[second.values], np.concatenate([distinct, objects(new)])
    uncertainty = None
    if first.uncertainty is not None or second.uncertainty is not None:
        uncertainty = np.concatenate(
            [np.full(len(c), np.nan) if c.uncertainty is None else c.uncertainty for c in (first, second)]
        )
    return Cells(
        np.concatenate([first.values, codes]),
        distinct,
        uncertainty,
        np.concatenate([first.source, sources[second.source]]),
        np.concatenate([first.line, second.line]),
    )
