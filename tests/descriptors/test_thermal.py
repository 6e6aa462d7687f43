"""DSC transitions, glass transitions and mass steps: known curves, a published round robin, real files."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import SHARED
from tests.descriptors.curves import columns, gaussian, scan

import zairyo
from zairyo import descriptors
from zairyo.descriptors import CannotDescribe, Descriptors
from zairyo.measurement import Entry, Quantity

RATE = 10.0  # K/min
#: How an event is refused that is not whole between its limits.
_CUT = r"cut off|no event stands out|one side goes straight|a step or a bend"


def value(found: Descriptors, name: str, item: str | None = None) -> float:
    return float((found[name, item] if item else found[name]).value.value)  # type: ignore[arg-type]


def melting(T: Any, onset: float, peak: float, tail: float, height: float) -> Any:
    """A melt as heat-flow DSC shows it: straight up from the onset, back exponentially."""
    return np.where(
        onset > T,
        0.0,
        np.where(peak > T, height * (T - onset) / (peak - onset), height * np.exp(-(T - peak) / tail)),
    )


def indium(enthalpy: float = 28.6, noise: float = 0.0) -> Entry:
    """28.6 J/g melting at 156.6 °C over a sloping baseline, 10 K/min; W/g."""
    T = np.arange(120.0, 190.0, 0.02)
    shape = melting(T, 156.6, 157.6, 0.4, 1.0)
    shape *= enthalpy / (np.trapezoid(shape, T) * 60 / RATE)
    y = 0.3 + 0.002 * T + shape + noise * np.random.default_rng(0).normal(size=len(T))
    return scan(T, y)


@pytest.mark.parametrize("told", [{}, {"low": 150, "high": 165}, {"low": "423.15 K", "high": "438.15 K"}])
def test_melting_of_indium(told: dict[str, Any]) -> None:
    """Onset and enthalpy are what calorimeters are calibrated with."""
    found = descriptors.compute(indium(noise=0.001), "dsc_transitions", endothermic="up", **told)
    onset = found["transition_onset"].value
    assert onset.value == pytest.approx(156.6, abs=0.05)
    assert onset.unit == "degC"
    assert value(found, "transition_peak") == pytest.approx(157.6, abs=0.05)
    enthalpy = found["transition_enthalpy"].value
    assert enthalpy.value == pytest.approx(28.6, rel=0.01)
    assert enthalpy.unit == "J/g"
    assert enthalpy.uncertainty is not None
    assert 0 < enthalpy.uncertainty < 1
    assert found[0].item == "heating_1/transition_1"


def test_sign_follows_what_is_said_of_the_signal() -> None:
    up, down = ({"low": 150, "high": 165, "endothermic": way} for way in ("up", "down"))
    assert value(descriptors.compute(indium(), "dsc_transitions", **up), "transition_enthalpy") > 28
    assert value(descriptors.compute(indium(), "dsc_transitions", **down), "transition_enthalpy") < -28
    silent = descriptors.compute(indium(), "dsc_transitions", low=150, high=165)
    assert any("endothermic is not stated" in w for w in silent.warnings)


@pytest.mark.parametrize(
    ("low", "high"), [(120, 157.4), (120, 158.2), (156.9, 180), (157.5, 180), (157.7, 175)]
)
def test_an_event_that_the_limits_cut_off_is_refused(low: float, high: float) -> None:
    with pytest.raises(CannotDescribe, match=_CUT):
        descriptors.compute(indium(), "dsc_transitions", low=low, high=high)


@settings(max_examples=8, deadline=None)
@given(
    kept=st.floats(-0.8, 1.2),
    width=st.floats(2.0, 8.0),
    rising=st.booleans(),
    sign=st.sampled_from([1.0, -1.0]),
)
def test_an_event_that_the_run_cuts_off_is_refused(
    kept: float, width: float, rising: bool, sign: float
) -> None:
    """Ending anywhere within the event, from its foot to its other one, on heating or cooling."""
    T = np.arange(50.0, 200.0 + kept * width / 2, 0.05)
    T = T if rising else 250 - T
    y = 1 + sign * 20 * gaussian(T, 200.0 if rising else 50.0, width)
    run = scan(T, y)
    with pytest.raises(CannotDescribe, match=_CUT):
        descriptors.compute(run, "dsc_transitions", start_up=0)
    with pytest.raises(CannotDescribe, match=_CUT):
        descriptors.compute(run, "dsc_transitions", low=float(T.min()), high=float(T.max()))
    with pytest.raises(CannotDescribe, match="does not reach over"):
        descriptors.compute(run, "dsc_transitions", low=150, high=260)


@settings(max_examples=6, deadline=None)
@given(
    area=st.floats(2.0, 80.0),
    width=st.floats(3.0, 12.0),
    slope=st.floats(-0.004, 0.004),
    sign=st.sampled_from([1.0, -1.0]),
    cooling=st.booleans(),
)
def test_a_gaussian_event_on_a_slope(
    area: float, width: float, slope: float, sign: float, cooling: bool
) -> None:
    """Area and peak are exact; onset and end are where a Gaussian's inflection tangents meet its baseline."""
    T = np.arange(60.0, 160.0, 0.05)
    T = T[::-1] if cooling else T
    y = 0.5 + slope * T + sign * area * gaussian(T, 110.0, width) * RATE / 60
    found = descriptors.compute(scan(T, y), "dsc_transitions", low=70, high=150)
    assert value(found, "transition_enthalpy") == pytest.approx(sign * area, rel=2e-3)
    assert value(found, "transition_peak") == pytest.approx(110.0, abs=0.05)
    sigma = width / 2.354820045
    before, after = (110 - 2 * sigma, 110 + 2 * sigma)
    if cooling:
        before, after = after, before
    assert value(found, "transition_onset") == pytest.approx(before, abs=0.15 * sigma)
    assert value(found, "transition_end") == pytest.approx(after, abs=0.15 * sigma)


