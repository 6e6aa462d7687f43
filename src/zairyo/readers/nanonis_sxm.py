"""Nanonis scan images, ``.sxm``: every channel there and back.

A text header of ``:KEY:`` lines up to ``:SCANIT_END:``, then two bytes and one frame of big-endian floats a
channel and direction, in the order of the header's table. Facts: SPECS Zurich, "Nanonis file formats".
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Measurement, Signal, tidy_metadata
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError

_START, _END = b":NANONIS_VERSION:", b":SCANIT_END:"
_BEFORE_DATA = b"\x1a\x04"
_MOST_HEADER = 4 * 1024**2
_MOST_PIXELS = 100_000
_PASS = re.compile(r"\[(P\d+)\]\s*")


def sniff(src: RawInput) -> float:
    head = src.head[:4096]
    if not head.lstrip().startswith(_START):
        return NO
    return CERTAIN if b":SCANIT_TYPE:" in head else LIKELY


def read(src: RawInput) -> Measurement:
    data = src.read_bytes()
    end = data.find(_END, 0, _MOST_HEADER)
    start = data.find(_BEFORE_DATA, end, end + 64) if end >= 0 else -1
    if start < 0:
        raise ReadError(
            f"the header has no end (':SCANIT_END:') among its {len(data)} bytes; the file is cut off. Copy it again."
        )
    header = _header(_spm.decode(data[:end]))
    warnings: list[str] = []
    columns, rows = _shape(header)
    frames = _frames(header, warnings)
    values = _values(data, start + 2, len(frames), (rows, columns), header)
    size = [_spm.number(v) or 0.0 for v in header.get("SCAN_RANGE", "").split()] + [0.0, 0.0]
    # A scan that runs down begins with the uppermost line.
    downward = header.get("SCAN_DIR", "").strip() == "down"
    signals = []
    for (name, unit, back), frame in zip(frames, values, strict=True):
        passed = _PASS.match(name)  # of several passes over a line each has channels of its own
        own = (
            _spm.channel_name(name[passed.end() :]) + f"_{passed[1].lower()}"
            if passed
            else _spm.channel_name(name)
        )
        own += "_retrace" if back else ""
        # On the way back a line is recorded from right to left.
        signals.append(
            Signal(own, frame[:, ::-1] if back else frame, unit, ("y", "x"), f"{name}{' (back)' * back}")
        )
    axes = (
        _spm.pixels("y", rows, size[1], "m", downward=downward),
        _spm.pixels("x", columns, size[0], "m"),
    )
    entry: Entry = _spm.made(
        "the scan", Entry, "scan", _technique(header), axes, (named := _spm.unique(signals)),
        default=_spm.first_of(named, ("height", "current", "height_p1", "current_p1")),
        title="Scan " + ", ".join(dict.fromkeys(f[0] for f in frames)),
        conditions=_conditions(header, size), started=_started(header),
    )  # fmt: skip
    return _spm.measurement(
        [entry], warnings, title=src.name, instrument="Nanonis", original_metadata=tidy_metadata(header)
    )


def _header(text: str) -> dict[str, str]:
    """Key → its lines, as they are."""
    header: dict[str, str] = {}
    key = ""
    for line in text.splitlines():
        if line.startswith(":") and line.rstrip().endswith(":") and len(line.strip()) > 2:
            key = line.strip()[1:-1]
            header.setdefault(key, "")
        elif key:
            header[key] += ("\n" if header[key] else "") + line.strip()
    return header


def _shape(header: dict[str, str]) -> tuple[int, int]:
    words = header.get("SCAN_PIXELS", "").split()
    if len(words) != 2 or not all(w.isdecimal() and 0 < int(w) <= _MOST_PIXELS for w in words):
        raise ReadError(
            f"':SCAN_PIXELS:' gives {' '.join(words)!r}, no two counts of pixels; the file is damaged"
        )
    return int(words[0]), int(words[1])


def _table(text: str) -> list[dict[str, str]]:
    """A table of the header: names, then rows, between tabs."""
    lines = [line.split("\t") for line in text.splitlines() if line.strip()]
    return [dict(zip(lines[0], line, strict=False)) for line in lines[1:]] if lines else []


def _frames(header: dict[str, str], warnings: list[str]) -> list[tuple[str, str | None, bool]]:
    """(channel, unit, on the way back) of each frame, in the file's order."""
    frames: list[tuple[str, str | None, bool]] = []
    for row in _table(header.get("DATA_INFO", "")):
        name = row.get("Name", "channel").replace("_", " ").strip()
        unit = _spm.known_unit(row.get("Unit", ""), f"channel {name}", warnings)
        direction = row.get("Direction", "both").strip()
        frames += [
            (name, unit, back)
            for back in {"forward": [False], "backward": [True]}.get(direction, [False, True])
        ]
    if not frames:
        raise ReadError("':DATA_INFO:' names no channel; nothing was recorded, or the file is damaged")
    return frames


