"""A unit misread makes a true number false: the table is held against Pint, spellings against what vendors mean."""

from __future__ import annotations

import math
import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zairyo.measurement import _unit_table as table
from zairyo.measurement import units
from zairyo.measurement.techniques import TECHNIQUES, conditions

#: Where we differ from Pint on purpose: see _unit_table.
_OURS = {"emu", "Oe", "gauss", "arb", "dB", "decade", "pixel", "mAU", "nRIU"}
_NAMES = sorted(
    {*table.PREFIXED, *table.PLAIN, *(p + n for n in table.PREFIXED for p in table.PREFIXES)}
    - {"Grad", "Gs"}  # giga-radian, giga-second: to vendors a degree and a gauss
    - {p + n for n in _OURS for p in ("", *table.PREFIXES)}
)


@cache
def pint_registry() -> Any:
    import pint

    registry = pint.UnitRegistry()
    registry.define("ppb = 1e-9")
    return registry


def by_pint(unit: str) -> float:
    return float(pint_registry().Quantity(1.0, unit).to_base_units().magnitude)


@pytest.mark.parametrize("name", _NAMES)
def test_every_unit_of_the_table_is_what_pint_says(name: str) -> None:
    si = units.to_si(1.0, name)
    assert si is not None
    assert si[0] == pytest.approx(by_pint(name), rel=1e-9)
    assert pint_registry().Quantity(1.0, name).is_compatible_with(si[1] or "dimensionless")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.sampled_from(_NAMES), st.sampled_from(("*", "/")), st.integers(1, 3)),
        min_size=1,
        max_size=4,
    ),
    st.floats(-1e6, 1e6),
)
def test_every_compound_is_what_pint_says(parts: list[tuple[str, str, int]], value: float) -> None:
    text = "1" + "".join(f"{op}{name}**{power}" for name, op, power in parts)
    text = text if text[1] == "/" else text[2:]
    expected = by_pint(text)
    si = units.to_si(value, text)
    if not 1e-270 < abs(expected) < 1e270:
        return
    assert si is not None
    assert si[0] == pytest.approx(value * expected, rel=1e-8, abs=1e-300)
    spelled = units.normalise(text)
    assert spelled is not None
    assert units.normalise(spelled) == spelled, "a spelling that is right is left alone"
    assert units.to_si(value, spelled) == pytest.approx(si)
    assert units.to_si(1.0, si[1]) == (1.0, si[1]), "what to_si gives is itself a unit"


@settings(deadline=None, derandomize=True)
@given(st.floats(-1e6, 1e6), st.sampled_from(("degC", "degF")))
def test_scales_of_temperature_have_their_zero(value: float, unit: str) -> None:
    si = units.to_si(value, unit)
    assert si is not None
    expected = pint_registry().Quantity(value, unit).to("kelvin").magnitude
    assert si == (pytest.approx(expected, rel=1e-12, abs=1e-9), "K")
    assert units.convert(si[0], "K", unit) == pytest.approx(value, rel=1e-9, abs=1e-6)


def test_differences_of_temperature_have_none() -> None:
    assert units.to_si(60.0, "degC/min") == (pytest.approx(1.0), "K/s")
    assert units.to_si(60.0, "K/min") == (pytest.approx(1.0), "K/s")
    assert units.to_si(9.0, "degF/s") == (pytest.approx(5.0), "K/s")
    assert units.to_si(5.0, "delta_degC") == (5.0, "K")


def test_gaussian_magnetism_is_what_the_same_measurement_is_in_si() -> None:
    assert units.to_si(1.0, "emu") == (1e-3, units.to_si(1.0, "A*m**2")[1])  # type: ignore[index]
    assert units.to_si(1.0, "Oe") == (pytest.approx(1000 / (4 * math.pi)), "A/m")
    assert units.convert(10.0, "kOe", "A/m") == pytest.approx(795774.7154594767)
    assert units.convert(1.0, "emu/g", "A*m**2/kg") == pytest.approx(1.0)
    assert units.convert(1.0, "emu/cm**3", "kA/m") == pytest.approx(1.0)
    assert units.convert(1.0, "T", "G") == pytest.approx(10_000)
    assert not units.same_dimension("Oe", "T"), "field strength and flux density are two things"


@pytest.mark.parametrize("unit", ["counts", "arb", "dB", "decade", "deg", "pixel"])
def test_what_is_not_a_plain_number_is_not_compared_with_one(unit: str) -> None:
    assert not units.same_dimension(unit, "")
    assert units.same_dimension("percent", "")


