"""Agilent: .D folders, single channels, OpenLab archives: what a chromatographer would lose if they were misread."""

from __future__ import annotations

import shutil
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import agilent_ch, agilent_d, openlab_dx
from zairyo.readers._agilent_packing import DamagedStream, Lzf, double_deltas, undo_runs
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._separation import Scans, mass_runs
from zairyo.readers.invariants import check


def read(path: Path, reader: Reader = agilent_d.READER) -> Measurement:
    assert reader.sniff(RawInput(path)) == CERTAIN
    return check(reader.read(RawInput(path)), reader)


def sums(m: Measurement, entry: str, signal: str) -> float:
    return float(m[entry][signal].values.sum(dtype=float))


# --- real files; every array is equal to that of rainbow-api 1.5.5, but for the instrument's traces of a .dx -------


def test_diode_array(instruments: Path) -> None:
    m = read(instruments / "agilent-d/brown.D")
    assert [e.name for e in m.entries] == ["dad1a", "dad1b", "dad1c", "dad1d", "dad1e", "dad1_spectra"]
    assert (m.operator, m.instrument, m.technique) == ("MATT", "G1315B", "lc")
    first = m["dad1a"]
    assert first["time"].values[[0, -1]].tolist() == pytest.approx([-0.0375, 8.9625])
    assert sums(m, "dad1a", "absorbance") == pytest.approx(10881.066799163818, rel=1e-12)
    assert sums(m, "dad1b", "absorbance") == pytest.approx(-9557.688236236572, rel=1e-12)
    assert first.conditions["detection_wavelength"].value == 254
    assert first.conditions["bandwidth"].value == 10
    assert str(first.started) == "2006-06-17 15:40:38"
    spectra = m["dad1_spectra"]
    assert spectra.signal.axes == ("time", "wavelength")
    assert spectra.signal.values.shape == (1344, 211)
    assert spectra.signal.unit == "mAU"
    assert spectra["wavelength"].values[[0, -1]].tolist() == [190, 400]
    assert sums(m, "dad1_spectra", "absorbance") == pytest.approx(-2942285.4323387146, rel=1e-12)
    assert float(spectra.signal.values.max()) == 1574.4919776916504
    at = float(spectra.signal.values[:, 254 - 190].max())  # the same peak in the trace at 254 nm, 10 nm wide
    assert at == pytest.approx(820.4, rel=0.05)


def test_liquid_chromatography_with_masses(instruments: Path) -> None:
    m = read(instruments / "agilent-d/orange.D")
    assert m.technique == "lc_ms"
    assert (m.sample, m.operator) == ("blank", "Taylor Johnson")
    total = m["chromatogram"]
    assert total["time"].values[[0, -1]].tolist() == pytest.approx([0.023666666666666666, 2.9767333333333332])
    assert str(total.started) == "2019-11-14 15:08:00-05:00"
    peaks = m["peaks"]
    assert peaks["abundance"].values.sum() == 415735340
    assert peaks["abundance"].values.max() == 447360
    assert peaks["mass_to_charge"].values.size == 282512
    assert np.bincount(peaks["scan"].values)[1:].tolist()[:1] == [768]
    assert float(m["chromatogram"]["base_peak_mass_to_charge"].values[0]) == 621.9
    assert sums(m, "adc1a", "detector_signal") == pytest.approx(81049.10839252725, rel=1e-12)
    assert m["adc1a"].signal.unit == "mAU"
    assert "Column temperature" in str(m.original_metadata["run.log"])


