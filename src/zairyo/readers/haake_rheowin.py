"""HAAKE RheoWin (Thermo Scientific) exports: text or CSV, between tabs, semicolons or commas.

Facts: perhaps some lines of header, ``Company / Operator: ETH / me``, ``Date / Time / Version: 11.10.2017 / 13:47:12 /
HAAKE RheoWin 4.63``, or, in older programs, ``Société: ETH Opérateur: me``; then the headings, of which the first is
blank, ``SegIndex`` or ``Nr-Seg`` and the others are ``symbol in unit`` (``en`` in French): ``t in s``, ``G' in Pa``,
``|η*| in mPas`` or, where the code page has no Greek, ``Eta in Pas``, ``Ga in %`` (γ), ``GP in 1/s`` (its rate),
``Da in °`` (δ). Rows begin with segment and point: ``2|17``. ``Om`` is a speed in 1/min and an angular frequency in
rad/s.
"""

from __future__ import annotations

import re
from datetime import datetime

from zairyo.measurement import Entry, Measurement, Quantity, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._rheology import plot_of
from zairyo.readers._text_export import cells_of, columns_of, head_lines, read_lines, signals_of

_HEADING = re.compile(r"(?P<symbol>\S.*?)\s+(?:in|en)\s+(?P<unit>\S+)\Z")
_ROW = re.compile(r'"?(?P<segment>\d+)\s*\|\s*\d+"?[\t;,]')
_DATE = re.compile(r"(\d{1,2}\.\d{1,2}\.\d{4})\D{1,12}(\d{1,2}:\d\d:\d\d)(?:\s*([AP]M))?")
_VERSION = re.compile(r"RheoWin\s+(\d[\d.]*)")
_OPERATOR = re.compile(
    r"(?:/ (?:Operator|Bediener): .*? / |(?:Operator|Bediener|Opérateur): )(?P<text>.*?)\s*\Z"
)
_SAMPLE = re.compile(
    r"(?:Substance / Sample no|Substanz / Proben?[- ]?Nr\.?)\s*:\s*(?P<text>.*?)\s*(?:/\s*)?\Z"
    r"|(?:Echantillon|Substance|Substanz): (?P<older>.*?)(?:\s+(?:N° Echant|Sample no|Proben?).*)?\Z"
)
_MOST_HEADER = 100
#: Symbols, whose letters are not those of the other case: ``t`` is the time, ``T`` the temperature.
_SYMBOLS = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"t_seg", "interval_time"),
        (r"t", "time"),
        (r"T", "temperature"),
        (r"f", "frequency"),
        (r"[ωΩ]|[Oo]m(ega)?", "angular_frequency"),
        (r"G'", "storage_modulus"),
        (r"G''|G\"", "loss_modulus"),
        (r"\|G\*\||G\*", "complex_modulus"),
        (r"\|?(η|[Ee]ta)['*]\|?", "complex_viscosity"),
        (r"η|[Ee]ta", "viscosity"),
        (r"τ|[Tt]au", "shear_stress"),
        (r"[γɣ]\u0307|GP|[Gg]amma(dot|P)", "shear_rate"),
        (r"[γɣ]|Ga|[Gg]amma", "shear_strain"),
        (r"δ|Da|[Dd]elta", "phase"),
        (r"tan\s?\(?(δ|Da|[Dd]elta)\)?", "loss_factor"),
        (r"Fn|FN", "normal_force"),
        (r"N1", "normal_stress"),
        (r"Md|M", "torque"),
        (r"h", "gap"),
        (r"[Φφϕ]|[Pp]hi", "deflection_angle"),
        (r"n", "rotational_speed"),
        (r"J", "creep_compliance"),
    )
]
#: A symbol that means another thing in this unit.
_SPECIAL = {(gamma, "1/s"): "GP" for gamma in ("γ", "ɣ", "Ga", "?")}
_SPECIAL |= {(omega, "1/min"): "n" for omega in ("Om", "Ω", "ω")}
_SPELLINGS = {
    "mPas": "mPa*s", "Pas": "Pa*s", "mPa·s": "mPa*s", "µNm": "uN*m", "mNm": "mN*m", "Nm": "N*m", "°": "deg", "-": "",
}  # fmt: skip


