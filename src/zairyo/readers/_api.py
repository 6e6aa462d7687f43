"""What a reader is: a declaration with two functions.

``sniff`` looks at the beginning of a file (and the names inside a folder or an archive) and says how sure
it is; ``read`` turns the raw file into a :class:`~zairyo.measurement.Measurement`. A module of this package
holds one format and names its reader ``READER`` (or several, ``READERS``).
"""

from __future__ import annotations

import bz2
import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from zairyo.measurement import Measurement

#: How sure a sniff is. Between two, choose the lower: a tie is an error for the user.
CERTAIN = 1.0  # a magic number or a root element that no other format has
LIKELY = 0.7  # the structure fits and a word of this vendor is there
POSSIBLE = 0.3  # the structure fits; another format may say the same
NO = 0.0

HEAD_BYTES = 64 * 1024
_SMALL = 4 * 1024**2
#: A raw file larger than this is refused by ``RawInput.read_bytes``: readers that can stream use ``open``.
MOST_BYTES = 2 * 1024**3


class ReadError(ValueError):
    """The file is not what the reader thought, is cut off or is corrupt.

    The message is for the person who measured: what is wrong, at which line or byte, what to do.
    """


@dataclass(frozen=True)
class RawInput:
    """The raw file (or folder) a reader is given. ``.gz`` and ``.bz2`` are seen as what they hold.

    Attributes
    ----------
    path
        The file or folder; of a set, its main file.
    parts
        The files of a set (``Reader.sets``), the main one among them. A set is seen as a folder that holds
        just these.
    """

    path: Path
    parts: tuple[Path, ...] = ()

    @cached_property
    def name(self) -> str:
        """File name without the ending of a compression."""
        return self.path.stem if self._unpack else self.path.name

    @cached_property
    def suffix(self) -> str:
        """Lower-case ending with its dot, e.g. ``.xrdml``."""
        return PurePosixPath(self.name).suffix.lower()

    @cached_property
    def is_folder(self) -> bool:
        """Whether it is a folder or a set: what it holds is in ``members``."""
        return bool(self.parts) or self.path.is_dir()

    @cached_property
    def _unpack(self) -> Callable[[Path, str], BinaryIO] | None:
        if self.is_folder:
            return None
        with open(self.path, "rb", buffering=0) as f:
            magic = f.read(3)
        if magic[:2] == b"\x1f\x8b":
            return cast("Callable[[Path, str], BinaryIO]", _Gzip)
        if magic != b"BZh":
            return None
        small = self._small
        return (
            cast("Callable[[Path, str], BinaryIO]", bz2.open)
            if small is None
            else lambda _path, _mode: io.BytesIO(small)
        )

    @cached_property
    def _small(self) -> bytes | None:
        """All that a bzip2 file holds; None if it is much or damaged.

        bzip2 unpacks blocks of 900 kB, so that ``head`` has cost as much as a good part of the whole: not twice.
        """
        try:
            with bz2.open(self.path) as f:
                data = f.read(_SMALL + 1)
        except (OSError, EOFError):
            return None
        return data if len(data) <= _SMALL else None

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB; empty for a folder."""
        if self.is_folder:
            return b""
        try:
            with self.open() as f:
                return f.read(HEAD_BYTES)
        except (OSError, EOFError) as e:
            raise ReadError(f"{self.path.name} cannot be unpacked: {e}") from None

    @cached_property
    def text_head(self) -> bytes:
        """``head`` if it can be text, else nothing: sniffs of text need not look through binary data.

        UTF-16 is without its NULs, so that plain words in it are found.
        """
        head = self.head
        if b"\0" not in head:
            return head
        start = head[:4096]
        even, odd = start[::2].count(0), start[1::2].count(0)
        is_wide = (even + odd) * 4 > len(start) and min(even, odd) * 20 <= max(even, odd)
        return head.replace(b"\0", b"") if is_wide else b""

    @cached_property
    def known(self) -> dict[Any, Any]:
        """What a sniff worked out that others ask for again, under a key of its own."""
        return {}

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names inside a folder, a set or a zip archive, with '/', sorted; empty for a plain file."""
        if self.parts:
            return tuple(sorted(p.name for p in self.parts))
        if self.is_folder:
            return tuple(
                sorted(p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if p.is_file())
            )
        if self.head[:4] == b"PK\x03\x04":
            try:
                with zipfile.ZipFile(self.path) as z:
                    return tuple(sorted(z.namelist()))
            except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
                return ()
        return ()

    def open(self) -> BinaryIO:
        """Open for reading bytes, unpacked."""
        return self._unpack(self.path, "rb") if self._unpack else self.path.open("rb")

    def read_bytes(self, most: int = MOST_BYTES) -> bytes:
        """Everything, unpacked; :class:`ReadError` if it is more than ``most`` bytes or its packing is cut off."""
        try:
            with self.open() as f:
                data = _read(f, most + 1)
        except (OSError, EOFError) as e:
            raise ReadError(f"{self.path.name} cannot be unpacked: {e}") from None
        if len(data) > most:
            raise ReadError(
                f"{self.path.name} holds more than {most // 1024**2} MiB, more than this reader takes"
            )
        return data

    def member_path(self, name: str) -> Path:
        """Where a member of a folder or a set is, to open it without reading all of it."""
        return next((p for p in self.parts if p.name == name), self.path / name)

    def member(self, name: str, most: int = MOST_BYTES) -> bytes:
        """One member of a folder, a set or a zip archive, by its name in ``members``."""
        if name not in self.members:
            raise ReadError(f"{self.path.name} has no part {name!r}; it may be cut off. Copy it again.")
        try:
            if self.is_folder:
                with self.member_path(name).open("rb") as f:
                    data = _read(f, most + 1)
            else:
                with zipfile.ZipFile(self.path) as z, z.open(name) as f:
                    data = f.read(most + 1)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as e:
            raise ReadError(f"part {name!r} of {self.path.name} is damaged: {e}") from None
        except Exception as e:  # zlib.error has no common base with the above
            raise ReadError(f"part {name!r} of {self.path.name} is damaged: {e}") from None
        if len(data) > most:
            raise ReadError(f"part {name!r} of {self.path.name} is more than {most // 1024**2} MiB")
        return data