def test_time_of_flight_profiles(instruments: Path) -> None:
    cyan = read(instruments / "agilent-d/cyan.D")  # packed by LZF, calibrated scan by scan
    assert cyan["profile"]["abundance"].values.sum() == 1790171457
    assert sums(cyan, "profile", "mass_to_charge") == pytest.approx(519164887.49230224, rel=1e-12)
    assert cyan["profile"].conditions["ion_polarity"].value == "negative"
    assert cyan["chromatogram"]["base_peak_mass_to_charge"].values == pytest.approx([825.45753529] * 3)
    gold = read(instruments / "agilent-d/gold.D")  # runs of zeros, one calibration, peaks beside profiles
    assert gold["spectra"].signal.values.shape == (3, 74963)
    assert gold["spectra"].signal.values.sum() == 1217924
    assert 3 * sums(gold, "spectra", "mass_to_charge") == pytest.approx(106128377.93233737, rel=1e-12)
    assert gold["peaks"]["scan"].values.size == 112
    assert sums(gold, "peaks", "mass_to_charge") == pytest.approx(21691.767164146557, rel=1e-12)
    assert gold["chromatogram"]["time"].values[0] == pytest.approx(0.034466666666666666)


def test_peaks_lie_on_their_profile(instruments: Path) -> None:
    gold = read(instruments / "agilent-d/gold.D")
    spectra, peaks = gold["spectra"], gold["peaks"]
    base = int(np.argmax(peaks["abundance"].values))
    at = int(np.argmin(abs(spectra["mass_to_charge"].values - peaks["mass_to_charge"].values[base])))
    assert spectra.signal.values[1, at - 2 : at + 3].max() == 8314


def test_refractive_index(instruments: Path) -> None:
    (path,) = (instruments / "agilent-ch").iterdir()
    m = read(path, agilent_ch.READER)
    (entry,) = m.entries
    assert (entry.default, entry.signal.unit, entry.technique) == ("refractive_index", "nRIU", "lc")
    assert sums(m, entry.name, "refractive_index") == pytest.approx(-6851316.46)
    assert entry["time"].values[-1] == pytest.approx(36.0)
    assert m.sample == "STD_1_1mM-1MKHCO3"


def test_openlab_archive(instruments: Path) -> None:
    m = read(instruments / "agilent-dx/teal.dx", openlab_dx.READER)
    assert sums(m, "dad1a", "absorbance") == pytest.approx(-19326.020769774914, rel=1e-12)
    assert sums(m, "dad1i_spectra", "absorbance") == pytest.approx(730032.2636642456, rel=1e-12)
    # The instrument's traces are pairs of time and value (rainbow takes all for values): 10 and 40 points a second.
    temperature = m["instrument_wps1a"]
    assert temperature.signal.values.shape == (3001,)
    assert temperature["time"].values[-1] == pytest.approx(5.0, abs=0.01)
    assert 25 < float(temperature.signal.values.min()) <= float(temperature.signal.values.max()) < 27
    assert m["instrument_pmp1b"].signal.unit == "bar"
    assert "16 traces that are not in the file" in m.warnings[0]
    assert m.operator == "SYSTEM (SYSTEM)"


def test_openlab_spectra_agree_with_its_traces(instruments: Path) -> None:
    m = read(instruments / "agilent-dx/teal.dx", openlab_dx.READER)
    spectra = m["dad1i_spectra"]
    wavelength = spectra["wavelength"].values
    band = spectra.signal.values[:, abs(wavelength - 330) <= 2].mean(axis=1)
    reference = spectra.signal.values[:, abs(wavelength - 360) <= 50].mean(axis=1)
    trace = m["dad1h"].signal.values
    assert np.corrcoef(band - reference, trace)[0, 1] > 0.99
    assert np.ptp(band - reference) == pytest.approx(np.ptp(trace), rel=0.1)


def test_zipped_folder_is_the_same(instruments: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "gold.zip", "w") as z:
        for file in sorted((instruments / "agilent-d/gold.D").rglob("*")):
            z.write(file, f"gold.D/{file.relative_to(instruments / 'agilent-d/gold.D')}")
    assert read(tmp_path / "gold.zip").entries == read(instruments / "agilent-d/gold.D").entries


# --- variants that no file here shows, made from the format's facts ------------------------------------------------


def put(data: bytearray, offset: int, text: str, wide: bool) -> None:
    data[offset] = len(text)
    raw = text.encode("utf-16-le" if wide else "cp1252")
    data[offset + 1 : offset + 1 + len(raw)] = raw


