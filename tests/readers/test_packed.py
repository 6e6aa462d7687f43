"""Packed raw files: what is in them must be seen whole, once, and damage be told, however large they are."""

from __future__ import annotations

import bz2
import random
from pathlib import Path

import pytest

from zairyo.readers._api import HEAD_BYTES, RawInput, ReadError


@pytest.mark.parametrize(
    "size", [0, 1000, 4 * 1024**2, 4 * 1024**2 + 1], ids=["none", "small", "most", "more"]
)
def test_bzip2_of_any_size(size: int, tmp_path: Path) -> None:
    content = (random.Random(size).randbytes(1000) * (size // 1000 + 1))[:size]
    path = tmp_path / "a.ras.bz2"
    path.write_bytes(bz2.compress(content, 1))
    raw = RawInput(path)
    assert (raw.name, raw.suffix) == ("a.ras", ".ras")
    assert raw.head == content[:HEAD_BYTES]
    assert raw.read_bytes() == content
    with raw.open() as first, raw.open() as second:  # each from the beginning
        assert first.read(10) == second.read(10) == content[:10]


def test_bzip2_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.ras.bz2"
    whole = bz2.compress(random.Random(1).randbytes(300_000), 1)
    path.write_bytes(whole[: len(whole) // 2])
    raw = RawInput(path)
    assert len(raw.head) == HEAD_BYTES  # the first blocks are whole
    with pytest.raises(ReadError, match="cannot be unpacked"):
        raw.read_bytes()
