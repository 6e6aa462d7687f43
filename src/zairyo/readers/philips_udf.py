"""Philips (PANalytical) ``.udf``: lines ``Key, value, … ,/`` and a run of counts that ends with a stroke.

The stroke of the last run may be missing; then the angles and their step say whether the counts are all there. Older
programs count tens of years as characters: after ``9`` comes ``:``, so that ``1-nov-:0`` is in 2000.
"""

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
_YEAR_2000 = re.compile(r"-:(\d)(?!\d)")
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
    lines: dict[str, str] = {}
    scans: list[Scan] = []
    at = 0
    while (begin := _COUNTS.search(text, at)) is not None:
        found = _LINE.findall(text[at : begin.start()])
        lines = lines | {key: value.strip().rstrip(",").strip() for key, value in found}
        body, slash, _ = text[begin.end() :].partition("/")
        at = begin.end() + len(body) + 1
        scans.append(_scan(lines, body, bool(slash), f"scan {len(scans) + 1}", warnings))
    if not scans:
        raise ReadError("there is no RawScan in the file; it is cut off. Copy it again.")
    return measurement(
        scans,
        warnings,
        title=lines.get("Title1"),
        sample=lines.get("SampleIdent"),
        instrument=lines.get("DiffrType", "").strip("?"),
    )


def _scan(lines: dict[str, str], body: str, ended: bool, what: str, warnings: list[str]) -> Scan:
    angles = lines.get("DataAngleRange", "").split(",")
    ends = [number(t) for t in angles]
    written = lines.get("ScanStepSize", "").partition(",")[0].strip()
    step = number(written)
    if len(ends) < 2 or ends[0] is None or ends[1] is None or not step:
        raise ReadError(f"{what}: DataAngleRange or ScanStepSize are missing; the file is cut off or damaged")
    counts = listed(body, f"{what}, RawScan", warnings)
    implied = (ends[1] - ends[0]) / (len(counts) - 1) if len(counts) > 1 else step
    # Steps such as 0.01671 are written rounded, beside others the ends: these and the number of counts tell better.
    rounded = sum(_last_digit(angle) for angle in angles[:2]) / max(len(counts) - 1, 1)
    if abs(implied - step) > 0.55 * (_last_digit(written) + rounded):
        announced = round((ends[1] - ends[0]) / step) + 1
        raise ReadError(
            f"{what}: {announced} counts are announced and {len(counts)} are there; "
            + ("the file is damaged" if ended else "the file is cut off. Copy it again.")
        )
    return Scan(
        "two_theta",
        np.linspace(ends[0], ends[1], len(counts)),
        counted(counts),
        "counts",
        conditions=mapped(lines, _CONDITIONS) | {"scan_axis": Quantity("two_theta/theta")},
        metadata=lines,
        title=lines.get("Title1", ""),
        started=moment(
            *_YEAR_2000.sub(r"-200\1", lines.get("FileDateTime", "")).split(","), warnings=warnings
        ),
    )


def _last_digit(written: str) -> float:
    """What one more in the last digit of a number as it is written makes."""
    return 10.0 ** -len(written.strip().partition(".")[2])


READER = Reader(
    name="philips_udf",
    version="3",
    techniques=("xrd",),
    vendor="Philips / PANalytical",
    format="UDF",
    endings=(".udf",),
    sniff=sniff,
    read=read,
    notes="The counts are those of the file; what the slits did is not corrected.",
)