def test_the_integral_baseline_follows_a_step_under_the_peak() -> None:
    T = np.arange(60.0, 160.0, 0.05)
    peak = 30 * gaussian(T, 110.0, 6.0) * RATE / 60
    step = 0.1 * np.cumsum(peak) / peak.sum()
    run = scan(T, 0.5 + peak + step)
    straight, integral = (
        value(
            descriptors.compute(run, "dsc_transitions", low=80, high=140, baseline=b), "transition_enthalpy"
        )
        for b in ("linear", "integral")
    )
    assert integral == pytest.approx(30.0, rel=2e-3)
    linear = descriptors.compute(run, "dsc_transitions", low=80, high=140)["transition_enthalpy"].value
    assert abs(straight - 30) < 3 * (linear.uncertainty or 0), (
        "the choice of the baseline is in the uncertainty"
    )


def test_heat_flow_without_a_mass_gives_heat_and_with_it_enthalpy() -> None:
    T = np.arange(60.0, 160.0, 0.05)
    y = 30 * gaussian(T, 110.0, 6.0) * RATE / 60  # mW: 30 mJ
    bare = descriptors.compute(scan(T, y, unit="mW"), "dsc_transitions", low=80, high=140)
    assert bare["transition_heat"].value.value == pytest.approx(30.0, rel=2e-3)
    assert any("give sample_mass" in w for w in bare.warnings)
    told = descriptors.compute(scan(T, y, unit="mW"), "dsc_transitions", low=80, high=140, sample_mass="5 mg")
    assert value(told, "transition_enthalpy") == pytest.approx(6.0, rel=2e-3)
    stated = scan(T, y, unit="mW", sample_mass=Quantity(0.005, "g"))
    assert value(descriptors.compute(stated, "dsc_transitions", low=80, high=140), "transition_enthalpy") == (
        pytest.approx(6.0, rel=2e-3)
    )


def cycle() -> Entry:
    """Heating, holding, cooling, heating; the event is seen on each, undercooled by 20 K."""
    up, down = np.arange(30.0, 180.0, 0.05), np.arange(180.0, 30.0, -0.05)
    T = np.concatenate([up, np.full(600, 180.0), down, up])
    y = np.concatenate(
        [
            1 + 25 * gaussian(up, 120, 5) / 6,
            np.zeros(600),
            -1 - 25 * gaussian(down, 100, 5) / 6,
            1 + 24 * gaussian(up, 120, 5) / 6,
        ]
    )
    time = np.arange(len(T)) * 0.3
    given = {"time": (time, "s"), "temperature": (T, "degC"), "specific_heat_flow": (y, "W/g")}
    return columns("dsc", "time", "specific_heat_flow", given)


