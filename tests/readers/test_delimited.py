"""Delimited text: the right numbers under the right names from real exports, and a clear word on what is not."""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zairyo.measurement import Entry, Measurement, Quantity
from zairyo.readers import delimited_text as text
from zairyo.readers import registry
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers.delimited import load_reader
from zairyo.readers.delimited_description import DescriptionError, literal_of, load

# Golden numbers: points, first and last position, sum of the signal; numpy.genfromtxt agrees on each file.
# file, reader, technique, signal, unit, x or axis, points, first, last, sum
GOLDEN = """
xrd-xy/example_bmb.xye aps_11bm_xye xrd intensity None two_theta 575 0.5 1.073103125 169493.3768
xrd-xy/example_evadiffract.xy bruker_eva_xy xrd intensity None two_theta 28 5.0001 5.2743 133.477
xrd-xy/example_mac.xye xrd_xye xrd intensity None two_theta 599 0.0 0.598 33321.789
xrd-xy/example_mythen.dat plain_table unspecified column_2 None column_1 730 2.084 5.0 2285176.404
raman-txt/PST02_iRPlus532_Z050_100_2500msx5.txt bwtek_txt raman intensity counts raman_shift 762 -3.08 2000.18 3485560
raman-txt/PST02_iRPlus785_Z050_100_3200ms.txt bwtek_txt raman intensity counts raman_shift 1743 -42.14 3000.64 3562541
raman-txt/S0B02_iRPlus785_Z020_100_12000ms.txt bwtek_txt raman intensity counts raman_shift 1743 -42.14 3000.64 72903296
raman-txt/S0B02_iRPlus785_Z020_100_full.txt bwtek_txt raman intensity counts raman_shift 2048 -254.65 3257.58 84905254
raman-txt/S0B10_iR532_Probe_100_60000msx2.txt bwtek_txt raman intensity counts raman_shift 1801 145.99 4010.28 9995486
raman-txt/PST10_iR785_OP02_50000msx2.txt plain_table unspecified column_2 None column_1 2132 120.038 3199.35 2322139.69
raman-txt/S0B10_iR785_OP01_6000msx4.txt plain_table unspecified column_2 None column_1 1006 120.387 3199.64 1080524.52
raman-txt/nCAL10_iR785_OP02_20000msx2.txt plain_table unspecified column_2 None column_1 2132 120.038 3199.35 2211942.46
labspec-txt/raman_example.txt renishaw_wire_txt raman intensity counts raman_shift 1011 1879.449219 0.380859 368300.843
dsc-txt/poly1.txt mettler_txt dsc heat_flow mW temperature 6031 -79.8246 24.9939 -1371.633317
tga-txt/poly1.txt mettler_txt tga mass mg temperature 2851 32.1864 505.709 5699.799896
ftir-txt/_FTIRText_020.txt jasco_ir_txt ir transmittance percent wavenumber 27 399.264912 449.414128 2389.287919
ftir-csv/poly2.csv perkinelmer_ir_csv ir transmittance percent wavenumber 3401 4000.0 600.0 332559.21
fluorescence-txt/poly3__1__18-11-10-757.txt oceanoptics_txt uv_vis intensity counts wavelength 1044 347.57 935.261 173181
fluorescence-txt/poly3__3__18-11-12-757.txt oceanoptics_txt uv_vis intensity counts wavelength 1044 347.57 935.261 172281
avantes-uvvis-txt/1908047U1_0000.Raw8.TXT avantes_txt uv_vis intensity counts wavelength 1921 128.909 1160.368 34196395.94
avantes-uvvis-txt/1908047U1_0001.Raw8.txt avantes_txt uv_vis intensity counts wavelength 1921 128.909 1160.368 18779581.55
opus-dpt/peach_juice.dpt bruker_opus_dpt ir intensity None wavenumber 1816 4000.1161 499.53234 1395.44021
neware-csv/neware_uio.csv neware_csv battery_cycling voltage V time 9065 0.0 518538.0 4771.2742
"""  # noqa: E501
REAL = [tuple(line.split()) for line in GOLDEN.split("\n") if line]
EXACT = {"rel": 1e-9}


