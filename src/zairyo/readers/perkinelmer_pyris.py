"""PerkinElmer Pyris text and CSV: DSC, TGA and STA; in text each step of the method is a table.

Facts: ``Key:<tab>value`` lines (``Data Collected``, ``Sample Weight``, ``Total Points in Run``), then ``Method
Steps:``; for each step a line ``1) DSC 8500 Isothermal``, headings over two lines, and rows that begin with a tab; then
the instrument's own values. Units are not stated: min, mW, mg, °C, ml/min. The CSV is a line of the same headings and
all rows, and nothing else.
"""

from __future__ import annotations

import re
from typing import Any

from zairyo.measurement import Entry, Measurement, Quantity, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers import _thermal_columns
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import moment
from zairyo.readers._text_export import (
    cells_of,
    columns_of,
    head_lines,
    number,
    quantity,
    read_lines,
    rules,
    signals_of,
    unit_of,
)

_STEP = re.compile(r"\s*(\d{1,3})\)\s*(?P<title>\S.*?)\s*\Z")
_USUAL = {
    "time": "min",
    "temperature": "degC",
    "program_temperature": "degC",
    "mass": "mg",
    "unsubtracted_mass": "mg",
    "baseline_mass": "mg",
    "purge_gas_flow": "ml/min",
    "protective_gas_flow": "ml/min",
    "heat_flow": "mW",
    "unsubtracted_heat_flow": "mW",
    "baseline_heat_flow": "mW",
    "uncorrected_heat_flow": "mW",
}
_COLUMNS = [
    *rules(
        (r"unsubtracted weight", "mass"),
        (r"baseline weight", "baseline_mass"),
        (r"approx\. gas flow|gas flow|sample purge flow", "purge_gas_flow"),
        (r"balance purge flow", "protective_gas_flow"),
        (r"uncorrected heat flow", "uncorrected_heat_flow"),
        (r"program temp.*", "program_temperature"),
        (r"sample temp.*", "temperature"),
    ),
    *_thermal_columns.COLUMNS,
]
#: The headings by how many columns there are, where the file's own are broken over lines.
_KNOWN = {
    8: ("Time", "Unsubtracted Heat Flow", "Baseline Heat Flow", "Program Temperature", "Sample Temperature",
        "Approx. Gas Flow", "Heat Flow Calibration", "Uncorrected Heat Flow"),
    6: ("Time", "Unsubtracted Weight", "Baseline Weight", "Program Temperature", "Sample Temperature",
        "Approx. Gas Flow"),
}  # fmt: skip
_RAMP = re.compile(
    r"(?:Heat|Cool) from (-?[\d.,]+)\s*°?\S?C to (-?[\d.,]+)\s*°?\S?C at (-?[\d.,]+)\s*°?\S?C/min"
)
_HOLD = re.compile(r"Hold for .*? at (-?[\d.,]+)\s*°?\S?C")
_GAS = re.compile(r"Gas to (\w+) at ([\d.]+)\s*ml/min")
_CSV = re.compile(r"Time(?P<delimiter>[,;\t])Unsubtracted (?:Weight|Heat Flow)(?P=delimiter)Baseline ")


