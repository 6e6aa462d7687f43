"""AFM Workshop force-distance curves: one ``.csv`` a curve, a zip of them for a map.

A header of ``name:	value`` lines, then the columns of approach ("Extend") and retract side by side.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, table, tidy_metadata
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError

_START = "Force-Distance Curve"
_TITLE = re.compile(r"(Extend|Retract)\s+(.+?)\s*\(([^()]*)\)")
_SEGMENTS = {"Extend": "approach", "Retract": "retract"}
_NAMES = {"Z-Sense": "height_measured", "Force": "force", "T-B": "deflection", "L-R": "lateral_deflection"}
_ORDER = ("force", "deflection")


@dataclass(frozen=True)
class Curve:
    """One curve: its header, and each channel's values by (segment, name)."""

    name: str
    header: dict[str, str]
    units: dict[str, str | None]
    titles: dict[str, str]
    values: dict[tuple[str, str], NDArray[np.float64]]

    def points(self, segment: str) -> int:
        return max((len(v) for (s, _), v in self.values.items() if s == segment), default=0)

    def place(self, axis: str) -> float | None:
        return _spm.number(self.header.get(f"{axis}, um"))


def sniff(src: RawInput) -> float:
    head = _spm.first_lines(src).removeprefix(b"\xef\xbb\xbf")
    return CERTAIN if head.startswith(_START.encode()) and b"Extend " in head[:8000] else NO


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    curves = [_parse(name, _spm.decode(data), warnings) for name, data in _spm.contents(src, (".csv",))]
    entry = _curve_entry(curves[0]) if len(curves) == 1 else _map_entry(curves, warnings)
    metadata = curves[0].header if len(curves) == 1 else {c.name: c.header for c in curves}
    return _spm.measurement(
        [entry],
        warnings,
        title=src.name,
        instrument="AFM Workshop",
        original_metadata=tidy_metadata(metadata),
    )


def _parse(name: str, text: str, warnings: list[str]) -> Curve:
    lines = text.splitlines()
    if not lines or not lines[0].startswith(_START):
        raise ReadError(f"{name} does not begin with {_START!r}; it is no AFM Workshop curve")
    first = next((i for i, line in enumerate(lines[:500]) if line.startswith(("Extend ", "Retract "))), -1)
    if first < 0:
        raise ReadError(
            f"{name} has no line of column titles ('Extend …'); it is cut off or was never filled"
        )
    header = {}
    for line in lines[1:first]:
        key, colon, value = line.partition(":")
        if colon:
            header[key.strip()] = value.strip()
    matches = [_TITLE.fullmatch(t.strip()) for t in lines[first].split(",")]
    units, titles = {}, {}
    columns: list[tuple[str, str] | None] = []
    for match in matches:
        if match is None:
            columns.append(None)
            continue
        channel = _NAMES.get(match[2]) or _spm.channel_name(match[2])
        columns.append((_SEGMENTS[match[1]], channel))
        titles[channel] = match[2]
        units[channel] = _spm.known_unit(match[3], match[2], warnings)
    values = _numbers(lines[first + 1 :], len(matches), first + 2, name)
    found = {c: _without_end(v) for c, v in zip(columns, values, strict=True) if c is not None}
    if not found or not any(len(v) for v in found.values()):
        raise ReadError(f"{name} has no numbers below line {first + 1}; it is cut off or was never filled")
    return Curve(name, header, units, titles, found)


def _numbers(lines: list[str], width: int, first_line: int, name: str) -> NDArray[np.float64]:
    """The table, shape (columns, rows): gaps where a cell is empty, as the shorter segment's last ones are."""
    lines = list(filter(str.strip, lines))
    if lines and not lines[-1].endswith(","):  # the shorter segment's last cells are empty
        try:
            table = np.loadtxt(lines, comments=None, delimiter=",", ndmin=2)
        except ValueError:
            pass  # not a number, or not the same number of cells, in every row
        else:
            if table.shape == (len(lines), width):
                return np.ascontiguousarray(table.T)
    is_even = {line.count(",") for line in lines} <= {width - 1}
    for i, line in enumerate(lines if not is_even else ()):
        if line.count(",") != width - 1:
            raise ReadError(
                f"line {first_line + i} of {name} has {line.count(',') + 1} values for {width} columns; it is cut off "
                "or damaged"
            )
    cells = ",".join(lines).split(",") if lines else []
    try:
        values = _spm.floats(cells)
    except ValueError:
        values = np.array([_spm.number(cell) for cell in cells], float)
    return values.reshape(len(lines), width).T.copy()


def _without_end(values: NDArray[np.float64]) -> NDArray[np.float64]:
    held = np.flatnonzero(np.isfinite(values))
    return values[: held[-1] + 1] if held.size else values[:0]


def _curve_entry(curve: Curve) -> Entry:
    """Approach, then retract, as a table."""
    segments = [s for s in _SEGMENTS.values() if curve.points(s)]
    lengths = [curve.points(s) for s in segments]
    columns = [Signal("segment", np.repeat(segments, lengths), None)]
    columns += [
        Signal(channel, np.concatenate([_filled(curve, s, channel, n) for s, n in zip(segments, lengths, strict=True)]),
               curve.units[channel], long_name=title)
        for channel, title in curve.titles.items()
    ]  # fmt: skip
    named = _spm.unique(columns)
    names = [s.name for s in named[1:]]
    entry: Entry = _spm.made(
        "the curve", table, "force_curve", "afm_force", named,
        x="height_measured" if "height_measured" in names else names[0], default=_spm.first_of(named[1:], _ORDER),
        title="Force curve: " + ", ".join(segments), conditions=_conditions(curve), started=_started(curve),
    )  # fmt: skip
    return entry


