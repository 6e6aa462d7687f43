"""JEOL Analysis Station: what an analyst would lose if the reader were wrong."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers import jeol_files as make
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import _jeol_events as events
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.jeol_analysis_station import READER

FOLDER = "jeol-eds"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


# --- real files; numbers, lengths and energies are those that rosettasciio 0.15.0 gives --------------------------

IMAGES: dict[str, tuple[Any, ...]] = {
    # file: technique, title, sum, largest, started
    "View000_0000000.img": ("stem", "IMG1", 137518, 52, "2017-04-07T18:08:05"),
    "View000_0000003.map": ("eds", "S K", 45058, 7, "2017-04-07T18:08:39"),
    "View000_0000004.map": ("eds", "Fe K", 45099, 6, "2017-04-07T18:08:39"),
    "View000_0000005.map": ("eds", "Cu K", 24997, 4, "2017-04-07T18:08:39"),
}


@pytest.mark.parametrize("name", IMAGES)
def test_real_images(instruments: Path, name: str) -> None:
    technique, title, total, largest, started = IMAGES[name]
    path = instruments / FOLDER / name
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    (entry,) = m.entries
    values = entry.signal.values
    assert (entry.technique, entry.title, m.instrument) == (technique, title, "JEM-2100F(UHR)")
    assert (values.shape, values.dtype, entry.signal.axes) == ((512, 512), np.uint8, ("y", "x"))
    assert (int(values.sum(dtype=int)), int(values.max())) == (total, largest)
    for axis in ("y", "x"):
        assert entry[axis].values[[0, 1]] == pytest.approx([0, 0.00869140625])
        assert entry[axis].unit == "um"
    assert entry.started == datetime.fromisoformat(started)
    assert (entry.conditions["accelerating_voltage"].value, entry.conditions["magnification"].value) == (
        200.0,
        40000.0,
    )
    if technique == "eds":
        c = entry.conditions
        assert (c["elements"].value, c["xray_line"].value, c["frames"].value) == (title.split()[0], "K", 14.0)
        assert (c["dwell_time"].value, c["dwell_time"].unit, entry.signal.unit) == (100.0, "us", "counts")


def test_real_spectrum(instruments: Path) -> None:
    path = instruments / FOLDER / "met03.EDS"
    assert READER.sniff(RawInput(path)) == LIKELY
    m = read(path)
    (entry,) = m.entries
    assert (entry.technique, entry.signal.values.shape, entry.signal.unit) == ("eds", (2048,), "counts")
    assert (int(entry.signal.values.sum()), int(entry.signal.values.max())) == (296519, 4539)
    assert entry["energy"].values[[0, -1]] == pytest.approx([-0.00176612, -0.00176612 + 2047 * 0.0100004])
    assert entry.started == datetime(2018, 6, 25, 14, 14, 51)
    told = {n: (q.value, q.unit) for n, q in entry.conditions.items()}
    assert told["live_time"] == (30.0, "s")
    assert told["elevation_angle"] == (22.3, "deg")  # stored in single precision
    assert told["energy_resolution"] == (138.0, "eV")
    assert told["detector_type"] == ("EX24075JGT", None)
    assert told["elements"] == ("S, Fe", None)
    assert (m.instrument, m.operator, m.title) == ("JEM-2100F(UHR)", "gatan", "met03")
    footer: Any = m.original_metadata["Footer"]
    assert [q["Name"] for q in footer["Quantification"]] == ["SO3", "FeO"]
    assert footer["Selected elements"]["Fe K"]["Lines"]["Fe Ka"]["Energy"] == 6.398


def test_a_project_with_what_lies_beside_it(instruments: Path) -> None:
    found = {r.path.name: r for r in registry.inputs([instruments / FOLDER])}
    assert sorted(found) == ["met03.EDS", "rawdata.ASW"]
    m = registry.read(found["rawdata.ASW"].path)
    assert [(e.name, e.title) for e in m.entries] == [
        ("image", "IMG1"),
        ("map", "S K"),
        ("map_2", "Fe K"),
        ("map_3", "Cu K"),
    ]
    assert any("View000_0000006.pts" in w for w in m.warnings)


def test_a_project_in_folders(instruments: Path, tmp_path: Path) -> None:
    """As Analysis Station writes it: the views in a folder a sample."""
    views = tmp_path / "project" / "Sample" / "00_View000"
    views.mkdir(parents=True)
    shutil.copyfile(instruments / FOLDER / "rawdata.ASW", tmp_path / "project" / "rawdata.ASW")
    for name in ("View000_0000000.img", "View000_0000004.map"):
        shutil.copyfile(instruments / FOLDER / name, views / name)
    (views / "View000_0000005.map").write_bytes(b"4\0\0\0 cut off")
    m = registry.read(tmp_path / "project")
    assert [e.title for e in m.entries] == ["IMG1", "Fe K"]
    assert any("View000_0000005.map could not be read" in w for w in m.warnings)


def test_a_project_alone_says_what_to_do(instruments: Path, tmp_path: Path) -> None:
    shutil.copyfile(instruments / FOLDER / "rawdata.ASW", tmp_path / "rawdata.ASW")
    with pytest.raises(ReadError, match=r"give the folder"):
        read(tmp_path / "rawdata.ASW")


# --- variants: maps of events have no real file here. Made files like these were read by rosettasciio 0.15.0 with the
# same counts, electron image, energies and lengths.


def made(tmp_path: Path, words: list[int], columns: int = 4, rows: int = 4, **more: Any) -> Measurement:
    path = tmp_path / "made.pts"
    path.write_bytes(make.pts(columns, rows, words, **more))
    assert READER.sniff(RawInput(path)) == CERTAIN
    return read(path)


def counts(seed: int, rows: int = 4, columns: int = 4) -> Any:
    return np.random.default_rng(seed).poisson(0.3, (rows, columns, 50))


def test_frames_are_summed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_WORDS_AT_ONCE", 37)  # the beam's place is carried from part to part
    frames, electrons = [counts(i) for i in range(3)], [np.arange(16).reshape(4, 4) * i for i in range(3)]
    words = [w for f, e in zip(frames, electrons, strict=True) for w in make.frame(f, e)]
    m = made(tmp_path, words)
    cube: Any = m["spectrum_image"]
    assert cube.signal.values.shape == (4, 4, 4096)
    assert np.array_equal(cube.signal.values[..., :50], sum(frames))
    assert not cube.signal.values[..., 50:].any()
    assert np.array_equal(m["image"].signal.values, sum(electrons))
    assert np.array_equal(m["sum_spectrum"].signal.values[:50], sum(frames).sum(axis=(0, 1)))
    assert cube["energy"].values[[0, 96]] == pytest.approx([-0.962, -0.002])
    assert cube["x"].values.tolist() == [0.0, 30.0, 60.0, 90.0]  # 120 mm / 1000 over 4 pixels
    assert (m.default, cube.conditions["frames"].value, m.warnings) == ("sum_spectrum", 3, ())
    assert cube.started == datetime(2017, 9, 22, 6)


@pytest.mark.parametrize("has_electrons", [True, False])
def test_an_interrupted_frame_is_left_out(tmp_path: Path, has_electrons: bool) -> None:
    """Else a part of the sample would have been measured longer than the rest."""
    electrons = np.ones((4, 4), int) if has_electrons else None
    whole = make.frame(counts(1), electrons)
    half = make.frame(counts(2), electrons)
    m = made(tmp_path, whole + half[: len(half) // 2])
    assert np.array_equal(m["spectrum_image"].signal.values[..., :50], counts(1))
    assert any("1 whole frames" in w for w in m.warnings)
    first = made(tmp_path, half[: len(half) // 2])
    assert first["spectrum_image"].signal.values.sum() > 0
    assert any("within the first frame" in w for w in first.warnings)


def test_fields_that_are_not_square(tmp_path: Path) -> None:
    """4096 steps are the width; or, in other versions, each side."""
    f = counts(3, 2, 4)
    words = make.frame(f)
    assert np.array_equal(made(tmp_path, words, 4, 2)["spectrum_image"].signal.values[..., :50], f)
    square = [w if w >> 12 != 9 else make.ROW + (w & 0xFFF) // 2 for w in words]
    assert np.array_equal(made(tmp_path, square, 4, 2)["spectrum_image"].signal.values[..., :50], f)


def test_more_counts_than_a_byte_holds(tmp_path: Path) -> None:
    f = np.zeros((4, 4, 50), int)
    f[1, 2, 3], f[3, 3, 1] = 300, 1
    values = made(tmp_path, make.frame(f))["spectrum_image"].signal.values
    assert (values.dtype, int(values[1, 2, 3])) == (np.uint16, 300)


def test_map_too_large_is_summed_over_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_MOST_BYTES", 4 * 4096)
    f = counts(4)
    m = made(tmp_path, make.frame(f, np.ones((4, 4), int)))
    expected = f.reshape(2, 2, 2, 2, 50).sum(axis=(1, 3))
    assert np.array_equal(m["spectrum_image"].signal.values[..., :50], expected)
    assert m["spectrum_image"]["x"].values.tolist() == [15.0, 75.0]
    assert m["image"].signal.values.shape == (4, 4)


def test_images_of_more_bits(tmp_path: Path) -> None:
    values = np.arange(6, dtype="<u2").reshape(2, 3) * 10_000
    (tmp_path / "a.img").write_bytes(make.image(3, 2, values.tobytes(), Note="日本語"))
    m = read(tmp_path / "a.img")
    assert np.array_equal(m[0].signal.values, values)
    assert (m[0].technique, m.original_metadata["Note"]) == ("sem", "日本語")
    (tmp_path / "b.img").write_bytes(make.image(3, 2, bytes(7)))
    with pytest.raises(ReadError, match="7 bytes for 3 × 2 pixels"):
        read(tmp_path / "b.img")


# --- broken files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*IMAGES, "met03.EDS"])
def test_broken(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / FOLDER / name).read_bytes()
    whole_before_the_end = [19] if name.endswith((".img", ".map")) else []
    assert set(cut(READER, data, tmp_path / name)) <= set(whole_before_the_end)
    damage(READER, data, tmp_path / name, turns=30, within=600)


def test_broken_events_and_projects(instruments: Path, tmp_path: Path) -> None:
    data = make.pts(4, 4, make.frame(counts(1), np.ones((4, 4), int)) * 2)
    cut(READER, data, tmp_path / "cut.pts")
    for seed in range(3):
        damage(READER, data, tmp_path / "bad.pts", turns=40, within=1500, seed=seed)
    project = (instruments / FOLDER / "rawdata.ASW").read_bytes()
    cut(READER, project, tmp_path / "cut.asw")
    damage(READER, project, tmp_path / "bad.asw")


def test_others_are_not_taken(tmp_path: Path) -> None:
    for i, data in enumerate(
        (bytes(600), b"4\0\0\0" + bytes(600), b"\x30\1\0\0" + bytes(600), b"\2\0\0\0" + bytes(600))
    ):
        path = tmp_path / f"{i}.eds"
        path.write_bytes(data)
        assert READER.sniff(RawInput(path)) == NO
