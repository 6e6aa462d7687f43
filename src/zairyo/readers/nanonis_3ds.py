"""Nanonis grid spectroscopy, ``.3ds``: a curve in every channel at every point of a grid.

A text header of ``key="value"`` lines up to ``:HEADER_END:``, then for each point its parameters and its
channels as big-endian floats. Facts: SPECS Zurich, "Nanonis file formats".
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError

_END = b":HEADER_END:"
_MOST_HEADER = 1024**2
_MOST = 10**9
_UNIT = re.compile(r"(.*?)(?:\s*\(([^()]*)\))?")


def sniff(src: RawInput) -> float:
    head = src.head[:4096]
    return CERTAIN if head.startswith(b"Grid dim=") and b"Sweep Signal=" in head else NO


def read(src: RawInput) -> Measurement:
    data = src.read_bytes()
    end = data.find(_END, 0, _MOST_HEADER)
    if end < 0:
        raise ReadError(
            f"the header has no end (':HEADER_END:') among {len(data)} bytes; the file is cut off"
        )
    header = _header(_spm.decode(data[:end]))
    start = end + len(_END)
    start += 2 if data[start : start + 2] == b"\r\n" else 1
    warnings: list[str] = []
    columns, rows = _dimensions(header)
    points, fixed = _count(header, "Points"), _count(header, "# Parameters (4 byte)", least=0)
    names = [n for n in header.get("Channels", "").split(";") if n.strip()]
    if not names:
        raise ReadError("the header names no channel; the file is damaged")
    block = fixed + points * len(names)
    values = _values(data, start, columns * rows, block, warnings).reshape(rows, columns, block)
    parameters = values[..., :fixed]
    sweep = _sweep(header, parameters, points, warnings)
    signals = []
    for i, title in enumerate(names):
        plain, unit = _parts(title)
        own = np.ascontiguousarray(values[..., fixed + i * points : fixed + (i + 1) * points])
        signals.append(
            Signal(
                _signal_name(plain),
                own,
                _spm.known_unit(unit, title, warnings),
                ("y", "x", sweep.name),
                title,
            )
        )
    signals += _parameter_maps(header, parameters, warnings)
    settings = [_spm.number(v) or 0.0 for v in header.get("Grid settings", "").split(";")] + [0.0] * 5
    named = _spm.unique(signals)
    entry: Entry = _spm.made(
        "the grid", Entry, "grid", "sts" if sweep.name == "bias" else "spm",
        (_spm.pixels("y", rows, settings[3], "m"), _spm.pixels("x", columns, settings[2], "m"), sweep),
        named, default=_spm.first_of(named, ("current", "lock_in_1_x")),
        title=f"Grid of {columns} × {rows} spectra",
        conditions=_spm.told(
            position_x=Quantity(settings[0], "m"), position_y=Quantity(settings[1], "m"),
            scan_size_x=Quantity(settings[2], "m"), scan_size_y=Quantity(settings[3], "m"),
            scan_angle=Quantity(settings[4], "deg"), comment=header.get("Comment"),
        ),
        started=_spm.moment(header.get("Start time", ""), "%d.%m.%Y %H:%M:%S"),
    )  # fmt: skip
    return _spm.measurement(
        [entry],
        warnings,
        title=src.name,
        instrument="Nanonis",
        operator=header.get("User", ""),
        original_metadata=tidy_metadata(header),
    )


def _header(text: str) -> dict[str, str]:
    header: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            header[key.strip()] = value.strip().strip('"')
    return header


def _dimensions(header: dict[str, str]) -> tuple[int, int]:
    words = [w.strip() for w in header.get("Grid dim", "").split("x")]
    if len(words) != 2 or not all(w.isdecimal() and 0 < int(w) < 1e5 for w in words):
        raise ReadError(f"'Grid dim' is {header.get('Grid dim', '')!r}, no two counts; the file is damaged")
    return int(words[0]), int(words[1])


def _count(header: dict[str, str], key: str, least: int = 1) -> int:
    text = header.get(key, "")
    if not text.isdecimal() or not least <= int(text) < _MOST:
        raise ReadError(f"{key!r} is {text!r} in the header, no count; the file is damaged")
    return int(text)


def _values(data: bytes, start: int, count: int, block: int, warnings: list[str]) -> Any:
    """All points, shape (points, numbers of a point); gaps where the grid was stopped."""
    whole = (len(data) - start) // (4 * block)
    if whole < 1:
        raise ReadError(f"there is not one whole point among the {len(data)} bytes; the file is cut off")
    if whole >= count:
        return np.frombuffer(data, ">f4", count * block, start)
    if count > 16 * whole + 1024:  # no grid is set aside in full for a header that may be damaged
        raise ReadError(f"the file holds {whole} of {count} points; it is cut off. Copy it again.")
    warnings.append(
        f"The grid was not finished: {whole} of {count} points are in the file, the rest are gaps."
    )
    values = np.full((count, block), np.nan, np.float32)
    values[:whole] = np.frombuffer(data, ">f4", whole * block, start).reshape(whole, block)
    return values


def _parts(title: str) -> tuple[str, str]:
    match = _UNIT.fullmatch(title.strip())
    return (match[1], match[2] or "") if match else (title, "")


def _signal_name(plain: str) -> str:
    name, back, _ = plain.partition(" [bwd]")
    return _spm.channel_name(name) + ("_backward" if back else "")


def _sweep(header: dict[str, str], parameters: Any, points: int, warnings: list[str]) -> Axis:
    """What was swept: from the first point's start to its end."""
    plain, unit = _parts(header.get("Sweep Signal", ""))
    name = _spm.channel_name(plain or "sweep")
    segments = next((v for k, v in header.items() if k.startswith("Segment Start")), "")
    if segments or header.get("Filetype", "").upper() == "MLS":
        values = _of_segments(segments, points)
        if values is None:
            warnings.append("The sweep has segments that do not make up its points; the points are numbered.")
            return Axis("point", np.arange(points))
        return Axis(name, values, _spm.known_unit(unit, plain, warnings), plain)
    if parameters.shape[-1] >= 2:
        first, last = (float(v) for v in parameters[0, 0, :2])
        if np.isfinite([first, last]).all() and first != last:
            same = np.nanmax(np.abs(parameters[..., :2].astype(float) - [first, last])) <= 1e-6 * abs(
                last - first
            )
            if not same:
                warnings.append("The sweep is not the same at all points; the axis is the first point's.")
            return Axis(name, np.linspace(first, last, points), _spm.known_unit(unit, plain, warnings), plain)
    warnings.append("The header does not say from where to where was swept; the points are numbered.")
    return Axis("point", np.arange(points))


