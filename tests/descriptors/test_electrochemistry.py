"""Cycles and impedance: known cells, the testers' own tables, another program's fits of the same spectra."""

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
from zairyo.descriptors._circuit import Circuit
from zairyo.measurement import Entry, Quantity


def value(found: Descriptors, name: str, item: str) -> float:
    return float(found[name, item].value.value)  # type: ignore[arg-type]


# --- cycling ---------------------------------------------------------------------------------------------------


def cell(
    fades: tuple[float, ...] = (1.0, 0.98, 0.95),
    counter: str = "step",
    first_charge: float = 1.0,
    keep: float = 1.0,
    **conditions: Quantity,
) -> Entry:
    """A 2 mAh cell at 1 mA between 3.0 and 4.2 V; 99 % coulombic efficiency; counters as testers set them back.

    ``first_charge`` cuts the first charge down, ``keep`` is the share of the last discharge that was recorded.
    """
    rows: list[tuple[float, ...]] = []
    time = 0.0
    total = [0.0, 0.0]
    for number, fade in enumerate(fades, start=1):
        for half, share in ((0, first_charge if number == 1 else 1.0), (1, 1.0)):
            capacity = 2 * fade * (1 if half == 0 else 0.99)
            steps = np.linspace(0, capacity * share, 101)
            if half == 1 and number == len(fades):
                steps = steps[: int(100 * keep) + 1]
            for q in steps:
                x = q / capacity
                voltage = 3.2 + x if half == 0 else 4.2 - 1.2 * x
                count = [q if half == h else (total[h] if counter == "cycle" else 0.0) for h in (0, 1)]
                if counter == "test":
                    count = [total[h] + (q if half == h else 0.0) for h in (0, 1)]
                rows.append((number, time + q, voltage, 1.0 if half == 0 else -1.0, *count))
            total[half] = (total[half] if counter == "test" else 0.0) + steps[-1]
            time += steps[-1]
            if not (number == len(fades) and half == 1 and keep < 1):
                rows.append((number, time + 0.001, rows[-1][2], 0.0, *rows[-1][4:]))
                time += 0.002
        if counter != "test":
            total = [0.0, 0.0]
    cycle, hours, voltage, current, charge, discharge = np.array(rows).T
    given: dict[str, tuple[Any, str | None]] = {
        "cycle": (cycle.astype(int), ""),
        "time": (hours * 3600, "s"),
        "voltage": (voltage, "V"),
        "current": (current, "mA"),
    }
    if counter != "none":
        given |= {"charge_capacity": (charge / 1000, "Ah"), "discharge_capacity": (discharge / 1000, "Ah")}
    return columns("battery_cycling", "time", "voltage", given, **conditions)


@pytest.mark.parametrize("counter", ["step", "cycle", "test", "none"])
def test_a_known_cell_whenever_the_tester_sets_its_counters_back(counter: str) -> None:
    found = descriptors.compute(cell(counter=counter))
    tolerance = {"rel": 1e-9} if counter != "none" else {"rel": 0.02}
    for number, fade in enumerate((1.0, 0.98, 0.95), start=1):
        item = f"cycle_{number}"
        assert value(found, "charge_capacity", item) == pytest.approx(2 * fade, **tolerance)
        assert value(found, "discharge_capacity", item) == pytest.approx(1.98 * fade, **tolerance)
        assert value(found, "coulombic_efficiency", item) == pytest.approx(99.0, **tolerance)
        assert value(found, "capacity_retention", item) == pytest.approx(100 * fade, **tolerance)
        assert value(found, "mean_charge_voltage", item) == pytest.approx(3.7, rel=0.02)
        assert value(found, "mean_discharge_voltage", item) == pytest.approx(3.6, rel=0.02)
    assert found["charge_capacity", "cycle_1"].value.unit == "mAh"
    region = found["charge_capacity", "cycle_2"].region
    assert region is not None
    assert (region.axis, region.unit) == ("time", "s")


def test_a_formation_step_and_a_stopped_cycle_are_left_out_with_a_word() -> None:
    """A cycle that was not finished would look like a dying cell."""
    found = descriptors.compute(cell((1, 1, 1, 1), first_charge=0.1, keep=0.6))
    assert [d.item for d in found.named("charge_capacity")] == ["cycle_2", "cycle_3"]
    assert any("Cycle 1 is left out as incomplete: its charge is 10 %" in w for w in found.warnings)
    assert any("Cycle 4 is left out as incomplete: the record ends at 3.48 V" in w for w in found.warnings)
    assert found[0].parameters["reference_cycle"] == 2
    whole = descriptors.compute(cell((1, 1, 1, 1)))
    assert len(whole.named("charge_capacity")) == 4
    assert not whole.warnings


