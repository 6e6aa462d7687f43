"""WSxM (Nanotec): images ``.top``, ``.stp``, ``.ch1`` …, and curves ``.cur``.

A text header of sections, then the image as little-endian numbers, or the curve as columns of text. An image's
numbers are scaled so that its lowest and highest are "Z Amplitude" apart. Facts: Horcas et al., Rev. Sci. Instrum.
78, 013705 (2007), and the headers themselves.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, table, tidy_metadata, units
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError

_START = b"WSxM file copyright"
_END = b"[Header end]"
_NAMED = re.compile(r"([^\[\]\t]+)\[([^\]]*)\]")
_MOST_HEADER = 4 * 1024**2
_SIZE = re.compile(rb"Image header size:\s*(\d{1,9})")
_DTYPES = {"short": "<i2", "integer": "<i4", "long": "<i4", "float": "<f4", "double": "<f8"}
_KINDS = re.compile(rb"(SxM Image file|.* curve file|WSxM ASCII (?:Matrix|XYZ) file)", re.IGNORECASE)
_TECHNIQUES = {"afm": "afm", "stm": "stm"}
Header = dict[str, dict[str, str]]


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head.startswith(_START) and _KINDS.fullmatch(_kind(src.head)) else NO


def _kind(head: bytes) -> bytes:
    return [*head[:400].splitlines(), b"", b""][1].strip()


def read(src: RawInput) -> Measurement:
    data = src.read_bytes()
    kind = _kind(data).lower()
    warnings: list[str] = []
    if b"ascii" in kind:
        header, entry = (_matrix if b"matrix" in kind else _points)(data, warnings)
    else:
        end = data.find(_END, 0, _MOST_HEADER)
        if end < 0:
            raise ReadError(f"the header has no '[Header end]' among {len(data)} bytes; the file is cut off")
        header = _header(_spm.decode(data[:end]))
        entry = _curve(data[end + len(_END) :], header, kind, warnings) if b"curve" in kind else _image(
            data, end, header, warnings
        )  # fmt: skip
    return _spm.measurement(
        [entry],
        warnings,
        title=src.name,
        instrument="Nanotec",
        original_metadata=tidy_metadata(header),
    )


def _header(text: str) -> Header:
    """Section → key → value; what stands before the first section is under ''."""
    header: Header = {"": {}}
    section = ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            header.setdefault(section, {})
        else:
            key, colon, value = line.partition(":")
            if colon:
                header[section][key.strip()] = value.strip()
    return header


# --- images -------------------------------------------------------------------------------------------------


def _image(data: bytes, end: int, header: Header, warnings: list[str]) -> Entry:
    general = header.get("General Info", {})
    rows, columns = (_count(general, f"Number of {what}") for what in ("rows", "columns"))
    word = general.get("Image Data Type", "short").casefold()
    if word not in _DTYPES:
        raise ReadError(f"'Image Data Type' is {word!r}, which is unknown here; report this file")
    dtype = np.dtype(_DTYPES[word])
    size = rows * columns * dtype.itemsize
    stated = _SIZE.search(data, 0, end)
    start = int(stated[1]) if stated and int(stated[1]) > end else len(data) - size
    if start < end or start + size > len(data):
        raise ReadError(
            f"{columns} × {rows} numbers ({word}) should end at byte {max(start, end) + size}, but the file has "
            f"{len(data)}; it is cut off. Copy it again."
        )
    raw = np.frombuffer(data, dtype, rows * columns, start).reshape(rows, columns)
    return _image_entry(raw, header, warnings)


def _image_entry(raw: Any, header: Header, warnings: list[str]) -> Entry:
    general, control = header.get("General Info", {}), header.get("Control", {})
    channel = general.get("Acquisition channel", "Topography")
    values, unit = _scaled(raw, general.get("Z Amplitude", ""), channel, warnings)
    width, height = (_length(control.get(f"{a} Amplitude", ""), f"{a} Amplitude", warnings) for a in "XY")
    back = general.get("X scanning direction", "").casefold() == "backward"
    name = _spm.channel_name(channel) + ("_retrace" if back else "")
    y_length = height[0] or width[0]
    axes = (
        _spm.pixels("y", raw.shape[0], y_length, height[1] or width[1], downward=True),
        _spm.pixels("x", raw.shape[1], width[0], width[1]),
    )
    entry: Entry = _spm.made(
        "the image", Entry, "image", _TECHNIQUES.get(general.get("Head type", "").casefold(), "spm"), axes,
        (Signal(name, values, unit, ("y", "x"), channel),), title=channel + (" (back)" if back else ""),
        conditions=_conditions(header), started=_started(general.get("Acquisition time", "")),
    )  # fmt: skip
    return entry


def _count(general: dict[str, str], key: str) -> int:
    text = general.get(key, "")
    if not text.isdecimal() or not 0 < int(text) < 1_000_000:
        raise ReadError(f"{key!r} is {text!r} in the header, no count; the file is damaged")
    return int(text)


def _scaled(raw: Any, amplitude: str, channel: str, warnings: list[str]) -> tuple[Any, str | None]:
    """The numbers in the amplitude's unit: from the lowest to the highest it is the amplitude."""
    words = amplitude.split(None, 1)
    full = _spm.number(words[0]) if words else None
    finite = raw[np.isfinite(raw)]
    span = float(finite.max()) - float(finite.min()) if finite.size else 0.0
    if full is None or full <= 0:
        warnings.append(
            f"The header gives no 'Z Amplitude', so {channel} stays in the numbers that are stored."
        )
        return raw, None
    unit = _spm.known_unit(words[1] if len(words) > 1 else "", channel, warnings)
    if span <= 0:
        return raw, unit if raw.dtype.kind == "f" else None
    factor = full / span
    # Doubles are stored in the unit already; the header's few digits would only blur them.
    if raw.dtype.kind == "f" and abs(factor - 1) < 1e-4:
        return raw, unit
    return raw * factor, unit


