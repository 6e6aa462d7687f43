"""JCAMP-DX blocks → entries: spectra, peak tables, assignments, and the pages of NTUPLES."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Quantity, Signal, clean_text, make_name, table, tidy_metadata
from zairyo.readers._api import ReadError
from zairyo.readers._jcamp_asdf import Floats
from zairyo.readers._jcamp_records import JcampBlock, Record, leading_number, metadata
from zairyo.readers._jcamp_tables import Announced, Table, read_table
from zairyo.readers._jcamp_words import (
    abscissa_name,
    conditions_of,
    ordinate_name,
    started_at,
    technique_of,
    unit_of,
)

_SINGLE_TABLES = ("XYDATA", "XYPOINTS", "RADATA", "PEAKTABLE")
# Bounded, so that a damaged file costs no more than a long line.
_ASSIGNMENT = re.compile(r"\(((?:[^()<>]|<[^<>]{0,2000}>){0,2000})\)")
_COLUMN_NAMES = {"W": "width", "M": "multiplicity"}


@dataclass(frozen=True)
class _Words:
    """A block's technique and the fields that all of its entries share."""

    block: JcampBlock
    technique: str
    warnings: list[str]

    def shared(self) -> dict[str, Any]:
        return {
            "title": clean_text(self.block.text("TITLE")),
            "conditions": conditions_of(self.block, self.technique),
            "original_metadata": tidy_metadata(metadata(self.block)),
            "started": started_at(self.block),
        }

    def abscissa(self, stated: str, values: Floats) -> Axis:
        unit = unit_of(stated, self.technique, self.warnings)
        return Axis(abscissa_name(stated, unit, self.technique), values, unit)

    def ordinate(self, stated: str, values: Floats, axes: tuple[str, ...] = ()) -> Signal:
        unit = unit_of(stated, self.technique, self.warnings)
        name = ordinate_name(stated, self.technique)
        if name == "transmittance" and unit == "" and values.size and np.nanmax(values) > 5:
            self.warnings.append(
                f"The transmittance reaches {np.nanmax(values):.4g}, as if it were in percent; the file says it is a "
                "fraction, and it was kept as it is."
            )
        return Signal(name, values, unit, axes)


def entries_of(block: JcampBlock, warnings: list[str]) -> list[Entry]:
    """The entries of one block (not of the blocks inside it); none if it holds no data."""
    words = _Words(block, technique_of(block), warnings)
    if any(record.label == "NTUPLES" for record in block.records):
        return _ntuples(words)
    entries: list[Entry] = []
    points = ""  # programs announce them before each table, or once
    for record in block.records:
        if record.label == "NPOINTS":
            points = record.text
        elif record.label in _SINGLE_TABLES:
            entries.append(_single(words, record, points or block.text("NPOINTS")))
        elif record.label == "PEAKASSIGNMENTS":
            entries.append(_assignments(words, record))
    return entries


def _single(words: _Words, record: Record, points: str) -> Entry:
    block = words.block
    x, y = ("R", "A") if record.label == "RADATA" else ("X", "Y")
    announced = Announced(
        points=_count(points),
        first_x=block.number(f"FIRST{x}"),
        last_x=block.number(f"LAST{x}"),
        delta_x=block.number(f"DELTA{x}"),
        first_y=block.number(f"FIRST{y}"),
        factor_x=block.number(f"{x}FACTOR") or 1.0,
        factor_y=block.number(f"{y}FACTOR") or 1.0,
        has_decimal_commas=block.has_decimal_commas,
    )
    read = read_table(record, announced, block.is_closed, words.warnings)
    units_x, units_y = block.text(f"{x}UNITS"), block.text(f"{y}UNITS")
    is_peaks = record.label == "PEAKTABLE" or words.technique == "mass_spectrometry"
    if read.is_regular or not (is_peaks or len(read.columns) > 2 or not _is_monotonic(read.columns[0])):
        return _spectrum(words, read, units_x, units_y)
    return _points("peaks" if is_peaks else "points", words, read, units_x, units_y)


