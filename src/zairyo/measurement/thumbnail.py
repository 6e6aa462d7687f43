"""The default plot as a few hundred bytes of SVG path data, for lists of measurements."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement.arrays import Array
from zairyo.measurement.model import Entry, Signal
from zairyo.measurement.techniques import TECHNIQUES

WIDTH, HEIGHT = 120, 48
_BUCKETS = 90  # two points each, about 9 characters a point
_MOST_AVERAGED = 2_000_000  # values of a map looked at
_TENTHS = [f"{i / 10:g}" for i in range(10 * WIDTH + 1)]

Floats = NDArray[np.float64]


def thumbnail(entry: Entry) -> str:
    """SVG path data (``M x y x y …``) of the default plot in a box of 120 × 48, y downwards.

    A curve is thinned to the least and the greatest value of each of 90 runs of points, so that no peak is
    lost. Of a map the mean spectrum along the fastest axis is drawn: it tells most in so small a box. Of
    complex values the magnitude is drawn. Empty where there is nothing to draw (text, a single value).
    """
    curve = default_curve(entry)
    if curve is None:
        return ""
    x, y = thin(*curve, _BUCKETS)
    left = _scaled(x, WIDTH)
    if is_reversed(entry, along(entry, entry.signal)):
        left = 10 * WIDTH - left
    down = 10 * HEIGHT - _scaled(y, HEIGHT)
    moves = np.flatnonzero((np.diff(left, prepend=-1) != 0) | (np.diff(down, prepend=-1) != 0))
    pairs = zip(left[moves].tolist(), down[moves].tolist(), strict=True)
    return "M" + " ".join([f"{_TENTHS[a]} {_TENTHS[b]}" for a, b in pairs])


def default_curve(entry: Entry) -> tuple[Floats, Floats] | None:
    """The default plot as one curve of finite points, in the order measured; None if it has fewer than two.

    Returns
    -------
    x, y
        Shape ``(n,)``. ``x`` are row numbers where the axis cannot be drawn (text) or is missing.
    """
    signal = entry.signal
    if signal.values.ndim == 0 or signal.values.size < 2:
        return None
    y = numbers(mean_spectrum(signal.values))
    x = numbers(entry[along(entry, signal)].values)
    if y is None:
        return None
    if x is None:
        x = np.arange(len(y), dtype=float)
    if not np.isfinite(x).all():
        x, y = x[finite := np.isfinite(x)], y[finite]
    if not np.isfinite(y).all():
        x, y = x[finite := np.isfinite(y)], y[finite]
    return (x, y) if len(y) > 1 else None


def mean_spectrum(values: Array) -> Array:
    """The mean over all axes but the last, of at most two million values evenly taken."""
    if values.ndim == 1:
        return values
    spectra = numbers(values.reshape(-1, values.shape[-1])[:: max(1, values.size // _MOST_AVERAGED)])
    if spectra is None:
        first: Array = values.reshape(-1, values.shape[-1])[0]
        return first
    there = np.isfinite(spectra)
    count = there.sum(axis=0)
    with np.errstate(over="ignore"):
        total = np.where(there, spectra, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def numbers(values: Array) -> Floats | None:
    """As floats to draw: magnitudes of complex numbers, times as counts of their unit; None for text."""
    if values.dtype.kind == "U":
        return None
    if values.dtype.kind == "c":
        with np.errstate(over="ignore"):
            values = np.abs(values)
    if values.dtype.kind == "M":
        return np.where(np.isnat(values), np.nan, values.view(np.int64).astype(float))
    return values.astype(float)


def thin(x: Floats, y: Floats, buckets: int) -> tuple[Floats, Floats]:
    """The least and the greatest y of each of ``buckets`` runs of points, and both ends, in their order."""
    size = len(y)
    if size <= 2 * buckets:
        return x, y
    width = -(-size // buckets)
    runs = np.pad(y, (0, -size % width), mode="edge").reshape(-1, width)
    found = np.stack((runs.argmin(axis=1), runs.argmax(axis=1)))
    found.sort(axis=0)
    index = (found + np.arange(len(runs)) * width).T.reshape(-1)
    index = np.concatenate(([0], np.minimum(index, size - 1), [size - 1]))
    return x[index], y[index]


def along(entry: Entry, signal: Signal) -> str:
    """Name of the axis or column that a signal is drawn along; empty for a single value."""
    return entry.x or (signal.axes[-1] if signal.axes else "")


def is_reversed(entry: Entry, axis: str) -> bool:
    """Whether the field draws this axis from high to low."""
    technique = TECHNIQUES.get(entry.technique)
    return technique is not None and axis in technique.reversed_axes


def _scaled(values: Floats, length: int) -> NDArray[np.int64]:
    """Tenths of a unit, 0 … 10 × length; in the middle if all are equal."""
    low, high = float(values.min()), float(values.max())
    span = high / 2 - low / 2  # halved before the difference is taken, which could be infinite
    if span <= 0:
        return np.full(len(values), 5 * length)
    part = (values / 2 - low / 2) / span
    return np.rint(part * (10 * length)).astype(np.int64)
