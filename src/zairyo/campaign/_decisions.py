"""What people decide of experiments, all of it recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from zairyo.campaign._base import CampaignError, Candidates, Objective
from zairyo.campaign._cells import present
from zairyo.campaign._checks import warn_far_outside
from zairyo.campaign._recorded import Recorded
from zairyo.campaign._telling import Reader, settings_at


class Decisions(Recorded):
    """Accept, edit, replace, reject; put right and take back; count as lost."""

    candidates: Candidates
    objectives: tuple[Objective, ...]
    descriptors: tuple[str, ...]

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
        """Put right what was told of an experiment: ``correct(3, {"toughness": 4.1}, reason="the wrong line")``.

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
            experiments = list(experiments.get("experiment", experiments.index))
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
            warn_far_outside(self.candidates, self.candidates.encode([settings]), stacklevel=3)
            place = int(self.candidates.locate([settings])[0]) if place is None or not missing else int(place)
            found.append({"settings": settings, "candidate": place})
        return found
