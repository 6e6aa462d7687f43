"""Passwords: argon2id, few at once, and a limit on guesses."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
Out = TypeVar("Out")

#: A check takes 64 MiB and a third of a second; more than two at once would let anybody fill the memory.
_AT_ONCE = threading.BoundedSemaphore(2)
LEAST_CHARACTERS = 10
MOST_CHARACTERS = 1000


class PasswordError(ValueError):
    """A password that may not be chosen; the message says why."""


@cache
def _hasher() -> Any:
    from argon2 import PasswordHasher  # imported on first use: it costs memory that a server at rest can save

    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    """A hash of what nobody knows: an unknown e-mail takes as long to refuse as a wrong password."""
    import secrets

    return str(_hasher().hash(secrets.token_urlsafe()))


def check_choice(password: str) -> None:
    """Raise :class:`PasswordError` if a new password is too short, or too long to be hashed in good time."""
    if len(password) < LEAST_CHARACTERS:
        raise PasswordError(
            f"the password has {len(password)} characters; choose at least {LEAST_CHARACTERS}"
        )
    if len(password) > MOST_CHARACTERS:
        raise PasswordError(f"the password is longer than {MOST_CHARACTERS} characters")


def hash_password(password: str) -> str:
    """The argon2id hash, with its parameters and salt, as it is kept."""
    check_choice(password)
    with _AT_ONCE:
        return str(_hasher().hash(password))


def check_password(kept: str | None, password: str) -> tuple[bool, str | None]:
    """Whether a password is the one that was hashed, in the same time whether there is one or not.

    Returns
    -------
    (right, better)
        ``better`` is a new hash to keep instead, where argon2's parameters have been raised since; else None.
    """
    from argon2.exceptions import InvalidHashError, VerificationError

    hasher = _hasher()
    if len(password) > MOST_CHARACTERS:
        password = ""
    with _AT_ONCE:
        try:
            hasher.verify(kept or _nobodys_hash(), password)
        except (VerificationError, InvalidHashError):
            return False, None
        if kept is None:
            return False, None
        return True, str(hasher.hash(password)) if hasher.check_needs_rehash(kept) else None


class RateLimit:
    """At most ``most`` tries within ``seconds`` for a key; kept in memory, a restart forgives.

    Parameters
    ----------
    clock
        Seconds that only go up.
    """

    KEYS = 10_000

    def __init__(self, *, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.seconds, self._clock = most, seconds, clock
        self._tries: OrderedDict[Hashable, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: Hashable) -> float:
        """Count a try: 0 if it may go on, else seconds after which the next may."""
        with self._lock:
            now = self._clock()
            tries = self._tries.setdefault(key, deque())
            self._tries.move_to_end(key)
            while tries and tries[0] <= now - self.seconds:
                tries.popleft()
            if len(tries) >= self.most:
                return tries[0] + self.seconds - now
            tries.append(now)
            while len(self._tries) > self.KEYS:
                self._tries.popitem(last=False)
            return 0.0

    def forgive(self, key: Hashable) -> None:
        """Forget the last try, which gave the right answer."""
        with self._lock:
            if tries := self._tries.get(key):
                tries.pop()


class TooManyAtOnce(RuntimeError):
    """More passwords are waiting to be checked than can be in good time."""


_WAITING_MOST = 30
_pool = ThreadPoolExecutor(2, thread_name_prefix="password")
_waiting = threading.BoundedSemaphore(_WAITING_MOST)


async def aside(function: Callable[P, Out], *args: P.args, **kwargs: P.kwargs) -> Out:
    """Hash or check in threads of their own, so that nothing else waits for it.

    Raises
    ------
    TooManyAtOnce
        If more than 30 wait already.
    """
    if not _waiting.acquire(blocking=False):
        raise TooManyAtOnce
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool, partial(function, *args, **kwargs))
    finally:
        _waiting.release()
