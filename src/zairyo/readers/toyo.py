"""TOYO SYSTEM (東洋システム) TOSCAT: battery cyclers of Japanese and Korean laboratories.

Facts. The export ``連続データ.csv``: lines of keys and values (試験名, 開始日時, 重量[mg]), a line of headings that
begins サイクル,モード,状態, then channels, a separator and units, then a row a record; several channels stand side by
side. The cycler's own files ``000001``, ``000002`` …: a line of seven numbers, blank lines, a line of headings in
Japanese (half-width kana) or English, a row a record, one file a cycle. Their current is unsigned: the state says
whether the cell is charged (1), discharged (2), rests (0, 3) or was stopped (9); the passed time begins anew with
each step. ``*.PTN`` holds the pattern, with the active mass in grams at character 44 of its first line;
``CAPACITY.LOG`` a row a step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._electrochemistry import PLOT_OF_CYCLES, make_entry
from zairyo.readers._toyo_tables import Heading, Rows, decode, fill, headings_of, rows_of

_MOST_BYTES = 1024**3
_MOST_HEADER = 60
_FIRST = re.compile(
    r'\ufeff?(?:"?総サイクル"?[,\t;])?"?サイクル"?(?P<delimiter>[,\t;])"?モード"?(?P=delimiter)'
)
_BYTES = tuple("サイクル".encode(code) for code in ("cp932", "utf-8"))
_WIDE = tuple("サイクル".encode(code) for code in ("utf-16-le", "utf-16-be"))
_PATTERN = ".ptn"
_RECORDS = re.compile(
    rb"(?:\xef\xbb\xbf)?[\d, \t]*\r?\n(?:[\s,]*\r?\n)*[^\r\n]*(?:Pass(?:ed)? ?Time|"
    + "経過時間".encode("cp932")
    + rb"|"
    + "経過時間".encode()
    + rb")\[Sec\][^\r\n]*\[V\]"
)
_NUMBERED = re.compile(r"\d{6}(?:\.(?:txt|csv|dat))?\Z", re.IGNORECASE)
_MOST_FILES = 100_000
_DATES = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M")


# -- 連続データ.csv ------------------------------------------------------------------------------------


def _sniff_export(source: RawInput) -> float:
    if source.is_folder:
        names = [name for name in source.members if not name.lower().endswith(_PATTERN)]
        if len(names) != 1 or len(source.members) != 2:
            return NO
        try:
            with source.member_path(names[0]).open("rb") as f:
                head = f.read(16384)
        except OSError:
            return NO
    else:
        head = source.head[:16384]
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    if not any(mark in head for mark in (_WIDE if wide else _BYTES)):
        return NO
    head = head[: len(head) // 2 * 2].replace(b"\r", b"\n")
    for code in ("utf-16",) if wide else ("utf-8", "cp932"):
        if any(map(_FIRST.match, head.decode(code, "ignore").splitlines())):
            return CERTAIN
    return NO


def _export_sets(names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """The export with the pattern beside it, which has the active mass, if no numbered files go with that."""
    exports = [name for name in names if re.fullmatch(r"連続データ.*\.(?:csv|txt)", name, re.IGNORECASE)]
    patterns = [name for name in names if name.lower().endswith(_PATTERN)]
    if len(exports) == len(patterns) == 1 and not any(map(_NUMBERED.match, names)):
        yield exports[0], patterns[0]


def _pairs(lines: Iterable[str], delimiter: str) -> dict[str, str]:
    """Keys and values of lines such as ``,試験名,C:\\data,,,,開始日時,2026-01-01 00:00:00``."""
    found: dict[str, str] = {}
    for line in lines:
        cells = [cell.strip(' "') for cell in line.split(delimiter)]
        at = 0
        while at < len(cells):
            if cells[at]:
                found.setdefault(cells[at], cells[at + 1] if at + 1 < len(cells) else "")
                at += 1
            at += 1
    return found


def _channels(names: list[str], below: list[list[str]]) -> list[str]:
    """The channel of each column, by the line that says 1ch,1ch,…; the same for all where there is none."""
    for cells in below:
        if len(cells) >= len(names) and any(re.fullmatch(r"\d+\s*ch", c, re.IGNORECASE) for c in cells):
            return list(cells[: len(names)])
    return [""] * len(names)


def _entry_names(channels: list[str]) -> list[str]:
    """``1ch`` → ``cycling_1``; counted where the channels say no number, or one twice."""
    if len(channels) == 1:
        return ["cycling"]
    numbers = [m[0] if (m := re.match(r"\d{1,9}", channel)) else "" for channel in channels]
    if len(set(numbers)) < len(channels) or "" in numbers:
        numbers = [str(k) for k in range(1, len(channels) + 1)]
    return [f"cycling_{number}" for number in numbers]


def _conditions(header: dict[str, str], channel: str) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, unit in (("重量[mg]", "mg"), ("重量[g]", "g"), ("活物質重量[mg]", "mg")):
        try:
            mass = float(header.get(key, ""))
        except ValueError:
            continue
        if mass > 0:
            found["active_mass"] = Quantity(mass, unit)
    if channel:
        found["channel"] = Quantity(channel)
    if comment := " ".join(
        header[k] for k in ("測定備考", "備考", "備考2") if header.get(k, "-") != "-"
    ).strip():
        found["comment"] = Quantity(comment)
    return found


def _read_export(source: RawInput) -> Measurement:
    name = next(
        (n for n in source.members if not n.lower().endswith(_PATTERN)) if source.is_folder else iter([""]),
        "",
    )
    data = source.member(name, _MOST_BYTES) if name else source.read_bytes(_MOST_BYTES)
    lines = decode(data, source.name)
    at = next((k for k, line in enumerate(lines[:_MOST_HEADER]) if _FIRST.match(line)), None)
    first = _FIRST.match(lines[at]) if at is not None else None
    if at is None or first is None:
        raise ReadError(
            f"{source.name} has no line of headings (サイクル,モード,状態 …); it is cut off. Copy it again."
        )
    delimiter = first["delimiter"]
    if '"' in lines[at]:
        lines[at:] = [line.replace('"', "") for line in lines[at:]]
    header, start, below = _pairs(lines[:at], delimiter), at + 1, list[list[str]]()
    while start < len(lines) and not re.match(rf'\s*"?[-+]?\d+(?:\.\d+)?"?\s*{delimiter}', lines[start]):
        if start > at + 10:
            break
        below.append([cell.strip(' "') for cell in lines[start].split(delimiter)])
        start += 1
    names = [name.strip(' "\ufeff') for name in lines[at].split(delimiter)]
    units = next((cells for cells in below if any(re.fullmatch(r"\[[^\]]+\]", c) for c in cells)), [])
    headings = headings_of(names, units)
    rows = rows_of(lines, start, headings, delimiter=delimiter)
    channels = _channels(names, below)
    warnings: list[str] = []
    started = in_forms(header.get("開始日時", ""), _DATES)
    title = re.split(r"[\\/¥]", header.get("試験名", ""))[-1] or source.path.stem
    told = _mass_of(source) if source.is_folder else None
    mass = {} if told is None else {"active_mass": Quantity(told, "g")}
    entries: list[Entry] = []
    each = [c for c in dict.fromkeys(channels) if c] or [""]
    for channel, name in zip(each, _entry_names(each), strict=True):
        mine = (
            [k for k, c in enumerate(channels) if c in (channel, "")] if channel else list(range(len(names)))
        )
        columns = fill(Rows([headings[k] for k in mine], [rows.cells[k] for k in mine]), warnings)
        entries.append(
            make_entry(
                name,
                "battery_cycling",
                columns,
                title=title if len(each) == 1 else f"{title}, {channel}",
                started=started,
                conditions=mass | _conditions(header, channel),
            )
        )
    return Measurement(
        tuple(entries),
        title=title,
        instrument="TOYO SYSTEM TOSCAT",
        original_metadata=tidy_metadata({"header": header, "headings": names, "below": below}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


# -- 000001, 000002 … ----------------------------------------------------------------------------------


def _numbered(source: RawInput) -> list[str]:
    return [name for name in source.members if "/" not in name and _NUMBERED.match(name)]


def _sniff_records(source: RawInput) -> float:
    if not source.is_folder:
        return CERTAIN if _RECORDS.match(source.head[:4096]) else NO
    names = _numbered(source)
    if not names:
        return NO
    try:
        with source.member_path(names[0]).open("rb") as f:
            return LIKELY if _RECORDS.match(f.read(4096)) else NO
    except OSError:
        return NO


def _sets(names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """Numbered files without an ending, with the pattern and the log beside them."""
    numbered = [name for name in names if re.fullmatch(r"\d{6}", name)]
    beside = [name for name in names if name.lower().endswith(".ptn") or name.lower() == "capacity.log"]
    if numbered and (len(numbered) > 1 or beside):
        yield (*numbered, *beside)


def _parse_records(data: bytes, name: str) -> tuple[list[Heading], Rows]:
    lines = decode(data, name)
    at = next((k for k, line in enumerate(lines[:_MOST_HEADER]) if "[Sec]" in line and "[V]" in line), None)
    if at is None:
        raise ReadError(
            f"{name} has no line of headings (…[Sec], …[V]); it is cut off or no TOYO record file."
        )
    headings = headings_of([cell.strip() for cell in lines[at].split(",")], [])
    return headings, rows_of(lines, at + 1, headings, name)


def _joined(parts: list[tuple[str, list[Heading], Rows]]) -> Rows:
    """The rows of several files with the same headings, one after the other."""
    first = parts[0][1]
    for name, headings, _ in parts[1:]:
        if headings != first:
            raise ReadError(
                f"{name} has other columns than {parts[0][0]}; read the files of one test together only."
            )
    cells: list[Any] = []
    for k in range(len(first)):
        columns = [rows.cells[k] for _, _, rows in parts]
        if all(isinstance(c, np.ndarray) for c in columns):
            cells.append(np.concatenate(columns))
        else:
            cells.append([c for column in columns for c in _texts(column)])
    return Rows(first, cells)


def _texts(column: Any) -> list[str]:
    return [f"{v:g}" for v in column.tolist()] if isinstance(column, np.ndarray) else column


def _mass_of(source: RawInput) -> float | None:
    """The active mass in grams of a pattern file; None if no or several patterns say one."""
    found = set()
    for name in source.members:
        if "/" in name or not name.lower().endswith(".ptn"):
            continue
        try:
            line = decode(source.member(name, 1 << 20), name)[0]
            mass = float(line[45:53])
        except (ReadError, ValueError, IndexError):
            continue
        if 0 < mass < 1e6:
            found.add(mass)
    return found.pop() if len(found) == 1 else None


def _steps(source: RawInput, warnings: list[str]) -> Entry | None:
    """CAPACITY.LOG: what the cycler noted at the end of each step."""
    name = next((n for n in source.members if n.lower() == "capacity.log"), None)
    if name is None:
        return None
    try:
        lines = decode(source.member(name, 1 << 28), name)
        headings = headings_of([cell.strip() for cell in lines[0].split(",")], [])
        rows = rows_of(lines, 1, headings, name)
        columns = fill(Rows(rows.headings, rows.cells, running=False), [])  # amounts of whole steps
        return make_entry("steps", "battery_cycling", columns, title="Steps", plot=PLOT_OF_CYCLES)
    except ReadError as e:
        warnings.append(f"{name} is left out: {e}")
        return None


def _read_records(source: RawInput) -> Measurement:
    warnings: list[str] = []
    conditions: dict[str, Quantity] = {}
    steps = None
    if source.is_folder:
        names = _numbered(source)
        if not names or len(names) > _MOST_FILES:
            raise ReadError(
                f"{source.name} holds {len(names)} numbered files; between 1 and {_MOST_FILES} are read."
            )
        parts = [(name, *_parse_records(source.member(name, _MOST_BYTES), name)) for name in names]
        missing = int(names[-1][:6]) - int(names[0][:6]) + 1 - len(names)
        if missing > 0:
            warnings.append(f"{missing} numbered files between {names[0]} and {names[-1]} are missing.")
        mass = _mass_of(source)
        if mass is not None:
            conditions["active_mass"] = Quantity(mass, "g")
        steps = _steps(source, warnings)
    else:
        parts = [(source.name, *_parse_records(source.read_bytes(_MOST_BYTES), source.name))]
        if _NUMBERED.match(source.name):
            warnings.append(
                "Only this file of the test was read; the folder with its numbered files reads as one test."
            )
    columns = fill(_joined(parts), warnings)
    title = source.path.parent.name if source.parts else source.path.name
    started = columns.started()
    entry = make_entry(
        "cycling",
        "battery_cycling",
        columns,
        title=title,
        started=started,
        conditions=conditions,
    )
    names_of = [h.text for h in parts[0][1]]
    return Measurement(
        (entry, steps) if steps is not None else (entry,),
        title=title,
        instrument="TOYO SYSTEM TOSCAT",
        original_metadata=tidy_metadata({"files": [name for name, _, _ in parts], "headings": names_of}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


READERS = (
    Reader(
        name="toyo_csv",
        version="2",
        techniques=("battery_cycling",),
        vendor="TOYO SYSTEM",
        format="continuous data (連続データ.csv)",
        endings=(".csv", ".txt"),
        sniff=_sniff_export,
        read=_read_export,
        notes=(
            "From public descriptions of the format, not from files of an instrument. One or several channels, between "
            "commas or tabs; the active mass from the pattern (PTN) beside it where the export does not say it."
        ),
        sets=_export_sets,
    ),
    Reader(
        name="toyo_records",
        version="1",
        techniques=("battery_cycling",),
        vendor="TOYO SYSTEM",
        format="numbered record files (000001 …)",
        endings=("",),
        sniff=_sniff_records,
        read=_read_records,
        notes=(
            "From public descriptions of the format. One file, or a folder of them with its pattern (PTN) and "
            "CAPACITY.LOG; capacities are computed from current and time."
        ),
        sets=_sets,
    ),
)
