"""JPK images: what someone with a NanoWizard would lose if the tags were misread."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.jpk_image import READER

SLOT, STEP = 0x8090, 0x30


def page(pixels: Any, tags: dict[int, Any]) -> tuple[dict[int, Any], bytes]:
    pixels = np.asarray(pixels)
    rows, columns = pixels.shape
    own = {256: columns, 257: rows, 258: pixels.itemsize * 8, 259: 1, 262: 1, 277: 1, 278: rows}
    own[339] = 2 if pixels.dtype.kind == "i" else 1
    return own | tags, pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()


def tiff(*pages: tuple[dict[int, Any], bytes]) -> bytes:
    """A little-endian TIFF: pages of tags (whole numbers, doubles, texts) and pixels."""
    out = bytearray(b"II*\0\0\0\0\0")
    link = 4
    for tags, pixels in pages:
        at, out = len(out), out + pixels
        entries = b""
        for code, value in sorted((tags | {273: at, 279: len(pixels)}).items()):
            if isinstance(value, str):
                kind, count, data = 2, len(value) + 1, value.encode() + b"\0"
            elif isinstance(value, float):
                kind, count, data = 12, 1, struct.pack("<d", value)
            else:
                kind, count, data = 4, 1, struct.pack("<I", value)
            if len(data) > 4:
                data, out = struct.pack("<I", len(out)), out + data + b"\0" * (len(data) % 2)
            entries += struct.pack("<HHI", code, kind, count) + data.ljust(4, b"\0")
        out[link : link + 4] = struct.pack("<I", len(out))
        out += struct.pack("<H", len(entries) // 12) + entries
        link = len(out)
        out += bytes(4)
    return bytes(out)


FRAME = {
    0x8000: "6.0.41", 0x8003: "2017-01-16 16:00:32.334 GMT", 0x8004: "Glass in liquid", 0x8009: "andor",
    0x8016: "c008886", 0x8030: "ac", 0x8040: 1e-6, 0x8041: 2e-6, 0x8042: 3e-7, 0x8043: 2e-7,
    0x8044: 1.5707963267948966, 0x8049: 4.0, 0x8050: "thumbnail",
}  # fmt: skip


def channel(
    name: str, retrace: int, shown: str, slots: dict[str, tuple[str, float, float]]
) -> dict[int, Any]:
    tags: dict[int, Any] = {0x8050: name, 0x8051: retrace, 0x8052: name.title(), 0x8080: len(slots) + 1,
                            0x8081: shown, SLOT: "raw", SLOT + 0x13: "NullScaling"}  # fmt: skip
    for i, (slot, (unit, factor, offset)) in enumerate(slots.items(), 1):
        at = SLOT + STEP * i
        tags |= {at: slot, at + 0x12: unit, at + 0x13: "LinearScaling", at + 0x14: factor, at + 0x15: offset}
    return tags


HEIGHTS = {"volts": ("V", 2.0, 50.0), "nominal": ("m", -1e-9, 3e-6), "calibrated": ("m", -2e-9, 2e-6)}
NUMBERS = np.array([[0, 1000, -1000], [5, 6, 7]], "i4")


def save(folder: Path, *channels: tuple[dict[int, Any], bytes], frame: dict[int, Any] = FRAME) -> Path:
    path = folder / "a.jpk"
    path.write_bytes(tiff(page(np.zeros((2, 2), "u1"), frame), *channels))
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_metres_not_the_integers_of_the_tiff(tmp_path: Path) -> None:
    path = save(
        tmp_path,
        page(NUMBERS, channel("height", 1, "calibrated", HEIGHTS)),
        page(NUMBERS, channel("height", 0, "nominal", HEIGHTS)),
        page(
            NUMBERS, channel("vDeflection", 0, "force", {"volts": ("V", 1.0, 0.0), "force": ("N", 1e-9, 0.0)})
        ),
    )
    m = registry.read(path)  # any other reader of TIFF would give the integers
    (entry,) = m
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("height_retrace", "m"), ("height", "m"), ("force", "N"),
    ]  # fmt: skip
    np.testing.assert_allclose(entry["height_retrace"].values, NUMBERS * -2e-9 + 2e-6)
    np.testing.assert_allclose(entry["height"].values, NUMBERS * -1e-9 + 3e-6)
    assert entry["x"].values == pytest.approx([5e-8, 1.5e-7, 2.5e-7])
    assert entry["y"].values == pytest.approx([5e-8, 1.5e-7])  # the first row is the lowest
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["scan_angle"] == (90.0, "deg")
    assert told["scan_rate"] == (4.0, "Hz")
    assert told["scan_size_y"] == (2e-7, "m")
    assert str(entry.started) == "2017-01-16 16:00:32.334000+00:00"
    assert (m.title, m.operator, m.instrument) == ("Glass in liquid", "andor", "JPK c008886")


def test_a_shown_slot_without_numbers_gives_way_to_the_last_with(tmp_path: Path) -> None:
    path = save(tmp_path, page(NUMBERS, channel("phase", 0, "user", {"degrees": ("deg", 0.5, 0.0)})))
    m = read(path)
    assert m[0].signal.unit == "deg"
    assert m[0].signal.values.tolist() == (NUMBERS * 0.5).tolist()


def test_numbers_of_unknown_meaning_have_no_unit(tmp_path: Path) -> None:
    m = read(save(tmp_path, page(NUMBERS, channel("slope", 0, "raw", {}))))
    assert (m[0].signal.unit, m[0].signal.values.tolist()) == (None, NUMBERS.tolist())
    assert "slope" in m.warnings[0]


def test_saved_before_anything_was_measured(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="thumbnail"):
        READER.read(RawInput(save(tmp_path)))


def test_sure_only_of_its_own(tmp_path: Path) -> None:
    path = save(tmp_path, frame={})
    assert READER.sniff(RawInput(path)) == NO
    path.write_bytes(b"II*\0")
    assert READER.sniff(RawInput(path)) == NO


def test_cut_off_and_damaged(tmp_path: Path) -> None:
    data = tiff(page(np.zeros((2, 2), "u1"), FRAME), page(NUMBERS, channel("height", 0, "nominal", HEIGHTS)))
    assert not cut(READER, data, tmp_path / "cut.jpk")
    damage(READER, data, tmp_path / "broken.jpk")