def _count(text: str) -> int | None:
    number = leading_number(text)
    return int(number) if number is not None and 0 < number < 2**40 else None


def _is_monotonic(values: Floats) -> bool:
    steps = np.diff(values)
    return bool(np.all(steps > 0) or np.all(steps < 0))


def _spectrum(words: _Words, read: Table, units_x: str, units_y: str) -> Entry:
    axis = words.abscissa(units_x, read.columns[0])
    shared = words.shared()
    axis, extra = _shifted(words, axis, shared)
    signal = words.ordinate(units_y, read.columns[1], (axis.name,))
    name = "fid" if "FID" in words.block.text("DATATYPE").upper() else "spectrum"
    return Entry(name, words.technique, (axis,), (_apart(signal, axis), *extra), **shared)


def _apart(signal: Signal, axis: Axis) -> Signal:
    """The signal, not named as its axis is."""
    return replace(signal, name=f"{signal.name[:55]}_value") if signal.name == axis.name else signal


def _shifted(words: _Words, axis: Axis, shared: dict[str, Any]) -> tuple[Axis, tuple[Signal, ...]]:
    """An NMR spectrum's chemical shifts from its frequencies; these stay beside them as they are given."""
    observe = words.block.number(".OBSERVEFREQUENCY")
    if words.technique != "nmr" or axis.unit != "Hz" or not observe or observe <= 0:
        return axis, ()
    shift = axis.values / observe
    how = "0 Hz is 0 ppm, as no reference is stated"
    reference = [part.strip() for part in words.block.text(".SHIFTREFERENCE").strip("()").split(",")]
    offset = words.block.number("$OFFSET")
    if len(reference) == 4 and leading_number(reference[2]) and leading_number(reference[3]) is not None:
        point, value = int(leading_number(reference[2]) or 1), float(leading_number(reference[3]) or 0.0)
        if 1 <= point <= len(shift):
            shift = shift - shift[point - 1] + value
            how = f"point {point} is {value:g} ppm ({reference[1] or reference[0]}), as stated"
    elif offset is not None:
        shift = shift - shift.max() + offset
        how = f"the first point is {offset:g} ppm ($OFFSET)"
    shared["conditions"]["shift_reference"] = Quantity(clean_text(how))
    frequency = Signal("frequency", axis.values, "Hz", ("chemical_shift",))
    return Axis("chemical_shift", shift, "ppm"), (frequency,)


def _points(name: str, words: _Words, read: Table, units_x: str, units_y: str) -> Entry:
    x = words.abscissa(units_x, read.columns[0])
    y = words.ordinate(units_y, read.columns[1])
    columns = [Signal(x.name, x.values, x.unit), _apart(y, x)]
    for symbol, values in zip(read.symbols[2:], read.columns[2:], strict=True):
        column = _COLUMN_NAMES.get(symbol, make_name(symbol))
        columns.append(Signal(column, values, x.unit if symbol == "W" else None))
    default = columns[1].name
    return table(name, words.technique, columns, x=x.name, default=default, **words.shared())


