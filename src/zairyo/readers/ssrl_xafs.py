"""SSRL's text of an absorption scan, as its EXAFS Data Collector writes it.

Facts: the first line is ``SSRL`` … ``EXAFS Data Collector`` and a version, then the date, ``PTS:`` and ``COLS:``, the
files of detectors and regions, the beam line with its crystal and lattice spacing, comments from the eighth line on;
under ``Weights:`` and ``Offsets:`` a number for each column (the counts are without the offset already), under
``Data:`` the columns' names, one a line, a blank line, the rows.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import (
    columns_of,
    head_text,
    read_lines,
    rules,
    signals_of,
)

_FIRST = re.compile(r"SSRL\s.*EXAFS Data Collector\s*(?P<version>[\d.]*)")
_SHAPE = re.compile(r"PTS:\s*(?P<points>\d{1,7})\s+COLS:\s*(?P<columns>\d{1,4})\s*\Z")
_CRYSTAL = re.compile(r"(?P<crystal>(?:Si|Ge)\s*\(\d+\))\s+(?P<spacing>\d\.\d+)")
_COLUMNS = rules(
    ("achieved energy|energy", "photon_energy"),
    ("requested energy", "photon_energy_set"),
    ("real time clock", "real_time_clock"),
    ("i0", "incident_intensity"),
    ("lytle|ff", "fluorescence_intensity"),
)
_UNITS = {"photon_energy": "eV", "photon_energy_set": "eV"}
_FIRST_COMMENT = 7


def _sniff(source: RawInput) -> float:
    head = head_text(source, 60)
    return CERTAIN if _FIRST.match(head) and "\nData:" in head else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    at = next((i for i, line in enumerate(lines[:200]) if line.strip() == "Data:"), None)
    first, shape = (
        _FIRST.match(lines[0]),
        next((m for line in lines[1:10] if (m := _SHAPE.match(line))), None),
    )
    if first is None or shape is None or at is None:
        raise ReadError(f"{source.name} ends before its line 'Data:'; it is cut off. Copy it again.")
    names = []
    for line in lines[at + 1 :]:
        if not line.strip():
            break
        names.append(clean_text(line.strip()))
    width, planned = int(shape["columns"]), int(shape["points"])
    begin = at + 1 + len(names)
    rows = [line for line in lines[begin:] if line.strip()]
    if len(names) != width or len(rows) < planned or not rows:
        raise ReadError(
            f"{source.name} should hold {width} columns and {planned} points and holds {len(names)} and {len(rows)}; "
            "it is cut off, or the scan was stopped."
        )
    warnings: list[str] = []
    columns = columns_of(rows, " ", width, warnings, line=begin + 1, decimal=".")
    signals = signals_of(names, [None] * width, columns, _COLUMNS, warnings, usual=_UNITS)
    if any(s.values.dtype.kind not in "iuf" or not np.isfinite(s.values).all() for s in signals):
        raise ReadError(f"{source.name} has rows that are not all numbers; it is damaged.")
    return _measurement(source, lines[:at], signals, warnings)


def _measurement(
    source: RawInput, head: list[str], signals: list[Signal], warnings: list[str]
) -> Measurement:
    found = [s.name for s in signals]
    x = next((n for n in ("photon_energy", "photon_energy_set") if n in found), found[0])
    beside = ("incident_intensity", "photon_energy_set", "real_time_clock", x)
    default = next((n for n in found if n not in beside), "")
    if not default:
        raise ReadError(f"{source.name} holds no detector beside I0; there is nothing over {x}.")
    end = next((i for i, line in enumerate(head) if line.strip() == "Weights:"), _FIRST_COMMENT)
    comment = " ".join(filter(None, (clean_text(line.strip()) for line in head[_FIRST_COMMENT:end])))
    first = _FIRST.match(head[0])
    conditions = {"facility": Quantity("SSRL")}
    if crystal := next((m for line in head if (m := _CRYSTAL.search(line))), None):
        conditions["monochromator"] = Quantity(crystal["crystal"])
        conditions["monochromator_d_spacing"] = Quantity(float(crystal["spacing"]), "angstrom")
    if first and first["version"]:
        conditions["software_version"] = Quantity(first["version"])
    if comment:
        conditions["comment"] = Quantity(comment)
    entry = table(
        "spectrum",
        "xafs",
        signals,
        x=x,
        default=default,
        title=source.path.stem,
        conditions=conditions,
        started=in_forms(head[1], ("%a %b %d %H:%M:%S %Y",), warnings) if len(head) > 1 else None,
    )
    return Measurement(
        (entry,),
        title=source.path.stem,
        instrument="SSRL",
        original_metadata=tidy_metadata({"head": "\n".join(line.rstrip() for line in head)}),
        warnings=tuple(warnings),
    )


READER = Reader(
    name="ssrl_xafs",
    version="1",
    techniques=("xafs",),
    vendor="SSRL",
    format="EXAFS Data Collector text",
    endings=(".dat", ".txt", ".001"),
    sniff=_sniff,
    read=_read,
    notes="Every column; what I1 and I2 stand behind is not stated and left open. Binary files are not read.",
)
