"""HAAKE RheoWin (Thermo Scientific) exports: text or CSV, between tabs, semicolons or commas.

Facts: perhaps the file's path (``.rwd``), the operator, and a line with date and version; then the headings, of which
the first is blank or ``SegIndex`` and the others are ``symbol in unit`` (``en`` in French): ``t in s``, ``G' in Pa``,
``|η*| in mPas`` or, where the code page has no Greek, ``|Eta*| in Pas``. Rows begin with segment and point: ``2|17``.
"""

from __future__ import annotations

import re
from datetime import datetime

from zairyo.measurement import Entry, Measurement, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._rheology import plot_of
from zairyo.readers._text_export import cells_of, columns_of, head_lines, read_lines, signals_of

_HEADING = re.compile(r"(?P<symbol>\S.*?)\s+(?:in|en)\s+(?P<unit>\S+)\Z")
_ROW = re.compile(r'"?(?P<segment>\d+)\s*\|\s*\d+"?[\t;,]')
_DATE = re.compile(r"(\d{1,2}\.\d{1,2}\.\d{4})\D{1,12}(\d{1,2}:\d\d:\d\d)")
_MOST_HEADER = 100
#: Symbols, whose letters are not those of the other case: ``t`` is the time, ``T`` the temperature.
_SYMBOLS = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"t_seg", "interval_time"),
        (r"t", "time"),
        (r"T", "temperature"),
        (r"f", "frequency"),
        (r"ω|[Oo]m(ega)?", "angular_frequency"),
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
        if first not in ("", "SegIndex") or sum(map(bool, map(_HEADING.match, others))) < 2:
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
        unit = match["unit"] if match else None
        names.append(
            "GP"
            if match and unit == "1/s" and match["symbol"] in "γɣ"
            else match["symbol"]
            if match
            else cell
        )
        units.append(unit)
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
    date = _DATE.search("\n".join(head))
    started = datetime.strptime(" ".join(date.groups()), "%d.%m.%Y %H:%M:%S") if date else None
    entries: list[Entry] = []
    for segment, rows in segments.items():
        columns = columns_of(rows, delimiter, len(names), warnings, line=begins[segment])
        signals = signals_of(names, units, columns, _SYMBOLS, warnings, _SPELLINGS)
        if not signals:
            continue
        x, default = plot_of(signals)
        title = f"segment {segment}"
        entries.append(
            table(
                f"segment_{segment}", "rheology", signals, x=x, default=default, title=title, started=started
            )
        )
    if not entries:
        raise ReadError(f"{source.name} holds no points; nothing was measured, or it is cut off.")
    told = bool(head) and head[0].lower().endswith(".rwd")
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        operator=head[1] if told and len(head) > 2 else "",
        instrument="HAAKE rheometer",
        original_metadata=tidy_metadata({"lines": head, "headings": cells_of(lines[at], delimiter)}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


READER = Reader(
    name="haake_rheowin",
    version="1",
    techniques=("rheology",),
    vendor="Thermo Scientific HAAKE",
    format="RheoWin export",
    endings=(".csv", ".txt", ".asc"),
    sniff=_sniff,
    read=_read,
    notes="Every segment is an entry. The lines above the headings are from public descriptions.",
)
