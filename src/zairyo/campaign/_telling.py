"""What people tell of experiments, in the forms in which they have it, as rows of the log."""

from __future__ import annotations

import difflib
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.campaign._base import Block, CampaignError, Candidates, Objective
from zairyo.campaign._cells import is_number, measured, number, present, whole
from zairyo.campaign._checks import warn_far_outside
from zairyo.campaign._log import CampaignWarning, plain
from zairyo.campaign._pools import Pool
from zairyo.campaign._state import Experiment, State

#: What ``state`` may say, and what it makes of an experiment; planned rows are passed over.
STATES = {
    "": "", "made": "told", "measured": "told", "told": "told", "failed": "failed", "lost": "lost",
    "planned": "planned",
}  # fmt: skip
#: Columns that ``ask`` adds to its picks, and that tables have of their own; not settings, passed over when told.
OURS = (
    "experiment", "candidate", "state", "reason", "who", "by", "cost", "strategy", "mean", "lower", "upper",
    "probability_best", "row", "replicate_of",
)  # fmt: skip
#: Of these, names that a setting, outcome or descriptor cannot have, because one would be read as the other.
TAKEN = frozenset(OURS) - {"row", "replicate_of"}


@dataclass(frozen=True)
class Reader:
    """Reads tables of experiments.

    Attributes
    ----------
    candidates, objectives, descriptors
        Of the campaign.
    """

    candidates: Candidates
    objectives: tuple[Objective, ...]
    descriptors: tuple[str, ...]

    def rows(self, made: Any, state: State) -> list[dict[str, Any]]:
        """A row of the log for each row of a table, with ``given`` the number that it had, or None.

        Raises
        ------
        CampaignError
            A row cannot be used; the message names it, the column, and what to do.
        """
        table = records(made)
        if not table:
            return []
        columns = list(dict.fromkeys(name for row in table for name in row))
        self._check_columns(columns)
        rows = [self._row(row, at, state) for at, row in enumerate(table)]
        rows = [row for row in rows if row is not None]
        self._place([row for row in rows if row is not None])
        return [row for row in rows if row is not None]

    def _check_columns(self, columns: Sequence[str]) -> None:
        outcomes = [o.name for o in self.objectives]
        known = {*self.candidates.names, *outcomes, *self.descriptors, *OURS}
        known |= {f"{name} uncertainty" for name in outcomes}
        unknown = [c for c in columns if c not in known]
        ours = {f"{what} {name}" for what in ("mean", "lower", "upper") for name in outcomes}
        unknown = [c for c in unknown if c not in ours and not c.startswith("probability ")]
        for column in unknown:
            missing = [n for n in (*outcomes, *self.descriptors, *self.candidates.names) if n not in columns]
            if near := difflib.get_close_matches(column, missing, n=1, cutoff=0.8):
                raise CampaignError(
                    f"there is no column {column!r} in this campaign; did you mean {near[0]!r}?"
                )
        if outcomes and not any(name in columns for name in outcomes) and "state" not in columns:
            raise CampaignError(
                f"none of the outcomes ({', '.join(outcomes)}) is among the columns {', '.join(columns)}; give one, "
                "or a column state with what became of each"
            )
        if unknown:
            warnings.warn(
                f"columns that this campaign does not know are passed over: {', '.join(unknown[:8])}"
                + ("; name measured ones with Campaign(descriptors=[…])" if not self.descriptors else ""),
                CampaignWarning,
                stacklevel=5,
            )

    def _row(self, row: Mapping[str, Any], at: int, state: State) -> dict[str, Any] | None:
        said, why = _state(row, at)
        if said == "planned":
            return None
        given = self._given(row, at, state)
        reason = str(present(row.get("reason")) or "")
        if given is not None and reason == state.experiment(given).why:
            reason = ""  # the one for which it was proposed, still in the table of picks
        outcomes, noise, failure = self._outcomes(row, at)
        standing = "failed" if failure and said in ("", "told") else said or "told"
        found: dict[str, Any] = {
            "given": given,
            "at": at,
            "standing": standing,
            "outcomes": {} if standing in ("failed", "lost") else outcomes,
            "noise": {} if standing in ("failed", "lost") else noise,
            "descriptors": self._descriptors(row, at),
            "reason": reason or why or (failure if standing == "failed" else ""),
        }
        for name in ("who", "by"):
            if (who := present(row.get(name))) is not None and found["given"] is None:
                found["who"] = str(who)
        settings = {name: present(row.get(name)) for name in self.candidates.names if name in row}
        place = present(row.get("candidate"))
        if found["given"] is not None:
            asked = state.experiment(found["given"])
            settings = {**asked.settings, **{k: v for k, v in settings.items() if v is not None}}
            moved = dict(plain(settings)) != dict(plain(asked.settings))
            found |= {"settings": settings, "candidate": None if moved else asked.candidate}
        elif len(settings) == len(self.candidates.names):
            if missing := [k for k, v in settings.items() if v is None]:
                raise CampaignError(f"row {at}: the setting {missing[0]!r} is missing")
            found |= {"settings": settings, "candidate": None}
        elif place is not None:
            found |= {"settings": None, "candidate": whole(place, f"row {at}: candidate")}
        else:
            missing = [name for name in self.candidates.names if name not in settings]
            raise CampaignError(
                f"row {at}: the settings {', '.join(missing)} are missing; give all settings, or the place in the pool "
                "as candidate, or the number as experiment"
            )
        return found

    def _given(self, row: Mapping[str, Any], at: int, state: State) -> int | None:
        number = present(row.get("experiment"))
        if number is None:
            return None
        return state.experiment(whole(number, f"row {at}: experiment")).number

    def _outcomes(self, row: Mapping[str, Any], at: int) -> tuple[dict[str, Any], dict[str, float], str]:
        """Outcome → value, outcome → variance, and why it failed if it did."""
        outcomes: dict[str, Any] = {}
        noise: dict[str, float] = {}
        failure = ""
        for objective in self.objectives:
            value = present(row.get(objective.name))
            if value is None:
                continue
            where = f"row {at}, column {objective.name!r}"
            if isinstance(value, str) and value.strip().lower().startswith("failed"):
                failure = value.strip()[6:].lstrip(" :：") or "failed"
            elif (
                isinstance(value, str)
                and (objective.classes or objective.direction == "model")
                and not is_number(value)
            ):
                if objective.classes and value not in objective.classes:
                    raise CampaignError(
                        f"{where}: there is no class {value!r}; there are {', '.join(objective.classes)}"
                    )
                outcomes[objective.name] = value
            elif objective.classes:
                text = f"{value:g}" if isinstance(value, float) else str(value)
                if text not in objective.classes:
                    raise CampaignError(
                        f"{where}: there is no class {text!r}; there are {', '.join(objective.classes)}"
                    )
                outcomes[objective.name] = text
            else:
                cell = measured(value, where, objective.unit)
                failure = cell.failure or failure
                if cell.value is not None and not abs(cell.value) <= 1e100:
                    failure = f"{objective.name} is {cell.value:g}"
                elif cell.value is not None:
                    outcomes[objective.name] = cell.value
                    if cell.uncertainty:
                        noise[objective.name] = cell.uncertainty**2
            spread = present(row.get(f"{objective.name} uncertainty"))
            if spread is not None and objective.name in outcomes:
                size = number(spread, f"row {at}, column '{objective.name} uncertainty'")
                if math.isfinite(size) and size > 0:
                    noise[objective.name] = size**2
        return outcomes, noise, failure

    def _descriptors(self, row: Mapping[str, Any], at: int) -> dict[str, float]:
        found = {}
        for name in self.descriptors:
            value = present(row.get(name))
            if value is not None:
                said = measured(value, f"row {at}, column {name!r}").value
                if said is not None and math.isfinite(said):
                    found[name] = said
        return found

    def _place(self, rows: list[dict[str, Any]]) -> None:
        """Settings where only a place is given, places where only settings are."""
        unknown = [row for row in rows if row["settings"] is None]
        if unknown:
            known = settings_at(self.candidates, [row["candidate"] for row in unknown])
            for row in unknown:
                if row["candidate"] not in known:
                    raise CampaignError(
                        f"row {row['at']}: there is no candidate {row['candidate']} in the pool"
                    )
                row["settings"] = known[row["candidate"]]
        try:
            X = self.candidates.encode([row["settings"] for row in rows])
        except CampaignError:
            for row in rows:  # which one it was
                try:
                    self.candidates.encode([row["settings"]])
                except CampaignError as e:
                    raise CampaignError(f"row {row['at']} of what is told: {e}") from None
            raise
        warn_far_outside(self.candidates, X, stacklevel=6)
        moved = [row for row in rows if row["candidate"] is None]
        if moved:
            places = self.candidates.locate([row["settings"] for row in moved])
            for row, place in zip(moved, places, strict=True):
                row["candidate"] = int(place)


