"""Pyris text: a user would lose the steps of the method, or the temperature under the heat flow.

No export may be shipped; the file here is written as a public one shows it, its headings unbroken.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants, registry
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.perkinelmer_pyris import READER

HEAD = (
    "Filename:\tc:\\data\\run 2.ds8d\nOperator ID:\tM. Sato\nSample ID:\tPA6 film\nComment:\t\nSerial Number:\t\n"
    "Data Collected:\t27/10/2025 12:17:34\nSample Weight:\t1.080 mg\nDisplay Weight:\t1.080\nCalibration Information\n"
    "Filename:\tC:\\cal.ds8c\nInitial Conditions\nTemperature:\t165.00 °C\nPurge Gas:\t\nPurge Gas Rate:\t\n"
    "Total Points in Run:\t4\nMethod Steps:\nPre-Run Actions\nSwitch the Gas to Nitrogen at 20.0 ml/min\n"
    "1)\tHold for 1.0 min at 165.00°C\n2)\tHeat from 165.00°C to 425.00°C at 2.50°C/min\n\n"
)
NAMES = (
    "\tTime     \tUnsubtracted\tBaseline     \tProgram     \tSample     \tApprox.\tHeat Flow     \tUncorrected\n"
    "\t          \tHeat Flow     \tHeat Flow     \tTemperature\tTemperature\tGas Flow     \tCalibration\tHeat Flow\n"
)
FILE = (
    f"{HEAD}1) DSC 8500 Isothermal\n{NAMES}"
    "\t0.000000\t-30.724099\t0.000000\t165.000000\t159.445000\t20.0\t1.369764\t-30.724099\n"
    "\t0.000500\t-30.741769\t0.000000\t165.000000\t159.541000\t20.0\t1.369764\t-30.741769\n\n"
    f"2) DSC 8500 Dynamic\n{NAMES}"
    "\t1.000000\t-10.5\t0.0\t165.0\t164.5\t20.0\t1.37\t-10.5\n"
    "\t1.100000\t-10.6\t0.0\t165.25\t164.7\t20.0\t1.37\t-10.6\n\n"
    "\tPROFILE VALUES FOR THIS DATA:\n\nSoftware Version\t13.3.2.0030\nLoad Temperature\t25.0 °C\n"
)


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, text: str, encoding: str = "cp1252") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
def test_every_step_is_an_entry(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.txt", FILE, encoding)
    assert READER.sniff(RawInput(path)) == CERTAIN
    assert registry.find(RawInput(path)).name == "perkinelmer_pyris"
    m = read(path)
    assert [e.title for e in m.entries] == ["DSC 8500 Isothermal", "DSC 8500 Dynamic"]
    entry = m[1]
    assert (entry.technique, entry.x, entry.default) == ("dsc", "temperature", "unsubtracted_heat_flow")
    assert entry["unsubtracted_heat_flow"].values.tolist() == [-10.5, -10.6]
    assert entry["temperature"].values.tolist() == [164.5, 164.7]
    units = {s.name: s.unit for s in entry.signals}
    assert units["time"] == "min"
    assert units["unsubtracted_heat_flow"] == "mW"
    assert units["program_temperature"] == "degC"
    assert units["purge_gas_flow"] == "ml/min"
    conditions = {k: str(v) for k, v in entry.conditions.items()}
    assert conditions["sample_mass"] == "1.08 mg"
    assert conditions["heating_rate"] == "2.5 K/min"
    assert conditions["purge_gas"] == "Nitrogen"
    assert (m.sample, m.operator, m.instrument) == ("PA6 film", "M. Sato", "PerkinElmer DSC 8500")
    assert m.started == datetime(2025, 10, 27, 12, 17, 34)
    assert any("13.3.2" in x for x in m.original_metadata["Values of the instrument"])
    assert not m.warnings


def test_headings_may_stand_over_the_first_step_only(tmp_path: Path) -> None:
    """As Pyris writes for a TGA: refused for that, a person had no data at all."""
    names = (
        "\tTime     \tUnsubtracted\tBaseline     \tProgram     \tSample     \tSample     \tBalance      \n"
        "\t          \tWeight     \tWeight     \tTemperature\tTemperature\tPurge Flow\tPurge Flow \n"
    )
    text = HEAD.replace("\n", " \n") + "1) TGA Isothermal \n" + names
    for title, minutes in (("", 0.0), ("2) TGA Temperature Scan \n", 1.0)):
        text += title + "".join(f"\t{minutes + k}\t7.02\t0.0\t50.0\t49.8\t45.0\t69.9 \n" for k in (0, 0.5))
    m = read(written(tmp_path / "a.txt", text))
    assert [e.title for e in m] == ["TGA Isothermal", "TGA Temperature Scan"]
    assert [e.technique for e in m] == ["tga", "tga"]
    assert m[1]["time"].values.tolist() == [1, 1.5]
    assert (m[1]["mass"].unit, m[1]["mass"].values.tolist()) == ("mg", [7.02, 7.02])
    assert (m[1]["protective_gas_flow"].unit, m[1]["protective_gas_flow"].values[0]) == ("ml/min", 69.9)


def test_a_balance(tmp_path: Path) -> None:
    names = (
        "\tTime\tUnsubtracted\tBaseline\tProgram\tSample\tApprox.\n"
        "\t\tWeight\tWeight\tTemperature\tTemperature\tGas Flow\n"
    )
    text = f"{HEAD}1) TGA 4000\n{names}" + "".join(f"\t{t}\t10.5\t0\t30\t29.{t}\t20\n" for t in range(4))
    entry = read(written(tmp_path / "a.txt", text))[0]
    assert (entry.technique, entry.x, entry.default) == ("tga", "temperature", "mass")
    assert entry["mass"].unit == "mg"


def test_headings_broken_over_lines_are_known(tmp_path: Path) -> None:
    text = FILE.replace(NAMES, NAMES.replace("Approx.\t", "Approx.\n"))
    assert read(written(tmp_path / "a.txt", text))[0]["temperature"].values.tolist() == [159.445, 159.541]


def test_fewer_points_than_stated_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cut off"):
        read(written(tmp_path / "a.txt", FILE[: FILE.index("\t1.100000")]))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    random = np.random.default_rng(43)
    whole, target = FILE.encode("cp1252"), tmp_path / "a.txt"
    for end in range(0, len(whole), 25):
        target.write_bytes(whole[:end])
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)
    for turn in range(60):
        bad = bytearray(whole)
        for at in random.integers(0, len(bad), 5):
            bad[at] = random.integers(256)
        if turn % 10 == 9:
            bad[150:] = random.bytes(len(bad) - 150)
        target.write_bytes(bytes(bad))
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)


def test_a_step_has_its_own_temperatures_and_gas(tmp_path: Path) -> None:
    """A hold was given the rate of the ramp after it."""
    text = FILE.replace(
        "425.00°C at 2.50°C/min\n",
        "425.00°C at 2.50°C/min\nSwitch the Gas to Air at 40.0 ml/min\n3)\tHold for 1 min\n",
    )
    text = text.replace(
        "\tPROFILE", "3) DSC 8500 Isothermal\n\t5.0\t-1.0\t0.0\t425.0\t424.5\t20.0\t1.37\t-1.5\n\n\tPROFILE"
    ).replace("Run:\t4", "Run:\t5")
    m = read(written(tmp_path / "a.txt", text))
    hold, ramp, last = ({k: str(v) for k, v in e.conditions.items()} for e in m)
    assert (hold["temperature_start"], hold["temperature_end"]) == ("165 degC", "165 degC")
    assert "heating_rate" not in hold
    assert (ramp["temperature_end"], ramp["heating_rate"]) == ("425 degC", "2.5 K/min")
    assert (hold["purge_gas"], ramp["purge_gas"], last["purge_gas"]) == ("Nitrogen", "Nitrogen", "Air")
    assert last["purge_gas_flow"] == "40 ml/min"


def test_a_date_that_nothing_orders_is_left_open(tmp_path: Path) -> None:
    open_ = FILE.replace("27/10/2025 12:17:34", "05/10/2025 12:17:34")
    m = read(written(tmp_path / "a.txt", open_))
    assert m.started is None
    assert "05/10/2025" in m.warnings[0]
    told = open_.replace("Initial Cond", "Date/Time:\t27/02/2025 14:02:34\nInitial Cond")
    assert read(written(tmp_path / "b.txt", told)).started == datetime(2025, 10, 5, 12, 17, 34)


@pytest.mark.parametrize(
    ("mark", "decimal", "encoding"), [(",", ".", "utf-8"), (";", ",", "cp1252"), ("\t", ".", "utf-16")]
)
def test_the_csv_has_no_header(tmp_path: Path, mark: str, decimal: str, encoding: str) -> None:
    text = (
        "Time,Unsubtracted Weight,Baseline Weight,Program Temperature,Sample Temperature,Sample Purge Flow, \r\n"
        "0.5,2.75,0.0,30.0,30.5,20.0, \r\n0.75,2.5,0.0,31.0,31.5,20.0, \r\n"
    )
    path = written(tmp_path / "run.csv", text.replace(".", decimal).replace(",", mark) if mark != ";" else
                   text.replace(",", ";").replace(".", ","), encoding)  # fmt: skip
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "perkinelmer_pyris"
    (entry,) = m
    assert (entry.technique, entry.x, entry.default) == ("tga", "temperature", "mass")
    assert entry["mass"].values.tolist() == [2.75, 2.5]
    assert {s.name: s.unit for s in entry.signals} == {
        "time": "min", "mass": "mg", "baseline_mass": "mg", "program_temperature": "degC", "temperature": "degC",
        "purge_gas_flow": "ml/min",
    }  # fmt: skip
