"""The campaign: a search for the next experiments, shared by people and robots, of which everything is recorded.

campaign = Campaign(pool=candidates, objectives=[maximise("toughness")], seed=0, file="barrels.jsonl")
campaign.tell(made)
picks = campaign.ask(4)
campaign.explain(picks)
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zairyo.campaign import _asking, _naming, _objectives, _strategies
from zairyo.campaign._asking import Plan
from zairyo.campaign._base import CampaignError, Objective, Strategy
from zairyo.campaign._decisions import Decisions
from zairyo.campaign._designs import design_named, own_design
from zairyo.campaign._learning import Encoder, Learned, learned
from zairyo.campaign._log import NOTHING, CampaignWarning, FileLog, Log, MemoryLog, event_of, plain
from zairyo.campaign._state import Experiment, State
from zairyo.campaign._telling import TAKEN, Reader, assign, records

if TYPE_CHECKING:
    import pandas as pd

    from zairyo.campaign._explain import Explanations
    from zairyo.campaign._status import Status
    from zairyo.campaign._stop import Control, Stop


class Described(NamedTuple):
    """What a campaign is of."""

    objectives: tuple[Objective, ...]
    descriptors: tuple[str, ...]
    aim: str


class Campaign(Decisions):
    """A search for the next experiments.

    Parameters
    ----------
    pool
        The candidates: a DataFrame, a table, a file, a :class:`SearchSpace`, a list of parameters, or
        :class:`Candidates`. Columns of outcomes and descriptors in it are left out.
    objectives
        What is wanted: :func:`maximise`, :func:`minimise`, :func:`target`, :func:`within`, :func:`model`.
    aim
        In words: ``best value``, ``accurate model``, ``within a range``, ``map of phases``, ``something new``,
        ``references``, ``composition spread``. It follows from the objectives if None.
    strategy
        A name that serves the aim, or a :class:`Strategy` of your own.
    seed
        The same seed and history give the same recommendation.
    file
        Where everything is recorded (JSON lines); several may share it. ``log`` keeps it elsewhere; without either it
        is kept in memory.
    descriptors
        Names of what is measured of made samples beside the outcomes.
    constraints, cost, shared
        Handed to the candidates: conditions on settings; a column or expression of what an experiment costs; settings
        that all experiments of a batch have in common.
    start
        What is made first: a design by name (``sobol``, ``latin hypercube``, ``d-optimal``, ``simplex lattice``,
        ``simplex centroid``, ``extreme vertices``, ``factorial``), a table of one's own, or ``auto``: what the
        strategy does when little is known.
    start_size
        How many experiments it has; by default twice the number of settings, at least 5.
    replicates
        Whether an experiment may be proposed again.
    control
        Share of picks drawn at random, to compare with (0.2: every fifth).
    fidelity
        ``{"mesh": {"coarse": 1, "fine": 20}}``: a setting by which an experiment costs less and says less,
        value → cost. The dearest tells the truth.
    settings
        The pool's columns that are settings; all but outcomes and what a table says is something else if None.
    who
        Who works with this object; the account's name if None.
    """

    def __init__(
        self,
        pool: Any,
        objectives: Sequence[Objective] | Objective,
        *,
        aim: str | None = None,
        strategy: str | Strategy = "auto",
        seed: int = 0,
        file: str | os.PathLike[str] | None = None,
        log: Log | None = None,
        descriptors: Sequence[str] = (),
        constraints: Sequence[Any] = (),
        cost: str | float | None = None,
        shared: Sequence[str] = (),
        start: str | Any = "auto",
        start_size: int | None = None,
        replicates: bool = False,
        control: float = 0.0,
        fidelity: Mapping[str, Mapping[Any, float]] | None = None,
        settings: Sequence[str] | None = None,
        who: str | None = None,
    ) -> None:
        given = (objectives,) if isinstance(objectives, Objective) else tuple(objectives)
        _check_objectives(given, aim)
        aim = aim or _strategies.aim_of(given)
        if isinstance(strategy, str):
            _strategies.check(aim, strategy, given)
        if isinstance(start, str) and start != "auto":
            design_named(start)
        if not 0 <= control < 1:
            raise CampaignError(f"control is a share of the picks, from 0 to below 1, not {control!r}")
        chosen: Log = log if log is not None else FileLog(file) if file is not None else MemoryLog()
        if chosen.read(0):
            raise CampaignError(f"{file or 'the log'} has a campaign already; Campaign.open goes on with it")
        folder = Path(file).resolve().parent if file is not None else None
        created = {
            "pool": _naming.name_pool(pool, folder, _no_settings(given, descriptors)),
            "objectives": [_objectives.to_dict(o) for o in given],
            "aim": aim,
            "strategy": strategy if isinstance(strategy, str) else f"own: {strategy.name}",
            "seed": int(seed),
            "descriptors": list(descriptors),
            "constraints": [_storable(c) for c in constraints],
            "cost": cost,
            "shared": [shared] if isinstance(shared, str) else list(shared),
            "start": start if isinstance(start, str) else plain(records(start)),
            "start_size": start_size,
            "replicates": bool(replicates),
            "control": float(control),
            "fidelity": {
                k: [[v, float(c)] for v, c in levels.items()] for k, levels in (fidelity or {}).items()
            },
            "settings": None if settings is None else list(settings),
        }
        self._begin(
            chosen, folder, who, pool, None if isinstance(strategy, str) else strategy, created, constraints
        )
        _check_names((*self.candidates.names, *(o.name for o in self.objectives), *self.descriptors))
        self._write("created", lambda: created)
        for text in getattr(self.candidates, "notes", ()):
            warnings.warn(text, CampaignWarning, stacklevel=2)

    @classmethod
    def open(
        cls,
        file: str | os.PathLike[str] | None = None,
        *,
        log: Log | None = None,
        pool: Any = None,
        strategy: Strategy | None = None,
        constraints: Sequence[Any] | None = None,
        who: str | None = None,
    ) -> Campaign:
        """Go on with a campaign as it is recorded.

        Parameters
        ----------
        file, log
            Where.
        pool, strategy, constraints
            Only where the log does not hold them: candidates in memory too large for it, a strategy or constraints
            of your own in Python.

        Raises
        ------
        CampaignError
            It is not there; a line was changed (the line is named); or the candidates are no longer the same.
        """
        if (file is None) == (log is None):
            raise CampaignError("give the campaign's file or its log, one of them")
        chosen: Log = FileLog(file) if file is not None else log  # type: ignore[assignment]
        lines = chosen.read(0)
        if not lines:
            raise CampaignError(f"there is no campaign in {file or 'the log'}")
        first = event_of(lines[0], 1, NOTHING, str(file or "the log"))
        if first.kind != "created":
            raise CampaignError(
                f"{file or 'the log'}, line 1: a campaign begins with created, not {first.kind}"
            )
        created = first.data
        if str(created["strategy"]).startswith("own: ") and strategy is None:
            raise CampaignError(f"the campaign has the strategy {created['strategy']}; give it as strategy=…")
        folder = Path(file).resolve().parent if file is not None else None
        known = [_objectives.from_dict(o) for o in created["objectives"]]
        leave_out = _no_settings(known, created["descriptors"])
        found = _naming.find_pool(created["pool"], pool, folder, leave_out)
        self = cls.__new__(cls)
        kept = [_restored(c) for c in created["constraints"]] if constraints is None else list(constraints)
        self._begin(chosen, folder, who, found, strategy, created, kept)
        self.refresh()
        return self

    @staticmethod
    def described(file: str | os.PathLike[str]) -> Described:
        """What a recorded campaign is of, without its candidates.

        Raises
        ------
        CampaignError
            There is none.
        """
        lines = FileLog(file).read(0)
        if not lines:
            raise CampaignError(f"there is no campaign in {file}")
        created = event_of(lines[0], 1, NOTHING, str(file)).data
        wanted = tuple(_objectives.from_dict(o) for o in created["objectives"])
        return Described(wanted, tuple(created["descriptors"]), str(created["aim"]))

    def _begin(
        self,
        log: Log,
        folder: Path | None,
        who: str | None,
        pool: Any,
        own: Strategy | None,
        created: Mapping[str, Any],
        constraints: Sequence[Any],
    ) -> None:
        self._log, self._folder, self._own = log, folder, own
        self.who = _account() if who is None else who
        self._state, self._read, self._last = State(), 0, NOTHING
        self._now: Learned | None = None
        self.objectives = tuple(_objectives.from_dict(o) for o in created["objectives"])
        self.aim, self.seed = str(created["aim"]), int(created["seed"])
        self.descriptors = tuple(created["descriptors"])
        self._created = created
        leave_out = _no_settings(self.objectives, self.descriptors)
        more = {k: v for k, v in (("constraints", constraints), ("cost", created["cost"])) if v}
        if created["shared"]:
            more["shared"] = created["shared"]
        if created["settings"] is not None:
            more["settings"] = created["settings"]
        self.candidates = _naming.make(pool, leave_out, **more)
        for o in self.objectives:
            if o.name in self.candidates.names:
                raise CampaignError(f"{o.name!r} is an outcome and a setting; a setting cannot be sought")
        for name in (*created["shared"], *created["fidelity"]):
            if name not in self.candidates.names:
                raise CampaignError(
                    f"there is no setting {name!r}; there are {', '.join(self.candidates.names)}"
                )
        self._encoder = Encoder(self.candidates)

    # What is known --------------------------------------------------------------------------------------------------

    def changed(self) -> None:
        self._now = None

    @property
    def learned(self) -> Learned:
        """What there is to learn from, and the models of it."""
        if self._now is None:
            self._now = learned(
                self._state, self._encoder, self.objectives, self.descriptors,
                replicates=bool(self._created["replicates"]), seed=self.seed, fidelity=self._top,
            )  # fmt: skip
        return self._now

    @property
    def _top(self) -> tuple[str, Any] | None:
        plan = self._plan()
        return (plan.fidelity, plan.top) if plan.fidelity else None

    def _plan(self) -> Plan:
        created = self._created
        name = next(iter(created["fidelity"]), "")
        levels = dict(created["fidelity"].get(name, ()))
        shared = tuple(getattr(self.candidates, "shared", created["shared"]))
        return Plan(created["control"], self._state.picks, shared, name, levels)

    # Asking and telling ---------------------------------------------------------------------------------------------

    def ask(self, count: int = 1) -> pd.DataFrame:
        """The next experiments, a row each, indexed by their numbers.

        Asked again before anything is told, it gives further ones.

        Parameters
        ----------
        count
            How many; fewer come, with a warning, where no more candidates are free.

        Returns
        -------
        DataFrame
            The settings; ``candidate`` (place in the pool, −1 in an endless space); ``mean``, ``lower``, ``upper``
            (90 % range of a measurement; with the outcome's name where there are several); ``probability_best``;
            ``cost``; ``strategy``; ``reason``.
        """
        if isinstance(count, bool) or int(count) != count or count < 1:
            raise CampaignError(f"ask for 1 experiment or more, not {count!r}")
        wanted = int(count)
        data = self._write("asked", lambda: self._asked(wanted))
        numbers = [pick["number"] for pick in data["picks"]] if data else []
        if len(numbers) < wanted:
            many = f"only {len(numbers)} more experiments" if numbers else "no more experiments"
            many = many[:-1] if len(numbers) == 1 else many
            ruled = self._created["constraints"] or self._created["shared"]
            out = " or is ruled out by the constraints and shared settings" if ruled else ""
            warnings.warn(
                f"{many} can be proposed: every other candidate was made, is under way or was rejected{out}",
                CampaignWarning,
                stacklevel=2,
            )
        return self._frame(numbers)

    def _asked(self, count: int) -> Mapping[str, Any] | None:
        from zairyo.campaign._explain import told_of_picks

        known = self.learned
        chosen = _asking.choose(known.problem, self._strategy(), count, self._plan(), known.belief)
        if not chosen:
            return None
        rows = told_of_picks(known, chosen)
        return {"count": count, "picks": [{"number": self._state.next + k, **r} for k, r in enumerate(rows)]}

    def _strategy(self) -> Strategy:
        created = self._created
        own = self._own
        if own is None:
            own = _strategies.strategy_for(self.aim, created["strategy"], self.objectives)
        start = created["start"]
        begun = len(self._state.of_here()) + len(self._state.where("pending"))
        left = 0 if start == "auto" else self._start_size(start) - begun
        if left <= 0:
            return own
        design = design_named(start) if isinstance(start, str) else own_design(start)
        return _strategies.Started(design, left, own)

    def _start_size(self, start: Any) -> int:
        size = self._created["start_size"]
        return (
            int(size)
            if size
            else max(5, 2 * len(self.candidates.names))
            if isinstance(start, str)
            else len(start)
        )

    def tell(self, made: Any) -> pd.DataFrame:
        """Record what came of experiments.

        Parameters
        ----------
        made
            A DataFrame, a table, dicts or a file. Each row names its experiment by its settings, by the place in the
            pool (``candidate``) or by its number (``experiment``, or the index of what ``ask`` gave), and has outcomes,
            each with ``NAME uncertainty`` if known; ``state`` (made, failed, lost) and ``reason``; measured
            descriptors; ``who``. An outcome may be missing. Repeats are rows of the same settings.

        Returns
        -------
        DataFrame
            The experiments as they now are.

        Raises
        ------
        CampaignError
            A row cannot be used; nothing of the table is recorded then.
        """
        reader = Reader(self.candidates, self.objectives, self.descriptors)
        table = records(made)

        def rows() -> Mapping[str, Any] | None:
            read = reader.rows(table, self._state)
            found = assign(read, self._state, self.candidates, repeats=bool(self._created["replicates"]))
            return {"rows": found} if found else None

        data = self._write("told", rows)
        return self.experiments([row["number"] for row in data["rows"]] if data else [])

    def learn_from(self, made: Any, source: str = "earlier campaign") -> pd.DataFrame:
        """Learn from another campaign's experiments, which may be higher or lower throughout than this one's.

        Parameters
        ----------
        made
            As for :meth:`tell`.
        source
            Its name; rows of one source are taken to differ from this campaign in the same way.
        """
        if not source:
            raise CampaignError("give the earlier campaign a name: learn_from(table, source='2023')")
        reader = Reader(self.candidates, self.objectives, self.descriptors)
        table = [{k: v for k, v in row.items() if k != "experiment"} for row in records(made)]

        def rows() -> Mapping[str, Any]:
            found, number = [], self._state.next
            for row in reader.rows(table, self._state):
                kept = {k: v for k, v in row.items() if k not in ("given", "at")}
                found.append({"number": number, **kept, "source": source})
                number += 1
            return {"source": source, "rows": found}

        data = self._write("learned", rows)
        return self.experiments([row["number"] for row in data["rows"]] if data else [])

    def plan(self, settings: Any, reason: str = "") -> pd.DataFrame:
        """Record experiments of one's own as under way: a start design, a robot's queue, a hunch."""
        table = records(settings)

        def rows() -> Mapping[str, Any]:
            found = self._placed(table)
            numbered = [
                {"number": self._state.next + k, "standing": "pending", **row} for k, row in enumerate(found)
            ]
            return {"rows": [{**row, "why": reason, "accepted": self.who or "somebody"} for row in numbered]}

        data = self._write("told", rows)
        return self._frame([row["number"] for row in data["rows"]] if data else [])

    # Looking --------------------------------------------------------------------------------------------------------

    def _frame(self, numbers: Sequence[int]) -> pd.DataFrame:
        """Picks, as people get them."""
        from zairyo.campaign._frames import picks_frame

        return picks_frame(self, [self._state.experiments[n] for n in numbers])

    @property
    def pending(self) -> pd.DataFrame:
        """The experiments under way, as :meth:`ask` gave them."""
        self.refresh()
        return self._frame([e.number for e in self._state.where("pending")])

    def experiments(self, numbers: Sequence[int] | None = None) -> pd.DataFrame:
        """All experiments, or some, with what became of them, indexed by their numbers."""
        from zairyo.campaign._frames import experiments_frame

        self.refresh()
        found = self._state.experiments
        return experiments_frame(
            self, list(found.values()) if numbers is None else [found[n] for n in numbers]
        )

    def explain(self, experiments: Any = None, language: str = "en") -> Explanations:
        """What a person should know of proposed experiments (all under way if None): text, and HTML in a notebook.

        ``language`` is ``en`` or ``ja``.
        """
        from zairyo.campaign._explain import explain

        return explain(self, [self._state.experiment(n) for n in self._under_way(experiments)], language)

    def predict(self, settings: Any) -> pd.DataFrame:
        """Outcomes expected of any settings, with 90 % ranges: a DataFrame's rows, dicts, or a file."""
        from zairyo.campaign._frames import predict

        self.refresh()
        return predict(self, records(settings))

    def status(self, language: str = "en") -> Status:
        """How far the campaign is: best so far, Pareto front, what is under way, whether to go on; ``en`` or ``ja``."""
        from zairyo.campaign._status import status

        self.refresh()
        return status(self, language)

    def stop(self, more: int = 10, language: str = "en") -> Stop:
        """What that many more experiments are expected to bring."""
        from zairyo.campaign._stop import stop

        self.refresh()
        return stop(self, more, language)

    def control_report(self, language: str = "en") -> Control:
        """Whether the strategy's picks did better than the random ones among them."""
        from zairyo.campaign._stop import control_report

        self.refresh()
        return control_report(self, language)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """The course of the campaign as a matplotlib figure (extra ``notebook``), or saved to a file."""
        from zairyo.campaign._plot import plot

        self.refresh()
        return plot(self, path)

    @property
    def best(self) -> Experiment | None:
        """The best experiment so far; of several objectives that of the best balance; None before one is told."""
        from zairyo.campaign._stop import best

        self.refresh()
        return best(self)

    def __repr__(self) -> str:
        self.refresh()
        told, pending = len(self._state.of_here()), len(self._state.where("pending"))
        sought = ", ".join(_objectives.words(o) for o in self.objectives)
        return f"<Campaign: {sought}; {told} experiments told, {pending} under way>"

    def _repr_html_(self) -> str:
        return self.status()._repr_html_()


def _check_objectives(objectives: Sequence[Objective], aim: str | None) -> None:
    if not objectives and aim != "references":
        raise CampaignError("say what is wanted: objectives=[maximise('strength')]")
    for o in objectives:
        if not isinstance(o, Objective):
            raise CampaignError(f"{o!r} is no objective; write maximise({str(o)!r})")
    names = [o.name for o in objectives]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise CampaignError(
            f"{twice[0]!r} is an objective twice; bound an outcome that is sought by another column"
        )


def _check_names(names: Sequence[str]) -> None:
    """What is set, wanted or measured is not named as a column that ``ask`` adds to its picks or a table has itself."""
    if taken := [name for name in names if name in TAKEN]:
        raise CampaignError(
            f"{taken[0]!r} is the name of a column that proposals have themselves; rename the column, or leave it out "
            "with settings=[…]"
        )


def _no_settings(objectives: Sequence[Objective], descriptors: Sequence[str]) -> list[str]:
    """Columns of a table of candidates that are not set."""
    outcomes = [o.name for o in objectives]
    told = [f"{name} uncertainty" for name in (*outcomes, *descriptors)]
    return [*outcomes, *descriptors, *told, "state", "reason", "candidate"]


def _account() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def _storable(constraint: Any) -> Any:
    from zairyo.campaign._constraints import as_constraint

    try:
        return as_constraint(constraint).to_dict()
    except CampaignError:
        return {"function": getattr(constraint, "__name__", repr(constraint))}


def _restored(constraint: Mapping[str, Any]) -> Any:
    from zairyo.campaign._constraints import as_constraint

    if "function" in constraint:
        raise CampaignError(
            f"the campaign has the constraint {constraint['function']}, a Python function; give all as constraints=[…]"
        )
    return as_constraint(constraint)
