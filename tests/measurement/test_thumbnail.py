"""The little picture in a list: it must show the peak, never break the page, and stay small."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from tests.measurement.strategies import entries

from zairyo.measurement import Axis, Entry, Signal, table
from zairyo.measurement.thumbnail import thumbnail


def curve(y: Any, x: Any = None, technique: str = "xrd", axis: str = "two_theta") -> Entry:
    y = np.asarray(y)
    x = np.arange(len(y)) if x is None else x
    return Entry("e", technique, (Axis(axis, x),), (Signal("intensity", y, axes=(axis,)),))


def points(path: str) -> np.ndarray[Any, Any]:
    assert re.fullmatch(r"M[0-9. ]+", path)
    return np.array(path[1:].split(), float).reshape(-1, 2)


@pytest.mark.parametrize("where", [0, 1, 4999, 7321, 9998, 9999])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_peak_of_one_point_is_seen(where: int, sign: int) -> None:
    y = np.random.default_rng(0).normal(0, 1, 10_000)
    y[where] = sign * 1000
    path = thumbnail(curve(y))
    xy = points(path)
    top = xy[xy[:, 1].argmin() if sign > 0 else xy[:, 1].argmax()]
    assert top[0] == pytest.approx(where / 9999 * 120, abs=0.1)
    assert top[1] == (0 if sign > 0 else 48)
    assert len(path) <= 2048


def test_a_binding_energy_runs_from_high_to_low() -> None:
    entry = curve([0, 1, 5], [10.0, 20.0, 30.0], "xps", "binding_energy")
    assert thumbnail(entry) == "M120 48 60 38.4 0 0"


def test_gaps_and_infinities_are_left_out() -> None:
    xy = points(thumbnail(curve([np.nan, 1.0, np.inf, 3.0, 2.0])))
    assert xy.tolist() == [[0, 48], [80, 0], [120, 24]]


@pytest.mark.parametrize("y", [["a", "b"], [1.0], [], [np.nan] * 4])
def test_nothing_to_draw_is_empty(y: Any) -> None:
    assert thumbnail(curve(y)) == ""


def test_a_constant_is_a_line_in_the_middle() -> None:
    assert thumbnail(curve(np.full(3, 7))) == "M0 24 60 24 120 24"


def test_numbers_at_the_ends_of_what_floats_hold() -> None:
    assert thumbnail(curve([-1.7e308, 0.0, 1.7e308])) == "M0 48 60 24 120 0"
    assert thumbnail(curve([0.0, 5e-324])) == "M0 24 120 24"


def test_of_a_map_the_mean_spectrum_is_drawn() -> None:
    values = np.zeros((4, 5, 50))
    values[2, 3, 17] = 9
    values[0, 0, 30] = np.nan
    axes = (Axis("y", np.arange(4)), Axis("x", np.arange(5)), Axis("raman_shift", np.arange(50)))
    entry = Entry("m", "raman", axes, (Signal("intensity", values, axes=("y", "x", "raman_shift")),))
    xy = points(thumbnail(entry))
    assert xy[xy[:, 1].argmin(), 0] == pytest.approx(17 / 49 * 120, abs=0.1)


def test_a_table_is_drawn_over_its_x() -> None:
    columns = [Signal("t", [0.0, 1.0, 4.0]), Signal("v", [1, 2, 3])]
    assert thumbnail(table("t", "dsc", columns, x="t", default="v")) == "M0 48 30 24 120 0"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(entries())
def test_any_entry_gives_path_data_that_is_safe_in_a_page(entry: Entry) -> None:
    path = thumbnail(entry)
    assert re.fullmatch(r"|M[0-9. ]+", path)
    assert "nan" not in path
    assert len(path) <= 2048


def micrograph(technique: str, y: list[float]) -> Entry:
    values = np.zeros((len(y), 5))
    values[0] = 9.0  # the first row in the file is bright
    axes = (Axis("y", np.array(y), "nm"), Axis("x", np.arange(5.0), "nm"))
    return Entry("image", technique, axes, (Signal("image", values, None, ("y", "x")),))


def pixels(png: str) -> np.ndarray[Any, Any]:
    import base64
    import io

    from PIL import Image

    return np.array(Image.open(io.BytesIO(base64.b64decode(png.removeprefix("data:image/png;base64,")))))


def test_an_image_is_a_picture_with_its_rows_as_the_field_draws_them() -> None:
    # A micrograph's first row is uppermost; a topography's y grows upwards, so that one that falls is too.
    for technique, y, bright in (("sem", [0, 1, 2], 0), ("afm", [0, 1, 2], 2), ("afm", [2, 1, 0], 0)):
        shown = pixels(thumbnail(micrograph(technique, [float(v) for v in y])))
        assert shown.shape == (3, 5)
        assert shown.mean(axis=1).argmax() == bright, technique


def test_a_large_image_is_a_small_picture_and_gaps_do_not_break_it() -> None:
    values = np.add.outer(np.arange(2048.0), np.arange(1000.0))
    values[5] = np.nan
    axes = (Axis("y", np.arange(2048.0), "um"), Axis("x", np.arange(1000.0), "um"))
    shown = pixels(thumbnail(Entry("i", "sem", axes, (Signal("image", values, None, ("y", "x")),))))
    assert shown.shape[0] <= 48
    assert shown.shape[1] <= 96
    assert shown[0, 0] < shown[-1, -1]
