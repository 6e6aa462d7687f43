"""Points that satisfy linear constraints, however narrow: by hit and run from a point well inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zairyo.campaign._base import Floats
from zairyo.campaign._coding import Code, MixtureCode, NumberCode
from zairyo.campaign._columns import Coded, Column, Columns, rows_of, take
from zairyo.campaign._constraints import Linear

#: Different combinations of what cannot be moved (kinds, levels, absent ingredients) that are tried.
_MOST_CASES = 128
_WALKERS = 512
#: Steps between the points that one walker gives.
_APART = 3


def within_linear(
    codes: Sequence[Code],
    columns: Columns,
    constraints: Sequence[Linear],
    rng: np.random.Generator,
    share: float = 1.0,
) -> dict[str, Column]:
    """Candidates whose continuous settings are moved so that all linear constraints hold.

    Levels, kinds and which ingredients are in stay as they are drawn; rows for which nothing fits are left out,
    and their number made up by the others.

    Parameters
    ----------
    columns
        m candidates, allowed or not.
    share
        How much of the way from those candidates to points spread evenly; below 1 they must be allowed, and all
        between is (what is allowed has no dents).

    Returns
    -------
    columns
        About m candidates; none if nothing fits.
    """
    weights: dict[str, list[float]] = {}
    moved = _movable(codes, constraints)
    names = [name for _, low, _ in moved for name in low]
    for name in names:
        weights[name] = [c.coefficients.get(name, 0.0) for c in constraints]
    if not names:
        return take(columns, slice(0, 0))
    low, high, X = _boxes(moved, columns)
    A = np.array([weights[n] for n in names]).T
    rest = _rest(columns, constraints, names)
    cases = np.unique(np.round(np.column_stack([rest, high - low]), 12), axis=0, return_inverse=True)[
        1
    ].ravel()
    rows = rows_of(columns)
    chosen: list[np.ndarray] = []
    moved_rows: list[Floats] = []
    order = np.unique(cases)[:_MOST_CASES]
    sums = [(i, j, code) for i, j, code in _sums(moved, names)]
    for case in order:
        members = np.flatnonzero(cases == case)
        count = max(len(members), -(-rows // len(order)))
        one = members[0]
        bound = np.array([c.bound for c in constraints]) - rest[one]
        points = _hit_and_run(A, [c.sense for c in constraints], bound, low[one], high[one], sums, count, rng)
        if points is not None:
            chosen.append(members[np.arange(len(points)) % len(members)])
            moved_rows.append(points)
    if not chosen:
        return take(columns, slice(0, 0))
    result = take(columns, np.concatenate(chosen))
    X = X[np.concatenate(chosen)] * (1 - share) + np.concatenate(moved_rows) * share
    digits = {n: code.digits for code, low, _ in moved if isinstance(code, MixtureCode) for n in low}
    for j, name in enumerate(names):
        if name in result:  # a balance is not written down
            result[name] = np.round(X[:, j], digits[name]) if name in digits else X[:, j]
    mixed = np.random.default_rng(int(rng.integers(2**31))).permutation(len(X))
    return take(result, mixed)


def _movable(
    codes: Sequence[Code], constraints: Sequence[Linear]
) -> list[tuple[Code, dict[str, float], dict[str, float]]]:
    """The continuous parameters that constraints speak of, with the range of each setting."""
    spoken = {n for c in constraints for n in c.names}
    result: list[tuple[Code, dict[str, float], dict[str, float]]] = []
    for code in codes:
        if not spoken & set(code.settings) or code.count is not None:
            continue
        if isinstance(code, NumberCode):
            result.append((code, {code.name: code.low}, {code.name: code.high}))
        elif isinstance(code, MixtureCode):
            p = code.parameter
            result.append(
                (
                    code,
                    dict(zip(p.ingredients, p.lows, strict=True)),
                    dict(zip(p.ingredients, p.highs, strict=True)),
                )
            )
    return result


def _boxes(
    moved: Sequence[tuple[Code, dict[str, float], dict[str, float]]], columns: Columns
) -> tuple[Floats, Floats, Floats]:
    """Ranges and values of what is moved, shape (m, q): an ingredient left out by at-most-k stays out."""
    lows, highs, values = [], [], []
    for code, low, high in moved:
        if isinstance(code, MixtureCode):
            amounts = code.features(columns) * code.total
            limited = code.parameter.at_most is not None
            for j, name in enumerate(low):
                top = np.full(len(amounts), high[name])
                lows.append(np.full(len(amounts), low[name]))
                highs.append(np.where(amounts[:, j] > 0, top, 0.0) if limited else top)
                values.append(amounts[:, j])
        else:
            (name,) = low
            column = columns[name]
            assert not isinstance(column, Coded)
            lows.append(np.full(len(column), low[name]))
            highs.append(np.full(len(column), high[name]))
            values.append(column)
    return np.column_stack(lows), np.column_stack(highs), np.column_stack(values)


def _rest(columns: Columns, constraints: Sequence[Linear], names: Sequence[str]) -> Floats:
    """What the settings that stay bring to each sum, shape (m, constraints)."""
    result = np.zeros((rows_of(columns), len(constraints)))
    for i, constraint in enumerate(constraints):
        for name, weight in constraint.coefficients.items():
            column = columns.get(name)
            if name not in names and column is not None and not isinstance(column, Coded):
                result[:, i] += weight * column
    return result


def _sums(
    moved: Sequence[tuple[Code, dict[str, float], dict[str, float]]], names: Sequence[str]
) -> list[tuple[int, int, MixtureCode]]:
    """Where the ingredients of each mixture stand among what is moved."""
    result, at = [], 0
    for code, low, _ in moved:
        if isinstance(code, MixtureCode):
            result.append((at, at + len(low), code))
        at += len(low)
    return result


def _hit_and_run(
    A: Floats,
    senses: Sequence[str],
    bound: Floats,
    low: Floats,
    high: Floats,
    sums: Sequence[tuple[int, int, MixtureCode]],
    count: int,
    rng: np.random.Generator,
) -> Floats | None:
    """Points, shape (count, q), spread evenly over a polytope; None if it is empty."""
    from scipy.linalg import null_space

    scale = np.where(high > low, high - low, 1.0)
    less = [i for i, s in enumerate(senses) if s != "=="]
    sign = np.array([-1.0 if senses[i] == ">=" else 1.0 for i in less])
    G, g = A[less] * sign[:, None], bound[less] * sign
    exact = [i for i, s in enumerate(senses) if s == "=="]
    rows, right = [A[i] for i in exact], [float(bound[i]) for i in exact]
    for start, stop, code in sums:
        row = np.zeros(len(low))
        row[start:stop] = 1.0
        rows.append(row)
        right.append(code.total)
    E, e = np.array(rows).reshape(len(rows), len(low)), np.array(right)
    start_at = _centre(G, g, E, e, low, high, scale)
    if start_at is None:
        return None
    still = np.eye(len(low))[high <= low]
    basis = np.vstack([E, still]) * scale
    N = null_space(basis) if len(basis) else np.eye(len(low))
    if N.shape[1] == 0:
        return start_at[None]
    walls = np.vstack([G, np.eye(len(low)), -np.eye(len(low))])
    limits = np.concatenate([g, high, -low])
    size = np.abs(walls * scale).max(axis=1)
    # Some walkers forget where they started; then each gives a point every few steps.
    walkers = min(count, _WALKERS)
    X = np.tile(start_at, (walkers, 1))
    kept: list[Floats] = []
    for step in range(40 + 8 * N.shape[1] + _APART * (-(-count // walkers) - 1)):
        D = (rng.standard_normal((walkers, N.shape[1])) @ N.T) * scale
        speed, room = D @ walls.T, np.maximum(limits - X @ walls.T, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = room / speed
        moving = np.abs(speed) > 1e-12 * size
        forward = np.where(moving & (speed > 0), t, np.inf).min(axis=1)
        back = np.where(moving & (speed < 0), t, -np.inf).max(axis=1)
        far = back + (forward - back) * rng.random(walkers)
        X = X + np.where(np.isfinite(far), far, 0.0)[:, None] * D
        since = step + 1 - 40 - 8 * N.shape[1]
        if since >= 0 and since % _APART == 0:
            kept.append(X)
    return np.clip(np.concatenate(kept)[:count], low, high)


def _centre(
    G: Floats, g: Floats, E: Floats, e: Floats, low: Floats, high: Floats, scale: Floats
) -> Floats | None:
    """A point as far inside all walls as can be, each counted by how far its settings can move."""
    from scipy.optimize import linprog

    q = len(low)
    free = high > low
    walls = np.vstack([G, np.eye(q)[free], -np.eye(q)[free]])
    limits = np.concatenate([g, high[free], -low[free]])
    depth = np.linalg.norm(walls * scale, axis=1)
    result = linprog(
        np.append(np.zeros(q), -1.0),
        A_ub=np.column_stack([walls, depth]) if len(walls) else None,
        b_ub=limits if len(walls) else None,
        A_eq=np.column_stack([E, np.zeros(len(E))]) if len(E) else None,
        b_eq=e if len(E) else None,
        bounds=[*zip(low, high, strict=True), (0.0, 1.0)],
        method="highs",
    )
    return np.clip(result.x[:q], low, high) if result.success else None
