"""Columns of text read at once: the very numbers that reading cell by cell gives, whatever the cells are."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from zairyo.readers import _clocks, _cycler_text, _text_words
from zairyo.readers import delimited_text as text
from zairyo.readers._api import ReadError

_CELL = st.one_of(
    st.floats().map(repr),
    st.floats(-1e4, 1e4).map(lambda x: f"{x:.3f}"),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(
        ["", " ", "1_0", "nan", "-inf", "1e400", "0x1f", "１", "rest", "1,5", "1.234,5", " 7 ", "+.5", "5."]
    ),
)


def _by_cell(
    rows: list[str], delimiter: str, decimal: str, thousands: str
) -> list[NDArray[np.float64] | list[str]]:
    cells = [row.split() if delimiter == " " else row.split(delimiter) for row in rows]
    result: list[NDArray[np.float64] | list[str]] = []
    for column in zip(*cells, strict=True):
        try:
            if any("_" in c for c in column):
                raise ValueError
            plain = [c.replace(thousands, "") if thousands else c for c in column]
            result.append(np.array([float(c.replace(",", ".") if decimal == "," else c) for c in plain]))
        except ValueError:
            result.append([c.strip() for c in column])
    return result


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(_CELL, min_size=n, max_size=n), min_size=1, max_size=6)
    ),
    st.sampled_from(
        [("\t", ".", ""), (";", ",", ""), (",", ".", ""), (";", ",", "."), ("\t", ".", ","), (" ", ".", "")]
    ),
)
def test_columns_are_those_of_cell_by_cell(cells: list[list[str]], how: tuple[str, str, str]) -> None:
    delimiter, decimal, thousands = how
    rows = [
        delimiter.join(c.replace(delimiter, "") or ("0" if delimiter == " " else "") for c in row)
        for row in cells
    ]
    if delimiter == " ":
        rows = [" ".join(row.split()) or "0" for row in rows]
        if len({len(row.split()) for row in rows}) > 1:
            return
    if delimiter != " " and any(not row.strip() for row in rows):
        return  # no reader hands blank lines on
    for found, expected in zip(
        text.columns_of(rows, delimiter, decimal, thousands),
        _by_cell(rows, delimiter, decimal, thousands),
        strict=True,
    ):
        assert type(found) is type(expected)
        if isinstance(found, np.ndarray) and isinstance(expected, np.ndarray):
            assert found.dtype == np.float64
            np.testing.assert_array_equal(found.view(np.int64), expected.view(np.int64))
        else:
            assert found == expected


_WORDS = st.sampled_from(
    [["C"], [""], ["rest", "charge"], ["", "7", "x"], [" a ", "b"], ["\tq" * 20, "r"], ["é"], ["x\0", ""]]
)


@given(
    st.lists(_WORDS, min_size=1, max_size=4).flatmap(
        lambda pools: st.lists(
            st.tuples(*map(st.sampled_from, [*pools, ["1.5", "2"]])), min_size=1, max_size=9
        )
    ),
    st.booleans(),
)
@example([("ab", "1"), ("a", "2"), ("", "3")], True)
def test_words_beside_numbers_are_those_of_cell_by_cell(cells: list[tuple[str, ...]], first: bool) -> None:
    rows = [";".join(row if first else row[::-1]) for row in cells]
    for found, expected in zip(
        text.columns_of(rows, ";", ".", ""), _by_cell(rows, ";", ".", ""), strict=True
    ):
        assert list(found) == list(expected)


def test_columns_that_repeat_are_cut_out_of_the_text_at_once() -> None:
    # Splitting each of a cycler's rows for them takes as long as reading all its numbers.
    rows = [f"{k},C,{'rest' if k % 2 else 'charge'},2024-03-01 10:00:0{k},,1.5" for k in range(9)]
    found = _text_words._cut_words("\n".join(rows), 9, ",", 6, [1, 2, 4])
    assert found == {1: ["C"] * 9, 2: ["charge", "rest"] * 4 + ["charge"], 4: [""] * 9}
    moved = ["1,C", "2,C,C", "3"]  # as many cells in all as there should be
    assert _text_words._cut_words("\n".join(moved), 3, ",", 2, [1]) is None


@given(st.lists(_CELL.map(str.strip), max_size=8), st.sampled_from(".,"), st.sampled_from(["", " ", "."]))
def test_numbers_with_blanks_and_odd_cells(cells: list[str], decimal: str, thousands: str) -> None:
    found, odd = text.numbers(cells, decimal, thousands)
    expected_odd = []
    for value, cell in zip(found, cells, strict=True):
        plain = cell.replace(thousands, "") if thousands else cell
        plain = plain.replace(",", ".") if decimal == "," else plain
        try:
            expected = float(plain) if "_" not in plain else float("x")
        except ValueError:
            expected = math.nan
            expected_odd += [cell] if cell else []
        assert value == expected or (math.isnan(value) and math.isnan(expected))
    assert odd == expected_odd


_NUMBER = st.integers(0, 120).map(str)
_DURATION = st.one_of(
    st.builds("{}:{}:{}".format, _NUMBER, _NUMBER, _NUMBER),
    st.builds("{:02d}:{:02d}:{:02d}.{}".format, *[st.integers(0, 99)] * 3, st.integers(0, 10**7)),
    st.builds(
        "{}{}{}:00:{},{}".format, _NUMBER, st.sampled_from(["d", "d ", "-", "."]), _NUMBER, _NUMBER, _NUMBER
    ),
    st.sampled_from(
        ["", "  ", " 1:2:3 ", "1:2:3.", "1:2:.5", "1:2:3e1", "12345678901:0:0", "１:00:00", "1:2:0.1234567"]
    ),
)


@given(st.lists(_DURATION, max_size=12))
@example(["0:00:10.1"] * 3 + ["1d 2:00:00.3"])
def test_durations_are_those_of_cell_by_cell(cells: list[str]) -> None:
    try:
        expected = [text._duration(c) for c in cells]
    except ReadError:
        with pytest.raises(ReadError):
            text.durations(cells)
        return
    np.testing.assert_array_equal(text.durations(cells), np.array(expected, np.float64))


@given(st.lists(st.one_of(_DURATION, st.sampled_from(["12:30", "1.5", "2d 1:30", "rest", "-"])), max_size=12))
def test_cyclers_seconds_are_those_of_cell_by_cell(cells: list[str]) -> None:
    expected = np.array([_cycler_text._seconds(c) for c in cells], np.float64)
    np.testing.assert_array_equal(_cycler_text.seconds_of(cells), expected)


@given(
    st.lists(
        st.one_of(
            st.builds("{:02d}:{:02d}:{:02d}".format, *[st.integers(0, 99)] * 3),
            st.builds("{}:{:02d}:{:02d}{}{}".format, *[st.integers(0, 99)] * 3,
                      st.sampled_from(["", ".5", ",1234567"]), st.sampled_from(["", " AM", "pm", " p.m.", "x"])),
            st.sampled_from(["", "12:30", "noon", "1:2:3", "１2:00:00"]),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_cyclers_clocks_are_those_of_cell_by_cell(cells: list[str]) -> None:
    expected = [_cycler_text._clock(c) for c in cells]
    assert _clocks.milliseconds_of_day(cells, _cycler_text._clock).tolist() == expected


_FORMATS = [
    ("%Y-%m-%d %H:%M:%S",),
    ("%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S"),
    ("%d.%m.%y %H:%M",),
    ("%Y/%m/%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S"),
    ("%d-%b-%Y %H:%M:%S",),
    ("%Y%m%d %H%M%S",),
    ("%H:%M:%S",),
    ("%d/%m/%Y", "%m/%d/%Y"),
]
_WHEN = st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31))


@st.composite
def _moments(draw: st.DrawFn) -> tuple[list[str], tuple[str, ...]]:
    formats = draw(st.sampled_from(_FORMATS))
    cells = [when.strftime(draw(st.sampled_from(formats))) for when in draw(st.lists(_WHEN, max_size=8))]
    odd = ["", "31/02/2020", "2/30/2020", "13/13/2020", "1/2/2020", "2020-02-30 00:00:00", "2020-1-2 3:4:5"]
    odd += ["0000-01-01 00:00:00", "2020-01-01 24:00:00", "2020-01-01 00:00:60", "12/31/2020 00:15:00 AM"]
    odd += ["1.1.70 9:5", "１.1.70 9:05"]
    return cells + draw(st.lists(st.sampled_from(odd), max_size=2)), formats


@given(_moments())
@example((["2/29/2020 12:00:00 AM", "1/13/2020 12:59:59 PM", "13/1/2020 23:59:59"], _FORMATS[1]))
def test_moments_are_strptimes(given_: tuple[list[str], tuple[str, ...]]) -> None:
    cells, formats = given_
    try:
        expected = [text.parse_moment(c, formats) if c.strip() else None for c in cells]
    except ReadError:
        with pytest.raises(ReadError):
            text.moments(cells, formats)
        return
    np.testing.assert_array_equal(text.moments(cells, formats), np.array(expected, "datetime64[us]"))


def test_rows_of_one_form_are_read_at_once() -> None:
    # A cycler's million rows at 6 µs each would take longer than all the rest.
    cells = [f"2024-03-0{d} 1{h}:00:{s}" for d in range(1, 9) for h in range(10) for s in ("07", "08.5")]
    assert len(list(_clocks.forms_of(cells))) == 2
    _, done = _clocks.moments_of(cells, ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"))
    assert done.all()
