"""STOE .raw, made by its public description: a user would get a header's bytes for counts."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.stoe_raw import READER


def stoe(
    counts: np.ndarray, before: int = 6, told: bool = True, theta: tuple[float, float] = (0.0, 0.0)
) -> bytes:
    points = len(counts)
    body = counts.astype("<u4").tobytes()
    blocks = -(-len(body) // 512)
    head = bytearray(512 * before)
    head[:14] = b"RAW_1.06Powdat"
    head[16:31] = b"05-Mar-20 13:45"
    head[32:47] = b"MOF-5\0powder 2\0"
    struct.pack_into("<2f", head, 0x142, 1.54056, 1.54439)
    if told:
        struct.pack_into("<2H", head, 0x1DA, blocks, before + blocks)
    head[0x600:0x606] = b"keller"
    at = 512 * (before - 1)
    head[at : at + 15], head[at + 16 : at + 31] = b"05-Mar-20 13:46", b"05-Mar-20 14:46"
    struct.pack_into("<H", head, at + 0x22, points)
    end = 2 + 0.015 * (points - 1)
    struct.pack_into("<6f", head, at + 0x2C, 2.0, theta[0], end, theta[1], 0.015, 0.0)
    struct.pack_into("<2I", head, at + 0x78, int(counts.min()), int(counts.max()))
    return bytes(head) + body.ljust(512 * blocks, b"\0")


def reads(data: bytes, folder: Path) -> Measurement:
    path = folder / "made.raw"
    path.write_bytes(data)
    src = RawInput(path)
    assert READER.sniff(src) == CERTAIN
    assert registry.find(src) is READER
    return check(READER.read(src), READER)


COUNTS = np.arange(1000, 1300) ** 2


@pytest.mark.parametrize(("before", "told"), [(6, True), (9, True), (7, False)])
def test_a_range_wherever_it_begins(tmp_path: Path, before: int, told: bool) -> None:
    m = reads(stoe(COUNTS, before, told), tmp_path)
    (e,) = m
    assert (m.sample, m.operator, m.started) == ("MOF-5", "keller", datetime(2020, 3, 5, 13, 46))
    np.testing.assert_allclose(e["two_theta"].values, 2 + 0.015 * np.arange(300))
    assert (e.signal.unit, e.signal.values.tolist()) == ("counts", COUNTS.tolist())
    assert e.conditions["wavelength"] == Quantity(1.54056, "angstrom")
    assert e.conditions["scan_axis"] == Quantity("two_theta")
    assert m.warnings == ()


def test_a_coupled_scan(tmp_path: Path) -> None:
    e = reads(stoe(COUNTS, theta=(1.0, 3.2)), tmp_path)[0]
    assert e.conditions["scan_axis"] == Quantity("two_theta/theta")


def test_points_that_do_not_agree_with_the_header_are_refused(tmp_path: Path) -> None:
    data = bytearray(stoe(COUNTS))
    data[512 * 6 + 1] ^= 0x40
    with pytest.raises(ReadError, match="agree"):
        reads(bytes(data), tmp_path)
    with pytest.raises(ReadError, match="agree"):
        reads(stoe(COUNTS)[: 512 * 6 + 1000], tmp_path)


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    data = stoe(COUNTS)
    cut(READER, data, tmp_path / "cut", parts=60)
    damage(READER, data, tmp_path / "damaged", turns=200, within=len(data))
