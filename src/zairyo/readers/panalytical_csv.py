"""PANalytical ``.csv``: ``[Measurement conditions]`` with a key and a value a line, then ``[Scan points]``.

Facts: columns ``Angle,Intensity``, of later versions ``Angle,TimePerStep,Intensity,ESD``; the angle is that of ``Scan
axis`` (``Gonio`` is 2θ). Where the computer writes decimal commas, semicolons separate the cells.
"""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np

from zairyo.measurement import Measurement, Signal
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._diffraction import axis_name, number, quantity, scan_axis, text_or_none
from zairyo.readers._diffraction_scans import Scan, measurement
from zairyo.readers._diffraction_text import counted, moment
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._text_export import cells_of, columns_of
from zairyo.readers.delimited_text import lines_of

_MOST_BYTES = 256 * 1024**2
_HEADINGS = re.compile(r'"?Angle"?\s*[,;\t]', re.IGNORECASE)
_NUMBERS = {
    "K-Alpha1 wavelength": ("wavelength", "angstrom"),
    "K-Alpha2 wavelength": ("wavelength_k_alpha_2", "angstrom"),
    "K-Beta wavelength": ("wavelength_k_beta", "angstrom"),
    "Ratio K-Alpha2/K-Alpha1": ("k_alpha_ratio", ""),
    "Generator voltage": ("xray_tube_voltage", "kV"),
    "Tube current": ("xray_tube_current", "mA"),
    "Time per step": ("time_per_step", "s"),
}
_TEXTS = {"Anode material": "xray_source_element", "Scan type": "scan_mode"}


def sniff(src: RawInput) -> float:
    head = src.text_head
    told = b"[Measurement conditions]" in head[:2000] or b"Anode material" in head
    return CERTAIN if told and b"[Scan points]" in head else NO


def read(src: RawInput) -> Measurement:
    lines = lines_of(decode_legacy(src.read_bytes(_MOST_BYTES)))
    at = next((i for i, line in enumerate(lines) if _HEADINGS.match(line)), None)
    if at is None:
        raise ReadError(f"{src.name} ends before its scan points; it is cut off. Copy it again.")
    delimiter = next(d for d in ";\t," if d in lines[at])
    header = _header(lines[:at], delimiter)
    rows = [line for line in lines[at + 1 :] if line.strip(" " + delimiter)]
    if not rows:
        raise ReadError(f"{src.name} holds no scan points; nothing was measured, or it is cut off.")
    names = [re.sub(r"[^a-z]", "", c.casefold()) for c in cells_of(lines[at], delimiter)]
    if "intensity" not in names:
        raise ReadError(f"line {at + 1} of {src.name} names no column Intensity")
    announced = number(header.get("No. of points", ""))
    if (announced and len(rows) < announced) or len(cells_of(rows[-1], delimiter)) < len(names):
        raise ReadError(
            f"{src.name} announces {header.get('No. of points', 'more')} points and has {len(rows)}; it is cut off. "
            "Copy it again."
        )
    warnings: list[str] = []
    columns = dict(zip(names, columns_of(rows, delimiter, len(names), warnings, line=at + 2), strict=True))
    scan = _scan(header, columns, warnings)
    return measurement(
        [scan],
        warnings,
        title=header.get("Sample identification"),
        sample=header.get("Sample identification"),
        instrument=header.get("Diffractometer system"),
    )


def _header(lines: list[str], delimiter: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        cells = cells_of(line, delimiter)
        if len(cells) > 1 and cells[0]:
            found[cells[0]] = " ".join(c for c in cells[1:] if c)
    return found


def _scan(header: dict[str, str], columns: dict[str, np.ndarray], warnings: list[str]) -> Scan:
    angle, intensity = columns["angle"], columns["intensity"]
    if angle.dtype.kind != "f" or intensity.dtype.kind != "f":
        raise ReadError("the columns Angle and Intensity do not hold numbers; the file is damaged")
    drive = header.get("Scan axis", "")
    axis = axis_name(drive) if drive else "two_theta"
    conditions = {name: quantity(header.get(key, ""), unit) for key, (name, unit) in _NUMBERS.items()}
    conditions |= {name: text_or_none(header.get(key, "")) for key, name in _TEXTS.items()}
    extra = []
    times = columns.get("timeperstep")
    if times is not None and times.dtype.kind == "f" and np.ptp(times) > 0:
        extra.append(Signal("time_per_step", times, "s"))
        conditions.pop("time_per_step")
    errors = columns.get("esd")
    if errors is not None and errors.dtype.kind == "f":
        extra.append(
            Signal("intensity_esd", errors, "counts", long_name="Standard deviation of the intensity")
        )
    return Scan(
        axis,
        angle,
        counted(intensity),
        "counts",
        extra=extra,
        conditions=conditions | {"scan_axis": scan_axis(drive)},
        metadata=header,
        title=drive,
        started=_started(header, warnings),
    )


def _started(header: dict[str, str], warnings: list[str]) -> datetime | None:
    # A month in letters stands between slashes or hyphens; of two numbers nobody knows which is the month.
    stated = re.sub(r"/(?=[A-Za-z])|(?<=[A-Za-z])/", "-", header.get("File date and time", ""))
    return moment(stated, warnings=warnings)


READER = Reader(
    name="panalytical_csv",
    version="2",
    techniques=("xrd",),
    vendor="Malvern PANalytical",
    format="CSV export",
    endings=(".csv",),
    sniff=sniff,
    read=read,
    notes="Single scans, with either decimal mark. What the slits did is not corrected.",
)
