"""CH Instruments (CHI600, CHI700 …) electrochemical workstations: the text or CSV that their program writes.

Facts: the date, the technique, lines of ``key: text`` (file, model, the user's header and note), settings as
``Scan Rate (V/s) = 0.1``, peaks found in ``Results:``, then a line of headings with units (``Potential/V,
Current/A``) and the rows. All segments of a sweep follow each other in one table. ``Z"`` is Im(Z) with its own sign.
Whether a positive current is cathodic, as the program has it by default, or anodic, the file does not say.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from zairyo.measurement import Entry, Measurement, Quantity, make_name
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import lines_of, numbers_of, table_of
from zairyo.readers._electrochemistry import Columns, make_entry

_MOST_BYTES = 1024**3
_MODEL = re.compile(rb"^Instrument Model:[ \t]*CHI", re.MULTILINE)
#: ``Potential/V``, ``Z"/ohm``, ``Diff(i/A)``, ``For(i)(A)``.
_HEADING = re.compile(r"(?P<name>[^,;\t/()]+?)\s*(?:\(i\))?\s*(?:/|\(i/|\()(?P<unit>[A-Za-z%°Ωµ\d*^-]+)\)?\Z")
_SETTING = re.compile(r"(?P<name>[^=()]+?)\s*(?:\((?P<unit>[^()]*)\))?\s*=\s*(?P<value>.*)\Z")
_PAIR = re.compile(r"(?P<key>File|Data Source|Instrument Model|Header|Note)\s*:\s*(?P<value>.*)\Z")
_DATE = re.compile(
    r"(?P<month>[A-Za-z]{3})[a-z]*\.?\s+(?P<day>\d{1,2}),\s*(?P<year>\d{4})\s+(?P<time>\d{1,2}:\d\d:\d\d)"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ROW = re.compile(r"\s*[-+]?\.?\d")
#: Technique as the program names it → ours.
_TECHNIQUES = {
    "cyclic voltammetry": "cyclic_voltammetry",
    "linear sweep voltammetry": "linear_sweep_voltammetry",
    "staircase voltammetry": "linear_sweep_voltammetry",
    "tafel plot": "linear_sweep_voltammetry",
    "amperometric i-t curve": "chronoamperometry",
    "chronoamperometry": "chronoamperometry",
    "bulk electrolysis with coulometry": "chronoamperometry",
    "multi-potential steps": "chronoamperometry",
    "chronopotentiometry": "chronopotentiometry",
    "multi-current steps": "chronopotentiometry",
    "open circuit potential - time": "open_circuit_potential",
    "a.c. impedance": "eis",
}
_NAMES = {
    "potential": "voltage", "current": "current", "i1": "current", "i2": "current_2", "time": "time",
    "freq": "frequency", "z'": "z_real", 'z"': "z_imaginary", "z''": "z_imaginary", "z": "z_modulus",
    "charge": "charge_passed", "diff": "current_difference", "for": "forward_current", "rev": "reverse_current",
    "q": "charge_passed",
}  # fmt: skip
#: Setting → condition and its unit.
_CONDITIONS = {
    "init e": ("initial_voltage", "V"),
    "final e": ("final_voltage", "V"),
    "scan rate": ("scan_rate", "V/s"),
    "sample interval": ("step_voltage", "V"),
    "amplitude": ("voltage_amplitude", "V"),
}
_SWEEPS = ("cyclic_voltammetry", "linear_sweep_voltammetry")


def _sniff(source: RawInput) -> float:
    return CERTAIN if _MODEL.search(source.text_head.replace(b"\r", b"\n")) else NO


def _read(source: RawInput) -> Measurement:
    lines = lines_of(source.read_bytes(_MOST_BYTES))
    start = next((at for at, line in enumerate(lines) if _headings(line)), len(lines))
    told = [line.strip() for line in lines[:start] if line.strip()]
    pairs = {m["key"]: m["value"].strip() for line in told if (m := _PAIR.match(line))}
    settings = {m["name"].strip(): m for line in told if (m := _SETTING.fullmatch(line))}
    method = next((line for line in told[1:2] if not _PAIR.match(line)), "")
    technique = _TECHNIQUES.get(method.casefold(), "electrochemistry")
    warnings: list[str] = []
    entries: list[Entry] = []
    conditions = _conditions(settings, technique) | {
        key: Quantity(clean_text(text))
        for key, text in (
            ("method", method),
            ("comment", " ".join(filter(None, (pairs.get("Header"), pairs.get("Note"))))),
        )
        if text
    }
    while start < len(lines):
        end = start + 1
        while end < len(lines) and (not lines[end].strip() or _ROW.match(lines[end])):
            end += 1
        columns = _columns(_headings(lines[start]), lines[:end], start + 1, technique, warnings)
        name = method if technique == "electrochemistry" else technique
        entries.append(
            make_entry(
                make_name(name or "data", "data") + (f"_{len(entries) + 1}" if entries else ""),
                technique,
                columns,
                title=clean_text(method),
                started=_started(told[0] if told else "", warnings),
                conditions=conditions,
            )
        )
        warnings += columns.warnings
        start = next((at for at in range(end, len(lines)) if _headings(lines[at])), len(lines))
    if not entries:
        raise ReadError(
            f"{source.name} has no table of measured values; it is cut off, or the experiment was stopped before it."
        )
    if any(s.name == "current" for e in entries for s in e.signals):
        warnings.append(
            "The file does not say whether a positive current is cathodic (the program's default) or anodic; its sign "
            "was kept."
        )
    return Measurement(
        tuple(entries),
        title=clean_text(source.path.stem),
        instrument=clean_text(pairs.get("Instrument Model", "CH Instruments").strip()),
        original_metadata=tidy_metadata({"header": told}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _headings(line: str) -> list[tuple[str, str]]:
    """Names and units of a line of headings; none if it is another line."""
    marked = re.search(r"[,\t;]", line.strip())
    cells = [cell.strip() for cell in re.split(r"[,\t;]" if marked else r"\s+", line.strip())]
    found = [_HEADING.fullmatch(cell) for cell in cells]
    if len(cells) < 2 or "=" in line or None in found:
        return []
    return [(m["name"].strip(), m["unit"]) for m in found if m]


def _columns(
    headings: list[tuple[str, str]], lines: list[str], start: int, technique: str, warnings: list[str]
) -> Columns:
    while start < len(lines) and not lines[start].strip():
        start += 1
    first = "".join(lines[start : start + 1]).strip()
    delimiter = next((mark for mark in "\t," if mark in first), ",")
    if delimiter not in first and len(first.split()) == len(headings):  # a choice of the program: blanks
        lines = [*lines[:start], *(",".join(line.split()) for line in lines[start:])]
    columns = Columns()
    for (heading, unit), cells in zip(
        headings, table_of(lines, start, delimiter, len(headings)), strict=True
    ):
        values = numbers_of(cells, ".", heading, warnings)
        if values is None:
            raise ReadError(f"the column {heading!r} holds no numbers; the file is damaged.")
        name = _NAMES.get(heading.casefold()) or make_name(heading, "column")
        if heading.casefold() == "phase" and technique == "eis":
            name = "z_phase"
        columns.add(name, values, columns.unit(unit, heading), heading)
    return columns


def _conditions(settings: dict[str, Any], technique: str) -> dict[str, Quantity]:
    lower = {name.casefold(): match for name, match in settings.items()}
    found: dict[str, Quantity] = {}
    for name, (condition, unit) in _CONDITIONS.items():
        match = lower.get(name)
        value = _number(match["value"]) if match else None
        if match is None or value is None or (match["unit"] or "").strip() != unit:
            continue
        found[condition] = Quantity(value, unit)
    high, low = (_number(lower[k]["value"]) if k in lower else None for k in ("high e", "low e"))
    if high is not None and low is not None:
        downwards = "init p/n" in lower and lower["init p/n"]["value"].strip().upper().startswith("N")
        first, second = (low, high) if downwards else (high, low)
        found |= {"vertex_voltage_1": Quantity(first, "V"), "vertex_voltage_2": Quantity(second, "V")}
    own = _SWEEPS if technique in _SWEEPS else ()
    if technique == "eis" and "initial_voltage" in found:
        found["applied_voltage"] = found["initial_voltage"]
    if technique == "chronoamperometry" and "initial_voltage" in found and "high e" not in lower:
        found["applied_voltage"] = found["initial_voltage"]
    if not own:
        for name in ("initial_voltage", "final_voltage", "scan_rate", "step_voltage", "vertex_voltage_1",
                     "vertex_voltage_2"):  # fmt: skip
            found.pop(name, None)
    if technique != "eis":
        found.pop("voltage_amplitude", None)
    interval = lower.get("sample interval") or lower.get("data storage interval")
    if (
        interval
        and (interval["unit"] or "").strip() in ("s", "sec")
        and (value := _number(interval["value"]))
    ):
        found["sampling_interval"] = Quantity(value, "s")
    return found


def _number(text: str) -> float | None:
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def _started(line: str, warnings: list[str]) -> datetime | None:
    match = _DATE.match(line)
    if match is None or match["month"].casefold() not in _MONTHS:
        if line:
            warnings.append(f"The date {clean_text(line)[:40]!r} is not understood and was left out.")
        return None
    hour, minute, second = map(int, match["time"].split(":"))
    try:
        month = _MONTHS.index(match["month"].casefold()) + 1
        return datetime(int(match["year"]), month, int(match["day"]), hour, minute, second)
    except ValueError:
        warnings.append(f"There is no date {clean_text(line)[:40]!r}; it was left out.")
        return None


READER = Reader(
    name="ch_instruments",
    version="1",
    techniques=(*sorted(set(_TECHNIQUES.values())), "electrochemistry"),
    vendor="CH Instruments",
    format="CHI text or CSV",
    endings=(".txt", ".csv"),
    sniff=_sniff,
    read=_read,
    notes="All techniques' tables, with their settings. Not: the binary .bin.",
)
