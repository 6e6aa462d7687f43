"""The partial files of uploads that are on their way, each with one writer at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zairyo.server.intake.partial import Partial
from zairyo.server.intake.refused import Refused

#: Files kept open between two requests, so that their hashes need not be computed again.
MOST_OPEN = 64


class Busy(Refused):
    """Another has an upload's file."""

    def __init__(self) -> None:
        super().__init__(
            423,
            "conflict",
            "Another request sends to this upload just now. Ask for the offset and try again.",
        )


class Shelf:
    """A folder of partial files.

    Parameters
    ----------
    folder
        Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._idle: OrderedDict[str, Partial] = OrderedDict()
        self._busy: dict[str, Partial | None] = {}

    def path(self, uid: str) -> Path:
        return self.folder / f"{uid}.part"

    def confirmed(self, uid: str) -> int | None:
        """Durable bytes of an upload somebody writes to just now, None if nobody does or they are being counted."""
        with self._lock:
            partial = self._busy.get(uid)
            return partial.length if partial is not None else None

    def take(self, uid: str) -> Partial:
        """Open an upload's file for the only writer.

        Raises
        ------
        Busy
            Somebody else writes to it.
        OSError
            The file cannot be opened.
        """
        with self._lock:
            if uid in self._busy:
                raise Busy
            partial = self._idle.pop(uid, None)
            self._busy[uid] = partial
        if partial is None:
            try:
                partial = Partial(self.path(uid))  # hashes what is there: not under the lock
            except BaseException:
                with self._lock:
                    del self._busy[uid]
                raise
            with self._lock:
                self._busy[uid] = partial
        return partial

    def give_back(self, uid: str) -> None:
        """The writer is done; what it wrote is made durable as far as the disk takes it."""
        partial = self._busy[uid]
        assert partial is not None
        try:
            if not partial.closed:
                partial.sync()
        except OSError:
            partial.close()  # what is on the disk is looked at again when it is opened
        finally:
            with self._lock:
                del self._busy[uid]
                if not partial.closed:
                    self._idle[uid] = partial
                old = [self._idle.popitem(last=False)[1] for _ in range(len(self._idle) - MOST_OPEN)]
            for other in old:
                other.close()

    @contextmanager
    def taken(self, uid: str) -> Iterator[Partial]:
        """``take`` and ``give_back`` around a block."""
        partial = self.take(uid)
        try:
            yield partial
        finally:
            self.give_back(uid)

    def uids(self) -> list[str]:
        """Of all partial files in the folder."""
        return sorted(p.stem for p in self.folder.glob("*.part"))

    def close(self) -> None:
        """Close the files nobody writes to."""
        with self._lock:
            while self._idle:
                self._idle.popitem()[1].close()
