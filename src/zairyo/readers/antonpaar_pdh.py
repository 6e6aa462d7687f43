"""Anton Paar SAXS ``.pdh`` (SAXSess, SAXSpace; the PCG program suite): three columns with a fixed header.

Line 1 is a description, line 2 keywords, line 3 eight whole numbers of which the first is the count of points,
lines 4 and 5 five numbers each (distance sample-detector in mm, normalisation, wavelength; …). After the points
newer programs append an XML description, which states the units.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._scattering import Column, Floats, curve, measurement, unit_of
from zairyo.readers._tokens import amount, number
from zairyo.readers._xml import attribute, find_all, parse_xml, text, tree

_MOST_BYTES = 256 * 1024**2
_MOST_POINTS = 10_000_000
_INTEGERS = re.compile(rb"(?:[ \t]*-?\d+){8}[ \t]*\r?\Z")
_FLOATS = re.compile(rb"(?:[ \t]*[-+]?[\d.]+(?:[eE][-+]?\d+)?){5}[ \t]*\r?\Z")
#: ``n_m^-1`` is a prefix and a unit.
_PREFIXED = re.compile(r"\b([munpkcd])_(?=[A-Za-z])")
_PARAMETERS = {
    "SampleDetector": "sample_detector_distance",
    "Temperature": "temperature",
    "Wavelength": "wavelength",
    "Concentration": "concentration",
    "CounterSlitLength": "slit_length",
    "ExposureTime": "exposure_time",
    "Transmission": "transmission",
}


def sniff(src: RawInput) -> float:
    lines = src.head[:4000].split(b"\n")
    if len(lines) < 6 or not _INTEGERS.match(lines[2]) or not all(_FLOATS.match(x) for x in lines[3:5]):
        return NO
    return CERTAIN if lines[1].strip().startswith(b"SAXS") or b"<fileinfo" in src.head else LIKELY


def read(src: RawInput) -> Measurement:
    body, opened, xml = decode_legacy(src.read_bytes(_MOST_BYTES)).partition("<?xml")
    if not opened:
        body, opened, xml = body.partition("<fileinfo")
    lines = body.splitlines()
    if len(lines) < 6:
        raise ReadError(f"the file ends after line {len(lines)}, within its header. Copy it again.")
    warnings: list[str] = []
    integers, first, second = (line.split() for line in lines[2:5])
    points = number(integers[0] if integers else "")
    if points is None or points != int(points) or not 1 <= points <= min(_MOST_POINTS, len(lines) - 5):
        raise ReadError(
            f"line 3 announces {integers[0] if integers else 'no'} points, and {len(lines) - 5} lines follow the "
            "header; the file is cut off or damaged. Copy it again."
        )
    rows = _rows(lines[5 : 5 + int(points)])
    described = _described(opened + xml, warnings) if opened else {}
    told, units = _conditions(described, first, warnings)
    description = lines[0].strip()
    metadata = {
        "description": description,
        "keywords": lines[1].strip(),
        "integers": " ".join(integers),
        "reals": [" ".join(first), " ".join(second)],
        "fileinfo": described.get("tree", {}),
    }
    entry = _entry(rows, told, units, metadata, description, warnings)
    return measurement([entry], warnings, title=description, sample=description)


def _rows(lines: list[str]) -> Floats:
    cells = [line.split() for line in lines]
    try:
        if all(len(row) == 3 for row in cells):
            return np.array([list(map(float, row)) for row in cells])
    except ValueError:
        pass  # something odd: line by line
    values = []
    for index, line in enumerate(lines, 6):
        row = [number(t) for t in line.split()]
        if not 2 <= len(row) <= 3 or None in row:
            raise ReadError(f"line {index} should have three numbers: {line[:60]!r}; the file is damaged")
        values.append([*row, np.nan] if len(row) == 2 else row)
    return np.array(values, float)


def _entry(
    rows: Floats,
    told: dict[str, Quantity | None],
    units: dict[str, str],
    metadata: dict[str, Any],
    title: str,
    warnings: list[str],
) -> Entry:
    q_unit = units.get("X")
    if not q_unit:
        warnings.append("The file does not state the unit of q.")
    has_errors = bool(np.isfinite(rows[:, 2]).any())
    return curve(
        "data",
        "saxs",
        Column("q", rows[:, 0], q_unit),
        [Column("intensity", rows[:, 1], units.get("Y"))],
        rows[:, 2] if has_errors else None,
        conditions=told | {"radiation": Quantity("X-ray")},
        metadata=metadata,
        warnings=warnings,
        title=title,
    )


def _described(xml: str, warnings: list[str]) -> dict[str, Any]:
    """Parameters (text and unit by their keys) and units of the columns from the XML behind the points."""
    try:
        root = parse_xml(xml.strip().encode(), "the description behind the points")
    except ReadError as e:
        warnings.append(f"{e}; units and parameters are not known.")
        return {}
    values = {
        kind: {
            attribute(e, "key"): {attribute(v, "key"): text(v) for v in find_all(e, "value")}
            for e in find_all(root, kind)
        }
        for kind in ("column", "parameter")
    }
    return {**values, "tree": tree(root)}


def _unit(stated: dict[str, str]) -> str:
    unit = _PREFIXED.sub(r"\1", stated.get("unit", "")).replace("^", "**")
    if stated.get("quantity") == "COUNTS_PER_AREA" and re.fullmatch(r"[munpkcd]?m\*\*-2", unit):
        return f"count/{unit[:-4]}**2"  # the quantity says what is per area
    return "" if unit == "none" else unit


def _conditions(
    described: dict[str, Any], first: list[str], warnings: list[str]
) -> tuple[dict[str, Quantity | None], dict[str, str]]:
    """Conditions from the description, else from the two lines of numbers; units of the columns."""
    units = {key: _unit(stated) for key, stated in described.get("column", {}).items()}
    told: dict[str, Quantity | None] = {}
    if len(first) > 4:
        told["sample_detector_distance"] = _positive(first[1], "mm")
        told["normalisation"] = _positive(first[3], "")
        # the format's wavelength has the unit of 1/q; the suite has always used nanometres
        told["wavelength"] = _positive(first[4], "nm" if 0.01 < (number(first[4]) or 0) < 0.5 else None)
    for key, stated in described.get("parameter", {}).items():
        if key in _PARAMETERS and number(stated.get("value")) is not None:
            if key in ("Concentration", "CounterSlitLength") and not number(stated.get("value")):
                continue  # not given
            unit = unit_of(_unit(stated), key, warnings)
            told[_PARAMETERS[key]] = amount(stated["value"], unit)
    return told, units


def _positive(token: str, unit: str | None) -> Quantity | None:
    return amount(token, unit) if (number(token) or 0) > 0 else None


READER = Reader(
    name="antonpaar_pdh",
    version="2",
    techniques=("saxs",),
    vendor="Anton Paar",
    format="SAXS (.pdh)",
    endings=(".pdh",),
    sniff=sniff,
    read=read,
    notes="Curves with or without the XML description that states units and parameters.",
)