def _assignments(words: _Words, record: Record) -> Entry:
    """``(x, y, multiplicity …, <assignment>)``: as many columns as the form names letters."""
    symbols = re.sub(r"[^A-Z]", "", record.form.split("..")[0]) or "XYA"
    factors = {"X": words.block.number("XFACTOR") or 1.0, "Y": words.block.number("YFACTOR") or 1.0}
    rows: list[list[str]] = []
    body = re.sub(r"\$\$[^\n]*", "", record.body)
    for match in _ASSIGNMENT.finditer(body):
        cells = [cell.strip() for cell in re.split(r",(?![^<]*>)", match.group(1))]
        rows.append((cells[: len(symbols) - 1] + [""] * len(symbols))[: len(symbols) - 1] + cells[-1:])
    if not rows:
        raise ReadError(f"line {record.line}: {record.written!r} holds no assignment in brackets")
    columns: list[Signal] = []
    for symbol, cells_of in zip(symbols, zip(*rows, strict=True), strict=False):
        if symbol in "XYW":
            numbers = [leading_number(cell) for cell in cells_of]
            values = np.array([np.nan if n is None else n for n in numbers]) * factors.get(symbol, 1.0)
            if symbol == "X":
                axis = words.abscissa(words.block.text("XUNITS"), values)
                columns.append(Signal(axis.name, values, axis.unit))
            elif symbol == "Y":
                columns.append(words.ordinate(words.block.text("YUNITS"), values))
            else:
                columns.append(Signal("width", values))
        else:
            name = "multiplicity" if symbol == "M" else "assignment"
            texts = np.array([clean_text(cell.strip("<>").strip()) for cell in cells_of])
            columns.append(Signal(name, texts))
    columns = list({column.name: column for column in columns}.values())
    numeric = [c.name for c in columns if c.values.dtype.kind == "f"]
    if not numeric:
        raise ReadError(f"line {record.line}: the form {record.form!r} names no x and no y")
    return table("assignments", words.technique, columns, x=numeric[0], default=numeric[-1], **words.shared())


# --- NTUPLES ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Variable:
    name: str
    unit: str
    first: float | None
    last: float | None
    factor: float
    length: int | None


@dataclass(frozen=True)
class _Page:
    symbol: str
    value: float | None
    label: str
    table: Table


#: Unit of the pages of an NMR spectrum or decay of several dimensions → the axis' name.
_INDIRECT = {"Hz": "indirect_frequency", "ppm": "indirect_chemical_shift", "s": "indirect_time"}


def _ntuples(words: _Words) -> list[Entry]:
    variables, pages = _pages(words)
    if not pages:
        raise ReadError(f"the NTUPLES {words.block.text('TITLE')[:40]!r} has no page with a data table")
    first = pages[0].table
    if len(first.symbols) > 2 and not first.is_regular:
        return [_variable_table(words, variables, pages)]
    same_axis = all(p.table.is_regular and _same(p.table, first) for p in pages)
    if not same_axis:
        return [_page_table(words, variables, pages)]
    by_symbol: dict[str, list[_Page]] = {}
    for page in pages:
        by_symbol.setdefault(page.table.symbols[1], []).append(page)
    x = variables[first.symbols[0]]
    axis = words.abscissa(x.unit, first.columns[0])
    shared = words.shared()
    axis, extra = _shifted(words, axis, shared)
    page_axis = _page_axis(words, variables, by_symbol)
    nuclei = [part.strip("^<> ") for part in words.block.text(".NUCLEUS").split(",")]
    if page_axis and page_axis.name in _INDIRECT.values() and len(nuclei) == 2 and nuclei[0]:
        shared["conditions"]["indirect_nucleus"] = Quantity(clean_text(nuclei[0]))
    over = (page_axis.name, axis.name) if page_axis else (axis.name,)
    signals = []
    for symbol, group in by_symbol.items():
        values = np.stack([p.table.columns[1] for p in group]) if page_axis else group[0].table.columns[1]
        signals.append((symbol, words.ordinate(variables[symbol].unit, values, over), variables[symbol].name))
    axes = (page_axis, axis) if page_axis else (axis,)
    name = "fid" if "FID" in words.block.text("DATATYPE", "NTUPLES").upper() else "spectrum"
    return [Entry(name, words.technique, axes, (*_complex(signals, axis), *extra), **shared)]


def _same(a: Table, b: Table) -> bool:
    return a.symbols[0] == b.symbols[0] and np.array_equal(a.columns[0], b.columns[0])


