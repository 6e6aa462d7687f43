"""Curves of testing machines: a user would plot newtons as kilonewtons, or lose a specimen beside another.

No file of these makers may be shipped; the files here are written as their manuals and published data show them.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants, registry
from zairyo.readers._api import NO, RawInput, ReadError
from zairyo.readers._text_export import texts
from zairyo.readers.instron_csv import READER as INSTRON
from zairyo.readers.mts_793 import READER as MTS
from zairyo.readers.shimadzu_trapezium import READER as SHIMADZU
from zairyo.readers.testing_machine_txt import READER as ANY
from zairyo.readers.zwick_tra import READER as ZWICK

BLUEHILL = """"Test method","C:\\Methods\\tension.im_tens"
"Specimen label","Al 6061 - 3"
"Operator name : M. Sato"
"Thickness","2.00","mm"
"Width (mm)","12.5"

Results Table 1
,"Maximum Load","Modulus"
,"(N)","(MPa)"
"1","1,234.5","70123"

"Time","Extension","Load","Tensile strain (Extension)","Tensile stress"
"(s)","(mm)","(N)","(%)","(MPa)"
"0.000","0.0000","-0.1","0.00","0.00"
"0.100","0.0100","999.9","0.02","20.5"
"0.200","0.0200","1,234.5","0.04","49.4"
"""
BLUEHILL_TWO = """Time,Displacement,Force
(s),(mm),(kN)
0,0,0
1,0.5,1.5

Time,Displacement,Force
(s),(mm),(kN)
0,0,0
1,0.25,1.25
2,0.5,2.5
"""
TESTXPERT = (
    '"Prüfinstitut"\t"institute_1"\n'
    '"Datum/Uhrzeit"\t44335,4\t"d"\n'
    '"Prüfnorm"\t"ISO 6892-1"\n'
    '"Werkstoff"\t"DX56D"\n'
    '"Prüfer"\t"abc"\n'
    '"Probenkennung 2"\t"WR00_43"\n'
    '"Messlänge Standardweg"\t80\t"mm"\n'
    '"Probendicke"\t1,55\t"mm"\n'
    '"Probenbreite"\t20,04\t"mm"\n'
    '"Prüfgeschwindigkeit"\t0,1\t"mm/s"\n'
    '"Vorkraft"\t2\t"MPa"\n'
    '"Temperatur"\t22\t"°C"\n'
    '"Bemerkung"\t""\n'
    '"Prüfzeit"\t"Standardkraft"\t"Traversenweg absolut"\t"Standardweg"\t"Breitenänderung"\t"Dehnung"\n'
    '"s"\t"N"\t"mm"\t"mm"\t"mm"\t"%"\n'
    "0,00\t0,5\t120,00\t0,000\t0,000\t0,000\n"
    "0,10\t620,25\t120,01\t0,010\t-0,001\t0,0125\n"
)
TRA = "Prüfzeit;Kraft;Weg\ns;N;mm\n0,01;0,5;0,001\n0,02;1.000,5;0,002\n"
TRAPEZIUM = """試験ファイル名,引張.xtas,メソッドファイル名,JIS.xmas
試験日,2024/05/06,試験モード,単試験,試験種類,引張
試験速度,5 mm/min

