"""AvaSoft's binary spectra: what a spectroscopist would lose if the reader were wrong.

Files are made as the structure says that Avantes gave to the authors of lightr.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.avantes_raw import READER


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def save(folder: Path, content: bytes, name: str = "made.raw8") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def spectrum(values: list[float], *, mode: int = 3, dark: float = 10.0, more: bytes = b"") -> bytes:
    count = len(values)
    body = struct.pack("<4B10s64sB", 0, mode, 16, 0, b"1908047U1", b"lab 2", 1)
    body += struct.pack("<HHfII", 5, 4 + count, 25.0, 0, 8)  # pixels, integration time, delay, averages
    body += struct.pack("<BBHBBBBB", 0, 0, 2, 0, 0, 0, 0, 0)  # dark correction, smoothing, trigger
    body += struct.pack("<HIIfH", 0, 0, 0, 0.0, 0) + bytes(8)
    body += struct.pack("<5f5d130s", -5.0, 30.0, 0, 0, 0, *[0.0] * 5, "試料".encode("cp932"))
    for array in (np.arange(count) + 300.5, values, np.full(count, dark), np.full(count, 100.0)):
        body += np.asarray(array, "<f4").tobytes()
    body += bytes(10) + more
    return struct.pack("<I", len(body) + 4) + body


def test_spectra_of_avasoft_8(tmp_path: Path) -> None:
    content = b"AVS84\2" + spectrum([1, 2, 3], more=b"added") + spectrum([4, 5], mode=1, dark=0.0)
    path = save(tmp_path, content)
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    first, second = m.entries
    assert first["wavelength"].values.tolist() == [300.5, 301.5, 302.5]
    assert first["intensity"].values.tolist() == [1, 2, 3]
    assert first["dark"].values.tolist() == [10, 10, 10]
    assert first["reference"].values.tolist() == [100, 100, 100]
    assert first.signal.unit == "counts"
    told = {name: str(q) for name, q in first.conditions.items()}
    assert (told["exposure_time"], told["repetitions"], told["scan_mode"]) == (
        "0.025 s",
        "8",
        "transmittance",
    )
    assert told["instrument_serial"] == "1908047U1"
    assert told["detector_temperature"] == "-5 degC"
    assert second["intensity"].values.tolist() == [4, 5]
    assert [s.name for s in second.signals] == ["intensity", "reference"]  # no dark was taken
    assert (m.title, m.instrument) == ("試料", "Avantes lab 2")


def old(version: float, columns: int) -> bytes:
    serial, fit = [float(ord(c)) for c in "0802119U1"], [300.0, 0.5, 0.0, 0.0, 0.0]
    head = [version, *serial, *[0.0] * 64, *fit] if version == 70 else [version, *fit, *serial]
    head += [10.0, 13.0, 0.0, 0.0] + ([0.0] * 17 if version == 70 else [])
    data = np.arange(4 * columns, dtype=float).tolist()
    return np.asarray([*head, *data, 25.0, 8.0, 2.0], "<f4").tobytes()


@pytest.mark.parametrize("version", [60.0, 70.0])
@pytest.mark.parametrize("columns", [1, 3])
def test_spectra_of_avasoft_6_and_7(tmp_path: Path, version: float, columns: int) -> None:
    path = save(tmp_path, old(version, columns), "made.trm")
    assert READER.sniff(RawInput(path)) == LIKELY
    (entry,) = read(path)
    assert entry["wavelength"].values.tolist() == [305, 305.5, 306, 306.5]
    assert entry["intensity"].values.tolist() == [columns * i for i in range(4)]
    if columns == 3:
        assert entry["dark"].values.tolist() == [2, 5, 8, 11]
    assert str(entry.conditions["exposure_time"]) == "0.025 s"
    assert entry.conditions["instrument_serial"].value == "0802119U1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"AVS82\2" + spectrum([1, 2, 3]), "cut off"),
        (b"AVS82\0" + spectrum([1, 2, 3]), "announces no spectrum"),
        (b"AVS82\1" + spectrum([1]), "has 1 pixels"),
        (old(60.0, 3)[:-4], "not one or three"),
        (old(60.0, 1)[:50], "cut off"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(save(tmp_path, content))


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    for content in (b"", b"AVS82", bytes(500), struct.pack("<f", 60.0) + bytes(500)):
        assert READER.sniff(RawInput(save(tmp_path, content))) == NO


def test_damaged_files(tmp_path: Path) -> None:
    for content in (b"AVS82\1" + spectrum(list(range(500))), old(70.0, 3)):
        assert not broken_files.cut(READER, content, tmp_path / "cut.raw8")
        broken_files.damage(READER, content, tmp_path / "broken.raw8", turns=100, within=400)
