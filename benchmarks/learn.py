"""How well few experiments predict, and how soon they find the best, on tables of real experiments.

    python benchmarks/learn.py [predict|choose|speed|all] [--tasks FOLDER] [--seeds 3] [--only TASK,…] [--holes 0.2]

``predict`` learns from 40 random rows of each table and predicts 300 others: error in deviations of the outcome,
coverage of 90 % intervals, CPU seconds; beside it scikit-learn's Gaussian process (Matérn 5/2, ARD) and random forest
in the same run. ``--holes`` is the share of settings that are missing, in tables of three settings at least;
scikit-learn fills them by its ``IterativeImputer``. ``choose`` is a check of the kernels only: 5 random picks, then by
expected improvement, until one of the best 1 % is found (51: not within 50). ``speed`` predicts a million candidates.
"""

from __future__ import annotations

import argparse
import csv
import re
import resource
import statistics
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import norm

from zairyo.learn import LearnWarning, Space, fit, fit_gp
from zairyo.learn._output import Output

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "tasks"


@dataclass(frozen=True)
class Task:
    """A complete table; the outcome is signed so that more is better."""

    name: str
    X: np.ndarray
    y: np.ndarray
    space: Space


def tasks(folder: Path) -> Iterator[Task]:
    for name, sign, mixed in (
        ("crossed_barrel", 1, False),
        ("photo_wf3", -1, True),
        ("oer_plate_4098", -1, True),
        ("thin_film", -1, True),
    ):
        _, rows = _read(folder / f"{name}.csv")
        X = np.array([[float(cell) for cell in row[:-1]] for row in rows])
        y = sign * np.array([float(row[-1]) for row in rows])
        yield Task(name, X, y, Space.of(X, mixture=range(X.shape[1]) if mixed else None))
    head, rows = _read(folder / "suzuki_edbo.csv")
    columns, kinds = [], []
    for j, variable in enumerate(head[:-1]):
        for level in sorted({row[j] for row in rows}):
            columns.append([float(row[j] == level) for row in rows])
            kinds.append(f"category:{variable}")
    X = np.array(columns).T
    yield Task("suzuki_edbo", X, np.array([float(row[-1]) for row in rows]), Space.of(X, kinds=kinds))
    _, rows = _read(folder / "metallic_glass.csv")
    made = [dict(re.findall(r"([A-Z][a-z]?)([\d.]+)", row[0])) for row in rows]
    elements = sorted({element for alloy in made for element in alloy})
    X = np.array([[float(alloy.get(element, 0)) / 100 for element in elements] for alloy in made])
    y = np.log1p([float(row[-1]) for row in rows])
    yield Task("metallic_glass", X, y, Space.of(X, names=elements, mixture=range(len(elements))))


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8") as lines:
        head, *rows = csv.reader(lines)
    return head, rows


def holed(task: Task, share: float, seed: int) -> Task:
    """The task with a share of its settings missing, in no row more than half of them."""
    rng, X = np.random.default_rng([seed, 7]), task.X.copy()
    lost = rng.random((len(X), len(task.space.variables))) < share
    lost[lost.mean(axis=1) > 0.5] = False
    for k, variable in enumerate(task.space.variables):
        X[np.ix_(np.flatnonzero(lost[:, k]), np.array(variable.columns))] = np.nan
    return replace(task, X=X)


def filled(task: Task, made: np.ndarray) -> np.ndarray:
    """The settings, with scikit-learn's guesses where they are missing."""
    if not np.isnan(task.X).any():
        return task.X
    from sklearn.experimental import enable_iterative_imputer
    from sklearn.impute import IterativeImputer

    assert enable_iterative_imputer
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not come to an end
        return np.asarray(IterativeImputer(random_state=0).fit(task.X[made]).transform(task.X))


def predict(whole: Task, seeds: int, holes: float) -> None:
    """Error / coverage / CPU seconds, the mean over seeds, for Zairyo and for scikit-learn."""
    if holes and len(whole.space.variables) < 3:
        return
    found: dict[str, list[tuple[float, float, float]]] = {}
    for seed in range(seeds):
        task = holed(whole, holes, seed) if holes else whole
        rows = np.random.default_rng(seed).permutation(len(task.y))
        made, rest = rows[:40], rows[40:340]
        for name, learn in (
            ("zairyo", zairyo),
            ("sklearn GP", sklearn_gp),
            ("sklearn forest", sklearn_forest),
        ):
            start = time.process_time()
            mean, half = learn(task, made, rest, seed)
            error = float(np.sqrt(np.mean((mean - task.y[rest]) ** 2)) / task.y.std())
            inside = float(np.mean(np.abs(mean - task.y[rest]) <= half))
            found.setdefault(name, []).append((error, inside, time.process_time() - start))
    for name, each in found.items():
        error, inside, seconds = np.mean(each, axis=0)
        print(
            f"{whole.name:16s} {name:15s} RMSE/SD {error:.3f}  coverage {inside:.2f}  CPU {seconds:6.2f} s",
            flush=True,
        )


