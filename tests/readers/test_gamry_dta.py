"""Gamry's files: a user would lose cycles, or whole files of a German or Dutch computer."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.gamry_dta import READER

# Rows, and of each column: last, sum. gamry-parser 0.4.6 agrees (on chronoa_de_data.dta with its commas
# made points: it dies on them).
GOLDEN = {
    "chronoa_de_data.dta": (
        "chronoamperometry",
        10,
        None,  # 3/10/2019: nothing tells
        {"time": (270.0, 1350.0001), "voltage": (0.4, 4.396795), "current": (3e-09, 3.909529e-08)},
    ),
    "cv_data.dta": (
        "cyclic_voltammetry",
        50,
        None,
        {
            "time": (601.1, 14431.5),
            "voltage": (0.889001, 40.686032),
            "current": (2.62272e-07, 1.6589990048e-05),
        },
    ),
    "ocp_data.dta": (
        "open_circuit_potential",
        21,
        datetime(2020, 2, 10, 17, 18),
        {"time": (105.175, 1156.92503)},
    ),
    "vfp600_data.dta": (
        "electrochemistry",
        20,
        None,
        {"voltage": (0.033333, 0.241546), "current": (5.125e-10, 8.61119356e-09)},
    ),
}

EIS = """EXPLAIN
TAG\tEISPOT
TITLE\tLABEL\tPotentiostatic EIS\tTest &Identifier
DATE\tLABEL\t15.11.2016\tDate
TIME\tLABEL\t17:47:03\tTime
PSTAT\tPSTAT\tIFC1000-05060\tPotentiostat
PSTATSERIALNO\tLABEL\t05060\tPstat Serial Number
NOTES\tNOTES\t2\t&Notes...
\tNMC against graphite
\tsecond line
VDC\tPOTEN\t1{0}30000E+000\tT\tDC &Voltage (V)
VAC\tQUANT\t1{0}00000E+001\tAC &Voltage (mV rms)
AREA\tQUANT\t2{0}50000E+000\t&Area (cm^2)
EOC\tQUANT\t0{0}1358522\tOpen Circuit (V)
ZCURVE\tTABLE
\tPt\tTime\tFreq\tZreal\tZimag\tZsig\tZmod\tZphz\tIdc\tVdc\tIERange
\t#\ts\tHz\tohm\tohm\tV\tohm\t°\tA\tV\t#
\t0\t1\t100019{0}5\t224{0}6075\t-3{0}767681\t1\t224{0}6391\t-0{0}961018\t2{0}402966E-006\t1{0}299216\t10
\t1\t3\t79511{0}72\t224{0}712\t-4{0}283262\t1\t224{0}7528\t-1{0}091989\t1{0}847788E-006\t1{0}299205\t10
"""


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


@pytest.mark.parametrize("name", GOLDEN)
def test_real_files_read_as_another_reader_does(instruments: Path, name: str) -> None:
    source = instruments / "gamry-dta" / name
    assert READER.sniff(RawInput(source)) == (LIKELY if name.startswith("vfp") else CERTAIN)
    technique, rows, started, columns = GOLDEN[name]
    entry = read(source)[0]
    assert (entry.technique, entry.started) == (technique, started)
    for column, (last, total) in columns.items():
        values = entry[column].values
        assert len(values) == rows
        assert values[-1] == pytest.approx(last)
        assert values.sum() == pytest.approx(total)


@pytest.mark.parametrize(
    ("date", "moment"),
    [("16/11/2023", datetime(2023, 11, 16, 17, 47, 3)), ("11/16/2023", datetime(2023, 11, 16, 17, 47, 3)),
     ("6/11/2023", None)],
)  # fmt: skip
def test_the_date_is_as_the_computer_writes_it(tmp_path: Path, date: str, moment: datetime | None) -> None:
    """The date of a European computer was lost; the calibration's, always American, proves nothing."""
    path = tmp_path / "a.dta"
    text = EIS.format(".").replace("15.11.2016", date)
    path.write_text(text.replace("ZCURVE", "ACCALDATE\tLABEL\t2/24/2014\tAC Calibration Date\nZCURVE"))
    measurement = read(path)
    assert measurement[0].started == moment
    assert len(measurement.warnings) == (moment is None)