def test_each_part_of_a_run_is_described() -> None:
    found = descriptors.compute(cycle(), "dsc_transitions")
    items = [d.item for d in found.named("transition_enthalpy")]
    assert items == ["heating_1/transition_1", "cooling_1/transition_1", "heating_2/transition_1"]
    got = [d.value.value for d in found.named("transition_enthalpy")]
    assert got == pytest.approx([25.0, -25.0, 24.0], rel=0.01)
    one = descriptors.compute(cycle(), "dsc_transitions", segment="cooling_1")
    assert value(one, "transition_onset") > value(one, "transition_peak") > value(one, "transition_end")
    region = one[0].region
    assert region is not None
    assert region.axis == "time"
    assert 1080 < region.low < region.high < 2000
    again = descriptors.compute(cycle(), "dsc_transitions", **one[0].parameters)
    assert [d.value for d in again] == [d.value for d in one]
    with pytest.raises(
        CannotDescribe, match="no part 'cooling_2'; it has heating_1, isothermal_1, cooling_1"
    ):
        descriptors.compute(cycle(), "dsc_transitions", segment="cooling_2")


def test_a_curve_without_events_gives_none() -> None:
    T = np.arange(0.0, 200.0, 0.05)
    noise = np.random.default_rng(1).normal(size=len(T))
    for y in (0.2 + 0.001 * T, 0.2 + 0.001 * T + 0.01 * noise, 1e-6 * T**2 + 0.001 * noise):
        with pytest.raises(CannotDescribe, match=_CUT):
            descriptors.compute(scan(T, y), "dsc_transitions")
    with pytest.raises(CannotDescribe, match="temperature does not change"):
        descriptors.compute(
            columns("dsc", "time", "heat_flow", {
                "time": (np.arange(100.0), "s"), "temperature": (np.full(100, 25.0), "degC"),
                "heat_flow": (noise[:100], "mW"),
            }), "dsc_transitions",
        )  # fmt: skip


# --- glass transition ------------------------------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(step=st.floats(0.02, 0.5), width=st.floats(2.0, 5.0), middle=st.floats(70, 90), cooling=st.booleans())
def test_glass_transition_of_a_known_step(step: float, width: float, middle: float, cooling: bool) -> None:
    """A logistic step: midpoint and inflection at its centre, onset and end two widths from it."""
    T = np.arange(20.0, 140.0, 0.1)
    y = (1.2 + 0.002 * T + step / (1 + np.exp(-(T - middle) / width))) * RATE / 60
    T, y = (T[::-1], -y[::-1]) if cooling else (T, y)
    found = descriptors.compute(scan(T, y), "dsc_glass_transition", low=30, high=130)
    assert value(found, "glass_transition_midpoint") == pytest.approx(middle, abs=0.3)
    assert value(found, "glass_transition_inflection") == pytest.approx(middle, abs=1.0)
    ends = (middle + 2 * width, middle - 2 * width) if cooling else (middle - 2 * width, middle + 2 * width)
    assert value(found, "glass_transition_onset") == pytest.approx(ends[0], abs=1.0)
    assert value(found, "glass_transition_end") == pytest.approx(ends[1], abs=1.0)
    assert value(found, "heat_capacity_step") == pytest.approx(step, rel=0.04)


def test_no_step_no_glass_transition() -> None:
    T = np.arange(20.0, 140.0, 0.1)
    noise = 0.01 * np.random.default_rng(2).normal(size=len(T))
    for y in (0.2 + noise, 0.2 + 0.001 * T + noise, 0.2 + 3 * gaussian(T, 80, 10)):
        with pytest.raises(CannotDescribe, match=r"no step|peak rather than a step"):
            descriptors.compute(scan(T, y), "dsc_glass_transition", low=40, high=120)
    with pytest.raises(CannotDescribe, match="reaches over 100 … 160"):
        descriptors.compute(scan(T, 0.2 + noise), "dsc_glass_transition", low=100, high=160)


