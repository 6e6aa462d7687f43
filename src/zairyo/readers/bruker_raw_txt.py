"""Bruker DIFFRAC text of a RAW4 file (``;RAW4.00``): sections of ``Key=value`` lines, then ``[Data]``, range by range.

Facts: ``Time`` is the hour in ``[RawHeader]`` and seconds a step in ``[RangeHeader]``; ``[VarInfo]`` comes many times,
each a ``Type`` and its ``Value``. Rows end with a comma; -9999 stands where nothing was measured.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._diffraction import axis_name, number, quantity, scan_axis, text_or_none, when
from zairyo.readers._diffraction_scans import Scan, measurement
from zairyo.readers._diffraction_text import counted, listed, rows
from zairyo.readers._legacy_text import decode_legacy

_MOST_BYTES = 512 * 1024**2
_SECTION = re.compile(r"^[ \t]*\[([A-Za-z][\w ]*)\][ \t]*\r?$", re.M)
_PAIR = re.compile(r"^[ \t]*([^=\s][^=\n]*?)[ \t]*=[ \t]*(.*?)[ \t]*\r?$", re.M)
_BLANK = -9999
_HARDWARE = {
    "Alpha1": ("wavelength", "angstrom"),
    "Alpha2": ("wavelength_k_alpha_2", "angstrom"),
    "AlphaAverage": ("wavelength_k_alpha", "angstrom"),
    "Beta": ("wavelength_k_beta", "angstrom"),
    "AlphaRatio": ("k_alpha_ratio", ""),
    "GoniometerRadius": ("goniometer_radius", "mm"),
}
_RANGE = {
    "Time": ("time_per_step", "s"),
    "StepTime": ("time_per_step", "s"),
    "GeneratorVoltage": ("xray_tube_voltage", "kV"),
    "GeneratorCurrent": ("xray_tube_current", "mA"),
}
_ROCKING = re.compile(r"rocking|\b(theta|omega)\b(?! */)", re.IGNORECASE)


def sniff(src: RawInput) -> float:
    head = src.text_head
    return CERTAIN if head[:100].lstrip(b"\xef\xbb\xbf\xff\xfe \r\n").startswith(b";RAW4") else NO


def read(src: RawInput) -> Measurement:
    text = decode_legacy(src.read_bytes(_MOST_BYTES))
    warnings: list[str] = []
    about: dict[str, dict[str, str]] = {}
    told: dict[str, str] = {}
    scans: list[Scan] = []
    headings = list(_SECTION.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    for heading, end in zip(headings, ends, strict=False):
        body = text[heading.end() : end]
        pairs = dict(_PAIR.findall(body)) if heading[1] != "Data" else {}
        if heading[1] == "Data":
            scans.append(_scan(about, body, f"range {len(scans) + 1}", warnings))
        elif heading[1] == "VarInfo":
            told[pairs.get("Type", "").upper()] = pairs.get("Value", "").strip('"')
        else:
            about[heading[1]] = {k: v.strip('"') for k, v in pairs.items()}
    if not scans:
        raise ReadError(f"{src.name} ends before its [Data]; it is cut off. Copy it again.")
    if not text.endswith("\n"):
        warnings.append("The file does not end with a whole line; its last point may be cut off.")
    return measurement(
        scans,
        warnings,
        title=told.get("SAMPLEID"),
        sample=told.get("SAMPLEID"),
        operator=told.get("USER"),
        original_metadata={**{k: v for k, v in about.items() if k != "RangeHeader"}, "VarInfo": told},
    )


def _scan(about: dict[str, dict[str, str]], body: str, what: str, warnings: list[str]) -> Scan:
    heading, _, block = body.lstrip("\r\n").partition("\n")
    columns = [c.strip() for c in heading.split(",") if c.strip()]
    if len(columns) < 2 or number(columns[0]) is not None:
        raise ReadError(f"{what} does not name its columns; the file is damaged or cut off")
    table = rows(listed(block, what, warnings), len(columns), what)
    own, hardware, raw = (about.get(k, {}) for k in ("RangeHeader", "HardwareConfiguration", "RawHeader"))
    announced = number(own.get("Steps", "")) or 0
    if len(table) < announced:
        if "FurtherDQLReading" not in raw:  # of .dql, which is what there was when a measurement was stopped
            raise ReadError(
                f"{what}: {announced:g} points are announced and {len(table)} are there; the file is cut off. "
                "Copy it again."
            )
        warnings.append(
            f"{what}: {announced:g} points were planned and {len(table)} are there; it was stopped."
        )
    kind = own.get("ScanType", "")
    intensity = table[:, 1]
    if np.any(intensity == _BLANK):
        warnings.append(f"{what}: {np.sum(intensity == _BLANK)} points were not measured and are left empty.")
        intensity = np.where(intensity == _BLANK, np.nan, intensity)
    coupled = "coupled" in kind.casefold()
    axis = "omega" if not coupled and _ROCKING.search(kind) else axis_name(kind) if kind else "two_theta"
    if axis not in ("omega", "chi", "phi", "psi", "x", "y", "z"):
        axis = "two_theta"
    conditions = {name: quantity(hardware.get(k, ""), unit) for k, (name, unit) in _HARDWARE.items()}
    for key, (name, unit) in _RANGE.items():
        conditions[name] = conditions.get(name) or quantity(own.get(key, ""), unit)
    conditions["wavelength"] = conditions["wavelength"] or quantity(
        own.get("ActuallyUsedLambda", ""), "angstrom"
    )
    return Scan(
        axis,
        table[:, 0],
        counted(intensity),
        "counts",
        conditions={
            **conditions,
            "xray_source_element": text_or_none(hardware.get("Anode", "")),
            "scan_axis": scan_axis(kind if coupled else axis),
            "scan_mode": text_or_none(own.get("ScanMode", "")),
        },
        metadata=own,
        title=kind,
        started=when(raw.get("Date", ""), raw.get("Time", ""), warnings=warnings),
    )


READER = Reader(
    name="bruker_raw_txt",
    version="2",
    techniques=("xrd",),
    vendor="Bruker",
    format="DIFFRAC text of RAW4 (.txt)",
    endings=(".txt",),
    sniff=sniff,
    read=read,
    notes="One or several ranges; ranges that step a further axis become one map.",
)
