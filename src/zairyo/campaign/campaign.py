"""The campaign: a search for the next experiments, shared by people and robots, of which everything is recorded.

campaign = Campaign(pool=candidates, objectives=[maximise("toughness")], seed=0, file="barrels.jsonl")
campaign.tell(made)
picks = campaign.ask(4)
campaign.explain(picks)
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.campaign import _asking, _naming, _objectives, _strategies
from zairyo.campaign._asking import Plan
from zairyo.campaign._base import CampaignError, Objective, Strategy
from zairyo.campaign._learning import Encoder, Learned, learned
from zairyo.campaign._log import (
    NOTHING,
    CampaignWarning,
    FileLog,
    Log,
    LogMoved,
    MemoryLog,
    event_of,
    hash_of,
    line_of,
    now,
)
from zairyo.campaign._state import Experiment, State
from zairyo.campaign._telling import Reader, assign, present, records, settings_at

if TYPE_CHECKING:
    import pandas as pd

    from zairyo.campaign._explain import Explanations
    from zairyo.campaign._stop import Control, Status, Stop

#: How often an ask is made anew because others wrote meanwhile.
TRIES = 20


class Campaign:
    """A search for the next experiments.

    Parameters
    ----------
    pool
        The candidates: a DataFrame, a table, a file, a :class:`SearchSpace`, a list of parameters, or :class:`Candidates`.
        Columns of outcomes and descriptors in it are left out.
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
        A start design from :mod:`zairyo.campaign._designs` by name (``latin hypercube`` …), or ``auto``: what the strategy does
        when little is known.
    start_size
        How many experiments it has; by default twice the number of parameters, at least 5.
    replicates
        Whether an experiment may be proposed again.
    control
        Share of picks drawn at random, to compare with (0.2: every fifth).
    fidelity
        ``{"mesh": {"coarse": 1, "fine": 20}}``: a setting by which an experiment costs less and says less, value → cost.
        The dearest tells the truth.
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
        start: str = "auto",
        start_size: int | None = None,
        replicates: bool = False,
        control: float = 0.0,
        fidelity: Mapping[str, Mapping[Any, float]] | None = None,
        settings: Sequence[str] | None = None,
        who: str | None = None,
    ) -> None:
        given = (objectives,) if isinstance(objectives, Objective) else tuple(objectives)
        _check_objectives(given)
        aim = aim or _strategies.aim_of(given)
        if isinstance(strategy, str):
            _strategies.check(aim, strategy, given)
        if not 0 <= control < 1:
            raise CampaignError(f"control is a share of the picks, from 0 to below 1, not {control!r}")
        chosen: Log = log if log is not None else FileLog(file) if file is not None else MemoryLog()
        if chosen.read(0):
            raise CampaignError(
                f"{file or 'the log'} has a campaign already; Campaign.open goes on with it, another name begins a new one"
            )
        folder = Path(file).resolve().parent if file is not None else None
        created = {
            "pool": _naming.name_pool(pool, folder),
            "objectives": [_objectives.to_dict(o) for o in given],
            "aim": aim,
            "strategy": strategy if isinstance(strategy, str) else f"own: {strategy.name}",
            "seed": int(seed),
            "descriptors": list(descriptors),
            "constraints": [_storable(c) for c in constraints],
            "cost": cost,
            "shared": [shared] if isinstance(shared, str) else list(shared),
            "start": start,
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
        self._write("created", lambda: created)

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
        found = _naming.find_pool(created["pool"], pool, folder)
        self = cls.__new__(cls)
        kept = [_restored(c) for c in created["constraints"]] if constraints is None else list(constraints)
        self._begin(chosen, folder, who, found, strategy, created, kept)
        self.refresh()
        return self

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
        leave_out = [*(o.name for o in self.objectives), *self.descriptors, "state", "reason", "candidate"]
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

    # The log --------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Take in what others have recorded; asking and telling do so by themselves."""
        lines = self._log.read(self._read)
        where = str(getattr(self._log, "path", "the log"))
        for line in lines:
            event = event_of(line, self._read + 1, self._last, where)
            self._state.apply(event)
            self._read, self._last = self._read + 1, hash_of(line)
        if lines:
            self._now = None

    def _write(self, kind: str, make: Callable[[], Mapping[str, Any] | None]) -> Mapping[str, Any] | None:
        """Record an event made from the newest state; None if there is nothing to record."""
        for _ in range(TRIES):
            self.refresh()
            data = make()
            if data is None:
                return None
            line = line_of(kind, data, who=self.who, sequence=self._read + 1, before=self._last, time=now())
            try:
                self._log.append([line])
            except LogMoved:
                continue
            self.refresh()
            return data
        raise CampaignError(f"others wrote to the campaign {TRIES} times in a row; try again")

    @property
    def state(self) -> State:
        """What happened so far."""
        return self._state

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
        levels = {v: c for v, c in created["fidelity"].get(name, ())}
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
            The settings; ``candidate`` (place in the pool, −1 in an endless space); ``mean``, ``lower``, ``upper`` (90 %
            range of a measurement; with the outcome's name where there are several); ``probability_best``; ``cost``;
            ``strategy``; ``reason``.
        """
        if isinstance(count, bool) or int(count) != count or count < 1:
            raise CampaignError(f"ask for 1 experiment or more, not {count!r}")
        wanted = int(count)
        data = self._write("asked", lambda: self._asked(wanted))
        numbers = [pick["number"] for pick in data["picks"]] if data else []
        if len(numbers) < wanted:
            many = f"only {len(numbers)} more experiments" if numbers else "no more experiments"
            warnings.warn(
                f"{many} can be proposed: every other candidate was made, is under way or was rejected",
                CampaignWarning,
                stacklevel=2,
            )
        return self._frame(numbers)

    def _asked(self, count: int) -> Mapping[str, Any] | None:
        from zairyo.campaign._explain import told_of_picks

        known = self.learned
        chosen = _asking.choose(known.problem, self._strategy(count), count, self._plan(), known.belief)
        if not chosen:
            return None
        rows = told_of_picks(known, chosen)
        return {"count": count, "picks": [{"number": self._state.next + k, **r} for k, r in enumerate(rows)]}

    def _strategy(self, count: int) -> Strategy:
        created = self._created
        begun = len(self._state.of_here()) + len(self._state.where("pending"))
        if created["start"] != "auto":
            from zairyo.campaign._designs import design

            size = created["start_size"] or max(5, 2 * len(self.candidates.names))
            if begun < size:
                return design(created["start"], size)
        if self._own is not None:
            return self._own
        return _strategies.strategy_for(self.aim, created["strategy"], self.objectives)

    def tell(self, made: Any) -> pd.DataFrame:
        """Record what came of experiments.

        Parameters
        ----------
        made
            A DataFrame, a table, dicts or a file. Each row names its experiment by its settings, by the place in the
            pool (``candidate``) or by its number (``experiment``, or the index of what ``ask`` gave), and has outcomes,
            each with ``NAME uncertainty`` if known; ``state`` (made, failed, lost) and ``reason``; measured descriptors;
            ``who``. An outcome may be missing. Repeats are rows of the same settings.

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

    def _placed(self, table: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for at, row in enumerate(table):
            place = present(row.get("candidate"))
            settings = {name: present(row.get(name)) for name in self.candidates.names}
            missing = [name for name, v in settings.items() if v is None]
            if missing and place is not None:
                known = settings_at(self.candidates, [int(place)])
                if int(place) not in known:
                    raise CampaignError(f"row {at}: there is no candidate {place} in the pool")
                settings = known[int(place)]
            elif missing:
                raise CampaignError(f"row {at}: the settings {', '.join(missing)} are missing")
            self.candidates.encode([settings])
            place = int(self.candidates.locate([settings])[0]) if place is None or not missing else int(place)
            found.append({"settings": settings, "candidate": place})
        return found

    # What people decide ---------------------------------------------------------------------------------------------

    def accept(self, experiments: Any = None) -> None:
        """Say that proposed experiments will be made: their numbers, picks, or all that are under way."""
        numbers = self._under_way(experiments)
        self._write("accepted", lambda: {"experiments": numbers})

    def reject(self, experiments: Any, reason: str) -> None:
        """Say that proposed experiments will not be made, and why; they are not proposed again."""
        if not str(reason).strip():
            raise CampaignError("say why: reject(3, 'the ligand is sold out')")
        numbers = self._under_way(experiments)
        self._write("rejected", lambda: {"experiments": numbers, "reason": str(reason)})

    def edit(self, experiment: int, reason: str = "", **settings: Any) -> None:
        """Change some settings of a proposed experiment: ``edit(3, temperature=850)``; others go by ``settings``."""
        (number,) = self._under_way(experiment)
        more = settings.pop("settings", {}) if isinstance(settings.get("settings"), Mapping) else {}
        self._known_settings({**settings, **more})
        (row,) = self._placed([{**self._state.experiment(number).settings, **settings, **more}])
        self._write("edited", lambda: {"experiment": number, **row, "reason": reason})

    def replace(self, experiment: int, settings: Mapping[str, Any], reason: str = "") -> int:
        """Make another experiment in place of a proposed one; the proposed one may come again. Returns its number."""
        (number,) = self._under_way(experiment)
        (row,) = self._placed([settings])

        def made() -> Mapping[str, Any]:
            new = {
                "number": self._state.next,
                "standing": "pending",
                **row,
                "why": reason,
                "accepted": self.who or "somebody",
            }
            return {"experiment": number, "rows": [new], "reason": reason}

        data = self._write("replaced", made)
        assert data is not None
        return int(data["rows"][0]["number"])

    def correct(
        self,
        experiment: int,
        outcomes: Mapping[str, Any] | None = None,
        *,
        state: str | None = None,
        reason: str = "",
        **more: Any,
    ) -> None:
        """Put right what was told of an experiment: ``correct(3, {"toughness": 4.1}, reason="read from the wrong line")``.

        What is not named stays. The line that was wrong stays in the log too.
        """
        was = self._state.experiment(experiment)
        self.refresh()
        was = self._state.experiment(experiment)
        if not was.tried:
            raise CampaignError(
                f"nothing was told of experiment {experiment} yet: it is {was.standing}; tell it"
            )
        row: dict[str, Any] = {
            **was.settings,
            **was.descriptors,
            **was.outcomes,
            **dict(outcomes or {}),
            **more,
        }
        row["state"] = state or (
            "made" if outcomes or more else "failed" if was.standing == "failed" else "made"
        )
        row["reason"] = reason if row["state"] == "failed" else ""
        reader = Reader(self.candidates, self.objectives, self.descriptors)
        (read,) = reader.rows([row], self._state)
        kept = ("settings", "candidate", "standing", "outcomes", "descriptors", "reason")
        self._write(
            "corrected",
            lambda: {"experiment": was.number, "reason": reason, "now": {k: read[k] for k in kept}},
        )

    def withdraw(self, experiment: int, reason: str = "") -> None:
        """Take back what was told of an experiment; a proposed one is then under way again."""
        self.refresh()
        was = self._state.experiment(experiment)
        if not was.tried:
            raise CampaignError(f"nothing was told of experiment {experiment}: it is {was.standing}")
        self._write("corrected", lambda: {"experiment": was.number, "withdrawn": True, "reason": reason})

    def expire(self, days: float = 30.0, reason: str = "") -> list[int]:
        """Count experiments given out that many days ago and never told as lost: they may be proposed again."""
        before = datetime.now(UTC) - timedelta(days=days)

        def old() -> Mapping[str, Any] | None:
            found = [
                e.number for e in self._state.where("pending") if datetime.fromisoformat(e.time) <= before
            ]
            return (
                {"experiments": found, "reason": reason or f"not told within {days:g} days"}
                if found
                else None
            )

        data = self._write("expired", old)
        return list(data["experiments"]) if data else []

    def note(self, text: str) -> None:
        """Write something into the log for people."""
        self._write("note", lambda: {"text": str(text)})

    def _under_way(self, experiments: Any) -> list[int]:
        self.refresh()
        if experiments is None:
            return [e.number for e in self._state.where("pending")]
        if hasattr(experiments, "index") and hasattr(experiments, "columns"):
            experiments = list(
                experiments["experiment"] if "experiment" in experiments else experiments.index
            )
        numbers = list(experiments) if isinstance(experiments, (list, tuple, np.ndarray)) else [experiments]
        for number in numbers:
            if (e := self._state.experiment(number)).standing != "pending":
                raise CampaignError(f"experiment {number} is not under way: it is {e.standing}")
        return [int(n) for n in numbers]

    def _known_settings(self, settings: Mapping[str, Any]) -> None:
        if unknown := [name for name in settings if name not in self.candidates.names]:
            raise CampaignError(
                f"there is no setting {unknown[0]!r}; there are {', '.join(self.candidates.names)}"
            )

    # Looking --------------------------------------------------------------------------------------------------------

    def _frame(self, numbers: Sequence[int]) -> pd.DataFrame:
        """Picks, as people get them."""
        from zairyo.campaign._explain import picks_frame

        return picks_frame(self, [self._state.experiments[n] for n in numbers])

    @property
    def pending(self) -> pd.DataFrame:
        """The experiments under way, as :meth:`ask` gave them."""
        self.refresh()
        return self._frame([e.number for e in self._state.where("pending")])

    def experiments(self, numbers: Sequence[int] | None = None) -> pd.DataFrame:
        """All experiments, or some, with what became of them, indexed by their numbers."""
        from zairyo.campaign._explain import experiments_frame

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
        from zairyo.campaign._explain import predict

        self.refresh()
        return predict(self, records(settings))

    def status(self) -> Status:
        """How far the campaign is: best so far, Pareto front, what is under way, whether to go on."""
        from zairyo.campaign._stop import status

        self.refresh()
        return status(self)

    def stop(self, more: int = 10) -> Stop:
        """What that many more experiments are expected to bring."""
        from zairyo.campaign._stop import stop

        self.refresh()
        return stop(self, more)

    def control_report(self) -> Control:
        """Whether the strategy's picks did better than the random ones among them."""
        from zairyo.campaign._stop import control_report

        self.refresh()
        return control_report(self)

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


def _check_objectives(objectives: Sequence[Objective]) -> None:
    if not objectives:
        raise CampaignError("say what is wanted: objectives=[maximise('strength')]")
    for o in objectives:
        if not isinstance(o, Objective):
            raise CampaignError(f"{o!r} is no objective; write maximise({str(o)!r})")
    names = [o.name for o in objectives]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise CampaignError(
            f"{twice[0]!r} is an objective twice; bound an outcome that is sought by another column"
        )


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
