"""Galactic SPC: what a spectroscopist would lose if the reader were wrong."""

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
from zairyo.readers._api import LIKELY, NO, RawInput, ReadError
from zairyo.readers.galactic_spc import READER

FILE = "spc/m_xyxy.spc"


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


# --- the real file; spc_io 0.2.1 gives the same numbers ------------------------------------------------------


def test_real_numbers(instruments: Path) -> None:
    path = instruments / FILE
    assert READER.sniff(RawInput(path)) == LIKELY
    m = read(path)
    peaks, total = m["peaks"], m["chromatogram"]
    assert peaks.technique == "mass_spectrometry"
    assert len(peaks["abundance"].values) == 4344
    assert peaks["abundance"].values.sum() == 30063509.0
    assert peaks["abundance"].values.max() == 138560.0
    assert peaks["mass_to_charge"].values[:8].tolist() == pytest.approx(
        [43.9, 42.9, 40.8, 39.1, 31.95, 27.95, 26.85, 25.85], rel=1e-6
    )
    assert peaks["scan"].values[[0, 7, 8, -1]].tolist() == [1, 1, 2, 512]
    assert total["time"].unit == "min"
    assert total["time"].values[[0, -1]] == pytest.approx([1.0866667, 6.01716661])
    assert total.signal.values.sum() == 30063509.0
    assert m.instrument == "MS_5970"
    assert m.started == datetime(1986, 1, 9, 8, 47)
    assert m.warnings == ()


# --- variants, written by hand -------------------------------------------------------------------------------

WORDS_16, MULTI, ORDERED_Z, LABELS, OWN_X, HAS_X = 1, 4, 16, 32, 64, 128
FLOAT = -128


def spc(
    spectra: list[list[float]],
    *,
    order: str = "<",
    flags: int = 0,
    exponent: int = FLOAT,
    kinds: tuple[int, int, int] = (1, 2, 0),
    experiment: int = 4,
    z: list[float] | None = None,
    x: list[list[float]] | None = None,
    z_step: float = 0.0,
    planes: int = 0,
    labels: bytes = b"",
    log: bytes = b"",
    date: int = 0,
) -> bytes:
    """A file of SPC.H's new format: ``x`` holds one axis (flag HAS_X) or one a spectrum (OWN_X)."""
    points = len(spectra[0])
    bits = 16 if flags & WORDS_16 else 32
    body, places = b"", []
    if flags & HAS_X and not flags & OWN_X and x:
        body += np.asarray(x[0], order + "f4").tobytes()
    for number, y in enumerate(spectra):
        place = z[number] if z else 0.0
        w = number // (len(spectra) // planes) if planes else 0
        start = 512 + len(body)
        body += struct.pack(order + "BbhfffiIf4s", 0, exponent, number, place, place, 0, len(y), 0, w, b"")
        if flags & OWN_X and x:
            body += np.asarray(x[number], order + "f4").tobytes()
        if exponent == FLOAT:
            body += np.asarray(y, order + "f4").tobytes()
        else:
            stored = np.asarray(y) / 2.0 ** (exponent - bits)
            body += stored.astype(f"{order}i{bits // 8}").tobytes()
        places.append((start, 512 + len(body) - start, place))
    if flags & OWN_X and flags & MULTI:
        points = 512 + len(body)
        body += b"".join(struct.pack(order + "iif", *place) for place in places)
    log_at = 512 + len(body) if log else 0
    if log:
        body += struct.pack(order + "iii", 64 + len(log), 4096, 64).ljust(64, b"\0") + log
    head = struct.pack(
        order + "BBBbiddiBBBBI9s9sh32s130s30siiBBhf48sfifB187s",
        *(flags, 0x4B if order == "<" else 0x4C, experiment, exponent, points, 4000.0, 1000.0, len(spectra)),
        *(*kinds, 0, date, b"4", b"Nicolet", 0, b"", b"polystyrene", labels, log_at, 0, 0, 0, 0, 1.0, b""),
        *(z_step, planes, 0.0, 5, b""),
    )
    return head + body


def save(folder: Path, content: bytes) -> Path:
    path = folder / "made.spc"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("flags", "exponent"), [(0, FLOAT), (0, 4), (WORDS_16, 3)])
