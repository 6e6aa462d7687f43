"""The table itself: what is written must be read back, and every cell must know where it came from."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zairyo.measurement import Quantity
from zairyo.tables import Column, Mixture, Source, Table, TableError

ROWS = [
    {"id": "a", "T (°C)": 1000, "gas": "Ar", "x": 0.2, "y": 0.8, "tg": 300.5, "hardness (GPa)": 5.0},
    {
        "id": "b",
        "T (°C)": 1100,
        "gas": "N2",
        "x": 0.5,
        "y": 0.5,
        "tg": 310.5,
        "hardness (GPa)": "failed: cracked",
    },
    {"id": "c", "T (°C)": 1200, "gas": "Ar", "x": 0.7, "y": 0.3, "tg": None, "hardness (GPa)": None},
    {"id": "d", "T (°C)": 1200, "gas": "Ar", "x": 1.0, "y": 0.0, "tg": 305, "hardness (GPa)": None},
]


@pytest.fixture
def table() -> Table:
    return Table.read(ROWS)


# --- round trips -------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n",;'), max_size=12)
NUMBER = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    n = draw(st.integers(1, 6))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=n, max_size=n))

    schema = {
        "columns": {
            "name": {"role": "identifier", "kind": "text"},
            "T": {"role": "process", "unit": "K", "heading": "T [K]"},
            "n": {"role": "process", "kind": "integer"},
            "gas": {"role": "process", "kind": "category", "levels": ["N/A", "Ar", "x, y"]},
            "alloy": {"role": "composition", "kind": "composition", "basis": "mass"},
            "hardness": {"role": "property", "unit": "GPa"},
        }
    }
    made = Table.read(
        {
            "name": column(TEXT),
            "T": column(NUMBER),
            "n": column(st.none() | st.integers(-(2**53) + 1, 2**53 - 1)),
            "gas": column(st.sampled_from(["N/A", "Ar", "x, y", ""])),
            "alloy": column(st.sampled_from(["Fe-18Cr", "Fe2O3", ""])),
            "hardness": column(NUMBER),
        },
        schema=schema,
    )
    errors = column(st.just(np.nan) | st.floats(0, 1e9))
    made = made.with_column(
        made.schema["hardness"], made["hardness"], uncertainty=errors, source=Source("person", "Abe")
    )
    for row in range(n):
        state = draw(st.sampled_from(["planned", "made", "measured", "failed", "lost"]))
        reason = draw(st.sampled_from(["cracked, twice", 'a "quote"', ""])) if state == "failed" else ""
        made = made.update(row, state=state, reason=reason or None, by="Abe")
    return made.take(made.rows[draw(st.permutations(range(n)))])


@given(tables())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_parquet_csv_and_pandas_give_the_table_back(
    tmp_path_factory: pytest.TempPathFactory, table: Table
) -> None:
    folder = tmp_path_factory.getbasetemp()
    table.to_parquet(folder / "t.parquet")
    assert Table.read(folder / "t.parquet") == table
    assert pickle.loads(pickle.dumps(table)) == table
    table.to_csv(folder / "t.csv")
    back = Table.read(folder / "t.csv")
    assert back.schema == table.schema
    for other in (back, Table.read(table.to_pandas(whole=True), schema=table.schema)):
        pd.testing.assert_frame_equal(other.to_pandas(True), table.to_pandas(True), check_exact=True)


def test_parquet_keeps_what_a_person_said_and_other_programs_can_read_it(
    tmp_path: Path, table: Table
) -> None:
    path = tmp_path / "t.parquet"
    table = table.update(2, {"hardness": Quantity(6.0, "GPa", 0.5)}, by="Sato")
    table.to_parquet(path)
    back = Table.read(path)
    assert back == table
    assert str(back.where(2, "hardness")) == "person Sato"
    assert back.next_row == 4
    assert list(pd.read_parquet(path)["hardness"].dropna()) == [5.0, 6.0]
    assert Table.read(path, roles={"tg": "process"}).schema["tg"].role == "process"


def test_a_changed_unit_survives_the_file_whose_heading_states_the_old_one(
    tmp_path: Path, table: Table
) -> None:
    kelvin = table.with_schema(table.schema.with_column("T", unit="K"))
    np.testing.assert_allclose(kelvin["T"], [1273.15, 1373.15, 1473.15, 1473.15])
    kelvin.to_csv(tmp_path / "t.csv")
    np.testing.assert_array_equal(Table.read(tmp_path / "t.csv")["T"], kelvin["T"])


def test_a_table_is_not_equal_to_one_that_says_something_else(table: Table) -> None:
    for other in (
        table.update(0, {"hardness": 5.5}),
        table.update(0, state="lost"),
        table.with_roles({"tg": "process"}),
        table.take(table.rows[:3]),
        table.update(0, {"hardness": 5.0}, by="Abe"),  # the same value from elsewhere
    ):
        assert other != table
    assert table != 3


# --- looking -------------------------------------------------------------------------------------------------------


def test_values_codes_states_and_places(table: Table) -> None:
    assert list(table["id"]) == ["a", "b", "c", "d"]
    codes, levels = table.codes("gas")
    assert (list(codes), levels) == ([0, 1, 0, 0], ("Ar", "N2"))
    assert list(table.state) == ["measured", "failed", "planned", "made"]
    assert table.row(2) == {
        "id": "c",
        "T": 1200.0,
        "gas": "Ar",
        "x": 0.7,
        "y": 0.3,
        "tg": None,
        "hardness": None,
    }
    assert str(table.where(1, "T")) == "the rows given, row 1, column T (°C)"
    assert list(table.missing("tg")) == [False, False, True, False]
    with pytest.raises(TableError, match="no column 'hardnes'; did you mean hardness"):
        table["hardnes"]
    with pytest.raises(TableError, match="no row 9; ids run from 0 to 3"):
        table.row(9)
    with pytest.raises(TableError, match="holds numbers"):
        table.codes("T")
    with pytest.raises(ValueError, match="read-only"):
        table["T"][0] = 3


def test_what_it_shows(table: Table) -> None:
    text = repr(table)
    for said in (
        "4 samples × 7 columns (1 planned, 1 made, 1 measured, 1 failed)",
        "T (degC)",
        "x, y",
        "mixture by parts, sums to 1",
        "category, 2 different: Ar, N2",
        "1 missing",
    ):
        assert said in text
    evil = table.with_schema(table.schema.with_column("gas", title="<script>"))
    html = evil._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_selecting_by_mask_ids_and_state(table: Table) -> None:
    assert list(table.take(table["T"] > 1050).rows) == [1, 2, 3]
    swapped = table.take([3, 0])
    assert (list(swapped["id"]), list(swapped.rows)) == (["d", "a"], [3, 0])
    assert swapped.row(3) == table.row(3)
    assert str(swapped.where(0, "T")) == str(table.where(0, "T"))
    assert list(table.in_state("made", "failed").rows) == [1, 3]
    with pytest.raises(TableError, match="no rows 7"):
        table.take([0, 7])
    with pytest.raises(TableError, match="mask has shape"):
        table.take(np.ones(3, bool))
    with pytest.raises(TableError, match="no state broken"):
        table.in_state("broken")
    assert len(table.take(np.zeros(4, bool))) == 0
    repr(table.take([]))


# --- changing ------------------------------------------------------------------------------------------------------


def test_an_update_is_a_new_table_and_the_old_one_stays(table: Table) -> None:
    new = table.update(2, {"hardness": Quantity(6500.0, "MPa", 100.0)}, by="Sato")
    assert (new.row(2)["hardness"], new.uncertainty("hardness")[2], new.state[2]) == (6.5, 0.1, "measured")
    assert table.row(2)["hardness"] is None
    assert str(new.where(2, "hardness")) == "person Sato"
    assert new.where(0, "hardness") == table.where(0, "hardness")
    assert new.update(1, {"hardness": 3}).reason[1] is None
    failed = new.update(2, {"hardness": None}, state="failed", reason="void", by="Sato")
    assert (failed.state[2], failed.reason[2], failed.row(2)["hardness"]) == ("failed", "void", None)
    assert table.update(2, {"tg": 300}).state[2] == "made"
    assert table.update(3, replicate_of=2).replicate_of[3] == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"hardness": "soft"}, "holds numbers, not 'soft'"),
        ({"hardness": float("inf")}, "needs a finite number"),
        ({"hardness": Quantity(1.0, "s")}, "cannot be converted"),
        ({"gas": "Arr"}, "did you mean 'Ar'"),
        ({"x": 0.9}, "x, y sum to 1.7"),
    ],
)
def test_an_update_that_does_not_fit_is_refused(table: Table, values: dict[str, Any], said: str) -> None:
    with pytest.raises(TableError, match=said):
        table.update(0, values)
    with pytest.raises(TableError, match="no state"):
        table.update(0, state="broken")
    with pytest.raises(TableError, match="with their uncertainties"):
        table.update(0, uncertainty={"hardness": 1.0})


def test_rows_are_added_with_ids_of_their_own(table: Table) -> None:
    fewer = table.take([0, 1])  # two rows are gone; their ids are not given again
    more = fewer.add([{"id": "e", "T": 900, "gas": "N2", "x": 1, "y": 0, "hardness": 7.5}], by="Abe")
    assert list(more.rows) == [0, 1, 4]
    assert (more.state[2], str(more.where(4, "T"))) == ("measured", "person Abe")
    assert list(more.reason) == [None, "hardness: cracked", None]
    assert str(more.where(1, "T")) == str(table.where(1, "T"))
    both = more.add(table)
    assert list(both["id"]) == ["a", "b", "e", "a", "b", "c", "d"]
    with pytest.raises(TableError, match="none of the levels Ar, N2"):
        table.add([{"gas": "He"}])
    wider = table.add([{"gas": "He"}], new_levels=True)
    assert wider.schema["gas"].levels == ("Ar", "N2", "He")
    assert list(wider["gas"]) == ["Ar", "N2", "Ar", "Ar", "He"]
    with pytest.raises(TableError, match="does not have: colour"):
        table.add([{"colour": "red"}])


def test_a_column_that_was_computed_says_so(table: Table) -> None:
    column = Column("tg predicted", "measured_descriptor", "number", "K")
    new = table.with_column(
        column,
        [1.0, 2.0, np.nan, 4.0],
        uncertainty=[0.1, 0.1, np.nan, 0.2],
        source=Source("computed", "model 3"),
    )
    assert str(new.where(0, "tg predicted")) == "computed model 3"
    assert new.where(2, "tg predicted").source.kind == "none"
    assert new.uncertainty("tg predicted")[3] == 0.2
    with pytest.raises(TableError, match="needs 4 values"):
        table.with_column(column, [1.0])
    gases = table.with_column(Column("furnace", "group", "category"), ["B", None, "A", "B"])
    assert gases.schema["furnace"].levels == ("A", "B")


def test_kinds_change_where_the_cells_allow_it(table: Table) -> None:
    ordered = table.with_schema(
        table.schema.with_column("T", kind="category", levels=("1000", "1100", "1200"), ordered=True)
    )
    assert list(ordered["T"]) == ["1000", "1100", "1200", "1200"]
    back = ordered.with_schema(ordered.schema.with_column("T", kind="number"))
    np.testing.assert_array_equal(back["T"], table["T"])
    with pytest.raises(TableError, match=r"row 0, column id: 'a' is not a number"):
        table.with_schema(table.schema.with_column("id", kind="number"))
    with pytest.raises(TableError, match="not a whole number"):
        table.with_schema(table.schema.with_column("tg", kind="integer"))
    with pytest.raises(TableError, match="none of the levels Ar"):
        table.with_schema(table.schema.with_column("gas", levels=("Ar",)))
    with pytest.raises(TableError, match="differ in the columns"):
        table.with_schema(replace(table.schema, columns=table.schema.columns[:2], mixtures=()))


def test_states_that_were_implied_follow_a_corrected_role(table: Table) -> None:
    """Else a column that was taken for the property by mistake would leave every sample measured."""
    roles = {"tg": "property", "hardness": "process"}
    assert list(table.with_roles(roles).state) == ["measured", "failed", "planned", "measured"]
    assert list(table.update(2, state="lost").with_roles(roles).state) == [
        "measured",
        "failed",
        "lost",
        "measured",
    ]
    assert list(
        table.with_roles(roles).with_roles({"tg": "measured_descriptor", "hardness": "property"}).state
    ) == list(table.state)


# --- findings ------------------------------------------------------------------------------------------------------


def test_replicates_duplicates_contradictions_and_constants_are_told() -> None:
    n = 20
    rows = [{"T": i, "gas": "Ar", "empty": None, "strength": 100.0 + i} for i in range(n)]
    rows += [{"T": 3, "gas": "Ar", "strength": 103.0}, {"T": 5, "gas": "Ar", "strength": 300.0}]
    columns = {"T": {}, "gas": {"kind": "category"}, "empty": {}, "strength": {"role": "property"}}
    found = Table.read(rows, schema={"columns": columns}).findings()
    assert sorted(found.replicates) == [(3, 20), (5, 21)]
    assert found.duplicates == ((3, 20),)
    assert len(found.contradictions) == 1
    assert (
        "rows 5 and 21 are replicates but contradict each other: strength 105 and 300"
        in found.contradictions[0]
    )
    assert (found.constant, found.empty) == (("gas",), ("empty",))
    assert "contradict" in repr(found)


def test_known_uncertainties_decide_what_contradicts() -> None:
    rows = [
        {"T": 1, "y": 10.0, "y uncertainty": 1.0},
        {"T": 1, "y": 12.0, "y uncertainty": 1.0},
        {"T": 2, "y": 11.0},
    ]
    assert not Table.read(rows, roles={"y": "property"}).findings().contradictions
    rows[1]["y uncertainty"] = rows[0]["y uncertainty"] = 0.1
    assert len(Table.read(rows, roles={"y": "property"}).findings().contradictions) == 1


def test_real_replicates(tasks: Path) -> None:
    found = Table.read(tasks / "photo_wf3.csv").findings()
    plain = pd.read_csv(tasks / "photo_wf3.csv")
    settings_ = plain.columns[:4].to_list()
    assert len(found.replicates) == (plain.groupby(settings_).size() > 1).sum() > 0


# --- lightness -----------------------------------------------------------------------------------------------------


def test_the_room_loads_nothing_heavy() -> None:
    probe = (
        "import sys, zairyo.tables\n"
        "print(sorted(m for m in ('pandas', 'pyarrow', 'rdkit', 'pint', 'sqlalchemy', 'mendeleev', 'scipy', 'httpx') "
        "if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_mixtures_of_grams_weighed_in() -> None:
    rows = {"Fe2O3": [10.0, 20.0], "BaCO3": [5.0, 0.0], "yield": [1, 2]}
    table = Table.read(rows, roles={"composition": ["Fe2O3", "BaCO3"]})
    mixture = Mixture("powder", ("Fe2O3", "BaCO3"), "mass", total=None)
    table = table.with_schema(replace(table.schema, mixtures=(mixture,)))
    np.testing.assert_allclose(table.fractions("powder"), [[2 / 3, 1 / 3], [1, 0]])
    # 10 g of Fe2O3 (159.69 g/mol) and 5 g of BaCO3 (197.34 g/mol).
    np.testing.assert_allclose(table.fractions("powder", "mole")[0], [0.71196, 0.28804], atol=2e-5)
    found, symbols = table.element_fractions("powder")
    assert symbols == ("C", "O", "Fe", "Ba")
    np.testing.assert_allclose(found[1], [0, 0.6, 0.4, 0])
    with pytest.raises(TableError, match=r"density of 'Fe2O3' is not known; give it \(g/cm³\)"):
        table.fractions("powder", "volume")
    with pytest.raises(TableError, match="no mixture 'slurry'"):
        table.fractions("slurry")