def _state(row: Mapping[str, Any], at: int) -> tuple[str, str]:
    """What ``state`` makes of an experiment, as :data:`STATES` has it, and the reason if it says one."""
    from zairyo.tables._cells import state_of

    text = str(present(row.get("state")) or "").strip()
    if text.lower() in STATES:
        return STATES[text.lower()], ""
    word, why = state_of(text) or ("", "")
    if word not in STATES or not word:
        raise CampaignError(
            f"row {at}: there is no state {row['state']!r}; there are made, measured, failed, lost and planned"
        )
    return STATES[word], "" if why == text else why


def settings_at(candidates: Candidates, places: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Settings of places in the pool."""
    wanted = np.array(sorted(set(places)), np.int64)
    found: dict[int, dict[str, Any]] = {}
    if candidates.size is None or not len(wanted):
        return found
    if isinstance(candidates, Pool):
        wanted = wanted[(wanted >= 0) & (wanted < candidates.size)]
        shown = candidates.decode(Block(wanted, np.zeros((len(wanted), candidates.space.width))))
        return dict(zip((int(i) for i in wanted), shown, strict=True))
    for block in candidates.blocks():
        inside = np.isin(block.index, wanted)
        if inside.any():
            part = block.take(inside)
            found |= dict(zip((int(i) for i in part.index), candidates.decode(part), strict=True))
            if len(found) == len(wanted):
                break
    return found


def assign(
    rows: list[dict[str, Any]], state: State, candidates: Candidates, *, repeats: bool
) -> list[dict[str, Any]]:
    """Rows with the numbers of the experiments that they tell of; what was told before is left out.

    Raises
    ------
    CampaignError
        An experiment was told before, and otherwise.
    """
    pending = {e.number: e for e in state.where("pending")}
    by_place: dict[int, list[int]] = {}
    for e in pending.values():
        by_place.setdefault(e.candidate, []).append(e.number)
    known = {_key(vars(e)): e for e in state.where("told", "failed") if not e.source}
    number, found, again = state.next, [], 0
    for row in rows:
        given = row.pop("given")
        at = row.pop("at")
        if given is not None:
            was = state.experiment(given)
            if was.standing in ("told", "failed"):
                if _key(row) == _key(vars(was)):
                    again += 1
                    continue
                raise CampaignError(
                    f"row {at}: experiment {given} was told before, as {_said(was)}; if that was wrong, say "
                    f"campaign.correct({given}, …); if it was made once more, tell its settings without the number"
                )
            pending.pop(given, None)
        elif _key(row) in known and not repeats:
            again += 1
            continue
        else:
            given = _match(row, pending, by_place, candidates)
            if given is None and row["standing"] == "lost":
                raise CampaignError(f"row {at}: nothing of these settings is under way, so it cannot be lost")
            pending.pop(given or 0, None)
        if given is None:
            given, number = number, number + 1
        found.append({**row, "number": given})
    if again:
        warnings.warn(
            f"{again} rows tell what was told before, value for value, and are passed over; true repeats are told to a "
            "campaign with replicates=True",
            CampaignWarning,
            stacklevel=4,
        )
    return found


def _match(
    row: Mapping[str, Any],
    pending: Mapping[int, Experiment],
    by_place: Mapping[int, list[int]],
    candidates: Candidates,
) -> int | None:
    """The experiment under way that a row tells of: the first of the same place, or else of the same features."""
    if row["candidate"] >= 0:
        for number in by_place.get(row["candidate"], ()):
            if number in pending:
                return number
        return None
    elsewhere = [n for n in by_place.get(-1, ()) if n in pending]
    if not elsewhere:
        return None
    X = candidates.encode([row["settings"], *(pending[n].settings for n in elsewhere)])
    span = np.where(
        candidates.space.upper > candidates.space.lower, candidates.space.upper - candidates.space.lower, 1.0
    )
    same = (np.abs(X[1:] - X[0]) <= 1e-6 * span).all(axis=1)
    return elsewhere[int(np.argmax(same))] if same.any() else None


def _key(row: Mapping[str, Any]) -> str:
    return repr(
        (
            sorted((k, repr(_same(v))) for k, v in plain(row["settings"]).items()),
            sorted(plain(row["outcomes"]).items()),
            sorted(plain(row["descriptors"]).items()),
            row["standing"],
        )
    )


def _same(value: Any) -> Any:
    """6 and 6.0 are one setting."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _said(e: Experiment) -> str:
    if e.standing == "failed":
        return f"failed ({e.reason})" if e.reason else "failed"
    return (
        ", ".join(f"{k} = {v:g}" if isinstance(v, float) else f"{k} = {v}" for k, v in e.outcomes.items())
        or "made"
    )


def frame_of(table: Any) -> Any:
    """A table's frame, whose states and reasons are called so whatever its file calls them (状態)."""
    own = {table.schema.state: "state", table.schema.reason: "reason"}
    return table.to_pandas(whole=True).rename(columns=own)


def named(column: Any) -> str:
    """A column's name; one that a frame only numbers is called as it is among the candidates, ``x0``."""
    return column.strip() if isinstance(column, str) else f"x{column}"


def records(made: Any) -> list[dict[str, Any]]:
    """Rows as dicts, of a DataFrame, a table, dicts, columns or a file."""
    if isinstance(made, (str, os.PathLike)):
        from zairyo.tables import Table, TableError

        try:
            table = Table.read(made)
        except TableError as e:
            raise CampaignError(str(e)) from None
        # By the headings of the file, as candidates that are read from one have them.
        headings = {c.name: c.heading or c.name for c in table.schema.columns}
        made = frame_of(table).rename(columns=headings)
    if hasattr(made, "to_pandas") and hasattr(made, "schema"):
        made = frame_of(made)
    if hasattr(made, "iloc") and hasattr(made, "columns"):
        if made.index.name == "experiment" and "experiment" not in made.columns:
            made = made.reset_index()
        names = [named(c) for c in made.columns]
        if len(set(names)) < len(names):
            raise CampaignError(f"two columns are named {next(n for n in names if names.count(n) > 1)!r}")
        return [dict(zip(names, row, strict=True)) for row in made.itertuples(index=False, name=None)]
    if isinstance(made, Mapping):
        lists = [v for v in made.values() if isinstance(v, (list, tuple, np.ndarray))]
        if not lists:
            return [{named(k): v for k, v in made.items()}]
        if len({len(v) for v in lists}) > 1 or len(lists) < len(made):
            raise CampaignError("columns of one length are needed, or a dict a row")
        return [dict(zip(map(named, made), row, strict=True)) for row in zip(*made.values(), strict=True)]
    if isinstance(made, Sequence) and all(isinstance(row, Mapping) for row in made):
        return [{named(k): v for k, v in row.items()} for row in made]
    raise CampaignError(
        f"experiments are told as a DataFrame, a table, dicts or a file, not as {type(made).__name__}"
    )