def test_a_polymers_two_heatings_have_one_glass_transition(instruments: Path) -> None:
    """METTLER TOLEDO: both heatings of the same sample agree; cooling too fast for the machine is left out."""
    m = zairyo.read(instruments / "dsc-txt/poly1.txt")
    found = descriptors.compute(m, "dsc_glass_transition", low=-70, high=-30, sample_mass=10)
    first, second = (value(found, "glass_transition_midpoint", s) for s in ("heating_1", "heating_2"))
    assert first == pytest.approx(-49.0, abs=0.5)
    assert abs(first - second) < 0.5
    assert value(found, "heat_capacity_step", "heating_1") == pytest.approx(
        value(found, "heat_capacity_step", "heating_2"), rel=0.1
    )


# --- mass steps ------------------------------------------------------------------------------------------------


def burning(T: Any, steps: list[tuple[float, float, float]]) -> Any:
    return 100 + sum(change / (1 + np.exp(-(T - middle) / width)) for middle, width, change in steps)


STEPS = [(160.0, 8.0, -12.33), (480.0, 9.0, -19.17), (720.0, 12.0, -30.12)]


def weighed(unit: str = "percent", noise: float = 0.0, until: float = 900.0, rising: float = 0.0) -> Entry:
    T = np.arange(30.0, until, 0.25)
    y = burning(T, STEPS) + noise * np.random.default_rng(4).normal(size=len(T)) + rising * T
    time = (T - T[0]) * 6
    given: dict[str, Any] = {"time": (time / 60, "min"), "temperature": (T + 273.15, "K")}
    conditions: dict[str, Quantity] = {}
    if unit == "percent":
        given["relative_mass"] = (y, unit)
    elif unit == "mg":
        given["mass"] = (y * 0.05, unit)
    else:
        given["mass_change"] = ((y - 100) * 0.05, "mg")
        conditions["sample_mass"] = Quantity(5.0, "mg")
    return columns("tga", "temperature", next(reversed(given)), given, **conditions)


@pytest.mark.parametrize("unit", ["percent", "mg", "change"])
def test_known_steps_in_every_kind_of_mass(unit: str) -> None:
    """A logistic step: highest rate at its centre, the tangent there meets the plateaus two widths from it."""
    found = descriptors.compute(weighed(unit, noise=0.01), "tga_steps")
    for number, (middle, width, change) in enumerate(STEPS, start=1):
        item = f"step_{number}"
        mass = found["mass_change_step", item].value
        assert mass.value == pytest.approx(change, abs=0.35)
        assert mass.uncertainty is not None
        assert value(found, "dtg_peak", item) == pytest.approx(middle, abs=1.5)
        assert value(found, "dtg_peak_rate", item) == pytest.approx(change / 4 / width * RATE, rel=0.05)
        assert value(found, "mass_step_onset", item) == pytest.approx(middle - 2 * width, abs=1.5)
        assert value(found, "mass_step_end", item) == pytest.approx(middle + 2 * width, abs=1.5)
    assert value(found, "residue") == pytest.approx(38.38, abs=0.05)


def test_a_step_that_the_end_cuts_off_is_left_out_and_told() -> None:
    found = descriptors.compute(weighed(noise=0.005, until=725), "tga_steps")
    assert len(found.named("mass_change_step")) == 2
    assert any("cut off by an end of heating_1" in w for w in found.warnings)
    residue = found["residue"]
    assert any("still changes" in w for w in residue.warnings)


def test_a_mass_that_does_not_change_has_no_step_but_a_residue() -> None:
    T = np.arange(30.0, 900.0, 0.25)
    y = 100 + 0.02 * np.random.default_rng(5).normal(size=len(T))
    given = {"time": (T * 6, "s"), "temperature": (T, "degC"), "relative_mass": (y, "percent")}
    found = descriptors.compute(columns("tga", "temperature", "relative_mass", given))
    assert [d.name for d in found] == ["residue"]
    assert value(found, "residue") == pytest.approx(100, abs=0.02)


