"""Delimited text that a YAML description declares: one engine, a file a format in ``formats/``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Signal, make_name, table, tidy_metadata
from zairyo.measurement.model import Array
from zairyo.readers import delimited_text as text
from zairyo.readers._api import NO, RawInput, Reader, ReadError
from zairyo.readers._beginning import beginning_of
from zairyo.readers._text_export import texts
from zairyo.readers.delimited_description import (
    SURE,
    Column,
    Description,
    DescriptionError,
    literal_of,
    load,
)
from zairyo.readers.delimited_header import conditions_of, header_of, look_up, started_of, text_of, unit_of
from zairyo.readers.delimited_text import describe_text

__all__ = ["DescriptionError", "describe_text", "load_reader", "read", "sniff"]

MOST_BYTES = 512 * 1024**2
_IN_NAME = re.compile(r"(?P<name>.*?)\s*(?:[\[(](?P<unit>[^\[\]()]*)[\])]|\s/(?P<per>\s?\S+))\s*\Z")

#: What begins like this is for readers that know its elements; to look for rows in it is work for nothing.
_XML = (b"<?xml", b"\xef\xbb\xbf<?xml")


def load_reader(path: Path) -> Reader:
    """The reader that a YAML description declares.

    Raises
    ------
    DescriptionError
        The description is wrong.
    """
    d = load(path)
    return Reader(
        surest=SURE[d.recognise.sure],
        name=d.name,
        version=d.version,
        techniques=(d.technique,),
        vendor=d.vendor,
        format=d.format,
        endings=d.endings,
        sniff=lambda raw: sniff(d, raw),
        read=lambda raw: read(d, raw),
        notes=d.notes,
    )


def sniff(d: Description, raw: RawInput) -> float:
    """How sure the description is of a file, by its beginning."""
    r = d.recognise
    if r.ending and raw.suffix not in d.endings:
        return NO
    if not raw.head or raw.head.startswith(_XML):
        return NO
    known = [literal_of(p) for p in r.lines]
    # Rather than to decode the file once more, look for what must be in it among its bytes.
    if d.encodings != text.ENCODINGS and not all(k.encode() in raw.text_head for k in known if k.isascii()):
        return NO
    beginning = beginning_of(raw, d.encodings)
    if beginning is None:
        return NO
    if not all(k in beginning.first(r.within) for k in known):
        return NO
    lines = beginning.lines(r.within)
    if not all(any(map(p.search, lines)) for p in r.lines) or any(
        any(map(p.search, lines)) for p in r.without
    ):
        return NO
    if r.columns is not None or not r.lines:
        layout = beginning.table(d.table.comments)
        if layout is None or (r.columns is not None and layout.columns != r.columns):
            return NO
        if d.table.bare and not text.is_bare(list(beginning.lines()), layout, d.table.comments):
            return NO
    return SURE[r.sure]


@dataclass(frozen=True)
class _Block:
    """One table of the file: the lines before it, its names and units as written, and its columns."""

    before: list[str]
    names: list[str]
    units: list[str]
    columns: list[Array | list[str]]
    decimal: str
    first_line: int


def read(d: Description, raw: RawInput) -> Measurement:
    """The measurement in a file, as the description has it."""
    found = text.decode(raw.read_bytes(MOST_BYTES), d.encodings)
    if found is None:
        raise ReadError(f"{raw.name} is not text in any of {', '.join(d.encodings)}")
    lines = text.lines_of(found[0])
    blocks, after = _blocks(d, lines, raw)
    outside = [line for block in blocks for line in block.before] + after
    header = header_of(d, outside)
    _check_rows(d, header, blocks, raw)
    warnings = [d.warn] if d.warn else []
    conditions = conditions_of(d, header, outside, warnings)
    started = started_of(d.started, header, outside, warnings)
    entries = []
    for number, block in enumerate(blocks, 1):
        name = f"scan_{number}" if len(blocks) > 1 else "data"
        own = header_of(d, block.before) if number > 1 else header
        entry = _entry(d, block, name, own, warnings)
        mine = {**conditions, **conditions_of(d, own, block.before, warnings)} if number > 1 else conditions
        entries.append(replace(entry, conditions=mine, started=started if number == 1 else None))
    loose = [line.rstrip() for line in outside if line.strip() and not any(p.search(line) for p in d.header)]
    metadata: dict[str, Any] = {"header": header, "lines": loose, "encoding": found[1]}
    return Measurement(
        tuple(entries),
        title=text_of(d.title, header, outside) or Path(raw.name).stem,
        sample=text_of(d.sample, header, outside),
        instrument=text_of(d.instrument, header, outside),
        operator=text_of(d.operator, header, outside),
        original_metadata=_tidy({k: v for k, v in metadata.items() if v}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _tidy(metadata: dict[str, Any]) -> Mapping[str, Any]:
    tidy = tidy_metadata(metadata)
    assert isinstance(tidy, dict)
    return tidy


# --- lines → blocks ----------------------------------------------------------------------------------------------


def _blocks(d: Description, lines: list[str], raw: RawInput) -> tuple[list[_Block], list[str]]:
    """The tables of the file, and the lines after the last."""
    marker = d.table.names or d.table.after
    if marker is None:
        block, end = _plain_block(d, lines, raw)
        return [block], lines[end:]
    blocks: list[_Block] = []
    position = 0
    for number, line in enumerate(lines):
        if number >= position and marker.search(line):
            found, end = _marked_block(d, lines, position, number)
            if found is not None:
                blocks.append(found)
                position = end
    if not blocks:
        raise ReadError(f"{raw.name} has no rows of data; it is cut off, or the measurement was empty")
    return blocks, lines[position:]


def _plain_block(d: Description, lines: list[str], raw: RawInput) -> tuple[_Block, int]:
    layout = text.find_table(lines, d.table.comments)
    if layout is None:
        raise ReadError(f"{raw.name} has no table of numbers; it is cut off, or not {d.format}")
    if d.table.bare and not text.is_bare(lines, layout, d.table.comments):
        raise ReadError(
            f"{raw.name} begins as a table of numbers but has more than one table, or text, further down. "
            "Describe it in a YAML file, or name the reader that is for it."
        )
    rows, aside, end = text.rows_from(lines, layout.start, layout.delimiter, layout.decimal, d.table.comments)
    above = [
        line for line in lines[: layout.start] if line.strip() and not any(p.search(line) for p in d.header)
    ]
    names: list[str] = []
    units: list[str] = []
    if above:
        cells = [text.split_names(line.lstrip("#%; '\""), layout.delimiter) for line in above[-2:]]
        fits = [len(c) == layout.columns and any(any(x.isalpha() for x in t) for t in c) for c in cells]
        if fits == [True, True]:
            names, units = cells
        elif fits[-1]:
            names = cells[-1]
    columns = text.columns_of(rows, layout.delimiter, layout.decimal, d.table.thousands)
    return _Block([*lines[: layout.start], *aside], names, units, columns, layout.decimal, layout.start), end


def _marked_block(d: Description, lines: list[str], begin: int, at: int) -> tuple[_Block | None, int]:
    """The table whose line of names (or whose marker) is ``at``; None if no row follows."""
    start = next((i for i in range(at + 1, len(lines)) if lines[i].strip()), None)
    if start is None:
        return None, at + 1
    delimiter = text.DELIMITERS.get(d.table.delimiter) or _delimiter(lines, start)
    names = text.split_names(lines[at].lstrip("#"), delimiter) if d.table.names else []
    units: list[str] = []
    if d.table.units:
        units = text.split_names(lines[start], delimiter)
        start = next((i for i in range(start + 1, len(lines)) if lines[i].strip()), None)
        if start is None:
            return None, at + 1
    decimal = {"point": ".", "comma": ","}.get(d.table.decimal) or text.find_decimal(lines[start:], delimiter)
    if text.width(lines[start], delimiter) < 2 and text.numeric_share(lines[start], delimiter, decimal) < 1:
        return None, at + 1
    rows, aside, end = text.rows_from(lines, start, delimiter, decimal, d.table.comments, d.table.gaps)
    if not rows:
        return None, at + 1
    _check_last(rows, lines, end, delimiter)
    columns = text.columns_of(rows, delimiter, decimal, d.table.thousands)
    # A name that stands between two delimiters alone ("#Wave<tab><tab>#Intensity") is no column.
    if len(names) > len(columns):
        names = [n for n in names if n]
    names = [n.lstrip("#") for n in names]
    before = [line for i, line in enumerate(lines[begin:at]) if line.strip()]
    return _Block([*before, *aside], names, units, columns, decimal, start), end


def _check_last(rows: list[str], lines: list[str], end: int, delimiter: str) -> None:
    """Refuse a last line that is half a row: it has cells, too few of them, and no end of line."""
    rest = [line for line in lines[end:] if line.strip()]
    if len(rest) == 1 and lines[-1] == rest[0] and delimiter != " " and delimiter in rest[0]:
        have, want = text.width(rest[0], delimiter), text.width(rows[0], delimiter)
        raise ReadError(
            f"line {len(lines)} has {have} cells where {want} are expected. The file is cut off there; copy it again."
        )


def _delimiter(lines: list[str], start: int) -> str:
    layout = text.find_table(lines[start : start + 50])
    return layout.delimiter if layout else next((d for d in "\t;," if d in lines[start]), " ")


def _check_rows(d: Description, header: Mapping[str, Any], blocks: list[_Block], raw: RawInput) -> None:
    stated = look_up(header, d.table.rows) if d.table.rows else ""
    if stated.isdigit() and len(blocks) == 1 and int(stated) != len(blocks[0].columns[0]):
        raise ReadError(
            f"{raw.name} has {len(blocks[0].columns[0])} rows where its header says {stated}; it is cut off. "
            "Copy it again."
        )


# --- block → entry -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Named:
    """A column with its name in the standard form."""

    signal: Signal
    error_of: str = ""


def _entry(d: Description, block: _Block, name: str, header: Mapping[str, Any], warnings: list[str]) -> Entry:
    columns = _name_columns(d, block, header, warnings)
    by_name = {c.signal.name: c.signal for c in columns}
    errors = {c.error_of: c.signal.values for c in columns if c.error_of in by_name}
    signals = [
        replace(c.signal, uncertainty=errors.get(c.signal.name)) for c in columns if c.error_of not in by_name
    ]
    metadata: dict[str, Any] = {"columns": block.names, "units": block.units}
    rest: dict[str, Any] = {"original_metadata": _tidy({k: v for k, v in metadata.items() if v})}
    if not d.axis:
        x = d.x if d.x in by_name else signals[0].name
        others = [s.name for s in signals if s.name != x and s.values.dtype.kind in "iuf"]
        default = d.default if d.default in by_name else (others or [x])[0]
        return table(name, d.technique, signals, x=x, default=default, **rest)
    missing = [a for a in d.axis if a not in by_name]
    over = [a for a in d.axis if a in by_name]
    if not over:
        raise ReadError(f"the table at line {block.first_line + 1} has no column for {', '.join(missing)}")
    axes = [next(s for s in signals if s.name == a) for a in over]
    axes.sort(key=lambda a: _run(a.values), reverse=True)  # the file decides which is slowest
    over = [a.name for a in axes]
    signals = [s for s in signals if s.name not in over]
    if not signals:
        raise ReadError(f"the table at line {block.first_line + 1} has no column beside {', '.join(over)}")
    axes, signals = _without_gaps(axes, signals, warnings)
    shape, positions = _grid([a.values for a in axes])
    return Entry(
        name,
        d.technique,
        axes=tuple(Axis(a.name, v, a.unit, a.long_name) for a, v in zip(axes, positions, strict=True)),
        signals=tuple(
            replace(
                s,
                values=s.values.reshape(shape),
                axes=tuple(over),
                uncertainty=None if s.uncertainty is None else s.uncertainty.reshape(shape),
            )
            for s in signals
        ),
        default=d.default if any(s.name == d.default for s in signals) else signals[0].name,
        **rest,
    )


def _name_and_unit(d: Description, written: str) -> tuple[str, str | None]:
    """``Force (N)``, ``Time / s``, ``E /V``; what follows a slash at once is a unit only if it is a known one."""
    m = _IN_NAME.match(written)
    if m is None:
        return written, None
    per = m["per"] or ""
    if per and not per[0].isspace():
        unknown: list[str] = []
        unit_of(d, per, unknown)
        if unknown:
            return written, None
    return m["name"], m["unit"] or per.strip() or None


def _name_columns(
    d: Description, block: _Block, header: Mapping[str, Any], warnings: list[str]
) -> list[_Named]:
    result: list[_Named] = []
    taken: set[str] = set()
    for k, cells in enumerate(block.columns):
        written = block.names[k] if k < len(block.names) else ""
        bare, stated = _name_and_unit(d, written)
        if k < len(block.units) and block.units[k].strip():
            stated = block.units[k]
        declared = _declaration(d.columns, k, bare, stated, header, taken)
        if not written and declared is None and not isinstance(cells, np.ndarray) and not any(cells):
            continue  # the nothing after a delimiter at the end of every line
        name = declared.name if declared else make_name(bare or written, f"column_{k + 1}")
        taken.add(name)
        values, unit = _values(d, block, cells, declared, name, warnings)
        own = unit_of(d, stated, warnings)
        long_name = (declared.label if declared else "") or bare
        result.append(
            _Named(
                Signal(name, values, unit if own is None else own, long_name=long_name),
                declared.error_of if declared else "",
            )
        )
    names = text.used([c.signal.name for c in result])
    return [replace(c, signal=replace(c.signal, name=n)) for c, n in zip(result, names, strict=True)]


def _declaration(
    declared: Sequence[Column],
    k: int,
    bare: str,
    stated: str | None,
    header: Mapping[str, Any],
    taken: set[str],
) -> Column | None:
    """The first declaration that fits the column and whose name is not taken by a column before it."""
    whole = f"{bare} [{(stated or '').strip().strip('[]()')}]"
    for column in declared:
        if column.name in taken:
            continue
        if not all(p.fullmatch(look_up(header, key)) for key, p in column.when.items()):
            continue
        place = column.column
        if place == k + 1 if isinstance(place, int) else place.fullmatch(bare) or place.fullmatch(whole):
            return column
    return None


def _values(
    d: Description,
    block: _Block,
    cells: Array | list[str],
    declared: Column | None,
    name: str,
    warnings: list[str],
) -> tuple[Array, str | None]:
    kind, unit = (declared.kind, declared.unit) if declared else ("number", None)
    if isinstance(cells, np.ndarray):
        if kind == "text":
            return np.array([f"{v:g}" for v in cells]), unit
        whole = kind == "integer" and bool(np.isfinite(cells).all() and (cells == np.rint(cells)).all())
        return (cells.astype(np.int64) if whole else cells), unit
    if kind == "text":
        return texts(cells), unit
    if kind == "duration":
        return text.durations(cells), "s"
    if kind == "moment":
        return text.moments(cells, declared.formats if declared else ()), None
    values, odd = text.numbers(cells, block.decimal, d.table.thousands)
    if len(odd) * 2 > len(cells):
        if declared:
            raise ReadError(f"column {name} holds {odd[0][:40]!r} and more that is not a number")
        return texts(cells), unit
    if odd:
        more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
        warnings.append(f"{name}: {odd[0][:40]!r}{more} is not a number and was left blank.")
    return values, unit


def _without_gaps(
    axes: list[Signal], signals: list[Signal], warnings: list[str]
) -> tuple[list[Signal], list[Signal]]:
    """Leave out the rows that have no position."""
    keep = np.ones(len(axes[0].values), bool)
    for axis in axes:
        if axis.values.dtype.kind == "f":
            keep &= np.isfinite(axis.values)
    if keep.all():
        return axes, signals
    if not keep.any():
        raise ReadError(f"no row has a {axes[0].name}")
    warnings.append(f"{np.count_nonzero(~keep)} rows have no {axes[-1].name} and were left out.")

    def kept(s: Signal) -> Signal:
        uncertainty = None if s.uncertainty is None else s.uncertainty[keep]
        return replace(s, values=s.values[keep], uncertainty=uncertainty)

    return [kept(a) for a in axes], [kept(s) for s in signals]


def _run(values: Array) -> int:
    """How many rows the first value lasts."""
    changes = np.flatnonzero(values != values[0])
    return int(changes[0]) if len(changes) else len(values)


def _grid(columns: list[Array]) -> tuple[tuple[int, ...], list[Array]]:
    """The shape of a map that is written as rows of positions, and the positions along each axis.

    Raises
    ------
    ReadError
        The positions are no regular grid in rows.
    """
    if len(columns) == 1:
        return (len(columns[0]),), columns
    firsts = [np.sort(np.unique(c, return_index=True)[1]) for c in columns]
    positions = [c[f] for c, f in zip(columns, firsts, strict=True)]
    shape = tuple(len(p) for p in positions)
    if int(np.prod(shape, dtype=object)) != len(columns[0]):
        raise ReadError(f"{len(columns[0])} rows are no full map of {' by '.join(map(str, shape))} positions")
    for k, (column, along) in enumerate(zip(columns, positions, strict=True)):
        spread = [-1 if i == k else 1 for i in range(len(shape))]
        if not np.array_equal(np.broadcast_to(along.reshape(spread), shape).ravel(), column):
            raise ReadError("the positions of the map are not in order")
    return shape, positions
