"""Arrays of the standard form for a plot: a part of them, thinned without losing a peak, ready for JSON."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Signal
from zairyo.measurement.model import Array
from zairyo.server.api.schemas import ArrayBody, DataBody
from zairyo.server.objects import Objects

_CACHE_BYTES = 64 * 1024**2
#: Values of an image or of what is not thinned, at most, in one answer.
_MOST_VALUES = 4_000_000


class DataError(ValueError):
    """What was asked for cannot be given; ``field`` is the parameter."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Cache:
    """The standard forms last looked at, in memory: who zooms asks for the same file many times."""

    def __init__(self, objects: Objects, most_bytes: int = _CACHE_BYTES) -> None:
        self._objects = objects
        self._most = most_bytes
        self._kept: OrderedDict[str, tuple[Measurement, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, sha256: str) -> Measurement:
        """The measurement in this object, which was checked when it was made."""
        with self._lock:
            if sha256 in self._kept:
                self._kept.move_to_end(sha256)
                return self._kept[sha256][0]
        from zairyo.measurement import nexus  # h5py takes half a second; not at the server's start

        with self._objects.path(sha256) as path:
            measurement = nexus.read(path)
        size = sum(a.values.nbytes for e in measurement.entries for a in e.axes)
        size += sum(s.values.nbytes for e in measurement.entries for s in e.signals)
        with self._lock:
            self._kept[sha256] = (measurement, size)
            while len(self._kept) > 1 and sum(n for _, n in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
        return measurement


def extract(
    entry: Entry,
    names: list[str],
    *,
    points: int,
    within: tuple[float, float] | None = None,
    at: dict[str, int] | None = None,
    mean: str = "",
) -> DataBody:
    """The arrays named, all at the same positions.

    Parameters
    ----------
    entry
        Where they are from.
    names
        Of axes and signals; the first of one-dimensional ones is x.
    points
        One-dimensional arrays longer than this are thinned to about so many: of each stretch the smallest and
        the largest value of each array but x stay.
    within
        Interval of x, in its unit; only what is in it (one-dimensional data).
    at
        Axis → index; signals over these axes are taken there.
    mean
        An axis over which signals are averaged.
    """
    if not names:
        raise DataError("names", "Name at least one axis or signal.")
    parts: list[tuple[Axis | Signal, Array]] = []
    for name in names:
        try:
            part = entry[name]
        except KeyError as e:
            raise DataError("names", f"There is no {e.args[0]}.") from None
        parts.append((part, _at(part, entry, at or {}, mean) if isinstance(part, Signal) else part.values))
    total = max(values.size for _, values in parts)
    decimated = False
    if len({values.shape for _, values in parts}) == 1 and parts[0][1].ndim == 1:
        inside = _inside(*parts[0], within)
        keep = _thinned([values for _, values in parts[1:]], inside, points)
        decimated = len(keep) < len(inside)
        parts = [(part, values[keep]) for part, values in parts]
    if sum(values.size for _, values in parts) > _MOST_VALUES:
        raise DataError(
            "names", f"That is more than {_MOST_VALUES} values; take a slice, or download the file."
        )
    return DataBody(
        arrays=[_body(part, values) for part, values in parts], decimated=decimated, total_points=total
    )


def _at(signal: Signal, entry: Entry, at: dict[str, int], mean: str) -> Array:
    values, axes = signal.values, list(signal.axes)
    for axis, index in at.items():
        if axis not in {a.name for a in entry.axes}:
            raise DataError("slice", f"There is no axis {axis!r}.")
        if axis in axes:
            place = axes.index(axis)
            if not -values.shape[place] <= index < values.shape[place]:
                raise DataError(
                    "slice", f"{axis} has {values.shape[place]} positions; {index} is none of them."
                )
            values = values.take(index, axis=place)
            axes.pop(place)
    if mean:
        if mean not in {a.name for a in entry.axes}:
            raise DataError("mean", f"There is no axis {mean!r}.")
        if mean in axes:
            if values.dtype.kind not in "biufc":
                raise DataError("mean", f"{signal.name} is not of numbers.")
            values = values.mean(axis=axes.index(mean))
    return np.asarray(values)


def _inside(part: Axis | Signal, x: Array, within: tuple[float, float] | None) -> Array:
    """Positions where x is within the interval, in order."""
    if within is None:
        return np.arange(len(x))
    if x.dtype.kind not in "biuf":
        raise DataError("range", f"{part.name} is not of numbers; a range of it cannot be taken.")
    return np.flatnonzero((x >= within[0]) & (x <= within[1]))


def _thinned(curves: list[Array], inside: Array, points: int) -> Array:
    """About so many of the positions, in order: of each stretch where a curve is least and greatest."""
    if len(inside) <= points:
        return inside
    drawn = [real(values) for values in curves if values.dtype.kind in "biufc"] or [
        np.arange(inside[-1] + 1.0)
    ]
    stretches = max(points // (2 * len(drawn)), 1)
    size = -(-len(inside) // stretches)
    whole = len(inside) // size * size
    blocks, rest = inside[:whole].reshape(-1, size), inside[whole:][None, :]
    picked = [inside[[0, -1]]]
    for curve in drawn:
        picked += [_extremes(curve, blocks), _extremes(curve, rest)]
    return np.unique(np.concatenate(picked))


def _extremes(curve: Array, blocks: Array) -> Array:
    """Of each row of positions, those of the smallest and the largest value; NaN counts as neither."""
    if blocks.size == 0:
        return np.empty(0, int)
    values = curve[blocks]
    rows = np.arange(len(blocks))
    low = np.where(np.isnan(values), np.inf, values).argmin(axis=1)
    high = np.where(np.isnan(values), -np.inf, values).argmax(axis=1)
    return np.concatenate([blocks[rows, low], blocks[rows, high]])


def real(values: Array) -> Array:
    """As doubles; of complex numbers the real part, as spectroscopists draw them."""
    return np.asarray(values.real if values.dtype.kind == "c" else values, dtype=float)


def _body(part: Axis | Signal, values: Array) -> ArrayBody:
    body = ArrayBody(name=part.name, unit=part.unit, label=part.label, shape=list(values.shape), dtype="<f8")
    if values.dtype.kind == "U":
        body.dtype, body.values = "text", [str(v) for v in values.ravel()]
    elif values.dtype.kind == "M":
        milliseconds = values.astype("datetime64[ms]")
        numbers = np.where(np.isnat(milliseconds), np.nan, milliseconds.astype("int64").astype(float))
        body.dtype, body.data = "time", _packed(numbers)
    else:
        body.data = _packed(real(values))
    return body


def _packed(numbers: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers, dtype="<f8").tobytes()).decode()