def _values(data: bytes, start: int, count: int, shape: tuple[int, int], header: dict[str, str]) -> Any:
    words = header.get("SCANIT_TYPE", "FLOAT MSBFIRST").split()
    if words[:1] not in (["FLOAT"], ["INT"]):
        raise ReadError(
            f"the numbers are stored as {' '.join(words)!r}, which is unknown here; report this file"
        )
    order = "<" if words[1:2] == ["LSBFIRST"] else ">"
    dtype = np.dtype(order + ("f4" if words[0] == "FLOAT" else "i4"))
    size = count * shape[0] * shape[1]
    if start + size * dtype.itemsize > len(data):
        raise ReadError(
            f"{count} frames of {shape[1]} × {shape[0]} pixels should end at byte {start + size * dtype.itemsize}, but "
            f"the file has {len(data)}; it is cut off. Copy it again."
        )
    return np.frombuffer(data, dtype, size, start).reshape(count, *shape)


def _technique(header: dict[str, str]) -> str:
    """What the height was held by says what it is: a current (STM) or a force."""
    by = _spm.fill(header, "Z-Controller>Controller name", "Z-CONTROLLER").casefold()
    if "current" in by:
        return "stm"
    if any(word in by for word in ("freq", "ampl", "phase", "defl", "df", "force")):
        return "afm"
    return "spm"


def _conditions(header: dict[str, str], size: list[float]) -> Any:
    controller = (_table(header.get("Z-CONTROLLER", "")) or [{}])[0]
    setpoint = _spm.quantity(controller.get("Setpoint"))
    offset = [_spm.number(v) for v in header.get("SCAN_OFFSET", "").split()] + [None, None]
    amplitude = _spm.number(header.get("Oscillation Control>Amplitude Setpoint (m)"))
    stm = _technique(header) == "stm"
    return _spm.told(
        scan_size_x=_spm.with_unit(size[0] or None, "m"),
        scan_size_y=_spm.with_unit(size[1] or None, "m"),
        position_x=_spm.with_unit(offset[0], "m"),
        position_y=_spm.with_unit(offset[1], "m"),
        scan_angle=_spm.with_unit(_spm.number(header.get("SCAN_ANGLE")), "deg"),
        scan_direction=header.get("SCAN_DIR"),
        scan_speed=_spm.with_unit(_spm.number(header.get("Scan>speed forw. (m/s)")), "m/s"),
        bias_voltage=_spm.with_unit(_spm.number(_spm.fill(header, "BIAS", "Bias>Bias (V)")), "V"),
        tunnelling_current=setpoint if stm and setpoint and setpoint.unit == "A" else None,
        setpoint=setpoint,
        feedback={"1": "on", "0": "off"}.get(controller.get("on", "").strip()),
        imaging_mode=controller.get("Name") or header.get("Z-Controller>Controller name"),
        drive_amplitude=None if stm else _spm.with_unit(amplitude, "m"),
        temperature=_spm.with_unit(_spm.number(header.get("REC_TEMP")), "K"),
        duration=_spm.with_unit(_spm.number(header.get("ACQ_TIME")), "s"),
        comment=header.get("COMMENT"),
        software_version=header.get("NanonisMain>SW Version"),
    )


def _started(header: dict[str, str]) -> datetime | None:
    when = f"{header.get('REC_DATE', '').strip()} {header.get('REC_TIME', '').strip()}"
    return _spm.moment(when, "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S")


READER = Reader(
    name="nanonis_sxm",
    version="2",
    techniques=("stm", "afm", "spm"),
    vendor="SPECS Nanonis",
    format="scan image (SXM)",
    endings=(".sxm",),
    sniff=sniff,
    read=read,
    notes="All channels, forward and backward; a line that was not scanned yet holds gaps.",
)
