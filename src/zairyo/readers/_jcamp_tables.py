"""JCAMP-DX' tables → arrays of x and y in real units, checked against what the header announces."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError
from zairyo.readers._jcamp_asdf import Floats, Lines, decode_groups, decode_lines
from zairyo.readers._jcamp_records import Record

_LINES_FORM = re.compile(r"\(?(\w+)\+\+\((\w+)\.\.(\w+)\)?")
_GROUPS_FORM = re.compile(r"\(?([A-Z][A-Z0-9,]*?)\.\.")
_MOST_UNANNOUNCED = 20_000_000
_COMMENT = re.compile(r"\$\$[^\n]*")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_PLAIN = re.compile(r"[-+\d\s,;eE]*")


@dataclass(frozen=True)
class Announced:
    """What the header says about a table: None where it says nothing."""

    points: int | None = None
    first_x: float | None = None
    last_x: float | None = None
    delta_x: float | None = None
    first_y: float | None = None
    factor_x: float = 1.0
    factor_y: float = 1.0
    has_decimal_commas: bool = False


@dataclass(frozen=True)
class Table:
    """A table read: its symbols as its form names them, and columns in real units."""

    symbols: tuple[str, ...]
    columns: tuple[Floats, ...]
    is_regular: bool


def read_table(record: Record, announced: Announced, is_closed: bool, warnings: list[str]) -> Table:
    """Decode a table and check it.

    Raises
    ------
    ReadError
        Naming the line, if it cannot be decoded or has fewer points than announced and no end.
    """
    form = record.form
    if announced.points is None and not is_closed:
        raise ReadError(
            f"line {record.line}: neither NPOINTS nor '##END=' says where the table ends, so it may be cut off. "
            "Copy the file again from the instrument."
        )
    match = _LINES_FORM.match(form)
    record = _with_decimal_points(record, announced, match is not None)
    if match:
        x, y = _regular(record, announced, is_closed, warnings)
        return Table((match[1], match[2]), (x, y), True)
    match = _GROUPS_FORM.match(form)
    if match is None:
        raise ReadError(f"line {record.line}: the form {form[:40]!r} of {record.written!r} is not known")
    symbols = tuple(match[1].replace(",", ""))
    groups = decode_groups(record.body, len(symbols), record.line + 1)
    points = announced.points
    if points is not None and len(groups) != points:
        message = f"line {record.line}: {points} points are announced, and {len(groups)} are there"
        if len(groups) < points and not is_closed:
            raise ReadError(f"{message}; the file is cut off. Copy it again from the instrument.")
        warnings.append(f"{message}; all of them were read.")
    if not len(groups):
        raise ReadError(f"line {record.line}: {record.written!r} is empty")
    factors = np.ones(len(symbols))
    factors[:2] = announced.factor_x, announced.factor_y
    return Table(symbols, tuple(np.ascontiguousarray(c) for c in (groups * factors).T), False)


def _with_decimal_points(record: Record, announced: Announced, in_lines: bool) -> Record:
    """The table with points for decimal commas, which the standard knows not but some programs write.

    Commas are decimal if the header's are, or if only then there are as many points as announced.
    """
    body = _COMMENT.sub("", record.body) if "$$" in record.body else record.body
    if "," not in body or "." in body or not _DECIMAL_COMMA.search(body) or not _PLAIN.fullmatch(body):
        return record
    is_decimal = announced.has_decimal_commas
    if announced.points is not None:
        lines = sum(1 for line in body.splitlines() if line.strip())
        width = len(record.form.split("..")[0].strip("(").replace(",", ""))

        def fits(separators: str) -> bool:
            numbers = len(re.split(separators, body.strip()))
            return (numbers - lines if in_lines else numbers / width) == announced.points

        is_decimal = fits(r"[\s;]+") and not fits(r"[\s;,]+") if not is_decimal else not fits(r"[\s;,]+")
    if not is_decimal:
        return record
    form, end, _ = record.value.partition("\n")
    return record._replace(value=f"{form}{end}{_DECIMAL_COMMA.sub('.', body)}")


def _regular(
    record: Record, announced: Announced, is_closed: bool, warnings: list[str]
) -> tuple[Floats, Floats]:
    points = announced.points
    most = _MOST_UNANNOUNCED if points is None else min(2 * points + 100_000, 100_000_000)
    lines = decode_lines(record.body, record.line + 1, most)
    raw = lines.y
    if lines.failed_checks:
        if points is not None and len(lines.unchecked_y) == points != len(raw):
            # A writer that does not repeat ordinates: every one of them is a point.
            raw = lines.unchecked_y
            lines = Lines(raw, lines.x[:1], lines.at[:1], lines.numbers[:1], [], raw)
        else:
            shown = ", ".join(str(record.line + n) for n in lines.failed_checks[:5])
            warnings.append(
                f"The check ordinate differs from the line before on {len(lines.failed_checks)} lines (line {shown}…): "
                "a value before each of them is wrong in the file."
            )
    if points is not None and len(raw) < points and not is_closed:
        raise ReadError(
            f"line {record.line}: {points} points are announced, but the file ends after {len(raw)}; it is cut off. "
            "Copy it again from the instrument."
        )
    if points is not None and len(raw) != points:
        warnings.append(f"{points} points are announced, and {len(raw)} are there; all of them were read.")
    y = raw * announced.factor_y
    _check_first(y, raw, announced, warnings)
    return _abscissae(lines, len(raw), record, announced, warnings), y


def _check_first(y: Floats, raw: Floats, announced: Announced, warnings: list[str]) -> None:
    first = announced.first_y
    if not first or not np.isfinite(y[0]):
        return
    rounding = 2 * abs(announced.factor_y) + 1e-2 * abs(first)  # headers give few digits
    if abs(y[0] - first) > rounding and abs(raw[0] - first) > 1e-2 * abs(first):
        warnings.append(f"The first ordinate is {y[0]:g}, but the header says {first:g}.")


def _abscissae(
    lines: Lines, points: int, record: Record, announced: Announced, warnings: list[str]
) -> Floats:
    """From FIRSTX, LASTX and the number of points, unless the abscissas at the line beginnings contradict."""
    expected = _expected(points, announced)
    if expected is not None:
        for factor in dict.fromkeys((announced.factor_x, 1.0)):
            off = _off(expected, lines, factor)
            if np.mean(off) > 0.1:
                continue
            if off.any():
                line = record.line + int(lines.numbers[np.argmax(off)])
                warnings.append(
                    f"{int(np.count_nonzero(off))} lines begin with an abscissa that is not where it should be "
                    f"(the first is line {line}); the header's abscissas were taken."
                )
            return expected
        if _are_counts(expected, lines, announced):
            warnings.append(
                "The lines begin with the number of the point, not with its abscissa; the header's abscissas (FIRSTX, "
                "LASTX, NPOINTS) were taken."
            )
            return expected
        warnings.append(
            "The header's abscissas (FIRSTX, LASTX, NPOINTS) do not agree with those at the beginning of the lines; "
            "the latter were taken."
        )
    return _from_lines(lines, points, record, announced)


def _expected(points: int, announced: Announced) -> Floats | None:
    first, last, delta = announced.first_x, announced.last_x, announced.delta_x
    is_whole = announced.points in (None, points)
    if first is None or points < 2:
        return None
    if last is not None and last != first and is_whole:
        return np.linspace(first, last, points)
    if delta:
        signed = -abs(delta) if last is not None and last < first else delta
        return np.asarray(first + signed * np.arange(points), dtype=np.float64)
    return None


def _off(expected: Floats, lines: Lines, factor: float) -> NDArray[np.bool_]:
    """Which line beginnings are more than one and a half steps (and their own rounding) off the axis."""
    step = abs(expected[1] - expected[0])
    rounding = _digit(lines.x) * abs(factor) + 1e-6 * float(np.max(np.abs(expected)))
    off: NDArray[np.bool_] = ~(np.abs(expected[lines.at] - lines.x * factor) <= 1.5 * step + rounding)
    return off


def _are_counts(expected: Floats, lines: Lines, announced: Announced) -> bool:
    """Whether the lines begin with whole numbers one a point, and XFACTOR is the header's step, as JEOL writes."""
    if len(lines.x) < 2 or announced.factor_x == 1 or not np.array_equal(lines.x, np.rint(lines.x)):
        return False
    step = abs(expected[-1] - expected[0]) / (len(expected) - 1)
    is_one = np.array_equal(np.abs(np.diff(lines.x)), np.diff(lines.at))
    return bool(is_one and abs(abs(announced.factor_x) - step) <= 1e-4 * step)