@pytest.mark.parametrize("row", REAL, ids=[r[0] for r in REAL])
def test_real_files(instruments: Path, row: tuple[str, ...]) -> None:
    file, reader, technique, signal, unit, x, *numbers = row
    points, first, last, total = map(float, numbers)
    m = registry.read(instruments / file)
    assert m.source is not None
    assert (m.source.reader, m.technique, len(m)) == (reader, technique, 1)
    entry = m[0]
    assert (entry.default, str(entry.signal.unit)) == (signal, unit)
    assert x in ([entry.x] if entry.is_table else [a.name for a in entry.axes])
    along = entry[x].values
    assert len(along) == points
    assert (along[0], along[-1]) == (pytest.approx(first, **EXACT), pytest.approx(last, **EXACT))
    assert float(entry.signal.values.sum()) == pytest.approx(total, **EXACT)


def only(m: Measurement) -> Entry:
    (entry,) = m.entries
    return entry


def test_headers_become_conditions_with_units(instruments: Path) -> None:
    m = registry.read(instruments / "xrd-xy/example_bmb.xye")
    assert (m.sample, m.started) == ("eel69B", datetime(2017, 4, 12, 1, 23, 16, 472073))
    c = only(m).conditions
    assert c["wavelength"] == Quantity(0.414581, "angstrom")
    assert c["temperature"] == Quantity(300.03, "K")
    assert c["goniometer_radius"] == Quantity(1000.0, "mm")
    assert m.original_metadata["header"]["Proposal number"] == "51762"  # type: ignore[index, call-overload]
    assert only(m).signal.uncertainty is not None
    assert only(m).signal.uncertainty[0] == 37.744249  # type: ignore[index]


def test_decimal_commas_blank_cells_and_pixels_without_shift(instruments: Path) -> None:
    m = registry.read(instruments / "raman-txt/PST02_iRPlus532_Z050_100_2500msx5.txt")
    entry = only(m)
    assert entry.conditions["laser_wavelength"] == Quantity(532.07, "nm")
    assert entry.conditions["exposure_time"] == Quantity(2500.0, "ms")
    assert (m.instrument, m.started) == ("BTC162E-532S-SYS", datetime(2021, 10, 29, 16, 24, 49))
    assert entry["pixel"].values[0] == 14
    assert entry["raw_intensity"].values[0] == 2232.0
    assert any("1286 rows have no raman_shift" in w for w in m.warnings)


def test_same_spectrum_with_points_or_commas(instruments: Path) -> None:
    comma = only(registry.read(instruments / "raman-txt/S0B02_iRPlus785_Z020_100_12000ms.txt"))
    point = only(registry.read(instruments / "raman-txt/S0B02_iRPlus785_Z020_100_full.txt"))
    shift = point["raman_shift"].values
    inside = np.isin(shift, comma["raman_shift"].values)
    np.testing.assert_array_equal(point["raw_intensity"].values[inside], comma["raw_intensity"].values)


def test_footer_names_sample_and_time(instruments: Path) -> None:
    m = registry.read(instruments / "dsc-txt/poly1.txt")
    assert (m.sample, m.started) == ("LUB443", datetime(2025, 12, 12, 14, 2, 50))
    assert only(m)["temperature"].unit == "degC"  # Latin-1 "°C"
    assert only(m)["index"].values.dtype.kind == "i"


def test_cycler_csv_has_times_and_words(instruments: Path) -> None:
    entry = only(registry.read(instruments / "neware-csv/neware_uio.csv"))
    assert entry["step_type"].values[-1] == "cc_charge"  # as the binary files say it
    assert entry["step_time"].values[-1] == 87 * 60
    assert entry["timestamp"].values[0] == np.datetime64("2022-05-18T16:27:52")
    assert (entry["current"].unit, entry["contact_resistance"].unit) == ("A", "mohm")
    assert set(entry["cycle"].values) == {1, 2, 3, 4}


