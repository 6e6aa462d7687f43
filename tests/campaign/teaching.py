"""A pool of rows, and problems over it, for the tests of strategies that seek knowledge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tests.campaign.seeking import Rows

from zairyo.campaign._base import Objective, Pick, Problem


def problem(
    pool: Rows,
    made: Sequence[int] = (),
    Y: Any = None,
    *,
    failed: Any = None,
    pending: Sequence[int] = (),
    D: Any = None,
    objectives: tuple[Objective, ...] | None = None,
    seed: int = 0,
) -> Problem:
    """Rows ``made`` of the pool with outcomes ``Y``; those and ``pending`` ones may not be proposed."""
    rows = np.array(made, dtype=np.int64)
    outcomes = np.zeros((len(rows), 1))
    if len(rows) and Y is not None:
        outcomes = np.asarray(Y, dtype=float).reshape(len(rows), -1)
    taken = np.unique(np.append(rows, np.array(pending, dtype=np.int64)))
    return Problem(
        pool,
        pool.X[rows],
        outcomes,
        np.zeros(len(rows), bool) if failed is None else np.asarray(failed, bool),
        rows,
        pool.X[list(pending)].reshape(-1, pool.X.shape[1]),
        objectives or tuple(Objective(f"y{k}", "model") for k in range(outcomes.shape[1])),
        taken=taken,
        avoid=pool.X[taken],
        D=None if D is None else np.asarray(D, dtype=float),
        seed=seed,
    )


def sound(given: Problem, picks: list[Pick], count: int) -> None:
    """No pick twice, none that is taken or the same as one, as many as are left up to ``count``."""
    rows = [pick.index for pick in picks]
    settings = {tuple(pick.x) for pick in picks}
    assert len(set(rows)) == len(rows)
    assert len(settings) == len(rows)
    free = {tuple(x) for block in given.blocks() for x in block.X}
    assert settings <= free
    assert len(picks) == min(count, len(free))
    assert all(np.isfinite(pick.score) and pick.method and pick.why for pick in picks)