def channel(
    version: str, body: bytes, *, times: tuple[float, float] = (0, 120000), scale: float = 0.5, **texts: str
) -> bytes:
    wide = int(version) >= 100
    start = 6144 if wide else 1024
    data = bytearray(start)
    put(data, 0, version, False)
    put(data, 347 if wide else 4, texts.pop("file_type", "GC DATA FILE"), wide)
    struct.pack_into(">i", data, 264, start // 512 + 1)
    struct.pack_into(">ff" if version in ("81", "179", "181") else ">ii", data, 282, *times)
    struct.pack_into(">d", data, 4732 if wide else 644, scale)
    places = {"unit": (580, 4172), "description": (596, 4213), "date": (178, 2391), "sample": (24, 858)}
    for name, text in texts.items():
        put(data, places[name][wide], text, wide)
    return bytes(data) + body


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *(v & 0xFFFF for v in values))


DELTAS = words(0x1003, 10, -3, 0x8000, 0x0001, 0x8000, 0x1002, 5, 0x8000, 0xFFFF, 0xFFFE, 0)
DOUBLE = words(100, 5, -5, 0x7FFF, 0xFFFF, 0xFFFF, 0xFFF6, 3, 0)


@pytest.mark.parametrize(
    ("version", "body", "expected"),
    [
        ("8", DELTAS, [5, 3.5, 49152, 49154.5, -1]),
        ("30", DELTAS, [5, 3.5, 49152, 49154.5, -1]),
        ("130", DELTAS, [5, 3.5, 49152, 49154.5, -1]),
        ("81", DOUBLE, [50, 102.5, 152.5, -5, -3.5, -2]),
        ("181", DOUBLE, [50, 102.5, 152.5, -5, -3.5, -2]),
        ("179", struct.pack("<3d", 2, 4, -6), [1, 2, -3]),
    ],
)
def test_every_packing_of_a_trace(tmp_path: Path, version: str, body: bytes, expected: list[float]) -> None:
    path = tmp_path / "FID1A.ch"
    texts = {
        "unit": "pA",
        "description": "FID1 A, Front Signal",
        "date": "24-May-21, 08:15:00",
        "sample": "ブランク",
    }
    if version in ("8", "30", "81"):
        texts["sample"] = "blank µ"
    path.write_bytes(channel(version, body, **texts))
    m = read(path, agilent_ch.READER)
    (entry,) = m.entries
    assert entry.signal.values.tolist() == expected
    assert entry["time"].values.tolist() == pytest.approx(np.linspace(0, 2, len(expected)).tolist())
    assert (entry.technique, entry.default, entry.signal.unit) == ("gc", "detector_signal", "pA")
    assert m.sample == texts["sample"]
    assert str(entry.started) == "2021-05-24 08:15:00"


def test_old_scaling_is_by_the_kind_of_number(tmp_path: Path) -> None:
    data = bytearray(channel("8", words(0x1002, 3, 3, 0), unit="pA"))
    struct.pack_into(">i", data, 542, 2)
    path = tmp_path / "a.ch"
    path.write_bytes(data)
    assert read(path, agilent_ch.READER)[0].signal.values == pytest.approx(
        [3 * 1.33321110047553, 6 * 1.33321110047553]
    )


def test_thermal_conductivity_in_steps_of_25_microvolts(tmp_path: Path) -> None:
    path = tmp_path / "a.ch"
    path.write_bytes(channel("179", struct.pack("<3d", 2, 4, 6), unit="25 µV", description="TCD2 B"))
    m = read(path, agilent_ch.READER)
    assert m[0].signal.unit == "25 µV"
    assert m[0].signal.values.tolist() == [1, 2, 3]
    assert any("25 µV" in w for w in m.warnings)
    assert m.technique == "gc"


def spectrum(time: int, deltas: bytes, wavelengths: tuple[int, int, int] = (4000, 4080, 40)) -> bytes:
    return struct.pack("<HHIHHHHHI", 67, 22 + len(deltas), time, *wavelengths, 0, 4, 0) + deltas


