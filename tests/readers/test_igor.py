"""Igor Pro: what someone who keeps years of work in waves would lose if the reader were wrong."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, POSSIBLE, RawInput, Reader, ReadError
from zairyo.readers._igor import is_wave, read_wave
from zairyo.readers.igor import READERS
from zairyo.readers.invariants import check

IBW, PXP, ITX = READERS
FOLDER = "igor"


def read(reader: Reader, path: Path) -> Measurement:
    assert reader.sniff(RawInput(path)) > NO
    assert [r.name for r in READERS if r.sniff(RawInput(path)) > NO] == [reader.name]
    return check(reader.read(RawInput(path)), reader)


# --- real files; equal to igor2 0.5.15 ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Norm_0057", "Norm_0059"])
def test_real_wave(instruments: Path, name: str) -> None:
    data = (instruments / FOLDER / f"{name}.ibw").read_bytes()
    assert is_wave(data)
    wave = read_wave(data)
    assert (wave.name, wave.data.shape, wave.data.dtype, wave.version) == (name, (31,), np.dtype("f4"), 5)
    assert wave.axis(0)[[0, -1]] == pytest.approx([33.182498931884766, 35.58250045776367], rel=1e-12)
    assert "2018년" in wave.note  # Korean letters, in UTF-8
    (entry,) = read(IBW, instruments / FOLDER / f"{name}.ibw")
    assert entry.signal.values.tolist() == wave.data.tolist()
    assert str(entry.started) == "2020-11-27 14:21:06"


# Entries, waves, numbers in all waves, the sum of their magnitudes.
PACKED = {
    "Fig2a.pxp": (20, 54, 4716, 2052.4062062911203),
    "Fig2c.pxp": (10, 20, 1042, 12821.90875490991),
    "Fig2d.pxp": (11, 19, 963, 305765.01002975594),
    "Fig3a.pxp": (7, 12, 153328, 166985.90937724165),
    "Fig7a.pxp": (12, 36, 20889, 201702.59039333588),
    "Fig7c.pxp": (8, 32, 5608, 367242.23087877396),
}


@pytest.mark.parametrize("name", PACKED)
def test_real_experiments(instruments: Path, name: str) -> None:
    m = read(PXP, instruments / FOLDER / name)
    values = [s.values.astype(float) for e in m for s in e.signals]
    assert (len(m), len(values), sum(v.size for v in values)) == PACKED[name][:3]
    assert sum(np.abs(v[np.isfinite(v)]).sum() for v in values) == pytest.approx(PACKED[name][3], rel=1e-12)
    assert not m.warnings
    assert "Created from experiment" in m.original_metadata["history"]  # type: ignore[operator]


def test_waves_of_one_scan_stand_together_in_their_folder(instruments: Path) -> None:
    m = read(PXP, instruments / FOLDER / "Fig2a.pxp")
    first = m[0]
    assert len(first.signals) == 18
    assert first["x"].values[[0, -1]] == pytest.approx([33.182498931884766, 35.58250045776367])
    (alone,) = read(IBW, instruments / FOLDER / "Norm_0057.ibw")
    assert first["norm_0057"].values.tolist() == alone.signal.values.tolist()
    assert m["raw_specscan_0057_qwave"].title == "Raw/SPECScan_0057/QWave"


@pytest.mark.parametrize("name", ["Fig2c.pxp", "Norm_0057.ibw"])
def test_cut_off_and_damaged(instruments: Path, tmp_path: Path, name: str) -> None:
    reader = PXP if name.endswith("pxp") else IBW
    data = (instruments / FOLDER / name).read_bytes()
    assert not cut(reader, data, tmp_path / "cut")
    damage(reader, data, tmp_path / "broken", turns=80)


# --- waves of the format's own words ------------------------------------------------------------------------


def checked(head: bytearray, order: str, at: int) -> bytes:
    """The headers with the checksum put in that makes the sum of their shorts zero."""
    total = int(np.frombuffer(bytes(head), order + "i2").sum(dtype=np.int64))
    head[at : at + 2] = struct.pack(order + "H", -total & 0xFFFF)
    return bytes(head)


def new_wave(
    values: Any, kind: int, order: str = "<", *, note: bytes = b"", unit: bytes = b"", axes: Any = (),
    labels: list[bytes] | None = None, name: bytes = b"wave0", ends: bytes = b"", long_unit: bytes = b"",
) -> bytes:  # fmt: skip
    values = np.asarray(values)
    numbers = values.tobytes(order="F")
    label = b"".join(one.ljust(32, b"\0") for one in labels or [])
    sizes = [
        0,
        len(note),
        len(long_unit),
        0,
        0,
        0,
        0,
        *(len(label) if i == values.ndim - 1 else 0 for i in range(4)),
        len(ends),
    ]
    head = bytearray(384)
    struct.pack_into(order + "hHi14i", head, 0, 5, 0, 320 + len(numbers), *sizes, 0, 0)
    shape = [*values.shape, 0, 0, 0][:4]
    steps = [*(a[1] for a in axes), 1.0, 1.0, 1.0, 1.0][:4]
    starts = [*(a[0] for a in axes), 0.0, 0.0, 0.0, 0.0][:4]
    struct.pack_into(order + "IIih", head, 68, 3_600_000_000, 0, values.size, kind)
    head[92 : 92 + len(name)] = name
    struct.pack_into(order + "4i4d4d", head, 132, *shape, *steps, *starts)
    head[212 : 212 + len(unit)] = unit
    for i, axis in enumerate(axes):
        head[216 + 4 * i : 216 + 4 * i + len(axis[2])] = axis[2]
    return checked(head, order, 2) + numbers + note + long_unit + label + ends


def old_wave(values: Any, kind: int, version: int, order: str, note: bytes = b"") -> bytes:
    numbers = np.asarray(values).tobytes()
    size = 110 + len(numbers) + 16
    begin = {
        1: struct.pack(order + "hi", 1, size),
        2: struct.pack(order + "hiii", 2, size, len(note), 0),
        3: struct.pack(order + "hiiii", 3, size, len(note), 0, 0),
    }[version]
    wave = bytearray(126)
    struct.pack_into(order + "h", wave, 0, kind)
    wave[6:11] = b"alpha"
    wave[34:36], wave[38:39] = b"nA", b"V"
    struct.pack_into(order + "ihdd", wave, 42, len(np.asarray(values)), 0, 0.5, -1.0)
    head = bytearray(begin + b"\0\0" + bytes(wave))
    rest = (numbers + bytes(16))[16:]  # the header's last 16 bytes hold the first numbers already
    head[-16:] = (numbers + bytes(16))[:16]
    return checked(head, order, len(begin)) + rest + note


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_old_versions(order: str, version: int) -> None:
    note = b"" if version == 1 else b"line 1\rline 2"
    wave = read_wave(old_wave(np.arange(5).astype(order + "f8"), 4, version, order, note))
    assert (wave.name, wave.data.tolist(), wave.unit, wave.axis_units) == (
        "alpha",
        [0, 1, 2, 3, 4],
        "nA",
        ("V",),
    )
    assert wave.axis(0).tolist() == [-1, -0.5, 0, 0.5, 1]
    assert wave.note == ("" if version == 1 else "line 1\nline 2")


def test_a_wave_that_igor_computes_holds_nothing() -> None:
    """It was once said to be cut off, and to be copied again."""
    data = bytearray(old_wave([], 4, 3, ">"))
    struct.pack_into(">i", data, 10, 3)  # bytes of the formula
    struct.pack_into(">i", data, 20 + 42, 10)  # points
    struct.pack_into(">H", data, 18, 0)
    data = bytearray(checked(data[:146], ">", 18)) + b" K0"
    with pytest.raises(ReadError, match="dependency 'K0'"):
        read_wave(bytes(data))


@pytest.mark.parametrize("order", ["<", ">"])
def test_image_with_scaling_and_labels(tmp_path: Path, order: str) -> None:
    values = np.arange(12).reshape(2, 3, 2).astype(order + "i2")
    axes = [(1.0, 0.5, b"m"), (0.0, 2.0, b"s"), (0.0, 1.0, b"")]
    labels = [b"", b"Height", b"Phase"]
    path = tmp_path / "a.ibw"
    path.write_bytes(new_wave(values, 0x10, order, axes=axes, labels=labels, long_unit=b"Counts [cps]"))
    (entry,) = read(IBW, path)
    assert entry.signal.values.tolist() == values.tolist()
    assert entry.signal.unit == "count/s"
    assert [(a.name, a.unit, a.values.tolist()) for a in entry.axes] == [
        ("x", "m", [1.0, 1.5]),
        ("y", "s", [0.0, 2.0, 4.0]),
        ("z", None, [0.0, 1.0]),
    ]
    assert read_wave(path.read_bytes()).labels[2] == ("Height", "Phase")
    assert str(entry.started) == "2018-01-28 16:00:00"


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (3, np.array([1 + 2j, 3 - 1j], "<c8")),
        (5, np.array([1 + 2j, 3 - 1j], "<c16")),
        (0x48, np.array([0, 255], "u1")),
        (0x60, np.array([0, 2**32 - 1], "<u4")),
        (0x80, np.array([-1, 2**40], "<i8")),
    ],
)
def test_kinds_of_numbers(kind: int, values: Any) -> None:
    wave = read_wave(new_wave(values, kind))
    assert wave.data.tolist() == values.tolist()
    assert wave.data.dtype == values.dtype


def test_text_wave(tmp_path: Path) -> None:
    texts = [b"Fe", "α".encode(), b""]
    ends = np.cumsum([len(t) for t in texts]).astype("<u4").tobytes()
    data = bytearray(new_wave(np.zeros(3, "S1"), 0, ends=ends))
    content = b"".join(texts)
    data[4:8] = struct.pack("<i", 320 + len(content))
    whole = checked(bytearray(data[:384][:2] + b"\0\0" + data[4:384]), "<", 2) + content + ends
    assert read_wave(whole).data.tolist() == ["Fe", "α", ""]
    (tmp_path / "a").write_bytes(whole)
    assert read(IBW, tmp_path / "a")[0].signal.values.tolist() == ["Fe", "α", ""]


def test_a_text_wave_without_texts_is_refused() -> None:
    """Found by fuzzing."""
    data = bytearray(new_wave(np.zeros(0, "S1"), 0)[:384])
    data[2:4] = b"\0\0"
    struct.pack_into("<i", data, 4, 320)
    with pytest.raises(ReadError, match="no text"):
        read_wave(checked(data, "<", 2))


def test_what_is_no_measurement_is_told() -> None:
    with pytest.raises(ReadError, match="references"):
        read_wave(new_wave(np.zeros(2, "<i4"), 0x4000))
    with pytest.raises(ReadError, match="version 7"):
        read_wave(struct.pack("<h", 7) + bytes(400))
    wrong = bytearray(new_wave(np.zeros(2, "<f4"), 2))
    wrong[100] ^= 1
    with pytest.raises(ReadError, match="checksum"):
        read_wave(bytes(wrong))


def test_dimensions_beyond_the_file_set_no_memory_aside() -> None:
    head = bytearray(new_wave(np.zeros((2, 2), "<f4"), 2)[:384])
    struct.pack_into("<4i", head, 132, 2**30, 2**30, 2**30, 2)
    head[2:4] = b"\0\0"
    with pytest.raises(ReadError, match="cut off"):
        read_wave(checked(head, "<", 2))


# --- packed experiments -------------------------------------------------------------------------------------


def record(kind: int, content: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HhI", kind, 0, len(content)) + content


def variables(order: str) -> bytes:
    number = b"Temp".ljust(32, b"\0") + struct.pack(order + "hhddI", 1, 4, 77.0, 0.0, 0)
    text = b"Sample".ljust(32, b"\0") + struct.pack(order + "i", 3) + b"GaN"
    return struct.pack(order + "6h", 2, 1, 1, 1, 0, 0) + struct.pack(order + "f", 1.0) + number + text


def test_an_experiment_of_few_large_records_is_recognised(tmp_path: Path) -> None:
    """The first records of Igor 3 are a picture's: the chain of them is longer than what a sniff looks through."""
    wave = new_wave(np.arange(3, dtype="<f4"), 2)
    picture = b"\x10\0\x10\0PICT_0" + bytes(5000)
    path = tmp_path / "a.bin"
    path.write_bytes(
        record(11, b"\x10\0\x10\0Misc_Start" + bytes(38)) + record(12, picture) + record(3, wave)
    )
    (entry,) = read(PXP, path)
    assert entry.signal.values.tolist() == [0, 1, 2]


