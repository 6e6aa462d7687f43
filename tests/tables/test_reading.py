"""Reading tables: a cell that is taken for another number, or silently lost, spoils every conclusion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zairyo.tables import Column, Mixture, Schema, Table, TableError
from zairyo.tables._headings import outcome_of, split_heading


def written(folder: Path, text: str, encoding: str = "utf-8", name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


# --- real tables ------------------------------------------------------------------------------------------------

REAL = {
    # name: rows, columns by role, mixtures, an exact value
    "crossed_barrel": (600, {"process": 4, "property": 1}, 0, ("toughness", 1.1354526733333332)),
    "photo_wf3": (1040, {"composition": 4, "property": 1}, 1, ("degradation", 0.189174654)),
    "oer_plate_4098": (2121, {"composition": 6, "property": 1}, 1, ("overpotential", 0.45432100000000003)),
    "thin_film": (94, {"composition": 3, "property": 1}, 1, ("instability_index", 492921.0)),
    "suzuki_edbo": (3696, {"process": 5, "property": 1}, 0, ("yield", 4.76)),
    "lnp3": (768, {"process": 5, "property": 3}, 0, ("drug_loading", 0.0019846911700342)),
    "metallic_glass": (
        665,
        {"composition": 1, "measured_descriptor": 3, "property": 1},
        0,
        ("critical_casting_diameter_mm", 0.2),
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_real_tables_are_understood_without_being_told(tasks: Path, name: str) -> None:
    rows, roles, mixtures, (column, value) = REAL[name]
    table = Table.read(tasks / f"{name}.csv")
    found = {role: len(table.schema.of_role(role)) for role in roles}
    assert (len(table), found, len(table.schema.mixtures)) == (rows, roles, mixtures)
    assert sum(roles.values()) == len(table.columns)
    assert table[column][0] == value
    assert set(table.state) == {"measured"}
    assert str(table.where(0, column)) == f"{name}.csv, line 2, column {column}"
    plain = pd.read_csv(tasks / f"{name}.csv")
    for c in table.columns:
        np.testing.assert_array_equal(table[c], plain[c].to_numpy())


def test_real_kinds_and_units(tasks: Path, domains: Path) -> None:
    glass = Table.read(tasks / "metallic_glass.csv").schema
    assert glass["alloy_at_percent"].kind == "composition"
    assert (glass["glass_transition_K"].unit, glass["critical_casting_diameter_mm"].unit) == ("K", "mm")
    assert {c.kind for c in Table.read(tasks / "suzuki_edbo.csv").schema.columns} == {"smiles", "number"}
    lipids = Table.read(tasks / "lnp3.csv").schema["solid_lipid"]
    assert (lipids.kind, lipids.levels) == (
        "category",
        ("Compritol_888", "Glyceryl_monostearate", "Stearic_acid"),
    )
    creep = Table.read(domains / "structural" / "pycreep_quadratic_synthetic.csv").schema
    assert [(c.name, c.unit, c.role) for c in creep.columns] == [
        ("Heat/Lot ID", None, "group"),
        ("Temp", "degC", "process"),
        ("Stress", "MPa", "process"),
        ("Life", "h", "property"),
    ]
    coal = Table.read(domains / "standards" / "iso5725_2_sulfur_coal.csv").schema
    assert (coal["lab"].role, coal["replicate"].role, coal["sulfur_pct"].unit) == ("group", "note", "percent")


def test_a_workbook_with_an_empty_first_sheet(domains: Path) -> None:
    path = domains / "magnetocaloric" / "gd_ann_results.xlsx"
    table = Table.read(path)
    assert "sheet 'Magnetization' was read, of 7" in table.notes
    other = Table.read(path, sheet="Specific heat")
    assert (len(table), len(other)) == (5, 5)
    with pytest.raises(TableError, match="no sheet 'Nothing'; there are Foglio1"):
        Table.read(path, sheet="Nothing")


# --- text ---------------------------------------------------------------------------------------------------------

JAPANESE = (
    "試料名;温度 [°C];組成;保持時間 (h);硬さ (HV);硬さ 不確かさ;コスト [JPY]\n"
    "A1;1.200,5;Fe-18Cr-8Ni;1,5;200,5;2,5;100\n"
    "A2;1.100,5;Fe-17Cr-8Ni;1,5;failed: 割れ;;120\n"
    "A3;1.000,5;Fe-17Cr-8Ni;2,5;;;120\n"
)


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_japanese_laboratorys_table(tmp_path: Path, encoding: str) -> None:
    table = Table.read(written(tmp_path, JAPANESE, encoding))
    schema = table.schema
    assert [(c.name, c.role, c.unit) for c in schema.columns] == [
        ("試料名", "identifier", None),
        ("温度", "process", "degC"),
        ("組成", "composition", None),
        ("保持時間", "process", "h"),
        ("硬さ", "property", "HV"),
        ("コスト", "cost", "JPY"),
    ]
    np.testing.assert_array_equal(table["温度"], [1200.5, 1100.5, 1000.5])
    np.testing.assert_array_equal(table.uncertainty("硬さ"), [2.5, np.nan, np.nan])
    assert list(table.state) == ["measured", "failed", "planned"]
    assert list(table.reason) == [None, "硬さ: 割れ", None]
    assert schema["組成"].basis == "mass"
    assert any("by mass" in note for note in table.notes)
    assert str(table.where(1, "硬さ")) == "t.csv, line 3, column 硬さ (HV)"


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        ("a;y\n1,5;2\n2,25;3\n", None, [1.5, 2.25]),
        ("a;y\n1.234,5;2\n2,25;3\n", None, [1234.5, 2.25]),
        ('a,y\n"1,234.5",2\n"12,345.25",3\n', None, [1234.5, 12345.25]),
        ("a\ty\n1,234\t2\n2,345\t3\n", None, [1234, 2345]),
        ("a\ty\n1,234\t2\n2,345\t3\n", ",", [1.234, 2.345]),
        ("a;y\n1,234;2\n2,345;3\n", None, [1.234, 2.345]),
        ("a,y\n1 234.5,2\n+3e2,3\n", None, [1234.5, 300]),
        ("a,y\n−5,2\n１２,3\n", None, [-5, 12]),
        ("# exported by hand\n\na,y\n1,2\n\n2,3\n", None, [1, 2]),
        ("a,y\r\n1,2\r\n2,3\r\n", None, [1, 2]),
        ("a,y\r1,2\r2,3\r", None, [1, 2]),
        ("a,y,\n1,2,\n2,3,\n", None, [1, 2]),
        ("a|y\n1|2\n2|3", None, [1, 2]),
        ("a,y\n°C,GPa\n1,2\n2,3\n", None, [1, 2]),
    ],
)
def test_numbers_as_people_write_them(
    tmp_path: Path, text: str, decimal: str | None, expected: list[float]
) -> None:
    table = Table.read(written(tmp_path, text), decimal=decimal)
    np.testing.assert_array_equal(table["a"], expected)
    assert len(table.columns) == 2


def test_an_ambiguous_comma_is_said(tmp_path: Path) -> None:
    table = Table.read(written(tmp_path, "a\ty\n1,234\t2\n2,345\t3\n"))
    assert any("decimal=','" in note for note in table.notes)


def test_a_row_of_units_under_the_heading(tmp_path: Path) -> None:
    schema = Table.read(written(tmp_path, "T,t,y\n°C,h,GPa\n1,2,3\n2,3,4\n")).schema
    assert [c.unit for c in schema.columns] == ["degC", "h", "GPa"]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    text = 'sample,x,y\n\n"a\nb",1,2\n\nc,2,oops\n' + "".join(f"s{i},{i},{i}\n" for i in range(20))
    with pytest.raises(TableError, match=r"t\.csv, line 6, column 'y': 'oops' is not a number"):
        Table.read(written(tmp_path, text))


def test_uncertainties_within_cells(tmp_path: Path) -> None:
    table = Table.read(written(tmp_path, "x,strength\n1,10.5 ± 0.2\n2,11.25(3)\n3,12\n"))
    np.testing.assert_allclose(table["strength"], [10.5, 11.25, 12])
    np.testing.assert_allclose(table.uncertainty("strength"), [0.2, 0.03, np.nan])


def test_words_and_broken_values_become_states_with_reasons() -> None:
    cells = ["1.5", "nan", "inf", "", "n/a", "failed: cracked", "cracked on cooling", "lost", "#DIV/0!", "-"]
    table = Table.read({"T": list(range(10)), "strength": cells})
    assert list(table.state) == ["measured", "planned", "failed", "planned", "planned", "failed", "failed", "lost",
                                 "planned", "planned"]  # fmt: skip
    assert [table.reason[i] for i in (2, 5, 6)] == [
        "strength: infinite",
        "strength: cracked",
        "strength: cracked on cooling",
    ]
    assert np.isfinite(table["strength"]).sum() == 1
    assert any("spreadsheet" in note for note in table.notes)
    assert any("infinite" in note for note in table.notes)


def test_states_of_a_column_of_their_own() -> None:
    rows = {
        "row": [10, 20, 30],
        "x": [1.0, 2.0, 3.0],
        "hardness": [5.0, None, None],
        "state": ["measured", "failed", "made"],
        "reason": ["", "crucible broke", ""],
        "replicate_of": [None, 10, None],
    }
    table = Table.read(rows)
    assert list(table.rows) == [10, 20, 30]
    assert list(table.state) == ["measured", "failed", "made"]
    assert list(table.reason) == [None, "crucible broke", None]
    assert list(table.replicate_of) == [-1, 10, -1]
    assert table.columns == ["x", "hardness"]
    rows["replicate_of"] = [None, 99, None]
    with pytest.raises(TableError, match="no row with the id 99"):
        Table.read(rows)


def test_a_word_that_is_a_level_stays_one() -> None:
    table = Table.read({"dopant": ["None", "Nb", "None", "NA"], "yield": [1, 2, 3, 4]})
    assert list(table["dopant"]) == ["None", "Nb", "None", "NA"]


# --- what is wrong is said with its place ----------------------------------------------------------------------

GOOD = "".join(f"{i},{i}\n" for i in range(3, 20))


@pytest.mark.parametrize(
    ("cells", "unit", "numbers"),
    [
        (["640 MPa", "650 MPa", ""], "MPa", [640, 650, np.nan]),
        (["12 %", "13 %", "15"], "percent", [12, 13, 15]),
        (["300 K", "1.5e2 K", "n.d."], "K", [300, 150, np.nan]),
    ],
)
def test_the_unit_that_all_cells_have_is_the_columns(
    tmp_path: Path, cells: list[str], unit: str, numbers: list[float]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,x,y\n" + "".join(f"s{i},{cell},{i}\n" for i, cell in enumerate(cells)))
    table = Table.read(path, roles={"property": "y"})
    assert table.schema["x"].unit == unit
    np.testing.assert_array_equal(table["x"], numbers)
    assert any("taken from its cells" in note for note in table.notes)


@pytest.mark.parametrize(
    ("heading", "cells", "unit", "numbers", "said"),
    [
        (
            "x",
            ["640 MPa", "0.7 GPa", "650 MPa"],
            "MPa",
            [640, 700, 650],
            "1 cell of 'x' in GPa converted to MPa",
        ),
        (
            "x",
            ["1 h", "2 h", "30 min", "n.d."],
            "h",
            [1, 2, 0.5, np.nan],
            "1 cell of 'x' in min converted to h",
        ),
        ("x", ["25 °C", "298.15 K", "30 °C"], "degC", [25, 25, 30], "in K converted to °C"),
        (
            "x (MPa)",
            ["640", "0.7 GPa", "0.65 GPa"],
            "MPa",
            [640, 700, 650],
            "2 cells of 'x (MPa)' in GPa converted",
        ),
    ],
)
def test_cells_in_several_units_are_brought_to_one(
    tmp_path: Path, heading: str, cells: list[str], unit: str, numbers: list[float], said: str
) -> None:
    text = f"id,{heading},y\n" + "".join(f"s{i},{cell},{i}\n" for i, cell in enumerate(cells))
    table = Table.read(written(tmp_path, text), roles={"property": "y"})
    assert table.schema["x"].unit == unit
    np.testing.assert_allclose(table["x"], numbers)
    assert any(said in note for note in table.notes)


def test_an_uncertainty_is_converted_with_its_number(tmp_path: Path) -> None:
    text = "id,x,y\na,25 ± 2 °C,1\nb,298.15 ± 1 K,2\nc,640 ± 5 °C,3\n"
    table = Table.read(written(tmp_path, text), roles={"property": "y"})
    np.testing.assert_allclose(table["x"], [25, 25, 640])
    np.testing.assert_allclose(table.uncertainty("x"), [2, 1, 5])


@pytest.mark.parametrize("cells", [["640 MPa", "0.7 GPa", "650"], ["640 MPa", "200 HV", "650 MPa"]])
def test_cells_whose_unit_nobody_can_tell_stay_as_they_are(tmp_path: Path, cells: list[str]) -> None:
    text = "id,x,y\n" + "".join(f"s{i},{cell},{i}\n" for i, cell in enumerate(cells))
    table = Table.read(written(tmp_path, text))
    assert not table.schema["x"].numeric
    assert any("one number in each cell, in one unit" in note for note in table.notes)


def test_a_mark_that_could_be_of_thousands_is_not_converted(tmp_path: Path) -> None:
    text = 'id,x (MPa),y\na,640,1\nb,650,2\nc,655,3\nd,660,4\ne,665,5\nf,"1,5 GPa",6\n'
    with pytest.raises(TableError, match="'1,5 GPa' is not a number"):
        Table.read(written(tmp_path, text), roles={"property": "y"})


@pytest.mark.parametrize(
    "cells",
    [["316 L", "304 L", "904 L"], ["5 N", "4 N", "3 N"], ["2Co", "3Co", "4Co"], ["1 h", "2 h", "30 K"]],
)
def test_grades_and_names_are_no_numbers_with_units(tmp_path: Path, cells: list[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(cells * 2)))
    assert not Table.read(path).schema["x"].numeric


def test_a_row_of_units_may_hold_hardness_and_a_word(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sample,anneal,hardness\nunit,°C,HV\na,300,200\nb,400,210\n", encoding="utf-8")
    table = Table.read(path)
    assert [table.schema[n].unit for n in ("anneal", "hardness")] == ["degC", "HV"]
    np.testing.assert_array_equal(table["hardness"], [200, 210])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "t.csv: it is empty"),
        ("a,y\n1,2\n3\n", "line 3 has 1 cell where the heading has 2"),
        ("a,y\n1,2\n3,4,5\n", "line 3 has 3 cells where the heading has 2"),
        ("a,y\n1,2\nx1,2\n" + GOOD, "line 3, column 'a': 'x1' is not a number; correct it"),
        (
            "a,y\n1,2\n<0.1,2\n" + GOOD,
            "line 3, column 'a': '<0.1' is a limit, not a number; write the number",
        ),
        ("a,y\n1,2\ninf,2\n" + GOOD, "line 3, column 'a': the value is infinite"),
        ("a,y\n1,2\nfailed,2\n" + GOOD, "line 3, column 'a': 'failed' says nothing of a process"),
        ("Fe,Cr,y\n70,30,1\n60,40,1\n60,50,1\n", "line 4, column Fe: Fe, Cr sum to 110 .* total is 100"),
        ("formula,y\n" + "Fe2O3,1\nAl2O3,2\n" * 8 + "FeXx,3\n", "line 18, column 'formula': 'Xx' in 'FeXx'"),
        ("a,y\n1,2\n1.5,2\n", "column 'a': 1.5 is not a whole number; .* kind: number"),
        ("\x89PNG\x1a\x00\x00\x01\x02", "not text"),
    ],
)
def test_errors_name_the_place_and_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    schema = {"columns": {"a": {"kind": "integer"}, "y": {}}} if "whole" in said else None
    with pytest.raises(TableError, match=said):
        Table.read(written(tmp_path, text), schema=schema)


def test_whole_numbers_are_counts_only_where_they_can_be(tmp_path: Path) -> None:
    """Else the next measured value, 5.5 GPa, could not be entered."""
    schema = Table.read(written(tmp_path, "layers,T [°C],cost,hardness\n1,900,10,5\n2,950,20,6\n")).schema
    assert [c.kind for c in schema.columns] == ["integer", "number", "number", "number"]
    assert schema.with_roles({"layers": "property"})["layers"].kind == "number"


def test_all_errors_are_told_not_only_the_first(tmp_path: Path) -> None:
    text = "a,b,y\n" + "".join(f"{i},{i},{i}\n" for i in range(20)) + "x,1,1\n2,y,2\n"
    with pytest.raises(TableError) as error:
        Table.read(written(tmp_path, text))
    assert len(error.value.problems) == 2


def test_a_folder_of_names_for_the_wrong_kind_of_file(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"give its name that ending"):
        Table.read(written(tmp_path, "PAR1 and so on"))
    with pytest.raises(TableError, match="cannot be read"):
        Table.read(written(tmp_path, "no workbook", name="t.xlsx"))
    with pytest.raises(TableError, match="not a Parquet file"):
        Table.read(written(tmp_path, "no table", name="t.parquet"))
    with pytest.raises(FileNotFoundError):
        Table.read(tmp_path / "absent.csv")
    with pytest.raises(TableError, match="not from int"):
        Table.read(3)  # type: ignore[arg-type]


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_table_or_a_plain_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(data)
    try:
        table = Table.read(path)
    except TableError:
        return
    assert all(len(table[c]) == len(table) for c in table.columns)


@given(st.text(alphabet='ab1,.;\n"\r\t -±NaFe', max_size=120))
@settings(max_examples=250, deadline=None)
def test_any_scribble_is_a_table_or_a_plain_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "scribble.csv"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        repr(Table.read(path))
    except TableError:
        return


# --- schemas -----------------------------------------------------------------------------------------------------


def test_units_are_given_where_headings_have_none(tmp_path: Path) -> None:
    """Cells that end with the unit are numbers; the reason of a failure keeps its own."""
    path = tmp_path / "t.csv"
    path.write_text(
        "T,strength\n1,640 MPa\n2,6.4e2MPa\n3,630 ± 5 MPa\n4,failed: broke at 3 MPa\n5,\n6,610\n",
        encoding="utf-8",
    )
    table = Table.read(path, units={"strength": "MPa", "T": "℃"}, roles={"property": "strength"})
    np.testing.assert_array_equal(table["strength"], [640, 640, 630, np.nan, np.nan, 610])
    assert (table.schema["strength"].unit, table.schema["T"].unit) == ("MPa", "degC")
    assert table.uncertainty("strength")[2] == 5
    assert table.reason[3] == "strength: broke at 3 MPa"
    for wrong, said in (
        ({"strength": "GPa", "T": "K"}, "'640 MPa'"),
        ({"stength": "MPa"}, "no column 'stength'"),
    ):
        with pytest.raises(TableError, match=said):
            _ = Table.read(
                path, units=wrong, schema={"columns": {"strength": {"role": "property", "kind": "number"}}}
            )
    table.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(TableError, match="'strength' is in MPa, not in GPa"):
        Table.read(tmp_path / "t.parquet", units={"strength": "GPa"})


def test_roles_are_corrected_either_way_round(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,c\n1,2,3\n2,3,5\n")
    for roles in ({"a": "property", "c": "cost"}, {"property": ["a"], "cost": "c"}):
        table = Table.read(path, roles=roles)
        assert [c.role for c in table.schema.columns] == ["property", "process", "cost"]
    with pytest.raises(TableError, match="no column 'hardnes'"):
        Table.read(path, roles={"hardnes": "property"})
    with pytest.raises(TableError, match="no role 'target'"):
        Table.read(path, roles={"a": "target"})


@pytest.mark.parametrize("name", ["s.yaml", "s.json"])
def test_a_schema_is_saved_corrected_and_read_with(tmp_path: Path, name: str) -> None:
    text = "T [°C],gas,no,x,y,hardness\n1000,Ar,1,0.5,0.5,5\n1100,N2,2,0.25,0.75,6\n1200,Ar,3,0,1,7\n"
    path = written(tmp_path, text)
    table = Table.read(path)
    schema = table.schema.with_column("T", title="Temperature", unit="K").with_column(
        "gas", levels=("Ar", "N2"), level_values={"mass": (39.9, 28.0)}
    )
    assert schema.mixtures == (Mixture("composition", ("x", "y")),)
    schema.save(tmp_path / name)
    again = Table.read(path, schema=tmp_path / name)
    assert again.schema == schema
    # The file's heading says °C, the schema K: the values are converted, not relabelled.
    np.testing.assert_allclose(again["T"], [1273.15, 1373.15, 1473.15])
    assert again.schema["T [°C]"].title == "Temperature"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"columns": {"a": {"rol": "process"}}}, "column 'a' has no rol"),
        ({"columns": {"a": {"role": "wish"}}}, "no role 'wish'"),
        ({"columns": {"a": {"kind": "picture"}}}, "no kind 'picture'"),
        ({"columns": {"a": 3}}, "needs fields"),
        ({"columns": {"a": {}}, "mixture": {}}, "a schema has no mixture"),
        ({"columns": {"a": {}}, "mixtures": {"m": {"columns": ["b"]}}}, "no column 'b'"),
        ({"columns": {"a": {"levels": ["x"]}}}, "kind is category"),
        ({"columns": {"a": {"kind": "category", "levels": ["x", "x"]}}}, "a level twice"),
        ({}, "needs columns"),
        ([], "needs columns"),
    ],
)
def test_a_wrong_schema_is_told_by_field(tmp_path: Path, given: Any, said: str) -> None:
    with pytest.raises(TableError, match=said):
        Schema.from_dict(given)


def test_a_column_that_the_schema_lacks_is_kept_and_one_that_the_file_lacks_is_empty(tmp_path: Path) -> None:
    schema = Schema((Column("a"), Column("hardness", role="property")))
    table = Table.read(written(tmp_path, "a,operator\n1,Sato\n2,Abe\n"), schema=schema)
    assert list(table["operator"]) == ["Sato", "Abe"]
    assert table.schema["operator"].role == "note"
    assert np.isnan(table["hardness"]).all()
    assert len(table.notes) == 2


def test_a_level_that_is_not_known_is_refused(tmp_path: Path) -> None:
    schema = Schema((Column("gas", kind="category", levels=("Ar", "N2")), Column("y", role="property")))
    with pytest.raises(TableError, match=r"line 3, column 'gas': 'Argn' is none of the levels Ar, N2"):
        Table.read(written(tmp_path, "gas,y\nAr,1\nArgn,2\n"), schema=schema)


# --- DataFrames --------------------------------------------------------------------------------------------------


def test_a_dataframe_keeps_its_index_as_ids_and_its_categories() -> None:
    frame = pd.DataFrame(
        {
            "T": [1.0, np.nan, 3.0],
            "n": pd.array([1, None, 3], dtype="Int64"),
            "gas": pd.Categorical(["b", "a", None], categories=["b", "a", "c"], ordered=True),
            "flag": [True, False, True],
            "when": pd.to_datetime(["2026-01-01", None, "2026-01-03"]),
            "hardness": [1, 2, 3],
        },
        index=[7, 3, 5],
    )
    table = Table.read(frame)
    assert list(table.rows) == [7, 3, 5]
    gas = table.schema["gas"]
    assert (gas.levels, gas.ordered) == (("b", "a", "c"), True)
    assert list(table["gas"]) == ["b", "a", None]
    assert list(table["flag"]) == ["true", "false", "true"]
    assert np.isnan(table["n"][1])
    named = Table.read(frame.set_axis(["p", "q", "r"]).rename_axis("sample"))
    assert list(named["sample"]) == ["p", "q", "r"]
    before = frame.copy()
    table.update(7, {"T": 9.0})
    pd.testing.assert_frame_equal(frame, before)


def test_an_excel_file_as_people_fill_it(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"id": ["a", "b", "c"], "T (°C)": [1, 2.5, None], "hardness [GPa]": ["1.5", "failed: cracked", 3]}
    )
    path = tmp_path / "t.xlsx"
    frame.to_excel(path, index=False, startrow=2)
    table = Table.read(path)
    assert [(c.name, c.role, c.unit) for c in table.schema.columns] == [
        ("id", "identifier", None),
        ("T", "process", "degC"),
        ("hardness", "property", "GPa"),
    ]
    assert list(table.state) == ["measured", "failed", "measured"]
    assert str(table.where(1, "T")) == "t.xlsx, line 5, column T (°C)"


# --- tables as people leave them ----------------------------------------------------------------------------------


def test_a_row_that_groups_the_columns_is_no_heading(tmp_path: Path) -> None:
    """Merged cells above the heading, as spreadsheets have them."""
    text = (
        ",process,,results\nsample,T (degC),time (h),strength (MPa)\nS1,900,1,310\nS2,950,2,330\nS3,1000,1,\n"
    )
    table = Table.read(written(tmp_path, text))
    assert list(table.columns) == ["sample", "T", "time", "strength"]
    assert len(table) == 3
    assert table.schema["strength"].unit == "MPa"
    assert "1 line above the heading is not read" in table.notes
    text = ",process,process,results\nsample,T,time,strength\n,degC,h,MPa\nS1,900,1,310\nS2,950,2,330\n"
    assert Table.read(written(tmp_path, text)).schema["T"].unit == "degC"


@pytest.mark.parametrize("text", ["T,T,y\n1,2,3\n2,3,4\n", ",gas,y\nS1,Ar,failed\nS2,N2,2\nS3,N2,4\n"])
def test_a_heading_with_gaps_or_twins_is_one(tmp_path: Path, text: str) -> None:
    assert len(Table.read(written(tmp_path, text))) == text.count("\n") - 1


@pytest.mark.parametrize("word", ["Total", "mean", "Average:", "合計", "平均"])
def test_totals_and_remarks_are_no_samples(tmp_path: Path, word: str) -> None:
    text = f"sample,T,y\nS1,900,3\nS2,950,4\nMax,970,5\nS3,990,5\n{word},2840,12\n\n* S2 was heated twice\n"
    table = Table.read(written(tmp_path, text))
    assert table["T"].tolist() == [900, 950, 970, 990], "only what stands at the end sums up"
    assert f"line 6 ({word}) sums up the rows above and is left out" in table.notes
    assert "line 8 is a remark below the table and is not read" in table.notes


def test_a_remark_between_rows_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="line 3 is a remark between the rows"):
        Table.read(written(tmp_path, "a,b,y\n1,2,3\n* odd\n2,3,4\n"))


def test_cells_in_line_by_spaces_are_refused_as_that(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="separated by spaces; save it with commas or tabs"):
        Table.read(written(tmp_path, "sample   T   y\nS1   900   3\nS2   950   4\n"))


def test_a_quantity_that_is_no_number_is_told(tmp_path: Path) -> None:
    """Left out without a word, the temperature is missing from all that is learned."""
    for cell in ("{0}-{1}", "{0} K"):
        rows = "".join(f"S{i},{cell.format(900 + i, 910 + i)},{i}.5\n" for i in range(20))
        table = Table.read(written(tmp_path, "sample,T (degC),y\n" + rows))
        assert table.schema["T"].role == "note"
        assert any(
            "'T' has cells such as '9" in text and "one number in each cell" in text for text in table.notes
        )
    rows = "".join(f"{i}A,{900 + i},{i}.5\n" for i in range(20))
    assert not Table.read(written(tmp_path, "sample,T (degC),y\n" + rows)).notes[1:], (
        "names of samples are none"
    )


def test_a_failed_cell_says_more_than_the_rows_state(tmp_path: Path) -> None:
    text = "T,state,y\n1,measured,2\n2,measured,failed: cracked\n3,measured,4\n4,planned,\n"
    table = Table.read(written(tmp_path, text), roles={"property": "y"})
    assert table.state.tolist() == ["measured", "failed", "measured", "planned"]


def test_a_property_of_which_all_failed_is_a_number(tmp_path: Path) -> None:
    text = "T,y\n1,failed: cracked\n2,failed\n3,\n4,\n"
    table = Table.read(written(tmp_path, text), roles={"property": "y"})
    assert table.schema["y"].numeric
    assert table.state.tolist() == ["failed", "failed", "planned", "planned"]


def test_states_and_reasons_may_be_japanese(tmp_path: Path) -> None:
    text = "温度,状態,理由,強度\n900,完了,,310\n950,失敗,割れ,\n1000,未実施,,\n"
    table = Table.read(written(tmp_path, text))
    assert table.state.tolist() == ["measured", "failed", "planned"]
    assert table.reason[1] == "割れ"


def test_many_columns_of_yes_and_no_are_no_mixture(tmp_path: Path) -> None:
    """One of a hundred is 1; the first sixty sum to 1 in the first sixty rows only."""
    frame = pd.DataFrame(np.eye(100, dtype=int), columns=[f"L{i}" for i in range(100)]).assign(
        y=np.arange(100) * 0.5
    )
    assert Table.read(frame).schema.mixtures == ()


def test_features_of_other_samples_are_in_the_units_learned_from(tmp_path: Path) -> None:
    made = Table.read({"T (degC)": [900.0, 950.5], "y": [1.5, 2.5]}, roles={"property": "y"})
    plan = made.features().plan
    other = Table.read({"T (K)": [1173.15, 1223.65], "y": [0.0, 0.0]}, roles={"property": "y"})
    np.testing.assert_allclose(plan.apply(other).matrix[:, 0], [900.0, 950.5])
    wrong = Table.read({"T (MPa)": [1173.15, 1223.65], "y": [0.0, 0.0]}, roles={"property": "y"})
    with pytest.raises(TableError, match="'T' is in MPa here, and in degC in what was learned from"):
        plan.apply(wrong)


@pytest.mark.parametrize(
    "cell", ["1.2×10^-3", "1.2 x 10-3", "1.2×10⁻³", "１．２×１０^－３", "1.2·10^-3", "1.2*10^-03"]
)
def test_powers_of_ten_are_numbers(tmp_path: Path, cell: str) -> None:
    table = Table.read(written(tmp_path, f"T,y\n1,{cell}\n2,2.5×10²\n3,4\n"))
    assert table["y"].tolist() == [0.0012, 250.0, 4.0]


def test_what_is_no_power_of_ten_is_none(tmp_path: Path) -> None:
    """3 × 10 is a size, and 2×103 may be one too."""
    for cell in ("3x10", "2×103", "10^-3x"):
        with pytest.raises(TableError, match="is not a number"):
            Table.read(written(tmp_path, f"T,y\n1,{cell}\n" + "".join(f"{i},{i}.5\n" for i in range(2, 9))))


STEELS = "Sl. No.,C,Si,Mn,S,HV\n" + "".join(
    f"{i + 1},{0.1 + 0.05 * i:.2f},{0.2 + 0.01 * (i % 3):.2f},{0.5 + 0.1 * (i % 4):.1f},0.01,{200 + 30 * i}\n"
    for i in range(8)
)


def test_elements_beside_one_without_a_column_keep_their_amounts(tmp_path: Path) -> None:
    """Of carbon and silicon alone, 0.1 and 0.2 % would be the same as 0.4 and 0.8 %."""
    table = Table.read(written(tmp_path, STEELS))
    assert table.schema.mixtures == ()
    assert any("sum neither to 1 nor to 100" in text and "balance: Fe" in text for text in table.notes)
    np.testing.assert_allclose(table.features().matrix[:2, 0], [0.1, 0.15])
    ratios = Table.read({"Al": [0.0, 0.5, 1.5], "Co": [1, 1, 1], "Ni": [1, 2, 1.5], "HV": [1.5, 2.5, 3.5]})
    assert ratios.schema.mixtures[0].total is None


def test_a_number_beside_amounts_is_none_of_them(tmp_path: Path) -> None:
    """The refractive index of a glass is too small to be told from rounding."""
    rows = "".join(f"{1.515 + i / 999:.3f},{13 + i / 10},{70 - i / 10},17,{i}.5\n" for i in range(9))
    table = Table.read(written(tmp_path, "RI,Na,Si,Ca,y\n" + rows))
    assert table.schema.mixtures[0].columns == ("Na", "Si", "Ca")


def test_settings_that_happen_to_sum_to_100_are_no_mixture(tmp_path: Path) -> None:
    rows = "".join(f"{50 + i % 7},{50 - i % 7 if i != 30 else 40},{i}.5\n" for i in range(60))
    table = Table.read(written(tmp_path, "stage A,stage B,y\n" + rows))
    assert table.schema.mixtures == ()
    assert any("sum to 100 in all rows but 1" in text for text in table.notes)


@pytest.mark.parametrize("heading", ["", "rownames", "Proben-Nr", "Sl. No."])
def test_the_number_of_a_row_is_not_learned_from(tmp_path: Path, heading: str) -> None:
    rows = "".join(f"{i},{900 + 10 * (i % 3)},{i}.5\n" for i in range(9))
    table = Table.read(written(tmp_path, f"{heading},T,y\n" + rows), roles={"property": "y"})
    assert [c.role for c in table.schema.columns] == ["identifier", "process", "property"]


def test_papers_are_groups_and_no_settings(tmp_path: Path) -> None:
    rows = "".join(f"{900 + i},10.1016/j.actamat.2014.0{i % 3},{i}.5\n" for i in range(30))
    table = Table.read(written(tmp_path, "T,source,y\n" + rows), roles={"property": "y"})
    assert table.schema["source"].role == "group"


@pytest.mark.parametrize(
    ("heading", "unit"),
    [
        (r"grain size ($\mu$m)", "um"),
        (r"rho (g/cm$^3$)", "g/cm**3"),
        (r"T ($^\circ$C)", "degC"),
        ("speed_mm_s", "mm/s"),
        ("density_g_cm3", "g/cm**3"),
        ("strength_mpa", "MPa"),
        ("bed_temperature_C", "degC"),
        ("flow_rate_%", "percent"),
        ("value ($)", "$"),
        ("t_min", None),
    ],
)
def test_units_as_papers_and_programs_write_them(heading: str, unit: str | None) -> None:
    assert split_heading(heading)[1] == unit


def test_a_setting_may_be_a_density_or_a_diameter() -> None:
    assert outcome_of("infill density") is outcome_of("Nozzle_diameter_mm") is None
    assert outcome_of("density") == outcome_of("wire strength") == "property"


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("PROPERTY: Test temperature", None),
        ("Type of test", None),
        ("試験温度", None),
        ("yield strength at test temperature", "property"),
        ("PROPERTY: hardness", "property"),
    ],
)
def test_how_something_was_tested_is_no_outcome(heading: str, role: str | None) -> None:
    assert outcome_of(heading) == role
