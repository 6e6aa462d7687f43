"""TA Instruments' text: a user would lose the steps after the first, or read °C as K and W/g as mW.

No export may be shipped; the files here are written as public code and published data show them.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.small_workbook import workbook

from zairyo.measurement import Measurement
from zairyo.readers import invariants, registry
from zairyo.readers._api import CERTAIN, LIKELY, RawInput, ReadError
from zairyo.readers.ta_trios import READER as TRIOS
from zairyo.readers.ta_universal import READER as UNIVERSAL

UA = """CLOSED\t1
Version\tV24.11
Instrument\tDSC Q2000 V24.10 Build 122
InstSerial\t2000-1234
Operator\tM. Sato
Sample\tPET film
Size\t10.354\tmg
Date\t02-Mar-10
Time\t11:38:23
OrgMethod\t1: Equilibrate at 20.00°C
OrgMethod\t2: Ramp 10.00°C/min to 300.00°C
Nsig\t3
Sig1\tTime (min)
Sig2\tTemperature (°C)
Sig3\tHeat Flow (mW)
StartOfData
0.0\t20.0\t-1.5
0.1\t21.0\t-1.6
-1\t0\t0
0.2\t22.0\t-1.7
"""
RHEO = """Filename\tC:\\data\\pdms.tri
Instrument serial number\t5343-0123
Instrument name\tDiscovery HR-3
operator\tDr. Smith
rundate\t2/3/2020
Sample name\tPDMS
Geometry name\t25mm parallel plate
[Geometry parameters]
Diameter\t25.0 mm

[step]
Frequency sweep (150.0 °C) - 1
Number of points\t2
Angular frequency\tStorage modulus\tLoss modulus\tTan(delta)\tTemperature\tOscillation torque
rad/s\tPa\tPa\t\t°C\tµN.m
100\t2000\t1000\t0.5\t150.0\t10
1\t500\t400\t0.8\t150.0\t2

[step]
Flow sweep - 2
Shear rate\tViscosity
1/s\tPa.s
0.1\t1000
100\t10
"""
LABELLED = """Filename\ttest.txt
Instrument name\tARES-G2
Sample name\tTest Sample

[step]
Temperature\t°C
25.0

[step]
Number of points\t2
Variables\tTime\tStorage modulus\tLoss modulus
\ts\tPa\tPa
data point 1\t0.1\t1000\t500
data point 2\t0.2\t1200\t600
"""
TGA = """Filename;x.tri
Instrument name;TGA5500
Sample name;Oxalate
Sample Mass;10,35 mg