@pytest.mark.parametrize("order", ["<", ">"])
def test_folders_variables_and_what_counts_no_more(tmp_path: Path, order: str) -> None:
    wave = new_wave(np.arange(3).astype(order + "f4"), 2, order)
    other = new_wave(np.arange(3).astype(order + "f8"), 4, order, name=b"wave1")
    parts = [
        record(1, variables(order), order),
        record(2, b"history", order),
        record(3, wave, order),
        record(9, b"run 1".ljust(32, b"\0"), order),
        record(3, other, order),
        record(3, b"nonsense" * 60, order),
        record(3 | 0x8000, wave, order),
        record(10, b"", order),
    ]
    (tmp_path / "a.pxp").write_bytes(b"".join(parts))
    m = read(PXP, tmp_path / "a.pxp")
    assert [e.title for e in m] == ["wave0", "run 1/wave1"]
    assert m.original_metadata["variables"] == {"Temp": 77.0, "Sample": "GaN"}
    assert len(m.warnings) == 1
    assert "was left out" in m.warnings[0]


def test_what_scienta_packed_is_known_by_its_note(tmp_path: Path) -> None:
    from tests.readers.test_scienta_ibw import SES
    from tests.readers.test_scienta_ibw import wave as ses_wave

    scales = [(15.0, 0.1, "Kinetic Energy [eV]"), (-7.5, 5.0, "Y-Scale [deg]")]
    note = SES.replace("\r\r", "\rSample=WSe2\rDate=2024-05-06\rTime=07:08:09\r\r", 1)
    measured = ses_wave(np.arange(12, dtype="f4").reshape(3, 4), scales, note, "Counts [a.u.]")
    made_of_it = ses_wave(np.arange(3, dtype="f4"), [(0.0, 1.0, "")], note)
    (tmp_path / "a.pxt").write_bytes(record(3, measured) + record(3, made_of_it))
    m = read(PXP, tmp_path / "a.pxt")
    assert [e.technique for e in m] == ["arpes", "unspecified"]
    assert m["map"].signal.axes == ("angle", "kinetic_energy")
    assert m["map"].conditions["excitation_energy"].value == 21.2
    assert (m.sample, str(m["map"].started)) == ("WSe2", "2024-05-06 07:08:09")


