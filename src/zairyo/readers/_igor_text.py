"""Igor Pro's text waves (``.itx``): ``WAVES`` blocks between ``BEGIN`` and ``END``, and ``X`` commands.

Facts: the Igor Pro manual, "Igor Text Format". Of the commands those that scale a wave and note something on it
are carried out; nothing else is.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np

from zairyo.measurement import clean_text
from zairyo.readers._api import ReadError
from zairyo.readers._igor import Array, Wave

_WAVES = re.compile(r"WAVES(?P<flags>(?:/\w+(?:=\([^)]*\)|=\S+)?)*)[\s,]*(?P<names>.*)", re.IGNORECASE)
_SHAPE = re.compile(r"/N=\(([^)]*)\)", re.IGNORECASE)
_NAME = re.compile(r"'([^']*)'|([^\s,']+)")
_SCALE = re.compile(
    r"X\s+SetScale\s*(?P<how>/[IP])?\s*(?P<axis>[xyztd])[\s,]+(?P<first>[^,]*),(?P<second>[^,]*),"
    r'\s*"(?P<unit>[^"]*)"\s*,(?P<names>.*)',
    re.IGNORECASE,
)
_NOTE = re.compile(r"X\s+Note\s*(?:/\w+\s*)?('(?:[^']*)'|[^\s,]+)\s*,\s*\"(?P<text>.*)\"", re.IGNORECASE)
_TEXT_CELL = re.compile(r'"((?:[^"\\]|\\.)*)"')
_MOST_NUMBERS = 200_000_000


@dataclass
class _Block:
    names: list[str]
    shape: tuple[int, ...] | None
    is_text: bool
    is_complex: bool
    first_line: int


def read_text(text: str, warnings: list[str]) -> list[Wave]:
    """All waves of the file, in its order."""
    lines = text.splitlines()
    waves: dict[str, Wave] = {}
    at = 1
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if match := _WAVES.fullmatch(line):
            block = _begin(match, at)
            end = at
            while end < len(lines) and lines[end].strip().upper() != "END":
                end += 1
            if end == len(lines):
                raise ReadError(f"the waves of line {block.first_line} have no END; the file is cut off")
            body = [row for row in lines[at:end] if row.strip().upper() != "BEGIN"]
            for wave in _waves(block, body):
                waves[wave.name.casefold()] = wave
            at = end + 1
        elif line[:2].upper() in ("X ", "X\t"):
            _command(line, waves, warnings)
    return list(waves.values())


def _begin(match: re.Match[str], line: int) -> _Block:
    flags = match["flags"].upper()
    letters = {f[0] for f in re.findall(r"/(\w+)", flags)}
    shape = None
    if found := _SHAPE.search(flags):
        words = [w.strip() for w in found[1].split(",")]
        if (
            not all(w.isdecimal() and len(w) < 10 for w in words)
            or math.prod(map(int, words)) > _MOST_NUMBERS
        ):
            raise ReadError(f"line {line} gives the dimensions {found[1]!r}; the file is damaged")
        shape = tuple(int(w) for w in words)
    names = [clean_text(a or b) for a, b in _NAME.findall(match["names"])]
    if not names:
        raise ReadError(f"line {line} begins waves, but names none; the file is damaged")
    return _Block(names, shape, "T" in letters, "C" in letters, line)


def _waves(block: _Block, body: list[str]) -> list[Wave]:
    if block.is_text:
        cells = [[clean_text(c) for c in _TEXT_CELL.findall(line)] for line in body if line.strip()]
        columns = [np.array(column, dtype=object) for column in _columns(cells, block)]
        return [_named(name, column) for name, column in zip(block.names, columns, strict=True)]
    words = " ".join(body).replace(",", " ").split()
    try:
        numbers = np.array(list(map(float, words)))
    except ValueError as e:
        raise ReadError(f"the waves of line {block.first_line} hold what is no number: {e}") from None
    if block.is_complex:
        numbers = numbers[: len(numbers) // 2 * 2].view(complex)
    if block.shape is not None and len(block.shape) > 1:
        return [_named(block.names[0], _shaped(numbers, block))]
    if len(numbers) % len(block.names):
        raise ReadError(
            f"the waves of line {block.first_line} have {len(numbers)} numbers for {len(block.names)} waves; the file "
            "is cut off or damaged"
        )
    table = numbers.reshape(-1, len(block.names))
    return [_named(name, table[:, i].copy()) for i, name in enumerate(block.names)]


def _columns(cells: list[list[str]], block: _Block) -> list[list[str]]:
    width = len(block.names)
    if any(len(row) != width for row in cells):
        raise ReadError(f"a line of the texts of line {block.first_line} does not have {width} of them")
    return [[row[i] for row in cells] for i in range(width)]


def _shaped(numbers: Array, block: _Block) -> Array:
    """A matrix line by line; further dimensions one matrix after the other."""
    shape = block.shape or ()
    if len(numbers) != math.prod(shape):
        raise ReadError(
            f"the wave of line {block.first_line} has {len(numbers)} numbers, but {' × '.join(map(str, shape))} are "
            "announced; the file is cut off or damaged"
        )
    layers = numbers.reshape(*shape[:1:-1], shape[0], shape[1])
    return np.transpose(layers, (layers.ndim - 2, layers.ndim - 1, *range(layers.ndim - 3, -1, -1)))


def _named(name: str, data: Array) -> Wave:
    rank = data.ndim
    return Wave(
        name,
        data,
        (1.0,) * rank,
        (0.0,) * rank,
        "",
        ("",) * rank,
        ("",) * rank,
        ((),) * rank,
        "",
        "",
        None,
        None,
        0,
    )


def _command(line: str, waves: dict[str, Wave], warnings: list[str]) -> None:
    """Several commands stand in one line, with semicolons between them."""
    if note := _NOTE.match(line):
        name = note[1].strip("'").casefold()
        if name in waves:
            text = note["text"].replace(r"\r", "\n").replace(r"\n", "\n").replace(r"\"", '"')
            waves[name] = replace(waves[name], note=clean_text(text))
        return
    for command in line[1:].split(";"):
        if match := _SCALE.fullmatch("X " + command.strip()):
            for a, b in _NAME.findall(match["names"]):
                name = (a or b).casefold()
                if name in waves:
                    try:
                        waves[name] = _scaled(waves[name], match)
                    except ValueError:
                        warnings.append(f"The scaling {command.strip()[:60]!r} was not understood.")


def _scaled(wave: Wave, match: re.Match[str]) -> Wave:
    unit = clean_text(match["unit"])
    axis = "xyzt".find(match["axis"].lower())
    if axis < 0:
        return replace(wave, unit=unit)
    if axis >= wave.data.ndim:
        return wave
    first, second = float(match["first"]), float(match["second"])
    count = wave.data.shape[axis]
    how = (match["how"] or "").upper()
    # The step (/P), or the end: of the last point (/I), or of the one after it.
    step = second if how == "/P" else (second - first) / max(count - 1 if how == "/I" else count, 1)

    def put(old: tuple[float, ...], new: float) -> tuple[float, ...]:
        return (*old[:axis], new, *old[axis + 1 :])

    units = (*wave.axis_units[:axis], unit, *wave.axis_units[axis + 1 :])
    return replace(wave, start=put(wave.start, first), step=put(wave.step, step), axis_units=units)
