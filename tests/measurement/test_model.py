"""A measurement that exists is consistent, and equal means equal to the bit: everything else rests on it."""

from __future__ import annotations

import enum
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    MeasurementError,
    Quantity,
    Signal,
    clean_text,
    make_name,
    table,
    tidy_metadata,
)
from zairyo.measurement.model import same
from zairyo.measurement.text import check_metadata, check_name, check_text


def entry(name: str = "e", **rest: Any) -> Entry:
    return Entry(name, "xrd", (Axis("x", [1.0, 2.0]),), (Signal("y", [3, 4], axes=("x",)),), **rest)


def test_arrays_are_the_measurements_own() -> None:
    mine = np.array([1.0, 2.0])
    axis = Axis("x", mine)
    mine[0] = 9
    assert axis.values.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        axis.values[0] = 9
    turned = Axis("x", np.arange(4, dtype=">i2")[::2])
    assert turned.values.dtype.isnative
    assert turned.values.flags.c_contiguous


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Entry("e", "xrd"), "no signal"),
        (lambda: Entry("e", "xrd", (), (Signal("y", [1], axes=("x",)),)), "lacks"),
        (lambda: Entry("e", "xrd", (Axis("x", [1, 2]),), (Signal("y", [1], axes=("x",)),)), "shape"),
        (lambda: Entry("e", "xrd", (Axis("x", [1]),), (Signal("x", [1], axes=("x",)),)), "alike"),
        (lambda: entry(default="z"), "no signal 'z'"),
        (lambda: entry(x="z"), "no column 'z'"),
        (lambda: entry("1e"), "NeXus name"),
        (lambda: Measurement((entry(), entry())), "same name"),
        (lambda: Measurement(()), "at least one"),
        (lambda: Measurement((entry(),), default="other"), "no entry 'other'"),
        (lambda: Axis("x", [[1.0]]), "2 dimensions"),
        (lambda: Signal("y", [object()]), "Python objects"),
        (lambda: Signal("y", [1.0], uncertainty=np.ones(2)), "another shape"),
        (
            lambda: Entry(
                "e", "xrd", (), (Signal("y", 1.0, uncertainty=np.array(1.0)), Signal("y_errors", 1.0))
            ),
            "NeXus' name",
        ),
        (lambda: table("t", "dsc", [], x="a", default="a"), "no column"),
        (lambda: Quantity(None), "NoneType"),  # type: ignore[arg-type]
        (lambda: Measurement((entry(),), title="a\0"), "NUL"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(make: Any, why: str) -> None:
    with pytest.raises(MeasurementError, match=why):
        make()


def test_equal_is_equal_to_the_bit() -> None:
    nan = np.array([0x7FF8000000000001], np.uint64).view(float)
    assert not same(np.array([0.0]), np.array([-0.0]))
    assert not same(np.array([np.nan]), nan)
    assert same(nan, nan.copy())
    assert not same(np.array([1]), np.array([1.0]))
    assert same(np.array(["a"], "U1"), np.array(["a"], "U9"))
    assert not same(0.0, -0.0)
    assert same(float("nan"), float("nan"))
    assert not same(1, True)
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert not same(noon, noon.astimezone(timezone(timedelta(hours=9))))
    assert entry() == entry()
    assert entry() != entry(title="other")
    assert Signal("a", [1]) != Axis("a", [1])


def test_a_signal_over_another_axis_is_otherwise_the_same() -> None:
    made = Signal("voltage", np.arange(3.0), "V", long_name="U", uncertainty=np.ones(3))
    moved = made.over("row")
    assert moved == Signal("voltage", np.arange(3.0), "V", ("row",), "U", np.ones(3))
    assert made.axes == ()
    assert moved.values is made.values
    assert moved.over("row") is moved


def test_metadata_that_cannot_be_stored_are_refused_wherever_they_are() -> None:
    deep: Any = "end"
    for _ in range(40):
        deep = [deep]
    for bad in ({1: "a"}, {"a": {2: 3}}, {"a": [{"b": "\0"}]}, {"\0": 1}, {"a": [np.float64(1)]}, {"a": (1,)},
                {"a": 10**5000}, {"a": [10**5000]}, {"a": deep}, {"a": {"b": object()}}):  # fmt: skip
        with pytest.raises(MeasurementError):
            check_metadata(bad, "test")


def test_a_zone_becomes_the_offset_it_had_then() -> None:
    # In the hour that comes twice, the same clock time with a zone's name compares unequal to any other.
    twice = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
    kept = entry(started=twice).started
    assert kept is not None
    assert kept.utcoffset() == timedelta(hours=1)
    assert kept == datetime(2024, 10, 27, 1, 30, tzinfo=UTC)
    assert type(kept.tzinfo) is timezone


def test_pandas_times_are_kept_or_refused() -> None:
    import pandas as pd

    assert Quantity(pd.Timestamp("2024-01-02T03:04:05")).value == datetime(2024, 1, 2, 3, 4, 5)
    with pytest.raises(MeasurementError, match="nanoseconds"):
        Quantity(pd.Timestamp("2024-01-02T03:04:05.000000001"))
    with pytest.raises(MeasurementError, match="not a moment"):
        Quantity(pd.NaT)  # type: ignore[arg-type]


def test_values_become_plain_python() -> None:
    class Mode(str, enum.Enum):  # noqa: UP042
        A = "continuous"

    for given_value, plain in (
        (np.float32(1.5), 1.5),
        (np.int8(3), 3),
        (np.True_, True),
        (Mode.A, "continuous"),
    ):
        value = Quantity(given_value).value  # type: ignore[arg-type]
        assert value == plain
        assert type(value) is type(plain)


def test_the_earliest_start_is_the_measurements() -> None:
    early, late = datetime(2024, 1, 1), datetime(2024, 1, 2)
    assert Measurement((entry("a", started=late), entry("b", started=early), entry("c"))).started == early
    aware = late.replace(tzinfo=UTC)
    assert Measurement((entry("a", started=aware), entry("b", started=early))).started == aware


def test_names_out_of_any_text() -> None:
    assert make_name("Heat Flow/(mW/mg)") == "heat_flow_mw_mg"
    assert make_name("2θ") == "_2"
    assert make_name("温度") == "unnamed"
    assert make_name("温度", "column_3") == "column_3"


@given(st.text())
def test_any_text_gives_a_name_and_clean_text(text: str) -> None:
    check_name(make_name(text), "test")
    check_text(clean_text(text), "test")


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.dates()
    | st.complex_numbers()
    | st.sampled_from([np.float32(1), np.arange(3), np.datetime64("NaT"), object]),
    lambda inner: (
        st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner)
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(anything)
def test_whatever_a_reader_meets_becomes_storable(value: Any) -> None:
    check_metadata({"a": tidy_metadata(value)}, "test")


def test_tidying_keeps_what_was_there() -> None:
    assert tidy_metadata(-(10**6000)) == hex(-(10**6000)), "Python reads no decimal of so many digits"
    deep: Any = "end"
    for _ in range(100):
        deep = [deep]
    check_metadata({"a": tidy_metadata({"b": deep})}, "test", depth=0)
    assert tidy_metadata({"when": date(2024, 1, 2), "raw": b"caf\xe9", "n": np.int64(3), "t": (1, 2)}) == {
        "when": "2024-01-02",
        "raw": "caf�",
        "n": 3,
        "t": [1, 2],
    }


def test_the_standard_form_loads_nothing_heavy() -> None:
    code = "import sys, zairyo.measurement; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"h5py", "pint", "pandas", "xarray", "matplotlib"}.isdisjoint(loaded)
