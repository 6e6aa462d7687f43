"""Indents of Anton Paar (CSM): a user would lose what the analysis found, or one indent beside another."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import ReadError

TEXT = """Indentation

+ Advanced
   Acquisition rate :\t10.0 [Hz]
   Linear loading
   Max load :\t1000.00 \tµN
   Loading rate :\t500.00 \tµN/min
   Pause :\t30.0 s

+ TTX - UNHT Bio S/N: 100 settings
   Approach speed : 100 µm/min
   X Position :9540.60 µm

Date :{date}
Time :8:00:16 AM

Analysis n # 1

   Method :\tHertz

 + Additional results

   R2=\t0.95

Analysis n # 2

   Method :\tOliver & Pharr

 + Main results

   HIT=\t26.624 \tkPa
   EIT=\t840.33 \tkPa

   !!! Indenter not calibrated !!!
   Poisson's ratio(nu)=\t0.30

 + Additional results

   R2=\t1.000

Measured values
Time (s)\tPd (µm)\tFn (µN)\tFnRef (µN)\tSegmentID

0\t0\t0\t5.35\t1
0.1\t0.1811\t0.4911\t5.36\t1
0.2\t0.3606\t1.1353\t5.37\t2
"""
CURVES = (
    "X_V_100mN_1_Time_[s]\tY_V_100mN_1_Fn_[mN]\tX_V_100mN_1_Time_[s]\tY_V_100mN_1_Pd_[nm]\t"
    "X_V_100mN_2_Time_[s]\tY_V_100mN_2_Fn_[mN]\tX_V_100mN_2_Time_[s]\tY_V_100mN_2_Pd_[nm]\t\n"
    "0\t0\t0\t1\t0\t0.5\t0\t2\t\n0.1\t0.25\t0.1\t2.5\t\t\t\t\t\n"
)


def read(path: Path, text: str) -> Measurement:
    path.write_text(text, "cp1252", newline="\r\n")
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "antonpaar_indentation"
    return m


def test_an_indent_with_its_settings_and_analyses(tmp_path: Path) -> None:
    m = read(tmp_path / "a.TXT", TEXT.format(date="6/19/2026"))
    entry = m[0]
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("time", "s"), ("depth", "um"), ("force", "uN"), ("fnref", "uN"), ("segment", None),
    ]  # fmt: skip
    assert (entry.x, entry.default) == ("depth", "force")
    assert entry["force"].values.tolist() == [0, 0.4911, 1.1353]
    assert {k: str(v) for k, v in entry.conditions.items()} == {
        "maximum_force": "1000 uN",
        "loading_rate": "500 uN/min",
        "hold_time": "30 s",
        "surface_approach_velocity": "100 um/min",
        "position_x": "9540.6 um",
        "hardness": "26.624 kPa",
        "youngs_modulus": "840.33 kPa",
        "poisson_ratio": "0.3",
    }
    assert m.started == datetime(2026, 6, 19, 8, 0, 16)
    assert m.instrument == "TTX - UNHT Bio"
    assert m.warnings == ("Indenter not calibrated.",)
    said = m.original_metadata["indent"]
    assert [said[f"Analysis n # {n}: Additional results"]["R2"] for n in (1, 2)] == ["0.95", "1.000"]


def test_a_date_that_may_be_two_is_left_open(tmp_path: Path) -> None:
    m = read(tmp_path / "a.TXT", TEXT.format(date="6/9/2026"))
    assert m.started is None
    assert any("day or the month" in w for w in m.warnings)


def test_curves_of_several_indents(tmp_path: Path) -> None:
    m = read(tmp_path / "a.TXT", CURVES)
    assert [(e.title, e["force"].values.tolist(), e["depth"].values.tolist()) for e in m.entries] == [
        ("V_100mN_1", [0, 0.25], [1, 2.5]),
        ("V_100mN_2", [0.5], [2]),
    ]
    assert [(s.name, s.unit) for s in m[0].signals] == [("time", "s"), ("force", "mN"), ("depth", "nm")]


@pytest.mark.parametrize("end", [TEXT.index("0\t0\t0"), len(TEXT) - 12])
def test_a_file_that_was_cut_off(tmp_path: Path, end: int) -> None:
    with pytest.raises(ReadError, match="cut off"):
        read(tmp_path / "a.TXT", TEXT[:end])


def test_words_among_the_points_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="words among its points"):
        read(
            tmp_path / "a.TXT",
            CURVES.replace("0\t0\t0\t1\t", "a\tb\tc\td\t").replace("0.1\t0.25\t0.1\t2.5", "e\tf\tg\th"),
        )
