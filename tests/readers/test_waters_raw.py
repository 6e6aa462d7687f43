"""Waters MassLynx: what a mass spectrometrist would lose if points or traces were misread. All made from facts."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.waters_raw import READER

Scan = tuple[float, list[tuple[float, float]]]


def two(_: float, value: float) -> bytes:
    power = 0
    while value / 4**power >= 1 << 13:
        power += 1
    return struct.pack("<H", int(value / 4**power) << 3 | power)


def four(_: float, value: float) -> bytes:
    power = max(int(np.floor(np.log2(value))), 0) if value else 0
    return struct.pack("<I", power << 22 | int(value * 2.0 ** (20 - power)))


def six(position: float, value: float) -> bytes:
    bits = int(np.floor(np.log2(position))) + 1
    power = 0
    while abs(value) / 4**power >= 1 << 15:
        power += 1
    coded = round(position * 2.0 ** (23 - bits)) << 9 | bits << 4 | power
    return struct.pack("<hI", int(value / 4**power), coded)


def eight(position: float, value: float) -> bytes:
    key = int(np.floor(np.log2(position))) + 1
    low = int(np.floor(np.log2(value))) + 1 if value >= 1 else 0
    raw = (key << 31 | round(position * 2.0 ** (31 - key))) << 28 | low << 22 | int(value * 2.0 ** (21 - low))
    return struct.pack("<Q", raw)


PACK = {2: two, 4: four, 6: six, 8: eight}


def function(folder: Path, number: int, scans: list[Scan], width: int) -> None:
    index, data = b"", b""
    for time, points in scans:
        index += struct.pack("<IIff", len(data), len(points) | 0xFFC00000, 0, time) + bytes(6)
        data += b"".join(PACK[width](*point) for point in points)
    (folder / f"_FUNC{number:03}.IDX").write_bytes(index)
    (folder / f"_FUNC{number:03}.DAT").write_bytes(data)


def functions_inf(folder: Path, *parts: tuple[int, list[float], list[float]]) -> None:
    data = b""
    for code, masses, products in parts:
        record = bytearray(416)
        record[0] = 0x20 | code
        struct.pack_into(f"<{len(masses)}f", record, 160, *masses)
        struct.pack_into(f"<{len(products)}f", record, 288, *products)
        data += bytes(record)
    (folder / "_FUNCTNS.INF").write_bytes(data)


def folder(path: Path, polarity: str = "ES+", calibration: str = "") -> Path:
    path.mkdir()
    head = "$$ Acquired Name: run 7\n$$ Acquired Date: 21-Dec-2019\n$$ Acquired Time: 10:11:12\n"
    head += "$$ User Name: 分析 太郎\n"
    head += f"$$ Bottle Number: 1:A,3\n$$ Instrument: ACQ-SQD\n$$ Sample Description: caffeine\n{calibration}"
    (path / "_HEADER.TXT").write_text(head, encoding="cp932")
    (path / "_extern.inf").write_text(f"Instrument Parameters - Function 1:\nPolarity\t\t\t{polarity}\n")
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


SCANS: list[Scan] = [(0.5, [(100.5, 30), (250.25, 90000)]), (0.75, []), (1.0, [(99.5, 8)])]


@pytest.mark.parametrize("width", [6, 8])
def test_scans(tmp_path: Path, width: int) -> None:
    path = folder(tmp_path / "a.raw")
    function(path, 1, SCANS, width)
    functions_inf(path, (0, [], []))
    m = read(path)
    peaks = m["peaks"]
    assert peaks["mass_to_charge"].values == pytest.approx([100.5, 250.25, 99.5], rel=1e-6)
    assert peaks["abundance"].values == pytest.approx([30, 90000, 8], rel=1e-4)
    assert peaks["scan"].values.tolist() == [1, 1, 3]
    chromatogram = m["chromatogram"]
    assert chromatogram["time"].values.tolist() == [0.5, 0.75, 1.0]
    assert chromatogram["total_ion_current"].values == pytest.approx([90030, 0, 8], rel=1e-4)
    assert {k: str(q) for k, q in chromatogram.conditions.items()} == {
        "vial": "1:A,3", "ionisation": "ESI", "ion_polarity": "positive", "acquisition_mode": "MS",
    }  # fmt: skip
    assert (m.technique, m.sample, m.operator) == ("lc_ms", "caffeine", "分析 太郎")
    assert str(m.started) == "2019-12-21 10:11:12"


@pytest.mark.parametrize("width", [2, 4])
def test_chosen_ions(tmp_path: Path, width: int) -> None:
    path = folder(tmp_path / "a.raw", "ES-")
    function(path, 1, [(0.1, [(0, 12), (0, 40000)]), (0.2, [(0, 16), (0, 2)])], width)
    functions_inf(path, (9, [300.5, 301.5], [100.5, 101.5]))
    m = read(path)
    spectra = m["spectra"]
    assert spectra.signal.values.tolist() == [[12, 40000], [16, 2]]
    assert spectra["mass_to_charge"].values.tolist() == [300.5, 301.5]
    assert spectra.conditions["ion_polarity"].value == "negative"
    assert spectra.conditions["acquisition_mode"].value == "MRM"


@pytest.mark.parametrize(
    ("kind", "expected"), [("T0", 0.5 + 1.001 * 100.5), ("T1", (0.5 + 1.001 * 100.5**0.5) ** 2)]
)
def test_calibration_is_applied(tmp_path: Path, kind: str, expected: float) -> None:
    """T0 of a quadrupole is a polynomial in the mass, T1 of a time-of-flight instrument in its root."""
    path = folder(tmp_path / "a.raw", calibration=f"$$ Cal Function 1: 0.5,1.001,0.0,{kind}\n")
    function(path, 1, SCANS, 8)
    functions_inf(path, (0, [], []))
    assert read(path)["peaks"]["mass_to_charge"].values[0] == pytest.approx(expected, rel=1e-6)


def test_unknown_kind_of_calibration_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path / "a.raw", calibration="$$ Cal Function 1: 0.5,1.001,T5\n")
    function(path, 1, SCANS, 8)
    with pytest.raises(ReadError, match="kind 'T5'"):
        READER.read(RawInput(path))


@pytest.mark.parametrize("scans", [3, 11])
def test_time_of_flight(tmp_path: Path, scans: int) -> None:
    """A Xevo G2's index has 30 bytes a scan; eleven scans could be fifteen of 22 bytes as well."""
    path = folder(tmp_path / "a.raw", calibration="$$ Cal Function 1: 0.0,1.0,0.0,T1\n")
    made: list[Scan] = [(0.1 * i, [(50.5 + k, 10.0 * k + i) for k in range(i + 2)]) for i in range(scans)]
    index, data = b"", b""
    for time, points in made:
        index += struct.pack("<IIff", 0, len(points) | 0x18000000, 7e8, time) + bytes(6)
        index += struct.pack("<II", len(data), 0)
        data += b"".join(eight(*point) for point in points)
    (path / "_FUNC001.IDX").write_bytes(index)
    (path / "_FUNC001.DAT").write_bytes(data)
    (path / "_FUNC001.CDT").write_bytes(bytes(9))
    functions_inf(path, (18, [50.0], [1200.0]))
    m = read(path)
    assert m["peaks"]["mass_to_charge"].values == pytest.approx([p[0] for s in made for p in s[1]], rel=1e-6)
    assert m["peaks"]["abundance"].values == pytest.approx([p[1] for s in made for p in s[1]], rel=1e-4)
    assert m["chromatogram"]["time"].values == pytest.approx([s[0] for s in made], rel=1e-6)
    assert m["chromatogram"].conditions["acquisition_mode"].value == "TOF MS"
    assert any("drift time" in warning for warning in m.warnings)


