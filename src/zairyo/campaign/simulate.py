"""Replay a table whose outcomes are all known with any strategies: how many experiments would each have needed?

    found = simulate("barrels.csv", maximise("toughness"), strategies=["auto", "random"], seeds=20)
    print(found.text())

Every strategy begins with the same rows drawn at random, and is told a row's outcome only once it picks it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zairyo.campaign import _strategies
from zairyo.campaign._asking import distinct
from zairyo.campaign._base import CampaignError, Candidates, Floats, Integers, Objective, Problem, Strategy
from zairyo.campaign._objectives import feasible, front, loss, wanted, words
from zairyo.campaign._pools import candidates_from
from zairyo.measurement._fonts import fonts

#: The best share of a table's rows that is to be found.
BEST = 0.01
#: Draws of the bootstrap of paired ratios.
DRAWS = 2_000
#: Rows between which the error of a model is measured.
EVERY = 5


@dataclass(frozen=True, eq=False)
class Simulation:
    """What came of a replay.

    Attributes
    ----------
    title
        What was wanted.
    measure
        What ``curves`` hold: ``best value``, ``share of the best hypervolume`` or ``error`` (RMSE / SD of the rows not
        made).
    curves
        Strategy → shape (seeds, experiments): the measure after each experiment, from the last of the start on.
    needed
        Strategy → shape (seeds,): experiments until one of the best 1 % of rows was made; one more than there were
        where none was. Empty for models and several objectives.
    seconds
        Strategy → processor seconds a pick.
    start, picks
        Experiments at random, and picks after them.
    better
        Whether more of the measure is better.
    """

    title: str
    measure: str
    curves: dict[str, Floats]
    needed: dict[str, Integers]
    seconds: dict[str, float]
    start: int
    picks: int
    better: bool

    @property
    def baseline(self) -> str:
        """With which the others are compared: random if it is among them, else the first."""
        return "random" if "random" in self.curves else next(iter(self.curves))

    def against(self, name: str) -> tuple[float, float, float]:
        """Geometric mean of paired ratios to the baseline, with its 95 % interval (bootstrap over seeds).

        Of the experiments needed, or of the last value of the measure; below 1 is better for experiments and errors.
        """
        mine, other = self._last(name), self._last(self.baseline)
        good = (mine > 0) & (other > 0)
        if good.sum() < 2:
            return (float("nan"),) * 3
        ratios = np.log(mine[good] / other[good])
        rows = np.random.default_rng(0).integers(len(ratios), size=(DRAWS, len(ratios)))
        low, high = np.quantile(ratios[rows].mean(axis=1), [0.025, 0.975])
        return float(np.exp(ratios.mean())), float(np.exp(low)), float(np.exp(high))

    def _last(self, name: str) -> Floats:
        return self.needed[name].astype(float) if self.needed else self.curves[name][:, -1]

    def rows(self) -> list[dict[str, Any]]:
        """A row a strategy, as for a table."""
        found = []
        for name, curve in self.curves.items():
            ratio, low, high = self.against(name)
            row: dict[str, Any] = {"strategy": name}
            if self.needed:
                row["median experiments until the best 1 %"] = float(np.median(self.needed[name]))
                row["found"] = float(np.mean(self.needed[name] <= self.start + self.picks))
            row[f"median {self.measure} at the end"] = float(np.median(curve[:, -1]))
            row |= {f"ratio to {self.baseline}": ratio, "from": low, "to": high}
            row["CPU seconds a pick"] = self.seconds[name]
            found.append(row)
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it, every curve included."""
        return {
            "title": self.title, "measure": self.measure, "start": self.start, "picks": self.picks,
            "baseline": self.baseline, "strategies": self.rows(),
            "curves": {name: curve.tolist() for name, curve in self.curves.items()},
            "needed": {name: needed.tolist() for name, needed in self.needed.items()},
        }  # fmt: skip

    def text(self) -> str:
        """For the terminal."""
        rows = self.rows()
        seeds = len(next(iter(self.curves.values())))
        head = f"{self.title}: {self.start} experiments at random and {self.picks} picks, {seeds} times."
        if self.needed:
            head += f" {self.start + self.picks + 1} stands for: not found."
        columns = list(rows[0])
        cells = [columns, *([_cell(row[c]) for c in columns] for row in rows)]
        widths = [max(len(line[k]) for line in cells) for k in range(len(columns))]
        return "\n".join(
            [
                head,
                *(
                    "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()
                    for line in cells
                ),
            ]
        )

    __repr__ = text

    def _repr_html_(self) -> str:
        import html

        rows = self.rows()
        head = "".join(f"<th>{html.escape(c)}</th>" for c in rows[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(v))}</td>" for v in r.values()) + "</tr>" for r in rows
        )
        return f"<p>{html.escape(self.title)}</p><table><tr>{head}</tr>{body}</table>"

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Medians and quartiles of the measure against experiments, as a matplotlib figure, or saved to a file."""
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise CampaignError("plots need matplotlib: pip install 'zairyo[notebook]'") from None
        with fonts():
            figure = Figure(figsize=(7.0, 4.0), layout="constrained")
            axes = figure.subplots()
            for k, (name, curve) in enumerate(self.curves.items()):
                x = self.start + np.arange(curve.shape[1])
                low, middle, high = np.nanquantile(curve, [0.25, 0.5, 0.75], axis=0)
                axes.plot(x, middle, color=f"C{k}", label=name)
                axes.fill_between(x, low, high, color=f"C{k}", alpha=0.2, lw=0)
            axes.set_xlabel("experiments")
            axes.set_ylabel(self.measure)
            axes.set_title(f"{self.title}: median and quartiles")
            axes.legend()
            if path is not None:
                figure.savefig(path, dpi=150)
        return figure


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


@dataclass(frozen=True, eq=False)
class _Known:
    """A table all of whose outcomes are known."""

    candidates: Candidates
    X: Floats
    index: Integers
    Y: Floats
    objectives: tuple[Objective, ...]
    measure: str = field(default="best value")

    def problem(self, made: Sequence[int], seed: int) -> Problem:
        rows = np.array(made, int)
        Y = self.Y[rows]
        return Problem(
            self.candidates, self.X[rows], Y, ~np.isfinite(Y).any(axis=1), self.index[rows],
            np.empty((0, self.X.shape[1])), self.objectives, np.sort(self.index[rows]), self.X[rows], seed=seed,
        )  # fmt: skip


def simulate(
    table: Any,
    objectives: Sequence[Objective] | Objective,
    *,
    strategies: Sequence[str | Strategy] = ("auto", "random"),
    aim: str | None = None,
    seeds: int = 20,
    start: int = 5,
    picks: int = 45,
    batch: int = 1,
    settings: Sequence[str] | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> Simulation:
    """Replay a table.

    Parameters
    ----------
    table
        A DataFrame, a table or a file: settings and outcomes. A row without any outcome is an experiment that fails.
    objectives, aim, strategies
        As for :class:`zairyo.campaign.Campaign`.
    seeds
        How often, each time from other rows at random.
    start, picks
        Experiments at random, and picks after them.
    batch
        Picks at a time.
    settings
        The columns that are set; all but outcomes if None.
    progress
        Called with a strategy's name and a seed before each replay.

    Raises
    ------
    CampaignError
        There are too few rows, or an outcome or a strategy is not there.
    """
    wants = (objectives,) if isinstance(objectives, Objective) else tuple(objectives)
    aim = aim or _strategies.aim_of(wants)
    named = {
        s if isinstance(s, str) else s.name: _strategies.strategy_for(aim, s, wants)
        if isinstance(s, str)
        else s
        for s in strategies
    }
    if not named or seeds < 1 or start < 1 or picks < 1 or batch < 1:
        raise CampaignError(
            "a replay needs a strategy, a seed, an experiment at the start, and a pick or more"
        )
    known = _read(table, wants, settings)
    if len(known.index) < start + picks:
        rows = "1 row" if len(known.index) == 1 else f"{len(known.index)} rows"
        raise CampaignError(
            f"the table has {rows}, and {start} + {picks} = {start + picks} are to be made; lower start or picks"
        )
    curves: dict[str, Floats] = {}
    orders: dict[str, list[list[int]]] = {}
    seconds: dict[str, float] = {}
    for name, strategy in named.items():
        runs = []
        begun = time.process_time()
        for seed in range(seeds):
            if progress is not None:
                progress(name, seed)
            runs.append(_replay(known, strategy, seed, start, picks, batch))
        seconds[name] = (time.process_time() - begun) / (seeds * picks)
        orders[name] = runs
        curves[name] = np.array([_curve(known, run, start, seed) for seed, run in enumerate(runs)])
    needed = {}
    if len(wanted(wants)) == 1:
        needed = {name: np.array([_until(known, run) for run in runs]) for name, runs in orders.items()}
    title = "; ".join(words(o) for o in wants)
    return Simulation(title, known.measure, curves, needed, seconds, start, picks, known.measure != "error")


def _read(table: Any, objectives: tuple[Objective, ...], settings: Sequence[str] | None) -> _Known:
    from zairyo.campaign._cells import present
    from zairyo.campaign._telling import records

    outcomes = [o.name for o in objectives]
    rows = records(table)
    for name in outcomes:
        if rows and name not in rows[0]:
            raise CampaignError(f"there is no column {name!r}; there are {', '.join(rows[0])}")
    Y = np.full((len(rows), len(objectives)), np.nan)
    for i, row in enumerate(rows):
        for k, name in enumerate(outcomes):
            value = present(row[name])
            if isinstance(value, (int, float)):
                Y[i, k] = value
            elif value is not None and not str(value).lower().startswith("failed"):
                raise CampaignError(
                    f"row {i}, column {name!r}: {value!r} is not a number; what is replayed are numbers, no phases"
                )
    if not np.isfinite(Y).any(axis=0).all():
        empty = [name for name, any_ in zip(outcomes, np.isfinite(Y).any(axis=0), strict=True) if not any_]
        raise CampaignError(
            f"no row has {' or '.join(empty)}: a replay needs a table whose outcomes are known"
        )
    candidates = candidates_from(table, leave=tuple(outcomes), settings=settings)
    blocks = list(candidates.blocks())
    index = np.concatenate([b.index for b in blocks])
    X = np.concatenate([b.X for b in blocks])
    many = len(wanted(objectives))
    measure = "error" if not many else "best value" if many == 1 else "share of the best hypervolume"
    return _Known(candidates, X, index, np.where(np.isfinite(Y), Y, np.nan)[index], objectives, measure)


def _replay(known: _Known, strategy: Strategy, seed: int, start: int, picks: int, batch: int) -> list[int]:
    """Rows in the order in which they are made."""
    place = {int(i): row for row, i in enumerate(known.index)}
    made = [
        int(row) for row in np.random.default_rng([seed, 4]).choice(len(known.index), start, replace=False)
    ]
    while len(made) < start + picks:
        problem = known.problem(made, seed)
        count = min(batch, start + picks - len(made))
        found = distinct(problem, strategy.pick(problem, count))
        if not found:  # only duplicates of rows already made are left
            break
        made += [place[pick.index] for pick in found]
    return made


def _losses(known: _Known) -> Floats:
    columns = wanted(known.objectives)
    found = np.column_stack([loss(known.objectives[k], known.Y[:, k]) for k in columns])
    found[~feasible(known.objectives, known.Y)] = np.nan
    return found


def _until(known: _Known, made: Sequence[int]) -> int:
    """Experiments until one is among the best of the whole table."""
    losses = _losses(known)[:, 0]
    best = np.sort(losses[np.isfinite(losses)])
    limit = best[max(0, int(np.ceil(BEST * len(best))) - 1)]
    hits = np.flatnonzero(losses[list(made)] <= limit)
    return int(hits[0]) + 1 if len(hits) else len(made) + 1


def _curve(known: _Known, made: list[int], start: int, seed: int) -> Floats:
    if known.measure == "error":
        return _errors(known, made, start, seed)
    losses = _losses(known)
    if losses.shape[1] == 1:
        k = wanted(known.objectives)[0]
        values = np.full(len(made), np.nan)
        top: int | None = None
        for at, row in enumerate(made):
            if np.isfinite(losses[row, 0]) and (top is None or losses[row, 0] < losses[top, 0]):
                top = row
            values[at] = np.nan if top is None else known.Y[top, k]
        return values[start - 1 :]
    finite = np.isfinite(losses).all(axis=1)
    low, high = losses[finite].min(axis=0), losses[finite].max(axis=0)
    unit = (losses - low) / np.where(high > low, high - low, 1.0)
    whole = _volume(unit[finite])
    return np.array(
        [
            _volume(unit[made[:n]][np.isfinite(unit[made[:n]]).all(axis=1)]) / whole
            for n in range(start, len(made) + 1)
        ]
    )


def _volume(losses: Floats) -> float:
    """Share of the unit box that points dominate, by a fixed sample."""
    if not len(losses):
        return 0.0
    from scipy.stats import qmc

    losses = losses[front(losses)]
    box = qmc.Sobol(losses.shape[1], seed=0).random(4096)
    beaten = np.zeros(len(box), bool)
    for point in losses:
        beaten |= (point <= box).all(axis=1)
    return float(beaten.mean())


def _errors(known: _Known, made: list[int], start: int, seed: int) -> Floats:
    """RMSE of the rows not made in units of their spread, by a Gaussian process on those made, now and then."""
    from zairyo.learn import LearnError, fit_gp

    found = np.full(len(made) - start + 1, np.nan)
    for n in [*range(start, len(made), EVERY), len(made)]:
        rest = np.setdiff1d(np.arange(len(known.index)), made[:n])
        each = []
        for k in range(known.Y.shape[1]):
            y = known.Y[:, k]
            rows, test = np.array(made[:n])[np.isfinite(y[made[:n]])], rest[np.isfinite(y[rest])]
            if not len(rows) or not len(test):
                continue
            try:
                mean = fit_gp(known.X[rows], y[rows], known.candidates.space, seed=seed, starts=1).predict(
                    known.X[test]
                )[0]
            except LearnError:
                mean = np.full(len(test), y[rows].mean())
            each.append(float(np.sqrt(np.mean((mean - y[test]) ** 2)) / (np.nanstd(y) or 1.0)))
        found[n - start] = np.mean(each) if each else np.nan
    at = np.flatnonzero(np.isfinite(found))
    return np.interp(np.arange(len(found)), at, found[at]) if len(at) else found


__all__ = ["Simulation", "simulate"]