def _filled(curve: Curve, segment: str, channel: str, points: int) -> NDArray[np.float64]:
    values = curve.values.get((segment, channel), np.empty(0))
    return np.concatenate([values, np.full(points - len(values), np.nan)])


def _map_entry(curves: list[Curve], warnings: list[str]) -> Entry:
    """All curves over (y, x, point) if they stand on a grid, else over (curve, point)."""
    segments = [s for s in _SEGMENTS.values() if any(c.points(s) for c in curves)]
    lengths = [max(c.points(s) for c in curves) for s in segments]
    if any(c.points(s) != n for c in curves for s, n in zip(segments, lengths, strict=True)):
        warnings.append(
            "The curves differ in length; each segment is filled up with gaps to the longest one."
        )
    channels = list(dict.fromkeys(ch for c in curves for ch in c.titles))
    first = {ch: next(c for c in curves if ch in c.titles) for ch in channels}
    parts = list(zip(segments, lengths, strict=True))
    arrays = {
        ch: np.array([np.concatenate([_filled(c, s, ch, n) for s, n in parts]) for c in curves])
        for ch in channels
    }
    axes, over, order, places = _places(curves, warnings)
    shape = [len(axis.values) for axis in axes]
    signals = [
        Signal(
            ch,
            a[order].reshape(*shape, a.shape[1]),
            first[ch].units[ch],
            (*over, "point"),
            first[ch].titles[ch],
        )
        for ch, a in arrays.items()
    ]
    signals.append(Signal("segment", np.repeat(segments, lengths), None, ("point",)))
    entry: Entry = _spm.made(
        "the map", Entry, "force_map", "afm_force", (*axes, Axis("point", np.arange(sum(lengths)))),
        (*signals, *places),
        default=_spm.first_of(signals, _ORDER), title=f"Map of {len(curves)} force curves",
        conditions={k: v for k, v in _conditions(curves[0]).items() if not k.startswith("position")},
        started=_started(curves[0]),
    )  # fmt: skip
    return entry


def _places(
    curves: list[Curve], warnings: list[str]
) -> tuple[tuple[Axis, ...], tuple[str, ...], NDArray[np.int64], list[Signal]]:
    """The axes of the places, the order of the curves on them, and the places themselves if they are no grid."""
    x, y = (np.array([c.place(a) for c in curves], float) for a in "XY")
    everywhere = np.arange(len(curves))
    if np.isfinite(x).all() and np.isfinite(y).all():
        columns, rows = np.unique(x), np.unique(y)
        if len(columns) * len(rows) == len(curves) and len(np.unique(np.column_stack([x, y]), axis=0)) == len(
            curves
        ):
            return (Axis("y", rows, "um"), Axis("x", columns, "um")), ("y", "x"), np.lexsort((x, y)), []
    warnings.append("The curves of the map do not stand on a full grid; they are numbered.")
    places = [Signal(n, v, "um", ("curve",)) for n, v in (("x", x), ("y", y)) if np.isfinite(v).any()]
    return (Axis("curve", everywhere),), ("curve",), everywhere, places


def _conditions(curve: Curve) -> dict[str, Quantity]:
    def value(key: str, unit: str) -> Quantity | None:
        return _spm.with_unit(_spm.number(curve.header.get(key)), unit)

    gain = _spm.number(curve.header.get("Light Lever Gain, mV/nm"))
    return _spm.told(
        spring_constant=value("Force Constant, nN/nm", "N/m"),
        deflection_sensitivity=Quantity(1 / gain, "nm/mV") if gain else None,
        approach_speed=value("Z Rate, nm/s", "nm/s"),
        curve_length=value("Z Extend, nm", "nm"),
        pause_duration=value("Hold Time, s", "s") if curve.header.get("Hold at Surface") == "Yes" else None,
        setpoint=value("T-B Reverse Trigger Value, mV", "mV"),
        position_x=value("X, um", "um"),
        position_y=value("Y, um", "um"),
        software_version=curve.header.get("Software Version"),
    )


def _started(curve: Curve) -> datetime | None:
    when = f"{curve.header.get('Date', '')} {curve.header.get('Time', '')}"
    return _spm.moment(
        when, "%A, %B %d, %Y %I:%M:%S %p", "%d %B %Y %H:%M:%S", "%A, %B %d, %Y %H:%M:%S", "%d %B %Y %I:%M:%S %p",
        "%Y-%m-%d %H:%M:%S",
    )  # fmt: skip


READER = Reader(
    name="afm_workshop",
    version="1",
    techniques=("afm_force",),
    vendor="AFM Workshop",
    format="force-distance curve (CSV)",
    endings=(".csv", ".zip"),
    sniff=sniff,
    read=read,
    notes="Curves in newtons or in the detector's volts as the file has them; a zip of curves is a map.",
)