def test_profiles_are_told_from_peaks(tmp_path: Path) -> None:
    path = folder(tmp_path / "a.raw")
    (path / "_extern.inf").write_text(
        "Instrument Configuration:\nPolarity\tES+\nFunction Parameters - Function 1 - TOF MS FUNCTION\n"
        "Data Format\t\t\tContinuum\nFunction Parameters - Function 2 - TOF MS FUNCTION\nData Format\tCentroid\n"
    )
    function(path, 1, SCANS, 8)
    function(path, 2, SCANS, 8)
    functions_inf(path, (18, [], []), (18, [], []))
    m = read(path)
    assert [e.name for e in m.entries if "chromatogram" not in e.name] == [
        "function_1_profile",
        "function_2_peaks",
    ]


def test_functions_keep_their_numbers(tmp_path: Path) -> None:
    """Function 2 was switched off: the third has its own kind, calibration and polarity, not the second's."""
    path = folder(
        tmp_path / "a.raw", calibration="$$ Cal Function 2: 9.0,1.0,T0\n$$ Cal Function 3: 1.0,1.0,T0\n"
    )
    (path / "_extern.inf").write_text(
        "Instrument Parameters - Function 1:\nPolarity\tES+\n"
        "Instrument Parameters - Function 3:\nPolarity\tES-\n"
    )
    function(path, 1, SCANS, 6)
    function(path, 3, SCANS, 6)
    functions_inf(path, (0, [], []), (12, [], []), (1, [], []))
    third = read(path)["function_3_peaks"]
    assert third["mass_to_charge"].values == pytest.approx([101.5, 251.25, 100.5], rel=1e-6)
    assert third.conditions["ion_polarity"].value == "negative"
    assert third.conditions["acquisition_mode"].value == "SIR"


