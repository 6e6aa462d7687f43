"""PerkinElmer .sp and .fsm: what a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.perkinelmer_sp import READER

IMAGE = "perkinelmer/4x4_pixel_PE_image.fsm"


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


# --- the real file; tests/oracles compares spectra, wavenumbers and places to orange-spectroscopy's; the conditions
# are as first read -------------------------------------------------------------------------------------------


def test_real_image(instruments: Path) -> None:
    path = instruments / IMAGE
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    (entry,) = m
    assert entry.signal.axes == ("y", "x", "wavenumber")
    assert (entry.signal.name, entry.signal.unit) == ("transmittance", "percent")
    assert entry.signal.values.shape == (4, 4, 1626)
    assert entry.signal.values.sum(dtype=float) == pytest.approx(2583198.2810668945, rel=1e-12)
    assert float(entry.signal.values.max()) == pytest.approx(101.51909, rel=1e-6)
    assert entry["x"].values == pytest.approx([17480, 17530, 17580, 17630])
    assert entry["y"].values == pytest.approx([2749, 2799, 2849, 2899])
    assert entry["wavenumber"].values[[0, 1, -1]].tolist() == [4000, 3998, 750]
    assert entry.started == datetime(2024, 10, 28, 16, 8, 45)
    told = {name: str(q) for name, q in entry.conditions.items()}
    assert (told["resolution"], told["repetitions"], told["detector"]) == ("4 1/cm", "32", "MCT Array")
    assert told["instrument_serial"] == "122679"
    assert m.instrument == "PerkinElmer Spotlight/Spectrum 3 FT-IR"
    assert m.operator == ""


# --- variants, written by hand -------------------------------------------------------------------------------


def block(number: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack("<Hi", number, len(content)) + content


def text(number: int, value: str, encoding: str = "utf-8") -> bytes:
    raw = value.encode(encoding)
    return block(number, struct.pack("<HH", 29987, len(raw)), raw)


def value(number: int, kind: int, form: str, *values: Any) -> bytes:
    return block(number, struct.pack("<H" + form, kind, *values))


def history(date: str, user: str = "", inner: bytes = b"", comment: str = "") -> bytes:
    return block(121, text(35698, user, "cp932"), text(35700, date), text(35702, comment), inner)


def header(number: int, model: str = "Lambda 950") -> bytes:
    created = history("Thu Mar 09 09:17:56 2006", comment="first comment")
    settings = block(number, block(123, text(35837, model)), value(35844, 29980, "d", 4.0))
    return block(
        35711, history("Fri Mar 10 09:00:00 2006", "山田", block(35703, block(122, created, settings)))
    )


def spectrum(
    y: Any,
    *,
    x_label: str = "cm-1",
    y_label: str = "%T",
    instrument: int = 124,
    model: str = "Lambda 950",
    points: int | None = None,
    kind: int = 120,
) -> bytes:
    y = np.asarray(y, "<f8")
    data_set = block(
        kind,
        header(instrument, model),
        value(35698, 29981, "dd", 4000.0, 400.0),
        value(35701, 29995, "i", len(y) if points is None else points),
        text(35703, x_label),
        text(35704, y_label),
        text(35713, "sample A"),
        block(35708, struct.pack("<HI", 29974, y.nbytes), y.tobytes()),
    )
    return b"PEPE" + b"2D constant interval DataSet file".ljust(40, b"\0") + data_set


def save(folder: Path, content: bytes) -> Path:
    path = folder / "made.sp"
    path.write_bytes(content)
    return path


def test_spectrum_with_its_history(tmp_path: Path) -> None:
    m = read(save(tmp_path, spectrum([90, 80, 70])))
    (entry,) = m
    assert entry.signal.values.tolist() == [90, 80, 70]
    assert entry["wavenumber"].values.tolist() == [4000, 2200, 400]
    assert entry.started == datetime(2006, 3, 9, 9, 17, 56)  # when it was measured, not when it was changed
    assert (m.title, m.operator, m.instrument) == ("sample A", "山田", "PerkinElmer Lambda 950")
    assert entry.conditions["comment"].value == "first comment"


@pytest.mark.parametrize(
    ("x", "y", "number", "model", "axis", "signal", "technique"),
    [
        ("cm-1", "A", 124, "Frontier", ("wavenumber", "1/cm"), ("absorbance", ""), "ir"),
        ("nm", "A", 125, "Lambda 950", ("wavelength", "nm"), ("absorbance", ""), "uv_vis"),
        ("nm", "%R", 125, "Lambda 950", ("wavelength", "nm"), ("reflectance", "percent"), "uv_vis"),
        ("nm", "INT", 126, "LS 55", ("wavelength", "nm"), ("intensity", "arb"), "fluorescence"),
        ("cm-1", "EGY", 124, "Frontier", ("wavenumber", "1/cm"), ("single_beam", "arb"), "ir"),
        ("cm-1", "INT", 124, "RamanStation 400", ("raman_shift", "1/cm"), ("intensity", "arb"), "raman"),
    ],
)
def test_what_a_spectrum_is(
    tmp_path: Path,
    x: str,
    y: str,
    number: int,
    model: str,
    axis: tuple[str, str],
    signal: tuple[str, str],
    technique: str,
) -> None:
    m = read(save(tmp_path, spectrum([1, 2], x_label=x, y_label=y, instrument=number, model=model)))
    (entry,) = m
    assert (entry.axes[0].name, entry.axes[0].unit) == axis
    assert (entry.signal.name, entry.signal.unit) == signal
    assert entry.technique == technique
    assert m.warnings == ()


def test_unknown_units_cost_only_themselves(tmp_path: Path) -> None:
    m = read(save(tmp_path, spectrum([1, 2], x_label="furlong", y_label="foo")))
    assert (m[0].axes[0].name, m[0].axes[0].unit) == ("spectral_position", "furlong")
    assert (m[0].signal.name, m[0].signal.unit) == ("intensity", None)
    assert len(m.warnings) == 2


def image(spectra: Any, nx: int, ny: int) -> bytes:
    spectra = np.asarray(spectra, "<f4")
    points = spectra.shape[1]
    labels = b"".join(struct.pack("<H", len(s)) + s for s in (b"Y", b"X", b"cm-1", b"A"))
    numbers = struct.pack("<10d3i", 6.25, 12.5, -1, 2000, 2001 - points, 0, 0, 100, 200, 2000, nx, ny, points)
    settings = struct.pack("<H", 2) + b"im" + numbers + labels
    inside = block(120, header(124), text(35704, "A"))
    parts = [block(5100, settings), block(5104, inside)]
    parts += [block(5105, y.tobytes()) for y in spectra]
    return b"PEPE" + b"DataSet - 4DConst3DInterval".ljust(40, b"\0") + b"".join(parts)


def test_image_row_by_row(tmp_path: Path) -> None:
    (entry,) = read(save(tmp_path, image(np.arange(18).reshape(6, 3), 3, 2)))
    assert entry.signal.values[..., 0].tolist() == [[0, 3, 6], [9, 12, 15]]
    assert entry["x"].values.tolist() == [100, 106.25, 112.5]
    assert entry["y"].values.tolist() == [200, 212.5]
    assert entry["wavenumber"].values.tolist() == [2000, 1999, 1998]
    assert (entry.signal.name, entry.title) == ("absorbance", "im")


def test_interrupted_image_keeps_its_spectra(tmp_path: Path) -> None:
    m = read(save(tmp_path, image(np.arange(12).reshape(4, 3), 3, 2)))
    assert m[0].signal.axes == ("spectrum", "wavenumber")
    assert "3 × 2" in m.warnings[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (spectrum([1, 2], points=3), "announces 3 points, but 2"),
        (spectrum([1, 2], points=-3), "announces -3 points"),
        (spectrum([1, 2], kind=119), "which is not read"),
        (image(np.zeros((2, 3)), 2**30, 1), "announces an image of 1073741824"),
        (image(np.zeros((2, 3)), -1, 1), "damaged"),
        (spectrum([1, 2])[:60], "cut off"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(save(tmp_path, content))


def test_blocks_nested_without_end_are_refused(tmp_path: Path) -> None:
    inner = bytes(8)
    for _ in range(100):
        inner = block(121, inner)
    with pytest.raises(ReadError, match="nested deeper"):
        read(save(tmp_path, b"PEPE".ljust(44, b"\0") + block(120, inner)))


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    for content in (b"", b"PEPE", b"anything" * 20):
        assert READER.sniff(RawInput(save(tmp_path, content))) == NO


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    content = (instruments / IMAGE).read_bytes()
    assert not broken_files.cut(READER, content, tmp_path / "cut.fsm")
    broken_files.damage(READER, content, tmp_path / "broken.fsm", within=1300)
    broken_files.damage(READER, spectrum([1, 2, 3]), tmp_path / "broken.sp", turns=200, within=400)
