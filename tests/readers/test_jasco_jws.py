"""JASCO Spectra Manager: what a spectroscopist would lose if the reader were wrong.

No real file may be shipped or was at hand; the files here are made as jwsProcessor and jws2txt describe them.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers import broken_files
from tests.readers.ole_files import compound_file

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.jasco_jws import READER

NM, PER_CM, SECONDS = 0x10000103, 0x10000100, 0x20000203


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def jws(
    values: Any, kinds: list[int], x: int = NM, *, sample: bytes = b"", points: int | None = None
) -> bytes:
    values = np.asarray(values, "<f4")
    channels, stored = values.shape
    count = stored if points is None else points
    info = struct.pack("<6I3dI", 3, 1, 0, channels, 1, count, 260.0, 190.0, -35.0, x)
    info += struct.pack(f"<{len(kinds)}I", *kinds) + bytes(60)
    streams = {"DataInfo": info, "Y-Data": values.tobytes()}
    if sample:
        streams["SampleInfo"] = sample
    return compound_file(streams)


def text(value: str) -> bytes:
    raw = (value + "\0").encode("utf-16-le")
    return struct.pack("<I", len(raw)) + raw


def save(folder: Path, content: bytes) -> Path:
    path = folder / "made.jws"
    path.write_bytes(content)
    return path


def test_circular_dichroism_with_its_voltage(tmp_path: Path) -> None:
    sample = b"\x01\x00\x08\x00" + text("試料 A") + b"\x08\x00" + text("in water") + bytes(20)
    path = save(
        tmp_path, jws([[1, 2, 3], [300, 310, 320], [0.1, 0.2, 0.3]], [0x1001, 0x2001, 3], sample=sample)
    )
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    (entry,) = m
    assert entry.technique == "circular_dichroism"
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("circular_dichroism", "mdeg"),
        ("high_tension_voltage", "V"),
        ("absorbance", ""),
    ]
    assert entry["wavelength"].values.tolist() == [260, 225, 190]
    assert entry["wavelength"].unit == "nm"
    assert entry["absorbance"].values.tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert (m.sample, entry.conditions["comment"].value) == ("試料 A", "in water")
    assert m.warnings == ()


@pytest.mark.parametrize(
    ("x", "kind", "axis", "signal", "technique"),
    [
        (NM, 0, ("wavelength", "nm"), ("transmittance", "percent"), "uv_vis"),
        (NM, 2, ("wavelength", "nm"), ("reflectance", "percent"), "uv_vis"),
        (PER_CM, 3, ("wavenumber", "1/cm"), ("absorbance", ""), "ir"),
        (0x10000101, 14, ("raman_shift", "1/cm"), ("intensity", "arb"), "raman"),
        (NM, 14, ("wavelength", "nm"), ("intensity", "arb"), "fluorescence"),
        (SECONDS, 3, ("time", "s"), ("absorbance", ""), "uv_vis"),
    ],
)
def test_what_a_spectrum_is(
    tmp_path: Path, x: int, kind: int, axis: tuple[str, str], signal: tuple[str, str], technique: str
) -> None:
    (entry,) = read(save(tmp_path, jws([[1, 2, 3]], [kind], x)))
    assert (entry.axes[0].name, entry.axes[0].unit) == axis
    assert (entry.signal.name, entry.signal.unit) == signal
    assert entry.technique == technique


def test_unknown_kinds_cost_only_their_units(tmp_path: Path) -> None:
    m = read(save(tmp_path, jws([[1, 2, 3], [4, 5, 6]], [0x7777, 0x7778], 0x12345678)))
    assert [(s.name, s.unit) for s in m[0].signals] == [("intensity", None), ("intensity_2", None)]
    assert m[0].axes[0].unit is None
    assert len(m.warnings) == 3


def test_flat_files_of_the_first_version(tmp_path: Path) -> None:
    head = bytearray(0x740)
    head[:4] = b"L~S "
    struct.pack_into("<HI3d", head, 130, 2, 3, 300.0, 280.0, -10.0)
    path = save(tmp_path, bytes(head) + np.arange(6, dtype="<f4").tobytes())
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    assert m[0].axes[0].values.tolist() == [300, 290, 280]
    assert m[0].signals[1].values.tolist() == [3, 4, 5]
    assert m[0].axes[0].unit is None
    assert "do not tell" in m.warnings[0]
    with pytest.raises(ReadError, match="2 × 3 values, but 5"):
        read(save(tmp_path, bytes(head) + bytes(20)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (jws([[1, 2, 3]], [3], points=9), "1 × 9 values, but 3"),
        (jws([[1, 2, 3]], [3], points=0), "channels of 0 points"),
        (compound_file({"DataInfo": bytes(100)}), "no Y-Data"),
        (compound_file({"DataInfo": bytes(10), "Y-Data": bytes(8)}), "cut off"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(save(tmp_path, content))


def test_other_compound_files_are_not_claimed(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(save(tmp_path, compound_file({"Workbook": b"x"})))) == NO
    assert READER.sniff(RawInput(save(tmp_path, b"L~S "))) == NO


def test_damaged_files(tmp_path: Path) -> None:
    content = jws(
        np.arange(900).reshape(3, 300), [0x1001, 0x2001, 3], sample=bytes(8) + "sample".encode("utf-16-le")
    )
    broken_files.cut(READER, content, tmp_path / "cut.jws")
    broken_files.damage(READER, content, tmp_path / "broken.jws", turns=100)