def test_numbered_curves_are_cycles_of_one_table(instruments: Path) -> None:
    entry = read(instruments / "gamry-dta" / "cv_data.dta")[0]
    assert entry["cycle"].values.tolist() == [c for c in range(1, 6) for _ in range(10)]
    assert entry["index"].values.tolist() == list(range(50))
    assert (entry.x, entry.default) == ("voltage", "current")
    assert str(entry.conditions["scan_rate"]) == "1.23456 mV/s"
    assert str(entry.conditions["vertex_voltage_2"]) == "0.9 V"
    assert entry.conditions["comment"].value == "test-notes-data"


def test_the_open_circuit_before_is_an_entry_of_its_own(instruments: Path) -> None:
    measurement = read(instruments / "gamry-dta" / "ocvcurve_data.dta")
    assert [(e.name, e.technique) for e in measurement] == [
        ("open_circuit", "open_circuit_potential"),
        ("cv", "cyclic_voltammetry"),
    ]
    assert measurement.default == "cv"
    assert "scan_rate" not in measurement["open_circuit"].conditions
    assert measurement["cv"]["voltage"].values[0] == pytest.approx(0.398788)


def test_a_table_that_ended_early_is_told(instruments: Path) -> None:
    warnings = read(instruments / "gamry-dta" / "chronoa_de_data.dta").warnings
    assert any("5258" in w for w in warnings)


@pytest.mark.parametrize("mark", [".", ","])
def test_impedance_in_two_locales(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a.DTA"
    path.write_bytes(EIS.format(mark).replace("\n", "\r\n").encode("latin-1"))
    measurement = read(path)
    entry = measurement[0]
    assert (entry.technique, entry.x, entry.default) == ("eis", "z_real", "z_imaginary")
    assert entry["z_imaginary"].values.tolist() == [-3.767681, -4.283262]
    assert entry["z_phase"].unit == "deg"
    assert entry["frequency"].values.tolist() == [100019.5, 79511.72]
    assert entry.started == datetime(2016, 11, 15, 17, 47, 3)
    assert str(entry.conditions["voltage_amplitude_rms"]) == "10 mV"
    assert str(entry.conditions["electrode_area"]) == "2.5 cm**2"
    assert "applied_voltage" not in entry.conditions  # it is against the open circuit, not the reference
    assert entry.conditions["instrument_serial"].value == "05060"
    assert entry.conditions["comment"].value == "NMC against graphite second line"
    assert measurement.warnings == ()


def test_a_file_without_a_table_is_refused(instruments: Path) -> None:
    with pytest.raises(ReadError, match="no table"):
        read(instruments / "gamry-dta" / "cv_data_incompleteheader.dta")


def test_files_cut_off_or_damaged_are_refused_or_read(instruments: Path, tmp_path: Path) -> None:
    for source in sorted((instruments / "gamry-dta").iterdir()):
        whole = source.read_bytes()
        broken_files.cut(READER, whole, tmp_path / "cut.dta")
        broken_files.damage(READER, whole, tmp_path / "broken.dta", turns=80)
    (tmp_path / "a.dta").write_bytes((instruments / "gamry-dta" / "cv_data.dta").read_bytes()[:-5])
    with pytest.raises(ReadError, match="cut off"):
        read(tmp_path / "a.dta")


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "a.dta").write_text("EXPLAIN why\n1\t2\n")
    assert READER.sniff(RawInput(tmp_path / "a.dta")) == NO


