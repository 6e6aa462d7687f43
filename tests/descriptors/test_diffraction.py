"""Diffraction peaks and crystallinity: against known patterns, published lattices and a second implementation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.descriptors.curves import K_ALPHA, doublets, gaussian, lorentzian, pattern

import zairyo
from zairyo import descriptors
from zairyo.descriptors import CannotDescribe, Descriptors
from zairyo.measurement import Axis, Entry, Quantity, Signal

#: Position, FWHM and area: silicon-like, the last two 0.35° apart.
LINES = [(28.44, 0.10, 900.0), (47.30, 0.12, 500.0), (56.12, 0.13, 300.0), (56.47, 0.13, 150.0)]


def peaks(entry: Entry, **told: object) -> Descriptors:
    return descriptors.compute(entry, "diffraction_peaks", **told)


def values(found: Descriptors, name: str) -> list[float]:
    return [float(d.value.value) for d in found.named(name)]  # type: ignore[arg-type]


def noisy(seed: int = 1, level: float = 60.0) -> Entry:
    x = np.arange(20.0, 70.0, 0.013)
    clean = level + 300 * np.exp(-x / 15) + doublets(x, LINES)
    return pattern(x, np.random.default_rng(seed).poisson(clean))


def test_known_lines_come_back_within_their_errors() -> None:
    """Who loses: everybody who takes a lattice parameter or a size from these numbers."""
    found = peaks(noisy())
    assert len(found.named("peak_position")) == 4
    for name, place in (("peak_position", 0), ("peak_width", 1), ("peak_area", 2)):
        for d, line in zip(found.named(name), LINES, strict=True):
            error = d.value.uncertainty
            assert error is not None
            assert 0 < error < 0.2 * line[place]
            assert abs(d.value.value - line[place]) < 4 * error, (name, d.value, line)  # type: ignore[operator]
    position = found["peak_position", "peak_1"].value
    assert position.uncertainty is not None
    assert position.uncertainty < 0.002


def test_errors_are_as_large_as_the_scatter_of_repeated_measurements() -> None:
    runs = [peaks(noisy(seed), low=46, high=49) for seed in range(8)]
    for name in ("peak_position", "peak_width", "peak_area"):
        got = np.array([values(r, name)[0] for r in runs])
        told = np.mean([float(r.named(name)[0].value.uncertainty or 0) for r in runs])
        assert 0.4 * told < got.std(ddof=1) < 2.0 * told, name


def test_d_and_size_follow_bragg_and_scherrer() -> None:
    found = peaks(noisy(), instrument_fwhm="0.06 deg", broadening="lorentzian", scherrer_constant=0.94)
    theta = np.radians(np.array(values(found, "peak_position")) / 2)
    assert values(found, "d_spacing") == pytest.approx(1.540598 / (2 * np.sin(theta)), rel=1e-12)
    beta = np.radians(np.array(values(found, "peak_width")) - 0.06)
    assert values(found, "crystallite_size") == pytest.approx(
        0.94 * 0.1540598 / (beta * np.cos(theta)), rel=1e-12
    )
    assert not found.warnings
    without = peaks(noisy())
    assert "broadening is not given" in without.warnings[0]
    gaussian_way = peaks(noisy(), instrument_fwhm=0.06)
    wide = np.array(values(gaussian_way, "peak_width"))
    beta = np.radians(np.sqrt(wide**2 - 0.06**2))
    assert values(gaussian_way, "crystallite_size") == pytest.approx(
        0.9 * 0.1540598 / (beta * np.cos(theta)), rel=1e-6
    )
    # An instrument as wide as the peaks: no size rather than an endless one.
    assert not peaks(noisy(), instrument_fwhm=0.2).named("crystallite_size")


def test_the_second_line_is_neither_a_peak_nor_forced_on_single_lines() -> None:
    x = np.arange(60.0, 100.0, 0.02)
    double = peaks(pattern(x, 100 + doublets(x, [(88.0, 0.12, 900.0)])))
    assert values(double, "peak_position") == pytest.approx([88.0], abs=1e-3)
    assert values(double, "peak_area") == pytest.approx([900.0], rel=2e-2)
    single = 0.5 * (lorentzian(x, 88.0, 0.12) + gaussian(x, 88.0, 0.12))
    found = peaks(pattern(x, 100 + 900 * single))
    assert found[0].parameters["doublet"] == "no"
    assert values(found, "peak_position") == pytest.approx([88.0], abs=1e-4)
    assert values(found, "peak_area") == pytest.approx([900.0], rel=5e-2)


def test_the_wavelength_given_is_used_and_none_gives_no_d() -> None:
    x = np.arange(5.0, 30.0, 0.01)
    y = 20 + 1000 * gaussian(x, 12.0, 0.08)
    bare = peaks(pattern(x, y, conditions={}))
    assert not bare.named("d_spacing")
    assert "wavelength is not stated" in bare.warnings[0]
    told = peaks(pattern(x, y, conditions={}), wavelength="0.070932 nm")
    assert values(told, "d_spacing") == pytest.approx([0.70932 / 2 / np.sin(np.radians(6.0))], rel=1e-6)


_AREAS = {None: None, "counts": "count*deg", "count/s": "count*deg/s"}


@settings(max_examples=6, deadline=None)
@given(
    factor=st.floats(0.05, 2000.0),
    unit=st.sampled_from([None, "counts", "count/s"]),
    order=st.integers(0, 1000),
    radians=st.booleans(),
)
def test_unit_scale_and_order_of_points_do_not_matter(
    factor: float, unit: str | None, order: int, radians: bool
) -> None:
    entry = noisy()
    x, y = entry.axes[0].values, entry.signal.values * factor
    shuffled = np.random.default_rng(order).permutation(len(x))
    places = (np.radians(x), "rad") if radians else (x, "deg")
    other = Entry(
        "scan",
        "xrd",
        axes=(Axis("two_theta", places[0][shuffled], places[1]),),
        signals=(Signal("intensity", y[shuffled], unit, axes=("two_theta",)),),
        conditions=K_ALPHA,
    )  # fmt: skip
    first, second = peaks(entry), peaks(other)
    assert values(second, "peak_position") == pytest.approx(values(first, "peak_position"), abs=2e-5)
    assert values(second, "peak_width") == pytest.approx(values(first, "peak_width"), rel=2e-3)
    scaled = np.array(values(first, "peak_area")) * factor
    assert values(second, "peak_area") == pytest.approx(scaled, rel=2e-3)
    assert second.named("peak_area")[0].value.unit == _AREAS[unit]


def test_gaps_are_left_out_with_a_word_and_noise_gives_no_peak() -> None:
    entry = noisy()
    y = entry.signal.values.astype(float)
    y[100:130] = np.nan
    assert any("30 of" in w for w in peaks(pattern(entry.axes[0].values, y)).warnings)
    x = np.arange(20.0, 70.0, 0.02)
    for level in (0.05, 5.0, 5000.0):
        background = np.random.default_rng(3).poisson(np.full(len(x), level))
        with pytest.raises(CannotDescribe, match=r"no peak stands out|no line can be fitted"):
            peaks(pattern(x, background))


def test_other_scans_and_limits_without_points_are_refused() -> None:
    rocking = Entry(
        "r", "xrd", axes=(Axis("omega", np.arange(50.0), "deg"),),
        signals=(Signal("intensity", np.ones(50), axes=("omega",)),),
    )  # fmt: skip
    with pytest.raises(CannotDescribe, match="over omega; a scan over 2θ is needed"):
        peaks(rocking)
    with pytest.raises(CannotDescribe, match="0 points are within the limits"):
        peaks(noisy(), low=80, high=90)
    with pytest.raises(CannotDescribe, match="not below"):
        peaks(noisy(), low=50, high=40)


def test_another_fit_of_the_same_line_agrees() -> None:
    """lmfit's own pseudo-Voigt on a straight line, over the same window."""
    lmfit = pytest.importorskip("lmfit")
    entry = noisy()
    x, y = entry.axes[0].values, entry.signal.values.astype(float)
    found = peaks(pattern(x, y, conditions={"wavelength": K_ALPHA["wavelength"]}), low=44, high=51)
    inside = np.abs(x - 47.35) < 0.6
    one = lmfit.models.PseudoVoigtModel(prefix="p_") + lmfit.models.LinearModel()
    start = one.make_params(
        p_amplitude=500, p_center=47.3, p_sigma=0.06, p_fraction=0.5, slope=0, intercept=60
    )
    start["p_fraction"].set(min=0, max=1)
    fitted = one.fit(y[inside], start, x=x[inside], weights=1 / np.sqrt(np.maximum(y[inside], 1)))
    assert values(found, "peak_position")[0] == pytest.approx(fitted.params["p_center"].value, abs=1e-3)
    assert values(found, "peak_width")[0] == pytest.approx(2 * fitted.params["p_sigma"].value, rel=0.03)


