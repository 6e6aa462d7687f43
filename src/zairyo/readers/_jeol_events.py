"""JEOL Analysis Station's ``.pts``: X-rays one by one as the beam went over the sample, frame after frame.

The stream is of 16-bit words; the upper four bits say what the lower twelve are: the beam's column (8) and row (9) of
a field of 4096, the electron detector's signal (A), or the channel of an X-ray (B). A row before the last one begins
another frame. The frames are summed.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Quantity, Signal
from zairyo.readers._api import ReadError
from zairyo.readers._jeol_images import field_width, microscopy, place_axis
from zairyo.readers._jeol_tags import Buffer, at_path, moment, number_at, parse_tags, plain, quantity

MAGIC = 304
_HEAD, _TREE = 304, 12
_COLUMN, _ROW, _ELECTRONS, _XRAY = 8, 9, 10, 11
_FIELD = 4096
_CHANNELS = 4096
_MOST_BYTES = 2**30
_MOST_SIDE = 4096
_WORDS_AT_ONCE = 4_000_000
_DATA = "PTTD Data/AnalyzableMap MeasData"
_MICROSCOPE = "PTTD Param/Params/PARAMPAGE0"
_SPECTROMETER = "PTTD Param/Params/PARAMPAGE1"
#: Path of a tag, the condition, its unit, and what the tag's number is multiplied with.
_CONDITIONS: tuple[tuple[str, str, str, float], ...] = (
    (f"{_DATA}/MeasCond/AccKV", "accelerating_voltage", "kV", 1.0),
    (f"{_DATA}/MeasCond/Mag", "magnification", "", 1.0),
    (f"{_DATA}/MeasCond/WorkD", "working_distance", "mm", 1.0),
    (f"{_DATA}/MeasCond/AccNA", "beam_current", "nA", 1.0),
    (f"{_DATA}/Doc/DwellTime(msec)", "dwell_time", "us", 1000.0),
    (f"{_DATA}/Doc/LiveTime", "live_time", "s", 1.0),
    (f"{_DATA}/Doc/RealTime", "real_time", "s", 1.0),
    (f"{_MICROSCOPE}/ElevAng", "elevation_angle", "deg", 1.0),
    (f"{_MICROSCOPE}/DirAng", "azimuth_angle", "deg", 1.0),
    (f"{_MICROSCOPE}/TakeAng", "take_off_angle", "deg", 1.0),
    (f"{_MICROSCOPE}/MnKaRES", "energy_resolution", "eV", 1.0),
)


@dataclass(frozen=True)
class _Frames:
    """Where the frames are: the word after the last one that counts, their number, steps of columns and rows."""

    stop: int
    count: int
    column_step: int
    row_step: int


@dataclass(frozen=True)
class _Part:
    """Some words of the stream: the beam's column and row at each, what they are, and their values."""

    column: NDArray[Any]
    row: NDArray[Any]
    kind: NDArray[Any]
    value: NDArray[Any]