[step]
Ramp 10,00 °C/min to 800,00 °C
Time;Temperature;Weight
min;°C;mg
0,0;25,0;10,350
0,1;26,0;10,349
"""


def read(reader, path: Path) -> Measurement:  # type: ignore[no-untyped-def]
    assert registry.find(RawInput(path)).name == reader.name
    return invariants.check(reader.read(RawInput(path)), reader)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8"])
def test_universal_analysis(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.txt", UA, encoding)
    assert UNIVERSAL.sniff(RawInput(path)) == CERTAIN
    m = read(UNIVERSAL, path)
    (entry,) = m.entries
    assert (entry.technique, entry.x, entry.default) == ("dsc", "temperature", "heat_flow")
    assert entry["heat_flow"].values.tolist() == [-1.5, -1.6, -1.7], (
        "the mark of a segment's end is no reading"
    )
    assert {s.name: s.unit for s in entry.signals} == {
        "time": "min",
        "temperature": "degC",
        "heat_flow": "mW",
    }
    assert str(entry.conditions["sample_mass"]) == "10.354 mg"
    assert str(entry.conditions["heating_rate"]) == "10 K/min"
    assert (m.sample, m.operator) == ("PET film", "M. Sato")
    assert m.started == datetime(2010, 3, 2, 11, 38, 23)
    assert m.original_metadata["OrgMethod"][0] == "1: Equilibrate at 20.00°C"
    assert not m.warnings


def test_universal_analysis_of_a_balance(tmp_path: Path) -> None:
    text = UA.replace("Heat Flow (mW)", "Weight (mg)").replace("DSC Q2000", "TGA Q500").replace("\t", "  ")
    m = read(UNIVERSAL, written(tmp_path / "a.txt", text.replace("Sig1  ", "Sig1\t")))
    assert (m[0].technique, m[0].default) == ("tga", "mass")


@pytest.mark.parametrize(
    ("date", "others", "when", "told"),
    [
        ("05/07/2022 16:38:21", "27/06/2022 16:30:02", datetime(2022, 7, 5, 16, 38, 21), False),
        ("05/07/2022 16:38:21", "06/27/2022 16:30:02", datetime(2022, 5, 7, 16, 38, 21), False),
        ("05/07/2022 16:38:21", "", datetime(2022, 5, 7, 16, 38, 21), True),
        ("5/7/2022 4:38:21 PM", "", datetime(2022, 5, 7, 16, 38, 21), False),
        ("05.07.2022 16:38:21", "", datetime(2022, 7, 5, 16, 38, 21), False),
        ("2022/07/05 16:38:21", "", datetime(2022, 7, 5, 16, 38, 21), False),
    ],
)
def test_trios_dates_of_other_countries(
    tmp_path: Path, date: str, others: str, when: datetime, told: bool
) -> None:
    """The fifth of July was the seventh of May; the file's other dates say which it is."""
    day = date.split()[0]
    header = f"rundate\t{day}\n[File Parameters]\nRun date\t{date}\nFriction calibration date\t{others}"
    m = read(TRIOS, written(tmp_path / "a.txt", RHEO.replace("rundate\t2/3/2020", header)))
    assert m.started == when
    assert bool(m.warnings) is told


