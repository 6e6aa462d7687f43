"""The rules for an instrument's files: which are measurements, and when one is finished. The server holds them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from fnmatch import translate
from functools import cached_property
from typing import Any
from unicodedata import normalize

from zairyo.agent.files import is_passing

#: How much of a file's end is searched for ``end_marker``, bytes.
TAIL_BYTES = 4096
#: Of every reader that comes with Zairyo; a test compares.
FOLDER_FORMATS = (".D", ".raw", ".fid", "/acqus")
_MOST_CHARACTERS = 200
_EXAMPLES = {"include": "*.xrdml", "exclude": "*.bak", "folder_formats": ".D or /acqus"}


class RulesError(ValueError):
    """A rule cannot be used; the message names it and says what it may be."""


@dataclass(frozen=True)
class Rules:
    """Rules for one instrument's folder. Where several say when a file is finished, all have to.

    Attributes
    ----------
    include, exclude
        Patterns (``*.xrdml``, ``raw/*.dat``) of the file's name or its path below the folder, any case.
    subfolders
        Whether files in folders below count. Links are never followed.
    stable_seconds
        Without ``end_marker`` and ``sentinel``, a file is finished when its size and time did not change for so
        long (s). A folder format always is.
    end_marker
        Regular expression that the last 4 KiB of a finished file match, or None.
    sentinel
        Name of a file that appears beside a finished one, with ``{name}`` or ``{stem}`` for the file's, or None.
        Such files are not measurements themselves.
    folder_formats
        Folders that are one measurement each: endings of their names (``.D``), or ``/`` and the name of a file that
        lies in them (``/acqus``).
    rescan_seconds
        The folder is looked through at least so often (s).
    since
        Files last changed before this moment (ISO 8601, the agent's own time if no zone is given) are left
        alone, or None.
    """

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    subfolders: bool = True
    stable_seconds: float = 5.0
    end_marker: str | None = None
    sentinel: str | None = None
    folder_formats: tuple[str, ...] = FOLDER_FORMATS
    rescan_seconds: float = 30.0
    since: str | None = None

    def __post_init__(self) -> None:
        for name in _EXAMPLES:
            value = getattr(self, name)
            if not isinstance(value, (list, tuple)) or not all(map(_is_text, value)):
                raise RulesError(f"{name} must be a list of patterns such as {_EXAMPLES[name]}")
            object.__setattr__(self, name, tuple(value))
        if any(f.startswith("/") and not re.fullmatch(r"/[^/\\\x00]+", f) for f in self.folder_formats):
            raise RulesError(
                "folder_formats may name a file directly in the folder, such as /acqus, not a path"
            )
        if not self.include:
            raise RulesError("include must have a pattern; * is every file")
        if not isinstance(self.subfolders, bool):
            raise RulesError("subfolders must be true or false")
        for name, least, most in (("stable_seconds", 0.0, 86_400.0), ("rescan_seconds", 1.0, 86_400.0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
                raise RulesError(f"{name} must be a number of seconds, {least:g} to {most:g}")
        for name in ("end_marker", "sentinel", "since"):
            value = getattr(self, name)
            if value is not None and not _is_text(value):
                raise RulesError(f"{name} must be a text of 1 to {_MOST_CHARACTERS} characters, or null")
        if self.end_marker is not None:
            _check_expression(self.end_marker)
        if self.sentinel is not None and (
            re.search(r"[/\\\x00]", self.sentinel) or not re.search(r"\{(name|stem)\}", self.sentinel)
        ):
            raise RulesError("sentinel must be a file name with {name} or {stem} in it, such as {stem}.done")
        if self.since is not None:
            try:
                datetime.fromisoformat(self.since).timestamp()
            except (ValueError, OverflowError, OSError):
                raise RulesError("since must be a date such as 2026-01-31") from None

    def wants(self, path: str) -> bool:
        """Whether a file (or folder format) at this path with '/' below the folder is a measurement."""
        if not self.subfolders and "/" in path:
            return False
        whole = _folded(path)
        name = whole[whole.rfind("/") + 1 :]
        if name.startswith(".") or is_passing(name) or self._is_sentinel(name):
            return False
        if not (self._includes(name) or self._includes(whole)):
            return False
        return not (self._excludes(name) or self._excludes(whole))

    def is_folder_format(self, name: str) -> bool:
        """Whether a folder of this name is one measurement."""
        return _folded(name).endswith(self._endings)

    def sentinel_of(self, name: str) -> str | None:
        """The name of the file that says that the file ``name`` is finished, or None."""
        if self.sentinel is None:
            return None
        stem = name.rpartition(".")[0] or name
        return re.sub(r"\{(name|stem)\}", lambda m: name if m[1] == "name" else stem, self.sentinel)

    @cached_property
    def marker(self) -> re.Pattern[bytes] | None:
        """``end_marker``, compiled."""
        return None if self.end_marker is None else re.compile(self.end_marker.encode())

    @cached_property
    def oldest_ns(self) -> int | None:
        """Nanoseconds since 1970 before which files are left alone, or None."""
        return None if self.since is None else int(datetime.fromisoformat(self.since).timestamp() * 1e9)

    @cached_property
    def _includes(self) -> Callable[[str], object]:
        return _matcher(self.include)

    @cached_property
    def _excludes(self) -> Callable[[str], object]:
        return _matcher(self.exclude)

    @cached_property
    def _endings(self) -> tuple[str, ...]:
        return tuple(_folded(f) for f in self.folder_formats if not f.startswith("/"))

    @cached_property
    def folder_marks(self) -> tuple[str, ...]:
        """Names of files in whose presence a folder is one measurement."""
        return tuple(f[1:] for f in self.folder_formats if f.startswith("/"))

    @cached_property
    def _is_sentinel(self) -> Callable[[str], object]:
        if self.sentinel is None:
            return _matcher(())
        parts = re.split(r"\{(?:name|stem)\}", _folded(self.sentinel))
        return re.compile(".+".join(map(re.escape, parts)), re.DOTALL).fullmatch


def rules_from(settings: dict[str, Any]) -> Rules:
    """Rules out of the server's settings; unknown keys are of a newer server and left alone.

    Raises
    ------
    RulesError
        If a value cannot be used.
    """
    known = {f.name for f in fields(Rules)}
    return Rules(**{key: value for key, value in settings.items() if key in known})


def _is_text(value: object) -> bool:
    """Whether it is a text of a usable length that UTF-8 can hold."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= _MOST_CHARACTERS
        and not re.search("[\ud800-\udfff]", value)
    )


def _folded(text: str) -> str:
    """Texts that a person takes for the same name, made the same: any case, composed or not (as macOS writes)."""
    return text.lower() if text.isascii() else normalize("NFC", text).lower()


def _matcher(patterns: Iterable[str]) -> Callable[[str], object]:
    """Whether a folded text fits one of the patterns."""
    expression = "|".join(translate(_folded(p)) for p in patterns) or r"(?!)"
    return re.compile(expression).match


def _check_expression(text: str) -> None:
    try:
        re.compile(text.encode())
    except (re.error, OverflowError, RecursionError) as e:
        raise RulesError(f"end_marker is not a regular expression: {e}") from None
    parser: Any = importlib.import_module("re._parser")
    if _repeats_repeats(parser.parse(text.encode()), inside=False):
        # Such as (\w+)*END: for some files it would take centuries, and nothing could stop it.
        raise RulesError(
            "end_marker repeats (+ * {}) something that repeats itself; write it without one of the two"
        )


def _repeats_repeats(node: Any, *, inside: bool) -> bool:
    """Whether a parsed expression has an open-ended repeat within another."""
    if isinstance(node, tuple) and len(node) == 2 and str(node[0]) in ("MAX_REPEAT", "MIN_REPEAT"):
        _, (_, most, what) = node
        is_open = int(most) > _MOST_CHARACTERS
        return (inside and is_open) or _repeats_repeats(what, inside=inside or is_open)
    if isinstance(node, (tuple, list)) or type(node).__name__ == "SubPattern":
        return any(_repeats_repeats(part, inside=inside) for part in node)
    return False
