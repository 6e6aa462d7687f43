"""Tensile tests and hysteresis loops of known materials; real files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.descriptors.curves import columns

import zairyo
from zairyo import descriptors
from zairyo.descriptors import CannotDescribe, Descriptors
from zairyo.measurement import Entry, Quantity


def value(found: Descriptors, name: str, item: str | None = None) -> float:
    return float((found[name, item] if item else found[name]).value.value)  # type: ignore[arg-type]


# --- tension ---------------------------------------------------------------------------------------------------

E, RP, POWER, RM = 70_000.0, 300.0, 15.0, 360.0


def curve(breaks: bool = True, noise: float = 0.0) -> tuple[Any, Any]:
    """Ramberg–Osgood: strain = σ/E + 0.002 (σ/Rp)ⁿ, so that Rp0.2 is exactly Rp; then necking and the break."""
    stress = np.concatenate([np.linspace(0, 250, 700), np.linspace(250.1, RM, 900)])
    strain = stress / E + 0.002 * (stress / RP) ** POWER
    neck = np.linspace(0, 1, 300)[1:]
    strain = np.concatenate([strain, strain[-1] + 0.02 * neck])
    stress = np.concatenate([stress, RM - 40 * neck**2])
    if breaks:
        strain = np.concatenate([strain, strain[-1] + np.array([1e-5, 2e-5, 3e-5])])
        stress = np.concatenate([stress, [60.0, 2.0, 1.0]])
    return strain, stress + noise * np.random.default_rng(3).normal(size=len(stress))


def bar(strain: Any, stress: Any) -> Entry:
    given = {"strain": (100 * strain, "percent"), "stress": (stress, "MPa")}
    return columns("tensile", "strain", "stress", given)


PLASTIC_AT_RM = 100 * 0.002 * (RM / RP) ** POWER
LIMITS = {"strain_low": 0.05, "strain_high": 0.2}


def test_a_known_alloy() -> None:
    found = descriptors.compute(bar(*curve(noise=0.05)), **LIMITS)
    modulus = found["youngs_modulus"].value
    assert modulus.unit == "GPa"
    assert modulus.uncertainty is not None
    assert abs(float(modulus.value) - 70) < max(3 * modulus.uncertainty, 0.05)  # type: ignore[arg-type]
    assert value(found, "proof_strength") == pytest.approx(300, abs=1)
    assert value(found, "tensile_strength") == pytest.approx(360, abs=0.2)
    assert value(found, "elongation_at_maximum_force") == pytest.approx(PLASTIC_AT_RM, abs=0.1)
    assert value(found, "elongation_at_maximum_force_total") == pytest.approx(
        PLASTIC_AT_RM + 36 / 70, abs=0.1
    )
    after = PLASTIC_AT_RM + 36 / 70 + 2 - 32 / 70
    assert value(found, "elongation_after_fracture") == pytest.approx(after, abs=0.05)
    assert not found.named("upper_yield_strength")
    assert not found.warnings
    region = found["proof_strength"].region
    assert region is not None
    assert (region.axis, region.unit) == ("strain", "percent")
    assert region.high == pytest.approx(100 * (300 / E + 0.002), abs=0.02)


def test_a_specimen_that_was_not_broken_has_no_elongation_after_fracture() -> None:
    found = descriptors.compute(bar(*curve(breaks=False)), **LIMITS)
    assert not found.named("elongation_after_fracture")
    assert any("without a fall of the stress" in w for w in found.warnings)
    assert value(found, "tensile_strength") == 360


@settings(max_examples=8, deadline=None)
@given(area=st.floats(0.5, 200), gauge=st.floats(5, 200), toe=st.floats(0, 0.01), kilo=st.booleans())
def test_force_and_extension_in_any_unit_give_the_same(
    area: float, gauge: float, toe: float, kilo: bool
) -> None:
    """The place where the extension begins to count does not matter either."""
    strain, stress = curve()
    given = {
        "extension": ((strain + toe) * gauge * (1000 if kilo else 1), "um" if kilo else "mm"),
        "force": (stress * area / (1000 if kilo else 1), "kN" if kilo else "N"),
    }
    side = {"sample_width": Quantity(area / 2, "mm"), "sample_thickness": Quantity(0.2, "cm")}
    entry = columns("tensile", "extension", "force", given, gauge_length=Quantity(gauge, "mm"), **side)
    first, second = descriptors.compute(bar(strain, stress), **LIMITS), descriptors.compute(entry, **LIMITS)
    assert [d.name for d in first] == [d.name for d in second]
    for a, b in zip(first, second, strict=True):
        assert b.value.value == pytest.approx(a.value.value, rel=1e-6), a.name
    again = descriptors.compute(entry, "tensile", **second[0].parameters)
    assert [d.value.value for d in again] == pytest.approx([d.value.value for d in second], rel=1e-12)


def test_a_steel_that_yields_has_upper_and_lower_yield_strength() -> None:
    strain = np.concatenate(
        [np.linspace(0, 0.00171, 400), np.linspace(0.00172, 0.02, 600), np.linspace(0.0201, 0.2, 800)]
    )
    elastic = 210_000 * strain
    plateau = 330 + 4 * np.sin(strain * 3000)
    plateau[(strain > 0.00171) & (strain < 0.0021)] = 320  # the machine's first undershoot
    hard = 330 + 120 * (1 - np.exp(-(strain - 0.02) / 0.05))
    stress = np.where(strain <= 0.00171, elastic, np.where(strain < 0.02, plateau, hard))
    found = descriptors.compute(bar(strain, stress), strain_high=0.15)
    assert value(found, "upper_yield_strength") == pytest.approx(359.1, abs=0.5)
    assert value(found, "lower_yield_strength") == pytest.approx(326, abs=0.5)
    assert value(found, "youngs_modulus") == pytest.approx(210, rel=1e-3)


def test_what_is_missing_is_named() -> None:
    strain, stress = curve()
    given: dict[str, tuple[Any, str | None]] = {"position": (strain * 50, "mm"), "force": (stress * 8, "N")}
    entry = columns("tensile", "position", "force", given, sample_width=Quantity(4.0, "mm"))
    with pytest.raises(CannotDescribe, match=r"only sample_width is stated.; give cross_section"):
        descriptors.compute(entry)
    with pytest.raises(CannotDescribe, match="position needs the gauge length; give gauge_length"):
        descriptors.compute(entry, cross_section=8)
    found = descriptors.compute(entry, cross_section="8 mm^2", gauge_length="5 cm")
    assert value(found, "tensile_strength") == pytest.approx(360)
    assert any("from the crosshead" in w for w in found.warnings)
    with pytest.raises(CannotDescribe, match="strain has no unit"):
        descriptors.compute(
            columns("tensile", "strain", "stress", {"strain": (strain, None), "stress": (stress, "MPa")})
        )
    with pytest.raises(CannotDescribe, match="not strained to 30 %"):
        descriptors.compute(bar(strain, stress), strain_high=30)
    with pytest.raises(CannotDescribe, match="not tensile"):
        descriptors.compute(bar(strain, -stress))


def test_a_modulus_over_a_bent_curve_is_given_with_a_word() -> None:
    strain = np.linspace(0, 0.3, 800)
    found = descriptors.compute(bar(strain, 20 * np.tanh(strain / 0.02)), strain_high=3)
    assert any("not straight" in w for w in found.warnings)


def test_paper_in_a_microtester(instruments: Path) -> None:
    """Deben: 5 mm × 1 mm strip between grips 10 mm apart, whose highest force is 30.47 N."""
    m = zairyo.read(instruments / "deben-mtr/NANOCEL_KW.CHAL_450PPM_15.MTR")
    with pytest.raises(CannotDescribe, match="stated is the span of 10 mm"):
        zairyo.describe(m)
    found = zairyo.describe(m, gauge_length="10 mm", strain_low=0.2, strain_high=1)
    assert value(found, "tensile_strength") == pytest.approx(30.47 / 5)
    assert found[0].parameters["cross_section"] == Quantity(5.0, "mm**2")
    assert 0.05 < value(found, "youngs_modulus") < 2


# --- magnetism -------------------------------------------------------------------------------------------------

MS, HC, WIDTH = 0.8, 250.0, 400.0


def loop(
    chi: float = 0.0, noise: float = 0.0, shift: float = 0.0, lift: float = 0.0, steps: int = 161
) -> tuple[Any, Any]:
    """Virgin curve, falling and rising branch: tanh((H ± Hc)/w), so that Ms, Hc and Mr are exact. emu, Oe."""
    down = np.linspace(10_000, -10_000, steps)
    field = np.concatenate([np.linspace(0, 10_000, steps // 2), down, down[::-1]])
    coercive = np.concatenate([np.zeros(steps // 2), np.full(steps, HC), np.full(steps, -HC)])
    moment = MS * np.tanh((field - shift + coercive) / WIDTH) + chi * field + lift
    return field, moment + noise * np.random.default_rng(8).normal(size=len(field))


def magnet(field: Any, moment: Any, temperature: Any = 300.0, **conditions: Quantity) -> Entry:
    given = {
        "temperature": (np.broadcast_to(temperature, field.shape), "K"),
        "magnetic_field": (field, "Oe"),
        "magnetic_moment": (moment, "emu"),
    }
    return columns("magnetometry", "magnetic_field", "magnetic_moment", given, **conditions)


@pytest.mark.parametrize("way", ["approach", "linear"])
def test_a_known_loop_on_a_diamagnetic_holder(way: str) -> None:
    entry = magnet(*loop(chi=-2e-6, noise=2e-4, lift=0.01))
    found = descriptors.compute(entry, saturation=way, subtract_slope=True)
    for name, truth, unit in (
        ("saturation_magnetisation", MS, "emu"),
        ("coercivity", HC, "Oe"),
        ("remanent_magnetisation", MS * np.tanh(HC / WIDTH), "emu"),
        ("squareness", np.tanh(HC / WIDTH), ""),
        ("high_field_susceptibility", -2e-6, "emu/Oe"),
    ):
        quantity = found[name].value
        assert quantity.unit == unit
        assert quantity.uncertainty is not None
        assert abs(float(quantity.value) - truth) < max(5 * quantity.uncertainty, 0.01 * abs(truth)), name  # type: ignore[arg-type]
        assert quantity.uncertainty < 0.1 * abs(truth), name
    assert abs(value(found, "loop_shift")) < 10


def test_a_shifted_loop_shows_its_shift() -> None:
    found = descriptors.compute(magnet(*loop(shift=120)))
    assert value(found, "loop_shift") == pytest.approx(120, abs=3)
    assert value(found, "coercivity") == pytest.approx(HC, abs=3)


@settings(max_examples=8, deadline=None)
@given(scale=st.floats(1e-6, 1e3), tesla=st.booleans(), mass=st.booleans(), backwards=st.booleans())
def test_units_scale_and_direction_do_not_matter(
    scale: float, tesla: bool, mass: bool, backwards: bool
) -> None:
    field, moment = loop()
    if backwards:
        field, moment = -field, -moment
    given = {
        "magnetic_field": (field / 1e4 if tesla else field / 12.566370614 * 1e3, "T" if tesla else "A/m"),
        "magnetic_moment": (moment * scale / 1000, "A*m**2"),
    }
    conditions = {"sample_mass": Quantity(20.0, "mg")} if mass else {}
    found = descriptors.compute(
        columns("magnetometry", "magnetic_field", "magnetic_moment", given, **conditions)
    )
    size = 0.02 if mass else 1.0
    assert value(found, "saturation_magnetisation") == pytest.approx(MS * scale / size, rel=1e-3)
    assert found["saturation_magnetisation"].value.unit == ("emu/g" if mass else "emu")
    assert value(found, "coercivity") == pytest.approx(HC, rel=0.02)
    assert value(found, "squareness") == pytest.approx(np.tanh(HC / WIDTH), rel=0.02)


def test_the_demagnetising_field_is_taken_off_only_where_it_is_asked_for() -> None:
    """A sheared loop: the internal one comes back with N and the volume (cgs: H − 4π N M)."""
    internal, moment = loop(steps=321)
    volume, factor = 2e-3, 0.1
    applied = internal + 4 * np.pi * factor * moment / volume
    entry = magnet(applied, moment, sample_volume=Quantity(2.0, "mm**3"))
    sheared, true = descriptors.compute(entry), descriptors.compute(entry, demagnetising_factor=factor)
    expected = MS * np.tanh(HC / WIDTH)
    assert value(true, "remanent_magnetisation") == pytest.approx(expected, rel=0.01)
    assert value(sheared, "remanent_magnetisation") < 0.8 * expected
    assert value(true, "coercivity") == pytest.approx(value(sheared, "coercivity"), abs=3)
    with pytest.raises(CannotDescribe, match="give sample_volume"):
        descriptors.compute(magnet(applied, moment), demagnetising_factor=factor)


def test_loops_at_several_temperatures_are_told_apart() -> None:
    field, moment = loop()
    both = magnet(
        np.tile(field, 2), np.concatenate([moment, 0.5 * moment]), np.repeat([5.0, 300.0], len(field))
    )
    found = descriptors.compute(both)
    assert value(found, "saturation_magnetisation", "loop_1_5K") == pytest.approx(MS, rel=1e-3)
    assert value(found, "saturation_magnetisation", "loop_2_300K") == pytest.approx(MS / 2, rel=1e-3)


def test_part_of_a_loop_gives_its_saturation_alone() -> None:
    field, moment = loop()
    found = descriptors.compute(magnet(field[:80], moment[:80]))
    assert [d.name for d in found] == ["saturation_magnetisation", "high_field_susceptibility"]
    assert any("Only one end" in w for w in found.warnings)


def test_what_does_not_saturate_or_is_no_loop_is_refused(instruments: Path) -> None:
    field, _ = loop()
    noise = 1e-6 * np.random.default_rng(0).normal(size=len(field))
    with pytest.raises(CannotDescribe, match="does not saturate"):
        descriptors.compute(magnet(field, 3e-7 * field + noise))
    far = descriptors.compute(magnet(field, np.tanh(field / 8000)))
    assert any("either the sample is not saturated" in w for w in far.warnings)
    for name in ("MT_0P1T_ZFC.DAT", "MT_0P01T_FC.DAT"):
        with pytest.raises(CannotDescribe, match="not swept at a constant temperature"):
            zairyo.describe(zairyo.read(instruments / "qd-ppms-dat" / name))
