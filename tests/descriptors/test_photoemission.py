"""Areas over backgrounds that are known, composition, and a vendor's own areas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.descriptors.curves import gaussian

import zairyo
from zairyo import descriptors
from zairyo.descriptors import CannotDescribe, Descriptors
from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal

X = np.arange(520.0, 545.0, 0.05)


def value(found: Descriptors, name: str, item: str | None = None) -> float:
    return float((found[name, item] if item else found[name]).value.value)  # type: ignore[arg-type]


def region(
    y: Any, x: Any = X, name: str = "o1s", axis: str = "binding_energy", unit: str = "count/s"
) -> Entry:
    return Entry(
        name,
        "xps",
        axes=(Axis(axis, np.asarray(x), "eV"),),
        signals=(Signal("intensity", np.asarray(y), unit, axes=(axis,)),),
    )


def line(area: float = 5000.0, place: float = 531.0) -> Any:
    return area * gaussian(X, place, 1.6)


def over_step(area: float = 5000.0, base: float = 900.0, k: float = 0.03) -> Any:
    """A line on what Shirley says it makes: ``k`` of the area that has been passed."""
    y = line(area)
    passed = np.concatenate([[0], np.cumsum((y[1:] + y[:-1]) / 2 * 0.05)])
    return y + base + k * passed


def over_losses(area: float = 5000.0, base: float = 900.0, b: float = 2866.0) -> Any:
    """A line with Tougaard's losses of the whole measured spectrum."""
    y = line(area, 525.0)
    kernel = b * 0.05 * X * 0
    total = np.zeros_like(y)
    for i in range(len(X)):
        loss = X[i] - X[:i]
        kernel = b * loss / (1643 + loss**2) ** 2
        total[i] = y[i] + 0.05 * float(kernel @ total[:i])
    return base + total


@settings(max_examples=8, deadline=None)
@given(area=st.floats(50, 1e6), base=st.floats(0, 1e5), k=st.floats(-0.02, 0.1))
def test_shirley_gives_the_area_that_made_the_step(area: float, base: float, k: float) -> None:
    base += 0.05 * area
    found = descriptors.compute(region(over_step(area, base, k)), "xps_areas")
    assert value(found, "line_area") == pytest.approx(area, rel=2e-3)
    assert value(found, "line_energy") == pytest.approx(531.0, abs=0.02)
    assert value(found, "line_width") == pytest.approx(1.6, abs=0.05)


def test_each_background_is_right_for_what_makes_it() -> None:
    flat = region(line() + 900 + 4 * (X - 520))
    losses = region(over_losses())
    for entry, background in ((flat, "linear"), (losses, "tougaard")):
        found = descriptors.compute(entry, "xps_areas", background=background)
        assert value(found, "line_area") == pytest.approx(5000.0, rel=5e-3)
    assert found["line_area"].value.unit == "count*eV/s"
    assert any("Tougaard's background needs 30 eV" in w for w in found.warnings)
    assert value(descriptors.compute(losses, "xps_areas", background="linear"), "line_area") < 4980


def test_kinetic_energy_units_scale_and_order_do_not_matter() -> None:
    y = over_step()
    first = descriptors.compute(region(y), "xps_areas")
    turned = region(7 * y[::-1], (1486.6 - X[::-1]) / 1000, axis="kinetic_energy")
    kilo = Entry(
        "o1s", "xps", axes=(Axis("kinetic_energy", turned.axes[0].values, "keV"),), signals=turned.signals
    )
    second = descriptors.compute(kilo, "xps_areas")
    assert value(second, "line_area") == pytest.approx(7 * value(first, "line_area"), rel=1e-9)
    assert value(second, "line_energy") == pytest.approx(1486.6 - value(first, "line_energy"), abs=1e-6)
    again = descriptors.compute(region(y), "xps_areas", **first[0].parameters)
    assert [d.value for d in again] == [d.value for d in first]


def test_the_uncertainty_is_as_large_as_the_scatter_of_repeated_counting() -> None:
    y = over_step(400.0, 100.0)
    runs = [region(np.random.default_rng(i).poisson(y), unit="counts") for i in range(10)]
    found = [descriptors.compute(r, "xps_areas")["line_area"].value for r in runs]
    got = np.std([float(q.value) for q in found], ddof=1)  # type: ignore[arg-type]
    told = np.mean([q.uncertainty or 0 for q in found])
    assert 0.4 * told < got < 2 * told
    assert np.mean([float(q.value) for q in found]) == pytest.approx(400, abs=3 * got)  # type: ignore[arg-type]


