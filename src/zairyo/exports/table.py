"""An entry as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

import numpy as np

from zairyo.measurement import Entry, Signal
from zairyo.measurement.model import Array

_ROWS_AT_ONCE = 2000
#: What a spreadsheet takes for the beginning of a formula, also full-width.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def csv_lines(entry: Entry, *, for_people: bool = True) -> Iterator[bytes]:
    """The entry as CSV: a column an axis or signal, labels with units in the head line.

    With the default signal go all that are over the same axes, with their uncertainties; over several axes a
    row is a point. Complex numbers are two columns. What is ``for_people`` goes into spreadsheets: text that one
    would take for a formula is kept from being one by an apostrophe, and a byte order mark says that it is UTF-8.
    """
    shape, names = entry.signal.values.shape, entry.signal.axes
    axes = [] if entry.is_table else [entry[name] for name in names]
    columns = [c for s in entry.signals if s.axes == names for c in _columns(s)]
    buffer = io.StringIO()
    if for_people:
        buffer.write("\ufeff")
    writer = csv.writer(buffer, lineterminator="\r\n")
    safe = _cell if for_people else str
    writer.writerow([safe(label) for label in (*(a.label for a in axes), *(label for label, _ in columns))])
    rows = entry.signal.values.size
    for start in range(0, rows, _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, rows)
        places = np.unravel_index(np.arange(start, stop), shape) if axes else ()
        cells = [_cells(axis.values[at], safe) for axis, at in zip(axes, places, strict=True)]
        cells += [_cells(values[start:stop], safe) for _, values in columns]
        writer.writerows(zip(*cells, strict=True))
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def _columns(signal: Signal) -> list[tuple[str, Array]]:
    """A signal's labels and values, flat, and those of its uncertainty."""
    values = signal.values.ravel()
    if values.dtype.kind == "c":
        return [(f"{signal.label}, real", values.real), (f"{signal.label}, imaginary", values.imag)]
    if signal.uncertainty is None:
        return [(signal.label, values)]
    return [(signal.label, values), (f"{signal.label}, uncertainty", signal.uncertainty.ravel())]


def _cells(values: Array, safe: Callable[[str], str]) -> list[str]:
    """As text that reads back exactly; empty where there is no number."""
    if values.dtype.kind == "U":
        return [safe(v) for v in values.tolist()]
    if values.dtype.kind == "M":
        return ["" if t == "NaT" else t for t in np.datetime_as_string(values).tolist()]
    cells: list[str] = values.astype(str).tolist()
    return ["" if cell == "nan" else cell for cell in cells]


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