def spectra_file(*records: bytes, count: int | None = None) -> bytes:
    data = bytearray(channel("31", b"", file_type="LC DATA FILE"))[:512]
    struct.pack_into(">i", data, 264, 2)
    struct.pack_into(">I", data, 278, len(records) if count is None else count)
    struct.pack_into(">d", data, 318, 0.001)
    put(data, 326, "mAU", False)
    return bytes(data) + b"".join(records)


LONG = struct.pack("<h", -0x8000) + struct.pack("<i", 100_000) + struct.pack("<hh", -1, 2)
SHORT = struct.pack("<hhh", 5, 6, -7)
# A value whose own words look like the mark of another one.
TRICKY = struct.pack("<h", -0x8000) + struct.pack("<HH", 0x8000, 0x8000) + struct.pack("<hh", -1, 2)


def test_spectra_with_values_in_full(tmp_path: Path) -> None:
    path = tmp_path / "dad1.uv"
    path.write_bytes(spectra_file(spectrum(60000, LONG), spectrum(120000, SHORT), spectrum(180000, TRICKY)))
    (entry,) = read(path, agilent_ch.READER).entries
    assert entry.signal.values.tolist() == [
        pytest.approx([100, 99.999, 100.001]),
        pytest.approx([0.005, 0.011, 0.004]),
        pytest.approx([-2147450.880, -2147450.881, -2147450.879]),
    ]
    assert entry["time"].values.tolist() == [1, 2, 3]
    assert entry["wavelength"].values.tolist() == [200, 202, 204]


def test_a_run_that_was_stopped_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "dad1.uv"
    path.write_bytes(spectra_file(spectrum(60000, LONG), spectrum(120000, SHORT), b"C\0\x1c", count=0))
    m = read(path, agilent_ch.READER)
    assert m[0].signal.values.shape == (2, 3)
    assert "never finished" in m.warnings[0]
    path.write_bytes(spectra_file(spectrum(60000, LONG), spectrum(120000, SHORT), count=3))
    with pytest.raises(ReadError, match="announces 3 spectra"):
        agilent_ch.READER.read(RawInput(path))
    path.write_bytes(spectra_file(spectrum(60000, SHORT), spectrum(90000, SHORT, (4000, 4120, 60))))
    with pytest.raises(ReadError, match="same wavelengths"):
        agilent_ch.READER.read(RawInput(path))


def test_a_trace_that_lost_its_end_is_refused(tmp_path: Path) -> None:
    data = bytearray(channel("179", struct.pack("<4d", 0, 50, 900, 100)))
    struct.pack_into(">ff", data, 290, 900, 0)
    path = tmp_path / "a.ch"
    path.write_bytes(data)
    assert read(path, agilent_ch.READER)[0].signal.values.max() == 450
    path.write_bytes(data[:-16])
    with pytest.raises(ReadError, match="cut off"):
        agilent_ch.READER.read(RawInput(path))


def test_runs_of_zeros() -> None:
    # two zeros; a number of four bytes; then one byte wide: 7, five zeros, 9; then two bytes wide: 300
    body = struct.pack("<i", -2) + struct.pack("<ii", 70000, -1) + struct.pack("<bbb", 7, -(5 * 4 + 1), 9)
    body += struct.pack("<b", -2) + struct.pack("<h", 300)
    assert undo_runs(body, 12).tolist() == [0, 0, 70000, 7, 0, 0, 0, 0, 0, 9, 300, 0]
    for broken in (
        b"\1",
        struct.pack("<i", 3),
        body[:-1],
        body + struct.pack("<hhh", 1, 2, 3),
        body[:4] + b"\xfc\xff\xff\xff",
    ):
        with pytest.raises(DamagedStream):
            undo_runs(broken, 12)