def _sniff(source: RawInput) -> float:
    if source.text_head.lstrip(b"\xef\xbb\xbf\xff\xfe").startswith((b"Time", b"T\0")):
        return CERTAIN if _CSV.match("".join(head_lines(source, 1))) else NO
    if not source.text_head.lstrip(b"\xef\xbb\xbf\xff\xfe").startswith(b"Filename:"):
        return NO
    text = head_lines(source, 300)
    return (
        CERTAIN
        if all(any(x.startswith(k) for x in text) for k in ("Data Collected:", "Method Steps:"))
        else NO
    )


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    if lines and (csv := _CSV.match(lines[0])):
        return _read_csv(lines, csv["delimiter"], source)
    header, method, begin = _header(lines)
    warnings: list[str] = []
    told = header.get("Data Collected", "")
    started = moment(told, [value for key, value in header.items() if "Date" in key], warnings)
    entries: list[Entry] = []
    after: list[str] = []
    named: list[str] = []
    count, at = 0, begin
    while at < len(lines):
        if not _is_row(lines[at]):
            after.append(lines[at])
            at += 1
            continue
        end = at
        while end < len(lines) and _is_row(lines[end]):
            end += 1
        count += end - at
        named = [x for x in after if "\t" in x][-2:] or named  # a step without headings has those before it
        step = next((m for x in reversed(after) if (m := _STEP.match(x))), None)
        title = step["title"] if step else ""
        entry = _entry(lines, at, end, title, named, len(entries) + 1, warnings, source)
        conditions = _conditions(header, method, int(step[1]) if step else 0, warnings)
        entries.append(
            Entry(
                entry.name, entry.technique, entry.axes, entry.signals, entry.default, entry.x, entry.title,
                conditions, {}, started,
            )
        )  # fmt: skip
        after, at = [], end
    stated = number(header.get("Total Points in Run", "")) or 0
    if not entries or count < stated:
        raise ReadError(
            f"{source.name} has {count} points where its header says {header.get('Total Points in Run', 'more')}; it "
            "is cut off. Copy it again."
        )
    footer = [clean_text(x.strip()) for x in after if x.strip()]
    metadata: dict[str, Any] = {**header, "Method Steps": method, "Values of the instrument": footer}
    sample = header.get("Sample ID", "")
    return Measurement(
        tuple(entries),
        title=sample or source.path.stem,
        sample=sample,
        operator=header.get("Operator ID", ""),
        instrument=_instrument(entries),
        original_metadata=tidy_metadata({k: v for k, v in metadata.items() if v}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _header(lines: list[str]) -> tuple[dict[str, str], list[str], int]:
    """Keys and values, the method's steps, and the first line after them."""
    header: dict[str, str] = {}
    method: list[str] = []
    section, in_method = "", False
    at = next((i for i, line in enumerate(lines) if _is_row(line)), len(lines))
    for line in lines[:at]:
        text = clean_text(line.strip())
        if text.startswith("Method Steps:"):
            in_method = True
        elif in_method:
            if text:
                method.append(text)
        elif text:
            key, mark, value = text.partition(":")
            if not mark:
                section = text
            else:
                name = key.strip() if key.strip() not in header else f"{section}/{key.strip()}"
                header[name] = value.strip()
    return header, method, _back_to_title(lines, at)


def _back_to_title(lines: list[str], at: int) -> int:
    """The line that names the step of the first row."""
    return next((i for i in range(at - 1, max(at - 12, -1), -1) if _STEP.match(lines[i])), at)


def _is_row(line: str) -> bool:
    cells = line.split()
    return len(cells) >= 5 and line[:1] in "\t 0123456789-" and all(number(c) is not None for c in cells)


def _entry(
    lines: list[str],
    at: int,
    end: int,
    title: str,
    named: list[str],
    n: int,
    warnings: list[str],
    source: RawInput,
) -> Entry:
    width = len(lines[at].split())
    rows = [x.strip() for x in lines[at:end]]
    columns = columns_of([" ".join(r.split()) for r in rows], " ", width, warnings, line=at + 1)
    names = _headings(named, width)
    if names is None:
        raise ReadError(f"the headings above line {at + 1} of {source.name} do not fit its {width} columns.")
    units: list[str | None] = [None] * width
    signals = signals_of(names, units, columns, _COLUMNS, warnings, None, _USUAL)
    technique = _thermal_columns.technique_of([s.name for s in signals], title)
    x, default = _thermal_columns.plot_of(signals, technique)
    if x == default:
        raise ReadError(f"the table at line {at + 1} of {source.name} holds no two columns of numbers.")
    return table(f"step_{n}", technique, signals, x=x, default=default, title=clean_text(title))


def _headings(lines: list[str], width: int) -> list[str] | None:
    """Two lines of cells joined column by column; what is known of such a table, where they are broken."""
    cells = [[c.strip() for c in line.lstrip("\t").split("\t")] for line in lines]
    if len(cells) == 2 and len(cells[0]) == width:
        below = cells[1] if len(cells[1]) == width else ["", *cells[1]]
        if len(below) == width:
            return [clean_text(" ".join(filter(None, pair))) for pair in zip(cells[0], below, strict=True)]
    return list(_KNOWN[width]) if width in _KNOWN else None


def _conditions(
    header: dict[str, str], method: list[str], step: int, warnings: list[str]
) -> dict[str, Quantity]:
    """What holds in a step of the method: its own temperatures, and the gas that was on before it or goes on in it."""
    found: dict[str, Quantity] = {}
    weight = quantity(header.get("Sample Weight", ""))
    if weight is not None and weight[0]:
        found["sample_mass"] = Quantity(weight[0], unit_of(weight[1] or "mg", warnings))
    at = next((k for k, x in enumerate(method) if (m := _STEP.match(x)) and int(m[1]) == step), len(method))
    after = next((k for k in range(at + 1, len(method)) if _STEP.match(method[k])), len(method))
    gas, flow = header.get("Purge Gas", ""), quantity(header.get("Purge Gas Rate", ""))
    switches = [m for x in method[:at] if (m := _GAS.search(x))][-1:]
    switched = next(iter(switches or [m for x in method[at:after] if (m := _GAS.search(x))]), None)
    if gas or switched:
        found["purge_gas"] = Quantity(switched[1] if switched else gas)
    if switched:
        found["purge_gas_flow"] = Quantity(float(switched[2]), "ml/min")
    elif flow is not None:
        found["purge_gas_flow"] = Quantity(flow[0], unit_of(flow[1] or "ml/min", warnings))
    text = method[at] if at < len(method) else ""
    if ramp := _RAMP.search(text):
        told = [number(ramp[k]) for k in (1, 2, 3)]
    elif hold := _HOLD.search(text):
        told = [number(hold[1]), number(hold[1]), None]
    else:
        told = []
    names = (("temperature_start", "degC"), ("temperature_end", "degC"), ("heating_rate", "K/min"))
    for (name, unit), value in zip(names, told, strict=False):
        if value is not None:
            found[name] = Quantity(value, unit)
    if serial := header.get("Serial Number"):
        found["instrument_serial"] = Quantity(serial)
    return found


def _read_csv(lines: list[str], delimiter: str, source: RawInput) -> Measurement:
    """The table alone: no sample, no date, no method."""
    names = cells_of(lines[0], delimiter)
    while names and not names[-1]:
        names.pop()
    rows = [x.rstrip(delimiter + " ") for x in lines[1:] if x.strip(delimiter + " ")]
    if not rows:
        raise ReadError(f"{source.name} holds no points; nothing was measured, or it is cut off.")
    warnings: list[str] = []
    columns = columns_of(rows, delimiter, len(names), warnings, line=2)
    signals = signals_of(names, [None] * len(names), columns, _COLUMNS, warnings, None, _USUAL)
    technique = _thermal_columns.technique_of([s.name for s in signals], "")
    x, default = _thermal_columns.plot_of(signals, technique)
    if x == default:
        raise ReadError(f"{source.name} holds no two columns of numbers; it is cut off or damaged.")
    return Measurement(
        (table("run", technique, signals, x=x, default=default),),
        title=source.path.stem,
        instrument="PerkinElmer",
        original_metadata=tidy_metadata({"headings": names}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _instrument(entries: list[Entry]) -> str:
    m = re.match(r"((?:DSC|TGA|STA|DTA|Pyris)\s*\d*)", entries[0].title)
    return f"PerkinElmer {m[1]}".strip() if m else "PerkinElmer"


READER = Reader(
    name="perkinelmer_pyris",
    version="3",
    techniques=("dsc", "tga", "sta", "dta"),
    vendor="PerkinElmer",
    format="Pyris text, CSV",
    endings=(".txt", ".csv"),
    sniff=_sniff,
    read=_read,
    notes="Every step of the method is an entry. Pyris's own .ds8d, .tg8d files are not read.",
)
