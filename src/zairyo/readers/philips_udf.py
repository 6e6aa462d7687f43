"""Philips (PANalytical) ``.udf``: lines ``Key, value, … ,/`` and a run of counts that ends with a stroke."""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._diffraction import number
from zairyo.readers._diffraction_scans import Scan, measurement
from zairyo.readers._diffraction_text import counted, listed, mapped, moment
from zairyo.readers._legacy_text import decode_legacy

_MOST_BYTES = 256 * 1024**2
_LINE = re.compile(r"^([A-Za-z][A-Za-z0-9]*)[ \t]*,[ \t]*(.*?)[ \t]*,?/[ \t]*\r?$", re.M)
_COUNTS = re.compile(r"^RawScan[^\n]*$", re.M)
_CONDITIONS = {
    "Anode": ("xray_source_element", None),
    "GeneratorVoltage": ("xray_tube_voltage", "kV"),
    "TubeCurrent": ("xray_tube_current", "mA"),
    "LabdaAlpha1": ("wavelength", "angstrom"),
    "LabdaAlpha2": ("wavelength_k_alpha_2", "angstrom"),
    "LambdaAlpha1": ("wavelength", "angstrom"),
    "LambdaAlpha2": ("wavelength_k_alpha_2", "angstrom"),
    "RatioAlpha21": ("k_alpha_ratio", ""),
    "ScanType": ("scan_mode", None),
    "ScanStepTime": ("time_per_step", "s"),
    "MonochromatorUsed": ("monochromator", None),
}


def sniff(src: RawInput) -> float:
    head = src.head
    return CERTAIN if b"SampleIdent" in head[:500] and b"DataAngleRange" in head else NO


def read(src: RawInput) -> Measurement:
    text = decode_legacy(src.read_bytes(_MOST_BYTES))
    warnings: list[str] = []
    begin = _COUNTS.search(text)
    header = text[: begin.start()] if begin else text
    lines = {key: value.strip().rstrip(",").strip() for key, value in _LINE.findall(header)}
    ends = [number(t) for t in lines.get("DataAngleRange", "").split(",")]
    step = number(lines.get("ScanStepSize", ""))
    if begin is None or len(ends) < 2 or ends[0] is None or ends[1] is None or not step:
        raise ReadError("DataAngleRange, ScanStepSize or RawScan are missing; the file is cut off or damaged")
    body, slash, _ = text[begin.end() :].partition("/")
    points = round((ends[1] - ends[0]) / step) + 1
    if not slash or not 0 < points < 1e8:
        raise ReadError("the counts do not end with a stroke; the file is cut off. Copy it again.")
    counts = listed(body, "RawScan", warnings)
    if len(counts) != points:
        raise ReadError(f"{points} counts are announced and {len(counts)} are there; the file is damaged")
    told = mapped(lines, _CONDITIONS)
    scan = Scan(
        "two_theta",
        np.linspace(ends[0], ends[1], points),
        counted(counts),
        "counts",
        conditions=told | {"scan_axis": Quantity("two_theta/theta")},
        metadata=lines,
        title=lines.get("Title1", ""),
        started=moment(*lines.get("FileDateTime", "").split(",")),
    )
    return measurement(
        [scan],
        warnings,
        title=lines.get("Title1"),
        sample=lines.get("SampleIdent"),
        instrument=lines.get("DiffrType"),
    )


READER = Reader(
    name="philips_udf",
    version="1",
    techniques=("xrd",),
    vendor="Philips / PANalytical",
    format="UDF",
    endings=(".udf",),
    sniff=sniff,
    read=read,
    notes="Single scans. The counts are those of the file; what the slits did is not corrected.",
)
