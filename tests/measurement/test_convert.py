"""What a scientist takes into a notebook: every number, at its place, with its unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from tests.measurement.strategies import entries

from zairyo.measurement import Axis, Entry, Quantity, Signal, table
from zairyo.measurement.convert import entry_to_pandas, entry_to_xarray

MAP = Entry(
    "map",
    "raman",
    (Axis("y", [0.0, 1.0], "um"), Axis("x", [5, 6, 7], "um"), Axis("z", [1.0, 2.0])),
    (
        Signal("intensity", [[1, 2, 3], [4, 5, 6]], "counts", ("y", "x"), "Intensity", np.ones((2, 3))),
        Signal("laser", [7.0, 8.0], "mW", ("y",)),
        Signal("turned", [[1, 4], [2, 5], [3, 6]], None, ("x", "y")),
        Signal("focus", [0.5, 0.6], "um", ("z",)),
        Signal("dark", 3.5, "counts"),
    ),
    conditions={"laser_power": Quantity(5.0, "mW")},
)
TABLE = table(
    "t",
    "battery_cycling",
    [
        Signal("time", [0.0, 1.0], "s"),
        Signal("voltage", [3.0, 3.5], "V", uncertainty=np.array([0.1, 0.2])),
        Signal("step_type", ["charge", "rest"]),
        Signal("timestamp", np.array(["2024-01-01", "NaT"], "M8[s]")),
    ],
    x="time",
    default="voltage",
)


def test_a_map_in_xarray() -> None:
    d = MAP.to_xarray()
    assert d["intensity"].dims == ("y", "x")
    assert d["intensity"].sel(y=1.0, x=7) == 6
    assert d["intensity"].attrs == {"long_name": "Intensity", "units": "counts"}
    assert d["y"].attrs["units"] == "um"
    assert d["intensity_errors"].attrs["units"] == "counts"
    assert d["focus"].dims == ("z",)
    assert d["dark"].item() == 3.5
    assert d.attrs["condition_laser_power"] == "5 mW"
    d["intensity"][0, 0] = 99  # a copy that may be changed
    assert MAP["intensity"].values[0, 0] == 1


def test_a_map_in_pandas() -> None:
    df = MAP.to_pandas()
    assert df.index.names == ["y", "x"]
    assert df.loc[(1.0, 7), "intensity"] == 6
    assert df["laser"].tolist() == [7.0, 7.0, 7.0, 8.0, 8.0, 8.0]
    assert df["turned"].tolist() == df["intensity"].tolist()
    assert df["dark"].tolist() == [3.5] * 6
    assert df.attrs["units"] == {
        "y": "um", "x": "um", "intensity": "counts", "intensity_errors": "counts", "laser": "mW", "turned": None,
        "dark": "counts",
    }  # fmt: skip
    assert df.attrs["left_out"] == ["focus"]


def test_a_table_in_both() -> None:
    df = TABLE.to_pandas()
    assert list(df.columns) == ["time", "voltage", "voltage_errors", "step_type", "timestamp"]
    assert list(df.index) == [0, 1]
    assert df["step_type"].tolist() == ["charge", "rest"]
    assert df["timestamp"].isna().tolist() == [False, True]
    assert df.attrs["units"]["voltage"] == "V"
    df.loc[0, "voltage"] = 1.0
    assert TABLE["voltage"].values[0] == 3.0
    d = TABLE.to_xarray()
    assert d["voltage"].coords["time"].values.tolist() == [0.0, 1.0]


def test_times_that_pandas_cannot_hold_are_text_and_not_wrong() -> None:
    times = np.array([2**62, -(2**62)], "M8[Y]")
    entry = Entry("e", "xrd", (Axis("a", [1, 2]),), (Signal("t", times, axes=("a",)),))
    assert entry.to_pandas()["t"].tolist() == [str(t) for t in times]
    assert entry.to_xarray()["t"].values.tolist() == [str(t) for t in times]
    finest = Entry("e", "xrd", (Axis("a", [1]),), (Signal("t", np.array([1], "M8[as]"), axes=("a",)),))
    assert finest.to_pandas()["t"].tolist() == ["1970-01-01T00:00:00.000000000000000001"]
    days = Entry("e", "xrd", (Axis("a", [1, 2]),), (Signal("t", np.array([0, 1], "M8[D]"), axes=("a",)),))
    assert days.to_pandas()["t"].tolist() == [pd.Timestamp("1970-01-01"), pd.Timestamp("1970-01-02")]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(entries())
def test_any_entry_becomes_both(entry: Entry) -> None:
    d = entry_to_xarray(entry)
    df = entry_to_pandas(entry)
    assert len(df) == entry.signal.values.size or entry.signal.values.ndim == 0
    for signal in entry.signals:
        values = d[signal.name].values
        assert values.shape == signal.values.shape
        if signal.values.dtype.kind in "biufc":
            assert values.dtype == signal.values.dtype
            assert np.array_equal(values, signal.values, equal_nan=True)
    default = entry.signal
    if default.values.dtype.kind in "biufc":
        assert np.array_equal(df[default.name].to_numpy(), default.values.reshape(-1), equal_nan=True)


def test_no_signal_is_lost_without_being_named() -> None:
    with pytest.raises(KeyError):
        MAP.to_pandas()["focus"]
    assert set(MAP.to_pandas().attrs["left_out"]) | set(MAP.to_pandas().columns) >= {
        s.name for s in MAP.signals
    }


def test_an_axis_of_short_floats() -> None:
    axis = Axis("x", np.array([0.5, 1.5], np.float16), "um")
    entry = Entry("map", "raman", (axis,), (Signal("intensity", [1, 2], "counts", ("x",)),))
    assert entry.to_xarray()["x"].values.tolist() == [0.5, 1.5]
    assert entry.to_pandas().index.tolist() == [0.5, 1.5]
