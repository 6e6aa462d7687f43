"""What every reader must stand: files cut off anywhere, and files with wrong bytes in them."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence
from pathlib import Path

from zairyo.measurement import Measurement
from zairyo.readers._api import RawInput, Reader, ReadError
from zairyo.readers.invariants import check


def cut(reader: Reader, data: bytes, path: Path, parts: int = 20) -> list[int]:
    """The places (of ``parts``) where a file that was cut off is read all the same; nothing else escapes."""
    read = []
    for part in range(parts):
        path.write_bytes(data[: len(data) * part // parts])
        with contextlib.suppress(ReadError):
            assert isinstance(_read(reader, path), Measurement)
            read.append(part)
    return read


def damage(
    reader: Reader, data: bytes, path: Path, turns: int = 50, within: int | None = None, seed: int = 1
) -> None:
    """Flip bytes (every second time within the first ``within``) and put random ones behind a valid head."""
    rng = random.Random(seed)
    head = data[:within]
    for turn in range(turns):
        broken = bytearray(data)
        for _ in range(1 + turn % 8):
            broken[rng.randrange(len(head) if turn % 2 else len(broken))] = rng.randrange(256)
        if turn % 5 == 4:
            broken = bytearray(head[: rng.randrange(1, len(head))] + rng.randbytes(2000))
        path.write_bytes(bytes(broken))
        with contextlib.suppress(ReadError):
            assert isinstance(_read(reader, path), Measurement)


def replaced(reader: Reader, data: bytes, path: Path, tokens: Sequence[tuple[bytes, bytes]]) -> None:
    """Replace each token once; the answer is a measurement or a ReadError."""
    for old, new in tokens:
        assert old in data
        path.write_bytes(data.replace(old, new, 1))
        with contextlib.suppress(ReadError):
            assert isinstance(_read(reader, path), Measurement)


def _read(reader: Reader, path: Path) -> Measurement:
    raw = RawInput(path)
    reader.sniff(raw)
    return check(reader.read(raw), reader)
