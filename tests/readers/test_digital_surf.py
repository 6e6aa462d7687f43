"""Digital Surf: what a metrologist or a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.digital_surf import READER

FOLDER = "digitalsurf"


def read(path: Path) -> Measurement:
    src = RawInput(path)
    assert READER.sniff(src) == CERTAIN
    return READER.read(src)


# --- real files; values and positions (there in mm) are those of rosettasciio 0.15.0 ------------------------------


@pytest.mark.parametrize(
    ("name", "shape", "total", "first", "corner", "spectral"),
    [
        (
            "test_spectral_map.sur",
            (12, 10, 310),
            13690294,
            288,
            (0.003053313121199608, 0.00701436772942543),
            333.27486,
        ),
        (
            "test_spectral_map_compressed.sur",
            (12, 10, 281),
            12903285,
            443,
            (0.0054464503191411495, 0.005694016348570585),
            344.114844,
        ),
    ],
)
def test_maps_of_spectra(
    instruments: Path,
    name: str,
    shape: tuple[int, ...],
    total: int,
    first: int,
    corner: tuple[float, float],
    spectral: float,
) -> None:
    e = read(instruments / FOLDER / name)[0]
    assert (e.technique, e.signal.axes) == ("cathodoluminescence", ("y", "x", "wavelength"))
    assert (e.signal.values.shape, e.signal.values.sum(), e.signal.values.flat[0]) == (shape, total, first)
    assert (e.signal.unit, e["wavelength"].unit, e["x"].unit) == ("arb", "nm", "nm")
    assert (e["y"].values[0], e["x"].values[0]) == pytest.approx(tuple(1e6 * c for c in corner))
    assert e["x"].values[1] - e["x"].values[0] == pytest.approx(82.52197585534304)
    assert e["wavelength"].values[[0, 1]] == pytest.approx([spectral, spectral + 1.084000246009964])
    c = e.conditions
    assert c["accelerating_voltage"] == Quantity(4996.0, "V")
    assert c["central_wavelength"] == Quantity(450.0, "nm")
    assert c["grating"] == Quantity("150/500")
    assert c["duration"].value == pytest.approx(16.384)
    assert e.original_metadata["Comment"]["CCD"]["ReadMode"] == "FVB"
    assert e.original_metadata["Comment"]["CHANNELS"]["Channel2"] == "CCD"


def test_a_spectrum_and_a_surface(instruments: Path) -> None:
    e = read(instruments / FOLDER / "test_spectrum.pro")[0]
    assert (e.signal.axes, e.signal.values.shape) == (("wavelength",), (512,))
    assert e.signal.values.sum() == pytest.approx(1377533.5414941004)
    assert e["wavelength"].values[0] == pytest.approx(172.84281784668565)
    e = read(instruments / FOLDER / "test_surface.sur")[0]
    assert e.signal.values.shape == (128, 128)
    assert e.signal.values.sum() == pytest.approx(6111109.903954538)
    assert (e.signal.values.min(), e.signal.values.max()) == pytest.approx(
        (238.54901123046875, 512.269714315702)
    )


def test_coloured_images_and_surfaces(instruments: Path) -> None:
    (e,) = read(instruments / FOLDER / "test_RGB.sur").entries
    assert (e.signal.values.shape, e.signal.values.sum(), e.signal.values.max()) == (
        (200, 200, 3),
        9568704,
        218,
    )
    assert e["x"].values[:2] == pytest.approx([208.84445190429688, 209.1972296833992])
    assert e["x"].unit == "mm"
    surface, image = read(instruments / FOLDER / "test_RGBSURFACE.sur").entries
    assert (surface.technique, surface.signal.name, surface.signal.unit) == ("topography", "height", "um")
    assert surface.signal.values[0, 0] == pytest.approx(-693.786474155786)
    assert surface.signal.values.min() == pytest.approx(-939.0347003936768)
    assert image.signal.values.max() == 181
    assert surface.signal.values.sum() / 1000 + image.signal.values.sum() == pytest.approx(15150.170201345478)


@pytest.mark.parametrize("name", ["test_spectrum.pro", "test_RGBSURFACE.sur"])
def test_damaged_files(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / FOLDER / name).read_bytes()
    broken_files.cut(READER, data, tmp_path / name)
    broken_files.damage(READER, data, tmp_path / name, within=512)


# --- what no real file here shows ----------------------------------------------------------------------------


def made(
    points: np.ndarray,
    kind: int = 2,
    *,
    count: int = 1,
    special: int = 0,
    units: tuple[str, str, str] = ("mm", "mm", "µm"),
    least: int = 0,
    step: float = 0.5,
    packed: bool = False,
    when: tuple[int, ...] = (0, 0, 0, 0, 0, 0, 0),
) -> bytes:
    rows, columns = points.shape

    def text(value: str, size: int) -> bytes:
        return value.encode("cp1252").ljust(size)

    body = points.astype("<i2").tobytes()
    if packed:
        half = len(body) // 2
        parts = [zlib.compress(body[:half]), zlib.compress(body[half:])]
        sizes = struct.pack("<5I", 2, half, len(parts[0]), len(body) - half, len(parts[1]))
        body = sizes + b"".join(parts)
    head = (b"DSCOMPRESSED" if packed else b"DIGITAL SURF") + struct.pack("<4h", 0, count, 1, kind)
    head += text("name", 30) + text("Anna", 30) + struct.pack("<5h", 1, 0, 0, special, 1)
    head += struct.pack("<fih5i", 0, 0, 16, least, 1000, columns, rows, rows * columns)
    head += struct.pack("<3f", 0.25, 0.5, step) + text("X", 16) + text("Y", 16) + text("Z", 16)
    head += b"".join(text(u, 16) for u in units) * 2 + struct.pack("<3f3h12x", 1, 1, 1, 0, 0, 0)
    head += struct.pack("<7h", *when) + struct.pack("<fI6xHH", 0, len(body) if packed else 0, 0, 0)
    head += bytes(128) + struct.pack("<5f", 10, 20, -1, 0, 0) + text("", 13) + text("", 13)
    assert len(head) == 512
    return head + body


GRID = np.array([[0, 2, 4], [6, -1, 8]])


@pytest.mark.parametrize("packed", [False, True])
def test_heights_with_places_that_were_not_measured(tmp_path: Path, packed: bool) -> None:
    """z = (point − Zmin) · step + offset; what lies below Zmin was not measured."""
    data = made(GRID, special=1, packed=packed, when=(7, 6, 5, 4, 3, 2021, 0))
    (tmp_path / "a.sur").write_bytes(data)
    m = read(tmp_path / "a.sur")
    e = m[0]
    assert (e.technique, e.signal.name, e.signal.axes) == ("topography", "height", ("y", "x"))
    scale = {"nm": 1000.0, "um": 1.0}[e.signal.unit or ""]
    np.testing.assert_allclose(e.signal.values / scale, [[-1, 0, 1], [2, np.nan, 3]])
    assert e["x"].values == pytest.approx([10, 10.25, 10.5])
    assert e["y"].values == pytest.approx([20, 20.5])
    assert (str(m.started), m.operator) == ("2021-03-04 05:06:07", "Anna")


def test_a_profile_and_a_series_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.pro").write_bytes(made(GRID[:1], 1))
    e = read(tmp_path / "a.pro")[0]
    assert (e.signal.axes, e.signal.values.shape) == (("distance",), (3,))
    (tmp_path / "b.pro").write_bytes(made(GRID[:1], 4, count=2) + made(GRID[:1] + 2, 4, count=0))
    (e,) = read(tmp_path / "b.pro").entries
    assert (e.signal.axes, e.signal.values.shape) == (("frame", "distance"), (2, 3))


def test_unknown_units_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.sur").write_bytes(made(GRID, units=("mm", "mm", "gizmo")))
    m = read(tmp_path / "a.sur")
    assert (m[0].signal.name, m[0].signal.unit) == ("intensity", "gizmo")
    assert "gizmo" in m.warnings[0]


def test_points_that_unpack_to_more_than_announced_are_refused(tmp_path: Path) -> None:
    data = bytearray(made(GRID, packed=True))
    bomb = zlib.compress(bytes(10**6))
    data[512:] = struct.pack("<3I", 1, 2**32 - 1, len(bomb)) + bomb
    (tmp_path / "a.sur").write_bytes(data)
    with pytest.raises(ReadError, match="unpack to more"):
        read(tmp_path / "a.sur")
    data[108:116] = struct.pack("<2i", 2**30, 2**30)
    (tmp_path / "a.sur").write_bytes(data)
    with pytest.raises(ReadError, match="more than is read"):
        read(tmp_path / "a.sur")


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.sur").write_bytes(b"DIGITAL TWIN")
    assert READER.sniff(RawInput(tmp_path / "a.sur")) == NO