def _of_segments(text: str, points: int) -> NDArray[np.float64] | None:
    """A sweep of segments ``start,end,settling,integration,steps…;…``, whose joints count once or twice."""
    parts = []
    for segment in text.split(";"):
        words = [_spm.number(word) for word in segment.split(",")]
        if len(words) < 5 or None in words[:5] or not 0 < (words[4] or 0) <= points:
            return None
        parts.append(np.linspace(words[0] or 0.0, words[1] or 0.0, int(words[4] or 0)))
    once = np.concatenate([part[bool(i) :] for i, part in enumerate(parts)])
    return next((v for v in (once, np.concatenate(parts)) if len(v) == points), None)


def _parameter_maps(header: dict[str, str], parameters: Any, warnings: list[str]) -> list[Signal]:
    """What was recorded once a point: position, height."""
    titles = [
        t
        for key in ("Fixed parameters", "Experiment parameters")
        for t in header.get(key, "").split(";")
        if t
    ]
    maps = []
    for i, title in enumerate(titles[: parameters.shape[-1]]):
        plain, unit = _parts(title)
        own = np.ascontiguousarray(parameters[..., i])
        if np.isfinite(own).any():
            name = {"x": "position_x", "y": "position_y"}.get(plain.casefold(), _spm.channel_name(plain))
            maps.append(Signal(name, own, _spm.known_unit(unit, title, warnings), ("y", "x"), title))
    return maps


READER = Reader(
    name="nanonis_3ds",
    version="2",
    techniques=("sts", "spm"),
    vendor="SPECS Nanonis",
    format="grid spectroscopy (3DS)",
    endings=(".3ds",),
    sniff=sniff,
    read=read,
    notes="Grids of spectra over (y, x, sweep), the parameters of each point as maps; grids that were stopped too.",
)
