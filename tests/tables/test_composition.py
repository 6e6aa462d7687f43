"""Compositions: a formula that is read wrongly gives every model the wrong material."""

from __future__ import annotations

import pickle
from math import fsum, isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zairyo.tables import Composition, TableError, parse
from zairyo.tables._features_composition import mixing_entropy, norms, property_statistics, size_mismatch
from zairyo.tables.elements import DEFAULT_PROPERTIES, elements

FORMULAS = {
    "Fe2O3": {"Fe": 2, "O": 3},
    "Fe₂O₃": {"Fe": 2, "O": 3},
    "LiNi0.8Mn0.1Co0.1O2": {"Li": 1, "Ni": 0.8, "Mn": 0.1, "Co": 0.1, "O": 2},
    "(Nd0.9Pr0.1)2Fe14B": {"Nd": 1.8, "Pr": 0.2, "Fe": 14, "B": 1},
    "CuSO4·5H2O": {"Cu": 1, "S": 1, "O": 9, "H": 10},
    "CuSO4*5H2O": {"Cu": 1, "S": 1, "O": 9, "H": 10},
    "SiO2.H2O": {"Si": 1, "O": 3, "H": 2},
    "Zr50Cu40Al10": {"Zr": 50, "Cu": 40, "Al": 10},
    "Pb(Mg1/3Nb2/3)O3": {"Pb": 1, "Mg": 1 / 3, "Nb": 2 / 3, "O": 3},
    "0.7PbTiO3-0.3PbZrO3": {"Pb": 1, "Ti": 0.7, "O": 3, "Zr": 0.3},
    "[Co(NH3)6]Cl3": {"Co": 1, "N": 6, "H": 18, "Cl": 3},
    "Co": {"Co": 1},
    "CO": {"C": 1, "O": 1},
    "Fe 2 O 3": {"Fe": 2, "O": 3},
}
CHARGED = {
    "SO42-": {"S": 1, "O": 4},
    "SO4^2-": {"S": 1, "O": 4},
    "SO4 2-": {"S": 1, "O": 4},
    "NO3-": {"N": 1, "O": 3},
    "NH4+": {"N": 1, "H": 4},
    "Fe3+": {"Fe": 1},
    "Ca²⁺": {"Ca": 1},
    "Hg22+": {"Hg": 2},
}


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas(text: str) -> None:
    found = parse(text)
    assert dict(found.amounts) == pytest.approx(FORMULAS[text])
    assert not found.warnings


@pytest.mark.parametrize("text", CHARGED)
def test_a_charge_is_ignored_and_said(text: str) -> None:
    found = parse(text)
    assert dict(found.amounts) == CHARGED[text]
    assert "charge" in found.warnings[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("CuSO4.5H2O", "two ways"),
        ("YBa2Cu3O7-δ", "as a number"),
        ("Fe1-xO", "as a number"),
        ("Fe2O3)", "not a formula"),
        ("(Fe2O3", "not closed"),
        ("(Fe2O3]", "not closed"),
        ("A2B", "'A' in 'A2B' is not an element"),
        ("Fe1.2.3", "not a formula"),
        ("", "missing"),
        ("Fe0", "above 0"),
        ("(" * 50 + "Fe" + ")" * 50, "too many brackets"),
        ("H" * 5000, "too long"),
        ("Al2O3-0.1SiO2", "how much of its first part"),
        ("Fe-60Cr-50Ni", "leaves nothing"),
        ("Fe-10Cr-5Cr", "twice"),
    ],
)
def test_what_is_no_formula_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(TableError, match=said):
        parse(text, "mass" if text.startswith("Fe-") else None)


def test_an_alloys_base_makes_up_the_rest_and_its_basis_must_be_stated() -> None:
    with pytest.raises(TableError, match="state basis"):
        parse("Fe-18Cr-8Ni")
    steel = parse("Fe-18Cr-8Ni", "mass")
    assert dict(steel.amounts) == {"Fe": 74.0, "Cr": 18.0, "Ni": 8.0}
    # wt.% to at.% by the atomic weights 55.845, 51.9961 and 58.6934.
    assert steel.mole_fractions == pytest.approx({"Fe": 0.73308, "Cr": 0.19152, "Ni": 0.07541}, abs=2e-5)
    assert parse("Ti-6Al-4V", "mass").mass_fractions["Ti"] == pytest.approx(0.9)


