"""Features: a model that is given other columns for candidates than for samples predicts nonsense."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zairyo.tables import Mixture, Table, TableError
from zairyo.tables._mixtures import convert


def test_blocks_names_and_sources(tasks: Path) -> None:
    table = Table.read(tasks / "lnp3.csv")
    found = table.features()
    assert found.shape == (768, 7)
    assert found.names[1:4] == (
        "solid_lipid=Compritol_888",
        "solid_lipid=Glyceryl_monostearate",
        "solid_lipid=Stearic_acid",
    )
    assert [(b.kind, b.source) for b in found.blocks] == [
        ("integer", "drug_input"),
        ("levels", "solid_lipid"),
        ("integer", "solid_lipid_input"),
        ("integer", "liquid_lipid_input"),
        ("number", "surfractant_input"),
    ]
    assert found.sources[1:4] == ("solid_lipid",) * 3
    np.testing.assert_array_equal(found.matrix[:, 1:4].sum(axis=1), 1)
    np.testing.assert_array_equal(found.matrix[:, 0], table["drug_input"])
    assert not found.missing.any()


def test_outcomes_are_features_only_when_asked_for(tasks: Path) -> None:
    table = Table.read(tasks / "metallic_glass.csv")
    temperatures = ["glass_transition_K", "crystallisation_onset_K", "liquidus_K"]
    assert not set(temperatures) & set(table.features().sources)
    with_them = table.features(descriptors=True)
    assert [n for n in with_them.names if n in temperatures] == temperatures
    assert with_them.units[with_them.names.index("liquidus_K")] == "K"
    only = table.features(columns=["liquidus_K"])
    assert only.names == ("liquidus_K",)
    assert "critical_casting_diameter_mm" not in with_them.sources


def test_glasses_have_the_right_amounts_and_numbers(tasks: Path) -> None:
    table = Table.read(tasks / "metallic_glass.csv")
    found = table.features()
    column = {n.removeprefix("alloy_at_percent: "): i for i, n in enumerate(found.names)}
    first = found.matrix[0]  # Zr70Al8Cu19Ni3
    assert [first[column[s]] for s in ("Zr", "Al", "Cu", "Ni")] == pytest.approx([0.70, 0.08, 0.19, 0.03])
    assert first[column["norm 0"]] == 4
    # By hand: Pauling's 1.33, 1.61, 1.90, 1.91; Slater's radii 155, 125, 135, 135 pm.
    mean = 0.70 * 1.33 + 0.08 * 1.61 + 0.19 * 1.90 + 0.03 * 1.91
    assert first[column["mean electronegativity"]] == pytest.approx(mean)
    assert first[column["range electronegativity"]] == pytest.approx(1.91 - 1.33)
    radius = 0.70 * 155 + 0.08 * 125 + 0.22 * 135
    delta = np.sqrt(
        0.7 * (1 - 155 / radius) ** 2 + 0.08 * (1 - 125 / radius) ** 2 + 0.22 * (1 - 135 / radius) ** 2
    )
    assert first[column["atomic-size mismatch"]] == pytest.approx(delta)
    amounts = next(b for b in found.blocks if b.kind == "mixture")
    np.testing.assert_allclose(found.matrix[:, amounts.start : amounts.stop].sum(axis=1), 1)
    assert np.isfinite(found.matrix).all()
    assert any("electronegativity is not known of Tb, Yb" in note for note in found.notes)
    fewer = table.features(compositions=["properties"], properties=["density"])
    assert [n.rpartition(": ")[2] for n in fewer.names] == [
        f"{s} density" for s in ("mean", "deviation", "range", "minimum", "maximum")
    ]


def test_candidates_get_the_same_features_as_the_samples(tasks: Path) -> None:
    table = Table.read(tasks / "metallic_glass.csv")
    made, pool = table.take(table.rows[:400]), table.take(table.rows[400:])
    plan = pickle.loads(pickle.dumps(table.features().plan))
    np.testing.assert_allclose(plan.apply(pool).matrix, table.features().matrix[400:], rtol=1e-12)
    narrow = made.take(np.array([a.startswith("Zr") for a in made["alloy_at_percent"]])).features().plan
    with pytest.raises(TableError, match="was in no composition when the features were planned"):
        narrow.apply(pool)
    levels = Table.read({"gas": ["Ar", "N2", "Ar"], "y": [1, 2, 3]}).features().plan
    with pytest.raises(TableError, match="'gas': He was not there when the features were planned"):
        levels.apply(Table.read({"gas": ["Ar", "He", "He"], "y": [1, 2, 3]}))


def test_more_rows_than_a_piece_are_the_same(tasks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table.read(tasks / "metallic_glass.csv")
    whole = table.features(descriptors=True)
    monkeypatch.setattr("zairyo.tables.features._ROWS", 100)
    np.testing.assert_allclose(whole.plan.apply(table).matrix, whole.matrix, rtol=1e-12)


def test_categories_by_rank_by_level_and_by_what_is_known_of_them() -> None:
    rows = {
        "size": ["S", "L", None, "M"],
        "solvent": ["water", "hexane", "water", ""],
        "y": [1.0, 2.0, 3.0, 4.0],
    }
    schema = {
        "columns": {
            "size": {"kind": "category", "levels": ["S", "M", "L"], "ordered": True},
            "solvent": {"kind": "category", "levels": ["water", "hexane"],
                        "level_values": {"permittivity": [80, 1.9], "dipole": [1.85, 0]}},
            "y": {"role": "property"},
        }
    }  # fmt: skip
    found = Table.read(rows, schema=schema).features()
    assert found.names == ("size", "solvent: permittivity", "solvent: dipole")
    np.testing.assert_array_equal(
        found.matrix, [[0, 80, 1.85], [2, 1.9, 0], [np.nan, 80, 1.85], [1, np.nan, np.nan]]
    )
    np.testing.assert_array_equal(found.missing.any(axis=1), [False, False, True, True])
    frame = found.to_pandas()
    assert list(frame.columns) == list(found.names)
    assert "3 numbers are missing" in repr(found)


def test_a_constant_feature_stays_and_is_told() -> None:
    found = Table.read({"T": [1, 1, 1], "p": [1, 2, 3], "y": [1, 2, 4]}, roles={"y": "property"}).features()
    assert found.names == ("T", "p")
    assert found.constant == ("T",)


# --- mixtures ------------------------------------------------------------------------------------------------------

STEEL = {"Cr [wt.%]": [18.0, 17.0, 12.0], "Ni [wt.%]": [8.0, None, 2.0], "HV": [200, 210, 250]}


def test_a_balance_makes_up_the_rest() -> None:
    table = Table.read(STEEL)
    mixture = table.schema.mixtures[0]
    assert (mixture.basis, mixture.total, mixture.balance) == ("mass", 100.0, "rest")
    assert any("what is missing was taken as 'rest'" in text for text in table.notes)
    np.testing.assert_allclose(table.features().matrix[0, :3], [0.18, 0.08, 0.74])
    table = table.with_schema(replace(table.schema, mixtures=(replace(mixture, total=100.0, balance="Fe"),)))
    np.testing.assert_allclose(table.fractions("composition")[:2], [[0.18, 0.08, 0.74], [0.17, 0.0, 0.83]])
    atoms, symbols = table.element_fractions("composition")
    assert symbols == ("Cr", "Fe", "Ni")
    np.testing.assert_allclose(atoms[0], [0.19152, 0.73308, 0.07541], atol=2e-5)
    found = table.features()
    assert found.names[:3] == ("Cr", "Ni", "Fe")
    assert "composition: mean electronegativity" in found.names


def test_mixtures_of_what_has_no_formula_give_their_fractions(tasks: Path) -> None:
    found = Table.read(tasks / "oer_plate_4098.csv").features()
    assert [(b.kind, b.source, b.stop - b.start) for b in found.blocks] == [("mixture", "composition", 6)]
    np.testing.assert_allclose(found.matrix.sum(axis=1), 1)


@given(
    st.lists(st.floats(0.001, 1), min_size=3, max_size=3),
    st.sampled_from(["mole", "mass", "volume"]),
    st.sampled_from(["mole", "mass", "volume"]),
)
@settings(max_examples=100, deadline=None)
def test_conversions_there_and_back(parts: list[float], source: str, target: str) -> None:
    mixture = Mixture(
        "m", ("Fe", "PMMA", "Al2O3"), densities={"PMMA": 1.18, "Al2O3": 3.95}, molar_masses={"PMMA": 100.1}
    )
    fractions = np.array(parts) / np.sum(parts)
    there = convert(fractions, source, target, mixture)  # type: ignore[arg-type]
    assert there.sum() == pytest.approx(1)
    np.testing.assert_allclose(convert(there, target, source, mixture), fractions, rtol=1e-9)  # type: ignore[arg-type]


def test_a_small_number_beside_a_mixture_is_not_part_of_it() -> None:
    rows = {"SiO2 (mol%)": [70, 60, 65], "Na2O (mol%)": [30, 40, 35], "n": [1.51, 1.53, 1.52], "y": [1, 2, 3]}
    schema = Table.read(rows, roles={"property": "y"}).schema
    assert schema.mixtures == (Mixture("composition", ("SiO2", "Na2O"), "mole", 100.0),)
    plain = {name.removesuffix(" (mol%)"): cells for name, cells in rows.items()}
    assert Table.read(plain).schema.mixtures[0].columns == ("SiO2", "Na2O")
    assert [c.unit for c in schema.columns] == ["percent", "percent", None, None]


def test_amounts_of_unknown_basis_are_not_converted() -> None:
    table = Table.read({"a": [0.2, 0.5, 0.1], "b": [0.8, 0.5, 0.9], "y": [1, 2, 3]})
    with pytest.raises(TableError, match="does not state what its amounts count"):
        table.fractions("composition", "mass")


# --- molecules -----------------------------------------------------------------------------------------------------


def test_molecules_by_rdkit(tasks: Path) -> None:
    pytest.importorskip("rdkit", reason="RDKit (extra smiles) is not installed")
    from zairyo.tables._features_smiles import canonical

    table = Table.read(tasks / "suzuki_edbo.csv")
    found = table.features(columns=["solvent"])
    assert found.blocks[0].kind == "molecule"
    mass = found.names.index("solvent: molar mass")
    acetonitrile = np.flatnonzero(table["solvent"] == "N#CC")[0]
    assert found.matrix[acetonitrile, mass] == pytest.approx(41.0265, abs=1e-3)
    assert canonical("OCC") == canonical("C(O)C") == "CCO"
    fragments = [n for n in found.names if "fragment" in n]
    assert fragments
    assert not set(fragments) & set(found.constant)
    assert len(np.unique(found.matrix, axis=0)) == 4
    levels = table.features(smiles=["levels"])
    assert levels.shape == (3696, 4 + 3 + 7 + 11 + 4)


def test_a_smiles_of_no_molecule_names_its_row() -> None:
    pytest.importorskip("rdkit", reason="RDKit (extra smiles) is not installed")
    rows = {"solvent": ["CC(=O)C", "C1CC", "CCO"], "y": [1, 2, 3]}
    table = Table.read(rows, schema={"columns": {"solvent": {"kind": "smiles"}, "y": {"role": "property"}}})
    with pytest.raises(TableError, match=r"row 1, column solvent: 'C1CC' is not a SMILES"):
        table.features()


def test_without_rdkit_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdkit", None)
    rows = {"solvent": ["CC(=O)CC", "CC(=O)OC", "CCO"], "y": [1, 2, 3]}
    table = Table.read(rows, schema={"columns": {"solvent": {"kind": "smiles"}, "y": {"role": "property"}}})
    with pytest.raises(TableError, match=r"pip install 'zairyo\[smiles\]'"):
        table.features()
    assert table.features(smiles=["levels"]).shape == (3, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"roles": ["target"]}, "no role target"),
        ({"columns": ["Z"]}, "no column 'Z'"),
        ({"columns": ["note"]}, "columns of text give no features"),
        ({"compositions": ["magic"]}, "no features magic of compositions"),
        ({"properties": ["taste"]}, "no element property 'taste'"),
    ],
)
def test_wrong_wishes_are_told(options: dict[str, list[str]], said: str) -> None:
    rows = {"alloy": ["Fe2O3", "Al2O3"], "note": ["a", "b"], "y": [1, 2]}
    table = Table.read(rows, roles={"note": "note"})
    with pytest.raises(TableError, match=said):
        table.features(**options)  # type: ignore[arg-type]