def test_the_only_cycle_cut_off_is_refused_where_its_limit_is_known() -> None:
    limits = {"voltage_lower_limit": Quantity(3.0, "V"), "voltage_upper_limit": Quantity(4.2, "V")}
    with pytest.raises(CannotDescribe, match=r"no cycle is complete\. Cycle 1 .* before 3 V"):
        descriptors.compute(cell((1.0,), keep=0.5, **limits))


def test_mass_reference_and_definition_are_the_users() -> None:
    stated = descriptors.compute(cell(active_mass=Quantity(0.01, "g")))
    assert value(stated, "specific_charge_capacity", "cycle_1") == pytest.approx(200.0)
    told = descriptors.compute(cell(), active_mass="20 mg", reference_cycle=2, efficiency="charge/discharge")
    assert value(told, "specific_charge_capacity", "cycle_1") == pytest.approx(100.0)
    assert value(told, "capacity_retention", "cycle_1") == pytest.approx(100 / 0.98)
    assert value(told, "coulombic_efficiency", "cycle_1") == pytest.approx(100 / 0.99)
    with pytest.raises(CannotDescribe, match="cycle 9 is not among the complete ones"):
        descriptors.compute(cell(), reference_cycle=9)


def test_a_counter_that_disagrees_with_the_current_is_told() -> None:
    entry = cell()
    wrong = [s for s in entry.signals if s.name != "current"]
    given: dict[str, tuple[Any, str | None]] = {s.name: (s.values, s.unit) for s in wrong}
    given["current"] = (entry["current"].values * 1.5, "mA")
    found = descriptors.compute(columns("battery_cycling", "time", "voltage", given))
    assert any("differ by 50 %" in w for w in found.warnings)


@pytest.mark.parametrize(
    ("name", "first_complete"),
    [("neware-csv/nw_regular_export_ife_example.csv", 2), ("arbin-res/arbin_example.res", 1)],
)
def test_the_testers_own_table_of_cycles_says_the_same(
    instruments: Path, name: str, first_complete: int
) -> None:
    m = zairyo.read(instruments / name)
    found = descriptors.compute(m, "cycling", entry="cycling")
    own = m["cycles"].to_pandas().set_index("cycle")
    items = [d.item for d in found.named("charge_capacity")]
    assert items[0] == f"cycle_{first_complete}"
    for item in items:
        row = own.loc[int(item.partition("_")[2])]
        for column in ("charge_capacity", "discharge_capacity", "charge_energy", "discharge_energy"):
            assert value(found, column, item) == pytest.approx(1000 * row[column], rel=3e-4, abs=0.006)


@pytest.mark.parametrize(
    "name",
    ["neware-nda/test.nda", "neware-ndax/test.ndax", "maccor-txt/maccor_001.txt", "pec-csv/pec.csv"],
)
def test_testers_counters_and_currents_agree(instruments: Path, name: str) -> None:
    """A counter read with a wrong factor or set back at the wrong record would be told."""
    m = zairyo.read(instruments / name)
    try:
        found = descriptors.compute(m, "cycling")
    except CannotDescribe as e:
        assert "no cycle is complete" in str(e)  # noqa: PT017
    else:
        assert not [w for w in found.warnings if "integral" in w]


# --- Kramers–Kronig --------------------------------------------------------------------------------------------

F = np.geomspace(1e5, 0.01, 71)


def impedance(text: str, *values: float, f: Any = F) -> Any:
    return Circuit(text).impedance(2 * np.pi * f, np.array(values))


def spectrum(z: Any, f: Any = F, unit: str = "ohm", **more: tuple[Any, str | None]) -> Entry:
    factor = {"ohm": 1.0, "mohm": 1e3}[unit]
    given = {
        "frequency": (f, "Hz"),
        "z_real": (z.real * factor, unit),
        "z_imaginary": (z.imag * factor, unit),
        **more,
    }
    return columns("eis", "z_real", "z_imaginary", given)


CELL = ("R0-p(R1,CPE1)-W1", (5.0, 40.0, 2e-4, 0.85, 3.0))


