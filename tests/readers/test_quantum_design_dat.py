"""MultiVu files: a user would lose moments, or read resistivities in another unit than the file says."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers._quantum_design_columns import unit_of
from zairyo.readers.quantum_design_dat import READER

# Records, and of each column: first, last, sum (blanks left out). Python's csv module and
# ppms-toolkit 0.2.2 agree.
GOLDEN = {
    "MT_0P01T_FC.DAT": (
        1566,
        {
            "temperature": (300.10627746582, 1.99967557191849, 150734.16339037),
            "magnetic_field": (100.52364730835, 99.7432861328125, 156800.27800751),
            "magnetic_moment": (-8.03579143374279e-09, 1.77214723700767e-05, 0.009735931235656),
        },
    ),
    "MT_0P1T_FC.DAT": (
        1558,
        {
            "temperature": (300.107116699219, 2.00027453899384, 150941.40396864),
            "magnetic_field": (999.765014648438, 999.935455322266, 1557356.45773315),
            "magnetic_moment": (1.35853142060947e-06, 8.22766388720626e-05, 0.055132030179763),
        },
    ),
    "MT_0P1T_ZFC.DAT": (
        1607,
        {
            "temperature": (2.00492382542809, 300.077545166016, 162654.60433083),
            "magnetic_field": (999.729125976563, 999.729125976563, 1606626.91101074),
            "magnetic_moment": (float("nan"), 1.43168636626259e-06, 0.039989624933564),
        },
    ),
}


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, headings: str, rows: list[str], header: str = "", encoding: str = "latin-1") -> Path:
    lines = [
        "[Header]",
        "; MultiVu Data File",
        "BYAPP,Test,1.0",
        *header.splitlines(),
        "[Data]",
        headings,
        *rows,
    ]
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


@pytest.mark.parametrize("name", GOLDEN)
def test_columns_are_the_files(instruments: Path, name: str) -> None:
    count, columns = GOLDEN[name]
    source = RawInput(instruments / "qd-ppms-dat" / name)
    assert READER.sniff(source) == CERTAIN
    entry = read(source.path)[0]
    assert (entry.technique, entry.x, entry.default) == ("magnetometry", "temperature", "magnetic_moment")
    for column, (first, last, total) in columns.items():
        values = entry[column].values
        assert len(values) == count
        assert [values[0], values[-1]] == pytest.approx([first, last], rel=1e-12, nan_ok=True)
        assert np.nansum(values) == pytest.approx(total, rel=1e-11)
    units = {
        "temperature": "K",
        "magnetic_field": "Oe",
        "magnetic_moment": "emu",
        "motor_lag": "deg",
        "pressure": "torr",
    }
    assert {column: entry[column].unit for column in units} == units


def test_the_error_of_the_moment_is_its_uncertainty(instruments: Path) -> None:
    moment = read(instruments / "qd-ppms-dat" / "MT_0P01T_FC.DAT")[0]["magnetic_moment"]
    assert moment.uncertainty[:2].tolist() == [4.04833164616924e-07, 4.10968483278026e-07]


def test_time_stamps_are_the_instruments_clock(instruments: Path) -> None:
    """Seconds since 1899-12-30 local time; FILEOPENTIME's text, 7:04 pm, says so."""
    entry = read(instruments / "qd-ppms-dat" / "MT_0P01T_FC.DAT")[0]
    assert entry.started == datetime(2025, 5, 2, 19, 4, 52, 246500)
    assert entry["timestamp"].values[-1] == np.datetime64("2025-05-02T21:26:14.714")
    assert entry["time"].values[[0, -1]].tolist() == pytest.approx([0.0, 8482.4675], abs=1e-4)


def test_what_was_held_steady_is_a_condition(instruments: Path) -> None:
    measurement = read(instruments / "qd-ppms-dat" / "MT_0P1T_FC.DAT")
    conditions = measurement[0].conditions
    assert conditions["magnetic_field"].value == pytest.approx(999.5, abs=0.5)
    assert (conditions["sample_mass"].value, conditions["sample_mass"].unit) == (1.88, "mg")
    assert conditions["comment"].value == "single crystal"
    assert "temperature" not in conditions
    assert (measurement.sample, measurement.instrument) == ("4Cl-Mn-BA", "Quantum Design DynaCool")


