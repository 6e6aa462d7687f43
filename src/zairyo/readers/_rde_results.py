"""What an RDE structuring program wrote, as a measurement: its tables, and its ``metadata.json`` as their header."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from zairyo.measurement import Entry, Measurement, Quantity, make_name, tidy_metadata, units
from zairyo.measurement.techniques import conditions
from zairyo.readers import _draft_words as words
from zairyo.readers import delimited, delimited_text
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers.delimited_description import Column, Description, Moment, Table, Text
from zairyo.readers.delimited_header import conditions_of, started_of, text_of, unit_of

_TEXTS = (".csv", ".tsv", ".txt", ".dat")
_WORKBOOKS = (".xlsx", ".xls")
_FOLDERS = ("structured", "main_image", "other_image", "attachment")
_MOST_JSON = 1 << 20


@dataclass(frozen=True)
class _Item:
    """One value of ``metadata.json`` with what ``metadata-def.json`` says of its key."""

    key: str
    value: Any
    unit: str | None
    names: tuple[str, ...]

    @property
    def header_key(self) -> str:
        return f"{self.key} [{self.unit}]" if self.unit else self.key


@dataclass
class _Tile:
    """What one run of the program on one file wrote."""

    folder: Path
    constant: dict[str, Any] = field(default_factory=dict)
    variable: list[dict[str, Any]] = field(default_factory=list)


def measurement_of(
    d: Description, raw: RawInput, folder: Path, definitions: Mapping[str, Any], warnings: list[str]
) -> Measurement:
    """The measurement in ``folder/data``.

    Parameters
    ----------
    d
        Says how to name columns and where in the metadata sample, start and conditions are, beyond what the names
        themselves say.
    definitions
        ``metadata-def.json``.
    warnings
        What is known to have gone wrong.

    Raises
    ------
    ReadError
        There is no table of numbers in ``structured/``, or ``metadata.json`` is not as RDE has it.
    """
    tiles = [_tile(f) for f in (folder / "data", *sorted((folder / "data" / "divided").glob("*")))]
    told = list(warnings)
    entries: list[Entry] = []
    header: dict[str, str] = {}
    for number, tile in enumerate(tiles, 1):
        of_tile = _tables(d, tile, folder, definitions, told)
        for index, entry in enumerate(of_tile):
            own = tile.variable[index] if len(tile.variable) == len(of_tile) else {}
            items = [_item(key, value, definitions) for key, value in {**tile.constant, **own}.items()]
            said = _header(items)
            header = header or said
            name = f"tile_{number}_{entry.name}" if len(tiles) > 1 else entry.name
            entries.append(_with_metadata(d, replace(entry, name=name), items, said, told))
    if not entries:
        left_out = f" {told[-1]}" if told else ""
        raise ReadError(
            f"The RDE program wrote no table of numbers for {raw.name} into structured/.{left_out}"
        )
    names = delimited_text.used([entry.name for entry in entries])
    return Measurement(
        tuple(replace(entry, name=name) for entry, name in zip(entries, names, strict=True)),
        title=_text(d, "title", header) or Path(raw.name).stem,
        sample=_text(d, "sample", header),
        operator=_text(d, "operator", header),
        instrument=_text(d, "instrument", header),
        original_metadata=_metadata(tiles, definitions),
        warnings=tuple(dict.fromkeys(told)),
    )


def _tile(folder: Path) -> _Tile:
    path = folder / "meta" / "metadata.json"
    if not path.exists():
        return _Tile(folder)
    said = _json(path)
    constant, variable = said.get("constant") or {}, said.get("variable") or []
    if not isinstance(constant, dict) or not isinstance(variable, list):
        raise ReadError('The RDE program\'s metadata.json must hold {"constant": {…}, "variable": [{…}]}.')
    return _Tile(folder, constant, [v for v in variable if isinstance(v, dict)])


def _json(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as e:
        raise ReadError(f"The RDE program's {path.name} is no JSON: {e}") from None
    if not isinstance(said, dict):
        raise ReadError(f"The RDE program's {path.name} is a {type(said).__name__}, not an object.")
    return said


# --- tables ------------------------------------------------------------------------------------------------------


def _tables(
    d: Description, tile: _Tile, folder: Path, definitions: Mapping[str, Any], warnings: list[str]
) -> list[Entry]:
    """An entry for each table of numbers that a tile's ``structured/`` holds."""
    found: list[Entry] = []
    for path in _in_order((tile.folder / "structured").rglob("*")):
        for part in _as_text(path, folder / "tables"):
            try:
                found += _read_table(d, part, definitions, warnings)
            except ReadError as e:
                warnings.append(f"structured/{path.name} was left out: {e}")
    return found