def test_trios_steps_of_a_rheometer(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", RHEO)
    assert TRIOS.sniff(RawInput(path)) == CERTAIN
    m = read(TRIOS, path)
    sweep, flow = m.entries
    assert (sweep.technique, sweep.x, sweep.default) == ("rheology", "angular_frequency", "storage_modulus")
    assert sweep["loss_factor"].values.tolist() == [0.5, 0.8]
    assert sweep["torque"].unit == "uN*m"
    assert (flow.x, flow.default) == ("shear_rate", "viscosity")
    assert flow["viscosity"].unit == "Pa*s"
    assert (sweep.title, flow.title) == ("Frequency sweep (150.0 °C) - 1", "Flow sweep - 2")
    assert str(sweep.conditions["geometry_diameter"]) == "25 mm"
    assert (m.sample, m.operator, m.instrument) == ("PDMS", "Dr. Smith", "TA Instruments Discovery HR-3")
    assert m.started == datetime(2020, 2, 3)
    assert not m.warnings


def test_trios_rows_with_labels(tmp_path: Path) -> None:
    m = read(TRIOS, written(tmp_path / "a.txt", LABELLED))
    (entry,) = m.entries
    assert entry["storage_modulus"].values.tolist() == [1000, 1200]
    assert (entry["time"].unit, entry["loss_modulus"].unit) == ("s", "Pa")


def test_trios_of_a_balance_with_decimal_commas(tmp_path: Path) -> None:
    m = read(TRIOS, written(tmp_path / "a.csv", TGA))
    (entry,) = m.entries
    assert (entry.technique, entry.x, entry.default) == ("tga", "temperature", "mass")
    assert entry["mass"].values.tolist() == [10.35, 10.349]
    assert str(entry.conditions["sample_mass"]) == "10.35 mg"
    assert not m.warnings


def test_trios_workbook(tmp_path: Path) -> None:
    details: list[list[object]] = [
        ["Filename", "a.tri"],
        ["Instrument name", "DSC2500"],
        ["Sample name", "PE"],
        ["Sample Mass", "5.1 mg"],
    ]
    ramp: list[list[object]] = [
        ["Ramp 10.00 °C/min to 200.00 °C"],
        ["Time", "Temperature", "Heat Flow (Normalized)"],
        ["min", "°C", "W/g"],
        [0.0, 20.0, -0.1],
        [0.1, 21.0, -0.2],
    ]  # fmt: skip
    path = workbook(tmp_path / "a.xlsx", {"Details": details, "Ramp 10.00 °C": ramp})
    assert TRIOS.sniff(RawInput(path)) == LIKELY
    m = read(TRIOS, path)
    (entry,) = m.entries
    assert (entry.technique, entry.default) == ("dsc", "specific_heat_flow")
    assert entry["specific_heat_flow"].values.tolist() == [-0.1, -0.2]
    assert entry["specific_heat_flow"].unit == "W/g"
    assert str(entry.conditions["sample_mass"]) == "5.1 mg"


def test_fewer_points_than_stated_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cut off"):
        TRIOS.read(RawInput(written(tmp_path / "a.txt", RHEO[: RHEO.index("1\t500")])))


@pytest.mark.parametrize(
    ("reader", "text"), [(UNIVERSAL, UA), (TRIOS, RHEO), (TRIOS, TGA), (TRIOS, LABELLED)]
)
def test_damage_is_an_error_or_a_measurement(tmp_path: Path, reader, text: str) -> None:  # type: ignore[no-untyped-def]
    whole, target = text.encode("cp1252"), tmp_path / "a.txt"
    random = np.random.default_rng(41)
    for end in range(0, len(whole), 15):
        target.write_bytes(whole[:end])
        with suppress(ReadError):
            assert isinstance(invariants.check(reader.read(RawInput(target)), reader), Measurement)
    for turn in range(50):
        bad = bytearray(whole)
        for at in random.integers(0, len(bad), 5):
            bad[at] = random.integers(256)
        if turn % 10 == 9:
            bad[150:] = random.bytes(len(bad) - 150)
        target.write_bytes(bytes(bad))
        with suppress(ReadError):
            assert isinstance(invariants.check(reader.read(RawInput(target)), reader), Measurement)


@pytest.mark.parametrize(
    ("heading", "name", "unit"),
    [
        ("Heat Flow (mW)", "heat_flow", "mW"),
        ("Heat Flow (W/g)", "specific_heat_flow", "W/g"),
        ("Weight (mg)", "mass", "mg"),
        ("Weight (%)", "relative_mass", "percent"),
        ("Heat Capacity (mJ/°C)", "heat_capacity", "mJ/K"),
    ],
)
def test_a_heading_means_what_its_unit_says(tmp_path: Path, heading: str, name: str, unit: str) -> None:
    """Taken for mW, W/g would give an enthalpy that is wrong by the sample's mass; percent are no milligrams."""
    path = tmp_path / "a.txt"
    path.write_text(UA.replace("Heat Flow (mW)", heading), encoding="utf-16")
    entry = UNIVERSAL.read(RawInput(path))[0]
    assert (entry.default, entry[name].unit) == (name, unit)
    about, _, quantity = heading.partition(" (")
    text = RHEO[: RHEO.index("Angular")].replace("Discovery HR-3", "Discovery SDT 650")
    text += f"Time\tTemperature\t{about}\nmin\t°C\t{quantity.rstrip(')')}\n0\t20\t1\n1\t30\t2\n"
    path.write_text(text, encoding="utf-8")
    entry = TRIOS.read(RawInput(path))[0]
    assert (entry.default, entry[name].unit) == (name, unit)


def test_decimal_commas_of_the_method_too(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    header, rows = UA.split("StartOfData\n")
    commas = (
        header.replace("10.00°C/min to 300.00", "10,50°C/min to 300,00")
        + "StartOfData\n"
        + rows.replace(".", ",")
    )
    path.write_text(commas, encoding="utf-8")
    entry = UNIVERSAL.read(RawInput(path))[0]
    assert entry["heat_flow"].values.tolist() == [-1.5, -1.6, -1.7]
    assert entry.conditions["heating_rate"].value == 10.5
    assert entry.conditions["temperature_end"].value == 300