def test_blank_columns_are_named_not_shown(instruments: Path) -> None:
    measurement = read(instruments / "qd-ppms-dat" / "MT_0P1T_FC.DAT")
    kept = measurement.original_metadata
    assert kept["Headings without data"] == [f"Map {n:02}" for n in range(1, 17)]
    assert len(kept["Headings"]) == 50
    assert kept["Header"]["INFO"]["VSM_SERIAL_NUMBER"] == "VSM901"
    assert kept["Header"]["STARTUPAXIS"] == ["X,2", "Y1,5"]
    comments = measurement[0]["comment"].values
    assert comments[0] == "sample offset = 35 mm"
    assert (comments != "").sum() == 31


def test_heat_capacity(tmp_path: Path) -> None:
    path = written(
        tmp_path / "hc.dat",
        "Time Stamp (Seconds),Comment (),System Status (Code),Puck Temp (Kelvin),Field (Oersted),"
        "Sample Temp (Kelvin),Samp HC (µJ/K),Samp HC Err (µJ/K),Samp HC/Temp (µJ/K/K),Addenda HC (µJ/K)",
        [f"{100 + t},,1,{t},0.1,{t + 0.5},{t * 2},0.1,{2.0},5" for t in (300, 200, 100)],
        "INFO,12.5,MASS:Sample Mass (mg)\nINFO,PPMS Heat Capacity 1.5,APPNAME",
    )
    entry = read(path)[0]
    assert (entry.technique, entry.x, entry.default) == ("heat_capacity", "temperature", "heat_capacity")
    assert entry["heat_capacity"].unit == "uJ/K"
    assert entry["heat_capacity"].uncertainty.tolist() == [0.1] * 3
    assert entry["temperature"].values.tolist() == [300.5, 200.5, 100.5]
    assert entry["heat_capacity_per_temperature"].unit == "uJ/(K*K)"
    assert entry.conditions["sample_mass"].value == 12.5


def test_lines_that_only_say_something_are_no_records(tmp_path: Path) -> None:
    path = written(
        tmp_path / "hc.dat",
        "Time Stamp (Seconds),Comment (),System Status (Code),Sample Temp (Kelvin),Samp HC (µJ/K)",
        [
            "100,Error: Current field is 999.9 Oe;",
            "101,Error: addenda, measured at -0.3 Oe",
            "102,,1857,300.5,8478.6",
            "103,slow,1857,299.5,8470.6",
            "104,CALFILE: Puck3274.cal,,,",
        ],
        "INFO,PPMS Heat Capacity 1.5,APPNAME",
    )
    measurement = read(path)
    entry = measurement[0]
    assert entry["temperature"].values.tolist() == [300.5, 299.5]
    assert entry["time"].values.tolist() == [0.0, 1.0]
    assert entry["comment"].values.tolist() == ["", "slow"]
    assert measurement.original_metadata["Remarks among the records"] == [
        "100 Error: Current field is 999.9 Oe;",
        "101 Error: addenda, measured at -0.3 Oe",
        "104 CALFILE: Puck3274.cal",
    ]
    assert not measurement.warnings


def test_transport_with_several_bridges(tmp_path: Path) -> None:
    path = written(
        tmp_path / "r.dat",
        "Comment,Time Stamp (sec),Temperature (K),Magnetic Field (Oe),Bridge 1 Resistivity (Ohm-m),"
        "Bridge 1 Excitation (uA),Bridge 2 Resistivity (Ohm-cm),Bridge 1 Std. Dev. (Ohm-m),Bridge 2 Resistance (Ohms)",
        [f",{at},2.0,{field},{1e-6 * at},100,,{1e-9},{at}" for at, field in enumerate((-90000, 0, 90000))],
    )
    entry = read(path)[0]
    assert (entry.technique, entry.x, entry.default) == ("transport", "magnetic_field", "resistivity_1")
    assert (entry["resistivity_1"].unit, entry["resistance_2"].unit) == ("ohm*m", "ohm")
    assert entry["excitation_current_1"].unit == "uA"
    assert entry["resistivity_1"].uncertainty.tolist() == [1e-9] * 3
    assert entry.conditions["temperature"].value == 2.0
    assert "resistivity_2" not in {signal.name for signal in entry.signals}


