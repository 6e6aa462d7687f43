"""The rules for an instrument's files: which are measurements, and when one is finished. The server holds them."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

#: How much of a file's end is searched for ``end_marker``, bytes.
TAIL_BYTES = 4096
#: What no instrument means as a measurement: editors', Office's and copying programs' files.
_PASSING = (
    "~$*",
    "*.tmp",
    "*.temp",
    "*.part",
    "*.partial",
    "*.crdownload",
    "*.swp",
    "thumbs.db",
    "desktop.ini",
)


class RulesError(ValueError):
    """A rule cannot be used; the message names it and says what it may be."""


@dataclass(frozen=True)
class Rules:
    """Rules for one instrument's folder.

    Attributes
    ----------
    include, exclude
        Patterns (``*.xrdml``, ``raw/*.dat``) of the file's name or its path below the folder, any case.
    subfolders
        Whether files in folders below count.
    stable_seconds
        A file is finished when its size and time did not change for so long (s) and it can be opened.
    end_marker
        Regular expression that the last 4 KiB of a finished file match, or None.
    sentinel
        Name of a file that appears beside a finished one, with ``{name}`` and ``{stem}`` for the file's, or None.
    folder_formats
        Endings of folders that are one measurement each.
    rescan_seconds
        The folder is looked through at least so often (s).
    since
        Files last changed before this moment (ISO 8601) are left alone, or None.
    """

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    subfolders: bool = True
    stable_seconds: float = 5.0
    end_marker: str | None = None
    sentinel: str | None = None
    folder_formats: tuple[str, ...] = (".D",)
    rescan_seconds: float = 30.0
    since: str | None = None

    def __post_init__(self) -> None:
        for name in ("include", "exclude", "folder_formats"):
            value = getattr(self, name)
            if isinstance(value, str) or not all(isinstance(p, str) and 0 < len(p) <= 200 for p in value):
                raise RulesError(f"{name} must be a list of patterns such as *.xrdml")
            object.__setattr__(self, name, tuple(value))
        if not isinstance(self.subfolders, bool):
            raise RulesError("subfolders must be true or false")
        for name, least, most in (("stable_seconds", 0.0, 86_400.0), ("rescan_seconds", 1.0, 86_400.0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
                raise RulesError(f"{name} must be a number of seconds, {least:g} to {most:g}")
        for name in ("end_marker", "sentinel", "since"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not 0 < len(value) <= 200):
                raise RulesError(f"{name} must be a text of at most 200 characters, or null")
        if self.end_marker is not None:
            try:
                re.compile(self.end_marker.encode())
            except re.error as e:
                raise RulesError(f"end_marker is not a regular expression: {e}") from None
        if self.sentinel is not None and (
            "/" in self.sentinel or "\\" in self.sentinel or "{" not in self.sentinel
        ):
            raise RulesError("sentinel must be a file name with {name} or {stem} in it, such as {stem}.done")
        if self.since is not None:
            try:
                datetime.fromisoformat(self.since)
            except ValueError:
                raise RulesError("since must be a date such as 2026-01-31") from None

    def wants(self, path: PurePosixPath) -> bool:
        """Whether a file at this path below the folder is a measurement's."""
        if any(part.startswith(".") for part in path.parts) or (not self.subfolders and len(path.parts) > 1):
            return False
        name, whole = path.name.lower(), str(path).lower()
        if any(fnmatchcase(name, pattern) for pattern in _PASSING):
            return False
        return _any(self.include, name, whole) and not _any(self.exclude, name, whole)

    def is_folder_format(self, name: str) -> bool:
        """Whether a folder of this name is one measurement."""
        return any(name.lower().endswith(ending.lower()) for ending in self.folder_formats)

    @property
    def oldest(self) -> float | None:
        """Seconds since 1970 before which files are left alone, or None."""
        return None if self.since is None else datetime.fromisoformat(self.since).timestamp()


def _any(patterns: tuple[str, ...], name: str, whole: str) -> bool:
    return any(fnmatchcase(name, p.lower()) or fnmatchcase(whole, p.lower()) for p in patterns)


def rules_from(settings: dict[str, Any]) -> Rules:
    """Rules out of the server's settings; unknown keys are of a newer server and left alone.

    Raises
    ------
    RulesError
        If a value cannot be used.
    """
    known = {f.name for f in fields(Rules)}
    try:
        return Rules(**{key: value for key, value in settings.items() if key in known})
    except TypeError as e:
        raise RulesError(f"the rules cannot be read: {e}") from None
