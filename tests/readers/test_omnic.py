"""Thermo OMNIC: what a spectroscopist would lose if the readers were wrong."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.omnic_series import READER as SERIES
from zairyo.readers.omnic_spa import READER as SPA

SPECTRUM, MAP = "omnic-spa/sample1.spa", "omnic-map/small_Omnic.map"


def read(path: Path, reader: Any = SPA) -> Measurement:
    return invariants.check(reader.read(RawInput(path)), reader)


# --- real files ----------------------------------------------------------------------------------------------


def test_real_spectrum(instruments: Path) -> None:
    """Spectrum and wavenumbers are those of orange-spectroscopy (``tests/oracles``); the rest is as first read."""
    path = instruments / SPECTRUM
    assert (SPA.sniff(RawInput(path)), SERIES.sniff(RawInput(path))) == (CERTAIN, NO)
    m = read(path)
    (entry,) = m
    assert (entry.technique, entry.signal.name, entry.signal.unit) == ("ir", "absorbance", "")
    assert entry["wavenumber"].values[[0, -1]] == pytest.approx([3999.703125, 649.9035644])
    assert entry.signal.values.shape == (1738,)
    assert entry.signal.values[:3] == pytest.approx([0.04399836, 0.04312276, 0.04218995], rel=1e-5)
    assert entry.signal.values.sum(dtype=float) == pytest.approx(180.31564, rel=1e-6)
    assert entry.signal.values.max() == 6.0
    assert entry.started == datetime(2015, 4, 9, 2, 45, 41, tzinfo=UTC)
    told = {name: str(q) for name, q in entry.conditions.items()}
    assert told["repetitions"] == "32"
    assert told["background_repetitions"] == "256"
    assert told["mirror_velocity"] == "0.9494 cm/s"
    assert "Position (X,Y): 367.12, 1270.59" in entry.title
    metadata: Any = m.original_metadata
    assert metadata["history"][0].startswith("Split map from")


def test_real_map(instruments: Path) -> None:
    """Spectra and wavenumbers are those of orange-spectroscopy (``tests/oracles``), which only counts the places;
    these and the conditions are as first read."""
    path = instruments / MAP
    assert (SPA.sniff(RawInput(path)), SERIES.sniff(RawInput(path))) == (NO, CERTAIN)
    m = read(path, SERIES)
    (entry,) = m
    assert entry.signal.axes == ("y", "x", "wavenumber")
    assert entry.signal.values.shape == (2, 2, 14)
    assert entry.signal.values.sum(dtype=float) == pytest.approx(207.17489314079285, rel=1e-9)
    assert float(entry.signal.values[0, 1, 0]) == pytest.approx(4.0130925)
    assert entry["wavenumber"].values[[0, -1]] == pytest.approx([1604.51001, 1805.074097])
    assert entry["x"].values == pytest.approx([-14598.640625, -14588.640625])
    assert entry["y"].values == pytest.approx([-3038.0757, -3028.0757])
    assert (entry["x"].unit, entry.signal.name) == ("um", "single_beam")
    assert entry.started == datetime(2019, 2, 22, 11, 18, 44, tzinfo=timezone(timedelta(hours=1)))


# --- variants, written by hand -------------------------------------------------------------------------------


def header(points: int, x: int = 1, y: int = 17, ends: tuple[float, float] = (4000, 400)) -> bytes:
    out = struct.pack("<4I3f4I", 2, points, x, y, *ends, 0.0, 8192, 4096, 16, 0)
    return (out + struct.pack("<3I", 8192, 0, 32)).ljust(80, b"\0") + struct.pack(
        "<ff2ff10I", 15798.2, 2.0, 0, 100, 9393.6, *[0] * 10
    )


def file(*sections: tuple[int, bytes], extended: bool = False, title: str = "polystyrène") -> bytes:
    stride = 22 if extended else 16
    at = 304 + stride * (len(sections) + 1)
    table, body = b"", b""
    for key, content in sections:
        place = at + len(body)
        table += struct.pack("<Hqi" if extended else "<Hii", key, place, len(content)).ljust(stride, b"\0")
        body += content
    mark = b"Spectral Exte File\r\n" if extended else b"Spectral Data File\r\n"
    head = mark.ljust(30, b"\0") + title.encode("cp1252").ljust(258, b"\0")
    return head + struct.pack("<4HI4x", 1, 0x209, 1, len(sections), 3637622741) + table + bytes(stride) + body


def floats(*values: float) -> bytes:
    return np.asarray(values, "<f4").tobytes()


def save(folder: Path, content: bytes) -> Path:
    path = folder / "made.spa"
    path.write_bytes(content)
    return path


def named(title: str, seconds: int) -> bytes:
    return title.encode("cp932").ljust(256, b"\0") + struct.pack("<I", seconds)


@pytest.mark.parametrize(
    ("x", "y", "axis", "signal", "technique"),
    [
        (1, 16, ("wavenumber", "1/cm"), ("transmittance", "percent"), "ir"),
        (1, 11, ("wavenumber", "1/cm"), ("reflectance", "percent"), "ir"),
        (1, 20, ("wavenumber", "1/cm"), ("kubelka_munk", ""), "ir"),
        (32, 31, ("raman_shift", "1/cm"), ("intensity", "arb"), "raman"),
        (2, 22, ("point", ""), ("interferogram", "V"), "ir"),
        (3, 17, ("wavelength", "nm"), ("absorbance", ""), "ir"),
        (77, 99, ("spectral_position", None), ("intensity", None), "ir"),
    ],
)
def test_what_a_spectrum_is(
    tmp_path: Path, x: int, y: int, axis: tuple[str, str], signal: tuple[str, str], technique: str
) -> None:
    m = read(save(tmp_path, file((2, header(3, x, y)), (3, floats(1, 2, 3)))))
    (entry,) = m
    assert (entry.axes[0].name, entry.axes[0].unit) == axis
    assert (entry.signal.name, entry.signal.unit) == signal
    assert entry.technique == technique
    assert len(m.warnings) == (2 if x == 77 else 0)
    assert m.title == "polystyrène"
    assert ("laser_wavelength" in entry.conditions) is True


def test_interferograms_beside_their_spectrum(tmp_path: Path) -> None:
    parts = ((2, header(3)), (3, floats(1, 2, 3)), (0x66, floats(0, 9, 0, 1)), (0x67, floats(0, 8)))
    m = read(save(tmp_path, file(*parts, (4, "memo 試料".encode("cp932")))))
    assert [e.name for e in m.entries] == ["spectrum", "interferogram", "reference_interferogram"]
    assert m["interferogram"].signal.values.tolist() == [0, 9, 0, 1]
    assert m["interferogram"].axes[0].name == "point"
    assert m.default == "spectrum"
    assert m["spectrum"].conditions["comment"].value == "memo 試料"


def test_group_of_spectra_on_one_axis(tmp_path: Path) -> None:
    parts: list[tuple[int, bytes]] = []
    for number in range(3):
        parts += [
            (2, header(3)),
            (3, floats(number, 2, 3)),
            (0x6B, named(f"試料{number}", 3637622741 + number)),
        ]
    (entry,) = read(save(tmp_path, file(*parts)))
    assert entry.signal.axes == ("spectrum", "wavenumber")
    assert entry.signal.values[:, 0].tolist() == [0, 1, 2]
    assert entry["title"].values.tolist() == ["試料0", "試料1", "試料2"]
    assert str(entry["timestamp"].values[1]) == "2015-04-09T02:45:42"


def test_group_of_spectra_on_different_axes(tmp_path: Path) -> None:
    parts = [(2, header(3)), (3, floats(1, 2, 3)), (2, header(2, 1, 16)), (3, floats(4, 5))]
    m = read(save(tmp_path, file(*parts)))
    assert [e.signal.name for e in m.entries] == ["absorbance", "transmittance"]
    assert m["spectrum_2"].signal.values.tolist() == [4, 5]


def stack(
    spectra: Any, slow: tuple[float, ...], fast: tuple[float, ...], label: str, announced: int | None = None
) -> bytes:
    spectra = np.asarray(spectra, "<f4")
    count, points = spectra.shape
    values = header(points, ends=(1800, 1600)) + bytes(56)
    for number, y in enumerate(spectra):
        name = f"Spectrum {number + 1} of {count}; X = {number * 10} Y = -5.5"
        values += struct.pack("<4I", 2, 100 * number, 0, 0) + name.encode().ljust(84, b"\0") + y.tobytes()
    settings = b"\5\0" + b"Fri Feb 22 11:18:44 2019 (GMT+01:00)".ljust(64, b"\0")
    settings += struct.pack("<6fI6xff", *slow, *fast, announced or count, 250.0, 240.0)
    settings = settings.ljust(156, b"\0") + label.encode().ljust(108, b"\0")
    return file((2, header(points)), (0x145, settings), (0x12D, values), extended=True)


def test_series_in_time(tmp_path: Path) -> None:
    content = stack([[1, 2], [3, 4], [5, 6]], (0.1, 0.5, 0.2), (0, 0, 0), "Time (minutes)")
    (entry,) = read(save(tmp_path, content), SERIES)
    assert entry.signal.axes == ("time", "wavenumber")
    assert entry["time"].values == pytest.approx([0.1, 0.3, 0.5])
    assert entry["time"].unit == "min"
    assert entry["wavenumber"].values.tolist() == [1600, 1800]
    assert entry.signal.values.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert entry.conditions["temperature"].value == 250.0
    content = stack([[1, 2]] * 3, (0.1, 0.5, 0.2), (0, 0, 0), "")
    assert "minutes" in read(save(tmp_path, content), SERIES).warnings[0]


def test_map_row_by_row(tmp_path: Path) -> None:
    content = stack(np.arange(12).reshape(6, 2), (0, 20, 20), (5, -5, -5), "Position (micrometers)")
    (entry,) = read(save(tmp_path, content), SERIES)
    assert entry.signal.values[..., 0].tolist() == [[0, 2, 4], [6, 8, 10]]
    assert entry["x"].values.tolist() == [5, 0, -5]
    assert entry["y"].values.tolist() == [0, 20]
    assert "temperature" not in entry.conditions


def test_map_that_does_not_fill_its_grid_keeps_the_places(tmp_path: Path) -> None:
    content = stack([[1, 2]] * 5, (0, 20, 20), (5, -5, -5), "Position (micrometers)", announced=6)
    m = read(save(tmp_path, content), SERIES)
    assert m[0]["x"].values.tolist() == [0, 10, 20, 30, 40]
    assert m[0]["y"].values.tolist() == [-5.5] * 5
    assert len(m.warnings) == 2


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([(2, header(3))], "1 headers and 0 spectra"),
        ([(2, header(5)), (3, floats(1, 2))], "should have 5 points, but 2"),
        ([(2, header(2**30)), (3, floats(1, 2))], "announces 1073741824 points"),
        ([(2, header(2, ends=(float("nan"), 1))), (3, floats(1, 2))], "announces 2 points from nan"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, parts: list[tuple[int, bytes]], said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(save(tmp_path, file(*parts)))


def test_series_without_its_sections_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no sections of a series"):
        read(save(tmp_path, file((2, header(3)), extended=True)), SERIES)


@pytest.mark.parametrize(("name", "reader"), [(SPECTRUM, SPA), (MAP, SERIES)])
def test_damaged_files(instruments: Path, tmp_path: Path, name: str, reader: Any) -> None:
    content = (instruments / name).read_bytes()
    assert not broken_files.cut(reader, content, tmp_path / "cut.spa")
    broken_files.damage(reader, content, tmp_path / "broken.spa", within=600)


def test_damaged_series(tmp_path: Path) -> None:
    content = stack(np.arange(12).reshape(6, 2), (0, 20, 20), (5, -5, -5), "Position (micrometers)")
    broken_files.damage(SERIES, content, tmp_path / "broken.map", turns=200, within=950)
