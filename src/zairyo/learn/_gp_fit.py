"""Which kernel, which lengths, which transform: chosen by evidence, within a bounded and repeatable effort."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from zairyo.learn._gp import GP, Problem, negative_log_posterior, noise_prior, prior_of
from zairyo.learn._kernels import Distances, Kernel, kernels_of
from zairyo.learn._output import Output, Shape
from zairyo.learn._space import Floats, LearnError, Space
from zairyo.learn._threads import one_thread

#: Steps of the search for hyperparameters, from each start.
STEPS = 40
#: Rows from which hyperparameters are learned; the posterior takes all.
MOST_FOR_LENGTHS = 300
#: Rows of the posterior: beyond, its matrix costs more than trees do.
MOST_ROWS = 4000


@dataclass(frozen=True, eq=False)
class Fit:
    """Hyperparameters found for a kernel.

    Attributes
    ----------
    kernel, theta
        The kernel; its hyperparameters and last the log noise variance.
    evidence
        Log evidence by Laplace's approximation, in units of the data: comparable between kernels.
    """

    kernel: Kernel
    theta: Floats
    evidence: float


def fit_kernel(
    kernel: Kernel, problem: Problem, *, seed: int = 0, starts: int = 2, warm: Floats | None = None
) -> Fit:
    """The most probable hyperparameters of a kernel.

    Parameters
    ----------
    kernel, problem
        What to fit to what.
    seed
        Of the further starts and of the rows taken where there are many.
    starts
        How many; the first is short lengths, then draws from the prior.
    warm
        Hyperparameters found before on fewer data: taken as the first start.
    """
    rng = np.random.default_rng(seed)
    problem = _fewer(problem, rng)
    distances = Distances(kernel, problem.X)
    mean, deviation = prior_of(kernel, problem)
    lowest = np.append(np.full(len(mean) - 1, -5.0), -13.0)
    bounds = list(zip(lowest, np.append(np.full(len(mean) - 1, 8.0), 1.5), strict=True))

    def run(start: Floats) -> tuple[float, Floats]:
        found = minimize(
            negative_log_posterior,
            np.clip(start, lowest, None),
            args=(distances, problem),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": STEPS, "maxls": 10},
        )
        return float(found.fun), np.asarray(found.x)

    first = mean.copy()
    first[:-1][np.isclose(deviation[:-1], math.sqrt(3.0))] -= math.sqrt(2.0)
    tries = [first if warm is None else warm]
    tries += [mean + 0.5 * deviation * rng.standard_normal(len(mean)) for _ in range(starts - 1)]
    value, theta = min((run(start) for start in tries), key=lambda one: one[0])
    return Fit(kernel, theta, -value + _volume(theta, distances, problem))


def _fewer(problem: Problem, rng: np.random.Generator) -> Problem:
    if len(problem.t) <= MOST_FOR_LENGTHS:
        return problem
    rows = np.sort(rng.choice(len(problem.t), MOST_FOR_LENGTHS, replace=False))
    noise = None if problem.noise is None else problem.noise[rows]
    return Problem(problem.X[rows], problem.t[rows], noise, problem.noise_mean, problem.noise_sd)


def _volume(theta: Floats, distances: Distances, problem: Problem) -> float:
    """Laplace's log volume of the posterior's peak: ½ k log 2π - ½ log |Hessian|."""
    k, step = len(theta), 1e-3
    here = negative_log_posterior(theta, distances, problem)[1]
    hessian = np.empty((k, k))
    for j in range(k):
        shift = np.zeros(k)
        shift[j] = step
        hessian[j] = (negative_log_posterior(theta + shift, distances, problem)[1] - here) / step
    curvature = np.linalg.eigvalsh(0.5 * (hessian + hessian.T))
    # A flat direction is no wider than the prior, whose curvature is at least 1/9.
    return 0.5 * k * math.log(2 * math.pi) - 0.5 * float(np.log(np.maximum(curvature, 1.0 / 9.0)).sum())


def shapes_of(y: Floats) -> list[Output]:
    """The transforms that apply to these outputs, the plainest first."""
    wanted: tuple[Shape, ...] = ("plain", "log", "yeo-johnson")
    return [one for one in (Output.of(y, shape) for shape in wanted) if one is not None]


def problem_of(X: Floats, y: Floats, output: Output, noise: Floats | None = None) -> Problem:
    """The data on the scale of the model; ``noise`` is the known variance of each output in its own units."""
    t = output.forward(y)
    if noise is not None:
        noise = np.asarray(noise, dtype=float) * np.exp(2.0 * output.log_jacobian(y))
    return Problem(X, t, noise, *noise_prior(X, t))


def fit_gp(
    X: Floats,
    y: Floats,
    space: Space,
    *,
    noise: Floats | None = None,
    seed: int = 0,
    kernels: Sequence[Kernel] | None = None,
    outputs: Sequence[Output] | None = None,
    starts: int = 2,
) -> GP:
    """The Gaussian process of the kernel and transform of most evidence.

    Parameters
    ----------
    X, y
        Shapes (n, p) and (n,), finite, n ≥ 1.
    space
        What the columns are.
    noise
        Shape (n,): known variance of each output.
    seed, starts
        See :func:`fit_kernel`.
    kernels, outputs
        To choose among; by default those the space has and the outputs allow.
    """
    if len(y) == 0:
        raise LearnError("nothing to learn from: no row has both features and an output")
    return choose(X, y, space, noise=noise, seed=seed, kernels=kernels, outputs=outputs, starts=starts)[0]


def choose(
    X: Floats,
    y: Floats,
    space: Space,
    *,
    noise: Floats | None = None,
    seed: int = 0,
    kernels: Sequence[Kernel] | None = None,
    outputs: Sequence[Output] | None = None,
    starts: int = 2,
) -> tuple[GP, list[tuple[Fit, Output]]]:
    """As :func:`fit_gp`, and beside it everything that was tried, best first."""
    if len(y) > MOST_ROWS:
        kept = np.sort(np.random.default_rng(seed).choice(len(y), MOST_ROWS, replace=False))
        X, y, noise = X[kept], y[kept], None if noise is None else noise[kept]
    known = kernels_of(space) if kernels is None else list(kernels)
    if not known:
        raise LearnError("no column varies, so nothing can be told from them; give more columns or more rows")
    plain, *others = shapes_of(y) if outputs is None else list(outputs)
    with one_thread():
        tried = [_tried(kernel, X, y, plain, noise, seed, starts) for kernel in known]
        best = max(tried, key=lambda one: one[0].evidence)
        if len(y) >= 8:
            tried += [_tried(best[0].kernel, X, y, output, noise, seed, starts) for output in others]
    tried.sort(key=lambda one: -one[0].evidence)
    fit, output = tried[0]
    return GP.of(fit.kernel, fit.theta, problem_of(X, y, output, noise), output), tried


def _tried(
    kernel: Kernel, X: Floats, y: Floats, output: Output, noise: Floats | None, seed: int, starts: int
) -> tuple[Fit, Output]:
    fit = fit_kernel(kernel, problem_of(X, y, output, noise), seed=seed, starts=starts)
    share = min(1.0, MOST_FOR_LENGTHS / len(y))
    jacobian = float(output.log_jacobian(y).sum()) * share
    return Fit(fit.kernel, fit.theta, fit.evidence + jacobian), output
