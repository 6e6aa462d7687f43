"""From measurements: a number in a table must lead back to the measurement it came from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import zairyo
from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal
from zairyo.tables import Table, TableError


def measurement(sample: str, onset: float | None, title: str = "") -> Measurement:
    """One whose descriptor is told by its signal's first value."""
    axis = Axis("temperature", np.arange(3.0), "degC")
    values = np.array([0.0 if onset is None else onset, 0.0, 1.0])
    entry = Entry("run", "dsc", axes=(axis,), signals=(Signal("heat_flow", values, "mW", ("temperature",)),))
    return Measurement((entry,), sample=sample, title=title or f"run of {sample}")


def onset(m: Measurement) -> list[Any]:
    value = float(m["run"].signals[0].values[0])
    if not value:
        raise ValueError("there is no event")
    return [
        SimpleNamespace(
            name="onset", value=Quantity(value, "degC", 1.0), item="peak_1", method="toy", method_version="2"
        ),
        SimpleNamespace(name="area", value=Quantity(2 * value, "J/g")),
    ]


def test_a_row_a_sample_a_column_a_descriptor() -> None:
    found = Table.from_measurements([measurement("A", 300.0), measurement("B", 310.0)], compute=onset)
    assert found.columns == ["sample", "onset peak_1", "area"]
    assert list(found["sample"]) == ["A", "B"]
    np.testing.assert_array_equal(found["onset peak_1"], [300, 310])
    column = found.schema["onset peak_1"]
    assert (column.role, column.unit) == ("measured_descriptor", "degC")
    np.testing.assert_array_equal(found.uncertainty("onset peak_1"), [1, 1])
    assert str(found.where(1, "onset peak_1")) == "measurement run of B, onset peak_1, toy 2"
    assert set(found.state) == {"made"}
    only = Table.from_measurements([measurement("A", 300.0)], ["area"], compute=onset)
    assert only.columns == ["sample", "area"]


def test_several_measurements_of_a_sample_give_their_mean() -> None:
    several = [measurement("A", v, f"run {v:g}") for v in (300.0, 304.0, 308.0)]
    found = Table.from_measurements(several, ["onset"], compute=onset)
    assert found["onset peak_1"][0] == 304
    assert found.uncertainty("onset peak_1")[0] == pytest.approx(4 / np.sqrt(3))
    assert (
        str(found.where(0, "onset peak_1"))
        == "measurement run 300, run 304, run 308, mean of onset peak_1, toy 2"
    )


def test_what_could_not_be_had_is_said() -> None:
    found = Table.from_measurements(
        [measurement("A", 300.0), measurement("B", None), measurement("", 1.0)], compute=onset
    )
    assert list(found["sample"]) == ["A", "run of "]
    assert "run of B: there is no event" in found.notes
    assert any("names no sample" in note for note in found.notes)
    with pytest.raises(
        TableError, match=r"no descriptor was found in the measurements: .* there is no event"
    ):
        Table.from_measurements([measurement("B", None)], compute=onset)


def test_descriptors_join_a_table_of_samples() -> None:
    samples = Table.read(
        [{"sample": s, "T": t, "hardness": h} for s, t, h in (("A", 1, 5.0), ("B", 2, None), ("C", 3, None))]
    )
    found = Table.from_measurements(
        [measurement("B", 310.0), measurement("Z", 1.0)], ["onset"], compute=onset, into=samples
    )
    np.testing.assert_array_equal(found["onset peak_1"], [np.nan, 310, np.nan])
    assert list(found.state) == ["measured", "made", "planned"]
    assert any("not in the table were left out: Z" in note for note in found.notes)
    assert found.where(0, "onset peak_1").source.kind == "none"
    assert str(found.where(0, "T")) == str(samples.where(0, "T"))
    with pytest.raises(TableError, match="no identifier column"):
        Table.from_measurements(
            [measurement("B", 310.0)], compute=onset, into=samples.with_roles({"sample": "note"})
        )


def test_what_the_client_finds_keeps_its_uid(tmp_path: Path) -> None:
    remote = SimpleNamespace(uid="m-42", read=lambda: measurement("A", 300.0))
    found = Table.from_measurements([remote], ["area"], compute=onset)
    assert found.where(0, "area").source.name == "m-42"
    found.to_parquet(tmp_path / "t.parquet")
    assert Table.read(tmp_path / "t.parquet") == found


def test_units_that_cannot_be_compared_are_refused() -> None:
    units = iter(["K", "J"])

    def odd(_: Measurement) -> list[Any]:
        return [SimpleNamespace(name="d", value=Quantity(1.0, next(units)))]

    with pytest.raises(TableError, match="d of sample A: J cannot be converted to K"):
        Table.from_measurements([measurement("A", 1.0), measurement("A", 2.0)], compute=odd)


def test_real_descriptors(examples: Path) -> None:
    pytest.importorskip("zairyo.descriptors", reason="the descriptors are not here")
    scan = zairyo.read(sorted((examples / "diffraction").glob("*.xrdml"))[0])
    found = Table.from_measurements([scan], ["peak_position"])
    name = next(c for c in found.columns if c.startswith("peak_position"))
    assert found.schema[name].unit == "deg"
    assert np.isfinite(found[name][0])
    assert "peak_position" in found.where(0, name).source.detail