def _complex(signals: list[tuple[str, Signal, str]], axis: Axis) -> list[Signal]:
    """Real and imaginary part as one complex signal; others under their own names."""
    real = next((s for symbol, s, name in signals if symbol == "R" or "REAL" in name.upper()), None)
    imaginary = next((s for symbol, s, name in signals if symbol == "I" or "IMAG" in name.upper()), None)
    if len(signals) == 2 and real is not None and imaginary is not None and real is not imaginary:
        return [_apart(replace(real, values=real.values + 1j * imaginary.values), axis)]
    found, taken = [], {axis.name}
    for symbol, signal, name in signals:
        unique = signal.name if signal.name not in taken else make_name(name or symbol)
        while unique in taken:
            unique = f"{unique[:55]}_{len(taken)}"
        taken.add(unique)
        found.append(replace(signal, name=unique))
    return found


def _page_axis(words: _Words, variables: dict[str, _Variable], groups: dict[str, list[_Page]]) -> Axis | None:
    """The pages' own axis, if every symbol has the same several pages."""
    pages = [[p.value for p in group] for group in groups.values()]
    if any(values != pages[0] for values in pages) or len(pages[0]) < 2:
        if any(len(values) > 1 for values in pages):
            raise ReadError("the NTUPLES' pages do not belong together: not every variable has the same ones")
        return None
    symbol = next(iter(groups.values()))[0].symbol
    numbers = [float(i) if v is None else v for i, v in enumerate(pages[0])]
    variable = variables.get(symbol)
    unit = unit_of(variable.unit if variable else "", words.technique, words.warnings)
    indirect = _INDIRECT.get(unit or "") if words.technique == "nmr" else None
    name = indirect or make_name(variable.name if variable else symbol, "page")
    axis = Axis(name, np.array(numbers), unit)
    return replace(axis, name=f"{name[:55]}_page") if name in ("intensity", "time", "frequency") else axis


def _page_table(words: _Words, variables: dict[str, _Variable], pages: list[_Page]) -> Entry:
    """Pages with peaks of their own (a mass spectrum for each time): all in one table, a column for the page."""
    x, y = pages[0].table.symbols[:2]
    if any(p.table.symbols[:2] != (x, y) for p in pages):
        raise ReadError(
            "the NTUPLES' pages tabulate different variables over different axes, which is not read"
        )
    axis = words.abscissa(variables[x].unit, np.concatenate([p.table.columns[0] for p in pages]))
    signal = words.ordinate(variables[y].unit, np.concatenate([p.table.columns[1] for p in pages]))
    page = variables.get(pages[0].symbol)
    numbers = np.array([float(i) if p.value is None else p.value for i, p in enumerate(pages)])
    column = Signal(
        make_name(page.name if page else pages[0].symbol, "page"),
        np.repeat(numbers, [len(p.table.columns[0]) for p in pages]),
        unit_of(page.unit if page else "", words.technique, words.warnings),
    )
    if "TIME" in (page.name if page else "").upper():
        column = replace(column, name="time")
    columns = [column, Signal(axis.name, axis.values, axis.unit), _apart(signal, axis)]
    if len({c.name for c in columns}) < len(columns):
        columns[0] = replace(column, name="page")
    return table("peaks", words.technique, columns, x=axis.name, default=columns[2].name, **words.shared())


