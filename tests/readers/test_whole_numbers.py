"""Counts read quickly are the counts that stand there; what is not surely a whole number is left to others."""

from __future__ import annotations

import numpy as np
import pytest

from zairyo.readers._whole_numbers import whole_numbers


def test_they_are_what_float_says() -> None:
    values = np.random.default_rng(0).integers(-(10**9), 10**9, 500)
    text = "\r\n".join(" ".join(map(str, row)) + "\t" for row in values.reshape(50, 10))
    assert np.array_equal(whole_numbers(text), values)
    assert np.array_equal(whole_numbers("007 0 -0 999999999999999999"), [7, 0, 0, 999999999999999999.0])


@pytest.mark.parametrize(
    "text",
    ["", " \n", "1.5 2", "1e3", "3-4", "3 - 4", "--5 1", "5-", "-", "1,2", "1 nan", "10000000000000000000", "٣ 4",
     "1 -9223372036854775808", "1\x0b2"],
)  # fmt: skip
def test_anything_else_is_not_guessed(text: str) -> None:
    assert whole_numbers(text) is None
