"""Ritsumeikan University's SR Center: the comma-separated text of an absorption scan.

Facts, of a file of BL-13: the first line names ``RITS-SR`` and the beam line; lines beginning with ``FileName`` (with
start and end), ``Ring`` (energy, current at start and end), ``Mono`` (crystal, ``D=`` its lattice spacing in Å,
initial angle) and ``Block`` (how many, ``Points`` and their number) follow, then the blocks; behind
``---<DataBlock>---`` the columns' names and the rows. ``Energy(c)`` is what the monochromator was sent to,
``Energy(o)`` what ``Angle(o)``, where it stood, says by Bragg's law.
"""

from __future__ import annotations

import re
from itertools import pairwise

from zairyo.measurement import Measurement, Quantity, clean_text, table
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import cells_of, columns_of, head_text, number, read_lines, rules, signals_of

_FIRST = re.compile(r"\s*RITS-SR\s+(?P<beamline>\S+)")
_DATA = "<DataBlock>"
_COLUMNS = rules(
    (r"Energy\(o\)", "photon_energy"),
    (r"Energy\(c\)", "photon_energy_set"),
    (r"Angle\(o\)", "monochromator_angle"),
    (r"time/s", "time_per_point"),
    ("I0", "incident_intensity"),
    ("TEY", "electron_yield"),
    (r"FY\(sum\)", "fluorescence_intensity"),
    ("TEY/I0", "absorption_electron_yield"),
)
_UNITS = {
    "photon_energy": "eV",
    "photon_energy_set": "eV",
    "monochromator_angle": "deg",
    "time_per_point": "s",
    "absorption_electron_yield": "",
}
#: What to plot, best first.
_BEST = ("absorption_electron_yield", "fluorescence_intensity", "electron_yield")


def _sniff(source: RawInput) -> float:
    head = head_text(source, 60)
    return CERTAIN if _FIRST.match(head) and "FileName," in head else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    first = _FIRST.match(lines[0]) if lines else None
    at = next((i for i, line in enumerate(lines[:500]) if _DATA in line), None)
    if first is None or at is None or at + 1 >= len(lines):
        raise ReadError(f"{source.name} ends before its data block; it is cut off. Copy it again.")
    head = [cells_of(line, ",") for line in lines[:at]]
    names = [clean_text(name) for name in cells_of(lines[at + 1].rstrip().rstrip(","), ",")]
    rows = [line.rstrip().rstrip(",") for line in lines[at + 2 :] if line.strip().strip(",")]
    warnings: list[str] = []
    planned = _beside(head, "Points")
    if rows and len(rows[-1].split(",")) < len(names):
        rows.pop()
        warnings.append("The last point is not whole and was left out.")
    if not rows:
        raise ReadError(
            f"{source.name} holds no points; it is cut off, or the scan was stopped before the first."
        )
    if (wanted := number(planned)) is not None and len(rows) < wanted:
        warnings.append(
            f"{len(rows)} of {planned} points are there; the scan was stopped or the file is cut off."
        )
    columns = columns_of(rows, ",", len(names), warnings, line=at + 3, decimal=".")
    if any(values.dtype.kind not in "iuf" for values in columns):
        raise ReadError(f"{source.name} has points that are no numbers; it is damaged.")
    signals = signals_of(names, [None] * len(names), columns, _COLUMNS, warnings, usual=_UNITS)
    found = [signal.name for signal in signals]
    x = next((name for name in ("photon_energy", "photon_energy_set") if name in found), "")
    default = next((name for name in _BEST if name in found), "")
    if not x or not default:
        raise ReadError(
            f"{source.name} has no energy or no yield among its columns {', '.join(names)[:200]}."
        )
    stem = _beside(head, "FileName") or source.path.stem
    times = next((row for row in head if row[0] == "FileName"), [])
    entry = table(
        "spectrum",
        "xafs",
        signals,
        x=x,
        default=default,
        title=stem,
        conditions=_conditions(head, first["beamline"]),
        started=in_forms(times[2], ("%Y/%m/%d %H:%M:%S",), warnings) if len(times) > 2 else None,
    )
    return Measurement(
        (entry,),
        title=stem,
        instrument=f"Ritsumeikan SR Center {first['beamline']}",
        original_metadata=tidy_metadata({"head": "\n".join(line.rstrip() for line in lines[:at])}),
        warnings=tuple(warnings),
    )


def _beside(head: list[list[str]], name: str) -> str:
    """The cell behind the first one of this name."""
    for row in head:
        for cell, following in pairwise(row):
            if cell.strip() == name:
                return clean_text(following.strip())
    return ""


def _conditions(head: list[list[str]], beamline: str) -> dict[str, Quantity]:
    found = {"facility": Quantity("Ritsumeikan SR Center"), "beamline": Quantity(clean_text(beamline))}
    ring = re.fullmatch(r"([\d.]+)\s*MeV", _beside(head, "Ring"))
    if ring and (energy := number(ring[1])):
        found["ring_energy"] = Quantity(energy / 1000, "GeV")
    if crystal := _beside(head, "Mono"):
        found["monochromator"] = Quantity(crystal)
    if spacing := number(_beside(head, "D=")):
        found["monochromator_d_spacing"] = Quantity(spacing, "angstrom")
    return found


READER = Reader(
    name="rits_sr_csv",
    version="1",
    techniques=("xafs",),
    vendor="Ritsumeikan SR Center",
    format="absorption scan (csv)",
    endings=(".csv", ".dat", ".txt"),
    sniff=_sniff,
    read=_read,
    notes="Every column. The energy is the one of the angle at which the monochromator stood. The unit of the ring's "
    "current is not stated; it stays in the head.",
)