def test_layered_cycler_export_has_a_reader_of_its_own(instruments: Path) -> None:
    measurement = registry.read(instruments / "neware-csv/nw_regular_export_ife_example.csv")
    assert measurement.source is not None
    assert measurement.source.reader == "neware_layered"


def test_infrared_text_without_jcamp_marker_is_not_jcamps(instruments: Path) -> None:
    raw = RawInput(instruments / "ftir-txt/_FTIRText_020.txt")
    assert registry.find(raw).name == "jasco_ir_txt"


# --- damage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", REAL, ids=[r[0] for r in REAL])
def test_cut_off_anywhere(instruments: Path, tmp_path: Path, row: tuple[str, ...]) -> None:
    content = (instruments / row[0]).read_bytes()
    reader = registry.default_registry().readers[row[1]]
    path = tmp_path / Path(row[0]).name
    for k in range(20):
        path.write_bytes(content[: len(content) * k // 20])
        give_up_cleanly(reader.read, path)


@pytest.mark.parametrize("row", REAL[::3], ids=[r[0] for r in REAL[::3]])
def test_flipped_bytes(instruments: Path, tmp_path: Path, row: tuple[str, ...]) -> None:
    content = (instruments / row[0]).read_bytes()[:20_000]
    reader = registry.default_registry().readers[row[1]]
    path = tmp_path / Path(row[0]).name
    rng = random.Random(1)
    for _ in range(30):
        broken = bytearray(content)
        for _ in range(rng.randint(1, 30)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        path.write_bytes(bytes(broken))
        give_up_cleanly(reader.read, path)
    path.write_bytes(content[:2000] + rng.randbytes(5000))
    give_up_cleanly(reader.read, path)


def give_up_cleanly(read: Callable[[RawInput], Measurement], path: Path) -> None:
    try:
        measurement = read(RawInput(path))
    except ReadError as e:
        said = str(e)
    else:
        said = measurement.technique
    assert said


def write(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_half_a_last_row_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "scan.xye", "1 2 3\n2 3 4\n3 4")
    with pytest.raises(ReadError, match=r"line 3 has 2 cells where 3 are expected.*cut off"):
        registry.read(path)


def test_broken_row_in_the_middle_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "scan.xy", '\'Id: "a" Comment: "b"\n1 2\n2 3\n3\n4 5\n')
    with pytest.raises(ReadError, match=r"line 4 .*damaged"):
        registry.read(path)


def test_header_that_counts_its_rows_reveals_a_cut(instruments: Path, tmp_path: Path) -> None:
    whole = (instruments / "fluorescence-txt/poly3__1__18-11-10-757.txt").read_text()
    path = write(tmp_path, "a.txt", "\n".join(whole.split("\n")[:500]) + "\n")
    with pytest.raises(ReadError, match="its header says 1044"):
        registry.read(path)


def test_half_a_row_of_a_cycler_is_refused(instruments: Path, tmp_path: Path) -> None:
    content = (instruments / "neware-csv/neware_uio.csv").read_bytes()[:5000]
    with pytest.raises(ReadError, match="cut off"):
        registry.read(write(tmp_path, "a.csv", content))


def test_odd_token_costs_that_token(tmp_path: Path) -> None:
    m = registry.read(write(tmp_path, "a.xy", "1 10\n2 20\n3 over\n4 40\n5 50\n"))
    np.testing.assert_array_equal(only(m).signal.values, [10, 20, np.nan, 40, 50])
    assert any("'over' is not a number" in w for w in m.warnings)


def test_numbers_are_not_invented_from_underscores(tmp_path: Path) -> None:
    m = registry.read(write(tmp_path, "a.xy", "1 10\n2 20\n3 1_000\n4 40\n"))
    assert np.isnan(only(m).signal.values[2])


# --- encodings and layouts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp932"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_japanese_table_in_any_encoding(tmp_path: Path, encoding: str, end: str) -> None:
    lines = ["温度 (℃),質量 (mg)", "25.0,1.5", "26.0,1.4", "27.0,1.25"]
    m = registry.read(write(tmp_path, "a.csv", (end.join(lines) + end).encode(encoding)))
    entry = only(m)
    assert [(s.long_name, s.unit) for s in entry.signals] == [("温度", "degC"), ("質量", "mg")]
    np.testing.assert_array_equal(entry.signal.values, [1.5, 1.4, 1.25])


def test_latin_text_is_not_taken_for_japanese() -> None:
    for word in ("25 °C", "Résumé général à 5 µm", "Größe ± 2 °"):
        found = text.decode(word.encode("latin-1"))
        assert found == (word, "latin-1")


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("x;y\n1,5;2,25\n2,5;3,5\n", [[1.5, 2.5], [2.25, 3.5]]),
        ("1,5\t-2,5e3\n2,5\t3\n", [[1.5, 2.5], [-2500.0, 3.0]]),
        ("1,2\n3,4\n", [[1, 3], [2, 4]]),
        ("# made today\n# a   b\n 1.0   2\n 3.0   4\n", [[1, 3], [2, 4]]),
        ("1\t2\t\n3\t4\t\n", [[1, 3], [2, 4]]),
    ],
)
def test_plain_tables(tmp_path: Path, content: str, columns: list[list[float]]) -> None:
    entry = only(registry.read(write(tmp_path, "a.dat", content)))
    assert entry.is_table
    assert [list(s.values) for s in entry.signals] == columns


