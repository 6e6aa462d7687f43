"""AidAim's single-file system, the container of Bruker's ``.bcf`` (and some ``.pan``): files in chunks of one file.

Chunks of one size begin at byte 0x118; each has a head of 32 bytes that begins with the number of the next chunk of
its table. The tree of files is such a table, and so is each file's list of the chunks with its bytes. Files may be
kept as blocks of zlib (``AACS``).
"""

from __future__ import annotations

import mmap
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from zairyo.readers._api import ReadError

MAGIC = b"AAMVHFSS"
_FIRST, _CHUNK_HEAD = 0x118, 32
_ITEM = struct.Struct("<iQ24xIi176x?3x256s32x")
_PACKED = b"AACS"
_PACKED_HEAD, _BLOCK_HEAD = 0x80, 16
_MOST_ITEMS = 10_000
_MOST_DEPTH = 32
_NONE = 0xFFFFFFFF


@dataclass(frozen=True)
class _Item:
    """A file or folder of the container: the first chunk of its table, its size in bytes, its parent's number."""

    table: int
    size: int
    parent: int
    is_folder: bool
    name: str


class Container:
    """The files inside: ``names`` with '/', and their bytes."""

    def __init__(self, data: bytes | mmap.mmap, name: str) -> None:
        self.data, self.name = data, name
        if data[:8] != MAGIC:
            raise ReadError(f"{name} does not begin with {MAGIC.decode()}; it is no such container")
        if len(data) < _FIRST + _CHUNK_HEAD:
            raise self._cut(_FIRST + _CHUNK_HEAD)
        self.version, self.chunk_size = struct.unpack_from("<fI", data, 0x124)
        tree, count, self.chunks = struct.unpack_from("<III", data, 0x140)
        self._usable = self.chunk_size - _CHUNK_HEAD
        if not 512 <= self.chunk_size <= 2**26 or count > _MOST_ITEMS:
            raise ReadError(
                f"{name} states chunks of {self.chunk_size} bytes and {count} files; it is damaged"
            )
        if _FIRST + (self.chunks - 1) * self.chunk_size > len(data):
            raise self._cut(_FIRST + self.chunks * self.chunk_size, f"its {self.chunks} chunks")
        listed = self._table(tree, count * 0x200)
        self._items = self._named([self._item(listed[i * 0x200 : (i + 1) * 0x200]) for i in range(count)])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._items)

    def read(self, name: str, most: int) -> bytes:
        """A file's bytes, unpacked.

        Raises
        ------
        ReadError
            If there is no such file, its chunks or blocks are not all there, or it is more than ``most`` bytes.
        """
        item = self._items.get(name)
        if item is None:
            raise ReadError(f"{self.name} has no part {name!r}; it may be cut off. Copy it again.")
        if item.size > min(most, len(self.data)):
            raise ReadError(
                f"{name!r} of {self.name} states {item.size} bytes, which cannot be; it is damaged"
            )
        count = -(-item.size // self._usable)
        pointers = np.frombuffer(self._table(item.table, 4 * count), "<u4", count)
        starts = pointers.astype(np.int64) * self.chunk_size + _FIRST + _CHUNK_HEAD
        if count and int(starts.max()) + (item.size - 1) % self._usable + 1 > len(self.data):
            raise self._cut(int(starts.max()) + self._usable, f"part {name!r}")
        raw = b"".join([self.data[s : s + self._usable] for s in starts.tolist()])[: item.size]
        if len(raw) < item.size:
            raise self._cut(len(self.data) + item.size - len(raw), f"part {name!r}")
        return self._unpacked(raw, name, most) if raw[:4] == _PACKED else raw

    # --- tables -------------------------------------------------------------------------------------------

    def _table(self, chunk: int, size: int) -> bytes:
        """``size`` bytes of the table that begins in ``chunk`` and goes on where each chunk's head says."""
        parts: list[bytes] = []
        left = size
        while left > 0:
            start = _FIRST + chunk * self.chunk_size
            if chunk < 0 or start + _CHUNK_HEAD + min(left, self._usable) > len(self.data):
                raise self._cut(start + self.chunk_size, "a table of its chunks")
            part = self.data[start + _CHUNK_HEAD : start + _CHUNK_HEAD + min(left, self._usable)]
            parts.append(part)
            left -= len(part)
            (chunk,) = struct.unpack_from("<I", self.data, start)
        return b"".join(parts)

    def _item(self, raw: bytes) -> _Item:
        table, size, _, parent, is_folder, name = _ITEM.unpack(raw)
        return _Item(table, size, parent, is_folder, name.split(b"\0")[0].decode("utf-8", "replace"))

    def _named(self, items: list[_Item]) -> dict[str, _Item]:
        named: dict[str, _Item] = {}
        for item in items:
            parts, at = [item.name], item.parent
            while 0 <= at < len(items) and len(parts) <= _MOST_DEPTH:
                parts.append(items[at].name)
                at = items[at].parent
            if not item.is_folder:
                named["/".join(reversed(parts))] = item
        return named

    # --- blocks of zlib -----------------------------------------------------------------------------------

    def _unpacked(self, raw: bytes, name: str, most: int) -> bytes:
        parts: list[bytes] = []
        total, at = 0, _PACKED_HEAD
        while at + _BLOCK_HEAD <= len(raw):
            (size,) = struct.unpack_from("<I", raw, at)
            at += _BLOCK_HEAD
            if not 0 < size <= len(raw) - at:
                raise ReadError(
                    f"block {len(parts)} of {name!r} of {self.name} is not all there; it is cut off"
                )
            unpacker = zlib.decompressobj()
            try:
                part = unpacker.decompress(raw[at : at + size], most - total + 1)
            except zlib.error as e:
                raise ReadError(
                    f"block {len(parts)} of {name!r} of {self.name} cannot be unpacked: {e}"
                ) from None
            total += len(part)
            if total > most:
                raise ReadError(f"{name!r} of {self.name} unpacks to more than {most // 1024**2} MiB")
            parts.append(part)
            at += size
        return b"".join(parts)

    def _cut(self, needed: int, what: str = "its head") -> ReadError:
        return ReadError(
            f"{self.name} ends at byte {len(self.data)}, before the end of {what} (byte {needed}); it is cut off or "
            "damaged. Copy it again."
        )