def test_an_aborted_corrosion_test_with_small_units_and_no_thermometer(tmp_path: Path) -> None:
    """-273.15 °C is what a potentiostat without a sensor writes; nobody's cell was at absolute zero."""
    text = (
        "EXPLAIN\nTAG\tPOLRES\nTITLE\tLABEL\tPolarization Resistance\tTest\nSCANRATE\tQUANT\t0.125\tScan Rate (mV/s)\n"
        "CURVE\tTABLE\t3\n\tPt\tT\tVf\tIm\tOver\tTemp\n\t#\ts\tmV vs. Ref.\tnA\tbits\tdeg C\n"
        + "".join(f"\t{k}\t{k}.5\t{10 * k}\t{k}.25\t..........a\t-273.15\n" for k in range(3))
        + "EXPERIMENTABORTED\tTOGGLE\tT\tExperiment Aborted\n"
    )
    (tmp_path / "a.dta").write_text(text)
    m = read(tmp_path / "a.dta")
    entry = m[0]
    assert (entry.technique, entry.x, entry.default) == ("linear_sweep_voltammetry", "voltage", "current")
    assert (entry["voltage"].unit, entry["voltage"].values.tolist()) == ("mV", [0, 10, 20])
    assert entry["voltage"].long_name == "Vf vs. Ref."
    assert entry["current"].unit == "nA"
    assert "temperature" not in {s.name for s in entry.signals}
    assert any("aborted" in w for w in m.warnings)


def test_a_square_wave_is_its_difference_over_the_staircase(tmp_path: Path) -> None:
    """Plotted as time against the row's number before; a peak was nowhere to be seen."""
    text = (
        "EXPLAIN\nTAG\tSQUARE_WAVE\nTITLE\tLABEL\tSWV\tTest\nCURVE\tTABLE\t2\n"
        "\tPt\tT\tVfwd\tVrev\tVstep\tIfwd\tIrev\tIdif\tOver\tTemp\n\t#\ts\tV\tV\tV\tA\tA\tA\tbits\tdeg C\n"
        "\t0\t0.01\t-2.5E-002\t3.7E-002\t6.0E-003\t1.9E-007\t-1.7E-006\t1.9E-006\t...........\t1466.8\n"
        "\t1\t0.02\t-4.3E-002\t3.8E-002\t-2.2E-003\t8.7E-008\t-3.2E-007\t4.1E-007\t...........\t1467.5\n"
    )
    (tmp_path / "a.dta").write_text(text)
    entry = read(tmp_path / "a.dta")[0]
    assert (entry.x, entry.default) == ("voltage", "current_difference")
    assert entry["voltage"].values.tolist() == [0.006, -0.0022]
    assert "temperature" not in {s.name for s in entry.signals}  # 1467 °C is an input nothing is connected to


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_overload_flags_do_not_hide_a_decimal_comma(tmp_path: Path, encoding: str) -> None:
    text = (
        "EXPLAIN\nTAG\tCHRONOA\nTITLE\tLABEL\tProbe\tTest\nCURVE\tTABLE\t2\n\tPt\tT\tVf\tIm\tOver\n\t#\ts\tV\tA\tbits\n"
        "\t0\t1,5\t0,25\t2E-006\t......s....\n\t1\t2,5\t0,5\t3,5E-006\t...........\n"
    )
    (tmp_path / "a.dta").write_bytes(text.encode(encoding))
    assert READER.sniff(RawInput(tmp_path / "a.dta")) == CERTAIN
    entry = read(tmp_path / "a.dta")[0]
    assert entry["time"].values.tolist() == [1.5, 2.5]
    assert entry["current"].values.tolist() == [2e-06, 3.5e-06]


def test_a_capacity_curve_has_a_row_a_half_cycle(tmp_path: Path) -> None:
    text = (
        "EXPLAIN\nTAG\tPWR800_CYCLICCHARGEDISCHARGE\nTITLE\tLABEL\tCapacity\tTest\nCAPACITYCURVE\tTABLE\n"
        "\tPt\tTime\tType\tCycle\tCharge\tDuration\tVstart\tVend\tEnergy\tTstart\tTend\tOver\n"
        "\t#\ts\t#\t#\tC\ts\tV\tV\tJ\tdeg C\tdeg C\tbits\n"
        "\t1\t3493\t0\t1\t4362.1\t3492.6\t0.79\t1.2\t3962.0\t34.3\t27.0\t...........\n"
        "\t2\t6701\t1\t1\t4013.8\t3207.5\t0.80\t0.4\t-2752.8\t27.0\t26.4\t...........\n"
        "STOPREASON\tLABEL\tCycle Limit\tStop Reason\n"
    )
    (tmp_path / "a.dta").write_text(text)
    entry = read(tmp_path / "a.dta")[0]
    assert (entry.x, entry.default) == ("cycle", "capacity")
    assert entry["step_kind_code"].values.tolist() == [0, 1]
    assert (entry["capacity"].unit, entry["energy"].unit) == ("C", "J")


