"""Where start designs want experiments: points of the feature space, in the order in which they are to be made."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np

from zairyo.campaign._base import CampaignError, Floats, Problem
from zairyo.campaign._mixtures import vertices
from zairyo.campaign._pool_space import SpacePool, evenly
from zairyo.learn import Space, Variable


def made(problem: Problem) -> int:
    """How many experiments were told or given out."""
    return len(problem.X) + len(problem.pending)


# Targets ------------------------------------------------------------------------------------------------------------


def sobol(problem: Problem, count: int, rng: np.random.Generator) -> Floats:
    """The next points of one sequence, which goes on where the last call stopped."""
    start = made(problem)
    points = evenly(start + 2 * count, _dimensions(problem), np.random.default_rng([problem.seed, 5]))
    return _targets(problem, points[start:], rng)


def latin_hypercube(problem: Problem, count: int, rng: np.random.Generator) -> Floats:
    """Each of ``count`` equal parts of every range once; of many such designs the one with the widest gaps."""
    d = _dimensions(problem)
    before = scaled(
        problem.space, np.concatenate([problem.X, problem.pending.reshape(-1, problem.space.width)])
    )
    best, widest = None, -np.inf
    for _ in range(60 if count * d < 4000 else 5):
        strata = np.argsort(rng.random((count, d)), axis=0)
        X = _targets(problem, (strata + rng.random((count, d))) / count, rng)
        unit = scaled(problem.space, X)
        gap = _least_gap(unit, before)
        if gap > widest:
            best, widest = X, gap
    assert best is not None
    return best


def simplex_lattice(problem: Problem, count: int, rng: np.random.Generator) -> Floats:
    """Pure ingredients, then halves and halves, then thirds … within the bounds."""
    return _with_mixtures(problem, rng, _lattice_points)


def simplex_centroid(problem: Problem, count: int, rng: np.random.Generator) -> Floats:
    """Pure ingredients, equal parts of two, of three … and of all."""
    return _with_mixtures(problem, rng, _centroid_points)


def extreme_vertices(problem: Problem, count: int, rng: np.random.Generator) -> Floats:
    """The corners that the bounds leave, the middle, then midpoints between corners."""
    return _with_mixtures(problem, rng, _vertex_points)


def factorial(problem: Problem, count: int, rng: np.random.Generator) -> Floats:
    """Low and high of every parameter: all combinations if few enough, else a regular fraction; then the middle.

    The fraction of 2^m experiments gives the first m parameters all combinations, and each further one the product of
    as many of them as possible, so that main effects are mixed up with high interactions only (Box and Hunter 1961).
    """
    space = problem.space
    variables = space.variables
    k = len(variables)
    power = min(k, max(int(np.ceil(np.log2(max(2, made(problem) + count)))), int(np.ceil(np.log2(k + 1)))))
    basic = np.array(list(product((-1, 1), repeat=power))) if power else np.empty((1, 0))
    words = [w for size in range(power, 1, -1) for w in combinations(range(power), size)]
    signs = np.column_stack([basic, *(basic[:, list(w)].prod(axis=1) for w in words[: k - power])])
    signs = np.vstack([_shuffled(signs, problem.seed), np.zeros((1, signs.shape[1]))])
    middle = (space.lower + space.upper) / 2
    X = np.tile(middle, (len(signs), 1))
    for j, variable in enumerate(variables[: signs.shape[1]]):
        columns = list(variable.columns)
        if variable.kind == "category":
            levels = len(columns)
            extremes = np.where(signs[:, j] > 0, levels - 1, 0)
            level = extremes if levels < 3 else np.arange(len(signs)) % levels
            X[:, columns] = np.eye(levels)[level]
        elif variable.kind == "mixture":
            X[:, columns] = _cycled(space, variable, signs[:, j])
        else:
            X[:, columns] += signs[:, j : j + 1] * (space.upper - space.lower)[columns] / 2
    return X[made(problem) :]


def corners(problem: Problem, rng: np.random.Generator) -> Floats:
    """Combinations of ends and middles of numbers, of kinds, and of the corners of mixtures, shape (t, p)."""
    space = problem.space
    X = np.empty((1000, space.width))
    for variable in space.variables:
        columns = list(variable.columns)
        if variable.kind == "category":
            ends = np.eye(len(columns))
        elif variable.kind == "mixture":
            ends = _vertex_points(space, variable)
        else:
            ends = np.stack(
                [space.lower[columns], (space.lower + space.upper)[columns] / 2, space.upper[columns]]
            )
        X[:, columns] = ends[rng.integers(len(ends), size=len(X))]
    return np.unique(X, axis=0)


def scaled(space: Space, X: Floats) -> Floats:
    """Features scaled so that each variable counts alike, whatever its unit and number of columns."""
    span = np.where(space.upper > space.lower, space.upper - space.lower, 1.0)
    weight = np.ones(len(span))
    for variable in space.variables:
        columns = list(variable.columns)
        if variable.kind == "category":
            weight[columns] = np.sqrt(0.5)
        elif variable.kind == "mixture":
            span[columns] = max(float(span[columns].max()), 1e-12)
            weight[columns] = np.sqrt(0.5)
        elif variable.kind == "descriptors":
            weight[columns] = 1 / np.sqrt(len(columns))
    result: Floats = X / span * weight
    return result


def _least_gap(unit: Floats, before: Floats) -> float:
    every = np.concatenate([unit, before])
    gaps = ((unit[:, None] - every[None]) ** 2).sum(axis=2)
    gaps[np.arange(len(unit)), np.arange(len(unit))] = np.inf
    return float(gaps.min(initial=np.inf))


def _dimensions(problem: Problem) -> int:
    if isinstance(problem.candidates, SpacePool):
        return problem.candidates.coding.dimensions
    return sum(1 if v.kind == "category" else len(v.columns) for v in problem.space.variables)


def _targets(problem: Problem, U: Floats, rng: np.random.Generator) -> Floats:
    """Features that points of the unit cube stand for."""
    pool, space = problem.candidates, problem.space
    if isinstance(pool, SpacePool):
        return pool.features_of(U, rng)
    X = np.empty((len(U), space.width))
    at = 0
    for variable in space.variables:
        columns = list(variable.columns)
        width = 1 if variable.kind == "category" else len(columns)
        u = U[:, at : at + width]
        at += width
        low, high = space.lower[columns], space.upper[columns]
        if variable.kind == "category":
            X[:, columns] = np.eye(len(columns))[(u[:, 0] * len(columns)).astype(int)]
        elif variable.kind == "mixture":
            share = -np.log1p(-u) * (high > low)
            share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
            X[:, columns] = low + max(0.0, 1 - low.sum()) * share
        else:
            X[:, columns] = low + u * (high - low)
    return X


# Mixtures -----------------------------------------------------------------------------------------------------------


def _with_mixtures(problem: Problem, rng: np.random.Generator, points: Any) -> Floats:
    """Points of the (first) mixture in order; all other settings spread evenly."""
    mixtures = [v for v in problem.space.variables if v.kind == "mixture"]
    if not mixtures:
        raise CampaignError("this start design is for mixtures, and there is none; take sobol or d-optimal")
    space, done = problem.space, made(problem)
    amounts = [points(space, v) for v in mixtures]
    count = max(map(len, amounts))
    U = evenly(count, _dimensions(problem), np.random.default_rng([problem.seed, 6]))
    X = _targets(problem, U, rng)
    for variable, found in zip(mixtures, amounts, strict=True):
        X[:, list(variable.columns)] = found[np.arange(count) % len(found)]
    return X[done:]


def _room(space: Space, variable: Variable) -> tuple[Floats, Floats]:
    columns = list(variable.columns)
    return space.lower[columns], space.upper[columns]


def _inside(points: Floats, low: Floats, high: Floats) -> Floats:
    """Pseudo-components: mixtures of what the least amounts leave; those above a largest amount are left out."""
    amounts = low + max(0.0, 1 - low.sum()) * points
    fit: Floats = amounts[(amounts <= high + 1e-9).all(axis=1)]
    return fit


def _centroid_points(space: Space, variable: Variable) -> Floats:
    low, high = _room(space, variable)
    k = len(low)
    rows = []
    for size in (*range(1, k), k):
        for chosen in combinations(range(k), size):
            row = np.zeros(k)
            row[list(chosen)] = 1 / size
            rows.append(row)
            if len(rows) >= 4096:
                break
    return _or_vertices(_inside(np.array(rows), low, high), space, variable)


def _lattice_points(space: Space, variable: Variable) -> Floats:
    low, high = _room(space, variable)
    k = len(low)
    rows: dict[tuple[float, ...], None] = {}
    for degree in (1, 2, 3, 4):
        for bars in combinations(range(degree + k - 1), k - 1):
            units = np.diff([-1, *bars, degree + k - 1]) - 1
            rows[tuple((units / degree).tolist())] = None
            if len(rows) >= 4096:
                break
    return _or_vertices(_inside(np.array(list(rows)), low, high), space, variable)


def _vertex_points(space: Space, variable: Variable) -> Floats:
    low, high = _room(space, variable)
    corners = vertices(low, high)
    middle = corners.mean(axis=0, keepdims=True)
    pairs = list(combinations(range(min(len(corners), 60)), 2))
    between = [(corners[i] + corners[j]) / 2 for i, j in pairs]
    return np.concatenate([corners, middle, np.array(between).reshape(-1, len(low))])


def _or_vertices(points: Floats, space: Space, variable: Variable) -> Floats:
    """Largest amounts may leave nothing of a regular design; then its corners."""
    return points if len(points) else _vertex_points(space, variable)


def _cycled(space: Space, variable: Variable, signs: Floats) -> Floats:
    corners = vertices(*_room(space, variable))
    return corners[np.arange(len(signs)) % len(corners)]


def _shuffled(rows: Floats, seed: int) -> Floats:
    """Run order at random, so that drift does not look like an effect."""
    return rows[np.random.default_rng([seed, 7]).permutation(len(rows))]
