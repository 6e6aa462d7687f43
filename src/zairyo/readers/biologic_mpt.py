"""BioLogic EC-Lab and BT-Lab `.mpt`: the text export of one technique, in any locale.

Facts: the first line names the software, the second how many lines the header has; the last of them are the
headings, separated by tabs. The header has ``key : value`` lines, indented lines that belong to the key before,
and settings in columns of 20 characters, one column a sequence. Exports without header begin with the headings.
"""

from __future__ import annotations

import itertools
import re
from pathlib import PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Measurement, Quantity
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._biologic_columns import add_column
from zairyo.readers._biologic_settings import TECHNIQUES, conditions_of
from zairyo.readers._biologic_tables import add_derived, add_loops, entries_of
from zairyo.readers._cycler_text import lines_of, moments_of, numbers_of, table_of
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._electrochemistry import Columns

Array = NDArray[Any]
_MAGICS = (b"EC-Lab ASCII FILE", b"BT-Lab ASCII FILE")
#: Headings of exports without header: two of EC-Lab's own words for quantities in the first line.
_OWN = re.compile(
    rb"(?:\A|\t)(?:mode|ox/red|time/s|freq/Hz|<?E(?:we|ce|cell|we-Ece)>?/m?V(?: vs\.[^\t\r\n]*)?"
    rb"|<?I>?/[mn]?A(?:/cm.{1,2})?"
    rb"|control(?:/m?[VA])+|-?(?:Re|Im|Phase)\([A-Z][a-z-]{0,11}\)/[^\t\r\n]{1,12}|\|[A-Z][a-z-]{0,11}\|/[^\t\r\n]{1,12}"
    rb"|\(Q-Qo\)/[^\t\r\n]{1,8}|d[qQ]/[^\t\r\n]{1,8}|Q (?:dis)?charge/[^\t\r\n]{1,18}|cycle number|half cycle|z cycle)"
    rb"(?=\t|\r|\n|\Z)"
)
#: What nobody else writes: ``time/s`` and ``I/A`` may be anybody's.
_ALONE = re.compile(rb"E(?:we|ce|cell)\b|<I>|ox/red|\(Q-Qo\)|-Im\(Z|control/")
_MOST_BYTES = 1024**3
_WIDTH = 20
_DATES = (
    "%m/%d/%Y %H:%M:%S.%f",
    "%m/%d/%Y %H:%M:%S",
    "%m-%d-%Y %H:%M:%S",
    "%m.%d.%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
)
_LOOP = re.compile(r"Loop \d+ from point number (\d+) to \d+")
_VERSION = re.compile(r"(?P<name>(?:EC|BT)-Lab) for windows v(?P<version>\S+) \(software\)", re.IGNORECASE)
_AMOUNT = re.compile(r"\s*(-?[\d.,]+(?:[eE][+-]?\d+)?)\s*(\S*)")
#: Key in the header → name in the cell's description, and the unit it must have.
_CELL = {
    "Mass of active material": ("active_material_mass_mg", {"mg": 1.0, "g": 1e3, "µg": 1e-3, "kg": 1e6}),
    "Electrode surface area": ("electrode_area_cm2", {"cm²": 1.0, "mm²": 1e-2, "m²": 1e4}),
}
_TEXTS = {
    "Comments": "comments",
    "Electrode material": "electrode_material",
    "Electrolyte": "electrolyte",
    "Reference electrode": "reference_electrode",
}
#: Longer ends of titles first, so that "Cyclic Voltammetry Advanced" is not taken for its beginning.
_TITLES = sorted(((t.title.casefold(), t) for t in TECHNIQUES.values()), key=lambda item: -len(item[0]))
#: Words in the titles of techniques whose binary number is not known, and the technique they mean.
_WORDS = (
    ("impedance", "eis"),
    ("linear sweep", "linear_sweep_voltammetry"),
    ("linear polarization", "linear_sweep_voltammetry"),
    ("tafel", "linear_sweep_voltammetry"),
    ("pulse", "electrochemistry"),  # their current is of pulses, not of a sweep
    ("square wave", "electrochemistry"),
    ("voltammetry", "cyclic_voltammetry"),
    ("chronoamperometry", "chronoamperometry"),
    ("chronopotentiometry", "chronopotentiometry"),
    ("open circuit", "open_circuit_potential"),
    ("galvanostatic cycling", "battery_cycling"),
    ("potentiodynamic cycling", "battery_cycling"),
    ("constant power", "battery_cycling"),
    ("constant load", "battery_cycling"),
    ("battery", "battery_cycling"),
)


