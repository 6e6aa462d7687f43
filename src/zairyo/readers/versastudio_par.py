"""AMETEK (Princeton Applied Research) VersaStudio ``.par``: VersaSTAT and PARSTAT potentiostats.

Facts: sections ``<Name>`` … ``</Name>`` of ``key=value``. ``<Action0>`` holds what all actions have in common; each of
the others is an experiment with ``Segments`` segments. ``<Segment1>`` says in ``Definition`` what its columns are, and
its rows are parted by commas; the first column counts the segments. Im(Z) has its own sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, make_name
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._cycler_text import lines_of, numbers_of, table_of
from zairyo.readers._electrochemistry import Array, Columns, make_entry

_MOST_BYTES = 1024**3
_BEGIN, _END = re.compile(r"<([A-Za-z]\w*)>\s*\Z"), re.compile(r"</([A-Za-z]\w*)>\s*\Z")
_HEADING = re.compile(r"(?P<name>[^()]+?)\s*(?:\((?P<unit>[^()]*)\))?\Z")
#: Beginning of an action's name → technique; the first that fits.
_TECHNIQUES = (
    ("potentiostatic eis", "eis"),
    ("galvanostatic eis", "eis"),
    ("cyclic voltammetry", "cyclic_voltammetry"),
    ("cyclic polarization", "cyclic_voltammetry"),
    ("linear", "linear_sweep_voltammetry"),
    ("staircase linear", "linear_sweep_voltammetry"),
    ("tafel", "linear_sweep_voltammetry"),
    ("potentiodynamic", "linear_sweep_voltammetry"),
    ("chronoamperometry", "chronoamperometry"),
    ("potentiostatic", "chronoamperometry"),
    ("chronopotentiometry", "chronopotentiometry"),
    ("galvanostatic", "chronopotentiometry"),
    ("open circuit", "open_circuit_potential"),
)
_NAMES = {
    "segment #": "segment", "point #": "index", "e": "voltage", "i": "current", "elapsed time": "time",
    "adc sync input": "auxiliary_voltage", "current range": "current_range_code", "status": "status_code",
    "e applied": "control_voltage", "frequency": "frequency", "z real": "z_real", "z imag": "z_imaginary",
    "ac amplitude": "voltage_amplitude_rms", "e real": "voltage_real", "e imag": "voltage_imaginary",
    "i real": "current_real", "i imag": "current_imaginary", "actionid": "action_code",
}  # fmt: skip
#: Units that the definition leaves out.
_UNITS = {
    "segment": "", "index": "", "current_range_code": "", "status_code": "", "action_code": "", "z_real": "ohm",
    "z_imaginary": "ohm", "voltage_real": "V", "voltage_imaginary": "V", "current_real": "A",
    "current_imaginary": "A", "voltage_amplitude_rms": "V",
}  # fmt: skip
#: Setting of an action → condition, unit. Potentials against the open circuit are no potentials against a reference.
_CONDITIONS = {
    "Scan Rate (V/s)": ("scan_rate", "V/s"),
    "Amplitude (mV RMS)": ("voltage_amplitude_rms", "mV"),
    "Points Per Decade": ("points_per_decade", "1/decade"),
    "Initial Potential (V),Value": ("initial_voltage", "V"),
    "Vertex Potential (V),Value": ("vertex_voltage_1", "V"),
    "Final Potential (V),Value": ("final_voltage", "V"),
    "Potential (V),Value": ("applied_voltage", "V"),
    "Current (A),Value": ("applied_current", "A"),
    "Time Per Point (s)": ("sampling_interval", "s"),
}
_OF = {
    "eis": ("voltage_amplitude_rms", "points_per_decade", "applied_voltage", "applied_current"),
    "cyclic_voltammetry": ("scan_rate", "initial_voltage", "vertex_voltage_1", "final_voltage"),
    "linear_sweep_voltammetry": ("scan_rate", "initial_voltage", "final_voltage"),
    "chronoamperometry": ("applied_voltage", "sampling_interval"),
    "chronopotentiometry": ("applied_current", "sampling_interval"),
    "open_circuit_potential": ("sampling_interval",),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass
class _Section:
    """Keys with their values, the rows after them, and the line of the first row."""

    keys: dict[str, str] = field(default_factory=dict)
    first: int = 0
    end: int = 0
    is_whole: bool = False


def _sniff(source: RawInput) -> float:
    head = source.text_head.lstrip(b"\xef\xbb\xbf \r\n")
    return CERTAIN if head.startswith(b"<Application>") and b"Name=VersaStudio" in head[:400] else NO


def _read(source: RawInput) -> Measurement:
    lines = lines_of(source.read_bytes(_MOST_BYTES))
    sections = _sections(lines)
    warnings: list[str] = []
    common = sections.get("Action0", _Section()).keys
    actions = [
        sections[name].keys for name in sorted(sections, key=_count) if re.fullmatch(r"Action[1-9]\d*", name)
    ]
    segments = [name for name in sorted(sections, key=_count) if re.fullmatch(r"Segment\d+", name)]
    entries: list[Entry] = []
    started = _started(sections.get("Experiment", _Section()).keys, warnings)
    for name in segments:
        section = sections[name]
        if not section.is_whole:
            warnings.append(f"<{name}> has no end: the file is cut off there, and rows may be missing.")
        if section.first >= section.end:
            continue
        table = _table(lines, section, warnings)
        for action, rows in _parts(table, actions, warnings):
            entries.append(_entry(action, common, table, rows, entries, started, warnings))
    if not entries:
        raise ReadError(f"{source.name} has no segment with records; nothing was measured, or it is cut off.")
    device = sections.get("Instrument", _Section()).keys
    return Measurement(
        tuple(entries),
        title=clean_text(source.path.stem),
        instrument=clean_text(f"{device.get('Type', 'VersaStudio')}{device.get('Model', '')}".strip()),
        original_metadata=tidy_metadata(
            {
                name: section.keys
                for name, section in sections.items()
                if not re.match(r"(Graph|DataView|StripView|Overlays)", name)
            }
        ),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _count(name: str) -> int:
    digits = re.sub(r"\D", "", name)[:9]
    return int(digits) if digits else -1


def _sections(lines: list[str]) -> dict[str, _Section]:
    found: dict[str, _Section] = {}
    name = ""
    for at, line in enumerate(lines):
        if begin := _BEGIN.match(line):
            name = begin[1]
            found[name] = _Section()
        elif (end := _END.match(line)) and end[1] == name:
            found[name].is_whole = True
            name = ""
        elif name:
            key, equals, value = line.partition("=")
            if equals and not found[name].end:
                found[name].keys[clean_text(key.strip())[:200]] = clean_text(value.strip())
            elif line.strip():
                found[name].first = found[name].first or at
                found[name].end = at + 1
    return found


def _table(
    lines: list[str], section: _Section, warnings: list[str]
) -> list[tuple[str, str | None, str, Array]]:
    """Name, unit, heading and values of each column; columns of parts that are not there are left out."""
    headings = [h.strip() for h in section.keys.get("Definition", "").split(",") if h.strip()]
    if headings and headings[-1] == "0":  # what stands at the end is no column
        headings.pop()
    if len(headings) < 2:
        raise ReadError("a segment does not say what its columns are (Definition=); the file is damaged.")
    cells = table_of(lines[: section.end], section.first, ",", len(headings))
    found = []
    columns = Columns()
    for heading, column in zip(headings, cells, strict=True):
        match = _HEADING.fullmatch(heading)
        stem = match["name"] if match else heading
        values = numbers_of(column, ".", heading, warnings)
        if values is None:
            raise ReadError(f"the column {heading!r} holds no numbers; the file is damaged.")
        name = _NAMES.get(stem.casefold()) or make_name(stem, "column")
        if stem.split(" ")[0] in ("E2", "Z2") and not values.any():
            continue  # a second electrometer, which is not there
        unit = columns.unit(match["unit"], heading) if match and match["unit"] else _UNITS.get(name)
        found.append((name, unit, heading, values))
    warnings += columns.warnings
    return found


def _parts(
    table: list[tuple[str, str | None, str, Array]], actions: list[dict[str, str]], warnings: list[str]
) -> list[tuple[dict[str, str], slice]]:
    """Each action with its rows: an action has as many segments as it says."""
    segment = next((values for name, _, _, values in table if name == "segment"), None)
    rows = len(table[0][3])
    counts = [int(a["Segments"]) if a.get("Segments", "").isdecimal() else 0 for a in actions]
    ends = list(accumulate(counts))
    acting = [(a, e) for a, e, n in zip(actions, ends, counts, strict=True) if n]
    if segment is None or len(acting) < 2 or (np.diff(segment) < 0).any() or segment[-1] >= ends[-1]:
        if len(acting) > 1:
            warnings.append("Which rows are of which action is not told; they were kept together.")
        return [(acting[0][0] if acting else {}, slice(0, rows))]
    found, start = [], 0
    for action, end in acting:
        stop = int(np.searchsorted(segment, end))
        if stop > start:
            found.append((action, slice(start, stop)))
        start = stop
    return found


def _entry(
    action: dict[str, str],
    common: dict[str, str],
    table: list[tuple[str, str | None, str, Array]],
    rows: slice,
    before: list[Entry],
    started: datetime | None,
    warnings: list[str],
) -> Entry:
    method = action.get("Name", "")
    begins = method.casefold()
    technique = next((t for begin, t in _TECHNIQUES if begins.startswith(begin)), "electrochemistry")
    columns = Columns()
    alternating = ("frequency", "z_real", "z_imaginary", "voltage_real", "voltage_imaginary", "current_real",
                   "current_imaginary", "voltage_amplitude_rms")  # fmt: skip
    for name, unit, heading, values in table:
        if technique != "eis" and name in alternating and not values[rows].any():
            continue
        columns.add(name, values[rows], unit, heading)
    name = make_name(technique if technique != "electrochemistry" else method, "data")
    taken = {entry.name for entry in before}
    unique = next(n for n in (name, *(f"{name}_{k}" for k in range(2, len(before) + 3))) if n not in taken)
    entry = make_entry(
        unique,
        technique,
        columns,
        title=clean_text(method),
        started=started,
        conditions=_conditions(action, common, technique),
    )
    warnings += columns.warnings
    return entry


def _conditions(action: dict[str, str], common: dict[str, str], technique: str) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, (name, unit) in _CONDITIONS.items():
        value = _number(action.get(key, ""))
        relative = action.get(key.replace(",Value", ",Versus"), "").casefold() == "vs oc"
        if value is not None and not relative and name in _OF.get(technique, ()):
            found[name] = Quantity(value, unit)
    rest = re.fullmatch(r"([-+.\deE]+)\s*(mV|V)", common.get("Measured Open Circuit", ""))
    if rest and (value := _number(rest[1])) is not None:
        found["open_circuit_voltage"] = Quantity(value, rest[2])
    area = _number(common.get("Working Electrode Area (cm2)", ""))
    if area and area != 1:  # which the program writes where nobody gave one
        found["electrode_area"] = Quantity(area, "cm**2")
    mass = _number(common.get("Mass (g)", ""))
    if mass:
        found["active_mass"] = Quantity(mass, "g")
    texts = {
        "method": action.get("Name", ""),
        "comment": common.get("Comment", ""),
        "reference_electrode": common.get("Reference Electrode", ""),
        "electrode_material": common.get("Working Electrode Type", ""),
    }
    empty = ("", "(unspecified) (0 Volts)", "Unspecified")
    return found | {name: Quantity(clean_text(text)) for name, text in texts.items() if text not in empty}


def _number(text: str) -> float | None:
    try:
        value = float(text) if "_" not in text else None
    except ValueError:
        return None
    return value if value is not None and abs(value) < 1e15 else None


def _started(told: dict[str, str], warnings: list[str]) -> datetime | None:
    """``Thursday, July 19, 2018`` and ``9:40:30 AM``, or with numbers where the month comes between year and day."""
    date, clock = told.get("DateAcquired", ""), told.get("TimeAcquired", "")
    named = re.search(r"([A-Za-z]+)\s+(\d{1,2}),\s*(\d{4})", date)
    other = re.search(r"(\d{4})\D{1,3}(\d{1,2})\D{1,3}(\d{1,2})", date)
    time = re.search(r"(\d{1,2}):(\d\d):(\d\d)(?:\s*([AP])M)?", clock, re.IGNORECASE)
    try:
        if named and named[1][:3].casefold() in _MONTHS:
            day = datetime(int(named[3]), _MONTHS.index(named[1][:3].casefold()) + 1, int(named[2]))
        elif other:
            day = datetime(int(other[1]), int(other[2]), int(other[3]))
        else:
            raise ValueError
        if time is None:
            return day
        hour = int(time[1]) % 12 + 12 * (time[4].upper() == "P") if time[4] else int(time[1])
        return day.replace(hour=hour, minute=int(time[2]), second=int(time[3]))
    except ValueError:
        if date:
            warnings.append(f"The date {clean_text(date)[:40]!r} is not understood and was left out.")
        return None


READER = Reader(
    name="versastudio_par",
    version="1",
    techniques=(*sorted(_OF), "electrochemistry"),
    vendor="AMETEK Princeton Applied Research",
    format="VersaStudio .par",
    endings=(".par",),
    sniff=_sniff,
    read=_read,
    notes="All actions, each an entry. The sign of the current is as VersaStudio has it, anodic positive.",
)