def test_units_behind_a_slash(tmp_path: Path) -> None:
    """Ivium writes ``E /V``; a ratio is a name, whatever stands behind its slash."""
    path = write(
        tmp_path, "a.txt", "time /s\tI /mA\tZ1 /ohm\tHC /Temp\tT / K\n0\t1\t3\t5\t7\n1\t2\t4\t6\t8\n"
    )
    reader = registry.default_registry().readers["plain_table"]
    assert [(s.name, s.unit) for s in only(reader.read(RawInput(path))).signals] == [
        ("time", "s"), ("i", "mA"), ("z1", "ohm"), ("hc_temp", None), ("t", "K"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        "1 2\n3 4\n\nregion 2\n5 6\n7 8\n",
        "1 2\n3 4\n# next region\n5 6\n7 8\n",
        "made by\na program\nof old\n1 2\n3 4\n",
        "1 2\n3 4\nmean of 2 points\n",
        "hello world\nthis is prose\n",
        "1\n2\n3\n",
        "1 2\n",
        "<a>1 2\n3 4</a>",
        '{"a": [1, 2]}',
        "a,b\nc,d\n",
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(registry.UnknownFormat):
        registry.read(write(tmp_path, "a.txt", content))


def test_names_between_quotes_have_their_units(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"Time [s]","Bias [V]","Note"\n0,1,2\n1,2,3\n2,3,4\n')
    signals = registry.read(tmp_path / "a.csv")[0].signals
    assert [(s.long_name, s.unit) for s in signals] == [("Time", "s"), ("Bias", "V"), ("Note", None)]


@pytest.mark.parametrize(
    "content",
    [
        "#FORMAT      : EMSA/MAS Spectral Data File\n#NCOLUMNS : 2\n1, 2\n3, 4\n#ENDOFDATA :\n",
        "# Hz S RI R 50\n1 2 3\n4 5 6\n",
    ],
)
def test_a_format_that_says_what_its_numbers_mean_is_no_plain_table(tmp_path: Path, content: str) -> None:
    path = write(tmp_path, "a.txt", content)
    plain = registry.default_registry().readers["plain_table"]
    assert plain.sniff(RawInput(path)) == 0
    assert registry.find(RawInput(path)).name in ("emsa", "touchstone")


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        (r"^Integration time \[ms\]:", "Integration time [ms]:"),
        (r"^#?Wave\t+Intensity", "Intensity"),
        (r"ab{0,2}cde*f", "cd"),
        (r"(Actual|Nominal) 2theta", " 2theta"),
        (r"[abc]]defg|other", ""),
        (r"[]x]long enough\s", "long enough"),
        (r"(?i)word", ""),
        (r"\bWeight\b.*\d+", "Weight"),
    ],
)
def test_literals_of_patterns(pattern: str, literal: str) -> None:
    # A literal that a match need not hold would make a format unknown.
    assert literal_of(re.compile(pattern)) == literal


@given(st.text("ab(|)[]{2}?*+.^$\\ -", max_size=12), st.text("ab ()[]2", max_size=12))
def test_what_matches_holds_the_literal(pattern: str, line: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = re.compile(pattern)
    except (re.error, OverflowError):
        return
    if compiled.search(line):
        assert literal_of(compiled) in line


def test_second_table_far_below_is_not_dropped_silently(tmp_path: Path) -> None:
    rows = "".join(f"{i} {i}\n" for i in range(20_000))
    with pytest.raises(ReadError, match="more than one table"):
        registry.read(write(tmp_path, "a.dat", rows + "# region 2\n" + rows))


def test_wire_map_becomes_a_map(tmp_path: Path) -> None:
    rows = ["#X\t\t#Y\t\t#Wave\t\t#Intensity"]
    rows += [
        f"{x}.0\t{y}.0\t{w}.5\t{100 * y + 10 * x + w}.0"
        for y in (5, 6)
        for x in (1, 2, 3)
        for w in (400, 300)
    ]
    entry = only(registry.read(write(tmp_path, "map.txt", "\n".join(rows) + "\n")))
    assert entry.signal.axes == ("y", "x", "raman_shift")
    assert entry.signal.values.shape == (2, 3, 2)
    assert entry.signal.values[1, 2, 0] == 100 * 6 + 10 * 3 + 400
    assert list(entry["raman_shift"].values) == [400.5, 300.5]


def test_wire_map_that_stopped_half_way_is_refused(tmp_path: Path) -> None:
    content = "#X\t\t#Y\t\t#Wave\t\t#Intensity\n1\t1\t400\t1\n1\t1\t300\t2\n2\t1\t400\t3\n"
    with pytest.raises(ReadError, match="no full map"):
        registry.read(write(tmp_path, "map.txt", content))


def test_labspec_header_and_axis_unit(tmp_path: Path) -> None:
    content = (
        "#Acq. time (s)=\t10\n#Accumulations=\t3\n#Instrument=\tLabRAM HR Evol\n#Laser=\t532nm Edge\n"
        "#Objective=\tx100\n#Acquired=\t23.09.2019 13:58:57\n#AxisType[0]=\tIntens\n#AxisUnit[0]=\tCnt\n"
        "#AxisType[1]=\tSpectr\n#AxisUnit[1]=\t{unit}\n100.5\t7\n101.5\t8\n"
    )
    m = registry.read(write(tmp_path, "a.txt", content.format(unit="1/cm")))
    entry = only(m)
    assert (entry.axes[0].name, entry.axes[0].unit) == ("raman_shift", "1/cm")
    assert entry.conditions["laser_wavelength"] == Quantity(532.0, "nm")
    assert entry.conditions["exposure_time"] == Quantity(10.0, "s")
    assert (m.instrument, m.started) == ("LabRAM HR Evol", datetime(2019, 9, 23, 13, 58, 57))
    assert list(entry.signal.values) == [7, 8]
    other = only(registry.read(write(tmp_path, "b.txt", content.format(unit="nm"))))
    assert (other.axes[0].name, other.axes[0].unit) == ("wavelength", "nm")


def test_several_curves_become_several_entries(tmp_path: Path) -> None:
    curve = "Index  t  Heat Flow  Ts  Tr\n[#]  [s]  [{unit}]  [°C]  [°C]\n0 0 {a} 25 25\n1 1 {b} 26 26\n\n"
    content = curve.format(unit="mW", a=1, b=2) + curve.format(unit="W/g", a=3, b=4)
    m = registry.read(write(tmp_path, "a.txt", content))
    assert [e.name for e in m] == ["heat_flow", "specific_heat_flow"]
    assert (m[0]["heat_flow"].unit, m[1]["specific_heat_flow"].unit) == ("mW", "W/g")
    assert list(m[1]["specific_heat_flow"].values) == [3, 4]


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [("01:02:03", 3723), ("144:00:18.5", 518418.5), ("1-02:00:00", 93600), ("2d 00:00:01", 172801)],
)
def test_durations(cell: str, seconds: float) -> None:
    assert text.durations([cell])[0] == seconds


# --- descriptions ------------------------------------------------------------------------------------------------

MINE = """
name: our_lab
version: 1
format: our balance
technique: tga
recognise: {lines: '^BALANCE'}
encodings: [cp932]
header: '^(?P<key>[^:]*):(?P<value>.*)$'
table: {names: '^時刻', delimiter: comma, thousands: "'"}
columns:
  - {column: 時刻, name: time, unit: s}
  - {column: 質量, name: mass, unit: mg}
x: time
default: mass
sample: {key: 試料}
started: {key: 日付, formats: '%Y年%m月%d日'}
conditions:
  - {name: sample_mass, key: 初期質量}
  - {name: heating_rate, key: 昇温速度, unit: K/min}
"""


def test_a_laboratorys_own_format(tmp_path: Path) -> None:
    reader = load_reader(write(tmp_path, "mine.yaml", MINE))
    content = "BALANCE\n試料:酸化鉄\n日付:2026年4月1日\n初期質量:12.5 mg\n昇温速度:10\n時刻,質量\n0,1'234.5\n1,1'200\n"
    raw = RawInput(write(tmp_path, "a.csv", content.encode("cp932")))
    assert reader.sniff(raw) > 0.5
    m = reader.read(raw)
    assert (m.sample, m.started) == ("酸化鉄", datetime(2026, 4, 1))
    assert only(m).conditions == {
        "sample_mass": Quantity(12.5, "mg"),
        "heating_rate": Quantity(10.0, "K/min"),
    }
    np.testing.assert_array_equal(only(m)["mass"].values, [1234.5, 1200])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("technique: tga", "technique: tgaa", "technique: 'tgaa' is not one of"),
        ("x: time", "x: tim", "x: no column has the name 'tim'"),
        ("x: time", "", "axis, x: give the one or the other"),
        ("name: mass, unit", "nam: mass, unit", r"columns\[2\]\.nam: not a key; the keys are column, name"),
        ("format: our balance", "", "format: is missing"),
        ("'^BALANCE'", "'^BAL(ANCE'", r"recognise\.lines\[1\]: .* is not a regular expression"),
        (
            "name: heating_rate",
            "name: heat_rate",
            r"conditions\[2\]\.name: 'heat_rate' is not one of .*heating_rate",
        ),
        ("[cp932]", "[cp9320]", "encodings: Python knows no encoding"),
        ("delimiter: comma", "delimiter: commas", r"table\.delimiter: 'commas' is not one of auto, tab"),
        ("(?P<value>.*)", "(.*)", r"header\[1\]: needs the groups"),
        ("{key: 試料}", "{key: 試料, line: '(?P<value>.)'}", "sample: give key"),
        ("version: 1", "version: [1, 2]", r"version: \[1, 2\] must be text"),
        ("name: our_lab", "name: [", "not YAML"),
    ],
)
def test_wrong_description_says_file_key_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in MINE
    path = write(tmp_path, "mine.yaml", MINE.replace(old, new))
    with pytest.raises(DescriptionError, match=said) as e:
        load(path)
    assert str(path) in str(e.value)