def test_only_the_change_of_a_mass_that_nobody_states_is_refused() -> None:
    T = np.arange(30.0, 900.0, 1.0)
    given = {"time": (T * 6, "s"), "temperature": (T, "degC"), "mass_change": (-T / 1000, "mg")}
    with pytest.raises(CannotDescribe, match="give initial_mass"):
        descriptors.compute(columns("tga", "temperature", "mass_change", given))


def round_robin(name: str) -> np.ndarray[Any, Any]:
    path = SHARED / "domains" / "ils" / name
    if not path.is_file():
        pytest.skip(f"the published round robin is not here ({path})")
    with gzip.open(path, "rt") as f:
        rows = list(csv.reader(f))[1:]
    return np.array(rows, dtype=float)


def test_calcium_oxalate_of_seven_laboratories_loses_what_its_formula_says() -> None:
    """Naya et al. 2014: CaC₂O₄·H₂O loses H₂O 12.33 %, CO 19.17 %, CO₂ 30.12 % (temperatures are not published)."""
    T = np.linspace(40.0, 850.0, 1000)
    got = []
    for mass in round_robin("tg_oxalate_7labs_105curves.csv.gz")[::15]:
        given = {"time": (T * 6, "s"), "temperature": (T, "degC"), "relative_mass": (mass, "percent")}
        found = descriptors.compute(columns("tga", "temperature", "relative_mass", given))
        steps = found.named("mass_change_step")
        assert len(steps) == 3
        got.append([float(d.value.value) for d in steps])  # type: ignore[arg-type]
    assert np.mean(got, axis=0) == pytest.approx([-12.33, -19.17, -30.12], abs=0.5)
    assert np.std(got, axis=0, ddof=1).max() < 0.3


def test_calcium_oxalate_shows_its_three_events_in_calorimetry() -> None:
    """Water leaves (endothermic), carbon monoxide burns (exothermic), carbon dioxide leaves (endothermic)."""
    T = np.linspace(40.0, 850.0, 1000)
    for heat in round_robin("dsc_oxalate_6labs_90curves.csv.gz")[:30:10]:
        run = scan(T, heat, unit="mW", sample_mass=Quantity(10.0, "mg"))
        found = descriptors.compute(run, "dsc_transitions", endothermic="down")
        signs = [np.sign(float(d.value.value)) for d in found.named("transition_enthalpy")]  # type: ignore[arg-type]
        assert signs == [1, -1, 1]


def test_wood_in_nitrogen_and_a_polymer(instruments: Path) -> None:
    wood = descriptors.compute(
        zairyo.read(instruments / "netzsch-ngb/Douglas_Fir_STA_10K_250730_R13.ngb-ss3"), "tga_steps"
    )
    largest = min(wood.named("mass_change_step"), key=lambda d: float(d.value.value))  # type: ignore[arg-type]
    assert value(wood, "dtg_peak", largest.item) == pytest.approx(365, abs=3)
    assert -75 < float(largest.value.value) < -68  # type: ignore[arg-type]
    polymer = descriptors.compute(zairyo.read(instruments / "tga-txt/poly1.txt"), "tga_steps")
    assert value(polymer, "residue") == pytest.approx(100 * 0.1585 / 2.52522, abs=0.2)


def test_a_glass_transition_is_no_event(instruments: Path) -> None:
    """Over a baseline between its ends a step looks like a triangle, whose area means nothing."""
    T = np.arange(20.0, 140.0, 0.05)
    step = 0.2 + 0.001 * T + 0.3 / (1 + np.exp(-(T - 80) / 1.5))
    with pytest.raises(CannotDescribe, match=_CUT):
        descriptors.compute(scan(T, step), "dsc_transitions")
    with pytest.raises(CannotDescribe, match=_CUT):
        descriptors.compute(scan(T, step), "dsc_transitions", low=50, high=110)
    polymer = descriptors.compute(zairyo.read(instruments / "dsc-txt/poly1.txt"), "dsc_transitions")
    assert not [d for d in polymer if d.item.startswith("heating")]