# --- crystallinity ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crystalline", [0.2, 0.5, 0.8])
def test_crystallinity_of_a_known_mixture(crystalline: float) -> None:
    x = np.arange(8.0, 60.0, 0.02)
    sharp = doublets(x, [(17.6, 0.3, 400.0), (22.9, 0.3, 400.0), (30.2, 0.3, 200.0)])
    halo = 1000 * gaussian(x, 21.0, 12.0)
    clean = 30 + 2000 * np.exp(-x / 4) + 20 * (crystalline * sharp + (1 - crystalline) * halo)
    y = np.random.default_rng(5).poisson(clean)
    found = descriptors.compute(pattern(x, y), "diffraction_crystallinity", background_window=6)
    share = found["crystallinity"].value
    assert share.unit == "percent"
    assert share.uncertainty is not None
    assert share.value == pytest.approx(100 * crystalline, abs=max(5.0, 2 * share.uncertainty))


def test_crystallinity_needs_a_range_that_holds_a_halo() -> None:
    with pytest.raises(CannotDescribe, match="at least twice the background's window"):
        descriptors.compute(noisy(), "diffraction_crystallinity", low=28, high=30)


# --- real files ------------------------------------------------------------------------------------------------


def test_rutile_has_the_lattice_that_is_published(instruments: Path) -> None:
    """Bruker's TiO2: rutile, a = 4.5937 Å, c = 2.9587 Å (Meagher & Lager 1979); the Kβ line is told."""
    found = peaks(zairyo.read(instruments / "bruker-raw/TiO2.raw")[0], wavelength="1.5406 angstrom")
    a, c = 4.5937, 2.9587
    known = [
        1 / np.sqrt((h * h + k * k) / a**2 + l * l / c**2)
        for h, k, l in ((1, 1, 0), (1, 0, 1), (2, 0, 0), (1, 1, 1), (2, 1, 0), (2, 1, 1), (2, 2, 0))  # noqa: E741
    ]
    d = values(found, "d_spacing")
    for plane in known:
        assert min(abs(np.array(d) - plane)) < 0.0015 * plane
    assert any("Kβ line of the one at 27.44" in w for w in found.named("d_spacing")[0].warnings)
    strongest = found.named("peak_area")[int(np.argmax(values(found, "peak_area")))]
    assert found["d_spacing", strongest.item].value.value == pytest.approx(known[0], abs=0.001)


