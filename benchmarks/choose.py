"""How many experiments until one of the best: Zairyo beside its peers, on tables of real experiments, in one run.

    python benchmarks/choose.py [--seeds 30] [--first 0] [--only TASK,…] [--peers PEER,…] [--tasks FOLDER]
    python benchmarks/choose.py --table FILE --maximise COLUMN [--table FILE --minimise COLUMN …]

Every search begins with the same 5 rows drawn at random for a seed, then makes up to 45 single picks, and is told a
row's outcome only once it picks it. Counted are experiments until one of the best 1 % of rows is made (51: not within
50). ``lnp3`` has three outcomes: the volume dominated after all 50, as a share of the table's, with outcomes brought
to 0 … 1 and measured from the worst of each.

Peers run in an environment of their own (``--environment``, made from ``peers/choose_requirements.txt`` in
``build/choose-peers`` where it is not there). Each finished search is kept in ``--cache``, so that a run goes on where
it was stopped; Zairyo's are kept for just the code that made them.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zairyo.campaign._base import Candidates, Objective, Problem, Strategy
from zairyo.campaign._hypervolume import hypervolume
from zairyo.campaign._pareto import STRATEGIES as SEVERAL
from zairyo.campaign._pools import candidates_from
from zairyo.campaign._seek_auto import SEEK

ROOT = Path(__file__).resolve().parents[1]
START, PICKS = 5, 45
#: table → outcomes, each with whether more (+1) or less (-1) is wanted.
TASKS: dict[str, dict[str, int]] = {
    "crossed_barrel": {"toughness": 1},
    "photo_wf3": {"degradation": -1},
    "oer_plate_4098": {"overpotential": -1},
    "thin_film": {"instability_index": -1},
    "suzuki_edbo": {"yield": 1},
    "lnp3": {"drug_loading": 1, "encap_efficiency": 1, "particle_diameter": -1},
}
PEERS = ("physbo", "botorch", "baybe", "optuna", "forest", "random")
PEERS_SEVERAL = ("botorch qLogNEHVI", "random")
DRAWS = 4000


@dataclass(frozen=True, eq=False)
class Task:
    """A complete table; outcomes are signed so that more is better."""

    name: str
    settings: pd.DataFrame
    Y: np.ndarray
    candidates: Candidates
    X: np.ndarray

    @classmethod
    def of(cls, name: str, table: pd.DataFrame, outcomes: dict[str, int]) -> Task:
        for outcome in outcomes:
            if outcome not in table:
                raise SystemExit(
                    f"{name} has no column {outcome!r}; it has {', '.join(map(str, table.columns))}"
                )
        signed = table[list(outcomes)].to_numpy(float) * list(outcomes.values())
        table = table[np.isfinite(signed).all(axis=1)].reset_index(drop=True)
        settings = table.drop(columns=list(outcomes))
        pool = candidates_from(settings)
        X = np.vstack([block.X for block in pool.blocks()])
        return cls(name, settings, signed[np.isfinite(signed).all(axis=1)], pool, X)

    @property
    def several(self) -> bool:
        return self.Y.shape[1] > 1

    @property
    def enough(self) -> float:
        """The least outcome among the best 1 %."""
        if self.several:
            return float("inf")
        return float(np.sort(self.Y[:, 0])[-max(1, -(-len(self.Y) // 100))])

    def start(self, seed: int) -> list[int]:
        return [int(row) for row in np.random.default_rng(seed).choice(len(self.Y), START, replace=False)]

    def result(self, rows: Sequence[int]) -> float:
        """Experiments needed, or the share of the volume."""
        if self.several:
            span = np.ptp(self.Y, axis=0)
            unit = (self.Y - self.Y.min(axis=0)) / np.where(span > 0, span, 1.0)
            zero = np.zeros(unit.shape[1])
            return hypervolume(unit[list(rows)], zero) / hypervolume(unit, zero)
        hits = np.flatnonzero(self.Y[list(rows), 0] >= self.enough)
        return float(hits[0] + 1) if len(hits) else float(START + PICKS + 1)

    def columns(self) -> list[dict[str, Any]]:
        """What is set, for peers."""
        found = []
        for name in self.settings.columns:
            values = self.settings[name]
            numeric = pd.api.types.is_numeric_dtype(values)
            kind = "number" if numeric else "category"
            found.append(
                {
                    "name": str(name),
                    "kind": kind,
                    "values": (values if numeric else values.astype(str)).tolist(),
                }
            )
        return found


def zairyo(task: Task, seed: int, strategy: Strategy) -> tuple[list[int], float]:
    """Rows in the order in which they were made, CPU seconds a pick."""
    objectives = tuple(Objective(f"outcome {k}") for k in range(task.Y.shape[1]))
    made, enough, picks = task.start(seed), task.enough, 0
    before = time.process_time()
    while picks < PICKS and task.Y[made, 0].max() < enough:
        rows = np.array(made)
        problem = Problem(
            task.candidates,
            task.X[rows],
            task.Y[rows],
            np.zeros(len(rows), bool),
            rows,
            np.empty((0, task.X.shape[1])),
            objectives,
            taken=np.sort(rows),
            avoid=task.X[rows],
            seed=seed,
        )
        found = strategy.pick(problem, 1)
        if not found:
            break
        if found[0].index in made:
            raise SystemExit(f"zairyo proposed row {found[0].index} of {task.name} again (seed {seed})")
        made.append(found[0].index)
        picks += 1
    return made, (time.process_time() - before) / max(picks, 1)


class Cache:
    """Finished searches, a JSON line each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[tuple[str, str, int], dict[str, Any]] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                one = json.loads(line)
                self.found[one["who"], one["task"], one["seed"]] = one

    def keep(self, who: str, task: str, seed: int, rows: list[int], seconds: float) -> None:
        one = {"who": who, "task": task, "seed": seed, "rows": rows, "seconds": seconds}
        self.found[who, task, seed] = one
        with self.path.open("a") as out:
            out.write(json.dumps(one) + "\n")