# --- text waves ---------------------------------------------------------------------------------------------

TEXT = """IGOR
WAVES/D\tenergy, 'my counts'
BEGIN
\t1.5\t10
\t2.5\tNaN
END
X SetScale/P x 0,2,"s", energy, 'my counts'; SetScale d 0,0,"eV", energy
X Note energy, "made \\"here\\"\\rtoday"
WAVES/N=(2,3)/D image
BEGIN
1 2 3
4 5 6
END
X SetScale/I x 0,10,"nm", image;SetScale y -1,5,"nm", image
WAVES/T names
BEGIN
"Fe, pure"
"Ni"
END
WAVES/N=(2,2,2) cube
BEGIN
1 2
3 4

5 6
7 8
END
WAVES/C/D z
BEGIN
1 2
3 -4
END
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_text_waves(tmp_path: Path, line_end: str) -> None:
    path = tmp_path / "a.itx"
    path.write_text(TEXT.replace("\n", line_end), newline="")
    assert ITX.sniff(RawInput(path)) == CERTAIN
    m = read(ITX, path)
    first, image, names, cube, z = m
    assert str([s.values.tolist() for s in first.signals]) == "[[1.5, 2.5], [10.0, nan]]"
    assert first["energy"].unit == "eV"
    assert (first["x"].values.tolist(), first["x"].unit) == ([0, 2], "s")
    assert first.original_metadata["energy"]["note"] == 'made "here"\ntoday'  # type: ignore[call-overload, index]
    assert image.signal.values.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert (image["x"].values.tolist(), image["y"].values.tolist()) == ([0, 10], [-1, 1, 3])
    assert names.signal.values.tolist() == ["Fe, pure", "Ni"]
    assert cube.signal.values[:, :, 1].tolist() == [[5, 6], [7, 8]]
    assert z.signal.values.tolist() == [1 + 2j, 3 - 4j]


def test_text_waves_cut_off_and_damaged(tmp_path: Path) -> None:
    data = TEXT.encode()
    for at in range(0, len(data), 11):
        (tmp_path / "a").write_bytes(data[:at])
        if data[:at].count(b"BEGIN") > data[:at].count(b"END\n") or data[:at].rstrip().endswith(b"EN"):
            with pytest.raises(ReadError):
                ITX.read(RawInput(tmp_path / "a"))
    damage(ITX, data, tmp_path / "broken", turns=150)


def test_sure_only_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(new_wave(np.zeros(2, "<f4"), 2))
    assert [r.sniff(RawInput(tmp_path / "a")) for r in READERS] == [POSSIBLE, NO, NO]
    (tmp_path / "b").write_bytes(b"IGOR\n" + b"nothing of the kind\n" * 20)
    assert ITX.sniff(RawInput(tmp_path / "b")) == POSSIBLE
    with pytest.raises(ReadError, match="no wave"):
        ITX.read(RawInput(tmp_path / "b"))
