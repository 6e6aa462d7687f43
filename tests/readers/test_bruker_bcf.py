"""Bruker Esprit maps: what an analyst would lose if the reader were wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers import bcf_files as make
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import _bruker_hypermap as hypermap
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers._bruker_sfs import Container
from zairyo.readers.bruker_bcf import READER
from zairyo.readers.invariants import check

FOLDER = "bruker-bcf"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


# --- real files; every number of every map and image is equal to rosettasciio 0.15.0's --------------------------

GOLDEN: dict[str, tuple[Any, ...]] = {
    # file: shape, sum, largest, last energy, (step y, step x, unit), [(title, shape, sum, largest)], real time (s)
    "16x16_12bit_packed_8bit.bcf": (
        (16, 16, 2048), 20194, 5, -0.47095867 + 2047 * 0.009997, (0.966497572879043, 0.966497572879044, "um"),
        [("AsB", (16, 16), 10491776, 49936)], 0.101888,
    ),
    "Hitachi_TM3030Plus.bcf": (
        (240, 320, 2048), 171804, 6, -0.4746 + 2047 * 0.01, (1, 1, "pixel"),
        [("SEM", (240, 320), 4872181184, 65520)], 35.0976,
    ),
    "P45_the_default_job.bcf": (
        (75, 100, 2048), 165941, 7, -0.472397235 + 2047 * 0.010001, (8.73678506197786, 8.73678506197784, "um"),
        [("BSE", (75, 100), 302966312, 65520), ("SE", (75, 100), 197505760, 55232)], 1.088,
    ),
    "bcf_v2_50x50px.bcf": (
        (50, 50, 2048), 949769, 42, -0.47316066 + 2047 * 0.009996, (0.01180808099, 0.01273058731, "um"),
        [("Ch 1", (50, 50), 42715050, 18539), ("Ch 1", (825, 1100), 14795784992, 20096)], 19.2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    shape, total, largest, last, (dy, dx, unit), images, real_time = GOLDEN[name]
    assert READER.sniff(RawInput(instruments / FOLDER / name)) > 0.5
    m = read(instruments / FOLDER / name)
    cube = m["spectrum_image"]
    values = cube.signal.values
    assert (cube.technique, values.shape, values.dtype, cube.signal.unit) == (
        "eds",
        shape,
        np.uint8,
        "counts",
    )
    assert (int(values.sum(dtype=np.int64)), int(values.max())) == (total, largest)
    assert cube["energy"].values[-1] == pytest.approx(last, rel=1e-12)
    assert (cube["energy"].unit, cube["y"].unit) == ("keV", unit)
    assert (cube["y"].values[1], cube["x"].values[1]) == pytest.approx((dy, dx), rel=1e-12)
    assert cube.conditions["real_time"].value == pytest.approx(real_time)
    found = [e for e in m.entries if e.technique == "sem"]
    told = [
        (e.title, e.signal.values.shape, int(e.signal.values.sum(dtype=np.int64)), int(e.signal.values.max()))
        for e in found
    ]
    assert told == images


def test_the_map_is_its_sum_spectrum(instruments: Path) -> None:
    """The head has the sum of the map: every count is where it belongs along the energy."""
    for name in ("Hitachi_TM3030Plus.bcf", "P45_the_default_job.bcf", "bcf_v2_50x50px.bcf"):
        m = read(instruments / FOLDER / name)
        assert m.default == "sum_spectrum"
        assert (
            m["spectrum_image"].signal.values.sum(axis=(0, 1)).tolist()
            == m["sum_spectrum"].signal.values.tolist()
        )


def test_real_conditions(instruments: Path) -> None:
    m = read(instruments / FOLDER / "bcf_v2_50x50px.bcf")
    c = m["spectrum_image"].conditions
    assert {
        n: c[n].value for n in ("accelerating_voltage", "elevation_angle", "azimuth_angle", "frames")
    } == {
        "accelerating_voltage": 20.0,
        "elevation_angle": 35.0,
        "azimuth_angle": 45.0,
        "frames": 30,
    }
    assert (c["detector"].value, c["elements"].value) == ("XFlash 6|100", "C, O, Al, Cu, Ag")
    assert c["energy_resolution"].value == pytest.approx(137.4)
    assert m["spectrum_image"].started == datetime(2017, 3, 14, 19, 4, 11)
    assert [e.name for e in m.entries] == ["spectrum_image", "sum_spectrum", "image", "overview"]


def test_decimal_comma(instruments: Path) -> None:
    c = read(instruments / FOLDER / "16x16_12bit_packed_8bit.bcf")["spectrum_image"].conditions
    assert c["working_distance"].value == 8.42176
    assert (c["stage_x"].value, c["stage_x"].unit) == (67.35885, "mm")


def test_metadata_without_arrays(instruments: Path) -> None:
    tree: Any = read(instruments / FOLDER / "P45_the_default_job.bcf").original_metadata
    database = tree["ClassInstance"]
    told = next(c for c in database["ClassInstance"] if c["@Type"] == "TRTDSPConfiguration")
    assert told["ChannelName1"] == "SE"
    assert len(repr(tree)) < 60_000


# --- variants -----------------------------------------------------------------------------------------------


def made(
    tmp_path: Path, lines: list[list[bytes]], columns: int, channels: int = 2048, **more: str
) -> Measurement:
    path = tmp_path / "made.bcf"
    path.write_bytes(make.bcf(lines, columns, channels, **more))
    assert READER.sniff(RawInput(path)) == CERTAIN
    return read(path)


def spectra(m: Measurement) -> Any:
    return m["spectrum_image"].signal.values


def test_every_form_of_pixel(tmp_path: Path) -> None:
    """The same spectrum in each of the forms that Esprit chooses from."""
    counts = np.zeros(2048, int)
    counts[[5, 6, 7, 300, 2047]] = [2, 1, 3, 1, 1]
    channels = np.repeat(np.arange(2048), counts).tolist()
    rest = make.instruction(0, 0, [])
    zeros = lambda n: b"".join(bytes([0, min(255, n - i)]) for i in range(0, n, 255))  # noqa: E731
    assert rest == b"\0\0"
    instructed = (
        zeros(5) + make.instruction(1, 1, [1, 0, 2]) + zeros(292) + make.instruction(2, 1, [0]) + zeros(1746)
    )
    lines = [
        [make.pulses_16(0, channels), make.pulses_12(1, channels)],
        [make.pixel(1, 2, instructed, 1, np.array([2047], "<u2").tobytes())],
    ]
    values = spectra(made(tmp_path, lines, 2))
    assert values.shape == (2, 2, 2048)
    for place in ((0, 0), (0, 1), (1, 1)):
        assert values[place].tolist() == counts.tolist()
    assert not values[1, 0].any()  # a pixel that was not measured


@pytest.mark.parametrize("pulses", range(1, 10))
def test_any_number_of_pulses_of_12_bits(tmp_path: Path, pulses: int) -> None:
    channels = [(i * 977) % 2048 for i in range(pulses)]
    values = spectra(made(tmp_path, [[make.pulses_12(0, channels), make.pulses_12(1, channels[:1])]], 2))
    assert values[0, 0].tolist() == np.bincount(channels, minlength=2048).tolist()
    assert values[0, 1].sum() == 1


def test_instructions_of_every_width(tmp_path: Path) -> None:
    content = (
        make.instruction(1, 3, [0, 1, 15])
        + make.instruction(2, 300, [0, 255])
        + make.instruction(4, 70_000, [0, 65_535, 7])
        + make.instruction(8, 0, [100_000, 1])
    )
    values = spectra(made(tmp_path, [[make.pixel(0, 2, content)]], 1))
    assert values.dtype == np.uint32
    assert values[0, 0, :10].tolist() == [3, 4, 18, 300, 555, 70_000, 135_535, 70_007, 100_000, 1]


def test_counts_beyond_a_byte(tmp_path: Path) -> None:
    """300 pulses in a channel must not wrap round to 44."""
    values = spectra(made(tmp_path, [[make.pulses_12(0, [9] * 300)]], 1))
    assert (values.dtype, int(values[0, 0, 9])) == (np.uint16, 300)
    content = make.instruction(1, 250, [0, 3])
    values = spectra(made(tmp_path, [[make.pixel(0, 2, content, 9, np.full(9, 1, "<u2").tobytes())]], 1))
    assert values[0, 0, :2].tolist() == [250, 262]
    assert spectra(made(tmp_path, [[make.pulses_16(0, list(range(300)))]], 1)).dtype == np.uint8


def test_channels_beyond_the_calibrated_ones(tmp_path: Path) -> None:
    lines = [
        [make.pulses_12(0, [1, 12]), make.pixel(1, 2, bytes([0, 8]) + make.instruction(1, 0, [1, 2, 3]))]
    ]
    m = made(tmp_path, lines, 2, 10)
    assert spectra(m).tolist() == [[[0, 1, *[0] * 8], [*[0] * 8, 1, 2]]]
    assert any("beyond the 10 calibrated" in w for w in m.warnings)


def test_map_too_large_is_summed_over_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypermap, "_MOST_BYTES", 4 * 8)
    content = make.instruction(1, 0, [1, 2])
    lines = [[make.pixel(x, 2, content) for x in range(3)] for _ in range(2)]
    lines.append([make.pulses_12(0, [0, 0, 7])])
    m = made(tmp_path, lines, 3, 8)
    assert spectra(m)[..., :2].tolist() == [[[4, 8], [2, 4]], [[2, 0], [0, 0]]]
    assert m["spectrum_image"]["x"].values.tolist() == [0.25, 1.25]  # the middles, with steps of 0.5 µm
    assert any("sum over 2 × 2 pixels" in w for w in m.warnings)


def test_containers_of_every_kind(tmp_path: Path) -> None:
    """Packed or fragmented, with tables longer than a chunk: the files inside are the same."""
    rng = np.random.default_rng(4)
    files = {"HeaderData": rng.bytes(5_000_000), "SpectrumData0": b"short", "Empty": b""}
    for is_fragmented in (False, True):
        inside = Container(make.container(files, is_fragmented), "made")
        assert inside.names == tuple(f"EDSDatabase/{n}" for n in files)
        assert all(inside.read(f"EDSDatabase/{n}", 2**30) == data for n, data in files.items())
    inside = Container(make.container({"a": make.packed(files["HeaderData"][:9999])}), "made")
    assert inside.read("EDSDatabase/a", 2**30) == files["HeaderData"][:9999]
    inside = Container(make.container({"a": make.packed(bytes(99_999), 50_000)}), "made")
    with pytest.raises(ReadError, match="unpacks to more than"):
        inside.read("EDSDatabase/a", 9998)


def test_two_detectors(tmp_path: Path) -> None:
    one, two = ([[make.pulses_12(0, [c])]] for c in (3, 4))
    files = {
        "HeaderData": make.head(2048, 2, "200"),
        "SpectrumData0": make.hypermap(1, one),
        "SpectrumData1": make.hypermap(1, two),
    }
    (tmp_path / "two.bcf").write_bytes(make.container(files))
    m = read(tmp_path / "two.bcf")
    assert [(e.name, int(np.argmax(e.signal.values))) for e in m.entries] == [
        ("spectrum_image", 3),
        ("spectrum_image_2", 4),
    ]


# --- broken files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOLDEN)
def test_broken(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / FOLDER / name).read_bytes()
    assert cut(READER, data, tmp_path / "cut.bcf", 12) == []
    damage(READER, data, tmp_path / "bad.bcf", turns=12, within=5000)


def test_damaged_map(tmp_path: Path) -> None:
    """Wrong bytes in the packed pixels and in the container's tables, many of them."""
    content = b"".join(make.instruction(w, 1, [1, 2, 3]) for w in (1, 2, 4, 8))
    extra = np.array([5, 6], "<u2").tobytes()
    line = [make.pulses_16(0, [1, 2, 3]), make.pulses_12(1, [4, 5, 6]), make.pixel(2, 2, content, 2, extra)]
    data = make.bcf([line] * 5, 3, 64)
    for seed in range(6):
        damage(READER, data, tmp_path / "bad.bcf", turns=50, seed=seed)
    packed = make.hypermap(3, [line] * 5)
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = np.frombuffer(packed, np.uint8).copy()
        broken[rng.integers(0x1A0, len(broken), 3)] = rng.integers(0, 256, 3)
        try:
            found = hypermap.unpack(broken.tobytes(), 64, "map")
        except ReadError:
            continue
        assert found.counts.shape == (5, 3, 64)
    for size in range(len(packed)):
        with pytest.raises(ReadError):
            hypermap.unpack(packed[:size], 64, "map")


def test_sizes_are_not_believed(tmp_path: Path) -> None:
    huge = make.hypermap(65_000, [[make.pulses_12(0, [1])]] * 40)
    with pytest.raises(ReadError, match="40 pixels of 40 × 65000"):
        hypermap.unpack(huge, 2048, "map")
    with pytest.raises(ReadError, match="damaged, or too large"):
        hypermap.unpack(
            make.hypermap(1, [[make.pixel(0, 2, make.instruction(8, 2**40, [1]))]]), 64, "the map"
        )


def test_others_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"AAMVHFS" + bytes(500))
    assert READER.sniff(RawInput(tmp_path / "other")) == NO
    (tmp_path / "other.bcf").write_bytes(make.container({"Something": b"else"}))
    with pytest.raises(ReadError, match="without an X-ray map"):
        read(tmp_path / "other.bcf")
