"""Names and paths that senders give: what is refused, and how one becomes a file again.

The catalogue keeps a name as the instrument wrote it, as long as it can do no harm; it is made portable only
where it becomes a file's name again (a reader's input, a download).
"""

from __future__ import annotations

import re

from zairyo.server.intake.refused import Refused

MOST_PART_BYTES = 255
MOST_PATH_CHARACTERS = 1024
_DRIVE = re.compile(r"[A-Za-z]:/")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff\u2028\u2029]")
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\\/\x00-\x1f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?\Z", re.IGNORECASE)


def check_path(text: str, field: str) -> str:
    """A relative path with ``/`` and without ``.`` parts.

    Raises
    ------
    Refused
        For a path that is empty, absolute or too long, leads out of its folder, or holds control characters.
    """
    if _CONTROL.search(text):
        raise _no(field, f"{text[:60]!r} holds control characters; rename the file")
    path = text.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path):
        raise _no(field, f"{text[:60]!r} is absolute; give the path relative to the instrument's folder")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts:
        raise _no(field, "it is empty; give the file's name")
    if ".." in parts:
        raise _no(field, f"{text[:60]!r} leads out of its folder with '..'")
    if any(len(part.encode()) > MOST_PART_BYTES for part in parts):
        raise _no(field, f"a name in it is longer than {MOST_PART_BYTES} bytes; shorten it")
    path = "/".join(parts)
    if len(path) > MOST_PATH_CHARACTERS:
        raise _no(field, f"it is longer than {MOST_PATH_CHARACTERS} characters; shorten it")
    return path


def check_name(text: str, field: str) -> str:
    """One file's name, without folders; :class:`Refused` otherwise."""
    name = check_path(text, field)
    if "/" in name:
        raise _no(field, f"{text[:60]!r} holds a folder; give the file's name alone")
    return name


def portable(name: str) -> str:
    """One part of a path as a file name that every operating system takes: ``"a:b."`` becomes ``"a_b_"``."""
    name = _NOT_ON_WINDOWS.sub("_", name) or "_"
    if name[-1] in ". ":
        name = name[:-1] + "_"
    return f"_{name}" if _RESERVED.match(name) else name


def portable_path(path: str) -> str:
    """Each part of a path with ``/`` made :func:`portable`."""
    return "/".join(portable(part) for part in path.split("/"))


def _no(field: str, why: str) -> Refused:
    return Refused(422, "invalid", f"The {field} cannot be taken: {why}.", field)
