"""Is this measurement worth making? What a measured descriptor takes off the error of prediction, and how sure that is.

    from zairyo.campaign import worth

    print(worth(settings, descriptors, strength, descriptor_names=["crystallinity", "melting_point"]))

Two questions are told apart. *Known*: the descriptor has been measured of the sample to be predicted too (a cheap
measurement in place of a dear one). *Made only*: it is known of the samples made, and of a candidate it must itself
be predicted from the settings; that is the case when the next experiment is chosen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zairyo.campaign import _worth_said as said
from zairyo.campaign._base import CampaignError, Floats
from zairyo.campaign._worth_models import DRAWS, Blended, Described, blended, described, joint_space
from zairyo.learn import Space
from zairyo.learn._threads import one_thread
from zairyo.learn._validate import groups_of

Sense: TypeAlias = Literal["known", "made only"]
Verdict: TypeAlias = Literal["worth making", "not worth making", "not settled"]
Language: TypeAlias = Literal["en", "ja"]
#: Samples below which nothing honest can be said.
FEWEST = 10
#: A share of the error below this is not worth a measurement, however sure it is.
LEAST_GAIN = 0.05
MOST_FOLDS = 10


@dataclass(frozen=True)
class Gain:
    """What including some descriptors changes.

    Attributes
    ----------
    descriptors
        Which are included.
    sense
        ``known`` of the sample to be predicted, or of ``made only``.
    without, with_
        Root mean square errors of samples left out, without and with them, in units of the property.
    gain
        The share of the error that they take away; negative where they add to it.
    lower, upper
        Its interval.
    """

    descriptors: tuple[str, ...]
    sense: Sense
    without: float
    with_: float
    gain: float
    lower: float
    upper: float

    @property
    def verdict(self) -> Verdict:
        """In words; ``not settled`` where the interval holds both a real gain and none."""
        if self.lower > 0 and self.upper >= LEAST_GAIN:
            return "worth making"
        return "not worth making" if self.upper < LEAST_GAIN else "not settled"


@dataclass(frozen=True)
class Worth:
    """The answer; prints as a table with a verdict.

    Attributes
    ----------
    target, unit
        The property's name and unit.
    samples
        How many samples it rests on.
    left_out
        How many were not used, because a setting, a descriptor or the property is not known.
    level
        Of the intervals, which hold for all rows of a sense together.
    folds, repeats
        Of the cross-validation.
    gains
        For each descriptor and, where there are several, for all together; in both senses.
    """

    target: str
    unit: str
    samples: int
    left_out: int
    level: float
    folds: int
    repeats: int
    gains: tuple[Gain, ...]

    def of(self, *descriptors: str, sense: Sense = "known") -> Gain:
        """The gain of one descriptor, or of several together."""
        for one in self.gains:
            if set(one.descriptors) == set(descriptors) and one.sense == sense:
                return one
        raise KeyError(f"{descriptors} in the sense {sense!r} was not asked")

    def samples_needed(self, gain: Gain) -> int | None:
        """About how many samples would settle a gain that is not settled; None where none can be told.

        The interval narrows with the root of the number of samples.
        """
        if gain.verdict != "not settled" or gain.gain < LEAST_GAIN:
            return None
        return math.ceil(self.samples * ((gain.gain - gain.lower) / gain.gain) ** 2)

    def sentence(self, gain: Gain, language: Language = "en") -> str:
        """What a gain means."""
        return said.sentence(self, gain, language)

    @property
    def verdict(self) -> str:
        """The plain answer, a line a descriptor."""
        return said.verdict(self, "en")

    def text(self, language: Language = "en") -> str:
        """The whole answer, in English or Japanese."""
        return said.text(self, language)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return said.html_of(self, "en")


def worth(
    X: ArrayLike,
    D: ArrayLike,
    y: ArrayLike,
    *,
    space: Space | None = None,
    descriptor_names: Sequence[str] | None = None,
    groups: Sequence[object] | None = None,
    target: str = "the property",
    unit: str = "",
    level: float = 0.9,
    repeats: int = 2,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Worth:
    """How much measured descriptors take off the error of a prediction, at today's number of samples.

    Every choice of model is made inside the training part (nested). Intervals are those of the corrected resampled
    t-test (Nadeau and Bengio 2003) on paired differences of squared errors, and simultaneous over the descriptors
    of a sense (Bonferroni).

    Parameters
    ----------
    X
        Shape (n, p): settings, known of every candidate.
    D
        Shape (n, d) or (n,): descriptors measured of these samples; rows with a NaN are left out.
    y
        Shape (n,): the property.
    space
        Of the settings; by default numbers.
    descriptor_names
        Of the d descriptors.
    groups
        Of each sample: those of one group (a batch, repeats of one recipe) are left out together; by default
        samples of the same settings.
    target, unit
        The property's name and unit, in which errors are told.
    level
        Of the intervals.
    repeats
        Of the cross-validation; the time it takes is proportional.
    seed
        Of the folds.
    progress
        Told before each fold how many are done, and of how many.

    Raises
    ------
    CampaignError
        Where shapes do not match, or fewer than ten samples of three groups are complete.
    """
    settings, measured, values = (np.asarray(one, dtype=float) for one in (X, D, y))
    measured = measured[:, None] if measured.ndim == 1 else measured
    if settings.ndim != 2 or values.shape != (len(settings),) or measured.shape[:1] != values.shape:
        raise CampaignError(
            f"settings of shape (n, p), descriptors (n, d) and a property (n,) are needed, not {settings.shape}, "
            f"{measured.shape} and {values.shape}"
        )
    names = tuple(f"descriptor {j}" for j in range(measured.shape[1]))
    names = names if descriptor_names is None else tuple(map(str, descriptor_names))
    if len(names) != measured.shape[1] or not names or len(set(names)) != len(names):
        raise CampaignError(
            f"{len(names)} names are given for {measured.shape[1]} descriptors; give each one of its own"
        )
    if groups is not None and len(groups) != len(values):
        raise CampaignError(f"{len(groups)} groups are given for {len(values)} samples; give one for each")
    if not 0.5 <= level < 1:
        raise CampaignError(f"level must be from 0.5 to below 1, not {level}")
    known = (np.abs(np.column_stack([settings, measured, values])) < 1e100).all(axis=1)
    if known.sum() < FEWEST:
        raise CampaignError(
            f"{int(known.sum())} of {len(known)} samples have all settings, descriptors and the property; at least "
            f"{FEWEST} are needed. A descriptor that few samples have can be left out"
        )
    space = space or Space.of(settings)
    if space.width != settings.shape[1]:
        raise CampaignError(f"the space has {space.width} columns, the settings {settings.shape[1]}")
    group = groups_of(
        settings[known], None if groups is None else [g for g, k in zip(groups, known, strict=True) if k]
    )
    folds = min(MOST_FOLDS, (int(group.max()) + 1) // 2)
    if folds < 2:
        raise CampaignError(
            "fewer than four groups of samples: none can be left out; give more samples or groups"
        )
    with one_thread():
        splits = list(_splits(group, folds, max(1, repeats), seed))
        errors = _errors(settings[known], measured[known], values[known], space, splits, seed, progress)
    gains = _gains(errors, names, level, folds)
    return Worth(target, unit, int(known.sum()), int((~known).sum()), level, folds, max(1, repeats), gains)


def _subsets(width: int) -> list[tuple[int, ...]]:
    """Each descriptor alone and, where there are several, all."""
    single: list[tuple[int, ...]] = [(j,) for j in range(width)]
    return [*single, tuple(range(width))] if width > 1 else single


def _splits(
    group: NDArray[np.intp], folds: int, repeats: int, seed: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    rng = np.random.default_rng([abs(seed), 29])
    count = int(group.max()) + 1
    for _ in range(repeats):
        fold = (rng.permutation(count) % folds)[group]
        for one in range(folds):
            yield np.flatnonzero(fold != one), np.flatnonzero(fold == one)


def _errors(
    X: Floats,
    D: Floats,
    y: Floats,
    space: Space,
    splits: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> Floats:
    """Mean squared errors, shape (splits, 1 + 2·subsets): without, then known and made only of each subset."""
    subsets = _subsets(D.shape[1])
    found = []
    for done, (train, test) in enumerate(splits):
        if progress is not None:
            progress(done, len(splits))
        models = [described(space, X[train], column, seed) for column in D[train].T]

        def error(said: Floats, test: NDArray[np.intp] = test) -> float:
            return float(np.mean((said - y[test]) ** 2))

        plain = blended(space, None, X[train], y[train], seed)
        row = [error(plain.predict(X[test]))]
        for subset in subsets:
            columns = np.array(subset)
            joint, descriptors = joint_space(space, D[:, columns])
            both = np.hstack([X[train], D[train][:, columns]])
            model = blended(joint, descriptors, both, y[train], seed, plain.output)
            row.append(error(model.predict(np.hstack([X[test], D[test][:, columns]]))))
            row.append(error(_carried(model, [models[j] for j in subset], X[test], seed)))
        found.append(row)
    return np.array(found)


def _carried(model: Blended, descriptors: list[Described], X: Floats, seed: int) -> Floats:
    """The property's mean over draws of what is predicted of the descriptors, shape (m,)."""
    from scipy.stats import norm, qmc

    each = [one.predict(X) for one in descriptors]
    mean, deviation = (np.column_stack([one[k] for one in each]) for k in (0, 1))
    sampled = qmc.Sobol(len(each), rng=np.random.default_rng(seed)).random(DRAWS)
    draws = norm.ppf(np.clip(sampled, 1e-6, 1 - 1e-6))
    rows = np.vstack([np.hstack([X, mean + draw * deviation]) for draw in draws])
    return np.asarray(model.predict(rows).reshape(DRAWS, len(X)).mean(axis=0))


def _gains(errors: Floats, names: tuple[str, ...], level: float, folds: int) -> tuple[Gain, ...]:
    from scipy.stats import t

    splits = len(errors)
    subsets = _subsets(len(names))
    far = float(t.ppf(1.0 - (1.0 - level) / (2 * len(subsets)), splits - 1))
    without = float(errors[:, 0].mean())
    scale = without if without > 0 else 1.0
    found = []
    for sense, offset in (("known", 1), ("made only", 2)):
        for k, subset in enumerate(subsets):
            mine = errors[:, offset + 2 * k]
            taken = (errors[:, 0] - mine) / scale
            wide = far * float(taken.std(ddof=1)) * math.sqrt(1.0 / splits + 1.0 / (folds - 1))
            middle = float(taken.mean())
            shares = [1.0 - math.sqrt(max(1.0 - one, 0.0)) for one in (middle, middle - wide, middle + wide)]
            titles = tuple(names[j] for j in subset)
            found.append(Gain(titles, sense, math.sqrt(without), math.sqrt(float(mine.mean())), *shares))  # type: ignore[arg-type]
    return tuple(found)