@pytest.mark.parametrize(
    ("spelling", "unit"),
    {
        "°C": "degC", "℃": "degC", "deg C": "degC", "Celsius": "degC", "C": "C", "Grad": "deg", "Grad C": "degC",
        "mW/mg": "mW/mg", "(mW/mg)": "mW/mg", "µV": "uV", "μV/mg": "uV/mg", "cm-1": "1/cm", "cm^-1": "1/cm",
        "cm⁻¹": "1/cm", "1/cm": "1/cm", "cps": "count/s", "CPS": "count/s", "Counts/sec": "count/s",
        "counts": "counts", "Counts": "counts", "count/s": "count/s", "2Th deg": "deg", "2Theta (deg)": "deg",
        "°2Th.": "deg", "°": "deg", "deg.": "deg", "Å": "angstrom", "Angstrom": "angstrom", "K/min": "K/min",
        "°C/min": "K/min", "%": "percent", "%/min": "percent/min", "wt.%": "percent", "A.cm^-2": "A/cm**2",
        "mA/cm²": "mA/cm**2", "a.u.": "arb", "Arb. Units": "arb", "ARBITRARY UNITS": "arb", "mL/min": "ml/min",
        "Ohm-m": "ohm*m", "Ω": "ohm", "kOhm": "kohm", "mTorr": "mtorr", "mBar": "mbar", "Sec": "s", "hours": "h",
        "Min": "min", "ms": "ms", "J/(g·K)": "J/(g*K)", "m2/g": "m**2/g", "G": "gauss", "": "", "W/(m K)": "W/(m*K)",
        "cm2/V/s": "cm**2/(V*s)",
        "s^(-1)": "1/s", "mPa.s": "mPa*s", "kJ/mol": "kJ/mol", "V/Hz**0.5": "V/Hz**0.5", "minute": "min",
    }.items(),
)  # fmt: skip
def test_what_vendors_write(spelling: str, unit: str) -> None:
    assert units.normalise(spelling) == unit


@pytest.mark.parametrize(
    "text",
    ["J/g K", "AU", "au", "dpi", "hh:mm", "M", "foo", "m//s", "m/", "*m", "(m", "m)", "m**", "m**9999", "?", "\0",
     "m" * 101, "1e5 m", "()", "m(", "a b c", "Nm", "((((m", "[" * 90, "m" + "/m" * 49, "ﬁ", "💥", "2"],
)  # fmt: skip
def test_what_is_not_understood_is_unknown_and_never_guessed(text: str) -> None:
    if text.startswith("m/m"):
        assert units.to_si(1.0, text) is not None
        return
    assert units.normalise(text) is None
    assert units.to_si(1.0, text) is None


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=30) | st.text("mskgAVC/*·.()^-+12% °µ", max_size=20))
def test_any_text_gives_a_unit_or_none(text: str) -> None:
    spelled = units.normalise(text)
    assert spelled is None or units.normalise(spelled) == spelled


def test_rare_words_are_asked_of_pint() -> None:
    assert units.convert(1.0, "foot", "m") == pytest.approx(0.3048)
    assert units.convert(1.0, "hartree", "eV") == pytest.approx(27.211386, rel=1e-6)
    assert units.convert(2.0, "kilojoule", "J") == pytest.approx(2000)


def test_the_vocabularys_units_are_known_and_spelled_right() -> None:
    named = {(c.name, c.unit) for key in TECHNIQUES for c in conditions(key).values()}
    named |= {(s.name, s.unit) for t in TECHNIQUES.values() for s in t.signals}
    assert [(n, u) for n, u in sorted(named, key=str) if u is not None and units.normalise(u) != u] == []


def test_quantities_people_type() -> None:
    assert units.parse_quantity("300 degC") == (300.0, "degC")
    assert units.parse_quantity(" -1.5e3µV/mg ") == (-1500.0, "uV/mg")
    assert units.parse_quantity("7") == (7.0, "")
    with pytest.raises(units.UnitError, match=r"'degX' is unknown; did you mean .*degC"):
        units.parse_quantity("300 degX")
    with pytest.raises(units.UnitError, match="number"):
        units.parse_quantity("warm")
    assert units.near("mv")[0] == "mV"
    assert "K" in units.near("kelvn")


def test_converting_what_cannot_be_says_which() -> None:
    assert np.array_equal(units.convert(np.array([0.0, 100.0]), "degC", "K"), [273.15, 373.15])
    assert units.convert(5.0, "degC", "°C") == 5.0
    with pytest.raises(units.UnitError, match="mg cannot be converted to K"):
        units.convert(1.0, "mg", "K")
    with pytest.raises(units.UnitError, match="unknown"):
        units.convert(1.0, "mg", "frobs")


def test_usual_units_do_not_wait_for_pint() -> None:
    code = (
        "import sys; from zairyo.measurement import units; from zairyo.measurement.techniques import *;"
        "[units.to_si(1.0, c.unit) for k in TECHNIQUES for c in conditions(k).values() if c.unit];"
        "assert 'pint' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