def test_numbers_of_every_kind(tmp_path: Path, order: str, flags: int, exponent: int) -> None:
    packed = 2021 << 20 | 5 << 16 | 6 << 11 | 7 << 6 | 8
    m = read(
        save(tmp_path, spc([[0.5, -1.25, 3.0]], order=order, flags=flags, exponent=exponent, date=packed))
    )
    (entry,) = m
    assert entry.technique == "ir"
    assert (entry.signal.name, entry.signal.unit) == ("absorbance", "")
    assert entry.signal.values.tolist() == [0.5, -1.25, 3.0]
    assert entry["wavenumber"].values.tolist() == [4000, 2500, 1000]
    assert entry.started == datetime(2021, 5, 6, 7, 8)
    assert entry.conditions["resolution"].value == 4
    assert (m.title, m.instrument) == ("polystyrene", "Nicolet")


def test_own_x_values(tmp_path: Path) -> None:
    path = save(
        tmp_path, spc([[1, 2, 3]], flags=HAS_X, x=[[1000, 1001, 1003]], kinds=(13, 4, 0), experiment=11)
    )
    (entry,) = read(path)
    assert entry.technique == "raman"
    assert entry["raman_shift"].values.tolist() == [1000, 1001, 1003]
    assert entry.signal.unit == "counts"


def test_spectra_along_z(tmp_path: Path) -> None:
    content = spc([[1, 2], [3, 4], [5, 6]], flags=MULTI | ORDERED_Z, kinds=(1, 128, 5), z=[0, 1, 3])
    (entry,) = read(save(tmp_path, content))
    assert entry.signal.axes == ("time", "wavenumber")
    assert entry.signal.name == "transmittance"
    assert entry.signal.unit is None  # a fraction or percent: the file does not say
    assert entry["time"].values.tolist() == [0, 1, 3]
    assert entry["time"].unit == "min"
    assert entry.signal.values.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_z_in_even_steps_and_planes_along_w(tmp_path: Path) -> None:
    content = spc([[1, 2]] * 6, flags=MULTI, kinds=(1, 2, 20), z=[25.0] * 6, z_step=5.0, planes=2)
    (entry,) = read(save(tmp_path, content))
    assert entry.signal.axes == ("time", "temperature", "wavenumber")
    assert entry["temperature"].values.tolist() == [25, 30, 35]
    assert entry["time"].values.tolist() == [0, 1]


def test_spectra_that_say_nothing_of_z_are_numbered(tmp_path: Path) -> None:
    (entry,) = read(save(tmp_path, spc([[1, 2]] * 3, flags=MULTI)))
    assert entry["spectrum"].values.tolist() == [0, 1, 2]


def test_spectra_with_own_axes(tmp_path: Path) -> None:
    flags = MULTI | HAS_X | OWN_X
    ragged = spc([[1, 2], [3, 4, 5]], flags=flags, x=[[1, 2], [7, 8, 9]], kinds=(3, 4, 0), experiment=12)
    m = read(save(tmp_path, ragged))
    assert [e.name for e in m.entries] == ["spectrum_1", "spectrum_2"]
    assert m["spectrum_2"]["wavelength"].values.tolist() == [7, 8, 9]
    assert m["spectrum_2"].signal.values.tolist() == [3, 4, 5]
    same = spc(
        [[1, 2], [3, 4]], flags=flags, x=[[1, 2], [1, 2]], kinds=(3, 4, 3), z=[300, 310], experiment=12
    )
    (entry,) = read(save(tmp_path, same))
    assert entry.signal.axes == ("excitation_wavelength", "wavelength")


def test_axis_labels_of_its_own(tmp_path: Path) -> None:
    labels = b"Wavenumber (cm-1)\0%Transmittance\0\0"
    content = spc([[90, 80]], flags=LABELS, labels=labels, kinds=(0, 0, 0), experiment=0)
    (entry,) = read(save(tmp_path, content))
    assert (entry.axes[0].name, entry.axes[0].unit) == ("wavenumber", "1/cm")
    assert (entry.signal.name, entry.signal.unit) == ("transmittance", "percent")


