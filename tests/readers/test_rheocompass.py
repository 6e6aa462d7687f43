"""Rheometers: a user would read strain in % as a number, or lose the intervals after the first.

No export may be shipped; the files here are written as public code and published data show them.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants, registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.rheocompass import READER

TABS = (
    "Project:\tPDMS\nTest:\tE3\n\nResult:\tFrequency sweep 1\n\n"
    "Interval and data points:\t1\t3\n"
    "Interval data:\tPoint No.\tTime\tAngular Frequency\tStorage Modulus\tLoss Modulus\tShear Strain\tTorque\tStatus\n"
    "\t\t\t\t\t\t\t\t\n"
    "\t\t[s]\t[rad/s]\t[kPa]\t[Pa]\t[%]\t[mN·m]\t\n"
    "\t1\t10\t100\t1.5\t500\t1\t0.01\tWMa,TruStrain™\n"
    "\t2\t20\t10\t1.2\t400\t1\t\tWMa,TruStrain™\n"
    "\t3\t30\t1\t1.0\t300\t1\t0.03\tM-\n\n"
    "Interval and data points:\t2\t2\n"
    "Interval data:\tPoint No.\tTime\tShear Rate\tViscosity\n"
    "\t\t\t\t\n"
    "\t\t[s]\t[1/s]\t[mPa·s]\n"
    "\t1\t1\t0.1\t1,000.5\n"
    "\t2\t2\t10\t900\n"
)


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, text: str, encoding: str) -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_intervals_between_tabs(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.txt", TABS, encoding)
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    sweep, flow = m.entries
    assert (sweep.x, sweep.default) == ("angular_frequency", "storage_modulus")
    assert sweep["storage_modulus"].values.tolist() == [1.5, 1.2, 1.0]
    units = {s.name: s.unit for s in sweep.signals}
    assert units["storage_modulus"] == "kPa"
    assert units["shear_strain"] == "percent"
    assert units["torque"] == "mN*m"
    assert sweep["status"].values[0] == "WMa,TruStrain™"
    assert np.isnan(sweep["torque"].values[1])
    assert (flow.x, flow.default) == ("shear_rate", "viscosity")
    assert flow["viscosity"].values.tolist() == [1000.5, 900]
    assert flow["viscosity"].unit == "mPa*s"
    assert (m.sample, m.title) == ("E3", "E3")
    assert sweep.conditions["step"].value == "Frequency sweep 1"
    assert not m.warnings


def test_commas(tmp_path: Path) -> None:
    text = (
        TABS.replace("\t1,000.5", '\t"1,000.5"')
        .replace("WMa,TruStrain™", '"WMa,TruStrain"')
        .replace("\t", ",")
    )
    m = read(written(tmp_path / "a.csv", text, "utf-8"))
    assert m[1]["viscosity"].values.tolist() == [1000.5, 900]
    assert m[0]["status"].values.tolist() == ["WMa,TruStrain", "WMa,TruStrain", "M-"]


def test_german_with_decimal_commas(tmp_path: Path) -> None:
    text = (
        "Projekt:;P\nVersuch:;V1\nErgebnis:;Fließkurve\nIntervall und Datenpunkte:;1;2\n"
        "Intervalldaten:;Messpunkt;Zeit;Scherrate;Viskosität\n;;;;\n;;[s];[1/s];[Pa·s]\n"
        ";1;0,5;0,1;12,25\n;2;1,5;10;9,5\n"
    )
    entry = read(written(tmp_path / "a.csv", text, "cp1252"))[0]
    assert entry["viscosity"].values.tolist() == [12.25, 9.5]
    assert (entry.x, entry.default) == ("shear_rate", "viscosity")


@pytest.mark.parametrize("mark", ["\t3\t30", "\t2\t2\t10"])
def test_fewer_points_than_stated_are_refused(tmp_path: Path, mark: str) -> None:
    with pytest.raises(ReadError, match="cut off"):
        read(written(tmp_path / "a.txt", TABS[: TABS.index(mark)], "utf-8"))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    random = np.random.default_rng(37)
    target = tmp_path / "a.txt"
    for encoding in ("utf-8", "utf-16"):
        whole = TABS.encode(encoding)
        for end in range(0, len(whole), 15):
            target.write_bytes(whole[:end])
            with suppress(ReadError):
                assert isinstance(read(target), Measurement)
        for turn in range(50):
            bad = bytearray(whole)
            for at in random.integers(0, len(bad), 5):
                bad[at] = random.integers(256)
            if turn % 10 == 9:
                bad[150:] = random.bytes(len(bad) - 150)
            target.write_bytes(bytes(bad))
            with suppress(ReadError):
                assert isinstance(read(target), Measurement)


def test_a_line_of_blanks_between_tabs_says_nothing(tmp_path: Path) -> None:
    text = TABS.replace("Test:\tE3\n", "Test:\tE3\n\t \x0b\t\n")
    assert read(written(tmp_path / "a.txt", text, "utf-8")).sample == "E3"


def test_no_other_reader_claims_it(tmp_path: Path) -> None:
    assert registry.find(RawInput(written(tmp_path / "a.txt", TABS, "utf-8"))).name == "rheocompass"
    assert READER.sniff(RawInput(written(tmp_path / "b.txt", "Interval data:\t1\n", "utf-8"))) == NO


RHEOPLUS = """Data Series Information
Name:\tflow curve 1
Sample:\tpaste 7
Operator:\tM. Sato
Measuring System:\tPP25-SN123 d=1 mm