#: What a choice rests on.
RESTS_ON = (
    "learn/*.py",
    *(
        f"campaign/_{one}*.py"
        for one in ("acquisition", "fits", "hyper", "objectives", "pareto", "pool", "seek")
    ),
)


@functools.cache
def code() -> str:
    """Which code chooses: a hash of what it rests on, as it was when this began."""
    digest = hashlib.sha256()
    for pattern in RESTS_ON:
        for path in sorted((ROOT / "src" / "zairyo").glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def task_id(task: Task) -> str:
    """Name and content: a changed table is another task."""
    content = pd.util.hash_pandas_object(task.settings).to_numpy().tobytes() + task.Y.tobytes()
    return f"{task.name} {hashlib.sha256(content).hexdigest()[:8]}"


def environment(folder: Path) -> Path:
    """The Python of the peers' environment, made where it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        print("making the peers' environment …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        requirements = ROOT / "benchmarks" / "peers" / "choose_requirements.txt"
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(requirements)], check=True)
    return python


def run_peer(peer: str, task: Task, seeds: list[int], python: Path) -> Iterator[tuple[int, list[int], float]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "task.npz"
        np.savez(
            file,
            X=task.X,
            Y=task.Y,
            made=np.array([task.start(seed) for seed in range(max(seeds) + 1)]),
            enough=task.enough,
            columns=json.dumps(task.columns()),
        )
        script = ROOT / "benchmarks" / "peers" / "choose_peer.py"
        command = [python, script, peer, file, "--seeds", ",".join(map(str, seeds)), "--picks", PICKS]
        # Matrices of a few dozen rows are slower on several threads, for every peer.
        one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        # BoTorch compiles a part of itself at its first use; a run that was stopped meanwhile leaves a lock for ever.
        compiled = python.parents[1] / "torch-extensions"
        one["TORCH_EXTENSIONS_DIR"] = str(compiled)
        for lock in compiled.glob("**/lock"):
            lock.unlink()
        with (Path(folder) / "errors").open("w+") as errors:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, **one},
            )
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("{"):
                    told = json.loads(line)
                    yield told["seed"], told["rows"], told["seconds"]
            if process.wait():
                errors.seek(0)
                print(f"{peer} stopped on {task.name}:\n{errors.read()[-2000:]}", file=sys.stderr)


def measure(task: Task, who: str, seeds: Sequence[int], cache: Cache, python: Path | None) -> None:
    """All searches that are not in the cache yet."""
    key = task_id(task)
    strategy = who.partition(":")[2] or "auto"
    mine = who.startswith("zairyo")
    label = f"{who} {code()}" if mine else who
    missing = [seed for seed in seeds if (label, key, seed) not in cache.found]
    if not missing:
        return
    if mine:
        chosen = (SEVERAL if task.several else SEEK)[strategy]
        for seed in missing:
            cache.keep(label, key, seed, *zairyo(task, seed, chosen))
    elif python is not None:
        for seed, rows, seconds in run_peer(who, task, missing, python):
            cache.keep(who, key, seed, rows, seconds)


def interval(ratios: Iterable[np.ndarray]) -> tuple[float, float, float]:
    """Geometric mean over tasks of paired ratios, with its 95 % interval over seeds (bootstrap within each task)."""
    logs = [np.log(one) for one in ratios]
    rng = np.random.default_rng(0)
    draws = np.mean([one[rng.integers(0, len(one), (DRAWS, len(one)))].mean(axis=1) for one in logs], axis=0)
    middle = float(np.mean([one.mean() for one in logs]))
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(np.exp(middle)), float(np.exp(low)), float(np.exp(high))


def report(tasks: list[Task], mine: str, peers: Sequence[str], seeds: Sequence[int], cache: Cache) -> None:
    """Medians, CPU seconds a pick, and paired ratios of Zairyo to each peer."""

    def results(who: str, task: Task) -> dict[int, float]:
        label = f"{who} {code()}" if who.startswith("zairyo") else who
        found = {seed: cache.found.get((label, task_id(task), seed)) for seed in seeds}
        return {seed: task.result(one["rows"]) for seed, one in found.items() if one is not None}

    def seconds(who: str, task: Task) -> float:
        label = f"{who} {code()}" if who.startswith("zairyo") else who
        each = [
            one["seconds"]
            for seed in seeds
            if (one := cache.found.get((label, task_id(task), seed))) and len(one["rows"]) > START
        ]
        return float(np.mean(each)) if each else float("nan")

    single = [task for task in tasks if not task.several]
    if single:
        print(f"\nexperiments until one of the best 1 %, median of {len(seeds)} seeds (geometric mean)")
        print(f"{'':22}" + "".join(f"{task.name:>20.19s}" for task in single))
        for who in (mine, *peers):
            cells = []
            for task in single:
                each = np.array(list(results(who, task).values()))
                cells.append(
                    f"{np.median(each):.1f} ({np.exp(np.log(each).mean()):.1f})" if len(each) else "–"
                )
            print(f"{who:22}" + "".join(f"{cell:>20}" for cell in cells))
        print(f"\nCPU seconds a pick\n{'':22}" + "".join(f"{task.name:>20.19s}" for task in single))
        for who in (mine, *peers):
            print(f"{who:22}" + "".join(f"{seconds(who, task):20.3f}" for task in single))
        print(
            "\nZairyo's experiments as a share of the peer's, paired by seed, geometric mean [95 %]\n"
            f"{'':22}" + "".join(f"{task.name:>20.19s}" for task in single) + f"{'all':>20}"
        )
        for peer in peers:
            ratios, cells = [], []
            for task in single:
                ours, theirs = results(mine, task), results(peer, task)
                both = sorted(set(ours) & set(theirs))
                if not both:
                    cells.append("–")
                    continue
                ratios.append(np.array([ours[seed] / theirs[seed] for seed in both]))
                cells.append("{:.2f} [{:.2f}, {:.2f}]".format(*interval(ratios[-1:])))
            whole = "{:.2f} [{:.2f}, {:.2f}]".format(*interval(ratios)) if ratios else "–"
            print(f"{peer:22}" + "".join(f"{cell:>20}" for cell in [*cells, whole]))
    for task in tasks:
        if task.several:
            print(f"\n{task.name}: share of the table's dominated volume after {START + PICKS} experiments")
            ours = results(mine, task)
            for who in (mine, *PEERS_SEVERAL):
                theirs = results(who, task)
                both = sorted(set(ours) & set(theirs))
                if both:
                    ratio = interval([np.array([ours[seed] / theirs[seed] for seed in both])])
                    print(
                        f"{who:22}{np.mean(list(theirs.values())):8.4f}   CPU {seconds(who, task):.3f} s a pick   "
                        "Zairyo's as a share: {:.3f} [{:.3f}, {:.3f}]".format(*ratio)
                    )


def given_tasks(told: argparse.Namespace) -> list[Task]:
    if told.table:
        wanted = told.wanted or []
        if len(wanted) != len(told.table):
            raise SystemExit("give each --table its --maximise or --minimise")
        return [
            Task.of(path.stem, _read(path), {column: sign})
            for path, (column, sign) in zip(told.table, wanted, strict=True)
        ]
    only = [one for one in told.only.split(",") if one]
    for one in only:
        if one not in TASKS:
            raise SystemExit(f"there is no task {one!r}; there are {', '.join(TASKS)}")
    return [
        Task.of(name, pd.read_csv(told.tasks / f"{name}.csv"), outcomes)
        for name, outcomes in TASKS.items()
        if not only or name in only
    ]


def _read(path: Path) -> pd.DataFrame:
    readers = {".parquet": pd.read_parquet, ".xlsx": pd.read_excel, ".xls": pd.read_excel}
    return readers.get(path.suffix.lower(), pd.read_csv)(path)


class _Wanted(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        sign = 1 if option == "--maximise" else -1
        namespace.wanted = [*(namespace.wanted or []), (values, sign)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=Path, default=ROOT.parent / "shared" / "data" / "tasks")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", default="", help="names of tasks, with commas")
    parser.add_argument("--peers", default=",".join(PEERS), help="with commas; empty for none")
    parser.add_argument("--strategy", default="auto", help="of Zairyo")
    parser.add_argument("--table", type=Path, action="append", help="another complete table")
    parser.add_argument("--maximise", dest="wanted", action=_Wanted, metavar="COLUMN")
    parser.add_argument("--minimise", dest="wanted", action=_Wanted, metavar="COLUMN")
    parser.add_argument("--environment", type=Path, default=ROOT / "build" / "choose-peers")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "choose.jsonl")
    told = parser.parse_args()
    tasks = given_tasks(told)
    peers = [one for one in told.peers.split(",") if one]
    unknown = sorted(set(peers) - set(PEERS))
    if unknown:
        raise SystemExit(f"there is no peer {unknown[0]!r}; there are {', '.join(PEERS)}")
    told.cache.parent.mkdir(parents=True, exist_ok=True)
    cache, seeds = Cache(told.cache), range(told.first, told.first + told.seeds)
    code()
    python = environment(told.environment) if peers else None
    mine = "zairyo" if told.strategy == "auto" else f"zairyo:{told.strategy}"
    for task in tasks:
        others = [one for one in PEERS_SEVERAL if one.split()[0] in peers] if task.several else peers
        for who in (mine, *others):
            print(f"{task.name}: {who} …", file=sys.stderr, flush=True)
            measure(task, who, seeds, cache, python)
    report(tasks, mine, peers, seeds, cache)


if __name__ == "__main__":
    main()
