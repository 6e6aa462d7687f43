"""Bruker (Siemens) DIFFRAC text, ``.uxd``: ranges of ``_KEY=value`` lines and a block of numbers.

The line above the numbers says what they are: ``_COUNTS`` or ``_CPS`` one intensity after the other from ``_START``
in steps of ``_STEPSIZE``; with ``_2THETA`` before it, a position before each - of the axis that ``_DRIVE`` names,
which need not be 2θ.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._diffraction import Floats, axis_name, default_unit, number, scan_axis
from zairyo.readers._diffraction_scans import Scan, measurement
from zairyo.readers._diffraction_text import counted, listed, mapped, moment, rows
from zairyo.readers._legacy_text import decode_legacy

_MOST_BYTES = 512 * 1024**2
_BLOCK = re.compile(
    r"^[ \t]*_(?P<along>2THETA|THETA|KHI|CHI|PHI|X|Y|Z|TIME)?(?P<what>COUNTS|COUNT|CPS|INTENSITY)(?P<time>TIME)?"
    r"[ \t]*(?:=.*)?\r?$",
    re.M | re.I,
)
_KEY = re.compile(r"^[ \t]*_(\+?[^\s=]+)[ \t]*=[ \t]*(.*?)[ \t]*\r?$", re.M)
_POSITIONS = {
    "2THETA": "two_theta",
    "THETA": "omega",
    "KHI": "chi",
    "CHI": "chi",
    "PHI": "phi",
    "X": "x",
    "Y": "y",
    "Z": "z",
}
#: Drives whose names the common table does not have in this sense.
_DRIVES = {"": "two_theta", "COUPLED": "two_theta", "THETA": "omega"}
_CONDITIONS = {
    "ANODE": ("xray_source_element", None),
    "KV": ("xray_tube_voltage", "kV"),
    "MA": ("xray_tube_current", "mA"),
    "STEPTIME": ("time_per_step", "s"),
    "STEPMODE": ("scan_mode", None),
    "WL1": ("wavelength", "angstrom"),
    "WL2": ("wavelength_k_alpha_2", "angstrom"),
    "WL3": ("wavelength_k_beta", "angstrom"),
    "WLRATIO": ("k_alpha_ratio", ""),
    "GONIOMETER_RADIUS": ("goniometer_radius", "mm"),
    "TEMPERATURE": ("temperature", "degC"),
    "ROTATION": ("sample_mode", None),
    "DETECTOR": ("detector", None),
    "MONOCHROMATOR": ("monochromator", None),
}


def sniff(src: RawInput) -> float:
    head = src.text_head
    if b"_FILEVERSION" not in head[:8192].upper():  # the first line that is no comment
        return NO
    head = head.upper()
    return CERTAIN if b"_FILEVERSION" in head and b"_DRIVE" in head else NO


def read(src: RawInput) -> Measurement:
    text = decode_legacy(src.read_bytes(_MOST_BYTES))
    warnings: list[str] = []
    common, scans, lines, begin = dict[str, str](), list[Scan](), dict[str, str](), 0
    blocks = list(_BLOCK.finditer(text))
    for index, block in enumerate(blocks):
        head = text[begin : block.start()]
        found = {k.upper(): v.strip().strip("'\"") for k, v in _KEY.findall(head)}
        if not index:
            common = found
        lines = {k: v for k, v in common.items() if k not in ("START", "STEPSIZE")} | found
        end = blocks[index + 1].start() if index + 1 < len(blocks) else len(text)
        numbers, begin = _numbers(text, block.end(), end)
        scans.append(_scan(lines, block, numbers, f"range {index + 1}", warnings))
    if not text.endswith("\n"):
        warnings.append("The file does not end with a whole line; its last points may be cut off.")
    if not scans:
        raise ReadError("the file has a header and no numbers; it is cut off. Copy it again.")
    return measurement(
        scans,
        warnings,
        title=common.get("SAMPLE"),
        sample=common.get("SAMPLE"),
        operator=common.get("USER"),
        instrument=common.get("INSTRUMENT") or common.get("SITE"),
    )


def _numbers(text: str, begin: int, end: int) -> tuple[str, int]:
    """The numbers behind a block's line, up to the next comment or key, and where they end."""
    stop = re.compile(r"^[ \t]*[;_]", re.M).search(text, begin, end)
    until = stop.start() if stop else end
    return text[begin:until], until


def _has_decimal_commas(text: str, width: int) -> bool:
    """Whether commas are within the numbers of a row rather than between them."""
    first = next((line.split() for line in text.splitlines() if line.strip()), [])
    return "." not in text and len(first) == width and bool(re.fullmatch(r"-?\d+,\d+", first[0]))


def _scan(lines: dict[str, str], block: re.Match[str], text: str, what: str, warnings: list[str]) -> Scan:
    width = 1 if not block["along"] else 3 if block["time"] else 2
    if width > 1 and _has_decimal_commas(text, width):
        text = text.replace(",", ".")
    values = listed(text, what, warnings)
    drive = lines.get("DRIVE", "")
    axis = _DRIVES.get(drive.upper()) or axis_name(drive)
    start, step = number(lines.get("START", "")), number(lines.get("STEPSIZE", ""))
    if block["along"]:
        table = rows(values, width, what)
        positions, intensity = _unrounded(table[:, 0], start, step), table[:, 1]
    elif start is not None and step:
        intensity = values
        positions = np.asarray(start + step * np.arange(len(values)), np.float64)
    else:
        raise ReadError(f"{what} states neither _START and _STEPSIZE nor positions; its angles are not known")
    announced = number(lines.get("STEPCOUNT", ""))
    if announced and len(intensity) < announced:
        raise ReadError(
            f"{what}: {announced:g} points are announced and {len(intensity)} are there; the file is cut off. "
            "Copy it again."
        )
    fixed = {
        name: value
        for key, name in _POSITIONS.items()
        if name != axis and (value := number(lines.get(key, ""))) is not None
    }
    if axis == "two_theta" and drive.upper() in ("COUPLED", ""):
        fixed.pop("omega", None)  # where it began, not where it stood
    unit = {"COUNTS": "counts", "COUNT": "counts", "CPS": "count/s"}.get(block["what"].upper())
    conditions: dict[str, Any] = mapped(lines, _CONDITIONS)
    conditions["scan_axis"] = scan_axis("Locked Coupled" if drive.upper() == "COUPLED" else axis)
    return Scan(
        axis,
        positions,
        counted(intensity) if unit == "counts" else intensity,
        unit,
        fixed=fixed,
        units={axis: default_unit(axis)},
        conditions=conditions,
        metadata=lines,
        title=lines.get("SAMPLE", ""),
        started=moment(lines.get("DATEMEASURED", ""), warnings=warnings),
    )


def _unrounded(written: Floats, start: float | None, step: float | None) -> Floats:
    """Positions by start and step where those written are just these, rounded to four figures (100.0 twice or more)."""
    if start is None or not step:
        return written
    exact = np.asarray(start + step * np.arange(len(written)), np.float64)
    figures = 10.0 ** np.floor(np.log10(np.maximum(np.abs(exact), 1.0)))
    near = 0.51e-3 * figures + 0.5e-6 * np.arange(len(written))  # start and step have six decimals
    return exact if (np.abs(written - exact) <= near).all() else written


READER = Reader(
    name="bruker_uxd",
    version="5",
    techniques=("xrd",),
    vendor="Bruker",
    format="DIFFRAC text (.uxd)",
    endings=(".uxd",),
    sniff=sniff,
    read=read,
    notes="One or several ranges, counts or counts per second; ranges that step a further axis (pole figures) become "
    "one map.",
)