def _length(text: str, what: str, warnings: list[str]) -> tuple[float, str | None]:
    words = text.split(None, 1)
    value = _spm.number(words[0]) if words else None
    if value is None or value <= 0:
        return 0.0, None
    return value, _spm.known_unit(words[1] if len(words) > 1 else "", what, warnings)


def _matrix(data: bytes, warnings: list[str]) -> tuple[Header, Entry]:
    """ "WSxM ASCII Matrix file": lengths, then the image as text, in the unit of its amplitude."""
    lines = _spm.decode(data).splitlines()
    first = next((i for i, line in enumerate(lines) if i > 1 and _row(line)), len(lines))
    header = _header("\n".join(lines[:first]))
    flat = header[""]
    header["Control"] = {k: v for k, v in flat.items() if k in ("X Amplitude", "Y Amplitude")}
    rows = [_row(line) for line in lines[first:] if line.strip()]
    if not rows or any(len(r) != len(rows[0]) for r in rows):
        raise ReadError(f"the rows below line {first} have different lengths; the file is cut off or damaged")
    amplitude = flat.get("Z Amplitude", "")
    unit = [*amplitude.split(None, 1), "", ""][1]
    header["General Info"] = {"Acquisition channel": "Topography"} if units.same_dimension(unit, "m") else {
        "Acquisition channel": "Image"
    }  # fmt: skip
    header["General Info"]["Z Amplitude"] = amplitude
    return header, _image_entry(np.array(rows), header, warnings)


def _points(data: bytes, warnings: list[str]) -> tuple[Header, Entry]:
    """ "WSxM ASCII XYZ file": a line of names with units, then a place and its height a line."""
    lines = _spm.decode(data).splitlines()
    names = [
        (m[1].strip(), _spm.known_unit(m[2], m[1], warnings))
        for m in _NAMED.finditer(next((text for text in lines[2:] if text.strip()), ""))
    ]
    rows = [row for text in lines[2:] if (row := _row(text))]
    if len(names) != 3 or not rows or any(len(row) != 3 for row in rows):
        raise ReadError("the file should have three columns with units, X, Y and Z; it is cut off or damaged")
    x, y, z = np.array(rows).T
    (across, column), (up, line) = np.unique(x, return_inverse=True), np.unique(y, return_inverse=True)
    name = "height" if units.same_dimension(names[2][1] or "", "m") else "value"
    if len(across) * len(up) != len(z) or len(np.unique(line * len(across) + column)) != len(z):
        columns = [Signal(n, v, u) for n, v, (_, u) in zip(("x", "y", name), (x, y, z), names, strict=True)]
        return {}, _spm.made("the points", table, "points", "spm", columns, x="x", default=name)
    values = np.empty((len(up), len(across)))
    values[line, column] = z
    axes = (Axis("y", up, names[1][1]), Axis("x", across, names[0][1]))
    signal = Signal(name, values, names[2][1], ("y", "x"))
    return {}, _spm.made("the image", Entry, "image", "spm", axes, (signal,), title=names[2][0])


def _row(line: str) -> list[float]:
    """The numbers of a line; none if it holds anything else."""
    try:
        return [float(w) for w in line.split()]
    except ValueError:
        return []


# --- curves -------------------------------------------------------------------------------------------------