def read_events(data: Buffer, name: str, warnings: list[str]) -> tuple[list[Entry], dict[str, Any], str]:
    """The spectrum image, its sum spectrum, the electron image if there is one; tags; the microscope's name."""
    if len(data) < _HEAD:
        raise ReadError(f"{name} has {len(data)} bytes, less than the head of a map's events; it is cut off")
    head, _, start, _ = struct.unpack_from("<IIII", data, 20)
    tree = parse_tags(data, head + _TREE, name)
    columns, rows = _size(tree, name)
    if not _HEAD <= start < len(data):
        raise ReadError(
            f"{name} has no events: they should begin at byte {start} of {len(data)}; it is cut off"
        )
    stop = head if head > start else len(data)
    words = np.frombuffer(data, "<u2", (stop - start) // 2, start)
    frames = _frames(words, columns, rows, warnings)
    binning = 1
    while -(-rows // binning) * -(-columns // binning) * _CHANNELS > _MOST_BYTES:
        binning += 1
    cube, electrons = _sums(words[: frames.stop], frames, columns, rows, binning)
    if binning > 1:
        warnings.append(
            "The whole map needs more memory than a translation has; each of its pixels here is the sum over "
            f"{binning} × {binning} pixels of the file."
        )
    entries = _entries(tree, cube, electrons, frames.count, binning, columns, warnings)
    started = moment(struct.unpack_from("<d", data, _HEAD - 8)[0])
    return [replace(e, started=started) for e in entries], plain(tree), _text(tree, f"{_MICROSCOPE}/SEM")


def _text(tree: dict[str, Any], path: str) -> str:
    value = at_path(tree, path)
    return value.strip() if isinstance(value, str) else ""


def _size(tree: dict[str, Any], name: str) -> tuple[int, int]:
    told = re.fullmatch(r"\s*(\d+)\s*[xX×]\s*(\d+)\s*", _text(tree, f"{_DATA}/Meas Cond/Pixels"))
    columns, rows = (int(told[1]), int(told[2])) if told else (0, 0)
    if not (0 < columns <= _MOST_SIDE and 0 < rows <= _MOST_SIDE):
        raise ReadError(
            f"{name} does not state how many pixels its map has; it is damaged, or of an unknown version"
        )
    return columns, rows


# --- the stream ---------------------------------------------------------------------------------------------


def _frames(words: NDArray[Any], columns: int, rows: int, warnings: list[str]) -> _Frames:
    """The frames, without the last one if the beam did not come to its end."""
    begins = [0]
    last, highest = -1, 0
    for start in range(0, len(words), _WORDS_AT_ONCE):
        part = words[start : start + _WORDS_AT_ONCE]
        at = np.flatnonzero(part >> 12 == _ROW)
        if not len(at):
            continue
        row = (part[at] & 0xFFF).astype(np.int64)
        begins += (start + at[np.diff(row, prepend=last) < 0]).tolist()
        last, highest = int(row[-1]), max(highest, int(row.max()))
    column_step, row_step = _FIELD // columns, _FIELD // rows
    if columns != rows and highest // column_step < rows:
        row_step = column_step  # the pixels are square, the field is not
    lowest_full = min(_FIELD, rows * row_step) - row_step
    if last >= lowest_full and _is_swept(words[begins[-1] :], columns, column_step):
        return _Frames(len(words), len(begins), column_step, row_step)
    if len(begins) == 1:
        warnings.append(
            "The acquisition was stopped within the first frame; the rows that the beam came to are kept."
        )
        return _Frames(len(words), 1, column_step, row_step)
    warnings.append(
        f"The acquisition was stopped within a frame; the {len(begins) - 1} whole frames were summed, the last was "
        "left out."
    )
    return _Frames(begins[-1], len(begins) - 1, column_step, row_step)


def _is_swept(frame: NDArray[Any], columns: int, step: int) -> bool:
    """Whether the last row came to its end; known only where the electron detector's signal tells of each pixel."""
    tail = frame[-_WORDS_AT_ONCE:]
    kind = tail >> 12
    if not (kind == _ELECTRONS).any():
        return True
    at = np.flatnonzero(kind == _COLUMN)
    return not len(at) or int(tail[at[-1]] & 0xFFF) >= columns * step - step


def _parts(words: NDArray[Any], frames: _Frames) -> Iterator[_Part]:
    """The stream's X-rays and electron signals with the beam's place."""
    column = row = 0
    for start in range(0, len(words), _WORDS_AT_ONCE):
        part = words[start : start + _WORDS_AT_ONCE]
        kind, value = (part >> 12).astype(np.uint8), part & 0xFFF
        places = []
        for which, before in ((_COLUMN, column), (_ROW, row)):
            is_place = kind == which
            known = np.concatenate(([before], value[is_place]))
            places.append((known, np.cumsum(is_place)))
        (columns, at_column), (rows, at_row) = places
        events = np.flatnonzero((kind == _XRAY) | (kind == _ELECTRONS))
        yield _Part(
            columns[at_column[events]] // frames.column_step,
            rows[at_row[events]] // frames.row_step,
            kind[events],
            value[events],
        )
        column, row = int(columns[-1]), int(rows[-1])


def _sums(
    words: NDArray[Any], frames: _Frames, columns: int, rows: int, binning: int
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Counts, shape (rows, columns, channels), and the electron signal, shape (rows, columns), of all frames."""
    shape = -(-rows // binning), -(-columns // binning)
    pixels = shape[0] * shape[1]
    most = np.zeros(pixels, np.int64)
    electrons, has_electrons = np.zeros(rows * columns, np.int64), False
    for part in _parts(words, frames):
        inside = (part.column < columns) & (part.row < rows)
        chosen = inside & (part.kind == _XRAY)
        most += np.bincount(_cells(part, chosen, shape[1], binning), minlength=pixels)
        chosen = inside & (part.kind == _ELECTRONS)
        if chosen.any():
            has_electrons = True
            np.add.at(electrons, _cells(part, chosen, columns, 1), part.value[chosen].astype(np.int64))
    # No channel can have more counts than its pixel.
    dtype = np.min_scalar_type(int(most.max(initial=1)))
    if pixels * _CHANNELS * dtype.itemsize > 2 * _MOST_BYTES:
        raise ReadError(
            f"a map of {shape} pixels with {int(most.max())} counts in one is too large to be read"
        )
    flat = np.zeros(pixels * _CHANNELS, dtype)
    for part in _parts(words, frames):
        chosen = (part.column < columns) & (part.row < rows) & (part.kind == _XRAY)
        at = _cells(part, chosen, shape[1], binning) * _CHANNELS + part.value[chosen]
        np.add.at(flat, at, dtype.type(1))
    if dtype.itemsize > 1:
        flat = flat.astype(np.min_scalar_type(int(flat.max())), copy=False)
    flat.flags.writeable = False
    image = electrons.astype(np.uint32).reshape(rows, columns) if has_electrons else None
    return flat.reshape(*shape, _CHANNELS), image


def _cells(part: _Part, chosen: NDArray[np.bool_], columns: int, binning: int) -> NDArray[np.int64]:
    row, column = part.row[chosen].astype(np.int64), part.column[chosen].astype(np.int64)
    return row // binning * columns + column // binning


# --- entries ------------------------------------------------------------------------------------------------


def _entries(
    tree: dict[str, Any],
    cube: NDArray[Any],
    electrons: NDArray[Any] | None,
    frames: int,
    binning: int,
    columns: int,
    warnings: list[str],
) -> list[Entry]:
    magnification = number_at(tree, f"{_DATA}/MeasCond/Mag")
    width = field_width(number_at(tree, f"{_MICROSCOPE}/ScanSize"), magnification)
    energy = _energy(tree, warnings)
    conditions = _found(tree) | {"frames": Quantity(frames, "")}
    title = _text(tree, f"{_DATA}/Doc/Memo") or "EDS map"
    y = place_axis("y", cube.shape[0], width, columns, binning)
    x = place_axis("x", cube.shape[1], width, columns, binning)
    summed = cube.sum(axis=(0, 1), dtype=np.int64)
    entries = [
        Entry(
            name="spectrum_image",
            technique="eds",
            axes=(y, x, energy),
            signals=(Signal("intensity", cube, "counts", ("y", "x", energy.name)),),
            title=title,
            conditions=conditions,
        ),
        Entry(
            name="sum_spectrum",
            technique="eds",
            axes=(energy,),
            signals=(Signal("intensity", summed, "counts", (energy.name,)),),
            title=f"{title}: sum spectrum",
            conditions=conditions,
        ),
    ]
    if electrons is not None:
        rows = electrons.shape[0]
        about = (
            "accelerating_voltage",
            "magnification",
            "working_distance",
            "beam_current",
            "dwell_time",
            "frames",
        )
        entries.append(
            Entry(
                name="image",
                technique=microscopy(number_at(tree, f"{_DATA}/MeasCond/AccKV")),
                axes=(place_axis("y", rows, width, columns), place_axis("x", columns, width, columns)),
                signals=(Signal("intensity", electrons, None, ("y", "x")),),
                title=f"{title}: electron image, sum of {frames} frames",
                conditions={n: q for n, q in conditions.items() if n in about},
            )
        )
    return entries


def _energy(tree: dict[str, Any], warnings: list[str]) -> Axis:
    """Energies of the channels; the zero of energy is at the channel that the processor's template says."""
    step, offset = number_at(tree, f"{_DATA}/Doc/CoefA"), number_at(tree, f"{_DATA}/Doc/CoefB")
    template = _text(tree, f"{_DATA}/Meas Cond/Tpl")
    zero = number_at(tree, f"{_SPECTROMETER}/Tpl/{template}/DigZ")
    if step is None or offset is None or zero is None or not 1e-9 < abs(step) < 1e6 or math.fabs(zero) > 1e6:
        warnings.append("The map's energies are not stated; channels are counted instead.")
        return Axis("channel", np.arange(_CHANNELS), "")
    return Axis("energy", offset + step * (np.arange(_CHANNELS) - zero), "keV")


def _found(tree: dict[str, Any]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for path, name, unit, factor in _CONDITIONS:
        value = quantity(number_at(tree, path), unit, factor)
        if value is not None:
            found[name] = value
    if detector := _text(tree, f"{_MICROSCOPE}/DetT"):
        found["detector_type"] = Quantity(detector)
    return found
