"""Renishaw WiRE: what a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers._renishaw_pset import read_pset
from zairyo.readers.renishaw_wdf import READER

FOLDER = "renishaw-wdf"


def read(path: Path) -> Measurement:
    return READER.read(RawInput(path))


# --- real files; spectra and spectral axes are equal to those of renishawWiRE 0.1.16 and rosettasciio 0.15.0 --

GOLDEN: dict[str, tuple[Any, ...]] = {
    # name: shape, axes, first and last of the spectral axis, sum, largest, laser (nm), exposure (s), repetitions
    "interrupted_acquisition": (
        (3, 4, 1010),
        ("y", "x", "raman_shift"),
        (1128.625, -163.693359375),
        3282172.542489052,
        3979.30810546875,
        (532.161, 0.5, 1),
    ),
    "raman_example": (
        (1011,),
        ("raman_shift",),
        (1879.44921875, 0.380859375),
        368300.84299361706,
        5556.49560546875,
        (632.799, 3.0, 1),
    ),
    "renishaw_test_exptime10_acc1": (
        (1015,),
        ("raman_shift",),
        (1662.689453125, -789.916015625),
        274848.5313653946,
        54760.80859375,
        (325.0, 10.0, 1),
    ),
    "renishaw_test_focustrack_invariant": (
        (10, 1010),
        ("time", "raman_shift"),
        (1128.640625, -163.681640625),
        2298779.1104664803,
        751.6595458984375,
        (532.161, 1.0, 1),
    ),
    "renishaw_test_linescan": (
        (5, 40),
        ("distance", "wavelength"),
        (364.6417541503906, 361.3132019042969),
        118.87609300017357,
        2.9576427936553955,
        (325.0, 1.0, 1),
    ),
    "renishaw_test_spectrum": (
        (36,),
        ("wavelength",),
        (328.98077392578125, 326.0163269042969),
        2606.1608276367188,
        272.71429443359375,
        (325.0, 180.0, 2),
    ),
    "renishaw_test_timeseries": (
        (3, 1007),
        ("time", "raman_shift"),
        (1847.217041015625, -1069.986083984375),
        12616174.740234375,
        5502.45458984375,
        (532.233, 1.0, 1),
    ),
    "renishaw_test_zscan": (
        (40, 1015),
        ("z", "raman_shift"),
        (2787.782958984375, 1226.6053466796875),
        246187.25992166996,
        140.61102294921875,
        (532.25, 0.1, 1),
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    shape, axes, ends, total, largest, (laser, exposure, repetitions) = GOLDEN[name]
    path = instruments / FOLDER / f"{name}.wdf"
    assert READER.sniff(RawInput(path)) == CERTAIN
    entry = read(path)[0]
    assert entry.technique == ("raman" if "raman_shift" in axes else "photoluminescence")
    assert entry.signal.axes == axes
    assert entry.signal.values.shape == shape
    assert entry.signal.unit == "counts"
    spectral: Any = entry[axes[-1]]
    assert spectral.unit == ("1/cm" if "raman_shift" in axes else "nm")
    assert spectral.values[[0, -1]].tolist() == list(ends)
    assert entry.signal.values.sum(dtype=float) == pytest.approx(total, rel=1e-12)
    assert float(entry.signal.values.max()) == largest
    assert entry.conditions["laser_wavelength"].value == pytest.approx(laser, abs=1e-3)
    assert entry.conditions["exposure_time"].value == exposure
    assert entry.conditions["repetitions"].value == repetitions
    assert entry.started is not None


def test_shipped_example(examples: Path) -> None:
    (entry,) = read(examples / "spectroscopy/raman_example.wdf")
    assert entry.technique == "raman"
    assert float(entry.signal.values.max()) == 5556.49560546875


def test_interrupted_map_keeps_what_was_taken(instruments: Path) -> None:
    m = read(instruments / FOLDER / "interrupted_acquisition.wdf")
    assert "12 of 16 spectra" in m.warnings[0]
    assert m[0]["x"].values == pytest.approx([9250.0732, 9260.0732, 9270.0732, 9280.0732])
    assert m[0]["y"].values == pytest.approx([3334.2344, 3344.2344, 3354.2344])
    assert m[0]["x"].unit == "um"


def test_line_scan_over_the_distance(instruments: Path) -> None:
    entry = read(instruments / FOLDER / "renishaw_test_linescan.wdf")[0]
    assert entry["distance"].values == pytest.approx([0, 30, 60, 90, 120], rel=1e-6)
    assert entry["x"].values[[0, -1]] == pytest.approx([-50.0, 34.852814], rel=1e-6)


def test_series_axes(instruments: Path) -> None:
    depth = read(instruments / FOLDER / "renishaw_test_zscan.wdf")[0]
    assert depth["z"].values == pytest.approx(np.arange(-10, 10, 0.5))
    assert depth["z"].unit == "um"
    time = read(instruments / FOLDER / "renishaw_test_timeseries.wdf")[0]
    assert time["time"].values == pytest.approx([0.0, 3.0876185, 6.133009], abs=0.1)
    assert time["time"].unit == "s"


def test_maps_that_wire_computed(instruments: Path) -> None:
    m = read(instruments / FOLDER / "renishaw_test_zscan.wdf")
    computed = m["map_signal_to_baseline_from_1550_00_to_1620_00"]
    assert computed.signal.values.shape == (40,)
    assert float(computed.signal.values.max()) == pytest.approx(1865.6724853515625)


def test_white_light_image(instruments: Path) -> None:
    pytest.importorskip("PIL")
    image = read(instruments / FOLDER / "renishaw_test_linescan.wdf")["white_light_image"]
    assert image.signal.values.shape == (480, 752, 3)
    assert image["x"].unit == image["y"].unit == "um"
    # A sensor of 9.096 mm by 5.761 mm behind an objective of 14×: 649.714 µm by 411.5 µm, as the file also says.
    for axis, start, length in (("x", -230.441, 649.714), ("y", -107.465, 411.5)):
        positions = image[axis].values
        step = length / len(positions)
        assert positions[0] == pytest.approx(start + step / 2)
        assert positions[-1] == pytest.approx(start + length - step / 2, rel=1e-6)


def test_vendor_properties_are_complete(instruments: Path) -> None:
    m = read(instruments / FOLDER / "renishaw_test_exptime10_acc1.wdf")
    told: Any = m.original_metadata
    assert told["WXIS"]["Motor Positions"]["Slit Master"] == "1627.6 microns"
    assert told["WXDM"]["key_1011"]["Scan"]["Use Cosmic Ray Remove"] == 1
    assert told["WXDM"]["Script"].startswith("' StdMeasurement.vbs")
    assert told["ZLDC"]["Properties"]["Value"] == 2302
    assert m[0].conditions["objective"].value == "x100"
    assert m[0].conditions["laser_transmission"].value == 100.0
    assert m.operator == "optik"
    assert m.instrument == "Renishaw InVia"


# --- variants, written by hand -------------------------------------------------------------------------------


def part(name: bytes, content: bytes, number: int = 0) -> bytes:
    return struct.pack("<4sIQ", name, number, 16 + len(content)) + content


def header(
    points: int, capacity: int, *, collected: int | None = None, kind: int = 3, unit: int = 6, rows: int = 1
) -> bytes:
    columns = points // rows
    return struct.pack(
        "<4sIQQ16sQIIIIQQIIII24s4HIIQQIf48s32s160s",
        *(b"WDF1", 1, 512, 0, b"u" * 16, 0, 0, 0, 0, points, capacity),
        *(capacity if collected is None else collected, 4, rows, columns, 0, b"WiRE", 5, 2, 0, 1, 1, kind),
        *(133008259060000000, 133008259160000000, unit, 18796.99, b"", b"user", "título".encode()),
    ).ljust(512, b"\0")


def spectral(values: list[float], unit: int = 1) -> bytes:
    return part(b"XLST", struct.pack(f"<II{len(values)}f", 1, unit, *values))


def origins(*lists: tuple[int, int, bytes, list[float]]) -> bytes:
    body = struct.pack("<I", len(lists))
    for kind, unit, label, values in lists:
        body += struct.pack(f"<II16s{len(values)}d", kind, unit, label, *values)
    return part(b"ORGN", body)


def grid(flag: int, step: tuple[float, float], size: tuple[int, int]) -> bytes:
    return part(b"WMAP", struct.pack("<II6f4I", flag, 0, 100, 200, 0, *step, 1, *size, 1, 0))


def data(values: Any) -> bytes:
    return part(b"DATA", np.asarray(values, "<f4").tobytes())


def save(folder: Path, *parts: bytes) -> Path:
    path = folder / "made.wdf"
    path.write_bytes(b"".join(parts))
    return path


@pytest.mark.parametrize(
    ("flag", "order"),
    [
        (0, [0, 1, 2, 3, 4, 5]),  # row by row
        (2, [0, 2, 4, 1, 3, 5]),  # column by column: spectrum number at each place
        (4, [0, 1, 2, 5, 4, 3]),  # back and forth
    ],
)
@pytest.mark.parametrize("with_positions", [False, True])
def test_maps_of_any_order(tmp_path: Path, flag: int, order: list[int], with_positions: bool) -> None:
    x = [100.0 + 10 * (order.index(i) % 3) for i in range(6)]
    y = [200.0 - 5 * (order.index(i) // 3) for i in range(6)]
    lists = [((1 << 31) | 3, 5, b"X", x), ((1 << 31) | 4, 5, b"Y", y)] if with_positions else []
    spectra = [[i, i + 0.5] for i in range(6)]
    path = save(
        tmp_path,
        header(2, 6),
        data(spectra),
        spectral([520, 519]),
        origins(*lists),
        grid(flag, (10, -5), (3, 2)),
    )
    (entry,) = read(path)
    assert entry.signal.values[..., 0].ravel().tolist() == order
    assert entry["x"].values.tolist() == [100, 110, 120]
    assert entry["y"].values.tolist() == [200, 195]


def test_map_broken_off_within_a_row_keeps_all_spectra(tmp_path: Path) -> None:
    lists = ((1 << 31) | 3, 5, b"X", [100.0, 110, 120, 100, 0, 0]), ((1 << 31) | 4, 5, b"Y", [200.0] * 6)
    path = save(
        tmp_path,
        header(2, 6, collected=4),
        data(np.arange(12).reshape(6, 2)),
        spectral([520, 519]),
        origins(*lists),
        grid(0, (10, 5), (3, 2)),
    )
    m = read(path)
    assert m[0].signal.axes == ("index", "raman_shift")
    assert m[0].signal.values.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert m[0]["x"].values.tolist() == [100, 110, 120, 100]


def test_temperature_series(tmp_path: Path) -> None:
    path = save(
        tmp_path,
        header(2, 3, kind=2),
        data(np.arange(6)),
        spectral([520, 519]),
        origins(((1 << 31) | 9, 21, b"T", [25.0, 50.0, 75.0])),
    )
    (entry,) = read(path)
    assert entry["temperature"].values.tolist() == [25.0, 50.0, 75.0]
    assert entry["temperature"].unit == "degC"
    assert entry.conditions["duration"].value == 10.0


def test_images_of_the_detector(tmp_path: Path) -> None:
    rows = part(b"YLST", struct.pack("<II3f", 4, 16, 0, 1, 2))
    path = save(tmp_path, header(6, 1, kind=1, rows=3), data(np.arange(6)), spectral([520, 519]), rows)
    (entry,) = read(path)
    assert entry.signal.axes == ("detector_row", "raman_shift")
    assert entry.signal.values.tolist() == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize(
    ("unit", "name", "technique"),
    [
        (1, "raman_shift", "raman"),
        (2, "wavenumber", "photoluminescence"),
        (3, "wavelength", "photoluminescence"),
        (4, "photon_energy", "photoluminescence"),
    ],
)
def test_technique_by_unit(tmp_path: Path, unit: int, name: str, technique: str) -> None:
    (entry,) = read(save(tmp_path, header(2, 1, kind=1), data([1, 2]), spectral([2, 1], unit)))
    assert (entry.signal.axes, entry.technique) == ((name,), technique)


def test_unknown_unit_costs_only_the_unit(tmp_path: Path) -> None:
    m = read(save(tmp_path, header(2, 1, kind=1, unit=99), data([1, 2]), spectral([2, 1])))
    assert m[0].signal.unit == "WiRE unit 99"
    assert "99" in m.warnings[0]


def item(kind: str, key: int, value: bytes, flag: int = 0) -> bytes:
    return struct.pack("<cBH", kind.encode(), flag, key) + value


def sized(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value


def test_property_set_of_every_type() -> None:
    script = b"Option Explicit"
    nested = item("i", 0x8001, struct.pack("<i", 7)) + item("k", 0x8002, sized(b"own"))
    nested += item("q", 0x8002, struct.pack("<d", 0.5))
    body = b"".join(
        [
            item("?", 0x8000, b"\1"),
            item("r", 0x8003, struct.pack("<Iff", 2, 1, 2), 0x80),
            item("t", 0x8004, struct.pack("<Q", 133008259060000000)),
            item("u", 1004, sized(struct.pack("<I", len(script)) + zlib.compress(script)), 0x40),
            item("b", 0x8005, sized(b"\0\1\2")),
            item("p", 403, sized(nested)),
            item("k", 0x8000, sized(b"open")),
            item("k", 0x8001, sized(b"count")),
            item("k", 0x8003, sized(b"range")),
            item("k", 0x8004, sized(b"when")),
        ]
    )
    values, length, problem = read_pset(b"PSET" + sized(body) + b"rest")
    assert (length, problem) == (8 + len(body), "")
    assert values == {
        "open": 1,
        "range": [1.0, 2.0],
        "when": "2022-06-27T17:51:46+00:00",
        "Script": "Option Explicit",
        "key_32773": "(3 bytes)",
        "Properties": {"count": 7, "own": 0.5},
    }


def test_broken_properties_cost_only_themselves(tmp_path: Path) -> None:
    body = item("i", 8, struct.pack("<i", 5)) + item("!", 9, b"????")
    m = read(
        save(
            tmp_path,
            header(2, 1, kind=1),
            data([1, 2]),
            spectral([2, 1]),
            part(b"WXIS", b"PSET" + sized(body)),
        )
    )
    assert m.original_metadata["WXIS"] == {"ExpectedDatasetCount": 5}
    assert any("WXIS" in w for w in m.warnings)


def test_sets_nested_without_end_are_refused() -> None:
    body = b""
    for _ in range(100):
        body = item("p", 403, sized(body))
    assert "nested" in read_pset(b"PSET" + sized(body))[2]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((header(2, 1), spectral([2, 1])), "no block 'DATA'"),
        ((header(2, 1), data([1, 2])), "no block 'XLST'"),
        ((header(2**31, 2**60), data([1, 2]), spectral([2, 1])), "damaged"),
        ((header(2, 3, collected=0), data([0] * 6), spectral([2, 1])), "nothing was acquired"),
        ((header(2, 1, collected=5), data([1, 2]), spectral([2, 1])), "5 of 1"),
        ((header(2, 1), data([1, 2]), spectral([2, 1])[:-1]), "cut off"),
        ((header(2, 1), b"DATA" + bytes(30)), "no valid block at byte 512"),
        ((header(2, 1)[:300],), "cut off"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, parts: tuple[bytes, ...], said: str) -> None:
    path = save(tmp_path, *parts)
    with pytest.raises(ReadError, match=said):
        read(path)


def test_a_last_block_cut_short_costs_only_itself(tmp_path: Path) -> None:
    """WiRE itself writes an additional data block that says it is longer than it is."""
    rest = part(b"WXDA", bytes(107))[:-2]
    m = read(save(tmp_path, header(2, 1, kind=1), data([1, 2]), spectral([2, 1]), origins(), rest))
    assert m[0].signal.values.tolist() == [1, 2]
    assert any("WXDA" in w and "cut off" in w for w in m.warnings)


def test_a_map_cut_short_before_its_grid_is_refused(tmp_path: Path) -> None:
    places = origins(((1 << 31) | 3, 5, b"X", [0.0, 1.0]), ((1 << 31) | 4, 5, b"Y", [0.0, 0.0]))
    rest = grid(0, (1, 1), (2, 1))[:-2]
    path = save(tmp_path, header(2, 2), data([1, 2, 3, 4]), spectral([2, 1]), places, rest)
    with pytest.raises(ReadError, match=r"WMAP.*cut off"):
        read(path)


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    for content in (b"", b"WDF", b"RIFFxxxx"):
        path = save(tmp_path, content)
        assert READER.sniff(RawInput(path)) == NO


# --- damage --------------------------------------------------------------------------------------------------


def outcome(path: Path, content: bytes) -> None:
    """Either a ReadError or a Measurement; nothing else may come out of a damaged file."""
    path.write_bytes(content)
    try:
        assert isinstance(read(path), Measurement)
    except ReadError:
        return


@pytest.mark.parametrize("name", GOLDEN)
def test_damaged_files(instruments: Path, tmp_path: Path, name: str) -> None:
    content = (instruments / FOLDER / f"{name}.wdf").read_bytes()
    chance = random.Random(name)
    path = tmp_path / "damaged.wdf"
    for i in range(20):
        path.write_bytes(content[: len(content) * i // 20])
        with pytest.raises(ReadError):
            read(path)
    for i in range(50):  # most of the structure is in the head and in the heads of blocks
        changed = bytearray(content)
        changed[chance.randrange(512 if i % 2 else len(content))] = chance.randrange(256)
        outcome(path, bytes(changed))
    outcome(path, content[:600] + chance.randbytes(5000))