def test_indium_arsenide_behind_a_monochromator_has_single_lines(instruments: Path) -> None:
    """Rigaku, InAs layer, a = 6.0583 Å: reflections 002 and 004; the file states Kα2, the beam has none."""
    found = descriptors.compute(
        zairyo.read(instruments / "rigaku-ras/inas_layer_radial_002_004.ras.bz2"), "diffraction_peaks"
    )
    d = {e: found.named("d_spacing")[i].value.value for i, e in enumerate(("002", "004"))}
    assert d["002"] == pytest.approx(6.0583 / 2, rel=1e-3)
    assert d["004"] == pytest.approx(6.0583 / 4, rel=1e-3)
    assert found[0].parameters["doublet"] == "no"


def test_a_cubic_framework_gives_one_lattice_parameter_from_all_its_lines(instruments: Path) -> None:
    name = "rigaku-rasx/JO_KL_16_ZF_3_60deg_0.02step_12degpermin_001.rasx"
    found = peaks(zairyo.read(instruments / name)[0])
    a = np.array(values(found, "d_spacing")[:6]) * np.sqrt([1, 2, 3, 4, 5, 6])
    assert np.ptp(a) < 0.003 * a.mean()
    assert isinstance(found[0].value, Quantity)
    assert found[0].parameters["doublet"] == "yes"