def test_a_mott_schottky_scan_is_along_the_voltage(tmp_path: Path) -> None:
    (tmp_path / "a.dta").write_text(EIS.format(".").replace("EISPOT", "MOTTSCHOTTKY"), "latin-1")
    entry = read(tmp_path / "a.dta")[0]
    assert (entry.technique, entry.x, entry.default) == ("eis", "voltage", "z_imaginary")


def test_the_quartz_microbalance_beside_a_voltammogram(tmp_path: Path) -> None:
    """Its table is of another type (DTABLE), and was lost without a word: the mass, which it is all about."""
    text = (
        "EXPLAIN\nTAG\tCVEQCM\nTITLE\tLABEL\tCV\tTest\nSCANRATE\tQUANT\t5,00000E+001\t&Scan Rate (mV/s)\n"
        "CURVE1\tTABLE\n\tPt\tT\tQ\tVf\tIm\tACH\tIERange\tOver\n\t#\ts\tC\tV vs. Ref.\tA\tV\t#\tbits\n"
        "\t0\t0,04\t7,7E-006\t-3,0E-001\t-2,1E-004\t0,0E+000\t11\t...........\n"
        "\t1\t0,08\t1,7E-006\t-3,5E-001\t-1,5E-004\t0,0E+000\t11\t...........\n"
        "QCMOFFSETTIME\tQUANT\t58,025\tQCM Offset Time (s)\nQCMCurve\tDTABLE\n\tPt\tT\tfs\tfp\tchisq\tAs\tAp\n"
        "\t#\ts\tMHz\tMHz\tarb\tMag\tMag\n\t216\t58,025\t10,01088249\t10,01849209\t0,000\t1,1238\t1,5456\n"
        "\t217\t58,295\t10,01108629\t10,01849329\t0,000\t1,1065\t1,5427\n"
    )
    (tmp_path / "a.dta").write_text(text)
    m = read(tmp_path / "a.dta")
    assert (m.default, [e.name for e in m]) == ("cveqcm", ["cveqcm", "quartz_microbalance"])
    assert m["cveqcm"].technique == "cyclic_voltammetry"
    balance = m["quartz_microbalance"]
    assert (balance.x, balance.default) == ("time", "series_resonance_frequency")
    assert balance["series_resonance_frequency"].unit == "MHz"
    assert balance["series_resonance_frequency"].values.tolist() == [10.01088249, 10.01108629]
    assert m.warnings == ()


def test_impedance_with_drift_correction_has_both_spectra(tmp_path: Path) -> None:
    path = tmp_path / "a.dta"
    path.write_bytes(
        b"EXPLAIN\r\nTAG\tEISPOT\r\nTITLE\tLABEL\tEIS\tTest\r\nZCURVE\tTABLE\r\n"
        b"\tPt\tFreq\tZreal\tZimag\tZrealDrCor\tZimagDrCor\tZphzDrCor\r\n\t#\tHz\tohm\tohm\tohm\tohm\t\xb0\r\n"
        b"\t0\t5,9\t6819,8\t-16062,9\t6821,9\t-16059,3\t-66,98\r\n\t1\t4,6\t8559,7\t-19516,5\t8563,8\t-19509,7\t-66,3\r\n"
    )
    entry = read(path)[0]
    assert entry["z_real"].values[0] == 6819.8
    assert entry["z_real_drift_corrected"].values[0] == 6821.9
    assert entry["z_imaginary_drift_corrected"].unit == "ohm"
    assert (entry["z_phase_drift_corrected"].unit, entry.default) == ("deg", "z_imaginary")
