"""JEOL Analysis Station's ``.img`` (electron images) and ``.map`` (X-ray maps of a line): one image each."""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Quantity, Signal
from zairyo.readers._api import ReadError
from zairyo.readers._bruker_eds import SYMBOLS
from zairyo.readers._jeol_tags import Buffer, at_path, moment, number_at, parse_tags, plain, quantity

MAGIC = 52
FORM = b"LibJxImageForm"
_POSITIONS, _TREE = 36, 12
_HIGHEST_SEM_VOLTAGE = 30.0  # kV; above it the microscope is a STEM
_MOST_PIXELS = 2**28


def read_image(data: Buffer, name: str) -> tuple[Entry, dict[str, Any], str]:
    """The image, its tags for keeping, and the microscope's name."""
    if len(data) < _POSITIONS + 12:
        raise ReadError(f"{name} has {len(data)} bytes, less than the head of an image; it is cut off")
    (start,) = struct.unpack_from("<I", data, _POSITIONS + 8)
    tree = parse_tags(data, start + _TREE, name)
    pixels = _pixels(tree, name)
    rows, columns = pixels.shape
    width = field_width(number_at(tree, "Instrument/ScanSize"), number_at(tree, "Instrument/Mag"))
    title = str(at_path(tree, "Image/Title") or "").strip() or name
    is_map = isinstance(tree.get("Map"), dict)
    voltage = number_at(tree, "Instrument/AccV")
    entry = Entry(
        name="map" if is_map else "image",
        technique="eds" if is_map else microscopy(voltage),
        axes=(place_axis("y", rows, width, columns), place_axis("x", columns, width, columns)),
        signals=(Signal("intensity", pixels, "counts" if _is_counted(tree) else None, ("y", "x")),),
        title=title,
        conditions=_conditions(tree, title if is_map else ""),
        started=moment(at_path(tree, "Image/Created")),
    )
    return entry, plain(tree), str(at_path(tree, "Instrument/Name") or "").strip()


def _pixels(tree: dict[str, Any], name: str) -> NDArray[Any]:
    """The image's numbers, shape (rows, columns); how many bytes each has follows from how many there are."""
    size, bits = at_path(tree, "Image/Size"), at_path(tree, "Image/Bits")
    if not isinstance(size, list) or len(size) != 2 or not isinstance(bits, memoryview):
        raise ReadError(f"{name} has no pixels (Image/Size and Image/Bits) in it; it is cut off or damaged")
    columns, rows = size
    if columns <= 0 or rows <= 0 or columns * rows > _MOST_PIXELS:
        raise ReadError(f"{name} states an image of {columns} × {rows} pixels; it is damaged")
    dtype = {1: "u1", 2: "<u2", 4: "<u4"}.get(len(bits) // (columns * rows))
    if dtype is None or len(bits) % (columns * rows):
        raise ReadError(f"{name} has {len(bits)} bytes for {columns} × {rows} pixels; it is damaged")
    return np.frombuffer(bits, dtype).reshape(rows, columns)


def _is_counted(tree: dict[str, Any]) -> bool:
    """Whether the numbers are X-rays counted in a window of channels."""
    first, last = number_at(tree, "Map/StartRoi"), number_at(tree, "Map/EndRoi")
    return first is not None and last is not None and 0 < first < last


def _conditions(tree: dict[str, Any], line: str) -> dict[str, Quantity]:
    found = {
        "accelerating_voltage": quantity(number_at(tree, "Instrument/AccV"), "kV"),
        "magnification": quantity(number_at(tree, "Instrument/Mag"), ""),
        "working_distance": quantity(number_at(tree, "Instrument/WorkD"), "mm"),
        "beam_current": quantity(number_at(tree, "Instrument/Currnnt"), "nA"),
        "dwell_time": quantity(number_at(tree, "Map/DwellTime"), "us", 1000.0),
        "frames": quantity(number_at(tree, "Map/SweepCount"), ""),
    }
    named = re.fullmatch(r"([A-Z][a-z]?)\s+([KLM]\w*)", line)
    if named and named[1] in SYMBOLS:
        found |= {"elements": Quantity(named[1]), "xray_line": Quantity(named[2])}
    return {name: value for name, value in found.items() if value is not None}


def microscopy(voltage: float | None) -> str:
    """Which microscopy a scanned image is, by the accelerating voltage in kV."""
    return "stem" if voltage is not None and voltage > _HIGHEST_SEM_VOLTAGE else "sem"


def field_width(scan_size: float | None, magnification: float | None) -> float | None:
    """Width of the scanned field, µm: the width of the picture on the screen (mm) over the magnification."""
    if not scan_size or not magnification or scan_size < 0 or magnification < 0:
        return None
    return scan_size / magnification * 1000.0


def place_axis(name: str, size: int, width: float | None, columns: int, binning: int = 1) -> Axis:
    """Positions of ``size`` pixels of a field that is ``width`` µm and ``columns`` pixels wide."""
    places = np.arange(size) * float(binning) + (binning - 1) / 2
    step = width / columns if width else 0.0
    return Axis(name, places * step, "um") if 1e-9 < step < 1e9 else Axis(name, places, "pixel")
