"""JPK's curves and maps of curves → entries."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Quantity, Signal, table
from zairyo.readers._api import ReadError
from zairyo.readers._jpk_archive import Archive, Segment
from zairyo.readers._jpk_channels import Channel
from zairyo.readers._jpk_properties import Properties, moment, number

#: The height that the force is drawn along: the sensor's if there is one, else the piezo's.
_ALONG = ("height_measured", "height")
#: What the sensor's height is in software that has no "measuredHeight" yet.
_SENSORS = ("capacitiveSensorHeight", "strainGaugeHeight")
_DEFAULTS = ("force", "deflection")
_MOST_POINTS = 2**31
#: Beyond this a map's numbers are kept in single precision, and beyond the next not at all.
_SINGLE_FROM, _MOST_BYTES = 400 * 1024**2, 1024**3


# --- one curve ----------------------------------------------------------------------------------------------


def curve_entry(archive: Archive, folders: list[str]) -> Entry:
    """A single force curve as a table: all its segments one after the other, told apart by ``segment``."""
    segments = [archive.segment(folder) for folder in folders]
    points = sum(s.points for s in segments)
    if not points:
        raise ReadError("none of the curve's segments holds a number; the acquisition may have been stopped")
    names = _names(archive, segments)
    columns = [Signal("segment", _over_points(names, segments), None, long_name="Segment")]
    if "time" not in _channel_names(segments) and (time := _time(archive, segments)) is not None:
        columns.append(Signal("time", time, "s"))
    for vendor_name, channel in _channels(segments).items():
        values = np.full(points, np.nan)
        at = 0
        for segment in segments:
            if vendor_name in segment.channels:
                values[at : at + segment.points] = archive.values(segment, vendor_name)
            at += segment.points
        columns.append(Signal(channel.name, values, channel.unit, long_name=channel.title))
    columns = _one_name_each(columns)
    return table(
        "force_curve",
        "afm_force",
        columns,
        x=_first(columns, _ALONG),
        default=_first(columns, _DEFAULTS),
        title="Force curve: " + ", ".join(names),
        conditions=conditions(archive, segments),
        started=moment(archive.settings(segments[0]).get("time-stamp")),
    )


def _names(archive: Archive, segments: list[Segment]) -> list[str]:
    """``approach``, ``pause``, ``retract``; numbered where the same comes again."""
    seen: Counter[str] = Counter()
    names = []
    for segment in segments:
        style = archive.style(segment)
        seen[style] += 1
        names.append(style if seen[style] == 1 else f"{style}_{seen[style]}")
    return names


def _over_points(names: list[str], segments: Iterable[Segment]) -> NDArray[Any]:
    return np.repeat(names, [s.points for s in segments])


def _channels(segments: Iterable[Segment]) -> dict[str, Channel]:
    """Every channel that a segment has, by the vendor's name; the first segment that has it describes it."""
    found: dict[str, Channel] = {}
    for segment in segments:
        for name, channel in segment.channels.items():
            found.setdefault(name, channel)
    sensor = next((name for name in _SENSORS if name in found), "")
    if sensor and "measuredHeight" not in found:
        found[sensor] = replace(found[sensor], name="height_measured")
    return dict(sorted(found.items(), key=lambda item: item[1].name not in _DEFAULTS))


def _channel_names(segments: Iterable[Segment]) -> set[str]:
    return {channel.name for channel in _channels(segments).values()}


def _time(archive: Archive, segments: list[Segment]) -> NDArray[np.float64] | None:
    """Time since the curve began, from each segment's duration; None where one has none."""
    times, before = [], 0.0
    for segment in segments:
        duration = number(archive.settings(segment), "duration")
        if duration is None or duration < 0:
            return None
        times.append(before + (np.arange(segment.points) + 0.5) * (duration / max(segment.points, 1)))
        before += duration
    return np.concatenate(times)


def _one_name_each(columns: list[Signal]) -> list[Signal]:
    seen: dict[str, Signal] = {}
    for column in columns:
        seen.setdefault(column.name, column)
    return list(seen.values())


def _first(signals: Iterable[Signal], wanted: Iterable[str]) -> str:
    names = [s.name for s in signals if s.values.dtype.kind == "f"]
    return next((name for name in wanted if name in names), names[-1])


# --- conditions ---------------------------------------------------------------------------------------------


