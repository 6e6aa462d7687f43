"""JCAMP-DX' compressed numbers (ASDF: PAC, SQZ, DIF, DUP) and plain ones (AFFN), decoded by whole arrays.

Source: R. S. McDonald, P. A. Wilks, Appl. Spectrosc. 42 (1988) 151 (JCAMP-DX 4.24). A line is an abscissa and
ordinates. The first character of an ordinate says how to take it: a sign or digit (as it is), ``@A-Ia-i`` (as
it is, with its sign and first digit in the letter), ``%J-Rj-r`` (difference to the one before), ``S-Zs`` (the
one before, so many times). After a line that ends with a difference, the next repeats the last ordinate as a
check.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError

Floats = NDArray[np.float64]

_MOST_POINTS = 100_000_000
_SPACE, _LINE, _DIGIT, _SIGN, _SQUEEZED, _DIFFERENCE, _DUPLICATE, _EXPONENT, _MISSING, _BAD = range(10)


def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """For each byte: its class, the byte it stands for in a number, whether it makes the number negative."""
    kind = np.full(256, _BAD, dtype=np.uint8)
    stands_for = np.full(256, ord(" "), dtype=np.uint8)
    negative = np.zeros(256, dtype=np.bool_)

    def put(characters: str, digits: str, what: int, is_negative: bool = False) -> None:
        for character, digit in zip(characters, digits, strict=True):
            kind[ord(character)], stands_for[ord(character)] = what, ord(digit)
            negative[ord(character)] = is_negative

    put(" \t,;\r\f", "      ", _SPACE)
    put("\n", " ", _LINE)
    put("0123456789.", "0123456789.", _DIGIT)
    put("+-", "+-", _SIGN)
    put("@ABCDEFGHI", "0123456789", _SQUEEZED)
    put("abcdefghi", "123456789", _SQUEEZED, True)
    put("%JKLMNOPQR", "0123456789", _DIFFERENCE)
    put("jklmnopqr", "123456789", _DIFFERENCE, True)
    put("STUVWXYZs", "123456789", _DUPLICATE)
    put("~", "e", _EXPONENT)
    put("?", "0", _MISSING)
    return kind, stands_for, negative


_KIND, _STANDS_FOR, _NEGATIVE = _tables()
_COMMENT = re.compile(rb"\$\$[^\n]*")
_COMPRESSED = re.compile(rb"[@A-DF-Za-df-s%]")
_SIGNED_EXPONENT = re.compile(rb"(?<=[0-9.])[Ee](?=[+-][0-9])")
# Without a sign it is an exponent only in a number that stands apart, after another: "0E00" is 0 and 500.
_BARE_EXPONENT = re.compile(rb"([0-9.?][ \t,;]+[+-]?[0-9.]+)[Ee](?=[0-9])")


@dataclass(frozen=True)
class Lines:
    """Ordinates of an ``(X++(Y..Y))`` table.

    Attributes
    ----------
    y
        Ordinates as stored, shape (points,); NaN where the file has ``?``.
    x
        The abscissa as stored at the beginning of each line, shape (lines,).
    at
        Index of the ordinate each of ``x`` belongs to, shape (lines,).
    numbers
        Each line's number (from 1, of the table), shape (lines,).
    failed_checks
        Lines (from 1, of the table) whose check ordinate is not the last one of the line before.
    unchecked_y
        Ordinates if check ordinates were points of their own.
    """

    y: Floats
    x: Floats
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    failed_checks: list[int]
    unchecked_y: Floats


@dataclass(frozen=True)
class _Tokens:
    values: Floats
    kinds: NDArray[np.uint8]
    lines: NDArray[np.int64]


def _prepared(text: str) -> bytes:
    """Without comments; exponents marked, since E is also a digit of the compressed forms."""
    data = text.encode("latin-1", "replace")
    if b"$$" in data:
        data = _COMMENT.sub(b"", data)
    data = data.replace(b"~", b"!")  # our mark is no character of the format
    if any(sign in data for sign in (b"E+", b"E-", b"e+", b"e-")):
        data = _SIGNED_EXPONENT.sub(b"~", data)
    if (b"E" in data or b"e" in data) and not _COMPRESSED.search(data):
        data = _BARE_EXPONENT.sub(rb"\1~", data)
    return data


def _tokens(text: str, first_line: int) -> _Tokens:
    raw = np.frombuffer(_prepared(text), dtype=np.uint8)
    kind = _KIND[raw]
    if np.any(kind == _BAD):
        at = int(np.argmax(kind == _BAD))
        line = first_line + int(np.count_nonzero(kind[:at] == _LINE))
        raise ReadError(
            f"line {line}: {chr(raw[at])!r} is no character of JCAMP-DX data; the file is damaged"
        )
    before = np.concatenate(([_LINE], kind[:-1])).astype(np.uint8)
    begins = ((kind >= _SIGN) & (kind <= _DUPLICATE)) | (kind == _MISSING)
    begins |= (kind == _DIGIT) & (before <= _LINE)
    begins &= ~((kind == _SIGN) & (before == _EXPONENT))
    starts = np.flatnonzero(begins)
    if not len(starts):
        return _Tokens(np.empty(0), np.empty(0, np.uint8), np.empty(0, np.int64))
    lines = np.cumsum(kind == _LINE)[starts]
    try:
        values = _numbers(raw, kind, begins, starts)
    except ValueError as e:
        raise ReadError(f"the data after line {first_line} hold something that is no number: {e}") from None
    values[_NEGATIVE[raw[starts]]] *= -1.0
    values[kind[starts] == _MISSING] = np.nan
    return _Tokens(values, kind[starts], lines)


_POWERS = 10.0 ** np.arange(16)


def _numbers(
    raw: NDArray[np.uint8], kind: NDArray[np.uint8], begins: NDArray[np.bool_], starts: NDArray[np.int64]
) -> Floats:
    """Each token's magnitude (its sign too, if it is written as one).

    Most are short whole numbers: those are summed from the last digit on, all at once; the others go through ``float``.
    """
    written = _STANDS_FOR[raw]
    is_digit = (written >= ord("0")) & (written <= ord("9"))
    is_plain = is_digit | (kind <= _LINE)
    seen = np.cumsum(is_digit, dtype=np.int32)
    ends = np.append(seen[starts[1:] - 1], seen[-1])
    lengths = np.diff(ends, prepend=seen[starts[0]] - is_digit[starts[0]])
    is_odd = lengths > 15
    if not is_plain.all():
        is_odd |= np.add.reduceat((~is_plain).astype(np.int32), starts) > 0
    if np.count_nonzero(is_odd) * 4 > len(starts):
        spread = np.full(len(raw) + len(starts), ord(" "), dtype=np.uint8)
        spread[np.arange(len(raw)) + np.cumsum(begins)] = written
        values = np.array(list(map(float, spread.tobytes().split())), dtype=np.float64)
        if len(values) != len(starts):
            raise ValueError("numbers run into each other")
        return values
    digits = written[is_digit] - np.uint8(ord("0"))
    values = np.zeros(len(starts))
    for place in range(min(int(lengths.max()), 15)):
        long = np.flatnonzero(lengths > place)
        values[long] += digits[ends[long] - 1 - place] * _POWERS[place]
    text, stops = written.tobytes(), np.append(starts[1:], len(raw))
    for i in np.flatnonzero(is_odd).tolist():
        values[i] = float(text[starts[i] : stops[i]])
    return values


def decode_lines(text: str, first_line: int = 1, most: int = _MOST_POINTS) -> Lines:
    """Decode the lines of an ``(X++(Y..Y))`` table.

    Parameters
    ----------
    text
        The table, without its label and form.
    first_line
        Line of the file at which it begins, for messages.
    most
        More ordinates than this are refused before they are made.

    Raises
    ------
    ReadError
        Naming the line.
    """
    tokens = _tokens(text, first_line)
    if not len(tokens.values):
        raise ReadError(f"the table after line {first_line} is empty")
    is_x = np.concatenate(([True], tokens.lines[1:] != tokens.lines[:-1]))
    _refuse(is_x & (tokens.kinds == _DUPLICATE), tokens, first_line, "begins with a repetition")
    values, kinds, lines = _expanded(tokens, is_x, first_line, most)
    if not len(values):
        raise ReadError(f"the table after line {first_line} holds abscissas and no ordinate")
    is_difference = kinds == _DIFFERENCE
    if is_difference[0]:
        raise ReadError(
            f"line {first_line}: the table begins with a difference, but there is nothing before it"
        )
    y = _summed(values, is_difference)
    begins = np.concatenate(([True], lines[1:] != lines[:-1]))
    is_check = begins & ~is_difference & np.concatenate(([False], is_difference[:-1]))
    fails = np.flatnonzero(is_check[1:] & (y[1:] != y[:-1])) + 1
    index = np.cumsum(~is_check) - 1
    first = np.flatnonzero(begins)
    by_line = dict(zip(tokens.lines[is_x].tolist(), tokens.values[is_x].tolist(), strict=True))
    x = np.array([by_line[line] for line in lines[first].tolist()], dtype=np.float64)
    return Lines(y[~is_check], x, index[first], lines[first] + 1, (lines[fails] + 1).tolist(), y)


def _expanded(
    tokens: _Tokens, is_x: NDArray[np.bool_], first_line: int, most: int
) -> tuple[Floats, NDArray[np.uint8], NDArray[np.int64]]:
    """Ordinates with the repetitions carried out: values, kinds, lines."""
    is_repetition = tokens.kinds == _DUPLICATE
    repeats = np.ones(len(tokens.values), dtype=np.float64)
    if is_repetition.any():
        after_x = np.concatenate(([True], (is_x | is_repetition)[:-1]))
        _refuse(is_repetition & after_x, tokens, first_line, "repeats an ordinate that is not there")
        times = tokens.values[is_repetition]
        _refuse(is_repetition & ~(tokens.values >= 1), tokens, first_line, "repeats an ordinate no times")
        repeats[np.flatnonzero(is_repetition) - 1] = times
    keep = ~(is_x | is_repetition)
    if repeats[keep].sum() > most:
        raise ReadError(
            f"the table after line {first_line} would have more than {most} points, which its header does not "
            "announce; the file is damaged"
        )
    counts = repeats[keep].astype(np.int64)
    parts: tuple[Any, ...] = tokens.values[keep], tokens.kinds[keep], tokens.lines[keep]
    return tuple(np.repeat(part, counts) for part in parts)  # type: ignore[return-value]


def _summed(values: Floats, is_difference: NDArray[np.bool_]) -> Floats:
    """Absolute values as they are; differences added to what is before them."""
    if not is_difference.any():
        return values
    with np.errstate(all="ignore"):  # only a damaged file overflows
        total = np.cumsum(np.where(is_difference, values, 0.0))
        last_absolute = np.maximum.accumulate(np.where(is_difference, 0, np.arange(len(values))))
        summed: Floats = values[last_absolute] + (total - total[last_absolute])
        return summed


def _refuse(where: NDArray[np.bool_], tokens: _Tokens, first_line: int, what: str) -> None:
    if where.any():
        line = first_line + int(tokens.lines[int(np.argmax(where))])
        raise ReadError(f"line {line} {what}; the file is damaged")


def decode_groups(text: str, size: int, first_line: int = 1) -> Floats:
    """Plain numbers in groups, as in ``(XY..XY)``: shape (groups, size).

    Commas, semicolons, blanks and line ends all separate, as they do in real files.
    """
    data = _prepared(text)
    compressed = _COMPRESSED.search(data)
    if compressed:
        line = first_line + data.count(b"\n", 0, compressed.start())
        raise ReadError(f"line {line}: {compressed.group().decode()!r} in a table of plain numbers")
    try:  # most tables are plain; joined signs and "?" are left to the general way
        plain = data.replace(b"~", b"e").replace(b",", b" ").replace(b";", b" ")
        values = np.array(list(map(float, plain.split())), dtype=np.float64)
    except ValueError:
        values = _tokens(text, first_line).values
    if len(values) % size:
        raise ReadError(
            f"the table after line {first_line} has {len(values)} numbers, which are not groups of {size}; "
            "it is cut off or damaged"
        )
    return values.reshape(-1, size)
