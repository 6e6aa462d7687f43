"""Moments as programs write them; above all, whether the day or the month stands first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from zairyo.measurement.text import clean_text

_YEAR_FIRST = re.compile(r"(?<!\d)(?P<year>\d{4})[/.-](?P<one>\d{1,2})[/.-](?P<two>\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(
    r"(?<!\d)(?P<one>\d{1,2})(?P<mark>[/.-])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)(?!\d)"
)
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d\d)(?::(\d\d))?\s*([AP])?\.?(?(4)M)?", re.IGNORECASE)


def day_is_first(text: str, others: Iterable[str], warnings: list[str]) -> bool | None:
    """Whether the day stands before the month in the date of a text; None, with a warning, where it is open.

    False where the text has no such date, or the year stands first.

    Parameters
    ----------
    others
        Further dates that the same program wrote: a number over 12 in one tells the order in all.
    """
    day = None if _YEAR_FIRST.search(text) else _YEAR_LAST.search(text)
    if day is None:
        return False
    if day["mark"] == "." or day["one"].lstrip("0") == day["two"].lstrip("0"):
        return True
    found = set()
    for other in (text, *others):
        m = _YEAR_LAST.search(other)
        if m is not None and int(m["one"]) > 12:
            found.add(True)
        elif m is not None and int(m["two"]) > 12:
            found.add(False)
    if len(found) == 1:
        return found.pop()
    warnings.append(either(text))
    return None


def either(text: str, so: str = "the start is left open") -> str:
    """What is said of a date whose order of day and month nothing tells."""
    return (
        f"Whether the day or the month stands first in {clean_text(text.strip())[:40]!r} is not known; {so}."
    )


def in_forms(
    text: str, forms: Iterable[str], warnings: list[str] | None = None, others: Iterable[str] = ()
) -> datetime | None:
    """The moment that a text is in the first of ``forms`` (``strptime``, ISO at last) that fits, or None.

    With ``warnings``, day and month are not guessed: where forms fit that take the one for the other, the text and
    ``others`` (as in :func:`day_is_first`) must tell which stands first; else there is no moment, and a warning. Nor is
    a date in none of the forms lost without a word.
    """
    text = text.strip()
    fitting = (moment for form in forms if (moment := _parsed(text, form)) is not None)
    found = next(fitting, None)
    if found is None:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            if warnings is not None and (_YEAR_FIRST.search(text) or _YEAR_LAST.search(text)):
                said = (
                    f"How the date {clean_text(text)[:40]!r} is written is not known; the start is left open."
                )
                warnings.append(said)
            return None
    day = _YEAR_LAST.search(text)
    if warnings is None or day is None or {found.day, found.month} != {int(day["one"]), int(day["two"])}:
        return found  # not two numbers that may be either
    if found.day == found.month or all(other.day == found.day for other in fitting):
        return found
    first = day_is_first(text, others, warnings)
    if first is None:
        return None
    of_month = int(day["one"] if first else day["two"])
    return found if found.day == of_month else found.replace(day=found.month, month=found.day)


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None


def moment(text: str, others: Iterable[str], warnings: list[str]) -> datetime | None:
    """The date and time of day in a text; None, with a warning, where day and month may be either.

    ``others`` as in :func:`day_is_first`.
    """
    clock = _CLOCK.search(text)
    day = _YEAR_FIRST.search(text) or _YEAR_LAST.search(text)
    if clock is None or day is None:
        return None
    first = day_is_first(text, others, warnings)
    if first is None:
        return None
    year, month, of_month = int(day["year"]), int(day["one"]), int(day["two"])
    if first:
        month, of_month = of_month, month
    hour = int(clock[1])
    if clock[4]:
        hour = hour % 12 + (12 if clock[4].upper() == "P" else 0)
    try:
        return datetime(year + 2000 * (year < 100), month, of_month, hour, int(clock[2]), int(clock[3] or 0))
    except ValueError:
        return None
