"""A reader's result that cannot be right is refused; what is only odd costs that oddity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal
from zairyo.readers.invariants import InvalidResult, check


def scan(
    x: Any = (1.0, 2.0, 3.0), y: Any = (5.0, 6.0, 7.0), technique: str = "xrd", **rest: Any
) -> Measurement:
    axis = rest.pop("axis", "two_theta")
    unit = rest.pop("unit", "counts")
    outer = {k: rest.pop(k) for k in ("title", "operator", "sample", "original_metadata") if k in rest}
    entry = Entry(
        "scan",
        technique,
        (Axis(axis, np.array(x), "deg"),),
        (Signal("intensity", np.array(y), unit, (axis,)),),
        **rest,
    )
    return Measurement((entry,), **outer)


def test_good_measurement_passes_untouched() -> None:
    m = scan(
        conditions={"xray_tube_voltage": Quantity(40, "kV"), "xray_source_element": Quantity("Cu")},
        title="µ–Å",
    )
    assert check(m) is m


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_axis_may_rise_or_fall(direction: float) -> None:
    check(scan(x=np.array([1.0, 2.0, 4.0]) * direction))


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ((1.0, 2.0, 2.0), "point 3 is 2 after 2"),
        ((1.0, 3.0, 2.0, 4.0), "point 3 is 2 after 3"),
        ((5.0, 4.0, 4.5, 3.0), "point 3 is 4.5 after 4"),
        ((1.0, np.nan, 3.0), "has gaps"),
        ((1.0, 2.0, np.inf), "has gaps"),
    ],
)
def test_wrong_angles_are_refused(x: tuple[float, ...], said: str) -> None:
    with pytest.raises(InvalidResult, match=said):
        check(scan(x=x, y=np.ones(len(x))))


def test_axis_that_need_not_be_monotonic_may_return() -> None:
    m = scan(x=(1.0, 2.0, 1.0), axis="temperature", technique="dsc")
    assert check(m) is m


def test_empty_and_numberless_results_are_refused() -> None:
    with pytest.raises(InvalidResult, match="empty"):
        check(scan(x=np.zeros(0), y=np.zeros(0)))
    with pytest.raises(InvalidResult, match="not one number"):
        check(scan(y=(np.nan, np.nan, np.inf)))
    check(scan(y=(np.nan, 1.0, np.inf)))


def test_unknown_technique_is_refused() -> None:
    with pytest.raises(InvalidResult, match="xrdd"):
        check(scan(technique="xrdd"))


def test_condition_outside_the_vocabulary_is_kept_and_told() -> None:
    m = check(scan(conditions={"tube_volts": Quantity(40, "kV")}))
    assert "tube_volts" in m[0].conditions
    assert m.warnings == ("The condition tube_volts is not in the vocabulary of xrd.",)


def test_condition_in_another_units_dimension_is_told() -> None:
    m = check(scan(conditions={"xray_tube_voltage": Quantity(40, "mA"), "temperature": Quantity(300.0, "K")}))
    assert m[0].conditions["xray_tube_voltage"] == Quantity(40, "mA")
    assert len(m.warnings) == 1
    assert "xray_tube_voltage is given in 'mA'" in m.warnings[0]


def test_binary_rubbish_is_taken_out_of_what_people_read() -> None:
    m = check(
        scan(
            title="\x02\x7f",
            operator="Sato\x00"[:4] + "\x05",
            sample="Fe₂O₃",
            unit="\x01",
            conditions={"detector": Quantity("\x10\x11"), "filter": Quantity("Ni")},
            original_metadata={"a": {"b": ["fine", "\x06"]}, "c": "line 1\nline 2\t."},
        )
    )
    assert (m.title, m.operator, m.sample) == ("", "", "Fe₂O₃")
    assert m[0].signal.unit is None
    assert list(m[0].conditions) == ["filter"]
    assert m.original_metadata["c"] == "line 1\nline 2\t."
    said = " ".join(m.warnings)
    assert "title" in said
    assert "operator" in said
    assert "detector" in said
    assert "'a/b'" in said
