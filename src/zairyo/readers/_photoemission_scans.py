"""Scans and cycles of one region → arrays: what is plotted, and each scan beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Signal

#: (cycle, scan) → the values of one scan; the last dimension is the energy.
Scans = Mapping[tuple[int, int], NDArray[Any]]


def stacked(
    scans: Scans, inner: Sequence[Axis], unit: str | None, region: str, warnings: list[str]
) -> tuple[tuple[Axis, ...], tuple[Signal, ...]]:
    """Put a region's scans together.

    Parameters
    ----------
    scans
        Each of the shape that the axes ``inner`` have; one that was stopped early may be shorter in its last
        dimension.
    unit
        Counts of a cycle's scans are added up; anything else (rates) is averaged.

    Returns
    -------
    axes
        ``cycle`` if there are several, then ``inner``.
    signals
        ``intensity`` over the axes, from the complete scans of each cycle (or the longest part, if there is
        none); where there are several scans, ``scan_intensity`` over ``cycle``, ``scan`` and ``inner``, with
        NaN for what was not measured. The axis ``scan`` comes with it in ``axes``, at their front.
    """
    cycles = sorted({cycle for cycle, _ in scans})
    numbers = sorted({scan for _, scan in scans})
    shape = tuple(len(axis.values) for axis in inner)
    whole = {key: values for key, values in scans.items() if values.shape == shape}
    if len(whole) < len(cycles) * len(numbers):
        missing = len(cycles) * len(numbers) - len(whole)
        warnings.append(
            f"Region {region}: {missing} of {len(cycles) * len(numbers)} scans are missing or incomplete; the "
            "intensity is from the complete ones"
            + (
                "; cycles with fewer of them have fewer counts."
                if unit == "counts" and len(cycles) > 1
                else "."
            )
        )
    every = _every(scans, whole, cycles, numbers, shape)
    plotted = np.stack(
        [_together(every[i], _complete(whole, c, numbers), unit) for i, c in enumerate(cycles)]
    )
    names = tuple(axis.name for axis in inner)
    axes: list[Axis] = list(inner)
    over: tuple[str, ...] = names
    if len(cycles) > 1:
        axes.insert(0, Axis("cycle", np.array(cycles), ""))
        over = ("cycle", *names)
    signals = [Signal("intensity", plotted if len(cycles) > 1 else plotted[0], unit, over, "Intensity")]
    if len(numbers) > 1:
        axes.insert(0, Axis("scan", np.array(numbers), ""))
        each, where = (every, ("cycle", "scan")) if len(cycles) > 1 else (every[0], ("scan",))
        signals.append(Signal("scan_intensity", each, unit, (*where, *names), "Intensity of each scan"))
    return tuple(axes), tuple(signals)


def usual_length(scans: Scans) -> int:
    """The number of points that most scans have; of equally many, the larger."""
    counted = Counter(values.shape[-1] for values in scans.values())
    return int(max(counted, key=lambda length: (counted[length], length)))


def _complete(whole: Scans, cycle: int, numbers: list[int]) -> list[int]:
    return [i for i, scan in enumerate(numbers) if (cycle, scan) in whole]


def _every(
    scans: Scans, whole: Scans, cycles: list[int], numbers: list[int], shape: tuple[int, ...]
) -> NDArray[Any]:
    gaps = len(whole) < len(cycles) * len(numbers)
    kind = np.result_type(*scans.values(), np.float64 if gaps else np.uint8)
    every = np.full((len(cycles), len(numbers), *shape), np.nan if gaps else 0, dtype=kind)
    for (cycle, scan), values in scans.items():
        part = values[tuple(slice(0, length) for length in shape)]
        place = every[cycles.index(cycle), numbers.index(scan)]
        place[tuple(slice(0, length) for length in part.shape)] = part
    return every


def _together(scans: NDArray[Any], complete: list[int], unit: str | None) -> NDArray[Any]:
    used = scans[complete] if complete else scans
    if len(used) == 1:
        return np.asarray(used[0])
    if not complete:  # an empty place stays empty, whatever was measured of the others is used
        present = np.isfinite(used)
        count = present.sum(axis=0)
        total = np.where(present, used, 0.0).sum(axis=0)
        added = total if unit == "counts" else total / np.maximum(count, 1)
        return np.where(count > 0, added, np.nan)
    return np.asarray(used.sum(axis=0) if unit == "counts" else used.mean(axis=0))
