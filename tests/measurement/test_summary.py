"""If these fail, lists and searches tell other things of a measurement than its file does."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from tests.measurement.strategies import measurements

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, table
from zairyo.measurement.show import plot as entry_plot
from zairyo.measurement.summary import summarise, summarise_entry, value_range
from zairyo.measurement.thumbnail import thumbnail
from zairyo.readers import _child_summary


@settings(max_examples=60, deadline=None)
@given(measurements())
def test_any_measurement_has_a_summary_of_strict_json(measurement: Measurement) -> None:
    """It crosses from the child process, where the parent checks it, into the catalogue and to browsers."""
    summary = summarise(measurement)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert _child_summary.check(_child_summary.cut(summary)).keys() == summary.keys()
    assert [e["name"] for e in summary["entries"]] == [e.name for e in measurement.entries]
    assert summary["default"] in {e["name"] for e in summary["entries"]}


def test_a_scan() -> None:
    entry = Entry(
        "scan",
        "ir",
        (Axis("wavenumber", np.array([4000.0, 400.0]), "1/cm"),),
        (Signal("absorbance", np.array([0.25, np.nan]), "", ("wavenumber",)),),
        title="first",
        conditions={
            "resolution": Quantity(4.0, "1/cm", 0.5),
            "when": Quantity(datetime(2026, 1, 1, tzinfo=UTC)),
        },
        started=datetime(2026, 1, 2, 3, 4, 5),  # as an instrument's clock says it
    )
    summary = summarise_entry(entry)
    assert summary["axes"] == [
        {"name": "wavenumber", "unit": "1/cm", "label": "wavenumber (1/cm)", "size": 2, "reversed": True,
         "first": 4000.0, "last": 400.0}
    ]  # fmt: skip
    assert summary["signals"] == [
        {"name": "absorbance", "unit": "", "label": "absorbance", "dtype": "f", "shape": [2],
         "axes": ["wavenumber"], "reversed": False, "min": 0.25, "max": 0.25}
    ]  # fmt: skip
    assert summary["conditions"] == [
        {"name": "resolution", "value": 4.0, "unit": "1/cm", "uncertainty": 0.5},
        {"name": "when", "value": "2026-01-01T00:00:00+00:00", "unit": None, "uncertainty": None},
    ]
    assert (summary["started"], summary["title"], summary["is_table"]) == (
        "2026-01-02T03:04:05",
        "first",
        False,
    )


def test_an_impedance_is_drawn_with_its_capacitive_side_up() -> None:
    """In a Nyquist plot −Im Z points up: without this every semicircle would hang."""
    real = np.linspace(0.0, 2.0, 50)
    columns = [
        Signal("z_real", real, "ohm"),
        Signal("z_imaginary", -np.sqrt(1 - (real - 1) ** 2), "ohm"),
    ]
    entry = table("spectrum", "eis", columns, x="z_real", default="z_imaginary")
    assert [s["reversed"] for s in summarise_entry(entry)["signals"]] == [False, True]
    drawn = [float(n) for n in thumbnail(entry)[1:].split()]
    heights = drawn[1::2]
    assert min(heights) == heights[len(heights) // 2] < heights[0]  # y of SVG counts from the top
    axes = entry_plot(entry)
    assert axes.yaxis_inverted()
    assert not axes.xaxis_inverted()


def test_a_table_has_columns_and_no_axes() -> None:
    columns = [Signal("time", np.arange(3.0), "s"), Signal("note", np.array(["a", "b", "c"]))]
    summary = summarise_entry(table("t", "cycling", columns, x="time", default="note"))
    assert (summary["is_table"], summary["x"], summary["default"], summary["axes"]) == (
        True,
        "time",
        "note",
        [],
    )
    assert [(s["dtype"], s["min"], s["max"]) for s in summary["signals"]] == [
        ("f", 0.0, 2.0),
        ("U", None, None),
    ]


def test_times_and_nothing_at_the_ends_of_an_axis() -> None:
    times = np.array(["2026-01-01", "NaT"], "datetime64[D]")
    for values, ends in (
        (times, ("2026-01-01", "NaT")),
        (np.array([np.inf, 1.0]), (None, 1.0)),
        (np.zeros(0), (None, None)),
    ):
        entry = Entry("e", "xrd", (Axis("x", values),), (Signal("y", np.zeros(len(values)), axes=("x",)),))
        [axis] = summarise_entry(entry)["axes"]
        assert (axis["first"], axis["last"]) == ends


def test_ranges_are_of_what_is_finite() -> None:
    assert value_range(np.array([np.nan, 2.0, -np.inf, 1.0])) == (1.0, 2.0)
    assert value_range(np.array([np.nan, np.inf])) == (None, None)
    assert value_range(np.array([3 + 4j, 0])) == (0.0, 5.0)
    assert value_range(np.array([-5, 7], "i1")) == (-5.0, 7.0)
    assert value_range(np.array(["a"])) == value_range(np.zeros((0, 3))) == (None, None)
    with np.errstate(over="ignore"):
        low, high = value_range(np.array([60000.0], "f2"))
    assert math.isclose(low or 0, 60000, rel_tol=1e-3)
    assert low == high