def _digit(values: Floats) -> float:
    """What the last written digit is worth: abscissas are often cut to few digits."""
    for digits in range(7):
        scaled = values * 10.0**digits
        if np.all(np.abs(scaled - np.rint(scaled)) < 1e-6):
            return float(10.0**-digits)
    return 0.0


def _from_lines(lines: Lines, points: int, record: Record, announced: Announced) -> Floats:
    stored = lines.x * announced.factor_x
    steps = np.diff(stored)
    falls = int(np.count_nonzero(steps < 0))
    against = (steps > 0) if falls * 2 > len(steps) else (steps < 0)
    if against.any() or not np.all(np.isfinite(stored)):
        line = record.line + int(lines.numbers[min(int(np.argmax(against)) + 1, len(lines.numbers) - 1)])
        raise ReadError(
            f"line {line}: the abscissas at the beginning of the lines go back and forth, so nobody can tell where "
            "the points are; the file is damaged or two files run into each other"
        )
    at, index = np.unique(lines.at, return_index=True)
    stored = stored[index]
    first, last = announced.first_x, announced.last_x
    if len(at) > 1:
        step = (stored[-1] - stored[0]) / (at[-1] - at[0])
    elif points == 1:
        return stored[:1] if first is None else np.array([first])
    elif announced.delta_x:
        step = announced.delta_x
    elif last is not None:
        step = (last - (stored[0] if first is None else first)) / (points - 1)
    else:
        raise ReadError("neither FIRSTX, LASTX or DELTAX nor the lines say how far the points are apart")
    inside = np.interp(np.arange(points), at, stored)
    before, after = np.arange(points) < at[0], np.arange(points) > at[-1]
    inside[before] = stored[0] + step * (np.arange(points)[before] - at[0])
    inside[after] = stored[-1] + step * (np.arange(points)[after] - at[-1])
    return np.asarray(inside, dtype=np.float64)