def test_polarity_of_a_function_the_method_does_not_name(tmp_path: Path) -> None:
    path = folder(tmp_path / "a.raw")
    function(path, 1, SCANS, 6)
    function(path, 2, SCANS, 6)
    record = struct.pack("<H", 9 << 5 | 11).ljust(416, b"\0")  # electrospray, negative
    (path / "_FUNCTNS.INF").write_bytes(bytes(416) + record)
    m = read(path)
    assert m["function_1_peaks"].conditions["ion_polarity"].value == "positive"
    assert m["function_2_peaks"].conditions["ion_polarity"].value == "negative"
    assert m["function_2_peaks"].conditions["ionisation"].value == "ESI"


def test_diode_array_and_analogue_traces(tmp_path: Path) -> None:
    path = folder(tmp_path / "a.raw")
    function(path, 1, SCANS, 6)
    function(path, 2, [(0.0, [(200, 5), (201, -6)]), (0.1, [(200, 7), (201, 8)])], 6)
    functions_inf(path, (0, [], []), (12, [], []))
    names = [b"ACQUITY TUV ChA 254nm@1,a,b,c,d,AU", b"(1)System Pressure,a,b,c,d,psi", b"$CC$Flow"]
    (path / "_CHROMS.INF").write_bytes(bytes(0x84) + b"".join(name.ljust(0x55, b"\0") for name in names))
    for i in (1, 2):
        points = struct.pack("<6f", 0, 10 * i, 0.5, 20 * i, 1, 30 * i)
        (path / f"_CHRO{i:03}.DAT").write_bytes(bytes(0x80) + points)
    (path / "_CHRO003.DAT").write_bytes(bytes(0x80))
    m = read(path)
    optical = m["function_2_spectra"]
    assert optical.signal.values.tolist() == [[5, -6], [7, 8]]
    assert optical["wavelength"].values.tolist() == [200, 201]
    ultraviolet = m["acquity_tuv_cha_254nm_1"]
    assert ultraviolet.signal.values.tolist() == [10, 20, 30]
    assert (ultraviolet.default, ultraviolet.signal.unit) == ("absorbance", "")
    assert ultraviolet.conditions["detection_wavelength"].value == 254
    assert (m["system_pressure"].default, m["system_pressure"].signal.unit) == ("pressure", "psi")
    assert len(m.entries) == 5


def test_archive(tmp_path: Path) -> None:
    path = folder(tmp_path / "a.raw")
    function(path, 1, SCANS, 6)
    functions_inf(path, (0, [], []))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as z:
        for file in path.iterdir():
            z.write(file, f"a.raw/{file.name}")
    assert read(tmp_path / "a.zip").entries == read(path).entries


def test_other_letters_and_no_description(tmp_path: Path) -> None:
    """As Perkin-Elmer's TurboMass writes it: no _FUNCTNS.INF, names in other letters."""
    path = folder(tmp_path / "a.raw", "EI+")
    function(path, 1, SCANS, 6)
    for file in list(path.iterdir()):
        file.rename(path / file.name.lower())
    m = read(path)
    assert m.technique == "gc_ms"
    assert m["peaks"]["scan"].values.size == 3


def test_errors_say_what_is_wrong(tmp_path: Path) -> None:
    path = folder(tmp_path / "a.raw")
    function(path, 1, SCANS, 6)
    functions_inf(path, (0, [], []))
    data = (path / "_FUNC001.DAT").read_bytes()
    (path / "_FUNC001.DAT").write_bytes(data[:-3])
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(path))
    (path / "_FUNC001.DAT").write_bytes(data)
    (path / "_FUNC001.IDX").unlink()
    with pytest.raises(ReadError, match=r"_FUNC001\.IDX is missing"):
        READER.read(RawInput(path))


def test_damage(tmp_path: Path) -> None:
    path = folder(tmp_path / "a.raw", calibration="$$ Cal Function 1: 0.5,1.001,0.0,T1\n")
    function(path, 1, SCANS * 5, 6)
    function(path, 2, SCANS * 5, 8)
    functions_inf(path, (0, [], []), (0, [], []))
    (path / "_CHROMS.INF").write_bytes(bytes(0x84) + b"Flow,a,b,c,d,ml/min".ljust(0x55, b"\0"))
    (path / "_CHRO001.DAT").write_bytes(bytes(0x80) + struct.pack("<6f", 0, 1, 2, 3, 4, 5))
    reader = replace(READER, read=lambda src: READER.read(RawInput(path)))
    for file in sorted(path.iterdir()):
        data = file.read_bytes()
        cut(reader, data, file)
        damage(reader, data, file, turns=40)
        file.write_bytes(data)


def test_others_are_not_claimed(instruments: Path, tmp_path: Path) -> None:
    for other in (tmp_path, instruments / "agilent-d/orange.D", instruments / "bruker-nmr-zip/72.zip"):
        assert READER.sniff(RawInput(other)) == NO
