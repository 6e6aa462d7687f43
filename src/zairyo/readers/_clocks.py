"""Columns of times of day, durations and dates: cells that are written alike are read at once, with NumPy.

Cells are alike if they differ in digits only (``0:00:10.5`` and ``9:59:59.0``). What is said of the one form, where its
numbers are, holds for all its cells; one ``strptime`` a cell would take a hundred times as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FORM = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
#: More forms than this, and to sort cells by them gains nothing.
_MOST_FORMS = 64
#: Digits that a whole number in float64 holds exactly, with something to spare.
_MOST_DIGITS = 15

_DURATION = re.compile(rb"\s*(?:(0{1,9})(?:d\s*|-|\.))?(0{1,9}):(0{1,9}):(0{1,9})(?:[.,](0{1,40}))?\s*\Z")
_CLOCK = re.compile(rb"\s*(0{1,2}):(00)(?::(00)(?:[.,](0+))?)?\s*([AaPp])?\.?[Mm]?\.?\s*\Z")
#: strptime's directives → their form; its names of months and days and its time zones are left to it.
_DIRECTIVES = {
    "Y": b"(?P<Y>0000)", "y": b"(?P<y>00)", "m": b"(?P<m>00?)", "d": b"(?P<d>00?)", "H": b"(?P<H>00?)",
    "I": b"(?P<I>00?)", "M": b"(?P<M>00?)", "S": b"(?P<S>00?)", "f": b"(?P<f>0{1,6})",
    "p": b"(?P<p>[AaPp][Mm])", "%": b"%",
}  # fmt: skip
_DIRECTIVE = re.compile(r"%(.)|\s+")
_RANGES = {"m": (1, 12), "d": (1, 31), "H": (0, 23), "I": (1, 12), "M": (0, 59), "S": (0, 59), "Y": (1, 9999)}


@dataclass(frozen=True)
class Form:
    """Cells that are alike: their form (digits as ``0``), which they are, and their bytes, shape (cells, bytes)."""

    text: bytes
    places: NDArray[np.intp]
    block: NDArray[np.uint8]

    def number(self, match: re.Match[bytes], group: int | str) -> NDArray[np.int64]:
        """The whole numbers where a group of the form's match is; 0 where it took no part."""
        start, end = match.span(group)
        total = np.zeros(len(self.block), np.int64)
        for column in range(start, end):
            total = total * 10 + (self.block[:, column] - np.uint8(48))
        return total


def forms_of(cells: Sequence[str]) -> Iterator[Form]:
    """The forms of the cells; none if there are too many of them."""
    if not cells:
        return
    data = "\n".join(cells).encode("utf-8", "surrogatepass")
    forms = data.translate(_FORM).split(b"\n")
    kinds = {form: k for k, form in enumerate(dict.fromkeys(forms))}
    if len(forms) != len(cells) or len(kinds) > _MOST_FORMS:
        return
    array = np.frombuffer(data + b"\n", np.uint8)
    if len(kinds) == 1:
        yield Form(forms[0], np.arange(len(cells)), array.reshape(len(cells), -1)[:, :-1])
        return
    starts = np.cumsum([0, *map(len, forms[:-1])]) + np.arange(len(forms))
    kind_of = np.fromiter(map(kinds.__getitem__, forms), np.intp, len(forms))
    for form, kind in kinds.items():
        places = np.flatnonzero(kind_of == kind)
        yield Form(form, places, array[starts[places, None] + np.arange(len(form))])


def seconds_of(
    cells: Sequence[str],
    one: Callable[[str], float],
    add: Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
    marks: bytes = b"d-",
) -> NDArray[np.float64]:
    """Seconds out of ``h:mm:ss`` with or without fractions, and days before.

    Parameters
    ----------
    one
        What any other cell is.
    add
        Days' seconds, hours' and minutes' seconds, and seconds → their sum.
    marks
        What may stand behind the days.
    """
    found = np.empty(len(cells))
    rest = np.ones(len(cells), bool)
    for form in forms_of(cells):
        match = _DURATION.match(form.text)
        if match is None or (match[1] and form.text[match.end(1)] not in marks):
            continue
        days, hours, minutes = (form.number(match, k) for k in (1, 2, 3))
        whole = (hours * 3600 + minutes * 60).astype(np.float64)
        found[form.places] = add(days * np.float64(86400), whole, _decimal(form, match))
        rest[form.places] = False
    for at in np.flatnonzero(rest).tolist():
        found[at] = one(cells[at])
    return found


