"""A campaign's state and its log: reading on, and writing what follows from the newest state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zairyo.campaign._base import CampaignError
from zairyo.campaign._log import NOTHING, Log, LogMoved, event_of, hash_of, line_of, now
from zairyo.campaign._state import State

#: How often something is made anew because others wrote meanwhile.
TRIES = 20


class Recorded:
    """What happened, and how more is recorded.

    Attributes
    ----------
    who
        Who works with this object.
    """

    who: str
    _log: Log
    _state: State
    _read: int = 0
    _last: str = NOTHING

    def changed(self) -> None:
        """Called when events have been taken in."""

    def refresh(self) -> None:
        """Take in what others have recorded; asking and telling do so by themselves."""
        lines = self._log.read(self._read)
        where = str(getattr(self._log, "path", "the log"))
        for line in lines:
            event = event_of(line, self._read + 1, self._last, where)
            self._state.apply(event)
            self._read, self._last = self._read + 1, hash_of(line)
        if lines:
            self.changed()

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
