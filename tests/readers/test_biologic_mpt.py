"""EC-Lab's text exports: a user would read decimal commas as thousands, or lose a locale's files altogether."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.biologic_mpt import READER

# Technique, records, and of each column: last, sum. yadg 7.0.1 agrees (told each file's locale); galvani 0.5.0 reads
# bcd.issue_241.mpt alone and agrees.
GOLDEN = {
    "bcd.issue_241.mpt": (
        "battery_cycling",
        2550,
        datetime(2024, 11, 19, 15, 14, 45, 925000),
        {
            "time": (799578.1021393016, 1948763060.5846872),
            "voltage": (0.99994922, 418.32144999840006),
            "current": (0.56978446, 14.396122590000004),
        },
    ),
    "ca.mpt": (
        "chronoamperometry",
        721,
        datetime(2019, 4, 29, 15, 43, 7),
        {
            "time": (152074.2269261391, 94071956.06018387),
            "voltage": (0.29859304, 215.13960399),
            "current": (2.765074e-06, 0.022270226375100007),
        },
    ),
    "cov.issue_185.mpt": (
        "chronoamperometry",
        23,
        datetime(2024, 10, 9, 13, 36, 20, 501000),
        {
            "time": (69.99979823165631, 564.9973857269651),
            "voltage": (2.0000916, 24.0021685991269),
            "current": (0.3948515848493557, 4.735226947640025),
        },
    ),
    "cp.issue_149.mpt": (
        "chronopotentiometry",
        44,
        datetime(2024, 1, 10, 11, 2, 29, 886000),
        {
            "time": (619.8849973901961, 13905.531336468004),
            "voltage": (3.444937, 151.2192972),
            "current": (0.020008853, 0.8803772799999998),
        },
    ),
    "cp.issue_61.mpt": (
        "chronopotentiometry",
        312,
        datetime(2023, 11, 8, 16, 6, 15, 633000),
        {
            "time": (1856.332607405857, 532967.3334779508),
            "voltage": (2.2000198, 596.6196154),
            "current": (4500.4067, 598014.72692),
        },
    ),
    "cv.issue_149.mpt": (
        "cyclic_voltammetry",
        5930,
        datetime(2023, 9, 27, 14, 40, 31, 706000),
        {
            "time": (122.4079970793537, 370895.11534822534),
            "voltage": (0.00079925772, -17.08904897133999),
            "current": (0.0001916988549055532, -3.8689351089560517),
        },
    ),
    "cv.mpt": (
        "cyclic_voltammetry",
        5103,
        datetime(2018, 1, 10, 17, 1, 24),
        {
            "time": (149651.3870154098, 491752162.10272884),
            "voltage": (3.1632588, 15803.486515199998),
            "current": (0.0006838552079206513, 10112.249077442448),
        },
    ),
    "cva.issue_202.mpt": (
        "cyclic_voltammetry",
        455,
        datetime(2024, 12, 31, 17, 44, 1, 191000),
        {
            "time": (3.516000082017854, 1546.0504386754474),
            "voltage": (-1.8758402, 380.1411329276),
            "current": (2.501073511819982, -120.5642070829002),
        },
    ),
}


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, header: list[str], rows: list[str], encoding: str = "cp1252") -> Path:
    lines = ["EC-Lab ASCII FILE", f"Nb header lines : {len(header) + 2}       ", *header, *rows]
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path


@pytest.mark.parametrize("name", GOLDEN)
def test_real_files_read_as_another_reader_does(instruments: Path, name: str) -> None:
    source = instruments / "biologic-mpt" / name
    assert READER.sniff(RawInput(source)) == CERTAIN
    technique, rows, started, columns = GOLDEN[name]
    measurement = read(source)
    entry = measurement[0]
    assert (entry.technique, entry.started) == (technique, started)
    assert measurement.warnings == ()
    for column, (last, total) in columns.items():
        values = entry[column].values
        assert len(values) == rows
        assert values[-1] == pytest.approx(last, rel=1e-6)
        assert values.sum() == pytest.approx(total, rel=1e-6)


def test_headers_of_real_files(instruments: Path) -> None:
    cell = read(instruments / "biologic-mpt" / "bcd.issue_241.mpt")
    conditions = {k: str(v) for k, v in cell[0].conditions.items()}
    assert (conditions["active_mass"], conditions["nominal_capacity"]) == ("7000 mg", "5.7 mAh")
    assert (conditions["channel"], conditions["instrument_serial"]) == ("B1", "0168")
    assert conditions["test_protocol"] == "COBALIX-NEG-25deg_V2.mps"
    assert cell.instrument == "BioLogic BCS-805"
    assert cell[0]["charge_capacity"].unit == "mAh"
    sequences = read(instruments / "biologic-mpt" / "cp.issue_61.mpt").original_metadata["settings"]
    assert sequences["Is"][:3] == [0.25, 0.5, 0.75]
    assert len(sequences["Is"]) == 12
    assert sequences["EM (V)"][-1] == 2.2
    sweep = read(instruments / "biologic-mpt" / "cv.issue_149.mpt")[0].conditions
    assert str(sweep["scan_rate"]) == "50 mV/s"
    assert str(sweep["electrode_area"]) == "0.196 cm**2"
    loops = read(instruments / "biologic-mpt" / "cp.issue_149.mpt")[0]["loop"].values
    assert np.bincount(loops).tolist() == [11, 11, 11, 11]


def test_impedance_in_a_decimal_comma_locale(tmp_path: Path) -> None:
    header = [
        "",
        "Potentio Electrochemical Impedance Spectroscopy",
        "",
        "Run on channel : 3 (SN 11)",
        "Mass of active material : 1,500 mg",
        "",
        "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\t|Z|/Ohm\tPhase(Z)/deg\ttime/s\t<Ewe>/V\t<I>/mA\tcycle number\t",
    ]
    rows = [
        f"1,0{k}E+004\t2,5E+001\t{k},5E+000\t2,6E+001\t-1,0E+001\t{k},0E+000\t3,7E+000\t1,0E-003\t1"
        for k in range(1, 4)
    ]
    m = read(written(tmp_path / "a.mpt", header, rows))
    entry = m[0]
    assert (entry.technique, entry.x, entry.default) == ("eis", "z_real", "z_imaginary")
    assert entry["z_imaginary"].values.tolist() == [-1.5, -2.5, -3.5]
    assert entry["frequency"].values.tolist() == [10100, 10200, 10300]
    assert entry["voltage"].values.tolist() == [3.7] * 3
    assert str(entry.conditions["active_mass"]) == "1.5 mg"
    assert str(entry.conditions["frequency_maximum"]) == "10300 Hz"


def test_unknown_techniques_and_units_are_kept(tmp_path: Path) -> None:
    header = ["", "Ohmic Drop Something", "", "time/s\tEwe/V\tMagic Thing/blorp\tstate\t"]
    m = read(written(tmp_path / "a.mpt", header, ["0.0\t1.0\t2.0\tXXX", "1.0\t1.5\t2.5\tXXX"]))
    assert m[0].technique == "electrochemistry"
    assert m[0]["magic_thing"].values.tolist() == [2.0, 2.5]
    assert any("blorp" in w for w in m.warnings)


def test_a_japanese_comment_is_read(tmp_path: Path) -> None:
    header = ["", "Open Circuit Voltage", "", "Comments : 正極材料の試験", "", "time/s\tEwe/V"]
    m = read(written(tmp_path / "a.mpt", header, ["0.0\t1.0", "1.0\t1.5"], "cp932"))
    assert m[0].conditions["comment"].value == "正極材料の試験"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp932"])
def test_files_that_were_saved_again_in_another_encoding(
    instruments: Path, tmp_path: Path, encoding: str
) -> None:
    """Notepad's and Excel's "Unicode text" is UTF-16."""
    path = instruments / "biologic-mpt" / "cv.mpt"
    text = path.read_bytes().decode("cp1252").replace("²", "2").replace("³", "3").replace("µ", "μ")
    other = tmp_path / "cv.mpt"
    other.write_bytes(text.encode(encoding))
    assert READER.sniff(RawInput(other)) == CERTAIN
    before, after = read(path)[0], read(other)[0]
    assert [s.name for s in after.signals] == [s.name for s in before.signals]
    np.testing.assert_array_equal(after["current"].values, before["current"].values)


def test_an_export_without_header(tmp_path: Path) -> None:
    path = tmp_path / "bare.txt"
    path.write_text("freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\n1000\t5\t1\n100\t6\t2\n")
    assert READER.sniff(RawInput(path)) == LIKELY
    assert read(path)[0]["z_imaginary"].values.tolist() == [-1, -2]


@pytest.mark.parametrize(
    "headings",
    [
        "Ewe/V\t<I>/mA",
        "Ewe/V vs. SCE\tI/mA/cm²\tcycle number",
        "(Q-Qo)/mA.h\tEwe/V\thalf cycle",
        "time/s\tEcell/V\tQ charge/mA.h/g",
        "-Im(Z)/Ohm\tRe(Z)/Ohm",
    ],
)
def test_chosen_columns_without_header_are_recognised(tmp_path: Path, headings: str) -> None:
    """Exported as text for a plot: without this a voltammogram would be a table of numbers without units."""
    path = tmp_path / "bare.txt"
    cells = headings.count("\t") + 1
    rows = ["\t".join(f"{k}.{c}" for c in range(cells)) for k in range(4)]
    path.write_bytes("\r\n".join([headings, *rows, ""]).encode("latin-1"))
    assert READER.sniff(RawInput(path)) == LIKELY
    entry = read(path)[0]
    assert entry.x != entry.default
    assert {s.unit for s in entry.signals} - {"", None}
    assert np.abs(entry.signals[1].values).tolist() == [0.1, 1.1, 2.1, 3.1]


@pytest.mark.parametrize(
    ("title", "technique"),
    [
        ("Differential Pulse Voltammetry", "electrochemistry"),
        ("Square Wave Voltammetry", "electrochemistry"),
        ("Linear Polarization", "linear_sweep_voltammetry"),
        ("Staircase Voltammetry", "cyclic_voltammetry"),
        ("Staircase Potentio Electrochemical Impedance Spectroscopy", "eis"),
        ("Potentiodynamic Cycling with Galvanostatic Acceleration", "battery_cycling"),
        ("Galvanostatic Cycling with Potential Limitation 4", "battery_cycling"),
    ],
)
def test_techniques_whose_numbers_are_not_known(tmp_path: Path, title: str, technique: str) -> None:
    """A pulse voltammogram filed as a cyclic one would be asked for peaks that it does not have."""
    header = ["", title, "", "time/s\tEwe/V\t<I>/mA"]
    assert read(written(tmp_path / "a.mpt", header, ["0.0\t1.0\t2", "1.0\t1.5\t2"]))[0].technique == technique


def test_absolute_times_are_moments_and_seconds(tmp_path: Path) -> None:
    header = ["", "Cyclic Voltammetry", "", "time/s\tEwe/V\t<I>/mA/cm²\t"]
    rows = [f"05/06/2021 23:59:{58.25 + k:05.2f}0\t{k}.5\t{k}.25\t" for k in range(2)]
    rows.append("05/07/2021 00:00:01.250\t2.5\t2.25\t")
    entry = read(written(tmp_path / "a.mpt", header, rows))[0]
    assert entry.started == datetime(2021, 5, 6, 23, 59, 58, 250000)
    assert entry["time"].values.tolist() == [0, 1, 3]
    assert (entry.x, entry.default) == ("voltage", "current_density")
    assert entry["current_density"].unit == "mA/cm**2"


def test_an_odd_cell_costs_itself(tmp_path: Path) -> None:
    header = ["", "Open Circuit Voltage", "", "time/s\tEwe/V"]
    m = read(written(tmp_path / "a.mpt", header, [f"{k}.0\t{'***' if k == 2 else k}" for k in range(9)]))
    assert np.isnan(m[0]["voltage"].values[2])
    assert m[0]["voltage"].values[3] == 3
    assert any("***" in w for w in m.warnings)


def test_a_row_cut_off_is_refused_with_its_line(instruments: Path, tmp_path: Path) -> None:
    whole = (instruments / "biologic-mpt" / "cv.mpt").read_bytes()
    (tmp_path / "a.mpt").write_bytes(whole[:300_040])
    with pytest.raises(ReadError, match=r"line \d+|last line"):
        read(tmp_path / "a.mpt")
    (tmp_path / "b.mpt").write_bytes(whole[:-3])
    with pytest.raises(ReadError, match="ends within"):
        read(tmp_path / "b.mpt")


def test_files_cut_off_or_damaged_are_refused_or_read(instruments: Path, tmp_path: Path) -> None:
    for name in ("cov.issue_185.mpt", "cp.issue_149.mpt", "cva.issue_202.mpt"):
        whole = (instruments / "biologic-mpt" / name).read_bytes()
        broken_files.cut(READER, whole, tmp_path / "cut.mpt")
        broken_files.damage(READER, whole, tmp_path / "broken.mpt", within=3000)


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    for headings in ("time/s\tTemp./oC", "time/s\tI/A"):
        (tmp_path / "a.txt").write_text(headings + "\n0\t20\n")
        assert READER.sniff(RawInput(tmp_path / "a.txt")) == NO
