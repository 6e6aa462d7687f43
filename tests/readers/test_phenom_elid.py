"""Phenom .elid: what a microscopist would lose if the reader were wrong."""

from __future__ import annotations

import bz2
import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.readers import broken_files

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers._tiff_image import lzw
from zairyo.readers.phenom_elid import READER

FOLDER = "phenom-elid"


def read(path: Path) -> Measurement:
    src = RawInput(path)
    assert READER.sniff(src) == CERTAIN
    return READER.read(src)


# --- real files; counts and energies are those of rosettasciio 0.15.0 (with imagecodecs 2026.3.6) ---------------


@pytest.mark.parametrize("version", [0, 1, 3])
def test_every_analysis_of_a_project(instruments: Path, version: int) -> None:
    m = read(instruments / FOLDER / f"Elid2Version{version}.elid")
    found = {
        e.name: (e.signal.values.shape, int(e.signal.values.sum()), int(e.signal.values.max()))
        for e in m.entries
    }
    assert found == {
        "image_1": ((16, 20), 0, 0),
        "image_1_spot_1": ((2048,), 124601, 11441),
        "image_1_region_2": ((2048,), 114223, 6185),
        "image_1_map_3": ((16, 16, 2048), 32790, 31),
        "image_1_line_4": ((64, 2048), 67239, 155),
        "image_1_map_6": ((16, 16, 2048), 127284, 76),
        "image_1_difference_3_6": ((2048,), 33, 2),
        "_385test_spectrum": ((24, 32, 4), 195840, 255),
        "_385test_spectrum_msa_1": ((2048,), 35573, 2147),
        "image_1_2": ((35, 40), 0, 0),
        "image_1_map_1": ((16, 16, 2048), 146075, 82),
    }
    spot = m["image_1_spot_1"]
    assert spot["energy"].values[[0, 1]] == pytest.approx([-0.03634370080990722, -0.02645693277996301])
    assert (spot["energy"].unit, spot.signal.unit) == ("keV", "counts")
    c = spot.conditions
    assert c["accelerating_voltage"] == Quantity(15.0, "kV")
    assert c["live_time"] == Quantity(5.7203385, "s")
    assert c["elevation_angle"].value == pytest.approx(28.5)
    assert m["image_1_map_3"].conditions["elements"] == Quantity("Al, Cu, O, C, S")
    assert ("working_distance" in c) == (version > 0)


def test_where_image_line_and_map_are(instruments: Path) -> None:
    """A map of a part of the image lies on that part: rosettasciio stretches it over the whole field of view."""
    m = read(instruments / FOLDER / "Elid2Version3.elid")
    image = m["image_1"]
    assert (image["x"].unit, image["x"].values[1]) == ("um", pytest.approx(0.9757792598920121))
    assert image.conditions["dwell_time"] == Quantity(0.2, "us")
    assert image.conditions["working_distance"].value == pytest.approx(8.14175)
    assert image.conditions["accelerating_voltage"] == Quantity(15.0, "kV")
    assert str(image.started) == "2019-08-07 09:37:31"
    assert m.instrument == "Phenom G5 XL"
    field, middle = 20 * 0.9757792598920121, 9.5 * 0.9757792598920121
    x = m["image_1_map_3"]["x"].values
    assert x[1] - x[0] == pytest.approx((0.19491525423728812 + 0.3016949152542373) * field / 16)
    assert (x[0] + x[-1]) / 2 == pytest.approx(
        middle + (0.19491525423728812 - 0.3016949152542373) / 2 * field
    )
    line = m["image_1_line_4"]
    assert line["distance"].values[-1] == pytest.approx(np.hypot(0.50677966, 0.50169492) * field, rel=1e-6)
    assert line["x"].values[0] == pytest.approx(middle - 0.18983050847457628 * field)
    assert line["live_time"].values[0] == pytest.approx(5.5608261)


def test_damaged_projects(instruments: Path, tmp_path: Path) -> None:
    packed = (instruments / FOLDER / "Elid2Version3.elid").read_bytes()
    assert not broken_files.cut(READER, packed, tmp_path / "a.elid", 8)
    plain = bz2.decompress(packed)[:12000]
    broken_files.damage(READER, plain, tmp_path / "b.elid", turns=40, within=4000)
    path = tmp_path / "c.elid"
    path.write_bytes(bz2.compress(bz2.decompress(packed)[:-1000]))
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(path))


# --- what no real file here shows ----------------------------------------------------------------------------


def varints(values: list[int]) -> bytes:
    out = b""
    for v in values:
        while v > 127:
            out, v = out + bytes([v & 127 | 128]), v >> 7
        out += bytes([v])
    return out


def detector(version: int) -> bytes:
    body = struct.pack("<8d", 2e4, 0.5, 0.1, 3.0, 4.0, 1e-6, 1e-7, 130.0) + struct.pack("<I", 2) + b"id"
    body += struct.pack("<5d", 0, 0.006, 0, 0, 0) if version else b""
    return body + (struct.pack("<dBB", 0, 2, 1) if version >= 3 else b"")