Meas. Pts.\tShear Rate\tShear Stress\tViscosity\tTorque\tStatus
\t[1/s]\t[Pa]\t[Pa·s]\t[µNm]\t[]
1\t0.1\t2\t20\t1.5\tM-
2\t1\t5\t5\t2.5\tM-

Data Series Information
Name:\tflow curve 2
Meas. Pts.\tShear Rate\tShear Stress\tViscosity\tTorque\tStatus
\t[1/s]\t[Pa]\t[Pa·s]\t[µNm]\t[]
1\t10\t6\t0.6\t1.5\tM-
2\t100\t7\t0.07\t2.5\tM-
"""


@pytest.mark.parametrize("language", ["English", "German"])
def test_rheoplus_writes_each_series_by_itself(tmp_path: Path, language: str) -> None:
    """What the rheometers before RheoCompass left: two series must not become one, nor a point's number a value."""
    text = RHEOPLUS
    if language == "German":
        words = (("Meas. Pts.", "Messpkte."), ("Shear Rate", "Scherrate"), ("Shear Stress", "Schubspannung"))
        for english, german in (*words, ("Viscosity", "Viskosität"), ("Torque", "Drehmoment")):
            text = text.replace(english, german)
        for number in ("0.1\t", "1.5\t", "2.5\t", "0.6\t", "0.07\t"):
            text = text.replace(number, number.replace(".", ","))
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode("cp1252"))
    assert registry.find(RawInput(path)).name == "rheocompass"
    m = registry.read(path)
    assert [e.conditions["step"].value for e in m] == ["flow curve 1", "flow curve 2"]
    assert m[0]["point"].values.tolist() == [1, 2]
    assert m[0]["shear_rate"].values.tolist() == [0.1, 1]
    assert (m[1]["viscosity"].unit, m[1]["viscosity"].values.tolist()) == ("Pa*s", [0.6, 0.07])
    assert (m[0]["torque"].unit, m[0]["torque"].values.tolist()) == ("uN*m", [1.5, 2.5])
    assert (m[1].x, m[1].default) == ("shear_rate", "viscosity")
    assert (m.sample, m.operator) == ("paste 7", "M. Sato")


def test_rheocompass_in_french(tmp_path: Path) -> None:
    text = (
        "Projet:\tP\nEssai:\tE 1\nRésultat:\tBalayage 1\nIntervalle et points de données:\t1\t2\n"
        "Interval données:\tPoint\tPulsation\tModule de conservation\tModule de perte\n"
        "\t\t[rad/s]\t[Pa]\t[Pa]\n\t1\t100\t1,5\t0,5\n\t2\t1\t2,5\t0,75\n"
    )
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode("utf-16"))
    m = registry.read(path)
    assert (m[0].x, m[0].default) == ("angular_frequency", "storage_modulus")
    assert m[0]["loss_modulus"].values.tolist() == [0.5, 0.75]
    assert m.title == "E 1"
