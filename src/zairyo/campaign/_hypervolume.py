"""The volume that a front of compromises dominates, and the boxes of what would still enlarge it. Higher is better.

The recursion over slices is that of Knowles (2002) and While et al. (2006); boxes that stay the same from one slice to
the next are joined, which leaves about 2 P of them for P points of three objectives.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from zairyo.campaign._base import Floats, Mask

Box = tuple[tuple[float, float], ...]


def undominated(Y: Floats) -> Mask:
    """Shape (n,): rows (n, k) that no other row equals or beats in all and beats in one; of equal rows the first."""
    Y = np.asarray(Y, dtype=float)
    keep = np.ones(len(Y), bool)
    for i in range(len(Y)):
        if not keep[i]:
            continue
        worse = (Y[i] >= Y).all(axis=1)
        worse[: i + 1] &= (Y[: i + 1] < Y[i]).any(axis=1)
        keep &= ~worse
    return keep


def hypervolume(Y: Floats, reference: Floats) -> float:
    """The volume between ``reference`` (k,) and the rows (n, k) that are above it in all objectives."""
    Y = np.asarray(Y, dtype=float)
    Y = Y[(reference < Y).all(axis=1)]
    if not len(Y):
        return 0.0
    return _volume(Y[undominated(Y)], np.asarray(reference, dtype=float))


def _volume(Y: Floats, reference: Floats) -> float:
    width = Y.shape[1]
    if width == 1:
        return float(Y.max() - reference[0])
    order = np.argsort(-Y[:, -1], kind="stable")
    Y = Y[order]
    if width == 2:
        tops = np.maximum.accumulate(Y[:, 0])
        lower = np.append(Y[1:, 1], reference[1])
        return float(((tops - reference[0]) * (Y[:, 1] - lower)).sum())
    total = 0.0
    for i in range(len(Y)):
        thick = Y[i, -1] - (Y[i + 1, -1] if i + 1 < len(Y) else reference[-1])
        if thick > 0:
            part = Y[: i + 1, :-1]
            total += float(thick) * _volume(part[undominated(part)], reference[:-1])
    return total


def boxes(front: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """Lower and upper corners, each of shape (b, k), of boxes that together are what no row of the front dominates.

    Parameters
    ----------
    front
        Shape (n, k); n may be 0.
    reference
        Shape (k,): nothing below it counts.
    """
    front = np.asarray(front, dtype=float).reshape(-1, len(reference))
    front = front[(front > reference).all(axis=1)]
    found = np.array(_boxes(front[undominated(front)], np.asarray(reference, dtype=float)))
    return found[:, :, 0], found[:, :, 1]


def _boxes(front: Floats, reference: Floats) -> list[Box]:
    if len(reference) == 1:
        return [((float(front.max()) if len(front) else float(reference[0]), np.inf),)]
    levels = np.unique(front[:, -1])
    edges = [float(reference[-1]), *map(float, levels), np.inf]
    done: list[Box] = []
    running: dict[Box, float] = {}
    for low, high in pairwise(edges):
        part = front[front[:, -1] >= high, :-1]
        here = set(_boxes(part[undominated(part)], reference[:-1]))
        for box in sorted(set(running) - here):
            done.append((*box, (running.pop(box), low)))
        for box in here:
            running.setdefault(box, low)
    return done + [(*box, (start, np.inf)) for box, start in sorted(running.items())]