def common(version: int, counts: list[int], order: int) -> bytes:
    body = struct.pack("<IddI", 0, -10.0, 5.0, len(counts)) + varints(counts) + detector(version)
    body += struct.pack("<I", 2) + bytes([26, 8]) + struct.pack("<I", 0) + struct.pack("<Ii", 1, 7)
    body += struct.pack("<I3B", 1, 13, 2, 3) + struct.pack("<Bi", 1, order) + struct.pack("<I2B", 1, 26, 2)
    body += b"\1" if version >= 2 else b""
    return body + (struct.pack("<I", 0) if version >= 4 else b"")


def test_a_project_of_the_newest_version_with_loose_analyses(tmp_path: Path) -> None:
    counts = [0, 1, 127, 128, 300, 70000, 2**31]
    spot = b"\2" + common(4, counts, 5) + struct.pack("<dd", 0.1, 0.2)
    line = b"\3" + common(4, counts, 6) + struct.pack("<4dIIdd", 0, 0, 1, 0, 2, 3, -20.0, 10.0) + detector(4)
    line += b"\0\1" + varints([1, 200, 3, 4, 5, 6]) + struct.pack("<d2d", 9.0, 1.5, 2.5) + b"\1"
    data = b"EID2" + struct.pack("<iIII", 4, 1, 0, 0) + struct.pack("<I", 1) + spot
    data += struct.pack("<I", 1) + line + struct.pack("<I", 0)
    (tmp_path / "new.elid").write_bytes(bz2.compress(data))
    first, second = read(tmp_path / "new.elid").entries
    assert first.signal.values.tolist() == counts
    assert first["energy"].values[1] == pytest.approx(-0.005)
    assert first.conditions["detector"] == Quantity("FastSDD C5")
    assert first.original_metadata["selected_oxides"] == ["Al2O3"]
    assert first.original_metadata["family_overrides"] == ["Fe L"]
    assert second.signal.values.tolist() == [[1, 200, 3], [4, 5, 6]]
    assert second["energy"].values == pytest.approx([-0.02, -0.01, 0])
    assert second["live_time"].values.tolist() == [1.5, 2.5]
    data = data.replace(struct.pack("<i", 4), struct.pack("<i", 9), 1)
    (tmp_path / "newer.elid").write_bytes(data)
    with pytest.raises(ReadError, match="version 9"):
        READER.read(RawInput(tmp_path / "newer.elid"))


def test_counts_that_are_announced_but_not_there_take_no_memory(tmp_path: Path) -> None:
    spot = b"\2" + struct.pack("<IddI", 0, 0, 1, 2**32 - 1)
    (tmp_path / "a.elid").write_bytes(b"EID2" + struct.pack("<iIIII", 1, 1, 0, 0, 1) + spot + bytes(200))
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(tmp_path / "a.elid"))


def test_packed_images() -> None:
    """Known pairs of TIFF's LZW, among them the step that refers to itself and codes of 10 to 12 bits."""
    ramp = bytes(range(256)) * 40
    packed = encode(ramp)
    assert len(packed) < len(ramp)
    assert lzw(packed, len(ramp)) == ramp
    assert lzw(encode(b"a" * 5000), 5000) == b"a" * 5000
    noise = np.random.default_rng(3).integers(0, 256, 20000, "u1").tobytes()
    assert lzw(encode(noise), 20000) == noise
    with pytest.raises(ReadError, match="cut off"):
        lzw(packed[:50], len(ramp))
    with pytest.raises(ReadError, match="impossible code"):
        lzw(bytes([128, 63, 255, 255]), 100)


def encode(data: bytes) -> bytes:
    """TIFF's LZW, as its specification has it."""
    bits, held, out = 0, 0, bytearray()
    table: dict[bytes, int] = {}
    width, word = 9, b""

    def put(code: int) -> None:
        nonlocal bits, held
        bits, held = bits << width | code, held + width
        while held >= 8:
            held -= 8
            out.append(bits >> held & 255)

    def code_of(text: bytes) -> int:
        return text[0] if len(text) == 1 else table[text]

    put(256)
    for byte in data:
        longer = word + bytes([byte])
        if len(longer) == 1 or longer in table:
            word = longer
            continue
        put(code_of(word))
        table[longer] = 258 + len(table)
        word = bytes([byte])
        if len(table) + 257 == 4094:
            put(256)
            table, width = {}, 9
        elif len(table) + 257 in (511, 1023, 2047):
            width += 1
    put(code_of(word))
    put(257)
    out.append(bits << (8 - held) & 255)
    return bytes(out)


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.elid").write_bytes(bz2.compress(b"EID1 of long ago"))
    assert READER.sniff(RawInput(tmp_path / "a.elid")) == NO
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((2, 2), "u1"))
    (tmp_path / "a.tif").write_bytes(buffer.getvalue())
    assert READER.sniff(RawInput(tmp_path / "a.tif")) == NO
