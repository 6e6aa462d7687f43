"""Broken files made from whole ones: cut off, with bits flipped, with rubbish after a good beginning."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from zairyo.readers._api import RawInput

#: What a mutation does to bytes.
Change = Callable[[bytes], bytes]


def changes(
    size: int, seed: int, *, cuts: int = 100, flips: int = 40, rubbish: int = 10
) -> Iterator[tuple[str, Change]]:
    """Named changes to a file of ``size`` bytes; the same for the same seed.

    Cut at every 1 % of it, with 1 to 64 bits flipped, with random bytes after a head of random length.
    """
    rng = random.Random(seed)
    for i in range(cuts):
        yield f"cut at {100 * i / cuts:g} %", _cut(size * i // cuts)
    for i in range(flips):
        count = rng.choice((1, 1, 4, 16, 64))
        # Half of them in the first kilobytes, where lengths and offsets are.
        most = min(size, 4096) if i % 2 else size
        yield (
            f"{count} bits flipped, number {i}",
            _flip([rng.randrange(max(1, most)) for _ in range(count)], rng.random()),
        )
    for i in range(rubbish):
        head = rng.choice((16, 64, 512, 4096))
        yield f"rubbish after {head} bytes, number {i}", _rubbish(head, rng.randrange(1 << 30))


def _cut(at: int) -> Change:
    return lambda data: data[:at]


def _flip(places: list[int], seed: float) -> Change:
    def change(data: bytes) -> bytes:
        rng, changed = random.Random(seed), bytearray(data)
        for place in places:
            if place < len(changed):
                changed[place] ^= 1 << rng.randrange(8)
        return bytes(changed)

    return change


def _rubbish(head: int, seed: int) -> Change:
    return lambda data: (
        data[:head] + random.Random(seed).randbytes(min(len(data), 1 << 20) - min(head, len(data)))
    )


class Mutable:
    """A raw input that can be written anew with a change to its largest part.

    The largest file of a folder or a set; of a zip archive its largest member, as well as the archive itself; what
    is in a .gz or .bz2.
    """

    def __init__(self, raw: RawInput) -> None:
        self.raw = raw
        if raw.is_folder:
            self._files = {name: raw.member_path(name) for name in raw.members}
        else:
            self._files = {raw.name: raw.path}
        self._largest = max(self._files, key=lambda name: self._files[name].stat().st_size)
        self._data = _unpacked(self._files[self._largest].read_bytes())
        self.parts = ["whole", *(["member"] if self._data[:4] == b"PK\3\4" else [])]

    def size(self, part: str) -> int:
        return len(self._data) if part == "whole" else max(i.file_size for i in self._archive().infolist())

    def write(self, part: str, change: Change, folder: Path) -> RawInput:
        """The input in ``folder``, which is emptied before, with ``change`` made to it."""
        shutil.rmtree(folder, ignore_errors=True)
        root = folder if self.raw.parts or not self.raw.is_folder else folder / self.raw.path.name
        data = change(self._data) if part == "whole" else self._repacked(change)
        for name, path in self._files.items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data if name == self._largest else path.read_bytes())
        if self.raw.parts:
            return RawInput(root / self.raw.path.name, tuple(root / name for name in self._files))
        return RawInput(root if self.raw.is_folder else root / self.raw.name)

    def _archive(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(io.BytesIO(self._data))

    def _repacked(self, change: Change) -> bytes:
        buffer = io.BytesIO()
        with (
            self._archive() as old,
            zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
        ):
            largest = max(old.infolist(), key=lambda i: i.file_size).filename
            for info in old.infolist():
                content = old.read(info)
                new.writestr(info.filename, change(content) if info.filename == largest else content)
        return buffer.getvalue()


def _unpacked(data: bytes) -> bytes:
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    return bz2.decompress(data) if data[:3] == b"BZh" else data
