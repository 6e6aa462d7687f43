"""LabSolutions' text exports: what a chromatographer would lose if sections, scales or marks were misread."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.shimadzu_txt import READER

LC = """[Header]
Application Name\tLabSolutions
Version\t5.87
Data File Name\tC:\\LabSolutions\\Data\\run 7.lcd

[Sample Information]
Operator Name\tSystem Administrator
Sample Name\tcaffeine
Vial#\t12
Injection Volume\t10
Acquired\t2016/07/21 17:00:05

[Configuration]
Instrument Name\tLC-2030
Detector Name\tDetector A\tPDA

[Peak Table(Detector A-Ch1)]
# of Peaks\t2
Peak#\tR.Time\tI.Time\tF.Time\tArea\tHeight\tA/H\tConc.\tName
1\t0.010\t0.005\t0.015\t1200\t300\t4.0\t0.5\tcaffeine
2\t0.020\t0.015\t0.025\t800\t200\t4.0\t-----\t

[LC Chromatogram(Detector A-Ch1)]
Interval(msec)\t500
# of Points\t4
Start Time(min)\t0.000
End Time(min)\t0.025
Wavelength(nm)\t254
Intensity Units\tmV
Intensity Multiplier\t0.001
R.Time (min)\tIntensity
0.00000\t0
0.00833\t1500
0.01667\t-20
0.02500\t7

[PDA 3D]
Interval(msec)\t640
Start Wavelength(nm)\t190
End Wavelength(nm)\t194
Wavelength Axis Points\t3
Time Axis Points\t2
Intensity Units\tmAU
Intensity Multiplier\t0.001
\t19000\t19200\t19400
0.00000\t10\t20\t30
0.01067\t40\t50\t60
"""


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def expect_lc(m: Measurement) -> None:
    trace = m["detector_a_ch1"]
    assert trace.signal.values.tolist() == pytest.approx([0, 1.5, -0.02, 0.007])
    assert trace["time"].values.tolist() == pytest.approx([0, 0.00833, 0.01667, 0.025])
    assert (trace.signal.unit, trace.technique) == ("mV", "lc")
    assert trace.conditions["detection_wavelength"].value == 254
    spectra = m["spectra"]
    assert spectra["wavelength"].values.tolist() == [190, 192, 194]
    assert spectra.signal.values[1].tolist() == pytest.approx([0.04, 0.05, 0.06])


def test_sections(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(LC)
    m = read(path)
    expect_lc(m)
    assert m["peaks"]["peak_area"].values.tolist() == [1200, 800]
    assert m["peaks"]["compound"].values.tolist() == ["caffeine", ""]
    assert (m.sample, m.operator, m.instrument) == ("caffeine", "System Administrator", "Shimadzu LC-2030")
    assert str(m.started) == "2016-07-21 17:00:05"
    told = {k: str(q) for k, q in m[0].conditions.items()}
    assert (told["vial"], told["injection_volume"]) == ("12", "10 ul")


@pytest.mark.parametrize("mark", [",", ";"])
def test_other_separators_and_decimal_commas(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a.txt"
    text = LC.replace(".", ",").replace("run 7,lcd", "run 7.lcd").replace("#,", "#.") if mark == ";" else LC
    path.write_text(text.replace("\t", mark))
    expect_lc(read(path))


JAPANESE = {
    "Sample Name": "試料名", "Operator Name": "分析者", "Intensity Units": "強度単位",
    "Intensity Multiplier": "強度倍率",
    "# of Points": "データ点数", "Wavelength(nm)\t254": "波長(nm)\t254",
    "R.Time (min)\tIntensity": "保持時間(min)\t強度",
    "caffeine": "カフェイン", "Start Wavelength(nm)": "開始波長(nm)",
}  # fmt: skip


def test_japanese_export(tmp_path: Path) -> None:
    text = LC
    for english, japanese in JAPANESE.items():
        text = text.replace(english, japanese)
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="cp932")
    m = read(path)
    expect_lc(m)
    assert m.sample == "カフェイン"


def test_gas_chromatogram(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(
        "[Header]\nApplication Name\tGCsolution\nData File Name\tC:\\GC\\a.gcd\n[Chromatogram (Ch1)]\n"
        "Interval(msec)\t40\n# of Points\t2\nIntensity Units\tuV\nR.Time (min)\tIntensity\n0.0\t5\n0.1\t6\n"
    )
    (entry,) = read(path).entries
    assert (entry.technique, entry.signal.unit, entry.signal.values.tolist()) == ("gc", "uV", [5, 6])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("# of Points\t4", "# of Points\t5", "announces 5 points"),
        ("1500\n", "15x00\n", "no number"),
        ("Multiplier\t0.001\nR", "Multiplier\tx\nR", "factor"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(LC.replace(old, new, 1))
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(path))


def test_damage(tmp_path: Path) -> None:
    cut(READER, LC.encode(), tmp_path / "a.txt")
    damage(READER, LC.encode(), tmp_path / "a.txt", turns=200)


def test_others_are_not_claimed(instruments: Path) -> None:
    for path in (instruments / "specs-xy").iterdir():
        assert READER.sniff(RawInput(path)) == NO


@pytest.mark.parametrize(
    ("written", "acquired", "started"),
    [
        ("21/08/2024", "02/08/2023 17:08:21", "2023-08-02 17:08:21"),  # was read as 8 February
        ("8/21/2024", "2/8/2023 5:08:21 PM", "2023-02-08 17:08:21"),
        ("1/2/2024", "2/8/2023 5:08:21 PM", "None"),
    ],
)
def test_another_date_of_the_file_tells_day_from_month(
    tmp_path: Path, written: str, acquired: str, started: str
) -> None:
    text = LC.replace("run 7.lcd", f"run 7.lcd\nOutput Date\t{written}").replace(
        "2016/07/21 17:00:05", acquired
    )
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="utf-8")
    m = READER.read(RawInput(path))
    assert str(m.started) == started
    assert any("day or the month" in w for w in m.warnings) == (started == "None")
