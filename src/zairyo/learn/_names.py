"""How like one another the levels of a category are, by how they are written.

``K3PO4`` and ``K2CO3``, ``N#CC`` and ``N#CCC``, ``steel A`` and ``steel B``: who names a thing often says what it is.
Levels become points whose distances follow from the pieces of text that they share; whether that helps is for the
evidence of the data to say, beside a kernel that takes every level for unlike every other.
"""

from __future__ import annotations

import functools
from collections import Counter

import numpy as np

from zairyo.learn._space import Floats

#: Pieces of text are up to so many characters long.
LONGEST = 3
#: Names of so many levels, at most, are compared; identifiers have more.
MOST_LEVELS = 200
#: Distances that differ by less than this share of their mean say nothing.
ALIKE = 0.05


@functools.lru_cache(maxsize=256)
def placed(levels: tuple[str, ...]) -> Floats | None:
    """Levels as points, by the pieces of up to three characters in their names.

    Parameters
    ----------
    levels
        Names, at least one.

    Returns
    -------
    Shape (levels, q): the squared distance of two of them is 1 on average. None where there are fewer than three or
    too many levels, or their names are all as unlike each other.
    """
    if not 3 <= len(levels) <= MOST_LEVELS:
        return None
    counts = [_pieces(one) for one in levels]
    pieces = sorted(set().union(*counts))
    found = np.log1p([[count[piece] for piece in pieces] for count in counts])
    found = found[:, found.std(axis=0) > 0]
    if not found.shape[1]:
        return None
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    found -= found.mean(axis=0)
    left, size, _ = np.linalg.svd(found, full_matrices=False)
    points = np.asarray(left * size)[:, size > 1e-6 * size[0]]
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=-1)[np.triu_indices(len(levels), 1)]
    if not squared.mean() > 0 or squared.std() < ALIKE * squared.mean():
        return None
    points /= np.sqrt(squared.mean())
    points.setflags(write=False)
    return points


def _pieces(name: str) -> Counter[str]:
    return Counter(
        name[start : start + length]
        for length in range(1, LONGEST + 1)
        for start in range(len(name) - length + 1)
    )