def test_classic_mpms_header_has_keys_first(tmp_path: Path) -> None:
    path = written(
        tmp_path / "mpms.dc.dat",
        "Time,Comment,Field (Oe),Temperature (K),Long Moment (emu),Long Scan Std Dev (emu),Long Algorithm",
        ["3500,,1000,5,0.01,0.001,Iterative Reg.", "3600,,1000,300,0.001,0.0001,Iterative Reg."],
        "INFO,NAME,EuO\nINFO,WEIGHT,10.5(mg)\nINFO,SHAPE,cube\nFILEOPENTIME,5217.0,02/13/2008,2:19 pm",
    )
    measurement = read(path)
    entry = measurement[0]
    assert measurement.sample == "EuO"
    assert (entry.conditions["sample_mass"].value, entry.conditions["sample_mass"].unit) == (10.5, "mg")
    assert entry["magnetic_moment"].values.tolist() == [0.01, 0.001]
    assert entry["long_algorithm"].values.tolist() == ["Iterative Reg."] * 2
    # These stamps count from elsewhere: the header's date stands, and no date is made of the stamps.
    assert entry.started == datetime(2008, 2, 13, 14, 19)
    assert "timestamp" not in {signal.name for signal in entry.signals}


def test_susceptibility_keeps_both_parts_apart(tmp_path: Path) -> None:
    path = written(
        tmp_path / "ac.dat",
        "Time Stamp (sec),Temperature (K),Magnetic Field (Oe),M-DC (emu),M' (emu),M'' (emu),Frequency (Hz)",
        [f"{at},10,0,1,{at},{-at},{10**at}" for at in range(1, 5)],
    )
    entry = read(path)[0]
    assert entry["ac_moment_real"].values.tolist() == [1, 2, 3, 4]
    assert entry["ac_moment_imaginary"].values.tolist() == [-1, -2, -3, -4]
    assert entry.x == "frequency"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig"])
def test_micro_sign_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = written(
        tmp_path / "u.dat", "Temperature (K),Samp HC (µJ/K)", ["1,2", "2,4"], "INFO,x,APPNAME", encoding
    )
    assert READER.sniff(RawInput(path)) == CERTAIN
    assert read(path)[0]["heat_capacity"].unit == "uJ/K"


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("mJ/mole-K", "mJ/(mol*K)"),
        ("W/K-m", "W/(K*m)"),
        ("emu/Oe", "emu/Oe"),
        ("Kelvin^2", "K**2"),
        ("Percent", "percent"),
        ("C", "degC"),
        ("code", ""),
        ("Ohms", "ohm"),
        ("Torr", "torr"),
        ("µV/K", "uV/K"),
        ("cm^3/C", "cm**3/coulomb"),
        ("Am^2", "A*m**2"),
    ],
)
def test_units_are_understood(text: str, unit: str) -> None:
    assert unit_of(text) == (unit, True)


def test_odd_tokens_cost_themselves(tmp_path: Path) -> None:
    path = written(
        tmp_path / "odd.dat",
        "Comment,Temperature (K),Moment (emu),Strange (glorp/Oe)",
        ["a, b and c,1,0.1,1", ",2,-1.#IND,2", ",3,0.3x,3", ",4,0.4", "", ",5,0.5,5,,,"],
    )
    measurement = read(path)
    entry = measurement[0]
    assert entry["temperature"].values.tolist() == [1, 2, 3, 4, 5]
    assert np.isnan(entry["magnetic_moment"].values).tolist() == [False, True, True, False, False]
    assert entry["comment"].values[0] == "a, b and c"
    assert entry["strange"].unit == "glorp/Oe"
    told = " ".join(measurement.warnings)
    assert "'0.3x'" in told
    assert "glorp/Oe" in told
    assert "line 9" in told  # the one that is too short