def _in_order(paths: Iterator[Path]) -> list[Path]:
    """Files by name, numbers in it counted: ``scan_2`` before ``scan_10``."""

    def key(path: Path) -> list[tuple[int, str]]:
        return [(int(t), "") if t.isdigit() else (-1, t) for t in re.split(r"(\d+)", path.as_posix())]

    return sorted((p for p in paths if p.is_file()), key=key)


def _as_text(path: Path, made: Path) -> Iterator[Path]:
    """The file if it is text in columns; a workbook's sheets as such text."""
    if path.suffix.lower() in _TEXTS:
        yield path
    elif path.suffix.lower() in _WORKBOOKS:
        from python_calamine import CalamineError, CalamineWorkbook

        made.mkdir(exist_ok=True)
        try:
            book = CalamineWorkbook.from_path(str(path))
            for name in book.sheet_names:
                target = made / f"{path.stem} {make_name(name)}.csv"
                with target.open("w", encoding="utf-8", newline="") as f:
                    csv.writer(f).writerows(book.get_sheet_by_name(name).to_python())
                yield target
        except (CalamineError, OSError) as e:
            raise ReadError(f"The RDE program's {path.name} is no workbook: {e}") from None


def _read_table(
    d: Description, path: Path, definitions: Mapping[str, Any], warnings: list[str]
) -> list[Entry]:
    """The tables of one file, with the vocabulary's names for columns that are written as it calls them."""
    raw = RawInput(path)
    d = replace(d, conditions=(), started=Moment())
    try:
        as_written = delimited.read(replace(d, axis=()), raw)
    except ReadError:  # among columns of text no table of numbers is seen, but its first line names them
        if d.table != Table():
            raise
        d = replace(d, table=Table(names=_first_line(d, raw)))
        as_written = delimited.read(replace(d, axis=()), raw)
    columns = [*d.columns]
    taken = {c.name for c in columns}
    for signal in as_written[0].signals:
        if signal.values.dtype.kind not in "iuf" or signal.name in taken:
            continue
        unit = _unit_of_column(d, signal.long_name, definitions, warnings) if signal.unit is None else None
        name = words.signal_of(d.technique, signal.long_name, signal.unit or unit, taken)
        if name or unit:
            pattern = re.compile(re.escape(signal.long_name))
            columns.append(Column(pattern, name or signal.name, unit))
            taken.add(name or signal.name)
    read = delimited.read(replace(d, columns=tuple(columns)), raw)
    warnings += read.warnings
    stem = make_name(path.stem, "table")
    several = len(read) > 1
    return [
        replace(entry, name=f"{stem}_{i}" if several else stem, title=path.stem, original_metadata={})
        for i, entry in enumerate(read, 1)
    ]


def _first_line(d: Description, raw: RawInput) -> re.Pattern[str]:
    found = delimited_text.decode(raw.read_bytes(delimited.MOST_BYTES), d.encodings) or ("", "")
    lines = delimited_text.lines_of(found[0]) or [""]
    return re.compile(r"\A" + re.escape(lines[0]))


def _unit_of_column(
    d: Description, written: str, definitions: Mapping[str, Any], warnings: list[str]
) -> str | None:
    """The unit that ``metadata-def.json`` gives for what a column is called, if it says one."""
    for key in definitions:
        item = _item(key, None, definitions)
        if item.unit and words.plain(written) in map(words.plain, (key, *item.names)):
            return unit_of(d, item.unit, warnings)
    return None


# --- metadata ----------------------------------------------------------------------------------------------------


