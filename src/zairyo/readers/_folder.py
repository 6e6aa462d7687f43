"""A folder that is one input, or a zip archive of one: its files by name, whatever the case of their letters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from zairyo.readers._api import MOST_BYTES, RawInput, ReadError

_RUBBISH = ("__MACOSX/", "._")


@dataclass(frozen=True)
class Folder:
    """The files below ``root`` (``""``, or a path that ends with '/') of a folder or zip archive."""

    src: RawInput
    root: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names below the root, as they are written; without macOS' own files."""
        inside = (name[len(self.root) :] for name in self.src.members if name.startswith(self.root))
        return tuple(
            n for n in inside if n and not n.startswith(_RUBBISH) and "/._" not in n and not n.endswith("/")
        )

    @cached_property
    def _by_name(self) -> dict[str, str]:
        return {name.casefold(): name for name in reversed(self.names)}

    def has(self, name: str) -> bool:
        return name.casefold() in self._by_name

    def read(self, name: str, most: int = MOST_BYTES) -> bytes:
        """One file's bytes; :class:`ReadError` if it is not there or larger than ``most``."""
        found = self._by_name.get(name.casefold())
        if found is None:
            raise ReadError(f"{self.src.path.name} has no file {name!r}; copy the whole folder again.")
        return self.src.member(self.root + found, most)

    def files(self, *endings: str, folder: str = "") -> list[str]:
        """Names directly in ``folder`` with one of the lower-case endings, sorted without regard to case."""
        where = folder.casefold().rstrip("/")
        found = []
        for name in self.names:
            parent, _, last = name.rpartition("/")
            if parent.casefold() == where and (not endings or last.casefold().endswith(endings)):
                found.append(name)
        return sorted(found, key=str.casefold)

    def below(self, name: str) -> Folder:
        """The folder ``name`` in this one."""
        return Folder(self.src, f"{self.root}{name}/")


def roots(src: RawInput, *wanted: str) -> list[str]:
    """The folders in which a file of one of the lower-case names lies, as roots for :class:`Folder`; sorted."""
    found = set()
    for member in src.members:
        path = PurePosixPath(member)
        if path.name.casefold() in wanted and "__MACOSX" not in path.parts:
            parent = path.parent.as_posix()
            found.add("" if parent == "." else f"{parent}/")
    return sorted(found)