def test_a_damaged_heading_costs_itself(tmp_path: Path) -> None:
    path = written(tmp_path / "h.dat", "Temperature (K),Moment (e\0u)", ["1,2", "2,3"])
    measurement = read(path)
    assert measurement[0]["magnetic_moment"].values.tolist() == [2, 3]
    assert any("unit" in warning for warning in measurement.warnings)


def test_a_last_line_in_the_writing_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "w.dat", "Temperature (K),Moment (emu),Range (mV)", ["1,2,3", "2,3,4"])
    path.write_bytes(path.read_bytes() + b"3,4")
    measurement = read(path)
    assert measurement[0]["temperature"].values.tolist() == [1, 2]
    assert any("not complete" in warning for warning in measurement.warnings)


@pytest.mark.parametrize("rows", [[], [""], [",,"]])
def test_a_file_without_records_is_refused(tmp_path: Path, rows: list[str]) -> None:
    with pytest.raises(ReadError):
        read(written(tmp_path / "e.dat", "Comment,Temperature (K),Moment (emu)", rows))


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    whole, target = (instruments / "qd-ppms-dat" / "MT_0P1T_ZFC.DAT").read_bytes(), tmp_path / "damaged.dat"
    random = np.random.default_rng(5)
    head = whole.index(b"[Data]")
    for end in np.concatenate([np.linspace(0, len(whole) - 1, 20), np.linspace(0, head + 900, 10)]).astype(
        int
    ):
        target.write_bytes(whole[:end])
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)
    short = whole[: head + 20_000]
    for turn in range(60):
        bad = bytearray(short)
        for at in random.integers(0, len(bad), 30):
            bad[at] = random.integers(256)
        if turn % 10 == 9:
            bad[head + 8 :] = random.bytes(20_000)
        target.write_bytes(bytes(bad))
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)


def test_other_headers_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "lab.txt").write_text("[Header]\nApplication Name\tLabSolutions\n[Data]\n1\t2\n")
    assert READER.sniff(RawInput(tmp_path / "lab.txt")) == NO


VSM = "Comment,Time Stamp (sec),Temperature (K),Magnetic Field (Oe),Moment (emu),M. Std. Err. (emu)"