def test_a_circuit_obeys_kramers_and_kronig_and_a_drifting_one_does_not() -> None:
    z = impedance(CELL[0], *CELL[1])
    good = descriptors.compute(spectrum(z), "eis_kramers_kronig")
    assert good["kramers_kronig_residual"].value.value < 0.2  # type: ignore[operator]
    assert not good.warnings
    drifting = impedance(CELL[0], *CELL[1]) * np.linspace(1, 1.6, len(F)) * np.exp(0.3j * (F < 1))
    bad = descriptors.compute(spectrum(drifting), "eis_kramers_kronig")
    assert bad["kramers_kronig_residual_maximum"].value.value > 5  # type: ignore[operator]
    assert "does not obey" in bad.warnings[0]


# --- circuits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        CELL,
        ("R0-p(R1,C1)", (10.0, 100.0, 1e-5)),
        ("L1-R0-p(R1,C1)-p(R2,CPE2)", (1e-6, 0.02, 0.05, 0.01, 0.1, 5.0, 0.9)),
        ("R0-p(R1-W1,C1)", (20.0, 150.0, 12.0, 2e-5)),
        ("R0-p(R1,C1)-Wo1", (1.0, 5.0, 1e-3, 8.0, 20.0)),
        ("R0-Ws1", (2.0, 30.0, 5.0)),
    ],
)
def test_a_known_circuit_is_found_without_starting_values(text: str, values: tuple[float, ...]) -> None:
    z = impedance(text, *values)
    scatter = np.random.default_rng(7).normal(size=(2, len(z)))
    z = z + 1e-3 * np.abs(z) * (scatter[0] + 1j * scatter[1])
    found = descriptors.compute(spectrum(z), "eis_circuit", circuit=text)
    got = [d for d in found if "·" not in d.item and d.name != "circuit_misfit"]
    for d, truth in zip(got, values, strict=True):
        error = d.value.uncertainty
        assert error is not None, str(d)
        assert abs(float(d.value.value) - truth) < max(4.5 * error, 1e-9 * truth), f"{d} is not {truth}"  # type: ignore[arg-type]
        assert error < 0.1 * truth, str(d)
    assert found["circuit_misfit"].value.value < 0.3  # type: ignore[operator]


def test_alike_arcs_are_numbered_by_their_speed() -> None:
    for order in ((30.0, 1e-6, 10.0, 1e-3), (10.0, 1e-3, 30.0, 1e-6)):
        z = impedance("R0-p(R1,C1)-p(R2,C2)", 2.0, *order)
        found = descriptors.compute(spectrum(z), "eis_circuit", circuit="R0-p(R1,C1)-p(R2,C2)")
        got = [value(found, "circuit_resistance", r) for r in ("R1", "R2")]
        assert got == pytest.approx([30.0, 10.0], rel=1e-4)
        assert value(found, "circuit_capacitance", "C1") == pytest.approx(1e-6, rel=1e-4)


@settings(max_examples=5, deadline=None)
@given(scale=st.floats(1e-3, 1e6), unit=st.sampled_from(["ohm", "mohm"]), order=st.integers(0, 100))
def test_unit_scale_and_order_do_not_matter(scale: float, unit: str, order: int) -> None:
    z = impedance("R0-p(R1,CPE1)", 5.0, 40.0, 2e-4, 0.85) * scale
    rows = np.random.default_rng(order).permutation(len(F))
    given_number: dict[str, tuple[Any, str | None]] = {"z_cycle": (np.zeros(len(F), int), "")}
    entry = spectrum(z[rows], F[rows], unit, **given_number)
    found = descriptors.compute(entry, "eis_circuit", circuit="R0-p(R1,CPE1)")
    assert value(found, "circuit_resistance", "R1") == pytest.approx(40 * scale, rel=1e-3)
    assert value(found, "circuit_cpe_exponent", "CPE1") == pytest.approx(0.85, rel=1e-3)
    capacitance = (2e-4 * 40**0.15) ** (1 / 0.85) / scale
    assert value(found, "circuit_capacitance", "R1·CPE1") == pytest.approx(capacitance, rel=1e-3)


