"""Kernels of Gaussian processes, as data.

One concept carries them all: a *factor* is a profile (Matérn, squared exponential) of a weighted squared distance
between *features*, columns scaled to unit range and tied into groups that share a length scale. Then

- a one-hot category is a group of its columns: the distance counts whether two levels differ, and the squared
  exponential of it is the Hamming (Gower) exponential kernel; with a length for each level, some levels are set apart
  from the others; or levels are placed by their names (:mod:`zairyo.learn._names`);
- a mixture is compared by its amounts, by their square roots (the Hellinger distance, in which a trace of an
  ingredient counts, and zeros are harmless), or by both;
- a *term* is an amplitude times a product of factors, and a kernel the sum of its terms.

Hyperparameters are logarithms: for each term the amplitude (a variance), then the lengths of its groups.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from zairyo.learn._names import placed
from zairyo.learn._space import Floats, Space, Variable

Profile: TypeAlias = Literal["matern52", "matern32", "rbf"]
Mixed: TypeAlias = Literal["amounts", "hellinger", "both", "tied"]
AnyFloats: TypeAlias = NDArray[np.floating]
Float = TypeVar("Float", bound=np.floating)

#: log length ~ N(√2 + log(D)/2, √3): Hvarfner, Hellsten, Nardi (2024), "Vanilla Bayesian optimization performs great
#: in high dimensions". D is the number of lengths of the factor.
LENGTH_MEAN, LENGTH_SD = math.sqrt(2.0), math.sqrt(3.0)
#: Levels, of all categories, that may each have a length of their own: more cost more than they bring.
MOST_APART = 64


@dataclass(frozen=True, eq=False)
class Features:
    """Columns for a distance: ``z = operation(x[:, columns] - offset) / scale @ placing``, tied by ``group``.

    Attributes
    ----------
    columns
        Shape (c,): of the feature matrix; a column may serve twice.
    offset, scale
        Shape (c,).
    root
        Shape (c,), truth values: take the square root (of what is not negative).
    whole
        Shape (c,), truth values: round first.
    group
        Shape (q,): the length scale that each takes, from 0 without gaps.
    placing
        Shape (c, q): where the levels of categories are, of which each may be told apart by several features; None
        where every column is a feature.
    """

    columns: NDArray[np.intp]
    offset: Floats
    scale: Floats
    root: NDArray[np.bool_]
    whole: NDArray[np.bool_]
    group: NDArray[np.intp]
    placing: Floats | None = None

    @property
    def groups(self) -> int:
        """How many length scales there are."""
        return int(self.group.max()) + 1

    def of(self, X: Floats) -> Floats:
        """The features, shape (n, q), of a matrix of shape (n, p)."""
        Z = np.asarray(X, dtype=float)[:, self.columns]
        if self.whole.any():
            Z = np.where(self.whole, np.round(Z), Z)
        Z -= self.offset
        if self.root.any():
            Z = np.where(self.root, np.sqrt(np.maximum(Z, 0.0)), Z)
        Z /= self.scale
        return Z if self.placing is None else np.asarray(Z @ self.placing)

    def slopes(self, by_feature: Floats, x: Floats) -> Floats:
        """Slopes by the features, (n, q), as slopes by the columns, (n, c), at one row ``x`` of shape (p,).

        Steep roots are cut at an amount of 1e-6.
        """
        by_column = by_feature if self.placing is None else by_feature @ self.placing.T
        inner = np.asarray(x, dtype=float)[self.columns] - self.offset
        slope = np.where(self.root, 0.5 / np.sqrt(np.maximum(inner, 1e-6)), 1.0) / self.scale
        return np.asarray(by_column * np.where(self.whole, 0.0, slope))


@dataclass(frozen=True, eq=False)
class Factor:
    """A profile of the weighted distance between features."""

    profile: Profile
    features: Features


@dataclass(frozen=True, eq=False)
class Kernel:
    """A sum of terms; each an amplitude times a product of factors.

    Attributes
    ----------
    name
        For the report: what it compares, and how.
    terms
        The factors of each term.
    """

    name: str
    terms: tuple[tuple[Factor, ...], ...]

    @cached_property
    def size(self) -> int:
        """How many hyperparameters it has."""
        return sum(1 + sum(factor.features.groups for factor in term) for term in self.terms)

    @cached_property
    def prior(self) -> tuple[Floats, Floats]:
        """Mean and deviation of the normal prior of each hyperparameter, for outputs of unit variance."""
        mean: list[float] = []
        deviation: list[float] = []
        for term in self.terms:
            mean.append(-math.log(len(self.terms)))
            deviation.append(1.0)
            lengths = sum(factor.features.groups for factor in term)
            mean += [LENGTH_MEAN + 0.5 * math.log(lengths)] * lengths
            deviation += [LENGTH_SD] * lengths
        return np.array(mean), np.array(deviation)


# The profiles, in the squared distance u, and their slope in it: finite at u = 0 for each.


def _matern52(u: Floats) -> tuple[Floats, Floats]:
    root = np.sqrt(5.0 * u)
    falling = np.exp(-root)
    root += 1.0
    slope = root * falling
    falling *= root + (5.0 / 3.0) * u
    slope *= -5.0 / 6.0
    return falling, slope


def _matern32(u: Floats) -> tuple[Floats, Floats]:
    root = np.sqrt(3.0 * u)
    falling = np.exp(-root)
    return (1.0 + root) * falling, -1.5 * falling


def _rbf(u: Floats) -> tuple[Floats, Floats]:
    value = np.exp(-0.5 * u)
    return value, -0.5 * value


PROFILES: dict[str, Callable[[Floats], tuple[Floats, Floats]]] = {
    "matern52": _matern52,
    "matern32": _matern32,
    "rbf": _rbf,
}


#: What the squared distance is multiplied by before :func:`profile_in_place` sees it, so that blocks need fewer passes.
ORDERS: dict[str, float] = {"matern52": 5.0, "matern32": 3.0, "rbf": 0.5}


def profile_in_place(name: str, u: AnyFloats, spare: AnyFloats) -> AnyFloats:
    """The profile of squared distances times ``ORDERS[name]``, overwriting ``u``; ``spare`` is of its shape."""
    if name == "rbf":
        np.negative(u, out=u)
        return np.exp(u, out=u)
    np.sqrt(u, out=spare)
    if name == "matern52":
        u *= u.dtype.type(1.0 / 3.0)
        u += spare
        u += u.dtype.type(1.0)
    else:
        np.add(spare, u.dtype.type(1.0), out=u)
    np.negative(spare, out=spare)
    np.exp(spare, out=spare)
    u *= spare
    return u


def squares(A: NDArray[Float], B: NDArray[Float]) -> NDArray[Float]:
    """Squared distances between rows, shape (len(A), len(B)), not below zero, in the precision given."""
    found = A @ (-2.0 * B.T)
    found += np.einsum("ij,ij->i", A, A)[:, None]
    found += np.einsum("ij,ij->i", B, B)
    return np.asarray(np.maximum(found, found.dtype.type(0.0), out=found))


class Distances:
    """The squared distances among n rows, a matrix for each group of each factor: made once, weighted often.

    Parameters
    ----------
    kernel
        Whose groups.
    X
        Shape (n, p).
    """

    def __init__(self, kernel: Kernel, X: Floats) -> None:
        self.kernel = kernel
        self.rows = len(X)
        self._stacks = [[_group_distances(factor.features, X) for factor in term] for term in kernel.terms]

    def matrix(self, theta: Floats) -> Floats:
        """The kernel matrix, shape (n, n)."""
        return self.matrix_and_slopes(theta)[0]

    def matrix_and_slopes(self, theta: Floats) -> tuple[Floats, Callable[[Floats], Floats]]:
        """The kernel matrix, and a function W → Σ W·∂K/∂θ for each hyperparameter."""
        rows = self.rows
        total: Floats | None = None
        parts: list[tuple[Floats, list[tuple[Floats, Floats, Floats]]]] = []
        at = 0
        for term, stacks in zip(self.kernel.terms, self._stacks, strict=True):
            value: Floats | None = None
            amplitude = math.exp(theta[at])
            at += 1
            pieces = []
            for factor, stack in zip(term, stacks, strict=True):
                weights = np.exp(-2.0 * theta[at : at + len(stack)])
                at += len(stack)
                profile, slope = PROFILES[factor.profile]((weights @ stack).reshape(rows, rows))
                slope /= np.maximum(profile, 1e-300)
                pieces.append((slope, -2.0 * weights, stack))
                profile *= amplitude if value is None else value
                value = profile
            assert value is not None
            parts.append((value, pieces))
            total = value.copy() if total is None else np.add(total, value, out=total)
        assert total is not None

        def slopes(W: Floats) -> Floats:
            found: list[float] = []
            for value, pieces in parts:
                weighted = W * value
                found.append(float(weighted.sum()))
                for ratio, weights, stack in pieces:
                    found.extend(weights * (stack @ (weighted * ratio).ravel()))
            return np.array(found)

        return total, slopes


def _group_distances(features: Features, X: Floats) -> Floats:
    """Squared distances, shape (groups, n·n)."""
    Z = features.of(X)
    found = np.empty((features.groups, len(X) * len(X)))
    for group in range(features.groups):
        mine = Z[:, features.group == group]
        found[group] = ((mine[:, None, :] - mine[None, :, :]) ** 2).sum(axis=-1).ravel()
    return found


def amplitudes(kernel: Kernel, theta: Floats) -> Floats:
    """The variance of each term."""
    return np.array([math.exp(theta[at]) for at, _ in _places(kernel)])


def lengths(kernel: Kernel, theta: Floats) -> list[list[Floats]]:
    """The length scales of each factor of each term."""
    found = []
    for (at, _), term in zip(_places(kernel), kernel.terms, strict=True):
        place = at + 1
        mine = []
        for factor in term:
            mine.append(np.exp(theta[place : place + factor.features.groups]))
            place += factor.features.groups
        found.append(mine)
    return found


def _places(kernel: Kernel) -> Iterable[tuple[int, int]]:
    at = 0
    for term in kernel.terms:
        size = 1 + sum(factor.features.groups for factor in term)
        yield at, size
        at += size


# What kernels a space may have.


def features_of(
    space: Space,
    variables: Iterable[Variable],
    mixed: Mixed,
    *,
    tied: bool = False,
    apart: bool = False,
) -> Features | None:
    """The features of some variables; None where none of them varies.

    Parameters
    ----------
    space
        Whose ranges scale the columns.
    variables
        Which of its variables.
    mixed
        How mixtures are compared: by ``amounts``, by ``hellinger`` (square roots), by ``both``, each with a length
        of its own for each ingredient; or ``tied``: both, with one length for all amounts and one for all roots.
    tied
        One length for all numbers.
    apart
        A length for each level of a category.
    """
    found: list[tuple[int, float, float, bool, bool, tuple[object, ...]]] = []
    for variable in variables:
        spans = {j: float(space.upper[j] - space.lower[j]) for j in variable.columns}
        columns = [j for j in variable.columns if spans[j] > 0]
        for j in columns:
            low = float(space.lower[j])
            if variable.kind == "mixture":
                widest = max(spans.values())
                owner = variable.name if mixed == "tied" else j
                if mixed != "hellinger":
                    found.append((j, low, widest, False, False, ("amount", owner)))
                if mixed != "amounts":
                    top = max(math.sqrt(max(float(space.upper[k]), 0.0)) for k in columns)
                    found.append((j, 0.0, top or 1.0, True, False, ("root", owner)))
            elif variable.kind in ("category", "descriptors"):
                scale = math.sqrt(2.0) if variable.kind == "category" else spans[j] * math.sqrt(len(columns))
                whose = j if apart and variable.kind == "category" else variable.name
                found.append((j, low, scale, False, False, (variable.kind, whose)))
            else:
                owner = "number" if tied else j
                found.append((j, low, spans[j], False, variable.kind == "integer", ("number", owner)))
    if not found:
        return None
    order: dict[tuple[object, ...], int] = {}
    group = [order.setdefault(one[5], len(order)) for one in found]
    columns_, offset, scale_, root, whole, _ = zip(*found, strict=True)
    return Features(
        np.array(columns_, dtype=np.intp),
        np.array(offset),
        np.array(scale_),
        np.array(root),
        np.array(whole),
        np.array(group, dtype=np.intp),
    )


def named(space: Space, features: Features) -> Features | None:
    """Features of which each column serves once, with levels of categories placed by their names.

    None where no names say anything.
    """
    place = {int(j): at for at, j in enumerate(features.columns)}
    rows, blocks, groups = [], [], []
    for one in space.variables:
        mine = [place[j] for j in one.columns if j in place]
        names = (space.names[features.columns[at]].removeprefix(f"{one.name}=") for at in mine)
        points = placed(tuple(names)) if one.kind == "category" else None
        if points is not None:
            rows.append(mine)
            # A level's column is 1/√2 where it is that level: points are for columns of 1.
            blocks.append(math.sqrt(2.0) * points)
            groups.append(np.full(points.shape[1], features.group[mine[0]]))
    if not rows:
        return None
    others = np.setdiff1d(np.arange(len(features.columns)), np.concatenate(rows))
    placing = np.empty((len(features.columns), sum(one.shape[1] for one in blocks) + len(others)))
    placing[np.concatenate([*rows, others])] = block_diag(*blocks, np.eye(len(others)))
    return replace(features, group=np.concatenate([*groups, features.group[others]]), placing=placing)


def kernels_of(space: Space) -> list[Kernel]:
    """The kernels to choose among for a space, the plainest first; none where nothing varies."""
    variables = space.variables
    kinds = {one.kind for one in variables}
    found: list[Kernel] = []

    def add(name: str, *terms: tuple[tuple[Profile, Features | None], ...]) -> None:
        kept = [tuple(Factor(profile, one) for profile, one in term if one is not None) for term in terms]
        if kept and all(kept):
            found.append(Kernel(name, tuple(kept)))

    ways: tuple[tuple[Mixed, str], ...] = (("amounts", ""),)
    if "mixture" in kinds:
        ways = (
            ("amounts", ", amounts"),
            ("hellinger", ", Hellinger"),
            ("tied", ", amounts and Hellinger tied"),
        )
    wide = space.width > 12 and kinds <= {"number", "integer"}
    for way, said in ways:
        every = features_of(space, variables, way)
        add(f"Matérn 5/2{said}", (("matern52", every),))
        if wide:
            add("Matérn 5/2, one length", (("matern52", features_of(space, variables, way, tied=True)),))
    categories = [one for one in variables if one.kind == "category"]
    rest = [one for one in variables if one.kind != "category"]
    if categories:
        hamming = features_of(space, categories, "amounts")
        add(
            "Hamming exponential × Matérn 5/2",
            (("rbf", hamming), ("matern52", features_of(space, rest, "tied"))),
        )
        every = features_of(space, variables, "amounts")
        if every is not None:
            add("Matérn 5/2, names", (("matern52", named(space, every)),))
        levels = sum(len(one.columns) for one in categories if len(one.columns) >= 3)
        if 3 <= levels <= MOST_APART:
            add("Matérn 5/2, levels", (("matern52", features_of(space, variables, "amounts", apart=True)),))
    singles = [features_of(space, [one], "tied") for one in variables]
    varied = [one for one in singles if one is not None]
    if 2 <= len(varied) <= 12:
        together = features_of(space, variables, "tied")
        add(
            "additive + Matérn 5/2",
            *((("matern52", one),) for one in varied),
            (("matern52", together),),
        )
    return found