def conditions(archive: Archive, segments: list[Segment]) -> dict[str, Quantity]:
    """How the curve was taken: the cantilever's calibration, the ramp, the place."""
    found: dict[str, Quantity] = {}

    def add(name: str, value: float | None, unit: str) -> None:
        if value is not None:
            found.setdefault(name, Quantity(value, unit))

    slots = next((s.channels["vDeflection"].slots for s in segments if "vDeflection" in s.channels), {})
    add("spring_constant", slots.get("force"), "N/m")
    add("deflection_sensitivity", slots.get("distance"), "m/V")
    for segment in segments:
        own = archive.settings(segment)
        style = archive.style(segment)
        add(f"{style}_duration", number(own, "duration"), "s") if style in (
            "approach",
            "retract",
            "pause",
        ) else None
        add("setpoint", number(own, "settings.segment-settings.setpoint"), "V")
        start, end = (number(own, f"settings.segment-settings.z-{at}") for at in ("start", "end"))
        if start is not None and end is not None and start != end:
            add("curve_length", abs(start - end), "m")
        if mode := own.get("settings.feedback-mode.name"):
            found.setdefault("imaging_mode", Quantity(mode))
    for axis in "xy":
        add(f"position_{axis}", _ending(archive.header, f"series.header.position.{axis}"), "m")
    found.update(description(archive.header))
    return found


def description(header: Properties) -> dict[str, Quantity]:
    """What the operator wrote down."""
    found = {}
    for name, key in (("probe", "probe"), ("comment", "comment"), ("software_version", "source-software")):
        text = written(header, key)
        if text:
            found[name] = Quantity(text)
    return found


def written(header: Properties, key: str) -> str:
    """A field of the file's description; empty if nothing was entered."""
    text = next(
        (v for k, v in header.items() if k.count(".") == 2 and k.endswith(f".description.{key}")), ""
    ).strip()
    return "" if text.startswith("no ") and text.endswith(" entry") else text


def _ending(properties: Properties, ending: str) -> float | None:
    key = next((k for k in properties if k.endswith(ending)), "")
    return number(properties, key)