def _curve(body: bytes, header: Header, kind: bytes, warnings: list[str]) -> Entry:
    """Pairs of columns (x, y), a pair a line of the plot."""
    rows = [_row(line) for line in _spm.decode(body).splitlines() if line.strip()]
    if not rows or not rows[0] or len(rows[0]) < 2 or any(len(r) != len(rows[0]) for r in rows):
        raise ReadError(
            "the columns below '[Header end]' have different lengths; the file is cut off or damaged"
        )
    stated = header.get("General Info", {}).get("Number of points", "")
    if stated.isdecimal() and int(stated) > len(rows):
        raise ReadError(
            f"the header announces {stated} points, but there are {len(rows)}; the file is cut off"
        )
    values = np.array(rows).T.copy()
    general = {**header.get("General Info", {}), **header.get("Miscellaneous", {})}
    labels = [_spm.fill(general, f"{a} axis text").split("[")[0].strip() or a.lower() for a in "XY"]
    found = [_spm.known_unit(_spm.fill(general, f"{a} axis unit"), f"the {a} axis", warnings) for a in "XY"]
    pairs = values.shape[0] % 2 == 0 and all(np.array_equal(values[0], v) for v in values[2::2])
    if values.shape[0] % 2 == 0 and not pairs:
        columns = [
            Signal(_spm.channel_name(labels[i % 2]), v, found[i % 2], (), labels[i % 2])
            for i, v in enumerate(values)
        ]
    else:
        kept = [values[0], *(values[1::2] if pairs else values[1:])]
        columns = [
            Signal(_spm.channel_name(labels[i > 0]), v, found[i > 0], (), labels[i > 0])
            for i, v in enumerate(kept)
        ]
    named = _spm.unique(columns)
    technique = "sts" if kind.startswith(b"iv") else "afm_force" if kind.startswith(b"fz") else "spm"
    entry: Entry = _spm.made(
        "the curve", table, "curve", technique, named, x=named[0].name, default=named[1].name,
        title=_spm.decode(kind).removesuffix(" file"), conditions=_conditions(header),
        started=_started(header.get("General Info", {}).get("Acquisition time", "")),
    )  # fmt: skip
    return entry


# --- conditions ---------------------------------------------------------------------------------------------


def _conditions(header: Header) -> dict[str, Quantity]:
    control, general = header.get("Control", {}), header.get("General Info", {})
    dynamic, feedback = header.get("Dynamic settings", {}), header.get("Feedback settings", {})
    misc = header.get("Miscellaneous", {})
    return _spm.told(
        scan_size_x=_spm.quantity(control.get("X Amplitude")),
        scan_size_y=_spm.quantity(control.get("Y Amplitude")),
        position_x=_spm.quantity(control.get("X Offset")),
        position_y=_spm.quantity(control.get("Y Offset")),
        position_z=_spm.quantity(control.get("Z Offset")),
        scan_angle=_spm.quantity(control.get("Angle") or control.get("Rotation"), "deg"),
        scan_rate=_spm.quantity(control.get("X-Frequency"), "Hz"),
        setpoint=_spm.quantity(control.get("Set Point")),
        bias_voltage=_spm.quantity(control.get("Topography Bias")),
        scan_direction=general.get("Y scanning direction", "").casefold() or None,
        spring_constant=_spm.quantity(general.get("Force constant"), "N/m"),
        proportional_gain=_spm.number(feedback.get("Proportional")),
        integral_gain=_spm.number(feedback.get("Integral")),
        imaging_mode=feedback.get("Input channel"),
        resonance_frequency=_spm.quantity(dynamic.get("Resonance frequency"), "Hz"),
        quality_factor=_spm.with_unit(_spm.number(dynamic.get("Quality factor (Q)")), ""),
        drive_amplitude=_spm.quantity(dynamic.get("Amplitude"), "V"),
        comment=misc.get("Comments"),
        software_version=misc.get("Acquired with version"),
    )


def _started(text: str) -> datetime | None:
    return _spm.moment(
        text, "%d/%m/%Y, %H:%M:%S.%f", "%d/%m/%Y, %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%y %H:%M:%S"
    )


READER = Reader(
    name="wsxm",
    version="2",
    techniques=("afm", "stm", "spm", "sts", "afm_force"),
    vendor="Nanotec",
    format="WSxM image and curve",
    endings=(".top", ".stp", ".ch1", ".ch2", ".ch3", ".cur", ".txt"),
    sniff=sniff,
    read=read,
    notes="Images of any channel with lengths in the file's units, matrices as text, and curves. Movies are not read.",
)
