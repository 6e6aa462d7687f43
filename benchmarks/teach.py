"""How accurate a model becomes with each way of choosing what to make next, beside random, on real tables.

    python benchmarks/teach.py [--tasks FOLDER] [--seeds 10] [--only TASK,…] [--strategies NAME,…] [--batch 5]

A third of each table is kept for the test and never made. Of the others 5 are made at random (the same for all
strategies of a seed), then 35 as the strategy says. After 20 and 40 samples a Gaussian process and a random forest
learn from those made, and the error of their mean prediction on the test is told in deviations of the outcome.
For ``metallic_glass`` the outcome is log(1 + diameter), and the three temperatures are known of made alloys only.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from learn import FOLDER, Task, tasks
from zairyo.campaign._base import BLOCK, Block, Objective, Problem
from zairyo.campaign._teach import STRATEGIES
from zairyo.campaign._teach_scene import plain_kernel
from zairyo.learn import Space, fit_gp
from zairyo.learn._forest import Forest

START, LOOKS = 5, (20, 40)


class Pool:
    """Rows of a matrix as candidates."""

    def __init__(self, X: np.ndarray, space: Space) -> None:
        self.X, self.space, self.names, self.size = X, space, space.names, len(X)

    def blocks(self, rows: int = BLOCK) -> Iterator[Block]:
        for start in range(0, len(self.X), rows):
            part = self.X[start : start + rows]
            yield Block(np.arange(start, start + len(part)), part)

    def draw(
        self, count: int, rng: np.random.Generator, around: np.ndarray | None = None, width: float = 1.0
    ) -> Block:
        index = rng.choice(len(self.X), min(count, len(self.X)), replace=False)
        return Block(index, self.X[index])

    def encode(self, settings: Sequence[Any]) -> np.ndarray:
        return np.array([[one[name] for name in self.names] for one in settings], dtype=float)

    def decode(self, block: Block) -> list[dict[str, Any]]:
        return [dict(zip(self.names, row, strict=True)) for row in block.X]

    def locate(self, settings: Sequence[Any]) -> np.ndarray:
        return np.array(
            [int(np.flatnonzero((row == self.X).all(axis=1))[0]) for row in self.encode(settings)]
        )


def descriptors(folder: Path, task: Task) -> np.ndarray | None:
    """What is measured of made samples only."""
    if task.name != "metallic_glass":
        return None
    with (folder / "metallic_glass.csv").open(encoding="utf-8") as lines:
        _, *rows = csv.reader(lines)
    return np.array([[float(cell or "nan") for cell in row[1:4]] for row in rows])


def error(X: np.ndarray, y: np.ndarray, test: np.ndarray, truth: np.ndarray, space: Space) -> float:
    gp = fit_gp(X, y, space, kernels=[plain_kernel(space)], starts=1)
    said = gp.predict(test)[0] + Forest(trees=60).fit(X, y).predict(test)[0]
    return float(np.sqrt(np.mean((said / 2 - truth) ** 2)) / truth.std())


def replay(task: Task, D: np.ndarray | None, name: str, seed: int, batch: int) -> tuple[list[float], float]:
    """Errors at each look, and CPU seconds a pick."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(task.y))
    test, free = rows[: len(rows) // 3], rows[len(rows) // 3 :]
    pool, y = Pool(task.X[free], task.space), task.y[free]
    made = list(range(START))
    errors, spent = [], 0.0
    while len(made) < max(LOOKS):
        began = time.process_time()
        known = np.array(made)
        problem = Problem(
            pool,
            pool.X[known],
            y[known, None],
            np.zeros(len(known), bool),
            known,
            np.empty((0, task.space.width)),
            (Objective("y", "model"),),
            taken=np.sort(known),
            avoid=pool.X[known],
            D=None if D is None else D[free][known],
            seed=seed,
        )
        made += [pick.index for pick in STRATEGIES[name].pick(problem, batch)]
        spent += time.process_time() - began
        if len(made) in LOOKS:
            errors.append(error(pool.X[made], y[made], task.X[test], task.y[test], task.space))
    return errors, spent / (len(made) - START)


def interval(apart: np.ndarray) -> str:
    """A 95 % bootstrap interval of the mean of paired differences."""
    rng = np.random.default_rng(0)
    means = apart[rng.integers(len(apart), size=(4000, len(apart)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{apart.mean():+.3f} ({low:+.3f} … {high:+.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=Path, default=FOLDER)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", default="metallic_glass")
    parser.add_argument("--strategies", default="")
    parser.add_argument("--batch", type=int, default=5)
    given = parser.parse_args()
    if 35 % given.batch or 15 % given.batch:
        parser.error("--batch must be 1 or 5, so that there are 20 and 40 samples to look at")
    for task in tasks(given.tasks):
        if given.only != "all" and task.name not in given.only.split(","):
            continue
        D = descriptors(given.tasks, task)
        names = given.strategies.split(",") if given.strategies else list(STRATEGIES)
        names = [
            "random",
            *(one for one in names if one != "random" and (D is not None or one != "descriptors")),
        ]
        found = {}
        print(
            f"\n{task.name}: RMSE/SD, mean of {given.seeds} seeds; difference from random with 95 % interval"
        )
        for name in names:
            runs = [replay(task, D, name, seed, given.batch) for seed in range(given.seeds)]
            found[name] = np.array([errors for errors, _ in runs])
            cost = float(np.mean([spent for _, spent in runs]))
            parts = [
                f"at {look}: {found[name][:, k].mean():.3f}  {interval((found[name] - found['random'])[:, k])}"
                for k, look in enumerate(LOOKS)
            ]
            print(f"  {name:20}{'   '.join(parts)}   {cost:.3f} CPU s a pick", flush=True)


if __name__ == "__main__":
    main()
