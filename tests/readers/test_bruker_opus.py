"""Bruker OPUS: what a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.bruker_opus import READER

FILE = "bruker-opus/peach_juice.0"


def read(path: Path) -> Measurement:
    return READER.read(RawInput(path))


# --- the real file; brukeropus 1.4.3 and opusFC 1.5.0 give the same numbers ----------------------------------

GOLDEN = {
    # entry: points, first and last of the axis, sum, largest
    "interferogram": (14216, (0.0, 14215.0), -0.14816570281982422, 0.38673877716064453),
    "reference_single_beam": (1816, (4000.11610352, 499.53233887), 431.1181462556124, 0.3485731780529022),
    "reference_interferogram": (14216, (0.0, 14215.0), -0.18538832664489746, 0.48517894744873047),
    "phase": (512, (7884.51042969, 0.0), -246.6310612964444, 1.16635262966156),
    "single_beam": (1816, (4000.11610352, 499.53233887), 334.79073198512197, 0.30291464924812317),
    "reflectance": (1816, (4000.11610352, 499.53233887), 1394.6078013181686, 0.9232791066169739),
    "reflectance_2": (1816, (4000.11610352, 499.53233887), 1395.4401923418045, 0.9236725568771362),
}


def test_real_numbers(instruments: Path) -> None:
    path = instruments / FILE
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    assert [e.name for e in m.entries] == list(GOLDEN)
    for entry in m.entries:
        points, ends, total, largest = GOLDEN[entry.name]
        (axis,) = entry.axes
        assert (axis.name, axis.unit) == (("point", "") if points > 2000 else ("wavenumber", "1/cm"))
        assert entry.signal.values.shape == (points,)
        assert axis.values[[0, -1]] == pytest.approx(ends, rel=1e-9)
        assert entry.signal.values.sum(dtype=float) == pytest.approx(total, rel=1e-12)
        assert float(entry.signal.values.max()) == largest
        assert entry.technique == "ir"


def test_what_is_shown_first_and_under_which_conditions(instruments: Path) -> None:
    m = read(instruments / FILE)
    assert m.default == "reflectance_2"  # the latest result, as OPUS exports it
    told = {name: str(q) for name, q in m[m.default].conditions.items()}
    assert told["resolution"] == "4 1/cm"
    assert told["repetitions"] == "128"
    assert told["apodisation"] == "Norton-Beer, medium"
    assert told["detector"].startswith("7 MICRO 250um")
    assert told["zero_filling"] == "1"
    assert told["software_version"] == "6.5"
    assert m[m.default].started == datetime(2012, 11, 9, 11, 45, 34, tzinfo=timezone(timedelta(hours=-6)))
    assert m["reference_single_beam"].started.hour == 11  # type: ignore[union-attr]
    assert (m.sample, m.operator) == ("Peach juice colorful spot", "Administrator")
    assert m.instrument == "Bruker IFS66V/S"
    metadata: Any = m.original_metadata
    assert metadata["Instrument (reference)"]["DUR"] == pytest.approx(57.185039)
    assert "Atmospheric Compensation" in metadata["History"]


# --- variants, written by hand -------------------------------------------------------------------------------

AB, SAMPLE, REFERENCE, RATIO = 4 << 10, 1 << 2, 2 << 2, 3 << 2
STATUS, SERIES, COMPACT = 1 << 4, 10 << 19, 4 << 19
AXIS = {"DPF": 1, "NPT": 5, "FXV": 4000.0, "LXV": 1000.0, "CSF": 1.0, "DXU": "WN"}


def parameters(values: dict[str, Any], encoding: str = "latin-1") -> bytes:
    out = b""
    for name, value in values.items():
        if isinstance(value, int):
            content = struct.pack("<HHi", 0, 2, value)
        elif isinstance(value, float):
            content = struct.pack("<HHd", 1, 4, value)
        else:
            text = value.encode(encoding) + b"\0"
            text += b"\0" * (len(text) % 2)
            content = struct.pack("<HH", 2, len(text) // 2) + text
        out += name.encode() + b"\0" + content
    return out + b"END\0" + bytes(4)


def opus(*blocks: tuple[int, bytes]) -> bytes:
    at = 24 + 12 * (len(blocks) + 2)
    entries, body = struct.pack("<Iii", 13 << 10, 3 * (len(blocks) + 2), 24), b""
    for kind, content in blocks:
        content += b"\0" * (-len(content) % 4)
        entries += struct.pack("<Iii", kind, len(content) // 4, at + len(body))
        body += content
    entries += bytes(12)  # a place in the directory that is not used
    head = b"\x0a\x0a\xfe\xfe" + struct.pack("<diii", 920622.0, 24, 40, len(blocks) + 2)
    return head + entries + body


def stack(spectra: Any, *, scale: float = 1.0, runs: list[tuple[int, int]] | None = None) -> bytes:
    spectra = np.asarray(spectra, "<f4")
    count, points = spectra.shape
    runs = [(0, count - 1)] if runs is None else runs
    out = struct.pack("<6i", 0, count, 120, 4 * points, 152, len(runs))
    out = (out + b"".join(struct.pack("<2i", *run) for run in runs)).ljust(120, b"\0")
    for i, y in enumerate(spectra):
        info = struct.pack("<8i4d2i", *[0] * 8, *[0.0] * 4, 0, 0)
        info += struct.pack(
            "<7d2i2d", 4000, 1000, y.min(), y.max(), scale, 0, 0, 0, 0, 10.0 * i, 10 * i + 5.0
        )
        out += y.tobytes() + info
    return out


def save(folder: Path, *blocks: tuple[int, bytes]) -> Path:
    path = folder / "made.0"
    path.write_bytes(opus(*blocks))
    return path


def floats(*values: float) -> bytes:
    return np.asarray(values, "<f4").tobytes()


def test_image_of_a_detector_array(tmp_path: Path) -> None:
    """Places and order as opusFC 1.5.0 gives them for this file."""
    status = AXIS | {"NPX": 3, "NPY": 2, "AOX": 100.0, "AOY": 200.0, "DDX": 2.5, "DDY": 4.0}
    kind = AB | RATIO | 3 | SERIES
    path = save(tmp_path, (kind, stack(np.arange(30).reshape(6, 5))), (kind | STATUS, parameters(status)))
    (entry,) = read(path)
    assert entry.name == "absorbance_map"
    assert entry.signal.axes == ("y", "x", "wavenumber")
    assert entry.signal.values.tolist() == np.arange(30).reshape(2, 3, 5).tolist()
    assert entry["x"].values.tolist() == [100, 102.5, 105]
    assert entry["y"].values.tolist() == [200, 204]
    assert entry["x"].unit == "um"


def test_interrupted_map_keeps_what_was_taken_and_where(tmp_path: Path) -> None:
    status = AXIS | {"NPX": 3, "NPY": 2, "AOX": 100.0, "AOY": 200.0, "DDX": 2.5, "DDY": 4.0}
    kind = AB | RATIO | 3 | SERIES
    path = save(tmp_path, (kind, stack(np.arange(20).reshape(4, 5))), (kind | STATUS, parameters(status)))
    m = read(path)
    assert "3 × 2 places" in m.warnings[0]
    assert m[0].signal.axes == ("spectrum", "wavenumber")
    assert m[0]["x"].values.tolist() == [100, 102.5, 105, 100]
    assert m[0]["y"].values.tolist() == [200, 200, 200, 204]


def test_series_in_time_scaled_and_partly_stored(tmp_path: Path) -> None:
    kind = AB | RATIO | 3 | SERIES
    content = stack(np.arange(20).reshape(4, 5), scale=2.0, runs=[(0, 1), (7, 7)])
    m = read(save(tmp_path, (kind, content), (kind | STATUS, parameters(AXIS))))
    (entry,) = m
    assert entry.name == "absorbance_series"
    assert entry["time"].values.tolist() == [0, 10, 20]
    assert entry["time"].unit == "s"
    assert entry.signal.values.tolist() == (2 * np.arange(15).reshape(3, 5)).tolist()
    assert "Of 4 spectra of a series 3 were stored" in m.warnings[0]


def test_spectra_of_one_type_find_their_own_axes(tmp_path: Path) -> None:
    """Two absorbance spectra: each has the axis whose extremes are its own, whatever the order."""
    kind = AB | RATIO | 3
    first = AXIS | {"NPT": 3, "MNY": 1.0, "MXY": 3.0, "LXV": 2000.0}
    second = AXIS | {"NPT": 3, "MNY": 7.0, "MXY": 9.0, "LXV": 500.0}
    path = save(
        tmp_path,
        (kind, floats(7, 8, 9)),
        (kind, floats(1, 2, 3)),
        (kind | STATUS, parameters(first)),
        (kind | STATUS, parameters(second)),
    )
    m = read(path)
    assert [e["wavenumber"].values[-1] for e in m.entries] == [500, 2000]


def test_scaled_integers_and_compact_blocks(tmp_path: Path) -> None:
    kind = 5 << 10 | RATIO | 3
    status = AXIS | {"NPT": 3, "CSF": 0.25, "DPF": 2}
    content = b"HEAD" + struct.pack("<3i", 4, 8, 12)
    (entry,) = read(save(tmp_path, (kind | COMPACT, content), (kind | COMPACT | STATUS, parameters(status))))
    assert entry.name == "transmittance"
    assert entry.signal.values.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("kind", "unit", "signal", "axis", "technique"),
    [
        (AB | RATIO | 3, "WN", "absorbance", ("wavenumber", "1/cm"), "ir"),
        (12 << 10 | RATIO | 3, "MI", "reflectance", ("wavelength", "um"), "ir"),
        (10 << 10 | SAMPLE | 3, "WN", "intensity", ("raman_shift", "1/cm"), "raman"),
        (1 << 10 | REFERENCE | 3, "WN", "reference_single_beam", ("wavenumber", "1/cm"), "ir"),
        (2 << 10 | SAMPLE | 3, "PNT", "interferogram", ("point", ""), "ir"),
        (1 << 10 | SAMPLE | 2, "WN", "single_beam_imaginary", ("wavenumber", "1/cm"), "ir"),
        (AB | RATIO | 3 | 2 << 17, "WN", "absorbance_second_derivative", ("wavenumber", "1/cm"), "ir"),
        ((4 + 32) << 10 | RATIO | 3, "WN", "absorbance_detector_2", ("wavenumber", "1/cm"), "ir"),
        (7 << 10 | SAMPLE | 3, "MIN", "intensity", ("time", "min"), "ir"),
    ],
)
def test_what_a_block_is(
    tmp_path: Path, kind: int, unit: str, signal: str, axis: tuple[str, str], technique: str
) -> None:
    path = save(tmp_path, (kind, floats(*range(5))), (kind | STATUS, parameters(AXIS | {"DXU": unit})))
    (entry,) = read(path)
    assert entry.signal.name == signal
    assert (entry.axes[0].name, entry.axes[0].unit) == axis
    assert entry.technique == technique


def test_unknown_unit_and_block_cost_only_themselves(tmp_path: Path) -> None:
    kind, odd = AB | RATIO | 3, 22 << 10 | RATIO | 3
    path = save(
        tmp_path,
        (kind, floats(*range(5))),
        (kind | STATUS, parameters(AXIS | {"DXU": "FURLONG", "DAT": "31/12/2020", "TIM": "23:59:58.25"})),
        (odd, floats(*range(5))),
        (odd | STATUS, parameters(AXIS)),
        (10 << 4, parameters({"SNM": "試料", "CNM": "山田"}, "cp932")),
        (3 << 4, parameters({"RES": 2.0}).replace(b"END\0", b"\xff\xfe\xfd\0")),
    )
    m = read(path)
    (entry,) = m
    assert (entry.axes[0].name, entry.axes[0].unit) == ("spectral_position", "FURLONG")
    assert entry.started == datetime(2020, 12, 31, 23, 59, 58, 250000)
    assert entry.conditions["resolution"].value == 2.0
    assert (m.sample, m.operator) == ("試料", "山田")
    assert any("FURLONG" in w for w in m.warnings)
    assert any("kind 22" in w for w in m.warnings)
    assert any("damaged after 1" in w for w in m.warnings)


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (AXIS | {"NPT": 50}, floats(1, 2, 3), "should have 50 points"),
        (AXIS | {"NPT": -1}, floats(1, 2, 3), "no number of points"),
        (AXIS | {"FXV": "x"}, floats(*range(5)), "no valid axis"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, status: dict[str, Any], content: bytes, said: str) -> None:
    kind = AB | RATIO | 3
    path = save(tmp_path, (kind, content), (kind | STATUS, parameters(status)))
    with pytest.raises(ReadError, match=said):
        read(path)


def test_series_of_impossible_sizes_is_refused(tmp_path: Path) -> None:
    kind = AB | RATIO | 3 | SERIES
    for place in range(1, 6):
        content = bytearray(stack(np.zeros((2, 5))))
        struct.pack_into("<i", content, 4 * place, -7)
        with pytest.raises(ReadError):
            read(save(tmp_path, (kind, bytes(content)), (kind | STATUS, parameters(AXIS))))


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "other.0"
    for content in (b"", b"\x0a\x0a", b"anything else"):
        path.write_bytes(content)
        assert READER.sniff(RawInput(path)) == NO


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    content = (instruments / FILE).read_bytes()
    assert not broken_files.cut(READER, content, tmp_path / "cut.0")
    broken_files.damage(READER, content, tmp_path / "broken.0", within=1200)


def test_damaged_series(tmp_path: Path) -> None:
    status = AXIS | {"NPX": 3, "NPY": 2, "AOX": 100.0, "AOY": 200.0, "DDX": 2.5, "DDY": 4.0}
    kind = AB | RATIO | 3 | SERIES
    content = opus((kind | STATUS, parameters(status)), (kind, stack(np.arange(30).reshape(6, 5))))
    broken_files.damage(READER, content, tmp_path / "broken.0", turns=200, within=420)
