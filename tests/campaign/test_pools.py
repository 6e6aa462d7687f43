"""Candidates: settings become features and come back exactly, and constraints hold wherever candidates come from."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.campaign.test_parameters import spaces

from zairyo.campaign import _pool_file, _pool_source
from zairyo.campaign._base import Block, CampaignError, Candidates, Problem
from zairyo.campaign._pool_file import FilePool
from zairyo.campaign._pool_space import EndlessSpace, GridPool, SpacePool
from zairyo.campaign._pool_table import TablePool
from zairyo.campaign._pools import candidates_from, candidates_sharing
from zairyo.campaign.parameters import (
    Categorical,
    Composition,
    Continuous,
    Integer,
    Levels,
    Linear,
    Mixture,
    SearchSpace,
)
from zairyo.tables import Table

FRAME = pd.DataFrame(
    {
        "T (degC)": [600.0, 700.0, 700.0, 850.5],
        "time": [1, 2, 2, 30],
        "gas": ["Ar", "air", "air", "N2"],
        "dry": [True, False, False, True],
        "site": ["b", "b", "b", "b"],
        "Fe": [0.5, 0.25, 0.25, 0.0],
        "Co": [0.5, 0.75, 0.75, 1.0],
    }
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def whole(pool: Candidates, rows: int = 65_536) -> Block:
    """All blocks as one."""
    blocks = list(pool.blocks(rows))
    return Block(np.concatenate([b.index for b in blocks]), np.concatenate([b.X for b in blocks]))


def back_and_forth(pool: Candidates, block: Block) -> list[dict[str, Any]]:
    """Settings of a block, whose features are exactly those of the block."""
    shown = pool.decode(block)
    assert np.array_equal(pool.encode(shown), block.X)
    assert pool.decode(Block(np.full(len(block), -1), block.X)) == shown or pool.size is not None
    return shown


# Tables -------------------------------------------------------------------------------------------------------------


def test_a_frame_comes_back_in_its_own_words() -> None:
    pool = candidates_from(FRAME)
    assert isinstance(pool, TablePool)
    block = whole(pool)
    shown = back_and_forth(pool, block)
    assert shown == FRAME.to_dict("records")
    assert [type(v) for v in shown[0].values()] == [float, int, str, bool, str, float, float]
    assert [v.kind for v in pool.space.variables] == ["number", "integer", *["category"] * 3, "mixture"]
    assert np.isfinite(block.X).all()


def test_duplicated_rows_are_two_places_known_as_the_same() -> None:
    pool = candidates_from(FRAME)
    assert isinstance(pool, TablePool)
    assert pool.locate(FRAME.to_dict("records")).tolist() == [0, 1, 1, 3]
    assert pool.twins([2]).tolist() == [1, 2]
    assert pool.twins([0, 1]).tolist() == [0, 1, 2]
    assert pool.locate([{**FRAME.to_dict("records")[0], "time": 3}]).tolist() == [-1]
    assert len(pool.draw(10, rng())) == 4


@pytest.mark.parametrize(
    "same",
    [
        FRAME.to_dict("records"),
        FRAME.to_dict("list"),
        FRAME[["T (degC)", "time", "Fe", "Co"]].to_records(index=False),
        Table.read(FRAME, roles={"process": ["T (degC)"]}),
    ],
)
def test_whatever_holds_rows_will_do(same: Any) -> None:
    pool = candidates_from(same)
    assert pool.size == 4
    back_and_forth(pool, whole(pool))


def test_outcomes_and_names_are_not_set() -> None:
    frame = FRAME.assign(sample=["s1", "s2", "s3", "s4"], hardness=[1.5, 2.5, np.nan, 4.25], note="as cast")
    pool = candidates_from(frame, leave=["hardness"])
    assert "hardness" not in pool.names
    assert "sample" not in pool.names
    cracked = frame.assign(hardness=[1.5, "cracked", np.inf, "?"])
    assert candidates_from(cracked, leave=["hardness"]).names == pool.names
    assert candidates_from(frame, settings=["time", "gas"]).names == ("time", "gas")
    with pytest.raises(CampaignError, match="there is no column tme to set"):
        candidates_from(frame, settings=["tme"])


def test_settings_are_not_lost_because_their_numbers_look_like_outcomes() -> None:
    frame = pd.DataFrame(rng().uniform(size=(40, 4)), columns=["x1", "x2", "x3", "x4"])
    frame = frame.assign(x2=np.arange(40) % 3)
    assert candidates_from(frame).names == ("x1", "x2", "x3", "x4")
    for at in (0, 2, 4):
        told = frame.copy()
        told.insert(at, "y", frame.sum(axis=1))
        found = candidates_from(told, leave=["y"])
        assert set(found.names) | {"y"} >= {"x1", "x2", "x3"}
    told = frame.assign(y=frame.sum(axis=1))
    first = told[["y", "x1", "x2", "x3", "x4"]]
    assert candidates_from(first, leave=["y"]).names == ("x1", "x2", "x3", "x4")


def test_a_setting_that_is_missing_is_refused_with_its_row_and_column() -> None:
    for bad in (np.nan, np.inf):
        with pytest.raises(CampaignError, match=r"row 2, column '?T \(degC\)"):
            candidates_from(FRAME.assign(**{"T (degC)": [600.0, 700.0, bad, 800.0]}))
    with pytest.raises(CampaignError, match=r"row 1, column gas"):
        candidates_from(FRAME.assign(gas=["Ar", None, "air", "N2"]))
    with pytest.raises(CampaignError, match="no rows"):
        candidates_from(FRAME.iloc[:0])
    with pytest.raises(CampaignError, match="cannot be used as candidates"):
        candidates_from(3)
    with pytest.raises(CampaignError, match="twice"):
        candidates_from(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_large_frame_is_understood_like_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from zairyo.campaign import _pool_table

    frame = pd.concat([FRAME] * 50, ignore_index=True)
    small = whole(candidates_from(frame))
    monkeypatch.setattr(_pool_table, "_LARGE", 10)
    monkeypatch.setattr(_pool_table, "_SAMPLED", 20)
    pool = candidates_from(frame)
    assert np.array_equal(whole(pool).X, small.X)
    assert pool.decode(small.take([1])) == FRAME.iloc[[1]].to_dict("records")
    frame.loc[133, "time"] = np.nan
    with pytest.raises(CampaignError, match="row 133, column 'time'"):
        candidates_from(frame)


def test_a_hundred_levels_constant_columns_and_one_row_are_harmless() -> None:
    frame = pd.DataFrame({"solvent": [f"s{i}" for i in range(100)] * 2, "T": 25.0, "x": np.arange(200) / 7})
    pool = candidates_from(frame)
    assert pool.space.width == 102
    block = whole(pool)
    assert block.X[:, :100].sum(axis=1).tolist() == [1.0] * 200
    back_and_forth(pool, block)
    assert (pool.locate(frame.to_dict("records")) == np.arange(200)).all()
    one = candidates_from(frame.iloc[:1])
    assert one.locate(frame.iloc[:2].to_dict("records")[:1]).tolist() == [0]
    with pytest.raises(CampaignError, match="row 0, parameter 'solvent': 's7' is none of s0"):
        one.encode([{"solvent": "s7", "T": 25.0, "x": 0.0}])


def test_formulas_are_compared_by_their_elements() -> None:
    pool = candidates_from(
        pd.DataFrame({"alloy": ["Zr70Cu30", "Zr50Cu40Al10", "Zr60Cu40"], "rate": [1.0, 2.5, 3.0]})
    )
    assert [(v.name, v.kind) for v in pool.space.variables] == [("alloy", "mixture"), ("rate", "number")]
    assert np.allclose(pool.encode([{"alloy": "Cu50Zr50", "rate": 1}])[0, :3].sum(), 1.0)
    assert pool.decode(whole(pool))[1] == {"alloy": "Zr50Cu40Al10", "rate": 2.5}
    with pytest.raises(CampaignError, match="Fe"):
        pool.encode([{"alloy": "Fe2Zr", "rate": 1}])


def test_constraints_and_costs_may_name_columns_that_are_not_set() -> None:
    frame = FRAME.assign(price=[1.0, 2.0, 3.0, 4.0])
    pool = candidates_from(
        frame, constraints=["price < 4", "gas != 'Ar'"], cost="price", settings=["time", "gas"]
    )
    blocks = list(pool.blocks())
    assert blocks[0].index.tolist() == [1, 2]
    assert blocks[0].cost is not None
    assert blocks[0].cost.tolist() == [2.0, 3.0]
    assert pool.locate([{"time": 1, "gas": "Ar"}]).tolist() == [0]  # forbidden, and still known
    with pytest.raises(CampaignError, match="a cost must be above 0"):
        list(candidates_from(frame, cost="price - 2").blocks())
    with pytest.raises(CampaignError, match="did you mean price"):
        candidates_from(frame, constraints=["prices < 4"])


def test_blocks_are_the_same_whatever_their_length() -> None:
    pool = candidates_from(pd.DataFrame({"a": np.arange(1000.0) / 8}), constraints=["a > 3"])
    assert np.array_equal(whole(pool, 7).index, whole(pool).index)
    near = pool.draw(6, rng(), around=np.array([[50.0], [90.0]]))
    assert np.abs(near.X[:, 0][:, None] - [50.0, 90.0]).min(axis=1).max() <= 0.25


# Files --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def rows() -> pd.DataFrame:
    r = rng(3)
    frame = pd.DataFrame(
        {
            "T (degC)": r.uniform(600, 900, 3000).round(2),
            "time": r.integers(1, 40, 3000),
            "gas": np.array(["Ar", "N2, dry", "air"])[r.integers(3, size=3000)],
            "Fe": 0.0,
            "Co": r.uniform(0, 1, 3000).round(3),
        }
    )
    return frame.assign(Fe=(1 - frame["Co"]).round(3))


@pytest.fixture(params=["csv", "semicolon", "parquet"])
def file(
    request: pytest.FixtureRequest, rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The rows as a file of many parts."""
    monkeypatch.setattr(_pool_source, "_CHUNK", 5000)
    monkeypatch.setattr(_pool_source, "_HEAD", 500)
    path = tmp_path / f"candidates.{'parquet' if request.param == 'parquet' else 'csv'}"
    if request.param == "parquet":
        rows.to_parquet(path, row_group_size=700)
    elif request.param == "csv":
        rows.to_csv(path, index=False)
    else:
        rows.to_csv(path, index=False, sep=";", decimal=",", encoding="utf-8-sig", lineterminator="\r\n")
    return path