def packed_runs(rng: np.random.Generator, stretches: int) -> tuple[bytes, list[int]]:
    """Packed intensities as a loop over each number writes them, and what they are."""
    body, expected, width = struct.pack("<i", -3), [0, 0, 0], 3
    forms = {1: ("<b", 127), 2: ("<h", 32767), 3: ("<i", 2**31 - 1)}
    for _ in range(stretches):
        form, most = forms[width]
        some = rng.integers(0, most, int(rng.integers(0, 200)), endpoint=True).tolist()
        zeros, width = int(rng.integers(0, 20)), int(rng.integers(1, 4))
        body += b"".join(struct.pack(form, n) for n in some) + struct.pack(form, -(4 * zeros + width))
        expected += some + [0] * zeros
    return body, expected


@pytest.mark.parametrize("seed", range(3))
def test_intensities_are_the_same_however_long_the_profile(seed: int) -> None:
    """A number, or a stretch of one width, may lie across the places where unpacking pauses."""
    body, expected = packed_runs(np.random.default_rng(seed), 600)
    assert len(body) > 4 * 32768
    assert undo_runs(body, len(expected) + 5).tolist() == [*expected, 0, 0, 0, 0, 0]
    with pytest.raises(DamagedStream, match="more than"):
        undo_runs(body, len(expected) - 1)


def test_a_profile_of_a_thousand_million_points_is_refused(instruments: Path, tmp_path: Path) -> None:
    """One wrong bit in a count must not fill the memory."""
    shutil.copytree(instruments / "agilent-d/cyan.D", tmp_path / "cyan.D")
    scans = tmp_path / "cyan.D/AcqData/MSScan.bin"
    scans.chmod(0o644)
    count, mark = struct.pack("<i", 105152), struct.pack("<i", 105152 | 1 << 30)
    assert count in scans.read_bytes()
    scans.write_bytes(scans.read_bytes().replace(count, mark))
    with pytest.raises(ReadError, match="points"):
        agilent_d.READER.read(RawInput(tmp_path / "cyan.D"))


def test_lzf() -> None:
    """Scans of a run differ in how long they are packed, and seldom in how long they are."""
    lzf = Lzf()
    for tail in (b"\x02xyz", b"\x00x\x00y\x00z", b"\x02zyx"):
        expected = b"abcabc" + tail.replace(b"\x02", b"").replace(b"\x00", b"")
        assert lzf.unpack(b"\x02abc\x20\x02" + tail, 9).tobytes() == expected
    assert lzf.unpack(b"\x01ab", 2).tobytes() == b"ab"
    for damaged, size in ((b"\x1fab", 9), (b"\x02abc", 9), (b"\x02abc", 2), (b"\x20\x02", 3)):
        with pytest.raises(DamagedStream):
            lzf.unpack(damaged, size)
    assert lzf.unpack(b"\x02abc", 3).tobytes() == b"abc", "one damaged scan leaves the others"


@pytest.mark.parametrize("times", [[0.0, 1.0, 2.0], [0.0, 2.0, 1.0]])
@pytest.mark.parametrize("levels", [[1, 1, 1], [1, 2, 1]])
def test_masses_given_once_for_all_scans(times: list[float], levels: list[int]) -> None:
    """Each point keeps its mass, whether the scans become an array, a table, or a run for each kind of scan."""
    masses, abundances = np.array([100.0, 100.5]), np.array([1.0, 9.0, 8.0, 2.0, 3.0, 7.0])
    groups = {f"ms{level}": np.array(levels) == level for level in (1, 2)}
    runs = [
        mass_runs("lc_ms", Scans(np.array(times), np.full(3, 2), given, abundances, is_common=once), groups)
        for once, given in ((True, masses), (False, np.tile(masses, 3)))
    ]
    assert runs[0] == runs[1]
    (first, *_) = runs[0]
    base = first["base_peak_mass_to_charge"].values.tolist()
    assert base == ([100.5, 100.0, 100.5] if levels == [1, 1, 1] else [100.5, 100.5])


def test_double_deltas_that_break_off() -> None:
    with pytest.raises(DamagedStream):
        double_deltas(words(1, 0x7FFF, 1), 0)


