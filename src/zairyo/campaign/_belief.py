"""What the campaign believes of experiments not yet made, as it tells people: values with ranges, chances, gains.

Of an outcome whose best is wanted it is what the strategies that look for it believe, of others the Gaussian process
of :func:`zairyo.learn.fit_gp`; whichever strategy chose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtr, stdtrit

from zairyo.campaign._base import Floats, Mask, Objective, Problem
from zairyo.campaign._objectives import feasible, front, loss, wanted
from zairyo.campaign._phases import phase_map
from zairyo.campaign._seek_score import direction, fitted
from zairyo.learn import GP, LearnError, Success, fit_gp, fit_success
from zairyo.learn._output import Output

#: Half of the 90 % range, in standard deviations.
HALF = 1.6448536269514722
#: Draws for chances that have no closed form.
DRAWS = 512


@dataclass(frozen=True, eq=False)
class Outlook:
    """Of one outcome at m candidates, each of shape (m,): a new measurement's mean, deviation and 90 % range.

    The deviation is as the model gives it, the range as wide as earlier predictions show that it must be.
    """

    mean: Floats
    sd: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True, eq=False)
class Model:
    """Gaussian processes of one outcome and their weights, which sum to 1; all have the same scale."""

    members: tuple[GP, ...]
    weights: Floats

    @property
    def output(self) -> Output:
        """How outcomes are brought to the scale of the model."""
        return self.members[0].output

    @property
    def noise(self) -> float:
        """Variance of a measurement about the function, on the scale of the model."""
        return float(
            sum(w * math.exp(gp.theta[-1]) for w, gp in zip(self.weights, self.members, strict=True))
        )

    def latent(self, X: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the function, each of shape (m,), on the scale of the model."""
        each = [gp.latent(X) for gp in self.members]
        means, variances = np.array([one[0] for one in each]), np.array([one[1] for one in each])
        mean = self.weights @ means
        return mean, self.weights @ (variances + (means - mean) ** 2)

    def samples(self, X: Floats, count: int, rng: np.random.Generator) -> Floats:
        """Joint draws of the function, shape (count, m)."""
        shares = np.diff(np.round(np.concatenate([[0.0], np.cumsum(self.weights)]) * count).astype(int))
        drawn = [gp.samples(X, int(k), rng) for gp, k in zip(self.members, shares, strict=True) if k]
        return rng.permutation(np.vstack(drawn), axis=0)

    def removed(self, X: Floats, reference: Floats) -> Floats:
        """Share of the mean variance over ``reference`` that measuring each row would remove, shape (m,)."""
        shares = [
            gp.variance_reduction(X, reference) / max(float(gp.latent(reference)[1].mean()), 1e-300)
            for gp in self.members
        ]
        return np.asarray(self.weights @ np.array(shares))


def _signed(gp: GP, sign: float) -> GP:
    """The same process of outcomes times ``sign``, 1 or -1."""
    if sign > 0:
        return gp
    output = gp.output
    output = replace(output, middle=-output.middle, centre=-output.centre, sign=-output.sign)
    return replace(gp, t=-gp.t, output=output)