def test_a_file_in_blocks_is_what_it_is_in_memory(file: Path, rows: pd.DataFrame) -> None:
    pool = FilePool(file, constraints=["time < 30"], cost="time")
    table = candidates_from(rows, constraints=["time < 30"], cost="time")
    assert pool.size == 3000
    assert pool.names == table.names
    assert np.allclose(whole(pool, 256).X, whole(table).X)
    assert np.array_equal(whole(pool).index, whole(table).index)
    some = pool.draw(40, rng())
    shown = back_and_forth(pool, some)
    assert shown == rows.iloc[some.index].to_dict("records")
    assert pool.locate(shown).tolist() == [int(np.flatnonzero((rows == s).all(axis=1))[0]) for s in shown]
    assert pool.locate([{**shown[0], "time": 999}]).tolist() == [-1]
    near = pool.draw(5, rng(), around=some.X[:1])
    assert some.index[0] in near.index


def test_a_file_larger_than_the_sample_in_memory(
    file: Path, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are in memory and rows that are not come back alike; draws are spread over the whole file."""
    monkeypatch.setattr(_pool_file, "_KEPT", 200)
    monkeypatch.setattr(_pool_source, "_ROWS", 256)
    pool = FilePool(file)
    index = np.array([2999, 0, 1500, 7, 7, 2100])
    assert pool.decode(Block(index, np.empty((6, 0)))) == rows.iloc[index].to_dict("records")
    few, many = pool.draw(100, rng()).index, pool.draw(600, rng()).index
    for drawn, most in ((few, 100), (many, 600)):
        assert 0.9 * most <= len(np.unique(drawn)) == len(drawn) <= most
        assert (np.histogram(drawn, bins=6, range=(0, 3000))[0] > 0.05 * most).all()
    with pytest.raises(CampaignError, match="no candidate 3000"):
        pool.decode(Block(np.array([3000]), np.empty((1, 0))))
    drawn = [i for seed in range(30) for i in FilePool(file).draw(3, rng(seed)).index]
    assert len(set(drawn)) > 40


def test_a_file_that_changes_meanwhile_is_noticed(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else places of the old file would be other experiments of the new one."""
    monkeypatch.setattr(_pool_file, "_KEPT", 200)
    path = tmp_path / "candidates.csv"
    rows.to_csv(path, index=False)
    pool = FilePool(path)
    rows.iloc[:-1].to_csv(path, index=False)
    with pytest.raises(CampaignError, match="was changed"):
        list(pool.blocks())
    path.unlink()
    with pytest.raises(CampaignError, match="taken away"):
        pool.decode(Block(np.arange(1000), np.empty((1000, 0))))


def test_what_is_taken_is_left_out_in_any_order() -> None:
    """Of blocks in the order of the pool and of others: nothing taken is proposed, nothing free is lost."""
    r = rng(5)
    X = np.column_stack([r.integers(3, size=500), r.random(500)]).astype(float)
    space = candidates_from(pd.DataFrame(X, columns=["a", "b"]))
    taken = np.sort(r.choice(900, 60, replace=False))
    avoid = np.vstack([X[[3, 499]], [[1.0, 0.5]]])
    none = np.empty((0, 2))
    asked = Problem(
        space, none, none[:, :0], np.zeros(0, bool), np.empty(0, np.int64), none, (), taken, avoid
    )
    index = np.sort(r.choice(900, 500, replace=False))
    expected = ~np.isin(index, taken)
    expected[[3, 499]] = False
    assert (asked.free(Block(index, X)) == expected).all()
    order = r.permutation(500)
    assert (asked.free(Block(index[order], X[order])) == expected[order]).all()
    assert (asked.free(Block(index[:20], X[:20])) == expected[:20]).all()


def test_a_bad_cell_far_down_a_file_is_named(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pool_source, "_CHUNK", 5000)
    monkeypatch.setattr(_pool_source, "_HEAD", 500)
    path = tmp_path / "candidates.csv"
    for column, bad, words in (
        ("time", "soon", "'soon' is no number"),
        ("T (degC)", "", "is no setting"),
        ("gas", "", "no value"),
    ):
        odd = rows.astype(object)
        odd.loc[2345, column] = bad
        odd.to_csv(path, index=False)
        with pytest.raises(CampaignError, match=f"row 2,345 .* column '{column[0]}.*{words}"):
            FilePool(path)
    odd = rows.copy()
    odd.loc[2345, "Co"] = 0.9
    odd.loc[2345, "Fe"] = 0.9
    odd.to_csv(path, index=False)
    with pytest.raises(CampaignError, match=r"row 2,345, mixture .* sum to 1.8"):
        list(FilePool(path).blocks())


def test_only_large_files_are_read_in_blocks(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "candidates.csv"
    rows.to_csv(path, index=False)
    assert isinstance(candidates_from(path), TablePool)
    monkeypatch.setattr("zairyo.campaign._pools._LARGE_FILE", 1000)
    assert isinstance(candidates_from(str(path)), FilePool)
    with pytest.raises(CampaignError, match="cannot be opened"):
        candidates_from(tmp_path / "none.csv")


# Grids --------------------------------------------------------------------------------------------------------------


@given(spaces(), st.integers(0, 5))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_space_comes_back_exactly(space: SearchSpace, seed: int) -> None:
    pool = candidates_from(space)
    drawn = pool.draw(12, rng(seed))
    shown = back_and_forth(pool, drawn)
    assert (pool.locate(shown) == drawn.index).all()
    near = pool.draw(12, rng(seed), around=drawn.X[:2], width=0.1)
    back_and_forth(pool, near)
    low, high = pool.space.lower, pool.space.upper
    for X in (drawn.X, near.X):
        assert (low - 1e-9 * (1 + np.abs(low)) <= X).all()
        assert (high + 1e-9 * (1 + np.abs(high)) >= X).all()
        assert len(np.unique(X, axis=0)) == len(X)
        for variable in pool.space.variables:
            if variable.kind == "mixture":
                assert np.allclose(X[:, list(variable.columns)].sum(axis=1), 1.0, atol=1e-12)


GRID = [
    Integer("n", 1, 5, 2),
    Levels("T", (600, 700, 850.5)),
    Categorical("gas", ("Ar", "N2", "air")),
    Mixture("m", ("a", "b", "c", "d"), step=0.1, at_most=3, bounds={"a": (0, 0.4)}),
]


def test_a_grid_numbers_every_combination_once() -> None:
    pool = candidates_from(GRID)
    assert isinstance(pool, GridPool)
    block = whole(pool, 500)
    assert pool.size == len(block)
    assert np.array_equal(block.index, np.arange(len(block)))
    assert len(np.unique(block.X, axis=0)) == len(block)
    shown = back_and_forth(pool, block)
    assert np.array_equal(pool.locate(shown), block.index)
    inside = [(s["a"] <= 0.4) and sum(s[i] > 0 for i in "abcd") <= 3 for s in shown]
    assert all(inside)
    assert pool.locate([{**shown[0], "n": 2}, {**shown[0], "T": 601}]).tolist() == [-1, -1]
    assert len(pool.draw(10**6, rng())) == pool.size


@given(st.integers(2, 5), st.sampled_from([4, 5, 10]), st.integers(1, 5), st.integers(0, 3))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_simplex_lattice_has_as_many_points_as_combinatorics_says(
    k: int, steps: int, most: int, low: int
) -> None:
    names = tuple("abcde"[:k])
    most = min(most, k)
    bounds = {"a": (low / steps, 1.0)}
    pool = candidates_from(Mixture("m", names, step=1 / steps, at_most=most, bounds=bounds))
    units = np.rint(whole(pool).X * steps).astype(int)
    wanted = (
        {
            tuple(u)
            for u in np.ndindex(*[steps + 1] * k)
            if sum(u) == steps and u[0] >= low and sum(v > 0 for v in u) <= most
        }
        if (steps + 1) ** k < 20_000
        else None
    )
    found = {tuple(u) for u in units.tolist()}
    assert len(found) == len(units)
    assert wanted is None or found == wanted
    if most == k and low == 0:
        assert len(units) == comb(steps + k - 1, k - 1)


def test_a_grid_of_any_size_opens_at_once_and_is_drawn_from() -> None:
    pool = candidates_from(
        [Levels(f"x{i}", tuple(range(10))) for i in range(8)], constraints=["x0 + x1 == 18"]
    )
    assert pool.size == 10**8
    found = pool.draw(64, rng())
    assert (found.X[:, :2] == 9).all()
    assert len(set(found.index.tolist())) == 64
    assert (pool.locate(pool.decode(found)) == found.index).all()
    endless = candidates_from([Levels(f"x{i}", tuple(range(10))) for i in range(30)])
    assert endless.size is None
    assert len(endless.draw(64, rng())) == 64
    with pytest.raises(CampaignError, match="only drawn"):
        list(endless.blocks())


def test_shared_settings_narrow_a_pool_and_keep_its_places() -> None:
    space = SearchSpace(tuple(GRID), shared=("T",))
    pool = candidates_from(space)
    assert isinstance(pool, SpacePool)
    assert pool.shared == ("T",)
    hot = candidates_sharing(pool, {"T": 700})
    block = whole(hot, 100)
    assert pool.size is not None
    assert len(block) == pool.size // 3
    assert {s["T"] for s in pool.decode(block)} == {700}
    assert {s["T"] for s in hot.decode(hot.draw(20, rng()))} == {700}
    table = candidates_from(FRAME, shared="gas")  # type: ignore[arg-type]
    assert whole(candidates_sharing(table, {"gas": "air"})).index.tolist() == [1, 2]
    endless = candidates_from(
        [Continuous("a", 0, 1), Mixture("m", ("x", "y", "z")), Categorical("g", ("p", "q"))]
    )
    few = candidates_sharing(endless, {"a": 0.25, "x": 0.5, "g": "q"})
    shown = few.decode(few.draw(30, rng()))
    assert len(shown) == 30
    assert {(s["a"], round(s["x"], 9), s["g"]) for s in shown} == {(0.25, 0.5, "q")}
    with pytest.raises(CampaignError, match="no parameter 'b'"):
        candidates_sharing(endless, {"b": 1})
    with pytest.raises(CampaignError, match="is none of p, q"):
        candidates_sharing(endless, {"g": "r"})


# Endless spaces -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "constraints"),
    [
        ([Continuous(n, 0, 5) for n in "abc"], [Linear({"a": 1, "b": 1, "c": 1}, "<=", 0.02)]),
        (
            [Continuous("a", 0, 5), Integer("b", 0, 5), Continuous("c", 0, 5)],
            [Linear({"a": 1, "b": 1, "c": 1}, "==", 6)],
        ),
        ([Mixture("m", ("p", "q", "r", "s"), at_most=3)], [Linear({"p": 1, "q": -2}, "==", 0)]),
        (
            [Mixture("m", ("p", "q", "r"), total=100, balance="r"), Continuous("T", 0, 1)],
            [Linear({"p": 1, "T": 10}, "<=", 0.5)],
        ),
        ([Continuous("a", 0, 1), Continuous("b", 0, 1)], ["abs(a - b) < 0.003"]),
        ([Continuous("a", 0, 1), Continuous("b", 0, 1)], [lambda s: s["a"] > 0.9 and s["b"] < 0.1]),
    ],
)
def test_narrow_constraints_leave_enough_to_choose_from(parameters: Any, constraints: Any) -> None:
    pool = candidates_from(parameters, constraints=constraints)
    assert isinstance(pool, EndlessSpace)
    drawn = pool.draw(100, rng())
    assert len(drawn) == 100
    columns = pool.coding.read(back_and_forth(pool, drawn))
    assert pool.allows(columns).all()
    assert len(np.unique(drawn.X, axis=0)) == 100
    assert (drawn.X.std(axis=0) > 0).any()
    near = pool.draw(50, rng(), around=drawn.X[:2], width=0.01)
    assert pool.allows(pool.coding.read(back_and_forth(pool, near))).all()
    span = pool.space.upper - pool.space.lower
    far = np.abs((near.X[:, None] - drawn.X[None, :2]) / span).max(axis=2).min(axis=1)
    assert len(near) >= 50
    assert far.max() < 0.35
    assert np.median(far) < 0.05
    assert np.array_equal(pool.draw(100, rng()).X, drawn.X)


def test_points_under_linear_constraints_are_spread_evenly() -> None:
    corner = [Linear({"a": 1, "b": 1, "c": 1}, "<=", 0.1)]
    X = candidates_from([Continuous(n, 0, 5) for n in "abc"], constraints=corner).draw(3000, rng()).X * 10
    assert np.allclose(X.mean(axis=0), 1 / 4, atol=0.015)  # of a uniform distribution under the plane
    assert np.allclose(X.var(axis=0), 3 / 80, atol=0.005)
    assert len(np.unique(X, axis=0)) == 3000


def test_constraints_that_leave_nothing_say_which() -> None:
    for parameters in ([Continuous("a", 0, 1)], [Integer("a", 0, 1)]):
        with pytest.raises(CampaignError, match=r"no allowed candidate .*'a > 2' holds for 0.00 %"):
            candidates_from(parameters, constraints=["a > 2"]).draw(5, rng())


def test_mixtures_are_drawn_evenly_from_the_simplex() -> None:
    free = candidates_from(Mixture("m", ("a", "b", "c"))).draw(2000, rng()).X
    assert np.allclose(free.mean(axis=0), 1 / 3, atol=0.02)
    assert np.allclose(free.var(axis=0), 1 / 18, atol=0.01)  # of the uniform distribution on the simplex
    names = tuple(f"c{i}" for i in range(8))
    tight = (
        candidates_from(Mixture("m", names, bounds=dict.fromkeys(names, (0.05, 0.16)), at_most=None))
        .draw(500, rng())
        .X
    )
    assert np.allclose(tight.mean(axis=0), 1 / 8, atol=0.01)
    assert tight.min() >= 0.05 - 1e-9
    assert tight.max() <= 0.16 + 1e-9
    sparse = candidates_from(Mixture("m", names, at_most=2)).draw(500, rng()).X
    assert ((sparse > 0).sum(axis=1) <= 2).all()
    assert (sparse.mean(axis=0) > 0.06).all()


def test_draws_near_others_come_nearer_with_the_width() -> None:
    pool = candidates_from(
        [Continuous("a", 0, 100), Continuous("b", 1e-6, 1, log=True), Mixture("m", ("x", "y", "z"))]
    )
    around = pool.encode([{"a": 50, "b": 1e-3, "x": 0.2, "y": 0.3, "z": 0.5}])
    span = pool.space.upper - pool.space.lower
    far = [
        float((np.abs(pool.draw(200, rng(), around, w).X - around) / span).max()) for w in (0.3, 0.03, 0.003)
    ]
    assert far[0] > 5 * far[1] > 25 * far[2]
    assert far[2] <= 0.01


def test_settings_that_cannot_be_read_name_row_and_parameter() -> None:
    pool = candidates_from([*GRID, Continuous("p", 1e-3, 1, log=True), Composition("f", ("Fe2O3", "FeO"))])
    good = {"n": 1, "T": 600, "gas": "Ar", "a": 0.4, "b": 0.6, "p": 0.5, "f": "FeO"}
    assert pool.encode([good]).shape == (1, pool.space.width)
    assert pool.encode([{**good, "n": 1000, "T": -5, "extra": "x", "f": "Fe3O4"}]).shape == (
        1,
        pool.space.width,
    )
    assert pool.encode([]).shape == (0, pool.space.width)
    for change, words in (
        ({"n": "many"}, "row 1, parameter 'n': 'many' is no number"),
        ({"n": float("nan")}, "row 1, parameter 'n': has no value"),
        ({"n": float("inf")}, "row 1, parameter 'n': inf is no number"),
        ({"gas": "He"}, "row 1, parameter 'gas': 'He' is none of Ar, N2, air"),
        ({"gas": None}, "row 1, parameter 'gas': has no value"),
        ({"gas": ["Ar"]}, "row 1, parameter 'gas'"),
        ({"p": 0}, "row 1, parameter 'p': 0 has no logarithm"),
        ({"a": 0.8}, "row 1, mixture 'm': a, b, c, d sum to 1.4"),
        ({"a": -0.1, "b": 1.1}, "a is -0.1; an amount cannot be below 0"),
        ({"f": "CuO"}, "'CuO' cannot be used"),
    ):
        with pytest.raises(CampaignError) as error:
            pool.encode([good, {**good, **change}])
        assert words in str(error.value)
    with pytest.raises(CampaignError, match="row 0 must hold settings"):
        pool.encode(["n"])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"a,b\n", "has no rows"),
        (b"a,b\n1,2\n1,2,3\n", "cannot be read"),
        (b"a,a\n1,2\n", "column a twice"),
        (b"a,b\n" + b"1,2\n" * 20_000 + b"1,2,3\n", "cannot be read"),
        (bytes(range(256)) * 20, "is no text"),
    ],
)
def test_broken_files_are_refused_in_words(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "candidates.csv"
    path.write_bytes(content)
    with pytest.raises(CampaignError, match=words):
        FilePool(path)


def test_a_file_in_the_words_of_the_laboratory(tmp_path: Path) -> None:
    path = tmp_path / "候補.csv"
    path.write_bytes('温度,ガス,備考\n1,空気,"x\ny"\n2,アルゴン,"x\ny"\n3,空気,"x\ny"\n'.encode("cp932"))
    pool = FilePool(path, settings=["温度", "ガス", "備考"])
    assert pool.decode(whole(pool))[1] == {"温度": 2, "ガス": "アルゴン", "備考": "x\ny"}


def test_odd_frames_and_empty_wishes_do_no_harm() -> None:
    pairs = pd.MultiIndex.from_tuples([("a", "low"), ("a", "high")])
    assert candidates_from(pd.DataFrame([[1, 2], [3, 4]], columns=pairs)).names == ("a low", "a high")
    assert candidates_from(np.arange(6.0).reshape(2, 3) / 7).names == ("x0", "x1", "x2")
    assert candidates_from(pd.DataFrame({"a": [1, 2]}, index=[5, 9])).locate([{"a": 2}]).tolist() == [1]
    assert len(candidates_from([Continuous("a", 0, 1)]).draw(0, rng())) == 0
    assert candidates_from([Continuous("a", 2, 2)]).draw(5, rng()).X.tolist() == [[2.0]]
    assert candidates_from([Integer("a", 0, 3)]).draw(9, rng(), around=np.array([[1e9]])).X.max() == 3
    amounts = pd.DataFrame({"p": [0.5, 0.3, np.nan, 0.2], "q": [0.5, 0.7, 1.0, 0.8]})
    assert candidates_from(amounts).decode(whole(candidates_from(amounts)))[2] == {"p": 0.0, "q": 1.0}
    amounts.loc[2, "q"] = np.nan
    with pytest.raises(CampaignError, match=r"row 2, mixture .* no amounts of p, q are given"):
        candidates_from(amounts)


def test_candidates_already_made_pass_through() -> None:
    pool = candidates_from(GRID)
    assert candidates_from(pool) is pool
    with pytest.raises(CampaignError, match="already made"):
        candidates_from(pool, cost=3)
