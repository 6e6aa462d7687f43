"""Rigaku text export ``.asc`` (RINT, MiniFlex, Ultima; also Rigaku's converter): ``*KEY = value`` and counts.

Groups of settings (``*BEGIN`` … ``*END``) each hold a run of intensities from ``*START`` in steps of ``*STEP``.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._diffraction import axis_name, number, scan_axis, unit
from zairyo.readers._diffraction_scans import Scan, measurement
from zairyo.readers._diffraction_text import listed, mapped, moment
from zairyo.readers._legacy_text import decode_legacy

_MOST_BYTES = 512 * 1024**2
_KEY = re.compile(r"^\*([A-Z][A-Z0-9_]*)[ \t]*(?:=[ \t]*(.*?))?[ \t]*\r?$", re.M)
_CONDITIONS = {
    "TARGET": ("xray_source_element", None),
    "KV": ("xray_tube_voltage", "kV"),
    "MA": ("xray_tube_current", "mA"),
    "WAVE_LENGTH1": ("wavelength", "angstrom"),
    "WAVE_LENGTH2": ("wavelength_k_alpha_2", "angstrom"),
    "MEAS_MODE": ("scan_mode", None),
    "FILTER": ("filter", None),
    "ATTACHMENT": ("incident_optics", None),
}
#: ``*SPEED_DIM`` without dots and blanks → what ``*SPEED`` is.
_SPEEDS = {
    "sec/step": ("time_per_step", "s"),
    "sec": ("time_per_step", "s"),
    "deg/min": ("scan_speed", "deg/min"),
}
_ELEMENTS = {"24": "Cr", "26": "Fe", "27": "Co", "29": "Cu", "42": "Mo", "47": "Ag", "74": "W"}


def sniff(src: RawInput) -> float:
    head = src.head
    return CERTAIN if head.lstrip().startswith(b"*TYPE") and b"*GROUP_COUNT" in head else NO


def read(src: RawInput) -> Measurement:
    text = decode_legacy(src.read_bytes(_MOST_BYTES))
    warnings: list[str] = []
    common: dict[str, str] = {}
    own: dict[str, str] | None = None
    scans: list[Scan] = []
    keys = list(_KEY.finditer(text))
    ended = False
    for index, key in enumerate(keys):
        name, value = key[1], (key[2] or "").strip()
        if name == "BEGIN":
            own, ended = {}, False
        elif name == "END":
            own, ended = None, True
        elif own is None:
            common[name] = value
        else:
            own[name] = value
        until = keys[index + 1].start() if index + 1 < len(keys) else len(text)
        if own is not None and text[key.end() : until].strip():
            scans.append(_scan(common | own, text[key.end() : until], f"group {len(scans) + 1}", warnings))
    announced = number(common.get("GROUP_COUNT", ""))
    if not scans or not ended or (announced and len(scans) < announced):
        raise ReadError(
            f"{common.get('GROUP_COUNT') or 'an unknown number of'} groups are announced and {len(scans)} are there, "
            f"the last {'whole' if ended else 'not whole'}; the file is cut off. Copy it again."
        )
    return measurement(
        scans,
        warnings,
        title=common.get("SAMPLE"),
        sample=common.get("SAMPLE"),
        operator=common.get("OPERATOR"),
        instrument=_name(common, "GONIO"),
        original_metadata=common,
    )


def _scan(lines: dict[str, str], text: str, what: str, warnings: list[str]) -> Scan:
    count = number(lines.get("COUNT", ""))
    intensity = listed(text, what, warnings, int(count) if count and 0 < count < 1e9 else None)
    start, stop, step = (number(lines.get(k, "")) for k in ("START", "STOP", "STEP"))
    if start is None or not step:
        raise ReadError(f"{what} states no *START and *STEP; its angles are not known")
    if stop is not None and abs(stop - start - step * (len(intensity) - 1)) > abs(step) * 0.6:
        warnings.append(f"{what}: {len(intensity)} points from {start:g} do not end at the stated {stop:g}.")
    told = mapped(lines, _CONDITIONS)
    target = lines.get("TARGET", "")
    if target in _ELEMENTS:
        told |= mapped({"TARGET": _ELEMENTS[target]}, {"TARGET": ("xray_source_element", None)})
    told |= mapped({"COUNTER": _name(lines, "COUNTER")}, {"COUNTER": ("detector", None)})
    told |= _speed(lines, what, warnings)
    drive = lines.get("SCAN_AXIS", "") or "2theta/theta"
    axis = axis_name(drive)
    return Scan(
        axis,
        np.asarray(start + step * np.arange(len(intensity)), np.float64),
        intensity,
        unit(lines.get("YUNIT")) or None,
        conditions=told | {"scan_axis": scan_axis(drive)},
        units={axis: unit(lines.get("XUNIT")) or "deg"},
        metadata=lines,
        title=lines.get("SAMPLE", ""),
        started=moment(lines.get("DATE", ""), warnings=warnings),
    )


def _speed(lines: dict[str, str], what: str, warnings: list[str]) -> dict[str, Quantity | None]:
    """``*SPEED``, as ``*SPEED_DIM`` says; where that is missing, of fixed times (FT) a time, else degrees a minute."""
    stated = lines.get("SPEED_DIM", "") or (
        "sec./step" if "FT" in lines.get("MEAS_MODE", "") else "deg./min."
    )
    known = _SPEEDS.get(re.sub(r"[\s.]", "", stated).lower())
    if known is None and lines.get("SPEED"):
        warnings.append(f"{what}: a speed in {stated!r} is not known; {lines['SPEED']} was left out.")
    return mapped(lines, {"SPEED": known}) if known else {}


def _name(lines: dict[str, str], key: str) -> str:
    """What a part is called; a number, such as a goniometer's radius, may follow its name or stand alone."""
    return re.sub(r"(\A|,)\s*[-\d.]*\Z", "", lines.get(key, ""))


READER = Reader(
    name="rigaku_asc",
    version="4",
    techniques=("xrd",),
    vendor="Rigaku",
    format="ASCII (.asc)",
    endings=(".asc",),
    sniff=sniff,
    read=read,
    notes="One or several groups, counts or counts per second.",
)
