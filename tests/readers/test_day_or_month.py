"""Dates as a country writes them: 02/08/2023 is in February for some and in August for others."""

from __future__ import annotations

from datetime import datetime

import pytest

from zairyo.readers import hamamatsu_img, mettler_txt, netzsch_txt, pec_csv, specs_xy
from zairyo.readers._day_or_month import in_forms

BOTH = ("%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S")


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [
        ("02/08/2023 10:11:12", (), None),
        ("02/08/2023 10:11:12", ("30/07/2023",), datetime(2023, 8, 2, 10, 11, 12)),
        ("02/08/2023 10:11:12", ("07/30/2023", "no date"), datetime(2023, 2, 8, 10, 11, 12)),
        ("02/08/2023 10:11:12", ("07/30/2023", "30/07/2023"), None),
        ("22/08/2023 10:11:12", (), datetime(2023, 8, 22, 10, 11, 12)),
        ("08/22/2023 10:11:12", (), datetime(2023, 8, 22, 10, 11, 12)),
        ("02.08.2023 10:11:12", (), datetime(2023, 8, 2, 10, 11, 12)),
        ("02/02/2023 10:11:12", (), datetime(2023, 2, 2, 10, 11, 12)),
        ("2023-08-02T10:11:12", (), datetime(2023, 8, 2, 10, 11, 12)),
        ("yesterday", (), None),
    ],
)
def test_day_and_month_are_proven_or_left_open(
    text: str, others: tuple[str, ...], expected: datetime | None
) -> None:
    warnings: list[str] = []
    assert in_forms(text, BOTH, warnings, others) == expected
    assert bool(warnings) == (expected is None and text[0].isdigit())


def test_a_date_in_no_form_is_not_lost_without_a_word() -> None:
    warnings: list[str] = []
    assert in_forms("13/04/2021 10:11:12", BOTH[:1], warnings) is None
    assert warnings == ["How the date '13/04/2021 10:11:12' is written is not known; the start is left open."]
    assert in_forms("", BOTH, warnings) is None
    assert len(warnings) == 1


def test_forms_of_one_order_and_differences_of_times_need_no_proof() -> None:
    warnings: list[str] = []
    assert in_forms("02/08/2023 10:11:12", BOTH[:1], warnings) == datetime(2023, 2, 8, 10, 11, 12)
    assert in_forms("02/08/2023 10:11:12", BOTH) == datetime(2023, 2, 8, 10, 11, 12)
    assert not warnings


@pytest.mark.parametrize("module", [hamamatsu_img, mettler_txt, netzsch_txt, pec_csv])
def test_programs_that_write_as_their_computer_does_are_not_guessed(module) -> None:  # type: ignore[no-untyped-def]
    warnings: list[str] = []
    assert in_forms("02/08/2023 10:11:12", module._DATES, warnings) is None
    assert len(warnings) == 1


def test_specs_writes_two_digits_of_the_year_month_first() -> None:
    warnings: list[str] = []
    assert in_forms("02/08/23 10:11:12", specs_xy._TIMES, warnings) == datetime(2023, 2, 8, 10, 11, 12)
    assert not warnings
    assert in_forms("02/08/2023 10:11:12", specs_xy._TIMES, warnings) is None
