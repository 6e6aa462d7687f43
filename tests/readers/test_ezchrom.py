"""EZChrom: what a chromatographer would lose if channels, scales or times were misread."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage
from tests.readers.ole_files import compound_file

from zairyo.measurement import Measurement
from zairyo.readers import ezchrom_asc, ezchrom_dat
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._compound import Compound
from zairyo.readers.invariants import check


def read(path: Path, reader: Reader = ezchrom_asc.READER) -> Measurement:
    assert reader.sniff(RawInput(path)) == CERTAIN
    return check(reader.read(RawInput(path)), reader)


@pytest.mark.parametrize(
    ("name", "points", "sums", "started"),
    [
        ("2023-06-29-007", 6781, (17742.375282528003, 326661.02051648), "2023-06-29 16:07:41"),
        ("2023-06-29-014", 6781, (352120.7359384001, 985115.5097384641), "2023-06-29 17:31:03"),
        ("230324", 18001, (170031.605473184, 1691816.316334976), "2023-03-24 17:01:47"),
    ],
)
def test_real_numbers(
    instruments: Path, name: str, points: int, sums: tuple[float, float], started: str
) -> None:
    """The sums are those of yadg 7.0.1; the same run's binary file differs by its multiplier's further digits."""
    text = read(instruments / f"ezchrom-asc/{name}.dat.asc")
    binary = read(instruments / f"ezchrom-dat/{name}.dat", ezchrom_dat.READER)
    for i, total in enumerate(sums):
        assert text[i].signal.values.shape == (points,)
        assert text[i].signal.values.sum() == pytest.approx(total, rel=1e-12)
        assert binary[i].signal.values == pytest.approx(text[i].signal.values, rel=3e-6)
        assert binary[i]["time"].values == pytest.approx(text[i]["time"].values, rel=1e-9)
        assert binary[i].signal.unit == text[i].signal.unit
        assert str(text[i].started) == str(binary[i].started) == started
    assert text.sample == binary.sample
    assert binary.technique == "gc"
    assert binary[1].title == "Back Signal"


def test_units_of_gas_chromatographs(instruments: Path) -> None:
    m = read(instruments / "ezchrom-asc/2023-06-29-007.dat.asc")
    assert [e.signal.unit for e in m.entries] == ["pA", "25 µV"]
    assert any("25 µV" in w for w in m.warnings)
    assert m[0]["time"].values[-1] == pytest.approx(11.3)  # the method's 11.3 min, to the last point


HEAD = (
    "Version:\t3\nMaxchannels:\t2\nSample ID:\tP 1\nAcquisition Date and Time:\t29.06.2023 16:07:41\n"
    "Sampling Rate:\t2,000000\t1,000000\tHz\nTotal Data Points:\t3\t2\tPts.\nX Axis Title:\tMinutes\tMinutes\n"
    "Y Axis Title:\tmAU\tmAU\nX Axis Multiplier:\t0,016667\t0,016667\nY Axis Multiplier:\t0,5\t0,25\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp932"])
def test_decimal_commas_and_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.asc"
    path.write_text(HEAD.replace("P 1", "試料 1") + "10\n20\n30\n4,5\n8\n", encoding=encoding)
    m = read(path)
    assert m[0].signal.values.tolist() == [5, 10, 15]
    assert m[1].signal.values.tolist() == [1.125, 2]
    assert m[0]["time"].values.tolist() == pytest.approx([0, 0.5 / 60, 1 / 60])
    assert m.sample == "試料 1"
    assert (m.technique, m[0].default) == ("lc", "absorbance")
    assert str(m.started) == "2023-06-29 16:07:41"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "1\n2\n", "announces 5 points"),
        (HEAD + "1\n2\n3\nfour\n5\n", "value 4"),
        (HEAD.replace("\t3\t2\t", "\tx\t2\t") + "1\n2\n3\n4\n5\n", "number of points"),
        (HEAD.replace("2,000000", "0") + "1\n2\n3\n4\n5\n", "Sampling Rate"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.asc").write_text(text)
    with pytest.raises(ReadError, match=said):
        ezchrom_asc.READER.read(RawInput(tmp_path / "a.asc"))


def test_damage(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / "ezchrom-asc/230324.dat.asc").read_bytes()
    assert cut(ezchrom_asc.READER, data, tmp_path / "a.asc", parts=10) == []
    damage(ezchrom_asc.READER, data, tmp_path / "a.asc", turns=30, within=600)
    data = (instruments / "ezchrom-dat/2023-06-29-007.dat").read_bytes()
    survived = cut(ezchrom_dat.READER, data, tmp_path / "a.dat")
    for part in survived:  # streams behind the traces may be missing, but not a point of the traces
        (tmp_path / "a.dat").write_bytes(data[: len(data) * part // 20])
        m = ezchrom_dat.READER.read(RawInput(tmp_path / "a.dat"))
        assert np.sum(m[1].signal.values) == pytest.approx(326661.8738075768)
    damage(ezchrom_dat.READER, data, tmp_path / "a.dat", turns=30, within=2000)
    for name in ("Detector Trace Handler", "Chrom Header"):
        (tmp_path / "a.dat").write_bytes(data)
        at = data.find(Compound(RawInput(tmp_path / "a.dat")).read(name)[:64])
        part = data[at : at + 320]
        for i in range(0, 320, 7):
            (tmp_path / "a.dat").write_bytes(
                data[:at] + part[:i] + b"\xff" + part[i + 1 :] + data[at + 320 :]
            )
            try:
                check(ezchrom_dat.READER.read(RawInput(tmp_path / "a.dat")), ezchrom_dat.READER)
            except ReadError:
                continue


@pytest.fixture
def streams(instruments: Path) -> dict[str, bytes]:
    """What a real run's file holds of two detectors, the first 500 points of each."""
    file = Compound(RawInput(instruments / "ezchrom-dat/2023-06-29-007.dat"))
    names = (("Chrom Header",), ("Detector Trace Handler",), ("3D Data",),
             ("Detector Data", "Detector 0 Trace"), ("Detector Data", "Detector 100 Trace"))  # fmt: skip
    found = {"/".join(name): file.read(*name) for name in names}
    for name in ("Detector Data/Detector 0 Trace", "Detector Data/Detector 100 Trace"):
        found[name] = found[name][:4] + struct.pack("<I", 500) + found[name][8 : 20 + 4 * 500]
    return found


