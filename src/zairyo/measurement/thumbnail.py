"""The default plot in small, for lists of measurements: a curve as SVG path data, an image as a PNG."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement.arrays import Array
from zairyo.measurement.model import Entry, Signal
from zairyo.measurement.techniques import TECHNIQUES

WIDTH, HEIGHT = 120, 48
PNG = "data:image/png;base64,"
_IMAGE = 48, 96  # rows and columns
_BUCKETS = 90  # two points each, about 9 characters a point
_MOST_AVERAGED = 2_000_000  # values of a map looked at
_TENTHS = [f"{i / 10:g}" for i in range(10 * WIDTH + 1)]

Floats = NDArray[np.float64]


def thumbnail(entry: Entry) -> str:
    """The default plot in a box of 120 × 48: SVG path data (``M x y x y …``, y downwards), or of an image a PNG.

    An image (a signal over y and x) is a ``data:image/png;base64,`` of at most 96 × 48 pixels in grey.

    A curve is thinned to the least and the greatest value of each of 90 runs of points, so that no peak is
    lost. Of a map the mean spectrum along the fastest axis is drawn: it tells most in so small a box. Of
    complex values the magnitude is drawn. Empty where there is nothing to draw (text, a single value).
    """
    if (shown := image(entry)) is not None:
        return _png(shown)
    curve = default_curve(entry)
    if curve is None:
        return ""
    x, y = thin(*curve, _BUCKETS)
    left = _scaled(x, WIDTH)
    if is_reversed(entry, along(entry, entry.signal)):
        left = 10 * WIDTH - left
    down = _scaled(y, HEIGHT)
    if not is_reversed(entry, entry.default):
        down = 10 * HEIGHT - down
    moves = np.flatnonzero((np.diff(left, prepend=-1) != 0) | (np.diff(down, prepend=-1) != 0))
    pairs = zip(left[moves].tolist(), down[moves].tolist(), strict=True)
    return "M" + " ".join([f"{_TENTHS[a]} {_TENTHS[b]}" for a, b in pairs])


def image(entry: Entry) -> Floats | None:
    """The default plot as an image, its first row uppermost; None if it is none.

    Rows of a micrograph are counted from the top; elsewhere y grows upwards. Of colours the mean is taken, and
    of large images every n-th pixel.
    """
    signal = entry.signal
    if entry.is_table or signal.values.dtype.kind not in "biufc":
        return None
    names, values = signal.axes, signal.values
    if names[2:] == ("colour",):
        values = values.mean(axis=-1)
    elif len(names) != 2:
        return None
    if not (names[0].endswith("y") and names[1].endswith("x")) or min(values.shape) < 2:
        return None
    step = max(1, -(-values.shape[0] // _IMAGE[0]), -(-values.shape[1] // _IMAGE[1]))
    small = numbers(values[step // 2 :: step, step // 2 :: step])
    if small is None or small.size == 0:
        return None
    y = numbers(entry[names[0]].values)
    rises = y is not None and y[-1] > y[0]
    return small[::-1] if rises and not is_micrograph(entry) else small


def is_micrograph(entry: Entry) -> bool:
    """Whether the field counts an image's rows from the top."""
    technique = TECHNIQUES.get(entry.technique)
    return technique is not None and (
        technique.family == "microscopy" or technique.key == "optical_microscopy"
    )


def _png(values: Floats) -> str:
    """A grey PNG: black for the darkest hundredth, white for the brightest; what is missing is black."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return ""
    low, high = np.percentile(finite, (1, 99))
    span = high - low
    with np.errstate(invalid="ignore", over="ignore"):
        part = (values - low) / span if np.isfinite(span) and span > 0 else np.full(values.shape, 0.5)
    grey = np.nan_to_num(np.clip(part, 0, 1) * 255).astype(np.uint8)
    rows = np.pad(grey, ((0, 0), (1, 0))).tobytes()  # each row begins with its filter: none
    header = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return PNG + base64.b64encode(data).decode()


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


def is_reversed(entry: Entry, name: str) -> bool:
    """Whether the field draws this axis from high to low, or this signal upside down."""
    technique = TECHNIQUES.get(entry.technique)
    return technique is not None and name in technique.reversed_axes


def _scaled(values: Floats, length: int) -> NDArray[np.int64]:
    """Tenths of a unit, 0 … 10 × length; in the middle if all are equal."""
    low, high = float(values.min()), float(values.max())
    span = high / 2 - low / 2  # halved before the difference is taken, which could be infinite
    if span <= 0:
        return np.full(len(values), 5 * length)
    part = (values / 2 - low / 2) / span
    return np.rint(part * (10 * length)).astype(np.int64)