def _decimal(form: Form, match: re.Match[bytes]) -> NDArray[np.float64]:
    """Seconds with their fraction, rounded as ``float`` does."""
    digits = len(match[5] or b"")
    if len(match[4]) + digits <= _MOST_DIGITS:
        scale = 10**digits
        exact: NDArray[np.float64] = (form.number(match, 4) * scale + form.number(match, 5)) / scale
        return exact
    start, end = match.start(4), match.end(5)
    written = form.block[:, start:end].copy()
    written[:, match.start(5) - 1 - start] = ord(".")
    return written.view(f"S{end - start}").ravel().astype(np.float64)


def milliseconds_of_day(cells: Sequence[str], one: Callable[[str], int]) -> NDArray[np.int64]:
    """Milliseconds since midnight out of ``h:mm``, ``h:mm:ss``, ``h:mm:ss.fff``, with AM or PM; ``one`` for others."""
    found = np.empty(len(cells), np.int64)
    rest = np.ones(len(cells), bool)
    for form in forms_of(cells):
        match = _CLOCK.match(form.text)
        if match is None:
            continue
        hours, minutes, seconds = (form.number(match, k) for k in (1, 2, 3))
        if match[5]:
            hours = hours % 12 + (12 if match[5] in b"Pp" else 0)
        milli = np.zeros(len(hours), np.int64)
        for k, column in enumerate(range(*match.span(4))[:3]):
            milli += (form.block[:, column] - np.uint8(48)).astype(np.int64) * 10 ** (2 - k)
        found[form.places] = ((hours * 60 + minutes) * 60 + seconds) * 1000 + milli
        rest[form.places] = False
    for at in np.flatnonzero(rest).tolist():
        found[at] = one(cells[at])
    return found


def moments_of(
    cells: Sequence[str], formats: Sequence[str]
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """``datetime64[us]`` out of dates in the first of ``formats`` (``strptime``) that fits each cell, and which it is
    of; the others are for ``strptime`` itself."""
    found = np.full(len(cells), np.datetime64("NaT", "us"))
    done = np.zeros(len(cells), bool)
    patterns = []
    for written in formats:
        pattern = _pattern_of(written)
        if pattern is None:
            return found, done  # a later one must not be taken before it
        patterns.append(pattern)
    for alike in forms_of(cells):
        for match in (m for p in patterns if (m := p.match(alike.text))):
            moments, valid = _moments(alike, match)
            new = valid & ~done[alike.places]
            found[alike.places[new]] = moments[new]
            done[alike.places[new]] = True
    return found, done


def _pattern_of(form: str) -> re.Pattern[bytes] | None:
    """The form of what a format fits; None if that is for ``strptime`` alone to say."""
    pattern, at, before = b"\\s*", 0, ""
    for match in _DIRECTIVE.finditer(form):
        literal = form[at : match.start()]
        if match[1] and match[1] not in _DIRECTIVES:
            return None
        if before and not literal and match[1] and match[1] not in "p%":
            return None  # 1122: which digits are whose?
        pattern += re.escape(literal.encode()) + (_DIRECTIVES[match[1]] if match[1] else b"\\s+")
        at, before = match.end(), match[1] if match[1] not in ("p", "%") else ""
    named = {match[1] for match in _DIRECTIVE.finditer(form)}
    if re.search(r"\d", _DIRECTIVE.sub("", form)) or {"Y", "y"} <= named or {"H", "I"} <= named:
        return None
    pattern += re.escape(form[at:].encode()) + b"\\s*\\Z"
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error:  # a directive twice
        return None


def _moments(form: Form, match: re.Match[bytes]) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """The moments, and which of them are in the calendar."""
    given = match.groupdict()
    part = {k: form.number(match, k) for k in given if k != "p"}
    if "y" in part:
        part["Y"] = part["y"] + np.where(part["y"] < 69, 2000, 1900)
    valid = np.ones(len(form.places), bool)
    for key, (least, most) in _RANGES.items():
        if key in part:
            valid &= (part[key] >= least) & (part[key] <= most)

    def get(key: str, default: int) -> NDArray[np.int64]:
        return np.where(valid, part.get(key, default), default)

    months = ((get("Y", 1900) - 1970) * 12 + get("m", 1) - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (get("d", 1) - 1)
    valid &= days.astype("datetime64[M]") == months
    hours = get("H", 0)
    if "I" in part:
        afternoon = 12 if given.get("p", b"a")[:1] in b"Pp" else 0
        hours = get("I", 12) % 12 + afternoon
    micro = get("f", 0) * 10 ** (6 - len(given.get("f") or b"000000"))
    seconds = (hours * 60 + get("M", 0)) * 60 + get("S", 0)
    return days.astype("datetime64[us]") + (seconds * 1_000_000 + micro), valid