def test_files_whose_header_was_cut_away_are_recognised(tmp_path: Path) -> None:
    """People trim them for other programs; as a plain table the moment would be a number without a meaning."""
    rows = "".join(f",{3763000000 + k},300.0,{1000 * k},{k / 8},0.001\r\n" for k in range(5))
    classic = "Time,Field (Oe),Temperature (K),Long Moment (emu),Long Scan Std Dev\n"
    classic += "".join(f"{k},500,{3 + k},{k / 8},0.001\n" for k in range(5))
    texts = {
        "marks": f"[Header]\r\nTITLE, test\r\n[Data]\r\n{VSM}\r\n{rows}",
        "none": f"{VSM}\r\n{rows}",
        "mpms": classic,
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.dat").write_bytes(text.encode())
        source = RawInput(tmp_path / f"{name}.dat")
        assert READER.sniff(source) == LIKELY
        m = invariants.check(READER.read(source), READER)
        assert m[0].technique == "magnetometry"
        assert m[0]["magnetic_moment"].values.tolist() == [0, 0.125, 0.25, 0.375, 0.5]
        assert m[0]["magnetic_moment"].uncertainty.tolist() == [0.001] * 5  # type: ignore[union-attr]
        assert m[0].x == ("temperature" if name == "mpms" else "magnetic_field")
        assert any("no header" in w for w in m.warnings) == (name != "marks")


def test_a_table_with_other_headings_is_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Time (s),Temperature (K),Field (Oe)\n1,2,3\n")
    assert READER.sniff(RawInput(tmp_path / "a.csv")) == NO


def test_thermal_transport_with_full_stops_in_its_headings(tmp_path: Path) -> None:
    headings = (
        "Comment,Time Stamp (sec),System Temp. (K),Sample Temp. (K),Conductivity (W/K-m),Conduct. Std. Dev. (W/K-m),"
        "Seebeck Coef. (\xb5V/K),Seebeck Std. Dev. (\xb5V/K)"
    )
    rows = "".join(f",{k},{2 + k}.5,{2 + k},{k / 4},0.5,{-k},0.25\r\n" for k in range(4))
    text = f"[Header]\r\nTITLE,a\r\nBYAPP,Thermal Transport,1\r\nINFO,TTO,APPNAME\r\n[Data]\r\n{headings}\r\n{rows}"
    (tmp_path / "a.dat").write_bytes(text.encode("latin-1"))
    entry = READER.read(RawInput(tmp_path / "a.dat"))[0]
    assert (entry.technique, entry.x, entry.default) == (
        "thermal_transport",
        "temperature",
        "thermal_conductivity",
    )
    assert entry["temperature"].values.tolist() == [2, 3, 4, 5]
    assert entry["thermal_conductivity"].uncertainty.tolist() == [0.5] * 4  # type: ignore[union-attr]
    assert entry["seebeck_coefficient"].unit == "uV/K"


def test_raw_scans_of_a_magnetometer_are_drawn_over_the_position(tmp_path: Path) -> None:
    headings = "Comment,Time Stamp (sec),Raw Position (mm),Raw Voltage (mV),Free C Fitted (mV)"
    rows = ";Avg. Temp = 300 K;Low Temp = 299 K,37630,,,\r\n" + "".join(
        f",37630,{k},{2 * k},{k}\r\n" for k in range(3)
    )
    text = f"[Header]\r\n; MPMS3\r\nBYAPP,SquidVSM,1\r\nINFO,x,APPNAME\r\n[Data]\r\n{headings}\r\n{rows}"
    (tmp_path / "a.rw.dat").write_bytes(text.encode())
    entry = READER.read(RawInput(tmp_path / "a.rw.dat"))[0]
    assert (entry.technique, entry.x, entry.default) == ("magnetometry", "sample_position", "raw_voltage")


def test_an_alternating_moment_is_not_the_static_one(tmp_path: Path) -> None:
    """ACMS writes the amplitude of the alternating moment as "Moment": nobody's M(T)."""
    headings = (
        "Comment,Time Stamp (sec),Temperature (K),Magnetic Field (Oe),Frequency (Hz),Amplitude (Oe),M-DC (emu),"
        "M' (emu),M'' (emu),Moment (emu),Phase (deg)"
    )
    rows = [
        ",35108838.70,10,0,1000,4,,2E-5,1E-7,2.1E-5,0.4",
        ",35108839.70,11,0,1000,4,,2.1E-5,1E-7,2.2E-5,0.5",
    ]
    header = "FILEOPENTIME,35108593.23,02/11/2016,4:32 pm\nINFO,mass,53.10 mg\nINFO,,"
    entry = read(written(tmp_path / "a.dat", headings, rows, header))[0]
    assert (entry.x, entry.default) == ("temperature", "ac_moment_real")
    assert entry["ac_moment"].values.tolist() == [2.1e-5, 2.2e-5]
    assert "magnetic_moment" not in {s.name for s in entry.signals}
    assert str(entry.conditions["sample_mass"]) == "53.1 mg"


def test_ac_transport_has_a_resistivity_a_channel(tmp_path: Path) -> None:
    """The classic PPMS's ACT words its columns as no other option; it was read as something unspecified."""
    headings = (
        "Comment,Time Stamp (sec),Status (code),Temperature (K),Magnetic Field (Oe),Volts ch1,Res. ch1 (ohm-cm),"
        "Res. ch2 (ohm-cm),Res. Std.Dev. ch1,Hall ch2 (cm^3/coul),Crit.Cur. ch1 (mA)"
    )
    rows = [
        ",12214921.77,4369,2,10000,1.07E-6,8.39E-6,,1.4E-7,,",
        ",12214932.99,4369,2,9000,,,3.5E-5,,0.25,",
    ]
    header = "FILEOPENTIME,12212238.42,,1/10/2022 15:29:28\nSTARTUPAXIS,X,2\nSTARTUPAXIS,Y1,3"
    measurement = read(written(tmp_path / "a.dat", headings, rows, header))
    entry = measurement[0]
    assert (entry.technique, entry.x, entry.default) == ("transport", "magnetic_field", "resistivity_1")
    assert (entry["resistivity_2"].unit, entry["resistivity_2"].values[1]) == ("ohm*cm", 3.5e-5)
    assert entry["resistivity_1"].uncertainty is not None
    assert entry["voltage_1"].unit == "V"
    assert entry["hall_coefficient_2"].unit == "cm**3/coulomb"
    assert entry.started is None  # the tenth of January, or the first of October
    assert "'1/10/2022 15:29:28' is not known" in measurement.warnings[0]


@pytest.mark.parametrize(
    ("opened", "moment"),
    [
        ("3873799740,10/01/2022,15:29", datetime(2022, 10, 1, 15, 29)),
        (
            "3851162940,12/01/2022,3:29 PM",
            datetime(2022, 1, 12, 15, 29),
        ),  # the stamp says that the day is first
        ("12212,2022/10/28,15:29", datetime(2022, 10, 28, 15, 29)),
        ("12212,28.10.2022,15:29:07", datetime(2022, 10, 28, 15, 29, 7)),
        ("12212,01.10.2022,15:29:07", datetime(2022, 10, 1, 15, 29, 7)),
        ("12212,10/01/2022,3:29 pm", datetime(2022, 10, 1, 15, 29)),  # MultiVu's own form
    ],
)
def test_dates_of_other_countries(tmp_path: Path, opened: str, moment: datetime) -> None:
    path = written(
        tmp_path / "a.dat",
        "Comment,Time Stamp (sec),Temperature (K),Magnetic Field (Oe)",
        [",1,2,3", ",2,3,4"],
        f"FILEOPENTIME,{opened}",
    )
    assert read(path)[0].started == moment


def test_raw_data_keep_their_scans_apart(tmp_path: Path) -> None:
    headings = "Comment,Time Stamp (sec),Raw Position (mm),Raw Voltage (V),Free C Fitted (V)"
    rows = [";avg. temp = 300 K", ",1,24.9,-0.3,", ",2,25.1,-0.4,", ";avg. temp = 290 K", ",3,24.9,-0.3,0.1"]
    header = "FILEOPENTIME,3720425250.81348,11/21/2017,11:28 am"
    measurement = read(written(tmp_path / "a.dat", headings, rows, header))
    assert measurement[0]["scan"].values.tolist() == [1, 1, 2]
    remarks = measurement.original_metadata["Remarks among the records"]
    assert [text.strip() for text in remarks] == [";avg. temp = 300 K", ";avg. temp = 290 K"]


@pytest.mark.parametrize("end", ["\n", ""])
def test_rows_without_their_last_empty_columns_are_whole(tmp_path: Path, end: str) -> None:
    """The Resistivity and ACMS options leave commas out in every row: nothing is wrong with them."""
    text = (
        "[Header]\nTITLE, a\nFILEOPENTIME,30422650.78,12/18/2024,10:42 AM\nBYAPP, Resistivity, 2.1, 1.0\n"
        "INFO, APPNAME, PPMS MultiVu Application, 1.5.11\nINFO, TMR, Sample1 Name\n[Data]\n"
        "Comment,Time Stamp (sec),Temperature (K),Magnetic Field (Oe),Bridge 1 Resistivity (Ohm),Pressure ()\n"
        ",30423338.25,2,-10000,0.46\n,30423339.25,2,-9000,0.47"
    )
    (tmp_path / "a.dat").write_text(text + end)
    measurement = read(tmp_path / "a.dat")
    assert measurement.warnings == ()
    assert measurement.sample == "TMR"
    assert measurement[0]["resistivity_1"].values.tolist() == [0.46, 0.47]
    assert measurement[0].conditions["software"].value == "PPMS MultiVu Application, 1.5.11"