def _item(key: str, value: Any, definitions: Mapping[str, Any]) -> _Item:
    definition = definitions.get(key) or {}
    said = value if isinstance(value, dict) else {"value": value}
    unit = said.get("unit") or definition.get("unit")
    # "$KEY" is a reference that was not resolved.
    unit = unit if isinstance(unit, str) and not unit.startswith("$") else None
    titles = definition.get("name")
    names: dict[str, Any] = titles if isinstance(titles, dict) else {}
    own = [names.get("en"), names.get("ja"), definition.get("originalName"), key.rpartition(".")[2]]
    return _Item(key, said.get("value"), unit, tuple(n for n in own if isinstance(n, str) and n))


def _header(items: list[_Item]) -> dict[str, str]:
    """The metadata as a text file's header: a value under its key and under each of its names."""
    header: dict[str, str] = {}
    for item in items:
        if item.value is None or isinstance(item.value, (dict, list)):
            continue
        for name in (item.key, *item.names):
            header.setdefault(f"{name} [{item.unit}]" if item.unit else name, str(item.value))
    return header


def _with_metadata(
    d: Description, entry: Entry, items: list[_Item], header: Mapping[str, str], warnings: list[str]
) -> Entry:
    found: dict[str, Quantity] = {}
    for item in items:
        name = next((n for w in (item.key, *item.names) if (n := _condition(d, w, item))), None)
        if name and name not in found and (quantity := _quantity(d, name, item, warnings)):
            found[name] = quantity
    return replace(
        entry,
        conditions={**found, **conditions_of(d, header, (), warnings)},
        started=_started(d, header, warnings),
    )


def _condition(d: Description, word: str, item: _Item) -> str | None:
    return words.condition_of(d.technique, word, item.unit and units.normalise(item.unit))


def _quantity(d: Description, name: str, item: _Item, warnings: list[str]) -> Quantity | None:
    """The condition that an item is; None if its value cannot be one."""
    usual = conditions(d.technique)[name].unit
    value = item.value
    if usual is None:
        return Quantity(value) if isinstance(value, (str, bool, int, float)) and value != "" else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return Quantity(value, unit_of(d, item.unit, warnings))


def _started(d: Description, header: Mapping[str, str], warnings: list[str]) -> datetime | None:
    place = d.started if d.started != Moment() else Moment(key=_key_of("started", header))
    return started_of(place, header, (), warnings if d.started != Moment() else [])


def _text(d: Description, name: str, header: Mapping[str, str]) -> str:
    """Title, sample, operator or instrument: where the description says, else under a name that says it."""
    place: Text = getattr(d, name)
    return text_of(place if place != Text() else Text(key=_key_of(name, header)), header, ())


def _key_of(place: str, header: Mapping[str, str]) -> str:
    return next((key for key in header if words.place_of(key) == place), "")


def _metadata(tiles: list[_Tile], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the program said, with the names and units of its definitions, and the files it wrote."""
    told = [_metadata_of(tile, definitions) for tile in tiles]
    found = tidy_metadata(told[0] if len(told) == 1 else {"tiles": told})
    assert isinstance(found, dict)
    return found


def _metadata_of(tile: _Tile, definitions: Mapping[str, Any]) -> dict[str, Any]:
    def named(values: Mapping[str, Any]) -> dict[str, Any]:
        return {key: _verbatim(key, value, definitions) for key, value in values.items()}

    files = {name: [p.name for p in _in_order((tile.folder / name).rglob("*"))] for name in _FOLDERS}
    said: dict[str, Any] = {
        "constant": named(tile.constant),
        "variable": [named(values) for values in tile.variable],
        "files": {name: found for name, found in files.items() if found},
    }
    for path in _in_order((tile.folder / "structured").rglob("*.json")):
        if path.stat().st_size <= _MOST_JSON:
            try:
                said.setdefault("structured", {})[path.name] = json.loads(
                    path.read_text(encoding="utf-8-sig")
                )
            except (OSError, ValueError, RecursionError):
                continue  # it is listed by name
    return {key: value for key, value in said.items() if value}


def _verbatim(key: str, value: Any, definitions: Mapping[str, Any]) -> Any:
    definition = definitions.get(key)
    if not isinstance(definition, dict) or "name" not in definition:
        return value
    said = value if isinstance(value, dict) else {"value": value}
    return {**said, "name": definition["name"]}