def _sniff(source: RawInput) -> float:
    head = re.sub(rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)", b"", source.text_head)
    if head.startswith(_MAGICS):
        return CERTAIN
    first = re.split(rb"[\r\n]", head[:4096], maxsplit=1)[0]
    return LIKELY if b"\t" in first and len(_OWN.findall(first)) >= 2 and _ALONE.search(first) else NO


# -- the header ----------------------------------------------------------------------------------------


def _header_lines(lines: list[str], name: str) -> int:
    """How many lines the header has, its headings included; 1 where there is no header."""
    if not lines[0].startswith(tuple(m.decode() for m in _MAGICS)):
        return 1
    told = re.match(r"Nb header lines\s*:\s*(\d{1,6})\s*\Z", lines[1]) if len(lines) > 1 else None
    if told is None:
        raise ReadError(
            f"{name} does not say in line 2 how many header lines it has; it is cut off or damaged."
        )
    count = int(told[1])
    if not 3 <= count <= len(lines):
        raise ReadError(
            f"{name} says it has {count} header lines, but it has {len(lines)} lines; it is cut off."
        )
    return count


def _is_setting(line: str) -> bool:
    if len(line) <= _WIDTH or line[0].isspace() or " : " in line:
        return False
    return line[_WIDTH - 2 : _WIDTH] == "  " or (len(line) % _WIDTH == 0 and line.endswith("  "))


def _number(cell: str) -> Any:
    try:
        return float(cell.replace(",", ".")) if "_" not in cell else cell
    except ValueError:
        return cell


def _header(lines: list[str]) -> tuple[dict[str, Any], dict[str, list[Any]], list[str]]:
    """Keys and values; settings; other lines."""
    keys: dict[str, Any] = {}
    settings: dict[str, list[Any]] = {}
    loose: list[str] = []
    last = setting = ""
    for line in lines:
        if not line.strip():
            continue
        if _is_setting(line):
            name = line[:_WIDTH].strip()
            name = f"{setting.removesuffix(' vs.')} vs." if name == "vs." else name
            setting = name
            while name in settings:
                name += "'"
            settings[name] = [
                _number(line[at : at + _WIDTH].strip()) for at in range(_WIDTH, len(line.rstrip()), _WIDTH)
            ]
        elif line[0].isspace() and last:
            keys[last] = [*(keys[last] if isinstance(keys[last], list) else [keys[last]]), line.strip()]
        elif " :" in line:
            last, _, value = (part.strip() for part in line.partition(" :"))
            if last in keys and keys[last] != value.strip():
                keys[last] = [*(keys[last] if isinstance(keys[last], list) else [keys[last]]), value]
            else:
                keys[last] = value
        else:
            last = ""
            loose.append(line.strip())
    return keys, settings, loose


def _text(keys: dict[str, Any], key: str) -> str:
    value = keys.get(key, "")
    return str(", ".join(v for v in value if v) if isinstance(value, list) else value).strip()


def _amount(keys: dict[str, Any], key: str) -> tuple[float, str] | None:
    value = keys.get(key, "")
    match = _AMOUNT.match(value[0] if isinstance(value, list) else value)
    number = _number(match[1]) if match else None
    return (number, match[2]) if match and isinstance(number, float) else None


def _cell(keys: dict[str, Any]) -> dict[str, Any]:
    """The cell's description by the names that the binary file's has."""
    found: dict[str, Any] = {name: _text(keys, key) for key, name in _TEXTS.items()}
    for key, (name, factors) in _CELL.items():
        told = _amount(keys, key)
        if told and told[1] in factors:
            found[name] = told[0] * factors[told[1]]
    if told := _amount(keys, "Battery capacity"):
        found["battery_capacity"], found["battery_capacity_unit"] = told
    return found