def test_a_survey_noise_and_a_step_alone_are_refused() -> None:
    x = np.arange(0.0, 1200.0, 1.0)
    with pytest.raises(CannotDescribe, match="a survey; give low and high"):
        descriptors.compute(region(np.ones(1200) + gaussian(x, 531, 3) * 5000, x), "xps_areas")
    noise = np.random.default_rng(2).poisson(np.full(len(X), 400.0))
    with pytest.raises(CannotDescribe, match=r"no line stands out|does not meet both limits"):
        descriptors.compute(region(noise), "xps_areas")
    with pytest.raises(CannotDescribe, match=r"no line stands out|does not meet both limits"):
        descriptors.compute(region(1000 + 500 / (1 + np.exp(-(X - 532)))), "xps_areas")


# --- composition -----------------------------------------------------------------------------------------------


def test_composition_of_a_known_oxide_from_counts_of_unequal_times() -> None:
    oxygen = region(3 * over_step(2.93 * 2000), unit="counts")
    silicon = region(over_step(0.817 * 1000), name="si2p", unit="counts")
    timed = [
        Entry(e.name, "xps", axes=e.axes, signals=e.signals, conditions={
            "dwell_time": Quantity(100.0, "ms"), "repetitions": Quantity(n, ""), "analysed_region": Quantity(label),
        })
        for e, n, label in ((oxygen, 3, "O 1s"), (silicon, 1, "Si 2p"))
    ]  # fmt: skip
    told = {"O1s": 2.93, "Si2p": 0.817}
    found = descriptors.compute(Measurement(tuple(timed)), "xps_composition", sensitivity_factors=told)
    assert value(found, "atomic_fraction", "o1s") == pytest.approx(200 / 3, rel=1e-3)
    assert value(found, "atomic_fraction", "si2p") == pytest.approx(100 / 3, rel=1e-3)
    errors = [d.value.uncertainty for d in found]
    assert errors[0] == pytest.approx(errors[1])
    with pytest.raises(CannotDescribe, match="states no dwell time"):
        descriptors.compute(Measurement((oxygen, silicon)), "xps_composition", sensitivity_factors=told)
    with pytest.raises(CannotDescribe, match="no region is called n1s; there are o1s, si2p"):
        descriptors.compute(Measurement(tuple(timed)), "xps_composition", sensitivity_factors="O1s=1,N1s=2")
    with pytest.raises(CannotDescribe, match="O1s is not above zero"):
        descriptors.compute(Measurement(tuple(timed)), "xps_composition", sensitivity_factors="O1s=0")


def test_a_depth_profile_has_the_areas_that_the_vendor_states(instruments: Path) -> None:
    """PHI MultiPak's own areas of O 1s and Si 2p of every layer; oxide on silicon."""
    m = zairyo.read(instruments / "phi-spe/XPS_PHI_QUANTERA_depth_1.pro")
    stated = m["depth_profile"].to_pandas()
    for name, layers in (("o1s", 13), ("si2p", 13)):
        found = descriptors.compute(m, "xps_areas", entry=name, background="linear")
        areas = [value(found, "line_area", f"etch_time_{i + 1}") for i in range(1, layers)]
        assert np.array(areas) == pytest.approx(stated[f"area_{name}"].values[1:layers], rel=0.06)
    told = {"O1s": 0.711, "Si2p": 0.283}
    found = descriptors.compute(m, "xps_composition", sensitivity_factors=told, background="linear")
    oxide = value(found, "atomic_fraction", "etch_time_6/o1s")
    assert 55 < oxide < 70, "SiO2 has two oxygens for a silicon"


def test_iron_oxide_of_a_vamas_file(instruments: Path) -> None:
    found = zairyo.describe(zairyo.read(instruments / "vamas/FeO_analyzed.vms"), "xps_areas", entry="fe_2p")
    assert value(found, "line_energy") == pytest.approx(710.0, abs=0.5)