def detectors(folder: Path, points: int = 4) -> None:
    """AcqData of a run with a diode array: one trace at 254 nm, a lamp's voltage, and spectra."""
    acq = folder / "AcqData"
    acq.mkdir(parents=True)

    def head(tag: int) -> bytes:
        return struct.pack("<H", tag).ljust(68, b"\0")

    def counted(text: str) -> bytes:
        raw = text.encode()
        return bytes([len(raw)]) + raw

    def told(letter: str, text: str, offset: int, unit: str) -> bytes:
        return (
            counted(letter)
            + counted(text)
            + struct.pack("<IIII", 1, offset, 0, points)
            + b"\0" * 9
            + counted(unit)
            + b"\0\0"
        )

    size = 16 + 8 * points
    traces = told("A", "Sig=254.0,4.0  Ref=360.0,100.0", 68, "mAU") + told(
        "B", "Board Temperature", 68 + size, "°C"
    )
    (acq / "DAD1.cd").write_bytes(head(0x200) + bytes(8) + struct.pack("<I", 2) + traces)
    blocks = [
        struct.pack("<dd", 0.5, 0.25) + struct.pack(f"<{points}d", *range(k, k + points)) for k in (1, 30)
    ]
    (acq / "DAD1.cg").write_bytes(head(0x201) + b"".join(blocks))
    index = b""
    body = head(0x203)
    for i in range(3):
        index += struct.pack("<4xd20xIIIIdd16x", 0.1 * i, len(body), 0, 40, 3, 200.0, 204.0)
        body += struct.pack("<5d", 200, 2, i, i + 1, i + 2)
    (acq / "DAD1.sd").write_bytes(head(0x202) + bytes(8) + struct.pack("<II", 84, 3) + index)
    (acq / "DAD1.sp").write_bytes(body)


def test_masshunter_diode_array(tmp_path: Path) -> None:
    detectors(tmp_path / "run.d")
    m = read(tmp_path / "run.d")
    assert m["dad1a"].signal.values.tolist() == [1, 2, 3, 4]
    assert m["dad1a"]["time"].values.tolist() == [0.5, 0.75, 1.0, 1.25]
    assert m["dad1a"].conditions["reference_wavelength"].value == 360
    assert (m["dad1b"].default, m["dad1b"].signal.unit) == ("temperature", "degC")
    assert m["dad1_spectra"].signal.values.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert m["dad1_spectra"]["wavelength"].values.tolist() == [200, 202, 204]
    for name in ("DAD1.cd", "DAD1.cg", "DAD1.sd", "DAD1.sp"):
        part = tmp_path / "run.d/AcqData" / name
        damage(in_folder(tmp_path / "run.d"), part.read_bytes(), part, turns=25)
        shutil.rmtree(tmp_path / "run.d")
        detectors(tmp_path / "run.d")


