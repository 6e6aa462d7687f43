"""EZChrom: what a chromatographer would lose if channels, scales or times were misread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import ezchrom_asc, ezchrom_dat
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
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
        from zairyo.readers._compound import Compound

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


def test_others_are_not_claimed(instruments: Path) -> None:
    for name in ("agilent-asp/2024-10-10_FeSO4_ref.asp", "tga-ms-asc", "ezchrom-asc/230324.dat.asc"):
        assert ezchrom_dat.READER.sniff(RawInput(instruments / name)) == NO
    assert ezchrom_asc.READER.sniff(RawInput(instruments / "ezchrom-dat/230324.dat")) == NO