def test_molar_masses_are_those_of_the_tables() -> None:
    assert parse("H2O").molar_mass == pytest.approx(18.015, abs=2e-3)
    assert parse("CuSO4·5H2O").molar_mass == pytest.approx(249.68, abs=2e-2)


AMOUNTS = st.dictionaries(
    st.sampled_from(elements().symbols[:98]), st.floats(1e-6, 1e6), min_size=1, max_size=8
)


@given(AMOUNTS)
@settings(max_examples=100, deadline=None)
def test_a_formula_that_was_written_is_read_back(amounts: dict[str, float]) -> None:
    written = Composition(amounts)
    assert parse(written.formula) == written


@given(AMOUNTS)
@settings(max_examples=100, deadline=None)
def test_atoms_to_mass_and_back(amounts: dict[str, float]) -> None:
    first = Composition(amounts)
    back = first.to("mass").to("mole")
    assert isclose(fsum(first.mass_fractions.values()), 1.0, rel_tol=1e-12)
    assert back.mole_fractions == pytest.approx(first.mole_fractions, rel=1e-12)


@given(st.text(max_size=30) | st.from_regex(r"[A-Za-z0-9.()\[\]·+\-^/ ]{1,20}", fullmatch=True))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_composition_or_a_plain_error(text: str) -> None:
    try:
        found = parse(text)
    except TableError:
        return
    assert isclose(fsum(found.mole_fractions.values()), 1.0, rel_tol=1e-9)


def test_compositions_travel() -> None:
    steel = parse("Fe-18Cr-8Ni", "mass")
    assert pickle.loads(pickle.dumps(steel)) == steel
    assert hash(steel) == hash(parse("Fe-8Ni-18Cr", "mass"))


def test_every_default_property_is_known_of_nearly_every_element() -> None:
    table = elements()
    assert table.symbols[25] == "Fe"
    for name in DEFAULT_PROPERTIES:
        known = np.isfinite(table.property(name)[:83])  # to bismuth
        assert known.mean() > 0.9, name
    with pytest.raises(TableError, match="no element property 'colour'"):
        table.property("colour")
    valence = {
        s: table.property("valence_electrons")[table.index[s]] for s in ("Fe", "Zn", "Ga", "Al", "Hf", "O")
    }
    assert valence == {"Fe": 8, "Zn": 12, "Ga": 3, "Al": 3, "Hf": 4, "O": 6}


def test_statistics_against_a_hand_calculation() -> None:
    found = property_statistics(np.array([[0.25, 0.75, 0.0]]), np.array([[1.0], [5.0], [100.0]]))
    # mean 0.25 + 3.75, deviation 0.25·3 + 0.75·1, range, minimum, maximum; the absent element does not count.
    np.testing.assert_allclose(found, [[4.0, 1.5, 4.0, 1.0, 5.0]])


def test_an_unknown_property_is_left_out_and_nothing_known_is_nothing() -> None:
    values = np.array([[2.0], [np.nan]])
    found = property_statistics(np.array([[0.5, 0.5], [0.0, 1.0]]), values)
    np.testing.assert_allclose(found[0], [2.0, 0.0, 0.0, 2.0, 2.0])
    assert np.isnan(found[1]).all()


def test_norms_entropy_and_mismatch() -> None:
    equal = np.full((1, 5), 0.2)
    np.testing.assert_allclose(norms(equal)[0, :2], [5, np.sqrt(5 * 0.04)])
    # Five elements in equal parts: R ln 5 (Yeh 2004: 1.61 R).
    np.testing.assert_allclose(mixing_entropy(equal), 8.314462618 * np.log(5))
    pair = size_mismatch(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([100.0, 120.0]))
    np.testing.assert_allclose(pair, [10 / 110, 0.0], atol=1e-12)
    assert np.isnan(size_mismatch(np.array([[0.5, 0.5]]), np.array([100.0, np.nan]))).all()
