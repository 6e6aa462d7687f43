"""Data loggers' text: Graphtec GL (midi LOGGER), HIOKI LR8400 and Campbell Scientific (TOA5).

Facts. Graphtec: ``Vendor,GRAPHTEC Corporation`` (or ``ベンダ``) first; keys and values; a table of the amplifiers, a
line a channel with its signal's name; headings ``Number,Date&Time,ms,CH1`` or ``Number,Date,Time,us,CH1`` and mostly a
line of units below; the mark of cells, the decimal mark and the order of the date are settings; what is out of range is
``+++++++`` or ``-------``. HIOKI: quoted keys, a line each with the channels' modes, ranges and comments; headings
``"Time","1-1[V]"``, seconds since the trigger. TOA5: the logger and its program; names; units; how each was processed
(``Avg``); ISO dates, the end of each interval; ``"NAN"``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal, clean_text, make_name, table, tidy_metadata
from zairyo.measurement.model import Array
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import moments_of
from zairyo.readers._day_or_month import either, in_forms
from zairyo.readers._text_export import cells_of, head_lines, read_lines, texts, unit_of
from zairyo.readers.delimited_text import used

_GRAPHTEC = "GRAPHTEC Corporation"
_HIOKI = ("File name", "Title comment", "Trigger Time")
_MOST_HEADER = 1000
_FRACTIONS = {"ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6}
_INTERVALS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}
#: What Graphtec calls its keys, in English → in Japanese.
_WORDS = {
    "Model": "モデル", "Version": "バージョン", "Sampling interval": "測定間隔", "Sampling": "測定間隔",
    "Signal name": "信号名", "Input": "入力", "Unit": "単位", "Total data points": "測定点数",
}  # fmt: skip
_SPELLED = {
    "Deg C": "degC", "degC": "degC", "℃": "degC", "゜C": "degC", "ﾟC": "degC", "°C": "degC", "deg C": "degC",
    "Volts": "V", "volts": "V", "mV": "mV", "Samples": "", "samples": "", "unitless": "", "RN": "",
}  # fmt: skip


# --- what all of them become --------------------------------------------------------------------------------------


def _rows(lines: Sequence[str], start: int, delimiter: str, width: int) -> list[list[str]]:
    """The cells of the rows from line ``start`` on; one more at a row's end, which is blank, is none."""
    rows = []
    last = max((k for k in range(start, len(lines)) if lines[k].strip()), default=-1)
    for at in range(start, last + 1):
        if not lines[at].strip():
            continue
        cells = cells_of(lines[at], delimiter)
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if len(cells) != width:
            why = "The file is cut off there; copy it again." if at == last else "The file is damaged there."
            raise ReadError(f"line {at + 1} has {len(cells)} cells where {width} are expected. {why}")
        rows.append(cells)
    if not rows:
        raise ReadError("There is no record after the headings: nothing was logged, or the file is cut off.")
    return rows


def _values(cells: Sequence[str], decimal: str, heading: str, warnings: list[str]) -> Array:
    """A channel's numbers, NaN for what was out of range or not measured; its words if it has no number at all."""
    few = dict[str, float]()
    odd = dict[str, int]()
    for cell in cells:
        if cell not in few:
            try:
                few[cell] = float(cell.replace(" ", "").replace(decimal, ".") or "nan")
            except ValueError:
                few[cell] = np.nan
        if np.isnan(few[cell]) and cell and cell.casefold() != "nan":
            odd[cell] = odd.get(cell, 0) + 1
    if odd and all(np.isnan(v) for v in few.values()):
        return texts(cells)
    for cell, count in list(odd.items())[:3]:
        out = " (out of range)" if set(cell) in ({"+"}, {"-"}) else ""
        warnings.append(f"{count} values of {heading!r} are {clean_text(cell)[:40]!r}{out}; they are blank.")
    return np.array([few[cell] for cell in cells])


def _signals(
    names: Sequence[str],
    labels: Sequence[str],
    units: Sequence[str | None],
    columns: Sequence[Array],
    told: list[str],
) -> list[Signal]:
    found = []
    for name, label, unit, values in zip(used(names), labels, units, columns, strict=False):
        if values.dtype.kind == "f" and not np.isfinite(values).any():
            continue
        stated = unit_of(unit or None, told, _SPELLED) if values.dtype.kind == "f" else None
        found.append(Signal(name, values, stated, long_name=clean_text(label)[:200]))
    return found


