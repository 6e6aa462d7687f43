"""Isothermal calorimetry: a user would read heat flow in mW as W, or lose the marks that say when it began."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.ta_tam_air import READER

SUMMARY = """Summary
Name,"KAN_CAL026.rslt"
Start time,2026 Jan 07 - 11:11
End time,2026 Jan 12 - 8:19
Operator,"KAN"
General Experiment Info
Bath temperature,20°C
,Sample - Ch2
Total mass,6g
Name,"Portland 7"
,Component - CEM I BB
Mass,4.6154g

"Time","Temperature [AmbientT(Therm3T)]","Temperature [Temperature]","Heat flow [Signal]","Heat [Signal]",\
"Normalized heat flow [Signal]","Normalized heat [Signal]","Time markers","Comments"
-2.5,21.9,20.0,,,,,"",""
0,21.8,20.1,0.02,NaN,0.005,NaN,"Reaction start. Signal correct","stirred, by hand"
10,21.7,20.2,0.04,0.3,0.01,0.075,"",""

"Data series","Section name","No. of data","Duration"
,"Main",4260,172800
"""


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_real_csv(instruments: Path) -> None:
    # pandas 3.1.1 agrees.
    source = RawInput(instruments / "tamair-csv" / "calorimetry_data_1.csv")
    assert READER.sniff(source) == CERTAIN
    entry = read(source.path)[0]
    assert (entry.technique, entry.x, entry.default) == (
        "isothermal_calorimetry",
        "time",
        "specific_heat_flow",
    )
    assert len(entry["time"].values) == 5999
    assert entry["time"].values[[0, -1]] == pytest.approx([-1874.1233294010162, 418559.0], abs=1)
    assert np.nansum(entry["heat_flow"].values) == pytest.approx(HEAT_FLOW, rel=1e-10)
    assert np.nanmax(entry["specific_heat"].values) == pytest.approx(311.79, abs=0.01)
    assert {s.name: s.unit for s in entry.signals} == {
        "time": "s", "temperature": "degC", "heat_flow": "W", "heat": "J", "specific_heat_flow": "W/g",
        "specific_heat": "J/g", "time_marker": None}  # fmt: skip
    marks = [m for m in entry["time_marker"].values.tolist() if m]
    assert marks == ["Reaction start. Measuring position. Signal correct", "Ampoule removed"]


HEAT_FLOW = 57.11899914176972  # sum, W


def test_real_workbook(instruments: Path) -> None:
    source = RawInput(instruments / "tamair-csv" / "excel_example3.xls")
    assert READER.sniff(source) == LIKELY
    m = read(source.path)
    entry = m[0]
    assert m.started == datetime(2018, 9, 6, 9, 15, 47, 478000)
    assert len(entry["time"].values) == 2801
    assert entry["heat_flow"].values[1] == 0.11712582801145421
    assert entry["heat"].values[-1] == pytest.approx(715.5685780143357)
    assert (entry["heat_flow"].unit, entry["specific_heat"].unit) == ("W", "J/g")
    assert entry["time_marker"].values[0] == "Reaction start"


def test_real_file_of_the_older_software(instruments: Path) -> None:
    m = read(instruments / "tamair-csv" / "gen1_calofile2.csv")
    entry = m[0]
    assert len(entry["time"].values) == 26988
    assert entry["heat_flow"].values[:2].tolist() == [-0.0928, -0.0978]
    assert (entry["heat_flow"].unit, entry["time"].unit) == ("mW", "s")
    assert entry.conditions["sample_mass"].value == 6.4658
    assert entry.conditions["channel"].value == 3
    at = entry["time_marker"].values.tolist().index("Reaction start")
    assert entry["time"].values[at] == 6120


def test_a_summary_before_and_statistics_behind(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.csv", SUMMARY))
    entry = m[0]
    assert entry["time"].values.tolist() == [-2.5, 0, 10]
    assert entry["specific_heat_flow"].values.tolist()[1:] == [0.005, 0.01]
    assert entry["ambient_temperature"].values[0] == 21.9
    assert entry["comment"].values[1] == "stirred, by hand"
    assert str(entry.conditions["sample_mass"]) == "4.6154 g", "heat per mass is per mass of the component"
    assert str(entry.conditions["temperature"]) == "20 degC"
    assert (m.started, m.operator, m.sample) == (datetime(2026, 1, 7, 11, 11), "KAN", "Portland 7")
    assert m.original_metadata["Summary"]["End time"] == "2026 Jan 12 - 8:19"


def test_eight_channels_in_german(tmp_path: Path) -> None:
    text = "Zeit,Kanal 1,Kanal 2\nSekunden,mW,mW\n,,\n0,0.03,0.034\n10,0.029,0.028\n"
    path = written(tmp_path / "a.csv", text)
    assert READER.sniff(RawInput(path)) == CERTAIN
    entry = read(path)[0]
    assert entry["heat_flow_2"].values.tolist() == [0.034, 0.028]
    assert entry["heat_flow_2"].long_name == "Kanal 2"
    assert (entry["time"].unit, entry["heat_flow"].unit) == ("s", "mW")


def test_a_half_row_is_refused(tmp_path: Path) -> None:
    text = SUMMARY.split("\n\n")[0] + "\n\n" + SUMMARY.split("\n\n")[1]
    with pytest.raises(ReadError, match="cut off"):
        read(written(tmp_path / "a.csv", text[: text.rindex(",0.01,")]))


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(19)
    for name in ("calorimetry_data_1.csv", "gen1_calofile2.csv", "excel_example3.xls"):
        whole, target = (instruments / "tamair-csv" / name).read_bytes(), tmp_path / name
        for end in np.linspace(0, len(whole) - 1, 10).astype(int):
            target.write_bytes(whole[:end])
            with suppress(ReadError):
                assert isinstance(read(target), Measurement)
        small = whole if name.endswith("xls") else whole[:20_000]
        for turn in range(20):
            bad = bytearray(small)
            for at in random.integers(0, len(bad), 6):
                bad[at] = random.integers(256)
            if turn % 10 == 9:
                bad[500:] = random.bytes(len(bad) - 500)
            target.write_bytes(bytes(bad))
            with suppress(ReadError):
                assert isinstance(read(target), Measurement)


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    for text in ("Time,Heat flow\n1,2\n", "Time,Channel A\n1,2\n", '"Time","Voltage","Time markers"\n1,2,\n'):
        assert READER.sniff(RawInput(written(tmp_path / "a.csv", text))) == NO


def test_heat_per_gram_of_no_mass_is_not_one(tmp_path: Path) -> None:
    """Without a mass the program writes the heat flow twice; read as W/g, cements would be a hundred times too lazy."""
    rows = '0,20,5.5E-06,3E-07,{0},{1},""\n1,20,6.5E-06,4E-07,{2},{3},""\n'
    text = 'Summary\nName,"a"\nStart time,2021 Sep 24 - 7:21\nBath temperature,20°C\n,Sample - Ch 1\n{}\n'
    text += (
        '"Time","Temperature","Heat flow","Heat","Normalized heat flow","Normalized heat","Time markers"\n'
    )
    path = tmp_path / "a.csv"
    path.write_text(text.format("ID,1") + rows.format("5.5E-06", "3E-07", "6.5E-06", "4E-07"))
    measurement = read(path)
    assert (measurement[0].default, measurement[0]["heat_flow"].unit) == ("heat_flow", "W")
    assert "specific_heat_flow" not in {s.name for s in measurement[0].signals}
    assert "No mass" in measurement.warnings[0]
    path.write_text(text.format("Mass,2 g") + rows.format("2.75E-06", "1.5E-07", "3.25E-06", "2E-07"))
    measurement = read(path)
    assert (measurement[0].default, measurement.warnings) == ("specific_heat_flow", ())
    assert str(measurement[0].conditions["sample_mass"]) == "2 g"


@pytest.mark.parametrize(
    "table", ["Time\tChannel 1\nSeconds\t°C\n1\t20.3\n", "Zeit;Kanal 1\nSekunden;V\n1;0,3\n"]
)
def test_another_loggers_channels_are_no_calorimetry(tmp_path: Path, table: str) -> None:
    """A thermocouple's log was read as a heat flow in °C."""
    (tmp_path / "a.txt").write_text(table)
    assert READER.sniff(RawInput(tmp_path / "a.txt")) == NO