def test_a_detector_without_a_point_costs_the_others_nothing(
    tmp_path: Path, streams: dict[str, bytes]
) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(compound_file({**streams, "Detector Data/Detector 0 Trace": bytes(20)}))
    m = read(path, ezchrom_dat.READER)
    assert [e.title for e in m.entries] == ["Back Signal"]
    assert any("Front Signal" in warning for warning in m.warnings)
    path.write_bytes(compound_file({k: bytes(20) if "Data/" in k else v for k, v in streams.items()}))
    with pytest.raises(ReadError, match="no point"):
        ezchrom_dat.READER.read(RawInput(path))


def test_spectra_that_are_not_read_are_told(tmp_path: Path, streams: dict[str, bytes]) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(compound_file({**streams, "3D Data": bytes(3000)}))
    assert any("diode array" in warning for warning in read(path, ezchrom_dat.READER).warnings)
    path.write_bytes(compound_file(streams))
    assert not any("diode array" in warning for warning in read(path, ezchrom_dat.READER).warnings)


def test_others_are_not_claimed(instruments: Path) -> None:
    for name in ("agilent-asp/2024-10-10_FeSO4_ref.asp", "tga-ms-asc", "ezchrom-asc/230324.dat.asc"):
        assert ezchrom_dat.READER.sniff(RawInput(instruments / name)) == NO
    assert ezchrom_asc.READER.sniff(RawInput(instruments / "ezchrom-dat/230324.dat")) == NO