def _times(
    stamps: list[str], fractions: Array | None, interval: float | None, warnings: list[str]
) -> list[Signal]:
    """Seconds since the first record, and its moment: by the dates where these go on, else by the interval."""
    told = moments_of(stamps, interval * (len(stamps) - 1) if interval else None)
    since: Array | None = None
    moments: Array | None = None
    if told is not None:
        parts = np.zeros(len(stamps)) if fractions is None else np.nan_to_num(fractions)
        since = (told[0] - told[0][0]) / np.timedelta64(1, "s") + (parts - parts[0])
        if len(stamps) > 1 and not np.all(np.diff(since) > 0):
            since = None
        if told[1].endswith("?"):
            warnings.append(either(stamps[0], "dates are left out"))
        else:
            moments = told[0] + np.rint(parts * 1000).astype("timedelta64[ms]")
    if since is None and interval:
        warnings.append("The dates do not go on from record to record; times are by the sampling interval.")
        since = np.arange(len(stamps)) * interval
    signals = [] if since is None else [Signal("time", np.asarray(since, float), "s", long_name="Time")]
    if moments is not None:
        signals.append(Signal("timestamp", moments, None, long_name="Date and time"))
    return signals or [Signal("index", np.arange(len(stamps)), "", long_name="Record")]


def _measurement(
    source: RawInput,
    signals: list[Signal],
    *,
    title: str = "",
    instrument: str,
    interval: float | None = None,
    conditions: Mapping[str, Quantity] | None = None,
    metadata: Mapping[str, Any],
    started: datetime | None = None,
    warnings: list[str],
) -> Measurement:
    channels = [
        s for s in signals if s.values.dtype.kind == "f" and s.name not in ("time", "record", "event")
    ]
    if not channels:
        raise ReadError(f"{source.name} holds no number of any channel; nothing was logged.")
    stamps = next((s.values for s in signals if s.name == "timestamp"), None)
    if started is None and stamps is not None and not np.isnat(stamps[0]):
        started = stamps[0].astype("datetime64[us]").astype(datetime)
    found = {"channels": Quantity(len(channels), "")} | dict(conditions or {})
    if interval:
        found["sampling_interval"] = Quantity(interval, "s")
    entry = table(
        "data",
        "data_log",
        signals,
        x=next(s.name for s in signals if s.name in ("time", "timestamp", "index")),
        default=channels[0].name,
        title=title or source.path.stem,
        started=started,
        conditions=found,
    )
    return Measurement(
        (entry,),
        title=title or source.path.stem,
        instrument=clean_text(instrument).strip(),
        original_metadata=tidy_metadata(dict(metadata)),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _interval(text: str) -> float | None:
    match = re.fullmatch(
        r"\s*([\d.]+)\s*([a-zµμ]+)\s*", text.casefold().replace("秒", "s").replace("分", "min")
    )
    return float(match[1]) * _INTERVALS[match[2]] if match and match[2] in _INTERVALS else None


# --- Graphtec -----------------------------------------------------------------------------------------------------


def _sniff_graphtec(source: RawInput) -> float:
    lines = head_lines(source, 1)
    return CERTAIN if lines and re.match(rf'\s*"?[^,;\t]*"?[,;\t]"?{_GRAPHTEC}', lines[0]) else NO


def _read_graphtec(source: RawInput) -> Measurement:
    lines = read_lines(source)
    delimiter = next((d for d in "\t;," if d in lines[0]), ",")
    head = [cells_of(line, delimiter) for line in lines[:_MOST_HEADER]]
    at = next((k for k, row in enumerate(head) if len(row) > 3 and _FRACTIONS.keys() & set(row[2:4])), None)
    if at is None:
        raise ReadError(f"{source.name} has no line of headings with the time; it is cut off. Copy it again.")
    headings = head[at]
    while headings and not headings[-1]:
        headings.pop()
    first = next(k for k in (2, 3) if headings[k] in _FRACTIONS) + 1
    has_units = at + 1 < len(head) and bool(head[at + 1]) and not head[at + 1][0].strip().isdigit()
    stated = dict(zip(headings, head[at + 1], strict=False)) if has_units else {}
    start = at + 1 + has_units
    rows = _rows(lines, start, delimiter, len(headings))
    decimal = _decimal(rows, first)
    header = {row[0]: [c for c in row[1:] if c] for row in head[:at] if row and row[0]}
    amplifiers = _amplifiers(head[:at])
    warnings: list[str] = []
    interval = _interval(" ".join(_key(header, "Sampling interval") or _key(header, "Sampling")))
    columns = [list(column) for column in zip(*rows, strict=True)]
    fractions = (
        _values(columns[first - 1], decimal, headings[first - 1], []) * _FRACTIONS[headings[first - 1]]
    )
    stamps = [" ".join(parts) for parts in zip(*columns[1 : first - 1], strict=True)]
    signals = _times(stamps, fractions if fractions.dtype.kind == "f" else None, interval, warnings)
    names, labels, units = list[str](), list[str](), list[str | None]()
    for channel in headings[first:]:
        amplifier = amplifiers.get(channel, {})
        label = amplifier.get("Signal name", "")
        own = label and label.replace(" ", "").casefold() != channel.replace(" ", "").casefold()
        unit = (stated.get(channel) or amplifier.get("Unit") or "").strip("[]() ")
        if unit == "C" and amplifier.get("Input", "").upper() in ("TEMP", "温度"):
            unit = "degC"
        names.append(make_name(label if own else channel, make_name(channel, "channel")))
        labels.append(label if own else channel)
        units.append(unit or None)
    data = [_values(c, decimal, label, warnings) for c, label in zip(columns[first:], labels, strict=True)]
    told = " ".join(_key(header, "Total data points")).strip()
    if told.isdigit() and int(told) != len(rows):
        warnings.append(f"The header announces {int(told)} records; the file holds {len(rows)}.")
    version = " ".join(_key(header, "Version")).strip()
    return _measurement(
        source,
        signals + _signals(names, labels, units, data, warnings),
        instrument=f"Graphtec {' '.join(_key(header, 'Model')).strip()}",
        interval=interval,
        conditions={"software_version": Quantity(clean_text(version))} if version else {},
        metadata={"header": header, "lines": lines[:start]},
        warnings=warnings,
    )


def _decimal(rows: list[list[str]], first: int) -> str:
    """The decimal mark of the numbers, which have blanks behind their sign."""
    cells = [c for row in rows[:50] for c in row[first:]]
    return "," if any("," in c for c in cells) and not any("." in c for c in cells) else "."


def _key(header: Mapping[str, list[str]], name: str) -> list[str]:
    return header.get(name) or header.get(_WORDS[name]) or []


def _amplifiers(head: list[list[str]]) -> dict[str, dict[str, str]]:
    """The lines of the table of amplifiers by their channel, each by what its columns are."""
    english = {japanese: name for name, japanese in _WORDS.items()}
    found = dict[str, dict[str, str]]()
    names: list[str] = []
    for row in head:
        if row and row[0] == "CH" and not names:
            names = [english.get(c, c) for c in row]
        elif names and row and re.fullmatch(r"CH\s*\d+", row[0]):
            found.setdefault(row[0], dict(zip(names, row, strict=False)))
    return found


# --- HIOKI --------------------------------------------------------------------------------------------------------


def _sniff_hioki(source: RawInput) -> float:
    firsts = [cells_of(line, ",")[0] for line in head_lines(source, 3) if line.strip()]
    return LIKELY if tuple(firsts) == _HIOKI else NO


def _read_hioki(source: RawInput) -> Measurement:
    lines = read_lines(source)
    at = next((k for k, line in enumerate(lines[:_MOST_HEADER]) if cells_of(line, ",")[:1] == ["Time"]), None)
    if at is None:
        raise ReadError(f"{source.name} has no line of headings; it is cut off. Copy it again.")
    header = {row[0]: row[1:] for line in lines[:at] if (row := cells_of(line, ",")) and row[0]}
    headings = cells_of(lines[at].rstrip().rstrip(","), ",")
    rows = _rows(lines, at + 1, ",", len(headings))
    warnings: list[str] = []
    split = [re.fullmatch(r"(.*?)\s*\[([^\]]*)\]", h) for h in headings]
    comments = header.get("Comment", [])
    labels = []
    for k, (heading, match) in enumerate(zip(headings, split, strict=True)):
        comment = comments[k - 1].strip() if 0 < k <= len(comments) else ""
        labels.append(comment or (match[1] if match else heading))
    columns = [
        _values(list(c), ".", label, warnings)
        for c, label in zip(zip(*rows, strict=True), labels, strict=True)
    ]
    if columns[0].dtype.kind != "f":
        raise ReadError(f"{source.name} has no seconds in its column of times; they are not read yet.")
    names = [
        "time",
        *(make_name(f"ch {t}" if t[:1].isdigit() else t, f"ch_{k}") for k, t in enumerate(labels[1:], 1)),
    ]
    modes = ["", *header.get("Mode", []), *[""] * len(headings)]
    units = ["s", *(match[2] if match else None for match in split[1:])]
    units = ["degC" if (u, m) == ("C", "Temperature") else u for u, m in zip(units, modes, strict=False)]
    trigger = " ".join(header.get("Trigger Time", [])).strip("' ")
    started = in_forms(trigger, ("%Y-%m-%d %H:%M:%S",), warnings)
    steps = np.diff(columns[0])
    interval = (
        round(float(np.median(steps)), 9) if len(steps) and np.ptp(steps) < 1e-6 * abs(steps[0]) else None
    )
    return _measurement(
        source,
        _signals(names, labels, units, columns, warnings),
        title=clean_text(" ".join(header.get("Title comment", [])).strip()),
        instrument="HIOKI",
        interval=interval,
        metadata={"header": header, "lines": lines[: at + 1]},
        started=started,
        warnings=warnings,
    )


# --- Campbell Scientific ------------------------------------------------------------------------------------------


def _sniff_toa5(source: RawInput) -> float:
    return CERTAIN if re.match(rb'(?:\xef\xbb\xbf)?"?TOA5"?,', source.head) else NO


def _read_toa5(source: RawInput) -> Measurement:
    lines = read_lines(source)
    if len(lines) < 4:
        raise ReadError(f"{source.name} ends within its four lines of headings; copy it again.")
    environment, names, units, processed = (cells_of(line, ",") for line in lines[:4])
    width = len(names)
    rows = _rows(lines, 4, ",", width)
    warnings: list[str] = []
    columns = [list(column) for column in zip(*rows, strict=True)]
    units += [""] * (width - len(units))
    processed += [""] * (width - len(processed))
    when = next((k for k, unit in enumerate(units) if unit == "TS"), 0)
    signals = _times(
        [cell.replace("T", " ") for cell in columns[when]], _parts(columns[when]), None, warnings
    )
    rest = [k for k in range(width) if k != when]
    labels = [names[k] if names[k].endswith(processed[k]) else f"{names[k]} ({processed[k]})" for k in rest]
    data = [_values(columns[k], ".", names[k], warnings) for k in rest]
    own = [make_name(names[k], "column") for k in rest]
    keys = ("format", "station", "logger", "serial", "system", "program", "signature", "table")
    told = dict(zip(keys, environment, strict=False))
    conditions = {
        name: Quantity(clean_text(told[key]))
        for name, key in (("instrument_serial", "serial"), ("software_version", "system"))
        if told.get(key)
    }
    return _measurement(
        source,
        signals + _signals(own, labels, [units[k] for k in rest], data, warnings),
        title=clean_text(" ".join(part for key in ("station", "table") if (part := told.get(key, "")))),
        instrument=f"Campbell Scientific {told.get('logger', '')}",
        conditions=conditions,
        metadata={"header": told, "lines": lines[:4]},
        warnings=warnings,
    )


def _parts(stamps: list[str]) -> Array:
    """Fractions of a second below a millisecond: the rest is read with the date."""
    found = (re.search(r"\.\d{3}(\d+)$", s) for s in stamps)
    return np.array([float(f"0.000{m[1]}") if m else 0.0 for m in found])


READERS = (
    Reader(
        name="graphtec_csv",
        version="1",
        techniques=("data_log",),
        vendor="Graphtec",
        format="midi LOGGER GL (CSV)",
        endings=(".csv", ".txt"),
        sniff=_sniff_graphtec,
        read=_read_graphtec,
        notes="English and Japanese, with points or commas; from programs that read the files.",
    ),
    Reader(
        name="hioki_csv",
        version="1",
        techniques=("data_log",),
        vendor="HIOKI",
        format="LR8400 text",
        endings=(".csv", ".txt"),
        sniff=_sniff_hioki,
        read=_read_hioki,
        surest=LIKELY,
        notes="With English headings and seconds since the trigger; from public programs that read or write them.",
    ),
    Reader(
        name="campbell_toa5",
        version="1",
        techniques=("data_log",),
        vendor="Campbell Scientific",
        format="TOA5",
        endings=(".dat", ".csv"),
        sniff=_sniff_toa5,
        read=_read_toa5,
        notes="One table of a logger; each column says how it was processed in its label.",
    ),
)
