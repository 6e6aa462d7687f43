"""Velox' spectrum streams → one spectrum image: X-rays in the order they came, each by its channel.

A stream is of 16-bit numbers: a channel for each X-ray, 65535 where the beam goes on to the next place. Each
detector segment has its own; frames follow each other without a break.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError

_NEXT = 65535
_BLOCK = 16 * 1024**2
#: A spectrum image of more bytes is binned.
MOST_DENSE = 512 * 1024**2
#: A spectrum is binned to no fewer channels.
_FEWEST = 128


def spectrum_image(
    streams: Sequence[Any], rows: int, columns: int, channels: int, most: int = MOST_DENSE
) -> tuple[NDArray[Any], int, int, int]:
    """All streams' X-rays counted by place and channel.

    Parameters
    ----------
    streams
        Datasets of shape (n, 1) or (n,), ``uint16``.
    rows, columns
        Of one frame.
    channels
        Of a spectrum.
    most
        Bytes that the result may have.

    Returns
    -------
    counts
        Shape (rows, columns, channels / bin).
    frames
        How many frames were begun.
    binned
        How many channels were added up to one, so that the result has no more than ``most`` bytes.
    lost
        X-rays of channels beyond the last.

    Raises
    ------
    ReadError
        If even the coarsest binning is too large.
    """
    places = rows * columns
    per_place = np.zeros(places, np.int64)
    frames = 0
    for stream in streams:
        steps = 0
        for place, _, passed in _events(stream, places):
            per_place += np.bincount(place, minlength=places)
            steps += passed
        frames = max(frames, -(-steps // places))
    dtype = np.dtype(np.uint16 if per_place.max(initial=0) <= np.iinfo(np.uint16).max else np.uint32)
    binned = 1
    while places * -(-channels // binned) * dtype.itemsize > most and binned * _FEWEST < channels:
        binned *= 2
    bins = -(-channels // binned)
    if places * bins * dtype.itemsize > most:
        raise ReadError(
            f"the spectrum image has {rows} × {columns} places and {channels} channels: too many to read at once"
        )
    counts, lost = np.zeros(places * bins, dtype), 0
    for stream in streams:
        for place, channel, _ in _events(stream, places):
            known = channel < channels
            if not known.all():
                lost += int(np.count_nonzero(~known))
                place, channel = place[known], channel[known]
            np.add.at(counts, place * bins + channel // binned, dtype.type(1))
    counts.flags.writeable = False
    return counts.reshape(rows, columns, bins), frames, binned, lost


def _events(stream: Any, places: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], int]]:
    """Place and channel of each X-ray, and how often the beam went on, block by block."""
    before = 0
    for start in range(0, stream.shape[0], _BLOCK):
        block = np.asarray(stream[start : start + _BLOCK]).reshape(-1)
        step = block == _NEXT
        passed = np.cumsum(step, dtype=np.int64)
        photons = np.flatnonzero(~step)
        yield (before + passed[photons]) % places, block[photons].astype(np.int64), int(passed[-1])
        before += int(passed[-1])