def _headings_at(lines: tuple[str, ...] | list[str]) -> tuple[int, str] | None:
    """Place of the line of headings and what is between its cells; a row of the table is the next line with text."""
    for at, line in enumerate(lines[:_MOST_HEADER]):
        delimiter = next((d for d in "\t;," if d in line), "")
        if not delimiter or (" in " not in line and " en " not in line):
            continue
        first, *others = cells_of(line, delimiter)
        if len(first) > 20 or _HEADING.match(first) or sum(map(bool, map(_HEADING.match, others))) < 2:
            continue
        below = next((x for x in lines[at + 1 :] if x.strip()), "")
        if _ROW.match(below):
            return at, delimiter
    return None


def _sniff(source: RawInput) -> float:
    return CERTAIN if _headings_at(head_lines(source, _MOST_HEADER + 10)) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    found = _headings_at(lines)
    if found is None:
        raise ReadError(
            f"{source.name} has no headings above rows such as 1|1; it is cut off or no RheoWin export."
        )
    at, delimiter = found
    names, units = [], list[str | None]()
    for cell in cells_of(lines[at], delimiter)[1:]:
        match = _HEADING.match(cell)
        names.append(_SPECIAL.get((match["symbol"], match["unit"]), match["symbol"]) if match else cell)
        units.append(match["unit"] if match else None)
    segments: dict[str, list[str]] = {}
    begins: dict[str, int] = {}
    odd: list[int] = []
    for number, line in enumerate(lines[at + 1 :], at + 2):
        if row := _ROW.match(line):
            segments.setdefault(row["segment"], []).append(line.split(delimiter, 1)[1])
            begins.setdefault(row["segment"], number)
        elif line.strip(delimiter + " "):
            odd.append(number)
    warnings: list[str] = []
    if odd:
        warnings.append(
            f"{len(odd)} lines below the headings (first line {odd[0]}) are no points and are left out."
        )
    head = [clean_text(line) for line in lines[:at] if line.strip()]
    started = _started("\n".join(head))
    version = next((m[1] for line in head if (m := _VERSION.search(line)) and _DATE.search(line)), "")
    conditions = {"software_version": Quantity(version)} if version else {}
    entries: list[Entry] = []
    for segment, rows in segments.items():
        columns = columns_of(rows, delimiter, len(names), warnings, line=begins[segment])
        signals = signals_of(names, units, columns, _SYMBOLS, warnings, _SPELLINGS)
        if not signals:
            continue
        x, default = plot_of(signals)
        entry = table(
            f"segment_{segment}",
            "rheology",
            signals,
            x=x,
            default=default,
            title=f"segment {segment}",
            conditions=conditions,
            started=started,
        )
        entries.append(entry)
    if not entries:
        raise ReadError(f"{source.name} holds no points; nothing was measured, or it is cut off.")
    sample = next((m["text"] or m["older"] or "" for line in head if (m := _SAMPLE.search(line))), "")
    return Measurement(
        tuple(entries),
        title=sample or source.path.stem,
        sample=sample,
        operator=next((m["text"] for line in head if (m := _OPERATOR.search(line))), ""),
        instrument="HAAKE rheometer",
        original_metadata=tidy_metadata({"lines": head, "headings": cells_of(lines[at], delimiter)}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _started(text: str) -> datetime | None:
    """Day, month and year stand between points; the time of day may be one of twelve hours."""
    date = _DATE.search(text)
    if date is None:
        return None
    form = "%d.%m.%Y %I:%M:%S %p" if date[3] else "%d.%m.%Y %H:%M:%S"
    try:
        return datetime.strptime(" ".join(filter(None, date.groups())), form)
    except ValueError:
        return None


READER = Reader(
    name="haake_rheowin",
    version="2",
    techniques=("rheology",),
    vendor="Thermo Scientific HAAKE",
    format="RheoWin export",
    endings=(".csv", ".txt", ".asc"),
    sniff=_sniff,
    read=_read,
    notes="Every segment is an entry. RheoWin's own .rwd files are not read.",
)