def _variable_table(words: _Words, variables: dict[str, _Variable], pages: list[_Page]) -> Entry:
    """Groups of more than two, ``(XYT..XYT)``: a column for each variable, by its own name and unit."""
    symbols = pages[0].table.symbols
    odd = next((s for s in symbols if s not in variables), None)
    if odd is not None or any(p.table.symbols != symbols for p in pages):
        raise ReadError(
            "the NTUPLES' pages hold variables that ##SYMBOL does not name, or not all the same ones"
        )
    columns: list[Signal] = []
    if len(pages) > 1:
        lengths = [len(p.table.columns[0]) for p in pages]
        columns.append(Signal("page", np.repeat(np.arange(1, len(pages) + 1), lengths), ""))
    for k, symbol in enumerate(symbols):
        variable = variables[symbol]
        name = make_name(variable.name or symbol)
        if name in {c.name for c in columns}:
            name = f"{name[:55]}_{k + 1}"
        values = np.concatenate([p.table.columns[k] for p in pages])
        # The table has applied the factors of the first two.
        values = values * variable.factor if k > 1 else values
        unit = unit_of(variable.unit, words.technique, words.warnings)
        columns.append(Signal(name, values, unit, long_name=clean_text(variable.name)))
    x, default = columns[-len(symbols)].name, columns[1 - len(symbols)].name
    return table("points", words.technique, columns, x=x, default=default, **words.shared())


def _pages(words: _Words) -> tuple[dict[str, _Variable], list[_Page]]:
    """Read the pages in order: each record counts for the tables after it."""
    given: dict[str, list[str]] = {}
    page_symbol, page_value, page_label = "", None, ""
    points: int | None = None
    pages: list[_Page] = []
    variables: dict[str, _Variable] = {}
    for record in words.block.records:
        if record.label in ("VARNAME", "SYMBOL", "UNITS", "FIRST", "LAST", "FACTOR", "VARDIM"):
            given[record.label] = [part.strip() for part in record.text.split(",")]
        elif record.label == "PAGE":
            page_label = record.text
            page_symbol, _, value = record.text.partition("=")
            page_symbol, page_value, points = page_symbol.strip().upper(), leading_number(value), None
        elif record.label == "NPOINTS":
            points = _count(record.text)
        elif record.label == "DATATABLE":
            variables = _variables(given, record)
            announced = _announced(record, variables, points)
            is_closed = words.block.is_closed or record is not words.block.records[-1]
            read = read_table(record, announced, is_closed, words.warnings)
            if any(symbol not in variables for symbol in read.symbols[:2]):
                raise ReadError(
                    f"line {record.line}: the table is of {read.symbols}, but SYMBOL names {sorted(variables)}"
                )
            pages.append(_Page(page_symbol, page_value, page_label, read))
    return variables, pages


def _variables(given: dict[str, list[str]], record: Record) -> dict[str, _Variable]:
    symbols = [symbol.upper() for symbol in given.get("SYMBOL", [])]
    if not symbols:
        raise ReadError(f"line {record.line}: a data table comes before ##SYMBOL, which says what it holds")

    def cell(label: str, index: int) -> str:
        parts = given.get(label, [])
        return parts[index] if index < len(parts) else ""

    return {
        symbol: _Variable(
            cell("VARNAME", i),
            cell("UNITS", i),
            leading_number(cell("FIRST", i)),
            leading_number(cell("LAST", i)),
            leading_number(cell("FACTOR", i)) or 1.0,
            _count(cell("VARDIM", i)),
        )
        for i, symbol in enumerate(symbols)
    }


def _announced(record: Record, variables: dict[str, _Variable], points: int | None) -> Announced:
    inner = re.match(r"\(?(\w+?)\+\+\((\w+)\.\.", record.form)
    if inner is None:  # groups: the factors in the order of the form's letters
        letters = re.match(r"\(?([A-Z]+)\.\.", record.form)
        symbols = list(letters.group(1)) if letters else []
        factors = [variables[s].factor if s in variables else 1.0 for s in (*symbols, "", "")]
        return Announced(points=points, factor_x=factors[0], factor_y=factors[1])
    x, y = variables.get(inner.group(1)), variables.get(inner.group(2))
    if x is None or y is None:
        raise ReadError(f"line {record.line}: the form {record.form[:40]!r} names what ##SYMBOL does not")
    # Of several dimensions, an ordinate's length is that of all pages together.
    length = points or (x.length if x.length and x.length < (y.length or 0) else y.length) or x.length
    return Announced(length, x.first, x.last, None, None, x.factor, y.factor)