def test_gas_chromatography_with_masses(tmp_path: Path) -> None:
    """Scans whose masses are not the same, and a run that was stopped: no directory, no count."""

    def scan(time: int, *pairs: tuple[float, int]) -> bytes:
        points = b"".join(struct.pack(">HH", round(m * 20), a) for m, a in pairs)
        return (
            struct.pack(">HIHHHHHH", (28 + len(points)) // 2, time, 0, 0, 0, len(pairs), 0, 0)
            + points
            + bytes(10)
        )

    body = scan(60000, (28, 100), (44, 0x4000 | 50)) + scan(120000) + scan(180000, (18, 7))
    head = bytearray(0x2F2)
    put(head, 0, "2", False)
    put(head, 4, "GC / MS Data File", False)
    path = tmp_path / "data.ms"
    path.write_bytes(bytes(head) + body)
    m = read(path, agilent_ch.READER)
    assert m.technique == "gc_ms"
    assert m["chromatogram"]["total_ion_current"].values.tolist() == [500, 0, 7]
    assert m["chromatogram"]["base_peak_mass_to_charge"].values[[0, 2]].tolist() == [44, 18]
    assert m["peaks"]["scan"].values.tolist() == [1, 1, 3]
    assert "never finished" in m.warnings[0]
    struct.pack_into(">ii", head, 260, (len(head) + len(body) + 2) // 2, (len(head) + 2) // 2)
    struct.pack_into(">I", head, 278, 3)
    entries = b"".join(struct.pack(">iii", 0, 0, t) for t in (1, 2, 3))
    path.write_bytes(bytes(head) + body + entries)
    assert read(path, agilent_ch.READER).warnings == ()
    path.write_bytes(bytes(head) + body[:-30])
    with pytest.raises(ReadError, match="announces 3 scans"):
        agilent_ch.READER.read(RawInput(path))


# --- damage ---------------------------------------------------------------------------------------------------


def in_folder(folder: Path) -> Reader:
    """The folder's reader, for the helpers that damage one file of it."""
    return replace(agilent_d.READER, read=lambda src: agilent_d.READER.read(RawInput(folder)))


@pytest.mark.parametrize(
    ("folder", "part", "within"),
    [
        ("brown.D", "dad1A.ch", 1100),
        ("brown.D", "dad1.uv", 1200),
        ("orange.D", "ADC1A.CH", 6300),
        ("orange.D", "MSD1.MS", 900),
        ("cyan.D", "AcqData/MSScan.bin", None),
        ("cyan.D", "AcqData/MSProfile.bin", 3000),
        ("cyan.D", "AcqData/MSMassCal.bin", None),
        ("cyan.D", "AcqData/MSScan.xsd", None),
        ("gold.D", "AcqData/MSProfile.bin", 3000),
        ("gold.D", "AcqData/MSPeak.bin", None),
        ("gold.D", "AcqData/DefaultMassCal.xml", None),
    ],
)
def test_damaged_folders(
    instruments: Path, tmp_path: Path, folder: str, part: str, within: int | None
) -> None:
    shutil.copytree(instruments / "agilent-d" / folder, tmp_path / folder)
    path = tmp_path / folder / part
    data = path.read_bytes()
    reader = in_folder(tmp_path / folder)
    survived = cut(reader, data, path)
    assert part.endswith((".xml", ".ch", ".CH")) or not [
        p for p in survived if p > 0 and part != "AcqData/MSScan.bin"
    ]
    damage(reader, data, path, turns=30, within=within)


def test_damaged_channel_and_archive(instruments: Path, tmp_path: Path) -> None:
    (path,) = (instruments / "agilent-ch").iterdir()
    data = path.read_bytes()
    assert cut(agilent_ch.READER, data, tmp_path / "a.ch") == []
    damage(agilent_ch.READER, data, tmp_path / "a.ch", within=6200)
    archive = (instruments / "agilent-dx/teal.dx").read_bytes()
    assert cut(openlab_dx.READER, archive, tmp_path / "a.dx") == []
    damage(openlab_dx.READER, archive, tmp_path / "a.dx", turns=20)


def test_missing_parts_are_told(instruments: Path, tmp_path: Path) -> None:
    shutil.copytree(instruments / "agilent-d/cyan.D", tmp_path / "cyan.D")
    (tmp_path / "cyan.D/AcqData/MSMassCal.bin").unlink()
    (tmp_path / "cyan.D/AcqData/DefaultMassCal.xml").unlink()
    with pytest.raises(ReadError, match="MSMassCal"):
        agilent_d.READER.read(RawInput(tmp_path / "cyan.D"))
    (tmp_path / "cyan.D/AcqData/MSProfile.bin").unlink()
    with pytest.raises(ReadError, match="neither"):
        agilent_d.READER.read(RawInput(tmp_path / "cyan.D"))


def test_other_inputs_are_not_claimed(instruments: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.D").mkdir()
    (tmp_path / "text.ch").write_text("\x02hello")
    assert agilent_d.READER.sniff(RawInput(tmp_path / "empty.D")) == NO
    assert agilent_d.READER.sniff(RawInput(instruments / "agilent-d")) == NO
    assert agilent_d.READER.sniff(RawInput(instruments / "agilent-ch")) == NO
    others: list[Any] = [
        tmp_path / "text.ch",
        instruments / "ezchrom-dat/230324.dat",
        instruments / "agilent-dx/teal.dx",
    ]
    assert {agilent_ch.READER.sniff(RawInput(p)) for p in others} == {NO}