def _conditions(
    keys: dict[str, Any], settings: dict[str, list[Any]], loose: list[str]
) -> dict[str, Quantity]:
    found = conditions_of(_cell(keys), settings)
    for line in loose:
        if match := _VERSION.match(line):
            found["software"], found["software_version"] = Quantity(match["name"]), Quantity(match["version"])
    if match := re.match(r"(.+?)(?: \(SN (\S+)\))?\Z", _text(keys, "Run on channel")):
        found["channel"] = Quantity(match[1])
    if match := re.search(r"\(SN (\S+)\)", _text(keys, "Device")):
        found["instrument_serial"] = Quantity(match[1])
    protocol = PureWindowsPath(_text(keys, "Loaded Setting File")).name
    if protocol and protocol != "NONE":
        found["test_protocol"] = Quantity(protocol)
    return found


def _technique(title: str, columns: Columns) -> str:
    for known, technique in _TITLES:
        if title.casefold().startswith(known):
            return technique.key
    for word, key in _WORDS:
        if word in title.casefold():
            return key
    if "z_real" in columns:
        return "eis"
    return (
        "battery_cycling" if "half_cycle" in columns and "charge_capacity" in columns else "electrochemistry"
    )


# -- the records ---------------------------------------------------------------------------------------


def _columns(lines: list[str], start: int, warnings: list[str]) -> Columns:
    headings = lines[start - 1].rstrip("\t \r").split("\t")
    if len(headings) < 2:
        raise ReadError(f"line {start} has no headings separated by tabs; the file is cut off or damaged.")
    sample = next((line for line in lines[start:] if line.strip()), "")
    decimal = "," if "," in sample and "." not in sample else "."
    columns, mode = Columns(), None
    for heading, cells in zip(headings, table_of(lines, start, "\t", len(headings), decimal), strict=True):
        if heading == "time/s" and isinstance(cells, list) and (found := moments_of(cells)):
            columns.add("timestamp", found[0], None, "Date and time")
            values: Array | None = (found[0] - found[0][0]) / np.timedelta64(1, "s")
        else:
            values = numbers_of(cells, decimal, heading, warnings)
        if values is None:
            continue  # EC-Lab writes XXX throughout for what it did not compute
        if heading == "mode":
            mode = values
        add_column(columns, heading, values, mode)
    if not columns.signals:
        raise ReadError("No column holds a number; the file is cut off or damaged.")
    return columns


def _read(source: RawInput) -> Measurement:
    lines = lines_of(source.read_bytes(_MOST_BYTES))
    start = _header_lines(lines, source.name)
    keys, settings, loose = _header(lines[2 : start - 1])
    title = loose[0] if loose else ""
    warnings: list[str] = []
    columns = _columns(lines, start, warnings)
    loops = [int(m[1]) for line in (*loose, *_flat(keys)) if (m := _LOOP.match(line))]
    if all(a < b for a, b in itertools.pairwise(loops)):
        add_loops(columns, loops)
    add_derived(columns, warnings)
    technique = _technique(title, columns)
    conditions = _conditions(keys, settings, loose)
    if title:
        conditions["method"] = Quantity(title)
    started = in_forms(_text(keys, "Acquisition started on"), _DATES) or columns.started()
    device = re.sub(r"\s*\(SN.*", "", _text(keys, "Device"))
    return Measurement(
        entries_of(technique, columns, title or "data", started, conditions),
        title=source.path.name.split(".mp")[0],
        instrument=f"BioLogic {device}" if device else "BioLogic potentiostat",
        operator=_text(keys, "User"),
        original_metadata=tidy_metadata({"header": keys, "settings": settings, "lines": loose}),
        warnings=tuple(warnings + columns.warnings),
    )


def _flat(keys: dict[str, Any]) -> list[str]:
    return [line for value in keys.values() if isinstance(value, list) for line in value]


READER = Reader(
    name="biologic_mpt",
    version="4",
    techniques=tuple(dict.fromkeys(t.key for t in TECHNIQUES.values())),
    vendor="BioLogic",
    format="EC-Lab text (mpt)",
    endings=(".mpt", ".txt"),
    sniff=_sniff,
    read=_read,
    notes="Every technique and locale, with or without header. Settings are kept as written.",
)