# --- maps ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grid:
    """Where a map's curves were taken: the centre and lengths in metres, the counts, how lines run."""

    x: float
    y: float
    width: float
    height: float
    columns: int
    rows: int
    angle_rad: float
    back_and_forth: bool
    reflect: bool

    def places(self, index: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and column of each curve by its number."""
        row, column = np.divmod(index, self.columns)
        if self.back_and_forth:
            column = np.where(row % 2, self.columns - 1 - column, column)
        return row, column

    def axes(self) -> tuple[Axis, Axis]:
        """y and x; for a turned grid along its own sides, from its centre."""
        x0, y0 = (0.0, 0.0) if self.angle_rad else (self.x, self.y)
        x = x0 + ((np.arange(self.columns) + 0.5) / self.columns - 0.5) * self.width
        y = ((np.arange(self.rows) + 0.5) / self.rows - 0.5) * self.height
        return Axis("y", y0 + (-y if self.reflect else y), "m"), Axis("x", x, "m")


def find_grid(header: Properties) -> Grid | None:
    """The map's grid from its header; None if it has none or it makes no sense."""
    root = next(
        (k[: -len("grid.xcenter")] for k in header if k.endswith("position-pattern.grid.xcenter")), ""
    )
    names = ("xcenter", "ycenter", "ulength", "vlength", "ilength", "jlength", "theta")
    values = [number(header, f"{root}grid.{name}") for name in names]
    if not root or any(v is None for v in values[:6]):
        return None
    x, y, width, height, columns, rows, angle = (v or 0.0 for v in values)
    if not (0 < columns < 1e6 and 0 < rows < 1e6 and width > 0 and height > 0):
        return None
    return Grid(
        x, y, width, height, int(columns), int(rows), angle,
        header.get(f"{root}back-and-forth") == "true", header.get(f"{root}grid.reflect") == "true",
    )  # fmt: skip


def map_entry(archive: Archive, curves: dict[int, list[str]]) -> Entry:
    """A map of force curves: over (y, x, point) if every place has one, else over (curve, point)."""
    index = np.array(list(curves), np.int64)
    grid = find_grid(archive.header)
    segments = [[archive.segment(folder) for folder in folders] for folders in curves.values()]
    lengths = _lengths(segments)
    points = int(lengths.sum())
    if not points:
        raise ReadError("none of the map's curves holds a number; the acquisition may have been stopped")
    full = grid is not None and len(index) == grid.columns * grid.rows and index[-1] == len(index) - 1
    channels = _channels(s for curve in segments for s in curve)
    arrays = _fill(archive, segments, lengths, channels)
    longest = max(segments, key=len)
    names = _names(archive, longest)
    told = conditions(archive, segments[0]) | _map_conditions(grid)
    if grid is not None and full:
        row, column = grid.places(index)
        order = np.argsort(row * grid.columns + column)
        axes: tuple[Axis, ...] = grid.axes()
        shape: tuple[int, ...] = (grid.rows, grid.columns, points)
        arrays = {n: (a if (order == index).all() else a[order]).reshape(shape) for n, a in arrays.items()}
        over: tuple[str, ...] = ("y", "x", "point")
        extra: list[Signal] = []
    else:
        axes, over = (Axis("curve", index),), ("curve", "point")
        extra = _positions(archive, list(curves))
        whole = f" of {grid.columns} × {grid.rows}" if grid else ""
        archive.warnings.append(f"The map is not complete: {len(index)}{whole} curves are in the file.")
    for array in arrays.values():
        array.flags.writeable = False
    signals = [
        Signal(channels[n].name, a, channels[n].unit, over, channels[n].title) for n, a in arrays.items()
    ]
    signals.append(Signal("segment", np.repeat(names, lengths), None, ("point",)))
    signals = _one_name_each(signals + extra)
    return Entry(
        "force_map",
        "afm_force",
        (*axes, Axis("point", np.arange(points))),
        tuple(signals),
        _first(signals, _DEFAULTS),
        title=f"Map of {len(index)} force curves",
        conditions=told,
        started=moment(next((v for k, v in archive.header.items() if k.endswith("map.start-time")), None)),
    )


def _lengths(segments: list[list[Segment]]) -> NDArray[np.int64]:
    """Points of the longest first, second … segment among all curves."""
    most = max(len(curve) for curve in segments)
    lengths = np.zeros((len(segments), most), np.int64)
    for i, curve in enumerate(segments):
        lengths[i, : len(curve)] = [s.points for s in curve]
    longest: NDArray[np.int64] = lengths.max(axis=0)
    return longest


def _fill(
    archive: Archive, segments: list[list[Segment]], lengths: NDArray[np.int64], channels: dict[str, Channel]
) -> dict[str, NDArray[Any]]:
    """Every channel, shape (curves, points): each segment begins at its place, NaN where it was shorter."""
    points = int(lengths.sum())
    count = len(segments) * points * len(channels)
    dtype = np.float64 if count * 8 <= _SINGLE_FROM else np.float32
    if count * np.dtype(dtype).itemsize > _MOST_BYTES:
        raise ReadError(
            f"the map has {len(segments)} curves of {points} points in {len(channels)} channels, "
            f"{count / 2**28:.1f} GiB; that is more than can be read at once. Export a part of the map."
        )
    if dtype is np.float32:
        archive.warnings.append("The map is large: its numbers are kept in single precision (7 digits).")
    starts = np.concatenate(([0], np.cumsum(lengths)))
    arrays = {name: np.full((len(segments), points), np.nan, dtype) for name in channels}
    uneven = False
    for i, curve in enumerate(segments):
        for j, segment in enumerate(curve):
            uneven |= segment.points != lengths[j]
            for name in segment.channels:
                arrays[name][i, starts[j] : starts[j] + segment.points] = archive.values(segment, name)
    if uneven:
        archive.warnings.append(
            "The curves differ in length; each segment is filled up with gaps to the longest one."
        )
    return arrays


def _positions(archive: Archive, curves: list[int]) -> list[Signal]:
    """Where each curve was taken, from its own header."""
    headers = [archive.properties(f"index/{i}/header.properties") if f"index/{i}/header.properties" in archive.names
               else {} for i in curves]  # fmt: skip
    signals = []
    for axis in "xy":
        values = np.array([_ending(h, f"series.header.position.{axis}") for h in headers], float)
        if np.isfinite(values).any():
            signals.append(Signal(axis, values, "m", ("curve",)))
    return signals


def _map_conditions(grid: Grid | None) -> dict[str, Quantity]:
    if grid is None:
        return {}
    found = {"scan_size_x": Quantity(grid.width, "m"), "scan_size_y": Quantity(grid.height, "m")}
    found |= {"position_x": Quantity(grid.x, "m"), "position_y": Quantity(grid.y, "m")}
    if grid.angle_rad:
        found["scan_angle"] = Quantity(math.degrees(grid.angle_rad), "deg")
    return found