def zairyo(task: Task, made: np.ndarray, rest: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LearnWarning)
        told = fit(task.X[made], task.y[made], space=task.space, seed=seed).predict(task.X[rest])
    return told.mean, np.where(task.y[rest] > told.mean, told.upper - told.mean, told.mean - told.lower)


def sklearn_gp(task: Task, made: np.ndarray, rest: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    span = np.where(task.space.upper > task.space.lower, task.space.upper - task.space.lower, 1.0)
    Z = (filled(task, made) - task.space.lower) / span
    kernel = ConstantKernel() * Matern(np.ones(Z.shape[1]), nu=2.5) + WhiteKernel(0.01)
    gp = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        gp.fit(Z[made], task.y[made])
    mean, sd = gp.predict(Z[rest], return_std=True)
    return mean, 1.645 * sd


def sklearn_forest(
    task: Task, made: np.ndarray, rest: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.ensemble import RandomForestRegressor

    X = filled(task, made)
    forest = RandomForestRegressor(200, random_state=seed).fit(X[made], task.y[made])
    each = np.array([tree.predict(X[rest]) for tree in forest.estimators_])
    return each.mean(axis=0), 1.645 * each.std(axis=0)


def choose(task: Task, seeds: int) -> None:
    """Picks until one of the best 1 % is found."""
    enough = np.sort(task.y)[-max(1, -(-len(task.y) // 100))]
    found, picks, start = [], 0, time.process_time()
    for seed in range(seeds):
        made = list(np.random.default_rng(seed).choice(len(task.y), 5, replace=False))
        while len(made) < 50 and task.y[made].max() < enough:
            output = Output.of(task.y[made], "plain")
            assert output is not None
            gp = fit_gp(task.X[made], task.y[made], task.space, seed=seed, starts=1, outputs=[output])
            mean, variance = gp.latent(task.X)
            z = (mean - gp.t.max()) / np.sqrt(variance)
            gain = norm.logpdf(z) + np.log(np.maximum(1 + z * np.exp(norm.logcdf(z) - norm.logpdf(z)), 1e-12))
            gain += 0.5 * np.log(variance)
            gain[made] = -np.inf
            made.append(int(np.argmax(gain)))
            picks += 1
        hit = np.flatnonzero(task.y[made] >= enough)
        found.append(int(hit[0]) + 1 if len(hit) else 51)
    seconds = (time.process_time() - start) / max(picks, 1)
    print(
        f"{task.name:16s} median {statistics.median(found):5.1f}  {found}  CPU {seconds:.3f} s a pick",
        flush=True,
    )


def speed() -> None:
    """A million candidates from 50 data in 6 dimensions."""
    rng = np.random.default_rng(0)
    X = rng.random((50, 6))
    candidates = rng.random((1_000_000, 6))
    gp = fit_gp(X, np.sin(5 * X[:, 0]) * X[:, 1] + X[:, 2] * X[:, 3], Space.of(candidates))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    gp.latent(candidates)
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(
        f"10⁶ candidates ({gp.kernel.name}): {seconds:.2f} s, CPU {cpu:.2f} s, {more:.0f} MB more", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", default="all", choices=("predict", "choose", "speed", "all"))
    parser.add_argument("--tasks", type=Path, default=FOLDER)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="names of tasks, with commas")
    parser.add_argument(
        "--holes", type=float, default=0.0, help="share of settings that are missing (predict)"
    )
    told = parser.parse_args()
    wanted = [one for one in told.only.split(",") if one]
    chosen = [task for task in tasks(told.tasks) if not wanted or task.name in wanted]
    if told.what in ("speed", "all"):
        speed()
    if told.what in ("choose", "all"):
        for task in chosen:
            if task.name != "metallic_glass":
                choose(task, told.seeds)
    if told.what in ("predict", "all"):
        for task in chosen:
            predict(task, told.seeds, told.holes)


if __name__ == "__main__":
    main()
