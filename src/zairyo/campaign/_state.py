"""What a campaign's events amount to: its experiments, each with what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from zairyo.campaign._base import CampaignError
from zairyo.campaign._log import Event

#: ``pending``: given out; ``told``: made, with what was measured; ``failed``: tried, gave nothing; ``lost``: never
#: came; ``rejected``: not to be made; ``replaced``: another was made in its place; ``withdrawn``: was told by mistake.
Standing: TypeAlias = Literal["pending", "told", "failed", "lost", "rejected", "replaced", "withdrawn"]


@dataclass(frozen=True)
class Experiment:
    """One experiment of a campaign.

    Attributes
    ----------
    number
        From 1, in the order in which they came up.
    settings
        Parameter → value.
    candidate
        Its place in the pool, −1 where it is not in it.
    standing
        What became of it.
    outcomes, noise, descriptors
        Outcome → value (a class is a text; missing ones are not there), its variance where known, and what else was
        measured.
    reason
        Why it failed or was rejected.
    who
        Told it, or chose it.
    strategy, why
        What chose it, ``own`` if a person did; the sentence that belongs to it.
    control
        Drawn at random to compare with.
    promised
        Outcome → ``mean``, ``lower``, ``upper`` and ``sd`` as they were predicted when it was chosen.
    phases
        Outcome → class → its probability as it was predicted, where the outcome is a class.
    chance
        Probability of being the best that was then given; None where there was none.
    asked, told
        Sequence numbers of the events; 0 where there was none.
    time
        Of the event that brought it up.
    accepted
        By whom; empty if nobody said so.
    source
        The earlier campaign that it comes from; empty for this one.
    cost
        What it was to cost; None where that is not known.
    """

    number: int
    settings: Mapping[str, Any]
    candidate: int = -1
    standing: Standing = "pending"
    outcomes: Mapping[str, Any] = field(default_factory=dict)
    noise: Mapping[str, float] = field(default_factory=dict)
    descriptors: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    who: str = ""
    strategy: str = "own"
    why: str = ""
    control: bool = False
    promised: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    phases: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    chance: float | None = None
    asked: int = 0
    told: int = 0
    time: str = ""
    accepted: str = ""
    source: str = ""
    cost: float | None = None

    @property
    def tried(self) -> bool:
        """Whether something can be learned from it."""
        return self.standing in ("told", "failed")


@dataclass
class State:
    """All experiments, and what was decided at the beginning."""

    created: Mapping[str, Any] = field(default_factory=dict)
    experiments: dict[int, Experiment] = field(default_factory=dict)
    notes: list[Event] = field(default_factory=list)
    picks: int = 0  # asked for so far, which says which of them are controls

    @property
    def next(self) -> int:
        return max(self.experiments, default=0) + 1

    def where(self, *standings: Standing) -> list[Experiment]:
        return [e for e in self.experiments.values() if e.standing in standings]

    def of_here(self) -> list[Experiment]:
        """Tried in this campaign, in the order told."""
        return sorted((e for e in self.experiments.values() if e.tried and not e.source), key=_by_told)

    def experiment(self, number: Any) -> Experiment:
        try:
            return self.experiments[int(number)]
        except (KeyError, TypeError, ValueError):
            if not self.experiments:
                raise CampaignError(
                    f"there is no experiment {number!r}: none was asked for or told yet; tell what was made before by "
                    "its settings, without a column experiment"
                ) from None
            last = max(self.experiments)
            raise CampaignError(f"there is no experiment {number!r}; they run from 1 to {last}") from None

    def apply(self, event: Event) -> None:
        """Let an event happen.

        Raises
        ------
        CampaignError
            The event is of a kind that is not known here.
        """
        change = _CHANGES.get(event.kind)
        if change is None:
            raise CampaignError(
                f"line {event.sequence}: events {event.kind!r} are not known here; a newer Zairyo may read them"
            )
        change(self, event)

    def change(self, numbers: Iterable[int], **to: Any) -> None:
        for number in numbers:
            self.experiments[number] = replace(self.experiment(number), **to)


def _by_told(e: Experiment) -> tuple[int, int]:
    return e.told, e.number


def _created(state: State, event: Event) -> None:
    state.created = event.data


def _asked(state: State, event: Event) -> None:
    for pick in event.data["picks"]:
        given = {k: v for k, v in pick.items() if k in Experiment.__dataclass_fields__}
        state.experiments[pick["number"]] = Experiment(
            **given, who=event.who, asked=event.sequence, time=event.time
        )
    state.picks += len(event.data["picks"])


def _told(state: State, event: Event) -> None:
    for row in event.data["rows"]:
        number = row["number"]
        given = {"who": event.who, **{k: v for k, v in row.items() if k != "number"}}
        told = event.sequence if given.get("standing", "told") != "pending" else 0
        if number in state.experiments:
            state.change([number], **given, told=told)
        else:
            state.experiments[number] = Experiment(number=number, **given, told=told, time=event.time)


def _accepted(state: State, event: Event) -> None:
    state.change(event.data["experiments"], accepted=event.who or "somebody")


def _edited(state: State, event: Event) -> None:
    state.change(
        [event.data["experiment"]],
        settings=event.data["settings"],
        candidate=event.data["candidate"],
        accepted=event.who or "somebody",
        promised={},
        chance=None,
    )


def _replaced(state: State, event: Event) -> None:
    state.change([event.data["experiment"]], standing="replaced", reason=event.data.get("reason", ""))
    _told(state, event)


def _rejected(state: State, event: Event) -> None:
    state.change(event.data["experiments"], standing="rejected", reason=event.data["reason"])


def _corrected(state: State, event: Event) -> None:
    number = event.data["experiment"]
    if event.data.get("withdrawn"):
        back = "pending" if state.experiment(number).asked else "withdrawn"
        state.change([number], standing=back, outcomes={}, noise={}, descriptors={}, reason="", told=0)
    else:
        state.change([number], **event.data["now"])


def _expired(state: State, event: Event) -> None:
    state.change(event.data["experiments"], standing="lost", reason=event.data.get("reason", ""))


def _noted(state: State, event: Event) -> None:
    state.notes.append(event)


_CHANGES = {
    "created": _created,
    "asked": _asked,
    "told": _told,
    "learned": _told,
    "accepted": _accepted,
    "edited": _edited,
    "replaced": _replaced,
    "rejected": _rejected,
    "corrected": _corrected,
    "expired": _expired,
    "note": _noted,
}