def test_log_of_labspec(tmp_path: Path) -> None:
    """LabSpec writes its settings into the log, and dates as C counts them."""
    log = (
        "INSTRUMENT=ARAMIS\r\nEXCIT_LINE=532.2\r\nACCUM=2\r\nTIME=\r\nGRATING=300\r\nSAMPLE=試料\r\nnote\r\n"
    )
    date = 116 << 20 | 1 << 16 | 19 << 11 | 16 << 6 | 43
    content = spc([[1, 2]], kinds=(13, 4, 0), experiment=0, log=log.encode("cp932"), date=date)
    m = read(save(tmp_path, content))
    told = {name: str(q) for name, q in m[0].conditions.items()}
    assert told["laser_wavelength"] == "532.2 nm"
    assert told["repetitions"] == "2"
    assert "exposure_time" not in told
    assert m.sample == "試料"
    assert m.started == datetime(2016, 2, 19, 16, 43)
    metadata: Any = m.original_metadata
    assert metadata["log"]["text"] == ["note"]


def old(spectra: list[list[float]], exponent: int, flags: int = 0) -> bytes:
    """The format before 1988: 32-bit fractions with their high word first."""
    points = len(spectra[0])
    body = b""
    for number, y in enumerate(spectra):
        body += struct.pack("<BbhfffiIf4s", 0, exponent, number, number * 0.5, 0, 0, 0, 0, 0, b"")
        stored = (np.asarray(y) / 2.0 ** (exponent - 32)).astype("<i4")
        body += stored.view("<u2").reshape(-1, 2)[:, ::-1].tobytes()
    head = struct.pack("<BBhfff", flags, 0x4D, exponent, points, 4000, 400)
    head += struct.pack("<BBHBBBB", 1, 2, 5 << 12 | 1987, 6, 5, 4, 3)
    head += struct.pack("<8shh28s130s30s", b"8", 0, 32, b"", b"old sample", b"")
    return head + body


def test_old_format(tmp_path: Path) -> None:
    path = save(tmp_path, old([[0.5, -1.25, 3.0]], 4))
    assert READER.sniff(RawInput(path)) == LIKELY
    m = read(path)
    (entry,) = m
    assert entry.signal.values.tolist() == [0.5, -1.25, 3.0]
    assert entry["wavenumber"].values.tolist() == [4000, 2200, 400]
    assert entry.conditions["repetitions"].value == 32
    assert m.started == datetime(1987, 6, 5, 4, 3)
    (entry,) = read(save(tmp_path, old([[0.5, -1.25, 3.0], [1, 2, 3]], 4, MULTI)))
    assert entry.signal.axes == ("time", "wavenumber")
    assert entry.signal.values[1].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("at", "form", "value", "said"),
    [
        (4, "<i", 2**30, "announces 1073741824 points"),
        (4, "<i", -1, "announces -1 points"),
        (24, "<i", 2**30, "announces 1073741824 spectra"),
        (4, "<i", 40, "cut off"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, at: int, form: str, value: int, said: str) -> None:
    content = bytearray(spc([[1, 2, 3]], flags=MULTI))
    struct.pack_into(form, content, at, value)
    with pytest.raises(ReadError, match=said):
        read(save(tmp_path, bytes(content)))


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    for content in (b"", b"\x00K", bytes(600), b"AKQ" + b"x" * 600, bytes.fromhex("d0cf11e0a1b11ae1") * 100):
        assert READER.sniff(RawInput(save(tmp_path, content))) == NO


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    content = (instruments / FILE).read_bytes()
    # Only the directory is missing from the last two, and all spectra are there.
    assert broken_files.cut(READER, content, tmp_path / "cut.spc") == [18, 19]
    m = read(save(tmp_path, content[: len(content) * 19 // 20]))
    assert m["peaks"]["abundance"].values.sum() == 30063509.0
    assert "directory" in m.warnings[0]
    broken_files.damage(READER, content, tmp_path / "broken.spc", within=600)
    for made in (spc([[1, 2, 3]] * 4, flags=MULTI, log=b"A=1\r\n"), old([[1, 2, 3]] * 3, 4, MULTI)):
        broken_files.damage(READER, made, tmp_path / "broken.spc", turns=100, within=300)