class _Gzip(gzip.GzipFile):
    """A file whose damage is always an ``OSError``: ``GzipFile`` lets zlib's own error through."""

    def _guarded(self, work: Callable[..., bytes], *args: Any) -> bytes:
        try:
            return work(*args)
        except zlib.error as e:
            raise gzip.BadGzipFile(str(e)) from None

    def read(self, size: int | None = -1) -> bytes:
        return self._guarded(super().read, size)

    def read1(self, size: int = -1) -> bytes:
        return self._guarded(super().read1, size)

    def readline(self, size: int | None = -1) -> bytes:
        return self._guarded(super().readline, size)


def _read(f: BinaryIO, most: int) -> bytes:
    """At most ``most`` bytes. A buffered ``read(n)`` sets n bytes aside at once, however short the file is."""
    size = os.fstat(f.fileno()).st_size if isinstance(f, io.BufferedReader) else 0
    data = f.read(min(most, size + 1)) if size else b""
    if not data or len(data) > size:
        parts = [data]
        left = most - len(data)
        while left and (part := f.read(min(left, 1 << 20))):
            parts.append(part)
            left -= len(part)
        data = b"".join(parts)
    return data


@dataclass(frozen=True)
class Reader:
    """One format's reader.

    Attributes
    ----------
    name
        ``vendor_format``, e.g. ``panalytical_xrdml``; unique.
    version
        Raised whenever the same file would give another result; measurements are then translated anew.
    techniques
        What it can give, keys of the technique vocabulary.
    vendor, format
        For people: ``"Malvern PANalytical"``, ``"XRDML"``.
    endings
        Usual endings with their dot, lower case. For people and file dialogs: recognition is by content.
    sniff
        How sure it is that it can read this, 0 … 1 (see ``CERTAIN`` …). Never raises, never reads more than
        ``head`` and ``members``.
    read
        Raw file → measurement. Raises :class:`ReadError`.
    notes
        For people: what is read and what is not.
    sets
        For a format of several files side by side (``map.emi`` with ``map_1.ser``): the sorted names in a folder →
        the sets among them, each the main file's name and then those that belong to it. A set is one input, which
        ``sniff`` and ``read`` see as a folder. None if each file stands alone.
    surest
        The most that ``sniff`` ever says. The surest readers are asked first, and the rest only if they could
        still be as sure as the best so far.
    folders
        How folders that are one input look from outside, for who watches folders and cannot read their files: the
        ending of the folder's name (``.D``), or ``/`` and the name of a file in it (``/acqus``).
    needs
        Folders beside the input that ``read`` reads, which the sandbox must let it see.
    prepare
        Loads the libraries that ``read`` needs. The sandbox calls it once, before any file, so that no file waits
        for it; for libraries that take seconds.
    """

    name: str
    version: str
    techniques: tuple[str, ...]
    vendor: str
    format: str
    endings: tuple[str, ...]
    sniff: Callable[[RawInput], float]
    read: Callable[[RawInput], Measurement]
    notes: str = ""
    surest: float = CERTAIN
    sets: Callable[[tuple[str, ...]], Iterable[tuple[str, ...]]] | None = None
    folders: tuple[str, ...] = ()
    needs: tuple[Path, ...] = ()
    prepare: Callable[[], None] | None = None