"1 _ 1","","","1 _ 2","",""
"時間","試験力","ストローク","時間","試験力","ストローク"
"秒","N","mm","sec","N","mm"
0,0.1,0,0,0.2,0
0.5,10.1,0.5,0.5,20.2,0.5
1.0,11.1,1.0,,,
"""


def read(reader, path: Path) -> Measurement:  # type: ignore[no-untyped-def]
    assert registry.find(RawInput(path)) is not None
    assert registry.find(RawInput(path)).name == reader.name
    return invariants.check(reader.read(RawInput(path)), reader)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_bluehill_with_parameters_and_results(tmp_path: Path) -> None:
    m = read(INSTRON, written(tmp_path / "tension.csv", BLUEHILL, "cp1252"))
    (entry,) = m.entries
    assert (entry.technique, entry.x, entry.default) == ("tensile", "strain", "stress")
    assert entry["force"].values.tolist() == [-0.1, 999.9, 1234.5]
    assert entry["displacement"].values.tolist() == [0, 0.01, 0.02]
    assert {s.name: s.unit for s in entry.signals} == {
        "time": "s", "displacement": "mm", "force": "N", "strain": "percent", "stress": "MPa"}  # fmt: skip
    assert (m.sample, m.operator, m.instrument) == ("Al 6061 - 3", "M. Sato", "Instron")
    assert str(entry.conditions["sample_thickness"]) == "2 mm"
    assert str(entry.conditions["sample_width"]) == "12.5 mm"
    assert ["1", "1,234.5", "70123"] in m.original_metadata["header"][
        "other lines"
    ] or "1" in m.original_metadata["header"]
    assert not m.warnings


def test_bluehill_with_two_specimens(tmp_path: Path) -> None:
    m = read(INSTRON, written(tmp_path / "x.is_comp_RawData.csv", BLUEHILL_TWO))
    assert [e.name for e in m.entries] == ["test_1", "test_2"]
    assert m["test_2"]["force"].values.tolist() == [0, 1.25, 2.5]
    assert m["test_2"]["force"].unit == "kN"
    assert (m["test_1"].technique, m["test_1"].x) == ("mechanical_test", "displacement")


def test_bluehill_results_alone_are_no_curve(tmp_path: Path) -> None:
    text = BLUEHILL[: BLUEHILL.index('"Time"')]
    with pytest.raises(ReadError, match="raw data"):
        INSTRON.read(RawInput(written(tmp_path / "a.csv", text)))


def test_bluehill_universal_numbers_its_specimens(tmp_path: Path) -> None:
    """The number stands before the headings: the second specimen would be taken for rows of the first, and lost."""
    text = (
        "Results Table 1,,\n,Maximum Force,Rate 1\n,(N),(mm/min)\n1,25.6,50\n2,0.3,50\n,,\nResults Table 2,,\n,,\n"
        "1,Time,Displacement,Force\n,(s),(mm),(N)\n,0,0.0029,-0.7041\n,0.02,0.0032,25.6634\n"
        "2,Time,Displacement,Force\n,(s),(mm),(N)\n,0,0.0066,-0.6931\n,0.02,0.0069,0.3282\n,0.04,0.007,0.3\n"
    )
    m = read(INSTRON, written(tmp_path / "a.csv", text))
    assert [(e.title, e["force"].values.tolist()) for e in m.entries] == [
        ("Specimen 1", [-0.7041, 25.6634]),
        ("Specimen 2", [-0.6931, 0.3282, 0.3]),
    ]
    assert [s.name for s in m[1].signals] == ["time", "displacement", "force"]
    assert m.warnings == ()


def test_testxpert_with_its_header(tmp_path: Path) -> None:
    m = read(ZWICK, written(tmp_path / "a.TXT", TESTXPERT, "cp1252"))
    (entry,) = m.entries
    assert entry["force"].values.tolist() == [0.5, 620.25]
    assert entry["transverse_extension"].values.tolist() == [0, -0.001]
    assert entry["position"].values.tolist() == [120, 120.01]
    assert (entry.x, entry.default) == ("displacement", "force") or entry.x == "strain"
    conditions = {k: str(v) for k, v in entry.conditions.items()}
    assert conditions["sample_thickness"] == "1.55 mm"
    assert conditions["gauge_length"] == "80 mm"
    assert conditions["test_speed"] == "0.1 mm/s"
    assert conditions["temperature"] == "22 degC"
    assert conditions["standard"] == "ISO 6892-1"
    assert (m.sample, m.operator) == ("WR00_43", "abc")
    assert m.started == datetime(2021, 5, 19)  # a tenth of a day is no time of day
    assert any("only its day is known" in w for w in m.warnings)
    exact = TESTXPERT.replace("44335,4\t", "44335,40278\t")
    assert read(ZWICK, written(tmp_path / "b.TXT", exact, "cp1252")).started == datetime(2021, 5, 19, 9, 40)


TRA_FRENCH = (
    '"Épaisseur éprouvette",1,"mm"\n"Largeur éprouvette",5.96,"mm"\n"Section",5.96,"mm²"\n'
    '"L0 - course standard",25,"mm"\n"Capteur de force",""\n"Date/heure",43173.4,""\n"Opérateur","jd"\n'
    '"v2",1,"mm/min"\n"Temps","Traverse absolue","Force standard","Course standard"\n"s","mm","N","mm"\n'
    "5.4937,-794.864,146.366,0\n5.7737,-794.865,147.815,-0.00015\n"
)
TRA_ENGLISH = (
    '"Specimen thickness",1.5,"mm"\n"Cross-section",7.335,"mm²"\n"Gage length, standard travel",30,"mm"\n'
    '"Date/Clock time",44182.5,""\n"v2",1,"mm/min"\n"Time","Crosshead absolute","Standard travel","Standard force"\n'
    '"s","mm","mm","N"\n2.63805,1190.55,0,103.053\n2.64805,1190.56,0.00016852,106.046\n'
)


@pytest.mark.parametrize(("text", "gauge"), [(TRA_FRENCH, "25 mm"), (TRA_ENGLISH, "30 mm")])
def test_a_crosshead_that_moves_is_no_travel_of_the_specimen(tmp_path: Path, text: str, gauge: str) -> None:
    m = read(ZWICK, written(tmp_path / "a.TRA", text, "cp1252"))
    entry = m["test"]
    assert (entry.x, entry.default, entry.title) == ("displacement", "force", "")
    assert abs(entry["displacement"].values).max() < 1e-3 < 700 < abs(entry["position"].values).min()
    assert (str(entry.conditions["gauge_length"]), str(entry.conditions["cross_section"])[-5:]) == (
        gauge,
        "mm**2",
    )
    assert m.started is not None
    assert m.started.hour == 0
    assert m.operator == ("jd" if text is TRA_FRENCH else "")


def test_waves_are_counted_and_no_unit(tmp_path: Path) -> None:
    text = (
        "Total Time (s),Cycle Elapsed Time (s),Total Cycles,Step,Total Cycle Count(Linear Waveform),"
        "Position (mm),Force (kN),Rotation (deg)\n0,0,1,1,0,0.17,-0.0185,-33.1\n0.203,0.002,2,1,1,-0.03,-0.0097,-33.2\n"
    )
    entry = read(INSTRON, written(tmp_path / "a.steps.tracking.csv", text))["test"]
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("time", "s"), ("time_2", "s"), ("cycle", None), ("step", None), ("cycle_2", None), ("position", "mm"),
        ("force", "kN"), ("angle", "deg"),
    ]  # fmt: skip
    assert entry["cycle_2"].long_name == "Total Cycle Count(Linear Waveform)"


def test_specimens_side_by_side_in_french(tmp_path: Path) -> None:
    text = (
        'Cu,,,,Fe,,,\n"Temps","Force","Stroke","Ext.1","Temps","Force","Stroke","Ext.1"\n'
        '"sec","N","mm","mm","sec","N","mm","mm"\n0,143,0.1,0.01,0,237,0.2,0.02\n0.1,144,0.2,0.02,0.1,238,0.3,0.03\n'
    )
    m = read(SHIMADZU, written(tmp_path / "a.csv", text))
    assert [(e.title, e.x, e["extension"].values.tolist()) for e in m.entries] == [
        ("Cu", "extension", [0.01, 0.02]),
        ("Fe", "extension", [0.02, 0.03]),
    ]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
def test_tra_between_semicolons(tmp_path: Path, encoding: str) -> None:
    m = read(ZWICK, written(tmp_path / "a.TRA", TRA, encoding))
    assert m[0]["force"].values.tolist() == [0.5, 1000.5]
    assert m[0]["displacement"].values.tolist() == [0.001, 0.002]
    assert m[0]["time"].unit == "s"


@pytest.mark.parametrize("encoding", ["cp932", "utf-8-sig", "utf-16"])
def test_trapezium_in_japanese_with_specimens_side_by_side(tmp_path: Path, encoding: str) -> None:
    m = read(SHIMADZU, written(tmp_path / "引張.csv", TRAPEZIUM, encoding))
    assert [e.title for e in m.entries] == ["1 _ 1", "1 _ 2"]
    assert m["test_1"]["force"].values.tolist() == [0.1, 10.1, 11.1]
    assert m["test_2"]["force"].values.tolist() == [0.2, 20.2], (
        "blank cells below a shorter curve are no readings"
    )
    assert m["test_2"]["time"].unit == "s"
    assert m["test_1"].technique == "tensile"
    assert str(m["test_1"].conditions["test_speed"]) == "5 mm/min"
    assert m.started == datetime(2024, 5, 6)
    assert m.original_metadata["header"]["メソッドファイル名"] == "JIS.xmas"


def test_trapezium_in_english(tmp_path: Path) -> None:
    text = '"1 _ 1","",""\n"Time","Force","Stroke"\n"sec","N","mm"\n0,0,0\n0.1,2,0.1\n'
    m = read(SHIMADZU, written(tmp_path / "a.csv", text))
    assert m[0]["force"].values.tolist() == [0, 2]
    assert (m[0].x, m[0].default) == ("displacement", "force")


@pytest.mark.parametrize(("reader", "text"), [(INSTRON, BLUEHILL), (ZWICK, TESTXPERT), (SHIMADZU, TRAPEZIUM)])
def test_damage_is_an_error_or_a_measurement(tmp_path: Path, reader, text: str) -> None:  # type: ignore[no-untyped-def]
    whole, target = text.encode("cp932" if reader is SHIMADZU else "cp1252"), tmp_path / "a.csv"
    random = np.random.default_rng(31)
    for end in range(0, len(whole), 20):
        target.write_bytes(whole[:end])
        with suppress(ReadError):
            assert isinstance(invariants.check(reader.read(RawInput(target)), reader), Measurement)
    for turn in range(60):
        bad = bytearray(whole)
        for at in random.integers(0, len(bad), 6):
            bad[at] = random.integers(256)
        if turn % 10 == 9:
            bad[200:] = random.bytes(len(bad) - 200)
        target.write_bytes(bytes(bad))
        with suppress(ReadError):
            assert isinstance(invariants.check(reader.read(RawInput(target)), reader), Measurement)


ROWS = {".": "\n0.0;1.5;2.5\n0.1;1.75;2.75\n", ",": "\n0,0;1,5;2,5\n0,1;1,75;2,75\n"}


@pytest.mark.parametrize(
    ("reader", "text", "x"),
    [
        (INSTRON, '"Zeit";"Weg";"Kraft"\n"(s)";"(mm)";"(kN)"' + ROWS[","], "displacement"),
        (INSTRON, '"Temps";"Déplacement";"Force"\n"(s)";"(mm)";"(kN)"' + ROWS[","], "displacement"),
        (INSTRON, "Raw Data\nTime (s);Displacement (mm);Force (kN)" + ROWS["."], "displacement"),
        (ZWICK, "Prüfzeit;Dehnung;Kraft\ns;mm/mm;kN" + ROWS[","], "strain"),
        (ZWICK, "Tempo;Deformazione;Forza standard\ns;%;kN" + ROWS[","], "strain"),
        (ZWICK, "Zeit;Standardweg;Kraft\ns;mm;kN" + ROWS[","], "displacement"),
        (ANY, '"Time (s)";"Stroke [mm]";"Load (kN)"' + ROWS["."], "displacement"),
        (
            MTS,
            "MTS793|MPT|ENU|1|2|.|/|:|1|0|0|A\n\nData Header:\tTime:\t0.1\tSec\n"
            + ("Time;Axial Displacement;Axial Force\nSec;mm;kN" + ROWS["."]).replace(";", "\t"),
            "displacement",
        ),
        (
            SHIMADZU,
            '"C35",,\n"Temps","Stroke","Force"\n"sec","mm","kN"' + ROWS["."].replace(";", ","),
            "displacement",
        ),
        (ANY, "C_1_Temps[s];C_1_Déplacement[mm];C_1_Force[kN]" + ROWS["."], "displacement"),
        (ANY, "C_1_Temps[s];C_1_Déform1[mm];C_1_Force[kN]" + ROWS["."], "extension"),
        (ANY, "Elapsed Time;Disp;Load\nSec;mm;kN" + ROWS["."], "displacement"),
        (ANY, ("Time ;Crosshead ;Load \nsec;mm;kN" + ROWS["."]).replace(";", "\t"), "displacement"),
    ],
)
def test_other_languages_and_makers(tmp_path: Path, reader, text: str, x: str) -> None:  # type: ignore[no-untyped-def]
    """As a plain table these would have no technique, and their headings no names in common."""
    m = read(reader, written(tmp_path / "a.txt", text))
    entry = m[0]
    assert (entry.x, entry.default) == (x, "force")
    assert entry["time"].values.tolist() == [0.0, 0.1]
    assert entry[x].values.tolist() == [1.5, 1.75]
    assert (entry["force"].unit, entry["force"].values.tolist()) == ("kN", [2.5, 2.75])
    if text.startswith("MTS"):
        assert m.instrument == "MTS"


MTS_GERMAN = (
    "MTS793|MPT|DEU|1|2|,|.|:|49|1|1|A\n\nBediener Information\t\t\t\t\t\tZeit:\t15,2\ts\t11.09.2014 13:37:55\n"
    "Prüfer : \tKh\nProbenbezeichnung :  \tM V-5\nDurchmesser :\t98,7\nLänge :\t300,2\nBediener Information Ende\n\n"
    "Datenerfassung\t\t\t\t\t\tZeit:\t345,6\ts\t11.09.2014 13:43:25\n"
    "Datum\tLaufzeit\tCh 1 Kraft Sollwert\tCh 1 Kraft\tCh 1 Weg\t1944 B\t2157\nd\ts\tkN\tkN\tmm\tmm\tmm\n"
    "41893\t15,5\t-0,026\t0,0708\t5,0005\t0,973\t0,235\n41893\t16,0\t-0,134\t0,0716\t4,997\t0,974\t0,236\n"
)


def test_what_an_mts_was_asked_for_is_not_what_it_did(tmp_path: Path) -> None:
    """The set value stands before the force; headings may be the numbers of transducers, units days."""
    m = read(MTS, written(tmp_path / "specimen.dat", MTS_GERMAN))
    entry = m[0]
    assert entry["force"].values.tolist() == [0.0708, 0.0716]
    assert entry["ch_1_kraft_sollwert"].values.tolist() == [-0.026, -0.134]
    assert (entry.x, entry.default, entry["time"].long_name) == ("displacement", "force", "Laufzeit")
    assert [s.long_name for s in entry.signals][-2:] == ["1944 B", "2157"]
    assert (m.sample, m.operator, str(entry.conditions["sample_length"])) == ("M V-5", "Kh", "300.2")
    assert entry.started == datetime(2014, 9, 11, 13, 37, 40), (
        "when its clock was zero, not when the block ended"
    )
    assert m.original_metadata["file"] == "MTS793|MPT|DEU|1|2|,|.|:|49|1|1|A"


@pytest.mark.parametrize(
    ("stamp", "started"),
    [("3/29/2016 1:54:32 PM", datetime(2016, 3, 29, 13, 54, 22)), ("3/4/2016 1:54:32 PM", None)],
)
def test_blocks_of_an_mts_share_one_clock(tmp_path: Path, stamp: str, started: datetime | None) -> None:
    block = (
        f"Data Acquisition\t\t\tTime:\t10.0\tSec\t{stamp}\n"
        "Channel 1 Displacement\tChannel 1 Force\tTime\tAxial Segments\n"
        "mm\tN\tSec\tsegments\n-0.1\t32.5\t0.1\t1\n-0.2\t31.1\t0.2\t1\n\n"
    )
    m = read(MTS, written(tmp_path / "a.dat", "MTS793|MPT|ENU|1|2|.|/|:|1|0|0|A\n\n" + 2 * block))
    assert [(e.name, e.started, e["force"].unit) for e in m.entries] == [
        ("test_1", started, "N"),
        ("test_2", started, "N"),
    ]
    assert any("day or the month" in w for w in m.warnings) == (started is None)


def test_an_mts_with_blanks_between_its_columns_is_refused_by_name(tmp_path: Path) -> None:
    text = "MTS793|BTW|ENU|1|0|.|/|:|1|0|0|A\n\nTime      Axial Force Axial Displacement\n"
    text += "s         N         mm\n0.1       1.5       0.01\n"
    with pytest.raises(ReadError, match="with tabs"):
        read(MTS, written(tmp_path / "a.dat", text))


def test_extremes_of_cycles_are_told_apart(tmp_path: Path) -> None:
    text = (
        '"Total Cycles","Elapsed Cycles","Step","PC:Cycle Start Time (s)","Position:Maximum (mm)",'
        '"Position:Minimum (mm)","Force:Maximum (kN)","Force:Minimum (kN)",\n'
        "1,1,1,0,24.8,-15.6,-0.008,-0.015\n2,2,1,4.001,24.7,-15.5,-0.009,-0.016\n"
    )
    entry = read(INSTRON, written(tmp_path / "a.steps.trends.csv", text))["test"]
    assert [s.name for s in entry.signals][-4:] == [
        "position_maximum", "position_minimum", "force_maximum", "force_minimum",
    ]  # fmt: skip
    assert (entry.x, entry.default) == ("cycle", "force_maximum")


def test_a_unit_tells_a_strain_from_an_extension(tmp_path: Path) -> None:
    """Extensometers of a TRAPEZIUM are called as their user likes, and give a strain and a length."""
    text = (
        '"1 _ 1","","","","",""\n"Time","Force","Stroke","Ext.1(Strain)","Ext.1","axial"\n'
        '"sec","N","mm","%","mm","mm"\n'
        "0,1,0,0,0,0\n0.1,2,0.1,0.2,0.05,0.05\n"
    )
    entry = read(SHIMADZU, written(tmp_path / "a.csv", text))["test"]
    assert [s.name for s in entry.signals] == [
        "time",
        "force",
        "displacement",
        "strain",
        "extension",
        "axial",
    ]
    assert (entry["strain"].unit, entry["extension"].unit) == ("percent", "mm")
    german = read(
        ZWICK, written(tmp_path / "b.TRA", "Prüfzeit;Standardkraft;Dehnung\ns;N;mm\n0;1;0\n0,1;2;0,1\n")
    )
    assert [s.name for s in german[0].signals] == ["time", "force", "extension"]


def test_other_tables_are_not_taken(tmp_path: Path) -> None:
    texts = (
        "time,voltage\ns,V\n1,2\n2,3\n",
        "Time;Temperature\n(s);(C)\n1;2\n3;4\n",
        "2theta,I\n(deg),(counts)\n1,2\n",
    )
    for text in texts:
        source = RawInput(written(tmp_path / "a.csv", text))
        assert [r.sniff(source) for r in (INSTRON, ZWICK, SHIMADZU, ANY)] == [NO] * 4


def test_one_long_text_does_not_fill_the_memory() -> None:
    cells = ["ok"] * 100_000
    cells[7] = "x" * 3_000_000  # as an array of equal lengths: a terabyte
    found = texts(cells)
    assert found.nbytes < 2**29
    assert found[0] == "ok"
