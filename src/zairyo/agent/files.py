"""Files of an instrument, touched as lightly as the operating system lets one."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

# What no instrument means as a measurement: editors', Office's, copying programs' and the system's own.
_PASSING_ENDINGS = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".swp")
_PASSING_NAMES = frozenset(
    {"thumbs.db", "desktop.ini", "$recycle.bin", "system volume information", "lost+found"}
)
_JUNCTION = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", None)


class Changed(Exception):
    """A file is not what was found any more."""


def is_passing(name: str) -> bool:
    """Whether a name (in lower case) is of something that is no measurement."""
    return name.endswith(_PASSING_ENDINGS) or name.startswith("~$") or name in _PASSING_NAMES


def is_unicode(name: str) -> bool:
    """Whether a name on disk is a text; others (lone surrogates in Python) cannot be told to a server."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def in_words(name: str) -> str:
    """A name that may not be a text, for people: what is not becomes ``\\xe9``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_link(entry: os.DirEntry[str]) -> bool:
    """Whether it points elsewhere: a symbolic link, or a junction of Windows."""
    if entry.is_symlink():
        return True
    if _JUNCTION is None:
        return False
    return bool(getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0) == _JUNCTION)


def members(folder: Path) -> list[tuple[str, os.stat_result]]:
    """The files of a folder format: their paths in it with '/', sorted, and what the system says of them.

    Raises
    ------
    OSError
        If a part of the folder cannot be read, or a name in it is not Unicode.
    """
    found = []
    folders = [""]
    while folders:
        below = folders.pop()
        with os.scandir(folder / below) as entries:
            for entry in entries:
                if entry.name.startswith(".") or is_passing(entry.name.lower()) or is_link(entry):
                    continue
                if not is_unicode(entry.name):
                    raise OSError(
                        errno.EILSEQ, "its name is not Unicode; rename it", in_words(str(entry.path))
                    )
                path = f"{below}/{entry.name}" if below else entry.name
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                elif entry.is_file(follow_symlinks=False):
                    found.append((path, entry.stat(follow_symlinks=False)))
    return sorted(found, key=lambda member: member[0])


def open_shared(path: Path) -> BinaryIO:
    """Open for reading without being in anybody's way.

    On Windows a file that is open elsewhere cannot be renamed or deleted, unless that was allowed when it was
    opened; Python's own ``open`` does not allow it, and an instrument's program would stumble over the agent.
    """
    if os.name != "nt":
        return path.open("rb")
    return _open_on_windows(str(path))


def _open_on_windows(path: str) -> BinaryIO:
    import ctypes
    import msvcrt
    from ctypes import wintypes

    windows: object = ctypes
    create = windows.WinDLL("kernel32", use_last_error=True).CreateFileW  # type: ignore[attr-defined]
    create.argtypes = [
        wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, wintypes.LPVOID,
        wintypes.DWORD, wintypes.DWORD, wintypes.HANDLE,
    ]  # fmt: skip
    create.restype = wintypes.HANDLE
    read, share_all, existing, sequential = 0x80000000, 0x7, 3, 0x08000000
    handle = create(path, read, share_all, None, existing, sequential, None)
    if handle == wintypes.HANDLE(-1).value:
        raise windows.WinError(windows.get_last_error())  # type: ignore[attr-defined]
    descriptor = msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY)  # type: ignore[attr-defined]
    return os.fdopen(descriptor, "rb")