@dataclass(frozen=True, eq=False)
class Belief:
    """Models of all outcomes.

    Attributes
    ----------
    problem
        What was told.
    mine
        Shape (n,): the rows of this campaign at the highest fidelity, among which the best is looked for.
    factor
        By how much earlier predictions were further off than promised, 1 or more; ranges are wider by it.
    """

    problem: Problem
    mine: Mask
    factor: float = 1.0

    @cached_property
    def models(self) -> list[Model | None]:
        """One an objective; None for classes and where nothing can be learned."""
        return [self._model(k) for k in range(len(self.problem.objectives))]

    def _model(self, k: int) -> Model | None:
        problem, known, objective = self.problem, self.problem.known[:, k], self.problem.objectives[k]
        if objective.classes or not known.any():
            return None
        if objective.direction != "model":
            # As the strategies that look for the best have it, for whom more is better: so it is fitted once.
            found = fitted(problem, k)
            if found is not None:
                sign = direction(objective)
                return Model(tuple(_signed(one, sign) for one in found.members), found.weights)
        noise = None if problem.noise is None else problem.noise[known, k]
        X, y = problem.X[known], problem.Y[known, k]
        try:
            return Model((fit_gp(X, y, problem.space, noise=noise, seed=problem.seed, starts=1),), np.ones(1))
        except LearnError:
            return None

    @cached_property
    def success(self) -> Success | None:
        """None where nothing has failed yet."""
        problem = self.problem
        if not problem.failed.any():
            return None
        tried = problem.failed | problem.known.any(axis=1)
        return fit_success(problem.X[tried], (~problem.failed[tried]).astype(float), problem.space)

    def outlook(self, k: int, X: Floats) -> Outlook:
        """Of outcome ``k`` at rows ``X`` (m, p); NaN where nothing is known."""
        model = self.models[k]
        if model is None:
            nothing = np.full(len(X), np.nan)
            return Outlook(nothing, nothing, nothing, nothing)
        mean, variance = model.latent(X)
        sd, output = np.sqrt(variance + model.noise), model.output
        expected, spread = output.moments(mean, sd)
        half = HALF * self._wider(k) * sd
        return Outlook(expected, spread, output.backward(mean - half), output.backward(mean + half))

    def phases(self, k: int, X: Floats) -> dict[str, Floats]:
        """Class → its probability at each row, shape (m,).

        Empty where outcome ``k`` is a number, and while one class only was seen, which says nothing of the others.
        """
        problem, known = self.problem, self.problem.known[:, k]
        classes = problem.objectives[k].classes
        if not classes or len(np.unique(problem.Y[known, k])) < 2:
            return {}
        found = phase_map(problem.X[known], problem.Y[known, k], problem.space, classes).probabilities(X)
        return {name: found[:, j] for j, name in enumerate(classes)}

    def chance_of_success(self, X: Floats) -> Floats:
        return np.ones(len(X)) if self.success is None else self.success.probability(X)

    @cached_property
    def losses(self) -> Floats:
        """Shape (n, w): of the rows of this campaign that hold all constraints, else NaN."""
        problem = self.problem
        columns = wanted(problem.objectives)
        found = np.column_stack(
            [loss(problem.objectives[k], problem.Y[:, k]) for k in columns] or [np.empty((len(problem.Y), 0))]
        )
        found[~(self.mine & ~problem.failed & feasible(problem.objectives, problem.Y))] = np.nan
        return found

    def chance(self, X: Floats) -> Floats:
        """Probability that each row gives a better outcome than all so far (is on the front; NaN where unknown).

        For a range it is the probability to lie in it.
        """
        problem = self.problem
        columns = wanted(problem.objectives)
        if not columns or any(self.models[k] is None for k in columns):
            return np.full(len(X), np.nan)
        fine = self.chance_of_success(X)
        for k, objective in enumerate(problem.objectives):
            if objective.constraint and self.models[k] is not None:
                fine = fine * self._inside(k, objective, X)
        if len(columns) == 1:
            k = columns[0]
            objective = problem.objectives[k]
            if objective.direction == "within":
                return fine * self._inside(k, objective, X)
            known = self.losses[:, 0][np.isfinite(self.losses[:, 0])]
            return fine if not len(known) else fine * self._below(k, objective, float(known.min()), X)
        return fine * self._on_front(columns, X)

    def _normal(self, k: int, X: Floats) -> tuple[Output, Floats, Floats]:
        model = self.models[k]
        assert model is not None
        mean, variance = model.latent(X)
        return model.output, mean, self._wider(k) * np.sqrt(variance + model.noise)

    def _wider(self, k: int) -> float:
        """By how much ranges are wider than the model's: for earlier errors, and for the few data it rests on."""
        freedom = max(int(self.problem.known[:, k].sum()) - 1, 1)
        return self.factor * float(stdtrit(freedom, 0.95)) / HALF

    def _inside(self, k: int, objective: Objective, X: Floats) -> Floats:
        return self._between(k, objective.low, objective.high, X)

    def _between(self, k: int, low: float | None, high: float | None, X: Floats) -> Floats:
        output, mean, sd = self._normal(k, X)
        ends = [
            side if v is None else float(output.forward(np.array([v]))[0])
            for v, side in ((low, -np.inf), (high, np.inf))
        ]
        return np.asarray(ndtr((ends[1] - mean) / sd) - ndtr((ends[0] - mean) / sd))

    def _below(self, k: int, objective: Objective, best: float, X: Floats) -> Floats:
        if objective.direction == "maximise":
            return self._between(k, -best, None, X)
        if objective.direction == "minimise":
            return self._between(k, None, best, X)
        middle = objective.low or 0.0
        return self._between(k, middle - best, middle + best, X)

    def _on_front(self, columns: list[int], X: Floats) -> Floats:
        losses = self.losses
        known = losses[front(losses)]
        rng = np.random.default_rng([self.problem.seed, len(self.problem.Y), 11])
        found = np.empty(len(X))
        for start in range(0, len(X), 2048):
            piece = X[start : start + 2048]
            drawn = []
            for k in columns:
                output, mean, sd = self._normal(k, piece)
                t = mean + sd * rng.standard_normal((DRAWS, len(piece)))
                drawn.append(loss(self.problem.objectives[k], output.backward(t)))
            beaten = np.zeros((DRAWS, len(piece)), bool)
            for row in known:
                beaten |= np.logical_and.reduce([row[j] <= values for j, values in enumerate(drawn)])
            found[start : start + 2048] = 1.0 - beaten.mean(axis=0)
        return found

    @cached_property
    def reference(self) -> Floats:
        """Candidates that stand for all, shape (m, p)."""
        rng = np.random.default_rng([self.problem.seed, 12])
        return self.problem.candidates.draw(512, rng).X

    def teaches(self, X: Floats) -> Floats:
        """Share of the mean variance over all candidates that measuring each row would remove, shape (m,)."""
        shares = [m.removed(X, self.reference) for m in self.models if m is not None and len(self.reference)]
        return np.clip(np.mean(shares, axis=0), 0.0, 1.0) if shares else np.full(len(X), np.nan)

    def distances(self, x: Floats) -> Floats:
        """From one candidate to every row told, shape (n,), in shares of the columns' ranges (root mean square)."""
        space = self.problem.space
        span = np.where(space.upper > space.lower, space.upper - space.lower, 1.0)
        return np.asarray(np.sqrt((((self.problem.X - x) / span) ** 2).mean(axis=1)))
