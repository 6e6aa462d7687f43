"""A peer chooses among the rows of a table; run by benchmarks/choose.py in the peers' environment.

    python choose_peer.py PEER TASK.npz --seeds 0,1,2 [--picks 45]

``TASK.npz`` holds ``X`` (features, categories one-hot), ``Y`` (outcomes, signed so that more is better), ``made``
(the rows that each seed starts from), ``enough`` (the outcome that ends a search; infinite where there are several
outcomes), ``columns`` (JSON: what is set, for peers that have words for it). One JSON line a seed: rows in the order
in which they were made, CPU seconds a pick.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

warnings.filterwarnings("ignore")


@dataclass
class Task:
    """A complete table."""

    X: np.ndarray
    Y: np.ndarray
    columns: list[dict[str, Any]]

    @property
    def unit(self) -> np.ndarray:
        """Features brought to 0 … 1."""
        low, high = self.X.min(axis=0), self.X.max(axis=0)
        return (self.X - low) / np.where(high > low, high - low, 1.0)


#: From the task, a seed: a function (rows made) → the next row.
Chooser = Callable[[np.ndarray], int]


def free(task: Task, made: np.ndarray) -> np.ndarray:
    return np.setdiff1d(np.arange(len(task.Y)), made)


def random(task: Task, seed: int) -> Chooser:
    rng = np.random.default_rng([seed, 1])
    return lambda made: int(rng.choice(free(task, made)))


def expected_improvement(mean: np.ndarray, deviation: np.ndarray, best: float) -> np.ndarray:
    from scipy.stats import norm

    deviation = np.maximum(deviation, 1e-9)
    z = (mean - best) / deviation
    return (mean - best) * norm.cdf(z) + deviation * norm.pdf(z)


def forest(task: Task, seed: int) -> Chooser:
    from sklearn.ensemble import RandomForestRegressor

    def choose(made: np.ndarray) -> int:
        y, rest = task.Y[made, 0], free(task, made)
        model = RandomForestRegressor(100, random_state=seed, n_jobs=1).fit(task.unit[made], y)
        each = np.array([tree.predict(task.unit[rest]) for tree in model.estimators_])
        return int(rest[np.argmax(expected_improvement(each.mean(axis=0), each.std(axis=0), y.max()))])

    return choose


def botorch(task: Task, seed: int) -> Chooser:
    import torch
    from botorch.acquisition.analytic import LogExpectedImprovement
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from gpytorch.mlls import ExactMarginalLogLikelihood

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    X, Y = torch.tensor(task.unit), torch.tensor(task.Y)

    def choose(made: np.ndarray) -> int:
        rest = free(task, made)
        model = SingleTaskGP(X[made], Y[made])
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        score = LogExpectedImprovement(model, best_f=Y[made].max())
        with torch.no_grad():
            values = torch.cat([score(part.unsqueeze(1)) for part in X[rest].split(1024)])
        return int(rest[int(values.argmax())])

    return choose


def botorch_hypervolume(task: Task, seed: int) -> Chooser:
    """qLogNEHVI, told the reference point by which the benchmark measures (users do not know it)."""
    import torch
    from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import ModelListGP, SingleTaskGP
    from botorch.sampling.normal import SobolQMCNormalSampler
    from gpytorch.mlls import SumMarginalLogLikelihood

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    X, Y = torch.tensor(task.unit), torch.tensor(task.Y)

    def choose(made: np.ndarray) -> int:
        rest = free(task, made)
        model = ModelListGP(*(SingleTaskGP(X[made], Y[made, k : k + 1]) for k in range(Y.shape[1])))
        fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
        score = qLogNoisyExpectedHypervolumeImprovement(
            model,
            ref_point=Y.min(dim=0).values.tolist(),
            X_baseline=X[made],
            sampler=SobolQMCNormalSampler(torch.Size([64]), seed=seed),
            prune_baseline=True,
        )
        with torch.no_grad():
            values = torch.cat([score(part.unsqueeze(1)) for part in X[rest].split(256)])
        return int(rest[int(values.argmax())])

    return choose


def physbo(task: Task, seed: int) -> Chooser:
    import contextlib
    import io

    from physbo.misc import centering
    from physbo.search.discrete import Policy

    X = centering(task.X)

    def choose(made: np.ndarray) -> int:
        with contextlib.redirect_stdout(io.StringIO()):
            policy = Policy(test_X=X, initial_data=(made, task.Y[made, 0]))
            policy.set_seed(seed + len(made))
            found = policy.bayes_search(
                max_num_probes=1,
                num_search_each_probe=1,
                simulator=None,
                score="EI",
                interval=0,
                num_rand_basis=0,
            )
        return int(found[0])

    return choose


def optuna(task: Task, seed: int) -> Chooser:
    """TPE suggests settings; the nearest row not yet made is made, and told as it is."""
    import optuna as package

    package.logging.set_verbosity(package.logging.ERROR)
    study = package.create_study(direction="maximize", sampler=package.samplers.TPESampler(seed=seed))
    spaces: dict[str, Any] = {}
    for column in task.columns:
        values = column["values"]
        if column["kind"] == "category":
            spaces[column["name"]] = package.distributions.CategoricalDistribution(sorted(set(values)))
        else:
            spaces[column["name"]] = package.distributions.FloatDistribution(min(values), max(values))
    told: set[int] = set()

    def choose(made: np.ndarray) -> int:
        for row in made:
            if int(row) not in told:
                told.add(int(row))
                settings = {column["name"]: column["values"][row] for column in task.columns}
                study.add_trial(
                    package.trial.create_trial(
                        params=settings, distributions=spaces, value=float(task.Y[row, 0])
                    )
                )
        wanted = study.ask(spaces).params
        apart = np.zeros(len(task.Y))
        for column in task.columns:
            values, one = np.array(column["values"]), wanted[column["name"]]
            if column["kind"] == "category":
                apart += values != one
            else:
                apart += ((values - one) / max(np.ptp(values), 1e-300)) ** 2
        rest = free(task, made)
        return int(rest[np.argmin(apart[rest])])

    return choose


def baybe(task: Task, seed: int) -> Chooser:
    import pandas as pd
    from baybe import Campaign
    from baybe.parameters import CategoricalParameter, NumericalDiscreteParameter
    from baybe.searchspace import SearchSpace
    from baybe.targets import NumericalTarget
    from baybe.utils.random import set_random_seed

    set_random_seed(seed)
    table = pd.DataFrame({column["name"]: column["values"] for column in task.columns})
    parameters = [
        CategoricalParameter(column["name"], sorted(set(column["values"])), encoding="OHE")
        if column["kind"] == "category"
        else NumericalDiscreteParameter(column["name"], sorted(set(column["values"])))
        for column in task.columns
    ]
    distinct = table.drop_duplicates()
    space = SearchSpace.from_dataframe(distinct, parameters)
    target = NumericalTarget("outcome")
    campaign = Campaign(space, target.to_objective())
    told: set[int] = set()

    def choose(made: np.ndarray) -> int:
        new = [int(row) for row in made if int(row) not in told]
        told.update(new)
        campaign.add_measurements(table.iloc[new].assign(outcome=task.Y[new, 0]))
        wanted = campaign.recommend(1)
        rest = free(task, made)
        same = np.ones(len(rest), dtype=bool)
        for name in table.columns:
            same &= table[name].to_numpy()[rest] == wanted[name].iloc[0]
        return int(rest[np.argmax(same)])

    return choose


PEERS: dict[str, Callable[[Task, int], Chooser]] = {
    "physbo": physbo,
    "botorch": botorch,
    "botorch qLogNEHVI": botorch_hypervolume,
    "baybe": baybe,
    "optuna": optuna,
    "forest": forest,
    "random": random,
}


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("peer", choices=PEERS)
    options.add_argument("task")
    options.add_argument("--seeds", required=True)
    options.add_argument("--picks", type=int, default=45)
    given = options.parse_args()
    file = np.load(given.task)
    task = Task(file["X"], file["Y"], json.loads(str(file["columns"])))
    enough = float(file["enough"])
    for seed in map(int, given.seeds.split(",")):
        made = [int(row) for row in file["made"][seed]]
        choose, before = PEERS[given.peer](task, seed), time.process_time()
        picks = 0
        while picks < given.picks and task.Y[made, 0].max() < enough:
            row = choose(np.array(made))
            if row in made:
                raise SystemExit(f"{given.peer} proposed row {row} again (seed {seed})")
            made.append(row)
            picks += 1
        seconds = (time.process_time() - before) / max(picks, 1)
        print(json.dumps({"seed": seed, "rows": made, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
