"""What was looked up a moment ago."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps answers for ``seconds``, so that who asks a hundred times a second is looked up once.

    Parameters
    ----------
    seconds
        How long an answer may be behind the truth.
    most
        So many are kept; when there are more, all are forgotten.
    """

    def __init__(self, seconds: float, most: int = 1000) -> None:
        self._seconds = seconds
        self._most = most
        self._lock = threading.Lock()
        self._kept: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        """The answer, None if there is none or it is too old."""
        found = self._kept.get(key)
        return found[1] if found is not None and time.monotonic() < found[0] else None

    def keep(self, key: K, value: V, asked: float) -> None:
        """Keep what was true at ``asked``, as :func:`time.monotonic` gives it, taken before the look-up."""
        with self._lock:
            if len(self._kept) >= self._most:
                self._kept.clear()
            self._kept[key] = (asked + self._seconds, value)

    def forget(self) -> None:
        """Forget everything: what was kept has just been changed here."""
        with self._lock:
            self._kept.clear()