def test_what_the_data_do_not_determine_is_told() -> None:
    z = impedance("R0-p(R1,C1)", 10.0, 100.0, 1e-5)
    found = descriptors.compute(spectrum(z), "eis_circuit", circuit="R0-R5-p(R1,C1)")
    assert found["circuit_resistance", "R0"].value.uncertainty is None
    assert found["circuit_resistance", "R1"].value.uncertainty is not None
    assert "The data do not determine the resistance of R0." in found.warnings
    wrong = descriptors.compute(spectrum(impedance(CELL[0], *CELL[1])), "eis_circuit", circuit="R0-p(R1,C1)")
    assert any("does not describe the spectrum" in w for w in wrong.warnings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("R0-p(R1,C1", r"',' or '\)' is missing at 'the end'"),
        ("R0-p(R1)", "is missing"),
        ("R0-Q1", "no element at 'Q1'; write for example"),
        ("R0-R0", "R0 is there twice"),
        ("R0)", "unexpected at"),
        ("", "no element at 'the end'"),
        ("p(" * 3000, "too long"),
    ],
)
def test_a_text_that_is_no_circuit_is_refused_with_the_place(text: str, says: str) -> None:
    with pytest.raises(CannotDescribe, match=says):
        descriptors.compute(spectrum(impedance("R0-C1", 1.0, 1.0)), "eis_circuit", circuit=text)


def test_short_and_empty_spectra_are_refused() -> None:
    z = impedance("R0-C1", 1.0, 1.0)
    with pytest.raises(CannotDescribe, match="5 usable points; at least 8"):
        descriptors.compute(spectrum(z[:5], F[:5]), "eis_circuit", circuit="R0-C1")
    with pytest.raises(CannotDescribe, match="0 usable points"):
        descriptors.compute(spectrum(z * np.nan), "eis_kramers_kronig")
    text = "-".join(f"p(R{i},C{i})" for i in range(15))
    with pytest.raises(CannotDescribe, match="do not determine the 30 parameters"):
        descriptors.compute(spectrum(z[:12], F[:12]), "eis_circuit", circuit=text)


def test_repeated_sweeps_are_several_spectra() -> None:
    z = impedance("R0-C1", 1.0, 1.0)
    twice = spectrum(np.concatenate([z, 2 * z]), np.concatenate([F, F]))
    found = descriptors.compute(twice, "eis_circuit", circuit="R0-C1")
    assert value(found, "circuit_resistance", "spectrum_1/R0") == pytest.approx(2.0, rel=1e-6)


def test_another_program_gives_the_same_for_a_real_cell(instruments: Path) -> None:
    """BioLogic, silicon–carbon half cell: values and standard errors of impedance.py 1.7.1 (its linKK with
    ``fit_type="complex"``, its ``CustomCircuit`` with ``weight_by_modulus=True``)."""
    m = zairyo.read(instruments / "biologic-mpr/biol.mpr")
    with_capacitor = descriptors.compute(m, "eis_kramers_kronig", entry="impedance")
    without = descriptors.compute(m, "eis_kramers_kronig", entry="impedance", capacitor=False)
    for found, golden in (
        (with_capacitor, [(25, 0.28822379, 1.19955340), (18, 0.34322884, 0.95864041), (16, 0.44865426, 1.56066807)]),
        (without, [(16, 0.44655535, 2.62646703), (11, 2.01352119, 13.98406838), (10, 2.62841679, 17.58783420)]),
    ):  # fmt: skip
        for number, (count, rms, most) in enumerate(golden):
            item = f"spectrum_{number}"
            assert value(found, "kramers_kronig_elements", item) == count
            assert value(found, "kramers_kronig_residual", item) == pytest.approx(rms, rel=1e-5)
            assert value(found, "kramers_kronig_residual_maximum", item) == pytest.approx(most, rel=1e-6)
    fitted = descriptors.compute(m, "eis_circuit", entry="impedance", circuit="R0-p(R1,CPE1)-W1", low="1 Hz")
    golden_fit = {
        ("circuit_resistance", "R0"): (6.30783129, 0.0103541218),
        ("circuit_resistance", "R1"): (5.27354020, 0.0254186774),
        ("circuit_cpe_coefficient", "CPE1"): (2.04871597e-4, 8.26183465e-6),
        ("circuit_cpe_exponent", "CPE1"): (0.843557766, 4.91769570e-3),
        ("circuit_warburg_coefficient", "W1"): (0.991493651, 0.0806168455),
    }
    for (name, element), (best, error) in golden_fit.items():
        quantity = fitted[name, f"spectrum_1/{element}"].value
        assert quantity.value == pytest.approx(best, rel=1e-4)
        assert quantity.uncertainty == pytest.approx(error, rel=1e-3)
