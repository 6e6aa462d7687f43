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

    def __init__(self, most_bytes: int = _CACHE_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[str, tuple[Measurement, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, objects: Objects, sha256: str) -> Measurement:
        """The measurement in this object, which was checked when it was made."""
        with self._lock:
            if sha256 in self._kept:
                self._kept.move_to_end(sha256)
                return self._kept[sha256][0]
        from zairyo.measurement import nexus  # h5py takes half a second; not at the server's start

        with objects.path(sha256) as path:
            measurement = nexus.read(path)
        size = sum(part.values.nbytes for e in measurement.entries for part in (*e.axes, *e.signals))
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
    lengths = {len(values) for _, values in parts if values.ndim == 1}
    total = max((values.size for _, values in parts), default=0)
    decimated = False
    if all(values.ndim == 1 for _, values in parts) and len(lengths) == 1:
        keep = _kept(parts, points, within)
        decimated = keep is not None and within is None and len(keep) < total
        if keep is not None:
            decimated = len(keep) < _inside(parts[0][1], within)
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


def _kept(
    parts: list[tuple[Axis | Signal, Array]], points: int, within: tuple[float, float] | None
) -> Array | None:
    """Positions that stay, in order; None if all do."""
    x = parts[0][1]
    keep = np.arange(len(x))
    if within is not None:
        if x.dtype.kind not in "biuf":
            raise DataError("range", f"{parts[0][0].name} is not of numbers; a range of it cannot be taken.")
        keep = keep[(x >= within[0]) & (x <= within[1])]
    if len(keep) <= points:
        return keep if within is not None else None
    curves = [real(values) for _, values in parts[1:] if values.dtype.kind in "biufc"] or [
        np.asarray(keep, float)
    ]
    stretches = max(points // (2 * len(curves)), 1)
    size = -(-len(keep) // stretches)
    picked = [keep[[0, -1]]]
    whole = len(keep) // size * size
    blocks = keep[:whole].reshape(-1, size)
    for curve in curves:
        picked += [_extremes(curve, blocks), _extremes(curve, keep[whole:][None, :])]
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


def _inside(x: Array, within: tuple[float, float] | None) -> int:
    return len(x) if within is None else int(((x >= within[0]) & (x <= within[1])).sum())


def real(values: Array) -> Array:
    """As doubles; of complex numbers the real part, as spectroscopists draw them."""
    return np.asarray(values.real if values.dtype.kind == "c" else values, dtype=float)


def _body(part: Axis | Signal, values: Array) -> ArrayBody:
    common = {"name": part.name, "unit": part.unit, "label": part.label, "shape": list(values.shape)}
    if values.dtype.kind == "U":
        return ArrayBody(**common, dtype="text", values=[str(v) for v in values.ravel()])
    if values.dtype.kind == "M":
        milliseconds = values.astype("datetime64[ms]")
        numbers = np.where(np.isnat(milliseconds), np.nan, milliseconds.astype("int64").astype(float))
        return ArrayBody(**common, dtype="time", data=_packed(numbers))
    return ArrayBody(**common, dtype="<f8", data=_packed(real(values)))


def _packed(numbers: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers, dtype="<f8").tobytes()).decode()
