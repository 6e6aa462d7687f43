"""Agilent FTIR images: what a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

import shutil
import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import _agilent_ftir_nodes as nodes
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.agilent_ftir_image import READER, sets

FOLDER = "agilent-ftir-image"
TILE = ("4_noimage_agg256.bsp", "4_noimage_agg256.dat", "4_noimage_agg256.seq", "4_noimage_agg256.hdr")
MOSAIC = (
    "5_mosaic_agg1024.dmt",
    "5_Mosaic_agg1024.dms",
    "5_Mosaic_agg1024_0000_0000.dmd",
    "5_Mosaic_agg1024_0000_0000.drd",
)


def read(folder: Path, *names: str) -> Measurement:
    parts = tuple(folder / name for name in names) if len(names) > 1 else ()
    return invariants.check(READER.read(RawInput(folder / names[0], parts)), READER)


# --- real files; agilent-format 0.4.7 gives the same numbers -------------------------------------------------


def test_real_tile(instruments: Path) -> None:
    m = read(instruments / FOLDER, *TILE)
    image, raw = m.entries
    assert image.signal.axes == ("y", "x", "wavenumber")
    assert (image.signal.name, image.signal.unit) == ("absorbance", "")
    assert image.signal.values.shape == (8, 8, 9)
    assert image.signal.values.sum(dtype=float) == pytest.approx(547.0907884985209, rel=1e-9)
    assert image.signal.values[-1, 0, :3] == pytest.approx([1.3586524, 1.348438, 1.3428489])
    assert image["wavenumber"].values[[0, -1]] == pytest.approx([1990.178226470947, 2113.600131988525])
    assert image["x"].values[[0, 1]].tolist() == [0, 88]  # 5.5 µm pixels, 16 of them together
    assert image["x"].unit == "um"
    assert raw.signal.axes == ("y", "x", "optical_path_difference")
    assert (raw.signal.name, raw.signal.unit) == ("interferogram", "V")
    assert raw.signal.values.shape == (8, 8, 311)
    assert raw.signal.values.sum(dtype=float) == pytest.approx(9773.695730254054, rel=1e-9)
    assert raw["optical_path_difference"].values[0] == pytest.approx(-68 * 0.00012659827227975054)
    assert image.started == datetime(2018, 1, 2, 14, 1, 52)
    told = {name: str(q) for name, q in image.conditions.items()}
    assert (told["resolution"], told["repetitions"], told["objective"]) == ("32 1/cm", "4", "15x")
    assert told["detector"] == "128 x 128 Lancer MCT"
    assert m.instrument == "Agilent UMA 600"
    assert m.warnings == ()


def test_real_mosaic_of_two_tiles(instruments: Path) -> None:
    """agilent-format 0.4.7, with both tiles, gives these sums; of the second tile only the whole is here."""
    m = read(instruments / FOLDER, *MOSAIC)
    image, raw = m.entries
    assert image.signal.values.shape == (8, 4, 9)
    assert image.signal.values.sum(dtype=float) == pytest.approx(189.0603215098381, rel=1e-9)
    assert image.signal.values[0, 0, :3] == pytest.approx([1.1818044, 1.1804702, 1.1794769])
    assert image.signal.values[-1, 0, :3] == pytest.approx([0.24456154, 0.24417587, 0.24405213])
    assert image["y"].values[1] == 176
    assert np.isnan(raw.signal.values[:4]).all()  # the tile below is missing
    assert raw.signal.values[4:].sum(dtype=float) == pytest.approx(3062.517586827278, rel=1e-9)
    assert raw.signal.values[-1, 0, :3] == pytest.approx([0.6612275, 0.6625505, 0.66247076])
    assert "1 of 2 tiles (.drd) are missing" in m.warnings[0]


def test_settings_alone_give_the_spectrum_they_hold(instruments: Path) -> None:
    path = instruments / FOLDER / TILE[0]
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(instruments / FOLDER, TILE[0])
    (entry,) = m
    assert entry.title == "Row = 1 Col = 4"
    assert entry.signal.values.sum() == pytest.approx(1.634094938635826)
    assert "not beside it" in m.warnings[0]


# --- variants -------------------------------------------------------------------------------------------------


def test_mosaic_is_put_together_from_its_tiles(instruments: Path, tmp_path: Path) -> None:
    """Tiles are counted from the top left; rows of an array begin at the bottom."""
    source = instruments / FOLDER
    whole = read(source, *MOSAIC)["absorbance_map"].signal.values
    shutil.copy(source / MOSAIC[0], tmp_path)
    tile = (source / MOSAIC[2]).read_bytes()
    (tmp_path / "5_MOSAIC_AGG1024_0000_0000.DMD").write_bytes(tile)
    below = whole[:4].transpose(2, 0, 1).astype("<f4").tobytes()
    (tmp_path / "5_Mosaic_agg1024_0000_0001.dmd").write_bytes(tile[:1020] + below)
    names = ("5_MOSAIC_AGG1024_0000_0000.DMD", "5_Mosaic_agg1024_0000_0001.dmd")
    m = read(tmp_path, MOSAIC[0], *names)
    assert np.array_equal(m[0].signal.values, whole)
    assert m.warnings == ()
    m = read(tmp_path, MOSAIC[0], names[0])
    assert np.isnan(m[0].signal.values[:4]).all()
    assert np.array_equal(m[0].signal.values[4:], whole[4:])


def test_which_files_belong_together() -> None:
    names = (
        *TILE,
        *MOSAIC,
        "background_agg256.bsp",
        "background_agg256.dat",
        "notes.txt",
        "alone.bsp",
        "x.dat",
    )
    found = {members[0]: set(members) for members in sets(tuple(sorted(names)))}
    assert found == {
        TILE[0]: set(TILE),
        MOSAIC[0]: set(MOSAIC),
        "background_agg256.bsp": {"background_agg256.bsp", "background_agg256.dat"},
    }


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode()


def node(name: str, kind: int, *parts: bytes) -> bytes:
    return text(name) + struct.pack("<II", kind, len(parts)) + b"".join(parts)


def part(content: bytes) -> bytes:
    return struct.pack("<I", len(content)) + content


def test_nodes_of_every_kind() -> None:
    data = [part(struct.pack("<d", 2.0)), part(struct.pack("<i", 500)), part(struct.pack("<i", 3))]
    words = [part(bytes(4)), part(b"Wavenumber"), part(bytes(4)), part(b"% Transmittance")]
    parameter = [part(struct.pack("<I", 5)), part(b"Scans"), *(part(struct.pack("<I", n)) for n in (1, 2, 4))]
    parameter += [part(struct.pack("<I", 2)), part(struct.pack("<I", 2)), part(b"16")]
    step = [part(struct.pack("<I", 5)), part(b"STEP0"), part(struct.pack("<I", 7)), part(b"Measure")]
    method = node("Created", 0, node("Method", 0, node("2.00", 1, *step, *parameter)))
    root = nodes.read_nodes(
        struct.pack("<I", 3)
        + node("Data", 0, node("1.00", 1, *data))
        + node("Parms", 0, node("1.00", 1, *words))
        + node("Properties", 0, method),
        "made",
    )
    axis = nodes.axis_of(root, "made")
    assert axis is not None
    assert (axis.step, axis.first, axis.points) == (2.0, 500, 3)
    assert (axis.x, axis.y) == ("Wavenumber", "% Transmittance")
    assert nodes.method_of(root) == {"Measure": {"Scans": "16"}}


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (
            struct.pack("<I", 1) + node("Data", 0)[:-4] + struct.pack("<I", 2**31),
            "announces 2147483648 parts",
        ),
        (struct.pack("<I", 1) + struct.pack("<I", 2**31) + b"Data", "cut off"),
        (struct.pack("<I", 9) + node("Data", 0), "cut off"),
    ],
)
def test_broken_nodes_are_refused(stream: bytes, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        nodes.read_nodes(stream, "made")


def test_nodes_nested_without_end_are_refused() -> None:
    inner = node("x", 0)
    for _ in range(100):
        inner = node("x", 0, inner)
    with pytest.raises(ReadError, match="nested deeper"):
        nodes.read_nodes(struct.pack("<I", 1) + inner, "made")


def test_axis_that_cannot_be_is_refused() -> None:
    for step, points in ((float("nan"), 3), (1.0, 0), (1.0, -5), (0.0, 3)):
        data = [part(struct.pack("<d", step)), part(struct.pack("<i", 5)), part(struct.pack("<i", points))]
        root = nodes.read_nodes(struct.pack("<I", 1) + node("Data", 0, node("1.00", 1, *data)), "made")
        with pytest.raises(ReadError, match="cannot be"):
            nodes.axis_of(root, "made")


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "x.bsp"
    for content in (b"", b"BSP", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)):
        path.write_bytes(content)
        assert READER.sniff(RawInput(path)) == NO


# --- damage --------------------------------------------------------------------------------------------------


def test_cut_images_are_refused(instruments: Path, tmp_path: Path) -> None:
    for name in TILE:
        shutil.copy(instruments / FOLDER / name, tmp_path)
    for name in TILE[1:3]:
        content = (tmp_path / name).read_bytes()
        for i in range(20):
            (tmp_path / name).write_bytes(content[: len(content) * i // 20])
            with pytest.raises(ReadError):
                read(tmp_path, *TILE)
        (tmp_path / name).write_bytes(content)


@pytest.mark.parametrize("name", [TILE[0], MOSAIC[0]])
def test_damaged_settings(instruments: Path, tmp_path: Path, name: str) -> None:
    content = (instruments / FOLDER / name).read_bytes()
    broken_files.cut(READER, content, tmp_path / "cut.bsp")
    broken_files.damage(READER, content, tmp_path / "broken.bsp", turns=60, within=6000)
